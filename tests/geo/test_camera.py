"""Camera model and pose against closed forms and scipy's rotations."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from geo import (
    Altitude,
    CameraModel,
    CameraPose,
    CoordinateError,
    Datum,
    attitude_from_rotation,
    compose_attitude,
    rotation_ned_from_frd,
)

camera = CameraModel.from_sensor(640, 512, focal_mm=13.5, pixel_pitch_um=12.0)
angles = st.tuples(st.floats(0, 359.9), st.floats(-89, 89), st.floats(-179, 179))


def test_field_of_view_of_the_data_sheet():
    # 13.5 mm on 640 x 512 pixels of 12 um: 2 atan(7.68 / 2 / 13.5) and 2 atan(6.144 / 2 / 13.5).
    assert camera.horizontal_fov_deg == pytest.approx(2 * math.degrees(math.atan(7.68 / 27)))
    assert camera.vertical_fov_deg == pytest.approx(2 * math.degrees(math.atan(6.144 / 27)))
    assert CameraModel.from_fov(640, 512, camera.horizontal_fov_deg).focal_px == pytest.approx(1125)


@given(st.floats(0, 640), st.floats(0, 512), st.floats(1, 5000))
def test_a_point_on_a_ray_projects_to_its_pixel(x, y, distance):
    assert camera.project(camera.rays((x, y)) * distance) == pytest.approx([x, y], abs=1e-6)


def test_what_is_behind_has_no_pixel():
    pixel = camera.project([0.0, 0.0, -1.0])
    assert np.isnan(pixel).all()
    assert not camera.contains(pixel)


@given(angles)
def test_rotation_is_scipys_intrinsic_zyx(ypr):
    want = Rotation.from_euler("ZYX", ypr, degrees=True).as_matrix()
    assert np.allclose(rotation_ned_from_frd(*ypr), want, atol=1e-12)


@given(angles)
def test_attitude_returns_from_its_rotation(ypr):
    back = attitude_from_rotation(rotation_ned_from_frd(*ypr))
    assert np.allclose(rotation_ned_from_frd(*back), rotation_ned_from_frd(*ypr), atol=1e-9)


@given(st.floats(0, 359), st.sampled_from([-90.0, 90.0]), st.floats(-90, 90))
def test_attitude_at_nadir_keeps_the_rotation(yaw, pitch, roll):
    back = attitude_from_rotation(rotation_ned_from_frd(yaw, pitch, roll))
    assert np.allclose(rotation_ned_from_frd(*back), rotation_ned_from_frd(yaw, pitch, roll), atol=1e-7)


@given(angles, angles)
def test_gimbal_on_a_platform_composes_as_rotations_do(platform, sensor):
    want = Rotation.from_euler("ZYX", platform, degrees=True) * Rotation.from_euler("ZYX", sensor, degrees=True)
    got = rotation_ned_from_frd(*compose_attitude(platform, sensor))
    assert np.allclose(got, want.as_matrix(), atol=1e-9)


@pytest.mark.parametrize(
    ("yaw", "pitch", "axis", "right"),
    [
        (0, 0, (0, 1, 0), (1, 0, 0)),  # north at the horizon: right is east
        (90, 0, (1, 0, 0), (0, -1, 0)),  # east: right is south
        (0, -90, (0, 0, -1), (1, 0, 0)),  # straight down with north up: right is east
        (180, -45, (0, -math.sqrt(0.5), -math.sqrt(0.5)), (-1, 0, 0)),
    ],
)
def test_pose_looks_where_it_says(yaw, pitch, axis, right):
    pose = CameraPose(0, 0, Altitude(100, Datum.AMSL), yaw, pitch)
    rotation = pose.rotation_enu_from_camera()
    assert rotation @ [0, 0, 1] == pytest.approx(axis, abs=1e-12)
    assert rotation @ [1, 0, 0] == pytest.approx(right, abs=1e-12)


def test_positive_roll_lowers_the_right_side():
    pose = CameraPose(0, 0, Altitude(100, Datum.AMSL), 0, 0, roll_deg=10)
    assert (pose.rotation_enu_from_camera() @ [1, 0, 0])[2] == pytest.approx(-math.sin(math.radians(10)))


@pytest.mark.parametrize(("width", "height", "focal"), [(0, 10, 5.0), (10, 10, 0.0), (10, -1, 5.0)])
def test_impossible_cameras_are_refused(width, height, focal):
    with pytest.raises(CoordinateError, match="must be positive"):
        CameraModel(width, height, focal)


@pytest.mark.parametrize("fov", [0.0, 180.0, -3.0])
def test_impossible_field_of_view_is_refused(fov):
    with pytest.raises(CoordinateError, match="field of view"):
        CameraModel.from_fov(10, 10, fov)
