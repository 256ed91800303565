"""The six kinds of vehicles, as a ground station that knows them by pymavlink's own tables finds them."""

import struct
from dataclasses import dataclass, field

import pytest
from pymavlink import mavutil
from pymavlink.dialects.v20 import ardupilotmega as mav

from tests.sim.mav_client import ACCEPTED, HOME, item

TAKEOFF, VTOL_TAKEOFF, LAND, VTOL_LAND, RTL, WAYPOINT = 22, 84, 21, 85, 20, 16
SET_MODE, ARM, START = 176, 400, 300
_LAT, _LON, _ = HOME
METRE = 1.0 / 110_900.0


@dataclass(frozen=True)
class Kind:
    """One autopilot on one airframe.

    `numbers` are custom_mode by name, from pymavlink; `ready` the mode that it is armed in.
    """

    autopilot: str
    frame: str
    mav_autopilot: int
    mav_type: int
    numbers: dict
    ready: str
    auto: str
    params: dict = field(default_factory=dict)

    def __str__(self):
        return f"{self.autopilot} {self.frame}"

    @property
    def px4(self):
        return self.autopilot == "px4"

    @property
    def refusal(self):
        """MAV_RESULT of what is valid and not obeyed: of PX4 (Commander.cpp), and of ArduPilot."""
        return 1 if self.px4 else 4

    @property
    def first(self):
        """Number of a mission's first item after home."""
        return 0 if self.px4 else 1

    @property
    def config(self):
        return {"autopilot": self.autopilot, "frame": self.frame, "params": self.params}

    def command_mode(self, name):
        """Parameters 2 and 3 of DO_SET_MODE."""
        number = self.numbers[name]
        return (number >> 16 & 255, number >> 24) if self.px4 else (number, 0)

    def set_mode(self, client, name):
        return self.order_mode(client, *self.command_mode(name))

    def order_mode(self, client, *mode):
        """Its last word on DO_SET_MODE: PX4 takes every one, and says then what comes of it."""
        first = client.command(SET_MODE, 1, *mode)
        return client.wait("COMMAND_ACK", where=lambda m: m.command == SET_MODE).result if self.px4 else first

    def arm_and_start(self, client):
        """As this autopilot wants a mission started."""
        if self.px4:
            assert self.set_mode(client, self.auto) == ACCEPTED
            assert client.command(ARM, 1) == ACCEPTED
            return
        assert self.set_mode(client, self.ready) == ACCEPTED
        assert client.command(ARM, 1) == ACCEPTED
        assert self.set_mode(client, self.auto) == ACCEPTED
        if self.frame == "copter":
            assert client.command(START) == ACCEPTED

    def mission(self, up_m=50.0):
        """Take-off, three places, and the landing of this form."""
        items = [] if self.px4 else [item(WAYPOINT)]
        off, land = (VTOL_TAKEOFF, VTOL_LAND) if self.frame == "vtol" else (TAKEOFF, LAND)
        items.append(item(off, frame=6, lat=_LAT, lon=_LON, z=up_m))
        for north, east in ((1200, 0), (1200, 900), (-700, 900), (-700, 0)):
            items.append(item(WAYPOINT, frame=6, lat=_LAT + north * METRE, lon=_LON + east * METRE, z=up_m))
        items.append(item(land, frame=6, lat=_LAT, lon=_LON))
        return items


def _px4_numbers():
    return {name: main << 16 | sub << 24 for name, (_, main, sub) in mavutil.px4_map.items()}


_PLANE = {name: number for number, name in mavutil.mode_mapping_bynumber(mav.MAV_TYPE_FIXED_WING).items()}
_COPTER = {name: number for number, name in mavutil.mode_mapping_bynumber(mav.MAV_TYPE_QUADROTOR).items()}
_PX4 = _px4_numbers()
ARDUPILOT, PX4 = mav.MAV_AUTOPILOT_ARDUPILOTMEGA, mav.MAV_AUTOPILOT_PX4

KINDS = (
    Kind("ardupilot", "copter", ARDUPILOT, 2, _COPTER, "GUIDED", "AUTO"),
    Kind("ardupilot", "plane", ARDUPILOT, 1, _PLANE, "FBWA", "AUTO"),
    Kind("ardupilot", "vtol", ARDUPILOT, 1, _PLANE, "FBWA", "AUTO", {"Q_RTL_MODE": 1.0}),
    Kind("px4", "copter", PX4, 2, _PX4, "LOITER", "MISSION"),
    Kind("px4", "plane", PX4, 1, _PX4, "LOITER", "MISSION"),
    Kind("px4", "vtol", PX4, 22, _PX4, "LOITER", "MISSION"),
)
every_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
px4_kinds = pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.px4], ids=str)


def int_on_wire(value):
    """An integer parameter as PX4 packs it: its bytes in the float field."""
    return struct.unpack("<f", struct.pack("<i", value))[0]


def int_from_wire(value):
    return struct.unpack("<i", struct.pack("<f", value))[0]


def tail_ids(message, fixed, count):
    """The 32-bit ids at the end of a message that pymavlink's definition may not know, from its payload."""
    # Ten bytes of header, two of checksum.
    payload = bytes(message.get_msgbuf()[10:-2]) + bytes(fixed + 4 * count)
    return struct.unpack_from(f"<{count}I", payload, fixed)
