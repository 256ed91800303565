"""A vehicle that says what is no number, or no place on earth: each ends as if it had said nothing."""

import dataclasses
import json
import math

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import FlightLimits, FlightTask, fly
from autopilot.telemetry import TelemetryState
from tests.autopilot.scripted import FAST, Script, line_mission, vehicle_at

RTL = 6
NONE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
TOLD = (
    "GLOBAL_POSITION_INT", "ATTITUDE", "SYS_STATUS", "BATTERY_STATUS", "EXTENDED_SYS_STATE", "GPS_RAW_INT",
    "EKF_STATUS_REPORT", "ESTIMATOR_STATUS", "MISSION_CURRENT", "TERRAIN_REPORT", "HOME_POSITION",
    "GIMBAL_DEVICE_ATTITUDE_STATUS", "SYSTEM_TIME", "HEARTBEAT",
)  # fmt: skip


def filled(kind, number, *, whole=0):
    """A message with this in every field that is no whole number, and `whole` in all others."""
    values = []
    for name, type_ in zip(kind.fieldnames, kind.fieldtypes, strict=True):
        count = kind.array_lengths[kind.ordered_fieldnames.index(name)]
        if type_ == "char":
            values.append(b"")
            continue
        value = number if type_ in ("float", "double") else whole
        values.append([value] * count if count else value)
    return kind(*values)


def arrived(message):
    """As it comes out of pymavlink's own parser."""
    (came,) = mav.MAVLink(None).parse_buffer(message.pack(mav.MAVLink(None, srcSystem=1, srcComponent=1)))
    return came


def extreme(kind, *, least):
    """A message with the largest, or else the least, that each field holds."""
    values = []
    for name, type_ in zip(kind.fieldnames, kind.fieldtypes, strict=True):
        count = kind.array_lengths[kind.ordered_fieldnames.index(name)]
        bits = "".join(c for c in type_ if c.isdigit())
        if not bits:
            value = -3.4e38 if least else 3.4e38
        elif type_.startswith("u"):
            value = 0 if least else 2 ** int(bits) - 1
        else:
            value = -(2 ** (int(bits) - 1)) if least else 2 ** (int(bits) - 1) - 1
        values.append([value] * count if count else value)
    return kind(*values)


def numbers(telemetry):
    for field in dataclasses.fields(telemetry):
        value = getattr(telemetry, field.name)
        for one in value if isinstance(value, tuple) else (getattr(value, "metres", value),):
            if isinstance(one, float):
                yield field.name, one


@pytest.mark.parametrize("name", TOLD)
def test_a_snapshot_holds_numbers_alone(name):
    kind = getattr(mav, f"MAVLink_{name.lower()}_message")
    said = [filled(kind, number) for number in NONE.values()] + [extreme(kind, least=least) for least in (True, False)]
    for message in said:
        state = TelemetryState(str)
        state.take(arrived(message))
        now = state.snapshot()
        assert all(math.isfinite(value) for _, value in numbers(now)), (message, now)
        assert now.lat_deg is None or (abs(now.lat_deg) <= 90.0 and abs(now.lon_deg) <= 180.0)
        assert now.home is None or (abs(now.home[0]) <= 90.0 and abs(now.home[1]) <= 180.0)


def test_what_is_not_known_any_more_is_said_to_be_so():
    state = TelemetryState(str)
    state.take(mav.MAVLink_attitude_message(1, 0.1, 0.2, 0.3, 0, 0, 0))
    state.take(mav.MAVLink_terrain_report_message(1, 1, 100, 50.0, 30.0, 0, 0))
    known = state.snapshot()
    assert (known.roll_deg, known.agl.metres) == (pytest.approx(math.degrees(0.1)), 30.0)
    state.take(mav.MAVLink_attitude_message(2, math.nan, 0.2, math.inf, 0, 0, 0))
    state.take(mav.MAVLink_terrain_report_message(1, 1, 100, 50.0, math.nan, 0, 0))
    now = state.snapshot()
    assert (now.roll_deg, now.yaw_deg, now.agl) == (None, None, None)
    assert now.pitch_deg == known.pitch_deg


WITH_NUMBERS = [kind for kind in mav.mavlink_map.values() if {"float", "double"} & set(kind.fieldtypes)]


def says(vehicle, wild):
    """Beside each of its positions it says these, a few at a time."""
    send, left = vehicle.send, iter(())

    def also(message):
        nonlocal left
        send(message)
        if message.get_type() == "GLOBAL_POSITION_INT":
            for _ in range(12):
                more = next(left, None)
                if more is None:
                    left = iter(wild)
                    break
                if hasattr(more, "time_boot_ms"):
                    more.time_boot_ms = vehicle.clock_ms
                send(more)

    vehicle.send = also


@pytest.mark.parametrize("number", NONE.values(), ids=NONE)
async def test_a_flight_beside_messages_that_hold_no_numbers_goes_on(number):
    """Every message with a float that there is, over and over, from before it arms until it has landed."""
    assert len(WITH_NUMBERS) > 100
    wild = [filled(kind, number) for kind in WITH_NUMBERS if kind.msgname not in ("PARAM_VALUE", "ESTIMATOR_STATUS")]
    async with vehicle_at(Script()) as (vehicle, url):
        says(vehicle, wild)
        report = await fly([FlightTask(1, url, (line_mission(60),))], timing=FAST, time_scale=FAST.time_scale)
    (flown,) = report.vehicles
    assert flown.failure is None
    assert report.completed
    (sortie,) = flown.sorties
    assert sortie.landing is not None
    assert json.loads(report.to_json())["completed"] is True  # which takes no NaN


@pytest.mark.parametrize("place", [(2**31 - 1, 2**31 - 1), (-(2**31), 0), (0, 1_800_000_001), (900_000_001, 0)])
async def test_a_place_that_is_none_is_no_position(place):
    """It is as one that says none: sent home, and told so."""
    async with vehicle_at(Script()) as (vehicle, url):

        def lost(step):
            if step.stage == "fly" and step.done >= 3:
                vehicle.send = nowhere

        send = vehicle.send

        def nowhere(message):
            if message.get_type() == "GLOBAL_POSITION_INT":
                message.lat, message.lon = place
            send(message)

        report = await fly([FlightTask(1, url, (line_mission(600),))], timing=FAST, progress=lost)
        assert vehicle.counts[f"mode {RTL}"] == 1
    assert "says no position" in report.vehicles[0].failure


def without(name):
    script = Script()
    script.params[name] = (math.nan, 9)
    script.stubborn = (name,)
    return script


@pytest.mark.parametrize("name", ["FENCE_ENABLE", "FENCE_ACTION", "FENCE_ALT_MAX"])
async def test_a_fence_whose_setting_is_no_number_keeps_it_on_the_ground(name):
    script = without(name)
    async with vehicle_at(script) as (vehicle, url):
        limits = FlightLimits(ready_s=5.0, home_s=5.0)
        report = await fly([FlightTask(1, url, (line_mission(3),))], timing=FAST, limits=limits)
        assert not any(getattr(m, "command", None) == 400 and m.param1 == 1 for m in vehicle.heard)
    failure = report.vehicles[0].failure
    assert len(failure.splitlines()) == 1
    assert f"{name} is nan, which is no number" in failure


@pytest.mark.parametrize("name", ["FS_GCS_ENABLE", "FS_THR_ENABLE", "MAV_GCS_SYSID"])
async def test_what_it_does_unheard_is_noted_where_a_setting_of_that_is_no_number(name):
    """As of one that does not answer for it."""
    async with vehicle_at(without(name)) as (_, url):
        report = await fly([FlightTask(1, url, (line_mission(3),))], timing=FAST)
    assert report.completed
    said = [event.text for event in report.vehicles[0].sorties[0].events if event.kind in ("check", "note")]
    assert any(name in text or "ground station" in text for text in [*said, *report.notes]), (said, report.notes)


async def test_a_fence_setting_that_becomes_no_number_in_the_air_is_asked_for_and_sends_it_home():
    script = Script()
    async with vehicle_at(script) as (vehicle, url):

        def spoilt(step):
            if step.stage == "fly" and step.done >= 3:
                script.params["FENCE_TYPE"] = script.params["FENCE_ENABLE"] = (math.nan, 9)
                for name in (b"FENCE_TYPE", b"FENCE_ENABLE"):
                    vehicle.send(mav.MAVLink_param_value_message(name, math.nan, 9, 8, 0))

        report = await fly([FlightTask(1, url, (line_mission(600),))], timing=FAST, progress=spoilt)
        assert vehicle.counts[f"mode {RTL}"] == 1
    assert "its fence was made void" in report.vehicles[0].failure
