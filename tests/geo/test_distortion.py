"""Lens distortion against OpenCV's, finite differences and its own inverse."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import Altitude, CameraModel, CameraPose, CoordinateError, Datum, Distortion, FlatTerrain, footprint

# Lenses of drones, wide ones among them, and points over the whole of a 90 degree picture.
lenses = st.builds(
    Distortion, st.floats(-0.3, 0.2), st.floats(-0.05, 0.1), st.floats(-0.005, 0.005), st.floats(-0.005, 0.005)
)
points = st.lists(st.tuples(st.floats(-0.8, 0.8), st.floats(-0.6, 0.6)), min_size=1, max_size=20).map(np.array)


def matrix(camera):
    return np.array(
        [[camera.focal_px, 0, camera.width_px / 2], [0, camera.focal_px, camera.height_px / 2], [0, 0, 1.0]]
    )


def coefficients(lens):
    return np.array([lens.k1, lens.k2, lens.p1, lens.p2])


@given(lenses, points, st.floats(300, 2000))
def test_pixels_are_opencvs(lens, plane, focal):
    camera = CameraModel(1280, 960, focal, lens)
    inside = plane[np.linalg.norm(plane, axis=1) < lens.reach]
    solid = np.concatenate([inside, np.ones((len(inside), 1))], axis=1) * 7.0
    got = camera.project(solid)
    if len(solid):
        want, _ = cv2.projectPoints(solid, np.zeros(3), np.zeros(3), matrix(camera), coefficients(lens))
        assert np.allclose(got, want[:, 0], atol=1e-8)
    assert np.isnan(camera.project(np.append(plane, np.ones((len(plane), 1)), axis=1))).any() == (
        len(inside) < len(plane)
    )


@given(lenses, points)
def test_rays_are_opencvs_and_lead_back(lens, plane):
    camera = CameraModel(1280, 960, 800.0, lens)
    inside = plane[np.linalg.norm(plane, axis=1) < 0.95 * lens.reach]
    if not len(inside):
        return
    pixels = camera.project(np.concatenate([inside, np.ones((len(inside), 1))], axis=1))
    rays = camera.rays(pixels)
    assert np.allclose(rays[:, :2] / rays[:, 2:], inside, atol=1e-8)
    assert np.allclose(np.linalg.norm(rays, axis=1), 1.0)
    # OpenCV's fixed point converges well inside the fold only.
    calm = np.linalg.norm(inside, axis=1) < 0.4 * lens.reach
    if calm.any():
        stop = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 200, 1e-12)
        want = cv2.undistortPoints(pixels[calm][:, None], matrix(camera), coefficients(lens), criteria=stop)
        assert np.allclose((rays[:, :2] / rays[:, 2:])[calm], want[:, 0], atol=1e-6)


@given(lenses, points)
def test_derivatives_are_those_of_small_steps(lens, plane):
    inside = plane[np.linalg.norm(plane, axis=1) < 0.9 * lens.reach]
    step = 1e-6
    for axis in (0, 1):
        move = np.eye(2)[axis] * step
        slope = (lens.distort(inside + move) - lens.distort(inside - move)) / (2 * step)
        assert np.allclose(lens.jacobian(inside)[..., axis], slope, atol=1e-7)


@given(lenses, points)
def test_a_step_of_a_pixel_is_as_long_on_the_plane_as_its_rays_say(lens, plane):
    camera = CameraModel(1280, 960, 800.0, lens)
    inside = plane[np.linalg.norm(plane, axis=1) < 0.8 * lens.reach]
    pixels = camera.project(np.concatenate([inside, np.ones((len(inside), 1))], axis=1))

    def on_plane(xy):
        rays = camera.rays(xy)
        return rays[..., :2] / rays[..., 2:]

    for axis in (0, 1):
        move = np.eye(2)[axis] * 1e-3
        slope = (on_plane(pixels + move) - on_plane(pixels - move)) / 2e-3
        assert np.allclose(camera.plane_step(pixels)[..., axis], slope, rtol=1e-3, atol=1e-8)


@given(lenses, st.tuples(st.floats(200, 1080), st.floats(200, 760)))
def test_straightened_pixels_bend_back(lens, pixel):
    camera = CameraModel(1280, 960, 1100.0, lens)
    perfect = CameraModel(1280, 960, 1100.0)
    straight = camera.straighten(pixel)
    assert camera.rays(pixel) == pytest.approx(perfect.rays(straight), abs=1e-12)
    assert camera.bend(straight) == pytest.approx(pixel, abs=1e-6)


def test_a_perfect_lens_changes_nothing():
    plain, named = CameraModel(640, 512, 1125.0), CameraModel(640, 512, 1125.0, Distortion())
    assert plain == named
    assert (plain.straighten((3.0, 4.0)) == (3.0, 4.0)).all()
    assert (plain.plane_step((3.0, 4.0)) == np.eye(2) / 1125.0).all()


def test_beyond_the_fold_of_a_barrel_nothing_is_shown():
    # r - 0.3 r³ rises to r = 1 / sqrt(0.9); a ray farther out would come back into the picture.
    lens = Distortion(k1=-0.3)
    assert lens.reach == pytest.approx(1 / np.sqrt(0.9))
    camera = CameraModel(1280, 960, 600.0, lens)
    assert np.isfinite(camera.project([1.05, 0.0, 1.0])).all()
    assert np.isnan(camera.project([1.06, 0.0, 1.0])).all()
    # The fold itself is shown 0.7027 from the middle; no ray leads to pixels beyond.
    edge = 640 + 600 * lens.reach * (1 - 0.3 * lens.reach**2)
    assert np.isfinite(camera.rays([edge - 0.1, 480.0])).all()
    assert np.isnan(camera.rays([edge + 0.1, 480.0])).all()


def test_corners_that_a_lens_does_not_show_have_no_footprint():
    camera = CameraModel(1280, 960, 600.0, Distortion(k1=-0.3))
    pose = CameraPose(31.333, -110.94, Altitude(100.0, Datum.AGL), 0.0, -90.0)
    assert np.isnan(footprint(camera, pose, FlatTerrain(1180.0))).all()


def test_coefficients_that_are_no_numbers_are_refused():
    with pytest.raises(CoordinateError, match="lens distortion k1 nan"):
        Distortion(k1=float("nan"))
