"""Past the store: as somebody with the database itself, on either kind."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from api import Store

__all__ = ["is_postgres", "raw"]


def is_postgres(store: Store) -> bool:
    return store._database.engine.dialect.name == "postgresql"


@contextmanager
def raw(store: Store) -> Iterator[Connection]:
    """A connection of no pool of the store's; committed when the block ends."""
    engine = create_engine(store._database.engine.url, poolclass=NullPool)
    with engine.begin() as connection:
        yield connection
