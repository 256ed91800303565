"""A folder of images as a video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from vision.errors import SourceError
from vision.media import Event, Image, Media, Picture, SourceCounts

__all__ = ["open_folder"]

_IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}


def open_folder(folder: Path, frame_rate: float | None, times_us: Sequence[int] | None, counts: SourceCounts) -> Media:
    """Open a folder of images, in the order of their names.

    Raises
    ------
    SourceError
        When it has no image, or neither rate nor times fit.
    """
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in _IMAGE_SUFFIXES and p.is_file())
    if not paths:
        raise SourceError(f"{folder}: holds no image ({', '.join(sorted(_IMAGE_SUFFIXES))}): give a folder of frames")
    if times_us is not None and len(times_us) != len(paths):
        raise SourceError(f"{folder}: {len(paths)} images and {len(times_us)} times: give one time an image")
    if times_us is None and not frame_rate:
        raise SourceError(f"{folder}: images carry no time: give their rate (fps) or their times")
    first = _read_image(paths[0])
    if first is None:
        raise SourceError(f"{paths[0]}: cannot be read as an image: the file is damaged or not an image")
    size = (first.shape[1], first.shape[0])

    def pts_us(index: int) -> int:
        return times_us[index] - times_us[0] if times_us is not None else round(index * 1e6 / (frame_rate or 1.0))

    def events() -> Iterator[Event]:
        for index, path in enumerate(paths):
            image = first if index == 0 else _read_image(path)
            if image is None or (image.shape[1], image.shape[0]) != size:
                counts.decode_errors += 1
                counts.note(f"{path}: cannot be read, or is not {size[0]}x{size[1]} like the first image")
                continue
            counts.decoded += 1
            yield Picture(pts_us(index), index, size, lambda image=image: image)  # type: ignore[misc]

    return Media(
        str(folder),
        *size,
        frame_rate,
        pts_us(len(paths) - 1) / 1e6,
        len(paths),
        None,
        times_us[0] if times_us else None,
        has_data=False,
        live=False,
        events=events(),
        close=lambda: None,
    )


def _read_image(path: Path) -> Image | None:
    # Not cv2.imread: it cannot open a path with letters outside the local code page on Windows, and prints to stderr.
    try:
        data = np.fromfile(path, dtype=np.uint8)
    except OSError:  # removed since the folder was listed, not ours to read, or on a disk that fails
        return None
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    return None if image is None else np.asarray(image, dtype=np.uint8)
