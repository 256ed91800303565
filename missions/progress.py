"""How far a sortie got before it broke off, and where along its course that is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo import CoordinateError, Terrain, check_coordinates
from missions.errors import ProgressError
from missions.mission import Dialect, compile_mission, legs_behind
from missions.patrol import PatrolPlan
from missions.plane import Plane
from missions.sortie import Sortie, Waypoint

__all__ = ["Progress", "Reached", "reached"]

Floats = NDArray[np.float64]

_NEAR_M = 200.0
"""A place farther than this from a sortie is not one of it, metres."""

_UNSURE_M = 10.0
"""Of the legs that are this much farther from a place than the nearest the earliest counts, metres."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sortie got.

    Parameters
    ----------
    sortie
        Its name.
    item
        Number of the last item of its mission that was reached, as MISSION_ITEM_REACHED has it.
    at
        Latitude and longitude, degrees, of where it broke off; of an aircraft in the air, where it is. Without it the
        place of the item is taken; without an item, of the legs as near to the place the earliest: what may not have
        been seen is flown again.
    battery
        Share of the battery that is left, above 0, at most 1. On the ground a fresh one, 1, by default.
    airborne
        Whether the aircraft is in the air and goes on from there; else it takes off from its base again.

    Raises
    ------
    ProgressError
        When a figure is impossible or one that is needed is missing.
    """

    sortie: str
    item: int | None = None
    at: tuple[float, float] | None = None
    battery: float | None = None
    airborne: bool = False

    def __post_init__(self) -> None:
        if self.item is None and self.at is None:
            raise ProgressError(f"{self.sortie}: how far it got is not said: give an item, a place or both")
        if self.item is not None and (isinstance(self.item, bool) or not isinstance(self.item, int) or self.item < 0):
            raise ProgressError(f"{self.sortie}: item is {self.item!r}: give a whole number from 0")
        if self.at is not None:
            try:
                check_coordinates(*self.at, f"{self.sortie}: the place where it broke off")
            except (CoordinateError, TypeError) as error:
                raise ProgressError(str(error)) from None
        if self.battery is None:
            if self.airborne:
                raise ProgressError(f"{self.sortie}: it is in the air: give what is left of its battery, 0 to 1")
            return
        number = isinstance(self.battery, int | float) and not isinstance(self.battery, bool)
        if not number or not math.isfinite(self.battery) or not 0 < self.battery <= 1:
            raise ProgressError(f"{self.sortie}: battery is {self.battery!r}: give the share left, above 0, at most 1")

    @property
    def charge(self) -> float:
        """Share of the battery that it goes on with."""
        return 1.0 if self.battery is None else float(self.battery)


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a sortie got to.

    Parameters
    ----------
    here
        The place, at the height that the sortie has there.
    flown_m
        How much of its runs is patrolled, metres from the beginning of the first.
    """

    here: Waypoint
    flown_m: float


def reached(plan: PatrolPlan, sortie: Sortie, progress: Progress, terrain: Terrain, dialect: Dialect) -> Reached:
    """Where a sortie got to; items are numbered as in its mission for `dialect`.

    Raises
    ------
    ProgressError
        When its mission has no such item, or the place is far from all that was still to be flown.
    """
    first = 0
    if progress.item is not None:
        mission = compile_mission(plan, sortie, dialect)
        if progress.item >= len(mission.items):
            raise ProgressError(
                f"{sortie.name}: item {progress.item} lies beyond its mission for {dialect}, the last is "
                f"{len(mission.items) - 1}: give the last item that it reached"
            )
        first = legs_behind(mission, sortie, progress.item)
    if progress.at is None:
        leg, share = first, 0.0
        here = sortie.legs[first - 1].end if first else sortie.legs[0].start
    else:
        leg, share = _nearest(sortie, first, progress.at)
        here = sortie.legs[leg].start
    floor_m = plan.options.floor_agl_m
    agl = here.agl_m
    if progress.at is not None:
        a, b = sortie.legs[leg].start.agl_m, sortie.legs[leg].end.agl_m
        agl = a + share * (b - a)
    lat, lon = progress.at or (here.lat_deg, here.lon_deg)
    ground = round(float(terrain.elevation_m(lat, lon)), 3)
    return Reached(Waypoint.above(float(lat), float(lon), max(agl, floor_m), ground), _flown(sortie, leg, share))


def _nearest(sortie: Sortie, first: int, at: tuple[float, float]) -> tuple[int, float]:
    """Leg, from `first` on, that an aircraft at a place is on, and the share of it that lies behind."""
    plane = Plane.at(*at)
    number = min(first, len(sortie.legs) - 1)
    legs = sortie.legs[number:]
    starts, stops = (
        plane.xy([w.lat_deg for w in ends], [w.lon_deg for w in ends])
        for ends in ([leg.start for leg in legs], [leg.end for leg in legs])
    )
    step = stops - starts
    square = np.maximum((step**2).sum(axis=1), 1e-12)
    share = np.clip(-(starts * step).sum(axis=1) / square, 0.0, 1.0)
    away = np.hypot(*(starts + share[:, None] * step).T)
    nearest = float(away.min())
    if nearest > _NEAR_M:
        after = "" if first == 0 else " after that item"
        raise ProgressError(
            f"{sortie.name}: {at[0]:.6f}, {at[1]:.6f} is {nearest:.0f} m from its legs{after}, more than "
            f"{_NEAR_M:.0f} m: give the place where it broke off, or correct the item"
        )
    k = int(np.argmax(away <= nearest + _UNSURE_M))
    return number + k, float(share[k])


def _flown(sortie: Sortie, leg: int, share: float) -> float:
    """Metres of its runs that a sortie has patrolled, with a share of a leg flown."""
    done = 0.0
    for run in sortie.runs:
        lengths = np.array([one.onward_m for one in sortie.legs[run.start : run.stop]])
        here = min(max(leg - run.start, 0), len(lengths))
        flown = float(lengths[:here].sum())
        if run.start <= leg < run.stop:
            flown += share * float(lengths[here])
        done += run.length_m * flown / float(lengths.sum())
    return done
