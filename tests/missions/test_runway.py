"""Wings leave the ground and come back to it along a line: into the wind, clear of the border and of the ground."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geo import FlatTerrain, GridTerrain, geodesic_distance_m
from missions import (
    Aircraft,
    Airspace,
    Base,
    Fleet,
    FleetError,
    LegKind,
    PlanError,
    PlanOptions,
    Progress,
    Vehicle,
    Wind,
    check,
    compile_mission,
    default_fleet,
    legs_behind,
    plan,
    read_fleet,
    resume,
    straight_home,
    validate,
    write_fleet,
)
from tests.asked import asked
from tests.missions.helpers import LAT, LON, M_LAT, beside, metres, straight, wiggly_borders, zone

SLOW = settings(max_examples=asked(20), deadline=None, suppress_health_check=[HealthCheck.too_slow])
WING = Aircraft(
    "wing", 20, 28, 3, 3, 280, 300, 600, 500, form="fixed_wing",
    min_m_s=15, turn_radius_m=60, takeoff_s=20, landing_s=60,
)  # fmt: skip
LAND, LAND_START, TAKEOFF, WAYPOINT, RETURN = 21, 189, 22, 16, 20
RULE = "take-off and landing of wings along a line"


def planned(border, base=None, terrain=None, wind=None, **more):
    base = base or beside(border, 1500)
    # The default lens is a little short for what wings keep beyond the stand-off.
    fleet = Fleet(replace(default_fleet(base).camera, max_gsd_m=0.25), (Vehicle(1, "wing", WING, base),))
    return plan(border, fleet, terrain, PlanOptions(dwell_s=2.0, wind=wind or Wind()), **more)


def course_deg(leg):
    a, b = leg.start, leg.end
    return Geod(ellps="WGS84").inv(a.lon_deg, a.lat_deg, b.lon_deg, b.lat_deg)[0] % 360


def apart_deg(a, b):
    return abs((a - b + 180) % 360 - 180)


def along_deg(border):
    """Direction from one end of a border to the other, degrees."""
    (x, y), *_, (u, v) = metres(border.coordinates)
    return math.degrees(math.atan2(u - x, v - y)) % 360


def line_of(sortie):
    """Courses of its take-off and landing, degrees."""
    return [course_deg(leg) for leg in sortie.legs if leg.kind in {LegKind.TAKEOFF, LegKind.LANDING}]


@SLOW
@given(
    border=wiggly_borders(),
    wind=st.tuples(st.floats(0, 7), st.floats(0, 360)),
    away=st.floats(1200, 3000),
    aside=st.none() | st.floats(-15, 15),
)
def test_every_sortie_leaves_and_lands_along_one_line_into_the_wind(border, wind, away, aside):
    runway = None if aside is None else (along_deg(border) + aside) % 360
    base = replace(beside(border, away), runway_deg=runway)
    made = planned(border, base, wind=Wind(*wind))
    assert check(made) == []
    for sortie in made.sorties:
        courses = line_of(sortie)
        assert len(courses) == 4
        assert all(apart_deg(course, courses[0]) < 0.3 for course in courses)
        # The wind comes from ahead, or hardly from behind.
        assert wind[0] * math.cos(math.radians(wind[1] - courses[0])) > -2.5 - 1e-6
        if runway is not None:
            assert min(apart_deg(courses[0], runway), apart_deg(courses[0], runway + 180)) < 0.3
        for leg in (one for one in sortie.legs if one.kind in {LegKind.TAKEOFF, LegKind.LANDING}):
            rate = (leg.end.amsl_m - leg.start.amsl_m) / leg.duration_s
            assert -WING.descent_m_s - 1e-6 <= rate <= WING.climb_m_s + 1e-6
        *_, down = sortie.landing
        slope = math.degrees(math.atan2(down.start.amsl_m - down.end.amsl_m, down.distance_m))
        assert 0 < slope <= WING.approach_deg + 0.01
        assert geodesic_distance_m(base.lat_deg, base.lon_deg, down.end.lat_deg, down.end.lon_deg) < 0.01


def test_a_strong_wind_turns_the_line_round():
    border = straight(8000)
    courses = {}
    for heading in (0, 90, 180, 270):
        made = planned(border, wind=Wind(5.0, heading))
        courses[heading] = line_of(made.sorties[0])[0]
        assert apart_deg(courses[heading], heading) <= 70
    assert apart_deg(courses[90], courses[270]) > 60


def test_wings_are_turned_into_the_landing_and_out_of_the_climb():
    """No corner sharper than one step of an arc between the line and the ways."""
    made = planned(straight(8000), wind=Wind(4.0, 200.0))
    for sortie in made.sorties:
        legs = sortie.legs
        courses = [course_deg(leg) for leg in legs if leg.distance_m > 0.5]
        assert max(apart_deg(a, b) for a, b in pairwise(courses)) < 16


def test_in_wind_the_turns_are_as_wide_as_the_wind_makes_them():
    """Radius of the arcs, by three of their vertices: R (1 + w / v)²."""
    for speed in (0.0, 6.0):
        sortie = planned(straight(8000), wind=Wind(speed, 200.0)).sorties[0]
        inbound = next(k for k, leg in enumerate(sortie.legs) if leg.kind is LegKind.LANDING)
        a, b, c = (metres([(leg.end.lon_deg, leg.end.lat_deg)])[0] for leg in sortie.legs[inbound - 4 : inbound - 1])
        area = abs((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])) / 2
        radius = math.dist(a, b) * math.dist(b, c) * math.dist(a, c) / (4 * area)
        assert radius == pytest.approx(60 * (1 + speed / 20) ** 2, rel=0.02)


def hill(east_m, north_m, height_m, width_m=500.0):
    """Level ground at 500 m with one hill, in metres of LAT, LON."""
    step = 0.0005
    lat, lon = LAT + 0.08 - step * np.arange(320)[:, None], LON - 0.06 + step * np.arange(420)[None, :]
    x, y = metres(np.stack(np.broadcast_arrays(lon, lat), axis=-1).reshape(-1, 2)).T
    up = height_m * np.exp(-((x - east_m) ** 2 + (y - north_m) ** 2) / (2 * width_m**2))
    return GridTerrain((500.0 + up).reshape(320, 420), LAT + 0.08, LON - 0.06, step)


def test_a_hill_at_the_end_of_the_line_turns_it_away():
    border, wind = straight(6000), Wind(4.0, 90.0)
    base = beside(border, 2500)
    x, y = metres([(base.lon_deg, base.lat_deg)])[0]
    level = line_of(planned(border, base, FlatTerrain(500.0), wind).sorties[0])[0]
    # In the way of the climb-out, and so high that no descent from there leads over it either.
    ground = hill(x + 900 * math.sin(math.radians(level)), y + 900 * math.cos(math.radians(level)), 140.0)
    made = planned(border, base, ground, wind)
    assert apart_deg(line_of(made.sorties[0])[0], level) > 20
    rule = next(rule for rule in validate(made, ground).rules if rule.name == RULE)
    assert rule.checked == 4 * len(made.sorties)
    assert rule.broken == ()
    with pytest.raises(PlanError, match=r"both ways along runway_deg .* are shut \(.*1 by the ground"):
        planned(border, replace(base, runway_deg=level), ground, wind)


def test_a_runway_that_points_at_the_border_is_refused():
    border = straight(6000)
    with pytest.raises(PlanError, match=r"both ways along runway_deg 0 are shut \(2 by the stand-off or a zone"):
        planned(border, replace(beside(border, 700), runway_deg=0.0))


def test_no_line_among_zones_is_an_error_that_says_what_shuts_it():
    border = straight(6000)
    base = beside(border, 2500)
    x, y = metres([(base.lon_deg, base.lat_deg)])[0]
    ring = [zone(f"z{k}", x + 420 * math.cos(a), y + 420 * math.sin(a), 130)
            for k, a in enumerate(np.arange(8) * math.pi / 4)]  # fmt: skip
    with pytest.raises(PlanError, match=r"base 'base' has no straight line.*by the stand-off or a zone"):
        planned(border, base, airspace=Airspace(tuple(ring)))


@pytest.mark.parametrize("dialect", ["ardupilot", "px4"])
def test_the_mission_ends_with_a_landing_sequence(dialect):
    made = planned(straight(8000))
    sortie = made.sorties[0]
    mission = compile_mission(made, sortie, dialect)
    commands = [item.command for item in mission.items]
    assert commands[-4:] == [LAND_START, WAYPOINT, WAYPOINT, LAND]
    assert RETURN not in commands
    mark, *places = mission.items[-4:]
    for item, at in zip(places, (sortie.landing[0].start, sortie.landing[1].start, sortie.home), strict=True):
        assert (item.x / 1e7, item.y / 1e7) == pytest.approx((at.lat_deg, at.lon_deg), abs=1e-7)
        assert item.z == pytest.approx(at.amsl_m - sortie.home.amsl_m, abs=0.01)
    # ArduPilot looks for the mark that is nearest, PX4 takes it without a place.
    assert (mark.x, mark.y) == ((places[0].x, places[0].y) if dialect == "ardupilot" else (0, 0))
    assert mark.frame == (6 if dialect == "ardupilot" else 2)
    # PX4 refuses a landing steeper than FW_LND_ANG, 5 degrees.
    last = sortie.landing[-1]
    assert math.degrees(math.atan2(places[1].z, last.distance_m)) < 5
    # The take-off ends half-way: one that ends sooner would turn before the end of the line.
    off = next(item for item in mission.items if item.command == TAKEOFF)
    climbed = mission.items[off.seq + 1]
    assert climbed.command == WAYPOINT
    assert off.z == pytest.approx(climbed.z / 2, abs=0.02)


@pytest.mark.parametrize("dialect", ["ardupilot", "px4"])
def test_every_place_of_the_mission_is_the_end_of_its_leg(dialect):
    made = planned(straight(8000), wind=Wind(3.0, 10.0))
    sortie = made.sorties[0]
    mission = compile_mission(made, sortie, dialect)
    for item in mission.items[1 if dialect == "ardupilot" else 0 :]:
        if item.command in {TAKEOFF, WAYPOINT, LAND}:
            end = sortie.legs[legs_behind(mission, sortie, item.seq) - 1].end
            assert (item.x / 1e7, item.y / 1e7) == pytest.approx((end.lat_deg, end.lon_deg), abs=1e-7)


def test_the_rally_point_at_home_is_above_the_base():
    made = planned(straight(8000))
    mission = compile_mission(made, made.sorties[0])
    base = made.fleet.vehicles[0].base
    home = mission.rally[0]
    assert (home.x / 1e7, home.y / 1e7) == pytest.approx((base.lat_deg, base.lon_deg), abs=1e-7)
    assert home.z == pytest.approx(made.observation.height_agl_m, abs=0.1)


def test_a_plane_of_px4_has_no_rally_point_to_circle_over():
    made = planned(straight(8000))
    assert compile_mission(made, made.sorties[0], "px4").rally == ()
    assert len(compile_mission(made, made.sorties[0], "ardupilot").rally) > 0


@pytest.mark.parametrize("airborne", [True, False])
def test_what_is_left_lands_along_the_same_line(airborne):
    made = planned(straight(12_000), wind=Wind(4.0, 300.0))
    sortie = made.sorties[0]
    middle = sortie.patrol[len(sortie.patrol) // 2].start
    rest = resume(made, Progress(sortie.name, at=(middle.lat_deg, middle.lon_deg), battery=0.8, airborne=airborne))
    assert check(rest) == []
    assert line_of(rest.sorties[0])[-1] == pytest.approx(line_of(sortie)[-1], abs=0.05)
    assert len(line_of(rest.sorties[0])) == (2 if airborne else 4)
    end = sortie.patrol[-1].end
    home = resume(made, Progress(sortie.name, at=(end.lat_deg, end.lon_deg), battery=0.5, airborne=True))
    assert home.sorties[0].runs == ()
    assert line_of(home.sorties[0]) == pytest.approx(line_of(sortie)[-2:], abs=0.05)


def test_time_and_energy_of_the_line_are_those_of_the_sortie():
    """By hand: the climb and the final at their airspeed, and the procedures."""
    sortie = planned(straight(8000)).sorties[0]

    def true_m_s(leg):
        return 20 * (1 - 2.25577e-5 * (leg.start.amsl_m + leg.end.amsl_m) / 2) ** -2.12794

    off, climb = sortie.legs[:2]
    assert climb.duration_s == pytest.approx(climb.distance_m / true_m_s(climb), rel=1e-6)
    assert off.duration_s == pytest.approx(off.distance_m / true_m_s(off) + WING.takeoff_s, rel=1e-6)
    rise = climb.end.amsl_m - climb.start.amsl_m
    # A metre takes as much at any height; the climb what it takes more than cruise.
    wh = (300 * climb.distance_m / 20 + (600 - 300) * rise / 3) / 3600
    assert climb.energy_wh == pytest.approx(wh, rel=1e-6)
    *_, down = sortie.landing
    assert down.duration_s == pytest.approx(down.distance_m / true_m_s(down) + WING.landing_s, rel=1e-6)
    # The procedures are flown with the power of the air there.
    rolling_j = 280 * WING.landing_s * true_m_s(down) / 20
    assert down.energy_wh == pytest.approx((300 * down.distance_m / 20 + rolling_j) / 3600, rel=1e-6)


def broken(made, change):
    """What the validation says of a plan whose first sortie has its legs changed."""
    first = made.sorties[0]
    legs = change(list(first.legs))
    wrong = replace(made, sorties=(replace(first, legs=tuple(legs)), *made.sorties[1:]))
    return next(rule for rule in validate(wrong).rules if rule.name == RULE).broken


def test_validation_sees_a_bent_and_a_steep_landing():
    made = planned(straight(8000))
    assert broken(made, lambda legs: legs) == ()

    def bent(legs):
        turn = replace(legs[-1].start, lat_deg=legs[-1].start.lat_deg + 60 / M_LAT)
        return [*legs[:-2], replace(legs[-2], end=turn), replace(legs[-1], start=turn)]

    def steep(legs):
        high = replace(legs[-1].start, altitude=replace(legs[-1].start.altitude, metres=120.0))
        return [*legs[:-2], replace(legs[-2], end=high), replace(legs[-1], start=high)]

    def low(legs):
        start = legs[-1].start
        over = replace(start, altitude=replace(start.altitude, metres=start.agl_m - 60.0), ground_amsl_m=60.0)
        return [*legs[:-2], replace(legs[-2], end=over), replace(legs[-1], start=over)]

    assert "takes off or lands along" in broken(made, bent)[0]
    assert "its approach is 4" in broken(made, steep)[0]
    assert "too near to the ground" in " ".join(broken(made, low))


def test_the_runway_of_a_base_comes_back_from_its_file_and_is_checked(tmp_path):
    base = Base("strip", LAT, LON, runway_deg=130.0)
    fleet = Fleet(default_fleet(base).camera, (Vehicle(1, "w", WING, base),))
    write_fleet(fleet, tmp_path / "fleet.json")
    assert read_fleet(tmp_path / "fleet.json") == fleet
    with pytest.raises(FleetError, match="base 'strip': runway_deg is 400"):
        replace(base, runway_deg=400.0)
    with pytest.raises(FleetError, match="approach_deg is 40"):
        replace(WING, approach_deg=40.0)


def test_wings_that_land_on_the_spot_need_no_line():
    vtol = replace(WING, kind="vtol", form="vtol", transition_s=8)
    border = straight(8000)
    base = beside(border, 1500)
    fleet = Fleet(default_fleet(base).camera, (Vehicle(1, "v", vtol, base),))
    made = plan(border, fleet, options=PlanOptions(dwell_s=2.5))
    for sortie in made.sorties:
        assert [leg.distance_m for leg in sortie.landing] == [0.0]
        assert compile_mission(made, sortie).items[-1].command == RETURN


@pytest.mark.parametrize("wind", [Wind(), Wind(5.0, 200.0)])
def test_the_way_home_counts_the_landing(wind):
    """No less than the plan's own way from there in the same wind, and not absurdly more."""
    made = planned(straight(8000), wind=wind)
    sortie = made.sorties[0]
    first = next(k for k, leg in enumerate(sortie.legs) if leg.kind is LegKind.RETURN)
    here = sortie.legs[first].start
    own = sortie.legs[first:]
    height = here.amsl_m - sortie.home.amsl_m
    time, energy = straight_home(sortie.vehicle, (here.lat_deg, here.lon_deg), height, wind)
    assert sum(leg.duration_s for leg in own) * 0.98 <= time <= 2.5 * sum(leg.duration_s for leg in own)
    assert sum(leg.energy_wh for leg in own) * 0.98 <= energy <= 2.5 * sum(leg.energy_wh for leg in own)
