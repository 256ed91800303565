"""The course shared out among crews: each stretch watched by one of them, or by risk by parts of it.

The aircraft of one type at one base watch one stretch together, each sortie of it equally often. By risk they may be
divided into parts with a stretch each, a part in two or in three again and again, as long as that makes the longest
round, times the greatest risk in it, shorter; `missions.foremost` is another way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import combinations, islice, pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from missions.fleet import Base
from missions.options import Objective
from missions.setting import Setting
from missions.sharing import Block, share_out
from missions.stretch import Team

__all__ = [
    "TRIALS",
    "TRIED_STATIONS",
    "WORTH",
    "Shared",
    "divided",
    "of_those_who_fly",
    "shared_by",
    "sized",
    "time_s",
    "trimmed",
    "undivided",
    "watched",
]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TRIALS, TRIED_STATIONS = 100, 200_000
"""Most ways of dividing that are tried for one set of weights, and most stations in all of them."""

_NONE = 1e-6
"""Batteries of a crew that is to have none: with them it flies where nobody else comes, if ever so seldom."""

WORTH = 1 - 1e-3
"""By less than this factor a figure is as good as it was."""


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

    @property
    def flying(self) -> set[int]:
        """Crews that fly something, by number."""
        return {self.parts[block.team][0] for block in self.blocks}

    def crew_blocks(self) -> list[Block]:
        """The blocks with crews as teams."""
        return [replace(block, team=self.parts[block.team][0]) for block in self.blocks]


def undivided(setting: Setting, teams: Sequence[Team], weights: Floats) -> Shared:
    """The course shared out for some weights, each crew with one stretch."""
    return _undivided(setting, teams, weights)[0]


def _undivided(setting: Setting, teams: Sequence[Team], weights: Floats) -> tuple[Shared, Sequence[Team]]:
    """The same, and the teams with the batteries that they have in it."""
    best = _shared(setting, teams, _whole(teams), weights)
    left = min(TRIALS, TRIED_STATIONS // len(weights))
    for among in _battery_shares(setting, teams):
        # Who flies nothing needs none of the batteries of its base.
        for others in among[:left]:
            left -= 1
            given = [others.get(crew, team) for crew, team in enumerate(teams)]
            other = _shared(setting, given, _whole(teams), weights)
            if int(other.seen.sum()) >= int(best.seen.sum()) and max(other.rounds) < WORTH * max(best.rounds):
                best, teams = other, given
    return best, teams


def _whole(teams: Sequence[Team]) -> list[tuple[int, int]]:
    return [(crew, team.size) for crew, team in enumerate(teams)]


def _battery_shares(setting: Setting, teams: Sequence[Team]) -> Iterator[list[dict[int, Team]]]:
    """For each base with several crews and counted batteries: its crews, by number, where one of them has all of these.

    Where crews of one base fly in turns it has them together, and there is nothing to share.
    """
    there: dict[Base, list[int]] = {}
    if len(teams) == len(setting.crews) and setting.options.objective is not Objective.ONCE:
        for number, crew in enumerate(setting.crews):
            there.setdefault(crew.base, []).append(number)
    for base, crews in there.items():
        if base.batteries is not None and len(crews) > 1:
            yield [
                {crew: replace(teams[crew], batteries=base.batteries if crew == one else _NONE) for crew in crews}
                for one in crews
            ]


def of_those_who_fly(setting: Setting, teams: Sequence[Team], flying: AbstractSet[int]) -> list[Team]:
    """The teams, those of a base that fly something, by number, with all of its batteries, by their aircraft."""
    out = list(teams)
    for among in _battery_shares(setting, teams):
        some = [crew for crew in among[0] if crew in flying]
        count = sum(teams[crew].size for crew in some)
        for crew in among[0] if some else ():
            has = setting.crews[crew].base.batteries or 0
            own = has * teams[crew].size / count if crew in flying else _NONE
            out[crew] = replace(teams[crew], batteries=own)
    return out


def divided(setting: Setting, teams: Sequence[Team], weights: Floats) -> Shared:
    """The course shared out for some weights, crews divided into parts with a stretch each where that is better."""
    best, teams = _undivided(setting, teams, weights)
    if setting.options.objective is not Objective.RISK or np.ptp(weights[setting.needed]) == 0:
        return best
    teams = of_those_who_fly(setting, teams, best.flying)
    left = min(TRIALS, TRIED_STATIONS // len(weights))
    while True:
        before = best
        for count in (2, 3):
            # The first that helps may shut the way to the best.
            for parts in islice(_divisions(before, count), left):
                left -= 1
                other = _shared(setting, teams, parts, weights)
                lost = int(best.seen.sum()) - int(other.seen.sum())
                if lost < 0 or (lost == 0 and max(other.rounds) < WORTH * max(best.rounds)):
                    best = other
            if best is not before:
                break
        if best is before:
            return best


def _divisions(shared: Shared, count: int) -> Iterator[list[tuple[int, int]]]:
    """Every way to divide one part in so many, those of the longest rounds first.

    What matters most may lie between what matters less: two parts are no better than one there, and three are.
    """
    for number in sorted(range(len(shared.parts)), key=lambda k: -shared.rounds[k]):
        crew, size = shared.parts[number]
        for cuts in combinations(range(1, size), count - 1):
            own = [(crew, b - a) for a, b in pairwise((0, *cuts, size))]
            yield [*shared.parts[:number], *own, *shared.parts[number + 1 :]]


def _shared(setting: Setting, teams: Sequence[Team], parts: Sequence[tuple[int, int]], weights: Floats) -> Shared:
    kinds = {part: sized(teams[part[0]], part[1]) for part in parts}
    blocks, rounds = shared_by(setting, [kinds[part] for part in parts], weights, setting.needed)
    return Shared(tuple(parts), tuple(blocks), watched(blocks, len(weights)) & setting.needed, tuple(rounds))


def shared_by(setting: Setting, own: Sequence[Team], weights: Floats, needed: Bools) -> tuple[list[Block], list[float]]:
    """Blocks for some teams that see what is needed, shape (n - 1,), and the longest round of each, times weight, s."""
    objective: Literal["revisit", "once"] = "once" if setting.options.objective is Objective.ONCE else "revisit"
    shared = share_out(own, setting.passable, weights, objective, needed, known=setting.known)
    blocks = trimmed(shared, own, needed)
    times, worst, counts = np.zeros(len(own)), np.zeros(len(own)), [0] * len(own)
    for block in blocks:
        pieces = slice(block.start, block.stop)
        times[block.team] += time_s(own[block.team], block)
        counts[block.team] += 1
        worst[block.team] = max(worst[block.team], float(weights[pieces][needed[pieces]].max()))
    return blocks, [float(w * own[k].round_s(times[k], counts[k])) for k, w in enumerate(worst.tolist())]


def sized(team: Team, size: int) -> Team:
    """A part of a team, with its share of the batteries."""
    return team if size == team.size else replace(team, size=size, batteries=team.batteries * size / team.size)


def watched(blocks: Iterable[Block], count: int) -> Bools:
    """Which of so many pieces between stations some blocks watch, shape (count,)."""
    seen = np.zeros(count, dtype=bool)
    for block in blocks:
        seen[block.start : block.stop] = True
    return seen


def trimmed(blocks: Sequence[Block], teams: Sequence[Team], needed: Bools) -> list[Block]:
    """Blocks without the unwatched pieces at their ends, a detour at an end leads nowhere; without their turns.

    What is left of each begins and ends where its team comes to: at the end of a detour it may have no room to turn.
    """
    out = []
    for block in blocks:
        team, span = teams[block.team], slice(block.start, block.stop + 1)
        open_ = np.isfinite(team.out_s[span] + team.home_s[span])
        own = needed[block.start : block.stop]
        starts, stops = np.flatnonzero(own & open_[:-1]), np.flatnonzero(own & open_[1:]) + 1
        if starts.size and stops.size and starts[0] < stops[-1]:
            out.append(replace(block, turn=0, start=block.start + int(starts[0]), stop=block.start + int(stops[-1])))
    return out


def time_s(team: Team, block: Block) -> float:
    """From a take-off to the next one of the aircraft, seconds."""
    a, b = block.start, block.stop
    if block.backward:
        return float(team.out_s[b] + team.back_time_s[b] - team.back_time_s[a] + team.home_s[a])
    return float(team.out_s[a] + team.time_s[b] - team.time_s[a] + team.home_s[b])
