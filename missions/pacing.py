"""Rounds drawn out where a base charges fewer batteries, or launches fewer aircraft, than they would use.

Whoever is ready takes off as soon as there is a battery, so that of several teams at one base the quick one takes what
the slow one waits for, and the slow one is what the revisit interval goes by. Three ways to draw rounds out are
offered; the schedule tells which leaves no place alone for long.

- All teams of a base alike, so that what they use on the mean is there.
- The quickest first: none comes round more often than every x, the least x that does for the mean.
- The same for the most that may be in use at once, a whole number of each team: then nobody waits however they meet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from missions.fleet import Base, Fleet
from missions.launch_book import launch_as_one
from missions.options import PlanOptions
from missions.patrol import Period, Roster
from missions.sortie import Sortie
from missions.turns import kind_of, turns_of

__all__ = ["Paces", "paces"]

Paces = Mapping[Roster, float]
"""By how much the rounds of each roster are drawn out, at least 1; of those that are not in it by nothing."""

_WHOLE = 1e-9


@dataclass(frozen=True, slots=True)
class _Use:
    """What a roster uses of one base in one of its rounds.

    Parameters
    ----------
    look_s
        From one look to the next where nobody waits, seconds.
    held, launching
        Batteries in the air or on the charger, and share of the time that the base has to itself for a take-off, on the
        mean.
    """

    roster: Roster
    base: Base
    look_s: float
    held: float
    launching: float


def paces(
    periods: Sequence[Period], sorties: Sequence[Sortie], fleet: Fleet, options: PlanOptions
) -> Iterator[list[Paces]]:
    """Ways to draw rounds out, one mapping for each period; none where no base is short of anything."""
    uses = [_uses(period, sorties, fleet, options) for period in periods]
    seen: list[list[Paces]] = [[{} for _ in periods]]
    for way in (_alike, _level, _whole):
        found = [_paces(own, options, way) for own in uses]
        if found not in seen:
            seen.append(found)
            yield found


def _uses(period: Period, sorties: Sequence[Sortie], fleet: Fleet, options: PlanOptions) -> list[_Use]:
    out = []
    for roster in period.rosters:
        if not roster.sorties:
            continue
        turns = turns_of(roster.sorties, sorties)
        round_s = float(turns.slots_s.sum())
        vehicles = [vehicle for vehicle in fleet.vehicles if vehicle.sysid in roster.sysids]
        for base in dict.fromkeys(vehicle.base for vehicle in vehicles):
            held = launching = 0.0
            for vehicle in (vehicle for vehicle in vehicles if vehicle.base == base):
                own = turns.kinds[kind_of(vehicle, turns, sorties, fleet)]
                # A battery is held for the flight and its charging.
                held += sum(sorties[k].duration_s + base.charge_s for k in own) / round_s
                launching += len(own) * options.launch_interval_s / round_s
            out.append(_Use(roster, base, round_s / len(vehicles), held, launching))
    return out


def _paces(uses: Sequence[_Use], options: PlanOptions, way: Callable[[Sequence[_Use], int], Sequence[float]]) -> Paces:
    out: dict[Roster, float] = {}
    for base in dict.fromkeys(use.base for use in uses):
        own = [use for use in uses if use.base == base]
        launching = sum(use.launching for use in uses if launch_as_one(base, use.base, options))
        charging = [1.0] * len(own) if base.batteries is None else way(own, base.batteries)
        for use, drawn in zip(own, charging, strict=True):
            if (most := max(drawn, launching)) > 1:
                out[use.roster] = max(out.get(use.roster, 1.0), most)
    return out


def _alike(uses: Sequence[_Use], batteries: int) -> Sequence[float]:
    return [max(1.0, sum(use.held for use in uses) / batteries)] * len(uses)


def _level(uses: Sequence[_Use], batteries: int) -> Sequence[float]:
    """The least x at which looks every x or less often use no more than there is: between two of the looks it is exact.

    With those quicker than x at x each uses held * look / x, and the others what they use.
    """
    order = sorted(uses, key=lambda use: use.look_s)
    level, quick, rest = 0.0, 0.0, sum(use.held for use in uses)
    for k, use in enumerate(order):
        if quick / use.look_s + rest <= batteries:
            break
        quick, rest = quick + use.held * use.look_s, rest - use.held
        slower = order[k + 1].look_s if k + 1 < len(order) else math.inf
        level = min(quick / (batteries - rest), slower) if rest < batteries else slower
    return _drawn(uses, level)


def _whole(uses: Sequence[_Use], batteries: int) -> Sequence[float]:
    """The same where each holds a whole number at once; alike where there are not as many batteries as teams."""
    if batteries < len(uses):
        return _level(uses, batteries)
    # It falls only where somebody holds one less.
    levels = sorted({use.held * use.look_s / n for use in uses for n in range(1, batteries + 1)} | {0.0})
    for level in levels:
        drawn = _drawn(uses, level)
        if sum(math.ceil(use.held / more - _WHOLE) for use, more in zip(uses, drawn, strict=True)) <= batteries:
            return drawn
    return _level(uses, batteries)


def _drawn(uses: Sequence[_Use], level_s: float) -> Sequence[float]:
    return [max(1.0, level_s / use.look_s) for use in uses]
