"""Which address speaks for which vehicle, where many send to one socket."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["SILENT_S", "Routes"]

SILENT_S = 10.0
_MOST_RIVALS = 8  # forged sources must not fill the memory


@dataclass(slots=True)
class _Route:
    address: Any
    heard_s: float


class Routes:
    """One address for each component of each vehicle: the first that is heard keeps it while it is heard.

    A system id belongs to one vehicle. Another that uses it from elsewhere is a rival: it is not believed, gets no
    orders, and is named. An address moves only after 10 s of silence, as when a modem is given a new one.

    Parameters
    ----------
    clock
        Wall seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._routes: dict[tuple[int, int], _Route] = {}
        self._rivals: dict[int, dict[Any, float]] = {}
        self._moves: dict[int, int] = {}

    def takes(self, system: int, component: int, address: Any) -> bool:
        """Whether a message from an address is to be believed as one of this component; and remembers that it came."""
        now = self._clock()
        rivals = self._rivals.setdefault(system, {})
        route = self._routes.get((system, component))
        if route is not None and route.address == address:
            route.heard_s = now
            return True
        if route is None and now - rivals.get(address, -SILENT_S) >= SILENT_S:
            self._routes[system, component] = _Route(address, now)
            return True
        if route is not None and now - route.heard_s >= SILENT_S:
            self._routes[system, component] = _Route(address, now)
            self._moves[system] = self._moves.get(system, 0) + 1
            rivals.pop(address, None)
            return True
        if address in rivals or len(rivals) < _MOST_RIVALS:
            rivals[address] = now
        return False

    def forget(self, address: Any) -> None:
        """An address has ended, and is waited for no more: another may take its place at once, which counts."""
        for route in self._routes.values():
            if route.address == address:
                route.heard_s = -math.inf
        for rivals in self._rivals.values():
            rivals.pop(address, None)

    def of(self, system: int, component: int | None) -> Any:
        """Address of a component, of the vehicle's first where that was not heard, or None."""
        route = self._routes.get((system, component)) if component is not None else None
        if route is None:
            route = next((each for (one, _), each in self._routes.items() if one == system), None)
        return None if route is None else route.address

    def every(self) -> set[Any]:
        """Every address."""
        return {route.address for route in self._routes.values()}

    def rivals(self, system: int) -> tuple[Any, ...]:
        """Addresses that used this vehicle's system id in the last 10 s and are not believed."""
        now = self._clock()
        return tuple(address for address, heard in self._rivals.get(system, {}).items() if now - heard < SILENT_S)

    def moves(self, system: int) -> int:
        """How often this vehicle came to be heard from another address."""
        return self._moves.get(system, 0)
