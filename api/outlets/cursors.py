"""What an outlet has still to tell, and how far it is: the database's part.

Nothing is queued in memory: the log is the queue, and a batch is read when the other side has taken the one before.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.canonical import new_id
from api.feeds.lease import runs
from api.identity.roles import Call
from api.outlets.settings import Outlet
from api.outlets.tables import OutletRow
from api.records.readable import readable_records
from api.store.engine import Store
from api.store.tables import EventRow
from api.trail.audit import append_audit
from api.trail.log import narrowed_since, read_events

__all__ = ["Batch", "Told", "hold", "let_go", "list_outlets", "move", "next_batch", "note_problem"]

_BATCH = 100
# What changes the state that somebody outside is shown; everything else in a log passes by.
_TELLING = {
    "record.created",
    "record.replaced",
    "record.erased",
    "crossing.reviewed",
    "crossing.merged",
    "crossing.split",
    "evidence.stored",
    "release.created",
    "release.recalled",
}
_OF_PARTNERS = {"release.created", "release.recalled"}


@dataclass(frozen=True, slots=True)
class Told:
    """The present state of one record that an event told of.

    Parameters
    ----------
    n
        Number of the event in the audience's log.
    record_id, record_type
        Which record.
    feature
        GeoJSON Feature as the audience may see it; None where it may not (any more).
    media
        Which evidence it may fetch: "none", "blurred", "redacted" or "original".
    review
        The state of its review.
    """

    n: int
    record_id: str
    record_type: str
    feature: dict[str, Any] | None
    media: str = "none"
    review: str = "none"


@dataclass(frozen=True, slots=True)
class Batch:
    """What is to be told next, in order, and the cursor once it is."""

    told: Sequence[Told]
    until: int


def next_batch(store: Store, outlet: Outlet) -> Batch | None:
    """What comes after the outlet's cursor, as it is now; None when there is nothing.

    A record that several events tell of is told once, with the last of them: states in between are gone. What is told
    is written into the audit before it is handed over; where less may be told by then, it is looked up anew.
    """
    stamp, now = store.stamp(), store.clock()
    with store.read() as session:
        row = session.get(OutletRow, outlet.name)
        after = 0 if row is None else row.n
        events = read_events(session, audience=outlet.audience, after=after, limit=_BATCH)
        if not events:
            return None
        told = _told(session, outlet, now, events)

    def note(session: Session) -> Sequence[Told]:
        still = _told(session, outlet, store.clock(), events) if narrowed_since(session, stamp) else told
        if still:
            objects = [each.record_id for each in still]
            append_audit(session, Call(outlet.principal, new_id()), now, "outlet.tell", objects)
        return still

    return Batch(store.write_together(note) if told else told, events[-1]["n"])


def hold(store: Store, outlet: Outlet, holder: str, hold_s: float) -> bool:
    """Take or keep the outlet for one process; whether it is ours. Makes the cursor when there is none."""
    with store.write() as session:
        now = store.clock()
        row = _locked(session, outlet)
        if row is None:
            row = OutletRow(name=outlet.name, audience=outlet.audience, n=0, moved_us=now, held_us=0)
            row.n = _head(session, outlet.audience) if outlet.since == "now" else 0
            session.add(row)
        elif row.audience != outlet.audience:
            # Numbers of one log mean nothing in another.
            row.audience, row.n = outlet.audience, 0
        held = round(hold_s * 1e6)
        if row.holder not in {None, holder} and runs(row.held_us, now, held):
            return False
        row.holder, row.held_us = holder, now + held
        return True


def let_go(store: Store, outlet: Outlet, holder: str) -> None:
    """Leave the outlet to whoever comes first."""
    with store.write() as session:
        row = _locked(session, outlet)
        if row is not None and row.holder == holder:
            row.holder, row.held_us = None, 0


def move(store: Store, outlet: Outlet, holder: str, until: int) -> bool:
    """Move the cursor; False where another process has taken the outlet meanwhile."""
    with store.write() as session:
        row = _locked(session, outlet)
        if row is None or row.holder != holder:
            return False
        row.n, row.moved_us, row.problem = until, store.clock(), None
        return True


def note_problem(store: Store, outlet: Outlet, problem: str) -> None:
    """Write down why the outlet does not move."""
    with store.write() as session:
        row = session.get(OutletRow, outlet.name)
        if row is not None and row.problem != problem[:500]:
            row.problem = problem[:500]


def list_outlets(session: Session) -> list[tuple[OutletRow, int]]:
    """Every outlet there ever was, by name, with the newest number of its audience's log."""
    rows = session.scalars(select(OutletRow).order_by(OutletRow.name)).all()
    return [(row, _head(session, row.audience)) for row in rows]


def _locked(session: Session, outlet: Outlet) -> OutletRow | None:
    """The cursor, which no other process changes before this transaction ends."""
    return session.get(OutletRow, outlet.name, with_for_update=True)


def _head(session: Session, audience: str) -> int:
    return session.scalar(select(func.max(EventRow.n)).where(EventRow.audience == audience)) or 0


def _told(session: Session, outlet: Outlet, now_us: int, events: list[dict[str, Any]]) -> list[Told]:
    telling = _TELLING - _OF_PARTNERS if outlet.partner_id is None else _OF_PARTNERS
    last: dict[str, dict[str, Any]] = {}
    for event in events:
        if event["kind"] in telling and event["record_type"] in outlet.types:
            last.pop(event["record_id"], None)  # to the end of the order
            last[event["record_id"]] = event
    readable = readable_records(outlet.principal, now_us)
    statement = select(readable.rows).where(readable.rows.c.id.in_(list(last)))
    rows = {row.id: row for row in session.execute(statement, readable.parameters)} if last else {}
    return [_state(event, rows.get(record_id)) for record_id, event in last.items()]


def _state(event: dict[str, Any], row: Any) -> Told:
    if row is None:
        return Told(event["n"], event["record_id"], event["record_type"], None)
    return Told(event["n"], row.id, row.type, json.loads(row.feature), row.media, row.review)
