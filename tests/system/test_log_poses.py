"""Poses of a simulated flight, from its log and from its telemetry in the air, against where the camera truly was."""

import asyncio
import contextlib
import math
import socket
import threading
from dataclasses import replace

import numpy as np

import autopilot
import sim
import vision
from missions import Mission, MissionItem
from tests.relay import relayed

HOME, SPEEDUP, START_US = (31.34, -110.94, 1180.0), 5.0, 1_790_000_000_000_000


def round_trip():
    """A square with the camera turned aside and down."""
    lat, lon = (round(v * 1e7) for v in HOME[:2])
    corners = [(8000, 0), (8000, 9000), (0, 9000)]
    items = [
        MissionItem(0, 0, 16, x=lat, y=lon, z=HOME[2]),
        MissionItem(1, 3, 22, x=lat, y=lon, z=60.0),
        MissionItem(2, 2, 205, p1=-50.0, p3=70.0, z=2.0),
        *(MissionItem(0, 3, 16, x=lat + n, y=lon + e, z=60.0) for n, e in corners),
        MissionItem(0, 2, 20),
    ]
    return Mission("square", "ardupilot", tuple(replace(item, seq=n) for n, item in enumerate(items)), (), ())


def armed_us(poses, truth):
    """When the flight's record begins, which is at arming: where its heights fit those of the log best."""
    there = [sample for sample in poses.samples if sample.pose is not None]
    times = np.array([(sample.time_us - START_US) / 1e6 for sample in there])
    heights = np.array([sample.pose.altitude.metres for sample in there])
    begins = np.arange(0.0, 120.0, 0.05)
    miss = [np.abs(truth.at(times - begin)[:, 3] - heights).mean() for begin in begins]
    return START_US + round(begins[int(np.argmin(miss))] * 1e6)


class Tap:
    """What a vehicle sends, sent to another port as well, as a router of telemetry does."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))

    def __call__(self, message):
        if message.get_type() != "BAD_DATA" and message.get_srcSystem() == 1:
            with contextlib.suppress(ConnectionRefusedError):  # nobody listens yet
                self.socket.send(bytes(message.get_msgbuf()))
        return False


class Watcher(threading.Thread):
    """Asks for poses of a moment ago while the vehicle flies, as pictures of a live video do."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.found, self.landed, self.failed = port, [], threading.Event(), None

    def run(self):
        try:
            with vision.LivePoses(f"udpin:127.0.0.1:{self.port}", wait_s=60.0, patience_s=0.2) as poses:
                while not self.landed.wait(0.05):
                    # The vehicle's own time, whatever the clock of this machine: the newest it told, and a bit before.
                    with poses._came:
                        newest = poses._heard.clock[-1][1] if poses._heard.clock else None
                    if newest is not None:
                        self.found.append((newest - 1_000_000, poses.at(newest - 1_000_000)))
        except Exception as error:  # noqa: BLE001 - the test says that there is none
            self.failed = error


async def flown(url, tap, folder):
    host, port = url.split(":")[-2:]
    async with relayed(host.strip("/"), int(port), tap) as through:
        tasks = [autopilot.FlightTask(1, through, (round_trip(),))]
        return await autopilot.fly(tasks, time_scale=SPEEDUP, log_dir=folder)


def away(pose, true):
    """Metres on the ground, metres in height, degrees of the axis between a pose and where the camera truly was."""
    north = (pose.lat_deg - true.lat_deg) * 111_000
    east = (pose.lon_deg - true.lon_deg) * 111_000 * math.cos(math.radians(true.lat_deg))
    turned = true.rotation_enu_from_camera().T @ pose.rotation_enu_from_camera()
    angle = math.degrees(math.acos(max(-1.0, min(1.0, (np.trace(turned) - 1) / 2))))
    return math.hypot(north, east), abs(pose.altitude.metres - true.altitude.metres), angle


def test_poses_of_a_log_and_live_are_those_that_were_flown(tmp_path):
    config = sim.FleetConfig(home=HOME, speedup=SPEEDUP, record_dir=tmp_path, start_time_us=START_US)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    watcher, tap = Watcher(port), Tap(port)
    watcher.start()
    with sim.start_fleet(config) as fleet:
        report = asyncio.run(flown(fleet.endpoints[0].url, tap, tmp_path / "logs"))
    watcher.landed.set()
    watcher.join()
    tap.socket.close()
    assert report.completed, report.vehicles[0].failure
    (record,) = tmp_path.glob("vehicle-1-sortie-*.csv")
    (log,) = (tmp_path / "logs").glob("*.tlog")
    poses = vision.read_tlog(log)
    assert "times are the vehicle's" in poses.notes[0]
    truth = sim.read_record(record, armed_us(poses, sim.read_record(record, START_US)))
    first, last = truth.start_us, truth.start_us + round(truth.samples[-1, 0] * 1e6)
    logged = [(time_us, poses.at(time_us)) for time_us in range(first, last, 200_000)]
    assert watcher.failed is None
    live = [(time_us, sample) for time_us, sample in watcher.found if first <= time_us <= last]
    for found in (logged, live):
        there = [(time_us, sample.pose) for time_us, sample in found if sample is not None and sample.pose is not None]
        assert len(there) > 100
        off_m, up_m, off_deg = np.array([away(pose, truth.pose(time_us)) for time_us, pose in there]).T
        assert np.percentile(off_m, 95) < 1.0
        assert np.percentile(off_deg, 95) < 1.5
        assert np.percentile(off_deg, 50) < 0.3
        assert max(up_m) < 1.0
        assert np.ptp([truth.pose(time_us).yaw_deg for time_us, _ in there]) > 100.0
    assert sum(sample is not None for _, sample in live) > 0.9 * len(live)
