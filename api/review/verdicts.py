"""A person judges a crossing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.canonical import new_id
from api.errors import PreconditionError, StaleError
from api.identity.roles import Call
from api.records.readable import find_readable
from api.records.views import etag_of, refresh_views
from api.release.releases import recall_all
from api.release.standing import release_standing
from api.review.schemas import ReviewIn
from api.store.tables import RecordRow, ReleaseRow, ReviewRow
from api.times import iso
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["list_reviews", "review"]

_STATE = {"confirm": "confirmed", "dismiss": "dismissed"}


def review(
    session: Session, call: Call, now_us: int, record_id: str, verdict: ReviewIn, *, if_match: str | None
) -> dict[str, Any]:
    """Record a verdict on the state of the crossing that the reviewer saw.

    A verdict is never changed; a later one counts in its place. A dismissal takes back every release.

    Returns
    -------
    dict
        The verdict as JSON values, with the crossing's new etag.

    Raises
    ------
    NotFoundError
        When the reviewer may not know of the crossing.
    PreconditionError
        When `if_match` is None.
    StaleError
        When `if_match` is not the crossing's present etag: someone else judged it, or a newer revision came.
    """
    seen = find_readable(session, call.principal, now_us, record_id, type_="crossing")
    if if_match is None:
        raise PreconditionError("a review needs If-Match with the ETag of the crossing that was looked at")
    current = f'"{seen.etag}"'
    if if_match.strip() != current:
        raise StaleError(f"crossing {record_id} is now {current}, not {if_match}: look at it again")
    row = session.get_one(RecordRow, record_id)
    row.review_version += 1
    row.review_state = _STATE[verdict.verdict]
    record = ReviewRow(
        id=new_id(),
        record_id=row.id,
        revision=row.revision,
        version=row.review_version,
        digest=row.digest,
        verdict=verdict.verdict,
        reason=verdict.reason,
        reviewer=call.principal.key_id,
        reviewer_name=call.principal.name,
        time_us=now_us,
    )
    session.add(record)
    session.flush()
    if verdict.verdict == "dismiss":
        recall_all(session, call, now_us, ReleaseRow.record_id == row.id, "dismissed in review")
    refresh_views(session, [row])
    append_event(
        session,
        now_us,
        "crossing.reviewed",
        record_id=row.id,
        record_type=row.type,
        revision=row.revision,
        verdict=verdict.verdict,
        review_id=record.id,
    )
    append_audit(
        session,
        call,
        now_us,
        "crossing.review",
        [row.id],
        verdict=verdict.verdict,
        revision=row.revision,
        saw=row.digest,
    )
    if verdict.verdict == "confirm":
        release_standing(session, call, now_us, [row])
    return _wire(record) | {"etag": f'"{etag_of(row)}"'}


def list_reviews(session: Session, call: Call, now_us: int, record_id: str) -> list[dict[str, Any]]:
    """Every verdict on a crossing, oldest first, as JSON values. Raises NotFoundError as `review` does."""
    find_readable(session, call.principal, now_us, record_id, type_="crossing")
    rows = session.scalars(select(ReviewRow).where(ReviewRow.record_id == record_id).order_by(ReviewRow.version))
    return [_wire(record) for record in rows]


def _wire(record: ReviewRow) -> dict[str, Any]:
    return {
        "id": record.id,
        "record_id": record.record_id,
        "revision": record.revision,
        "verdict": record.verdict,
        "reason": record.reason,
        "reviewer": record.reviewer_name,
        "reviewer_key": record.reviewer,
        "time": iso(record.time_us),
    }
