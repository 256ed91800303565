"""Validation of how a plan flies: heights, speeds, energy and bends of every leg, from its ends and its time."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo import Terrain
from missions.aircraft import Aircraft
from missions.patrol import PatrolPlan
from missions.sortie import Leg, LegKind, Sortie
from missions.validation_air import true_by_equivalent
from missions.validation_lines import lat_lon
from missions.validation_rule import Rule, finite

__all__ = ["energy", "heights", "speeds", "turns"]

Floats = NDArray[np.float64]

_GROUND_STEP_M = 30.0
_STEEP, _STEEP_STEP_M = 0.4, 3.0
"""Above this slope the ground below a leg is looked at this closely, metres."""

_E2 = 0.00669438
"""Square of the eccentricity of the ellipsoid of WGS 84."""
_CORNER_RAD = 0.4
_TOLD = 2e-3
"""By how much of a battery a sortie may say that it lands with more than it does."""

_ABOVE_M = 1.5
"""How far above a ceiling legs may be, metres: the ground between two samples of a way is known to a metre, and where
nothing lower can be flown by half of one a line of heights may be above it at the samples."""

_BELOW_M = 2.0
"""How far below the floor, metres: the ground between two samples of a way is known to a metre."""


def heights(plan: PatrolPlan, terrain: Terrain | None) -> Rule:
    """Height above ground of every leg between take-off and landing, sampled."""
    floor, ceiling = plan.options.floor_agl_m, plan.options.ceiling_agl_m
    found: list[str] = []
    worst, count = np.inf, 0
    for sortie in plan.sorties:
        for i, leg in enumerate(sortie.legs):
            a = leg.start
            agl = np.array([a.agl_m, leg.end.agl_m]) if terrain is None else _above_ground(leg, terrain)
            count += len(agl)
            slack, sag = (0.01, 0.01) if terrain is None else (_ABOVE_M + 0.01, _BELOW_M + 0.01)
            above, below = ceiling - float(agl.max()), float(agl.min()) - floor
            if above < -slack:
                found.append(f"{sortie.name} leg {i}: {agl.max():.1f} m above ground, ceiling {ceiling:.0f} m")
            worst = min(worst, above)
            if leg.kind not in {LegKind.TAKEOFF, LegKind.LANDING}:
                worst = min(worst, below)
                if below < -sag:
                    found.append(f"{sortie.name} leg {i}: {agl.min():.1f} m above ground, floor {floor:.0f} m")
            if leg.kind is not LegKind.PATROL:
                continue
            wanted, most = plan.observation_of(sortie).height_agl_m, plan.options.patrol_ceiling_agl_m
            if float(agl.max()) > most + slack:
                found.append(f"{sortie.name} leg {i}: patrols at {agl.max():.1f} m above ground, at most {most:.0f} m")
            # What slopes wings cannot fly they come over higher or lower, within the limits of patrols.
            if not sortie.vehicle.aircraft.has_wings and abs(a.agl_m - wanted) > 0.01:
                found.append(
                    f"{sortie.name} leg {i}: patrols at {a.agl_m:.1f} m above ground instead of {wanted:.1f} m"
                )
    return Rule("height above ground within floor and ceiling", count, finite(worst), 0.0, "m", tuple(found))


def _above_ground(leg: Leg, terrain: Terrain) -> Floats:
    """Heights above ground along a leg, metres: sampled again closer where the ground is steep."""
    a, b = leg.start, leg.end
    ends = lat_lon((a, b))
    for step_m in (_GROUND_STEP_M, _STEEP_STEP_M):
        t = np.linspace(0, 1, int(leg.distance_m / step_m) + 2)
        lat, lon = (np.interp(t, (0, 1), values) for values in ends)
        ground = terrain.elevation_m(lat, lon)
        if float(np.abs(np.diff(ground)).max()) <= _STEEP * leg.distance_m / (len(t) - 1):
            break
    return np.asarray(a.amsl_m + t * (b.amsl_m - a.amsl_m) - ground)


class _Flown(NamedTuple):
    """How a leg is flown: its number, airspeed, rise, time without that on the runway, and thin air.

    The airspeed is the one that it holds: of wings the equivalent one, of rotors the true one.
    """

    number: int
    airspeed: float
    rise: float
    time: float
    thin: float


def _winds(sortie: Sortie, plan: PatrolPlan) -> Iterable[_Flown]:
    """Every leg as it is flown."""
    craft = sortie.vehicle.aircraft
    rolls = {0: craft.takeoff_s if not sortie.airborne else 0.0, len(sortie.legs) - 1: craft.landing_s}
    angle = np.radians(plan.options.wind.from_deg)
    air = -plan.options.wind.speed_m_s * np.array([np.sin(angle), np.cos(angle)])
    for i, leg in enumerate(sortie.legs):
        middle = np.radians((leg.end.lat_deg + leg.start.lat_deg) / 2)
        # A degree of latitude is shorter than one of longitude at the equator, by 0.7 %.
        north = (leg.end.lat_deg - leg.start.lat_deg) * (1 - _E2) / (1 - _E2 * np.sin(middle) ** 2)
        east = ((leg.end.lon_deg - leg.start.lon_deg + 180) % 360 - 180) * np.cos(middle)
        norm = float(np.hypot(east, north))
        time = leg.duration_s - (rolls.get(i, 0.0) if craft.needs_runway else 0.0)
        ground = (
            np.array([east, north]) / norm * leg.distance_m / time
            if norm > 0 and leg.distance_m > 0 and time > 0
            else np.zeros(2)
        )
        thin = true_by_equivalent(leg)
        held = float(np.hypot(*(ground - air))) / (thin if craft.has_wings else 1.0)
        yield _Flown(i, held, leg.end.amsl_m - leg.start.amsl_m, time, thin)


def speeds(plan: PatrolPlan) -> Rule:
    """Airspeed and rise of every leg, by the wind triangle."""
    found: list[str] = []
    worst, count = np.inf, 0
    for sortie in plan.sorties:
        craft = sortie.vehicle.aircraft
        for i, airspeed, rise, time, _ in _winds(sortie, plan):
            count += 1
            leg = sortie.legs[i]
            least = max(rise / craft.climb_m_s, -rise / craft.descent_m_s, 0.0)
            fast = leg.distance_m > 0 and airspeed > craft.max_m_s * (1 + 1e-3)
            slow = leg.distance_m > 0 and airspeed < craft.min_m_s * (1 - 1e-3)
            if fast or slow or time < least - 1e-6:
                found.append(
                    f"{sortie.name} leg {i}: cannot be flown in {time:.1f} s, at {airspeed:.1f} m/s of airspeed"
                )
            if leg.distance_m > 0:
                worst = min(worst, craft.max_m_s - airspeed)
    return Rule("airspeed and rates of climb", count, finite(worst), 0.0, "m/s", tuple(found))


def energy(plan: PatrolPlan) -> Rule:
    """What every sortie lands with, by the power of the airspeed of each leg."""
    found: list[str] = []
    worst = np.inf
    for sortie in plan.sorties:
        craft = sortie.vehicle.aircraft
        transitions = 1 if sortie.airborne else 2
        joules = 0.0
        for end, procedure_s in ((0, craft.takeoff_s), (-1, craft.landing_s))[2 - transitions :]:
            more_w = max(craft.climb_power_w - craft.hover_power_w, 0.0)
            rolling_j = procedure_s * craft.hover_power_w if craft.needs_runway else 0.0
            joules += (craft.transition_s * more_w + rolling_j) * true_by_equivalent(sortie.legs[end])
        for i, airspeed, rise, time, thin in _winds(sortie, plan):
            level = sortie.legs[i].distance_m > 0
            joules += _in_air_w(craft, airspeed if level else 0.0, thin, level=level) * time
            held_w = craft.cruise_power_w if level and craft.has_wings else craft.hover_power_w
            joules += max(rise, 0.0) / craft.climb_m_s * max(craft.climb_power_w - held_w, 0.0)
        left = sortie.charge - joules / 3600 / craft.battery_wh
        worst = min(worst, left - craft.reserve_fraction)
        if left < craft.reserve_fraction - 1e-3:
            found.append(f"{sortie.name}: lands with {left:.1%} of the battery, reserve {craft.reserve_fraction:.0%}")
        if sortie.reserve_left > left + _TOLD:
            found.append(
                f"{sortie.name}: says it lands with {sortie.reserve_left:.1%} of the battery, it is {left:.1%}"
            )
    return Rule("battery above reserve at landing", len(plan.sorties), finite(worst), 0.0, "share", tuple(found))


def _in_air_w(craft: Aircraft, airspeed: float, thin: float, *, level: bool) -> float:
    """Power at the airspeed that is held, watts, where true airspeed is so many times the equivalent one.

    All forces are those at sea level at the same equivalent airspeed, with more way to go against them in a second. Of
    rotors what thin air saves of drag does not count.
    """
    if craft.has_wings:
        return thin * float(craft.power_w(airspeed, level=level))
    return max(thin * float(craft.power_w(airspeed / thin)), float(craft.power_w(airspeed)))


def turns(plan: PatrolPlan) -> Rule:
    """Bends of the patrol and of the circles of wings: over any stretch they turn by no more than its length allows.

    A single bend may turn by `_CORNER_RAD` at once: an arc through it strays R (1 / cos(half of it) - 1), a few metres.
    """
    found: list[str] = []
    worst, count = np.inf, 0
    for sortie in plan.sorties:
        radius = sortie.vehicle.aircraft.turn_radius_m
        if radius <= 0:
            continue
        first = next((i for i, leg in enumerate(sortie.legs) if leg.kind is LegKind.PATROL), -1)
        for side in (1.0, -1.0):
            turned = 0.0
            for i, (a, b) in enumerate(pairwise(sortie.legs), 1):
                # Into its first patrol and home from the last; a detour between two is flown wide.
                joint = i == first or (a.kind is LegKind.PATROL and b.kind is LegKind.RETURN)
                inner = (a.kind is LegKind.PATROL and b.kind is LegKind.PATROL) or LegKind.CLIMB in {a.kind, b.kind}
                if not inner and not joint:
                    turned = 0.0
                    continue
                count += 1
                wide = radius * true_by_equivalent(a, highest=True) ** 2
                turn = (_course(b) - _course(a) + np.pi) % (2 * np.pi) - np.pi
                turned = max(turned - a.distance_m / wide, 0.0) + side * turn
                worst = min(worst, _CORNER_RAD - turned)
                if turned > _CORNER_RAD:
                    found.append(
                        f"{sortie.name} leg {i}: turns by {np.degrees(turned):.0f} degrees at once, too sharp for a "
                        f"radius of {wide:.0f} m"
                    )
    return Rule("turn radius on patrol, into it and out of it", count, finite(worst), 0.0, "rad", tuple(found))


def _course(leg: Leg) -> float:
    a, b = leg.start, leg.end
    east = ((b.lon_deg - a.lon_deg + 180) % 360 - 180) * np.cos(np.radians(a.lat_deg))
    return float(np.arctan2(east, b.lat_deg - a.lat_deg))
