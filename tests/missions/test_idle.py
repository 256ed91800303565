"""What keeps an aircraft from patrolling is said: which, at which base, and which figure of it."""

from dataclasses import replace

import numpy as np
import pytest

from missions import Airspace, Fleet, PlanError, PlanOptions, RiskTable, Vehicle, Wind, Zone, check, plan
from missions.building import no_room_for
from missions.idle import out_of_reach
from missions.setting import Setting
from missions.task import Task
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, beside, fleet_for, straight
from tests.missions.test_runway import WING as RUNWAY_WING
from tests.missions.test_steep_ground import WINGS


def two_bases(border, far_m):
    """Two drones 1.5 km from a border, and a third from a base far behind it."""
    near = fleet_for(border, 2)
    far = replace(beside(border, far_m), name="depot")
    third = replace(near.vehicles[1], sysid=9, name="third", base=far)
    return replace(near, vehicles=(*near.vehicles, third))


def test_a_base_too_far_away_is_noted_with_its_vehicle():
    border = straight(10_000)
    made = plan(border, two_bases(border, 160_000))
    (note,) = [note for note in made.notes if "third" in note]
    assert "flies nothing" in note
    assert "'depot' is out of reach" in note
    assert "battery_wh" in note
    assert check(made) == []
    assert not any("flies nothing" in note for note in plan(border, two_bases(border, 1600)).notes)


def test_a_battery_too_small_is_noted_and_the_others_fly():
    border = straight(10_000)
    fleet = fleet_for(border, 2)
    weak = replace(fleet.vehicles[0].aircraft, kind="weak", battery_wh=30.0)
    made = plan(border, replace(fleet, vehicles=(replace(fleet.vehicles[0], aircraft=weak), fleet.vehicles[1])))
    (note,) = [note for note in made.notes if fleet.vehicles[0].name in note]
    assert "flies nothing" in note
    assert "'weak'" in note
    assert "battery_wh 30" in note
    assert {f.sysid for f in made.flights} == {fleet.vehicles[1].sysid}


def refused(fleet, border, **options):
    with pytest.raises(PlanError) as caught:
        plan(border, fleet, options=PlanOptions(**options))
    return str(caught.value)


@pytest.mark.parametrize("battery_wh", [8.0, 30.0])
def test_a_battery_too_small_for_any_is_named(battery_wh):
    border = straight(10_000)
    fleet = fleet_for(border, 1)
    craft = replace(fleet.vehicles[0].aircraft, battery_wh=battery_wh)
    said = refused(replace(fleet, vehicles=(replace(fleet.vehicles[0], aircraft=craft),)), border)
    assert f"battery_wh {battery_wh:g}" in said
    assert repr(craft.kind) in said


def test_a_battery_that_leaves_too_little_in_calm_air_blames_no_wind():
    border = straight(10_000)
    fleet = fleet_for(border, 1, distance_m=80.0)
    vehicle = fleet.vehicles[0]
    said, low, high = "", 8.0, 30.0
    # The largest battery that takes it over no piece.
    while high - low > 1e-4:
        battery_wh = (low + high) / 2
        craft = replace(vehicle.aircraft, battery_wh=battery_wh)
        try:
            plan(border, replace(fleet, vehicles=(replace(vehicle, aircraft=craft),)))
        except PlanError as error:
            said, low = str(error), battery_wh
        else:
            high = battery_wh
    assert "not enough for any piece" in said
    assert "wind" not in said


@pytest.mark.parametrize("speed", [18.0, 25.0])
def test_a_wind_too_strong_is_named_and_no_base_is_blamed(speed):
    border = straight(10_000)
    said = refused(fleet_for(border, 1), border, wind=Wind(speed, 90.0))
    assert f"wind of {speed:g} m/s" in said
    assert "max_m_s" in said
    assert "out of reach" not in said


@pytest.mark.parametrize("objective", ["revisit", "risk"])
def test_a_wind_that_leaves_nothing_to_patrol_with_is_named_with_the_battery(objective):
    border = straight(10_000)
    fleet = fleet_for(border, 1, distance_m=80.0)
    craft = fleet.vehicles[0].aircraft
    said = refused(fleet, border, wind=Wind(craft.cruise_m_s - 0.004, 90.0), objective=objective)
    for word in (repr(craft.kind), repr(fleet.vehicles[0].base.name), "battery_wh", "wind"):
        assert word in said
    assert "no better" not in said


def shut_to_wings(*crafts):
    """A setting of wings beside a straight border, and what each crew leaves out: nothing yet."""
    border = straight(3000.0)
    base = beside(border, 900.0)
    camera = replace(fleet_for(border).camera, max_gsd_m=0.3)
    fleet = Fleet(camera, tuple(Vehicle(k, craft.kind, craft, base) for k, craft in enumerate(crafts, 1)))
    setting = Setting(Task.of(border), fleet, None, PlanOptions(dwell_s=2.5), airspace=Airspace(), risk=RiskTable())
    return setting, {crew.aircraft.kind: setting.shut[crew] for crew in setting.crews}


@pytest.mark.parametrize(("tight", "named"), [(slice(0, 1), "too steep"), (slice(None), "no room")])
def test_what_keeps_wings_from_most_of_a_line_is_why_nothing_can_be_patrolled(tight, named):
    setting, shut = shut_to_wings(WINGS["vtol"])
    (own,) = shut.values()
    own.steep = np.ones(len(own.steep), dtype=bool)
    own.tight[tight] = True
    said = out_of_reach(setting)
    assert named in said
    assert WINGS["vtol"].kind in said


def test_a_few_places_that_are_too_narrow_are_not_blamed_for_a_base_that_is_too_far():
    weak = replace(WINGS["vtol"], battery_wh=20.0, takeoff_s=0.0, landing_s=0.0, transition_s=0.0)
    setting, shut = shut_to_wings(weak)
    shut[weak.kind].tight[3] = True
    assert "battery_wh 20" in out_of_reach(setting)


def test_those_are_named_who_have_no_room_where_there_is_none():
    setting, shut = shut_to_wings(*(WINGS[form] for form in sorted(WINGS)))
    lifter, wing = shut[WINGS["vtol"].kind], shut[WINGS["fixed_wing"].kind]
    for one in (lifter, wing):
        one.far = np.ones(len(one.ends), dtype=bool)
    wing.tight[:] = True
    said = out_of_reach(setting)
    assert "'wing' (turn_radius_m 60" in said
    assert "'lifter'" not in said


def test_a_radius_is_told_as_it_is_flown_there():
    """53 m by the sea are 71 m at 3 km: by the density there, 0.909 of 1.225 kg/m3."""
    craft = replace(WINGS["vtol"], turn_radius_m=53.0)
    assert "53, 71 m in the air" in no_room_for(craft, Wind(air_amsl_m=3000.0))
    assert no_room_for(craft, Wind()).endswith("(turn_radius_m 53)")
    faster = 53.0 * (1 + 8.0 / craft.cruise_m_s) ** 2
    assert f"53, {faster:.0f} m in the wind" in no_room_for(craft, Wind(8.0, 90.0))


def strip(name, east, north):
    """A zone between two places east of LAT, LON, and two north of it, metres."""
    corners = [(east[a], north[b]) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))]
    return Zone(name, (tuple((LON + e / M_LON, LAT + n / M_LAT) for e, n in corners),))


def test_a_runway_that_leaves_no_room_to_turn_is_blamed_and_not_the_line():
    """A runway between walls: what climbs out can leave them only through a gap that lies behind it."""
    border = straight(1000.0)
    base = replace(beside(border, 1500.0), runway_deg=90.0)
    walls = (
        strip("far", (-1200.0, 1650.0), (1580.0, 1620.0)),
        strip("near", (-1200.0, 1150.0), (1380.0, 1420.0)),
        strip("beyond", (1300.0, 1650.0), (1380.0, 1420.0)),
        strip("across", (1650.0, 1690.0), (1380.0, 1620.0)),
    )
    fleet = Fleet(replace(fleet_for(border).camera, max_gsd_m=0.25), (Vehicle(1, "one", RUNWAY_WING, base),))
    with pytest.raises(PlanError, match=r"off the runway of 'base'.*turn_radius_m 60"):
        plan(border, fleet, None, PlanOptions(dwell_s=2.0), airspace=Airspace(walls))
    free = plan(border, fleet, None, PlanOptions(dwell_s=2.0))
    assert not any("no room" in part.reason for part in free.coverage.uncovered)
