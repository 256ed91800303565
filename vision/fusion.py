"""One event for one crossing that several cameras saw.

Two drones that look at the same stretch each report the person who crosses there. Whether two reports are of one
person is decided on the ground: where both saw it at the same time they have to have seen it in the same place, as far
as their errors allow. The errors of a camera's pose shift its whole track alike, so the mean of the differences counts
as one measurement, not as many.

Of a group each camera reports each person. Reports are paired one to one, so that two people whom both cameras saw stay
two events, however near they walked to each other: which of them is which does not matter to the count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from geo import shorter_turn
from vision.errors import TrackError
from vision.records import Crossing, Status

__all__ = ["FusionGates", "one_each"]

Floats = NDArray[np.float64]

_PAIRS = 20
_NEVER = 1e6


@dataclass(frozen=True, slots=True)
class FusionGates:
    """When two reports may be of one crossing.

    Parameters
    ----------
    seconds
        How far apart in time the passages may be: the clocks of two systems and the errors of both tracks across the
        line.
    chi2
        Largest squared distance of the two, in units of their joint variance: 9.21 holds 99 % of true pairs.
    apart_m
        How far apart they may be whatever their errors say, metres: tracks of no precision prove nothing.

    Raises
    ------
    TrackError
        When a figure is not above 0.
    """

    seconds: float = 5.0
    chi2: float = 9.21
    apart_m: float = 30.0

    def __post_init__(self) -> None:
        for name in ("seconds", "chi2", "apart_m"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise TrackError(f"fusion: {name} is {value!r}: give a number above 0")


def one_each(crossings: Sequence[Crossing], gates: FusionGates | None = None) -> list[Crossing]:
    """The crossings of several sources, each event once, in the order of time.

    Of the reports of one event the surest is kept, confirmed before probable and then that of the smallest ellipse; the
    others are named in its `also_seen`. Reports of one source are never joined, nor those without a place on the
    ground.

    Parameters
    ----------
    crossings
        Of any number of sources, on one clock.
    gates
        When two may be one.
    """
    gates = gates or FusionGates()
    sources = list(dict.fromkeys(one.source for one in crossings))
    events: list[list[Crossing]] = []
    for source in sources:
        own = [one for one in crossings if one.source == source]
        cost = np.array([[_cost(event, one, gates) for one in own] for event in events]).reshape(len(events), len(own))
        rows, columns = linear_sum_assignment(cost)
        pairs = {int(column): int(row) for row, column in zip(rows, columns, strict=True) if cost[row, column] < _NEVER}
        for number, one in enumerate(own):
            if number in pairs:
                events[pairs[number]].append(one)
            else:
                events.append([one])
    return sorted((_told(event) for event in events), key=lambda one: (one.time_us, one.source_id))


def _cost(event: Sequence[Crossing], one: Crossing, gates: FusionGates) -> float:
    """The worst squared distance to any report of an event; `_NEVER` where it is not of that."""
    return max(_apart(other, one, gates) for other in event)


def _apart(a: Crossing, b: Crossing, gates: FusionGates) -> float:
    """Squared distance of two reports in units of their joint variance; `_NEVER` where they are of two events."""
    if a.ellipse is None or b.ellipse is None or not a.track or not b.track:
        return _NEVER
    if (a.border, a.direction, a.kind) != (b.border, b.direction, b.kind):
        return _NEVER
    if abs(a.time_us - b.time_us) > gates.seconds * 1e6:
        return _NEVER
    begin = max(a.track[0].time_us, b.track[0].time_us)
    end = min(a.track[-1].time_us, b.track[-1].time_us)
    if end < begin:
        return _NEVER
    times = np.linspace(begin, end, _PAIRS)
    there, its = (_at(one, times) for one in (a, b))
    scale = np.array([111_132.0, 111_320.0 * math.cos(math.radians(float(there[0, 0])))])
    gap = there[:, :2] - its[:, :2]
    gap[:, 1] = shorter_turn(gap[:, 1])
    mean = (gap * scale).mean(axis=0)
    variance = float((there[:, 2] ** 2 + its[:, 2] ** 2).mean())
    away = float(np.hypot(*mean))
    squared = away**2 / max(variance, 1e-9)
    return squared if squared <= gates.chi2 and away <= gates.apart_m else _NEVER


def _at(one: Crossing, times: Floats) -> Floats:
    """Latitude, longitude, degrees, and sigma, metres, of a track at some times, shape (n, 3)."""
    known = np.array([point.time_us for point in one.track], dtype=float)
    lon = np.unwrap([point.lon_deg for point in one.track], period=360.0)
    columns = ([point.lat_deg for point in one.track], lon, [point.sigma_m for point in one.track])
    return np.stack([np.interp(times, known, column) for column in columns], axis=-1)


def _told(event: Sequence[Crossing]) -> Crossing:
    """The surest report of an event, with the names of the others."""
    best, *others = sorted(event, key=_doubt)
    return replace(best, also_seen=tuple(sorted((one.source, one.source_id) for one in others)))


def _doubt(one: Crossing) -> tuple[bool, float, str]:
    area = math.inf if one.ellipse is None else one.ellipse.semi_major_m * one.ellipse.semi_minor_m
    return one.status is not Status.CONFIRMED, area, one.source_id
