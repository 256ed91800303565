"""The gimbal manager beside the message definitions, in ArduPilot's way and in PX4's."""

from math import atan2, cos, degrees, hypot, nan, radians

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav
from pymavlink.quaternion import QuaternionBase

from sim.flight_gimbal import Gimbal
from tests.sim.lockstep_pilot import Pilot, lockstep
from tests.sim.mav_client import ACCEPTED, HOME, RTL, item, waypoint

DENIED, FAILED = mav.MAV_RESULT_DENIED, mav.MAV_RESULT_FAILED
INFORMATION, STATUS, DEVICE = 280, 281, 285
CONFIGURE, PITCH_YAW, MOUNT, ROI, ROI_NONE = 1001, 1000, 205, 195, 197
RETRACT, NEUTRAL, ROLL_LOCK, PITCH_LOCK, YAW_LOCK, IN_VEHICLE = 1, 2, 4, 8, 16, 32
LEVEL = ROLL_LOCK | PITCH_LOCK
SLEW_DEG_S = 60.0

both = pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])


class Operator(Pilot):
    """A ground station that turns a gimbal."""

    def claim(self):
        assert self.command(CONFIGURE, 255, 190, -1, -1) == ACCEPTED

    def turn(self, pitch=nan, yaw=nan, pitch_rate=nan, yaw_rate=nan, flags=LEVEL, device=0):
        return self.command(PITCH_YAW, pitch, yaw, pitch_rate, yaw_rate, flags, 0, device)

    def set_pitch_yaw(self, pitch=nan, yaw=nan, pitch_rate=nan, yaw_rate=nan, flags=LEVEL, device=0):
        self.send(
            mav.MAVLink_gimbal_manager_set_pitchyaw_message(1, 1, flags, device, pitch, yaw, pitch_rate, yaw_rate)
        )

    def set_attitude(self, q, rates=(nan, nan, nan), flags=LEVEL, device=0):
        self.send(mav.MAVLink_gimbal_manager_set_attitude_message(1, 1, flags, device, q, *rates))

    @property
    def looks(self):
        """Pitch and yaw against the nose, degrees, by the device's own quaternion, and its flags."""
        device = self.request(DEVICE)
        _, pitch, yaw = QuaternionBase(list(device.q)).euler
        return round(degrees(pitch), 2), round(degrees(yaw), 2), device.flags

    @property
    def nose_deg(self):
        return degrees(self.request(30).yaw) % 360.0


def operator(autopilot, **changes):
    pilot = Operator(lockstep(autopilot=autopilot, **changes))
    pilot.heartbeat()
    return pilot


def in_the_air(autopilot, **changes):
    """Hovering at 40 m on the pad."""
    pilot = operator(autopilot, **changes)
    if autopilot == "ardupilot":
        assert [pilot.command(176, 1, 4), pilot.command(400, 1), pilot.command(22, 0, 0, 0, 0, 0, 0, 40.0)] == [0] * 3
    else:
        assert [pilot.command(22, 0, 0, 0, nan, 0, 0, HOME[2] + 40.0), pilot.command(400, 1)] == [0] * 2
    pilot.advance(40.0)
    assert pilot.request(33).relative_alt == pytest.approx(40_000, abs=2000)
    return pilot


def true_bearing(pilot, north_m, east_m, up_m):
    """Pitch and true bearing from the vehicle to a place about home, degrees."""
    at = pilot.request(33)
    n = north_m - (at.lat / 1e7 - HOME[0]) * 110_870.0
    e = east_m - (at.lon / 1e7 - HOME[1]) * 111_320.0 * cos(radians(HOME[0]))
    u = up_m - at.relative_alt / 1000.0
    return degrees(atan2(u, hypot(n, e))), degrees(atan2(e, n)) % 360.0


# --- who has control -----------------------------------------------------------------------------------------------


@both
def test_what_it_can_is_told_when_asked(autopilot):
    told = operator(autopilot).request(INFORMATION)
    assert told.gimbal_device_id == 1
    assert degrees(told.pitch_min) == pytest.approx(-90.0)
    assert degrees(told.pitch_max) == pytest.approx(30.0)
    assert (degrees(told.yaw_min), degrees(told.yaw_max)) == (pytest.approx(-180.0), pytest.approx(180.0))
    can_retract = bool(told.cap_flags & mav.GIMBAL_MANAGER_CAP_FLAGS_HAS_RETRACT)
    assert can_retract == (autopilot == "ardupilot")
    for flag in ("HAS_NEUTRAL", "HAS_PITCH_AXIS", "HAS_YAW_AXIS", "HAS_YAW_LOCK", "CAN_POINT_LOCATION_GLOBAL"):
        assert told.cap_flags & getattr(mav, f"GIMBAL_MANAGER_CAP_FLAGS_{flag}")


def control(pilot):
    status = pilot.request(STATUS)
    assert (status.secondary_control_sysid, status.secondary_control_compid) == (0, 0)
    return status.primary_control_sysid, status.primary_control_compid


@both
def test_control_is_claimed_kept_given_and_released(autopilot):
    pilot = operator(autopilot)
    other = Operator(pilot.fleet, as_sysid=254, compid=191)
    assert control(pilot) == (0, 0)
    assert pilot.command(CONFIGURE, -2, -2, -1, -1) == ACCEPTED
    assert control(pilot) == (255, 190)
    assert other.command(CONFIGURE, -1, -1, -1, -1) == ACCEPTED
    assert other.command(CONFIGURE, -3, -3, -1, -1) == ACCEPTED  # which is not the other's to release
    assert control(pilot) == (255, 190)
    assert pilot.command(CONFIGURE, 254, 191, -1, -1) == ACCEPTED
    assert control(pilot) == (254, 191)
    assert other.command(CONFIGURE, -3, -3, -1, -1) == ACCEPTED
    assert control(pilot) == (0, 0)


@both
def test_a_change_of_control_is_told_to_everybody_at_once(autopilot):
    pilot = operator(autopilot)
    other = Operator(pilot.fleet, as_sysid=254, compid=191)
    other.heartbeat()
    pilot.claim()
    other.listen()
    assert other.last("GIMBAL_MANAGER_STATUS").primary_control_sysid == 255
    count = len(other.said("GIMBAL_MANAGER_STATUS"))
    pilot.claim()
    other.listen()
    assert len(other.said("GIMBAL_MANAGER_STATUS")) == count


@pytest.mark.parametrize("who", [(-4.0, 0.0), (256.0, 0.0), (nan, 0.0), (1.0, 300.0)])
def test_ids_that_are_none_change_nothing(who):
    for autopilot, answer in (("ardupilot", FAILED), ("px4", ACCEPTED)):
        pilot = operator(autopilot)
        pilot.claim()
        assert pilot.command(CONFIGURE, *who, -1, -1) == answer
        assert control(pilot) == (255, 190)


def test_px4_refuses_whoever_has_no_control():
    pilot = in_the_air("px4")
    other = Operator(pilot.fleet, as_sysid=254, compid=191)
    assert pilot.turn(-30.0, 20.0) == DENIED
    pilot.claim()
    assert other.turn(-60.0, 0.0) == DENIED
    other.set_attitude(list(QuaternionBase([0.0, -1.0, 0.0]).q))
    pilot.advance(3.0)
    assert pilot.looks[:2] == (0.0, 0.0)
    assert pilot.turn(-30.0, 20.0) == ACCEPTED
    pilot.advance(3.0)
    assert pilot.looks[:2] == (-30.0, 20.0)


def test_ardupilot_obeys_everybody():
    pilot = in_the_air("ardupilot")
    pilot.claim()
    other = Operator(pilot.fleet, as_sysid=254, compid=191)
    assert other.turn(-60.0, 15.0) == ACCEPTED
    pilot.advance(3.0)
    assert pilot.looks[:2] == (-60.0, 15.0)


def test_a_mission_of_px4_takes_control_for_itself():
    pilot = operator("px4")
    pilot.claim()
    turn = item(PITCH_YAW, frame=2, params=(-45.0, 10.0, 0.0, 0.0), z=0.0)
    off = item(22, frame=6, lat=HOME[0], lon=HOME[1], z=30.0)
    mission = [off, turn, waypoint(31.341, -110.94, 30.0), item(RTL, frame=2)]
    assert pilot.upload(mission) == ACCEPTED
    assert [pilot.command(176, 1, 4, 4), pilot.command(400, 1)] == [ACCEPTED] * 2
    pilot.until(lambda: control(pilot) == (1, 1), 60.0)
    pilot.advance(2.0)
    assert pilot.looks[:2] == (-45.0, 10.0)
    assert pilot.turn(0.0, 0.0) == DENIED
    pilot.claim()
    assert pilot.turn(0.0, 0.0) == ACCEPTED


# --- angles, rates, flags ------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("way", ["command", "command_int", "set_attitude", "set_pitchyaw"])
def test_every_way_to_say_angles_says_the_same(autopilot, way):
    pilot = in_the_air(autopilot)
    pilot.claim()
    pitch, yaw = -40.0, 70.0
    if way == "command":
        assert pilot.turn(pitch, yaw) == ACCEPTED
    elif way == "command_int":
        pilot.send(mav.MAVLink_command_int_message(1, 1, 2, PITCH_YAW, 0, 0, pitch, yaw, nan, nan, LEVEL, 0, 0.0))
    elif way == "set_attitude":
        pilot.set_attitude(list(QuaternionBase([0.0, radians(pitch), radians(yaw)]).q))
    else:
        pilot.set_pitch_yaw(radians(pitch), radians(yaw))
    pilot.advance(3.0)
    # PX4 has no GIMBAL_MANAGER_SET_PITCHYAW.
    expected = (0.0, 0.0) if (autopilot, way) == ("px4", "set_pitchyaw") else (pitch, yaw)
    assert pilot.looks == (*expected, LEVEL | IN_VEHICLE)


@both
def test_it_turns_at_sixty_degrees_a_second(autopilot):
    pilot = in_the_air(autopilot)
    pilot.claim()
    assert pilot.turn(-90.0, -150.0) == ACCEPTED
    pilot.advance(1.0)
    assert pilot.looks[:2] == (pytest.approx(-SLEW_DEG_S, abs=0.05), pytest.approx(-SLEW_DEG_S, abs=0.05))


@both
@given(pitch=st.floats(-400.0, 400.0), yaw=st.floats(-720.0, 720.0))
@settings(max_examples=25, deadline=None)
def test_pitch_stays_within_its_limits(autopilot, pitch, yaw):
    pilot = operator(autopilot)
    pilot.claim()
    assert pilot.turn(pitch, yaw) == ACCEPTED
    pilot.advance(4.0)
    gimbal = pilot.fleet.vehicles[0].flight.gimbal
    assert gimbal.pitch_deg == pytest.approx(max(-90.0, min(30.0, pitch)), abs=1e-3)
    assert (gimbal.yaw_deg - yaw + 180.0) % 360.0 == pytest.approx(180.0, abs=1e-3)


@both
def test_rates_turn_until_told_otherwise(autopilot):
    pilot = in_the_air(autopilot)
    pilot.claim()
    assert pilot.turn(pitch_rate=-5.0, yaw_rate=10.0) == ACCEPTED
    pilot.advance(4.0)
    assert pilot.looks[:2] == (pytest.approx(-20.0, abs=0.3), pytest.approx(40.0, abs=0.6))
    assert pilot.turn(pitch_rate=0.0, yaw_rate=0.0) == ACCEPTED
    stopped = pilot.looks
    pilot.advance(4.0)
    assert pilot.looks == stopped
    assert pilot.turn(pitch_rate=-30.0, yaw_rate=0.0) == ACCEPTED
    pilot.advance(10.0)
    assert pilot.looks[0] == -90.0


def test_ardupilot_takes_angles_or_rates_of_a_message_not_both():
    pilot = in_the_air("ardupilot")
    pilot.set_pitch_yaw(-0.5, 0.5, 0.1, 0.1)
    pilot.set_attitude(list(QuaternionBase([0.0, -0.5, 0.5]).q), (0.0, 0.1, 0.1))
    pilot.advance(3.0)
    assert pilot.looks[:2] == (0.0, 0.0)
    pilot.set_attitude([nan] * 4, (0.0, -0.1, 0.2))
    pilot.advance(2.0)
    assert pilot.looks[:2] == (pytest.approx(degrees(-0.2), abs=0.5), pytest.approx(degrees(0.4), abs=0.8))


def test_sticks_of_px4_are_shares_of_its_rate():
    pilot = in_the_air("px4")
    pilot.claim()
    pilot.send(mav.MAVLink_gimbal_manager_set_manual_control_message(1, 1, LEVEL, 0, nan, nan, -0.5, 1.0))
    pilot.advance(2.0)
    assert pilot.looks[:2] == (pytest.approx(-30.0, abs=0.5), pytest.approx(60.0, abs=0.8))


@both
@pytest.mark.parametrize("by_rate", [False, True], ids=["angles", "rates"])
def test_a_locked_yaw_stays_while_the_nose_turns_and_one_that_follows_does_not(autopilot, by_rate):
    pilot = in_the_air(autopilot)
    pilot.claim()

    def nose_east():
        if autopilot == "ardupilot":
            assert pilot.command(115, 90.0, 30.0, 1.0, 0.0) == ACCEPTED
        else:
            assert (
                pilot.command_int(192, -1, 1, 0, nan, frame=0, lat=HOME[0], lon=HOME[1] + 0.002, z=HOME[2] + 40.0) == 0
            )
        pilot.advance(10.0)
        assert pilot.nose_deg == pytest.approx(90.0, abs=1.0)

    if by_rate:
        assert pilot.turn(-20.0, 30.0) == ACCEPTED
        pilot.advance(3.0)
        assert pilot.turn(pitch_rate=0.0, yaw_rate=0.0, flags=LEVEL | YAW_LOCK) == ACCEPTED
    else:
        assert pilot.turn(-20.0, 30.0, flags=LEVEL | YAW_LOCK) == ACCEPTED
        pilot.advance(3.0)
    assert pilot.looks == (-20.0, pytest.approx(30.0, abs=0.1), LEVEL | YAW_LOCK | IN_VEHICLE)
    nose_east()
    _, yaw, _ = pilot.looks
    assert (pilot.nose_deg + yaw) % 360.0 == pytest.approx(30.0, abs=0.6)
    assert pilot.turn(-20.0, 30.0) == ACCEPTED
    pilot.advance(3.0)
    assert pilot.looks == (-20.0, 30.0, LEVEL | IN_VEHICLE)


@both
def test_neutral_and_retract_are_ahead_and_told_in_the_flags(autopilot):
    pilot = in_the_air(autopilot)
    pilot.claim()
    for flag in (NEUTRAL, RETRACT):
        assert pilot.turn(-30.0, 20.0) == ACCEPTED
        pilot.advance(3.0)
        assert pilot.turn(-10.0, 10.0, flags=flag) == ACCEPTED  # a flag counts before angles
        pilot.advance(3.0)
        stays = (autopilot, flag) == ("px4", RETRACT)  # which takes it and does nothing
        assert pilot.looks == ((-30.0, 20.0, LEVEL | IN_VEHICLE) if stays else (0.0, 0.0, LEVEL | flag | IN_VEHICLE))


def test_what_says_nothing_is_refused_by_ardupilot_and_taken_by_px4():
    for autopilot, answer in (("ardupilot", FAILED), ("px4", ACCEPTED)):
        pilot = in_the_air(autopilot)
        pilot.claim()
        assert pilot.turn() == answer
        assert pilot.turn(pitch=-20.0) == answer
        pilot.advance(2.0)
        assert pilot.looks[:2] == (0.0, 0.0)


def test_another_device_is_none():
    pilot = in_the_air("ardupilot")
    assert pilot.turn(-20.0, 0.0, device=2) == FAILED
    pilot.set_pitch_yaw(-0.5, 0.0, device=2)
    pilot.advance(2.0)
    assert pilot.looks[:2] == (0.0, 0.0)
    assert pilot.turn(-20.0, 0.0, device=1) == ACCEPTED


# --- beside a region of interest -----------------------------------------------------------------------------------


@both
def test_a_region_of_interest_is_left_for_angles_and_angles_for_it(autopilot):
    pilot = in_the_air(autopilot)
    pilot.claim()
    up = 0.0 if autopilot == "ardupilot" else HOME[2]
    frame = 3 if autopilot == "ardupilot" else 0
    assert pilot.command_int(ROI, frame=frame, lat=HOME[0] + 0.001, lon=HOME[1] + 0.001, z=up) == ACCEPTED
    pilot.advance(4.0)
    pitch, bearing = true_bearing(pilot, 110.87, 0.001 * 111_320.0 * cos(radians(HOME[0])), 0.0)
    seen = pilot.looks
    assert seen[0] == pytest.approx(pitch, abs=0.3)
    assert (pilot.nose_deg + seen[1]) % 360.0 == pytest.approx(bearing, abs=0.3)
    assert seen[2] == LEVEL | YAW_LOCK | IN_VEHICLE
    assert pilot.turn(-10.0, 0.0) == ACCEPTED
    pilot.advance(4.0)
    assert pilot.looks == (-10.0, 0.0, LEVEL | IN_VEHICLE)
    assert pilot.command_int(ROI, frame=frame, lat=HOME[0] + 0.001, lon=HOME[1] + 0.001, z=up) == ACCEPTED
    pilot.advance(4.0)
    assert pilot.command(ROI_NONE) == ACCEPTED
    pilot.advance(4.0)
    assert pilot.looks == (0.0, 0.0, LEVEL | IN_VEHICLE)


@pytest.mark.parametrize(("mode", "flag"), [(0, RETRACT), (1, NEUTRAL)])
def test_the_older_mount_command_retracts_and_centres(mode, flag):
    pilot = in_the_air("ardupilot")
    assert pilot.command(MOUNT, -50.0, 0.0, 25.0, 0, 0, 0, 2) == ACCEPTED
    pilot.advance(3.0)
    assert pilot.looks[:2] == (-50.0, 25.0)
    assert pilot.command(MOUNT, 0, 0, 0, 0, 0, 0, mode) == ACCEPTED
    pilot.advance(3.0)
    assert pilot.looks == (0.0, 0.0, LEVEL | flag | IN_VEHICLE)
    assert pilot.command(MOUNT, 0, 0, 0, 0, 0, 0, 5) == FAILED


@both
def test_it_turns_on_the_ground_too(autopilot):
    pilot = operator(autopilot)
    pilot.claim()
    assert pilot.turn(-30.0, 45.0) == ACCEPTED
    pilot.advance(2.0)
    assert pilot.looks[:2] == (-30.0, 45.0)


def test_status_of_px4_comes_unasked_and_of_ardupilot_as_a_stream():
    for autopilot, interval_s in (("px4", 2.0), ("ardupilot", None)):
        pilot = operator(autopilot)
        pilot.advance(20.0)
        expected = 0 if interval_s is None else pytest.approx(20.0 / interval_s, abs=1)
        assert len(pilot.said("GIMBAL_MANAGER_STATUS")) == expected
        pilot.stream(STATUS, interval_s=0.2)
        before = len(pilot.said("GIMBAL_MANAGER_STATUS"))
        pilot.advance(10.0)
        assert len(pilot.said("GIMBAL_MANAGER_STATUS")) - before == pytest.approx(50, abs=1)


@given(st.lists(st.tuples(st.floats(-3.0, 3.0), st.floats(-2.0, 2.0), st.booleans()), min_size=1, max_size=8))
def test_no_step_turns_faster_than_the_gimbal_can(orders):
    gimbal, heading = Gimbal(), 0.0
    for number, (yaw, pitch, north) in enumerate(orders):
        (gimbal.point if number % 2 else gimbal.turn)(yaw, pitch, north=north)
        for _ in range(20):
            before = gimbal.yaw, gimbal.pitch
            heading += 0.01
            gimbal.step(0.05, 0.0, 0.0, 10.0, heading)
            turned = abs((gimbal.yaw - before[0] + 3.1415926536) % 6.2831853072 - 3.1415926536)
            assert turned <= radians(SLEW_DEG_S) * 0.05 + 1e-9
            assert abs(gimbal.pitch - before[1]) <= radians(SLEW_DEG_S) * 0.05 + 1e-9
            assert radians(-90.0) <= gimbal.pitch <= radians(30.0)
