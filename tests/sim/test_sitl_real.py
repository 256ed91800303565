"""--sitl: a real autopilot's simulator is found, started and stopped. A stand-in is in its place: see its module."""

import json
import math
import os
import sys
import threading
from pathlib import Path

import pytest

import sim
import sim.sitl_real
from tests.sim.test_pytest_plugin import ROOT, none_left, passed, project  # noqa: F401 (a fixture)

STAND_IN = Path(__file__).with_name("stand_in_sitl.py")
ONE = """
def test_one(sitl_vehicle):
    assert beat(sitl_vehicle).get_srcSystem() == sitl_vehicle.sysid
"""


def stand_in(folder, name):
    """An executable of a name."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} {STAND_IN} {name} "$@"\n')
    path.chmod(0o755)
    return path


def told(folder):
    """What each stand-in was told."""
    return [json.loads(path.read_text()) for path in sorted(folder.rglob("told.json"))]


def test_ardupilot_by_its_executable(project, tmp_path):  # noqa: F811
    binary = stand_in(tmp_path / "bin", "ardupilot")
    ran = project(
        """
@pytest.mark.sitl(vehicles=2, speedup=20.0, home=(46.5, 8.25, 500.0), params={"RTL_ALT": 2500}, frame="octo")
def test_two(sitl_fleet):
    assert [beat(vehicle).get_srcSystem() for vehicle in sitl_fleet] == [1, 2]
    assert all(vehicle.url.startswith("tcp:127.0.0.1:") for vehicle in sitl_fleet)
""",
        "--sitl=ardupilot",
        "--basetemp",
        str(tmp_path / "base"),
        environment={"VEDETTE_ARDUPILOT_SITL": str(binary)},
    )
    passed(ran, 1)
    first, second = told(tmp_path / "base")
    assert (first["model"], first["speedup"], first["sysid"], second["sysid"]) == ("octa", "20", "1", "2")
    assert first["home"] == "46.50000000,8.25000000,500.000,0"
    # As in our own fleet: beside each other, 5 m to the east.
    lat, lon, *_ = map(float, second["home"].split(","))
    assert abs(lat - 46.5) < 1e-7
    assert abs((lon - 8.25) * 111_320.0 * math.cos(math.radians(46.5)) - 5.0) < 0.05
    assert first["instance"] != second["instance"]
    # Without a frame and a calibration it is never armed (seen on 4.7-dev).
    assert {"RTL_ALT 2500", "FRAME_CLASS 3", "INS_ACCOFFS_X 0.001"} <= set(first["params"].splitlines())
    assert none_left(tmp_path)


def test_px4_by_its_executable_with_the_scripts_of_its_build_folder(project, tmp_path):  # noqa: F811
    binary = stand_in(tmp_path / "build" / "bin", "px4")
    (tmp_path / "build" / "etc").mkdir()
    ran = project(
        """
@pytest.mark.sitl(speedup=20.0, home=(46.5, 8.25, 500.0), params={"MIS_TAKEOFF_ALT": 12.5})
def test_one(sitl_vehicle):
    assert beat(sitl_vehicle).get_srcSystem() == sitl_vehicle.sysid
    assert sitl_vehicle.url == f"udpin:127.0.0.1:{14539 + sitl_vehicle.sysid}"
""",
        "--sitl=px4",
        "--basetemp",
        str(tmp_path / "base"),
        environment={"VEDETTE_PX4_SITL": str(binary)},
    )
    passed(ran, 1)
    (one,) = told(tmp_path / "base")
    assert one["scripts"] == str(tmp_path / "build" / "etc")
    assert (one["PX4_SIM_MODEL"], one["PX4_PARAM_MIS_TAKEOFF_ALT"]) == ("sihsim_quadx", "12.5")
    assert none_left(tmp_path)


def test_a_mission_is_flown_on_what_the_executable_flies(project, tmp_path):  # noqa: F811
    """The whole path: found, started, reached by its URL, sent a mission, flown and down again."""
    binary = stand_in(tmp_path / "bin", "ardupilot")
    ran = project(
        """
import asyncio
from autopilot import FlightTask, fly
from tests.autopilot.scripted import HOME, line_mission

@pytest.mark.sitl(speedup=40.0, home=HOME)
def test_flies(sitl_vehicle):
    task = FlightTask(sitl_vehicle.sysid, sitl_vehicle.url, (line_mission(1),))
    report = asyncio.run(fly([task], time_scale=sitl_vehicle.speedup))
    assert report.completed, report.vehicles[0].failure
    (sortie,) = report.vehicles[0].sorties
    assert sortie.landing.from_home_m < 5.0
""",
        "--sitl=ardupilot",
        environment={"VEDETTE_ARDUPILOT_SITL": str(binary)},
    )
    passed(ran, 1)
    assert none_left(tmp_path)


def test_px4_by_docker(project, tmp_path):  # noqa: F811
    docker = stand_in(tmp_path / "bin", "docker")
    log = tmp_path / "docker.log"
    path = os.pathsep.join([str(docker.parent), os.environ["PATH"]])
    ran = project(ONE, "--sitl=px4", environment={"PATH": path, "STAND_IN_DOCKER": str(log)})
    passed(ran, 1)
    calls = [json.loads(line) for line in log.read_text().splitlines()]
    assert [call[0] for call in calls] == ["version", "run", "rm"]
    run, remove = calls[1:]
    # What was started is what is removed, whatever became of it.
    assert run[run.index("--name") + 1] == remove[-1]
    assert {"--rm", "--network", "host"} <= set(run)
    assert none_left(tmp_path)


@pytest.mark.parametrize(
    ("kind", "environment", "words"),
    [
        pytest.param("ardupilot", {}, "set VEDETTE_ARDUPILOT_SITL to its executable, or start a Docker", id="none"),
        pytest.param("px4", {}, "set VEDETTE_PX4_SITL to its executable, or start a Docker engine", id="no px4"),
        pytest.param("px4", {"VEDETTE_PX4_SITL": "/nowhere/px4"}, "which is no executable", id="named, not there"),
    ],
)
def test_what_is_asked_for_and_not_there_is_an_error_and_no_skip(project, tmp_path, kind, environment, words):  # noqa: F811
    docker = stand_in(tmp_path / "bin", "docker")
    path = os.pathsep.join([str(docker.parent), os.environ["PATH"]])
    trouble = {"PATH": path, "STAND_IN": "no engine", "STAND_IN_DOCKER": str(tmp_path / "log")}
    ran = project(ONE, f"--sitl={kind}", environment=trouble | environment)
    assert ran.returncode == 1
    assert words in ran.stdout
    assert "1 error" in ran.stdout
    assert "exception" not in ran.stdout
    assert "skipped" not in ran.stdout


def test_ardupilot_has_no_image_of_its_makers(monkeypatch, tmp_path):
    docker = stand_in(tmp_path / "bin", "docker")
    monkeypatch.setenv("PATH", f"{docker.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("STAND_IN_DOCKER", str(tmp_path / "log"))
    monkeypatch.delenv("VEDETTE_ARDUPILOT_SITL", raising=False)
    config = sim.FleetConfig(home=(46.0, 8.0, 0.0))
    with (
        pytest.raises(sim.FleetError, match="VEDETTE_ARDUPILOT_IMAGE"),
        sim.start_sitl(config, real="ardupilot", folder=tmp_path),
    ):
        pass


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"frame": "hexa"}, "no model for frame 'hexa'"),
        ({"faults": sim.Faults(loss=0.1)}, "faults happen to simulated vehicles alone"),
        ({"wind": sim.Wind(5.0)}, "this wind is not simulated"),
        ({"autopilot": "ardupilot"}, "the fleet is to be of ardupilot: run it with --sitl ardupilot"),
    ],
)
def test_what_it_cannot_do_is_said_before_it_starts(monkeypatch, tmp_path, changes, words):
    monkeypatch.setenv("VEDETTE_PX4_SITL", str(stand_in(tmp_path / "bin", "px4")))
    config = sim.FleetConfig(**({"home": (46.0, 8.0, 0.0), "autopilot": "px4"} | changes))
    with pytest.raises(sim.FleetError, match=words), sim.start_sitl(config, real="px4", folder=tmp_path / "run"):
        pass
    assert not (tmp_path / "run").exists()


def started(monkeypatch, tmp_path, trouble, start_s=20.0):
    monkeypatch.setenv("VEDETTE_ARDUPILOT_SITL", str(stand_in(tmp_path / "bin", "ardupilot")))
    monkeypatch.setenv("STAND_IN", trouble)
    monkeypatch.setattr(sim.sitl_real, "_START_S", start_s)
    return sim.start_sitl(sim.FleetConfig(home=(46.0, 8.0, 0.0)), real="ardupilot", folder=tmp_path / "run")


def test_one_that_ends_at_once_says_why(monkeypatch, tmp_path):
    with (
        pytest.raises(sim.FleetError, match="ended with code 7: could not read its parameters") as error,
        started(monkeypatch, tmp_path, "crash"),
    ):
        pass
    assert str(tmp_path / "run" / "ardupilot-1" / "output.txt") in str(error.value)


def test_one_that_opens_no_port_is_ended(monkeypatch, tmp_path):
    with (
        pytest.raises(sim.FleetError, match="opened no port in 2 s: it said nothing"),
        started(monkeypatch, tmp_path, "mute", 2.0),
    ):
        pass
    assert none_left(tmp_path)


def test_one_that_does_not_hear_is_killed(monkeypatch, tmp_path):
    with started(monkeypatch, tmp_path, "deaf") as fleet:
        assert len(fleet) == 1
    assert none_left(tmp_path)


def test_numbers_are_not_shared(monkeypatch, tmp_path):
    """Fleets that start at the same moment, in one process or in several, have instances of their own."""
    monkeypatch.setenv("VEDETTE_ARDUPILOT_SITL", str(stand_in(tmp_path / "bin", "ardupilot")))
    urls, hold = [], threading.Barrier(3, timeout=60.0)

    def start(number):
        config = sim.FleetConfig(home=(46.0, 8.0, 0.0))
        with sim.start_sitl(config, real="ardupilot", folder=tmp_path / str(number)) as fleet:
            urls.append(fleet[0].url)
            hold.wait()

    threads = [threading.Thread(target=start, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90.0)
    assert len(set(urls)) == 3


@pytest.mark.parametrize("crash", ["os._exit(3)", "os.kill(os.getpid(), 9)"])
def test_a_test_that_crashes_leaves_no_autopilot(project, tmp_path, crash):  # noqa: F811
    binary = stand_in(tmp_path / "bin", "ardupilot")
    ran = project(
        f"""
import os
def test_crash(sitl_vehicle):
    beat(sitl_vehicle)
    open("began", "w").close()
    {crash}
""",
        "--sitl=ardupilot",
        environment={"VEDETTE_ARDUPILOT_SITL": str(binary)},
    )
    assert ran.returncode != 0
    assert (tmp_path / "work" / "began").exists(), ran.stdout + ran.stderr
    assert none_left(tmp_path)
