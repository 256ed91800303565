"""PyVRP as a peer of the partition: ``python -m bench.peer_pyvrp``, an instance in, tours out, both JSON.

PyVRP has no objective of the longest tour: the limit on ``shift_duration`` is bisected, and each probe ends with the
first plan that keeps it. It begins at the even split, which gives the upper end and the first solution; what a probe
leaves is where the next one begins. Once the limits meet, the bisection starts again below them with another seed and
from PyVRP's own first solution, until the time is over. All plans on the way count, by their exact times.

It needs two dense matrices of 64-bit integers. More than `MOST_LEGS` legs are therefore solved in parts of the even
split, in an equal share of the time each.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pyvrp

from bench.legs import Legs, Tours, even_split, loaded, longest_s, matrix_s, middles

MOST_LEGS = 3000
"""Two matrices of 72 MB each; 30,000 legs would need two of 7.2 GB and a third while they are made."""

PART_LEGS = 600
"""Legs of a part where they are more: of 600 to 3,000 the best in the time that a part has."""

PROBES = 8
UNIT_S = 0.01
CLOSE = 5e-4


def solved(legs: Legs, limit_s: float) -> Tours:
    """The best tours that were found in the time."""
    split = even_split(legs)
    if _parts(legs) == 1:
        return _bisected(legs, split, limit_s)
    parts = _parts(legs)
    drones = list(split)
    tours: Tours = {}
    for some in np.array_split(drones, parts):
        own = some.tolist()
        places = [leg for drone in own for leg in split[drone]]
        index = {leg: k for k, leg in enumerate(places)}
        part = replace(legs, ends_m=legs.ends_m[places], base_m=legs.base_m[own])
        start = {k: [index[leg] for leg in split[drone]] for k, drone in enumerate(own)}
        for k, order in _bisected(part, start, limit_s / parts).items():
            tours[own[k]] = [places[leg] for leg in order]
    return tours


def _parts(legs: Legs) -> int:
    count = len(legs.ends_m)
    return 1 if count <= MOST_LEGS else min(-(-count // PART_LEGS), len(legs.base_m))


class _Model:
    """The instance as PyVRP has it; one vehicle type a base."""

    def __init__(self, legs: Legs) -> None:
        bases, first, which = np.unique(legs.base_m, axis=0, return_index=True, return_inverse=True)
        position, _ = middles(legs, bases)
        matrix: Any = np.rint(matrix_s(legs, first.tolist()) / UNIT_S).astype(np.int64)
        np.fill_diagonal(matrix, 0)
        self.legs = legs
        self.drones = [np.flatnonzero(which.ravel() == k).tolist() for k in range(len(bases))]
        count = len(legs.ends_m)
        service = np.rint(legs.patrol_s / UNIT_S).astype(int).tolist()
        self.data: Any = pyvrp.ProblemData(
            [pyvrp.Location(*xy) for xy in position.tolist()],
            [pyvrp.Client(k, service_duration=s) for k, s in enumerate(service)],
            [pyvrp.Depot(count + k) for k in range(len(bases))],
            [pyvrp.VehicleType(len(own), start_depot=k, end_depot=k) for k, own in enumerate(self.drones)],
            [matrix],
            [matrix],
        )

    def limited(self, limit_s: float) -> Any:
        """The same with a limit on the time of each vehicle."""
        types = [kind.replace(shift_duration=int(limit_s / UNIT_S)) for kind in self.data.vehicle_types()]
        return self.data.replace(vehicle_types=types)

    def solution(self, data: Any, tours: Tours) -> Any:
        """Tours as a solution of PyVRP."""
        base_of = {drone: k for k, own in enumerate(self.drones) for drone in own}
        return pyvrp.Solution(data, [pyvrp.Route(data, order, base_of[d]) for d, order in tours.items() if order])

    def tours(self, solution: Any) -> Tours:
        """A solution of PyVRP as tours."""
        free = [list(own) for own in self.drones]
        return {
            free[route.vehicle_type()].pop(): [step.idx for step in route if step.is_client()]
            for route in solution.routes()
        }


def _bisected(legs: Legs, start: Tours, limit_s: float) -> Tours:
    end = time.monotonic() + limit_s
    model = _Model(legs)
    best, best_s = start, longest_s(legs, start)
    warm: Tours | None = start
    least = float(legs.patrol_s.sum()) / len(legs.base_m)
    low, high = least, max(r.duration() for r in model.solution(model.data, start).routes()) * UNIT_S
    seed = 0
    while (now := time.monotonic()) < end:
        data = model.limited((low + high) / 2)
        stop = _FirstPlanOr(min(end, now + limit_s / PROBES))
        first = None if warm is None else model.solution(data, warm)
        found = pyvrp.solve(data, stop, seed=seed, collect_stats=False, initial_solution=first).best
        seed += 1
        if found.is_complete():
            warm = model.tours(found)
            if (value := longest_s(legs, warm)) < best_s:
                best, best_s = warm, value
        if found.is_feasible():
            high = min((low + high) / 2, max(r.duration() for r in found.routes()) * UNIT_S)
        else:
            low = (low + high) / 2
        if high - low < CLOSE * high:
            low, warm = max(least, 0.95 * high), None
    return best


class _FirstPlanOr:
    """Stop at the first plan within the limit, or at a time."""

    def __init__(self, end: float) -> None:
        self.end = end

    def __call__(self, best_cost: float) -> bool:
        return best_cost < np.iinfo(np.int64).max or time.monotonic() >= self.end


def _main() -> None:
    # A probe below what is possible is meant to fail: PyVRP's advice on penalties is no news.
    warnings.simplefilter("ignore")
    asked = json.load(sys.stdin)
    legs = loaded(asked)
    tours, parts = solved(legs, asked["limit_s"]), _parts(legs)
    json.dump({"tours": sorted(tours.items()), "note": f", in {parts} parts" if parts > 1 else ""}, sys.stdout)


if __name__ == "__main__":
    _main()
