"""Wings that take off for a spot: they circle where all of their circles show it, lawfully, and fly what wings can."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from geo import FlatTerrain
from missions import (
    Fleet,
    LegKind,
    PlanError,
    PlanOptions,
    Spot,
    Vehicle,
    Wind,
    check,
    cue_sortie,
    default_fleet,
    plan,
    validate_missions,
)
from tests.asked import asked
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, beside, lifted, metres, straight, way, wiggly_borders
from tests.missions.test_airspace_plans import WING
from tests.missions.test_climbing import ROOMY, assert_circles, ramp
from tests.missions.test_climbing import circles as climbing
from tests.missions.test_steep_ground import WINGS, assert_flown_well

SLOW = settings(
    max_examples=asked(25), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
VTOL = replace(WING, form="vtol", transition_s=10, takeoff_s=15, landing_s=20, hover_power_w=900)
ROUNDING_M = 0.2


def spot_at(east, north, uncertainty_m=0.0):
    return Spot(LAT + north / M_LAT, LON + east / M_LON, uncertainty_m)


def planned(border, craft, options=None, terrain=None, *, as_at_sea_m=0.0):
    camera = replace(default_fleet(beside(border, 1500)).camera, max_gsd_m=0.3)
    fleet = lifted(Fleet(camera, (Vehicle(1, "wing", craft, beside(border, 1500)),)), as_at_sea_m)
    return plan(border, fleet, terrain or FlatTerrain(0.0), options or PlanOptions(shift_s=3600.0, dwell_s=1.0))


def sought(made, spot, station_s):
    """The sortie, or why there is none."""
    try:
        return cue_sortie(made, made.fleet.vehicles[0], spot, station_s=station_s)
    except PlanError as error:
        return error


def station(found):
    return [leg for leg in found.sortie.legs if leg.kind is LegKind.STATION]


def ring_of(found):
    legs = station(found)
    return metres([(p.lon_deg, p.lat_deg) for p in (legs[0].start, *(leg.end for leg in legs))])


@SLOW
@given(
    wiggly_borders(),
    st.sampled_from([WING, VTOL]),
    st.floats(0, 1),
    st.floats(-40, 200),
    st.floats(0, 7),
    st.floats(20, 300),
    st.data(),
)
def test_what_wings_fly_to_a_spot_is_lawful_and_shows_it_all_the_while(
    border, craft, share, behind_m, wind_m_s, station_s, data
):
    options = PlanOptions(shift_s=3600.0, dwell_s=1.0, wind=Wind(wind_m_s, data.draw(st.floats(0, 359))))
    try:
        made = planned(border, craft, options)
    except PlanError:
        assume(False)
    line = shapely.LineString(metres(made.border.coordinates))
    on = line.interpolate(share, normalized=True)
    sign = -1 if border.own_side.value == "left" else 1
    ahead, back = (line.interpolate(min(max(share + d, 0), 1), normalized=True) for d in (1e-3, -1e-3))
    along = np.array([ahead.x - back.x, ahead.y - back.y])
    right = np.array([along[1], -along[0]]) / max(np.hypot(*along), 1e-9)
    spot = spot_at(on.x + sign * behind_m * right[0], on.y + sign * behind_m * right[1], 5.0)
    found = sought(made, spot, station_s)
    if isinstance(found, PlanError):
        assert re.search("lawful|reserve|no fence|a pixel|circle", str(found))
        return
    assert check(found.plan) == []
    for dialect in ("ardupilot", "px4"):
        assert validate_missions(found.plan, [found.mission(dialect)]).violations == []
    assert line.distance(way(found.sortie)) >= border.stand_off_m - ROUNDING_M
    ring = ring_of(found)
    camera = made.fleet.camera
    middle = metres([(spot.lon_deg, spot.lat_deg)])[0]
    slant = np.hypot(np.hypot(*(ring - middle).T) + spot.uncertainty_m, found.place.amsl_m - found.ground_amsl_m)
    assert slant.max() / camera.model.focal_px <= camera.max_gsd_m * 1.001
    assert sum(leg.duration_s for leg in station(found)) >= station_s - 0.1
    # It circles: always to one side, on a radius that it can fly in this wind.
    courses = np.unwrap(np.arctan2(*np.diff(ring, axis=0).T[::-1]))
    turned = np.diff(courses)
    assert (np.sign(turned) == np.sign(turned[0])).all()
    radius_m = np.hypot(*np.diff(ring, axis=0).T[:, 1:]) / (2 * np.sin(np.abs(turned) / 2))
    assert radius_m.min() >= craft.turn_radius_in(options.wind)
    assert found.sortie.energy_wh <= craft.usable_wh + 1e-6


@pytest.fixture(scope="module", params=[WING, VTOL], ids=["fixed wing", "vtol"])
def made(request):
    return planned(straight(), request.param)


@pytest.mark.parametrize("dialect", ["ardupilot", "px4"])
def test_the_camera_looks_at_the_spot_while_it_circles(made, dialect):
    spot = spot_at(5000, 30)
    found = cue_sortie(made, made.fleet.vehicles[0], spot, station_s=100.0)
    items = found.mission(dialect).items
    begin, end = (next(k for k, item in enumerate(items) if item.command == roi) for roi in (195, 197))
    assert (items[begin].x, items[begin].y) == (round(spot.lat_deg * 1e7), round(spot.lon_deg * 1e7))
    flown = [(item.x / 1e7, item.y / 1e7) for item in items[begin + 1 : end] if item.command == 16]
    wanted = [(leg.end.lat_deg, leg.end.lon_deg) for leg in station(found)]
    assert flown == [pytest.approx(place, abs=1e-7) for place in wanted]
    # It sets out and comes home as it does on its patrol.
    usual = made.sorties[0]
    for kind in (LegKind.TAKEOFF, LegKind.LANDING):
        one, other = ([leg for leg in sortie.legs if leg.kind is kind] for sortie in (found.sortie, usual))
        assert len(one) == len(other)
        assert one[-1].end.lat_deg == pytest.approx(other[-1].end.lat_deg, abs=1e-6)


def test_there_is_no_runway_that_the_plan_does_not_know():
    made = planned(straight(), WING)
    one = made.fleet.vehicles[0]
    elsewhere = replace(one, base=replace(one.base, lat_deg=one.base.lat_deg + 0.01))
    with pytest.raises(PlanError, match="nothing like it takes off from"):
        cue_sortie(made, elsewhere, spot_at(5000, 30))


def test_where_no_circle_shows_it_that_is_said(made):
    one = replace(made.fleet.vehicles[0], camera=replace(made.fleet.camera, max_gsd_m=0.1))
    sharp = replace(made, fleet=replace(made.fleet, vehicles=(one,)))
    sharp = replace(sharp, sorties=tuple(replace(sortie, vehicle=one) for sortie in made.sorties))
    with pytest.raises(PlanError, match=r"all the way round a circle of|lawful place"):
        cue_sortie(sharp, one, spot_at(5000, 30))


def test_turns_are_wider_than_they_have_to_be():
    found = cue_sortie(planned(straight(), WING), planned(straight(), WING).fleet.vehicles[0], spot_at(5000, 30))
    ring = ring_of(found)
    centre = shapely.minimum_bounding_circle(shapely.MultiPoint(ring))
    assert math.sqrt(centre.area / math.pi) == pytest.approx(1.25 * WING.turn_radius_m, rel=0.02)


def test_a_sortie_that_may_be_flown_above_the_ceiling_is_told_in_its_own_plan():
    """By how much, and at a place on its way, is of this sortie: the patrol has none of it."""
    border, terrain = straight(3000.0), ramp(0.3, 300.0)
    options = replace(ROOMY, dwell_s=1.0, patrol_ceiling_agl_m=80.0, ceiling_agl_m=90.0)
    made = planned(border, WINGS["fixed_wing"], options, terrain, as_at_sea_m=1000.0)
    told = {}
    for at in (300, 2700):
        found = cue_sortie(made, made.fleet.vehicles[0], spot_at(at, 60), station_s=60.0, terrain=terrain)
        told[at] = [note for note in found.plan.notes if note.startswith("wing-cue may be flown up to")]
    assert told[300] == []
    (note,) = told[2700]
    assert "m above ceiling_agl_m 90 at 46.0" in note
    assert not any("may be flown" in note for note in made.notes)


@pytest.mark.parametrize("form", ["fixed_wing", "vtol"])
def test_wings_circle_up_to_a_spot_above_ground_too_steep_for_them(form):
    border, terrain = straight(3000.0), ramp(0.6, 80.0)
    made = planned(border, WINGS[form], replace(ROOMY, dwell_s=1.0), terrain)
    found = cue_sortie(made, made.fleet.vehicles[0], spot_at(2700, 60), station_s=60.0, terrain=terrain)
    runs = climbing(found.sortie)
    # What climbs on the spot does so as high as its way asks.
    assert runs or found.sortie.legs[0].end.agl_m > made.observations[0].height_agl_m + 20.0
    for run in runs:
        assert_circles(run, found.sortie, border)
    assert_flown_well(found.plan, terrain)
    assert check(found.plan, terrain) == []
    for dialect in ("ardupilot", "px4"):
        assert validate_missions(found.plan, [found.mission(dialect)]).violations == []
    if form == "vtol":
        return
    # Where no circle has room to climb it says so.
    with pytest.raises(PlanError, match="too steep"):
        cue_sortie(made, made.fleet.vehicles[0], spot_at(1200, 60), station_s=60.0, terrain=terrain)
