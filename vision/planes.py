"""Pictures as decoders make them, brightness and colours apart, and what is made of them where nobody needs all.

A network's input has a quarter of the pixels of 720p, and a watch looks at brightness alone besides. To make the whole
picture blue-green-red first takes a processor that a network fills three times as long, most of it for the memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from geo import CameraModel, CameraPose
from vision.types import Frame, Grey, Image

__all__ = ["DecodedFrame", "Planes"]

Floats = NDArray[np.float64]

# Weights of red and blue in brightness by FFmpeg's number of the colour space (ITU-T H.273, table 4); where none is
# told FFmpeg takes BT.601.
_WEIGHTS: Mapping[int, tuple[float, float]] = MappingProxyType(
    {1: (0.2126, 0.0722), 9: (0.2627, 0.0593), **dict.fromkeys((2, 5, 6), (0.299, 0.114))}
)
_FULL_RANGE = 2
_FORMATS = frozenset({"yuv420p", "yuvj420p", "nv12"})
# A picture that is hardly made smaller needs each of its pixels, and its colours between those that are there.
_SMALLER = 0.75


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """Brightness and colours of a picture of 8 bits, of which colours have half its width and height.

    Parameters
    ----------
    y
        Brightness, shape (height, width), uint8; the decoder's own memory, to be read only.
    u, v
        How blue and how red, shape (height / 2, width / 2), uint8.
    to_bgr
        From y, u, v and 1 to blue, green, red, shape (3, 4).
    """

    y: Grey
    u: Grey
    v: Grey
    to_bgr: Floats

    @classmethod
    def of(cls, frame: Any) -> Planes | None:
        """Those of a decoded picture of PyAV; None where it is laid out in another way."""
        weights = _WEIGHTS.get(int(frame.colorspace))
        form = frame.format.name
        upwards = any(plane.line_size <= 0 for plane in frame.planes)  # its last row is the first in memory
        if weights is None or form not in _FORMATS or upwards:
            return None
        planes = [_rows(plane) for plane in frame.planes]
        y, (u, v) = planes[0], (planes[1:] if len(planes) == 3 else (planes[1][:, ::2], planes[1][:, 1::2]))
        half = -(-frame.width // 2)
        full_range = form == "yuvj420p" or int(frame.color_range) == _FULL_RANGE
        return cls(y[:, : frame.width], u[:, :half], v[:, :half], _to_bgr(*weights, full_range=full_range))

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the picture, pixels."""
        return self.y.shape[1], self.y.shape[0]

    def green(self, size: tuple[int, int]) -> Floats:
        """Green of the picture in a smaller size (width, height), each pixel the mean of its place; 0 to 255."""
        parts = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (self.y, self.u, self.v)]
        made = cv2.transform(cv2.merge(parts).astype(np.float64), self.to_bgr[1:2])
        return np.asarray(np.clip(made.reshape(size[::-1]), 0, 255))

    def scaled(self, size: tuple[int, int], out: Image) -> None:
        """The picture in a smaller size (width, height), blue-green-red, into `out`, shape (height, width, 3)."""
        parts = [cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in (self.y, self.u, self.v)]
        cv2.transform(cv2.merge(parts), self.to_bgr, dst=out)


def _rows(plane: Any) -> Grey:
    """A plane of PyAV with the padding behind its rows, shape (height, bytes a row)."""
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    rows.flags.writeable = False  # the decoder refers to it for the pictures that follow
    return rows


def _to_bgr(red: float, blue: float, *, full_range: bool) -> Floats:
    """`Planes.to_bgr` for the weights of red and blue in brightness (ITU-T H.273, 8.3)."""
    green = 1 - red - blue
    y, c = (1.0, 1.0) if full_range else (255 / 219, 255 / 224)
    of_blue, of_red = 2 * c * (1 - blue), 2 * c * (1 - red)
    matrix = np.array([[y, of_blue, 0.0], [y, -of_blue * blue / green, -of_red * red / green], [y, 0.0, of_red]])
    zero = np.array([0.0 if full_range else 16.0, 128.0, 128.0])
    return np.concatenate([matrix, -(matrix @ zero)[:, None]], axis=1)


class DecodedFrame(Frame):
    """A frame whose picture is made blue-green-red where somebody asks for all of it.

    A copy of it, and what is sent to another process, is a plain `Frame` with the whole picture.

    Parameters
    ----------
    image
        The picture, or what makes it, which is called once at most, whatever thread asks.
    time_us, index, pts_s, pose, camera, ground_amsl_m
        As of a `Frame`.
    planes
        Of the same picture; None for a frame like any other.
    """

    __slots__ = ("_made", "_making", "_planes")
    _made: Image | Callable[[], Image]
    _making: threading.Lock
    _planes: Planes | None

    def __init__(
        self,
        image: Image | Callable[[], Image],
        time_us: int,
        index: int = 0,
        pts_s: float = 0.0,
        *,
        pose: CameraPose | None = None,
        camera: CameraModel | None = None,
        ground_amsl_m: float | None = None,
        planes: Planes | None = None,
    ) -> None:
        # As the frozen class above does it, whose own place for the picture is not used.
        object.__setattr__(self, "_planes", planes)
        object.__setattr__(self, "_making", threading.Lock())
        super().__init__(image, time_us, index, pts_s, pose, camera, ground_amsl_m)  # type: ignore[arg-type]

    @property
    def image(self) -> Image:
        """See `Frame`."""
        made = self._made
        if callable(made):
            with self._making:
                made = self._made
                if callable(made):  # no other thread was quicker
                    made = made()
                    object.__setattr__(self, "_made", made)
        return made

    @image.setter
    def image(self, made: Image | Callable[[], Image]) -> None:
        object.__setattr__(self, "_made", made)

    def __reduce__(self) -> tuple[type[Frame], tuple[object, ...]]:
        told = self.time_us, self.index, self.pts_s, self.pose, self.camera, self.ground_amsl_m
        return Frame, (self.image, *told)

    @property
    def size_px(self) -> tuple[int, int]:
        """See `Frame`."""
        return super().size_px if self._planes is None else self._planes.size_px

    @property
    def grey(self) -> Grey:
        """See `Frame`: its brightness."""
        return super().grey if self._planes is None else self._planes.y

    def scaled(self, size: tuple[int, int], out: Image) -> None:
        """See `Frame`."""
        if self._planes is None or max(np.divide(size, self.size_px)) > _SMALLER:
            super().scaled(size, out)
        else:
            self._planes.scaled(size, out)
