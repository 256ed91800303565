"""A live stream read at its own pace: a bounded queue that lets the oldest pictures go."""

from __future__ import annotations

import collections
import threading
from collections.abc import Generator, Iterator

from vision.media import Event, Picture, SourceCounts

__all__ = ["LiveQueue"]

_QUEUE_LENGTH = 8
_ITEMS_KEPT = 2_000
_JOIN_S = 11.0  # longer than the network's read timeout, on which the thread may be waiting


class LiveQueue:
    """Reads a live stream in a thread; when its reader is slow the oldest pictures go, and are counted."""

    def __init__(self, events: Iterator[Event], counts: SourceCounts) -> None:
        self._items: collections.deque[Event] = collections.deque()
        self._counts = counts
        self._ready = threading.Condition()
        self._stopped = self._ended = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(events,), name="vedette-live", daemon=True)
        self._thread.start()

    def _run(self, events: Iterator[Event]) -> None:
        try:
            for event in events:
                with self._ready:
                    if self._stopped:
                        return
                    self._items.append(event)
                    if sum(isinstance(item, Picture) for item in self._items) > _QUEUE_LENGTH:
                        oldest = next(i for i, item in enumerate(self._items) if isinstance(item, Picture))
                        del self._items[oldest]
                        self._counts.dropped += 1
                    if len(self._items) > _ITEMS_KEPT:  # telemetry alone, for minutes: nobody reads any more
                        self._items.popleft()
                    self._ready.notify()
        except BaseException as error:  # noqa: BLE001 - handed to the reader, which raises it
            self._error = error
        finally:
            if isinstance(events, Generator):
                events.close()  # here, where nobody reads it any more
            with self._ready:
                self._ended = True
                self._ready.notify()

    def __iter__(self) -> Iterator[Event]:
        while True:
            with self._ready:
                self._ready.wait_for(lambda: self._items or self._ended or self._stopped)
                if self._stopped or not self._items:
                    break
                event = self._items.popleft()
            yield event
        if self._error is not None and not self._stopped:
            raise self._error

    def stop(self) -> None:
        """End the thread; what it has read is let go."""
        with self._ready:
            self._stopped = True
            self._ready.notify()
        self._thread.join(_JOIN_S)
