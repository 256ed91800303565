"""Coverage of plans: by GSD, on terrain, along borders of any length."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from geo import CameraModel, FlatTerrain, GridTerrain, densify, geodesic_distance_m
from missions import Leg, LegKind, PlanOptions, Side, Waypoint, default_fleet, plan
from missions.band import BandLine
from missions.coverage import cover
from missions.views import Watch
from tests.asked import asked
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, beside, fleet_for, straight, wiggly_borders

SLOW = settings(max_examples=asked(20), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def ridge(height_m, from_m, to_m):
    """Ground at 300 m with a ridge along the border between two distances north of it, its slopes 2 m wide."""
    north = (1200 - np.arange(1500)) * 2.0
    wall = np.where((north >= from_m) & (north <= to_m), height_m, 0.0)
    step = 2.0 / 111_132.0
    heights = 300.0 + np.repeat(wall[:, None], 140, axis=1)
    return GridTerrain(heights, LAT + 1200 * step, LON - 20 * 100 / M_LON, step, 100 / M_LON)


@pytest.mark.parametrize(("own_m", "far_m"), [(25.0, 25.0), (11.0, 5.0), (6.0, 60.0)])
def test_a_straight_border_is_seen_whole_at_the_gsd_of_its_edges(own_m, far_m):
    border = straight(8000, band_own_m=own_m, band_far_m=far_m)
    made = plan(border, fleet_for(border, 1))
    look, coverage = made.observation, made.coverage
    assert coverage.share == pytest.approx(1.0)
    assert coverage.step_m <= 10
    assert coverage.band_area_m2 == pytest.approx(8000 * (border.band_own_m + border.band_far_m), rel=5e-3)
    shares = {step.gsd_m: step.share for step in coverage.by_gsd}
    assert list(shares.values()) == sorted(shares.values())
    assert coverage.by_gsd[-1].gsd_m == made.fleet.camera.max_gsd_m
    assert coverage.by_gsd[-1].share == pytest.approx(coverage.share)
    for step, share in shares.items():
        # The GSD rises evenly from the near to the far edge of the band.
        expected = (step - look.gsd_near_m) / (look.gsd_far_m - look.gsd_near_m)
        # Courses are drawn to a quarter of a metre.
        assert share == pytest.approx(min(1.0, max(0.0, expected)), abs=0.3 / (own_m + far_m))


@SLOW
@given(border=wiggly_borders())
def test_every_place_that_is_not_seen_lies_in_an_entry(border):
    made = plan(border, fleet_for(border, 1))
    coverage = made.coverage
    assert coverage.by_gsd[-1].share == pytest.approx(coverage.share)
    for gap in coverage.uncovered:
        assert gap.to_m > gap.from_m >= 0
        assert gap.area_m2 <= (gap.to_m - gap.from_m + 200) * 2 * (border.band_own_m + border.band_far_m)


def test_what_a_ridge_hides_is_reported_and_is_what_similar_triangles_say():
    """A ridge on the own side of the line, between the aircraft and the band."""
    border = straight(8000)
    fleet = fleet_for(border, 1)
    fleet = replace(fleet, camera=replace(fleet.camera, model=CameraModel(640, 1024, 900.0), max_gsd_m=0.5))
    level = plan(border, fleet, ridge(0.0, 0, 0))
    assert level.coverage.share == pytest.approx(1.0, abs=2e-3)
    look = level.observation
    hidden = plan(border, fleet, ridge(45.0, 30, 40))
    assert hidden.observation == look
    assert look.lateral_m > 55
    [reason] = {gap.reason for gap in hidden.coverage.uncovered}
    assert "hidden by the ground" in reason
    # Seen 1 m above the ground past the ridge: the line over its edge comes down to that so far beyond it.
    dark_m = (look.lateral_m - 30) / (look.height_agl_m - 45) * 44
    # The band begins 5 m beyond the ridge and is 50 m deep, looked at in rows of 6 m.
    assert 1 - hidden.coverage.share == pytest.approx((dark_m - 5) / 50, abs=0.07)


def test_a_far_side_that_rises_is_seen_and_one_that_falls_away_steeply_is_coarser():
    # So near that where the ground begins to slope, at the line, a pixel is less than 0.1 m.
    border = straight(6000, stand_off_m=50)
    fleet = fleet_for(border, 1)
    step = 10.0 / 111_132.0
    north = (400 - np.arange(700)) * 10.0
    finest = []
    for slope in (0.4, 0.0, -0.4):
        ground = 300.0 + slope * np.minimum(north, 0.0)[:, None] * -1 + np.zeros((700, 1500))
        made = plan(
            border, fleet, GridTerrain(ground, LAT + 400 * step, LON - 200 * step, step), PlanOptions(gsd_m=0.125)
        )
        finest.append({s.gsd_m: s.share for s in made.coverage.by_gsd}.get(0.1, 0.0))
    assert finest == sorted(finest, reverse=True)
    assert finest[0] > finest[2] + 0.05


def test_a_border_longer_than_a_plane_holds_is_measured_whole():
    points = [(x * 1000.0, 2000 * math.sin(x / 10)) for x in range(900)]
    line = tuple((LON + x / M_LON, LAT + y / M_LAT) for x, y in points)
    border = replace(straight(1000), coordinates=line, own_side=Side.LEFT)
    made = plan(border, default_fleet(beside(replace(border, coordinates=line[440:460]), 3000), 2), FlatTerrain())
    coverage = made.coverage
    assert coverage.band_area_m2 == pytest.approx(border.length_m() * 50.0, rel=0.01)
    # 400,000 places, and no more, for any length.
    assert coverage.step_m == pytest.approx(border.length_m() * 50.0 / 6.25 / 400_000, rel=0.05)
    flown = sum(leg.distance_m for s in made.sorties for leg in s.patrol)
    assert coverage.seen_area_m2 == pytest.approx(flown * 50.0, rel=0.03)
    assert sum(gap.area_m2 for gap in coverage.uncovered) == pytest.approx(
        coverage.band_area_m2 - coverage.seen_area_m2, rel=1e-6
    )
    assert {gap.reason.split(":")[0] for gap in coverage.uncovered} <= {
        "out of reach",
        "the course bends, and neither the view before the bend nor the one after it takes this in",
    }


@SLOW
@given(border=wiggly_borders(), drones=st.integers(1, 4))
def test_whatever_the_flight_line_can_show_the_plan_shows(border, drones):
    """Cut into sorties, flown either way by several aircraft, the line shows no less than flown in one go."""
    made = plan(border, fleet_for(border, drones))
    assume(not any("out of reach" in gap.reason for gap in made.coverage.uncovered))
    look = made.observation
    places = [Waypoint.above(lat, lon, look.height_agl_m, 0.0) for lat, lon in made.flight_line]
    lengths = geodesic_distance_m(*np.array(made.flight_line[:-1]).T, *np.array(made.flight_line[1:]).T)
    legs = [
        Leg(LegKind.PATROL, a, b, look.speed_m_s, float(length), 1.0, 1.0)
        for (a, b), length in zip(pairwise(places), lengths, strict=True)
    ]
    side = -float(border.own_side.sign)
    watch = Watch(legs, [side] * len(legs), made.fleet.camera, look.gimbal_pitch_deg, made.fleet.camera.max_gsd_m)
    lat, lon = densify(*np.array(border.coordinates).T[::-1], 500.0)
    depths = border.band_own_m, border.band_far_m
    line = BandLine(lat, lon, *(depths if border.own_side is Side.LEFT else depths[::-1]))
    whole = cover([line], [watch], [], FlatTerrain())
    # Where two sorties meet at a bend neither turns there: at most that wedge is lost.
    assert made.coverage.share >= whole.share - 0.003
    assert made.coverage.share <= whole.share + 0.003
