"""PostgreSQL 15 with PostGIS. Readers see a snapshot; writers take one lock, so that their order is that of commits.

The order of event numbers and of the audit chain is the order of commits, on any number of machines: a write
transaction begins with an advisory lock that ends with it. It is what BEGIN IMMEDIATE is to SQLite.
"""

from __future__ import annotations

from select import POLLIN, poll
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.orm import Session

from api.errors import SettingsError
from api.store.database import WRITES, Database

__all__ = ["libpq_url", "open_postgres", "postgres_url"]

WRITE_LOCK = 0x76_65_64_65_74_74_65  # "vedette"
# A writer that hangs, or whose machine died, may not keep all others waiting.
_IDLE_WRITER_MS = 60_000
_BEGIN_WRITE = (
    f"SELECT pg_advisory_xact_lock({WRITE_LOCK}), "
    f"set_config('idle_in_transaction_session_timeout', '{_IDLE_WRITER_MS}', true), "
    # What was answered with success survives a crash, whatever the server was told to risk.
    "CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END"
)
# Each side finds out alone that the way between them is gone: the server by its settings, we by those of the driver.
_KEEPALIVE = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
_OUR_KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 10_000}
_CONNECT_TIMEOUT_S = 10


def postgres_url(text: str) -> URL:
    """A database URL for psycopg, from one that names PostgreSQL in any of the usual ways.

    Raises
    ------
    SettingsError
        When it is none; the message leaves the password out.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise SettingsError("the database URL cannot be read: write postgresql://user@host/name") from None
    if url.drivername not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise SettingsError(f"database {url.drivername} is not served: write postgresql://user@host/name")
    if not url.database:
        raise SettingsError(f"database URL {url} names no database: write postgresql://user@host/name")
    return url.set(drivername="postgresql+psycopg")


def libpq_url(text: str) -> str:
    """The same database as PostgreSQL's own programs take it; with its password, so it is never shown."""
    return postgres_url(text).set(drivername="postgresql").render_as_string(hide_password=False)


def open_postgres(text: str, *, busy_timeout_s: float) -> Database:
    """The database at a URL. Nothing is asked of it yet.

    Parameters
    ----------
    text
        `postgresql://user@host/name`; libpq's own settings (PGPASSWORD, .pgpass, sslmode) hold.
    busy_timeout_s
        How long a writer waits for other writers.

    Raises
    ------
    SettingsError
        When the URL is none of PostgreSQL, or the driver is not installed.
    """
    url = postgres_url(text)
    options = f"-c timezone=UTC -c lock_timeout={max(1, round(busy_timeout_s * 1000))} {_KEEPALIVE}"
    try:
        engine = create_engine(
            url,
            connect_args={
                "options": options,
                "connect_timeout": _CONNECT_TIMEOUT_S,
                "application_name": "vedette",
                **_OUR_KEEPALIVE,
            },
            pool_size=20,
            max_overflow=20,
        )
    except ModuleNotFoundError as error:
        raise SettingsError(f"PostgreSQL needs {error.name}: pip install 'vedette[postgres]'") from error
    event.listen(engine, "begin", _on_begin)
    event.listen(engine, "checkout", _on_checkout)
    return Database(
        url.render_as_string(hide_password=True),
        engine,
        reading={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
        writing={WRITES: True, "isolation_level": "READ COMMITTED"},
        autocommit=_autocommit,
        end_reading=_end_reading,
    )


def _autocommit(connection: Any) -> None:
    connection.autocommit = True


def _end_reading(session: Session) -> None:
    """By COMMIT: with a ROLLBACK psycopg forgets what it has prepared, and has the server forget it too."""
    session.expunge_all()  # nothing that was done in it is kept
    session.commit()


def _on_checkout(connection: Any, _record: Any, _proxy: Any) -> None:
    """Find a database again that was started again.

    A server that ends a connection says so, or its end is closed: there is something to read. Where there is not, the
    way there and back that it takes to ask is left out, which each request would wait for.
    """
    something = poll()
    try:
        something.register(connection.fileno(), POLLIN)
        if something.poll(0):
            connection.execute("SELECT 1")
            connection.rollback()
    except Exception as error:
        raise DisconnectionError from error  # the pool opens another


def _on_begin(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITES):
        connection.exec_driver_sql(_BEGIN_WRITE)
