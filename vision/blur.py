"""Parts of a picture made unrecognisable: of each no more is left than 3 by 3 cells of mean colour, smoothed."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.boxes import Box

__all__ = ["GROW", "GROW_PX", "blurred"]

Image = NDArray[np.uint8]

GROW = 0.25
"""Margin on each side of a box, share of its size."""
GROW_PX = 4.0
"""Least margin on each side of a box, pixels."""
_CELLS = 3


def blurred(image: Image, boxes: Iterable[Box] | None, grow: float = GROW, grow_px: float = GROW_PX) -> Image:
    """A copy of a picture with boxes, or all of it, made unrecognisable.

    Parameters
    ----------
    image
        Shape (height, width, 3), uint8.
    boxes
        Left, top, right, bottom, pixels; None blurs the whole picture.
    grow, grow_px
        Margin on each side of a box, share of its size and least pixels.
    """
    if boxes is None:
        return _coarse(image)
    height, width = image.shape[:2]
    result = image.copy()
    for x1, y1, x2, y2 in boxes:
        aside = max(grow_px, grow * (x2 - x1))
        above = max(grow_px, grow * (y2 - y1))
        left, right = (int(np.clip(v, 0, width)) for v in (np.floor(x1 - aside), np.ceil(x2 + aside)))
        top, bottom = (int(np.clip(v, 0, height)) for v in (np.floor(y1 - above), np.ceil(y2 + above)))
        if right > left and bottom > top:
            result[top:bottom, left:right] = _coarse(image[top:bottom, left:right])
    return result


def _coarse(part: Image) -> Image:
    height, width = part.shape[:2]
    cells = cv2.resize(part, (min(_CELLS, width), min(_CELLS, height)), interpolation=cv2.INTER_AREA)
    drawn = cv2.resize(cells, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.GaussianBlur(drawn, (0, 0), max(1.0, min(width, height) / 12)), dtype=np.uint8)
