"""Which sorties make one round of a plan, once some of it was flown."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from missions.patrol import PatrolPlan, Roster
from missions.sortie import Sortie
from missions.turns import turns_of

__all__ = ["round_left"]


def round_left(plan: PatrolPlan, broken: Collection[str], finished: Collection[str]) -> list[Sortie]:
    """The sorties of the first period in which all that broke off are flown; of all periods where there is none.

    Of sorties of several types of aircraft over one stretch those that broke off, or else one, where none is finished.
    """
    for period in plan.periods:
        own = {number for roster in period.rosters for number in roster.sorties}
        sorties = [sortie for number, sortie in enumerate(plan.sorties) if number in own]
        if {sortie.name for sortie in sorties} >= set(broken):
            others = {number for roster in period.rosters for number in _others(plan, roster, broken, finished)}
            return [plan.sorties[number] for number in sorted(own - others)]
    return list(plan.sorties)


def _others(plan: PatrolPlan, roster: Roster, broken: Collection[str], finished: Collection[str]) -> Iterator[int]:
    """The sorties of a roster over stretches that another of them watches in this round."""
    for same in zip(*turns_of(roster.sorties, plan.sorties).kinds, strict=True) if roster.sorties else ():
        flown = [number for number in same if plan.sorties[number].name in {*broken, *finished}]
        kept = flown or same[:1]
        yield from (number for number in same if number not in kept)
