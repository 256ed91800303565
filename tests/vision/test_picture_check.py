"""Video that freezes, goes dark or changes its size: said, counted, and no ground for a crossing."""

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vision.recordings import FPS, T0_US, klv, number_of, picture, write_video
from tests.vision.test_planes import decoded
from vision.media import SourceCounts
from vision.picture_check import PictureCheck
from vision.planes import Planes
from vision.source import open_source

FROZEN = 25


def ground(seed=1):
    """Something to look at, with noise that is its own."""
    rough = np.random.default_rng(seed).normal(100, 40, (32, 40, 3))
    return cv2.resize(rough, (320, 256), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)


def flying(speed_deg):
    """Telemetry of a camera that moves north by so many degrees a picture."""
    return lambda n: klv(T0_US + n * 1_000_000 // FPS, sensor_lat_deg=31.333 + speed_deg * n)


def flight(number):
    """Ground that goes by, until the encoder hangs."""
    return np.ascontiguousarray(np.roll(ground(), 7 * min(number, FROZEN), axis=0))


@pytest.mark.parametrize("gop", [3, 12])
def test_a_frozen_picture_loses_its_pose_where_the_camera_goes_on(tmp_path, gop):
    video = write_video(tmp_path / "v.ts", 60, telemetry=flying(1e-5), form="mpegts", gop=gop, pictures=flight)
    with open_source(video) as source:
        frames = list(source)
        counts = source.counts
    assert len(frames) == 60
    # 2 s and a look, of a picture every 0.2 s.
    assert all(frame.pose is not None for frame in frames[: FROZEN + 10])
    assert all(frame.pose is None for frame in frames[FROZEN + 14 :])
    assert counts.without_pose == sum(frame.pose is None for frame in frames)
    assert counts.still >= 60 - FROZEN - 14
    assert sum("has not changed since" in problem for problem in counts.problems) == 1


def test_a_camera_that_hovers_over_a_quiet_place_keeps_its_poses(tmp_path):
    video = write_video(tmp_path / "v.ts", 40, telemetry=flying(0), form="mpegts", pictures=lambda _: ground())
    with open_source(video) as source:
        assert all(frame.pose is not None for frame in source)
        assert source.counts.still > 20  # that is said all the same
        assert source.counts.blank == 0


def test_a_moving_camera_over_changing_ground_is_left_alone(tmp_path):
    video = write_video(
        tmp_path / "v.ts",
        40,
        telemetry=flying(1e-5),
        form="mpegts",
        pictures=lambda n: np.ascontiguousarray(np.roll(ground(), 2 * n, axis=1)),
    )
    with open_source(video) as source:
        assert all(frame.pose is not None for frame in source)
        assert (source.counts.still, source.counts.blank, source.counts.problems) == (0, 0, [])


@pytest.mark.parametrize("level", [0, 16, 128, 255])
def test_a_picture_of_one_shade_is_said_once(tmp_path, level):
    video = write_video(tmp_path / "v.ts", 30, pictures=lambda _: np.full((256, 320, 3), level, np.uint8))
    with open_source(video) as source:
        assert len(list(source)) == 30
        assert source.counts.blank == 30
        assert sum("nothing but one shade" in problem for problem in source.counts.problems) == 1


@pytest.mark.parametrize("name", ["vtest.avi", "1_60_50_0_00281-00407.mp4", "intel_car-detection.mp4"])
def test_real_video_that_runs_is_left_alone(shared_data, name):
    with open_source(shared_data(f"videos/{name}"), fps=3) as source:
        assert sum(1 for _ in source) > 5
        assert (source.counts.still, source.counts.blank) == (0, 0)


@pytest.mark.parametrize(("space", "colour_range"), [(1, 1), (1, 2), (5, 1), (9, 1)])
def test_a_frozen_picture_is_still_whatever_each_picture_of_it_is_made_of(space, colour_range):
    """Interlaced pictures may alternate with others: of those the green of the whole picture is looked at."""
    frame = decoded(640, 512, "yuv420p", space, colour_range)
    whole = VideoReformatter().reformat(frame, 640, 512, "bgr24").to_ndarray()
    counts = SourceCounts()
    check = PictureCheck("camera", counts)
    for k in range(12):
        check.fits(Planes.of(frame) if k % 2 else whole[..., 1], k * 0.5, None)
    assert (counts.still, counts.blank) == (8, 0)


@pytest.mark.parametrize("colour_range", [1, 2])
@pytest.mark.parametrize(("apart", "blank"), [(3, True), (9, False)])
def test_what_is_of_one_shade_is_so_by_the_same_measure_in_every_range(colour_range, apart, blank):
    """In levels of 255; a picture that holds 219 has them closer together."""
    counts = SourceCounts()
    level = 100 + round(apart * (1 if colour_range == 2 else 219 / 255))
    frame = av.VideoFrame(640, 512, "yuv420p")
    for plane, low, high in zip(frame.planes, (100, 128, 128), (level, 128, 128), strict=True):
        rows = np.full((plane.height, plane.line_size), low, np.uint8)
        rows[plane.height // 2 :] = high
        plane.update(rows)
    frame.colorspace, frame.color_range = 1, colour_range
    PictureCheck("camera", counts).fits(Planes.of(frame), 0.0, None)
    assert counts.blank == blank


@settings(max_examples=30)
@given(
    x=st.integers(0, 600),
    y=st.integers(0, 480),
    contrast=st.integers(60, 150) | st.integers(-90, -60),
    seed=st.integers(0, 99),
)
def test_a_picture_in_which_a_person_walks_does_not_stand_still(x, y, contrast, seed):
    """8 by 18 pixels, across the view of a fixed camera that shows nothing else than noise."""
    rng = np.random.default_rng(seed)
    counts = SourceCounts()
    check = PictureCheck("camera", counts)
    empty = rng.normal(100, 4, (512, 640, 3))
    for k in range(12):
        image = empty.copy()
        left = (x + 9 * k) % 632
        image[y : y + 18, left : left + 8] += contrast
        assert check.fits(image[..., 1].clip(0, 255).astype(np.uint8), k * 0.5, None)
    assert counts.still == 0


def test_pictures_that_change_their_size_go_on_in_the_first(tmp_path):
    """Two recordings in one file: another size, and a clock that starts anew."""
    small = lambda n: cv2.resize(picture(n), (160, 128), interpolation=cv2.INTER_AREA)  # noqa: E731
    first = write_video(tmp_path / "a.ts", 20, form="mpegts")
    second = write_video(tmp_path / "b.ts", 15, form="mpegts", pictures=small)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    with open_source(joined) as source:
        frames = list(source)
        counts = source.counts
    assert {frame.image.shape for frame in frames} == {(256, 320, 3)}
    assert [number_of(frame.image) for frame in frames] == [*range(20), *range(15)]
    assert np.diff([frame.time_us for frame in frames]).tolist() == pytest.approx([200_000] * 34, abs=1)
    assert (counts.size_changes, counts.clock_jumps, counts.out_of_order) == (1, 1, 0)
    assert any("change from 320x256 to 160x128" in problem for problem in counts.problems)
    assert any("clock of the stream jumps" in problem for problem in counts.problems)
