"""Shortest curves of wings between two courses."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from missions.dubins import Heading, dubins

PLACES = st.floats(-500, 500)
HEADINGS = st.builds(Heading, PLACES, PLACES, st.floats(-7, 7))
RADII = st.floats(20, 150)


def flown(curve):
    """Where a curve leads: its turns and its straight piece flown in steps, by the speed and the rate of turn."""
    x, y, course = curve.start.x, curve.start.y, curve.start.course_rad
    for letter, part in zip(curve.word, curve.parts, strict=True):
        rate = {"L": 1.0, "R": -1.0, "S": 0.0}[letter]
        steps = 2000
        for _ in range(steps):
            # The midpoint rule.
            half = course + rate * part / steps / 2
            x += curve.radius_m * part / steps * math.cos(half)
            y += curve.radius_m * part / steps * math.sin(half)
            course += rate * part / steps
    return x, y, course


@given(start=HEADINGS, stop=HEADINGS, radius=RADII)
def test_every_word_leads_to_the_place_and_its_course(start, stop, radius):
    curves = dubins(start, stop, radius)
    assert [c.length_m for c in curves] == sorted(c.length_m for c in curves)
    for curve in curves:
        assert curve.vertices()[0] == pytest.approx((start.x, start.y))
        assert curve.vertices()[-1] == pytest.approx((stop.x, stop.y), abs=0.01)
    x, y, course = flown(curves[0])
    assert (x, y) == pytest.approx((stop.x, stop.y), abs=0.01)
    assert math.remainder(course - stop.course_rad, 2 * math.pi) == pytest.approx(0, abs=1e-4)


@given(start=HEADINGS, stop=HEADINGS, radius=RADII)
def test_back_the_same_way_is_as_far(start, stop, radius):
    back = [Heading(h.x, h.y, h.course_rad + math.pi) for h in (stop, start)]
    assert dubins(*back, radius)[0].length_m == pytest.approx(dubins(start, stop, radius)[0].length_m, abs=0.01)


@given(
    start=HEADINGS,
    radius=RADII,
    straight=st.floats(0, 1000),
    turns=st.tuples(*[st.floats(0, 2 * math.pi)] * 2),
    hands=st.sampled_from([(1, 1), (1, -1), (-1, 1), (-1, -1)]),
)
def test_no_way_of_turn_straight_turn_is_shorter(start, radius, straight, turns, hands):
    """Turns drawn at random with a straight piece between: what is found between their ends is no longer."""
    x, y, course = start.x, start.y, start.course_rad
    for hand, turn, then in ((hands[0], turns[0], straight), (hands[1], turns[1], 0.0)):
        cx, cy = x - hand * radius * math.sin(course), y + hand * radius * math.cos(course)
        course += hand * turn
        x, y = cx + hand * radius * math.sin(course), cy - hand * radius * math.cos(course)
        x, y = x + then * math.cos(course), y + then * math.sin(course)
    best = dubins(start, Heading(x, y, course), radius)[0]
    assert best.length_m <= radius * sum(turns) + straight + 0.01
    assert best.length_m >= math.hypot(x - start.x, y - start.y) - 0.01


@pytest.mark.parametrize(
    ("stop", "word", "length_m"),
    [
        (Heading(1000, 0, 0), None, 1000),
        (Heading(0, 200, math.pi), None, math.pi * 100),
        (Heading(0, -200, math.pi), None, math.pi * 100),
        # Close beside and back: three turns, 7 pi / 3 of them altogether.
        (Heading(0, 0, math.pi), "RLR LRL", 7 * math.pi / 3 * 100),
    ],
)
def test_known_lengths(stop, word, length_m):
    best = dubins(Heading(0, 0, 0), stop, 100.0)[0]
    assert best.length_m == pytest.approx(length_m)
    assert word is None or best.word in word.split()


@given(start=HEADINGS, stop=HEADINGS, radius=RADII)
def test_chords_turn_a_little_at_a_time_and_stay_on_the_arc(start, stop, radius):
    for curve in dubins(start, stop, radius):
        line = curve.vertices()
        step = np.diff(line, axis=0)
        step = step[np.hypot(*step.T) > 1e-6]
        course = np.unwrap(np.arctan2(step[:, 1], step[:, 0]))
        assert np.all(np.abs(np.diff(course)) <= math.radians(15.1))
        chords = float(np.hypot(*step.T).sum())
        assert curve.length_m * 0.99 - 1e-3 <= chords <= curve.length_m + 1e-6
