"""What other people's ground stations and scripts ask for beside missions: checks, home, a reboot, targets, streams."""

from math import cos, hypot, isclose, pi

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from tests.sim.crafts import ARM, SET_MODE, every_kind, int_on_wire
from tests.sim.lockstep_pilot import Pilot, lockstep
from tests.sim.mav_client import ACCEPTED, HOME

CHECKS, GUIDED = 401, 4
PREARM = mav.MAV_SYS_STATUS_PREARM_CHECK
DENIED_TEXT = "Arming denied: Resolve system health failures first\t"


def of(kind, **changes):
    return Pilot(lockstep(**{**kind.config, **changes}))


def texts(pilot):
    """Those of several parts put together; a part of fewer than 50 characters ends its text."""
    whole, last = [], ""
    for part in pilot.texts:
        last += part
        if len(part) < 50:
            whole.append(last)
            last = ""
    return whole


@every_kind
def test_what_speaks_against_arming_is_told_when_it_is_asked_for(kind):
    pilot = of(kind)
    pilot.fleet.vehicles[0].flight.battery.fail(3.0, 1.0)
    assert pilot.command(CHECKS) == ACCEPTED
    assert texts(pilot) == ["Preflight Fail: Low battery\t" if kind.px4 else "PreArm: Battery 1 low"]
    assert pilot.command(ARM, 1) == kind.refusal
    assert texts(pilot)[-1] == (DENIED_TEXT if kind.px4 else "Arm: Battery 1 low")
    pilot.fleet.vehicles[0].flight.battery.swap()
    del pilot.heard[:]
    assert pilot.command(CHECKS) == ACCEPTED
    assert texts(pilot) == []
    pilot.command(SET_MODE, 1, *kind.command_mode(kind.ready))
    assert pilot.command(ARM, 1) == ACCEPTED
    assert pilot.command(CHECKS) == 1


@every_kind
def test_it_is_told_unasked_again_and_again_or_once_when_it_changes(kind):
    pilot = of(kind)
    pilot.heartbeat()
    pilot.fleet.vehicles[0].flight.battery.fail(3.0, 1.0)
    pilot.advance(130.0, 1.0)
    assert len(texts(pilot)) == (1 if kind.px4 else 4)
    assert len(set(texts(pilot))) == 1
    pilot.fleet.vehicles[0].flight.battery.swap()
    pilot.advance(70.0, 1.0)
    assert len(texts(pilot)) == (1 if kind.px4 else 4)


@every_kind
def test_the_pre_arm_bit_is_where_its_autopilot_has_it(kind):
    """PX4 has it in the health alone (SYS_STATUS.hpp)."""
    pilot = of(kind)
    status = pilot.request(1)
    assert bool(status.onboard_control_sensors_present & PREARM) is not kind.px4
    assert bool(status.onboard_control_sensors_enabled & PREARM) is not kind.px4
    assert bool(status.onboard_control_sensors_present & mav.MAV_SYS_STATUS_GEOFENCE) is not kind.px4
    assert status.onboard_control_sensors_health & PREARM
    pilot.fleet.vehicles[0].flight.battery.fail(3.0, 1.0)
    assert not pilot.request(1).onboard_control_sensors_health & PREARM


@every_kind
def test_px4_that_would_miss_its_ground_station_does_not_arm_without_one(kind):
    """rcAndDataLinkCheck.cpp."""
    name = "NAV_DLL_ACT" if kind.px4 else "FS_GCS_ENABLE" if kind.frame == "copter" else "FS_GCS_ENABL"
    pilot = of(kind, params={**kind.params, name: 2.0})
    pilot.command(SET_MODE, 1, *kind.command_mode(kind.ready))
    pilot.advance(1.0)
    if kind.px4:
        assert pilot.command(ARM, 1) == kind.refusal
        pilot.command(CHECKS)
        assert texts(pilot)[-1] == "Preflight Fail: No connection to the ground control station\t"
        pilot.heartbeat()
        pilot.advance(1.0)
        assert pilot.request(1).onboard_control_sensors_health & PREARM
    assert pilot.command(ARM, 1) == ACCEPTED


@every_kind
def test_a_reboot_is_answered_and_done_on_the_ground_alone(kind):
    pilot = of(kind)
    pilot.advance(50.0)
    pilot.command(SET_MODE, 1, *kind.command_mode(kind.ready))
    assert pilot.command(ARM, 1) == ACCEPTED
    assert pilot.command(246, 1) not in {ACCEPTED, 1}
    assert pilot.command(ARM, 0) == ACCEPTED
    assert pilot.command(246, 0) == (ACCEPTED if kind.px4 else 3)
    assert pilot.command(246, 1) == ACCEPTED
    pilot.advance(1.0)
    assert pilot.request(mav.MAVLINK_MSG_ID_SYSTEM_TIME).time_boot_ms < 2000


@every_kind
def test_home_is_told_and_set_where_it_is(kind):
    pilot = of(kind)
    assert pilot.command(410) == ACCEPTED
    assert pilot.last("HOME_POSITION").latitude == round(HOME[0] * 1e7)
    assert pilot.command(179, 1) == ACCEPTED
    assert pilot.command(179, 0, 0, 0, 0, HOME[0], HOME[1], HOME[2]) == ACCEPTED


def test_pings_and_questions_of_old_are_answered():
    pilot = Pilot(lockstep())
    pilot.send(mav.MAVLink_ping_message(77, 5, 0, 0))
    answer = pilot.last("PING")
    assert (answer.time_usec, answer.seq, answer.target_system, answer.target_component) == (77, 5, 255, 190)
    pilot.send(mav.MAVLink_ping_message(78, 6, 1, 1))
    assert len(pilot.said("PING")) == 1
    pilot.send(mav.MAVLink_autopilot_version_request_message(1, 1))
    assert pilot.last("AUTOPILOT_VERSION").flight_sw_version == 4 << 24 | 7 << 16


def aloft(up_m=30.0):
    pilot = Pilot(lockstep(wind=sim.Wind(0.0, 0.0, 0.0)))
    assert [pilot.command(SET_MODE, 1, GUIDED), pilot.command(ARM, 1), pilot.command(22, 0, 0, 0, 0, 0, 0, up_m)] == [
        0
    ] * 3
    pilot.until(lambda: pilot.fleet.vehicles[0].flight.body.u > up_m - 0.3)
    pilot.advance(5.0)
    return pilot, pilot.fleet.vehicles[0].flight.body


def target(pilot, frame, mask, *, place=(0.0, 0.0, 0.0), velocity=(0.0, 0.0, 0.0)):
    rest = (0.0, 0.0, 0.0, 0.0, 0.0)
    pilot.send(mav.MAVLink_set_position_target_local_ned_message(0, 1, 1, frame, mask, *place, *velocity, *rest))


def test_a_place_from_home_from_where_it_is_and_ahead_of_it():
    pilot, body = aloft()
    target(pilot, mav.MAV_FRAME_LOCAL_NED, 0xDF8, place=(40.0, -30.0, -25.0))
    pilot.advance(40.0)
    assert hypot(body.n - 40.0, body.e + 30.0, body.u - 25.0) < 1.0
    target(pilot, mav.MAV_FRAME_LOCAL_OFFSET_NED, 0xDF8, place=(0.0, 20.0, -5.0))
    pilot.advance(30.0)
    assert hypot(body.n - 40.0, body.e + 10.0, body.u - 30.0) < 1.0
    north, east, yaw = body.n, body.e, body.yaw
    target(pilot, mav.MAV_FRAME_BODY_OFFSET_NED, 0xDF8, place=(15.0, 0.0, 0.0))
    pilot.advance(30.0)
    assert hypot(body.n - north, body.e - east) == pytest.approx(15.0, abs=1.0)
    assert isclose((body.n - north) / 15.0, cos(yaw), abs_tol=0.1)


def test_yaw_beside_a_place_ahead_is_no_heading():
    """In frames of the body ArduCopter counts it from the nose, which is not simulated."""
    pilot, body = aloft()
    target(pilot, mav.MAV_FRAME_LOCAL_NED, 0xDF8, place=(0.0, 30.0, -30.0))
    pilot.advance(30.0)
    target(pilot, mav.MAV_FRAME_BODY_OFFSET_NED, 0xDF8 & ~0x400, place=(15.0, 0.0, 0.0))
    pilot.advance(10.0)
    assert cos(body.yaw - pi / 2) > 0.99


def test_a_velocity_holds_for_three_seconds_after_it_was_told_last():
    pilot, body = aloft()
    north = body.n
    for _ in range(10):
        target(pilot, mav.MAV_FRAME_LOCAL_NED, 0xDC7, velocity=(3.0, 0.0, 0.0))
        pilot.advance(1.0)
    assert body.vn == pytest.approx(3.0, abs=0.1)
    assert body.n - north == pytest.approx(30.0, abs=4.0)
    pilot.advance(2.0)
    assert body.vn == pytest.approx(3.0, abs=0.1)
    pilot.advance(5.0)
    assert hypot(body.vn, body.ve) < 0.1
    # Ahead is where the nose points.
    before = body.n, body.e
    target(pilot, mav.MAV_FRAME_BODY_NED, 0xDC7, velocity=(0.0, 2.0, 0.0))
    pilot.advance(2.0)
    assert (body.e - before[1]) * cos(body.yaw) >= 0.0 or abs(cos(body.yaw)) < 0.1
    assert hypot(body.n - before[0], body.e - before[1]) > 1.0
    # What is faster than it may fly is flown as fast as it may.
    for _ in range(8):
        target(pilot, mav.MAV_FRAME_LOCAL_NED, 0xDC7, velocity=(50.0, 0.0, 0.0))
        pilot.advance(1.0)
    assert body.vn == pytest.approx(10.0, abs=0.2)


def test_targets_of_px4_are_offboards():
    pilot = Pilot(lockstep(autopilot="px4", frame="copter"))
    target(pilot, mav.MAV_FRAME_LOCAL_NED, 0xDC7, velocity=(3.0, 0.0, 0.0))
    pilot.advance(2.0)
    assert pilot.fleet.vehicles[0].flight.landed


def test_what_scripts_wait_for_comes_with_the_streams_of_old():
    pilot, body = aloft()
    pilot.send(mav.MAVLink_request_data_stream_message(1, 1, mav.MAV_DATA_STREAM_ALL, 4, 1))
    target(pilot, mav.MAV_FRAME_LOCAL_NED, 0xDF8, place=(300.0, 0.0, -30.0))
    pilot.advance(10.0, 0.25)
    there = pilot.last("LOCAL_POSITION_NED")
    assert (there.x, there.y, there.z) == pytest.approx((body.n, body.e, -body.u), abs=5.0)
    way = pilot.last("NAV_CONTROLLER_OUTPUT")
    assert way.wp_dist == pytest.approx(300.0 - body.n, abs=6.0)
    assert way.target_bearing == pytest.approx(0, abs=2)
    assert pilot.last("RC_CHANNELS").chancount == 8
    assert pilot.last("SERVO_OUTPUT_RAW").servo1_raw > 1100
    assert pilot.last("RAW_IMU").zacc == pytest.approx(-1000, abs=100)
    # The standard atmosphere at home.
    assert pilot.last("SCALED_PRESSURE").press_abs == pytest.approx(1013.25 * (1 - 1210.0 / 44330.8) ** 5.2559, abs=1.0)
    turn = pilot.request(mav.MAVLINK_MSG_ID_ATTITUDE_QUATERNION)
    yaw = pilot.request(mav.MAVLINK_MSG_ID_ATTITUDE).yaw
    assert abs(turn.q1) == pytest.approx(abs(cos(yaw / 2)), abs=0.05)
    assert abs(yaw) <= pi


@pytest.mark.parametrize("excepted", [0, 1])
def test_a_mission_of_px4_may_be_excepted_from_the_loss_of_its_ground_station(excepted):
    pilot = Pilot(lockstep(autopilot="px4", frame="copter"))
    flight = pilot.fleet.vehicles[0].flight
    for name, value in (("NAV_DLL_ACT", 2), ("COM_DLL_EXCEPT", excepted)):
        pilot.send(mav.MAVLink_param_set_message(1, 1, name.encode(), int_on_wire(value), 6))
    items = [
        (6, 22, 0, 0, 0, 0, round(HOME[0] * 1e7), round(HOME[1] * 1e7), 30.0),
        (6, 16, 0, 0, 0, 0, round(HOME[0] * 1e7) + 100_000, round(HOME[1] * 1e7), 30.0),
    ]
    assert pilot.upload(items) == 0
    pilot.heartbeat()
    pilot.advance(1.0)
    assert pilot.command(SET_MODE, 1, 4, 4) == ACCEPTED
    assert pilot.command(ARM, 1) == ACCEPTED
    # Heard for 2.5 s more, missed for COM_DL_LOSS_T of 10 s; then it holds for 5 s.
    pilot.advance(11.0)
    assert flight.dialect.spec(flight.mode).name == "MISSION"
    pilot.advance(2.0)
    assert flight.dialect.spec(flight.mode).name == ("MISSION" if excepted else "HOLD")
    pilot.advance(5.0)
    assert flight.dialect.spec(flight.mode).name == ("MISSION" if excepted else "RTL")


@every_kind
def test_of_a_parameter_that_it_lacks_it_says_so(kind):
    """ArduPilot 4.7 (GCS_Param.cpp, send_param_error); PX4 of 2026 (mavlink_parameters.cpp, send_error)."""
    pilot = of(kind)
    for ask, error in (
        (mav.MAVLink_param_request_read_message(1, 1, b"NOT_THERE", -1), 1),
        (mav.MAVLink_param_set_message(1, 1, b"NOT_THERE", 1.0, 9), 1),
        (
            mav.MAVLink_param_set_message(1, 1, b"RTL_ALTITUDE", float("nan"), 9),
            1 if kind.px4 or kind.frame == "copter" else 2,
        ),
    ):
        pilot.heard.clear()
        pilot.send(ask)
        pilot.advance(0.5)
        said = pilot.said("PARAM_ERROR")
        assert [(m.error, m.param_id, m.target_system) for m in said] == [(error, ask.param_id, 255)]
        assert not pilot.said("PARAM_VALUE")


@every_kind
def test_the_message_set_mode_is_acknowledged_as_each_autopilot_does(kind):
    """ArduPilot by the message's number (GCS_Common.cpp), PX4 by the command it makes of it (mavlink_receiver.cpp)."""
    pilot = of(kind)
    acked = 176 if kind.px4 else 11
    main, sub = kind.command_mode(kind.ready)
    number = int(main) << 16 | int(sub) << 24 if kind.px4 else int(main)
    for base, custom, result in (
        (1, number, ACCEPTED),
        (1, 0xFF if not kind.px4 else 0xFF << 16, None),
        (0, number, None),
    ):
        pilot.heard.clear()
        pilot.send(mav.MAVLink_set_mode_message(1, base, custom))
        (ack,) = pilot.said("COMMAND_ACK")
        assert (ack.command, ack.target_system) == (acked, 255)
        assert ack.result == result if result is not None else ack.result != ACCEPTED


@every_kind
def test_the_interval_of_a_message_is_told(kind):
    """GET_MESSAGE_INTERVAL: of what is not sent ArduPilot tells -1, PX4 0; of what there is not ArduPilot fails."""
    pilot = of(kind)

    def asked(number):
        pilot.heard.clear()
        result = pilot.command(mav.MAV_CMD_GET_MESSAGE_INTERVAL, number)
        (told,) = pilot.said("MESSAGE_INTERVAL")
        assert told.message_id == number
        return result, told.interval_us

    attitude = mav.MAVLINK_MSG_ID_ATTITUDE
    pilot.command(mav.MAV_CMD_SET_MESSAGE_INTERVAL, attitude, 125_000)
    assert asked(attitude) == (ACCEPTED, 125_000)
    pilot.command(mav.MAV_CMD_SET_MESSAGE_INTERVAL, attitude, -1)
    assert asked(attitude) == (ACCEPTED, 0 if kind.px4 else -1)
    assert asked(9999) == ((ACCEPTED, 0) if kind.px4 else (mav.MAV_RESULT_FAILED, 0))


@every_kind
def test_an_interval_that_no_message_can_tell_is_the_longest_that_one_can(kind):
    pilot = of(kind)
    assert pilot.command(mav.MAV_CMD_SET_MESSAGE_INTERVAL, mav.MAVLINK_MSG_ID_ATTITUDE, 1e30) == ACCEPTED
    assert pilot.command(mav.MAV_CMD_GET_MESSAGE_INTERVAL, mav.MAVLINK_MSG_ID_ATTITUDE) == ACCEPTED
    assert pilot.last("MESSAGE_INTERVAL").interval_us == 2**31 - 1


@every_kind
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused_and_the_vehicle_goes_on(kind, number):
    pilot = of(kind)
    for command in (510, 511, 512, 224):
        assert pilot.command(command, number) != ACCEPTED
    assert pilot.request(0).get_type() == "HEARTBEAT"


def test_a_pause_in_guided_holds_and_what_is_told_meanwhile_waits():
    """ArduCopter mode_guided.cpp: one flag, above every way of steering, that a change of mode clears."""
    pilot, body = aloft()

    def go_to(east_m):
        lon = HOME[1] + east_m / (111_320.0 * cos(HOME[0] * pi / 180))
        assert pilot.command_int(192, -1, frame=6, lat=HOME[0], lon=lon, z=30.0) == ACCEPTED

    go_to(400.0)
    pilot.until(lambda: body.ve > 5.0, 60.0)
    for _ in range(2):
        assert pilot.command(193, 0) == ACCEPTED
        pilot.advance(20.0)
        assert hypot(body.ve, body.vn) < 0.05
    assert 10.0 < body.e < 300.0
    assert pilot.command(193, 1) == ACCEPTED
    pilot.until(lambda: body.e > 395.0, 120.0)

    assert pilot.command(193, 0) == ACCEPTED
    go_to(-200.0)
    pilot.advance(20.0)
    assert body.e > 395.0
    assert pilot.command(193, 1) == ACCEPTED
    pilot.until(lambda: body.e < -195.0, 200.0)

    assert pilot.command(193, 0) == ACCEPTED
    assert pilot.command(SET_MODE, 1, 6) == ACCEPTED  # RTL
    assert pilot.command(193, 0) == mav.MAV_RESULT_FAILED
    pilot.until(lambda: body.e > -100.0, 120.0)
