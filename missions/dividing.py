"""The course shared out among crews: each stretch watched by one of them, or by risk by parts of it.

The aircraft of one type at one base watch one stretch together, each sortie of it equally often. By risk they may be
divided, in two ways. Parts are divided one by one, each with a stretch of its own, as long as that makes the longest
round, times the greatest risk in it, shorter. Or what matters most is watched by some aircraft of the crews beside it
and the rest by the others, wherever it lies; an aircraft that is alone flies over what matters most again after every
sortie or few over the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from missions.options import Objective
from missions.setting import Setting
from missions.sharing import Block, share_out
from missions.stretch import Team

__all__ = ["Shared", "divided", "foremost", "undivided"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_TRIALS, _TRIED_STATIONS = 100, 200_000
"""Most ways of dividing that are tried for one set of weights, and most stations in all of them."""

_WORTH = 1 - 1e-3
_LEVELS = 4
"""Most weights from which on a place is tried as one that matters most."""

_SHARES = 8
"""Most ways to divide crews between what matters most and the rest that are tried for one of them."""

_BATTERIES = (1.0, 0.6, 0.35)
"""What an aircraft that is alone may use of its battery over the rest: shorter sorties bring it back sooner."""


@dataclass(frozen=True, slots=True)
class Shared:
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


def undivided(setting: Setting, teams: Sequence[Team], weights: Floats) -> Shared:
    """The course shared out for some weights, each crew with one stretch."""
    return _shared(setting, teams, [(crew, team.size) for crew, team in enumerate(teams)], weights)


def divided(setting: Setting, teams: Sequence[Team], weights: Floats) -> Shared:
    """The course shared out for some weights, crews divided into parts with a stretch each where that is better."""
    best = undivided(setting, teams, weights)
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


def foremost(setting: Setting, teams: Sequence[Team], weights: Floats) -> Shared:
    """The course shared out for some weights, with aircraft for what matters most where that is better than none.

    An aircraft that is alone at its base has a longer list of turns: what matters most comes in it several times.
    """
    best = whole = undivided(setting, teams, weights)
    left = min(_TRIALS, _TRIED_STATIONS // len(weights))
    for most in _levels(weights, whole.seen):
        beside = {whole.parts[block.team][0] for block in whole.blocks if most[block.start : block.stop].any()}
        for counts in _counts(teams, beside):
            # Only those that are alone fly shorter sorties to be back sooner.
            for battery in _BATTERIES if 0 in counts.values() else _BATTERIES[:1]:
                if left == 0:
                    return best
                left -= 1
                other = _by_level(setting, teams, weights, _Division(most, counts, battery))
                if bool((other.seen | ~whole.seen).all()) and max(other.rounds) < _WORTH * max(best.rounds):
                    best = other
    return best


def _levels(weights: Floats, seen: Bools) -> Iterator[Bools]:
    """Which pieces matter most, by several readings: those of the greatest weight, and of others down to the second."""
    found = np.unique(weights[seen])[::-1]
    for level in found[: len(found) - 1][:: max(1, (len(found) - 1) // _LEVELS)][:_LEVELS]:
        yield seen & (weights >= level)


def _counts(teams: Sequence[Team], beside: set[int]) -> Iterator[dict[int, int]]:
    """How many aircraft of each crew beside what matters most watch that: 0 for one that is alone and watches both."""
    largest = max((teams[crew].size for crew in beside), default=1)
    tried = np.unique(np.linspace(1, max(1, largest - 1), _SHARES).round().astype(int)).tolist()
    for count in tried if beside else ():
        sizes = {crew: teams[crew].size for crew in beside}
        yield {crew: min(max(1, round(count / largest * size)), size - 1) for crew, size in sizes.items()}


@dataclass(frozen=True, slots=True)
class _Division:
    """One way to divide crews.

    Parameters
    ----------
    most
        Which pieces matter most, shape (n - 1,).
    counts
        How many aircraft of each crew beside them watch those; 0 for one that is alone.
    battery
        Which share of what its battery gives such a one may use over the rest.
    """

    most: Bools
    counts: dict[int, int]
    battery: float


def _by_level(setting: Setting, teams: Sequence[Team], weights: Floats, division: _Division) -> Shared:
    """What matters most shared out among some aircraft of some crews, and the rest among the others."""
    most, counts = division.most, division.counts
    parts: list[tuple[int, int]] = []
    first: list[int] = []
    rest: list[int] = []
    for crew, team in enumerate(teams):
        count = counts.get(crew)
        if count:
            first.append(len(parts))
            parts.append((crew, count))
        rest.append(len(parts))
        if count == 0:
            first.append(len(parts))
        parts.append((crew, team.size - (count or 0)))
    alone = set(first) & set(rest)
    flown: list[list[Block]] = []
    for own, mask, share in ((first, most, 1.0), (rest, ~most, division.battery)):
        needed = setting.needed & mask
        short = {n: teams[parts[n][0]].usable_wh * (share if n in alone else 1.0) for n in own}
        kinds = {(parts[n], short[n]): replace(teams[parts[n][0]], size=parts[n][1], usable_wh=short[n]) for n in own}
        blocks = share_out([kinds[parts[n], short[n]] for n in own], setting.passable, weights, "revisit", needed)
        flown.append([replace(block, team=own[block.team]) for block in _trimmed(blocks, needed)])
    seen = np.zeros(len(weights), dtype=bool)
    for block in (*flown[0], *flown[1]):
        seen[block.start : block.stop] = True
    turns: list[Block] = []
    rounds: list[float] = []
    for number, (crew, size) in enumerate(parts):
        foremost_, others = ([block for block in blocks if block.team == number] for blocks in flown)
        levels = [
            _Level(tuple(blocks), _worst(weights, setting.needed & mask, blocks))
            for blocks, mask in ((foremost_, most), (others, ~most))
        ]
        order, figure = _in_turn(teams[crew], *levels)
        turns += order
        rounds.append(figure / size)
    return Shared(tuple(parts), tuple(turns), seen & setting.needed, tuple(rounds))


@dataclass(frozen=True, slots=True)
class _Level:
    """Blocks of one part over places that matter about as much, and the greatest weight there."""

    blocks: tuple[Block, ...]
    weight: float


def _worst(weights: Floats, needed: Bools, blocks: Sequence[Block]) -> float:
    pieces = [slice(block.start, block.stop) for block in blocks]
    return max((float(weights[own][needed[own]].max()) for own in pieces), default=0.0)


def _in_turn(team: Team, most: _Level, rest: _Level) -> tuple[list[Block], float]:
    """The order in which one aircraft flies blocks, and the longest round times the weight in it, seconds.

    All of what matters most comes after every so many blocks of the rest as make that least.
    """
    tour_s, rest_s = (np.array([_time_s(team, block) for block in level.blocks]) for level in (most, rest))
    whole_s = float(tour_s.sum() + rest_s.sum())
    order, least = [*most.blocks, *rest.blocks], max(most.weight, rest.weight) * whole_s
    for tours in range(2, len(rest.blocks) + 1) if most.blocks else ():
        cuts = np.array_split(np.arange(len(rest.blocks)), tours)
        away_s = max(float(rest_s[own].sum()) for own in cuts)
        once_s = whole_s + (tours - 1) * float(tour_s.sum())
        figure = max(most.weight * (float(tour_s.sum()) + away_s), rest.weight * once_s)
        if figure < least:
            least = figure
            order = [block for own in cuts for block in (*most.blocks, *(rest.blocks[k] for k in own))]
    return order, least


def _divisions(shared: Shared) -> Iterator[list[tuple[int, int]]]:
    """Every way to divide one part in two, those of the longest rounds first."""
    for number in sorted(range(len(shared.parts)), key=lambda k: -shared.rounds[k]):
        crew, size = shared.parts[number]
        for first in range(1, size):
            halves = [(crew, first), (crew, size - first)]
            yield [*shared.parts[:number], *halves, *shared.parts[number + 1 :]]


def _shared(setting: Setting, teams: Sequence[Team], parts: Sequence[tuple[int, int]], weights: Floats) -> Shared:
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
    return Shared(tuple(parts), tuple(blocks), seen & setting.needed, tuple(rounds.tolist()))


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
