"""Network patrols: every line once a round, from a lawful side, by the camera that looks to it."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyproj import Geod, Proj

import vedette
from geo import FlatTerrain
from missions import (
    Airspace,
    Base,
    BorderSegment,
    Branch,
    LegKind,
    Objective,
    PlanError,
    PlanOptions,
    RiskTable,
    Wind,
    base_beside,
    build_network,
    check,
    compile_mission,
    cut,
    default_fleet,
    explain,
    fence_polygon,
    holds_network,
    land_border,
    load_plan,
    plan,
    plan_geojson,
    plan_network,
    read_network,
    save_plan,
    write_border,
    write_network,
    write_plan_folder,
)
from missions.network_lines import joined_borders, strands
from tests.asked import asked
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, beside, border_from_metres, roster_of, straight
from tests.missions.test_airspace_plans import WING, zone

SLOW = settings(max_examples=asked(20), deadline=None, suppress_health_check=[HealthCheck.too_slow])
AEQD = Proj(proj="aeqd", lat_0=LAT, lon_0=LON, ellps="WGS84")


def branch(points, name="road", kind="road", **fields):
    return Branch(name, kind, tuple((LON + x / M_LON, LAT + y / M_LAT) for x, y in points), **fields)


def metres(lon, lat):
    """A projection that neither the planner nor its checker uses about this origin."""
    return np.column_stack(AEQD(np.asarray(lon), np.asarray(lat)))


def dense(coordinates):
    """Borders and fences are straight in degrees, which over kilometres is metres beside straight here."""
    return shapely.get_coordinates(shapely.segmentize(shapely.LineString(coordinates), 0.002))


def line_of(thing):
    return shapely.LineString(metres(*dense(thing.coordinates).T))


def fence_of(made, sortie):
    ring = [(lon, lat) for lat, lon in fence_polygon(made, sortie)]
    return shapely.Polygon(metres(*dense([*ring, ring[0]]).T))


def track(legs):
    points = [legs[0].start, *(leg.end for leg in legs)]
    return shapely.LineString(metres([p.lon_deg for p in points], [p.lat_deg for p in points]))


@st.composite
def networks(draw):
    """A wandering border, north of it its own side, with branches that end at it, cross it or each other, or neither.

    All is turned as a whole, and the border runs either way.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    length = draw(st.floats(3000, 12_000))
    azimuth = draw(st.floats(0, 2 * math.pi))
    east = np.linspace(0, length, draw(st.integers(2, 14)))
    north = rng.uniform(-1, 1, len(east)) * draw(st.floats(0, 250))
    north[[0, -1]] = 0.0

    def turned(points):
        c, s = math.cos(azimuth), math.sin(azimuth)
        return [(x * c - y * s, x * s + y * c) for x, y in points]

    branches = []
    for number in range(draw(st.integers(0, 5))):
        start = rng.uniform(0.05, 0.95) * length, rng.choice([-300.0, 5.0, 200.0, 900.0])
        reach, lean = rng.uniform(500, 3500), rng.uniform(-1, 1)
        count = int(rng.integers(2, 6))
        share = np.arange(1, count) / count
        points = [
            start,
            *zip(
                start[0] + lean * reach * share + rng.normal(0, 150, count - 1),
                300 + reach * share + rng.normal(0, 60, count - 1),
                strict=True,
            ),
        ]
        kind = ("river", "road", "fence")[number % 3]
        branches.append(branch(turned(points), f"{kind} {number}", kind, priority=number % 3 + 1))
    if draw(st.booleans()):
        points = [(length * x, rng.uniform(700, 2500)) for x in (0.1, 0.5, 0.9)]
        branches.append(branch(turned(points), "patrol road"))
    points, side = turned(list(zip(east, north, strict=True))), "left"
    if draw(st.booleans()):
        points, side = points[::-1], "right"
    border = border_from_metres(points, side, stand_off_m=draw(st.floats(30, 90)))
    x, y = turned([(length / 2, 1200.0)])[0]
    return build_network("net", [border], branches), Base("base", LAT + y / M_LAT, LON + x / M_LON)


@SLOW
@given(given_=networks(), drones=st.integers(1, 4), wind=st.tuples(st.sampled_from([0.0, 0.0, 6.0]), st.floats(0, 360)))
def test_the_rules_hold_on_any_network(given_, drones, wind):
    network, base = given_
    made = plan_network(network, default_fleet(base, drones), options=PlanOptions(wind=Wind(*wind)))
    assert check(made) == []
    lines = [(line_of(border), border) for border in network.borders]
    whole = line_of(made.border)
    assert made.borders == (made.border,)
    for sortie in made.sorties:
        way = track(sortie.legs)
        for line, border in lines:
            assert way.distance(line) >= border.stand_off_m - 0.1
            assert not way.crosses(line)
        fence = fence_of(made, sortie)
        assert fence.contains(way)
        assert fence.distance(whole) >= made.border.stand_off_m / 2 - 0.1
        assert sortie.reserve_left >= sortie.vehicle.aircraft.reserve_fraction - 1e-9
        assert len(compile_mission(made, sortie).items) <= 600
        assert all((leg.look is not None) == (leg.kind is LegKind.PATROL) for leg in sortie.legs)


def looks_at(made):
    """Every patrol leg: its ends, metres, and the sign of the side it looks to."""
    return [(*track([leg]).coords, leg.look.sign) for sortie in made.sorties for leg in sortie.patrol]


def looks(place, direction, legs, lateral):
    """How many legs pass a place of a line opposite it, along it, at the lateral distance, looking to it."""
    count = 0
    for a, b, side in legs:
        step, offset = np.subtract(b, a), place - np.array(a)
        length = np.hypot(*step)
        unit = step / length
        along, across = unit @ offset, unit[0] * offset[1] - unit[1] * offset[0]
        parallel = abs(unit[0] * direction[1] - unit[1] * direction[0]) < 0.03
        count += bool(parallel and 0 <= along < length and abs(side * across - lateral) < 2.5)
    return count


def bends(points):
    """The ends of a line, and its vertices at which it turns by more than half a degree."""
    steps = np.diff(points, axis=0)
    course = np.arctan2(*steps.T)
    turn = np.abs((np.diff(course) + np.pi) % (2 * np.pi) - np.pi)
    return points[np.concatenate([[True], turn > np.radians(0.5), [True]])]


PLACES_M = 173.0


def looked_at_once(network, made):
    """Check places of all lines, but for those about which opinions may differ, and say how many.

    No line may be left out that has room for a place: opinions differ about all of one that bends every few hundred
    metres, however long it is.
    """
    border, lateral = line_of(made.border), made.observation.lateral_m
    legs = looks_at(made)
    others = [line_of(edge) for edge in network.edges]
    watched, room_m = 0, 0.0
    for number, edge in enumerate(network.edges):
        line = others[number]
        corners = shapely.MultiPoint(bends(np.asarray(metres(*np.array(edge.coordinates).T))))
        rest = shapely.union_all([other for k, other in enumerate(others) if k != number] or [shapely.Point()])
        doubted = [corners.buffer(4 * lateral), rest.buffer(3 * lateral)]
        if edge.border is None:
            doubted.append(border.buffer(2 * lateral + made.border.stand_off_m))
        free = shapely.get_parts(line.difference(shapely.union_all(doubted)))
        room_m = max(room_m, float(shapely.length(free).max(initial=0.0)))
        for place in np.arange(37.0, line.length, PLACES_M):
            point = line.interpolate(place)
            here, ahead = (np.array(line.interpolate(place + d).coords[0]) for d in (0.0, 1.0))
            direction = (ahead - here) / max(np.hypot(*(ahead - here)), 1e-9)
            # Near bends, junctions and other lines what is opposite what is a matter of taste.
            # Within a bend of 30 degrees the lines beside its two arms meet 3.7 lateral distances before it.
            if point.distance(corners) < 4 * lateral or rest.distance(point) < 3 * lateral:
                continue
            if edge.border is None and point.distance(border) < 2 * lateral + made.border.stand_off_m:
                continue
            assert looks(here, direction, legs, lateral) == 1, (edge.name, place)
            watched += 1
    # A chord of the circle about a corner may be a little within it.
    assert watched or room_m < PLACES_M + 10
    return watched


def zigzag():
    """A border of eight kilometres no place of which is far from a bend, alone."""
    border = border_from_metres([(x, y) for x, y in zip(np.linspace(0, 8000, 16), [0, 150] * 8, strict=True)])
    return build_network("net", [border], []), beside(border, 1200)


def hooked():
    """A border, and a road that comes back to where it begins, all but shut: within it there is no flight line."""
    road = branch([(3923, 1657), (4006, 1342), (4077, 1653)])
    border = straight(stand_off_m=78.0)
    return build_network("net", [border], [road]), beside(border, 1200)


@SLOW
@example(given_=zigzag(), drones=1, wind=(0.0, 0.0))
@example(given_=hooked(), drones=1, wind=(8.0, 348.0))
@given(given_=networks(), drones=st.integers(1, 3), wind=st.tuples(st.sampled_from([0.0, 8.0]), st.floats(0, 360)))
def test_every_lawful_place_of_every_line_is_looked_at_exactly_once_a_round(given_, drones, wind):
    network, base = given_
    made = plan_network(network, default_fleet(base, drones), options=PlanOptions(wind=Wind(*wind)))
    looked_at_once(network, made)


def test_lines_that_are_flown_backwards_in_wind_are_looked_at_as_well():
    """In wind it pays to fly some stretches against the order of the walk: left and right change places."""
    border = straight(16_000)
    branches = [branch([(x, 5), (x + 500, 3500)], f"road {x}") for x in (2000, 6000, 11_000, 14_000)]
    network = build_network("net", [border], branches)
    backward = []
    for from_deg in (0, 180):
        made = plan_network(
            network, default_fleet(beside(border, 1500), 3), options=PlanOptions(wind=Wind(8, from_deg))
        )
        assert looked_at_once(network, made) > 100
        backward += [run.from_m > run.to_m for sortie in made.sorties for run in sortie.runs]
    assert set(backward) == {False, True}


@SLOW
@given(given_=networks(), px4=st.booleans())
def test_by_the_mission_alone_the_camera_points_at_a_line_whenever_it_films(given_, px4):
    """Items are played as an autopilot would: while it films, a line lies where the camera looks."""
    network, base = given_
    made = plan_network(network, default_fleet(base, 2))
    lines = shapely.union_all([line_of(edge) for edge in network.edges])
    lateral = made.observation.lateral_m
    for sortie in made.sorties:
        here, yaw, films, filmed = None, None, False, 0.0
        for item in compile_mission(made, sortie, "px4" if px4 else "ardupilot").items:
            if item.command == 205:
                yaw = item.p3
            films = {2500: True, 2501: False}.get(item.command, films)
            if item.command not in {16, 22}:
                continue
            there = metres([item.y / 1e7], [item.x / 1e7])[0]
            if films and here is not None and np.hypot(*(there - here)) > 1:
                course = np.arctan2(*(there - here))
                sight = np.array([np.sin(course + np.radians(yaw)), np.cos(course + np.radians(yaw))])
                step = there - here
                for share in (0.3, 0.7):
                    seen = shapely.LineString(
                        [here + share * step + sight * 0.5 * lateral, here + share * step + sight * 2.5 * lateral]
                    )
                    assert seen.distance(lines) < 0.5 * lateral
                filmed += float(np.hypot(*step))
            here = there
        assert filmed == pytest.approx(sum(leg.distance_m for leg in sortie.patrol), rel=0.01, abs=5)


@pytest.mark.parametrize(
    "border", [straight(10_000), straight(25_000, "right"), cut(land_border("USA", "MEX"), 40_000)]
)
def test_a_border_alone_is_flown_as_without_a_network(border):
    fleet, ground = default_fleet(base_beside(border), 2), FlatTerrain(100.0)
    alone, made = plan(border, fleet, ground), plan_network(build_network("net", [border]), fleet, ground)
    assert made.revisit_s == pytest.approx(alone.revisit_s, rel=0.01)
    assert made.coverage.share == pytest.approx(alone.coverage.share, abs=1e-3)


def lost(made, name):
    return [note for note in made.notes if f"({name}: " in note]


ROAD = branch([(5000, 3), (5000, 4000)])


def test_what_of_a_branch_no_side_may_be_flown_beside_is_listed_with_the_reason():
    made = plan_network(build_network("net", [straight()], [ROAD]), default_fleet(beside(straight(), 1000), 2))
    (note,) = lost(made, "road")
    assert "within the stand-off of the border" in note
    # It begins at the border, and is flown beside from beyond the stand-off, 7.6 m and the 5 m of the fence on.
    assert 67.6 <= float(note.split()[0]) <= 87.6
    assert "m of the lines" in note


def test_a_road_beside_the_border_is_watched_from_its_far_side():
    """From between road and border nothing is lawful: the flight line is on the other side of the road."""
    road = branch([(1000, 70), (9000, 70)])
    made = plan_network(build_network("net", [straight()], [road]), default_fleet(beside(straight(), 1500), 2))
    assert check(made) == []
    line, lateral = line_of(road), made.observation.lateral_m
    of_road = [leg for leg in looks_at(made) if shapely.Point(leg[0]).distance(line_of(made.border)) > lateral + 30]
    assert sum(math.dist(a, b) for a, b, _ in of_road) == pytest.approx(8000, rel=0.01)
    for a, b, _ in of_road:
        assert shapely.Point(a).distance(line) == pytest.approx(lateral, abs=2.5)
        assert shapely.Point(b).distance(line_of(made.border)) > lateral + 65
    assert not lost(made, "road")


def test_a_zone_beside_a_road_is_passed_on_the_other_side_and_one_over_it_is_listed():
    road = branch([(5000, 500), (5000, 4500)])
    network = build_network("net", [straight()], [road])
    fleet = default_fleet(beside(straight(), 1000), 2)
    fleet = replace(
        fleet,
        vehicles=tuple(replace(v, base=Base("b", LAT + 1000 / M_LAT, LON + 3000 / M_LON)) for v in fleet.vehicles),
    )
    # 63 m to the west of the road, reaching to 30 m from it with the margin of 30 m.
    aside = Airspace((zone("aside", 4700, 2500, 240, 40),))
    made = plan_network(network, fleet, airspace=aside)
    assert not lost(made, "road")
    sides = {np.sign(a[0] - 5000) for a, b, _ in looks_at(made) if min(a[1], b[1]) > 400}
    # One side alone serves all of it where it can.
    assert sides == {1.0}
    both = Airspace((zone("west", 4700, 3500, 240, 40), zone("east", 5300, 1500, 240, 40)))
    made = plan_network(network, fleet, airspace=both)
    assert not lost(made, "road")
    assert {np.sign(a[0] - 5000) for a, b, _ in looks_at(made) if min(a[1], b[1]) > 400} == {-1.0, 1.0}
    over = plan_network(network, fleet, airspace=Airspace((zone("over", 5000, 2500, 400, 40),)))
    (note,) = lost(over, "road")
    assert "no-fly zone 'over'" in note
    assert 600 < float(note.split()[0]) < 1100


def test_branches_out_of_reach_and_walled_off_are_listed_with_their_reasons():
    far = branch([(5000, 30_000), (9000, 30_000)], "far road")
    yard = branch([(4500, 3000), (5500, 3000)], "walled road")
    ring = [(4000, 2500), (6000, 2500), (6000, 3500), (4000, 3500), (4000, 2500)]
    inner = [(4100, 2600), (5900, 2600), (5900, 3400), (4100, 3400), (4100, 2600)]
    wall = zone("wall", 5000, 3000, 1000)
    degrees = [tuple((LON + x / M_LON, LAT + y / M_LAT) for x, y in r) for r in (ring, inner[::-1])]
    wall = replace(wall, rings=tuple(degrees))
    made = plan_network(
        build_network("net", [straight()], [ROAD, far, yard]),
        default_fleet(beside(straight(), 1000), 2),
        airspace=Airspace((wall,)),
    )
    assert check(made) == []
    assert {"no aircraft has the energy" in note for note in lost(made, "far road")} == {True}
    # Zones are closed with their holes: over what one surrounds nothing is flown either, or no way leads there.
    assert lost(made, "walled road")
    assert all(b[1] < 2600 or abs(b[0] - 5000) > 900 for a, b, _ in looks_at(made) if b[1] < 3500)


def test_the_greatest_stand_off_holds_against_borders_that_do_not_meet():
    west = border_from_metres([(0, 0), (5000, 0)], stand_off_m=50)
    north = replace(border_from_metres([(9000, 1500), (9000, 6000)], stand_off_m=90), name="eastern")
    roads = branch([(2500, 5), (2500, 3000)]), branch([(6000, 3000), (8995, 3000)], "to the east")
    network = build_network("net", [west, north], roads)
    fleet = default_fleet(Base("base", LAT + 1500 / M_LAT, LON + 4000 / M_LON), 2)
    made = plan_network(network, fleet)
    assert [border.stand_off_m for border in made.borders] == [90, 90]
    assert check(made) == []
    for sortie in made.sorties:
        for border in network.borders:
            assert track(sortie.legs).distance(line_of(border)) >= 90 + 7.6 - 0.1
            fence = fence_of(made, sortie)
            assert fence.distance(line_of(border)) >= 90 + 3.5 - 0.1
    assert [float(note.split()[0]) for note in lost(made, "to the east")] == [pytest.approx(90 + 7.6 + 5 + 5, abs=10)]
    # And a plan that was moved towards the second border, which is not `plan.border`, is found out.
    second = min(made.sorties, key=lambda s: track(s.legs).distance(line_of(made.borders[1])))

    def moved(w):
        return replace(w, lon_deg=w.lon_deg + 30 / M_LON)

    legs = tuple(replace(leg, start=moved(leg.start), end=moved(leg.end)) for leg in second.legs)
    spoilt = replace(made, sorties=tuple(replace(s, legs=legs) if s is second else s for s in made.sorties))
    assert any("stand-off 90" in sentence for sentence in check(spoilt))
    assert len({feature["properties"]["name"] for feature in plan_geojson(made)["features"][:2]}) == 2


def test_borders_that_meet_are_one_line_whichever_way_they_were_drawn():
    west, east = ([(0, 0), (4000, 0)], [(9000, 300), (4000, 0)])
    one = border_from_metres(west, "left", band_far_m=40)
    other = replace(border_from_metres(east, "right", band_own_m=30), name="other", neighbour="CCC")
    network = build_network("net", [one, other], [branch([(2000, 3), (2000, 1000)])])
    (whole,) = joined_borders(network)
    assert whole.length_m() == pytest.approx(one.length_m() + other.length_m(), rel=1e-6)
    assert (whole.neighbour, whole.band_own_m, whole.band_far_m) == ("BBB/CCC", 30, 40)
    # North of it is the own side, seen along whichever way it runs now.
    runs_east = whole.coordinates[-1][0] > whole.coordinates[0][0]
    assert whole.own_side == ("left" if runs_east else "right")
    assert len(strands(network)[0].joints) == 4


@SLOW
@given(given_=networks())
def test_lines_joined_again_are_as_long_as_their_stretches(given_):
    network, _ = given_
    whole = strands(network)
    assert sum(strand.line.length_m() for strand in whole) == pytest.approx(network.length_m(), rel=1e-9)
    names = [strand.line.name for strand in whole if not isinstance(strand.line, BorderSegment)]
    # The road along everything is cut by every other, and whole again, but for what was left out of it.
    assert len(names) <= len(set(names)) + len(network.cut_off) + len(network.notes)
    for strand in whole:
        line = np.array(strand.line.coordinates)
        at = [(network.nodes[n].lon_deg, network.nodes[n].lat_deg) for n in strand.joints]
        assert all(np.abs(line - place).max(axis=1).min() < 1e-9 for place in at)


def test_a_plan_costs_no_more_than_there_and_back_along_every_line_one_by_one():
    """A patrol of the lines one at a time, each from the base and back, is a covering too: the walk beats it."""
    branches = [branch([(x, 5), (x + 300, 3000)], f"road {x}") for x in (1500, 3500, 5500, 7500)]
    network = build_network("net", [straight()], branches)
    base = beside(straight(), 1000)
    made = plan_network(network, default_fleet(base, 1))
    geod = Geod(ellps="WGS84")
    apart = 0.0
    for edge in network.edges:
        (lon_a, lat_a), (lon_b, lat_b) = edge.coordinates[0], edge.coordinates[-1]
        out, home = (geod.inv(base.lon_deg, base.lat_deg, lon, lat)[2] for lon, lat in ((lon_a, lat_a), (lon_b, lat_b)))
        apart += out + home
    empty = sum(leg.distance_m for s in made.sorties for leg in s.legs if leg.kind is not LegKind.PATROL)
    assert empty < 0.5 * apart


def test_wings_fly_a_network_within_their_turn_radius():
    fleet = default_fleet(beside(straight(), 1500), 2)
    wings = replace(
        fleet,
        camera=replace(fleet.camera, max_gsd_m=0.2),
        vehicles=tuple(replace(v, aircraft=WING) for v in fleet.vehicles),
    )
    # Bends to both sides: whichever side is flown on, one of them is on the inside.
    network = build_network("net", [straight()], [branch([(4000, 5), (4000, 1500), (5200, 2200), (5200, 3800)])])
    made = plan_network(network, wings, options=PlanOptions(dwell_s=2))
    assert check(made) == []
    assert made.coverage.share > 0.99


@pytest.mark.parametrize("bend", [0, 300, -400])
def test_wings_watch_a_road_up_to_the_border_but_for_their_turn(bend):
    """They could not come in at its very end: the turn would lie within the stand-off."""
    road = branch([(4000, 10), (4000 + bend, 1200), (4000, 2500)])
    fleet = default_fleet(Base("base", LAT + 600 / M_LAT, LON + 8000 / M_LON), 2)
    fleet = replace(fleet, vehicles=tuple(replace(v, aircraft=WING) for v in fleet.vehicles))
    made = plan_network(build_network("net", [straight()], [road]), fleet, options=PlanOptions(dwell_s=2))
    assert check(made) == []
    places = [place for s in made.sorties for leg in s.patrol for place in (leg.start, leg.end)]
    north = [(p.lat_deg - LAT) * M_LAT for p in places if abs((p.lon_deg - LON) * M_LON - 4000) < 500]
    # Stand-off, twice what gusts do, what it may err about its place, and what it cuts off a bend.
    nearest = 60 + 2 * 3 + 3.5 + WING.turn_radius_m / 2
    beside_road = [y for y in north if y > nearest - 1]
    assert nearest < min(beside_road) < nearest + 3 + 2.5 * WING.turn_radius_m
    assert max(beside_road) > 2400


def test_a_road_that_ends_in_a_hook_is_watched_from_its_very_end():
    """The direction in which a line ends is that of its last arm, not that of the whole line."""
    hook = branch([(4280, 900), (4036, 776), (4193, 1512), (4168, 2046)])
    made = plan_network(build_network("net", [straight()], [hook]), default_fleet(beside(straight(), 1200), 2))
    assert not lost(made, "road")
    legs, line = looks_at(made), line_of(hook)
    for place in (5.0, 40.0, 80.0, line.length - 80, line.length - 5):
        here, ahead = (np.array(line.interpolate(place + d).coords[0]) for d in (0.0, 1.0))
        assert looks(here, ahead - here, legs, made.observation.lateral_m) == 1


@pytest.mark.parametrize("ends", [(1000, 9000), (9000, 1000)])
def test_a_flight_line_beyond_the_border_and_its_stand_off_is_none(ends):
    """Wings keep 63 m from a road that is 20 m from the border: on the wrong side of it they were 43 m beyond."""
    border = straight(stand_off_m=30.0, band_own_m=10.0)
    fleet = default_fleet(beside(border, 1500), 2)
    wings = replace(
        fleet,
        camera=replace(fleet.camera, max_gsd_m=0.2),
        vehicles=tuple(replace(v, aircraft=WING) for v in fleet.vehicles),
    )
    road = branch([(x, 20) for x in ends])
    made = plan_network(build_network("net", [border], [road]), wings, options=PlanOptions(dwell_s=2))
    assert not lost(made, "road")
    patrol = sum(leg.distance_m for sortie in made.sorties for leg in sortie.patrol)
    assert patrol == pytest.approx(18_000, rel=0.01)


def test_a_branch_of_low_priority_is_left_to_fewer_aircraft():
    """By risk the border is looked at more often when the branch may wait."""
    west, east = (Base(name, LAT + x / 2 / M_LAT, LON + x / M_LON) for name, x in (("west", 3000), ("east", 13_000)))
    border = straight(8000)
    intervals = []
    for priority in (1, 4):
        river = branch([(8500, 300), (11_500, 4000), (18_000, 9000)], "river", "river", priority=priority)
        fleet = default_fleet(west, 2)
        fleet = replace(fleet, vehicles=(fleet.vehicles[0], replace(fleet.vehicles[1], base=east)))
        options = PlanOptions(objective=Objective.RISK)
        made = plan_network(build_network("net", [border], [river]), fleet, options=options, risk=RiskTable())
        line = line_of(made.border)
        seen = [
            s
            for s in made.sorties
            if any(track([leg]).distance(line) < made.observation.lateral_m + 5 for leg in s.patrol)
        ]
        intervals.append(max(made.round_s(roster_of(made, s)) for s in seen))
    assert intervals[1] < intervals[0]


def test_a_network_without_a_border_or_too_wide_is_refused():
    fleet = default_fleet(beside(straight(), 1000), 1)
    with pytest.raises(PlanError, match="has no border"):
        plan_network(build_network("net", [], [branch([(0, 0), (1000, 0)])]), fleet)
    wide = build_network("net", [straight()], [branch([(5000, 400_000 + y), (9000, 400_000 + y)]) for y in (0, 9000)])
    with pytest.raises(PlanError, match="wider than 400 km"):
        plan_network(wide, fleet)


def test_a_network_plan_is_explained_and_written_and_comes_back(tmp_path):
    network = build_network("net", [straight()], [ROAD, branch([(500, 2000), (9000, 2500)], "river", "river")])
    made = plan_network(network, default_fleet(beside(straight(), 1000), 2))
    save_plan(made, tmp_path / "plan.json")
    assert load_plan(tmp_path / "plan.json") == made
    written = write_plan_folder(made, tmp_path / "plan")
    assert all(path.stat().st_size > 100 for path in written)
    kinds = [feature["properties"].get("kind", "border") for feature in plan_geojson(made)["features"]]
    assert {"border", "road", "river", "band", "base", "fence", "sortie"} <= set(kinds)
    assert kinds.count("band") == 3
    more = next(change for change in explain(made).changes if change.what.startswith("one more aircraft"))
    assert more.revisit_s == pytest.approx(plan_network(network, default_fleet(beside(straight(), 1000), 3)).revisit_s)


def test_the_command_plans_a_network_of_a_file_that_holds_branches(tmp_path, monkeypatch):
    network = build_network("net", [straight()], [ROAD])
    write_network(network, tmp_path / "net.geojson")
    write_border(straight(), tmp_path / "border.geojson")
    assert holds_network(tmp_path / "net.geojson")
    assert not holds_network(tmp_path / "border.geojson")
    base = beside(straight(), 1000)
    out = tmp_path / "out"
    arguments = ["plan", str(tmp_path / "net.geojson"), "--base", f"{base.lat_deg},{base.lon_deg}", "--out", str(out)]
    monkeypatch.setattr("sys.argv", ["vedette", *arguments])
    with pytest.raises(SystemExit) as ended:
        vedette.main()
    assert ended.value.code == 0
    made = load_plan(out / "plan.json")
    assert made.network == read_network(tmp_path / "net.geojson")
    assert made.branches[0].name == "road"
    assert json.loads((out / "plan.geojson").read_text())["features"]
