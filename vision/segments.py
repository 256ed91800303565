"""Packets of a live stream in files of some seconds, untouched, and a stretch of them as one file.

A stream that breaks off and comes back, or whose clock starts anew, begins a new run; no stretch reaches across.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, cast

import av

__all__ = ["WRITE_ERRORS", "Run", "Segment", "SegmentFiles", "join", "stretch"]

WRITE_ERRORS = (av.error.FFmpegError, OSError, ValueError)
"""What writing or reading such a file may raise."""

_TRANSPORT = frozenset({"h264", "hevc", "mpeg2video", "mpeg1video", "mpeg4"})
_RAW = frozenset({"rawvideo", "wrapped_avframe"})
_SEGMENT_US, _RETRY_S = 4_000_000, 5.0
# A clock that does either has started anew: see `vision.timeline`.
_BACK_US, _AHEAD_US = 1_000_000, 10_000_000
_LONGEST_US = 80_000_000_000  # a transport stream counts to 2^33 of 1/90,000 s, which are 26.5 hours
_TICK_S = Fraction(1, 1000)  # of Matroska, the coarsest
_LEAD_US = 1_000_000  # pictures that are shown before the first keyframe must not fall below zero


@dataclass(slots=True, eq=False)
class Run:
    """Packets of one connection on one clock."""

    container: Any
    base_us: int
    """What the times in its files are less than those of its packets, microseconds."""
    last_us: int | None = None

    def ends_before(self, dts_us: int, *, key: bool) -> bool:
        """Whether a picture due then belongs to another run: its clock has started anew, or files cannot tell it."""
        jumped = self.last_us is not None and not -_BACK_US <= dts_us - self.last_us <= _AHEAD_US
        return jumped or (key and dts_us - self.base_us > _LONGEST_US)


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A file that is complete: its run, its span in the stream's own time, whether it begins with a keyframe."""

    path: Path
    run: Run
    first_us: int
    last_us: int
    key: bool
    size: int


@dataclass(slots=True, eq=False)
class _Open:
    path: Path
    run: Run
    output: Any
    video: Any
    data: Any
    key: bool
    first_us: int
    last_us: int
    size: int = 0
    last_dts: dict[int, int] = field(default_factory=dict)

    def write(self, packet: Any) -> None:
        """Write a packet of our own. A time of decoding that does not advance is none for the file; players cope."""
        last = self.last_dts.get(packet.stream.index)
        if last is not None and packet.dts <= last:
            packet.dts = last + max(1, math.ceil(_TICK_S / packet.time_base))
            packet.pts = None if packet.pts is None else max(packet.pts, packet.dts)
        self.last_dts[packet.stream.index] = packet.dts
        self.size += packet.size
        self.output.mux(packet)


class SegmentFiles:
    """Writes the files of one stream and lets the oldest go. For one thread at a time.

    Parameters
    ----------
    folder
        Where they lie.
    keep_s, keep_bytes
        Seconds that are kept, and how large they may grow before the oldest go whatever their age.
    """

    def __init__(self, folder: Path, keep_s: float, keep_bytes: int) -> None:
        self._folder, self._keep_us, self._keep_bytes = folder, keep_s * 1e6, keep_bytes
        self._number, self._retry_s = itertools.count(), 0.0
        self._open: _Open | None = None
        self.run: Run | None = None
        """Of the packets that come now; None between two connections."""
        self.complete: deque[Segment] = deque()
        """In the order in which they came."""
        self.cut = False
        """Set to have the open file completed at the next picture."""

    def open_span_us(self) -> tuple[int, int] | None:
        """First and last time in the file that is being written, on the stream's own clock; None without one."""
        return None if self._open is None else (self._open.first_us, self._open.last_us)

    def add(self, packet: Any, container: Any) -> None:
        """Write a packet, as it was read from a container. Raises `WRITE_ERRORS`; `give_up` then."""
        if packet.stream.type == "video":
            if packet.dts is not None or packet.pts is not None:
                self._add_picture(packet, container)
        elif packet.stream is container.streams.data[0]:  # one stream of telemetry is read
            self._add_telemetry(packet, container)

    def _add_picture(self, packet: Any, container: Any) -> None:
        dts_us = _us(packet, _decoded(packet))
        run = self.run
        if run is None or run.container is not container or run.ends_before(dts_us, key=packet.is_keyframe):
            self.finish()
            if packet.stream.codec_context.name in _RAW:
                raise ValueError("its pictures are not compressed and too many: ask the camera for mjpeg or h264")
            run = self.run = Run(container, dts_us - _LEAD_US)
        run.last_us = dts_us
        file = self._open
        if file is not None:
            # Without keyframes no clip can begin in it, but it must not grow for ever.
            long_us = _SEGMENT_US if packet.is_keyframe else self._keep_us
            if self.cut or dts_us - file.first_us >= long_us or file.size > self._keep_bytes:
                self._complete()
                file = self._begin(run, packet, dts_us)
        if file is None:
            if not packet.is_keyframe or time.monotonic() < self._retry_s:
                return
            file = self._begin(run, packet, dts_us)
        file.write(_copied(packet, file.video, run.base_us))
        file.last_us = max(file.last_us, _us(packet, _shown(packet)))

    def _add_telemetry(self, packet: Any, container: Any) -> None:
        file = self._open
        if file is None or file.data is None or file.run.container is not container:
            return
        if packet.dts is None and packet.pts is None:
            # Asynchronous telemetry has no time of its own: it stands at the picture before it.
            copy: Any = av.Packet(bytes(packet))
            copy.time_base = Fraction(1, 1_000_000)
            copy.pts = copy.dts = file.last_us - file.run.base_us
            copy.stream = file.data
            file.write(copy)
        else:
            file.write(_copied(packet, file.data, file.run.base_us))

    def finish(self) -> None:
        """The connection is over. Raises `WRITE_ERRORS`."""
        self.run = None
        self._complete()

    def give_up(self) -> None:
        """The open file cannot be written: it goes, and another is tried in some seconds."""
        file, self._open = self._open, None
        self.run, self._retry_s = None, time.monotonic() + _RETRY_S
        if file is not None:
            with contextlib.suppress(*WRITE_ERRORS):  # it is what has just failed
                file.output.close()
            file.path.unlink(missing_ok=True)

    def _begin(self, run: Run, packet: Any, dts_us: int) -> _Open:
        form = "mpegts" if packet.stream.codec_context.name in _TRANSPORT else "matroska"
        path = self._folder / f"{next(self._number):08d}.{'ts' if form == 'mpegts' else 'mkv'}"
        output = av.open(str(path), "w", format=form)
        try:
            video = output.add_stream_from_template(packet.stream, opaque=True)  # an encoder need not be here
            data = output.add_data_stream("klv") if form == "mpegts" and run.container.streams.data else None
        except BaseException:
            output.close()
            raise
        self.cut = False
        self._open = _Open(path, run, output, video, data, bool(packet.is_keyframe), dts_us, dts_us)
        return self._open

    def _complete(self) -> None:
        file = self._open
        if file is None:
            return
        file.output.close()
        size = file.path.stat().st_size
        self._open = None
        self.complete.append(Segment(file.path, file.run, file.first_us, file.last_us, file.key, size))
        self._forget()

    def _forget(self) -> None:
        """Let the oldest go. Runs differ in their clocks: what an earlier one holds counts by its length."""
        kept_us = kept_bytes = 0
        for place in range(len(self.complete) - 1, -1, -1):
            if kept_us >= self._keep_us or (kept_bytes and kept_bytes + self.complete[place].size > self._keep_bytes):
                for _ in range(place + 1):
                    self.complete.popleft().path.unlink(missing_ok=True)
                return
            kept_us += self.complete[place].last_us - self.complete[place].first_us
            kept_bytes += self.complete[place].size


def stretch(segments: Sequence[Segment], run: Run, at_us: int, from_us: int, to_us: int) -> list[Segment]:
    """The segments of a run from a keyframe at or before `from_us` to `to_us`; none where they do not hold `at_us`.

    Where the run begins later, or an earlier part of it is gone, they begin with the first keyframe that is left.
    """
    own = [one for one in segments if one.run is run and one.first_us <= to_us]
    keys = [k for k, one in enumerate(own) if one.key]
    early = [k for k in keys if own[k].first_us <= from_us]
    if not keys:
        return []
    wanted = own[early[-1] if early else keys[0] :]
    return wanted if wanted[0].first_us <= at_us <= wanted[-1].last_us else []


def join(readers: Sequence[BinaryIO], path: Path) -> int | None:
    """Copy the packets of segments that follow each other into one file; None where they hold no keyframe.

    Returns
    -------
    int
        Time of its first keyframe in the files, microseconds; `Run.base_us` more on the stream's own clock.

    Raises
    ------
    FFmpegError, OSError, ValueError
        When one cannot be read, or the file cannot be written.
    """
    first_us: int | None = None
    video: Any = None
    data: Any = None
    with av.open(str(path), "w", format="mpegts" if path.suffix == ".ts" else "matroska") as output:
        for reader in readers:
            with cast("Any", av.open(reader)) as container:
                source = container.streams.video[0]
                if video is None:
                    video = output.add_stream_from_template(source, opaque=True)
                    data = output.add_data_stream("klv") if container.streams.data else None
                for packet in container.demux([source, *container.streams.data]):
                    target = video if packet.stream is source else data
                    if not packet.size or packet.dts is None or target is None:
                        continue
                    if first_us is None and target is video and packet.is_keyframe:
                        first_us = _us(packet, _shown(packet))
                    packet.stream = target
                    output.mux(packet)
    return first_us


def _shown(packet: Any) -> int:
    stamp: int = packet.dts if packet.pts is None else packet.pts
    return stamp


def _decoded(packet: Any) -> int:
    # A network stream tells the times at which its first packets are shown, and not yet when they are decoded.
    stamp: int = packet.pts if packet.dts is None else packet.dts
    return stamp


def _us(packet: Any, stamp: int) -> int:
    whole: int = round(stamp * packet.time_base * 1_000_000)
    return whole


def _copied(packet: Any, target: Any, base_us: int) -> Any:
    """A packet of its own for the file, since writing changes it and the decoder still needs the first one."""
    copy: Any = av.Packet(bytes(packet))
    offset = round(base_us / 1_000_000 / packet.time_base)
    copy.time_base, copy.is_keyframe = packet.time_base, packet.is_keyframe
    copy.dts = _decoded(packet) - offset
    copy.pts = None if packet.pts is None else packet.pts - offset
    copy.duration = packet.duration
    copy.stream = target
    return copy
