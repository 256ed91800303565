"""Height, offset, pitch and speed of a patrol."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from geo import Altitude, CameraPose, Datum, FlatTerrain, LocalFrame, footprint
from missions import (
    Base,
    ObservationError,
    PlanOptions,
    default_fleet,
    footprints,
    load_plan,
    observe,
    plan,
    save_plan,
)
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, fleet_for, straight

CAMERA = default_fleet(Base("b", LAT, LON)).camera


def test_the_demonstration_case():
    look = observe(CAMERA, straight(), max_speed_m_s=20)
    assert look.height_agl_m == 90.0
    assert look.lateral_m == 63.0
    assert -58 < look.gimbal_pitch_deg < -56
    assert 6.5 < look.speed_m_s < 7.5
    assert look.gsd_far_m <= 0.125
    assert len(look.reasons) == 4


@given(
    stand_off=st.floats(30, 150),
    own=st.floats(0, 25),
    far=st.floats(1, 40),
    ceiling=st.floats(60, 120),
    gsd=st.floats(0.08, 0.3),
)
def test_what_is_promised_holds_against_the_camera_model(stand_off, own, far, ceiling, gsd):
    """Project the band through geo's camera: all of it in the picture, resolved, for the dwell."""
    camera = replace(CAMERA, max_gsd_m=gsd)
    border = straight(stand_off_m=stand_off, band_own_m=own, band_far_m=far)
    try:
        look = observe(camera, border, max_speed_m_s=15, ceiling_agl_m=ceiling, dwell_s=8)
    except ObservationError:
        assume(False)
    assert look.lateral_m >= border.stand_off_m + 3
    assert look.height_agl_m <= ceiling
    assert look.dwell_s >= 8 - 1e-9
    # The camera at the origin looks north; band points lie north of it.
    pose = CameraPose(LAT, LON, Altitude(look.height_agl_m, Datum.AMSL), 0.0, look.gimbal_pitch_deg)
    for x in np.linspace(look.lateral_m - own, look.lateral_m + far, 5):
        half = look.speed_m_s * 8 / 2 - 1e-6
        points = np.array([[-half, x, -look.height_agl_m], [half, x, -look.height_agl_m]])
        in_camera = points @ pose.rotation_enu_from_camera()
        assert camera.model.contains(camera.model.project(in_camera), margin_px=-1e-6).all()
        assert in_camera[0, 2] / camera.model.focal_px <= gsd + 1e-9


def test_the_view_agrees_with_the_footprint():
    look = observe(CAMERA, straight(), max_speed_m_s=20)
    pose = CameraPose(LAT, LON, Altitude(look.height_agl_m, Datum.AGL), 0.0, look.gimbal_pitch_deg)
    corners = footprint(CAMERA.model, pose, FlatTerrain(0.0))
    _, north, _ = LocalFrame(LAT, LON).to_enu(corners[:, 0], corners[:, 1])
    assert min(north) == pytest.approx(look.view_from_m, abs=0.1)
    assert max(north) == pytest.approx(look.view_to_m, abs=0.1)


def test_a_view_to_the_horizon_ends_where_its_gsd_no_longer_counts(tmp_path):
    border = straight(3000.0, stand_off_m=600.0)
    fleet = fleet_for(border, 1, distance_m=1500.0)
    fleet = replace(fleet, camera=replace(fleet.camera, max_gsd_m=3.0))
    made = plan(border, fleet)
    look = made.observation
    pose = CameraPose(LAT, LON, Altitude(look.height_agl_m, Datum.AMSL), 0.0, look.gimbal_pitch_deg)
    body = np.array([[0.0, look.view_to_m, -look.height_agl_m]]) @ pose.rotation_enu_from_camera()
    assert body[0, 2] / fleet.camera.model.focal_px == pytest.approx(3.0)
    save_plan(made, tmp_path / "plan.json")
    assert load_plan(tmp_path / "plan.json") == made
    bands = sum(border.length_m() * depth for depth in (border.band_own_m, border.band_far_m))
    drawn = [shapely.geometry.shape(one) for own in footprints(made) for one in own]
    scale = M_LAT * M_LON
    assert sum(one.area for one in drawn) * scale == pytest.approx(bands, rel=0.02)


def test_a_longer_dwell_flies_slower_in_proportion():
    slow, fast = (observe(CAMERA, straight(), max_speed_m_s=50, dwell_s=d) for d in (16, 8))
    assert fast.speed_m_s == pytest.approx(2 * slow.speed_m_s)


@pytest.mark.parametrize(
    ("border", "options", "words"),
    [
        ({"stand_off_m": 300}, {}, "resolution"),
        ({"band_far_m": 400}, {"gsd_m": 1.0}, "resolution"),
        ({}, {"gsd_m": 0.01}, "resolution: .* 0.084[0-9] m"),
        ({}, {"floor_agl_m": 100}, "floor"),
        ({}, {"dwell_s": 0}, "dwell_s"),
    ],
)
def test_what_cannot_be_met_names_the_constraint(border, options, words):
    with pytest.raises(ObservationError, match=words):
        observe(CAMERA, straight(**border), max_speed_m_s=20, **options)


@pytest.mark.parametrize(
    ("reach", "height_m"),
    [
        # By hand: half of the view is 12.82 degrees, so that from 63 m beside the line, 35 m before the near edge of
        # the band with its margin, 35 tan 67.82° = 85.9 m is the highest at which the picture reaches that edge.
        ({"pitch_min_deg": -55.0}, 85.5),
        # And from the ceiling, 57 degrees down would centre the band: half a degree more is within the view.
        ({"pitch_max_deg": -57.2}, 90.0),
    ],
)
def test_the_end_of_the_gimbal_is_kept_to_and_said(reach, height_m):
    camera = replace(CAMERA, **reach)
    look = observe(camera, straight(), max_speed_m_s=20)
    assert look.gimbal_pitch_deg == pytest.approx(*reach.values())
    assert look.height_agl_m == height_m
    pose = CameraPose(LAT, LON, Altitude(look.height_agl_m, Datum.AMSL), 0.0, look.gimbal_pitch_deg)
    band = np.array([[0.0, look.lateral_m + off, -look.height_agl_m] for off in (-25.0, 25.0)])
    assert camera.model.contains(camera.model.project(band @ pose.rotation_enu_from_camera())).all()
    # It is not the GSD that keeps it so low, and nothing is centred.
    assert look.gsd_far_m < 0.9 * camera.max_gsd_m or height_m == 90.0
    height, _, pitch, _ = look.reasons
    assert ("takes in the whole band" in height) == (height_m < 90)
    assert "GSD" not in height
    assert "as far as the gimbal reaches" in pitch
    assert any("centres" in reason for reason in observe(CAMERA, straight(), max_speed_m_s=20).reasons)


def test_a_narrow_lens_and_a_stiff_gimbal_are_named():
    narrow = replace(CAMERA, model=replace(CAMERA.model, focal_px=60_000.0), max_gsd_m=10)
    with pytest.raises(ObservationError, match="field of view"):
        observe(narrow, straight(), max_speed_m_s=20)
    with pytest.raises(ObservationError, match="gimbal"):
        observe(replace(CAMERA, pitch_max_deg=-88.0, max_gsd_m=10), straight(), max_speed_m_s=20)


@given(overlap=st.floats(0, 0.9), picture=st.floats(0.5, 20))
def test_two_pictures_have_the_overlap_in_common_at_the_narrowest_place(overlap, picture):
    look = observe(CAMERA, straight(), max_speed_m_s=20, dwell_s=0.1, overlap=overlap, picture_s=picture)
    assert look.speed_m_s * picture <= (1 - overlap) * look.footprint_near_m + 1e-9
    # No slower than it has to be.
    assert look.speed_m_s == pytest.approx(min(20, (1 - overlap) * look.footprint_near_m / picture))


def test_the_pictures_of_a_plan_have_the_overlap_in_common_as_it_is_flown():
    """What of the near edge of the band is on a picture, place by place, beside how far it is flown to the next."""
    border = straight(4000)
    made = plan(border, fleet_for(border, 1), options=PlanOptions(dwell_s=0.5, overlap=0.6, picture_s=3.0))
    look, camera = made.observation, made.fleet.camera.model
    pose = CameraPose(LAT, LON, Altitude(look.height_agl_m, Datum.AMSL), 0.0, look.gimbal_pitch_deg)
    along = np.arange(-100.0, 100.0, 0.02)
    near = np.column_stack([along, np.full_like(along, look.lateral_m - border.band_own_m)])
    points = np.column_stack([near, np.full_like(along, -look.height_agl_m)])
    shown = along[camera.contains(camera.project(points @ pose.rotation_enu_from_camera()))]
    (metres_on,) = {round(3.0 * leg.distance_m / leg.duration_s, 3) for s in made.sorties for leg in s.patrol}
    assert metres_on == pytest.approx(0.4 * np.ptp(shown), rel=2e-3)


def test_the_overlap_that_sets_the_speed_is_named():
    look = observe(CAMERA, straight(), max_speed_m_s=20, overlap=0.8, picture_s=5)
    assert any("overlap of 80%" in reason for reason in look.reasons)
    for figures in ({"overlap": 1.0, "picture_s": 1.0}, {"overlap": 0.5, "picture_s": float("nan")}):
        with pytest.raises(ObservationError, match="overlap"):
            observe(CAMERA, straight(), max_speed_m_s=20, **figures)
