"""Cues to a patrol that flies: who goes, the order to it, and the next best where it does not get there."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any

from autopilot.area import Place
from autopilot.cue import Answer, Cue, Errand, Offer, Visit
from autopilot.dispatch import dispatch
from autopilot.patrol_conduct import STOPPED
from autopilot.patrol_crew import Crew
from autopilot.patrol_states import ALOFT, State
from autopilot.shift import Shift
from autopilot.timetable import Turn
from geo import Terrain
from missions import PatrolPlan, Viewing

__all__ = ["CueDesk"]


@dataclass(frozen=True, slots=True)
class _Given:
    """A cue that a vehicle takes off for, when it was given, and who is told where it does not get there."""

    given_s: float
    missed: Callable[[str], None]


class CueDesk:
    """Gives the cues of a patrol to its vehicles.

    Parameters
    ----------
    shift, crews, terrain
        The shift, its vehicles by system id, and the ground to look over.
    start
        Starts work beside the flights.

    Attributes
    ----------
    said
        Every answer in words, in their order.
    """

    def __init__(
        self,
        shift: Shift,
        crews: Mapping[int, Crew],
        terrain: Terrain | None,
        start: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._shift, self._crews, self._terrain, self._start = shift, crews, terrain, start
        self._viewing: Viewing | None = None
        self._taking_off: dict[int, _Given] = {}
        self._one_at_a_time = asyncio.Lock()
        self.said: list[str] = []

    async def give(
        self,
        cue: Cue,
        refused: Mapping[int, str] | None = None,
        *,
        missed: Callable[[str], None] | None = None,
        until_s: float = math.inf,
        visit: Visit | None = None,
    ) -> Answer:
        """Send the vehicle to a cue that sees it soonest, or the next that can.

        Parameters
        ----------
        cue
            What to look at.
        refused
            Why some were found not to get there, by system id: they are not asked again.
        missed
            Called with the reason where who was sent does not get there; by default the next best is sent.
        until_s
            When nobody is sent any more, seconds of `time.monotonic`.
        visit
            Where it is noted how far it comes.
        """
        shift = self._shift
        if shift.over:  # who has nothing left to do has gone, and takes off for nobody
            answer = Answer(cue, None, dict.fromkeys(self._crews, STOPPED if shift.stopped else "the shift is over"))
        else:
            with shift.answering():
                # Each answer keeps off where the one before it sent somebody.
                async with self._one_at_a_time:
                    answer = await self._given(cue, dict(refused or {}), missed, until_s, visit or Visit())
        self.said.append(answer.words())
        shift.journal.line("cue", t_s=round(shift.now_s(), 3), words=answer.words())
        return answer

    async def _given(
        self, cue: Cue, refused: dict[int, str], missed: Callable[[str], None] | None, until_s: float, visit: Visit
    ) -> Answer:
        shift, unasked = self._shift, dict(refused)
        while True:
            standings = [crew.standing() for crew in self._crews.values()]
            standings = [
                replace(one, unfit=refused[one.vehicle.sysid]) if one.vehicle.sysid in refused else one
                for one in standings
            ]
            answer = await asyncio.to_thread(self._answer, cue, shift.plans[-1], standings)
            chosen = answer.chosen
            if chosen is None and cue.middle is not None and time.monotonic() < until_s:
                return await self._given(cue.narrowed(), unasked, missed, until_s, visit)
            if chosen is None:
                return answer
            if time.monotonic() >= until_s:
                refused |= dict.fromkeys(self._crews, "it ran out before anybody was sent")
                continue
            if await self._carry_out(cue, chosen, missed or self._next_best(cue, refused, chosen.sysid), visit):
                return answer
            refused[chosen.sysid] = STOPPED if shift.stopped else "went over to something else meanwhile"

    def lost(self, sysid: int, why: str) -> None:
        """A vehicle failed: what it took off for and did not see is given to another."""
        given = self._taking_off.pop(sysid, None)
        if given is None:
            return
        changes = self._shift.changes[sysid]
        if not any(change.state == State.ON_CUE and change.t_s >= given.given_s for change in changes):
            given.missed(why)

    def _next_best(self, cue: Cue, refused: Mapping[int, str], sysid: int) -> Callable[[str], None]:
        """What sends another where a vehicle does not get there."""

        async def work(why: str) -> None:
            await self.give(cue, {**refused, sysid: why})

        return lambda why: None if self._shift.stopped else self._start(work(why))

    def _answer(self, cue: Cue, plan: PatrolPlan, standings: list[Any]) -> Answer:
        if self._viewing is None or self._viewing.plan is not plan:
            self._viewing = Viewing(plan, self._terrain)
        return dispatch(cue, plan, standings, self._viewing)

    async def _carry_out(self, cue: Cue, chosen: Offer, missed: Callable[[str], None], visit: Visit) -> bool:
        """Give the order; False where the vehicle cannot take it any more."""
        shift, sysid = self._shift, chosen.sysid
        crew = self._crews[sysid]
        if chosen.flown is None:
            if crew.conduct is None or not crew.conduct.free_for_errand:
                return False
            place = Place(chosen.lat_deg, chosen.lon_deg, chosen.above_base_m)
            crew.conduct.send(Errand(place, cue.spot, cue.station_s, cue.words, missed, visit, chosen.circle_m))
            return True
        mission = await asyncio.to_thread(chosen.flown.mission, shift.dialect)
        state = shift.duties[sysid].state
        if state in ALOFT or state is State.FAULT or shift.stopped:
            return False
        if state in {State.CHECKING, State.READY}:
            if crew.conduct is None or crew.conduct.took_off_s is not None:
                return False
            crew.conduct.give_way()
        turn = Turn(len(shift.plans) - 1, -1, chosen.flown.sortie, crew.planned, shift.now_s(), visit)
        self._taking_off[sysid] = _Given(shift.now_s(), missed)
        shift.keep_mission(turn.sortie, mission)
        shift.timetable.add(turn)
        shift.pulse()
        return True
