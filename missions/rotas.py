"""Which aircraft fly which sorties in turn, from when on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from missions.building import Builder
from missions.dividing import Shared, divided
from missions.errors import PlanError, TooSharpError, UnflyableError
from missions.evening import evened
from missions.idle import out_of_reach
from missions.options import Objective
from missions.ordering import ordered
from missions.patrol import Period, Roster
from missions.relaying import Units, alone, shared_in, together
from missions.setting import Crew, Setting
from missions.sharing import Block
from missions.sortie import Sortie
from missions.spans import Span, joined
from missions.stretch import Team

__all__ = ["Rotas", "make_rotas"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Dividing = Callable[[Setting, Sequence[Team], Floats], Shared]
"""How the course is shared out for the weights of its pieces, shape (n - 1,)."""

_TIGHTENINGS = 6
_SHUT_MOST = 60
"""How often the course is shared out anew because some of it turns out to be too steep, most."""


@dataclass(frozen=True, slots=True)
class Rotas:
    """What is flown.

    Parameters
    ----------
    sorties
        Each once, along the course, without names and times.
    periods
        Who flies which of them when.
    flown
        Which pieces between stations they watch, in each period, shape (n - 1,).
    """

    sorties: tuple[Sortie, ...]
    periods: tuple[Period, ...]
    flown: Bools


def make_rotas(
    setting: Setting,
    spans: Sequence[Span],
    dividing: Dividing = divided,
    units: Units | None = None,
) -> Rotas:
    """What is flown in the spans of a shift, or in all of it together where something could not be watched in each.

    Parameters
    ----------
    setting
        What is planned with.
    spans
        What the pieces weigh when.
    dividing
        How the course is shared out among the units.
    units
        Which crews have a stretch together; by default each has one of its own.

    Raises
    ------
    PlanError
        When no part of the course can be patrolled.
    """
    units = units or alone(setting)
    factor, tightened, shut = 1.0, 0, 0
    while True:
        teams = [setting.team(crew, factor, setting.terrain) for crew in setting.crews]
        if not any(np.isfinite(team.out_s).any() for team in teams):
            raise PlanError(out_of_reach(setting))
        having = teams if units == alone(setting) else shared_in(setting, teams, units, joined(spans).weights)[1]
        in_turns = together(setting, having, units)
        shared = [_shared(setting, in_turns, span.weights, dividing) for span in spans]
        if any(not np.array_equal(one.seen, shared[0].seen) for one in shared):
            spans = [joined(spans)]
            shared = [_shared(setting, in_turns, spans[0].weights, dividing)]
        of_units = {block for own in shared for block in own.crew_blocks()}
        of_crews = {replace(block, team=crew) for block in of_units for crew in units[block.team]}
        blocks = sorted(of_crews, key=lambda b: (b.start, b.stop, b.team))
        if not blocks:
            raise PlanError(out_of_reach(setting))
        sorties, steep = _sorties(setting, teams, blocks)
        if steep is not None:
            # Shared out again without what turned out to be too steep, or too narrow.
            shut += 1
            if shut > _SHUT_MOST:
                raise PlanError(
                    f"the course was shared out {_SHUT_MOST} times anew, each time without what turned out to be "
                    f"none to fly over or to turn at, and still {steep}; or plan it in shorter parts"
                ) from steep
            continue
        worst = max(sortie.energy_wh / sortie.vehicle.aircraft.usable_wh for sortie in sorties)
        tightened += 1
        if worst <= 1.0 or tightened == _TIGHTENINGS:
            break
        # A climb was underestimated: again with a smaller budget.
        factor *= 0.995 / worst
    periods = [
        Period(span.from_s, tuple(_rosters(setting, own, blocks, units)))
        for span, own in zip(spans, shared, strict=True)
    ]
    return Rotas(sorties, tuple(periods), shared[0].seen)


def _shared(setting: Setting, teams: Sequence[Team], weights: Floats, dividing: Dividing) -> Shared:
    shared = dividing(setting, teams, weights)
    return evened(setting, teams, shared, weights) if setting.options.objective is Objective.REVISIT else shared


# --- sorties ---------------------------------------------------------------------------------------------------------


def _rosters(setting: Setting, shared: Shared, blocks: Sequence[Block], units: Units) -> Iterator[Roster]:
    """Who flies which: the aircraft of a part together, or each its own in a single coverage."""
    number = {block: k for k, block in enumerate(blocks)}
    taken = [0] * len(setting.crews)
    own: list[list[Block]] = [[] for _ in shared.parts]
    for block, of_crew in zip(shared.blocks, shared.crew_blocks(), strict=True):
        own[block.team].append(of_crew)
    for (unit, size), flown in zip(shared.parts, own, strict=True):
        crew, *others = units[unit]
        if others:
            # Only whole crews are put together.
            who = tuple(vehicle.sysid for one in units[unit] for vehicle in setting.crews[one].vehicles)
            yield Roster(who, tuple(number[replace(block, team=one)] for one in units[unit] for block in flown))
            continue
        turns = [replace(block, team=crew) for block in flown]
        vehicles = [vehicle.sysid for vehicle in setting.crews[crew].vehicles[taken[crew] : taken[crew] + size]]
        taken[crew] += size
        if setting.options.objective is not Objective.ONCE:
            yield Roster(tuple(vehicles), tuple(number[block] for block in turns))
            continue
        for place, sysid in enumerate(vehicles):
            yield Roster((sysid,), tuple(number[block] for block in turns if block.aircraft == place))


def _sorties(
    setting: Setting, teams: Sequence[Team], blocks: Sequence[Block]
) -> tuple[tuple[Sortie, ...], UnflyableError | None]:
    """The sorties of blocks, and why some of them cannot be built: from then on their crews leave out what is why."""
    builder = Builder(setting.course, setting.stations, setting.terrain, setting.options)
    made: list[Sortie] = []
    steep, fresh = None, False
    for block in blocks:
        try:
            made.append(_sortie(setting, builder, teams[block.team], block))
        except UnflyableError as error:
            begin, end = (block.stop, block.start) if block.backward else (block.start, block.stop)
            crew = setting.crews[block.team]
            # Two sorties may meet at one station that neither comes to.
            fresh |= setting.shut[crew].heed(error, begin, end, setting.at)
            if isinstance(error, TooSharpError):
                _narrow(setting, builder, crew, error.part, (begin, end))
            steep = error
    if steep is not None and not fresh:
        raise steep
    return tuple(made), steep


def _narrow(setting: Setting, builder: Builder, crew: Crew, part: str, ends: tuple[int, int]) -> None:
    """Shut the stations about one at which wings have no room for a turn, as far as there is none.

    Where a border winds closely that is no single station: the next ones are tried, then the second, the fourth from
    there, as long as there is no room at those. What lies between two of them is taken to have none either.
    """
    access, shut = setting.access_of(crew), setting.shut[crew]
    onward = 1 if ends[1] > ends[0] else -1
    at, reached = (ends[0], onward) if part == "out" else (ends[1], -onward), frozenset(access.reached.tolist())
    for way in (1, -1):
        known, step = at[0], 1
        while (k := at[0] + way * step) in reached and 0 <= k + at[1] < len(setting.stations):
            stretch = (k, k + onward) if part == "out" else (k - onward, k)
            error = builder.no_turns_at(crew.vehicles[0], access, part, stretch)
            if error is None:
                break
            beside = slice(min(known, k), max(known, k) + 1)
            shut.narrow(beside, at_runway=error.at_runway, at_corner=error.at_corner)
            known, step = k, step * 2


def _sortie(setting: Setting, builder: Builder, team: Team, block: Block) -> Sortie:
    crew = setting.crews[block.team]
    vehicle = crew.vehicles[block.aircraft or 0]
    access, look = setting.access_of(crew), setting.looks[crew.aircraft, crew.camera]

    def sortie(stretches: Sequence[tuple[int, int]]) -> Sortie:
        legs, runs = builder.legs(vehicle, access, look, stretches=stretches, layers_agl_m=setting.layers(crew))
        number = list(setting.looks).index((crew.aircraft, crew.camera))
        return Sortie(name="", vehicle=vehicle, turn=0, start_s=0.0, legs=legs, runs=runs, observation=number)

    whole = sortie([(block.stop, block.start) if block.backward else (block.start, block.stop)])
    if setting.task.network is None:
        # Beside one line no other order was ever found to be shorter.
        return whole
    wind = setting.options.wind
    stretches = ordered(block, team, access, setting.needed, aircraft=crew.aircraft, wind=wind)
    if len(stretches) == 1:
        return whole
    try:
        other = sortie(stretches)
    except UnflyableError:
        return whole
    fits = other.energy_wh <= crew.aircraft.usable_wh
    return other if fits and other.duration_s < whole.duration_s else whole
