"""The bench of the partition: its one cost for everybody, its bound, and its rows."""

import itertools
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, Polygon

from bench import partition
from bench.leg_bound import lower_bound_s
from bench.legs import Legs, dumped, even_split, loaded, longest_s, matrix_s, tour_s, wandering
from bench.legs_flown import OPTIONS, beside, on_own_side
from bench.peer_pyvrp import solved
from bench.rows import BenchError
from missions import Team, plan, share_out
from missions.planning import Planner
from tests.asked import few
from tests.missions.helpers import metres


def _legs(seed, count, drones):
    rng = np.random.default_rng(seed)
    return Legs(rng.uniform(-500, 500, (count, 2, 2)), rng.uniform(-900, 900, (drones, 2)), 10.0, 15.0)


def _brute_s(legs, drone, order):
    best = math.inf
    for ways in itertools.product((0, 1), repeat=len(order)):
        here, time = legs.base_m[drone], 0.0
        for leg, end in zip(order, ways, strict=True):
            ends = legs.ends_m[leg]
            time += math.dist(here, ends[end]) / legs.cruise_m_s + math.dist(*ends) / legs.patrol_m_s
            here = ends[1 - end]
        best = min(best, time + math.dist(here, legs.base_m[drone]) / legs.cruise_m_s)
    return best


@settings(max_examples=few(60), deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 6), order=st.randoms(use_true_random=False))
def test_a_tour_costs_what_its_best_directions_cost(seed, count, order):
    legs = _legs(seed, count, 1)
    tour = list(range(count))
    order.shuffle(tour)
    assert tour_s(legs, 0, tour) == pytest.approx(_brute_s(legs, 0, tour))


def test_tours_that_leave_a_leg_out_or_see_one_twice_have_no_figure():
    legs = _legs(1, 4, 2)
    assert longest_s(legs, {0: [3, 0], 1: [1, 2]}) > 0
    for tours in ({0: [0, 1, 2]}, {0: [0, 1, 2, 3], 1: [3]}, {5: [0, 1, 2, 3]}):
        with pytest.raises(ValueError, match=r"legs are seen|fly"):
            longest_s(legs, tours)


@settings(max_examples=few(60), deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(1, 5),
    drones=st.integers(1, 2),
    joined=st.booleans(),
    wiggle=st.sampled_from([0.1, 0.6, 2.0]),
)
def test_no_tours_at_all_are_below_the_bound(seed, count, drones, joined, wiggle):
    if joined:
        rng = np.random.default_rng(seed)
        turns = rng.normal(0, wiggle, count).cumsum()
        steps = rng.uniform(50, 300, (count, 1)) * np.column_stack([np.cos(turns), np.sin(turns)])
        points = np.vstack([[0, 0], steps.cumsum(axis=0)])
        legs = Legs(np.stack([points[:-1], points[1:]], axis=1), rng.uniform(-400, 1200, (drones, 2)), 10.0, 15.0)
    else:
        legs = _legs(seed, count, drones)
    best = math.inf
    for own in itertools.product(range(drones), repeat=count):
        shares = [[k for k in range(count) if own[k] == drone] for drone in range(drones)]
        best = min(
            best,
            max(
                min(tour_s(legs, d, order) for order in itertools.permutations(share)) for d, share in enumerate(shares)
            ),
        )
    assert lower_bound_s(legs) <= best * (1 + 1e-9)


def test_the_bound_is_reached_by_a_straight_border_with_the_base_at_its_end():
    ends = np.array([[[k * 100.0, 0.0], [k * 100.0 + 100, 0.0]] for k in range(20)])
    legs = Legs(ends, np.array([[0.0, 0.0]]), 10.0, 15.0)
    assert lower_bound_s(legs) == pytest.approx(longest_s(legs, {0: list(range(20))}))


def test_an_instance_goes_to_json_and_back():
    legs = wandering(50, 3, 7, 4)
    again = loaded(json.loads(json.dumps(dumped(legs))))
    assert np.array_equal(again.ends_m, legs.ends_m)
    assert np.array_equal(again.base_m, legs.base_m)
    assert longest_s(again, even_split(again)) == longest_s(legs, even_split(legs))


@pytest.fixture
def short(monkeypatch):
    """One second, PyVRP alone, a tiny instance."""
    monkeypatch.setattr(partition, "LIMIT_S", 1.0)
    monkeypatch.setattr(partition, "PEERS", partition.PEERS[:1])
    monkeypatch.setattr(partition, "CASES", (partition.Case(40, 3, 4, 1),))
    monkeypatch.setattr(partition, "FLOWN", ())
    return monkeypatch


def _as_planned_s(legs):
    """What `plan` makes of an instance: its own `share_out`, handed what flights without limits cost."""
    places = np.vstack([legs.ends_m[:, 0], legs.ends_m[-1:, 1]])
    time_s = np.append(0.0, np.cumsum(legs.patrol_s))
    ways_s = [np.hypot(*(places - base).T) / legs.cruise_m_s for base in legs.base_m]
    none = np.zeros(len(places))
    teams = [Team(1, way_s, way_s, none, none, time_s, none, time_s, none, math.inf) for way_s in ways_s]
    blocks = share_out(teams, objective="once")
    return longest_s(legs, {block.team: list(range(block.start, block.stop)) for block in blocks})


def test_a_short_run_gives_rows_for_the_bound_for_passes_and_for_the_peer(short):
    ours, passes, beside_peer, passes_beside = partition.rows(None, "partition")
    assert ours.name == "partition/40 legs, seed 1"
    assert ours.peer == "lower bound"
    assert ours.ratio >= 1
    assert beside_peer.name == "partition/40 legs, seed 1, PyVRP"
    assert beside_peer.ratio == pytest.approx(ours.value / beside_peer.peer_value)
    assert beside_peer.goal == "ratio <= 1, in 0.1 s"
    assert passes_beside.name == "partition/40 legs, seed 1, passes, PyVRP"
    assert passes_beside.ratio == pytest.approx(passes.value / beside_peer.peer_value)
    assert passes_beside.goal == beside_peer.goal
    legs = wandering(40, 3, 4, 1)
    assert passes.value == passes_beside.value == pytest.approx(_as_planned_s(legs))
    assert ours.value == beside_peer.value == passes.peer_value <= passes.value * (1 + 1e-9)
    assert beside_peer.peer_value <= longest_s(legs, even_split(legs)) * (1 + 1e-9)


def test_parts_of_a_large_instance_are_put_together_again(monkeypatch):
    monkeypatch.setattr("bench.peer_pyvrp.MOST_LEGS", 20)
    monkeypatch.setattr("bench.peer_pyvrp.PART_LEGS", 15)
    legs = wandering(60, 3, 6, 2)
    assert longest_s(legs, solved(legs, 0.5)) <= longest_s(legs, even_split(legs))


def test_a_peer_without_a_plan_of_its_own_is_said_to_have_the_even_split(short):
    short.setattr(partition, "LIMIT_S", 0.0)
    *_, beside, _ = partition.rows(None, "partition")
    assert beside.peer == "PyVRP, bisected shift duration, 0 s, no better than the even split"
    legs = wandering(40, 3, 4, 1)
    assert beside.peer_value == pytest.approx(longest_s(legs, even_split(legs)))


def test_a_peer_that_is_not_there_is_a_row_that_says_so(short):
    gone = partition.Peer("OR-Tools, best of its searches", Path("nowhere/python"), "bench.peer_ortools", "make peers")
    short.setattr(partition, "PEERS", (gone,))
    *_, beside = partition.rows(None, "partition")
    assert beside.peer == "OR-Tools is not installed: make peers"
    assert beside.met is False
    assert beside.peer_value is None


def test_a_peer_that_does_not_end_is_a_row_and_the_others_are_told(short):
    """On a busy machine it ended the bench, and the rows of those before it were lost."""
    first = partition.PEERS[0]
    short.setattr(partition, "PEERS", (first, first))
    waited = iter([300.0, 0.001])
    short.setattr(partition, "_waited_s", lambda: next(waited, 0.001))
    *_, told, _, late, _ = partition.rows(None, "partition")
    assert told.peer_value is not None
    assert re.fullmatch("PyVRP did not end in .* s: stop what else runs here", late.peer)
    assert (late.peer_value, late.met, late.value) == (None, False, told.value)


def test_a_peer_that_fails_ends_the_bench_with_its_last_word(short):
    broken = partition.Peer("PyVRP", partition.PEERS[0].python, "bench.nothing", "make test")
    short.setattr(partition, "PEERS", (broken,))
    with pytest.raises(BenchError, match=r"PyVRP ended with 1: .*No module named bench\.nothing"):
        list(partition.rows(None, "partition"))


def test_a_folder_replaces_the_instances(short, tmp_path):
    with pytest.raises(BenchError, match=r"holds no instance\.json"):
        list(partition.rows(tmp_path, "partition"))
    assert list(partition.rows(tmp_path, None)) == []
    (tmp_path / "ridge").mkdir()
    file = tmp_path / "ridge" / "instance.json"
    legs = wandering(30, 2, 3, 9)
    file.write_text(json.dumps(dumped(legs)))
    short.setattr(partition, "PEERS", ())
    row, passes = partition.rows(tmp_path, "partition")
    assert row.name == "partition/ridge"
    assert passes.name == "partition/ridge, passes"
    assert passes.value == pytest.approx(_as_planned_s(legs))


def test_passes_are_told_apart_from_folds_where_these_are_shorter(short):
    """On this instance flights that fold save more than a hundredth: passes claim none of it."""
    short.setattr(partition, "PEERS", ())
    short.setattr(partition, "CASES", (partition.Case(300, 6, 6, 3),))
    ours, passes = partition.rows(None, "partition")
    assert passes.value == pytest.approx(_as_planned_s(wandering(300, 6, 6, 3)))
    assert ours.value < 0.99 * passes.value


@settings(max_examples=few(80), deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(1, 30),
    east=st.floats(0.0, 1.0),
    north_m=st.floats(-9000.0, 9000.0),
)
def test_a_base_beyond_the_line_is_put_on_the_own_side_as_far_and_one_on_it_stays(seed, count, east, north_m):
    """Whether the ground south of a line that leads east, and goes straight on beyond its ends, holds the base."""
    rng = np.random.default_rng(seed)
    steps = rng.uniform(100, 700, (count, 1)) * [1.0, 0.0] + rng.normal(0, 600, (count, 1)) * [0.0, 1.0]
    corners = np.vstack([[0.0, 0.0], steps.cumsum(axis=0)])
    way_in, way_out = (3e4 * step / np.hypot(*step) for step in (steps[0], steps[-1]))
    longer = np.vstack([corners[:1] - way_in, corners, corners[-1:] + way_out])
    south = Polygon([*longer, (1e6, -1e6), (-1e6, -1e6)])
    base = np.array([east * corners[-1, 0], north_m])
    line = LineString(corners)
    assume(line.distance(Point(base)) > 0.1)
    put = on_own_side(corners, base)
    if south.contains(Point(base)):
        assert np.array_equal(put, base)
        return
    there, nearest = Point(put), line.interpolate(line.project(Point(base)))
    assert south.buffer(0.01).contains(there)
    halves = math.log2(nearest.distance(Point(base)) / nearest.distance(there))
    assert halves == pytest.approx(max(round(halves), 0), abs=1e-6)


@pytest.fixture(scope="module")
def there():
    """A wandering border of 16 km with three bases on the own side of it."""
    return beside(wandering(40, 3, 3, 3))


def test_an_instance_with_a_base_beyond_a_bend_is_planned():
    """Where it lies the planner would refuse it."""
    legs = wandering(40, 3, 3, 5)
    corners = np.vstack([legs.ends_m[:, 0], legs.ends_m[-1:, 1]])
    assert any(not np.array_equal(on_own_side(corners, base), base) for base in legs.base_m)
    assert beside(legs).planned_s() > 0


def test_ours_is_the_last_landing_of_the_plan(there):
    made = plan(there.border, there.fleet, None, OPTIONS)
    assert there.planned_s() == pytest.approx(made.revisit_s, abs=0.01)


def test_drones_of_one_base_stand_at_one():
    two_each = beside(wandering(40, 2, 4, 3))
    assert len({vehicle.base for vehicle in two_each.fleet.vehicles}) == 2
    made = plan(two_each.border, two_each.fleet, None, OPTIONS)
    # The plan knows besides how long those of one base wait for each other to be apart.
    assert made.revisit_s - 60 < two_each.planned_s() <= made.revisit_s + 0.01
    assert two_each.flown_s(even_split(two_each.legs)) >= two_each.planned_s()


def test_the_planners_own_passes_are_flown_as_it_flies_them(there):
    """Its own division, given as a tour of legs, is the same flight: only the ends of legs are not its stations."""
    rotas = Planner(there.setting).rotas
    cuts = there.setting.stations[there.cuts]
    tours = {}
    for roster in rotas.periods[0].rosters:
        ends = [rotas.sorties[number] for number in roster.sorties]
        middle = (cuts[:-1] + cuts[1:]) / 2
        tours[roster.sysids[0] - 1] = [
            leg for one in ends for leg in np.flatnonzero((middle > one.from_m) & (middle < one.to_m)).tolist()
        ]
    assert there.flown_s(tours) == pytest.approx(there.planned_s(), abs=2 * 500 / there.legs.patrol_m_s)
    assert there.flown_s(tours) >= there.planned_s() * (1 - 1e-3)


def test_what_follows_the_line_for_longer_than_a_sortie_may_is_flown_in_several_by_everybody():
    """A tour over all legs, which the fence of one sortie cannot hold: both comings home are counted."""
    alone = beside(wandering(40, 1, 1, 3))
    count = len(alone.legs.ends_m)
    whole_s, tours = alone.planned_s(), ({0: list(range(count))}, {0: list(range(count))[::-1]})
    assert [alone.flown_s(tour) for tour in tours] == pytest.approx([whole_s, whole_s], abs=1.0)
    (last,) = alone.setting.last.values()
    last[:] = np.minimum(last, np.arange(len(last)) + len(last) * 2 // 5)
    # In three, of which the planner is free to choose where two of them meet.
    again_s = alone.planned_s()
    extra_s = 2 * float(alone.legs.home_m.min()) / alone.legs.cruise_m_s
    assert again_s > whole_s + 2 * extra_s
    for tour in tours:
        assert alone.flown_s(tour) >= again_s - 1.0
    # Runs that are short enough are flown as they are.
    fits = {0: [*range(10), *range(20, 30), *range(10, 20), *range(30, count)]}
    free = beside(wandering(40, 1, 1, 3))
    assert alone.flown_s(fits) == free.flown_s(fits)


def test_ways_between_legs_keep_the_stand_off_and_are_the_shortest_along_a_bay(there):
    """None is shorter than straight, none is longer than along the flight line, all are so from everywhere."""
    legs = there.legs
    count = len(legs.ends_m)
    ends = legs.ends_m.reshape(-1, 2)
    between = legs.between_m.reshape(2 * count, 2 * count)
    straight = np.hypot(*(ends[:, None] - ends[None]).T).T
    at = there.setting.stations[there.cuts]
    along = np.stack([at[:-1], at[1:]], axis=1).ravel()
    assert (between >= straight - 0.01).all()
    assert (between <= np.abs(along[:, None] - along[None]) + 0.01).all()
    assert np.allclose(between, between.T)
    # Where it is straight the straight way is lawful, by a region that this test cuts out itself.
    line = LineString(metres(there.border.coordinates)).buffer(there.border.stand_off_m - 1)
    lat, lon = there.setting.at
    xy = metres(np.column_stack([lon, lat]))[there.cuts]
    places = np.stack([xy[:-1], xy[1:]], axis=1).reshape(-1, 2)
    free = np.argwhere((between < straight + 0.01) & (straight > 1.0))
    assert 0.1 < len(free) / len(ends) ** 2 < 0.9
    assert not any(line.intersects(LineString(places[pair])) for pair in free)


def test_to_what_is_out_of_its_reach_a_base_has_the_way_of_one_that_reaches_further(there, monkeypatch):
    """By way of places within its reach: lawful, and longer at most by the bend there."""
    monkeypatch.setattr("bench.legs_flown.BATTERY_WH", 200.0)
    near = beside(wandering(40, 3, 3, 3))
    assert min(len(access.reached) for access in near.setting.access.values()) < len(near.setting.stations) - 20
    assert np.array_equal(near.legs.between_m, there.legs.between_m)
    longer = near.legs.home_m / there.legs.home_m
    assert 0.6 < (np.abs(longer - 1) < 1e-6).mean() < 0.9
    assert 1 - 1e-6 < longer.min() <= longer.max() < 1.15


def test_who_flies_over_a_leg_twice_lands_later(there):
    """Every second leg on the way out and the others back: by the planner's own legs, and by the level figure."""
    count = len(there.legs.ends_m)
    thirds = np.array_split(np.arange(count), 3)
    order = sorted(range(3), key=lambda drone: float(there.legs.home_m[drone].min(axis=1).argmin()))
    straight = {drone: own.tolist() for drone, own in zip(order, thirds, strict=True)}
    zigzag = {drone: [*own[::2], *own[1::2][::-1]] for drone, own in straight.items()}
    level = longest_s(there.legs, zigzag) - longest_s(there.legs, straight)
    built = there.flown_s(zigzag) - there.flown_s(straight)
    assert built > 0
    # What is built knows climbs besides, and ways of its own between legs.
    assert built == pytest.approx(level, abs=0.1 * longest_s(there.legs, straight))


def test_a_flown_row_judges_the_tours_of_the_peer_as_the_planner_builds_them(short):
    short.setattr(partition, "CASES", ())
    short.setattr(partition, "FLOWN", (partition.Case(40, 3, 3, 3),))
    (row,) = partition.rows(None, "partition")
    assert row.name == "partition/40 legs, seed 3, flown by 3, PyVRP"
    assert row.goal == "ratio <= 1, in 0.1 s"
    assert row.ratio == pytest.approx(row.value / row.peer_value)
    there = beside(wandering(40, 3, 3, 3))
    assert row.value == pytest.approx(there.planned_s())
    assert row.peer_value <= there.flown_s(even_split(there.legs)) * 1.01
    assert list(partition.rows(None, "partition/40 legs, seed 3, flown by 3, OR-Tools")) == []


def test_ways_that_are_not_straight_go_to_json_and_back_and_count_in_a_tour():
    legs = wandering(5, 2, 2, 4)
    straight = longest_s(legs, {0: [0, 1, 2, 3, 4]})
    ends = legs.ends_m
    bent = replace(
        legs,
        between_m=1.5 * np.hypot(*np.moveaxis(ends[:, :, None, None] - ends[None, None], -1, 0)),
        home_m=np.stack([np.hypot(*np.moveaxis(ends - base, -1, 0)) + 150.0 for base in legs.base_m]),
        along_m=np.hypot(*(ends[:, 1] - ends[:, 0]).T) + 10.0,
    )
    # On end they meet, whatever ways cost: 150 m more out and home at cruise, 10 m more of each leg on patrol.
    assert longest_s(bent, {0: [0, 1, 2, 3, 4]}) == pytest.approx(straight + 2 * 150 / 15 + 5 * 10 / 10)
    again = loaded(json.loads(json.dumps(dumped(bent))))
    for name in ("between_m", "home_m", "along_m"):
        assert np.array_equal(getattr(again, name), getattr(bent, name))
    lists = loaded(dumped(bent) | {name: getattr(bent, name).tolist() for name in ("between_m", "home_m", "along_m")})
    assert np.array_equal(lists.between_m, bent.between_m)
    for broken in ({"shape": [5], "float64": "AAAA"}, {"shape": [5], "float64": "no base64"}):
        with pytest.raises(ValueError):
            loaded(dumped(bent) | {"along_m": broken})
    with pytest.raises(ValueError, match="home_m: give lengths"):
        loaded(dumped(bent) | {"home_m": [[1.0]]})


@pytest.mark.parametrize("bent", ["between_m", "home_m"])
def test_a_solver_is_given_the_ways_that_are_bent_though_others_are_straight(bent):
    """Judged by ways that it was not told of it would do worse than it can: 30 m more are 2 s at cruise."""
    legs, count = wandering(4, 2, 3, 4), 4
    ends = legs.ends_m
    more = {
        "between_m": np.hypot(*np.moveaxis(ends[:, :, None, None] - ends[None, None], -1, 0)) + 30.0,
        "home_m": np.stack([np.hypot(*np.moveaxis(ends - base, -1, 0)) + 30.0 for base in legs.base_m]),
    }
    longer_s = matrix_s(replace(legs, **{bent: more[bent]}), range(3)) - matrix_s(legs, range(3))
    expected = np.zeros((count + 3, count + 3))
    if bent == "between_m":
        expected[:count, :count] = 2.0
    else:
        expected[:count, count:] = expected[count:, :count] = 2.0
    assert longer_s == pytest.approx(expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"legs": [[[0, 0], [1]]]}, "is no instance"),
        ({"legs": []}, "legs: give a list"),
        ({"drones": [0, 9]}, "drones: give for each"),
        ({"patrol_m_s": 99}, "patrol no faster"),
        ({"bases": None}, "bases: give a list"),
    ],
)
def test_an_instance_of_another_form_is_refused_by_what_is_wrong(short, tmp_path, change, message):
    (tmp_path / "instance.json").write_text(json.dumps(dumped(wandering(30, 2, 3, 9)) | change))
    with pytest.raises(BenchError, match=message):
        list(partition.rows(tmp_path, "partition"))
