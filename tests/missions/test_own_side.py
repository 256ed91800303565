"""On which side a place is that lies beside several lines, against areas that shapely cuts out of a plane."""

import math
from dataclasses import replace

import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from missions import Airspace, Base, build_network, default_fleet, plan_network, validate
from missions.border_loops import taken_apart
from missions.clearance import Clearance
from missions.surroundings import Surroundings
from tests.asked import few
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, border_from_metres, metres, wiggly_borders
from tests.missions.test_border_loops import Oracle, rosettes


def own_side(borders, east, north):
    around = Surroundings(borders, Airspace(), (), 30.0, Clearance(0.0, 0.0, 0.0))
    return around.own_side(LAT + north / M_LAT, LON + east / M_LON), around.contested


@settings(max_examples=few(80), deadline=None)
@given(border=wiggly_borders(), east=st.floats(-9000, 30_000), north=st.floats(-9000, 9000))
def test_how_far_the_border_is_from_a_place_is_told_to_its_line_and_not_to_its_vertices(border, east, north):
    around = Surroundings(border, Airspace(), (), 30.0, Clearance(0.0, 0.0, 0.0))
    told = around.distance_m(LAT + north / M_LAT, LON + east / M_LON)
    # Plain metres are out by as much as parallels get shorter to the north.
    drawn = shapely.LineString(metres(border.coordinates)).distance(shapely.Point(east, north))
    assert told == pytest.approx(drawn, rel=0.008, abs=2.0)


@settings(max_examples=few(60))
@given(rosettes(), st.floats(10, 600), st.floats(0, 2 * math.pi))
def test_near_the_place_where_loops_touch_own_ground_is_what_all_lines_about_it_call_so(case, away_m, angle):
    border, _ = case
    oracle = Oracle(border)
    place = away_m * math.cos(angle), away_m * math.sin(angle)
    assume(oracle.line.distance(shapely.Point(place)) > 1)
    own, contested = own_side([piece.line for piece in taken_apart(border)], *place)
    said, _ = oracle.says(place)
    assert contested.holds(LAT + place[1] / M_LAT, LON + place[0] / M_LON) == (len(said) == 2)
    if len(said) == 1:
        assert own == (said == {True})


SQUARE = [(0, 0), (3000, 0), (3000, 3000), (0, 3000), (0, 0)]


@pytest.mark.parametrize("turned", [False, True])
def test_the_second_of_two_enclaves_that_touch_is_foreign_up_to_the_place_where_they_do(turned):
    """Two squares of 3 km, touching in a corner, what is outside them own; vertices stand 500 m apart."""
    one = border_from_metres(SQUARE, "right")
    other = border_from_metres([(-x, -y) for x, y in SQUARE], "right")
    for place in ((-200, -200), (-40, -300), (200, 200)):
        assert not own_side([other, one] if turned else [one, other], *place)[0], place
    for place in ((-200, 200), (200, -200)):
        assert own_side([other, one] if turned else [one, other], *place)[0], place


@pytest.mark.parametrize("turned", [False, True])
def test_a_leg_over_an_enclave_is_found_where_the_nearest_place_is_the_corner_of_another_too(turned):
    """One hangs with a corner in the notch of the other, and over the notch both are as near as each other."""
    wedge = [(0, 0), (3000, 2000), (2000, 3000), (0, 0)]
    notched = [(0, 0), (-500, 3000), (-3000, 3000), (-3000, -3000), (3000, -3000), (3000, -500), (0, 0)]
    lines = [border_from_metres(wedge, "right"), border_from_metres(notched, "right")]
    assert not lines[0].self_crossings()
    over = (-150.0, -150.0)
    assert not own_side(lines[::-1] if turned else lines, *over)[0]
    made = plan_network(
        build_network("two", lines[::-1] if turned else lines),
        default_fleet(Base("base", LAT + 4500 / M_LAT, LON + 4500 / M_LON), 1),
    )
    assert not validate(made).violations
    sortie = made.sorties[0]
    k = len(sortie.legs) // 2
    start, end = (
        replace(point, lat_deg=LAT + (over[1] + d) / M_LAT, lon_deg=LON + (over[0] + d) / M_LON)
        for point, d in ((sortie.legs[k].start, 0.0), (sortie.legs[k].end, 20.0))
    )
    legs = (*sortie.legs[:k], replace(sortie.legs[k], start=start, end=end), *sortie.legs[k + 1 :])
    spoilt = replace(made, sorties=(replace(sortie, legs=legs), *made.sorties[1:]))
    (rule,) = (rule for rule in validate(spoilt).rules if rule.name == "own side")
    assert any(f"leg {k}:" in sentence for sentence in rule.broken)
