"""Answers that are ready: a page that is asked for again while nothing has changed goes out as it is.

A page is kept with the number of the last event before it was read, and with the moment at which time alone would
change it (a delay that passes, a retention or an agreement that ends). Whatever changes what somebody may read appends
an event in the same transaction; so the same number, before that moment, means the same page. Each answer is written
down before it leaves, as any other, and the transaction that does so finds out anew what that rests on: that nothing
has changed, and, where a key asks, that it still stands for whom it stood for.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.routing import BaseRoute
from starlette.types import Scope

from api.errors import AuthenticationError
from api.identity.keys import Proof, authenticate
from api.identity.roles import Call, Principal, Shown
from api.packed import takes_packed
from api.store.direct import Writing, direct
from api.store.engine import Store
from api.trail.audit import Deed, append_deeds
from api.trail.log import last_seq

__all__ = ["Answer", "Key", "Notes", "ReadyAnswers"]

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
    capacity_bytes
        Of all answers and what they are kept under together, about; one that takes more than a quarter of it is not
        kept.
    """

    def __init__(self, *, capacity_bytes: int = 32 << 20) -> None:
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

    def find(self, key: Key, now_us: int) -> Answer | None:
        """The answer that is still true unless something has changed, which `Notes.note` says."""
        answer = self._kept.get(key)
        if answer is None:
            return None
        if answer.shown.until_us <= now_us:
            self.forget(key)
            return None
        self._kept.move_to_end(key)
        return answer

    def keep(self, key: Key, answer: Answer) -> None:
        """Keep an answer for the next who asks the same."""
        size = _size_of(key, answer)
        if size * 4 > self._capacity:
            return
        self.forget(key)
        self._kept[key] = answer
        self._size += size
        while self._size > self._capacity:
            self.forget(next(iter(self._kept)))

    def forget(self, key: Key) -> None:
        """Keep the answer no longer."""
        old = self._kept.pop(key, None)
        if old is not None:
            self._size -= _size_of(key, old)


def _size_of(key: Key, answer: Answer) -> int:
    """What an answer takes in memory; whoever asks chooses how long the question is."""
    _, path, query, accept, _ = key
    named = sum(2 * len(name) + _NAMED_WITH for name in answer.shown.objects)
    return _KEPT_WITH + len(path) + len(query) + len(accept) + named + len(answer.body)


@dataclass(frozen=True, slots=True)
class _Note:
    """One that waits: what is to be written down, if what it rests on still holds."""

    deed: Deed
    stamp: int
    proof: Proof | None
    done: asyncio.Future[bool]


class Notes:
    """Writes down what ready answers show: whoever comes while one batch is on its way to the disk makes up the next.

    Used from one event loop.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[_Note] = []
        self._writer: asyncio.Task[None] | None = None

    async def note(self, call: Call, time_us: int, shown: Shown, proof: Proof | None = None) -> bool:
        """Return when the entry is on the disk; raises StorageError when it cannot be.

        Parameters
        ----------
        call, time_us
            Who is shown it, and when.
        proof
            What the caller's principal was told by, where that has not been looked up for this call.

        Returns
        -------
        bool
            False, and no entry, where something has changed since the answer was read, or `proof` stands for somebody
            else by now, or for nobody. The store is asked in a thread: a database that does not answer keeps nobody
            waiting who asks nothing of it.
        """
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        deed = Deed(call, time_us, shown.action, shown.objects, listed=shown.listed)
        self._waiting.append(_Note(deed, shown.stamp, proof, done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return await done

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                try:
                    written = await run_in_threadpool(self._note, batch)
                except Exception as error:  # noqa: BLE001 - handed to each who waits
                    for note in batch:
                        if not note.done.done():
                            note.done.set_exception(error)
                else:
                    for note, is_written in zip(batch, written, strict=True):
                        if not note.done.done():
                            note.done.set_result(is_written)
        finally:
            self._writer = None

    def _note(self, batch: list[_Note]) -> list[bool]:
        """Write down what is still true; which of them that was.

        Where nothing is, nobody waits for the store to be written to: what changed may be what they may not know of.
        """
        stamp = self._store.stamp()
        if all(note.stamp != stamp for note in batch):
            return [False] * len(batch)
        return self._store.note_together(partial(_written, batch))


def _written(batch: list[_Note], transaction: Writing) -> list[bool]:
    """Write down what is still true; which of them that was."""
    stamp = last_seq(transaction)
    now_us = max(note.deed.time_us for note in batch)  # of the last: a key may have ended since the first came
    stands: dict[tuple[Proof, Principal], bool] = {}
    written = []
    for note in batch:
        who, is_true = note.deed.call.principal, note.stamp == stamp
        if is_true and note.proof is not None:
            if (note.proof, who) not in stands:
                stands[note.proof, who] = _stands_for(transaction, note.proof, who, now_us)
            is_true = stands[note.proof, who]
        written.append(is_true)
    append_deeds(transaction, [note.deed for note, is_true in zip(batch, written, strict=True) if is_true])
    return written


def _stands_for(transaction: Writing, proof: Proof, who: Principal, now_us: int) -> bool:
    try:
        found, _ = authenticate(lambda asked, given: direct(transaction, asked, given).one_or_none(), proof, now_us)
    except AuthenticationError:
        return False
    return found == who
