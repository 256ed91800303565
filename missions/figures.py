"""Figures that a value is made of: numbers within limits, or refused by name; and how a length is told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from missions.errors import MissionsError

__all__ = ["LATER", "check_counts", "length_told", "number_within", "store_figures"]

LATER = MappingProxyType({"later": True})
"""Metadata of a field that plan files of earlier versions lack; they are read with its default, but for what
`load_plan` knows better."""


def number_within(what: str, value: object, low: float, high: float, error: type[MissionsError]) -> float:
    """A finite number between two limits, both allowed.

    Parameters
    ----------
    what
        What it is called in the message.
    value
        What was given; True and False are no numbers.
    low, high
        The limits.
    error
        What is raised.

    Raises
    ------
    MissionsError
        Of the kind `error`, when it is no such number.
    """
    # NaN is within no limits; a whole number may be too large to ask whether it is finite.
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high or math.isinf(value):
        raise error(f"{what} is {value!r}: give a number between {low:g} and {high:g}")
    return float(value)


def store_figures(
    owner: object, limits: Mapping[str, tuple[float, float]], what: str, error: type[MissionsError]
) -> None:
    """Check fields of a frozen dataclass as `number_within` does, and store them as floats.

    Parameters
    ----------
    owner
        The value, in its ``__post_init__``.
    limits
        Lowest and highest of each field, by name.
    what
        What comes before the name of the field in the message.
    error
        What is raised.
    """
    for name, (low, high) in limits.items():
        object.__setattr__(owner, name, number_within(f"{what} {name}", getattr(owner, name), low, high, error))


def check_counts(owner: object, limits: Mapping[str, tuple[int, int]], what: str, error: type[MissionsError]) -> None:
    """Check fields that count something: whole numbers within limits. Parameters are those of `store_figures`."""
    for name, (low, high) in limits.items():
        value = getattr(owner, name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise error(f"{what} {name} is {value!r}: give a whole number from {low} to {high}")


def length_told(length_m: float) -> str:
    """A length in words: whole metres, or tenths of a kilometre."""
    return f"{length_m / 1000:.1f} km" if round(length_m) >= 1000 else f"{length_m:.0f} m"
