"""Small loops in which a line crosses itself, as a hand that slips or the noise of a receiver draws them, taken out.

A slip is a loop that lies within the stand-off of the place where it begins. Where slips follow each other so closely
that they share ground, all of that run of the line is one tangle, and of a tangle there stays what the own side sees
of it: its outline there. Nobody on own ground is nearer to the rest than to that outline, for the straight way to what
lies behind it leads through it; so every stand-off stays what it was, and the line no longer crosses itself.

An outline is the walk along a face of the tangle that turns to the own side wherever it can.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import geodesic_distance_m, locate
from missions.beyond import direction
from missions.border import Side
from missions.border_line import metres_along, sides_change

__all__ = ["Outlined", "without_slips"]

Floats = NDArray[np.float64]
_Edge = tuple[float, float]
_Run = tuple[int, int]

_IN, _OUT = -1, -2
"""What stands for the vertex before a tangle, and for that after it."""

_DEGREE_M = 111_320.0
_ROUNDING_M = 1e-3
_HAIR_M = 1e-3
_HIDDEN_M = 0.01
"""A vertex no further than this on the own side of an outline counts as hidden by it: both are computed."""


@dataclass(frozen=True)
class Outlined:
    """A line without its slips.

    Parameters
    ----------
    line
        Vertices (longitude, latitude), degrees, shape (n, 2).
    edges_m
        Where each edge begins and ends along the line that it was made of, metres, shape (n - 1, 2); falling where the
        outline runs against that.
    slips
        How many loops were taken out.
    """

    line: Floats
    edges_m: Floats
    slips: int


@dataclass
class _Tangle:
    """The edges of a run of a line, each with where it lies along the line, and what is next to each vertex."""

    xy: Floats
    edges: dict[tuple[int, int], _Edge] = field(default_factory=dict)
    beside: dict[int, list[tuple[float, int]]] = field(default_factory=dict)

    def join(self, a: int, b: int, edge: _Edge) -> None:
        """Add an edge between two vertices."""
        for u, v, way in ((a, b, edge), (b, a, edge[::-1])):
            if (u, v) not in self.edges:
                self.edges[u, v] = (way[0], way[1])
                self.point(u, self.xy[v] - self.xy[u], v)

    def point(self, vertex: int, away: Floats, what: int) -> None:
        """Say in which direction something lies from a vertex."""
        self.beside.setdefault(vertex, []).append((math.atan2(away[1], away[0]), what))

    def outline(self, ends: dict[int, tuple[int, Floats]], sign: int) -> list[int] | None:
        """Vertices from the way in to the way out, turning to the own side; None where these see different faces.

        `ends` has a vertex and a direction for `_IN` and `_OUT`; `sign` is 1 where what is left of the line is own.
        """
        beside = {vertex: list(known) for vertex, known in self.beside.items()}
        for what, (vertex, away) in ends.items():
            beside[vertex].append((math.atan2(away[1], away[0]), what))
        order = {vertex: [what for _, what in sorted(known)] for vertex, known in beside.items()}
        here, came = ends[_IN][0], _IN
        walk = [here]
        while len(walk) <= len(self.edges) + 1:
            about = order[here]
            ahead = about[(about.index(came) - sign) % len(about)]
            if ahead < 0:
                return walk if ahead == _OUT else None
            here, came = ahead, here
            walk.append(here)
        return None


def without_slips(line: Floats, side: Side, stand_off_m: float) -> Outlined:
    """A line with the outlines of its tangles in their place; as it is where they would not hide all of it.

    Parameters
    ----------
    line
        Vertices (longitude, latitude), degrees, shape (n, 2), without a jump at the antimeridian: one wherever the line
        touches or crosses itself. It runs nowhere along itself.
    side
        The own side.
    stand_off_m
        How far from where it begins a loop may reach that is a slip, metres.

    Returns
    -------
    Outlined
        Tangles that no outline joins to the rest, such as one that the line begins in without ever coming out on the
        own side, are left as they are. An end of the line that lies within a tangle is moved to its rim, straight
        ahead as the line goes on: what is dropped lies behind.
    """
    made = _made(line, side, stand_off_m)
    if made.slips and not _hides(made.line, line, side):
        along = metres_along(line)
        return Outlined(line, np.column_stack([along[:-1], along[1:]]), 0)
    return made


def _hides(outline: Floats, line: Floats, side: Side) -> bool:
    """Whether no vertex of a line lies on the own side of its outline, or past an end of it."""
    scale = np.array([math.cos(math.radians(float(line[0, 1]))), 1.0]) * _DEGREE_M
    if len(outline) < 2:
        return False
    beside = locate((outline - line[0]) * scale, (line - line[0]) * scale)
    out_m = np.where(beside.beyond, np.abs(beside.offset_m), beside.offset_m * side.sign)
    return bool((out_m <= _HIDDEN_M).all())


def _made(line: Floats, side: Side, stand_off_m: float) -> Outlined:
    edges: list[_Edge] = list(pairwise(metres_along(line).tolist()))
    names = _names(line)
    if closed := names[0] == names[-1]:
        turned = _seam(line, names, stand_off_m)
        line = np.concatenate([line[turned:-1], line[: turned + 1]])
        edges, names = edges[turned:] + edges[:turned], _names(line)
    found = [(run, _crossings(line, names, run)) for run in _merged(_runs(line, names, stand_off_m, closed=closed))]
    tangles = [(run, count) for run, count in found if count]
    if not tangles:
        return Outlined(line, np.array(edges), 0)
    xy = (line - line[0]) * np.array([math.cos(math.radians(float(line[:, 1].mean()))), 1.0]) * _DEGREE_M
    first = {name: k for k, name in reversed(list(enumerate(names)))}
    where = [first[name] for name in names]
    kept: list[int] = []
    drawn: list[_Edge] = []
    outlines: list[_Run] = []
    at = slips = 0
    for (a, b), count in tangles:
        if a < at:
            continue
        outline = _outlined(xy, where, edges, (a, b), side)
        if outline is None:
            continue
        walk, known, begins, ends = outline
        if begins:
            kept, drawn = [], []
        else:
            kept += where[at:a]
            drawn += edges[at:a]
        outlines.append((len(kept), len(kept) + len(walk)))
        kept += walk[:-1]
        drawn += [known[pair] for pair in pairwise(walk)]
        slips += count
        at = b
        if ends:
            return Outlined(line[[*kept, walk[-1]]], np.array(drawn), slips)
    kept += where[at:]
    if closed:
        line, kept = _apart(line, xy, kept, outlines, side.sign), list(range(len(kept)))
    return Outlined(line[kept], np.array([*drawn, *edges[at:]]), slips)


def _apart(line: Floats, xy: Floats, kept: Sequence[int], outlines: Sequence[_Run], sign: int) -> Floats:
    """The vertices of a ring, those in which its outlines touch themselves drawn a hair apart towards own ground.

    The inside of a ring is told by a polygon, which must not touch itself.
    """
    out = line[kept]
    scale = np.array([math.cos(math.radians(float(line[:, 1].mean()))), 1.0]) * _DEGREE_M
    for first, stop in outlines:
        seen: set[int] = set()
        for k in range(first, stop):
            if kept[k] not in seen or not 0 < k < len(kept) - 1:
                seen.add(kept[k])
                continue
            away = xy[[kept[k + 1], kept[k - 1]]] - xy[kept[k]]
            ahead, back = np.arctan2(away[:, 1], away[:, 0])
            middle = ahead + sign * (sign * (back - ahead) % (2 * math.pi)) / 2
            hair_m = min(_HAIR_M, 0.1 * float(np.hypot(*away.T).min()))
            out[k] += hair_m * np.array([math.cos(middle), math.sin(middle)]) / scale
    return out


def _outlined(
    xy: Floats, where: Sequence[int], edges: Sequence[_Edge], run: _Run, side: Side
) -> tuple[list[int], dict[tuple[int, int], _Edge], bool, bool] | None:
    """The outline of a run, where its edges lie, and whether the line begins and ends with it; None for none."""
    a, b = run
    tangle = _Tangle(xy)
    for k in range(a, b):
        tangle.join(where[k], where[k + 1], edges[k])
    ins = [(where[a], xy[a - 1] - xy[a])]
    outs = [(where[b], xy[b + 1] - xy[b])]
    rims = shapely.polygonize([shapely.node(shapely.LineString(xy[a : b + 1]))])
    ground = shapely.buffer(shapely.union_all(shapely.get_parts(rims)), _ROUNDING_M)
    nodes = np.unique(np.asarray(where[a : b + 1]))
    for ways, rest, whole in ((ins, xy[: a + 1], xy), (outs, xy[b:], xy[::-1])):
        if ground.contains(shapely.LineString(rest)):
            ahead = direction(whole)
            ways.append((int(nodes[np.argmax(xy[nodes] @ ahead)]), ahead))
    for way_in, way_out in ((i, o) for i in ins for o in outs):
        walk = tangle.outline({_IN: way_in, _OUT: way_out}, side.sign)
        if walk is not None:
            return walk, tangle.edges, way_in is not ins[0], way_out is not outs[0]
    return None


def _names(line: Floats) -> list[tuple[float, float]]:
    """Vertices as what can be looked up."""
    return [(float(x), float(y)) for x, y in line]


def _runs(
    line: Floats, names: Sequence[tuple[float, float]], stand_off_m: float, *, closed: bool, past: int = 0
) -> list[_Run]:
    """From where to where loops run that lie within the stand-off; those over the seam of a ring too, up to `past`."""
    last = len(line) - 1
    seen: dict[tuple[float, float], int] = {}
    out = []
    for k in range(last + past if closed else last):
        here = names[k % last] if closed else names[k]
        # An end that touches the line is no pass through it.
        if not closed and k == 0:
            continue
        before = seen.get(here)
        seen[here] = k
        if before is None or (closed and k - before >= last):
            continue
        way = line[np.arange(before, k) % last] if closed else line[before:k]
        if float(geodesic_distance_m(way[0, 1], way[0, 0], way[:, 1], way[:, 0]).max()) <= stand_off_m:
            out.append((before, k))
    return out


def _merged(runs: list[_Run]) -> list[_Run]:
    """Runs that share vertices as one."""
    out: list[_Run] = []
    for a, b in sorted(runs):
        if out and a <= out[-1][1]:
            out[-1] = out[-1][0], max(out[-1][1], b)
        else:
            out.append((a, b))
    return out


def _crossings(line: Floats, names: Sequence[tuple[float, float]], run: _Run) -> int:
    """How often a run crosses itself."""
    visits: dict[tuple[float, float], list[int]] = {}
    for k in range(run[0], run[1] + 1):
        visits.setdefault(names[k], []).append(k)
    return sum(
        sides_change((line[i - 1], line[i + 1]), (line[j - 1], line[j + 1]), line[i])
        for own in visits.values()
        for i, j in combinations(own, 2)
    )


def _seam(line: Floats, names: Sequence[tuple[float, float]], stand_off_m: float) -> int:
    """A vertex of a ring that is in none of its loops, the first where that will do."""
    last = len(line) - 1
    within = np.zeros(last, dtype=bool)
    for a, b in _runs(line, names, stand_off_m, closed=True, past=last):
        within[np.arange(a, b + 1) % last] = True
    return int(np.argmin(within)) if not within.all() else 0
