"""QGroundControl, by what its sources send: how it connects, sends a plan, flies it and takes the vehicle over.

InitialConnectStateMachine.cc, StandardModes.cc, ParameterManager.cc, PlanManager.cc, and the plugins of ArduPilot and
PX4. The program itself is not run.
"""

import struct
from math import hypot, nan

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from tests.sim.crafts import ARM, METRE, SET_MODE, START, every_kind
from tests.sim.lockstep_pilot import Pilot, lockstep
from tests.sim.mav_client import ACCEPTED, HOME, item

REQUEST, INTERVAL, REPOSITION, ROI, ROI_NONE = 512, 511, 192, 195, 197
VERSION, MODES, METADATA, INFORMATION, GIMBAL, HOME_PLACE = 148, 435, 397, 395, 280, 242
RATES = ((1, 2), (2, 2), (3, 2), (6, 3), (10, 10), (11, 10), (12, 3))  # MAV_DATA_STREAM of ArduPilot, Hz
LAT, LON, GROUND_M = HOME
OPEN_TO_READ, NAK, NOT_FOUND = 4, 129, 10


def of(kind):
    pilot = Pilot(lockstep(**kind.config, wind=sim.Wind(0.0, 0.0, 0.0)))
    pilot.heartbeat()
    return pilot


def read(pilot, kind):
    """A list, item by item; the end is acknowledged, of an empty one too."""
    pilot.send(mav.MAVLink_mission_request_list_message(1, 1, kind))
    count = pilot.last("MISSION_COUNT")
    assert count.mission_type == kind
    items = []
    for seq in range(count.count):
        pilot.send(mav.MAVLink_mission_request_int_message(1, 1, seq, kind))
        items.append(pilot.last("MISSION_ITEM_INT"))
        assert (items[-1].seq, items[-1].mission_type) == (seq, kind)
    pilot.send(mav.MAVLink_mission_ack_message(1, 1, 0, kind))
    return items


def sent(pilot, items, kind=0):
    """A list, item by item as it is asked for; the first of a mission is the current one."""
    pilot.send(mav.MAVLink_mission_count_message(1, 1, len(items), kind))
    while pilot.heard[-1][1].get_type() != "MISSION_ACK":
        asked = next(m for _, m in reversed(pilot.heard) if m.get_type() in {"MISSION_REQUEST", "MISSION_REQUEST_INT"})
        frame, command, *rest = items[asked.seq]
        head = (1, 1, asked.seq, frame, command, int(asked.seq == 0 and kind == 0), 1)
        pilot.send(mav.MAVLink_mission_item_int_message(*head, *rest, kind))
    answer = pilot.last("MISSION_ACK")
    assert answer.mission_type == kind
    return answer.type


def connected(pilot, kind):
    """The steps of its state machine, in their order."""
    assert pilot.request(VERSION).capabilities & mav.MAV_PROTOCOL_CAPABILITY_COMMAND_INT
    assert pilot.command(REQUEST, MODES, 0) == ACCEPTED
    for nothing in (METADATA, INFORMATION):  # what is not there is said not to be, and it goes on
        assert pilot.command(REQUEST, nothing) not in {ACCEPTED, mav.MAV_RESULT_IN_PROGRESS}
    if not kind.px4:  # it would rather have all parameters as a file
        path = b"@PARAM/param.pck?withdefaults=1"
        asked = struct.pack("<HBBBBBBI", 1, 0, OPEN_TO_READ, len(path), 0, 0, 0, 0) + path
        pilot.send(mav.MAVLink_file_transfer_protocol_message(0, 1, 1, list(asked.ljust(251, b"\0"))))
        pilot.until(lambda: pilot.said("FILE_TRANSFER_PROTOCOL"), 5.0, 0.05)
        answer = pilot.last("FILE_TRANSFER_PROTOCOL").payload
        assert (answer[3], answer[12]) == (NAK, NOT_FOUND)
    pilot.send(mav.MAVLink_param_request_list_message(1, 0))
    pilot.until(lambda: pilot.said("PARAM_VALUE"), 60.0, 0.05)
    total = pilot.last("PARAM_VALUE").param_count
    pilot.until(lambda: {m.param_index for m in pilot.said("PARAM_VALUE")} >= set(range(total)), 60.0, 0.05)
    lists = [read(pilot, each) for each in (0, 1, 2)]
    if not kind.px4:
        for stream, rate in RATES:
            pilot.send(mav.MAVLink_request_data_stream_message(1, 1, stream, rate, 1))
    assert pilot.command(INTERVAL, HOME_PLACE, 1e6) == ACCEPTED
    assert pilot.command(REQUEST, GIMBAL) == ACCEPTED
    pilot.advance(2.0, 0.25)
    return lists


def places(rows):
    return [(command, x, y) for _, command, *_, x, y, _ in rows]


@every_kind
def test_it_connects_and_what_it_sends_comes_back(kind):
    pilot = of(kind)
    assert connected(pilot, kind) == [[], [], []]
    told = {m.get_type() for _, m in pilot.heard}
    assert {"HEARTBEAT", "AUTOPILOT_VERSION", "HOME_POSITION", "GLOBAL_POSITION_INT", "SYS_STATUS", "GPS_RAW_INT",
            "ATTITUDE", "VFR_HUD", "GIMBAL_MANAGER_INFORMATION"} <= told  # fmt: skip
    corners = ((-900, -900), (-900, 1500), (1900, 1500), (1900, -900))
    fence = [item(5001, params=(4.0,), lat=LAT + n * METRE, lon=LON + e * METRE) for n, e in corners]
    fence.append(item(5004, params=(40.0,), lat=LAT + 600 * METRE, lon=LON + 500 * METRE))
    rally = [item(5100, frame=3, lat=LAT + 100 * METRE, lon=LON, z=40.0)]
    mission = kind.mission()
    assert [sent(pilot, mission), sent(pilot, fence, 1), sent(pilot, rally, 2)] == [ACCEPTED] * 3
    # Another one that connects later has the same.
    later = Pilot(pilot.fleet, as_sysid=254)
    held = connected(later, kind)
    for rows, back, first in zip((mission, fence, rally), held, (kind.first, 0, 0), strict=True):
        assert [(m.command, m.x, m.y) for m in back][first:] == places(rows)[first:]
    assert [m.param1 for m in held[1]] == [4.0] * 4 + [40.0]


def start(pilot, kind):
    """`startMission`: wings of ArduPilot and PX4 in the mission's mode first, rotors of ArduPilot by the command."""

    def mode(name):
        return pilot.command(SET_MODE, 1, *kind.command_mode(name))

    if kind.px4 or kind.frame != "copter":
        assert [mode(kind.auto), pilot.command(ARM, 1)] == [ACCEPTED] * 2
    else:
        assert [mode("GUIDED"), pilot.command(ARM, 1), pilot.command(START)] == [ACCEPTED] * 3


@every_kind
def test_it_starts_the_mission_and_takes_the_vehicle_over(kind):
    pilot = of(kind)
    connected(pilot, kind)
    assert sent(pilot, kind.mission()) == ACCEPTED
    start(pilot, kind)
    flight = pilot.fleet.vehicles[0].flight
    body = flight.body

    def spoken():
        return pilot.last("HEARTBEAT").custom_mode

    pilot.until(lambda: body.n > 300.0, 300.0)
    assert spoken() == kind.numbers[kind.auto]
    pilot.request(33)
    amsl_m = pilot.last("GLOBAL_POSITION_INT").alt / 1000.0
    # Go to: wings of ArduPilot with the side of their circle, the others with no heading.
    radius, yaw = (80.0, 0.0) if kind.frame == "plane" and not kind.px4 else (0.0, nan)
    there = {"frame": 0, "lat": LAT + 500 * METRE, "lon": LON + 400 * METRE, "z": amsl_m}
    assert pilot.command_int(REPOSITION, -1.0, 1.0, radius, yaw, **there) == ACCEPTED
    away_m = 3.0 if kind.frame == "copter" else 130.0
    east_m = 400.0 * 0.854  # a degree of longitude at home is that much shorter
    pilot.until(lambda: hypot(body.n - 500.0, body.e - east_m) < away_m, 300.0)
    assert spoken() == kind.numbers["LOITER" if kind.px4 else "GUIDED"]
    pilot.advance(60.0, 1.0)
    assert hypot(body.n - 500.0, body.e - east_m) < 2 * away_m
    assert GROUND_M + body.u == pytest.approx(amsl_m, abs=5.0)
    # Higher by 20 m.
    if kind.px4:
        assert pilot.command(REPOSITION, -1.0, 1.0, 0.0, nan, nan, nan, amsl_m + 20.0) == ACCEPTED
    else:
        pilot.send(mav.MAVLink_set_position_target_local_ned_message(
            0, 1, 1, mav.MAV_FRAME_LOCAL_OFFSET_NED, 0xFFF8, 0, 0, -20.0, 0, 0, 0, 0, 0, 0, 0, 0))  # fmt: skip
    pilot.advance(60.0, 1.0)
    assert GROUND_M + body.u == pytest.approx(amsl_m + 20.0, abs=5.0)
    assert pilot.command_int(ROI, frame=0, lat=LAT, lon=LON, z=GROUND_M) == ACCEPTED
    assert pilot.command(ROI_NONE) == ACCEPTED
    assert pilot.command(SET_MODE, 1, *kind.command_mode("RTL")) == ACCEPTED
    pilot.until(lambda: hypot(body.n, body.e) < 150.0, 400.0)
    if kind.frame == "copter":
        pilot.until(lambda: not flight.armed, 400.0)
        assert hypot(body.n, body.e) < 2.0
