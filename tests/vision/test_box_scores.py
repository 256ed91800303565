"""Boxes of one kind in frames, and what counts neither way."""

import math

import pytest

from vision import average_precision
from vision.box_scores import FrameBoxes, mean_precision, score_boxes, without_unjudged
from vision.true_boxes import TrueBox
from vision.types import Detection

KINDS = frozenset({"person", "vehicle"})


def true(x, kind="person", *, judged=True):
    return TrueBox(1, kind, x, 0, x + 10, 20, judged)


def found(x, score=0.9, kind="person"):
    return Detection(x, 0, x + 10, 20, kind, score)


def test_one_of_two_and_a_false_one():
    one = score_boxes([FrameBoxes([true(0), true(50)], [found(0), found(100, 0.3)])], "person", 0.25)
    assert (one.objects, one.precision, one.recall) == (2, 0.5, 0.5)
    assert one.ap50 == pytest.approx(51 / 101)
    levels = {level: (precision, recall) for level, precision, recall in one.by_alarm}
    assert levels[0.3] == (0.5, 0.5)
    assert levels[0.35] == (1.0, 0.5)  # the false one is below
    assert math.isnan(levels[0.95][0])
    assert one.to_json()["by_alarm"][-1] == [0.95, None, 0.0]


def test_boxes_are_compared_once_for_each_level_of_overlap_whatever_alarms_are_told(monkeypatch):
    compared, overlap = [], average_precision.overlap
    monkeypatch.setattr(average_precision, "overlap", lambda one, other: compared.append(1) or overlap(one, other))
    told = score_boxes([FrameBoxes([true(0)], [found(0)])] * 3, "person", 0.25)
    assert len(told.by_alarm) == 19
    assert len(compared) == 3 * len(average_precision.IOU_LEVELS)


def test_each_kind_for_itself():
    frames = [FrameBoxes([true(0, "vehicle")], [found(0)])]
    assert score_boxes(frames, "vehicle", 0.25).recall == 0.0
    person = score_boxes(frames, "person", 0.25)
    assert person.to_json() | {"by_alarm": 0} == {
        "objects": 0, "ap50": None, "ap50_95": None, "precision": 0.0, "recall": None, "by_alarm": 0,
    }  # fmt: skip
    assert mean_precision([person, score_boxes([FrameBoxes([true(0)], [found(0)])], "person", 0.25)])[0] == (
        pytest.approx(1.0)
    )
    assert mean_precision([person]) == (None, None)


def test_what_is_not_judged_counts_neither_way():
    frame = FrameBoxes(
        [true(0), true(50, judged=False), true(200, "animal")],
        [found(0), found(51), found(100), found(200), found(300, kind="animal")],
    )
    kept = without_unjudged(frame, KINDS)
    assert [box.x1 for box in kept.true] == [0]
    assert [box.x1 for box in kept.found] == [0, 100]  # the false one stays


def test_a_box_on_a_judged_label_stays_though_an_unjudged_one_is_there():
    kept = without_unjudged(FrameBoxes([true(0), true(1, judged=False)], [found(0)]), KINDS)
    assert len(kept.found) == 1
