"""Writes that come at the same time share a commit.

While one commit waits for the disk, whoever comes queues up; the next commit takes them all, in the order in which they
came. Each has a savepoint where it is not alone: one that raises undoes itself, and the others stand.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.orm import sessionmaker

from api.errors import StorageError
from api.store.plain import Plain
from api.store.turns import Turns
from api.store.writes import Writes

__all__ = ["Together"]

_T = TypeVar("_T")


@dataclass(eq=False, slots=True)
class _Waiting:
    """Work that waits for the next shared commit."""

    work: Callable[[Any], Any]
    bare: bool = False
    """Whether it takes a connection in place of a session."""
    quiet: bool = False
    """Whether it appends to the audit alone."""
    called: threading.Event = field(default_factory=threading.Event)
    """Set when it is done, or when it is this one's turn to commit for all that wait."""
    done: bool = False
    value: Any = None
    error: Exception | None = None


class Together:
    """The queue of those who wait for the next shared commit.

    Parameters
    ----------
    writing
        The lock of whoever writes in this process.
    writes
        Begins the transactions.
    changed
        Called after each commit that changed more than the audit.
    """

    def __init__(self, writing: Turns, writes: Writes, changed: Callable[[], None]) -> None:
        self._writing, self._writes, self._changed = writing, writes, changed
        self._member = sessionmaker(expire_on_commit=False, join_transaction_mode="create_savepoint")
        self._queueing = threading.Lock()
        self._queue: list[_Waiting] = []
        self._led = False  # somebody commits for those in the queue, or was called to

    def __len__(self) -> int:
        """How many wait for the next commit."""
        return len(self._queue)

    def do(self, work: Callable[[Any], _T], *, bare: bool = False, quiet: bool = False) -> _T:
        """What `work` returns, when it is on the disk; raises what it or the commit raises.

        Parameters
        ----------
        work
            Done in a session, or in a connection where it is `bare`; maybe in the thread of another member.
        bare, quiet
            As `_Waiting` has them.
        """
        mine = _Waiting(work, bare=bare, quiet=quiet)
        with self._queueing:
            self._queue.append(mine)
            leads, self._led = not self._led, True
        if not leads:
            mine.called.wait()
        if not mine.done:
            self._lead()
        if mine.error is not None:
            raise mine.error
        value: _T = mine.value
        return value

    def _lead(self) -> None:
        """Commit for all that wait, then call the first of those who came meanwhile to do the same."""
        batch: list[_Waiting] = []
        try:
            with self._writing:
                with self._queueing:
                    batch, self._queue = self._queue, []
                self._commit(batch)
        finally:
            with self._queueing:
                successor = self._queue[0] if self._queue else None
                self._led = successor is not None
            if successor is not None:
                successor.called.set()
            for waiting in batch:
                if not waiting.done:  # the thread itself was broken off
                    waiting.done, waiting.error = True, StorageError("the write was broken off: send it again")
                waiting.called.set()

    def _commit(self, batch: list[_Waiting]) -> None:
        try:
            alone, bare = len(batch) == 1, all(waiting.bare for waiting in batch)  # who is alone needs no savepoint
            if bare and self._writes.database.is_embedded:
                self._writes.plain.do(lambda plain: _do(batch[0], plain) if alone else self._join_plain(plain, batch))
            elif alone:
                with self._writes.connection() if bare else self._writes.session() as begun:
                    _do(batch[0], begun)
            else:
                with self._writes.connection() as connection:
                    for waiting in batch:
                        self._join(connection, waiting)
            if not all(waiting.quiet for waiting in batch):
                self._changed()
        except Exception as error:  # noqa: BLE001 - handed to each member, who raises it
            for waiting in batch:
                waiting.error = waiting.error or error
        for waiting in batch:
            waiting.done = True

    def _join(self, connection: Connection, waiting: _Waiting) -> None:
        """Do one member's work. Raises where it cannot be undone alone: the database has broken off the whole."""
        if waiting.bare:
            savepoint = connection.begin_nested()
            try:
                with self._writes.database.as_storage_error():
                    waiting.value = waiting.work(connection)
                    savepoint.commit()
            except Exception as error:  # noqa: BLE001 - handed to the member, who raises it
                waiting.error = error
                savepoint.rollback()
            return
        with self._member(bind=connection) as session:
            try:
                with self._writes.database.as_storage_error():
                    waiting.value = waiting.work(session)
                    session.commit()  # of the savepoint
            except Exception as error:  # noqa: BLE001 - handed to the member, who raises it
                waiting.error = error
                session.rollback()

    def _join_plain(self, plain: Plain, batch: list[_Waiting]) -> None:
        """As `_join`, for all of a batch that is bare."""
        for waiting in batch:
            plain.exec_driver_sql("SAVEPOINT member")
            try:
                with self._writes.database.as_storage_error():
                    _do(waiting, plain)
            except Exception as error:  # noqa: BLE001 - handed to the member, who raises it
                waiting.error = error
                plain.exec_driver_sql("ROLLBACK TO member")
            plain.exec_driver_sql("RELEASE member")


def _do(waiting: _Waiting, transaction: Any) -> None:
    waiting.value = waiting.work(transaction)
