"""A vehicle flown by hand: what its sticks ask for, in the modes that leave it to them.

ArduCopter's LOITER goes at LOIT_SPEED and climbs at PILOT_SPEED_UP and _DN (mode_loiter.cpp), PX4's POSCTL at
MPC_VEL_MANUAL, MPC_Z_VEL_MAX_UP and _DN. STABILIZE and ALT_HOLD are flown as these are: attitude is not simulated.
Wings bank by the roll stick, sink by a push, and fly as fast as the throttle says (ArduPlane's FBWA).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, sin, tan

from sim.flight_body import GRAVITY_MPS2, Body, wrap_pi
from sim.flight_tasks import Vector
from sim.wing_tasks import WingLimits

__all__ = ["DEAD_THROTTLE", "ByHand", "Sticks", "WingsByHand"]

_DEAD = 0.1  # share of a stick's way about its middle in which it asks for nothing
DEAD_THROTTLE = 0.2
"""The same of the throttle (THR_DZ of ArduCopter)."""

_TURN_RAD = 0.5


@dataclass(frozen=True, slots=True)
class Sticks:
    """Where the sticks are, each from -1 to 1, in the middle by default.

    Parameters
    ----------
    forward, right
        Pitch and roll.
    up
        Throttle.
    turn
        Yaw, clockwise positive.
    """

    forward: float = 0.0
    right: float = 0.0
    up: float = 0.0
    turn: float = 0.0


class ByHand:
    """On rotors as the sticks say; they in their middle, it stays where it is.

    Parameters
    ----------
    read
        The sticks of the moment.
    speed, climb, sink
        With a stick at its end, m/s.
    """

    __slots__ = ("_climb", "_read", "_sink", "_speed", "yaw")

    def __init__(self, read: Callable[[], Sticks], speed: float, climb: float, sink: float) -> None:
        self._read, self._speed, self._climb, self._sink = read, speed, climb, sink
        self.yaw: float | None = None

    @property
    def lands(self) -> bool:
        """Whether it is being set down."""
        return _beyond(self._read().up, DEAD_THROTTLE) < 0.0

    def velocity(self, body: Body, time_s: float) -> Vector:  # noqa: ARG002 (one signature for all tasks)
        """Ahead and aside by its own nose, up, and round."""
        sticks = self._read()
        ahead, aside = (self._speed * _beyond(way, _DEAD) for way in (sticks.forward, sticks.right))
        turn = _beyond(sticks.turn, _DEAD)
        if turn:
            self.yaw = wrap_pi(body.yaw + _TURN_RAD * turn)
        s, c = sin(body.yaw), cos(body.yaw)
        up = _beyond(sticks.up, DEAD_THROTTLE)
        return ahead * s + aside * c, ahead * c - aside * s, up * (self._climb if up > 0.0 else self._sink)

    def done(self, body: Body, time_s: float) -> bool:  # noqa: ARG002 (one signature for all tasks)
        """Never: another order ends it."""
        return False


class WingsByHand:
    """On wings as the sticks say; they in their middle, straight on and level."""

    __slots__ = ("_limits", "_read", "yaw")

    def __init__(self, read: Callable[[], Sticks], limits: WingLimits) -> None:
        self._read, self._limits = read, limits
        self.yaw: float | None = None

    @property
    def lands(self) -> bool:
        """Whether it is being set down."""
        return _beyond(self._read().forward, _DEAD) > 0.0

    def velocity(self, body: Body, time_s: float) -> Vector:  # noqa: ARG002 (one signature for all tasks)
        """Bank, rate of climb and airspeed."""
        sticks, limits = self._read(), self._limits
        usual, faster = limits.airspeed, _beyond(sticks.up, DEAD_THROTTLE)
        push = _beyond(sticks.forward, _DEAD)
        limits.airspeed = usual + faster * ((limits.most - usual) if faster > 0.0 else (usual - limits.least))
        bank = limits.bank_rad * _beyond(sticks.right, _DEAD)
        steer = limits.steer(GRAVITY_MPS2 * tan(bank), -push * (limits.sink if push > 0.0 else limits.climb))
        limits.airspeed = usual
        return steer

    def done(self, body: Body, time_s: float) -> bool:  # noqa: ARG002 (one signature for all tasks)
        """Never: another order ends it."""
        return False


def _beyond(way: float, dead: float) -> float:
    """Share of a stick's way beyond the part in which it asks for nothing."""
    if abs(way) <= dead:
        return 0.0
    return (abs(way) - dead) / (1.0 - dead) * (1.0 if way > 0.0 else -1.0)
