"""What a camera sees now, as a small JPEG picture for people: boxes of tracks, the border line, name and time in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.blur import blurred
from vision.border import GroundLine
from vision.camera_motion import CameraMotion
from vision.records import iso_time
from vision.types import Detection, Frame

__all__ = ["LIVE_PICTURE_PX", "View", "live_picture"]

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]

LIVE_PICTURE_PX = 960
"""Longest side of a live picture, pixels."""
_AMBER, _RED, _WHITE, _BLACK = (0, 200, 255), (60, 60, 255), (255, 255, 255), (0, 0, 0)  # blue-green-red
_LARGEST = 384 << 10  # bytes; a service takes no more than 512 KiB
_QUALITIES = (80, 60, 40, 20)
_POINTS = 20_000  # of a drawn line in all
_AN_EDGE = 64  # points of an edge, so that it is drawn up to where it leaves the picture
_BEYOND = 2.0  # how far outside the picture, in pictures, a line is followed


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What a watch knows of its newest frame; nothing in it changes any more, so it may be drawn in any thread.

    Parameters
    ----------
    frame
        The frame.
    found
        All that the detector found in it, also what counts for no track.
    tracks
        Number and box of each confirmed track that it shows.
    motion, line
        How its pixels lie on the plane of the line, and the line; None where that is not known.
    """

    frame: Frame
    found: Sequence[Detection] = ()
    tracks: Sequence[tuple[int, Detection]] = ()
    motion: CameraMotion | None = None
    line: GroundLine | None = None


def live_picture(
    view: View,
    title: str,
    *,
    timed: bool = True,
    blur: bool = False,
    longest_px: int = LIVE_PICTURE_PX,
) -> bytes:
    """A view as a JPEG picture.

    Parameters
    ----------
    view
        What is to be seen.
    title
        Name of the stream, written into the picture.
    timed
        Whether the frame's time is one of day, and is written beside it.
    blur
        Whether everybody and everything that the detector found is made unrecognisable, as in redacted copies. What it
        did not find stays as it is.
    longest_px
        Longest side; a smaller picture is not made larger.
    """
    height, width = view.frame.image.shape[:2]
    scale = min(1.0, longest_px / max(height, width))
    image: Image = np.asarray(
        cv2.resize(view.frame.image, _size(width, height, scale), interpolation=cv2.INTER_AREA)
        if scale < 1
        else view.frame.image.copy(),
        dtype=np.uint8,
    )
    if blur:
        shown = [*view.found, *(box for _, box in view.tracks)]
        image = blurred(image, [(b.x1 * scale, b.y1 * scale, b.x2 * scale, b.y2 * scale) for b in shown])
    for piece in line_pieces(view):
        cv2.polylines(
            image, [np.rint(piece * scale).astype(np.int32)], isClosed=False, color=_RED, lineType=cv2.LINE_AA
        )
    for number, box in view.tracks:
        left, top, right, bottom = (round(v * scale) for v in (box.x1, box.y1, box.x2, box.y2))
        cv2.rectangle(image, (left, top), (right, bottom), _AMBER, 1, cv2.LINE_AA)
        _write(image, str(number), (left, max(10, top - 3)), _AMBER)
    said = f"{title}  {iso_time(view.frame.time_us)[:19]}Z" if timed else title
    _write(image, said.encode("ascii", "replace").decode(), (4, image.shape[0] - 6), _WHITE)
    return _encoded(image)


def line_pieces(view: View) -> Iterator[Floats]:
    """The line as it lies in the picture: runs of points, pixels, each of shape (n, 2) with n >= 2.

    It ends behind the camera, above the horizon, and well outside the picture.
    """
    if view.motion is None or view.line is None:
        return
    vertices = view.line.xy
    share = np.linspace(0.0, 1.0, max(2, min(_AN_EDGE, _POINTS // len(vertices))))[:, None]
    points = np.concatenate([a + share * (b - a) for a, b in pairwise(vertices)])
    with np.errstate(invalid="ignore", over="ignore"):
        pixels = view.motion.relative(points)
    size = np.array(view.frame.size_px)
    near = (np.abs(pixels / size - 0.5) <= 0.5 + _BEYOND).all(axis=1)  # what is no number is not
    ends = np.flatnonzero(np.diff(near.astype(np.int8), prepend=0, append=0))
    for start, end in ends.reshape(-1, 2):
        if end - start >= 2:
            yield pixels[start:end]


def _size(width: int, height: int, scale: float) -> tuple[int, int]:
    return max(1, round(width * scale)), max(1, round(height * scale))


def _write(image: Image, text: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """Text that can be read on bright and dark."""
    for thickness, shade in ((3, _BLACK), (1, colour)):
        cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, shade, thickness, cv2.LINE_AA)


def _encoded(image: Image) -> bytes:
    """As good as is small enough for a service to take."""
    for quality in _QUALITIES:
        data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(data) <= _LARGEST:
            break
    return data
