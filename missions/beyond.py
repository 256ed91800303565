"""How a border is taken to go on beyond its ends: straight, as far as nothing of the border stands in the way.

A segment is a part of a border, and nobody may fly round its end into the other country. So its ends go on as a wall,
in the direction of their last kilometre. The end of a hook points at the border itself: there the wall closes the mouth
of the hook and ends, since beyond it would cut the own country in two.

All in one local frame, metres east and north.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString

__all__ = ["WALL_M", "after_chord", "beyond", "closing_m", "continued", "direction"]

Floats = NDArray[np.float64]

WALL_M = 5000.0
"""How far the border is taken to run straight on beyond the ends of the segment, metres: nobody flies round its end."""

_CHORD_M = 1000.0
_CLOSED_M = 25.0


def closing_m(stand_off_m: float) -> float:
    """How near to a border a wall ends, metres: a gap that the stand-off shuts, with room for another projection."""
    return min(stand_off_m / 2, _CLOSED_M)


def direction(line: Floats, chord_m: float = _CHORD_M) -> Floats:
    """Unit vector in which a line goes on before its first vertex: that of its first `chord_m`, or of its first half.

    Zero, shape (2,), where it comes back to where it began.
    """
    shape = LineString(line)
    inner = shape.interpolate(min(chord_m, shape.length / 2))
    away = line[0] - np.array([inner.x, inner.y])
    norm = float(np.hypot(*away))
    return np.asarray(away / norm if norm > 0 else np.zeros(2))


def beyond(
    line: Floats, others: Sequence[Floats], near_m: float, reach_m: float = WALL_M, chord_m: float = _CHORD_M
) -> Floats:
    """Where the wall before the first vertex of a line ends, shape (2,).

    Parameters
    ----------
    line
        The line from that end on, metres, shape (n, 2); no ring.
    others
        All other lines of the border near by, metres.
    near_m
        The wall ends where it first comes so near to any of them, or to the line itself, metres.
    reach_m, chord_m
        How long it is otherwise, and how much of the line gives its direction, metres.

    Returns
    -------
    array
        `reach_m` from the first vertex, or less; that vertex itself where its hook is closed without a wall.

    Notes
    -----
    The piece of the line that gives the direction does not count: a small bend right at the end does not turn the
    border as a whole, and there the wall goes on through it.
    """
    way = direction(line, chord_m)
    end = line[0] + way * reach_m
    wall = LineString([line[0], end])
    if wall.length == 0:
        return np.asarray(end)
    low, high = np.minimum(line[0], end) - 2 * near_m, np.maximum(line[0], end) + 2 * near_m
    lines = [rest for rest in (after_chord(line, chord_m), *others) if len(rest) > 1]
    near = [shapely.clip_by_rect(LineString(rest), *low.tolist(), *high.tolist()) for rest in lines]
    met = shapely.intersection(wall, shapely.buffer(shapely.union_all(near), near_m))
    if met.is_empty:
        return np.asarray(end)
    first = float(shapely.line_locate_point(wall, shapely.points(shapely.get_coordinates(met))).min())
    return np.asarray(line[0] + way * first)


def continued(line: Floats, others: Sequence[Floats], near_m: float) -> Floats:
    """A line with its walls, as `beyond` has them, at both ends; a ring has none."""
    if np.array_equal(line[0], line[-1]):
        return line
    return np.concatenate([[beyond(line, others, near_m)], line, [beyond(line[::-1], others, near_m)]])


def after_chord(line: Floats, chord_m: float = _CHORD_M) -> Floats:
    """What of a line comes after the piece that gives its direction."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    at = min(chord_m, float(along[-1]) / 2)
    cut = [[np.interp(at, along, line[:, k]) for k in (0, 1)]]
    return np.concatenate([cut, line[along > at]])
