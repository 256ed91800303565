"""Small writes past the layers that take longer than the write: a connection that is kept, and the statements on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy import PoolProxiedConnection
from sqlalchemy.engine import Dialect

from api.store.database import Database

__all__ = ["Plain", "PlainWriter"]

_T = TypeVar("_T")


class Plain:
    """A driver's cursor in a transaction, as far as `api.store.direct` needs a connection.

    Parameters
    ----------
    cursor, dialect
        Of the driver, and of SQLAlchemy for it.
    """

    def __init__(self, cursor: Any, dialect: Dialect) -> None:
        self.dialect = dialect
        self._cursor = cursor

    def exec_driver_sql(self, text: str, values: Any = ()) -> Plain:
        """Execute one statement for one row of values."""
        self._cursor.execute(text, values)
        return self

    def one_or_none(self) -> tuple[Any, ...] | None:
        """The first row of the last statement, the only one that there is."""
        found: tuple[Any, ...] | None = self._cursor.fetchone()
        return found

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._cursor)


class PlainWriter:
    """A connection to SQLite for small writes, one after another. Whoever writes has the store to itself (`Store`).

    Parameters
    ----------
    database
        Where it writes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._connection: PoolProxiedConnection | None = None
        self._driver: Any = None

    def do(self, work: Callable[[Plain], _T]) -> _T:
        """What `work` returns, once what it did is on the disk.

        Raises
        ------
        StorageError
            When the database cannot serve, or it is closed; nothing of `work` is kept then, nor when that raises.
        """
        with self._lock, self._database.as_storage_error():
            self._database.check_open()
            if self._connection is None:
                self._connection = self._database.engine.raw_connection()
                self._driver = self._connection.driver_connection  # which it no longer tells, once detached
                self._connection.detach()  # this one is never lent to others
            cursor = self._driver.cursor()
            try:
                cursor.execute("BEGIN IMMEDIATE")
                value = work(Plain(cursor, self._database.engine.dialect))
                cursor.execute("COMMIT")
            except BaseException:
                self._forget()  # undoes what was not committed
                raise
            finally:
                with suppress(Exception):
                    cursor.close()
            return value

    def close(self) -> None:
        """Let go of the connection, once what is being written is. The database is closed before."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        connection, self._connection, self._driver = self._connection, None, None
        if connection is not None:
            with suppress(Exception):
                connection.close()
