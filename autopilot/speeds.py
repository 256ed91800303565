"""Whether a vehicle flies as fast as a mission asks: some hold their speed between settings of their own.

PX4 flies the nearest speed that it is set to (main of May 2026: FlightTaskAuto.cpp, ``_evaluateTriplets``;
FwLateralLongitudinalControl.cpp, ``adapt_airspeed_setpoint``). ArduPlane takes no airspeed that is beyond its own, and
goes on at the one before (4.7-dev: ``Plane::do_change_speed``). ArduCopter tries whatever it is asked for
(``AC_WPNav::set_speed_NE_cms``). One that is slower than planned is out for longer: neither its battery nor its hours
are those of the plan.
"""

from __future__ import annotations

import math
import struct

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.dialects import WINGS
from autopilot.errors import AbsentError, NotReadyError
from autopilot.vehicle import Vehicle
from missions import Mission, MissionItem

__all__ = ["check_speeds"]


async def check_speeds(vehicle: Vehicle, mission: Mission) -> tuple[str, ...]:
    """Hold the speeds that a mission asks for against those that the vehicle is set to.

    Returns
    -------
    tuple of str
        That it is not known what it is set to, in words; nothing for most.

    Raises
    ------
    NotReadyError
        When it would fly slower or faster than the mission asks.
    ParameterError
        When it does not answer.
    """
    has_wings = int(vehicle.link.vehicles[vehicle.sysid].type) in WINGS
    held = vehicle.dialect.wing_speeds if has_wings else vehicle.dialect.rotor_speeds
    if held is None:
        return ()
    asked = [
        item
        for item in mission.items
        if item.command == mav.MAV_CMD_DO_CHANGE_SPEED and item.p1 in held.types and item.p2 > 0.0
    ]
    if not asked:
        return ()
    try:
        least = await vehicle.parameter(held.least) if held.least else -math.inf
        most = await vehicle.parameter(held.most)
    except AbsentError as error:  # another version
        return (f"it is not known between which speeds it flies: {error}",)
    fastest, slowest = max(asked, key=_speed), min(asked, key=_speed)
    if _speed(fastest) > most + held.room_m_s:
        beyond, mend = f"item {fastest.seq} asks for {fastest.p2:g} m/s and {held.most} is {most:g}", "raise"
    elif _speed(slowest) < least - held.room_m_s:
        beyond, mend = f"item {slowest.seq} asks for {slowest.p2:g} m/s and {held.least} is {least:g}", "lower"
    else:
        return ()
    raise NotReadyError(
        f"{vehicle}: {beyond}: it would not fly so, and neither the hours nor the battery of the plan would hold: "
        f"{mend} that if it can fly so, or plan with the speeds that it is set to"
    )


def _speed(item: MissionItem) -> float:
    """As the vehicle gets it, and its own settings: in 32 bits."""
    return float(struct.unpack("<f", struct.pack("<f", item.p2))[0])
