"""Off the ground and back to it: on the spot, or of wings along the line of a runway, and what that takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from missions.fleet import Aircraft, Base
from missions.flying import Pilot
from missions.joining import Open, led_in
from missions.patrol import Leg, LegKind, Waypoint
from missions.runway import Runway

__all__ = ["climb_out", "turned_in", "turned_out", "way_down", "with_procedures"]

Floats = NDArray[np.float64]

_LIFTED = 0.5
"""Share of the climb that is the take-off itself; from there the climb-out is flown to its end as any leg is."""


def climb_out(base: Base, runway: Runway | None, pilot: Pilot, agl_m: float) -> list[Waypoint]:
    """From the ground at the base to a height above ground, metres: straight up, or along a runway.

    Wings end a take-off as soon as they have its height, and turn: so that they do not turn before the end of the line,
    the take-off is its first half, and the end of the line a place of its own.
    """
    ground = _on_ground(base, pilot)
    if runway is None:
        return [ground, _above(ground, agl_m)]
    top = _at(runway.climbed, pilot, agl_m)
    lat, lon = pilot.plane.lat_lon(runway.climbed * _LIFTED)
    below = float(pilot.terrain.elevation_m(lat, lon))
    up_m = ground.amsl_m + _LIFTED * (top.amsl_m - ground.amsl_m)
    lifted = Waypoint.above(round(float(lat), 7), round(float(lon), 7), up_m - round(below, 3), round(below, 3))
    return [ground, lifted, top]


def way_down(base: Base, runway: Runway | None, pilot: Pilot, agl_m: float) -> list[Waypoint]:
    """From a height above ground, metres, to the ground at the base: straight down, or along a runway."""
    ground = _on_ground(base, pilot)
    if runway is None:
        return [_above(ground, agl_m), ground]
    return [_at(runway.established, pilot, agl_m), _at(runway.final, pilot, agl_m), ground]


def turned_out(way: Floats, runway: Runway | None, radius_m: float, open_to: Open) -> Floats:
    """A way, metres, shape (n, 2), that begins where a climb-out ends, with the turn that wings need for it."""
    return way if runway is None else _turned(way[::-1], -runway.course, radius_m, open_to)[::-1]


def turned_in(way: Floats, runway: Runway | None, radius_m: float, open_to: Open) -> Floats:
    """A way, metres, shape (n, 2), that ends where a landing begins, with the turn into it."""
    return way if runway is None else _turned(way, runway.course, radius_m, open_to)


def _turned(way: Floats, course: Floats, radius_m: float, open_to: Open) -> Floats:
    """The shorter of the turns to the left and to the right, where it is clear."""
    turned = [led_in(way, course, [inside], radius_m, open_to) for inside in (-1.0, 1.0)]
    # Without room for a turn on one side the way is as it was.
    return min(turned, key=lambda one: (len(one) == len(way), float(np.hypot(*np.diff(one, axis=0).T).sum())))


def with_procedures(legs: list[Leg], craft: Aircraft) -> tuple[Leg, ...]:
    """Legs with what take-off, if there is one, and landing take beside climb and descent."""
    out = list(legs)
    ends = [(-1, craft.landing_s)]
    if legs[0].kind is LegKind.TAKEOFF:
        ends.insert(0, (0, craft.takeoff_s))
    for k, procedure_s in ends:
        out[k] = _longer(out[k], procedure_s, craft.hover_power_w)
    for k, _ in ends:
        out[k] = _longer(out[k], craft.transition_s, craft.climb_power_w)
    return tuple(out)


def _longer(leg: Leg, by_s: float, power_w: float) -> Leg:
    """A leg with a procedure on the spot added."""
    if by_s <= 0:
        return leg
    return replace(leg, duration_s=leg.duration_s + by_s, energy_wh=leg.energy_wh + by_s * power_w / 3600)


def _on_ground(base: Base, pilot: Pilot) -> Waypoint:
    ground = round(float(pilot.terrain.elevation_m(base.lat_deg, base.lon_deg)), 3)
    return Waypoint.above(base.lat_deg, base.lon_deg, 0.0, ground)


def _above(ground: Waypoint, agl_m: float) -> Waypoint:
    return Waypoint.above(ground.lat_deg, ground.lon_deg, agl_m, ground.ground_amsl_m)


def _at(place: Floats, pilot: Pilot, agl_m: float) -> Waypoint:
    return pilot.waypoints(place[None], agl_m)[0]
