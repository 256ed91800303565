"""What limits a plan: the place that is left alone longest, by risk where it goes by that, or who lands last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from missions.clock import ShiftClock
from missions.fleet import Base, Fleet
from missions.options import Objective
from missions.patrol import PatrolPlan, Roster
from missions.recourse import course_of, surroundings_of
from missions.revisit import at_risk_s, left_alone_by_part, left_alone_s, rounds_s
from missions.risk_along import weights_along
from missions.schedule import schedule
from missions.sortie import LegKind, Sortie
from missions.turns import turns_of

__all__ = ["Limit", "bases_of", "costliest", "limit_of", "named", "told"]

Floats = NDArray[np.float64]

_STEP_M = 100.0
_LONGER = 1.01
"""By this factor a wait is worth a word."""

_MUCH, _LITTLE = 0.5, 0.3
"""Where this share of the time in the air goes to no more than that share of the line, it is worth a word."""

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Limit:
    """What limits a plan.

    Parameters
    ----------
    roster
        Who watches the place, or lands last, and in which sorties.
    at
        Latitude and longitude, degrees, of the place that is most at risk; None in a plan that goes by no risk.
    left_s, weight
        For how long a place is left alone at most, seconds, times risk where the plan goes by it, and the greatest
        weight of that place.
    """

    roster: Roster
    at: tuple[float, float] | None = None
    left_s: float = 0.0
    weight: float = 1.0


def limit_of(made: PatrolPlan) -> Limit:
    """What limits a plan.

    Raises
    ------
    PlanError
        When a plan by risk is of another course than this program makes.
    """
    rosters = [roster for period in made.periods for roster in period.rosters if roster.sorties]
    if made.options.objective is Objective.ONCE:
        last = max(made.flights, key=lambda flight: flight.start_s + made.sorties[flight.sortie].duration_s)
        return Limit(next(r for r in rosters if last.sysid in r.sysids and last.sortie in r.sorties))
    if made.risk_s is None:
        return Limit(_left_alone(made, rosters), left_s=made.revisit_s)
    return _most_at_risk(made, rosters)


def _left_alone(made: PatrolPlan, rosters: Sequence[Roster]) -> Roster:
    """Whose stretch is looked at least often; where somebody waits for longer than that, whose place waits longest."""
    slowest = max(rosters, key=made.round_s)
    parts = left_alone_by_part(made.flights, made.sorties, made.options.shift_s)
    alone_s, watching = max(parts, key=lambda part: part[0])
    if alone_s <= _LONGER * made.round_s(slowest):
        return slowest
    own = set(map(id, watching))
    numbers = {number for number, sortie in enumerate(made.sorties) if id(sortie) in own}
    return min((r for r in rosters if numbers & set(r.sorties)), key=lambda r: _round_s(r, made, numbers))


def _most_at_risk(made: PatrolPlan, rosters: Sequence[Roster]) -> Limit:
    options = made.options
    course = course_of(made, surroundings_of(made))
    own = np.concatenate([[run.from_m, run.to_m] for sortie in made.sorties for run in sortie.runs])
    stations = np.unique(np.concatenate([course.stations(_STEP_M), own]))
    clock = ShiftClock.of(options.shift_hour, options.shift_start, made.risk.zone)
    starts = [0.0, *made.risk.changes(clock, options.shift_s)]
    middles = [(a + b) / 2 for a, b in pairwise([*starts, options.shift_s])]
    weights = np.array([weights_along(course, made.risk, stations, clock.hour(at_s)) for at_s in middles])

    figures = at_risk_s(made.flights, made.sorties, stations, np.array(starts), weights, shift_s=options.shift_s)
    worst = int(np.argmax(figures))
    middle = float(stations[worst] + stations[worst + 1]) / 2
    watching = {
        number
        for number, sortie in enumerate(made.sorties)
        if any(min(run.from_m, run.to_m) <= middle <= max(run.from_m, run.to_m) for run in sortie.runs)
    }
    # Of several that watch it those who come most often.
    roster = min((r for r in rosters if watching & set(r.sorties)), key=lambda r: _round_s(r, made, watching))
    lat, lon = course.at(np.array([middle]))
    return Limit(roster, (float(lat[0]), float(lon[0])), made.figure_s, float(weights[:, worst].max()))


def _round_s(roster: Roster, made: PatrolPlan, sorties: set[int]) -> float:
    """The shortest time after which a roster comes back to one of some sorties, seconds."""
    rounds = rounds_s(roster, made.sorties)
    return min(rounds[number] for number in sorties & set(roster.sorties))


def costliest(made: PatrolPlan, limit: Limit) -> list[Sortie]:
    """Those of the sorties of who limits a plan that take most of the time for little of the line; none where all do.

    They stand in the order of what a kilometre of them takes, the dearest first.
    """
    distinct = _distinct(_slowest(made, limit.roster))
    dear = sorted((s for s in distinct if s.runs), key=lambda s: _watched_m(s) / s.duration_s)
    length, air = sum(map(_watched_m, dear)), sum(sortie.duration_s for sortie in dear)
    for count in range(1, len(dear)):
        if sum(sortie.duration_s for sortie in dear[:count]) >= _MUCH * air:
            return dear[:count] if sum(map(_watched_m, dear[:count])) <= _LITTLE * length else []
    return []


def _slowest(made: PatrolPlan, roster: Roster) -> list[Sortie]:
    """The sorties of a roster; of several types that relieve each other those who need longest set the pace."""
    kinds = turns_of(roster.sorties, made.sorties).kinds
    return max(([made.sorties[k] for k in own] for own in kinds), key=lambda own: sum(s.duration_s for s in own))


def bases_of(made: PatrolPlan, roster: Roster) -> tuple[Base, ...]:
    """From where a roster flies, in the order of its sorties."""
    return tuple(dict.fromkeys(made.sorties[number].vehicle.base for number in roster.sorties))


def named(bases: Sequence[Base]) -> str:
    """Bases by name, in words."""
    return " and ".join(base.name for base in bases)


def _distinct(team: Sequence[Sortie]) -> list[Sortie]:
    return list({id(sortie): sortie for sortie in team}.values())


def _watched_m(sortie: Sortie) -> float:
    return sum(run.length_m for run in sortie.runs)


def told(made: PatrolPlan, limit: Limit) -> list[str]:
    """What limits a plan in words, and where the time of those goes who do."""
    return [*_told_limit(made, limit), *_told_costliest(made, limit)]


def _told_costliest(made: PatrolPlan, limit: Limit) -> list[str]:
    dear = costliest(made, limit)
    if not dear:
        return []
    every = _distinct(_slowest(made, limit.roster))
    share = sum(sortie.duration_s for sortie in dear) / sum(sortie.duration_s for sortie in every)
    length, whole = (sum(map(_watched_m, some)) / 1000 for some in (dear, every))
    ways = [leg.distance_m for sortie in dear for leg in sortie.legs if leg.kind is not LegKind.PATROL]
    names = [sortie.name for sortie in dear]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    out_km = sum(ways) / len(dear) / 1000
    what = f"the costliest {length:.1f} of these {whole:.1f} km take {share:.0%} of the time in the air"
    return [f"{what}: out and home are {out_km:.1f} km a sortie ({', '.join(names[:_MOST_NAMED])}{more})"]


def _told_limit(made: PatrolPlan, limit: Limit) -> list[str]:
    roster = limit.roster
    team = _slowest(made, roster)
    where, size = named(bases_of(made, roster)), len(roster.sysids)
    distinct = _distinct(team)
    length = sum(map(_watched_m, distinct))
    stretch = f"{length / 1000:.1f} km in {len(distinct)} sorties by {size} aircraft"
    legs = [leg for sortie in team for leg in sortie.legs]
    patrol = sum(leg.duration_s for leg in legs if leg.kind is LegKind.PATROL)
    air = sum(leg.duration_s for leg in legs)
    if made.options.objective is Objective.ONCE:
        name = team[0].vehicle.name
        what = f"the last to land is {name} of {where}, {made.revisit_s / 60:.1f} min after the start: {stretch}"
        return [what, _shares(f"these {made.revisit_s / 60:.0f} min", (patrol, air, made.revisit_s), "on the ground")]
    whole = made.round_s(roster) * size
    spent = _shares(f"the {whole / 60:.0f} min of one round", (patrol, air, whole), "turn-round on the ground")
    if limit.at is not None:
        return [
            (
                f"most at risk is {limit.at[0]:.5f}, {limit.at[1]:.5f}, of a weight of up to {limit.weight:.4g}: "
                f"{limit.left_s / 60:.1f} min times risk; those of {where} who watch it most often fly {stretch}"
            ),
            spent,
        ]
    round_s = made.round_s(roster)
    every = f"looked at every {round_s / 60:.1f} min"
    if limit.left_s <= _LONGER * round_s:
        return [f"the slowest stretch is that of {where}: {stretch}, {every}", spent]
    return [
        f"the stretch that is left alone longest is that of {where}: {stretch}, {every} where nobody waits",
        f"a place is left alone for up to {limit.left_s / 60:.1f} min: {_waiting(made)}",
        spent,
    ]


def _shares(what: str, spent_s: tuple[float, float, float], rest: str) -> str:
    """Shares of a time: patrol, all in the air, whole, seconds."""
    patrol, air, whole = spent_s
    return (
        f"of {what} {patrol / whole:.0%} are patrol, {(air - patrol) / whole:.0%} ways out and home, "
        f"{(whole - air) / whole:.0%} {rest}"
    )


def _waiting(made: PatrolPlan) -> str:
    """What take-offs wait for: batteries, if with enough of them nobody waited so long, or each other."""
    enough = tuple(replace(v, base=replace(v.base, batteries=None)) for v in made.fleet.vehicles)
    flights = schedule(made.sorties, made.periods, Fleet(made.fleet.camera, enough), made.options)
    shift_s = made.options.shift_s
    if left_alone_s(flights, made.sorties, shift_s) * _LONGER < left_alone_s(made.flights, made.sorties, shift_s):
        names = [v.base.name for v in made.fleet.vehicles if v.base.batteries is not None]
        return f"take-offs wait for charged batteries ({', '.join(dict.fromkeys(names))})"
    return "take-offs wait for each other, to keep the separation and one launch at a time"
