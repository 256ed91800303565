"""What of a course nobody watches, and why, in words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from missions.narrowness import narrow_reason, too_narrow
from missions.setting import Setting
from missions.steepness import TooSteep, steep_reason, too_steep
from missions.unknown_ground import lacking, unknown_ground

__all__ = ["bare_reason", "unwatched"]

_UNFLOWN = {
    True: "out of reach: no aircraft has the energy to fly there, patrol and come back",
    False: "out of reach: no lawful way leads there from any base whose aircraft come so far",
}


def unwatched(setting: Setting, flown: NDArray[np.bool_]) -> list[tuple[float, float, str]]:
    """Stretches of the course that nobody watches: from and to, metres, and why.

    `flown` tells which pieces between stations somebody watches, shape (n - 1,).
    """
    course, stations = setting.course, setting.stations
    line = course.line[course.legs_between(stations)]
    reached, near = np.zeros((2, len(stations)), dtype=bool)
    for access in setting.access.values():
        reached[access.reached] = True
        near |= access.near
    # To what is farther than any aircraft comes no way was looked for.
    far = reached | ~near
    steep, unknown, narrow = too_steep(setting), unknown_ground(setting), too_narrow(setting)

    def why(piece: int) -> str:
        if setting.bare[piece]:
            return bare_reason(setting)
        if unknown[piece]:
            return lacking(setting, piece)
        if narrow[piece]:
            return narrow_reason(setting, piece)
        return steep_reason(setting, TooSteep(int(steep[piece]))) or _UNFLOWN[bool(far[piece : piece + 2].any())]

    out = []
    for a, b in _runs(~flown & setting.needed):
        # Of one line, for one reason.
        told = [(line[piece], why(piece)) for piece in range(a, b)]
        for low, high in _equal(told, a):
            name = f"{course.lines[line[low]].name}: " if setting.task.network else ""
            out.append((float(stations[low]), float(stations[high]), name + told[low - a][1]))
    return out


def bare_reason(setting: Setting) -> str:
    """Why nobody can watch what is bare: no aircraft of the fleet stores more."""
    vertices, items = (max(each) for each in zip(*setting.last, strict=True))
    return (
        f"no fence of at most {vertices} vertices holds a sortie there, or no mission of at most {items} items: "
        "straighten the line, put neighbouring no-fly zones into one, or have them store more (fence_vertices, "
        "mission_items of the aircraft)"
    )


def _equal(values: Sequence[object], start: int) -> list[tuple[int, int]]:
    """Runs of equal values, the first of them numbered `start`: number of the first and the one after the last."""
    cuts = [k + start for k, (a, b) in enumerate(pairwise(values), 1) if a != b]
    return list(pairwise([start, *cuts, start + len(values)]))


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First index and the one after the last of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
