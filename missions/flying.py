"""From points on the ground to legs in the air: heights, times, energies."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo import Terrain
from missions.border import Side
from missions.fleet import Aircraft
from missions.patrol import Leg, LegKind, Waypoint
from missions.plane import Plane
from missions.profile import GroundBelow, straightened
from missions.wind import CALM, Wind

__all__ = ["PROFILE_TOLERANCE_M", "Pilot", "effort", "leg_effort"]

Floats = NDArray[np.float64]

_SAME_M = 0.05
"""Points nearer to each other than this are one, metres."""

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
    if patrol:
        ground = np.minimum(speed_m_s, wind.ground_speed(course, aircraft.max_m_s))
        if aircraft.min_m_s > 0:
            slow = wind.airspeed(course, ground) < aircraft.min_m_s
            ground = np.where(slow, wind.ground_speed(course, aircraft.min_m_s), ground)
    else:
        ground = wind.ground_speed(course, speed_m_s)
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


def leg_effort(aircraft: Aircraft, distance_m: float, rise_m: float, speed_m_s: float) -> tuple[float, float]:
    """Time, seconds, and energy, watt hours, of a straight piece in calm air."""
    time, energy = effort(
        aircraft, np.array([[distance_m, 0.0]]), np.array([rise_m]), speed_m_s=speed_m_s, wind=CALM, patrol=False
    )
    return float(time[0]), float(energy[0])


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
