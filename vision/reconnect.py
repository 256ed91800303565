"""A live stream that breaks off is opened again, later and later, and its times go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from random import SystemRandom

from vision.errors import SourceError
from vision.media import Connection, Event, SourceCounts
from vision.timeline import Timeline

__all__ = ["BackOff", "Reconnecting"]


@dataclass(frozen=True, slots=True)
class BackOff:
    """When a stream is tried again.

    Parameters
    ----------
    first_s, most_s
        The first and the longest wait, seconds; each is twice the one before it.
    give_up_s
        How long the stream may be away before nobody waits any more; 0 never opens it again.
    """

    first_s: float = 0.5
    most_s: float = 15.0
    give_up_s: float = 60.0

    def wait_s(self, attempt: int) -> float:
        """Before an attempt, from 0 on. Drawn from the upper half, so that cameras do not all come back at once."""
        longest = min(self.most_s, self.first_s * 2.0 ** min(attempt, 30))
        return longest * SystemRandom().uniform(0.5, 1.0)


class Reconnecting:
    """Events of a live stream and of those that follow it under the same address, on one clock.

    Parameters
    ----------
    first
        The stream as it was opened.
    connect
        Opens it again, or raises SourceError.
    timeline
        Lays the times of all on one clock.
    name, counts
        For messages, and where what happened is counted.
    back_off
        When to try again.
    """

    def __init__(
        self,
        first: Connection,
        connect: Callable[[], Connection],
        *,
        timeline: Timeline,
        name: str,
        counts: SourceCounts,
        back_off: BackOff,
    ) -> None:
        self._first, self._connect, self._timeline = first, connect, timeline
        self._name, self._counts, self._back_off = name, counts, back_off
        self._stopped = threading.Event()

    def events(self) -> Generator[Event, None, None]:
        """All there is, until `stop` is called or the stream stays away. Closing it closes the stream."""
        connection: Connection | None = self._first
        while connection is not None:
            try:
                yield from self._timeline.lay(connection.events)
            finally:
                connection.close()
            connection = self._again()

    def stop(self) -> None:
        """Wait for it no longer. From any thread."""
        self._stopped.set()

    def _again(self) -> Connection | None:
        """The stream, opened again; None when it stays away or nobody wants it."""
        gone_s, attempt, why = time.monotonic(), 0, ""
        while not self._stopped.is_set():
            left_s = self._back_off.give_up_s - (time.monotonic() - gone_s)
            if left_s <= 0:
                if why:
                    self._counts.note(
                        f"{self._name}: broke off, and did not come back in {self._back_off.give_up_s:g} s ({why})"
                    )
                return None
            if self._stopped.wait(min(self._back_off.wait_s(attempt), left_s)):
                return None
            try:
                connection = self._connect()
            except SourceError as error:
                attempt, why = attempt + 1, str(error)
                continue
            self._counts.reconnects += 1
            self._counts.note(
                f"{self._name}: broke off, and was opened again after {time.monotonic() - gone_s:.1f} s: that time was "
                "not seen"
            )
            self._timeline.resume(connection.first_us, connection.wall_clock_us)
            return connection
        return None
