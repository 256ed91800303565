"""Why a plan is as it is: limits that are true of it, and changes that are worth what they say."""

import re
from dataclasses import replace

import numpy as np
import pytest

from missions import (
    LegKind,
    Objective,
    PlanOptions,
    Risk,
    RiskTable,
    Vehicle,
    climbing,
    default_fleet,
    explain,
    plan,
)
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, beside, border_from_metres, fleet_for, straight
from tests.missions.test_climbing import ramp
from tests.missions.test_steep_ground import LOOSE, winged


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


def test_one_more_aircraft_is_tried_at_the_bases_beside_the_one_that_limits_the_plan():
    """Next door it may give much where at the base itself it gives nothing."""
    border = straight(10_000)
    kind = fleet_for(border).vehicles[0]
    bases = [
        replace(beside(border_from_metres([(x, 0), (x + 10, 0)]), 1500), name=name)
        for x, name in ((1000, "west"), (4000, "middle"), (6000, "east"), (9000, "far"))
    ]
    owners = [bases[0], bases[1], bases[1], bases[2], bases[3]]
    vehicles = tuple(replace(kind, sysid=n, name=f"v{n}", base=base) for n, base in enumerate(owners, 1))
    fleet, options = replace(fleet_for(border), vehicles=vehicles), PlanOptions(objective=Objective.ONCE)
    why = explain(plan(border, fleet, options=options))
    limiting = [base.name for base in bases].index(re.search(r"the last to land is v\d of (\w+)", why.limits[0])[1])
    said = {c.what: c.revisit_s for c in why.changes if c.what.startswith("one more aircraft at")}
    tried = bases[max(limiting - 1, 0) : limiting + 2]
    assert said.keys() == {f"one more aircraft at {base.name}" for base in tried}
    base = tried[0]
    more = replace(fleet, vehicles=(*vehicles, replace(kind, sysid=9, name="v9", base=base)))
    given = plan(border, more, options=options).figure_s
    assert said[f"one more aircraft at {base.name}"] == pytest.approx(given, rel=1e-6)


def test_one_more_base_behind_the_middle_gives_what_a_new_plan_from_there_gives():
    """Two aircraft at the west end of a line, and a third at its middle."""
    border = straight(24_000)
    west = beside(border_from_metres([(3000, 0), (3010, 0)]), 1500)
    fleet = default_fleet(replace(west, name="west"), 2)
    made = plan(border, fleet)
    middle = (min(s.from_m for s in made.sorties) + max(s.to_m for s in made.sorties)) / 2
    there = replace(beside(border_from_metres([(middle - 5, 0), (middle + 5, 0)]), 1500), name="new")
    third = Vehicle(3, "third", fleet.vehicles[0].aircraft, there)
    given = plan(border, replace(fleet, vehicles=(*fleet.vehicles, third)))
    (change,) = (c for c in explain(made).changes if c.what.startswith("one more base"))
    assert change.what == "one more base, behind the middle of the stretch of west, with one aircraft"
    assert change.revisit_s == pytest.approx(given.revisit_s, rel=0.01)
    assert change.coverage == pytest.approx(given.coverage.share, abs=0.01)
    assert change.revisit_s < made.revisit_s


def test_the_far_kilometres_that_cost_most_are_told_and_a_base_behind_them_is_tried():
    """Two aircraft at the west end of a line at whose east end little is left to watch with: from the legs alone."""
    border = straight(26_500)
    fleet = default_fleet(replace(beside(border_from_metres([(0, 0), (10, 0)]), 1500), name="west"), 2)
    made = plan(border, fleet)
    why = explain(made)
    (told,) = (limit for limit in why.limits if "costliest" in limit)
    said_km, whole_km, percent, ways_km = map(float, re.findall(r"\d+\.?\d*(?= of these| km take|% of| km a)", told))
    dear = [sortie for sortie in made.sorties if sortie.name in told]
    watched_m, air_s, out_m = (
        [sum(one(leg) for leg in sortie.legs) for sortie in made.sorties]
        for one in (
            lambda leg: leg.distance_m * (leg.kind is LegKind.PATROL),
            lambda leg: leg.duration_s,
            lambda leg: leg.distance_m * (leg.kind is not LegKind.PATROL),
        )
    )
    own = [sortie in dear for sortie in made.sorties]
    assert said_km == pytest.approx(np.dot(own, watched_m) / 1000, abs=0.06)
    assert whole_km == pytest.approx(sum(watched_m) / 1000, abs=0.06)
    assert percent == pytest.approx(100 * np.dot(own, air_s) / sum(air_s), abs=0.6)
    assert ways_km == pytest.approx(np.dot(own, out_m) / sum(own) / 1000, abs=0.06)
    assert percent >= 50
    assert said_km < 0.3 * whole_km
    assert min(sortie.from_m for sortie in dear) == max(s.to_m for s in made.sorties if s not in dear)
    (change,) = (c for c in why.changes if c.what.startswith("one more base"))
    assert change.what == "one more base, behind the costliest part of the stretch of west, with one aircraft"
    farthest = max(dear, key=lambda sortie: sortie.from_m)
    middle = (farthest.from_m + farthest.to_m) / 2
    there = replace(beside(border_from_metres([(middle - 5, 0), (middle + 5, 0)]), 1500), name="new")
    third = Vehicle(3, "third", fleet.vehicles[0].aircraft, there)
    given = plan(border, replace(fleet, vehicles=(*fleet.vehicles, third)))
    assert change.revisit_s == pytest.approx(given.revisit_s, rel=0.01)
    near = plan(border, default_fleet(beside(border, 1500), 2))
    assert not any("costliest" in text for text in (*explain(near).limits, *(c.what for c in explain(near).changes)))


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


def test_of_a_single_coverage_who_lands_last_limits_it():
    border = straight(16_000)
    made = plan(border, fleet_for(border, 3), options=PlanOptions(objective=Objective.ONCE))
    last = max(made.flights, key=lambda flight: flight.start_s + made.sorties[flight.sortie].duration_s)
    ends = last.start_s + made.sorties[last.sortie].duration_s
    text = " ".join(explain(made).limits)
    assert f"the last to land is vehicle-{last.sysid} of base, {ends / 60:.1f} min after the start" in text
    assert "looked at every" not in text
    assert "one round" not in text
    assert ends == pytest.approx(made.figure_s)


def test_by_risk_the_place_that_is_most_at_risk_limits_it_and_not_the_slowest_stretch():
    """The cold eight tenths of the line have the longest round by far."""
    border = straight(30_000)
    risk = RiskTable((Risk(0, 3000, 20.0),))
    made = plan(border, fleet_for(border, 4), options=PlanOptions(objective=Objective.RISK), risk=risk)
    text = " ".join(explain(made).limits)
    lat, lon = map(float, re.search(r"most at risk is ([0-9.]+), ([0-9.]+)", text).groups())
    east = (lon - LON) * M_LON
    looks = _looks_from(made, east)
    weight = 20.0 if east < 3000 else 1.0
    assert f"of a weight of up to {weight:g}: {made.figure_s / 60:.1f} min times risk" in text
    assert np.diff([*looks[looks < made.options.shift_s], made.options.shift_s]).max() * weight == pytest.approx(
        made.figure_s, rel=0.02
    )
    assert abs(lat - LAT) * M_LAT < 100


def _looks_from(made, east):
    """When a place is passed, by the legs of every flight: the line runs from west to east."""
    out = []
    for flight in made.flights:
        clock = flight.start_s
        for leg in made.sorties[flight.sortie].legs:
            a, b = ((end.lon_deg - LON) * M_LON for end in (leg.start, leg.end))
            if leg.kind is LegKind.PATROL and min(a, b) <= east <= max(a, b):
                out.append(clock + leg.duration_s * (east - a) / (b - a))
            clock += leg.duration_s
    return np.sort(out)


def test_a_full_fleet_says_why_it_cannot_grow():
    border = straight(6000)
    fleet = default_fleet(beside(border, 1500), 250)
    changes = explain(plan(border, fleet)).changes
    refused = [change for change in changes if change.revisit_s is None]
    assert refused
    assert all("sysid" in change.reason for change in refused)


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        (Objective.REVISIT, "aircraft of different types relieve each other, at the pace of whoever needs longest"),
        (Objective.ONCE, "only aircraft of one type and camera relieve each other"),
    ],
)
def test_it_is_told_whether_aircraft_of_different_types_relieve_each_other_and_what_one_type_would_give(
    objective, words
):
    border, options = straight(10_000), PlanOptions(objective=objective)
    alike = fleet_for(border, 2)
    first, second = alike.vehicles
    slow = replace(second, aircraft=replace(second.aircraft, kind="slow", cruise_m_s=12.0))
    made = plan(border, replace(alike, vehicles=(first, slow)), options=options)
    why = explain(made)
    (told,) = (limit for limit in why.limits if "relieve each other" in limit)
    assert all(word in told for word in (words, first.aircraft.kind, "slow, "))
    both_slow = replace(alike, vehicles=(replace(first, aircraft=slow.aircraft), slow))
    (change,) = (c for c in why.changes if c.what.startswith(f"all aircraft at base like {slow.name} (slow, "))
    assert change.revisit_s == pytest.approx(plan(border, both_slow, options=options).figure_s, rel=1e-6)
    assert sum(c.what.startswith("all aircraft at") for c in why.changes) == 2


def test_of_aircraft_of_one_type_nothing_is_told_of_types():
    border = straight(10_000)
    text = str(explain(plan(border, fleet_for(border, 2))))
    assert "relieve each other" not in text
    assert "all aircraft at" not in text


def test_no_way_of_wings_is_looked_for_twice(monkeypatch):
    """Over steep ground that takes most of the time of a plan, and what a change leaves as it is stays as it is."""
    border, terrain = straight(3000.0), ramp(0.3, 80.0)
    made = plan(border, winged("vtol", border), terrain, LOOSE)
    asked = []

    def flown_over(way, circles, *, whole=False):
        if whole:
            asked.append((circles.aircraft.form, way.steps.tobytes(), way.ground_m.tobytes(), way.low_m.tobytes()))
        return climbing.flown_over(way, circles, whole=whole)

    monkeypatch.setattr("missions.way_rises.flown_over", flown_over)
    changes = {change.what: change for change in explain(made, terrain).changes}
    assert len(changes) >= 4
    assert len(set(asked)) == len(asked) > 0
    old = made.fleet.vehicles[0].aircraft
    craft = replace(old, turn_round_s=old.turn_round_s / 2)
    fleet = replace(made.fleet, vehicles=tuple(replace(v, aircraft=craft) for v in made.fleet.vehicles))
    assert changes["turn-round in half the time"].revisit_s == plan(border, fleet, terrain, LOOSE).revisit_s
