"""Which dialect a vehicle speaks, by its heartbeat."""

from __future__ import annotations

from types import MappingProxyType

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.ardupilot import ARDUCOPTER, ARDUPLANE
from autopilot.dialect import Dialect
from autopilot.errors import AutopilotError
from autopilot.px4 import PX4

__all__ = ["HOME_FIRST", "WINGS", "dialect_of", "is_known"]

WINGS = frozenset(
    {mav.MAV_TYPE_FIXED_WING, *(n for n, e in mav.enums["MAV_TYPE"].items() if e.name.startswith("MAV_TYPE_VTOL"))}
)
"""MAV_TYPEs that stay aloft by flying on: they circle over a place."""
_MULTIROTORS = frozenset(
    {
        mav.MAV_TYPE_QUADROTOR,
        mav.MAV_TYPE_COAXIAL,
        mav.MAV_TYPE_HELICOPTER,
        mav.MAV_TYPE_HEXAROTOR,
        mav.MAV_TYPE_OCTOROTOR,
        mav.MAV_TYPE_TRICOPTER,
        mav.MAV_TYPE_DODECAROTOR,
        mav.MAV_TYPE_DECAROTOR,
    }
)
_DIALECTS = MappingProxyType(
    {
        **{(mav.MAV_AUTOPILOT_ARDUPILOTMEGA, kind): ARDUCOPTER for kind in _MULTIROTORS},
        **{(mav.MAV_AUTOPILOT_ARDUPILOTMEGA, kind): ARDUPLANE for kind in WINGS},
        **{(mav.MAV_AUTOPILOT_PX4, kind): PX4 for kind in _MULTIROTORS | WINGS},
    }
)

HOME_FIRST = frozenset(dialect.name for dialect in (ARDUCOPTER, ARDUPLANE, PX4) if dialect.home_is_item_0)
"""Names of the dialects whose missions begin with home."""


def is_known(autopilot: int, vehicle_type: int) -> bool:
    """Whether there is a dialect for a MAV_AUTOPILOT and MAV_TYPE."""
    return (autopilot, vehicle_type) in _DIALECTS


def dialect_of(autopilot: int, vehicle_type: int) -> Dialect:
    """Dialect of a vehicle by MAV_AUTOPILOT and MAV_TYPE of its HEARTBEAT.

    Raises
    ------
    AutopilotError
        When it is neither ArduPilot nor PX4, or does not fly.
    """
    dialect = _DIALECTS.get((autopilot, vehicle_type))
    if dialect is None:
        raise AutopilotError(
            f"autopilot {autopilot} on vehicle type {vehicle_type} is not known: "
            "connect a multirotor or plane with ArduPilot or PX4"
        )
    return dialect
