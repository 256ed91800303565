"""A record as the store keeps it, without the bookkeeping of an ORM: thousands come in at once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import chain
from typing import Any

from sqlalchemy import String, bindparam, insert, select, update
from sqlalchemy.orm import Session

from api.store.direct import Writing, direct
from api.store.plain import Plain
from api.store.tables import Base, RecordRow

__all__ = ["Kept", "Record", "content_of", "find_kept", "insert_kept", "update_kept"]

_AT_ONCE = 400
"""Names in one look-up: databases bound the parameters of a statement."""


@dataclass(slots=True)
class Kept:
    """The columns of `RecordRow`, which says what they are, and its `document` as JSON values where they are known."""

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
    content: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)


Record = RecordRow | Kept
_TABLE = Base.metadata.tables["record"]
_NAMES = tuple(each.name for each in fields(Kept) if each.name in _TABLE.c)

# Built once, and without the unit of work: every delivery asks.
_FIND = select(*(_TABLE.c[name] for name in _NAMES)).where(
    _TABLE.c.type == bindparam("of_type", type_=String),
    # One source at a time: SQLite reads the whole table where it is asked for many pairs.
    _TABLE.c.source == bindparam("of_source", type_=String),
)
_FIND_MANY = _FIND.where(_TABLE.c.source_id.in_(bindparam("named", expanding=True)))
_FIND_ONE = _FIND.where(_TABLE.c.source_id == bindparam("named", type_=String))
_INSERT = insert(_TABLE)


def content_of(row: Record) -> Mapping[str, Any]:
    """What was delivered of a record, as JSON values: to be looked at and not changed."""
    known = row.content if isinstance(row, Kept) else None
    return json.loads(row.document) if known is None else known


def find_kept(session: Writing, type_: str, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Kept]:
    """The records of a type that are there, by (source, source_id)."""
    of_source: dict[str, list[str]] = defaultdict(list)
    for source, source_id in sorted(set(names)):
        of_source[source].append(source_id)
    found: dict[tuple[str, str], Kept] = {}
    for source, wanted in of_source.items():
        for start in range(0, len(wanted), _AT_ONCE):
            for row in _look(session, {"of_type": type_, "of_source": source}, wanted[start : start + _AT_ONCE]):
                kept = Kept(*row)
                found[source, kept.source_id] = kept
    return found


def _look(session: Writing, of: dict[str, str], named: list[str]) -> Iterable[Any]:
    if len(named) == 1 or isinstance(session, Plain):
        return chain.from_iterable(direct(session, _FIND_ONE, of | {"named": each}) for each in named)
    return session.execute(_FIND_MANY, of | {"named": named})


def insert_kept(session: Writing, records: Sequence[Kept]) -> None:
    """Put new records in."""
    if records:
        direct(session, _INSERT, [_values(each) for each in records])


def update_kept(session: Session, records: Sequence[Kept]) -> None:
    """Put new revisions of known records in."""
    if records:
        session.execute(update(RecordRow), [_values(each) for each in records])
        session.expire_all()  # what the session holds of them is old


def _values(kept: Kept) -> dict[str, Any]:
    return {name: getattr(kept, name) for name in _NAMES}
