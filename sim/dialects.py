"""Which dialect a simulated vehicle speaks."""

from __future__ import annotations

from types import MappingProxyType

from sim.dialect import Dialect
from sim.dialect_ardupilot import ARDUCOPTER, ARDUPLANE, QUADPLANE
from sim.dialect_px4 import PX4_COPTER, PX4_PLANE, PX4_VTOL

__all__ = ["AUTOPILOTS", "FRAMES", "dialect_for"]

_DIALECTS = MappingProxyType(
    {
        (dialect.name, frame): dialect
        for dialect in (ARDUCOPTER, ARDUPLANE, QUADPLANE, PX4_COPTER, PX4_PLANE, PX4_VTOL)
        for frame in dialect.types
    }
)
AUTOPILOTS = tuple(dict.fromkeys(name for name, _ in _DIALECTS))
"""Autopilots that are simulated."""

FRAMES = tuple(dict.fromkeys(frame for _, frame in _DIALECTS))
"""Airframes that are simulated: ``copter`` is ``quad``."""


def dialect_for(autopilot: str, frame: str) -> Dialect:
    """The dialect of an autopilot on an airframe, both of which are known."""
    return _DIALECTS[autopilot, frame]
