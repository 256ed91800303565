"""Validation of when a plan flies: turn-rounds, what is resumed, and all flights of the shift at the same moments."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import scipy
from numpy.typing import NDArray

from missions.patrol import PatrolPlan
from missions.sortie import Sortie
from missions.validation_lines import lat_lon
from missions.validation_rule import Rule, finite

__all__ = ["batteries", "launches", "resumed", "rotation", "separation"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_NEAR_BASE_M = 60.0
_STEP_S = 2.0
_SPELL = 16
"""So many steps of a flight are looked at together before each is."""

_LATE_S = 1e-3
_ROUNDED_M = 0.05
_SLACK = 0.99
"""Bases this much nearer than the separation are surely within it, by whichever distance."""


def rotation(plan: PatrolPlan) -> Rule:
    """One flight of a vehicle after the other, its battery swapped; every sortie is flown, as its name and time say."""
    found: list[str] = []
    known = {vehicle.sysid for vehicle in plan.fleet.vehicles}
    for number, sortie in enumerate(plan.sorties):
        own = [f for f in plan.flights if f.sortie == number]
        if not own:
            found.append(f"{sortie.name}: is planned and never flown")
        elif abs(sortie.start_s - min(f.start_s for f in own)) > _LATE_S:
            found.append(f"{sortie.name}: says it takes off at {sortie.start_s:.0f} s, its first flight is another")
        found += [
            f"{sortie.name}: is flown by system {f.sysid}, whom the fleet has not" for f in own if f.sysid not in known
        ]
    for vehicle in plan.fleet.vehicles:
        own = sorted((f for f in plan.flights if f.sysid == vehicle.sysid), key=lambda f: f.start_s)
        for a, b in pairwise(own):
            if b.start_s < a.start_s + plan.sorties[a.sortie].duration_s + vehicle.aircraft.turn_round_s - 1e-6:
                names = plan.sorties[b.sortie].name, plan.sorties[a.sortie].name
                found.append(
                    f"{vehicle.name}: takes off for {names[0]} before it is back and turned round from {names[1]}"
                )
        found += [
            f"{vehicle.name}: flies {plan.sorties[f.sortie].name}, which is planned for another type or base"
            for f in own
            if plan.sorties[f.sortie].vehicle.base != vehicle.base
            or plan.sorties[f.sortie].vehicle.aircraft != vehicle.aircraft
        ]
    return Rule("turn-round between flights", len(plan.flights), None, None, "", tuple(found))


def launches(plan: PatrolPlan) -> Rule:
    """Take-offs from one base, and from bases within the separation of each other, one at a time."""
    interval, found, least = plan.options.launch_interval_s, list[str](), np.inf
    starts = sorted(
        (f.start_s, f.sortie) for f in plan.flights if not plan.sorties[f.sortie].airborne and f.start_s >= 0.0
    )
    found += [f"{plan.sorties[f.sortie].name}: takes off before the shift" for f in plan.flights if f.start_s < 0.0]
    at = _sphere(*(np.array([getattr(s.vehicle.base, f) for s in plan.sorties]) for f in ("lat_deg", "lon_deg")))
    for k, (start_s, number) in enumerate(starts):
        for later_s, other in starts[k + 1 :]:
            if later_s - start_s >= interval - _LATE_S:
                break
            if float(np.linalg.norm(at[number] - at[other])) < plan.options.separation_m * _SLACK:
                least = min(least, later_s - start_s)
                names = plan.sorties[number].name, plan.sorties[other].name
                found.append(f"{names[0]} and {names[1]}: take off {later_s - start_s:.1f} s apart, at {start_s:.0f} s")
    return Rule("one launch at a time from a base", len(starts), finite(least), interval, "s", tuple(found))


def batteries(plan: PatrolPlan) -> Rule:
    """Batteries away from the rack of a base, in the air or being charged: never more than it has."""
    found: list[str] = []
    bases = {v.base for v in plan.fleet.vehicles if v.base.batteries is not None}
    spare, count = np.inf, 0
    for base in sorted(bases, key=lambda b: b.name):
        own = [f for f in plan.flights if plan.sorties[f.sortie].vehicle.base == base]
        count += len(own)
        taken = [(f.start_s, 1, f.sortie) for f in own]
        back = [(f.start_s + plan.sorties[f.sortie].duration_s + base.charge_s - _LATE_S, -1, f.sortie) for f in own]
        away = 0
        for at_s, change, sortie in sorted(taken + back):
            away += change
            spare = min(spare, float(base.batteries or 0) - away)
            if change > 0 and away > (base.batteries or 0):
                found.append(
                    f"{plan.sorties[sortie].name}: takes off at {at_s:.0f} s, when {base.name} has none of its "
                    f"{base.batteries} batteries charged"
                )
    return Rule("batteries charged at the base", count, finite(spare), 0.0, "batteries", tuple(found))


def resumed(plan: PatrolPlan) -> Rule:
    """A sortie that begins in the air begins at once; one that begins without a full battery is flown once, first."""
    found: list[str] = []
    rests = [(n, s) for n, s in enumerate(plan.sorties) if s.airborne or s.charge != 1]
    for number, sortie in rests:
        flights = [f for f in plan.flights if f.sortie == number]
        if not 0 < sortie.charge <= 1:
            found.append(f"{sortie.name}: begins with {sortie.charge:.0%} of a battery")
        if len(flights) != 1:
            found.append(f"{sortie.name}: is resumed and flown {len(flights)} times")
            continue
        if any(f.sysid == flights[0].sysid and f.start_s < flights[0].start_s for f in plan.flights):
            found.append(f"{sortie.name}: is resumed after another flight of its aircraft")
        if sortie.airborne and (flights[0].start_s != 0 or flights[0].sysid != sortie.vehicle.sysid):
            found.append(f"{sortie.name}: is in the air and does not go on at once")
    return Rule("what is resumed comes first, and once", len(rests), None, None, "", tuple(found))


def separation(plan: PatrolPlan) -> Rule:
    """All flights of the shift, sampled at the same moments."""
    across, up = plan.options.separation_m, plan.options.separation_up_m
    shapes = [_timed(sortie) for sortie in plan.sorties]
    times, places, heights, who, fastest = [], [], [], [], 0.0
    for number, flight in enumerate(plan.flights):
        at, where, amsl = shapes[flight.sortie]
        moments = (
            np.arange(np.ceil(flight.start_s / _STEP_S), np.floor((flight.start_s + at[-1]) / _STEP_S) + 1) * _STEP_S
        )
        own = np.stack([np.interp(moments - flight.start_s, at, where[:, k]) for k in range(3)], axis=-1)
        base = plan.sorties[flight.sortie].vehicle.base
        away = np.linalg.norm(own - _sphere(np.array([base.lat_deg]), np.array([base.lon_deg])), axis=1) > _NEAR_BASE_M
        times.append(moments[away])
        places.append(own[away])
        heights.append(np.interp(moments - flight.start_s, at, amsl)[away])
        who.append(np.full(int(away.sum()), number))
        step = np.linalg.norm(np.diff(where, axis=0), axis=1) / np.maximum(np.diff(at), 1e-9)
        fastest = max(fastest, float(step.max(initial=0.0)))
    if not times:
        return Rule("separation", 0, None, across, "m")
    moment, flight_of = np.concatenate(times), np.concatenate(who)
    track = np.column_stack([*np.concatenate(places).T, np.concatenate(heights)])
    # Until the next moment both fly on: two that are farther apart than this come no nearer than the separation.
    reach = across + 2 * fastest * _STEP_S
    i, j = _pairs(track[:, :3], moment, flight_of, reach)
    gap = _nearest(track, _next(flight_of, moment), (i, j), up - _ROUNDED_M)
    near = gap < across - _ROUNDED_M
    i, j, near_gap = i[near], j[near], gap[near]
    found = []
    for a, b in sorted({(int(p), int(q)) for p, q in zip(flight_of[i], flight_of[j], strict=True)}):
        own_pairs = np.flatnonzero((flight_of[i] == a) & (flight_of[j] == b))
        k = own_pairs[int(np.argmin(near_gap[own_pairs]))]
        names = [plan.sorties[plan.flights[n].sortie].name for n in (a, b)]
        found.append(
            f"{names[0]} and {names[1]}: {near_gap[k]:.0f} m apart {moment[i[k]]:.0f} s after the start of the shift"
        )
    return Rule(
        "separation between aircraft",
        len(plan.flights),
        finite(float(gap.min(initial=np.inf))),
        across,
        "m",
        tuple(found),
    )


def _pairs(places: Floats, moment: Floats, flight_of: Ints, reach_m: float) -> tuple[Ints, Ints]:
    """Points of different flights that are within a reach of each other at one moment, as two columns of numbers.

    Most of a shift most flights are alone. So spheres round what each flies in some steps are looked at first: where
    those of two flights are farther apart than the reach, so are all points in them. `moment` rises within a flight.
    """
    if not len(places):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    spell = np.floor(moment / (_SPELL * _STEP_S)).astype(np.int64)
    first = np.flatnonzero(np.append(True, (np.diff(flight_of) != 0) | (np.diff(spell) != 0)))
    count = np.diff(np.append(first, len(places)))
    middles = np.add.reduceat(places, first) / count[:, None]
    of = np.repeat(np.arange(len(first)), count)
    radii = np.maximum.reduceat(np.linalg.norm(places - middles[of], axis=1), first)
    widest = reach_m + 2 * float(radii.max())
    a, b = _near(middles, spell[first], widest)
    gap = np.linalg.norm(middles[a] - middles[b], axis=1)
    # A metre more: what is on the very edge of the reach is left to the points themselves.
    meet = (flight_of[first][a] != flight_of[first][b]) & (gap <= reach_m + radii[a] + radii[b] + 1.0)
    told = np.zeros(len(first), dtype=bool)
    told[a[meet]] = told[b[meet]] = True
    own = np.flatnonzero(told[of])
    i, j = (own[side] for side in _near(places[own], np.round(moment[own] / _STEP_S).astype(np.int64), reach_m))
    apart = flight_of[i] != flight_of[j]
    return i[apart], j[apart]


def _near(places: Floats, when: Ints, reach_m: float) -> tuple[Ints, Ints]:
    """Pairs of places of one time that are within a reach of each other."""
    # Times are far apart in the fourth direction, so that only places of one of them are neighbours.
    tree = scipy.spatial.cKDTree(np.column_stack([places, when * 4 * reach_m]))
    i, j = tree.query_pairs(reach_m, output_type="ndarray").T
    return i, j


def _next(flight_of: Ints, moment: Floats) -> Ints:
    """The number of the point at which each flight is a step later; its own where there is none."""
    here = np.arange(len(moment))
    later = np.minimum(here + 1, len(here) - 1)
    return np.where((flight_of[later] == flight_of) & (moment[later] - moment <= 1.5 * _STEP_S), later, here)


def _nearest(track: Floats, later: Ints, pairs: tuple[Ints, Ints], up_m: float) -> Floats:
    """The least distance across of pairs within a step from their moment on, while both are too near in height.

    `track` holds places and heights, metres, shape (n, 4), `later` where each is a step on. Between the two moments
    both fly straight, so that the square of their distance is a parabola and their difference in height is a line.
    Infinite where they are apart in height all along.
    """
    i, j = pairs
    from_, to = track[i] - track[j], track[later[i]] - track[later[j]]
    rise = to[:, 3] - from_[:, 3]
    still = np.abs(rise) < 1e-9
    ends = (np.array([[-up_m], [up_m]]) - from_[:, 3]) / np.where(still, 1.0, rise)
    within = np.abs(from_[:, 3]) < up_m
    low = np.where(still, np.where(within, 0.0, 2.0), np.maximum(ends.min(axis=0), 0.0))
    high = np.where(still, np.where(within, 1.0, -1.0), np.minimum(ends.max(axis=0), 1.0))
    step = to[:, :3] - from_[:, :3]
    square = np.maximum((step**2).sum(axis=1), 1e-12)
    at = np.clip(-(from_[:, :3] * step).sum(axis=1) / square, low, np.maximum(low, high))
    gap = np.linalg.norm(from_[:, :3] + at[:, None] * step, axis=1)
    return np.asarray(np.where(low < high, gap, np.inf))


def _timed(sortie: Sortie) -> tuple[Floats, Floats, Floats]:
    points = sortie.way
    at = np.concatenate([[0.0], np.cumsum([leg.duration_s for leg in sortie.legs])])
    return at, _sphere(*lat_lon(points)), np.array([p.amsl_m for p in points])


def _sphere(lat: Floats, lon: Floats) -> Floats:
    """Points on a sphere of the earth's mean radius, metres, shape (n, 3)."""
    a, o = np.radians(lat), np.radians(lon)
    return 6_371_009.0 * np.stack([np.cos(a) * np.cos(o), np.cos(a) * np.sin(o), np.sin(a)], axis=-1)
