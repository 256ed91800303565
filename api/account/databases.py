"""Databases copied whole and put back: SQLite by its online backup, PostgreSQL by its own programs."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from api.errors import ConflictError, StorageError
from api.store.postgres import postgres_url
from api.store.schema import UNRESTORED

__all__ = ["Database", "PostgresDatabase", "SqliteDatabase", "open_database"]

# What somebody made, in the order in which it can be taken away; not what an extension brought.
_MADE = """
WITH space AS (
    SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), made AS (
    SELECT 1 AS step, 'SCHEMA' AS kind, quote_ident(nspname) AS name, oid, 'pg_namespace'::regclass AS catalog
    FROM space
    UNION ALL
    SELECT 2, 'TABLE', c.oid::regclass::text, c.oid, 'pg_class'::regclass
    FROM pg_class c JOIN space ON space.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')
    UNION ALL
    SELECT 3, 'ROUTINE', p.oid::regprocedure::text, p.oid, 'pg_proc'::regclass
    FROM pg_proc p JOIN space ON space.oid = p.pronamespace
)
SELECT kind, name FROM made WHERE NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = made.catalog AND d.objid = made.oid AND d.deptype = 'e'
) ORDER BY step, name
"""


class Database(Protocol):
    """A database that can be copied while it is written to. Every method raises StorageError."""

    kind: str
    where: Path | str
    """The store's folder, or the URL."""

    def dump(self, file: Path) -> None:
        """Write one consistent state to a new file."""

    def load(self, file: Path) -> None:
        """Put back what `dump` wrote; raises ConflictError where something is there already.

        Until `finish` a `Store` refuses it, also after a kill.
        """

    def finish(self) -> None:
        """From here on what `load` put there may be used."""

    def unload(self) -> None:
        """Take away what `load` put there, and nothing else."""


def open_database(where: Path | str) -> Database:
    """The database in a store's folder, or the one that a URL names; raises StorageError for another kind."""
    if isinstance(where, Path):
        return SqliteDatabase(where)
    try:
        kind = make_url(where).get_backend_name()
    except ArgumentError:
        raise StorageError("this is no URL of a database") from None  # it may hold a password
    if kind not in {"postgresql", "postgres"}:
        raise StorageError(f"{kind} databases are not backed up by this program: give a store's folder, or PostgreSQL")
    return PostgresDatabase(where)


class SqliteDatabase:
    """The database in the folder of a store."""

    kind = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.where: Path | str = folder
        self._file = folder / "vedette.sqlite"

    def dump(self, file: Path) -> None:
        """As in `Database`: in one step, so that writers neither wait nor make it begin again."""
        if not self._file.is_file():
            raise StorageError(f"{self.where}: is no store: it holds no vedette.sqlite")
        try:
            with (
                closing(sqlite3.connect(f"{self._file.absolute().as_uri()}?mode=ro", uri=True)) as source,
                closing(sqlite3.connect(file)) as copy,
            ):
                source.backup(copy, pages=-1)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        except sqlite3.Error as error:
            why = f"{self.where}: cannot be copied into {file.parent}: {error}"
            raise StorageError(f"{why}; see that there is room for another one") from error

    def load(self, file: Path) -> None:
        """As in `Database`."""
        if self._file.exists():
            raise ConflictError(f"{self.where}: holds a store: restore into a new folder")
        shutil.copyfile(file, self._file)
        self._file.chmod(0o600)
        try:
            with closing(sqlite3.connect(self._file)) as found:
                (said,) = found.execute("PRAGMA integrity_check").fetchone()
        except sqlite3.Error as error:
            said = str(error)
        if said != "ok":
            raise StorageError(f"{file.name}: is a damaged database: {said}")

    def finish(self) -> None:
        """As in `Database`: nobody knows its folder before."""

    def unload(self) -> None:
        """As in `Database`: it goes with its folder."""


class PostgresDatabase:
    """A PostgreSQL database; `pg_dump` and `pg_restore` have to be installed, as new as the server."""

    kind = "postgresql"

    def __init__(self, url: str) -> None:
        parsed = postgres_url(url)
        self.where: Path | str = parsed.render_as_string(hide_password=False)
        self._named = parsed.render_as_string(hide_password=True)
        self._url = parsed._replace(drivername="postgresql", password=None).render_as_string()
        # In the environment: a password among the arguments could be read by every user of the machine.
        self._environment = {**os.environ, **({"PGPASSWORD": parsed.password} if parsed.password else {})}
        self._before: frozenset[tuple[str, str]] | None = None  # what `load` found, while it can be undone

    def dump(self, file: Path) -> None:
        """As in `Database`."""
        self._run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={file}", self._url)

    def load(self, file: Path) -> None:
        """As in `Database`: all of it or nothing."""
        with self._connected() as connection:
            tables = [name for name in inspect(connection).get_table_names() if name != "spatial_ref_sys"]
            if tables:
                raise ConflictError(f"database {self._named} holds tables ({tables[0]}): restore into an empty one")
            self._before = frozenset(_made(connection))
            connection.exec_driver_sql(f"CREATE TABLE {UNRESTORED} ()")
        self._run(
            "pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges",
            f"--dbname={self._url}", str(file),
        )  # fmt: skip

    def finish(self) -> None:
        """As in `Database`."""
        with self._connected() as connection:
            connection.exec_driver_sql(f"DROP TABLE {UNRESTORED}")
        self._before = None

    def unload(self) -> None:
        """As in `Database`."""
        if self._before is None:
            return
        with self._connected() as connection:
            for kind, name in _made(connection):
                if (kind, name) not in self._before:
                    connection.exec_driver_sql(f"DROP {kind} IF EXISTS {name} CASCADE")
        self._before = None

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A transaction; committed when the block ends."""
        try:
            engine = create_engine(str(self.where))
            try:
                with engine.begin() as connection:
                    yield connection
            finally:
                engine.dispose()
        except (SQLAlchemyError, ImportError) as error:
            raise StorageError(f"database {self._named} cannot be used: {error}") from error

    def _run(self, program: str, *arguments: str) -> None:
        found = shutil.which(program)
        if found is None:
            raise StorageError(f"{program} is not installed: it comes with the PostgreSQL client programs")
        done = subprocess.run(  # noqa: S603 - no shell, and the program is one of two
            [found, *arguments], env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise StorageError(f"{program} of {self._named}: {lines[0]}")


def _made(connection: Connection) -> list[tuple[str, str]]:
    """Kind and name of what lies in a PostgreSQL database."""
    return [(row.kind, row.name) for row in connection.exec_driver_sql(_MADE)]
