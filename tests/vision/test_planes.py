"""Pictures that are made blue-green-red where somebody looks at all of them, and no sooner."""

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vision.recordings import write_video
from tests.vision.tiny_models import ANSWER, tiny_model
from vision.detector import Detector
from vision.planes import DecodedFrame, Planes
from vision.source import open_source
from vision.types import Frame


def decoded(width, height, form, space, colour_range, seed=0):
    """A picture as a decoder hands it on: smooth, vivid, its colours off the ends of the scale."""
    rng = np.random.default_rng(seed)
    half = -(-width // 2), -(-height // 2)
    y, u, v = (
        cv2.resize(rng.integers(low, high, (3, 3)).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
        for low, high, size in ((90, 140, (width, height)), (86, 170, half), (86, 170, half))
    )
    frame = av.VideoFrame(width, height, form)
    parts = [y, np.stack([u, v], axis=-1).reshape(half[1], -1)] if form == "nv12" else [y, u, v]
    for plane, part in zip(frame.planes, parts, strict=True):
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        rows[: part.shape[0], : part.shape[1]] = part
        plane.update(rows)
    frame.colorspace, frame.color_range = space, colour_range
    return frame


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(200, 400),
    height=st.integers(200, 300),
    share=st.floats(0.2, 0.75),
    form=st.sampled_from(["yuv420p", "yuvj420p", "nv12"]),
    space=st.sampled_from([1, 2, 5, 6, 9]),
    colour_range=st.sampled_from([0, 1, 2]),
    seed=st.integers(0, 9),
)
def test_a_smaller_picture_has_the_colours_of_the_whole_one_made_smaller(
    width, height, share, form, space, colour_range, seed
):
    """FFmpeg's own conversion is the oracle: it rounds down, by a level or two, and moves colours by half a pixel."""
    frame = decoded(width, height, form, space, colour_range, seed)
    size = max(1, round(width * share)), max(1, round(height * share))
    out = np.zeros((size[1], size[0], 3), np.uint8)
    Planes.of(frame).scaled(size, out)
    whole = VideoReformatter().reformat(frame, width, height, "bgr24").to_ndarray()
    apart = np.abs(out.astype(int) - cv2.resize(whole, size, interpolation=cv2.INTER_LINEAR))
    assert apart.mean() < 1.8
    assert np.quantile(apart, 0.99) < 8


@pytest.mark.parametrize(("form", "space"), [("yuv422p", 1), ("yuv420p10le", 1), ("gray", 1), ("yuv420p", 8)])
def test_what_is_laid_out_in_another_way_has_none(form, space):
    frame = av.VideoFrame(64, 64, form)
    frame.colorspace = space
    assert Planes.of(frame) is None


def test_what_lies_upwards_in_memory_has_none():
    plane = SimpleNamespace(line_size=-64, width=64, height=64)
    frame = SimpleNamespace(colorspace=1, format=SimpleNamespace(name="yuv420p"), planes=[plane] * 3)
    assert Planes.of(frame) is None


def never():
    raise AssertionError("nobody needs the whole picture")


def test_a_network_smaller_than_the_picture_and_the_brightness_need_no_whole_picture(tmp_path):
    planes = Planes.of(decoded(320, 256, "yuv420p", 1, 0))
    frame = DecodedFrame(never, 7, planes=planes)
    small = Detector(tiny_model(tmp_path / "m.onnx", ANSWER), backend="onnxruntime", image_size=64)
    assert small.detect([frame])[0]
    assert small.detect_frames([frame]) == small.detect([frame])
    assert frame.size_px == (320, 256)
    assert frame.grey.shape == (256, 320)
    large = Detector(tiny_model(tmp_path / "n.onnx", ANSWER), backend="onnxruntime", image_size=320)
    with pytest.raises(AssertionError):
        large.detect([frame])  # of a picture that is not made smaller each pixel counts


def test_the_whole_picture_is_made_once():
    made = []
    frame = DecodedFrame(lambda: made.append(1) or np.full((4, 6, 3), 9, np.uint8), 7, 3)
    assert frame.image is frame.image
    assert made == [1]
    assert frame.size_px == (6, 4)
    other = replace(frame, time_us=8, image=np.zeros((2, 2, 3), np.uint8))
    assert (other.time_us, other.index, other.size_px) == (8, 3, (2, 2))
    assert not other.grey.any()


def test_two_threads_that_ask_for_the_whole_picture_have_the_same():
    made, both = [], threading.Barrier(2)

    def make():
        made.append(1)
        both.wait(0.2) if len(made) < 2 else None
        return np.zeros((4, 6, 3), np.uint8)

    def slow():
        try:
            return make()
        except threading.BrokenBarrierError:  # nobody else makes it meanwhile
            return np.ones((4, 6, 3), np.uint8)

    frame = DecodedFrame(slow, 7)
    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(lambda _: frame.image, range(2))
    assert one is other
    assert made == [1]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda frame: pickle.loads(pickle.dumps(frame))])
def test_a_copy_of_a_frame_is_one_with_the_whole_picture(tmp_path, copied):
    with open_source(write_video(tmp_path / "v.mp4", 3), start_time=5) as source:
        frame = list(source)[1]
    other = copied(frame)
    assert type(other) is Frame
    assert np.array_equal(other.image, frame.image)
    assert (other.time_us, other.index, other.pts_s, other.size_px) == (200_005, 1, 0.2, (320, 256))


@pytest.mark.parametrize("planes", [Planes.of(decoded(32, 32, "yuv420p", 1, 0)), None])
def test_brightness_is_to_be_read_only(planes):
    frame = DecodedFrame(np.zeros((32, 32, 3), np.uint8), 7, planes=planes)
    with pytest.raises(ValueError, match="read-only"):
        frame.grey[0, 0] = 9
    assert frame.image.flags.writeable


@pytest.mark.parametrize("how", [{}, {"turned": 90}])
def test_a_frame_of_a_video_shows_the_same_small_and_whole(tmp_path, how):
    video = write_video(tmp_path / "v.mp4", 3, **how)
    with open_source(video) as source:
        for frame in source:
            size = frame.size_px[0] // 2, frame.size_px[1] // 2
            small = np.zeros((size[1], size[0], 3), np.uint8)
            frame.scaled(size, small)
            height, width = frame.image.shape[:2]
            assert frame.size_px == (width, height)
            apart = np.abs(small.astype(int) - cv2.resize(frame.image, size, interpolation=cv2.INTER_LINEAR))
            assert np.quantile(apart, 0.95) <= 6
            bright = np.corrcoef(frame.grey.ravel(), frame.image[..., 1].ravel())[0, 1]
            assert bright > 0.99
