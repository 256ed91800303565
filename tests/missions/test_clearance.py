"""What is kept beyond the stand-off: the figures by hand, and plans measured on a plane of their own."""

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from missions import (
    Aircraft,
    AircraftForm,
    Airspace,
    Clearance,
    FleetError,
    PlanError,
    PlanOptions,
    Vehicle,
    Wind,
    Zone,
    check,
    clearance_of,
    compile_mission,
    form_clearance,
    load_plan,
    plan,
    read_fleet,
    save_plan,
    validate_missions,
    write_fleet,
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
    metres,
    straight,
    way,
    wiggly_borders,
)

SLOW = settings(max_examples=asked(25), deadline=None, suppress_health_check=[HealthCheck.too_slow])
ROTOR = fleet_for(straight(), 1).vehicles[0].aircraft
WING = Aircraft(
    "wing", 20, 28, 3, 3, 300, 300, 600, 500, form="fixed_wing", min_m_s=15, turn_radius_m=60
)  # fmt: skip


def test_the_figures_of_a_multirotor_in_a_fresh_wind_by_hand():
    # 3.5 m of place, 1.5 m of gusts: twice the root of 12.25 + 2.25 is 7.616, more than 3.5 + 3.
    assert clearance_of(ROTOR, Wind()) == Clearance(3.5, 3.0, pytest.approx(7.6158, abs=1e-4), 0.0)
    # In gusts of 20 m/s twice the error: 3.5 + 6 is more than twice the root of 12.25 + 9, 9.22.
    assert clearance_of(ROTOR, Wind(12.0, 0.0, 20.0)) == Clearance(3.5, 6.0, 9.5, 0.0)


def test_wings_keep_what_they_cut_off_a_bend_on_patrol():
    assert clearance_of(WING, Wind()) == Clearance(3.5, 6.0, 9.5, 30.0)
    assert form_clearance(AircraftForm.FIXED_WING) == Clearance(3.5, 6.0, 9.5, 0.0)


def test_measured_figures_take_the_place_of_those_of_the_form():
    own = replace(ROTOR, navigation_error_m=0.03, technical_error_m=0.4)
    assert clearance_of(own, Wind()) == Clearance(0.03, 0.8, pytest.approx(0.83), 0.0)


figures = st.floats(0.01, 50)


@given(nse=figures, fte=figures, speed=st.floats(0, 30), more=st.floats(0, 20), turn=st.floats(1, 200))
def test_each_error_has_a_gap_of_its_own_and_both_together_are_held(nse, fte, speed, more, turn):
    craft = replace(WING, navigation_error_m=nse, technical_error_m=fte, turn_radius_m=turn)
    calm, windy = clearance_of(craft, Wind()), clearance_of(craft, Wind(speed, 0.0, speed + more))
    flown = fte * max(1.0, (speed + more) / 10)
    assert windy.guard_m >= nse
    assert windy.room_m >= 2 * flown * (1 - 1e-9)
    assert windy.margin_m >= max(windy.guard_m + windy.room_m, 2 * math.hypot(nse, flown)) * (1 - 1e-9)
    # Half a turn's radius, which grows with the square of the ground speed.
    assert windy.bend_m == pytest.approx(turn / 2 * ((craft.cruise_m_s + speed) / craft.cruise_m_s) ** 2)
    # More wind never asks for less.
    assert (windy.room_m, windy.margin_m) >= (calm.room_m, calm.margin_m)


def test_gusts_that_nobody_gave_are_half_as_fast_again():
    assert Wind(8.0).gusts_m_s == 12.0
    assert clearance_of(ROTOR, Wind(8.0)) == clearance_of(ROTOR, Wind(8.0, 90.0, 12.0))
    with pytest.raises(PlanError, match="gust_m_s"):
        Wind(8.0, 0.0, 7.0)


@pytest.mark.parametrize("field", ["navigation_error_m", "technical_error_m"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, "3", True])
def test_an_impossible_error_is_refused_by_name(field, value):
    with pytest.raises(FleetError, match=field):
        replace(ROTOR, **{field: value})


def test_the_figures_come_back_from_the_files(tmp_path):
    border = straight()
    fleet = fleet_for(border, 1)
    own = replace(fleet.vehicles[0], aircraft=replace(ROTOR, navigation_error_m=1.0, technical_error_m=2.0))
    mixed = replace(fleet, vehicles=(own, replace(fleet.vehicles[0], sysid=2, name="other")))
    mixed = replace(mixed, vehicles=(own, replace(mixed.vehicles[1], aircraft=replace(ROTOR, kind="by its form"))))
    write_fleet(mixed, tmp_path / "fleet.json")
    assert read_fleet(tmp_path / "fleet.json") == mixed
    made = plan(border, mixed, options=PlanOptions(wind=Wind(5.0, 20.0, 11.0)))
    save_plan(made, tmp_path / "plan.json")
    assert load_plan(tmp_path / "plan.json") == made
    # Of two that share a line each gap is the wider one: 3.5 m of place, and twice 2.2 m of gusts of 11 m/s.
    assert made.clearance.guard_m == 3.5
    assert made.clearance.room_m == pytest.approx(2 * 2.0 * 1.1)


errors = st.tuples(st.none() | st.floats(0.05, 8), st.none() | st.floats(0.1, 5))
winds = st.builds(
    lambda speed, heading, more: Wind(speed, heading, speed + more), *(st.floats(0, x) for x in (7, 360, 9))
)


@SLOW
@given(border=wiggly_borders(), own=errors, wind=winds)
def test_no_leg_is_nearer_than_stand_off_and_margin_and_the_fence_lies_between(border, own, wind):
    measured(border, replace(ROTOR, navigation_error_m=own[0], technical_error_m=own[1]), wind)


@SLOW
@given(swing=st.floats(0, 300), length=st.floats(1500, 4000), right=st.booleans(), own=errors, wind=winds)
def test_nor_does_one_of_wings_where_the_border_swings(swing, length, right, own, wind):
    points = [(x, swing * math.sin(2 * math.pi * x / length)) for x in range(0, 9000, 150)]
    border = border_from_metres(points, "right" if right else "left")
    measured(border, replace(WING, navigation_error_m=own[0], technical_error_m=own[1]), wind)


def measured(border, craft, wind):
    """Plan for one aircraft, and measure legs and fences."""
    base = beside(border, 1500)
    camera = replace(fleet_for(border).camera, max_gsd_m=0.3)
    fleet = replace(fleet_for(border, 1), camera=camera, vehicles=(Vehicle(1, "one", craft, base),))
    made = plan(border, fleet, options=PlanOptions(dwell_s=2.0, wind=wind))
    # From the figures alone, by the sentences of the document.
    nse = craft.navigation_error_m or 3.5
    fte = (craft.technical_error_m or (3.0 if craft.has_wings else 1.5)) * max(1.0, wind.gust_m_s / 10)
    margin = max(2 * math.hypot(nse, fte), nse + 2 * fte)
    line = shapely.LineString(metres(border.coordinates))
    for sortie in made.sorties:
        # Half a per cent for the plain projection.
        assert way(sortie).distance(line) >= 0.995 * (border.stand_off_m + margin)
        mission = compile_mission(made, sortie)
        inside = shapely.Polygon(metres([(v.y / 1e7, v.x / 1e7) for v in mission.fence if v.command == 5001]))
        assert inside.distance(line) >= 0.995 * (border.stand_off_m + nse)
        assert inside.contains(way(sortie))
        assert inside.exterior.distance(way(sortie)) >= 0.995 * 2 * fte - 0.02
        for leg in sortie.patrol:
            ends = metres([(p.lon_deg, p.lat_deg) for p in (leg.start, leg.end)])
            keep = border.stand_off_m + margin + craft.stray_in(wind)
            assert shapely.LineString(ends).distance(line) >= 0.995 * keep


def test_validation_finds_a_margin_that_a_planner_left_out():
    """The plan is right for its aircraft; for one that holds its way less well it is not, nor is its fence."""
    border = straight()
    made = plan(border, fleet_for(border, 1))
    missions = [compile_mission(made, sortie) for sortie in made.sorties]
    assert check(made) == []
    assert validate_missions(made, missions).violations == []

    def flown_by(craft):
        vehicles = tuple(replace(v, aircraft=craft) for v in made.fleet.vehicles)
        sorties = tuple(replace(s, vehicle=vehicles[0]) for s in made.sorties)
        return replace(made, fleet=replace(made.fleet, vehicles=vehicles), sorties=sorties)

    # 75.6 m from the border; the fence lies anywhere between the guard of 3.5 m and the room of 3 m.
    worse = flown_by(replace(ROTOR, technical_error_m=6.5))
    assert any("margin 16.5 m" in sentence for sentence in check(worse))
    assert any("does not hold its legs" in s for s in validate_missions(worse, missions).violations)
    lost = flown_by(replace(ROTOR, navigation_error_m=12.0))
    assert any("margin 24.2 m" in sentence for sentence in check(lost))
    assert any("of the border" in sentence for sentence in validate_missions(lost, missions).violations)


def test_where_a_zone_leaves_no_room_for_the_margin_the_plan_says_what_is_lost():
    """From 110 m to 400 m from the border nobody may be, and 30 m beside it: 75.6 m are left, 85 m are not."""
    border = straight()
    ring = [(4000, 110), (6000, 110), (6000, 400), (4000, 400)]
    school = Zone("school", (tuple((LON + x / M_LON, LAT + y / M_LAT) for x, y in ring),))
    fleet = fleet_for(border, 1)
    found = []
    for fte in (1.5, 8.0):
        craft = replace(ROTOR, technical_error_m=fte)
        vehicles = (replace(fleet.vehicles[0], aircraft=craft),)
        found.append(plan(border, replace(fleet, vehicles=vehicles), airspace=Airspace((school,))))
    narrow, wide = found
    assert narrow.coverage.share > 0.999
    # What the camera sees past the ends of the gap is not lost.
    assert wide.coverage.share < 0.9
    assert {gap.reason for gap in wide.coverage.uncovered} == {"no-fly zone 'school'"}


def test_a_base_within_the_margin_is_refused_with_both_figures():
    border = straight()
    with pytest.raises(
        PlanError, match=r"64 m from the border, the stand-off is 60 m, and 12\.6 m more .*: move it back"
    ):
        plan(border, fleet_for(border, 1, 64.0))
    assert np.isfinite(plan(border, fleet_for(border, 1, 75.0)).revisit_s)
