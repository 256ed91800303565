"""Crossings of lines in the picture of a fixed camera: precision and recall beside supervision's `LineZone`.

Both are given the same boxes of the same detector. The peer runs ByteTrack of `trackers` and counts by `LineZone` at
the bottom centre of the box, in a process of its own (``make vision-peers``). Truth is the labelled feet. Of the two
ways to read the peer's "in" and "out" the one is taken that gives it more.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.rows import Row, wanted
from bench.vision_peers import ABSENT, PYTHON, Replay, peer_says
from vision import (
    Crossing,
    Detection,
    Detector,
    Direction,
    Frame,
    Method,
    ModelRef,
    PixelLine,
    Status,
    VideoTruth,
    load_video_truth,
    open_source,
    score,
    watch,
)
from vision.true_crossings import crossings_in_picture
from vision.video_evaluation import foot_of

__all__ = ["rows"]

_LINES, _SEED = 12, 5
_GOAL = 0.95


@dataclass(frozen=True, eq=False)
class _Video:
    frames: Sequence[Frame]
    boxes: Sequence[Sequence[Detection]]
    truth: VideoTruth
    model: ModelRef


def rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Precision and recall over `_LINES` lines drawn at random through the middle of ``videos/vtest.avi`` of `data`."""
    if data is None or not any(wanted(f"crossings/vtest {what}", only) for what in ("precision", "recall")):
        return
    video = _seen(data)
    height, width = video.frames[0].image.shape[:2]
    lines = _lines(width, height)
    ours, truths = {}, {}
    for name, line in lines.items():
        result = watch(video.frames, Replay(video.model, video.boxes), line=line, name=name)
        ours[name] = result.crossings, [foot_of(crossing, result.tracks) for crossing in result.crossings]
        truths[name] = crossings_in_picture(video.truth.boxes, video.frames, line)
    own = _scored(ours, truths)
    who, peer = f"supervision LineZone, {ABSENT}", None
    if PYTHON.exists():
        both = [_scored(_of_peer(video, lines, swapped=swapped), truths) for swapped in (False, True)]
        who, peer = "supervision LineZone", max(both, key=lambda one: one[1])
    for k, what in enumerate(("precision", "recall")):
        a, b = own[k], None if peer is None else peer[k]
        goal = f"at least {_GOAL}"
        yield Row(f"crossings/vtest {what}", a, "", who, b, a / b if b else None, goal, a >= _GOAL)


def _seen(data: Path) -> _Video:
    """The video with what the detector finds in it, down to low scores."""
    detector = Detector(data / "weights" / "coco-yolo11n.onnx", kinds=("person",), confidence=0.05)
    with open_source(data / "videos" / "vtest.avi") as source:
        frames = list(source)
    boxes = [detector.detect([frame.image])[0] for frame in frames]
    return _Video(frames, boxes, load_video_truth(data / "videos" / "vtest.gt.txt"), detector.model)


def _lines(width: int, height: int) -> dict[str, PixelLine]:
    rng = np.random.default_rng(_SEED)
    out = {}
    for number in range(_LINES):
        angle, reach = rng.uniform(0, np.pi), float(np.hypot(width, height))
        middle = np.array([width, height]) / 2 + rng.uniform(-0.2, 0.2, 2) * (width, height)
        step = reach * np.array([np.cos(angle), np.sin(angle)])
        ends = (middle - step).tolist(), (middle + step).tolist()
        name = f"line {number}"
        out[name] = PixelLine(name, tuple((x, y) for x, y in ends), "left")
    return out


_Found = Mapping[str, tuple[Sequence[Crossing], Sequence[tuple[float, float] | None]]]


def _scored(found: _Found, truths: Mapping[str, Any]) -> tuple[float, float]:
    """Precision and recall over all lines."""
    result = score(
        {name: one[0] for name, one in found.items()}, truths, feet={name: one[1] for name, one in found.items()}
    )
    return result.precision, result.recall


def _of_peer(video: _Video, lines: Mapping[str, PixelLine], *, swapped: bool) -> _Found:
    """What the peer counts."""
    rate = 1e6 * (len(video.frames) - 1) / (video.frames[-1].time_us - video.frames[0].time_us)
    order = {
        "rate": rate,
        "boxes": [[[b.x1, b.y1, b.x2, b.y2, b.score] for b in boxes] for boxes in video.boxes],
        "lines": {name: line.pixels for name, line in lines.items()},
    }
    with tempfile.TemporaryDirectory() as folder:
        events = peer_says("bench.peer_linezone", order, Path(folder))
    ways = (Direction.OUTBOUND, Direction.INBOUND) if swapped else (Direction.INBOUND, Direction.OUTBOUND)
    out = {}
    for name, own in events.items():
        made = [_crossing(name, video.frames[e["frame"]].time_us, ways[e["out"]], k) for k, e in enumerate(own)]
        out[name] = made, [tuple(e["foot"]) for e in own]
    return out


def _crossing(name: str, time_us: int, direction: Direction, number: int) -> Crossing:
    return Crossing(
        source=name,
        source_id=f"{name}-{number}",
        time_us=time_us,
        update_time_us=time_us,
        kind="person",
        direction=direction,
        status=Status.PROBABLE,
        method=Method.PIXEL,
        border=name,
        confidence=1.0,
        track_number=number,
    )
