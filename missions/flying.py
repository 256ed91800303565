"""From points on the ground to legs in the air: heights, times, energies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geo import Terrain
from missions.border import Side
from missions.errors import TooSteepError
from missions.fleet import Aircraft
from missions.plane import Plane
from missions.profile import GroundBelow, straightened
from missions.slopes import Slopes, followed
from missions.sortie import Leg, LegKind, Waypoint
from missions.wind import CALM, Wind

__all__ = ["PROFILE_TOLERANCE_M", "Part", "Pilot", "effort", "leg_effort", "rises", "steep_for"]

Floats = NDArray[np.float64]

_SAME_M = 0.05
"""Points nearer to each other than this are one, metres."""

_SPARE = 1.02
"""How much faster than planned, or than they must, wings are taken to fly where slopes are measured: legs are rounded
to places a centimetre apart."""

_FOR_EVER_S = 1e6
_ROUNDED_M = 1e-3
_STRAY_M = 1.0
"""By how much a line of heights may be outside its bounds, metres: samples closer together show as much more."""

PROFILE_TOLERANCE_M = 4.0
"""How far the straight pieces may leave the height above ground that was asked for, metres."""


def effort(
    aircraft: Aircraft, step_xy: Floats, rise_m: Floats, *, speed_m_s: float, wind: Wind, patrol: bool
) -> tuple[Floats, Floats]:
    """Time and energy of straight pieces.

    A climb adds the climb power above hover for as long as the climb takes at `climb_m_s`; a descent costs and saves
    nothing. The slowest of the three, flying, climbing and descending, sets the time. Wings that would have to fly
    slower than they can for it circle for the rest of the time.

    Parameters
    ----------
    aircraft
        What flies.
    step_xy
        East and north of each piece, metres, shape (n, 2); (0, 0) for a climb on the spot.
    rise_m
        Its rise, metres, shape (n,).
    speed_m_s
        In a transit the airspeed; on patrol the ground speed that is wanted, which the aircraft's lowest and highest
        airspeed in this wind may change.
    wind
        The wind.
    patrol
        Whether the speed is one over the ground.

    Returns
    -------
    tuple of ndarray
        Seconds and watt hours, each of shape (n,); infinite where the wind is too strong to fly the piece.
    """
    step, rise = np.asarray(step_xy, dtype=float), np.asarray(rise_m, dtype=float)
    length = np.hypot(*step.T)
    level = length > 0
    course = step / np.where(level, length, 1.0)[:, None]
    ground = _ground_m_s(aircraft, course, speed_m_s, wind, patrol=patrol)
    flown_s = np.where(level, length / np.where(ground > 0, ground, np.nan), 0.0)
    climb_s, descent_s = np.maximum(rise, 0.0) / aircraft.climb_m_s, np.maximum(-rise, 0.0) / aircraft.descent_m_s
    time = np.maximum(flown_s, np.maximum(climb_s, descent_s))
    if aircraft.has_wings:
        air = wind.airspeed(course, np.where(np.isfinite(flown_s), ground, 0.0))
    else:
        air = wind.airspeed(course, np.where(time > 0, length / np.where(time > 0, time, 1.0), 0.0))
    power = np.where(level, aircraft.power_w(air), aircraft.power_w(0.0, level=False))
    joules = power * time + (aircraft.climb_power_w - aircraft.hover_power_w) * climb_s
    stuck = ~np.isfinite(time)
    return np.where(stuck, np.inf, time), np.where(stuck, np.inf, joules / 3600)


def _ground_m_s(aircraft: Aircraft, course: Floats, speed_m_s: float, wind: Wind, *, patrol: bool) -> Floats:
    """Speed over the ground along courses, unit vectors, shape (n, 2), as `effort` takes speeds."""
    if not patrol:
        return wind.ground_speed(course, speed_m_s)
    ground = np.minimum(speed_m_s, wind.ground_speed(course, aircraft.max_m_s))
    if aircraft.min_m_s > 0:
        slow = wind.airspeed(course, ground) < aircraft.min_m_s
        ground = np.where(slow, wind.ground_speed(course, aircraft.min_m_s), ground)
    return ground


def rises(
    aircraft: Aircraft, step_xy: Floats, speed_m_s: float, wind: Wind, *, patrol: bool
) -> tuple[Floats, Floats, Floats, Floats]:
    """What wings may climb and descend on straight pieces: at their speed, and at the lowest, metres, each shape (n,).

    The parameters are those of `effort`. Where the wind is too strong to fly a piece, nothing bounds them: its time
    says so.
    """
    length = np.hypot(*step_xy.T)
    course = step_xy / np.where(length > 0, length, 1.0)[:, None]
    speeds = (
        _ground_m_s(aircraft, course, speed_m_s, wind, patrol=patrol) * _SPARE,
        wind.ground_speed(course, aircraft.min_m_s * _SPARE),
    )
    planned_s, slowest_s = (np.where(v > 0, length / np.where(v > 0, v, 1.0), _FOR_EVER_S) for v in speeds)
    slowest_s = np.maximum(slowest_s, planned_s)
    climb, descent = aircraft.climb_m_s, aircraft.descent_m_s
    return planned_s * climb, planned_s * descent, slowest_s * climb, slowest_s * descent


def steep_for(aircraft: Aircraft) -> str:
    """An aircraft with the figures that bound its slopes, in words."""
    return (
        f"{aircraft.kind!r} (climb_m_s {aircraft.climb_m_s:g}, descent_m_s {aircraft.descent_m_s:g}, "
        f"min_m_s {aircraft.min_m_s:g})"
    )


def leg_effort(aircraft: Aircraft, distance_m: float, rise_m: float, speed_m_s: float) -> tuple[float, float]:
    """Time, seconds, and energy, watt hours, of a straight piece in calm air."""
    time, energy = effort(
        aircraft, np.array([[distance_m, 0.0]]), np.array([rise_m]), speed_m_s=speed_m_s, wind=CALM, patrol=False
    )
    return float(time[0]), float(energy[0])


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a way that is flown at one height above ground, where the slopes of the ground allow.

    Parameters
    ----------
    points
        Vertices, metres in a plane, shape (n, 2).
    agl_m
        Height above ground that is wanted, metres.
    bounds_agl_m
        Between which heights above ground it may be flown, metres.
    speed_m_s, patrol
        As `effort` takes them.
    """

    points: Floats
    agl_m: float
    bounds_agl_m: tuple[float, float]
    speed_m_s: float
    patrol: bool = False


@dataclass(frozen=True, slots=True)
class Pilot:
    """Makes legs over one terrain, in one plane."""

    plane: Plane
    terrain: Terrain
    wind: Wind = CALM

    def waypoints(self, points: Floats, agl_m: float) -> list[Waypoint]:
        """Waypoints at one height above ground through points of the plane, with more where the ground needs them."""
        dense = self._profiled(points)
        lat, lon = self.plane.lat_lon(dense)
        ground = self.terrain.elevation_m(lat, lon)
        return [
            Waypoint.above(round(float(a), 7), round(float(o), 7), agl_m, round(float(g), 3))
            for a, o, g in zip(lat, lon, ground, strict=True)
        ]

    def flown(
        self, parts: Sequence[Part], aircraft: Aircraft, start: Waypoint | None = None, stop: Waypoint | None = None
    ) -> list[list[Waypoint]]:
        """Waypoints of the parts of a way, each of which begins where the one before ends.

        Rotors climb and descend as steeply as the ground, and on the spot where parts differ in height. Wings cannot:
        they have one line of heights for the whole way, with slopes that they can fly.

        Parameters
        ----------
        parts
            The parts, in the order of flight.
        aircraft
            What flies.
        start, stop
            Where the first part begins and the last one ends, in the place of their own first and last waypoint.

        Raises
        ------
        TooSteepError
            When wings cannot keep within the bounds; the message names aircraft, fields and place.
        """
        if aircraft.has_wings and math.isfinite(self.terrain.resolution_m):
            made = self._followed(parts, aircraft, start, stop)
        else:
            made = [self.waypoints(part.points, part.agl_m) for part in parts]
        if start is not None:
            made[0][0] = start
        if stop is not None:
            made[-1][-1] = stop
        return made

    def _followed(
        self, parts: Sequence[Part], aircraft: Aircraft, start: Waypoint | None, stop: Waypoint | None
    ) -> list[list[Waypoint]]:
        way = GroundBelow.along(np.concatenate([part.points for part in parts]), self.plane, self.terrain)
        count = len(way.along_m)
        first = np.cumsum([0, *(len(part.points) for part in parts)])
        ends = [(int(way.vertex[a]), int(way.vertex[b - 1])) for a, b in pairwise(first)]
        low, high, wanted = np.full(count, -np.inf), np.full(count, np.inf), np.zeros(count)
        slopes = np.zeros((4, count - 1))
        steps = np.diff(way.at(np.arange(count)), axis=0)
        for part, (a, b) in zip(parts, ends, strict=True):
            own, pieces = slice(a, b + 1), slice(a, b)
            low[own] = np.maximum(low[own], part.bounds_agl_m[0])
            high[own] = np.minimum(high[own], part.bounds_agl_m[1])
            wanted[own] = part.agl_m
            slopes[:, pieces] = rises(aircraft, steps[pieces], part.speed_m_s, self.wind, patrol=part.patrol)
        for at, k in ((start, 0), (stop, -1)):
            if at is not None:
                low[k] = high[k] = wanted[k] = at.amsl_m - way.ground_m[k]
        found = followed(
            way.ground_m + low,
            way.ground_m + high,
            way.ground_m + wanted,
            Slopes.of(*slopes[:2]),
            Slopes.of(*slopes[2:]),
        )
        # A given end is where it is, to the millimetre that heights are rounded to.
        over = found.over_m - np.where(low == high, _ROUNDED_M, _STRAY_M)
        if float(over.max()) > 0:
            worst = int(np.argmax(over))
            lat, lon = self.plane.lat_lon(way.at(np.array([worst])))
            message = (
                f"at {float(lat[0]):.5f}, {float(lon[0]):.5f} the ground is too steep: {steep_for(aircraft)} does not "
                f"stay between {low[worst]:.0f} and {high[worst]:.0f} m above it, as "
                "floor_agl_m, patrol_ceiling_agl_m and ceiling_agl_m ask; raise the ceiling, lower the floor, "
                "or send rotors"
            )
            raise TooSteepError(message, float(lat[0]), float(lon[0]))
        kept = np.unique(straightened(way, found.height_m, PROFILE_TOLERANCE_M))
        lat, lon = self.plane.lat_lon(way.at(kept))
        made = [
            Waypoint.above(round(float(a), 7), round(float(o), 7), round(float(h - g), 3), round(float(g), 3))
            for a, o, h, g in zip(lat, lon, found.height_m[kept], way.ground_m[kept], strict=True)
        ]
        which = [np.searchsorted(kept, end) for end in ends]
        return [made[a : b + 1] for a, b in which]

    def legs(
        self,
        kind: LegKind,
        waypoints: list[Waypoint],
        aircraft: Aircraft,
        speed_m_s: float,
        look: Side | None = None,
    ) -> list[Leg]:
        """Legs through waypoints: at a ground speed on patrol, looking to one side, else at an airspeed."""
        xy = self.plane.xy([w.lat_deg for w in waypoints], [w.lon_deg for w in waypoints])
        rise = np.diff([w.amsl_m for w in waypoints])
        step = np.diff(xy, axis=0)
        length = np.hypot(*step.T)
        kept = np.flatnonzero((length >= _SAME_M) | (np.abs(rise) >= _SAME_M))
        vertical = length[kept] < _SAME_M
        step = np.where(vertical[:, None], 0.0, step[kept])
        time, energy = effort(
            aircraft, step, rise[kept], speed_m_s=speed_m_s, wind=self.wind, patrol=kind is LegKind.PATROL
        )
        return [
            Leg(
                kind,
                waypoints[k],
                waypoints[k + 1],
                float(abs(rise[k]) / t if up else length[k] / t),
                float(length[k]),
                float(t),
                float(e),
                look,
            )
            for k, up, t, e in zip(kept.tolist(), vertical.tolist(), time.tolist(), energy.tolist(), strict=True)
        ]

    def _profiled(self, points: Floats) -> Floats:
        """The points, with more between them where the ground bends by more than the tolerance."""
        if math.isinf(self.terrain.resolution_m) or len(points) < 2:
            return points
        way = GroundBelow.along(points, self.plane, self.terrain)
        return way.at(straightened(way, way.ground_m, PROFILE_TOLERANCE_M))
