"""Wings over ground that rises faster than they climb: they circle before it, beside the line, and go on higher."""

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from missions import Airspace, LegKind, PlanError, Progress, check, compile_mission, plan
from missions.lags import _Lag
from missions.progress import reached
from missions.revisit import passed_s

from .helpers import area, metres, straight, way, zone
from .test_steep_ground import LOOSE, WINGS, assert_flown_well, assert_named, grid, ground, winged

ROOMY = replace(LOOSE, floor_agl_m=25.0, patrol_ceiling_agl_m=110.0, ceiling_agl_m=150.0)
"""Room for a circle on a slope, which is lower on one side of it."""

TOP_M = 1400.0
"""Up to where the highest ramp and a flight over it come."""


def ramp(slope, azimuth_deg, length_m=700.0, before_m=0.0):
    """Level ground, from a line on a slope, and level again; the line lies so far before the middle of the border."""
    east, north = grid()
    a = math.radians(azimuth_deg)
    beyond = (east - 1500.0) * math.sin(a) + north * math.cos(a) + before_m
    return ground(900 + slope * np.clip(beyond, 0, length_m))


def circles(sortie):
    """Runs of legs that circle, each with the leg before and the one after."""
    kinds = [leg.kind is LegKind.CLIMB for leg in sortie.legs]
    edges = np.flatnonzero(np.diff([0, *kinds, 0]))
    return [sortie.legs[a - 1 : b + 1] for a, b in zip(edges[::2], edges[1::2], strict=True)]


def assert_circles(run, sortie, border):
    """They end where they began, as whole laps no tighter than the aircraft turns, beyond the stand-off."""
    ends = [leg.start for leg in run] + [run[-1].end]
    places = metres([(end.lon_deg, end.lat_deg) for end in ends])
    assert np.hypot(*(places[1] - places[-2])) < 0.5
    steps = np.diff(places, axis=0)
    course = np.unwrap(np.arctan2(*steps.T[::-1]))
    laps = abs(course[-1] - course[0]) / (2 * math.pi)
    assert round(laps) >= 1
    assert laps == pytest.approx(round(laps), abs=0.1)
    around_m = np.hypot(*steps[1:-1].T).sum() / round(laps)
    # Chords are shorter than their arcs.
    assert around_m / (2 * math.pi) > 0.99 * sortie.vehicle.aircraft.turn_radius_m
    line = shapely.LineString(metres(border.coordinates))
    assert line.distance(shapely.LineString(places)) > border.stand_off_m


def test_wings_come_over_slopes_that_are_too_steep_for_them():
    """It was a slope of 0.3 before wings kept what autopilots make of their heights above the floor.

    On one of 0.3 that now asks for 60 m of height between two circles, and floor and camera leave 39.
    """
    border, terrain = straight(3000.0), ramp(0.28, 80.0, 1200.0)
    made = plan(border, winged("fixed_wing", border, as_at_sea_m=TOP_M), terrain, ROOMY)
    assert_flown_well(made, terrain)
    assert check(made, terrain) == []
    assert not any("steep" in part.reason for part in made.coverage.uncovered)
    runs = [(run, sortie) for sortie in made.sorties for run in circles(sortie)]
    assert runs
    for run, sortie in runs:
        assert_circles(run, sortie, border)


def test_what_climbs_on_the_spot_comes_down_over_a_slope_on_its_way():
    border, terrain = straight(3000.0), ramp(-0.3, 320.0)
    made = plan(border, winged("vtol", border), terrain, LOOSE)
    assert_flown_well(made, terrain)
    assert check(made, terrain) == []
    assert not any("steep" in part.reason for part in made.coverage.uncovered)
    assert not any(circles(sortie) for sortie in made.sorties)


@pytest.mark.parametrize("azimuth_deg", [80.0, 270.0])
def test_what_climbs_on_the_spot_does_so_as_high_as_its_way_over_a_slope_asks(azimuth_deg):
    border, terrain = straight(3000.0), ramp(0.3, azimuth_deg)
    made = plan(border, winged("vtol", border), terrain, ROOMY)
    assert_flown_well(made, terrain)
    assert check(made, terrain) == []
    assert not any("steep" in part.reason for part in made.coverage.uncovered)
    patrol_m = made.observations[0].height_agl_m
    ends = [at.agl_m for s in made.sorties for at in (s.legs[0].end, s.legs[-1].start)]
    assert min(ends) >= made.options.floor_agl_m
    assert max(ends) > patrol_m + 10.0
    for sortie in made.sorties:
        base = sortie.legs[0].start
        assert (base.lat_deg, base.lon_deg) == (sortie.legs[0].end.lat_deg, sortie.legs[0].end.lon_deg)
        assert (sortie.legs[-1].start.lat_deg, sortie.legs[-1].start.lon_deg) == (base.lat_deg, base.lon_deg)
    # Level ground asks for no more than the patrol.
    level = plan(border, winged("vtol", border), ramp(0.0, 80.0), ROOMY)
    level_m = level.observations[0].height_agl_m
    assert [s.legs[0].end.agl_m for s in level.sorties] == pytest.approx([level_m] * len(level.sorties), abs=0.1)


@settings(max_examples=4, deadline=None)
@given(form=st.sampled_from(sorted(WINGS)), slope=st.floats(-0.3, 0.3), azimuth_deg=st.floats(0, 360))
def test_over_any_slope_wings_circle_beside_the_line_or_say_that_it_is_too_steep(form, slope, azimuth_deg):
    border, terrain = straight(3000.0), ramp(slope, azimuth_deg)
    try:
        made = plan(border, winged(form, border), terrain, ROOMY)
    except PlanError as error:
        if "no straight line" not in str(error):
            assert_named(str(error), WINGS[form])
        return
    assert_flown_well(made, terrain)
    assert check(made, terrain) == []
    for part in made.coverage.uncovered:
        if "steep" in part.reason:
            assert_named(part.reason, WINGS[form])
    for sortie in made.sorties:
        for run in circles(sortie):
            assert_circles(run, sortie, border)


def test_circles_keep_out_of_zones_and_are_flown_as_slowly_as_their_climb_asks():
    border, terrain = straight(3000.0), ramp(0.28, 80.0, 1200.0)
    fleet = winged("fixed_wing", border, as_at_sea_m=TOP_M)
    free = plan(border, fleet, terrain, ROOMY)
    (first, *_) = circles(free.sorties[0])
    (east, north) = metres([(first[9].end.lon_deg, first[9].end.lat_deg)])[0]
    shut = zone("shut", east, north, 40.0)
    made = plan(border, fleet, terrain, ROOMY, airspace=Airspace(zones=(shut,)))
    assert shapely.intersects(way(free.sorties[0]), area(shut))
    assert check(made, terrain) == []
    assert any(circles(sortie) for sortie in made.sorties)
    for sortie in made.sorties:
        assert not shapely.intersects(way(sortie), area(shut))
        craft = sortie.vehicle.aircraft
        told, speed, legs = {}, None, {(leg.end.lat_deg, leg.end.lon_deg): leg for leg in sortie.legs}
        for item in compile_mission(made, sortie).items:
            if item.command == 178:
                speed = item.p2
            told[round(item.x / 1e7, 7), round(item.y / 1e7, 7)] = speed
        slow = [leg for leg in legs.values() if leg.kind is LegKind.CLIMB]
        for leg in slow:
            rise = leg.end.amsl_m - leg.start.amsl_m
            airspeed = told[leg.end.lat_deg, leg.end.lon_deg]
            # A change of half a metre a second is not worth an item.
            assert rise * (airspeed - 0.5) / leg.distance_m <= craft.climb_m_s * 1.001


def test_circles_are_no_part_of_the_line_along_which_a_sortie_is_said_to_have_come(monkeypatch):
    # Wings that fly what they are told, just where they are told, have room for a circle on the line itself.
    monkeypatch.setattr("missions.lags._LAGS", (_Lag(0.0, 1.0, 0.0),))
    monkeypatch.setattr("missions.aircraft._L1_PERIOD_S", 0.0)
    border, terrain = straight(3000.0), ramp(0.35, 80.0)
    made = plan(border, winged("fixed_wing", border), terrain, LOOSE)
    circled = [
        (sortie, run)
        for sortie in made.sorties
        for run in sortie.runs
        if any(leg.kind is LegKind.CLIMB for leg in sortie.legs[run.start : run.stop])
    ]
    assert circled
    for sortie, run in circled:
        clock = np.cumsum([leg.duration_s for leg in sortie.legs])
        begin = sortie.legs[run.start].start
        for k in range(run.start, run.stop - 1):
            if LegKind.CLIMB in {leg.kind for leg in sortie.legs[k : k + 2]}:
                continue
            end = sortie.legs[k].end
            gone_m = np.hypot(*np.diff(metres([(at.lon_deg, at.lat_deg) for at in (begin, end)]), axis=0)[0])
            along_m = run.from_m + math.copysign(gone_m, run.to_m - run.from_m)
            assert passed_s(sortie, along_m) == pytest.approx(clock[k], abs=1.0)
            told = Progress(sortie.name, at=(end.lat_deg, end.lon_deg))
            # Where it may have been at either of two places it was at the first.
            assert reached(made, sortie, told, terrain, "ardupilot").flown_m < gone_m + 5.0
