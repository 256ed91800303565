"""Ways between many points at once, against ways from one point and against what must not be touched."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from missions.routing import Router


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
