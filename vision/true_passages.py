"""Crossings that truly happened, by the ways of labelled objects and a line.

This is the yardstick of `vision.crossing` and shares none of its rules but the words: the labels are taken as they are,
unfiltered and without error. An object is on a side of the line where its foot is farther from it than the width of
the line, `clear`. It has crossed where it was on one side and comes to the other, and stays there for `stay_s` at
least: one who comes back sooner has returned. One whose way leads round the end of the line has not crossed it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vision.border import GroundLine
from vision.records import Direction

__all__ = ["TruePassage", "TrueWay", "true_passages"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class TrueWay:
    """A labelled object: times, microseconds, increasing, shape (n,); its foot in the plane of the line, shape (n, 2).

    `clear` is the distance from the line, in the same plane, at which the foot is on a side; shape (n,).
    """

    id: int
    kind: str
    times_us: NDArray[np.int64]
    xy: Floats
    clear: Floats


@dataclass(frozen=True, slots=True, eq=False)
class TruePassage:
    """When and where an object passed the line, which way, and whether its label begins and ends well about it."""

    id: int
    kind: str
    time_us: int
    xy: Floats
    direction: Direction
    in_view: bool


@dataclass(frozen=True, slots=True)
class _Stay:
    side: int
    first: int
    last: int


def true_passages(
    way: TrueWay, line: GroundLine, *, stay_s: float = 1.0, around_s: float = 1.0
) -> tuple[TruePassage, ...]:
    """Passages of one object over a line, in the order of time.

    Parameters
    ----------
    way
        The object.
    line
        In the same plane as the way; an offset is positive on the own side.
    stay_s
        Time on the new side that makes a passage, seconds; the end of the way makes one, too.
    around_s
        A passage is in view where the object is labelled for so long before and after, seconds.
    """
    if len(way.times_us) < 2:
        return ()
    place = line.locate(way.xy)
    side = np.where(np.abs(place.offset_m) > way.clear, np.sign(place.offset_m), 0).astype(int)
    found = []
    for part in _parts(place.beyond):
        stays = _stays(side, way.times_us, part, round(stay_s * 1e6))
        for before, after in pairwise(stays):
            passage = _passage(way, line, place.offset_m, before, after)
            if passage is not None:
                found.append(passage)
    reach_us = round(around_s * 1e6)
    first, last = int(way.times_us[0]), int(way.times_us[-1])
    return tuple(replace(p, in_view=p.time_us - first >= reach_us and last - p.time_us >= reach_us) for p in found)


def _parts(beyond: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of positions beside the line itself, not past its ends: first and last."""
    edges = np.flatnonzero(np.diff(~beyond, prepend=False, append=False)).tolist()
    return [(begin, end - 1) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def _stays(side: NDArray[np.int_], times_us: NDArray[np.int64], part: tuple[int, int], stay_us: int) -> list[_Stay]:
    """Stays on alternating sides; what was too short to count, and not the end, is as if it had not been."""
    runs: list[_Stay] = []
    for i in range(part[0], part[1] + 1):
        if side[i] == 0:
            continue
        if runs and runs[-1].side == side[i]:
            runs[-1] = replace(runs[-1], last=i)
        else:
            runs.append(_Stay(int(side[i]), i, i))
    kept: list[_Stay] = []
    for number, run in enumerate(runs):
        # The first stay may have begun before the label did; a later one lasts until the object is on the other side.
        until = runs[number + 1].first if number + 1 < len(runs) else None
        if number and until is not None and times_us[until] - times_us[run.first] < stay_us:
            continue
        if kept and kept[-1].side == run.side:
            kept[-1] = replace(kept[-1], last=run.last)
        else:
            kept.append(run)
    return kept


def _passage(way: TrueWay, line: GroundLine, offset: Floats, before: _Stay, after: _Stay) -> TruePassage | None:
    """Where the way last passes the line between two stays; None where that is past the end of the line."""
    between = offset[before.last : after.first + 1] * before.side
    i = before.last + int(np.flatnonzero((between[:-1] > 0) & (between[1:] <= 0))[-1])
    share = float(offset[i] / (offset[i] - offset[i + 1]))
    xy = (1 - share) * way.xy[i] + share * way.xy[i + 1]
    if line.locate(xy[None]).beyond[0]:
        return None
    time_us = int(way.times_us[i]) + round(share * int(way.times_us[i + 1] - way.times_us[i]))
    direction = Direction.INBOUND if after.side > 0 else Direction.OUTBOUND
    return TruePassage(way.id, way.kind, time_us, xy, direction, in_view=True)
