"""Outlines between what must stay in and what must stay out, with as few vertices as can be."""

from itertools import pairwise

import numpy as np
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from missions.fence_outline import fewest, plainer, straightened
from tests.asked import asked


@st.composite
def corridors(draw):
    """A winding line, a corridor round it, and the ring through its middle: what is shut lies on both sides."""
    count, seed = draw(st.integers(3, 14)), draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    way = np.column_stack([np.cumsum(rng.uniform(60, 300, count)), rng.uniform(-150, 150, count)])
    wide = draw(st.floats(60, 120))
    half = draw(st.floats(2, 20))
    line = shapely.LineString(way)
    ring = np.array(line.buffer(wide, quad_segs=16).exterior.coords)[:-1]
    inside, outside = line.buffer(wide - half), shapely.box(-2000, -2000, 8000, 2000) - line.buffer(wide + half)
    return ring, shapely.union(inside, outside), inside


@settings(max_examples=40)
@given(corridors())
def test_it_goes_round_the_inside_touches_nothing_and_is_never_longer(corridor):
    ring, taken, inside = corridor
    quick, best = straightened(ring, taken), fewest(ring, taken)
    assert 4 <= len(best) <= len(quick)
    polygon = shapely.Polygon(best)
    assert polygon.is_valid
    assert polygon.contains(inside)
    assert not shapely.intersects(taken, polygon.exterior)


def test_round_a_square_four_corners_do():
    square = shapely.box(0, 0, 1000, 1000)
    ring = np.array(square.buffer(50, quad_segs=16).exterior.coords)[:-1]
    taken = shapely.union(square, shapely.box(-500, -500, 1500, 1500) - square.buffer(110, join_style="mitre"))
    assert len(fewest(ring, taken)) <= 8


def test_along_many_small_bends_it_takes_a_third_fewer():
    """Between two walls 9 m apart that swing by 30 m every 150 m, as stand-off and legs do beside such a border."""
    x = np.arange(0.0, 5000.0, 3.0)
    line = np.column_stack([x, 30 * np.sin(2 * np.pi * x / 150)])
    ring = np.concatenate([line, [[5000.0, 800.0], [0.0, 800.0]]])
    low, high = (shapely.LineString(line[5:-5] + np.array([0.0, off])).buffer(0.1) for off in (-4.5, 4.5))
    taken = shapely.union(low, high)
    quick, best = straightened(ring, taken), fewest(ring, taken)
    assert len(best) <= 0.67 * len(quick)
    assert not shapely.intersects(taken, shapely.LinearRing(best))


@settings(max_examples=asked(30), deadline=None)
@given(inner=st.floats(100, 3000), wide=st.floats(2, 90), turn=st.floats(0, 7))
# A corner of the ring lies on an edge of the triangulation but for what rounding takes.
@example(inner=980.0, wide=69.0, turn=6.71484375)
def test_between_two_circles_it_is_the_polygon_of_the_textbook(inner, wide, turn):
    """A polygon between circles of radii r and R has at least pi / arccos(r / R) corners; ours begins anywhere."""

    def circle(radius, count=720):
        angle = turn + np.linspace(0, 2 * np.pi, count, endpoint=False)
        return radius * np.column_stack([np.cos(angle), np.sin(angle)])

    inside = shapely.Polygon(circle(inner))
    room = shapely.Polygon(circle(inner + wide))
    taken = shapely.union(inside, shapely.box(*room.bounds).buffer(500) - room)
    ring = circle(inner + wide / 2)
    best = fewest(ring, taken)
    least = np.pi / np.arccos(inner / (inner + wide))
    # The circles are drawn as chords, neither is touched, and it bends at gates alone, two for each of their corners.
    assert len(best) <= max(4, np.ceil(least * 1.03 * (1 + least / 720)) + 1)
    assert len(best) >= np.floor(least * 0.98)
    assert shapely.Polygon(best).contains(inside)
    assert not shapely.intersects(taken, shapely.LinearRing(best))


@settings(max_examples=30)
@given(corridors(), st.integers(3, 40))
def test_a_ring_of_needless_vertices_is_the_same_ring_with_fewer(corridor, more):
    ring, taken, inside = corridor
    closed = np.concatenate([ring, ring[:1]])
    dense = np.concatenate([np.linspace(a, b, more, endpoint=False) for a, b in pairwise(closed)])
    plain = plainer(dense, taken)
    assert len(plain) <= 0.6 * len(dense)
    assert shapely.hausdorff_distance(shapely.LinearRing(plain), shapely.LinearRing(ring)) < 0.06
    assert not shapely.intersects(taken, shapely.LinearRing(plain))
    assert shapely.Polygon(plain).contains(inside)


def test_a_ring_keeps_the_vertices_that_take_it_round_what_is_taken():
    ring = np.array([(0, 0), (50, -0.04), (100, 0), (100, 100), (0, 100)], dtype=float)
    assert len(plainer(ring, shapely.Point(50, 500))) == 4
    assert np.array_equal(plainer(ring, shapely.Point(50, 0.0)), ring)


def test_a_ring_round_nothing_stays_as_the_quick_way_has_it():
    ring = np.array(shapely.Point(0, 0).buffer(100).exterior.coords)[:-1]
    taken = shapely.box(-500, -500, 500, 500) - shapely.Point(0, 0).buffer(150)
    assert len(fewest(ring, taken)) == len(straightened(ring, taken)) == 4


def test_a_ring_that_touches_what_is_taken_stays_as_the_quick_way_has_it():
    ring = np.array([(0, 0), (100, 0), (100, 100), (50, 120), (0, 100)], dtype=float)
    taken = shapely.union(shapely.box(40, 40, 60, 60), shapely.Point(50, 120).buffer(1))
    assert np.array_equal(fewest(ring, taken), straightened(ring, taken))


def test_corners_of_a_ring_on_the_edges_between_triangles_count_once():
    """Rings of even corners beside walls of as many: every corner lies on an edge of the triangulation."""
    for corners in (8, 16, 64):
        angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
        unit = np.column_stack([np.cos(angle), np.sin(angle)])
        inside = shapely.Polygon(unit * 480)
        taken = shapely.union(inside, shapely.box(-700, -700, 700, 700) - shapely.Polygon(unit * 520))
        best = fewest(unit * 500, taken)
        assert shapely.Polygon(best).contains(inside)
        assert not shapely.intersects(taken, shapely.LinearRing(best))
