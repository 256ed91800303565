"""Take-offs of a shift in which everybody is late: never too near, never too soon after each other, none lost."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autopilot.timetable import Timetable, Turn
from geo import FlatTerrain
from missions import PlanOptions, base_beside, check, cut, default_fleet, land_border, plan
from tests.asked import few


@cache
def made(km=20, vehicles=4, shift_s=7200.0):
    """Two sorties that meet, flown by all in turn."""
    segment = cut(land_border("ITA", "CHE"), 1000 * km)
    fleet = default_fleet(base_beside(segment), vehicles)
    return plan(segment, fleet, FlatTerrain(900.0), PlanOptions(shift_s=shift_s))


def table(patrol, flown=()):
    timetable = Timetable(patrol.options, patrol.options.shift_s)
    timetable.take_over(patrol, 0, 0.0, flown)
    return timetable


def fly(patrol, timetable, delays):
    """Every vehicle its flights, each held up by the next of some delays; take-offs as flights of the plan."""
    free = dict.fromkeys((v.sysid for v in patrol.fleet.vehicles), 0.0)
    turn_round = patrol.fleet.vehicles[0].aircraft.turn_round_s
    flown, now_s, held = [], 0.0, iter(delays)
    wait: dict[int, float] = {}
    while not timetable.empty:
        best = None
        for sysid, free_s in free.items():
            turn = timetable.next_of(sysid, max(now_s, free_s))
            if turn is None:
                continue
            if sysid not in wait:
                wait[sysid] = next(held, 0.0)
            at = timetable.earliest_s(turn, max(now_s, free_s, turn.start_s + wait[sysid]))
            if best is None or at < best[0]:
                best = at, turn
        if best is None:
            break
        now_s, turn = best
        timetable.took_off(turn, now_s)
        wait.pop(turn.vehicle.sysid)
        free[turn.vehicle.sysid] = now_s + turn.sortie.duration_s + turn_round
        flown.append(replace(patrol.flights[turn.number], start_s=now_s))
    return flown


def test_with_nobody_late_the_plan_is_flown_as_it_is():
    patrol = made()
    assert [f.start_s for f in fly(patrol, table(patrol), [])] == pytest.approx([f.start_s for f in patrol.flights])


@settings(max_examples=few(60), deadline=None)
@given(st.lists(st.floats(0.0, 1500.0), max_size=12))
def test_whoever_is_late_nobody_comes_too_near_and_looks_stay_apart(delays):
    patrol = made()
    timetable = table(patrol)
    flown = fly(patrol, timetable, delays)
    # The validation of plans shares nothing with the book of launches.
    begun = {f.sortie: f.start_s for f in reversed(flown)}
    told = tuple(replace(sortie, start_s=begun.get(k, sortie.start_s)) for k, sortie in enumerate(patrol.sorties))
    broken = check(replace(patrol, flights=tuple(flown), sorties=told))
    broken = [s for s in broken if "apart" in s or "takes off" in s]
    assert broken == []
    for number in range(len(patrol.sorties)):
        planned, true = (
            [b - a for a, b in pairwise(sorted(f.start_s for f in flights if f.sortie == number))]
            for flights in (patrol.flights, flown)
        )
        assert min(true, default=1e9) >= min(planned) - 1e-6
    assert len(flown) + len(timetable.left_out) == len(patrol.flights)
    for before, after in zip(patrol.flights, sorted(flown, key=lambda f: f.start_s), strict=False):
        assert after.start_s >= before.start_s - 1e-6


def test_a_flight_is_left_out_once_the_next_of_its_vehicle_is_due():
    patrol = made(8, 3)
    timetable = table(patrol)
    first, second = [f for f in patrol.flights if f.sysid == 1][:2]
    assert timetable.next_of(1, second.start_s - 1).start_s == first.start_s
    assert timetable.next_of(1, second.start_s + 1).start_s == second.start_s
    assert [turn.start_s for turn in timetable.left_out] == [first.start_s]


def test_another_plan_takes_over_from_the_next_take_off_on():
    patrol, other = made(8, 3), made(8, 2)
    timetable = table(patrol)
    turn = timetable.next_of(1, 0.0)
    timetable.took_off(turn, 5.0)
    timetable.take_over(other, 1, 100.0)
    for sysid in (1, 2):
        mine = timetable.next_of(sysid, 100.0)
        assert (mine.plan, mine.start_s) == (1, 100.0 + next(f.start_s for f in other.flights if f.sysid == sysid))
    assert timetable.next_of(3, 100.0) is None
    # What is in the air from before keeps others off the same way still.
    again = Turn(1, 0, turn.sortie, patrol.fleet.vehicles[1], 5.0)
    timetable.add(again)
    assert timetable.earliest_s(again, 6.0) > 20.0


def test_a_take_off_that_came_to_nothing_holds_up_nobody():
    patrol = made(8, 3)
    timetable = table(patrol)
    turn, behind = timetable.next_of(1, 0.0), timetable.next_of(3, 0.0)
    free = timetable.earliest_s(behind, 10.0)
    timetable.took_off(turn, 300.0)
    assert timetable.earliest_s(behind, 10.0) > free
    timetable.came_to_nothing(turn)
    assert timetable.earliest_s(behind, 10.0) == free
