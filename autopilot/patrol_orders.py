"""Orders of a pilot to a patrol that flies: each is carried out once at most, and what came of it is told.

What limits a vehicle limits its pilot too: the fence it holds, stand-off, zones, ceiling, reserve, and the others in
the air. An order that runs into one of them is refused with its reason.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from autopilot.errors import AutopilotError, FlightError
from autopilot.patrol_conduct import STOPPED
from autopilot.patrol_crew import Crew
from autopilot.patrol_cues import CueDesk
from autopilot.patrol_piloted import PilotedConduct
from autopilot.patrol_states import ALOFT, State
from autopilot.pilot_order import PilotOrder, Told
from autopilot.shift import Shift
from geo import geodesic_distance_m

__all__ = ["OrderDesk"]

_AHEAD_S = 10.0  # in which one that stands has left where another comes to
_ROOM_UP = 2.0


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
        self.carried: dict[str, str] = {}

    def give(self, sysid: int, order: PilotOrder, told: Told) -> None:
        """Carry out an order beside the flights; one that was carried out before, or begun, is let be."""
        if order.id in self.carried:
            return
        self._note(sysid, order, "taken", order.words)

        def tell(state: Any, words: str) -> None:
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
            raise FlightError(f"vehicle {sysid} is {crew.state}, on the ground: there is nothing to {order.kind}")
        words = await conduct.obey(order.kind, order.words, order.until_s)
        if order.kind in {"pause", "resume"}:
            tell("done", words)
            if order.kind == "pause":
                await self._guard(crew, conduct)
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
        if crew.state is State.FAULT and not (down and order.kind == "land"):
            tell("failed", crew.failure or "something is wrong with it")
        else:
            tell("done", crew.failure or "is down")

    async def _dispatch(self, crew: Crew, order: PilotOrder, tell: Told) -> None:
        if order.cue is None:
            raise FlightError("a dispatch without a place: give one")
        sysid, missed = crew.sysid, list[str]()
        begin = len(self._shift.changes[sysid])
        others = {other: "another was ordered there" for other in self._crews if other != sysid}
        answer = await self._cues.give(order.cue, others, missed=missed.append, until_s=order.until_s)
        if answer.chosen is None:
            raise FlightError(answer.others[sysid])
        tell("accepted", f"sees it in {answer.chosen.arrival_s:.0f} s")
        while (words := self._why_not(crew, begin, missed)) is None:
            if self._was_there(crew, begin):
                tell("done", "was there")
                return
            await self._shift.wait()
        raise FlightError(words)

    def _was_there(self, crew: Crew, begin: int) -> bool:
        """Whether it was sent there and goes on, or home, by its plan."""
        states = [change.state for change in self._shift.changes[crew.sysid][begin:]]
        went = State.ON_CUE in states
        return went and states[-1] != State.ON_CUE and (crew.conduct is None or crew.conduct.early is None)

    def _why_not(self, crew: Crew, begin: int, missed: list[str]) -> str | None:
        """Why it does not look at it any more; None while it may."""
        if missed:
            return missed[0]
        if self._shift.stopped:
            return STOPPED
        if crew.state is State.FAULT:
            return crew.failure or "something is wrong with it"
        conduct = crew.conduct
        if conduct is not None and conduct.early is not None:
            return conduct.early
        waits = self._shift.timetable.ordered(crew.sysid) is not None or crew.sysid in self._shift.busy
        gone = not waits and not any(c.state == State.ON_CUE for c in self._shift.changes[crew.sysid][begin:])
        return "its flight there was not flown" if gone else None

    async def _guard(self, crew: Crew, conduct: PilotedConduct) -> None:
        """While it stands where others may fly by: it comes home before one is too near."""
        while crew.state is State.PAUSED and crew.conduct is conduct:
            near = next((other.sysid for other in self._crews.values() if self._comes_near(crew, other)), None)
            if near is not None:
                words = f"vehicle {near} comes near where it was paused"
                await conduct.obey("return", words, time.monotonic() + _AHEAD_S)
                return
            await self._shift.wait()

    def _comes_near(self, one: Crew, other: Crew) -> bool:
        if other is one or other.state not in ALOFT or one.vehicle is None or other.vehicle is None:
            return False
        here, there = one.vehicle.telemetry, other.vehicle.telemetry
        if here.lat_deg is None or here.lon_deg is None or there.lat_deg is None or there.lon_deg is None:
            return True
        options = self._shift.plans[-1].options
        across_m = float(geodesic_distance_m(here.lat_deg, here.lon_deg, there.lat_deg, there.lon_deg))
        north, east, _ = there.velocity_ned_m_s or (0.0, 0.0, 0.0)
        if across_m > options.separation_m + _AHEAD_S * math.hypot(north, east):
            return False
        if here.altitude is None or there.altitude is None:
            return True
        return abs(here.altitude.amsl_m() - there.altitude.amsl_m()) < _ROOM_UP * options.separation_up_m
