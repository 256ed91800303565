"""A flight of a plan into which pilots may break: every vehicle flies its sorties, and takes orders on the way.

What pilots may order, and what limits that, is what a patrol has (`autopilot.patrol_orders`). But nobody waits for a
time here, nobody is waited for in a silence, and what stands on the ground takes off for its own sorties alone.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any

from autopilot.cue import Standing
from autopilot.errors import AutopilotError, FlightError
from autopilot.journal import Journal
from autopilot.link import Link
from autopilot.patrol_crew import Crew
from autopilot.patrol_cues import CueDesk
from autopilot.patrol_orders import OrderDesk
from autopilot.patrol_piloted import PilotedConduct
from autopilot.patrol_rules import PatrolRules
from autopilot.patrol_states import ALOFT, Happening, State
from autopilot.pilot_order import PilotOrder, Told
from autopilot.report import SortieReport
from autopilot.shift import Shift
from autopilot.sortie import Flight, Sortie
from autopilot.station import now_us
from autopilot.task import FlightTask
from autopilot.timetable import Timetable, Turn
from autopilot.vehicle import Vehicle
from autopilot.watch import FlightWatch
from geo import Terrain
from missions import Mission, PatrolPlan

__all__ = ["FlightCrew", "PilotedFlight"]


class _Conduct(PilotedConduct):
    """As in a patrol once it flies; it sets off as soon as it can, and a silence ends it."""

    async def turn(self, watch: FlightWatch) -> None:
        self._watch = watch
        self._tell(Happening.CHECKED)

    async def clear(self, watch: FlightWatch) -> None:
        self._watch, self.took_off_s = watch, self._shift.now_s()

    def bears(self, silent_wall_s: float) -> bool:  # noqa: ARG002 - however long it is
        return False

    def _tell(self, happening: Happening, why: str = "") -> None:
        super()._tell(happening, why)
        if why and self._watch is not None:
            self._watch.note(self._vehicle.telemetry, f"{self._state}: {why}")


class FlightCrew(Crew):
    """One vehicle of such a flight; made by `PilotedFlight`."""

    makes = _Conduct

    def standing(self) -> Standing:
        """As in a patrol in the air; on the ground it can be sent nowhere."""
        standing = super().standing()
        if standing.airborne or standing.unfit is not None:
            return standing
        return Standing(self.planned, unfit="is on the ground, and takes off for its own sorties alone")

    async def fly(self, task: FlightTask, vehicle: Vehicle, mission: Mission, number: int) -> SortieReport:
        """Fly a sortie, as `Sortie.fly`; one that a pilot ended says so."""
        shift, sortie = self.shift, task.sorties[number - 1]
        self.vehicle = vehicle
        shift.tell(self.sysid, Happening.DUE, sortie=sortie.name)
        turn = Turn(0, number - 1, sortie, self.planned, shift.now_s())
        conduct = self._conducted(turn, vehicle, mission)
        try:
            flight = Sortie(vehicle, mission, number, len(task.missions), shift.flight, conduct=conduct)
            report = await flight.fly()
        finally:
            self._ended()
        if self.state in ALOFT:
            shift.tell(self.sysid, Happening.LANDED)
            shift.tell(self.sysid, Happening.SWAPPED)
        elif self.state in {State.CHECKING, State.READY}:
            shift.tell(self.sysid, Happening.WITHDRAWN)
        if conduct.early is None:
            return report
        # Told to land over its base it may have reached all its places: it takes off no more all the same.
        failure = conduct.early if report.failure is None else f"{conduct.early}; {report.failure}"
        return replace(report, completed=False, failure=failure)

    def leave(self, failure: str | None) -> None:
        """It flies no more; where it was never heard, or its flight broke off in this program, for a reason."""
        if failure is not None and (self.vehicle is None or self.state is not State.WAITING):
            self.fail(failure)
        self.shift.busy.discard(self.sysid)
        self.shift.pulse()


class PilotedFlight:
    """What the vehicles of a flight share so that pilots may order them.

    Parameters
    ----------
    plan, tasks
        The plan, and what each vehicle flies of it.
    links
        By URL: a link, or why it did not open.
    flight, terrain
        What all sorties share, and the ground to look over.

    Attributes
    ----------
    crews
        By system id.
    broken_off
        No order of a ground station before this one: without a journal nothing is known of it.

    Raises
    ------
    FlightError
        When a task does not say which sorties of the plan it is, or its vehicle is none of the plan.
    """

    broken_off: tuple[str, ...] = ()

    def __init__(
        self,
        plan: PatrolPlan,
        tasks: Sequence[FlightTask],
        links: dict[str, Link | AutopilotError],
        flight: Flight,
        terrain: Terrain | None,
    ) -> None:
        planned = {vehicle.sysid: vehicle for vehicle in plan.fleet.vehicles}
        if any(task.sysid not in planned or len(task.sorties) != len(task.missions) for task in tasks):
            raise FlightError("orders are looked at by the sorties of the plan: make the tasks with tasks_of")
        dialect, origin_us = tasks[0].missions[0].dialect, now_us()
        shift = Shift(
            plan,
            dialect,
            origin_us,
            flight=flight,
            rules=PatrolRules(),
            journal=Journal.begin(None, origin_us, dialect),
            timetable=Timetable(plan.options, math.inf),
            told=_nothing,
        )
        self.crews = {
            task.sysid: FlightCrew(shift, planned[task.sysid], task.url, links[task.url], lost=_nothing)
            for task in tasks
        }
        shift.busy.update(self.crews)
        self._work: set[asyncio.Task[None]] = set()
        cues = CueDesk(shift, self.crews, terrain, self._start)
        self._orders = OrderDesk(shift, self.crews, cues, self._start)

    def order(self, sysid: int, order: PilotOrder, told: Told) -> None:
        """Carry out an order of a pilot beside the flights, once however often it is given; `told` hears of it."""
        self._orders.give(sysid, order, told)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def settle(self) -> None:
        """Once all are down: what came of the last orders is told."""
        await asyncio.gather(*self._work)


def _nothing(*_: object) -> None:
    """Nobody else has to know."""
