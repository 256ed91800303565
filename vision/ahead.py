"""Iterables that run ahead, each in a thread of its own, and are read in turns."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Generic, Self, TypeVar

__all__ = ["Ended", "Lanes"]

T = TypeVar("T")

_JOIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Ended:
    """Last of a lane: its iterable ended, or failed with an error."""

    error: BaseException | None = None


@dataclass(slots=True, eq=False)
class _Lane(Generic[T]):
    depth: int
    items: deque[T | Ended] = field(default_factory=deque)
    over: bool = False
    """Whether its end was taken, or nobody wants it any more."""


class Lanes(Generic[T]):
    """Iterables that each run in a thread, at most a depth ahead of the reader, and are read in turns.

    Nothing is dropped: a thread waits where the reader is slow. Turns are fair: between the time at which a lane has an
    item and the time at which that is taken, no other lane is served twice.

    Parameters
    ----------
    iterables
        What to read.
    depths
        Items that each may be ahead, 1 at least.
    """

    def __init__(self, iterables: Sequence[Iterable[T]], depths: Sequence[int]) -> None:
        self._change = threading.Condition()
        self._lanes: list[_Lane[T]] = [_Lane(max(1, depth)) for depth in depths]
        self._turn = 0
        self._threads = [
            threading.Thread(target=self._run, args=(items, lane), name="ahead", daemon=True)
            for items, lane in zip(iterables, self._lanes, strict=True)
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def running(self) -> int:
        """Number of lanes of which more may come."""
        with self._change:
            return sum(not lane.over for lane in self._lanes)

    def take(self, most: int, *, wait: bool = True, longest_s: float | None = None) -> list[tuple[int, T | Ended]]:
        """What there is, `most` at most, each with the number of its lane; waits for the first unless told not to.

        The end of a lane is one of the things that are taken. Empty when all lanes are over, or nothing is there, also
        after `longest_s` seconds.
        """
        with self._change:
            if wait:
                self._change.wait_for(
                    lambda: any(x.items for x in self._lanes) or all(x.over for x in self._lanes), longest_s
                )
            taken: list[tuple[int, T | Ended]] = []
            while len(taken) < most and (number := self._next()) is not None:
                lane = self._lanes[number]
                item = lane.items.popleft()
                lane.over = isinstance(item, Ended)
                taken.append((number, item))
                self._turn = number + 1
            self._change.notify_all()
            return taken

    def _next(self) -> int | None:
        """The lane whose turn it is of those that have something."""
        count = len(self._lanes)
        order = ((self._turn + step) % count for step in range(count))
        return next((number for number in order if self._lanes[number].items), None)

    def stop(self, number: int) -> None:
        """Let go of a lane: nothing more comes from it, and its thread ends."""
        with self._change:
            lane = self._lanes[number]
            lane.over = True
            lane.items.clear()
            self._change.notify_all()

    def close(self) -> None:
        """Let go of all lanes and wait for their threads."""
        for number in range(len(self._lanes)):
            self.stop(number)
        # A source that waits for its network ends by its own time-out; nobody else has to wait for that.
        deadline = time.monotonic() + _JOIN_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self, items: Iterable[T], lane: _Lane[T]) -> None:
        end = Ended()
        try:
            iterator: Iterator[T] = iter(items)
            try:
                for item in iterator:
                    if not self._put(lane, item):
                        break
            finally:
                if isinstance(iterator, Generator):
                    iterator.close()
        except BaseException as error:  # noqa: BLE001 - handed to the reader
            end = Ended(error)
        self._put(lane, end)

    def _put(self, lane: _Lane[T], item: T | Ended) -> bool:
        """Wait for room; False when nobody wants it any more."""
        with self._change:
            self._change.wait_for(lambda: lane.over or len(lane.items) < lane.depth)
            if lane.over:
                return False
            lane.items.append(item)
            self._change.notify_all()
            return True
