"""Pictures and telemetry out of a container, a folder or a stream, in the order in which they come."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from vision.errors import SourceError
from vision.live import LiveQueue
from vision.media import Event, Image, Media, Picture, SourceCounts, Telemetry

__all__ = [
    "is_url",
    "open_container",
    "open_folder",
    "without_secrets",
]

_IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}
_URL = re.compile(r"^(rtsp|rtsps|rtp|udp|tcp|srt|http|https)://", re.IGNORECASE)
_OPEN_TIMEOUT_S, _READ_TIMEOUT_S = 10.0, 10.0
_CORRUPT_RUN = 500
_DATA_ERRORS = (av.error.InvalidDataError, av.error.BufferTooSmallError)


def is_url(location: str) -> bool:
    """Whether a location is a network stream."""
    return bool(_URL.match(location))


def without_secrets(location: str) -> str:
    """A location fit for a message or a record: user name and password of a URL masked."""
    return re.sub(r"(?<=://)[^/@]*@", "***@", location)


def open_container(location: str, counts: SourceCounts, *, threads: int = 2) -> Media:
    """Open a video file or a network stream.

    Raises
    ------
    SourceError
        When it is missing, empty, not a video, or no picture of it can be decoded.
    """
    name, live = without_secrets(location), is_url(location)
    if not live:
        _check_file(Path(location))
    options = {"rtsp_transport": "tcp"} if location.lower().startswith("rtsp") else {}
    try:
        container = av.open(location, options=options, timeout=(_OPEN_TIMEOUT_S, _READ_TIMEOUT_S) if live else None)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise SourceError(f"{name}: cannot be opened as video ({_reason(error)}): {_advice(live)}") from error
    try:
        return _read_head(container, name, counts, live=live, threads=threads)
    except BaseException:
        container.close()
        raise


def _read_head(container: Any, name: str, counts: SourceCounts, *, live: bool, threads: int) -> Media:
    if not container.streams.video:
        raise SourceError(f"{name}: has no video stream: give a video file or stream")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = threads
    events = _events(container, stream, name, counts)
    before: list[Event] = []
    for event in events:
        before.append(event)
        if isinstance(event, Picture):
            first = event
            break
    else:
        raise SourceError(f"{name}: no picture can be decoded: the file is cut short or damaged, copy it again")
    width, height = first.size
    # A file on a web server waits for its reader; everything else on the network does not.
    paced = live and not (name.lower().startswith("http") and container.duration)
    close: Callable[[], None] = container.close
    following: Iterator[Event] = _chain(before, events)
    if paced:
        queue = LiveQueue(following, counts)
        following = iter(queue)
        close = queue.closing(container.close)

    duration = container.duration / 1e6 if container.duration and not paced else None
    rate = stream.average_rate or stream.guessed_rate
    return Media(
        name,
        width,
        height,
        float(rate) if rate else None,
        duration,
        stream.frames or None,
        container.metadata.get("creation_time") or stream.metadata.get("creation_time"),
        container.start_time_realtime,
        bool(container.streams.data),
        paced,
        following,
        close,
    )


def _chain(before: list[Event], after: Iterator[Event]) -> Iterator[Event]:
    yield from before
    before.clear()
    yield from after


def _events(container: Any, video: Any, name: str, counts: SourceCounts) -> Iterator[Event]:
    """Demultiplex and decode. Damaged packets are counted; what ends early is noted."""
    packets, last_pts_us, size, failed_in_a_row = container.demux([video, *container.streams.data]), 0, None, 0
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
        frames = _decoded(packet, name, last_pts_us, counts)
        failed_in_a_row = failed_in_a_row + 1 if frames is None else 0
        for frame in frames or ():
            if frame.is_corrupt:
                counts.decode_errors += 1
                counts.note(f"{name}: the picture after {last_pts_us / 1e6:.2f} s is damaged")
            size = size or (frame.width, frame.height)
            last_pts_us = _pts_us(frame, video, counts.decoded)
            yield Picture(last_pts_us, counts.decoded, size, _converter(frame, size))
            counts.decoded += 1
    counts.note(f"{name}: gave up after {_CORRUPT_RUN} undecodable packets in a row")


def _decoded(packet: Any, name: str, near_us: int, counts: SourceCounts) -> list[Any] | None:
    """Frames of a packet; None, counted, when it is damaged."""
    try:
        return list(packet.decode())
    except _DATA_ERRORS as error:
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


def open_folder(folder: Path, frame_rate: float | None, times_us: Sequence[int] | None, counts: SourceCounts) -> Media:
    """Open a folder of images, in the order of their names.

    Raises
    ------
    SourceError
        When it has no image, or neither rate nor times fit.
    """
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in _IMAGE_SUFFIXES and p.is_file())
    if not paths:
        raise SourceError(f"{folder}: holds no image ({', '.join(sorted(_IMAGE_SUFFIXES))}): give a folder of frames")
    if times_us is not None and len(times_us) != len(paths):
        raise SourceError(f"{folder}: {len(paths)} images and {len(times_us)} times: give one time an image")
    if times_us is None and not frame_rate:
        raise SourceError(f"{folder}: images carry no time: give their rate (fps) or their times")
    first = _read_image(paths[0])
    if first is None:
        raise SourceError(f"{paths[0]}: cannot be read as an image: the file is damaged or not an image")
    size = (first.shape[1], first.shape[0])

    def pts_us(index: int) -> int:
        return times_us[index] - times_us[0] if times_us is not None else round(index * 1e6 / (frame_rate or 1.0))

    def events() -> Iterator[Event]:
        for index, path in enumerate(paths):
            image = first if index == 0 else _read_image(path)
            if image is None or (image.shape[1], image.shape[0]) != size:
                counts.decode_errors += 1
                counts.note(f"{path}: cannot be read, or is not {size[0]}x{size[1]} like the first image")
                continue
            counts.decoded += 1
            yield Picture(pts_us(index), index, size, lambda image=image: image)  # type: ignore[misc]

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
        events=events(),
        close=lambda: None,
    )


def _read_image(path: Path) -> Image | None:
    # Not cv2.imread: it cannot open a path with letters outside the local code page on Windows, and prints to stderr.
    data = np.fromfile(path, dtype=np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    return None if image is None else np.asarray(image, dtype=np.uint8)


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
