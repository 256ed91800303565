"""Programs of others fly the simulated vehicles: MAVProxy and MAVSDK, as they come."""

import csv
import json
import os
import queue
import re
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import missions
import sim
from cli.simulated import simulated_fleet
from geo import FlatTerrain, LocalFrame
from sim.dialects import dialect_for
from tests.sim.mav_client import Client

PEERS = Path(__file__).parents[2] / ".venv-peers" / "bin"
SPEEDUP = 40.0
NEAR_M = 3.0
FRAMES = {5: 0, 6: 3}  # what ends in _INT means the same


@pytest.fixture(scope="module", autouse=True)
def peers():
    """Skips, or with VEDETTE_REQUIRE_ALL=1 fails, where they are not installed."""
    if not (PEERS / "mavproxy.py").exists():
        message = "MAVProxy and MAVSDK are not installed: make peers"
        if os.environ.get("VEDETTE_REQUIRE_ALL") == "1":
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(scope="module")
def made():
    segment = missions.cut(missions.land_border("ITA", "CHE"), 1000)
    fleet = missions.default_fleet(missions.base_beside(segment), 1)
    return missions.plan(segment, fleet, FlatTerrain(900.0))


def flown(folder, number):
    """Latitude, longitude, height above the pad and mode of each row of a sortie, as the simulator has them."""
    with (folder / f"vehicle-1-sortie-{number}.csv").open() as file:
        rows = list(csv.DictReader(file))
    lat, lon, up = (np.array([float(row[name]) for row in rows]) for name in ("lat_deg", "lon_deg", "amsl_m"))
    return lat, lon, up - up[0], [row["mode"] for row in rows]


def reaches_every_waypoint(made, folder, autopilot):
    """The first sortie passed each waypoint of the plan, in space."""
    lat, lon, up, _ = flown(folder, 1)
    places = [
        item for item in missions.compile_mission(made, made.sorties[0], autopilot).items[1:] if item.command == 16
    ]
    assert places
    for item in places:
        east, north, _ = LocalFrame(item.x / 1e7, item.y / 1e7).to_enu(lat, lon)
        assert np.sqrt(east**2 + north**2 + (up - item.z) ** 2).min() < NEAR_M


class MavProxy:
    """MAVProxy at its command line."""

    def __init__(self, url, folder):
        command = [PEERS / "python", PEERS / "mavproxy.py", f"--master={url}", "--nowait", f"--state-basedir={folder}"]
        # Most of what it says it does not flush: to a pipe it would come when there are 8 KiB of it.
        self._process = subprocess.Popen(
            list(map(str, command)), cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self._lines = queue.Queue()
        self.said = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(line)

    def type(self, text):
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()

    def wait_for(self, pattern, seconds=30.0):
        """Until it prints a line that has the pattern."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                pytest.fail(f"MAVProxy did not say {pattern!r}: {''.join(self.said[-20:])}")
            self.said.append(line)
            if re.search(pattern, line):
                return

    def end(self):
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stdin.close()
        self._process.stdout.close()


def test_mavproxy_flies_a_mission(made, tmp_path):
    missions.write_plan_folder(made, tmp_path / "plan", "ardupilot")
    waypoints = tmp_path / "plan" / f"{made.sorties[0].name}.waypoints"
    config = simulated_fleet(made, speedup=SPEEDUP, seed=1, record=tmp_path)
    with sim.start_fleet(config) as fleet:
        end = fleet.endpoints[0]
        pilot = MavProxy(f"udpout:{end.host}:{end.port}", tmp_path)
        try:
            pilot.wait_for("online system 1")
            pilot.wait_for(r"Saved \d+ parameters")
            pilot.type(f"wp load {waypoints}")
            pilot.wait_for("MISSION_ACK: TYPE_MISSION: ACCEPTED")
            pilot.type("wp list")
            pilot.wait_for(r"Saved \d+ waypoints")
            pilot.type(f"wp save {tmp_path}/back.waypoints")
            pilot.wait_for("Saved .* waypoints")
            pilot.type("mode GUIDED")
            pilot.wait_for("Mode GUIDED")
            pilot.type("arm throttle")
            pilot.wait_for(r"\bARMED")
            pilot.type("mode AUTO")
            pilot.wait_for("Mode AUTO")
            pilot.type("long MISSION_START")
            pilot.wait_for("MISSION_START: ACCEPTED")
            # As it says where it finds no parameter of them.
            assert not any("checks disabled" in line.lower() for line in pilot.said)
            pilot.wait_for("DISARMED", 90.0)
        finally:
            pilot.end()
    mission = missions.compile_mission(made, made.sorties[0], "ardupilot")
    back = missions.read_waypoints(tmp_path / "back.waypoints")
    assert [item.command for item in back] == [item.command for item in mission.items]
    reaches_every_waypoint(made, tmp_path, "ardupilot")
    lat, lon, up, _ = flown(tmp_path, 1)
    assert abs(up[-1]) < 0.1
    assert (lat[-1], lon[-1]) == pytest.approx((lat[0], lon[0]), abs=1e-5)


TAKEN = "MISSION_ACK: TYPE_{}: ACCEPTED"
LAT, LON = 31.34, -110.94
DRAWN = [
    # What is typed, what of it is taken, and then how many items there are and the figures of the last one.
    ("fence addpoly inc 300 6", "FENCE", 6, (5001, LAT + 0.0013474, LON - 0.0027331, 6.0)),
    (f"click {LAT + 0.001} {LON}\nfence addcircle exc 50", "FENCE", 7, (5004, LAT + 0.001, LON, 50.0)),
    ("fence setcircleradius 6 80", "FENCE", 7, (5004, LAT + 0.001, LON, 80.0)),
    (f"click {LAT} {LON + 0.001}\nfence movecircle 6", "FENCE", 7, (5004, LAT, LON + 0.001, 80.0)),
    ("fence addreturnpoint", "FENCE", 8, (5000, LAT, LON + 0.001, 0.0)),
    ("fence removepolygon 0", "FENCE", 2, (5000, LAT, LON + 0.001, 0.0)),
    ("rally add 60", "RALLY", 1, (5100, LAT, LON + 0.001, 60.0)),
    (f"click {LAT + 0.002} {LON}\nrally add 70", "RALLY", 2, (5100, LAT + 0.002, LON, 70.0)),
    # It asks for one item more than there is to be written, and never sends that: the first is changed all the same.
    ("rally changealt 2 75", None, 2, (5100, LAT + 0.002, LON, 75.0)),
    ("rally remove 1", "RALLY", 1, (5100, LAT + 0.002, LON, 75.0)),
    ("fence clear", "FENCE", 0, None),
]


def test_mavproxy_draws_fences_and_rally_points(tmp_path):
    config = sim.FleetConfig(home=(LAT, LON, 1180.0), boot=sim.Boot(0, 0, 0), speedup=5.0)
    with sim.start_fleet(config) as fleet, Client(fleet.endpoints[0], sysid=254) as other:
        end = fleet.endpoints[0]
        pilot = MavProxy(f"udpout:{end.host}:{end.port}", tmp_path)
        try:
            pilot.wait_for(r"Saved \d+ parameters")
            pilot.type(f"fence list\nrally list\nclick {LAT} {LON}")
            pilot.wait_for("Requesting 0 rally items")
            for typed, taken, count, last in DRAWN:
                pilot.type(typed)
                pilot.wait_for("Rally upload timeout" if taken is None else TAKEN.format(taken))
                held = other.download(1 if typed.split("\n")[-1].startswith("fence") else 2)
                assert len(held) == count, typed
                if last is not None:
                    m = held[-1]
                    figure = m.z if m.command == 5100 else m.param1
                    assert (m.command, m.x / 1e7, m.y / 1e7, figure) == pytest.approx(last, abs=2e-6), typed
            # By file, and back.
            pilot.type(f"rally save {tmp_path}/rally.txt")
            pilot.wait_for("Saved 1 rally items to")
            pilot.type("rally clear")
            pilot.wait_for(TAKEN.format("RALLY"))
            assert other.download(2) == []
            pilot.type(f"rally ftpload {tmp_path}/rally.txt")
            pilot.wait_for("Sent rally item of length 1")
            end_s = time.monotonic() + 20.0  # it closes the file, and with that has it taken, a moment later
            while [m.z for m in other.download(2)] != [75.0]:
                assert time.monotonic() < end_s
            pilot.type("rally ftp")
            pilot.wait_for("5100 3 31.34")
        finally:
            pilot.end()


def mavsdk(made, folder, autopilot, *way):
    """What MAVSDK saw of a flight."""
    config = simulated_fleet(made, speedup=SPEEDUP, seed=1, record=folder, autopilot=autopilot)
    with sim.start_fleet(config) as fleet:
        command = [PEERS / "python", Path(__file__).with_name("pilot_mavsdk.py"), fleet.endpoints[0].port, *way]
        ran = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=240, check=False)
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout.splitlines()[-1])
    assert seen["params"] == len(dialect_for(autopilot, "copter").params)
    return seen


@pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])
def test_mavsdk_flies_by_hand(made, tmp_path, autopilot):
    seen = mavsdk(made, tmp_path, autopilot, "hand")
    assert seen["from_start_deg"] < 1e-5
    lat, _, up, _ = flown(tmp_path, 1)
    assert up.max() == pytest.approx(30.0, abs=1.0)
    assert lat.max() - lat[0] == pytest.approx(0.0005, abs=2e-5)


@pytest.mark.parametrize(("autopilot", "orbit"), [("ardupilot", "UNSUPPORTED"), ("px4", "went round")])
def test_mavsdk_steers_from_moment_to_moment(made, tmp_path, autopilot, orbit):
    seen = mavsdk(made, tmp_path, autopilot, "steered")
    assert (seen["files"], seen["logs"], seen["orbit"]) == (0, "NO_LOGFILES", orbit)
    modes = {"GUIDED"} if autopilot == "ardupilot" else {"OFFBOARD", "ORBIT"}
    assert modes <= set(flown(tmp_path, 1)[3])


def test_mavsdk_flies_a_mission_in_its_own_words(made, tmp_path):
    """Of a PX4: ArduPilot takes none with a gimbal in it, which DO_GIMBAL_MANAGER_CONFIGURE goes before."""
    seen = mavsdk(made, tmp_path, "px4", "mission")
    assert np.array(seen["back"]) == pytest.approx(np.array(seen["meant"]), abs=1e-6)
    assert seen["fence"] == [4, 4, 50.0]
    assert 0.0 < seen["paused_north_deg"] < 0.0006
    lat, lon, up, modes = flown(tmp_path, 1)
    assert set(modes) >= {"MISSION", "RTL"}
    for there in seen["meant"]:
        east, north, _ = LocalFrame(there[0], there[1]).to_enu(lat, lon)
        assert np.sqrt(east**2 + north**2 + (up - there[2]) ** 2).min() < 2 * NEAR_M
    assert abs(up[-1]) < 0.1


@pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])
def test_mavsdk_flies_a_plan(made, tmp_path, autopilot):
    missions.write_plan_folder(made, tmp_path / "plan", autopilot)
    seen = mavsdk(made, tmp_path, autopilot, "plan", tmp_path / "plan" / f"{made.sorties[0].name}.plan")
    for meant, read in zip(seen["meant"], seen["read"], strict=True):
        assert read[2:4] == meant[2:4]
        if any(meant[8:10]):  # of what has no place ArduPilot keeps neither frame nor height
            assert FRAMES.get(read[1], read[1]) == FRAMES.get(meant[1], meant[1])
            assert read[8:] == pytest.approx(meant[8:], abs=1e-3)
    for sent, held in (seen["fence"], seen["rally"]):
        assert 0 < sent == held
    reaches_every_waypoint(made, tmp_path, autopilot)
