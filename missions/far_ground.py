"""Ground that lies beyond a border though no line of it stands between: that to which its far flank is nearest.

Lines and the walls beyond their ends tell both sides apart where a border is simple. Beside a spiral they do not: of
the ground between two of its windings one flank says that it is own, and the other that it is not. There the nearest
stretch of the border tells, and what is nearer to a far flank is shut.

All in one local frame, metres east and north.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import scipy
import shapely
import shapely.ops
from numpy.typing import NDArray
from shapely import Geometry, LineString, Point

from geo import locate
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

    def ends_own(self) -> Iterator[tuple[Floats, int]]:
        """The line from each end of the border on, and which side of it is own."""
        if self.begins:
            yield self.line, self.own
        if self.ends:
            yield self.line[::-1], -self.own


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
    if not flanks:
        return shapely.Polygon()
    near, far = (np.concatenate(side) for side in zip(*(_places(flank, step_m) for flank in flanks), strict=True))
    ends = [_End(line, own, step_m) for flank in flanks for line, own in flank.ends_own()]
    turn = np.arange(_GUARDS) / _GUARDS * 2 * math.pi
    out_m = _GUARDED * max(radius_m, float(np.abs(near).max()))
    guards = out_m * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    told = np.concatenate([far, *(end.places for end in ends)])
    diagram = scipy.spatial.Voronoi(np.concatenate([told, near, guards]))
    # Of places in one spot, as where two lines join, one has their cell.
    own = [diagram.regions[k] if k >= 0 else [] for k in diagram.point_region[: len(told)]]
    cells = [shapely.Polygon(diagram.vertices[ring]) if ring else shapely.Polygon() for ring in own]
    beyond: list[Geometry] = [shapely.coverage_union_all(cells[: len(far)])]
    for number, end in enumerate(ends):
        both = len(far) + 2 * number
        beyond += [part for cell in cells[both : both + 2] for part in end.beyond(cell, out_m)]
    return shapely.intersection(shapely.union_all(shapely.make_valid(beyond)), Point(0.0, 0.0).buffer(radius_m))


class _End:
    """An end of a border: of what lies nearest to it the line tells the side, and the straight way on before it."""

    def __init__(self, line: Floats, own: int, step_m: float) -> None:
        """`line` runs from the end on, and the own side is to its left where `own` is 1."""
        self._place, self._own, self._on = line[0], own, direction(line)
        # The last steps of a track go anywhere.
        off = np.flatnonzero(np.hypot(*(line - line[0]).T) > step_m)
        inner = line[off[0] if len(off) else -1] - line[0]
        self._in = inner / float(np.hypot(*inner))

    @property
    def places(self) -> Floats:
        """Places beside it, to both hands as all others are, shape (2, 2)."""
        aside = _ASIDE_M * np.array([-self._in[1], self._in[0]])
        return np.array([self._place + aside, self._place - aside])

    def beyond(self, cell: Geometry, out_m: float) -> list[Geometry]:
        """Parts of the cell of one of them that lie on the far side."""
        if shapely.is_empty(cell):
            return []
        edge = self._place + out_m * 4 * np.array([self._on, np.zeros(2), self._in])
        parts = shapely.get_parts(shapely.ops.split(cell, LineString(edge)))
        middles = np.array([part.representative_point().coords[0] for part in parts])
        return [part for part, off in zip(parts, locate(edge, middles).offset_m, strict=True) if off * self._own < 0]


def _places(flank: Flank, step_m: float) -> tuple[Floats, Floats]:
    """Places beside a run, on its far side last, each of shape (n, 2); none at its ends."""
    line = flank.line[np.append(True, np.any(np.diff(flank.line, axis=0) != 0, axis=1))]
    steps = np.diff(line, axis=0)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*steps.T))])
    count = max(1, math.ceil(along[-1] / step_m))
    at = (np.arange(count) + 0.5) / count * along[-1]
    edge = np.clip(np.searchsorted(along, at, side="right") - 1, 0, len(steps) - 1)
    here = line[edge] + ((at - along[edge]) / np.diff(along)[edge])[:, None] * steps[edge]
    towards = steps[edge] / np.diff(along)[edge][:, None]
    left = np.stack([-towards[:, 1], towards[:, 0]], axis=-1)
    return here + flank.own * _ASIDE_M * left, here - flank.own * _ASIDE_M * left
