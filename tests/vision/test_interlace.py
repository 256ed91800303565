"""Pictures of two half pictures, and of pixels that are not square: what is seen is where it is, at the time it was."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from tests.vision.scenery import HEIGHT, WIDTH, scenery, seen
from vision import cut_clip, open_source
from vision.clip_picture import pictures_at
from vision.interlace import of_one_moment

WORLD = scenery(6)
RATE = 25


def at(moment):
    """A still view through which somebody runs, who is in other places half a picture's time later."""
    image = seen(WORLD)
    left = round(40 + 400 * moment)
    image[120:180, left : left + 20] = 250
    return image


def woven(number, lower_first=False):
    early, late = at(number / RATE), at((number + 0.5) / RATE)
    image = late if lower_first else early
    image[1::2] = (early if lower_first else late)[1::2]
    return image


@pytest.mark.parametrize("lower_first", [False, True])
@pytest.mark.parametrize("height", [HEIGHT, HEIGHT - 1])
def test_what_moves_is_where_it_was_at_the_earlier_moment_and_the_rest_is_untouched(height, lower_first):
    given, want = woven(3, lower_first)[:height], at(3 / RATE)[:height]
    made = of_one_moment(given, lower_first=lower_first)
    off_before, off = (np.abs(one.astype(int) - want).max(axis=2) > 40 for one in (given, made))
    assert off_before.sum() > 200
    assert off.sum() < 0.15 * off_before.sum()
    far = np.ones(given.shape[:2], bool)
    far[112:188, 30:160] = False
    assert (made[far] == given[far]).all()


def test_a_still_picture_keeps_every_line():
    rng = np.random.default_rng(2)
    noisy = seen(WORLD, noise=4.0, rng=rng)
    cv2.line(noisy, (0, 77), (WIDTH, 77), (255, 255, 255), 1)  # a wire
    assert (of_one_moment(noisy) == noisy).mean() > 0.999
    assert (of_one_moment(noisy[:2]) == noisy[:2]).all()


def write(path, pictures, *, aspect=None, options=None):
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=RATE, options={"crf": "12", **(options or {})})
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = "yuv420p"
        if aspect is not None:
            video.codec_context.sample_aspect_ratio = aspect
        for number, image in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


@pytest.mark.parametrize("lower_first", [False, True])
def test_an_interlaced_recording_is_seen_so_and_said(tmp_path, lower_first):
    order = "bff=1" if lower_first else "tff=1"
    options = {"x264-params": f"interlaced=1:{order}"}
    path = write(tmp_path / "tape.ts", [woven(n, lower_first) for n in range(12)], options=options)
    with open_source(path) as source:
        images = [frame.image for frame in source]
    (problem,) = source.counts.problems
    assert "two half pictures each: what moves is taken from the earlier one" in problem
    for number in (2, 8):
        body = images[number][125:175, :, 1].astype(int) > 225
        columns = np.flatnonzero(body.mean(axis=0) > 0.5)
        left = round(40 + 400 * number / RATE)
        assert abs(columns.min() - left) <= 1
        assert abs(columns.max() - (left + 19)) <= 1
    clip = cut_clip(path, 0, 400_000, tmp_path / "clip.ts", start_time=0)
    shown = pictures_at(clip.path, clip.start_us, [80_000])[80_000]
    assert np.abs(shown.astype(int) - images[2]).mean() < 0.5


def test_pixels_that_are_wider_than_high_are_made_square(tmp_path):
    """As a television shows it: a circle is one, and a clip's picture as wide as what was watched."""
    image = np.full((576, 720, 3), 60, np.uint8)
    cv2.ellipse(image, (360, 288), (110, 160), 0, 0, 360, (255, 255, 255), -1)
    for form in ("mp4", "ts"):
        path = write(tmp_path / f"tape.{form}", [image] * 10, aspect=Fraction(16, 11))
        with open_source(path) as source:
            frames = list(source)
            assert (source.width, source.height) == (1047, 576)
        rows, columns = np.nonzero(frames[3].image[..., 1] > 150)
        assert np.ptp(columns) / np.ptp(rows) == pytest.approx(1.0, abs=0.01)
        clip = cut_clip(path, 0, 300_000, tmp_path / f"clip.{form}", start_time=0)
        assert pictures_at(clip.path, clip.start_us, [120_000])[120_000].shape == (576, 1047, 3)
    for no_aspect in (Fraction(1, 1), Fraction(400, 401), Fraction(9, 1)):
        with open_source(write(tmp_path / "s.mp4", [image] * 3, aspect=no_aspect)) as source:
            assert source.width == 720
