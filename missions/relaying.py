"""Aircraft of different types, or of neighbouring bases, that watch one stretch in turns where that is better.

An aircraft that is alone on a stretch leaves it alone while its battery is swapped, and a small team cuts the course
where its size and not its speed says. Together they come round as often as so many of whoever needs longest: worth it
where they are not too different. Which teams are put together is sought by the figures of `share_out` alone, before any
sortie is built: the two that help most, again and again. The plan is then made both ways, and the better one is given.

Of two bases it helps where the two stretches together take fewer sorties than each alone: on a short line, where the
way out, the landing and the swap take most of the time. Two that fly many sorties a round are not tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
from numpy.typing import NDArray

from missions.dividing import TRIALS, TRIED_STATIONS, WORTH, Shared, of_those_who_fly, undivided
from missions.fleet import Base
from missions.setting import Setting
from missions.sharing import Block
from missions.stretch import Team

__all__ = ["Units", "alone", "relays", "shared_in", "together"]

Floats = NDArray[np.float64]
Units = tuple[tuple[int, ...], ...]
"""Crews, by number, that have a stretch together; each is in one."""

_FEW = 6
"""Most sorties a round of two units of different bases that are put together for a trial.

Of more, hardly one less would be needed, which is what they gain.
"""


def alone(setting: Setting) -> Units:
    """Every crew with a stretch of its own."""
    return tuple((crew,) for crew in range(len(setting.crews)))


def together(setting: Setting, teams: Sequence[Team], units: Units) -> list[Team]:
    """What sorties of each unit cost, from what those of each crew do."""
    return [_in_turn([teams[crew] for crew in unit], [setting.crews[crew].base for crew in unit]) for unit in units]


def _in_turn(teams: Sequence[Team], bases: Sequence[Base]) -> Team:
    """What sorties cost of teams that fly in turns: whatever the costliest needs, each for its share of its battery."""
    if len(teams) == 1:
        return teams[0]
    usable_wh = min(team.usable_wh for team in teams)
    share = [usable_wh / team.usable_wh for team in teams]

    def most(values: Sequence[Floats]) -> Floats:
        return np.asarray(np.max(np.stack(values), axis=0))

    def along(values: Sequence[Floats]) -> Floats:
        return np.concatenate([[0.0], np.cumsum(most([np.diff(own) for own in values]))])

    return Team(
        size=sum(team.size for team in teams),
        out_s=most([team.out_s for team in teams]),
        home_s=most([team.home_s for team in teams]),
        out_wh=most([team.out_wh * k for team, k in zip(teams, share, strict=True)]),
        home_wh=most([team.home_wh * k for team, k in zip(teams, share, strict=True)]),
        time_s=along([team.time_s for team in teams]),
        energy_wh=along([team.energy_wh * k for team, k in zip(teams, share, strict=True)]),
        back_time_s=along([team.back_time_s for team in teams]),
        back_energy_wh=along([team.back_energy_wh * k for team, k in zip(teams, share, strict=True)]),
        usable_wh=usable_wh,
        last=_nearest([team.last for team in teams]),
        turn_round_s=max(team.turn_round_s for team in teams),
        # From each base come as many of the turns as it has aircraft, however few its batteries.
        batteries=sum(team.size for team in teams) * min(_for_each(teams, bases)),
        charge_s=max(team.charge_s for team in teams),
    )


def _for_each(teams: Sequence[Team], bases: Sequence[Base]) -> Iterator[float]:
    """Batteries for each aircraft of every base, which its teams have together."""
    for base in dict.fromkeys(bases):
        own = [team for team, at in zip(teams, bases, strict=True) if at == base]
        yield sum(team.batteries for team in own) / sum(team.size for team in own)


def _nearest(lasts: Sequence[NDArray[np.integer] | None]) -> NDArray[np.integer] | None:
    """Where a sortie of any of some teams may end at the furthest; None where none of them has to end anywhere."""
    bound = [last for last in lasts if last is not None]
    return np.min(bound, axis=0) if bound else None


def shared_in(setting: Setting, teams: Sequence[Team], units: Units, weights: Floats) -> tuple[Shared, Sequence[Team]]:
    """The course shared out among units for some weights, and the teams with the batteries that they have in it.

    Crews leave theirs to the others of their base, where that is better: those that fly nothing, or all but those of
    one unit.
    """
    best, having = undivided(setting, together(setting, teams, units), weights), list(teams)
    flying = {crew for block in best.blocks for crew in units[block.team]}
    for those in (flying, *(set(unit) for unit in units if len(unit) > 1)):
        others = of_those_who_fly(setting, teams, those)
        if all(one is other for one, other in zip(teams, others, strict=True)):
            continue
        anew = undivided(setting, together(setting, others, units), weights)
        if int(anew.seen.sum()) >= int(best.seen.sum()) and max(anew.rounds) < WORTH * max(best.rounds):
            best, having = anew, others
    return best, having


def relays(setting: Setting, weights: Floats) -> list[Units]:
    """Which crews had better have a stretch together, for some weights, by several searches; none where all are alone.

    Of one base first, of several bases from there on, and of any from the beginning: the first that helps may shut the
    way to the best.
    """
    every = alone(setting)
    if len(every) == 1:
        return []
    teams = [setting.team(crew, 1.0, setting.terrain) for crew in setting.crews]
    at_one = _joined(setting, teams, every, weights, far=False)
    found = [at_one, *(_joined(setting, teams, first, weights, far=True) for first in dict.fromkeys((at_one, every)))]
    return [units for units in dict.fromkeys(found) if units != every]


def _joined(setting: Setting, teams: Sequence[Team], best: Units, weights: Floats, *, far: bool) -> Units:
    """Units of which two are put together, the two that help most, again and again; of one base, or of any."""
    if not any(True for _ in _pairs(setting, best, far=far)):
        return best
    left = min(TRIALS, TRIED_STATIONS // len(weights))
    tried = _tried(setting, teams, best, weights)
    while left > 0:
        better = None
        for units in islice(_unions(setting, best, tried.shared, far=far), left):
            left -= 1
            other = _tried(setting, teams, units, weights)
            if other.seen >= tried.seen and other.figure_s < WORTH * tried.figure_s:
                better, tried = units, other
        if better is None:
            break
        best = better
    return best


@dataclass(frozen=True, slots=True)
class _Tried:
    """The course shared out among some units, and the longest time for which a place is left alone, seconds."""

    shared: Shared
    figure_s: float

    @property
    def seen(self) -> int:
        """How many pieces are watched."""
        return int(self.shared.seen.sum())


def _pairs(setting: Setting, units: Units, *, far: bool) -> Iterator[tuple[int, int]]:
    """Two units each, by number: those of one base, or all."""
    for a, b in combinations(range(len(units)), 2):
        if far or len({setting.crews[crew].base for crew in (*units[a], *units[b])}) == 1:
            yield a, b


def _unions(setting: Setting, units: Units, shared: Shared, *, far: bool) -> Iterator[Units]:
    """Every way to put two of these units together; those of several bases have few sorties in their shares."""
    count = Counter(block.team for block in shared.blocks)
    near = set(_pairs(setting, units, far=False))
    for a, b in _pairs(setting, units, far=far):
        if (a, b) in near or count[a] + count[b] <= _FEW:
            both = tuple(sorted((*units[a], *units[b])))
            yield tuple(sorted((*(unit for k, unit in enumerate(units) if k not in {a, b}), both)))


def _tried(setting: Setting, teams: Sequence[Team], units: Units, weights: Floats) -> _Tried:
    shared, _ = shared_in(setting, teams, units, weights)
    uneven_s = [0.0] * len(units)
    for block in shared.blocks:
        times = [_patrol_s(teams[crew], block) for crew in units[block.team]]
        # All are at the middle in time: at the ends the faster ones are too soon and too late.
        uneven_s[block.team] = max(uneven_s[block.team], (max(times) - min(times)) / 2)
    return _Tried(shared, max(map(sum, zip(shared.rounds, uneven_s, strict=True))))


def _patrol_s(team: Team, block: Block) -> float:
    along = team.back_time_s if block.backward else team.time_s
    return float(along[block.stop] - along[block.start])
