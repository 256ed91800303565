"""What goes with a record when it is erased."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from api.records.tables import MergeRow, StandingRow
from api.records.views import refresh_views
from api.review.merging import part
from api.review.tables import (
    AnnotationRow,
    CaseEntryRow,
    CaseRecordRow,
    ClaimRow,
    DismissalRow,
    QueueRow,
    SeenRow,
)
from api.store.tables import RecordRow

__all__ = ["forget"]

_AT_ONCE = 400
_OF_A_RECORD = (AnnotationRow, CaseRecordRow, ClaimRow, DismissalRow, QueueRow, SeenRow, StandingRow)


def forget(session: Session, record_ids: Sequence[str]) -> None:
    """Remove all that people added to records: call it before the records themselves are erased.

    Notes, marks, claims and places in cases go; a case's history keeps when something went in and out, without the
    words. What was merged into one of them stands for itself again, as its own verdicts say; whoever they stood below
    no longer tells of them.
    """
    gone = set(record_ids)
    ids = sorted(gone)
    renewed: dict[str, RecordRow] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        links = session.scalars(
            select(MergeRow).where(or_(MergeRow.child_id.in_(some), MergeRow.parent_id.in_(some)))
        ).all()
        for link in links:
            renewed |= {row.id: row for row in part(session, link)}
        for table in _OF_A_RECORD:
            session.execute(delete(table).where(table.record_id.in_(some)))
        session.execute(update(CaseEntryRow).where(CaseEntryRow.record_id.in_(some)).values(text=None))
    session.flush()
    refresh_views(session, [row for id_, row in renewed.items() if id_ not in gone])
