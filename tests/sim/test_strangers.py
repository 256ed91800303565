"""What strangers' scripts order by command, and what each autopilot answers, by its own sources.

ArduPilot: GCS_Common.cpp, GCS_MAVLink_Copter.cpp, GCS_MAVLink_Plane.cpp, GCS_Fence.cpp. PX4: Commander.cpp,
navigator_main.cpp, mavlink_receiver.cpp.
"""

from math import asin, degrees, hypot, nan, radians

import pytest
from pymavlink.dialects.v20 import all as newest
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from sim.flight_modes import Mode
from tests.sim.crafts import ARM, SET_MODE, START, every_kind, px4_kinds
from tests.sim.lockstep_pilot import Pilot, lockstep
from tests.sim.mav_client import ACCEPTED, HOME, home_item, item, waypoint
from tests.thin_air import thin

REJECTED, DENIED, UNSUPPORTED, FAILED = 1, 2, 3, 4
SPEED, FENCE, YAW, TERMINATE, CALIBRATE, REBOOT = 178, 207, 115, 185, 241, 246
GO_AROUND, SLEW = 191, 43000
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
    (REBOOT, (0,), (UNSUPPORTED, UNSUPPORTED, UNSUPPORTED, ACCEPTED)),
    (REBOOT, (2,), (UNSUPPORTED, UNSUPPORTED, UNSUPPORTED, DENIED)),
    (CALIBRATE, (1,), (ACCEPTED,) * 4),
    (CALIBRATE, (0, 0, 1), (ACCEPTED,) * 4),
    (GO_AROUND, (), (UNSUPPORTED, FAILED, FAILED, ACCEPTED)),
    (SLEW, (0, 15), (UNSUPPORTED, FAILED, FAILED, UNSUPPORTED)),
    (SLEW + 1, (0, 0, 0, 0, 0, 0, 50), (UNSUPPORTED, FAILED, FAILED, UNSUPPORTED)),
    (SLEW + 2, (0, 90), (UNSUPPORTED, FAILED, FAILED, UNSUPPORTED)),
    (21, (), (ACCEPTED, UNSUPPORTED, UNSUPPORTED, ACCEPTED)),
    (2500, (), (ACCEPTED, ACCEPTED, ACCEPTED, UNSUPPORTED)),
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
    """ArduPilot's is not the one by which it disarms in the air (GCS.h); PX4 has none for ground stations.

    What comes over MAVLink is external to its Commander, which makes its checks of that whatever it says.
    """
    pilot = Pilot(lockstep(**kind.config, boot=sim.Boot(0.0, 100.0, 100.0)))
    by = {magic: pilot.command(ARM, 1, magic) for magic in (0, 21196, 2989)}
    assert list(by.values()) == [kind.refusal, kind.refusal, kind.refusal if kind.px4 else ACCEPTED]


# What follows was asked of PX4 main of May 2026 in its own simulator.


@px4_kinds
def test_px4_that_is_asked_for_no_reboot_makes_none(kind):
    pilot = of(kind)
    pilot.advance(10.0)
    assert pilot.command(REBOOT, 0) == ACCEPTED
    assert pilot.request(30).time_boot_ms >= 10_000


@px4_kinds
def test_px4_takes_any_mode_on_the_ground_and_says_when_it_arms_that_it_cannot(kind):
    pilot = of(kind)
    for name in ("MISSION", "MANUAL", "POSCTL", "LAND", "RTL"):
        before = len(pilot.said("COMMAND_ACK"))
        assert pilot.command(SET_MODE, 1, *kind.command_mode(name)) == ACCEPTED
        assert pilot.request(0).custom_mode == kind.numbers[name]
        # It says twice that it has taken an order for a mode.
        assert [m.result for m in pilot.said("COMMAND_ACK")[before:] if m.command == SET_MODE] == [ACCEPTED] * 2
        assert pilot.command(ARM, 1) == REJECTED
    assert "".join(pilot.texts).count("Arming denied: Resolve system health failures first\t") == 5


def test_px4_says_which_part_of_a_mode_it_does_not_know():
    pilot = Pilot(lockstep(autopilot="px4", frame="copter"))
    for mode in ((0, 0, 0), (1, 9, 0), (1, 4, 1)):
        pilot.command(SET_MODE, *mode)
    assert pilot.texts == [f"Unsupported {part} mode\t" for part in ("base", "main", "auto")]


def test_px4_that_is_armed_refuses_a_mode_in_its_second_word():
    pilot = Pilot(lockstep(autopilot="px4", frame="copter"))
    assert pilot.command(ARM, 1) == ACCEPTED
    pilot.command(SET_MODE, 1, 4, 4)
    assert [m.result for m in pilot.said("COMMAND_ACK") if m.command == SET_MODE] == [ACCEPTED, REJECTED]
    assert pilot.texts[-1] == "Switching to Mission is currently not available\t"
    assert pilot.last("STATUSTEXT").severity == mav.MAV_SEVERITY_CRITICAL


@pytest.mark.parametrize("frame", [0, 3, 5, 6, 1, 10])
def test_px4_takes_every_height_of_a_command_for_one_above_the_sea(frame):
    """The real one flew into the ground by a height above home."""
    pilot = Pilot(lockstep(autopilot="px4", frame="copter", wind=sim.Wind(0.0, 0.0, 0.0)))
    body = pilot.fleet.vehicles[0].flight.body
    assert pilot.command_int(192, -1, 1, frame=frame, lat=HOME[0], lon=HOME[1], z=40.0) == ACCEPTED  # nor armed
    assert [pilot.command(22, 0, 0, 0, nan, nan, nan, HOME[2] + 20), pilot.command(ARM, 1)] == [ACCEPTED] * 2
    pilot.until(lambda: body.u > 19.0)
    assert pilot.command_int(192, -1, 0, frame=frame, lat=HOME[0], lon=HOME[1], z=40.0) == UNSUPPORTED
    assert pilot.command_int(192, -1, 1, frame=frame, lat=HOME[0], lon=HOME[1], z=HOME[2] + 40.0) == ACCEPTED
    pilot.advance(20.0)
    assert body.u == pytest.approx(40.0, abs=0.5)
    assert pilot.command_int(192, -1, 1, frame=frame, lat=HOME[0] + 0.0001, lon=HOME[1], z=nan) == ACCEPTED
    pilot.advance(20.0)
    assert (body.u, body.n) == (pytest.approx(40.0, abs=0.5), pytest.approx(11.1, abs=0.5))


@px4_kinds
def test_px4_rejects_a_mission_of_wings_that_does_not_land(kind):
    """MIS_TKO_LAND_REQ of its airframes; it takes the upload, and says so in a text of the moment alone."""
    pilot, rotors = of(kind), kind.frame == "copter"
    pilot.heartbeat()
    whole = [tuple(one) for one in kind.mission()]
    for mission, flown in ((whole[:-1], rotors), (whole, True)):
        pilot.heard.clear()
        assert pilot.upload(mission) == ACCEPTED
        pilot.advance(2.0)
        rejected = [text for text in ["".join(pilot.texts)] if "Landing waypoint/pattern required.\t" in text]
        assert (not rejected) is flown
        state = mav.MISSION_STATE_NOT_STARTED if flown else mav.MISSION_STATE_NO_MISSION
        assert pilot.last("MISSION_CURRENT").mission_state == state
        assert pilot.command(SET_MODE, 1, 4, 4) == ACCEPTED
        if not flown:
            assert [pilot.command(ARM, 1), pilot.command(START, -1)] == [REJECTED, DENIED]
    assert pilot.command(ARM, 1) == ACCEPTED


@px4_kinds
def test_beside_px4_a_camera_is_told_to_film(kind):
    pilot = of(kind)
    before = len(pilot.said("COMMAND_ACK"))
    for command in (2500, 2501):
        pilot.send(mav.MAVLink_command_long_message(1, mav.MAV_COMP_ID_CAMERA, command, 0, *[0.0] * 7))
    assert pilot.texts == ["Video capture started", "Video capture stopped"]
    assert len(pilot.said("COMMAND_ACK")) == before


def test_px4_accepts_a_place_outside_its_fence_and_does_not_go_there():
    pilot = Pilot(lockstep(autopilot="px4", frame="copter", wind=sim.Wind(0.0, 0.0, 0.0)))
    body = pilot.fleet.vehicles[0].flight.body
    circle = [item(5003, params=(80.0,), lat=HOME[0], lon=HOME[1])]
    assert pilot.upload(circle, 1) == ACCEPTED
    assert [pilot.command(22, 0, 0, 0, nan, nan, nan, HOME[2] + 20), pilot.command(ARM, 1)] == [ACCEPTED] * 2
    pilot.until(lambda: body.u > 19.0)
    assert pilot.command_int(192, -1, 1, frame=0, lat=HOME[0] + 0.003, lon=HOME[1], z=HOME[2] + 20.0) == ACCEPTED
    assert pilot.texts[-1] == "Reposition is outside geofence\t"
    pilot.advance(20.0)
    assert abs(body.n) < 2.0
    assert pilot.command_int(192, -1, 1, frame=0, lat=HOME[0] + 0.0005, lon=HOME[1], z=HOME[2] + 20.0) == ACCEPTED
    pilot.advance(30.0)
    assert body.n == pytest.approx(55.5, abs=1.0)


@px4_kinds
def test_px4_without_a_mission_has_no_number_of_items(kind):
    pilot = of(kind)
    pilot.heartbeat()
    pilot.advance(2.0)
    current = pilot.last("MISSION_CURRENT")
    assert (current.seq, current.total, current.mission_state) == (0, 0xFFFF, mav.MISSION_STATE_NO_MISSION)


@px4_kinds
def test_px4_tells_the_mode_that_it_is_in(kind):
    """CURRENT_MODE, unasked every two seconds and when it is asked for, as pymavlink reads it."""
    pilot = of(kind)
    parser = newest.MAVLink(None)
    pilot.heartbeat()
    for _ in range(20):
        pilot.advance(0.5)
    told = [m for _, _, data in pilot.raw for m in parser.parse_buffer(data) if m.get_type() == "CURRENT_MODE"]
    assert len(told) in (4, 5, 6)
    for name, standard in (("ALTCTL", 4), ("MANUAL", 0)):
        assert pilot.command(SET_MODE, 1, *kind.command_mode(name)) == ACCEPTED
        pilot.raw.clear()
        assert pilot.command(512, 436) == ACCEPTED
        (one,) = [m for _, _, data in pilot.raw for m in parser.parse_buffer(data) if m.get_type() == "CURRENT_MODE"]
        assert (one.custom_mode, one.intended_custom_mode, one.standard_mode) == (*[kind.numbers[name]] * 2, standard)


@pytest.mark.parametrize("frame", ["copter", "plane", "vtol"])
def test_ardupilot_has_no_current_mode(frame):
    assert Pilot(lockstep(frame=frame)).command(512, 436) == FAILED


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


def test_px4_takes_a_new_speed_of_whatever_kind_and_gives_it_back():
    pilot = Pilot(lockstep(autopilot="px4", frame="copter", wind=sim.Wind(0.0, 0.0, 0.0)))
    body = pilot.fleet.vehicles[0].flight.body
    assert [pilot.command(22, 0, 0, 0, nan, nan, nan, HOME[2] + 30), pilot.command(ARM, 1)] == [ACCEPTED] * 2
    pilot.until(lambda: body.u > 29.0)
    assert pilot.command_int(192, -1, 1, frame=0, lat=HOME[0] + 0.01, lon=HOME[1], z=HOME[2] + 30) == ACCEPTED
    for kind, speed, flown in ((1, 3.0, 3.0), (3, 4.0, 4.0), (nan, 2.0, 2.0), (1, -1.0, 5.0)):
        assert pilot.command(SPEED, kind, speed, -1) == ACCEPTED
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
    """ArduPilot disarms for either; PX4 is terminated, and armed until somebody disarms it (HEARTBEAT.hpp)."""
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
    if armed:
        pilot.advance(60.0)
        assert pilot.request(0).base_mode & ARMED
        assert pilot.command(ARM, 0, 21196) == ACCEPTED
    pilot.until(lambda: not pilot.request(0).base_mode & ARMED, 10.0)
    assert pilot.texts.count("Disarming motors") == 1
    assert pilot.request(0).system_status == (ENDED if armed else mav.MAV_STATE_STANDBY)


def test_a_terminated_px4_stays_so_until_it_boots_anew():
    """Seen on its main of May 2026: in the mode of that name, on the ground too, as it thinks in the air."""
    pilot = Pilot(lockstep(autopilot="px4", frame="copter", wind=sim.Wind(0.0, 0.0, 0.0)))
    flight = pilot.fleet.vehicles[0].flight
    assert pilot.command(TERMINATE, 1) == DENIED  # on the ground, disarmed
    assert pilot.command(SET_MODE, 1, 10) == REJECTED  # nobody chooses it
    assert pilot.command(22, 0, 0, 0, nan, nan, nan, HOME[2] + 20) == ACCEPTED
    assert pilot.command(ARM, 1) == ACCEPTED
    pilot.until(lambda: flight.body.u > 19.0)
    assert pilot.command(TERMINATE, 1) == ACCEPTED
    pilot.until(lambda: flight.landed, 30.0)
    pilot.advance(5.0)

    def state():
        return pilot.request(0).custom_mode >> 16, pilot.request(0).system_status, pilot.request(245).landed_state

    assert state() == (10, ENDED, mav.MAV_LANDED_STATE_IN_AIR)
    assert pilot.command(ARM, 0) == REJECTED
    assert pilot.command(SET_MODE, 1, 4, 3) == REJECTED
    assert pilot.command(ARM, 0, 21196) == ACCEPTED
    pilot.advance(5.0)
    assert state() == (10, ENDED, mav.MAV_LANDED_STATE_ON_GROUND)
    assert pilot.command(ARM, 1) == REJECTED
    assert any("Flight termination active" in text for text in pilot.texts)
    assert pilot.command(246, 1) == ACCEPTED
    pilot.advance(5.0)
    assert state()[:2] != (10, ENDED)


@pytest.mark.parametrize(("frame", "up_mode", "answer"), [("copter", 4, FAILED), ("plane", 13, DENIED)])
def test_ardupilot_is_sent_to_no_place_outside_its_fence(frame, up_mode, answer):
    """FAILED by ArduCopter 4.7-dev, DENIED by the sources of ArduPlane: not there, not above it, not when it is off."""
    pilot = Pilot(lockstep(frame=frame, wind=sim.Wind(0.0, 0.0, 0.0), params={"FENCE_TYPE": 5.0}))
    body = pilot.fleet.vehicles[0].flight.body
    assert pilot.upload([item(5003, params=(400.0,), lat=HOME[0], lon=HOME[1])], 1) == ACCEPTED
    assert [pilot.command(SET_MODE, 1, up_mode), pilot.command(ARM, 1)] == [ACCEPTED] * 2
    if frame == "copter":
        assert pilot.command(22, 0, 0, 0, 0, 0, 0, 30.0) == ACCEPTED
    pilot.until(lambda: body.u > 28.0)

    def sent(north_deg, up_m):
        return pilot.command_int(192, -1, 1, 0, nan, frame=3, lat=HOME[0] + north_deg, lon=HOME[1], z=up_m)

    assert pilot.command(207, 1) == ACCEPTED  # the fence is on
    before = pilot.request(0).custom_mode
    assert [sent(0.005, 40.0), sent(0.001, 140.0)] == [answer] * 2
    assert pilot.request(0).custom_mode == before
    assert sent(0.001, 40.0) == ACCEPTED
    assert pilot.command(207, 0) == ACCEPTED
    assert sent(0.005, 40.0) == ACCEPTED


def plane_in_guided(**changes):
    pilot = Pilot(lockstep(frame="plane", **({"wind": sim.Wind(0.0, 0.0, 0.0)} | changes)))
    body = pilot.fleet.vehicles[0].flight.body
    assert [pilot.command(SET_MODE, 1, 13), pilot.command(ARM, 1)] == [ACCEPTED] * 2  # TAKEOFF
    pilot.until(lambda: body.u > 48.0)
    assert pilot.command_int(192, -1, 1, frame=3, lat=HOME[0], lon=HOME[1], z=60.0) == ACCEPTED
    pilot.advance(60.0)
    return pilot, body


def test_speed_and_height_of_a_plane_in_guided():
    pilot, body = plane_in_guided()
    assert [pilot.command(SLEW, *p) for p in ((1, 20), (nan, 20), (0, 9), (0, 99), (0, nan))] == [2, 2, 4, 4, 4]
    assert pilot.command(SLEW, 0, 23, 1) == ACCEPTED
    assert [pilot.command_int(SLEW + 1, frame=f, z=z) for f, z in ((3, -1), (3, 0), (3, nan), (1, 80))] == [DENIED] * 4
    assert pilot.command_int(SLEW + 1, frame=0, z=HOME[2] + 80.0) == ACCEPTED
    pilot.advance(60.0)
    assert body.u == pytest.approx(80.0, abs=2.0)
    assert hypot(body.ve, body.vn) == pytest.approx(23.0 * thin(HOME[2] + 80.0), abs=0.05)
    assert hypot(body.e, body.n) < 100.0


@pytest.mark.parametrize("kind", [0, 1], ids=["course over ground", "heading"])
def test_a_plane_in_guided_flies_a_course_until_it_is_told_no_more(kind):
    """In wind across it a course over ground is kept by flying aside, and a heading leads aside."""
    pilot, body = plane_in_guided(wind=sim.Wind(6.0, 0.0, 0.0))  # from the north
    assert [pilot.command(SLEW + 2, *p) for p in ((0, 360), (0, -1), (0, nan), (3, 90))] == [DENIED] * 4
    assert pilot.command(SLEW + 2, kind, 90, 1) == ACCEPTED
    pilot.advance(120.0)
    began = body.e, body.n
    pilot.advance(60.0)
    east, north = body.e - began[0], body.n - began[1]
    aside = 0.0 if kind == 0 else -6.0 / 18.0
    assert east > 800.0
    assert north / east == pytest.approx(aside, abs=0.03)
    assert pilot.request(30).yaw == pytest.approx(
        radians(90.0 - (degrees(asin(6 / 18)) if kind == 0 else 0.0)), abs=0.05
    )
    assert pilot.command(SLEW + 2, 2) == ACCEPTED
    pilot.until(lambda: hypot(body.e, body.n) < 100.0)
    pilot.advance(60.0)
    assert hypot(body.e, body.n) < 100.0


def landing_plan(*, begins):
    """Out, and down along the way home; the descent begins at a mark, or only at the place before it."""
    down = [item(189, frame=2)] if begins else []
    return [
        home_item(),
        item(22, frame=3, z=60.0),
        waypoint(HOME[0], HOME[1] + 0.012, 60.0),
        *down,
        waypoint(HOME[0], HOME[1] + 0.010, 40.0),
        item(21, frame=3, lat=HOME[0], lon=HOME[1]),
    ]


@pytest.mark.parametrize("begins", [True, False], ids=["DO_LAND_START", "no mark"])
def test_a_plane_breaks_its_landing_off_and_comes_again(begins):
    pilot = Pilot(lockstep(frame="plane", wind=sim.Wind(0.0, 0.0, 0.0), params={"RTL_AUTOLAND": 1}))
    flight = pilot.fleet.vehicles[0].flight
    plan = landing_plan(begins=begins)
    assert pilot.upload(plan) == 0
    assert [pilot.command(SET_MODE, 1, 0), pilot.command(ARM, 1), pilot.command(SET_MODE, 1, 10)] == [ACCEPTED] * 3
    last = len(plan) - 1
    pilot.until(lambda: flight.run.index == last - 1)
    assert pilot.command(GO_AROUND) == FAILED  # no landing yet
    pilot.until(lambda: flight.run.index == last and flight.body.u < 20.0)
    assert pilot.command(GO_AROUND) == ACCEPTED
    assert flight.run.index == last - 1
    pilot.until(lambda: flight.body.u > 35.0, 120.0)
    assert not flight.landed
    pilot.until(lambda: flight.landed, 400.0)
    assert flight.mode == Mode.AUTO
    assert hypot(flight.body.e, flight.body.n) < 80.0


def test_px4_breaks_a_landing_off_and_goes_round_above_it():
    pilot = Pilot(lockstep(autopilot="px4", frame="plane", wind=sim.Wind(0.0, 0.0, 0.0)))
    flight = pilot.fleet.vehicles[0].flight
    assert pilot.upload(landing_plan(begins=True)[1:]) == 0
    assert pilot.command(START, -1) == ACCEPTED
    pilot.until(lambda: flight.body.u > 50.0)
    assert pilot.command(GO_AROUND) == ACCEPTED
    pilot.until(lambda: flight.course.lands and flight.body.u < 15.0)
    assert pilot.command(GO_AROUND) == ACCEPTED
    pilot.advance(120.0)
    assert flight.body.u == pytest.approx(30.0, abs=2.0)
    assert hypot(flight.body.e, flight.body.n) < 120.0


@every_kind
def test_the_modes_that_it_tells_are_those_that_it_changes_to(kind):
    """As pymavlink reads AVAILABLE_MODES by a definition that knows it; by number all, one, and one too many."""
    pilot = of(kind)
    parser = newest.MAVLink(None)

    def asked(number):
        pilot.raw.clear()
        answer = pilot.command(512, 435, number)
        told = [message for _, _, data in pilot.raw for message in parser.parse_buffer(data)]
        return answer, [message for message in told if message.get_type() == "AVAILABLE_MODES"]

    answer, modes = asked(0)
    assert answer == ACCEPTED
    assert [mode.mode_index for mode in modes] == list(range(1, len(modes) + 1))
    assert {mode.number_modes for mode in modes} == {len(modes)}
    flight = pilot.fleet.vehicles[0].flight
    assert {mode.custom_mode for mode in modes} == {row.number for row in flight.dialect.modes}
    names = {3 << 16 | 1 << 24: "ORBIT"} | {number: name for name, number in kind.numbers.items()}
    if kind.px4:
        by_standard = {mode.standard_mode: names[mode.custom_mode] for mode in modes if mode.standard_mode}
        position = {"copter": {1: "POSCTL"}, "plane": {3: "POSCTL"}, "vtol": {}}[kind.frame]
        orbit = {} if kind.frame == "plane" else {2: "ORBIT"}
        assert by_standard | orbit == {
            **position, **orbit, 4: "ALTCTL", 5: "RTL", 6: "MISSION", 7: "LAND", 8: "TAKEOFF",
        }  # fmt: skip
        assert all(bool(mode.mode_name) is not bool(mode.standard_mode) for mode in modes)
    else:
        assert {mode.mode_name for mode in modes} == {names[mode.custom_mode] for mode in modes}
    answer, (one,) = asked(2)
    assert (answer, one.custom_mode) == (ACCEPTED, modes[1].custom_mode)
    assert asked(len(modes) + 1) == (DENIED if kind.px4 else ACCEPTED, [])
