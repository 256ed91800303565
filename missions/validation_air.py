"""What validation takes thin air for, written anew from the tables of the standard atmosphere: nothing is shared."""

from __future__ import annotations

from missions.sortie import BENDING, Leg, Sortie

__all__ = ["thinnest", "true_by_equivalent"]


def true_by_equivalent(leg: Leg, *, highest: bool = False) -> float:
    """True airspeed by equivalent airspeed midway on a leg, or at its higher end.

    Below 11 km the temperature falls by 2.25577 parts in a hundred thousand of that at sea level a metre, and the
    density as its power of 4.25588.
    """
    ends_m = leg.start.amsl_m, leg.end.amsl_m
    amsl_m = max(ends_m) if highest else sum(ends_m) / 2
    return float((1.0 - 2.25577e-5 * amsl_m) ** (-4.25588 / 2))


def thinnest(sortie: Sortie) -> float:
    """True airspeed by equivalent airspeed on the highest of the legs that bend with the border; 1 for rotors."""
    bending = [leg for leg in sortie.legs if leg.kind in BENDING and sortie.vehicle.aircraft.has_wings]
    return max((true_by_equivalent(leg, highest=True) for leg in bending), default=1.0)
