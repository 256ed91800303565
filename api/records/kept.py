"""A record as the store keeps it, without the bookkeeping of an ORM: thousands come in at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from api.store.tables import Base, RecordRow

__all__ = ["Kept", "Record", "find_kept", "insert_kept", "update_kept"]

_AT_ONCE = 400
"""Names in one look-up: databases bound the parameters of a statement."""


@dataclass(slots=True)
class Kept:
    """The columns of `RecordRow`, which says what they are."""

    id: str
    type: str
    source: str
    source_id: str
    revision: int
    update_us: int
    time_us: int
    kind: str | None
    status: str | None
    west: float | None
    south: float | None
    east: float | None
    north: float | None
    received_us: int
    expires_us: int
    owner: str
    purpose: str
    marking: str | None
    sensitivity: str
    digest: str
    document: str
    review_state: str
    review_version: int


Record = RecordRow | Kept
_NAMES = tuple(field.name for field in fields(Kept))
_COLUMNS = [getattr(RecordRow, name) for name in _NAMES]
_TABLE = Base.metadata.tables["record"]


def find_kept(session: Session, type_: str, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Kept]:
    """The records of a type that are there, by (source, source_id)."""
    of_source: dict[str, list[str]] = defaultdict(list)
    for source, source_id in sorted(set(names)):
        of_source[source].append(source_id)
    found: dict[tuple[str, str], Kept] = {}
    for source, wanted in of_source.items():
        # One source at a time: SQLite reads the whole table where it is asked for many pairs.
        one = select(*_COLUMNS).where(RecordRow.type == type_, RecordRow.source == source)
        for start in range(0, len(wanted), _AT_ONCE):
            for row in session.execute(one.where(RecordRow.source_id.in_(wanted[start : start + _AT_ONCE]))):
                found[source, row.source_id] = Kept(*row)
    return found


def insert_kept(session: Session, records: Sequence[Kept]) -> None:
    """Put new records in."""
    if records:
        session.execute(_TABLE.insert(), [_values(each) for each in records])


def update_kept(session: Session, records: Sequence[Kept]) -> None:
    """Put new revisions of known records in."""
    if records:
        session.execute(update(RecordRow), [_values(each) for each in records])
        session.expire_all()  # what the session holds of them is old


def _values(kept: Kept) -> dict[str, Any]:
    return {name: getattr(kept, name) for name in _NAMES}
