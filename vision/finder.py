"""What finds objects in pictures, and the one that is taken for a clip where nobody names another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vision.detector import Detector
from vision.sensor import choose_model
from vision.source import open_source
from vision.tracker import TrackerSettings
from vision.types import Detection

__all__ = ["Finder", "shipped_finder"]


class Finder(Protocol):
    """What finds objects in pictures; `Detector` is one."""

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Boxes of each picture."""
        ...


def shipped_finder(
    clip: Path,
    kinds: Sequence[str] = ("person", "vehicle", "bicycle"),
    opened: dict[Path, Finder] | None = None,
) -> Finder:
    """The shipped detector for the sensor of a clip, down to faint boxes: the other one would miss people.

    `opened` keeps what was opened, for the next clip.
    """
    with open_source(clip, sidecar=False, decode="software") as source:
        path = choose_model(source.first_image).path
    opened = {} if opened is None else opened
    if path not in opened:
        opened[path] = Detector(path, confidence=TrackerSettings().low_score, kinds=kinds)
    return opened[path]
