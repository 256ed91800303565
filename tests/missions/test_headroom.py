"""What autopilots make of the heights of wings keeps floor and ceiling, over any ground; straight legs their bounds."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from missions import LegKind, PlanError, plan
from missions.headroom import SLOPED_M, Heights, profiled
from missions.lags import _faded, highest
from missions.laps import Profile
from missions.profile import Between, linked
from missions.wind import CALM
from tests.asked import asked

from .autopilot_heights import flown
from .helpers import straight
from .test_climbing import ramp
from .test_steep_ground import GROUNDS, LOOSE, WINGS, hills, noise, winged

BELOW_M = 1.0
"""What may be flown below the floor, or above the ceiling: the ground is sampled to a metre."""


@settings(max_examples=asked(6), deadline=None)
@example(form="vtol", terrain=ramp(0.4, 70.0))
@example(form="fixed_wing", terrain=hills(60.0, 1500.0))
@example(form="vtol", terrain=noise(20.0, 7))
@example(form="vtol", terrain=noise(23.0, 0))
@given(
    form=st.sampled_from(sorted(WINGS)),
    terrain=st.one_of(GROUNDS, st.builds(ramp, st.floats(-0.4, 0.4), st.floats(0, 360), st.floats(50, 900))),
)
def test_what_autopilots_make_of_the_heights_of_wings_keeps_the_floor_and_the_ceiling_or_is_told(form, terrain):
    border = straight(3000.0)
    try:
        made = plan(border, winged(form, border), terrain, LOOSE)
    except PlanError:
        assume(False)
    for sortie in made.sorties:
        legs = [leg for leg in sortie.legs if leg.kind not in {LegKind.TAKEOFF, LegKind.LANDING}]
        for autopilot in ("ardupilot", "px4"):
            lat, lon, amsl_m = flown(legs, sortie.vehicle.aircraft, autopilot)
            agl_m = amsl_m - terrain.elevation_m(lat, lon)
            assert agl_m.min() > made.options.floor_agl_m - BELOW_M, autopilot
            above_m = agl_m.max() - made.options.ceiling_agl_m
            told = [note for note in made.notes if note.startswith(f"{sortie.name} may be flown up to ")]
            told_m = float(told[0].split()[6]) if told else 0.0
            assert above_m < told_m + BELOW_M, autopilot


def over(ground_m, step_m=20.0, **ends) -> Profile:
    """A straight way north over ground, flown by wings at 20 m/s that climb at 3."""
    steps = np.stack([np.zeros(len(ground_m) - 1), np.full(len(ground_m) - 1, step_m)], axis=-1)
    slopes = np.full((4, len(steps)), 3.0 * step_m / 20.0)
    bounds = Heights(40.0, 120.0, 60.0, **ends)
    by = (WINGS["fixed_wing"], CALM)
    return profiled(steps, ground_m, slopes, bounds, by=by, beside=lambda at, _: np.full((len(at), 1), np.nan))


def test_over_level_ground_the_floor_is_all_that_is_kept():
    assert over(np.full(200, 700.0)).low_m == pytest.approx(40.0)


def test_a_long_climb_keeps_what_it_is_flown_late_by_to_its_top_and_nothing_before_its_foot():
    along = 20.0 * np.arange(300)
    # At 3 m/s of climb and 20 m/s: as steep as can be flown. A first-order lag of 0.7 of it and 5 s is 10.5 m.
    found = over(700.0 + 0.15 * np.clip(along - 2000.0, 0.0, 1500.0))
    assert found.low_m[along < 1900.0].max() < 40.0 + 10.5 + 0.1
    assert found.low_m[(along > 2500.0) & (along <= 3500.0)] == pytest.approx(50.5, abs=0.4)
    assert found.low_m[along > 4500.0] == pytest.approx(40.0, abs=0.4)
    # A descent is planned later, by what PX4 flies it early.
    down = over(700.0 - 0.15 * np.clip(along - 2000.0, 0.0, 1500.0))
    assert down.low_m[along < 2000.0] == pytest.approx(40.0)
    assert down.low_m[(along > 2100.0) & (along < 3500.0)] == pytest.approx(40.0 + 0.15 * 44.8, abs=3.1)
    # One that is not as steep as can be flown soon makes good what it began later: it is flown late besides.
    gentle = over(700.0 - 0.05 * np.clip(along - 2000.0, 0.0, 1500.0))
    assert gentle.low_m.max() == pytest.approx(40.0 + 0.05 * 44.8, abs=1.1)
    assert gentle.low_m[(along > 2200.0) & (along < 3500.0)] == pytest.approx(40.0, abs=0.1)


def test_a_ceiling_is_a_floor_upside_down():
    along = 20.0 * np.arange(300)
    hill = 0.15 * np.clip(along - 2000.0, 0.0, 1500.0)
    up, down = over(700.0 + hill, flown_m=120.0), over(700.0 - hill, flown_m=120.0)
    for ground, mirrored in ((up, down), (down, up)):
        assert ground.most_m == pytest.approx(160.0 - mirrored.low_m, abs=1e-6)
    assert over(700.0 + hill, flown_m=150.0).most_m == pytest.approx(150.0)


def test_ends_that_are_given_are_so_and_what_can_be_had_from_them_is_asked():
    ground = 700.0 + 0.15 * 20.0 * np.arange(100)
    found = over(ground, start_m=45.0)
    assert (found.low_m[0], found.high_m[0], found.wanted_m[0]) == (45.0, 45.0, 45.0)
    assert found.low_m == pytest.approx(45.0)
    assert found.followed().over_m.max() < 1e-9


@st.composite
def lines(draw):
    count = draw(st.integers(2, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    along = np.cumsum(rng.uniform(0.0, 40.0, count)) * (rng.random() > 0.1)
    height = np.cumsum(rng.normal(0.0, draw(st.floats(0.0, 8.0)), count))
    least, most = (height + side * (rng.exponential(3.0, count) - 1.0) for side in (-1.0, 1.0))
    floor, ceiling = least - rng.exponential(3.0, count), most + rng.exponential(3.0, count)
    return along, height, Between(least, most, floor, ceiling), draw(st.floats(0.5, 8.0))


@given(lines())
def test_straight_legs_keep_their_bounds_and_shallow_ones_end_where_no_part_of_them_is_beyond_floor_or_ceiling(line):
    along, height, bounds, tolerance = line
    kept = linked(along, height, bounds, tolerance)
    assert kept[0] == 0
    assert kept[-1] == len(along) - 1
    assert (np.diff(kept) > 0).all()
    for a, b in pairwise(kept):
        if b - a < 2:
            continue
        inner = slice(a + 1, b)
        leg = np.interp(along[inner], along[[a, b]], height[[a, b]])
        if along[b] == along[a]:
            continue
        assert (leg >= np.minimum(bounds.least_m, height)[inner] - 1e-3).all()
        assert (leg <= np.maximum(bounds.most_m, height)[inner] + 1e-3).all()
        assert (np.abs(leg - height[inner]) <= tolerance + 1e-3).all()
        if 0 < height[a] - height[b] < SLOPED_M:
            assert height[b] >= bounds.floor_m[a : b + 1].max() - 1e-3
        if 0 < height[b] - height[a] < SLOPED_M:
            assert height[b] <= bounds.ceiling_m[a : b + 1].min() + 1e-3


@given(st.lists(st.tuples(st.floats(0.0, 50.0), st.floats(-100, 100)), min_size=1, max_size=80), st.floats(0.0, 300.0))
def test_the_highest_before_is_what_looking_at_each_says(samples, before_m):
    run, value = np.array(samples).T
    along = np.cumsum(run)
    for k, found in enumerate(highest(along, value, before_m)):
        within = [j for j in range(len(along)) if along[k] - before_m <= along[j] <= along[k] and j <= k]
        assert found >= value[within].max()
        # A piece that lies in part within the reach counts as a whole.
        assert found <= value[max(0, within[0] - 1) : k + 1].max()


@given(st.integers(1, 700), st.integers(0, 2**31), st.floats(0.8, 0.95))
def test_what_is_left_of_a_climb_is_what_a_filter_of_first_order_leaves(count, seed, kept):
    added = np.random.default_rng(seed).exponential(size=count)
    left, expected = 0.0, []
    for one in added.tolist():
        left = kept * left + one
        expected.append(left)
    assert _faded(added, kept) == pytest.approx(np.array(expected), rel=1e-9)
