"""Line coverage in many parts, against trying every order, and against what no covering can beat."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from missions import cover_lines
from tests.asked import asked

MODEST = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def instance(seed, parts, *, wind=0.0, joined=False):
    """Short lines scattered over a field, or hanging in chains of two; wind makes the directions differ."""
    rng = np.random.default_rng(seed)
    first = rng.uniform(0, 3000, (parts, 2))
    points = [first, first + rng.uniform(-400, 400, (parts, 2))]
    edges = [(k, parts + k) for k in range(parts)]
    if joined:
        points.append(points[1] + rng.uniform(-400, 400, (parts, 2)))
        edges += [(parts + k, 2 * parts + k) for k in range(parts)]
    nodes = np.concatenate(points)

    def cost(a, b):
        step = nodes[b] - nodes[a]
        return np.hypot(*step.T) + wind * (step[..., 0] + 1e-9)

    ends = np.array(edges)
    service = np.column_stack([cost(ends[:, 0], ends[:, 1]), cost(ends[:, 1], ends[:, 0])]) * 1.5
    every = np.arange(len(nodes))
    return nodes, ends, service, cost(every[:, None].repeat(len(every), 1), every[None].repeat(len(every), 0))


def assert_covers(tour, ends, service, cost):
    """Closed, every line once, and as dear as it says."""
    assert all(a[1] == b[0] for a, b in itertools.pairwise(tour.steps))
    assert tour.steps[-1][1] == tour.steps[0][0]
    served = [frozenset(step[:2]) for step in tour.steps if step[2]]
    assert sorted(map(sorted, served)) == sorted(map(sorted, ends.tolist()))
    place = {tuple(pair): k for k, pair in enumerate(ends.tolist())}
    total = 0.0
    for a, b, is_served in tour.steps:
        total += (service[place[a, b], 0] if (a, b) in place else service[place[b, a], 1]) if is_served else cost[a, b]
    assert tour.cost == pytest.approx(total)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), parts=st.integers(2, 5), wind=st.sampled_from([0.0, 0.4]))
def test_a_few_parts_are_covered_as_cheaply_as_by_any_order(seed, parts, wind):
    nodes, ends, service, cost = instance(seed, parts, wind=wind)
    tour = cover_lines(nodes, ends, service, cost)
    assert_covers(tour, ends, service, cost)
    best = np.inf
    for order in itertools.permutations(range(1, parts)):
        for ways in itertools.product((0, 1), repeat=parts):
            run = [(ends[k][way], ends[k][1 - way], service[k, way]) for k, way in zip((0, *order), ways, strict=True)]
            best = min(best, sum(s for *_, s in run) + sum(cost[run[k - 1][1], run[k][0]] for k in range(parts)))
    assert tour.cost == pytest.approx(best, rel=1e-4)
    assert tour.lower_bound <= best + 1e-6


@settings(max_examples=asked(20), deadline=None)
@given(seed=st.integers(0, 10**6), parts=st.integers(4, 10), wind=st.sampled_from([0.0, 0.4]), joined=st.booleans())
def test_what_is_kept_out_of_the_search_would_not_have_helped(seed, parts, wind, joined):
    nodes, ends, service, cost = instance(seed, parts, wind=wind, joined=joined)
    costs = []
    for share in (0.0, 0.001, 1e9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("missions.postman_program._FAR", share)
            costs.append(cover_lines(nodes, ends, service, cost).cost)
    assert costs == pytest.approx([costs[-1]] * 3, rel=3e-5)


@MODEST
@given(seed=st.integers(0, 10**6), parts=st.integers(13, 40), wind=st.sampled_from([0.0, 0.4]), joined=st.booleans())
def test_many_parts_are_covered_near_the_bound_with_no_change_that_helps(seed, parts, wind, joined):
    nodes, ends, service, cost = instance(seed, parts, wind=wind, joined=joined)
    tour = cover_lines(nodes, ends, service, cost, start_node=int(ends[3, 1]))
    assert tour.steps[0][0] == ends[3, 1]
    assert_covers(tour, ends, service, cost)
    assert tour.lower_bound <= tour.cost + 1e-6
    assert tour.gap < 0.25
    # A stretch between two deadheads, cut out and flown the other way, tried one by one.
    served = [step for step in tour.steps if step[2]]
    way = {(a, b): s for (a, b), s in zip(map(tuple, ends.tolist()), service[:, 0], strict=True)}
    way |= {(b, a): s for (a, b), s in zip(map(tuple, ends.tolist()), service[:, 1], strict=True)}

    def value(order):
        return sum(way[a, b] for a, b in order) + sum(cost[order[k - 1][1], order[k][0]] for k in range(len(order)))

    order = [(a, b) for a, b, _ in served]
    assert value(order) == pytest.approx(tour.cost)
    for i in range(len(order)):
        for j in range(i, len(order)):
            turned = [*order[:i], *((b, a) for a, b in order[i : j + 1][::-1]), *order[j + 1 :]]
            assert value(turned) >= tour.cost - 1e-6


@pytest.mark.parametrize("parts", [20, 120])
def test_the_same_lines_have_the_same_walk(parts):
    given_ = instance(7, parts, joined=True)
    assert cover_lines(*given_) == cover_lines(*given_)
