"""Sorties to a spot: what they fly is lawful, what they show is fine enough, and nothing lawful is much sooner."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from geo import FlatTerrain, GridTerrain
from missions import (
    Airspace,
    Fleet,
    PlanError,
    PlanOptions,
    Spot,
    Vehicle,
    Viewing,
    Wind,
    check,
    cue_sortie,
    plan,
    replan,
    validate_missions,
)
from tests.asked import asked
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, area, fleet_for, metres, straight, way, wiggly_borders, zone

SLOW = settings(
    max_examples=asked(40), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
ROUNDING_M = 0.2


def spot_at(east, north, uncertainty_m=0.0):
    return Spot(LAT + north / M_LAT, LON + east / M_LON, uncertainty_m)


def place_of(found):
    return shapely.Point(*metres([(found.place.lon_deg, found.place.lat_deg)])[0])


def border_line(made):
    return shapely.LineString(metres(made.border.coordinates))


def sought(made, spot):
    """The sortie, or why there is none."""
    try:
        return cue_sortie(made, made.fleet.vehicles[0], spot, station_s=60.0)
    except PlanError as error:
        return error


def coarsest_m(made, found):
    """The GSD at the farthest point of the spot, by the slant to points around it."""
    camera = made.fleet.camera_of(found.sortie.vehicle)
    middle = metres([(found.spot.lon_deg, found.spot.lat_deg)])[0]
    at = np.array(place_of(found).coords[0])
    angles = np.linspace(0, 2 * math.pi, 90)
    rim = middle + found.spot.uncertainty_m * np.column_stack([np.cos(angles), np.sin(angles)])
    return (
        float(np.hypot(np.hypot(*(rim - at).T), found.place.amsl_m - found.ground_amsl_m).max()) / camera.model.focal_px
    )


@SLOW
@given(wiggly_borders(), st.floats(0, 1), st.floats(-60, 120), st.floats(0, 15), st.floats(0, 8), st.data())
def test_what_is_flown_to_a_spot_is_lawful_and_shows_it(border, share, behind_m, uncertainty_m, wind_m_s, data):
    options = PlanOptions(shift_s=3600.0, wind=Wind(wind_m_s, data.draw(st.floats(0, 359))))
    try:
        made = plan(border, fleet_for(border), FlatTerrain(0.0), options)
    except PlanError:
        assume(False)
    line = border_line(made)
    on = line.interpolate(share, normalized=True)
    sign = -1 if border.own_side.value == "left" else 1
    ahead = line.interpolate(min(share + 1e-3, 1.0), normalized=True)
    back = line.interpolate(max(share - 1e-3, 0.0), normalized=True)
    along = np.array([ahead.x - back.x, ahead.y - back.y])
    right = np.array([along[1], -along[0]]) / max(np.hypot(*along), 1e-9)
    spot = spot_at(on.x + sign * behind_m * right[0], on.y + sign * behind_m * right[1], uncertainty_m)
    found = sought(made, spot)
    if isinstance(found, PlanError):
        assert re.search("lawful|reserve|fence|a pixel", str(found))
        return
    assert check(found.plan) == []
    assert validate_missions(found.plan, [found.mission("px4")]).violations == []
    assert line.distance(way(found.sortie)) >= border.stand_off_m - ROUNDING_M
    assert coarsest_m(made, found) <= made.fleet.camera.max_gsd_m * 1.001
    craft = found.sortie.vehicle.aircraft
    assert found.sortie.energy_wh <= craft.usable_wh + 1e-6
    assert found.arrival_s + 60.0 < found.sortie.duration_s


@pytest.fixture(scope="module")
def made():
    """Behind a straight border, own side to the north, a base 1.5 km behind its middle; one zone."""
    border = straight()
    airspace = Airspace((zone("mast", 3800, 500, 300),))
    return plan(border, fleet_for(border), FlatTerrain(0.0), PlanOptions(shift_s=3600.0), airspace=airspace)


def test_its_times_count_from_when_it_is_sent_and_not_from_the_shift(made):
    dated = replace(made, options=replace(made.options, shift_start="2027-03-01T06:00+01:00"))
    options = cue_sortie(dated, made.fleet.vehicles[0], spot_at(5000, 0)).plan.options
    assert (options.shift_start, options.shift_hour) == ("", 0.0)
    assert cue_sortie(dated, made.fleet.vehicles[0], spot_at(5000, 0)).plan.flights[0].start_s == 0.0


@pytest.mark.parametrize(("east", "stay_s"), [(5000, 60.0), (9000, 60.0), (500, 5.0), (3800, 200.0)])
def test_its_bound_is_that_of_the_straight_way_and_no_figure_of_the_patrol(made, east, stay_s):
    found = cue_sortie(made, made.fleet.vehicles[0], spot_at(east, 30), station_s=stay_s)
    base = found.sortie.vehicle.base
    apart_m = np.hypot(*(metres([(base.lon_deg, base.lat_deg)])[0] - np.array(place_of(found).coords[0])))
    straight_s = 2 * apart_m / found.sortie.vehicle.aircraft.cruise_m_s + stay_s
    (bound,) = found.plan.bounds
    # The plain scale of these metres is 0.2 % out to the east.
    assert straight_s * 0.995 <= bound.seconds <= straight_s * 1.003
    assert bound.seconds <= found.plan.figure_s
    above = replace(found.plan, bounds=(replace(bound, seconds=found.plan.figure_s + 1.0),))
    assert any("below what no plan is said to come below" in sentence for sentence in check(above))


def test_it_says_of_the_band_what_it_watches_itself_which_is_nothing(made):
    """It had the share of the patrol."""
    found = cue_sortie(made, made.fleet.vehicles[0], spot_at(5000, 0)).plan
    assert made.coverage.share > 0.9
    assert found.coverage.share == 0.0
    (gap,) = found.coverage.uncovered
    assert gap.area_m2 == pytest.approx(10_000 * (made.border.band_own_m + made.border.band_far_m), rel=0.01)
    assert (gap.from_m, gap.to_m) == (0.0, pytest.approx(10_000, rel=0.005))
    assert "watches nothing of the band" in gap.reason
    assert "watches nothing of the band" in found.notes[0]
    claimed = replace(found, coverage=made.coverage)
    assert any("none of its sorties patrols" in sentence for sentence in check(claimed))


@SLOW
# What lies 32 m beyond the border or more is too far from the lawful places.
@given(st.floats(500, 9500), st.floats(-30, 400))
def test_no_lawful_place_that_shows_it_is_reached_sooner(made, east, north):
    camera, look = made.fleet.camera, made.observation
    far = math.sqrt((camera.max_gsd_m * camera.model.focal_px) ** 2 - look.height_agl_m**2)
    base = made.fleet.vehicles[0].base
    start = metres([(base.lon_deg, base.lat_deg)])[0]
    grid = np.stack(np.meshgrid(np.linspace(-far, far, 41), np.linspace(-far, far, 41)), axis=-1).reshape(-1, 2)
    places = grid[np.hypot(*grid.T) <= far] + (east, north)
    # As far behind the border as the planner flies, and outside the zone with its margin.
    shut = area(made.airspace.zones[0]).buffer(made.options.zone_margin_m)
    places = places[
        (places[:, 1] >= made.keep_off_m + made.options.fence_m + made.options.margin_m + 1)
        & ~shapely.contains_xy(shut, places)
    ]
    lines = shapely.linestrings(np.stack([np.broadcast_to(start, places.shape), places], axis=1))
    clear = ~shapely.intersects(shut, lines)
    assume(clear.any())
    found = cue_sortie(made, made.fleet.vehicles[0], spot_at(east, north))
    soonest_m = float(np.hypot(*(places - start).T)[clear].min())
    flown_m = sum(leg.distance_m for leg in found.sortie.legs if leg.kind.value == "transit")
    # The plain scale of these metres is 0.2 % out to the east.
    assert flown_m <= 1.003 * soonest_m + 3.0


def test_it_goes_round_a_zone_and_not_through(made):
    # The zone lies on the straight way from the base, 5 km along and 1.5 km behind, to a spot 2.9 km along.
    found = cue_sortie(made, made.fleet.vehicles[0], spot_at(3100, 100))
    shape = area(made.airspace.zones[0])
    assert way(found.sortie).distance(shape) >= made.options.zone_margin_m - ROUNDING_M
    assert found.sortie.energy_wh > 0


def test_its_mission_looks_at_the_spot_for_as_long_as_it_stays(made):
    found = cue_sortie(made, made.fleet.vehicles[0], spot_at(5000, 20), station_s=75.0)
    for dialect in ("ardupilot", "px4"):
        items = found.mission(dialect).items
        assert [item.seq for item in items] == list(range(len(items)))
        (stay,) = [item for item in items if item.p1 == 75.0 and item.command == 16]
        assert (items[stay.seq - 1].command, items[stay.seq + 1].command) == (195, 197)
        assert (items[stay.seq - 1].x, items[stay.seq - 1].y) == (
            round(found.spot.lat_deg * 1e7),
            round(found.spot.lon_deg * 1e7),
        )
        assert (stay.x / 1e7, stay.y / 1e7) == pytest.approx((found.place.lat_deg, found.place.lon_deg))


@pytest.mark.parametrize(
    ("spot", "more", "words"),
    [
        (spot_at(5000, -300), {}, "from no lawful place: within 1[01][0-9] m of it"),
        (spot_at(5000, 20, 130.0), {}, "find out more exactly where it is"),
        (spot_at(3800, 500), {}, "from no lawful place"),
        (spot_at(5000, 20), {"charge": 0.25}, "it has 31 Wh above its reserve"),
        (spot_at(5000, 20), {"station_s": math.nan}, "give seconds above 0"),
    ],
    ids=["beyond the border", "nobody knows where", "in a zone", "battery", "no stay"],
)
def test_what_cannot_be_is_said(made, spot, more, words):
    with pytest.raises(PlanError, match=words):
        cue_sortie(made, made.fleet.vehicles[0], spot, **more)


def test_a_camera_that_cannot_look_down_keeps_its_distance(made):
    vehicle = made.fleet.vehicles[0]
    slanted = replace(made.fleet.camera, pitch_min_deg=-60.0)
    border = made.border
    other = plan(border, Fleet(slanted, made.fleet.vehicles), FlatTerrain(0.0), made.options)
    near, far = Viewing(other).ring_m(vehicle, spot_at(5000, 300, 5.0), 60.0)
    assert near == pytest.approx(60.0 / math.tan(math.radians(60.0)) + 5.0)
    found = cue_sortie(other, vehicle, spot_at(5000, 300, 5.0))
    away = place_of(found).distance(shapely.Point(5000, 300))
    assert near <= away <= far


def test_the_rest_of_a_shift_is_planned_for_those_who_are_left(made):
    alone = replan(made, [2], 600.0)
    assert [vehicle.sysid for vehicle in alone.fleet.vehicles] == [2]
    assert alone.options.shift_s == 3000.0
    assert check(alone) == []
    assert alone.airspace == made.airspace
    assert alone.revisit_s > made.revisit_s
    later = replan(replace(made, options=replace(made.options, shift_hour=23.5)), [1, 2], 3000.0)
    assert later.options.shift_hour == pytest.approx(24 + 1 / 3 - 24)
    with pytest.raises(PlanError, match="no vehicle is left"):
        replan(made, [])
    with pytest.raises(PlanError, match="nothing of it is left"):
        replan(made, [1], 3600.0)


def test_vehicles_are_told_apart_by_their_own_camera(made):
    """A spot shows from farther away through a longer lens."""
    vehicle = made.fleet.vehicles[0]
    longer = replace(made.fleet.camera, max_gsd_m=2 * made.fleet.camera.max_gsd_m)
    sharp = Vehicle(vehicle.sysid, vehicle.name, vehicle.aircraft, vehicle.base, longer)
    fleet = Fleet(made.fleet.camera, (sharp, *made.fleet.vehicles[1:]))
    options = replace(made.options, gsd_m=None)
    other = plan(made.border, fleet, FlatTerrain(0.0), options)
    rings = [Viewing(other).ring_m(one, spot_at(5000, 20), 60.0)[1] for one in other.fleet.vehicles]
    assert rings[0] > 1.8 * rings[1]


def test_over_higher_ground_than_the_patrol_it_is_planned_for_the_air_there():
    """A table of 600 m stands 2.5 km behind the border, beyond what the patrol's air was counted for."""
    x = np.arange(-6000.0, 16_000.0, 200.0)
    up = np.tile(np.clip((x[::-1, None] - 1500.0) * 0.5, 0.0, 600.0), (1, len(x)))
    ground = GridTerrain(
        up, north_deg=LAT + x[-1] / M_LAT, west_deg=LON + x[0] / M_LON, step_deg=200 / M_LAT, lon_step_deg=200 / M_LON
    )
    border = straight()
    patrol = plan(border, fleet_for(border), ground, PlanOptions(shift_s=3600.0))
    found = cue_sortie(patrol, patrol.fleet.vehicles[0], spot_at(5000, 3500), station_s=60.0, terrain=ground)
    highest_m = max(leg.end.amsl_m for leg in found.sortie.legs)
    assert found.plan.options.wind.air_amsl_m >= highest_m > patrol.options.wind.air_amsl_m
