"""By risk beside a line that winds in one half and runs straight in the other: what lies beside what is by place."""

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely

from missions import (
    Base,
    Branch,
    PlanOptions,
    Risk,
    RiskTable,
    build_network,
    check,
    default_fleet,
    plan,
    plan_network,
)
from missions.feet import feet_of
from missions.recourse import course_of, surroundings_of
from missions.risk_along import weights_along
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, border_from_metres, fleet_for, metres

BORDER = border_from_metres([*((150 * k, 130 * (k % 2)) for k in range(67)), (20_000, 0)], "right", stand_off_m=60)
STRAIGHT_M = 20_000 - 150 * 66
"""Length of the half that runs straight: the other, as wide, is longer by a third."""


def course():
    made = plan(BORDER, fleet_for(BORDER, 1))
    return course_of(made, surroundings_of(made))


def test_what_lies_nearest_is_what_shapely_projects_to():
    way = course()
    at, beside = feet_of(BORDER, way)
    line = shapely.LineString(metres(BORDER.coordinates))
    lat, lon = way.at(at)
    truth = shapely.line_locate_point(line, shapely.points(metres(np.stack([lon, lat], axis=-1))))
    # In a bay two arms of the border are as near.
    assert np.abs(beside - truth * BORDER.length_m() / line.length).max() < 200.0
    straight = beside > BORDER.length_m() - STRAIGHT_M + 500.0
    assert np.abs(beside - truth * BORDER.length_m() / line.length)[straight].max() < 15.0
    assert (np.diff(at) > 0).all()
    assert (np.diff(beside) >= 0).all()


def test_a_row_weighs_the_places_beside_it_and_no_others():
    way = course()
    begin = BORDER.length_m() - STRAIGHT_M + 4000.0
    table = RiskTable((Risk(begin, begin + 1000.0, 6.0),))
    stations = np.arange(0.0, way.length_m, 25.0)
    weights = weights_along(way, table, stations, 12.0)
    _, lon = way.at((stations[1:] + stations[:-1]) / 2)
    east_m = metres(np.stack([lon, np.zeros_like(lon)], axis=-1))[:, 0]
    heavy = east_m[weights > 1]
    assert heavy.min() == pytest.approx(150 * 66 + 4000.0, abs=60.0)
    assert heavy.max() == pytest.approx(150 * 66 + 5000.0, abs=60.0)


@pytest.mark.parametrize(("from_", "to"), [(0.0, 0.99), (-1.0, 0.0), (0.4, 0.5)])
def test_no_such_plan_is_refused_by_its_own_validation(from_, to):
    """Rows over the straight half, the winding one, and a kilometre: by shares of the lengths they lay elsewhere."""
    half = BORDER.length_m() - STRAIGHT_M
    begin, end = (half + share * (half if share < 0 else STRAIGHT_M) for share in (from_, to))
    table = RiskTable((Risk(max(begin, 0.0), end, 4.0),))
    made = plan(BORDER, fleet_for(BORDER, 1), options=PlanOptions(objective="risk"), risk=table)
    assert check(made) == []


def test_a_ring_goes_round_once():
    """Opened elsewhere than it begins: from there to its end, then from its beginning."""
    corners = [(2500 * math.cos(a), 2500 * math.sin(a)) for a in np.arange(24) * math.pi / 12]
    ring = border_from_metres([*corners, corners[0]], "left", stand_off_m=60)
    table = RiskTable((Risk(0, 900, 3.0),))
    made = plan(ring, fleet_for(ring, 1, 900.0), options=PlanOptions(objective="risk"), risk=table)
    assert check(made) == []
    _, beside = feet_of(ring, course_of(made, surroundings_of(made)))
    steps_m = np.diff(beside)
    assert (steps_m < 0).sum() <= 1
    assert beside.min() >= 0
    assert beside.max() <= ring.length_m() + 1.0
    assert steps_m[steps_m > 0].sum() == pytest.approx(ring.length_m(), rel=0.01)


RIVER = Branch(
    "river",
    "river",
    tuple(
        (LON + x / M_LON, LAT + (2000 + y) / M_LAT)
        for x, y in [*((150 * k, 130 * (k % 2)) for k in range(67)), (20_000, 0)]
    ),
    band_left_m=20.0,
    band_right_m=20.0,
)


@pytest.mark.parametrize("turned", [False, True])
def test_a_row_of_a_branch_that_winds_weighs_the_places_beside_it_and_no_others(turned):
    """Whichever way it is flown along: by shares of the lengths the row lay elsewhere, and the plan was refused."""
    points = RIVER.coordinates[::-1] if turned else RIVER.coordinates
    border = border_from_metres([(-2000, 0), (22_000, 0)], "left", stand_off_m=60)
    network = build_network("net", [border], [replace(RIVER, coordinates=points)])
    whole_m = RIVER.length_m()
    begin = whole_m - STRAIGHT_M + 4000.0
    row = Risk(begin, begin + 1000.0, 6.0, line="river")
    if turned:
        row = Risk(whole_m - begin - 1000.0, whole_m - begin, 6.0, line="river")
    table = RiskTable((row,))
    fleet = default_fleet(Base("base", LAT + 900 / M_LAT, LON + 9000 / M_LON), 2)
    made = plan_network(network, fleet, options=PlanOptions(objective="risk"), risk=table)
    assert check(made) == []
    way = course_of(made, surroundings_of(made))
    stations = np.arange(0.0, way.length_m, 25.0)
    weights = weights_along(way, table, stations, 12.0)
    middle = (stations[1:] + stations[:-1]) / 2
    watched = way.watched[way.leg_at(middle)]
    lat, lon = way.at(middle[(weights > 1) & watched])
    places = metres(np.stack([lon, lat], axis=-1))
    assert places[:, 0].min() == pytest.approx(150 * 66 + 4000.0, abs=60.0)
    assert places[:, 0].max() == pytest.approx(150 * 66 + 5000.0, abs=60.0)
    assert (np.abs(places[:, 1] - 2000.0) < 300.0).all()
