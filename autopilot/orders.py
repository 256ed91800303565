"""Orders to a vehicle beside its mission: take off, go to a place, stay over a cue, jump, go on, stop for good."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.area import FlightArea, Place
from autopilot.dialect import StepKind
from autopilot.errors import CommandError, FlightError, NotReadyError, PlaceError
from autopilot.order_guard import OrderGuard
from autopilot.order_heights import order_height
from autopilot.orders_camera import look_ahead, look_at
from autopilot.orders_plain import rise
from autopilot.standing import say_again
from autopilot.telemetry import Telemetry
from autopilot.timing import FlightClock
from autopilot.vehicle import Vehicle
from autopilot.words import MissionKind
from geo import geodesic_distance_m
from missions import BorderSegment, Clearance, MissionItem, Zone

__all__ = ["Loiter", "Orders"]

_LOOK_WALL_S = 0.25
_MODE_S = 10.0
_TRIES = 4
_RETRY_S = 3.0  # MISSION_CURRENT may come once a second
_LOWEST_M = 5.0
_CLIMB_M_S, _FLY_M_S = 0.5, 2.0  # slower than any vehicle of ours, for waits that end
_SLACK_S = 30.0
_THERE_M = 5.0
_BESIDE_M = 15.0  # wings circle that far beside their radius


@dataclass(frozen=True, slots=True)
class Loiter:
    """A stay over a place.

    Parameters
    ----------
    place
        Where.
    arrived_us, left_us
        When, UTC microseconds since the Unix epoch.
    stayed_s
        Seconds of the vehicle's time.
    """

    place: Place
    arrived_us: int
    left_us: int
    stayed_s: float


class Orders:
    """Orders to one vehicle, and what limits them. Nothing is sent that was not looked at first.

    A place is refused, before anything is sent, where it or the straight way to it leaves the fence that the vehicle
    was proved to hold, comes within stand-off and margin of a border or beyond it, enters a zone, or lies above the
    ceiling. A vehicle without a proved fence is sent nowhere unless borders are given, and nowhere at all without a
    ceiling.

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
        What it keeps beyond a stand-off and off its fence: that of the plan it flies; by default that of its form.
    turn_radius_m
        Radius over the ground of the turns of wings in the wind, metres, that of the plan they fly; by default that of
        their own circle. On it they are followed when they go on with their mission.
    """

    def __init__(
        self,
        vehicle: Vehicle,
        *,
        borders: Sequence[BorderSegment] = (),
        zones: Sequence[Zone] = (),
        ceiling_m: float | None = None,
        lowest_m: float = _LOWEST_M,
        clearance: Clearance | None = None,
        turn_radius_m: float = 0.0,
    ) -> None:
        self.vehicle = vehicle
        self._guard = OrderGuard(
            vehicle,
            tuple(borders),
            tuple(zones),
            ceiling_m,
            lowest_m,
            clearance=clearance,
            turn_radius_m=turn_radius_m,
        )

    async def area(self) -> FlightArea:
        """Where the vehicle may be sent, by what it holds and says now; raises as `OrderGuard.area`."""
        return await self._guard.area()

    async def check(self, place: Place, *, radius_m: float | None = None) -> float:
        """Whether it may be sent to a place, and the radius of its circle there; as `OrderGuard.check`."""
        return await self._guard.check(place, radius_m=radius_m)

    def here(self) -> Place:
        """Where it is; as `OrderGuard.here`."""
        return self._guard.here()

    async def turn_m(self, radius_m: float | None = None, place: Place | None = None) -> float:
        """Radius on which it turns and circles where one is asked for, metres; as `OrderGuard.turn_m`."""
        return await self._guard.turn_m(radius_m, place)

    async def take_off(self, above_home_m: float) -> None:
        """From ready on the ground straight up to a height, and stay there.

        Parameters
        ----------
        above_home_m
            Height above home, metres.

        Raises
        ------
        FlightError
            When it cannot rise straight up, or does not get there.
        NotReadyError
            When it is in the air or armed already, not ready, or what it holds is not known.
        PlaceError
            When it may not be there.
        CommandError
            When a step is refused; with the pre-arm reasons.
        """
        vehicle = self.vehicle
        # ArduPilot's VTOL planes call themselves that too.
        if self._guard.kind == mav.MAV_TYPE_FIXED_WING:
            raise FlightError(f"{vehicle}: wings do not rise straight up: let it take off by a mission")
        if vehicle.telemetry.armed is not False:
            raise NotReadyError(f"{vehicle}: is armed already, or has not said that it is not: land and disarm it")
        reasons = vehicle.telemetry.not_ready()
        if reasons:
            raise NotReadyError(f"{vehicle}: not ready to arm: {', '.join(reasons)}")
        here = self._guard.here()
        (await self._guard.area()).check(here, Place(here.lat_deg, here.lon_deg, above_home_m))
        for step in vehicle.dialect.orders.take_off:
            if step.kind is StepKind.MODE:
                await vehicle.set_mode(str(step.value))
            elif step.kind is StepKind.ARM:
                await self._arm()
            else:
                _, z = order_height(vehicle.telemetry, vehicle.dialect, above_home_m)
                unset = math.nan if vehicle.dialect.accepts_nan else 0.0
                await rise(vehicle, int(step.value), 0.0, 0.0, 0.0, unset, unset, unset, z)
        there = await vehicle.wait_until(
            lambda t: t.above_home_m is not None and t.above_home_m >= above_home_m - 1.0,
            above_home_m / _CLIMB_M_S + _SLACK_S,
        )
        if there is None:
            raise FlightError(
                f"{vehicle}: was to take off to {above_home_m:g} m and is at {_height(vehicle.telemetry)} in mode "
                f"{vehicle.telemetry.mode}: look at it, land it"
            )

    async def _arm(self) -> None:
        """What it holds may have changed since its upload: proved once more, as before a mission."""
        if self.vehicle.held(MissionKind.FENCE) or self.vehicle.held(MissionKind.MISSION):
            await self.vehicle.prove()
        await self.vehicle.arm()

    async def go_to(self, place: Place, *, radius_m: float | None = None) -> float:
        """Fly straight to a place and stay there, in the air; returns once the vehicle is on its way.

        Its mission waits: `resume` goes on with it.

        Parameters
        ----------
        place, radius_m
            As for `check`.

        Returns
        -------
        float
            Radius on which it circles there, metres; 0 where it stops in the air.

        Raises
        ------
        AutopilotError
            As `check` does, before anything is sent; then CommandError when it is refused.
        """
        # The values as they travel are the ones that are looked at.
        place = Place(round(place.lat_deg, 7), round(place.lon_deg, 7), place.above_home_m)
        turn_m = await self._guard.check(place, radius_m=radius_m)
        await self.go_unchecked(place, turn_m)
        return turn_m

    async def go_unchecked(self, place: Place, turn_m: float = 0.0) -> None:
        """As `go_to`, for who has looked at the way and the place by rules of their own.

        Raises CommandError when it is refused, and NotReadyError where the vehicle has not said how high it is.
        """
        vehicle, ways = self.vehicle, self.vehicle.dialect.orders
        frame, z = order_height(vehicle.telemetry, vehicle.dialect, place.above_home_m)
        await vehicle.command_int(
            mav.MAV_CMD_DO_REPOSITION,
            -1.0,
            float(mav.MAV_DO_REPOSITION_FLAGS_CHANGE_MODE),
            turn_m / self._guard.wider(place),
            ways.no_heading,
            frame=frame,
            x=round(place.lat_deg * 1e7),
            y=round(place.lon_deg * 1e7),
            z=z,
        )
        if await vehicle.wait_until(lambda t: t.mode == ways.guided_mode, _MODE_S) is None:
            raise CommandError(
                f"{vehicle}: accepted a place to fly to and stays in mode {vehicle.telemetry.mode}: look at its texts"
            )

    async def loiter(
        self,
        place: Place,
        for_s: float,
        *,
        radius_m: float | None = None,
        look: bool = True,
        then_resume: bool = False,
    ) -> Loiter:
        """Go over a place, such as a cue, look at the ground there, stay, and go on with the mission if wanted.

        Parameters
        ----------
        place
            Where to stay; what is looked at lies below it, as high as home.
        for_s
            How long, seconds of the vehicle's time from its arrival.
        radius_m
            As for `check`.
        look
            Whether the camera is kept on the place; it looks ahead again afterwards.
        then_resume
            Whether to `resume` its mission afterwards; else it stays in the air where it is.

        Raises
        ------
        FlightError
            When it does not get there, falls silent, or somebody or a failsafe gives it another mode.
        AutopilotError
            As `go_to` and `resume` do.
        """
        if not (math.isfinite(for_s) and for_s >= 0):
            raise PlaceError(f"{place}: to stay for {for_s} s: give a number of seconds")
        vehicle = self.vehicle
        turn_m = await self.go_to(place, radius_m=radius_m)
        if look:
            await look_at(vehicle, place.lat_deg, place.lon_deg)
        near_m = turn_m + _BESIDE_M if turn_m else _THERE_M
        far_m = _away_m(vehicle.telemetry, place)
        await self._until(
            lambda _: self._is_at(place, near_m),
            far_m / _FLY_M_S + abs(place.above_home_m) / _CLIMB_M_S + _SLACK_S,
            f"is not at {place}",
        )
        arrived_us = vehicle.telemetry.time_us
        stayed_s = await self._until(lambda elapsed: elapsed >= for_s, math.inf, "")
        left_us = vehicle.telemetry.time_us
        if look:
            await look_ahead(vehicle)
        if then_resume:
            await self.resume()
        return Loiter(place, arrived_us, left_us, stayed_s)

    def _is_at(self, place: Place, near_m: float) -> bool:
        now = self.vehicle.telemetry
        return (
            now.above_home_m is not None
            and abs(now.above_home_m - place.above_home_m) <= _THERE_M
            and _away_m(now, place) <= near_m
        )

    async def _until(self, done: Callable[[float], bool], patience_s: float, what: str) -> float:
        """Watch the vehicle until `done` of the seconds since; those seconds of its time. Raises FlightError."""
        vehicle = self.vehicle
        guided = vehicle.dialect.orders.guided_mode
        wall = asyncio.get_running_loop().time
        clock = FlightClock(vehicle.timing.time_scale, wall())
        elapsed = clock.elapsed_s(vehicle.telemetry.vehicle_s, wall())
        while not done(elapsed):
            if elapsed > patience_s:
                raise FlightError(f"{vehicle}: {what} after {elapsed:.0f} s: look at it")
            now = await vehicle.wait_until(lambda t: t.mode != guided or t.armed is False, 0.0, wall_s=_LOOK_WALL_S)
            if now is not None:
                state = "disarmed" if now.armed is False else f"was put in mode {now.mode}"
                raise FlightError(f"{vehicle}: {state} on its way to a place or over it: it is left to that")
            self._guard.here()
            elapsed = clock.elapsed_s(vehicle.telemetry.vehicle_s, wall())
        return elapsed

    async def jump(self, seq: int) -> None:
        """Go on at another item of the mission, its speed and camera commands said again.

        Parameters
        ----------
        seq
            Number of the item; home, where it is item 0, is none.

        Raises
        ------
        FlightError
            When the mission has no such item.
        PlaceError
            In the air: when the straight way to the item's place is not free, or wings would leave what limits them
            in the turn there; with the next item that can be joined at.
        CommandError
            When it is refused, or the vehicle stays at another item.
        NotReadyError
            When what it holds is not known.
        """
        vehicle = self.vehicle
        items = self._mission()
        first = 1 if vehicle.dialect.home_is_item_0 else 0
        if not first <= seq < len(items):
            raise FlightError(f"{vehicle}: its mission has items {first} to {len(items) - 1} and no item {seq}")
        flying = vehicle.telemetry.armed is True and vehicle.telemetry.landed is not True
        if flying:
            await self._guard.check_way_to_item(items, seq)
        # Of a command that is no place the vehicle says the next place.
        nexts = range(seq, next((i.seq for i in items[seq:] if _is_navigation(i)), seq) + 1)
        await (self._ask_for_item if vehicle.dialect.orders.jumps_by_message else self._command_item)(seq, nexts)
        if flying:
            await say_again(vehicle)

    async def _command_item(self, seq: int, nexts: range) -> None:
        vehicle = self.vehicle
        await vehicle.command(mav.MAV_CMD_DO_SET_MISSION_CURRENT, float(seq))
        if await vehicle.wait_until(lambda t: t.item in nexts, _MODE_S) is None:
            raise CommandError(
                f"{vehicle}: accepted item {seq} and stays at item {vehicle.telemetry.item}: look at its texts"
            )

    async def _ask_for_item(self, seq: int, nexts: range) -> None:
        """A message has no acknowledgement: MISSION_CURRENT is the answer."""
        vehicle = self.vehicle
        message = mav.MAVLink_mission_set_current_message(vehicle.sysid, vehicle.component, seq)
        for _ in range(_TRIES):
            vehicle.link.send(message, vehicle.sysid)
            wall_s = vehicle.timing.retry_s(_RETRY_S)
            if await vehicle.wait_until(lambda t: t.item in nexts, 0.0, wall_s=wall_s) is not None:
                return
        raise CommandError(
            f"{vehicle}: was asked for item {seq} {_TRIES} times and stays at item {vehicle.telemetry.item}: look at "
            "its texts"
        )

    async def resume(self) -> None:
        """Go on with the mission from where the vehicle is, its speed and camera commands said again.

        Wings that circle go on for up to one round more, until they head where the way back is free.

        Raises
        ------
        PlaceError
            When the straight way to the place that it left off for is not free, or wings would leave what limits them
            in the turn there; with the next item that can be joined at. It stays where it is: `jump` there and go on,
            or send it home.
        NotReadyError
            When what it holds, or which item is its next, is not known.
        CommandError
            When it is refused; or some of the commands are, and it flies on all the same.
        """
        items = self._mission()
        item = self.vehicle.telemetry.item
        if item is None:
            raise NotReadyError(f"{self.vehicle}: has not said which item of its mission is the next: wait for it")
        await self._guard.check_way_to_item(items, item, waits=True)
        await self.vehicle.resume()

    def _mission(self) -> tuple[MissionItem, ...]:
        items = self.vehicle.held(MissionKind.MISSION)
        if not items:
            raise NotReadyError(f"{self.vehicle}: holds no mission that was proved by read-back: upload it first")
        return items


def _is_navigation(item: MissionItem) -> bool:
    return bool(item.command < mav.MAV_CMD_NAV_LAST)


def _away_m(now: Telemetry, place: Place) -> float:
    if now.lat_deg is None or now.lon_deg is None:
        return math.inf
    return float(geodesic_distance_m(now.lat_deg, now.lon_deg, place.lat_deg, place.lon_deg))


def _height(now: Telemetry) -> str:
    return "an unknown height" if now.above_home_m is None else f"{now.above_home_m:.1f} m"
