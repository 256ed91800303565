"""Smoothed ground tracks: against the batch solution, and with their errors kept apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.ground import GroundSettings, ground_track
from vision.kalman import PlaneFilter, Smoother, _process, _transition, smooth
from vision.types import Detection, GroundPoint, Observation, Track

T0 = 1_790_000_000_000_000
SHARED = np.array([[1.0, 0.0], [0.3, 2.0]])


def track_of(places, times_s, sigma=0.2, kind="person"):
    box = Detection(0, 0, 10, 20, kind, 0.7)
    observations = tuple(
        Observation(
            T0 + round(t * 1e6), i, box, GroundPoint(T0 + round(t * 1e6), np.asarray(p), np.eye(2) * sigma**2, SHARED)
        )
        for i, (p, t) in enumerate(zip(places, times_s, strict=True))
    )
    return Track(1, kind, 0.7, observations)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 9999), count=st.integers(2, 12))
def test_the_smoother_is_the_batch_least_squares_solution(seed, count):
    """Oracle: one linear system of the prior, all steps and all measurements."""
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.05, 1.0, count))
    places = rng.normal(0, 3, (count, 2))
    roots = rng.normal(0, 0.4, (count, 2, 2))
    noises = roots @ np.swapaxes(roots, 1, 2) + 0.02 * np.eye(2)
    states, errors = smooth(times, places, noises, 2.0, 0.3)
    information, vector = np.zeros((4 * count, 4 * count)), np.zeros(4 * count)
    information[2:4, 2:4] += np.eye(2) / 2.0**2
    for i in range(count):
        here = slice(4 * i, 4 * i + 2)
        information[here, here] += np.linalg.inv(noises[i])
        vector[here] += np.linalg.solve(noises[i], places[i])
        if i:
            step = times[i] - times[i - 1]
            rows = np.zeros((4, 4 * count))
            rows[:, 4 * i : 4 * i + 4], rows[:, 4 * i - 4 : 4 * i] = np.eye(4), -_transition(step)
            information += rows.T @ np.linalg.inv(_process(step, 0.3)) @ rows
    covariance = np.linalg.inv(information)
    assert np.allclose(states.ravel(), covariance @ vector, atol=1e-5)
    for i in range(count):
        assert np.allclose(errors[i], covariance[4 * i : 4 * i + 4, 4 * i : 4 * i + 4], atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 9999), grown=st.lists(st.integers(0, 6), min_size=1, max_size=6))
def test_who_looks_again_gets_what_a_first_look_gives(seed, grown):
    """A track grows; a measurement of it may change, be left out or be forgotten, or its kind turn out other."""
    rng = np.random.default_rng(seed)
    again, count = Smoother(), 2
    times, places = np.cumsum(rng.choice([0.1, 0.2], 60)), rng.normal(0, 3, (60, 2))
    noises = np.eye(2) * rng.uniform(0.1, 1.0, (60, 1, 1))
    speed = 2.0
    for more in grown:
        count += more
        which = rng.integers(0, count)
        if (what := rng.integers(0, 5)) == 0:
            noises[which] *= 3.0
        elif what == 1:
            times, places, noises = (np.delete(v, which, axis=0) for v in (times, places, noises))
        elif what == 2:
            speed = 12.0 - speed
        given = times[:count], places[:count], noises[:count], speed, 0.3
        for one, other in zip(again.smooth(*given), smooth(*given), strict=True):
            assert np.array_equal(one, other)


def test_who_looks_again_filters_what_is_new_alone(monkeypatch):
    taken = []
    update = PlaneFilter.update
    monkeypatch.setattr(PlaneFilter, "update", lambda self, *what: (taken.append(1), update(self, *what)))
    times = np.arange(100) / 5
    places = np.stack([1.2 * times, np.zeros(100)], axis=-1)
    places[40] += [0, 15.0]  # left out each time
    memory = []
    ground_track(track_of(places[:90], times[:90]), memory=memory)
    first = len(taken)
    assert first > 2 * 80  # once with the outlier, once without
    way = ground_track(track_of(places, times), memory=memory)
    # As it is looked at again the outlier changes nothing of the way to it.
    assert len(taken) - first == 2 * 10
    assert np.array_equal(way.xy, ground_track(track_of(places, times)).xy)
    assert len(memory) == 2


def test_one_long_step_is_two_short_ones():
    one = PlaneFilter(np.zeros(2), np.eye(2), 1.5, 0.4)
    two = PlaneFilter(np.zeros(2), np.eye(2), 1.5, 0.4)
    one.predict(3.0)
    two.predict(1.2)
    two.predict(1.8)
    assert np.allclose(one.covariance, two.covariance)


def test_the_systematic_part_travels_untouched():
    times = np.arange(60) / 5
    rng = np.random.default_rng(1)
    places = np.stack([1.2 * times, -0.5 * times], axis=-1) + rng.normal(0, 0.2, (60, 2))
    way = ground_track(track_of(places, times))
    assert np.allclose(way.covariance - way.random, SHARED @ SHARED.T)
    # The random one shrinks where there is a past and a future.
    assert way.random[30, 0, 0] < 0.25 * 0.2**2
    assert way.velocity[30] == pytest.approx([1.2, -0.5], abs=0.15)


def test_the_random_covariance_is_what_the_scatter_is():
    """Normalised squared errors of many walks average to the dimension, 2."""
    times = np.arange(40) / 5
    rng = np.random.default_rng(2)
    values = []
    for _ in range(150):
        accelerations = rng.normal(0, np.sqrt(0.15 / 0.2), (40, 2))  # the density of a person's acceleration
        velocities = rng.normal(0, 1.0, 2) + np.cumsum(accelerations * 0.2, axis=0)
        truth = np.cumsum(velocities * 0.2, axis=0)
        way = ground_track(track_of(truth + rng.normal(0, 0.2, (40, 2)), times), GroundSettings(outlier_sigmas=9))
        apart = way.xy[20] - truth[20]
        values.append(apart @ np.linalg.solve(way.random[20], apart))
    assert np.mean(values) == pytest.approx(2.0, abs=0.5)


def test_too_little_is_no_track_and_gaps_are_allowed():
    assert ground_track(track_of(np.zeros((2, 2)), [0, 0.2])) is None
    nowhere = Track(1, "person", 0.7, (Observation(T0, 0, Detection(0, 0, 1, 1, "person", 0.7)),))
    assert ground_track(nowhere) is None
    way = ground_track(track_of([[0, 0], [0.2, 0], [0.4, 0], [4.0, 0]], [0, 0.2, 0.4, 4.0]))
    assert way.random.shape == (4, 2, 2)


@pytest.mark.parametrize("at", [0, 20, 39])
def test_outliers_are_left_out_wherever_they_are(at):
    times = np.arange(40) / 5
    places = np.stack([1.2 * times, np.zeros(40)], axis=-1)
    places[at] += [0, 15.0]
    way = ground_track(track_of(places, times))
    assert len(way.times_us) == 39
    assert np.abs(way.xy[:, 1]).max() < 0.1
