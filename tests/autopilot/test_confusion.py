"""Who speaks is not who it was, or not alone, and clocks that leap: each ends in words, or is borne."""

import asyncio

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import (
    FlightLimits,
    FlightTask,
    LinkError,
    MissionKind,
    NotReadyError,
    TransferError,
    Vehicle,
    download,
    fly,
    open_link,
    twin_words,
)
from tests.autopilot.scripted import FAST, Script, line_mission, linked, vehicle_at

RTL = 6
LONGEST_S = 60.0
GENERIC = mav.MAV_TYPE_GENERIC, mav.MAV_AUTOPILOT_GENERIC


async def flown(vehicle, url, begin, *, places=60, at=3, **limits):
    """The report of a flight in the air of which something begins."""

    def progress(step):
        if step.stage == "fly" and step.done >= at and not progress.begun:
            progress.begun = True
            begin()

    progress.begun = False
    task = FlightTask(1, url, (line_mission(places),))
    limits = FlightLimits(**({"ready_s": 5.0, "home_s": 20.0} | limits))
    flight = fly([task], timing=FAST, time_scale=FAST.time_scale, limits=limits, progress=progress)
    report = await asyncio.wait_for(flight, LONGEST_S)
    assert progress.begun
    return report


def beat(kind, autopilot):
    return mav.MAVLink_heartbeat_message(kind, autopilot, 129, 4, 4, 3)


# Another kind of vehicle with its system id, over its own address.

OTHERS = [
    (mav.MAV_TYPE_FIXED_WING, mav.MAV_AUTOPILOT_ARDUPILOTMEGA),
    (mav.MAV_TYPE_QUADROTOR, mav.MAV_AUTOPILOT_PX4),
    (mav.MAV_TYPE_HEXAROTOR, mav.MAV_AUTOPILOT_ARDUPILOTMEGA),
]


@pytest.mark.parametrize("other", OTHERS)
async def test_one_that_says_it_is_another_kind_is_not_armed(other):
    async with linked() as (vehicle, link), await Vehicle.connect(link, timing=FAST) as seen:
        await seen.upload(line_mission())
        before = seen.telemetry.mode
        vehicle.send(beat(*other))
        await asyncio.sleep(0.1)
        assert (seen.telemetry.mode, seen.telemetry.armed) == (before, False)
        kind, autopilot = other
        with pytest.raises(LinkError, match=rf"another kind of vehicle \(MAV_AUTOPILOT {autopilot}, MAV_TYPE {kind};"):
            await seen.start_mission()
        assert vehicle.armed is False


@pytest.mark.parametrize("stays", [True, False], ids=["from now on", "beside it"])
async def test_one_that_says_so_in_the_air_is_sent_home(stays):
    async with vehicle_at(Script()) as (vehicle, url):
        send = vehicle.send

        def another(message):
            if message.get_type() == "HEARTBEAT":
                send(beat(*OTHERS[0]))
                if stays:
                    return
            send(message)

        report = await flown(vehicle, url, lambda: setattr(vehicle, "send", another), places=600)
        assert vehicle.counts[f"mode {RTL}"] >= 1
        assert vehicle.armed is False
    assert "says that it is another kind of vehicle" in report.vehicles[0].failure


async def test_one_that_is_still_booting_or_is_no_vehicle_is_no_other():
    async with vehicle_at(Script()) as (vehicle, url):
        send = vehicle.send

        def beside(message):
            if message.get_type() == "HEARTBEAT":
                send(beat(*GENERIC))
                send(beat(mav.MAV_TYPE_GENERIC, mav.MAV_AUTOPILOT_ARDUPILOTMEGA))
                send(beat(mav.MAV_TYPE_GIMBAL, mav.MAV_AUTOPILOT_INVALID))
            send(message)

        report = await flown(vehicle, url, lambda: setattr(vehicle, "send", beside))
    assert report.completed, report.vehicles[0].failure


# Clocks.


def leaps(vehicle, ms, *, back):
    """Its clock is on by so much: in one message, or from there on."""
    if back:
        vehicle.send(mav.MAVLink_system_time_message(0, (vehicle.clock_ms + ms) % 2**32))
    else:
        vehicle.clock_ms = (vehicle.clock_ms + ms) % 2**32


@pytest.mark.parametrize("back", [True, False], ids=["once", "from there on"])
@pytest.mark.parametrize("ms", [20_000_000, 2**31 + 10_000_000, 2**32 - 5000])
async def test_a_clock_that_leaps_in_the_air_ends_no_flight(ms, back):
    """By five hours, by more than half of what its 32 bits hold, which is back, and back; what steps back is told."""
    async with vehicle_at(Script()) as (vehicle, url):
        report = await flown(vehicle, url, lambda: leaps(vehicle, ms, back=back))
    assert report.completed, report.vehicles[0].failure
    (sortie,) = report.vehicles[0].sorties
    told = [event.text for event in sortie.events if "its clock stepped back" in event.text]
    assert len(told) == (1 if back or ms > 2**31 else 0), told


async def test_times_of_the_wall_mean_nothing():
    """SYSTEM_TIME before 1970 or in 2554, and TIMESYNC of any clock."""
    async with vehicle_at(Script()) as (vehicle, url):

        def times():
            for unix_us in (0, 1, 2**63, 2**64 - 1):
                vehicle.send(mav.MAVLink_system_time_message(unix_us, vehicle.clock_ms))
            for tc1, ts1 in ((0, 0), (0, 2**63 - 1), (-(2**63), -1), (2**63 - 1, 2**63 - 1)):
                vehicle.send(mav.MAVLink_timesync_message(tc1, ts1))

        report = await flown(vehicle, url, times)
    assert report.completed, report.vehicles[0].failure


async def test_two_of_one_kind_over_one_address_are_not_armed():
    """Nothing but their clocks tells them apart."""
    async with linked() as (vehicle, link), await Vehicle.connect(link, timing=FAST) as seen:
        await seen.upload(line_mission())
        for ms in (500_000, 500, 501_000, 1_000):
            vehicle.send(mav.MAVLink_system_time_message(0, ms))
        await asyncio.sleep(0.1)
        with pytest.raises(NotReadyError, match="its clock stepped back"):
            await seen.start_mission()
        assert vehicle.armed is False


# Counts.


@pytest.mark.parametrize("kind", [MissionKind.MISSION, MissionKind.FENCE, MissionKind.RALLY])
async def test_a_list_longer_than_any_is_not_read(kind):
    async with linked() as (vehicle, link):
        vehicle.on_mission_request_list = lambda m: vehicle.send(
            mav.MAVLink_mission_count_message(255, 190, 65535, m.mission_type)
        )
        with pytest.raises(TransferError, match=r"says that it holds 65535 items; no more than 10000 are read: clear"):
            await download(link, 1, kind, timing=FAST)
        assert not any(m.get_type() == "MISSION_REQUEST_INT" for m in vehicle.heard)


# Another ground station with our number.


def station_beat(vehicle, *, system=255):
    """A heartbeat as QGroundControl has it, handed on by the vehicle."""
    other = mav.MAVLink(None, srcSystem=system, srcComponent=190)
    packet = mav.MAVLink_heartbeat_message(mav.MAV_TYPE_GCS, mav.MAV_AUTOPILOT_INVALID, 192, 0, 4, 3).pack(other)
    vehicle.transport.sendto(packet, vehicle.peer)


@pytest.mark.parametrize(("system", "told"), [(255, True), (254, False)])
async def test_a_ground_station_with_our_number_is_told(system, told):
    async with vehicle_at(Script()) as (vehicle, url):
        respond = vehicle.on_heartbeat

        def beside(message):
            respond(message)
            station_beat(vehicle, system=system)

        vehicle.on_heartbeat = beside
        report = await asyncio.wait_for(
            fly([FlightTask(1, url, (line_mission(),))], timing=FAST, time_scale=FAST.time_scale), LONGEST_S
        )
    assert report.completed, report.vehicles[0].failure
    notes = [note for note in report.notes if "another ground station speaks with our system id 255" in note]
    assert len(notes) == told


async def test_our_own_heartbeat_that_comes_back_is_nobody_elses():
    async with vehicle_at(Script()) as (vehicle, url):
        respond = vehicle.on_heartbeat

        def echo(message):
            vehicle.transport.sendto(bytes(message.get_msgbuf()), vehicle.peer)
            respond(message)

        vehicle.on_heartbeat = echo
        async with await open_link(url, heartbeat=True, time_scale=FAST.time_scale) as link:
            await link.wait_vehicle(timeout_s=2.0)
            await asyncio.sleep(0.3)
            assert (link.has_twin, twin_words(link)) == (False, None)


@pytest.mark.parametrize("count", [65535, 0, 1])
async def test_a_count_that_is_wrong_is_no_proof(count):
    """Nobody asks for 65,535 items that were never sent."""
    async with vehicle_at(Script()) as (vehicle, url):
        vehicle.on_mission_request_list = lambda m: vehicle.send(
            mav.MAVLink_mission_count_message(255, 190, count, m.mission_type)
        )
        vehicle.on_mission_request_int = lambda m: vehicle.send(
            mav.MAVLink_mission_item_int_message(255, 190, m.seq, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0, 0, m.mission_type)
        )
        task = FlightTask(1, url, (line_mission(),))
        report = await asyncio.wait_for(fly([task], timing=FAST, limits=FlightLimits(ready_s=5.0)), LONGEST_S)
        assert vehicle.armed is False
        asked = [m.seq for m in vehicle.heard if m.get_type() == "MISSION_REQUEST_INT"]
    failure = report.vehicles[0].failure
    assert len(failure.splitlines()) == 1
    assert "reads back differently" in failure
    assert max(asked, default=0) < len(line_mission().items) + 5
