"""Laps of circles that wings fly beside a way: where they lead, over what ground, and which heights they give."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from missions.effort import rises
from missions.fleet import Aircraft
from missions.slopes import Followed, Slopes, followed
from missions.wind import Wind

__all__ = ["Bounds", "Circles", "Laps", "Profile", "courses"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CORNERS = 18
"""Vertices of a circle as it is flown."""

_WIDER = 1.03
"""Its radius, in radii of the tightest turn: chords turn no faster than the arc between them."""

_HALVES = 2
"""Samples of the ground on each of its chords."""

_MOST_LAPS = 8
_SPARE_M = 1.0
"""What circles keep within their bounds, metres: the ground is sampled closer when they are built."""


class Profile(NamedTuple):
    """A way over the ground, and how high above it it may be flown.

    Parameters
    ----------
    steps
        Pieces between samples, metres east and north, shape (n - 1, 2).
    ground_m
        Elevation of the ground at samples, metres AMSL, shape (n,).
    low_m, high_m, wanted_m
        Heights above ground: what is planned at least and at most, and what is wanted, metres, shape (n,).
    slopes
        What `rises` says of the pieces, shape (4, n - 1).
    floor_m
        Heights above ground that are flown at least, metres, shape (n,): what is planned is nowhere below.
    late_m
        By how much a long climb is flown late, metres.
    ceiling_m
        Heights that are flown at most, above the ground, or outside of bends above the lower of that beside them,
        metres, shape (n,).
    most_m
        What is planned at most so that this is so, metres, shape (n,): where there is room.
    """

    steps: Floats
    ground_m: Floats
    low_m: Floats
    high_m: Floats
    wanted_m: Floats
    slopes: Floats
    floor_m: Floats
    late_m: float
    ceiling_m: Floats
    most_m: Floats

    def followed(self) -> Followed:
        """Heights along it that can be flown, metres AMSL."""
        return followed(
            self.ground_m + self.low_m,
            self.ground_m + self.high_m,
            self.ground_m + self.wanted_m,
            Slopes.of(*self.slopes[:2]),
            Slopes.of(*self.slopes[2:]),
        )


@dataclass(frozen=True)
class Circles:
    """The circles that may be flown beside a way.

    Parameters
    ----------
    aircraft, wind
        Who flies them, in what wind.
    sides
        On which side of the way they lie at each sample, 1 left, -1 right, 0 either, shape (n,).
    ground
        Elevations, metres AMSL, shape (m, k), at places so far, metres east and north, shape (m, k, 2), from samples of
        the way, shape (m,); NaN where there is none.
    clear
        Whether a circle, given as `ground` has it for one sample, touches nothing that is shut.
    """

    aircraft: Aircraft
    wind: Wind
    sides: Ints
    ground: Callable[[Ints, Floats], Floats]
    clear: Callable[[int, Floats], bool]

    @property
    def radius_m(self) -> float:
        """Radius of a circle, metres."""
        return _WIDER * self.aircraft.turn_radius_in(self.wind)

    def lap(self, courses: Floats, sides: Ints) -> Floats:
        """Vertices of one lap, from the way back to it, metres from the place, shape (m, `_CORNERS` + 1, 2).

        `courses` are those of the way there, unit vectors, shape (m, 2), and `sides` where to circle, 1 left, -1
        right, shape (m,).
        """
        turned = np.linspace(0.0, 2 * math.pi, _CORNERS + 1)[:, None]
        normals = sides[:, None] * np.stack([-courses[:, 1], courses[:, 0]], axis=-1)
        return np.asarray(self.radius_m * (np.sin(turned) * courses[:, None] + (1 - np.cos(turned)) * normals[:, None]))


class Bounds(NamedTuple):
    """What bounds that come after a place ask of the heights there, each from the place on, along the last axis.

    Parameters
    ----------
    rise_m, fall_m
        What can be climbed and descended from the place to each.
    low_m, high_m
        Least and greatest heights there that the bounds on the way leave, whatever those at the place.
    """

    rise_m: Floats
    fall_m: Floats
    low_m: Floats
    high_m: Floats

    @classmethod
    def of(cls, low: Floats, high: Floats, rise: Floats, fall: Floats) -> Bounds:
        """From bounds, and what can be climbed and descended to each of them from the place."""
        return cls(
            rise,
            fall,
            np.maximum.accumulate(low + fall, axis=-1) - fall,
            np.minimum.accumulate(high - rise, axis=-1) + rise,
        )

    @property
    def room_m(self) -> Floats:
        """By how much these heights leave room: below 0 there is none, whatever the heights at the place."""
        return self.high_m - self.low_m

    @property
    def least_m(self) -> Floats:
        """What the least height at the place must not be above."""
        return self.high_m + self.fall_m

    @property
    def greatest_m(self) -> Floats:
        """What the greatest height at the place must not be below."""
        return self.low_m - self.rise_m


@dataclass(frozen=True)
class Laps:
    """One lap at each of some samples, on some side: as a `Profile` has it, samples along the second axis.

    `over_m` is by how much the ground that it is flown over, outside of where it is planned, is above that below it.
    """

    samples: Ints
    sides: Ints
    lap: Floats
    steps: Floats
    ground_m: Floats
    over_m: Floats
    slopes: Floats

    @classmethod
    def at(cls, samples: Ints, sides: Ints, way: Profile, circles: Circles) -> Laps:
        """Laps at samples of a way, on the side that is said for each, shape (m,)."""
        course = courses(way.steps)[0][samples]
        lap = circles.lap(course, sides)
        share = np.arange(_HALVES) / _HALVES
        parts = lap[:, :-1, None] + share[:, None] * np.diff(lap, axis=1)[:, :, None]
        places = np.concatenate([parts.reshape(len(samples), -1, 2), lap[:, -1:]], axis=1)
        steps = np.diff(places, axis=1)
        craft = circles.aircraft
        slopes = np.array(rises(craft, steps.reshape(-1, 2), craft.cruise_m_s, circles.wind, patrol=False))
        normals = sides[:, None] * np.stack([-course[:, 1], course[:, 0]], axis=-1)
        centre = circles.radius_m * normals[:, None]
        wide = centre + (places - centre) * (1 + craft.wide_in(circles.wind) / circles.radius_m)
        ground_m = circles.ground(samples, places)
        over_m = np.fmax(circles.ground(samples, wide) - ground_m, 0.0)
        return cls(samples, sides, lap, steps, ground_m, over_m, slopes.reshape(4, *steps.shape[:2]))

    def flown(self, way: Profile, least: Floats, greatest: Floats) -> tuple[Floats, Floats]:
        """Heights that can be had after so many laps, from 1 on, from those that can be had before, shape (laps, m).

        Where there are none the least is infinite, and the greatest too, below.
        """
        low = (self.ground_m + self.over_m)[:, 1:] + way.floor_m[self.samples, None] + way.late_m + _SPARE_M
        high = self.ground_m[:, 1:] + way.high_m[self.samples, None] - _SPARE_M
        # A place without elevation bounds nothing that can be flown.
        low, high = np.where(np.isnan(low), np.inf, low), np.where(np.isnan(high), -np.inf, high)
        bounds = Bounds.of(low, high, np.cumsum(self.slopes[2], axis=1), np.cumsum(self.slopes[3], axis=1))
        made = []
        for _ in range(_MOST_LAPS):
            fits = (least <= bounds.least_m.min(axis=1)) & (greatest >= bounds.greatest_m.max(axis=1))
            fits &= bounds.room_m.min(axis=1) >= 0
            least = np.where(fits, np.maximum(least - bounds.fall_m[:, -1], bounds.low_m[:, -1]), np.inf)
            greatest = np.where(fits, np.minimum(greatest + bounds.rise_m[:, -1], bounds.high_m[:, -1]), -np.inf)
            made.append((least, greatest))
        lows, highs = zip(*made, strict=True)
        return np.array(lows), np.array(highs)


def courses(steps: Floats) -> tuple[Floats, Floats]:
    """Course of a way at its samples, unit vectors, shape (n, 2), and by how much it bends there, radians, shape (n,).

    Bends to the left are above 0. Pieces of no length have the course of the one before.
    """
    length = np.hypot(*steps.T)
    some = np.maximum.accumulate(np.where(length > 0, np.arange(len(steps)), 0))
    some[: int(np.argmax(length > 0))] = int(np.argmax(length > 0))
    unit = steps[some] / np.maximum(length[some], 1e-12)[:, None]
    before, after = np.concatenate([unit[:1], unit]), np.concatenate([unit, unit[-1:]])
    middle = before + after
    bend = np.arctan2(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0], (before * after).sum(axis=1))
    return middle / np.maximum(np.hypot(*middle.T), 1e-12)[:, None], bend
