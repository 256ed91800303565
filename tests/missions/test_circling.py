"""Circles of wings: tangents by closed forms, and no bend sharper than the circle itself."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from missions.circling import Circle

PLACES = st.tuples(st.floats(-3000, 3000), st.floats(-3000, 3000)).map(np.array)


@given(PLACES, PLACES, PLACES, st.floats(20, 400), st.sampled_from([1, -1]), st.integers(0, 3))
def test_a_circle_is_come_to_and_left_along_tangents(centre, come_from, go_to, radius_m, side, laps):
    circle = Circle(centre, radius_m, side)
    found = circle.flown(np.stack([come_from, centre]), np.stack([centre, go_to]), laps)
    near = min(math.dist(come_from, centre), math.dist(go_to, centre)) < 1.05 * radius_m
    assert (found is None) == near
    assume(found is not None)
    out, ring, home = found
    assert np.array_equal(out[0], come_from)
    assert np.array_equal(home[-1], go_to)
    assert np.array_equal(out[-1], ring[0])
    assert np.array_equal(home[0], ring[-1])
    assert np.hypot(*(ring - centre).T) == pytest.approx(radius_m)
    for ends, place in ((out, come_from), (home, go_to)):
        # A tangent is square to the radius, and by Pythagoras as long as this.
        length = math.dist(*ends)
        assert length == pytest.approx(math.sqrt(math.dist(place, centre) ** 2 - radius_m**2), rel=1e-6)
    way = np.concatenate([out, ring[1:], home[1:]])
    steps = np.diff(way, axis=0)
    steps = steps[np.hypot(*steps.T) > 1e-6 * radius_m]
    courses = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    turned = side * np.diff(courses)
    # Always to the same side, and by no more than two half steps at once.
    assert turned.min() > -1e-6
    assert turned.max() < math.radians(30.1)
    assert laps * 2 * math.pi - 1e-6 <= turned.sum() <= (laps + 1) * 2 * math.pi + math.radians(30.1)


def test_a_lap_is_that_of_its_polygon():
    lap = Circle(np.zeros(2), 100.0, -1).lap()
    assert np.hypot(*np.diff(lap, axis=0).T).sum() == pytest.approx(12 * 2 * 100.0 * math.sin(math.radians(15.0)))
    assert np.cross([*lap[0], 0], [*lap[1], 0])[2] < 0
