"""Risk tables: which weight holds where and when; risk from past crossings."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missions.errors import PlanError
from missions.risk import Risk, RiskTable, risk_of_crossings
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, straight


def test_the_greatest_weight_counts_and_elsewhere_it_is_one():
    table = RiskTable((Risk(0, 1000, 3.0), Risk(500, 2000, 2.0)))
    assert table.weights([0, 900, 1500, 2000], [400, 1200, 1600, 3000], 12.0).tolist() == [3.0, 3.0, 2.0, 1.0]


def test_rows_hold_at_their_hours_and_through_midnight():
    night = RiskTable((Risk(0, 1000, 5.0, 22, 6),))
    assert [float(night.weights([0], [10], hour)[0]) for hour in (21.9, 22, 0, 5.9, 6, 30)] == [1, 5, 5, 5, 1, 1]


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 23), st.integers(0, 24)).filter(lambda r: r[0] != r[1]), max_size=4),
    start=st.floats(0, 24),
    shift=st.floats(600, 86_400),
)
def test_between_changes_the_weights_stay_the_same(rows, start, shift):
    table = RiskTable(tuple(Risk(0, 100, 2.0 + k, a, b) for k, (a, b) in enumerate(rows)))
    edges = [0.0, *table.changes(start, shift), shift]
    for a, b in pairwise(edges):
        inside = np.linspace(a, b, 7)[1:-1]
        found = {float(table.weights([0], [100], start + t / 3600)[0]) for t in inside}
        assert len(found) == 1 or b - a < 1e-3


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"from_m": 5, "to_m": 5, "weight": 1}, "to_m"),
        ({"from_m": 0, "to_m": 5, "weight": 0}, "weight"),
        ({"from_m": 0, "to_m": 5, "weight": math.nan}, "weight"),
        ({"from_m": 0, "to_m": 5, "weight": 1, "from_hour": 3, "to_hour": 3}, "from_hour"),
        ({"from_m": 0, "to_m": 5, "weight": 1, "to_hour": 25}, "to_hour"),
    ],
)
def test_a_bad_row_names_its_field(fields, words):
    with pytest.raises(PlanError, match=words):
        Risk(**fields)


def test_past_crossings_weigh_where_and_when_they_were():
    border = straight(10_000.0)
    crossings = [(LAT + 10 / M_LAT, LON + x / M_LON, 23.5) for x in (4100, 4500, 5900)] * 3
    (row,) = risk_of_crossings(border, crossings, cell_m=2100).rows
    assert (row.from_m, row.to_m) == pytest.approx((4000, 6000), rel=0.01)
    assert (row.weight, row.from_hour, row.to_hour) == (4.0, 18, 24)
    assert risk_of_crossings(border, []) == RiskTable()
    with pytest.raises(PlanError, match="finite"):
        risk_of_crossings(border, [(LAT, math.nan, 3)])
