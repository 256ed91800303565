"""Why a plan is as it is: what limits the revisit interval, and what one more of anything would give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from geo import Terrain, locate
from missions.course import distances_m
from missions.errors import MissionsError
from missions.fleet import Base, Fleet, Vehicle
from missions.network_planning import plan_network
from missions.patrol import LegKind, PatrolPlan, Roster, Sortie
from missions.plane import Plane
from missions.planning import plan
from missions.siting import base_behind

__all__ = ["Change", "Explanation", "explain"]


@dataclass(frozen=True, slots=True)
class Change:
    """What a change of the fleet would give.

    Parameters
    ----------
    what
        The change in words.
    revisit_s
        Revisit interval with it, times risk in a plan by risk, seconds; None where no plan can be made with it.
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

    Parameters
    ----------
    made
        The plan.
    terrain
        The ground that it was planned on.
    """
    slowest = max((r for period in made.periods for r in period.rosters), key=made.round_s)
    team = [made.sorties[k] for k in slowest.sorties]
    base = team[0].vehicle.base
    options: list[tuple[str, Callable[[], Fleet]]] = [
        (f"one more aircraft at {base.name}", lambda: _one_more(made.fleet, team[0].vehicle, base)),
        (
            f"one more base, behind the middle of the stretch of {base.name}, with one aircraft",
            lambda: _one_more(made.fleet, team[0].vehicle, _new_base(made, team)),
        ),
        ("batteries of a quarter more energy", lambda: _changed(made.fleet, battery=1.25)),
        ("turn-round in half the time", lambda: _changed(made.fleet, turn_round=0.5)),
    ]
    if base.batteries is not None:
        options.append((f"one more battery at {base.name}", lambda: _more_batteries(made.fleet, base)))
    changes = []
    for what, fleet in options:
        try:
            other = _again(made, fleet(), terrain)
        except MissionsError as error:
            changes.append(Change(what, None, None, str(error)))
        else:
            changes.append(Change(what, other.figure_s, other.coverage.share))
    changes.sort(key=lambda change: change.revisit_s if change.revisit_s is not None else float("inf"))
    return Explanation(tuple(_limits(made, slowest)), tuple(changes))


def _again(made: PatrolPlan, fleet: Fleet, terrain: Terrain | None) -> PatrolPlan:
    if made.network is not None:
        return plan_network(made.network, fleet, terrain, made.options, airspace=made.airspace, risk=made.risk)
    return plan(made.border, fleet, terrain, made.options, airspace=made.airspace, risk=made.risk)


def _limits(made: PatrolPlan, slowest: Roster) -> list[str]:
    team = [made.sorties[k] for k in slowest.sorties]
    base, look = team[0].vehicle.base, made.observation_of(team[0])
    craft = team[0].vehicle.aircraft
    size = len(slowest.sysids)
    legs = [leg for sortie in team for leg in sortie.legs]
    patrol = sum(leg.duration_s for leg in legs if leg.kind is LegKind.PATROL)
    air = sum(leg.duration_s for leg in legs)
    ground = craft.turn_round_s * len(team)
    whole = air + ground
    length = sum(run.length_m for s in team for run in s.runs)
    leanest = min(team, key=lambda s: s.reserve_left)
    found = [
        (
            f"the slowest stretch is that of {base.name}: {length / 1000:.1f} km in {len(team)} sorties by {size} "
            f"aircraft, looked at every {made.round_s(slowest) / 60:.1f} min"
        ),
        (
            f"of the {whole / 60:.0f} min of one round {patrol / whole:.0%} are patrol, {(air - patrol) / whole:.0%} "
            f"ways out and home, {ground / whole:.0%} turn-round on the ground"
        ),
        (
            f"the leanest sortie, {leanest.name}, lands with {leanest.reserve_left:.0%} of its battery, the reserve is "
            f"{craft.reserve_fraction:.0%}"
        ),
        (
            f"no plan {made.bound.claim} comes below {made.revisit_bound_s / 60:.1f} min"
            f"{'' if made.risk_s is None else ' times risk'} with these aircraft on this line: this one is "
            f"{made.gap:.1%} above that"
        ),
    ]
    return [*found, *look.reasons]


def _one_more(fleet: Fleet, like: Vehicle, base: Base) -> Fleet:
    sysid = next(n for n in range(1, 252) if n not in {v.sysid for v in fleet.vehicles})
    return replace(fleet, vehicles=(*fleet.vehicles, replace(like, sysid=sysid, name=f"one-more-{sysid}", base=base)))


def _new_base(made: PatrolPlan, team: list[Sortie]) -> Base:
    middle = (min(s.from_m for s in team) + max(s.to_m for s in team)) / 2
    if made.network is not None:
        middle = _along_border(made, middle)
    return base_behind(made.border, middle, name="one more base")


def _along_border(made: PatrolPlan, course_m: float) -> float:
    """Where along the border a place of the course of a network is, metres: its nearest point."""
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
