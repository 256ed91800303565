"""Plans over hills, steps and noise: every way keeps its height above ground, at rates that the aircraft can fly."""

import math
from dataclasses import replace

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from geo import Altitude, Datum, GridTerrain
from missions import (
    Aircraft,
    Airspace,
    Fleet,
    LegKind,
    PlanError,
    PlanOptions,
    Progress,
    Vehicle,
    Wind,
    ZoneKind,
    check,
    default_fleet,
    plan,
    resume,
)
from missions.slopes import Slopes, followed
from missions.way_rises import ways_followed
from tests.asked import asked

from .helpers import LAT, LON, M_LAT, M_LON, area, beside, fleet_for, lifted, straight, way, zone

GEOD = pyproj.Geod(ellps="WGS84")
STEP_DEG = 0.0005
REACH_DEG = 0.08
OFF_M = 1.5
"""What straight pieces between waypoints may be above a ceiling that leaves no room, metres."""

BELOW_M = 1.5
"""What they may come below the floor: the ground is sampled to a metre."""


def grid():
    """East and north of the samples of a terrain about the test border, metres."""
    lat = LAT + REACH_DEG - STEP_DEG * np.arange(round(2 * REACH_DEG / STEP_DEG))
    lon = LON - REACH_DEG + STEP_DEG * np.arange(round(3 * REACH_DEG / STEP_DEG))
    return np.meshgrid((lon - LON) * M_LON, (lat - LAT) * M_LAT)


def ground(heights):
    return GridTerrain(heights, LAT + REACH_DEG, LON - REACH_DEG, STEP_DEG)


def hills(amplitude_m, length_m):
    east, north = grid()
    return ground(800 + amplitude_m * np.sin(2 * np.pi * east / length_m) * np.cos(2 * np.pi * north / length_m))


def step(height_m, at_m, azimuth_deg):
    east, north = grid()
    a = math.radians(azimuth_deg)
    return ground(500 + height_m * (east * math.sin(a) + north * math.cos(a) > at_m))


def noise(deviation_m, seed):
    return ground(1500 + np.random.default_rng(seed).normal(0, deviation_m, grid()[0].shape))


def agl_m(leg, terrain):
    """Heights above ground along a leg, metre by metre."""
    a, b = leg.start, leg.end
    t = np.linspace(0, 1, int(leg.distance_m) + 2)
    lat, lon = a.lat_deg + t * (b.lat_deg - a.lat_deg), a.lon_deg + t * (b.lon_deg - a.lon_deg)
    return a.amsl_m + t * (b.amsl_m - a.amsl_m) - terrain.elevation_m(lat, lon)


def assert_flown_well(made, terrain):
    """Heights above ground and rates of every leg of a plan."""
    floor, ceiling = made.options.floor_agl_m, made.options.ceiling_agl_m
    for sortie in made.sorties:
        craft = sortie.vehicle.aircraft
        assert sortie.reserve_left >= craft.reserve_fraction - 1e-6
        for leg in sortie.legs:
            above = agl_m(leg, terrain)
            assert above.max() < ceiling + OFF_M
            rise = leg.end.amsl_m - leg.start.amsl_m
            assert -craft.descent_m_s * 1.0001 <= rise / leg.duration_s <= craft.climb_m_s * 1.0001
            assert leg.distance_m / leg.duration_s <= craft.max_m_s * 1.001
            if leg.kind not in {LegKind.TAKEOFF, LegKind.LANDING}:
                assert above.min() > floor - BELOW_M
                assert leg.distance_m / leg.duration_s >= craft.min_m_s * 0.999
            if leg.kind is LegKind.PATROL:
                assert above.max() < made.options.patrol_ceiling_agl_m + OFF_M


GROUNDS = st.one_of(
    st.builds(hills, st.floats(10, 300), st.floats(400, 6000)),
    st.builds(step, st.floats(-400, 400), st.floats(-1500, 1500), st.floats(0, 180)),
    st.builds(noise, st.floats(2, 40), st.integers(0, 2**31)),
)


@settings(max_examples=asked(12), deadline=None)
@given(terrain=GROUNDS)
def test_rotors_follow_any_ground(terrain):
    border = straight(2500.0)
    made = plan(border, fleet_for(border, 1, distance_m=600.0), terrain)
    assert_flown_well(made, terrain)
    assert made.sorties[0].patrol


@settings(max_examples=asked(6), deadline=None)
@given(terrain=GROUNDS)
def test_rotors_keep_ceilings_that_leave_room_and_few_waypoints_do(terrain):
    border = straight(2500.0)
    options = PlanOptions(patrol_ceiling_agl_m=60.0, ceiling_agl_m=70.0)
    made = plan(border, fleet_for(border, 1, distance_m=600.0), terrain, options)
    for sortie in made.sorties:
        for leg in sortie.legs:
            if leg.kind not in {LegKind.TAKEOFF, LegKind.LANDING}:
                most = options.patrol_ceiling_agl_m if leg.kind is LegKind.PATROL else options.ceiling_agl_m
                # Between samples the ground is known to a metre and a little: what validation allows.
                assert agl_m(leg, terrain).max() < most + OFF_M
    loose = plan(border, fleet_for(border, 1, distance_m=600.0), terrain)
    legs, more = (sum(len(sortie.legs) for sortie in one.sorties) for one in (loose, made))
    assert more < 1.6 * legs + 10


def test_rotors_climb_a_cliff_where_they_come_to_it_and_take_the_time_for_it():
    border, cliff = straight(2500.0), step(300.0, 1250.0, 90.0)
    level = plan(border, fleet_for(border, 1, distance_m=600.0), step(0.0, 0.0, 90.0))
    made = plan(border, fleet_for(border, 1, distance_m=600.0), cliff)
    assert_flown_well(made, cliff)
    more_s = sum(s.duration_s for s in made.sorties) - sum(s.duration_s for s in level.sorties)
    craft = made.sorties[0].vehicle.aircraft
    # Up on one way and down on another, less the time in which it would have come over the slope anyhow.
    assert 0.8 < more_s / (300 / craft.climb_m_s + 300 / craft.descent_m_s) < 1.1
    assert sum(s.energy_wh for s in made.sorties) > sum(s.energy_wh for s in level.sorties)


def test_a_hole_in_the_data_below_ways_that_nobody_flies_is_no_hindrance():
    border, base_m = straight(2500.0), 600.0
    east, north = grid()
    heights = 500 + 40 * np.sin(east / 300)
    heights[np.hypot(east - 1250.0, north - 300.0) < 100.0] = np.nan
    terrain = ground(heights)
    made = plan(border, fleet_for(border, 1, distance_m=base_m), terrain)
    assert_flown_well(made, terrain)
    assert made.coverage.share > 0.9


WINGS = {
    "fixed_wing": Aircraft(
        "wing", 20.0, 28.0, 3.0, 3.0, 400.0, 150.0, 350.0, 400.0, form="fixed_wing", min_m_s=14.0, turn_radius_m=60.0
    ),
    "vtol": Aircraft(
        "lifter", 18.0, 25.0, 3.0, 2.5, 900.0, 220.0, 700.0, 600.0, form="vtol", min_m_s=13.0, turn_radius_m=50.0,
        transition_s=15.0,
    ),
}  # fmt: skip
LOOSE = PlanOptions(dwell_s=2.5)


def winged(form, border, distance_m=900.0, *, as_at_sea_m=1000.0):
    """One with wings, whose figures are those of `WINGS` so high above the sea: they are about slopes there."""
    base = beside(border, distance_m)
    return lifted(Fleet(default_fleet(base, 1).camera, (Vehicle(1, "one", WINGS[form], base),)), as_at_sea_m)


def assert_named(words, craft):
    """That a reason names what is too steep for whom, and the fields that say so."""
    for word in ("too steep", craft.kind, "climb_m_s", "ceiling_agl_m", "floor_agl_m"):
        assert word in words


def test_wings_fly_ordinary_hills_whole():
    # Slopes of 0.19: steeper than 3 m/s at 20 m/s of cruise, less than at the lowest speed.
    border, terrain = straight(4000.0), hills(60.0, 2000.0)
    for form in WINGS:
        made = plan(border, winged(form, border), terrain, LOOSE)
        assert_flown_well(made, terrain)
        assert made.coverage.share > 0.9
        heights = [leg.start.agl_m for sortie in made.sorties for leg in sortie.patrol]
        assert max(heights) > made.observations[0].height_agl_m + 0.5
        assert not any("steep" in part.reason for part in made.coverage.uncovered)


@settings(max_examples=asked(6), deadline=None)
@example(form="fixed_wing", terrain=noise(21.0, 16678878))
@example(form="vtol", terrain=noise(39.0, 191611025))
@given(form=st.sampled_from(sorted(WINGS)), terrain=GROUNDS)
def test_wings_follow_what_they_can_and_name_what_they_cannot(form, terrain):
    border = straight(3000.0)
    try:
        made = plan(border, winged(form, border), terrain, LOOSE)
    except PlanError as error:
        # A runway that the ground shuts is named by its base.
        if "no straight line" not in str(error):
            assert_named(str(error), WINGS[form])
        return
    assert_flown_well(made, terrain)
    assert check(made, terrain) == []
    for part in made.coverage.uncovered:
        if "steep" in part.reason:
            assert_named(part.reason, WINGS[form])


def test_a_wall_that_wings_cannot_follow_is_uncovered_with_its_place_and_the_rest_is_flown():
    # The wall crosses the line beyond the base: what lies before it is flown, what lies behind cannot be come to.
    border, terrain = straight(6000.0), step(250.0, 4500.0, 90.0)
    made = plan(border, winged("vtol", border), terrain, LOOSE)
    assert_flown_well(made, terrain)
    steep = [part for part in made.coverage.uncovered if "too steep" in part.reason]
    assert steep
    assert_named(steep[0].reason, WINGS["vtol"])
    wall_deg = LON + 4500.0 / M_LON
    assert any(abs(part.lon_deg - wall_deg) * M_LON < 2000.0 for part in steep)
    assert made.coverage.share > 0.4
    assert any("too steep" in note for note in made.notes)


def test_where_wings_can_follow_nothing_one_error_names_them():
    border, terrain = straight(3000.0), hills(400.0, 1200.0)
    with pytest.raises(PlanError) as error:
        plan(border, winged("vtol", border), terrain, LOOSE)
    assert_named(str(error.value), WINGS["vtol"])
    assert "46." in str(error.value)


def test_rotors_take_what_is_too_steep_for_wings():
    border, terrain = straight(3000.0), hills(300.0, 1200.0)
    base = beside(border, 700.0)
    fleet = Fleet(
        default_fleet(base, 1).camera,
        (Vehicle(1, "one", WINGS["vtol"], base), Vehicle(2, "two", default_fleet(base, 1).vehicles[0].aircraft, base)),
    )
    made = plan(border, fleet, terrain, LOOSE)
    assert_flown_well(made, terrain)
    assert not any("steep" in part.reason for part in made.coverage.uncovered)


@pytest.mark.parametrize("airborne", [False, True])
def test_the_rest_of_a_patrol_over_hills_keeps_its_heights(airborne):
    border, terrain = straight(4000.0), hills(60.0, 2000.0)
    for form in WINGS:
        made = plan(border, winged(form, border), terrain, LOOSE)
        sortie = made.sorties[0]
        leg = sortie.patrol[len(sortie.patrol) // 2]
        at = leg.start.lat_deg, leg.start.lon_deg
        after = resume(made, Progress(sortie.name, at=at, battery=0.9, airborne=airborne), terrain=terrain)
        assert check(after, terrain) == []
        assert_flown_well(after, terrain)


def test_a_zone_with_a_floor_is_kept_out_of_where_wings_may_come_down_below_it():
    border = straight(4000.0)
    limits = zone("limits", 2000.0, 100.0, 200.0, kind=ZoneKind.LIMITS, floor=Altitude(55.0, Datum.AGL))
    for terrain, blocks in ((None, False), (hills(60.0, 2000.0), True)):
        made = plan(border, winged("vtol", border), terrain, LOOSE, airspace=Airspace(zones=(limits,)))
        assert made.observations[0].height_agl_m > 60.0
        flown = shapely.MultiLineString([way(sortie) for sortie in made.sorties])
        assert shapely.intersects(flown, area(limits)) != blocks


# --- the line of heights --------------------------------------------------------------------------------------------


@st.composite
def grounds_and_slopes(draw):
    count = draw(st.integers(2, 12))
    ground = np.array(draw(st.lists(st.floats(-50, 50), min_size=count, max_size=count)))
    planned = np.array(
        draw(st.lists(st.tuples(st.floats(0, 20), st.floats(0, 20)), min_size=count - 1, max_size=count - 1))
    )
    return ground, planned, draw(st.floats(1.0, 3.0))


def least_excess(low, high, most):
    """By how much upper bounds must give at least, by a linear programme over the heights themselves."""
    count = len(low)
    rows = np.zeros((2 * (count - 1), count))
    for k in range(count - 1):
        rows[2 * k, [k, k + 1]] = -1.0, 1.0
        rows[2 * k + 1, [k, k + 1]] = 1.0, -1.0
    solved = linprog(
        np.append(np.zeros(count), 1.0),
        A_ub=np.vstack(
            [np.column_stack([rows, np.zeros(len(rows))]), np.column_stack([np.eye(count), -np.ones(count)])]
        ),
        b_ub=np.concatenate([most, high]),
        bounds=[*zip(low, [None] * count, strict=True), (0, None)],
    )
    return solved.fun


@given(given_=grounds_and_slopes())
def test_heights_can_be_flown_and_fit_the_bounds_wherever_any_do(given_):
    ground, planned, more = given_
    low, high, wanted = ground + 10.0, ground + 40.0, ground + 30.0
    found = followed(low, high, wanted, Slopes.of(*planned.T), Slopes.of(*(more * planned.T)))
    change = np.diff(found.height_m)
    assert (change <= more * planned[:, 0] + 1e-6).all()
    assert (-change <= more * planned[:, 1] + 1e-6).all()
    assert (found.height_m >= low - 1e-9).all()
    count, most = len(ground), more * planned.ravel()
    assert least_excess(low, high, most) == pytest.approx(max(float(found.over_m.max()), 0.0), abs=1e-5)
    assert found.blocked.any() == (float(found.over_m.max()) > 1e-6)
    # Cut at what is blocked, the rest can be flown.
    for run in np.split(np.arange(count), np.flatnonzero(found.blocked)):
        own = run[~found.blocked[run]]
        if len(own) > 1:
            inner = more * planned[own[:-1]]
            part = followed(low[own], high[own], wanted[own], Slopes.of(*inner.T), Slopes.of(*inner.T))
            assert part.over_m.max() <= 1e-6


def test_ground_that_can_be_followed_is_followed_at_the_height_that_is_wanted():
    ground = np.array([0.0, 5.0, 10.0, 8.0, 3.0])
    slopes = Slopes.of(np.full(4, 5.0), np.full(4, 5.0))
    found = followed(ground + 40, ground + 90, ground + 60, slopes, slopes)
    assert found.height_m == pytest.approx(ground + 60)


def test_a_course_that_is_given_up_says_how_often_it_was_shared_out(monkeypatch):
    monkeypatch.setattr("missions.rotas._SHUT_MOST", 0)
    border = straight(3000.0)
    with pytest.raises(PlanError, match=r"was shared out 0 times anew.*too steep.*or plan it in shorter parts"):
        plan(border, winged("vtol", border), step(300.0, 1250.0, 90.0), LOOSE)


def test_ways_out_and_home_are_followed_once_however_often_the_line_is_shared_out(monkeypatch):
    followed_for = []

    def counted(*args, home, **options):
        followed_for.append(home)
        return ways_followed(*args, home=home, **options)

    monkeypatch.setattr("missions.access.ways_followed", counted)
    border, terrain = straight(6000.0), step(250.0, 4500.0, 90.0)
    made = plan(border, winged("vtol", border), terrain, LOOSE)
    assert any("too steep" in note for note in made.notes)  # shared out again without the wall
    assert sorted(followed_for) == [False, True]


@pytest.mark.parametrize("toward_deg", [40.0, 140.0])
@pytest.mark.parametrize("lat_deg", [2.0, 38.0])
def test_at_their_lowest_airspeed_wings_are_not_taken_for_slower(lat_deg, toward_deg):
    """Courses are those on the ellipsoid: on a sphere they are a fifth of a degree off, and wind makes that more."""
    places = [(8.0, lat_deg)]
    for azimuth in (toward_deg, toward_deg + 100.0):
        places.append(GEOD.fwd(*places[-1], azimuth, 4000.0)[:2])
    border = replace(straight(4000.0, side="right"), coordinates=tuple(places))
    fleet = winged("vtol", border, as_at_sea_m=0.0)
    fleet = replace(fleet, camera=replace(fleet.camera, max_gsd_m=0.5))
    # Whichever way it is patrolled the wind is behind on one side of the bend.
    options = PlanOptions(wind=Wind(10.0, toward_deg + 140.0))
    made = plan(border, fleet, None, options)
    slowest = min(_airspeed(leg, options.wind) for sortie in made.sorties for leg in sortie.patrol)
    assert slowest == pytest.approx(WINGS["vtol"].min_m_s, rel=5e-4)


def _airspeed(leg, wind):
    azimuth, _, length = GEOD.inv(leg.start.lon_deg, leg.start.lat_deg, leg.end.lon_deg, leg.end.lat_deg)
    speeds = [(length / leg.duration_s, azimuth), (wind.speed_m_s, wind.from_deg)]
    true_m_s = math.hypot(*(sum(v * f(math.radians(a)) for v, a in speeds) for f in (math.sin, math.cos)))
    # What the pitot tube says of it.
    return true_m_s * (1 - 2.25577e-5 * leg.start.amsl_m) ** 2.12794
