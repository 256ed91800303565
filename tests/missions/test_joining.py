"""Arcs from transits into patrols."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from missions.joining import lead_in

FIGURES = st.floats(-3000, 3000)


@given(
    x=FIGURES,
    y=FIGURES,
    heading=st.floats(0, 2 * math.pi),
    inside=st.sampled_from([1.0, -1.0]),
    radius=st.floats(20, 300),
)
def test_no_corner_is_sharper_than_the_arc_and_none_lies_beyond_the_line(x, y, heading, inside, radius):
    at, before = np.array([100.0, -50.0]), np.array([x, y])
    course = np.array([math.cos(heading), math.sin(heading)])
    normal = inside * np.array([-course[1], course[0]])
    assume(np.hypot(*(before - at - radius * normal)) > 1.01 * radius)
    arc = lead_in(before, at, course, inside, radius)
    way = np.concatenate([[before], arc, [at], [at + 500 * course]])
    # On the side away from the border, whatever the place it comes from.
    assert np.all((arc - at) @ normal >= -1e-6)
    assert np.hypot(*(arc - at - radius * normal).T) == pytest.approx(radius)
    steps = [b - a for a, b in pairwise(way) if np.hypot(*(b - a)) > 1e-6]
    turns = [math.atan2(a[0] * b[1] - a[1] * b[0], a @ b) for a, b in pairwise(steps)]
    assert max(abs(turn) for turn in turns) <= math.radians(15.1)
    # All the same way round: towards the own side.
    assert all(turn * inside >= -1e-6 for turn in turns)


def test_a_square_approach_turns_by_a_quarter():
    """From far on the own side of a line flown east: the tangent is one radius before, the arc a quarter."""
    arc = lead_in(np.array([0.0, 10_000.0]), np.array([0.0, 0.0]), np.array([1.0, 0.0]), 1.0, 100.0)
    assert arc[0] == pytest.approx([-100.0, 100.0], abs=1.5)
    assert len(arc) in {6, 7}


def test_from_within_the_circle_it_flies_back_first():
    arc = lead_in(np.array([0.0, 60.0]), np.zeros(2), np.array([1.0, 0.0]), 1.0, 100.0)
    assert arc[0] == pytest.approx([-300.0, 200.0])
    again = lead_in(arc[0], np.zeros(2), np.array([1.0, 0.0]), 1.0, 100.0)
    assert arc[1:] == pytest.approx(again)
