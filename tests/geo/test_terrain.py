"""Elevation against scipy's interpolator, rays against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator

from geo import (
    Altitude,
    CameraModel,
    CameraPose,
    Datum,
    FlatTerrain,
    GridTerrain,
    LocalFrame,
    TerrainError,
    footprint,
    intersect,
)

heights = np.random.default_rng(4).uniform(200, 400, (21, 31))
grid = GridTerrain(heights, north_deg=46.02, west_deg=8.0, step_deg=0.001)


@given(st.floats(46.0, 46.02), st.floats(8.0, 8.03))
def test_bilinear_agrees_with_scipy(lat, lon):
    rows, columns = 46.02 - np.arange(21) * 0.001, 8.0 + np.arange(31) * 0.001
    oracle = RegularGridInterpolator((rows[::-1], columns), heights[::-1], bounds_error=False, fill_value=None)
    assert float(grid.elevation_m(lat, lon)) == pytest.approx(float(oracle((lat, lon))), abs=1e-3)


def test_outside_and_voids_are_errors_that_name_the_place():
    with pytest.raises(TerrainError, match=r"47\.00000, 8\.01000"):
        grid.elevation_m([46.01, 47.0], [8.01, 8.01])
    holed = heights.copy()
    holed[3, 3] = np.nan
    with pytest.raises(TerrainError, match="no elevation at"):
        GridTerrain(holed, 46.02, 8.0, 0.001).elevation_m(46.02 - 0.0025, 8.0025)


def test_hgt_tile(tmp_path):
    samples = np.arange(1201 * 1201, dtype=np.int32).reshape(1201, 1201) % 3000
    path = tmp_path / "S34W071.hgt"
    samples.astype(">i2").tofile(path)
    tile = GridTerrain.from_hgt(path)
    assert float(tile.elevation_m(-33.0, -71.0)) == samples[0, 0]
    assert float(tile.elevation_m(-34.0, -70.0)) == samples[-1, -1]
    assert tile.resolution_m == pytest.approx(92.6, abs=0.1)


@pytest.mark.parametrize(
    ("name", "size", "says"), [("tile.hgt", 8, "south-west corner"), ("N46E008.hgt", 10, "cut off")]
)
def test_broken_hgt(tmp_path, name, size, says):
    path = tmp_path / name
    path.write_bytes(b"\0" * size)
    with pytest.raises(TerrainError, match=says):
        GridTerrain.from_hgt(path)


@given(st.floats(-85, -8), st.floats(0, 360), st.floats(20, 400))
def test_ray_meets_flat_ground_where_trigonometry_says(pitch, yaw, above):
    frame = LocalFrame(31.3, -110.9, 1000.0 + above)
    pose = CameraPose(31.3, -110.9, Altitude(1000.0 + above, Datum.AMSL), yaw, pitch)
    ray = pose.rotation_enu_from_camera() @ [0, 0, 1]
    east, north, up = intersect(frame, (0, 0, 0), ray[None], FlatTerrain(1000.0))[0]
    reach = above / math.tan(math.radians(-pitch))
    # The Earth falls away by reach² / 2R, which moves the point along a grazing ray.
    fall = reach**2 / (2 * 6.37e6)
    assert math.hypot(east, north) == pytest.approx(reach, abs=2 * fall / math.tan(math.radians(-pitch)) + 0.02)
    assert up == pytest.approx(-above, abs=2 * fall + 0.01)
    assert math.degrees(math.atan2(east, north)) % 360 == pytest.approx(yaw % 360, abs=0.01) or yaw > 359.9


@given(
    st.floats(-85, 85),
    st.floats(0, 360),
    st.floats(1.0, 3000.0),
    st.lists(st.floats(-90.0, -0.5), min_size=1, max_size=8),
    st.floats(500.0, 20_000.0),
)
def test_level_ground_is_met_on_the_ellipsoid_and_within_range_alone(lat, yaw, above, pitches, range_m):
    """Anywhere on earth, by shallow rays too: what is met is as high as the ground to a tenth of a millimetre."""
    frame, ground = LocalFrame(lat, 7.0, 800.0 + above), FlatTerrain(800.0)
    poses = [CameraPose(lat, 7.0, Altitude(800.0, Datum.AMSL), yaw, pitch) for pitch in pitches]
    rays = np.array([pose.rotation_enu_from_camera() @ [0, 0, 1] for pose in poses])
    points = intersect(frame, (0, 0, 0), rays, ground, max_range_m=range_m)
    at_the_end = frame.to_geodetic(*(range_m * rays).T)[2] - 800.0
    met = np.isfinite(points[:, 0])
    assert (met == (at_the_end < 0))[np.abs(at_the_end) > 1e-3].all()
    assert frame.to_geodetic(*points[met].T)[2] == pytest.approx(800.0, abs=1e-4)
    assert np.cross(points[met], rays[met]) == pytest.approx(0.0, abs=1e-6)
    assert (np.linalg.norm(points[met], axis=1) <= range_m * (1 + 1e-9)).all()


def test_rays_along_the_horizon_meet_level_ground_or_nothing():
    """Within a hundredth of the dip of the horizon: what is met lies ahead, and on the ground."""
    frame, dip = LocalFrame(0.0, 10.0, 30.0), math.sqrt(2 * 30.0 / 6.37e6)
    pitches = dip * np.linspace(0.99, 1.01, 2_001)
    rays = np.stack([np.zeros(2_001), np.cos(pitches), -np.sin(pitches)], axis=-1)
    points = intersect(frame, (0, 0, 0), rays, FlatTerrain(0.0), max_range_m=25_000.0)
    met = np.isfinite(points[:, 0])
    assert met.any()
    assert frame.to_geodetic(*points[met].T)[2] == pytest.approx(0.0, abs=1e-3)
    assert (points[met][:, 1] > 0).all()


def test_rays_above_the_horizon_and_out_of_range_meet_nothing():
    frame = LocalFrame(31.3, -110.9, 1100.0)
    rays = np.array([[1.0, 0, 0.01], [math.cos(0.001), 0, -math.sin(0.001)]])
    assert np.isnan(intersect(frame, (0, 0, 0), rays, FlatTerrain(1000.0), max_range_m=2000)).all()


def test_a_ray_over_unknown_ground_ends_there_and_others_are_as_they_were():
    heights = np.full((41, 41), 300.0)
    level = GridTerrain(heights, 46.02, 8.0, 0.001)
    heights = heights.copy()
    heights[20, 24] = np.nan  # 310 m east of the camera
    holed, frame = GridTerrain(heights, 46.02, 8.0, 0.001), LocalFrame(46.0, 8.02, 700.0)
    angles = np.radians([[yaw, pitch] for yaw in range(0, 360, 30) for pitch in (-80, -50, -30)])
    rays = np.stack(
        [
            np.sin(angles[:, 0]) * np.cos(angles[:, 1]),
            np.cos(angles[:, 0]) * np.cos(angles[:, 1]),
            np.sin(angles[:, 1]),
        ],
        axis=-1,
    )
    whole = intersect(frame, (0, 0, 0), rays, level)
    seen = intersect(frame, (0, 0, 0), rays, holed, voids=True)
    # Only the two flatter rays to the east come to it: 400 m / tan 50 is 336 m, the steep one ends after 71 m.
    east = np.isclose(angles[:, 0], np.pi / 2) & (angles[:, 1] > np.radians(-60))
    assert np.isnan(seen).all(axis=1).tolist() == east.tolist()
    assert seen[~east] == pytest.approx(whole[~east], abs=1e-6)
    with pytest.raises(TerrainError, match="no elevation at"):
        intersect(frame, (0, 0, 0), rays, holed)
    with pytest.raises(TerrainError, match="no elevation at"):  # whoever does not ask for it is told
        intersect(LocalFrame(46.0, 8.024, 700.0), (0, 0, 0), rays[:1], holed)
    assert np.isnan(intersect(LocalFrame(46.0, 8.024, 700.0), (0, 0, 0), rays, holed, voids=True)).all()


def test_camera_below_the_ground_sees_nothing():
    frame = LocalFrame(46.01, 8.01, 100.0)
    assert np.isnan(intersect(frame, (0, 0, 0), [[0.0, 0, -1]], grid)).all()


@given(st.floats(0, 360), st.floats(-80, -15))
def test_ray_stops_at_the_first_ground_it_meets(yaw, pitch):
    frame = LocalFrame(46.01, 8.015, 450.0)
    ray = CameraPose(46.01, 8.015, Altitude(450, Datum.AMSL), yaw, pitch).rotation_enu_from_camera() @ [0, 0, 1]
    point = intersect(frame, (0, 0, 0), ray[None], grid, max_range_m=900)[0]
    lat, lon, height = frame.to_geodetic(*point)
    assert float(height) == pytest.approx(float(grid.elevation_m(lat, lon)), abs=0.01)
    before = np.linspace(0, np.linalg.norm(point) - 1, 200)
    lat, lon, height = frame.to_geodetic(*(before[:, None] * ray).T)
    # The march steps by half a sample: a crest thinner than that may be passed, by no more than it rises over the ray.
    assert (height - grid.elevation_m(lat, lon) > -15).all()


def test_footprint_at_nadir_is_the_rectangle_of_the_ground_sample_distance():
    camera = CameraModel(640, 512, 1125.0)
    pose = CameraPose(31.3, -110.9, Altitude(90, Datum.AGL), 0.0, -90.0)
    corners = footprint(camera, pose, FlatTerrain(1180.0))
    east, north, _ = LocalFrame(31.3, -110.9, 1180.0).to_enu(*corners.T, 1180.0)
    half_w, half_h = 320 * 90 / 1125, 256 * 90 / 1125
    assert np.allclose(east, [-half_w, half_w, half_w, -half_w], atol=0.01)
    assert np.allclose(north, [half_h, half_h, -half_h, -half_h], atol=0.01)
