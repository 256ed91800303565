"""A patrol that breaks off in the simulator is resumed, and flown to its end."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import shapely
from pymavlink.dialects.v20 import ardupilotmega as mav

import autopilot
import missions
import sim
from cli.simulated import simulated_fleet
from geo import FlatTerrain, LocalFrame

SPEEDUP = 100.0


@pytest.fixture(scope="module")
def made():
    segment = missions.cut(missions.land_border("ITA", "CHE"), 2500)
    return missions.plan(segment, missions.default_fleet(missions.base_beside(segment), 1), FlatTerrain(900.0))


def _rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def _xy(made, lat, lon):
    frame = LocalFrame(*made.border.centre())
    return np.column_stack(frame.to_enu(np.asarray(lat, dtype=float), np.asarray(lon, dtype=float))[:2])


def _watched(made, rows):
    """The track while the camera looks at the border, at the pitch and square to the course, at the patrol's speed."""
    look = made.observation
    t = np.array([float(row["t_s"]) for row in rows])
    track = _xy(made, [row["lat_deg"] for row in rows], [row["lon_deg"] for row in rows])
    speed = np.hypot(*np.gradient(track, t, axis=0).T)
    pitch = np.array([float(row["gimbal_pitch_deg"]) for row in rows])
    good = (np.abs(pitch - look.gimbal_pitch_deg) < 0.5) & (np.abs(speed - look.speed_m_s) < 0.5)
    return [shapely.LineString(pair) for pair in np.stack([track[:-1], track[1:]], axis=1)[good[:-1] & good[1:]]]


def _unwatched_m(made, watched):
    """What of the planned patrol no such track comes within a few metres of, metres."""
    legs = [leg for sortie in made.sorties for leg in sortie.patrol]
    lines = [
        shapely.LineString(_xy(made, *np.transpose([(w.lat_deg, w.lon_deg) for w in (leg.start, leg.end)])))
        for leg in legs
    ]
    return shapely.union_all(lines).difference(shapely.union_all(watched).buffer(8.0)).length


def test_a_patrol_that_a_battery_cuts_short_is_flown_to_its_end(run, made, tmp_path):
    missions.write_plan_folder(made, tmp_path / "plan")
    used = 1 - made.sorties[0].reserve_left
    config = simulated_fleet(made, speedup=SPEEDUP, seed=1, record=tmp_path / "first")
    # The failsafe brings it home half-way.
    early = replace(config, power=replace(config.power, low_pct=100 * (1 - 0.55 * used)))
    report = tmp_path / "flight.json"
    with sim.start_fleet(early) as fleet:
        link = fleet.endpoints[0].url
        ran = run("fly", tmp_path / "plan" / "plan.json", "--link", link, "--time-scale", SPEEDUP, "--json", report)
    assert ran.code == 1
    assert "fly the rest as a new sortie" in ran.err
    ran = run("resume", tmp_path / "plan" / "plan.json", "--report", report, "--out", tmp_path / "rest")
    assert ran.code == 0, ran.err
    rest = missions.load_plan(tmp_path / "rest" / "plan.json")
    length = [sum(leg.distance_m for one in plan.sorties for leg in one.patrol) for plan in (made, rest)]
    assert 0.2 * length[0] < length[1] < 0.9 * length[0]
    with sim.start_fleet(replace(config, record_dir=tmp_path / "second")) as fleet:
        link = fleet.endpoints[0].url
        ran = run("fly", tmp_path / "rest" / "plan.json", "--link", link, "--time-scale", SPEEDUP, "--json", report)
    assert ran.code == 0, ran.err
    assert json.loads(report.read_text())["completed"]
    flown = [_watched(made, _rows(tmp_path / part / "vehicle-1-sortie-1.csv")) for part in ("first", "second")]
    missed = [_unwatched_m(made, watched) for watched in (flown[0], flown[0] + flown[1])]
    assert missed[0] > 0.2 * length[0]
    # At bends the aircraft slows down, and is not counted there.
    assert missed[1] < 40


async def test_an_aircraft_goes_on_in_the_air_with_a_new_mission(made, tmp_path):
    """Paused on patrol, given the rest in place of the old mission, and set to its first item."""
    speedup = 20.0  # at 100 an order that a busy machine holds up for half a second comes behind the patrol
    config = simulated_fleet(made, speedup=speedup, seed=1, record=tmp_path)
    sortie = made.sorties[0]
    timing = autopilot.Timing(time_scale=speedup)
    with sim.start_fleet(config) as fleet:
        link = await autopilot.open_link(fleet.endpoints[0].url, time_scale=speedup)
        async with link, await autopilot.Vehicle.connect(link, timing=timing) as vehicle:
            await vehicle.upload(missions.compile_mission(made, sortie))
            await vehicle.wait_ready()
            await vehicle.start_mission()
            middle = sortie.patrol[(len(sortie.patrol) - 1) // 2].end  # of two legs not the end of it all
            near = await vehicle.wait_until(
                lambda t: (
                    t.lat_deg is not None
                    and np.hypot(*np.ptp(_xy(made, [t.lat_deg, middle.lat_deg], [t.lon_deg, middle.lon_deg]), axis=0))
                    < 60
                ),
                1200,
            )
            assert near is not None
            await vehicle.pause()
            now = vehicle.telemetry
            progress = missions.Progress(
                sortie.name, at=(now.lat_deg, now.lon_deg), battery=now.battery_percent / 100, airborne=True
            )
            (rest,) = (plan := missions.resume(made, progress)).sorties
            await vehicle.upload(missions.compile_mission(plan, rest))
            await vehicle.command(mav.MAV_CMD_DO_SET_MISSION_CURRENT, 1, 1)
            await vehicle.resume()
            landed = await vehicle.wait_until(lambda t: not t.armed, 1800)
            assert landed is not None
            assert landed.battery_percent / 100 > rest.vehicle.aircraft.reserve_fraction
    watched = _watched(made, _rows(tmp_path / "vehicle-1-sortie-1.csv"))
    assert 0 < sum(leg.distance_m for leg in rest.patrol) < 0.8 * sum(leg.distance_m for leg in sortie.patrol)
    assert _unwatched_m(made, watched) < 40
