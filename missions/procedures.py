"""Off the ground and back to it: on the spot, or of wings along the line of a runway, and what that takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from geo import true_per_equivalent
from missions.fleet import Aircraft, Base
from missions.flying import Pilot
from missions.joining import Room, led_in, led_in_shorter, steered
from missions.runway import Runway
from missions.sortie import Leg, LegKind, Waypoint

__all__ = ["climb_out", "curved_home", "curved_out", "met", "turned_in", "way_down", "with_procedures"]

Floats = NDArray[np.float64]

_LIFTED = 0.5
"""Share of the climb that is the take-off itself; from there the climb-out is flown to its end as any leg is."""


def climb_out(base: Base, runway: Runway | None, pilot: Pilot, agl_m: float) -> list[Waypoint]:
    """From the ground at the base straight up to a height above ground, metres, or along a runway to its own.

    Wings end a take-off as soon as they have its height, and turn: so that they do not turn before the end of the line,
    the take-off is its first half, and the end of the line a place of its own.
    """
    ground = _on_ground(base, pilot)
    if runway is None:
        return [ground, _above(ground, agl_m)]
    top = _at(runway.climbed, pilot, runway.climbed_agl_m)
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


def met(end: Waypoint, way: list[Waypoint], at: int) -> Waypoint:
    """Where what is climbed or descended on the spot ends, at the height that a way has there; the way has it so."""
    agl_m = round(way[at].amsl_m - end.ground_amsl_m, 3)
    way[at] = Waypoint.above(end.lat_deg, end.lon_deg, agl_m, end.ground_amsl_m)
    return way[at]


def turned_in(way: Floats, runway: Runway | None, room: Room) -> Floats | None:
    """A way, metres, shape (n, 2), that ends where a landing begins, with the turn into it, left or right by length.

    None where there is no room for either; without a runway the way as it is.
    """
    return way if runway is None else led_in_shorter(way, runway.course, room)


def curved_home(way: Floats, first: Floats | None, inside: float, runway: Runway | None, room: Room) -> Floats | None:
    """The way home from a patrol with the turns that wings need, out of the patrol and into the landing.

    None where no clear curve was found.

    Parameters
    ----------
    way
        Vertices, metres, shape (n, 2), from the end of the patrol to where the landing begins.
    first
        Course of the patrol at its end, a unit vector; None where it need not be left along its course.
    inside
        1 where the side away from the border is to the left of that course, -1 where it is to the right.
    runway
        Along which it lands; None where it does so on the spot.
    room
        For turns.
    """
    return _curved(way, first, inside, None if runway is None else runway.course, room)


def curved_out(way: Floats, last: Floats | None, inside: float, runway: Runway | None, room: Room) -> Floats | None:
    """The way from where a climb-out ends to the beginning of a patrol, with the turns, as `curved_home` makes them."""
    back = None if last is None else -last
    take_off = None if runway is None else -runway.course
    # Flown backwards, what was on the left is on the right.
    found = _curved(way[::-1], back, -inside, take_off, room)
    return None if found is None else found[::-1]


def _curved(way: Floats, first: Floats | None, inside: float, last: Floats | None, room: Room) -> Floats | None:
    if room.radius_m <= 0 or len(way) < 2:
        return way

    def rest(part: Floats) -> Floats | None:
        return part if last is None else led_in_shorter(part, last, room)

    if first is None:
        return rest(way)
    # A border lies on the other side; beside a road that may be where a border is not.
    left = led_in(way[::-1], -first, (-inside, inside), room)
    found = None if left is None else rest(left[::-1])
    return steered(way, first, last, rest=rest, room=room) if found is None else found


def with_procedures(legs: list[Leg], craft: Aircraft) -> tuple[Leg, ...]:
    """Legs with what take-off, if there is one, and landing take beside climb and descent."""
    out = list(legs)
    ends = [(-1, craft.landing_s)]
    if legs[0].kind is LegKind.TAKEOFF:
        ends.insert(0, (0, craft.takeoff_s))
    for k, procedure_s in ends:
        thin = float(true_per_equivalent((out[k].start.amsl_m + out[k].end.amsl_m) / 2))
        # Below the sea rotors take no less than on it.
        more = max(thin, 1.0)
        out[k] = _longer(out[k], procedure_s, more * craft.hover_power_w)
        out[k] = _longer(out[k], craft.transition_s, more * craft.transition_power_w)
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
