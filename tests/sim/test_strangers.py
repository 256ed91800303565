"""What strangers' scripts order by command, and what each autopilot answers, by its own sources.

ArduPilot: GCS_Common.cpp, GCS_MAVLink_Copter.cpp, GCS_MAVLink_Plane.cpp, GCS_Fence.cpp. PX4: Commander.cpp,
navigator_main.cpp, mavlink_receiver.cpp.
"""

from math import hypot, nan

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from tests.sim.crafts import ARM, SET_MODE, START, every_kind
from tests.sim.lockstep_pilot import Pilot, lockstep
from tests.sim.mav_client import ACCEPTED, HOME

REJECTED, DENIED, UNSUPPORTED, FAILED = 1, 2, 3, 4
SPEED, FENCE, YAW, TERMINATE, CALIBRATE, REBOOT = 178, 207, 115, 185, 241, 246
# Command, parameters, and the answers of ArduCopter, ArduPlane, QuadPlane and PX4, on the ground and not armed.
ASKED = [
    (SET_MODE, (0, 0), (DENIED, DENIED, DENIED, REJECTED)),
    (SPEED, (1, 0), (DENIED, FAILED, FAILED, ACCEPTED)),
    (SPEED, (1, 5), (FAILED, FAILED, FAILED, ACCEPTED)),
    (SPEED, (nan, 5), (FAILED, FAILED, FAILED, ACCEPTED)),
    (START, (1, 0), (DENIED, DENIED, DENIED, DENIED)),
    (START, (0, 0), (FAILED, ACCEPTED, ACCEPTED, DENIED)),
    (FENCE, (1,), (ACCEPTED, FAILED, FAILED, UNSUPPORTED)),
    (FENCE, (2,), (ACCEPTED, ACCEPTED, ACCEPTED, UNSUPPORTED)),
    (FENCE, (7,), (FAILED, FAILED, FAILED, UNSUPPORTED)),
    (YAW, (90, 10, 1, 0), (ACCEPTED, UNSUPPORTED, UNSUPPORTED, UNSUPPORTED)),
    (YAW, (400, 10, 1, 0), (FAILED, UNSUPPORTED, UNSUPPORTED, UNSUPPORTED)),
    (YAW, (90, 10, 1, 2), (FAILED, UNSUPPORTED, UNSUPPORTED, UNSUPPORTED)),
    (TERMINATE, (1,), (ACCEPTED, FAILED, FAILED, DENIED)),
    (TERMINATE, (0,), (FAILED, FAILED, FAILED, DENIED)),
    (ARM, (0.4,), (UNSUPPORTED, UNSUPPORTED, UNSUPPORTED, ACCEPTED)),
    (ARM, (nan,), (UNSUPPORTED,) * 4),
    (REBOOT, (2,), (UNSUPPORTED, UNSUPPORTED, UNSUPPORTED, DENIED)),
    (CALIBRATE, (1,), (ACCEPTED,) * 4),
    (CALIBRATE, (0, 0, 1), (ACCEPTED,) * 4),
    (21, (), (ACCEPTED, UNSUPPORTED, UNSUPPORTED, ACCEPTED)),
    (85, (), (ACCEPTED, UNSUPPORTED, UNSUPPORTED, UNSUPPORTED)),
    (84, (), (FAILED, UNSUPPORTED, UNSUPPORTED, UNSUPPORTED)),
]


def of(kind):
    return Pilot(lockstep(**kind.config, wind=sim.Wind(0.0, 0.0, 0.0)))


def column(kind):
    return 3 if kind.px4 else ("copter", "plane", "vtol").index(kind.frame)


@every_kind
@pytest.mark.parametrize(("command", "params", "answers"), ASKED)
def test_each_command_is_answered_as_its_autopilot_does(kind, command, params, answers):
    assert of(kind).command(command, *params) == answers[column(kind)]


@every_kind
def test_each_has_its_own_number_for_arming_without_checks(kind):
    """ArduPilot's is not the one by which it disarms in the air (GCS.h)."""
    pilot = Pilot(lockstep(**kind.config, boot=sim.Boot(0.0, 100.0, 100.0)))
    by = {magic: pilot.command(ARM, 1, magic) for magic in (0, *((2989, 21196) if kind.px4 else (21196, 2989)))}
    assert list(by.values()) == [kind.refusal, kind.refusal, ACCEPTED]


@every_kind
def test_a_message_that_names_no_mode_of_its_own_is_refused_as_the_command_is(kind):
    pilot = of(kind)
    pilot.send(mav.MAVLink_set_mode_message(1, 0, 0))
    assert pilot.last("COMMAND_ACK").result == (REJECTED if kind.px4 else DENIED)


@every_kind
def test_a_start_without_a_mission_changes_nothing(kind):
    """ArduPlane says that it is done all the same."""
    pilot = of(kind)
    before = pilot.request(0).custom_mode
    pilot.command(START)
    assert pilot.request(0).custom_mode == before
    if kind.px4:
        assert pilot.texts == ["Mission start denied! No valid mission\t"]


@every_kind
def test_commands_to_another_component_are_px4s_to_leave(kind):
    """ArduPilot takes what nobody else is there for."""
    pilot = of(kind)
    for system, component in ((1, mav.MAV_COMP_ID_GIMBAL), (0, 1), (0, 0)):
        pilot.heard.clear()
        pilot.send(mav.MAVLink_command_long_message(system, component, 410, 0, *[0.0] * 7))
        assert len(pilot.said("COMMAND_ACK")) == (0 if kind.px4 else 1)
        # Of the request for a message PX4 looks at the system alone.
        pilot.send(mav.MAVLink_command_long_message(1, component, 512, 0, 148.0, *[0.0] * 6))
        assert len(pilot.said("AUTOPILOT_VERSION")) == 1
    assert pilot.command(410) == ACCEPTED


@every_kind
def test_logs_are_none_and_files_are_answered(kind):
    pilot = of(kind)
    pilot.send(mav.MAVLink_log_request_list_message(1, 1, 0, 0xFFFF))
    entry = pilot.last("LOG_ENTRY")
    assert (entry.num_logs, entry.last_log_num, entry.size) == (0, 0, 0)
    assert pilot.request(148).capabilities & mav.MAV_PROTOCOL_CAPABILITY_FTP
    listing = bytes([1, 0, 0, 3, 1, 0, 0, 0, 0, 0, 0, 0]) + b"/"
    pilot.send(mav.MAVLink_file_transfer_protocol_message(0, 1, 1, listing.ljust(251, b"\0")))
    pilot.advance(0.5)
    reply = pilot.last("FILE_TRANSFER_PROTOCOL").payload
    assert (reply[3], reply[5], reply[12]) == (mav.MAV_FTP_OPCODE_NAK, 3, mav.MAV_FTP_ERR_EOF)


def test_px4_takes_a_new_speed_and_gives_it_back():
    pilot = Pilot(lockstep(autopilot="px4", frame="copter", wind=sim.Wind(0.0, 0.0, 0.0)))
    body = pilot.fleet.vehicles[0].flight.body
    assert [pilot.command(22, 0, 0, 0, nan, nan, nan, HOME[2] + 30), pilot.command(ARM, 1)] == [ACCEPTED] * 2
    pilot.until(lambda: body.u > 29.0)
    assert pilot.command_int(192, -1, 1, frame=0, lat=HOME[0] + 0.01, lon=HOME[1], z=HOME[2] + 30) == ACCEPTED
    for speed, flown in ((3.0, 3.0), (-1.0, 5.0)):
        assert pilot.command(SPEED, 1, speed, -1) == ACCEPTED
        pilot.advance(10.0)
        assert body.vn == pytest.approx(flown, abs=0.1)


def test_of_a_target_a_plane_takes_the_height_alone():
    pilot = Pilot(lockstep(frame="plane", wind=sim.Wind(0.0, 0.0, 0.0)))
    body = pilot.fleet.vehicles[0].flight.body
    assert [pilot.command(SET_MODE, 1, 13), pilot.command(ARM, 1)] == [ACCEPTED] * 2  # TAKEOFF
    pilot.until(lambda: body.u > 48.0)
    assert pilot.command_int(192, -1, 1, frame=3, lat=HOME[0], lon=HOME[1], z=60.0) == ACCEPTED
    pilot.advance(90.0)
    far = round((HOME[0] + 0.05) * 1e7), round(HOME[1] * 1e7)
    pilot.send(mav.MAVLink_set_position_target_global_int_message(0, 1, 1, 6, 0xDF8, *far, 80.0, *[0.0] * 8))
    pilot.advance(60.0)
    assert body.u == pytest.approx(80.0, abs=2.0)
    assert hypot(body.e, body.n) < 100.0
    pilot.send(mav.MAVLink_set_position_target_local_ned_message(0, 1, 1, 7, 0xDF8, 900.0, 0.0, -10.0, *[0.0] * 8))
    pilot.advance(60.0)
    assert body.u == pytest.approx(90.0, abs=2.0)
    assert hypot(body.e, body.n) < 100.0


ARMED = mav.MAV_MODE_FLAG_SAFETY_ARMED
ENDED = mav.MAV_STATE_FLIGHT_TERMINATION


@pytest.mark.parametrize(
    ("autopilot", "order", "armed", "status"),
    [
        ("ardupilot", (TERMINATE, 1), False, mav.MAV_STATE_ACTIVE),
        ("ardupilot", (ARM, 0, 21196), False, mav.MAV_STATE_ACTIVE),
        ("px4", (TERMINATE, 1), True, ENDED),
        ("px4", (ARM, 0, 21196), False, mav.MAV_STATE_STANDBY),
    ],
)
def test_one_whose_flight_is_ended_says_so_while_it_falls(autopilot, order, armed, status):
    """ArduPilot disarms for either; PX4 is terminated, and armed until it lies on the ground (HEARTBEAT.hpp)."""
    pilot = Pilot(lockstep(autopilot=autopilot, frame="copter", wind=sim.Wind(0.0, 0.0, 0.0)))
    flight = pilot.fleet.vehicles[0].flight
    px4 = autopilot == "px4"
    if px4:
        assert pilot.command(22, 0, 0, 0, nan, nan, nan, HOME[2] + 100) == ACCEPTED
        assert pilot.command(ARM, 1) == ACCEPTED
    else:
        assert [pilot.command(SET_MODE, 1, 4), pilot.command(ARM, 1)] == [ACCEPTED] * 2
        assert pilot.command(22, 0, 0, 0, 0, 0, 0, 100) == ACCEPTED
    pilot.until(lambda: flight.body.u > 99.0)
    assert pilot.command(*order) == ACCEPTED
    pilot.advance(1.0)
    beat = pilot.request(0)
    assert flight.body.u > 90.0
    assert (bool(beat.base_mode & ARMED), beat.system_status) == (armed, status)
    # It neither flies again nor is armed while it falls.
    if not armed:
        assert pilot.command(ARM, 1) == (REJECTED if px4 else FAILED)
    pilot.until(lambda: flight.landed, 30.0)
    pilot.until(lambda: not pilot.request(0).base_mode & ARMED, 10.0)
    assert pilot.texts.count("Disarming motors") == 1
    assert pilot.request(0).system_status == mav.MAV_STATE_STANDBY
