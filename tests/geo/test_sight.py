"""Line of sight against a ridge in closed form and against fine sampling."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import FlatTerrain, GridTerrain, LocalFrame, TerrainError, geodesic_destination, visible

STEP = 1 / 3600
M_LAT, M_LON = 111_132.0, 111_320.0


def ridge(height_m, at_row, base_m=100.0):
    """Ground at the equator of one elevation with one row that stands out."""
    heights = np.full((401, 41), base_m)
    heights[at_row] += height_m
    return GridTerrain(heights, 200 * STEP, 0.0, STEP)


@given(st.floats(10, 120), st.floats(20, 200), st.integers(230, 300))
def test_a_ridge_hides_what_its_shadow_covers(height, eye_agl, crest_row):
    terrain = ridge(height, crest_row)
    eye_lat, lon = (200 - 200) * STEP, 20 * STEP
    crest = (crest_row - 200) * STEP * M_LAT * 0.995
    south = np.linspace(30.0, 6000.0, 300)
    seen = visible(terrain, (eye_lat, lon, 100 + eye_agl), eye_lat - south / (M_LAT * 0.995), np.full(300, lon))
    # Flat Earth: the shadow begins behind the crest, and ends where the line over it comes down.
    ends = crest * eye_agl / (eye_agl - height) if eye_agl > height else math.inf
    # Of a crest that comes to a point, looks half a step apart miss at most the upper quarter.
    least = crest * eye_agl / (eye_agl - 0.75 * height) if eye_agl > 0.75 * height else math.inf
    step = STEP * M_LAT
    # The foot of the ridge is a step wide either way, sampling and curvature blur the end of the shadow.
    before, shadow = south < crest - step - 20, (south > crest + step + 20) & (south < 0.95 * least - 20)
    assert seen[before].all()
    assert not seen[shadow].any()
    if math.isfinite(ends):
        assert seen[south > 1.1 * ends + 60].all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.floats(5, 300))
def test_agrees_with_brute_force(seed, eye_agl):
    rng = np.random.default_rng(seed)
    rough = rng.uniform(0, 1, (60, 60))
    y, x = np.mgrid[:60, :60]
    heights = 500 + 80 * np.sin(x / 6 + seed) * np.cos(y / 7) + 5 * rough
    terrain = GridTerrain(heights, 46.0 + 59 * STEP, 8.0, STEP)
    lat, lon = 46 + rng.uniform(1, 58, 60) * STEP, 8 + rng.uniform(1, 58, 60) * STEP
    eye = 46 + 30 * STEP, 8 + 30 * STEP
    amsl = float(terrain.elevation_m(*eye)) + eye_agl
    seen = visible(terrain, (*eye, amsl), lat, lon)
    for k in range(60):
        margin = _clearance(terrain, (*eye, amsl), lat[k], lon[k])
        # Half a sample between looks may miss what fine looks see of a crest.
        if margin > 0.0:
            assert seen[k]
        elif margin < -6.0:
            assert not seen[k]


def _clearance(terrain, eye, lat, lon):
    """Least height of the straight line in space over the ground, by the frame of the eye, every 0.2 m."""
    frame = LocalFrame(*eye)
    end = np.array(frame.to_enu(lat, lon, terrain.elevation_m(lat, lon)))
    t = np.linspace(0, 1, max(10, int(np.linalg.norm(end) / 0.2)))[1:-1]
    # The last metres lie on the ground's own face.
    t = t[t < 1 - 3.0 / max(np.linalg.norm(end), 6.0)]
    lat_t, lon_t, height = frame.to_geodetic(*(t[:, None] * end).T)
    return float((height - terrain.elevation_m(lat_t, lon_t)).min())


@given(st.floats(1, 200), st.floats(0, 50), st.floats(-70, 70))
def test_the_horizon_over_a_plain(eye_agl, target, lat):
    horizon = math.sqrt(2 * 6_371_009 * eye_agl) + math.sqrt(2 * 6_371_009 * target)
    points = np.array([geodesic_destination(lat, 179.99, 80, s) for s in (0.98 * horizon, 1.02 * horizon)])
    seen = visible(FlatTerrain(300), (lat, 179.99, 300 + eye_agl), *points.T, target_agl_m=target)
    assert seen.tolist() == [True, False]


def test_curvature_counts_on_a_grid():
    # 20 km of level ground: the bulge between eye and point is s²/8R = 7.8 m in the middle.
    terrain = GridTerrain(np.zeros((3, 241)), 0.001, 179.9, 0.001)
    place = 0.0, 179.9 + 0.18 - 360
    for agl, seen in ((10.0, False), (20.0, False), (40.0, True)):
        assert bool(visible(terrain, (0.0, 179.9, agl), *place)) is seen


def test_an_eye_for_each_point_and_an_eye_below_the_ground():
    terrain = ridge(50, 230)
    lat, lon = np.array([-20 * STEP, -50 * STEP, -50 * STEP]), np.full(3, 20 * STEP)
    seen = visible(terrain, (np.array([0.0, 0.0, -40 * STEP]), 20 * STEP, np.full(3, 120.0)), lat, lon)
    assert seen.tolist() == [True, False, True]
    assert not visible(terrain, (0.0, 20 * STEP, 99.0), lat, lon).any()
    assert bool(visible(terrain, (0.0, 20 * STEP, 101.0), 0.0, 20 * STEP))


def test_long_lines_follow_the_great_circle():
    # Half-way along 100 km the great circle runs 340 m beside the line that is straight in degrees.
    end = 60.2, 9.9
    middle = np.array(LocalFrame(60.2, 8.1).to_enu(*end)) / 2
    lat, _, _ = LocalFrame(60.2, 8.1).to_geodetic(*middle)
    row = round((60.4 - float(lat)) / 0.001)
    assert row <= 197
    heights = np.zeros((401, 401))
    assert bool(visible(GridTerrain(heights, 60.4, 8.0, 0.001, 0.005), (60.2, 8.1, 1100.0), *end))
    # A wall there that ends before the straight line.
    heights[row - 1 : row + 2, 198:203] = 400.0
    assert not bool(visible(GridTerrain(heights, 60.4, 8.0, 0.001, 0.005), (60.2, 8.1, 1100.0), *end))


@pytest.mark.parametrize("eye", [(math.nan, 0.001, 200.0), (0.0, 0.001, math.nan)])
def test_what_is_not_finite_is_refused(eye):
    with pytest.raises(TerrainError, match="finite"):
        visible(ridge(10, 230), eye, 0.0, 0.001)
