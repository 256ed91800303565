"""How long to wait: seconds of the vehicle's own time, which a simulator runs faster than the wall clock."""

from __future__ import annotations

import math
from dataclasses import dataclass

from autopilot.errors import AutopilotError

__all__ = ["Timing"]


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
