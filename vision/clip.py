"""Clips cut out of a recording without touching a pixel: packets are copied from the keyframe before the start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import av

from geo import FileWriteError, atomic_path, write_bytes
from vision.clip_index import REORDERED, FilePacket, Span, find_span, packets_about, reading, state_of
from vision.errors import EvidenceError
from vision.media import video_of
from vision.shown_order import shown_times, tells_no_order
from vision.timing import microseconds

__all__ = ["Clip", "cut_clip", "suffix_for"]

_FORMATS = {".mp4": "mp4", ".mkv": "matroska", ".ts": "mpegts"}
_MP4_CODECS = frozenset({"h264", "hevc", "mpeg4", "av1", "vp9"})
_ROUNDED_US = 2_000  # formats round times, to a millisecond at most
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
        Times of its first picture and of the last that was asked for, microseconds UTC. The first is the keyframe at or
        before the start asked for, or what a decoder that begins at a keyframe shows first, so a clip never starts
        late; a few pictures may follow the last, to which those before it refer.
    pictures
        Number of pictures that are shown.
    first
        Number of its first picture in the recording, as `Frame.index` counts: times of a recording may jitter.
    """

    path: Path
    telemetry: Path | None
    start_us: int
    end_us: int
    pictures: int
    first: int


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
    span = find_span(source_file, wanted, microseconds(start_time))
    telemetry = out.with_suffix(".klv") if out.suffix != ".ts" else None
    try:
        with atomic_path(out) as video:
            with reading(source_file, whole=True) as container:
                pictures, klv_bytes = _copy(source_file, container, span, video)
            if span.seen_pts_us != span.start_pts_us:
                _check_first(source_file, span, video)
            if telemetry is not None and klv_bytes:
                write_bytes(telemetry, klv_bytes)
    except FileWriteError as error:
        raise EvidenceError(str(error)) from error
    except (av.error.FFmpegError, OSError) as error:
        raise EvidenceError(
            f"{out}: the clip cannot be cut out of {source_file} ({getattr(error, 'strerror', None) or error}): check "
            "that the recording plays"
        ) from error
    except ValueError as error:
        raise EvidenceError(
            f"{source_file}: no clip of its kind of video can be kept ({error}): convert it to H.264 or HEVC, and "
            "watch that"
        ) from error
    return Clip(out, telemetry if klv_bytes and telemetry else None, span.start_us, span.end_us, pictures, span.before)


def suffix_for(source_file: str | Path) -> str:
    """``.mp4`` where its players know the recording's codec, browsers among them; else ``.mkv``.

    Raises
    ------
    EvidenceError
        When the recording cannot be read.
    """
    path = Path(source_file)
    return _suffix(path, *state_of(path))


@lru_cache(maxsize=8)
def _suffix(path: Path, size: int, changed_ns: int) -> str:
    """See `suffix_for`. To open a recording takes as long as to copy a clip out of it."""
    del size, changed_ns  # they tell one state of the file from another
    with reading(path) as container:
        video: Any = video_of(container)
        return ".mp4" if video.codec_context.codec.canonical_name in _MP4_CODECS else ".mkv"


def _copy(path: Path, container: Any, span: Span, out: Path) -> tuple[int, bytes]:
    """Copy the span's packets; number of pictures, and the telemetry where the format cannot hold it."""
    form, options = _FORMATS[out.suffix], _OPTIONS.get(out.suffix, {})
    pictures, klv, last_us, last_dts = 0, bytearray(), 0, None
    # What no decoder shows comes before zero where the format can say so: players show the overlay by times from there.
    zero_us = span.seen_pts_us if form == "mp4" else span.start_pts_us
    with av.open(str(out), "w", format=form, options=options) as output:
        video: Any = video_of(container)
        target = output.add_stream_from_template(video, opaque=True)  # an encoder of its kind need not be here
        data = output.add_data_stream("klv") if form == "mpegts" and container.streams.data else None
        try:
            output.start_encoding()
        except av.error.ArgumentError as error:  # pixels as they are, which other players would take for something else
            raise ValueError(f"not of {target.codec_context.name}") from error
        for one in _packets(path, container, span):
            packet, start_us = one.packet, zero_us - one.shift_us
            if one.number is None:
                at = last_us if one.at_us is None else one.at_us
                if span.start_pts_us <= at <= span.end_pts_us:
                    klv += bytes(packet)
                    if data is not None and one.at_us is not None:
                        _shift(packet, start_us, data)
                        output.mux(packet)
                continue
            last_us = last_us if one.at_us is None else one.at_us
            if not span.first <= one.number <= span.last:
                continue
            if one.at_us is not None and one.at_us < span.start_pts_us:
                continue  # an open group of pictures: shown before its keyframe, and made of what is not in the clip
            if zero_us != span.start_pts_us and one.number > span.first and (one.at_us or zero_us) < zero_us:
                packet.is_keyframe = False  # players begin at the last keyframe before zero
            _shift(packet, start_us, target)
            if packet.dts is not None:
                # Where a clock starts anew the first pictures may be due for the decoder before the last ones.
                packet.dts = last_dts = packet.dts if last_dts is None else max(packet.dts, last_dts + 1)
                # Nor is one of a time that comes twice or goes back shown before it is decoded: no format takes that.
                packet.pts = max(packet.pts, packet.dts)
            output.mux(packet)
            pictures += one.at_us is None or one.at_us >= span.seen_pts_us
    return pictures, b"" if data is not None else bytes(klv)


def _check_first(path: Path, span: Span, clip: Path) -> None:
    """That a clip whose keyframe is no whole picture shows the one that the file tells: what is damaged may not."""
    with av.open(str(clip)) as container:
        begin_us = span.start_pts_us - span.seen_pts_us if clip.suffix == ".mp4" else None
        shown_us = None
        try:
            for packet in container.demux(video=0):
                begin_us = _time_us(packet) if begin_us is None else begin_us
                shown_us = next((_time_us(frame) for frame in packet.decode()), None)
                if shown_us is not None:
                    break
        except av.error.FFmpegError:
            shown_us = None
    at_us = None if shown_us is None or begin_us is None else span.start_pts_us + shown_us - begin_us
    if at_us is None or abs(at_us - span.seen_pts_us) > _ROUNDED_US:
        what = "no picture of it can be decoded" if at_us is None else "its first picture is not the one that is told"
        raise EvidenceError(
            f"{path}: {what}, in a clip from {span.start_us} us on, whose keyframes are not whole: the recording is "
            "damaged there: ask for a span that begins earlier or later"
        )


def _time_us(one: Any) -> int:
    return round(float(one.pts * one.time_base) * 1_000_000)


def _packets(path: Path, container: Any, span: Span) -> Iterator[FilePacket]:
    """Packets about a span, those of its pictures with the times at which they are shown."""
    packets = packets_about(path, container, span)
    if not tells_no_order(container):
        yield from packets
        return
    held = list(packets)
    numbered = [(one.number, one.packet) for one in held if one.number is not None and one.number >= span.first]
    own = [packet for number, packet in numbered if number <= span.last]
    # Which picture is shown when is known once those behind it are decoded.
    times = shown_times(video_of(container), [packet for _, packet in numbered[: len(own) + REORDERED]])
    # The decoder has to have each before it is shown.
    late = max((p.dts - times.get(p.pts, p.pts) for p in own if p.dts is not None), default=0)
    for packet in own:
        packet.pts = times.get(packet.pts, packet.pts)
        if packet.dts is not None:
            packet.dts -= max(0, late)
    yield from held


def _shift(packet: Any, start_us: int, stream: Any) -> None:
    """Times from the clip's first picture on."""
    offset = round(start_us / 1_000_000 / packet.time_base)
    packet.stream = stream
    if packet.pts is None:
        packet.pts = packet.dts
    packet.pts -= offset
    if packet.dts is not None:
        packet.dts -= offset
