"""The ordered event log: every change appends here in its own transaction; a subscriber is a cursor in it."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from api.canonical import canonical
from api.store.tables import Base, EventRow
from api.times import iso

__all__ = ["append_event", "read_events"]

# Built once, and without the unit of work: every change appends.
_LAST = select(func.max(EventRow.seq))
_APPEND = insert(Base.metadata.tables["event"])


def append_event(
    session: Session,
    time_us: int,
    kind: str,
    *,
    crossing_id: str | None = None,
    partner_id: str | None = None,
    **detail: Any,
) -> int:
    """Append one event in the caller's write transaction and return its number; numbers have no gaps.

    Parameters
    ----------
    session
        A session of `Store.write`.
    time_us
        UTC microseconds since the Unix epoch.
    kind
        `crossing.created`, `crossing.replaced`, `evidence.stored`, `crossing.reviewed`, `release.created`,
        `release.recalled`, `partner.created`, ...
    crossing_id, partner_id
        What and whom it concerns.
    detail
        More, as JSON values.
    """
    session.flush()  # what the event tells of comes before it
    seq = (session.scalar(_LAST) or 0) + 1
    values = {"seq": seq, "time_us": time_us, "kind": kind, "crossing_id": crossing_id, "partner_id": partner_id}
    session.execute(_APPEND, values | {"detail": canonical(detail)})
    return seq


def read_events(session: Session, *, after: int, limit: int) -> list[dict[str, Any]]:
    """The first `limit` events with a number above `after`, in order, as JSON values."""
    rows = session.scalars(select(EventRow).where(EventRow.seq > after).order_by(EventRow.seq).limit(limit))
    return [
        {
            "seq": row.seq,
            "time": iso(row.time_us),
            "kind": row.kind,
            "crossing_id": row.crossing_id,
            "partner_id": row.partner_id,
            "detail": json.loads(row.detail),
        }
        for row in rows
    ]
