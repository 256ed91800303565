"""Crews divided by risk, beside every division of a line into unbroken stretches with so many aircraft each."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from missions import Airspace, Objective, PlanOptions, Risk, RiskTable
from missions.dividing import divided, undivided
from missions.foremost import foremost
from missions.setting import Setting
from missions.task import Task
from tests.asked import few
from tests.missions.helpers import fleet_for, straight


def _case(seed):
    """A line of 3 km with up to three stretches that matter more, and one to four aircraft with small batteries."""
    rng = np.random.default_rng(seed)
    border = straight(3000.0)
    rows = [
        Risk(a, a + float(rng.uniform(300, 1500)), float(rng.uniform(2, 9)))
        for a in rng.uniform(0, 2100, rng.integers(1, 4)).tolist()
    ]
    fleet = fleet_for(border, int(rng.integers(1, 5)), float(rng.choice([300, 800, 1500])))
    craft = replace(fleet.vehicles[0].aircraft, battery_wh=90.0, turn_round_s=float(rng.choice([30, 240])))
    fleet = replace(fleet, vehicles=tuple(replace(vehicle, aircraft=craft) for vehicle in fleet.vehicles))
    options = PlanOptions(objective=Objective.RISK)
    setting = Setting(Task.of(border), fleet, None, options, airspace=Airspace(), risk=RiskTable(tuple(rows)))
    return setting, setting.team(setting.crews[0], 1.0, setting.terrain), setting.weights(0.0)


def _least_s(team):
    """Least time of the sorties that watch each stretch between two stations, whole: by every last cut."""
    count = len(team.out_s)
    a, b = np.arange(count)[:, None], np.arange(count)
    forth_wh = team.out_wh[a] + team.home_wh[b] + team.energy_wh[b] - team.energy_wh[a]
    back_wh = team.out_wh[b] + team.home_wh[a] + team.back_energy_wh[b] - team.back_energy_wh[a]
    forth_s = team.out_s[a] + team.home_s[b] + team.time_s[b] - team.time_s[a]
    back_s = team.out_s[b] + team.home_s[a] + team.back_time_s[b] - team.back_time_s[a]
    one = np.minimum(
        np.where(forth_wh <= team.usable_wh, forth_s, np.inf), np.where(back_wh <= team.usable_wh, back_s, np.inf)
    )
    best = np.full((count, count), np.inf)
    for start in range(count):
        best[start, start] = 0.0
        for stop in range(start + 1, count):
            best[start, stop] = (best[start, start:stop] + one[start:stop, stop]).min()
    return best


def _optimum(team, weights):
    """The least longest round times risk over all divisions into stretches, by every last stretch and its aircraft."""
    count, least = len(weights) + 1, _least_s(team)
    value = np.full((team.size + 1, count), np.inf)
    value[0, 0] = 0.0
    for stop in range(1, count):
        worst = np.maximum.accumulate(weights[:stop][::-1])[::-1]
        for used in range(1, team.size + 1):
            for own in range(1, used + 1):
                rounds = worst * least[:stop, stop] / own
                value[used, stop] = min(value[used, stop], np.maximum(value[used - own, :stop], rounds).min())
    return float(value[:, -1].min())


@settings(max_examples=few(40), deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_division_into_stretches_is_much_better(seed):
    """Halved alone, parts came 1.5 % above the optimum on the mean of 60 seeds, and 53 % at worst."""
    setting, team, weights = _case(seed)
    best = _optimum(team, weights)
    assume(np.isfinite(best))
    made = max(divided(setting, [team], weights).rounds)
    assert best * (1 - 1e-9) <= made <= 1.05 * best


def test_what_it_gains_over_one_stretch_for_all():
    ratios = []
    for seed in range(12):
        setting, team, weights = _case(seed)
        best = _optimum(team, weights)
        if np.isfinite(best):
            ratios.append([max(way(setting, [team], weights).rounds) / best for way in (undivided, divided, foremost)])
    whole, parts, first = np.array(ratios).T
    assert len(ratios) >= 6
    assert parts.mean() == pytest.approx(1.0, abs=0.01)
    assert whole.mean() > 1.05
    # What is not of stretches alone may be better: what matters most is watched by some between the others' sorties.
    assert first.min() < 0.9
