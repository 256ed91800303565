"""The rest of a patrol: lawful, within the battery, nothing missed, speed and camera said again."""

import json
import math
from contextlib import suppress
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo import Altitude, Datum, FlatTerrain, GridTerrain
from missions import (
    Aircraft,
    AircraftForm,
    Airspace,
    FormatError,
    LegKind,
    MissionError,
    Objective,
    PlanError,
    PlanOptions,
    Progress,
    ProgressError,
    Risk,
    RiskTable,
    Side,
    Wind,
    Zone,
    ZoneKind,
    check,
    compile_mission,
    emergency_sites,
    load_plan,
    plan,
    propose_landing_sites,
    read_qgc_plan,
    read_waypoints,
    replan,
    resume,
    save_plan,
    validate_missions,
    write_litchi,
    write_plan_folder,
    write_wpml,
)
from missions.band import BandLine
from missions.building import Builder
from missions.coverage import cover
from missions.errors import UnflyableError
from missions.progress import reached
from missions.rests import Rests
from missions.views import Watch
from tests.asked import asked
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, border_from_metres, fleet_for, straight, wiggly_borders, zone

SLOW = settings(max_examples=asked(25), deadline=None, suppress_health_check=[HealthCheck.too_slow])
OVERLAP_M = 50.0
FIRST = "vehicle-2-sortie-1"
"""Name of the first sortie along the line of the plan `made`."""

DIALECTS = ("ardupilot", "px4")
TAKEOFF, VTOL_TAKEOFF, WAYPOINT, SPEED, GIMBAL, VIDEO = 22, 84, 16, 178, 205, 2500


def _xy(waypoints):
    """Equirectangular metres about the test origin: another projection than the planner's."""
    return np.array([((w.lon_deg - LON) * M_LON, (w.lat_deg - LAT) * M_LAT) for w in waypoints])


def _line(legs):
    return shapely.LineString(_xy([legs[0].start, *(leg.end for leg in legs)]))


def _patrols(sortie):
    return [_line([leg]) for leg in sortie.patrol if leg.distance_m > 0.01]


def _place(sortie, share):
    """Latitude and longitude after a share of the patrol of a sortie, and what of it is flown till then."""
    lines = _patrols(sortie)
    left = share * sum(line.length for line in lines)
    flown = []
    for line in lines:
        if left <= line.length:
            point = line.interpolate(left)
            flown.append(shapely.ops.substring(line, 0, left))
            break
        flown.append(line)
        left -= line.length
    return (LAT + point.y / M_LAT, LON + point.x / M_LON), shapely.union_all(flown)


def _usual(made):
    """What every resumed plan must keep."""
    border = shapely.LineString(np.column_stack([(np.array(made.border.coordinates) - (LON, LAT)) * (M_LON, M_LAT)]))
    assert check(made) == []
    for sortie in made.sorties:
        # Half a per cent for the plain projection.
        assert _line(sortie.legs).distance(border) >= made.border.stand_off_m * 0.995
        craft = sortie.vehicle.aircraft
        used = sum(leg.energy_wh for leg in sortie.legs)
        assert sortie.charge * craft.battery_wh - used >= craft.reserve_fraction * craft.battery_wh - 1e-6
        for dialect in DIALECTS:
            _says_speed_and_camera_again(compile_mission(made, sortie, dialect), sortie)
    assert len({sortie.name for sortie in made.sorties}) == len(made.sorties)


def _says_speed_and_camera_again(mission, sortie):
    commands = [item.command for item in mission.items]
    takeoff = VTOL_TAKEOFF if sortie.vehicle.aircraft.form is AircraftForm.VTOL else TAKEOFF
    assert commands.count(takeoff) == (0 if sortie.airborne else 1)
    if sortie.patrol:
        first = sortie.patrol[0].end
        watched = next(
            k
            for k, item in enumerate(mission.items)
            if item.command == WAYPOINT
            and (item.x, item.y) == (round(first.lat_deg * 1e7), round(first.lon_deg * 1e7))
            and VIDEO in commands[:k]
        )
        assert commands[watched - 3 : watched] == [SPEED, GIMBAL, VIDEO]


@pytest.fixture(scope="module")
def made():
    border = straight(30_000)
    return plan(border, fleet_for(border, 2), FlatTerrain(500.0))


def test_what_a_slow_aircraft_leaves_could_be_watched_by_a_fast_one_as_well():
    border = straight(12_000)
    fleet = fleet_for(border, 2)
    slow, fast = fleet.vehicles
    other = replace(slow.base, name="other", lon_deg=slow.base.lon_deg + 4000 / M_LON)
    slow = replace(slow, aircraft=replace(slow.aircraft, kind="slow", cruise_m_s=3.5, max_m_s=3.5), base=other)
    made = plan(border, replace(fleet, vehicles=(slow, fast)), FlatTerrain(500.0))
    own = {vehicle.sysid: [s for s in made.sorties if s.vehicle.sysid == vehicle.sysid] for vehicle in (slow, fast)}
    paces = [
        max(leg.distance_m / leg.duration_s for s in own[v.sysid] for leg in s.patrol if leg.distance_m > 1)
        for v in (slow, fast)
    ]
    assert paces[1] > 1.5 * paces[0]
    # The fast one is done: all that is left is of the slow one.
    broken = Progress(own[slow.sysid][0].name, item=0)
    rest = resume(made, broken, FlatTerrain(500.0), done=[s.name for s in own[fast.sysid]])
    assert {s.vehicle.sysid for s in rest.sorties} == {slow.sysid}
    left_m = sum(line.length for s in rest.sorties for line in _patrols(s))
    shared_s = left_m / sum(paces)
    assert rest.revisit_bound_s <= shared_s * 1.005
    assert rest.revisit_bound_s >= shared_s * 0.95


@SLOW
@given(
    border=wiggly_borders(),
    drones=st.integers(1, 3),
    which=st.integers(0, 50),
    share=st.floats(0.0, 0.999),
    battery=st.floats(0.05, 1.0),
    airborne=st.booleans(),
)
def test_what_is_left_is_lawful_whole_and_within_the_battery(border, drones, which, share, battery, airborne):
    before = plan(border, fleet_for(border, drones))
    sortie = before.sorties[which % len(before.sorties)]
    at, flown = _place(sortie, share)
    craft, base = sortie.vehicle.aircraft, sortie.vehicle.base
    progress = Progress(sortie.name, at=at, battery=battery, airborne=airborne)
    # A battery that three times the straight way home, with climb and descent, leaves above the reserve must do.
    away = math.hypot((at[0] - base.lat_deg) * M_LAT, (at[1] - base.lon_deg) * M_LON)
    home_j = 3 * away / craft.cruise_m_s * craft.cruise_power_w + 40 * craft.hover_power_w + 10 * craft.climb_power_w
    if airborne and (battery - craft.reserve_fraction) * craft.battery_wh < home_j / 3600:
        with suppress(PlanError):
            _usual(resume(before, progress))
        return
    after = resume(before, progress)
    _usual(after)
    rest = [one for one in after.sorties if "-rest-" in one.name]
    assert [one.charge for one in rest[1:]] == [1.0] * (len(rest) - 1)
    if airborne:
        assert rest[0].airborne
        assert not any(one.airborne for one in rest[1:])
        assert rest[0].charge == battery
        assert rest[0].start_s == 0
        assert np.hypot(*(_xy([rest[0].legs[0].start])[0] - ((at[1] - LON) * M_LON, (at[0] - LAT) * M_LAT))) < 0.1
    # Flown and resumed together are the whole patrol, and no more than the overlap is flown twice.
    lines = [line for one in rest for line in _patrols(one)]
    whole = shapely.union_all(_patrols(sortie))
    together = shapely.union_all([flown, *lines]).buffer(0.5)
    assert together.covers(whole) or whole.difference(together).length < 0.1
    again = sum(line.length for line in lines) + flown.length - whole.length
    # Where bends lie within the 10 m that a place may be off, the earlier of two legs counts.
    assert -1 < again < OVERLAP_M + 30
    # The others, and no earlier ones of the same aircraft.
    kept = {one.name for one in after.sorties} - {one.name for one in rest}
    assert kept == {one.name for one in before.sorties if one.vehicle != sortie.vehicle or one.turn > sortie.turn}


@settings(SLOW, max_examples=asked(15))
@given(border=wiggly_borders(), share=st.floats(0.02, 0.98), airborne=st.booleans())
def test_no_point_of_the_band_is_missed_between_what_was_seen_and_what_is_resumed(border, share, airborne):
    before = plan(border, fleet_for(border, 1))
    sortie = before.sorties[0]
    (lat, lon), _ = _place(sortie, share)
    after = resume(before, Progress(sortie.name, at=(lat, lon), battery=0.95, airborne=airborne))
    left = share * sum(line.length for line in _patrols(sortie))
    flown = []
    for leg, line in zip(sortie.patrol, _patrols(sortie), strict=True):
        end = leg.end if left >= line.length else replace(leg.end, lat_deg=lat, lon_deg=lon)
        flown.append(replace(leg, end=end))
        left -= line.length
        if left <= 0:
            break
    rest = [(one.patrol, one.look) for one in after.sorties]
    whole = _seen(before, [(one.patrol, one.look) for one in before.sorties])
    assert _seen(before, [(tuple(flown), sortie.look), *rest]) >= whole - 1e-3
    assert after.coverage == before.coverage


def _seen(made, flown):
    """Share of the band that is seen along legs, each with the side on which it is looked at."""
    border, camera = made.border, made.fleet.camera
    lon, lat = np.array(border.unwrapped()).T
    depths = border.band_own_m, border.band_far_m
    line = BandLine(lat, lon, *(depths if border.own_side is Side.LEFT else depths[::-1]))
    watches = [
        Watch(legs, [float(look.sign)] * len(legs), camera, made.observation.gimbal_pitch_deg, camera.max_gsd_m)
        for legs, look in flown
    ]
    return cover([line], watches, [], FlatTerrain()).share


@pytest.mark.parametrize("number", [0, 1])
def test_every_item_of_the_mission_can_be_the_last_that_was_reached(made, number):
    sortie = made.sorties[number]
    items = compile_mission(made, sortie).items
    whole = sum(leg.distance_m for leg in sortie.patrol)
    before = math.inf
    for item in items[:-1]:
        if item.command not in {TAKEOFF, WAYPOINT}:
            continue
        after = resume(made, Progress(sortie.name, item=item.seq))
        _usual(after)
        # Item 0 of ArduPilot is home; PX4 counts from the take-off.
        if item.seq:
            assert resume(made, Progress(sortie.name, item=item.seq - 1), dialect="px4") == after
        rest = [one for one in after.sorties if "-rest-" in one.name]
        left = sum(leg.distance_m for one in rest for leg in one.patrol)
        assert left <= before + 1e-6
        before = left
        if rest and left < whole:
            begun = _xy([rest[0].patrol[0].start])[0]
            reached = np.array([(item.y / 1e7 - LON) * M_LON, (item.x / 1e7 - LAT) * M_LAT])
            assert np.hypot(*(begun - reached)) == pytest.approx(OVERLAP_M, abs=0.6)
    assert before == 0


def test_a_place_and_an_item_together_say_which_of_two_passes_it_is(made):
    """Out along the line and back over it: the way out is passed again on patrol."""
    sortie = made.sorties[0]
    at, _ = _place(sortie, 0.6)
    patrol = next(i.seq for i in compile_mission(made, sortie).items if i.command == VIDEO)
    both = resume(made, Progress(sortie.name, item=patrol, at=at))
    assert sum(one.distance_m for one in both.sorties) < sum(one.distance_m for one in made.sorties)
    home = len(compile_mission(made, sortie).items) - 2
    with pytest.raises(ProgressError, match="after that item"):
        resume(made, Progress(sortie.name, item=home, at=at))


@SLOW
@given(share=st.floats(0.0, 0.95), battery=st.floats(0.4, 1.0), airborne=st.booleans(), which=st.integers(0, 9))
def test_among_zones_in_wind_with_wings(share, battery, airborne, which):
    before = zoned()[which % len(zoned())]
    sortie = before.sorties[which % len(before.sorties)]
    at, flown = _place(sortie, share)
    after = resume(before, Progress(sortie.name, at=at, battery=battery, airborne=airborne))
    _usual(after)
    rest = [one for one in after.sorties if "-rest-" in one.name]
    whole = shapely.union_all(_patrols(sortie))
    together = shapely.union_all([flown, *(line for one in rest for line in _patrols(one))]).buffer(0.5)
    assert whole.difference(together).length < 0.1


@cache
def zoned():
    border = border_from_metres([(0, 0), (6000, 400), (9000, -300), (16_000, 0)], band_own_m=15)
    ring = [(4000, 20), (5200, 20), (5200, 700), (4000, 700), (4000, 20)]
    town = Zone("town", (tuple((LON + x / M_LON, LAT + y / M_LAT) for x, y in ring),))
    fleet = fleet_for(border, 2)
    wings = Aircraft(
        "wings", 20.0, 28.0, 4.0, 3.0, 900.0, 300.0, 1100.0, 700.0,
        form=AircraftForm.VTOL, min_m_s=14.0, turn_radius_m=60.0, takeoff_s=15.0, landing_s=20.0, transition_s=10.0,
    )  # fmt: skip
    # In wind they turn so wide that the default lens is a little short.
    camera = replace(fleet.camera, max_gsd_m=0.2)
    winged = replace(fleet, camera=camera, vehicles=tuple(replace(v, aircraft=wings) for v in fleet.vehicles))
    windy = PlanOptions(wind=Wind(5.0, 250.0))
    return [
        plan(border, fleet, options=windy, airspace=Airspace((town,))),
        plan(border, winged, options=replace(windy, dwell_s=2.0), airspace=Airspace((town,))),
        plan(replace(border, own_side="right", coordinates=border.coordinates[::-1]), fleet, options=windy),
    ]


def test_over_hills_the_terrain_is_asked_for():
    rows, columns, step = 60, 200, 0.001
    lat, lon = LAT + 0.03 - step * np.arange(rows), LON - 0.02 + step * np.arange(columns)
    hills = 600 + 80 * np.sin(lon * 200)[None, :] + 60 * np.cos(lat * 300)[:, None]
    terrain = GridTerrain(hills, lat[0], lon[0], step)
    border = straight(8000)
    before = plan(border, fleet_for(border, 2), terrain)
    sortie = before.sorties[0]
    at, _ = _place(sortie, 0.5)
    for airborne in (False, True):
        progress = Progress(sortie.name, at=at, battery=0.8, airborne=airborne)
        after = resume(before, progress, terrain)
        assert check(after, terrain) == []
        with pytest.raises(PlanError, match="give that terrain"):
            resume(before, progress)
        with pytest.raises(PlanError, match="the terrain has the base at"):
            resume(before, progress, FlatTerrain(0.0))


def test_it_is_resumed_again_and_again_and_nothing_is_missed(made):
    whole = shapely.union_all(_patrols(made.sorties[1]))
    now, flown = made, []
    for _ in range(4):
        sortie = next(one for one in now.sorties if one.vehicle == made.sorties[1].vehicle and one.patrol)
        at, part = _place(sortie, 0.4)
        flown.append(part)
        now = resume(now, Progress(sortie.name, at=at, battery=0.6, airborne=True))
        _usual(now)
    own = [one for one in now.sorties if one.vehicle == made.sorties[1].vehicle]
    together = shapely.union_all([*flown, *(line for one in own for line in _patrols(one))]).buffer(0.5)
    assert whole.difference(together).length < 0.1
    assert all(one.name.startswith(made.sorties[1].name + "-rest-") for one in own)


def test_several_that_broke_off_are_resumed_together(made):
    progress = [Progress(sortie.name, at=_place(sortie, 0.3)[0], battery=0.7, airborne=True) for sortie in made.sorties]
    after = resume(made, progress)
    _usual(after)
    assert sum(sortie.airborne for sortie in after.sorties) == 2
    assert [flight.start_s for flight in after.flights[:2]] == [0, 0]


def test_of_two_in_the_air_at_one_place_neither_is_planned(made):
    near = made.sorties[0].home
    progress = [
        Progress(sortie.name, at=(near.lat_deg + 150 / M_LAT, near.lon_deg), battery=0.7, airborne=True)
        for sortie in made.sorties
    ]
    low = replace(made, options=replace(made.options, separation_up_m=50.0))
    with pytest.raises(PlanError, match="land one of them"):
        resume(low, progress)


def test_what_is_done_is_left_out(made):
    first, second = (sortie.name for sortie in made.sorties)
    after = resume(made, Progress(first, item=6), done=[second])
    assert [sortie.name for sortie in after.sorties] == [f"{first}-rest-1"]
    assert [sortie.name for sortie in resume(made, [], done=[first]).sorties] == [second]
    with pytest.raises(ProgressError, match="nothing is left"):
        resume(made, [], done=[first, second])
    last = len(compile_mission(made, made.sorties[0]).items) - 1
    with pytest.raises(ProgressError, match="nothing is left"):
        resume(made, Progress(first, item=last), done=[second])


def test_a_battery_too_low_to_patrol_flies_home_and_one_too_low_for_that_is_told(made):
    sortie, other = made.sorties
    at, _ = _place(sortie, 0.1)
    outcomes = []
    for battery in np.arange(0.36, 0.46, 0.0025).tolist():
        progress = Progress(sortie.name, at=at, battery=battery, airborne=True)
        try:
            first, patrol = resume(made, progress, done=[other.name]).sorties
        except PlanError as error:
            outcomes.append(str(error).split(": ")[-1])
            continue
        outcomes.append("patrols" if first.patrol else "flies home")
        assert first.airborne
        if not first.patrol:
            assert {leg.kind for leg in first.legs} == {LegKind.RETURN, LegKind.LANDING}
        assert patrol.start_s >= first.duration_s + first.vehicle.aircraft.turn_round_s
    assert list(dict.fromkeys(outcomes)) == [
        "bring it down now, then resume it from the ground",
        "flies home",
        "patrols",
    ]
    assert outcomes == sorted(outcomes)


def test_on_the_ground_a_battery_too_low_to_patrol_is_changed(made):
    sortie, other = made.sorties
    after = resume(made, Progress(sortie.name, at=_place(sortie, 0.1)[0], battery=0.21), done=[other.name])
    assert [(one.charge, one.airborne) for one in after.sorties] == [(1.0, False)]
    assert any("needs a fresh battery: 21%" in note for note in after.notes)


def test_of_the_notes_those_are_kept_that_hold_for_the_rest():
    border = replace(straight(12_000), note="as surveyed in 2020")
    rows = RiskTable((Risk(0, 3000, 4.0, 1, 5), Risk(90_000, 95_000, 2.0)))
    options = PlanOptions(objective=Objective.RISK, wind=Wind(3.0, 90.0), shift_start="2027-03-28T00:30+01:00")
    made = plan(border, fleet_for(border, 2), FlatTerrain(0.0), options, risk=rows)
    made = replace(made, notes=(*made.notes, "no plan of any sorties comes below 3.0 min; some of these watch several"))
    about_risk = [note for note in made.notes if "risk" in note]
    assert len(about_risk) >= 3  # the hours, their changes, the row beyond the line
    first = made.sorties[0]
    after = resume(made, Progress(first.name, at=_place(first, 0.3)[0], battery=0.21))
    assert [note for note in after.notes if "risk" in note or "no plan" in note] == []
    assert {note for note in made.notes if "surveyed" in note or "wind" in note} < set(after.notes)
    (fresh,) = (note for note in after.notes if "needs a fresh battery" in note)
    # Once that rest is on its way it is no longer true.
    rest = next(one for one in after.sorties if "-rest-" in one.name)
    other = next(one for one in after.sorties if one.vehicle != rest.vehicle)
    kept = resume(after, Progress(other.name, at=_place(other, 0.5)[0])).notes
    assert fresh in kept
    assert sum("flown once" in note for note in kept) == 1
    assert fresh not in resume(after, Progress(rest.name, at=_place(rest, 0.5)[0], battery=0.8)).notes


def test_the_overlap_is_what_is_asked_for(made):
    sortie = made.sorties[0]
    at, flown = _place(sortie, 0.5)
    for overlap in (0.0, 200.0):
        after = resume(made, Progress(sortie.name, at=at), overlap_m=overlap)
        (rest,) = (one for one in after.sorties if "-rest-" in one.name)
        again = sum(line.length for line in _patrols(rest)) + flown.length - _line(sortie.patrol).length
        assert again == pytest.approx(overlap, abs=0.5)
        assert any(f"{overlap:.0f} m of it are flown again" in note for note in after.notes)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "give an item, a place or both"),
        ({"item": -1}, "whole number from 0"),
        ({"item": True}, "whole number from 0"),
        ({"item": 2.0}, "whole number from 0"),
        ({"at": (91.0, 0.0)}, "broke off"),
        ({"at": (math.nan, 0.0)}, "broke off"),
        ({"item": 1, "battery": 1.01}, "battery is 1.01"),
        ({"item": 1, "battery": 0.0}, "battery is 0"),
        ({"item": 1, "battery": math.nan}, "battery is nan"),
        ({"item": 1, "battery": True}, "battery is True"),
        ({"item": 1, "battery": "full"}, "battery is 'full'"),
        ({"item": 1, "airborne": True}, "in the air: give what is left"),
    ],
)
def test_impossible_figures_are_refused(fields, words):
    with pytest.raises(ProgressError, match=words):
        Progress("s", **fields)


@pytest.mark.parametrize(
    ("progress", "more", "words"),
    [
        (Progress("nobody", item=1), {}, "no sortie 'nobody'.*vehicle-1-sortie-1"),
        (Progress(FIRST, item=1), {"done": ["nobody"]}, "no sortie 'nobody'"),
        (Progress(FIRST, item=1), {"done": [FIRST]}, "to have broken off"),
        ([Progress(FIRST, item=1)] * 2, {}, "given twice"),
        (Progress(FIRST, item=500), {}, "beyond its mission for ardupilot"),
        (Progress(FIRST, at=(LAT + 0.5, LON)), {}, "more than 200 m"),
        (Progress(FIRST, item=1), {"overlap_m": math.nan}, "overlap"),
        (Progress(FIRST, item=1), {"overlap_m": -1}, "overlap"),
    ],
)
def test_progress_that_cannot_be_of_the_plan_is_refused(made, progress, more, words):
    assert made.sorties[0].name == FIRST
    with pytest.raises(ProgressError, match=words):
        resume(made, progress, **more)


def test_an_aircraft_within_the_stand_off_has_no_lawful_way_on(made):
    sortie = made.sorties[0]
    (lat, lon), _ = _place(sortie, 0.5)
    with pytest.raises(PlanError, match="no lawful way leads from"):
        resume(made, Progress(sortie.name, at=(lat - 20 / M_LAT, lon), battery=0.7, airborne=True))


@settings(SLOW, max_examples=asked(15))
@given(
    share=st.floats(0.02, 0.95),
    off_m=st.floats(0, 8),
    towards=st.floats(0, 2 * math.pi),
    which=st.integers(0, 2),
    battery=st.floats(0.55, 0.95),
)
def test_an_aircraft_a_few_metres_off_its_way_goes_on_from_where_it_is(share, off_m, towards, which, battery):
    """What ways keep beyond the stand-off is kept for this: nobody is ever just where the plan has it."""
    before = zoned()[which]
    sortie = before.sorties[0]
    (lat, lon), flown = _place(sortie, share)
    at = (lat + off_m * math.sin(towards) / M_LAT, lon + off_m * math.cos(towards) / M_LON)
    try:
        after = resume(before, Progress(sortie.name, at=at, battery=battery, airborne=True))
    except PlanError as error:
        # Wings that would have to turn back beside the zone: nothing that they could not fly is made for them.
        town = shapely.Polygon(_xy_of_ring(before.airspace.zones[0]))
        beside_m = 3 * sortie.vehicle.aircraft.turn_radius_in(before.options.wind)
        if "no room for the turns of" in str(error) and shapely.distance(town, shapely.Point(_xy_of(at))) < beside_m:
            return
        raise
    _usual(after)
    first = next(one for one in after.sorties if one.airborne)
    assert np.hypot(*(_xy([first.legs[0].start])[0] - _xy_of(at))) < 0.1
    missions = [compile_mission(after, one) for one in after.sorties]
    assert validate_missions(after, missions).violations == []
    rest = shapely.union_all([flown, *(line for one in after.sorties for line in _patrols(one))]).buffer(0.5)
    assert shapely.union_all(_patrols(sortie)).difference(rest).length < 0.1


def _xy_of_ring(area):
    return [_xy_of((lat, lon)) for lon, lat in area.rings[0]]


def _xy_of(at):
    return (at[1] - LON) * M_LON, (at[0] - LAT) * M_LAT


def test_one_so_near_the_stand_off_that_no_fence_holds_it_is_told_what_to_do(made):
    sortie = made.sorties[0]
    (lat, lon), _ = _place(sortie, 0.5)
    lateral = made.observation.lateral_m
    near = (lat - (lateral - made.border.stand_off_m - 2.0) / M_LAT, lon)
    with pytest.raises(PlanError, match=r"goes on in the air at .* no fence holds it .* by hand, or home"):
        resume(made, Progress(sortie.name, at=near, battery=0.7, airborne=True))


def test_one_off_its_detour_is_led_out_of_the_margin_of_a_zone_and_one_in_the_zone_is_not():
    before = zoned()[0]
    sortie = before.sorties[0]
    lat = LAT + 700 / M_LAT
    beside = (lat + 20 / M_LAT, LON + 4600 / M_LON)
    after = resume(before, Progress(sortie.name, at=beside, battery=0.8, airborne=True))
    _usual(after)
    assert after.sorties[0].legs[0].end.lat_deg > lat + 29 / M_LAT
    with pytest.raises(PlanError, match="no lawful way leads from"):
        resume(before, Progress(sortie.name, at=(lat - 5 / M_LAT, beside[1]), battery=0.8, airborne=True))


def test_between_a_zone_and_the_border_it_is_led_out_away_from_the_border():
    """The nearest place out of the margin of the zone lies nearer to the border."""
    before = zoned()[0]
    progress = Progress(before.sorties[0].name, at=(46.003803, 8.067612), battery=0.8, airborne=True)
    _usual(resume(before, progress))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_wings_that_break_off_in_their_climb_come_to_their_height_on_the_way(share):
    before = zoned()[1]
    sortie = before.sorties[0]
    begin, end = sortie.legs[1].start, sortie.legs[1].end
    at = [a + share * 0.02 * (b - a) for a, b in ((begin.lat_deg, end.lat_deg), (begin.lon_deg, end.lon_deg))]
    after = resume(before, Progress(sortie.name, item=0, at=tuple(at), battery=0.95, airborne=True))
    first = after.sorties[0]
    assert first.airborne
    rising = [leg for leg in first.legs if leg.kind is not LegKind.LANDING and leg.start.agl_m != leg.end.agl_m]
    assert all(leg.distance_m > 500 for leg in rising)
    _usual(after)


def test_the_fence_of_wings_that_only_fly_home_holds_them():
    border = border_from_metres([(0, 0), (6000, 400), (9000, -300), (16_000, 0)], band_own_m=15)
    fleet = fleet_for(border, 1)
    plane = Aircraft(
        "plane", 18.0, 26.0, 4.0, 3.0, 260.0, 260.0, 600.0, 500.0,
        form=AircraftForm.FIXED_WING, min_m_s=12.0, turn_radius_m=50.0, takeoff_s=10.0, landing_s=20.0,
    )  # fmt: skip
    camera = replace(fleet.camera, max_gsd_m=0.2)
    winged = replace(fleet, camera=camera, vehicles=tuple(replace(v, aircraft=plane) for v in fleet.vehicles))
    before = plan(border, winged, options=PlanOptions(wind=Wind(5.0, 250.0), dwell_s=2.0))
    sortie = before.sorties[0]
    turn = [leg for leg in sortie.legs if leg.kind is LegKind.RETURN][4]
    items = compile_mission(before, sortie).items
    last = max(item.seq for item in items if (item.x, item.y) == _e7(turn.start))
    after = resume(before, Progress(sortie.name, item=last, battery=0.6, airborne=True))
    assert not after.sorties[0].patrol
    assert validate_missions(after, [compile_mission(after, one) for one in after.sorties]).violations == []


def _e7(at):
    return round(at.lat_deg * 1e7), round(at.lon_deg * 1e7)


def test_what_cannot_be_flown_is_told_of_the_sortie_that_it_is_of(made, monkeypatch):
    """A bend of one; of the next the battery takes it nowhere, and its message says no word of that bend."""
    rests, (first, second, *_) = Rests(made, FlatTerrain(), OVERLAP_M), made.sorties

    def told(sortie, flown):
        progress = Progress(flown.name, at=_place(flown, 0.5)[0], battery=0.9)
        with pytest.raises(PlanError) as error:
            rests.of(sortie, progress, reached(made, flown, progress, FlatTerrain(), "ardupilot"))
        return str(error.value)

    def bent(*_, **__):
        raise UnflyableError("a bend of 170 degrees", LAT, LON)

    with monkeypatch.context() as patched:
        patched.setattr(Builder, "legs", bent)
        assert told(first, first) == (
            f"{first.name}: its rest cannot be flown (a bend of 170 degrees): plan the patrol again"
        )
    craft = replace(second.vehicle.aircraft, battery_wh=1.0)
    weak = replace(second, vehicle=replace(second.vehicle, aircraft=craft))
    assert told(weak, second) == (
        f"{second.name}: its rest is out of reach of {second.vehicle.base.name!r} even with a fresh battery: "
        "plan the patrol again"
    )


def test_a_plan_of_another_course_is_not_resumed(made):
    other = replace(made, border=straight(30_100))
    with pytest.raises(PlanError, match="plan it again"):
        resume(other, Progress(made.sorties[0].name, item=6))


@pytest.fixture(scope="module")
def planes():
    """A plane that lands along a line; PX4 has no rally point of it."""
    border = straight(6000)
    fleet = fleet_for(border, 1)
    wings = Aircraft(
        "wings", 20.0, 28.0, 3.0, 3.0, 280.0, 300.0, 600.0, 500.0,
        form=AircraftForm.FIXED_WING, min_m_s=14.0, turn_radius_m=60.0, takeoff_s=10.0, landing_s=10.0,
    )  # fmt: skip
    one = replace(fleet.vehicles[0], aircraft=wings)
    fleet = replace(fleet, camera=replace(fleet.camera, max_gsd_m=0.25), vehicles=(one,))
    return plan(border, fleet, options=PlanOptions(dwell_s=2.0))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("flown", ["made", "planes"])
def test_every_file_of_a_resumed_plan_loads(flown, tmp_path, dialect, request):
    made = request.getfixturevalue(flown)
    sortie = made.sorties[0]
    after = resume(made, Progress(sortie.name, at=_place(sortie, 0.5)[0], battery=0.7, airborne=True))
    write_plan_folder(after, tmp_path, dialect)
    assert load_plan(tmp_path / "plan.json") == after
    for one in after.sorties:
        mission = compile_mission(after, one, dialect)
        assert repr(read_qgc_plan(tmp_path / f"{one.name}.plan")) == repr(mission)
        assert repr(read_waypoints(tmp_path / f"{one.name}.waypoints", dialect)) == repr(mission.items)
        # Home is the base also where there is no take-off to take it from.
        lat, lon, _ = json.loads((tmp_path / f"{one.name}.plan").read_text())["mission"]["plannedHomePosition"]
        assert (lat, lon) == pytest.approx((one.vehicle.base.lat_deg, one.vehicle.base.lon_deg), abs=1e-7)
        assert {leg.kind for leg in one.legs} >= {LegKind.PATROL, LegKind.LANDING}


@pytest.mark.parametrize("others", [(), ("vehicle-1-sortie-1",)])
def test_a_plan_in_which_one_only_flies_home_is_written_whole(made, tmp_path, others):
    """First in the order of flight, or all that is left: nothing of it is drawn as watched."""
    sortie = made.sorties[0]
    home = next(k for k, leg in enumerate(sortie.legs) if leg.kind is LegKind.RETURN)
    at = sortie.legs[home].end
    items = compile_mission(made, sortie).items
    last = max(item.seq for item in items if (item.x, item.y) == _e7(sortie.legs[home].start))
    progress = Progress(sortie.name, item=last, at=(at.lat_deg, at.lon_deg), battery=0.6, airborne=True)
    after = resume(made, progress, done=others)
    assert not after.sorties[0].patrol
    assert len(after.sorties) == 2 - len(others)
    written = write_plan_folder(after, tmp_path)
    assert all(path.stat().st_size > 0 for path in written)
    assert load_plan(tmp_path / "plan.json") == after


def test_one_that_is_over_its_base_and_only_comes_down_is_written_whole(made, tmp_path):
    sortie = made.sorties[0]
    last = max(item.seq for item in compile_mission(made, sortie).items if item.command == WAYPOINT)
    after = resume(made, Progress(sortie.name, item=last, battery=0.6, airborne=True), done=())
    assert {leg.kind for leg in after.sorties[0].legs} == {LegKind.LANDING}
    terrain = GridTerrain(np.full((40, 40), 500.0), LAT + 0.2, LON - 0.1, 0.015)
    for ground in (None, terrain):
        assert all(path.stat().st_size > 0 for path in write_plan_folder(after, tmp_path, terrain=ground))
    (part,) = (part for part in emergency_sites(after) if part.sortie == after.sorties[0].name)
    assert part.site.name == sortie.vehicle.base.name
    assert propose_landing_sites(after, terrain).sites is not None


def test_wings_over_hills_are_resumed_beside_a_zone_that_shuts_what_they_might_sink_to(tmp_path):
    """The zone is shut from the floor up, though no leg of the plan comes down so far."""
    border = straight(9000, stand_off_m=100.0)
    fleet = fleet_for(border, 1)
    wings = Aircraft(
        "wings", 18.0, 25.0, 3.0, 3.0, 900.0, 250.0, 1000.0, 900.0,
        form=AircraftForm.VTOL, min_m_s=13.0, turn_radius_m=50.0, transition_s=15.0,
    )  # fmt: skip
    one = replace(fleet.vehicles[0], aircraft=wings)
    fleet = replace(fleet, camera=replace(fleet.camera, max_gsd_m=0.4), vehicles=(one,))
    rows, columns = np.mgrid[0:60, 0:120]
    hills = GridTerrain(300.0 + 8.0 * np.sin(columns / 3) * np.cos(rows / 3), LAT + 0.06, LON - 0.06, 0.002)
    low = zone("low", 6500, 115, 60, floor=Altitude(60.0, Datum.AGL), kind=ZoneKind.LIMITS)
    made = plan(border, fleet, hills, PlanOptions(dwell_s=2.0), airspace=Airspace((low,)))
    in_the_air = [leg.end.agl_m for leg in made.sorties[0].legs if leg.kind not in (LegKind.TAKEOFF, LegKind.LANDING)]
    assert min(in_the_air) > 60
    after = resume(made, Progress(made.sorties[0].name, at=_place(made.sorties[0], 0.2)[0], battery=0.9), hills)
    assert check(after) == []
    assert sum(leg.distance_m for leg in after.sorties[0].patrol) > 3000


def test_a_plan_file_without_the_charge_of_its_sorties_is_refused(made, tmp_path):
    path = tmp_path / "plan.json"
    save_plan(made, path)
    value = json.loads(path.read_text())
    del value["plan"]["sorties"][0]["charge"]
    path.write_text(json.dumps(value))
    with pytest.raises(FormatError, match="charge is missing"):
        load_plan(path)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda p: replace(p, sorties=_resumed_with(p, charge=2.0)), "begins with 200%"),
        (lambda p: replace(p, sorties=_resumed_with(p, charge=0.3)), "reserve"),
        (lambda p: replace(p, flights=(*p.flights, *(replace(f, start_s=9e4) for f in p.flights))), "flown 2 times"),
        (lambda p: _at_other_times(p, lambda start_s: start_s + 60), "at once"),
        (lambda p: _at_other_times(p, lambda start_s: 9e4 - start_s), "after another flight"),
    ],
)
def test_the_checker_finds_a_resumed_plan_that_was_spoilt(made, spoil, words):
    sortie = made.sorties[0]
    after = resume(made, Progress(sortie.name, at=_place(sortie, 0.2)[0], battery=0.5, airborne=True))
    assert check(after) == []
    assert any(words in sentence for sentence in check(spoil(after)))


def _resumed_with(made, **fields):
    return tuple(replace(one, **fields) if one.airborne else one for one in made.sorties)


def _at_other_times(made, change):
    return replace(made, flights=tuple(replace(flight, start_s=change(flight.start_s)) for flight in made.flights))


def test_an_aircraft_flies_its_sorties_one_after_the_other(made):
    sortie = made.sorties[0]
    after = resume(made, Progress(sortie.name, at=_place(sortie, 0.2)[0], battery=0.5, airborne=True))
    own = [one for one in after.sorties if one.vehicle == sortie.vehicle]
    assert [one.turn for one in own] == list(range(1, len(own) + 1))
    for a, b in pairwise(own):
        assert b.start_s >= a.start_s + a.duration_s + sortie.vehicle.aircraft.turn_round_s - 1e-6
    assert after.revisit_bound_s <= after.revisit_s
    assert after.coverage == made.coverage


def test_a_rest_has_no_date_and_can_be_planned_anew():
    """Nobody knows when it will be flown: the hours of the shift, and with them its risk, are not those of the rest."""
    border = straight(20_000)
    options = PlanOptions(objective=Objective.RISK, shift_start="2027-03-28T00:30+01:00", shift_s=4 * 3600.0)
    risk = RiskTable((Risk(0, 8000, 9.0, 0, 6),), "Europe/Zurich")
    before = plan(border, fleet_for(border, 2), options=options, risk=risk)
    sortie = before.sorties[0]
    rest = resume(before, Progress(sortie.name, at=_place(sortie, 0.3)[0], battery=0.8, airborne=True))
    assert (rest.options.shift_start, rest.options.shift_hour) == ("", 0)
    assert check(rest) == []
    assert replan(rest, {vehicle.sysid for vehicle in rest.fleet.vehicles}, 60.0).flights


def test_apps_that_begin_at_a_take_off_refuse_a_rest_in_the_air(tmp_path):
    border = straight(12_000)
    fleet = fleet_for(border, 1)
    craft = replace(fleet.vehicles[0].aircraft, cruise_m_s=12.0, max_m_s=14.0)
    before = plan(border, replace(fleet, vehicles=tuple(replace(v, aircraft=craft) for v in fleet.vehicles)))
    sortie = before.sorties[0]
    middle = sortie.patrol[len(sortie.patrol) // 2].start
    after = resume(before, Progress(sortie.name, at=(middle.lat_deg, middle.lon_deg), battery=0.9, airborne=True))
    assert after.sorties[0].airborne
    for write, name in ((write_wpml, "rest.kmz"), (write_litchi, "rest.csv")):
        with pytest.raises(MissionError, match="begins in the air"):
            write(after, after.sorties[0], tmp_path / name)
        assert not (tmp_path / name).exists()


def test_of_a_plan_that_changes_with_the_risk_only_the_round_that_broke_off_is_flown_on():
    border = straight(30_000)
    options = PlanOptions(objective=Objective.RISK, shift_s=12 * 3600.0)
    made = plan(border, fleet_for(border, 6), options=options, risk=RiskTable((Risk(0, 8000, 9.0, 0, 6),)))
    before, after = (
        {made.sorties[number].name for roster in period.rosters for number in roster.sorties} for period in made.periods
    )
    sortie = next(s for s in made.sorties if s.name in after - before)
    at = sortie.patrol[0].end
    rest = resume(made, Progress(sortie.name, at=(at.lat_deg, at.lon_deg), battery=0.5))
    names = {one.name for one in rest.sorties}
    assert not names & (before - after)
    assert any(name.startswith(f"{sortie.name}-rest") for name in names)
    assert check(rest) == []
