"""Poses out of the log of a simulated flight, against where the simulator truly had the camera."""

import asyncio
import math
from dataclasses import replace

import numpy as np

import autopilot
import sim
import vision
from missions import Mission, MissionItem

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


def test_poses_of_a_log_are_those_that_were_flown(tmp_path):
    config = sim.FleetConfig(home=HOME, speedup=SPEEDUP, record_dir=tmp_path, start_time_us=START_US)
    with sim.start_fleet(config) as fleet:
        tasks = [autopilot.FlightTask(1, fleet.endpoints[0].url, (round_trip(),))]
        report = asyncio.run(autopilot.fly(tasks, time_scale=SPEEDUP, log_dir=tmp_path / "logs"))
    assert report.completed, report.vehicles[0].failure
    (record,) = tmp_path.glob("vehicle-1-sortie-*.csv")
    (log,) = (tmp_path / "logs").glob("*.tlog")
    poses = vision.read_tlog(log)
    assert "times are the vehicle's" in poses.notes[0]
    truth = sim.read_record(record, armed_us(poses, sim.read_record(record, START_US)))
    first, last = truth.start_us, truth.start_us + round(truth.samples[-1, 0] * 1e6)
    off_m, off_deg, up_m, yaws = [], [], [], []
    for time_us in range(first, last, 200_000):
        sample = poses.at(time_us)
        if sample is None or sample.pose is None:
            continue
        true = truth.pose(time_us)
        north = (sample.pose.lat_deg - true.lat_deg) * 111_000
        east = (sample.pose.lon_deg - true.lon_deg) * 111_000 * math.cos(math.radians(true.lat_deg))
        off_m.append(math.hypot(north, east))
        up_m.append(abs(sample.pose.altitude.metres - true.altitude.metres))
        turned = true.rotation_enu_from_camera().T @ sample.pose.rotation_enu_from_camera()
        off_deg.append(math.degrees(math.acos(max(-1.0, min(1.0, (np.trace(turned) - 1) / 2)))))
        yaws.append(true.yaw_deg)
    assert len(off_m) > 100
    assert np.percentile(off_m, 95) < 1.0
    assert np.percentile(off_deg, 95) < 1.5
    assert np.percentile(off_deg, 50) < 0.3
    assert max(up_m) < 1.0
    assert np.ptp(yaws) > 100.0
