"""Ways between many points at once, against ways from one point and against what must not be touched."""

from itertools import combinations, pairwise

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra

from missions.routing import Router
from tests.asked import few


def _length(step):
    return np.hypot(*step.T)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), zones=st.integers(0, 5), points=st.integers(2, 6))
def test_ways_between_all_points_are_lawful_and_as_short_as_those_from_each(seed, zones, points):
    rng = np.random.default_rng(seed)
    obstacles = [
        shapely.box(x, y, x + w, y + h)
        for x, y, w, h in np.column_stack([rng.uniform(0, 4000, (zones, 2)), rng.uniform(100, 1500, (zones, 2))])
    ]
    blocked = shapely.union_all(obstacles)
    at = rng.uniform(-500, 5500, (points, 2))
    at = at[~shapely.intersects(blocked.buffer(5.0), shapely.points(at))]
    if len(at) < 2:
        return
    router = Router(obstacles)
    ways = router.between(at, _length)
    for k in range(len(at)):
        lengths, _ = router.ways(at[k], at)
        assert np.allclose(ways.cost[k], lengths, rtol=1e-5, atol=0.1)
        for j in range(len(at)):
            if j != k and np.isfinite(ways.cost[k, j]):
                way = ways.way(k, j)
                assert not shapely.LineString(way).intersects(blocked)
                assert np.array_equal(way[0], at[k])
                assert np.array_equal(way[-1], at[j])
                assert _length(np.diff(way, axis=0)).sum() == pytest.approx(ways.cost[k, j], abs=0.1)


@settings(max_examples=few(60), deadline=None)
@given(seed=st.integers(0, 10**6), zones=st.integers(1, 6))
def test_a_way_round_zones_is_as_short_as_the_best_of_a_whole_visibility_graph(seed, zones):
    """Every corner to every corner that it sees, tried by shapely alone; ways pass corners at a few metres."""
    rng = np.random.default_rng(seed)
    corners = np.column_stack([rng.uniform(0, 4000, (zones, 2)), rng.uniform(100, 1500, (zones, 2))])
    blocked = shapely.union_all([shapely.box(x, y, x + w, y + h) for x, y, w, h in corners])
    parts = shapely.get_parts(blocked)
    # Through a gap of a few metres one goes that touches its walls, and none that passes them.
    assume(all(a.distance(b) > 10 for a, b in combinations(parts, 2)))
    start, stop = rng.uniform(-500, 6000, (2, 2))
    assume(shapely.distance(blocked, shapely.points([start, stop])).min() > 10)
    nodes = np.vstack([start, stop, shapely.get_coordinates(blocked)])
    inside = blocked.buffer(-0.01, join_style="mitre")
    pairs = np.array(list(combinations(range(len(nodes)), 2)))
    pairs = pairs[~shapely.intersects(inside, shapely.linestrings(nodes[pairs]))]
    graph = np.zeros((len(nodes), len(nodes)))
    graph[tuple(pairs.T)] = np.hypot(*(nodes[pairs[:, 1]] - nodes[pairs[:, 0]]).T)
    lengths, before = dijkstra(graph, directed=False, indices=0, return_predecessors=True)
    assume(np.isfinite(lengths[1]))
    bends, node = 0, 1
    while (node := int(before[node])) > 0:
        bends += 1
    (length,), (way,) = Router(list(parts)).ways(start, stop[None])
    assert lengths[1] - 0.1 <= length <= lengths[1] + 8 * bends + 0.1
    assert not shapely.LineString(way).intersects(blocked)
    assert shapely.LineString(way).length == pytest.approx(length, abs=0.1)


def test_a_cost_that_depends_on_the_direction_does_so_both_ways():
    """Against the wind it takes longer; where it is too strong there is no way at all."""
    at = np.array([[0.0, 0.0], [1000.0, 0.0], [1000.0, 1000.0]])

    def cost(step):
        east = step[:, 0]
        return np.where(east > 0, np.inf, np.hypot(*step.T) / 10)

    ways = Router([]).between(at, cost)
    assert np.isinf(ways.cost[0, 1:]).all()
    assert ways.cost[1, 0] == pytest.approx(100, abs=0.01)
    assert ways.cost[1, 2] == pytest.approx(ways.cost[2, 1]) == pytest.approx(100, abs=0.01)


def test_a_rail_joins_what_no_straight_piece_does():
    """A flight line close beside a wall is lawful because it is known to be."""
    wall = shapely.box(0, -200, 4000, 0)
    line = np.array([[100.0, 0.0], [2000.0, 0.0], [3900.0, 0.0]])
    assert not np.isfinite(Router([wall], corners_of=[]).ways(line[0], line[2:])[0]).any()
    ways = Router([wall], corners_of=[], rails=[line]).between(line[[0, 2]], _length)
    assert ways.cost[0, 1] == pytest.approx(3800, abs=0.1)
    assert len(ways.way(0, 1)) >= 2


@settings(max_examples=few(30), deadline=None)
@given(seed=st.integers(0, 10**6), corners=st.integers(5, 12))
def test_a_ring_is_passed_by_the_nearer_side_wherever_it_begins(seed, corners):
    """A rail on the edge of what it goes round is its only way: by the outline's own length, either way round."""
    rng = np.random.default_rng(seed)
    angles = (np.arange(corners) + rng.uniform(-0.3, 0.3, corners)) * 2 * np.pi / corners
    around = shapely.MultiPoint(2000 * np.column_stack([np.cos(angles), np.sin(angles)])).convex_hull.exterior
    at = np.arange(0.0, around.length, 150.0)
    ring = shapely.get_coordinates(shapely.line_interpolate_point(around, np.unique([*at, *_vertices_m(around)])))
    begin = int(rng.integers(len(ring)))
    rail = np.vstack([ring[begin:], ring[: begin + 1]])
    within = shapely.Polygon(around).buffer(-0.001)
    router = Router([within], corners_of=[], rails=[rail])
    on_m = shapely.line_locate_point(around, shapely.points(ring))
    apart = np.abs(on_m[:, None] - on_m[None, :])
    along = np.minimum(apart, around.length - apart)
    out = ring[0] * 1.5
    straight = np.where(
        shapely.intersects(within, shapely.linestrings([(out, one) for one in ring])), np.inf, np.hypot(*(ring - out).T)
    )
    lengths, _ = router.ways(out, ring[1:])
    assert lengths == pytest.approx((straight[:, None] + along).min(axis=0)[1:], abs=0.1)
    # From one cut of it to another, where it is cut twice more.
    cuts = np.sort(rng.choice(np.arange(1, len(ring)), 2, replace=False))
    pieces = [rail[a : b + 1] for a, b in pairwise([0, *cuts.tolist(), len(ring)])]
    cost = Router([within], corners_of=[], rails=pieces).between(rail[cuts], _length).cost[0, 1]
    assert cost == pytest.approx(along[tuple((cuts + begin) % len(ring))], abs=0.2)


def _vertices_m(line):
    return shapely.line_locate_point(line, shapely.points(shapely.get_coordinates(line)[:-1]))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), zones=st.integers(1, 6), targets=st.integers(1, 6), rails=st.integers(0, 2))
def test_edges_that_are_not_tried_make_no_way_longer(seed, zones, targets, rails):
    """What is left out as useless is tried after all: every way stays as long as it was."""
    rng = np.random.default_rng(seed)
    obstacles = [
        shapely.box(x, y, x + w, y + h)
        for x, y, w, h in np.column_stack([rng.uniform(0, 4000, (zones, 2)), rng.uniform(100, 1500, (zones, 2))])
    ]
    free = shapely.difference(shapely.box(-800, -800, 6300, 6300), shapely.union_all(obstacles).buffer(5.0))
    at = rng.uniform(-500, 6000, (1 + targets, 2))
    assume(shapely.contains_xy(free, *at.T).all())
    lines = [np.column_stack([np.linspace(-600, 6100, 9), np.full(9, y)]) for y in (-700.0, 6200.0)[:rails]]
    router = Router(obstacles, rails=lines)
    lengths, _ = router.ways(at[0], at[1:])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("missions.routing._may_be_shorter", lambda _, edges, *__: np.ones(len(edges), dtype=bool))
        every, _ = router.ways(at[0], at[1:])
    assert np.allclose(lengths, every, rtol=0, atol=1e-6)


@settings(max_examples=few(40), deadline=None)
@given(seed=st.integers(0, 10**6), half_m=st.floats(0.5, 300.0), zones=st.integers(0, 6))
def test_of_many_pieces_just_those_are_clear_that_touch_nothing(seed, half_m, zones):
    """Each by shapely alone: beside a strip along a winding line, with rings, holes and a mere line as obstacles."""
    rng = np.random.default_rng(seed)
    strip = shapely.LineString(np.cumsum(rng.normal([60.0, 0.0], 80.0, (60, 2)), axis=0)).buffer(half_m)
    at = rng.uniform(-500, 4000, (zones, 2))
    rings = [shapely.Point(xy).buffer(500.0).difference(shapely.Point(xy).buffer(rng.uniform(1, 499))) for xy in at]
    obstacles = [strip, *rings, shapely.LineString([[0.0, 900.0], [2000.0, 900.0]])]
    begin = rng.uniform(-500, 4000, (700, 2))
    end = begin + rng.normal(0.0, 1.0, (700, 2)) * rng.choice([5.0, 200.0, 3000.0], (700, 1))
    shut = shapely.union_all(obstacles)
    expected = [not shut.intersects(shapely.LineString(piece)) for piece in np.stack([begin, end], axis=1)]
    assert Router(obstacles).clear(begin, end).tolist() == expected


@settings(max_examples=few(40), deadline=None)
@given(seed=st.integers(0, 10**6), zones=st.integers(0, 4))
def test_ways_to_vertices_of_a_rail_lie_between_those_of_all_short_cuts_and_those_of_some(seed, zones):
    """By shapely and Dijkstra alone, over all pairs of vertices, and over those at strides of powers of two."""
    rng = np.random.default_rng(seed)
    rail = np.column_stack([np.arange(40) * 150.0, 400.0 * np.cumsum(rng.normal(0.0, 0.4, 40))])
    wall = shapely.LineString(rail - (0.0, 60.0)).buffer(30.0)
    boxes = [shapely.box(x, y, x + 400, y + 400) for x, y in rng.uniform((0, 600), (6000, 2500), (zones, 2))]
    blocked = shapely.union_all([wall, *boxes])
    start = np.array([rng.uniform(0, 6000), 3500.0])
    nodes = np.vstack([start, rail])
    pairs = np.array(list(combinations(range(len(nodes)), 2)))
    clear = ~shapely.intersects(blocked, shapely.linestrings(nodes[pairs]))
    apart = np.diff(pairs, axis=1).ravel()
    along, first = (apart == 1) & (pairs[:, 0] > 0), pairs[:, 0] == 0
    lengths, ways = Router([wall, *boxes], corners_of=[], rails=[rail]).ways(start, rail)
    for kept, sign in ((clear, 1), (clear & (first | (apart & (apart - 1) == 0)), -1)):
        some = pairs[kept | along]
        graph = np.zeros((len(nodes), len(nodes)))
        graph[tuple(some.T)] = np.hypot(*(nodes[some[:, 1]] - nodes[some[:, 0]]).T)
        expected = dijkstra(graph, directed=False, indices=0)[1:]
        assert np.array_equal(np.isfinite(lengths), np.isfinite(expected))
        reached = np.isfinite(expected)
        assert (sign * (lengths - expected)[reached] > -0.1).all()
    lawful = {tuple(piece.ravel().tolist()) for piece in np.stack([rail[:-1], rail[1:]], axis=1)}
    for way in ways:
        # Nothing that could be passed by is left on it.
        assert not any(
            not blocked.intersects(shapely.LineString(way[[j, k]])) for k in range(len(way)) for j in range(k - 1)
        )
        for piece in np.stack([way[:-1], way[1:]], axis=1):
            on_rail = {tuple(piece.ravel().tolist()), tuple(piece[::-1].ravel().tolist())} & lawful
            assert on_rail or (piece[0] == piece[1]).all() or not blocked.intersects(shapely.LineString(piece))
