"""A bounded queue of chosen messages of a link."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Protocol, Self

from autopilot.wire import Message

__all__ = ["Mailbox", "Source"]

_LIMIT = 4096


class Source(Protocol):
    """What a mailbox needs of a link."""

    def check(self) -> None:
        """Raise LinkError where the link is closed or was lost."""

    def listen(
        self, listener: Callable[[Message], None], *, sysid: int | None = None, types: Collection[str] | None = None
    ) -> Callable[[], None]:
        """Call `listener` with each message; returns what ends that."""

    def on_close(self, closer: Callable[[], None]) -> Callable[[], None]:
        """Call `closer` when the link ends; returns what ends that."""


class Mailbox:
    """A bounded queue of chosen messages. Use as a context manager; made by `Link.mailbox`.

    Attributes
    ----------
    dropped
        Messages discarded, oldest first, because nobody fetched them.
    """

    def __init__(self, link: Source, sysid: int | None, types: Collection[str]) -> None:
        self._link = link
        self._queue: deque[Message] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._stop = link.listen(self._put, sysid=sysid, types=types)
        self._forget = link.on_close(self.wake)
        self.dropped = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._forget()

    def _put(self, message: Message) -> None:
        if len(self._queue) >= _LIMIT:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append(message)
        self.wake()

    def wake(self) -> None:
        """Wake whoever waits, to look at the queue and the link again."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def get(self, timeout_s: float) -> Message | None:
        """Next message, or None after `timeout_s` wall seconds.

        Raises
        ------
        LinkError
            When the link is closed or was lost.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while not self._queue:
            self._link.check()
            if loop.time() >= deadline:
                return None
            self._waiter = loop.create_future()
            timer = loop.call_at(deadline, self.wake)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        return self._queue.popleft()
