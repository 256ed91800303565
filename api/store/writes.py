"""One write transaction: the write lock taken at its start, and all of it kept at its end or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.orm import Session, sessionmaker

from api.store.database import Database
from api.store.plain import PlainWriter

__all__ = ["Writes"]


class Writes:
    """Begins write transactions on a database. Whoever does has the store to itself (`Store`).

    Parameters
    ----------
    database
        Where it writes.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.plain = PlainWriter(database)
        self._engine = database.engine.execution_options(**database.writing)
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session in one transaction: committed when the block ends, undone when it raises; raises StorageError."""
        with self.database.in_use(), self.database.anew(self._begun_session) as session:
            yield session
            session.commit()

    def _begun_session(self) -> Session:
        session = self._sessions()
        try:
            session.connection()  # take the write lock now, not at the first statement
        except BaseException:
            session.close()
            raise
        return session

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """As `session`, for work that says its statements itself."""
        with self.database.in_use(), self.database.anew(self._begun_connection) as connection:
            yield connection
            connection.commit()

    def _begun_connection(self) -> Connection:
        connection = self._engine.connect()
        try:
            connection.begin()
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Let go of the connection that is kept for small writes. The database is closed before."""
        self.plain.close()
