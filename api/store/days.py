"""Tables of days that hold nothing any more: what retention leaves of the index by time on PostgreSQL."""

from __future__ import annotations

from sqlalchemy import text

from api.errors import StorageError
from api.store.engine import Store

__all__ = ["drop_empty_days"]

_DAYS = text(
    "SELECT inhrelid::regclass::text FROM pg_inherits "
    "WHERE inhparent = 'readable_box'::regclass AND inhrelid::regclass::text ~ '_[0-9]{8}$' ORDER BY 1"
)
# Dropping waits for readers, and all who come after wait for it: it tries for a moment only.
_BRIEFLY = text("SET LOCAL lock_timeout = '100ms'")
_LOCKED = "55P03"  # lock_not_available


def drop_empty_days(store: Store) -> int:
    """Drop each day's table of the index that holds no row; how many there were. SQLite has none.

    A day that is being read is left for the next time.

    Raises
    ------
    StorageError
        When the database does not let a table go for any other reason.
    """
    with store.read() as session:
        if session.get_bind().dialect.name != "postgresql":
            return 0
        days = session.scalars(_DAYS).all()
    return sum(_dropped(store, day) for day in days)


def _dropped(store: Store, day: str) -> bool:
    try:
        with store.write() as session:
            if session.scalar(text(f"SELECT 1 FROM {day} LIMIT 1")) is not None:  # noqa: S608 - from the catalogue
                return False
            session.execute(_BRIEFLY)
            session.execute(text(f"DROP TABLE {day}"))
    except StorageError as error:
        if getattr(getattr(error.__cause__, "orig", None), "sqlstate", None) == _LOCKED:
            return False
        raise
    return True
