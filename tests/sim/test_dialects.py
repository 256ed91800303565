"""Every autopilot on every airframe over real sockets: as a ground station finds it, arms it and flies it."""

import csv

import pytest
from pymavlink import mavutil
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from tests.sim.crafts import (
    ARM,
    KINDS,
    SET_MODE,
    START,
    every_kind,
    int_from_wire,
    int_on_wire,
    px4_kinds,
)
from tests.sim.mav_client import ACCEPTED, HOME, RTL, Client, fleet, item, takeoff, vehicle, waypoint

DENIED, UNSUPPORTED, FAILED = 2, 3, 4
FAST = {"speedup": 400.0}
ARMED = mav.MAV_MODE_FLAG_SAFETY_ARMED


def record(folder):
    (path,) = folder.glob("vehicle-1-sortie-1.csv")
    with path.open() as file:
        return list(csv.DictReader(file))


@every_kind
def test_says_what_it_is(kind):
    with vehicle(**kind.config) as client:
        beat = client.wait("HEARTBEAT")
        assert (beat.autopilot, beat.type) == (kind.mav_autopilot, kind.mav_type)
        client.send(mav.MAVLink_command_long_message(1, 1, 512, 0, 148, 0, 0, 0, 0, 0, 0))
        version = client.wait("AUTOPILOT_VERSION")
        wanted = mav.MAV_PROTOCOL_CAPABILITY_MISSION_INT | mav.MAV_PROTOCOL_CAPABILITY_MISSION_FENCE
        assert version.capabilities & wanted == wanted
        assert version.flight_sw_version >> 24 == (1 if kind.px4 else 4)
        assert bool(version.capabilities & mav.MAV_PROTOCOL_CAPABILITY_FLIGHT_TERMINATION) is kind.px4


@every_kind
def test_modes_have_the_numbers_that_others_know(kind):
    """Set by number, read back by pymavlink's tables: of ArduPilot by type, of PX4 by main and sub mode."""
    named = [
        name
        for name in kind.numbers
        if name in {"MANUAL", "STABILIZE", "STABILIZED", "ALT_HOLD", "ALTCTL", "POSCTL", "LOITER", "GUIDED", "RTL",
                    "LAND", "BRAKE", "FBWA", "CRUISE", "TAKEOFF"}
        or (kind.frame == "plane" and name == "CIRCLE")
        or (kind.frame == "vtol" and name in {"QHOVER", "QLOITER", "QLAND", "QRTL"})
    ]  # fmt: skip
    with vehicle(**kind.config, speedup=20.0) as client:
        for name in named:
            assert kind.set_mode(client, name) == ACCEPTED, name
            beat = client.wait("HEARTBEAT")
            assert beat.custom_mode == kind.numbers[name], name
            assert beat.base_mode & mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED
            if kind.px4:
                assert mavutil.interpret_px4_mode(beat.base_mode, beat.custom_mode) == name
                assert beat.base_mode == mavutil.px4_map[name][0]
            else:
                assert mavutil.mode_string_v10(beat) == name
        assert len(named) >= 7
        # What it does not have, it does not take.
        assert kind.order_mode(client, 77, 0) == kind.refusal
        if kind.frame == "plane" and not kind.px4:
            assert kind.set_mode(client, "QHOVER") == FAILED
        client.send(mav.MAVLink_set_mode_message(1, 1, kind.numbers["LOITER"]))
        client.wait("HEARTBEAT", where=lambda m: m.custom_mode == kind.numbers["LOITER"])


@every_kind
def test_does_not_arm_before_it_is_ready_and_says_why(kind):
    with vehicle(**kind.config, boot=sim.Boot(1.0, 20.0, 70.0), speedup=40.0) as client:
        client.estimator = 230 if kind.px4 else 193
        assert client.command(ARM, 1) == kind.refusal
        prefix = "Arming denied: Resolve system health" if kind.px4 else "Arm: "
        assert any(text.startswith(prefix) for text in client.texts)
        client.stream(1)
        healthy = mav.MAV_SYS_STATUS_PREARM_CHECK
        if not kind.px4:
            client.wait("SYS_STATUS", where=lambda m: m.onboard_control_sensors_health & healthy)
        # A mode that flies to places has to wait for a place of its own; PX4 says so when it is to arm.
        assert kind.set_mode(client, "RTL") == (ACCEPTED if kind.px4 else kind.refusal)
        client.ready()
        assert kind.set_mode(client, kind.ready) == ACCEPTED
        assert client.command(ARM, 1) == ACCEPTED
        client.wait("HEARTBEAT", where=lambda m: m.base_mode & ARMED)
        assert client.command(ARM, 0) == ACCEPTED
        assert kind.set_mode(client, "RTL") == ACCEPTED
        assert client.command(ARM, 1) == kind.refusal
        client.wait_text("RTL mode not armable")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.frame == "copter"], ids=str)
def test_after_a_return_px4_is_in_a_mode_that_it_can_be_armed_in(kind):
    """PX4 goes back to the last such mode that was asked for (Commander, UserModeIntention); ArduPilot stays."""
    with vehicle(**kind.config, turnaround_s=0.0, **FAST) as client:
        assert client.upload(kind.mission()) == 0
        kind.arm_and_start(client)
        client.stream(33)
        client.wait("GLOBAL_POSITION_INT", where=lambda m: m.relative_alt > 20_000)
        assert kind.set_mode(client, "RTL") == ACCEPTED
        client.wait("HEARTBEAT", where=lambda m: m.custom_mode == kind.numbers["RTL"] and m.base_mode & ARMED)
        down = client.wait("HEARTBEAT", where=lambda m: not m.base_mode & ARMED, timeout_s=30.0)
        assert down.custom_mode == kind.numbers[kind.auto if kind.px4 else "RTL"]
        assert client.command(ARM, 1) == (ACCEPTED if kind.px4 else kind.refusal)


@every_kind
def test_estimator_speaks_through_the_message_of_its_autopilot(kind):
    own, other = (230, 193) if kind.px4 else (193, 230)
    with vehicle(**kind.config) as client:
        assert client.command(511, other, 1e5) == FAILED
        assert client.command(512, other) == (DENIED if kind.px4 else FAILED)
        client.stream(own)
        flags = client.wait("ESTIMATOR_STATUS" if kind.px4 else "EKF_STATUS_REPORT").flags
    # PX4 main of May 2026 says 0x3ff: at rest (0x80), and measuring its place all the same (0x200).
    assert flags & 0x390 == (0x390 if kind.px4 else 0x310)


@every_kind
def test_a_mission_says_whether_it_was_begun_left_or_flown_to_its_end(kind):
    """As ArduPilot's ``GCS_MAVLINK::mission_state`` and PX4's ``update_mission_state`` say it.

    To the first, what is left was not begun.
    """
    # Slow enough that a client that waits for its processor still breaks the flight off before its end.
    with vehicle(**kind.config, speedup=100.0) as client:

        def until(state):
            return client.wait("MISSION_CURRENT", where=lambda m: m.mission_state == state)

        client.stream(33, 42)
        until(mav.MISSION_STATE_NO_MISSION)
        assert client.upload(kind.mission()) == 0
        until(mav.MISSION_STATE_NOT_STARTED)
        kind.arm_and_start(client)
        until(mav.MISSION_STATE_ACTIVE)
        client.wait("MISSION_CURRENT", where=lambda m: m.seq >= 3)
        assert client.command(RTL) == ACCEPTED
        until(mav.MISSION_STATE_PAUSED if kind.px4 else mav.MISSION_STATE_NOT_STARTED)
    with vehicle(**kind.config, **FAST) as client:
        client.stream(33, 42)
        assert client.upload(kind.mission()) == 0
        kind.arm_and_start(client)
        client.wait_text("Disarming")
        until(mav.MISSION_STATE_COMPLETE)
        assert client.upload([kind.mission()[0], *kind.mission()[2:]]) == 0
        # ArduPilot's ``AP_Mission`` forgets that it was flown when it is begun anew.
        until(mav.MISSION_STATE_NOT_STARTED if kind.px4 else mav.MISSION_STATE_COMPLETE)


@every_kind
def test_flies_a_mission_and_lands(kind, tmp_path):
    with vehicle(**kind.config, record_dir=tmp_path, wind=sim.Wind(4.0, 200.0, 0.5), **FAST) as client:
        mission = kind.mission()
        assert client.upload(mission) == 0
        back = client.download()
        assert [m.command for m in back] == [one[1] for one in mission]
        client.stream(33, 42, 245)
        kind.arm_and_start(client)
        seen = [m for m in iter_until(client, "Disarming") if m.get_type() in ("MISSION_CURRENT", "EXTENDED_SYS_STATE")]
        # Copter's and PX4's landing item is told as reached when it has landed; ArduPlane never tells of its own.
        untold = not kind.px4 and kind.frame != "copter"
        assert client.reached == list(range(kind.first, len(mission) - untold))
        current = [m.seq for m in seen if m.get_type() == "MISSION_CURRENT"]
        assert set(current) <= set(range(len(mission)))
        assert max(current) == len(mission) - 1
        if kind.px4:
            assert not any("Mission: " in text for text in client.texts)
    rows = record(tmp_path)
    assert float(rows[-1]["lat_deg"]) == pytest.approx(HOME[0], abs=4e-4)
    assert float(rows[-1]["amsl_m"]) == HOME[2]
    assert {row["mode"] for row in rows} == {kind.auto}
    assert max(float(row["amsl_m"]) for row in rows) == pytest.approx(HOME[2] + 50.0, abs=3.0)
    if kind.frame != "copter":
        assert max(abs(float(row["roll_deg"])) for row in rows) > 15.0
    if kind.frame == "vtol":
        states = {m.vtol_state for m in seen if m.get_type() == "EXTENDED_SYS_STATE"}
        assert {mav.MAV_VTOL_STATE_MC, mav.MAV_VTOL_STATE_FW} <= states


def iter_until(client, text, timeout_s=30.0):
    """Messages until a text comes."""
    for message in client.messages(timeout_s):
        yield message
        if message.get_type() == "STATUSTEXT" and text in message.text:
            return
    raise AssertionError(f"no {text!r}; texts: {client.texts}")


@every_kind
def test_two_sorties_of_one_vehicle_are_the_same(kind, tmp_path):
    with vehicle(**kind.config, record_dir=tmp_path, **FAST) as client:
        assert client.upload(kind.mission()) == 0
        for _ in range(2):
            kind.arm_and_start(client)
            client.wait_text("Disarming", timeout_s=30.0)
    first, second = (tmp_path / f"vehicle-1-sortie-{n}.csv" for n in (1, 2))
    assert first.read_bytes() == second.read_bytes()


@px4_kinds
def test_px4_starts_by_one_command_and_not_without_a_mission(kind):
    with vehicle(**kind.config, speedup=50.0) as client:
        assert kind.set_mode(client, "MISSION") == ACCEPTED
        assert client.command(ARM, 1) == kind.refusal
        assert client.command(START) == 2  # denied: Commander.cpp
        assert client.upload(kind.mission()) == 0
        assert client.command(START) == ACCEPTED
        client.wait("EXTENDED_SYS_STATE", where=lambda m: m.landed_state == 2)


@px4_kinds
def test_px4_lifts_off_by_itself_where_the_mission_does_not_unless_it_is_a_plane(kind):
    with vehicle(**kind.config | {"params": {"MIS_TKO_LAND_REQ": 0.0}}, **FAST) as client:
        assert client.upload([waypoint(31.341, -110.94, 40.0), item(20, frame=2)]) == 0
        assert kind.set_mode(client, "MISSION") == ACCEPTED
        client.stream(33)
        client.command(ARM, 1)
        if kind.frame == "plane":
            assert any("Missing Takeoff" in text for text in client.texts)
            return
        client.wait("MISSION_ITEM_REACHED")
        assert client.reached == [0]
        client.wait_text("Disarming", timeout_s=30.0)


def joined(client):
    """Texts with those of several parts put together."""
    return ["".join(client.texts)]


def test_long_texts_come_in_numbered_parts():
    with vehicle(autopilot="px4", frame="copter") as client:
        assert client.command(SET_MODE, 1, 4, 4) == ACCEPTED
        client.command(ARM, 1)
        while not "".join(client.texts).endswith("first\t"):
            client.wait("STATUSTEXT")
        text = "".join(client.texts)
    assert "Arming denied: Resolve system health failures first\t" in text
    assert all(len(part) <= 50 for part in client.texts)
    assert len(client.texts) >= 2


@pytest.mark.parametrize("frame", ["plane", "vtol"])
def test_plane_takes_off_as_soon_as_it_is_armed_in_auto(frame):
    with vehicle(autopilot="ardupilot", frame=frame, speedup=50.0) as client:
        mission = [item(16), item(84 if frame == "vtol" else 22, frame=6, z=50.0), waypoint(31.35, -110.94, 50.0)]
        assert client.upload(mission) == 0
        assert client.command(SET_MODE, 1, 10) == ACCEPTED
        assert client.command(ARM, 1) == ACCEPTED
        client.stream(245)
        client.wait("EXTENDED_SYS_STATE", where=lambda m: m.landed_state == 2)
        # Pausing is not Plane's, nor is turning on the spot.
        assert client.command(193, 0) == UNSUPPORTED
        assert client.command(115, 90) == UNSUPPORTED


@px4_kinds
def test_px4_parameters_travel_as_bytes(kind):
    with vehicle(**kind.config) as client:
        client.send(mav.MAVLink_param_request_list_message(1, 1))
        seen = {}
        for message in client.messages(30.0):
            if message.get_type() == "PARAM_VALUE":
                seen[message.param_id] = message
                if len(seen) == message.param_count:
                    break
        assert int_from_wire(seen["MAV_SYS_ID"].param_value) == 1
        assert seen["MAV_SYS_ID"].param_type == mav.MAV_PARAM_TYPE_INT32
        assert int_from_wire(seen["GF_ACTION"].param_value) == 2
        assert seen["RTL_RETURN_ALT"].param_value == {"copter": 30.0, "plane": 100.0, "vtol": 60.0}[kind.frame]
        assert "FENCE_ENABLE" not in seen
        for value in (3, 0, -1):
            client.send(mav.MAVLink_param_set_message(1, 1, b"GF_ACTION", int_on_wire(value), 6))
            answer = client.wait("PARAM_VALUE")
            assert int_from_wire(answer.param_value) == value


def test_copter_and_plane_carry_integers_as_numbers():
    for frame, name in (("copter", "FENCE_TYPE"), ("plane", "RTL_AUTOLAND")):
        with vehicle(frame=frame) as client:
            assert client.set_param(name, 2.0) == 2.0


@px4_kinds
def test_px4_streams_unasked_and_stops_when_told(kind):
    with vehicle(**kind.config, speedup=20.0) as client:
        unasked = client.silent(0.5)
        assert {"HEARTBEAT", "GLOBAL_POSITION_INT", "ATTITUDE", "SYS_STATUS", "ESTIMATOR_STATUS"} <= unasked
        assert "EKF_STATUS_REPORT" not in unasked
        assert client.command(511, 30, -1) == ACCEPTED
        client.silent(0.1)
        assert "ATTITUDE" not in client.silent(0.3)


@px4_kinds
def test_px4_takes_off_by_command_to_a_height_above_the_sea(kind):
    with vehicle(**kind.config, speedup=50.0) as client:
        client.stream(33)
        assert client.command(22, 0, 0, 0, float("nan"), 0, 0, HOME[2] + 35.0) == ACCEPTED
        client.wait("HEARTBEAT", where=lambda m: m.custom_mode == kind.numbers["TAKEOFF"])
        assert client.command(ARM, 1) == ACCEPTED
        there = client.wait("GLOBAL_POSITION_INT", where=lambda m: m.relative_alt > 34000)
        assert there.relative_alt < 40000
        if kind.frame != "plane":
            later = client.wait("GLOBAL_POSITION_INT", where=lambda m: m.time_boot_ms > there.time_boot_ms + 20_000)
            assert later.relative_alt == pytest.approx(35_000, abs=50)


@every_kind
def test_goes_to_a_place_in_the_mode_that_is_for_it(kind):
    """DO_REPOSITION: GUIDED of ArduPilot, HOLD of PX4; wings go round the place."""
    goto = "LOITER" if kind.px4 else "GUIDED"
    goal = (round((HOME[0] + 0.004) * 1e7), round(HOME[1] * 1e7))
    with vehicle(**kind.config, **FAST) as client:
        assert client.upload(kind.mission()) == 0
        client.stream(33)
        kind.arm_and_start(client)
        client.wait("GLOBAL_POSITION_INT", where=lambda m: m.relative_alt > 45000)
        if kind.frame == "vtol":
            client.stream(245)
            client.wait("EXTENDED_SYS_STATE", where=lambda m: m.vtol_state == mav.MAV_VTOL_STATE_FW)
        up = HOME[2] + 60.0 if kind.px4 else 60.0  # to PX4 every height is one above the sea
        message = mav.MAVLink_command_int_message(1, 1, 6, 192, 0, 0, -1, 0, 0, 0, *goal, up)
        client.send(message)
        no_change = UNSUPPORTED if kind.px4 else DENIED
        assert client.wait("COMMAND_ACK", where=lambda m: m.command == 192).result == no_change
        message.param2 = 1.0
        client.send(message)
        assert client.wait("COMMAND_ACK", where=lambda m: m.command == 192).result == ACCEPTED
        client.wait("HEARTBEAT", where=lambda m: m.custom_mode == kind.numbers[goto])
        near = 30 if kind.frame == "copter" else 9000
        client.wait(
            "GLOBAL_POSITION_INT",
            where=lambda m: (
                abs(m.lat - goal[0]) < near and abs(m.lon - goal[1]) < near and abs(m.relative_alt - 60000) < 900
            ),
        )


@px4_kinds
def test_link_loss_is_any_ground_stations_and_does_what_nav_dll_act_says(kind):
    for action, name in ((2, "RTL"), (1, "LOITER"), (3, "LAND")):
        params = {"NAV_DLL_ACT": float(action), "COM_DL_LOSS_T": 1.0, "MIS_TKO_LAND_REQ": 0.0}
        config = {**kind.config, "params": params}
        with fleet(**config, speedup=20.0) as ends, Client(ends[0], sysid=77, compid=1) as client:
            mission = [*kind.mission()[:1], waypoint(31.40, -110.94, 60.0)]
            assert client.upload(mission) == 0
            client.heartbeat()
            kind.arm_and_start(client)
            client.wait_text("GCS Failsafe", timeout_s=15.0)
            client.wait("HEARTBEAT", where=lambda m, n=name: m.custom_mode == kind.numbers[n])


def test_planes_link_loss_is_switched_on_by_one_and_chosen_by_another_parameter():
    for long_action, name in ((1, "RTL"), (2, "FBWA")):
        params = {"FS_GCS_ENABL": 1.0, "FS_LONG_ACTN": float(long_action), "FS_LONG_TIMEOUT": 1.0}
        with vehicle(frame="plane", params=params, speedup=20.0) as client:
            assert client.upload([item(16), takeoff(60.0), waypoint(31.40, -110.94, 60.0), item(RTL)]) == 0
            client.heartbeat()
            assert client.command(SET_MODE, 1, 10) == ACCEPTED
            assert client.command(ARM, 1) == ACCEPTED
            client.wait_text("GCS Failsafe", timeout_s=15.0)
            number = {"RTL": 11, "FBWA": 5}[name]
            client.wait("HEARTBEAT", where=lambda m, n=number: m.custom_mode == n)
