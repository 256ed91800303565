"""Why a plan is as it is: limits that are true of it, and changes that are worth what they say."""

from dataclasses import replace

import pytest

from missions import Vehicle, default_fleet, explain, plan
from tests.missions.helpers import beside, fleet_for, straight


def test_what_a_change_promises_is_what_a_new_plan_gives():
    border = straight(30_000)
    fleet = fleet_for(border, 2)
    made = plan(border, fleet)
    changes = {change.what: change for change in explain(made).changes}
    promised = changes["one more aircraft at base"].revisit_s
    third = Vehicle(3, "third", fleet.vehicles[0].aircraft, fleet.vehicles[0].base)
    assert promised == pytest.approx(
        plan(border, replace(fleet, vehicles=(*fleet.vehicles, third))).revisit_s, rel=1e-6
    )
    assert promised < made.revisit_s
    intervals = [change.revisit_s for change in changes.values()]
    assert intervals == sorted(intervals)


def test_a_battery_more_is_offered_where_batteries_are_counted():
    border = straight(20_000)
    fleet = fleet_for(border, 2)
    base = replace(fleet.vehicles[0].base, batteries=2, charge_s=7200.0)
    poor = replace(fleet, vehicles=tuple(replace(v, base=base) for v in fleet.vehicles))
    made = plan(border, poor)
    changes = {change.what: change for change in explain(made).changes}
    assert changes["one more battery at base"].revisit_s < made.revisit_s
    assert "one more battery at base" not in {c.what for c in explain(plan(border, fleet)).changes}


def test_the_limits_are_those_of_the_plan():
    border = straight(30_000)
    made = plan(border, fleet_for(border, 2))
    text = " ".join(explain(made).limits)
    leanest = min(made.sorties, key=lambda s: s.reserve_left)
    assert leanest.name in text
    assert f"{made.revisit_bound_s / 60:.1f} min" in text
    assert all(reason in text for reason in made.observation.reasons)


def test_a_full_fleet_says_why_it_cannot_grow():
    border = straight(6000)
    fleet = default_fleet(beside(border, 1500), 250)
    changes = explain(plan(border, fleet)).changes
    refused = [change for change in changes if change.revisit_s is None]
    assert refused
    assert all("sysid" in change.reason for change in refused)
