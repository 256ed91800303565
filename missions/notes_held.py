"""Which notes of a plan hold for the rest of its round as well: those about its lines, zones, wind and aircraft."""

from __future__ import annotations

from collections.abc import Collection

from missions.overflown import OVERFLOWN
from missions.patrol import PatrolPlan

__all__ = ["CHARGED", "HOMEWARD", "ONCE_FLOWN", "notes_held"]

ONCE_FLOWN = "each sortie that is left is flown once, times count from now: after it fly the plan that this one resumes"
CHARGED, HOMEWARD = " needs a fresh battery: ", " flies home: "
"""What the rest of a sortie does, after its name."""

_OF_ITS_ROUNDS = ("no plan of ",)
_OF_ITS_RISK = ("the risk ", "risk from ", "hours of risk ", "within the shift the clock ")
"""How notes begin about the figure of a plan that is flown again and again, and about the hours of its shift."""


def notes_held(plan: PatrolPlan, left: Collection[str]) -> tuple[str, ...]:
    """The notes of a plan that hold when only the sorties are flown that are `left`, by name, once, from now on."""
    gone = {sortie.name for sortie in plan.sorties} - set(left)
    passed = tuple(name + what for name in gone for what in (CHARGED, HOMEWARD, OVERFLOWN))
    untrue = (*_OF_ITS_ROUNDS, *_OF_ITS_RISK, *passed)
    return tuple(note for note in plan.notes if note != ONCE_FLOWN and not note.startswith(untrue))
