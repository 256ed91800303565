"""Who flies when: a schedule over a shift in which aircraft relieve each other.

Every aircraft of a roster flies all of its sorties in turn, or at the pace of chargers every so many-th of them, one
interval behind the one before it; while one is on the
ground for a fresh battery the others are on the line. With m aircraft that need W together for one round, each place is
looked at every W / m. Of several types, or from several bases, each flies its own sorties in these turns
(`missions.turns`).
Take-offs are put off where two aircraft would come too near, a base would launch two at once, or
no charged battery is at hand. A shift begins at once, also one that holds a single look: put off to its middle its
longest wait would look half as long, and where one shift follows another it is as long whenever in it the look is. What
is in the air already goes on at once. When another period of the shift begins, each
aircraft goes over to its next roster as soon as it is free.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

import numpy as np

from missions.fleet import Fleet, Vehicle
from missions.launch_book import LaunchBook
from missions.options import PlanOptions
from missions.pacing import Paces
from missions.patrol import Flight, Period, Roster
from missions.sortie import Sortie
from missions.turns import kind_of, turns_of

__all__ = ["schedule"]


def schedule(
    sorties: Sequence[Sortie],
    periods: Sequence[Period],
    fleet: Fleet,
    options: PlanOptions,
    *,
    repeat: bool = True,
    slower: Sequence[Paces] = (),
) -> tuple[Flight, ...]:
    """Take-offs over a shift, in their order.

    Parameters
    ----------
    sorties
        All sorties of the plan.
    periods, fleet
        Who flies which when.
    options
        Shift, separation, launch interval.
    repeat
        Whether rounds are flown until the shift ends; else every sortie once. No period ends before each of its
        sorties was flown.
    slower
        By how much rounds are drawn out, of each period (`missions.pacing`): so that nobody waits for long where a base
        has too little of something. Else who is ready takes off, and all wait together when there is nothing left.

    Raises
    ------
    PlanError
        When a take-off cannot be placed: the separation is larger than this fleet leaves room for.
    """
    book = LaunchBook(sorties, options)
    queue: list[tuple[float, bool, int, float]] = []
    # What each aircraft does, one period after the other.
    duties: dict[int, list[_Crew]] = {}
    ends = [*(period.start_s for period in periods[1:]), options.shift_s]
    for period, stop_s, paces in zip(periods, ends, slower or [{}] * len(periods), strict=True):
        for roster in period.rosters:
            span_s, drawn = (period.start_s, stop_s), paces.get(roster, 1.0)
            for crew in _crews(roster, sorties, fleet, options, span_s, repeat=repeat, drawn=drawn):
                duties.setdefault(crew.vehicle.sysid, []).append(crew)
    for sysid, (crew, *_) in duties.items():
        heapq.heappush(queue, (crew.due(0.0), not sorties[crew.current].airborne, sysid, 0.0))
    while queue:
        due, _, sysid, free = heapq.heappop(queue)
        crew = duties[sysid][0]
        start = book.place(crew.current, crew.vehicle, due)
        over = start >= crew.stop_s and book.have_flown(crew.roster.sorties)
        if not over:
            flight = book.enter(crew.current, crew.vehicle, start)
            free = start + sorties[flight.sortie].duration_s + crew.vehicle.aircraft.turn_round_s
            over = not crew.advance()
        if over:
            del duties[sysid][0]
        if duties[sysid]:
            heapq.heappush(queue, (duties[sysid][0].due(free), True, sysid, free))
    return tuple(sorted(book.flights, key=lambda f: (f.start_s, f.sysid)))


class _Crew:
    """One aircraft on its way through the sorties of its roster, from the beginning to the end of a period."""

    def __init__(
        self,
        vehicle: Vehicle,
        roster: Roster,
        period_s: tuple[float, float],
        *,
        order: Sequence[int],
        aligned_s: Sequence[float],
        round_s: float,
    ) -> None:
        self.vehicle, self.roster = vehicle, roster
        self._start_s, self.stop_s = period_s
        self._order, self._aligned, self._round_s = order, aligned_s, round_s
        self._next = self._round = 0

    @property
    def current(self) -> int:
        """Number of the sortie that it flies next."""
        return self._order[self._next]

    def due(self, free_s: float) -> float:
        """When its next take-off is due, free from `free_s` on."""
        return max(free_s, self._start_s + self._aligned[self._next] + self._round * self._round_s)

    def advance(self) -> bool:
        """Go on to the next sortie; False when there is none."""
        self._next += 1
        if self._next == len(self._order):
            self._next, self._round = 0, self._round + 1
        return self._round == 0 or self._round_s > 0


def _crews(
    roster: Roster,
    sorties: Sequence[Sortie],
    fleet: Fleet,
    options: PlanOptions,
    period_s: tuple[float, float],
    *,
    repeat: bool,
    drawn: float,
) -> list[_Crew]:
    """The aircraft of a roster, each at its phase of the round."""
    if not roster.sorties:
        return []
    vehicles = [vehicle for vehicle in fleet.vehicles if vehicle.sysid in roster.sysids]
    size, turns = len(vehicles), turns_of(roster.sorties, sorties)
    if drawn > 1 and len(turns.kinds) == 1:
        return _relays(roster, vehicles, period_s, every_s=drawn * float(turns.slots_s.mean()) / size)
    shares = _shares(turns.slots_s.tolist(), size)
    order = [k for share in shares for k in share]
    offset = drawn * np.concatenate([[0.0], np.cumsum(turns.slots_s[order])])
    whole, count = float(offset[-1]), len(order)
    first = 0
    out = []
    for number, (vehicle, share) in enumerate(zip(vehicles, shares, strict=True)):
        launch = number * options.launch_interval_s
        kind = kind_of(vehicle, turns, sorties, fleet)
        own = turns.kinds[kind]
        if not repeat:
            if share:
                once = [own[k] for k in share]
                out.append(_Crew(vehicle, roster, period_s, order=once, aligned_s=[launch] * len(share), round_s=0.0))
            continue
        phase = number * whole / size
        places = [(first + q) % count for q in range(count)]
        late = turns.late_s[kind][order]
        aligned = [
            float(offset[k] + late[k]) + (0.0 if q < count - first else whole) - phase for q, k in enumerate(places)
        ]
        flown = [own[order[k]] for k in places]
        out.append(_Crew(vehicle, roster, period_s, order=flown, aligned_s=aligned, round_s=whole))
        first += len(share)
    return out


def _relays(
    roster: Roster, vehicles: Sequence[Vehicle], period_s: tuple[float, float], *, every_s: float
) -> list[_Crew]:
    """The aircraft of a roster in a ring: at even times the next of them takes off for the next sortie."""
    count, size = len(roster.sorties), len(vehicles)
    cycle = math.lcm(count, size)
    out = []
    for number, vehicle in enumerate(vehicles):
        own = range(number, cycle, size)
        turns = [roster.sorties[k % count] for k in own]
        aligned = [k * every_s for k in own]
        out.append(_Crew(vehicle, roster, period_s, order=turns, aligned_s=aligned, round_s=cycle * every_s))
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
