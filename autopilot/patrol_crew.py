"""One vehicle through its shift: flights at their times, fresh batteries between, out of the patrol when it fails."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import ClassVar

from autopilot.cue import Standing
from autopilot.errors import AutopilotError, FlightError
from autopilot.flight_log import sortie_log
from autopilot.homecoming import bring_down
from autopilot.journal import Flown
from autopilot.limits import FlightLimits
from autopilot.link import Link
from autopilot.orders import Orders
from autopilot.patrol_piloted import PilotedConduct
from autopilot.patrol_report import PatrolFlight, PatrolVehicle
from autopilot.patrol_states import ALOFT, Happening, State
from autopilot.report import SortieReport
from autopilot.shift import Shift
from autopilot.sortie import Sortie
from autopilot.station import connected
from autopilot.timetable import Turn
from autopilot.vehicle import Vehicle
from autopilot.watch import FlightWatch
from missions import Mission, MissionsError, clearance_of
from missions import Vehicle as PlannedVehicle

__all__ = ["Crew", "LastFlight"]

_FULL_PERCENT = 97.0  # a gauge that stops short of 100 must not keep a vehicle on the ground
_RISEN_PERCENT = 2.0
_HEARD_S = 3.0
_PREPARED_S = 60.0  # check, upload, proof and sensors, about


@dataclass(frozen=True, slots=True)
class LastFlight:
    """The flight that a vehicle had when the ground station before this one was lost, and what it had reached of it."""

    turn: Turn | None
    took_off_s: float | None
    reached: frozenset[int]


class Crew:
    """One vehicle of a patrol.

    Parameters
    ----------
    shift, planned, url, link
        The shift, which vehicle, and its link or why that did not open.
    lost
        Called when the patrol has to do without it.

    Attributes
    ----------
    vehicle
        Once it is connected.
    conduct
        Of its flight in progress.
    free_s
        When it may take off again as far as is known, seconds of the shift.
    makes
        Kind of conduct that its flights have.
    """

    makes: ClassVar[type[PilotedConduct]] = PilotedConduct

    def __init__(
        self,
        shift: Shift,
        planned: PlannedVehicle,
        url: str,
        link: Link | AutopilotError,
        *,
        lost: Callable[[int, str], None],
    ) -> None:
        self.shift, self.planned, self.url = shift, planned, url
        self._link, self._lost = link, lost
        self.vehicle: Vehicle | None = None
        self.conduct: PilotedConduct | None = None
        self.free_s = 0.0
        self.flights: list[PatrolFlight] = []
        self.failure: str | None = None

    @property
    def sysid(self) -> int:
        """Its system id."""
        return self.planned.sysid

    @property
    def state(self) -> State:
        """What it does."""
        return self.shift.duties[self.sysid].state

    def report(self) -> PatrolVehicle:
        """What came of it."""
        packets = self._link.statistics(self.sysid) if isinstance(self._link, Link) else None
        changes = tuple(self.shift.changes[self.sysid])
        return PatrolVehicle(self.sysid, self.url, changes, tuple(self.flights), self.failure, packets)

    def standing(self) -> Standing:
        """How it stands when a cue comes."""
        shift, duty, one = self.shift, self.shift.duties[self.sysid], self.planned
        if self.vehicle is None:
            return Standing(one, unfit="was not heard yet")
        now, conduct = self.vehicle.telemetry, self.conduct
        here = None if now.lat_deg is None or now.lon_deg is None else (now.lat_deg, now.lon_deg)
        if self.state is State.FAULT:
            # It flies home, where it was sent or not.
            up = now.armed is not False
            return Standing(one, f"is {self.state}", airborne=up, here=here, above_base_m=now.above_home_m or 0.0)
        if duty.silent and not duty.aloft:
            return Standing(one, unfit="is not heard")
        battery = None if now.battery_percent is None else now.battery_percent / 100
        if duty.aloft:
            # One that is not heard may be where it was last, or where it was sent.
            fit = conduct is not None and conduct.free_for_errand
            north, east, _ = now.velocity_ned_m_s or (0.0, 0.0, 0.0)
            return Standing(
                one,
                unfit=None if fit else "is not heard" if duty.silent else f"is {self.state}",
                airborne=True,
                here=here,
                above_base_m=now.above_home_m or 0.0,
                battery=battery,
                fence=() if conduct is None else conduct.fence,
                sortie=None if conduct is None else conduct.sortie,
                stays=None if conduct is None else conduct.stays,
                stays_m=0.0 if conduct is None else conduct.stays_m,
                rally=() if conduct is None else conduct.rally,
                velocity_m_s=(east, north),
            )
        if self.state in {State.CHECKING, State.READY} and conduct is not None and conduct.took_off_s is not None:
            to_cue = conduct.sortie if conduct.flown.number < 0 else None
            return Standing(one, unfit="takes off at this moment", sortie=to_cue)
        if self.state is State.SWAPPING:
            battery = 1.0  # it gets a fresh one
        turn = shift.timetable.ordered(self.sysid)
        to_cue = None if turn is None else turn.sortie
        return Standing(
            one, battery=battery, ready_s=max(self.free_s - shift.now_s(), 0.0) + _PREPARED_S, sortie=to_cue
        )

    async def work(self, last: LastFlight | None = None) -> None:
        """Fly the shift; after a station that is gone, go on from `last`. What goes wrong is in the report."""
        try:
            if last is not None:
                await self._guarded(self._pick_up(last))
            elif self._next() is None:
                # Who is heard early can be sent to a cue; who is not is missed when its flight is due.
                with contextlib.suppress(AutopilotError):
                    await self._connect()
            while not self.shift.over:
                turn = self._next()
                if turn is None:
                    await self.shift.wait()
                else:
                    await self._guarded(self._serve(turn))
            if self.state in {State.WAITING, State.SWAPPING}:
                self.shift.tell(self.sysid, Happening.OVER)
        finally:
            if self.vehicle is not None:
                self.vehicle.close()

    async def _guarded(self, work: Awaitable[None]) -> None:
        """Do something with the vehicle; a fault with one must not end the watch over the others."""
        self.shift.busy.add(self.sysid)
        try:
            await work
        except AutopilotError as error:
            self.fail(str(error))
        except Exception as error:  # noqa: BLE001  whatever it is
            self.fail(f"vehicle {self.sysid} on {self.url}: given up for a fault in this program, {error!r}: report it")
        finally:
            self.shift.busy.discard(self.sysid)
            self._ended()

    def _ended(self) -> None:
        """Its flight is over, and so is what was ordered of it."""
        if self.conduct is not None:
            self.conduct.close()
            if not self.conduct.withdrawn:
                self.conduct.leave("its flight has ended")
        self.conduct = None
        self.shift.pulse()

    def fail(self, cause: str) -> None:
        """It is out of the patrol until a person says otherwise."""
        if self.state is State.FAULT or (self.shift.stopped and self.state not in ALOFT):
            return
        self.failure = cause
        self.shift.tell(self.sysid, Happening.FAILED, cause)
        self._lost(self.sysid, cause)

    def _next(self) -> Turn | None:
        """The flight that it is time to prepare, if any."""
        shift = self.shift
        if self.state not in {State.WAITING, State.DONE}:
            return None
        now_s = shift.now_s()
        turn = shift.timetable.next_of(self.sysid, now_s)
        if turn is None:
            return None
        due_s = max(shift.timetable.earliest_s(turn, now_s), self.free_s)
        return turn if due_s - shift.lead_s <= now_s else None

    async def _connect(self) -> Vehicle:
        if isinstance(self._link, AutopilotError):
            raise self._link
        if self.vehicle is None:
            self.vehicle = await connected(self._link, self.sysid, self.shift.flight)
        elif self.flights:
            await self._heard_again(self.vehicle)
        return self.vehicle

    async def _heard_again(self, vehicle: Vehicle) -> None:
        """Wait for one whose battery was changed, and ask for its telemetry: without power it forgets that."""
        shift = self.shift
        until_s = shift.now_s() + shift.flight.limits.turnaround_s
        while vehicle.silent_s > vehicle.timing.retry_s(_HEARD_S):
            if shift.now_s() > until_s or shift.stopped:
                raise FlightError(f"{vehicle}: was not heard for {vehicle.silent_s:.0f} s on the ground: look at it")
            await shift.wait()
        await vehicle.request_streams()

    async def _serve(self, turn: Turn) -> None:
        """A flight, from its checks to a fresh battery."""
        shift = self.shift
        shift.tell(self.sysid, Happening.DUE, sortie=turn.sortie.name, flown=Flown(turn.plan, turn.number))
        try:
            vehicle = await self._connect()
            mission = await shift.mission_of(turn)
        except MissionsError as error:
            raise FlightError(f"{turn.sortie.name}: has no mission: {error}") from error
        conduct = self._conducted(turn, vehicle, mission)
        async with self._log(vehicle):
            done = await self._sortie(turn, vehicle, mission, conduct).fly()
        await self._settle(turn, conduct, done)

    def _conducted(
        self, turn: Turn, vehicle: Vehicle, mission: Mission, took_off_s: float | None = None
    ) -> PilotedConduct:
        plan = self.shift.plans[turn.plan]
        # The law's ceiling is above the ground, an order's above home: hills under the sortie count.
        hills_m = max(leg.end.ground_amsl_m for leg in turn.sortie.legs) - turn.sortie.home.ground_amsl_m
        ceiling_m = plan.options.ceiling_agl_m + hills_m
        craft, wind = turn.sortie.vehicle.aircraft, plan.options.wind
        orders = Orders(
            vehicle,
            borders=plan.borders,
            zones=plan.blocking_zones(),
            ceiling_m=ceiling_m,
            clearance=clearance_of(craft, wind),
            turn_radius_m=craft.turn_radius_in(wind) if craft.has_wings else 0.0,
        )
        self.conduct = self.makes(
            self.shift, turn, vehicle, mission, failed=self.fail, orders=orders, took_off_s=took_off_s
        )
        return self.conduct

    def _log(self, vehicle: Vehicle) -> AbstractAsyncContextManager[None]:
        flight = self.shift.flight
        return sortie_log(vehicle.link, self.sysid, len(self.flights) + 1, flight.log_dir, flight.notes)

    def _sortie(self, turn: Turn, vehicle: Vehicle, mission: Mission, conduct: PilotedConduct) -> Sortie:
        flight = self.shift.flight
        number = len(self.flights) + 1
        flight = replace(flight, limits=_limits_for(turn, flight.limits))
        return Sortie(vehicle, mission, number, number, flight, conduct=conduct)

    async def _settle(self, turn: Turn, conduct: PilotedConduct, done: SortieReport) -> None:
        """It is down, or never left: note it, and give it a fresh battery."""
        shift = self.shift
        if conduct.took_off_s is not None and done.started_us is None:
            shift.timetable.came_to_nothing(turn)
            conduct.took_off_s = None
        if conduct.withdrawn:
            shift.tell(self.sysid, Happening.WITHDRAWN)
            return
        landed_s = shift.now_s()
        self.flights.append(
            PatrolFlight(
                turn.plan,
                turn.number,
                turn.sortie.name,
                self.sysid,
                turn.start_s,
                conduct.took_off_s,
                conduct.on_task_s,
                landed_s if done.landing is not None else None,
                conduct.early,
                done,
            )
        )
        if self.state in ALOFT:
            shift.tell(self.sysid, Happening.LANDED, flown=conduct.flown)
            await self._swap()

    async def _swap(self) -> None:
        """Until its battery is changed: by its gauge, or by the time that the plan gives it."""
        shift, vehicle = self.shift, self.vehicle
        assert vehicle is not None
        self.free_s = shift.now_s() + self.planned.aircraft.turn_round_s
        before = vehicle.telemetry.battery_percent
        while shift.now_s() < self.free_s and not shift.over:
            now = vehicle.telemetry.battery_percent
            if before is not None and now is not None and now >= before + _RISEN_PERCENT and now >= _FULL_PERCENT:
                break
            before = now if before is None or (now is not None and now < before) else before
            await shift.wait(self.free_s)
        self.free_s = shift.now_s()
        if not shift.stopped:
            shift.tell(self.sysid, Happening.SWAPPED)

    async def _pick_up(self, last: LastFlight) -> None:
        """After a station that is gone: what is in the air is watched on, what is down goes on with the schedule."""
        shift = self.shift
        if self.state is State.FAULT:
            return
        vehicle = await self._connect()
        if await vehicle.wait_until(lambda t: t.armed is not None, 5.0) is None:
            raise FlightError(f"{vehicle}: does not say whether it is armed: look at it")
        if not vehicle.telemetry.armed:
            if self.state in {State.CHECKING, State.READY}:
                shift.tell(self.sysid, Happening.WITHDRAWN, "the ground station was started anew")
            elif self.state in ALOFT:
                shift.tell(self.sysid, Happening.LANDED, "it landed while nobody watched")
            if self.state is State.SWAPPING:
                await self._swap()
            return
        turn = last.turn
        if self.state not in {*ALOFT, State.READY}:
            raise FlightError(f"{vehicle}: is armed and no flight of this patrol: whoever flies it has to land it")
        if turn is None:
            raise FlightError(f"{vehicle}: flew what the journal has no mission of: {await self._home(vehicle)}")
        took_off_s = round(shift.now_s(), 3) if last.took_off_s is None else last.took_off_s
        if self.state is State.READY:
            shift.timetable.took_off(turn, took_off_s)
            shift.tell(self.sysid, Happening.LAUNCHED, flown=Flown(turn.plan, turn.number, took_off_s))
        mission = await shift.mission_of(turn)
        conduct = self._conducted(turn, vehicle, mission, took_off_s)
        async with self._log(vehicle):
            done = await self._sortie(turn, vehicle, mission, conduct).take_over(last.reached)
        await self._settle(turn, conduct, done)

    async def _home(self, vehicle: Vehicle) -> str:
        """Bring home what flies a mission that is not known; what came of it, in words."""
        flight = self.shift.flight
        nothing = Mission("not known", self.shift.dialect, (), (), ())
        watch = FlightWatch(nothing, vehicle.dialect.mission_mode, flight.borders, vehicle.telemetry.boots)
        stop = vehicle.listen(watch.take)
        try:
            limits = flight.limits
            return await bring_down(vehicle, watch, patience_s=limits.home_s, lost_s=limits.lost_s)
        finally:
            stop()


def _limits_for(turn: Turn, limits: FlightLimits) -> FlightLimits:
    """Limits with the charge that a flight takes, reserve included."""
    craft = turn.vehicle.aircraft
    needed = 100 * (turn.sortie.energy_wh / craft.battery_wh + craft.reserve_fraction)
    return replace(limits, battery_percent=max(limits.battery_percent, min(needed, _FULL_PERCENT)))
