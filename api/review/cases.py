"""Case files: records that belong together, who works on them, and what was done."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from api.canonical import new_id
from api.errors import ConflictError, NotFoundError, PermissionDeniedError, PreconditionError, StaleError
from api.identity.roles import Call, Permission
from api.pages import Page, Window, page_of
from api.records.readable import find_readable, readable_records
from api.review.schemas import AttachIn, CaseIn, CasePatch
from api.review.tables import CaseEntryRow, CaseRecordRow, CaseRow
from api.times import iso
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["case_history", "change_case", "get_case", "held_records", "list_cases", "open_case"]

_MOST = 1000
"""Records in one case."""


def open_case(session: Session, call: Call, now_us: int, wish: CaseIn) -> dict[str, Any]:
    """Open a case that the caller owns.

    Raises
    ------
    NotFoundError
        When the caller may not know of a record that goes in.
    ConflictError
        When a record is named twice.
    """
    row = CaseRow(
        id=new_id(),
        version=1,
        title=wish.title,
        state="open",
        owner=call.principal.person,
        owner_name=call.principal.name,
        hold=False,
        opened_us=now_us,
        closed_us=None,
    )
    session.add(row)
    session.flush()
    work = _Work(session, call, now_us, row)
    work.note("opened", text=wish.title)
    if wish.note is not None:
        work.note("note", text=wish.note)
    work.attach(wish.attach)
    append_event(session, now_us, "case.opened", case_id=row.id)
    append_audit(session, call, now_us, "case.open", [row.id, *(each.record_id for each in wish.attach)])
    return _wire(row)


def change_case(
    session: Session, call: Call, now_us: int, case_id: str, wish: CasePatch, *, if_match: str | None
) -> dict[str, Any]:
    """Change a case in the state that the caller saw: all that is wished for, or nothing.

    Raises
    ------
    NotFoundError
        When there is no such case, or the caller may not know of a record that goes in, or one that goes out is not in.
    PreconditionError
        When `if_match` is None.
    StaleError
        When `if_match` is not the case's present etag.
    PermissionDeniedError
        When it closes, opens, renames or takes a case that another person owns, or places or lifts a hold, and the
        caller is no supervisor.
    ConflictError
        When records would go into or out of a closed case, or one is in it already, or there would be too many; or a
        case under hold would be closed.
    """
    row = session.get(CaseRow, case_id)
    if row is None:
        raise NotFoundError(f"case {case_id} does not exist")
    if if_match is None:
        raise PreconditionError("a change of a case needs If-Match with the ETag of the case that was looked at")
    if if_match.strip() != _etag(row):
        raise StaleError(f"case {case_id} is now {_etag(row)}, not {if_match}: look at it again")
    _require_right(call, row, wish)
    work = _Work(session, call, now_us, row)
    changed = work.change(wish)
    if wish.note is not None:
        work.note("note", text=wish.note)
    if wish.attach or wish.detach:
        if row.state != "open":
            raise ConflictError(f"case {case_id} is closed: open it again before records go in or out")
        work.detach(wish.detach)
        work.attach(wish.attach)
    row.version += 1
    session.flush()
    into, out = [each.record_id for each in wish.attach], [each.record_id for each in wish.detach]
    told = changed | {"attached": into, "detached": out, "version": row.version}
    append_event(session, now_us, "case.changed", case_id=row.id, **told)
    append_audit(session, call, now_us, "case.change", [row.id, *into, *out], **told)
    return _wire(row)


def list_cases(session: Session, window: Window, *, state: str | None, record_id: str | None) -> Page[dict[str, Any]]:
    """Cases, the newest first, without what is in them, as JSON values."""
    query = select(CaseRow)
    if state is not None:
        query = query.where(CaseRow.state == state)
    if record_id is not None:
        query = query.where(CaseRow.id.in_(select(CaseRecordRow.case_id).where(CaseRecordRow.record_id == record_id)))
    return page_of(session, query, window, CaseRow.opened_us, CaseRow.id, newest_first=True).map(_wire)


def get_case(session: Session, call: Call, now_us: int, case_id: str) -> dict[str, Any]:
    """A case with those of its records that the caller may read; what the caller may not is not in it, nor counted.

    Raises
    ------
    NotFoundError
        When there is no such case.
    """
    row = session.get(CaseRow, case_id)
    if row is None:
        raise NotFoundError(f"case {case_id} does not exist")
    attached = select(CaseRecordRow).where(CaseRecordRow.case_id == case_id)
    rows = session.scalars(attached.order_by(CaseRecordRow.attached_us, CaseRecordRow.record_id)).all()
    readable = readable_records(call.principal, now_us)
    column = readable.rows.c
    found: dict[str, Any] = {}
    ordered = [each.record_id for each in rows]
    for start in range(0, len(ordered), 400):
        query = select(column.id, column.type, column.feature).where(column.id.in_(ordered[start : start + 400]))
        found |= {each.id: each for each in session.execute(query, readable.parameters)}
    return _wire(row) | {
        "records": [
            {
                "id": each.record_id,
                "type": found[each.record_id].type,
                "attached": iso(each.attached_us),
                "by": each.name,
                "reason": each.reason,
                "feature": json.loads(found[each.record_id].feature),
            }
            for each in rows
            if each.record_id in found
        ],
    }


def case_history(session: Session, call: Call, now_us: int, case_id: str, window: Window) -> Page[dict[str, Any]]:
    """What was done to a case, oldest first; lines that name a record which the caller may not read are not in it.

    Raises
    ------
    NotFoundError
        When there is no such case.
    """
    if session.get(CaseRow, case_id) is None:
        raise NotFoundError(f"case {case_id} does not exist")
    readable = readable_records(call.principal, now_us)
    known = select(readable.rows.c.id).where(readable.rows.c.id == CaseEntryRow.record_id).exists()
    query = (
        select(CaseEntryRow)
        .where(CaseEntryRow.case_id == case_id, or_(CaseEntryRow.record_id.is_(None), known))
        .params(readable.parameters)
    )
    return page_of(session, query, window, CaseEntryRow.n, CaseEntryRow.case_id).map(_entry_wire)


def _entry_wire(row: CaseEntryRow) -> dict[str, Any]:
    return {
        "time": iso(row.time_us),
        "by": row.name,
        "kind": row.kind,
        "record_id": row.record_id,
        "text": row.text,
    }


def held_records() -> ColumnElement[bool]:
    """The condition on `CaseRecordRow.record_id` that a record is kept beyond its retention by a case under hold.

    Use it as ``RecordRow.id.not_in(select(CaseRecordRow.record_id).where(held_records()))`` wherever retention ends
    records. A hold that is lifted lets them go at once.
    """
    return CaseRecordRow.case_id.in_(select(CaseRow.id).where(CaseRow.hold))


def _require_right(call: Call, row: CaseRow, wish: CasePatch) -> None:
    if call.principal.may(Permission.CASE_HOLD):
        return
    if wish.hold is not None:
        raise PermissionDeniedError("a hold is placed and lifted by a supervisor")
    if row.owner != call.principal.person and (wish.state is not None or wish.title is not None or wish.take):
        raise PermissionDeniedError(f"case {row.id} is {row.owner_name}'s: ask them or a supervisor")


class _Work:
    """What one person does to a case at one time; each step is a line of the case's history."""

    def __init__(self, session: Session, call: Call, now_us: int, row: CaseRow) -> None:
        self._session, self._call, self._now_us, self._row = session, call, now_us, row
        last = select(func.max(CaseEntryRow.n)).where(CaseEntryRow.case_id == row.id)
        self._n = session.scalar(last) or 0

    def note(self, kind: str, *, record_id: str | None = None, text: str | None = None) -> None:
        """Add one line."""
        self._n += 1
        self._session.add(
            CaseEntryRow(
                case_id=self._row.id,
                n=self._n,
                time_us=self._now_us,
                person=self._call.principal.person,
                name=self._call.principal.name,
                kind=kind,
                record_id=record_id,
                text=text,
            )
        )

    def change(self, wish: CasePatch) -> dict[str, Any]:
        """Change what the case says of itself; what changed, without the words, for those the case alone keeps."""
        row, who, changed = self._row, self._call.principal, dict[str, Any]()
        if wish.take and row.owner != who.person:
            row.owner, row.owner_name = who.person, who.name
            changed["owner"] = who.name
            self.note("taken", text=wish.reason)
        if wish.title not in {None, row.title}:
            row.title = wish.title or row.title
            changed["title"] = True
            self.note("renamed", text=wish.title)
        if wish.hold not in {None, row.hold}:
            row.hold = changed["hold"] = bool(wish.hold)
            self.note("held" if row.hold else "let-go", text=wish.reason)
        if wish.state not in {None, row.state}:
            if wish.state == "closed" and (row.hold or wish.attach or wish.detach):
                raise ConflictError(f"case {row.id} is closed when its hold is lifted and nothing goes in or out")
            row.state = changed["state"] = wish.state or row.state
            row.closed_us = None if row.state == "open" else self._now_us
            self.note("closed" if row.closed_us else "opened", text=wish.reason)
        return changed

    def attach(self, wish: Iterable[AttachIn]) -> None:
        """Put records in."""
        session, row = self._session, self._row
        for each in wish:
            find_readable(session, self._call.principal, self._now_us, each.record_id)
            if session.get(CaseRecordRow, (row.id, each.record_id)) is not None:
                raise ConflictError(f"record {each.record_id} is in case {row.id} already")
            session.add(
                CaseRecordRow(
                    case_id=row.id,
                    record_id=each.record_id,
                    attached_us=self._now_us,
                    person=self._call.principal.person,
                    name=self._call.principal.name,
                    reason=each.reason,
                )
            )
            session.flush()
            self.note("attached", record_id=each.record_id, text=each.reason)
        number = select(func.count()).select_from(CaseRecordRow).where(CaseRecordRow.case_id == row.id)
        if (session.scalar(number) or 0) > _MOST:
            raise ConflictError(f"case {row.id} would hold more than {_MOST} records: open another")

    def detach(self, wish: Iterable[AttachIn]) -> None:
        """Take records out; one that the caller may not know of is in no case."""
        for each in wish:
            find_readable(self._session, self._call.principal, self._now_us, each.record_id)
            link = self._session.get(CaseRecordRow, (self._row.id, each.record_id))
            if link is None:
                raise NotFoundError(f"record {each.record_id} is not in case {self._row.id}")
            self._session.delete(link)
            self._session.flush()
            self.note("detached", record_id=each.record_id, text=each.reason)


def _etag(row: CaseRow) -> str:
    return f'"{row.version}"'


def _wire(row: CaseRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "state": row.state,
        "owner": row.owner_name,
        "hold": row.hold,
        "opened": iso(row.opened_us),
        "closed": None if row.closed_us is None else iso(row.closed_us),
        "etag": _etag(row),
    }
