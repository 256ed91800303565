"""Orders that need no place: up from the ground, another speed, and the end of a flight where it is."""

from __future__ import annotations

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.errors import CommandError
from autopilot.vehicle import Vehicle

__all__ = ["change_speed", "emergency_stop", "rise"]

_STOP_S = 10.0
_IN_THE_AIR = 21196.0  # of COMPONENT_ARM_DISARM: whatever it does
_FASTEST_M_S = 100.0
_OFF_S = 5.0


async def rise(vehicle: Vehicle, command: int, *params: float) -> None:
    """Take off from the ground, armed.

    An order that was repeated, or that a link brings twice, comes a second time to what has left the ground by the
    first, and is refused: ArduCopter takes off only from the ground (mode.cpp, ``do_user_takeoff``). What is in the air
    has not refused it.

    Raises
    ------
    CommandError
        When it is refused.
    """
    try:
        await vehicle.command(command, *params)
    except CommandError as error:
        if error.result is None or await vehicle.wait_until(lambda t: t.landed is False, _OFF_S) is None:
            raise


async def change_speed(vehicle: Vehicle, speed_m_s: float) -> None:
    """Fly at another speed from now on: over the ground, with wings through the air.

    A mission sets its own again at its next DO_CHANGE_SPEED.

    Raises
    ------
    CommandError
        When it is refused, or is no speed.
    """
    if not 0.0 < speed_m_s <= _FASTEST_M_S:
        raise CommandError(f"{vehicle}: a speed of {speed_m_s} m/s: give one above 0 and up to {_FASTEST_M_S:g}")
    await vehicle.command(mav.MAV_CMD_DO_CHANGE_SPEED, float(vehicle.dialect.orders.speed_type), speed_m_s, -1.0)


async def emergency_stop(vehicle: Vehicle, *, confirm_sysid: int) -> None:
    """End the flight where it is: the motors stop and the vehicle falls.

    By DO_FLIGHTTERMINATION, which opens a parachute where one is fitted, and by an order to disarm in the air where
    that is refused, as ArduPlane does without its advanced failsafe, or leaves it armed, as PX4 does until somebody
    disarms it, on the ground too (seen on its main of May 2026). It goes out at once over every channel, whatever
    other command is still unanswered.

    Parameters
    ----------
    vehicle
        The vehicle.
    confirm_sysid
        Its system id once more, so that no vehicle falls in place of another.

    Raises
    ------
    CommandError
        When the confirmation is not right, the order is refused, or the vehicle flies on or stays armed.
    """
    if confirm_sysid != vehicle.sysid:
        raise CommandError(f"{vehicle}: an emergency stop of vehicle {confirm_sysid} was confirmed: nothing was sent")
    try:
        await vehicle.command_at_once(mav.MAV_CMD_DO_FLIGHTTERMINATION, 1.0)
    except CommandError as error:
        if error.result is None:
            raise
        await vehicle.command_at_once(mav.MAV_CMD_COMPONENT_ARM_DISARM, 0.0, _IN_THE_AIR)
    ended = await vehicle.wait_until(
        lambda t: t.armed is False or t.system_status == mav.MAV_STATE_FLIGHT_TERMINATION, _STOP_S
    )
    if ended is None:
        raise CommandError(
            f"{vehicle}: accepted to end its flight and did not: look at its texts and at what its failsafe may do"
        )
    if ended.armed:
        await vehicle.command_at_once(mav.MAV_CMD_COMPONENT_ARM_DISARM, 0.0, _IN_THE_AIR)
        if await vehicle.wait_until(lambda t: t.armed is False, _STOP_S) is None:
            raise CommandError(
                f"{vehicle}: ended its flight and stays armed: keep away from it until its battery is out"
            )
