"""Crossings that truly happened, out of ways and a line."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.border import GroundLine
from vision.true_passages import TrueWay, true_passages

# Eastwards along y = 0, the own side in the north.
LINE = GroundLine("b", np.array([[-50.0, 0.0], [50.0, 0.0]]), 1.0)


def way(points, step_s=0.5, clear=0.4):
    points = np.array(points, float)
    times = (np.arange(len(points)) * step_s * 1e6).astype(np.int64)
    return TrueWay(1, "person", times, points, np.full(len(points), clear))


def told(points, **how):
    return [(p.direction.value, p.time_us / 1e6, p.in_view) for p in true_passages(way(points, **how), LINE)]


def test_in_and_out():
    assert told([(0, y) for y in (-3, -2, -1, 1, 2, 3)]) == [("inbound", 1.25, True)]
    assert told([(0, y) for y in (3, 2, 1, -1, -2, -3)]) == [("outbound", 1.25, True)]


def test_where_it_passed():
    (passage,) = true_passages(way([(0, -3), (0, -3), (4, 1), (4, 3), (4, 3)]), LINE)
    assert passage.xy == pytest.approx([3.0, 0.0])
    assert passage.time_us == 875_000


def test_astride_is_no_side():
    assert told([(0, y) for y in (-3, -2, -0.3, 0.3, -0.3, 0.3, 0.3, 0.3)]) == []
    # And what began astride came from nowhere.
    assert told([(0, y) for y in (0.2, 0.2, 0.2, 1, 2, 3, 4)]) == []
    # The last change of sign is the passage.
    assert told([(0, y) for y in (-3, -2, -0.3, 0.3, -0.1, 0.1, 2, 3, 4)]) == [("inbound", 2.25, True)]


def test_who_comes_back_at_once_has_returned():
    assert told([(0, y) for y in (-3, -2, -1, 1, -1, -2, -3)]) == []
    assert [p[0] for p in told([(0, y) for y in (-3, -2, -1, 1, 2, 1, -1, -2, -3)])] == ["inbound", "outbound"]
    # Away for less than a second does not undo a passage.
    assert told([(0, y) for y in (-3, -2, -1, 1, -1, 1, 2, 3, 4)]) == [("inbound", 2.25, True)]


def test_round_the_end_is_no_passage():
    round_it = [(45, -3), (49, -3), (55, -3), (56, 0), (55, 3), (49, 3), (45, 3)]
    assert told(round_it) == []
    assert told([(x - 20, y) for x, y in round_it]) == [("inbound", 1.5, True)]


def test_too_near_the_ends_of_the_label_is_not_in_view():
    assert told([(0, y) for y in (-1, 1, 2, 3)]) == [("inbound", 0.25, False)]
    assert told([(0, y) for y in (-4, -3, -2, -1, 1)]) == [("inbound", 1.75, False)]
    assert told([(0, -1)]) == []


@given(st.lists(st.floats(-4, 4).filter(lambda y: abs(y) > 0.01), min_size=2, max_size=40), st.integers(0, 1))
def test_passages_alternate_and_add_up(offsets, flip):
    """From the first side to the last there is a passage more one way than the other, or as many."""
    sign = 1 - 2 * flip
    found = true_passages(way([(0, sign * y) for y in offsets], step_s=2.0), LINE, stay_s=1.0)
    directions = [p.direction.value for p in found]
    assert all(a != b for a, b in pairwise(directions))
    assert [p.time_us for p in found] == sorted(p.time_us for p in found)
    sides = [np.sign(sign * y) for y in offsets if abs(y) > 0.4]
    if sides:
        net = directions.count("inbound") - directions.count("outbound")
        assert net == (sides[-1] - sides[0]) / 2
