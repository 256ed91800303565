"""One flight of a patrol at its steps: launched on schedule, watched by the plan's rules, called home by them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from autopilot.conduct import Conduct
from autopilot.errors import AutopilotError, CommandError, FlightError
from autopilot.journal import Flown
from autopilot.orders import Orders
from autopilot.patrol_battery import Charge
from autopilot.patrol_states import Happening, State
from autopilot.shift import Shift
from autopilot.timetable import Turn
from autopilot.vehicle import Vehicle
from autopilot.watch import FlightWatch, places
from missions import LegKind, Mission, MissionItem, Sortie, legs_behind

__all__ = ["STOPPED", "PatrolConduct", "WithdrawnError"]

STOPPED = "the ground station was told to stop"
_SILENT_S = 10.0
_HOME_M = 30.0  # farther from where it took off no crew waits for it
_LINK_LOSS_S = 60.0  # after a silence the failsafe of the vehicle is believed to have acted on it
_PROOF_HOLDS_S = 30.0


class WithdrawnError(AutopilotError):
    """A flight that was taken from its vehicle before it took off."""


class PatrolConduct(Conduct):
    """One flight of a patrol.

    Parameters
    ----------
    shift, turn, vehicle, mission
        Which flight, who flies it, and what it was given for it.
    failed
        Told what went wrong as soon as it is known, while the vehicle is brought home.
    orders
        What gives it orders beside its mission, within its fence.
    took_off_s
        When it took off, where it is in the air already.

    Attributes
    ----------
    took_off_s, on_task_s
        Take-off and beginning of the patrol, seconds of the shift; None before.
    early
        Why it comes home early by the rules of the patrol; that is no fault.
    withdrawn
        Whether the flight was taken from it on the ground.
    """

    def __init__(
        self,
        shift: Shift,
        turn: Turn,
        vehicle: Vehicle,
        mission: Mission,
        *,
        failed: Callable[[str], None],
        orders: Orders,
        took_off_s: float | None = None,
    ) -> None:
        self._shift, self._turn, self._vehicle, self._mission = shift, turn, vehicle, mission
        self._failed, self._orders = failed, orders
        self.took_off_s = took_off_s
        self.on_task_s: float | None = None
        self.early: str | None = None
        self.withdrawn = False
        self._watch: FlightWatch | None = None
        self._launched = took_off_s is not None
        self._told: set[int] = set()
        self._charge = Charge(turn.vehicle, turn.sortie)
        self._heard_again_s = -1e9
        self._gives_way = False
        self._when_unheard = "what it does is not known"

    # On the ground.

    def unheard(self, act: str) -> None:
        """To be told when it is silent."""
        self._when_unheard = act

    async def turn(self, watch: FlightWatch) -> None:
        """Ready; returns a little before its time. Raises WithdrawnError."""
        self._watch = watch
        self._tell(Happening.CHECKED)
        await self._due(self._shift.proof_s)

    async def clear(self, watch: FlightWatch) -> None:
        """Proved; returns at its time, with its take-off entered. Raises WithdrawnError, and as `Vehicle.prove`."""
        self._watch, shift = watch, self._shift
        while True:
            proved_s = shift.now_s()
            await self._due(0.0)
            if shift.now_s() - proved_s <= max(_PROOF_HOLDS_S, 2 * shift.proof_s):
                break
            await self._vehicle.prove()
        self.took_off_s = shift.now_s()
        shift.timetable.took_off(self._turn, self.took_off_s)
        # A station that is lost while it arms finds the flight in the journal.
        shift.journal.state(self.took_off_s, shift.duties[self._turn.vehicle.sysid], "it is told to arm", self.flown)
        shift.pulse()

    async def _due(self, ahead_s: float) -> None:
        """Until it may take off, or `ahead_s` seconds before. Others that are late put it off."""
        shift, turn = self._shift, self._turn
        while True:
            now_s = shift.now_s()
            if self._gives_way or not shift.timetable.holds(turn):
                self.withdrawn = True
                raise WithdrawnError(f"{turn.sortie.name}: was taken from it before it took off")
            due_s = shift.timetable.earliest_s(turn, now_s)
            if due_s > shift.timetable.end_s + shift.rules.late_s:
                shift.timetable.leave_out(turn)
                continue
            if due_s - ahead_s <= now_s:
                return
            await shift.wait(due_s - ahead_s)

    def give_way(self) -> None:
        """On the ground: to another flight of its vehicle; this one is flown after it."""
        self._gives_way = True
        self._shift.pulse()

    # In the air.

    @property
    def fence(self) -> tuple[MissionItem, ...]:
        """The fence that it was proved to hold."""
        return self._mission.fence

    @property
    def rally(self) -> tuple[MissionItem, ...]:
        """The rally points that it was given with it."""
        return self._mission.rally

    @property
    def sortie(self) -> Sortie:
        """What it flies."""
        return self._turn.sortie

    @property
    def flown(self) -> Flown:
        """What the journal has of it."""
        took_off = None if self.took_off_s is None else round(self.took_off_s, 3)
        return Flown(self._turn.plan, self._turn.number, took_off)

    def _tell(self, happening: Happening, why: str = "") -> None:
        self._shift.tell(self._turn.vehicle.sysid, happening, why, flown=self.flown)

    @property
    def _state(self) -> State:
        return self._shift.duties[self._turn.vehicle.sysid].state

    async def look(self, watch: FlightWatch) -> None:
        """Where it is in its patrol, and whether it has to come home. Raises FlightError where it does not obey."""
        self._watch = watch
        if not self._launched:
            self._launched = True
            self._tell(Happening.LAUNCHED)
        self._listen()
        self._note_places(watch)
        if self._shift.duties[self._turn.vehicle.sysid].silent:
            return
        # One that came home in a silence may be down when it is heard again.
        self._note_own_return(watch)
        if watch.ended:
            return
        await self._mind_battery()
        await self._beside(watch)

    async def _beside(self, watch: FlightWatch) -> None:
        """What it does beside its patrol: nothing."""

    def _listen(self) -> None:
        silent = self._vehicle.silent_s > self._vehicle.timing.wall_s(_SILENT_S)
        sysid = self._turn.vehicle.sysid
        if self._shift.duties[sysid].silent and not silent:
            self._heard_again_s = self._shift.now_s()
        self._shift.tell_silence(sysid, silent=silent, expected=self._when_unheard, flown=self.flown)

    def bears(self, silent_wall_s: float) -> bool:
        """A silence is waited out until it must be down by its plan, and some time more."""
        del silent_wall_s  # it is the plan that says how long
        return self._shift.now_s() < self.down_s + self._shift.rules.silence_s

    @property
    def down_s(self) -> float:
        """When it is down by its plan, seconds of the shift."""
        begun_s = self._shift.now_s() if self.took_off_s is None else self.took_off_s
        return begun_s + self._turn.sortie.duration_s

    @cached_property
    def _stages(self) -> tuple[int | None, int | None]:
        """Items at which its patrol, or its stay at a cue, begins and is flown to the end; None where it has none."""
        sortie = self._turn.sortie
        legs = [k for k, leg in enumerate(sortie.legs) if leg.kind in {LegKind.PATROL, LegKind.STATION}]
        if not legs:
            return None, None
        behind = {place.seq: legs_behind(self._mission, sortie, place.seq) for place in places(self._mission)}
        return (
            next((seq for seq, done in behind.items() if done >= legs[0]), None),
            next((seq for seq, done in behind.items() if done > legs[-1]), None),
        )

    def _note_places(self, watch: FlightWatch) -> None:
        reached = {item.seq for item in watch.reached}
        if reached - self._told:
            self._shift.journal.reached(self._turn.vehicle.sysid, reached - self._told)
            self._told |= reached
        begin, end = self._stages
        to_cue = self._turn.number < 0
        if self._state is State.OUTBOUND and begin in reached:
            self.on_task_s = self._shift.now_s()
            self._turn.visit.there = to_cue
            self._tell(Happening.CUED if to_cue else Happening.ARRIVED)
        if self._state is (State.ON_CUE if to_cue else State.ON_TASK) and end in reached:
            self._turn.visit.stayed = to_cue
            self._tell(Happening.HOMEWARD if to_cue else Happening.PATROLLED)
        if self._state is State.RELIEVED and not watch.skipped:
            self._tell(Happening.HOMEWARD)

    def _note_own_return(self, watch: FlightWatch) -> None:
        dialect, telemetry = self._vehicle.dialect, self._vehicle.telemetry
        unheard = self._shift.now_s() - self._heard_again_s < _LINK_LOSS_S
        # PX4 leaves the mode in which it came home when it disarms.
        down = unheard and watch.ended and not watch.ended_in_air
        lands = watch.landing_by_mission and bool(watch.skipped)
        homeward = down or lands or telemetry.mode in {dialect.return_mode, dialect.land_mode}
        if not homeward or self._state is State.RETURNING or not watch.missed:
            return
        why = "it came down by itself" if down else f"it comes home in {telemetry.mode} by itself"
        if unheard:
            self.early = why = f"{why} after the link was lost"
        elif self._short_wh(1.5) > 0:
            self.early = why = f"{why}, its battery at {telemetry.battery_percent:g} %"
        self.leave(why)
        self._tell(Happening.RECALLED, why)

    def _short_wh(self, shares: float = 1.0) -> float:
        """What its battery lacks to come straight home with a share of the reserve, watt hours; below 0 for enough."""
        begun_s = self._shift.now_s() if self.took_off_s is None else self.took_off_s
        flown_s, wind = self._shift.now_s() - begun_s, self._shift.plans[-1].options.wind
        return self._charge.short_wh(self._vehicle.telemetry, flown_s, wind, shares * self._shift.rules.reserve_share)

    async def _mind_battery(self) -> None:
        if self._state is not State.RETURNING and self._short_wh() > 0:
            percent = self._vehicle.telemetry.battery_percent
            await self._recall(f"its battery at {percent:g} % just takes it home above the reserve that is kept")

    async def _recall(self, why: str) -> None:
        self.early = why
        self.leave(why)
        self._tell(Happening.RECALLED, why)
        try:
            await self._vehicle.return_home()
        except CommandError as error:
            self.early = None
            raise FlightError(f"{self._vehicle}: was called home, {why}, and does not turn: {error}") from error

    def off(self, cause: str) -> None:
        """Anything but a withdrawal, a stop and a landing at its base that was early by the rules is a fault."""
        watch = self._watch
        self.leave(cause)
        if self._shift.stopped:
            if self._launched and not (watch is not None and watch.ended):
                self._tell(Happening.RECALLED, STOPPED)
                self.early = STOPPED
            elif not self._launched:
                self.withdrawn = True
            return
        down = watch is not None and watch.ended and not watch.ended_in_air and not watch.crossed
        if self.withdrawn:
            return
        landing = None if watch is None else watch.landing()
        away_m = 0.0 if landing is None else landing.from_home_m
        if self.early is None or not down:
            self._failed(cause)
        elif away_m > _HOME_M:
            self._failed(f"{cause}; it stands {away_m:.0f} m from where it took off: fetch it")

    def leave(self, why: str) -> None:
        """Nothing more comes of what it was to look at in this flight."""
        self._turn.visit.leave(why)
