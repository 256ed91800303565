"""What a sortie that broke off has not seen, as sorties: as few as the batteries allow, each as long as it can be.

The first goes on with what is left of the battery, from where the aircraft is or from its base, the others with fresh
ones from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geo import Terrain
from missions.access import Access
from missions.building import Aloft, Builder
from missions.errors import PlanError, ProgressError, UnflyableError
from missions.estimate import reach_m
from missions.patrol import PatrolPlan
from missions.progress import Progress, Reached
from missions.recourse import course_of, surroundings_of
from missions.runway import runway_of
from missions.sortie import Leg, Run, Sortie
from missions.strayed import way_from_air

__all__ = ["Rests"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_Flown = tuple[int, tuple[Leg, ...], tuple[Run, ...]]
"""End, legs and runs of a sortie."""

_STEP_M, _COARSE_M = 50.0, 500.0
_NOTHING_M = 1.0
"""A stretch shorter than this is none, metres."""


@dataclass(frozen=True)
class _Stretch:
    """What a sortie has still to see: stations in the order of flight, the run of each, and what is watched between."""

    builder: Builder
    access: Access
    order: Ints
    run: Ints
    watched: NDArray[np.bool_]

    def begin(self, place: int) -> int:
        """The first place from `place` on at which something is to be watched."""
        while place < len(self.watched) and not self.watched[place]:
            place += 1
        return place

    def ends(self, begin: int) -> list[int]:
        """Places at which a sortie from `begin` may end."""
        return [k + 1 for k in range(begin, len(self.watched)) if self.watched[k]]

    def stretches(self, begin: int, end: int) -> list[tuple[int, int]]:
        """First and last station of each run from one place to another."""
        cuts = np.flatnonzero(np.diff(self.run[begin : end + 1])) + 1
        return [(int(own[0]), int(own[-1])) for own in np.split(self.order[begin : end + 1], cuts)]


class Rests:
    """Makes the rest of sorties of one plan.

    Parameters
    ----------
    plan
        The plan.
    terrain
        The ground that it was made on.
    overlap_m
        How much of the course before the place where one broke off is flown again, metres.

    Raises
    ------
    ProgressError
        When that is no length.
    """

    def __init__(self, plan: PatrolPlan, terrain: Terrain, overlap_m: float) -> None:
        if not 0 <= overlap_m < np.inf:
            raise ProgressError(f"overlap is {overlap_m!r}: give metres, at least 0")
        self._plan, self._terrain, self._overlap_m = plan, terrain, overlap_m
        self._around = surroundings_of(plan)
        self._course = course_of(plan, self._around)
        self._coarse = self._course.stations(_COARSE_M)
        self.tight: dict[str, str] = {}
        """Turns that have no room on the way, of sorties that only fly home, by the name of what they are left of."""

    def of(self, sortie: Sortie, progress: Progress, here: Reached) -> list[Sortie]:
        """The sorties that see the rest of one; none where nothing is left.

        Raises
        ------
        PlanError
            When the rest cannot be flown lawfully with the batteries that there are.
        """
        stretch = self._stretch(sortie, here.flown_m)
        last = len(stretch.watched)
        at = stretch.begin(0)
        charge, aloft = progress.charge, progress.airborne
        made: list[Sortie] = []
        while at < last or aloft:
            found, unflyable = None, None
            if at < last:
                found, unflyable = self._longest(sortie, stretch, at, here if aloft else None, charge)
            if found is None and aloft:
                made.append(self._homeward(sortie, stretch, here, charge))
            elif found is not None:
                stop, legs, runs = found
                made.append(replace(sortie, runs=runs, charge=charge, legs=legs))
                at = stretch.begin(stop)
            elif charge == 1:
                if unflyable is not None:
                    raise PlanError(f"{sortie.name}: its rest cannot be flown ({unflyable}): plan the patrol again")
                raise PlanError(
                    f"{sortie.name}: its rest is out of reach of {sortie.vehicle.base.name!r} even with a fresh "
                    "battery: plan the patrol again"
                )
            # On with a fresh battery, from the base.
            charge, aloft = 1.0, False
        return made

    def _stretch(self, sortie: Sortie, flown_m: float) -> _Stretch:
        """The stations from a little before a distance along the runs of a sortie to the end of the last."""
        left = _left(sortie, flown_m, self._overlap_m)
        fine = self._course.stations(_STEP_M)
        outside = self._coarse
        own: list[Floats] = []
        for begin, end in left:
            low, high = min(begin, end), max(begin, end)
            inside = fine[(fine > low + _NOTHING_M) & (fine < high - _NOTHING_M)]
            outside = outside[(outside < low - _NOTHING_M) | (outside > high + _NOTHING_M)]
            along = np.concatenate([[low], inside, [high]])
            own.append(along if begin < end else along[::-1])
        stations = np.unique(np.concatenate([outside, *own]))
        watched = np.array([], dtype=bool)
        for along in own:
            here = self._course.watched[self._course.legs_between(np.sort(along))]
            # From one run to the next nothing is watched.
            between = [False] if len(watched) else []
            watched = np.concatenate([watched, between, here if along[0] < along[-1] else here[::-1]]).astype(bool)
        order = np.searchsorted(stations, np.concatenate([np.empty(0), *own]))
        run = np.repeat(np.arange(len(own)), [len(along) for along in own])
        craft = sortie.vehicle.aircraft
        base, options = sortie.vehicle.base, self._plan.options
        layers, terrain = sortie.layers_agl_m, self._terrain
        runway = runway_of(
            base,
            craft,
            self._around,
            self._course,
            terrain,
            wind=options.wind,
            layers_agl_m=layers,
            bounds_agl_m=(options.floor_agl_m, options.ceiling_agl_m),
        )
        access = Access(
            base, self._around, self._course, stations, reach_m(craft, options), terrain=self._terrain, runway=runway
        )
        builder = Builder(self._course, stations, self._terrain, self._plan.options)
        return _Stretch(builder, access, order, run, watched)

    def _longest(
        self, sortie: Sortie, stretch: _Stretch, begin: int, here: Reached | None, charge: float
    ) -> tuple[_Flown | None, UnflyableError | None]:
        """The longest sortie from a place that the battery allows, and where there is none what cannot be flown.

        None of both where it is the battery, or no way leads there.
        """
        aloft = None
        if here is not None:
            lat, lon = self._course.at(stretch.builder.stations[stretch.order[begin]])
            aloft = Aloft(here.here, self._way(stretch, here, (float(lat), float(lon))))
        elif not np.isin(stretch.order[begin], stretch.access.reached):
            return None, None

        def flown_to(end: int) -> tuple[_Flown | None, UnflyableError | None]:
            try:
                legs, runs = stretch.builder.legs(
                    sortie.vehicle,
                    stretch.access,
                    self._plan.observation_of(sortie),
                    stretches=stretch.stretches(begin, end),
                    layers_agl_m=sortie.layers_agl_m,
                    aloft=aloft,
                )
            except UnflyableError as error:
                return None, error
            return (end, legs, runs) if _lands(sortie, legs, charge) else None, None

        ends = [end for end in stretch.ends(begin) if np.isin(stretch.order[end], stretch.access.reached)]
        low, high = 0, len(ends) - 1
        found, why = None, None
        # The whole rest is tried first; else bisection, in which what is found is always one that was built, and what
        # is told last is of the shortest.
        middle = high
        while low <= high:
            flown, why = flown_to(ends[middle])
            if flown is None:
                high = middle - 1
            else:
                found, low = flown, middle + 1
            middle = (low + high) // 2
        return found, None if found else why

    def _homeward(self, sortie: Sortie, stretch: _Stretch, here: Reached, charge: float) -> Sortie:
        """Home from the air without any patrol."""
        aloft = Aloft(here.here, self._way(stretch, here, stretch.access.gate))
        legs, tight = stretch.builder.homeward(sortie.vehicle, stretch.access, aloft, sortie.layers_agl_m[1])
        if tight:
            self.tight[sortie.name] = tight
        if not _lands(sortie, legs, charge):
            need = sum(leg.energy_wh for leg in legs) / sortie.vehicle.aircraft.battery_wh
            raise PlanError(
                f"{sortie.name}: from where it is the way home takes {need:.0%} of the battery, {charge:.0%} is left "
                f"and the reserve is {sortie.vehicle.aircraft.reserve_fraction:.0%}: bring it down now, then resume it "
                "from the ground"
            )
        return replace(sortie, runs=(), charge=charge, legs=legs)

    def _way(self, stretch: _Stretch, here: Reached, stop: tuple[float, float]) -> Floats:
        at, plan = here.here, self._plan
        margin_m = plan.options.zone_margin_m
        return way_from_air(stretch.access, plan.border.stand_off_m, margin_m, (at.lat_deg, at.lon_deg), stop)


def _left(sortie: Sortie, flown_m: float, overlap_m: float) -> list[tuple[float, float]]:
    """Where what is left of each run of a sortie begins and ends, metres along the course, in the order of flight."""
    if sum(run.length_m for run in sortie.runs) - flown_m < _NOTHING_M:
        return []
    begin = max(flown_m - overlap_m, 0.0)
    left = []
    for run in sortie.runs:
        gone = min(max(begin, 0.0), run.length_m)
        begin -= run.length_m
        if run.length_m - gone >= _NOTHING_M:
            left.append((run.from_m + gone * (1 if run.to_m > run.from_m else -1), run.to_m))
    return left


def _lands(sortie: Sortie, legs: Sequence[Leg], charge: float) -> bool:
    """Whether a battery takes an aircraft over legs with its reserve left."""
    craft = sortie.vehicle.aircraft
    return sum(leg.energy_wh for leg in legs) <= (charge - craft.reserve_fraction) * craft.battery_wh
