"""How well boxes lie on labelled ones: overlap, which box hits which, and average precision as COCO counts it.

The measure is that of COCO (Lin et al. 2014, "Microsoft COCO: Common Objects in Context"; the matching rules are
those of its reference program, pycocotools): detections of one class, best score first, each take the label with
which they overlap most, if the intersection over union reaches the threshold and nobody took it before. Average
precision is the mean, over 101 levels of recall, of the best precision at that recall or beyond; AP50 at a threshold
of 0.5, AP50-95 the mean over 0.50, 0.55 ... 0.95. Labels outside the range of sizes that is asked for, and detections
of that size that hit nothing, count neither way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["IOU_LEVELS", "Matched", "average_precision", "match", "overlap"]

Floats = npt.NDArray[np.float64]

IOU_LEVELS = np.linspace(0.5, 0.95, 10)
"""Levels of overlap over whose average precisions COCO takes the mean."""
_RECALL_LEVELS = np.linspace(0, 1, 101)


def overlap(one: Floats, other: Floats) -> Floats:
    """Intersection over union of each box of `one`, shape (n, 4), with each of `other`, shape (m, 4): shape (n, m)."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (one, other)]
    return np.asarray(common / np.maximum(areas[0][:, None] + areas[1][None, :] - common, 1e-12))


def average_precision(
    labels: Sequence[Floats],
    found: Sequence[tuple[Floats, Floats]],
    level: float = 0.5,
    sides: tuple[float, float] = (0, math.inf),
    alarm: float = 0.25,
) -> dict[str, float]:
    """Average precision of one class at one level of overlap.

    Parameters
    ----------
    labels : sequence of ndarray, shape (n, 4)
        For each image its labelled boxes, x1, y1, x2, y2.
    found : sequence of (ndarray of shape (m, 4), ndarray of shape (m,))
        For each image the boxes found and their scores, best first.
    level : float
        Least intersection over union of a hit.
    sides : (float, float)
        Only objects whose side, the square root of the area, is from the first up to but not including the second,
        px.
    alarm : float
        Least score for the precision and the recall that are returned.

    Returns
    -------
    dict
        ``ap``, ``precision``, ``recall`` (not a number where undefined) and ``objects``.
    """
    matched = match(labels, found, level, sides)
    precision, recall = matched.at(alarm)
    return {"ap": matched.ap, "precision": precision, "recall": recall, "objects": matched.objects}


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Boxes of one class beside labels, at one level of overlap.

    Parameters
    ----------
    scores, hits
        Of the boxes that count, best first: their scores, and whether each is on an object, shape (n,).
    objects
        Labelled objects that count.
    """

    scores: Floats
    hits: npt.NDArray[np.bool_]
    objects: int

    @property
    def ap(self) -> float:
        """Average precision; not a number without objects."""
        if not self.objects:
            return math.nan
        right = np.cumsum(self.hits)
        recall, precision = right / self.objects, right / np.arange(1, len(right) + 1)
        envelope = np.r_[np.maximum.accumulate(precision[::-1])[::-1], 0.0]  # recall never reached has precision 0
        return float(envelope[np.searchsorted(recall, _RECALL_LEVELS, side="left")].mean())

    def at(self, alarm: float) -> tuple[float, float]:
        """Precision and recall of the boxes from a score on; not numbers where undefined, or without objects."""
        if not self.objects:
            return math.nan, math.nan
        alarms = int((self.scores >= alarm).sum())
        rights = int(self.hits[:alarms].sum())
        return (rights / alarms if alarms else math.nan), rights / self.objects


def match(
    labels: Sequence[Floats],
    found: Sequence[tuple[Floats, Floats]],
    level: float = 0.5,
    sides: tuple[float, float] = (0, math.inf),
) -> Matched:
    """What boxes hit, see `average_precision`."""
    objects = 0
    scores: list[Floats] = [np.empty(0)]
    hits: list[npt.NDArray[np.bool_]] = [np.empty(0, np.bool_)]
    for boxes, (given, score) in zip(labels, found, strict=True):
        wanted = _within(boxes, sides)
        objects += int(wanted.sum())
        taken = _match(boxes, wanted, given, level)
        counts = np.where(taken >= 0, wanted[taken] if len(boxes) else False, _within(given, sides))
        scores.append(score[counts])
        hits.append(taken[counts] >= 0)
    score, hit = np.concatenate(scores), np.concatenate(hits)
    order = np.argsort(-score, kind="stable")
    return Matched(score[order], hit[order], objects)


def _within(boxes: Floats, sides: tuple[float, float]) -> npt.NDArray[np.bool_]:
    side: Floats = np.sqrt(np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1))
    return np.asarray((side >= sides[0]) & (side < sides[1]), np.bool_)


def _match(boxes: Floats, wanted: npt.NDArray[np.bool_], given: Floats, level: float) -> npt.NDArray[np.int64]:
    """For each found box the label it hits, or -1. Unwanted labels are hit only where no wanted one can be."""
    shared = overlap(given, boxes)
    taken = np.full(len(given), -1, np.int64)
    free = np.ones(len(boxes), np.bool_)
    for number in np.flatnonzero((shared >= level).any(axis=1)):
        row = shared[number]
        for candidates in (
            np.flatnonzero(free & wanted & (row >= level)),
            np.flatnonzero(free & ~wanted & (row >= level)),
        ):
            if len(candidates):
                taken[number] = candidates[row[candidates].argmax()]
                free[taken[number]] = False
                break
    return taken
