"""Lower bounds: what no plan can do better than, with the words that say which plans that speaks of.

Every bound here is the dual of one relaxation. Let sorties be chosen as often as one likes, in fractions, so that every
piece of the line is looked at once in every interval R. In the long run the time that the sorties of a team take, its
turn-rounds included, cannot be more than R for each of its aircraft, nor the time for which they hold a battery, on the
aircraft or on the charger, more than R for each battery of the base. Any prices on these resources that are worth 1 in
all make a bound: the least price at which everything can be looked at once (weak duality). `dearest` looks for the
prices that make it greatest; wherever it stops, the figure holds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy
from numpy.typing import NDArray

__all__ = ["best_prices", "dearest"]

Floats = NDArray[np.float64]

_ROUNDS = 60
_CLOSE = 2e-3
_WIDE, _NARROWEST = 4.0, 1.02


def dearest(capacity: Floats, respond: Callable[[Floats], Floats], spare: Floats | None = None) -> float:
    """The greatest bound over prices, or one close to it. Parameters are those of `best_prices`."""
    return best_prices(capacity, respond, spare)[0]


def best_prices(
    capacity: Floats, respond: Callable[[Floats], Floats], spare: Floats | None = None
) -> tuple[float, Floats]:
    """The greatest bound over prices, or one close to it, and these prices.

    Parameters
    ----------
    capacity
        How much there is of each resource in a unit of time, shape (m,), above zero.
    respond
        From prices, shape (m,), to what the cheapest way to look at everything once uses of each resource, shape (m,);
        infinite where there is none.
    spare
        Time that each unit of a resource has beyond the interval, shape (m,): none by default.

    Notes
    -----
    Kelley's cutting planes within a box about the best prices so far, widened while that helps and narrowed when not.
    """
    capacity = np.asarray(capacity, dtype=float)
    given = capacity * (0.0 if spare is None else spare)
    best_price = np.full(len(capacity), 1.0 / capacity.sum())
    price, best = best_price, -np.inf
    cuts: list[Floats] = []
    width = _WIDE
    for _ in range(_ROUNDS if len(capacity) > 1 else 1):
        used = respond(price)
        if not np.isfinite(used).all():
            return float(np.inf), price
        value = float((used - given) @ price)
        if value > best:
            best, best_price = value, price
        else:
            width = max(_NARROWEST, np.sqrt(width))
        cuts.append(used - given)
        found = _master(capacity, cuts, best_price, width)
        if found is None:
            break
        promised, price = found
        if promised - best <= _CLOSE * abs(best):
            if width >= _WIDE or len(capacity) == 1:
                break
            # Nothing left in the box: a last look outside it.
            width = _WIDE
    return max(best, 0.0), best_price


def _master(capacity: Floats, cuts: list[Floats], about: Floats, width: float) -> tuple[float, Floats] | None:
    """Prices in a box about the best ones that the cuts so far promise most for, and what they promise."""
    count = len(capacity)
    floor = 1e-4 / capacity.sum()
    low, high = np.maximum(about / width - floor, 0.0), about * width + floor
    # Maximise z with z <= cut . price, capacity . price = 1.
    solved = scipy.optimize.linprog(
        np.append(np.zeros(count), -1.0),
        A_ub=np.column_stack([-np.array(cuts), np.ones(len(cuts))]),
        b_ub=np.zeros(len(cuts)),
        A_eq=np.append(capacity, 0.0)[None],
        b_eq=[1.0],
        bounds=[*zip(low, high, strict=True), (None, None)],
        method="highs",
    )
    return (float(solved.x[-1]), np.asarray(solved.x[:-1])) if solved.x is not None else None
