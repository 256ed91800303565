"""A video file, a stream of the network or a camera opened: its description, and its events on one clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.format import Flags

from vision.announced import ends_early, pictures_announced
from vision.bridge import Bridge, needs_bridge
from vision.demux import Reading, demux, is_paced, reason
from vision.errors import SourceError
from vision.hardware import Decoding
from vision.live import LiveQueue
from vision.location import Location, without_secrets
from vision.media import Connection, Event, Media, Picture, SourceCounts, Telemetry, is_cover, video_of
from vision.reconnect import BackOff, Reconnecting
from vision.recorder import Recorder
from vision.timeline import Timeline, period_us

__all__ = ["open_container"]

_OPEN_TIMEOUT_S, _READ_TIMEOUT_S = 10.0, 10.0
_CLOCK_WAIT_US = 5_500_000  # RFC 3550: a sender reports every 5 s at the latest, when it is the only one
# Reports tell the time of RTP's own stamps: pictures of a transport stream in it (RFC 2250) have another clock. What
# comes in one is numbered by its packet identifier (ISO/IEC 13818-1, table 2-3), streams of RTP itself from 0 on.
_FIRST_PID = 16
# FFmpeg draws letters for files that are named as text (.txt, .nfo, .bin), whatever is in them.
_TEXT_ART = frozenset({"ansi", "bintext", "idf", "xbin"})
_OPTIONS = {
    "rtsp": {"rtsp_flags": "prefer_tcp"},  # which loses nothing; some cameras send by UDP alone
    "rtsps": {"rtsp_transport": "tcp"},
    # Its header announces sound whether or not there is any, which is waited for.
    "rtmp": {"analyzeduration": "1000000"},
    "rtmps": {"analyzeduration": "1000000"},
}


def open_container(
    location: str,
    counts: SourceCounts,
    *,
    threads: int = 2,
    back_off: BackOff | None = None,
    recorder: Recorder | None = None,
    decode: str = "auto",
) -> Media:
    """Open a video file, a network stream or a camera.

    Parameters
    ----------
    location
        Path, address, or camera, see `Location.of`.
    counts
        Where what happens is counted.
    threads
        Of the decoder, where the processor decodes.
    back_off
        When a live stream that breaks off is opened again.
    recorder
        Keeps a live stream.
    decode
        Where it is decoded, see `Decoding`.

    Raises
    ------
    SourceError
        When it is missing, empty, not a video, or no picture of it can be decoded.
    EvidenceError
        When the recorder serves another stream.
    MissingExtra
        When it takes a program that is not installed.
    """
    where = Location.of(location)
    name, live = where.name, where.file is None
    if where.file is not None:
        _check_file(where.file)
    elif recorder is not None:
        recorder.attach(name, counts)
    decoding = Decoding(decode, name, counts, threads)
    reading = Reading(where, counts, decoding, recorder if live else None)
    opened = _open(reading)
    container, connection = opened.container, opened.connection
    stream: Any = video_of(container)
    paced = is_paced(container, where)
    rate = stream.average_rate or stream.guessed_rate
    # Read now: where the stream breaks off soon, the thread that reads it closes the container.
    duration_s = container.duration / 1e6 if container.duration and not paced else None
    created = container.metadata.get("creation_time") or stream.metadata.get("creation_time")
    frames, has_data = pictures_announced(container, stream), bool(container.streams.data)
    cut = ends_early(container, where.file)
    timeline = Timeline(
        name,
        counts,
        live=paced,
        period_us=period_us(stream),
        wall_clock_us=connection.wall_clock_us,
    )
    events: Iterator[Event] = timeline.lay(connection.events)
    close: Callable[[], object] = connection.close
    if paced:
        again = Reconnecting(
            connection,
            lambda: _open(reading, opened.size).connection,
            timeline=timeline,
            name=name,
            counts=counts,
            back_off=back_off or BackOff(),
        )
        arriving = again.events()
        queue = LiveQueue(arriving if recorder is None else recorder.follow(arriving, timeline), counts)
        events = iter(queue)

        def close() -> None:
            again.stop()
            queue.stop()

    width, height = opened.size
    return Media(
        name,
        width,
        height,
        float(rate) if rate else None,
        duration_s,
        frames,
        created,
        connection.wall_clock_us,
        has_data,
        paced,
        events,
        close,
        decoding,
        "device" if where.camera else "rtcp",
        cut,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    container: Any
    size: tuple[int, int]
    connection: Connection


class _Declined(Exception):  # noqa: N818 - told to the function above, which opens the video again
    """The device does not decode this video."""


def _open(reading: Reading, size: tuple[int, int] | None = None) -> _Opened:
    """Open it up to the first picture. Raises SourceError, MissingExtra."""
    counts = reading.counts
    before = counts.leading, counts.empty, counts.decode_errors
    try:
        return _open_once(reading, size)
    except _Declined:  # a decoder that was made for the device has one thread: another takes its place
        counts.leading, counts.empty, counts.decode_errors = before  # its beginning is read once more
        return _open_once(reading, size)


def _open_once(reading: Reading, size: tuple[int, int] | None) -> _Opened:
    """As `_open`. Raises _Declined as well, after which the processor decodes."""
    location = reading.location
    bridge = Bridge(location.text) if needs_bridge(location.text) else None
    container: Any = None

    def close() -> str:
        if reading.recorder is not None:
            reading.recorder.pause()  # it writes with the streams of the container
        if container is not None:
            container.close()
        return bridge.close() if bridge is not None else ""

    try:
        container = _container(location, bridge, reading.decoding)
        return _read_head(container, reading, size=size, close=close)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        said = without_secrets(close()) or reason(error)
        raise SourceError(f"{reading.name}: cannot be opened as video ({said}): {_advice(location)}") from error
    except BaseException:
        close()
        raise


def _container(location: Location, bridge: Bridge | None, decoding: Decoding) -> Any:
    accel = decoding.accel()
    if bridge is not None:
        return av.open(bridge.pipe, format="mpegts", hwaccel=accel)
    if location.camera is not None:
        return av.open(location.text, format=location.camera, options=dict(location.options or {}), hwaccel=accel)
    scheme = location.text.split("://", maxsplit=1)[0].lower()
    timeout = (_OPEN_TIMEOUT_S, _READ_TIMEOUT_S) if location.network else None
    return av.open(location.text, options=dict(_OPTIONS.get(scheme, {})), timeout=timeout, hwaccel=accel)


def _read_head(
    container: Any, reading: Reading, *, size: tuple[int, int] | None, close: Callable[[], object]
) -> _Opened:
    name, decoding = reading.name, reading.decoding
    stream = video_of(container)
    if stream is None:
        raise SourceError(f"{name}: has no video stream: give a video file or stream")
    _check_kind(stream, name)
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = decoding.threads
    events = demux(container, reading, size)
    tells_time = name.lower().startswith(("rtsp", "rtp")) and stream.id < _FIRST_PID
    before: list[Event] = []
    first: Picture | None = None
    for event in events:
        if first is None:
            before.append(event)
            first = event if isinstance(event, Picture) else None
            if first is not None and decoding.device and not decoding.takes(stream):
                raise _Declined
        elif isinstance(event, Telemetry):
            before.append(event)
        else:
            reading.counts.skipped += 1
        if first is not None and not (tells_time and _awaits_clock(container, event.pts_us - first.pts_us)):
            break
    if first is None:
        raise SourceError(f"{name}: no picture can be decoded: the file is cut short or damaged, copy it again")
    _note_what_is_assumed(container, stream, reading)
    clock_us = container.start_time_realtime if tells_time else None
    if reading.location.camera is not None:
        clock_us = _device_clock_us(reading.location, first.pts_us)
    connection = Connection(first.pts_us, clock_us, _chain(before, events), close)
    return _Opened(container, first.size, connection)


def _check_kind(stream: Any, name: str) -> None:
    """Refuse what nothing here decodes, and what is no video at all. Raises SourceError."""
    if stream.codec_context is None:
        raise SourceError(
            f"{name}: no decoder is here for the kind of its video: convert it to H.264 or HEVC, or, if it is "
            "that, copy it again"
        )
    if stream.codec_context.name in _TEXT_ART:
        raise SourceError(f"{name}: is text or nothing at all, not a video: give a video file, a folder or a stream")


def _note_what_is_assumed(container: Any, stream: Any, reading: Reading) -> None:
    """Say what nobody told: which of several videos is meant, and how fast pictures without times come."""
    others = [one for one in container.streams.video if one is not stream and not is_cover(one)]
    if others:
        size = f"{stream.codec_context.width}x{stream.codec_context.height}"
        reading.counts.note(f"{reading.name}: holds {1 + len(others)} videos: the first one, {size}, is watched")
    raw = bool(container.format.flags & Flags.no_timestamps.value) or container.format.name.endswith("_pipe")
    if raw and reading.location.file is not None:
        reading.counts.note(
            f"{reading.name}: tells no times: its pictures are taken to come {float(stream.average_rate or 25):g} a "
            "second: put it into a container with its true rate (ffmpeg -r RATE -i FILE -c copy OUT.mp4)"
        )


def _awaits_clock(container: Any, passed_us: int) -> bool:
    """Whether the sender's report that tells the time of day may still come: RTCP sends the first within seconds."""
    return container.start_time_realtime is None and passed_us < _CLOCK_WAIT_US


def _device_clock_us(location: Location, first_us: int) -> int:
    """UTC microseconds of the time zero of a camera at this machine, whose first picture has just come."""
    stamped = location.camera == "v4l2" and (location.options or {}).get("timestamps") == "abs"
    return 0 if stamped else time.time_ns() // 1000 - first_us


def _chain(before: list[Event], after: Iterator[Event]) -> Iterator[Event]:
    yield from before
    before.clear()
    yield from after


def _check_file(path: Path) -> None:
    if not path.exists():
        raise SourceError(f"{path}: does not exist: give a video file, a folder of images or a stream URL")
    if path.stat().st_size == 0:
        raise SourceError(f"{path}: is empty: copy it again")


def _advice(location: Location) -> str:
    if location.camera is not None:
        return "check that the camera is there, that you may read it and that nobody else does, and its options"
    return "check the address, the camera and the network" if location.network else "it is not a video, or is cut short"
