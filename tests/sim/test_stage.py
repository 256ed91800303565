"""Scenarios along flights, and their recordings."""

import json
from collections import Counter
from dataclasses import replace

import av
import numpy as np
import pytest
import tstrans

from geo import CameraModel, LocalFrame, PoseSigma, compose_attitude
from sim.camera import FlightTrack, PoseNoise, read_record
from sim.errors import WorldError
from sim.staging import record, stage
from tests.sim.stage_flights import BORDER, EPOCH_US, patrol_flight

CAMERA = CameraModel(640, 512, 1125.0)


@pytest.fixture(scope="module")
def flights():
    return [
        patrol_flight(1, 1, length_m=1800, east_m=-2500),
        patrol_flight(2, 1, length_m=1800, east_m=100),
        patrol_flight(1, 2, start_us=EPOCH_US + 900_000_000, length_m=600, east_m=2500),
    ]


@pytest.fixture(scope="module")
def scenario(flights):
    return stage(BORDER, "left", flights, CAMERA, 5)


def test_ten_crossings_sixteen_windows_over_all_flights(scenario):
    assert len(scenario.windows) == 16
    assert {(w.flight.vehicle, w.flight.sortie) for w in scenario.windows} == {(1, 1), (2, 1), (1, 2)}
    found = scenario.crossings()
    assert len(found) == 10
    assert len({crossing.id for crossing in found}) == 10
    assert {crossing.direction for crossing in found} == {"inbound", "outbound"}
    assert {crossing.kind for crossing in found} == {"person", "vehicle"}
    plays = Counter(w.play for w in scenario.windows)
    assert plays["three walk in"] == plays["two walk in"] == plays["one stands astride"] == plays["nobody"] == 1


def test_the_scene_and_its_crossings_are_on_the_parallel_that_the_border_is(scenario):
    """The chord in metres between its ends, 11 km apart, lies 1.6 m north in the middle: 1.5e-5 degrees."""
    assert [w.world.lat_deg for w in scenario.windows] == pytest.approx([BORDER[0][1]] * 16, abs=1e-7)
    assert [c.lat_deg for c in scenario.crossings()] == pytest.approx([BORDER[0][1]] * 10, abs=1e-7)


def test_crossings_fall_near_the_middle_and_well_inside_the_view(scenario):
    for crossing in scenario.crossings():
        (window,) = [w for w in scenario.windows if w.start_us <= crossing.time_us <= w.end_us and
                     crossing.id in {a.id for a in w.world.actors}]  # fmt: skip
        assert abs(crossing.time_us - (window.start_us + window.end_us) / 2) < 2_500_000
        for delay in (-2_000_000, 0, 2_000_000):
            time_us = crossing.time_us + delay
            pose = window.flight.pose(time_us)
            frame = window.world.frame
            centre = np.array(frame.to_enu(pose.lat_deg, pose.lon_deg, pose.altitude.metres), dtype=float)
            actor = next(a for a in window.world.actors if a.id == crossing.id)
            place = np.array([*actor.path.at(window.world.seconds(time_us)), 0.9])
            pixel = CAMERA.project((place - centre) @ pose.rotation_enu_from_camera())
            assert CAMERA.contains(pixel, 5.0)


def test_the_same_seed_gives_the_same_scenario(flights, scenario):
    again = stage(BORDER, "left", flights, CAMERA, 5)
    assert again.crossings() == scenario.crossings()
    assert [w.name for w in again.windows] == [w.name for w in scenario.windows]
    assert stage(BORDER, "left", flights, CAMERA, 6).crossings() != scenario.crossings()


def test_another_number_of_crossings(flights):
    assert len(stage(BORDER, "left", flights, CAMERA, 5, crossings=4, windows=6).crossings()) == 4
    assert not stage(BORDER, "left", flights, CAMERA, 5, crossings=0, windows=3).crossings()


def test_windows_lie_on_patrol_only(flights):
    samples = flights[0].samples.copy()
    samples[samples[:, 0] < 100, 8] = -10.0  # the gimbal looks ahead in transit
    (window,) = stage(BORDER, "left", [replace_samples(flights[0], samples)], CAMERA, 1, crossings=1, windows=1).windows
    assert window.start_us >= EPOCH_US + 100_000_000


def replace_samples(flight, samples):
    return FlightTrack(flight.vehicle, flight.sortie, flight.start_us, samples)


def test_says_when_a_scenario_does_not_fit(flights):
    with pytest.raises(WorldError, match="ask for fewer windows"):
        stage(BORDER, "left", [patrol_flight(length_m=400)], CAMERA, 5)
    with pytest.raises(WorldError, match="ask for more windows"):
        stage(BORDER, "left", flights, CAMERA, 5, crossings=10, windows=3)
    with pytest.raises(WorldError, match="own side"):
        stage(BORDER, "up", flights, CAMERA, 5)


def test_a_recording_holds_the_measured_poses_and_the_truth(flights, scenario, tmp_path):
    chosen = tuple(w for w in scenario.windows if w.play in {"one walks in", "three walk in"})
    done = []
    recordings = record(
        replace(scenario, windows=chosen), tmp_path / "one", fps=2, progress=lambda *state: done.append(state)
    )
    assert done == [(1, 2), (2, 2)]
    for window, recording in zip(chosen, recordings, strict=True):
        assert (recording.vehicle, recording.start_us) == (window.flight.name, window.start_us)
        with av.open(str(recording.video)) as container:
            read = [tstrans.klv.decode_uas_datalink(bytes(p)) for p in container.demux(data=0) if p.size]
        truth = json.loads(recording.truth.read_text())
        assert [p.timestamp_us for p in read] == [f["time_us"] for f in truth["frames"]]
        assert len(read) == 28
        errors = []
        for packet in read:
            true = window.flight.pose(packet.timestamp_us)
            frame = LocalFrame(true.lat_deg, true.lon_deg, true.altitude.metres)
            east, north, up = frame.to_enu(packet.sensor_lat_deg, packet.sensor_lon_deg, packet.sensor_alt_m)
            yaw, pitch, roll = compose_attitude(
                (packet.platform_heading_deg, packet.platform_pitch_full_deg, packet.platform_roll_full_deg),
                (packet.sensor_rel_az_deg, packet.sensor_rel_el_deg, packet.sensor_rel_roll_deg),
            )
            errors.append((east, north, up, (yaw - true.yaw_deg + 180) % 360 - 180, pitch - true.pitch_deg, roll))
        errors = np.array(errors, dtype=float)
        sigma = np.array([0.8, 0.8, 1.2, 0.6, 0.3, 0.3])
        assert (np.abs(errors.mean(axis=0)) < 4 * sigma).all()
        assert (errors.std(axis=0) < 0.25 * sigma + (0, 0, 0.1, 0.01, 0.01, 0.01)).all()
        assert (np.abs(errors).max(axis=0) > 0).all()
        assert all(crossing["in_view"] for crossing in truth["crossings"])
    assert sum(len(json.loads(r.truth.read_text())["crossings"]) for r in recordings) == 4
    assert {path.name for path in (tmp_path / "one").iterdir()} == {
        path.name
        for recording in recordings
        for path in (recording.video, recording.truth, recording.mot, recording.tracks)
    }


def test_two_processes_write_the_same_files(scenario, tmp_path):
    chosen = replace(scenario, windows=scenario.windows[:2])
    one, two = record(chosen, tmp_path / "one", fps=1), record(chosen, tmp_path / "two", fps=1, processes=2)
    for a, b in zip(one, two, strict=True):
        assert a.video.read_bytes() == b.video.read_bytes()
        assert a.truth.read_bytes() == b.truth.read_bytes()
        assert a.tracks.read_bytes() == b.tracks.read_bytes()


def test_noise_has_the_stated_size():
    sigma = PoseSigma(0.8, 1.2, 0.6, 0.3, 0.3)
    biases = np.array([PoseNoise(sigma, seed).bias for seed in range(2000)])
    assert biases.std(axis=0) == pytest.approx([0.8, 0.8, 1.2, 0.6, 0.3, 0.3], rel=0.08)
    assert np.abs(biases.mean(axis=0)).max() < 0.1


def test_a_record_is_read_and_interpolated(tmp_path):
    path = tmp_path / "vehicle-3-sortie-2.csv"
    path.write_text(
        "t_s,lat_deg,lon_deg,amsl_m,yaw_deg,pitch_deg,roll_deg,gimbal_yaw_deg,gimbal_pitch_deg,item,mode,battery_pct\n"
        "0.0,31.0,-110.0,1270,350,-3,1,90,-57,1,AUTO,99\n"
        "0.2,31.001,-110.0,1272,10,-3,1,90,-57,1,AUTO,99\n"
    )
    flight = read_record(path, EPOCH_US)
    assert (flight.name, flight.sortie) == ("vehicle-3", 2)
    pose = flight.pose(EPOCH_US + 150_000)
    assert (pose.lat_deg, pose.altitude.metres) == pytest.approx((31.00075, 1271.5))
    assert pose.yaw_deg == pytest.approx(95.0)  # through north, not back round
    assert pose.pitch_deg == -57
    assert flight.attitude(EPOCH_US + 100_000) == pytest.approx((0.0, -3, 1), abs=1e-9)


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("flight.csv", "", "not named"),
        ("vehicle-1-sortie-1.csv", "t_s,lat_deg\n0,1\n", "lacks the columns"),
        ("vehicle-1-sortie-1.csv", None, "cannot be read"),
        ("vehicle-1-sortie-1.csv", "short", "two rows"),
        ("vehicle-1-sortie-1.csv", "word", "line 2"),
    ],
)
def test_refuses_a_broken_record(tmp_path, name, text, part):
    header = "t_s,lat_deg,lon_deg,amsl_m,yaw_deg,pitch_deg,roll_deg,gimbal_yaw_deg,gimbal_pitch_deg\n"
    texts = {"short": header + "0,1,1,1,1,1,1,1,1\n", "word": header + "0,1,1,up,1,1,1,1,1\n"}
    if text is not None:
        (tmp_path / name).write_text(texts.get(text, text))
    with pytest.raises(WorldError, match=part):
        read_record(tmp_path / name, 0)
