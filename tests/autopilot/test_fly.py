"""Whole flights of scripted vehicles."""

import asyncio
import json
import re
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from pymavlink import mavutil
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import FlightError, FlightLimits, FlightTask, fly
from missions import BorderSegment, MissionItem
from tests.autopilot.scripted import FAST, Script, line_mission, vehicle_at
from tests.ports import free_port

BORDER = BorderSegment("test", "USA", "MEX", ((-111.0, 31.333), (-110.7, 31.333)), "left")


async def flown(*scripts, missions=None, borders=(BORDER,), **more):
    """The report, and the vehicles, of a flight of one mission each."""
    async with AsyncExitStack() as stack:
        pairs = [await stack.enter_async_context(vehicle_at(script)) for script in scripts]
        tasks = [
            FlightTask(script.sysid, url, missions or (line_mission(),))
            for script, (_, url) in zip(scripts, pairs, strict=True)
        ]
        report = await fly(tasks, borders=borders, timing=FAST, time_scale=FAST.time_scale, **more)
        return report, [vehicle for vehicle, _ in pairs]


async def test_a_fleet_flies_its_sorties(tmp_path):
    steps = []
    report, vehicles = await flown(
        Script(sysid=1),
        Script(sysid=2),
        missions=(line_mission(), line_mission(4)),
        progress=steps.append,
        log_dir=tmp_path,
    )
    assert report.completed, [vehicle.failure for vehicle in report.vehicles]
    assert [vehicle.sysid for vehicle in report.vehicles] == [1, 2]
    for vehicle in report.vehicles:
        assert [sortie.places for sortie in vehicle.sorties] == [7, 5]
        first = vehicle.sorties[0]
        assert [upload.items for upload in first.uploads] == [4, 1, 10]
        assert [item.seq for item in first.reached] == [1, 3, 4, 5, 6, 7, 8]
        assert all(item.reported for item in first.reached)
        assert first.max_deviation_m < 0.5
        # 0.012 degrees of latitude from home to the border.
        assert first.nearest_border_m == pytest.approx(1331, abs=1)
        assert first.landing.from_home_m < 1
        assert first.flight_s > 5
        kinds = [event.kind for event in first.events]
        assert kinds.index("armed") < kinds.index("airborne") < kinds.index("disarmed")
    stages = [step.stage for step in steps if step.sysid == 1 and step.sortie == 1]
    order = ["connect", "check", "upload fence", "read back fence", "upload mission", "ready", "start", "fly", "landed"]
    assert [stage for stage in dict.fromkeys(stages) if stage in order] == order
    # Armed in GUIDED, then AUTO, then MISSION_START.
    told = [
        (m.command, m.param2)
        for m in vehicles[0].heard
        if m.get_type() == "COMMAND_LONG" and m.command in (176, 400, 300)
    ]
    assert told[:4] == [(176, 4.0), (400, 0.0), (176, 3.0), (300, 0.0)]
    assert vehicles[0].script.params["FENCE_ENABLE"][0] == 1.0

    report.write(tmp_path / "report.json")
    read = json.loads((tmp_path / "report.json").read_text())
    assert read["completed"] is True
    assert read["vehicles"][1]["sorties"][0]["uploads"][2]["items"] == 10
    logs = sorted(tmp_path.glob("*.tlog"))
    assert [log.name.rpartition("-")[0] for log in logs] == [
        f"vehicle-{sysid}-sortie-{number}" for sysid in (1, 2) for number in (1, 2)
    ]
    log = mavutil.mavlink_connection(str(logs[0]))
    assert log.recv_match(type="MISSION_ITEM_REACHED") is not None
    log.close()


@pytest.mark.parametrize(
    ("script", "words", "sorties"),
    [
        (Script(flight="silent"), "silent for .* in flight, last at 31.345", 1),
        (Script(flight="disarm"), "disarmed in flight at 31.345", 1),
        (Script(flight="terminate"), "ended its flight in the air and stays armed at 31.345", 1),
        (Script(flight="return"), r"landed in mode RTL without .*first item 4; it said: .*Battery 1 is low", 1),
        (Script(flight="stray"), "crossed the border and was sent home", 1),
        (Script(refuse=(2, 3, "")), "unsupported command", 1),
        (Script(commands={400: [4]}, says={400: ["PreArm: Compass"]}), "failed.*PreArm: Compass", 1),
        (Script(ready=False), "not ready to arm", 1),
        (Script(stubborn=("FENCE_ENABLE",)), "FENCE_ENABLE was set to 1 and is 0", 1),
        (Script(autopilot=mav.MAV_AUTOPILOT_PX4), "compiled for ardupilot", 1),
        (Script(commands={300: [2]}), "MAV_CMD_MISSION_START: denied", 1),
    ],
    ids=["silent", "disarms", "is terminated", "returns early", "strays", "refuses the list", "does not arm",
         "no position", "no fence", "another autopilot", "does not start"],
)  # fmt: skip
async def test_one_that_fails_is_reported_and_the_other_goes_on(script, words, sorties):
    missions = (line_mission(), line_mission())
    report, _ = await flown(
        Script(sysid=1), _as(script, 2), missions=missions, limits=FlightLimits(ready_s=1.0, home_s=5.0)
    )
    good, failed = report.vehicles
    assert good.failure is None
    assert len(good.sorties) == 2
    assert not report.completed
    assert len(failed.sorties) == sorties
    assert failed.failure == failed.sorties[-1].failure
    assert re.search(words, failed.failure), failed.failure
    assert not failed.sorties[-1].completed
    json.loads(report.to_json())


def _as(script, sysid):
    script.sysid = sysid
    return script


@pytest.mark.parametrize("spoil", ["change", "stubborn"])
async def test_a_vehicle_that_does_not_hold_what_was_meant_is_not_armed(spoil):
    def lower(item):
        if item.mission_type == 0 and item.seq == 4:
            item.z = 10.0
        return item

    script = Script(change=lower) if spoil == "change" else Script(stubborn=("FENCE_ENABLE",))
    report, (vehicle,) = await flown(script)
    assert not report.completed
    assert not any(m.get_type() == "COMMAND_LONG" and m.command == 400 for m in vehicle.heard)
    if spoil == "change":
        assert "item 4 z: sent 90, read 10" in report.vehicles[0].failure
        assert vehicle.lists[0] == []


def with_zone(mission):
    """A mission with a triangle to keep out of beside its line."""
    corners = ((31.350, -110.92), (31.352, -110.91), (31.355, -110.92))
    zone = [MissionItem(4 + n, 0, 5002, 3.0, x=round(a * 1e7), y=round(b * 1e7)) for n, (a, b) in enumerate(corners)]
    return replace(mission, fence=(*mission.fence, *zone))


async def test_an_exclusion_is_uploaded_and_proved():
    report, (vehicle,) = await flown(Script(), missions=(with_zone(line_mission()),))
    assert report.completed
    assert [item.command for item in vehicle.lists[1]] == [5001] * 4 + [5002] * 3
    assert [upload.items for upload in report.vehicles[0].sorties[0].uploads] == [7, 1, 10]


async def test_a_vehicle_that_makes_an_exclusion_an_inclusion_is_not_armed():
    def turn(item):
        if item.command == 5002:
            item.command = 5001
        return item

    report, (vehicle,) = await flown(Script(change=turn), missions=(with_zone(line_mission()),))
    assert not report.completed
    assert "item 4 command: sent 5002, read 5001" in report.vehicles[0].failure
    assert not any(m.get_type() == "COMMAND_LONG" and m.command == 400 for m in vehicle.heard)
    assert vehicle.lists[1] == []


async def test_a_mission_without_a_fence_leaves_the_vehicle_its_own():
    mission = replace(line_mission(), fence=())
    async with vehicle_at(Script()) as (vehicle, url):
        vehicle.lists[1] = [
            mav.MAVLink_mission_item_int_message(255, 190, n, 0, 5001, 0, 1, 3, 0, 0, 0, n, n, 0, 1) for n in range(3)
        ]
        before = list(vehicle.lists[1])
        report = await fly([FlightTask(1, url, (mission,))], timing=FAST)
        assert vehicle.lists[1] == before
        assert vehicle.script.params["FENCE_ENABLE"][0] == 0.0  # its settings are its own as well
    assert report.completed, report.vehicles[0].failure
    assert [upload.kind for upload in report.vehicles[0].sorties[0].uploads] == [2, 0]
    (note,) = report.notes
    assert note == "vehicle 1 sortie 1: the mission has no fence, and the vehicle keeps its own of 3 items"
    assert not any(
        m.get_type() in ("MISSION_CLEAR_ALL", "MISSION_COUNT") and m.mission_type == 1 for m in vehicle.heard
    )


async def test_a_flight_without_any_fence_is_said():
    report, _ = await flown(Script(), missions=(replace(line_mission(), fence=()),))
    assert report.completed
    assert "the mission has no fence, and the vehicle has none" in report.notes[0]


async def test_its_own_fence_that_goes_before_arming_keeps_it_on_the_ground():
    async with vehicle_at(Script()) as (vehicle, url):
        vehicle.lists[1] = [
            mav.MAVLink_mission_item_int_message(255, 190, n, 0, 5001, 0, 1, 3, 0, 0, 0, n, n, 0, 1) for n in range(3)
        ]

        def progress(step):
            if step.stage == "prove":
                vehicle.lists[1] = []

        task = FlightTask(1, url, (replace(line_mission(), fence=()),))
        report = await fly([task], timing=FAST, progress=progress)
        assert not vehicle.armed
    assert "fence: reads back differently" in report.vehicles[0].failure


FAR = BorderSegment("far", "USA", "CAN", ((-111.0, 31.5), (-110.5, 31.5)), "right")


@pytest.mark.parametrize("borders", [(BORDER,), (FAR, BORDER)], ids=["the only border", "the second border"])
async def test_one_that_strays_is_sent_home_at_once(borders):
    report, (vehicle,) = await flown(Script(flight="stray"), borders=borders)
    (sortie,) = report.vehicles[0].sorties
    assert sortie.nearest_border_m < -500
    assert any(event.kind == "border" for event in sortie.events)
    assert any(m.get_type() == "COMMAND_LONG" and m.command == 176 and m.param2 == 6 for m in vehicle.heard)


async def test_lost_reports_of_reached_items_are_made_up_for():
    report, _ = await flown(Script(lose=lambda kind, nth: kind == "MISSION_ITEM_REACHED" and nth == 3))
    (sortie,) = report.vehicles[0].sorties
    assert sortie.completed
    assert [item.seq for item in sortie.reached if not item.reported] == [4]


async def test_a_low_battery_is_not_flown():
    script = Script()
    async with vehicle_at(script) as (vehicle, url):
        report_before = vehicle.report

        def report():
            report_before()
            vehicle.send(mav.MAVLink_battery_status_message(0, 0, 0, 0, [0] * 10, -1, -1, -1, 35))

        vehicle.report = report
        limits = FlightLimits(turnaround_s=2.0)
        result = await fly([FlightTask(1, url, (line_mission(),))], timing=FAST, limits=limits)
    assert "battery at 35 % after 2 s, 80 % is needed" in result.vehicles[0].failure
    assert not vehicle.armed


async def test_an_armed_vehicle_is_given_no_mission():
    async with vehicle_at(Script()) as (vehicle, url):
        vehicle.armed = True
        report = await fly([FlightTask(1, url, (line_mission(),))], timing=FAST)
        assert "is armed already" in report.vehicles[0].failure
        assert not any(m.get_type() == "MISSION_COUNT" for m in vehicle.heard)
        # It was flying before us: it is not ours to send home.
        assert not any(m.get_type() == "COMMAND_LONG" and m.command in (176, 400) for m in vehicle.heard)


async def test_a_cancelled_flight_sends_home_what_flies():
    async with vehicle_at(Script()) as (vehicle, url):
        airborne = asyncio.Event()

        def progress(step):
            if step.stage == "fly" and step.done >= 2:
                airborne.set()

        task = asyncio.create_task(fly([FlightTask(1, url, (line_mission(200),))], timing=FAST, progress=progress))
        await asyncio.wait_for(airborne.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert vehicle.mode == 6


async def test_a_link_that_does_not_answer_fails_its_vehicle_alone():
    async with vehicle_at(Script()) as (_, url):
        tasks = [
            FlightTask(1, url, (line_mission(),)),
            FlightTask(2, f"udp:127.0.0.1:{free_port()}", (line_mission(),)),
            FlightTask(3, "tcp:127.0.0.1:1", (line_mission(),)),
        ]
        report = await fly(tasks, timing=FAST)
    one, two, three = report.vehicles
    assert one.failure is None
    assert "no" in two.failure
    assert "vehicle 2 within" in two.failure
    assert "cannot be opened" in three.failure
    assert three.packets is None


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ([FlightTask(1, "udp:a:1", (line_mission(),))] * 2, "has two tasks"),
        ([FlightTask(1, "udp:a:1", ())], "has no sortie"),
        ([FlightTask(1, f"udp:{at}:1", (line_mission(),)) for at in "ab"], "on udp:a:1 and on udp:b:1.*two system ids"),
        ([FlightTask(1, "udp:a:1", (line_mission(0),)), FlightTask(1, "udp:a:1", ())], "two tasks"),
    ],
)
async def test_tasks_that_make_no_sense_are_refused(tasks, words):
    with pytest.raises(FlightError, match=words):
        await fly(tasks)
