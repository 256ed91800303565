"""Paths and worlds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.errors import WorldError
from sim.world import Actor, Path, World, join, stand, walk


@given(
    st.floats(1, 12),
    st.floats(0, 360),
    st.floats(0, 1),
)
def test_even_pace_along_a_straight_line(speed, azimuth, share):
    end = 100 * np.array([np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))])
    path = walk([(0, 0), end], speed, start_s=5, variation=0)
    time = 5 + share * 100 / speed
    assert path.at(time) == pytest.approx(share * end, abs=1e-6)
    assert path.walked_m(time) == pytest.approx(100 * share, abs=1e-6)
    assert path.speed_mps(5 + 50 / speed) == pytest.approx(speed)
    assert (path.heading_deg(5 + 50 / speed) - azimuth + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)


def test_gait_varies_by_seed_and_keeps_to_its_waypoints():
    path = walk([(0, 0), (30, 0), (30, 20)], 1.4, seed=1)
    assert np.array_equal(path.points_m, walk([(0, 0), (30, 0), (30, 20)], 1.4, seed=1).points_m)
    assert not np.array_equal(path.points_m, walk([(0, 0), (30, 0), (30, 20)], 1.4, seed=2).points_m)
    assert path.points_m[-1] == pytest.approx((30, 20))
    assert path.time_s[-1] == pytest.approx(50 / 1.4, rel=0.05)
    assert np.abs(path.points_m[path.time_s < 20, 1]).max() < 0.2


def test_an_actor_stands_before_and_after_its_path():
    path = walk([(0, 0), (10, 0)], 2.0, variation=0)
    assert path.at([-5.0, 99.0]) == pytest.approx(np.array([(0, 0), (10, 0)]))
    assert path.speed_mps(-5) == path.speed_mps(99) == 0
    assert path.heading_deg(99) == pytest.approx(90)


def test_joined_paths_wait_in_between():
    path = join([walk([(0, 0), (4, 0)], 2.0, variation=0), stand((4, 0), start_s=2.0, end_s=5.0)])
    assert path.at(4.0) == pytest.approx((4, 0))
    assert path.heading_deg(4.0) == pytest.approx(90)
    assert stand((1, 1), start_s=0, end_s=1, facing_deg=33).heading_deg(0.5) == 33
    # Who waits after a bend looks where the last step led.
    bent = join([walk([(0, 0), (4, 0), (4, 4)], 2.0, variation=0), stand((4, 4), start_s=4.0, end_s=6.0)])
    assert [bent.heading_deg(time_s) for time_s in (1.0, 3.0, 5.0)] == pytest.approx([90, 0, 0])


@pytest.mark.parametrize(
    "make",
    [
        lambda: Path(np.array([0.0, 0.0]), np.zeros((2, 2))),
        lambda: Path(np.array([0.0]), np.zeros((2, 2))),
        lambda: Path(np.array([0.0]), np.array([[np.nan, 0]])),
        lambda: walk([(0, 0)], 1),
        lambda: walk([(0, 0), (1, 0)], 0),
        lambda: join([]),
        lambda: join([stand((0, 0), start_s=0, end_s=5), stand((0, 0), start_s=4, end_s=6)]),
        lambda: Actor(1, "dragon", stand((0, 0), start_s=0, end_s=1)),
        lambda: World(0, 0, 0, 0, (Actor(1, "person", stand((0, 0), start_s=0, end_s=1)),) * 2),
    ],
)
def test_refuses_what_cannot_be(make):
    with pytest.raises(WorldError):
        make()
