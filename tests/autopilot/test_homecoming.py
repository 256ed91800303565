"""A sortie that is off: the vehicle is watched, and told home, until it is down."""

import asyncio
import re

import pytest

from autopilot import FlightLimits, FlightTask, fly
from tests.autopilot.scripted import FAST, Script, line_mission, vehicle_at
from tests.autopilot.test_fly import BORDER, flown

RTL, LAND = 6, 9
DENIED = 2


def refusing(*, home=10**6, land=10**6):
    """Refuses the first so many orders home, and to land."""
    most = {RTL: home, LAND: land}
    return lambda mode, nth: DENIED if nth <= most.get(mode, 0) else 0


@pytest.mark.parametrize(
    ("orders", "words", "mode"),
    [
        (refusing(home=2), r"does not turn back.*it obeyed RTL and is down at 31\.345", RTL),
        (refusing(land=0), r"it obeyed LAND and is down at 31\.345.*DO_SET_MODE: denied", LAND),
        (refusing(home=7, land=2), "it obeyed RTL and is down", RTL),
    ],
    ids=["obeys at last", "only lands", "refuses both, then obeys"],
)
async def test_one_that_refuses_to_turn_back_is_told_until_it_does(orders, words, mode):
    script = Script(flight="stray", orders=orders)
    report, (vehicle,) = await flown(script, missions=(line_mission(400),))
    assert not vehicle.armed
    assert vehicle.mode == mode
    assert re.search(words, report.vehicles[0].failure), report.vehicles[0].failure
    (sortie,) = report.vehicles[0].sorties
    assert sortie.landing is not None
    assert any("was not obeyed" in event.text for event in sortie.events if event.kind == "failure")


async def test_one_that_obeys_nothing_is_watched_down_all_the_same():
    script = Script(flight="stray", orders=refusing())
    report, (vehicle,) = await flown(script, missions=(line_mission(300),))
    assert not vehicle.armed
    assert vehicle.counts[f"mode {RTL}"] > vehicle.counts[f"mode {LAND}"] >= 1
    failure = report.vehicles[0].failure
    assert re.search(r"crossed the border and does not turn back.*was not obeyed in anything and is down", failure)
    assert report.vehicles[0].sorties[0].landing is not None


async def test_the_watch_ends_in_time_and_says_that_it_is_up():
    async with vehicle_at(Script(flight="stray", orders=refusing())) as (vehicle, url):
        task = FlightTask(1, url, (line_mission(600),))
        report = await fly([task], borders=[BORDER], timing=FAST, limits=FlightLimits(home_s=20.0))
        assert vehicle.armed
        vehicle.mode = RTL  # lets its script end
    assert re.search(r"it obeys nothing \(.*denied.*still up, last at .*by hand", report.vehicles[0].failure)


async def test_one_that_is_never_heard_again_is_given_up_in_time():
    limits = FlightLimits(lost_s=30.0)
    report, _ = await flown(Script(flight="silent"), limits=limits)
    failure = report.vehicles[0].failure
    assert re.search(r"silent for .*; it was not heard again for 30 s, last at 31\.345.*look for it there", failure)
    assert any("RTL was not obeyed" in event.text for event in report.vehicles[0].sorties[0].events)


async def test_one_that_is_heard_again_after_silence_is_sent_home():
    async with vehicle_at(Script()) as (vehicle, url):
        mute = asyncio.Event()

        def progress(step):
            if step.stage == "fly" and step.done >= 3 and not mute.is_set():
                mute.set()
                vehicle.dead = True
                asyncio.get_running_loop().call_later(1.5, setattr, vehicle, "dead", False)

        task = FlightTask(1, url, (line_mission(600),))
        report = await fly([task], borders=[BORDER], timing=FAST, progress=progress)
        assert not vehicle.armed
    assert re.search(r"silent for .*; it obeyed RTL and is down at 31\.345", report.vehicles[0].failure)


async def test_one_that_does_not_answer_is_never_told_to_land_where_it_is():
    """It may hear the way home and not be heard: it must not come down on the way."""

    def deaf(mode, _nth):
        return -1 if mode in (RTL, LAND) else 0

    async with vehicle_at(Script(flight="stray", orders=deaf)) as (vehicle, url):
        task = FlightTask(1, url, (line_mission(500),))
        report = await fly([task], borders=[BORDER], timing=FAST)
    assert vehicle.counts[f"mode {RTL}"] > 8
    assert f"mode {LAND}" not in vehicle.counts
    assert "no answer to MAV_CMD_DO_SET_MODE" in report.vehicles[0].failure


async def test_a_fault_of_the_program_does_not_leave_it_in_the_air(monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("of the test")

    monkeypatch.setattr("autopilot.watch.FlightWatch.must_return", property(broken))
    async with vehicle_at(Script()) as (vehicle, url):
        report = await fly([FlightTask(1, url, (line_mission(400),))], timing=FAST)
        assert vehicle.mode == RTL
        assert not vehicle.armed
    assert "given up for a fault in this program, ZeroDivisionError('of the test')" in report.vehicles[0].failure


async def test_a_way_home_of_its_own_is_only_watched():
    """Its failsafe brings it home: no order disturbs it."""
    async with vehicle_at(Script()) as (vehicle, url):

        def progress(step):
            if step.stage == "fly" and step.done >= 3 and vehicle.mode != LAND:
                vehicle.mode = LAND
                vehicle.heartbeat()
                vehicle.dead = True
                asyncio.get_running_loop().call_later(1.0, setattr, vehicle, "dead", False)

        limits = FlightLimits(home_s=60.0)
        report = await fly([FlightTask(1, url, (line_mission(600),))], timing=FAST, progress=progress, limits=limits)
    assert f"mode {RTL}" not in vehicle.counts
    assert report.vehicles[0].failure is not None


@pytest.mark.parametrize("stage", ["connect", "upload mission", "ready", "prove", "fly"])
async def test_a_flight_stops_in_good_order_at_every_stage(stage):
    """On the ground nothing stays half-written or armed; in the air it comes home."""
    async with vehicle_at(Script()) as (vehicle, url), vehicle_at(Script(sysid=2)) as (other, second):
        stop = asyncio.Event()

        def progress(step):
            if step.sysid == 1 and step.stage == stage and (stage != "fly" or step.done >= 2):
                stop.set()

        tasks = [FlightTask(n, at, (line_mission(300),) * 2) for n, at in ((1, url), (2, second))]
        report = await fly(tasks, timing=FAST, progress=progress, stop=stop)
        assert not vehicle.armed
        assert not other.armed
    assert len(vehicle.lists[0]) in (0, len(line_mission(300).items))
    assert all("the flight was stopped" in one.failure for one in report.vehicles)
    assert all(len(one.sorties) <= 1 for one in report.vehicles)
    if stage == "fly":
        assert "it obeyed RTL and is down" in report.vehicles[0].failure
