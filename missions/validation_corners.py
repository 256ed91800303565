"""Validation of corners that wings fly wide: at the ends of detours and on ways, where no rule has them bend gently.

Wings that come to a corner fly on as they come, turn as tightly as they can, and are led back to the next leg from
outside. So at every corner an arc of their turn radius, in the wind and the air there, is drawn from the corner on, and
the shortest way back to the leg: on along the arc and along another circle of this radius, which touches the first one
and the leg. What these enclose with the leg, too, keeps from the border what a way keeps, and stays out of no-fly
zones. Not drawn is who is slower to come back, nor what of the way back is left where the leg ends before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from missions.patrol import PatrolPlan
from missions.sortie import Leg, LegKind, Sortie
from missions.validation_air import thinnest, true_by_equivalent
from missions.validation_lines import About, Edge, joined
from missions.validation_margin import gaps
from missions.validation_rule import Rule, finite

__all__ = ["corners"]

Floats = NDArray[np.float64]

_GENTLE_RAD = 0.4
"""What wings may turn by at once without straying more than a few metres."""

_STRAIGHT_RAD = 0.04
"""What legs of one straight way differ in course by at most."""

_STEP_RAD = 0.05
_SLACK_M = 0.05
_FAR_DEG = 0.1


def corners(plan: PatrolPlan) -> Rule:
    """Whether the wide turn at every corner of wings keeps its distance from the border and stays out of zones."""
    edges = [Edge(border) for border in plan.borders]
    zones = plan.blocking_zones()
    found: list[str] = []
    worst, count = np.inf, 0
    for sortie in plan.sorties:
        # Who is in the air has to come home by some way: a note of the plan says where its turns have no room.
        if sortie.vehicle.aircraft.turn_radius_m <= 0 or (sortie.airborne and not sortie.patrol):
            continue
        about = About(sortie)
        arcs = list(_wide(plan, sortie, about))
        count += len(arcs)
        if not arcs:
            continue
        numbers, shapes = [i for i, _ in arcs], np.array([shapely.Polygon(arc) for _, arc in arcs])
        border = joined([about.xy(run[:, 1], run[:, 0]) for edge in edges for run in edge.beside(sortie).runs])
        need = plan.border.stand_off_m + gaps(sortie.vehicle.aircraft, plan.options.wind, thinnest(sortie)).way_m
        away = np.asarray(shapely.distance(shapes, border))
        # Of no border nothing is known, and no distance is a number.
        left = np.where(np.isnan(away), np.inf, away - need)
        worst = min(worst, float(left.min()))
        found += [
            f"{sortie.name} leg {numbers[k]}: its turn into it comes {-left[k]:.0f} m too near to the border"
            for k in np.flatnonzero(left < -_SLACK_M)
        ]
        for zone in zones:
            rings = [np.array(ring) for ring in zone.rings]
            lon = about.low[0] + (rings[0][:, 0] - about.low[0] + 180.0) % 360.0 - 180.0
            low, high = (np.array([one(lon), one(rings[0][:, 1])]) for one in (np.min, np.max))
            if (low > about.high + _FAR_DEG).any() or (high < about.low - _FAR_DEG).any():
                continue
            shape = shapely.Polygon(*_outline([about.xy(ring[:, 1], ring[:, 0]) for ring in rings]))
            found += [
                f"{sortie.name} leg {numbers[k]}: its turn into it enters no-fly zone {zone.name!r}"
                for k in np.flatnonzero(shapely.intersects(shapes, shape))
            ]
    return Rule("corners flown wide keep their distance", count, finite(worst), 0.0, "m", tuple(found))


def _outline(rings: list[Floats]) -> tuple[Floats, list[Floats]]:
    return rings[0], rings[1:]


def _wide(plan: PatrolPlan, sortie: Sortie, about: About) -> Iterator[tuple[int, Floats]]:
    """The leg after each corner, and the outline of what may be flown there, metres, shape (n, 2).

    What is left to turn of one corner is added to the next: round a zone they may be close to each other.
    """
    craft, wind = sortie.vehicle.aircraft, plan.options.wind
    step = about.stops - about.starts
    course = np.arctan2(step[:, 1], step[:, 0])
    level = [i for i, leg in enumerate(sortie.legs) if leg.distance_m > 0]
    turns = {j: float((course[j] - course[i] + np.pi) % (2 * np.pi) - np.pi) for i, j in pairwise(level)}
    straight_m: dict[int, float] = {}
    after = 0.0
    for j in reversed(level[1:]):
        after += sortie.legs[j].distance_m
        straight_m[j] = after
        after = after if abs(turns[j]) <= _STRAIGHT_RAD else 0.0
    for side in (1.0, -1.0):
        turned = 0.0
        for i, j in pairwise(level):
            true = max(true_by_equivalent(leg, highest=True) for leg in (sortie.legs[i], sortie.legs[j]))
            radius = craft.turn_radius_m * (true + wind.speed_m_s / craft.cruise_m_s) ** 2
            turned = min(max(turned - sortie.legs[i].distance_m / radius, 0.0) + side * turns[j], np.pi)
            turned = max(turned, 0.0)
            if turned > _GENTLE_RAD and not _bends(sortie.legs[i], sortie.legs[j]):
                turn = _turn(turned, radius, straight_m[j])
                # As seen along the leg, its inside on the left.
                x, y = turn[:, 0], side * turn[:, 1]
                cos, sin = np.cos(course[j]), np.sin(course[j])
                yield j, about.starts[j] + np.stack([x * cos - y * sin, x * sin + y * cos], axis=-1)


def _turn(turned: float, radius: float, straight_m: float) -> Floats:
    """The turn from 0, 0 on to a leg along the first axis, on whose left is its inside; and the way back to it."""
    first = radius * np.array([np.sin(turned), np.cos(turned)])
    arc = first + _arc(radius, -np.pi / 2 - turned, -np.pi / 2)
    if straight_m <= first[0]:
        return arc
    # Two circles touch midway where their middles are two radii apart.
    other = np.array([first[0] + np.sqrt(4 * radius**2 - (first[1] + radius) ** 2), -radius])
    met = float(np.arctan2(*(other - first)[::-1]))
    on = first + _arc(radius, -np.pi / 2, met)
    back = other + _arc(radius, met + np.pi, np.pi / 2, outside=False)
    rest = np.concatenate([on, back])
    rest[:, 0] = np.minimum(rest[:, 0], straight_m)
    return np.concatenate([arc, rest])


def _arc(radius: float, begin: float, end: float, *, outside: bool = True) -> Floats:
    """A circle about 0, 0 between two bearings, radians: by lines that touch it from outside, or by its chords."""
    count = max(int(np.ceil(abs(end - begin) / _STEP_RAD)), 1)
    step = (end - begin) / count
    if outside:
        at = begin + step * np.concatenate([[0.0], np.arange(count) + 0.5, [count]])
        away = np.full(len(at), radius)
        away[1:-1] /= np.cos(step / 2)
    else:
        at, away = np.linspace(begin, end, count + 1), np.full(count + 1, radius)
    return np.asarray(away[:, None] * np.stack([np.cos(at), np.sin(at)], axis=-1))


def _bends(a: Leg, b: Leg) -> bool:
    """Whether a joint is one that has to bend gently by the rule of turns."""
    return LegKind.CLIMB in {a.kind, b.kind} or (a.kind is LegKind.PATROL and b.kind is LegKind.PATROL)
