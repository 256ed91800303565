"""The store: one SQLite file in WAL mode and a folder of objects.

Readers see a snapshot and never wait. Writers queue here, then take SQLite's write lock at the start of their
transaction (BEGIN IMMEDIATE), so that what a writer has read is still so when it writes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, func, select, text
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from api.errors import StorageError
from api.store.boxes import BOX_DDL
from api.store.objects import open_objects
from api.store.tables import Base, EventRow
from api.times import now_us

__all__ = ["SCHEMA_VERSION", "Store"]

SCHEMA_VERSION = 3
_LAST_EVENT = select(func.max(EventRow.seq))
_WRITE = {"vedette_write": True}
# Rows that a record of who did what stands on: the database itself refuses to change or remove them.
_APPEND_ONLY = ("audit", "event", "review", "tombstone")
# Erasure empties these, and may change nothing else.
_ERASABLE = {"review": ("reason",)}


@dataclass(slots=True)
class _Waiting:
    """Work that waits for the next shared commit."""

    work: Callable[[Session], None]
    done: bool = False
    error: Exception | None = None


class Store:
    """Everything that the service keeps.

    Parameters
    ----------
    directory
        Folder that holds `vedette.sqlite` and `objects/`; made when absent, for its owner alone.
    busy_timeout_s
        How long a writer waits for a write of another process.
    clock
        UTC microseconds since the Unix epoch; for tests.
    objects
        URL of a store that fsspec reaches, for the objects; None keeps them in the folder.

    Raises
    ------
    StorageError
        When the folder or file cannot be made or opened, or is of another schema version.
    """

    def __init__(
        self,
        directory: Path,
        *,
        busy_timeout_s: float = 10.0,
        clock: Callable[[], int] = now_us,
        objects: str | None = None,
    ) -> None:
        self.directory = directory
        self.clock = clock
        self._writing = threading.Lock()
        self._queueing = threading.Lock()
        self._queue: list[_Waiting] = []
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StorageError(f"store folder {directory} cannot be made: {error.strerror}; choose another") from error
        self.objects = open_objects(objects, directory)
        self._engine = create_engine(
            f"sqlite:///{directory / 'vedette.sqlite'}",
            connect_args={"timeout": busy_timeout_s, "check_same_thread": False},
            pool_size=20,
            max_overflow=40,
        )
        event.listen(self._engine, "connect", _on_connect)
        event.listen(self._engine, "begin", _on_begin)
        self._reader = sessionmaker(self._engine, expire_on_commit=False)
        self._writer = sessionmaker(self._engine.execution_options(**_WRITE), expire_on_commit=False)
        try:
            self._prepare()
        except BaseException:
            self._engine.dispose()
            raise

    def _prepare(self) -> None:
        with self.write() as session:
            version = session.execute(text("PRAGMA user_version")).scalar_one()
            if version == 0:
                Base.metadata.create_all(session.connection())
                for statement in BOX_DDL:
                    session.execute(text(statement))
                for table in _APPEND_ONLY:
                    for verb in ("UPDATE", "DELETE"):
                        session.execute(
                            text(
                                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                                f"{_unless_erased(table) if verb == 'UPDATE' else ''} "
                                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                            )
                        )
                session.execute(text(f"PRAGMA user_version = {SCHEMA_VERSION}"))
            elif version != SCHEMA_VERSION:
                raise StorageError(
                    f"store {self.directory} has schema {version}, this program needs {SCHEMA_VERSION}: "
                    "use the program that made it"
                )

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session over one snapshot; nothing that it does is kept."""
        with _as_storage_error(self.directory), self._reader() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session in one write transaction: committed when the block ends, undone when it raises.

        Raises
        ------
        StorageError
            When the database is locked for longer than the busy timeout, full, or broken.
        """
        with self._writing, self._transaction() as session:
            yield session

    def write_together(self, work: Callable[[Session], None]) -> None:
        """Do `work` in a write transaction that it may share with others who wait at the same time.

        While one commit waits for the disk, whoever comes queues up; the next commit takes them all. For small appends
        that cannot fail by themselves: they stand or fall together.

        Raises
        ------
        StorageError
            As `write` does; then nothing of the shared transaction is kept, and each of its members hears of it.
        """
        mine = _Waiting(work)
        with self._queueing:
            self._queue.append(mine)
        with self._writing:
            if not mine.done:
                with self._queueing:
                    batch, self._queue = self._queue, []
                self._commit(batch)
        if mine.error is not None:
            raise mine.error

    def _commit(self, batch: list[_Waiting]) -> None:
        error: Exception | None = None
        try:
            with self._transaction() as session:
                for waiting in batch:
                    waiting.work(session)
        except Exception as failure:  # noqa: BLE001 - handed to each member, who raises it
            error = failure
        for waiting in batch:
            waiting.done, waiting.error = True, error

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with _as_storage_error(self.directory), self._writer() as session, session.begin():
            session.connection()  # take the write lock now, not at the first statement
            yield session

    def stamp(self) -> int:
        """The number of the last event: whatever changes what somebody may read appends one."""
        with self.read() as session:
            return session.scalar(_LAST_EVENT) or 0

    def check(self) -> None:
        """Prove that the store can take a write now.

        Raises
        ------
        StorageError
            When it cannot.
        """
        with self.write() as session:
            session.execute(text("PRAGMA user_version")).scalar_one()
        self.objects.check()

    def forget(self) -> None:
        """Empty the write-ahead log, where what was erased since the last time still lies. Raises StorageError."""
        with _as_storage_error(self.directory), self._engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.rollback()  # a checkpoint cannot run inside a transaction
                cursor = connection.connection.cursor()
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                cursor.close()

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()


def _unless_erased(table: str) -> str:
    erasable = _ERASABLE.get(table)
    if erasable is None:
        return ""
    names = [column.name for column in Base.metadata.tables[table].columns]
    changes = [f"NEW.{name} IS NOT OLD.{name}" for name in names if name not in erasable]
    return "WHEN " + " OR ".join([f"NEW.{name} IS NOT NULL" for name in erasable] + changes)


def _on_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is said by _on_begin, not guessed by the driver
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # FULL: what was answered with success survives a power cut.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # What is erased is overwritten: it is not left in pages that are merely free.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("vedette_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _as_storage_error(directory: Path) -> Iterator[None]:
    try:
        yield
    except (OperationalError, DatabaseError) as error:
        if isinstance(error, DatabaseError) and type(error) not in {OperationalError, DatabaseError}:
            raise  # a broken constraint is an error of ours
        raise StorageError(f"store {directory} cannot serve: {error.orig}; check disk space and other users") from error
