"""The rest of a patrol that broke off, as a plan of its own.

What a sortie has not seen is cut into as few sorties as the batteries allow, each as long as it can be: the first with
what is left of the battery, from where the aircraft is or from its base, the others with fresh ones. A new plan, not an
entry into the old mission: so the commands for speed and camera come before the first place that is watched again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import get_args

from geo import Terrain
from missions.errors import MissionError, PlanError, ProgressError
from missions.mission import Dialect, compile_mission
from missions.notes_held import CHARGED, HOMEWARD, ONCE_FLOWN, notes_held
from missions.overflown import overflown
from missions.patrol import PatrolPlan, Period, Roster
from missions.progress import Progress, Reached, reached
from missions.recourse import ground_of
from missions.rest_bound import rest_bound
from missions.rests import Rests
from missions.risk import RiskTable
from missions.round_left import round_left
from missions.schedule import schedule
from missions.sortie import Sortie
from missions.validation import check

__all__ = ["OVERLAP_M", "resume"]

OVERLAP_M = 50.0
"""What is flown again before the place where a sortie broke off: the radius at which an item counts as reached, the
error of a position and a turn of the camera lie within it, metres."""


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
    rests = Rests(plan, ground, overlap_m)
    taken = {sortie.name for sortie in plan.sorties}
    sorties: list[Sortie] = []
    notes: list[str] = []
    for sortie in round_left(plan, broken, finished):
        if sortie.name in broken:
            here = reached(plan, sortie, broken[sortie.name], ground, dialect)
            rest = _renamed(sortie.name, rests.of(sortie, broken[sortie.name], here), taken)
            notes += _notes(sortie, broken[sortie.name], here, rest, overlap_m)
            if sortie.name in rests.tight:
                notes.append(
                    f"{rest[0].name}{HOMEWARD}its way leaves no room for {rests.tight[sortie.name]}, which may come "
                    "nearer to the border or a zone than ways do: watch it there, and be ready to fly it by hand"
                )
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
    violations = check(made, ground if math.isfinite(ground.resolution_m) else None)
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


# --- what is told of it ------------------------------------------------------------------------------------------


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
