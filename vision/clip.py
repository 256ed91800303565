"""Clips cut out of a recording without touching a pixel: packets are copied from the keyframe before the start."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import av

from geo import FileWriteError, atomic_path, write_bytes
from vision.errors import EvidenceError, MetadataError
from vision.klv import decode_klv, split_klv
from vision.media import SourceCounts
from vision.packets import Stamps
from vision.timeline import Timeline, period_us
from vision.timing import microseconds, microseconds_of

__all__ = ["Clip", "cut_clip", "suffix_for"]

_FORMATS = {".mp4": "mp4", ".mkv": "matroska", ".ts": "mpegts"}
_MP4_CODECS = frozenset({"h264", "hevc", "mpeg4", "av1", "vp9"})
_OPTIONS = {".mp4": {"movflags": "+faststart"}}


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip that was cut.

    Parameters
    ----------
    path
        The video.
    telemetry
        The KLV packets of the same span as a raw file beside it; None where the recording has none, or where they are
        in the video itself (``.ts``).
    start_us, end_us
        Times of its first and last picture, microseconds UTC. The first is the keyframe at or before the start asked
        for, so a clip never starts late.
    pictures
        Number of pictures.
    first
        Number of its first picture in the recording, as `Frame.index` counts: times of a recording may jitter.
    """

    path: Path
    telemetry: Path | None
    start_us: int
    end_us: int
    pictures: int
    first: int


@dataclass(frozen=True, slots=True)
class _Span:
    """What to copy: the clip's keyframe and its last packet in decoding order; and how many pictures are before."""

    first: int
    last: int
    before: int
    start_pts_us: int
    end_pts_us: int
    start_us: int
    end_us: int


def cut_clip(
    source_file: str | Path,
    start_us: int,
    end_us: int,
    out: str | Path,
    *,
    start_time: datetime | int | None = None,
    pre_s: float = 0.0,
    post_s: float = 0.0,
) -> Clip:
    """Cut a span out of a recording by stream copy.

    Parameters
    ----------
    source_file
        The recording.
    start_us, end_us
        First and last time wanted, microseconds on the clock of the recording's frames (`Frame.time_us`).
    out
        The clip: ``.mp4`` or ``.mkv`` with the telemetry as ``.klv`` beside it, or ``.ts`` with it inside. See
        `suffix_for`.
    start_time
        UTC time of the recording's first picture where `open_source` was given one (`Source.start_us`); None reads
        the times as `open_source` does.
    pre_s, post_s
        Seconds to add before and after.

    Raises
    ------
    EvidenceError
        When the recording cannot be read, the span holds no picture, or the clip cannot be written; then nothing is
        left behind.
    """
    source_file, out = Path(source_file), Path(out)
    if out.suffix not in _FORMATS:
        raise EvidenceError(f"{out}: a clip ends in {', '.join(_FORMATS)}: choose one")
    if end_us < start_us:
        raise EvidenceError(f"{source_file}: the clip would end at {end_us} us, before its start at {start_us} us")
    wanted = (start_us - round(pre_s * 1e6), end_us + round(post_s * 1e6))
    with _reading(source_file) as container:
        span = _find_span(container, source_file, wanted, microseconds(start_time))
    telemetry = out.with_suffix(".klv") if out.suffix != ".ts" else None
    try:
        with atomic_path(out) as video:
            with _reading(source_file) as container:
                pictures, klv_bytes = _copy(container, span, video, _FORMATS[out.suffix], _OPTIONS.get(out.suffix, {}))
            if telemetry is not None and klv_bytes:
                write_bytes(telemetry, klv_bytes)
    except FileWriteError as error:
        raise EvidenceError(str(error)) from error
    except (av.error.FFmpegError, OSError) as error:
        raise EvidenceError(
            f"{out}: the clip cannot be cut out of {source_file} ({getattr(error, 'strerror', None) or error}): check "
            "that the recording plays"
        ) from error
    return Clip(out, telemetry if klv_bytes and telemetry else None, span.start_us, span.end_us, pictures, span.before)


def suffix_for(source_file: str | Path) -> str:
    """``.mp4`` where its players know the recording's codec, browsers among them; else ``.mkv``.

    Raises
    ------
    EvidenceError
        When the recording cannot be read.
    """
    with _reading(Path(source_file)) as container:
        return ".mp4" if container.streams.video[0].codec_context.name in _MP4_CODECS else ".mkv"


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[Any]:
    try:
        container = av.open(str(path))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise EvidenceError(
            f"{path}: the recording cannot be read ({getattr(error, 'strerror', None) or error})"
        ) from error
    with container:
        if not container.streams.video:
            raise EvidenceError(f"{path}: the recording has no video stream")
        yield container


@dataclass(frozen=True, slots=True, eq=False)
class _Packet:
    """A packet, its time as the source lays it, microseconds, and what that is more than the packet says."""

    packet: Any
    is_video: bool
    at_us: int | None
    shift_us: int


def _packets(container: Any) -> Iterator[_Packet]:
    """Video and data packets in file order; what is damaged at the end ends the recording there."""
    video = container.streams.video[0]
    timeline = Timeline(container.name, SourceCounts(), live=False, period_us=period_us(video))
    packets = container.demux([video, *container.streams.data])
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.InvalidDataError):
            return
        if packet.size:
            pts_us = _pts_us(packet)
            is_video = packet.stream is video
            at_us = pts_us if pts_us is None else timeline.at(pts_us) if is_video else pts_us + timeline.shift_us
            yield _Packet(packet, is_video, at_us, timeline.shift_us)


def _pts_us(packet: Any) -> int | None:
    pts = packet.pts if packet.pts is not None else packet.dts
    return None if pts is None else round(pts * packet.time_base * 1_000_000)


def _find_span(container: Any, path: Path, wanted: tuple[int, int], start_us: int | None) -> _Span:
    video = container.streams.video[0]
    stamps = Stamps()
    pictures: list[tuple[int, int, bool]] = []  # number of the packet, PTS, keyframe
    last_us = 0
    for number, one in enumerate(_packets(container)):
        if not one.is_video:
            at = last_us if one.at_us is None else one.at_us
            if start_us is None:
                _add_stamps(stamps, at, bytes(one.packet))
        elif one.at_us is not None:
            pictures.append((number, one.at_us, bool(one.packet.is_keyframe)))
            last_us = one.at_us
    keyframes = [i for i, (_, _, key) in enumerate(pictures) if key]
    if not keyframes:
        raise EvidenceError(f"{path}: the recording has no keyframe to start a clip from")
    zero_us = pictures[keyframes[0]][1]
    created = microseconds_of(container.metadata.get("creation_time") or video.metadata.get("creation_time"))
    base_us = next(base for base in (start_us, created, 0) if base is not None)

    def time_of(pts_us: int) -> int:
        stamped = stamps.time_us(pts_us)
        return base_us + pts_us - zero_us if stamped is None else stamped

    times = [time_of(pts_us) for _, pts_us, _ in pictures]
    inside = [i for i, time_us in enumerate(times) if wanted[0] <= time_us <= wanted[1] and i >= keyframes[0]]
    if not inside:
        raise EvidenceError(
            f"{path}: no picture lies between {wanted[0]} and {wanted[1]} us; the recording runs from {min(times)} to "
            f"{max(times)} us: check the clock (start_time)"
        )
    first = next((i for i in reversed(keyframes) if times[i] <= wanted[0]), keyframes[0])
    last = inside[-1]
    end = max(inside, key=lambda i: times[i])
    before = sum(zero_us <= pts_us < pictures[first][1] for _, pts_us, _ in pictures)
    ends = (pictures[first][1], pictures[end][1], times[first], times[end])
    return _Span(pictures[first][0], pictures[last][0], before, *ends)


def _add_stamps(stamps: Stamps, pts_us: int, data: bytes) -> None:
    for raw in split_klv(data):
        try:
            packet = decode_klv(raw)
        except MetadataError:
            continue  # the source counted and reported it when the recording was watched
        if packet.time_us is not None:
            stamps.add(pts_us, packet.time_us)


def _copy(container: Any, span: _Span, out: Path, form: str, options: dict[str, str]) -> tuple[int, bytes]:
    """Copy the span's packets; number of pictures, and the telemetry where the format cannot hold it."""
    pictures, klv, last_us, last_dts = 0, bytearray(), 0, None
    with av.open(str(out), "w", format=form, options=options) as output:
        target = output.add_stream_from_template(container.streams.video[0])
        data = output.add_data_stream("klv") if form == "mpegts" and container.streams.data else None
        for number, one in enumerate(_packets(container)):
            packet, start_us = one.packet, span.start_pts_us - one.shift_us
            if not one.is_video:
                at = last_us if one.at_us is None else one.at_us
                if span.start_pts_us <= at <= span.end_pts_us:
                    klv += bytes(packet)
                    if data is not None and one.at_us is not None:
                        _shift(packet, start_us, data)
                        output.mux(packet)
                continue
            last_us = last_us if one.at_us is None else one.at_us
            if not span.first <= number <= span.last:
                continue
            _shift(packet, start_us, target)
            if packet.dts is not None:
                # Where a clock starts anew the first pictures may be due for the decoder before the last ones.
                packet.dts = last_dts = packet.dts if last_dts is None else max(packet.dts, last_dts + 1)
            output.mux(packet)
            pictures += 1
    return pictures, b"" if data is not None else bytes(klv)


def _shift(packet: Any, start_us: int, stream: Any) -> None:
    """Times from the clip's first picture on."""
    offset = round(start_us / 1_000_000 / packet.time_base)
    packet.stream = stream
    if packet.pts is None:
        packet.pts = packet.dts
    packet.pts -= offset
    if packet.dts is not None:
        packet.dts -= offset
