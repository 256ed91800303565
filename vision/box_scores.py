"""How good the boxes of a detector are in the frames of a video: average precision, and what an alarm level gives."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.average_precision import IOU_LEVELS, match, overlap
from vision.evaluation import SIZES
from vision.true_boxes import TrueBox
from vision.types import Detection

__all__ = ["BoxScore", "FrameBoxes", "mean_precision", "score_boxes", "without_unjudged"]

Floats = NDArray[np.float64]

_HALF = 0.5
_ALARMS = tuple(k / 20 for k in range(1, 20))


@dataclass(frozen=True, slots=True, eq=False)
class FrameBoxes:
    """What is labelled and what was found in one frame."""

    true: Sequence[TrueBox]
    found: Sequence[Detection]


@dataclass(frozen=True, slots=True)
class BoxScore:
    """Boxes of one kind.

    Parameters
    ----------
    kind
        Which.
    objects
        How many were labelled.
    ap50, ap50_95
        Average precision as COCO counts it; not numbers where nothing was labelled.
    precision, recall
        At an overlap of 0.5, of the boxes that score the alarm level at least; not numbers where undefined.
    by_alarm
        Alarm level, precision and recall, for levels 0.05 to 0.95.
    """

    kind: str
    objects: int
    ap50: float
    ap50_95: float
    precision: float
    recall: float
    by_alarm: tuple[tuple[float, float, float], ...]

    def to_json(self) -> dict[str, Any]:
        """The figures; None for what is not a number."""
        figures = {name: getattr(self, name) for name in ("ap50", "ap50_95", "precision", "recall")}
        return {
            "objects": self.objects,
            **{name: _number(value) for name, value in figures.items()},
            "by_alarm": [[_number(value) for value in row] for row in self.by_alarm],
        }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def score_boxes(frames: Sequence[FrameBoxes], kind: str, alarm: float) -> BoxScore:
    """Score the boxes of one kind in all frames; true boxes that are not judged have to be taken out before.

    Parameters
    ----------
    frames
        As `without_unjudged` gives them.
    kind
        Which.
    alarm
        Score of a box at which an operator would be told, 0 to 1.
    """
    labels = [_corners([box for box in frame.true if box.kind == kind]) for frame in frames]
    given = [[box for box in frame.found if box.kind == kind] for frame in frames]
    found = [(_corners(boxes), np.array([box.score for box in boxes])) for boxes in given]
    first, *others = (match(labels, found, level, SIZES["all"]) for level in IOU_LEVELS)
    precision, recall = first.at(alarm)
    if not first.objects and any((scores >= alarm).any() for _, scores in found):
        precision = 0.0  # nothing was there, and something was found
    return BoxScore(
        kind,
        first.objects,
        first.ap,
        float(np.mean([one.ap for one in (first, *others)])),
        precision,
        recall,
        tuple((level, *first.at(level)) for level in _ALARMS),
    )


def mean_precision(scores: Iterable[BoxScore]) -> tuple[float | None, float | None]:
    """mAP50 and mAP50-95: means over the kinds of which there are objects; None where there are none."""
    there = [score for score in scores if score.objects]
    if not there:
        return None, None
    return float(np.mean([s.ap50 for s in there])), float(np.mean([s.ap50_95 for s in there]))


def without_unjudged(frame: FrameBoxes, kinds: frozenset[str]) -> FrameBoxes:
    """A frame without what counts neither way.

    That is: labels that are not judged or of other kinds; found boxes of other kinds; and found boxes that hit, by an
    overlap of 0.5, such a label and no other.
    """
    judged = [box for box in frame.true if box.judged and box.kind in kinds]
    found = [box for box in frame.found if box.kind in kinds]
    rest = [box for box in frame.true if not (box.judged and box.kind in kinds)]
    if rest and found:
        corners = _corners(found)
        on_judged = np.any(overlap(corners, _corners(judged)) >= _HALF, axis=1)
        on_rest = np.any(overlap(corners, _corners(rest)) >= _HALF, axis=1)
        keep: list[bool] = (on_judged | ~on_rest).tolist()
        found = [box for box, kept in zip(found, keep, strict=True) if kept]
    return FrameBoxes(judged, found)


def _corners(boxes: Sequence[TrueBox] | Sequence[Detection]) -> Floats:
    return np.array([(box.x1, box.y1, box.x2, box.y2) for box in boxes], dtype=float).reshape(-1, 4)
