"""Interlaced pictures: two half pictures, exposed one after the other, in the even and the odd lines of one.

What moves is in two places, with teeth along its edges. Where lines show that, those of the later half picture are made
from their neighbours of the earlier one, so that a picture is of one moment, that of its time. What stands still keeps
all its lines.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["lower_lines_first", "of_one_moment"]

Image = NDArray[np.uint8]

_TOOTH = 12
"""A line that is brighter, or darker, than both its neighbours by so many levels is of another moment, or a texture."""
_TEETH = 3
"""Teeth come in rows: so many lines of the later half picture in a column of nine lines, a texture has fewer."""
_BOTTOM_FIRST = {3, 4}  # AVFieldOrder: BB, and TB, which is stored top first and shown bottom first


def lower_lines_first(field_order: object) -> bool:
    """Whether the second, fourth... lines were exposed first, by FFmpeg's order of half pictures."""
    return field_order in _BOTTOM_FIRST


def of_one_moment(image: Image, *, lower_first: bool = False) -> Image:
    """A picture whose later half picture gives way to the earlier one where something moved.

    Parameters
    ----------
    image
        Both half pictures in its lines, shape (height, width, 3), uint8.
    lower_first
        Whether the second, fourth... lines are the earlier half picture; else the first, third...
    """
    first = 1 if lower_first else 0
    above, later = image[first:-1:2], image[first + 1 :: 2]
    below = image[first + 2 :: 2]
    count = min(len(above), len(later))
    if count < _TEETH:
        return image
    if len(below) < count:  # the last line has no neighbour below
        below = np.concatenate([below, above[len(below) : count]])
    above, later, below = above[:count], later[:count], below[:count]
    green = [part[..., 1].astype(np.int16) for part in (above, later, below)]
    up, down = green[1] - green[0], green[1] - green[2]
    tooth = ((up > _TOOTH) & (down > _TOOTH)) | ((up < -_TOOTH) & (down < -_TOOTH))
    rows = cv2.boxFilter(tooth.astype(np.uint8), -1, (1, 5), normalize=False, borderType=cv2.BORDER_CONSTANT)
    moved = cv2.dilate((tooth & (rows >= _TEETH)).astype(np.uint8), np.ones((5, 7), np.uint8)) > 0
    if not moved.any():
        return image
    made = image.copy()
    between = cv2.addWeighted(above, 0.5, below, 0.5, 0.0)
    made[first + 1 :: 2][:count][moved] = between[moved]
    return made
