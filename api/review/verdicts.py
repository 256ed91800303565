"""A person judges a crossing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.canonical import new_id
from api.errors import PreconditionError, StaleError
from api.identity.roles import Call
from api.ingest.crossings import refresh_feature
from api.records.readable import find_readable
from api.release.releases import recall_all
from api.review.schemas import ReviewIn
from api.store.tables import CrossingRow, KeyRow, ReleaseRow, ReviewRow
from api.times import iso
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["list_reviews", "review"]

_STATE = {"confirm": "confirmed", "dismiss": "dismissed"}


def review(
    session: Session, call: Call, now_us: int, crossing_id: str, verdict: ReviewIn, *, if_match: str | None
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
    seen = find_readable(session, call.principal, now_us, crossing_id)
    if if_match is None:
        raise PreconditionError("a review needs If-Match with the ETag of the crossing that was looked at")
    current = f'"{seen.etag}"'
    if if_match.strip() != current:
        raise StaleError(f"crossing {crossing_id} is now {current}, not {if_match}: look at it again")
    row = session.get_one(CrossingRow, crossing_id)
    row.review_version += 1
    row.review_state = _STATE[verdict.verdict]
    record = ReviewRow(
        id=new_id(),
        crossing_id=row.id,
        revision=row.revision,
        version=row.review_version,
        digest=row.digest,
        verdict=verdict.verdict,
        reason=verdict.reason,
        reviewer=call.principal.key_id,
        time_us=now_us,
    )
    session.add(record)
    session.flush()
    if verdict.verdict == "dismiss":
        recall_all(session, call, now_us, ReleaseRow.crossing_id == row.id, "dismissed in review")
    refresh_feature(session, row)
    append_event(
        session,
        now_us,
        "crossing.reviewed",
        crossing_id=row.id,
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
    return _wire(record, call.principal.name) | {"etag": f'"{row.revision}-{row.review_version}"'}


def list_reviews(session: Session, call: Call, now_us: int, crossing_id: str) -> list[dict[str, Any]]:
    """Every verdict on a crossing, oldest first, as JSON values. Raises NotFoundError as `review` does."""
    find_readable(session, call.principal, now_us, crossing_id)
    rows = session.execute(
        select(ReviewRow, KeyRow.name)
        .join(KeyRow, KeyRow.id == ReviewRow.reviewer)
        .where(ReviewRow.crossing_id == crossing_id)
        .order_by(ReviewRow.version)
    )
    return [_wire(record, name) for record, name in rows]


def _wire(record: ReviewRow, reviewer: str) -> dict[str, Any]:
    return {
        "id": record.id,
        "crossing_id": record.crossing_id,
        "revision": record.revision,
        "verdict": record.verdict,
        "reason": record.reason,
        "reviewer": reviewer,
        "reviewer_key": record.reviewer,
        "time": iso(record.time_us),
    }
