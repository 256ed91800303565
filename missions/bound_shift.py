"""A lower bound for the revisit interval in one shift that begins with all batteries charged.

In the long run a base launches no more than its charger allows. In one shift it launches more, so that what bounds the
long run bounds no shift; how often everything can be looked at from its beginning to its end does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from missions.bound_stretches import Batteries, relaxed
from missions.stretch import Team
from missions.stretch_programme import kinds_of

__all__ = ["shift_bound"]

_ROUNDED = 1e-9


def shift_bound(
    teams: Sequence[Team],
    demand: NDArray[np.bool_],
    *,
    shift_s: float,
    longest_s: float,
    passable: NDArray[np.bool_] | None = None,
    batteries: Sequence[Batteries] = (),
) -> float:
    """No schedule of sorties over one stretch each leaves no place of the demand alone for longer in a shift, seconds.

    Before its first look a place is left alone until somebody takes off for it, after its last until the shift ends.

    Parameters
    ----------
    teams, demand, passable, batteries
        As those of `missions.bound_stretches.stretch_bound`.
    shift_s
        Length of the shift, seconds.
    longest_s
        No sortie takes longer than this, seconds.

    Notes
    -----
    With R the longest time, a place is looked at first by R + `longest_s`, then every R, and last not before the end
    less R: n times with (n + 1) R >= shift - longest. At any prices n looks at everything cost n times the cheapest
    one. Whoever takes off in the shift has aircraft and battery back by its end and as long as a sortie with what
    follows it, so that there is only so much to pay with, and the greatest n is known.

    And since all have taken off for their first look by R, a single coverage has landed by R + `longest_s`.
    """
    kinds = kinds_of(teams, passable, len(demand) + 1)
    least_s, price = relaxed(kinds, teams, demand, batteries)
    if not 0 < least_s < math.inf:
        return 0.0
    capacity = np.array([float(team.size) for team in teams] + [float(pool.count) for pool in batteries])
    after_s = np.array([team.turn_round_s for team in teams] + [pool.charge_s for pool in batteries])
    there_is_s = float((shift_s + longest_s + after_s) @ (capacity * price))
    looks = math.floor(there_is_s / least_s + _ROUNDED)
    once_s, _ = relaxed(kinds, teams, demand, batteries, once=True)
    return max((shift_s - longest_s) / (looks + 1), once_s - longest_s, 0.0)
