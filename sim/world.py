"""A flat piece of world with things that move in it.

Frame: a local ENU frame at the world's origin; a point of the ground is (east_m, north_m). Times are seconds since the
world's epoch, which is a UTC time in microseconds.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo import LocalFrame
from sim.errors import WorldError

__all__ = ["KINDS", "Actor", "KindSize", "Path", "Road", "World", "join", "stand", "walk"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class KindSize:
    """Outer size of a kind of actor, metres: along its heading, across it, and up."""

    length_m: float
    width_m: float
    height_m: float


KINDS: Mapping[str, KindSize] = MappingProxyType(
    {
        "person": KindSize(0.5, 0.5, 1.75),
        "vehicle": KindSize(4.6, 1.9, 1.6),
        "bicycle": KindSize(1.8, 0.6, 1.7),
        "animal": KindSize(1.3, 0.4, 0.9),
    }
)
"""Every kind of actor that a world may hold."""


@dataclass(frozen=True, eq=False)
class Path:
    """A timed polyline on the ground; before its first and after its last vertex the actor stands there.

    Parameters
    ----------
    time_s
        Times of the vertices, seconds since the world's epoch, strictly increasing, shape (n,), n >= 1.
    points_m
        Vertices (east, north), metres, shape (n, 2).
    facing_deg
        Heading of an actor that has not moved yet, degrees clockwise from north.

    Raises
    ------
    WorldError
        When the shapes do not fit or the times do not increase.
    """

    time_s: Floats
    points_m: Floats
    facing_deg: float = 0.0
    _distance_m: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        time = np.atleast_1d(np.asarray(self.time_s, dtype=float))
        points = np.atleast_2d(np.asarray(self.points_m, dtype=float))
        if points.shape != (time.size, 2) or not (np.isfinite(time).all() and np.isfinite(points).all()):
            raise WorldError(
                f"path has {time.size} times and points of shape {points.shape}: give one finite (east, north) a time"
            )
        if np.any(np.diff(time) <= 0):
            where = int(np.flatnonzero(np.diff(time) <= 0)[0]) + 1
            raise WorldError(f"path time {where} is not after the one before it: give times in increasing order")
        object.__setattr__(self, "time_s", time)
        object.__setattr__(self, "points_m", points)
        steps = np.hypot(*np.diff(points, axis=0).T)
        object.__setattr__(self, "_distance_m", np.concatenate([[0.0], np.cumsum(steps)]))

    def at(self, time_s: ArrayLike) -> Floats:
        """Positions (east, north), metres, shape (..., 2), at times, seconds, shape (...)."""
        t = np.asarray(time_s, dtype=float)
        return np.stack([np.interp(t, self.time_s, self.points_m[:, axis]) for axis in (0, 1)], axis=-1)

    @property
    def length_m(self) -> float:
        """Length of the whole path, metres."""
        return float(self._distance_m[-1])

    def walked_m(self, time_s: float) -> float:
        """Distance walked since the first vertex, metres: what the phase of a gait follows."""
        return float(np.interp(time_s, self.time_s, self._distance_m))

    def speed_mps(self, time_s: float) -> float:
        """Speed over ground, metres a second."""
        piece = int(np.searchsorted(self.time_s, time_s, side="right"))
        if piece in {0, self.time_s.size}:
            return 0.0
        return float(np.diff(self._distance_m)[piece - 1] / np.diff(self.time_s)[piece - 1])

    def heading_deg(self, time_s: float) -> float:
        """Direction of the latest movement, degrees clockwise from north; `facing_deg` before any movement."""
        moved = np.flatnonzero(np.diff(self._distance_m) > 1e-6)
        if not moved.size:
            return self.facing_deg
        now = int(np.searchsorted(self.time_s, time_s, side="right")) - 1
        past = moved[moved <= now]
        east, north = np.diff(self.points_m, axis=0)[past[-1] if past.size else moved[0]]
        return math.degrees(math.atan2(east, north)) % 360.0

    def shifted(self, delay_s: float) -> Path:
        """The same path `delay_s` seconds later."""
        return Path(self.time_s + delay_s, self.points_m, self.facing_deg)


def walk(
    waypoints: ArrayLike, speed_mps: float, *, start_s: float = 0.0, seed: int = 0, variation: float = 0.06
) -> Path:
    """A path through waypoints at a natural pace.

    Parameters
    ----------
    waypoints
        Points (east, north), metres, shape (n, 2), n >= 2.
    speed_mps
        Mean speed, metres a second: people 1.0 to 1.8 walking and 3 running, vehicles 5 to 12.
    start_s
        Time at the first waypoint, seconds since the epoch.
    seed
        Chooses the variation.
    variation
        One-sigma relative change of speed from second to second; 0 gives constant speed along straight lines.

    Raises
    ------
    WorldError
        When there are fewer than two waypoints or the speed is not positive.
    """
    points = np.asarray(waypoints, dtype=float)
    if points.ndim != 2 or points.shape[0] < 2 or points.shape[1] != 2 or not speed_mps > 0:
        raise WorldError(
            f"walk through points of shape {points.shape} at {speed_mps} m/s: give (n, 2), n >= 2, speed > 0"
        )
    rng = np.random.default_rng([seed, 0x3A17])
    time, where = [start_s], [points[0]]
    for start, end in itertools.pairwise(points):
        length = float(np.hypot(*(end - start)))
        if length == 0:
            continue
        count = max(1, round(length / speed_mps))
        pace = np.maximum(0.5, 1 + variation * rng.standard_normal(count))
        across = np.array([-(end - start)[1], (end - start)[0]]) / length
        sway = 0.5 * variation * rng.standard_normal(count)
        sway[-1] = 0.0
        share = np.arange(1, count + 1) / count
        time.extend((time[-1] + np.cumsum(length / count / (speed_mps * pace))).tolist())
        where.extend(start + share[:, None] * (end - start) + sway[:, None] * across)
    return Path(np.array(time), np.array(where))


def stand(point: ArrayLike, *, start_s: float, end_s: float, facing_deg: float = 0.0) -> Path:
    """A path that stays at (east, north), metres, from `start_s` to `end_s`."""
    where = np.asarray(point, dtype=float)
    return Path(np.array([start_s, end_s]), np.array([where, where]), facing_deg)


def join(paths: Sequence[Path]) -> Path:
    """One path out of several that follow each other in time; each moves to the start of the next in a straight line.

    Raises
    ------
    WorldError
        When there are none, or one begins before the one before it ends.
    """
    if not paths:
        raise WorldError("no paths to join: give at least one")
    time, points = [paths[0].time_s], [paths[0].points_m]
    for path in paths[1:]:
        skip = 1 if path.time_s[0] == time[-1][-1] else 0
        time.append(path.time_s[skip:])
        points.append(path.points_m[skip:])
    return Path(np.concatenate(time), np.concatenate(points), paths[0].facing_deg)


@dataclass(frozen=True, slots=True)
class Actor:
    """Something that moves on the ground.

    Parameters
    ----------
    id
        Number of the actor, unique in its world.
    kind
        A key of `KINDS`.
    path
        Where it is when; its ground point is the point between its feet or wheels.
    seed
        Chooses its looks: height, clothes, colour.

    Raises
    ------
    WorldError
        When the kind is unknown.
    """

    id: int
    kind: str
    path: Path
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise WorldError(f"actor {self.id} is of unknown kind {self.kind!r}: use one of {', '.join(KINDS)}")


@dataclass(frozen=True, eq=False)
class Road:
    """A track on the ground.

    Parameters
    ----------
    points_m
        Vertices (east, north), metres, shape (n, 2).
    width_m
        Width, metres.
    """

    points_m: Floats
    width_m: float = 3.0


@dataclass(frozen=True)
class World:
    """Flat ground with roads, vegetation and actors.

    Parameters
    ----------
    lat_deg, lon_deg
        Origin of the local frame, degrees WGS 84.
    ground_amsl_m
        Elevation of the ground everywhere, metres AMSL.
    epoch_us
        Time of second 0 of every path, UTC microseconds since the Unix epoch.
    actors
        Everything that moves, ids unique.
    roads
        Tracks on the ground.
    seed
        Chooses texture and vegetation.
    bushes
        Share of the usual density of vegetation and rocks; 0 for none.

    Raises
    ------
    WorldError
        When two actors share an id.
    """

    lat_deg: float
    lon_deg: float
    ground_amsl_m: float
    epoch_us: int
    actors: tuple[Actor, ...] = ()
    roads: tuple[Road, ...] = ()
    seed: int = 0
    bushes: float = 1.0

    def __post_init__(self) -> None:
        ids = [actor.id for actor in self.actors]
        if len(set(ids)) != len(ids):
            raise WorldError("two actors of the world share an id: give each its own")

    @property
    def frame(self) -> LocalFrame:
        """The local frame, its origin on the ground."""
        return LocalFrame(self.lat_deg, self.lon_deg, self.ground_amsl_m)

    def seconds(self, time_us: int) -> float:
        """Seconds since the world's epoch of a UTC time in microseconds."""
        return (time_us - self.epoch_us) / 1e6
