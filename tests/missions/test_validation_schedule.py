"""Which aircraft come near each other at one moment, against trying every two of all places."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missions.validation_schedule import _pairs
from tests.asked import few

STEP_S = 2.0


@settings(max_examples=few(60), deadline=None)
@given(
    seed=st.integers(0, 10**6),
    flights=st.integers(1, 7),
    width_m=st.sampled_from([200.0, 2000.0, 20_000.0]),
    lost=st.sampled_from([0.0, 0.3]),
)
def test_places_of_two_flights_within_a_reach_are_those_that_trying_all_finds(seed, flights, width_m, lost):
    """Flights begin anywhere in the shift, some moments of them are left out, as near a base."""
    rng = np.random.default_rng(seed)
    places, moments, who = [], [], []
    for number in range(flights):
        count = int(rng.integers(1, 80))
        kept = rng.uniform(size=count) >= lost
        way = rng.uniform(0, width_m, 3) + np.cumsum(rng.uniform(-30, 30, (count, 3)), axis=0)
        places.append(way[kept])
        moments.append((int(rng.integers(0, 60)) + np.arange(count))[kept] * STEP_S)
        who.append(np.full(int(kept.sum()), number))
    place, moment, flight = np.concatenate(places), np.concatenate(moments), np.concatenate(who)
    reach_m = 150.0
    i, j = _pairs(place, moment, flight, reach_m)
    apart = np.linalg.norm(place[:, None] - place, axis=-1)
    near = (apart <= reach_m) & (moment[:, None] == moment) & (flight[:, None] != flight)
    assert {frozenset(pair) for pair in zip(i.tolist(), j.tolist(), strict=True)} == {
        frozenset(pair) for pair in np.argwhere(near).tolist()
    }


@pytest.mark.parametrize("count", [0, 1])
def test_nobody_is_near_where_at_most_one_place_is(count):
    i, j = _pairs(np.zeros((count, 3)), np.zeros(count), np.zeros(count, dtype=np.int64), 100.0)
    assert (len(i), len(j)) == (0, 0)
