"""What it takes to fly along a course and to get to it: time and energy, before any sortie is built."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo import Terrain, TerrainError, geodesic_distance_m
from missions.course import Course
from missions.effort import effort
from missions.errors import PlanError
from missions.fleet import Aircraft, Base
from missions.observation import Observation
from missions.options import PlanOptions
from missions.profile import sampled
from missions.routing import Passage, Router, Ways
from missions.runway import Runway
from missions.surroundings import Region, Surroundings, rough_distance_m
from missions.way_rises import (
    UNFLYABLE,
    GroundNear,
    circles_beside,
    course_followed,
    ways_followed,
    ways_straightened,
)

__all__ = ["Access", "Along", "fly_along", "reach_m"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Along:
    """Time, seconds, and energy, watt hours, from the first station to each, shape (n,): forwards and backwards.

    `steep` is where wings cannot follow the ground either way, shape (n - 1,): it costs more than there is.
    """

    time_s: Floats
    energy_wh: Floats
    back_time_s: Floats
    back_energy_wh: Floats
    steep: NDArray[np.bool_]


def steps_between(lat: Floats, lon: Floats) -> Floats:
    """Pieces of a line as vectors, metres east and north of their own middle, shape (n - 1, 2)."""
    length = geodesic_distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:])
    north = np.diff(lat)
    east = np.diff(lon) * np.cos(np.radians((lat[:-1] + lat[1:]) / 2))
    norm = np.hypot(east, north)
    unit = np.stack([east, north], axis=-1) / np.where(norm > 0, norm, 1.0)[:, None]
    return np.asarray(unit * length[:, None])


def fly_along(
    course: Course,
    stations: Floats,
    terrain: Terrain,
    *,
    aircraft: Aircraft,
    look: Observation,
    options: PlanOptions,
    layer_agl_m: float,
) -> Along:
    """Effort of flying the whole course, both ways, at stations given in metres along it.

    `layer_agl_m` is the height above ground to which long unwatched pieces climb.
    """
    at = [course.along_m, stations]
    if math.isfinite(terrain.resolution_m):
        at.append(np.arange(0.0, course.length_m, terrain.resolution_m))
    along = np.unique(np.concatenate(at))
    lat, lon = course.at(along)
    ground = terrain.elevation_m(lat, lon)
    step, rise = steps_between(lat, lon), np.diff(ground)
    legs = course.legs_between(along)
    watched = course.watched[legs]
    climbs = np.searchsorted(along, course.long_empty())
    climb = layer_agl_m - look.height_agl_m
    up_down = _vertical(aircraft, climb, options) + _vertical(aircraft, -climb, options)
    wings = aircraft.has_wings and math.isfinite(terrain.resolution_m)
    sums: list[Floats] = []
    steep: list[NDArray[np.bool_]] = []
    for backward in (False, True):
        # In the order of flight.
        order, sign = (slice(None, None, -1), -1.0) if backward else (slice(None), 1.0)
        steps, rises_m, patrol = sign * step[order], sign * rise[order], watched[order]
        shut, more = np.zeros(len(step), dtype=bool), np.zeros((2, len(step)))
        if wings:
            # A border lies where the camera looks: circles are on the other side.
            sides = -int(sign) * course.look[legs][order]
            circles = circles_beside(lat[order], lon[order], sides, terrain, by=(aircraft, options.wind))
            found = course_followed(steps, ground[order], patrol, circles, look=look, options=options)
            rises_m, shut, more = found.rise_m, found.blocked[:-1] | found.blocked[1:], found.more
        time, energy = more
        for mask, speed_m_s in ((patrol, look.speed_m_s), (~patrol, aircraft.cruise_m_s)):
            if mask.any():
                some = effort(
                    aircraft,
                    steps[mask],
                    rises_m[mask],
                    speed_m_s=speed_m_s,
                    wind=options.wind,
                    patrol=mask is patrol,
                )
                time[mask], energy[mask] = time[mask] + some[0], energy[mask] + some[1]
        time[shut] = energy[shut] = np.inf
        steep.append(np.add.reduceat(shut[order], np.searchsorted(along, stations[:-1])) > 0)
        for values, extra in zip((time[order], energy[order]), up_down, strict=True):
            values[climbs] += extra
            # What the wind does not let through is left to `passable`; a sum must stay finite.
            total = np.concatenate([[0.0], np.cumsum(np.where(np.isfinite(values), values, UNFLYABLE))])
            sums.append(np.interp(stations, along, total))
    time_s, energy_wh, back_time_s, back_energy_wh = sums
    return Along(time_s, energy_wh, back_time_s, back_energy_wh, steep[0] & steep[1])


def reach_m(aircraft: Aircraft, options: PlanOptions) -> float:
    """No aircraft of the type gets farther from its base and back, metres."""
    fastest = aircraft.cruise_m_s + options.wind.speed_m_s
    return 3600 * aircraft.usable_wh / float(aircraft.power_w(aircraft.cruise_m_s)) * fastest / 2


class _Pieces(NamedTuple):
    """Ways in straight pieces, one after the other.

    Parameters
    ----------
    steps, rises_m
        The pieces and what the ground rises below them, metres, shapes (k, 2) and (k,).
    first
        The first piece of each way, shape (m,).
    begins
        Where each way begins, metres in the plane, shape (m, 2).
    """

    steps: Floats
    rises_m: Floats
    first: NDArray[np.int64]
    begins: Floats


class Access:
    """The ways from one base to the stations of a course.

    Parameters
    ----------
    base
        The base.
    around
        Border and airspace.
    course, stations
        What is patrolled, and its stations, metres along it, shape (n,).
    within_m
        How far to look, metres.
    runway
        Along which its aircraft take off and land; None for those that do so on the spot. Ways out begin where the
        climb-out ends, and ways home end where the landing sequence begins.
    """

    def __init__(
        self,
        base: Base,
        around: Surroundings,
        course: Course,
        stations: Floats,
        within_m: float,
        *,
        runway: Runway | None = None,
    ) -> None:
        self.base, self.runway = base, runway
        lat, lon = course.at(stations)
        away = rough_distance_m(base.lat_deg, base.lon_deg, lat, lon)
        self.nearest_m = float(away.min())
        near = np.flatnonzero(away <= 1.01 * within_m)
        self.region: Region = around.region(base.lat_deg, base.lon_deg, within_m + 1000.0)
        self._count = len(stations)
        self._ways: list[Floats | None] = [None] * self._count
        self._ways_home = self._ways
        self._router: Router | None = None
        self._ground: dict[bool, tuple[Terrain, _Pieces]] = {}
        if len(near):
            plane = self.region.plane
            rails = [plane.xy(*course.at(run)) for run in _rails(course, stations, near)]
            zones = [shape for _, shape in self.region.zones]
            self._router = Router(self.region.obstacles, corners_of=zones, rails=rails)
            places = plane.xy(lat[near], lon[near])
            begin = plane.xy(base.lat_deg, base.lon_deg) if runway is None else runway.climbed
            self._find(self._ways, near, begin, places)
            if runway is not None:
                self._ways_home = [None] * self._count
                self._find(self._ways_home, near, runway.established, places)

    def _find(self, ways: list[Floats | None], near: NDArray[np.int64], start: Floats, places: Floats) -> None:
        assert self._router is not None
        for k, length, way in zip(near, *self._router.ways(start, places), strict=True):
            if np.isfinite(length):
                ways[k] = way

    @cached_property
    def reached(self) -> NDArray[np.int64]:
        """Numbers of the stations to which there is a way."""
        known = [[way is not None for way in ways] for ways in (self._ways, self._ways_home)]
        return np.flatnonzero(np.all(known, axis=0))

    @property
    def gate(self) -> tuple[float, float]:
        """Where ways home end, latitude and longitude, degrees."""
        if self.runway is None:
            return self.base.lat_deg, self.base.lon_deg
        lat, lon = self.region.plane.lat_lon(self.runway.established)
        return float(lat), float(lon)

    def way(self, station: int) -> Floats:
        """Vertices of the way out to a station, metres in the plane of the region, shape (m, 2)."""
        return self._way(self._ways, station)

    def way_home(self, station: int) -> Floats:
        """Vertices of the way home from a station, as `way` gives them."""
        return self._way(self._ways_home, station)[::-1]

    def _way(self, ways: list[Floats | None], station: int) -> Floats:
        way = ways[station]
        if way is None:
            raise PlanError(f"base {self.base.name!r}: no way leads to station {station}")
        return way

    def clear(self, way: Floats) -> bool:
        """Whether a way, vertices in metres in the plane of the region, touches nothing that is shut."""
        return self._router is None or Passage(self._router).clear(way)

    def route(self, start: Floats, stop: Floats) -> Floats | None:
        """Vertices of the shortest lawful way between two places, metres in the plane of the region; None for none."""
        return None if self._router is None else Passage(self._router).route(start, stop)

    def between(self, start: tuple[float, float], stop: tuple[float, float]) -> Floats:
        """Vertices of the shortest lawful way between two places near the course, degrees, as `way` gives them.

        Raises
        ------
        PlanError
            When there is none.
        """
        if self._router is not None:
            found = self.route(*self.region.plane.xy(*zip(start, stop, strict=True)))
            if found is not None:
                return found
        raise PlanError(
            f"no lawful way leads from {start[0]:.6f}, {start[1]:.6f} to {stop[0]:.6f}, {stop[1]:.6f}: one of them "
            "lies within the stand-off or in a no-fly zone, or what lies between cannot be passed"
        )

    def place(self, station: int) -> Floats:
        """Where a station is, metres in the plane of the region, shape (2,)."""
        return np.asarray(self.way(station)[-1])

    def ways(self, stations: Sequence[int], cost: Callable[[Floats], Floats]) -> Ways:
        """The cheapest ways between some stations that there is a way to; `cost` is of straight pieces, metres."""
        assert self._router is not None  # without one no station has a way
        return self._router.between(np.array([self.place(station) for station in stations]), cost)

    def transit(
        self,
        aircraft: Aircraft,
        layers_agl_m: tuple[float, float],
        look: Observation,
        terrain: Terrain,
        options: PlanOptions,
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Time out and home, energy out and home of every station, climbs included, shape (n,); infinite for no way.

        `layers_agl_m` are the heights above ground of the way out and of the way home, metres.
        """
        out_s, out_wh, home_s, home_wh = (np.full(self._count, np.inf) for _ in range(4))
        if not len(self.reached):
            return out_s, home_s, out_wh, home_wh
        out_agl_m, home_agl_m = layers_agl_m
        off, on = self._procedures(aircraft, layers_agl_m, terrain, options)
        up = off + _vertical(aircraft, look.height_agl_m - out_agl_m, options)
        down = _vertical(aircraft, home_agl_m - look.height_agl_m, options) + on
        sloped = aircraft.has_wings and math.isfinite(terrain.resolution_m)
        for home, ways, fixed, time, energy in (
            (False, self._ways, up, out_s, out_wh),
            (True, self._ways_home, down, home_s, home_wh),
        ):
            steps, rises_m, first, begins = self._pieces(ways, terrain, home=home)
            more: Floats = np.zeros((2, len(steps)))
            if sloped:
                ground = GroundNear(begins, self.region.plane, terrain, self.clear)
                rises_m, more = ways_followed(
                    steps, rises_m, first, aircraft, ground, layer_agl_m=layers_agl_m[home], options=options, home=home
                )
            elif math.isfinite(terrain.resolution_m):
                rises_m = ways_straightened(steps, rises_m, first)
            leg_s, leg_wh = effort(
                aircraft, steps, rises_m, speed_m_s=aircraft.cruise_m_s, wind=options.wind, patrol=False
            )
            time[self.reached] = fixed[0] + np.add.reduceat(leg_s + more[0], first)
            energy[self.reached] = fixed[1] + np.add.reduceat(leg_wh + more[1], first)
        return out_s + aircraft.ground_s, home_s, out_wh + aircraft.ground_energy_wh, home_wh

    def _pieces(self, ways: list[Floats | None], terrain: Terrain, *, home: bool) -> _Pieces:
        """Pieces of the ways of stations as they are flown."""
        kept = self._ground.get(home)
        if kept is not None and kept[0] is terrain:
            return kept[1]
        known = [self._way(ways, int(k)) for k in self.reached]
        if math.isfinite(terrain.resolution_m):
            known = [sampled(way, terrain.resolution_m) for way in known]
        if home:
            known = [way[::-1] for way in known]
        counts = np.array([len(way) - 1 for way in known])
        first = np.concatenate([[0], np.cumsum(counts)[:-1]])
        steps = np.concatenate([np.diff(way, axis=0) for way in known])
        ground = self._ground_below(known, terrain)
        last = np.cumsum(counts + 1)[:-1] - 1
        found = _Pieces(steps, np.delete(np.diff(ground), last), first, np.stack([way[0] for way in known]))
        self._ground[home] = terrain, found
        return found

    def _ground_below(self, ways: list[Floats], terrain: Terrain) -> Floats:
        """Elevations below the points of ways, one after the other; where that is not known, even between the ends.

        Most of these ways nobody flies: a hole in the data below them is no reason to have no plan.
        """
        plane = self.region.plane
        try:
            return np.asarray(terrain.elevation_m(*plane.lat_lon(np.concatenate(ways))), dtype=float)
        except TerrainError:
            if len(ways) > 1:
                cut = len(ways) // 2
                return np.concatenate([self._ground_below(part, terrain) for part in (ways[:cut], ways[cut:])])
        (way,) = ways
        at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(way, axis=0).T))])
        ends = np.asarray(terrain.elevation_m(*plane.lat_lon(way[[0, -1]])), dtype=float)
        return np.asarray(np.interp(at, at[[0, -1]], ends))

    def _procedures(
        self, aircraft: Aircraft, layers_agl_m: tuple[float, float], terrain: Terrain, options: PlanOptions
    ) -> tuple[Floats, Floats]:
        """Time and energy of the climb from the base and of the way down to it, each of shape (2,)."""
        if self.runway is None:
            return _vertical(aircraft, layers_agl_m[0], options), _vertical(aircraft, -layers_agl_m[1], options)
        plane, line = self.region.plane, self.runway
        way = np.stack([np.zeros(2), line.climbed, line.established, line.final])
        home, *grounds = np.asarray(terrain.elevation_m(*plane.lat_lon(way)), dtype=float).tolist()
        rises = np.array([grounds[0] + layers_agl_m[0], grounds[2] - grounds[1], -grounds[2] - layers_agl_m[1]])
        steps = np.stack([line.climbed, line.final - line.established, -line.final])
        time, energy = effort(
            aircraft,
            steps,
            rises + np.array([-home, 0.0, home]),
            speed_m_s=aircraft.cruise_m_s,
            wind=options.wind,
            patrol=False,
        )
        both = np.stack([time, energy], axis=-1)
        return both[0], both[1] + both[2]


def _rails(course: Course, stations: Floats, near: NDArray[np.int64]) -> list[Floats]:
    """Stretches of a course beside some of its stations, as vertices in metres along it, cut where nothing passes."""
    low, high = float(stations[near[0]]), float(stations[near[-1]])
    at = np.unique(np.concatenate([course.along_m, stations]))
    at = at[(at >= low) & (at <= high)]
    if len(at) < 2:
        return []
    cuts = np.flatnonzero(~course.passable[course.legs_between(at)]) + 1
    return [run for run in np.split(at, cuts) if len(run) > 1]


def _vertical(aircraft: Aircraft, rise_m: float, options: PlanOptions) -> Floats:
    """Time and energy of a climb or descent on the spot, shape (2,)."""
    time, energy = effort(
        aircraft, np.zeros((1, 2)), np.array([rise_m]), speed_m_s=aircraft.cruise_m_s, wind=options.wind, patrol=False
    )
    return np.array([time[0], energy[0]])
