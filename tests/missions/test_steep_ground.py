"""Plans over hills, steps and noise: every way keeps its height above ground, at rates that the aircraft can fly."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import GridTerrain
from missions import LegKind, plan

from .helpers import LAT, LON, M_LAT, M_LON, fleet_for, straight

STEP_DEG = 0.0005
REACH_DEG = 0.08
OFF_M = 6.0
"""What straight pieces between waypoints may stray from floor and ceiling, metres."""


def grid():
    """East and north of the samples of a terrain about the test border, metres."""
    lat = LAT + REACH_DEG - STEP_DEG * np.arange(round(2 * REACH_DEG / STEP_DEG))
    lon = LON - REACH_DEG / 2 + STEP_DEG * np.arange(round(2 * REACH_DEG / STEP_DEG))
    return np.meshgrid((lon - LON) * M_LON, (lat - LAT) * M_LAT)


def ground(heights):
    return GridTerrain(heights, LAT + REACH_DEG, LON - REACH_DEG / 2, STEP_DEG)


def hills(amplitude_m, length_m):
    east, north = grid()
    return ground(800 + amplitude_m * np.sin(2 * np.pi * east / length_m) * np.cos(2 * np.pi * north / length_m))


def step(height_m, at_m, azimuth_deg):
    east, north = grid()
    a = math.radians(azimuth_deg)
    return ground(500 + height_m * (east * math.sin(a) + north * math.cos(a) > at_m))


def noise(deviation_m, seed):
    return ground(1500 + np.random.default_rng(seed).normal(0, deviation_m, grid()[0].shape))


def agl_m(leg, terrain):
    """Heights above ground along a leg, metre by metre."""
    a, b = leg.start, leg.end
    t = np.linspace(0, 1, int(leg.distance_m) + 2)
    lat, lon = a.lat_deg + t * (b.lat_deg - a.lat_deg), a.lon_deg + t * (b.lon_deg - a.lon_deg)
    return a.amsl_m + t * (b.amsl_m - a.amsl_m) - terrain.elevation_m(lat, lon)


def assert_flown_well(made, terrain):
    """Heights above ground and rates of every leg of a plan."""
    floor, ceiling = made.options.floor_agl_m, made.options.ceiling_agl_m
    for sortie in made.sorties:
        craft = sortie.vehicle.aircraft
        assert sortie.reserve_left >= craft.reserve_fraction - 1e-6
        for leg in sortie.legs:
            above = agl_m(leg, terrain)
            assert above.max() < ceiling + OFF_M
            rise = leg.end.amsl_m - leg.start.amsl_m
            assert -craft.descent_m_s * 1.0001 <= rise / leg.duration_s <= craft.climb_m_s * 1.0001
            assert leg.distance_m / leg.duration_s <= craft.max_m_s * 1.001
            if leg.kind not in {LegKind.TAKEOFF, LegKind.LANDING}:
                assert above.min() > floor - OFF_M
                assert leg.distance_m / leg.duration_s >= craft.min_m_s * 0.999
            if leg.kind is LegKind.PATROL:
                assert above.max() < made.options.patrol_ceiling_agl_m + OFF_M


GROUNDS = st.one_of(
    st.builds(hills, st.floats(10, 300), st.floats(400, 6000)),
    st.builds(step, st.floats(-400, 400), st.floats(-1500, 1500), st.floats(0, 180)),
    st.builds(noise, st.floats(2, 40), st.integers(0, 2**31)),
)


@settings(max_examples=12, deadline=None)
@given(terrain=GROUNDS)
def test_rotors_follow_any_ground(terrain):
    border = straight(2500.0)
    made = plan(border, fleet_for(border, 1, distance_m=600.0), terrain)
    assert_flown_well(made, terrain)
    assert made.sorties[0].patrol


def test_rotors_climb_a_cliff_where_they_come_to_it_and_take_the_time_for_it():
    border, cliff = straight(2500.0), step(300.0, 1250.0, 90.0)
    level = plan(border, fleet_for(border, 1, distance_m=600.0), step(0.0, 0.0, 90.0))
    made = plan(border, fleet_for(border, 1, distance_m=600.0), cliff)
    assert_flown_well(made, cliff)
    more_s = sum(s.duration_s for s in made.sorties) - sum(s.duration_s for s in level.sorties)
    craft = made.sorties[0].vehicle.aircraft
    # Up on one way and down on another, less the time in which it would have come over the slope anyhow.
    assert 0.8 < more_s / (300 / craft.climb_m_s + 300 / craft.descent_m_s) < 1.1
    assert sum(s.energy_wh for s in made.sorties) > sum(s.energy_wh for s in level.sorties)
