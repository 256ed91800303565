"""Failsafes: what the fence and the battery demand, told once for each breach or level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sim.flight_body import Body
from sim.flight_fence import Fence
from sim.flight_frame import FlightFrame
from sim.flight_items import Item
from sim.flight_power import Battery
from sim.flight_state import Mode, Severity, Text

__all__ = ["Demand", "Guard"]

_FENCE_ACTIONS = {0: None, 1: Mode.RTL, 2: Mode.LAND}
_BATTERY_ACTIONS = {0: None, 1: Mode.LAND, 2: Mode.RTL}
_LOW, _CRITICAL, _EMPTY = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Demand:
    """What to tell the ground station, the mode to change to (None: none), and whether the motors stop."""

    text: Text
    mode: Mode | None = None
    fall: bool = False


class Guard:
    """Watches one vehicle.

    Attributes
    ----------
    breached
        Which fence is breached, or None.
    """

    def __init__(self, frame: FlightFrame, params: Mapping[str, float]) -> None:
        self._frame = frame
        self._params = params
        self._fence = Fence((), frame)
        self._next_fence_s = 0.0
        self._level = 0
        self.breached: str | None = None

    def load(self, items: Iterable[Item]) -> None:
        """Take a new fence; it is in force from the next check."""
        self._fence = Fence(list(items), self._frame)
        self._next_fence_s = 0.0

    def reset(self) -> None:
        """As at the start of a sortie."""
        self.breached = None
        self._level = 0
        self._next_fence_s = 0.0

    def outside(self, body: Body) -> bool:
        """Whether the fence is on and the vehicle, on the ground, outside it."""
        return (
            bool(self._params["FENCE_ENABLE"]) and self._fence.breach(body.e, body.n, 0.0, self._params)[0] is not None
        )

    def check(self, body: Body, battery: Battery, time_s: float) -> list[Demand]:
        """What is to be done at a time of the sortie."""
        demands = self._check_battery(battery)
        if self._params["FENCE_ENABLE"] and time_s >= self._next_fence_s:
            kind, holds_s = self._fence.breach(body.e, body.n, body.u, self._params)
            self._next_fence_s = time_s + holds_s
            if kind is not None and self.breached is None:
                action = _FENCE_ACTIONS.get(int(self._params["FENCE_ACTION"]), Mode.RTL)
                demands.append(Demand(Text(Severity.CRITICAL, f"{kind} fence breached"), action))
            elif kind is None and self.breached is not None:
                demands.append(Demand(Text(Severity.INFO, "Fence breach cleared")))
            self.breached = kind
        return demands

    def _check_battery(self, battery: Battery) -> list[Demand]:
        params = self._params
        left_mah = battery.remaining_pct / 100.0 * params["BATT_CAPACITY"]
        if left_mah > params["BATT_LOW_MAH"] or self._level == _EMPTY:
            return []
        if left_mah <= 0.0:
            level, severity, word, mode = _EMPTY, Severity.CRITICAL, "empty", None
        elif left_mah <= params["BATT_CRT_MAH"]:
            mode = _BATTERY_ACTIONS.get(int(params["BATT_FS_CRT_ACT"]))
            level, severity, word = _CRITICAL, Severity.CRITICAL, "critical"
        else:
            mode = _BATTERY_ACTIONS.get(int(params["BATT_FS_LOW_ACT"]))
            level, severity, word = _LOW, Severity.WARNING, "low"
        if level <= self._level:
            return []
        self._level = level
        return [Demand(Text(severity, f"Battery 1 is {word}"), mode, fall=level == _EMPTY)]
