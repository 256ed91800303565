"""Border, fleet and airspace in, patrol plan out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from geo import FlatTerrain, Terrain, wrap_longitudes
from missions.airspace import Airspace
from missions.border import BorderSegment
from missions.course import Course
from missions.dividing import divided, undivided
from missions.errors import MissionError, PlanError
from missions.fence import unfenced
from missions.fleet import Fleet, Vehicle
from missions.foremost import foremost
from missions.idle import idle_notes
from missions.mission import too_long
from missions.options import Objective, PlanOptions
from missions.overflown import overflown
from missions.pacing import Paces, paces
from missions.patrol import Coverage, Flight, PatrolPlan, Period, Roster
from missions.relaying import relays
from missions.resting import rested
from missions.revisit import at_risk_s, left_alone_s, rounds_s
from missions.risk import RiskTable, risk_apart
from missions.rotas import Rotas, make_rotas
from missions.schedule import schedule
from missions.setting import Setting
from missions.sortie import Sortie
from missions.spans import Span, joined, risk_spans
from missions.statement import bounds_of, coverage_of, notes_of
from missions.task import Task
from missions.thin_air import in_thin_air, in_thinner_air
from missions.turns import turns_of
from missions.unwatched import bare_reason, unwatched
from missions.validation import check
from missions.way_rises import KeptWays

__all__ = ["Planner", "best_plan", "plan"]

_LEADS = (0.0, 0.5, 1.0)
"""How long before a change of the risk the aircraft may be divided anew, in times of the longest sortie."""

_SHORTENINGS = 6
"""How often it is planned anew because some sortie has no fence, or too many items, most; each time it watches half."""

_WAITS = 3
"""How often a single coverage is shared out anew by how long its aircraft waited, most."""

_NO_WAIT_S = 1.0
"""A wait that is not worth that, seconds."""

_HELD_UP = 1.02
"""By this factor longer than where nobody waits a figure is one in which somebody does."""

_FINALISTS = 3
"""Of how many courses, most, a plan is made: those that look best before anything is scheduled."""


def plan(
    border: BorderSegment,
    fleet: Fleet,
    terrain: Terrain | None = None,
    options: PlanOptions | None = None,
    *,
    airspace: Airspace | None = None,
    risk: RiskTable | None = None,
) -> PatrolPlan:
    """Plan the patrol of a border by a fleet.

    The aircraft of one type at one base are a team. Every team watches one contiguous stretch in as many sorties as its
    batteries need, its aircraft relieving each other; the stretches are cut so that the slowest team is as fast as can
    be. Teams share a line in the order of their bases along it. Teams of one base, or of several near a short line,
    have a stretch together, in turns, where that is better for the longest revisit. By risk a team may be divided, and
    where the risk changes within the shift anew at each change, where that leaves less to chance than one division for
    its mean.

    Parameters
    ----------
    border, fleet
        What to watch, with what.
    terrain
        The ground; flat at sea level by default.
    options
        Limits to plan within, the wind, what to make small.
    airspace
        Zones to keep out of, and landing sites. Heights above sea level are brought over the terrain where one is
        given, and the plan carries them so; without one such a zone blocks at every height.
    risk
        How much each place matters, for `Objective.RISK`.

    Returns
    -------
    PatrolPlan
        One that passes `check`. Parts of the band that it does not see are listed in its coverage with the reason.

    Raises
    ------
    PlanError
        When a base is on the wrong side, in a zone, too near to the border or out of reach, or no part can be
        patrolled; of ground that is too steep the message names aircraft, fields and a place.
    MissionError
        When no fence that autopilots can store holds any sortie.
    AirspaceError
        When a landing site is on the wrong side, within the stand-off or in a zone.
    ObservationError
        When the camera cannot see the band from behind the stand-off.
    """
    return best_plan(
        Task.of(border), fleet, terrain, options, airspace=airspace, risk=risk_apart(risk or RiskTable(), border)
    )


def best_plan(
    task: Task,
    fleet: Fleet,
    terrain: Terrain | None,
    options: PlanOptions | None,
    *,
    airspace: Airspace | None,
    risk: RiskTable | None,
    kept: KeptWays | None = None,
) -> PatrolPlan:
    """The best plan of a task by the courses that it offers. Parameters and errors are those of `plan`.

    Ways of wings are taken from those that are `kept` of earlier plans of the task over the same terrain, and added.
    """
    options = in_thin_air(options or PlanOptions(), task, fleet, terrain or FlatTerrain())

    def planner(course: Course | None = None) -> Planner:
        setting = Setting(
            task,
            fleet,
            terrain,
            options,
            airspace=airspace or Airspace(),
            risk=risk or RiskTable(),
            course=course,
            kept=kept,
        )
        return Planner(setting)

    # Which walk is best depends on where the bases stand along it: the sharing-out tells.
    first = planner()
    made = _best(sorted([first, *map(planner, first.setting.others)], key=lambda one: one.figure()))
    higher = in_thinner_air(made)
    if higher is None:
        return made
    # They fly over ground that is higher than borders and bases: once more, by every course, in the air that is there.
    return best_plan(task, fleet, terrain, higher, airspace=airspace, risk=risk)


def _best(planners: list[Planner]) -> PatrolPlan:
    """Of the plans of a few planners, the better first, that which sees most, and then most often.

    It is not checked where it is flown in thinner air than it was made for. Aircraft that wait for each other show in
    the schedule only.
    """
    by_risk = planners[0].setting.options.objective is Objective.RISK
    made, refused = [], None
    for planner in planners[: 1 if by_risk else _FINALISTS]:
        try:
            plan = planner.plan()
        except PlanError as error:
            refused = refused or error
            continue
        made.append(((planner.figure()[0], plan.revisit_s), plan))
    if not made:
        assert refused is not None  # there is a planner, and it made no plan
        raise refused
    return min(made, key=lambda one: one[0])[1]


_UNKNOWN = Coverage(0.0, 0.0, (), (), 0.0)
"""Looking along the sight of every place takes longest: it is done once it is known what is flown."""


@dataclass(frozen=True, slots=True)
class _Schedule:
    """Who flies what when, and how long that leaves places alone, by risk too where that counts."""

    rotas: Rotas
    flights: tuple[Flight, ...]
    revisit_s: float
    risk_s: float | None = None

    @property
    def figure_s(self) -> float:
        """What is to be small, seconds."""
        return self.revisit_s if self.risk_s is None else self.risk_s


class Planner:
    """One planning run, in steps: what is flown, a figure to compare it by, the plan."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    @cached_property
    def spans(self) -> list[Span]:
        """Parts of the shift in which the risk stays the same."""
        return risk_spans(self.setting)

    @cached_property
    def rotas(self) -> Rotas:
        """What is flown when the risk stays as it is on the mean over the shift."""
        return make_rotas(self.setting, [joined(self.spans)])

    def figure(self) -> tuple[float, float]:
        """What of two courses tells the better: metres that nobody watches, and the longest round, times risk, seconds.

        It holds where nobody waits for anybody.
        """
        lost_m = float(np.diff(self.setting.stations)[self.setting.needed & ~self.rotas.flown].sum())
        return round(lost_m), self._rounds_s(self.rotas)

    def _rounds_s(self, rotas: Rotas) -> float:
        """The longest round, times risk, seconds, where nobody waits for anybody and the risk is as on the mean."""
        setting, weights = self.setting, joined(self.spans).weights
        # A place counts by the sortie of any roster that comes back to it soonest.
        soonest = np.full(len(weights), np.inf)
        for roster in rotas.periods[0].rosters:
            for number, round_s in rounds_s(roster, rotas.sorties).items():
                sortie = rotas.sorties[number]
                for run in sortie.runs:
                    a, b = np.searchsorted(setting.stations, sorted((run.from_m, run.to_m))).tolist()
                    soonest[a:b] = np.minimum(soonest[a:b], round_s)
        watched = np.isfinite(soonest) & setting.needed
        return float((weights * np.where(watched, soonest, 0.0)).max(initial=0.0))

    def plan(self) -> PatrolPlan:
        """The plan, checked; with wings one that is flown higher than its air is not: it is to be made anew in thinner.

        Rotors turn as they do in any air, and were built with what their heights take of them: it is told in their air.
        """
        chosen, made = self._made()
        for left in reversed(range(_SHORTENINGS)):
            if not (bare := sorted({*unfenced(made), *too_long(made)})):
                break
            # Anew, with shorter sorties there.
            for sortie in (made.sorties[number] for number in bare):
                start, stop = np.searchsorted(self.setting.stations, (sortie.from_m, sortie.to_m)).tolist()
                self.setting.shorten(start, stop, sortie.vehicle.aircraft, further=left > 0)
            if not (self.setting.needed & ~self.setting.bare).any():
                raise MissionError(bare_reason(self.setting))
            del self.rotas
            chosen, made = self._made()
        else:
            if unfenced(made) or too_long(made):
                raise MissionError(bare_reason(self.setting))
        higher = in_thinner_air(made)
        if higher is not None and any(vehicle.aircraft.has_wings for vehicle in made.fleet.vehicles):
            return made
        made = replace(made, options=higher or made.options)
        unseen = unwatched(self.setting, chosen.rotas.flown)
        made = replace(made, coverage=coverage_of(self.setting, made.sorties, unseen))
        terrain = self.setting.terrain
        violations = check(made, terrain if np.isfinite(terrain.resolution_m) else None)
        if violations:
            raise PlanError(
                f"the plan breaks {len(violations)} of its own rules, and is not given out: {violations[0]}"
            )
        return made

    def _made(self) -> tuple[_Schedule, PatrolPlan]:
        """Who flies what when as things stand, and the plan of it, of which it is not looked yet what is seen."""
        chosen = min(self.schedules(), key=lambda one: one.figure_s)
        waiting = chosen.figure_s > _HELD_UP * self._rounds_s(chosen.rotas)
        chosen = rested(self.setting, chosen, lambda: Planner(self.setting).schedules(), waiting=waiting)
        return chosen, self._finish(chosen)

    def schedules(self) -> Iterator[_Schedule]:
        """Who flies what when: the same all shift, and otherwise from each change of the risk on, or a little before.

        Aircraft that are on their way as the risk rises come too late for it: some have to be ready by then.
        """
        first = self._scheduled(self.rotas)
        yield first
        yield from self._in_turns()
        yield from self._waited_for(first)
        mean = joined(self.spans)
        if self.setting.options.objective is Objective.RISK and np.ptp(mean.weights[self.setting.needed]) > 0:
            for dividing in (undivided, foremost):
                rotas = make_rotas(self.setting, [mean], dividing)
                if (rotas.flown | ~self.rotas.flown).all():
                    yield self._scheduled(rotas)
        for dividing in (divided, foremost) if len(self.spans) > 1 else ():
            rotas = make_rotas(self.setting, self.spans, dividing)
            longest_s = max(map(_whole_s, rotas.sorties))
            # Neither has to see less for it.
            as_good = len(rotas.periods) > 1 and bool((rotas.flown | ~self.rotas.flown).all())
            for lead in _LEADS if as_good else ():
                yield self._scheduled(replace(rotas, periods=self._sooner(rotas.periods, lead * longest_s)))

    def _in_turns(self) -> Iterator[_Schedule]:
        """The same with crews that fly in turns, where that looks better."""
        setting, mean = self.setting, joined(self.spans)
        if setting.options.objective is not Objective.REVISIT:
            return
        for units in relays(setting, mean.weights):
            try:
                rotas = make_rotas(setting, [mean], undivided, units)
                # A round that no shift holds would be flown to its end after it.
                whole_s = max(float(turns_of(r.sorties, rotas.sorties).slots_s.sum()) for r in _flying(rotas))
                if whole_s <= setting.options.shift_s and (rotas.flown | ~self.rotas.flown).all():
                    yield self._scheduled(rotas)
            except PlanError:
                # The plan that is made already stands.
                continue

    def _waited_for(self, made: _Schedule) -> Iterator[_Schedule]:
        """A single coverage shared out anew with the waits of the one before: who takes off late is to see less."""
        setting = self.setting
        try:
            for _ in range(_WAITS if setting.options.objective is Objective.ONCE else 0):
                turns = {
                    vehicle.sysid: late_s
                    for crew in setting.crews
                    for vehicle, late_s in zip(crew.vehicles, setting.late_s(crew), strict=True)
                }
                begun = {flight.sysid: flight.start_s for flight in reversed(made.flights)}
                waits = {sysid: start_s for sysid, start_s in begun.items() if start_s > turns[sysid] + _NO_WAIT_S}
                if not waits:
                    break
                setting.waited_s |= waits
                try:
                    rotas = make_rotas(setting, [joined(self.spans)])
                    if not (rotas.flown | ~self.rotas.flown).all():
                        break
                    made = self._scheduled(rotas)
                except PlanError:
                    # The plan that is made already stands.
                    break
                yield made
        finally:
            setting.waited_s.clear()

    def _sooner(self, periods: Sequence[Period], lead_s: float) -> tuple[Period, ...]:
        """Periods of which those begin sooner in which the risk rises somewhere to more than it was anywhere."""
        worst = [float(span.weights.max()) for span in self.spans]
        rises = [False, *(b > a for a, b in pairwise(worst))]
        out: list[Period] = []
        for period, rise in zip(periods, rises, strict=True):
            sooner = period.start_s - lead_s
            # The period before it is not done without.
            out.append(replace(period, start_s=sooner) if rise and sooner > out[-1].start_s else period)
        return tuple(out)

    def _scheduled(self, rotas: Rotas) -> _Schedule:
        setting = self.setting
        once = setting.options.objective is Objective.ONCE
        slower = () if once else paces(rotas.periods, rotas.sorties, setting.fleet, setting.options)
        # As soon as may be, or at a pace at which a base charges and launches: then nobody waits for long.
        return min((self._flown(rotas, pace) for pace in ((), *slower)), key=lambda one: one.figure_s)

    def _flown(self, rotas: Rotas, slower: Sequence[Paces]) -> _Schedule:
        setting, shift_s = self.setting, self.setting.options.shift_s
        once = setting.options.objective is Objective.ONCE
        flights = schedule(rotas.sorties, rotas.periods, setting.fleet, setting.options, repeat=not once, slower=slower)
        if once:
            return _Schedule(rotas, flights, max(f.start_s + rotas.sorties[f.sortie].duration_s for f in flights))
        # A shift too short for a second look has none to measure.
        rounds = [
            round_s
            for period in rotas.periods
            for roster in period.rosters
            for round_s in rounds_s(roster, rotas.sorties).values()
        ]
        revisit = max(*rounds, left_alone_s(flights, rotas.sorties, shift_s))
        if setting.options.objective is not Objective.RISK:
            return _Schedule(rotas, flights, revisit)
        starts, weights = np.array([s.from_s for s in self.spans]), np.array([s.weights for s in self.spans])
        risk = at_risk_s(flights, rotas.sorties, setting.stations, starts, weights, shift_s=shift_s)
        # Of rotas that change with the risk no longer round counts than those for its mean have.
        floor = min(self._rounds_s(rotas), self.figure()[1]) if len(rotas.periods) > 1 else self._rounds_s(rotas)
        return _Schedule(rotas, flights, revisit, max(floor, float(risk.max())))

    def _finish(self, chosen: _Schedule) -> PatrolPlan:
        setting, rotas = self.setting, chosen.rotas
        sorties = _named(rotas.sorties, chosen.flights, {v.sysid: v for v in setting.fleet.vehicles})
        reasons = unwatched(setting, rotas.flown)
        changes = [span.from_s for span in self.spans[1:]]
        notes = notes_of(setting, changes, reasons, averaged=len(rotas.periods) == 1)
        flying = frozenset(sysid for roster in _flying(rotas) for sysid in roster.sysids)
        notes += idle_notes(setting, flying, sorties)
        notes += overflown(sorties, setting.options, setting.terrain)
        weights = joined(self.spans).weights if chosen.risk_s is not None else None
        bounds = bounds_of(setting, rotas.flown, weights)
        if max(bound.seconds for bound in bounds) > chosen.figure_s:
            bounds = bounds_of(setting, rotas.flown, weights, batteries=False)
        if any(len(sortie.runs) > 1 for sortie in sorties):
            bounds, others = bounds[:1], bounds[1:]
            notes += [
                f"no plan {bound.claim} comes below {bound.seconds / 60:.1f} min; some of these watch several"
                for bound in others
            ]
        return PatrolPlan(
            border=setting.border,
            fleet=setting.fleet,
            options=setting.options,
            airspace=setting.airspace,
            risk=setting.risk,
            observations=tuple(setting.looks.values()),
            flight_line=_vertices(setting.course),
            sorties=tuple(sorties),
            flights=chosen.flights,
            coverage=_UNKNOWN,
            revisit_s=chosen.revisit_s,
            bounds=bounds,
            notes=tuple(notes),
            network=setting.task.network,
            periods=rotas.periods,
            risk_s=chosen.risk_s,
        )


def _whole_s(sortie: Sortie) -> float:
    """From its take-off until its aircraft may take off again, seconds."""
    return sortie.duration_s + sortie.vehicle.aircraft.turn_round_s


def _flying(rotas: Rotas) -> list[Roster]:
    """Those of whom somebody flies something, in any period."""
    return [roster for period in rotas.periods for roster in period.rosters if roster.sorties]


def _vertices(course: Course) -> tuple[tuple[float, float], ...]:
    lon = wrap_longitudes(course.lon_deg)
    return tuple((round(float(a), 7), round(float(o), 7)) for a, o in zip(course.lat_deg, lon, strict=True))


def _named(sorties: Sequence[Sortie], flights: Sequence[Flight], vehicles: dict[int, Vehicle]) -> list[Sortie]:
    """Sorties with the name, aircraft and time of their first flight."""
    made = list(sorties)
    turns: dict[int, int] = {}
    seen: set[int] = set()
    for flight in flights:
        if flight.sortie in seen:
            continue
        seen.add(flight.sortie)
        vehicle = vehicles[flight.sysid]
        turns[flight.sysid] = turn = turns.get(flight.sysid, 0) + 1
        made[flight.sortie] = replace(
            made[flight.sortie],
            name=f"{vehicle.name}-sortie-{turn}",
            vehicle=vehicle,
            turn=turn,
            start_s=flight.start_s,
        )
    return made
