"""What ways rise and fall when they are flown over the ground, many ways at once, before any sortie is built."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from missions.fleet import Aircraft
from missions.flying import PROFILE_TOLERANCE_M, rises
from missions.options import PlanOptions
from missions.profile import needed
from missions.slopes import Slopes, followed

__all__ = ["UNFLYABLE", "ways_followed", "ways_straightened"]

Floats = NDArray[np.float64]

UNFLYABLE = 1e7
"""Seconds and watt hours that stand for a piece that cannot be flown: more than any aircraft has."""

_WALL_M = 100 * UNFLYABLE
"""A climb that takes more than that."""


def ways_followed(
    steps: Floats,
    rises_m: Floats,
    first: NDArray[np.int64],
    aircraft: Aircraft,
    *,
    layer_agl_m: float,
    options: PlanOptions,
    home: bool,
) -> Floats:
    """Rises of ways as wings fly them; more than any battery lifts where they cannot."""
    out = rises_m.copy()
    slopes = np.array(rises(aircraft, steps, aircraft.cruise_m_s, options.wind, patrol=False))
    fixed = -1 if home else 0
    for a, b in pairwise([*first.tolist(), len(steps)]):
        ground = np.concatenate([[0.0], np.cumsum(rises_m[a:b])])
        low, high = ground + options.floor_agl_m, ground + options.ceiling_agl_m
        high[-1 - fixed] = ground[-1 - fixed] + options.patrol_ceiling_agl_m
        low[fixed] = high[fixed] = ground[fixed] + layer_agl_m
        own = slopes[:, a:b]
        found = followed(low, high, ground + layer_agl_m, Slopes.of(*own[:2]), Slopes.of(*own[2:]))
        out[a:b] = _WALL_M if found.blocked.any() else np.diff(found.height_m)
    return out


def ways_straightened(steps: Floats, rises_m: Floats, first: NDArray[np.int64]) -> Floats:
    """Rises of ways as rotors fly them: straight from waypoint to waypoint over what is less than the tolerance."""
    out = rises_m.copy()
    for a, b in pairwise([*first.tolist(), len(steps)]):
        at = np.concatenate([[0.0], np.cumsum(np.hypot(*steps[a:b].T))])
        ground = np.concatenate([[0.0], np.cumsum(rises_m[a:b])])
        kept = needed(at, ground, PROFILE_TOLERANCE_M)
        out[a:b] = np.diff(np.interp(at, at[kept], ground[kept]))
    return out
