"""Telling partners of releases: not before the delay of their agreement has passed."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from api.store.engine import Store
from api.store.tables import ReadableRow, ReleaseRow
from api.trail.log import append_event

__all__ = ["announce", "announce_due", "is_shown", "may_be_due", "next_due"]

_UNTOLD = (ReleaseRow.announced.is_(False), ReleaseRow.recalled_us.is_(None))
_FIRST = select(func.min(ReleaseRow.visible_us)).where(*_UNTOLD)


def announce(session: Session, now_us: int, record_type: str, made: ReleaseRow) -> None:
    """Tell the partner of a release that it may read by now."""
    made.announced = True
    append_event(
        session,
        now_us,
        "release.created",
        record_id=made.record_id,
        record_type=record_type,
        audience=made.partner_id,
        release_id=made.id,
    )


def announce_due(session: Session, now_us: int, *, limit: int = 1000) -> int:
    """Tell partners of releases whose delay has passed, in order of that; how many there were.

    Of one whose agreement or retention ended before, the partner hears nothing: it could never read it.
    """
    due = session.execute(
        select(ReleaseRow, ReadableRow.type)
        .join(ReadableRow, _shown_under(now_us))
        .where(*_UNTOLD, ReleaseRow.visible_us <= now_us)
        .order_by(ReleaseRow.visible_us, ReleaseRow.id)
        .limit(limit)
    ).all()
    for made, record_type in due:
        announce(session, now_us, record_type, made)
    return len(due)


def next_due(session: Session, now_us: int) -> int | None:
    """When the next release becomes visible that its partner was not told of; None where there is none."""
    query = select(func.min(ReleaseRow.visible_us)).join(ReadableRow, _shown_under(now_us))
    return session.scalar(query.where(*_UNTOLD))


def may_be_due(store: Store) -> bool:
    """Whether the delay of a release has passed that its partner was not told of: a small question, asked often."""
    found = store.looks.first(_FIRST)
    return found is not None and found[0] is not None and found[0] <= store.clock()


def _shown_under(now_us: int) -> ColumnElement[bool]:
    """The condition that a view under a release will be, or is, read."""
    return and_(
        ReadableRow.record_id == ReleaseRow.record_id,  # which has an index
        ReadableRow.release_id == ReleaseRow.id,
        ReadableRow.until_us > now_us,
        ReadableRow.until_us > ReleaseRow.visible_us,
    )


def is_shown(session: Session, now_us: int, row: ReleaseRow) -> bool:
    """Whether a view under a release can be read, once its delay has passed."""
    query = select(ReleaseRow.id).join(ReadableRow, _shown_under(now_us)).where(ReleaseRow.id == row.id)
    return session.scalar(query) is not None
