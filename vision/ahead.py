"""An iterable that runs ahead in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator
from queue import Empty, Full, Queue
from typing import TypeVar

__all__ = ["ahead"]

T = TypeVar("T")

_POLL_S = 0.1
_JOIN_S = 5.0


class _End:
    """Last in the queue: the iterable ended, or failed with an error."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def ahead(items: Iterable[T], depth: int) -> Generator[T, None, None]:
    """Yield the items of an iterable that runs in a thread, at most `depth` items ahead.

    Nothing is dropped: the thread waits where the reader is slow. An error in the thread is raised here after the items
    before it. Closing the generator ends the thread, and closes the iterable where it can be closed.
    """
    queue: Queue[T | _End] = Queue(max(1, depth))
    stop = threading.Event()
    thread = threading.Thread(target=_run, args=(items, queue, stop), name="ahead", daemon=True)
    thread.start()
    try:
        while True:
            item = queue.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stop.set()
        _drain(queue)
        # A source that waits for its network ends by its own time-out; nobody else has to wait for that.
        thread.join(_JOIN_S)


def _run(items: Iterable[T], queue: Queue[T | _End], stop: threading.Event) -> None:
    iterator: Iterator[T] = iter(items)
    end = _End()
    try:
        for item in iterator:
            if not _put(queue, item, stop):
                break
    except BaseException as error:  # noqa: BLE001 - raised again in the reader's thread
        end = _End(error)
    finally:
        if isinstance(iterator, Generator):
            iterator.close()
    _put(queue, end, stop)


def _put(queue: Queue[T | _End], item: T | _End, stop: threading.Event) -> bool:
    """Wait for room; False when the reader has gone."""
    while not stop.is_set():
        try:
            queue.put(item, timeout=_POLL_S)
        except Full:
            continue
        return True
    return False


def _drain(queue: Queue[T | _End]) -> None:
    """Make room, so that a thread that waits for it sees the stop at once."""
    try:
        while True:
            queue.get_nowait()
    except Empty:
        return
