"""Frames a second of the whole watch beside the bare model, of tracking alone, and of several streams at once.

The peer of the watch is the model's session on the same pictures, prepared beforehand, its output not looked at, as
many at once as the watch hands over: what a pipeline could reach at most. Both run on the same processor threads, in
turns, best of `_ROUNDS`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bench import accuracy, crossings, end_to_end, moving_camera, rendered_crossings
from bench.device_decode import device_rows
from bench.georeference import georeference_rows
from bench.many_streams import many_rows
from bench.rows import Row, wanted
from bench.streams import blobs, stream_rows
from vision import (
    Detection,
    Detector,
    Frame,
    PixelLine,
    SmallPicture,
    StepMotion,
    StillCamera,
    Tracker,
    bare_rate,
    open_source,
    watch,
)

__all__ = ["rows"]

_ROUNDS = 3
_PICTURES = 60
_EPOCH_US = 1_780_000_000_000_000


def rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Measure.

    Parameters
    ----------
    data
        Folder with ``videos/vtest.avi`` and ``weights/coco-yolo11n.onnx``; None: generated pictures, shipped model.
    only
        One row or one measurement by name.
    """
    name = f"watch/{'vtest' if data else 'generated'}"
    if wanted(name, only):
        yield _watch_row(name, data)
    if wanted("track/30-objects", only):
        yield _track_row()
    yield from stream_rows(data, only)
    yield from many_rows(data, only)
    yield from device_rows(data, only)
    yield from accuracy.rows(data, only)
    yield from crossings.rows(data, only)
    yield from rendered_crossings.rows(only)
    yield from georeference_rows(only)
    yield from moving_camera.rows(data, only)
    yield from end_to_end.rows(data, only)
    if wanted("motion/720p", only):
        yield _motion_row()


def _watch_row(name: str, data: Path | None) -> Row:
    """The whole pipeline from frames in memory, or from the video, against the session alone."""
    if data is None:
        detector, frames = Detector(several=True), _generated()
    else:
        detector = Detector(data / "weights" / "coco-yolo11n.onnx", kinds=("person",), several=True)
        with open_source(data / "videos" / "vtest.avi") as source:
            frames = [frame for frame, _ in zip(source, range(_PICTURES), strict=False)]
    height, width = frames[0].image.shape[:2]
    line = PixelLine("middle", ((width / 2, height), (width / 2, 0)), "left")
    detector.detect([frames[0].image])
    ours = peer = 0.0
    for _ in range(_ROUNDS):
        peer = max(peer, bare_rate(detector, [frame.image for frame in frames], batch=detector.at_once).per_second)
        ours = max(ours, _watched(data, frames, detector, line))
    ratio = ours / peer
    return Row(name, ours, "frames/s", f"bare {detector.backend} session", peer, ratio, "ratio >= 0.85", ratio >= 0.85)


def _watched(data: Path | None, frames: Sequence[Frame], detector: Detector, line: PixelLine) -> float:
    """Frames a second of one watch; with a video its decoding counts."""
    if data is None:
        return watch(frames, detector, line=line).frames_per_s
    with open_source(data / "videos" / "vtest.avi") as source:
        return watch((f for f, _ in zip(source, range(_PICTURES), strict=False)), detector, line=line).frames_per_s


def _generated() -> list[Frame]:
    """Generated pictures, in memory."""
    return [Frame(blobs(k), _EPOCH_US + k * 200_000, k, k / 5) for k in range(_PICTURES)]


def _track_row() -> Row:
    """Tracking alone, 30 objects: what it takes from a frame."""
    rng = np.random.default_rng(3)
    places, speeds = rng.uniform(0, 600, (30, 2)), rng.uniform(-20, 20, (30, 2))
    tracker = Tracker()
    count = 200
    start = time.process_time()
    for index in range(count):
        now = places + speeds * index / 5 + rng.normal(0, 0.7, (30, 2))
        boxes = [Detection(x, y, x + 12, y + 22, "person", 0.8) for x, y in now.tolist()]
        tracker.update(boxes, _EPOCH_US + index * 200_000, index, StillCamera())
    rate = count / (time.process_time() - start)
    return Row("track/30-objects", rate, "frames per CPU s", goal=">= 100", met=rate >= 100)


def _motion_row() -> Row:
    """How the picture of a moving camera moved: what it takes from a frame of 1280 by 720."""
    rng = np.random.default_rng(5)
    grains = rng.normal(120, 40, (90, 160)).clip(0, 255).astype(np.uint8)
    ground = np.repeat(np.repeat(np.repeat(grains, 10, axis=0), 10, axis=1)[..., None], 3, axis=2)
    frames = [ground[60 + i : 780 + i, 80 + 6 * i : 1360 + 6 * i] for i in range(40)]
    motion = StepMotion()
    start = time.process_time()
    for image in frames:
        motion.step(SmallPicture.of(image))
    spent_ms = 1e3 * (time.process_time() - start) / len(frames)
    return Row("motion/720p", spent_ms, "CPU ms a frame", goal="<= 4", met=spent_ms <= 4)
