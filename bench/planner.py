"""The planner beside its lower bound and beside a general solver."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_matrix

from bench.rows import BenchError, Row, timed, wanted
from geo import FlatTerrain
from missions import (
    BorderSegment,
    Costs,
    Fleet,
    PatrolPlan,
    base_beside,
    cut,
    default_fleet,
    land_border,
    plan,
    read_border,
    share_out,
)

Floats = NDArray[np.float64]

STATIONS = 25
"""Places where a sortie may end in the comparison with the solver: as many as it closes in a minute."""

SOLVER_LIMIT_S = 60.0


def rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Yield the figures of the planner; `data` may hold a ``border.geojson`` that replaces the one near Nogales."""
    border, fleet, made, seconds = _case(data)
    length = border.length_m() / 1000
    if wanted("time", only):
        yield Row(f"time/{length:.0f} km, 2 drones", seconds, "s", goal="under 1.5 s", met=seconds < 1.5)
    if wanted("revisit", only):
        bound = made.revisit_bound_s
        yield Row("revisit/2 drones", made.revisit_s, "s", "lower bound", bound, made.revisit_s / bound)
    if wanted("coverage", only):
        yield Row("coverage/2 drones", made.coverage.share, "", goal="at least 0.99", met=made.coverage.share >= 0.99)
    if wanted("solver", only):
        yield _beside_solver(border, fleet)


def _case(data: Path | None) -> tuple[BorderSegment, Fleet, PatrolPlan, float]:
    if data is None:
        border = cut(land_border("USA", "MEX"), 40_000)
    elif (data / "border.geojson").exists():
        border = read_border(data / "border.geojson")
    else:
        raise BenchError(f"{data} holds no border.geojson: put the border to plan there")
    fleet = default_fleet(base_beside(border))
    made, seconds = timed(lambda: plan(border, fleet, FlatTerrain(1180.0)))
    return border, fleet, made, seconds


def _beside_solver(border: BorderSegment, fleet: Fleet) -> Row:
    """The planner's own programme and HiGHS on one table of sortie times over the same few stations.

    HiGHS is free to give an aircraft blocks that are not neighbours, which the planner is not: it can only be better.
    """
    table = _sortie_times(border, fleet)
    ours, peer = _programme(table, len(fleet.vehicles)), _solver(table, len(fleet.vehicles))
    return Row(
        f"solver/{STATIONS} stations", ours, "s", "HiGHS, blocks in any order", peer, ours / peer,
        "ratio <= 1.05", met=ours / peer <= 1.05,
    )  # fmt: skip


def _sortie_times(border: BorderSegment, fleet: Fleet) -> Floats:
    """Time of every block between two stations, worked out here from the aircraft's figures and straight transits."""
    made = plan(border, fleet, FlatTerrain(1180.0))
    craft, base, look = fleet.vehicles[0].aircraft, fleet.vehicles[0].base, made.observation
    lat, lon = np.array(made.flight_line).T
    metres = np.column_stack(
        [(lon - base.lon_deg) * 111_320 * np.cos(np.radians(base.lat_deg)), (lat - base.lat_deg) * 110_900]
    )
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(metres, axis=0).T))])
    at = np.linspace(0.0, along[-1], STATIONS)
    way = np.hypot(np.interp(at, along, metres[:, 0]), np.interp(at, along, metres[:, 1]))
    patrol = at[None, :] - at[:, None]
    transit = way[:, None] + way[None, :]
    vertical_s = 100 / craft.climb_m_s + 100 / craft.descent_m_s
    time = craft.turn_round_s + vertical_s + transit / craft.cruise_m_s + patrol / look.speed_m_s
    joules = vertical_s * craft.climb_power_w
    joules = joules + transit / craft.cruise_m_s * craft.cruise_power_w
    joules = joules + patrol / look.speed_m_s * craft.power_w(look.speed_m_s)
    flyable = (patrol > 0) & (joules <= craft.usable_wh * 3600)
    return np.where(flyable, time, np.inf)


def _programme(table: Floats, vehicles: int) -> float:
    costs = Costs(table)
    blocks = share_out([costs] * vehicles)
    return max(sum(float(table[b.start, b.stop]) for b in blocks if b.vehicle == v) for v in range(vehicles))


def _solver(table: Floats, vehicles: int) -> float:
    """Least longest cycle by mixed-integer programming: every piece in one block of one aircraft."""
    blocks = [(i, j) for i, j in combinations(range(len(table)), 2) if np.isfinite(table[i, j])]
    count = len(blocks) * vehicles
    cost = np.zeros(count + 1)
    cost[-1] = 1.0
    once = lil_matrix((len(table) - 1, count + 1))
    cycle = lil_matrix((vehicles, count + 1))
    for vehicle in range(vehicles):
        cycle[vehicle, count] = -1.0
        for number, (i, j) in enumerate(blocks):
            column = vehicle * len(blocks) + number
            once[i:j, column] = 1.0
            cycle[vehicle, column] = table[i, j]
    found = milp(
        cost,
        integrality=np.append(np.ones(count), 0),
        bounds=Bounds(0, np.append(np.ones(count), np.inf)),
        constraints=[LinearConstraint(once.tocsr(), 1, 1), LinearConstraint(cycle.tocsr(), -np.inf, 0)],
        options={"time_limit": SOLVER_LIMIT_S},
    )
    if found.x is None:
        raise BenchError(f"HiGHS found no plan in {SOLVER_LIMIT_S:.0f} s: {found.message}")
    return float(found.fun)
