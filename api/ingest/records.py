"""Records come in, once each, by (source, source_id, update_time)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from api.canonical import canonical_bytes, new_id, sha256_hex
from api.errors import ConflictError, PermissionDeniedError
from api.identity.roles import Call
from api.records.kept import Kept, find_kept, insert_kept, update_kept
from api.records.merges import MERGED, survivors, told_by
from api.records.schemas import CueIn, RecordIn
from api.records.types import RecordType, stamp_of
from api.records.views import first_view, insert_views, refresh_views
from api.release.releases import recall_records
from api.release.standing import release_standing
from api.review.queue import enqueue
from api.store.direct import Writing
from api.store.plain import Plain
from api.times import iso
from api.trail.audit import append_audit
from api.trail.log import append_events

__all__ = [
    "ERASED",
    "EXPIRED",
    "GONE",
    "Delivered",
    "Outcome",
    "Prepared",
    "deliver",
    "deliver_all",
    "deliver_new",
    "no_speaker",
    "prepare",
]

ERASED, EXPIRED = "erased", "expired"
GONE = (ERASED, EXPIRED)
"""Review states of records whose content was erased: for good, and until their source tells of them anew."""
_DAY_US = 86_400_000_000


class Outcome(StrEnum):
    """What a delivery did."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    REPLACED = "replaced"
    DROPPED = "dropped"
    CONFLICT = "conflict"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The record's id and present revision, and what the delivery did; `note` says why where it did nothing.

    Of what was forbidden no id is told.
    """

    id: str
    revision: int
    outcome: Outcome
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A record that came in: what can be made of it before any lock is taken.

    Parameters
    ----------
    kept
        As it is kept where there is none of its name.
    view
        What those inside see of that.
    """

    kept: Kept
    view: Mapping[str, Any]

    @property
    def name(self) -> tuple[str, str]:
        """What names it among the records of its type."""
        return self.kept.source, self.kept.source_id


def prepare(type_: RecordType, given: RecordIn | CueIn, now_us: int) -> Prepared:
    """What is stored of a record of `type_` that is received now, ready for `deliver` and `deliver_all`."""
    document = given.document()
    stamp = stamp_of(type_, given, document)
    text = canonical_bytes(document)
    west, south, east, north = stamp.bounds or (None, None, None, None)
    kept = Kept(
        id=new_id(),
        type=type_.name,
        source=stamp.source,
        source_id=stamp.source_id,
        revision=1,
        update_us=stamp.update_us,
        time_us=stamp.time_us,
        kind=stamp.kind,
        status=stamp.status,
        west=west,
        south=south,
        east=east,
        north=north,
        received_us=now_us,
        expires_us=now_us + stamp.retention_days * _DAY_US,
        owner=stamp.owner,
        purpose=stamp.purpose,
        marking=stamp.marking,
        sensitivity=stamp.sensitivity,
        digest=sha256_hex(text),
        document=text.decode(),
        review_state="pending" if type_.reviewed else "none",
        review_version=0,
        content=document,
    )
    return Prepared(kept, first_view(kept))


def deliver(
    session: Session, call: Call, now_us: int, type_: RecordType, given: RecordIn | CueIn | Prepared
) -> Delivered:
    """Store one record.

    The same again changes nothing; an older update is dropped; a newer one replaces the record, which takes back its
    review and every release, since those were of another revision.

    Raises
    ------
    ConflictError
        When the content differs under the same update_time.
    PermissionDeniedError
        When the caller may not deliver for its source.
    """
    (done,) = deliver_all(session, call, now_us, type_, [given])
    if done.outcome is Outcome.FORBIDDEN:
        raise PermissionDeniedError(done.note or "this key may not deliver for that source")
    if done.outcome is Outcome.CONFLICT:
        raise ConflictError(done.note or "the record contradicts what is stored")
    return done


def deliver_all(
    session: Session, call: Call, now_us: int, type_: RecordType, given: Sequence[RecordIn | CueIn | Prepared]
) -> list[Delivered]:
    """Store records of one type in order, each as `deliver` does; one that contradicts what is stored is left out.

    One entry of the audit names them all.

    Returns
    -------
    list of Delivered
        In the order of `given`; `Outcome.CONFLICT` with a note where the content differs under the same update_time,
        `Outcome.FORBIDDEN` where the caller may not deliver for the source.
    """
    prepared = [each if isinstance(each, Prepared) else prepare(type_, each, now_us) for each in given]
    sources = {each.kept.source for each in prepared}
    spoken_for = {source: call.principal.may_speak_for(source) for source in sources}
    records = find_kept(session, type_.name, (each.name for each in prepared))
    done: list[Delivered] = []
    changed: dict[str, tuple[Kept, Outcome]] = {}
    superseded: dict[str, str] = {}
    views: dict[str, Mapping[str, Any]] = {}
    for each in prepared:
        if not spoken_for[each.kept.source]:
            done.append(Delivered("", 0, Outcome.FORBIDDEN, no_speaker(each.kept.source)))
            continue
        kept = records.get(each.name)
        if kept is not None and (kept.review_state == ERASED or each.kept.update_us <= kept.update_us):
            done.append(_known(type_, each.kept, kept))
            continue
        if kept is None:
            kept, outcome = each.kept, Outcome.CREATED
            views[kept.id] = each.view
        else:
            if kept.id not in changed:
                superseded[kept.id] = f"superseded by revision {kept.revision + 1}"
            kept, outcome = _next(each.kept, kept, now_us), Outcome.REPLACED
            views.pop(kept.id, None)
        records[each.name] = kept
        before = changed.get(kept.id)
        changed[kept.id] = (kept, outcome if before is None else before[1])
        done.append(Delivered(kept.id, kept.revision, outcome))
    new, renewed = (
        [kept for kept, what in changed.values() if what is outcome] for outcome in (Outcome.CREATED, Outcome.REPLACED)
    )
    recall_records(session, call, now_us, superseded)
    _insert(session, now_us, type_, new, list(views.values()))
    update_kept(session, renewed)
    refresh_views(session, [kept for kept in new + renewed if kept.id not in views], fresh=True)
    if type_.reviewed:
        enqueue(session, renewed, fresh=True)
    into = survivors(session, [kept.id for kept in renewed if kept.review_state == MERGED])
    append_events(session, now_us, "record.replaced", [_told(kept, **told_by(into, kept.id)) for kept in renewed])
    if not type_.reviewed:
        release_standing(session, call, now_us, new + renewed)
    _audit(session, call, now_us, type_, done)
    return done


def deliver_new(
    connection: Connection | Plain, call: Call, now_us: int, type_: RecordType, given: Prepared
) -> Delivered | None:
    """Store one record as `deliver` does, past a session, where all that it takes is to put it in.

    Returns
    -------
    Delivered or None
        None, and nothing is done, where there is one of its name, the caller may not deliver for its source, or the
        type is one that is shared without review.
    """
    if not type_.reviewed or not call.principal.may_speak_for(given.kept.source):
        return None
    if find_kept(connection, type_.name, [given.name]):
        return None
    done = Delivered(given.kept.id, given.kept.revision, Outcome.CREATED)
    _insert(connection, now_us, type_, [given.kept], [given.view])
    _audit(connection, call, now_us, type_, [done])
    return done


def _insert(
    session: Writing, now_us: int, type_: RecordType, new: Sequence[Kept], views: Sequence[Mapping[str, Any]]
) -> None:
    insert_kept(session, new)
    insert_views(session, views)
    if type_.reviewed:
        enqueue(session, new, fresh=True)
    append_events(session, now_us, "record.created", [_told(kept) for kept in new])


def no_speaker(source: str) -> str:
    """What a key is told that may not deliver for a source."""
    return f"this key may not deliver for {source}: an administrator issues one that is bound to it"


def _known(type_: RecordType, given: Kept, kept: Kept) -> Delivered:
    if kept.review_state in GONE:
        return Delivered(kept.id, kept.revision, Outcome.DROPPED, "its content was erased")
    if given.update_us < kept.update_us:
        note = f"older than the stored update of {iso(kept.update_us)}"
        return Delivered(kept.id, kept.revision, Outcome.DROPPED, note)
    if given.digest == kept.digest:
        return Delivered(kept.id, kept.revision, Outcome.UNCHANGED)
    note = (
        f"{type_.name} {given.source_id} of {given.source} differs from what is stored under the same "
        "update_time: advance update_time with every change"
    )
    return Delivered(kept.id, kept.revision, Outcome.CONFLICT, note)


def _next(given: Kept, before: Kept, now_us: int) -> Kept:
    """The revision of a record that comes after `before`."""
    received_us = now_us if before.review_state == EXPIRED else before.received_us
    return replace(
        given,
        id=before.id,
        revision=before.revision + 1,
        received_us=received_us,
        expires_us=received_us + given.expires_us - given.received_us,
        # The survivor of a merged one tells of its newer word as well.
        review_state=MERGED if before.review_state == MERGED else given.review_state,
        review_version=before.review_version + 1,
    )


def _told(row: Kept, **more: str) -> dict[str, Any]:
    detail = {"revision": row.revision, "digest": row.digest, **more}
    return {"record_id": row.id, "record_type": row.type, "detail": detail}


def _audit(session: Writing, call: Call, now_us: int, type_: RecordType, done: Sequence[Delivered]) -> None:
    counts = {outcome: sum(each.outcome is outcome for each in done) for outcome in Outcome}
    detail = {str(outcome): count for outcome, count in counts.items() if count}
    objects = list(dict.fromkeys(each.id for each in done if each.id))
    append_audit(session, call, now_us, f"{type_.name}.deliver", objects, **detail)
