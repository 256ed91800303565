"""Heights along a way that an aircraft can climb and descend to, as near to those that are wanted as may be.

The least heights above some bounds that rise no faster than an aircraft climbs and fall no faster than it descends are
the envelope of cones that stand on the bounds; two sweeps along the way find it, one forwards and one backwards. Least
and greatest of two such lines of heights, and their mean, are such lines again: all that is done here is made of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Followed", "Slopes", "followed"]

Floats = NDArray[np.float64]


class Slopes(NamedTuple):
    """How much may be climbed, and how much descended, from the first sample of a way to each, metres, shape (n,)."""

    up_m: Floats
    down_m: Floats

    @classmethod
    def of(cls, up_m: Floats, down_m: Floats) -> Slopes:
        """From what may be climbed and descended between samples, metres, shape (n - 1,)."""
        return cls(*(np.concatenate([[0.0], np.cumsum(part)]) for part in (up_m, down_m)))

    def above(self, low_m: Floats) -> Floats:
        """The least heights that can be flown and are nowhere below `low_m`, metres, shape (n,)."""
        passed = np.maximum.accumulate(low_m + self.down_m) - self.down_m
        ahead = np.maximum.accumulate((low_m - self.up_m)[::-1])[::-1] + self.up_m
        return np.asarray(np.maximum(passed, ahead))

    def below(self, high_m: Floats) -> Floats:
        """The greatest heights that can be flown and are nowhere above `high_m`, metres, shape (n,)."""
        passed = np.minimum.accumulate(high_m - self.up_m) + self.up_m
        ahead = np.minimum.accumulate((high_m + self.down_m)[::-1])[::-1] - self.down_m
        return np.asarray(np.minimum(passed, ahead))


class Followed(NamedTuple):
    """Heights along a way, and where there are none within the bounds.

    Parameters
    ----------
    height_m
        Heights, metres, shape (n,): nowhere below the lower bounds.
    over_m
        By how much they are above the upper bounds, metres, shape (n,): above 0 only where no heights fit.
    under_m
        By how much the greatest heights that keep the upper bounds are below the lower ones, metres, shape (n,).
    """

    height_m: Floats
    over_m: Floats
    under_m: Floats

    @property
    def blocked(self) -> NDArray[np.bool_]:
        """A small set of samples without which the parts of the way between them can be flown, shape (n,).

        Without the valleys that are too deep, or without the tops that are too high, whichever are fewer: parts of a
        way ask for no more than the whole.
        """
        over, under = self.over_m > _SAME_M, self.under_m > _SAME_M
        return over if over.sum() <= under.sum() else under


_SAME_M = 1e-6


def followed(low_m: Floats, high_m: Floats, wanted_m: Floats, planned: Slopes, slowest: Slopes) -> Followed:
    """Heights between bounds that can be flown.

    At the speed that is planned they are those of which the largest distance from what is wanted is the least: the mean
    of the envelopes from above and from below. Where these leave the bounds, the slopes of the slowest flight serve.

    Parameters
    ----------
    low_m, high_m, wanted_m
        Bounds, and what is wanted, at samples of a way, metres, shape (n,).
    planned, slowest
        Slopes at the speed that is planned, and at the lowest: these are nowhere less.
    """
    height = (planned.above(wanted_m) + planned.below(wanted_m)) / 2
    for slopes in (planned, slowest):
        least, greatest = slopes.above(low_m), slopes.below(high_m)
        height = np.maximum(least, np.minimum(greatest, height))
    return Followed(height, least - high_m, low_m - greatest)
