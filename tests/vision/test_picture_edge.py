"""Where a track ends: at the picture's edge, or in the middle of it."""

from dataclasses import replace

import numpy as np
import pytest

from geo import CameraModel
from tests.vision.flown import T0, Oracle, border, fly, walker
from vision.picture_edge import comes_in, goes_out, size_of
from vision.scene import MovingScene
from vision.types import Detection, Frame, Observation, Track
from vision.watch import watch

SIZE = 640, 512


def track(*corners, size=(12, 24)):
    boxes = (Detection(x, y, x + size[0], y + size[1], "person", 0.9) for x, y in corners)
    return Track(1, "person", 0.9, tuple(Observation(i, i, box) for i, box in enumerate(boxes)))


@pytest.mark.parametrize(
    ("corners", "leaves"),
    [
        ([(300, 200)], False),
        ([(0, 200)], True),  # cut by the edge
        ([(60, 200), (30, 200)], True),  # half of it would be out in the next picture
        ([(60, 200), (55, 200)], False),
        ([(30, 200), (60, 200)], False),  # goes away from the edge
        ([(570, 200), (605, 200)], True),
        ([(300, 440), (300, 470)], True),
        ([(300, 40), (300, 20)], True),
    ],
)
def test_an_object_comes_or_goes_where_one_more_step_leads_over_the_edge(corners, leaves):
    assert goes_out(track(*corners), SIZE) is leaves
    assert comes_in(track(*corners[::-1]), SIZE) is leaves


def test_a_picture_without_a_size_has_no_edge():
    nothing = size_of(Frame(np.zeros((0, 0, 3), np.uint8), 0))
    assert nothing == (0, 0)
    assert not goes_out(track((300, 200)), nothing)


def test_the_size_is_that_of_the_camera_whose_pixels_boxes_are_in():
    picture = np.zeros((2, 2, 3), np.uint8)
    assert size_of(Frame(picture, 0, camera=CameraModel(640, 512, 900.0))) == SIZE
    assert size_of(Frame(np.zeros((512, 640, 3), np.uint8), 0)) == SIZE


def test_who_leaves_by_the_edge_shortly_behind_the_line_may_have_crossed_and_who_is_hidden_there_has_not():
    """Both were last seen 0.8 s behind a line that may lie a metre off."""
    out_s = flight(walker(0.0, -62.0, 0.0, 1.3, 7.0))[0][-1]
    for over_s, until_s, crossings in ((out_s - 0.8, np.inf, 1), (7.0, 7.8, 0), (7.0, np.inf, 1)):
        seen_s, frames, oracle = flight(walker(0.0, -62.0, 0.0, 1.3, over_s), until_s)
        assert until_s > seen_s[-1] - 1e-6
        found = watch(frames, oracle, border=border()).crossings
        assert len(found) == crossings


def test_who_comes_in_by_the_edge_shortly_before_the_line_may_have_crossed_and_who_is_found_there_has_not():
    """Both are first seen 0.7 s before a line that may lie a metre off: 0.2 s on their side, too short for a stay."""
    in_s = flight(walker(0.0, -62.0, 0.0, 1.3, 7.0))[0][0]
    for over_s, since_s, crossings in ((in_s + 0.7, 0.0, 1), (7.1, 6.4, 0)):
        _, frames, oracle = flight(walker(0.0, -62.0, 0.0, 1.3, over_s))
        seen = [
            found if frame.time_us >= T0 + since_s * 1e6 else []
            for frame, found in zip(frames, oracle.boxes, strict=True)
        ]
        assert len(watch(frames, Oracle(seen), border=border()).crossings) == crossings


def test_the_end_of_the_video_is_an_edge_too():
    seen_s, frames, oracle = flight(walker(0.0, -62.0, 0.0, 1.3, 7.0))
    ended = [frame for frame in frames if frame.time_us <= T0 + 7_800_000]
    assert seen_s[-1] > 7.8
    assert len(watch(ended, oracle, border=border()).crossings) == 1


class Hole(MovingScene):
    """Boxes have no places outside some times, as in a hole of the telemetry."""

    def __init__(self, since_s, until_s):
        super().__init__(border(), None)
        self.since_us, self.until_us = T0 + since_s * 1e6, T0 + until_s * 1e6

    def place(self, frame, detections):
        motion, places = super().place(frame, detections)
        return motion, places if self.since_us <= frame.time_us <= self.until_us else None


def test_only_a_way_that_leads_to_the_edge_ends_there():
    """Boxes go on to the edge, but where nobody knows their places anybody may have turned back."""
    _, frames, oracle = flight(walker(0.0, -62.0, 0.0, 1.3, 7.0))
    known = watch(frames, oracle, scene=Hole(0.0, 14.0))
    assert len(known.crossings) == 1
    for hole in (Hole(6.2, 14.0), Hole(0.0, 7.8)):  # 0.8 s on either side of the line, as long as what an edge cuts
        seen = watch(frames, oracle, scene=hole)
        assert [track.observations[0].time_us for track in seen.tracks] == [
            track.observations[0].time_us for track in known.tracks
        ]
        assert seen.crossings == ()


def test_a_video_that_tells_no_time_of_day_begins_at_0_and_has_an_edge_there():
    """Whoever is in its first picture came in before."""
    _, frames, oracle = flight(walker(0.0, -62.0, 0.0, 1.3, 7.0))
    begun = [replace(frame, time_us=frame.time_us - T0 - 6_200_000) for frame in frames if frame.time_us >= T0 + 6.2e6]
    seen = watch(begun, oracle, border=border())
    assert seen.video_s == pytest.approx(frames[-1].pts_s - 6.2)
    assert len(seen.crossings) == 1


def flight(person, until_s=np.inf):
    """When somebody is seen, seconds; the frames, and the oracle that sees nobody after a time."""
    frames, oracle = fly([person], bias=np.zeros(6), noise=0.2)
    since_s = [(frame.time_us - T0) / 1e6 for frame in frames]
    boxes = [found if time_s <= until_s else [] for time_s, found in zip(since_s, oracle.boxes, strict=True)]
    return [time_s for time_s, found in zip(since_s, boxes, strict=True) if found], frames, Oracle(boxes)
