"""Between which speeds a vehicle flies a mission."""

from __future__ import annotations

from dataclasses import dataclass

from pymavlink.dialects.v20 import ardupilotmega as mav

__all__ = ["SpeedRange"]


@dataclass(frozen=True, slots=True)
class SpeedRange:
    """Parameters between which the speed of a mission is held, m/s.

    Parameters
    ----------
    most, least
        The greatest and the least; empty where there is no least.
    types
        SPEED_TYPEs of the DO_CHANGE_SPEED that are meant.
    room_m_s
        How much beyond them it may be asked for: nothing of what takes no such speed at all.
    """

    most: str
    least: str = ""
    types: frozenset[int] = frozenset({mav.SPEED_TYPE_AIRSPEED, mav.SPEED_TYPE_GROUNDSPEED})
    room_m_s: float = 0.0
