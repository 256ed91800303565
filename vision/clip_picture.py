"""Pictures of a clip by their times, without decoding what is before them where that can be spared.

A clip is decoded from the keyframe before the picture. Where that is not found, as in containers without an index, or
does not stand by itself (a stream that renews its picture bit by bit), it is decoded from its beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import av
from av.video.frame import PictureType

from vision.clip_index import REORDERED, opened
from vision.demux import Colours, pixel_aspect, shown_size
from vision.interlace import lower_lines_first
from vision.media import Image, video_of
from vision.recovery import left_out
from vision.source import open_source

__all__ = ["pictures_at"]


def pictures_at(path: Path, start_us: int, times_us: Iterable[int]) -> Mapping[int, Image]:
    """The picture nearest to each time, shape (height, width, 3), uint8, blue-green-red.

    Parameters
    ----------
    path
        The clip.
    start_us
        Time of its first picture, microseconds UTC.
    times_us
        Times, microseconds UTC.

    Raises
    ------
    SourceError
        When it cannot be read.
    """
    wanted = set(times_us)
    found = {time_us: picture for time_us in wanted if (picture := _sought(path, time_us - start_us)) is not None}
    return found | _read_through(path, start_us, wanted - found.keys())


def _read_through(path: Path, start_us: int, wanted: set[int]) -> dict[int, Image]:
    """From the beginning on."""
    if not wanted:
        return {}
    found: dict[int, Image] = {}
    misses = dict.fromkeys(wanted, 1 << 62)
    with open_source(path, start_time=start_us, sidecar=False, decode="software") as source:
        for frame in source:
            for time_us, miss in misses.items():
                if abs(frame.time_us - time_us) < miss:
                    misses[time_us], found[time_us] = abs(frame.time_us - time_us), frame.image
            if frame.time_us >= max(wanted):  # times rise: none that follows is nearer to any
                break
    return found


def _sought(path: Path, after_us: int) -> Image | None:
    """The picture so long after the first one, from the keyframe before it on; None where there is none to begin at."""
    try:
        with opened(path) as container:
            video: Any = video_of(container)
            video.codec_context.thread_count = 1  # for a few pictures
            # Now: decoding may come to another size.
            stored = video.width, video.height
            first: Any = next(container.demux(video))
            if not first.is_keyframe or left_out(first, video):
                return None
            wanted = first.pts + round(after_us / 1e6 / first.time_base)
            container.seek(wanted, stream=video)
            needed = _needed(container.demux(video), wanted)
            if needed is None:
                return None
            best: Any = None
            for number, frame in enumerate(_decoded(video.codec_context, needed)):
                if frame.is_corrupt or (number == 0 and not _begins(frame, wanted)):
                    return None
                best = frame if frame.pts == needed[-1].pts else best
            if best is None:
                return None
            # What the container does not tell of its pixels the pictures do.
            aspect = pixel_aspect(video if video.sample_aspect_ratio else video.codec_context)
            lower_first = lower_lines_first(video.codec_context.field_order)
            return Colours().of(best, shown_size(best, aspect, stored), lower_first=lower_first)()
    except (av.error.FFmpegError, OSError, StopIteration, TypeError):  # TypeError: pictures without a time
        return None


def _needed(packets: Iterator[Any], wanted: int) -> list[Any] | None:
    """Packets up to that of the picture nearest to a time, in the order of decoding; None where that is not known."""
    read: list[Any] = []
    behind = 0
    for packet in packets:
        if not packet.size or behind > REORDERED:
            break
        if packet.pts is None:
            return None
        read.append(packet)
        behind += packet.pts >= wanted  # one that is shown before it may be decoded after it
    shown = [packet for packet in read if not packet.is_discard]
    nearest = min(shown, key=lambda packet: (abs(packet.pts - wanted), packet.pts), default=None)
    return None if nearest is None else read[: read.index(nearest) + 1]


def _decoded(decoder: Any, packets: Sequence[Any]) -> Iterator[Any]:
    """Pictures of packets in the order in which they are shown: the last one, and those to which others refer."""
    for packet in packets:
        decoder.skip_frame = "DEFAULT" if packet is packets[-1] else "NONREF"
        yield from decoder.decode(packet)
    yield from decoder.decode(None)  # or it would wait for those that are to be shown before


def _begins(frame: Any, wanted: int) -> bool:
    """Whether what follows a picture can be decoded from it on, up to one that is wanted."""
    return bool(frame.key_frame) and frame.pict_type == PictureType.I and frame.pts <= wanted
