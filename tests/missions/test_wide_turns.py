"""Corners that wings fly wide: on detours, on ways and between lines they have room for it, by plain circles."""

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from missions import (
    Aircraft,
    AircraftForm,
    Airspace,
    Fleet,
    LegKind,
    PlanOptions,
    Wind,
    build_network,
    check,
    plan,
    plan_network,
)
from missions.joining import Room, led_in
from missions.plane import Plane
from missions.routing import Passage, Router
from missions.surroundings import Region
from missions.wide_turns import Berth
from tests.asked import asked
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, area, border_from_metres, fleet_for, metres, way, zone
from tests.missions.test_network_plan import branch

GENTLE_RAD = 0.42
KEPT_M = {AircraftForm.VTOL: 3.5 + 2 * 3.0, AircraftForm.FIXED_WING: 3.5 + 2 * 3.0}
"""What straight ways keep more than the stand-off in little wind, by the guide for pilots."""


def wings(fleet, radius_m, form=AircraftForm.VTOL):
    craft = Aircraft(
        "wings", 20.0, 28.0, 4.0, 3.0, 900.0, 300.0, 1100.0, 900.0, form=form, min_m_s=12.0, turn_radius_m=radius_m,
        takeoff_s=15.0, landing_s=20.0, transition_s=10.0 if form is AircraftForm.VTOL else 0.0,
    )  # fmt: skip
    vehicles = tuple(replace(vehicle, aircraft=craft) for vehicle in fleet.vehicles)
    return Fleet(replace(fleet.camera, max_gsd_m=0.2), vehicles)


def flown_wide(left_rad, radius_m, count=4000):
    """Along a leg and outside of it, metres: a turn by an angle from its beginning on, and the shortest way back.

    Step by step: on over the course of the leg until half of what is left is made good, and round again.
    """
    on = math.acos((1 + math.cos(left_rad)) / 2)
    share = (left_rad + on) / (left_rad + 2 * on)
    turn = np.linspace(-left_rad, on, int(share * count))
    course = np.concatenate([turn, np.linspace(on, 0.0, count - len(turn))[1:]])
    chord, middle = 2 * radius_m * np.sin(np.abs(np.diff(course)) / 2), (course[:-1] + course[1:]) / 2
    x, y = (np.append(0.0, np.cumsum(chord * one(middle))) for one in (np.cos, np.sin))
    assert abs(y[-1]) < 1e-6 * radius_m
    return x, -y


def wide_turns(made):
    """What is flown from each corner of each sortie on, metres: the leg after it, the turn and the way back to it."""
    wind = made.options.wind.speed_m_s
    for sortie in made.sorties:
        craft = sortie.vehicle.aircraft
        legs = [leg for leg in sortie.legs if leg.distance_m > 0.5]
        starts, ends = (
            metres([(p.lon_deg, p.lat_deg) for p in end])
            for end in zip(*[(leg.start, leg.end) for leg in legs], strict=True)
        )
        course = np.arctan2(*(ends - starts).T[::-1])
        length = np.hypot(*(ends - starts).T)
        for side in (1, -1):
            left = 0.0
            for k in range(1, len(legs)):
                # By the standard atmosphere air is lighter by the 4.25588th power of this.
                amsl_m = max(p.amsl_m for leg in legs[k - 1 : k + 1] for p in (leg.start, leg.end))
                true = (1 - 2.25577e-5 * amsl_m) ** (-4.25588 / 2)
                radius = craft.turn_radius_m * (true + wind / craft.cruise_m_s) ** 2
                left = max(left - length[k - 1] / radius, 0.0)
                turn = math.remainder(course[k] - course[k - 1], 2 * math.pi)
                left = min(max(left + side * turn, 0.0), math.pi)
                if left > GENTLE_RAD:
                    x, y = flown_wide(left, radius, 200)
                    on_leg = (np.arange(len(x)) <= np.argmin(np.abs(y - y.max()))) | (x <= length[k])
                    forth = np.array([math.cos(course[k]), math.sin(course[k])])
                    outside = side * np.array([forth[1], -forth[0]])
                    yield sortie, k, shapely.LineString((starts[k] + x[:, None] * forth + y[:, None] * outside)[on_leg])


def assert_room(made, line, zones, least_m):
    for sortie in made.sorties:
        flown = way(sortie)
        assert flown.distance(line) > least_m, sortie.name
        assert not any(flown.intersects(area(one)) for one in zones), sortie.name
    for sortie, k, arc in wide_turns(made):
        assert arc.distance(line) > least_m, (sortie.name, k)
        assert not any(arc.intersects(area(one)) for one in zones), (sortie.name, k)


def open_to_wings(*shut, radius_m=60.0):
    """A plane with nothing shut in it but some areas: what wide turns have to clear, and room for them."""
    region = Region(Plane.at(LAT, LON), (), (), (), tuple((f"zone {k}", one) for k, one in enumerate(shut)))
    return Berth(region, 0.0), Room(radius_m, Passage(Router(region.obstacles)))


@settings(max_examples=asked(60), deadline=None)
@given(
    turn=st.floats(0.4, 3.1), side=st.sampled_from([1, -1]), bearing=st.floats(-3.1, 3.1), radius_m=st.floats(30, 900),
    share=st.floats(0.01, 0.99),
)  # fmt: skip
def test_a_corner_is_tight_where_a_turn_or_the_way_back_from_it_touches_what_is_shut(
    turn, side, bearing, radius_m, share
):
    x, y = flown_wide(turn, radius_m)
    n = max(1, int(share * (len(x) - 1)))
    forth, outside = (np.array([math.cos(a), math.sin(a)]) for a in (bearing, bearing - side * math.pi / 2))
    came = bearing - side * turn
    corners = np.array([-1000 * np.array([math.cos(came), math.sin(came)]), [0, 0], 4000 * forth])
    at = x[n] * forth + y[n] * outside
    touched, _ = open_to_wings(shapely.Point(at).buffer(0.02))
    assert list(touched.tight(corners, radius_m)) == [1]
    # Past where it is back on the leg, which is 2.83 radii at most, all is as at a straight way.
    beside, _ = open_to_wings(shapely.Point(2.9 * radius_m * forth + outside).buffer(0.1))
    assert list(beside.tight(corners, radius_m)) == []


def test_who_turns_wide_comes_back_from_outside():
    """Past the end of the arc, where wings are a radius beside the leg."""
    corner = np.array([[0.0, 0.0], [500.0, 0.0], [500.0, 500.0]])
    for past_m, tight in ((65.0, [1]), (175.0, [])):
        berth, _ = open_to_wings(shapely.box(530.0, past_m, 590.0, past_m + 10.0))
        assert list(berth.tight(corner, 60.0)) == tight


def test_a_vertex_that_stands_twice_before_a_tight_corner_is_one():
    corner = np.array([[0.0, 0.0], [500.0, 0.0], [500.0, 500.0]])
    berth, room = open_to_wings(shapely.box(520.0, 20.0, 900.0, 400.0))
    assert list(berth.tight(corner, 60.0)) == [1]
    once = berth.rounded(corner, room)
    for k in range(3):
        twice = berth.rounded(np.insert(corner, k, corner[k], axis=0), room)
        assert once is not None
        assert twice == pytest.approx(once)


def test_a_way_on_the_course_that_it_is_led_to_has_no_corner_at_its_end():
    rng = np.random.default_rng(1)
    for bearing in rng.uniform(-math.pi, math.pi, 300):
        forth = np.array([math.cos(bearing), math.sin(bearing)])
        end = rng.uniform(-2000, 2000, 2)
        on, room_m = (shapely.LineString([end - k * forth, end + k * forth]) for k in (200, 300)), (60.0, 2.0)
        near, own = (line.buffer(m) for line, m in zip(on, room_m, strict=True))
        berth, room = open_to_wings(near.difference(own))
        led = led_in(np.stack([end - 1000 * forth, end]), forth, (1.0, -1.0), room)
        assert led is not None
        assert berth.holds(np.concatenate([led, [end + 60 * forth]]), 60.0), bearing


@settings(max_examples=asked(15), deadline=None)
@given(
    bend=st.floats(-500, 900), places=st.lists(st.floats(1500, 6500), min_size=1, max_size=2),
    north=st.floats(60, 350), size_m=st.floats(60, 250), corners=st.integers(3, 12),
    radius_m=st.floats(30, 90), wind_m_s=st.sampled_from([0.0, 5.0]),
    form=st.sampled_from([AircraftForm.VTOL, AircraftForm.FIXED_WING]),
)  # fmt: skip
def test_wings_have_room_for_every_corner_beside_zones(bend, places, north, size_m, corners, radius_m, wind_m_s, form):
    points = [(0, 0), (4000, bend), (8000, 0)]
    border = border_from_metres(points, stand_off_m=60.0, band_own_m=10.0, band_far_m=10.0)
    zones = tuple(zone(f"zone {n}", east, north, size_m, corners) for n, east in enumerate(places))
    fleet = wings(fleet_for(border, 1, distance_m=2500.0), radius_m, form)
    options = PlanOptions(dwell_s=2.0, shift_s=7200.0, wind=Wind(wind_m_s, 250.0))
    made = plan(border, fleet, None, options, airspace=Airspace(zones))
    assert_room(made, shapely.LineString(points), zones, 60.0 + KEPT_M[form] - 1.0)


LINE = [(0, 0), (8000, 0)]


def along_the_border(*zones, radius_m=60.0):
    """A plan beside 8 km of a straight border, by rotors where nothing has a turn radius."""
    border = border_from_metres(LINE, stand_off_m=60.0, band_own_m=10.0, band_far_m=10.0)
    fleet = fleet_for(border, 1, distance_m=2500.0)
    fleet = wings(fleet, radius_m) if radius_m else fleet
    options = PlanOptions(dwell_s=2.0, shift_s=7200.0)
    return plan(border, fleet, None, options, airspace=Airspace(zones))


def test_what_turns_take_of_the_watch_is_told_and_is_no_more_than_they_need():
    pond = zone("pond", 4000, 150, 120, 16)
    by_wings, by_rotors = along_the_border(pond), along_the_border(pond, radius_m=0.0)
    (told,) = [gap for gap in by_wings.coverage.uncovered if "no-fly" in gap.reason]
    assert told.reason == "no-fly zone 'pond' and wings need room there to turn"
    assert not any("to turn" in gap.reason for gap in by_rotors.coverage.uncovered)
    (sortie,) = by_wings.sorties
    assert sortie.to_m - sortie.from_m > 7500
    # Where their line, which lies elsewhere than that of rotors, comes to what is shut about the zone, and leaves it.
    watched = metres([(leg.start.lon_deg, leg.start.lat_deg) for leg in sortie.legs if leg.kind is LegKind.PATROL])
    left = metres([(leg.end.lon_deg, leg.end.lat_deg) for leg in sortie.legs if leg.kind is LegKind.PATROL])
    north, shut_m = watched[1, 1], by_wings.options.zone_margin_m
    shut = area(pond).buffer(shut_m).intersection(shapely.LineString([(0, north), (8000, north)])).bounds
    radius_m = by_wings.fleet.vehicles[0].aircraft.turn_radius_in(by_wings.options.wind)
    # A circle on the line that only just touches the zone stands so far from its middle; its corners lie further out.
    apart = math.sqrt((radius_m + 120 * math.cos(math.pi / 16) + shut_m) ** 2 - (radius_m - (150 - north)) ** 2)
    least_m = apart - (shut[2] - shut[0]) / 2
    for taken_m in (shut[0] - left[left[:, 0] < 4000, 0].max(), watched[watched[:, 0] > 4000, 0].min() - shut[2]):
        assert least_m < taken_m < least_m + 0.5 * radius_m


def test_two_zones_with_no_room_to_turn_between_them_are_flown_round_at_once():
    made = along_the_border(zone("west", 3800, 150, 120, 16), zone("east", 4300, 150, 120, 16), radius_m=80.0)
    (told,) = [gap for gap in made.coverage.uncovered if "no-fly" in gap.reason]
    assert told.reason == "no-fly zone 'west' and no-fly zone 'east' and wings need room there to turn"
    # One sortie passes both.
    (sortie,) = made.sorties
    assert (
        len(
            [
                1
                for a, b in zip(sortie.legs, sortie.legs[1:], strict=False)
                if a.kind is LegKind.PATROL and b.kind is LegKind.TRANSIT
            ]
        )
        == 1
    )


def test_an_acute_corner_between_line_and_zone_is_left_as_early_as_a_turn_needs():
    """Its edge runs back beside the line: who comes along it has to turn round."""
    tip = [(4000, 100), (5200, 420), (4000, 800)]
    wedge = replace(zone("wedge", 0, 0, 1), rings=(tuple((LON + x / M_LON, LAT + y / M_LAT) for x, y in tip),))
    made = along_the_border(wedge, radius_m=50.0)
    (sortie,) = made.sorties
    assert sortie.to_m - sortie.from_m > 7500
    assert_room(made, shapely.LineString(LINE), (wedge,), 60.0 + 9.5 - 1.0)


@pytest.mark.parametrize("radius_m", [40.0, 75.0])
def test_wings_have_room_for_every_corner_between_the_lines_of_a_network(radius_m):
    border = border_from_metres(LINE, stand_off_m=60.0, band_own_m=10.0, band_far_m=10.0)
    roads = [branch([(3000, 300), (3200, 1500), (4200, 2300)]), branch([(6000, 250), (5600, 2000)], "track")]
    zones = (zone("pond", 4600, 150, 120, 16), zone("yard", 3150, 1100, 150, 4))
    fleet = wings(fleet_for(border, 1, distance_m=2500.0), radius_m)
    options = PlanOptions(dwell_s=2.0, shift_s=7200.0)
    made = plan_network(build_network("net", [border, *roads]), fleet, None, options, airspace=Airspace(zones))
    assert check(made) == []
    assert made.coverage.share > 0.75
    assert_room(made, shapely.LineString(LINE), zones, 60.0 + 9.5 - 1.0)
