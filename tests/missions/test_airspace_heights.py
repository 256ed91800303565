"""Zones with heights above sea level, brought over the ground: never more lenient than as published."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import Altitude, Datum, FlatTerrain, GridTerrain
from missions import Airspace, PlanError, Zone, ZoneKind, check, plan
from missions.airspace_heights import over_ground
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, fleet_for, straight
from tests.missions.test_airspace_plans import zone

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
    area = Zone("zone", (RING,), kind, amsl(floor), amsl(ceiling))
    terrain = hills(seed)
    made, notes = over_ground(Airspace((area,)), terrain, HERE)
    assert notes == ()
    [brought] = made.zones
    high = low + depth_flown
    if brought.blocks(low, high):
        return
    rng = np.random.default_rng(seed)
    lat, lon = LAT + rng.uniform(-0.01, 0.01, 300), LON + rng.uniform(-0.01, 0.012, 300)
    inside = area.contains(lat, lon)
    ground = terrain.elevation_m(lat[inside], lon[inside])
    bottom, top = ground + low, ground + high
    begin, end = (-np.inf if floor is None else floor), (np.inf if ceiling is None else ceiling)
    if kind is ZoneKind.NO_FLY:
        assert not np.any((top > begin) & (bottom < end))
    else:
        assert np.all((bottom >= begin) & (top <= end))


def test_airspace_high_above_is_no_concern_of_a_drone():
    area = Zone("control area", (RING,), ZoneKind.NO_FLY, amsl(1500.0), amsl(6000.0))
    assert area.blocks(40, 120)
    [brought] = over_ground(Airspace((area,)), FlatTerrain(300.0), HERE)[0].zones
    assert brought.floor == Altitude(1200.0, Datum.AGL)
    assert not brought.blocks(40, 120)


def test_a_zone_over_ground_that_is_not_known_keeps_blocking_and_says_why():
    small = GridTerrain(np.full((4, 4), 300.0), LAT + 0.004, LON - 0.004, 0.002)
    area = Zone("control area", (RING,), ZoneKind.NO_FLY, amsl(1500.0))
    made, notes = over_ground(Airspace((area,)), small, HERE)
    assert made.zones == (area,)
    assert made.zones[0].blocks(40, 120)
    assert "control area" in notes[0]
    assert "tile" in notes[0]


def test_of_a_large_zone_the_ground_near_the_plan_counts():
    """A peak 100 km away does not bring the floor of a zone down here."""
    wide = tuple((LON + x, LAT + y) for x, y in ((-2, -1), (2, -1), (2, 1), (-2, 1)))
    heights = np.full((400, 400), 300.0)
    heights[:, 350:] = 1400.0
    terrain = GridTerrain(heights, LAT + 1.0, LON - 1.0, 0.005)
    area = Zone("region", (wide,), ZoneKind.NO_FLY, amsl(1500.0))
    [brought] = over_ground(Airspace((area,)), terrain, HERE)[0].zones
    assert brought.floor is not None
    assert brought.floor.metres == pytest.approx(1200.0)


def limits(name, x, y, radius_m, floor=None, ceiling=None):
    return replace(zone(name, x, y, radius_m), kind=ZoneKind.LIMITS, floor=floor, ceiling=ceiling)


def agl(metres):
    return Altitude(metres, Datum.AGL)


def test_transits_go_under_a_ceiling_that_the_patrol_keeps_anyway():
    border = straight(12_000)
    area = limits("glide path", 6000, 400, 2000, ceiling=agl(95.0))
    free = plan(border, fleet_for(border, 2))
    assert max(leg.start.agl_m for s in free.sorties for leg in s.legs) > 95
    made = plan(border, fleet_for(border, 2), airspace=Airspace((area,)))
    assert max(leg.end.agl_m for s in made.sorties for leg in s.legs) <= 95
    assert made.coverage.share == pytest.approx(free.coverage.share)
    assert any("glide path" in note and "95 m" in note for note in made.notes)
    assert check(made) == []
    # Far away it would be nobody's concern.
    away = limits("glide path", 6000, 60_000, 2000, ceiling=agl(95.0))
    assert plan(border, fleet_for(border, 2), airspace=Airspace((away,))).sorties == free.sorties


def test_limits_that_the_patrol_does_not_keep_are_flown_round():
    border = straight(12_000)
    for area in (limits("low", 6000, 0, 600, ceiling=agl(80.0)), limits("high", 6000, 0, 600, floor=agl(100.0))):
        made = plan(border, fleet_for(border, 1), airspace=Airspace((area,)))
        assert made.coverage.share < 0.95
        assert check(made) == []
        for sortie in made.sorties:
            for leg in sortie.legs:
                lat = np.linspace(leg.start.lat_deg, leg.end.lat_deg, 50)
                lon = np.linspace(leg.start.lon_deg, leg.end.lon_deg, 50)
                assert not area.contains(lat, lon).any()


def test_a_control_area_above_does_not_stop_a_plan_where_the_ground_is_known():
    border = straight(12_000)
    area = replace(zone("control area", 6000, 0, 9000), floor=Altitude(1500.0, Datum.AMSL))
    made = plan(border, fleet_for(border, 1), FlatTerrain(300.0), airspace=Airspace((area,)))
    assert made.coverage.share == pytest.approx(1.0)
    with pytest.raises(PlanError, match="control area"):
        plan(border, fleet_for(border, 1), airspace=Airspace((area,)))


def test_a_base_under_a_floor_is_refused():
    border = straight(12_000)
    fleet = fleet_for(border, 1)
    base = fleet.vehicles[0].base
    x, y = (base.lon_deg - LON) * M_LON, (base.lat_deg - LAT) * M_LAT
    with pytest.raises(PlanError, match="below its floor"):
        plan(border, fleet, airspace=Airspace((limits("corridor", x, y, 300, floor=agl(30.0)),)))
