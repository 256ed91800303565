"""Frames with the time of their exposure and their pose, from files, folders and streams, sound and broken."""

import errno
import gc
import io
import itertools
import math
import re
import socket
import threading
import time
import wave
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import av
import cv2
import numpy as np
import pytest

from geo import Altitude, CameraModel, CameraPose, Datum
from sim.klv import Platform, frame_packet
from sim.video import Shot
from sim.video import write_video as write_recording
from tests.vision.recordings import FPS, HEIGHT, T0_US, WIDTH, klv, number_of, picture, write_video
from vision import (
    EvidenceError,
    MetadataError,
    ModelRef,
    PixelLine,
    SourceError,
    Stream,
    cut_clip,
    open_source,
    suffix_for,
    watch_streams,
)
from vision.clip_picture import pictures_at
from vision.live import LiveQueue
from vision.media import Picture, SourceCounts, Telemetry

STEP_US = 1_000_000 // FPS


def every_frame(number):
    return klv(T0_US + number * STEP_US, platform_heading_deg=(350.0 + 2 * number) % 360)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Twenty pictures, 5 a second, a packet each."""
    return write_video(tmp_path_factory.mktemp("video") / "flight.ts", 20, telemetry=every_frame)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The same pictures without telemetry."""
    return write_video(tmp_path_factory.mktemp("video") / "plain.mp4", 20)


def test_every_frame_has_its_own_time_and_pose(recording):
    with open_source(recording) as source:
        frames = list(source)
        assert (source.width, source.height, source.frame_rate) == (WIDTH, HEIGHT, FPS)
        assert source.duration == pytest.approx(4.0, abs=0.3)
        assert source.has_pose
        assert source.complete
        assert (source.time_basis, source.time_is_relative) == ("klv", False)
        assert source.start_us == T0_US
    assert [number_of(f.image) for f in frames] == list(range(20))
    assert [f.index for f in frames] == list(range(20))
    assert [f.time_us for f in frames] == [T0_US + n * STEP_US for n in range(20)]
    assert [f.pts_s for f in frames] == pytest.approx([n / FPS for n in range(20)], abs=1e-4)
    for n, frame in enumerate(frames):
        assert frame.pose.yaw_deg == pytest.approx((350.0 + 2 * n + 90) % 360, abs=0.01)
        assert frame.pose.pitch_deg == pytest.approx(-57.0, abs=0.01)
        assert frame.camera.horizontal_fov_deg == pytest.approx(31.5, abs=0.01)
        assert frame.ground_amsl_m == pytest.approx(1180.0, abs=0.2)
        assert frame.image.dtype == np.uint8
        assert frame.image.flags.c_contiguous
    assert source.counts.klv_packets == 20
    assert source.counts.problems == []


def test_between_packets_pose_and_time_are_interpolated(tmp_path):
    """A packet at every second picture, whose clock runs a tenth slow: times lie on the line between packets."""

    def every_other(number):
        if number % 2:
            return None
        heading = (358.0 + 2 * number) % 360
        return klv(T0_US + number * 180_000, platform_heading_deg=heading, sensor_rel_az_deg=0.0)

    path = write_video(tmp_path / "half.ts", 11, telemetry=every_other)
    with open_source(path) as source:
        frames = list(source)
    assert [f.time_us - T0_US for f in frames] == [n * 180_000 for n in range(11)]
    yaw = np.unwrap([f.pose.yaw_deg for f in frames], period=360)
    assert np.diff(yaw) == pytest.approx([2.0] * 10, abs=0.02)


def test_no_pose_is_made_up_where_telemetry_fails(tmp_path):
    def with_hole(number):
        return None if 5 <= number < 15 else every_frame(number)

    path = write_video(tmp_path / "hole.ts", 20, telemetry=with_hole)
    with open_source(path) as source:
        frames = list(source)
    assert [f.pose is None for f in frames] == [5 <= n < 15 for n in range(20)]
    assert source.counts.without_pose == 10
    assert [f.time_us for f in frames] == [T0_US + n * STEP_US for n in range(20)]


def test_damaged_packets_are_counted_and_told(tmp_path):
    def some_broken(number):
        raw = bytearray(every_frame(number))
        if number % 4 == 3:
            raw[-1] ^= 0xFF
        return bytes(raw)

    path = write_video(tmp_path / "noise.ts", 20, telemetry=some_broken)
    with open_source(path) as source:
        frames = list(source)
    assert (source.counts.klv_errors, source.counts.klv_packets) == (5, 15)
    assert any("checksum" in problem for problem in source.counts.problems)
    # The neighbours carry the pose over the single hole; after the last picture there is none.
    assert [n for n, f in enumerate(frames) if f.pose is None] == [19]


def test_video_of_a_kind_that_nothing_here_decodes_is_said(tmp_path, plain):
    path = tmp_path / "unknown.mp4"
    path.write_bytes(plain.read_bytes().replace(b"avc1", b"zzz1"))
    with pytest.raises(SourceError, match="no decoder is here for the kind of its video"):
        open_source(path)
    with pytest.raises(EvidenceError, match="kind of its video"):
        suffix_for(path)


def test_a_clock_that_stands_still_does_not_stop_time(tmp_path):
    path = write_video(tmp_path / "stuck.ts", 10, telemetry=lambda _: klv(T0_US))
    with open_source(path) as source:
        assert [f.time_us for f in source] == [T0_US + n * STEP_US for n in range(10)]
    assert any("does not advance" in problem for problem in source.counts.problems)


TIMES_MS = {
    "twice": ([0, 100, 200, 200, 200, 300, 400, 500], [0, 1, 2, 5, 6, 7]),
    "back": ([0, 100, 200, 300, 150, 250, 400, 500], [0, 1, 2, 3, 6, 7]),
    "never on": ([0] * 8, [0]),
    "anew": ([5000, 5100, 5200, 5300, 0, 100, 200, 300], list(range(8))),
}


@pytest.mark.parametrize("form", ["matroska", "mpegts"])
@pytest.mark.parametrize("name", TIMES_MS)
def test_pictures_whose_times_come_twice_or_go_back_are_left_out_and_counted(tmp_path, name, form):
    """As they stand in a file; only a clock that starts anew leaves nothing out."""
    times_ms, left = TIMES_MS[name]
    whole = write_video(tmp_path / "whole.mp4", 8, fps=10, options={"bf": "0"})
    path = tmp_path / f"odd.{form}"
    with av.open(str(whole)) as given, av.open(str(path), "w", format=form) as container:
        (video,) = given.streams.video
        copy = container.add_stream_from_template(video)
        packets = (packet for packet in given.demux(video) if packet.size)
        for number, (packet, at_ms) in enumerate(zip(packets, times_ms, strict=True)):
            packet.stream, packet.time_base, packet.pts, packet.dts = copy, Fraction(1, 1000), at_ms, number - 9
            container.mux(packet)
    with open_source(path) as source:
        frames = list(source)
    assert [number_of(frame.image) for frame in frames] == left
    times = [frame.time_us for frame in frames]
    assert times == sorted(set(times))
    if name != "anew":
        assert times == [1000 * times_ms[number] for number in left]
        told = f"{8 - len(left)} of 8 pictures were left out: their times did not go on"
        assert any(told in problem for problem in source.counts.problems)
    assert (source.counts.out_of_order, source.counts.clock_jumps) == (8 - len(left), int(name == "anew"))


def test_data_that_is_no_telemetry_is_not_waited_for(tmp_path):
    """As action cameras write it. Telemetry that begins later is taken all the same."""
    path = write_video(tmp_path / "GX010034.MP4", 60, telemetry=lambda _: b"DEVC" + bytes(40), fps=20, form="mpegts")
    with open_source(path) as source:
        next(source)
        ahead = [source.counts.decoded - source.counts.delivered for _ in source]
        assert not source.has_pose
    assert ahead[0] > 15  # of the second in which it was looked for
    assert max(ahead[20:]) <= 2
    late = write_video(tmp_path / "late.ts", 20, telemetry=lambda n: every_frame(n) if n >= 10 else b"DEVC")
    with open_source(late) as source:
        frames = list(source)
        assert source.has_pose
    assert [n for n, frame in enumerate(frames) if frame.pose is None] == list(range(10))


def test_a_packet_without_angles_gives_time_but_no_pose(tmp_path):
    path = write_video(tmp_path / "few.ts", 6, telemetry=lambda n: klv(T0_US + n * STEP_US, sensor_rel_roll_deg=None))
    with open_source(path) as source:
        frames = list(source)
        assert not source.has_pose
    assert frames[3].time_us == T0_US + 3 * STEP_US
    assert frames[3].pose is None
    assert any("20 (sensor_relative_roll_deg)" in problem for problem in source.counts.problems)


def test_times_without_telemetry(plain, tmp_path):
    with open_source(plain) as source:
        assert source.time_is_relative
        assert [f.time_us for f in source] == [n * STEP_US for n in range(20)]
    start = datetime(2026, 9, 21, 12, 0, tzinfo=UTC)
    with open_source(plain, start_time=start) as source:
        assert source.time_basis == "given"
        assert next(iter(source)).time_us == round(start.timestamp() * 1e6)
    dated = write_video(tmp_path / "dated.mp4", 5, metadata={"creation_time": "2026-09-21T12:00:00Z"})
    with open_source(dated) as source:
        assert source.time_basis == "container"
        assert source.start_us == round(start.timestamp() * 1e6)
    with pytest.raises(SourceError, match="has no zone"):
        open_source(plain, start_time=datetime(2026, 9, 21))  # noqa: DTZ001 - the point of the test


def test_the_clock_of_the_creation_time_is_read_from_real_files(shared_data):
    with open_source(shared_data("videos/intel_car-detection.mp4"), fps=1) as source:
        first = next(iter(source))
    assert datetime.fromtimestamp(first.time_us / 1e6, UTC) == datetime(2018, 4, 19, 22, 46, tzinfo=UTC)


@pytest.mark.parametrize("fps", [1.0, 2.0, 2.5, 5.0, 30.0])
def test_the_analysis_rate_takes_the_nearest_picture_to_each_tick(plain, fps):
    with open_source(plain, fps=fps) as source:
        frames = list(source)
    ticks = np.arange(0, 3.8 + 1e-9, 1 / fps) if fps < FPS else np.arange(20) / FPS
    assert len(frames) == len(ticks)
    assert np.abs(np.array([f.pts_s for f in frames]) - ticks).max() <= 0.5 / FPS + 1e-9
    assert source.counts.skipped == 20 - len(frames)
    assert source.counts.decoded == 20
    with pytest.raises(SourceError, match="give a number above 0"):
        open_source(plain, fps=0)


def test_a_real_recording_is_decoded_whole(shared_data):
    with open_source(shared_data("videos/vtest.avi"), fps=1) as source:
        frames = list(source)
    assert (source.counts.decoded, source.complete, len(frames)) == (795, True, 80)
    assert source.counts.problems == []


@pytest.mark.parametrize("turned", [0, 90])
def test_a_picture_that_nobody_holds_any_more_is_gone_at_once(tmp_path, turned):
    """Python looks for circles of objects seldom: of large pictures hundreds lay in memory until then."""
    path = write_video(tmp_path / "flight.mp4", 40, turned=turned)

    def decoded():
        return sum(isinstance(one, av.VideoFrame) for one in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = decoded()
        with open_source(path) as source:
            most = max(decoded() for _ in source)
        del source
        assert decoded() == before
        assert most - before < 12
    finally:
        gc.enable()


@pytest.mark.parametrize("made", ["plain", "recording"])
def test_a_look_at_the_first_picture_takes_none_away(request, made):
    video = request.getfixturevalue(made)
    with open_source(video) as source:
        first = source.first_image
        frames = list(source)
        assert np.array_equal(source.first_image, first)
    with open_source(video) as source:
        assert [f.index for f in source] == [f.index for f in frames]
    assert np.array_equal(first, frames[0].image)


def test_a_fixed_cameras_pose_and_model_are_taken(plain):
    pose = CameraPose(31.0, -110.0, Altitude(10.0, Datum.AGL), 0.0, -30.0)
    with open_source(plain, pose=pose, hfov_deg=60.0) as source:
        frame = next(iter(source))
    assert frame.pose is pose
    assert frame.camera == CameraModel.from_fov(WIDTH, HEIGHT, 60.0)


def csv_of(times, column):
    rows = [f"{t},31.0,-110.0,1270,{(350 + 10 * n) % 360},-57,0,31.5" for n, t in enumerate(times)]
    return "\n".join([f"{column},lat_deg,lon_deg,amsl_m,yaw_deg,pitch_deg,roll_deg,hfov_deg", *rows])


def test_a_pose_table_beside_the_video_is_found(tmp_path):
    path = write_video(tmp_path / "flight.mp4", 11)
    (tmp_path / "flight.csv").write_text(csv_of([0, 1, 2], "t_s"))
    with open_source(path) as source:
        frames = list(source)
    assert np.unwrap([f.pose.yaw_deg for f in frames], period=360) == pytest.approx([350 + 2 * n for n in range(11)])
    assert frames[0].camera.horizontal_fov_deg == pytest.approx(31.5)
    with open_source(path, sidecar=False) as source:
        assert not source.has_pose


def test_poses_by_time_of_day_need_a_video_that_knows_it(plain, tmp_path):
    table = tmp_path / "poses.csv"
    table.write_text(csv_of([T0_US, T0_US + 1_000_000, T0_US + 5_000_000], "time_us"))
    with pytest.raises(MetadataError, match="give the start time"):
        open_source(plain, pose=table)
    with open_source(plain, pose=table, start_time=T0_US) as source:
        frames = list(source)
    assert frames[2].pose.yaw_deg == pytest.approx(354.0)
    assert frames[10].pose is None  # in a hole of four seconds


def test_raw_klv_beside_the_video_brings_its_time(tmp_path):
    path = write_video(tmp_path / "flight.mp4", 20)
    (tmp_path / "flight.klv").write_bytes(b"".join(every_frame(n) for n in range(20)))
    with open_source(path) as source:
        frames = list(source)
        assert source.time_basis == "sidecar"
    assert [f.time_us for f in frames] == [T0_US + n * STEP_US for n in range(20)]
    assert frames[7].pose.yaw_deg == pytest.approx((350.0 + 14 + 90) % 360, abs=0.01)


def test_a_dji_file_beside_the_video(plain, shared_data, tmp_path):
    srt = shared_data("telemetry/dji/p4_rtk.SRT")
    with open_source(plain, pose=srt) as source:
        frames = list(source)
    assert frames[0].pose.lat_deg == -34.237922
    assert frames[5].pose.lat_deg == -34.237911
    assert -34.237922 < frames[2].pose.lat_deg < -34.237911
    path = tmp_path / "plain.mp4"
    path.write_bytes(plain.read_bytes())
    (tmp_path / "plain.SRT").write_bytes(shared_data("telemetry/dji/broken_incomplete.SRT").read_bytes())
    with open_source(path) as source:  # nobody named it: told, and watched without
        assert not source.has_pose
        assert any("plain.SRT: line" in problem for problem in source.counts.problems)
    with pytest.raises(MetadataError, match=r"plain\.SRT: line 116"):
        open_source(path, pose=tmp_path / "plain.SRT", attitude=(0.0, -45.0, 0.0))


def test_the_aircrafts_time_is_one_of_day_where_its_zone_is_given(plain, shared_data, tmp_path):
    """Catalonia in August is two hours before UTC; zones by name and by hours, by the standard library."""
    beside = shared_data("telemetry/dji/air2s.srt")
    with open_source(plain, pose=beside, attitude=(0, -45, 0)) as source:
        assert source.time_is_relative
        (said,) = [one for one in source.counts.problems if "--zone" in one]
    assert "begins at 2022-08-07 13:40:40, in a zone that nobody tells" in said
    begins = datetime(2022, 8, 7, 11, 40, 40, 774_000, UTC)
    for zone in (ZoneInfo("Europe/Madrid"), timezone(timedelta(hours=2))):
        with open_source(plain, pose=beside, attitude=(0, -45, 0), zone=zone) as source:
            frames = list(source)
        assert source.time_basis == "aircraft"
        assert not any("zone" in one for one in source.counts.problems)
        assert frames[0].time_us / 1e6 == pytest.approx(begins.timestamp(), abs=0.1)
        assert frames[1].time_us - frames[0].time_us == STEP_US
        assert frames[0].pose is not None
    dated = write_video(tmp_path / "dated.mp4", 2, metadata={"creation_time": "2022-08-07T13:40:40.000000Z"})
    with open_source(dated, pose=beside, attitude=(0, -45, 0), zone=zone) as source:
        assert source.time_basis == "aircraft"  # the container of such an aircraft calls its local time UTC
    with open_source(plain, pose=beside, attitude=(0, -45, 0), zone=zone, start_time=T0_US) as source:
        assert source.start_us == T0_US
    with open_source(plain, zone=zone) as source:
        assert any("the zone is of no use" in one for one in source.counts.problems)


def test_a_folder_of_images(tmp_path):
    for n in range(5):
        cv2.imwrite(str(tmp_path / f"{n:03}.png"), picture(n))
    with open_source(tmp_path, fps=2.0) as source:
        frames = list(source)
    assert [number_of(f.image) for f in frames] == [0, 1, 2, 3, 4]
    assert [f.time_us for f in frames] == [0, 500_000, 1_000_000, 1_500_000, 2_000_000]
    times = [T0_US + n * n for n in range(5)]
    with open_source(tmp_path, times_us=times) as source:
        assert [f.time_us for f in source] == times
        assert not source.time_is_relative
    (tmp_path / "002.png").write_bytes(b"no image")
    with open_source(tmp_path, fps=2.0) as source:
        assert [number_of(f.image) for f in source] == [0, 1, 3, 4]
        assert source.counts.decode_errors == 1
        assert not source.complete
    with pytest.raises(SourceError, match="images carry no time"):
        open_source(tmp_path)
    with pytest.raises(SourceError, match="5 images and 2 times"):
        open_source(tmp_path, times_us=[1, 2])
    cv2.imwrite(str(tmp_path / "004.png"), cv2.resize(picture(4), (160, 128)))
    frames = []
    with open_source(tmp_path, fps=2.0) as source:
        (tmp_path / "003.png").unlink()  # while it is watched
        (tmp_path / "003.png").mkdir()  # what cannot be read, whoever asks
        with pytest.raises(SourceError, match=r"003\.png: cannot be read .*, and so 1 of 5 images were not seen"):
            frames += source
    assert [number_of(f.image) for f in frames] == [0, 1, 4]
    assert {f.image.shape for f in frames} == {(256, 320, 3)}
    assert source.counts.size_changes == 1


@pytest.mark.parametrize("turned", [-90, 90, 180])
def test_a_video_is_seen_as_its_container_says_that_it_is_to_be_turned(tmp_path, turned):
    """As phones write them: the pictures lie on their side, in clips of it too."""

    def lying(number):
        return np.ascontiguousarray(np.rot90(picture(number), -turned // 90))

    path = write_video(tmp_path / "phone.mp4", 20, pictures=lying, turned=turned)
    clip = cut_clip(path, 2_000_000, 3_000_000, tmp_path / "clip.mp4", start_time=0)
    for name, numbers in ((path, range(20)), (clip.path, range(10, 16))):
        with open_source(name) as source:
            assert (source.width, source.height) == (WIDTH, HEIGHT)
            assert number_of(source.first_image) == numbers[0]
            seen = [number_of(frame.image) for frame in source]
            assert seen[: len(numbers)] == list(numbers)  # what others of a clip refer to may come behind them
    assert number_of(pictures_at(clip.path, 2_000_000, [2_600_000])[2_600_000]) == 13


@pytest.mark.parametrize(
    "matrix",
    [((a, 0), (0, d)) for a in (1, -1) for d in (1, -1)] + [((0, b), (c, 0)) for b in (1, -1) for c in (1, -1)],
)
def test_a_mirrored_video_is_seen_as_its_container_says(tmp_path, matrix):
    """What is stored at x, y is shown at a x + c y, b x + d y: in clips and pictures of it too."""
    height, width = (HEIGHT, WIDTH) if matrix[0][0] else (WIDTH, HEIGHT)
    y, x = np.mgrid[:height, :width]
    (a, b), (c, d) = matrix
    across, down = a * x + c * y, b * x + d * y

    def stored(number):
        return picture(number)[down - down.min(), across - across.min()]

    path = write_video(tmp_path / "mirrored.mp4", 20, pictures=stored, matrix=matrix)
    clip = cut_clip(path, 2_000_000, 3_000_000, tmp_path / "clip.mp4", start_time=0)
    for name, numbers in ((path, range(20)), (clip.path, range(10, 16))):
        with open_source(name) as source:
            assert (source.width, source.height) == (WIDTH, HEIGHT)
            assert [number_of(frame.image) for frame in source][: len(numbers)] == list(numbers)
    shown = pictures_at(clip.path, 2_000_000, [2_600_000])[2_600_000]
    assert np.abs(shown.astype(int) - picture(13)).mean() < 5


def test_a_cover_picture_is_not_the_video(tmp_path):
    path = write_video(tmp_path / "covered.mp4", 10, cover=True)
    clip = cut_clip(path, 0, 1_000_000, tmp_path / "clip.mp4", start_time=0)
    for name, count in ((path, 10), (clip.path, 6)):
        with open_source(name) as source:
            assert [number_of(frame.image) for frame in source] == list(range(count))


def test_video_of_a_kind_that_no_clip_holds_is_named(tmp_path):
    path = write_video(tmp_path / "old.asf", 5, codec="wmv2")
    with pytest.raises(EvidenceError, match=r"old\.asf: no clip of its kind of video can be kept .*wmv2"):
        cut_clip(path, 0, 1_000_000, tmp_path / "clip.mkv", start_time=0)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        ([f"{n}.png" for n in range(8, 12)], [0, 1, 2, 3]),
        (["a9.png", "a10.png", "a11.png", "a14.png", "a15.png"], [0, 1, 2, 5, 6]),
        (["x_0010_w.png", "x_0020_w.png", "x_0050_w.png", "x_0060_w.png"], [0, 1, 4, 5]),
        (["c2_7.png", "c2_8.png", "c10_1.png"], [0, 1, 2]),  # two numbers: a counter for each folder of a card
        ([f"12{m:02}{s:02}.png" for m in (3, 4) for s in range(0, 60, 10)], list(range(12))),  # a time of day
        ([f"{n}00.png" for n in (1, 2, 3, 5)], [0, 1, 2, 4]),
        (["1.png", "2.png", "9.png"], [0, 1, 2]),  # most would be missing: no counter
        (["one.png", "three.png", "two.png"], [0, 1, 2]),
        (["3.png"], [0]),
    ],
)
def test_images_come_by_their_numbers_and_missing_ones_take_their_time(tmp_path, names, taken):
    for number, name in enumerate(names):
        cv2.imwrite(str(tmp_path / name), picture(number))
    with open_source(tmp_path, fps=2.0) as source:
        frames = list(source)
    assert [number_of(frame.image) for frame in frames] == list(range(len(names)))
    assert [frame.time_us for frame in frames] == [500_000 * n for n in taken]
    missing = taken[-1] + 1 - len(taken)
    assert any(f"leave out {missing}:" in problem for problem in source.counts.problems) == (missing > 0)
    assert source.complete


def broken_files(folder):
    sound = write_video(folder / "sound.mp4", 10).read_bytes()
    yield "missing.mp4", None
    yield "empty.mp4", b""
    yield "text.mp4", b"this is not a video\n" * 50
    yield "no-index.mp4", sound[: len(sound) // 2]
    yield "zeros.ts", bytes(188 * 100)


@pytest.mark.parametrize("number", range(5))
def test_what_is_no_video_is_refused_in_one_line(tmp_path, number):
    name, content = list(broken_files(tmp_path))[number]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError) as error:
        open_source(tmp_path / name)
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_sound_alone_and_an_empty_folder_are_refused(tmp_path):
    with wave.open(str(tmp_path / "sound.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16_000))
    with pytest.raises(SourceError, match=r"sound\.wav: has no video stream"):
        open_source(tmp_path / "sound.wav")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="holds no image"):
        open_source(tmp_path / "empty")


def test_a_recording_that_breaks_off_gives_what_it_has_and_says_so(plain, shared_data, tmp_path):
    whole = shared_data("videos/vtest.avi").read_bytes()
    (tmp_path / "half.avi").write_bytes(whole[: len(whole) // 8])
    with open_source(tmp_path / "half.avi", fps=1) as source:
        frames = list(source)
    assert 5 < len(frames) < 40
    assert not source.complete
    assert any("of 795 pictures: it is cut short" in problem for problem in source.counts.problems)


class Blind:
    """A detector that finds nothing."""

    model = ModelRef("blind", "0" * 64)

    def detect(self, images):
        return [[] for _ in images]


class FailingDisk:
    """A container that reads a file until its disk fails, which it tells or takes for the end."""

    def __init__(self, container, packets, told):
        self._container, self._packets, self._told = container, packets, told

    def __getattr__(self, name):
        return getattr(self._container, name)

    def demux(self, *streams):
        yield from itertools.islice(self._container.demux(*streams), self._packets)
        if self._told:
            raise av.error.OSError(errno.EIO, "Input/output error", "flight.ts")

    class File(io.BytesIO):
        def read(self, *_):
            raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize(("telemetry", "told"), [(None, True), (every_frame, True), (None, False)])
def test_a_disk_that_fails_is_no_end_of_a_recording(tmp_path, monkeypatch, telemetry, told):
    """Crossings after that would be missed without a word: what was read is watched, and it is an error."""
    path = write_video(tmp_path / "flight.ts", 20, telemetry=telemetry)
    real = av.open
    monkeypatch.setattr(av, "open", lambda *args, **how: FailingDisk(real(*args, **how), 16, told))
    monkeypatch.setattr(Path, "open", lambda *_, **__: FailingDisk.File(bytes(100)))
    with open_source(path) as source:
        stream = Stream(source, line=PixelLine("middle", ((160, 256), (160, 0)), "left"))
        (outcome,) = watch_streams([stream], Blind())
    assert isinstance(outcome.error, SourceError)
    assert "flight.ts: broke off at" in str(outcome.error)
    assert "Input/output error" in str(outcome.error)
    assert outcome.result.frames == source.counts.decoded > 3


def test_a_disk_that_was_taken_away_is_no_end_of_a_recording(tmp_path):
    path = write_video(tmp_path / "flight.ts", 20)
    with open_source(path) as source:
        next(source)
        path.unlink()
        with pytest.raises(SourceError, match=r"flight\.ts: broke off at .*\(No such file or directory\)"):
            list(source)


def test_damage_in_the_middle_is_counted(recording, tmp_path):
    raw = bytearray(recording.read_bytes())
    rng = np.random.default_rng(1)
    start = len(raw) // 3
    raw[start : start + 188 * 6] = rng.integers(0, 256, 188 * 6, dtype=np.uint8).tobytes()
    path = tmp_path / "damaged.ts"
    path.write_bytes(bytes(raw))
    with open_source(path) as source:
        frames = list(source)
    assert 3 < len(frames) < 20
    # The decoder says nothing here: it shows the picture before for one that is lost, and leaves another out.
    assert source.counts.decode_errors > 0
    (problem,) = [each for each in source.counts.problems if "damaged" in each]
    damaged_s = float(re.search(r"near ([0-9.]+) s", problem)[1])
    assert damaged_s == pytest.approx(start / len(raw) * 20 / FPS, abs=0.4)
    times = [f.time_us for f in frames]
    assert times == sorted(set(times))


def test_any_cut_of_a_stream_is_read_or_refused(recording, tmp_path):
    whole = recording.read_bytes()
    path = tmp_path / "cut.ts"
    for size in np.linspace(1, len(whole), 12, dtype=int):
        path.write_bytes(whole[:size])
        try:
            with open_source(path) as source:
                times = [f.time_us for f in source]
        except SourceError as error:
            assert "cut.ts" in str(error)  # noqa: PT017 - either outcome is right
        else:
            assert times == sorted(set(times))


def test_a_password_is_never_shown():
    with pytest.raises(SourceError) as error:
        open_source("rtsp://guard:secret@127.0.0.1:1/cam")
    assert "secret" not in str(error.value)
    assert "***@127.0.0.1:1/cam" in str(error.value)


def test_a_slow_reader_of_a_live_stream_loses_the_oldest_and_knows():
    """A hundred pictures before the first is taken: the newest stay, all telemetry stays, the rest is counted."""
    counts = SourceCounts()
    read = threading.Event()

    def camera():
        for n in range(100):
            yield Telemetry(n, bytes([n]))
            yield Picture(n, n, (1, 1), lambda: np.zeros((1, 1, 3), np.uint8))
        read.set()

    queue = LiveQueue(camera(), counts)
    assert read.wait(30)
    got = list(queue)
    pictures = [item.index for item in got if isinstance(item, Picture)]
    assert pictures == list(range(100 - len(pictures), 100))
    assert counts.dropped == 100 - len(pictures)
    assert [item.pts_us for item in got if isinstance(item, Telemetry)] == list(range(100))
    queue.stop()


def test_an_error_of_a_live_stream_reaches_its_reader():
    def camera():
        yield Picture(0, 0, (1, 1), lambda: np.zeros((1, 1, 3), np.uint8))
        raise SourceError("the camera went away")

    items = iter(LiveQueue(camera(), SourceCounts()))
    assert next(items).index == 0
    with pytest.raises(SourceError, match="went away"):
        next(items)


def test_a_stream_over_the_network(recording):
    """The recording sent as UDP at ten times its pace, for as long as it takes to be opened, and read as it comes."""
    data = recording.read_bytes()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    done = threading.Event()

    def send():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as camera:
            while not done.is_set():
                for start in range(0, len(data), 1316):
                    camera.sendto(data[start : start + 1316], ("127.0.0.1", port))
                    time.sleep(0.004)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        with open_source(f"udp://127.0.0.1:{port}?timeout=5000000") as source:
            assert source.live
            assert source.duration is None
            first, second = (frame for frame, _ in zip(source, range(2), strict=False))
    finally:
        done.set()
        sender.join()
    assert first.image.shape == (HEIGHT, WIDTH, 3)
    assert first.time_us < second.time_us


def test_closing_while_another_thread_reads(plain):
    """Whoever reads gets its frames up to there and then the end, never a crash in the decoder."""
    for _ in range(20):
        source = open_source(plain)
        got, failed = [], []

        def read(source=source, got=got, failed=failed):
            try:
                got.extend(frame.index for frame in source)
            except Exception as error:  # noqa: BLE001 - the test says that there is none
                failed.append(error)

        reader = threading.Thread(target=read)
        reader.start()
        source.close()
        reader.join()
        assert failed == []
        assert got == list(range(len(got)))
        assert list(source) == []


def test_a_recording_of_the_simulator_is_read_back(tmp_path):
    """Written by the other end of the wire, which shares no code with this one."""
    camera = CameraModel(640, 512, 1125.0)
    poses = [
        CameraPose(
            31.333 + n * 1e-5, -110.94, Altitude(1270.0 + n, Datum.AMSL), (356.0 + n) % 360, -57.0 + n / 10, n / 5
        )
        for n in range(10)
    ]
    platforms = [Platform("vehicle-1", (266.0 + n) % 360, 4.0 - n, 2.0 * n) for n in range(10)]
    shots = [
        Shot(at(n), slope(10 * n), frame_packet(at(n), camera, pose, platform, 1180.0))
        for n, (pose, platform) in enumerate(zip(poses, platforms, strict=True))
    ]
    write_recording(tmp_path / "window.ts", shots, FPS)
    with open_source(tmp_path / "window.ts") as source:
        frames = list(source)
    assert source.counts.problems == []
    assert [f.time_us for f in frames] == [shot.time_us for shot in shots]
    for frame, pose in zip(frames, poses, strict=True):
        assert (frame.pose.lat_deg, frame.pose.lon_deg) == pytest.approx((pose.lat_deg, pose.lon_deg), abs=1e-7)
        assert frame.pose.altitude.metres == pytest.approx(pose.altitude.metres, abs=0.2)
        turned = pose.rotation_enu_from_camera().T @ frame.pose.rotation_enu_from_camera()
        assert np.degrees(np.arccos(np.clip((np.trace(turned) - 1) / 2, -1, 1))) < 0.01
        assert frame.camera.focal_px == pytest.approx(1125.0, rel=1e-3)
        assert frame.ground_amsl_m == pytest.approx(1180.0, abs=0.2)
        assert abs(int(frame.image[256, 320, 0]) - 10 * frame.index) < 4


def slope(middle):
    """A picture that grows brighter from left to right."""
    return np.broadcast_to((middle + (np.arange(640) - 320) / 16).clip(0, 255), (512, 640)).astype(np.uint8)


def at(number):
    return T0_US + number * STEP_US


@pytest.mark.parametrize("offset_s", [-0.7, 0.0, 0.3, 1.3])
def test_poses_are_read_at_the_time_of_the_picture_plus_the_offset(recording, offset_s):
    """The heading turns by 10 degrees a second, so it tells which pose a picture got."""
    with open_source(recording, clock_offset_s=offset_s, clock_sigma_s=0.05) as source:
        frames = list(source)
        assert source.clock_sigma_s == 0.05
    assert [f.time_us for f in frames] == [T0_US + n * STEP_US for n in range(20)]
    told = [(n, f.pose) for n, f in enumerate(frames) if f.pose is not None]
    assert len(told) >= 20 - abs(offset_s) * FPS - 1
    for n, pose in told:
        assert pose.yaw_deg == pytest.approx((350.0 + 2 * (n + offset_s * FPS) + 90) % 360, abs=0.02)


def test_the_offset_goes_for_pose_files_as_well(plain, tmp_path):
    table = tmp_path / "p.csv"
    rows = [f"{t / 10},31.333,-110.94,90,{t},-57,0,31.5" for t in range(-20, 60)]
    table.write_text("\n".join(["t_s,lat_deg,lon_deg,agl_m,yaw_deg,pitch_deg,roll_deg,hfov_deg", *rows]))
    with open_source(plain, pose=table, clock_offset_s=-0.25) as source:
        frames = list(source)
        assert source.clock_sigma_s is None
    assert [f.pose.yaw_deg for f in frames] == pytest.approx([(10 * (n / FPS - 0.25)) % 360 for n in range(20)])


def test_an_offset_that_is_none_is_refused(recording):
    for wrong in ({"clock_offset_s": float("nan")}, {"clock_offset_s": 1.0, "clock_sigma_s": -0.1}):
        with pytest.raises(SourceError, match="clock offset"):
            open_source(recording, **wrong)


@pytest.mark.parametrize("how", [{"frame_rate": 5.0}, {"times_us": [1, 2]}])
def test_rates_and_times_of_images_are_refused_for_a_video(tmp_path, how):
    video = write_video(tmp_path / "a.mp4", 2)
    with pytest.raises(SourceError, match="is no folder of images"):
        open_source(video, **how)


@pytest.mark.parametrize("rate", [0.0, -5.0, math.nan, math.inf])
def test_rates_that_are_none_are_refused(tmp_path, rate):
    for name in ("fps", "frame_rate"):
        with pytest.raises(SourceError, match="give a number above 0"):
            open_source(tmp_path, **{name: rate})
