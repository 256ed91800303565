"""SQLite: one file in WAL mode. Readers see a snapshot and never wait; a writer locks the file as it begins."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event

from api.store.database import WRITES, Database

__all__ = ["open_sqlite"]


def open_sqlite(file: Path, *, busy_timeout_s: float) -> Database:
    """The database in a file, which is made at the first transaction.

    Parameters
    ----------
    file
        Where it lies.
    busy_timeout_s
        How long a writer waits for a write of another process.
    """
    engine = create_engine(
        f"sqlite:///{file}",
        connect_args={"timeout": busy_timeout_s, "check_same_thread": False},
        pool_size=20,
        max_overflow=40,
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return Database(str(file.parent), engine, reading={}, writing={WRITES: True}, autocommit=lambda _connection: None)


def _on_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is said by _on_begin, not guessed by the driver
    cursor = connection.cursor()
    _keep_a_log(cursor)
    # FULL: what was answered with success survives a power cut.
    cursor.execute("PRAGMA synchronous = FULL")
    # 16 MB of log before it is carried over: a large delivery does not wait for that each time, and pages that many
    # records share are carried over once for them all.
    cursor.execute("PRAGMA wal_autocheckpoint = 4000")
    cursor.execute("PRAGMA foreign_keys = ON")
    # 16 MB of pages: what a delivery of thousands of records changes is not written out before its end, and back again.
    cursor.execute("PRAGMA cache_size = -16000")
    # What is erased is overwritten: it is not left in pages that are merely free.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _keep_a_log(cursor: Any) -> None:
    """Put a file into WAL mode, in which it stays; wait for whoever writes it or does the same just now.

    SQLite itself does not wait here, whatever its timeout: the change begins as a reader, and a reader that would write
    is refused at once. Two programs that start together on a new file meet so.
    """
    (waits_ms,) = cursor.execute("PRAGMA busy_timeout").fetchone()
    until = time.monotonic() + waits_ms / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _on_begin(connection: Connection) -> None:
    # IMMEDIATE takes the write lock now: what a writer reads is still so when it writes.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(WRITES) else "BEGIN")
