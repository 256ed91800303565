"""Once it is known who is slowest, the rest of the course is shared out among the others anew.

`share_out` makes the longest round as short as can be and fills up to it from the start of the course: where one team
alone comes to some far part, and needs long for it, others would do as much as that limit lets them, and the last
nothing. So the slowest keeps its stretch, and the rest is shared out for the longest round of the others, again and
again: the longest round is no longer than it was, nor is the longest of the others, and so on down, so that places that
can be seen more often are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from missions.dividing import TRIALS, TRIED_STATIONS, Shared, of_those_who_fly, shared_by, sized, watched
from missions.setting import Setting
from missions.stretch import Team

__all__ = ["evened"]

Floats = NDArray[np.float64]

_BETTER = 0.99
"""By this factor the longest round of the others has to become shorter."""

_IN_VAIN = 3
"""After so many of the slowest without whom the others are no better off the rest stays as it is."""


def evened(setting: Setting, teams: Sequence[Team], shared: Shared, weights: Floats) -> Shared:
    """What is shared out with the longest rounds of all but the slowest made short, and then of all but those two.

    Parameters
    ----------
    setting
        What is planned with.
    teams
        What sorties cost, of the crews that the parts are of.
    shared
        The course as it is shared out; as many pieces are seen after it.
    weights
        Risk weight of each piece, shape (n - 1,).
    """
    left = min(TRIALS, TRIED_STATIONS // len(weights))
    # Who flies nothing and has no batteries of its own leaves those of its base to the others.
    flying = of_those_who_fly(setting, teams, shared.flying)
    own = [sized(flying[crew], size) for crew, size in shared.parts]
    still = set(range(len(own)))
    vain = 0
    while len(still) > 1 and vain < _IN_VAIN and left > 0:
        slowest = max(still, key=lambda part: shared.rounds[part])
        still.discard(slowest)
        most = max(shared.rounds[part] for part in still)
        if most > _BETTER * shared.rounds[slowest] and vain:
            # As slow as one whose leaving was of no use.
            vain += 1
            continue
        left -= 1
        other = _anew(setting, own, shared, sorted(still), weights)
        if other is not None and max(other.rounds[part] for part in still) < _BETTER * most:
            shared, vain = other, 0
        else:
            vain += 1
    return shared


def _anew(
    setting: Setting, own: Sequence[Team], shared: Shared, still: Sequence[int], weights: Floats
) -> Shared | None:
    """What some parts watch shared out among them anew; None where they would see less."""
    kept = [block for block in shared.blocks if block.team not in still]
    needed = setting.needed & ~watched(kept, len(weights))
    if not needed.any():
        return None
    blocks, rounds = shared_by(setting, [own[part] for part in still], weights, needed)
    blocks = [replace(block, team=still[block.team]) for block in blocks]
    every = sorted((*kept, *blocks), key=lambda block: (block.start, block.stop))
    seen = watched(every, len(weights)) & setting.needed
    if int(seen.sum()) < int(shared.seen.sum()):
        return None
    all_rounds = list(shared.rounds)
    for part, round_s in zip(still, rounds, strict=True):
        all_rounds[part] = round_s
    return Shared(shared.parts, tuple(every), seen, tuple(all_rounds))
