"""Erasure: a record's content goes from every place that holds it, and a tombstone stays.

The order is safe against a crash at any point. One transaction takes back what partners have, empties the record, the
partners' copies, and what people wrote of it, and names the objects that nothing refers to any more; after it is
committed they are removed. A crash in between leaves objects that no record names: `remove_orphans` finds them. An
object is removed under the store's write lock, where a piece of evidence is put on record only if its object is there:
neither can slip past the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.orm import Session

from api.account.retention import due, held
from api.account.tables import HoldRow, TombstoneRow
from api.account.tally import tally
from api.canonical import new_id
from api.errors import NotFoundError
from api.identity.roles import SYSTEM, Call
from api.ingest.records import ERASED, EXPIRED, GONE
from api.launches.tables import LaunchRow
from api.live.tables import VehicleStateRow
from api.orders.tables import OrderRow
from api.release.releases import recall_all
from api.review.tables import AnnotationRow, CaseEntryRow, CaseRecordRow, ClaimRow, QueueRow, SeenRow
from api.store.engine import Store
from api.store.tables import EvidenceRow, ReadableRow, RecordRow, ReleaseRow, ReviewRow
from api.times import iso
from api.trail.audit import append_audit
from api.trail.log import append_events

__all__ = ["erasable", "erase", "erase_one", "list_tombstones", "remove_objects", "remove_orphans", "sweep"]

_BATCH = 200
_NEVER_US = 2**62
# What happened once is not told anew after it was erased; what has a state may be told of again.
_ONCE = frozenset({"crossing", "cue"})
GRACE_S = 3600.0


def erase(session: Session, call: Call, now_us: int, rows: Sequence[RecordRow], *, why: str, rule: str) -> set[str]:
    """Erase the content of records in the caller's write transaction.

    Parameters
    ----------
    rows
        Records with content, on which no hold stands.
    why
        "retention" or "request".
    rule
        The rule that ran out, or the reason given; it stays.

    Returns
    -------
    set of str
        SHA-256 of their objects: to be removed with `remove_objects` after the commit.
    """
    ids = [row.id for row in rows]
    session.execute(update(ReleaseRow).where(ReleaseRow.record_id.in_(ids)).values(recall_reason=None))
    recall_all(session, call, now_us, ReleaseRow.record_id.in_(ids), f"erased: {why}")
    tally(session, rows)
    objects = set(session.scalars(select(EvidenceRow.sha256).where(EvidenceRow.record_id.in_(ids))))
    session.execute(delete(EvidenceRow).where(EvidenceRow.record_id.in_(ids)))
    session.execute(delete(ReadableRow).where(ReadableRow.record_id.in_(ids)))
    session.execute(update(ReleaseRow).where(ReleaseRow.record_id.in_(ids)).values(feature=b"", reason=None))
    session.execute(update(ReviewRow).where(ReviewRow.record_id.in_(ids)).values(reason=None))
    for written in (AnnotationRow, ClaimRow, LaunchRow, OrderRow, QueueRow, SeenRow, VehicleStateRow):
        session.execute(delete(written).where(written.record_id.in_(ids)))
    session.execute(update(CaseRecordRow).where(CaseRecordRow.record_id.in_(ids)).values(reason=""))
    session.execute(update(CaseEntryRow).where(CaseEntryRow.record_id.in_(ids)).values(text=None))
    session.execute(update(HoldRow).where(HoldRow.record_id.in_(ids)).values(reason="", lift_reason=None))
    session.add_all(
        TombstoneRow(
            record_id=row.id,
            revision=row.revision,
            type=row.type,
            digest=row.digest,
            erased_us=now_us,
            erased_by=call.principal.key_id,
            why=why,
            rule=rule,
        )
        for row in rows
    )
    for row in rows:
        row.revision += 1  # whoever is at work on the one that was finds it gone
        row.document, row.kind, row.status, row.marking = "{}", None, None, None
        row.west = row.south = row.east = row.north = None
        row.time_us = 0
        row.review_state = ERASED if why == "request" or row.type in _ONCE else EXPIRED
        row.expires_us = _NEVER_US
    session.flush()
    members: list[dict[str, Any]] = [
        {"record_id": row.id, "record_type": row.type, "detail": {"why": why, "digest": row.digest}} for row in rows
    ]
    append_events(session, now_us, "record.erased", members)
    append_audit(session, call, now_us, "record.erase", ids, why=why)
    return objects


def erase_one(session: Session, call: Call, now_us: int, record_id: str, *, reason: str) -> set[str]:
    """Erase one record on request (of the person concerned, say: Directive (EU) 2016/680, article 16).

    Returns
    -------
    set of str
        As `erase` does.

    Raises
    ------
    NotFoundError
        When there is no such record, or its content is gone already.
    ConflictError
        When a hold stands on it.
    """
    return erase(session, call, now_us, [erasable(session, record_id)], why="request", rule=reason)


def erasable(session: Session, record_id: str) -> RecordRow:
    """A record that may be erased on request; raises as `erase_one` does."""
    row = session.get(RecordRow, record_id)
    if row is None or row.review_state in GONE:
        raise NotFoundError(f"record {record_id} does not exist")
    held(session, record_id)
    return row


def sweep(store: Store) -> int:
    """Erase everything that has run out; how many records. Raises StorageError: what was begun is whole."""
    erased = 0
    while True:
        now = store.clock()
        with store.write() as session:
            rule, rows = due(session, now, limit=_BATCH)
            if not rows:
                return erased
            objects = erase(session, Call(SYSTEM, new_id()), now, rows, why="retention", rule=rule)
            erased += len(rows)
        remove_objects(store, objects)


def remove_objects(store: Store, objects: Iterable[str]) -> int:
    """Remove those objects that no record names; how many. Raises StorageError: the others are orphans for a while."""
    removed = 0
    for sha256 in sorted(objects):
        with store.write() as session:  # one at a time: others write in between
            if not session.scalar(select(EvidenceRow.sha256).where(EvidenceRow.sha256 == sha256).limit(1)):
                store.objects.remove(sha256)
                removed += 1
    return removed


def remove_orphans(store: Store, *, grace_s: float = GRACE_S) -> int:
    """Remove objects that no record names and that are older than `grace_s`; how many.

    They are what a crash between a commit and the removal left, or evidence whose record was never made.
    """
    before_s = store.clock() / 1e6 - grace_s
    old = (item.sha256 for item in store.objects.kept() if item.kept_s < before_s)
    removed = 0
    while some := list(itertools.islice(old, _BATCH)):
        with store.read() as session:
            named = set(session.scalars(select(EvidenceRow.sha256).where(EvidenceRow.sha256.in_(some))))
        removed += remove_objects(store, set(some) - named)
    store.objects.tidy()
    return removed


def list_tombstones(session: Session, *, after: tuple[int, str] | None, limit: int) -> list[dict[str, Any]]:
    """Tombstones in order of time, after (erased_us, record_id) of the last of a page before, as JSON values."""
    query = select(TombstoneRow).order_by(TombstoneRow.erased_us, TombstoneRow.record_id).limit(limit)
    if after is not None:
        query = query.where(tuple_(TombstoneRow.erased_us, TombstoneRow.record_id) > tuple_(*after))
    return [
        {
            "record_id": row.record_id,
            "type": row.type,
            "revision": row.revision,
            "digest": row.digest,
            "erased": iso(row.erased_us),
            "erased_by": row.erased_by,
            "why": row.why,
            "rule": row.rule,
            "cursor": f"{row.erased_us}.{row.record_id}",
        }
        for row in session.scalars(query)
    ]
