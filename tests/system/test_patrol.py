"""A patrol by its schedule against simulated vehicles: reliefs, a fault, a station that dies, battery and link."""

import asyncio
import json
import re
import shlex
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

import autopilot
import missions
import sim
import vedette
from cli.simulated import simulated_fleet
from geo import FlatTerrain
from tests.programs import Program
from tests.relay import relayed

SPEEDUP = 60.0
LATE_S = 120.0  # two wall seconds of a busy machine, in vehicle seconds


@pytest.fixture(scope="module")
def made():
    """Two aircraft over one stretch of 2.5 km, a look every seven minutes; 10 minutes a flight."""
    segment = missions.cut(missions.land_border("ITA", "CHE"), 2500)
    fleet = missions.default_fleet(missions.base_beside(segment), 2)
    return missions.plan(segment, fleet, FlatTerrain(900.0), missions.PlanOptions(shift_s=3600.0))


def vehicles(made, **changes):
    """The plan's fleet with crews that are a little faster than the plan wants, and no warming up."""
    config = simulated_fleet(made, speedup=SPEEDUP, seed=1)
    return replace(config, **{"turnaround_s": 30.0, "boot": sim.Boot(0, 0, 0), **changes})


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


def winged(form):
    """Two fixed wings or VTOL planes over the same stretch, a look every few minutes."""
    segment = missions.cut(missions.land_border("ITA", "CHE"), 2500)
    fleet = missions.default_fleet(missions.base_beside(segment), 2)
    craft = missions.Aircraft(
        form, 20, 28, 3, 3, 300 if form == "fixed_wing" else 900, 300, 1200, 700, form=form,
        min_m_s=14, turn_radius_m=52, takeoff_s=15, landing_s=20, transition_s=10 * (form == "vtol"),
    )  # fmt: skip
    crew = tuple(replace(vehicle, aircraft=craft) for vehicle in fleet.vehicles)
    camera = replace(fleet.camera, max_gsd_m=0.25)
    options = missions.PlanOptions(shift_s=3600.0, dwell_s=2.0)
    return missions.plan(segment, missions.Fleet(camera, crew), FlatTerrain(900.0), options)


@pytest.mark.parametrize(
    ("form", "name"),
    [("multirotor", "px4"), *((form, name) for form in ("fixed_wing", "vtol") for name in ("ardupilot", "px4"))],
)
async def test_every_kind_of_vehicle_flies_a_patrol(made, form, name):
    plan = made if form == "multirotor" else winged(form)
    config = simulated_fleet(plan, speedup=SPEEDUP, seed=1, autopilot=name)
    config = replace(config, turnaround_s=30.0, boot=sim.Boot(0, 0, 0))
    hours = plan.flights[2].start_s / 3600 + 0.01
    with sim.start_fleet(config) as fleet:
        report = await autopilot.fly_patrol(plan, links(fleet), dialect=name, time_scale=SPEEDUP, hours=hours)
    assert report.completed, report.words()
    assert [flight.sysid for flight in report.flights] == [flight.sysid for flight in plan.flights[:3]]
    for flight in report.flights:
        assert flight.flown.nearest_border_m > plan.border.stand_off_m
    for gap in report.looks_s(0, plan.sorties[0].name):
        assert gap == pytest.approx(plan.revisit_s, abs=LATE_S)


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
    # It takes off at once, and then as often as one aircraft can.
    assert {flight.plan for flight in other.flights} == {1}
    assert other.flights[0].took_off_s < again.t_s + 3 * LATE_S
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
    assert "the link is silent" in report.vehicles[0].changes[1].why
    assert report.vehicles[0].failure is None
    assert len(report.vehicles[0].flights) >= 1


async def test_a_simulated_shift_begins_when_its_vehicles_are_heard(made):
    with sim.start_fleet(vehicles(made)) as fleet:
        end = fleet.endpoints[0]
        absent = asyncio.Event()
        async with relayed(end.host, end.port, lambda _: not absent.is_set()) as url:
            starting = asyncio.get_running_loop().call_later(9.0, absent.set)
            report = await autopilot.fly_patrol(made, [url, links(fleet)[1]], time_scale=SPEEDUP, hours=0.01)
            starting.cancel()
    assert report.completed, report.words()
    # Nine seconds of the wall are nine minutes of the shift; a busy machine needs some for a check.
    (flight,) = report.flights
    assert 0 <= flight.took_off_s < 480.0


RUN = """
import asyncio, sys
from pathlib import Path
import autopilot, missions
plan, journal, report, hours, speedup, *urls = sys.argv[1:]
made = missions.load_plan(Path(plan))
sys.stdin.readline()
flown = asyncio.run(autopilot.fly_patrol(
    made, urls, hours=float(hours), time_scale=float(speedup), journal=Path(journal)
))
flown.write(Path(report))
"""


class Station:
    """A ground station in a process of its own, loaded beforehand: a simulated minute is a second of loading."""

    def __init__(self, urls, folder, report):
        self.report = folder / report
        arguments = [folder / "plan.json", folder / "journal.jsonl", self.report, 0.6, SPEEDUP, *urls]
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, *map(str, arguments)],
            cwd=Path(vedette.__file__).parent,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    async def end(self):
        """What it reported, and its last words."""
        _, err = await asyncio.to_thread(self.process.communicate, timeout=120)
        assert self.process.returncode == 0, err
        return json.loads(self.report.read_text())

    def kill(self):
        self.process.kill()
        self.process.communicate(timeout=10)


async def test_a_station_that_is_killed_in_flight_goes_on_when_it_is_started_again(made, tmp_path):
    missions.save_plan(made, tmp_path / "plan.json")
    with sim.start_fleet(vehicles(made, record_dir=tmp_path / "flown")) as fleet:
        first, second = (Station(links(fleet), tmp_path, name) for name in ("first.json", "second.json"))
        first.go()
        async with await autopilot.open_link(links(fleet)[1], system_id=250, time_scale=SPEEDUP) as link:
            timing = autopilot.Timing(time_scale=SPEEDUP)
            async with await autopilot.Vehicle.connect(link, 2, timing=timing, wait_s=20.0) as seen:
                # Both are in the air then.
                up = await seen.wait_until(lambda t: t.armed and (t.above_home_m or 0.0) > 30.0, 0.0, wall_s=120.0)
                assert up is not None
                first.kill()
        with (tmp_path / "journal.jsonl").open("a") as journal:
            journal.write('{"kind": "state", "t_s": 61')  # torn by the kill
        second.go()
        report = await second.end()
    assert report["completed"], report["words"]
    flights = [flight for vehicle in report["vehicles"] for flight in vehicle["flights"]]
    # Those in the air were watched on: nothing uploaded to them, and no more take-offs than the plan has.
    watched = [flight for flight in flights if not flight["flown"]["uploads"]]
    assert sorted(flight["sysid"] for flight in watched) == [1, 2]
    planned = [flight for flight in made.flights if flight.start_s <= 0.6 * 3600]
    assert len(list((tmp_path / "flown").glob("vehicle-*-sortie-*.csv"))) == len(planned) == len(flights)
    for flight in flights:
        assert abs(flight["took_off_s"] - flight["planned_s"]) < LATE_S


async def test_after_a_restart_one_with_another_mission_is_sent_home(made, tmp_path):
    alone = missions.replan(made, [1])
    missions.save_plan(alone, tmp_path / "plan.json")
    with sim.start_fleet(vehicles(made, vehicles=1)) as fleet:
        first, second = (Station(links(fleet), tmp_path, name) for name in ("first.json", "second.json"))
        first.go()
        async with await autopilot.open_link(links(fleet)[0], system_id=250, time_scale=SPEEDUP) as link:
            timing = autopilot.Timing(time_scale=SPEEDUP)
            async with await autopilot.Vehicle.connect(link, 1, timing=timing, wait_s=20.0) as seen:
                assert await seen.wait_until(lambda t: t.armed and (t.above_home_m or 0.0) > 60.0, 0.0, wall_s=60.0)
                first.kill()
                items = missions.compile_mission(alone, alone.sorties[0]).items
                higher = [replace(item, z=item.z + 5) if item.command == 16 else item for item in items[1:]]
                await autopilot.upload(link, 1, [items[0], *higher])
                second.go()
                assert await seen.wait_until(lambda t: t.mode == "RTL", 0.0, wall_s=30.0)
                assert await seen.wait_until(lambda t: t.armed is False, 0.0, wall_s=60.0)
        report = await second.end()
    (vehicle,) = report["vehicles"]
    assert "mission: reads back differently" in vehicle["failure"]
    assert vehicle["changes"][-1]["state"] == "fault"
    assert not report["completed"]


async def test_one_whose_battery_just_takes_it_home_is_called_home_before_its_own_failsafe(made):
    config = vehicles(made)
    # It draws far more than it was planned for: the plan lands with 85 %.
    hungry = replace(config.power, hover_w=7 * config.power.hover_w, cruise_w=7 * config.power.cruise_w)
    # It draws more on its way home as well, and its own failsafe waits for 15 %.
    early = autopilot.PatrolRules(reserve_share=1.5)
    with sim.start_fleet(replace(config, power=hungry)) as fleet:
        report = await autopilot.fly_patrol(made, links(fleet), time_scale=SPEEDUP, hours=0.1, rules=early)
    (flight,) = report.flights
    assert "just takes it home" in flight.early
    assert not flight.flown.completed
    # What keeps it on the ground once it has landed is no failsafe.
    said = [e.text for e in flight.flown.events if e.kind == "text" and not e.text.startswith("PreArm")]
    assert not any("attery" in text for text in said), said
    assert flight.flown.landing.from_home_m < 5
    assert flight.flown.battery_percent > 8
    assert report.vehicles[0].failure is None
    assert states(report, 1)[-3:] == ["swapping", "waiting", "done"]


@asynccontextmanager
async def with_a_cut(made, told, speedup, silent_s, turnaround_s=30.0, **params):
    """Links to a fleet; that of the first is cut on its patrol, and for some seconds more after that is noticed."""
    config = vehicles(made)
    config = replace(config, speedup=speedup, turnaround_s=turnaround_s, params={**config.params, **params})
    cut = asyncio.Event()

    async def lose():
        await told.wait(1, "on task", False)
        cut.set()
        await told.wait(1, "on task", True)
        await asyncio.sleep(silent_s / speedup)
        cut.clear()

    with sim.start_fleet(config) as fleet:
        end = fleet.endpoints[0]
        async with relayed(end.host, end.port, lambda _: cut.is_set()) as url:
            losing = asyncio.create_task(lose())
            yield [url, links(fleet)[1]], autopilot.Timing(time_scale=speedup, floor_s=0.5)
            await losing


async def test_one_that_is_not_heard_is_watched_by_the_clock_and_goes_on_when_it_is(made):
    told = Told()
    async with with_a_cut(made, told, SPEEDUP, 40.0) as (urls, timing):
        report = await autopilot.fly_patrol(made, urls, time_scale=SPEEDUP, hours=0.3, told=told, timing=timing)
    assert report.completed, report.words()
    on_task = [change for change in report.vehicles[0].changes if change.state == "on task"]
    assert [change.silent for change in on_task][:3] == [False, True, False]
    assert "goes on with its mission (FS_GCS_ENABLE 0)" in on_task[1].why
    # The relief came when it was due, and it flies again when it is.
    for flight, planned in zip(report.flights, made.flights, strict=False):
        assert flight.sysid == planned.sysid
        assert flight.took_off_s == pytest.approx(planned.start_s, abs=LATE_S)
    assert len(report.vehicles[0].flights) == 2


@pytest.mark.parametrize("silent_wall_s", [6.0, 15.0], ids=["heard on its way", "heard when it is down"])
async def test_one_that_comes_home_since_it_heard_nobody_is_no_fault(made, silent_wall_s):
    told, speedup = Told(), 20.0
    # The simulated failsafe waits for five seconds of the wall at any speed.
    async with with_a_cut(made, told, speedup, silent_wall_s * speedup, FS_GCS_ENABLE=1.0) as (urls, timing):
        report = await autopilot.fly_patrol(made, urls, time_scale=speedup, hours=0.05, told=told, timing=timing)
    (flight,) = report.vehicles[0].flights
    assert flight.early, report.words()
    assert "after the link was lost" in flight.early
    assert not flight.flown.completed
    assert report.vehicles[0].failure is None
    assert report.replans == ()
    assert states(report, 1)[-4:] == ["returning", "swapping", "waiting", "done"]


async def test_one_that_came_down_on_its_patrol_while_it_heard_nobody_is_a_fault(made):
    told, speedup = Told(), 20.0
    # It is set to land where it is, and no crew takes it home while nobody looks.
    async with with_a_cut(made, told, speedup, 15.0 * speedup, 3600.0, FS_GCS_ENABLE=5.0) as (urls, timing):
        report = await autopilot.fly_patrol(made, urls, time_scale=speedup, hours=0.05, told=told, timing=timing)
    assert re.search(r"it stands \d{2,4} m from where it took off", report.vehicles[0].failure), report.words()
    assert states(report, 1)[-1] == "fault"


async def test_a_patrol_that_is_told_to_stop_comes_home_and_goes_on_by_its_journal(made, tmp_path):
    missions.save_plan(made, tmp_path / "plan.json")
    with sim.start_fleet(vehicles(made, record_dir=tmp_path / "flown")) as fleet:
        arguments = ["patrol", tmp_path / "plan.json", "--speedup", SPEEDUP, "--hours", 0.05]
        arguments += [part for url in links(fleet) for part in ("--link", url)]
        arguments += ["--journal", tmp_path / "journal.jsonl", "--json", tmp_path / "patrol.json"]
        command = [sys.executable, vedette.__file__, *map(str, arguments)]

        def start():
            return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

        with start() as process:
            for line in process.stdout:
                if "vehicle 1: on task" in line:
                    process.send_signal(signal.SIGTERM)
                    break
            _, err = await asyncio.to_thread(process.communicate, timeout=60)
        assert process.returncode == 1
        assert "with a journal the same command goes on" in " ".join(err.split())
        stopped = json.loads((tmp_path / "patrol.json").read_text())
        (flight,) = stopped["vehicles"][0]["flights"]
        assert flight["early"] == "the ground station was told to stop"
        assert flight["flown"]["landing"]["from_home_m"] < 5
        assert stopped["vehicles"][0]["failure"] is None
        with start() as again:
            _, err = await asyncio.to_thread(again.communicate, timeout=60)
        assert again.returncode == 0, err
        assert "goes on with the shift" in err


def test_pasted_example_of_sim_and_patrol(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("border", "USA", "MEX", "--length", "3").code == 0
    assert run("plan", "border.geojson", "--base", "31.345,-110.93", "--ground", "1180").code == 0
    shown = " ".join(run("patrol", "--help").out.split())
    pasted = re.search(r"Example: (vedette sim .*) & (vedette patrol .*?) \(", shown)
    assert pasted is not None
    simulate, patrol = (shlex.split(text)[1:] for text in pasted.groups())
    with Program([sys.executable, vedette.__file__, *simulate]) as fleet:
        try:
            ran = run(*patrol, "--wait", 60)  # a busy machine takes longer to start the other
        finally:
            fleet.terminate()
    assert ran.code == 0, ran.err
    assert json.loads(Path("patrol.json").read_text())["completed"]


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
