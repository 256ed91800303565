"""Cameras that move and do not say how: a whole flight without poses, and a hole in the telemetry."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import Altitude, CameraModel, CameraPose, Datum, LocalFrame, PoseSigma
from tests.asked import few
from tests.vision.scenery import HEIGHT, WIDTH, apply, moved, scenery, seen
from tests.vision.test_ground import track_of
from tests.vision.test_steady import Told, drawn
from vision.border import BorderLine
from vision.camera_motion import GroundPlane, SlidingPicture
from vision.fixed import PixelLine
from vision.ground import GroundSettings, ground_track
from vision.scene import MovingScene, PictureScene
from vision.tracker import Tracker
from vision.types import Detection, Frame
from vision.watch import watch

WORLD = scenery(21)
T0 = 1_790_000_000_000_000
LENS = CameraModel(WIDTH, HEIGHT, 700.0)
ORIGIN = LocalFrame(31.333, -110.94, 0.0)
SIGMA = PoseSigma(0.3, 0.3, 0.2, 0.2, 0.2)


def test_a_flight_without_poses_keeps_its_tracks():
    """The picture slides by two widths of a person a frame, turns and comes closer."""
    people = [(120.0, 150.0, 6.0, 0.0), (350.0, 220.0, 0.0, 3.0), (400.0, 225.0, -2.0, 0.0), (520.0, 300.0, 0.0, 0.0)]
    scene, tracker, ended, names = PictureScene(None), Tracker(), [], {}
    for i in range(50):
        motion = moved(abs(34 * i % 640 - 320) - 160.0, 40 * np.sin(i / 4), 0.3 * i, 1 + 0.003 * i)
        image, boxes = seen(WORLD, motion), []
        for k, (x, y, vx, vy) in enumerate(people):
            foot = apply(motion, np.array([(x + vx * i / 10, y + vy * i / 10)]))[0]
            box = drawn(image, foot)
            boxes.append(box)
            names[id(box)] = k, box
        frame = Frame(image, T0 + 100_000 * i, i)
        how, ground = scene.place(frame, boxes)
        assert ground is None
        ended += tracker.update(boxes, frame.time_us, i, how)
    ended += tracker.finish()
    held = [{names[id(o.detection)][0] for o in track.observations} for track in ended]
    assert sorted(map(sorted, held)) == [[0], [1], [2], [3]]
    assert all(len(track.observations) == 50 for track in ended)


def test_a_step_that_the_pictures_do_not_tell_is_wide_open():
    scene = PictureScene(None)
    first, second, cut, after = (
        scene.place(Frame(image, T0 + i, i), ())[0]
        for i, image in enumerate([seen(WORLD), seen(WORLD, moved(9.0)), seen(scenery(5)), seen(scenery(5))])
    )
    assert all(isinstance(m, SlidingPicture) for m in (first, second, cut, after))
    assert (first.step_sigma_px, np.array_equal(first.step, np.eye(3))) == (0.0, True)
    assert 0 < second.step_sigma_px < 1
    assert np.array_equal(cut.step, np.eye(3))
    assert cut.step_sigma_px > 10
    assert 0 < after.step_sigma_px < 1
    assert scene.place(Frame(np.zeros((0, 0, 3), np.uint8), T0 + 9, 9), ()) is not None


def flight(count, hole, rate=10.0):
    """40 m up, looking steeply down, over one who walks across a line; poses are missing in a span of seconds."""
    planes, frames, boxes = [], [], []
    for i in range(count):
        t = i / rate
        lat, lon, _ = ORIGIN.to_geodetic(1.5 * t - 6.0, 0.0, 0.0)
        pose = CameraPose(float(lat), float(lon), Altitude(40.0, Datum.AGL), 2 * np.sin(t), -70.0, 0.0, SIGMA)
        planes.append(GroundPlane.of_pose(LENS, pose, ORIGIN, 0.0))
        image = seen(WORLD, np.linalg.inv(planes[-1].to_plane) @ planes[0].to_plane)
        foot = planes[-1].relative(np.array([(0.5 * t, 9.0 + 1.2 * t)]))[0]
        boxes.append([drawn(image, foot, (10, 26))])
        told = None if hole[0] <= t < hole[1] else pose
        frames.append(Frame(image, T0 + round(t * 1e6), i, t, told, LENS, 0.0))
    return frames, boxes


LINE = BorderLine(
    "b",
    tuple((float(lon), float(lat)) for lat, lon, _ in (ORIGIN.to_geodetic(e, 14.0, 0.0) for e in (-80.0, 80.0))),
    "left",
)


def test_tracks_live_through_a_hole_in_the_telemetry():
    frames, boxes = flight(80, (2.5, 5.6))
    result = watch(frames, Told(boxes), border=LINE, name="v")
    (track,) = result.tracks
    assert len(track.observations) == 80
    assert [o.ground is None for o in track.observations] == [f.pose is None for f in frames]
    assert result.without_pose == 31
    ((crossing),) = result.crossings
    # 14 m north is passed after 4.17 s, within the hole.
    assert abs(crossing.time_us - T0 - 4_170_000) < 700_000
    # Pictures that say nothing leave the hole as it is: it is longer than a track lives unseen.
    blank = [replace(f, image=np.zeros_like(f.image)) for f in frames]
    assert len(watch(blank, Told(boxes), border=LINE, name="v").tracks) == 2


@pytest.mark.parametrize("seconds", [0.1, 1.5])
def test_pictures_far_apart_in_time_do_not_stand_in_for_a_pose(seconds):
    frames, _ = flight(3, (9.0, 9.0))
    scene = MovingScene(LINE, None)
    scene.place(frames[0], ())
    later = replace(frames[1], pose=None, time_us=frames[0].time_us + round(seconds * 1e6))
    placed = scene.place(later, [Detection(100, 100, 110, 126, "person", 0.9)])
    assert (placed is not None) == (seconds < 1)
    if placed is not None:
        true = GroundPlane.of_pose(LENS, frames[1].pose, scene.frame, 0.0)
        at = np.array([(200.0, 120.0), (500.0, 300.0)])
        assert np.allclose(placed[0].absolute(at), true.absolute(at), atol=0.15)
        assert placed[1] is None
        assert placed[0].sigma_px > 0


def test_tracks_that_are_looked_at_again_are_smoothed_as_ever_and_few_are_remembered():
    rng, scene, how = np.random.default_rng(4), MovingScene(None, None), GroundSettings()
    for count in (20, 30):
        for number in range(1, 41):
            places = np.cumsum(rng.normal(0, 0.2, (count, 2)), axis=0)
            track = replace(track_of(places, np.arange(count) / 5), number=number)
            way, alone = scene.way(track, how), ground_track(track, how)
            assert np.array_equal(way.xy, alone.xy)
            assert np.array_equal(way.random, alone.random)
    assert len(scene._smoothers) == 16


@settings(max_examples=few(60), deadline=None)
@given(seed=st.integers(0, 9999), bent=st.booleans(), pixel=st.booleans())
def test_sides_are_those_of_all_that_is_remembered_however_often_one_asks(seed, bent, pixel):
    """Tracks that grow, wander over a line, and forget how they began."""
    rng = np.random.default_rng(seed)
    line = PixelLine("line", ((0.0, -90.0), (0.0, 0.0), (4.0 if bent else 0.0, 90.0)), "left")
    scene = PictureScene(line) if pixel else MovingScene(None, None)
    scene.line = line.as_ground()
    seen, tracks = (
        set(),
        {number: np.cumsum(rng.normal(0, 1.5, (40, 2)), axis=0) + np.array([6, 0]) for number in (1, 2, 3)},
    )
    for _ in range(12):
        number, end = int(rng.integers(1, 4)), int(rng.integers(1, 41))
        begin = int(rng.integers(0, end)) if rng.random() < 0.3 else 0
        places = tracks[number][begin:end]
        whole = track_of(places, np.arange(begin, end) / 5)
        if pixel:
            boxes = [Detection(x - 2, y - 9, x + 2, y, "person", 0.8) for x, y in places.tolist()]
            whole = replace(
                whole,
                observations=tuple(
                    replace(o, detection=box, ground=None) for o, box in zip(whole.observations, boxes, strict=True)
                ),
            )
        offset = line.as_ground().locate(places).offset_m
        expected = bool(offset.min() < 0 < offset.max())
        # A later asking knows more than an earlier one, as a track that goes on does.
        if end >= max((e for n, e in seen if n == number), default=0):
            assert scene.both_sides(replace(whole, number=number)) == expected
            seen.add((number, end))
    assert len(scene._sides._seen) <= 3


def test_each_observation_is_looked_at_once():
    scene, asked = MovingScene(None, None), []
    line = PixelLine("line", ((0.0, -90.0), (0.0, 90.0)), "left").as_ground()
    scene.line = Counted(line, asked)
    places = np.stack([np.linspace(-9, 9, 90), np.zeros(90)], axis=-1)
    sides = [scene.both_sides(track_of(places[:end], np.arange(end) / 5)) for end in (30, 40, 40, 70, 90)]
    assert sides == [False, False, False, True, True]
    assert asked == [30, 10, 30, 20]
    none = replace(track_of(places, np.arange(90) / 5), number=7)
    none = replace(none, observations=tuple(replace(o, ground=None) for o in none.observations))
    assert not scene.both_sides(none)


class Counted:
    """A line that counts the points that are laid beside it."""

    def __init__(self, line, asked):
        self.line, self.asked = line, asked

    def locate(self, points):
        self.asked.append(len(points))
        return self.line.locate(points)
