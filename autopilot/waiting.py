"""Who waits until a vehicle is as it should be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from autopilot.telemetry import Telemetry

__all__ = ["Waiting"]


class Waiting:
    """Those who wait for a snapshot of one vehicle.

    Parameters
    ----------
    now
        The snapshot of now.
    """

    def __init__(self, now: Callable[[], Telemetry]) -> None:
        self._now = now
        self._waiters: list[tuple[Callable[[Telemetry], bool], asyncio.Future[Telemetry]]] = []

    def look(self) -> None:
        """The snapshot has changed: wake those who waited for what it is now."""
        for predicate, waiter in tuple(self._waiters):
            if not waiter.done() and predicate(self._now()):
                waiter.set_result(self._now())

    def wake(self) -> None:
        """Wake all, to see that the link is gone."""
        for _, waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(self._now())

    async def until(self, predicate: Callable[[Telemetry], bool], wall_s: float) -> Telemetry | None:
        """Next snapshot for which `predicate` holds, or that of the end of the link; None after wall seconds."""
        waiter: asyncio.Future[Telemetry] = asyncio.get_running_loop().create_future()
        entry = (predicate, waiter)
        self._waiters.append(entry)
        try:
            async with asyncio.timeout(wall_s):
                return await waiter
        except TimeoutError:
            return None
        finally:
            self._waiters.remove(entry)
