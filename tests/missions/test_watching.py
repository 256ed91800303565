"""What cameras see: the closed form beside pictures taken one by one along the way."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo import Altitude, CameraModel, CameraPose, Datum, FlatTerrain, GridTerrain, LocalFrame
from missions import Camera, Leg, LegKind, Waypoint
from missions.plane import Plane
from missions.views import Watch, views_of
from missions.watching import Sight, seen_from
from tests.asked import asked
from tests.missions.helpers import LAT, LON

SLOW = settings(max_examples=asked(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
PLANE = Plane.at(LAT, LON)
GROUND_M = 300.0
FLAT = FlatTerrain(GROUND_M)


def legs(points, heights):
    lat, lon = PLANE.lat_lon(np.array(points, dtype=float))
    places = [Waypoint.above(float(a), float(o), h, GROUND_M) for a, o, h in zip(lat, lon, heights, strict=True)]
    return [
        Leg(LegKind.PATROL, a, b, 10.0, float(math.dist(p, q)), 1.0, 1.0)
        for (a, b), (p, q) in zip(pairwise(places), pairwise(points), strict=True)
    ]


def pictures(points, height_m, climb_m, side, camera, pitch_deg, places, edge_px=-0.5):
    """Finest GSD of each place over pictures every half metre and half degree; NaN for a place that is on none.

    Pictures end so many pixels within their edge: places on the edge itself are on them or not.
    """
    frame = LocalFrame(LAT, LON, 0.0)
    target = np.stack(frame.to_enu(*PLANE.lat_lon(places), GROUND_M), axis=-1)
    best = np.full(len(places), np.nan)
    poses, before = [], None
    for number, ends in enumerate(pairwise(points)):
        start, step = np.array(ends[0]), np.subtract(ends[1], ends[0])
        yaw = math.degrees(math.atan2(*step)) - 90.0 * side
        base = height_m + climb_m * number
        if before is not None:
            turn = (yaw - before + 180) % 360 - 180
            poses += [(start, base, before + turn * t) for t in np.linspace(0, 1, max(2, int(abs(turn) * 2)))]
        count = int(math.hypot(*step) * 2) + 2
        poses += [(start + t * step, base + t * climb_m, yaw) for t in np.linspace(0, 1, count)]
        before = yaw
    for at, height, yaw in poses:
        lat, lon = PLANE.lat_lon(at)
        pose = CameraPose(float(lat), float(lon), Altitude(GROUND_M + height, Datum.AMSL), yaw, pitch_deg)
        eye = np.array(frame.to_enu(float(lat), float(lon), GROUND_M + height))
        body = (target - eye) @ pose.rotation_enu_from_camera()
        inside = camera.model.contains(camera.model.project(body), edge_px)
        best = np.fmin(best, np.where(inside, body[:, 2] / camera.model.focal_px, np.nan))
    return best


def case(seed, bends, climb_m):
    rng = np.random.default_rng(seed)
    camera = Camera("camera", CameraModel(640, 512, 1125.0), max_gsd_m=float(rng.uniform(0.08, 0.2)))
    course, points = 0.0, [(0.0, 0.0)]
    for _ in range(bends + 1):
        length = float(rng.uniform(60, 200))
        points.append((points[-1][0] + length * math.cos(course), points[-1][1] + length * math.sin(course)))
        course += float(rng.uniform(-1.8, 1.8))
    height = float(rng.uniform(50, 110))
    heights = [height + climb_m * k for k in range(len(points))]
    return camera, points, heights, rng.uniform(-250, 450, (1500, 2))


SIDES, PITCHES = st.sampled_from([1.0, -1.0]), st.floats(-90, -25)


def both_ways(places, points, heights, climb_m, side, camera, pitch, edge_px=-0.5):
    watch = Watch(legs(points, heights), [side] * (len(points) - 1), camera, pitch, camera.max_gsd_m)
    seen = seen_from(views_of([watch]), PLANE, places, FLAT)
    return seen, pictures(points, heights[0], climb_m, side, camera, pitch, places, edge_px)


@SLOW
@given(seed=st.integers(0, 10_000), side=SIDES, pitch=PITCHES)
def test_along_a_level_leg_exactly_what_is_in_a_picture_is_seen(seed, side, pitch):
    camera, points, heights, places = case(seed, 0, 0.0)
    seen, truth = both_ways(places, points, heights, 0.0, side, camera, pitch)
    ours = seen.sight == Sight.SEEN
    _, surely = both_ways(places, points, heights, 0.0, side, camera, pitch, 0.5)
    assert not np.any((surely <= camera.max_gsd_m * 0.995) & ~ours)
    both = ours & np.isfinite(truth)
    assert both.sum() >= 0.97 * ours.sum() - 3
    assert seen.gsd_m[both] == pytest.approx(truth[both], rel=0.01)


@SLOW
@given(seed=st.integers(0, 10_000), side=SIDES, pitch=PITCHES, climb=st.floats(-25, 25), bends=st.integers(0, 3))
def test_in_climbs_and_turns_nothing_is_claimed_that_no_picture_shows(seed, side, pitch, climb, bends):
    """A place is judged from abeam, or in the middle column of a turn; what other moments add is not claimed."""
    camera, points, heights, places = case(seed, bends, climb)
    seen, truth = both_ways(places, points, heights, climb, side, camera, pitch)
    ours = seen.sight == Sight.SEEN
    both = ours & np.isfinite(truth)
    assert both.sum() >= 0.97 * ours.sum() - 3
    assert np.all(seen.gsd_m[both] >= truth[both] * 0.98)


def test_each_reason_is_told_apart():
    camera = Camera("camera", CameraModel(640, 512, 1125.0))
    way = legs([(0, 0), (400, 0)], [80.0, 80.0])
    views = views_of([Watch(way, [1.0], camera, -45.0, 0.3)])
    places = {(200, 80): Sight.SEEN, (200, 20): Sight.TOO_NEAR, (200, 160): Sight.TOO_FAR, (460, 80): Sight.BESIDE}
    seen = seen_from(views, PLANE, np.array(list(places), dtype=float), FLAT)
    assert [Sight(s) for s in seen.sight] == list(places.values())
    coarse = seen_from(views_of([Watch(way, [1.0], camera, -45.0, 0.09)]), PLANE, np.array([(200.0, 80.0)]), FLAT)
    assert Sight(coarse.sight[0]) is Sight.TOO_COARSE
    # 80 m up and 80 m across at 45 degrees: the depth is 113.1 m.
    assert coarse.gsd_m[0] == pytest.approx(80 * math.sqrt(2) / 1125)


def test_places_behind_a_wall_are_hidden_and_those_before_it_are_not():
    """A wall 60 m high, 40 to 60 m beside the way: what it hides follows from similar triangles."""
    step_m = 5.0
    step = step_m / 111_132.0
    rows = cols = 161
    north_m = (rows // 2 - np.arange(rows)) * step_m
    wall = np.where((north_m >= 40) & (north_m <= 60), 60.0, 0.0)
    heights = GROUND_M + np.repeat(wall[:, None], cols, axis=1)
    terrain = GridTerrain(heights, LAT + rows // 2 * step, LON - cols // 2 * step, step)
    camera = Camera("camera", CameraModel(640, 1600, 700.0), max_gsd_m=1.0)
    way = legs([(-100, 0), (100, 0)], [100.0, 100.0])
    views = views_of([Watch(way, [1.0], camera, -45.0, 1.0)])
    # From 100 m up over the far edge of the wall, 60 m away and 60 m high, the line meets 1 m above ground at 148 m.
    across = np.arange(65, 220, 2.5)
    seen = seen_from(views, PLANE, np.column_stack([np.zeros_like(across), across]), terrain)
    edge = 60 + 59 * 60 / 40
    assert np.all(seen.sight[across < edge - 12] == Sight.HIDDEN)
    assert np.all(seen.sight[across > edge + 12] == Sight.SEEN)
    before = seen_from(views, PLANE, np.array([[0.0, 20.0], [0.0, 30.0]]), terrain)
    assert np.all(before.sight == Sight.SEEN)


def test_a_place_below_the_flight_is_seen_coarser_than_one_at_its_foot():
    slope = 0.3
    step = 10.0 / 111_132.0
    north_m = (80 - np.arange(161)) * 10.0
    terrain = GridTerrain(
        GROUND_M - slope * np.repeat(north_m[:, None], 161, axis=1), LAT + 80 * step, LON - 80 * step, step
    )
    camera = Camera("camera", CameraModel(640, 1600, 1125.0), max_gsd_m=1.0)
    seen = seen_from(
        views_of([Watch(legs([(-50, 0), (50, 0)], [80.0, 80.0]), [1.0], camera, -60.0, 1.0)]),
        PLANE, np.array([[0.0, 60.0]]), terrain,
    )  # fmt: skip
    p = math.radians(60)
    assert seen.gsd_m[0] == pytest.approx((60 * math.cos(p) + (80 + 18) * math.sin(p)) / 1125, rel=1e-3)
