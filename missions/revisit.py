"""When places of the course are looked at, and how long they are left alone between two looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from missions.patrol import Flight, Roster
from missions.sortie import Sortie
from missions.turns import turns_of

__all__ = ["at_risk_s", "left_alone_by_part", "left_alone_s", "passed_s", "rounds_s"]

Floats = NDArray[np.float64]
_PLACES = np.array([0.001, 0.5, 0.999])
"""Which places of a part stand for all of them, shares of its length."""

_Watcher = tuple[Sortie, Floats]
"""A sortie, and when it takes off, seconds."""


def passed_s(sortie: Sortie, along_m: ArrayLike) -> Floats:
    """Seconds after take-off at which a sortie passes places of its runs, metres along the course.

    Legs but for circles are laid over the course in proportion to their length: waypoints over terrain are no vertices
    of it. Not a number for places that it does not patrol.
    """
    along = np.asarray(along_m, dtype=float)
    out = np.full(along.shape, np.nan)
    clock = np.cumsum([0.0, *(leg.duration_s for leg in sortie.legs)])
    for run in sortie.runs:
        flown = np.cumsum([0.0, *(leg.onward_m for leg in sortie.legs[run.start : run.stop])])
        share = (along - run.from_m) / (run.to_m - run.from_m)
        own = (share >= 0) & (share <= 1)
        out[own] = np.interp(share[own] * flown[-1], flown, clock[run.start : run.stop + 1])
    return out


def rounds_s(roster: Roster, sorties: Sequence[Sortie]) -> dict[int, float]:
    """The longest time from one take-off for a sortie of a roster to the next, by its number, where nobody waits, s.

    The aircraft follow each other at equal distances; one that is alone may come to a sortie more often than to others.
    """
    if not roster.sorties:
        return {}
    turns = turns_of(roster.sorties, sorties)
    begin = np.cumsum([0.0, *turns.slots_s])
    out = {}
    for own in turns.kinds:
        for number in dict.fromkeys(own):
            at = begin[:-1][np.array(own) == number]
            out[number] = float(np.diff([*at, at[0] + begin[-1]]).max()) / len(roster.sysids)
    return out


def left_alone_s(flights: Sequence[Flight], sorties: Sequence[Sortie], shift_s: float = 0.0) -> float:
    """The longest time from a look at a place to the next, by whichever sorties, or to the end of a shift, seconds.

    A shift that ends without another look for want of batteries is none that is watched to its end. Before its first
    look a place is left alone until somebody takes off for it.
    """
    return max((alone_s for alone_s, _ in left_alone_by_part(flights, sorties, shift_s)), default=0.0)


def left_alone_by_part(
    flights: Sequence[Flight], sorties: Sequence[Sortie], shift_s: float = 0.0
) -> Iterator[tuple[float, list[Sortie]]]:
    """The same for each part of the course between neighbouring ends of runs, with the sorties that watch it."""
    for low, high, watchers in _parts(flights, sorties):
        longest = _begun_s(watchers)
        # What passes one place of a part passes all of them; the end of the shift comes at another time after each.
        times = _times(watchers, low + _PLACES * (high - low))
        if times.size:
            times = np.concatenate([times, np.maximum(times[-1:], shift_s)])
        yield max(longest, float(np.diff(times, axis=0).max(initial=0.0))), [sortie for sortie, _ in watchers]


def at_risk_s(
    flights: Sequence[Flight],
    sorties: Sequence[Sortie],
    stations: Floats,
    starts_s: Floats,
    weights: Floats,
    *,
    shift_s: float,
) -> Floats:
    """The longest time from a look at a place to the next or the end of the shift, times its weight meanwhile, seconds.

    Or from the beginning of the shift until somebody takes off for its first look. For each piece of the course, shape
    (n - 1,); 0 where none looks.

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
    shift_s
        When the shift ends, seconds: aircraft come home from their last sorties one by one, and who looks at what after
        it says nothing about the patrol.
    """
    middle = (stations[:-1] + stations[1:]) / 2
    ends = [*starts_s[1:].tolist(), shift_s]
    longest = np.zeros(len(middle))
    for low, high, watchers in _parts(flights, sorties):
        own = slice(*np.searchsorted(middle, (low, high)).tolist())
        # When it is looked at matters now: one place does not stand for all.
        times = _times(watchers, middle[own])
        if not times.size:
            continue
        since = np.concatenate([np.zeros((1, times.shape[1])), times])
        until = np.concatenate(
            [np.full((1, times.shape[1]), _begun_s(watchers)), times[1:], np.full_like(times[:1], shift_s)]
        )
        at_risk = np.zeros(since.shape)
        for begin, end, weight in zip(starts_s.tolist(), ends, weights[:, own], strict=True):
            within = np.minimum(until, end) - np.maximum(since, begin)
            at_risk += weight * np.maximum(within, 0.0)
        longest[own] = at_risk.max(axis=0)
    return longest


def _parts(flights: Sequence[Flight], sorties: Sequence[Sortie]) -> Iterator[tuple[float, float, list[_Watcher]]]:
    """Parts of the course between neighbouring ends of runs, metres, and who watches each."""
    starts: list[list[float]] = [[] for _ in sorties]
    for flight in flights:
        starts[flight.sortie].append(flight.start_s)
    ends = np.unique([end for sortie in sorties for run in sortie.runs for end in (run.from_m, run.to_m)])
    watchers: list[list[_Watcher]] = [[] for _ in ends[1:]]
    for sortie, own in zip(sorties, starts, strict=True):
        for run in sortie.runs:
            low, high = np.searchsorted(ends, sorted((run.from_m, run.to_m))).tolist()
            for part in range(low, high):
                watchers[part].append((sortie, np.array(own)))
    for part, who in enumerate(watchers):
        if who:
            yield float(ends[part]), float(ends[part + 1]), who


def _begun_s(watchers: Sequence[_Watcher]) -> float:
    """When somebody takes off for a part for the first time, seconds."""
    return min((float(starts.min()) for _, starts in watchers if len(starts)), default=0.0)


def _times(watchers: Sequence[_Watcher], along_m: Floats) -> Floats:
    """When some places of a part are looked at, seconds, rising, shape (looks, places)."""
    looks = [start_s[:, None] + passed_s(sortie, along_m) for sortie, start_s in watchers]
    return np.sort(np.concatenate(looks), axis=0)
