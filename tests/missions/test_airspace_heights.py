"""Zones with heights above sea level, brought over the ground: never more lenient than as published."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import Altitude, Datum, FlatTerrain, GridTerrain
from missions import Airspace, Zone, ZoneKind
from missions.airspace_heights import over_ground
from tests.missions.helpers import LAT, LON

HERE = [(LAT, LON), (LAT + 0.02, LON + 0.02)]
RING = ((LON - 0.01, LAT - 0.01), (LON + 0.01, LAT - 0.01), (LON + 0.012, LAT + 0.01), (LON - 0.01, LAT + 0.008))


def amsl(metres):
    return None if metres is None else Altitude(metres, Datum.AMSL)


def hills(seed):
    rng = np.random.default_rng(seed)
    return GridTerrain(rng.uniform(200, 500, (60, 60)), LAT + 0.12, LON - 0.12, 0.004)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 1000), kind=st.sampled_from(ZoneKind), floor=st.none() | st.floats(0, 700),
    depth=st.none() | st.floats(1, 500), low=st.floats(1, 100), depth_flown=st.floats(0, 100),
)  # fmt: skip
def test_what_passes_over_the_ground_passes_as_published_at_every_place(seed, kind, floor, depth, low, depth_flown):
    ceiling = None if depth is None else (floor or 0.0) + depth
    zone = Zone("zone", (RING,), kind, amsl(floor), amsl(ceiling))
    terrain = hills(seed)
    made, notes = over_ground(Airspace((zone,)), terrain, HERE)
    assert notes == ()
    [brought] = made.zones
    high = low + depth_flown
    if brought.blocks(low, high):
        return
    rng = np.random.default_rng(seed)
    lat, lon = LAT + rng.uniform(-0.01, 0.01, 300), LON + rng.uniform(-0.01, 0.012, 300)
    inside = zone.contains(lat, lon)
    ground = terrain.elevation_m(lat[inside], lon[inside])
    bottom, top = ground + low, ground + high
    begin, end = (-np.inf if floor is None else floor), (np.inf if ceiling is None else ceiling)
    if kind is ZoneKind.NO_FLY:
        assert not np.any((top > begin) & (bottom < end))
    else:
        assert np.all((bottom >= begin) & (top <= end))


def test_airspace_high_above_is_no_concern_of_a_drone():
    zone = Zone("control area", (RING,), ZoneKind.NO_FLY, amsl(1500.0), amsl(6000.0))
    assert zone.blocks(40, 120)
    [brought] = over_ground(Airspace((zone,)), FlatTerrain(300.0), HERE)[0].zones
    assert brought.floor == Altitude(1200.0, Datum.AGL)
    assert not brought.blocks(40, 120)


def test_a_zone_over_ground_that_is_not_known_keeps_blocking_and_says_why():
    small = GridTerrain(np.full((4, 4), 300.0), LAT + 0.004, LON - 0.004, 0.002)
    zone = Zone("control area", (RING,), ZoneKind.NO_FLY, amsl(1500.0))
    made, notes = over_ground(Airspace((zone,)), small, HERE)
    assert made.zones == (zone,)
    assert made.zones[0].blocks(40, 120)
    assert "control area" in notes[0]
    assert "tile" in notes[0]


def test_of_a_large_zone_the_ground_near_the_plan_counts():
    """A peak 100 km away does not bring the floor of a zone down here."""
    wide = tuple((LON + x, LAT + y) for x, y in ((-2, -1), (2, -1), (2, 1), (-2, 1)))
    heights = np.full((400, 400), 300.0)
    heights[:, 350:] = 1400.0
    terrain = GridTerrain(heights, LAT + 1.0, LON - 1.0, 0.005)
    zone = Zone("region", (wide,), ZoneKind.NO_FLY, amsl(1500.0))
    [brought] = over_ground(Airspace((zone,)), terrain, HERE)[0].zones
    assert brought.floor is not None
    assert brought.floor.metres == pytest.approx(1200.0)
