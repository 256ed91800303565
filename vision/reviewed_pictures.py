"""Training pictures out of judged clips: only what was judged is shown, all else is grey.

A person judged one object of a clip, not the picture: others may be in it that nobody looked at. A picture whose labels
name one of two people teaches that the other one is ground. So each picture is a window at native resolution, the size
of a training tile, in which only a square about the judged object is visible. What lies outside it is filled with the
grey that the networks see around every picture; so is what inside it may be another object: a track of other evidence
that was not judged, and whatever a detector suspects. What is left is the object with its label, or a false alarm with
none. The square lies about the object at random, so that its middle tells nothing.
"""

from __future__ import annotations

import bisect
import math
import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vision.boxes import Box, area, between, inside, overlap, sides
from vision.errors import EvidenceError
from vision.finder import Finder
from vision.letterboxes import PAD
from vision.reviewed import ReviewedClip, Seen
from vision.reviews import Judged
from vision.source import open_source

__all__ = ["PictureSettings", "ReviewedPicture", "cut_pictures"]

Image = NDArray[np.uint8]

_VISIBLE = 0.7  # share of a judged neighbour that has to be in the square for its label; with less it turns grey
_HOLD_US = 500_000  # before it was first seen and after it was last, an object is taken to be where it was
_ASTRAY = 2.0  # pictures by which a stamp may be off
_LEAST_PX = 2.0  # a box as small as this after it was cut is none


@dataclass(frozen=True, slots=True)
class PictureSettings:
    """How pictures are cut.

    Parameters
    ----------
    per_clip
        Most pictures of one clip.
    apart_s
        About the least time between two of them, seconds: neighbours are nearly the same.
    window_px
        Side of a window, pixels, where the picture is as large; the tile of training.
    context, least_px
        Side of the visible square: so many times the longer side of the box, and at least so many pixels.
    same
        Overlap (intersection over union) from which a suspicion is the judged object itself.
    """

    per_clip: int = 8
    apart_s: float = 0.4
    window_px: int = 640
    context: float = 5.0
    least_px: int = 128
    same: float = 0.3

    def __post_init__(self) -> None:
        if self.per_clip < 1 or self.window_px < 64 or not (self.context >= 1 and self.apart_s >= 0):
            raise EvidenceError(f"{self}: give at least 1 picture a clip, windows of 64 px, and a context of 1")


@dataclass(frozen=True, slots=True, eq=False)
class ReviewedPicture:
    """A training picture.

    Parameters
    ----------
    image
        Pixels, shape (height, width, 3), uint8, blue-green-red.
    time_us
        Time of exposure, microseconds UTC.
    boxes
        Kind and x1, y1, x2, y2 of each object in it, pixels; none for a false alarm.
    region
        The visible square, x1, y1, x2, y2, pixels.
    window
        Left and top of the window in the clip's picture, pixels.
    hidden
        How many suspicions in the square were made grey.
    """

    image: Image
    time_us: int
    boxes: tuple[tuple[str, Box], ...]
    region: tuple[int, int, int, int]
    window: tuple[int, int]
    hidden: int


@dataclass(frozen=True, slots=True)
class _Known:
    """A box in a picture that some evidence tells of; `judged` None for a doubtful one."""

    box: Box
    kind: str
    judged: Judged | None


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """A window of a picture: its time, its pixels, its place and that of the visible square, pixels of the picture."""

    time_us: int
    look: Image
    window: tuple[int, int, int, int]
    square: tuple[int, int, int, int]


def cut_pictures(
    clip: ReviewedClip, others: Sequence[ReviewedClip], finder: Finder, settings: PictureSettings, seed: int
) -> Iterator[ReviewedPicture]:
    """Training pictures of one judged clip.

    Parameters
    ----------
    clip
        With one track and a verdict that says whether its object was there.
    others
        Further evidence, cut from the same recording: its boxes are labels, or doubtful.
    finder
        Looks for what nobody judged. Should report faint boxes too.
    settings, seed
        How; the same seed gives the same pictures.

    Raises
    ------
    EvidenceError
        When the clip cannot be read.
    """
    (track,) = clip.tracks
    images, step_us = _images(clip, track, settings)
    for seen, image in images:
        rng = random.Random(f"{seed} {clip.name} {seen.time_us}")  # noqa: S311 - places a window, guards nothing
        own = _Known(inside(seen.box, (0, 0, image.shape[1], image.shape[0])), clip.kind, clip.judged)
        if min(sides(own.box)) < _LEAST_PX:
            continue
        view = _view(seen.time_us, image, own.box, settings, rng)
        around = [known for other in others for known in _at(other, seen.time_us, step_us)]
        if any(
            known.judged not in {None, own.judged} and overlap(known.box, own.box) >= settings.same for known in around
        ):
            continue  # verdicts on one object that contradict each other
        left, top = view.window[:2]
        (found,) = finder.detect([view.look])
        suspected = [(d.x1 + left, d.y1 + top, d.x2 + left, d.y2 + top) for d in found]
        yield _picture(view, own, around, suspected, settings.same)


def _images(
    clip: ReviewedClip, track: Sequence[Seen], settings: PictureSettings
) -> tuple[list[tuple[Seen, Image]], float]:
    """Boxes of the track that are to be used with their pictures, and the time between two pictures, microseconds."""
    with open_source(clip.clip, start_time=clip.start_us, sidecar=False, decode="software") as source:
        times = np.array([frame.time_us for frame in source])
    step_us = float(np.median(np.diff(times))) if len(times) > 1 else 1e6
    there = [seen for seen in track if clip.start_us - step_us / 2 <= seen.time_us <= clip.end_us + step_us / 2]
    if not there:
        return [], step_us
    first = _first(clip, there, times)
    wanted = {
        seen.frame - first: seen
        for seen in _spread(there, settings)
        if 0 <= seen.frame - first < len(times) and abs(times[seen.frame - first] - seen.time_us) < _ASTRAY * step_us
    }
    with open_source(clip.clip, start_time=clip.start_us, sidecar=False, decode="software") as source:
        return [(wanted[i], frame.image) for i, frame in enumerate(source) if i in wanted], step_us


def _first(clip: ReviewedClip, track: Sequence[Seen], times: NDArray[np.int64]) -> int:
    """Number in the recording of the clip's first picture. By times alone it may be one off, as stamps jitter."""
    by_time = statistics.mode(seen.frame - int(np.abs(times - seen.time_us).argmin()) for seen in track)
    # Pictures that could not be decoded are not counted: where many were lost the times know better.
    return by_time if clip.first is None or abs(clip.first - by_time) >= _ASTRAY else clip.first


def _spread(track: Sequence[Seen], settings: PictureSettings) -> list[Seen]:
    """Boxes spread evenly over the time of a track, about `apart_s` from each other at least."""
    times = np.array([seen.time_us for seen in track])
    long_s = float(times[-1] - times[0]) / 1e6
    room = int(long_s / settings.apart_s) + 1 if settings.apart_s else len(track)
    wanted = np.linspace(times[0], times[-1], min(settings.per_clip, room, len(track)))
    return [track[i] for i in sorted({int(np.abs(times - time_us).argmin()) for time_us in wanted})]


def _at(clip: ReviewedClip, time_us: int, step_us: float) -> Iterator[_Known]:
    """What other evidence tells of a moment; between two sightings, and a while before and after, it is doubtful."""
    for track in clip.tracks:
        stamps = [seen.time_us for seen in track]
        i = bisect.bisect_left(stamps, time_us)
        near = track[max(0, i - 1) : i + 1]
        nearest = min(near, key=lambda seen: abs(seen.time_us - time_us), default=None)
        if nearest is None:
            continue
        if abs(nearest.time_us - time_us) <= step_us / 2:
            yield _Known(nearest.box, clip.kind, clip.judged)
        elif len(near) == 2 and i > 0:
            share = (time_us - near[0].time_us) / (near[1].time_us - near[0].time_us)
            yield _Known(between(near[0].box, near[1].box, share), clip.kind, None)
        elif abs(nearest.time_us - time_us) <= _HOLD_US:
            yield _Known(nearest.box, clip.kind, None)


def _view(time_us: int, image: Image, own: Box, settings: PictureSettings, rng: random.Random) -> _View:
    """A window of the picture that holds a box, and in it the square to be seen, both placed at random."""
    height, width = image.shape[:2]
    square_px = max(settings.least_px, math.ceil(settings.context * max(sides(own))))
    across, down = ((own[0], own[2]), (own[1], own[3]))
    left, right = _span(across, settings.window_px, (0, width), rng)
    top, bottom = _span(down, settings.window_px, (0, height), rng)
    x1, x2 = _span(across, square_px, (left, right), rng)
    y1, y2 = _span(down, square_px, (top, bottom), rng)
    return _View(time_us, image[top:bottom, left:right], (left, top, right, bottom), (x1, y1, x2, y2))


def _span(wanted: tuple[float, float], length: int, bounds: tuple[int, int], rng: random.Random) -> tuple[int, int]:
    """An interval of a length within bounds that holds the one wanted, and is longer where that one is."""
    low, high = math.floor(wanted[0]), math.ceil(wanted[1])
    length = min(max(length, high - low), bounds[1] - bounds[0])
    first, last = max(bounds[0], high - length), min(bounds[1] - length, low)
    start = rng.randint(first, max(first, last))
    return start, start + length


def _picture(
    view: _View, own: _Known, around: Sequence[_Known], suspected: Sequence[Box], same: float
) -> ReviewedPicture:
    """Grey outside the square and over what is doubtful; judged objects stay, with their labels."""
    labels = [own] if own.judged is Judged.PRESENT else []
    kept, doubtful = [own.box], []
    for known in around:
        cut = inside(known.box, view.square)
        if known.judged is Judged.ABSENT:
            kept.append(cut)
        elif known.judged is Judged.PRESENT and any(overlap(cut, label.box) >= same for label in labels):
            pass  # two records of one object
        elif known.judged is Judged.PRESENT and min(sides(cut)) >= _LEAST_PX and area(cut) > _VISIBLE * area(known.box):
            labels.append(replace(known, box=cut))
            kept.append(cut)
        else:
            doubtful.append(known.box)
    doubtful += [box for box in suspected if all(overlap(box, mine) < same and not _within(box, mine) for mine in kept)]
    canvas = np.full(view.look.shape, PAD, np.uint8)
    _copy(view, canvas, view.square)
    hidden = [cut for box in doubtful if area(cut := inside(_grown(box), view.square)) > 0]
    for cut in hidden:
        x1, y1, x2, y2 = _pixels(cut, view.window)
        canvas[y1:y2, x1:x2] = PAD
    for box in (own.box, *(label.box for label in labels)):  # whole again where something beside it was hidden
        _copy(view, canvas, box)
    left, top = view.window[:2]
    return ReviewedPicture(
        canvas,
        view.time_us,
        tuple((label.kind, _moved(label.box, left, top)) for label in labels),
        _pixels(view.square, view.window),
        (left, top),
        len(hidden),
    )


def _within(box: Box, other: Box) -> bool:
    """Whether the most of a box lies in another: a part of it."""
    return area(inside(box, other)) > 0.7 * area(box)


def _grown(box: Box) -> Box:
    """A box with a margin, as its edges are not sure."""
    aside, above = (max(2.0, 0.1 * side) for side in sides(box))
    return box[0] - aside, box[1] - above, box[2] + aside, box[3] + above


def _copy(view: _View, canvas: Image, box: Sequence[float]) -> None:
    x1, y1, x2, y2 = _pixels(box, view.window)
    canvas[y1:y2, x1:x2] = view.look[y1:y2, x1:x2]


def _pixels(box: Sequence[float], window: Sequence[int]) -> tuple[int, int, int, int]:
    """Whole pixels of the window that a box touches."""
    low = (max(0, math.floor(box[i] - window[i])) for i in (0, 1))
    high = (min(window[i + 2] - window[i], math.ceil(box[i + 2] - window[i])) for i in (0, 1))
    return (*low, *high)  # type: ignore[return-value]


def _moved(box: Box, left: int, top: int) -> Box:
    x1, y1, x2, y2 = (round(value, 2) for value in box)
    return round(x1 - left, 2), round(y1 - top, 2), round(x2 - left, 2), round(y2 - top, 2)
