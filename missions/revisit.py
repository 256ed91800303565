"""When places of the course are looked at, and how long they are left alone between two looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from missions.patrol import Flight, Sortie

__all__ = ["at_risk_s", "left_alone_s", "passed_s"]

Floats = NDArray[np.float64]


def passed_s(sortie: Sortie, along_m: ArrayLike) -> Floats:
    """Seconds after take-off at which a sortie passes places of its runs, metres along the course.

    Legs are laid over the course in proportion to their length: waypoints over terrain are no vertices of it. Not a
    number for places that it does not patrol.
    """
    along = np.asarray(along_m, dtype=float)
    out = np.full(along.shape, np.nan)
    clock = np.cumsum([0.0, *(leg.duration_s for leg in sortie.legs)])
    for run in sortie.runs:
        flown = np.cumsum([0.0, *(leg.distance_m for leg in sortie.legs[run.start : run.stop])])
        share = (along - run.from_m) / (run.to_m - run.from_m)
        own = (share >= 0) & (share <= 1)
        out[own] = np.interp(share[own] * flown[-1], flown, clock[run.start : run.stop + 1])
    return out


def left_alone_s(flights: Sequence[Flight], sorties: Sequence[Sortie]) -> float:
    """The longest time between two looks at one place, seconds, by whichever sorties; 0 without a second look."""
    return max((float(np.diff(times).max(initial=0.0)) for _, _, times in _looks(flights, sorties)), default=0.0)


def at_risk_s(
    flights: Sequence[Flight], sorties: Sequence[Sortie], stations: Floats, starts_s: Floats, weights: Floats
) -> float:
    """The longest time between two looks at one place, times its weight meanwhile, seconds.

    Parameters
    ----------
    flights, sorties
        Who looks at what when.
    stations
        Ends of the pieces of the course that have weights, metres, shape (n,).
    starts_s
        When each row of weights begins to hold, seconds, shape (k,), the first at 0.
    weights
        Weight of each piece from then on, shape (k, n - 1).
    """
    longest = 0.0
    for low, high, times in _looks(flights, sorties):
        first, last = np.searchsorted(stations, low, side="right") - 1, np.searchsorted(stations, high)
        worst = weights[:, first:last].max(axis=1)
        # Weight times time since the start of the shift, at each look.
        edges = np.append(starts_s, max(float(times.max(initial=0.0)), starts_s[-1]) + 1.0)
        passed = np.concatenate([[0.0], np.cumsum(worst * np.diff(edges))])
        longest = max(longest, float(np.diff(np.interp(times, edges, passed)).max(initial=0.0)))
    return longest


def _looks(flights: Sequence[Flight], sorties: Sequence[Sortie]) -> Iterator[tuple[float, float, Floats]]:
    """Parts of the course between neighbouring ends of sorties, metres, and when each is looked at, seconds, rising.

    One place stands for all of a part: what passes it passes all of them.
    """
    starts: list[list[float]] = [[] for _ in sorties]
    for flight in flights:
        starts[flight.sortie].append(flight.start_s)
    ends = np.unique([end for sortie in sorties for run in sortie.runs for end in (run.from_m, run.to_m)])
    looks: list[list[Floats]] = [[] for _ in ends[1:]]
    for sortie, own in zip(sorties, starts, strict=True):
        low, high = np.searchsorted(ends, (sortie.from_m, sortie.to_m)).tolist()
        middle = (ends[low:high] + ends[low + 1 : high + 1]) / 2
        for place, after_s in zip(range(low, high), passed_s(sortie, middle), strict=True):
            if np.isfinite(after_s):
                looks[place].append(np.array(own) + after_s)
    for part, times in enumerate(looks):
        if times:
            yield float(ends[part]), float(ends[part + 1]), np.sort(np.concatenate(times))
