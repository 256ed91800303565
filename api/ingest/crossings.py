"""Crossings come in, once each, and are listed for whoever may read them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, or_, select, tuple_
from sqlalchemy.orm import Session

from api.canonical import canonical, new_id, sha256_hex
from api.errors import ConflictError
from api.identity.roles import Call, Principal
from api.ingest.schemas import CrossingIn
from api.records.features import document_of, feature_bytes, inside_feature
from api.records.readable import readable_crossings
from api.release.releases import recall_all
from api.store.tables import CrossingRow, EvidenceRow, KeyRow, ReleaseRow, ReviewRow
from api.times import iso, microseconds
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["CrossingFilter", "Delivered", "Outcome", "deliver", "list_readable", "refresh_feature"]

_DAY_US = 86_400_000_000


class Outcome(StrEnum):
    """What a delivery did."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    REPLACED = "replaced"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The crossing's id and present revision, and what the delivery did; `note` says why where it did nothing."""

    id: str
    revision: int
    outcome: Outcome
    note: str | None = None


@dataclass(frozen=True, slots=True)
class CrossingFilter:
    """Which crossings of those readable; None means any.

    Parameters
    ----------
    from_us, to_us
        Half-open interval of the crossing's time, UTC microseconds since the Unix epoch.
    bbox
        West, south, east, north in degrees; west > east crosses the antimeridian. Crossings whose place is not known or
        not shared are in no box.
    status, review, kind
        Exact values.
    """

    from_us: int | None = None
    to_us: int | None = None
    bbox: tuple[float, float, float, float] | None = None
    status: str | None = None
    review: str | None = None
    kind: str | None = None


def deliver(session: Session, call: Call, now_us: int, crossing: CrossingIn) -> Delivered:
    """Store a crossing by (source, source_id, update_time).

    The same again changes nothing; an older update is dropped; a newer one replaces the record, which takes back its
    review and every release, since those were of another revision.

    Raises
    ------
    ConflictError
        When the content differs under the same update_time.
    """
    document = document_of(crossing)
    text = canonical(document)
    digest, update_us = sha256_hex(text), microseconds(crossing.update_time)
    row = session.scalars(
        select(CrossingRow).where(CrossingRow.source == crossing.source, CrossingRow.source_id == crossing.source_id)
    ).one_or_none()
    if row is not None and update_us <= row.update_us:
        if update_us == row.update_us and digest != row.digest:
            raise ConflictError(
                f"crossing {crossing.source_id} of {crossing.source} differs from what is stored under the same "
                "update_time: advance update_time with every change"
            )
        same = update_us == row.update_us
        append_audit(session, call, now_us, "crossing.deliver", [row.id], changed=False)
        note = None if same else f"older than the stored update of {iso(row.update_us)}"
        return Delivered(row.id, row.revision, Outcome.UNCHANGED if same else Outcome.DROPPED, note)

    outcome = Outcome.CREATED if row is None else Outcome.REPLACED
    if row is None:
        row = CrossingRow(id=new_id(), revision=0, received_us=now_us, review_version=-1)
        session.add(row)
    else:
        recall_all(
            session, call, now_us, ReleaseRow.crossing_id == row.id, f"superseded by revision {row.revision + 1}"
        )
    row.source, row.source_id = crossing.source, crossing.source_id
    row.revision += 1
    row.review_version += 1
    row.review_state = "pending"
    row.update_us, row.time_us = update_us, microseconds(crossing.time)
    row.kind, row.status, row.marking = crossing.kind, crossing.status, crossing.marking
    row.lat, row.lon = crossing.lat, crossing.lon
    row.expires_us = row.received_us + crossing.retention_days * _DAY_US
    row.digest, row.document = digest, text
    refresh_feature(session, row, fresh=True)
    append_event(session, now_us, f"crossing.{outcome}", crossing_id=row.id, revision=row.revision, digest=digest)
    append_audit(session, call, now_us, "crossing.deliver", [row.id], changed=True, revision=row.revision)
    return Delivered(row.id, row.revision, outcome)


def refresh_feature(session: Session, row: CrossingRow, *, fresh: bool = False) -> None:
    """Serialise the inside view of a crossing again after something in it changed.

    A `fresh` revision has neither evidence nor review yet, so none is looked for.
    """
    evidence = [] if fresh else _evidence_of(session, row)
    review = None if fresh else _review_of(session, row)
    state: dict[str, Any] = {
        "revision": row.revision,
        "etag": f'"{row.revision}-{row.review_version}"',
        "received": iso(row.received_us),
        "expires": iso(row.expires_us),
        "stored": {
            piece.part: {
                "sha256": piece.sha256,
                "size": piece.size,
                "href": f"/crossings/{row.id}/evidence/{piece.part}",
            }
            for piece in evidence
        },
        "review": {"state": row.review_state},
    }
    if review is not None:
        verdict, reviewer = review
        state["review"] |= {"reason": verdict.reason, "reviewer": reviewer, "time": iso(verdict.time_us)}
    row.feature = feature_bytes(inside_feature(row.id, json.loads(row.document), state))
    session.flush()


def _evidence_of(session: Session, row: CrossingRow) -> list[EvidenceRow]:
    return list(
        session.scalars(
            select(EvidenceRow).where(EvidenceRow.crossing_id == row.id, EvidenceRow.revision == row.revision)
        )
    )


def _review_of(session: Session, row: CrossingRow) -> tuple[ReviewRow, str] | None:
    found = session.execute(
        select(ReviewRow, KeyRow.name)
        .join(KeyRow, KeyRow.id == ReviewRow.reviewer)
        .where(ReviewRow.crossing_id == row.id, ReviewRow.version == row.review_version)
    ).one_or_none()
    return None if found is None else (found[0], found[1])


def list_readable(
    session: Session,
    principal: Principal,
    now_us: int,
    which: CrossingFilter,
    *,
    limit: int,
    after: tuple[int, str] | None = None,
) -> list[tuple[int, str, bytes]]:
    """The newest `limit` crossings that `principal` may read and `which` selects.

    Parameters
    ----------
    session
        Any session.
    principal, now_us
        As in `readable_crossings`.
    which
        The filter, applied to what the principal may see and not to what is withheld.
    limit
        How many at most.
    after
        (time_us, id) of the last crossing of the page before.

    Returns
    -------
    list of (time_us, id, feature)
        Newest first; `feature` is a serialised GeoJSON Feature.
    """
    readable = readable_crossings(principal, now_us)
    column = readable.rows.c
    rules = [
        *([] if which.from_us is None else [column.time_us >= which.from_us]),
        *([] if which.to_us is None else [column.time_us < which.to_us]),
        *([] if after is None else [tuple_(column.time_us, column.id) < tuple_(*after)]),
        *(
            column[name] == value
            for name, value in (("status", which.status), ("review", which.review), ("kind", which.kind))
            if value is not None
        ),
    ]
    if which.bbox is not None:
        west, south, east, north = which.bbox
        join = and_ if west <= east else or_
        rules += [column.lat.between(south, north), join(column.lon >= west, column.lon <= east)]
    rows = session.execute(
        select(column.time_us, column.id, column.feature)
        .where(*rules)
        .order_by(column.time_us.desc(), column.id.desc())
        .limit(limit),
        readable.parameters,
    )
    return [(time_us, crossing_id, feature) for time_us, crossing_id, feature in rows]
