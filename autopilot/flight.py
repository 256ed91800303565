"""Fly a fleet: each vehicle its sorties one after another, all vehicles at once."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from autopilot.errors import STATE_WORDS, AutopilotError, FlightError, NotReadyError, VehicleState
from autopilot.link import Link, open_link
from autopilot.preflight import check_vehicle, enable_fence
from autopilot.report import FlightReport, SortieReport, VehicleReport
from autopilot.task import FlightTask
from autopilot.timing import Timing
from autopilot.transfer import Verified
from autopilot.vehicle import Vehicle
from autopilot.watch import BorderWatch, FlightWatch, places
from autopilot.words import MissionKind
from missions import BorderSegment, Mission

__all__ = ["FlightLimits", "FlightProgress", "fly"]

_LOOK_WALL_S = 0.25
_SILENT_S = 10.0
_START_S = 60.0


@dataclass(frozen=True, slots=True)
class FlightLimits:
    """When to give a sortie up, in seconds of the vehicle's own time, and how high it may fly.

    Parameters
    ----------
    ready_s
        Longest wait for position, GPS and pre-arm checks.
    flight_s
        Longest flight, arming to disarming.
    turnaround_s
        Longest wait for a charged battery before a sortie.
    battery_percent
        Least charge to start with; a vehicle that reports none is not held.
    ceiling_m
        Height limit to set with the fence, metres above home; None leaves the vehicle's own (ArduPilot's default is
        100 m), and a mission that climbs to it is not flown.
    connect_s
        Longest wait for the first heartbeat, wall seconds.
    """

    ready_s: float = 180.0
    flight_s: float = 7200.0
    turnaround_s: float = 1800.0
    battery_percent: float = 80.0
    ceiling_m: float | None = None
    connect_s: float = 15.0


@dataclass(frozen=True, slots=True)
class FlightProgress:
    """Where one vehicle is.

    Parameters
    ----------
    sysid, sortie, sorties
        Vehicle, number of its sortie from 1, and how many it has.
    stage
        ``connect``, ``upload mission``, ``read back mission`` and so on, ``ready``, ``start``, ``prove`` (and reading
        back once more), ``fly``, ``landed`` or ``failed``.
    done, total
        Items done and in all, where the stage counts.
    text
        The failure, or empty.
    """

    sysid: int
    sortie: int
    sorties: int
    stage: str
    done: int = 0
    total: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class _Flight:
    """What all vehicles of a flight share."""

    timing: Timing
    limits: FlightLimits
    borders: BorderWatch | None
    progress: Callable[[FlightProgress], None]


async def fly(
    tasks: Sequence[FlightTask],
    *,
    time_scale: float = 1.0,
    borders: Sequence[BorderSegment] = (),
    progress: Callable[[FlightProgress], None] | None = None,
    log_dir: Path | None = None,
    heartbeat: bool = True,
    limits: FlightLimits | None = None,
    timing: Timing | None = None,
) -> FlightReport:
    """Fly every task: check, upload, prove by read-back, wait until ready, arm, start, follow to landing, next sortie.

    What goes wrong with one vehicle is in its report, and the others go on. A vehicle whose lists did not read back
    right, whose fence is not proved to act, or which is not ready is not flown. One that is seen beyond a border is
    sent home. A cancelled `fly` sends home whatever flies.

    Parameters
    ----------
    tasks
        One a vehicle.
    time_scale
        Vehicle seconds in a wall second: 1 in the air.
    borders
        The lines that no vehicle may cross, as `PatrolPlan.borders`; the report then says how near each came to the
        nearest of them.
    progress
        Called as the flight goes on.
    log_dir
        Folder for one ``.tlog`` a link, or None.
    heartbeat
        Whether we are the ground station: send our heartbeat.
    limits
        When to give a sortie up.
    timing
        How long to wait for answers; by default that of `time_scale`.

    Returns
    -------
    FlightReport
        `FlightReport.completed` says whether all went as planned.

    Raises
    ------
    FlightError
        When two tasks name one vehicle, or a task has no sortie.
    """
    _check_tasks(tasks)
    flight = _Flight(
        timing or Timing(time_scale=time_scale),
        limits or FlightLimits(),
        BorderWatch(borders) if borders else None,
        progress or (lambda _: None),
    )
    started_us = _now_us()
    async with AsyncExitStack() as stack:
        links: dict[str, Link | AutopilotError] = {}
        for number, url in enumerate(dict.fromkeys(task.url for task in tasks), 1):
            record = None if log_dir is None else log_dir / f"link-{number}-{_slug(url)}.tlog"
            try:
                link = await open_link(url, heartbeat=heartbeat, time_scale=time_scale, record=record)
            except AutopilotError as error:
                links[url] = error
            else:
                links[url] = await stack.enter_async_context(link)
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(_fly_vehicle(task, links[task.url], flight)) for task in tasks]
        vehicles = tuple(sorted((one.result() for one in running), key=lambda vehicle: vehicle.sysid))
    return FlightReport(vehicles, started_us, _now_us(), flight.timing.time_scale)


def _check_tasks(tasks: Sequence[FlightTask]) -> None:
    seen: set[tuple[str, int]] = set()
    for task in tasks:
        if (task.url, task.sysid) in seen:
            raise FlightError(f"vehicle {task.sysid} on {task.url} has two tasks: give it one with all its sorties")
        seen.add((task.url, task.sysid))
        if not task.missions:
            raise FlightError(f"vehicle {task.sysid} has no sortie: leave it out")
        for number, mission in enumerate(task.missions, 1):
            if not places(mission):
                raise FlightError(f"vehicle {task.sysid} sortie {number} has no place to fly to: plan it again")


async def _fly_vehicle(task: FlightTask, link: Link | AutopilotError, flight: _Flight) -> VehicleReport:
    planned = len(task.missions)
    sorties: list[SortieReport] = []
    failure: str | None = None
    if isinstance(link, AutopilotError):
        failure = str(link)
    else:
        try:
            flight.progress(FlightProgress(task.sysid, 1, planned, "connect"))
            async with await Vehicle.connect(
                link, task.sysid, timing=flight.timing, wait_s=flight.limits.connect_s
            ) as vehicle:
                for number, mission in enumerate(task.missions, 1):
                    sorties.append(await _Sortie(vehicle, mission, number, planned, flight).fly())
                    failure = sorties[-1].failure
                    if failure is not None:
                        break
        except AutopilotError as error:
            failure = str(error)
    if failure is not None:
        flight.progress(FlightProgress(task.sysid, max(len(sorties), 1), planned, "failed", text=failure))
    packets = link.statistics(task.sysid) if isinstance(link, Link) else None
    return VehicleReport(task.sysid, task.url, tuple(sorties), planned, failure, packets)


class _Sortie:
    """One sortie of one vehicle, from upload to disarming."""

    def __init__(self, vehicle: Vehicle, mission: Mission, number: int, planned: int, flight: _Flight) -> None:
        self._vehicle = vehicle
        self._mission = mission
        self._number = number
        self._planned = planned
        self._flight = flight
        self._watch = FlightWatch(mission, vehicle.dialect.mission_mode, flight.borders)
        self._uploads: tuple[Verified, ...] = ()
        self._ours = False

    async def fly(self) -> SortieReport:
        """Fly it; what goes wrong is in the report."""
        stop = self._vehicle.listen(self._watch.take)
        failure: str | None = None
        try:
            await self._prepare()
            await self._start()
            await self._follow()
            self._stage("landed")
        except AutopilotError as error:
            failure = str(error)
            await self._bring_home()
        except asyncio.CancelledError:
            await asyncio.shield(asyncio.create_task(self._bring_home()))
            raise
        finally:
            stop()
        return self._report(failure)

    def _stage(self, stage: str, done: int = 0, total: int = 0) -> None:
        self._flight.progress(FlightProgress(self._vehicle.sysid, self._number, self._planned, stage, done, total))

    def _repaired(self, kind: MissionKind, state: VehicleState) -> None:
        self._watch.note_failure(self._vehicle.telemetry, f"upload of the {kind} broke off; {STATE_WORDS[state]}")

    async def _prepare(self) -> None:
        vehicle, mission = self._vehicle, self._mission
        if vehicle.telemetry.armed:
            raise FlightError(f"{vehicle}: is armed already: land and disarm it before it is given a mission")
        self._stage("check")
        await check_vehicle(vehicle, mission)
        self._uploads = await vehicle.upload(mission, progress=self._stage, repaired=self._repaired)
        self._stage("ready")
        await vehicle.wait_ready(self._flight.limits.ready_s)
        limits = self._flight.limits
        charged = await vehicle.wait_until(
            lambda t: t.battery_percent is None or t.battery_percent >= limits.battery_percent, limits.turnaround_s
        )
        if charged is None:
            raise NotReadyError(
                f"{vehicle}: battery at {vehicle.telemetry.battery_percent:g} % after {limits.turnaround_s:g} s, "
                f"{limits.battery_percent:g} % is needed: change it"
            )
        if mission.fence:
            await enable_fence(vehicle, mission, ceiling_m=limits.ceiling_m)

    async def _prove(self) -> None:
        """Right before arming: minutes may lie between the upload and here, and others may speak to the vehicle."""
        self._stage("prove")
        if self._mission.fence:
            await enable_fence(self._vehicle, self._mission, ceiling_m=self._flight.limits.ceiling_m)
        await self._vehicle.prove(progress=self._stage)

    async def _start(self) -> None:
        vehicle, watch = self._vehicle, self._watch
        self._stage("start")
        self._ours = True
        await vehicle.start_mission(before_arming=self._prove)
        if await vehicle.wait_until(lambda _: watch.airborne or watch.ended, _START_S) is None:
            raise FlightError(f"{vehicle}: the mission started and it did not take off in {_START_S:g} s: look at it")

    async def _follow(self) -> None:
        """Until it has disarmed, on the vehicle's own clock: a simulation may run slower than it was asked to."""
        vehicle, watch, limits = self._vehicle, self._watch, self._flight.limits
        silent_s = vehicle.timing.wall_s(_SILENT_S)
        begun_s = vehicle.telemetry.vehicle_s
        done = -1
        while not watch.ended:
            await vehicle.wait_until(lambda _: watch.ended or watch.must_return, 0.0, wall_s=_LOOK_WALL_S)
            if len(watch.reached) != done:
                done = len(watch.reached)
                self._stage("fly", done, len(places(self._mission)))
            if watch.must_return:
                watch.sent_home = True
                await vehicle.return_home()
            if vehicle.silent_s > silent_s:
                raise FlightError(
                    f"{vehicle}: silent for {vehicle.silent_s:.1f} s in flight, last at {_where(vehicle)}: "
                    "look for it there"
                )
            now_s = vehicle.telemetry.vehicle_s
            begun_s = now_s if begun_s is None else begun_s
            if now_s is not None and begun_s is not None and now_s - begun_s > limits.flight_s:
                raise FlightError(f"{vehicle}: still flying after {limits.flight_s:g} s: plan shorter sorties")
        self._judge()

    def _judge(self) -> None:
        vehicle, watch = self._vehicle, self._watch
        if watch.ended_in_air:
            raise FlightError(f"{vehicle}: disarmed in flight at {_where(vehicle)}: look for it there")
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

    async def _bring_home(self) -> None:
        """After a failure: what we armed and still hears us is sent home."""
        vehicle, watch = self._vehicle, self._watch
        if not self._ours or not vehicle.telemetry.armed or not vehicle.link.alive:
            return
        try:
            if watch.airborne:
                await vehicle.return_home()
            else:
                await vehicle.disarm()
        except AutopilotError as error:
            watch.note_failure(vehicle.telemetry, f"could not be sent home: {error}")

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


def _where(vehicle: Vehicle) -> str:
    now = vehicle.telemetry
    if now.lat_deg is None or now.lon_deg is None:
        return "an unknown position"
    return f"{now.lat_deg:.6f}, {now.lon_deg:.6f}"


def _slug(url: str) -> str:
    return re.sub(r"[^a-zA-Z0-9.]+", "-", url)


def _now_us() -> int:
    return time.time_ns() // 1000
