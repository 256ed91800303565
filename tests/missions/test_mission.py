"""Mission items, fence and rally points."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings

from geo import FlatTerrain, GridTerrain
from missions import (
    Airspace,
    Base,
    Fleet,
    LandingSite,
    LegKind,
    MissionError,
    PlanOptions,
    Side,
    Vehicle,
    Wind,
    compile_mission,
    default_fleet,
    plan,
)
from missions.mission import too_long
from missions.setting import Setting
from tests.asked import asked
from tests.missions.helpers import (
    LAT,
    LON,
    M_LAT,
    M_LON,
    border_from_metres,
    fleet_for,
    stored,
    storing,
    straight,
    wiggly_borders,
)
from tests.missions.test_steep_ground import WINGS


@pytest.fixture(scope="module")
def made():
    border = straight(12_000)
    return plan(border, fleet_for(border, 2), FlatTerrain(1180.0))


def _xy(items):
    return np.array([[(i.y / 1e7 - LON) * M_LON, (i.x / 1e7 - LAT) * M_LAT] for i in items])


def test_the_sequence_for_ardupilot(made):
    mission = compile_mission(made, made.sorties[0], "ardupilot")
    commands = [item.command for item in mission.items]
    patrol = [leg for leg in made.sorties[0].legs if leg.kind is LegKind.PATROL]
    assert commands[0] == 16
    assert mission.items[0].frame == 0
    assert mission.items[0].z == 1180.0
    assert commands[1:3] == [22, 178]
    start, stop = commands.index(2500), commands.index(2501)
    assert commands[start - 2 : start] == [178, 205]
    assert commands[start + 1 : stop] == [16] * len(patrol)
    assert commands[stop + 1] == 178
    assert commands[-2:] == [16, 20]
    assert [item.seq for item in mission.items] == list(range(len(commands)))


def test_px4_has_no_home_item_and_leaves_the_heading_alone(made):
    ardupilot, px4 = (compile_mission(made, made.sorties[0], d) for d in ("ardupilot", "px4"))
    assert [i.command for i in px4.items] == [i.command for i in ardupilot.items[1:]]
    places = [i for i in px4.items if i.command in {16, 22}]
    assert all(math.isnan(i.p4) for i in places)
    # ArduPilot refuses NaN.
    assert not any(math.isnan(v) for i in ardupilot.items for v in (i.p1, i.p2, i.p3, i.p4, i.z))


def test_speeds_heights_and_camera_are_those_of_the_plan(made):
    items = compile_mission(made, made.sorties[0]).items
    speeds = [i.p2 for i in items if i.command == 178]
    assert speeds == [18.0, pytest.approx(made.observation.speed_m_s, abs=1e-3), 18.0]
    mount = next(i for i in items if i.command == 205)
    assert mount.p1 == pytest.approx(made.observation.gimbal_pitch_deg, abs=0.01)
    assert (mount.p3, mount.z) == (90.0, 2.0)
    heights = {i.z for i in items if i.command == 16 and i.frame == 6}
    assert heights == {90.0, 100.0, 110.0}


def test_in_wind_wings_are_told_the_same_speeds_over_the_antimeridian():
    told = []
    for west in (LON, 179.98):

        def lon(east, west=west):
            return (west + east / M_LON + 180.0) % 360.0 - 180.0

        border = replace(straight(4000), coordinates=((lon(0), LAT), (lon(4000), LAT)))
        base = Base("base", LAT + 900 / M_LAT, lon(2000))
        camera = replace(default_fleet(base, 1).camera, max_gsd_m=0.2)
        fleet = Fleet(camera, (Vehicle(1, "one", WINGS["vtol"], base),))
        made = plan(border, fleet, options=PlanOptions(dwell_s=2.5, wind=Wind(8.0, 270.0)))
        told.append([item.p2 for item in compile_mission(made, made.sorties[0]).items if item.command == 178])
    assert told[1] == pytest.approx(told[0], abs=0.05)


@pytest.mark.parametrize(("side", "yaw"), [("left", 90.0), ("right", -90.0)])
def test_the_camera_looks_across_the_border(side, yaw):
    border = straight(6000, side)
    made = plan(border, fleet_for(border, 1))
    assert made.sorties[0].look is Side(side).other
    assert next(i.p3 for i in compile_mission(made, made.sorties[0]).items if i.command == 205) == yaw


def test_the_mission_ends_above_the_base(made):
    for sortie in made.sorties:
        items = compile_mission(made, sortie).items
        assert (items[-2].x, items[-2].y) == (items[0].x, items[0].y)


@settings(max_examples=asked(25), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(border=wiggly_borders())
def test_the_fence_holds_the_mission_and_never_the_border(border):
    made = plan(border, fleet_for(border, 2))
    line = shapely.LineString(np.column_stack([(np.array(border.coordinates) - (LON, LAT)) * (M_LON, M_LAT)]))
    for sortie in made.sorties:
        mission = compile_mission(made, sortie)
        fence = shapely.Polygon(_xy(mission.fence))
        assert fence.is_valid
        assert len(mission.fence) <= 64
        assert all(v.p1 == len(mission.fence) and v.command == 5001 for v in mission.fence)
        # Half a per cent for the plain projection: where it believes to be, a vehicle is held off by 3.5 m more.
        assert fence.distance(line) >= (border.stand_off_m + 3.5) * 0.995
        way = shapely.LineString(_xy([i for i in mission.items if i.command in {16, 22}]))
        assert fence.contains(way)
        assert fence.exterior.distance(way) > 2 * 1.5 * 0.995 - 0.01
        assert shapely.contains_xy(fence, _xy(mission.rally)).all()


def test_rally_points_are_the_base_and_one_on_the_way(made):
    mission = compile_mission(made, made.sorties[0])
    base = made.sorties[0].vehicle.base
    assert [r.command for r in mission.rally] == [5100, 5100]
    assert (mission.rally[0].x, mission.rally[0].y) == (round(base.lat_deg * 1e7), round(base.lon_deg * 1e7))


def test_a_rally_point_is_where_px4_lands_and_what_ardupilot_flies_at():
    """PX4 (main of May 2026) rises by its height of return over that of a rally point: from 90 m to 130 m, at 100."""

    class Slope(FlatTerrain):
        def elevation_m(self, lat_deg, lon_deg):
            north, east = np.asarray(lat_deg) - LAT, np.asarray(lon_deg) - LON
            return 1180.0 + 0.01 * M_LAT * north + 0.002 * M_LON * east

    border, terrain = straight(12_000), Slope(1180.0)
    made = plan(border, fleet_for(border, 2), terrain)
    for sortie in made.sorties:
        flown, landed = (compile_mission(made, sortie, name).rally for name in ("ardupilot", "px4"))
        assert len(landed) == 2
        assert (landed[0].x, landed[0].y) == (flown[0].x, flown[0].y)
        lat, lon = np.array([(r.x / 1e7, r.y / 1e7) for r in landed]).T
        ground = terrain.elevation_m(lat, lon)
        assert [r.z for r in landed] == pytest.approx(list(ground - ground[0]), abs=0.5)
        assert abs(landed[1].z) > 2.0
        assert all(above.z - below.z > 30.0 for above, below in zip(flown, landed, strict=True))


def test_px4_lands_on_ground_that_is_known_not_on_that_between_two_places():
    """A ridge on the way, which no leg of it climbs over."""
    step = 1e-4
    north_m = np.repeat((0.03 - np.arange(500) * step)[:, None], 1800, axis=1) * M_LAT
    ridge = GridTerrain(500.0 + 25.0 * np.exp(-(((north_m - 780.0) / 150.0) ** 2)), LAT + 0.03, LON - 0.04, step)
    border = straight(6000)
    made = plan(border, fleet_for(border, 1), ridge)
    for sortie in made.sorties:
        landed = compile_mission(made, sortie, "px4").rally
        lat, lon = np.array([(r.x / 1e7, r.y / 1e7) for r in landed]).T
        ground = ridge.elevation_m(lat, lon)
        assert [r.z for r in landed] == pytest.approx(list(ground - ground[0]), abs=0.1)
        assert len(landed) == 2


def test_a_landing_site_uphill_is_no_place_to_land_for_px4(made):
    """The plan does not know the ground there: PX4 would land at that of the nearest place on the way."""
    sortie = made.sorties[0]
    place = sortie.patrol[len(sortie.patrol) // 2].start
    site = LandingSite("uphill", place.lat_deg + 200.0 / M_LAT, place.lon_deg)
    there = replace(made, airspace=Airspace(landing_sites=(site,)))
    flown, landed = (compile_mission(there, sortie, name).rally for name in ("ardupilot", "px4"))
    before = compile_mission(made, sortie, "px4").rally
    own = (round(site.lat_deg * 1e7), round(site.lon_deg * 1e7))
    assert own in [(r.x, r.y) for r in flown]
    assert landed == before
    assert len(landed) == 2


def test_an_unknown_dialect_is_refused(made):
    with pytest.raises(MissionError, match="ardupilot, px4"):
        compile_mission(made, made.sorties[0], "betaflight")


def test_a_sortie_whose_camera_looks_to_another_side_at_every_turn_is_too_long_too():
    border = border_from_metres([(x, 300.0 * (x // 400 % 2)) for x in range(0, 12_000, 400)])
    made = plan(border, fleet_for(border, 1))
    (number, sortie) = max(enumerate(made.sorties), key=lambda one: len(one[1].patrol))
    sides = itertools.cycle((Side.LEFT, Side.RIGHT))
    legs = tuple(replace(leg, look=next(sides)) if leg.kind is LegKind.PATROL else leg for leg in sortie.legs)
    turning = replace(made, sorties=(*made.sorties[:number], replace(sortie, legs=legs), *made.sorties[number + 1 :]))
    items = len(compile_mission(turning, turning.sorties[number]).items)
    assert items > 4 * len(legs)
    for most, long in ((items - 1, True), (items, False)):
        assert (number in too_long(stored(turning, mission_items=most))) == long


def test_sorties_have_no_more_items_than_an_autopilot_takes_whatever_the_ground_adds(monkeypatch):
    reckoned = Setting._last
    monkeypatch.setattr(Setting, "_last", lambda setting, vertices, _: reckoned(setting, vertices, 500))
    border = border_from_metres([(x, 300.0 * (x // 400 % 2)) for x in range(0, 12_000, 400)])
    made = plan(border, storing(fleet_for(border, 1), mission_items=50))
    assert max(len(compile_mission(made, sortie).items) for sortie in made.sorties) <= 50
    assert made.coverage.share > 0.8
