"""Why a plan is as it is: what limits the revisit interval, and what one more of anything would give."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from geo import Terrain, locate
from missions.course import distances_m
from missions.errors import MissionsError, PlanError
from missions.fleet import Base, Fleet, Vehicle
from missions.limiting import Limit, bases_of, costliest, limit_of, named, told
from missions.network_planning import plan_patrolled
from missions.patrol import PatrolPlan
from missions.plane import Plane
from missions.siting import base_behind
from missions.sortie import Sortie
from missions.way_rises import KeptWays

__all__ = ["Change", "Explanation", "explain"]

_BEHIND_M = (1500.0, 700.0, 300.0)
"""How far behind a border one more base is tried: a country or an island of land may be narrow, metres."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a change of the fleet would give.

    Parameters
    ----------
    what
        The change in words.
    revisit_s
        Revisit interval with it, times risk in a plan by risk, the last landing in one of a single coverage, seconds;
        None where no plan can be made with it.
    coverage
        Share of the band seen with it; None likewise.
    reason
        Why no plan can be made; empty otherwise.
    """

    what: str
    revisit_s: float | None
    coverage: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What limits a plan, one sentence each, and what changes would give, best first."""

    limits: tuple[str, ...]
    changes: tuple[Change, ...]


def explain(made: PatrolPlan, terrain: Terrain | None = None) -> Explanation:
    """Explain a plan; every change is planned anew, on the same border with the same options.

    One more aircraft is tried at the base of those who limit the plan and at the bases next to it along the course;
    elsewhere it may give more still.

    Parameters
    ----------
    made
        The plan.
    terrain
        The ground that it was planned on.
    """
    limit = limit_of(made)
    team = [made.sorties[k] for k in limit.roster.sorties]
    base, *others = bases_of(made, limit.roster)
    dear = costliest(made, limit)
    where = "costliest part" if dear else "middle"
    at = [
        team[0].vehicle,
        *_beside(made, base),
        *(next(s.vehicle for s in team if s.vehicle.base == b) for b in others),
    ]
    options: list[tuple[str, Callable[[], Fleet]]] = [
        (f"one more aircraft at {like.base.name}", partial(_one_more, made.fleet, like, like.base))
        for like in {like.base: like for like in at}.values()
    ]
    options += [
        (
            f"one more base, behind the {where} of the stretch of {named((base, *others))}, with one aircraft",
            lambda: _one_more(made.fleet, team[0].vehicle, _new_base(made, dear[:1] or team)),
        ),
        ("batteries of a quarter more energy", lambda: _changed(made.fleet, battery=1.25)),
        ("turn-round in half the time", lambda: _changed(made.fleet, turn_round=0.5)),
    ]
    options += [
        (f"one more battery at {short.name}", partial(_more_batteries, made.fleet, short))
        for short in (base, *others)
        if short.batteries is not None
    ]
    for mixed, like in _mixed(made.fleet):
        what = f"all aircraft at {mixed.name} like {like.name} ({_kind(made.fleet, like)}), relieving each other"
        options.append((what, partial(_alike, made.fleet, mixed, like)))
    changes = []
    kept: KeptWays = {}
    for what, fleet in options:
        try:
            other = _again(made, fleet(), terrain, kept)
        except MissionsError as error:
            changes.append(Change(what, None, None, str(error)))
        else:
            changes.append(Change(what, other.figure_s, other.coverage.share))
    changes.sort(key=lambda change: change.revisit_s if change.revisit_s is not None else float("inf"))
    return Explanation(tuple(_limits(made, limit)), tuple(changes))


def _beside(made: PatrolPlan, base: Base) -> list[Vehicle]:
    """An aircraft of each of the bases next to a base along the course: one more there may give more than one here."""
    first: dict[Base, Sortie] = {}
    for sortie in sorted((s for s in made.sorties if s.runs), key=lambda s: s.from_m + s.to_m):
        first.setdefault(sortie.vehicle.base, sortie)
    order = list(first)
    place = order.index(base) if base in first else 0
    near = [k for k in (place - 1, place + 1) if 0 <= k < len(order)]
    return [first[order[k]].vehicle for k in near if order[k] != base]


def _again(made: PatrolPlan, fleet: Fleet, terrain: Terrain | None, kept: KeptWays) -> PatrolPlan:
    what = made.network or made.border
    return plan_patrolled(what, fleet, terrain, made.options, airspace=made.airspace, risk=made.risk, kept=kept)


def _limits(made: PatrolPlan, limit: Limit) -> list[str]:
    team = [made.sorties[k] for k in limit.roster.sorties]
    look, craft = made.observation_of(team[0]), team[0].vehicle.aircraft
    leanest = min(team, key=lambda s: s.reserve_left)
    times_risk = "" if made.risk_s is None else " times risk"
    found = [
        *told(made, limit),
        (
            f"the leanest sortie, {leanest.name}, lands with {leanest.reserve_left:.0%} of its battery, the reserve is "
            f"{craft.reserve_fraction:.0%}"
        ),
        (
            f"no plan {made.bound.claim} comes below {made.revisit_bound_s / 60:.1f} min{times_risk} "
            f"with these aircraft on this line: this one is {made.gap:.1%} above that"
        ),
    ]
    return [*found, *_told_mixed(made), *look.reasons]


def _mixed(fleet: Fleet) -> list[tuple[Base, Vehicle]]:
    """Each base whose aircraft differ in type or camera, with one aircraft of each of its teams."""
    leaders: dict[Base, list[Vehicle]] = {}
    for team in fleet.teams():
        leaders.setdefault(team[0].base, []).append(team[0])
    return [(base, like) for base, found in leaders.items() if len(found) > 1 for like in found]


def _alike(fleet: Fleet, base: Base, like: Vehicle) -> Fleet:
    """A fleet whose aircraft at one base are all of one type with one camera."""
    changed = (replace(v, aircraft=like.aircraft, camera=like.camera) for v in fleet.vehicles if v.base == base)
    others = (v for v in fleet.vehicles if v.base != base)
    return replace(fleet, vehicles=(*others, *changed))


def _kind(fleet: Fleet, vehicle: Vehicle) -> str:
    """Type and camera of a vehicle in words."""
    return f"{vehicle.aircraft.kind}, {fleet.camera_of(vehicle).name}"


def _told_mixed(made: PatrolPlan) -> list[str]:
    """A sentence for bases that relieve each other, and for each other base whose aircraft differ.

    What those differences come to is among the changes.
    """
    mixed = _mixed(made.fleet)
    rosters = [roster for period in made.periods for roster in period.rosters if roster.sorties]
    far = [bases for bases in dict.fromkeys(bases_of(made, roster) for roster in rosters) if len(bases) > 1]
    told = [
        f"aircraft of {named(bases)} relieve each other on one stretch, at the pace of whoever needs longest"
        for bases in far
    ]
    among = {base for bases in far for base in bases}
    return told + [
        _told_turns(made, base, [like for at, like in mixed if at == base])
        for base in dict.fromkeys(base for base, _ in mixed)
        if base not in among
    ]


def _told_turns(made: PatrolPlan, base: Base, likes: list[Vehicle]) -> str:
    """Which of the types at a base relieve each other, and which watch alone."""
    together = [set(roster.sysids) for period in made.periods for roster in period.rosters if roster.sorties]
    kinds = {like.sysid: _kind(made.fleet, like) for like in likes}
    groups = dict.fromkeys(
        tuple(kinds[sysid] for sysid in sorted(own & kinds.keys())) for own in together if own & kinds.keys()
    )
    in_turns = [" and ".join(group) for group in groups if len(group) > 1]
    if in_turns:
        return (
            f"at {base.name} aircraft of different types relieve each other, at the pace of whoever needs longest: "
            f"{'; '.join(in_turns)}"
        )
    return (
        f"at {base.name} only aircraft of one type and camera relieve each other: {'; '.join(kinds.values())} watch a "
        "stretch of their own each, and whoever is alone on one leaves it alone while its battery is swapped"
    )


def _one_more(fleet: Fleet, like: Vehicle, base: Base) -> Fleet:
    sysid = next(n for n in range(1, 252) if n not in {v.sysid for v in fleet.vehicles})
    return replace(fleet, vehicles=(*fleet.vehicles, replace(like, sysid=sysid, name=f"one-more-{sysid}", base=base)))


def _new_base(made: PatrolPlan, team: list[Sortie]) -> Base:
    middle = (min(s.from_m for s in team) + max(s.to_m for s in team)) / 2
    # The course of a ring may begin elsewhere than its border does.
    if made.network is not None or made.border.is_ring:
        middle = _along_border(made, middle)
    *farther, nearest = _BEHIND_M
    for distance_m in farther:
        with suppress(PlanError):
            return base_behind(made.border, middle, distance_m, name="one more base")
    return base_behind(made.border, middle, nearest, name="one more base")


def _along_border(made: PatrolPlan, course_m: float) -> float:
    """Where along the border a place of the course is, metres: its nearest point."""
    lat, lon = np.array(made.flight_line).T
    at = np.interp(course_m, distances_m(lat, lon), np.arange(len(lat)))
    plane = Plane.of(made.border)
    return float(locate(made.border.local_line(plane.frame), plane.xy(lat[round(at)], lon[round(at)])).along_m[0])


def _changed(fleet: Fleet, *, battery: float = 1.0, turn_round: float = 1.0) -> Fleet:
    def craft(vehicle: Vehicle) -> Vehicle:
        old = vehicle.aircraft
        new = replace(old, battery_wh=old.battery_wh * battery, turn_round_s=old.turn_round_s * turn_round)
        return replace(vehicle, aircraft=new)

    return replace(fleet, vehicles=tuple(craft(v) for v in fleet.vehicles))


def _more_batteries(fleet: Fleet, base: Base) -> Fleet:
    more = replace(base, batteries=(base.batteries or 0) + 1)
    return replace(fleet, vehicles=tuple(replace(v, base=more) if v.base == base else v for v in fleet.vehicles))
