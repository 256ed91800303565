"""Pictures and telemetry out of a container or a stream, in the order in which they come."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from vision.bridge import Bridge, needs_bridge
from vision.errors import SourceError
from vision.hardware import Decoding
from vision.live import LiveQueue
from vision.media import Connection, Event, Image, Media, Picture, SourceCounts, Telemetry
from vision.reconnect import BackOff, Reconnecting
from vision.timeline import Timeline, period_us

__all__ = [
    "is_url",
    "open_container",
    "without_secrets",
]

_URL = re.compile(r"^(rtsp|rtsps|rtp|rtmp|rtmps|udp|tcp|srt|http|https)://", re.IGNORECASE)
_SECRET = re.compile(r"(?<=[?&])(passphrase|password|token|key)=[^&]*", re.IGNORECASE)
_OPEN_TIMEOUT_S, _READ_TIMEOUT_S = 10.0, 10.0
_CORRUPT_RUN = 500
_DEVICE_RUN = 100
_CLOCK_WAIT_US = 5_500_000  # RFC 3550: a sender reports every 5 s at the latest, when it is the only one
_OPTIONS = {
    "rtsp": {"rtsp_transport": "tcp"},
    "rtsps": {"rtsp_transport": "tcp"},
    # Its header announces sound whether or not there is any, which is waited for.
    "rtmp": {"analyzeduration": "1000000"},
    "rtmps": {"analyzeduration": "1000000"},
}
_DATA_ERRORS = (av.error.InvalidDataError, av.error.BufferTooSmallError)


def is_url(location: str) -> bool:
    """Whether a location is a network stream."""
    return bool(_URL.match(location))


def without_secrets(location: str) -> str:
    """A location fit for a message or a record: user name and password of a URL masked, and keys in its query."""
    return _SECRET.sub(r"\1=***", re.sub(r"(?<=://)[^/@]*@", "***@", location))


def open_container(
    location: str,
    counts: SourceCounts,
    *,
    threads: int = 2,
    back_off: BackOff | None = None,
    decode: str = "auto",
) -> Media:
    """Open a video file or a network stream.

    Parameters
    ----------
    location
        Path or address.
    counts
        Where what happens is counted.
    threads
        Of the decoder, where the processor decodes.
    back_off
        When a live stream that breaks off is opened again.
    decode
        Where it is decoded, see `Decoding`.

    Raises
    ------
    SourceError
        When it is missing, empty, not a video, or no picture of it can be decoded.
    MissingExtra
        When it takes a program that is not installed.
    """
    name, live = without_secrets(location), is_url(location)
    if not live:
        _check_file(Path(location))
    decoding = Decoding(decode, name, counts, threads)
    opened = _open(location, name, counts, decoding)
    container, connection = opened.container, opened.connection
    stream = container.streams.video[0]
    # A file on a web server waits for its reader; everything else on the network does not.
    paced = live and not (name.lower().startswith("http") and container.duration)
    rate = stream.average_rate or stream.guessed_rate
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
            lambda: _open(location, name, counts, decoding, opened.size).connection,
            timeline=timeline,
            name=name,
            counts=counts,
            back_off=back_off or BackOff(),
        )
        queue = LiveQueue(again.events(), counts)
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
        container.duration / 1e6 if container.duration and not paced else None,
        stream.frames or None,
        container.metadata.get("creation_time") or stream.metadata.get("creation_time"),
        connection.wall_clock_us,
        bool(container.streams.data),
        paced,
        events,
        close,
        decoding,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    container: Any
    size: tuple[int, int]
    connection: Connection


class _Declined(Exception):  # noqa: N818 - told to the function above, which opens the video again
    """The device does not decode this video."""


def _open(
    location: str,
    name: str,
    counts: SourceCounts,
    decoding: Decoding,
    size: tuple[int, int] | None = None,
) -> _Opened:
    """Open it up to the first picture. Raises SourceError, MissingExtra."""
    try:
        return _open_once(location, name, counts, decoding, size)
    except _Declined:  # a decoder that was made for the device has one thread: another takes its place
        return _open_once(location, name, counts, decoding, size)


def _open_once(
    location: str, name: str, counts: SourceCounts, decoding: Decoding, size: tuple[int, int] | None
) -> _Opened:
    """As `_open`. Raises _Declined as well, after which the processor decodes."""
    live = is_url(location)
    bridge = Bridge(location) if needs_bridge(location) else None
    container: Any = None

    def close() -> str:
        if container is not None:
            container.close()
        return bridge.close() if bridge is not None else ""

    try:
        container = _container(location, bridge, decoding)
        return _read_head(container, name, counts, decoding, size=size, close=close)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        said = without_secrets(close()) or _reason(error)
        raise SourceError(f"{name}: cannot be opened as video ({said}): {_advice(live)}") from error
    except BaseException:
        close()
        raise


def _container(location: str, bridge: Bridge | None, decoding: Decoding) -> Any:
    accel = decoding.accel()
    if bridge is not None:
        return av.open(bridge.pipe, format="mpegts", hwaccel=accel)
    scheme = location.split("://", maxsplit=1)[0].lower()
    timeout = (_OPEN_TIMEOUT_S, _READ_TIMEOUT_S) if is_url(location) else None
    return av.open(location, options=dict(_OPTIONS.get(scheme, {})), timeout=timeout, hwaccel=accel)


def _read_head(
    container: Any,
    name: str,
    counts: SourceCounts,
    decoding: Decoding,
    *,
    size: tuple[int, int] | None,
    close: Callable[[], object],
) -> _Opened:
    if not container.streams.video:
        raise SourceError(f"{name}: has no video stream: give a video file or stream")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = decoding.threads
    events = _events(container, stream, name, counts, decoding, size=size)
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
            counts.skipped += 1
        if first is not None and not _awaits_clock(container, name, event.pts_us - first.pts_us):
            break
    if first is None:
        raise SourceError(f"{name}: no picture can be decoded: the file is cut short or damaged, copy it again")
    connection = Connection(first.pts_us, container.start_time_realtime, _chain(before, events), close)
    return _Opened(container, first.size, connection)


def _awaits_clock(container: Any, name: str, passed_us: int) -> bool:
    """Whether the sender's report that tells the time of day may still come: RTCP sends the first within seconds."""
    rtp = name.lower().startswith(("rtsp", "rtp"))
    return rtp and container.start_time_realtime is None and passed_us < _CLOCK_WAIT_US


def _chain(before: list[Event], after: Iterator[Event]) -> Iterator[Event]:
    yield from before
    before.clear()
    yield from after


def _events(
    container: Any,
    video: Any,
    name: str,
    counts: SourceCounts,
    decoding: Decoding,
    *,
    size: tuple[int, int] | None,
) -> Iterator[Event]:
    """Demultiplex and decode. Damaged packets are counted; what ends early is noted."""
    packets, last_pts_us, failed_in_a_row = container.demux([video, *container.streams.data]), 0, 0
    now, number = size, 0
    while failed_in_a_row < _CORRUPT_RUN:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except (av.error.FFmpegError, OSError) as error:
            counts.decode_errors += 1
            counts.note(f"{name}: reading stopped at {last_pts_us / 1e6:.2f} s ({_reason(error)})")
            return
        if packet.stream is not video:
            if packet.size:
                # Asynchronous KLV has no time of its own: it stands at the picture that went before it.
                at = last_pts_us if packet.pts is None else _us(packet.pts, packet.time_base)
                yield Telemetry(at, bytes(packet))
            continue
        frames = _decoded(packet, name, last_pts_us, counts, decoding)
        failed_in_a_row = failed_in_a_row + 1 if frames is None else 0
        if decoding.device and failed_in_a_row >= _DEVICE_RUN:
            _give_up_device(decoding, name, last_pts_us)
            return
        for frame in frames or ():
            if frame.is_corrupt:
                counts.decode_errors += 1
                counts.note(f"{name}: the picture after {last_pts_us / 1e6:.2f} s is damaged")
            last_pts_us = _pts_us(frame, video, number)
            number += 1
            before, now = now, _changed(now, (frame.width, frame.height), name, last_pts_us, counts)
            if decoding.device and before not in {None, now}:
                decoding.takes(video)  # a size that the device does not take is decoded by the processor
            size = size or now
            yield Picture(last_pts_us, counts.decoded, size, _converter(frame, size))
            counts.decoded += 1
    counts.note(f"{name}: gave up after {_CORRUPT_RUN} undecodable packets in a row")


def _changed(
    before: tuple[int, int] | None, now: tuple[int, int], name: str, at_us: int, counts: SourceCounts
) -> tuple[int, int]:
    """The size of a picture; counted where it is not that of the one before."""
    if before is not None and before != now:
        counts.size_changes += 1
        counts.note(
            f"{name}: pictures change from {before[0]}x{before[1]} to {now[0]}x{now[1]} at {at_us / 1e6:.2f} s; they "
            "are scaled to the first size, and places are right only where the field of view stays"
        )
    return now


def _give_up_device(decoding: Decoding, name: str, at_us: int) -> None:
    """A stream is opened again and goes on; a recording cannot, from its middle. Raises SourceError for that."""
    decoding.refuse(f"it failed with {_DEVICE_RUN} packets in a row", failed=True)
    if not is_url(name):
        raise SourceError(
            f"{name}: cannot be decoded from {at_us / 1e6:.2f} s on ({decoding.why}): decode it in software"
        )


def _decoded(packet: Any, name: str, near_us: int, counts: SourceCounts, decoding: Decoding) -> list[Any] | None:
    """Frames of a packet; None, counted, when it is damaged."""
    # A device tells damage by errors of its own.
    damaged = av.error.FFmpegError if decoding.device else _DATA_ERRORS
    try:
        return list(packet.decode())
    except damaged as error:
        counts.decode_errors += 1
        counts.note(f"{name}: a packet near {near_us / 1e6:.2f} s cannot be decoded ({_reason(error)})")
        return None
    except av.error.FFmpegError as error:
        raise SourceError(f"{name}: cannot be decoded ({_reason(error)}): convert it to H.264 or HEVC") from error


def _pts_us(frame: Any, video: Any, number: int) -> int:
    pts = frame.pts if frame.pts is not None else frame.dts
    if pts is not None:
        return _us(pts, frame.time_base)
    # A stream without any times: its pictures follow each other at its rate.
    return round(number * 1_000_000 / (video.average_rate or Fraction(25)))


def _converter(frame: Any, size: tuple[int, int]) -> Callable[[], Image]:
    # A stream may change its size on the way; the camera model holds for the first one.
    width, height = size
    return lambda: np.ascontiguousarray(frame.to_ndarray(format="bgr24", width=width, height=height))


def _check_file(path: Path) -> None:
    if not path.exists():
        raise SourceError(f"{path}: does not exist: give a video file, a folder of images or a stream URL")
    if path.stat().st_size == 0:
        raise SourceError(f"{path}: is empty: copy it again")


def _us(pts: int, time_base: Fraction) -> int:
    return round(pts * time_base * 1_000_000)


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


def _advice(live: bool) -> str:
    return "check the address, the camera and the network" if live else "it is not a video, or is cut short"
