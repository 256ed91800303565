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
from tests.asked import asked
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, area, border_from_metres, fleet_for, metres, zone
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


def wide_turns(made):
    """What is flown from each corner of each sortie on, metres: the leg after it and an arc of a circle."""
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
                    entry = course[k] - side * left
                    middle = starts[k] + side * radius * np.array([-math.sin(entry), math.cos(entry)])
                    bearings = entry - side * math.pi / 2 + side * np.linspace(0, left, 40)
                    yield (
                        sortie,
                        k,
                        shapely.LineString(middle + radius * np.column_stack([np.cos(bearings), np.sin(bearings)])),
                    )


def assert_room(made, line, zones, least_m):
    for sortie, k, arc in wide_turns(made):
        assert arc.distance(line) > least_m, (sortie.name, k)
        assert not any(arc.intersects(area(one)) for one in zones), (sortie.name, k)


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


def unseen_m(made):
    return sum(gap.to_m - gap.from_m for gap in made.coverage.uncovered if "no-fly" in gap.reason)


def test_what_turns_take_of_the_watch_is_told_and_is_no_more_than_they_need():
    pond = zone("pond", 4000, 150, 120, 16)
    by_wings, by_rotors = along_the_border(pond), along_the_border(pond, radius_m=0.0)
    (told,) = [gap for gap in by_wings.coverage.uncovered if "no-fly" in gap.reason]
    assert told.reason == "no-fly zone 'pond' and wings need room there to turn"
    assert not any("to turn" in gap.reason for gap in by_rotors.coverage.uncovered)
    # One turn radius at each end at least, for a quarter of a circle; a detour needs no more than two and a half.
    assert 60.0 < unseen_m(by_wings) - unseen_m(by_rotors) < 5 * 60.0
    (sortie,) = by_wings.sorties
    assert sortie.to_m - sortie.from_m > 7500


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
