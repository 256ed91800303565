"""Places beside a polyline against shapely."""

import time

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geo import CoordinateError, LocalFrame, densify, geodesic_distance_m, locate
from geo.polyline import unwrap_longitudes, wrap_longitudes

points = st.tuples(st.floats(-500, 500), st.floats(-500, 500))
lines = st.lists(st.tuples(st.integers(-300, 300), st.integers(-300, 300)), min_size=2, max_size=8, unique=True)


@given(lines, points)
def test_distance_and_station_are_shapelys(line, point):
    oracle = shapely.LineString(line)
    place = locate(line, [point])
    assert abs(place.offset_m[0]) == pytest.approx(oracle.distance(shapely.Point(point)), abs=1e-6)
    there = oracle.interpolate(float(place.along_m[0]))
    assert there.distance(shapely.Point(point)) == pytest.approx(abs(place.offset_m[0]), abs=1e-6)


@given(st.lists(points, min_size=3, max_size=9), points)
def test_side_of_a_convex_ring_is_inside_or_outside(ring, point):
    hull = shapely.MultiPoint(ring).convex_hull
    assume(hull.geom_type == "Polygon" and hull.area > 100)
    hull = shapely.geometry.polygon.orient(hull)  # counter-clockwise: inside is left
    corner = np.asarray(hull.exterior.coords)
    assume(np.hypot(*np.diff(corner, axis=0).T).min() > 1)
    # The ring is opened in the middle of an edge, so that its ends are no corner.
    middle = (corner[0] + corner[1]) / 2
    line = np.vstack([middle, corner[1:], middle])
    assume(hull.exterior.distance(shapely.Point(point)) > 1e-6)
    place = locate(line, [point])
    if not place.beyond[0]:
        assert (place.offset_m[0] > 0) == hull.contains(shapely.Point(point))


@pytest.mark.parametrize(
    ("point", "left"),
    [((3, 0.05), True), ((3, 0.5), False), ((12, 0), False), ((3, -1), False), ((-1, 0.1), True)],
)
def test_wedge_of_a_sharp_corner_keeps_its_side(point, left):
    # A hairpin that opens to the west: what lies between its arms is left of it, all the rest right.
    line = [(-100, -1 / 2), (10, 0), (-100, 2)]
    assert (locate(line, [point]).offset_m[0] > 0) == left


def test_past_the_ends_is_beyond():
    place = locate([(0, 0), (10, 0)], [(-1, 5), (5, 5), (11, -5)])
    assert place.beyond.tolist() == [True, False, True]


def test_line_without_length_is_refused():
    with pytest.raises(CoordinateError, match="no length"):
        locate([(1, 1), (1, 1)], [(0, 0)])


degrees = st.floats(-0.6, 0.6).map(lambda value: round(value, 9))
corners = st.lists(st.tuples(degrees, degrees), min_size=2, max_size=6)


@given(st.floats(-70, 70), corners, st.floats(200, 5000))
def test_added_points_are_on_the_line_in_degrees_and_close(lat, corner, step_m):
    vertices = np.array(corner) + np.array([lat, 10.0])
    dense = np.stack(densify(*vertices.T, step_m), axis=-1)
    rows = iter(dense.tolist())
    assert all(any(row == vertex for row in rows) for vertex in vertices.tolist())  # all there, in order
    line = shapely.LineString(vertices)
    assert shapely.distance(line, shapely.points(dense)).max() < 1e-12
    steps = geodesic_distance_m(dense[:-1, 0], dense[:-1, 1], dense[1:, 0], dense[1:, 1])
    assert steps.max() < step_m * 1.06


@pytest.mark.parametrize("share", [0.5, 0.4875])
def test_a_long_edge_keeps_its_course_in_metres(share):
    """20 km along a parallel, at a point that is added and in the middle between two that are."""
    ends = np.array([[31.333, -111.045], [31.333, -110.835]])
    frame = LocalFrame(31.333, -110.94)
    on_edge = ends[0] + share * (ends[1] - ends[0])
    (point,) = np.stack(frame.to_enu(*on_edge), axis=-1)[None, :2]
    bent, straight = (np.stack(frame.to_enu(*line)[:2], axis=-1) for line in (densify(*ends.T), ends.T))
    assert abs(locate(bent, point).offset_m[0]) < 0.01
    assert abs(locate(straight, point).offset_m[0]) > 4.5


def test_a_short_edge_and_a_repeated_vertex_stay_as_they_are():
    lat, lon = densify([31.0, 31.001, 31.001], [-110.0, -110.0, -110.0])
    assert (lat.tolist(), lon.tolist()) == ([31.0, 31.001, 31.001], [-110.0, -110.0, -110.0])


@settings(deadline=None)
@given(st.integers(0, 2**31), st.booleans())
def test_the_tree_and_the_trial_of_all_edges_agree(seed, closed):
    """As many points as make `locate` plant a tree, against the same points one by one."""
    rng = np.random.default_rng(seed)
    # Twelve tangles side by side.
    line = (
        (rng.integers(-20, 20, (12, 60, 2)) + 50 * np.arange(12)[:, None, None] * [1, 0]).reshape(-1, 2).astype(float)
    )
    if closed:
        line = np.vstack([line, line[0]])
    beside = rng.integers([-25, -25], [575, 25], (150, 2)).astype(float)  # a grid, so that edges are often equally near
    together = locate(line, beside)
    apart = [locate(line, point) for point in beside]
    away = shapely.distance(
        shapely.points(beside)[:, None], shapely.linestrings(np.stack([line[:-1], line[1:]], axis=1))
    )
    for found in (together.offset_m, [one.offset_m[0] for one in apart]):
        assert np.abs(found) == pytest.approx(away.min(axis=1), abs=1e-9)
    # Of edges that are equally near rounding may choose either.
    one_edge = np.flatnonzero((away <= away.min(axis=1, keepdims=True) + 1e-9).sum(axis=1) == 1)
    for field in ("along_m", "offset_m", "beyond"):
        assert getattr(together, field)[one_edge].tolist() == [getattr(apart[k], field)[0] for k in one_edge]


@given(st.lists(points, min_size=3, max_size=9), points)
def test_side_of_a_ring_opened_at_a_corner_is_inside_or_outside(ring, point):
    hull = shapely.MultiPoint(ring).convex_hull
    assume(hull.geom_type == "Polygon" and hull.area > 100)
    hull = shapely.geometry.polygon.orient(hull)
    assume(hull.exterior.distance(shapely.Point(point)) > 1e-6)
    place = locate(hull.exterior.coords, [point])
    assert not place.beyond[0]
    assert (place.offset_m[0] > 0) == hull.contains(shapely.Point(point))


def test_twenty_thousand_points_beside_fifty_thousand_vertices():
    rng = np.random.default_rng(7)
    line = np.cumsum(rng.normal(size=(50_000, 2)) * [20, 60] + [60, 0], axis=0)
    beside = line[rng.integers(0, len(line), 20_000)] + rng.normal(size=(20_000, 2)) * 200
    begin = time.process_time()
    place = locate(line, beside)
    assert time.process_time() - begin < 5  # trying all pairs takes minutes
    oracle = shapely.distance(shapely.LineString(line), shapely.points(beside[:200]))
    assert np.abs(np.abs(place.offset_m[:200]) - oracle).max() < 1e-6


def test_longitudes_unwrap_the_short_way_and_wrap_back():
    assert unwrap_longitudes([179.9, -179.9, 179.8]).tolist() == pytest.approx([179.9, 180.1, 179.8])
    assert unwrap_longitudes([-179.9, 179.9]).tolist() == pytest.approx([-179.9, -180.1])
    assert wrap_longitudes([180.0, -180.0, 180.5, -540.25, 10.1]).tolist() == [180.0, -180.0, -179.5, 179.75, 10.1]


def test_an_edge_over_the_antimeridian_is_filled_the_short_way():
    lat, lon = densify([10.0, 10.2, 10.2], [179.9, -179.9, -179.8], 1000.0)
    assert np.all(np.abs(lon) <= 180)
    assert {179.9, -179.9, -179.8} <= set(lon.tolist())
    assert geodesic_distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:]).max() < 1060
    moved = densify([10.0, 10.2, 10.2], [-0.1, 0.1, 0.2], 1000.0)
    assert moved[0] == pytest.approx(lat)
    assert moved[1] == pytest.approx(np.where(lon > 0, lon - 180, lon + 180), abs=1e-9)
