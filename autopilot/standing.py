"""What of a mission still holds at one of its items: speed and camera, which a vehicle may forget meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.dialect import LOCATED
from autopilot.errors import CommandError
from autopilot.order_heights import order_height
from autopilot.orders_camera import turn_gimbal
from autopilot.words import MissionKind
from missions import MissionItem

if TYPE_CHECKING:
    from autopilot.vehicle import Vehicle

__all__ = ["say_again", "standing_commands"]

# Of each kind only the last holds; one of another kind changes nothing of it.
_KINDS = MappingProxyType(
    {
        mav.MAV_CMD_DO_CHANGE_SPEED: "speed",
        mav.MAV_CMD_DO_MOUNT_CONTROL: "look",
        mav.MAV_CMD_DO_GIMBAL_MANAGER_PITCHYAW: "look",
        mav.MAV_CMD_DO_SET_ROI: "look",
        mav.MAV_CMD_DO_SET_ROI_LOCATION: "look",
        mav.MAV_CMD_DO_SET_ROI_NONE: "look",
        mav.MAV_CMD_DO_SET_CAM_TRIGG_DIST: "trigger",
        mav.MAV_CMD_VIDEO_START_CAPTURE: "video",
        mav.MAV_CMD_VIDEO_STOP_CAPTURE: "video",
    }
)
_FILMS = frozenset({mav.MAV_CMD_VIDEO_START_CAPTURE, mav.MAV_CMD_VIDEO_STOP_CAPTURE})


def standing_commands(items: Sequence[MissionItem], seq: int) -> tuple[MissionItem, ...]:
    """The speed and camera commands that hold when a vehicle flies to an item.

    Parameters
    ----------
    items
        The mission, as it was uploaded.
    seq
        The item that it flies to.

    Returns
    -------
    tuple
        Of each kind the last before the item, in their order; speeds of each SPEED_TYPE count for themselves.
    """
    last: dict[tuple[str, float], MissionItem] = {}
    for item in items:
        if item.seq >= seq:
            break
        kind = _KINDS.get(item.command)
        if kind is not None:
            key = kind, item.p1 if kind == "speed" else 0.0
            last.pop(key, None)
            last[key] = item
    return tuple(last.values())


async def say_again(vehicle: Vehicle) -> None:
    """Give the vehicle anew the speed and the camera commands that hold where it is in its mission.

    PX4 forgets the speed when it enters a mission again (PX4#16031), and an order in between, such as a look at a cue,
    leaves the camera where it was.

    Raises
    ------
    CommandError
        When some were refused; the others were given all the same.
    NotReadyError
        When what it holds is not known any more.
    """
    item = vehicle.telemetry.item
    if item is None:
        return
    refused = []
    for command in standing_commands(vehicle.held(MissionKind.MISSION), item):
        try:
            await _say(vehicle, command)
        except CommandError as error:
            refused.append(str(error))
    if refused:
        raise CommandError(
            f"{vehicle}: flies its mission on, without all of its speed and camera commands: {'; '.join(refused)}"
        )


async def _say(vehicle: Vehicle, item: MissionItem) -> None:
    if item.command == mav.MAV_CMD_DO_MOUNT_CONTROL and item.z == mav.MAV_MOUNT_MODE_MAVLINK_TARGETING:
        await turn_gimbal(vehicle, item.p1, item.p3)
    elif item.command in LOCATED:
        frame, z = order_height(vehicle.telemetry, vehicle.dialect, item.z, item.frame)
        await vehicle.command_int(
            item.command, item.p1, item.p2, item.p3, item.p4, frame=frame, x=item.x, y=item.y, z=z
        )
    else:
        params = (item.p1, item.p2, item.p3, item.p4, float(item.x), float(item.y), item.z)
        camera = vehicle.dialect.orders.camera
        if camera is not None and item.command in _FILMS:
            message = mav.MAVLink_command_long_message(vehicle.sysid, camera, item.command, 0, *params)
            vehicle.link.send(message, vehicle.sysid)
        else:
            await vehicle.command(item.command, *params)
