"""Aircraft that relieve each other on one stretch: what each of them flies in a turn, and how long a turn takes.

Aircraft of one type at one base fly the same sorties. Where they are of several types, or come from several bases,
each kind has sorties of its own, as many, in the same order, over the same stretches; a turn is then as long as whoever
needs longest for it, and all are at the middle of their stretch at the same moment of it: whoever is there sooner takes
off later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from missions.errors import PlanError
from missions.fleet import Base, Fleet, Vehicle
from missions.sortie import Sortie

__all__ = ["Turns", "kind_of", "turns_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Turns:
    """The turns of a roster.

    Parameters
    ----------
    kinds
        Numbers of the sorties of each type of aircraft at each base, turn by turn.
    slots_s
        From one turn to the next, turn-round included, seconds, shape (n,).
    late_s
        How long after the beginning of a turn each kind takes off, seconds, shape (kinds, n).
    """

    kinds: tuple[tuple[int, ...], ...]
    slots_s: Floats
    late_s: Floats


def turns_of(numbers: Sequence[int], sorties: Sequence[Sortie]) -> Turns:
    """The turns of a roster, from the numbers of its sorties, at least one, among all of the plan.

    Raises
    ------
    PlanError
        When its kinds of aircraft have not as many sorties each, as in a plan that was not made here.
    """
    by_kind: dict[tuple[int, Base], list[int]] = {}
    for number in numbers:
        by_kind.setdefault((sorties[number].observation, sorties[number].vehicle.base), []).append(number)
    counts = [len(own) for own in by_kind.values()]
    if len({*counts}) > 1:
        names = ", ".join(sorties[number].name for number in numbers)
        raise PlanError(
            f"roster of sorties {names}: its kinds of aircraft have {' and '.join(map(str, counts))} of them, and "
            "those that relieve each other have as many each: plan anew"
        )
    whole_s = np.array([[_whole_s(sorties[number]) for number in own] for own in by_kind.values()])
    kinds = tuple(map(tuple, by_kind.values()))
    if len(kinds) == 1:
        return Turns(kinds, whole_s[0], np.zeros_like(whole_s))
    middle_s = np.array([[_middle_s(sorties[number]) for number in own] for own in by_kind.values()])
    latest_s = middle_s.max(axis=0)
    return Turns(kinds, latest_s + (whole_s - middle_s).max(axis=0), latest_s - middle_s)


def kind_of(vehicle: Vehicle, turns: Turns, sorties: Sequence[Sortie], fleet: Fleet) -> int:
    """Which of the kinds of a roster an aircraft is of, by number.

    Raises
    ------
    ValueError
        When it is of none of them.
    """
    if len(turns.kinds) == 1:
        return 0
    leaders = [sorties[own[0]].vehicle for own in turns.kinds]
    of = [(v.aircraft, fleet.camera_of(v), v.base) for v in leaders]
    return of.index((vehicle.aircraft, fleet.camera_of(vehicle), vehicle.base))


def _whole_s(sortie: Sortie) -> float:
    return sortie.duration_s + sortie.vehicle.aircraft.turn_round_s


def _middle_s(sortie: Sortie) -> float:
    """From take-off to half of the time between the first and the last of what is watched, seconds."""
    clock = np.cumsum([0.0, *(leg.duration_s for leg in sortie.legs)])
    return float(clock[sortie.runs[0].start] + clock[sortie.runs[-1].stop]) / 2
