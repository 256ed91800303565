"""Commands that are not navigation, from missions and from ground stations alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight_gimbal_orders import GIMBAL_COMMANDS, order_gimbal
from sim.flight_items import Item
from sim.flight_modes import Mode
from sim.flight_state import Severity

if TYPE_CHECKING:
    from sim.flight import Flight

__all__ = ["do_command"]

_FLOOR = 2.0  # DO_FENCE_ENABLE switches the floor off alone; none is simulated
_TOLD = {
    mav.MAV_CMD_VIDEO_START_CAPTURE: "Video capture started",
    mav.MAV_CMD_VIDEO_STOP_CAPTURE: "Video capture stopped",
}


def do_command(flight: Flight, item: Item) -> bool:
    """Carry out a command; False when it is refused. What is not simulated does nothing."""
    course, first = flight.course, item.params[0]
    match item.command:
        case command if command in GIMBAL_COMMANDS:
            return order_gimbal(flight, item)
        case mav.MAV_CMD_DO_CHANGE_SPEED:
            return course.change_speed(first, item.params[1])
        case mav.MAV_CMD_CONDITION_YAW:
            course.turn(item)
        case mav.MAV_CMD_NAV_RETURN_TO_LAUNCH if flight.dialect.rtl_changes_mode:
            return flight.set_mode(Mode.RTL)
        case mav.MAV_CMD_NAV_RETURN_TO_LAUNCH:
            course.go_home()
        case mav.MAV_CMD_DO_VTOL_TRANSITION:
            return course.transition(first)
        case mav.MAV_CMD_DO_FENCE_ENABLE:
            if first != _FLOOR:
                flight.params["FENCE_ENABLE"] = 1.0 if first else 0.0
        case command if command in _TOLD:
            flight.say(Severity.INFO, _TOLD[command])
    return True
