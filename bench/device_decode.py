"""Video decoded on a device against the same decoded by the processor: number, times and pictures."""

from __future__ import annotations

import itertools
import tempfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.flight import rendered_flight
from bench.rows import BenchError, Row
from geo import CameraModel
from vision import decoding_devices, open_source

__all__ = ["compared", "device_rows"]

_NAME = "decode/device"
_LEVELS = 3.0


def device_rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Compare, where it is asked for by name: a device is not everywhere.

    Parameters
    ----------
    data
        Folder with ``streams/*.ts``; None renders one.
    only
        ``decode/device``.
    """
    if only != _NAME:
        return
    devices = decoding_devices()
    if not devices:
        raise BenchError("no device of this machine decodes video (vedette doctor): leave the row out")
    with tempfile.TemporaryDirectory() as folder:
        if data is None:
            videos = [rendered_flight(Path(folder), CameraModel(1280, 720, 2250.0), seconds=8.0, fps=10).video]
        else:
            videos = sorted((data / "streams").glob("*.ts"))
        for video in videos:
            yield compared(video, devices[0])


def compared(video: Path, device: str) -> Row:
    """Largest difference of a pixel between two decodings of a recording; the goal holds for number and times too."""
    worst = mean = 0.0
    count = others = 0
    with open_source(video, decode=device) as ours, open_source(video, decode="software") as theirs:
        if ours.decoder != device:
            raise BenchError(f"{video.name}: is not decoded on {device} ({ours.why_software})")
        for one, other in zip(ours, theirs, strict=False):
            apart = np.abs(one.image.astype(np.int16) - other.image)
            worst, mean, count = max(worst, float(apart.max())), mean + float(apart.mean()), count + 1
            others += (one.time_us, one.index) != (other.time_us, other.index)
        deque(itertools.chain(ours, theirs), maxlen=0)  # what only one of them has
        left = abs(ours.counts.delivered - theirs.counts.delivered)
    said = f"{count} pictures of {video.name}, {others} with other times, {left} in one alone, mean {mean / count:.3f}"
    met = worst <= _LEVELS and not others and not left
    return Row(_NAME, worst, "levels apart", said, goal=f"<= {_LEVELS:g}, same times", met=met)
