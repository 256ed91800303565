"""Take-offs that are entered, and when the next may be: separation, one launch at a time from a base, batteries."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Sequence
from itertools import chain

from missions.errors import PlanError
from missions.fleet import Base, Vehicle
from missions.options import PlanOptions
from missions.patrol import Flight
from missions.separation import Conflicts
from missions.sortie import Sortie
from missions.surroundings import rough_distance_m

__all__ = ["LaunchBook", "launch_as_one"]

_MOST_DELAYS = 500


def launch_as_one(one: Base, other: Base, options: PlanOptions) -> bool:
    """Whether two bases are nearer to each other than the separation: then one aircraft at a time takes off there."""
    apart_m = float(rough_distance_m(one.lat_deg, one.lon_deg, [other.lat_deg], [other.lon_deg])[0])
    return one == other or apart_m < options.separation_m


class LaunchBook:
    """Take-offs entered so far, and what they leave room for.

    Parameters
    ----------
    sorties
        What may be flown; take-offs are entered by their numbers here, from 0.
    options
        Separation, launch interval.
    """

    def __init__(self, sorties: Sequence[Sortie], options: PlanOptions) -> None:
        self._sorties, self._options = sorties, options
        # Asked for over and over, and added up from their legs each time.
        self._lasts_s = [sortie.duration_s for sortie in sorties]
        self._conflicts = Conflicts(sorties, options.separation_m, options.separation_up_m)
        self._partners = [set(self._conflicts.partners(k).tolist()) for k in range(len(sorties))]
        self._airborne: list[list[float]] = [[] for _ in sorties]
        self._launches: dict[Base, list[float]] = {}
        self._beside: dict[tuple[Base, Base], bool] = {}
        self._batteries: dict[Base, list[float]] = {}
        self._rounds: dict[tuple[int, int], int] = {}
        self.flights: list[Flight] = []

    def place(self, sortie: int, vehicle: Vehicle, due_s: float) -> float:
        """The first time from `due_s` on at which a sortie may take off.

        Raises
        ------
        PlanError
            When there is none, or it is in the air already and too near to another that is.
        """
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

    def have_flown(self, sorties: Sequence[int]) -> bool:
        """Whether each of some sorties was flown."""
        return all(self._airborne[sortie] for sortie in sorties)

    def enter(self, sortie: int, vehicle: Vehicle, start_s: float) -> Flight:
        """Enter a take-off."""
        self._rounds[sortie, vehicle.sysid] = number = self._rounds.get((sortie, vehicle.sysid), 0) + 1
        flight = Flight(start_s, sortie, vehicle.sysid, number)
        self.flights.append(flight)
        insort(self._airborne[sortie], start_s)
        if not self._sorties[sortie].airborne:
            insort(self._launches.setdefault(vehicle.base, []), start_s)
        pool = self._pool(vehicle.base)
        if pool is not None:
            heapq.heapreplace(pool, start_s + self._lasts_s[sortie] + (vehicle.base.charge_s or 0.0))
        return flight

    def leave(self, flight: Flight) -> None:
        """Take back a take-off that was entered and did not come about; its battery counts as used."""
        self.flights.remove(flight)
        self._airborne[flight.sortie].remove(flight.start_s)
        for launches in self._launches.values():
            if flight.start_s in launches:
                launches.remove(flight.start_s)
                break

    def _launch(self, base: Base, start: float) -> float:
        interval = self._options.launch_interval_s
        # Bases nearer to each other than the separation launch as one.
        near = [own for other, own in self._launches.items() if self._are_beside(base, other)]
        taken = near[0] if len(near) == 1 else sorted(chain.from_iterable(near))
        for other in taken[bisect_left(taken, start - interval) :]:
            if other - start >= interval - 1e-6:
                break
            if abs(other - start) < interval - 1e-6:
                start = other + interval
        return start

    def _are_beside(self, one: Base, other: Base) -> bool:
        if (one, other) not in self._beside:
            self._beside[one, other] = launch_as_one(one, other, self._options)
        return self._beside[one, other]

    def _battery(self, vehicle: Vehicle, start: float) -> float:
        pool = self._pool(vehicle.base)
        return start if pool is None else max(start, pool[0])

    def _pool(self, base: Base) -> list[float] | None:
        """When each battery of a base is charged, soonest first; None where there are enough."""
        if base.batteries is None:
            return None
        return self._batteries.setdefault(base, [0.0] * base.batteries)

    def _clear(self, sortie: int, start: float) -> float:
        end = start + self._lasts_s[sortie]
        for partner in self._partners[sortie]:
            starts = self._airborne[partner]
            for other in starts[bisect_left(starts, start - self._lasts_s[partner]) :]:
                if other >= end:
                    break
                for low, high in self._conflicts.forbidden(sortie, partner):
                    if low < other - start < high:
                        start = other - float(low)
                        end = start + self._lasts_s[sortie]
                        break
        return start
