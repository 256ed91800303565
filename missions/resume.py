"""The rest of a patrol that broke off, as a plan of its own.

What a sortie has not seen is cut into as few sorties as the batteries allow, each as long as it can be: the first with
what is left of the battery, from where the aircraft is or from its base, the others with fresh ones. A new plan, not an
entry into the old mission: so the commands for speed and camera come before the first place that is watched again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from geo import Terrain
from missions.access import Access
from missions.building import Aloft, Builder
from missions.errors import GroundError, MissionError, PlanError, ProgressError
from missions.estimate import reach_m
from missions.mission import Dialect, compile_mission
from missions.notes_held import CHARGED, HOMEWARD, ONCE_FLOWN, notes_held
from missions.overflown import overflown
from missions.patrol import PatrolPlan, Period, Roster
from missions.progress import Progress, Reached, reached
from missions.recourse import course_of, ground_of, surroundings_of
from missions.rest_bound import rest_bound
from missions.risk import RiskTable
from missions.round_left import round_left
from missions.runway import runway_of
from missions.schedule import schedule
from missions.sortie import Leg, Run, Sortie
from missions.strayed import way_from_air
from missions.validation import check

__all__ = ["OVERLAP_M", "resume"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OVERLAP_M = 50.0
"""What is flown again before the place where a sortie broke off: the radius at which an item counts as reached, the
error of a position and a turn of the camera lie within it, metres."""

_STEP_M, _COARSE_M = 50.0, 500.0
_NOTHING_M = 1.0
"""A stretch shorter than this is none, metres."""


def resume(
    plan: PatrolPlan,
    progress: Progress | Sequence[Progress],
    terrain: Terrain | None = None,
    *,
    done: Collection[str] = (),
    dialect: Dialect = "ardupilot",
    overlap_m: float = OVERLAP_M,
) -> PatrolPlan:
    """Plan the rest of the round in which sorties broke off.

    Parameters
    ----------
    plan
        The plan that was being flown; it may be a resumed one.
    progress
        How far each sortie got that broke off.
    terrain
        The ground that it was planned on; level, as in the plan, by default.
    done
        Names of the other sorties that are flown, or are being flown and are not to be planned again. The earlier ones
        of an aircraft whose sortie broke off are done by themselves.
    dialect
        Whose numbers the items of `progress` are.
    overlap_m
        How much of the course before the place is flown again, metres.

    Returns
    -------
    PatrolPlan
        One that passes `check` and compiles for every dialect: the rest of these sorties and all that are not done,
        each once, by its own aircraft. Times count from now; what is in the air goes on at once. Its coverage is that
        of the whole round, what was flown included; its notes say what was done.

    Raises
    ------
    ProgressError
        When it cannot be so, or no sortie is left.
    PlanError
        When the rest cannot be flown lawfully: an aircraft is where no lawful way begins, or its battery does not take
        it home above the reserve.
    """
    given = (progress,) if isinstance(progress, Progress) else tuple(progress)
    broken = _by_name(plan, given)
    finished = _finished(plan, given, done)
    ground = ground_of(plan, terrain)
    rests = _Rests(plan, ground, overlap_m)
    taken = {sortie.name for sortie in plan.sorties}
    sorties: list[Sortie] = []
    notes: list[str] = []
    for sortie in round_left(plan, broken, finished):
        if sortie.name in broken:
            here = reached(plan, sortie, broken[sortie.name], ground, dialect)
            rest = _renamed(sortie.name, rests.of(sortie, broken[sortie.name], here), taken)
            notes += _notes(sortie, broken[sortie.name], here, rest, overlap_m)
            sorties += rest
        elif sortie.name not in finished:
            sorties.append(sortie)
    if not sorties:
        raise ProgressError("nothing is left to fly: every sortie of the plan is done")
    notes += overflown([one for one in sorties if one not in plan.sorties], plan.options, ground)
    made = _scheduled(plan, sorties, notes)
    for sortie in made.sorties:
        for one in get_args(Dialect):
            _compiles(made, sortie, one)
    violations = check(made, ground if np.isfinite(ground.resolution_m) else None)
    if violations:
        raise PlanError(f"what is left breaks {len(violations)} rules, and is not given out: {violations[0]}")
    return made


def _compiles(made: PatrolPlan, sortie: Sortie, dialect: Dialect) -> None:
    try:
        compile_mission(made, sortie, dialect)
    except MissionError as error:
        if not sortie.airborne:
            raise
        at = sortie.legs[0].start
        raise PlanError(
            f"{sortie.name}: goes on in the air at {at.lat_deg:.6f}, {at.lon_deg:.6f}, where no fence holds it "
            f"({error}): fly it farther from border and zones by hand, or home, then resume it"
        ) from None


# --- what is given ---------------------------------------------------------------------------------------------------


def _by_name(plan: PatrolPlan, given: Sequence[Progress]) -> dict[str, Progress]:
    names = {sortie.name for sortie in plan.sorties}
    broken: dict[str, Progress] = {}
    for one in given:
        if one.sortie not in names:
            raise ProgressError(f"the plan has no sortie {one.sortie!r}: give one of {', '.join(sorted(names))}")
        if one.sortie in broken:
            raise ProgressError(f"{one.sortie}: how far it got is given twice: give it once")
        broken[one.sortie] = one
    return broken


def _finished(plan: PatrolPlan, given: Sequence[Progress], done: Collection[str]) -> set[str]:
    """Names of the sorties that are not flown again."""
    sorties = {sortie.name: sortie for sortie in plan.sorties}
    for name in done:
        if name not in sorties:
            raise ProgressError(f"the plan has no sortie {name!r}: give one of {', '.join(sorted(sorties))}")
    finished = set(done)
    for one in given:
        if one.sortie in finished:
            raise ProgressError(f"{one.sortie}: is said to be done and to have broken off: give one of the two")
        own = sorties[one.sortie]
        finished |= {s.name for s in plan.sorties if s.vehicle == own.vehicle and s.turn < own.turn}
    # Of two sorties of one aircraft that broke off neither is done.
    return finished - {one.sortie for one in given}


# --- the rest of a sortie --------------------------------------------------------------------------------------------


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


class _Rests:
    """Makes the rest of sorties of one plan."""

    def __init__(self, plan: PatrolPlan, terrain: Terrain, overlap_m: float) -> None:
        if not 0 <= overlap_m < np.inf:
            raise ProgressError(f"overlap is {overlap_m!r}: give metres, at least 0")
        self._plan, self._terrain, self._overlap_m = plan, terrain, overlap_m
        self._around = surroundings_of(plan)
        self._course = course_of(plan, self._around)
        self._coarse = self._course.stations(_COARSE_M)

    def of(self, sortie: Sortie, progress: Progress, here: Reached) -> list[Sortie]:
        """The sorties that see the rest of one; none where nothing is left."""
        stretch = self._stretch(sortie, here.flown_m)
        last = len(stretch.watched)
        at = stretch.begin(0)
        charge, aloft = progress.charge, progress.airborne
        made: list[Sortie] = []
        while at < last or aloft:
            found = self._longest(sortie, stretch, at, here if aloft else None, charge) if at < last else None
            if found is None and aloft:
                made.append(self._homeward(sortie, stretch, here, charge))
            elif found is not None:
                stop, legs, runs = found
                made.append(replace(sortie, runs=runs, charge=charge, legs=legs))
                at = stretch.begin(stop)
            elif charge == 1:
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
    ) -> tuple[int, tuple[Leg, ...], tuple[Run, ...]] | None:
        """End, legs and runs of the longest sortie from a place that the battery allows; None where it allows none."""
        aloft = None
        if here is not None:
            lat, lon = self._course.at(stretch.builder.stations[stretch.order[begin]])
            aloft = Aloft(here.here, self._way(stretch, here, (float(lat), float(lon))))
        elif not np.isin(stretch.order[begin], stretch.access.reached):
            return None

        def flown_to(end: int) -> tuple[int, tuple[Leg, ...], tuple[Run, ...]] | None:
            try:
                legs, runs = stretch.builder.legs(
                    sortie.vehicle,
                    stretch.access,
                    self._plan.observation_of(sortie),
                    stretches=stretch.stretches(begin, end),
                    layers_agl_m=sortie.layers_agl_m,
                    aloft=aloft,
                )
            except GroundError:
                return None
            return (end, legs, runs) if _lands(sortie, legs, charge) else None

        ends = [end for end in stretch.ends(begin) if np.isin(stretch.order[end], stretch.access.reached)]
        low, high = 0, len(ends) - 1
        found = None
        # The whole rest is tried first; else bisection, in which what is found is always one that was built.
        middle = high
        while low <= high:
            flown = flown_to(ends[middle])
            if flown is None:
                high = middle - 1
            else:
                found, low = flown, middle + 1
            middle = (low + high) // 2
        return found

    def _homeward(self, sortie: Sortie, stretch: _Stretch, here: Reached, charge: float) -> Sortie:
        """Home from the air without any patrol."""
        aloft = Aloft(here.here, self._way(stretch, here, stretch.access.gate))
        legs = stretch.builder.homeward(sortie.vehicle, stretch.access, aloft, sortie.layers_agl_m[1])
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


def _renamed(name: str, rest: Sequence[Sortie], taken: set[str]) -> list[Sortie]:
    """The rest of a sortie under names that no other has; of a rest it is the next rest."""
    stem = re.sub(r"-rest-\d+$", "", name)
    free = (one for one in _numbered(f"{stem}-rest-") if one not in taken)
    made = [replace(sortie, name=next(free)) for sortie in rest]
    taken |= {sortie.name for sortie in made}
    return made


def _numbered(stem: str) -> Iterator[str]:
    number = 1
    while True:
        yield f"{stem}{number}"
        number += 1


def _notes(sortie: Sortie, progress: Progress, here: Reached, rest: Sequence[Sortie], overlap_m: float) -> list[str]:
    gone, whole = here.flown_m, sum(run.length_m for run in sortie.runs)
    where = "in the air" if progress.airborne else "on the ground"
    begun = f"{sortie.name} broke off after {gone / 1000:.2f} of {whole / 1000:.2f} km of its stretch and is {where}"
    patrols = [one for one in rest if one.patrol]
    if not patrols:
        return [f"{begun}: nothing of it is left{', it flies home' if rest else ''}"]
    again = f"{min(gone, overlap_m):.0f} m of it are flown again"
    flown = f"what is left takes {len(patrols)} sorties" if len(patrols) > 1 else "what is left takes one sortie"
    notes = [f"{begun}: {again}, {flown}"]
    if progress.airborne and not rest[0].patrol:
        notes.append(f"{rest[0].name}{HOMEWARD}{progress.charge:.0%} of the battery is too little to patrol with")
    elif not progress.airborne and rest[0].charge > progress.charge:
        notes.append(f"{rest[0].name}{CHARGED}{progress.charge:.0%} is too little to patrol with")
    return notes


# --- the plan --------------------------------------------------------------------------------------------------------


def _scheduled(plan: PatrolPlan, sorties: Sequence[Sortie], notes: Sequence[str]) -> PatrolPlan:
    """A plan in which each aircraft flies its sorties once, in their order."""
    # Without the hours of the shift it has no risk of them either.
    options = plan.options.once_from_now()
    rosters = []
    for vehicle in plan.fleet.vehicles:
        own = [k for k, sortie in enumerate(sorties) if sortie.vehicle.sysid == vehicle.sysid]
        # The rest of a sortie has its turn, and stands in the order of flight; what is in the air comes first.
        own.sort(key=lambda k: (not sorties[k].airborne, sorties[k].turn, k))
        rosters.append(Roster((vehicle.sysid,), tuple(own)))
    periods = (Period(0.0, tuple(rosters)),)
    flights = schedule(sorties, periods, plan.fleet, options, repeat=False)
    starts = {flight.sortie: flight.start_s for flight in flights}
    turns = {k: turn for roster in rosters for turn, k in enumerate(roster.sorties, 1)}
    made = tuple(replace(sortie, turn=turns[k], start_s=starts[k]) for k, sortie in enumerate(sorties))
    return replace(
        plan,
        options=options,
        risk=RiskTable(),
        sorties=made,
        flights=flights,
        periods=periods,
        risk_s=None,
        revisit_s=max(starts[k] + sortie.duration_s for k, sortie in enumerate(made)),
        bounds=(rest_bound(plan, made),),
        notes=(*notes_held(plan, {sortie.name for sortie in made}), ONCE_FLOWN, *notes),
    )
