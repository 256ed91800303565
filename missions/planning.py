"""Border, fleet and airspace in, patrol plan out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import FlatTerrain, Terrain, wrap_longitudes
from missions.airspace import Airspace
from missions.border import BorderSegment
from missions.building import Builder
from missions.course import Course
from missions.errors import PlanError
from missions.estimate import Access, Along, fly_along, reach_m, steps_between
from missions.fleet import Aircraft, Base, Camera, Fleet, Vehicle
from missions.given import check_bases, heed
from missions.landing import check_landing_sites
from missions.limits import FENCE_TOLERANCE, FENCE_VERTICES, MAX_ITEMS
from missions.observation import Observation, observe
from missions.options import Objective, PlanOptions
from missions.patrol import Flight, PatrolPlan, Sortie
from missions.risk import RiskTable
from missions.schedule import Roster, revisits, schedule
from missions.sharing import Block, Team, share_out
from missions.statement import bounds_of, coverage_of, notes_of, out_of_reach
from missions.surroundings import Surroundings, rough_distance_m
from missions.task import Task
from missions.validation import check

__all__ = ["Planner", "plan"]

Floats = NDArray[np.float64]

_STATIONS, _MOST_STATIONS = 800, 8000
_STATION_M, _COARSEST_M = 50.0, 500.0
_TIGHTENINGS = 6
_TURN_ITEMS = 3
_UNFLOWN = {
    True: "out of reach: no aircraft has the energy to fly there, patrol and come back",
    False: "out of reach: no lawful way leads there from any base within its energy",
}


def plan(
    border: BorderSegment,
    fleet: Fleet,
    terrain: Terrain | None = None,
    options: PlanOptions | None = None,
    *,
    airspace: Airspace | None = None,
    risk: RiskTable | None = None,
) -> PatrolPlan:
    """Plan the patrol of a border by a fleet.

    The aircraft of one type at one base are a team. Every team watches one contiguous stretch in as many sorties as its
    batteries need, its aircraft relieving each other; the stretches are cut so that the slowest team is as fast as can
    be. Teams share a line in the order of their bases along it.

    Parameters
    ----------
    border, fleet
        What to watch, with what.
    terrain
        The ground; flat at sea level by default.
    options
        Limits to plan within, the wind, what to make small.
    airspace
        Zones to keep out of, and landing sites. Heights above sea level are brought over the terrain where one is
        given, and the plan carries them so; without one such a zone blocks at every height.
    risk
        How much each place matters, for `Objective.RISK`.

    Returns
    -------
    PatrolPlan
        One that passes `check`. Parts of the band that it does not see are listed in its coverage with the reason.

    Raises
    ------
    PlanError
        When a base is on the wrong side, in a zone, too near to the border or out of reach, or no part can be
        patrolled.
    AirspaceError
        When a landing site is on the wrong side, within the stand-off or in a zone.
    ObservationError
        When the camera cannot see the band from behind the stand-off.
    """
    planner = Planner(
        Task.of(border),
        fleet,
        terrain,
        options or PlanOptions(),
        airspace=airspace or Airspace(),
        risk=risk or RiskTable(),
    )
    return planner.plan()


@dataclass(frozen=True)
class _Crew:
    """A team with what it sees by."""

    vehicles: tuple[Vehicle, ...]
    camera: Camera

    @property
    def aircraft(self) -> Aircraft:
        return self.vehicles[0].aircraft

    @property
    def base(self) -> Base:
        return self.vehicles[0].base


class Planner:
    """The state of one planning run; `plan` says what it takes and raises.

    Of the courses that the task offers it patrols the one that is given, or else the first.
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
    ) -> None:
        self.task, self.border = task, task.border
        self.fleet, self.terrain, self.options = fleet, terrain or FlatTerrain(), options
        self.airspace, self.risk = airspace, risk
        self.heeded: list[str] = []
        crews = [_Crew(team, fleet.camera_of(team[0])) for team in fleet.teams()]
        self.looks = self._looks(crews)
        heed(self, known_ground=terrain is not None)
        lowest = min(look.height_agl_m for look in self.looks.values())
        blocking = self.airspace.blocking(lowest, self.options.ceiling_agl_m)
        self.around = Surroundings(task.borders, self.airspace, blocking, options.zone_margin_m)
        check_bases(self)
        check_landing_sites(self.around, airspace.landing_sites)
        offered = (course,) if course else task.courses(self.around, tuple(self.looks.values()), fleet, options.wind)
        self.course, *self.others = offered
        step = min(max(_STATION_M, self.course.length_m / _STATIONS), _COARSEST_M)
        step = max(step, self.course.length_m / _MOST_STATIONS)
        self.stations = self.course.stations(step)
        self.at = self.course.at(self.stations)
        reach: dict[Base, float] = {}
        for crew in crews:
            reach[crew.base] = max(reach.get(crew.base, 0.0), reach_m(crew.aircraft, options))
        self.access = {base: Access(base, self.around, self.course, self.stations, far) for base, far in reach.items()}
        # Teams stand along the line in the order of their bases.
        place = {base: self._opposite(base) for base in reach}
        self.crews = sorted(crews, key=lambda c: (place[c.base], c.vehicles[0].sysid))
        self.passable, self.needed = self._pieces()
        self.alongs: dict[tuple[Aircraft, Observation, bool], Along] = {}
        self.last = self._last()

    @cached_property
    def sorties(self) -> list[Sortie]:
        """Share out, build, and where a climb was underestimated share out again with a smaller budget."""
        factor = 1.0
        for _ in range(_TIGHTENINGS):
            teams = [self.team(crew, factor, self.terrain) for crew in self.crews]
            if not any(np.isfinite(team.out_s).any() for team in teams):
                raise PlanError(out_of_reach(self))
            blocks = self._trimmed(share_out(teams, self.passable, self._weights(), self._sharing(), self.needed))
            if not blocks:
                raise PlanError(out_of_reach(self))
            sorties = self._sorties(blocks)
            worst = max(s.energy_wh / s.vehicle.aircraft.usable_wh for s in sorties)
            if worst <= 1.0:
                break
            factor *= 0.995 / worst
        return sorties

    def figure(self) -> tuple[float, float]:
        """What of two courses tells the better: metres that nobody watches, and the longest weighted round, seconds."""
        flown = self._flown(self.sorties)
        lost = float(np.diff(self.stations)[self.needed & ~flown].sum())
        weights = self._weights()
        rounds: dict[int, float] = {}
        worst: dict[int, float] = {}
        once = self.options.objective is Objective.ONCE
        for sortie in self.sorties:
            crew, size = (sortie.vehicle.sysid, 1) if once else (sortie.team, len(self.crews[sortie.team].vehicles))
            own = slice(*np.searchsorted(self.stations, (sortie.from_m, sortie.to_m)).tolist())
            worst[crew] = max(worst.get(crew, 0.0), 1.0 if weights is None else float(weights[own].max()))
            rounds[crew] = rounds.get(crew, 0.0) + (sortie.duration_s + sortie.vehicle.aircraft.turn_round_s) / size
        return round(lost), max(rounds[crew] * worst[crew] for crew in rounds)

    def plan(self) -> PatrolPlan:
        """The plan, checked."""
        made = self._finish(self.sorties)
        violations = check(made, self.terrain if np.isfinite(self.terrain.resolution_m) else None)
        if violations:
            raise PlanError(
                f"the plan breaks {len(violations)} of its own rules, and is not given out: {violations[0]}"
            )
        return made

    # --- what is given -----------------------------------------------------------------------------------------------

    def _looks(self, crews: Sequence[_Crew]) -> dict[tuple[Aircraft, Camera], Observation]:
        """One observation for each type of aircraft and camera, all from the same lateral distance."""
        kinds = list(dict.fromkeys((crew.aircraft, crew.camera) for crew in crews))
        options = self.options

        def look(aircraft: Aircraft, camera: Camera, lateral_m: float | None) -> Observation:
            return observe(
                camera,
                self.task.widest,
                max_speed_m_s=aircraft.max_m_s,
                min_speed_m_s=aircraft.min_m_s,
                turn_radius_m=aircraft.turn_radius_m,
                dwell_s=options.dwell_s,
                gsd_m=options.gsd_m,
                floor_agl_m=options.floor_agl_m,
                ceiling_agl_m=options.patrol_ceiling_agl_m,
                margin_m=options.margin_m,
                overlap=options.overlap,
                picture_s=options.picture_s,
                lateral_m=lateral_m,
            )

        alone = {kind: look(*kind, None) for kind in kinds}
        lateral = max(one.lateral_m for one in alone.values())
        return {kind: one if one.lateral_m == lateral else look(*kind, lateral) for kind, one in alone.items()}

    def _opposite(self, base: Base) -> float:
        """Where along the course a base stands."""
        return float(self.stations[int(np.argmin(rough_distance_m(base.lat_deg, base.lon_deg, *self.at)))])

    # --- the course --------------------------------------------------------------------------------------------------

    def _pieces(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Of every piece between two stations: whether it can be flown, and whether it is to be watched."""
        middle = (self.stations[:-1] + self.stations[1:]) / 2
        leg = self.course.leg_at(middle)
        return self.course.passable[leg], self.course.watched[leg]

    def _last(self) -> NDArray[np.int64]:
        """Furthest station at which a sortie may end, by the bends of its fence and the items of its mission."""
        course = self.course
        # The line unrolled: shapes are right, only far places are out of position, and nothing here looks far.
        unrolled = np.concatenate([[[0.0, 0.0]], np.cumsum(steps_between(course.lat_deg, course.lon_deg), axis=0)])
        look = next(iter(self.looks.values()))
        room = look.lateral_m - self.task.widest.stand_off_m / 2
        path = shapely.linestrings(unrolled)
        last = np.full(len(self.stations), len(self.stations) - 1)
        for tolerance, most in ((room * FENCE_TOLERANCE, 0.7 * FENCE_VERTICES), (0.0, 0.8 * MAX_ITEMS)):
            kept = shapely.get_coordinates(shapely.simplify(path, tolerance)) if tolerance > 0 else unrolled
            # Where the camera turns or rests, speed, camera and video are items more.
            turns = np.repeat(course.along_m[1:-1][np.diff(course.look) != 0], _TURN_ITEMS if tolerance == 0 else 0)
            at = np.sort(np.concatenate([course.along_m[_indices(unrolled, kept)], turns]))
            passed = np.searchsorted(at, self.stations)
            furthest = np.searchsorted(passed, passed + int(most), side="right") - 1
            last = np.minimum(last, furthest)
        # One step from station to station is always allowed: what is still too much shows when it is compiled.
        return np.asarray(np.maximum(last, np.minimum(np.arange(len(last)) + 1, len(last) - 1)))

    def _sharing(self) -> Literal["revisit", "once"]:
        return "once" if self.options.objective is Objective.ONCE else "revisit"

    def _trimmed(self, blocks: Sequence[Block]) -> list[Block]:
        """Blocks without the unwatched pieces at their ends: a detour at an end leads nowhere."""
        out = []
        for block in blocks:
            watched = np.flatnonzero(self.needed[block.start : block.stop]) + block.start
            if watched.size:
                out.append(replace(block, start=int(watched[0]), stop=int(watched[-1]) + 1))
        return out

    def _weights(self) -> Floats | None:
        if self.options.objective is not Objective.RISK:
            return None
        middle, half = (self.stations[:-1] + self.stations[1:]) / 2, np.diff(self.stations) / 2
        at = np.interp(middle, self.course.along_m, self.course.border_m)
        risk = self.risk.mean_weights(at - half, at + half, self.options.shift_hour, self.options.shift_s)
        priority = np.array([line.priority for line in self.course.lines])[self.course.line[self.course.leg_at(middle)]]
        return np.asarray(risk / priority * float(priority.min()))

    # --- teams, sorties ----------------------------------------------------------------------------------------------

    def _layers(self, crew: _Crew) -> tuple[float, float]:
        """Heights above ground of the ways out and home, metres: wings stay at that of the patrol."""
        look = self.looks[crew.aircraft, crew.camera]
        if crew.aircraft.turn_radius_m > 0:
            return look.height_agl_m, look.height_agl_m
        return self.options.layers_agl_m(look.height_agl_m)

    def team(self, crew: _Crew, factor: float, terrain: Terrain) -> Team:
        """What the sorties of a crew cost over some ground."""
        craft, look = crew.aircraft, self.looks[crew.aircraft, crew.camera]
        layers = self._layers(crew)
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
        out_s, home_s, out_wh, home_wh = self.access[crew.base].transit(craft, layers, look, terrain, self.options)
        return Team(
            size=len(crew.vehicles),
            out_s=out_s,
            home_s=home_s + craft.turn_round_s,
            out_wh=out_wh,
            home_wh=home_wh,
            time_s=along.time_s,
            energy_wh=along.energy_wh,
            back_time_s=along.back_time_s,
            back_energy_wh=along.back_energy_wh,
            usable_wh=craft.usable_wh * factor,
            last=self.last,
            turn_round_s=craft.turn_round_s,
        )

    def _sorties(self, blocks: Sequence[Block]) -> list[Sortie]:
        builder = Builder(self.course, self.stations, self.terrain, self.options)
        kinds = list(self.looks)
        made = []
        for block in blocks:
            crew = self.crews[block.team]
            vehicle = crew.vehicles[block.aircraft or 0]
            legs = builder.legs(
                vehicle,
                self.access[crew.base],
                self.looks[crew.aircraft, crew.camera],
                start=block.start,
                stop=block.stop,
                backward=block.backward,
                layers_agl_m=self._layers(crew),
            )
            made.append(
                Sortie(
                    name="",
                    vehicle=vehicle,
                    turn=0,
                    from_m=float(self.stations[block.start]),
                    to_m=float(self.stations[block.stop]),
                    start_s=0.0,
                    legs=legs,
                    team=block.team,
                    backward=block.backward,
                    observation=kinds.index((crew.aircraft, crew.camera)),
                )
            )
        return made

    # --- the plan ----------------------------------------------------------------------------------------------------

    def _finish(self, sorties: list[Sortie]) -> PatrolPlan:
        once = self.options.objective is Objective.ONCE
        if once:
            rosters = [
                Roster((vehicle,), tuple(k for k, s in enumerate(sorties) if s.vehicle == vehicle))
                for crew in self.crews
                for vehicle in crew.vehicles
            ]
        else:
            rosters = [
                Roster(crew.vehicles, tuple(k for k, s in enumerate(sorties) if s.team == number))
                for number, crew in enumerate(self.crews)
            ]
        flights = schedule(sorties, rosters, self.options, repeat=not once)
        sorties = _named(sorties, flights, {v.sysid: v for v in self.fleet.vehicles})
        rounds = [
            sum(sorties[k].duration_s + r.vehicles[0].aircraft.turn_round_s for k in r.sorties) / len(r.vehicles)
            for r in rosters
        ]
        if once:
            revisit = max(f.start_s + sorties[f.sortie].duration_s for f in flights)
        else:
            seen = revisits(flights, len(sorties))
            # A shift too short for a second look has none to measure.
            revisit = max(*rounds, *(gap for gap in seen if np.isfinite(gap)), 0.0)
        reasons = self._unflown(sorties)
        coverage = coverage_of(self, sorties, reasons)
        looks = tuple(self.looks.values())
        return PatrolPlan(
            border=self.border,
            fleet=self.fleet,
            options=self.options,
            airspace=self.airspace,
            risk=self.risk,
            observations=looks,
            flight_line=_vertices(self.course),
            sorties=tuple(sorties),
            flights=flights,
            coverage=coverage,
            revisit_s=revisit,
            bounds=bounds_of(self, self._flown(sorties)),
            notes=tuple(notes_of(self, reasons)),
            network=self.task.network,
        )

    def _flown(self, sorties: Sequence[Sortie]) -> NDArray[np.bool_]:
        """Which pieces between stations some sortie watches."""
        middle = (self.stations[:-1] + self.stations[1:]) / 2
        flown = np.zeros(len(middle), dtype=bool)
        for sortie in sorties:
            flown |= (middle > sortie.from_m) & (middle < sortie.to_m)
        return flown & self.needed

    def _unflown(self, sorties: Sequence[Sortie]) -> list[tuple[float, float, str]]:
        """Stretches of the course that nobody watches, and why."""
        idle = ~self._flown(sorties) & self.needed
        line = self.course.line[self.course.leg_at((self.stations[:-1] + self.stations[1:]) / 2)]
        reached = np.zeros(len(self.stations), dtype=bool)
        for access in self.access.values():
            reached[access.reached] = True
        out = []
        for a, b in _runs(idle):
            for low, high in _equal(line, a, b):
                near = reached[low : high + 1].any()
                name = f"{self.course.lines[line[low]].name}: " if self.task.network else ""
                out.append((float(self.stations[low]), float(self.stations[high]), name + _UNFLOWN[bool(near)]))
        return out


def _equal(values: NDArray[np.int64], start: int, stop: int) -> list[tuple[int, int]]:
    """Runs of equal values between two places: first index and the one after the last."""
    cuts = np.flatnonzero(np.diff(values[start:stop])) + start + 1
    return list(pairwise([start, *cuts.tolist(), stop]))


def _indices(line: Floats, kept: Floats) -> NDArray[np.int64]:
    """Which vertices of a line a simplification kept: both run in the same order."""
    out, k = [], 0
    for point in kept:
        while line[k, 0] != point[0] or line[k, 1] != point[1]:
            k += 1
        out.append(k)
    return np.array(out, dtype=np.int64)


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First index and the one after the last of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _vertices(course: Course) -> tuple[tuple[float, float], ...]:
    lon = wrap_longitudes(course.lon_deg)
    return tuple((round(float(a), 7), round(float(o), 7)) for a, o in zip(course.lat_deg, lon, strict=True))


def _named(sorties: Sequence[Sortie], flights: Sequence[Flight], vehicles: dict[int, Vehicle]) -> list[Sortie]:
    """Sorties with the name, aircraft and time of their first flight."""
    made = list(sorties)
    turns: dict[int, int] = {}
    seen: set[int] = set()
    for flight in flights:
        if flight.sortie in seen:
            continue
        seen.add(flight.sortie)
        vehicle = vehicles[flight.sysid]
        turns[flight.sysid] = turn = turns.get(flight.sysid, 0) + 1
        made[flight.sortie] = replace(
            made[flight.sortie],
            name=f"{vehicle.name}-sortie-{turn}",
            vehicle=vehicle,
            turn=turn,
            start_s=flight.start_s,
        )
    return made
