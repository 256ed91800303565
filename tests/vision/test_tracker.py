"""Tracks keep to their objects, under a camera that moves farther in a frame than an object is wide."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import Altitude, CameraModel, CameraPose, Datum, FlatTerrain, LocalFrame, PoseSigma
from vision.camera_motion import GroundPlane, SlidingPicture, StillCamera
from vision.errors import TrackError
from vision.georeference import ErrorModel, Georeferencer
from vision.ground import ground_track
from vision.kalman import PlaneFilter, predict_all, update_all
from vision.tracker import Tracker, TrackerSettings
from vision.types import Detection, Frame

CAMERA = CameraModel(640, 512, 1125.0)
GROUND = FlatTerrain(1180.0)
ORIGIN = LocalFrame(31.333, -110.94, 1180.0)
IMAGE = np.zeros((512, 640, 3), np.uint8)
T0 = 1_790_000_000_000_000
SPEED = 7.5


def camera_at(time_s, speed=SPEED, wobble=0.0):
    """90 m up, 60 m off a line that runs east, looking across it; flies east."""
    lat, lon, _ = ORIGIN.to_geodetic(speed * time_s - 30.0, 0.0, 0.0)
    return CameraPose(
        float(lat),
        float(lon),
        Altitude(1270.0, Datum.AMSL),
        180.0 + wobble,
        -57.0,
        0.0,
        PoseSigma(0.5, 0.5, 0.3, 0.3, 0.3),
    )


def box_of(pose, east, north, rng, noise=0.7, height=1.7, kind="person"):
    """The noisy box of an upright body at a place, or None outside the picture."""
    e, n, _ = ORIGIN.to_enu(pose.lat_deg, pose.lon_deg, 1180.0)
    body = np.array(
        [[east - e + dx, north - n + dy, z - 90.0] for dx in (-0.3, 0.3) for dy in (-0.3, 0.3) for z in (0, height)]
    )
    pixels = CAMERA.project(body @ pose.rotation_enu_from_camera())
    if not CAMERA.contains(pixels).all():
        return None
    (x1, y1), (x2, y2) = pixels.min(axis=0), pixels.max(axis=0)
    x1, y1, x2, y2 = np.array([x1, y1, x2, y2]) + rng.normal(0, noise, 4)
    return Detection(float(x1), float(y1), float(max(x2, x1 + 2)), float(max(y2, y1 + 2)), kind, 0.8)


def fly(people, *, seconds=14.0, rate=5.0, clutter=0.0, miss=0.0, seed=0, moving=True, seen_by="pose", times=None):
    """Film people (functions of time to east and north); return the tracks and, for each, whose boxes it holds."""
    rng = np.random.default_rng(seed)
    tracker, ended, owner = Tracker(), [], {}
    where = Georeferencer(ORIGIN, GROUND, ErrorModel())
    times = np.arange(0, seconds, 1 / rate) if times is None else times
    before = None
    for index, time_s in enumerate(times):
        pose = camera_at(time_s, SPEED if moving else 0.0, wobble=0.3 * np.sin(time_s * 3))
        detections = []
        for name, person in enumerate(people):
            box = box_of(pose, *person(time_s), rng)
            if box is not None and rng.random() >= miss:
                detections.append(box)
                owner[id(box)] = (name, box)
        for _ in range(rng.poisson(clutter)):
            x, y = rng.uniform((10, 10), (620, 480))
            detections.append(Detection(x, y, x + 9, y + 18, "person", float(rng.uniform(0.2, 0.9))))
        time_us = T0 + round(time_s * 1e6)
        frame = Frame(IMAGE, time_us, index, pose=pose, camera=CAMERA)
        plane = GroundPlane.of_pose(CAMERA, pose, ORIGIN, 1180.0)
        step = np.eye(3) if before is None else np.linalg.inv(plane.to_plane) @ before
        before = plane.to_plane
        motion = {"pose": plane, "nothing": StillCamera(), "picture": SlidingPicture(step / step[2, 2], 0.3)}[seen_by]
        ground = where.points(frame, detections) if seen_by == "pose" else None
        ended += tracker.update(detections, time_us, index, motion, ground)
    ended += tracker.finish()
    return [(t, [owner.get(id(o.detection), (None,))[0] for o in t.observations]) for t in ended]


def walker(east, north, speed_east, speed_north):
    return lambda t: (east + speed_east * t, north + speed_north * t)


def test_the_picture_slides_farther_than_a_person_is_wide():
    a, b = camera_at(0.0), camera_at(0.2)
    first, second = (
        box_of(pose, 0.0, -60.0, np.random.default_rng(0), noise=0) for pose in (camera_at(3.0), camera_at(3.2))
    )
    assert a != b
    assert abs(first.centre[0] - second.centre[0]) > 1.2 * first.size[0]


PEOPLE = [
    walker(0, -70, 0.3, 1.2),
    walker(1.5, -70, 0.3, 1.2),
    walker(20, -50, -0.5, -1.0),
    walker(35, -60, 0.0, 0.0),
    walker(50, -62, -1.2, 0.4),
]


@pytest.mark.parametrize("seen_by", ["pose", "picture"])
def test_under_a_moving_camera_no_identity_switches(seen_by):
    tracks = fly(PEOPLE, seen_by=seen_by)
    assert len(tracks) == len(PEOPLE)
    for _, names in tracks:
        assert len(set(names)) == 1


@pytest.mark.parametrize("seed", range(3))
def test_by_the_picture_alone_people_keep_their_track_in_clutter(seed):
    tracks = fly(PEOPLE, clutter=1.0, miss=0.1, seed=seed, seen_by="picture")
    for person in range(len(PEOPLE)):
        assert sum(person in names for _, names in tracks) == 1


def swung(people, pan_px, times_s):
    """Track upright boxes of 20 x 50 pixels about places in the world, through a window that is panned."""
    tracker, ended, whose, before = Tracker(), [], {}, None
    for index, time_s in enumerate(times_s):
        left = pan_px(time_s)
        step = np.eye(3)
        step[0, 2] = 0.0 if before is None else before - left
        before, boxes = left, []
        for name, person in enumerate(people):
            x, y = person(time_s)[0] - left, person(time_s)[1]
            if 8 < x < 632:  # the better half of it
                boxes.append(Detection(max(0.0, x - 10), y - 25, min(640.0, x + 10), y + 25, "person", 0.8))
                whose[id(boxes[-1])] = name, boxes[-1]
        motion = SlidingPicture(step, 0.3, (640, 512))
        ended += tracker.update(boxes, T0 + round(time_s * 1e6), index, motion)
    ended += tracker.finish()
    return [{whose[id(o.detection)][0] for o in t.observations} for t in ended]


def test_who_leaves_by_the_edge_is_not_who_comes_in_there():
    """A second after the one has walked out another one walks in, three steps up."""
    out, into = walker(100, 250, -30, 0), walker(-165, 262, 35, 0)
    assert swung([out, into], lambda _: 0.0, np.arange(0, 9, 0.1)) == [{0}, {1}]


def test_who_stands_where_the_camera_turned_away_from_is_the_same_when_it_is_back():
    times_s = np.arange(0, 9, 0.1)
    assert swung([walker(40, 250, 0, 0)], lambda time_s: 100 * max(0, 1 - abs(time_s - 4)), times_s) == [{0}]


@settings(max_examples=30, deadline=None)
@given(
    place=st.tuples(st.floats(0, 640), st.floats(0, 512)),
    velocity=st.tuples(st.floats(-30, 30), st.floats(-30, 30)),
    tilt=st.floats(-2e-4, 2e-4),
    turn=st.floats(-0.5, 0.5),
)
def test_what_is_carried_to_another_picture_is_what_is_seen_there(place, velocity, tilt, turn):
    """Against the homography itself: places of now and of a moment later, and a cloud of samples."""
    step = np.array([[np.cos(turn), -np.sin(turn), 30.0], [np.sin(turn), np.cos(turn), -12.0], [tilt, -tilt, 1.0]])

    def there(points):
        mapped = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ step.T
        return mapped[:, :2] / mapped[:, 2:]

    spread = np.array([[9.0, 2.0], [2.0, 4.0]])
    state = PlaneFilter(np.array(place), spread, 5.0, 1.0)
    state.state[2:] = velocity
    state.carry(*SlidingPicture(step).carry(state.state[:2]), 2.0)
    dt = 1e-3
    now, later = there(np.array([place, np.add(place, np.multiply(velocity, dt))]))
    assert np.allclose(state.state[:2], now, atol=1e-9)
    assert np.allclose(state.state[2:], (later - now) / dt, atol=0.02)
    cloud = there(np.random.default_rng(1).multivariate_normal(place, spread, 20_000))
    assert np.allclose(np.cov(cloud.T) + 4.0 * np.eye(2), state.covariance[:2, :2], rtol=0.08, atol=0.25)


@given(st.lists(st.tuples(*[st.floats(-50, 50)] * 4, *[st.floats(0.1, 9)] * 3), max_size=7), st.floats(0.01, 3))
def test_filters_together_are_as_each_alone(rows, seconds):
    """Beside the matrices of the textbook: F P F' + Q, and K = P H' (H P H' + R)^-1."""

    def made():
        return [PlaneFilter(np.array(row[:2]), np.diag(row[4:6]), row[6], row[5]) for row in rows]

    alone, together = made(), made()
    places = np.array([row[2:4] for row in rows]).reshape(-1, 2)
    noises = np.array([[[row[4], row[5] / 9], [row[5] / 9, row[4]]] for row in rows]).reshape(-1, 2, 2)
    predict_all(together, seconds)
    update_all(together, places, noises)
    for one, other, place, noise in zip(alone, together, places, noises, strict=True):
        one.predict(seconds)
        gain = one.covariance[:, :2] @ np.linalg.inv(one.covariance[:2, :2] + noise)
        expected = one.covariance - gain @ one.covariance[:2]
        assert np.allclose(other.state, one.state + gain @ (place - one.state[:2]))
        assert np.allclose(other.covariance, expected)
        one.update(place, noise)
        assert np.allclose(other.covariance, one.covariance)


def test_without_the_known_motion_the_same_scene_breaks():
    """The scene is hard: without the pose the tracks do break. (A pair to the test above, not a wish.)"""
    tracks = fly(PEOPLE, seen_by="nothing")
    broken = len(tracks) != len(PEOPLE) or any(len(set(names)) > 1 for _, names in tracks)
    assert broken


@pytest.mark.parametrize("seed", range(4))
def test_with_clutter_and_misses_people_keep_one_track(seed):
    tracks = fly(PEOPLE, clutter=1.5, miss=0.15, seed=seed)
    for person in range(len(PEOPLE)):
        holders = [names for _, names in tracks if person in names]
        assert len(holders) == 1, f"person {person} is in {len(holders)} tracks"
        assert holders[0].count(person) >= 0.9 * sum(n is not None for n in holders[0])
    # Clutter at a new place in each frame seldom makes a track.
    assert sum(all(n is None for n in names) for _, names in tracks) <= 2


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 999), east=st.floats(10, 40))
def test_irregular_times_do_not_matter(seed, east):
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.05, 0.6, 40))
    tracks = fly([walker(east, -68, 0.0, 1.3)], times=times[times < 12], seed=seed)
    assert len(tracks) == 1


@pytest.mark.parametrize("rate", [5.0, 20.0])
@pytest.mark.parametrize(("gap_s", "tracks"), [(1.8, 1), (3.5, 2)])
def test_a_track_outlives_a_gap_of_seconds_not_of_frames(rate, gap_s, tracks):
    times = np.concatenate([np.arange(0, 3, 1 / rate), np.arange(3 + gap_s, 9, 1 / rate)])
    assert len(fly([walker(-30, -70, 0.0, 1.3)], times=times, moving=False)) == tracks


@pytest.mark.parametrize("every_s", [0.8, 1.0, 1.9])
def test_where_pictures_come_seldom_people_are_followed_too(every_s):
    """A time-lapse, or an old camera: a step or two from picture to picture."""
    times = np.arange(0, 40, every_s)
    tracks = fly([walker(-30, -75, 0.0, 0.7), walker(-22, -60, 0.1, -0.5)], times=times, moving=False)
    assert [len(set(names)) for _, names in tracks] == [1, 1]
    assert all(len(names) > 15 / every_s for _, names in tracks)


@pytest.mark.parametrize(("every_s", "followed"), [(2.04, 2), (2.2, 0), (2.6, 0), (2.95, 0)])
def test_where_they_come_more_seldom_nobody_is(every_s, followed):
    """As it is told: who is who would be guessed."""
    times = np.arange(0, 60, every_s)
    people = [walker(-30, -75, 0.0, 0.4), walker(-22, -60, 0.1, -0.3)]
    assert sum(bool(names) for _, names in fly(people, times=times, moving=False)) == followed


SCENE = [walker(0, -70, 0.3, 1.2), walker(4, -66, 0.2, -0.9), walker(-20, -58, 1.4, 0.1), walker(8, -61, 0.0, 0.0)]


def decimated(rate, *, hidden=(), speed=4.0, seed=5):
    """The same scene at a rate: boxes of 60 a second, of which every so many are looked at; none in hidden seconds."""
    rng = np.random.default_rng(seed)
    where, tracker, ended, owner = Georeferencer(ORIGIN, GROUND), Tracker(), [], {}
    for index in range(60 * 9):
        time_s = index / 60
        pose = camera_at(time_s, speed)
        boxes = [box_of(pose, *person(time_s), rng) for person in SCENE]
        x, y, luck = rng.random(3) * (600, 480, 1)
        ghost = Detection(x, y, x + 9, y + 18, "person", 0.9)
        if index % (60 // rate):
            continue
        found = [b for b in boxes if b is not None and not any(a <= time_s < z for a, z in hidden)]
        owner |= {id(box): (boxes.index(box), box) for box in found}
        found += [ghost] if luck < 0.3 else []
        frame = Frame(IMAGE, T0 + round(time_s * 1e6), index, pose=pose, camera=CAMERA)
        motion = GroundPlane.of_pose(CAMERA, pose, ORIGIN, 1180.0)
        ended += tracker.update(found, frame.time_us, index, motion, where.points(frame, found))
    tracks = ended + tracker.finish()
    return [(track, [owner.get(id(o.detection), (None,))[0] for o in track.observations]) for track in tracks]


@pytest.mark.parametrize("hidden", [(), ((2.0, 3.6), (5.5, 7.0))])
@pytest.mark.parametrize("rate", [5, 15, 30, 60])
def test_a_scene_has_the_same_tracks_at_any_frame_rate(rate, hidden):
    """One track a person, from the first sight to the last, at the true place: in seconds and metres, not in frames."""
    tracks = [(t, names) for t, names in decimated(rate, hidden=hidden) if sum(n is not None for n in names) > 1]
    assert sorted(names[0] for _, names in tracks) == [0, 1, 2, 3]
    for track, names in tracks:
        (person,) = set(names) - {None}
        assert sum(n is None for n in names) <= 0.02 * len(names)
        way = ground_track(track)
        true = np.array([SCENE[person]((t - T0) / 1e6) for t in way.times_us])
        assert np.hypot(*(way.xy - true).T).max() < 0.7
        # When each comes into the picture; one does while all are hidden.
        seen_s = (0.0, 0.8, 0.0, 3.6 if hidden else 2.0)[person]
        assert (track.start_us - T0) / 1e6 == pytest.approx(seen_s, abs=0.05 + 1 / rate)
        assert (track.end_us - T0) / 1e6 > 9.0 - 1.1 / rate


@pytest.mark.parametrize("rate", [5, 15, 30, 60])
def test_what_flickers_makes_no_track_at_any_frame_rate(rate):
    """A glint that is there for a quarter of a second, every second at another place."""
    frames = []
    for index in range(20 * rate):
        second, since = divmod(index / rate, 1.0)
        x = 30 + 97 * second % 560
        frames.append([Detection(x, 200, x + 20, 250, "person", 0.9)] if since < 0.25 else [])
    assert still_sequence(frames, rate=rate) == []


def still_sequence(boxes, rate=10.0, tracker=None):
    tracker = tracker or Tracker()
    ended = []
    for i, frame in enumerate(boxes):
        ended += tracker.update(frame, T0 + round(i / rate * 1e6), i, StillCamera())
    return ended + tracker.finish()


def test_what_stands_for_ever_is_remembered_for_a_while():
    box = Detection(100, 100, 130, 190, "person", 0.8)
    tracker = Tracker(TrackerSettings(memory_s=10.0))
    (track,) = still_sequence([[box]] * 600, tracker=tracker)
    assert 100 <= len(track.observations) <= 121
    assert track.score == pytest.approx(0.8)


def test_low_scores_continue_a_track_and_start_none():
    def box(x, score):
        return Detection(x, 100, x + 30, 190, "person", score)

    faint = [[box(100 + 3 * i, 0.8 if i < 5 else 0.2)] for i in range(20)]
    (track,) = still_sequence(faint)
    assert len(track.observations) == 20
    assert still_sequence([[box(100, 0.2)] for _ in range(20)]) == []


@pytest.mark.parametrize("rate", [3.0, 10.0, 30.0])
def test_a_faint_box_is_no_sign_of_one_who_is_lost(rate):
    """Faint boxes carry on one who is seen, at any rate; one who has been lost comes back with a good one alone."""
    frames = round(3 * rate)
    for score, last in ((0.3, 1.0), (0.8, 3.0)):
        faint = [Detection(100, 100, 130, 190, "person", 0.3 if k >= 0.5 * rate else 0.8) for k in range(frames)]
        boxes = [[box] if k <= rate else [] for k, box in enumerate(faint)]
        boxes[2 * round(rate) :] = [[replace(faint[0], score=score)]] * (frames - 2 * round(rate))
        (track,) = still_sequence(boxes, rate, Tracker(TrackerSettings(confirm_hits=2)))
        assert (track.end_us - T0) / 1e6 == pytest.approx(last, abs=1.1 / rate)


def test_who_was_seen_at_time_zero_was_seen_in_the_frame_before():
    """Where nothing tells the time of day it counts from the first picture."""
    tracker = Tracker(TrackerSettings(confirm_hits=1, confirm_s=0.0))
    for index, score in enumerate((0.8, 0.3)):
        tracker.update([Detection(100, 100, 130, 190, "person", score)], index * 333_333, index, StillCamera())
    (track,) = tracker.finish()
    assert len(track.observations) == 2


def test_who_walks_away_from_the_camera_is_sought_in_its_own_scale():
    """Ninety pixels tall at first and thirty in the end, then hidden: what is seven of its heights off is another."""
    sizes = list(range(90, 29, -1))
    walking = [[Detection(300 - h / 6, 300 - h, 300 + h / 6, 300, "person", 0.8)] for h in sizes]
    other = Detection(495, 270, 505, 300, "person", 0.8)
    tracks = still_sequence([*walking, *[[]] * 18, *[[other]] * 10])
    assert sorted(len(track.observations) for track in tracks) == [10, len(walking)]


def test_kinds_do_not_mix_except_those_alike():
    def box(i, kind):
        return Detection(100 + 3 * i, 100, 130 + 3 * i, 190, kind, 0.8)

    cyclist = still_sequence([[box(i, "bicycle" if i % 4 == 0 else "person")] for i in range(20)])
    assert [t.kind for t in cyclist] == ["person"]
    mixed = still_sequence([[box(i, "vehicle" if i >= 10 else "person")] for i in range(20)])
    assert sorted(t.kind for t in mixed) == ["person", "vehicle"]


def test_two_that_meet_and_part_keep_their_names():
    def at(x, y):
        return Detection(x - 15, y - 45, x + 15, y + 45, "person", 0.8)

    boxes = [[at(100 + 8 * i, 200), at(420 - 8 * i, 212)] for i in range(40)]
    tracks = still_sequence(boxes)
    assert len(tracks) == 2
    for track in tracks:
        xs = [o.detection.centre[0] for o in track.observations]
        assert abs(xs[-1] - xs[0]) > 250


def test_too_few_hits_are_no_track_and_time_runs_forward():
    box = Detection(0, 0, 10, 20, "person", 0.9)
    assert still_sequence([[box], [box]]) == []
    tracker = Tracker(TrackerSettings())
    tracker.update([box], T0, 0, StillCamera())
    with pytest.raises(TrackError, match="not later"):
        tracker.update([box], T0, 1, StillCamera())


@settings(max_examples=30, deadline=None)
@given(x=st.floats(0, 640), y=st.floats(0, 512), yaw=st.floats(0, 360), roll=st.floats(-10, 10))
def test_the_plane_goes_there_and_back_and_agrees_with_the_ray(x, y, yaw, roll):
    pose = CameraPose(31.334, -110.941, Altitude(1270.0, Datum.AMSL), yaw, -57.0, roll)
    plane = GroundPlane.of_pose(CAMERA, pose, ORIGIN, 1180.0)
    pixels = np.array([[x, y]])
    there = plane.absolute(pixels)
    assert np.allclose(plane.relative(there), pixels, atol=1e-6)
    exact, _ = Georeferencer(ORIGIN, GROUND).places(pose, CAMERA, pixels)
    assert np.allclose(there, exact, atol=0.05)


def test_above_the_horizon_is_nowhere():
    pose = CameraPose(31.333, -110.94, Altitude(1270.0, Datum.AMSL), 0.0, 0.0, 0.0)
    plane = GroundPlane.of_pose(CAMERA, pose, ORIGIN, 1180.0)
    assert np.isnan(plane.absolute(np.array([[320.0, 100.0]]))).all()
    assert np.isfinite(plane.absolute(np.array([[320.0, 500.0]]))).all()
    # Behind the camera there is no pixel.
    assert np.isnan(plane.relative(np.array([[0.0, -100.0]]))).all()
    # The camera must be above the ground.
    low = CameraPose(31.333, -110.94, Altitude(1170.0, Datum.AMSL), 0.0, -57.0)
    with pytest.raises(TrackError, match="above the ground"):
        GroundPlane.of_pose(CAMERA, low, ORIGIN, 1180.0)
