"""Sharing a course out among teams, against trying everything and against the sharing of single aircraft."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missions.sharing import Block, Team, share_out
from missions.stretch import Reach
from tests.asked import asked, few

CLOSE_S = 0.02
"""More than the bisection leaves open on these instances."""


def _course(seed, count, teams, *, wind=0.0, usable_wh=np.inf, sizes=(1, 2, 3)):
    """A winding course and bases beside it; flights are straight, patrol is slower and dearer than transit."""
    rng = np.random.default_rng(seed)
    xy = np.column_stack([np.cumsum(rng.uniform(20, 100, count)), np.cumsum(rng.normal(0, 40, count))])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    east = xy[:, 0] - xy[0, 0]
    made = []
    for _ in range(teams):
        base = np.array([rng.uniform(xy[0, 0], xy[-1, 0]), rng.uniform(-150, 0)])
        far, ahead = np.hypot(*(xy - base).T), xy[:, 0] - base[0]
        out, home, turn = far / 15 - wind * ahead, far / 15 + wind * ahead, float(rng.uniform(0, 20))
        forth, back = along / 10 - wind * east, along / 10 + wind * east
        size = int(rng.choice(sizes))
        times, energies = (out + 5, home + 5 + turn), (out, home)
        made.append(Team(size, *times, *energies, forth, 1.2 * forth, back, 1.2 * back, usable_wh, None, turn))
    return made


def _tables(team):
    """Time of every block forwards and backwards, by the definition; infinite where the energy does not last."""
    count = len(team.out_s)
    out = np.full((2, count, count), np.inf)
    for i, j in itertools.combinations(range(count), 2):
        forth_s = team.out_s[i] + team.time_s[j] - team.time_s[i] + team.home_s[j]
        forth_wh = team.out_wh[i] + team.energy_wh[j] - team.energy_wh[i] + team.home_wh[j]
        back_s = team.out_s[j] + team.back_time_s[j] - team.back_time_s[i] + team.home_s[i]
        back_wh = team.out_wh[j] + team.back_energy_wh[j] - team.back_energy_wh[i] + team.home_wh[i]
        if team.last is not None and j > max(team.last[i], i + 1):
            continue
        if forth_wh <= team.usable_wh:
            out[0, i, j] = forth_s
        if back_wh <= team.usable_wh:
            out[1, i, j] = back_s
    return out


def _value(teams, blocks, objective="revisit", weight=None):
    """The objective by its definition; infinite where a block takes more than the energy."""
    loads, worst = {}, {}
    for block in blocks:
        crew = (block.team, block.aircraft)
        loads[crew] = loads.get(crew, 0.0) + _tables(teams[block.team])[int(block.backward), block.start, block.stop]
        if weight is not None:
            worst[crew] = max(worst.get(crew, 0.0), weight[block.start : block.stop].max())
    if objective == "once":
        return max(s - teams[team].turn_round_s for (team, _), s in loads.items())
    return max(worst.get(crew, 1.0) * s / teams[crew[0]].size for crew, s in loads.items())


def _best_stretches(table, passable):
    """Least time over every way to cut a stretch into blocks, for every stretch."""
    count = table.shape[1]
    best = np.full((count, count), np.inf)
    single = table.min(axis=0)
    for a in range(count):
        best[a, a] = 0.0
        for k in range(count - a):
            for b in range(a + 1, count):
                for cuts in itertools.combinations(range(a + 1, b), k):
                    ends = [a, *cuts, b]
                    if all(passable[p:q].all() for p, q in itertools.pairwise(ends)):
                        best[a, b] = min(best[a, b], sum(single[p, q] for p, q in itertools.pairwise(ends)))
    return best


def _best(teams, order, weight, passable):
    """Least value over every way to cut the course into one stretch for each team in this order."""
    count = len(teams[0].out_s)
    tables = [_best_stretches(_tables(team), passable) for team in teams]
    best = np.inf
    for cuts in itertools.combinations_with_replacement(range(count), len(teams) - 1):
        ends = [0, *cuts, count - 1]
        value = 0.0
        for crew, (a, b) in zip(order, itertools.pairwise(ends), strict=True):
            if b > a:
                value = max(value, weight[a:b].max() * tables[crew][a, b] / teams[crew].size)
        best = min(best, value)
    return best


@settings(max_examples=few(60), deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(2, 7),
    teams=st.integers(1, 3),
    wind=st.sampled_from([0.0, 0.01, 0.03]),
    usable_wh=st.sampled_from([np.inf, 120.0, 80.0, 60.0]),
    weighted=st.booleans(),
)
def test_no_contiguous_sharing_in_the_order_of_the_bases_is_better(seed, count, teams, wind, usable_wh, weighted):
    crews = _course(seed, count, teams, wind=wind, usable_wh=usable_wh)
    weight = np.random.default_rng(seed).uniform(0.5, 3.0, count - 1) if weighted else np.ones(count - 1)
    passable = np.ones(count - 1, dtype=bool)
    inner = sorted(range(teams), key=lambda k: int(np.argmin(crews[k].out_s + crews[k].home_s)))
    in_order = _best(crews, inner, weight, passable)
    if not np.isfinite(in_order):
        return
    blocks = share_out(crews, weight=weight)
    _assert_seen_once(blocks, np.ones(count - 1, dtype=bool))
    any_order = min(_best(crews, order, weight, passable) for order in itertools.permutations(range(teams)))
    assert any_order - 1e-6 <= _value(crews, blocks, weight=weight) <= in_order + CLOSE_S


@settings(max_examples=few(60), deadline=None)
@given(
    seed=st.integers(0, 10**6), count=st.integers(2, 7), start=st.integers(0, 5), pieces=st.sampled_from([1, 2, np.inf])
)
def test_a_stretch_takes_the_least_time_of_every_way_to_cut_it(seed, count, start, pieces):
    """Where each piece has a way that is quick, whether one sortie could see them all or only so many pieces."""
    start = min(start, count - 2)
    rng = np.random.default_rng(seed)
    out, home = rng.uniform(0, 5, (2, count))
    forth, back = np.cumsum(rng.uniform(1, 60, (2, count)), axis=1)
    none, one = np.zeros(count), np.arange(count, dtype=float)
    team = Team(1, out, home, none, none, forth, one, back, one, pieces)
    layers = Reach(team, np.zeros(count, dtype=int)).layers(start, count - 1, np.zeros(0, dtype=int), np.inf)
    best = _best_stretches(_tables(team), np.ones(count - 1, dtype=bool))[start, start:]
    assert layers[-1] == pytest.approx(best)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(2, 7), size=st.integers(1, 3), wind=st.sampled_from([0.0, 0.02]))
def test_one_look_shares_the_stretch_of_a_team_among_its_aircraft(seed, count, size, wind):
    (team,) = _course(seed, count, 1, wind=wind, usable_wh=90.0, sizes=(size,))
    best_s = _best_stretches(_tables(team), np.ones(count - 1, dtype=bool))
    if not np.isfinite(best_s[0, -1]):
        return
    blocks = share_out([team], objective="once")
    _assert_seen_once(blocks, np.ones(count - 1, dtype=bool))
    best = min(
        max(best_s[a, b] for a, b in itertools.pairwise([0, *cuts, count - 1]))
        for cuts in itertools.combinations_with_replacement(range(count), size - 1)
    )
    value = _value([team], blocks, "once")
    assert best - team.turn_round_s - 1e-6 <= value <= best - team.turn_round_s + CLOSE_S
    assert {b.aircraft for b in blocks} <= set(range(size))


@settings(max_examples=asked(40), deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(20, 200),
    teams=st.integers(1, 6),
    wind=st.sampled_from([0.0, 0.02]),
    usable_wh=st.floats(40, 2000),
    objective=st.sampled_from(["revisit", "once"]),
)
def test_every_piece_in_reach_is_seen_once_and_within_the_energy(seed, count, teams, wind, usable_wh, objective):
    rng = np.random.default_rng(seed)
    crews = [
        replace(team, last=np.minimum(np.arange(count) + int(rng.integers(1, count)), count - 1))
        for team in _course(seed, count, teams, wind=wind, usable_wh=usable_wh)
    ]
    passable = rng.uniform(size=count - 1) > 0.03
    blocks = share_out(crews, passable, objective=objective)
    reach = np.zeros(count - 1, dtype=bool)
    for team in crews:
        reach |= np.isfinite(_tables(team).min(axis=0).diagonal(1))
    _assert_seen_once(blocks, reach & passable)
    for block in blocks:
        team = crews[block.team]
        assert np.isfinite(_tables(team)[int(block.backward), block.start, block.stop])
        assert passable[block.start : block.stop].all()


def _assert_seen_once(blocks, expected):
    seen = np.zeros(len(expected), dtype=int)
    for block in blocks:
        assert block.start < block.stop
        seen[block.start : block.stop] += 1
    assert np.array_equal(seen, expected.astype(int))


@settings(max_examples=asked(25), deadline=None)
@given(seed=st.integers(0, 10**6), teams=st.integers(1, 4), objective=st.sampled_from(["revisit", "once"]))
def test_more_aircraft_or_more_energy_are_never_worse(seed, teams, objective):
    crews = _course(seed, 60, teams, wind=0.01, usable_wh=700.0)

    def value(some):
        return _value(some, share_out(some, objective=objective), objective)

    before = value(crews)
    number = seed % teams
    larger = [replace(team, size=team.size + (k == number)) for k, team in enumerate(crews)]
    assert value(larger) <= before + CLOSE_S
    if np.isfinite(before):
        assert value([replace(team, usable_wh=900.0) for team in crews]) <= before + CLOSE_S


def test_a_team_takes_the_stretch_at_its_base_whatever_its_place_in_the_list():
    crews = _course(5, 80, 4)
    value = _value(crews, share_out(crews))
    blocks = share_out(crews[::-1])
    assert _value(crews[::-1], blocks) == pytest.approx(value, abs=CLOSE_S)


def test_against_the_wind_sorties_are_flown_with_it():
    (team,) = _course(2, 20, 1)
    with_wind = replace(team, back_time_s=0.5 * team.time_s)
    assert all(block.backward for block in share_out([with_wind]))
    assert not any(block.backward for block in share_out([team]))


def test_a_piece_between_the_reaches_of_one_team_is_seen_by_the_other():
    # The first team reaches both ends of the course, the second only the middle: no order of two stretches fits.
    (team,) = _course(7, 30, 1)
    stations = np.arange(30)
    ends = replace(team, out_s=np.where((stations > 8) & (stations < 21), np.inf, team.out_s))
    middle = replace(team, out_s=np.where((stations < 8) | (stations > 21), np.inf, team.out_s))
    passable = np.ones(29, dtype=bool)
    passable[[8, 20]] = False
    blocks = share_out([ends, middle], passable)
    _assert_seen_once(blocks, passable)


def test_nothing_in_reach_is_no_block():
    (team,) = _course(1, 10, 1)
    assert share_out([replace(team, usable_wh=1.0)]) == []
    assert share_out([team], np.zeros(9, dtype=bool)) == []


def test_pieces_without_risk_are_seen_all_the_same():
    (team,) = _course(1, 10, 1)
    assert share_out([team], weight=np.zeros(9)) == [Block(0, 0, 0, 9, backward=False)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"home_s": np.zeros(4)}, r"teams\[1\]\.home_s has 4 stations"),
        ({"size": 0}, r"teams\[1\]\.size is 0"),
    ],
)
def test_arrays_of_unequal_lengths_are_refused_by_name(change, message):
    (team,) = _course(1, 10, 1)
    with pytest.raises(ValueError, match=message):
        share_out([team, replace(team, **change)])


def test_pieces_of_the_wrong_number_are_refused():
    (team,) = _course(1, 10, 1)
    with pytest.raises(ValueError, match="weight has 10 pieces, the course 9"):
        share_out([team], weight=np.ones(10))


@settings(max_examples=few(60), deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(2, 12),
    wind=st.sampled_from([0.0, 0.02]),
    usable_wh=st.sampled_from([np.inf, 80.0, 60.0]),
)
def test_what_need_not_be_seen_is_flown_over_or_left_out_whichever_is_quicker(seed, count, wind, usable_wh):
    """Against a programme over single stations: a piece that nobody needs may also cost nothing."""
    (team,) = _course(seed, count, 1, wind=wind, usable_wh=usable_wh)
    needed = np.random.default_rng(seed + 1).random(count - 1) < 0.6
    single = _tables(team).min(axis=0)
    best = np.full(count, np.inf)
    best[0] = 0.0
    for j in range(1, count):
        best[j] = min(best[i] + single[i, j] for i in range(j))
        if not needed[j - 1]:
            best[j] = min(best[j], best[j - 1])
    if not np.isfinite(best[-1]):
        return
    blocks = share_out([team], needed=needed)
    if not needed.any():
        assert blocks == []
        return
    assert _value([team], blocks) == pytest.approx(best[-1] / team.size, abs=CLOSE_S)
    seen = np.zeros(count - 1, dtype=int)
    for block in blocks:
        seen[block.start : block.stop] += 1
    assert seen.max() <= 1
    assert seen[needed].all()
