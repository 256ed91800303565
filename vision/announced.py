"""What a container announces of itself: how many pictures there are, and where its file ends.

Of what is read to its end and announces more, the rest is missing: it was cut short.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from vision.media import SourceCounts

__all__ = ["EmptyPlaces", "ends_early", "pictures_announced"]

# EBML (RFC 8794): identifiers of the header and of the one element behind it that holds all else (RFC 9559).
_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
_LONGEST_NUMBER = 8


def pictures_announced(container: Any, video: Any) -> int | None:
    """Pictures that a container announces, without those that its edit list leaves out; None where it does not tell.

    Of what has no edit lists FFmpeg may take the duration from the length of the file, which may be cut short.
    """
    frames = int(video.frames)
    if "mov" in container.format.name.split(",") and video.duration and video.average_rate:
        frames = min(frames, round(video.duration * video.time_base * video.average_rate))
    return frames or None


def ends_early(container: Any, path: Path | None) -> bool:
    """Whether a file ends before the place that it says: of Matroska and WebM, which tell no number of pictures.

    One that was never finished, or that was written while nobody could go back in it, tells no such place.
    """
    if path is None or "matroska" not in container.format.name.split(","):
        return False
    with path.open("rb") as file:
        header = _element(file)
        if header is None or header[0] != _EBML or header[1] is None:
            return False
        file.seek(header[1], 1)
        segment = _element(file)
        if segment is None or segment[0] != _SEGMENT or segment[1] is None:
            return False
        return file.tell() + segment[1] > path.stat().st_size


def _element(file: BinaryIO) -> tuple[int, int | None] | None:
    """Identifier and size of the element that begins here, the size None where it is not known; None for no element."""
    identifier, size = _number(file, marked=True), _number(file, marked=False)
    if identifier is None or size is None:
        return None
    value, length = size
    return identifier[0], None if value == (1 << 7 * length) - 1 else value


def _number(file: BinaryIO, *, marked: bool) -> tuple[int, int] | None:
    """A number of variable length, with the bit that tells that or without it, and how many bytes it has."""
    first = file.read(1)
    length = _LONGEST_NUMBER + 1 - first[0].bit_length() if first and first[0] else 0
    rest = file.read(length - 1) if length else b""
    if not length or len(rest) < length - 1:
        return None
    value = int.from_bytes(first + rest, "big")
    return value if marked else value ^ 1 << 7 * length, length


class EmptyPlaces:
    """Counts the places of AVI in which no picture is: it has one for each moment at which one could have come.

    Cameras and programs leave them empty where the picture does not change or none came in time; FFmpeg passes over
    them, and numbers its packets with them.
    """

    def __init__(self, container: Any, counts: SourceCounts) -> None:
        self._counts = counts
        self._next: int | None = 0 if "avi" in container.format.name.split(",") else None

    def sent(self, packet: Any) -> None:
        """A packet of the video, in the order of the file."""
        if self._next is None or packet.pts is None:
            return
        self._counts.empty += max(0, packet.pts - self._next)
        self._next = packet.pts + 1
