"""Fly a patrol for a shift: who takes off when, who relieves whom, what is done when one fails, and after a restart."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any

from autopilot.cue import Answer, Cue
from autopilot.errors import AutopilotError, FlightError
from autopilot.journal import Flown, Journal, Past
from autopilot.limits import FlightLimits, FlightProgress
from autopilot.link import Link
from autopilot.patrol_crew import Crew, LastFlight
from autopilot.patrol_cues import CueDesk
from autopilot.patrol_orders import OrderDesk
from autopilot.patrol_report import PatrolReport, Replanned
from autopilot.patrol_rules import PatrolRules
from autopilot.patrol_states import ALOFT, Duty, Happening, State
from autopilot.pilot_order import PilotOrder, Told
from autopilot.shift import Shift
from autopilot.signing import Signing
from autopilot.sortie import Flight
from autopilot.station import Display, all_heard, now_us, open_links
from autopilot.task import check_grounded, links_of
from autopilot.timetable import Timetable, Turn
from autopilot.timing import Timing
from autopilot.vehicle import Vehicle
from autopilot.watch import BorderWatch
from geo import Terrain
from missions import Dialect, MissionsError, Objective, PatrolPlan, replan

__all__ = ["Patrol", "fly_patrol"]


async def fly_patrol(
    plan: PatrolPlan,
    urls: Sequence[str],
    *,
    dialect: Dialect = "ardupilot",
    hours: float | None = None,
    time_scale: float = 1.0,
    terrain: Terrain | None = None,
    rules: PatrolRules | None = None,
    limits: FlightLimits | None = None,
    timing: Timing | None = None,
    journal: Path | None = None,
    log_dir: Path | None = None,
    heartbeat: bool = True,
    system_id: int = 255,
    signing: Signing | None = None,
    progress: Callable[[FlightProgress], None] | None = None,
    told: Callable[[Duty, str], None] | None = None,
    begun: Callable[[Patrol], None] | None = None,
    stop: asyncio.Event | None = None,
    met: Callable[[Vehicle], None] | None = None,
) -> PatrolReport:
    """Fly the flights of a plan for a shift, each vehicle its own at their times.

    A flight is prepared in time to be ready when it is due, and takes off only when its checks hold, its lists were
    proved by read-back, and nobody in the air comes too near; one that is late puts off those behind it. A vehicle that
    is not heard is watched by the clock and goes on when it is heard again; one whose battery just takes it home is
    called home; one that fails is brought home, is out of the patrol until a person says otherwise, and the rest of the
    shift is planned anew for the others.

    Parameters
    ----------
    plan
        What to fly.
    urls
        One link for each vehicle of the plan's fleet, in the order of system ids; or a single one that all share.
    dialect
        Autopilot of the vehicles.
    hours
        Length of the shift, if not that of the plan; no longer than it.
    time_scale
        Vehicle seconds in a wall second: 1 in the air. Above that a shift that begins does so when its vehicles were
        heard, or as long after as `limits` gives them to connect.
    terrain
        The ground that the plan was made on, to plan anew, and for vehicles that ask for heights of it; level, as in
        the plan, and none for vehicles by default.
    rules, limits, timing
        How the patrol is flown, when a sortie is given up, how long to wait for answers.
    journal
        File that a ground station which starts anew reads: with it the same call goes on with the shift. None for none.
    log_dir
        Folder for the logs of each sortie, as `sortie_log` names them, or None.
    heartbeat, system_id
        Whether we are the ground station and send our heartbeat, and our system id: the one that the vehicles wait for.
    signing
        MAVLink 2 signing on every link, or None.
    progress, told
        Called as flights go on, and with each change of a vehicle; where they raise the patrol goes on without them.
    begun
        Handed the patrol once it flies, for orders on the way: cues, and vehicles that may fly again.
    met
        Handed each vehicle once it is connected, to look at its telemetry now and then and to order nothing; where it
        raises the flight goes on without it.
    stop
        Ends the patrol in good order: what flies is brought home.

    Returns
    -------
    PatrolReport
        Of this run; flights before a restart are in the journal.

    Raises
    ------
    FlightError
        When links and vehicles do not match, the shift is none, or the journal is of another plan or spoilt.
    LinkError
        When the URL of a link is not understood, or two links would share a socket or a port.
    """
    rules, limits = rules or PatrolRules(), limits or FlightLimits()
    check_grounded(plan)
    links_by_sysid = links_of(plan, urls)
    end_s = _end_s(plan, hours)
    display = Display(progress)
    tell = _Teller(told)
    flight = Flight(
        timing or Timing(time_scale=time_scale),
        limits,
        BorderWatch(plan.borders) if plan.borders else None,
        display.show,
        stop or asyncio.Event(),
        heartbeat,
        log_dir,
        terrain is not None,
        met=met,
        wind=plan.options.wind,
        ceiling_agl_m=plan.options.ceiling_agl_m,
    )
    simulated = time_scale > 1.0 and not _written(journal)
    async with AsyncExitStack() as stack:
        # A journal that cannot be gone on with is refused before anything is heard of us.
        book, past = (None, None) if simulated else _opened(journal, plan, dialect)
        if book is not None:
            stack.callback(book.close)
        links = await open_links(
            links_by_sysid.values(),
            stack,
            system_id=system_id,
            heartbeat=heartbeat,
            time_scale=time_scale,
            signing=signing,
            terrain=terrain,
            told=flight.notes.append,
        )
        mine = {sysid: (url, links[url]) for sysid, url in links_by_sysid.items()}
        if book is None or past is None:
            # Simulated crews are not late for the seconds that their simulator, and this program, take to start.
            await all_heard({sysid: link for sysid, (_, link) in mine.items()}, flight)
            book, past = _opened(journal, plan, dialect)
            stack.callback(book.close)
        shift = Shift(
            plan,
            dialect,
            past.origin_us,
            flight=flight,
            rules=rules,
            journal=book,
            timetable=Timetable(plan.options, end_s),
            told=tell.tell,
        )
        patrol = Patrol(shift, mine, terrain, past.orders)
        if begun is not None:
            begun(patrol)
        await patrol.run(past)
        said = [note for note in (*flight.notes, display.failure, tell.failure, book.failure) if note is not None]
        return patrol.report(said)


def _end_s(plan: PatrolPlan, hours: float | None) -> float:
    """Until when flights take off, seconds of the shift; of one coverage each is flown, however late."""
    if plan.options.objective is Objective.ONCE:
        if hours is not None:
            raise FlightError("the plan is one coverage, flown whole: leave the hours out, or plan for revisits")
        return math.inf
    longest = plan.options.shift_s
    if hours is None:
        return longest
    if not 0 < 3600 * hours <= longest:
        raise FlightError(
            f"a shift of {hours:g} h: the plan has {longest / 3600:g} h, give more than 0 and no more than that"
        )
    return 3600 * hours


def _written(path: Path | None) -> bool:
    """Whether there is a journal to go on with."""
    return path is not None and path.exists() and path.stat().st_size > 0


def _opened(path: Path | None, plan: PatrolPlan, dialect: Dialect) -> tuple[Journal, Past]:
    """The journal of the shift, new or gone on with, and what it says."""
    if path is not None and _written(path):
        journal, past = Journal.go_on(path, plan)
        if past.dialect != dialect:
            journal.close()
            raise FlightError(f"{path}: is of vehicles that fly {past.dialect}, not {dialect}: give their dialect")
        return journal, past
    past = Past(now_us(), dialect, [(plan, 0.0)])
    journal = Journal.begin(path, past.origin_us, dialect)
    journal.plan(plan, 0.0)
    return journal, past


class _Teller:
    """Tells the caller of changes, and never lets the caller's trouble come back into a patrol."""

    def __init__(self, told: Callable[[Duty, str], None] | None) -> None:
        self._told = told
        self.failure: str | None = None

    def tell(self, duty: Duty, why: str) -> None:
        """Tell of a change; nothing once that has failed."""
        if self._told is None:
            return
        try:
            self._told(duty, why)
        except Exception as error:  # noqa: BLE001  whatever the caller does there
            self._told = None
            self.failure = f"changes were told no further: {error!r}"


class Patrol:
    """A patrol that flies: what a person may order on the way.

    Parameters
    ----------
    shift
        What all vehicles share.
    links
        URL and link of each vehicle, by system id.
    terrain
        The ground, to plan anew.
    orders
        What came of the orders of pilots before the ground station was started anew, by their ids.

    Attributes
    ----------
    broken_off
        Orders that the ground station before this one began, and of which it did not say what came of them.
    """

    def __init__(
        self,
        shift: Shift,
        links: dict[int, tuple[str, Link | AutopilotError]],
        terrain: Terrain | None,
        orders: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.shift = shift
        self._terrain = terrain
        vehicles = {vehicle.sysid: vehicle for vehicle in shift.plans[0].fleet.vehicles}
        self.crews = {sysid: Crew(shift, vehicles[sysid], *links[sysid], lost=self._lost) for sysid in sorted(links)}
        self._replans: list[Replanned] = []
        self._notes: list[str] = []
        self._again: str | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._desk = CueDesk(shift, self.crews, terrain, self._start)
        self._orders = OrderDesk(shift, self.crews, self._desk, self._start)
        self._orders.carried.update(orders)
        self.broken_off = tuple(name for name, state in orders.items() if state in {"taken", "accepted"})

    def may_fly(self, sysid: int) -> None:
        """A person's word: a vehicle that failed was looked at and may fly again. Raises FlightError for any other."""
        if sysid not in self.crews:
            raise FlightError(f"the patrol has no vehicle {sysid}: it has {', '.join(map(str, self.crews))}")
        if self.shift.duties[sysid].state is not State.FAULT or sysid in self.shift.busy:
            raise FlightError(f"vehicle {sysid} is not on the ground with a fault: there is nothing to clear")
        self.crews[sysid].failure = None
        self.shift.tell(sysid, Happening.CLEARED)
        self._plan_anew(f"with vehicle {sysid} again")

    async def cue(self, cue: Cue) -> Answer:
        """Send the vehicle to a cue that sees it soonest. The patrol goes on without it, and has it back after."""
        return await self._desk.give(cue)

    def order(self, sysid: int, order: PilotOrder, told: Told) -> None:
        """Carry out an order of a pilot beside the flights, once however often it is given; `told` hears of it."""
        self._orders.give(sysid, order, told)

    async def run(self, past: Past) -> None:
        """Fly until the shift is over."""
        last = self._remember(past)
        async with asyncio.TaskGroup() as group:
            for sysid, crew in self.crews.items():
                group.create_task(crew.work(last.get(sysid)))
        for task in tuple(self._tasks):
            await task

    def report(self, notes: Iterable[str] = ()) -> PatrolReport:
        """What came of it."""
        left_out = [
            f"vehicle {turn.vehicle.sysid}: {turn.sortie.name}, planned {turn.start_s / 60:.1f} min after the start, "
            "was left out: too late"
            for turn in self.shift.timetable.left_out
        ]
        return PatrolReport(
            tuple(crew.report() for crew in self.crews.values()),
            self.shift.origin_us,
            now_us(),
            self.shift.flight.timing.time_scale,
            tuple(self._replans),
            tuple(left_out),
            tuple(self._desk.said),
            (*self._notes, *notes),
            self.shift.stopped,
        )

    # After a restart.

    def _remember(self, past: Past) -> dict[int, LastFlight]:
        """Put the board and the timetable as the journal has them; the last flight of each vehicle."""
        shift = self.shift
        origin_s = past.plans[-1][1]
        shift.plans[:] = [shift.plans[0], *(made for made, _ in past.plans[1:])]
        turns = {(f.plan, f.number): self._turn_of(f, past) for f in past.flown if f.number >= 0}
        current = len(past.plans) - 1
        behind = [f.number for f in past.flown if f.plan == current]
        shift.timetable.take_over(shift.plans[-1], current, origin_s, behind)
        for gone in sorted(past.flown, key=lambda f: f.took_off_s or 0.0):
            turn = turns.get((gone.plan, gone.number))
            if turn is not None and gone.took_off_s is not None:
                shift.timetable.took_off(turn, gone.took_off_s)
        last = {}
        for sysid, duty in past.duties.items():
            shift.put(duty, "as the journal has it")
            if duty.state is State.FAULT:
                self.crews[sysid].failure = "it failed before the ground station was started anew"
                if shift.timetable.withdraw(sysid):
                    self._plan_anew(f"without vehicle {sysid}, which failed before")
            given = past.flights.get(sysid, Flown(-1, -1))
            key = given.plan, given.number
            turn = turns.get(key) or shift.timetable.find(*key)
            last[sysid] = LastFlight(turn, given.took_off_s, frozenset(past.reached.get(sysid, ())))
        return last

    def _turn_of(self, flown: Flown, past: Past) -> Turn:
        made, begin_s = past.plans[flown.plan]
        flight = made.flights[flown.number]
        sortie = self.shift.plans[flown.plan].sorties[flight.sortie]
        who = self.crews[flight.sysid].planned
        return Turn(flown.plan, flown.number, sortie, who, begin_s + flight.start_s)

    # Planned anew.

    def _lost(self, sysid: int, why: str) -> None:
        self._desk.lost(sysid, why)
        if self.shift.timetable.withdraw(sysid):
            self._plan_anew(f"without vehicle {sysid}, {why}")

    def _plan_anew(self, why: str) -> None:
        """Plan the rest of the shift for those who serve, beside the loop: the others fly on meanwhile."""
        self._again = why
        if not self.shift.planning and not self.shift.stopped:
            self.shift.planning = True
            self._start(self._planned_anew())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the flights; the patrol waits for it at its end."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _planned_anew(self) -> None:
        shift = self.shift
        try:
            while self._again is not None:
                why, self._again = self._again, None
                left = shift.serving()
                now_s = shift.now_s()
                # Its times begin when the first of them can take off.
                origin_s = max(now_s, min((self._free_s(sysid) for sysid in left), default=now_s))
                try:
                    made = await asyncio.to_thread(replan, shift.plans[0], left, origin_s, self._terrain)
                except (MissionsError, ValueError) as error:
                    self._replans.append(Replanned(now_s, tuple(left), why, None, str(error)))
                    continue
                shift.plans.append(made)
                shift.timetable.take_over(made, len(shift.plans) - 1, origin_s)
                shift.journal.plan(made, origin_s)
                self._replans.append(Replanned(now_s, tuple(left), why, made.revisit_s, None))
        except Exception as error:  # noqa: BLE001  planning must not end the watch over those who fly
            self._notes.append(f"the patrol was not planned anew for a fault in this program, {error!r}: report it")
        finally:
            shift.planning = False
            shift.pulse()

    def _free_s(self, sysid: int) -> float:
        """When a vehicle may take off again, seconds of the shift."""
        crew, turn_round_s = self.crews[sysid], self.crews[sysid].planned.aircraft.turn_round_s
        if self.shift.duties[sysid].state in ALOFT and crew.conduct is not None:
            return crew.conduct.down_s + turn_round_s
        return crew.free_s
