"""What the pieces of a course weigh over a shift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from missions.options import Objective
from missions.setting import Setting

__all__ = ["Span", "joined", "risk_spans"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the shift, seconds after its start, and what each piece of the course weighs then, shape (n - 1,)."""

    from_s: float
    to_s: float
    weights: Floats


def risk_spans(setting: Setting) -> list[Span]:
    """Parts of the shift within which all weights stay the same; without risk it is one, and all weights are 1."""
    shift_s = setting.options.shift_s
    if setting.options.objective is not Objective.RISK:
        return [Span(0.0, shift_s, np.ones(len(setting.needed)))]
    out: list[Span] = []
    for start, stop in pairwise([0.0, *setting.risk.changes(setting.clock, shift_s), shift_s]):
        span = Span(start, stop, setting.weights((start + stop) / 2))
        if out and np.array_equal(out[-1].weights, span.weights):
            span = replace(span, from_s=out.pop().from_s)
        out.append(span)
    return out


def joined(spans: Sequence[Span]) -> Span:
    """One span with the mean of the weights over all of its time.

    With the weight as the rate of what happens at a place, one that is left alone for R seconds at a time misses, on
    the mean, R times its mean weight.
    """
    mean = np.average([s.weights for s in spans], axis=0, weights=[s.to_s - s.from_s for s in spans])
    return Span(spans[0].from_s, spans[-1].to_s, np.asarray(mean))
