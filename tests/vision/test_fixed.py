"""Fixed cameras: known points, and lines in the picture."""

import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import Altitude, CameraModel, CameraPose, Datum, LocalFrame
from vision.errors import BorderError
from vision.fixed import Homography, KnownPoint, PixelLine, load_fixed, pixel_passages
from vision.records import Direction
from vision.types import Detection, Frame, Observation, Track

CAMERA = CameraModel(1280, 720, 900.0)
POSE = CameraPose(31.333, -110.94, Altitude(12.0, Datum.AMSL), 30.0, -25.0, 2.0)
FRAME = LocalFrame(31.333, -110.94, 0.0)
IMAGE = np.zeros((720, 1280, 3), np.uint8)
T0 = 1_790_000_000_000_000


def pixel(east, north):
    return CAMERA.project((np.array([east, north, 0.0]) - [0, 0, 12.0]) @ POSE.rotation_enu_from_camera())


def known(east, north, noise=0.0):
    x, y = pixel(east, north)
    lat, lon, _ = FRAME.to_geodetic(east + noise, north)
    return KnownPoint(float(x), float(y), float(lat), float(lon))


CORNERS = [(4.0, 16.0), (18.0, 14.0), (22.0, 34.0), (8.0, 36.0)]
POINTS = tuple(known(*c) for c in CORNERS)


def standing(east, north):
    x, y = pixel(east, north)
    return Detection(x - 8, y - 40, x + 8, y, "person", 0.9)


@settings(max_examples=30, deadline=None)
@given(east=st.floats(5, 20), north=st.floats(16, 33))
def test_known_points_place_all_others(east, north):
    (point,) = Homography(POINTS).ground_points(Frame(IMAGE, T0), [standing(east, north)])
    frame = Homography(POINTS).frame
    lat, lon, _ = frame.to_geodetic(*point.xy)
    e, n, _ = FRAME.to_enu(lat, lon, 0.0)
    assert np.hypot(e - east, n - north) < 0.01


def test_the_homography_agrees_with_opencv():
    extra = (*POINTS, known(12, 25), known(10, 20, noise=0.4))
    homography = Homography(extra)
    pixels = np.array([(p.x, p.y) for p in extra])
    east, north, _ = homography.frame.to_enu([p.lat_deg for p in extra], [p.lon_deg for p in extra], 0.0)
    expected, _ = cv2.findHomography(pixels, np.stack([east, north], axis=-1))
    there = cv2.perspectiveTransform(pixels[:, None].astype(np.float64), expected)[:, 0]
    # OpenCV refines the same least squares, on geometric error.
    assert np.allclose(homography.plane.absolute(pixels), there, atol=0.15)


def test_errors_of_the_known_points_agree_with_monte_carlo():
    rng = np.random.default_rng(3)
    homography = Homography(POINTS, sigma_m=0.3)
    box = standing(12, 24)
    (point,) = homography.ground_points(Frame(IMAGE, T0), [box])
    found = []
    for _ in range(300):
        moved = []
        for p in POINTS:
            e, n, _ = homography.frame.to_enu(p.lat_deg, p.lon_deg, 0.0)
            lat, lon, _ = homography.frame.to_geodetic(*(np.array([e, n]) + rng.normal(0, 0.3, 2)))
            moved.append(KnownPoint(p.x, p.y, float(lat), float(lon)))
        other = Homography(tuple(moved))
        (p,) = other.ground_points(Frame(IMAGE, T0), [box])
        lat, lon, _ = other.frame.to_geodetic(*p.xy)
        found.append([float(v) for v in homography.frame.to_enu(lat, lon, 0.0)[:2]])
    sample = np.cov(np.array(found).T)
    assert np.allclose(sample, point.systematic @ point.systematic.T, rtol=0.3, atol=0.01)


def test_above_the_horizon_is_no_place():
    assert Homography(POINTS).ground_points(Frame(IMAGE, T0), [Detection(600, -360, 620, -320, "person", 1)]) == [None]
    assert Homography(POINTS).ground_points(Frame(IMAGE, T0), []) == []


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (POINTS[:3], "four or more"),
        ((*POINTS[:2], known(11, 15), known(25, 13)), "leave it open|horizon"),
        ((POINTS[0], POINTS[0], POINTS[1], POINTS[2]), "leave it open"),
        ((*POINTS[:3], KnownPoint(0, 0, 95.0, 0.0)), "latitude"),
    ],
)
def test_points_that_leave_it_open_are_refused(points, message):
    with pytest.raises(BorderError, match=message):
        Homography(points)


def in_picture(feet, height=80.0, rate=10.0, noise=1.5, seed=0):
    rng = np.random.default_rng(seed)
    observations = []
    for i, (x, y) in enumerate(feet):
        dx, dy = rng.normal(0, noise, 2)
        box = Detection(x - 15 + dx, y - height + dy, x + 15 + dx, y + dy, "person", 0.8)
        observations.append(Observation(T0 + round(i / rate * 1e6), i, box))
    return Track(1, "person", 0.8, tuple(observations))


def along(start, end, steps=60):
    return np.asarray(start, float) + np.linspace(0, 1, steps)[:, None] * (np.asarray(end, float) - start)


DOWN = PixelLine("gate", ((300, 50), (300, 400)), "left")  # walks down the picture: its left is the picture's right


def test_left_and_right_are_those_of_the_picture():
    (passage,) = pixel_passages(in_picture(along((150, 200), (450, 210))), DOWN)
    assert passage.direction is Direction.INBOUND
    assert passage.xy[0] == pytest.approx(300, abs=0.5)
    (back,) = pixel_passages(in_picture(along((450, 200), (150, 210))), DOWN)
    assert back.direction is Direction.OUTBOUND


@settings(max_examples=20, deadline=None)
@given(offset=st.floats(-30, 30), seed=st.integers(0, 999))
def test_standing_or_walking_beside_the_line_crosses_nothing(offset, seed):
    assert pixel_passages(in_picture(np.tile([300 + offset, 200.0], (60, 1)), seed=seed), DOWN) == ()
    assert pixel_passages(in_picture(along((300 + offset, 100), (300 + offset, 350)), seed=seed), DOWN) == ()


@pytest.mark.parametrize(
    ("start", "end", "tall", "small"),
    [
        # Of who is 80 pixels high, 1.2 m are 56: less is no way across. Of who is 30 high, 21.
        (280, 320, 0, 1),
        (260, 340, 1, 1),
        # 0.4 m are 19 and 7 pixels: nearer to the line is on no side of it.
        (240, 313, 0, 1),
        (240, 325, 1, 1),
    ],
)
def test_how_far_is_across_goes_by_the_height_of_who_goes(start, end, tall, small):
    way = np.concatenate(
        [np.tile([start, 200.0], (20, 1)), along((start, 200), (end, 200)), np.tile([end, 200.0], (40, 1))]
    )
    for height, count in ((80.0, tall), (30.0, small)):
        assert len(pixel_passages(in_picture(way, height, noise=0.3), DOWN)) == count, height


def test_round_the_end_in_the_picture_crosses_nothing():
    way = np.concatenate([along((220, 350), (220, 460)), along((220, 460), (400, 460)), along((400, 460), (400, 340))])
    assert pixel_passages(in_picture(way), DOWN) == ()


def test_files_are_read_and_mistakes_named(tmp_path):
    path = tmp_path / "camera.json"
    path.write_text(json.dumps({"line": [[300, 50], [300, 400]], "name": "gate", "own_side": "left"}))
    assert load_fixed(path) == DOWN
    points = [{"pixel": [p.x, p.y], "lat": p.lat_deg, "lon": p.lon_deg} for p in POINTS]
    path.write_text(json.dumps({"points": points, "sigma_m": 0.2}))
    loaded = load_fixed(path)
    assert isinstance(loaded, Homography)
    assert loaded.points == POINTS
    for text, message in (
        ("{", "not JSON"),
        ("[]", "known points"),
        ('{"line": [[1, 2], [3, 4]]}', "own_side"),
        ('{"line": [[1], [3, 4]], "own_side": "left"}', "form"),
        ('{"line": [[1, 2]], "own_side": "left"}', "two different"),
        ('{"points": [{"pixel": [1, 2]}]}', "lat"),
    ):
        path.write_text(text)
        with pytest.raises(BorderError, match=message):
            load_fixed(path)
    with pytest.raises(BorderError, match="cannot be read"):
        load_fixed(tmp_path / "absent.json")


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_pixel_that_is_no_number_is_refused(wrong):
    with pytest.raises(BorderError, match="no number"):
        PixelLine("gate", ((0.0, 0.0), (wrong, 5.0)), "left")
    with pytest.raises(BorderError, match="no number"):
        Homography((*POINTS[:3], KnownPoint(wrong, POINTS[3].y, POINTS[3].lat_deg, POINTS[3].lon_deg)))


@pytest.mark.parametrize(
    ("pixels", "within"),
    [
        (((-50.0, 300.0), (2000.0, 310.0)), True),  # drawn beyond both edges
        (((1280.0, 0.0), (1280.0, 720.0)), True),  # along the edge
        (((1300.0, -50.0), (-50.0, 900.0)), True),
        (((1281.0, 0.0), (1281.0, 720.0)), False),
        (((0.0, 800.0), (1280.0, 800.0), (1400.0, 0.0)), False),  # round a corner
    ],
)
def test_a_line_beside_the_picture_is_refused(pixels, within):
    line = PixelLine("gate", pixels, "left")
    if within:
        line.check_within(1280, 720)
    else:
        with pytest.raises(BorderError, match="gate: runs beside the pictures, which are 1280x720"):
            line.check_within(1280, 720)
