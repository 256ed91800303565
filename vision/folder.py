"""A folder of images as a video.

They come in the order of the numbers in their names: 10 after 9, however many digits are written. Where a counter in
the names skips some, images are missing, and time passes for them as for the others.

Images of another size than the first are scaled to it, as those of a video are. One that is damaged is left out and
counted; one that cannot be read at all, from a disk that fails or because it is gone, was not seen, and that is an
error once the others were.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from vision.deep_pictures import shades
from vision.demux import reason
from vision.errors import SourceError
from vision.media import Event, Image, Media, Picture, SourceCounts

__all__ = ["open_folder"]

_PARTS = re.compile(r"(\D*)(\d*)")
_SIXTY = 60  # seconds of a minute, minutes of an hour
_TIFF = {".tif", ".tiff"}
_IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", *_TIFF}


def open_folder(folder: Path, frame_rate: float | None, times_us: Sequence[int] | None, counts: SourceCounts) -> Media:
    """Open a folder of images, in the order of their names, numbers in them by what they count.

    Raises
    ------
    SourceError
        When it cannot be read, has no image, or neither rate nor times fit.
    """
    paths = _images(folder)
    if not paths:
        raise SourceError(f"{folder}: holds no image ({', '.join(sorted(_IMAGE_SUFFIXES))}): give a folder of frames")
    if times_us is not None and len(times_us) != len(paths):
        raise SourceError(f"{folder}: {len(paths)} images and {len(times_us)} times: give one time an image")
    if times_us is None and not frame_rate:
        raise SourceError(f"{folder}: images carry no time: give their rate (fps) or their times")
    first = _first(paths[0], counts)
    size = (first.shape[1], first.shape[0])

    places = range(len(paths)) if times_us is not None else _places(paths)
    missing = places[-1] + 1 - len(paths)
    if missing:
        counts.note(f"{folder}: the numbers of the images leave out {missing}: time passes for them as for the others")

    def pts_us(index: int) -> int:
        if times_us is not None:
            return times_us[index] - times_us[0]
        return round(places[index] * 1e6 / (frame_rate or 1.0))

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
        events=_pictures(folder, paths, first, pts_us, counts),
        close=lambda: None,
    )


def _images(folder: Path) -> list[Path]:
    try:
        images = [p for p in folder.iterdir() if p.suffix.lower() in _IMAGE_SUFFIXES and p.is_file()]
    except OSError as error:
        raise SourceError(f"{folder}: cannot be read ({reason(error)}): check where it is stored") from error
    return sorted(images, key=lambda path: (_numbered(path.stem), path.name))


def _numbered(stem: str) -> list[tuple[str, int]]:
    """Words and numbers of a name, in turns."""
    return [(word, int(number or 0)) for word, number in _PARTS.findall(stem)]


def _places(paths: Sequence[Path]) -> Sequence[int]:
    """The place of each image among all that were taken: by the counter in the names, where they have one.

    They differ in one number, which goes on in equal steps or multiples of these; more than half are there.
    """
    names = [_numbered(path.stem) for path in paths]
    count = len(names)
    differ = {k for name in names for k, part in enumerate(name) if len(name) != len(names[0]) or part != names[0][k]}
    which = min(differ, default=0)
    if len(differ) != 1 or len({name[which][0] for name in names}) > 1:
        return range(count)
    numbers = [name[which][1] for name in names]
    steps = [after - before for before, after in pairwise(numbers)]
    step = Counter(steps).most_common(1)[0][0]
    whole = (numbers[-1] - numbers[0]) // step + 1 if step > 0 else 0
    if not count <= whole < 2 * count or any(one < 1 or one % step for one in steps) or _are_times(numbers, step):
        return range(count)
    return [(number - numbers[0]) // step for number in numbers]


def _are_times(numbers: Sequence[int], step: int) -> bool:
    """Whether they are times of day or dates: nothing is missing where 120100 follows 120059, or 0201 follows 0131."""
    passes = numbers[0] // 100 != numbers[-1] // 100
    return passes and step < 100 - _SIXTY and all(number % 100 < _SIXTY for number in numbers)


def _first(path: Path, counts: SourceCounts) -> Image:
    try:
        image = _read_image(path, counts)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({reason(error)}): check where it is stored") from error
    if image is None:
        raise SourceError(f"{path}: cannot be read as an image: the file is damaged or not an image")
    return image


def _pictures(
    folder: Path, paths: Sequence[Path], first: Image, pts_us: Callable[[int], int], counts: SourceCounts
) -> Iterator[Event]:
    """Images in their order. Raises SourceError at the end, where some could not be read."""
    unread: list[str] = []
    size = before = (first.shape[1], first.shape[0])
    for index, path in enumerate(paths):
        try:
            image = first if index == 0 else _read_image(path, counts)
        except OSError as error:
            unread.append(f"{path}: cannot be read ({reason(error)})")
            counts.decode_errors += 1
            counts.note(unread[-1])
            continue
        if image is None:
            counts.decode_errors += 1
            counts.note(f"{path}: cannot be read as an image: it is damaged")
            continue
        before = counts.sized(str(folder), before, (image.shape[1], image.shape[0]), pts_us(index))
        counts.decoded += 1
        yield Picture(pts_us(index), index, size, partial(_scaled, image, size))
    if unread:
        raise SourceError(
            f"{unread[0]}, and so {len(unread)} of {len(paths)} images were not seen: check where they are stored"
        )


def _read_image(path: Path, counts: SourceCounts) -> Image | None:
    """The image; None where it is damaged. Raises OSError."""
    # Not cv2.imread: it cannot open a path with letters outside the local code page on Windows, and prints to stderr.
    # Nor numpy.fromfile: a disk that fails in the middle of a file ends that without an error.
    data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    # OpenCV reads TIFF of floats only as it is.
    deep = cv2.IMREAD_UNCHANGED if path.suffix.lower() in _TIFF else cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    image = cv2.imdecode(data, deep) if data.size else None
    if image is not None and image.dtype != np.uint8:
        counts.note(f"{path.parent}: its images have more than 8 bits: each is shown from its darkest to its brightest")
        return shades(image)
    if image is not None and deep == cv2.IMREAD_UNCHANGED:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return None if image is None else np.asarray(image, dtype=np.uint8)


def _scaled(image: Image, size: tuple[int, int]) -> Image:
    if (image.shape[1], image.shape[0]) == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
