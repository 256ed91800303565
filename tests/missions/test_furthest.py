"""How far crews come is found once and looked up after that: it is what would be found anew."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missions.furthest import Crew, Known, Work
from missions.sharing import share_out
from missions.stretch import Reach
from tests.asked import few
from tests.missions.test_sharing import _course, _tables

COUNT = 24
WALLS = np.zeros(COUNT, dtype=int)


def batteries_of(rng, teams):
    """Some that count their batteries, a few of which are charged before the aircraft is turned round."""
    return [
        replace(team, batteries=float(rng.integers(1, 6)), charge_s=float(rng.choice([1.0, 30.0, 200.0])))
        if rng.random() < 0.5
        else team
        for team in teams
    ]


def work_of(rng):
    """A course of which some pieces need not be seen, and what the others weigh."""
    weights = np.where(rng.random(COUNT - 1) < 0.3, 0.0, rng.uniform(0.5, 3.0, COUNT - 1))
    left = np.append(np.flatnonzero(weights), COUNT - 1)
    return Work(left[np.searchsorted(left, np.arange(COUNT))], np.ones(COUNT, dtype=bool), weights, once=False)


@settings(max_examples=few(60), deadline=None)
@given(seed=st.integers(0, 10**6), usable_wh=st.sampled_from([np.inf, 200.0, 120.0]))
def test_a_limit_that_was_asked_for_before_gives_what_it_gives_alone(seed, usable_wh):
    rng = np.random.default_rng(seed)
    (team,) = batteries_of(rng, _course(seed, COUNT, 1, usable_wh=usable_wh))
    work = work_of(rng)
    crew = Crew(Reach(team, WALLS), team.size, 0.0, work)
    most = 1000.0
    for limit in rng.uniform(1.0, most, 12):
        station = int(work.onward[rng.integers(0, COUNT - 1)])
        alone = Crew(Reach(team, WALLS), team.size, 0.0, work).stretch(station, limit, limit)
        stop, figure = crew.stretch(station, limit, most)
        assert (stop, figure) == (alone[0], pytest.approx(alone[1], rel=1e-9))


@settings(max_examples=few(60), deadline=None)
@given(seed=st.integers(0, 10**6), usable_wh=st.sampled_from([np.inf, 200.0, 120.0]))
def test_the_figure_of_a_stretch_is_that_of_its_sorties(seed, usable_wh):
    """By the definition: their times, and for how long they hold batteries, times the most that a piece weighs."""
    rng = np.random.default_rng(seed)
    (team,) = batteries_of(rng, _course(seed, COUNT, 1, usable_wh=usable_wh))
    work, tables = work_of(rng), _tables(team)
    crew = Crew(Reach(team, WALLS), team.size, 0.0, work)
    for limit in rng.uniform(1.0, 1000.0, 12):
        start = int(work.onward[rng.integers(0, COUNT - 1)])
        stop, figure = crew.stretch(start, limit, 1000.0)
        if stop == start:
            continue
        flown = crew.sorties(start, stop, limit)
        time_s = sum(float(tables[int(backward), a, b]) for a, b, backward in flown)
        assert figure <= limit
        assert figure == pytest.approx(float(team.round_s(time_s, len(flown))) * work.weights[start:stop].max())
        seen = np.zeros(COUNT - 1, dtype=bool)
        for a, b, _ in flown:
            seen[a:b] = True
        assert (seen | (work.weights == 0))[start:stop].all()


@settings(max_examples=few(30), deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(2, 5), objective=st.sampled_from(["revisit", "once"]))
def test_teams_that_are_known_share_out_as_others_do(seed, count, objective):
    rng = np.random.default_rng(seed)
    teams = batteries_of(rng, _course(seed, COUNT, count, usable_wh=150.0))
    known = Known()
    for _ in range(4):
        some = [teams[k] for k in rng.permutation(count)[: rng.integers(1, count + 1)]]
        weight = rng.uniform(0.5, 3.0, COUNT - 1) if rng.random() < 0.5 else None
        assert share_out(some, None, weight, objective, known=known) == share_out(some, None, weight, objective)


def test_whoever_is_asked_again_looks_nothing_up_anew(monkeypatch):
    asked = []
    layers = Reach.layers
    monkeypatch.setattr(Reach, "layers", lambda *given: asked.append(given) or layers(*given))
    teams, known = _course(3, COUNT, 4), Known()
    blocks = share_out(teams, known=known)
    found = len(asked)
    assert 0 < found < 100  # the limit is bisected twenty times, by four teams
    assert share_out(teams, known=known) == blocks
    assert len(asked) == found
    # Teams that nobody asks for any more are forgotten.
    known.forget(2, 10**9)
    assert share_out(teams[2:], known=known)
    assert len(asked) < 2 * found
    before = len(asked)
    share_out(teams[:2], known=known)
    assert len(asked) > before
