"""Loops of a border that begin where others do, or hang on others: which run round, and which way."""

import numpy as np
import pytest

from missions.border_loops import taken_apart
from tests.missions.helpers import border_from_metres, metres


def signed_area_m2(line):
    """Twice the area is the sum of the cross products; more than 0 where it runs against the clock."""
    x, y = metres(line.unwrapped()).T
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2


def large(border):
    """The area with its sign of each ring of more than 1 km2."""
    areas = [signed_area_m2(piece.line) for piece in taken_apart(border) if piece.line.is_ring]
    return [area for area in areas if abs(area) > 1e6]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_loop_of_kilometres_keeps_its_sides_beside_a_slip_at_the_same_place(side, turned):
    lobe = [(0, 0), (-1500, -4000), (0, -9700), (1500, -4000)]
    lobe = lobe[:1] + lobe[:0:-1] if turned else lobe
    for slip in ([(0, 0), (40, 30), (-30, 40)], [(0, 0), (-30, 40), (40, 30)]):
        border = border_from_metres([(-6000, 0), *lobe, *slip, (0, 0), (6000, 0)], side)
        drawn = signed_area_m2(border_from_metres([*lobe, (0, 0)], side))
        for area in large(border):
            assert area == pytest.approx(drawn, rel=1e-3)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_loop_of_kilometres_keeps_its_sides_that_hangs_on_a_slip(side):
    """The slip is small only without what was cut out of it."""
    lobe = [(0, 30), (-1500, 4000), (0, 9700), (1500, 4000), (0, 30)]
    for hung in (lobe, lobe[::-1]):
        border = border_from_metres([(-6000, 0), (0, 0), (20, 20), *hung, (-20, 20), (0, 0), (6000, 0)], side)
        drawn = signed_area_m2(border_from_metres(hung, side))
        for area in large(border):
            assert area == pytest.approx(drawn, rel=1e-3)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_loop_that_hangs_on_a_loop_that_is_put_back_is_put_back_too(depth, side):
    """Each begins at the tip of the one before, and what is outside all of them is own: then there is one line."""
    north = 1 if side == "left" else -1
    outline = [(0, north * 2000 * depth)]
    for k in range(depth)[::-1]:
        foot, halfway = (0, north * 2000 * k), north * (2000 * k + 1000)
        outline = [foot, (-800, halfway), *outline, (800, halfway), foot]
    for own, pieces in ((side, 1), ("left" if side == "right" else "right", depth + 1)):
        apart = taken_apart(border_from_metres([(-6000, 0), *outline, (6000, 0)], own))
        assert len(apart) == pieces, (own, [piece.line.name for piece in apart])
