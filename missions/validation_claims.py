"""Validation of what a plan says of itself: the figures of its legs, its cameras, and how often it comes back.

Pilots, exports and the explanation take these figures as they stand in the plan. Each is worked out again here from
what is flown: a plan whose legs are right and whose figures are not is refused like any other.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geo import geodesic_distance_m
from missions.fleet import Camera
from missions.observation import Observation
from missions.options import Objective
from missions.patrol import PatrolPlan
from missions.sortie import Leg, LegKind, Sortie
from missions.validation_rule import Rule, finite

__all__ = ["cameras", "figures", "intervals", "is_numbers", "passes"]

Floats = NDArray[np.float64]

_NEAR_M, _SHARE = 1.0, 2e-3
"""By how much figures of legs may differ: ends are rounded, and distances in a plane are not those of the ellipsoid."""

_EDGE_DEG = 0.05
_CLOSE_S = 1.0


def is_numbers(plan: PatrolPlan) -> bool:
    """Whether all figures of all legs are numbers."""
    return all(np.isfinite([_figures(leg) for leg in sortie.legs]).all() for sortie in plan.sorties)


def figures(plan: PatrolPlan) -> Rule:
    """Distance and speed of every leg, from its ends and its time."""
    found: list[str] = []
    worst, count = np.inf, 0
    for sortie in plan.sorties:
        legs = sortie.legs
        count += len(legs)
        table = np.array([_figures(leg) for leg in legs])
        if not np.isfinite(table).all():
            broken = np.flatnonzero(~np.isfinite(table).all(axis=1))
            found += [f"{sortie.name} leg {i}: has a figure that is no number" for i in broken]
            continue
        lat0, lon0, amsl0, lat1, lon1, amsl1, distance, speed, time, _ = table.T
        apart = geodesic_distance_m(lat0, lon0, lat1, lon1)
        off = np.abs(distance - apart)
        worst = min(worst, float((_NEAR_M + _SHARE * apart - off).min()))
        found += [
            f"{sortie.name} leg {i}: says it is {distance[i]:.1f} m long, its ends are {apart[i]:.1f} m apart"
            for i in np.flatnonzero(off > _NEAR_M + _SHARE * apart)
        ]
        # The first and the last leg take what is done on the ground besides.
        inner = np.arange(1, len(legs) - 1)
        way = np.where(distance > 0, distance, np.abs(amsl1 - amsl0))[inner]
        wrong = inner[np.abs(speed[inner] * time[inner] - way) > _NEAR_M + _SHARE * way]
        found += [
            f"{sortie.name} leg {i}: says {speed[i]:.1f} m/s, takes {time[i]:.1f} s for {distance[i]:.1f} m"
            for i in wrong
        ]
    return Rule("figures of legs are those of their ends", count, finite(worst), 0.0, "m", tuple(found))


def _figures(leg: Leg) -> tuple[float, ...]:
    ends = (leg.start, leg.end)
    places = (figure for end in ends for figure in (end.lat_deg, end.lon_deg, end.amsl_m))
    return *places, leg.distance_m, leg.speed_m_s, leg.duration_s, leg.energy_wh


def cameras(plan: PatrolPlan) -> Rule:
    """Every camera: its gimbal within its reach, the whole band in its picture and fine enough, and in it long enough.

    By the pinhole: a place x away on the ground below lies at the depression atan(h / x), the tangent of its angle from
    the axis times the focal length is its row, and its distance along the axis over the focal length its GSD.
    """
    found: list[str] = []
    worst, count = np.inf, 0
    lines = [(border.band_own_m, border.band_far_m) for border in plan.borders]
    lines += [(depth, depth) for b in plan.branches for depth in (b.band_left_m, b.band_right_m)]
    own_m, far_m = (max(depths) for depths in zip(*lines, strict=True))
    seen: set[tuple[int, Camera]] = set()
    for sortie in plan.sorties:
        camera = plan.fleet.camera_of(sortie.vehicle)
        if sortie.patrol and (sortie.observation, camera) not in seen:
            seen.add((sortie.observation, camera))
            room, broken = _seen_by(camera, plan.observation_of(sortie), own_m, far_m, plan)
            count, worst = count + 1, min(worst, room)
            found += [f"{sortie.name}: {sentence}" for sentence in broken]
        found += _too_fast(sortie, plan.observation_of(sortie))
    return Rule("gimbal, resolution and dwell of the cameras", count, finite(worst), 0.0, "deg", tuple(found))


def _seen_by(
    camera: Camera, look: Observation, own_m: float, far_m: float, plan: PatrolPlan
) -> tuple[float, list[str]]:
    """How far the band is from the edges of the picture, degrees, and what is wrong with how it is looked at."""
    found: list[str] = []
    pitch = look.gimbal_pitch_deg
    if not camera.pitch_min_deg - _EDGE_DEG <= pitch <= camera.pitch_max_deg + _EDGE_DEG:
        reach = f"{camera.pitch_min_deg:.0f} to {camera.pitch_max_deg:.0f}"
        found.append(f"its gimbal is to pitch to {pitch:.1f} degrees, {camera.name} reaches {reach}")
    axis = np.radians(-pitch)
    across = np.array([look.lateral_m - own_m, look.lateral_m + far_m])
    off = np.arctan2(look.height_agl_m, across) - axis
    half = np.arctan(camera.model.height_px / 2 / camera.model.focal_px)
    room = float(np.degrees(half - np.abs(off).max()))
    if room < -_EDGE_DEG:
        found.append(f"{camera.name} at {pitch:.1f} degrees leaves {-room:.1f} degrees of the band out of its picture")
    depth = np.hypot(look.height_agl_m, across) * np.cos(off)
    near, far = depth / camera.model.focal_px
    limit = min(plan.options.gsd_m or np.inf, camera.max_gsd_m)
    if far > limit * (1 + _SHARE):
        found.append(f"{camera.name} sees the far edge of the band at {far:.4f} m a pixel, {limit:.4f} m is required")
    if abs(look.gsd_near_m - near) > _SHARE * near or abs(look.gsd_far_m - far) > _SHARE * far:
        said = f"{look.gsd_near_m:.4f} to {look.gsd_far_m:.4f}"
        found.append(f"says {said} m a pixel over the band, {camera.name} sees it at {near:.4f} to {far:.4f}")
    stays = near * camera.model.width_px / look.speed_m_s
    asked = max(plan.options.dwell_s, plan.options.picture_s / (1 - plan.options.overlap))
    if stays < asked * (1 - _SHARE) or look.dwell_s > stays * (1 + _SHARE):
        found.append(
            f"at {look.speed_m_s:.1f} m/s a place stays in the picture for {stays:.1f} s, said are {look.dwell_s:.1f} "
            f"and asked for {asked:.1f}"
        )
    return room, found


def _too_fast(sortie: Sortie, look: Observation) -> list[str]:
    """Legs of a patrol that are flown faster than the camera bears; wings may have to, in wind."""
    if sortie.vehicle.aircraft.has_wings:
        return []
    return [
        f"{sortie.name} leg {i}: patrols at {leg.distance_m / leg.duration_s:.1f} m/s, its camera bears "
        f"{look.speed_m_s:.1f}"
        for i, leg in enumerate(sortie.legs)
        if leg.kind is LegKind.PATROL and leg.distance_m > look.speed_m_s * leg.duration_s * (1 + _SHARE)
    ]


def intervals(plan: PatrolPlan) -> Rule:
    """The figure that the plan is praised for, from its flights, and its bounds, which must not be above it.

    Each run is looked at in its middle and close to its ends, at the moments at which its flights pass there.
    """
    found: list[str] = []
    said = plan.revisit_s
    if plan.options.objective is Objective.ONCE:
        made = max((f.start_s + plan.sorties[f.sortie].duration_s for f in plan.flights), default=0.0)
        what = "the last landing"
    else:
        made, what = _left_alone_s(plan), "the longest time without a look at a place"
    # A round that no second one follows has its own length, which only its planner knows.
    if said < made - _CLOSE_S:
        found.append(f"says {said:.0f} s, {what} is {made:.0f} s")
    bounds = [b for b in plan.bounds if b.seconds > plan.figure_s * (1 + 1e-6) + 1e-3]
    found += [
        f"is {plan.figure_s:.0f} s, below what no plan is said to come below: {bound.name}, {bound.seconds:.0f} s"
        for bound in bounds
    ]
    return Rule("interval as the schedule has it", len(plan.flights), said - made, 0.0, "s", tuple(found))


def _left_alone_s(plan: PatrolPlan) -> float:
    """The longest time between two looks at a place, from the last to the end of the shift, or until one takes off."""
    ends = sorted({end for sortie in plan.sorties for run in sortie.runs for end in (run.from_m, run.to_m)})
    places = np.unique([a + (b - a) * t for a, b in pairwise(ends) for t in (0.002, 0.5, 0.998)])
    looks: list[tuple[NDArray[np.intp], Floats]] = []
    begun = np.full(len(places), np.inf)
    own_passes = [passes(sortie) for sortie in plan.sorties]
    for flight in plan.flights:
        for along, after_s in own_passes[flight.sortie]:
            own = np.flatnonzero((places >= along[0]) & (places <= along[-1]))
            looks.append((own, flight.start_s + np.interp(places[own], along, after_s)))
            begun[own] = np.minimum(begun[own], flight.start_s)
    if not looks:
        return 0.0
    at, when = (np.concatenate(column) for column in zip(*looks, strict=True))
    order = np.lexsort((when, at))
    at, when = at[order], when[order]
    same = np.diff(at) == 0
    last = np.append(~same, True)
    waits = np.concatenate([np.diff(when)[same], plan.options.shift_s - when[last], begun[np.isfinite(begun)]])
    return float(waits.max(initial=0.0))


def passes(sortie: Sortie) -> list[tuple[Floats, Floats]]:
    """For each run of a sortie, rising places along the course, metres, and seconds after take-off when it is there."""
    clock = np.cumsum([0.0, *(leg.duration_s for leg in sortie.legs)])
    out = []
    for run in sortie.runs:
        # A circle takes time and leads nowhere.
        legs = sortie.legs[run.start : run.stop]
        flown = np.cumsum([0.0, *(0.0 if leg.kind is LegKind.CLIMB else leg.distance_m for leg in legs)])
        along = run.from_m + (run.to_m - run.from_m) * flown / max(float(flown[-1]), 1e-9)
        order = slice(None, None, 1 if run.to_m > run.from_m else -1)
        out.append((along[order], clock[run.start : run.stop + 1][order]))
    return out
