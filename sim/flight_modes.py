"""What a vehicle does, whatever its autopilot calls it and numbers it."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["POSITION_MODES", "Mode"]


class Mode(IntEnum):
    """Flight modes: below 100 by ArduCopter's custom_mode, the others are of other autopilots.

    A dialect says which of them it has, under which name and number.
    """

    STABILIZE = 0
    ALT_HOLD = 2
    AUTO = 3
    GUIDED = 4
    LOITER = 5
    RTL = 6
    LAND = 9
    BRAKE = 17
    MANUAL = 101
    FBWA = 102
    CRUISE = 103
    CIRCLE = 104
    TAKEOFF = 105
    POSITION = 106
    HOVER = 107
    HOVER_LOITER = 108
    HOVER_RTL = 109
    OFFBOARD = 110
    ORBIT = 111
    TERMINATION = 112


POSITION_MODES = frozenset(
    {
        Mode.AUTO,
        Mode.GUIDED,
        Mode.LOITER,
        Mode.RTL,
        Mode.BRAKE,
        Mode.POSITION,
        Mode.TAKEOFF,
        Mode.HOVER_LOITER,
        Mode.HOVER_RTL,
        Mode.OFFBOARD,
        Mode.ORBIT,
    }
)
"""Modes that need a position."""
