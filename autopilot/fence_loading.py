"""From the last item of a fence that a vehicle acknowledges until that fence acts."""

from __future__ import annotations

import asyncio

from autopilot.heard import Heard
from autopilot.timing import FlightClock

__all__ = ["FenceLoading"]

_MORE_ITEMS = 2
"""Over its list itself it takes as long as over so many items."""


class FenceLoading:
    """The fence that a vehicle was given last, and when it acts.

    PX4 acknowledges a fence and reads it back long before it flies by it: main of May 2026 took 6.4 s over 64 items,
    and says nothing of it over MAVLink. Until then it flies by the fence before, or by none.

    Parameters
    ----------
    vehicle
        Who has it; `Dialect.fence_item_s` says how long it takes.
    """

    def __init__(self, vehicle: Heard) -> None:
        self._vehicle = vehicle
        self._clock: FlightClock | None = None
        self._needed_s = 0.0

    def taken(self, items: int) -> None:
        """It has acknowledged a fence of so many items just now."""
        item_s = self._vehicle.dialect.fence_item_s
        self._needed_s = (items + _MORE_ITEMS) * item_s if items else 0.0
        self._clock = FlightClock(self._vehicle.timing.time_scale, asyncio.get_running_loop().time())
        self._left_s()  # from this look on the vehicle's own time counts

    async def settle(self) -> None:
        """Wait until it acts; at once where it does so already. Raises LinkError."""
        while (left_s := self._left_s()) > 0.0:
            await self._vehicle.wait_until(lambda _: self._left_s() <= 0.0, left_s)

    def _left_s(self) -> float:
        if self._clock is None:
            return 0.0
        wall_s = asyncio.get_running_loop().time()
        return self._needed_s - self._clock.elapsed_s(self._vehicle.telemetry.vehicle_s, wall_s)
