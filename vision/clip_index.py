"""Where the pictures of a recording are in its file: read once, and used for every clip that is cut out of it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from vision.errors import EvidenceError, MetadataError
from vision.klv import decode_klv, split_klv
from vision.media import SourceCounts, video_of
from vision.packets import Stamps
from vision.recovery import left_out, referred_to
from vision.timeline import Timeline, period_us
from vision.timing import microseconds_of

__all__ = ["REORDERED", "FilePacket", "Span", "find_span", "opened", "packets_about", "reading", "state_of"]

# Telemetry may stand in the file so long before or after the picture that it belongs to.
_MUXED_US = 5_000_000
REORDERED = 16
"""Pictures by which one may be decoded before it is shown, in H.264 and HEVC."""
# Whose parser reads what MP4 does not tell: which lines come first, and how many pictures are shown out of order.
_TOLD = frozenset({"h264", "hevc"})
# What an MP4 or MOV begins with, behind four bytes of length (ISO/IEC 14496-12, 4.2; QuickTime File Format, Atoms).
_BOXES = frozenset({b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"uuid"})


@dataclass(frozen=True, slots=True, eq=False)
class FilePacket:
    """A packet, its time as the source lays it, microseconds, and what that is more than the packet says.

    `number` counts the packets of the video stream; that of a data packet is None. A `hidden` picture is decoded for
    the sake of others and not shown: an edit list (ISO/IEC 14496-12, 8.6.6) leaves it out. `edit` counts the edits of
    such a list that were found to begin behind what the one before has hidden.
    """

    packet: Any
    number: int | None
    at_us: int | None
    shift_us: int
    hidden: bool = False
    edit: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """What to copy: numbers of the clip's keyframe and its last packet; and how many pictures are before.

    `start_pts_us` is that of the keyframe, `seen_pts_us` that of the first picture that a decoder shows from it on,
    whose time is `start_us`. `straight` says whether the clock of the recording runs through, so that a place in it can
    be sought by its time.
    """

    first: int
    last: int
    before: int
    start_pts_us: int
    seen_pts_us: int
    end_pts_us: int
    start_us: int
    end_us: int
    straight: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Index:
    """Pictures in the order of the file: number of the packet, PTS, time, whether it is a keyframe and shown, its edit.

    `leads` tells of each keyframe how many packets from it on the picture stands that a decoder that begins there shows
    first, see `vision.recovery`; `zero_us` is the PTS of the first that is shown.
    """

    numbers: NDArray[np.int64]
    pts_us: NDArray[np.int64]
    times_us: NDArray[np.int64]
    keyframes: NDArray[np.bool_]
    shown: NDArray[np.bool_]
    edits: NDArray[np.int64]
    leads: NDArray[np.int64]
    zero_us: int
    straight: bool


def opened(path: Path) -> Any:
    """A container opened without decoding pictures where its header tells what those would: that takes 11 ms of 720p.

    Its packets and pictures are those of `av.open`, and so are its errors.
    """
    if not _begins_as_mov(path):  # others would be opened for nothing: their headers do not tell it
        return av.open(str(path))
    undecoded: Any = [{"skip_frame": "all"}]  # its stub says that options of a stream are a text
    container = av.open(str(path), stream_options=undecoded)
    video: Any = video_of(container)
    told = "mov" in container.format.name.split(",") and video is not None and video.codec_context is not None
    if told and video.codec_context.name in _TOLD:
        return container
    container.close()
    return av.open(str(path))


def _begins_as_mov(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(8)[4:] in _BOXES
    except OSError:
        return False  # as `av.open` says it


@contextlib.contextmanager
def reading(path: Path, *, whole: bool = False) -> Iterator[Any]:
    """The opened recording; `whole` with what only its pictures tell (colours), which a copy is to say as well.

    Raises
    ------
    EvidenceError
        When it is none, or has no video.
    """
    try:
        container = av.open(str(path)) if whole else opened(path)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise EvidenceError(
            f"{path}: the recording cannot be read ({getattr(error, 'strerror', None) or error})"
        ) from error
    with container:
        video = video_of(container)
        if video is None:
            raise EvidenceError(f"{path}: the recording has no video stream")
        if video.codec_context is None:
            raise EvidenceError(f"{path}: the recording cannot be read: no decoder is here for the kind of its video")
        yield container


def state_of(path: Path) -> tuple[int, int]:
    """Size of a recording and when it was changed: one that has grown since is another. Raises `EvidenceError`."""
    try:
        told = path.stat()
    except OSError as error:
        raise EvidenceError(f"{path}: the recording cannot be read ({error.strerror})") from error
    return told.st_size, told.st_mtime_ns


def find_span(path: Path, wanted: tuple[int, int], start_us: int | None) -> Span:
    """What to copy for a clip from one time to another, microseconds.

    Parameters
    ----------
    path
        The recording.
    wanted
        First and last time, on the clock of the recording's frames.
    start_us
        Time of its first picture where it was given one; None: as the recording tells.

    Raises
    ------
    EvidenceError
        When it cannot be read, or has no picture there.
    """
    index = _indexed(path, *state_of(path), start_us)
    times, pts, numbers = index.times_us, index.pts_us, np.arange(len(index.times_us))
    keys = np.flatnonzero(index.keyframes)
    seen = index.shown & (numbers >= keys[0]) & (pts >= index.zero_us)
    inside = np.flatnonzero(seen & (wanted[0] <= times) & (times <= wanted[1]))
    if not inside.size:
        runs = times[seen if seen.any() else index.shown]
        raise EvidenceError(
            f"{path}: no picture lies between {wanted[0]} and {wanted[1]} us; the recording runs from "
            f"{runs.min()} to {runs.max()} us: check the clock (start_time)"
        )
    # What an edit begins with is hidden, and would be seen in the middle of a clip of two edits.
    edit = index.edits[inside[np.argmin(np.abs(times[inside] - sum(wanted) // 2))]]
    inside, keys = inside[index.edits[inside] == edit], keys[index.edits[keys] == edit]
    whole = np.minimum(keys + index.leads[keys], len(times) - 1)
    early = keys[(whole <= inside[0]) & (times[whole] <= wanted[0])]
    first, last = int(early[-1] if early.size else keys[0]), int(inside[-1])
    begin = min(first + int(index.leads[first]), last)  # the first one that is seen
    end = int(inside[np.argmax(times[inside])])
    # Hidden ones that the clip begins with have no number: those are counted back from the first that has one.
    of_clip = (index.edits == edit) & (numbers >= begin) & (pts >= pts[begin])
    shown_us = pts[of_clip & index.shown].min()
    before = (index.shown & (index.zero_us <= pts) & (pts < shown_us)).sum()
    return Span(
        int(index.numbers[first]),
        int(index.numbers[last]),
        int(before - (of_clip & ~index.shown & (pts < shown_us)).sum()),
        int(pts[first]),
        int(pts[begin]),
        int(pts[end]),
        int(times[begin]),
        int(times[end]),
        index.straight,
    )


def packets_about(path: Path, container: Any, span: Span) -> Iterator[FilePacket]:
    """Packets from before a span to behind it, in file order: what belongs to it may stand a little apart from it."""
    packets = _sought(container, span) if span.straight else _packets(container)
    with contextlib.ExitStack() as stack:
        if packets is None:
            packets = _packets(stack.enter_context(reading(path)))
        for one in packets:
            if one.number is not None and one.number > span.last and (one.at_us or 0) > span.end_pts_us + _MUXED_US:
                return
            yield one


def _sought(container: Any, span: Span) -> Iterator[FilePacket] | None:
    """Packets from shortly before a span on, without reading what is before; None where that place is not found."""
    try:
        container.seek(max(0, span.start_pts_us - _MUXED_US))
        held: list[FilePacket] = []
        packets = _packets(container)
        for one in packets:
            held.append(one)
            if one.number is None or not one.packet.is_keyframe or one.at_us is None:
                continue
            if one.at_us == span.start_pts_us:
                # Numbers begin where reading does.
                first = span.first - one.number
                return _renumbered(itertools.chain(held, packets), first)
            if one.at_us > span.start_pts_us:
                return None
    except (av.error.FFmpegError, OSError):
        return None
    return None


def _renumbered(packets: Iterator[FilePacket], first: int) -> Iterator[FilePacket]:
    for one in packets:
        yield one if one.number is None else replace(one, number=one.number + first)


def _packets(container: Any) -> Iterator[FilePacket]:
    """Video and data packets in file order; what is damaged at the end ends the recording there."""
    video: Any = video_of(container)
    timeline = Timeline(container.name, SourceCounts(), live=False, period_us=period_us(video))
    packets, count = container.demux([video, *container.streams.data]), itertools.count()
    last_dts: int | None = None
    hidden, edit = False, 0
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.InvalidDataError):
            return
        if not packet.size:
            continue
        pts_us = _pts_us(packet)
        if packet.stream is not video:
            at_us = None if pts_us is None else pts_us + timeline.shift_us
            yield FilePacket(packet, None, at_us, timeline.shift_us)
            continue
        at_us, number = pts_us, next(count)
        # Where pictures come seldom, one that is shown before others goes back by seconds. The first ones of a
        # container may have no time for the decoder.
        goes_on = number < REORDERED if packet.dts is None else last_dts is None or packet.dts > last_dts
        last_dts = last_dts if packet.dts is None else packet.dts
        edit += not goes_on and (hidden or packet.is_discard)
        hidden = packet.is_discard
        if pts_us is not None:
            # The source sees no hidden picture, and so no time that goes back between two edits.
            at_us = pts_us + timeline.shift_us if hidden else timeline.at(pts_us, goes_on=goes_on)
        yield FilePacket(packet, number, at_us, timeline.shift_us, hidden, edit)


def _pts_us(packet: Any) -> int | None:
    pts = packet.pts if packet.pts is not None else packet.dts
    return None if pts is None else round(pts * packet.time_base * 1_000_000)


@lru_cache(maxsize=8)
def _indexed(path: Path, size: int, changed_ns: int, start_us: int | None) -> _Index:
    """The pictures of a recording. Raises `EvidenceError` where it has none to begin with."""
    del size, changed_ns  # they tell one state of the file from another
    stamps = Stamps()
    # Number of the packet, PTS, keyframe, shown, edit.
    pictures: list[tuple[int, int, bool, bool, int]] = []
    left, referred = dict[int, int](), list[bool]()
    last_us, straight, any_left = 0, True, False
    with reading(path) as container:
        video: Any = video_of(container)
        created = microseconds_of(container.metadata.get("creation_time") or video.metadata.get("creation_time"))
        for one in _packets(container):
            straight = straight and not one.shift_us and not one.edit
            if one.number is None:
                at = last_us if one.at_us is None else one.at_us
                if start_us is None:
                    _add_stamps(stamps, at, bytes(one.packet))
            elif one.at_us is not None:
                key = bool(one.packet.is_keyframe)
                out = left_out(one.packet, video) if key else None
                if out is not None:
                    left[len(pictures)] = out
                    any_left = any_left or out > 0
                # Only behind one that leaves others out does it matter.
                referred.append(not any_left or referred_to(one.packet, video))
                pictures.append((one.number, one.at_us, key, not one.hidden, one.edit))
                last_us = last_us if one.hidden else one.at_us
            elif one.packet.is_keyframe and not pictures:
                raise EvidenceError(
                    f"{path}: its pictures carry no times, by which a clip could be cut: put it into a container that "
                    "keeps them (.mkv, .mp4), and watch that"
                )
    begin = next((k for k, (_, _, key, *_) in enumerate(pictures) if key), None)
    if begin is None:
        raise EvidenceError(f"{path}: the recording has no keyframe to start a clip from")
    leads = _leads(left, referred)
    begin = min(begin + int(leads[begin]), len(pictures) - 1)
    key_us = pictures[begin][1]
    zero_us = min((pts for _, pts, _, shown, *_ in pictures[begin:] if shown and pts >= key_us), default=key_us)
    base_us = next(base for base in (start_us, created, 0) if base is not None)

    def time_of(pts_us: int) -> int:
        stamped = stamps.time_us(pts_us)
        return base_us + pts_us - zero_us if stamped is None else stamped

    numbers, pts, keyframes, shown, edits = (np.array(column) for column in zip(*pictures, strict=True))
    times = np.array([time_of(int(pts_us)) for pts_us in pts], dtype=np.int64)
    return _Index(numbers, pts, times, keyframes, shown, edits, leads, zero_us, straight)


def _leads(left: Mapping[int, int], referred: Sequence[bool]) -> NDArray[np.int64]:
    """See `_Index`, from what keyframes tell by their place (`vision.recovery`), and which pictures are referred to."""
    leads, count = np.zeros(len(referred), np.int64), np.cumsum(referred)
    whole = len(referred)
    for key in sorted(left, reverse=True):  # what a later keyframe makes whole sooner is
        whole = min(whole, int(np.searchsorted(count, count[key] + left[key])))
        leads[key] = whole - key
    return leads


def _add_stamps(stamps: Stamps, pts_us: int, data: bytes) -> None:
    for raw in split_klv(data):
        try:
            packet = decode_klv(raw)
        except MetadataError:
            continue  # the source counted and reported it when the recording was watched
        if packet.time_us is not None:
            stamps.add(pts_us, packet.time_us)
