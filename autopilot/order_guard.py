"""Whether a vehicle may be sent to a place, by what it holds and says at that moment."""

from __future__ import annotations

import math

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.area import FlightArea, Place
from autopilot.dialect import LOCATED, RELATIVE_FRAMES
from autopilot.dialects import WINGS
from autopilot.errors import NotReadyError, PlaceError
from autopilot.vehicle import Vehicle
from autopilot.words import MissionKind
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


class OrderGuard:
    """What limits the orders to one vehicle; a question at a time, since what it holds and where it is change.

    Parameters
    ----------
    vehicle
        The vehicle.
    borders, zones
        As for `FlightArea`.
    ceiling_m
        Highest place, metres above home; the vehicle's own ceiling counts too where it acts.
    lowest_m
        Lowest place, metres above home.
    clearance
        What it keeps beyond a stand-off and off its fence; None for that of its form.
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
    ) -> None:
        self._vehicle = vehicle
        self._borders = borders
        self._zones = zones
        self._ceiling_m = ceiling_m
        self._lowest_m = lowest_m
        self._clearance = clearance

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
        turn_m = await self._turn_m(radius_m)
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

    async def _turn_m(self, radius_m: float | None) -> float:
        """What wings turn on: their own circle or a wider one that is asked for, since not all heed the latter."""
        if radius_m is not None and not (math.isfinite(radius_m) and radius_m > 0):
            raise PlaceError(f"a circle of radius {radius_m:g} m: give one above 0")
        if self.kind not in WINGS:
            return 0.0
        if not self._vehicle.dialect.orders.circle:
            raise PlaceError(f"{self._vehicle}: nobody knows on what radius it circles: fly it by a mission")
        own_m = abs(await self._vehicle.parameter(self._vehicle.dialect.orders.circle))
        return max(own_m, radius_m or 0.0)

    @property
    def kind(self) -> int:
        """MAV_TYPE of its heartbeat."""
        return int(self._vehicle.link.vehicles[self._vehicle.sysid].type)

    async def check_way_to_item(self, items: tuple[MissionItem, ...], seq: int) -> None:
        """Whether the vehicle may fly straight to the first place from an item of its mission on. Raises as `check`.

        A return has a way of its own.
        """
        for item in items[seq:]:
            if item.command == mav.MAV_CMD_NAV_RETURN_TO_LAUNCH:
                return
            if item.command in LOCATED and item.command < mav.MAV_CMD_NAV_LAST and (item.x or item.y):
                here = self.here()
                # Other frames are not told from here; the plan has looked at those heights.
                above_m = item.z if item.frame in RELATIVE_FRAMES and item.z > 0 else here.above_home_m
                area = await self.area()
                above_m = max(above_m, area.lowest_m)
                turn_m = await self._turn_m(None)
                self._check(area, Place(item.x / 1e7, item.y / 1e7, above_m), turn_m, planned=True)
                return
