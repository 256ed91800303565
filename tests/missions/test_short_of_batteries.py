"""A base with few batteries: who waits for them is named, and what more of them gives; bounds know of them."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missions import Base, Objective, PlanOptions, default_fleet, explain, plan
from missions.bound_shift import shift_bound
from missions.bound_stretches import Batteries, stretch_bound
from missions.bound_weighted import weighted_bound
from tests.missions.helpers import LAT, LON, M_LAT, beside, border_from_metres, fleet_for, straight
from tests.missions.test_bound import relaxation
from tests.missions.test_sharing import _course, _tables

STATIONS = 6


def two_bases(border, west_m, east_m, **poor):
    """One aircraft each behind two places of a line; the second base is short of something."""
    fleet = fleet_for(border, 2)
    west, east = (
        replace(beside(border_from_metres([(x, 0), (x + 10, 0)]), 800), name=name)
        for x, name in ((west_m, "west"), (east_m, "east"))
    )
    weak = replace(fleet.vehicles[0].aircraft, kind="weak", battery_wh=120.0)
    one, other = fleet.vehicles
    slow = replace(one, base=west, aircraft=replace(weak, kind="slow", turn_round_s=4000.0))
    return replace(fleet, vehicles=(slow, replace(other, base=replace(east, **poor), aircraft=weak)))


def longest_wait_s(made, vehicle):
    """The longest time between two take-offs for a sortie of a vehicle, or until the shift ends, seconds."""
    waits = []
    for number, sortie in enumerate(made.sorties):
        if sortie.vehicle.name == vehicle.name:
            starts = sorted(flight.start_s for flight in made.flights if flight.sortie == number)
            waits += [b - a for a, b in itertools.pairwise([*starts, made.options.shift_s])]
    return max(waits)


def test_who_waits_for_a_battery_limits_the_plan_and_not_who_takes_longest_in_the_air():
    """A round of the west takes longer, and nobody there waits; in the east there is one battery, and all do."""
    border = straight(12_000)
    made = plan(border, two_bases(border, 3000, 11_000, batteries=1, charge_s=14_400.0))
    west, east = made.fleet.vehicles
    rounds_s = {r.sysids: made.round_s(r) for period in made.periods for r in period.rosters}
    assert rounds_s[(west.sysid,)] > 10 * rounds_s[(east.sysid,)]
    assert longest_wait_s(made, east) > longest_wait_s(made, west)
    why = explain(made)
    assert "left alone longest is that of east" in why.limits[0]
    assert "wait for charged batteries (east)" in why.limits[1]
    (battery,) = [change for change in why.changes if change.what == "one more battery at east"]
    assert battery.revisit_s < 0.9 * made.revisit_s


def test_of_a_base_short_of_batteries_who_flies_nothing_is_told_so():
    """Two share one battery, and one of them stays on the ground; with one each both fly."""
    border = border_from_metres([(-4000, 0), (0, 0), (9000, 0)])
    hut = Base("base", LAT + 900 / M_LAT, LON)
    fleet = default_fleet(hut, 2)
    craft = replace(fleet.vehicles[0].aircraft, battery_wh=450.0, cruise_m_s=12.0)

    def having(count):
        base = replace(hut, batteries=count, charge_s=4300.0)
        return plan(
            border, replace(fleet, vehicles=tuple(replace(v, base=base, aircraft=craft) for v in fleet.vehicles))
        )

    made = having(1)
    flying = {flight.sysid for flight in made.flights}
    (idle,) = [vehicle.name for vehicle in made.fleet.vehicles if vehicle.sysid not in flying]
    (note,) = [note for note in made.notes if "nothing" in note]
    assert note.startswith(f"{idle} flies nothing: the others fly all that its team has; base 'base' has batteries 1")
    assert "charge_s 4300" in note
    # By hand: a battery is away for the flight and its charging, an aircraft for the flight and its turn-round.
    air_s = np.mean([sortie.duration_s for sortie in made.sorties])
    needed = math.ceil(2 * (air_s + 4300) / (air_s + craft.turn_round_s))
    assert f"it would take {needed}:" in note
    assert not any("nothing" in note for note in having(needed).notes)


def _listed(teams, demand):
    """Every sortie of some teams: team, first and last station, and seconds with its turn-round."""
    return [
        (t, i, j, table[way, i, j])
        for t, table in enumerate(map(_tables, teams))
        for way in (0, 1)
        for i, j in itertools.combinations(range(len(demand) + 1), 2)
        if np.isfinite(table[way, i, j])
    ]


def _soonest_s(times_s, batteries, aircraft, charge_s, turn_s):
    """The last landing of some sorties, in the best order, by so many batteries and aircraft, seconds."""
    best = np.inf
    for order in set(itertools.permutations(times_s)):
        charged, ready, last = [0.0] * batteries, [0.0] * aircraft, 0.0
        for air_s in order:
            start = max(min(charged), min(ready))
            last = max(last, start + air_s)
            charged[charged.index(min(charged))] = start + air_s + charge_s
            ready[ready.index(min(ready))] = start + air_s + turn_s
        best = min(best, last)
    return best


def _coverages(sorties, count):
    """Each way to see all pieces by stretches that follow each other: first and last station, and seconds."""
    ways = [[] for _ in range(count + 1)]
    ways[0] = [[]]
    for j in range(1, count + 1):
        ways[j] = [[*before, ((i, j), air)] for _, i, k, air in sorties if k == j for before in ways[i]]
    return ways[count]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    pool=st.integers(1, 3),
    charge_s=st.sampled_from([20.0, 80.0, 300.0]),
    usable=st.sampled_from([60.0, 90.0]),
)
def test_the_bound_of_a_single_coverage_counts_batteries_and_no_coverage_comes_below_it(seed, pool, charge_s, usable):
    """Beside every coverage of a short line in every order, by one team."""
    (team,) = _course(seed, STATIONS, 1, usable_wh=usable)
    demand = np.ones(STATIONS - 1, dtype=bool)
    sorties = _listed([team], demand)
    best = min(
        (
            _soonest_s([s - team.turn_round_s for _, s in way], pool, team.size, charge_s, team.turn_round_s)
            for way in _coverages(sorties, STATIONS - 1)
            if len(way) <= 4
        ),
        default=np.inf,
    )
    counted = stretch_bound([team], demand, batteries=[Batteries((0,), pool, charge_s)], once=True)
    assert counted <= best * (1 + 1e-9)
    assert counted >= stretch_bound([team], demand, once=True) - 1e-9


def test_one_battery_and_a_long_charge_make_the_bound_of_a_single_coverage():
    """Three sorties from one battery take two charges besides, and the bound says so."""
    border = straight(11_700)
    fleet = fleet_for(border, 3)
    weak = replace(fleet.vehicles[0].aircraft, battery_wh=150.0)
    base = replace(fleet.vehicles[0].base, batteries=1, charge_s=7200.0)
    poor = replace(fleet, vehicles=tuple(replace(v, base=base, aircraft=weak) for v in fleet.vehicles))
    made = plan(border, poor, options=PlanOptions(objective=Objective.ONCE))
    assert made.revisit_bound_s > (len(made.sorties) - 1) * 7200.0
    assert made.gap < 0.1
    assert "with these batteries" in made.bound.claim


@pytest.mark.parametrize("seed", [3, 6, 15, 34])
def test_by_risk_a_long_charge_is_no_reason_to_say_that_there_is_no_bound(seed):
    """Beside all sorties listed: of programmes with figures so far apart HiGHS has said that none has a solution."""
    teams = _course(seed, 14, 2, usable_wh=90.0)
    weight = np.random.default_rng(seed).choice([1.0, 4.4478, 2.57], 13)
    batteries = [Batteries((0, 1), 1, 14_400.0)]
    exact = relaxation(teams, weight, batteries)
    found = weighted_bound(teams, weight, batteries=batteries)
    assert found == exact or exact * 0.99 < found <= exact * (1 + 1e-6)


def _figure_s(flights, covers, count, shift_s):
    """The longest time for which a piece is left alone: take-off of its first look, between looks, to the end."""
    longest = 0.0
    for piece in range(count):
        own = sorted(
            (start, start + air / 2) for (start, air), (i, j) in zip(flights, covers, strict=True) if i <= piece < j
        )
        looks = [own[0][1], *(look for _, look in own[1:]), max(shift_s, own[-1][1])]
        longest = max(longest, own[0][0], *np.diff(sorted(looks)))
    return longest


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    pool=st.integers(1, 4),
    charge_s=st.sampled_from([20.0, 300.0, 2000.0]),
    rounds=st.integers(1, 4),
    shift_s=st.sampled_from([200.0, 1000.0, 5000.0]),
    pause_s=st.sampled_from([0.0, 50.0, 400.0]),
)
def test_no_schedule_of_a_shift_comes_below_the_bound_of_one_shift(seed, pool, charge_s, rounds, shift_s, pause_s):
    """Beside schedules of any coverage, in which everybody takes off as soon as may be, or after a pause."""
    (team,) = _course(seed, STATIONS, 1, usable_wh=90.0)
    demand = np.ones(STATIONS - 1, dtype=bool)
    sorties = _listed([team], demand)
    bound_s = shift_bound(
        [team],
        demand,
        shift_s=shift_s,
        longest_s=max(air for *_, air in sorties),
        batteries=[Batteries((0,), pool, charge_s)],
    )
    rng = np.random.default_rng(seed)
    for way in _coverages(sorties, STATIONS - 1)[:40]:
        charged, ready = [0.0] * pool, [0.0] * team.size
        flights: list[tuple[float, float]] = []
        order = [k for _ in range(rounds) for k in rng.permutation(len(way)).tolist()]
        covers = [way[k][0] for k in order]
        for number, k in enumerate(order):
            whole_s = way[k][1]
            start = max(min(charged), min(ready)) + pause_s
            if number >= len(way) and start > shift_s:
                break
            charged[charged.index(min(charged))] = start + whole_s - team.turn_round_s + charge_s
            ready[ready.index(min(ready))] = start + whole_s
            flights.append((start, whole_s - team.turn_round_s))
        assert bound_s <= _figure_s(flights, covers[: len(flights)], STATIONS - 1, shift_s) * (1 + 1e-9)


@pytest.mark.parametrize(("pool", "most"), [(1, 0.01), (2, 0.01), (4, 0.1)])
def test_what_a_shift_holds_bounds_it_where_it_begins_with_all_batteries_charged(pool, most):
    """The long run is no bound of it, and without batteries it was 40 times too low."""
    border = straight(11_700)
    fleet = fleet_for(border, 3)
    weak = replace(fleet.vehicles[0].aircraft, battery_wh=150.0)
    base = replace(fleet.vehicles[0].base, batteries=pool, charge_s=14_400.0)
    poor = replace(fleet, vehicles=tuple(replace(v, base=base, aircraft=weak) for v in fleet.vehicles))
    made = plan(border, poor, options=PlanOptions(shift_s=14_400.0))
    assert made.bound.name == "one shift"
    assert "in a shift of 4 h with these batteries" in made.bound.claim
    assert 0 <= made.gap < most
