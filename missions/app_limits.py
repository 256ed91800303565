"""What the apps of pilots take of a mission."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from missions.errors import MissionError

__all__ = ["CLOSE_M", "AppLimits"]

Floats = NDArray[np.float64]

CLOSE_M = 0.5
"""Least distance between two waypoints, in three dimensions, metres (DJI Mobile SDK reference, DJIWaypointMission)."""
_ROUNDING_M = 0.02


@dataclass(frozen=True, slots=True)
class AppLimits:
    """What an app takes.

    Parameters
    ----------
    name
        What people call it, for messages.
    most
        Most waypoints of one mission.
    apart_m
        Farthest that one waypoint may lie from the next, metres.
    length_m
        Longest mission, metres.
    slowest_m_s, fastest_m_s
        Speeds between which it flies, metres a second.
    lowest_m, highest_m
        Heights over the take-off place between which it flies, metres.
    turns
        Whether it can be told how early to turn. One that cannot stops at every waypoint.
    whole_metres
        Whether it takes heights in whole metres only.
    """

    name: str
    most: int
    apart_m: float = math.inf
    length_m: float = math.inf
    slowest_m_s: float = 1.0
    fastest_m_s: float = 15.0
    lowest_m: float = -1500.0
    highest_m: float = 1500.0
    turns: bool = True
    whole_metres: bool = False

    def check(self, name: str, heights_m: Floats, speeds_m_s: list[float], across_m: Floats) -> None:
        """Refuse a way that does not fit.

        Parameters
        ----------
        name
            Of its sortie.
        heights_m
            Of its waypoints over the take-off place, metres, shape (n,).
        speeds_m_s, across_m
            Speed and horizontal length of its pieces, metres a second and metres, n - 1 each.

        Raises
        ------
        MissionError
            The message says what does not fit and what to do.
        """
        low, high = float(heights_m.min()), float(heights_m.max())
        if low < self.lowest_m or high > self.highest_m:
            raise MissionError(
                f"{name}: flies between {low:.0f} and {high:.0f} m over its base, {self.name} takes "
                f"{self.lowest_m:.0f} to {self.highest_m:.0f} m: choose a base at another height"
            )
        slow, fast = min(speeds_m_s), max(speeds_m_s)
        if fast > self.fastest_m_s + 1e-3:
            raise MissionError(
                f"{name}: flies at {fast:.1f} m/s, {self.name} takes {self.fastest_m_s:.0f} m/s at most: plan with a "
                "lower cruise_m_s and max_m_s in the fleet file"
            )
        if slow < self.slowest_m_s - 1e-3:
            raise MissionError(
                f"{name}: flies at {slow:.2f} m/s, {self.name} takes {self.slowest_m_s:.0f} m/s at least: accept a "
                "shorter dwell, or take a wider lens"
            )
        apart = np.hypot(across_m, np.diff(heights_m))
        if apart.min() < CLOSE_M - _ROUNDING_M:
            raise MissionError(
                f"{name}: waypoints {apart.argmin()} and {apart.argmin() + 1} are {apart.min():.2f} m apart, "
                f"{self.name} takes {CLOSE_M} m at least: move the base or the ends of the border a little"
            )
        if across_m.sum() > self.length_m:
            raise MissionError(
                f"{name}: is {across_m.sum() / 1000:.1f} km long, {self.name} takes {self.length_m / 1000:.0f} km: "
                "plan more and shorter sorties"
            )
