"""People judge a crossing."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.canonical import new_id
from api.errors import ConflictError, PreconditionError, StaleError
from api.identity.roles import Call
from api.records.merges import MERGED, survivors
from api.records.readable import find_readable
from api.records.tables import StandingRow
from api.records.views import etag_of, refresh_views
from api.release.releases import recall_all
from api.release.standing import release_standing
from api.review.claims import drop_claim, require_free
from api.review.outcome import Outcome, Said, outcome_of
from api.review.policy import people_needed, policy_now, require_person
from api.review.queue import enqueue
from api.review.schemas import ReviewIn
from api.review.tables import DismissalRow
from api.store.tables import KeyRow, RecordRow, ReleaseRow, ReviewRow
from api.times import iso
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["list_reviews", "review", "settle"]


def review(
    session: Session, call: Call, now_us: int, record_id: str, verdict: ReviewIn, *, if_match: str | None
) -> dict[str, Any]:
    """Record a verdict on the state of the crossing that the reviewer saw, and what it comes to.

    A verdict is never changed; a later one of the same person counts in its place. Whatever is not confirmed any more
    is taken back from every partner.

    Returns
    -------
    dict
        The verdict as JSON values, with the `state` that it led to and the crossing's new etag.

    Raises
    ------
    NotFoundError
        When the reviewer may not know of the crossing.
    PreconditionError
        When `if_match` is None.
    StaleError
        When `if_match` is not the crossing's present etag: someone else judged it, or a newer revision came.
    ConflictError
        When another person holds the crossing, or another crossing stands for it.
    PermissionDeniedError
        When it takes two people, and the caller's key belongs to no account.
    """
    seen = find_readable(session, call.principal, now_us, record_id, type_="crossing")
    if if_match is None:
        raise PreconditionError("a review needs If-Match with the ETag of the crossing that was looked at")
    current = f'"{seen.etag}"'
    if if_match.strip() != current:
        raise StaleError(f"crossing {record_id} is now {current}, not {if_match}: look at it again")
    row = session.get_one(RecordRow, record_id)
    if row.review_state == MERGED:
        raise ConflictError(f"crossing {row.id} was merged into {survivors(session, [row.id])[row.id]}: judge that one")
    require_free(session, call, now_us, row.id)
    require_person(policy_now(session), json.loads(row.document), call.principal)
    row.review_version += 1
    record = ReviewRow(
        id=new_id(),
        record_id=row.id,
        revision=row.revision,
        version=row.review_version,
        digest=row.digest,
        verdict=verdict.verdict,
        reason=verdict.reason,
        reviewer=call.principal.person,
        reviewer_name=call.principal.name,
        time_us=now_us,
    )
    session.add(record)
    session.flush()
    if verdict.category is not None:
        session.add(DismissalRow(review_id=record.id, record_id=row.id, category=verdict.category))
    outcome = settle(session, row)
    drop_claim(session, row.id)
    if outcome.state != "confirmed":
        why = "disputed in review" if outcome.disputed else f"{outcome.state} in review"
        recall_all(session, call, now_us, ReleaseRow.record_id == row.id, why)
    refresh_views(session, [row])
    told: dict[str, Any] = {
        "verdict": verdict.verdict,
        "state": outcome.state,
        "disputed": outcome.disputed,
        "revision": row.revision,
    }
    append_event(
        session, now_us, "crossing.reviewed", record_id=row.id, record_type=row.type, review_id=record.id, **told
    )
    append_audit(session, call, now_us, "crossing.review", [row.id], saw=row.digest, category=verdict.category, **told)
    if outcome.state == "confirmed":
        release_standing(session, call, now_us, [row])
    return _wire(record, verdict.category) | {"state": outcome.state, "etag": f'"{etag_of(row)}"'}


def settle(session: Session, row: RecordRow) -> Outcome:
    """Set a crossing's review state, and its place in the queue, to what the verdicts on its revision come to."""
    query = select(ReviewRow).where(ReviewRow.record_id == row.id, ReviewRow.revision == row.revision)
    said = session.scalars(query.order_by(ReviewRow.version)).all()
    policy = policy_now(session)
    people = people_needed(policy, json.loads(row.document))
    if people > 1 and not policy.keys_are_people:  # what a key said while one was enough is no person's word now
        keys = set(session.scalars(select(KeyRow.id).where(KeyRow.id.in_({each.reviewer for each in said}))))
        said = [each for each in said if each.reviewer not in keys]
    outcome = outcome_of([Said(each.reviewer, each.verdict) for each in said], people)
    row.review_state = outcome.state
    last = said[-1] if said else None
    dismissal = None if last is None or outcome.state != "dismissed" else session.get(DismissalRow, last.id)
    first = last if outcome.waits else None
    session.merge(
        StandingRow(
            record_id=row.id,
            revision=row.revision,
            category=None if dismissal is None else dismissal.category,
            first_verdict=None if first is None else first.verdict,
            first_name=None if first is None else first.reviewer_name,
            first_us=None if first is None else first.time_us,
            disputed=outcome.disputed,
        )
    )
    session.flush()
    enqueue(session, [row])
    return outcome


def list_reviews(session: Session, call: Call, now_us: int, record_id: str) -> list[dict[str, Any]]:
    """Every verdict on a crossing, oldest first, as JSON values. Raises NotFoundError as `review` does."""
    find_readable(session, call.principal, now_us, record_id, type_="crossing")
    rows = session.scalars(select(ReviewRow).where(ReviewRow.record_id == record_id).order_by(ReviewRow.version)).all()
    named = session.execute(
        select(DismissalRow.review_id, DismissalRow.category).where(DismissalRow.record_id == record_id)
    )
    categories = dict(named.all())
    return [_wire(record, categories.get(record.id)) for record in rows]


def _wire(record: ReviewRow, category: str | None) -> dict[str, Any]:
    return {
        "id": record.id,
        "record_id": record.record_id,
        "revision": record.revision,
        "verdict": record.verdict,
        "reason": record.reason,
        "category": category,
        "reviewer": record.reviewer_name,
        "reviewer_key": record.reviewer,
        "time": iso(record.time_us),
    }
