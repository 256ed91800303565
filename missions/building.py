"""From a block of the course to a sortie: the way out, the patrol with its detours, the way home."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from geo import Terrain
from missions.access import Access
from missions.border import Side
from missions.course import LONG_EMPTY_M, Course
from missions.errors import GroundError, TooSharpError, TooSteepError
from missions.fleet import Aircraft, Vehicle
from missions.flying import Part, Pilot
from missions.headroom import level_m
from missions.joining import Room, length_m
from missions.observation import Observation
from missions.options import PlanOptions
from missions.plane import Plane
from missions.procedures import climb_out, curved_home, curved_out, met, turned_in, way_down, with_procedures
from missions.sortie import Leg, LegKind, Run, Waypoint
from missions.wide_turns import turned_between
from missions.wind import Wind

__all__ = ["Aloft", "Builder", "joined", "led", "legs_of", "no_room_for"]

Floats = NDArray[np.float64]

_Ends = tuple[Waypoint | None, Waypoint | None]
_Flight = list[tuple[Part, list[Waypoint]]]
"""What a part of a sortie is flown in, each with its waypoints."""

_SAID_M = 0.5
"""A radius that differs by less is told as the same, metres."""

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
        stretches: Sequence[tuple[int, int]],
        layers_agl_m: tuple[float, float],
        aloft: Aloft | None = None,
    ) -> tuple[tuple[Leg, ...], tuple[Run, ...]]:
        """The legs and runs of a sortie over stretches, given as first and last station, in the order of flight.

        `layers_agl_m` are the heights above ground of the way out and of the way home, metres. It begins on the ground
        at the base, or where it is `aloft`.

        Raises
        ------
        UnflyableError
            When wings have no room for a turn, or the ground cannot be flown over.
        """
        craft, plane = vehicle.aircraft, access.region.plane
        out_agl_m, home_agl_m = layers_agl_m
        pilot = Pilot(plane, self.terrain, self.options.wind, self.options.ceiling_agl_m)
        pieces = self._pieces(stretches, vehicle, access)
        way = self._led_out(vehicle, access, pieces[0], stretches[0][0], aloft)
        home = self._led_home(vehicle, access, pieces[-1], stretches[-1][1])
        climb = [] if aloft else climb_out(vehicle.base, access.runway, pilot, out_agl_m)
        down = way_down(vehicle.base, access.runway, pilot, home_agl_m)
        transit = self.options.floor_agl_m, self.options.ceiling_agl_m
        begun_agl_m = aloft.at.agl_m if aloft and not craft.has_wings else out_agl_m
        over_m = 0.0 if aloft else level_m(craft, self.options.wind)
        parts = [
            Part(way, begun_agl_m, transit, craft.cruise_m_s, level_m=over_m),
            *(self._part(p, plane, look, craft, out_agl_m) for p in pieces),
            Part(home, home_agl_m, transit, craft.cruise_m_s),
        ]
        # Over a place that it climbs and descends above on the spot it is as high as its ways ask.
        upright = not craft.needs_runway and pilot.sloped(craft)
        start = aloft.at if aloft else None if upright else climb[-1]
        out, *flown, back = _flown(pilot, parts, craft, (start, None if upright else down[0]), access.clear)
        if upright:
            climb[-1:] = [met(at, out[0][1], 0) for at in climb[-1:]]
            down[0] = met(down[0], back[-1][1], -1)
        if aloft and craft.has_wings:
            # Wings come to their height on the way: on the spot they cannot.
            out[0][1][:1] = [aloft.at]
        made = pilot.legs(LegKind.TAKEOFF, climb, craft, craft.cruise_m_s) if climb else []
        for k in range(1, len(flown) - 1):
            if not pieces[k].side:
                # Up to the layer of this sortie, where the piece is long enough, and down again.
                flown[k][0][1].insert(0, flown[k - 1][-1][1][-1])
                flown[k][-1][1].append(flown[k + 1][0][1][0])
        out[-1][1].append(flown[0][0][1][0])
        back[0][1].insert(0, flown[-1][-1][1][-1])
        made += legs_of(pilot, LegKind.TRANSIT, out, craft)
        bounds: dict[int, tuple[int, int]] = {}
        for piece, own in zip(pieces, flown, strict=True):
            begin = len(made)
            made += legs_of(pilot, LegKind.PATROL if piece.side else LegKind.TRANSIT, own, craft, _SIDES[piece.side])
            if piece.stretch is not None:
                bounds[piece.stretch] = bounds.get(piece.stretch, (begin, begin))[0], len(made)
        made += legs_of(pilot, LegKind.RETURN, back, craft)
        made += pilot.legs(LegKind.LANDING, down, craft, craft.cruise_m_s)
        runs = [
            Run(float(self.stations[first]), float(self.stations[last]), *bounds[number])
            for number, (first, last) in enumerate(stretches)
        ]
        return with_procedures(joined(made), craft), tuple(runs)

    def no_turns_at(
        self, vehicle: Vehicle, access: Access, part: str, stretch: tuple[int, int]
    ) -> TooSharpError | None:
        """Why there is no room for the turns of wings into a stretch, part ``out``, or out of it, ``home``, if so."""
        pieces = self._pieces([stretch], vehicle, access)
        try:
            if part == "out":
                self._led_out(vehicle, access, pieces[0], stretch[0])
            else:
                self._led_home(vehicle, access, pieces[-1], stretch[1])
        except TooSharpError as error:
            return error
        return None

    def _led_out(
        self, vehicle: Vehicle, access: Access, piece: _Piece, station: int, aloft: Aloft | None = None
    ) -> Floats:
        """The way out to a station with the turn into the piece that is patrolled from there."""
        way = access.way(station) if aloft is None else aloft.way
        course, runway = piece.course(access.region.plane), None if aloft else access.runway
        # A border lies where the camera looks, and room to turn is on the other side.
        room = self._room(vehicle, access)
        found = curved_out(way, course, -float(piece.side), runway, room)
        rounded = None if found is None else _rounded(found, room, access)
        if rounded is not None:
            return rounded
        off_runway = found is None and runway is not None
        at_runway = off_runway and curved_out(way, course, -float(piece.side), None, room) is not None
        raise self._too_sharp(vehicle, station, "out", at_runway=at_runway, at_corner=found is not None)

    def _led_home(self, vehicle: Vehicle, access: Access, piece: _Piece, station: int) -> Floats:
        """The way home from a station with the turn out of the piece that is patrolled up to there."""
        way, course = access.way_home(station), piece.course(access.region.plane, last=True)
        room = self._room(vehicle, access)
        found = curved_home(way, course, -float(piece.side), access.runway, room)
        rounded = None if found is None else _rounded(found, room, access)
        if rounded is not None:
            return rounded
        on_runway = found is None and access.runway is not None
        at_runway = on_runway and curved_home(way, course, -float(piece.side), None, room) is not None
        raise self._too_sharp(vehicle, station, "home", at_runway=at_runway, at_corner=found is not None)

    def _too_sharp(
        self, vehicle: Vehicle, station: int, part: str, *, at_runway: bool, at_corner: bool
    ) -> TooSharpError:
        lat, lon = (float(v) for v in self.course.at(self.stations[station]))
        way = f"on the way {'from' if part == 'home' else 'to'}"
        where = f"at the runway of base {vehicle.base.name!r}, {way}" if at_runway else "at"
        where = f"at a corner {way}" if at_corner else where
        return TooSharpError(
            f"{where} {lat:.5f}, {lon:.5f} there is no room for "
            f"{no_room_for(vehicle.aircraft, self.options.wind)}: send rotors or an aircraft that turns tighter, or "
            "move the base",
            lat,
            lon,
            part,
            at_runway=at_runway,
            at_corner=at_corner,
        )

    def homeward(
        self, vehicle: Vehicle, access: Access, aloft: Aloft, layer_agl_m: float
    ) -> tuple[tuple[Leg, ...], str]:
        """The legs home, and no more, of an aircraft that is `aloft` with its way to the base; and what has no room.

        It cannot stay in the air: where nothing leaves room for its turns it comes home by the way without them, and
        the words say of which.
        """
        pilot = Pilot(access.region.plane, self.terrain, self.options.wind, self.options.ceiling_agl_m)
        craft = vehicle.aircraft
        room = self._room(vehicle, access)
        turned = turned_in(aloft.way, access.runway, room)
        way = aloft.way if turned is None else turned
        rounded = _rounded(way, room, access)
        tight = "" if turned is not None and rounded is not None else no_room_for(craft, self.options.wind)
        bounds = self.options.floor_agl_m, self.options.ceiling_agl_m
        part = Part(way if rounded is None else rounded, layer_agl_m, bounds, craft.cruise_m_s)
        down = way_down(vehicle.base, access.runway, pilot, layer_agl_m)
        # Rotors climb or descend to the layer first; wings on the way.
        sloped = pilot.sloped(craft)
        upright = sloped and not craft.needs_runway
        ends = aloft.at if sloped else None, None if upright else down[0]
        (home,) = led(pilot, [part], craft, ends, access.clear)
        if upright:
            down[0] = met(down[0], home[-1][1], -1)
        home[0][1][: int(craft.has_wings)] = [aloft.at]
        made = [
            *legs_of(pilot, LegKind.RETURN, home, craft),
            *pilot.legs(LegKind.LANDING, down, craft, craft.cruise_m_s),
        ]
        return with_procedures(joined(made), craft), tight

    def _part(self, piece: _Piece, plane: Plane, look: Observation, craft: Aircraft, layer_agl_m: float) -> Part:
        """A piece as it is flown: on patrol under the ceiling of patrols."""
        points, options = plane.xy(piece.lat, piece.lon), self.options
        if piece.side:
            bounds = options.floor_agl_m, options.patrol_ceiling_agl_m
            # A border lies where the camera looks: circles are on the other side.
            return Part(points, look.height_agl_m, bounds, look.speed_m_s, patrol=True, side=-piece.side)
        bounds = options.floor_agl_m, options.ceiling_agl_m
        return Part(points, look.height_agl_m if piece.short else layer_agl_m, bounds, craft.cruise_m_s)

    def _room(self, vehicle: Vehicle, access: Access) -> Room:
        return Room(vehicle.aircraft.turn_radius_in(self.options.wind), access)

    def _pieces(self, stretches: Sequence[tuple[int, int]], vehicle: Vehicle, access: Access) -> list[_Piece]:
        """What is flown over stretches, and between them, in the order of flight."""
        out: list[_Piece] = []
        for number, (first, last) in enumerate(stretches):
            own = self._stretch(min(first, last), max(first, last), number)
            if first > last:
                # Seen from the other end the line lies on the other hand.
                own = [replace(p, side=-p.side, lat=p.lat[::-1], lon=p.lon[::-1]) for p in own[::-1]]
            if out:
                out.append(self._between(out[-1], own[0], vehicle, access))
            out += own
        return out

    def _between(self, before: _Piece, after: _Piece, vehicle: Vehicle, access: Access) -> _Piece:
        """What is flown from the end of a piece to the beginning of another."""
        plane, room = access.region.plane, self._room(vehicle, access)
        ends = [(float(p.lat[k]), float(p.lon[k])) for p, k in ((before, -1), (after, 0))]
        way = access.between(*ends)
        if room.radius_m > 0:
            courses = before.course(plane, last=True), after.course(plane)
            turned = turned_between(way, courses, room, access.berth)
            if turned is None:
                raise TooSharpError(
                    f"between {ends[0][0]:.5f}, {ends[0][1]:.5f} and {ends[1][0]:.5f}, {ends[1][1]:.5f} there is no "
                    f"room for {no_room_for(vehicle.aircraft, self.options.wind)}",
                    *ends[0],
                )
            way = turned
        lat, lon = plane.lat_lon_near(way, ends[0][1])
        length = length_m(way)
        return _Piece(0, lat, lon, length < LONG_EMPTY_M, None)

    def _stretch(self, start: int, stop: int, number: int) -> list[_Piece]:
        """Pieces between two stations, in the order of the course."""
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
            short = bool(at[own[-1] + 1] - at[own[0]] < LONG_EMPTY_M)
            out.append(_Piece(side, lat[cut], lon[cut], short, number))
        return out


@dataclass(frozen=True)
class _Piece:
    """What is flown in one way.

    Parameters
    ----------
    side
        Where the camera looks, 1 for left, -1 for right, 0 for nowhere.
    lat, lon
        Vertices, degrees.
    short
        Whether it is too short to leave the height of the patrol.
    stretch
        Number of the stretch that it is part of; None between two.
    """

    side: int
    lat: Floats
    lon: Floats
    short: bool
    stretch: int | None

    def course(self, plane: Plane, *, last: bool = False) -> Floats | None:
        """Direction of flight at its first end, or its last, a unit vector; None where it is no patrol."""
        if self.side == 0:
            return None
        ends = slice(-2, None) if last else slice(2)
        (x0, y0), (x1, y1) = plane.xy(self.lat[ends], self.lon[ends])
        return np.array([x1 - x0, y1 - y0]) / float(np.hypot(x1 - x0, y1 - y0))


def _rounded(way: Floats, room: Room, access: Access) -> Floats | None:
    """A way whose corners wings have room to fly wide; None where there is none. Rotors turn on the spot."""
    return way if room.radius_m <= 0 else access.berth.rounded(way, room)


def _flown(
    pilot: Pilot, parts: Sequence[Part], craft: Aircraft, ends: _Ends, clear: Callable[[Floats], bool]
) -> list[_Flight]:
    """How the way out, the pieces of the patrol and the way home are flown.

    Raises
    ------
    GroundError
        When wings cannot follow the ground, or it is not known; its part is the patrol where that is so without the
        ways.
    """
    start, _ = ends
    try:
        return led(pilot, parts, craft, ends, clear)
    except GroundError as whole:
        for part, some, own in (("patrol", parts[1:-1], (None, None)), ("out", parts[:-1], (start, None))):
            try:
                led(pilot, some, craft, own, clear)
            except GroundError as error:
                error.part = part
                raise
        whole.part = "home"
        raise


def led(
    pilot: Pilot, parts: Sequence[Part], craft: Aircraft, ends: _Ends, clear: Callable[[Floats], bool]
) -> list[_Flight]:
    """How each of some parts is flown: straight on where that can be, else with circles before what is steep.

    Parameters
    ----------
    pilot, parts, craft
        Who flies what.
    ends
        Where the first part begins and the last one ends, as `Pilot.flown` takes them.
    clear
        Whether a way, metres in the plane of the pilot, shape (n, 2), touches nothing that is shut.

    Raises
    ------
    GroundError
        When wings cannot follow the ground, or it is not known.
    """
    try:
        return [[one] for one in zip(parts, pilot.flown(parts, craft, *ends), strict=True)]
    except TooSteepError:
        split = pilot.circled(parts, craft, *ends, clear)
        if all(len(own) == 1 for own in split):
            raise
        waypoints = iter(pilot.flown([one for own in split for one in own], craft, *ends))
        return [[(one, next(waypoints)) for one in own] for own in split]


def no_room_for(aircraft: Aircraft, wind: Wind) -> str:
    """The turns of an aircraft with the figures that bound them, in words."""
    flown_m = aircraft.turn_radius_in(wind)
    why = "in the wind and the air there" if wind.speed_m_s else "in the air there"
    wider = f", {flown_m:.0f} m {why}" if abs(flown_m - aircraft.turn_radius_m) >= _SAID_M else ""
    return f"the turns of {aircraft.kind!r} (turn_radius_m {aircraft.turn_radius_m:g}{wider})"


def legs_of(pilot: Pilot, kind: LegKind, flight: _Flight, craft: Aircraft, look: Side | None = None) -> list[Leg]:
    """The legs of a part of a sortie, circles among them."""
    made: list[Leg] = []
    for part, waypoints in flight:
        own = (LegKind.CLIMB, None) if part.circle else (kind, look)
        made += pilot.legs(own[0], waypoints, craft, part.speed_m_s, own[1])
    return made


def joined(legs: list[Leg]) -> list[Leg]:
    """Make every leg begin exactly where the last ended: points that rounding put a hair apart become one."""
    return legs[:1] + [b if a.end == b.start else replace(b, start=a.end) for a, b in pairwise(legs)]
