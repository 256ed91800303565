"""Aircraft of different types that watch one stretch in turns: where it is better, and that it is flown as planned."""

from dataclasses import replace

import numpy as np
import pytest

from missions import (
    AircraftForm,
    Base,
    LegKind,
    PlanError,
    PlanOptions,
    Progress,
    explain,
    plan,
    resume,
    validate,
)
from missions.turns import turns_of
from tests.missions.helpers import LON, M_LON, beside, fleet_for, straight


def mixed(border, count=2, distance_m=1500.0, **changes):
    """Aircraft at one base of which each is of another type."""
    fleet = fleet_for(border, count, distance_m)
    return replace(
        fleet,
        vehicles=tuple(
            replace(v, aircraft=replace(v.aircraft, kind=f"type {n}", cruise_m_s=18.0 - n, **changes))
            for n, v in enumerate(fleet.vehicles)
        ),
    )


def alike(fleet):
    return replace(fleet, vehicles=tuple(replace(v, aircraft=fleet.vehicles[-1].aircraft) for v in fleet.vehicles))


def looks_at(made, east_m):
    """When a place on a line from west to east is passed, and by whom, by the legs of every flight."""
    out = []
    for flight in made.flights:
        clock = flight.start_s
        for leg in made.sorties[flight.sortie].legs:
            a, b = ((end.lon_deg - LON) * M_LON for end in (leg.start, leg.end))
            if leg.kind is LegKind.PATROL and min(a, b) <= east_m <= max(a, b):
                out.append((clock + leg.duration_s * (east_m - a) / (b - a), flight.sysid))
            clock += leg.duration_s
    return sorted(out)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_mixed_fleet_comes_round_about_as_often_as_one_of_its_slowest_type(count):
    border = straight(10_000)
    fleet = mixed(border, count)
    made, slowest = plan(border, fleet), plan(border, alike(fleet))
    assert made.revisit_s < 1.1 * slowest.revisit_s
    assert made.revisit_s >= made.revisit_bound_s
    assert made.coverage.share == pytest.approx(slowest.coverage.share)
    assert not validate(made).violations


def test_all_of_them_look_at_every_place_and_no_place_is_left_alone_for_longer_than_is_said():
    border = straight(10_000)
    made = plan(border, mixed(border, 3), options=PlanOptions(shift_s=4 * 3600))
    for east_m in (100.0, 2500.0, 5000.0, 9900.0):
        times, who = zip(*looks_at(made, east_m), strict=True)
        assert set(who) == {1, 2, 3}
        within = np.array(times)[np.array(times) < made.options.shift_s]
        assert np.diff([*within, made.options.shift_s]).max() <= made.revisit_s + 1.0


def test_each_flies_sorties_of_its_own_type_only():
    border = straight(20_000)
    fleet = mixed(border, 3)
    made = plan(border, fleet)
    types = {v.sysid: v.aircraft for v in fleet.vehicles}
    assert all(made.sorties[f.sortie].vehicle.aircraft == types[f.sysid] for f in made.flights)
    (roster,) = (r for r in made.periods[0].rosters if len(r.sysids) == 3)
    kinds = turns_of(roster.sorties, made.sorties).kinds
    assert len(kinds) == 3
    runs = [[{(r.from_m, r.to_m) for r in made.sorties[k].runs} for k in own] for own in kinds]
    assert runs[0] == runs[1] == runs[2]
    assert {k for own in kinds for k in own} == {f.sortie for f in made.flights}


def test_those_that_are_too_different_keep_a_stretch_of_their_own():
    border = straight(10_000)
    fleet = fleet_for(border, 6)
    crawling = replace(fleet.vehicles[0].aircraft, kind="crawler", cruise_m_s=4.0, max_m_s=5.0)
    fleet = replace(fleet, vehicles=(*fleet.vehicles[:5], replace(fleet.vehicles[5], aircraft=crawling)))
    made = plan(border, fleet)
    others = plan(border, replace(fleet, vehicles=fleet.vehicles[:5]))
    assert made.revisit_s <= others.revisit_s
    assert all(len({fleet.vehicles[n - 1].aircraft for n in r.sysids}) == 1 for r in made.periods[0].rosters)


def test_wings_and_rotors_relieve_each_other():
    border = straight(10_000)
    fleet = fleet_for(border, 2)
    wing = replace(
        fleet.vehicles[1].aircraft,
        kind="wing",
        form=AircraftForm.VTOL,
        min_m_s=12.0,
        turn_radius_m=50.0,
        transition_s=8.0,
    )
    fleet = replace(fleet, vehicles=(fleet.vehicles[0], replace(fleet.vehicles[1], aircraft=wing)))
    made = plan(border, fleet, options=PlanOptions(dwell_s=2.5))
    assert {sysid for _, sysid in looks_at(made, 5000.0)} == {1, 2}
    assert not validate(made).violations


def test_what_is_left_of_a_round_is_flown_once_whoever_it_was_planned_for():
    border = straight(10_000)
    made = plan(border, mixed(border, 2))
    first = made.sorties[0]
    twins = [
        s for s in made.sorties if {(r.from_m, r.to_m) for r in s.runs} == {(r.from_m, r.to_m) for r in first.runs}
    ]
    assert len(twins) == 2
    rest = resume(made, Progress(first.name, item=7, airborne=False))
    watched = sum(run.length_m for sortie in rest.sorties for run in sortie.runs)
    assert 100 < watched < 11_000


def test_what_one_more_would_give_is_what_a_new_plan_gives():
    border = straight(10_000)
    fleet = mixed(border, 2)
    why = explain(plan(border, fleet))
    assert any("relieve each other" in limit for limit in why.limits)
    for change in why.changes:
        if change.what.startswith("all aircraft at base like type 1"):
            assert change.revisit_s == pytest.approx(plan(border, alike(fleet)).revisit_s, rel=1e-6)


def from_two_bases(border, distance_m=2500.0):
    """Two aircraft of one type, at bases behind three and seven tenths of a line from west to east."""
    (west, _), (east, _) = border.coordinates[0], border.coordinates[-1]
    lat = beside(border, distance_m).lat_deg
    fleet = fleet_for(border, 2)
    bases = [Base(name, lat, west + share * (east - west)) for name, share in (("west", 0.3), ("east", 0.7))]
    return replace(fleet, vehicles=tuple(replace(v, base=b) for v, b in zip(fleet.vehicles, bases, strict=True)))


def test_on_a_short_line_those_of_two_bases_relieve_each_other():
    """With half of the line each, most of their time is ways out and home and the swap: 16 % more between looks."""
    border = straight(8_000)
    fleet = from_two_bases(border)
    made = plan(border, fleet)
    (roster,) = made.periods[0].rosters
    assert roster.sysids == (1, 2)
    bases = {v.sysid: v.base for v in fleet.vehicles}
    assert all(made.sorties[f.sortie].vehicle.base == bases[f.sysid] for f in made.flights)
    for east_m in (100.0, 4000.0, 7900.0):
        times, who = zip(*looks_at(made, east_m), strict=True)
        assert set(who) == {1, 2}
        assert np.diff(times).max() <= made.revisit_s + 1.0
    assert made.gap < 0.1
    assert not validate(made).violations
    why = explain(made)
    assert any(limit.startswith("aircraft of west and east relieve each other on one stretch") for limit in why.limits)
    assert {f"one more aircraft at {name}" for name in ("west", "east")} <= {change.what for change in why.changes}


def test_those_that_relieve_each_other_have_the_batteries_of_those_that_are_done_without():
    """With a share for each aircraft of their bases two of six flew alone, and came back after half as long again."""
    border = straight(14_000)
    (west, _), (east, _) = border.coordinates[0], border.coordinates[-1]
    lat = beside(border, 2500.0).lat_deg
    places = {"few": (0.62, 2), "some": (0.81, 3), "enough": (0.82, None)}
    bases = {name: Base(name, lat, west + at * (east - west), batteries=n) for name, (at, n) in places.items()}
    kinds = [("few", 620.0), ("few", 310.0), ("some", 310.0), ("some", 310.0), ("some", 620.0), ("enough", 310.0)]
    fleet = fleet_for(border, len(kinds))
    craft = [
        replace(v.aircraft, kind=f"{wh} Wh", battery_wh=wh) for v, (_, wh) in zip(fleet.vehicles, kinds, strict=True)
    ]
    made = plan(
        border,
        replace(
            fleet,
            vehicles=tuple(
                replace(v, base=bases[at], aircraft=one)
                for v, (at, _), one in zip(fleet.vehicles, kinds, craft, strict=True)
            ),
        ),
    )
    assert [roster.sysids for roster in made.periods[0].rosters if roster.sorties] == [(1, 5), (6,)]
    assert made.gap < 0.35
    assert not validate(made).violations


def test_on_a_long_line_those_of_two_bases_keep_a_stretch_each():
    made = plan(border := straight(30_000), from_two_bases(border))
    assert [roster.sysids for roster in made.periods[0].rosters] == [(1,), (2,)]


def test_a_roster_whose_types_have_not_as_many_sorties_is_refused_and_an_empty_one_takes_no_time():
    border = straight(10_000)
    made = plan(border, mixed(border))
    roster = next(r for r in made.periods[0].rosters if len({made.sorties[k].observation for k in r.sorties}) > 1)
    with pytest.raises(PlanError, match="as many each: plan anew"):
        turns_of((*roster.sorties, roster.sorties[0]), made.sorties)
    assert made.round_s(replace(roster, sorties=())) == 0.0
