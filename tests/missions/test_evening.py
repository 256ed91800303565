"""Who is not the slowest: the rest of the course is shared out among them so that their own longest round is short."""

from dataclasses import replace

import numpy as np
import pytest

from missions import Airspace, Base, PlanOptions, RiskTable, check, plan
from missions.dividing import undivided
from missions.evening import evened
from missions.setting import Setting
from missions.task import Task
from tests.missions.helpers import beside, fleet_for, straight


def in_a_row(border, shares, batteries, distance_m=2000.0):
    """One small aircraft at each of some bases behind places of a line from west to east; of each its batteries."""
    (west, _), (east, _) = border.coordinates[0], border.coordinates[-1]
    lat = beside(border, distance_m).lat_deg
    fleet = fleet_for(border, len(shares))
    small = replace(fleet.vehicles[0].aircraft, kind="small", battery_wh=310.0)
    bases = [
        Base(f"base {k}", lat, west + share * (east - west), batteries=count, charge_s=14_400.0)
        for k, (share, count) in enumerate(zip(shares, batteries, strict=True))
    ]
    return replace(
        fleet,
        vehicles=tuple(replace(v, base=b, aircraft=small) for v, b in zip(fleet.vehicles, bases, strict=True)),
    )


def test_beside_a_slow_one_the_others_share_the_rest_evenly():
    """Filled up to what the slow one waits for its battery, the second saw all of the rest, and the third nothing."""
    border = straight(40_000)
    made = plan(border, in_a_row(border, (0.2, 0.7, 0.85), (1, None, None)))
    rounds = {roster.sysids: made.round_s(roster) for roster in made.periods[0].rosters if roster.sorties}
    assert rounds.keys() == {(1,), (2,), (3,)}
    assert max(rounds[2,], rounds[3,]) < 1.1 * min(rounds[2,], rounds[3,])
    assert check(made) == []


@pytest.mark.parametrize("seed", range(8))
def test_no_place_is_lost_and_the_first_round_that_changes_from_the_longest_down_is_shorter(seed):
    rng = np.random.default_rng(seed)
    border = straight(float(rng.uniform(10_000, 45_000)))
    shares = np.sort(rng.uniform(0, 1, rng.integers(2, 6)))
    batteries = [
        None if free else int(count) for free, count in zip(rng.random(5) < 0.5, rng.integers(1, 5, 5), strict=True)
    ]
    fleet = in_a_row(border, shares, batteries[: len(shares)])
    setting = Setting(Task.of(border), fleet, None, PlanOptions(), airspace=Airspace(), risk=RiskTable())
    teams = [setting.team(crew, 1.0, setting.terrain) for crew in setting.crews]
    weights = np.ones(len(setting.stations) - 1)
    before = undivided(setting, teams, weights)
    after = evened(setting, teams, before, weights)
    assert after.seen.sum() >= before.seen.sum()
    pairs = zip(*(sorted(one.rounds, reverse=True) for one in (after, before)), strict=True)
    changed = [(now, then) for now, then in pairs if abs(now - then) > 1e-6]
    assert not changed or changed[0][0] < changed[0][1]
    watched = np.zeros(len(weights), dtype=int)
    for block in after.blocks:
        watched[block.start : block.stop] += 1
    assert (watched[after.seen] == 1).all()
