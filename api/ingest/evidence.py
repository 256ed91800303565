"""Evidence: files that belong to one revision of a crossing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from api.errors import ConflictError, NotFoundError, PermissionDeniedError, UnprocessableError
from api.identity.roles import Call
from api.ingest.records import no_speaker
from api.records.merges import survivors, told_by
from api.records.readable import find_readable
from api.records.schemas import COPIES
from api.records.views import refresh_views
from api.store.incoming import StoredObject
from api.store.tables import EvidenceRow, RecordRow
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["PARTS", "Expected", "expect", "record", "stored"]

PARTS = ("clip", "manifest", "thumbnail")


@dataclass(frozen=True, slots=True)
class Expected:
    """A file that a revision announces: its name, and its SHA-256 where the crossing declares one."""

    record_id: str
    revision: int
    part: str
    name: str
    sha256: str | None


def expect(session: Session, call: Call, now_us: int, record_id: str, part: str) -> Expected:
    """What the present revision of a crossing announces as its `part`.

    Raises
    ------
    NotFoundError
        When the crossing may not be known of, or announces no such part.
    PermissionDeniedError
        When the caller may not deliver for its source.
    """
    find_readable(session, call.principal, now_us, record_id, type_="crossing")
    row = session.get_one(RecordRow, record_id)
    if not call.principal.may_speak_for(row.source):
        raise PermissionDeniedError(no_speaker(row.source))
    names = json.loads(row.document)["evidence"] or {}
    name = names.get(part) if part in PARTS else part if part in names.get("others", ()) else None
    if name is None or part.partition("-")[0] in COPIES:  # what partners get as a copy is made here, never delivered
        raise NotFoundError(f"crossing {record_id} announces no {part}")
    return Expected(row.id, row.revision, part, name, names["sha256"] if part == "clip" else None)


def stored(session: Session, expected: Expected, item: StoredObject) -> bool:
    """Whether exactly this piece is already on record.

    Raises
    ------
    UnprocessableError
        When its hash is not the declared one.
    ConflictError
        When another content is on record for this revision.
    """
    if expected.sha256 not in {None, item.sha256}:
        raise UnprocessableError(
            f"the {expected.part} has SHA-256 {item.sha256}, the crossing declares {expected.sha256}: send that file"
        )
    found = session.get(EvidenceRow, (expected.record_id, expected.revision, expected.part))
    if found is not None and found.sha256 != item.sha256:
        raise ConflictError(
            f"crossing {expected.record_id} revision {expected.revision} already has another {expected.part}: "
            "evidence is never overwritten; deliver a new revision"
        )
    return found is not None


def record(session: Session, call: Call, now_us: int, expected: Expected, item: StoredObject) -> dict[str, Any]:
    """Put a piece whose bytes are safely kept on record. Raises as `expect` and `stored` do."""
    if expect(session, call, now_us, expected.record_id, expected.part) != expected:
        raise ConflictError(f"crossing {expected.record_id} was replaced meanwhile: deliver its evidence again")
    if not stored(session, expected, item):
        session.add(
            EvidenceRow(
                record_id=expected.record_id,
                revision=expected.revision,
                part=expected.part,
                sha256=item.sha256,
                size=item.size,
                name=expected.name,
                received_us=now_us,
            )
        )
        session.flush()
        refresh_views(session, [session.get_one(RecordRow, expected.record_id)])
        append_event(
            session,
            now_us,
            "evidence.stored",
            record_id=expected.record_id,
            record_type="crossing",
            part=expected.part,
            sha256=item.sha256,
            **told_by(survivors(session, [expected.record_id]), expected.record_id),
        )
    append_audit(session, call, now_us, "evidence.store", [expected.record_id], part=expected.part, sha256=item.sha256)
    return {"record_id": expected.record_id, "part": expected.part, "sha256": item.sha256, "size": item.size}
