"""Circles before ground too steep for wings, flown by both autopilots: stand-off, heights above ground, the climb."""

import math

import numpy as np
import pytest
import shapely

from cli.simulated import simulated_fleet
from missions import LegKind, check, compile_mission, plan
from sim.flight_frame import FlightFrame
from sim.flight_items import Item
from tests.missions.helpers import metres, straight
from tests.missions.test_climbing import ROOMY, circles, ramp
from tests.missions.test_steep_ground import winged
from tests.sim.wing_flights import Craft

RELATIVE = 3
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
    craft = Craft(
        autopilot, "plane", sent, params=config.params, power=config.power, heading_deg=config.heading_deg,
        home=(frame, ground_m),
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
    assert agl_m.max() < plan_.options.ceiling_agl_m + STRAY_M
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
