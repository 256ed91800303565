"""A vehicle that flies, sent to a cue: straight there inside its fence, clear of the others, and straight home.

Wings turn to the place and circle about it: the turn, the circle with all the room that they take, and the ways home
from anywhere on the circle are held by the fence, or they are not sent. A way home leads to the base, and to the rally
points that are nearest: there an autopilot goes that returns by itself. Whether they may go on with their patrol from
there is seen when it is time to (`autopilot.orders.Orders.resume`); where they may not, they come home.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely import Geometry, LineString, Point, Polygon
from shapely.affinity import translate

from autopilot.cue import Cue, Offer, Standing
from autopilot.errors import FlightError
from autopilot.ways import flown_way
from geo import LocalFrame, densify, true_per_equivalent
from missions import (
    FencePolygon,
    Leg,
    MissionItem,
    MissionsError,
    Sight,
    Viewing,
    circle_of,
    clearance_of,
    fence_shapes,
    straight_home,
)

__all__ = ["Diversion"]

_TRIED = 20
_HEADINGS = 24  # of the circle, which is flown to the right, from which the ways home are looked at
# One that circles turns to a place on the shorter side: ArduPilot keeps to the side of before only where it turned to
# what lay more than 0.9 pi aft (AP_L1_Control::_prevent_indecision), and the middle of a circle lies abeam. The rest to
# 180 degrees is for a course that is off the circle's.
_BEHIND_RAD = math.radians(170.0)
_AS_NEAR_M = 30.0  # a rally point that is farther by less may be the nearest
_ROUNDING_M = 0.01
_FINEST_M, _COARSEST_M = 5.0, 50.0  # between places at which the ground below a way is looked at

Floats = NDArray[np.float64]
Pair = tuple[float, float]


class Diversion:
    """What one vehicle in the air could do about a cue.

    Parameters
    ----------
    viewing
        Finds places to look from.
    one, others
        The vehicle, and all that fly beside it.

    Raises
    ------
    FlightError
        When it cannot be sent anywhere: it has no place, no battery report or no fence that is understood.
    """

    def __init__(self, viewing: Viewing, one: Standing, others: Sequence[Standing]) -> None:
        self._viewing, self._one, self._others = viewing, one, others
        self._craft, self._name = one.vehicle.aircraft, one.vehicle.name
        if one.here is None or one.battery is None:
            raise FlightError(f"{self._name}: does not say where it is, or what is left of its battery")
        self._here, self._battery = one.here, one.battery
        base = one.vehicle.base
        self._base = base.lat_deg, base.lon_deg
        self._frame = LocalFrame(*self._base)
        self._base_amsl = float(viewing.terrain.elevation_m(*self._base))
        self._amsl_m = self._base_amsl + one.above_base_m
        self._inside = _inside(one.fence, self._frame)
        self._edge = shapely.boundary(self._inside)
        self._room_m = clearance_of(self._craft, viewing.plan.options.wind).room_m
        self._circle_m = circle_of(self._craft, viewing.plan.options.wind)
        if self._inside is None:
            raise FlightError(f"{self._name}: holds no fence of polygons to stay in")

    def offer(self, cue: Cue) -> Offer:
        """The soonest that is lawful. Raises FlightError or PlanError where there is none; the message says why."""
        why = "no place from which it is seen lies inside its fence, straight there and straight home"
        for sight in self._sights(cue):
            if not self._high(sight):
                why = "the ground rises too high below the straight way there"
                continue
            there = sight.at.lat_deg, sight.at.lon_deg
            way, at = self._way(there), Point(*self._xy(there))
            stay = at.buffer(self._circle_m) if self._circle_m else at
            if not self._holds([way, *(LineString([self._xy(there), end]) for end in self._ends(there))], stay):
                continue
            if self._taken(shapely.union_all([way, stay]), sight):
                why = "others fly where it would go"
                continue
            ways_home = self._ways_home(there)
            if self._circle_m and not self._holds(ways_home, stay):
                continue
            if not self._clears(ways_home, sight):
                why = "the ground rises too high below the straight way home from there, or is not known"
                continue
            arrival_s, left = self._spent(cue, sight)
            reserve = self._craft.reserve_fraction
            if left < reserve:
                raise FlightError(
                    f"{self._name}: would come home from there with {left:.0%} of its battery, its reserve is "
                    f"{reserve:.0%}"
                )
            up_m = sight.at.amsl_m - self._base_amsl
            return Offer(self._one.vehicle.sysid, arrival_s, *there, up_m, left, circle_m=self._circle_m)
        raise FlightError(f"{self._name}: {why}")

    def _sights(self, cue: Cue) -> Iterator[Sight]:
        """Places that a straight way leads to, soonest first, at the height of the patrol and then higher ones."""
        options = self._viewing.plan.options
        low = self._viewing.observation(self._one.vehicle).height_agl_m
        for height in np.arange(low, options.ceiling_agl_m + 1e-6, options.separation_up_m):
            try:
                sights = self._viewing.sights(
                    self._one.vehicle, self._here, cue.spot, float(height), straight=True, circle_m=self._circle_m
                )
            except MissionsError:
                if height == low:
                    raise
                return  # from higher up it is too coarse
            yield from sights[:_TRIED]

    def _high(self, sight: Sight) -> bool:
        """Whether it keeps the floor of the plan over the ground there and on the way, or at least what it has now.

        Each autopilot climbs or sinks along a straight way in its own manner: the lower of its two heights counts.
        """
        here_m = self._amsl_m - float(self._viewing.terrain.elevation_m(*self._here))
        floor_m = min(self._viewing.plan.options.floor_agl_m, here_m, sight.at.agl_m)
        return min(self._amsl_m, sight.at.amsl_m) - sight.highest_amsl_m >= floor_m - _ROUNDING_M

    def _clears(self, ways_home: list[Geometry], sight: Sight) -> bool:
        """Whether ways home keep the floor of the plan over ground that is known, or at least what their ends have.

        What returns by itself climbs first where it is set to, and sinks over its home. Wings sink on their way to
        where their landing begins: the lower of both heights counts. How an autopilot is set is not looked at.
        """
        ends = [sight.at, *(leg.start for leg in self._landing()[:1])]
        low_m = min(end.amsl_m for end in ends)
        step_m = min(max(self._viewing.terrain.resolution_m, _FINEST_M), _COARSEST_M)
        xy = shapely.get_coordinates(shapely.segmentize(np.array(ways_home), step_m))
        lat, lon, _ = self._frame.to_geodetic(xy[:, 0], xy[:, 1])
        ground_m = self._viewing.terrain.known_elevation_m(lat, lon)
        floor_m = min(self._viewing.plan.options.floor_agl_m, *(end.agl_m for end in ends))
        # NaN is above nothing.
        return bool(np.all(low_m - ground_m >= floor_m - _ROUNDING_M))

    def _landing(self) -> tuple[Leg, ...]:
        """What wings fly to land, where they do."""
        return self._one.sortie.landing if self._craft.needs_runway and self._one.sortie is not None else ()

    def _spent(self, cue: Cue, sight: Sight) -> tuple[float, float]:
        """Until it is there, seconds, and the share of its battery with which it is home again."""
        craft, wind = self._craft, self._viewing.plan.options.wind
        up_m = sight.at.amsl_m - self._base_amsl
        rise_m = up_m - self._one.above_base_m
        climb_s = max(rise_m / craft.climb_m_s, -rise_m / craft.descent_m_s)
        # Where it stays may be higher than anything that the plan flies: rotors take more there, on the way and home.
        thicker = wind.true_per_equivalent
        wind = replace(wind, air_amsl_m=max(sight.at.amsl_m, wind.air_amsl_m))
        thin = wind.true_per_equivalent
        climb_wh = max(rise_m, 0.0) / craft.climb_m_s * thin * craft.climb_power_w / 3600
        _, home_wh = straight_home(self._one.vehicle, (sight.at.lat_deg, sight.at.lon_deg), up_m, wind)
        if self._circle_m:
            # Wings turn to it and away from it, at worst once round each, against the wind.
            faster = float(true_per_equivalent(sight.at.amsl_m))
            turn_s = 2 * math.pi * self._circle_m / max(craft.cruise_m_s * faster - wind.speed_m_s, 1.0)
            stay_wh = float(craft.power_w(craft.cruise_m_s * faster, thin=faster)) * (cue.station_s + 2 * turn_s) / 3600
        else:
            # To stay in a wind is to fly as fast as it blows.
            turn_s = 0.0
            stay_wh = float(craft.power_w([wind.speed_m_s, 0.0], level=False, thin=thin).max()) * cue.station_s / 3600
        there_wh = sight.energy_wh * max(thin / max(thicker, 1.0), 1.0)
        used_wh = there_wh + climb_wh + stay_wh + home_wh
        return max(sight.time_s + turn_s, climb_s), self._battery - used_wh / craft.battery_wh

    def _way(self, there: tuple[float, float]) -> Geometry:
        """What it flies to a place, metres."""
        return self._flown(self._xy(self._here), self._one.velocity_m_s, self._xy(there))

    def _ends(self, there: tuple[float, float]) -> list[Pair]:
        """Where a return from a place may lead: to the base, or to the nearest of the rally points, metres."""
        rally = [self._xy((item.x / 1e7, item.y / 1e7)) for item in self._one.rally]
        away = [math.dist(self._xy(there), point) for point in rally]
        within_m = min(away, default=0.0) + 2 * self._circle_m + _AS_NEAR_M
        return [self._xy(self._base), *(p for p, far_m in zip(rally, away, strict=True) if far_m <= within_m)]

    def _ways_home(self, there: tuple[float, float]) -> list[Geometry]:
        """What it may fly home: wings from anywhere on the circle, to its ends or to where their landing begins."""
        ends = [*self._ends(there), *(self._xy((leg.start.lat_deg, leg.start.lon_deg)) for leg in self._landing()[:1])]
        if not self._circle_m:
            return [LineString([self._xy(there), end]) for end in ends]
        angles = np.arange(_HEADINGS) * 2 * math.pi / _HEADINGS
        around, fast = np.stack([np.cos(angles), np.sin(angles)], axis=-1), self._craft.cruise_m_s
        return [
            self._flown(
                np.array(self._xy(there)) + self._circle_m * at, (fast * at[1], -fast * at[0]), end, _BEHIND_RAD
            )
            for at in around
            for end in ends
        ]

    def _flown(self, start: ArrayLike, velocity_m_s: Pair, end: Pair, behind_rad: float | None = None) -> Geometry:
        """What it flies from a place with a velocity to another, metres."""
        east, north = np.asarray(end) - np.asarray(start)
        more = {} if behind_rad is None else {"behind_rad": behind_rad}
        way = flown_way(np.asarray(velocity_m_s), (float(east), float(north)), self._circle_m, **more)
        return translate(way, *np.asarray(start))

    def _holds(self, ways: list[Geometry], place: Geometry) -> bool:
        """Whether the fence holds ways, and the place where it stays, with the room that an aircraft takes.

        Where it is now it may be off its way already: of the ways there half the room is asked, which is what it flies
        off one for 95 % of the time.
        """
        edge = self._edge
        return bool(
            shapely.covers(self._inside, [*ways, place]).all()
            and shapely.distance(edge, ways).min() >= self._room_m / 2
            and shapely.distance(edge, place) >= self._room_m
        )

    def _taken(self, way: Geometry, sight: Sight) -> bool:
        """Whether another that flies is, or is to be, too near to the way or the place, at their heights."""
        options = self._viewing.plan.options
        across, up = options.separation_m, options.separation_up_m
        stays = sight.at.amsl_m
        low, high = sorted((self._amsl_m, stays))
        for theirs, bottom, top in (part for other in self._others if other.airborne for part in self._held_by(other)):
            if low - up < top and bottom < high + up and shapely.distance(way, theirs) < across:
                return True
        # It may be there long enough for any flight of the plan to come by.
        flown = [other.sortie for other in self._others if other.sortie is not None]
        for leg in (leg for sortie in (*self._viewing.plan.sorties, *flown) for leg in sortie.legs):
            bottom, top = sorted((leg.start.amsl_m, leg.end.amsl_m))
            # On its way up or down it only passes through; where it flies to and stays has to be free for good.
            if bottom < stays + up - 1e-6 and top > stays - up + 1e-6:
                ends = [(end.lat_deg, end.lon_deg) for end in (leg.start, leg.end)]
                if shapely.distance(self._line(*ends), way) < across:
                    return True
        return False

    def _held_by(self, other: Standing) -> Iterator[tuple[Geometry, float, float]]:
        """Where another in the air is, and where it was sent to and stays; heights AMSL from and to, metres."""
        base = other.vehicle.base
        ground = float(self._viewing.terrain.elevation_m(base.lat_deg, base.lon_deg))
        here, amsl = None if other.here is None else Point(*self._xy(other.here)), ground + other.above_base_m
        if here is not None:
            yield here, amsl, amsl
        if other.stays is not None:
            at, up = Point(*self._xy((other.stays.lat_deg, other.stays.lon_deg))), ground + other.stays.above_home_m
            yield at.buffer(other.stays_m) if other.stays_m else at, up, up
            if here is not None:
                yield LineString([here, at]), min(amsl, up), max(amsl, up)

    def _xy(self, place: tuple[float, float]) -> tuple[float, float]:
        east, north, _ = self._frame.to_enu(*place)
        return float(east), float(north)

    def _line(self, start: tuple[float, float], stop: tuple[float, float]) -> LineString:
        return LineString([self._xy(start), self._xy(stop)])


def _inside(fence: Sequence[MissionItem], frame: LocalFrame) -> Geometry | None:
    """Where a fence lets a vehicle fly; None without one of polygons that is understood."""
    held: list[Geometry] = []
    shut: list[Geometry] = []
    for shape in fence_shapes(fence):
        if not isinstance(shape, FencePolygon):
            return None
        # Its edges are straight in degrees.
        east, north, _ = frame.to_enu(*densify(*np.array([*shape.vertices, shape.vertices[0]]).T))
        (held if shape.inclusion else shut).append(Polygon(np.stack([east, north], axis=-1)))
    if len(held) != 1:
        return None
    free: Geometry = shapely.difference(held[0], shapely.union_all(shut)) if shut else held[0]
    return free
