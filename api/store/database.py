"""What the store needs of a database, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from api.errors import StorageError

__all__ = ["WRITES", "Database"]

_T = TypeVar("_T")
WRITES = "vedette_write"
"""Execution option of a connection whose transaction writes: it takes the write lock as it begins."""

# What a database says when it cannot serve; a broken constraint or a wrong statement is an error of ours.
_CANNOT_SERVE = {DatabaseError, OperationalError, InterfaceError, InternalError}


@dataclass(eq=False, slots=True)
class Database:
    """An engine, and what differs from one to the other; it ends once.

    Parameters
    ----------
    place
        Where it is, for a person; without passwords.
    engine
        Its pool of connections.
    reading, writing
        Execution options of transactions that read from one snapshot, and of those that write.
    autocommit
        Makes a driver's connection see each statement's own moment.
    end_reading
        Ends the transaction of a session that read, where it is not simply broken off.
    """

    place: str
    engine: Engine
    reading: Mapping[str, Any]
    writing: Mapping[str, Any]
    autocommit: Callable[[Any], None]
    end_reading: Callable[[Session], None] = lambda _session: None
    _closed: bool = field(default=False, init=False)

    @property
    def is_embedded(self) -> bool:
        """Whether it is a file of this machine."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Ask it something; raises StorageError for what it cannot do now, and for everything once it is closed.

        What had begun before it was closed ends well, and lets go of its connection then.
        """
        self.check_open()
        try:
            with self.as_storage_error():
                yield
        finally:
            if self._closed:  # who closed it could not reach the connection of this block
                self.engine.pool.dispose()

    def anew(self, work: Callable[[], _T]) -> _T:
        """What `work` gives, which keeps nothing; asked once more where its connection turned out to be gone.

        A way to a database can end without a sign: whoever is the first to use it again hears of it, and the pool opens
        others after that.
        """
        try:
            return work()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return work()

    def check_open(self) -> None:
        """Raise StorageError once it is closed: nobody would close the connection that is opened after that."""
        if self._closed:
            raise StorageError("the store is closed: open it again to ask it anything")

    def close(self) -> None:
        """Let go of the connections that nobody uses; the others go as their use ends."""
        self._closed = True
        self.engine.pool.dispose()  # not that of the engine: it would begin a new pool, and lose sight of those in use

    @contextmanager
    def as_storage_error(self) -> Iterator[None]:
        """Raise StorageError for what the database cannot do now."""
        try:
            yield
        except PoolTimeoutError as error:
            raise StorageError(f"store {self.place} is too busy: no connection came free; ask again later") from error
        except (DatabaseError, InterfaceError) as error:
            if type(error) not in _CANNOT_SERVE:
                raise
            raise self._cannot_serve(error.orig) from error
        except self.engine.dialect.loaded_dbapi.Error as error:  # of whoever asks the driver itself
            if type(error).__name__ not in {each.__name__ for each in _CANNOT_SERVE}:
                raise
            raise self._cannot_serve(error) from error

    def _cannot_serve(self, error: object) -> StorageError:
        told = " ".join(str(error).split())
        return StorageError(f"store {self.place} cannot serve: {told}; check disk space and other users")
