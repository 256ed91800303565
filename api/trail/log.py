"""The ordered event log: every change appends here in its own transaction; a subscriber is a cursor in it."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import BigInteger, String, bindparam, func, insert, select
from sqlalchemy.orm import Session

from api.canonical import canonical_bytes
from api.identity.roles import Principal, Role
from api.store.direct import Writing, direct
from api.store.tables import Base, EventRow
from api.times import iso

__all__ = [
    "INSIDE",
    "append_event",
    "append_events",
    "audience_of",
    "event_of",
    "last_n",
    "last_seq",
    "narrowed_since",
    "read_events",
    "read_log",
]

INSIDE = "inside"
"""The audience of those within the organisation; every other audience is a partner's id."""

_NOBODY = "nobody"  # whom no event is told

# Built once, and without the unit of work: every change appends.
_TABLE = Base.metadata.tables["event"]
_LAST = select(func.max(_TABLE.c.seq))
_LAST_N = select(func.max(_TABLE.c.n)).where(_TABLE.c.audience == bindparam("whom", type_=String))
_LASTS = select(_LAST.scalar_subquery(), _LAST_N.scalar_subquery())
_APPEND = insert(_TABLE)
_ADDING = ("record.created", "release.created")
"""Kinds of events that take nothing from anybody. Any other may: that is looked at, and not guessed."""
_NARROWED = (
    select(_TABLE.c.seq)
    .where(_TABLE.c.seq > bindparam("after", type_=BigInteger), *(_TABLE.c.kind != kind for kind in _ADDING))
    .limit(1)
)


def audience_of(principal: Principal) -> str:
    """Whose events `principal` is told: its partner's, or those of the inside; of nobody's, a partner of none."""
    if principal.partner_id is not None:
        return principal.partner_id
    return _NOBODY if principal.role is Role.PARTNER else INSIDE


def append_event(
    session: Session,
    time_us: int,
    kind: str,
    *,
    record_id: str | None = None,
    record_type: str | None = None,
    partner_id: str | None = None,
    audience: str = INSIDE,
    **detail: Any,
) -> None:
    """Append one event in the caller's write transaction.

    Parameters
    ----------
    session
        A session of `Store.write`.
    time_us
        UTC microseconds since the Unix epoch.
    kind
        `record.created`, `record.replaced`, `record.erased`, `evidence.stored`, `crossing.reviewed`,
        `release.created`, `release.recalled`, `partner.created`, ...
    record_id, record_type, partner_id
        What and whom it concerns.
    audience
        Whom it is told: `INSIDE`, or a partner's id.
    detail
        More, as JSON values.
    """
    append_events(
        session,
        time_us,
        kind,
        [{"record_id": record_id, "record_type": record_type, "partner_id": partner_id, "detail": detail}],
        audience=audience,
    )


def append_events(
    session: Writing, time_us: int, kind: str, members: list[dict[str, Any]], *, audience: str = INSIDE
) -> None:
    """Append an event of one kind for each of `members` (record_id, record_type, partner_id, detail), in order."""
    if not members:
        return
    if isinstance(session, Session):
        session.flush()  # what the events tell of comes before them
    lasts: Any = direct(session, _LASTS, {"whom": audience}).one_or_none()
    seq, number = (last or 0 for last in lasts)
    rows = [
        {
            "record_type": None,
            "partner_id": None,
            **member,
            "detail": canonical_bytes(member["detail"]).decode(),
            "seq": seq + place,
            "n": number + place,
            "audience": audience,
            "time_us": time_us,
            "kind": kind,
        }
        for place, member in enumerate(members, 1)
    ]
    direct(session, _APPEND, rows)


def read_events(session: Session, *, after: int, limit: int, audience: str = INSIDE) -> list[dict[str, Any]]:
    """The first `limit` events told to `audience` with a number `n` above `after`, in order, as JSON values."""
    query = select(EventRow).where(EventRow.audience == audience, EventRow.n > after)
    return [event_of(row) for row in session.scalars(query.order_by(EventRow.n).limit(limit))]


def read_log(session: Session, *, after: int, limit: int) -> list[tuple[int, str, dict[str, Any]]]:
    """The first `limit` events of all audiences with a `seq` above `after`, in order: seq, audience, JSON values."""
    rows = session.scalars(select(EventRow).where(EventRow.seq > after).order_by(EventRow.seq).limit(limit))
    return [(row.seq, row.audience, event_of(row)) for row in rows]


def last_seq(session: Writing) -> int:
    """The newest `seq` of all; 0 in an empty log."""
    found: Any = direct(session, _LAST, {}).one_or_none()
    return found[0] or 0


def narrowed_since(session: Writing, seq: int) -> bool:
    """Whether something happened after event `seq` by which somebody may be allowed to see less than before."""
    found: Any = direct(session, _NARROWED, {"after": seq}).one_or_none()
    return found is not None


def last_n(session: Session, audience: str) -> int:
    """The newest number that `audience` was told; 0 when it was told nothing."""
    return session.scalar(_LAST_N, {"whom": audience}) or 0


def event_of(row: EventRow) -> dict[str, Any]:
    """One event as its audience sees it: without `seq`, which counts what others are told."""
    return {
        "n": row.n,
        "time": iso(row.time_us),
        "kind": row.kind,
        "record_type": row.record_type,
        "record_id": row.record_id,
        "partner_id": row.partner_id,
        "detail": json.loads(row.detail),
    }
