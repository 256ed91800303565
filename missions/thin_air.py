"""How high above the sea a patrol is flown: the air is thinner there, wings fly faster and wider, rotors take more."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from geo import Terrain, densify, true_per_equivalent, unwrap_longitudes
from missions.fleet import Fleet
from missions.options import PlanOptions
from missions.patrol import PatrolPlan
from missions.task import Task

__all__ = ["in_thin_air", "in_thinner_air", "thickest_air"]

Floats = NDArray[np.float64]

_SAMPLE_M = 250.0
"""The ground along a border is looked at so often, metres."""

_LOWER_M = 100.0
"""How much lower than the ground below a border ground beside it may be, metres."""

_PLACE = ("lat_deg", "lon_deg")

_STEP_M = 50.0
"""Heights of the air are counted in steps of this, metres, so that a little of it makes no other plan."""


def in_thin_air(options: PlanOptions, task: Task, fleet: Fleet, terrain: Terrain) -> PlanOptions:
    """Options whose wind is as thin as the highest ground below borders and bases, and a flight over it, make it."""
    places = []
    for border in task.borders:
        lon, lat = np.array(border.coordinates).T
        places.append(np.stack(densify(lat, unwrap_longitudes(lon), _SAMPLE_M)))
    places.append(np.array([[v.base.lat_deg, v.base.lon_deg] for v in fleet.vehicles]).T)
    ground = terrain.known_elevation_m(*np.concatenate(places, axis=1))
    known = ground[np.isfinite(ground)]
    # Wings come and go at the height of their patrol, rotors in layers above it.
    rotors = any(not vehicle.aircraft.has_wings for vehicle in fleet.vehicles)
    above_m = options.ceiling_agl_m if rotors else options.patrol_ceiling_agl_m
    highest_m = (float(known.max()) if len(known) else 0.0) + above_m
    # Rotors take no less below the sea than on it.
    return _raised(options, max(highest_m, 0.0) if rotors else highest_m)


def in_thinner_air(plan: PatrolPlan) -> PlanOptions | None:
    """The options of a plan of which something flies higher than the air it was made for; None where nothing does."""
    highest_m = max((leg.end.amsl_m for sortie in plan.sorties for leg in sortie.legs), default=-math.inf)
    return _raised(plan.options, highest_m) if highest_m > plan.options.wind.air_amsl_m else None


def thickest_air(terrain: Terrain, fleet: Fleet, at: tuple[Floats, Floats]) -> float:
    """True airspeed by equivalent airspeed at the lowest ground below places, degrees, and bases, or a little lower."""
    lat, lon = (
        np.append(v, [getattr(one.base, name) for one in fleet.vehicles]) for v, name in zip(at, _PLACE, strict=True)
    )
    lowest_m = float(np.nanmin(terrain.known_elevation_m(lat, lon), initial=np.inf))
    flat = math.isinf(terrain.resolution_m)
    return float(true_per_equivalent((lowest_m if math.isfinite(lowest_m) else 0.0) - (0.0 if flat else _LOWER_M)))


def _raised(options: PlanOptions, amsl_m: float) -> PlanOptions:
    steps_m = _STEP_M * math.ceil(amsl_m / _STEP_M)
    return replace(options, wind=replace(options.wind, air_amsl_m=max(options.wind.air_amsl_m, steps_m)))
