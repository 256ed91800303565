"""What of a course nobody watches, and why, in words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from missions.limits import FENCE_VERTICES, MAX_ITEMS
from missions.setting import Setting
from missions.steepness import TooSteep, steep_reason, too_steep

__all__ = ["BARE", "unwatched"]

BARE = (
    f"no fence of at most {FENCE_VERTICES} vertices holds a sortie there, or no mission of at most {MAX_ITEMS} items: "
    "straighten the line, or put neighbouring no-fly zones into one"
)
_UNFLOWN = {
    True: "out of reach: no aircraft has the energy to fly there, patrol and come back",
    False: "out of reach: no lawful way leads there from any base within its energy",
}


def unwatched(setting: Setting, flown: NDArray[np.bool_]) -> list[tuple[float, float, str]]:
    """Stretches of the course that nobody watches: from and to, metres, and why.

    `flown` tells which pieces between stations somebody watches, shape (n - 1,).
    """
    course, stations = setting.course, setting.stations
    line = course.line[course.legs_between(stations)]
    reached = np.zeros(len(stations), dtype=bool)
    for access in setting.access.values():
        reached[access.reached] = True
    steep = too_steep(setting)
    out = []
    for a, b in _runs(~flown & setting.needed):
        # Of one line, for one reason.
        for low, high in _equal((len(TooSteep) * line + steep) * 2 + setting.bare, a, b):
            near = reached[low : high + 1].any()
            name = f"{course.lines[line[low]].name}: " if setting.task.network else ""
            why = BARE if setting.bare[low] else steep_reason(setting, TooSteep(int(steep[low])))
            why = why or _UNFLOWN[bool(near)]
            out.append((float(stations[low]), float(stations[high]), name + why))
    return out


def _equal(values: NDArray[np.int64], start: int, stop: int) -> list[tuple[int, int]]:
    """Runs of equal values between two places: first index and the one after the last."""
    cuts = np.flatnonzero(np.diff(values[start:stop])) + start + 1
    return list(pairwise([start, *cuts.tolist(), stop]))


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First index and the one after the last of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
