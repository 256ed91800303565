"""Validation of what wings do at their base: straight ahead off the ground, straight in, above what lies below."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo import Terrain
from missions.patrol import PatrolPlan
from missions.sortie import Leg, LegKind, Sortie
from missions.validation_lines import lat_lon
from missions.validation_rule import Rule, finite

__all__ = ["runways"]

Floats = NDArray[np.float64]

_STRAIGHT_DEG = 1.0
_STEEPER = 1.02
_KEPT = 0.5
_ROUGH_M = 3.0
_STEP_M = 30.0


def runways(plan: PatrolPlan, terrain: Terrain | None) -> Rule:
    """Climb-outs and landings of fixed wings: one direction, a slope that they can fly, clear of the ground."""
    found: list[str] = []
    worst, count = np.inf, 0
    for sortie in plan.sorties:
        craft = sortie.vehicle.aircraft
        if not craft.needs_runway:
            continue
        legs = [(i, leg) for i, leg in enumerate(sortie.legs) if leg.kind in {LegKind.TAKEOFF, LegKind.LANDING}]
        courses = np.array([_course_deg(leg) for _, leg in legs])
        bends = np.abs((courses - courses[0] + 180.0) % 360.0 - 180.0)
        found += [
            f"{sortie.name} leg {i}: takes off or lands along {course:.0f} degrees, not along {courses[0]:.0f}"
            for (i, _), course, bend in zip(legs, courses, bends, strict=True)
            if bend > _STRAIGHT_DEG
        ]
        down = sortie.landing[-1]
        slope = float(np.degrees(np.arctan2(down.start.amsl_m - down.end.amsl_m, down.distance_m)))
        worst = min(worst, craft.approach_deg - slope)
        if slope > craft.approach_deg * _STEEPER:
            found.append(f"{sortie.name}: lands down {slope:.1f} degrees, its approach is {craft.approach_deg:g}")
        for i, leg in legs:
            count += 1
            low = _low_m(leg, sortie, terrain)
            if low < -_ROUGH_M:
                found.append(f"{sortie.name} leg {i}: {-low:.0f} m too near to the ground below for its height")
    return Rule("take-off and landing of wings along a line", count, finite(worst), 0.0, "deg", tuple(found))


def _course_deg(leg: Leg) -> float:
    north = leg.end.lat_deg - leg.start.lat_deg
    east = (leg.end.lon_deg - leg.start.lon_deg + 180.0) % 360.0 - 180.0
    return float(np.degrees(np.arctan2(east * np.cos(np.radians(leg.start.lat_deg)), north)))


def _low_m(leg: Leg, sortie: Sortie, terrain: Terrain | None) -> float:
    """Height above the ground less the share of the height above the base that is to be kept, the least, metres."""
    a, b = leg.start, leg.end
    t = np.linspace(0.0, 1.0, int(leg.distance_m / _STEP_M) + 2)
    ground = (
        a.ground_amsl_m + t * (b.ground_amsl_m - a.ground_amsl_m)
        if terrain is None
        else terrain.elevation_m(*(np.interp(t, (0.0, 1.0), values) for values in lat_lon((a, b))))
    )
    amsl = a.amsl_m + t * (b.amsl_m - a.amsl_m)
    return float((amsl - ground - _KEPT * (amsl - sortie.home.amsl_m)).min())
