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

__all__ = ["resumed", "rotation", "separation"]

Floats = NDArray[np.float64]

_NEAR_BASE_M = 60.0
_STEP_S = 2.0


def rotation(plan: PatrolPlan) -> Rule:
    """One flight of a vehicle after the other, its battery swapped; no more batteries than the base has."""
    found: list[str] = []
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
    moment, place, amsl, flight_of = (np.concatenate(v) for v in (times, places, heights, who))
    # Moments are far apart in the fourth direction, so that only points of one moment are neighbours.
    far = 4 * (across + fastest * _STEP_S)
    tree = scipy.spatial.cKDTree(np.column_stack([place, moment / _STEP_S * far]))
    pairs = tree.query_pairs(across, output_type="ndarray")
    i, j = pairs.T
    other = (flight_of[i] != flight_of[j]) & (np.abs(amsl[i] - amsl[j]) < up - 0.05)
    i, j = i[other], j[other]
    gap = np.linalg.norm(place[i] - place[j], axis=1)
    found = []
    for a, b in sorted({(int(p), int(q)) for p, q in zip(flight_of[i], flight_of[j], strict=True)}):
        k = int(np.flatnonzero((flight_of[i] == a) & (flight_of[j] == b))[0])
        names = [plan.sorties[plan.flights[n].sortie].name for n in (a, b)]
        found.append(
            f"{names[0]} and {names[1]}: {gap[k]:.0f} m apart {moment[i[k]]:.0f} s after the start of the shift"
        )
    return Rule(
        "separation between aircraft",
        len(plan.flights),
        finite(float(gap.min(initial=np.inf))),
        across,
        "m",
        tuple(found),
    )


def _timed(sortie: Sortie) -> tuple[Floats, Floats, Floats]:
    points = sortie.way
    at = np.concatenate([[0.0], np.cumsum([leg.duration_s for leg in sortie.legs])])
    return at, _sphere(*lat_lon(points)), np.array([p.amsl_m for p in points])


def _sphere(lat: Floats, lon: Floats) -> Floats:
    """Points on a sphere of the earth's mean radius, metres, shape (n, 3)."""
    a, o = np.radians(lat), np.radians(lon)
    return 6_371_009.0 * np.stack([np.cos(a) * np.cos(o), np.cos(a) * np.sin(o), np.sin(a)], axis=-1)
