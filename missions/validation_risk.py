"""Validation of the figure of a plan by risk: waits between looks, by what the table says of where and when they are.

Each place is put on its line by what of it lies nearest to where its flight passes, not by the planner's course, and
the hours are walked through step by step. Where several places of lines are about as near, the least weight of them
counts, and of two hours the lesser: what is found is no more than what is flown.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import scipy
from numpy.typing import NDArray

from geo import geodesic_distance_m
from missions.border import BorderSegment
from missions.clock import ShiftClock
from missions.errors import PlanError
from missions.network import Branch
from missions.patrol import PatrolPlan
from missions.risk import RiskTable
from missions.sortie import LegKind, Sortie
from missions.validation_claims import passes
from missions.validation_rule import Rule

__all__ = ["at_risk"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_EARTH_M = 6_371_009.0
_STEP_S = 60.0
_EVERY_M, _MOST = 400.0, 40
"""A stretch between two ends of runs is tried at places so far apart, metres, and at so many most."""

_LINE_M = 25.0
"""Vertices of lines are so close, metres."""

_ROOM, _ROOM_M = 1.3, 40.0
"""What lies within so many times the distance of the nearest, and so many metres more, may be what is meant."""

_PIECES, _MOST_PIECES, _PIECE_M, _LONGEST_M = 800, 8000, 50.0, 500.0
"""The planner weighs a course by pieces so long, and times each by its middle: waits are told apart by no less."""

_CLOSE_S, _CLOSE = 1.0, 2e-3
_AT_ONCE = 256


def at_risk(plan: PatrolPlan) -> Rule:
    """The longest wait, times its weight meanwhile, within the shift: the plan must not say less.

    It is one after a look, or of a place for somebody to take off for its first one.
    """
    name, said = "figure by risk as table and schedule have it", plan.risk_s or 0.0
    try:
        made = _figure_s(plan)
    except PlanError as error:
        # Hours of a zone of which the shift has no date.
        return Rule(name, 0, None, 0.0, "s", (str(error),))
    broken = said < made - _CLOSE_S - _CLOSE * made
    found = (f"says {said:.0f} s times risk, the longest wait times its risk is {made:.0f} s",) if broken else ()
    return Rule(name, len(plan.flights), said - made, 0.0, "s", found)


def _figure_s(plan: PatrolPlan) -> float:
    places, lat, lon, late_s = _places(plan)
    if not len(places):
        return 0.0
    sets, active = _active(plan)
    weights = _weights(plan, lat, lon, sets)
    looks, begun = _looks(plan, places)
    edges = np.minimum(np.arange(len(active)) * _STEP_S, plan.options.shift_s)
    worst = 0.0
    for first in range(0, len(places), _AT_ONCE):
        own = weights[:, first : first + _AT_ONCE]
        # Of the hours at both ends of a step the lesser weight holds all through it.
        steps = np.minimum(own[active[:-1]], own[active[1:]]) * np.diff(edges)[:, None]
        missed = np.concatenate([np.zeros((1, own.shape[1])), np.cumsum(steps, axis=0)])
        for k, times in enumerate(looks[first : first + _AT_ONCE]):
            worst = max(worst, float(np.interp(begun[first + k], edges, missed[:, k])))
            at = np.append(np.sort(times), plan.options.shift_s)
            since = np.interp(np.minimum(at[:-1] + late_s[first + k], at[1:]), edges, missed[:, k])
            worst = max(worst, float((np.interp(at[1:], edges, missed[:, k]) - since).max(initial=0.0)))
    return worst


def _places(plan: PatrolPlan) -> tuple[Floats, Floats, Floats, Floats]:
    """Places along the course that are watched, metres; where they are passed, degrees; seconds of a piece there."""
    ends = sorted({end for sortie in plan.sorties for run in sortie.runs for end in (run.from_m, run.to_m)})
    shares = [np.linspace(0.002, 0.998, int(np.clip((b - a) / _EVERY_M, 3, _MOST))) for a, b in pairwise(ends)]
    tried = [a + (b - a) * share for (a, b), share in zip(pairwise(ends), shares, strict=True)]
    along = np.unique(np.concatenate(tried)) if tried else np.empty(0)
    found = np.full((3, len(along)), np.nan)
    length_m = float(along[-1]) if len(along) else 0.0
    piece_m = max(min(max(length_m / _PIECES, _PIECE_M), _LONGEST_M), length_m / _MOST_PIECES)
    for sortie in plan.sorties:
        _pass_by(sortie, along, found, piece_m)
    own = np.isfinite(found[0])
    return along[own], found[0, own], found[1, own], found[2, own]


def _pass_by(sortie: Sortie, along: Floats, found: Floats, piece_m: float) -> None:
    """Put down where a sortie passes places that it watches, as far as nobody did before."""
    for run, (at, _) in zip(sortie.runs, passes(sortie), strict=True):
        legs = sortie.legs[run.start : run.stop][:: 1 if run.to_m > run.from_m else -1]
        own = np.flatnonzero((along >= at[0]) & (along <= at[-1]) & np.isnan(found[0]))
        if not len(own):
            continue
        which = np.clip(np.searchsorted(at, along[own], side="right") - 1, 0, len(legs) - 1)
        watched = np.array([leg.kind is LegKind.PATROL and leg.look is not None for leg in legs])[which]
        own, which = own[watched], which[watched]
        begin = at[which]
        share = (along[own] - begin) / np.maximum(at[which + 1] - begin, 1e-9)
        if run.to_m < run.from_m:
            share = 1 - share
        table = np.array([[(p.lat_deg, p.lon_deg) for p in (leg.start, leg.end)] for leg in legs])[which]
        step = table[:, 1] - table[:, 0]
        step[:, 1] = (step[:, 1] + 180.0) % 360.0 - 180.0
        found[:2, own] = (table[:, 0] + share[:, None] * step).T
        found[2, own] = piece_m / np.array([leg.speed_m_s for leg in legs])[which]


def _looks(plan: PatrolPlan, places: Floats) -> tuple[list[Floats], Floats]:
    """When each place is looked at within the shift, and when somebody takes off for it for the first time, seconds."""
    begun = np.full(len(places), np.inf)
    out: list[list[Floats]] = [[] for _ in places]
    flown: list[list[float]] = [[] for _ in plan.sorties]
    for flight in plan.flights:
        flown[flight.sortie].append(flight.start_s)
    for sortie, starts in zip(plan.sorties, flown, strict=True):
        for at, after_s in passes(sortie):
            own = np.flatnonzero((places >= at[0]) & (places <= at[-1]))
            begun[own] = np.minimum(begun[own], min(starts, default=np.inf))
            for k, after in zip(own.tolist(), np.interp(places[own], at, after_s).tolist(), strict=True):
                out[k].append(np.array(starts) + after)
    times = [np.concatenate(own) if own else np.empty(0) for own in out]
    # Of what nobody flies for other rules tell.
    begun[np.isinf(begun)] = 0.0
    return [own[own < plan.options.shift_s] for own in times], begun


def _active(plan: PatrolPlan) -> tuple[list[tuple[int, ...]], Ints]:
    """Which rows of the table hold together, by number, and which of these sets does at the ends of each step."""
    options = plan.options
    clock = ShiftClock.of(options.shift_hour, options.shift_start, plan.risk.zone)
    count = int(np.ceil(options.shift_s / _STEP_S))
    hours = [clock.hour(min(k * _STEP_S, options.shift_s)) for k in range(count + 1)]
    held = [tuple(n for n, row in enumerate(plan.risk.rows) if row.holds(hour)) for hour in hours]
    sets = list(dict.fromkeys(held))
    return sets, np.array([sets.index(one) for one in held])


def _weights(plan: PatrolPlan, lat: Floats, lon: Floats, sets: Sequence[tuple[int, ...]]) -> Floats:
    """The least weight of what may be meant at each place, for each set of rows that hold, shape (sets, places)."""
    lines: list[BorderSegment | Branch] = [*plan.borders, *plan.branches]
    foremost = min(line.priority for line in lines)
    here = _sphere(lat, lon)
    dense = [_dense(line) for line in lines]
    trees = [scipy.spatial.cKDTree(places) for places, _ in dense]
    away = np.array([tree.query(here)[0] for tree in trees])
    reach = _ROOM * away.min(axis=0) + _ROOM_M
    out = np.full((len(sets), len(here)), np.inf)
    for number, (line, (_, along), tree) in enumerate(zip(lines, dense, trees, strict=True)):
        near = np.flatnonzero(away[number] <= reach)
        if not len(near):
            continue
        table = plan.risk.of_line(line.name, border=number == 0)
        meant = tree.query_ball_point(here[near], reach[near])
        first = np.cumsum([0, *map(len, meant[:-1])])
        own = np.concatenate(meant).astype(np.int64)
        for k, rows in enumerate(sets):
            held = RiskTable(tuple(row for n in rows if (row := plan.risk.rows[n]) in table.rows))
            weights = _at(held, along) * foremost / line.priority
            out[k, near] = np.minimum(out[k, near], np.minimum.reduceat(weights[own], first))
    return out


def _at(held: RiskTable, along: Floats) -> Floats:
    """The weight of places along a line, of rows that all hold: the greatest of those that cover it, else 1."""
    out = np.full(len(along), -np.inf)
    for row in held.rows:
        own = (along > row.from_m) & (along < row.to_m)
        out[own] = np.maximum(out[own], row.weight)
    return np.where(np.isfinite(out), out, 1.0)


def _dense(line: BorderSegment | Branch) -> tuple[Floats, Floats]:
    """Places close to each other along a line, on a sphere, metres, and how far along it each is."""
    lon, lat = np.array(line.unwrapped()).T
    length = geodesic_distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:])
    counts = np.maximum(1, np.ceil(length / _LINE_M)).astype(np.int64)
    at = np.concatenate([[0.0], np.cumsum(length)])
    share = np.append(np.concatenate([k + np.arange(n) / n for k, n in enumerate(counts.tolist())]), len(length))
    vertices = np.arange(len(lat))
    return _sphere(np.interp(share, vertices, lat), np.interp(share, vertices, lon)), np.interp(share, vertices, at)


def _sphere(lat: Floats, lon: Floats) -> Floats:
    """Places on a sphere, metres, shape (n, 3)."""
    a, o = np.radians(lat), np.radians(lon)
    return _EARTH_M * np.stack([np.cos(a) * np.cos(o), np.cos(a) * np.sin(o), np.sin(a)], axis=-1)
