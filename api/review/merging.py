"""One event that was told twice becomes one: the others point to the survivor, and can be parted from it again."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy.orm import Session

from api.errors import ConflictError, UnprocessableError
from api.identity.roles import Call
from api.records.merges import MERGED, members, survivors
from api.records.readable import find_readable
from api.records.tables import MergeRow
from api.records.views import etag_of, refresh_views
from api.release.releases import recall_all
from api.release.standing import release_standing
from api.review.claims import drop_claim, require_free
from api.review.policy import policy_now, require_person
from api.review.queue import enqueue
from api.review.schemas import MergeIn
from api.review.verdicts import settle
from api.store.tables import RecordRow, ReleaseRow
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["merge", "part", "split"]

_MOST = 100
"""Records that one survivor stands for at most: its view names them all."""


def merge(session: Session, call: Call, now_us: int, record_id: str, wish: MergeIn) -> dict[str, Any]:
    """Let one crossing stand for others.

    What is merged leaves the queue, is taken back from every partner, and is neither judged nor shared until it is
    parted again. What was merged into it before stays below it.

    Returns
    -------
    dict
        `survivor`, its `etag`, and `merged`: all ids that it now stands for.

    Raises
    ------
    NotFoundError
        When the caller may not know of one of the crossings.
    ConflictError
        When one of them was merged before, or another person holds one, or there would be too many.
    PermissionDeniedError
        When it takes two people to confirm one, and the caller's key belongs to no account.
    UnprocessableError
        When a crossing would be merged into itself, or is named twice.
    """
    target = record_id if wish.into is None else wish.into
    merged = [record_id] if wish.others is None else wish.others
    if target in merged or len(set(merged)) < len(merged):
        raise UnprocessableError("a crossing is not merged into itself, and is named once")
    above = survivors(session, [target, *merged])
    for each in (target, *merged):
        find_readable(session, call.principal, now_us, each, type_="crossing")
        if each in above:
            raise ConflictError(f"crossing {each} was merged into {above[each]}: name that one, or part them first")
        require_free(session, call, now_us, each)
    below = members(session, [target, *merged])
    if sum(map(len, below.values())) + len(merged) > _MOST:
        raise ConflictError(f"crossing {target} would stand for more than {_MOST} others")
    rows = [session.get_one(RecordRow, each) for each in merged]
    survivor = session.get_one(RecordRow, target)
    policy = policy_now(session)
    for row in [survivor, *rows]:
        require_person(policy, json.loads(row.document), call.principal)
    for row in rows:
        recall_all(session, call, now_us, ReleaseRow.record_id == row.id, f"merged into {target}")
        session.add(
            MergeRow(
                child_id=row.id,
                parent_id=target,
                merged_us=now_us,
                person=call.principal.person,
                name=call.principal.name,
                reason=wish.reason,
            )
        )
        row.review_state = MERGED
        row.review_version += 1
        drop_claim(session, row.id)
    survivor.review_version += 1  # who looks at it now has to look again
    session.flush()
    enqueue(session, rows)
    under = [session.get_one(RecordRow, each) for id_ in merged for each in below.get(id_, [])]
    refresh_views(session, [survivor, *rows, *under])
    for row in rows:
        told = {"into": target, "reason": wish.reason}
        append_event(session, now_us, "crossing.merged", record_id=row.id, record_type=row.type, **told)
    append_audit(session, call, now_us, "crossing.merge", [target, *merged], into=target, reason=wish.reason)
    return {"survivor": target, "etag": f'"{etag_of(survivor)}"', "merged": members(session, [target])[target]}


def split(session: Session, call: Call, now_us: int, record_id: str, reason: str) -> dict[str, Any]:
    """Part a merged crossing from its survivor again: it stands for itself as the verdicts on its revision say.

    What was merged into it stays below it. Releases that were taken back stay so; a standing subscription shares it
    anew where it is confirmed.

    Raises
    ------
    NotFoundError
        When the caller may not know of the crossing.
    ConflictError
        When it was not merged, or another person holds the survivor.
    """
    find_readable(session, call.principal, now_us, record_id, type_="crossing")
    link = session.get(MergeRow, record_id)
    if link is None:
        raise ConflictError(f"crossing {record_id} was not merged into another")
    survivor_id = survivors(session, [record_id])[record_id]
    require_free(session, call, now_us, survivor_id)
    rows = part(session, link)
    refresh_views(session, rows)
    told = {"survivor": survivor_id, "state": rows[0].review_state, "reason": reason}
    append_event(session, now_us, "crossing.split", record_id=record_id, record_type="crossing", **told)
    append_audit(session, call, now_us, "crossing.split", [record_id, survivor_id], reason=reason)
    if rows[0].review_state == "confirmed":
        release_standing(session, call, now_us, rows[:1])
    return {"id": record_id, "state": rows[0].review_state, "etag": f'"{etag_of(rows[0])}"'}


def part(session: Session, link: MergeRow) -> list[RecordRow]:
    """Take one merge back: the record that stands for itself again, the survivor that it left, and what is below it.

    The views of all these are to be renewed.
    """
    row = session.get_one(RecordRow, link.child_id)
    survivor = session.get_one(RecordRow, survivors(session, [row.id])[row.id])
    session.delete(link)
    session.flush()
    row.review_version += 1
    survivor.review_version += 1
    settle(session, row)
    below = members(session, [row.id]).get(row.id, [])
    return [row, survivor, *(session.get_one(RecordRow, each) for each in below)]
