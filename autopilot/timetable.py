"""Who takes off when in a shift that does not go by the book: the plan's flights, put off by what really happens.

A flight takes off at its time or as soon after it as may be: when its base is free, when nobody in the air comes nearer
than the plan's separation, and no sooner after the last flight over the same stretch than the plan has it, so that one
that is late puts off those behind it and the looks stay evenly spaced. A flight that is so late that the next of the
same vehicle is due as well is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from autopilot.cue import Visit
from missions import Flight, LaunchBook, PatrolPlan, PlanOptions, Sortie, Vehicle

__all__ = ["Timetable", "Turn"]

_SAME_S = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """One take-off that is to come.

    Parameters
    ----------
    plan, number
        Of which plan of the shift, from 0, and its number among the flights of that plan; -1 for one of no plan.
    sortie, vehicle
        What is flown, and who flies it.
    start_s
        When it was planned, seconds of the shift.
    visit
        Of a flight to a cue: where it is noted how far it has come.
    """

    plan: int
    number: int
    sortie: Sortie
    vehicle: Vehicle
    start_s: float
    visit: Visit = field(default_factory=Visit)


class Timetable:
    """The take-offs of a shift: those to come, and those that were.

    Parameters
    ----------
    options
        Separation, launch interval, length of the shift.
    end_s
        No flight is planned to take off after this, seconds of the shift.
    """

    def __init__(self, options: PlanOptions, end_s: float) -> None:
        self._options, self.end_s = options, end_s
        self._turns: list[Turn] = []
        self._numbers: dict[int, int] = {}
        self._sorties: list[Sortie] = []
        self._book = LaunchBook((), options)
        self._entered: dict[Turn, Flight] = {}
        self._gap_s: dict[int, float] = {}
        self._last_s: dict[int, float] = {}
        self.left_out: list[Turn] = []

    def take_over(self, plan: PatrolPlan, number: int, origin_s: float, flown: Iterable[int] = ()) -> None:
        """Fly a plan from now on: its flights replace those to come but such as are of no plan; what flies goes on.

        Parameters
        ----------
        plan, number
            The plan and its number in the shift.
        origin_s
            When its times begin, seconds of the shift.
        flown
            Numbers of its flights that are behind us.
        """
        vehicles = {vehicle.sysid: vehicle for vehicle in plan.fleet.vehicles}
        behind = set(flown)
        ordered = [turn for turn in self._turns if turn.number < 0]
        self._turns = ordered + [
            Turn(number, n, plan.sorties[flight.sortie], vehicles[flight.sysid], origin_s + flight.start_s)
            for n, flight in enumerate(plan.flights)
            if n not in behind and origin_s + flight.start_s <= self.end_s
        ]
        starts: dict[int, list[float]] = {}
        for flight in plan.flights:
            starts.setdefault(flight.sortie, []).append(flight.start_s)
        self._gap_s = {
            id(plan.sorties[k]): min((b - a for a, b in pairwise(sorted(own))), default=0.0)
            for k, own in starts.items()
        }
        self._know([*plan.sorties, *(turn.sortie for turn in ordered)])

    def _know(self, sorties: Iterable[Sortie]) -> None:
        """Make a book in which these can be entered, beside those that were."""
        flown = [turn.sortie for turn in self._entered]
        self._sorties = list({id(sortie): sortie for sortie in (*flown, *sorties)}.values())
        self._numbers = {id(sortie): k for k, sortie in enumerate(self._sorties)}
        self._book = LaunchBook(self._sorties, self._options)
        for turn, flight in self._entered.items():
            self._entered[turn] = self._book.enter(self._number(turn), turn.vehicle, flight.start_s)

    def _number(self, turn: Turn) -> int:
        return self._numbers[id(turn.sortie)]

    @property
    def empty(self) -> bool:
        """Whether no flight is to come."""
        return not self._turns

    def next_of(self, sysid: int, now_s: float) -> Turn | None:
        """The next flight of a vehicle; None where it has none. What is too late for it is left out."""
        own = [turn for turn in self._turns if turn.vehicle.sysid == sysid]
        while len(own) > 1 and own[1].start_s <= now_s and own[0].number >= 0:
            self.leave_out(own.pop(0))
        return own[0] if own else None

    def ordered(self, sysid: int) -> Turn | None:
        """The flight to a cue that a vehicle is given and has not begun; None where it has none."""
        return next((turn for turn in self._turns if turn.vehicle.sysid == sysid and turn.number < 0), None)

    def find(self, plan: int, number: int) -> Turn | None:
        """The flight to come with a number in a plan; None where it is not to come."""
        return next((turn for turn in self._turns if (turn.plan, turn.number) == (plan, number)), None)

    def holds(self, turn: Turn) -> bool:
        """Whether a flight is to come still."""
        return turn in self._turns

    def leave_out(self, turn: Turn) -> None:
        """A flight is too late to be flown."""
        self._turns.remove(turn)
        self.left_out.append(turn)
        turn.visit.leave("its flight there was left out: too late")

    def add(self, turn: Turn) -> None:
        """One more flight, ahead of all others of its vehicle."""
        self._turns.insert(0, turn)
        self._know([*self._sorties, turn.sortie])

    def withdraw(self, sysid: int) -> list[Turn]:
        """Take all flights to come from a vehicle; those that it had."""
        gone = [turn for turn in self._turns if turn.vehicle.sysid == sysid]
        self._turns = [turn for turn in self._turns if turn.vehicle.sysid != sysid]
        for turn in gone:
            turn.visit.leave("its flight there was taken from it")
        return gone

    def earliest_s(self, turn: Turn, now_s: float) -> float:
        """The first moment from now on at which a flight may take off, seconds of the shift. Raises PlanError."""
        last_s = self._last_s.get(id(turn.sortie), -math.inf)
        due_s = max(now_s, turn.start_s, last_s + self._gap_s.get(id(turn.sortie), 0.0))
        return self._book.place(self._number(turn), turn.vehicle, due_s)

    def took_off(self, turn: Turn, at_s: float) -> None:
        """Enter a take-off; the flight is no longer to come."""
        if turn in self._turns:
            self._turns.remove(turn)
        if id(turn.sortie) not in self._numbers:
            self._know([*self._sorties, turn.sortie])
        self._entered[turn] = self._book.enter(self._number(turn), turn.vehicle, at_s)
        self._last_s[id(turn.sortie)] = at_s

    def came_to_nothing(self, turn: Turn) -> None:
        """Take back a take-off that did not come about."""
        flight = self._entered.pop(turn, None)
        if flight is not None:
            self._book.leave(flight)
            before = [f.start_s for t, f in self._entered.items() if t.sortie is turn.sortie]
            self._last_s[id(turn.sortie)] = max(before, default=-math.inf)
