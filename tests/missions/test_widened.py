"""What is within a distance of a line whose vertices stand close, and plans beside such lines."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from missions import Side, plan
from missions.flightline import flight_line
from missions.widened import EXCESS_M, is_dense, widened

from .helpers import border_from_metres, fleet_for, metres, way


def track(count, step_m=1.0, noise_m=0.3, seed=0):
    """A track of a receiver, metres: it goes on steadily, bends, and jitters."""
    rng = np.random.default_rng(seed)
    heading = np.cumsum(rng.normal(0, 0.02, count))
    steps = step_m * np.column_stack([np.cos(heading), np.sin(heading)])
    return np.cumsum(steps, axis=0) + rng.normal(0, noise_m, (count, 2))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 600), st.floats(0.3, 3.0), st.floats(0.0, 1.0), st.floats(5.0, 120.0))
def test_it_holds_all_within_the_distance_and_little_more(seed, count, step_m, noise_m, by_m):
    line = shapely.LineString(track(count, step_m, noise_m, seed))
    found = widened(line, by_m)
    outline = shapely.get_coordinates(shapely.segmentize(found.boundary, 1.0))
    away = shapely.distance(line, shapely.points(outline))
    # GEOS draws arcs as chords and leaves out dents of the line of up to a hundredth of the distance.
    assert away.min() >= by_m * (1 - 0.0012) - 0.01 * by_m
    assert away.max() <= by_m + EXCESS_M + 0.002 * by_m
    rng = np.random.default_rng(seed)
    low, high = np.array(found.bounds).reshape(2, 2)
    points = shapely.points(rng.uniform(low, high, (400, 2)))
    inside, distance = shapely.contains(found, points), shapely.distance(line, points)
    assert inside[distance < 0.985 * by_m].all()
    assert not inside[distance > by_m + EXCESS_M + 0.002 * by_m].any()


def test_several_lines_rings_and_single_edges_are_widened_as_one():
    ring = track(300, seed=3)
    ring = np.vstack([ring, ring[:1]])
    many = shapely.MultiLineString([track(200), ring, [(500, 500), (501, 500)]])
    assert is_dense(many, 40.0)
    found, plain = widened(many, 40.0), shapely.buffer(many, 40.0, quad_segs=16)
    assert shapely.symmetric_difference(found, plain).area < 0.006 * plain.area


@pytest.mark.parametrize(
    "shape",
    [
        shapely.LineString([(0, 0), (100, 0), (200, 50)]),
        shapely.Point(3, 4),
        shapely.box(0, 0, 1, 1),
        shapely.LineString(),
        shapely.GeometryCollection([shapely.Point(900, 900), shapely.LineString(track(50))]),
    ],
)
def test_of_anything_else_it_is_the_plain_buffer(shape):
    assert not is_dense(shape, 50.0)
    assert widened(shape, 50.0).equals_exact(shapely.buffer(shape, 50.0, quad_segs=16))


@pytest.mark.parametrize("turn_radius_m", [0.0, 40.0])
def test_a_flight_line_keeps_its_distance_from_every_vertex_of_a_track(turn_radius_m):
    line = track(3000, seed=5)
    border = shapely.LineString(line)
    found = flight_line(line, Side.LEFT, 90.0, turn_radius_m)
    path = shapely.LineString(found.points)
    assert shapely.distance(path, border) >= 90.0 - 2.0
    # It begins and ends opposite the ends of the border, and leaves nothing of it out.
    for place in line[:: len(line) // 50]:
        assert shapely.distance(path, shapely.Point(place)) < 90.0 * 1.6 + turn_radius_m
    for end, tip in ((line[0], path.coords[0]), (line[-1], path.coords[-1])):
        assert np.hypot(*np.subtract(end, tip)) < 130.0


def test_a_plan_beside_a_track_keeps_the_stand_off_from_the_true_line_and_sees_all_of_it():
    line = track(4000, seed=8)
    line = np.vstack([line[0] - [1.0, 0.0], line])
    border = border_from_metres(line, "left")
    made = plan(border, fleet_for(border, 2))
    assert made.coverage.share > 0.999
    true = shapely.LineString(metres(border.coordinates))
    assert min(shapely.distance(way(sortie), true) for sortie in made.sorties) >= border.stand_off_m


def test_a_line_of_fifty_thousand_vertices_is_planned_whole():
    """Vertices a metre apart, and what a line of that many may have besides: one twice, and a piece that runs back."""
    rng = np.random.default_rng(8)
    east = np.arange(50_000.0)
    line = np.column_stack([east, 800.0 * np.sin(east / 3000.0) + rng.normal(0.0, 0.3, len(east))])
    line = np.vstack([line[:25_000], line[24_999], line[24_998:24_989:-1], line[24_991:]])
    border = border_from_metres(line, "left")
    assert len(border.coordinates) > 49_000
    made = plan(border, fleet_for(border, 2))
    assert made.coverage.share > 0.99
    true = shapely.LineString(metres(border.coordinates))
    shapely.prepare(true)
    assert min(shapely.distance(way(sortie), true) for sortie in made.sorties) >= border.stand_off_m


def test_what_geos_draws_grows_with_the_vertices_alone(monkeypatch):
    """It takes long for a wide buffer of a long dense line, more than ten times as long for ten times of it.

    Counted is what it is asked to widen, because a clock tells the pace of the machine too: pieces short enough, each
    of few vertices, of ten times the line about ten times as many.
    """
    by_m = 90.0
    asked = []
    buffer = shapely.buffer

    def counting(shape, *args, **kwargs):
        asked.extend(np.atleast_1d(shape))
        return buffer(shape, *args, **kwargs)

    monkeypatch.setattr("missions.widened.shapely.buffer", counting)
    line = track(20_000, seed=2)
    counts = []
    for part in (line[:2000], line):
        asked.clear()
        widened(shapely.LineString(part), by_m)
        assert shapely.minimum_bounding_radius(asked).max() * 2 <= math.sqrt(8 * by_m * EXCESS_M) + 1e-6
        assert shapely.get_num_coordinates(asked).max() < 50
        assert shapely.get_num_coordinates(asked).sum() < 2 * len(part)
        counts.append(len(asked))
    assert 9 < counts[1] / counts[0] < 11
