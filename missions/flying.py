"""From points on the ground to legs in the air: heights, times, energies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import Terrain
from missions.fleet import Aircraft
from missions.patrol import Leg, LegKind, Waypoint
from missions.plane import Plane

__all__ = ["Pilot", "leg_effort"]

Floats = NDArray[np.float64]

_PROFILE_TOLERANCE_M = 4.0
"""How far the straight pieces may leave the height above ground that was asked for, metres."""


def leg_effort(aircraft: Aircraft, distance_m: float, rise_m: float, speed_m_s: float) -> tuple[float, float]:
    """Time, seconds, and energy, watt hours, of a straight piece.

    A climb adds the climb power above hover for as long as the climb takes at `climb_m_s`; a descent costs and saves
    nothing. The slowest of the three, flying, climbing and descending, sets the time.
    """
    climb_s, descent_s = max(rise_m, 0.0) / aircraft.climb_m_s, max(-rise_m, 0.0) / aircraft.descent_m_s
    level_s = distance_m / speed_m_s if distance_m > 0 else 0.0
    time_s = max(level_s, climb_s, descent_s)
    speed = distance_m / time_s if time_s > 0 else 0.0
    joules = aircraft.power_w(speed) * time_s + (aircraft.climb_power_w - aircraft.hover_power_w) * climb_s
    return time_s, joules / 3600


@dataclass(frozen=True, slots=True)
class Pilot:
    """Makes legs over one terrain, in one plane."""

    plane: Plane
    terrain: Terrain

    def waypoints(self, points: Floats, agl_m: float) -> list[Waypoint]:
        """Waypoints at one height above ground through points of the plane, with more where the ground needs them."""
        dense = self._profiled(points)
        lat, lon = self.plane.lat_lon(dense)
        ground = self.terrain.elevation_m(lat, lon)
        return [
            Waypoint.above(round(float(a), 7), round(float(o), 7), agl_m, round(float(g), 3))
            for a, o, g in zip(lat, lon, ground, strict=True)
        ]

    def legs(self, kind: LegKind, waypoints: list[Waypoint], aircraft: Aircraft, speed_m_s: float) -> list[Leg]:
        """Legs through waypoints at one speed."""
        xy = self.plane.xy([w.lat_deg for w in waypoints], [w.lon_deg for w in waypoints])
        made = []
        for (a, b), (p, q) in zip(pairwise(waypoints), pairwise(xy), strict=True):
            distance = float(np.hypot(*(q - p)))
            rise = b.amsl_m - a.amsl_m
            if distance < 0.05 and abs(rise) < 0.05:
                continue
            vertical = distance < 0.05
            speed = (aircraft.climb_m_s if rise > 0 else aircraft.descent_m_s) if vertical else speed_m_s
            time_s, energy_wh = leg_effort(aircraft, 0.0 if vertical else distance, rise, speed)
            made.append(Leg(kind, a, b, speed, distance, time_s, energy_wh))
        return made

    def _profiled(self, points: Floats) -> Floats:
        """The points, with more between them where the ground bends by more than the tolerance."""
        if math.isinf(self.terrain.resolution_m) or len(points) < 2:
            return points
        out = [points[:1]]
        for a, b in pairwise(points):
            length = float(np.hypot(*(b - a)))
            count = max(1, math.ceil(length / self.terrain.resolution_m))
            t = np.arange(count + 1) / count
            samples = a + t[:, None] * (b - a)
            profile = np.stack([t * length, self.terrain.elevation_m(*self.plane.lat_lon(samples))], axis=-1)
            kept = shapely.get_coordinates(shapely.simplify(shapely.linestrings(profile), _PROFILE_TOLERANCE_M))[:, 0]
            fraction = kept / length if length > 0 else np.array([0.0, 1.0])
            out.append(a + fraction[1:, None] * (b - a))
        return np.concatenate(out)
