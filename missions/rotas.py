"""Which aircraft fly which sorties in turn, from when on.

The aircraft of one type at one base watch one stretch together, each sortie of it equally often. By risk they may be
divided, so that a few of them watch what matters most and the others the rest: parts are divided one by one as long as
that makes the longest round, times the greatest risk in it, shorter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from missions.building import Builder
from missions.errors import PlanError, TooSteepError
from missions.idle import out_of_reach
from missions.options import Objective
from missions.ordering import ordered
from missions.patrol import Period, Roster, Sortie
from missions.setting import Setting
from missions.sharing import Block, share_out
from missions.spans import Span, joined
from missions.stretch import Team

__all__ = ["Rotas", "make_rotas"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_TIGHTENINGS = 6
_SHUT_MOST = 60
"""How often the course is shared out anew because some of it turns out to be too steep, most."""

_TRIALS, _TRIED_STATIONS = 100, 200_000
"""Most ways of dividing that are tried for one set of weights, and most stations in all of them."""

_WORTH = 1 - 1e-3


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


def make_rotas(setting: Setting, spans: Sequence[Span]) -> Rotas:
    """What is flown in the spans of a shift, or in all of it together where something could not be watched in each.

    Raises
    ------
    PlanError
        When no part of the course can be patrolled.
    """
    factor, tightened, shut = 1.0, 0, 0
    while True:
        teams = [setting.team(crew, factor, setting.terrain) for crew in setting.crews]
        if not any(np.isfinite(team.out_s).any() for team in teams):
            raise PlanError(out_of_reach(setting))
        shared = [_divided(setting, teams, span.weights) for span in spans]
        if any(not np.array_equal(one.seen, shared[0].seen) for one in shared):
            spans = [joined(spans)]
            shared = [_divided(setting, teams, spans[0].weights)]
        blocks = sorted({block for own in shared for block in own.crew_blocks()}, key=lambda b: (b.start, b.stop))
        if not blocks:
            raise PlanError(out_of_reach(setting))
        sorties, steep = _sorties(setting, teams, blocks)
        if steep is not None:
            # Shared out again without what turned out to be too steep.
            shut += 1
            if shut > _SHUT_MOST:
                raise steep
            continue
        worst = max(sortie.energy_wh / sortie.vehicle.aircraft.usable_wh for sortie in sorties)
        tightened += 1
        if worst <= 1.0 or tightened == _TIGHTENINGS:
            break
        # A climb was underestimated: again with a smaller budget.
        factor *= 0.995 / worst
    periods = [
        Period(span.from_s, tuple(_rosters(setting, own, blocks))) for span, own in zip(spans, shared, strict=True)
    ]
    return Rotas(sorties, tuple(periods), shared[0].seen)


# --- sharing out -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Shared:
    """The course shared out among parts of the crews.

    Parameters
    ----------
    parts
        Number of its crew and count of its aircraft, for each part; those of one crew in the order of its aircraft.
    blocks
        What each part flies: the team of a block is the number of a part.
    seen
        Which pieces between stations the blocks watch, shape (n - 1,).
    rounds
        The longest time for which a place of each part is unobserved, times the greatest weight there, seconds.
    """

    parts: tuple[tuple[int, int], ...]
    blocks: tuple[Block, ...]
    seen: Bools
    rounds: tuple[float, ...]

    def crew_blocks(self) -> list[Block]:
        """The blocks with crews as teams."""
        return [replace(block, team=self.parts[block.team][0]) for block in self.blocks]


def _divided(setting: Setting, teams: Sequence[Team], weights: Floats) -> _Shared:
    """The course shared out for some weights, crews divided where that is better."""
    best = _shared(setting, teams, [(crew, team.size) for crew, team in enumerate(teams)], weights)
    if setting.options.objective is not Objective.RISK or np.ptp(weights[setting.needed]) == 0:
        return best
    left = min(_TRIALS, _TRIED_STATIONS // len(weights))
    tries = _divisions(best)
    while left > 0 and (parts := next(tries, None)) is not None:
        left -= 1
        other = _shared(setting, teams, parts, weights)
        lost = int(best.seen.sum()) - int(other.seen.sum())
        if lost < 0 or (lost == 0 and max(other.rounds) < _WORTH * max(best.rounds)):
            best, tries = other, _divisions(other)
    return best


def _divisions(shared: _Shared) -> Iterator[list[tuple[int, int]]]:
    """Every way to divide one part in two, those of the longest rounds first."""
    for number in sorted(range(len(shared.parts)), key=lambda k: -shared.rounds[k]):
        crew, size = shared.parts[number]
        for first in range(1, size):
            halves = [(crew, first), (crew, size - first)]
            yield [*shared.parts[:number], *halves, *shared.parts[number + 1 :]]


def _shared(setting: Setting, teams: Sequence[Team], parts: Sequence[tuple[int, int]], weights: Floats) -> _Shared:
    objective: Literal["revisit", "once"] = "once" if setting.options.objective is Objective.ONCE else "revisit"
    kinds = {part: replace(teams[part[0]], size=part[1]) for part in parts}
    own = [kinds[part] for part in parts]
    blocks = _trimmed(share_out(own, setting.passable, weights, objective, setting.needed), setting.needed)
    seen = np.zeros(len(weights), dtype=bool)
    times, worst = np.zeros(len(parts)), np.zeros(len(parts))
    for block in blocks:
        pieces = slice(block.start, block.stop)
        seen[pieces] = True
        times[block.team] += _time_s(own[block.team], block)
        worst[block.team] = max(worst[block.team], float(weights[pieces][setting.needed[pieces]].max()))
    rounds = worst * times / [team.size for team in own]
    return _Shared(tuple(parts), tuple(blocks), seen & setting.needed, tuple(rounds.tolist()))


def _trimmed(blocks: Sequence[Block], needed: Bools) -> list[Block]:
    """Blocks without the unwatched pieces at their ends, a detour at an end leads nowhere; without their turns."""
    out = []
    for block in blocks:
        watched = np.flatnonzero(needed[block.start : block.stop]) + block.start
        if watched.size:
            out.append(replace(block, turn=0, start=int(watched[0]), stop=int(watched[-1]) + 1))
    return out


def _time_s(team: Team, block: Block) -> float:
    """From a take-off to the next one of the aircraft, seconds."""
    a, b = block.start, block.stop
    if block.backward:
        return float(team.out_s[b] + team.back_time_s[b] - team.back_time_s[a] + team.home_s[a])
    return float(team.out_s[a] + team.time_s[b] - team.time_s[a] + team.home_s[b])


# --- sorties ---------------------------------------------------------------------------------------------------------


def _rosters(setting: Setting, shared: _Shared, blocks: Sequence[Block]) -> Iterator[Roster]:
    """Who flies which: the aircraft of a part together, or each its own in a single coverage."""
    number = {block: k for k, block in enumerate(blocks)}
    taken = [0] * len(setting.crews)
    own: list[list[Block]] = [[] for _ in shared.parts]
    for block, of_crew in zip(shared.blocks, shared.crew_blocks(), strict=True):
        own[block.team].append(of_crew)
    for (crew, size), flown in zip(shared.parts, own, strict=True):
        vehicles = [vehicle.sysid for vehicle in setting.crews[crew].vehicles[taken[crew] : taken[crew] + size]]
        taken[crew] += size
        if setting.options.objective is not Objective.ONCE:
            yield Roster(tuple(vehicles), tuple(number[block] for block in flown))
            continue
        for place, sysid in enumerate(vehicles):
            yield Roster((sysid,), tuple(number[block] for block in flown if block.aircraft == place))


def _sorties(
    setting: Setting, teams: Sequence[Team], blocks: Sequence[Block]
) -> tuple[tuple[Sortie, ...], TooSteepError | None]:
    """The sorties of blocks, and why some of them cannot be built: from then on their crews leave out what is steep."""
    builder = Builder(setting.course, setting.stations, setting.terrain, setting.options)
    made: list[Sortie] = []
    steep, fresh = None, False
    for block in blocks:
        try:
            made.append(_sortie(setting, builder, teams[block.team], block))
        except TooSteepError as error:
            begin, end = (block.stop, block.start) if block.backward else (block.start, block.stop)
            # Two sorties may meet at one station that neither comes to.
            fresh |= setting.shut[setting.crews[block.team]].heed(error, begin, end, setting.at)
            steep = error
    if steep is not None and not fresh:
        raise steep
    return tuple(made), steep


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
    except TooSteepError:
        return whole
    fits = other.energy_wh <= crew.aircraft.usable_wh
    return other if fits and other.duration_s < whole.duration_s else whole
