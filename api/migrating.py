"""Bringing a store of an older program to what this one needs."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

from sqlalchemy.orm import Session

from api.errors import StorageError
from api.records.views import fill_views
from api.review.queue import fill_queue
from api.store.alone import alone
from api.store.engine import open_database
from api.store.schema import migrate

__all__ = ["migrate_store"]


def migrate_store(directory: Path, *, database: str | None = None) -> tuple[str, str]:
    """Bring a store of an older program to the schema of this one, in one transaction.

    Parameters
    ----------
    directory, database
        As of `Store`. Stop the service first, and keep a copy.

    Returns
    -------
    before, after
        Numbers of the schema.

    Raises
    ------
    StorageError
        When there is no store, a service has it, its schema is newer, or a step fails; then nothing has changed.
    """
    if database is None and not (directory / "vedette.sqlite").exists():
        raise StorageError(f"folder {directory} holds no store: name the folder of vedette.sqlite")
    with nullcontext() if database is not None else alone(directory, "vedette migrate"):
        return migrate(open_database(directory, database), _fill)


def _fill(session: Session) -> None:
    fill_views(session)
    fill_queue(session)
