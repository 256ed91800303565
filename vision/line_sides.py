"""On which sides of a line tracks were seen, remembered from one look to the next."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from vision.border import GroundLine
from vision.types import Track

__all__ = ["Offsets", "Sides"]

# Tracks of which it is known on which sides they were: those that are open at a time, and more.
_ASKED = 1000


class Offsets(NamedTuple):
    """Of a track from a line: times of its first and last observation; first, last, least and largest offset."""

    begin_us: int
    end_us: int = -1
    first: float = inf
    last: float = inf
    least: float = inf
    largest: float = -inf


class Sides:
    """On which sides of a line tracks were seen; of each observation once, however often it is asked."""

    def __init__(self) -> None:
        self._seen: OrderedDict[int, Offsets] = OrderedDict()

    def both(self, track: Track, line: GroundLine, places: Callable[[Track], ArrayLike]) -> bool:
        """Whether some of the `places` of a track lie on one side of a line and some on the other."""
        known = self.offsets(track, line, places)
        return known.least < 0 < known.largest

    def offsets(self, track: Track, line: GroundLine, places: Callable[[Track], ArrayLike]) -> Offsets:
        """Those of the `places` of a track; infinite where there is none."""
        begin_us = track.observations[0].time_us
        known = self._seen.pop(track.number, Offsets(begin_us))
        if known.begin_us != begin_us:  # what is forgotten does not count any more
            known = Offsets(begin_us)
        new = track.observations[bisect_right(track.observations, known.end_us, key=lambda one: one.time_us) :]
        if new:
            points = np.asarray(places(replace(track, observations=new)), dtype=float)
            known = known._replace(end_us=new[-1].time_us)
            if len(points):
                offset = line.locate(points).offset_m
                known = known._replace(
                    first=known.first if np.isfinite(known.first) else float(offset[0]),
                    last=float(offset[-1]),
                    least=min(known.least, float(offset.min())),
                    largest=max(known.largest, float(offset.max())),
                )
        self._seen[track.number] = known
        if len(self._seen) > _ASKED:
            self._seen.popitem(last=False)
        return known
