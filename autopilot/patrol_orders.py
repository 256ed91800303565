"""Orders of a pilot to a patrol that flies: each is carried out once at most, and what came of it is told.

What limits a vehicle limits its pilot too: the fence it holds, stand-off, zones, ceiling, reserve, and the others in
the air. An order that runs into one of them is refused with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from autopilot.cue import Visit
from autopilot.errors import AutopilotError, FlightError
from autopilot.patrol_conduct import STOPPED
from autopilot.patrol_crew import Crew
from autopilot.patrol_cues import CueDesk
from autopilot.patrol_guard import PauseGuard
from autopilot.patrol_states import ALOFT, State
from autopilot.pilot_order import PilotOrder, Told
from autopilot.shift import Shift

__all__ = ["OrderDesk"]


class OrderDesk:
    """Carries out the orders that a patrol is given.

    Parameters
    ----------
    shift, crews, cues
        The shift, its vehicles by system id, and who sends them to cues.
    start
        Starts work beside the flights.

    Attributes
    ----------
    carried
        What came of each order last, by its id; those of a ground station before this one too.
    """

    def __init__(
        self,
        shift: Shift,
        crews: Mapping[int, Crew],
        cues: CueDesk,
        start: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._shift, self._crews, self._cues, self._start = shift, crews, cues, start
        self._guard = PauseGuard(shift, crews)
        self.carried: dict[str, str] = {}

    def give(self, sysid: int, order: PilotOrder, told: Told) -> None:
        """Carry out an order beside the flights; one that was carried out before, or begun, is let be."""
        if order.id in self.carried:
            return
        self._note(sysid, order, "taken", order.words)

        def tell(state: Any, words: str) -> None:
            if self.carried[order.id] not in {"taken", "accepted"}:
                return  # it has ended; what comes after is in the report of the flight
            self._note(sysid, order, state, words)
            told(state, words)

        self._start(self._work(sysid, order, tell))

    def _note(self, sysid: int, order: PilotOrder, state: str, words: str) -> None:
        """On the disk before anything is done: a station that starts anew does not do it again."""
        self.carried[order.id] = state
        t_s = round(self._shift.now_s(), 3)
        self._shift.journal.line("order", t_s=t_s, id=order.id, sysid=sysid, order=order.kind, state=state, words=words)

    async def _work(self, sysid: int, order: PilotOrder, tell: Told) -> None:
        try:
            await self._carry_out(sysid, order, tell)
        except AutopilotError as error:
            tell("refused" if self.carried[order.id] == "taken" else "failed", str(error))
        except Exception as error:  # noqa: BLE001  an order must not end the watch over those who fly
            tell("failed", f"given up for a fault in this program, {error!r}: report it")

    async def _carry_out(self, sysid: int, order: PilotOrder, tell: Told) -> None:
        crew = self._flyable(sysid)
        if order.kind == "dispatch":
            await self._dispatch(crew, order, tell)
            return
        conduct = crew.conduct
        if conduct is None or crew.state not in ALOFT:
            raise FlightError(_no_flight(crew, order.kind))
        words = await conduct.obey(order.kind, order.words, order.until_s)
        if order.kind in {"pause", "resume"}:
            tell("done", words)
            if order.kind == "pause":
                await self._guard.watch(crew, conduct)
            return
        tell("accepted", words)
        await self._until_down(crew, order, tell)

    def _flyable(self, sysid: int) -> Crew:
        if sysid not in self._crews:
            raise FlightError(f"the patrol has no vehicle {sysid}")
        if self._shift.stopped:
            raise FlightError(STOPPED)
        if self._shift.duties[sysid].silent:
            raise FlightError(f"vehicle {sysid} is not heard: what is sent to it may come to nothing, or come late")
        return self._crews[sysid]

    async def _until_down(self, crew: Crew, order: PilotOrder, tell: Told) -> None:
        while crew.state in ALOFT:
            await self._shift.wait()
        down = crew.vehicle is not None and crew.vehicle.telemetry.armed is False
        if down and (crew.state is not State.FAULT or order.kind == "land"):
            tell("done", crew.failure or "is down")
        elif crew.state is State.FAULT:
            tell("failed", crew.failure or "something is wrong with it")
        else:
            tell("failed", "nobody heard that it is down: look for it")

    async def _dispatch(self, crew: Crew, order: PilotOrder, tell: Told) -> None:
        if order.cue is None:
            raise FlightError("a dispatch without a place: give one")
        sysid, visit = crew.sysid, Visit()
        others = {other: "another was ordered there" for other in self._crews if other != sysid}
        answer = await self._cues.give(order.cue, others, missed=visit.leave, until_s=order.until_s, visit=visit)
        if answer.chosen is None:
            raise FlightError(answer.others[sysid])
        whole = order.cue.middle is None or answer.cue.middle is not None
        what = "it" if whole else f"only {answer.cue.spot.uncertainty_m:.0f} m around the middle of where it may be"
        tell("accepted", f"sees {what} in {answer.chosen.arrival_s:.0f} s")
        while not visit.stayed:
            if (words := self._why_not(crew, visit)) is not None:
                raise FlightError(words)
            await self._shift.wait()
        tell("done", "was there")

    def _why_not(self, crew: Crew, visit: Visit) -> str | None:
        """Why it does not look at it any more; None while it may."""
        if visit.left is not None:
            return visit.left
        if self._shift.stopped:
            return STOPPED
        if crew.state is State.FAULT:
            return crew.failure or "something is wrong with it"
        waits = self._shift.timetable.ordered(crew.sysid) is not None or crew.sysid in self._shift.busy
        return None if waits else "its flight there was not flown"


def _no_flight(crew: Crew, kind: str) -> str:
    """Why one that flies nothing of this patrol cannot be told to do something."""
    flies = crew.vehicle is not None and crew.vehicle.telemetry.armed is not False
    if crew.state is State.FAULT and flies:
        why = crew.failure or "something is wrong with it"
        return f"vehicle {crew.sysid} is being brought home after a fault, and takes no order: {why}"
    if flies and crew.conduct is None:
        return f"vehicle {crew.sysid} is {crew.state} and armed, in no flight of this patrol: look at it"
    return f"vehicle {crew.sysid} is {crew.state}, on the ground: there is nothing to {kind}"
