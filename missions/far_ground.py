"""Ground that lies beyond a border though no line of it stands between: that to which its far flank is nearest.

Lines and the walls beyond their ends tell both sides apart where a border is simple. Beside a spiral they do not: of
the ground between two of its windings one flank says that it is own, and the other that it is not. There the nearest
stretch of the border tells, and what is nearer to a far flank is shut.

All in one local frame, metres east and north.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import scipy
import shapely
from numpy.typing import NDArray
from shapely import Geometry, LineString, Point

from missions.beyond import after_chord, direction

__all__ = ["Flank", "far_ground", "is_torn"]

Floats = NDArray[np.float64]

_ASIDE_M = 0.5
"""How far beside a line its places to either hand are taken, metres."""
_MOST = 10_000
_GUARDS, _GUARDED = 16, 10.0
"""How many places shut in the cells of all others, and how many times as far out as any of these they are."""


@dataclass(frozen=True, slots=True)
class Flank:
    """A run of a border.

    Parameters
    ----------
    line
        Its vertices, metres, shape (n, 2).
    own
        +1 where the own side is to its left, -1 where it is to its right.
    begins, ends
        Whether the border begins at its first vertex, and ends at its last one.
    """

    line: Floats
    own: int
    begins: bool
    ends: bool


def is_torn(lines: Sequence[Floats], near_m: float, reach_m: float) -> bool:
    """Whether lines that go straight on beyond their ends may not say of all ground whose it is.

    Parameters
    ----------
    lines
        Those of a border, metres, each of shape (n, 2); rings end where they begin.
    near_m
        How near what goes on has to come to any of them to meet it, metres.
    reach_m
        How far they go on, metres.
    """
    rays = []
    for k, line in enumerate(lines):
        if np.array_equal(line[0], line[-1]):
            continue
        for way in (line, line[::-1]):
            ray = LineString([way[0], way[0] + reach_m * direction(way)])
            rest = [after_chord(way), *(other for n, other in enumerate(lines) if n != k)]
            if any(shapely.dwithin(ray, LineString(one), near_m) for one in rest if len(one) > 1):
                return True
            rays.append(ray)
    return any(shapely.intersects(a, b) for a, b in combinations(rays, 2))


def far_ground(flanks: Sequence[Flank], radius_m: float, step_m: float) -> Geometry:
    """The ground within a radius of the middle of the frame to which no own flank is as near as a far one.

    Places along all flanks are taken, `step_m` apart; past an end its side is that of the straight way on. The ground
    of each is its cell in the Voronoi diagram of all of them: where it meets that of another it is out by a part of
    the square of a step over the distance from both.
    """
    whole_m = sum(float(np.hypot(*np.diff(flank.line, axis=0).T).sum()) for flank in flanks)
    step_m = max(step_m, whole_m / _MOST)
    places = [_places(flank, step_m) for flank in flanks]
    if not places:
        return shapely.Polygon()
    near, far = (np.concatenate(side) for side in zip(*places, strict=True))
    turn = np.arange(_GUARDS) / _GUARDS * 2 * math.pi
    out_m = _GUARDED * max(radius_m, float(np.abs(near).max()))
    guards = out_m * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    cells = scipy.spatial.Voronoi(np.concatenate([far, near, guards]))
    rings = [cells.vertices[cells.regions[number]] for number in cells.point_region[: len(far)]]
    beyond = shapely.coverage_union_all([shapely.Polygon(ring) for ring in rings])
    return shapely.intersection(shapely.make_valid(beyond), Point(0.0, 0.0).buffer(radius_m))


def _places(flank: Flank, step_m: float) -> tuple[Floats, Floats]:
    """Places beside a run, on its own side and on the other, each of shape (n, 2)."""
    line = flank.line[np.append(True, np.any(np.diff(flank.line, axis=0) != 0, axis=1))]
    steps = np.diff(line, axis=0)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*steps.T))])
    count = max(1, math.ceil(along[-1] / step_m))
    at = (np.arange(count) + 0.5) / count * along[-1]
    edge = np.clip(np.searchsorted(along, at, side="right") - 1, 0, len(steps) - 1)
    here = line[edge] + ((at - along[edge]) / np.diff(along)[edge])[:, None] * steps[edge]
    towards = steps[edge] / np.diff(along)[edge][:, None]
    for ends_here, place, way in (
        (flank.begins, line[0], -direction(line)),
        (flank.ends, line[-1], direction(line[::-1])),
    ):
        if ends_here:
            here, towards = np.vstack([here, place]), np.vstack([towards, way])
    left = np.stack([-towards[:, 1], towards[:, 0]], axis=-1)
    return here + flank.own * _ASIDE_M * left, here - flank.own * _ASIDE_M * left
