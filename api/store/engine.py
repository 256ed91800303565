"""The store: a database and a folder of objects. The database is one SQLite file, or PostgreSQL by its URL.

Readers see a snapshot and never wait. Writers queue here, then take the database's one write lock at the start of
their transaction, so that what a writer has read is still so when it writes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from api.errors import StorageError
from api.store.clock import LONGEST_REST_US, ServiceClock, last_written_us
from api.store.database import Database
from api.store.files import folder_errors
from api.store.looks import Looks
from api.store.objects import open_objects
from api.store.plain import Plain
from api.store.postgres import open_postgres
from api.store.schema import prepare
from api.store.sqlite import open_sqlite
from api.store.tables import EventRow
from api.store.together import Together
from api.store.turns import Turns
from api.store.writes import Writes

__all__ = ["Store", "open_database"]

_LAST_EVENT = select(func.max(EventRow.seq))
# Changes nothing, and is refused where nothing may be changed.
_PROBE = text("UPDATE audit_head SET seq = seq WHERE id = 0")
_ROOM = 1 << 17
"""Bytes that a write of one record may take, about."""
_T = TypeVar("_T")


class Store:
    """Everything that the service keeps.

    Parameters
    ----------
    directory
        Folder that holds `objects/` and, without `database`, `vedette.sqlite`; made when absent, for its owner alone.
    database
        `postgresql://user@host/name` keeps all but the objects there.
    busy_timeout_s
        How long a writer waits for a write of another process.
    clock
        UTC microseconds since the Unix epoch; for tests. None is a `ServiceClock`.
    objects
        URL of a store that fsspec reaches, for the objects; None keeps them in the folder.
    unrestored
        Take a database whose restore has not ended: for that restore alone.

    Raises
    ------
    StorageError
        When the folder or database cannot be made or opened, has another schema than this program needs, or a restore
        of it did not end.
    SettingsError
        When `database` is no URL of PostgreSQL, or its driver is not installed.
    """

    def __init__(
        self,
        directory: Path,
        *,
        database: str | None = None,
        busy_timeout_s: float = 10.0,
        clock: Callable[[], int] | None = None,
        objects: str | None = None,
        unrestored: bool = False,
    ) -> None:
        self.directory = directory
        self.clock = ServiceClock() if clock is None else clock
        self._writing = Turns()  # a bulk writer that goes on and on keeps no other waiting for more than its turn
        self.has_forgotten = database is not None  # a file may hold what a process left that was killed
        self._listeners: tuple[Callable[[], None], ...] = ()
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StorageError(f"store folder {directory} cannot be made: {error.strerror}; choose another") from error
        self.objects = open_objects(objects, directory)
        self._database = open_database(directory, database, busy_timeout_s=busy_timeout_s)
        self.looks = Looks(self._database)
        engine = self._database.engine
        self._reader = sessionmaker(engine.execution_options(**self._database.reading), expire_on_commit=False)
        self._writes = Writes(self._database)
        self._together = Together(self._writing, self._writes, self._tell)
        try:
            with self.write() as session:
                prepare(session.connection(), self.place, unrestored=unrestored)
        except BaseException:
            self._database.close()
            raise

    @property
    def place(self) -> str:
        """Where the database is, for a person: a folder, or a URL without its password."""
        return self._database.place

    @property
    def is_embedded(self) -> bool:
        """Whether the database is a file of this machine: a look into it takes no way and cannot hang on one."""
        return self._database.is_embedded

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session over one snapshot; nothing that it does is kept.

        Raises
        ------
        StorageError
            When the database cannot serve, or the store is closed.
        """
        with self._database.in_use(), self._reader() as session:
            yield session
            self._database.end_reading(session)

    def ask(self, work: Callable[[Session], _T]) -> _T:
        """What `work` returns, done in a session of `read`: once more where the way to the database was gone.

        Raises
        ------
        StorageError
            As `read` does.
        """

        def asked() -> _T:
            with self._reader() as session:
                value = work(session)
                self._database.end_reading(session)
                return value

        with self._database.in_use():
            return self._database.anew(asked)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session in one write transaction: committed when the block ends, undone when it raises.

        Raises
        ------
        StorageError
            When the database is locked for longer than the busy timeout, full, or broken, or the store is closed.
        """
        with self._writing, self._writes.session() as session:
            yield session
        self._tell()

    def write_together(self, work: Callable[[Session], _T]) -> _T:
        """Do `work` in a write transaction that it may share with others who wait at the same time.

        While one commit waits for the disk, whoever comes queues up; the next commit takes them all, in the order in
        which they came. Each has a session of its own, and a savepoint where it is not alone: one that raises undoes
        itself, and the others stand. It may run in the thread of another member.

        Returns
        -------
        What `work` returned, when it is on the disk.

        Raises
        ------
        StorageError
            As `write` does; where it was the commit that failed, nothing of the shared transaction is kept, and each
            of its members hears of it.
        """
        return self._together.do(work)

    def put_together(self, work: Callable[[Connection | Plain], _T]) -> _T:
        """As `write_together`, for work that says its few statements itself (`api.store.direct`)."""
        return self._together.do(work, bare=True)

    def note_together(self, work: Callable[[Connection | Plain], _T]) -> _T:
        """As `put_together`, for work that appends to the audit and does nothing else, as all that only reads does.

        Those who `listen` are not called: there is nothing new for them.
        """
        return self._together.do(work, bare=True, quiet=True)

    def _tell(self) -> None:
        for heard in self._listeners:
            heard()

    def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard` after each commit of this process that changed more than the audit, in the thread that made it.

        It is quick, and never raises.
        """
        self._listeners = (*self._listeners, heard)

    def unlisten(self, heard: Callable[[], None]) -> None:
        """Call it no more."""
        self._listeners = tuple(each for each in self._listeners if each != heard)

    def stamp(self) -> int:
        """The number of the last event: whatever changes what somebody may read appends one."""
        found = self.looks.first(_LAST_EVENT)
        return 0 if found is None else found[0] or 0

    def check(self) -> None:
        """Prove that the store can take a write now: database, objects, and a clock to be believed.

        Raises
        ------
        StorageError
            When it cannot.
        """
        self.check_database()
        self.objects.check()
        self.check_clock()

    def check_clock(self) -> None:
        """Raise StorageError while the machine's clock is not to be believed."""
        if isinstance(self.clock, ServiceClock):
            self.clock.check()

    def start_clock(self, *, longest_rest_us: int | None = LONGEST_REST_US) -> None:
        """Hold the clock against what is written here, as `ServiceClock.start` does; raises SettingsError."""
        if isinstance(self.clock, ServiceClock):
            with self.read() as session:
                last_us = last_written_us(session)
            self.clock.start(last_us, longest_rest_us=longest_rest_us)

    def check_database(self) -> None:
        """Prove that the database can take a write now; raises StorageError when it cannot."""
        with self.write() as session:
            session.execute(_PROBE)
        if self.is_embedded:  # what changes nothing is not written: whether there is room is asked of the disk
            with folder_errors(self.directory, "store folder"), tempfile.TemporaryFile(dir=self.directory) as file:
                file.write(bytes(_ROOM))
                file.flush()

    def forget(self) -> None:
        """Empty SQLite's write-ahead log, where what was erased since the last time still lies. Raises StorageError.

        It cannot be emptied under a reader who still looks at it: `has_forgotten` is False then, and it is asked again.
        """
        with self._database.in_use(), self._database.engine.connect() as connection:
            if self.is_embedded:
                connection.rollback()  # a checkpoint cannot run inside a transaction
                cursor = connection.connection.cursor()
                refused, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                self.has_forgotten = not refused
                cursor.close()

    def close(self) -> None:
        """Let go of every connection; what is being read or written ends first, and nothing begins after that."""
        self._database.close()
        self.looks.close()
        self._writes.close()


def open_database(directory: Path, database: str | None, *, busy_timeout_s: float = 10.0) -> Database:
    """The database of a store: in its folder, or where `database` says. Parameters are those of `Store`.

    Raises
    ------
    SettingsError
        When `database` is no URL of PostgreSQL, or its driver is not installed.
    """
    if database is None:
        return open_sqlite(directory / "vedette.sqlite", busy_timeout_s=busy_timeout_s)
    return open_postgres(database, busy_timeout_s=busy_timeout_s)
