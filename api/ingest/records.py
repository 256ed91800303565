"""Records come in, once each, by (source, source_id, update_time)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from api.canonical import canonical, new_id, sha256_hex
from api.errors import ConflictError
from api.identity.roles import Call
from api.records.schemas import CueIn, RecordIn
from api.records.types import RecordType, Stamp, stamp_of
from api.records.views import refresh_views
from api.release.releases import recall_all
from api.release.standing import release_standing
from api.store.tables import RecordRow, ReleaseRow
from api.times import iso
from api.trail.audit import append_audit
from api.trail.log import append_events

__all__ = ["ERASED", "EXPIRED", "GONE", "Delivered", "Outcome", "deliver", "deliver_all"]

ERASED, EXPIRED = "erased", "expired"
GONE = (ERASED, EXPIRED)
"""Review states of records whose content was erased: for good, and until their source tells of them anew."""
_DAY_US = 86_400_000_000
_AT_ONCE = 400
"""Names in one look-up: databases bound the parameters of a statement."""


class Outcome(StrEnum):
    """What a delivery did."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    REPLACED = "replaced"
    DROPPED = "dropped"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The record's id and present revision, and what the delivery did; `note` says why where it did nothing."""

    id: str
    revision: int
    outcome: Outcome
    note: str | None = None


@dataclass(frozen=True, slots=True)
class _Given:
    stamp: Stamp
    text: str
    digest: str

    @property
    def name(self) -> tuple[str, str]:
        return self.stamp.source, self.stamp.source_id


def deliver(session: Session, call: Call, now_us: int, type_: RecordType, given: RecordIn | CueIn) -> Delivered:
    """Store one record.

    The same again changes nothing; an older update is dropped; a newer one replaces the record, which takes back its
    review and every release, since those were of another revision.

    Raises
    ------
    ConflictError
        When the content differs under the same update_time.
    """
    (done,) = deliver_all(session, call, now_us, type_, [given])
    if done.outcome is Outcome.CONFLICT:
        raise ConflictError(done.note or "the record contradicts what is stored")
    return done


def deliver_all(
    session: Session, call: Call, now_us: int, type_: RecordType, given: Sequence[RecordIn | CueIn]
) -> list[Delivered]:
    """Store records of one type in order, each as `deliver` does; one that contradicts what is stored is left out.

    One entry of the audit names them all.

    Returns
    -------
    list of Delivered
        In the order of `given`; `Outcome.CONFLICT` with a note where the content differs under the same update_time.
    """
    prepared = [_prepared(type_, each) for each in given]
    rows = _stored(session, type_, prepared)
    done: list[Delivered] = []
    changed: dict[str, tuple[RecordRow, Outcome]] = {}
    for each in prepared:
        row = rows.get(each.name)
        if row is not None and (row.review_state == ERASED or each.stamp.update_us <= row.update_us):
            done.append(_known(type_, each, row))
            continue
        outcome = Outcome.CREATED if row is None else Outcome.REPLACED
        if row is None:
            row = rows[each.name] = _new(type_, now_us)
            session.add(row)
        elif row.id not in changed:
            why = f"superseded by revision {row.revision + 1}"
            recall_all(session, call, now_us, ReleaseRow.record_id == row.id, why)
        if row.review_state == EXPIRED:
            row.received_us = now_us
        _fill(type_, row, each)
        before = changed.get(row.id)
        changed[row.id] = (row, outcome if before is None else before[1])
        done.append(Delivered(row.id, row.revision, outcome))
    session.flush()
    refresh_views(session, [row for row, _ in changed.values()], fresh=True)
    for outcome in (Outcome.CREATED, Outcome.REPLACED):
        members = [_told(row) for row, what in changed.values() if what is outcome]
        if members:
            append_events(session, now_us, f"record.{outcome}", members)
    if not type_.reviewed:
        release_standing(session, call, now_us, [row for row, _ in changed.values()])
    _audit(session, call, now_us, type_, done)
    return done


def _prepared(type_: RecordType, given: RecordIn | CueIn) -> _Given:
    document = given.document()
    text = canonical(document)
    return _Given(stamp_of(type_, given, document), text, sha256_hex(text))


def _stored(session: Session, type_: RecordType, given: Sequence[_Given]) -> dict[tuple[str, str], RecordRow]:
    names = sorted({each.name for each in given})
    found: dict[tuple[str, str], RecordRow] = {}
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        query = select(RecordRow).where(
            RecordRow.type == type_.name, tuple_(RecordRow.source, RecordRow.source_id).in_(some)
        )
        found |= {(row.source, row.source_id): row for row in session.scalars(query)}
    return found


def _known(type_: RecordType, given: _Given, row: RecordRow) -> Delivered:
    if row.review_state in GONE:
        return Delivered(row.id, row.revision, Outcome.DROPPED, "its content was erased")
    if given.stamp.update_us < row.update_us:
        note = f"older than the stored update of {iso(row.update_us)}"
        return Delivered(row.id, row.revision, Outcome.DROPPED, note)
    if given.digest == row.digest:
        return Delivered(row.id, row.revision, Outcome.UNCHANGED)
    note = (
        f"{type_.name} {given.stamp.source_id} of {given.stamp.source} differs from what is stored under the same "
        "update_time: advance update_time with every change"
    )
    return Delivered(row.id, row.revision, Outcome.CONFLICT, note)


def _new(type_: RecordType, now_us: int) -> RecordRow:
    return RecordRow(id=new_id(), type=type_.name, revision=0, review_version=-1, received_us=now_us)


def _fill(type_: RecordType, row: RecordRow, given: _Given) -> None:
    stamp = given.stamp
    row.source, row.source_id = stamp.source, stamp.source_id
    row.revision += 1
    row.review_version += 1
    row.review_state = "pending" if type_.reviewed else "none"
    row.update_us, row.time_us = stamp.update_us, stamp.time_us
    row.kind, row.status = stamp.kind, stamp.status
    row.west, row.south, row.east, row.north = stamp.bounds or (None, None, None, None)
    row.owner, row.purpose, row.marking, row.sensitivity = stamp.owner, stamp.purpose, stamp.marking, stamp.sensitivity
    row.expires_us = row.received_us + stamp.retention_days * _DAY_US
    row.digest, row.document = given.digest, given.text


def _told(row: RecordRow) -> dict[str, Any]:
    detail = {"revision": row.revision, "digest": row.digest}
    return {"record_id": row.id, "record_type": row.type, "detail": detail}


def _audit(session: Session, call: Call, now_us: int, type_: RecordType, done: Sequence[Delivered]) -> None:
    counts = {outcome: sum(each.outcome is outcome for each in done) for outcome in Outcome}
    detail = {str(outcome): count for outcome, count in counts.items() if count}
    objects = list(dict.fromkeys(each.id for each in done))
    append_audit(session, call, now_us, f"{type_.name}.deliver", objects, **detail)
