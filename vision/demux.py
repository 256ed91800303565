"""Packets of an opened container into pictures and telemetry, in the order in which they come."""

from __future__ import annotations

import math
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.video.reformatter import VideoReformatter

from vision.announced import EmptyPlaces
from vision.errors import SourceError
from vision.hardware import Decoding
from vision.interlace import lower_lines_first, of_one_moment
from vision.location import Location
from vision.media import Event, Image, Picture, SourceCounts, Telemetry, video_of
from vision.planes import Planes
from vision.recorder import Recorder
from vision.recovery import left_out, referred_to
from vision.shown_order import ShownOrder, tells_no_order
from vision.warm_memory import WarmMemory

__all__ = ["Colours", "Reading", "demux", "is_paced", "pixel_aspect", "reason", "shown_size"]

_BLOCK = 1 << 20
_CORRUPT_RUN = 500
_DEVICE_RUN = 100
# Pixels that are nearly square are: encoders round. None is a quarter as wide as high.
_SQUARE, _LEAST_ASPECT = 0.005, 0.25
# A clock that goes back by more starts anew; pictures that come out of order do so by less.
_ANEW_US = 1_000_000
_side_data_of: Any = SideDataContainer  # its stub does not know what it is made of
_DATA_ERRORS = (av.error.InvalidDataError, av.error.BufferTooSmallError)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What goes along with a source while it is read.

    Parameters
    ----------
    location
        What is read.
    counts
        Where what happens is counted.
    decoding
        Where it is decoded.
    recorder
        Keeps its packets; None where nothing does.
    """

    location: Location
    counts: SourceCounts
    decoding: Decoding
    recorder: Recorder | None = None

    @property
    def name(self) -> str:
        """For messages."""
        return self.location.name


def demux(container: Any, reading: Reading, size: tuple[int, int] | None) -> Iterator[Event]:
    """Demultiplex and decode. Damaged packets are counted.

    What cannot be read any further ends a live stream, which is opened again; of a recording it is an error, once a
    picture of it was read: the rest was not seen.

    Parameters
    ----------
    container
        With a video stream.
    reading
        What goes along.
    size
        Width and height of the pictures, pixels; None: those of the first.

    Raises
    ------
    SourceError
        When there is no decoder for it, or a recording cannot be read or decoded from some point on.
    """
    name, counts, decoding = reading.name, reading.counts, reading.decoding
    video: Any = video_of(container)
    packets, last_pts_us, failed_in_a_row = container.demux([video, *container.streams.data]), 0, 0
    since = _Since()
    now, number, at_byte, leading, empty = size, 0, 0, _Leading(counts, video), EmptyPlaces(container, counts)
    colours, aspect, order = Colours(), pixel_aspect(video), ShownOrder(needed=tells_no_order(container))
    why = f"{_CORRUPT_RUN} packets in a row could not be decoded"
    while failed_in_a_row < _CORRUPT_RUN:
        packet = _next(packets) or _unread(reading.location.file, at_byte)
        if packet is None:
            return
        if isinstance(packet, str):
            why = f"it cannot be read any further ({packet})"
            break
        at_byte = packet.pos or at_byte
        if reading.recorder is not None:
            reading.recorder.add(packet, container)
        if packet.stream is not video:
            yield from _telemetry(packet, last_pts_us)
            continue
        leading.sent(packet)
        empty.sent(packet)
        order.sent(packet)
        frames = order.came(packet, _decoded(packet, reading, since.near(packet)))
        failed_in_a_row = failed_in_a_row + 1 if frames is None else 0
        if decoding.device and failed_in_a_row >= _DEVICE_RUN:
            _give_up_device(reading, since.text(last_pts_us))
            return
        for frame in frames or ():
            if frame.is_corrupt:
                counts.decode_errors += 1
                counts.note(f"{name}: the picture after {since.text(last_pts_us)} is damaged")
            last_pts_us = since.came(_pts_us(frame, video, number))
            leading.decoded(last_pts_us)
            number += 1
            before, now = now, counts.sized(name, now, shown_size(frame, aspect), since.passed_us(last_pts_us))
            if decoding.device and before not in {None, now}:
                decoding.takes(video)  # a size that the device does not take is decoded by the processor
            size = size or now
            lower_first = _lower_first(frame, video, reading)
            pixels = colours.of(frame, size, lower_first=lower_first)
            yield Picture(last_pts_us, counts.decoded, size, pixels, _planes(frame, size))
            counts.decoded += 1
    counts.decode_errors += 1
    _break_off(container, reading, why, after=number, at=since.text(last_pts_us))


class _Since:
    """Times in messages: since the first picture. What the stream's own clock says is of no use to anybody."""

    def __init__(self) -> None:
        self._first_us: int | None = None
        self._last_us = 0

    def came(self, pts_us: int) -> int:
        """The time of a picture, as it is: the first one counts, and so does one from which the clock starts anew."""
        if self._first_us is None:
            self._first_us = pts_us
        elif pts_us < self._last_us - _ANEW_US:
            self._first_us += pts_us - self._last_us
        self._last_us = pts_us
        return pts_us

    def passed_us(self, pts_us: int) -> int:
        """Since the first picture, microseconds; 0 before it."""
        return 0 if self._first_us is None else max(0, pts_us - self._first_us)

    def text(self, pts_us: int) -> str:
        """The same in words."""
        return f"{self.passed_us(pts_us) / 1e6:.2f} s"

    def near(self, packet: Any) -> str:
        """The time of a packet, in words; of one that tells none that of the last picture."""
        return self.text(self._last_us if packet.pts is None else _us(packet.pts, packet.time_base))


class _Leading:
    """Counts pictures that are shown before the keyframe that a source begins with, as open groups of pictures have.

    They come right behind it, and refer to what is before the source: decoders leave them out without a word. So they
    do with what comes before the first whole picture where there are no whole keyframes (`vision.recovery`).
    """

    def __init__(self, counts: SourceCounts, video: Any) -> None:
        self._counts, self._video = counts, video
        self._not_whole_us: list[int] = []
        self._to_come = 0
        self._key_us: int | None = None
        self._whole_us = -math.inf
        self._over = False

    def sent(self, packet: Any) -> None:
        """A packet goes to the decoder."""
        if packet.pts is None:
            return
        at_us = _us(packet.pts, packet.time_base)
        if self._key_us is not None:
            if self._to_come and referred_to(packet, self._video):
                self._to_come -= 1
                if not self._to_come:
                    self._whole_us = at_us
                    self._not_whole_us = [one_us for one_us in self._not_whole_us if one_us < at_us]
            if at_us < self._key_us and not self._over:
                self._counts.leading += 1
                return
            self._over = True
        elif not self._over:
            self._over = not packet.is_keyframe
            if packet.is_keyframe:
                self._key_us, self._to_come = at_us, left_out(packet, self._video) or 0
        if self._to_come or at_us < self._whole_us:  # none behind that one is, whatever became of it
            self._not_whole_us.append(at_us)

    def decoded(self, pts_us: int) -> None:
        """A picture came out of it: this one could be decoded all the same."""
        self._counts.leading += sum(at_us < pts_us for at_us in self._not_whole_us)
        self._not_whole_us, self._to_come, self._whole_us = [], 0, -math.inf
        if self._counts.leading and self._key_us is not None and pts_us < self._key_us:
            self._counts.leading -= 1


def _next(packets: Iterator[Any]) -> Any | str | None:
    """The next packet; None at the end; in words why there is none before it."""
    try:
        return next(packets, None)
    except (av.error.FFmpegError, OSError) as error:
        return reason(error)


def _unread(path: Path | None, from_byte: int) -> str | None:
    """Why a file that seems to have ended cannot be read from a byte on; None where it can, and for what is no file.

    A place that a disk cannot read is an end like any other where it cuts a packet of a transport stream in two; so
    is a disk that was taken away.
    """
    if path is None:
        return None
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        with path.open("rb", buffering=0) as file:
            file.seek(from_byte)
            while file.read(_BLOCK):
                pass
    except OSError as error:
        return reason(error)
    return None


def _telemetry(packet: Any, last_pts_us: int) -> Iterator[Telemetry]:
    """What a data packet holds. Asynchronous KLV has no time of its own: it stands at the picture before it."""
    if packet.size:
        yield Telemetry(last_pts_us if packet.pts is None else _us(packet.pts, packet.time_base), bytes(packet))


def is_paced(container: Any, location: Location) -> bool:
    """Whether it comes at its own pace. A file waits for its reader, on a web server too; nothing else does."""
    stored = location.file is not None or (location.name.lower().startswith("http") and container.duration)
    return not stored


def _break_off(container: Any, reading: Reading, why: str, *, after: int, at: str) -> None:
    """Say why reading ends before the end; for a recording, `after` pictures of which were read, raise SourceError."""
    told = f"{reading.name}: broke off at {at}: {why}"
    reading.counts.note(told)
    if after and not is_paced(container, reading.location):
        raise SourceError(f"{told}; what comes after was not seen: check where it is stored, and copy it again")


def _give_up_device(reading: Reading, at: str) -> None:
    """A stream is opened again and goes on; a recording cannot, from its middle. Raises SourceError for that."""
    reading.decoding.refuse(f"it failed with {_DEVICE_RUN} packets in a row", failed=True)
    if reading.location.file is not None:
        raise SourceError(
            f"{reading.name}: cannot be decoded from {at} on ({reading.decoding.why}): decode it in software"
        )


def _decoded(packet: Any, reading: Reading, near: str) -> list[Any] | None:
    """Frames of a packet; None when it cannot be decoded. That, and one that came damaged, is counted.

    A decoder makes pictures of what is left of a packet, or leaves some out, and does not always say so.
    """
    name, counts = reading.name, reading.counts
    if packet.is_corrupt:
        counts.decode_errors += 1
        counts.note(f"{name}: the stream is damaged near {near}: pictures may be missing or wrong there")
    # A device tells damage by errors of its own.
    damaged = av.error.FFmpegError if reading.decoding.device else _DATA_ERRORS
    try:
        return list(packet.decode())
    except damaged as error:
        counts.decode_errors += 1
        counts.note(f"{name}: a packet near {near} cannot be decoded ({reason(error)})")
        return None
    except av.error.FFmpegError as error:
        raise SourceError(f"{name}: cannot be decoded ({reason(error)}): convert it to H.264 or HEVC") from error


def _lower_first(frame: Any, video: Any, reading: Reading) -> bool:
    """Of a picture of two half pictures, which is said, whether the lower lines are the earlier one."""
    if not frame.interlaced_frame:
        return False
    told = "its pictures are two half pictures each: what moves is taken from the earlier one"
    reading.counts.note(f"{reading.name}: {told}")
    return lower_lines_first(video.codec_context.field_order)


def _pts_us(frame: Any, video: Any, number: int) -> int:
    pts = frame.pts if frame.pts is not None else frame.dts
    if pts is not None:
        return _us(pts, frame.time_base)
    # A stream without any times: its pictures follow each other at its rate.
    return round(number * 1_000_000 / (video.average_rate or Fraction(25)))


def _planes(frame: Any, size: tuple[int, int]) -> Planes | None:
    """Those of a picture of one moment that lies as it is shown, in the size that is wanted; else None."""
    as_shown = (frame.width, frame.height) == size and _laid(frame) == (0, False) and not frame.interlaced_frame
    return Planes.of(frame) if as_shown else None


class Colours:
    """Makes decoded pictures blue-green-red, where somebody wants them.

    One converter for all pictures of a source, of one thread: `VideoFrame.to_ndarray` sets up another for each picture,
    with a thread for each processor, which takes longer than the conversion.
    """

    def __init__(self) -> None:
        self._converter, self._one_at_a_time, self._memory = VideoReformatter(), threading.Lock(), WarmMemory()

    def of(self, frame: Any, size: tuple[int, int], *, lower_first: bool = False) -> Callable[[], Image]:
        """What makes a decoded picture one of a size (width, height), shape (height, width, 3), uint8.

        `lower_first`: see `of_one_moment`, for one of two half pictures.
        """

        # A stream may change its size on the way; the camera model holds for the first one.
        def pixels() -> Image:
            turns, mirrored = _laid(frame)
            width, height = size[::-1] if turns % 2 else size
            with self._one_at_a_time:
                made = self._converter.reformat(frame, width, height, "bgr24", threads=1)
            array = np.asarray(made.to_ndarray(), dtype=np.uint8)
            if frame.interlaced_frame and height == frame.height:
                array = of_one_moment(array, lower_first=lower_first)
            upright = np.rot90(array[:, ::-1] if mirrored else array, turns)
            own: Image = self._memory.array(upright.shape)
            np.copyto(own, upright)  # of the converter, which makes the next one where this one was
            return own

        return pixels


def shown_size(frame: Any, aspect: float, stored: tuple[int, int] | None = None) -> tuple[int, int]:
    """Width and height of a decoded picture as it is shown: of square pixels, and turned as its container says.

    A phone held upright films lying down; the pixels of a DVD or a digital tape are wider than high, and angles would
    be wrong. `aspect` is theirs, see `pixel_aspect`; `stored` are width and height of another picture of its video, as
    they lie in the file.
    """
    width, height = stored or (frame.width, frame.height)
    width = round(width * aspect)
    return (height, width) if _laid(frame)[0] % 2 else (width, height)


def pixel_aspect(video: Any) -> float:
    """Width of a stream's pixels by their height; 1 where it does not tell, or tells what cannot be."""
    aspect = float(video.sample_aspect_ratio or 1)
    likely = _LEAST_ASPECT <= aspect <= 1 / _LEAST_ASPECT and abs(aspect - 1) > _SQUARE
    return aspect if likely else 1.0


def _laid(frame: Any) -> tuple[int, bool]:
    """By how many quarters, against the clock, a picture is to be turned, and whether left and right change before."""
    # Not frame.side_data: with that the frame refers to itself, and its picture stays in memory until Python looks for
    # such circles, which takes it minutes.
    told = _side_data_of(frame).get("DISPLAYMATRIX")
    if told is None:
        return 0, False
    # x' = a x + c y, y' = b x + d y, downwards (ISO/IEC 14496-12, 8.3.2.3); FFmpeg has it in the machine's order.
    a, b, _, c, d = np.frombuffer(bytes(told), np.int32)[:5].tolist()
    mirrored = a * d < b * c
    turn = math.atan2(b, -a) if mirrored else math.atan2(-b, a)
    return round(turn / (math.pi / 2)) % 4, mirrored


def _us(pts: int, time_base: Fraction) -> int:
    return round(pts * time_base * 1_000_000)


def reason(error: BaseException) -> str:
    """What a library says went wrong, in a few words."""
    return getattr(error, "strerror", None) or type(error).__name__
