"""A run told again as MAVLink: read by another library's parser, it is where the truth says, when the truth says."""

import socket
import threading

import numpy as np
import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

import autopilot
import sim
from tests.sim.exercise_records import exercise, hover, truth


@pytest.fixture
def record(tmp_path):
    made = exercise(tmp_path)
    there = [(t / 2, 5.0 * t, 100, 50, 180, -45, 1, 1) for t in range(1, 40)]
    rows = [*hover([0], 0, 100, up=0, airborne=0, sortie=0), *there]
    return sim.ExerciseRecord(made, {}, {1: truth(made, rows), 2: truth(made, hover(range(20), 50, 60), 2)}, [])


def test_the_log_is_read_as_any_other_and_holds_the_truth(record, tmp_path):
    sim.write_replay_log(record, tmp_path / "truth.tlog")
    told = list(autopilot.read_tlog(tmp_path / "truth.tlog"))
    epoch_us = record.exercise.played_world.epoch_us
    for sysid, one in record.truth.items():
        places = [(t, m) for t, m in told if m.get_srcSystem() == sysid and m.get_type() == "GLOBAL_POSITION_INT"]
        assert [(t - epoch_us) / 1e6 for t, _ in places] == pytest.approx(one.time_s.tolist())
        assert [m.lat / 1e7 for _, m in places] == pytest.approx(one.lat_deg.tolist(), abs=6e-8)
        assert [m.lon / 1e7 for _, m in places] == pytest.approx(one.lon_deg.tolist(), abs=6e-8)
    moving = [m for _, m in told if m.get_srcSystem() == 1 and m.get_type() == "GLOBAL_POSITION_INT"][10]
    assert moving.vx == pytest.approx(0, abs=5)
    assert moving.vy == pytest.approx(1000, abs=5)  # 5 m in half a second
    beats = [m for _, m in told if m.get_srcSystem() == 1 and m.get_type() == "HEARTBEAT"]
    assert beats[0].base_mode & mav.MAV_MODE_FLAG_SAFETY_ARMED == 0
    assert beats[3].base_mode & mav.MAV_MODE_FLAG_SAFETY_ARMED
    assert beats[3].custom_mode == 3  # AUTO of ArduCopter


def test_it_is_sent_at_the_pace_that_was_asked_for(record):
    heard = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))

        def listen():
            while packet := ear.recv(500):
                heard.append(packet)

        thread = threading.Thread(target=listen)
        thread.start()
        now = [0.0]
        waits = []

        def wait(seconds):
            waits.append(seconds)
            now[0] += seconds

        sent = sim.replay(record, ear.getsockname(), 4.0, wait=wait, clock=lambda: now[0])
        ear.sendto(b"", ear.getsockname())  # after all of it
        thread.join(60.0)
    assert len(heard) == sent
    assert sum(waits) == pytest.approx(19.5 / 4, abs=0.01)
    parser = mav.MAVLink(None)
    sysids = {message.get_srcSystem() for packet in heard for message in parser.parse_buffer(packet)}
    assert sysids == {1, 2}


@pytest.mark.parametrize(
    ("speedup", "host"), [(0.0, "127.0.0.1"), (np.nan, "127.0.0.1"), (1.0, "no.such.host.invalid")]
)
def test_what_cannot_be_sent_is_one_error(record, speedup, host):
    with pytest.raises(sim.ExerciseError):
        sim.replay(record, (host, 14550), speedup)
