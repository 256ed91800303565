"""The pipeline: a video in, crossings out.

::

    decode --queue--> detect --queue--> track -> ground -> crossing -> evidence -> on_crossing
    (thread)          (thread)          (the caller's thread)

The queues are short, so a slow detector holds a file's decoder back and nothing is lost; a live source drops its oldest
frames by itself, and counts them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from geo import Terrain
from vision.ahead import ahead
from vision.border import BorderLine
from vision.errors import MetadataError
from vision.fixed import Homography, PixelLine
from vision.scene import NO_METHOD, Scene, choose_scene
from vision.types import Crossing, Custody, Detection, Frame, ModelRef
from vision.watcher import EvidenceCutter, Watcher, WatchResult, WatchSettings

__all__ = ["FrameDetector", "watch"]


class FrameDetector(Protocol):
    """What finds objects in pictures."""

    @property
    def model(self) -> ModelRef:
        """The model it runs."""
        ...

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Boxes of each picture."""
        ...


@runtime_checkable
class PoseDetector(FrameDetector, Protocol):
    """What finds objects with the help of what a frame says of its camera."""

    def detect_frames(self, frames: Sequence[Frame]) -> list[list[Detection]]:
        """Detections of each frame."""
        ...


def watch(
    source: Iterable[Frame],
    detector: FrameDetector,
    *,
    border: BorderLine | None = None,
    homography: Homography | None = None,
    line: PixelLine | None = None,
    terrain: Terrain | None = None,
    name: str | None = None,
    custody: Custody | None = None,
    evidence: EvidenceCutter | None = None,
    progress: Callable[[int], None] | None = None,
    on_crossing: Callable[[Crossing], None] | None = None,
    settings: WatchSettings | None = None,
    scene: Scene | None = None,
) -> WatchResult:
    """Watch a video for crossings.

    Parameters
    ----------
    source
        Frames in the order of time: an opened `Source`, or any iterable of frames.
    detector
        What finds objects; its least score should be the tracker's `low_score`.
    border
        The line on the ground; needed for a camera with a pose and with `homography`.
    homography
        Of a fixed camera without a pose.
    line
        In the picture of a fixed camera; used when there is no border.
    terrain
        The ground; without it, a level one at the elevation that the video tells.
    name
        Of the source in the crossings; else the source's own.
    custody
        Purpose, owner, marking and retention of the records.
    evidence
        Called with each crossing and its track before it is handed on.
    progress
        Called with the number of frames watched so far.
    on_crossing
        Called with each crossing as soon as it is decided.
    settings
        How.
    scene
        The way to decide, new for each watch, instead of border, homography, line and terrain.

    Raises
    ------
    MetadataError
        When there is no way to decide: no pose and neither homography nor line; or a pose or homography and no border.
    VisionError
        As the source, the detector and the evidence do.
    """
    settings = settings or WatchSettings()
    name = name or str(getattr(source, "name", "video"))
    if scene is None:
        if border is None and line is None:
            raise MetadataError(
                f"{name}: no line to watch: give a border file, or for a fixed camera a line in its picture"
            )
        has_pose = bool(getattr(source, "has_pose", True))
        scene = choose_scene(has_pose, name, border=border, homography=homography, line=line, terrain=terrain)
    watcher = Watcher(
        scene,
        settings,
        name=name,
        model=detector.model,
        custody=custody or Custody(),
        evidence=evidence,
        on_crossing=on_crossing,
    )
    start = time.perf_counter()
    frames = ahead(source, settings.ahead)
    detected = ahead(_detect(frames, detector, settings.batch), settings.ahead)
    try:
        for frame, detections in detected:
            watcher.take(frame, detections)
            if progress is not None:
                progress(watcher.frames)
    finally:
        detected.close()
        frames.close()
    if watcher.frames and not scene.ready:
        raise MetadataError(NO_METHOD.format(name=name))
    watcher.finish()
    dropped = int(getattr(getattr(source, "counts", None), "dropped", 0))
    return watcher.result(time.perf_counter() - start, dropped)


def _detect(frames: Iterator[Frame], detector: FrameDetector, batch: int) -> Iterator[tuple[Frame, list[Detection]]]:
    """Frames with what was found in them."""
    while taken := list(islice(frames, batch)):
        if isinstance(detector, PoseDetector):
            found = detector.detect_frames(taken)
        else:
            found = detector.detect([frame.image for frame in taken])
        yield from zip(taken, found, strict=True)
