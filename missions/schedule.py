"""Who flies when: a schedule over a shift in which aircraft relieve each other.

A team is the aircraft of one type at one base. Every aircraft of it flies all sorties of the team's stretch in turn,
one interval behind the one before it; while one is on the ground for a fresh battery the others are on the line. With m
aircraft that need W together for one round, each place is looked at every W / m. Take-offs are put off where two
aircraft would come too near, a base would launch two at once, or no charged battery is at hand. What is in the air
already goes on at once.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from missions.errors import PlanError
from missions.fleet import Base, Vehicle
from missions.options import PlanOptions
from missions.patrol import Flight, Sortie
from missions.separation import Conflicts

__all__ = ["Roster", "revisits", "schedule"]

_MOST_DELAYS = 500


@dataclass(frozen=True, slots=True)
class Roster:
    """A team and its work.

    Parameters
    ----------
    vehicles
        The aircraft, in order.
    sorties
        Numbers of the sorties of its stretch, in the order of flight.
    """

    vehicles: tuple[Vehicle, ...]
    sorties: tuple[int, ...]


def schedule(
    sorties: Sequence[Sortie], rosters: Sequence[Roster], options: PlanOptions, *, repeat: bool = True
) -> tuple[Flight, ...]:
    """Take-offs over a shift, in their order.

    Parameters
    ----------
    sorties
        All sorties of the plan.
    rosters
        Who flies which.
    options
        Shift, separation, launch interval.
    repeat
        Whether rounds are flown until the shift ends; else every sortie once.

    Raises
    ------
    PlanError
        When a take-off cannot be placed: the separation is larger than this fleet leaves room for.
    """
    book = _Book(sorties, options)
    queue: list[tuple[float, bool, int, int]] = []
    crews: list[_Crew] = []
    for roster in rosters:
        if not roster.sorties:
            continue
        for crew in _crews(roster, sorties, options, repeat=repeat):
            heapq.heappush(queue, (crew.due(0.0), not sorties[crew.current].airborne, crew.vehicle.sysid, len(crews)))
            crews.append(crew)
    while queue:
        due, _, sysid, number = heapq.heappop(queue)
        crew = crews[number]
        start = book.place(crew.current, crew.vehicle, due)
        if start >= options.shift_s and book.has_flown(crew.team):
            continue
        flight = book.enter(crew.current, crew.vehicle, start, crew.round + 1)
        if crew.advance():
            free = start + sorties[flight.sortie].duration_s + crew.vehicle.aircraft.turn_round_s
            heapq.heappush(queue, (crew.due(free), True, sysid, number))
    return tuple(sorted(book.flights, key=lambda f: (f.start_s, f.sysid)))


def revisits(flights: Sequence[Flight], count: int) -> list[float]:
    """Longest time between two looks at the stretch of each of `count` sorties, seconds; infinite with fewer looks."""
    starts: list[list[float]] = [[] for _ in range(count)]
    for flight in flights:
        starts[flight.sortie].append(flight.start_s)
    return [max((b - a for a, b in pairwise(sorted(own))), default=np.inf) for own in starts]


class _Crew:
    """One aircraft on its way through the sorties of its team."""

    def __init__(
        self, vehicle: Vehicle, team: Roster, order: Sequence[int], aligned_s: Sequence[float], round_s: float
    ) -> None:
        self.vehicle, self.team, self._order, self._aligned, self._round_s = vehicle, team, order, aligned_s, round_s
        self._next = 0
        self.round = 0

    @property
    def current(self) -> int:
        """Number of the sortie that it flies next."""
        return self._order[self._next]

    def due(self, free_s: float) -> float:
        """When its next take-off is due, free from `free_s` on."""
        return max(free_s, self._aligned[self._next] + self.round * self._round_s)

    def advance(self) -> bool:
        """Go on to the next sortie; False when there is none."""
        self._next += 1
        if self._next == len(self._order):
            self._next, self.round = 0, self.round + 1
        return self.round == 0 or self._round_s > 0


def _crews(roster: Roster, sorties: Sequence[Sortie], options: PlanOptions, *, repeat: bool) -> list[_Crew]:
    """The aircraft of a team, each at its phase of the round."""
    size = len(roster.vehicles)
    turn_round = roster.vehicles[0].aircraft.turn_round_s
    shares = _shares([sorties[k].duration_s + turn_round for k in roster.sorties], size)
    order = [k for share in shares for k in share]
    offset = np.concatenate([[0.0], np.cumsum([sorties[roster.sorties[k]].duration_s + turn_round for k in order])])
    whole, count = float(offset[-1]), len(order)
    first = 0
    out = []
    for number, (vehicle, share) in enumerate(zip(roster.vehicles, shares, strict=True)):
        launch = number * options.launch_interval_s
        if not repeat:
            if share:
                out.append(_Crew(vehicle, roster, [roster.sorties[k] for k in share], [launch] * len(share), 0.0))
            continue
        phase = number * whole / size
        places = [(first + q) % count for q in range(count)]
        aligned = [float(offset[k]) + (0.0 if q < count - first else whole) - phase for q, k in enumerate(places)]
        out.append(_Crew(vehicle, roster, [roster.sorties[order[k]] for k in places], aligned, whole))
        first += len(share)
    return out


def _shares(times: Sequence[float], size: int) -> list[list[int]]:
    """Sorties for the first round of each aircraft of a team, about equal in time, the longest share first.

    Longest first to the least loaded (Graham 1969). Flown one share after the other by every aircraft, the beginning of
    a share comes soon after the phase of the aircraft that begins with it.
    """
    shares: list[list[int]] = [[] for _ in range(size)]
    loads = [0.0] * size
    for k in sorted(range(len(times)), key=lambda k: (-times[k], k)):
        least = loads.index(min(loads))
        shares[least].append(k)
        loads[least] += times[k]
    order = sorted(range(size), key=lambda n: (-loads[n], n))
    return [sorted(shares[n]) for n in order]


class _Book:
    """Take-offs entered so far, and what they leave room for."""

    def __init__(self, sorties: Sequence[Sortie], options: PlanOptions) -> None:
        self._sorties, self._options = sorties, options
        self._conflicts = Conflicts(sorties, options.separation_m, options.separation_up_m)
        self._partners = [set(self._conflicts.partners(k).tolist()) for k in range(len(sorties))]
        self._airborne: list[list[float]] = [[] for _ in sorties]
        self._launches: dict[Base, list[float]] = {}
        self._batteries: dict[Base, list[float]] = {}
        self.flights: list[Flight] = []

    def place(self, sortie: int, vehicle: Vehicle, due_s: float) -> float:
        """The first time from `due_s` on at which a sortie may take off."""
        start = due_s
        if self._sorties[sortie].airborne:
            if self._clear(sortie, start) > start:
                raise PlanError(
                    f"{self._sorties[sortie].name}: goes on in the air nearer than "
                    f"{self._options.separation_m:.0f} m to another that does: land one of them, then resume it"
                )
            return start
        for _ in range(_MOST_DELAYS):
            moved = max(self._launch(vehicle.base, start), self._battery(vehicle, start), self._clear(sortie, start))
            if moved <= start + 1e-6:
                return start
            start = moved
        name = self._sorties[sortie].name
        raise PlanError(
            f"{name}: no take-off keeps it {self._options.separation_m:.0f} m across or "
            f"{self._options.separation_up_m:.0f} m in height from the others: lower the separation, raise the ceiling "
            "or take fewer aircraft"
        )

    def has_flown(self, team: Roster) -> bool:
        """Whether every sortie of a team has been flown once."""
        return all(self._airborne[sortie] for sortie in team.sorties)

    def enter(self, sortie: int, vehicle: Vehicle, start_s: float, number: int) -> Flight:
        """Enter a take-off."""
        flight = Flight(start_s, sortie, vehicle.sysid, number)
        self.flights.append(flight)
        insort(self._airborne[sortie], start_s)
        if not self._sorties[sortie].airborne:
            insort(self._launches.setdefault(vehicle.base, []), start_s)
        pool = self._pool(vehicle.base)
        if pool is not None:
            heapq.heapreplace(pool, start_s + self._sorties[sortie].duration_s + (vehicle.base.charge_s or 0.0))
        return flight

    def _launch(self, base: Base, start: float) -> float:
        interval = self._options.launch_interval_s
        taken = self._launches.get(base, [])
        for other in taken[bisect_left(taken, start - interval) :]:
            if other - start >= interval - 1e-6:
                break
            if abs(other - start) < interval - 1e-6:
                start = other + interval
        return start

    def _battery(self, vehicle: Vehicle, start: float) -> float:
        pool = self._pool(vehicle.base)
        return start if pool is None else max(start, pool[0])

    def _pool(self, base: Base) -> list[float] | None:
        """When each battery of a base is charged, soonest first; None where there are enough."""
        if base.batteries is None:
            return None
        return self._batteries.setdefault(base, [0.0] * base.batteries)

    def _clear(self, sortie: int, start: float) -> float:
        end = start + self._sorties[sortie].duration_s
        for partner in self._partners[sortie]:
            starts = self._airborne[partner]
            for other in starts[bisect_left(starts, start - self._sorties[partner].duration_s) :]:
                if other >= end:
                    break
                for low, high in self._conflicts.forbidden(sortie, partner):
                    if low < other - start < high:
                        start = other - float(low)
                        end = start + self._sorties[sortie].duration_s
                        break
        return start
