"""What each person has looked at: a mark of one's own, on one revision."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from api.errors import NotFoundError
from api.identity.roles import Call
from api.records.readable import readable_records
from api.review.tables import SeenRow
from api.trail.audit import append_audit

__all__ = ["mark_seen"]

_AT_ONCE = 400


def mark_seen(session: Session, call: Call, now_us: int, ids: Sequence[str], *, seen: bool = True) -> int:
    """Note that the caller has looked at crossings in their present revision, or take that back; how many changed.

    A newer revision has not been looked at. Nobody is told of it but the caller and the audit.

    Raises
    ------
    NotFoundError
        When the caller may not know of one of them: then none is marked.
    """
    ids = list(dict.fromkeys(ids))
    readable, person = readable_records(call.principal, now_us), call.principal.person
    column = readable.rows.c
    changed = 0
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        query = select(column.id, column.revision).where(column.id.in_(some), column.type == "crossing")
        now = dict(session.execute(query, readable.parameters).all())
        missing = next((id_ for id_ in some if id_ not in now), None)
        if missing is not None:
            raise NotFoundError(f"crossing {missing} does not exist")
        mine = (SeenRow.person == person) & SeenRow.record_id.in_(some)
        marked = dict(session.execute(select(SeenRow.record_id, SeenRow.revision).where(mine)).all())
        turned = [id_ for id_ in some if (marked.get(id_) == now[id_]) is not seen]
        session.execute(delete(SeenRow).where(SeenRow.person == person, SeenRow.record_id.in_(turned)))
        if turned and seen:
            rows = [{"record_id": id_, "person": person, "revision": now[id_], "time_us": now_us} for id_ in turned]
            session.execute(insert(SeenRow), rows)
        changed += len(turned)
    append_audit(session, call, now_us, "crossing.see", ids, seen=seen)
    return changed
