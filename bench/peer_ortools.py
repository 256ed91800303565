"""OR-Tools as a peer of the partition: an instance in, tours out, both JSON.

``.venv-peers/bin/python -m bench.peer_ortools`` (``make peers``): its protobuf is not that of the libraries here.

`ROUNDS` share the time. The first two build plans of their own and keep the longest tour short by the global span of
the time dimension. The others start from the best tours so far, at first the even split, and pay for the time of each
vehicle beyond 0.9 of the longest: of a span alone the search sees nothing until the longest tour itself is shorter.
The best by exact times counts. Up to `MOST_IN_MATRIX` places travel is a matrix, beyond that a function of positions,
since a matrix of 30,000 legs is more than the memory.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from bench.legs import Legs, Tours, even_split, loaded, longest_s, matrix_s, middles

MOST_IN_MATRIX = 4000
MOST_TO_CONSTRUCT = 4000
"""Legs up to which its own first solutions are tried: they look at all pairs, 900 million for 30,000 legs."""

UNIT_S = 0.01


@dataclass(frozen=True, slots=True)
class Round:
    """How the first solution is built (None: from the best so far), how the search goes on, and what it pays for."""

    first: str | None
    search: str
    span: int = 0
    late: int = 0


ROUNDS = (
    Round("PARALLEL_CHEAPEST_INSERTION", "GUIDED_LOCAL_SEARCH", span=100),
    Round("PATH_CHEAPEST_ARC", "GUIDED_LOCAL_SEARCH", span=100),
    Round(None, "SIMULATED_ANNEALING", late=10),
    Round(None, "TABU_SEARCH", late=10),
    Round(None, "GUIDED_LOCAL_SEARCH", late=100),
    Round(None, "GUIDED_LOCAL_SEARCH", span=100),
)


def solved(legs: Legs, limit_s: float) -> Tours:
    """The best tours that were found in the time."""
    end = time.monotonic() + limit_s
    best = even_split(legs)
    best_s = longest_s(legs, best)
    rounds = [r for r in ROUNDS if r.first is None or len(legs.ends_m) <= MOST_TO_CONSTRUCT]
    for number, one in enumerate(rounds):
        share_s = (end - time.monotonic()) / (len(rounds) - number)
        tours = _searched(legs, best, one, share_s, 0.9 * best_s)
        if tours is not None and (value := longest_s(legs, tours)) < best_s:
            best, best_s = tours, value
    return best


def _searched(legs: Legs, best: Tours, how: Round, limit_s: float, target_s: float) -> Tours | None:
    end = time.monotonic() + limit_s
    count, drones = len(legs.ends_m), len(legs.base_m)
    places = list(range(count, count + drones))
    manager = pywrapcp.RoutingIndexManager(count + drones, drones, places, places)
    routing = pywrapcp.RoutingModel(manager)
    position, half = middles(legs, legs.base_m)
    service = np.append(np.rint(legs.patrol_s / UNIT_S), np.zeros(drones)).astype(np.int64)
    if count + drones <= MOST_IN_MATRIX:
        matrix = np.rint(matrix_s(legs, range(drones)) / UNIT_S).astype(np.int64) + service[:, None]
        np.fill_diagonal(matrix, 0)
        transit = routing.RegisterTransitMatrix(matrix.tolist())
    else:
        nodes = [manager.IndexToNode(k) for k in range(routing.Size() + drones)]
        transit = routing.RegisterTransitCallback(_between(position, half, service, nodes, legs.cruise_m_s))
    routing.SetArcCostEvaluatorOfAllVehicles(transit)
    routing.AddDimension(transit, 0, 2**50, True, "time")
    duration = routing.GetDimensionOrDie("time")
    duration.SetGlobalSpanCostCoefficient(how.span)
    for drone in range(drones if how.late else 0):
        duration.SetCumulVarSoftUpperBound(routing.End(drone), int(target_s / UNIT_S), how.late)
    ask = pywrapcp.DefaultRoutingSearchParameters()
    ask.local_search_metaheuristic = getattr(routing_enums_pb2.LocalSearchMetaheuristic, how.search)
    left_s = max(end - time.monotonic(), 0.1)
    ask.time_limit.FromMilliseconds(int(1000 * left_s))
    if how.first is None:
        routing.CloseModelWithParameters(ask)
        routes = [[manager.NodeToIndex(leg) for leg in best.get(k, [])] for k in range(drones)]
        first = routing.ReadAssignmentFromRoutes(routes, True)
        found = None if first is None else routing.SolveFromAssignmentWithParameters(first, ask)
    else:
        ask.first_solution_strategy = getattr(routing_enums_pb2.FirstSolutionStrategy, how.first)
        found = routing.SolveWithParameters(ask)
    if found is None:
        return None
    tours: Tours = {}
    for drone in range(drones):
        here, order = found.Value(routing.NextVar(routing.Start(drone))), []
        while not routing.IsEnd(here):
            order.append(manager.IndexToNode(here))
            here = found.Value(routing.NextVar(here))
        tours[drone] = order
    return tours


def _between(position: Any, half: Any, service: Any, nodes: list[int], cruise_m_s: float) -> Callable[[int, int], int]:
    """Service at the one and travel to the other, by index, from plain lists: the search calls it without end."""
    east, north = position[:, 0].tolist(), position[:, 1].tolist()
    halves, served, per_m = half.tolist(), service.tolist(), 1 / cruise_m_s / UNIT_S

    def call(a: int, b: int) -> int:
        a, b = nodes[a], nodes[b]
        if a == b:
            return 0
        way = math.hypot(east[a] - east[b], north[a] - north[b]) - halves[a] - halves[b]
        return int(served[a] + max(way, 0.0) * per_m + 0.5)

    return call


def _main() -> None:
    asked = json.load(sys.stdin)
    tours = solved(loaded(asked), asked["limit_s"])
    json.dump({"tours": sorted(tours.items())}, sys.stdout)


if __name__ == "__main__":
    _main()
