"""Past the store: as somebody with the database itself, on either kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from api import Store

__all__ = ["is_postgres", "place_of", "raw"]


def is_postgres(store: Store) -> bool:
    return store._database.engine.dialect.name == "postgresql"


def place_of(store: Store) -> Path | str:
    """What an auditor would name: the store's folder, or the URL of its database."""
    if not is_postgres(store):
        return store.directory
    return store._database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def raw(store: Store) -> Iterator[Connection]:
    """A connection of no pool of the store's; committed when the block ends."""
    engine = create_engine(store._database.engine.url, poolclass=NullPool)
    with engine.begin() as connection:
        yield connection
