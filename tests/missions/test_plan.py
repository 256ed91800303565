"""Plans: stand-off, side, energy, coverage, schedule, bound."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geo import FlatTerrain, GridTerrain, geodesic_distance_m
from missions import (
    Base,
    BorderSegment,
    Fleet,
    LegKind,
    PlanError,
    PlanOptions,
    base_beside,
    check,
    compile_mission,
    cut,
    default_fleet,
    land_border,
    load_plan,
    plan,
    save_plan,
    validate,
)
from tests.asked import asked
from tests.missions.helpers import (
    LAT,
    LON,
    M_LAT,
    M_LON,
    beside,
    border_from_metres,
    fleet_for,
    straight,
    wiggly_borders,
)

SLOW = settings(max_examples=asked(25), deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def nogales():
    border = cut(land_border("USA", "MEX"), 40_000)
    return plan(border, default_fleet(base_beside(border)), FlatTerrain(1180.0))


def _metres(lat, lon):
    """Equirectangular metres about the test origin: another projection than the planner's and the checker's."""
    return (np.asarray(lon) - LON) * M_LON, (np.asarray(lat) - LAT) * M_LAT


@SLOW
@given(border=wiggly_borders(), drones=st.integers(1, 4), distance=st.floats(700, 4000))
def test_no_leg_comes_within_the_stand_off_or_over_the_line(border, drones, distance):
    made = plan(border, default_fleet(beside(border, distance), drones))
    line = shapely.LineString(np.column_stack(_metres(*np.array(border.coordinates).T[::-1])))
    for sortie in made.sorties:
        points = [sortie.legs[0].start, *(leg.end for leg in sortie.legs)]
        way = shapely.LineString(np.column_stack(_metres([p.lat_deg for p in points], [p.lon_deg for p in points])))
        # Half a per cent for the plain projection.
        assert way.distance(line) >= border.stand_off_m * 0.995
        assert not way.crosses(line)


@SLOW
@given(border=wiggly_borders(), drones=st.integers(1, 3))
def test_every_sortie_lands_with_its_reserve_and_every_plan_can_be_uploaded(border, drones):
    made = plan(border, fleet_for(border, drones))
    assert check(made) == []
    for sortie in made.sorties:
        craft = sortie.vehicle.aircraft
        assert sortie.reserve_left >= craft.reserve_fraction - 1e-9
        # By hand: no power in level flight or hover is below the smaller of the two figures.
        assert sortie.energy_wh * 3600 >= sortie.duration_s * min(craft.hover_power_w, craft.cruise_power_w) - 1
        mission = compile_mission(made, sortie)
        assert len(mission.fence) <= 64
        assert len(mission.items) <= 600


@SLOW
@given(border=wiggly_borders(), drones=st.integers(1, 3))
def test_seen_and_unseen_make_the_band(border, drones):
    made = plan(border, fleet_for(border, drones))
    coverage = made.coverage
    assert 0 < coverage.share <= 1 + 1e-9
    missing = coverage.band_area_m2 - coverage.seen_area_m2
    assert sum(gap.area_m2 for gap in coverage.uncovered) == pytest.approx(missing, abs=1e-3)
    assert all(gap.reason for gap in coverage.uncovered)


@SLOW
@given(border=wiggly_borders(), drones=st.integers(1, 4))
def test_the_bound_is_below_the_revisit_interval(border, drones):
    made = plan(border, fleet_for(border, drones))
    assert 0 < made.revisit_bound_s <= made.revisit_s + 1e-6
    whole = sum(s.duration_s + s.vehicle.aircraft.turn_round_s for s in made.sorties)
    # Aircraft of one base relieve each other; to keep apart a take-off may wait a little.
    assert whole / drones <= made.revisit_s + 1e-6 <= 1.1 * whole / drones + 120


def test_blocks_join_without_gap_or_overlap(nogales):
    blocks = sorted((s.from_m, s.to_m) for s in nogales.sorties)
    assert blocks[0][0] == 0.0
    assert all(a[1] == b[0] for a, b in pairwise(blocks))
    lat, lon = np.array(nogales.flight_line).T
    assert blocks[-1][1] == pytest.approx(Geod(ellps="WGS84").line_length(lon, lat), rel=1e-4)


def test_the_demonstration_case(nogales):
    assert nogales.coverage.share > 0.999
    # 40 km at 7.2 m/s take 92 minutes, and a battery flies 57: two with their ways home of up to 20 km cannot. At
    # the sea three could; 1,270 m up, where rotors take 6 % more, they lack a little.
    assert len(nogales.sorties) == 4
    assert nogales.revisit_s < 1.02 * nogales.revisit_bound_s
    assert nogales.observation.height_agl_m == 90.0


def test_distances_and_times_add_up(nogales):
    for sortie in nogales.sorties:
        for leg in sortie.legs:
            straight_m = geodesic_distance_m(leg.start.lat_deg, leg.start.lon_deg, leg.end.lat_deg, leg.end.lon_deg)
            assert leg.distance_m == pytest.approx(float(straight_m), abs=0.3)
            if leg.kind is LegKind.PATROL:
                assert leg.duration_s == pytest.approx(leg.distance_m / nogales.observation.speed_m_s)


def test_the_same_question_has_the_same_answer(nogales):
    again = plan(nogales.border, nogales.fleet, FlatTerrain(1180.0))
    assert again == nogales


def test_a_plan_file_comes_back_exactly(nogales, tmp_path):
    save_plan(nogales, tmp_path / "plan.json")
    assert load_plan(tmp_path / "plan.json") == nogales


def test_more_drones_visit_more_often():
    border = straight(30_000)
    intervals = [plan(border, fleet_for(border, n)).revisit_s for n in (1, 2, 4)]
    assert intervals == sorted(intervals, reverse=True)
    assert intervals[0] > 1.7 * intervals[2]


def test_two_bases_share_the_line_by_where_they_are():
    border = straight(30_000)
    west, east = (
        default_fleet(beside(border_from_metres([(x, 0), (x + 2000, 0)]), 1500)).vehicles[0] for x in (2000, 26_000)
    )
    fleet = default_fleet(beside(border, 1500))
    fleet = Fleet(
        fleet.camera,
        (
            replace(east, sysid=1, name="east"),
            replace(west, sysid=2, name="west", base=replace(west.base, name="west")),
        ),
    )
    made = plan(border, fleet)
    reach = {s.vehicle.name: (s.from_m, s.to_m) for s in made.sorties}
    assert reach["west"][1] <= reach["east"][0]
    assert made.revisit_s < plan(border, fleet_for(border, 2)).revisit_s


def test_what_is_out_of_reach_is_listed_with_its_reason():
    border = straight(80_000)
    made = plan(border, fleet_for(border, 2))
    reasons = [gap.reason for gap in made.coverage.uncovered]
    assert made.coverage.share < 0.9
    # No way was looked for to what is too far for any aircraft: that none leads there would be no reason.
    assert set(reasons) == {"out of reach: no aircraft has the energy to fly there, patrol and come back"}
    assert sum("out of reach" in note for note in made.notes) == 1
    ends = [gap for gap in made.coverage.uncovered if "out of reach" in gap.reason]
    assert ends[0].from_m == pytest.approx(0, abs=5)
    assert ends[-1].to_m == pytest.approx(80_000, rel=0.01)


def test_a_spit_that_the_stand_off_hides_is_listed():
    """Own territory reaches out in a finger narrower than twice the stand-off: its tip cannot be flown to."""
    finger = border_from_metres([(0, 0), (3000, 0), (3020, -900), (3060, -900), (3080, 0), (6000, 0)])
    made = plan(finger, fleet_for(finger, 1))
    hidden = [gap for gap in made.coverage.uncovered if "stand-off keeps" in gap.reason]
    assert hidden
    assert sum(gap.area_m2 for gap in hidden) > 20_000
    assert made.coverage.share < 0.99


@pytest.mark.parametrize(("ceiling", "out", "home"), [(120.0, 100.0, 110.0), (105.0, 100.0, 100.0), (95.0, 90.0, 90.0)])
def test_ways_out_and_home_are_in_layers_of_their_own_where_there_is_room(ceiling, out, home):
    border = straight(12_000)
    made = plan(border, fleet_for(border, 2), None, PlanOptions(ceiling_agl_m=ceiling))
    for sortie in made.sorties:
        for kind, height in ((LegKind.TRANSIT, out), (LegKind.RETURN, home)):
            assert {leg.start.agl_m for leg in sortie.legs if leg.kind is kind and leg.distance_m > 1} <= {height}


def test_two_aircraft_of_a_base_relieve_each_other(nogales):
    """Every sortie is flown by both, in turn, at even intervals."""
    for number in range(len(nogales.sorties)):
        own = [f for f in nogales.flights if f.sortie == number]
        assert all(a.sysid != b.sysid for a, b in pairwise(own))
        gaps = [b.start_s - a.start_s for a, b in pairwise(own)]
        assert max(gaps) <= nogales.revisit_s + 1e-6
        assert min(gaps) >= 0.9 * nogales.revisit_s
    assert nogales.revisit_s == pytest.approx(nogales.round_s(nogales.periods[0].rosters[0]), rel=0.02)


def test_over_hills_the_height_above_ground_is_kept():
    rows, columns, step = 60, 200, 0.001
    lat = LAT + 0.03 - step * np.arange(rows)
    lon = LON - 0.02 + step * np.arange(columns)
    hills = 600 + 80 * np.sin(lon * 200)[None, :] + 60 * np.cos(lat * 300)[:, None]
    terrain = GridTerrain(hills, lat[0], lon[0], step)
    border = straight(8000)
    made = plan(border, fleet_for(border, 2), terrain)
    assert check(made) == []
    for sortie in made.sorties:
        for leg in sortie.patrol:
            for t in (0.0, 0.25, 0.5, 0.75, 1.0):
                a, b = leg.start, leg.end
                ground = terrain.elevation_m(
                    a.lat_deg + t * (b.lat_deg - a.lat_deg), a.lon_deg + t * (b.lon_deg - a.lon_deg)
                )
                height = a.amsl_m + t * (b.amsl_m - a.amsl_m) - float(ground)
                assert height == pytest.approx(90.0, abs=6.0)
    flat = plan(border, fleet_for(border, 2), FlatTerrain(600.0))
    assert sum(s.energy_wh for s in made.sorties) > sum(s.energy_wh for s in flat.sorties)


@pytest.mark.parametrize(
    ("side", "distance", "words"),
    [
        ("left", -1500, r"far side of the border, 1\.5 km from it"),
        ("left", 30, "stand-off"),
        ("left", 60_000, "out of reach"),
    ],
)
def test_a_base_that_will_not_do_is_refused(side, distance, words):
    border = straight(10_000, side)
    with pytest.raises(PlanError, match=words):
        plan(border, default_fleet(beside(border, distance)))


def test_a_base_whose_latitude_and_longitude_changed_places_is_told_so():
    swapped = default_fleet(Base("post", LON, LAT))
    with pytest.raises(PlanError, match=r"base 'post' lies [0-9]{4} km from what is patrolled.*latitude first"):
        plan(straight(10_000), swapped)


def test_the_wrong_own_side_is_found_by_the_base():
    border = straight(10_000)
    with pytest.raises(PlanError, match="correct own_side"):
        plan(replace(border, own_side="right"), fleet_for(border))


@pytest.mark.parametrize(
    ("field", "value"), [("dwell_s", 0), ("margin_m", 0), ("ceiling_agl_m", 50), ("floor_agl_m", "x")]
)
def test_options_are_checked(field, value):
    with pytest.raises(PlanError):
        PlanOptions(**{field: value})


@pytest.mark.parametrize(("count", "up_m", "told"), [(2, 10.5, True), (2, 10.0, False), (1, 10.5, False)])
def test_layers_nearer_to_each_other_than_the_separation_are_told_of(count, up_m, told):
    border = straight(4000.0)
    made = plan(border, fleet_for(border, count), options=PlanOptions(separation_up_m=up_m))
    assert check(made) == []
    notes = [note for note in made.notes if "layer_m is 10 m, separation_up_m 10.5 m" in note]
    assert [note.endswith("give layer_m 10.5 or more") for note in notes] == [True] * told


def _moved(made, metres_north):
    """The same plan with every waypoint of the first sortie moved: what a wrong planner would give."""
    sortie = made.sorties[0]

    def move(w):
        return replace(w, lat_deg=w.lat_deg + metres_north / M_LAT)

    legs = tuple(replace(leg, start=move(leg.start), end=move(leg.end)) for leg in sortie.legs)
    return replace(made, sorties=(replace(sortie, legs=legs), *made.sorties[1:]))


@pytest.mark.parametrize("lat", [-46.0, 65.0])
def test_the_checker_measures_right_over_the_antimeridian(lat):
    """About the mean of longitudes on both sides of it, on the other side of the earth, 76 m were 83 m."""
    line = tuple(((180 + k * 0.02 + 180) % 360 - 180, lat) for k in range(-3, 4))
    border = BorderSegment("date line", "AAA", "BBB", line, "left")
    made = plan(border, default_fleet(base_beside(border, 1500.0), 1))
    distance = validate(made).rules[0]
    assert distance.worst == pytest.approx(made.observation.lateral_m, abs=1.0)
    assert any("stand-off 60" in sentence for sentence in check(_moved(made, -10)))
