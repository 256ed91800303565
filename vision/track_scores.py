"""How good tracks are: HOTA, CLEAR MOT and identity scores of tracks against true ones, in one video.

HOTA: Luiten et al. 2021, "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", IJCV 129. For a threshold
of overlap alpha, boxes of one frame are matched one to one; TP, FN, FP count matches, true boxes and found boxes left
over. For a match c of the true object i and track j, ``A(c) = TPA / (TPA + FNA + FPA)``: the frames in which i and j
are matched to each other, over all frames in which either is. Then

    DetA = TP / (TP + FN + FP)      AssA = mean of A(c) over TP      HOTA = sqrt(DetA AssA)

and each is the mean over alpha 0.05, 0.10 ... 0.95. LocA is the mean overlap of the matches. The matching prefers pairs
of tracks that agree over the whole video: it maximises the overlap times the agreement of both tracks, which is
computed before from all overlaps.

CLEAR MOT: Bernardin, Stiefelhagen 2008. At an overlap of 0.5, a match of the frame before is kept where it can be; a
switch is a true object matched to another track than when it was last matched. MOTA = 1 - (FN + FP + switches) / true
boxes.

Identity: Ristani et al. 2016. Whole tracks are assigned to whole true objects, one to one, so that the frames in which
they overlap by 0.5 (IDTP) are most. IDF1 = 2 IDTP / (true boxes + found boxes).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vision.average_precision import overlap

__all__ = ["ALPHAS", "FrameTracks", "TrackScore", "score_tracks"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ALPHAS: Floats = np.arange(1, 20) / 20
"""Thresholds of overlap over which HOTA is averaged."""
_EPS = np.finfo(float).eps
_HALF = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class FrameTracks:
    """One frame: ids, any whole numbers, each once, shape (n,), and boxes as x1 y1 x2 y2, shape (n, 4); true and found.

    Every frame of the video is one, in order, with or without boxes.
    """

    true_ids: Ints
    true_boxes: Floats
    found_ids: Ints
    found_boxes: Floats


@dataclass(frozen=True, slots=True, eq=False)
class TrackScore:
    """Tracks against truth; shares are 0 to 1, and not numbers where nothing was true.

    Parameters
    ----------
    true_boxes, found_boxes, true_objects, found_tracks
        How many there were.
    hota, det_a, ass_a, loc_a
        At each of `ALPHAS`, shape (19,). `loc_a` is not a number where nothing was matched.
    mota, idf1
        See the module; MOTA may be below 0.
    misses, false, switches
        At an overlap of 0.5.
    """

    true_boxes: int
    found_boxes: int
    true_objects: int
    found_tracks: int
    hota: Floats
    det_a: Floats
    ass_a: Floats
    loc_a: Floats
    mota: float
    idf1: float
    misses: int
    false: int
    switches: int

    def to_json(self) -> dict[str, Any]:
        """The figures, averaged over the thresholds, and at each; None for what is not a number."""
        curves = {"hota": self.hota, "det_a": self.det_a, "ass_a": self.ass_a, "loc_a": self.loc_a}
        return {
            "objects": self.true_objects,
            "boxes": self.true_boxes,
            "tracks": self.found_tracks,
            "track_boxes": self.found_boxes,
            **{name: _number(float(np.mean(values))) for name, values in curves.items() if name != "loc_a"},
            "loc_a": _number(_mean_of_numbers(self.loc_a)),
            "mota": _number(self.mota),
            "idf1": _number(self.idf1),
            "misses": self.misses,
            "false": self.false,
            "id_switches": self.switches,
            "alphas": ALPHAS.tolist(),
            "by_alpha": {name: [_number(v) for v in values.tolist()] for name, values in curves.items()},
        }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _mean_of_numbers(values: Floats) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else math.nan


def score_tracks(frames: Sequence[FrameTracks]) -> TrackScore:
    """Score the tracks of one video; see the module for the measures."""
    true_number, found_number = _numbers([f.true_ids for f in frames]), _numbers([f.found_ids for f in frames])
    shared = [overlap(f.true_boxes, f.found_boxes) for f in frames]
    rows = [np.array([true_number[i] for i in f.true_ids.tolist()], np.int64) for f in frames]
    columns = [np.array([found_number[i] for i in f.found_ids.tolist()], np.int64) for f in frames]
    seen = _Seen(rows, columns, shared, len(true_number), len(found_number))
    total, reported = int(seen.true_frames.sum()), int(seen.found_frames.sum())
    if not total:
        nothing = np.full(len(ALPHAS), math.nan)
        curves = (nothing, nothing, nothing, nothing)
        return TrackScore(0, reported, 0, len(found_number), *curves, math.nan, math.nan, 0, reported, 0)
    misses, false, switches = _clear(seen)
    return TrackScore(
        total,
        reported,
        len(true_number),
        len(found_number),
        *_hota(seen),
        mota=1.0 - (misses + false + switches) / total,
        idf1=2 * _identity(seen) / (total + reported),
        misses=misses,
        false=false,
        switches=switches,
    )


def _numbers(ids: Sequence[Ints]) -> dict[int, int]:
    """A place from 0 for each id."""
    return {identity: place for place, identity in enumerate(sorted({i for frame in ids for i in frame.tolist()}))}


class _Seen:
    """All frames by places of the ids: rows true, columns found, and overlaps, shape (true, found), of each frame."""

    def __init__(
        self, rows: list[Ints], columns: list[Ints], shared: list[Floats], true_count: int, found_count: int
    ) -> None:
        self.rows, self.columns, self.shared = rows, columns, shared
        self.true_frames, self.found_frames = np.zeros(true_count), np.zeros(found_count)
        for row, column in zip(rows, columns, strict=True):
            self.true_frames[row] += 1
            self.found_frames[column] += 1
        self.shape = true_count, found_count


def _hota(seen: _Seen) -> tuple[Floats, Floats, Floats, Floats]:
    """HOTA, DetA, AssA and LocA at each of `ALPHAS`."""
    either = seen.true_frames[:, None] + seen.found_frames[None, :]
    together = np.zeros(seen.shape)
    for row, column, shared in zip(seen.rows, seen.columns, seen.shared, strict=True):
        rivals = shared.sum(axis=0)[None, :] + shared.sum(axis=1)[:, None] - shared
        together[np.ix_(row, column)] += np.divide(shared, rivals, out=np.zeros_like(shared), where=rivals > _EPS)
    agreement = together / np.maximum(either - together, _EPS)
    matched = np.zeros((len(ALPHAS), *seen.shape))
    overlaps = np.zeros(len(ALPHAS))
    for row, column, shared in zip(seen.rows, seen.columns, seen.shared, strict=True):
        chosen = linear_sum_assignment(-(agreement[np.ix_(row, column)] * shared))
        for number, alpha in enumerate(ALPHAS):
            hit = shared[chosen] >= alpha - _EPS
            matched[number, row[chosen[0][hit]], column[chosen[1][hit]]] += 1
            overlaps[number] += shared[chosen][hit].sum()
    hits = matched.sum(axis=(1, 2))
    det_a = hits / np.maximum(seen.true_frames.sum() + seen.found_frames.sum() - hits, 1)
    kept = matched / np.maximum(either - matched, 1)
    ass_a = (matched * kept).sum(axis=(1, 2)) / np.maximum(hits, 1)
    loc_a = np.divide(overlaps, hits, out=np.full(len(ALPHAS), math.nan), where=hits > 0)
    return np.sqrt(det_a * ass_a), det_a, ass_a, loc_a


def _clear(seen: _Seen) -> tuple[int, int, int]:
    """Misses, false boxes and switches."""
    misses = false = switches = 0
    ever, before = np.full(seen.shape[0], -1), np.full(seen.shape[0], -1)
    for row, column, shared in zip(seen.rows, seen.columns, seen.shared, strict=True):
        if not len(row) or not len(column):
            misses, false = misses + len(row), false + len(column)
            continue  # a frame without either interrupts nothing
        kept = column[None, :] == before[row][:, None]
        # A match that goes on outweighs any number of better overlaps.
        gain = np.where(shared >= _HALF - _EPS, 1000.0 * kept + shared, 0.0)
        chosen = linear_sum_assignment(-gain)
        real = gain[chosen] > 0
        true, found = row[chosen[0][real]], column[chosen[1][real]]
        switches += int(((ever[true] >= 0) & (ever[true] != found)).sum())
        before[:] = -1
        before[true] = ever[true] = found
        misses, false = misses + len(row) - len(true), false + len(column) - len(true)
    return misses, false, switches


def _identity(seen: _Seen) -> int:
    """Most frames in which whole tracks, assigned one to one, are where their objects are."""
    together = np.zeros(seen.shape)
    for row, column, shared in zip(seen.rows, seen.columns, seen.shared, strict=True):
        together[np.ix_(row, column)] += shared >= _HALF
    return int(together[linear_sum_assignment(-together)].sum())
