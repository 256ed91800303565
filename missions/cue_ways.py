"""Ways to where a spot is seen and home again: to a place for rotors, along circles about one for wings."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from missions.circling import Circle
from missions.effort import effort
from missions.errors import PlanError
from missions.fleet import Aircraft, Vehicle
from missions.flying import Pilot, spare_m
from missions.joining import Room
from missions.patrol import PatrolPlan
from missions.plane import Plane
from missions.procedures import climb_out, curved_home, curved_out, way_down
from missions.routing import Passage, Router
from missions.runway import Runway
from missions.sortie import LegKind, Sortie, Waypoint
from missions.viewing import Sight, Viewing
from missions.wide_turns import Berth
from missions.wind import Wind

__all__ = ["CueWay", "Ends", "circle_of", "cue_ways", "ends_of"]

Floats = NDArray[np.float64]

_CIRCLE = 1.25  # radii of a turn in the wind


def circle_of(aircraft: Aircraft, wind: Wind) -> float:
    """Radius of the circles that an aircraft flies where a spot is seen, metres; 0 for what stays in the air."""
    return _CIRCLE * aircraft.turn_radius_in(wind) if aircraft.has_wings else 0.0


@dataclass(frozen=True, slots=True)
class Ends:
    """Where ways begin and end beside a base.

    Parameters
    ----------
    start, gate
        Where ways out begin and ways home end, latitude and longitude, degrees.
    like
        The sortie of the plan along whose runway it takes off and lands; None for on the spot.
    """

    start: tuple[float, float]
    gate: tuple[float, float]
    like: Sortie | None


def ends_of(plan: PatrolPlan, vehicle: Vehicle) -> Ends:
    """Where ways of a vehicle begin and end. Raises PlanError where it needs a runway that the plan does not show."""
    base = vehicle.base.lat_deg, vehicle.base.lon_deg
    if not vehicle.aircraft.needs_runway:
        return Ends(base, base, None)
    for sortie in plan.sorties:
        own = sortie.vehicle
        if not sortie.airborne and own.base == vehicle.base and own.aircraft == vehicle.aircraft:
            climbed = [leg for leg in sortie.legs if leg.kind is LegKind.TAKEOFF][-1].end
            gate = sortie.landing[0].start
            return Ends((climbed.lat_deg, climbed.lon_deg), (gate.lat_deg, gate.lon_deg), sortie)
    raise PlanError(
        f"{vehicle.name}: nothing like it takes off from {vehicle.base.name!r} in this plan, which shows along what "
        "line: plan with one of its kind there"
    )


@dataclass(frozen=True, slots=True)
class CueWay:
    """A way to where a spot is seen, what is flown there, and the way home, metres in the plane of a region.

    Parameters
    ----------
    pilot
        Flies in that plane.
    out, home
        Vertices, shape (n, 2).
    ring
        Vertices of the circles of wings; None for what stays.
    climb, down
        Off the ground and back to it.
    clear
        Whether a way, metres, shape (n, 2), touches nothing that is shut.
    """

    pilot: Pilot
    out: Floats
    ring: Floats | None
    home: Floats
    climb: list[Waypoint]
    down: list[Waypoint]
    clear: Callable[[Floats], bool]


def cue_ways(
    viewing: Viewing, vehicle: Vehicle, ends: Ends, sight: Sight, stay: tuple[float, float]
) -> Iterator[CueWay]:
    """Ways to a sight and home, as far as there is room.

    Parameters
    ----------
    viewing, vehicle, ends, sight
        Who flies, and from where to where.
    stay
        Radius of circles, metres, 0 to stay at the place; and how long it circles, seconds. Either way round is tried.
    """
    options, craft, region = viewing.plan.options, vehicle.aircraft, sight.region
    pilot = Pilot(region.plane, viewing.terrain, options.wind, options.ceiling_agl_m)
    layers = options.layers_agl_m(viewing.observation(vehicle).height_agl_m, spare_m(viewing.terrain))
    if ends.like is None:
        climb, down = climb_out(vehicle.base, None, pilot, layers[0]), way_down(vehicle.base, None, pilot, layers[1])
    else:
        legs = [leg for leg in ends.like.legs if leg.kind is LegKind.TAKEOFF]
        climb = [legs[0].start, *(leg.end for leg in legs)]
        down = [ends.like.landing[0].start, *(leg.end for leg in ends.like.landing)]
    circle_m, station_s = stay
    corners = [*(shape for _, shape in region.zones), *sight.voids]
    room = Passage(Router([*region.obstacles, *sight.voids], corners_of=corners))
    if not circle_m:
        yield CueWay(pilot, sight.way, None, sight.way[::-1], climb, down, room.clear)
        return
    back = room.route(region.plane.xy(*ends.gate), sight.way[-1])
    if back is None:
        return
    turns, berth = Room(craft.turn_radius_in(options.wind), room), Berth(region, options.zone_margin_m)
    runway = None if ends.like is None else _runway(region.plane, climb, down)
    for side in (1, -1):
        circle = Circle(sight.way[-1], circle_m, side)
        whole = circle.flown(sight.way, back[::-1], 1)
        if whole is None:
            continue
        part_s, lap_s = _lasts(pilot, craft, whole[1], circle)
        laps = max(0, math.ceil((station_s - part_s) / lap_s))
        found = circle.flown(sight.way, back[::-1], laps)
        assert found is not None
        out, ring, home = found
        led_out, led_home = curved_out(out, None, 1.0, runway, turns), curved_home(home, None, 1.0, runway, turns)
        # Without room for a turn about the runway it is flown wide.
        out, home = out if led_out is None else led_out, home if led_home is None else led_home
        wide_out, wide_home = berth.rounded(out, turns), berth.rounded(home, turns)
        if wide_out is None or wide_home is None:
            continue
        out, home = wide_out, wide_home
        # Tangents lie beside the ways to the middle, which are clear.
        if room.clear(out) and room.clear(home):
            yield CueWay(pilot, out, ring, home, climb, down, room.clear)


def _lasts(pilot: Pilot, craft: Aircraft, ring: Floats, circle: Circle) -> tuple[float, float]:
    """What is flown round beside whole laps, and a lap, of a ring with one lap, seconds."""

    def seconds(way: Floats) -> float:
        steps = np.diff(way, axis=0)
        time, _ = effort(craft, steps, np.zeros(len(steps)), speed_m_s=craft.cruise_m_s, wind=pilot.wind, patrol=False)
        return float(time.sum())

    lap_s = seconds(circle.lap())
    return seconds(ring) - lap_s, lap_s


def _runway(plane: Plane, climb: list[Waypoint], down: list[Waypoint]) -> Runway:
    """The line over the base that a sortie of the plan takes off and lands along."""
    climbed, established, final, base = (
        plane.xy(at.lat_deg, at.lon_deg) for at in (climb[-1], down[0], down[1], down[-1])
    )
    east, north = base - established
    return Runway(math.degrees(math.atan2(east, north)) % 360.0, climbed, established, final, climb[-1].agl_m)
