"""Poses from a MAVLink log: frames of gimbals, clocks, holes, and what is not there."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav
from scipy.spatial.transform import Rotation

from geo import Altitude, Datum, rotation_ned_from_frd
from tests.vision.recordings import FPS, write_video
from vision import MetadataError, open_source, read_sidecar, read_tlog

T0 = 1_770_000_000_000_000
VEHICLE, EARTH, LOCK = 32, 64, 16


def log(path, messages, *, late_us=80_000, ordered=True):
    """A log: pairs of the vehicle's time in milliseconds and a message, received late."""
    packer = mav.MAVLink(None, srcSystem=1, srcComponent=1)
    data = bytearray()
    for ms, message in sorted(messages, key=lambda m: m[0]) if ordered else messages:
        packer.srcSystem = getattr(message, "sender", 1)
        data += struct.pack(">Q", T0 + ms * 1000 + late_us) + message.pack(packer)
        packer.seq = (packer.seq + 1) % 256
    path.write_bytes(bytes(data))
    return path


def position(ms, lat=31.333, lon=-110.94, amsl=1270.0, hdg=65535):
    return ms, mav.MAVLink_global_position_int_message(
        ms, round(lat * 1e7), round(lon * 1e7), round(amsl * 1000), 90_000, 0, 0, 0, hdg
    )


def attitude(ms, yaw, pitch=0.0, roll=0.0):
    return ms, mav.MAVLink_attitude_message(ms, *map(math.radians, (roll, pitch, yaw)), 0, 0, 0)


def device(ms, yaw, pitch, roll=0.0, flags=VEHICLE):
    x, y, z, w = Rotation.from_euler("ZYX", (yaw, pitch, roll), degrees=True).as_quat()
    return ms, mav.MAVLink_gimbal_device_attitude_status_message(0, 0, ms, flags, [w, x, y, z], 0, 0, 0, 0)


def orientation(ms, yaw, pitch, roll=0.0, yaw_absolute=0.0):
    return ms, mav.MAVLink_mount_orientation_message(ms, roll, pitch, yaw, yaw_absolute)


def clock(ms, ahead_us=0):
    return ms, mav.MAVLink_system_time_message(T0 + ms * 1000 + ahead_us, ms)


def flight(yaw, gimbal):
    """Three seconds: position at 5, attitude at 10, gimbal at 10 a second, between each other."""
    messages = [clock(0), *(position(200 * n, lat=31.333 + 1e-5 * n) for n in range(16))]
    for n in range(31):
        messages += [attitude(100 * n, yaw, 8.0, -12.0), gimbal(100 * n + 30)]
    return messages[:-1]


def at_one_second(track):
    return track.at(T0 + 1_030_000).pose


def turned(pose, yaw, pitch, roll=0.0):
    """Angle between a pose's attitude and another, degrees."""
    miss = rotation_ned_from_frd(pose.yaw_deg, pose.pitch_deg, pose.roll_deg).T @ rotation_ned_from_frd(
        yaw, pitch, roll
    )
    return math.degrees(math.acos(max(-1.0, min(1.0, (np.trace(miss) - 1) / 2))))


@given(st.floats(-180, 180), st.floats(-180, 180), st.floats(-90, 20))
def test_yaw_of_a_gimbal_is_against_what_its_flags_say(tmp_path_factory, heading, yaw, pitch):
    path = tmp_path_factory.mktemp("log") / "a.tlog"
    # The airframe leans, the camera does not: roll and pitch of a gimbal are against the horizon.
    for flags, want in (
        (VEHICLE, heading + yaw),
        (EARTH, yaw),
        (LOCK, yaw),
        (0, heading + yaw),
        (VEHICLE | LOCK, heading + yaw),
    ):
        track = read_tlog(log(path, flight(heading, lambda ms: device(ms, yaw, pitch, flags=flags))))  # noqa: B023
        assert turned(at_one_second(track), want, pitch) < 0.01
    track = read_tlog(log(path, flight(heading, lambda ms: orientation(ms, yaw, pitch))))
    assert turned(at_one_second(track), heading + yaw, pitch) < 0.01


def test_places_and_times_are_the_vehicles(tmp_path):
    track = read_tlog(log(tmp_path / "a.tlog", flight(40.0, lambda ms: device(ms, 0.0, -57.0)), late_us=350_000))
    assert track.absolute
    pose = at_one_second(track)
    assert pose.lat_deg == pytest.approx(31.333 + 1e-5 * 5.15, abs=2e-7)
    assert pose.altitude == Altitude(1270.0, Datum.AMSL)
    assert pose.sigma.yaw_deg == 3.0
    assert "times are the vehicle's" in track.notes[0]
    assert "+0.350 s" in track.notes[0]


def test_without_the_vehicles_clock_the_stamps_serve_and_it_is_said(tmp_path):
    messages = [m for m in flight(40.0, lambda ms: device(ms, 0.0, -57.0)) if m[1].get_type() != "SYSTEM_TIME"]
    track = read_tlog(log(tmp_path / "a.tlog", messages, late_us=100_000))
    assert track.samples[0].time_us == T0 + 130_000
    assert "the ground station's, late by the link's delay" in track.notes[0]


def test_a_heading_crosses_north_between_two_reports(tmp_path):
    messages = [position(0), position(1000), attitude(0, 350.0), attitude(1000, 20.0), device(500, 0.0, -30.0)]
    track = read_tlog(log(tmp_path / "a.tlog", [clock(0), *messages, device(900, 0.0, -30.0)]))
    assert turned(track.samples[0].pose, 5.0, -30.0) < 0.1


def test_a_fixed_camera_leans_with_its_airframe_and_is_never_guessed(tmp_path):
    messages = [m for m in flight(40.0, lambda ms: device(ms, 0, 0)) if m[1].get_type()[:6] != "GIMBAL"]
    path = log(tmp_path / "a.tlog", messages)
    with pytest.raises(MetadataError, match=r"has no gimbal angles .* give the camera's yaw, pitch and roll"):
        read_tlog(path)
    pose = read_sidecar(path, attitude=(90.0, -30.0, 0.0)).at(T0 + 1_000_000).pose
    want = Rotation.from_euler("ZYX", (40, 8, -12), degrees=True) * Rotation.from_euler(
        "ZYX", (90, -30, 0), degrees=True
    )
    yaw, pitch, roll = want.as_euler("ZYX", degrees=True)
    assert turned(pose, yaw, pitch, roll) < 0.01


def test_no_pose_across_a_hole(tmp_path):
    messages = [clock(0), position(0), position(200), position(5000), position(5200)]
    messages += [m for n in range(53) for m in (attitude(100 * n, 0.0), device(100 * n, 0.0, -57.0))]
    track = read_tlog(log(tmp_path / "a.tlog", messages))
    assert track.at(T0 + 100_000).pose is not None
    assert track.at(T0 + 2_500_000).pose is None
    assert track.at(T0 + 5_100_000).pose is not None


def test_the_heading_alone_serves_a_gimbal(tmp_path):
    messages = [
        clock(0),
        *(position(200 * n, hdg=9000) for n in range(10)),
        device(500, 10.0, -40.0),
        device(600, 10.0, -40.0),
    ]
    assert turned(read_tlog(log(tmp_path / "a.tlog", messages)).samples[0].pose, 100.0, -40.0) < 0.01
    blind = [clock(0), *(position(200 * n) for n in range(10)), device(500, 10.0, -40.0)]
    with pytest.raises(MetadataError, match="has no ATTITUDE"):
        read_tlog(log(tmp_path / "b.tlog", blind))


def test_two_vehicles_are_told_apart_or_asked_for(tmp_path):
    other = flight(10.0, lambda ms: device(ms, 0.0, -20.0))
    for _, message in other:
        message.sender = 2
    both = sorted([*flight(40.0, lambda ms: device(ms, 0.0, -57.0)), *other], key=lambda m: m[0])
    path = log(tmp_path / "a.tlog", both)
    with pytest.raises(MetadataError, match="has the vehicles 1, 2: choose one"):
        read_tlog(path)
    assert turned(at_one_second(read_tlog(path, system=2)), 10.0, -20.0) < 0.01


def test_a_restart_is_refused(tmp_path):
    messages = [
        clock(0),
        position(60_000),
        attitude(60_000, 0),
        device(60_000, 0, -50),
        position(100),
        attitude(100, 0),
    ]
    with pytest.raises(MetadataError, match="was restarted within the log"):
        read_tlog(log(tmp_path / "a.tlog", messages, ordered=False))


@pytest.mark.parametrize("spoil", ["noise", "cut", "nan"])
def test_a_soiled_log_gives_what_is_whole(tmp_path, spoil):
    messages = flight(40.0, lambda ms: device(ms, 0.0, -57.0))
    if spoil == "nan":
        messages.append(
            (3040, mav.MAVLink_gimbal_device_attitude_status_message(0, 0, 3040, VEHICLE, [math.nan] * 4, 0, 0, 0, 0))
        )
    path = log(tmp_path / "a.tlog", messages)
    data = path.read_bytes()
    path.write_bytes(
        {"noise": b"\xfd\x00junk" + data[:400] + b"\x01" * 9 + data[400:], "cut": data[:-7], "nan": data}[spoil]
    )
    track = read_tlog(path)
    assert turned(at_one_second(track), 40.0, -57.0) < 0.01
    assert len(track.samples) >= 28


@pytest.mark.parametrize("content", [b"", b"no log at all" * 50])
def test_what_is_no_log_is_refused(tmp_path, content):
    path = tmp_path / "a.tlog"
    path.write_bytes(content)
    with pytest.raises(MetadataError, match="has no GLOBAL_POSITION_INT"):
        read_tlog(path)
    with pytest.raises(MetadataError, match="cannot be read"):
        read_tlog(tmp_path / "none.tlog")


def test_a_video_takes_its_poses_from_a_log(tmp_path):
    video = write_video(tmp_path / "flight.mp4", 10)
    path = log(tmp_path / "other.tlog", flight(40.0, lambda ms: device(ms, 0.0, -57.0)))
    with open_source(video, pose=path, start_time=T0 + 500_000, hfov_deg=40.0) as source:
        frames = list(source)
    assert FPS == 5
    assert all(turned(frame.pose, 40.0, -57.0) < 0.01 for frame in frames)
    assert any("times are the vehicle's" in note for note in source.counts.problems)


def test_a_vehicle_that_has_no_position_yet_is_nowhere(tmp_path):
    messages = flight(40.0, lambda ms: device(ms, 0.0, -57.0))
    messages = [position(m[0], 0.0, 0.0) if m[1].get_type()[:6] == "GLOBAL" and m[0] < 1500 else m for m in messages]
    track = read_tlog(log(tmp_path / "a.tlog", messages))
    assert track.at(T0 + 1_030_000).pose is None
    assert track.at(T0 + 2_030_000).pose.lat_deg == pytest.approx(31.333, abs=1e-3)
