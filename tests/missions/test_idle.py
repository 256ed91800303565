"""What keeps an aircraft from patrolling is said: which, at which base, and which figure of it."""

from dataclasses import replace

import pytest

from missions import PlanError, PlanOptions, Wind, check, plan
from tests.missions.helpers import beside, fleet_for, straight


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
