"""A mission above terrain over a hill: all that the vehicle knows of the ground it was told by `vedette fly`."""

import asyncio
import json
from math import cos, radians

import numpy as np
import pytest

import autopilot
import missions
import sim
from geo import TileTerrain, open_terrain
from missions import Mission, MissionItem

HOME = (31.34, -110.94, 1180.0)
METRE_N, METRE_E = 1.0 / 110_900.0, 1.0 / (111_320.0 * cos(radians(HOME[0])))
SPEEDUP = 60.0
SRTM = 1200
ABOVE_HOME, ABOVE_TERRAIN = 6, 10
UP_M, HILL_M, FAR_M = 60.0, 300.0, 2600.0


def tile(folder, height, name="N31W111.hgt"):
    """An SRTM tile: metres AMSL by metres east and north of home."""
    folder.mkdir(exist_ok=True)
    south, west = int(name[1:3]), -int(name[4:7])
    lat = np.linspace(south + 1.0, south, SRTM + 1)[:, None]
    lon = np.linspace(west, west + 1.0, SRTM + 1)[None, :]
    heights = np.broadcast_to(height((lon - HOME[1]) / METRE_E, (lat - HOME[0]) / METRE_N), (SRTM + 1, SRTM + 1))
    np.round(heights).astype(">i2").tofile(folder / name)
    return folder


def hill(east, north):
    return 1180.0 + HILL_M * np.exp(-(east**2 + (north - 1300.0) ** 2) / (2.0 * 400.0**2))


@pytest.fixture(scope="module")
def land(tmp_path_factory):
    return tile(tmp_path_factory.mktemp("land"), hill)


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    lat, lon = (round(value * 1e7) for value in HOME[:2])
    there = round((HOME[0] + FAR_M * METRE_N) * 1e7)
    items = (
        MissionItem(0, 0, 16, x=lat, y=lon, z=HOME[2]),
        MissionItem(1, ABOVE_HOME, 22, x=lat, y=lon, z=UP_M),
        MissionItem(2, ABOVE_TERRAIN, 16, x=there, y=lon, z=UP_M),
        MissionItem(3, ABOVE_TERRAIN, 16, x=lat, y=lon, z=UP_M),
        MissionItem(4, 2, 20),
    )
    path = tmp_path_factory.mktemp("plan") / "hill.plan"
    missions.write_qgc_plan(Mission("hill", "ardupilot", items, (), ()), path)
    return path


def fleet(land, folder, vehicles=1):
    return sim.start_fleet(
        sim.FleetConfig(
            home=HOME, vehicles=vehicles, speedup=SPEEDUP, boot=sim.Boot(0, 0, 0), terrain=land, record_dir=folder,
            params={"FENCE_ENABLE": 0.0},
        )
    )  # fmt: skip


def fly(run, running, plan, folder, *more):
    report = folder / "flight.json"
    ran = run("fly", plan, "--link", running.endpoints[0].url, "--time-scale", SPEEDUP, "--json", report, *more)
    return ran, json.loads(report.read_text())


def test_a_hill_is_flown_over_at_the_height_above_it(run, land, plan, tmp_path):
    with fleet(land, tmp_path) as running:
        ran, report = fly(run, running, plan, tmp_path, "--terrain", land)
    assert ran.code == 0, ran.err
    (sortie,) = report["vehicles"][0]["sorties"]
    assert sortie["completed"]
    rows = np.genfromtxt(tmp_path / "vehicle-1-sortie-1.csv", delimiter=",", names=True, usecols=(1, 2, 3, 9))
    above = rows["amsl_m"] - TileTerrain(land).elevation_m(rows["lat_deg"], rows["lon_deg"])
    north = (rows["lat_deg"] - HOME[0]) / METRE_N
    on_the_way = (rows["item"] == 2) & (north > 300.0) & (north < FAR_M - 50.0)
    assert on_the_way.sum() > 50
    assert np.abs(above[on_the_way] - UP_M).max() < 12.0
    # Level flight at that height above home would have ended in the hill.
    assert rows["amsl_m"].max() > HOME[2] + HILL_M


def test_several_are_told_at_once(land, plan, tmp_path):
    """Each asks for itself, over a link of its own; heights above the ground are told from then on."""
    mission = missions.read_qgc_plan(plan)
    seen = {}

    def progress(now):
        seen.setdefault(now.sysid, []).append((now.stage, now.done, now.total))

    with fleet(land, tmp_path, vehicles=2) as running:
        tasks = [autopilot.FlightTask(end.sysid, end.url, (mission,)) for end in running.endpoints]
        terrain = open_terrain(land)
        report = asyncio.run(autopilot.fly(tasks, time_scale=SPEEDUP, terrain=terrain, progress=progress))
    assert report.completed, [vehicle.failure for vehicle in report.vehicles]
    assert not any("asks for heights" in note for note in report.notes)
    for stages in seen.values():
        known = [(done, total) for stage, done, total in stages if stage == "terrain"]
        assert known[0][0] == 0
        assert known[-1][0] == known[-1][1] > 0
        assert [done for done, _ in known] == sorted(done for done, _ in known)


def test_without_heights_nothing_is_armed(run, land, plan, tmp_path):
    with fleet(land, tmp_path) as running:
        ran, report = fly(run, running, plan, tmp_path)
    assert ran.code == 1
    told = report["vehicles"][0]["failure"]
    assert "it lacks the ground at" in told
    assert "the first on the way to item 2 at 31.34" in told
    assert report["vehicles"][0]["sorties"][0]["started_us"] is None


def test_heights_of_another_country_are_not_made_up(run, land, plan, tmp_path):
    elsewhere = tile(tmp_path / "elsewhere", hill, "N32W111.hgt")
    with fleet(land, tmp_path) as running:
        ran, report = fly(run, running, plan, tmp_path, "--terrain", elsewhere)
    assert ran.code == 1
    (said,) = [note for note in report["notes"] if "asks for heights" in note]
    assert "N31W111" in said
    assert "it lacks the ground at" in report["vehicles"][0]["failure"]
    assert report["vehicles"][0]["sorties"][0]["started_us"] is None
