"""Commands of a mission that wait for a condition while the next place is flown to.

As AP_Mission has it (``AP_Mission::update``, ``advance_current_nav_cmd``): CONDITION_DELAY and CONDITION_DISTANCE keep
back the commands behind them, up to the next place, which is flown to meanwhile. What is still kept back when that is
reached is never carried out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight_items import Item

__all__ = ["Kept"]

_CONDITIONS = frozenset({mav.MAV_CMD_CONDITION_DELAY, mav.MAV_CMD_CONDITION_DISTANCE})


class Kept:
    """What is kept back on the way to one place."""

    __slots__ = ("_items", "_since_s")

    def __init__(self) -> None:
        self._items: deque[tuple[int, Item]] = deque()
        self._since_s: float | None = None

    def keeps(self, seq: int, item: Item) -> bool:
        """Keep a condition, and what comes behind one; whether it does."""
        keeps = bool(self._items) or item.command in _CONDITIONS
        if keeps:
            self._items.append((seq, item))
        return keeps

    def due(self, time_s: float, away_m: Callable[[], float]) -> Iterator[tuple[int, Item]]:
        """Conditions that are met now, so far from the place, and what was kept back for them."""
        while self._items:
            seq, item = self._items[0]
            if item.command == mav.MAV_CMD_CONDITION_DELAY:
                self._since_s = time_s if self._since_s is None else self._since_s
                if time_s - self._since_s <= max(item.params[0], 0.0):
                    return
                self._since_s = None
            elif item.command == mav.MAV_CMD_CONDITION_DISTANCE and not away_m() < max(item.params[0], 0.0):
                return
            self._items.popleft()
            yield seq, item
