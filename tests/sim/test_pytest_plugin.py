"""The pytest plugin as other people meet it: an empty project, one test file, pytest in a process of its own."""

import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# What others have installed beside it takes longer to load than most of these tests to run.
LEFT_OUT = ("cacheprovider", "asyncio", "anyio", "hypothesispytest", "schemathesis")
# A ground station of few lines, without a line of ours.
CLIENT = """
import socket
import time
import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

def beat(vehicle, timeout_s=20.0):
    '''The next heartbeat of a vehicle.'''
    kind, host, port = vehicle.url.split(":")
    stream = kind == "tcp"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM) as link:
        link.settimeout(1.0)
        packer = mav.MAVLink(None, srcSystem=255, srcComponent=190)
        link.bind((host, int(port))) if kind == "udpin" else link.connect((host, int(port)))
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            try:
                if kind != "udpin":
                    link.send(mav.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3).pack(packer))
                for message in packer.parse_buffer(link.recv(2048)) or ():
                    if message.get_type() == "HEARTBEAT":
                        return message
            except TimeoutError:
                continue
    raise AssertionError("no heartbeat")
"""


@pytest.fixture
def project(tmp_path):
    """An empty folder and an environment in which the package is installed, with its entry points and nothing else."""
    site = tmp_path / "site"
    info = site / "vedette-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vedette\nVersion: 0.1.0\n")
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()) for group, points in declared.items()]
    (info / "entry_points.txt").write_text("\n".join(lines))
    (tmp_path / "work").mkdir()

    def run(test, *options, environment=None, timeout_s=120.0):
        (tmp_path / "work" / "test_it.py").write_text(CLIENT + test)
        path = os.pathsep.join([str(site), str(ROOT)])
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "VEDETTE"))}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *(f"-pno:{name}" for name in LEFT_OUT), *options],
            cwd=tmp_path / "work",
            env=kept | {"PYTHONPATH": path} | (environment or {}),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    return run


def passed(ran, count):
    assert re.search(rf"\b{count} passed", ran.stdout), ran.stdout + ran.stderr
    assert ran.returncode == 0


def running(folder):
    """Processes that have a file of a folder on their command line or were told of it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in told and int(process.name) != os.getpid():
            found.append(told.split(b"\0")[:4])
    return found


def none_left(folder):
    end = time.monotonic() + 15.0
    while running(folder) and time.monotonic() < end:
        time.sleep(0.1)
    return running(folder) == []


def test_an_empty_project_uses_each_fixture(project):
    ran = project("""
def test_vehicle(sitl_vehicle):
    assert beat(sitl_vehicle).get_srcSystem() == sitl_vehicle.sysid == 1

@pytest.mark.sitl(vehicles=3, start_sysid=11, speedup=50.0, home=(46.0, 8.0, 500.0))
def test_fleet(sitl_fleet):
    assert [beat(vehicle).get_srcSystem() for vehicle in sitl_fleet] == [11, 12, 13]
    assert len({vehicle.url for vehicle in sitl_fleet}) == len(sitl_fleet) == 3
    assert sitl_fleet[2].home == (46.0, 8.0, 500.0) and sitl_fleet.speedup == 50.0

@pytest.mark.sitl(home=(46.0, 8.0, 500.0), actors={"person": 5}, seed=3)
def test_world(sitl_world, sitl_vehicle):
    assert (sitl_world.lat_deg, sitl_world.lon_deg, sitl_world.ground_amsl_m) == sitl_vehicle.home
    assert [actor.kind for actor in sitl_world.actors] == ["person"] * 5
    assert abs(sitl_world.seconds(time.time_ns() // 1000)) < 60

@pytest.mark.sitl(autopilot="px4", frame="plane")
def test_another_autopilot(sitl_vehicle):
    assert (beat(sitl_vehicle).autopilot, beat(sitl_vehicle).type) == (12, 1)

@pytest.mark.sitl(frame="hexa")
class TestClass:
    def test_inherits(self, sitl_vehicle):
        assert beat(sitl_vehicle).type == 13

    @pytest.mark.sitl(frame="octo")
    def test_nearest_counts(self, sitl_vehicle):
        assert beat(sitl_vehicle).type == 14
""")
    passed(ran, 6)


def test_faults_of_a_marker_happen(project, tmp_path):
    (tmp_path / "work" / "cut.yaml").write_text("faults:\n  - {kind: link_cut}\n")
    ran = project("""
@pytest.mark.sitl(faults="cut.yaml")
def test_of_a_file(sitl_vehicle):
    with pytest.raises(AssertionError, match="no heartbeat"):
        beat(sitl_vehicle, 2.0)

@pytest.mark.sitl(faults=[{"kind": "link_cut", "direction": "down", "vehicles": [2]}], vehicles=2)
def test_of_a_list(sitl_fleet):
    beat(sitl_fleet[0])
    with pytest.raises(AssertionError, match="no heartbeat"):
        beat(sitl_fleet[1], 2.0)
""")
    passed(ran, 2)


WRONG = {
    "vehicels=2": "sitl has no setting 'vehicels': it has .*vehicles.*, actors\\n",
    "vehicles=0": "vehicles is 0: give a figure between 1 and 250",
    "vehicles='two'": "a setting is of the wrong type",
    "frame='balloon'": "frame 'balloon' is unknown",
    "faults='absent.yaml'": "absent.yaml cannot be read",
    "faults=3": "faults is 3",
    "'quad'": "takes settings by name",
}


def test_settings_that_cannot_be_are_told_in_one_line(project):
    ran = project(
        "".join(
            f"""
@pytest.mark.sitl({marker})
def test_never_{number}(sitl_vehicle):
    raise AssertionError("was run")
"""
            for number, marker in enumerate(WRONG)
        )
    )
    assert ran.returncode == 1
    assert f"{len(WRONG)} errors" in ran.stdout
    _, *each_said = ran.stdout.split("ERROR at setup of test_never_")
    for told, said in zip(WRONG.values(), each_said, strict=True):
        assert re.search(told, said), said
    assert "was run" not in ran.stdout
    assert "Traceback" not in ran.stdout


def test_markers_are_known_and_listed(project):
    assert "@pytest.mark.sitl(" in project("def test_it(): pass", "--markers").stdout
    passed(project("@pytest.mark.sitl(vehicles=2)\ndef test_it(): pass", "--strict-markers"), 1)


def test_start_up_loads_nothing_heavy(project):
    ran = project("""
def test_what_is_loaded():
    import sys
    assert "vedette_pytest" in sys.modules
    assert {"sim", "geo", "missions", "numpy", "cv2", "yaml"}.isdisjoint(sys.modules)
""")
    passed(ran, 1)


def test_tests_at_once_do_not_meet(project):
    """Two workers, each holds its fleet until the other has one too, and gives it an order of its own."""
    ran = project(
        """
import pathlib

@pytest.mark.sitl(vehicles=2)
@pytest.mark.parametrize(("mine", "theirs", "mode"), [("a", "b", 2), ("b", "a", 9)])
def test_alone(sitl_fleet, mine, theirs, mode):
    urls = {vehicle.url for vehicle in sitl_fleet}
    pathlib.Path(mine + ".part").write_text(" ".join(urls))
    pathlib.Path(mine + ".part").rename(mine)
    end = time.monotonic() + 60.0
    while not pathlib.Path(theirs).exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert urls.isdisjoint(pathlib.Path(theirs).read_text().split())
    host, port = sitl_fleet[0].url.split(":")[1:]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        packer = mav.MAVLink(None, srcSystem=255, srcComponent=190)
        link.sendto(mav.MAVLink_set_mode_message(1, 1, mode).pack(packer), (host, int(port)))
    time.sleep(1.0)
    assert beat(sitl_fleet[0]).custom_mode == mode
    assert beat(sitl_fleet[1]).custom_mode == 0
""",
        "-n",
        "2",
    )
    passed(ran, 2)


@pytest.mark.parametrize(
    "crash",
    [
        pytest.param("pytest.exit('enough')", id="pytest.exit"),
        pytest.param("raise KeyboardInterrupt", id="Ctrl-C"),
        pytest.param("os._exit(3)", id="exit without a word"),
        pytest.param("os.kill(os.getpid(), 9)", id="killed"),
    ],
)
def test_a_test_that_crashes_leaves_no_process(project, tmp_path, crash):
    ran = project(
        f"""
import os
def test_crash(sitl_vehicle):
    beat(sitl_vehicle)
    open("began", "w").close()
    {crash}
"""
    )
    assert ran.returncode != 0
    assert (tmp_path / "work" / "began").exists(), ran.stdout + ran.stderr
    assert none_left(tmp_path)


def test_time_in_lockstep_is_the_tests_own(project):
    ran = project("""
def boot_ms(vehicle):
    kind, host, port = vehicle.url.split(":")
    packer = mav.MAVLink(None, srcSystem=255, srcComponent=190)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(30.0)
        link.connect((host, int(port)))
        link.send(mav.MAVLink_command_long_message(1, 1, 512, 0, 2, 0, 0, 0, 0, 0, 0).pack(packer))
        while True:
            for message in packer.parse_buffer(link.recv(2048)) or ():
                if message.get_type() == "SYSTEM_TIME":
                    return message.time_boot_ms

@pytest.mark.sitl(clock="lockstep")
def test_stands_until_told(sitl_vehicle):
    assert boot_ms(sitl_vehicle) == 0 and sitl_vehicle.speedup == 1.0
    assert sitl_vehicle.advance(3600.0) == 3600.0
    assert boot_ms(sitl_vehicle) == 3_600_000

def test_on_the_wall_clock(sitl_vehicle):
    with pytest.raises(Exception, match='mark the test with sitl.clock="lockstep".'):
        sitl_vehicle.advance(1.0)
""")
    passed(ran, 2)
