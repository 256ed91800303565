"""Terrain with holes: what lies over one, or is seen over one, is uncovered and says so; the rest is planned."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo import open_terrain
from missions import (
    Base,
    PlanError,
    Progress,
    Spot,
    UnknownGroundError,
    Viewing,
    check,
    cue_sortie,
    default_fleet,
    plan,
    resume,
)
from missions.plane import Plane
from missions.profile import GroundBelow
from missions.voids import avoided
from tests.asked import asked

from .helpers import LAT, LON, M_LAT, M_LON, beside, border_from_metres, fleet_for, metres, straight, way
from .test_steep_ground import LOOSE, STEP_DEG, assert_flown_well, grid, ground, winged

WORDS = "not known: add the tile that covers it"
HAIR_M = 0.6
"""What two projections, rounded waypoints and the end of a search for corners may be off, metres."""

HOLES = st.lists(st.tuples(st.floats(-200, 3200), st.floats(-300, 600), st.floats(30, 250)), min_size=1, max_size=3)


def holed(holes):
    """Gentle ground without elevation within some metres of some places."""
    east, north = grid()
    heights = 500 + 20 * np.sin(east / 400) * np.cos(north / 300)
    for x, y, wide in holes:
        heights[np.hypot(east - x, north - y) < wide] = np.nan
    return ground(heights)


def unknown(terrain):
    """Where there is no elevation, metres: each missing sample takes the cells round it along."""
    row, column = np.nonzero(np.isnan(terrain.heights_m))
    lat, lon = terrain.north_deg - row * STEP_DEG, terrain.west_deg + column * STEP_DEG
    x, y = (lon - LON) * M_LON, (lat - LAT) * M_LAT
    return shapely.union_all(shapely.box(*(x - dx, y - dy, x + dx, y + dy))) if len(x) else shapely.Polygon()


dx, dy = STEP_DEG * M_LON * 0.999, STEP_DEG * M_LAT * 0.999


@cache
def without_holes(form):
    border = straight(3000.0)
    return plan(border, _fleet(form, border), holed([]), LOOSE)


@settings(max_examples=asked(4), deadline=None)
@example(form=None, holes=[(2600.0, 450.0, 200.0), (300.0, 80.0, 90.0)])
@example(form="vtol", holes=[(900.0, 100.0, 120.0)])
@example(form="fixed_wing", holes=[(0.0, 265.0, 41.0)])
@given(form=st.sampled_from([None, "fixed_wing"]), holes=HOLES)
def test_what_lies_over_a_hole_is_uncovered_and_the_rest_is_planned(form, holes):
    border, terrain = straight(3000.0), holed(holes)
    try:
        made = plan(border, _fleet(form, border), terrain, LOOSE)
    except PlanError as error:
        if "no straight line" not in str(error) and "not known" not in str(error):
            raise
        return
    assert check(made, terrain) == []
    assert_flown_well(made, terrain)
    gone = unknown(terrain).buffer(-HAIR_M)
    for sortie in made.sorties:
        assert not shapely.intersects(way(sortie), gone)
    blank = [part for part in made.coverage.uncovered if WORDS in part.reason]
    lost_m2 = without_holes(form).coverage.seen_area_m2 - made.coverage.seen_area_m2
    # Beside it views end in the open, and see less of what is known: that has reasons of its own.
    assert sum(part.area_m2 for part in blank) >= 0.7 * lost_m2 - 1000


def test_ways_lead_round_a_hole():
    border = straight(3000.0)
    made = plan(border, _fleet(None, border), holed([(1500.0, 500.0, 200.0)]), LOOSE)
    level = without_holes(None)
    assert made.coverage.share == pytest.approx(level.coverage.share, abs=0.01)
    assert not shapely.intersects(way(made.sorties[0]), shapely.Point(1500.0, 500.0).buffer(200.0))


def test_an_aircraft_in_the_air_is_led_round_a_hole_too():
    border, terrain = straight(3000.0), holed([(750.0, 505.0, 150.0), (2250.0, 505.0, 150.0)])
    made = plan(border, _fleet(None, border), terrain, LOOSE)
    # Still above its base, with holes between it and both ends of the line.
    begin = made.sorties[0].legs[0].end
    here = Progress(made.sorties[0].name, at=(begin.lat_deg, begin.lon_deg), battery=1.0, airborne=True)
    after = resume(made, here, terrain=terrain)
    assert check(after, terrain) == []
    assert next(sortie for sortie in after.sorties if sortie.airborne).patrol
    for sortie in after.sorties:
        assert not shapely.intersects(way(sortie), unknown(terrain).buffer(-HAIR_M))


def test_a_spot_beside_a_hole_is_looked_at_from_where_the_ground_is_known():
    border, terrain = straight(3000.0), holed([(1640.0, y, 60.0) for y in (100.0, 220.0, 340.0)])
    made = plan(border, _fleet(None, border), terrain, LOOSE)
    spot = Spot(LAT + 10.0 / M_LAT, LON + 1500.0 / M_LON)
    found = cue_sortie(made, made.fleet.vehicles[0], spot, station_s=60.0, terrain=terrain)
    assert check(found.plan, terrain) == []
    assert not shapely.intersects(way(found.sortie), unknown(terrain).buffer(-HAIR_M))


@pytest.mark.parametrize("form", [None, "fixed_wing"])
def test_a_way_to_a_spot_and_home_leads_round_a_hole(form):
    border, terrain = straight(3000.0), holed([(2050.0, 420.0, 130.0), (1550.0, 300.0, 60.0)])
    made = plan(border, _fleet(form, border), terrain, LOOSE)
    fine = replace(made, fleet=replace(made.fleet, camera=replace(made.fleet.camera, max_gsd_m=0.3)))
    spot = Spot(LAT + 30.0 / M_LAT, LON + 2600.0 / M_LON)
    found = cue_sortie(fine, fine.fleet.vehicles[0], spot, station_s=60.0, terrain=terrain)
    assert check(found.plan, terrain) == []
    assert not shapely.intersects(way(found.sortie), unknown(terrain).buffer(-HAIR_M))
    # Straight there is a hole.
    base = metres([(found.sortie.home.lon_deg, found.sortie.home.lat_deg)])[0]
    place = metres([(found.place.lon_deg, found.place.lat_deg)])[0]
    assert form or shapely.intersects(shapely.LineString([base, place]), unknown(terrain))


def test_a_spot_that_is_seen_only_over_a_hole_is_refused_and_the_reason_said():
    border, terrain = straight(3000.0), holed([(x, 450.0, 90.0) for x in np.arange(2000.0, 6500.0, 100.0)])
    made = plan(border, _fleet(None, border), terrain, LOOSE)
    ring = [(2600.0 + 420.0 * np.cos(a), 60.0 + 420.0 * np.sin(a), 90.0) for a in np.linspace(0, 2 * np.pi, 40)]
    with pytest.raises(PlanError, match="ground that is known"):
        cue_sortie(made, made.fleet.vehicles[0], Spot(LAT + 60.0 / M_LAT, LON + 2600.0 / M_LON), terrain=holed(ring))


@pytest.mark.parametrize("straight_on", [True, False])
def test_nobody_is_sent_to_a_spot_over_a_hole_that_the_search_has_missed(monkeypatch, straight_on):
    """One in the air flies there by no plan that would be refused."""
    border, terrain = straight(3000.0), holed([(2050.0, 420.0, 130.0)])
    made = plan(border, _fleet(None, border), terrain, LOOSE)
    vehicle, base = made.fleet.vehicles[0], made.sorties[0].home
    fine = replace(made, fleet=replace(made.fleet, camera=replace(made.fleet.camera, max_gsd_m=0.3)))
    viewing = Viewing(fine, terrain)
    monkeypatch.setattr("missions.viewing.avoided", lambda *_: None)
    spot, height_m = Spot(LAT + 30.0 / M_LAT, LON + 2600.0 / M_LON), viewing.observation(vehicle).height_agl_m
    found = viewing.sights(vehicle, (base.lat_deg, base.lon_deg), spot, height_m, straight=straight_on)
    gone = unknown(terrain).buffer(-30.0)
    for sight in found:
        lat, lon = sight.region.plane.lat_lon(sight.way)
        assert not shapely.intersects(shapely.LineString(metres(np.stack([lon, lat], axis=-1))), gone)


def test_a_void_narrower_than_the_cells_of_a_wide_box_is_led_round_all_the_same(monkeypatch):
    """Coarse cells miss it at first: ways that still lead over it have the ground there looked at closer."""
    monkeypatch.setattr("missions.voids._MOST_SIDE", 14)
    border, terrain = straight(3000.0), holed([(1500.0, 500.0, 60.0), (700.0, 450.0, 45.0)])
    made = plan(border, _fleet(None, border), terrain, LOOSE)
    assert made.coverage.share == pytest.approx(without_holes(None).coverage.share, abs=0.01)
    for sortie in made.sorties:
        assert not shapely.intersects(way(sortie), unknown(terrain).buffer(-HAIR_M))


def test_the_voids_that_the_last_look_finds_are_led_round_too(monkeypatch):
    """As many narrow ones as there are rounds, each of which shows one more: ways are sought round the last as well."""
    monkeypatch.setattr("missions.voids._MOST_SIDE", 14)
    monkeypatch.setattr("missions.voids._ROUNDS", 3)
    places = [(-3000.0, 400.0), (0.0, 400.0), (3000.0, 400.0)]
    terrain, plane = holed([(east, north, 45.0) for east, north in places]), Plane.at(LAT, LON)
    holes = [shapely.Point(place) for place in places]
    sought = []

    def seek(voids):
        sought.append(shapely.union_all(voids))
        over = [place for place, hole in zip(places, holes, strict=True) if not sought[-1].covers(hole)]
        return np.array(over[:1]).reshape(-1, 2)

    avoided(terrain, plane, np.array([[-4000.0, 300.0], [4000.0, 500.0]]), seek)
    assert [sum(ground.covers(hole) for hole in holes) for ground in sought] == [0, 1, 2, 3]


@settings(max_examples=asked(80), deadline=None)
@example(voids=[(160, 160)], ends=(-165.0, 252.0, 235.0, -148.0))
@given(
    voids=st.lists(st.tuples(st.integers(155, 165), st.integers(155, 165)), min_size=1, max_size=4),
    ends=st.tuples(*[st.floats(-600, 600)] * 4),
)
def test_a_way_is_refused_where_it_touches_a_hole_and_nowhere_else(voids, ends):
    heights = np.full(grid()[0].shape, 500.0)
    heights[tuple(np.transpose(voids))] = np.nan
    terrain, plane = ground(heights), Plane.at(LAT, LON)
    points = np.array(ends).reshape(2, 2)
    try:
        GroundBelow.along(points, plane, terrain)
        refused = False
    except UnknownGroundError:
        refused = True
    flown, gone = shapely.LineString(metres(np.stack(plane.lat_lon(points)[::-1], axis=-1))), unknown(terrain)
    assert refused or not shapely.intersects(flown, gone.buffer(-HAIR_M))
    assert not refused or shapely.intersects(flown, gone.buffer(HAIR_M))


def _fleet(form, border):
    return fleet_for(border, 1, distance_m=900.0) if form is None else winged(form, border)


def test_a_base_in_a_hole_is_named():
    border = straight(3000.0)
    base = beside(border, 900.0)
    (east, north) = metres([(base.lon_deg, base.lat_deg)])[0]
    with pytest.raises(PlanError, match=r"base 'base' stands on ground that is not known: add the tile"):
        plan(border, default_fleet(base, 1), holed([(east, north, 150.0)]))


def test_the_reasons_name_the_tile_that_is_missing_and_the_one_with_a_void(tmp_path):
    samples = np.full((1201, 1201), 300, dtype=">i2")
    # The border runs on into the next degree, and over a void before.
    samples[1190:, 1150:1170] = -32768
    (tmp_path / "N46E008.hgt").write_bytes(samples.tobytes())
    west = 0.95 * M_LON
    border = border_from_metres([(west, 300.0), (west + 5500.0, 300.0)])
    base = Base("base", LAT + 1500.0 / M_LAT, LON + (west + 2300.0) / M_LON)
    made = plan(border, default_fleet(base, 1), open_terrain(tmp_path))
    reasons = " ".join(part.reason for part in made.coverage.uncovered)
    assert "add N46E009.hgt, or a GeoTIFF that covers it" in reasons
    assert "N46E008.hgt has a void there: fill it" in reasons
    assert str(tmp_path) not in reasons
    assert made.coverage.share > 0.3
