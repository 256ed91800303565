"""The planner beside its lower bounds, a general solver, and the growth of its own time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_matrix

from bench import linecoverage, partition, whole_border
from bench.rows import BenchError, Row, timed, wanted
from geo import FlatTerrain
from missions import (
    BorderSegment,
    Fleet,
    PatrolPlan,
    Team,
    base_beside,
    cut,
    default_fleet,
    land_border,
    plan,
    read_border,
    share_out,
)

STATIONS = 25
"""Places where a sortie may end in the comparison with the solver: as many as it closes in a minute."""

SOLVER_LIMIT_S = 60.0


def rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Yield the figures of the planner; `data` may hold a ``border.geojson`` that replaces the one near Nogales."""
    if any(wanted(name, only) for name in ("time", "revisit", "coverage", "solver")):
        yield from _one_stretch(data, only)
    yield from whole_border.rows(data, only)
    yield from linecoverage.rows(data, only)
    yield from partition.rows(data, only)


def _one_stretch(data: Path | None, only: str | None) -> Iterator[Row]:
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
    """The planner's own programme and HiGHS on the same few stations: least time of one round of all sorties.

    HiGHS chooses among all sets of blocks that see every piece.
    """
    team = _team(border, fleet)
    blocks = share_out([team])
    ours = sum(_sortie_s(team, b.start, b.stop, backward=b.backward) for b in blocks)
    peer = _solver(team)
    return Row(
        f"solver/{STATIONS} stations", ours, "s", "HiGHS, any set of blocks", peer, ours / peer,
        "ratio <= 1.000001", met=ours / peer <= 1.000001,
    )  # fmt: skip


def _team(border: BorderSegment, fleet: Fleet) -> Team:
    """What sorties cost, worked out here from the aircraft's figures and straight transits."""
    made = plan(border, fleet, FlatTerrain(1180.0))
    craft, base, look = fleet.vehicles[0].aircraft, fleet.vehicles[0].base, made.observation
    lat, lon = np.array(made.flight_line).T
    metres = np.column_stack(
        [(lon - base.lon_deg) * 111_320 * np.cos(np.radians(base.lat_deg)), (lat - base.lat_deg) * 110_900]
    )
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(metres, axis=0).T))])
    at = np.linspace(0.0, along[-1], STATIONS)
    way_s = np.hypot(np.interp(at, along, metres[:, 0]), np.interp(at, along, metres[:, 1])) / craft.cruise_m_s
    way_wh = way_s * craft.cruise_power_w / 3600
    up_s, down_s = 100 / craft.climb_m_s, 100 / craft.descent_m_s
    patrol_s = at / look.speed_m_s
    patrol_wh = patrol_s * float(craft.power_w(look.speed_m_s)) / 3600
    return Team(
        size=len(fleet.vehicles),
        out_s=way_s + up_s,
        home_s=way_s + down_s + craft.turn_round_s,
        out_wh=way_wh + up_s * craft.climb_power_w / 3600,
        home_wh=way_wh + down_s * craft.hover_power_w / 3600,
        time_s=patrol_s,
        energy_wh=patrol_wh,
        back_time_s=patrol_s,
        back_energy_wh=patrol_wh,
        usable_wh=craft.usable_wh,
    )


def _sortie_s(team: Team, i: int, j: int, *, backward: bool) -> float:
    """Time of a sortie over stations i to j; infinite where its energy does not last."""
    a, b = (j, i) if backward else (i, j)
    wh = team.out_wh[a] + team.home_wh[b] + team.energy_wh[j] - team.energy_wh[i]
    if wh > team.usable_wh:
        return float("inf")
    return float(team.out_s[a] + team.home_s[b] + team.time_s[j] - team.time_s[i])


def _solver(team: Team) -> float:
    """Least time of one round by mixed-integer programming: every piece in one block."""
    blocks = {
        (i, j): min(_sortie_s(team, i, j, backward=way) for way in (False, True))
        for i, j in combinations(range(STATIONS), 2)
    }
    blocks = {ends: time for ends, time in blocks.items() if np.isfinite(time)}
    once = lil_matrix((STATIONS - 1, len(blocks)))
    for column, (i, j) in enumerate(blocks):
        once[i:j, column] = 1.0
    found = milp(
        np.array(list(blocks.values())),
        integrality=np.ones(len(blocks), dtype=int),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(once.tocsr(), 1, 1)],
        options={"time_limit": SOLVER_LIMIT_S},
    )
    if found.x is None:
        raise BenchError(f"HiGHS found no plan in {SOLVER_LIMIT_S:.0f} s: {found.message}")
    return float(found.fun)
