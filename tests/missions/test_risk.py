"""Risk tables: which weight holds where and when; risk from past crossings."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missions import Objective, PlanOptions, check, plan
from missions.errors import PlanError
from missions.risk import Risk, RiskTable, risk_of_crossings
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, fleet_for, straight


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


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 23), st.integers(0, 24)).filter(lambda r: r[0] != r[1]), max_size=4),
    start=st.floats(0, 24),
    shift=st.floats(600, 2 * 86_400),
)
def test_the_mean_is_that_of_many_moments(rows, start, shift):
    table = RiskTable(tuple(Risk(0, 100 + k, 2.0 + k, a, b) for k, (a, b) in enumerate(rows)))
    pieces = [0, 50, 101.5, 200], [50, 100, 102.5, 300]
    moments = start + shift / 3600 * (np.arange(2000) + 0.5) / 2000
    often = np.mean([table.weights(*pieces, hour) for hour in moments.tolist()], axis=0)
    # Each of the few changes may fall anywhere within one of the 2000 parts.
    assert table.mean_weights(*pieces, start, shift) == pytest.approx(often, abs=0.03)


def _risky(hours, weight, **options):
    border = straight(30_000)
    table = RiskTable((Risk(0, 8000, weight, *hours),))
    return plan(border, fleet_for(border, 3), options=PlanOptions(objective=Objective.RISK, **options), risk=table)


def test_a_plan_over_a_change_of_risk_is_that_of_the_mean_and_says_so():
    """Weight 9 for two of eight hours, 1 for six: a mean of 3."""
    changing, steady = _risky((4, 6), 9.0), _risky((0, 24), 3.0)
    assert [(s.from_m, s.to_m, s.legs) for s in changing.sorties] == [
        (s.from_m, s.to_m, s.legs) for s in steady.sorties
    ]
    (note,) = set(changing.notes) - set(steady.notes)
    assert note.startswith("the risk changes within the shift, at 04:00, 06:00: planned for its mean")
    assert check(changing) == []


def test_a_shift_within_one_period_is_planned_for_that_period():
    within, steady = _risky((4, 6), 9.0, shift_hour=4.0, shift_s=7200.0), _risky((0, 24), 9.0, shift_s=7200.0)
    assert [(s.from_m, s.to_m) for s in within.sorties] == [(s.from_m, s.to_m) for s in steady.sorties]
    assert within.notes == steady.notes


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
