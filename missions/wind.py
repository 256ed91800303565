"""The air: what an aircraft makes over the ground of its speed through it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo import true_per_equivalent
from missions.errors import PlanError
from missions.figures import LATER, store_figures

__all__ = ["CALM", "Wind"]

Floats = NDArray[np.float64]

_GUST_FACTOR = 1.5
"""Of gusts of a few seconds to the mean of ten minutes: 1.4 to 1.6 over open land."""


@dataclass(frozen=True, slots=True)
class Wind:
    """A steady wind and its gusts, in air as thin as at a height.

    Parameters
    ----------
    speed_m_s
        Its speed, metres a second.
    from_deg
        The direction that it comes from, degrees clockwise from true north.
    gust_m_s
        Speed of its gusts, metres a second; by default half as much again as its own.
    air_amsl_m
        The greatest height above mean sea level at which anything is flown in it, metres: the thinner the air, the
        faster and wider wings fly, and the more power rotors take. A plan raises it to that of its flights.

    Raises
    ------
    PlanError
        When a figure is not finite or out of range, or gusts are slower than the wind.
    """

    speed_m_s: float = 0.0
    from_deg: float = 0.0
    gust_m_s: float | None = None
    air_amsl_m: float = field(default=0.0, metadata=LATER)

    def __post_init__(self) -> None:
        limits = {"speed_m_s": (0.0, 60.0), "from_deg": (-360.0, 360.0), "air_amsl_m": (-1000.0, 11_000.0)}
        store_figures(self, limits, "wind", PlanError)
        if self.gust_m_s is not None:
            store_figures(self, {"gust_m_s": (self.speed_m_s, 100.0)}, "wind", PlanError)

    @property
    def gusts_m_s(self) -> float:
        """Speed of its gusts, given or assumed, metres a second."""
        return _GUST_FACTOR * self.speed_m_s if self.gust_m_s is None else self.gust_m_s

    @property
    def true_per_equivalent(self) -> float:
        """True airspeed by equivalent airspeed at that height."""
        return float(true_per_equivalent(self.air_amsl_m))

    @property
    def vector(self) -> Floats:
        """Velocity of the air, metres a second east and north, shape (2,)."""
        angle = math.radians(self.from_deg)
        return -self.speed_m_s * np.array([math.sin(angle), math.cos(angle)])

    def ground_speed(self, course: ArrayLike, airspeed_m_s: ArrayLike) -> Floats:
        """Ground speed along courses, metres a second: w.u + sqrt((w.u)² + v² - |w|²), the wind triangle.

        Parameters
        ----------
        course
            Unit vectors east and north, shape (n, 2).
        airspeed_m_s
            Speed through the air, broadcast over the courses.

        Returns
        -------
        ndarray
            Shape (n,); 0 where the air carries the aircraft off or back whatever it heads for.
        """
        along = np.asarray(course, dtype=float) @ self.vector
        under = along**2 + np.asarray(airspeed_m_s, dtype=float) ** 2 - self.speed_m_s**2
        return np.where(under >= 0, np.maximum(along + np.sqrt(np.maximum(under, 0.0)), 0.0), 0.0)

    def turn_radius_m(self, radius_m: float, airspeed_m_s: float) -> float:
        """Radius over the ground of a turn in this air, where its bank allows `radius_m` in calm at sea level, metres.

        A coordinated turn has the radius V² / (g tan(bank)), and round a circle over the ground V is the ground speed:
        with the wind behind, the true airspeed and the wind. With t the true by the equivalent airspeed v it is
        R (t + w / v)².
        """
        return radius_m * (self.true_per_equivalent + self.speed_m_s / airspeed_m_s) ** 2

    def airspeed(self, course: ArrayLike, ground_speed_m_s: ArrayLike) -> Floats:
        """Airspeed that a ground speed along courses takes, metres a second: |g u - w|, shape (n,)."""
        course = np.asarray(course, dtype=float)
        ground = course * np.asarray(ground_speed_m_s, dtype=float)[..., None]
        return np.asarray(np.hypot(*(ground - self.vector).T))


CALM = Wind()
"""No wind."""
