"""Steep ground, flown by wings of both autopilots: stand-off, heights above ground, circles and the climb of them."""

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely

from cli.simulated import simulated_fleet
from missions import LegKind, PlanOptions, Wind, check, compile_mission, plan
from sim.flight_frame import FlightFrame
from sim.flight_items import Item
from sim.flight_wind import Wind as SimulatedWind
from tests.missions.helpers import border_from_metres, metres, straight
from tests.missions.test_climbing import ROOMY, circles, ramp
from tests.missions.test_steep_ground import winged
from tests.sim.wing_flights import Craft

RELATIVE = 3
FRAMES = {"fixed_wing": "plane", "vtol": "vtol"}
STRAY_M, BELOW_M = 10.0, 1.0
"""What an autopilot flies off the planned heights, and what it comes below the floor, metres: waypoints are passed on
an arc, and the ground is sampled to a metre."""


@pytest.fixture(scope="module")
def made():
    border, terrain = straight(3000.0), ramp(0.25, 80.0, 1200.0)
    found = plan(border, winged("fixed_wing", border), terrain, ROOMY)
    assert check(found, terrain) == []
    return found, terrain


def flown(made, sortie, autopilot):
    """Latitude, longitude and height AMSL of a sortie, twenty times a second, and the items reached when."""
    config = simulated_fleet(made, speedup=1.0, seed=1, autopilot=autopilot)
    lat, lon, ground_m = config.home
    frame = FlightFrame(lat, lon)
    items = compile_mission(made, sortie, autopilot).items[1 if autopilot == "ardupilot" else 0 :]
    sent = [
        Item(i.command, RELATIVE if i.frame == 6 else i.frame, (i.p1, i.p2, i.p3, i.p4), i.x, i.y, i.z) for i in items
    ]
    wind = made.options.wind
    craft = Craft(
        autopilot, FRAMES[sortie.vehicle.aircraft.form], sent, params=config.params, power=config.power,
        heading_deg=config.heading_deg, home=(frame, ground_m), wind=SimulatedWind(wind.speed_m_s, wind.from_deg),
    )  # fmt: skip
    table = craft.start().down()
    places = np.array([frame.to_geodetic(e, n) for e, n in zip(table["e"], table["n"], strict=True)])
    return places, table["u"] + ground_m, craft


@pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])
def test_wings_circle_up_before_a_slope_as_they_are_planned_to(made, autopilot):
    plan_, terrain = made
    sortie = next(one for one in plan_.sorties if circles(one))
    places, amsl_m, craft = flown(plan_, sortie, autopilot)
    assert not any("Crash" in text for text in craft.texts)
    xy = metres(places[:, ::-1])
    line = shapely.LineString(metres(plan_.border.coordinates))
    assert shapely.distance(line, shapely.points(xy)).min() > plan_.border.stand_off_m
    # Between take-off and the way down.
    legs = [leg for leg in sortie.legs if leg.kind not in {LegKind.TAKEOFF, LegKind.LANDING}]
    ends = metres([(at.lon_deg, at.lat_deg) for at in (legs[0].start, legs[-1].end)])
    first, last = (int(np.argmin(np.hypot(*(xy - end).T))) for end in ends)
    own = slice(first, last)
    agl_m = amsl_m[own] - terrain.elevation_m(places[own, 0], places[own, 1])
    assert agl_m.min() > plan_.options.floor_agl_m - BELOW_M
    assert agl_m.max() < plan_.options.ceiling_agl_m
    # Each run of circles is flown round about as often as planned, and left at its height.
    for run in circles(sortie):
        ring = metres([(leg.end.lon_deg, leg.end.lat_deg) for leg in run[1:-1]])
        centre = (ring.min(axis=0) + ring.max(axis=0)) / 2
        left = run[-1].start
        near = np.flatnonzero(np.hypot(*(xy - ring[-1]).T) < 40.0)
        assert np.abs(amsl_m[near] - left.amsl_m).min() < STRAY_M
        radius_m = sortie.vehicle.aircraft.turn_radius_m
        beside = np.hypot(*(xy - centre).T) < 1.5 * radius_m
        turned = np.abs(np.diff(np.unwrap(np.arctan2(*(xy[beside] - centre).T[::-1])))).sum() / (2 * math.pi)
        planned = len(ring) / 18
        assert turned > planned - 0.5


def told_m(made, sortie):
    """How far a plan says that a sortie may be flown above the ceiling, metres."""
    told = [note for note in made.notes if note.startswith(f"{sortie.name} may be flown up to ")]
    return float(told[0].split()[6]) if told else 0.0


STEEP = {
    # Ground that rises where the climb-out ends, a little above the floor: the way turns, and climbs on late.
    "climb_out": (
        "ardupilot", "fixed_wing", straight(3130.0, "right"), 1230.6, ramp(0.322, 90.3, 582.0, 104.6), 0.128,
        PlanOptions(dwell_s=2.5, floor_agl_m=44.9, patrol_ceiling_agl_m=82.6, ceiling_agl_m=105.1),
    ),
    # It goes over to its wings from below the height that it climbed to, and climbs not meanwhile.
    "transition": (
        "px4", "vtol", border_from_metres([(0, 0), (723, 200), (1445, 168), (2168, -164), (2891, 0)], "right"), 669.0,
        ramp(0.2296, 255.5, 665.4, 342.8), 0.173,
        PlanOptions(
            dwell_s=2.5, floor_agl_m=34.0, patrol_ceiling_agl_m=66.3, ceiling_agl_m=77.7, wind=Wind(8.0, 304.55)
        ),
    ),
    # A fast descent ends at the floor, and is caught below it.
    "descent": (
        "ardupilot", "vtol", straight(3919.0, "right"), 1367.0, ramp(0.4077, 221.6, 541.2, 352.4), 0.1438,
        PlanOptions(dwell_s=2.5, floor_agl_m=38.4, patrol_ceiling_agl_m=96.7, ceiling_agl_m=121.7),
    ),
    # The ground falls, and a long descent comes late: 11 m above the ceiling.
    "late_descent": (
        "ardupilot", "vtol", straight(3252.0, "right"), 1420.0, ramp(0.2262, 321.15, 1148.3, -175.7), 0.1946,
        PlanOptions(
            dwell_s=2.5, floor_agl_m=32.7, patrol_ceiling_agl_m=63.7, ceiling_agl_m=88.2, wind=Wind(8.0, 354.8)
        ),
    ),
    "patrol_up_to_the_ceiling": (
        "px4", "fixed_wing", border_from_metres([(0, 0), (1307, 118), (2614, 79), (3921, 0)], "left"), 905.0,
        ramp(0.4778, 222.16, 714.4, -376.1), 0.2179,
        PlanOptions(
            dwell_s=2.5, floor_agl_m=42.8, patrol_ceiling_agl_m=98.9, ceiling_agl_m=100.5, wind=Wind(8.0, 309.24)
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STEEP)
def test_wings_keep_floor_and_ceiling_where_they_came_lowest_and_highest_of_hundreds_of_plans_over_steep_ground(name):
    autopilot, form, border, away_m, terrain, gsd_m, options = STEEP[name]
    # In the air that it is planned in they are as fast as the wings that came so low: those had it of the sea.
    air_m = 1000.0
    for _ in range(2):
        fleet = winged(form, border, away_m, as_at_sea_m=air_m)
        made = plan(border, replace(fleet, camera=replace(fleet.camera, max_gsd_m=gsd_m)), terrain, options)
        air_m = made.options.wind.air_amsl_m
    assert check(made, terrain) == []
    for sortie in made.sorties[:2]:
        places, amsl_m, _ = flown(made, sortie, autopilot)
        legs = [leg for leg in sortie.legs if leg.kind not in {LegKind.TAKEOFF, LegKind.LANDING}]
        xy, half = metres(places[:, ::-1]), len(places) // 2
        begin, end = (np.hypot(*(xy - metres([(at.lon_deg, at.lat_deg)])).T) for at in (legs[0].start, legs[-1].end))
        on_the_spot = not sortie.vehicle.aircraft.needs_runway
        first = np.argmax(amsl_m > legs[0].start.amsl_m - 1.0) if on_the_spot else np.argmin(begin[:half])
        last = half + np.argmax(end[half:] < max(20.0, end[half:].min() + 1.0))
        agl_m = (amsl_m - terrain.elevation_m(places[:, 0], places[:, 1]))[first:last]
        assert agl_m.min() > options.floor_agl_m - BELOW_M
        assert agl_m.max() < options.ceiling_agl_m + told_m(made, sortie) + BELOW_M
