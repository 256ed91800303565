"""The course of a patrol: what sorties are cut from.

Vertices in order, and for each leg what the camera watches on it, and to which side. `missions.border_course` makes one
beside a border, `missions.network_course` one past the lines of a network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo import geodesic_distance_m

__all__ = ["LONG_EMPTY_M", "Cost", "Course", "CourseLine", "Gap", "distances_m", "gap_for"]

Floats = NDArray[np.float64]
Cost = Callable[[Floats, bool], Floats]
"""Seconds that straight pieces take, vectors in metres, shape (n, 2), on patrol or not; infinite for too much wind."""

LONG_EMPTY_M = 500.0
"""An unwatched piece of this length is flown in a layer of transit, where it is in nobody's way, metres."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of the flight line that cannot be flown.

    Parameters
    ----------
    from_m, to_m
        Where it was cut out, metres along the flight line.
    reason
        Why.
    lat_deg, lon_deg
        Vertices of what was cut out, degrees.
    several
        The reasons one by one, where it has some: names in them may hold any word.
    """

    from_m: float
    to_m: float
    reason: str
    lat_deg: tuple[float, ...] = ()
    lon_deg: tuple[float, ...] = ()
    several: tuple[str, ...] = field(default=(), compare=False)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, one by one."""
        return self.several or (self.reason,)

    @property
    def length_m(self) -> float:
        """Length of the flight line that is lost, metres."""
        return self.to_m - self.from_m


def gap_for(reasons: Iterable[str], from_m: float, to_m: float) -> Gap:
    """A gap between places along the flight line, metres, for some reasons, each told once."""
    each = tuple(dict.fromkeys(reasons))
    return Gap(from_m, to_m, " and ".join(each), several=each)


@dataclass(frozen=True, slots=True)
class CourseLine:
    """A line that is watched from a course: its name and priority (1 is watched first)."""

    name: str
    priority: int = 1


@dataclass(frozen=True, slots=True)
class Course:
    """Where a patrol flies.

    Parameters
    ----------
    lat_deg, lon_deg
        Vertices, degrees, shape (n,); longitudes run on across the antimeridian.
    along_m
        Distance of each from the first along the course, metres.
    look
        Side on which what is watched on each leg lies, shape (n - 1,): 1 for left, -1 for right, 0 where nothing is.
    passable
        Whether each leg can be flown at all, shape (n - 1,): False where no lawful way joins two pieces.
    line_m
        Where along its line each leg begins and ends, metres, shape (n - 1, 2); of no meaning where nothing is watched.
    line
        Number in `lines` of what is watched on each leg, shape (n - 1,); of no meaning where nothing is.
    lines
        What is watched.
    gaps
        What was cut out of the flight line.
    feet_m
        Metres along it of places, rising, and along the line that is watched there of what lies nearest to each, shape
        (2, k). Where that goes back on a leg that `line_m` has go on, the line is a ring, and begins there.
    """

    lat_deg: Floats
    lon_deg: Floats
    along_m: Floats
    look: NDArray[np.int64]
    passable: NDArray[np.bool_]
    line_m: Floats
    line: NDArray[np.int64]
    lines: tuple[CourseLine, ...]
    gaps: tuple[Gap, ...]
    feet_m: Floats

    @property
    def watched(self) -> NDArray[np.bool_]:
        """Whether the camera watches a band on each leg, shape (n - 1,)."""
        return np.asarray(self.look != 0)

    @property
    def length_m(self) -> float:
        """Length, metres."""
        return float(self.along_m[-1])

    def at(self, along_m: ArrayLike) -> tuple[Floats, Floats]:
        """Latitude and longitude, degrees, at distances along the course."""
        at = np.asarray(along_m, dtype=float)
        return np.interp(at, self.along_m, self.lat_deg), np.interp(at, self.along_m, self.lon_deg)

    def legs_between(self, along_m: Floats) -> NDArray[np.int64]:
        """Number of the leg in the middle of each piece between rising distances along the course, shape (n - 1,)."""
        return self.leg_at((along_m[:-1] + along_m[1:]) / 2)

    def between(self, from_m: float, to_m: float) -> tuple[Floats, Floats]:
        """Latitudes and longitudes, degrees, of the vertices of a stretch, ends included."""
        inner = (self.along_m > from_m) & (self.along_m < to_m)
        return self.at(np.concatenate([[from_m], self.along_m[inner], [to_m]]))

    def leg_at(self, along_m: ArrayLike) -> NDArray[np.int64]:
        """Number of the leg at distances along the course."""
        return np.clip(np.searchsorted(self.along_m, np.asarray(along_m)) - 1, 0, len(self.look) - 1)

    def long_empty(self) -> Floats:
        """Where the unwatched pieces begin that are flown in a layer of transit, metres along the course."""
        edges = np.flatnonzero(np.diff(np.concatenate([[True], self.watched, [True]]).astype(int)))
        first, last = self.along_m[edges[::2]], self.along_m[edges[1::2]]
        return np.asarray(first[last - first >= LONG_EMPTY_M])

    def stations(self, step_m: float) -> Floats:
        """Distances along the course at which a sortie may begin or end, metres.

        Watched pieces are divided evenly into steps of about `step_m`; within a gap there is none.
        """
        changes = [np.diff(what) != 0 for what in (self.look, self.passable.astype(int), self.line)]
        edges = np.flatnonzero(np.any(changes, axis=0))
        edges = np.concatenate([[0], edges + 1, [len(self.watched)]])
        out = [self.along_m[:1]]
        for a, b in pairwise(edges):
            start, stop = float(self.along_m[a]), float(self.along_m[b])
            count = max(1, round((stop - start) / step_m)) if self.watched[a] else 1
            out.append(np.linspace(start, stop, count + 1)[1:])
        return np.concatenate(out)


def distances_m(lat: Floats, lon: Floats) -> Floats:
    """Distance of each vertex from the first along a line, metres, shape (n,)."""
    return np.concatenate([[0.0], np.cumsum(geodesic_distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:]))])
