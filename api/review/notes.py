"""Notes on crossings: only added to, only for those inside, erased with the record."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.canonical import new_id
from api.identity.roles import Call
from api.pages import Page, Window, page_of
from api.records.readable import find_readable
from api.review.schemas import AnnotationIn
from api.review.tables import AnnotationRow
from api.times import iso
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["annotate", "list_annotations"]


def annotate(session: Session, call: Call, now_us: int, record_id: str, note: AnnotationIn) -> dict[str, Any]:
    """Add a note. Raises NotFoundError when the caller may not know of the crossing."""
    seen = find_readable(session, call.principal, now_us, record_id, type_="crossing")
    row = AnnotationRow(
        id=new_id(),
        record_id=record_id,
        revision=seen.revision,
        person=call.principal.person,
        name=call.principal.name,
        text=note.text,
        time_us=now_us,
    )
    session.add(row)
    session.flush()
    # Neither the log nor the audit repeats the note: both outlive the record.
    append_event(session, now_us, "crossing.annotated", record_id=record_id, record_type="crossing", annotation=row.id)
    append_audit(session, call, now_us, "crossing.annotate", [record_id], annotation=row.id)
    return _wire(row)


def list_annotations(session: Session, call: Call, now_us: int, record_id: str, window: Window) -> Page[dict[str, Any]]:
    """Notes on a crossing, oldest first. Raises NotFoundError as `annotate` does."""
    find_readable(session, call.principal, now_us, record_id, type_="crossing")
    query = select(AnnotationRow).where(AnnotationRow.record_id == record_id)
    return page_of(session, query, window, AnnotationRow.time_us, AnnotationRow.id).map(_wire)


def _wire(row: AnnotationRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "record_id": row.record_id,
        "revision": row.revision,
        "text": row.text,
        "author": row.name,
        "time": iso(row.time_us),
    }
