"""The queue of crossings that wait for a verdict, the gravest first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, String, Subquery, and_, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from api.identity.roles import Call, Principal
from api.records.kept import Record, content_of
from api.records.lists import RecordFilter, count_readable, list_readable
from api.records.readable import readable_records
from api.review.claims import claim_wire, live
from api.review.policy import people_needed, policy_now, put_policy, severity_of
from api.review.schemas import SEVERITIES, PolicyIn, Severity
from api.review.tables import ClaimRow, QueueRow, SeenRow
from api.store.direct import Writing, direct
from api.store.tables import Base, RecordRow

__all__ = ["MOST_COUNTED", "Place", "QueueFilter", "change_policy", "enqueue", "fill_queue", "read_queue"]

_AT_ONCE = 400
MOST_COUNTED = 1000
"""Of one severity: whoever asks for a page does not wait until all that wait are counted."""
_QUEUE = Base.metadata.tables["review_queue"]
_ENQUEUE = insert(_QUEUE)
_LEAVE = delete(_QUEUE).where(_QUEUE.c.record_id == bindparam("left", type_=String))
Place = tuple[str, int, str]
"""Severity, time in microseconds, and id of the last crossing of the page before."""


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which of those that wait; None means any.

    Parameters
    ----------
    records
        Area, time and kind.
    severity
        One of `SEVERITIES`.
    claimed
        "none": nobody is at work on it; "mine": the caller is.
    seen
        Whether the caller has looked at its present revision.
    """

    records: RecordFilter
    severity: Severity | None = None
    claimed: str | None = None
    seen: bool | None = None


def enqueue(session: Writing, rows: Sequence[Record], *, fresh: bool = False) -> None:
    """Put crossings into the queue, or take them out of it, by their review state.

    Of a `fresh` delivery, first revisions cannot be in it yet.
    """
    known = [{"left": row.id} for row in rows if row.revision > 1 or not fresh]
    if known:
        direct(session, _LEAVE, known)
    waiting = [row for row in rows if row.review_state == "pending"]
    if waiting:
        policy = policy_now(session)
        direct(session, _ENQUEUE, [_place(policy, row.id, row.time_us, content_of(row)) for row in waiting])


def fill_queue(session: Session) -> None:
    """Put every crossing that waits into the queue: after a migration."""
    there = select(QueueRow.record_id)
    waiting = RecordRow.id.not_in(there), RecordRow.review_state == "pending", RecordRow.type == "crossing"
    policy = policy_now(session)
    query = select(RecordRow.id, RecordRow.time_us, RecordRow.document).where(*waiting)
    places = [
        _place(policy, row.id, row.time_us, json.loads(row.document))
        for row in session.execute(query.execution_options(yield_per=_AT_ONCE))
    ]
    if places:
        direct(session, _ENQUEUE, places)


def change_policy(session: Session, call: Call, now_us: int, policy: PolicyIn, *, if_match: str | None) -> Any:
    """Put other rules in force and sort the queue by them. Raises as `put_policy` does."""
    body = put_policy(session, call, now_us, policy, if_match=if_match)
    waiting = select(RecordRow.id, RecordRow.time_us, RecordRow.document).join(
        QueueRow, RecordRow.id == QueueRow.record_id
    )
    places = [
        _place(policy, row.id, row.time_us, json.loads(row.document))
        for row in session.execute(waiting.execution_options(yield_per=_AT_ONCE))
    ]
    if places:
        session.execute(update(QueueRow), places)
    return body


def read_queue(
    session: Session, call: Call, now_us: int, which: QueueFilter, *, limit: int, after: Place | None = None
) -> dict[str, Any]:
    """One page of the queue as the caller may read it.

    Returns
    -------
    dict
        `counts`: by severity, over all pages; `MOST_COUNTED` stands for that many or more. `items`: the gravest
        first, then the newest; of each the severity, the claim, how many `people` have to confirm it, whether the
        caller has `seen` this revision, and the Feature. `next`: the place that the next page comes after; None on the
        last.
    """
    tiers = [tier for tier in SEVERITIES if which.severity in {None, tier}]
    sought = {tier: _sought(call.principal, now_us, which, tier) for tier in tiers}
    counts = {tier: count_readable(session, call.principal, now_us, sought[tier], most=MOST_COUNTED) for tier in tiers}
    found: list[tuple[Severity, Any]] = []
    for tier in tiers:
        if after is not None and SEVERITIES.index(tier) < SEVERITIES.index(after[0]):
            continue
        place = None if after is None or tier != after[0] else after[1:]
        wanted = limit + 1 - len(found)
        if wanted > 0 and counts[tier]:
            rows = list_readable(session, call.principal, now_us, sought[tier], limit=wanted, after=place)
            found += [(tier, row) for row in rows]
    page = found[:limit]
    ids = [row.id for _, row in page]
    claims = {
        row.record_id: row for row in session.scalars(select(ClaimRow).where(ClaimRow.record_id.in_(ids), live(now_us)))
    }
    seen = _seen(session, call.principal, now_us, ids)
    people = dict(session.execute(select(QueueRow.record_id, QueueRow.people).where(QueueRow.record_id.in_(ids))).all())
    last = page[-1] if len(found) > limit else None
    return {
        "counts": counts,
        "items": [
            {
                "id": row.id,
                "severity": tier,
                "people": people[row.id],
                "claim": claim_wire(claims[row.id], call) if row.id in claims else None,
                "seen": row.id in seen,
                "feature": json.loads(row.feature),
            }
            for tier, row in page
        ],
        "next": None if last is None else (last[0], last[1].time_us, last[1].id),
    }


def _place(policy: PolicyIn, record_id: str, time_us: int, document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "record_id": record_id,
        "severity": severity_of(policy, document),
        "time_us": time_us,
        "people": people_needed(policy, document),
    }


def _sought(principal: Principal, now_us: int, which: QueueFilter, tier: Severity) -> RecordFilter:
    column = readable_records(principal, now_us).rows.c
    rules: list[ColumnElement[bool]] = []
    if which.claimed is not None:
        held = select(ClaimRow.record_id).where(live(now_us))
        mine = held.where(ClaimRow.person == principal.person)
        rules.append(column.id.in_(mine) if which.claimed == "mine" else column.id.not_in(held))
    if which.seen is not None:
        mark = _marked(column, principal)
        rules.append(mark if which.seen else ~mark)
    where = and_(*rules) if rules else None
    return replace(which.records, review="pending", where=where, waiting=_waiting(), waits={"severity": tier})


@cache
def _waiting() -> Subquery:
    severity = bindparam("severity", type_=String)
    return select(QueueRow.record_id, QueueRow.time_us).where(QueueRow.severity == severity).subquery()


def _marked(column: Any, principal: Principal) -> ColumnElement[bool]:
    mark = select(SeenRow.record_id).where(
        SeenRow.record_id == column.id, SeenRow.revision == column.revision, SeenRow.person == principal.person
    )
    return mark.exists()


def _seen(session: Session, principal: Principal, now_us: int, ids: Sequence[str]) -> set[str]:
    readable = readable_records(principal, now_us)
    column = readable.rows.c
    query = select(column.id).where(column.id.in_(ids), _marked(column, principal))
    return set(session.scalars(query, readable.parameters))
