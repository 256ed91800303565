"""Which schema a database has, and bringing it to the one that this program needs."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.orm import Session

from api.errors import StorageError
from api.store.database import Database

__all__ = ["EMPTY", "HEAD", "UNRESTORED", "migrate", "prepare", "revision_of"]

EMPTY = "0000"
"""The schema of a database that holds nothing of ours."""
UNRESTORED = "unrestored"
"""A table that stands while a database is restored: what was taken back since its backup is still there."""
_STEPS = Path(__file__).parent / "migrations"
HEAD = max(step.name[:4] for step in (_STEPS / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))
"""The schema that this program needs. Numbers of schemas go up."""
# SQLite's own number, from before there were migrations: 1 has all but the cues, 2 is 0001. A program of that time
# refuses 3.
_BEFORE_CUES, _AS_FIRST, _IN_STEPS = "1", "2", "3"
_CUES = """
CREATE TABLE cue (
    id VARCHAR(32) NOT NULL PRIMARY KEY, sensor TEXT NOT NULL, kind TEXT NOT NULL, time_us BIGINT NOT NULL,
    received_us BIGINT NOT NULL, expires_us BIGINT NOT NULL, digest VARCHAR(64) NOT NULL, document TEXT NOT NULL
)
"""
_ALEMBIC = threading.Lock()  # it keeps what it works on in a module


def prepare(connection: Connection, place: str, *, unrestored: bool = False) -> None:
    """Give an empty database the schema; refuse any other than ours, and one whose restore did not end.

    Parameters
    ----------
    connection
        In a write transaction.
    place
        Where the database is, for a person.
    unrestored
        Take one whose restore has not ended: for that restore alone.

    Raises
    ------
    StorageError
        When the schema is an older or a newer one, or a restore did not end.
    """
    if not unrestored and inspect(connection).has_table(UNRESTORED):
        raise StorageError(
            f"store {place} is half restored, what was taken back since its backup is in it: restore into a new one"
        )
    found = revision_of(connection, place)
    if found == HEAD:
        return
    if found != EMPTY:
        raise StorageError(
            f"store {place} has schema {found}, this program needs {HEAD}: "
            "stop what uses it, keep a copy of it, then `vedette migrate`"
        )
    _run(connection, place)


def migrate(database: Database, then: Callable[[Session], None]) -> tuple[str, str]:
    """Bring a database to the schema of this program, in one transaction; the schema before and after.

    Parameters
    ----------
    database
        It is closed at the end.
    then
        What the program makes anew of what it finds, after the last step and in the same transaction.

    Raises
    ------
    StorageError
        When its schema is newer, or a step fails; then nothing has changed.
    """
    sqlite = database.engine.dialect.name == "sqlite"
    writer = database.engine.execution_options(**database.writing)
    try:
        with database.as_storage_error(), writer.connect() as connection:
            if sqlite:  # tables are made anew under the references to them; said before the transaction or not at all
                connection.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")  # type: ignore[union-attr]
            with connection.begin():
                before = revision_of(connection, database.place)
                if before != HEAD:
                    _run(connection, database.place)
                    with Session(connection, expire_on_commit=False) as session:
                        then(session)
                        session.flush()
                    if sqlite and (lost := connection.execute(text("PRAGMA foreign_key_check")).first()):
                        raise StorageError(
                            f"store {database.place} cannot be migrated: a row of {lost[0]} refers to none"
                        )
    finally:
        database.engine.dispose()
    return before, HEAD


def revision_of(connection: Connection, place: str) -> str:
    """The number of a database's schema; EMPTY where there is none.

    Raises
    ------
    StorageError
        When it is one that this program does not know.
    """
    found = EMPTY
    if inspect(connection).has_table("alembic_version"):
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    elif connection.dialect.name == "sqlite":
        number = connection.execute(text("PRAGMA user_version")).scalar_one()
        if number:
            found = f"{number}"
    if found in {_BEFORE_CUES, _AS_FIRST} or (re.fullmatch("[0-9]{4}", found) and found <= HEAD):
        return found
    raise StorageError(f"store {place} has schema {found}, this program knows {HEAD}: use the program that made it")


def _run(connection: Connection, place: str) -> None:
    # Loaded where a schema changes: every start of the service does without.
    from alembic.migration import MigrationContext  # noqa: PLC0415
    from alembic.operations import Operations  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    script = ScriptDirectory(str(_STEPS))
    before = revision_of(connection, place)
    if before == _BEFORE_CUES:
        connection.execute(text(_CUES))
        connection.execute(text("CREATE INDEX ix_cue_time ON cue (time_us, id)"))
    options = {"fn": lambda revision, _context: script._upgrade_revs(HEAD, revision)}  # noqa: SLF001 - as its cookbook
    with _ALEMBIC:
        context = MigrationContext.configure(connection, opts=options)
        if before in {_BEFORE_CUES, _AS_FIRST}:
            context.stamp(script, "0001")
        with Operations.context(context):
            context.run_migrations()
    if connection.dialect.name == "sqlite":
        connection.execute(text(f"PRAGMA user_version = {_IN_STEPS}"))
