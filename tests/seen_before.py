"""What a detector found in a picture, for tests that watch the same pictures more than once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import vision

__all__ = ["SeenBefore"]


class SeenBefore:
    """Detections by network, what it was told to find, and picture.

    Each detector looks at the first pictures that it is given itself: its network is loaded, its engine chosen.
    """

    def __init__(self) -> None:
        self._found: dict[Any, list[vision.Detection]] = {}
        self.told = 0
        """Pictures that no network had to look at again."""

    @contextmanager
    def noted(self, *, told: bool = True) -> Iterator[None]:
        """Keep what is found meanwhile; `told`, where it is known, in place of looking again."""
        look, begun = vision.Detector.detect, set[int]()

        def detect(detector: vision.Detector, images: Sequence[Any]) -> list[list[vision.Detection]]:
            if id(detector) not in begun:
                begun.add(id(detector))
                found = look(detector, images)
                self._found.update(zip(_keys(detector, images), found, strict=True))
                return found
            keys = _keys(detector, images)
            new = [k for k, key in enumerate(keys) if not told or key not in self._found]
            self.told += len(keys) - len(new)
            found = look(detector, [images[k] for k in new])
            self._found.update(zip([keys[k] for k in new], found, strict=True))
            return [list(self._found[key]) for key in keys]

        with mock.patch.object(vision.Detector, "detect", detect):
            yield


def _keys(detector: vision.Detector, images: Sequence[Any]) -> list[Any]:
    told = detector.model, detector.backend, detector._confidence, detector._iou, detector._size
    kinds = detector._kinds, detector._kind_of.tobytes()
    pictures = [one.image if isinstance(one, vision.Frame) else one for one in images]
    # What is decoded is made smaller in another way: its planes, not the whole picture.
    planes = [getattr(one, "_planes", None) is not None for one in images]
    return [
        (*told, *kinds, planar, image.shape, hashlib.sha256(image.tobytes()).digest())
        for planar, image in zip(planes, pictures, strict=True)
    ]
