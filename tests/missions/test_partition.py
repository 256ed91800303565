"""Sharing out against trying everything."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missions.partition import Costs, share_out


def _instance(seed, count, limit):
    """Sorties over `count` stations: overhead that grows from a base somewhere, and a limit on energy."""
    rng = np.random.default_rng(seed)
    station = np.cumsum(rng.uniform(0.2, 1.0, count))
    base = rng.uniform(station[0], station[-1])
    way = np.abs(station - base)
    cost = 0.5 + way[:, None] + way[None, :] + 3 * (station[None, :] - station[:, None])
    return np.where(np.triu(cost, 1) > 0, np.where(cost <= limit, cost, np.inf), np.inf)


def _best(costs, vehicles):
    """Least longest cycle over every way to cut the stations into blocks and the blocks into stretches."""
    count = len(costs)
    best = np.inf
    inner = range(1, count - 1)
    for k in range(count - 1):
        for cuts in itertools.combinations(inner, k):
            ends = [0, *cuts, count - 1]
            times = [costs[a, b] for a, b in itertools.pairwise(ends)]
            if not np.isfinite(times).all():
                continue
            for shares in itertools.combinations_with_replacement(range(len(times) + 1), vehicles - 1):
                bounds = [0, *shares, len(times)]
                best = min(best, max(sum(times[a:b]) for a, b in itertools.pairwise(bounds)))
    return best


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(3, 8), vehicles=st.integers(1, 3), limit=st.floats(6, 40))
def test_no_contiguous_plan_is_better(seed, count, vehicles, limit):
    table = _instance(seed, count, limit)
    best = _best(table, vehicles)
    if not np.isfinite(best):
        return
    blocks = share_out([Costs(table)] * vehicles)
    assert blocks[0].start == 0
    assert blocks[-1].stop == count - 1
    assert all(a.stop == b.start for a, b in itertools.pairwise(blocks))
    cycles = [sum(table[b.start, b.stop] for b in blocks if b.vehicle == v) for v in range(vehicles)]
    # Bisection stops within a quarter of a second.
    assert best - 1e-9 <= max(cycles) <= best + 0.25 + 1e-9


def test_pieces_that_nobody_reaches_are_left_out_and_the_rest_is_flown():
    table = _instance(3, 8, 40.0)
    table[:3, :] = np.inf
    blocks = share_out([Costs(table)] * 2)
    assert min(b.start for b in blocks) == 3
    assert max(b.stop for b in blocks) == 7


def test_a_piece_that_only_one_aircraft_reaches_goes_to_it():
    near = np.full((4, 4), np.inf)
    near[0, 1] = near[1, 2] = near[0, 2] = 1.0
    far = np.full((4, 4), np.inf)
    far[2, 3] = 1.0
    blocks = share_out([Costs(near), Costs(far)])
    assert [(b.vehicle, b.start, b.stop) for b in blocks if b.vehicle == 1] == [(1, 2, 3)]
    assert [(b.start, b.stop) for b in blocks if b.vehicle == 0] == [(0, 2)]


@pytest.mark.parametrize("vehicles", [1, 2, 5])
def test_more_aircraft_are_never_slower(vehicles):
    table = _instance(11, 30, 60.0)

    def longest(n):
        blocks = share_out([Costs(table)] * n)
        return max(sum(table[b.start, b.stop] for b in blocks if b.vehicle == v) for v in range(n))

    assert longest(vehicles + 1) <= longest(vehicles) + 0.25
