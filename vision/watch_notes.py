"""What a watch saw in each frame, noted as it goes by: the detector's boxes, the camera, the time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vision.detecting import FrameDetector
from vision.errors import VisionError
from vision.records import ModelRef
from vision.true_boxes import TruthBoxes
from vision.types import Detection, Frame

__all__ = ["NotedFrame", "WatchNotes"]

_NO_PICTURE = np.zeros((0, 0, 3), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class NotedFrame:
    """A frame without its picture, and the boxes that were found in it."""

    frame: Frame
    found: Sequence[Detection]


class WatchNotes:
    """Stands between `watch` and both its source and its detector.

    Parameters
    ----------
    source, detector
        What is watched, and by what.
    boxes
        Its labels: where they tell times, those of the frames are compared with them.
    name
        Of the source, for messages.
    """

    def __init__(self, source: Iterable[Frame], detector: FrameDetector, boxes: TruthBoxes, name: str) -> None:
        self._source, self._detector, self._boxes, self.name = source, detector, boxes, name
        self._frames: list[Frame] = []
        self._found: list[list[Detection]] = []

    @property
    def model(self) -> ModelRef:
        """The detector's."""
        return self._detector.model

    @property
    def counts(self) -> object:
        """The source's."""
        return getattr(self._source, "counts", None)

    @property
    def has_pose(self) -> bool:
        """The source's."""
        return bool(getattr(self._source, "has_pose", False))

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._source:
            self._check(frame)
            self._frames.append(replace(frame, image=_NO_PICTURE))
            yield frame

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """As the detector, noted. Frames come out of the queues in the order in which they went in."""
        found = self._detector.detect(images)
        self._found += found
        return found

    def frames(self) -> list[NotedFrame]:
        """All frames that were looked at, in their order."""
        return [NotedFrame(frame, found) for frame, found in zip(self._frames, self._found, strict=True)]

    def _check(self, frame: Frame) -> None:
        """Refuse labels of another recording. Raises VisionError."""
        times = self._boxes.times_us
        if times is None or frame.index >= len(times):
            return
        step_us = float(np.median(np.diff(times))) if len(times) > 1 else 1e6
        apart_us = frame.time_us - int(times[frame.index])
        if abs(apart_us) > step_us / 2:
            raise VisionError(
                f"{self.name}: frame {frame.index} was exposed {apart_us / 1e6:+.3f} s from its label in "
                f"{self._boxes.path}: give the truth of this very recording"
            )
