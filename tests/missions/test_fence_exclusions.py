"""Fences with no-fly zones in them, and rally points: they hold the legs, never the zones, within what is stored."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely.affinity import scale

from geo import Altitude, Datum, FlatTerrain, geodesic_destination, geodesic_distance_m
from missions import (
    Airspace,
    Base,
    BorderSegment,
    FormatError,
    LandingSite,
    Mission,
    MissionError,
    MissionItem,
    PlanOptions,
    Side,
    Zone,
    base_beside,
    compile_mission,
    default_fleet,
    plan,
    read_qgc_plan,
    sortie_fence,
    validate_missions,
    write_qgc_plan,
)
from missions.plane import Chart
from missions.reduced import convex_hull, reduced
from tests.asked import asked
from tests.missions.helpers import (
    LAT,
    LON,
    M_LAT,
    M_LON,
    area,
    beside,
    border_from_metres,
    fleet_for,
    metres,
    stored,
    straight,
    way,
    wiggly_borders,
    zone,
)

SLOW = settings(max_examples=asked(25), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def ringed(name, east, north, outer_m, inner_m):
    """A zone with a hole in it."""
    outline, hole = (zone("x", east, north, size, 24).rings[0] for size in (outer_m, inner_m))
    return Zone(name, (outline, hole))


def fenced(mission):
    """Inclusion and exclusions, read from the items one by one as MAVLink has them."""
    found, left = {5001: [], 5002: []}, list(mission.fence)
    while left:
        count = int(left[0].p1)
        own, left = left[:count], left[count:]
        assert {(v.command, v.p1, v.frame) for v in own} == {(own[0].command, float(count), 0)}
        polygon = shapely.Polygon(metres([(v.y / 1e7, v.x / 1e7) for v in own]))
        assert polygon.is_valid
        found[own[0].command].append(polygon)
    assert [v.seq for v in mission.fence] == list(range(len(mission.fence)))
    return found[5001], found[5002]


def assert_fenced(made, zones, margin_m=30.0):
    for sortie in made.sorties:
        mission = compile_mission(made, sortie)
        (inside,), outside = fenced(mission)
        assert len(mission.fence) <= 64
        flown = way(sortie)
        assert inside.contains(flown)
        assert all(polygon.distance(flown) >= margin_m * 0.45 for polygon in outside)
        # What may be flown holds nothing of a zone: a square centimetre for the rounding to 1e-7 degrees.
        free = inside.difference(shapely.union_all(outside))
        assert all(free.intersection(area(one)).area < 1e-4 for one in zones)
        rally = metres([(r.y / 1e7, r.x / 1e7) for r in mission.rally])
        assert shapely.contains_xy(free, rally).all()
        line = shapely.LineString(metres(made.border.coordinates))
        assert shapely.distance(line, shapely.points(rally)).min() >= made.border.stand_off_m * 0.995


places = st.tuples(st.floats(500, 11_500), st.floats(-2500, 3500), st.floats(60, 900), st.integers(3, 40))


@SLOW
@given(given_places=st.lists(places, min_size=1, max_size=6), right=st.booleans())
def test_every_zone_is_fenced_out_and_no_leg_is(given_places, right):
    border = straight(12_000, "right" if right else "left")
    base = beside(border, 2000)
    bx, by = metres((base.lon_deg, base.lat_deg))
    flip = -1 if right else 1
    zones = tuple(
        zone(f"z{k}", e, n * flip, size, corners)
        for k, (e, n, size, corners) in enumerate(given_places)
        if math.hypot(e - bx, n * flip - by) > size + 60
    )
    made = plan(border, default_fleet(base, 2), airspace=Airspace(zones))
    assert_fenced(made, zones)


@SLOW
@given(border=wiggly_borders(), along=st.floats(0.1, 0.9), off=st.floats(-400, 1400), size=st.floats(40, 300))
def test_zones_beside_a_border_that_wanders(border, along, off, size):
    (x0, y0), (x1, y1) = metres(border.coordinates[0]), metres(border.coordinates[-1])
    length = math.hypot(x1 - x0, y1 - y0)
    turn = 1 if border.own_side.value == "left" else -1
    e = x0 + along * (x1 - x0) - turn * off * (y1 - y0) / length
    n = y0 + along * (y1 - y0) + turn * off * (x1 - x0) / length
    base = beside(border, 1500)
    assume(math.dist((e, n), metres((base.lon_deg, base.lat_deg))) > size + 60)
    zones = (zone("z", e, n, size, 12),)
    assert_fenced(plan(border, default_fleet(base, 1), airspace=Airspace(zones)), zones)


def test_a_zone_with_legs_in_its_hole_is_fenced_out_in_parts():
    border = straight(4000)
    near = ringed("ring", 2000, 800, 2600, 2250)
    made = plan(border, default_fleet(beside(border, 1500), 1), airspace=Airspace((near,)))
    assert_fenced(made, (near,))
    assert all(len(fenced(compile_mission(made, s))[1]) >= 2 for s in made.sorties)


def test_a_zone_above_the_flight_needs_no_exclusion():
    border = straight(6000)
    high = zone("airway", 3000, 700, 300, floor=Altitude(150.0, Datum.AGL))
    low = zone("hut", 3000, 700, 100)
    for one, count in ((high, 0), (low, 1)):
        made = plan(border, fleet_for(border, 1), airspace=Airspace((one,)))
        counts = [len(fenced(compile_mission(made, sortie))[1]) for sortie in made.sorties]
        assert max(counts) == count


def test_many_zones_are_put_together_until_they_fit():
    border = straight(9000)
    zones = tuple(zone(f"z{i}{j}", 500 + 700 * i, 420 + 260 * j, 90, 4) for i in range(12) for j in range(3))
    base = beside(border, 2500)
    made = plan(border, default_fleet(base, 1), airspace=Airspace(zones))
    assert_fenced(made, zones)
    assert max(len(fenced(compile_mission(made, s))[1]) for s in made.sorties) < len(zones)


def test_a_zone_beside_a_leg_is_named():
    border = straight(6000)
    made = plan(border, fleet_for(border, 1))
    late = replace(made, airspace=Airspace((zone("new school", 3000, 300, 250),)))
    with pytest.raises(MissionError, match=r"no-fly zone 'new school' lies 0 m from a leg.*plan again"):
        [compile_mission(late, sortie) for sortie in late.sorties]


def test_a_fence_that_has_no_room_says_what_to_do():
    border = straight(9000)
    zones = (zone("lake", 3000, 600, 200, 20), zone("mast", 6000, 600, 100))
    made = plan(border, fleet_for(border, 1), airspace=Airspace(zones))
    held = max(len(sortie_fence(made, sortie)[0].vertices) for sortie in made.sorties)
    made = stored(made, fence_vertices=held + 2)
    with pytest.raises(
        MissionError,
        match=rf"at most {held + 2} vertices, what .* stores, has no room for the no-fly zones 'lake'.*into one zone",
    ):
        [compile_mission(made, sortie) for sortie in made.sorties]


# --- outlines --------------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    count=st.integers(1, 5),
    corners=st.integers(3, 60),
    most=st.integers(9, 40),
)
def test_an_outline_with_fewer_vertices_holds_the_old_one(seed, count, corners, most):
    rng = np.random.default_rng(seed)
    rings = []
    for k in range(count):
        angle = np.sort(rng.uniform(0, 2 * math.pi, corners))
        radius = rng.uniform(60, 200, corners)
        ring = np.stack([k * 700 + radius * np.cos(angle), radius * np.sin(angle)], axis=1)[:: rng.choice([-1, 1])]
        if not shapely.Polygon(ring).is_valid:
            return
        rings.append(ring)
    old = shapely.union_all([shapely.Polygon(ring) for ring in rings])
    taken = shapely.LineString([(-500, 230), (count * 700, 230)]).buffer(10)
    made = reduced(rings, taken, most, 1.0)
    if made is None:
        return
    polygons = [shapely.Polygon(ring) for ring in made]
    assert all(p.is_valid for p in polygons)
    assert sum(map(len, made)) <= most
    assert old.difference(shapely.union_all(polygons).buffer(1e-6)).area < 1e-6
    assert not any(p.intersects(taken) for p in polygons)


def test_one_zone_beside_open_country_always_fits():
    circle = np.array(shapely.Point(0, 0).buffer(300, quad_segs=64).exterior.coords)[:-1]
    (ring,) = reduced([circle], shapely.Point(0, 5000), 3, 0.0)
    assert len(ring) == 3
    assert reduced([circle, circle + 1000], shapely.Point(0, 50_000), 3, 0.0) is not None


def test_what_lies_in_a_bay_keeps_the_bay_open():
    bay = np.array([(0, 0), (100, 0), (100, 100), (60, 100), (60, 20), (40, 20), (40, 100), (0, 100)], dtype=float)
    (ring,) = reduced([bay], shapely.Point(50, 60), 8, 30.0)
    assert not shapely.Polygon(ring).intersects(shapely.Point(50, 60))
    assert reduced([bay], shapely.LineString([(50, 60), (50, 300)]), 3, 0.0) is None


# --- rally points ----------------------------------------------------------------------------------------------------


def site(name, east, north):
    return LandingSite(name, LAT + north / M_LAT, LON + east / M_LON)


def rally_of(made, sites, zones=()):
    there = replace(made, airspace=Airspace(tuple(zones), tuple(sites)))
    return [
        [tuple(p) for p in metres([(r.y / 1e7, r.x / 1e7) for r in compile_mission(there, s).rally])]
        for s in there.sorties
    ]


def near(points, east, north):
    return any(math.dist(p, (east, north)) < 1 for p in points)


def test_landing_sites_in_the_fence_are_rallied_at():
    border = straight(6000)
    made = plan(border, fleet_for(border, 1), FlatTerrain(500.0))
    (points, *_) = rally_of(made, [site("field", 2000, 500), site("far", 2000, 9000), site("line", 2000, 40)])
    assert near(points, 2000, 500)
    assert not near(points, 2000, 9000)
    # Inside the fence, which lies half the stand-off behind the border, but nearer than the stand-off.
    assert not near(points, 2000, 40)


def test_no_more_rally_points_than_are_stored():
    border = straight(9000)
    made = plan(border, fleet_for(border, 1))
    for points in rally_of(made, [site(f"s{k}", 500 + 400 * k, 400) for k in range(20)]):
        assert len(points) == 6


def test_a_site_in_an_exclusion_or_behind_a_zone_is_left_out():
    border = straight(6000)
    made = plan(border, fleet_for(border, 1), options=PlanOptions())
    hill = zone("hill", 3000, 600, 200, 20)
    sites = [site("on it", 3000, 600), site("behind it", 3000, 900), site("free", 4500, 400)]
    (points, *_) = rally_of(made, sites, [hill])
    assert not near(points, 3000, 600)
    # Nearest from the patrol before the hill, and the straight way there would lead through it.
    assert not near(points, 3000, 900)
    assert near(points, 4500, 400)
    (points, *_) = rally_of(made, sites)
    assert near(points, 3000, 900)


# --- files -----------------------------------------------------------------------------------------------------------

e7 = st.tuples(st.integers(-899_999_999, 899_999_999), st.integers(-1_799_999_999, 1_799_999_999))
polygons = st.tuples(st.sampled_from([5001, 5002]), st.lists(e7, min_size=3, max_size=9))
circles = st.tuples(st.sampled_from([5003, 5004]), e7, st.floats(0.5, 1e5))


@given(some=st.lists(polygons, max_size=5), round_ones=st.lists(circles, max_size=3))
def test_any_fence_comes_back_from_a_qgc_plan(tmp_path_factory, some, round_ones):
    items = []
    for command, vertices in some:
        items += [MissionItem(0, 0, command, p1=float(len(vertices)), x=x, y=y) for x, y in vertices]
    items += [MissionItem(0, 0, command, p1=radius, x=x, y=y) for command, (x, y), radius in round_ones]
    fence = tuple(replace(item, seq=n) for n, item in enumerate(items))
    mission = Mission("any", "px4", (MissionItem(0, 6, 22, x=1, y=2, z=30.0),), fence, ())
    path = tmp_path_factory.mktemp("qgc") / "any.plan"
    write_qgc_plan(mission, path)
    assert read_qgc_plan(path) == mission


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([MissionItem(0, 0, 5001, p1=2.0), MissionItem(1, 0, 5001, p1=2.0)], "fewer than 3"),
        ([MissionItem(n, 0, 5001 + (n == 2), p1=3.0) for n in range(3)], "3 vertices has not"),
        ([MissionItem(n, 0, 5002, p1=4.0) for n in range(3)], "4 vertices has not"),
        ([MissionItem(0, 0, 5002, p1=math.nan)], "nan vertices"),
        ([MissionItem(0, 0, 5003)], "radius 0"),
        ([MissionItem(0, 0, 5000)], "command 5000"),
    ],
)
def test_a_fence_that_is_not_whole_is_not_written(tmp_path, items, words):
    mission = Mission("any", "px4", (MissionItem(0, 6, 22, x=1, y=2, z=30.0),), tuple(items), ())
    with pytest.raises(MissionError, match=words):
        write_qgc_plan(mission, tmp_path / "any.plan")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("fence", "words"),
    [
        ({"polygons": [{"inclusion": "false", "polygon": [[1, 2], [3, 4], [5, 6]]}]}, "'false', not true or false"),
        ({"polygons": [{"inclusion": False, "polygon": [[1, 2], [3, 4]]}]}, "fewer than 3"),
        ({"polygons": [{"inclusion": False, "polygon": []}]}, "without vertices"),
        ({"polygons": [{"polygon": [[1, 2], [3, 4], [5, 6]]}]}, "inclusion"),
        ({"circles": [{"inclusion": False, "circle": {"center": [1, 2], "radius": -3}}]}, "radius -3"),
        ({"breachReturn": [1, 2, 3]}, "breach return point"),
    ],
)
def test_a_fence_that_is_not_understood_is_refused(tmp_path, fence, words):
    mission = Mission("any", "px4", (MissionItem(0, 6, 22, x=1, y=2, z=30.0),), (), ())
    path = tmp_path / "any.plan"
    write_qgc_plan(mission, path)
    value = json.loads(path.read_text())
    path.write_text(json.dumps(value | {"geoFence": value["geoFence"] | fence}))
    with pytest.raises(FormatError, match=words):
        read_qgc_plan(path)


def test_scaled_zones_stay_zones():
    """The oracle of this file: a zone in metres is the zone in degrees."""
    one = zone("z", 100, 200, 50, 8)
    degrees = shapely.Polygon(one.rings[0])
    assert scale(degrees, M_LON, M_LAT).area == pytest.approx(area(one).area, rel=1e-9)


# --- anywhere on the globe --------------------------------------------------------------------------------------------


@SLOW
@given(
    lat=st.floats(-65, 65),
    lon=st.floats(-180, 180),
    away=st.tuples(st.floats(-20_000, 20_000), st.floats(-20_000, 20_000)),
)
def test_a_chart_measures_about_its_place_and_comes_back(lat, lon, away):
    chart = Chart(lat, lon)
    there = chart.lat_lon(away)
    assert abs(there[1]) <= 180
    assert chart.xy(*there) == pytest.approx(np.array(away), abs=1e-4)
    # tan(latitude) of 65 degrees times 20 km over the radius of the earth, at most.
    assert geodesic_distance_m(lat, lon, *there) == pytest.approx(math.hypot(*away), rel=0.007, abs=1e-3)


@pytest.mark.parametrize("lat", [-46.0, 65.0])
def test_a_fence_over_the_antimeridian(lat):
    line = tuple(((180 + k * 0.02 + 180) % 360 - 180, lat) for k in range(-3, 4))
    border = BorderSegment("date line", "AAA", "BBB", line, "left")
    base = base_beside(border, 1500.0)
    ring = [geodesic_destination(lat + 0.007, 180.0, azimuth, 200.0) for azimuth in range(0, 360, 20)]
    lake = Zone("lake", (tuple((o, a) for a, o in ring),))
    made = plan(border, default_fleet(base, 1), airspace=Airspace((lake,)))
    compiled = [compile_mission(made, sortie) for sortie in made.sorties]
    assert validate_missions(made, compiled).violations == []
    assert any(item.command == 5002 for mission in compiled for item in mission.fence)
    # Flat degrees, laid over the antimeridian: the lake is in what is kept out of.
    flat = [
        shapely.Polygon([((v.y / 1e7) % 360, v.x / 1e7) for v in mission.fence if v.command == 5002])
        for mission in compiled
    ]
    assert all(one.is_empty or one.contains(shapely.Polygon([(o % 360, a) for a, o in ring])) for one in flat)


def test_a_fence_round_an_enclave():
    angles = np.linspace(0, 2 * math.pi, 49)
    border = border_from_metres([(3000 * math.cos(a), 3000 * math.sin(a)) for a in angles], "left")
    base = Base("base", LAT + 500 / M_LAT, LON)
    zones = (zone("school", 1400, -900, 150, 16),)
    made = plan(border, default_fleet(base, 2), airspace=Airspace(zones))
    compiled = [compile_mission(made, sortie) for sortie in made.sorties]
    assert validate_missions(made, compiled).violations == []


@pytest.mark.parametrize("lat", [31.0, 60.0])
def test_a_long_leg_is_held_whether_flown_straight_in_degrees_or_on_the_ground(lat):
    border = BorderSegment("parallel", "AAA", "BBB", ((8.0, lat), (8.04, lat)), "left")
    base = Base("base", *geodesic_destination(lat + 0.004, 8.02, 90.0, 14_000.0))
    made = plan(border, default_fleet(base, 1))
    sortie = made.sorties[0]
    assert max(leg.distance_m for leg in sortie.legs) > 10_000
    degrees = shapely.Polygon([(v.y / 1e7, v.x / 1e7) for v in compile_mission(made, sortie).fence])
    geod = Geod(ellps="WGS84")
    for leg in sortie.legs:
        a, b = (leg.start.lon_deg, leg.start.lat_deg), (leg.end.lon_deg, leg.end.lat_deg)
        assert degrees.contains(shapely.LineString([a, b])) or a == b
        if leg.distance_m > 0:
            assert shapely.contains_xy(degrees, np.array(geod.npts(*a, *b, 50))).all()


@given(
    # To the micrometre: with coordinates of 1e-281 it is the covering itself that GEOS cannot tell.
    points=st.lists(st.tuples(*[st.floats(-1e4, 1e4).map(lambda v: round(v, 6))] * 2), min_size=1, max_size=40),
    hair=st.integers(-1000, 1000).map(lambda n: n * 1e-12),
)
def test_a_hull_holds_points_a_hair_apart(points, hair):
    both = np.array([*points, *((x + hair, y - hair) for x, y in points)])
    assert convex_hull(both).buffer(1e-3).covers(shapely.MultiPoint(both))


def test_an_enclave_that_is_flown_round_is_fenced_out():
    """A ring of 600 m radius: one sortie sees all of it and comes back to where it began."""
    angle = np.linspace(0, 2 * np.pi, 25)
    ring = tuple((LON + 600 * np.cos(a) / M_LON, LAT + 600 * np.sin(a) / M_LAT) for a in angle[:-1])
    border = replace(straight(1000), coordinates=(*ring, ring[0]), own_side=Side.RIGHT)
    made = plan(border, default_fleet(Base("base", LAT - 1500 / M_LAT, LON), 1))
    [sortie] = made.sorties
    inclusion, enclave = sortie_fence(made, sortie)
    assert inclusion.inclusion
    assert not enclave.inclusion
    outer, inner = (
        shapely.Polygon([((lon - LON) * M_LON, (lat - LAT) * M_LAT) for lat, lon in part.vertices])
        for part in (inclusion, enclave)
    )
    # Half the stand-off and more around the border is kept out of, and all of it lies within the fence.
    assert inner.contains(shapely.Point(0, 0).buffer(600 + border.stand_off_m / 2 - 2))
    assert outer.contains(inner)
    compiled = [compile_mission(made, sortie, dialect) for dialect in ("ardupilot", "px4")]
    for mission in compiled:
        assert validate_missions(made, [mission]).violations == []
    without = replace(compiled[0], fence=tuple(v for v in compiled[0].fence if v.command == 5001))
    assert any("of the border" in sentence for sentence in validate_missions(made, [without]).violations)
