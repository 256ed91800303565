"""The ways from a base to a course and home again, and what they take, before any sortie is built."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import Terrain
from missions.course import Course
from missions.effort import effort
from missions.errors import PlanError
from missions.estimate import vertical
from missions.fleet import Aircraft, Base
from missions.observation import Observation
from missions.options import PlanOptions
from missions.profile import sampled
from missions.routing import Passage, Router, Ways
from missions.runway import Runway
from missions.surroundings import Region, Surroundings, rough_distance_m
from missions.voids import avoided, beside_voids
from missions.way_rises import GroundNear, KeptWays, ways_followed, ways_straightened
from missions.wide_turns import Berth

__all__ = ["Access"]

Floats = NDArray[np.float64]


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
    unknown
        Places below them without elevation, metres in the plane, by the number of the way: one of each.
    """

    steps: Floats
    rises_m: Floats
    first: NDArray[np.int64]
    begins: Floats
    unknown: dict[int, Floats]


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
    terrain
        The ground: ways lead round what is not known of it.
    runway
        Along which its aircraft take off and land; None for those that do so on the spot. Ways out begin where the
        climb-out ends, and ways home end where the landing sequence begins.
    kept
        Ways of wings that an earlier plan found beside the same borders over the same ground.

    Attributes
    ----------
    berth
        What the wide turns of wings have to clear.
    near, nearest_m
        Which stations are no farther than that, shape (n,), and how far the nearest is, metres.
    """

    def __init__(
        self,
        base: Base,
        around: Surroundings,
        course: Course,
        stations: Floats,
        within_m: float,
        *,
        terrain: Terrain,
        runway: Runway | None = None,
        kept: KeptWays | None = None,
    ) -> None:
        self.base, self.runway, self._terrain = base, runway, terrain
        self._kept: KeptWays = {} if kept is None else kept
        self._about = base.lat_deg, base.lon_deg, around.shut
        lat, lon = course.at(stations)
        away = rough_distance_m(base.lat_deg, base.lon_deg, lat, lon)
        self.nearest_m = float(away.min())
        self.near: NDArray[np.bool_] = away <= 1.01 * within_m
        near = np.flatnonzero(self.near)
        self.region: Region = around.region(base.lat_deg, base.lon_deg, within_m + 1000.0)
        self.berth = Berth(self.region, around.zone_margin_m)
        self._count = len(stations)
        self._ways: list[Floats | None] = [None] * self._count
        self._ways_home = self._ways
        self._router: Router | None = None
        self._open: Router | None = None
        self._ground: dict[bool, tuple[Terrain, _Pieces]] = {}
        self._followed: dict[Any, tuple[Terrain, tuple[Floats, Floats]]] = {}
        self._lost: dict[int, tuple[float, float]] = {}
        if not len(near):
            return
        plane = self.region.plane
        places = plane.xy(lat[near], lon[near])
        rails = [plane.xy(*course.at(run)) for run in _rails(course, stations, near)]
        self._seek(near, places, rails, [])
        # A turn over a void shows when a sortie is built: beside one there need be no room for it.
        self._open = self._router
        lost = self.unknown_below(terrain) if math.isfinite(terrain.resolution_m) else {}
        if lost:
            before = set(self.reached.tolist())
            ways = [way for ways in (self._ways, self._ways_home) for way in ways if way is not None]

            def seek(voids: list[shapely.Geometry]) -> Floats:
                self._seek(near, places, [part for rail in rails for part in beside_voids(rail, voids)], voids)
                over = self.unknown_below(terrain).values()
                return plane.xy(*zip(*over, strict=True)) if over else np.empty((0, 2))

            avoided(terrain, plane, np.concatenate(ways), seek)
            cut_off = sorted(before - set(self.reached.tolist()))
            self._lost = {station: lost[min(lost, key=lambda one: abs(one - station))] for station in cut_off}

    def _seek(
        self, near: NDArray[np.int64], places: Floats, rails: list[Floats], voids: list[shapely.Geometry]
    ) -> None:
        """Find the ways to the stations that are `near`, at `places`, round what is shut and round voids."""
        corners = [*(shape for _, shape in self.region.zones), *voids]
        self._router = Router([*self.region.obstacles, *voids], corners_of=corners, rails=rails)
        self._ways = self._ways_home = [None] * self._count
        self._ground, self._followed = {}, {}
        self.__dict__.pop("reached", None)
        begin = np.zeros(2) if self.runway is None else self.runway.climbed
        self._find(self._ways, near, begin, places)
        if self.runway is not None:
            self._ways_home = [None] * self._count
            self._find(self._ways_home, near, self.runway.established, places)

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
        return self._open is None or Passage(self._open).clear(way)

    def route(self, start: Floats, stop: Floats) -> Floats | None:
        """Vertices of the shortest lawful way between two places, metres in the plane of the region; None for none.

        It leads round ground that is not known, as the ways to stations do, where that can be.
        """
        for router in dict.fromkeys((self._router, self._open)):
            found = None if router is None else Passage(router).route(start, stop)
            if found is not None:
                return found
        return None

    def between(self, start: tuple[float, float], stop: tuple[float, float]) -> Floats:
        """Vertices of the shortest lawful way between two places near the course, degrees, as `way` gives them.

        Raises
        ------
        PlanError
            When there is none.
        """
        if self._router is not None:
            found = Passage(self._router).route(*self.region.plane.xy(*zip(start, stop, strict=True)))
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
        up = off + vertical(aircraft, look.height_agl_m - out_agl_m, options)
        down = vertical(aircraft, home_agl_m - look.height_agl_m, options) + on
        sloped = aircraft.has_wings and math.isfinite(terrain.resolution_m)
        for home, ways, fixed, time, energy in (
            (False, self._ways, up, out_s, out_wh),
            (True, self._ways_home, down, home_s, home_wh),
        ):
            steps, rises_m, first, begins, unknown = self._pieces(ways, terrain, home=home)
            more: Floats = np.zeros((2, len(steps)))
            if sloped:
                # Over steep ground that takes seconds, and a plan asks again each time that it shares out the line.
                key = home, aircraft, layers_agl_m[home], options
                kept = self._followed.get(key)
                if kept is None or kept[0] is not terrain:
                    ground = GroundNear(begins, self.region.plane, terrain, self.clear, self._about, self._kept)
                    given = None if self.runway is None else layers_agl_m[1] if home else self.runway.climbed_agl_m
                    layers = layers_agl_m[home], given
                    found = ways_followed(
                        steps, rises_m, first, aircraft, ground, layers_agl_m=layers, options=options, home=home
                    )
                    kept = self._followed[key] = terrain, found
                rises_m, more = kept[1]
            elif math.isfinite(terrain.resolution_m):
                rises_m = ways_straightened(steps, rises_m, first)
            leg_s, leg_wh = effort(
                aircraft, steps, rises_m, speed_m_s=aircraft.cruise_m_s, wind=options.wind, patrol=False
            )
            time[self.reached] = fixed[0] + np.add.reduceat(leg_s + more[0], first)
            energy[self.reached] = fixed[1] + np.add.reduceat(leg_wh + more[1], first)
            time[self.reached[list(unknown)]] = energy[self.reached[list(unknown)]] = np.inf
        ground_wh = options.wind.true_per_equivalent * aircraft.ground_energy_wh
        return out_s + aircraft.ground_s, home_s, out_wh + ground_wh, home_wh

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
        every = np.concatenate(known)
        ground = np.asarray(terrain.known_elevation_m(*self.region.plane.lat_lon(every)), dtype=float)
        starts = np.cumsum(counts + 1) - counts - 1
        lost = np.flatnonzero(np.isnan(ground))
        which, where = np.unique(np.searchsorted(starts, lost, side="right") - 1, return_index=True)
        unknown = dict(zip(which.tolist(), every[lost[where]], strict=True))
        # What is not known is not flown over: any figure serves.
        rises_m = np.nan_to_num(np.delete(np.diff(ground), starts[1:] - 1))
        found = _Pieces(steps, rises_m, first, every[starts], unknown)
        self._ground[home] = terrain, found
        return found

    def blank(self, terrain: Terrain) -> NDArray[np.bool_]:
        """Stations to or from which a way leads over ground without elevation, shape (n,)."""
        out = np.zeros(self._count, dtype=bool)
        out[list(self.unknown_below(terrain))] = True
        return out

    def unknown_below(self, terrain: Terrain) -> dict[int, tuple[float, float]]:
        """A place without elevation below the way to or from each station that has no other, degrees."""
        out = dict(self._lost)
        for home, ways in ((False, self._ways), (True, self._ways_home)):
            if len(self.reached):
                for way, place in self._pieces(ways, terrain, home=home).unknown.items():
                    lat, lon = self.region.plane.lat_lon(place)
                    out[int(self.reached[way])] = float(lat), float(lon)
        return out

    def _procedures(
        self, aircraft: Aircraft, layers_agl_m: tuple[float, float], terrain: Terrain, options: PlanOptions
    ) -> tuple[Floats, Floats]:
        """Time and energy of the climb from the base and of the way down to it, each of shape (2,).

        Other ground than that of the plan stands for it in bounds: over slopes wings take off and land from and to
        heights that are not those of their layers, and what they climb and descend there at least is counted.
        """
        least = aircraft.has_wings and terrain is not self._terrain and math.isfinite(self._terrain.resolution_m)
        if least:
            layers_agl_m = (min(layers_agl_m[0], options.floor_agl_m), min(layers_agl_m[1], options.floor_agl_m))
        if self.runway is None:
            return vertical(aircraft, layers_agl_m[0], options), vertical(aircraft, -layers_agl_m[1], options)
        plane, line = self.region.plane, self.runway
        way = np.stack([np.zeros(2), line.climbed, line.established, line.final])
        home, *grounds = np.asarray(terrain.elevation_m(*plane.lat_lon(way)), dtype=float).tolist()
        rises = np.array([grounds[0] + line.climbed_agl_m, grounds[2] - grounds[1], -grounds[2] - layers_agl_m[1]])
        steps = np.stack([line.climbed, line.final - line.established, -line.final])
        time, energy = effort(
            aircraft,
            steps,
            np.zeros(3) if least else rises + np.array([-home, 0.0, home]),
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
