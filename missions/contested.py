"""Ground of which the lines of a border say both, that it is own and that it is not: nobody takes off there.

Where lines pass through each other they cut what is about the place into sectors. One that lies on the own side of one
line and on the far side of the next makes all the ground contested that it opens into, as far as no line bounds it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry, LineString, Point

from missions.beyond import beyond, closing_m
from missions.border import BorderSegment, Side
from missions.noding import noded
from missions.plane import Chart

__all__ = ["Contested"]

Floats = NDArray[np.float64]

_MOST_TOLD = 3
_SAME_DIGITS, _FAR_M = 6, 50_000.0
"""To how many digits of a metre places are the same: noise draws loops of less than a millimetre."""
_NODE_M = 1e-6
"""How far a place where lines meet may lie from the vertex that it is, metres: it is computed."""

_ANGLE = 1e-9
"""Edges nearer in direction than this lie upon each other, radians."""

_PROBE = 1e-3
"""How far into its sector a place is tried, in shares of the shortest edge there."""


class Contested:
    """The contested ground of some borders.

    Parameters
    ----------
    borders
        Lines that may touch, cross, and run along each other and themselves.

    Attributes
    ----------
    places
        Where the sides of passing lines disagree: latitude and longitude, degrees.
    """

    def __init__(self, borders: Sequence[BorderSegment]) -> None:
        self._chart = Chart(*borders[0].centre())
        lines = noded([self._chart.line(border.unwrapped()) for border in borders], _NODE_M)[0]
        # Where a line ends at another that one is cut too, and drawn to its end: it crosses nothing there.
        passed = [node for node in _shared(borders, lines) if not _at_a_joint(borders, lines, node)]
        disputes = [_disputed(borders, lines, node) for node in passed]
        probes = [probe for _, own in disputes for probe in own]
        nodes = [node for node, own in disputes if own]
        self.places = tuple((float(lat), float(lon)) for lat, lon in (self._chart.lat_lon(node) for node in nodes))
        drawn = _drawn_on(borders, lines) if probes else LineString()
        self._areas = shapely.get_parts(shapely.polygonize([drawn]))
        shapely.prepare(self._areas)
        self._contested = {self._area(probe) for probe in probes}

    @property
    def told(self) -> str:
        """The first of its places in words, and how many more there are."""
        more = f" and {len(self.places) - _MOST_TOLD} more places" if len(self.places) > _MOST_TOLD else ""
        return ", ".join(f"{lat:.5f} {lon:.5f}" for lat, lon in self.places[:_MOST_TOLD]) + more

    def holds(self, lat_deg: float, lon_deg: float) -> bool:
        """Whether a place, degrees, lies in contested ground."""
        return bool(self._contested) and self._area(self._chart.xy(lat_deg, lon_deg)) in self._contested

    def _area(self, xy: Floats) -> int:
        """Number of the area, shut in by lines, that a place lies in; -1 for none."""
        return int(next(iter(np.flatnonzero(shapely.contains(self._areas, Point(xy)))), -1))


def _drawn_on(borders: Sequence[BorderSegment], lines: Sequence[Floats]) -> Geometry:
    """Lines that go on beyond their ends, as `missions.beyond` has it, up to a box far round them."""
    every = np.concatenate(lines)
    low, high = every.min(axis=0), every.max(axis=0)
    drawn = [shapely.box(*(low - _FAR_M), *(high + _FAR_M)).exterior]
    for k, (border, line) in enumerate(zip(borders, lines, strict=True)):
        others, near_m = [*lines[:k], *lines[k + 1 :]], closing_m(border.stand_off_m)
        drawn.append(LineString(line))
        for way in () if border.is_ring else (line, line[::-1]):
            end = beyond(way, others, near_m, 4 * _FAR_M + float(np.hypot(*(high - low))))
            drawn.append(LineString([way[0], end]))
    return shapely.union_all(drawn)


def _at_a_joint(borders: Sequence[BorderSegment], lines: Sequence[Floats], node: Floats) -> bool:
    """Whether ends of several lines lie so near to a node that nobody can pass between."""
    near = [
        float(np.hypot(*(line[[0, -1]] - node).T).min()) <= closing_m(border.stand_off_m)
        for border, line in zip(borders, lines, strict=True)
        if not border.is_ring
    ]
    return sum(near) > 1


def _shared(borders: Sequence[BorderSegment], lines: Sequence[Floats]) -> list[Floats]:
    """Vertices, metres, that lines pass through more than once, and in which none ends."""
    passing = np.round(
        np.concatenate([line[:-1] if b.is_ring else line for b, line in zip(borders, lines, strict=True)]), _SAME_DIGITS
    )
    ends = {
        tuple(end)
        for b, line in zip(borders, lines, strict=True)
        if not b.is_ring
        for end in np.round(line[[0, -1]], _SAME_DIGITS).tolist()
    }
    vertices, counts = np.unique(passing, axis=0, return_counts=True)
    return [np.array(node) for node in vertices[counts > 1].tolist() if tuple(node) not in ends]


def _disputed(borders: Sequence[BorderSegment], lines: Sequence[Floats], node: Floats) -> tuple[Floats, list[Floats]]:
    """A node and a place in each sector about it whose two edges do not agree whose it is."""
    rays: list[tuple[float, bool, float]] = []  # direction, whether what is left of it is own, length
    for border, line in zip(borders, lines, strict=True):
        last = len(line) - 1
        for k in np.flatnonzero(np.abs(line - node).max(axis=1) < 10.0**-_SAME_DIGITS).tolist():
            if border.is_ring and k == last:
                continue
            for other, left in ((line[k + 1], Side.LEFT), (line[last - 1 if k == 0 else k - 1], Side.RIGHT)):
                away = other - line[k]
                rays.append((math.atan2(away[1], away[0]), border.own_side is left, float(np.hypot(*away))))
            # Not rounded: sectors may be narrow.
            node = line[k]
    rays.sort()
    reach = _PROBE * min(length for _, _, length in rays)
    # Edges that lie upon each other, as where a line runs along itself, bound the same two sectors.
    fans: list[tuple[float, set[bool]]] = []
    for angle, own_left, _ in rays:
        if fans and angle - fans[-1][0] < _ANGLE:
            fans[-1][1].add(own_left)
        else:
            fans.append((angle, {own_left}))
    if len(fans) > 1 and fans[0][0] + 2 * math.pi - fans[-1][0] < _ANGLE:
        fans[0][1].update(fans.pop()[1])
    found = []
    for (a, own_before), (b, own_after) in pairwise([*fans, (fans[0][0] + 2 * math.pi, fans[0][1])]):
        if len(own_before | {not own for own in own_after}) > 1:
            middle = (a + b) / 2
            found.append(node + reach * np.array([math.cos(middle), math.sin(middle)]))
    return node, found
