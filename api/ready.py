"""Answers that are ready: a page that is asked for again while nothing has changed goes out as it is.

A page is kept with the number of the last event before it was read, and with the moment at which time alone would
change it (a delay that passes, a retention or an agreement that ends). Whatever changes what somebody may read appends
an event in the same transaction; so the same number, before that moment, means the same page. Who asks is established
anew each time, and each answer is written down before it leaves, as any other.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.routing import BaseRoute
from starlette.types import Scope

from api.identity.roles import Call, Principal, Shown
from api.packed import takes_packed
from api.store.engine import Store
from api.trail.audit import Deed, append_deeds

__all__ = ["Answer", "Notes", "ReadyAnswers"]

Key = tuple[Principal, bytes, bytes, str, bool]
_KEPT_WITH = 1000
"""Bytes that an answer takes in memory beside its texts, about: objects, headers, its place."""
_NAMED_WITH = 60
"""Bytes that the name of one that was shown takes beside its text, about. That is kept twice: in the list too that the
audit gets (`Shown.listed`)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer as it left: raw headers and body, what it showed, and the route that it is of."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    shown: Shown
    route: BaseRoute


class ReadyAnswers:
    """Pages by who asked and what for; the one used longest ago is forgotten.

    Parameters
    ----------
    store
        Tells whether anything changed.
    capacity_bytes
        Of all answers and what they are kept under together, about; one that takes more than a quarter of it is not
        kept.
    """

    def __init__(self, store: Store, *, capacity_bytes: int = 32 << 20) -> None:
        self._store = store
        self._capacity = capacity_bytes
        self._kept: OrderedDict[Key, Answer] = OrderedDict()
        self._size = 0

    def key(self, scope: Scope, principal: Principal) -> Key | None:
        """What an answer to this request would be kept under; None where none is."""
        if scope["method"] != "GET":
            return None
        headers = Headers(scope=scope)
        accept = ",".join(headers.getlist("accept"))
        return principal, scope["path"].encode(), scope["query_string"], accept, takes_packed(headers)

    def find(self, key: Key) -> Answer | None:
        """The answer that is still true unless something has changed, which `Notes.note` says."""
        answer = self._kept.get(key)
        if answer is None:
            return None
        if answer.shown.until_us <= self._store.clock():
            self._forget(key)
            return None
        self._kept.move_to_end(key)
        return answer

    def keep(self, key: Key, answer: Answer) -> None:
        """Keep an answer for the next who asks the same."""
        size = _size_of(key, answer)
        if size * 4 > self._capacity:
            return
        self._forget(key)
        self._kept[key] = answer
        self._size += size
        while self._size > self._capacity:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: Key) -> None:
        old = self._kept.pop(key, None)
        if old is not None:
            self._size -= _size_of(key, old)


def _size_of(key: Key, answer: Answer) -> int:
    """What an answer takes in memory; whoever asks chooses how long the question is."""
    _, path, query, accept, _ = key
    named = sum(2 * len(name) + _NAMED_WITH for name in answer.shown.objects)
    return _KEPT_WITH + len(path) + len(query) + len(accept) + named + len(answer.body)


class Notes:
    """Writes down what ready answers show: whoever comes while one batch is on its way to the disk makes up the next.

    Used from one event loop.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[Deed, int, asyncio.Future[bool]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def note(self, call: Call, shown: Shown) -> bool:
        """Return when the entry is on the disk; raises StorageError when it cannot be.

        False, and no entry, where something has changed since the answer was read. The store is asked in a thread: a
        database that does not answer keeps nobody waiting who asks nothing of it.
        """
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        deed = Deed(call, self._store.clock(), shown.action, shown.objects, listed=shown.listed)
        self._waiting.append((deed, shown.stamp, done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return await done

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                try:
                    stamp = await run_in_threadpool(self._append, [(deed, stamp) for deed, stamp, _ in batch])
                except Exception as error:  # noqa: BLE001 - handed to each who waits
                    for _, _, done in batch:
                        if not done.done():
                            done.set_exception(error)
                else:
                    for _, was, done in batch:
                        if not done.done():
                            done.set_result(was == stamp)
        finally:
            self._writer = None

    def _append(self, batch: list[tuple[Deed, int]]) -> int:
        """Write down what is still true; the number of the last event by which that was judged."""
        stamp = self._store.stamp()
        deeds = [deed for deed, was in batch if was == stamp]
        if deeds:
            self._store.note_together(lambda connection: append_deeds(connection, deeds))
        return stamp
