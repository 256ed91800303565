"""Cues to a patrol that flies: one that is near is sent and goes on after, else one takes off for it."""

import asyncio
import csv
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import autopilot
import missions
import sim
import vedette
from autopilot.area import Place
from autopilot.cue import Errand
from cli.orders import follow_orders
from cli.simulated import simulated_fleet
from geo import LocalFrame
from tests.programs import Program
from tests.system.test_patrol import SPEEDUP, Told, links, made, states, vehicles, winged

__all__ = ["made"]  # the fixture

STATION_S = 60.0


def spot(made, share):
    """On the border beside a part of the patrol."""
    lon, lat = np.array(made.border.coordinates).T
    k = share * (len(lon) - 1)
    return missions.Spot(
        float(np.interp(k, np.arange(len(lat)), lat)), float(np.interp(k, np.arange(len(lon)), lon)), 5.0
    )


def stayed_s(folder, pattern, place, within_m=8.0):
    """For how long the vehicle itself recorded that it was at a place, seconds."""
    longest = 0.0
    for path in folder.glob(pattern):
        with path.open() as file:
            rows = list(csv.DictReader(file))
        lat, lon, t = (np.array([float(row[name]) for row in rows]) for name in ("lat_deg", "lon_deg", "t_s"))
        east, north, _ = LocalFrame(*place).to_enu(lat, lon)
        near = t[np.hypot(east, north) < within_m]
        longest = max(longest, float(np.ptp(near)) if len(near) else 0.0)
    return longest


async def test_one_on_patrol_is_sent_to_a_cue_beside_it_and_goes_on_after(made, tmp_path):
    told, patrols = Told(), []
    with sim.start_fleet(vehicles(made, record_dir=tmp_path)) as fleet:

        async def report_it():
            await told.wait(1, "on task", False)
            cue = autopilot.Cue(spot(made, 0.5), 0, STATION_S, "steps on the path")
            return await patrols[0].cue(cue)

        reporting = asyncio.create_task(report_it())
        report = await autopilot.fly_patrol(
            made, links(fleet), time_scale=SPEEDUP, hours=0.1, told=told, begun=patrols.append
        )
        answer = await reporting
    assert answer.chosen is not None, answer.words()
    assert (answer.chosen.sysid, answer.chosen.flown) == (1, None)
    assert set(answer.others) == {2}
    (flight,) = report.flights
    assert flight.flown.completed, flight.flown.failure
    course = states(report, 1)
    at = course.index("on cue")
    assert course[at - 1 : at + 3] == ["on task", "on cue", "outbound", "on task"]
    place = answer.chosen.lat_deg, answer.chosen.lon_deg
    assert stayed_s(tmp_path, "vehicle-1-*.csv", place) >= STATION_S - 5
    assert flight.flown.nearest_border_m >= made.border.stand_off_m - 3
    assert any("vehicle 1 flies there" in sentence for sentence in report.words())


async def test_one_takes_off_for_a_cue_when_nobody_in_the_air_can_go(made, tmp_path):
    told, patrols = Told(), []
    with sim.start_fleet(vehicles(made, record_dir=tmp_path)) as fleet:

        async def report_it():
            # It has a flight of its own later; it is heard, and ready for that.
            await told.wait(2, "ready", False)
            first = autopilot.Cue(spot(made, 0.5), 0, STATION_S, "a light")
            patrols[0].crews[1].conduct.send(errand_on(made))
            return await patrols[0].cue(first)

        reporting = asyncio.create_task(report_it())
        report = await autopilot.fly_patrol(
            made, links(fleet), time_scale=SPEEDUP, hours=0.13, told=told, begun=patrols.append
        )
        answer = await reporting
    assert answer.chosen is not None, answer.words()
    assert answer.chosen.sysid == 2
    assert answer.chosen.flown is not None
    flights = report.vehicles[1].flights
    assert [flight.number for flight in flights] == [-1, 1]
    assert all(flight.flown.completed for flight in flights), [flight.flown.failure for flight in flights]
    assert states(report, 2)[:8] == [
        "checking", "ready", "waiting", "checking", "ready", "outbound", "on cue", "returning",
    ]  # fmt: skip
    place = answer.chosen.lat_deg, answer.chosen.lon_deg
    assert stayed_s(tmp_path, "vehicle-2-*.csv", place) >= STATION_S - 5
    assert flights[0].flown.battery_percent > 20


@pytest.mark.parametrize(("form", "name"), [("fixed_wing", "ardupilot"), ("vtol", "px4")])
async def test_wings_take_off_for_a_cue_and_circle_where_it_is_seen(form, name, tmp_path):
    plan, told, patrols = winged(form), Told(), []
    config = simulated_fleet(plan, speedup=SPEEDUP, seed=1, autopilot=name, record=tmp_path)
    with sim.start_fleet(replace(config, turnaround_s=30.0, boot=sim.Boot(0, 0, 0))) as fleet:

        async def report_it():
            await told.wait(1, "on task", False)
            busy = replace(patrols[0].crews[1].standing(), unfit="is busy")
            patrols[0].crews[1].standing = lambda: busy
            return await patrols[0].cue(autopilot.Cue(spot(plan, 0.2), 0, STATION_S, "steps on the path"))

        reporting = asyncio.create_task(report_it())
        report = await autopilot.fly_patrol(
            plan, links(fleet), dialect=name, time_scale=SPEEDUP, hours=0.03, told=told, begun=patrols.append
        )
        answer = await reporting
    assert answer.chosen is not None, answer.words()
    assert answer.chosen.sysid == 2
    flight = report.vehicles[1].flights[0]
    assert flight.number == -1
    assert flight.flown.completed, flight.flown.failure
    assert flight.flown.nearest_border_m >= plan.border.stand_off_m
    assert "on cue" in states(report, 2)
    legs = [leg for leg in answer.chosen.flown.sortie.legs if leg.kind is missions.LegKind.STATION]
    centre = tuple(np.mean([(leg.end.lat_deg, leg.end.lon_deg) for leg in legs[:12]], axis=0))
    # Within what wings fly off their way: half a radius.
    radius_m = 1.5 * 1.25 * 60.0
    assert stayed_s(tmp_path, "vehicle-2-*.csv", centre, radius_m) >= STATION_S - 5


def beginning(plan):
    """The first vehicle where its patrol begins, flying along it."""
    sortie = plan.sorties[0]
    leg = sortie.patrol[0]
    along = np.array(LocalFrame(leg.start.lat_deg, leg.start.lon_deg).to_enu(leg.end.lat_deg, leg.end.lon_deg)[:2])
    return autopilot.Standing(
        sortie.vehicle,
        airborne=True,
        here=(leg.start.lat_deg, leg.start.lon_deg),
        above_base_m=leg.start.amsl_m - sortie.home.amsl_m,
        battery=0.9,
        fence=missions.compile_mission(plan, sortie).fence,
        sortie=sortie,
        velocity_m_s=tuple(20.0 * along / np.hypot(*along)),
    )


@pytest.mark.parametrize(("form", "name"), [("fixed_wing", "ardupilot"), ("vtol", "px4")])
async def test_wings_in_the_air_circle_where_a_cue_is_seen_and_go_on_or_come_home_after(form, name, tmp_path):
    plan, told, patrols = winged(form), Told(), []
    cue = autopilot.Cue(spot(plan, 0.3), 0, STATION_S, "steps on the path")
    answer = autopilot.dispatch(cue, plan, [beginning(plan)])
    assert answer.chosen is not None, answer.words()
    config = simulated_fleet(plan, speedup=SPEEDUP, seed=1, autopilot=name, record=tmp_path)
    with sim.start_fleet(replace(config, turnaround_s=30.0, boot=sim.Boot(0, 0, 0))) as fleet:

        async def report_it():
            await told.wait(1, "on task", False)
            # At this speed it would have flown on for long before the answer is found.
            patrols[0]._desk._answer = lambda *_: answer
            await patrols[0].cue(cue)

        reporting = asyncio.create_task(report_it())
        report = await autopilot.fly_patrol(
            plan, links(fleet), dialect=name, time_scale=SPEEDUP, hours=0.03, told=told, begun=patrols.append
        )
        await reporting
    (flight,) = report.vehicles[0].flights
    assert flight.flown.nearest_border_m >= plan.border.stand_off_m
    # Whether a heading lets it join its line again is seen when it leaves the circle.
    course = states(report, 1)
    after = course[course.index("on cue") + 1 :]
    assert after[:2] == ["outbound", "on task"] if flight.flown.completed else after[0] == "returning"
    assert "fault" not in course
    assert flight.flown.landing.from_home_m < 30.0
    place = answer.chosen.lat_deg, answer.chosen.lon_deg
    assert stayed_s(tmp_path, "vehicle-1-*.csv", place, answer.chosen.circle_m + 25.0) >= STATION_S - 5


def shut_to(crew, plan):
    """A zone over the whole patrol that only the guard of this vehicle knows of: it is chosen, and may not go."""
    lon, lat = np.array(plan.border.coordinates).T
    west, south, east, north = lon.min() - 0.1, lat.min() - 0.1, lon.max() + 0.1, lat.max() + 0.1
    zone = missions.Zone("shut since", (((west, south), (east, south), (east, north), (west, north)),))
    crew.conduct._orders = autopilot.Orders(crew.vehicle, borders=plan.borders, zones=(zone,), ceiling_m=120.0)


async def test_the_next_best_goes_when_the_one_that_was_chosen_does_not_get_there(made, tmp_path):
    told, patrols = Told(), []
    pace = SPEEDUP / 3  # the second has a flight of its own after seven minutes, a machine that stops now and then too
    with sim.start_fleet(vehicles(made, record_dir=tmp_path, speedup=pace)) as fleet:

        async def report_it():
            await told.wait(2, "ready", False)
            await told.wait(1, "on task", False)
            crew = patrols[0].crews[1]
            shut_to(crew, made)
            # It is chosen from where its patrol begins, however far it has flown before the answer is found.
            crew.standing = lambda: replace(beginning(made), velocity_m_s=(0.0, 0.0))
            return await patrols[0].cue(autopilot.Cue(spot(made, 0.5), 0, STATION_S, "a light"))

        reporting = asyncio.create_task(report_it())
        report = await autopilot.fly_patrol(
            made, links(fleet), time_scale=pace, hours=0.13, told=told, begun=patrols.append
        )
        answer = await reporting
    assert answer.chosen is not None, answer.words()
    assert (answer.chosen.sysid, answer.chosen.flown) == (1, None)
    first, second = (sentence for sentence in report.words() if sentence.startswith("a light"))
    assert "vehicle 1 flies there" in first
    assert "vehicle 2 takes off for it" in second
    assert "shut since" in second.split("vehicle 1: ")[1]
    assert "on cue" not in states(report, 1)
    assert "on cue" in states(report, 2)


def errand_on(made):
    """Keeps the one in the air busy where it is, above whoever takes off for the cue beside it."""
    leg = made.sorties[0].patrol[0]
    place = Place(leg.end.lat_deg, leg.end.lon_deg, leg.end.amsl_m - 890.0)
    return Errand(place, spot(made, 0.5), 30.0, "busy")


def test_orders_come_by_a_file_that_is_followed(made, tmp_path):
    missions.save_plan(made, tmp_path / "plan.json")
    orders = tmp_path / "orders.jsonl"
    orders.write_text('{"lat": 0, "lon": 0, "words": "of yesterday"}\n')
    here, pace = spot(made, 0.5), SPEEDUP / 2  # its patrol lasts until the answer is found, on a busy machine too
    with sim.start_fleet(vehicles(made, speedup=pace)) as fleet:
        arguments = ["patrol", tmp_path / "plan.json", "--speedup", pace, "--hours", 0.05, "--orders", orders]
        arguments += [part for url in links(fleet) for part in ("--link", url)]
        arguments += ["--json", tmp_path / "patrol.json"]
        command = [sys.executable, vedette.__file__, *map(str, arguments)]
        with Program(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            told = []
            for line in process.stdout:
                told.append(line)
                if "vehicle 1: on task" in line and sum("vehicle 1: on task" in one for one in told) == 1:
                    with orders.open("a") as file:
                        file.write("nonsense\n")
                        file.write('{"may_fly": 1}\n')
                        file.write(json.dumps({"lat": here.lat_deg, "lon": here.lon_deg, "station_s": 20}) + "\n")
            err = process.stderr.read()
    assert process.returncode == 0, err
    text = "".join(told)
    assert "order 'nonsense' is not carried out" in text
    assert "there is nothing to clear" in text
    (words,) = json.loads((tmp_path / "patrol.json").read_text())["cues"]
    assert "cue at" in words
    assert "nobody goes" not in words
    assert "of yesterday" not in text


@pytest.mark.parametrize("order", ["{", "[]", '{"lat": 91, "lon": 0}', '{"lat": 46}', '{"may_fly": 9}'])
async def test_an_order_that_is_none_changes_nothing(order, tmp_path):
    class Nobody:
        def may_fly(self, sysid):
            raise autopilot.FlightError(f"the patrol has no vehicle {sysid}")

    told = asyncio.Queue()
    path = tmp_path / "orders"
    following = asyncio.create_task(follow_orders(path, Nobody(), told.put_nowait))
    await asyncio.sleep(0.1)
    path.write_text(order + "\n")
    async with asyncio.timeout(30):
        assert "is not carried out" in await told.get()
    following.cancel()
