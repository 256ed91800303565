"""Pictures of more than 8 bits, several videos in one file, pictures without times: seen as they are, and said."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from tests.vision.recordings import FPS, number_of, picture, write_video
from vision import open_source
from vision.deep_pictures import shades

WARM = slice(20, 40), slice(30, 36)


def scene(number, kind, low, high):
    """A warm figure before cold ground that grows lighter to the right."""
    image = np.tile(np.linspace(low, low + (high - low) / 4, 80), (60, 1))
    image[WARM] = high - number * (high - low) / 50
    return image.astype(kind)


@pytest.mark.parametrize(
    ("suffix", "kind", "low", "high"),
    [(".tiff", np.uint16, 7000, 7400), (".png", np.uint16, 29000, 30100), (".tif", np.float32, -5.0, 31.0)],
)
def test_thermal_images_show_what_is_in_them_whatever_unit_they_have(tmp_path, suffix, kind, low, high):
    for number in range(4):
        cv2.imwrite(str(tmp_path / f"{number:03d}{suffix}"), scene(number, kind, low, high))
    with open_source(tmp_path, fps=5) as source:
        seen = [frame.image for frame in source]
    assert len(seen) == 4
    for number, image in enumerate(seen):
        assert image.dtype == np.uint8
        true = scene(number, np.float64, low, high)
        wanted = 255 * (true - true.min()) / (true.max() - true.min())
        assert np.abs(image - wanted[..., None]).max() <= 1.5  # the shade next to it, and what whole counts leave out
    assert [note for note in source.counts.problems if "more than 8 bits" in note] == source.counts.problems


def test_a_dead_pixel_does_not_make_everything_else_dark():
    image = np.tile(np.linspace(7000, 7100, 320), (240, 1)).astype(np.uint16)
    image[100:110, 50:54] = 7400
    whole = shades(image)
    image[5, 5], image[7, 9] = 65535, 0
    pocked = shades(image)
    pocked[5, 5] = whole[5, 5]
    pocked[7, 9] = whole[7, 9]
    assert np.abs(pocked.astype(int) - whole).max() <= 1
    assert whole[105, 52].tolist() == [255] * 3


def test_a_picture_that_shows_nothing_stays_one():
    rng = np.random.default_rng(1)
    for image in (
        np.full((60, 80), 7000, np.uint16),
        np.zeros((60, 80), np.float32),
        np.full((60, 80), np.nan, np.float32),
    ):
        assert np.ptp(shades(image)) == 0
    noise = shades((7000 + rng.normal(0, 2, (60, 80))).astype(np.uint16))
    assert noise.std() < 10
    assert shades(np.array([[np.nan, -np.inf, 1.0, 2.0, np.inf]], np.float32)).shape == (1, 5, 3)


def test_colours_of_16_bits_keep_their_brightness(tmp_path):
    colour = np.zeros((60, 80, 3), np.uint16)
    colour[..., 0], colour[..., 2] = 20_000, 5_000
    cv2.imwrite(str(tmp_path / "0.png"), colour)
    with open_source(tmp_path, fps=5) as source:
        (frame,) = source
    assert frame.image[0, 0].tolist() == [78, 0, 19]


def test_images_of_8_bits_are_as_they_were(tmp_path):
    grey = np.full((60, 80), 90, np.uint8)
    grey[WARM] = 120
    for suffix in (".png", ".tiff"):
        cv2.imwrite(str(tmp_path / f"1{suffix}"), grey)
    with open_source(tmp_path, fps=5) as source:
        assert all((frame.image == grey[..., None]).all() for frame in source)
        assert source.counts.problems == []


@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_of_several_videos_in_one_file_the_first_is_watched_and_that_is_said(tmp_path, suffix):
    path = tmp_path / f"two{suffix}"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=FPS) for _ in range(2)]
        for stream, size in zip(streams, ((160, 128), (320, 240)), strict=True):
            stream.width, stream.height = size
            stream.pix_fmt, stream.options = "yuv420p", {"tune": "zerolatency"}
        for number in range(8):
            for stream in streams:
                image = picture(number) if stream is streams[0] else np.zeros((240, 320, 3), np.uint8)
                frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(stream.width, stream.height)
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    with open_source(path) as source:
        sizes = {frame.image.shape[:2] for frame in source}
    assert sizes == {(128, 160)}
    assert f"{path}: holds 2 videos: the first one, 160x128, is watched" in source.counts.problems


def test_pictures_without_times_are_said_to_come_at_a_rate_that_nobody_told(tmp_path):
    whole = write_video(tmp_path / "a.mp4", 20)
    raw = tmp_path / "a.h264"
    with av.open(str(whole)) as given, av.open(str(raw), "w", format="h264") as container:
        stream = given.streams.video[0]
        copy = container.add_stream_from_template(stream)
        for packet in given.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                container.mux(packet)
    with open_source(raw) as source:
        frames = list(source)
    assert [number_of(frame.image) for frame in frames] == list(range(20))
    (told,) = (note for note in source.counts.problems if "tells no times" in note)
    rate = 1e6 / np.median(np.diff([frame.time_us for frame in frames]))
    assert f"come {rate:g} a second" in told
    with open_source(whole) as source:
        list(source)
    assert source.counts.problems == []
