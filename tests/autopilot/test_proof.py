"""What was proved long before arming is proved once more right before it."""

import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import FlightTask, MismatchError, NotReadyError, Vehicle, fly
from autopilot.telemetry import TelemetryState
from tests.autopilot.scripted import FAST, Script, line_mission, linked, vehicle_at

ARM = mav.MAV_CMD_COMPONENT_ARM_DISARM


def moved(vehicle):
    for item in vehicle.lists[0]:
        if item.command == 16 and item.seq:
            item.x += 100_000  # 1.1 km


def without_fence(vehicle):
    vehicle.lists[1] = []


def without_rally(vehicle):
    vehicle.lists[2] = []


def fence_off(vehicle):
    vehicle.script.params["FENCE_ENABLE"] = (0.0, 2)
    vehicle.script.stubborn = ("FENCE_ENABLE",)


def rebooted(vehicle):
    vehicle.clock_ms = 0
    vehicle.report()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (moved, r"mission: reads back differently.*do not fly"),
        (without_fence, r"fence: reads back differently.*count: sent 4, read 0"),
        (without_rally, r"rally: reads back differently"),
        (fence_off, "FENCE_ENABLE was set to 1 and is 0"),
        (rebooted, "clock stepped back after its lists were proved"),
    ],
)
async def test_what_changes_between_the_proof_and_arming_keeps_it_on_the_ground(change, words):
    """It changes at the last step before the order to arm."""
    async with vehicle_at(Script()) as (vehicle, url):
        heard = vehicle.on_command_long

        def obey(m):
            if m.command == mav.MAV_CMD_DO_SET_MODE:
                for _ in range(5):
                    vehicle.report()
                change(vehicle)
            heard(m)

        vehicle.on_command_long = obey
        report = await fly([FlightTask(1, url, (line_mission(),))], timing=FAST)
        assert not any(m.get_type() == "COMMAND_LONG" and m.command == ARM for m in vehicle.heard)
        assert not vehicle.armed
    (sortie,) = report.vehicles[0].sorties
    assert len(sortie.uploads) == 3  # all was well when it was proved first
    assert sortie.failure is not None
    assert re.search(words, sortie.failure), sortie.failure


async def test_nothing_is_proved_that_was_not_uploaded():
    async with linked() as (_, link), await Vehicle.connect(link, 1, timing=FAST) as seen:
        with pytest.raises(NotReadyError, match="upload its mission first"):
            await seen.prove()


async def test_a_vehicle_that_is_started_by_hand_is_proved_as_well():
    async with linked() as (vehicle, link), await Vehicle.connect(link, 1, timing=FAST) as seen:
        await seen.upload(line_mission())
        moved(vehicle)
        with pytest.raises(MismatchError, match="do not fly"):
            await seen.start_mission()
        assert not vehicle.armed
        await seen.upload(line_mission())
        await seen.start_mission()
        assert vehicle.armed


async def test_a_reboot_before_the_last_list_voids_the_proof_of_the_first():
    async with linked() as (vehicle, link), await Vehicle.connect(link, 1, timing=FAST) as seen:
        vehicle.clock_ms = 90_000
        vehicle.report()
        count = vehicle.on_mission_count

        def restart(m):
            if m.mission_type == 0:
                rebooted(vehicle)
            count(m)

        vehicle.on_mission_count = restart
        await seen.upload(line_mission())
        await seen.wait_until(lambda t: t.boots > 0, 5.0)
        with pytest.raises(NotReadyError, match="clock stepped back"):
            await seen.prove()
        vehicle.on_mission_count = count
        await seen.upload(line_mission())
        await seen.prove()
        vehicle.lists[0][4].z = 20.0
        with pytest.raises(MismatchError, match="item 4 z: sent 90, read 20"):
            await seen.prove()
        assert len(vehicle.lists[0]) == 10  # what another sent is not ours to clear


async def test_one_that_booted_anew_and_says_nothing_since_is_asked_before_it_is_armed():
    """Its streams are gone with its memory: by what it said before all would be well."""
    async with linked() as (vehicle, link), await Vehicle.connect(link, 1, timing=FAST) as seen:
        vehicle.clock_ms = 90_000
        vehicle.report()
        await seen.upload(line_mission())
        vehicle.clock_ms = 0
        await asyncio.sleep(FAST.wall_s(5.0))
        with pytest.raises(NotReadyError, match="clock stepped back"):
            await seen.start_mission()
        assert not vehicle.armed
        vehicle.report = lambda: None
        await seen.upload(line_mission())
        await asyncio.sleep(FAST.wall_s(5.0))
        with pytest.raises(NotReadyError, match="no new position for"):
            await seen.start_mission()
        assert not vehicle.armed


def boots(*clocks_ms):
    state = TelemetryState(str)
    codec = mav.MAVLink(None, srcSystem=1, srcComponent=1)
    for clock in clocks_ms:
        packet = mav.MAVLink_attitude_message(clock, 0, 0, 0, 0, 0, 0).pack(codec)
        state.take(codec.decode(bytearray(packet)))
    return state.snapshot().boots


@given(start=st.integers(0, 2**32 - 1), steps=st.lists(st.integers(-900, 100_000), max_size=20))
def test_a_clock_that_runs_on_is_no_reboot(start, steps):
    """Messages overtake each other by less than a second, and 49.7 days pass."""
    clocks = [start]
    ahead = 0
    for step in steps:
        clocks.append((start + ahead + step) % 2**32)
        ahead += max(step, 0)
    assert boots(*clocks) == 0


@given(up=st.integers(2_000, 2**31 - 1), again=st.integers(0, 900))
def test_a_clock_that_starts_anew_is(up, again):
    assert boots(up, again, again + 5) == 1
    assert boots(up, again, up + 50_000, again) == 2
