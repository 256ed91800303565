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
    master = _Master(capacity) if len(capacity) > 1 else None
    width = _WIDE
    for _ in range(_ROUNDS):
        used = respond(price)
        if not np.isfinite(used).all():
            return float(np.inf), price
        value = float((used - given) @ price)
        if value > best:
            best, best_price = value, price
        else:
            width = max(_NARROWEST, np.sqrt(width))
        if master is None:
            break
        master.cut(used - given)
        found = master.best(best_price, width)
        if found is None:
            break
        promised, price = found
        if promised - best <= _CLOSE * abs(best):
            if width >= _WIDE:
                break
            # Nothing left in the box: a last look outside it.
            width = _WIDE
    return max(best, 0.0), best_price


class _Master:
    """The prices that the cuts so far promise most for: one more cut is one more row, solved on from the last ones."""

    def __init__(self, capacity: Floats) -> None:
        from missions.solver import Solver  # noqa: PLC0415 - one resource needs none

        count = len(capacity)
        self._columns = np.arange(count + 1, dtype=np.int32)
        self._floor = 1e-4 / capacity.sum()
        self._solver = Solver()
        # Maximise z with z <= cut . price, capacity . price = 1.
        free = self._solver.inf
        self._solver.addVars(count + 1, np.append(np.zeros(count), -free), np.full(count + 1, free))
        self._solver.changeColCost(count, -1.0)
        self._solver.addRow(1.0, 1.0, count, self._columns[:-1], capacity)

    def cut(self, used: Floats) -> None:
        """Whatever the prices are, no more is promised than they come to for this."""
        self._solver.addRow(0.0, self._solver.inf, len(self._columns), self._columns, np.append(used, -1.0))

    def best(self, about: Floats, width: float) -> tuple[float, Floats] | None:
        """What is promised, and for which prices, in a box about the best ones."""
        low, high = np.maximum(about / width - self._floor, 0.0), about * width + self._floor
        self._solver.changeColsBounds(len(about), self._columns[:-1], low, high)
        if not self._solver.solved():
            return None
        values = np.array(self._solver.getSolution().col_value)
        return float(values[-1]), values[:-1]
