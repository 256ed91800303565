"""Batteries that are fewer than the aircraft use: take-offs at the pace of the chargers, and a figure that says so."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missions import Airspace, Base, PlanOptions, Risk, RiskTable, check, default_fleet, explain, plan
from missions.dividing import divided
from missions.setting import Setting
from missions.task import Task
from tests.asked import asked
from tests.missions.helpers import beside, fleet_for, straight


def _with_batteries(fleet, count, charge_s):
    base = replace(fleet.vehicles[0].base, batteries=count, charge_s=charge_s)
    return replace(fleet, vehicles=tuple(replace(v, base=base) for v in fleet.vehicles))


def _unwatched_s(made):
    """The longest time from a look at the middle of a stretch to the next, or to the end of the shift."""
    looks = {}
    for flight in made.flights:
        sortie = made.sorties[flight.sortie]
        clock = np.cumsum([flight.start_s, *(leg.duration_s for leg in sortie.legs)])
        seen = [k for k, leg in enumerate(sortie.legs) if leg.look is not None]
        middle_s = (clock[seen[0]] + clock[seen[-1] + 1]) / 2
        # Those who relieve each other have sorties of their own over one stretch.
        looks.setdefault((round(sortie.from_m), round(sortie.to_m)), []).append(middle_s)
    ends = [sorted([*times, max(*times, made.options.shift_s)]) for times in looks.values()]
    return max(float(np.diff(times).max()) for times in ends)


def _never_too_many(made, count, charge_s):
    out = sorted((f.start_s, f.start_s + made.sorties[f.sortie].duration_s + charge_s) for f in made.flights)
    return all(sum(a <= begin < b - 1e-6 for a, b in out) <= count for begin, _ in out)


@settings(max_examples=asked(12), deadline=None)
@given(
    count=st.integers(1, 8),
    charge_s=st.sampled_from([0.0, 1800.0, 5400.0, 36_000.0]),
    drones=st.integers(1, 4),
    length_m=st.sampled_from([8000, 24_000]),
    shift_s=st.sampled_from([7200.0, 28_800.0]),
)
def test_the_revisit_interval_holds_to_the_end_of_the_shift(count, charge_s, drones, length_m, shift_s):
    border = straight(length_m)
    fleet = _with_batteries(fleet_for(border, drones), count, charge_s)
    made = plan(border, fleet, options=PlanOptions(shift_s=shift_s))
    assert check(made) == []
    assert _never_too_many(made, count, charge_s)
    assert _unwatched_s(made) <= made.revisit_s + 60
    assert made.revisit_bound_s <= made.revisit_s


def test_one_that_flies_once_and_waits_for_its_battery_is_told_of():
    border = straight(4000)
    made = plan(border, _with_batteries(fleet_for(border, 1), 1, 36_000.0))
    assert made.revisit_s > 20_000
    text = " ".join(explain(made).limits)
    assert f"left alone for up to {made.revisit_s / 60:.1f} min: take-offs wait for charged batteries (base)" in text


@pytest.mark.parametrize(("count", "charge_s"), [(2, 36_000.0), (4, 7200.0), (6, 5400.0)])
def test_take_offs_keep_the_pace_of_the_chargers(count, charge_s):
    """As soon as may be all batteries were used up, and nobody flew until the first was charged again."""
    border = straight(10_000)
    made = plan(border, _with_batteries(fleet_for(border, 2), count, charge_s))
    assert made.gap < 0.01
    waits = np.diff([flight.start_s for flight in made.flights])
    assert np.ptp(waits) < 0.01 * waits.mean() + 60
    text = " ".join(explain(made).limits)
    assert f"left alone for up to {made.revisit_s / 60:.1f} min: take-offs wait for charged batteries (base)" in text


@pytest.mark.parametrize("drones", [2, 5])
@pytest.mark.parametrize("charge_s", [1800.0, 3600.0])
def test_nobody_flies_anew_with_the_only_battery_before_all_were_looked_at_once(drones, charge_s):
    """By looks alone who flew twice was praised for it, and the other half was looked at after the shift."""
    border = straight(24_000)
    made = plan(border, _with_batteries(fleet_for(border, drones), 1, charge_s), options=PlanOptions(shift_s=7200.0))
    begun = {}
    for flight in made.flights:
        begun.setdefault(flight.sortie, flight.start_s)
    assert len(begun) == len(made.sorties) == 2
    assert [flight.sortie for flight in made.flights[:2]] == list(begun)
    assert max(begun.values()) <= min(made.revisit_s, made.options.shift_s)
    assert check(made) == []


def test_who_comes_round_quickly_leaves_batteries_to_the_slow_ones_of_the_base():
    """As soon as may be the slow one waited for those of the quick one: 22 % longer than its own round."""
    border = straight(32_000)
    fleet = _beside_two(border, (5, 6), 3600.0, (2, 1))
    first, second, third = fleet.vehicles
    small = replace(second.aircraft, kind="small", battery_wh=310.0, cruise_m_s=12.0)
    made = plan(border, replace(fleet, vehicles=(first, replace(second, aircraft=small), third)))
    rosters = [roster for roster in made.periods[0].rosters if roster.sorties]
    assert made.revisit_s <= 1.01 * max(made.round_s(roster) for roster in rosters)
    assert _never_too_many(_of(made, "a"), 5, 3600.0)
    assert check(made) == []


def _beside_two(border, counts, charge_s, aircraft):
    """So many aircraft at each of two bases behind a border from west to east."""
    (west, _), (east, _) = border.coordinates[0], border.coordinates[-1]
    middle = beside(border, 1500.0)
    bases = [
        Base(name, middle.lat_deg, west + share * (east - west), batteries=count, charge_s=charge_s)
        for name, share, count in zip("ab", (0.25, 0.75), counts, strict=True)
    ]
    fleet = default_fleet(bases[0], sum(aircraft))
    own = [base for base, size in zip(bases, aircraft, strict=True) for _ in range(size)]
    return replace(fleet, vehicles=tuple(replace(v, base=b) for v, b in zip(fleet.vehicles, own, strict=True)))


def _of(made, name):
    """The flights from a base alone."""
    bases = {vehicle.sysid: vehicle.base.name for vehicle in made.fleet.vehicles}
    return SimpleNamespace(sorties=made.sorties, flights=[f for f in made.flights if bases[f.sysid] == name])


@settings(max_examples=6, deadline=None)
@given(
    counts=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    charge_s=st.sampled_from([0.0, 3600.0, 14_400.0]),
    aircraft=st.tuples(st.integers(1, 3), st.integers(1, 3)),
)
def test_each_base_uses_the_batteries_that_it_has(counts, charge_s, aircraft):
    border = straight(24_000)
    made = plan(border, _beside_two(border, counts, charge_s, aircraft))
    assert check(made) == []
    assert made.coverage.share > 0.99
    for name, count in zip("ab", counts, strict=True):
        assert _never_too_many(_of(made, name), count, charge_s)
    assert _unwatched_s(made) <= made.revisit_s + 60
    assert made.revisit_bound_s <= made.revisit_s


@pytest.mark.parametrize(("counts", "charge_s", "most"), [((2, 8), 7200.0, 0.05), ((1, 6), 14_400.0, 0.05)])
def test_who_has_more_batteries_watches_more(counts, charge_s, most):
    """Shared by aircraft alone, the longest revisit was 71 % and 98 % above what no plan is below."""
    border = straight(48_000)
    made = plan(border, _beside_two(border, counts, charge_s, (2, 2)))
    assert made.gap < most
    watched = [sum(s.to_m - s.from_m for s in made.sorties if s.vehicle.base.name == name) for name in "ab"]
    assert watched[1] > 1.5 * watched[0]


def test_batteries_of_a_base_are_for_those_of_it_who_fly():
    """Until it was so, one that flew nothing kept its part of them, and a fleet was better off without it."""
    west, east = (replace(beside(straight(x), 900.0), name=f"at {x}", batteries=2, charge_s=5400.0) for x in (5e3, 2e4))
    fleet = fleet_for(straight(12_000), 3)
    one, two, three = fleet.vehicles
    craft = one.aircraft
    poor = replace(three, base=west, aircraft=replace(craft, battery_wh=150.0, cruise_m_s=12.0))
    two = replace(two, base=east)
    alone, both = (
        plan(straight(12_000), replace(fleet, vehicles=vehicles))
        for vehicles in ((replace(one, base=west), two), (replace(one, base=west), two, poor))
    )
    assert check(both) == []
    assert both.revisit_s <= alone.revisit_s * 1.001


@pytest.mark.parametrize("batteries", [6, 9])
def test_by_risk_too_they_are_for_those_who_fly(batteries):
    """Dividing aircraft by risk was tried with the part that one who flew nothing would have had."""
    border = straight(27_000)
    west = replace(beside(straight(27e3), 900.0), name="west", batteries=batteries, charge_s=2400.0)
    strong = [replace(vehicle, base=west) for vehicle in fleet_for(border, 5).vehicles]
    craft = replace(strong[0].aircraft, battery_wh=60.0, cruise_m_s=12.0)
    poor = [replace(vehicle, aircraft=craft) for vehicle in strong[3:]]
    options, risk = PlanOptions(objective="risk", shift_s=40_000.0), RiskTable((Risk(0, 6000, 9.0),))

    def longest_s(vehicles):
        fleet = replace(fleet_for(border), vehicles=tuple(vehicles))
        setting = Setting(Task.of(border), fleet, None, options, airspace=Airspace(), risk=risk)
        teams = [setting.team(crew, 1.0, setting.terrain) for crew in setting.crews]
        shared = divided(setting, teams, setting.weights(0.0))
        assert {shared.parts[block.team][0] for block in shared.blocks} == {0}
        return max(shared.rounds)

    assert longest_s([*strong[:3], *poor]) <= longest_s(strong[:3]) * 1.001
