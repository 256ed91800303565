"""Lists of what a principal may read: by type, time, box and value, the newest first.

Every filter is over the columns of `readable_records`: it is applied to what the reader sees, not to what is withheld.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, String, Subquery, bindparam, func, literal, select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql import Select

from api.identity.roles import Principal
from api.records.readable import readable_records
from api.store.boxes import Sought, among, box_parameters, candidates, parts, touching
from api.store.direct import direct

__all__ = ["RecordFilter", "count_readable", "list_readable"]

_EXACT = ("type", "source", "status", "review", "kind")


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which records of those readable; None means any.

    Parameters
    ----------
    type
        Of which type.
    from_us, to_us
        Half-open interval of the record's time, UTC microseconds since the Unix epoch.
    bbox
        West, south, east, north in degrees; west > east crosses the antimeridian. Records whose place is not known or
        not shared are in no box; a line is in a box that its own bounds touch.
    source, kind, status, review
        Exact values.
    where
        More rules, over the columns of `Readable.rows`.
    waiting
        Only what this names: a subquery with columns `record_id` and `time_us`, the record's own. Where few of those
        readable are named, an index in that order finds a page without a look at the others.
    waits
        What `waiting` is executed with.
    """

    type: str
    from_us: int | None = None
    to_us: int | None = None
    bbox: tuple[float, float, float, float] | None = None
    source: str | None = None
    kind: str | None = None
    status: str | None = None
    review: str | None = None
    where: ColumnElement[bool] | None = None
    waiting: Subquery | None = None
    waits: Mapping[str, Any] = field(default_factory=dict)


def list_readable(
    session: Session,
    principal: Principal,
    now_us: int,
    which: RecordFilter,
    *,
    limit: int,
    after: tuple[int, str] | None = None,
) -> list[Any]:
    """The newest `limit` records that `principal` may read and `which` selects.

    Parameters
    ----------
    session
        Any session.
    principal, now_us
        As in `readable_records`.
    which
        The filter, applied to what the principal may see and not to what is withheld.
    limit
        How many at most.
    after
        (time_us, id) of the last record of the page before.

    Returns
    -------
    list of rows (time_us, id, feature, etag)
        Newest first; `feature` is a serialised GeoJSON Feature.
    """
    statement, parameters = _asked(session, principal, now_us, which, after)
    given = parameters | {"page": limit}
    if which.where is None:  # asked again and again, and kept ready
        return list(direct(session, statement, given))
    return list(session.execute(statement, given))


def count_readable(session: Session, principal: Principal, now_us: int, which: RecordFilter, *, most: int) -> int:
    """How many records `list_readable` would give over all its pages; `most` where there are that many or more."""
    statement, parameters = _asked(session, principal, now_us, which, None)
    # The columns alone that say which: a Feature lies on pages of its own.
    named = statement.with_only_columns(literal(1), maintain_column_froms=True).order_by(None)
    return session.scalar(select(func.count()).select_from(named.subquery()), parameters | {"page": most}) or 0


@dataclass(frozen=True, slots=True)
class _Shape:
    """Which rules a question has: questions of one shape share one statement, for building costs more than asking."""

    names: tuple[str, ...]
    since: bool
    until: bool
    boxes: int
    among: bool
    after: bool
    waiting: Subquery | None


def _asked(
    session: Session, principal: Principal, now_us: int, which: RecordFilter, after: tuple[int, str] | None
) -> tuple[Select[Any], dict[str, Any]]:
    readable = readable_records(principal, now_us)
    names = tuple(name for name in _EXACT if getattr(which, name) is not None)
    parameters = readable.parameters | {f"is_{name}": getattr(which, name) for name in names}
    parameters |= {"since_us": which.from_us, "until_us": which.to_us, **which.waits}
    found, boxes = None, 0
    if which.bbox is not None:
        sought = Sought(which.bbox, which.from_us, which.to_us, readable.audience, readable.parameters)
        found, boxes = candidates(session, sought), len(parts(which.bbox))
        parameters |= box_parameters(which.bbox) | {"candidates": found}
    if after is not None:
        parameters |= {"after_us": after[0], "after_id": after[1]}
    since, until = which.from_us is not None, which.to_us is not None
    shape = _Shape(names, since, until, boxes, found is not None, after is not None, which.waiting)
    statement = _statement(readable.rows, shape)
    return statement if which.where is None else statement.where(which.where), parameters


@lru_cache(maxsize=512)
def _statement(rows: Subquery, shape: _Shape) -> Select[Any]:
    column = rows.c
    waiting = None if shape.waiting is None else shape.waiting.c
    time_us, id_ = (column.time_us, column.id) if waiting is None else (waiting.time_us, waiting.record_id)
    rules: list[ColumnElement[bool]] = [column[name] == bindparam(f"is_{name}", type_=String) for name in shape.names]
    if shape.since:
        rules.append(time_us >= bindparam("since_us", type_=BigInteger))
    if shape.until:
        rules.append(time_us < bindparam("until_us", type_=BigInteger))
    if shape.after:
        last = tuple_(bindparam("after_us", type_=BigInteger), bindparam("after_id", type_=String))
        rules.append(tuple_(time_us, id_) < last)
    if shape.among:
        rules.append(among(column))
    if shape.boxes:
        rules.append(touching(column, shape.boxes))
    if waiting is not None:
        rules.append(column.id == waiting.record_id)
    return (
        select(column.time_us, column.id, column.feature, column.etag)
        .where(*rules)
        .order_by(time_us.desc(), id_.desc())
        .limit(bindparam("page", type_=Integer))
    )
