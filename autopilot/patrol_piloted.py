"""One flight of a patrol into which a pilot may break: it stops in the air, goes on, comes home, lands.

An order is carried out at a look, between what the patrol itself does with the vehicle, and never beside it. What the
vehicle refuses leaves it as it was; where it is not as it was, it is brought home.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from autopilot.errors import AutopilotError, FlightError
from autopilot.patrol_errand import ErrandConduct
from autopilot.patrol_states import Happening, State
from autopilot.watch import FlightWatch

__all__ = ["RAN_OUT", "PilotedConduct"]

RAN_OUT = "it ran out before it could be carried out"
_ORDER_S = 2.0
_LOWEST_M = 5.0  # above home; below, it takes off or lands


@dataclass(eq=False, slots=True)
class _Asked:
    kind: str
    words: str
    until_s: float
    answer: asyncio.Future[str]


class PilotedConduct(ErrandConduct):
    """As `ErrandConduct`, with orders of a pilot on the way."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._asked: deque[_Asked] = deque()
        self._paused_s: float | None = None

    async def obey(self, kind: str, words: str, until_s: float) -> str:
        """Carry out an order at the next look.

        Parameters
        ----------
        kind, words, until_s
            As in `PilotOrder`; not a dispatch.

        Returns
        -------
        str
            What it does now, once the vehicle says that it does.

        Raises
        ------
        AutopilotError
            When it cannot or may not, the vehicle refuses it, or it has run out; the message says why.
        """
        asked = _Asked(kind, words, until_s, asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        await asyncio.wait([asked.answer], timeout=max(until_s - time.monotonic(), 0.0))
        if asked in self._asked:
            self._asked.remove(asked)
            raise FlightError(f"{self._vehicle}: {RAN_OUT}")
        return await asked.answer

    def close(self) -> None:
        """Its flight is over: what was not carried out by now will not be."""
        while self._asked:
            asked = self._asked.popleft()
            asked.answer.set_exception(FlightError(f"{self._vehicle}: its flight ended before the order"))
            asked.answer.exception()  # whoever ordered it may be gone

    async def look(self, watch: FlightWatch) -> None:
        """As before, and then what was ordered meanwhile."""
        await super().look(watch)
        silent = self._shift.duties[self._turn.vehicle.sysid].silent
        if silent or watch.ended:
            return
        if self._state is State.PAUSED:
            await self._mind_pause()
        while self._asked:
            await self._carry_out(self._asked.popleft(), watch)

    async def _carry_out(self, asked: _Asked, watch: FlightWatch) -> None:
        ways: dict[str, Callable[[FlightWatch, str], Awaitable[str]]] = {
            "pause": self._pause,
            "resume": self._resume,
            "return": self._return,
            "land": self._land,
        }
        mode, state = self._vehicle.telemetry.mode, self._state
        try:
            if time.monotonic() >= asked.until_s:
                raise FlightError(f"{self._vehicle}: {RAN_OUT}")
            asked.answer.set_result(await ways[asked.kind](watch, asked.words))
        except AutopilotError as error:
            asked.answer.set_exception(error)
            asked.answer.exception()  # whoever ordered it may be gone
            watch.note_failure(self._vehicle.telemetry, f"an order, {asked.kind}, was not carried out: {error}")
            turned = self._state is State.RETURNING and state is not State.RETURNING
            # One that was called home and did not turn, or is in a mode that nobody meant, is brought home; one that
            # was called home by the rules of the patrol is on its way.
            if self.early is None if turned else self._vehicle.telemetry.mode != mode:
                raise
        finally:
            if not asked.answer.done():
                asked.answer.set_exception(FlightError(f"{self._vehicle}: its flight ended in the middle of the order"))
                asked.answer.exception()

    async def _pause(self, _watch: FlightWatch, words: str) -> str:
        vehicle, now = self._vehicle, self._vehicle.telemetry
        if self._turn.vehicle.aircraft.has_wings:
            raise FlightError(f"{vehicle}: has wings, and stops on a circle that nobody has looked at: let it return")
        if not self.free_for_errand or now.mode != vehicle.dialect.mission_mode:
            raise FlightError(f"{vehicle}: is {self._state} in mode {now.mode}: it stops on its patrol alone")
        if now.above_home_m is None or now.above_home_m < _LOWEST_M:
            raise FlightError(f"{vehicle}: is lower than {_LOWEST_M:g} m above home: it does not stop there")
        here = self._orders.here()
        north, east, _ = now.velocity_ned_m_s or (0.0, 0.0, 0.0)
        (await self._orders.area()).check_diversion(here, here, (east, north), _ORDER_S)
        await vehicle.pause()
        self._paused_s = self._shift.now_s()
        self._tell(Happening.PAUSED, words)
        return f"stands in the air for {self._shift.rules.pause_s:g} s at most"

    async def _mind_pause(self) -> None:
        if self._paused_s is None:
            await self._recall("it was paused when the ground station was lost")
        elif self._vehicle.telemetry.mode == self._vehicle.dialect.mission_mode:
            self._tell(Happening.RESUMED, "somebody else let it go on")
        elif self._shift.now_s() - self._paused_s > self._shift.rules.pause_s:
            await self._recall(f"nobody let it go on within {self._shift.rules.pause_s:g} s")

    async def _resume(self, watch: FlightWatch, words: str) -> str:
        if self._state is State.ON_CUE and self._turn.number >= 0:
            if self._errand is not None and self._there_s is not None:
                self._errand.visit.stayed = True  # who lets it go on has seen enough
            self._miss_errand(words)
            after = "a cue"
        elif self._state is State.PAUSED:
            after = "a pause"
        else:
            raise FlightError(f"{self._vehicle}: is {self._state}: there is nothing to go on with")
        await self._go_on(watch, after)
        if self.early is not None:
            raise FlightError(f"{self._vehicle}: {self.early}: it comes home")
        return "goes on with its patrol"

    async def _return(self, watch: FlightWatch, words: str) -> str:
        if self._state is not State.RETURNING:
            await self._recall(words)
            return "comes home"
        dialect, mode = self._vehicle.dialect, self._vehicle.telemetry.mode
        if mode == dialect.return_mode or (mode == dialect.mission_mode and watch.lands):
            return "comes home already"
        # It lands where it is, or somebody else has stopped it on its way.
        if self._short_wh() > 0:
            raise FlightError(f"{self._vehicle}: its battery does not take it home: it lands where it is")
        await self._vehicle.return_home()
        self.early = words
        return "comes home"

    async def _land(self, _watch: FlightWatch, words: str) -> str:
        await self._vehicle.land()
        self.leave(words)
        self.early = words
        if self._state is not State.RETURNING:
            self._tell(Happening.RECALLED, words)
        return "lands where it is"
