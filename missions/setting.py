"""What a planner works with: the course that is patrolled, and what its sorties cost each team.

All of it is settled before anything is shared out: how the cameras look, where the flight line runs, at which stations
a sortie may begin and end, which way leads there from each base.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import FlatTerrain, Terrain
from missions.access import Access
from missions.airspace import Airspace
from missions.clearance import fleet_clearance
from missions.clock import ShiftClock
from missions.course import Course
from missions.errors import PlanError
from missions.estimate import Along, fly_along, reach_m, steps_between
from missions.fleet import Aircraft, Base, Camera, Fleet, Vehicle
from missions.flying import spare_m, under_m
from missions.furthest import Known
from missions.given import check_bases, heed
from missions.landing import check_landing_sites
from missions.launch_book import launch_as_one
from missions.limits import FENCE_TOLERANCE
from missions.observation import Observation, observe
from missions.options import Objective, PlanOptions
from missions.risk import RiskTable
from missions.risk_along import weights_along
from missions.runway import runway_of
from missions.shut import Shut
from missions.stretch import Team
from missions.surroundings import Surroundings, rough_distance_m
from missions.task import Task
from missions.way_rises import UNFLYABLE, KeptWays

__all__ = ["Crew", "Setting"]

Floats = NDArray[np.float64]
_Stand = tuple[Base, tuple[Aircraft, Camera] | None]

_STATIONS, _MOST_STATIONS = 800, 8000
_STATION_M, _COARSEST_M = 50.0, 500.0
_TURN_ITEMS = 3


@dataclass(frozen=True)
class Crew:
    """A team with what it sees by."""

    vehicles: tuple[Vehicle, ...]
    camera: Camera

    @property
    def aircraft(self) -> Aircraft:
        """Their type."""
        return self.vehicles[0].aircraft

    @property
    def base(self) -> Base:
        """Where they stand."""
        return self.vehicles[0].base

    @property
    def stand(self) -> _Stand:
        """What those have in common whose ways out and home are the same: the base, and what needs its own runway."""
        return self.base, (self.aircraft, self.camera) if self.aircraft.needs_runway else None


class Setting:
    """What one planning run works with; `plan` says what it takes and raises.

    Of the courses that the task offers it is about the one that is given, or else the first. Ways of wings that are
    `kept` of an earlier plan of the task over the same terrain are not looked for again.
    """

    def __init__(
        self,
        task: Task,
        fleet: Fleet,
        terrain: Terrain | None,
        options: PlanOptions,
        *,
        airspace: Airspace,
        risk: RiskTable,
        course: Course | None = None,
        kept: KeptWays | None = None,
    ) -> None:
        self.task, self.border, self._kept = task, task.border, kept
        self.fleet, self.terrain, self.options = fleet, terrain or FlatTerrain(), options
        self.airspace, self.risk = airspace, risk
        self.clock = ShiftClock.of(self.options.shift_hour, self.options.shift_start, risk.zone)
        self.clearance = fleet_clearance(fleet.vehicles, options.wind)
        self.heeded: list[str] = []
        crews = [Crew(team, fleet.camera_of(team[0])) for team in fleet.teams()]
        self.looks = self._looks(crews)
        heed(self, known_ground=terrain is not None)
        lowest = self.lowest_agl_m
        blocking = self.airspace.blocking(lowest, self.options.ceiling_agl_m)
        self.around = Surroundings(
            task.borders, self.airspace, blocking, options.zone_margin_m, self.clearance, fence_m=options.fence_m
        )
        check_bases(self)
        check_landing_sites(self.around, airspace.landing_sites)
        offered = (course,) if course else task.courses(self.around, tuple(self.looks.values()), fleet, options.wind)
        self.course, *self.others = offered
        step = min(max(_STATION_M, self.course.length_m / _STATIONS), _COARSEST_M)
        step = max(step, self.course.length_m / _MOST_STATIONS)
        self.stations = self.course.stations(step)
        self.at = self.course.at(self.stations)
        self.access = self._accesses(crews)
        # Teams stand along the line in the order of their bases.
        place = {base: self._opposite(base) for base in dict.fromkeys(crew.base for crew in crews)}
        self.crews = sorted(crews, key=lambda c: (place[c.base], c.vehicles[0].sysid))
        self.passable, self.needed = self._pieces()
        self.alongs: dict[tuple[Aircraft, Observation, bool], Along] = {}
        self.known = Known()
        self.shut = {crew: Shut(len(self.stations)) for crew in self.crews}
        self.last = {stores: self._last(*stores) for stores in {crew.aircraft.stores for crew in crews}}
        self.bare = np.zeros(len(self.stations) - 1, dtype=bool)
        self.waited_s: dict[int, float] = {}
        """How long after the start of a single coverage aircraft took off, by system id, as far as one showed it."""
        unknown = {row.line for row in risk.rows if row.line} - {line.name for line in self.course.lines}
        if unknown:
            raise PlanError(
                f"risk: no line is called {min(unknown)!r}: give one of "
                f"{', '.join(dict.fromkeys(repr(line.name) for line in self.course.lines))}, or none for the border"
            )

        self.heeded += self._without_effect()

    def _without_effect(self) -> list[str]:
        """A sentence for what of the risk has no effect: all of it without its objective, rows beyond their line."""
        if not self.risk.rows:
            return []
        if self.options.objective is not Objective.RISK:
            return [f"the risk that is given has no effect: the objective is {self.options.objective}, not risk"]
        found = self._told_hours()
        for row in self.risk.rows:
            reach_m = 0.0
            for number, line in enumerate(self.course.lines):
                own = self.course.line == number
                if own.any() and (row.line == line.name or (number == 0 and not row.line)):
                    reach_m = max(reach_m, float(self.course.line_m[own].max()))
            if row.from_m >= reach_m:
                found.append(
                    f"risk from {row.from_m:g} to {row.to_m:g} m has no effect: its line is {reach_m:.0f} m long"
                )
        return found

    def _told_hours(self) -> list[str]:
        """A sentence that says what the hours of the risk are, and one for each change of the clock meanwhile."""
        if not self.risk.hours:
            return []
        jumps = self.clock.jumps(self.options.shift_s)
        hours = [(self.clock.hour(at_s - 1) + 1 / 3600, self.clock.hour(at_s)) for at_s in jumps]
        return [
            self.clock.told,
            *(f"within the shift the clock goes from {_hour(a)} to {_hour(b)}: the risk follows it" for a, b in hours),
        ]

    def _looks(self, crews: Sequence[Crew]) -> dict[tuple[Aircraft, Camera], Observation]:
        """One observation for each type of aircraft and camera, all from the same lateral distance."""
        kinds = list(dict.fromkeys((crew.aircraft, crew.camera) for crew in crews))
        options = self.options
        clear_m = self.clearance.margin_m + self.clearance.bend_m + options.fence_m
        below_m = options.patrol_ceiling_agl_m - under_m(
            options.patrol_ceiling_agl_m, options.floor_agl_m, self.terrain
        )

        def look(aircraft: Aircraft, camera: Camera, lateral_m: float | None) -> Observation:
            return observe(
                camera,
                self.task.widest,
                max_speed_m_s=aircraft.max_m_s,
                min_speed_m_s=aircraft.true_m_s(aircraft.min_m_s, options.wind),
                turn_radius_m=aircraft.turn_radius_in(options.wind),
                clear_m=clear_m,
                dwell_s=options.dwell_s,
                gsd_m=options.gsd_m,
                floor_agl_m=options.floor_agl_m,
                ceiling_agl_m=options.patrol_ceiling_agl_m,
                below_m=0.0 if aircraft.has_wings else below_m,
                margin_m=options.margin_m,
                overlap=options.overlap,
                picture_s=options.picture_s,
                lateral_m=lateral_m,
            )

        alone = {kind: look(*kind, None) for kind in kinds}
        lateral = max(one.lateral_m for one in alone.values())
        return {kind: one if one.lateral_m == lateral else look(*kind, lateral) for kind, one in alone.items()}

    @property
    def lowest_agl_m(self) -> float:
        """The least height above ground of any patrol, metres: over slopes wings may come down to the floor."""
        wings = any(craft.has_wings for craft, _ in self.looks)
        if wings and np.isfinite(self.terrain.resolution_m):
            return self.options.floor_agl_m
        return min(look.height_agl_m for look in self.looks.values())

    def _accesses(self, crews: Sequence[Crew]) -> dict[_Stand, Access]:
        """The ways from each base, and from each line that wings take off and land along."""
        reach: dict[_Stand, tuple[float, Crew]] = {}
        for crew in crews:
            far = max(reach.get(crew.stand, (0.0, crew))[0], reach_m(crew.aircraft, self.options))
            reach[crew.stand] = far, crew
        out = {}
        for stand, (far, crew) in reach.items():
            runway = runway_of(
                crew.base,
                crew.aircraft,
                self.around,
                self.course,
                self.terrain,
                wind=self.options.wind,
                layers_agl_m=self.layers(crew),
                bounds_agl_m=(self.options.floor_agl_m, self.options.ceiling_agl_m),
            )
            out[stand] = Access(
                crew.base,
                self.around,
                self.course,
                self.stations,
                far,
                terrain=self.terrain,
                runway=runway,
                kept=self._kept,
            )
        return out

    def access_of(self, crew: Crew) -> Access:
        """The ways of a crew out and home."""
        return self.access[crew.stand]

    def _opposite(self, base: Base) -> float:
        """Where along the course a base stands."""
        return float(self.stations[int(np.argmin(rough_distance_m(base.lat_deg, base.lon_deg, *self.at)))])

    def _pieces(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Of every piece between two stations: whether it can be flown, and whether it is to be watched."""
        middle = (self.stations[:-1] + self.stations[1:]) / 2
        leg = self.course.leg_at(middle)
        return self.course.passable[leg], self.course.watched[leg]

    def _last(self, vertices: int, items: int) -> NDArray[np.int64]:
        """Furthest station at which a sortie may end, by so many vertices of its fence and items of its mission."""
        course = self.course
        # The line unrolled: shapes are right, only far places are out of position, and nothing here looks far.
        unrolled = np.concatenate([[[0.0, 0.0]], np.cumsum(steps_between(course.lat_deg, course.lon_deg), axis=0)])
        look = next(iter(self.looks.values()))
        # Its fence runs between the guard and the room that the ways leave.
        gaps_m = self.clearance.guard_m + self.clearance.room_m + self.clearance.bend_m
        room = look.lateral_m - self.task.widest.stand_off_m - gaps_m
        path = shapely.linestrings(unrolled)
        last = np.full(len(self.stations), len(self.stations) - 1)
        for tolerance, most in ((room * FENCE_TOLERANCE, 0.7 * vertices), (0.0, 0.8 * items)):
            kept = shapely.get_coordinates(shapely.simplify(path, tolerance)) if tolerance > 0 else unrolled
            # Where the camera turns or rests, speed, camera and video are items more.
            turns = np.repeat(course.along_m[1:-1][np.diff(course.look) != 0], _TURN_ITEMS if tolerance == 0 else 0)
            at = np.sort(np.concatenate([course.along_m[_indices(unrolled, kept)], turns]))
            passed = np.searchsorted(at, self.stations)
            furthest = np.searchsorted(passed, passed + int(most), side="right") - 1
            last = np.minimum(last, furthest)
        # One step from station to station is always allowed: what is still too much shows when it is compiled.
        return np.asarray(np.maximum(last, np.minimum(np.arange(len(last)) + 1, len(last) - 1)))

    def shorten(self, start: int, stop: int, craft: Aircraft, *, further: bool) -> None:
        """Have sorties watch less than the stations from `start` to `stop` at once, for which an aircraft has no fence.

        Those of aircraft that store more go on to try.
        What is left of halving it, or all where nothing `further` is tried, is watched by nobody: pieces that are
        `bare`.
        """
        middle = (start + stop) // 2
        if further and middle > start:
            for stores, last in self.last.items():
                if all(own <= least for own, least in zip(stores, craft.stores, strict=True)):
                    last[start:middle] = np.minimum(last[start:middle], middle)
        else:
            self.bare[start:stop], self.passable[start:stop] = True, False

    def weights(self, at_s: float) -> Floats:
        """Risk weight of each piece between two stations, some seconds after the start of the shift, shape (n - 1,).

        What is not to be watched weighs nothing.
        """
        hour = self.clock.hour(at_s)
        return np.where(self.needed, weights_along(self.course, self.risk, self.stations, hour), 0.0)

    def layers(self, crew: Crew) -> tuple[float, float]:
        """Heights above ground of the ways out and home, metres: wings stay at that of the patrol."""
        look = self.looks[crew.aircraft, crew.camera]
        if crew.aircraft.turn_radius_m > 0:
            return look.height_agl_m, look.height_agl_m
        return self.options.layers_agl_m(look.height_agl_m, spare_m(self.terrain))

    def team(self, crew: Crew, factor: float, terrain: Terrain) -> Team:
        """What the sorties of a crew cost over some ground."""
        craft, look = crew.aircraft, self.looks[crew.aircraft, crew.camera]
        layers = self.layers(crew)
        key = craft, look, terrain is self.terrain
        if key not in self.alongs:
            self.alongs[key] = fly_along(
                self.course,
                self.stations,
                terrain,
                aircraft=craft,
                look=look,
                options=self.options,
                layer_agl_m=layers[0],
            )
        along = self.alongs[key]
        out_s, home_s, out_wh, home_wh = self.access_of(crew).transit(craft, layers, look, terrain, self.options)
        shut, more = self.shut[crew], np.zeros(len(self.stations))
        if terrain is self.terrain:
            far = np.isfinite(out_s + home_s) & (out_s + home_s > UNFLYABLE)
            shut.note(along.steep, far, along.blank, self.access_of(crew).blank(terrain))
            out_s = np.where(shut.ends | self._leading_to(shut.ends), np.inf, out_s)
            more[1:] = UNFLYABLE * np.cumsum(shut.pieces)
        return Team(
            size=len(crew.vehicles),
            out_s=out_s,
            home_s=home_s + craft.turn_round_s,
            out_wh=out_wh,
            home_wh=home_wh,
            time_s=along.time_s + more,
            energy_wh=along.energy_wh + more,
            back_time_s=along.back_time_s + more,
            back_energy_wh=along.back_energy_wh + more,
            usable_wh=craft.usable_wh * factor,
            last=self.last[craft.stores],
            turn_round_s=craft.turn_round_s,
            batteries=self._batteries(crew),
            charge_s=crew.base.charge_s,
            late_s=self.late_s(crew),
        )

    def _leading_to(self, ends: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Stations within detours of which an end is one of those that are shut, shape (n,).

        A sortie that begins or ends there is cut back to the end of the detour.
        """
        edges = np.flatnonzero(np.diff(self.needed.astype(np.int8))) + 1
        out = np.zeros(len(ends), dtype=bool)
        for begin, end in pairwise(edges.tolist()):
            if not self.needed[begin]:
                out[begin + 1 : end] = ends[begin] or ends[end]
        return out

    def late_s(self, crew: Crew) -> tuple[float, ...]:
        """How long each aircraft of a crew waits for its first take-off: of one base they launch one by one.

        Where all is flown again and again that comes once, and says nothing.
        """
        options, here = self.options, crew.base
        if options.objective is not Objective.ONCE:
            return ()
        there = [v for own in self.crews if launch_as_one(own.base, here, options) for v in own.vehicles]
        order = sorted(vehicle.sysid for vehicle in there)
        turns = {sysid: options.launch_interval_s * place for place, sysid in enumerate(order)}
        return tuple(max(turns[v.sysid], self.waited_s.get(v.sysid, 0.0)) for v in crew.vehicles)

    def _batteries(self, crew: Crew) -> float:
        """What a crew has of the batteries of its base: by its aircraft; infinite where they are not counted."""
        if crew.base.batteries is None:
            return np.inf
        there = sum(len(other.vehicles) for other in self.crews if other.base == crew.base)
        return crew.base.batteries * len(crew.vehicles) / there


def _hour(hour: float) -> str:
    minutes = round(hour * 60) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _indices(line: Floats, kept: Floats) -> NDArray[np.int64]:
    """Which vertices of a line a simplification kept: both run in the same order."""
    out, k = [], 0
    for point in kept:
        while line[k, 0] != point[0] or line[k, 1] != point[1]:
            k += 1
        out.append(k)
    return np.array(out, dtype=np.int64)
