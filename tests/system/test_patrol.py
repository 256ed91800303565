"""A patrol by its schedule against simulated vehicles: reliefs, a fault, a station that dies, battery and link."""

import asyncio
import json
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest

import autopilot
import missions
import sim
import vedette
from cli.simulated import simulated_fleet
from geo import FlatTerrain
from tests.relay import relayed

SPEEDUP = 60.0
LATE_S = 30.0  # half a wall second of a busy machine, in vehicle seconds


@pytest.fixture(scope="module")
def made():
    """Two aircraft over one stretch of 2.5 km, a look every seven minutes; 10 minutes a flight."""
    segment = missions.cut(missions.land_border("ITA", "CHE"), 2500)
    fleet = missions.default_fleet(missions.base_beside(segment), 2)
    return missions.plan(segment, fleet, FlatTerrain(900.0), missions.PlanOptions(shift_s=3600.0))


def vehicles(made, **changes):
    """The plan's fleet with crews that are a little faster than the plan wants, and no warming up."""
    config = simulated_fleet(made, speedup=SPEEDUP, seed=1)
    return replace(config, **{"turnaround_s": 100.0, "boot": sim.Boot(0, 0, 0), **changes})


def links(fleet):
    return [end.url for end in fleet.endpoints]


def states(report, sysid):
    """The states that a vehicle went through, silences left out."""
    changes = next(v for v in report.vehicles if v.sysid == sysid).changes
    return [a.state for a, b in pairwise([*changes, None]) if b is None or b.state != a.state]


class Told:
    """Waits for a change of a vehicle: its system id, its state, whether it is silent."""

    def __init__(self):
        self._seen = {}

    def __call__(self, duty, _why):
        self._event(duty.sysid, str(duty.state), duty.silent).set()

    def _event(self, *change):
        return self._seen.setdefault(change, asyncio.Event())

    async def wait(self, *change):
        async with asyncio.timeout(60.0):
            await self._event(*change).wait()


async def test_two_aircraft_relieve_each_other_by_the_plan(made, tmp_path):
    with sim.start_fleet(vehicles(made, record_dir=tmp_path)) as fleet:
        report = await autopilot.fly_patrol(made, links(fleet), time_scale=SPEEDUP, hours=0.6)
    assert report.completed, report.words()
    planned = [flight for flight in made.flights if flight.start_s <= 0.6 * 3600]
    assert [flight.sysid for flight in report.flights] == [flight.sysid for flight in planned]
    for flight, plan in zip(report.flights, planned, strict=True):
        assert plan.start_s <= flight.took_off_s < plan.start_s + LATE_S
    gaps = report.looks_s(0, made.sorties[0].name)
    assert len(gaps) == len(planned) - 1
    for gap in gaps:
        assert gap == pytest.approx(made.revisit_s, abs=LATE_S)
    assert states(report, 2)[:8] == [
        "checking", "ready", "outbound", "on task", "relieved", "returning", "swapping", "waiting",
    ]  # fmt: skip
    assert states(report, 2)[-1] == "done"
    # What the vehicles themselves recorded: one take-off for each flight and no more.
    assert len(list(tmp_path.glob("vehicle-*-sortie-*.csv"))) == len(planned)
    told = json.loads(report.to_json())
    assert told["completed"] is True
    assert any("3 flights, 3 flown to the end" in sentence for sentence in told["words"])


async def test_the_others_take_over_from_one_that_fails_in_the_air(made):
    told = Told()
    with sim.start_fleet(vehicles(made)) as fleet:

        async def land_the_first():
            """Somebody else brings it down on its patrol: it lands there, and says nothing of why."""
            await told.wait(1, "on task", False)
            async with await autopilot.open_link(links(fleet)[0], system_id=250, time_scale=SPEEDUP) as link:
                timing = autopilot.Timing(time_scale=SPEEDUP)
                async with await autopilot.Vehicle.connect(link, 1, timing=timing) as vehicle:
                    await vehicle.land()

        meddler = asyncio.create_task(land_the_first())
        report = await autopilot.fly_patrol(made, links(fleet), time_scale=SPEEDUP, hours=0.7, told=told)
        await meddler
    assert states(report, 1)[-2:] == ["returning", "fault"] or states(report, 1)[-1] == "fault"
    failed, other = report.vehicles
    assert "landed in mode LAND without" in failed.failure
    assert len(failed.flights) == 1
    assert other.failure is None
    assert all(flight.flown.completed for flight in other.flights)
    (again,) = report.replans
    assert again.sysids == (2,)
    alone = missions.replan(made, [2], again.t_s)
    assert again.revisit_s == pytest.approx(alone.revisit_s)
    # Its first flight was of the old plan, the others are of the new one, as close as one aircraft can.
    assert [flight.plan for flight in other.flights] == [0] + [1] * (len(other.flights) - 1)
    assert len(other.flights) >= 3
    for gap in report.looks_s(1, alone.sorties[0].name):
        assert gap == pytest.approx(alone.revisit_s, abs=LATE_S)


async def test_one_that_is_not_there_is_done_without_and_comes_back_by_a_persons_word(made):
    told, held = Told(), []
    with sim.start_fleet(vehicles(made)) as fleet:
        end = fleet.endpoints[0]
        absent = asyncio.Event()
        async with relayed(end.host, end.port, lambda _: not absent.is_set()) as url:

            async def mend():
                await told.wait(1, "fault", False)
                await told.wait(2, "on task", False)
                absent.set()
                held[0].may_fly(1)
                with pytest.raises(autopilot.FlightError, match="nothing to clear"):
                    held[0].may_fly(2)

            mending = asyncio.create_task(mend())
            report = await autopilot.fly_patrol(
                made,
                [url, links(fleet)[1]],
                time_scale=SPEEDUP,
                hours=0.5,
                told=told,
                begun=held.append,
                limits=autopilot.FlightLimits(connect_s=1.0),
            )
            await mending
    assert [again.sysids for again in report.replans] == [(2,), (1, 2)]
    assert states(report, 1)[:3] == ["checking", "fault", "waiting"]
    assert report.vehicles[0].failure is None
    assert len(report.vehicles[0].flights) >= 1


def ordered(plan, urls, folder):
    arguments = ["patrol", plan, *(part for url in urls for part in ("--link", url)), "--speedup", SPEEDUP]
    arguments += ["--hours", 0.6, "--journal", folder / "journal.jsonl", "--json", folder / "patrol.json"]
    command = [sys.executable, vedette.__file__, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


async def test_a_station_that_is_killed_in_flight_goes_on_when_it_is_started_again(made, tmp_path):
    missions.save_plan(made, tmp_path / "plan.json")
    with sim.start_fleet(vehicles(made, record_dir=tmp_path / "flown")) as fleet:
        first = ordered(tmp_path / "plan.json", links(fleet), tmp_path)
        async with await autopilot.open_link(links(fleet)[1], system_id=250, time_scale=SPEEDUP) as link:
            timing = autopilot.Timing(time_scale=SPEEDUP)
            async with await autopilot.Vehicle.connect(link, 2, timing=timing, wait_s=20.0) as seen:
                # Both are in the air then.
                up = await seen.wait_until(lambda t: t.armed and (t.above_home_m or 0.0) > 30.0, 0.0, wall_s=60.0)
                assert up is not None, first.communicate(timeout=5)
                first.send_signal(signal.SIGKILL)
                first.communicate(timeout=10)
                assert seen.telemetry.armed
        with (tmp_path / "journal.jsonl").open("a") as journal:
            journal.write('{"kind": "state", "t_s": 61')  # torn by the kill
        second = ordered(tmp_path / "plan.json", links(fleet), tmp_path)
        out, err = await asyncio.to_thread(second.communicate, timeout=120)
    assert second.returncode == 0, out + err
    assert "goes on with the shift" in err
    report = json.loads((tmp_path / "patrol.json").read_text())
    flights = [flight for vehicle in report["vehicles"] for flight in vehicle["flights"]]
    assert all(flight["flown"]["completed"] for flight in flights)
    # Those in the air were watched on: nothing uploaded to them, and no more take-offs than the plan has.
    watched = [flight for flight in flights if not flight["flown"]["uploads"]]
    assert {flight["sysid"] for flight in watched} == {1, 2}
    planned = [flight for flight in made.flights if flight.start_s <= 0.6 * 3600]
    assert len(list((tmp_path / "flown").glob("vehicle-*-sortie-*.csv"))) == len(planned) == len(flights)
    for flight in flights:
        assert abs(flight["took_off_s"] - flight["planned_s"]) < LATE_S


async def test_after_a_restart_one_with_another_mission_is_sent_home(made, tmp_path):
    missions.save_plan(made, tmp_path / "plan.json")
    with sim.start_fleet(vehicles(made, vehicles=1)) as fleet:
        alone = missions.replan(made, [1])
        missions.save_plan(alone, tmp_path / "plan.json")
        first = ordered(tmp_path / "plan.json", links(fleet), tmp_path)
        async with await autopilot.open_link(links(fleet)[0], system_id=250, time_scale=SPEEDUP) as link:
            timing = autopilot.Timing(time_scale=SPEEDUP)
            async with await autopilot.Vehicle.connect(link, 1, timing=timing, wait_s=20.0) as seen:
                assert await seen.wait_until(lambda t: t.armed and (t.above_home_m or 0.0) > 60.0, 0.0, wall_s=60.0)
                first.send_signal(signal.SIGKILL)
                first.communicate(timeout=10)
                mission = missions.compile_mission(alone, alone.sorties[0])
                spoilt = [
                    replace(item, z=item.z + 5 if item.command == 16 and item.seq else item.z) for item in mission.items
                ]
                await autopilot.upload(link, 1, spoilt)
                second = ordered(tmp_path / "plan.json", links(fleet), tmp_path)
                home = await seen.wait_until(lambda t: t.mode == "RTL", 0.0, wall_s=30.0)
                assert home is not None
                assert await seen.wait_until(lambda t: t.armed is False, 0.0, wall_s=60.0)
        await asyncio.to_thread(second.communicate, timeout=60)
    assert second.returncode == 1
    vehicle = json.loads((tmp_path / "patrol.json").read_text())["vehicles"][0]
    assert "mission: reads back differently" in vehicle["failure"]
    assert vehicle["changes"][-1]["state"] == "fault"


async def test_one_whose_battery_just_takes_it_home_is_called_home_before_its_own_failsafe(made):
    config = vehicles(made)
    # It draws far more than it was planned for: the plan lands with 85 %.
    hungry = replace(config.power, hover_w=5.5 * config.power.hover_w, cruise_w=5.5 * config.power.cruise_w)
    with sim.start_fleet(replace(config, power=hungry)) as fleet:
        report = await autopilot.fly_patrol(made, links(fleet), time_scale=SPEEDUP, hours=0.1)
    (flight,) = report.flights
    assert "just takes it home" in flight.early
    assert not flight.flown.completed
    said = [event.text for event in flight.flown.events if event.kind == "text"]
    assert not any("attery" in text for text in said), said
    assert flight.flown.landing.from_home_m < 5
    assert report.vehicles[0].failure is None
    assert states(report, 1)[-3:] == ["swapping", "waiting", "done"]


@pytest.mark.parametrize("returns", [False, True], ids=["goes on", "returns"])
async def test_one_that_is_not_heard_is_watched_by_the_clock_and_goes_on_when_it_is(made, returns):
    told = Told()
    cut = asyncio.Event()
    params = {**vehicles(made).params, "FS_GCS_ENABLE": float(returns)}
    with sim.start_fleet(vehicles(made, params=params)) as fleet:
        end = fleet.endpoints[0]
        async with relayed(end.host, end.port, lambda _: cut.is_set()) as url:

            async def lose():
                await told.wait(1, "on task", False)
                cut.set()
                await told.wait(1, "on task", True)
                await asyncio.sleep(40 / SPEEDUP)
                cut.clear()

            losing = asyncio.create_task(lose())
            report = await autopilot.fly_patrol(
                made, [url, links(fleet)[1]], time_scale=SPEEDUP, hours=0.3, told=told, timing=QUICK
            )
            await losing
    changes = report.vehicles[0].changes
    assert [change.silent for change in changes if change.state == "on task"][:2] == [False, True]
    first = report.vehicles[0].flights[0]
    assert report.vehicles[0].failure is None
    if returns:
        assert "after the link was lost" in first.early
    else:
        assert first.flown.completed
        assert first.early is None
    # Either way it flies again when it is due.
    assert len(report.vehicles[0].flights) == 2
    assert report.vehicles[0].flights[1].flown.completed


QUICK = autopilot.Timing(time_scale=SPEEDUP, floor_s=0.5)


def test_a_shift_that_is_none_and_links_that_do_not_fit_are_said(run, made, tmp_path):
    missions.save_plan(made, tmp_path / "plan.json")
    plan = tmp_path / "plan.json"
    for arguments, words in (
        (("--link", "udp:127.0.0.1:9", "--hours", 2), "a shift of 2 h: the plan has 1 h"),
        (("--link", "udp:127.0.0.1:9", "--link", "b", "--link", "c"), "2 vehicles and there are 3 links"),
        (("--link", "udp:127.0.0.1:9", "--journal", plan), "plan.json"),
    ):
        ran = run("patrol", plan, *arguments, "--json", tmp_path / "patrol.json")
        assert ran.code == 1
        assert words in " ".join(ran.err.split())
