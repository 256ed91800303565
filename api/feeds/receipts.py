"""Recalls that their partner has not confirmed: they are offered again until a receipt comes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.store.tables import EventRow, ReleaseRow
from api.trail.log import event_of

__all__ = ["outstanding_recalls"]

_MOST = 1000


def outstanding_recalls(session: Session, audience: str, upto_n: int) -> list[dict[str, Any]]:
    """Events `release.recalled` of a partner for which no receipt has come, in order; none for those inside.

    Parameters
    ----------
    session
        Any session.
    audience
        A partner's id.
    upto_n
        The last event that was told: what comes after it is told anyway.
    """
    waiting = select(ReleaseRow.id, ReleaseRow.record_id).where(
        ReleaseRow.partner_id == audience,
        ReleaseRow.recalled_us.is_not(None),
        ReleaseRow.announced,
        ReleaseRow.receipt_us.is_(None),
    )
    releases = {row.id: row.record_id for row in session.execute(waiting.order_by(ReleaseRow.recalled_us).limit(_MOST))}
    if not releases:
        return []
    rows = session.scalars(
        select(EventRow)
        .where(
            EventRow.audience == audience,
            EventRow.n <= upto_n,
            EventRow.kind == "release.recalled",
            EventRow.record_id.in_(set(releases.values())),
        )
        .order_by(EventRow.n)
    )
    events = [event_of(row) for row in rows]
    return [event for event in events if event["detail"]["release_id"] in releases]
