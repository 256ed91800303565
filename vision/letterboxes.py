"""How pictures of any size are laid into a network's input."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.types import Frame

__all__ = ["PAD", "Letterbox", "laid", "letterbox", "size_of"]

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

PAD = 114  # the grey that the networks saw around pictures in training


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a picture was laid into a network's input: scaled, then shifted.

    Parameters
    ----------
    scale_x, scale_y
        Input pixels a picture pixel.
    left, top
        Input pixels before the picture.
    width, height
        Size of the input, pixels.
    """

    scale_x: float
    scale_y: float
    left: int
    top: int
    width: int
    height: int

    def to_picture(self, boxes: Floats) -> Floats:
        """Boxes x1, y1, x2, y2, shape (n, 4), from the input to the picture."""
        return np.asarray((boxes - self._shift) / self._scale, dtype=np.float32)

    @property
    def _scale(self) -> Floats:
        return np.array([self.scale_x, self.scale_y] * 2, dtype=np.float32)

    @property
    def _shift(self) -> Floats:
        return np.array([self.left, self.top] * 2, dtype=np.float32)


def letterbox(
    size: tuple[int, int], image_size: int, stride: int = 32, fixed: tuple[int | None, int | None] = (None, None)
) -> Letterbox:
    """Lay a picture of a size (width, height) into a network's input.

    The longer side becomes `image_size`; the input is the smallest rectangle of multiples of `stride` that holds it,
    so 640x512 stays 640x512. A network that insists on a size (`fixed`: height, width) gets that, padded.
    """
    width, height = size
    if fixed[0] is not None and fixed[1] is not None:
        scale = min(fixed[1] / width, fixed[0] / height)
    else:
        scale = image_size / max(width, height)
    inner_w, inner_h = max(1, round(width * scale)), max(1, round(height * scale))
    outer_w = fixed[1] or -(-inner_w // stride) * stride
    outer_h = fixed[0] or -(-inner_h // stride) * stride
    left, top = (outer_w - inner_w) // 2, (outer_h - inner_h) // 2
    return Letterbox(inner_w / width, inner_h / height, left, top, outer_w, outer_h)


def laid(picture: Image | Frame, box: Letterbox, room: Image | None = None) -> Image:
    """A picture scaled and with its margins, shape (1, height, width, 3), in `room` where that is given."""
    width, height = size = size_of(picture)
    inner = (round(width * box.scale_x), round(height * box.scale_y))
    if room is None and inner == size == (box.width, box.height):
        return (picture.image if isinstance(picture, Frame) else picture)[None]
    laid = np.empty((1, box.height, box.width, 3), np.uint8) if room is None else room
    below, behind = box.top + inner[1], box.left + inner[0]
    for margin in (laid[0, : box.top], laid[0, below:], laid[0, :, : box.left], laid[0, :, behind:]):
        margin[...] = PAD
    part = laid[0, box.top : below, box.left : behind]
    if inner == size:
        part[...] = picture.image if isinstance(picture, Frame) else picture
    elif isinstance(picture, Frame):
        picture.scaled(inner, part)
    else:
        cv2.resize(picture, inner, dst=part, interpolation=cv2.INTER_LINEAR)
    return laid


def size_of(picture: Image | Frame) -> tuple[int, int]:
    """Width and height of a picture, pixels."""
    return picture.size_px if isinstance(picture, Frame) else (picture.shape[1], picture.shape[0])
