"""Boxes that are cut short by what hides the legs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision import Detection, Observation, Track
from vision.feet import foot_doubt
from vision.fixed import PixelLine, pixel_passages, pixel_track


def walking(heights, *, px_s=30.0, fps=10.0):
    """Someone who walks to the right on one level; the head stays where it is, the box ends where the legs do."""
    observations = []
    for i, height in enumerate(heights):
        x = 100 + px_s * i / fps
        box = Detection(x, 200, x + 30, 200 + height, "person", 0.8)
        observations.append(Observation(round(i * 1e6 / fps), i, box, None))
    return Track(1, "person", 0.8, tuple(observations))


@given(st.lists(st.floats(92, 104), min_size=5, max_size=60))
def test_a_walk_is_not_doubted(heights):
    assert foot_doubt(walking(heights)) == pytest.approx(1.0)


def test_behind_a_wall_the_foot_stays_on_the_ground():
    """For a second of eight only the upper half is seen: the way stays nearly level, where 50 pixels are missing."""
    heights = [100.0] * 40 + [50.0] * 10 + [100.0] * 30
    doubt = foot_doubt(walking(heights))
    # 50 pixels beside 1.5 of a box of 50.
    assert doubt[40:50] == pytest.approx(1 + (50 / 1.5) ** 2)
    assert np.all(doubt[:40] == 1)
    assert np.all(doubt[50:] == 1)
    assert pixel_track(walking(heights)).xy[:, 1] == pytest.approx(300.0, abs=6.0)


def test_who_comes_in_below_crosses_a_line_that_is_drawn_to_the_edge():
    """The picture ends at 300: the box grows until the legs are in it, then he walks on up the picture.

    Where he comes from there, 45 pixels a second, is below the picture; his foot is not past the end of the line.
    """
    heights = [*np.linspace(40, 100, 6), *[100.0] * 30]
    observations = []
    for i, height in enumerate(heights):
        bottom = 300 - 9 * min(max(0, i - 5), 10)
        box = Detection(340 + 15 * i, bottom - height, 380 + 15 * i, bottom, "person", 0.8)
        observations.append(Observation(round(i * 1e6 / 5), i, box, None))
    line = PixelLine("gate", ((400.0, 300.0), (400.0, 0.0)), "left")
    assert len(pixel_passages(Track(1, "person", 0.8, tuple(observations)), line)) == 1


def test_who_comes_nearer_is_not_doubted():
    """Twice as high after ten seconds: growth of a box is no wall."""
    assert foot_doubt(walking(np.linspace(80, 160, 100))) == pytest.approx(1.0)


def test_times_count_not_frames():
    """A second behind a wall is the same second at 5 and at 50 frames."""
    few = foot_doubt(walking([100.0] * 20 + [60.0] * 5 + [100.0] * 15, fps=5))
    many = foot_doubt(walking([100.0] * 200 + [60.0] * 50 + [100.0] * 150, fps=50))
    assert few[22] == pytest.approx(many[220])
    assert few[22] > 100
