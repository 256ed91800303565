"""One sortie of one vehicle, from upload to disarming."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from autopilot.climbs import check_climbs
from autopilot.conduct import Conduct
from autopilot.errors import STATE_WORDS, AutopilotError, CommandError, FlightError, NotReadyError, VehicleState
from autopilot.failsafe import check_link_loss, check_low_battery
from autopilot.ground_station import check_ground_station, twin_words
from autopilot.home_watch import HomeWatch, check_home, moves_home
from autopilot.homecoming import bring_down, where
from autopilot.limits import FlightLimits, FlightProgress
from autopilot.preflight import check_vehicle, enable_fence
from autopilot.report import SortieReport
from autopilot.returning import check_return
from autopilot.runway import check_heading, land_by_mission
from autopilot.speeds import check_speeds
from autopilot.steadfast import to_the_end, unless
from autopilot.tampering import Tampering
from autopilot.termination import check_termination
from autopilot.terrain_wait import await_ground, request_terrain
from autopilot.timing import FlightClock, Timing
from autopilot.transfer import Verified
from autopilot.vehicle import Vehicle
from autopilot.watch import BorderWatch, FlightWatch, places
from autopilot.words import MissionKind
from missions import Mission, Wind

__all__ = ["Flight", "Sortie"]

_LOOK_WALL_S = 0.25
_SILENT_S = 10.0
_BLIND_S = 10.0  # without a new position nobody sees it cross a line
_HEARD_S = 3.0  # its heartbeats come once a second
_ASK_AGAIN_S = 3.0
_START_S = 60.0
_LAST_ORDER_S = 60.0


@dataclass(frozen=True, slots=True)
class Flight:
    """What all vehicles of a flight share."""

    timing: Timing
    limits: FlightLimits
    borders: BorderWatch | None
    progress: Callable[[FlightProgress], None]
    stop: asyncio.Event
    ground: bool = False
    """Whether we are the ground station."""
    log_dir: Path | None = None
    has_terrain: bool = False
    """Whether vehicles that ask for heights of the ground are answered."""
    notes: list[str] = field(default_factory=list)
    """What a person has to know of the logs, and of ground that is not known."""
    met: Callable[[Vehicle], None] | None = None
    """Handed each vehicle once it is connected."""
    wind: Wind = field(default_factory=Wind)
    """The wind that it was planned for."""
    ceiling_agl_m: float | None = None
    """The ceiling that it was planned for, metres above the ground."""


class Sortie:
    """One sortie of one vehicle, from upload to disarming.

    Parameters
    ----------
    vehicle, mission
        Who flies what.
    number, planned
        Its number among the sorties of the vehicle, from 1, and how many there are.
    flight
        What it shares with the others.
    conduct
        Asked at its steps; by default it sets off as soon as it can.
    """

    def __init__(
        self,
        vehicle: Vehicle,
        mission: Mission,
        number: int,
        planned: int,
        flight: Flight,
        *,
        conduct: Conduct | None = None,
    ) -> None:
        self._vehicle = vehicle
        self._conduct = conduct or Conduct()
        self._mission = mission
        self._number = number
        self._planned = planned
        self._flight = flight
        self._watch = FlightWatch(mission, vehicle.dialect.mission_mode, flight.borders, vehicle.telemetry.boots)
        self._uploads: tuple[Verified, ...] = ()
        self._asked_s = self._unheard_s = -1e9
        self._strangers: set[str] = set()
        self._moves = vehicle.link.moves(vehicle.sysid)
        self._tampering: Tampering | None = None
        self._home: HomeWatch | None = None
        self._unwatched: Callable[[], None] = lambda: None

    async def fly(self) -> SortieReport:
        """Fly it; what goes wrong is in the report."""
        return await self._done(self._set_off())

    async def take_over(self, reached: Collection[int]) -> SortieReport:
        """Follow one that is in the air with this mission already, after a ground station that is gone.

        Nothing is uploaded and nothing armed. One whose lists do not read back as this mission is brought home.

        Parameters
        ----------
        reached
            Items that it is known to have reached.
        """
        return await self._done(self._recognise(reached))

    async def _done(self, begin: Coroutine[Any, Any, None]) -> SortieReport:
        vehicle, watch = self._vehicle, self._watch
        stop = vehicle.listen(watch.take)
        deaf = vehicle.link.on_event(lambda event: watch.note(vehicle.telemetry, str(event)))
        try:
            failure = await self._flown(begin)
        except asyncio.CancelledError:
            await to_the_end(self._come_down(_LAST_ORDER_S, follow=False))
            raise
        finally:
            stop()
            deaf()
            self._unwatched()
        return self._report(failure)

    async def _flown(self, begin: Coroutine[Any, Any, None]) -> str | None:
        """What went wrong, once it is down again or out of reach."""
        try:
            await unless(self._flight.stop, begin)
            self._check_stop()
            await self._follow()
            self._judge()
            self._stage("landed")
        except AutopilotError as error:
            cause = str(error)
        except Exception as error:  # noqa: BLE001  a fault of this program must not leave a vehicle in the air
            cause = f"{self._vehicle}: given up for a fault in this program, {error!r}: report it"
        else:
            return None
        self._conduct.off(cause)
        outcome = await self._come_down(self._flight.limits.home_s, follow=True)
        return f"{cause}; {outcome}" if outcome else cause

    async def _set_off(self) -> None:
        await self._prepare()
        await self._conduct.turn(self._watch)
        await self._start()

    async def _recognise(self, reached: Collection[int]) -> None:
        vehicle, watch = self._vehicle, self._watch
        # From here on it is ours to bring down.
        vehicle.arm_ordered = True
        self._stage("take over")
        if await vehicle.wait_until(lambda _: watch.was_armed, _START_S) is None:
            raise FlightError(f"{vehicle}: was to be taken over in the air and is not armed: it has landed meanwhile")
        await vehicle.recognise(self._mission, progress=self._stage)
        self._keep_watch(set_up=False)
        watch.take_over(vehicle.telemetry, reached)

    def _keep_watch(self, *, set_up: bool) -> Tampering:
        """From now on nobody else may take away what was proved."""
        self._unwatched()
        kept = self._tampering = Tampering(self._vehicle, self._watch, fenced=bool(self._mission.fence), set_up=set_up)
        self._unwatched = self._vehicle.listen(kept.take)
        self._home = None if moves_home(self._mission) else HomeWatch(self._vehicle, self._watch)
        return kept

    def _check_stop(self) -> None:
        if self._flight.stop.is_set():
            raise FlightError(f"{self._vehicle}: the flight was stopped: start it again to fly the rest")

    async def _come_down(self, patience_s: float, *, follow: bool) -> str:
        """After a failure: what we ordered to arm is brought down; what others fly is not ours."""
        vehicle, watch = self._vehicle, self._watch
        if not vehicle.arm_ordered or watch.ended:
            return ""
        if vehicle.telemetry.armed is not True:
            # The order may be on its way still.
            with contextlib.suppress(AutopilotError):
                await vehicle.disarm()
        return await bring_down(vehicle, watch, patience_s=patience_s, lost_s=self._flight.limits.lost_s, follow=follow)

    def _stage(self, stage: str, done: int = 0, total: int = 0) -> None:
        self._flight.progress(FlightProgress(self._vehicle.sysid, self._number, self._planned, stage, done, total))

    def _repaired(self, kind: MissionKind, state: VehicleState) -> None:
        self._watch.note_failure(self._vehicle.telemetry, f"upload of the {kind} broke off; {STATE_WORDS[state]}")

    async def _prepare(self) -> None:
        vehicle, mission = self._vehicle, self._mission
        vehicle.arm_ordered = False
        if vehicle.telemetry.armed:
            raise FlightError(f"{vehicle}: is armed already: land and disarm it before it is given a mission")
        self._stage("check")
        await check_vehicle(vehicle, mission)
        if self._flight.ground:
            unsure = await check_ground_station(vehicle)
            if unsure is not None and self._number == 1:
                self._watch.note(vehicle.telemetry, unsure)
        await self._check_failsafes()
        self._uploads = await vehicle.upload(mission, progress=self._stage, repaired=self._repaired)
        if not mission.fence:
            own = vehicle.fence_items
            held = (
                f"the vehicle keeps its own of {own} items"
                if own
                else "the vehicle has none: nothing turns it by itself"
            )
            self._watch.note(vehicle.telemetry, f"the mission has no fence, and {held}")
        if self._flight.has_terrain:
            await request_terrain(vehicle)
        stage = partial(self._stage, "terrain")
        await await_ground(vehicle, mission, self._flight.limits.ready_s, stage)
        # Before it is waited for: with a landing sequence and without this ArduPlane is never ready.
        await land_by_mission(vehicle, mission)
        self._stage("ready")
        await vehicle.wait_ready(self._flight.limits.ready_s)
        # By then it is known how high it stands, and how thin the air is there.
        for other in (*await check_speeds(vehicle, mission), *await check_climbs(vehicle, mission, self._flight.wind)):
            self._watch.note(vehicle.telemetry, other)
        twin = twin_words(vehicle.link)
        if twin is not None and self._number == 1:
            self._watch.note(vehicle.telemetry, twin)
        limits = self._flight.limits
        charged = await vehicle.wait_until(
            lambda t: t.battery_percent is None or t.battery_percent >= limits.battery_percent, limits.turnaround_s
        )
        if charged is None:
            raise NotReadyError(
                f"{vehicle}: battery at {vehicle.telemetry.battery_percent:g} % after {limits.turnaround_s:g} s, "
                f"{limits.battery_percent:g} % is needed: change it"
            )
        await self._fence_and_return()
        check_heading(vehicle, mission)

    async def _fence_and_return(self) -> None:
        vehicle, mission, flight = self._vehicle, self._mission, self._flight
        if mission.fence:
            await enable_fence(vehicle, mission, ceiling_m=flight.limits.ceiling_m)
        for high in await check_return(vehicle, mission, flight.ceiling_agl_m):
            self._watch.note(vehicle.telemetry, high)

    async def _check_failsafes(self) -> None:
        """Said before take-off; that it does not come home by itself is noted once for all its sorties."""
        vehicle, watch = self._vehicle, self._watch
        ground, radio = await check_link_loss(vehicle)
        battery = await check_low_battery(vehicle)
        ends = await check_termination(vehicle, self._mission)
        self._conduct.unheard(ground.words)
        words = (ground.words, radio.words, battery.words, *ends)
        for one in words:
            watch.tell(vehicle.telemetry, one)
        if self._number == 1:
            self._flight.progress(FlightProgress(vehicle.sysid, 1, self._planned, "check", text="; ".join(words)))
            for one in (*(each.words for each in (ground, battery) if not each.returns), *ends):
                watch.note(vehicle.telemetry, one)

    async def _prove(self) -> None:
        """Right before arming: minutes may lie between the upload and here, and others may speak to the vehicle."""
        self._stage("prove")
        if self._mission.fence:
            await enable_fence(self._vehicle, self._mission, ceiling_m=self._flight.limits.ceiling_m)
        await land_by_mission(self._vehicle, self._mission)
        check_heading(self._vehicle, self._mission)
        if not self._vehicle.dialect.homes_at_arming:
            await check_home(self._vehicle)
        await self._vehicle.prove(progress=self._stage)
        kept = self._keep_watch(set_up=True)
        await self._conduct.clear(self._watch)
        kept.look()

    async def _homed(self) -> None:
        """Arming may have moved its home, as it should; from now on nobody does."""
        await check_home(self._vehicle)
        if self._home is not None:
            self._home = HomeWatch(self._vehicle, self._watch)

    async def _start(self) -> None:
        vehicle, watch = self._vehicle, self._watch
        self._stage("start")
        homed = self._homed if vehicle.dialect.homes_at_arming else None
        await vehicle.start_mission(before_arming=self._prove, once_armed=homed)
        if await vehicle.wait_until(lambda _: watch.airborne or watch.ended, _START_S) is None:
            raise FlightError(f"{vehicle}: the mission started and it did not take off in {_START_S:g} s: look at it")

    async def _follow(self) -> None:
        """Until it has disarmed. Raises FlightError where it must not go on."""
        vehicle, watch, limits = self._vehicle, self._watch, self._flight.limits
        wall = asyncio.get_running_loop().time
        clock = FlightClock(vehicle.timing.time_scale, wall())
        done = -1
        while not watch.ended:
            await vehicle.wait_until(lambda _: watch.ended or watch.must_return, 0.0, wall_s=_LOOK_WALL_S)
            if len(watch.reached) != done:
                done = len(watch.reached)
                self._stage("fly", done, len(places(self._mission)))
            if watch.must_return:
                await self._turn_back()
            self._check_stop()
            self._check_hearing()
            if self._tampering is not None:
                self._tampering.look()
            if self._home is not None:
                await self._home.look()
            await self._conduct.look(watch)
            self._note_strangers()
            if clock.elapsed_s(vehicle.telemetry.vehicle_s, wall()) > limits.flight_s:
                raise FlightError(f"{vehicle}: still flying after {limits.flight_s:g} s: plan shorter sorties")

    def _check_hearing(self) -> None:
        """Whether it is heard and says where it is. Raises FlightError where it has not for too long."""
        vehicle = self._vehicle
        wall_s = vehicle.timing.wall_s
        now_s = asyncio.get_running_loop().time()
        vehicle.check_same()
        if vehicle.silent_s > wall_s(_SILENT_S):
            self._unheard_s = now_s
            if self._conduct.bears(vehicle.silent_s):
                return
            raise FlightError(
                f"{vehicle}: silent for {vehicle.silent_s:.1f} s in flight, last at {where(vehicle)}: look for it there"
            )
        # A silence is no blindness, nor is its beginning: the first it says after one need not be where it is.
        heard = vehicle.silent_s <= wall_s(_HEARD_S)
        if heard and min(vehicle.position_age_s, now_s - self._unheard_s) > wall_s(_BLIND_S):
            raise FlightError(
                f"{vehicle}: heard, and says no position for {vehicle.position_age_s:.1f} s in flight, last at "
                f"{where(vehicle)}: look at its GPS and its streams"
            )
        # Again and again: what is asked may be lost, and in a silence it hears nobody.
        if min(vehicle.position_age_s, now_s - self._asked_s) >= vehicle.timing.retry_s(_ASK_AGAIN_S):
            self._asked_s = now_s
            vehicle.ask_again()

    def _note_strangers(self) -> None:
        """What is not believed is told once; a new address is told each time."""
        vehicle, watch = self._vehicle, self._watch
        for rival in set(vehicle.link.rivals(vehicle.sysid)) - self._strangers:
            self._strangers.add(rival)
            watch.note_failure(vehicle.telemetry, f"{rival} speaks with its system id and is not believed")
        moves = vehicle.link.moves(vehicle.sysid)
        if moves != self._moves:
            self._moves = moves
            watch.note_failure(vehicle.telemetry, "it is heard from another address after a silence")

    async def _turn_back(self) -> None:
        self._watch.sent_home = True
        try:
            await self._vehicle.return_home()
        except CommandError as error:
            raise FlightError(f"{self._vehicle}: crossed the border and does not turn back: {error}") from error

    def _judge(self) -> None:
        vehicle, watch = self._vehicle, self._watch
        if watch.ended_in_air:
            how = "ended its flight in the air and stays armed" if vehicle.telemetry.armed else "disarmed in flight"
            raise FlightError(f"{vehicle}: {how} at {where(vehicle)}: look for it there")
        if watch.crossed:
            raise FlightError(f"{vehicle}: crossed the border and was sent home: check plan, fence and wind")
        if watch.missed:
            said = [event.text for event in watch.events if event.kind == "text"][-3:]
            words = f"; it said: {' | '.join(said)}" if said else ""
            raise FlightError(
                f"{vehicle}: landed in mode {watch.mode} without {len(watch.missed)} of "
                f"{len(places(self._mission))} places, first item {watch.missed[0]}"
                f"{words}: fly the rest as a new sortie"
            )

    def _report(self, failure: str | None) -> SortieReport:
        watch = self._watch
        deviation = watch.deviation_m()
        begun, ended = watch.started, watch.finished
        flight_s = ended[1] - begun[1] if begun and ended and begun[1] is not None and ended[1] is not None else None
        return SortieReport(
            number=self._number,
            completed=failure is None,
            failure=failure,
            uploads=self._uploads,
            events=tuple(watch.events),
            reached=tuple(watch.reached),
            places=len(places(self._mission)),
            started_us=None if begun is None else begun[0],
            ended_us=None if ended is None else ended[0],
            flight_s=flight_s,
            mean_deviation_m=None if deviation is None else deviation[0],
            max_deviation_m=None if deviation is None else deviation[1],
            nearest_border_m=watch.nearest_border_m(),
            samples=watch.samples,
            landing=watch.landing(),
            battery_percent=self._vehicle.telemetry.battery_percent,
            left_at=watch.left_at(),
        )
