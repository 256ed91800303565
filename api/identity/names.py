"""Who stands behind an id: people by their accounts, machines by their keys."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.identity.tables import AccountRow
from api.store.tables import KeyRow

__all__ = ["names_of"]


def names_of(session: Session, ids: Iterable[str]) -> dict[str, str]:
    """The names of accounts and keys by id, as they are called now; what is neither of the two has none.

    For a page of ids at most: databases bound the parameters of a statement.
    """
    wanted = set(ids)
    keys = select(KeyRow.id, KeyRow.name).where(KeyRow.id.in_(wanted))
    people = select(AccountRow.id, AccountRow.name).where(AccountRow.id.in_(wanted))
    return {row.id: row.name for row in session.execute(keys.union_all(people))}
