"""What matters most by risk, watched by aircraft of its own, wherever it lies.

Some aircraft of the crews beside it watch it, and the others the rest; an aircraft that is alone flies over what
matters most again after every sortie or few over the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from missions.dividing import TRIALS, TRIED_STATIONS, WORTH, Shared, sized, time_s, trimmed, undivided, watched
from missions.setting import Setting
from missions.sharing import Block, share_out
from missions.stretch import Team

__all__ = ["foremost"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_LEVELS = 4
"""Most weights from which on a place is tried as one that matters most."""

_SHARES = 8
"""Most ways to divide crews between what matters most and the rest that are tried for one of them."""

_BATTERIES = (1.0, 0.6, 0.35)
"""What an aircraft that is alone may use of its battery over the rest: shorter sorties bring it back sooner."""


def foremost(setting: Setting, teams: Sequence[Team], weights: Floats) -> Shared:
    """The course shared out for some weights, with aircraft for what matters most where that is better than none.

    An aircraft that is alone at its base has a longer list of turns: what matters most comes in it several times.
    """
    best = whole = undivided(setting, teams, weights)
    left = min(TRIALS, TRIED_STATIONS // len(weights))
    for most in _levels(weights, whole.seen):
        beside = {whole.parts[block.team][0] for block in whole.blocks if most[block.start : block.stop].any()}
        for counts in _counts(teams, beside):
            # Only those that are alone fly shorter sorties to be back sooner.
            for battery in _BATTERIES if 0 in counts.values() else _BATTERIES[:1]:
                if left == 0:
                    return best
                left -= 1
                other = _by_level(setting, teams, weights, _Division(most, counts, battery))
                if bool((other.seen | ~whole.seen).all()) and max(other.rounds) < WORTH * max(best.rounds):
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
        kinds = {(parts[n], short[n]): replace(sized(teams[parts[n][0]], parts[n][1]), usable_wh=short[n]) for n in own}
        having = [kinds[parts[n], short[n]] for n in own]
        blocks = trimmed(share_out(having, setting.passable, weights, "revisit", needed), having, needed)
        flown.append([replace(block, team=own[block.team]) for block in blocks])
    seen = watched((*flown[0], *flown[1]), len(weights))
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
    tour_s, rest_s = (np.array([time_s(team, block) for block in level.blocks]) for level in (most, rest))
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
