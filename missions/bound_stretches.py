"""A lower bound over all plans whose sorties each watch one unbroken stretch of the line.

For given prices of aircraft time and batteries the cheapest set of such sorties that looks at everything once is a
shortest path along the line, found exactly by `missions.stretch_programme`. The stretches may be cut anywhere, flown
either way, by any team in any order, and shared among teams piece by piece.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from missions.bound import best_prices
from missions.stretch import Team
from missions.stretch_programme import Kind, cheapest, kinds_of

__all__ = ["Batteries", "relaxed", "stretch_bound"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_ROUNDED = 1 + 1e-9
_NEAR, _FINE = 0.05, 1e-3
"""By what share of a bound it is first tried to raise it, and how closely that is ended."""


@dataclass(frozen=True, slots=True)
class Batteries:
    """Charged batteries that teams at one base share.

    Parameters
    ----------
    teams
        Numbers of the teams.
    count
        Batteries at the base.
    charge_s
        Time to charge one, seconds: a sortie holds one for its time in the air and this.
    """

    teams: tuple[int, ...]
    count: int
    charge_s: float


def stretch_bound(
    teams: Sequence[Team],
    demand: Bools,
    *,
    passable: Bools | None = None,
    batteries: Sequence[Batteries] = (),
    once: bool = False,
) -> float:
    """No plan of sorties over one stretch each that looks at all of the demand, without a break, is better, seconds.

    Parameters
    ----------
    teams
        What sorties cost, at least: a bound for the true costs needs costs that are not above them.
    demand
        Which pieces between neighbouring stations are to be seen, shape (n - 1,).
    passable
        Which pieces can be flown at all, shape (n - 1,); all by default.
    batteries
        Where batteries are counted.
    once
        Bound the time to the last landing of a single coverage instead of the revisit interval: what aircraft and
        batteries need after it does not count.
    """
    if not demand.any():
        return 0.0
    kinds = kinds_of(teams, passable, len(demand) + 1)
    found, price = relaxed(kinds, teams, demand, () if once else batteries, once=once)
    if not once or not np.isfinite(found):
        return found
    if batteries:
        found = max(found, relaxed(kinds, teams, demand, batteries, once=True)[0])
    return _single(kinds, teams, demand, price, max(found, _longest_round(kinds, teams, demand)))


def relaxed(
    kinds: Sequence[Kind], teams: Sequence[Team], demand: Bools, batteries: Sequence[Batteries], *, once: bool = False
) -> tuple[float, Floats]:
    """The bound by prices alone, and the best of these: of a second of each team and of each pool of batteries.

    Of a single coverage neither the last turn-round of each aircraft counts nor the last charging of each battery.
    """
    size = [float(team.size) for team in teams]
    capacity = np.array(size + [float(pool.count) for pool in batteries])
    spare = np.array([team.turn_round_s for team in teams] + [pool.charge_s for pool in batteries]) * once

    def respond(price: Floats) -> Floats:
        # Prices of a second and of a sortie of each team.
        second, sortie = price[: len(teams)].copy(), np.zeros(len(teams))
        for rate, pool in zip(price[len(teams) :], batteries, strict=True):
            for team in pool.teams:
                second[team] += rate
                sortie[team] += rate * (pool.charge_s - teams[team].turn_round_s)
        chosen = cheapest(kinds, second, sortie, demand)
        if chosen is None:
            return np.full(len(price), np.inf)
        used = np.zeros(len(price))
        for team, time_s in chosen:
            used[team] += time_s
            for k, pool in enumerate(batteries, len(teams)):
                if team in pool.teams:
                    used[k] += time_s - teams[team].turn_round_s + pool.charge_s
        return used

    return best_prices(capacity, respond, spare)


def _longest_round(kinds: Sequence[Kind], teams: Sequence[Team], demand: Bools) -> float:
    """Least time in the air to see the place that is hardest to see."""
    least = np.full(len(demand), np.inf)
    for kind in kinds:
        j = np.arange(max(kind.low, 1), kind.high + 1)
        j = j[kind.first[j] < j]
        air = kind.begin[j - 1] + kind.end[j] - teams[kind.team].turn_round_s
        least[j - 1] = np.minimum(least[j - 1], air)
    return float(least[demand].max())


def _single(kinds: Sequence[Kind], teams: Sequence[Team], demand: Bools, price: Floats, least_s: float) -> float:
    """A greater bound on the last landing of a single coverage, seconds, where whole sorties and aircraft have one.

    Suppose that all have landed after R. Of an aircraft whose turn-round takes t then no sortie takes longer than
    C = R + t with it, and all of its sorties together do not. Nothing else is flown by one that flies a sortie of more
    than C - s, s being the shortest sortie of its team: such a one may be counted as C, and the sum of what an aircraft
    flies is still at most C. So at any prices the cheapest coverage by sorties counted so costs at most what so many
    aircraft have in R, and where it costs more nobody can have landed by R: each R that is found so is a bound. It is
    sought by halving, at the prices of the bound without this, and where there are several teams once more at the best
    ones for a little more than what was found.
    """
    size = np.array([float(team.size) for team in teams])
    turn_s = np.array([team.turn_round_s for team in teams])
    shortest = np.full(len(teams), np.inf)
    for kind in kinds:
        shortest[kind.team] = min(shortest[kind.team], kind.shortest())

    def used_in(all_s: float, price: Floats) -> Floats:
        whole = all_s + turn_s
        counted = [
            part
            for kind in kinds
            for part in _counted(kind, float(whole[kind.team]), float(whole[kind.team] - shortest[kind.team]))
        ]
        chosen = cheapest(counted, price, np.zeros(len(teams)), demand)
        if chosen is None:
            return np.full(len(teams), np.inf)
        used = np.zeros(len(teams))
        for team, time_s in chosen:
            used[team] += time_s
        return used

    def too_little(all_s: float, price: Floats) -> bool:
        used = used_in(all_s, price)
        return not np.isfinite(used).all() or float((used - size * turn_s) @ price) > all_s * _ROUNDED

    found = _greatest(lambda all_s: too_little(all_s, price), least_s)
    if len(teams) > 1:
        tried = found * (1 + _NEAR)
        _, dearer = best_prices(size, lambda prices: used_in(tried, prices), turn_s)
        found = _greatest(lambda all_s: too_little(all_s, dearer), found)
    return found


def _greatest(too_little: Callable[[float], bool], least_s: float) -> float:
    """A time that is too little, or the one that is known to be; what is less is not asked for."""
    low, step = least_s, _NEAR * least_s
    while too_little(low + step):
        low, step = low + step, 2 * step
    while step > _FINE * least_s:
        step /= 2
        if too_little(low + step):
            low += step
    return low


def _counted(kind: Kind, whole_s: float, shared_s: float) -> list[Kind]:
    """Sorties of a kind that fit in a whole time: as they are where others fit beside them, else as all of it."""
    fits, shares = (
        np.maximum(kind.first, np.searchsorted(-kind.begin, kind.end - limit_s * _ROUNDED, side="left"))
        for limit_s in (whole_s, shared_s)
    )
    alone = replace(kind, begin=np.zeros_like(kind.begin), end=np.full_like(kind.end, whole_s))
    return [part for part in (kind.bounded(shares), alone.bounded(fits)) if part is not None]
