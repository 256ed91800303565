"""The bench of places on the ground: it tells errors that are as stated from those that are not."""

import numpy as np
import pytest

from bench import georeference
from bench.georeference import View, _people, georeference_rows, samples_of
from bench.rows import BenchError
from sim import Box
from vision import Detection, Detector, PlaceSample, score_places

VIEW = View(60, 57)


@pytest.fixture(scope="module")
def detector():
    return Detector(confidence=0.25)


def share_inside(detector, scale):
    return score_places(samples_of(VIEW, detector, pictures=3, draws=40, scale=scale)).inside


def test_errors_as_stated_are_inside_and_thrice_those_are_not(detector):
    """Of a normal error in two dimensions of thrice the stated size, 1 - exp(-5.991 / 18) = 28 % lies inside."""
    assert 0.85 <= share_inside(detector, 1.0) <= 1.0
    assert 0.15 <= share_inside(detector, 3.0) <= 0.5


def test_without_errors_of_the_pose_places_are_those_of_the_world(detector):
    samples = samples_of(VIEW, detector, pictures=3, draws=1, scale=0.0)
    assert len(samples) >= 12
    assert np.median([sample.distance_m for sample in samples]) < 0.3


def test_who_was_found_is_told_by_the_picture():
    true = (Box(3, "person", 10, 10, 20, 30, 1.0), Box(4, "person", 50, 50, 60, 70, 0.5))
    near = Detection(11, 10, 20, 30, "person", 0.6)
    assert _people([Detection(50, 50, 60, 70, "person", 0.9), near], true) == [(3, near)]  # half of the other is hidden
    assert _people([Detection(200, 10, 210, 30, "person", 0.9)], true) == []
    assert _people([Detection(10, 10, 20, 30, "vehicle", 0.9)], true) == []


def test_a_view_in_which_nobody_is_found_is_no_figure(monkeypatch):
    monkeypatch.setattr(georeference, "samples_of", lambda *_: [])
    with pytest.raises(BenchError, match="60 m, 57 degrees down: the detector found nobody"):
        list(georeference_rows("georeference/60 m, 57 degrees down"))
    assert list(georeference_rows("streams")) == []


@pytest.mark.parametrize(("share", "met"), [(0.89, False), (0.9, True), (0.98, True), (0.99, False)])
def test_the_share_is_held_against_both_ends(monkeypatch, share, met):
    """An ellipse that holds everything is as wrong as one that holds too little."""
    count = 100
    covariance = np.eye(2)
    samples = [
        PlaceSample(str(i), np.array([0.1 if i < round(share * count) else 9.0, 0.0]), covariance, 60.0, 57.0)
        for i in range(count)
    ]
    monkeypatch.setattr(georeference, "samples_of", lambda *_: samples)
    (row,) = georeference_rows("georeference/60 m, 57 degrees down")
    assert (row.value, row.met) == (share, met)
    assert "100 places, 100 poses" in row.peer
