"""What a validation reports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Rule", "Validation", "finite"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What was checked of one rule.

    Parameters
    ----------
    name
        The rule in words.
    checked
        How many things were checked.
    worst, limit, unit
        The figure nearest to breaking it, and what it must keep; `worst` is None where there was nothing to measure.
    broken
        One sentence for each thing that breaks it.
    """

    name: str
    checked: int
    worst: float | None
    limit: float | None
    unit: str
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Validation:
    """The report of a validation: every rule that applies, in a fixed order."""

    rules: tuple[Rule, ...]

    @property
    def violations(self) -> list[str]:
        """Every rule that is broken, one sentence each."""
        return [sentence for rule in self.rules for sentence in rule.broken]


def finite(value: float) -> float | None:
    """A figure, or None where there was nothing to measure."""
    return float(value) if np.isfinite(value) else None
