"""A second ground station that interferes, at the other end of a link of its own.

It speaks plain MAVLink with one vehicle: it answers what the mission protocol asks of it and takes no for an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.faults import SecondStation

__all__ = ["Station"]

_COMPID = int(mav.MAV_COMP_ID_MISSIONPLANNER)
_FORCE = 21196.0
_STALLED_ITEMS = 5
_HEARTBEAT_S = 1.0
_AWAY_E7 = 10_000  # about 110 m
_UP_M = 25.0
_LISTS = {
    "mission": (mav.MAV_MISSION_TYPE_MISSION,),
    "fence": (mav.MAV_MISSION_TYPE_FENCE,),
    "rally": (mav.MAV_MISSION_TYPE_RALLY,),
    "all": (mav.MAV_MISSION_TYPE_MISSION, mav.MAV_MISSION_TYPE_FENCE, mav.MAV_MISSION_TYPE_RALLY),
}
"""One after the other, as ground stations do: ArduPilot does not take `MAV_MISSION_TYPE_ALL`."""


class Station:
    """A ground station that nobody has asked for.

    Parameters
    ----------
    fault
        What it does.
    target
        System id of the vehicle.
    home_deg
        Latitude and longitude about which its own mission lies.
    """

    def __init__(self, fault: SecondStation, target: int, home_deg: tuple[float, float]) -> None:
        self._fault = fault
        self._target = target
        self._home_e7 = (round(home_deg[0] * 1e7), round(home_deg[1] * 1e7))
        self._packer = mav.MAVLink(None, srcSystem=fault.sysid, srcComponent=_COMPID)
        self._packer.robust_parsing = True
        self._outbox: list[bytes] = []
        self._uploading = False
        self._next_act_s: float | None = 0.0
        self._next_beat_s = 0.0

    def step(self, time_s: float) -> None:
        """Live on until a simulated time since it came, seconds."""
        if time_s >= self._next_beat_s:
            self._next_beat_s = time_s + _HEARTBEAT_S
            self._put(mav.MAVLink_heartbeat_message(mav.MAV_TYPE_GCS, mav.MAV_AUTOPILOT_INVALID, 0, 0, 0, 3))
        if self._next_act_s is not None and time_s >= self._next_act_s:
            self._next_act_s = time_s + self._fault.every_s if self._fault.every_s > 0.0 else None
            _ACTS[self._fault.does](self)

    def say(self) -> list[bytes]:
        """Datagrams it sends now."""
        outbox, self._outbox = self._outbox, []
        return outbox

    def hear(self, data: bytes) -> None:
        """A datagram of the vehicle: requests of an upload are answered, all else is not its business."""
        for message in self._packer.parse_buffer(data) or ():
            kind = message.get_type()
            if not self._uploading or getattr(message, "target_system", None) != self._fault.sysid:
                continue
            if kind == "MISSION_ACK":
                self._uploading = False
            elif kind in ("MISSION_REQUEST", "MISSION_REQUEST_INT") and message.seq < len(self._items):
                self._put(self._items[message.seq])

    @property
    def _items(self) -> list[Any]:
        lat, lon = self._home_e7
        places = (
            (mav.MAV_CMD_NAV_WAYPOINT, 0, lat, lon, 0.0),
            (mav.MAV_CMD_NAV_TAKEOFF, 3, 0, 0, _UP_M),
            (mav.MAV_CMD_NAV_WAYPOINT, 3, lat + _AWAY_E7, lon, _UP_M),
            (mav.MAV_CMD_NAV_RETURN_TO_LAUNCH, 3, 0, 0, 0.0),
        )
        return [
            mav.MAVLink_mission_item_int_message(
                self._target, 1, seq, frame, command, 0, 1, 0.0, 0.0, 0.0, 0.0, x, y, z, mav.MAV_MISSION_TYPE_MISSION
            )
            for seq, (command, frame, x, y, z) in enumerate(places)
        ]

    def _put(self, message: Any) -> None:
        self._outbox.append(message.pack(self._packer))
        self._packer.seq = (self._packer.seq + 1) % 256

    def _command(self, command: int, *params: float) -> None:
        p = (*params, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)[:7]
        self._put(mav.MAVLink_command_long_message(self._target, 1, command, 0, *p))

    def _clear(self) -> None:
        for kind in _LISTS[self._fault.what]:
            self._put(mav.MAVLink_mission_clear_all_message(self._target, 1, kind))

    def _upload(self) -> None:
        self._uploading = True
        self._put(mav.MAVLink_mission_count_message(self._target, 1, len(self._items), mav.MAV_MISSION_TYPE_MISSION))

    def _stall(self) -> None:
        for kind in _LISTS[self._fault.what]:
            self._put(mav.MAVLink_mission_count_message(self._target, 1, _STALLED_ITEMS, kind))

    def _mode(self) -> None:
        flag = mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED
        self._put(mav.MAVLink_set_mode_message(self._target, flag, self._fault.mode))

    def _return(self) -> None:
        self._command(mav.MAV_CMD_NAV_RETURN_TO_LAUNCH)

    def _disarm(self) -> None:
        self._command(mav.MAV_CMD_COMPONENT_ARM_DISARM, 0.0, _FORCE)


_ACTS: dict[str, Callable[[Station], None]] = {
    "clear": Station._clear,  # noqa: SLF001 (the table is the class's own)
    "upload": Station._upload,  # noqa: SLF001
    "stall": Station._stall,  # noqa: SLF001
    "mode": Station._mode,  # noqa: SLF001
    "return": Station._return,  # noqa: SLF001
    "disarm": Station._disarm,  # noqa: SLF001
}
