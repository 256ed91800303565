"""Fly a fleet: each vehicle its sorties one after another, all vehicles at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from autopilot.errors import AutopilotError, FlightError
from autopilot.flight_log import sortie_log
from autopilot.flight_piloted import FlightCrew, PilotedFlight
from autopilot.limits import FlightLimits, FlightProgress
from autopilot.link import Link
from autopilot.pilot_order import Piloted
from autopilot.report import FlightReport, SortieReport, VehicleReport
from autopilot.signing import Signing
from autopilot.sortie import Flight, Sortie
from autopilot.station import Display, connected, now_us, open_links
from autopilot.task import FlightTask
from autopilot.timing import Timing
from autopilot.vehicle import Vehicle
from autopilot.watch import BorderWatch, places
from geo import Terrain
from missions import BorderSegment, PatrolPlan, Wind

__all__ = ["fly"]


async def fly(
    tasks: Sequence[FlightTask],
    *,
    time_scale: float = 1.0,
    borders: Sequence[BorderSegment] = (),
    progress: Callable[[FlightProgress], None] | None = None,
    log_dir: Path | None = None,
    heartbeat: bool = True,
    system_id: int = 255,
    signing: Signing | None = None,
    limits: FlightLimits | None = None,
    timing: Timing | None = None,
    terrain: Terrain | None = None,
    stop: asyncio.Event | None = None,
    met: Callable[[Vehicle], None] | None = None,
    plan: PatrolPlan | None = None,
    begun: Callable[[Piloted], None] | None = None,
) -> FlightReport:
    """Fly every task: check, upload, prove by read-back, wait until ready, arm, start, follow to landing, next sortie.

    What goes wrong with one vehicle is in its report, and the others go on. A vehicle whose lists did not read back
    right, whose fence is not proved to act, or which is not ready is not flown. One that is seen beyond a border is
    sent home, as is one whose flight takes a bad turn; it is then told and watched until it is down, for at most
    `FlightLimits.home_s`, and no longer silent than `FlightLimits.lost_s`. A cancelled `fly` sends home whatever flies.

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
        Called as the flight goes on; where it raises the flight goes on without it.
    log_dir
        Folder for a ``.tlog`` and, with pyarrow, a ``.parquet`` for each sortie, as `sortie_log` names them; or None.
        One that fails in the air is in `FlightReport.notes`.
    heartbeat
        Whether we are the ground station: send our heartbeat. A vehicle that waits for another is not flown.
    system_id
        Our system id on every link: the one that the vehicles wait for.
    signing
        MAVLink 2 signing on every link, or None.
    limits
        When to give a sortie up.
    timing
        How long to wait for answers; by default that of `time_scale`.
    terrain
        Heights of the ground for vehicles that ask their ground station for them, as ArduPilot does; None for none. A
        mission with heights above terrain is flown once the vehicle knows the ground along it, whoever told it.
    met
        Handed each vehicle once it is connected, to look at its telemetry now and then and to order nothing; where it
        raises the flight goes on without it.
    plan
        The plan that the tasks were made of: in its wind they are flown, and by it orders of pilots are looked at;
        needed with `begun`.
    begun
        Handed what takes orders on the way, once the links are open. A vehicle that takes them is called home too when
        its battery just takes it there. Where a pilot ends a sortie, that is why it failed.
    stop
        Ends the flight in good order once it is set: what flies is brought home and watched until it is down, nothing
        else sets off, and the report says how it came out.

    Returns
    -------
    FlightReport
        `FlightReport.completed` says whether all went as planned.

    Raises
    ------
    FlightError
        When two tasks name one system id, on one link or on two, or a task has no sortie; or orders are to be taken
        without a plan.
    LinkError
        When the URL of a link is not understood, or two links would share a socket or a port.
    """
    _check_tasks(tasks)
    if begun is not None and plan is None:
        raise FlightError("orders are looked at by the plan that is flown: give it, or take none")
    display = Display(progress)
    flight = Flight(
        timing or Timing(time_scale=time_scale),
        limits or FlightLimits(),
        BorderWatch(borders) if borders else None,
        display.show,
        stop or asyncio.Event(),
        heartbeat,
        log_dir,
        terrain is not None,
        met=met,
        wind=Wind() if plan is None else plan.options.wind,
        ceiling_agl_m=None if plan is None else plan.options.ceiling_agl_m,
    )
    started_us = now_us()
    async with AsyncExitStack() as stack:
        urls = [task.url for task in tasks]
        links = await open_links(
            urls,
            stack,
            system_id=system_id,
            heartbeat=heartbeat,
            time_scale=time_scale,
            signing=signing,
            terrain=terrain,
            told=flight.notes.append,
        )
        crews: Mapping[int, FlightCrew] = {}
        piloted: PilotedFlight | None = None
        if begun is not None and plan is not None and tasks:
            piloted = PilotedFlight(plan, tasks, links, flight, terrain)
            crews = piloted.crews
            begun(piloted)
        async with asyncio.TaskGroup() as group:
            running = [
                group.create_task(_fly_vehicle(task, links[task.url], flight, crews.get(task.sysid))) for task in tasks
            ]
        if piloted is not None:
            await piloted.settle()
        vehicles = tuple(sorted((one.result() for one in running), key=lambda vehicle: vehicle.sysid))
    said = (
        f"vehicle {vehicle.sysid} sortie {sortie.number}: {event.text}"
        for vehicle in vehicles
        for sortie in vehicle.sorties
        for event in sortie.events
        if event.kind == "note"
    )
    notes = tuple(note for note in (*said, *flight.notes, display.failure) if note is not None)
    return FlightReport(vehicles, started_us, now_us(), flight.timing.time_scale, notes)


def _check_tasks(tasks: Sequence[FlightTask]) -> None:
    urls: dict[int, str] = {}
    for task in tasks:
        other = urls.get(task.sysid)
        urls[task.sysid] = task.url
        if other == task.url:
            raise FlightError(f"vehicle {task.sysid} on {task.url} has two tasks: give it one with all its sorties")
        if other is not None:
            raise FlightError(
                f"vehicle {task.sysid} has tasks on {other} and on {task.url}: one vehicle is flown over one link, "
                f"which may have several ways ({other},{task.url}), and two vehicles need two system ids"
            )
        if not task.missions:
            raise FlightError(f"vehicle {task.sysid} has no sortie: leave it out")
        for number, mission in enumerate(task.missions, 1):
            if not places(mission):
                raise FlightError(f"vehicle {task.sysid} sortie {number} has no place to fly to: plan it again")


async def _fly_vehicle(
    task: FlightTask, link: Link | AutopilotError, flight: Flight, crew: FlightCrew | None
) -> VehicleReport:
    planned = len(task.missions)
    sorties: list[SortieReport] = []
    failure: str | None = None
    if isinstance(link, AutopilotError):
        failure = str(link)
    else:
        try:
            flight.progress(FlightProgress(task.sysid, 1, planned, "connect"))
            async with await connected(link, task.sysid, flight) as vehicle:
                for number, mission in enumerate(task.missions, 1):
                    async with sortie_log(link, task.sysid, number, flight.log_dir, flight.notes):
                        if crew is None:
                            sorties.append(await Sortie(vehicle, mission, number, planned, flight).fly())
                        else:
                            sorties.append(await crew.fly(task, vehicle, mission, number))
                    failure = sorties[-1].failure
                    if failure is not None:
                        break
        except AutopilotError as error:
            failure = str(error)
        except Exception as error:  # noqa: BLE001  a fault with one vehicle must not end the watch over the others
            failure = f"vehicle {task.sysid} on {task.url}: given up for a fault in this program, {error!r}: report it"
    if crew is not None:
        crew.leave(failure)
    if failure is not None:
        flight.progress(FlightProgress(task.sysid, max(len(sorties), 1), planned, "failed", text=failure))
    packets = link.statistics(task.sysid) if isinstance(link, Link) else None
    return VehicleReport(task.sysid, task.url, tuple(sorties), planned, failure, packets)
