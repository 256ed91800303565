"""Emergency landing sites: which are lawful, which the ground offers, and from where each is reached."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo import FlatTerrain, GridTerrain, geodesic_distance_m
from missions import (
    Airspace,
    AirspaceError,
    EmergencyRules,
    LandingRules,
    LandingSite,
    PlanError,
    PlanOptions,
    check,
    compile_mission,
    default_fleet,
    emergency_sites,
    plan,
    plan_geojson,
    propose_landing_sites,
    with_landing_sites,
)
from missions.emergency import emergency_reach_m
from missions.landing import slope_deg
from tests.asked import asked
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, beside, fleet_for, straight
from tests.missions.test_airspace_plans import WING
from tests.missions.test_fence_exclusions import area, metres, zone
from tests.thin_air import thin

SLOW = settings(max_examples=asked(25), deadline=None, suppress_health_check=[HealthCheck.too_slow])
STEP_DEG = 0.0003


def ground(height, half_m=16_000.0):
    """A terrain of a height, metres, by east and north in metres of LAT, LON; samples 23 to 33 m apart."""
    count = int(2 * half_m / (STEP_DEG * M_LON))
    north_deg, west_deg = LAT + count / 2 * STEP_DEG, LON - count / 2 * STEP_DEG
    east = (np.arange(count) * STEP_DEG - count / 2 * STEP_DEG) * M_LON
    north = (count / 2 * STEP_DEG - np.arange(count) * STEP_DEG) * M_LAT
    x, y = np.meshgrid(east, north)
    return GridTerrain(height(x, y), north_deg, west_deg, STEP_DEG)


def site(name, east, north, radius_m=10.0):
    return LandingSite(name, LAT + north / M_LAT, LON + east / M_LON, radius_m)


def at(one):
    return metres((one.lon_deg, one.lat_deg))


# --- slopes -----------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    steep=st.floats(0, 30),
    towards=st.floats(0, 360),
    radius_m=st.floats(5, 120),
    where=st.lists(st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000)), min_size=1, max_size=5),
)
def test_the_slope_of_a_plane_is_its_slope(steep, towards, radius_m, where):
    rise, c, s = math.tan(math.radians(steep)), math.cos(math.radians(towards)), math.sin(math.radians(towards))
    terrain = ground(lambda x, y: rise * (c * x + s * y), 3000.0)
    east, north = np.array(where).T
    found = slope_deg(terrain, LAT + north / M_LAT, LON + east / M_LON, radius_m)
    # Twelve directions and the chords between them; M_LON and M_LAT are themselves within 0.4 %.
    assert found == pytest.approx(steep, rel=0.02, abs=1e-6)


def test_a_ditch_in_the_disc_is_seen_and_the_edge_of_the_data_is_unknown():
    terrain = ground(lambda x, _: np.where(np.abs(x) < 20, -8.0, 0.0), 3000.0)
    lat, lon = np.array([LAT, LAT, LAT + 1.0]), np.array([LON, LON + 500 / M_LON, LON])
    ditch, level, nowhere = slope_deg(terrain, lat, lon, 10.0)
    assert ditch > 10
    assert level == 0
    assert math.isnan(nowhere)


# --- given sites ------------------------------------------------------------------------------------------------------


@SLOW
@given(east=st.floats(500, 9500), north=st.floats(-3000, 4000), right=st.booleans())
def test_a_given_site_is_refused_by_name_or_kept(east, north, right):
    border = straight(10_000, "right" if right else "left")
    own = -north if right else north
    flip = -1 if right else 1
    airfield = zone("airfield", 5000, flip * 2600, 500, 40)
    airspace = Airspace((airfield,), (site("field", east, north),))
    away = area(airfield).distance(shapely.Point(east, north))
    words = {
        "far side of the border": own < 0,
        "the stand-off is 60 m": 0 <= own < 60,
        "lies in no-fly zone 'airfield'": own >= 60 and away < 30,
    }
    wrong = [text for text, holds in words.items() if holds]
    if min(abs(own), abs(own - 60), abs(away - 30)) < 2:
        return
    base = beside(border, 1500)
    if not wrong:
        assert plan(border, default_fleet(base, 1), airspace=airspace).airspace.landing_sites == airspace.landing_sites
        return
    with pytest.raises(AirspaceError, match=f"landing site 'field'.*{wrong[0]}"):
        plan(border, default_fleet(base, 1), airspace=airspace)


# --- emergencies ------------------------------------------------------------------------------------------------------


def assert_whole(made, stretches):
    """Every sortie from its first level leg to its last, part after part."""
    for sortie in made.sorties:
        parts = [part for part in stretches if part.sortie == sortie.name]
        level = [k for k, leg in enumerate(sortie.legs) if leg.distance_m > 0]
        assert (parts[0].from_leg, parts[0].from_m) == (level[0], 0.0)
        assert parts[-1].to_leg == level[-1]
        assert parts[-1].to_m == pytest.approx(sortie.legs[level[-1]].distance_m, abs=0.1)
        for a, b in pairwise(parts):
            assert (a.to_leg, a.to_m) == (b.from_leg, b.from_m)
            assert a.way[-1] == b.way[0]


@SLOW
@given(
    sites=st.lists(st.tuples(st.floats(0, 12_000), st.floats(75, 2500)), max_size=5),
    lake=st.tuples(st.floats(1000, 11_000), st.floats(500, 1500), st.floats(50, 300)),
    farthest_m=st.floats(300, 4000),
)
def test_each_part_has_the_nearest_site_that_can_be_flown_to(sites, lake, farthest_m):
    border = straight(12_000)
    base = beside(border, 2300)
    water = zone("lake", *lake, 24)
    given_sites = tuple(
        site(f"s{k}", *place) for k, place in enumerate(sites) if area(water).distance(shapely.Point(place)) > 32
    )
    made = plan(border, default_fleet(base, 1), airspace=Airspace((water,), given_sites))
    stretches = emergency_sites(made, None, EmergencyRules(farthest_m=farthest_m))
    assert_whole(made, stretches)
    everywhere = {s.name: at(s) for s in (*given_sites, site("base", *metres((base.lon_deg, base.lat_deg))))}
    # Half a per cent for the plain projection, of distances and of the margin.
    sure, perhaps = area(water).buffer(13), area(water).buffer(17)
    for part in stretches:
        assert (part.site is None) == (part.reason != "") == (part.farthest_m is None)
        for place in part.way if part.site is not None else part.way[1:-1]:
            here = metres((place[1], place[0]))
            ways = {name: shapely.LineString([here, there]) for name, there in everywhere.items()}
            near = {
                name for name, one in ways.items() if one.length < farthest_m * 0.994 and not one.intersects(perhaps)
            }
            if part.site is None:
                assert not near
                continue
            own = ways[part.site.name]
            metres_away = float(geodesic_distance_m(*place, part.site.lat_deg, part.site.lon_deg))
            last = place == part.way[-1]  # it may be the first of the next part
            assert metres_away <= (part.farthest_m if not last else part.farthest_m + 0.5) + 0.5
            if last:
                continue
            assert metres_away <= farthest_m * 1.001
            assert not own.intersects(sure.buffer(-0.5))
            assert all(own.length <= ways[name].length * 1.006 for name in near)


def test_the_reach_is_what_half_the_reserve_flies_against_the_wind():
    border = straight(8000)
    made = plan(border, fleet_for(border, 1))
    craft = made.fleet.vehicles[0].aircraft
    rules = EmergencyRules(farthest_m=1e5)
    thinner = thin(made.options.wind.air_amsl_m)
    down_j = 120 / craft.descent_m_s * thinner * craft.hover_power_w
    spare_j = craft.battery_wh * 3600 * craft.reserve_fraction / 2 - down_j
    cruise_w = thinner * craft.hover_power_w + (craft.cruise_power_w - craft.hover_power_w) / thinner
    still = spare_j / cruise_w * craft.cruise_m_s
    assert emergency_reach_m(craft, made, rules) == pytest.approx(still)
    wind = replace(made.options.wind, speed_m_s=craft.cruise_m_s / 3, from_deg=10.0)
    windy = replace(made, options=replace(made.options, wind=wind))
    assert emergency_reach_m(craft, windy, rules) == pytest.approx(still * 2 / 3)
    assert emergency_reach_m(replace(craft, reserve_fraction=0.0), made, rules) == 0.0


def test_ground_in_between_is_in_the_way():
    border = straight(6000)
    made = plan(border, fleet_for(border, 1), FlatTerrain(100.0), airspace=Airspace((), (site("field", 1000, 900),)))
    level = ground(lambda x, _: np.full(x.shape, 100.0))
    ridge = ground(lambda _, y: np.where((y > 400) & (y < 500), 400.0, 100.0))
    near = EmergencyRules(farthest_m=1000.0)
    free, behind = (emergency_sites(made, terrain, near) for terrain in (level, ridge))
    named = {part.site.name for part in free if part.site}
    assert named == {"base", "field"}
    patrol = next(k for k, leg in enumerate(made.sorties[0].legs) if leg.kind == "patrol")
    # From the patrol the field lies behind the ridge, from the way out over it does not.
    assert any(part.to_leg >= patrol for part in free if part.site and part.site.name == "field")
    assert {part.to_leg for part in behind if part.site and part.site.name == "field"} == {1}
    assert any("2 sites come within 1000 m" in part.reason and "high ground" in part.reason for part in behind)
    # Where the ground is unknown no way over it is relied upon.
    small = ground(lambda x, _: np.full(x.shape, 100.0), 500.0)
    assert not any(part.site for part in emergency_sites(made, small, near))


def test_wings_need_room_to_roll_out():
    border = straight(8000)
    fleet = fleet_for(border, 1)
    narrow, wide = site("narrow", 1500, 500, 10.0), site("wide", 6500, 500, 120.0)
    airspace = Airspace((), (narrow, wide))
    wings = replace(fleet, vehicles=tuple(replace(v, aircraft=WING) for v in fleet.vehicles))
    for one, expected in ((fleet, {"base", "narrow", "wide"}), (wings, {"base", "wide"})):
        made = plan(border, one, options=PlanOptions(dwell_s=2.5), airspace=airspace)
        assert {part.site.name for part in emergency_sites(made) if part.site} == expected


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: EmergencyRules(reserve_share=0.0), "reserve_share"),
        (lambda: EmergencyRules(farthest_m=math.nan), "farthest_m"),
        (lambda: LandingRules(slope_deg=60.0), "slope_deg"),
        (lambda: LandingRules(radius_m=0.0), "radius_m"),
    ],
)
def test_rules_that_mean_nothing_are_refused(make, words):
    with pytest.raises(PlanError, match=words):
        make()


# --- proposals --------------------------------------------------------------------------------------------------------

PERIOD_M, FLAT_M = 1500.0, 300.0


def terraces(x, y):
    """Flats of 300 m every 1500 m to the east, between them hills of 12 degrees."""
    along = np.mod(x, PERIOD_M) - FLAT_M
    up = np.where(along > 0, np.minimum(np.mod(along, 240), 240 - np.mod(along, 240)), 0.0)
    return 500.0 + up * math.tan(math.radians(12))


@pytest.fixture(scope="module")
def hilly():
    border = straight(12_000)
    terrain = ground(terraces)
    return plan(border, fleet_for(border, 2), terrain), terrain


def test_sites_are_proposed_where_the_ground_is_flat(hilly):
    made, terrain = hilly
    rules = LandingRules(reach=EmergencyRules(farthest_m=1200.0))
    proposal = propose_landing_sites(made, terrain, rules)
    assert proposal.sites
    # A sortie of 12 km, 1200 m each way.
    assert len(proposal.sites) <= 14
    for one in proposal.sites:
        east, north = at(one)
        # With the samples about it on the flat: nothing of a hill within the disc.
        assert 10 <= np.mod(east, PERIOD_M) <= FLAT_M - 10
        assert north > 0
        assert shapely.LineString([(0, 0), (12_000, 0)]).distance(shapely.Point(east, north)) > 60 + 10 - 1
    assert len({one.name for one in proposal.sites}) == len(proposal.sites)
    assert_whole(made, proposal.stretches)
    assert all(part.site for part in proposal.stretches)
    assert max(part.farthest_m for part in proposal.stretches) <= 1300
    assert "within reach" in proposal.notes[-1]
    # They are part of the plan then, and of what is uploaded.
    there = with_landing_sites(made, proposal.sites)
    assert check(there, terrain) == []
    assert max(len(compile_mission(there, s).rally) for s in there.sorties) > 2
    assert emergency_sites(there, terrain, rules.reach) == proposal.stretches
    # Nothing more is proposed where all is well.
    assert propose_landing_sites(there, terrain, rules).sites == ()


def test_zones_and_given_sites_are_kept_to(hilly):
    made, terrain = hilly
    park = zone("park", 3150, 900, 500, 24)
    with_park = plan(made.border, made.fleet, terrain, airspace=Airspace((park,), (site("landing-1", 6100, 300),)))
    proposal = propose_landing_sites(with_park, terrain, LandingRules(reach=EmergencyRules(farthest_m=1200.0)))
    assert all(area(park).distance(shapely.Point(at(one))) > 35 for one in proposal.sites)
    assert "landing-1" not in {one.name for one in proposal.sites}
    assert "landing-1" in {part.site.name for part in proposal.stretches if part.site}


def test_where_all_is_steep_none_is_proposed_and_every_part_is_told():
    border = straight(12_000)
    steep = ground(lambda x, _: 500.0 + 0.12 * np.abs(np.mod(x, 400) - 200))
    made = plan(border, fleet_for(border, 1), steep)
    proposal = propose_landing_sites(made, steep, LandingRules(reach=EmergencyRules(farthest_m=1600.0)))
    assert proposal.sites == ()
    bare = [part for part in proposal.stretches if part.site is None]
    assert bare
    assert all(part.reason for part in bare)
    assert "of the way flown" in proposal.notes[0]
    assert bare[0].sortie in proposal.notes[1]
    lenient = LandingRules(slope_deg=8.0, reach=EmergencyRules(farthest_m=1600.0))
    assert propose_landing_sites(made, steep, lenient).sites


def test_level_ground_without_samples_is_not_judged():
    border = straight(12_000)
    made = plan(border, fleet_for(border, 1), FlatTerrain(200.0))
    proposal = propose_landing_sites(made, FlatTerrain(200.0))
    assert proposal.sites == ()
    assert "cannot be judged" in proposal.notes[0]
    assert proposal.stretches == emergency_sites(made)


def test_a_given_site_that_is_not_lawful_stops_the_proposal(hilly):
    made, terrain = hilly
    late = replace(made, airspace=Airspace((), (site("bog", 3000, -200),)))
    with pytest.raises(AirspaceError, match="'bog' lies on the far side"):
        propose_landing_sites(late, terrain)
    with pytest.raises(AirspaceError, match="'bog'"):
        with_landing_sites(made, late.airspace.landing_sites)


def test_the_map_of_a_plan_shows_where_to_come_down():
    border = straight(12_000)
    made = plan(border, fleet_for(border, 1), airspace=Airspace((), (site("field", 2500, 500),)))
    features = plan_geojson(made)["features"]
    parts = [f["properties"] for f in features if f["properties"].get("kind") == "emergency"]
    assert {p["site"] for p in parts} >= {"field", "base"}
    assert all(p["site"] or p["reason"] for p in parts)
    assert [f["properties"]["name"] for f in features if f["properties"].get("kind") == "landing_site"] == ["field"]
