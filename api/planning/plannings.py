"""Plannings in the store: asked for, told, taken by the planner, ended, forgotten.

Each state leads to others in one way only: queued, running, then done, failed or cancelled. A step that comes too late
(a planner that ends as somebody cancels) changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from sqlalchemy import BigInteger, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, undefer

from api.canonical import new_id
from api.errors import ConflictError, NotFoundError, RateLimitedError
from api.identity.roles import SYSTEM, Call, Principal
from api.pages import Page, Window, page_of
from api.planning.answers import MEDIA_TYPES
from api.planning.tables import PlanningFileRow, PlanningRow
from api.records.readable import may_read_plannings
from api.store.looks import Looks
from api.times import iso
from api.trail.audit import append_audit

__all__ = [
    "PlanFile",
    "ask",
    "done",
    "drop",
    "end",
    "fail_left",
    "file_of",
    "find",
    "forget_old",
    "is_due",
    "line_of",
    "list_plannings",
    "take_next",
    "tell",
    "told_of",
    "waits",
    "wanted",
]

_GOING = ("queued", "running")
_DUE = (  # asked several times a second
    select(PlanningRow.id)
    .where(
        or_(
            *(PlanningRow.state == state for state in _GOING),
            PlanningRow.ended_us < bindparam("before_us", type_=BigInteger),
        )
    )
    .limit(1)
)
_WAIT_S = 60.0
LEFT = "its planner is gone, since the service was restarted or its store was out of reach: ask for it again"


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A file of a plan; `sortie` is None where it is of all of them."""

    name: str
    sortie: str | None
    content: bytes


def ask(session: Session, call: Call, now_us: int, *, name: str, request: str, most: int, kept: int) -> PlanningRow:
    """Put a planning in the queue; make room for it among those of the caller that have ended.

    Parameters
    ----------
    name
        What it is called.
    request
        JSON of what was asked for.
    most
        Plannings of one person that may wait or run.
    kept
        Plannings of one person that have ended, and are kept.

    Raises
    ------
    RateLimitedError
        When the caller has that many.
    """
    person = call.principal.person
    going = select(func.count()).where(PlanningRow.person == person, PlanningRow.state.in_(_GOING))
    if (session.scalar(going) or 0) >= most:
        raise RateLimitedError(f"{most} plannings of yours wait or run: wait for one, or cancel one", _WAIT_S)
    _forget(session, now_us, _surplus(session, person, kept))
    row = PlanningRow(
        id=new_id(),
        name=name,
        person=person,
        asked_by=call.principal.name,
        asked_us=now_us,
        state="queued",
        progress=0.0,
        stage="waiting for its turn",
        request=request,
    )
    session.add(row)
    append_audit(session, call, now_us, "planning.ask", [row.id])
    return row


def find(
    session: Session, principal: Principal, planning_id: str, *, whole: bool = False, held: bool = False
) -> PlanningRow:
    """A planning that the caller may know of.

    Parameters
    ----------
    whole
        With what was asked for and what was found.
    held
        Nobody else changes it until the end of the transaction.

    Raises
    ------
    NotFoundError
        When there is none.
    """
    options = [undefer(PlanningRow.request), undefer(PlanningRow.found)] if whole else []
    known = may_read_plannings(principal)
    row = session.get(PlanningRow, planning_id, options=options, with_for_update=held or None) if known else None
    if row is None:
        raise NotFoundError(f"planning {planning_id} does not exist")
    return row


def list_plannings(session: Session, principal: Principal, window: Window) -> Page[PlanningRow]:
    """Plannings that the caller may know of, newest first."""
    if not may_read_plannings(principal):
        return Page([])
    query = select(PlanningRow)
    return page_of(session, query, window, PlanningRow.asked_us, PlanningRow.id, newest_first=True)


def file_of(session: Session, principal: Principal, planning_id: str, name: str) -> bytes:
    """A file of a plan.

    Raises
    ------
    NotFoundError
        When there is none.
    """
    find(session, principal, planning_id)
    found = select(PlanningFileRow.content).where(
        PlanningFileRow.planning_id == planning_id, PlanningFileRow.name == name
    )
    content = session.scalar(found)
    if content is None:
        raise NotFoundError(f"planning {planning_id} has no such file")
    return content


def drop(session: Session, call: Call, now_us: int, planning_id: str) -> None:
    """Cancel a planning that waits or runs; forget one that has ended.

    Raises
    ------
    NotFoundError
        When there is none.
    """
    row = find(session, call.principal, planning_id)
    if _end(session, planning_id, now_us, state="cancelled", error=f"{call.principal.name} cancelled it"):
        append_audit(session, call, now_us, "planning.cancel", [row.id])
        return
    session.execute(delete(PlanningRow).where(PlanningRow.id == planning_id))
    append_audit(session, call, now_us, "planning.forget", [row.id])


def take_next(session: Session, now_us: int) -> tuple[str, str] | None:
    """Begin the oldest planning that waits: its id, and the JSON of what was asked for."""
    oldest = select(PlanningRow).where(PlanningRow.state == "queued").order_by(PlanningRow.asked_us, PlanningRow.id)
    row = session.scalars(oldest.options(undefer(PlanningRow.request)).limit(1).with_for_update()).one_or_none()
    if row is None:
        return None
    row.state, row.started_us, row.stage = "running", now_us, "starting"
    append_audit(session, Call(SYSTEM, new_id()), now_us, "planning.begin", [row.id])
    return row.id, row.request


def tell(session: Session, planning_id: str, progress: float, stage: str) -> None:
    """Say how far a planning is; of one that runs no more nothing is said."""
    running = PlanningRow.id == planning_id, PlanningRow.state == "running"
    session.execute(update(PlanningRow).where(*running).values(progress=progress, stage=stage))


def end(
    session: Session,
    now_us: int,
    planning_id: str,
    *,
    error: str | None = None,
    found: str | None = None,
    files: Sequence[PlanFile] = (),
) -> None:
    """End a planning that runs: done with what was found, or failed by an error."""
    state = "done" if error is None else "failed"
    values = {"progress": 1.0} if error is None else {}
    if not _end(session, planning_id, now_us, state=state, error=error, found=found, **values):
        return
    session.add_all(
        PlanningFileRow(planning_id=planning_id, name=f.name, sortie=f.sortie, size=len(f.content), content=f.content)
        for f in files
    )
    append_audit(session, Call(SYSTEM, new_id()), now_us, "planning.end", [planning_id], state=state)


def fail_left(session: Session, now_us: int) -> None:
    """Say of plannings whose planner is gone that they failed."""
    for planning_id in session.scalars(select(PlanningRow.id).where(PlanningRow.state == "running")).all():
        end(session, now_us, planning_id, error=LEFT)


def wanted(session: Session, planning_ids: Sequence[str]) -> set[str]:
    """Those of running plannings that nobody cancelled."""
    going = select(PlanningRow.id).where(PlanningRow.id.in_(planning_ids), PlanningRow.state == "running")
    return set(session.scalars(going))


def is_due(looks: Looks, before_us: int) -> bool:
    """Whether there is work: a planning that waits or is said to run, or one that ended before a time."""
    return looks.first(_DUE, before_us=before_us) is not None


def waits(session: Session) -> bool:
    """Whether a planning waits for its turn."""
    return session.scalar(select(exists().where(PlanningRow.state == "queued"))) or False


def forget_old(session: Session, now_us: int, before_us: int) -> None:
    """Forget plannings that ended before a time."""
    _forget(session, now_us, session.scalars(select(PlanningRow.id).where(PlanningRow.ended_us < before_us)).all())


def _surplus(session: Session, person: str, kept: int) -> Sequence[str]:
    """Ended plannings of a person, so many that one less than `kept` are left: first those that nobody adopted."""
    ended = PlanningRow.person == person, PlanningRow.ended_us.is_not(None)
    count = session.scalar(select(func.count()).where(*ended)) or 0
    dear = PlanningRow.adopted_as.is_not(None)
    least = select(PlanningRow.id).where(*ended).order_by(dear, PlanningRow.ended_us, PlanningRow.id)
    return session.scalars(least.limit(max(0, count - kept + 1))).all()


def _forget(session: Session, now_us: int, planning_ids: Sequence[str]) -> None:
    if planning_ids:
        session.execute(delete(PlanningRow).where(PlanningRow.id.in_(planning_ids)))
        append_audit(session, Call(SYSTEM, new_id()), now_us, "planning.forget", list(planning_ids))


def line_of(row: PlanningRow) -> dict[str, Any]:
    """A planning as a `PlanningLine`."""
    return {
        "id": row.id,
        "name": row.name,
        "state": row.state,
        "progress": row.progress,
        "stage": row.stage,
        "asked": iso(row.asked_us),
        "asked_by": row.asked_by,
        "started": None if row.started_us is None else iso(row.started_us),
        "ended": None if row.ended_us is None else iso(row.ended_us),
        "error": row.error,
        "adopted": row.adopted_as is not None,
    }


def told_of(session: Session, row: PlanningRow) -> dict[str, Any]:
    """A planning as a `PlanningOut`."""
    result = None if row.found is None else {**json.loads(row.found), "files": _files(session, row.id)}
    return {**line_of(row), "request": json.loads(row.request), "result": result}


def _files(session: Session, planning_id: str) -> list[dict[str, Any]]:
    own = select(PlanningFileRow).where(PlanningFileRow.planning_id == planning_id).order_by(PlanningFileRow.name)
    return [
        {
            "name": file.name,
            "media_type": MEDIA_TYPES[PurePath(file.name).suffix],
            "size": file.size,
            "href": f"/plannings/{planning_id}/files/{quote(file.name)}",
            "sortie": file.sortie,
        }
        for file in session.scalars(own)
    ]


def done(row: PlanningRow) -> PlanningRow:
    """A planning that is done.

    Raises
    ------
    ConflictError
        When it is not.
    """
    if row.state != "done":
        raise ConflictError(f"planning {row.id} is {row.state}: only one that is done has a plan")
    return row


def _end(session: Session, planning_id: str, now_us: int, **values: Any) -> bool:
    """Whether the planning went on until now, and has ended."""
    going = PlanningRow.id == planning_id, PlanningRow.state.in_(_GOING)
    ended = update(PlanningRow).where(*going).values(ended_us=now_us, stage=values["state"], **values)
    return session.scalar(ended.returning(PlanningRow.id)) is not None
