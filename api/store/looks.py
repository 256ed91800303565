"""Small questions that come with every request, asked past the layers that take ten times as long as the answer."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from sqlalchemy import PoolProxiedConnection, Select

from api.store.database import Database
from api.store.direct import said

__all__ = ["Looks"]

_PATIENCE_S = 0.25
"""How long a question waits for the one before; over a connection that hangs, that one holds nobody else up."""


class Looks:
    """A connection that is kept for small questions; each sees the moment at which it is asked.

    Parameters
    ----------
    database
        Where they are asked.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._connection: PoolProxiedConnection | None = None

    def first(self, statement: Select[*tuple[Any, ...]], **given: Any) -> tuple[Any, ...] | None:
        """The first row of a statement that is built once; None without any.

        Parameters
        ----------
        statement
            Over numbers and texts alone: what a driver gives for them is what is meant.
        given
            Its parameters by name.

        Raises
        ------
        StorageError
            When the database cannot serve, or it is closed.
        """
        if self._lock.acquire(timeout=_PATIENCE_S):
            try:
                self._database.check_open()
                return self._ask(statement, given)
            except Exception:  # noqa: BLE001 - whatever it was, the usual way says it
                self._forget()
            finally:
                self._lock.release()
        reader = self._database.engine.execution_options(**self._database.reading)

        def asked() -> tuple[Any, ...] | None:
            with reader.connect() as connection:
                row = connection.execute(statement, given).first()
            return None if row is None else tuple(row)

        with self._database.in_use():
            return self._database.anew(asked)

    def close(self) -> None:
        """Let go of the connection. The database is closed before: a question would open another."""
        with self._lock:
            self._forget()

    def _ask(self, statement: Select[*tuple[Any, ...]], given: dict[str, Any]) -> tuple[Any, ...] | None:
        if self._connection is None:
            self._connection = self._database.engine.raw_connection()
            self._database.autocommit(self._connection.driver_connection)  # which it no longer tells, once detached
            self._connection.detach()  # this one is never lent to others
        told = said(statement, self._database.engine.dialect)
        cursor = self._connection.cursor()
        try:
            cursor.execute(told.text, told.values(given))
            found = cursor.fetchone()
        finally:
            cursor.close()
        return None if found is None else tuple(found)

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                connection.close()
