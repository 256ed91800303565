"""How long to wait: seconds of the vehicle's own time, which a simulator runs faster than the wall clock."""

from __future__ import annotations

import math
from dataclasses import dataclass

from autopilot.errors import AutopilotError

__all__ = ["FlightClock", "Timing"]

# A clock may run faster than it was said to, by so many times and seconds; one that leaps by more counts for nothing.
_FASTEST, _LEAP_S = 10.0, 600.0


@dataclass(frozen=True, slots=True)
class Timing:
    """Converts vehicle seconds to wall seconds, never below what a busy machine and a network need.

    Parameters
    ----------
    time_scale
        Vehicle seconds in a wall second: 1 in the air, 10 to 500 in simulation.
    retry_floor_s
        Least wall seconds before a message is repeated.
    floor_s
        Least wall seconds before a wait is given up.

    Raises
    ------
    AutopilotError
        When a figure is not positive and finite.

    Examples
    --------
    >>> Timing(time_scale=100.0).wall_s(600.0)
    6.0
    """

    time_scale: float = 1.0
    retry_floor_s: float = 0.4
    floor_s: float = 5.0

    def __post_init__(self) -> None:
        for name in ("time_scale", "retry_floor_s", "floor_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise AutopilotError(f"timing: {name} is {value}: give a positive number")

    def wall_s(self, vehicle_s: float) -> float:
        """Wall seconds to wait before giving up on something that takes `vehicle_s` seconds of the vehicle's time."""
        return max(vehicle_s / self.time_scale, self.floor_s)

    def retry_s(self, vehicle_s: float) -> float:
        """Wall seconds to wait before repeating a message that is answered within `vehicle_s` vehicle seconds."""
        return max(vehicle_s / self.time_scale, self.retry_floor_s)


class FlightClock:
    """Vehicle seconds since a moment: by the vehicle's own clock, and by ours for as long as that stands still.

    A simulation may run slower than it was asked to, so its own clock counts; one that stops or starts anew must not
    stop a limit, nor one that leaps end it. In real time neither may run behind the wall.

    Parameters
    ----------
    time_scale
        Vehicle seconds in a wall second.
    wall_s
        Now, on any clock of seconds.
    """

    def __init__(self, time_scale: float, wall_s: float) -> None:
        self._time_scale = time_scale
        self._begun_s = self._moved_s = wall_s
        self._counted_s = 0.0
        self._vehicle_s: float | None = None

    def elapsed_s(self, vehicle_s: float | None, wall_s: float) -> float:
        """Seconds so far; to be asked as time goes on.

        Parameters
        ----------
        vehicle_s
            The vehicle's clock, seconds; None where it says none.
        wall_s
            Now, on the clock that it was made with.
        """
        still_s = (wall_s - self._moved_s) * self._time_scale
        if vehicle_s is not None and vehicle_s != self._vehicle_s:
            on_s = still_s if self._vehicle_s is None else vehicle_s - self._vehicle_s
            most_s = _FASTEST * (wall_s - self._begun_s) * self._time_scale + _LEAP_S
            self._counted_s += on_s if on_s > 0.0 and self._counted_s + on_s <= most_s else still_s
            self._vehicle_s, self._moved_s, still_s = vehicle_s, wall_s, 0.0
        elapsed_s = self._counted_s + still_s
        return max(elapsed_s, wall_s - self._begun_s) if self._time_scale == 1.0 else elapsed_s
