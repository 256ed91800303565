"""What a detector has to offer to a watch, and the pictures of several streams handed to it at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vision.records import ModelRef
from vision.types import Detection, Frame

__all__ = ["Asked", "Found", "FrameDetector", "FramesDetector", "detect_each"]


class FrameDetector(Protocol):
    """What finds objects in pictures.

    One that has an attribute `overlaps` that is true is called by two threads at once where it is handed several
    pictures; any other is called by one at a time, in the order of the frames. An attribute `at_once` says how many
    pictures are best handed to it in one call; without one it is one.
    """

    @property
    def model(self) -> ModelRef:
        """The model it runs."""
        ...

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Boxes of each picture; sizes may differ."""
        ...


@runtime_checkable
class FramesDetector(FrameDetector, Protocol):
    """What is handed frames: for what they say of the camera, or since it does not look at all of a picture."""

    def detect_frames(self, frames: Sequence[Frame]) -> list[list[Detection]]:
        """Detections of each frame."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A frame of a stream (by its number), and what is to look at it."""

    stream: int
    frame: Frame
    detector: FrameDetector


Found = list[Detection] | Exception


def detect_each(asked: Sequence[Asked]) -> list[Found]:
    """What is in each frame, or why that is not known; the frames of one detector are handed to it at once.

    Where that fails the frames of each stream are tried alone, so that an error is that of the stream that causes it.
    """
    found: list[Found] = [[] for _ in asked]
    for own in _grouped(range(len(asked)), lambda k: id(asked[k].detector)):
        streams = _grouped(own, lambda k: asked[k].stream)
        parts, results = [own], _tried([asked[k] for k in own])
        if len(streams) > 1 and isinstance(results[0], Exception):
            parts, results = streams, [one for part in streams for one in _tried([asked[k] for k in part])]
        for k, one in zip(itertools.chain(*parts), results, strict=True):
            found[k] = one
    return found


def _grouped(numbers: Sequence[int], key: Callable[[int], int]) -> list[list[int]]:
    groups: dict[int, list[int]] = {}
    for number in numbers:
        groups.setdefault(key(number), []).append(number)
    return list(groups.values())


def _tried(asked: Sequence[Asked]) -> Sequence[Found]:
    """What one detector finds; the error for each frame when it fails."""
    detector, frames = asked[0].detector, [one.frame for one in asked]
    try:
        if isinstance(detector, FramesDetector):
            return detector.detect_frames(frames)
        return detector.detect([frame.image for frame in frames])
    except Exception as error:  # noqa: BLE001 - whoever watches the stream decides
        return [error] * len(asked)
