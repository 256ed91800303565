"""Failsafes: what the fence and the battery demand, told once for each breach or level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sim.dialect_ardupilot import ARDUCOPTER
from sim.dialect_terms import FALL, Action, BatteryLevel, Failsafes
from sim.flight_body import Body
from sim.flight_fence import Fence, shapes
from sim.flight_frame import FlightFrame
from sim.flight_home import Home
from sim.flight_items import Item
from sim.flight_power import Battery
from sim.flight_state import Mode, Severity, Text

__all__ = ["Demand", "Guard"]

_EMPTY = BatteryLevel("", "", {}, critical=True, text="Battery 1 is empty")


@dataclass(frozen=True, slots=True)
class Demand:
    """What to tell the ground station, the mode to change to (None: none), and whether the motors stop.

    What holds before a failsafe acts does so where it `waits`.
    """

    text: Text
    mode: Mode | None = None
    fall: bool = False
    waits: bool = True


class Guard:
    """Watches one vehicle.

    Parameters
    ----------
    frame, params
        The vehicle's; parameters are read live.
    failsafes
        What its autopilot does; ArduCopter's by default.
    home
        Its home, read live; the pad by default.

    Attributes
    ----------
    breached
        Which fence is breached, or None.
    """

    def __init__(
        self,
        frame: FlightFrame,
        params: Mapping[str, float],
        failsafes: Failsafes = ARDUCOPTER.failsafes,
        home: Home | None = None,
    ) -> None:
        self._frame = frame
        self._params = params
        self._failsafes = failsafes
        self._home = home or Home()
        self._fence = Fence((), frame)
        self._next_fence_s = 0.0
        self._level = 0
        self.breached: str | None = None

    def load(self, items: Iterable[Item], must_hold: Mapping[str, tuple[float, float]] | None = None) -> list[str]:
        """Take a new fence; it is in force from the next check.

        Shapes that do not hold each of some places, by what is said of them (east, north), are dropped; what is said.
        """
        kept: list[Item] = []
        said = []
        for shape in shapes(list(items)):
            alone = Fence(shape, self._frame)
            wrong = [text for text, place in (must_hold or {}).items() if not alone.holds(*place)]
            said += wrong
            kept += [] if wrong else shape
        self._fence = Fence(kept, self._frame)
        self._next_fence_s = 0.0
        return said

    def reset(self) -> None:
        """As at the start of a sortie."""
        self.breached = None
        self._level = 0
        self._next_fence_s = 0.0

    @property
    def present(self) -> bool:
        """Whether there is a fence of the kinds that the parameters name."""
        return self._fence.is_there(self._params)

    def outside(self, body: Body) -> bool:
        """Whether the fence is on and the vehicle, on the ground, outside it."""
        return bool(self._params["FENCE_ENABLE"]) and self._breach(body.e, body.n, 0.0)[0] is not None

    def allows(self, place: tuple[float, float, float]) -> bool:
        """Whether the fence is off, or a place lies in it: metres east, north and up."""
        return not self._params["FENCE_ENABLE"] or self._breach(*place)[0] is None

    def look_again(self) -> None:
        """What the fence is measured from has changed: it is looked at in the next step."""
        self._next_fence_s = 0.0

    def check(self, body: Body, battery: Battery, time_s: float) -> list[Demand]:
        """What is to be done at a time of the sortie."""
        demands = self._check_battery(battery)
        if self._params["FENCE_ENABLE"] and time_s >= self._next_fence_s:
            kind, holds_s = self._breach(body.e, body.n, body.u)
            self._next_fence_s = time_s + holds_s
            if kind is not None and self.breached is None:
                action = self._failsafes.fence.get(int(self._params["FENCE_ACTION"]), Mode.RTL)
                demands.append(_demand(Text(Severity.CRITICAL, f"{kind} fence breached"), action))
            elif kind is None and self.breached is not None:
                demands.append(Demand(Text(Severity.INFO, "Fence breach cleared")))
            self.breached = kind
        return demands

    def _breach(self, e: float, n: float, u: float) -> tuple[str | None, float]:
        return self._fence.breach(e, n, u, self._params, self._home.at)

    def gcs_lost(self) -> list[Demand]:
        """What is to be done when the ground station is silent."""
        action = self._failsafes.gcs.get(int(self._params["FS_GCS_ENABLE"]))
        return [_demand(Text(Severity.WARNING, "GCS Failsafe"), action)]

    def targets_lost(self) -> list[Demand]:
        """What is to be done when the setpoints of OFFBOARD are no more."""
        action = self._failsafes.targets.get(int(self._params["COM_OBL_RC_ACT"]), Mode.LOITER)
        # A mode that cannot go on has another in its place, at once (failsafe.cpp, ``checkModeFallback``).
        return [replace(_demand(Text(Severity.CRITICAL, "No offboard signal"), action), waits=False)]

    def sticks_lost(self) -> list[Demand]:
        """What is to be done when nobody is at the sticks any more who was."""
        action = self._failsafes.gcs.get(int(self._params["NAV_RCL_ACT"]))
        return [_demand(Text(Severity.CRITICAL, "Manual control lost"), action)]

    def _check_battery(self, battery: Battery) -> list[Demand]:
        """The lowest level that the charge has come to, once; `_level` counts from 1."""
        params, levels = self._params, self._failsafes.battery
        left_mah = battery.remaining_pct / 100.0 * params["BATT_CAPACITY"]
        if left_mah > params[levels[0].charge] or self._level > len(levels):
            return []
        reached = len(levels) + 1
        if left_mah > 0.0:
            reached = max(number for number, level in enumerate(levels, 1) if left_mah <= params[level.charge])
        if reached <= self._level:
            return []
        self._level = reached
        level = levels[reached - 1] if reached <= len(levels) else _EMPTY
        action = level.actions.get(int(params[level.action])) if level.action else FALL
        return [_demand(Text(Severity.CRITICAL if level.critical else Severity.WARNING, level.text), action)]


def _demand(text: Text, action: Action) -> Demand:
    return Demand(text, fall=True) if action is FALL else Demand(text, Mode(action) if action is not None else None)
