"""Errors of places, the stated ellipse, and the interval of the share that it holds."""

import numpy as np
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

from vision.evaluation_result import place_bands
from vision.place_scores import HEIGHT_BANDS_M, PlaceSample, score_places, share_interval


def sighting(error, covariance, recording="a", height=80.0, look=57.0):
    return PlaceSample(recording, np.array(error, float), np.array(covariance, float), height, look)


def test_the_edge_of_the_ellipse():
    """One sigma of 2 m east and 1 m north: the 95 % ellipse ends at 2.4477 sigmas, by the chi-square's table."""
    wide = np.diag([4.0, 1.0])
    assert sighting([4.89, 0], wide).inside
    assert not sighting([4.90, 0], wide).inside
    assert sighting([0, 2.44], wide).inside
    assert not sighting([0, 2.45], wide).inside


def test_an_ellipse_without_width_holds_only_what_lies_on_it():
    flat = [[1.0, 1.0], [1.0, 1.0]]
    assert sighting([1.0, 1.0], flat).inside
    assert not sighting([1.0, 1.01], flat).inside
    assert sighting([0, 0], np.zeros((2, 2))).inside
    assert not sighting([0.1, 0], np.zeros((2, 2))).inside


@given(
    st.lists(st.floats(-5, 5), min_size=2, max_size=2),
    st.floats(0.1, 4), st.floats(0.1, 4), st.floats(-0.9, 0.9),
)  # fmt: skip
def test_inside_is_the_probability_of_the_normal_distribution(error, east, north, correlation):
    covariance = np.array([[east**2, correlation * east * north], [correlation * east * north, north**2]])
    closer = scipy.stats.chi2.cdf(np.array(error) @ np.linalg.inv(covariance) @ np.array(error), df=2)
    if abs(closer - 0.95) > 1e-6:
        assert sighting(error, covariance).inside == (closer < 0.95)


def test_errors_that_are_as_stated_are_inside_as_stated():
    rng = np.random.default_rng(5)
    covariance = np.array([[3.0, 1.2], [1.2, 2.0]])
    errors = rng.multivariate_normal([0, 0], covariance, 4000)
    one = score_places([sighting(error, covariance, str(n)) for n, error in enumerate(errors)])
    assert one.low < 0.95 < one.high
    assert one.high - one.low < 0.02
    # Ellipses that are stated a third too small are found out.
    tight = score_places([sighting(error, covariance / 2.25, str(n)) for n, error in enumerate(errors)])
    assert tight.high < 0.90


def test_figures_by_hand():
    one = score_places([sighting([3, 4], np.eye(2) * 4), sighting([0, 1], np.eye(2) * 4), sighting([0, 2], np.eye(2))])
    assert (one.sightings, one.recordings, one.median_m, one.inside) == (3, 1, 2.0, pytest.approx(2 / 3))
    assert one.semi_major_m == pytest.approx(2 * 2.4477, abs=1e-3)
    assert (one.low, one.high) == (None, None)  # one recording is one draw
    assert score_places([]) is None


def test_a_share_of_recordings_that_are_all_one_is_that_of_clopper_and_pearson():
    """Nineteen recordings wholly inside and one wholly outside are nineteen of twenty, however many sightings."""
    inside = np.array([r != 0 for r in range(20) for _ in range(50)])
    low, high = share_interval(inside, [str(r) for r in range(20) for _ in range(50)])
    # The published table for 19 of 20: 75.1 to 99.9 %. Student's t of 19 degrees of freedom widens it.
    assert 0.70 < low < 0.752
    assert 0.998 < high < 1.0


def test_sightings_do_not_narrow_the_interval_recordings_do():
    def interval(recordings, each):
        return share_interval(
            np.ones(recordings * each, bool), [str(r) for r in range(recordings) for _ in range(each)]
        )

    assert interval(10, 5) == interval(10, 500)
    assert interval(10, 5) == (pytest.approx(0.025 ** (1 / 10)), 1.0)  # ten of ten, exactly
    assert interval(40, 5)[0] > interval(10, 5)[0]
    assert share_interval(np.ones(9, bool), ["a"] * 9) is None
    assert share_interval(np.zeros(9, bool), list("aabbccddd"))[0] == 0.0


def test_the_interval_holds_the_true_share_as_often_as_it_says():
    """Errors shared within a recording: 12 recordings of 30 sightings, drawn 300 times."""
    rng = np.random.default_rng(8)
    held = naive = 0
    for _ in range(300):
        shared = rng.normal(size=(12, 1, 2)) * np.sqrt(0.9)
        errors = shared + rng.normal(size=(12, 30, 2)) * np.sqrt(0.1)
        inside = ((errors**2).sum(axis=2) <= scipy.stats.chi2.ppf(0.95, 2)).ravel()
        low, high = share_interval(inside, [str(r) for r in range(12) for _ in range(30)])
        held += low <= 0.95 <= high
        plain = scipy.stats.binomtest(int(inside.sum()), inside.size).proportion_ci(0.95)
        naive += plain.low <= 0.95 <= plain.high
    assert held / 300 >= 0.93
    assert naive / 300 < 0.6  # counting sightings as draws would claim far too much


def test_bands_hold_each_sighting_once():
    heights = [0.0, 14.9, 15.0, 74.0, 135.0, 300.0, float("nan")]
    some = [sighting([1, 0], np.eye(2), height=height) for height in heights]
    bands = place_bands(some, HEIGHT_BANDS_M, lambda s: s.height_m)
    assert [(band.low, band.score.sightings) for band in bands] == [(0.0, 2), (15.0, 1), (45.0, 1), (135.0, 2)]
    level = [sighting([1, 0], np.eye(2), look=90.0)]
    assert place_bands(level, (0.0, 45.0, 90.0), lambda s: s.look_deg)[0].low == 45.0  # straight down is in a band
