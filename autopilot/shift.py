"""The shift that all vehicles of a patrol share: its clock, its board, its timetable, and who is told of what."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator

from autopilot.journal import Flown, Journal
from autopilot.patrol_report import Change
from autopilot.patrol_rules import PatrolRules
from autopilot.patrol_states import Duty, Happening, after
from autopilot.sortie import Flight
from autopilot.station import now_us
from autopilot.timetable import Timetable, Turn
from missions import Dialect, Mission, PatrolPlan, Sortie, compile_mission

__all__ = ["Shift"]

_LOOK_WALL_S = 0.25
_LEAD_WALL_S, _PROOF_WALL_S = 3.0, 1.0  # what a busy machine and a network need, however fast a simulation runs


class Shift:
    """What all vehicles of a patrol share.

    Parameters
    ----------
    plan, dialect
        The plan of the whole shift with the whole fleet, and the autopilot of its vehicles.
    origin_us
        When the shift began, UTC microseconds since the Unix epoch.
    flight, rules, journal, timetable
        How sorties are flown, how the patrol is, what is written of it, who takes off when.
    told
        Called with each change of a vehicle, and why.

    Attributes
    ----------
    plans
        The plans of the shift so far; the last is the one that is flown.
    duties, changes
        Where each vehicle stands, and how it came to that, by system id.
    busy
        Who is not at rest: in the air, or on the ground with something to do.
    """

    def __init__(
        self,
        plan: PatrolPlan,
        dialect: Dialect,
        origin_us: int,
        *,
        flight: Flight,
        rules: PatrolRules,
        journal: Journal,
        timetable: Timetable,
        told: Callable[[Duty, str], None],
    ) -> None:
        self.plans, self.dialect, self.origin_us = [plan], dialect, origin_us
        self.flight, self.rules, self.journal, self.timetable = flight, rules, journal, timetable
        self.duties = {vehicle.sysid: Duty(vehicle.sysid) for vehicle in plan.fleet.vehicles}
        self.changes: dict[int, list[Change]] = {sysid: [] for sysid in self.duties}
        self.busy: set[int] = set()
        self.planning = False
        self._answering = 0
        self._told = told
        self._pulse = asyncio.Event()
        self._missions: dict[int, tuple[Sortie, Mission]] = {}
        # The wall clock may be set while we fly; the loop's may not.
        self._begun = asyncio.get_running_loop().time(), (now_us() - origin_us) / 1e6 * flight.timing.time_scale

    def now_s(self) -> float:
        """Seconds of the shift, at the pace of the vehicles."""
        loop_s, shift_s = self._begun
        return shift_s + (asyncio.get_running_loop().time() - loop_s) * self.flight.timing.time_scale

    @property
    def lead_s(self) -> float:
        """How long before its take-off a flight is prepared, seconds of the shift."""
        return max(self.rules.lead_s, _LEAD_WALL_S * self.flight.timing.time_scale)

    @property
    def proof_s(self) -> float:
        """How long before its take-off a flight is proved once more, seconds of the shift."""
        return max(self.rules.proof_s, _PROOF_WALL_S * self.flight.timing.time_scale)

    @property
    def stopped(self) -> bool:
        """Whether the patrol was told to stop."""
        return self.flight.stop.is_set()

    @property
    def over(self) -> bool:
        """Whether nothing is left to do, and nobody can give anybody anything to do."""
        idle = self.timetable.empty and not self.busy and not self.planning and not self._answering
        return self.stopped or idle

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """While somebody may still be given something to do, the shift is not over."""
        self._answering += 1
        try:
            yield
        finally:
            self._answering -= 1
            self.pulse()

    def pulse(self) -> None:
        """Wake all who wait: something has changed."""
        self._pulse.set()
        self._pulse = asyncio.Event()

    async def wait(self, until_s: float | None = None) -> None:
        """Wait for a change, a time of the shift, or a short while in which the stop may be given."""
        left_s = _LOOK_WALL_S
        if until_s is not None:
            left_s = min(max((until_s - self.now_s()) / self.flight.timing.time_scale, 0.0), left_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left_s):
                await self._pulse.wait()

    def tell(
        self, sysid: int, happening: Happening, why: str = "", *, sortie: str | None = None, flown: Flown | None = None
    ) -> None:
        """Something happened to a vehicle. Raises FlightError where that cannot be."""
        self._enter(after(self.duties[sysid], happening, sortie), why or str(happening), flown)

    def tell_silence(self, sysid: int, *, silent: bool, expected: str, flown: Flown | None = None) -> None:
        """A vehicle is not heard any more, or again; `expected` is what it does by itself meanwhile."""
        duty = self.duties[sysid]
        if duty.silent is not silent:
            now = Duty(sysid, duty.state, duty.sortie, silent)
            self._enter(
                now, f"it is not heard and watched by the clock: {expected}" if silent else "it is heard again", flown
            )

    def put(self, duty: Duty, why: str) -> None:
        """Take over where a vehicle stands, from the journal of a station that is gone."""
        self._enter(duty, why, None)

    def _enter(self, duty: Duty, why: str, flown: Flown | None) -> None:
        now_s = self.now_s()
        self.duties[duty.sysid] = duty
        self.changes[duty.sysid].append(Change(round(now_s, 3), str(duty.state), duty.silent, why))
        self.journal.state(now_s, duty, why, flown)
        self._told(duty, why)
        self.pulse()

    async def mission_of(self, turn: Turn) -> Mission:
        """The mission of a flight, compiled once, beside the loop: a fence takes a while. Raises MissionError."""
        known = self._missions.get(id(turn.sortie))
        if known is None:
            made = await asyncio.to_thread(compile_mission, self.plans[turn.plan], turn.sortie, self.dialect)
            known = self._missions[id(turn.sortie)] = turn.sortie, made
        return known[1]

    def keep_mission(self, sortie: Sortie, mission: Mission) -> None:
        """A mission that is not simply that of its sortie."""
        self._missions[id(sortie)] = sortie, mission

    def serving(self) -> list[int]:
        """System ids of those whom the patrol may count on."""
        return sorted(sysid for sysid, duty in self.duties.items() if duty.serves)
