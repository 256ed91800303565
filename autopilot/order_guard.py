"""Whether a vehicle may be sent to a place, by what it holds and says at that moment."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace

import numpy as np
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.area import FlightArea, Place
from autopilot.dialect import LOCATED, RELATIVE_FRAMES
from autopilot.dialects import WINGS
from autopilot.errors import NotReadyError, PlaceError
from autopilot.rejoin import LANDS, Ahead, Motion, rejoined, ways_ahead
from autopilot.timing import FlightClock
from autopilot.vehicle import Vehicle
from autopilot.words import MissionKind
from geo import LocalFrame, geodesic_distance_m, true_per_equivalent
from missions import (
    AircraftForm,
    BorderSegment,
    Clearance,
    FenceCircle,
    FencePolygon,
    MissionError,
    MissionItem,
    Zone,
    fence_shapes,
    form_clearance,
)

__all__ = ["OrderGuard"]

_FRESH_S = 3.0
_ORDER_S = 2.0  # an order may take as long, with one that is lost on the way
_LOOK_S = 0.5
_SLOW_M_S = 5.0  # slower than wings fly, for waits that end
_LATER = 8  # later items that are looked at


class OrderGuard:
    """What limits the orders to one vehicle; a question at a time, since what it holds and where it is change.

    Parameters
    ----------
    vehicle, borders, zones, ceiling_m, lowest_m, clearance, turn_radius_m
        As for `Orders`.
    """

    def __init__(
        self,
        vehicle: Vehicle,
        borders: tuple[BorderSegment, ...],
        zones: tuple[Zone, ...],
        ceiling_m: float | None,
        lowest_m: float,
        *,
        clearance: Clearance | None,
        turn_radius_m: float = 0.0,
    ) -> None:
        self._vehicle = vehicle
        self._borders = borders
        self._zones = zones
        self._ceiling_m = ceiling_m
        self._lowest_m = lowest_m
        self._clearance = clearance
        self._turn_radius_m = turn_radius_m

    async def area(self) -> FlightArea:
        """Where the vehicle may be sent, by what it holds and says now.

        Raises
        ------
        NotReadyError, LinkError
            When what it holds is not known any more, as after a reboot.
        ParameterError
            When it does not say its ceiling.
        PlaceError
            When there is none, or its fence cannot be understood.
        """
        own = self._clearance
        if own is None:
            own = form_clearance(AircraftForm.FIXED_WING if self.kind in WINGS else AircraftForm.MULTIROTOR)
        return FlightArea(self._fence(), self._borders, self._zones, self._lowest_m, await self._highest_m(), own)

    def _fence(self) -> tuple[FencePolygon | FenceCircle, ...]:
        items = self._vehicle.held(MissionKind.FENCE)
        try:
            return fence_shapes([item for item in items if item.command != mav.MAV_CMD_NAV_FENCE_RETURN_POINT])
        except MissionError as error:
            raise PlaceError(f"{self._vehicle}: its fence cannot be understood: {error}") from error

    async def _highest_m(self) -> float:
        vehicle, own = self._vehicle, self._vehicle.dialect.ceiling
        limits = [] if self._ceiling_m is None else [self._ceiling_m]
        if not own.mask or int(await vehicle.parameter(own.mask)) & own.bit:
            limit_m = await vehicle.parameter(own.parameter)
            limits += [limit_m] if limit_m > 0 else []
        if not limits:
            raise PlaceError(f"{vehicle}: no ceiling that acts is known: set the vehicle's own, or give ceiling_m")
        return min(limits)

    async def check(self, place: Place, *, radius_m: float | None = None) -> float:
        """Whether the vehicle may be sent from where it is to a place; sends nothing but questions.

        Parameters
        ----------
        place
            Where to.
        radius_m
            Radius of the circle that wings would fly there, metres; None for their own.

        Returns
        -------
        float
            Radius on which it turns and circles, metres; 0 where it stops in the air.

        Raises
        ------
        PlaceError
            When it may not.
        NotReadyError
            When it is not in the air, or says no position.
        AutopilotError
            As `area` does.
        """
        area = await self.area()
        turn_m = await self.turn_m(radius_m, place)
        self._check(area, place, turn_m)
        return turn_m

    def _check(self, area: FlightArea, place: Place, turn_m: float, *, planned: bool = False) -> None:
        now = self._vehicle.telemetry
        if now.armed is not True or now.landed is True:
            raise NotReadyError(f"{self._vehicle}: is not in the air: take off first")
        north, east, _ = now.velocity_ned_m_s or (0.0, 0.0, 0.0)
        area.check(self.here(), place, velocity_m_s=(east, north), radius_m=turn_m, planned=planned)

    def here(self) -> Place:
        """Where the vehicle is. Raises NotReadyError where it has not said so for some seconds."""
        vehicle, now = self._vehicle, self._vehicle.telemetry
        if vehicle.position_age_s > vehicle.timing.wall_s(_FRESH_S):
            raise NotReadyError(
                f"{vehicle}: said no new position for {vehicle.position_age_s:.1f} s: look at its GPS and its streams"
            )
        if now.lat_deg is None or now.lon_deg is None or now.above_home_m is None:
            raise NotReadyError(f"{vehicle}: has not said where it is: wait for its position")
        return Place(now.lat_deg, now.lon_deg, now.above_home_m)

    async def turn_m(self, radius_m: float | None, place: Place | None = None) -> float:
        """What wings turn on, metres: their own circle or a wider one that is asked for, since not all heed the latter.

        As it is flown over the ground, in air as thin as where they are, or as at a place that is higher. 0 for what
        stops in the air. Raises PlaceError for no radius, or where that of the vehicle is not known, and NotReadyError
        where it is not known how high it flies.
        """
        if radius_m is not None and not (math.isfinite(radius_m) and radius_m > 0):
            raise PlaceError(f"a circle of radius {radius_m:g} m: give one above 0")
        if self.kind not in WINGS:
            return 0.0
        return max(await self._told_circle_m() * self.wider(place), radius_m or 0.0)

    async def _told_circle_m(self) -> float:
        """Radius that wings are told to circle on, metres; 0 for what stops in the air. Raises PlaceError."""
        if self.kind not in WINGS:
            return 0.0
        if not self._vehicle.dialect.orders.circle:
            raise PlaceError(f"{self._vehicle}: nobody knows on what radius it circles: fly it by a mission")
        return abs(await self._vehicle.parameter(self._vehicle.dialect.orders.circle))

    def wider(self, place: Place | None = None) -> float:
        """By how much wings circle wider than they are told to, where they are or at a place that is higher."""
        if self.kind not in WINGS or not self._vehicle.dialect.orders.widens_in_thin_air:
            return 1.0
        now = self._vehicle.telemetry
        if now.altitude is None or now.above_home_m is None:
            raise NotReadyError(
                f"{self._vehicle}: circles wider in thin air and has not said how high it is: wait for its position"
            )
        above_m = now.above_home_m if place is None else max(now.above_home_m, place.above_home_m)
        return float(true_per_equivalent(now.altitude.metres - now.above_home_m + above_m)) ** 2

    @property
    def kind(self) -> int:
        """MAV_TYPE of its heartbeat."""
        return int(self._vehicle.link.vehicles[self._vehicle.sysid].type)

    async def check_way_to_item(self, items: tuple[MissionItem, ...], seq: int, *, waits: bool = False) -> None:
        """Whether the vehicle may fly straight to the first place from an item of its mission on, and on from there.

        Wings are followed round the bend there until they are on the line of the plan again. A return has a way of its
        own. Where this item cannot be joined at, the refusal names the next that can, and what it would leave out.

        Parameters
        ----------
        items, seq
            The mission, and the item.
        waits
            Whether wings that circle may do so once more, until they head where the way is free.

        Raises
        ------
        PlaceError
            When it may not.
        AutopilotError
            As `check` does.
        """
        first = _place_from(items, seq)
        if first is None:
            return
        area, told_m = await self.area(), await self._told_circle_m()
        vehicle, wall = self._vehicle, asyncio.get_running_loop().time
        clock = FlightClock(vehicle.timing.time_scale, wall())
        lap_s = self._lap_s(told_m * self.wider()) if waits else 0.0
        while True:
            try:
                await self._check_joining(area, items, first, told_m)
            except PlaceError as error:
                if clock.elapsed_s(vehicle.telemetry.vehicle_s, wall()) >= lap_s:
                    later = await self._later(area, items, first, told_m) if told_m else ""
                    raise PlaceError(f"{vehicle}: does not go on at item {first.seq}: {error}{later}") from error
                await asyncio.sleep(vehicle.timing.wall_s(_LOOK_S))
            else:
                return

    def _lap_s(self, turn_m: float) -> float:
        """How long wings take round their circle, seconds; 0 for what does not circle."""
        now, dialect = self._vehicle.telemetry, self._vehicle.dialect
        north, east, _ = now.velocity_ned_m_s or (0.0, 0.0, 0.0)
        circles = turn_m > 0 and now.mode in {dialect.orders.guided_mode, dialect.pause_mode}
        return 2 * math.pi * turn_m / max(math.hypot(north, east), _SLOW_M_S) if circles else 0.0

    async def _check_joining(
        self, area: FlightArea, items: tuple[MissionItem, ...], item: MissionItem, told_m: float
    ) -> None:
        here = self.here()
        # Other frames are not told from here; the plan has looked at those heights.
        above_m = item.z if item.frame in RELATIVE_FRAMES and item.z > 0 else here.above_home_m
        place = Place(item.x / 1e7, item.y / 1e7, max(above_m, area.lowest_m))
        self._check(area, place, told_m * self.wider(place), planned=True)
        if not told_m:
            return
        now = self._vehicle.telemetry
        north, east, _ = now.velocity_ned_m_s or (0.0, 0.0, 0.0)
        motion = Motion((east, north), now.roll_deg)
        for ahead in ways_ahead(items, item.seq):
            # As wide all along as where the way is highest.
            wider = self.wider(replace(place, above_home_m=max(place.above_home_m, ahead.highest_m)))
            radius_m, wide = max(told_m * wider, self._turn_radius_m), replace(ahead, circle_m=ahead.circle_m * wider)
            # Other vehicles are to be heard meanwhile.
            await asyncio.to_thread(_check_ahead, area, (here, place), motion, wide, radius_m)

    async def _later(
        self, area: FlightArea, items: tuple[MissionItem, ...], refused: MissionItem, told_m: float
    ) -> str:
        """The next item that can be joined at, in words; the order to go there is a person's."""
        tried, at, turn_m = 0, refused, told_m * self.wider()
        for item in items[refused.seq + 1 :]:
            near = geodesic_distance_m(at.x / 1e7, at.y / 1e7, item.x / 1e7, item.y / 1e7) < turn_m
            if item.command in LANDS:
                break
            if not _is_place(item) or near:
                continue
            at, tried = item, tried + 1
            if tried > _LATER:
                break
            try:
                await self._check_joining(area, items, item, told_m)
            except PlaceError:
                continue
            left = f"item {refused.seq}" if item.seq == refused.seq + 1 else f"items {refused.seq} to {item.seq - 1}"
            return f"; a jump to item {item.seq} can be flown now, and leaves out {left}"
        return ""


def _is_place(item: MissionItem) -> bool:
    return item.command in LOCATED and item.command < mav.MAV_CMD_NAV_LAST and bool(item.x or item.y)


def _place_from(items: tuple[MissionItem, ...], seq: int) -> MissionItem | None:
    """The first place from an item on; None where it returns before."""
    for item in items[seq:]:
        if item.command == mav.MAV_CMD_NAV_RETURN_TO_LAUNCH:
            return None
        if _is_place(item):
            return item
    return None


def _check_ahead(area: FlightArea, ends: tuple[Place, Place], motion: Motion, ahead: Ahead, radius_m: float) -> None:
    here, place = ends
    lat, lon = np.array(ahead.places).T
    east, north, _ = LocalFrame(here.lat_deg, here.lon_deg).to_enu(lat, lon)
    circle_m = max(radius_m, ahead.circle_m) if ahead.circles else 0.0
    places = list(zip(np.atleast_1d(east).tolist(), np.atleast_1d(north).tolist(), strict=True))
    try:
        flown = rejoined(motion, places, radius_m, delay_s=_ORDER_S, circle_m=circle_m)
    except PlaceError as error:
        raise PlaceError(f"{place}: {error}: return home") from None
    area.check_rejoining(here, place, flown)
