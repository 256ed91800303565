"""A lower bound on the longest time of any drone that `bench.legs` can be seen in, whatever the tours.

Take some legs that follow on one another, from A to B, and the lines across the straight line from A to B. Each such
line is crossed an odd number of times by these legs, so that some drone patrols an odd number of them across it; its
tour is closed, crosses every line an even number of times, and so crosses this one otherwise as well. Together the
drones therefore move at least the distance A to B without patrolling these legs, at cruise speed or slower; each that
comes from outside moves there and back as well. Movement along two axes at right angles takes at least any
``cos(t) * along + sin(t) * across``, which joins the way along the border with the way to it. A drone that lands within
T has T less its own way for its part; the least T for which all parts are enough is a bound, and the largest over many
stretches of legs is given. The other bound is the leg that takes even the nearest drone the longest.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from bench.legs import Legs, apart_m

__all__ = ["lower_bound_s"]

Floats = NDArray[np.float64]

STRETCHES = 80
"""Places between which stretches are tried."""

ANGLES = np.radians([0.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0])


def lower_bound_s(legs: Legs) -> float:
    """No tours see all legs with every drone back within less."""
    count = len(legs.ends_m)
    cuts = np.unique(np.linspace(0, count, min(STRETCHES, count) + 1).astype(int)).tolist()
    shares = [_share_s(legs, start, stop) for start, stop in combinations(cuts, 2)]
    return max(_hardest_s(legs), *shares)


def _hardest_s(legs: Legs) -> float:
    best = np.full(len(legs.ends_m), np.inf)
    for base in np.unique(legs.base_m, axis=0):
        np.minimum(best, apart_m(legs.ends_m, base).sum(axis=1), out=best)
    return float((best / legs.cruise_m_s + legs.patrol_s).max())


def _share_s(legs: Legs, start: int, stop: int) -> float:
    ends = legs.ends_m[start:stop]
    gaps_m = float(apart_m(ends[:-1, 1], ends[1:, 0]).sum())
    along = ends[-1, 1] - ends[0, 0]
    chord_m = float(np.hypot(*along))
    along = along / chord_m if chord_m > 0 else np.array([1.0, 0.0])
    axes = np.column_stack([along, [-along[1], along[0]]])
    own, bases = ends.reshape(-1, 2) @ axes, legs.base_m @ axes
    way = 2 * (np.maximum(own.min(axis=0) - bases, 0) + np.maximum(bases - own.max(axis=0), 0))
    # Lines that the way over a gap crosses may be crossed an even number of times by the legs.
    common_m = np.append(np.cos(ANGLES) * max(chord_m - gaps_m, 0.0), 0.0)
    own_m = np.vstack([np.cos(ANGLES)[:, None] * way[:, 0] + np.sin(ANGLES)[:, None] * way[:, 1], np.hypot(*way.T)])
    work_s = float(legs.patrol_s[start:stop].sum()) + common_m / legs.cruise_m_s
    # The nearest m drones share the work; the best m is the one with the least time.
    ways_s = np.cumsum(np.sort(own_m / legs.cruise_m_s, axis=1), axis=1)
    return float(((work_s[:, None] + ways_s) / np.arange(1, len(bases) + 1)).min(axis=1).max())
