"""Telemetry, commands, parameters, modes, readiness."""

import asyncio
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import (
    PX4,
    AutopilotError,
    CommandError,
    MissionKind,
    NotReadyError,
    ParameterError,
    TransferError,
    Vehicle,
    VehicleState,
    capabilities,
    check_vehicle,
    enable_fence,
    item_limit,
)
from autopilot.telemetry import TelemetryState
from autopilot.wire_decode import whole_frames
from geo import Altitude, Datum, geodesic_distance_m
from missions import MissionItem
from tests.autopilot.scripted import FAST, HOME, Script, line_mission, linked

TAKEOFF = mav.MAV_CMD_NAV_TAKEOFF
MANUAL, HOLD, MISSION = 1 << 16, 4 << 16 | 3 << 24, 4 << 16 | 4 << 24  # custom modes of PX4


async def connected(link, **more):
    return await Vehicle.connect(link, 1, timing=FAST, **more)


async def test_telemetry_has_units_and_times():
    async with linked() as (vehicle, link), await connected(link) as seen:
        vehicle.where = 31.4, -110.9, 55.5
        vehicle.mode, vehicle.current = 3, 7
        vehicle.report()
        vehicle.send(mav.MAVLink_attitude_message(vehicle.clock_ms, 0.1, -0.2, -1.0, 0, 0, 0))
        vehicle.send(mav.MAVLink_sys_status_message(0, 0, 0, 0, 44400, -1, 77, 0, 0, 0, 0, 0, 0))
        vehicle.send(mav.MAVLink_home_position_message(313450000, -1109400000, 1180000, 0, 0, 0, [1, 0, 0, 0], 0, 0, 0))
        now = await seen.wait_until(lambda t: t.home is not None, 10.0)
    assert now is not None
    assert (now.lat_deg, now.lon_deg) == (31.4, -110.9)
    assert now.altitude == Altitude(HOME[2] + 55.5, Datum.AMSL)
    assert now.above_home_m == 55.5
    assert now.agl is None
    assert now.roll_deg == pytest.approx(5.7296, abs=1e-3)
    assert now.yaw_deg == pytest.approx(302.704, abs=1e-3)
    assert (now.battery_percent, now.battery_v) == (77.0, 44.4)
    assert (now.mode, now.armed, now.item) == ("AUTO", False, 7)
    assert now.home == (31.345, -110.94, 1180.0)
    assert now.vehicle_s == vehicle.clock_ms / 1000
    assert now.time_us > 1.7e15


async def test_streams_are_asked_for_one_by_one():
    async with linked() as (vehicle, link), await connected(link):
        asked = [m for m in vehicle.heard if m.get_type() == "COMMAND_LONG"]
    assert {m.command for m in asked} == {mav.MAV_CMD_SET_MESSAGE_INTERVAL}
    intervals = {int(m.param1): m.param2 for m in asked}
    assert intervals[mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT] == 250_000
    assert mav.MAVLINK_MSG_ID_EKF_STATUS_REPORT in intervals


async def test_messages_of_other_components_do_not_count():
    async with linked() as (vehicle, link), await connected(link) as seen:
        gimbal = mav.MAVLink(None, srcSystem=1, srcComponent=154)
        beat = mav.MAVLink_heartbeat_message(26, mav.MAV_AUTOPILOT_INVALID, 128, 99, 4, 3).pack(gimbal)
        vehicle.transport.sendto(beat, vehicle.peer)
        await asyncio.sleep(0.05)
        assert (seen.telemetry.mode, seen.telemetry.armed) == ("STABILIZE", False)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (1, "temporarily rejected"),
        (2, "denied"),
        (3, "unsupported"),
        (4, "failed"),
        (77, "result 77, which this version does not know"),
    ],
)
async def test_a_refused_command_is_told_in_words(result, words):
    script = Script(commands={TAKEOFF: [result]}, says={TAKEOFF: ["PreArm: Compass not calibrated"]})
    async with linked(script) as (_, link), await connected(link) as seen:
        with pytest.raises(CommandError, match=rf"MAV_CMD_NAV_TAKEOFF: {words}.*PreArm: Compass") as caught:
            await seen.command(TAKEOFF)
        assert caught.value.result == result


async def test_a_lost_command_is_repeated_with_its_confirmation_counted():
    async with linked(Script(commands={TAKEOFF: [-1, -1, 0]})) as (vehicle, link), await connected(link) as seen:
        await seen.command(TAKEOFF, 1.0, 2.0)
        sent = [m for m in vehicle.heard if m.get_type() == "COMMAND_LONG" and m.command == TAKEOFF]
        assert [m.confirmation for m in sent] == [0, 1, 2]
        assert (sent[0].param1, sent[0].param2, sent[0].param7) == (1.0, 2.0, 0.0)


async def test_a_command_in_progress_is_waited_for():
    async with linked(Script(commands={TAKEOFF: [5, 5, 0]})) as (vehicle, link), await connected(link) as seen:
        await seen.command(TAKEOFF)
        assert sum(m.get_type() == "COMMAND_LONG" and m.command == TAKEOFF for m in vehicle.heard) == 1


async def test_no_answer_at_all_is_an_error():
    async with linked(Script(commands={TAKEOFF: [-1]})) as (_, link), await connected(link) as seen:
        with pytest.raises(CommandError, match="no answer to MAV_CMD_NAV_TAKEOFF in 4 tries") as caught:
            await seen.command(TAKEOFF)
        assert caught.value.result is None


async def test_a_place_travels_as_command_int():
    async with linked() as (vehicle, link), await connected(link) as seen:
        vehicle.on_command_int = lambda m: vehicle.send(mav.MAVLink_command_ack_message(m.command, 0, 0, 0, 255, 190))
        await seen.command_int(mav.MAV_CMD_DO_SET_ROI_LOCATION, frame=6, x=313450000, y=-1109400000, z=10.0)
        (sent,) = [m for m in vehicle.heard if m.get_type() == "COMMAND_INT"]
        assert (sent.frame, sent.x, sent.y, sent.z) == (6, 313450000, -1109400000, 10.0)


async def test_modes_are_set_by_name():
    async with linked() as (vehicle, link), await connected(link) as seen:
        await seen.set_mode("GUIDED")
        assert vehicle.mode == 4
        await seen.pause()
        assert vehicle.mode == 17
        await seen.resume()
        assert vehicle.mode == 3
        await seen.return_home()
        assert vehicle.mode == 6
        await seen.land()
        assert vehicle.mode == 9
        with pytest.raises(AutopilotError, match="no mode 'HOVER': give one of"):
            await seen.set_mode("HOVER")


async def test_px4_modes_have_two_parts():
    async with linked(Script(autopilot=mav.MAV_AUTOPILOT_PX4)) as (vehicle, link), await connected(link) as seen:
        assert seen.dialect is PX4
        vehicle.obey = lambda _: None
        with pytest.raises(CommandError, match="accepted mode RTL and stays in"):
            await seen.return_home()
        sent = [m for m in vehicle.heard if m.get_type() == "COMMAND_LONG" and m.command == 176][-1]
        assert (sent.param2, sent.param3) == (4, 5)
        vehicle.mode = 4 << 16 | 5 << 24
        vehicle.heartbeat()
        assert await seen.wait_until(lambda t: t.mode == "RTL", 5.0)


async def test_a_mode_that_px4_takes_and_then_refuses_is_told_at_once_and_why():
    """Main of May 2026 acknowledges a change of mode twice: as taken, and then as what comes of it."""
    async with linked(Script(autopilot=mav.MAV_AUTOPILOT_PX4)) as (vehicle, link), await connected(link) as seen:
        second = [mav.MAV_RESULT_TEMPORARILY_REJECTED]

        def refuse(m):
            if m.command == mav.MAV_CMD_DO_SET_MODE:
                vehicle.say("Switching to Offboard is currently not available\t")
                vehicle.send(mav.MAVLink_command_ack_message(m.command, second[0], 0, 0, 255, 190))

        vehicle.obey = refuse
        with pytest.raises(
            CommandError, match=r"temporarily rejected.*it said: Switching to Offboard is curr"
        ) as caught:
            await seen.set_mode("OFFBOARD")
        assert caught.value.result == second[0]
        assert len([m for m in vehicle.heard if m.get_type() == "COMMAND_LONG" and m.command == 176]) == 1

        # What comes late of an order before is no refusal of this one.
        def obey_late(m):
            refuse(m)
            vehicle.mode = 4 << 16 | 3 << 24
            asyncio.get_running_loop().call_later(0.1, vehicle.heartbeat)

        vehicle.obey = obey_late
        await seen.pause()
        assert seen.telemetry.mode == "HOLD"


async def test_a_mission_that_px4_rejects_is_told_before_it_arms_and_why():
    """It takes such an upload, and says afterwards only that it has none (seen on main of May 2026)."""
    script = Script(autopilot=mav.MAV_AUTOPILOT_PX4)
    async with linked(script) as (vehicle, link), await connected(link) as seen:
        await seen.upload(line_mission(2, dialect="px4"))
        vehicle.say("Mission rejected: Landing waypoint/pattern required.\t")
        telling = asyncio.create_task(told_every(vehicle, mav.MISSION_STATE_NO_MISSION))
        with pytest.raises(
            NotReadyError, match=r"rejects the mission that it holds; it said: Mission rejected: Landing"
        ):
            await seen.start_mission()
        telling.cancel()
        assert not [m for m in vehicle.heard if m.get_type() == "COMMAND_LONG" and m.command in (176, 400)]
        telling = asyncio.create_task(told_every(vehicle, mav.MISSION_STATE_NOT_STARTED))
        with pytest.raises(CommandError, match="stays in"):  # it goes on to the mode
            await seen.start_mission()
        telling.cancel()


async def told_every(vehicle, state):
    while True:
        vehicle.send(mav.MAVLink_mission_current_message(0, 4, state, 1))
        await asyncio.sleep(0.02)


async def test_arming_that_is_refused_says_why():
    command = mav.MAV_CMD_COMPONENT_ARM_DISARM
    script = Script(commands={command: [4]}, says={command: ["PreArm: GPS 1: Bad fix", "PreArm: Gyros inconsistent"]})
    async with linked(script) as (_, link), await connected(link) as seen:
        with pytest.raises(CommandError, match=r"failed.*Bad fix \| PreArm: Gyros inconsistent"):
            await seen.arm()


async def test_px4_that_refuses_to_arm_is_asked_why_and_its_long_texts_are_whole():
    """It says with a refusal that there are reasons, and which ones when it is asked (Commander.cpp)."""
    command = mav.MAV_CMD_COMPONENT_ARM_DISARM
    says = {
        command: ["Arming denied: Resolve system health failures first\t"],
        mav.MAV_CMD_RUN_PREARM_CHECKS: [
            "Preflight Fail: No connection to the ground control station\t",
            "Preflight Fail: Avionics Power low: 4.2 Volt\t",
        ],
    }
    script = Script(autopilot=mav.MAV_AUTOPILOT_PX4, commands={command: [1]}, says=says)
    async with linked(script) as (_, link), await connected(link) as seen:
        with pytest.raises(CommandError) as refused:
            await seen.arm()
    assert str(refused.value).endswith(
        "; it said: Arming denied: Resolve system health failures first; asked why: Preflight Fail: No connection to "
        "the ground control station | Preflight Fail: Avionics Power low: 4.2 Volt"
    )
    assert refused.value.result == mav.MAV_RESULT_TEMPORARILY_REJECTED


@pytest.mark.parametrize(
    ("mode", "flags", "good", "bad"), [(MISSION, 29, True, False), (HOLD, 29, True, False), (MANUAL, 81, None, None)]
)
def test_the_pre_arm_bit_of_px4_is_among_its_health_alone_and_speaks_of_its_mode(mode, flags, good, bad):
    state = TelemetryState(str, prearm_unlisted=True)
    for health, expected in ((mav.MAV_SYS_STATUS_PREARM_CHECK, good), (0, bad)):
        state.take(mav.MAVLink_heartbeat_message(2, 12, flags, mode, 3, 3))
        state.take(mav.MAVLink_sys_status_message(0, 0, health, 0, 0, -1, -1, 0, 0, 0, 0, 0, 0))
        assert state.snapshot().prearm_good is expected
    state.take(mav.MAVLink_heartbeat_message(2, 12, 29, MISSION, 3, 3))
    assert state.snapshot().prearm_good is False


async def test_readiness_is_more_than_the_pre_arm_bit():
    async with linked(Script(ready=False)) as (vehicle, link), await connected(link) as seen:
        bit = mav.MAV_SYS_STATUS_PREARM_CHECK
        vehicle.send(mav.MAVLink_sys_status_message(bit, bit, bit, 0, 44400, -1, 99, 0, 0, 0, 0, 0, 0))
        vehicle.report()
        vehicle.say("GPS 1: waiting for fix")
        with pytest.raises(NotReadyError, match=r"GPS fix is 1.*flags 0x80.*it said: GPS 1: waiting") as caught:
            await seen.wait_ready(1.0)
        assert "pre-arm" not in str(caught.value).split(";")[0]
        vehicle.script.ready = True
        vehicle.report()
        await seen.wait_ready(1.0)
        vehicle.send(mav.MAVLink_sys_status_message(bit, bit, 0, 0, 44400, -1, 99, 0, 0, 0, 0, 0, 0))
        await seen.wait_until(lambda t: t.prearm_good is False, 1.0)
        with pytest.raises(NotReadyError, match="pre-arm checks fail"):
            await seen.wait_ready(1.0)


@pytest.mark.parametrize(
    ("flags", "ready"),
    [(0x1F, True), (0x10, True), (0x90, False), (0x80, False), (0x0F, False),
     # PX4 on the ground, seen on main of May 2026: at rest, with and without GNSS.
     (0x3FF, True), (0x380, False), (0x1FF, False)],
)  # fmt: skip
def test_estimator_flags(flags, ready):
    state = TelemetryState(str)
    codec = mav.MAVLink(None, srcSystem=1, srcComponent=1)
    for message in (
        mav.MAVLink_gps_raw_int_message(0, 3, 0, 0, 0, 0, 0, 0, 0, 12),
        mav.MAVLink_ekf_status_report_message(flags, 0, 0, 0, 0, 0),
        mav.MAVLink_global_position_int_message(0, 1, 1, 0, 0, 0, 0, 0, 0),
    ):
        state.take(codec.decode(bytearray(message.pack(codec))))
    assert (not state.snapshot().not_ready()) is ready


def reports():
    """Messages of every type that the state is made of, many of which leave out what others say."""
    n, charge = st.integers(0, 100), st.sampled_from([-1, -1, 40, 77])
    bit = st.sampled_from([0, mav.MAV_SYS_STATUS_PREARM_CHECK])
    whole = st.one_of(
        st.builds(lambda a, b: mav.MAVLink_heartbeat_message(2, 3, 128 * (a % 2), b, 4, 3), n, n),
        st.builds(lambda a, b: mav.MAVLink_global_position_int_message(a * 500, b, a, b, a, b, a, 0, 0), n, n),
        st.builds(lambda a, b: mav.MAVLink_attitude_message(a * 500, a / 99, b / 99, 0.5, 0, 0, 0), n, n),
        st.builds(lambda a: mav.MAVLink_gps_raw_int_message(0, a % 7, 0, 0, 0, 0, 0, 0, 0, a), n),
        st.builds(lambda a: mav.MAVLink_ekf_status_report_message(a, 0, 0, 0, 0, 0), n),
        st.builds(mav.MAVLink_mission_current_message, n),
        st.builds(lambda a: mav.MAVLink_system_time_message(0, a * 500), n),
    )
    in_part = st.one_of(
        st.builds(
            lambda a, b, volts, left: mav.MAVLink_sys_status_message(a, b, b, 0, volts, -1, left, 0, 0, 0, 0, 0, 0),
            bit, bit, st.sampled_from([0xFFFF, 12_000]), charge,
        ),
        st.builds(
            lambda a, left: mav.MAVLink_battery_status_message(a % 2, 0, 0, 0, [0] * 10, 0, 0, 0, left), n, charge
        ),
        st.builds(lambda a: mav.MAVLink_extended_sys_state_message(0, a % 5), n),
    )  # fmt: skip
    return whole | in_part


@given(st.lists(st.tuples(reports(), st.booleans()), max_size=25))
def test_what_is_read_late_is_what_was_read_at_once(steps):
    """However seldom somebody looks: the last that was said of each thing stands."""
    codec = mav.MAVLink(None, srcSystem=1, srcComponent=1)
    seldom, always = TelemetryState(str), TelemetryState(str)
    for report, looks in steps:
        ((message, _),) = whole_frames(bytes(report.pack(codec)), codec.decode)
        assert seldom.take(message) == always.take(codec.decode(bytearray(report.pack(codec))))
        always.snapshot()
        if looks:
            seldom.snapshot()
    one, other = (replace(state.snapshot(), time_us=0) for state in (seldom, always))
    assert one == other


async def test_a_long_text_comes_in_chunks():
    async with linked() as (vehicle, link), await connected(link) as seen:
        text = "Mission: this text is longer than the fifty characters of one message, by far"
        for chunk in range(2):
            vehicle.send(mav.MAVLink_statustext_message(4, text[50 * chunk : 50 * chunk + 50].encode(), 9, chunk))
        await seen.wait_until(lambda _: bool(seen.texts), 5.0)
        assert [t.text for t in seen.texts] == [text]


def fence_about(lat, lon, half=0.002, command=5001, first=0):
    corners = [(-half, -half), (half, -half), (half, half), (-half, half)]
    places = [(round((lat + n) * 1e7), round((lon + e) * 1e7)) for n, e in corners]
    return tuple(MissionItem(first + n, 0, command, 4.0, x=x, y=y) for n, (x, y) in enumerate(places))


AWAY = (HOME[0] + 0.01, HOME[1] + 0.01)


@pytest.mark.parametrize(
    ("fence", "words"),
    [
        (fence_about(*HOME[:2]), None),
        (fence_about(*AWAY), "shape 1 of its fence does not hold its home"),
        ((*fence_about(*HOME[:2]), *fence_about(*AWAY, first=4)), "shape 2 of its fence does not hold"),
        ((*fence_about(*HOME[:2]), *fence_about(*AWAY, command=5002, first=4)), None),
        (fence_about(*HOME[:2], half=0.0001, command=5002), "shape 1 of its fence holds its home"),
        ((MissionItem(0, 0, 5003, 500.0, x=round(HOME[0] * 1e7), y=round(HOME[1] * 1e7)),), None),
        ((MissionItem(0, 0, 5003, 500.0, x=round(AWAY[0] * 1e7), y=round(AWAY[1] * 1e7)),), "shape 1 .*does not hold"),
    ],
)
async def test_a_fence_of_which_px4_would_drop_a_shape_is_not_flown(fence, words):
    """It acknowledges it, reads it back whole, and arms and flies without it; ArduPilot keeps it, and does not arm."""
    free = dict.fromkeys(("GF_MAX_VER_DIST", "GF_MAX_HOR_DIST"), (0.0, 9))
    action = struct.unpack("<f", struct.pack("<i", 3))[0], mav.MAV_PARAM_TYPE_INT32
    for autopilot, dialect in ((mav.MAV_AUTOPILOT_PX4, "px4"), (mav.MAV_AUTOPILOT_ARDUPILOTMEGA, "ardupilot")):
        script = Script(autopilot=autopilot, **({"params": {"GF_ACTION": action, **free}} if dialect == "px4" else {}))
        async with linked(script) as (vehicle, link), await connected(link) as seen:
            vehicle.report()
            await seen.wait_until(lambda t: t.lat_deg is not None, 5.0)
            mission = replace(line_mission(dialect=dialect), fence=fence)
            if words is None or dialect != "px4":
                await enable_fence(seen, mission)
            else:
                with pytest.raises(NotReadyError, match=words):
                    await enable_fence(seen, mission)


async def test_a_fence_is_not_flown_by_a_px4_that_does_not_say_where_it_is(monkeypatch):
    async with linked(Script(autopilot=mav.MAV_AUTOPILOT_PX4)) as (_, link), await connected(link) as seen:
        unsaid = replace(seen.telemetry, home=None, lat_deg=None, lon_deg=None)
        monkeypatch.setattr(type(seen), "telemetry", property(lambda _: unsaid))
        with pytest.raises(NotReadyError, match="neither home nor position"):
            await enable_fence(seen, line_mission(dialect="px4"))


async def test_parameters_are_read_and_written():
    async with linked() as (vehicle, link), await connected(link) as seen:
        assert await seen.parameter("FENCE_TYPE") == 7.0
        assert await seen.set_parameter("FENCE_ENABLE", 1) == 1.0
        assert vehicle.script.params["FENCE_ENABLE"][0] == 1.0
        with pytest.raises(ParameterError, match="no parameter NOT_THERE"):
            await seen.parameter("NOT_THERE")
        with pytest.raises(ParameterError, match="16 ASCII"):
            await seen.parameter("A_NAME_THAT_IS_TOO_LONG")
        vehicle.script.stubborn = ("FENCE_TYPE",)
        with pytest.raises(ParameterError, match="FENCE_TYPE was set to 4 and is 7"):
            await seen.set_parameter("FENCE_TYPE", 4)


async def test_px4_integers_travel_as_bytes():
    five = struct.unpack("<f", struct.pack("<i", 5))[0]
    script = Script(autopilot=mav.MAV_AUTOPILOT_PX4, params={"GF_ACTION": (five, mav.MAV_PARAM_TYPE_INT32)})
    async with linked(script) as (vehicle, link), await connected(link) as seen:
        assert await seen.parameter("GF_ACTION") == 5.0
        assert await seen.set_parameter("GF_ACTION", 3) == 3.0
        assert struct.pack("<f", vehicle.script.params["GF_ACTION"][0]) == struct.pack("<i", 3)


@pytest.mark.parametrize(("action", "then"), [(0, 3), (1, 3), (2, 2), (3, 3), (4, 3), (5, 5)])
async def test_a_fence_of_px4_that_only_warns_or_falls_is_made_to_return(action, then):
    def integer(value):
        return struct.unpack("<f", struct.pack("<i", value))[0], mav.MAV_PARAM_TYPE_INT32

    free = dict.fromkeys(("GF_MAX_VER_DIST", "GF_MAX_HOR_DIST"), (0.0, 9))
    script = Script(autopilot=mav.MAV_AUTOPILOT_PX4, params={"GF_ACTION": integer(action), **free})
    async with linked(script) as (vehicle, link), await connected(link) as seen:
        await enable_fence(seen, line_mission(dialect="px4"))
        assert vehicle.script.params["GF_ACTION"] == integer(then)
        script.stubborn = ("GF_ACTION",)
        script.params["GF_ACTION"] = integer(1)
        with pytest.raises(ParameterError, match="GF_ACTION was set to 3 and is 1"):
            await enable_fence(seen, line_mission(dialect="px4"))


async def test_a_late_answer_to_a_question_before_is_not_taken_for_that_to_an_order():
    """As on a busy link, where a question is repeated before its answer comes."""
    script = Script()
    script.params["FENCE_TYPE"] = (7.0, 2)
    async with linked(script) as (vehicle, link), await connected(link) as seen:
        answer = vehicle.on_param_set

        def late(m):
            vehicle.send(mav.MAVLink_param_value_message(b"FENCE_TYPE", 7.0, 2, 1, 0))
            answer(m)

        vehicle.on_param_set = late
        assert await seen.set_parameter("FENCE_TYPE", 5.0) == 5.0


@pytest.mark.parametrize(("limit_m", "held"), [(0.0, True), (100.0, False), (1e5, True)])
async def test_a_leash_of_px4_that_would_end_the_mission_is_said_before_it_flies(limit_m, held):
    action = struct.unpack("<f", struct.pack("<i", 3))[0], mav.MAV_PARAM_TYPE_INT32
    params = {"GF_ACTION": action, "GF_MAX_VER_DIST": (0.0, 9), "GF_MAX_HOR_DIST": (limit_m, 9)}
    script = Script(autopilot=mav.MAV_AUTOPILOT_PX4, params=params)
    mission = line_mission(dialect="px4")
    async with linked(script) as (_, link), await connected(link) as seen:
        assert await seen.wait_until(lambda t: t.lat_deg is not None, 10.0) is not None
        if held:
            await enable_fence(seen, mission)
            return
        away = [float(geodesic_distance_m(*HOME[:2], item.x / 1e7, item.y / 1e7)) for item in mission.items if item.x]
        with pytest.raises(NotReadyError, match=f"goes {max(away):.0f} m from home and GF_MAX_HOR_DIST is 100 m"):
            await enable_fence(seen, mission)


@pytest.mark.parametrize(
    ("kind", "action", "then"),
    [(2, 0, 1), (2, 4, 4), (2, 6, 1), (1, 0, 1), (1, 2, 1), (1, 7, 7)],
    ids=["only reports", "brakes", "of a plane", "plane only reports", "of a copter", "guided"],
)
async def test_a_fence_of_ardupilot_acts_as_its_vehicle_can(kind, action, then):
    script = Script(kind=kind)
    script.params["FENCE_ACTION"] = (float(action), 2)
    async with linked(script) as (vehicle, link), await connected(link) as seen:
        await enable_fence(seen, line_mission())
        assert vehicle.script.params["FENCE_ACTION"][0] == then


async def test_an_autopilot_that_is_not_known_is_refused():
    async with linked(Script(autopilot=mav.MAV_AUTOPILOT_GENERIC)) as (_, link):
        with pytest.raises(AutopilotError, match="connect a multirotor or plane with ArduPilot or PX4"):
            await connected(link)


async def test_capabilities_and_room():
    async with linked() as (vehicle, link), await connected(link) as seen:
        assert (await capabilities(seen)).version == "4.7.0"
        vehicle.script.commands[mav.MAV_CMD_REQUEST_MESSAGE] = [mav.MAV_RESULT_UNSUPPORTED]
        assert (await capabilities(seen)).version == "4.7.0"  # by the command of older versions
        assert await item_limit(seen) == 650
        vehicle.script.params["BRD_SD_MISSION"] = (64.0, 4)
        async with await connected(link) as anew:
            assert await item_limit(anew) == 4368
        assert [await item_limit(seen, kind) for kind in (MissionKind.FENCE, MissionKind.RALLY)] == [69, 46]
        await check_vehicle(seen, line_mission(700))


@pytest.mark.parametrize(
    ("card_kb", "mission", "fence"),
    [(0.0, 650, 69), (1.0, 68, 127), (2.0, 136, 255), (8.0, 545, 255), (64.0, 4368, 255)],
)
async def test_a_card_is_used_in_place_of_the_storage_of_the_board(card_kb, mission, fence):
    """By the bytes that ArduPilot writes: 4 and 15 an item; 4, a byte at the end, 2 for a polygon and 8 a vertex."""
    async with linked() as (vehicle, link):
        vehicle.script.params |= {"BRD_SD_MISSION": (card_kb, 4), "BRD_SD_FENCE": (card_kb, 4)}
        async with await connected(link) as seen:
            held = await item_limit(seen, MissionKind.MISSION), await item_limit(seen, MissionKind.FENCE)
            assert held == (mission, fence)
            if card_kb:
                room = min(card_kb * 1024, 65535)
                assert 4 + 15 * mission <= room < 4 + 15 * (mission + 1)
                assert 7 + 8 * fence <= room


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_an_answer_that_is_lost_is_asked_for_again_and_not_for_ever(lost):
    script = Script(lose=lambda name, nth: name == "AUTOPILOT_VERSION" and nth <= lost)
    async with linked(script) as (_, link), await connected(link) as seen:
        if lost < 3:
            assert (await capabilities(seen)).version == "4.7.0"
        else:
            with pytest.raises(CommandError, match="accepted 3 times to send AUTOPILOT_VERSION and did not"):
                await capabilities(seen)


def with_items(*items):
    """A mission with items put in before its last."""
    mission = line_mission()
    every = (*mission.items[:-1], *items, mission.items[-1])
    return replace(mission, items=tuple(replace(item, seq=n) for n, item in enumerate(every)))


def with_lists(fence, rally):
    """A mission with so many items of fence and rally."""
    mission = line_mission()
    return replace(
        mission,
        fence=tuple(replace(mission.fence[0], seq=n, p1=float(fence), x=mission.fence[0].x + n) for n in range(fence)),
        rally=tuple(replace(mission.rally[0], seq=n) for n in range(rally)),
    )


FENCE_ENABLE, JUMP = 207, 177


@pytest.mark.parametrize(
    "mission",
    [
        with_items(MissionItem(0, 2, FENCE_ENABLE, 1.0), MissionItem(0, 2, FENCE_ENABLE, 2.0)),
        with_items(*[MissionItem(0, 2, JUMP, 3.0, 1.0)] * 15),
        with_lists(69, 46),
    ],
)
async def test_what_just_fits_is_taken(mission):
    async with linked() as (_, link), await connected(link) as seen:
        await check_vehicle(seen, mission)


@pytest.mark.parametrize(
    ("mission", "abilities", "words"),
    [
        (with_items(MissionItem(0, 2, FENCE_ENABLE, 0.0)), None, r"item 9 \(.*FENCE_ENABLE\) switches the fence off"),
        (with_items(MissionItem(0, 2, FENCE_ENABLE, float("nan"))), None, "switches the fence off"),
        (with_items(*[MissionItem(0, 2, JUMP, 3.0, 1.0)] * 16), None, "16 DO_JUMP items and ardupilot counts 15"),
        (
            with_lists(70, 1),
            None,
            r"the fence has 70 items and 69 fit: plan a fence of fewer corners \(fence_vertices.*or raise BRD_SD_FENCE",
        ),
        (with_lists(4, 47), None, "the rally has 47 items and 46 fit: give fewer"),
        (
            line_mission(700),
            None,
            r"704 items and 650 fit: plan shorter sorties \(mission_items.*or raise BRD_SD_MISSION",
        ),
        (line_mission(), mav.MAV_PROTOCOL_CAPABILITY_MISSION_INT, "takes no fence over MAVLink"),
        (line_mission(dialect="px4"), None, "compiled for px4"),
    ],
    ids=[
        "fence off",
        "fence perhaps off",
        "jumps",
        "fence too long",
        "rally too long",
        "too long",
        "no fence",
        "another autopilot",
    ],
)
async def test_what_does_not_fit_is_said_before_the_flight(mission, abilities, words):
    script = Script() if abilities is None else Script(abilities=abilities)
    async with linked(script) as (vehicle, link), await connected(link) as seen:
        with pytest.raises(TransferError, match=words) as caught:
            await check_vehicle(seen, mission)
        assert caught.value.state is VehicleState.KEPT
        assert not any(m.get_type() == "MISSION_COUNT" for m in vehicle.heard)


async def test_a_fence_is_made_to_act_alone():
    async with linked() as (vehicle, link), await connected(link) as seen:
        await enable_fence(seen, line_mission())
        values = {name: value for name, (value, _) in vehicle.script.params.items()}
        # Polygon and height on; the circle of 300 m about home off.
        assert (values["FENCE_ENABLE"], values["FENCE_TYPE"]) == (1.0, 5.0)
        assert values["FENCE_ALT_MAX"] == 150.0
        await enable_fence(seen, line_mission(), ceiling_m=120.0)
        assert vehicle.script.params["FENCE_ALT_MAX"][0] == 120.0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stubborn": ("FENCE_ENABLE",)}, "FENCE_ENABLE was set to 1 and is 0"),
        ({"params": {}}, "no parameter FENCE_TYPE"),
        (
            {"params": {f"FENCE_{name}": (5, 2) for name in ("ENABLE", "TYPE", "ACTION")} | {"FENCE_ALT_MAX": (90, 9)}},
            "climbs to 90 m above home and FENCE_ALT_MAX is 90 m",
        ),
    ],
    ids=["does not take", "absent", "low ceiling"],
)  # fmt: skip
async def test_a_fence_that_would_not_act_is_an_error(change, words):
    async with linked(Script(**change)) as (_, link), await connected(link) as seen:
        with pytest.raises(AutopilotError, match=words):
            await enable_fence(seen, line_mission())


@pytest.mark.parametrize(("amsl_m", "held"), [(1269.0, False), (1271.0, True)])
async def test_heights_above_the_sea_are_held_against_a_limit_above_home(amsl_m, held):
    """As other planners write them: home is at 1180 m, and the limit at 90 m above it."""
    mission = line_mission()
    items = tuple(replace(item, frame=0, z=amsl_m) if item.frame == 6 else item for item in mission.items)
    script = Script()
    script.params["FENCE_ALT_MAX"] = (90.0, 9)
    async with linked(script) as (vehicle, link), await connected(link, streams=False) as seen:
        high = replace(mission, items=items)
        with pytest.raises(NotReadyError, match="does not say how high"):
            await enable_fence(seen, high)
        vehicle.report()
        assert await seen.wait_until(lambda t: t.above_home_m is not None, 5.0) is not None
        if held:
            with pytest.raises(NotReadyError, match="climbs to 91 m above home and FENCE_ALT_MAX is 90 m"):
                await enable_fence(seen, high)
        else:
            await enable_fence(seen, high)
