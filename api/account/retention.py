"""How long records are kept: rules by purpose, and legal holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.account.assent import assented
from api.account.tables import HoldRow, RetentionRow
from api.canonical import new_id
from api.errors import ConflictError, NotFoundError
from api.identity.roles import Call
from api.ingest.records import GONE
from api.pages import Page, Window, page_of
from api.review.cases import held_records
from api.review.tables import CaseRecordRow
from api.store.tables import RecordRow
from api.times import iso
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = [
    "due",
    "end_rule",
    "held",
    "lift_hold",
    "list_holds",
    "list_rules",
    "place_hold",
    "set_rule",
]

_DAY_US = 86_400_000_000


def set_rule(session: Session, call: Call, now_us: int, purpose: str, days: int) -> dict[str, Any]:
    """Keep records of a purpose for `days` at most; what a record says of itself stays its own bound."""
    row = session.get(RetentionRow, purpose)
    before = None if row is None else row.days
    if row is None:
        row = RetentionRow(purpose=purpose)
        session.add(row)
    row.days, row.set_by, row.set_us = days, call.principal.key_id, now_us
    session.flush()
    append_event(session, now_us, "retention.set", purpose=purpose, days=days)
    append_audit(session, call, now_us, "retention.set", [], purpose=purpose, days=days, before=before)
    return _rule_wire(row)


def end_rule(session: Session, call: Call, now_us: int, purpose: str) -> None:
    """Let records of a purpose be kept for as long as they say themselves. Raises NotFoundError."""
    row = session.get(RetentionRow, purpose)
    if row is None:
        raise NotFoundError(f"there is no rule for purpose {purpose}")
    session.delete(row)
    append_event(session, now_us, "retention.ended", purpose=purpose)
    append_audit(session, call, now_us, "retention.end", [], purpose=purpose, before=row.days)


def list_rules(session: Session) -> list[dict[str, Any]]:
    """Every rule by purpose, as JSON values."""
    return [_rule_wire(row) for row in session.scalars(select(RetentionRow).order_by(RetentionRow.purpose))]


def place_hold(session: Session, call: Call, now_us: int, record_id: str, reason: str) -> dict[str, Any]:
    """Keep a record from being erased, by retention or on request; it is not shown for longer.

    Raises
    ------
    NotFoundError
        When there is no such record, or its content is gone.
    """
    row = session.get(RecordRow, record_id)
    if row is None or row.review_state in GONE:
        raise NotFoundError(f"record {record_id} does not exist")
    me = call.principal.key_id
    hold = HoldRow(id=new_id(), record_id=record_id, reason=reason, placed_by=me, placed_us=now_us)
    session.add(hold)
    session.flush()
    append_event(session, now_us, "hold.placed", record_id=record_id, record_type=row.type, hold_id=hold.id)
    append_audit(session, call, now_us, "hold.place", [record_id], hold=hold.id)
    return _hold_wire(hold)


def lift_hold(
    session: Session, call: Call, now_us: int, hold_id: str, reason: str, *, two_people: bool
) -> dict[str, Any] | None:
    """End a hold; None where a second person has to want it too.

    Raises
    ------
    NotFoundError
        When no such hold stands.
    ConflictError
        As `assented` does.
    """
    hold = session.get(HoldRow, hold_id)
    if hold is None or hold.lifted_us is not None:
        raise NotFoundError(f"hold {hold_id} does not exist or is already lifted")
    if not assented(session, call, now_us, "hold.lift", hold_id, two_people=two_people):
        return None
    hold.lifted_by, hold.lifted_us, hold.lift_reason = call.principal.key_id, now_us, reason
    record = session.get_one(RecordRow, hold.record_id)
    append_event(session, now_us, "hold.lifted", record_id=record.id, record_type=record.type, hold_id=hold.id)
    append_audit(session, call, now_us, "hold.lift", [hold.record_id], hold=hold.id)
    return _hold_wire(hold)


def list_holds(session: Session, window: Window, *, record_id: str | None = None) -> Page[dict[str, Any]]:
    """Holds, oldest first, lifted ones too, as JSON values."""
    query = select(HoldRow)
    if record_id is not None:
        query = query.where(HoldRow.record_id == record_id)
    return page_of(session, query, window, HoldRow.placed_us, HoldRow.id).map(_hold_wire)


def held(session: Session, record_id: str) -> None:
    """Raise ConflictError where a hold stands on a record."""
    in_case = select(CaseRecordRow.case_id).where(CaseRecordRow.record_id == record_id, held_records()).limit(1)
    if session.scalar(in_case):
        raise ConflictError(f"record {record_id} is in a case on legal hold: ask again when the hold is lifted")
    if session.scalar(select(HoldRow.id).where(HoldRow.record_id == record_id, HoldRow.lifted_us.is_(None)).limit(1)):
        raise ConflictError(f"record {record_id} is on legal hold: ask again when the hold is lifted")


def due(session: Session, now_us: int, *, limit: int) -> tuple[str, Sequence[RecordRow]]:
    """Records that one rule says are to be erased now, and the rule; none where nothing has run out."""
    held_alone = select(HoldRow.record_id).where(HoldRow.lifted_us.is_(None))
    in_cases = select(CaseRecordRow.record_id).where(held_records())
    query = (
        select(RecordRow)
        .where(RecordRow.review_state.not_in(GONE), RecordRow.id.not_in(held_alone), RecordRow.id.not_in(in_cases))
        .limit(limit)
    )
    rows = session.scalars(query.where(RecordRow.expires_us <= now_us)).all()
    if rows:
        return "the record's own retention ran out", rows
    for rule in session.scalars(select(RetentionRow).order_by(RetentionRow.purpose)).all():
        old = RecordRow.received_us <= now_us - rule.days * _DAY_US
        rows = session.scalars(query.where(RecordRow.purpose == rule.purpose, old)).all()
        if rows:
            return f"purpose {rule.purpose} is kept for {rule.days} days", rows
    return "", []


def _rule_wire(row: RetentionRow) -> dict[str, Any]:
    return {"purpose": row.purpose, "days": row.days, "set": iso(row.set_us), "set_by": row.set_by}


def _hold_wire(row: HoldRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "record_id": row.record_id,
        "reason": row.reason,
        "placed": iso(row.placed_us),
        "placed_by": row.placed_by,
        "lifted": None if row.lifted_us is None else iso(row.lifted_us),
        "lifted_by": row.lifted_by,
        "lift_reason": row.lift_reason,
    }
