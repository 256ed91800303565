"""Aircraft of different types at one base that watch one stretch in turns, where that is better than one each.

An aircraft that is alone on a stretch leaves it alone while its battery is swapped, and a small team cuts the course
where its size and not its speed says. Together they come round as often as so many of whoever needs longest: worth it
where they are not too different. Which teams are put together is sought by the figures of `share_out` alone, before any
sortie is built: the two that help most, again and again. The plan is then made both ways, and the better one is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from missions.dividing import TRIALS, TRIED_STATIONS, WORTH, undivided
from missions.setting import Setting
from missions.sharing import Block
from missions.stretch import Team

__all__ = ["Units", "alone", "in_turn", "relays"]

Floats = NDArray[np.float64]
Units = tuple[tuple[int, ...], ...]
"""Crews, by number, that have a stretch together; each is in one."""


def alone(setting: Setting) -> Units:
    """Every crew with a stretch of its own."""
    return tuple((crew,) for crew in range(len(setting.crews)))


def in_turn(teams: Sequence[Team]) -> Team:
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
        batteries=sum(team.batteries for team in teams),
        charge_s=max(team.charge_s for team in teams),
    )


def _nearest(lasts: Sequence[NDArray[np.integer] | None]) -> NDArray[np.integer] | None:
    """Where a sortie of any of some teams may end at the furthest; None where none of them has to end anywhere."""
    bound = [last for last in lasts if last is not None]
    return np.min(bound, axis=0) if bound else None


def relays(setting: Setting, weights: Floats) -> Units:
    """Which crews had better have a stretch together, for some weights; `alone` where none."""
    teams = [setting.team(crew, 1.0, setting.terrain) for crew in setting.crews]
    left = min(TRIALS, TRIED_STATIONS // len(weights))
    best = alone(setting)
    if len({crew.base for crew in setting.crews}) == len(setting.crews):
        return best
    seen, figure_s = _tried(setting, teams, best, weights)
    while left > 0:
        better = None
        for units in _unions(setting, best):
            left -= 1
            own_seen, own_s = _tried(setting, teams, units, weights)
            if own_seen >= seen and own_s < WORTH * figure_s:
                better, seen, figure_s = units, own_seen, own_s
            if left == 0:
                break
        if better is None:
            break
        best = better
    return best


def _unions(setting: Setting, units: Units) -> Iterator[Units]:
    """Every way to put two units of one base together."""
    for a, b in combinations(units, 2):
        if setting.crews[a[0]].base == setting.crews[b[0]].base:
            both = tuple(sorted((*a, *b)))
            yield tuple(sorted((*(unit for unit in units if unit not in {a, b}), both)))


def _tried(setting: Setting, teams: Sequence[Team], units: Units, weights: Floats) -> tuple[int, float]:
    """How many pieces are watched, and the longest time for which a place is left alone, seconds."""
    shared = undivided(setting, [in_turn([teams[crew] for crew in unit]) for unit in units], weights)
    uneven_s = [0.0] * len(units)
    for block in shared.blocks:
        times = [_patrol_s(teams[crew], block) for crew in units[block.team]]
        # All are at the middle in time: at the ends the faster ones are too soon and too late.
        uneven_s[block.team] = max(uneven_s[block.team], (max(times) - min(times)) / 2)
    return int(shared.seen.sum()), max(map(sum, zip(shared.rounds, uneven_s, strict=True)))


def _patrol_s(team: Team, block: Block) -> float:
    along = team.back_time_s if block.backward else team.time_s
    return float(along[block.stop] - along[block.start])
