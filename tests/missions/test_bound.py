"""Lower bounds: beside the relaxation solved whole by HiGHS, beside plans, and what they say of themselves."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from geo import FlatTerrain
from missions import Fleet, Flight, Objective, PlanOptions, Wind, default_fleet, plan, share_out
from missions.bound import dearest
from missions.bound_sorties import Crew, sortie_bound
from missions.bound_stretches import Batteries, stretch_bound
from missions.bound_weighted import weighted_bound
from missions.revisit import left_alone_s
from missions.risk import Risk, RiskTable
from tests.asked import asked, few
from tests.missions.helpers import beside, border_from_metres, fleet_for, straight
from tests.missions.test_climbing import ROOMY, ramp
from tests.missions.test_sharing import _course, _tables, _value
from tests.missions.test_steep_ground import winged
from tests.thin_air import thin

STATIONS = 14


def relaxation(teams, demand, batteries=(), *, passable=None, once=False):
    """The least interval within which fractions of sorties look at everything as often as asked, all sorties listed."""
    sorties = [
        (t, i, j, table[way, i, j])
        for t, table in enumerate(map(_tables, teams))
        for way in (0, 1)
        for i, j in itertools.combinations(range(STATIONS), 2)
        if np.isfinite(table[way, i, j]) and (passable is None or passable[i:j].all())
    ]
    rows, right = [], []
    for piece in np.flatnonzero(demand):
        rows.append([-1.0 if i <= piece < j else 0.0 for _, i, j, _ in sorties] + [0.0])
        right.append(-float(demand[piece]))
    for number, team in enumerate(teams):
        rows.append([time if t == number else 0.0 for t, _, _, time in sorties] + [-float(team.size)])
        right.append(team.size * team.turn_round_s if once else 0.0)
    for pool in batteries:
        held = [time - teams[t].turn_round_s + pool.charge_s if t in pool.teams else 0.0 for t, _, _, time in sorties]
        rows.append([*held, -float(pool.count)])
        right.append(0.0)
    solved = linprog(np.append(np.zeros(len(sorties)), 1.0), A_ub=np.array(rows), b_ub=right, method="highs")
    return solved.fun if solved.status == 0 else np.inf


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000), count=st.integers(1, 3), wind=st.sampled_from([0.0, 0.01]),
    usable=st.sampled_from([np.inf, 90.0]), left_out=st.integers(0, 4), pool=st.integers(0, 4),
)  # fmt: skip
def test_the_bound_over_stretches_is_the_optimum_of_the_relaxation(seed, count, wind, usable, left_out, pool):
    teams = _course(seed, STATIONS, count, wind=wind, usable_wh=usable)
    demand = np.ones(STATIONS - 1, dtype=bool)
    demand[np.random.default_rng(seed).permutation(STATIONS - 1)[:left_out]] = False
    batteries = [Batteries(tuple(range(count)), pool, 30.0)] if pool else []
    exact = relaxation(teams, demand, batteries)
    found = stretch_bound(teams, demand, batteries=batteries)
    assert found <= exact * (1 + 1e-9)
    assert found >= exact * 0.99 or exact == np.inf


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000), count=st.integers(1, 3), wind=st.sampled_from([0.0, 0.01]),
    usable=st.sampled_from([np.inf, 90.0]), weights=st.integers(1, 5), pool=st.integers(0, 4), wall=st.booleans(),
)  # fmt: skip
def test_by_risk_it_is_so_too_however_often_each_piece_is_looked_at(seed, count, wind, usable, weights, pool, wall):
    """Beside all stretches listed, where the programme has how many have begun and ended by each station."""
    teams = _course(seed, STATIONS, count, wind=wind, usable_wh=usable)
    rng = np.random.default_rng(seed)
    weight = rng.choice(np.append(0.0, rng.uniform(0.1, 10.0, weights)), STATIONS - 1)
    assume(weight.any())
    passable = np.arange(STATIONS - 1) != (STATIONS // 2 if wall else -1)
    weight[~passable] = 0.0
    batteries = [Batteries(tuple(range(count)), pool, 30.0)] if pool else []
    exact = relaxation(teams, weight, batteries, passable=passable)
    found = weighted_bound(teams, weight, passable=passable, batteries=batteries)
    assert found == pytest.approx(exact, rel=1e-6)
    # What weighs the same everywhere is the bound without risk.
    even = weighted_bound(teams, np.where(weight > 0, 2.0, 0.0), passable=passable, batteries=batteries)
    assert even == pytest.approx(2 * stretch_bound(teams, weight > 0, passable=passable, batteries=batteries), rel=0.01)


@settings(max_examples=asked(30), deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 3))
def test_so_it_is_for_the_last_landing_of_a_single_coverage(seed, count):
    teams = _course(seed, STATIONS, count)
    demand = np.ones(STATIONS - 1, dtype=bool)
    exact = relaxation(teams, demand, once=True)
    found = stretch_bound(teams, demand, once=True)
    made = _value(teams, share_out(teams, objective="once"), "once")
    assert exact * 0.99 <= found <= made * (1 + 1e-9)


FEW = 6


def _optimum_s(teams):
    """The earliest last landing of all: every way to cut a line into sorties, and to give these to the aircraft."""
    crew = [k for k, team in enumerate(teams) for _ in range(team.size)]
    turn_s = [teams[k].turn_round_s for k in crew]
    tables = [_tables(team).min(axis=0) for team in teams]
    # A sortie may fly over more than is asked of it.
    spans = list(itertools.combinations(range(FEW), 2))
    times = [{(i, j): table[: i + 1, j:].min() for i, j in spans} for table in tables]
    best = math.inf

    def give(parts, loads):
        nonlocal best
        if not parts:
            best = min(best, max(load - turn for load, turn in zip(loads, turn_s, strict=True) if load))
            return
        # Of equal aircraft that have flown the same any may go.
        for one in {(crew[k], loads[k]): k for k in range(len(crew))}.values():
            load = loads[one] + times[crew[one]][parts[0]]
            if load - turn_s[one] < best:
                give(parts[1:], (*loads[:one], load, *loads[one + 1 :]))

    for count in range(FEW - 1):
        for cuts in itertools.combinations(range(1, FEW - 1), count):
            give(list(itertools.pairwise([0, *cuts, FEW - 1])), (0.0,) * len(crew))
    return best


def _little(seed):
    return _course(seed, FEW, 1 + seed % 3, usable_wh=(np.inf, 90.0, 70.0)[seed // 3 % 3], sizes=(1, 2))


@settings(max_examples=few(60), deadline=None)
@given(seed=st.integers(0, 10**6), wall=st.integers(-1, FEW - 2))
def test_of_a_single_coverage_no_whole_sorties_by_whole_aircraft_are_below_the_bound(seed, wall):
    """Beside every way to fly it; what need not be seen only makes that easier."""
    teams = _little(seed)
    best = _optimum_s(teams)
    demand = np.arange(FEW - 1) != wall
    assert stretch_bound(teams, demand, once=True) <= best * (1 + 1e-9)


def test_of_a_single_coverage_the_bound_is_near_the_optimum():
    """By the relaxation alone it was 6 % below it on the mean, and 27 % at worst."""
    share = []
    for seed in range(24):
        teams = _little(seed)
        best = _optimum_s(teams)
        if np.isfinite(best):
            share.append(stretch_bound(teams, np.ones(FEW - 1, dtype=bool), once=True) / best)
    assert len(share) > 15
    assert np.mean(share) > 0.99
    assert max(share) <= 1 + 1e-9


@settings(max_examples=asked(30), deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 3))
def test_no_sharing_out_is_better_than_the_bound(seed, count):
    teams = _course(seed, STATIONS, count)
    made = _value(teams, share_out(teams))
    found = stretch_bound(teams, np.ones(STATIONS - 1, dtype=bool))
    assert found <= made * (1 + 1e-9)
    if count == 1:
        # One team has nothing to share: the planner's own programme is the optimum.
        assert found == pytest.approx(made, rel=1e-6)


PIECES = 6


def _all_sorties(craft, patrol_m_s, height_m, ends, base, thinner):
    """Every set of pieces of a straight line that one sortie over level ground can see in calm air, and its time."""
    climb_s, down_s = height_m / craft.climb_m_s, height_m / craft.descent_m_s
    hover_wh = (climb_s + down_s) * thinner * craft.hover_power_w / 3600
    fixed_wh = hover_wh + climb_s * (craft.climb_power_w - craft.hover_power_w) / 3600

    def power_w(speed_m_s):
        return max(float(craft.power_w(speed_m_s)), thinner * float(craft.power_w(speed_m_s / thinner)))

    for seen in itertools.product((False, True), repeat=PIECES):
        own = [piece for piece, is_seen in zip(ends, seen, strict=True) if is_seen]
        if not own:
            continue
        patrol_m = sum(b - a for a, b in own)
        ways_m = math.dist((own[0][0], 0), base) + math.dist((own[-1][1], 0), base) + own[-1][1] - own[0][0] - patrol_m
        transit_s, patrol_s = ways_m / craft.cruise_m_s, patrol_m / patrol_m_s
        air_wh = (transit_s * power_w(craft.cruise_m_s) + patrol_s * power_w(patrol_m_s)) / 3600
        if air_wh + fixed_wh <= craft.usable_wh:
            yield seen, transit_s + patrol_s + climb_s + down_s + craft.turn_round_s


@settings(max_examples=few(60), deadline=None)
@given(
    seed=st.integers(0, 10_000), sizes=st.lists(st.integers(1, 3), min_size=1, max_size=2), amsl_m=st.floats(0, 4000)
)  # fmt: skip
def test_by_risk_no_mix_of_all_sorties_there_are_is_below_the_bound(seed, sizes, amsl_m):
    """What weighs twice as much is looked at twice as often: the least figure by HiGHS, sorties in fractions."""
    rng = np.random.default_rng(seed)
    length = rng.uniform(200, 6000, PIECES)
    at = np.append(0.0, np.cumsum(length))
    ends = list(itertools.pairwise(at.tolist()))
    weight = rng.choice([0.3, 1.0, 2.0, 9.0], PIECES)
    craft = fleet_for(straight(1000), 1).vehicles[0].aircraft
    patrol_m_s, height_m = float(rng.uniform(8, 15)), float(rng.uniform(30, 120))
    crews, columns = [], []
    for number, size in enumerate(sizes):
        base = float(rng.uniform(0, at[-1])), -float(rng.uniform(500, 6000))
        middle = (at[1:] + at[:-1]) / 2
        crews.append(Crew(craft, size, np.hypot(middle - base[0], base[1]), patrol_m_s, height_m, thin(amsl_m)))
        columns += [(number, *sortie) for sortie in _all_sorties(craft, patrol_m_s, height_m, ends, base, thin(amsl_m))]
    rows = [[-float(seen[piece]) for _, seen, _ in columns] + [0.0] for piece in range(PIECES)]
    rows += [[time * (own == k) for own, _, time in columns] + [-float(size)] for k, size in enumerate(sizes)]
    least = linprog(
        np.append(np.zeros(len(columns)), 1.0), A_ub=rows, b_ub=[*-weight, *[0.0] * len(sizes)], method="highs"
    )
    # Where a piece is out of everybody's reach there is no plan at all.
    assume(least.status == 0)
    bound = sortie_bound(crews, length, weight=weight)
    assert bound <= least.fun * (1 + 1e-9)
    # Risk that is twice as great is twice as dear, and no piece of the line is for nothing.
    assert bound >= float(weight @ length) / patrol_m_s / sum(sizes)
    assert sortie_bound(crews, length, weight=2 * weight) == pytest.approx(2 * bound, rel=5e-3)


def test_prices_are_sought_until_the_bound_is_that_of_the_linear_programme():
    rng = np.random.default_rng(4)
    cost = rng.uniform(1, 10, (6, 40))
    capacity = rng.integers(1, 5, 6).astype(float)

    def respond(price):
        cheapest = np.argmin(price[:, None] * cost, axis=0)
        return np.bincount(cheapest, weights=cost[cheapest, np.arange(40)], minlength=6)

    # Assign 40 tasks in fractions: sum over tasks at each resource at most capacity times z.
    rows = [[cost[r, t] if r == k else 0.0 for r in range(6) for t in range(40)] + [-capacity[k]] for k in range(6)]
    once = [[1.0 if t == k else 0.0 for _ in range(6) for t in range(40)] + [0.0] for k in range(40)]
    exact = linprog(np.append(np.zeros(240), 1.0), A_ub=rows, b_ub=np.zeros(6), A_eq=once, b_eq=np.ones(40))
    assert exact.fun * 0.995 <= dearest(capacity, respond) <= exact.fun * (1 + 1e-9)


@settings(max_examples=asked(15), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 1000), drones=st.integers(1, 4), speed=st.floats(0, 6), batteries=st.sampled_from([None, 2, 5]),
    objective=st.sampled_from(Objective), amsl_m=st.sampled_from([0.0, 3000.0]),
)  # fmt: skip
def test_no_plan_is_better_than_its_bounds(seed, drones, speed, batteries, objective, amsl_m):
    rng = np.random.default_rng(seed)
    border = border_from_metres(
        [(x, float(rng.uniform(-300, 300))) for x in np.linspace(0, rng.uniform(4000, 30_000), 12)]
    )
    base = replace(beside(border, 1800), batteries=batteries)
    other = replace(beside(replace(border, coordinates=border.coordinates[:3]), 1500), name="west")
    fleet = default_fleet(base, drones)
    vehicles = [replace(v, base=other) if k % 2 else v for k, v in enumerate(fleet.vehicles)]
    options = PlanOptions(wind=Wind(speed, 200.0), objective=objective, shift_s=6 * 3600)
    begin_m = float(rng.uniform(0, 3000))
    rows = (Risk(begin_m, 3 * begin_m + 1000, float(rng.uniform(0.3, 9))),) if objective is Objective.RISK else ()
    made = plan(border, Fleet(fleet.camera, tuple(vehicles)), FlatTerrain(amsl_m), options, risk=RiskTable(rows))
    # By risk that of unbroken stretches is not looked for where it would take long.
    may_lack = {"unbroken stretches"} if objective is Objective.RISK else set()
    assert {bound.name for bound in made.bounds} | may_lack == {"any sorties", "unbroken stretches"}
    for bound in made.bounds:
        assert 0 < bound.seconds <= made.figure_s + 1e-6
    assert made.bound.seconds == max(bound.seconds for bound in made.bounds)


@pytest.mark.parametrize("length_m", [3000.0, 10_000.0])
def test_a_single_coverage_by_a_patrol_that_is_faster_than_a_transit_is_planned(length_m):
    """Along the line at 23 m/s and home at 18: no bound may take both ways for transits."""
    border = straight(length_m)
    fleet = default_fleet(beside(border_from_metres([(0, 0), (10, 0)]), 300.0), 1)
    fleet = replace(fleet, camera=replace(fleet.camera, max_gsd_m=0.6))
    made = plan(border, fleet, None, PlanOptions(objective=Objective.ONCE, dwell_s=1.0))
    craft = fleet.vehicles[0].aircraft
    assert made.observation.speed_m_s == craft.max_m_s > craft.cruise_m_s
    assert made.figure_s < 2 * length_m / craft.cruise_m_s + 60.0
    assert max(bound.seconds for bound in made.bounds) <= made.figure_s


def test_no_bound_counts_a_higher_climb_than_is_flown(monkeypatch):
    """Over its base, and a slope that falls away from it, a VTOL climbs less high than it patrols elsewhere."""
    counted = []

    def kept(crews, *args, **fields):
        counted.extend(crew.height_m for crew in crews)
        return sortie_bound(crews, *args, **fields)

    monkeypatch.setattr("missions.statement.sortie_bound", kept)
    border = straight(3000.0)
    base = beside(border_from_metres([(0, 0), (10, 0)]), 1500.0)
    fleet = winged("vtol", border)
    fleet = replace(fleet, vehicles=(replace(fleet.vehicles[0], base=base),))
    made = plan(border, fleet, ramp(0.2, 45.0, 700.0, 300.0), replace(ROOMY, objective=Objective.ONCE))
    climbed = min(sortie.legs[0].end.agl_m for sortie in made.sorties)
    assert climbed < made.observation.height_agl_m - 1.0
    assert max(counted) <= climbed


@pytest.mark.parametrize("objective", [Objective.REVISIT, Objective.ONCE])
def test_a_bound_says_of_which_plans_it_holds(objective):
    """One shift that begins with everybody ready may be better than any that goes on: there are no turn-rounds yet."""
    border = straight(4000)
    made = plan(border, fleet_for(border, 2), None, PlanOptions(objective=objective))
    (sortie,) = {made.flights[k].sortie for k in range(2)} if objective is Objective.REVISIT else {0}
    passing_s = made.sorties[sortie].duration_s / 2
    short = [Flight(0.0, sortie, 1, 1), Flight(passing_s / 2, sortie, 2, 1)]
    for bound in made.bounds:
        if objective is Objective.REVISIT:
            assert left_alone_s(short, made.sorties, passing_s) < bound.seconds
        assert ("without a break" in bound.claim) is (objective is Objective.REVISIT)


def test_one_base_and_calm_air_leave_a_gap_of_per_cents():
    border = straight(30_000)
    for drones in (1, 2, 4):
        made = plan(border, fleet_for(border, drones))
        assert made.revisit_s / made.revisit_bound_s < 1.06


def test_few_batteries_raise_the_bound():
    border = straight(25_000)
    base = beside(border, 1500)
    few = replace(base, batteries=2, charge_s=7200.0)
    free = plan(border, default_fleet(base, 3))
    scarce = plan(border, default_fleet(few, 3))
    assert scarce.revisit_bound_s > 1.5 * free.revisit_bound_s
    # What holds the aircraft back is known to be the batteries, so the gap stays small.
    assert scarce.revisit_s / scarce.revisit_bound_s < 1.15


def test_a_second_base_far_away_does_not_loosen_the_bound():
    """The bound gives every place to those who can reach it, so that help out of reach is not counted."""
    border = straight(70_000)
    west = beside(replace(border, coordinates=border_from_metres([(0, 0), (20_000, 0)]).coordinates), 1500)
    east = beside(replace(border, coordinates=border_from_metres([(50_000, 0), (70_000, 0)]).coordinates), 1500)
    fleet = default_fleet(replace(west, name="west"), 6)
    vehicles = [replace(v, base=replace(east, name="east")) if k else v for k, v in enumerate(fleet.vehicles)]
    made = plan(border, Fleet(fleet.camera, tuple(vehicles)))
    # One aircraft in the west: five in the east cannot help it.
    assert made.revisit_s / made.revisit_bound_s < 1.35


def test_many_aircraft_do_not_bring_a_single_coverage_home_before_the_farthest_place_is_seen():
    border = straight(20_000)
    fleet = fleet_for(border, 30)
    made = plan(border, fleet, options=PlanOptions(objective=Objective.ONCE))
    craft = fleet.vehicles[0].aircraft
    any_sorties = made.bounds[0]
    assert any_sorties.name == "any sorties"
    # To the end of the line, 10 km from what lies opposite the base, and home.
    assert 2 * 9_900 / craft.cruise_m_s < any_sorties.seconds <= made.figure_s


def test_a_bound_that_says_nothing_is_none(monkeypatch):
    """On level ground what lies high may be out of reach, and what bounds plans there is then infinite."""
    monkeypatch.setattr("missions.statement.stretch_bound", lambda *_args, **_fields: np.inf)
    border = straight(3000.0)
    made = plan(border, fleet_for(border, 1))
    assert [bound.name for bound in made.bounds] == ["any sorties"]
    assert np.isfinite(made.gap)
