"""Legs beside a border with its stand-off, and tours of them as the planner has them flown.

In a plane in which nothing is in the way, tours cut across bends of a border. Here they may not: the legs lie on the
flight line beside it, and ways between them are the shortest that keep the stand-off. Everybody's tours are built into
sorties by the planner, with their climbs and turns, and judged by the longest time in the air: what those of one base
wait for each other, to be apart, counts for nobody.

A fence holds so many vertices and a mission so many items, so that a sortie of `plan` ends after so many bends. A tour
of a peer that follows the line for longer is flown in as many sorties, each to the last station that the planner
allows. Of several runs in one tour each may have all of that, which is more than a sortie of the planner may.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bench.legs import Legs, Tours, longest_s, tour_ends
from missions import Base, BorderSegment, Fleet, Objective, PlanOptions, RiskTable, Side, default_fleet
from missions.access import Access
from missions.airspace import Airspace
from missions.building import Builder
from missions.plane import Plane
from missions.planning import Planner
from missions.setting import Crew, Setting
from missions.task import Task

__all__ = ["OPTIONS", "Beside", "beside"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LAT, LON = 46.0, 8.0
STAND_OFF_M, BAND_M = 40.0, 10.0
BATTERY_WH = 3e3
"""More than any flight takes: batteries do not count here.

It lasts for 280 km, so that no base looks further than 140 km for its ways.
"""

OPTIONS = PlanOptions(objective=Objective.ONCE, launch_interval_s=0.0, fence_m=60.0)
"""Nobody waits for a take-off, and there is room for a fence of few enough vertices round a flight of 20 km."""


@dataclass(frozen=True, eq=False)
class Beside:
    """A border with its fleet, as the planner has it and as a general solver is given it.

    Parameters
    ----------
    border, fleet
        What is planned.
    setting
        What the planner works with.
    cuts
        The stations between which the legs lie, shape (legs + 1,).
    legs
        The legs, with lawful ways between them and from the bases.
    """

    border: BorderSegment
    fleet: Fleet
    setting: Setting
    cuts: list[int]
    legs: Legs

    def planned_s(self) -> float:
        """How long the longest flight of what `plan` flies takes, seconds: the last landing where none share a base."""
        landed: dict[int, float] = {}
        rotas = Planner(self.setting).rotas
        for roster in rotas.periods[0].rosters:
            (sysid,) = roster.sysids
            landed[sysid] = sum(rotas.sorties[number].duration_s for number in roster.sorties)
        return max(landed.values())

    def flown_s(self, tours: Tours) -> float:
        """The same by tours of the legs, each leg flown in the direction that is best.

        Raises
        ------
        ValueError
            When not every leg is in just one tour.
        """
        longest_s(self.legs, tours)
        return max(self._tour_s(drone, order) for drone, order in tours.items() if len(order))

    def _tour_s(self, drone: int, order: Sequence[int]) -> float:
        setting = self.setting
        crew = _crews(setting)[drone]
        builder = Builder(setting.course, setting.stations, setting.terrain, setting.options)
        took_s = 0.0
        furthest = setting.last[crew.aircraft.stores]
        for stretches in _sorties(self._stretches(drone, order), furthest):
            made, _ = builder.legs(
                crew.vehicles[0],
                setting.access_of(crew),
                setting.looks[crew.aircraft, crew.camera],
                stretches=stretches,
                layers_agl_m=setting.layers(crew),
            )
            took_s += sum(leg.duration_s for leg in made)
        return took_s

    def _stretches(self, drone: int, order: Sequence[int]) -> list[tuple[int, int]]:
        """From station to station, in the order of flight; what follows on is one."""
        out: list[tuple[int, int]] = []
        for leg, end in zip(order, tour_ends(self.legs, drone, order), strict=True):
            way = self.cuts[leg + 1 - end], self.cuts[leg + end]
            if out and out[-1][1] == way[0] and (out[-1][0] < out[-1][1]) == (way[0] < way[1]):
                out[-1] = out[-1][0], way[1]
            else:
                out.append(way)
        return out


def _sorties(stretches: Sequence[tuple[int, int]], furthest: Ints) -> list[list[tuple[int, int]]]:
    """Stretches with a new sortie wherever one has had as many bends as a fence and a mission hold."""
    out: list[list[tuple[int, int]]] = [[]]
    for first, last in stretches:
        at = first
        while (end := _end(at, last, furthest)) != last:
            out[-1].append((at, end))
            out.append([])
            at = end
        out[-1].append((at, last))
    return out


def _end(first: int, last: int, furthest: Ints) -> int:
    """Where a stretch from `first` on has to end, in either direction."""
    if first < last:
        return min(last, int(furthest[first]))
    return max(last, int(np.argmax(furthest >= first)))


def beside(legs: Legs) -> Beside:
    """The border that legs in a plane lie on, with the bases of the drones, and legs on the flight line beside it.

    Raises
    ------
    PlanError
        When there is no room for a flight line.
    """
    plane = Plane.at(LAT, LON)
    corners = np.vstack([legs.ends_m[:, 0], legs.ends_m[-1:, 1]])
    base_m = np.array([on_own_side(corners, base) for base in legs.base_m])
    middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
    lat, lon = plane.lat_lon(corners - middle)
    line = tuple(zip(lon.tolist(), lat.tolist(), strict=True))
    border = BorderSegment(
        "wandering", "AAA", "BBB", line, Side.RIGHT, stand_off_m=STAND_OFF_M, band_own_m=BAND_M, band_far_m=BAND_M
    )
    fleet = default_fleet(Base("any", LAT, LON), 1)
    (one,) = fleet.vehicles
    bases, which = np.unique(base_m, axis=0, return_inverse=True)
    places = list(zip(*(v.tolist() for v in plane.lat_lon(bases - middle)), strict=True))
    fleet = replace(
        fleet,
        vehicles=tuple(
            replace(
                one,
                name=f"drone {drone}",
                sysid=drone,
                aircraft=replace(one.aircraft, battery_wh=BATTERY_WH),
                base=Base(f"base {base}", *places[base]),
            )
            for drone, base in enumerate(which.ravel().tolist(), 1)
        ),
    )
    setting = Setting(Task.of(border), fleet, None, OPTIONS, airspace=Airspace(), risk=RiskTable())
    cuts = np.unique(np.linspace(0, len(setting.stations) - 1, len(legs.ends_m) + 1).round().astype(int)).tolist()
    return Beside(border, fleet, setting, cuts, _lawful(setting, cuts))


def on_own_side(corners: Floats, base: Floats) -> Floats:
    """Where a base is put that `wandering` has beyond a bend: as far on the own side of the nearest place.

    The own side is the right one. Where another bend is in the way the base is half as far, or half of that.
    """
    place, right, side = _nearest(corners, base)
    if side <= 0:
        return base
    away_m = float(np.hypot(*(base - place)))
    while _nearest(corners, base)[2] > 0:
        base = place + away_m * right
        away_m /= 2
    return base


def _nearest(corners: Floats, point: Floats) -> tuple[Floats, Floats, float]:
    """The place of a line that is nearest to a point, what is to the right there, and how far left of it the point is.

    At a corner, of which both pieces are as near, ahead is where they lead on the mean.
    """
    ahead = np.diff(corners, axis=0)
    square = (ahead**2).sum(axis=1)
    share = (((point - corners[:-1]) * ahead).sum(axis=1) / square).clip(0, 1)
    places = corners[:-1] + share[:, None] * ahead
    far = np.hypot(*(point - places).T)
    east, north = (ahead / np.sqrt(square)[:, None])[far <= far.min() * (1 + 1e-9)].sum(axis=0)
    place, right = places[far.argmin()], np.array([north, -east]) / np.hypot(east, north)
    return place, right, float((place - point) @ right)


def _lawful(setting: Setting, cuts: list[int]) -> Legs:
    """The legs between some stations, in the plane of the first base."""
    crews = _crews(setting)
    craft, look = crews[0].aircraft, setting.looks[crews[0].aircraft, crews[0].camera]
    # Of one base, however far: between legs the ways are the same from wherever one comes.
    whole = Access(
        crews[0].base,
        setting.around,
        setting.course,
        setting.stations,
        setting.course.length_m,
        terrain=setting.terrain,
    )
    plane = whole.region.plane
    places = plane.xy(*(at[cuts] for at in setting.at))
    ends = np.stack([places[:-1], places[1:]], axis=1)
    along_m = np.diff(setting.stations[cuts])
    low, high = np.arange(len(cuts) - 1), np.arange(1, len(cuts))
    between = whole.ways(cuts, lambda step: np.asarray(np.hypot(*step.T))).cost
    # The flight line itself leads from each place to all others. What a solver is given as the way along a leg is what
    # it takes along its bends.
    between = np.minimum(between, np.abs(np.subtract.outer(setting.stations[cuts], setting.stations[cuts])))
    which = np.stack([low, high], axis=1)
    ways = {crew.base: _home_m(setting.access_of(crew), cuts, between) for crew in setting.crews}
    home = [ways[crew.base] for crew in crews]
    base = plane.xy(*np.array([[crew.base.lat_deg, crew.base.lon_deg] for crew in crews]).T)
    return Legs(
        ends,
        np.asarray(base),
        look.speed_m_s,
        craft.cruise_m_s,
        between_m=between[which[:, :, None, None], which[None, None]],
        home_m=np.array(home)[:, which],
        along_m=along_m,
    )


def _home_m(access: Access, cuts: list[int], between: Floats) -> Floats:
    """How far it is from a base to some stations, metres: to those out of its reach by way of those within it."""
    near = np.flatnonzero(np.isin(cuts, access.reached))
    known = np.array([float(np.hypot(*np.diff(access.way(cuts[k]), axis=0).T).sum()) for k in near.tolist()])
    out = (known[:, None] + between[near]).min(axis=0)
    out[near] = known
    return np.asarray(out)


def _crews(setting: Setting) -> list[Crew]:
    """Of each drone."""
    of = {vehicle.sysid: crew for crew in setting.crews for vehicle in crew.vehicles}
    return [of[sysid] for sysid in sorted(of)]
