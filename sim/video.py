"""Recordings: H.264 and ST 0601 metadata in an MPEG transport stream."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geo import atomic_path
from sim.errors import WorldError

__all__ = ["Shot", "write_video"]

_CLOCK_HZ = 90_000


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame of a recording.

    Parameters
    ----------
    time_us
        When it was exposed, UTC microseconds since the Unix epoch.
    image
        Grey, shape (h, w), or RGB, shape (h, w, 3); uint8; even width and height.
    metadata
        Its ST 0601 packet.
    """

    time_us: int
    image: NDArray[np.uint8]
    metadata: bytes


def write_video(path: Path, shots: Iterable[Shot], fps: int, *, quality: int = 22) -> int:
    """Write frames with their metadata, packet and frame of one time with the same presentation time stamp.

    The stream has a key frame each second and no frames that refer to later ones; the same shots give the same bytes.

    Parameters
    ----------
    path
        File to write (.ts); it appears when it is complete.
    shots
        Frames in order of time, all of one size.
    fps
        Nominal frames a second.
    quality
        Constant rate factor of x264: lower is better.

    Returns
    -------
    int
        Number of frames.

    Raises
    ------
    WorldError
        When there is no frame.
    FileWriteError
        When the file cannot be written.
    """
    with atomic_path(path) as part:
        count = _mux(part, shots, fps, quality)
        if not count:
            raise WorldError(f"{path} would hold no frame: give at least one")
    return count


def _mux(part: Path, shots: Iterable[Shot], fps: int, quality: int) -> int:
    import av  # noqa: PLC0415 - takes a while to load, and most simulations record nothing

    count, start_us = 0, 0
    with av.open(str(part), "w", format="mpegts") as container:
        options = {
            "preset": "veryfast",
            "crf": str(quality),
            "bf": "0",
            "threads": "1",
            "g": str(fps),
            "sc_threshold": "0",
        }
        video = container.add_stream("libx264", rate=fps, options=options)
        video.pix_fmt = "yuv420p"
        data = container.add_data_stream("klv")
        for shot in shots:
            if not count:
                start_us = shot.time_us
                video.height, video.width = shot.image.shape[:2]
            ticks = round((shot.time_us - start_us) * _CLOCK_HZ / 1_000_000)
            form = "gray" if shot.image.ndim == 2 else "rgb24"
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(shot.image), format=form)
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = ticks, Fraction(1, _CLOCK_HZ)
            packet = av.Packet(shot.metadata)
            packet.stream, packet.time_base = data, Fraction(1, _CLOCK_HZ)
            packet.pts = packet.dts = ticks
            container.mux(packet)
            container.mux(video.encode(frame))
            count += 1
        if count:
            container.mux(video.encode())
    return count
