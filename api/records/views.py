"""The view of those inside on each record, kept ready as bytes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from api.records.features import feature_bytes, inside_feature
from api.records.kept import Record
from api.records.readable import INSIDE_AUDIENCE
from api.records.types import TYPES
from api.store.tables import Base, EvidenceRow, ReadableRow, ReviewRow
from api.times import iso

__all__ = ["etag_of", "refresh_views"]

_TABLE = Base.metadata.tables["readable"]


def etag_of(row: Record) -> str:
    """What a change of the record must name in If-Match, without quotes."""
    return f"{row.revision}-{row.review_version}"


def refresh_views(session: Session, rows: Sequence[Record], *, fresh: bool = False) -> None:
    """Serialise the inside view of records again after something in them changed.

    A `fresh` revision has neither evidence nor review yet, so none is looked for.
    """
    if not rows:
        return
    evidence = {} if fresh else _evidence_of(session, rows)
    views = [_view(row, evidence.get(row.id, []), None if fresh else _review_of(session, row)) for row in rows]
    there = _there(session, [row.id for row in rows])
    new = [view for view in views if view["record_id"] not in there]
    if new:
        session.execute(_TABLE.insert(), new)
    changed = [view | {"n": there[view["record_id"]]} for view in views if view["record_id"] in there]
    if changed:
        session.execute(update(ReadableRow), changed)


def _there(session: Session, ids: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(ids), 500):
        query = select(ReadableRow.record_id, ReadableRow.n).where(
            ReadableRow.audience == INSIDE_AUDIENCE, ReadableRow.record_id.in_(ids[start : start + 500])
        )
        found |= dict(session.execute(query).all())
    return found


def _view(row: Record, evidence: Sequence[EvidenceRow], review: ReviewRow | None) -> dict[str, Any]:
    type_ = TYPES[row.type]
    state: dict[str, Any] = {
        "revision": row.revision,
        "etag": f'"{etag_of(row)}"',
        "received": iso(row.received_us),
        "expires": iso(row.expires_us),
    }
    if type_.reviewed:
        state["stored"] = {
            piece.part: {
                "sha256": piece.sha256,
                "size": piece.size,
                "href": f"/{type_.collection}/{row.id}/evidence/{piece.part}",
            }
            for piece in evidence
        }
        state["review"] = {"state": row.review_state}
    if review is not None:
        state["review"] |= {"reason": review.reason, "reviewer": review.reviewer_name, "time": iso(review.time_us)}
    feature = feature_bytes(inside_feature(type_, row.id, json.loads(row.document), state))
    return {
        "audience": INSIDE_AUDIENCE,
        "record_id": row.id,
        "type": row.type,
        "revision": row.revision,
        "time_us": row.time_us,
        "source": row.source,
        "kind": row.kind,
        "status": row.status,
        "review": row.review_state,
        "west": row.west,
        "south": row.south,
        "east": row.east,
        "north": row.north,
        "visible_us": 0,
        "until_us": row.expires_us,
        "release_id": None,
        "media": "original",
        "etag": etag_of(row),
        "feature": feature,
    }


def _evidence_of(session: Session, rows: Sequence[Record]) -> dict[str, list[EvidenceRow]]:
    revisions = {row.id: row.revision for row in rows}
    found: dict[str, list[EvidenceRow]] = defaultdict(list)
    for piece in session.scalars(select(EvidenceRow).where(EvidenceRow.record_id.in_(revisions))):
        if piece.revision == revisions[piece.record_id]:
            found[piece.record_id].append(piece)
    return found


def _review_of(session: Session, row: Record) -> ReviewRow | None:
    query = select(ReviewRow).where(ReviewRow.record_id == row.id, ReviewRow.version == row.review_version)
    return session.scalars(query).one_or_none()
