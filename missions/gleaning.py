"""What teams could see of a course but not in their order along it, seen by whoever sees most of it from there on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from missions.stretch import Reach

__all__ = ["gleaned"]


def gleaned(reaches: Sequence[Reach], lost: NDArray[np.bool_]) -> list[tuple[int, int, int, bool]]:
    """Sorties over pieces that are `lost`, shape (n - 1,): number of the reach, start, stop and whether backwards."""
    made: list[tuple[int, int, int, bool]] = []
    links = np.empty(0, dtype=np.intp)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], lost.astype(int), [0]])))
    for low, high in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        place = low
        while place < high:
            found = [(_seen_from(reach, place, high), -number) for number, reach in enumerate(reaches)]
            (stop, start, last), number = max(found)
            if stop > place:
                reach = reaches[-number]
                layers = reach.layers(start, last, links, np.inf)
                made += [(-number, *sortie) for sortie in reach.trace(layers, start, last)]
            place = max(stop, place + 1)
    return made


def _seen_from(reach: Reach, place: int, high: int) -> tuple[int, int, int]:
    """How far is seen from station `place` on, up to `high`, and the places where the sorties begin and end."""
    start = int(np.searchsorted(reach.stations, place, side="right")) - 1
    if start < 0 or start >= len(reach.joined) or not reach.joined[start]:
        return place, 0, 0
    breaks = np.flatnonzero(~reach.joined[start:])
    end = start + int(breaks[0]) if len(breaks) else len(reach.stations) - 1
    last = min(end, int(np.searchsorted(reach.stations, high)))
    return min(int(reach.stations[last]), high), start, last
