"""What a real PX4 answered (main of May 2026, 1.17 alpha, in its own simulator SIH), asked of ours in every run.

``pytest tests/system/test_same_as_px4.py --sitl px4`` asks the real one the same.
"""

import os
import struct
import time
from contextlib import closing
from math import nan

import pytest

import sim

os.environ.setdefault("MAVLINK20", "1")
from pymavlink import mavutil
from pymavlink.dialects.v20 import ardupilotmega as mav

HOME = (31.34, -110.94, 1180.0)
ACCEPTED, REJECTED, DENIED, UNSUPPORTED = 0, 1, 2, 3
WITHIN_S, ANSWERS_S = 60.0, 0.4
METRE = 1.0 / 110_900.0
AUTO, MISSION = 4, 4

# Command, parameters, all answers, and the main and sub mode that it is in then; disarmed, before any mission.
ON_THE_GROUND = [
    (16, (), [UNSUPPORTED], None),
    (20, (), [ACCEPTED], (4, 5)),
    (21, (), [ACCEPTED], (4, 6)),
    (22, (0, 0, 0, nan, nan, nan, nan), [ACCEPTED], (4, 2)),
    (85, (), [UNSUPPORTED], None),
    (115, (90, 10, 1, 0), [UNSUPPORTED], None),
    (176, (1, 9, 0), [ACCEPTED, REJECTED], None),
    (176, (0, 0, 0), [ACCEPTED, REJECTED], None),
    (176, (1, 4, 4), [ACCEPTED] * 2, (4, 4)),
    (176, (1, 1, 0), [ACCEPTED] * 2, (1, 0)),
    (176, (1, 4, 3), [ACCEPTED] * 2, (4, 3)),
    (178, (1, 5), [ACCEPTED], None),
    (185, (1,), [DENIED], None),
    (191, (), [ACCEPTED], None),
    (192, (-1, 1, 0, nan, HOME[0], HOME[1], HOME[2] + 20), [ACCEPTED], (4, 3)),
    (192, (-1, 0, 0, nan, HOME[0], HOME[1], HOME[2] + 20), [UNSUPPORTED], None),
    (193, (0,), [UNSUPPORTED], None),
    (197, (), [ACCEPTED], None),
    (207, (1,), [UNSUPPORTED], None),
    (246, (0,), [ACCEPTED], None),
    (300, (0, 0), [DENIED], None),
    (400, (0,), [ACCEPTED], None),
    (401, (), [ACCEPTED], None),
    (410, (), [ACCEPTED], None),
    (511, (30, 1e5), [ACCEPTED], None),
    (511, (9999, 1e5), [4], None),
    (512, (148,), [ACCEPTED], None),
    (512, (9999,), [DENIED], None),
    (2500, (), [UNSUPPORTED], None),
    (60002, (), [UNSUPPORTED], None),
]

# The link that it keeps for programs carries 600 messages a second of its time: at more speed a script falls behind.
PX4 = pytest.mark.sitl(autopilot="px4", home=HOME, speedup=2.0, boot=sim.Boot(0.0, 0.0, 0.0))


class Asker:
    """A script that knows pymavlink alone."""

    def __init__(self, vehicle):
        self.master = mavutil.mavlink_connection(vehicle.url, source_system=255)
        self.sysid = vehicle.sysid

    def close(self):
        self.master.close()

    def hear(self, *kinds, where=lambda _: True, most_s=WITHIN_S):
        """The next message of a kind, or None."""
        end = time.monotonic() + most_s
        while (left := end - time.monotonic()) > 0:
            self.master.mav.heartbeat_send(mav.MAV_TYPE_GCS, mav.MAV_AUTOPILOT_INVALID, 0, 0, 0)
            message = self.master.recv_match(type=list(kinds), blocking=True, timeout=min(left, 0.2))
            if message is not None and message.get_srcSystem() == self.sysid and where(message):
                return message
        return None

    def ready(self):
        assert self.hear("HOME_POSITION")
        return self.hear("ESTIMATOR_STATUS", where=lambda m: m.flags & 0x10)

    def command(self, command, *params):
        """Every answer to a command, all that come in a while."""
        self.master.mav.command_long_send(self.sysid, 1, command, 0, *(*params, *[0.0] * 7)[:7])
        answers = []
        while (ack := self.hear("COMMAND_ACK", where=lambda m: m.command == command, most_s=ANSWERS_S)) is not None:
            answers.append(ack.result)
        return answers

    def fly(self, up_m):
        """Off the ground to a height above home."""
        assert self.command(22, 0, 0, 0, nan, nan, nan, HOME[2] + up_m) == [ACCEPTED]
        assert self.command(400, 1) == [ACCEPTED]
        assert self.hear("GLOBAL_POSITION_INT", where=lambda m: m.relative_alt > (up_m - 1.5) * 1000)

    def mode(self):
        number = self.hear("HEARTBEAT").custom_mode
        return number >> 16 & 255, number >> 24

    def upload(self, items, kind=0):
        """The MAV_MISSION_RESULT of a list."""
        self.master.mav.mission_count_send(self.sysid, 1, len(items), kind)
        while True:
            kinds = "MISSION_REQUEST_INT", "MISSION_REQUEST", "MISSION_ACK"
            asked = self.hear(*kinds, where=lambda m: m.mission_type == kind)
            if asked.get_type() == "MISSION_ACK":
                return asked.type
            frame, command, p1, north, up = items[asked.seq]
            x, y = (0, 0) if frame == mav.MAV_FRAME_MISSION else (HOME[0] + north * METRE, HOME[1])
            self.master.mav.mission_item_int_send(
                self.sysid, 1, asked.seq, frame, command, 0, 1, p1, 0, 0, 0, round(x * 1e7), round(y * 1e7), up, kind
            )

    def download(self, kind=0):
        self.master.mav.mission_request_list_send(self.sysid, 1, kind)
        count = self.hear("MISSION_COUNT").count
        items = []
        for seq in range(count):
            self.master.mav.mission_request_int_send(self.sysid, 1, seq, kind)
            items.append(self.hear("MISSION_ITEM_INT", where=lambda m, seq=seq: m.seq == seq))
        self.master.mav.mission_ack_send(self.sysid, 1, 0, kind)
        return items


@PX4
def test_commands_on_the_ground(sitl_vehicle):
    with closing(Asker(sitl_vehicle)) as asker:
        assert asker.ready().flags & 0x390 == 0x390  # at rest, and by GNSS all the same
        wrong = []
        for command, params, answers, mode in ON_THE_GROUND:
            told = asker.command(command, *params), None if mode is None else asker.mode()
            if told != (answers, mode):
                wrong.append((command, params, told))
        assert wrong == []


@PX4
def test_parameters(sitl_vehicle):
    """Whole numbers travel as their bytes; what is not set says why, in words of PARAM_ERROR."""
    whole, real, byte = mav.MAV_PARAM_TYPE_INT32, mav.MAV_PARAM_TYPE_REAL32, mav.MAV_PARAM_TYPE_UINT8
    absent, mismatch, unsupported = 1, 7, 6
    (three,) = struct.unpack("<f", struct.pack("<i", 3))
    with closing(Asker(sitl_vehicle)) as asker:
        asker.ready()

        def answer(message):
            asker.master.mav.send(message)
            name = message.param_id
            told = asker.hear("PARAM_VALUE", "PARAM_ERROR", where=lambda m: m.param_id == name, most_s=10.0)
            if told.get_type() == "PARAM_ERROR":
                return told.error
            return told.param_type, struct.pack("<f", told.param_value)

        def ask(name):
            return answer(mav.MAVLink_param_request_read_message(asker.sysid, 1, name, -1))

        def put(name, value, kind):
            return answer(mav.MAVLink_param_set_message(asker.sysid, 1, name, value, kind))

        assert ask(b"NOT_THERE") == absent
        assert put(b"NOT_THERE", 1.0, real) == absent
        assert put(b"GF_ACTION", three, whole) == (whole, struct.pack("<i", 3))
        assert ask(b"GF_ACTION") == (whole, struct.pack("<i", 3))
        assert put(b"GF_ACTION", 2.0, real) == mismatch
        assert put(b"NAV_ACC_RAD", 5.0, whole) == mismatch
        assert put(b"GF_ACTION", 2.0, byte) == unsupported
        assert put(b"NAV_ACC_RAD", 5.0, real) == (real, struct.pack("<f", 5.0))
        assert ask(b"GF_ACTION") == (whole, struct.pack("<i", 3))


@PX4
def test_a_key_is_taken_by_usb_alone(sitl_vehicle):
    """The real one signs whatever it sends, by a key of zeros while it has none."""
    with closing(Asker(sitl_vehicle)) as asker:
        asker.ready()
        asker.master.mav.setup_signing_send(asker.sysid, 1, list(range(32)), 10**14)
        (always,) = struct.unpack("<f", struct.pack("<i", 2))
        asker.master.mav.param_set_send(asker.sysid, 1, b"MAV_SIGN_CFG", always, mav.MAV_PARAM_TYPE_INT32)
        assert asker.hear("PARAM_VALUE", "PARAM_ERROR", where=lambda m: m.param_id == "MAV_SIGN_CFG")
        asker.hear("HEARTBEAT", where=lambda _: False, most_s=1.0)
        assert asker.command(511, 30, 1e5) == [ACCEPTED]


@PX4
def test_lists(sitl_vehicle):
    mission = [(6, 22, 0, 0, 20), (2, 178, 1, 0, 0), (6, 16, 0, 60, 20), (2, 20, 0, 0, 0)]
    fence = [(0, 5003, 300.0, 0, 0)]
    with closing(Asker(sitl_vehicle)) as asker:
        asker.ready()
        assert [asker.upload(mission), asker.upload(fence, 1), asker.upload([(3, 5100, 0, 50, 10)], 2)] == [0] * 3
        # The real one knows its present item once it has looked at the mission.
        assert asker.hear("MISSION_CURRENT", where=lambda m: m.total == len(mission) and m.mission_state == 2)
        whole = [(m.frame, m.command, m.current, m.autocontinue) for m in asker.download()]
        assert whole == [(6, 22, 1, 1), (2, 178, 0, 1), (6, 16, 0, 1), (2, 20, 0, 1)]
        assert [(m.frame, m.param1, m.current, m.autocontinue) for m in asker.download(1)] == [(5, 300.0, 1, 0)]
        assert [(m.frame, m.z, m.current, m.autocontinue) for m in asker.download(2)] == [(6, 10.0, 1, 1)]
        bad = {(10, 16): 2, (1, 16): 2, (6, 18): 3, (2, 16): 3, (6, 178): 3, (6, 20): 3, (2, 207): 3, (2, 183): 3}
        for (frame, command), answer in bad.items():
            assert asker.upload([mission[0], (frame, command, 0, 0, 20)]) == answer, (frame, command)
        assert len(asker.download()) == len(mission)  # what was refused has replaced nothing
        assert asker.upload([]) == 0
        assert asker.hear("MISSION_CURRENT", where=lambda m: m.total != len(mission)).total == 0xFFFF
        # Any mode is taken on the ground; what speaks against it is said when it is to arm.
        assert asker.command(176, 1, AUTO, MISSION) == [ACCEPTED] * 2
        assert asker.command(400, 1) == [REJECTED]
        assert asker.command(176, 1, AUTO, 3) == [ACCEPTED] * 2
        assert asker.command(400, 1) == [ACCEPTED]
        assert asker.command(176, 1, AUTO, MISSION) == [ACCEPTED, REJECTED]
        assert asker.command(400, 0) == [ACCEPTED]


@PX4
def test_of_several_areas_to_stay_in_all_hold(sitl_vehicle):
    """It is sent nowhere that one of them does not hold."""
    wide, narrow = (0, 5003, 300.0, 0, 0), (0, 5003, 40.0, 0, 0)
    order = 192, -1, 1, 0, nan, HOME[0] + 100 * METRE, HOME[1], HOME[2] + 15

    def left(most_s):
        far = (HOME[0] + 30 * METRE) * 1e7
        return asker.hear("GLOBAL_POSITION_INT", where=lambda m: m.lat > far, most_s=most_s) is not None

    with closing(Asker(sitl_vehicle)) as asker:
        asker.ready()
        assert asker.upload([wide, narrow], 1) == 0
        asker.fly(15.0)
        assert asker.command(*order) == [ACCEPTED]
        assert not left(most_s=8.0)
        assert asker.upload([wide], 1) == 0
        assert not left(most_s=3.0)  # the real one looks at a new fence some time after it has taken it
        assert asker.command(*order) == [ACCEPTED]
        assert left(most_s=WITHIN_S)
