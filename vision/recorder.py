"""The last minutes of a live stream as it came, on disk: what clips of it are cut out of.

A live stream is gone when it has been looked at, and a crossing is decided seconds after it happened. So its packets
are written down as they arrive, and the oldest go when they are older than anybody asks for. Nothing else is kept of a
stream: less could not show what led to a crossing, more would be a record of people who did nothing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TextIO

from vision.errors import EvidenceError
from vision.media import Event, Picture, SourceCounts
from vision.segments import WRITE_ERRORS, Run, Segment, SegmentFiles, join, stretch
from vision.timeline import Timeline

__all__ = ["Recorder", "Recording"]

_PATIENCE_S = 20.0
_PREFIX, _HELD = ".vedette-live-", "held"
_NEAR_US = 5_000_000  # a slow reader is handed a picture every few seconds
_UNSEEN = 2_000  # pictures that were read and not yet handed on; those that are skipped or dropped among them


@dataclass(frozen=True, slots=True)
class Recording:
    """A stretch of a live stream as a file.

    Parameters
    ----------
    path
        The file; it is gone when the ``with`` that gave it ends.
    start_us
        Time of its first picture, microseconds UTC on the clock of the stream's frames.
    """

    path: Path
    start_us: int


@dataclass(frozen=True, slots=True)
class _Stamp:
    """A frame that was handed on: its run, its time on the stream's own clock, and when it was exposed."""

    run: Run
    own_us: int
    time_us: int


class Recorder:
    """Keeps the last minutes of one live stream; `open_source` is given it.

    What goes wrong in it (a full disk) is noted in the source's counts, costs the clips of that time, and never stops
    the stream.

    Parameters
    ----------
    folder
        Where its files lie, in a folder of their own that `close` removes; what a process that was killed has left
        there goes as well. None: the system's for temporary files.
    keep_s
        Seconds of the stream that are kept.
    keep_bytes
        How large they may grow before the oldest go, whatever their age.
    patience_s
        How long a recording may wait for its last pictures, seconds beyond those it asks for.

    Raises
    ------
    EvidenceError
        When the folder cannot be made.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        keep_s: float = 120.0,
        keep_bytes: int = 2 << 30,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        place = Path(tempfile.gettempdir() if folder is None else folder)
        try:
            place.mkdir(parents=True, exist_ok=True)
            _remove_left(place)
            self.folder, self._held = _new_folder(place)
        except OSError as error:
            raise EvidenceError(f"{place}: cannot be written to ({error.strerror}): check it") from error
        self.keep_s, self._patience_s = keep_s, patience_s
        self._change = threading.Condition()
        self._files = SegmentFiles(self.folder, keep_s, keep_bytes)
        self._laid: deque[tuple[int, int, Run]] = deque(maxlen=_UNSEEN)
        self._stamps: deque[_Stamp] = deque()
        self._name, self._counts = "", SourceCounts()
        self._attached = self._ended = False
        self._trouble: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it and remove what it kept."""
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._held.close()

    # -- by the thread that reads the stream --------------------------------------------------------------------------

    def attach(self, name: str, counts: SourceCounts) -> None:
        """Begin to serve a stream. Raises `EvidenceError` where it has served one already."""
        with self._change:
            if self._attached:
                raise EvidenceError(f"{name}: its recorder keeps {self._name} already: give each stream its own")
            self._attached, self._name, self._counts = True, name, counts

    def add(self, packet: Any, container: Any) -> None:
        """Keep a packet, as it was read from a container."""
        if not packet.size:
            return
        with self._change:
            if not self._ended:
                before = len(self._files.complete)
                self._guarded(lambda: self._files.add(packet, container))
                if len(self._files.complete) != before:
                    self._change.notify_all()

    def pause(self) -> None:
        """The connection is over; another one may follow."""
        with self._change:
            self._guarded(self._files.finish)
            self._change.notify_all()

    def follow(self, events: Iterable[Event], timeline: Timeline) -> Generator[Event, None, None]:
        """The events of a stream as its timeline laid them, watched on their way."""
        try:
            for event in events:
                if isinstance(event, Picture):
                    with self._change:
                        if self._files.run is not None:
                            self._laid.append((event.pts_us, event.pts_us - timeline.shift_us, self._files.run))
                yield event
        finally:
            if isinstance(events, Generator):
                events.close()
            self.end()

    def end(self) -> None:
        """The stream is over, and nobody need wait for more of it."""
        with self._change:
            self._guarded(self._files.finish)
            self._ended = True
            self._change.notify_all()

    def _guarded(self, write: Any) -> None:
        """Write; what fails is said, and nothing else comes of it."""
        try:
            write()
        except WRITE_ERRORS as error:
            self._files.give_up()
            self._trouble = f"{getattr(error, 'strerror', None) or error}"
            advice = f": check the disk of {self.folder.parent}" if isinstance(error, OSError) else ""
            self._counts.note(f"{self._name}: is not being kept for clips ({self._trouble}){advice}")
            self._change.notify_all()

    # -- by whoever takes the frames ----------------------------------------------------------------------------------

    def stamp(self, laid_us: int, time_us: int) -> None:
        """A picture at a time of the source's clock was handed on as exposed at `time_us`, microseconds UTC."""
        with self._change:
            while self._laid and self._laid[0][0] <= laid_us:
                at_us, own_us, run = self._laid.popleft()
                if at_us == laid_us:
                    self._stamps.append(_Stamp(run, own_us, time_us))
            while self._stamps and time_us - self._stamps[0].time_us > self.keep_s * 1e6:
                self._stamps.popleft()

    # -- by whoever keeps evidence ------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def recording(self, time_us: int, before_s: float, after_s: float) -> Iterator[Recording]:
        """The stream around a time as a file, from the keyframe before it on.

        Waits for pictures that are still to come, as long as the stream goes on.

        Parameters
        ----------
        time_us
            Time of a frame that was handed on, microseconds UTC.
        before_s, after_s
            Seconds wanted before and after it; there are fewer where the stream began or broke off.

        Raises
        ------
        EvidenceError
            When that time is no longer kept, or was not, and why.
        """
        with contextlib.ExitStack() as opened:
            with self._change:
                stamp = self._nearest(time_us)
                files = self._await(stamp, round(before_s * 1e6), round(after_s * 1e6))
                # Opened while they are there for certain: the oldest may go any time.
                readers = [opened.enter_context(one.path.open("rb")) for one in files]
            try:
                place = opened.enter_context(tempfile.TemporaryDirectory(dir=self.folder))
                path = Path(place) / f"recording{files[0].path.suffix}"
                first_us = join(readers, path)
            except WRITE_ERRORS as error:
                why = getattr(error, "strerror", None) or error
                raise EvidenceError(f"{self._name}: what was kept of it cannot be put together ({why})") from error
            if first_us is None:
                raise EvidenceError(f"{self._name}: what was kept of it has no keyframe to start from")
            yield Recording(path, stamp.time_us + first_us + stamp.run.base_us - stamp.own_us)

    def _nearest(self, time_us: int) -> _Stamp:
        nearest = min(self._stamps, key=lambda one: abs(one.time_us - time_us), default=None)
        if nearest is None or abs(nearest.time_us - time_us) > _NEAR_US:
            raise EvidenceError(f"{self._name}: nothing is kept of the stream at that time: {self._why_nothing()}")
        return nearest

    def _await(self, stamp: _Stamp, before_us: int, after_us: int) -> list[Segment]:
        """The files that hold a stretch, once they are complete as far as it goes; within the lock, let go to wait."""
        deadline, until_us = time.monotonic() + after_us / 1e6 + self._patience_s, stamp.own_us + after_us
        while not self._ended and self._files.run is stamp.run:
            span = self._files.open_span_us()
            left_s = deadline - time.monotonic()
            if span is None or span[0] > until_us or left_s <= 0:
                break
            self._files.cut = self._files.cut or span[1] >= until_us
            self._change.wait(min(left_s, 0.2))
        files = stretch(self._files.complete, stamp.run, stamp.own_us, stamp.own_us - before_us, until_us)
        if not files:
            raise EvidenceError(f"{self._name}: nothing is kept of the stream at that time: {self._why_nothing()}")
        return files

    def _why_nothing(self) -> str:
        return f"it could not be written ({self._trouble})" if self._trouble else f"the last {self.keep_s:g} s are"


def _new_folder(place: Path) -> tuple[Path, TextIO]:
    """A folder for one recorder, and the file whose lock shows that it is in use; it appears with the lock held."""
    made = Path(tempfile.mkdtemp(dir=place, prefix=".new"))
    try:
        held = (made / _HELD).open("w", encoding="ascii")
        _lock(held)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return made.rename(made.with_name(_PREFIX + made.name.removeprefix(".new"))), held


def _remove_left(place: Path) -> None:
    """Remove what recorders left whose process is gone: nobody else would, and it shows people."""
    for left in place.glob(f"{_PREFIX}*"):
        try:
            with (left / _HELD).open("r+", encoding="ascii") as held:
                _lock(held)
                shutil.rmtree(left)
        except OSError:
            continue  # somebody's, who is at work or has just removed it


def _lock(held: TextIO) -> None:
    """Hold a file against other processes; raises OSError where another does. On Windows nothing is held or removed."""
    try:
        import fcntl  # noqa: PLC0415 - as above
    except ImportError:
        if "r" in held.mode:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from None
        return
    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
