"""From a block of the course to a sortie: the way out, the patrol with its detours, the way home."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from geo import Terrain
from missions.border import Side
from missions.course import LONG_EMPTY_M, Course
from missions.estimate import Access
from missions.fleet import Aircraft, Vehicle
from missions.flying import Pilot
from missions.joining import lead_in
from missions.observation import Observation
from missions.options import PlanOptions
from missions.patrol import Leg, LegKind, Waypoint

__all__ = ["Aloft", "Builder"]

Floats = NDArray[np.float64]

_SIDES: dict[int, Side | None] = {0: None, Side.LEFT.sign: Side.LEFT, Side.RIGHT.sign: Side.RIGHT}


@dataclass(frozen=True)
class Aloft:
    """Where an aircraft is that goes on in the air.

    Parameters
    ----------
    at
        Its place.
    way
        Vertices of its way to where it is wanted, metres in the plane of the region of its base, shape (n, 2).
    """

    at: Waypoint
    way: Floats


@dataclass(frozen=True)
class Builder:
    """Builds the legs of sorties.

    Parameters
    ----------
    course, stations
        What is patrolled, and where blocks may begin and end, metres along it.
    terrain, options
        The ground, the limits.
    """

    course: Course
    stations: Floats
    terrain: Terrain
    options: PlanOptions

    def legs(
        self,
        vehicle: Vehicle,
        access: Access,
        look: Observation,
        *,
        start: int,
        stop: int,
        backward: bool,
        layers_agl_m: tuple[float, float],
        aloft: Aloft | None = None,
    ) -> tuple[Leg, ...]:
        """The legs of a sortie over stations `start` to `stop`, flown from the second to the first if `backward`.

        `layers_agl_m` are the heights above ground of the way out and of the way home, metres. It begins on the ground
        at the base, or where it is `aloft`.
        """
        craft, plane = vehicle.aircraft, access.region.plane
        out_agl_m, home_agl_m = layers_agl_m
        pilot = Pilot(plane, self.terrain, self.options.wind)
        first, last = (stop, start) if backward else (start, stop)
        pieces = self._pieces(start, stop, backward=backward)
        way, home = access.way(first) if aloft is None else aloft.way, access.way(last)
        way = _curved(way, plane.xy(*pieces[0][1:3]), pieces[0][0], craft.turn_radius_m, access)
        home = _curved(home, plane.xy(*pieces[-1][1:3])[::-1], -pieces[-1][0], craft.turn_radius_m, access)
        if aloft is None:
            on_ground, above = self._base(vehicle, out_agl_m)
            out = [above, *pilot.waypoints(way, out_agl_m)[1:]]
            made = pilot.legs(LegKind.TAKEOFF, [on_ground, above], craft, craft.climb_m_s)
        else:
            out = [aloft.at, *pilot.waypoints(way, aloft.at.agl_m)[1:]]
            made = []
        flown = [
            (side, pilot.waypoints(plane.xy(lat, lon), look.height_agl_m if side or short else out_agl_m))
            for side, lat, lon, short in pieces
        ]
        for k in range(1, len(flown) - 1):
            if not flown[k][0]:
                # Up to the layer of this sortie, where the piece is long enough, and down again.
                flown[k] = 0, [flown[k - 1][1][-1], *flown[k][1], flown[k + 1][1][0]]
        made += pilot.legs(LegKind.TRANSIT, [*out, flown[0][1][0]], craft, craft.cruise_m_s)
        for side, waypoints in flown:
            kind, speed = (LegKind.PATROL, look.speed_m_s) if side else (LegKind.TRANSIT, craft.cruise_m_s)
            made += pilot.legs(kind, waypoints, craft, speed, _SIDES[side])
        made += self._homeward(pilot, vehicle, flown[-1][1][-1], home[::-1], home_agl_m)
        return _with_procedures(_joined(made), craft)

    def homeward(self, vehicle: Vehicle, access: Access, aloft: Aloft, layer_agl_m: float) -> tuple[Leg, ...]:
        """The legs home, and no more, of an aircraft that is `aloft` with its way to the base."""
        pilot = Pilot(access.region.plane, self.terrain, self.options.wind)
        made = self._homeward(pilot, vehicle, aloft.at, aloft.way, layer_agl_m)
        return _with_procedures(_joined(made), vehicle.aircraft)

    def _base(self, vehicle: Vehicle, layer_agl_m: float) -> tuple[Waypoint, Waypoint]:
        """On the ground at the base, and above it."""
        base = vehicle.base
        ground = round(float(self.terrain.elevation_m(base.lat_deg, base.lon_deg)), 3)
        return (
            Waypoint.above(base.lat_deg, base.lon_deg, 0.0, ground),
            Waypoint.above(base.lat_deg, base.lon_deg, layer_agl_m, ground),
        )

    def _homeward(self, pilot: Pilot, vehicle: Vehicle, start: Waypoint, way: Floats, layer_agl_m: float) -> list[Leg]:
        """From a place along a way in the layer to the base, and down."""
        craft = vehicle.aircraft
        on_ground, above = self._base(vehicle, layer_agl_m)
        home = [*pilot.waypoints(way, layer_agl_m)[:-1], above]
        return [
            *pilot.legs(LegKind.RETURN, [start, *home], craft, craft.cruise_m_s),
            *pilot.legs(LegKind.LANDING, [above, on_ground], craft, craft.descent_m_s),
        ]

    def _pieces(self, start: int, stop: int, *, backward: bool) -> list[tuple[int, Floats, Floats, bool]]:
        """Pieces between two stations, in the order of flight.

        Each with the side that it looks to, 0 for none, and whether it is too short to leave the height of the patrol.
        """
        course = self.course
        low, high = float(self.stations[start]), float(self.stations[stop])
        inner = np.flatnonzero((course.along_m > low + 0.5) & (course.along_m < high - 0.5))
        at = np.concatenate([[low], course.along_m[inner], [high]])
        lat, lon = course.at(at)
        leg = course.legs_between(at)
        out = []
        for side, group in groupby(range(len(leg)), key=lambda k: int(course.look[leg[k]])):
            own = list(group)
            cut = slice(own[0], own[-1] + 2)
            out.append((side, lat[cut], lon[cut], bool(at[own[-1] + 1] - at[own[0]] < LONG_EMPTY_M)))
        if backward:
            # Seen from the other end the line lies on the other hand.
            out = [(-side, a[::-1], o[::-1], short) for side, a, o, short in out[::-1]]
        return out


def _curved(way: Floats, patrol: Floats, side: int, radius_m: float, access: Access) -> Floats:
    """The way to the beginning of a patrol that looks to a side, led into it by an arc for wings of a turn radius.

    Where a zone leaves no room for the arc the corner stays.
    """
    if radius_m <= 0 or side == 0 or len(way) < 2:
        return way
    step = patrol[1] - patrol[0]
    # The border lies where the camera looks; the arc lies on the other side.
    arc = lead_in(way[-2], patrol[0], step / np.hypot(*step), -float(side), radius_m)
    led = np.concatenate([way[:-1], arc, way[-1:]])
    return led if access.clear(led[len(way) - 2 :]) else way


def _with_procedures(legs: list[Leg], craft: Aircraft) -> tuple[Leg, ...]:
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


def _joined(legs: list[Leg]) -> list[Leg]:
    """Make every leg begin exactly where the last ended: points that rounding put a hair apart become one."""
    return legs[:1] + [b if a.end == b.start else replace(b, start=a.end) for a, b in pairwise(legs)]
