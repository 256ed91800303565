"""The view of those inside on each record, kept ready as bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from api.records.features import feature_bytes, inside_feature
from api.records.kept import Kept, Record, content_of
from api.records.merges import MERGED, members, survivors
from api.records.readable import INSIDE_AUDIENCE
from api.records.tables import StandingRow
from api.records.types import TYPES
from api.store.direct import Writing, direct
from api.store.tables import Base, EvidenceRow, ReadableRow, RecordRow, ReviewRow
from api.times import iso

__all__ = ["etag_of", "fill_views", "first_view", "insert_views", "refresh_views"]

_AT_ONCE = 500

_INSERT = insert(Base.metadata.tables["readable"])


def etag_of(row: Record) -> str:
    """What a change of the record must name in If-Match, without quotes."""
    return f"{row.revision}-{row.review_version}"


def refresh_views(session: Session, rows: Sequence[Record], *, fresh: bool = False) -> None:
    """Serialise the inside view of records again after something in them changed.

    A `fresh` revision has neither evidence nor review yet, so none is looked for. The survivor of a merged record is
    serialised again with it, for it tells of its evidence.
    """
    if not rows:
        return
    told = [row for row in rows if TYPES[row.type].reviewed and (row.revision > 1 or not fresh)]
    into = survivors(session, [row.id for row in told if row.review_state == MERGED])
    here = {row.id for row in rows}
    extra = [session.get_one(RecordRow, id_) for id_ in dict.fromkeys(into.values()) if id_ not in here]
    also = _also_seen(session, [*told, *extra])
    renewed = [*([] if fresh else rows), *extra]
    evidence, standing = _evidence_of(session, renewed), _standing_of(session, renewed)
    known = {row.id for row in renewed}
    views = [
        _view(
            row,
            evidence.get(row.id, []),
            _review_state(row, _review_of(session, row) if row.id in known else None, standing.get(row.id)),
            {"merged_into": into[row.id]} if row.id in into else also.get(row.id, {}),
        )
        for row in [*rows, *extra]
    ]
    # The first revision of a record has no view yet.
    older = [row.id for row in rows if row.revision > 1 or not fresh] + [row.id for row in extra]
    there = _there(session, older)
    new = [view for view in views if view["record_id"] not in there]
    insert_views(session, new)
    changed = [view | {"n": there[view["record_id"]]} for view in views if view["record_id"] in there]
    if changed:
        session.execute(update(ReadableRow), changed)


def first_view(row: Kept) -> dict[str, Any]:
    """What those inside see of a record that comes in for the first time, ready for `insert_views`."""
    return _view(row, (), _review_state(row, None, None), {})


def insert_views(session: Writing, views: Sequence[Mapping[str, Any]]) -> None:
    """Put views in of records that had none."""
    if views:
        direct(session, _INSERT, views)


def fill_views(session: Session) -> None:
    """Serialise the inside view of every record that has none: after a migration."""
    seen = select(ReadableRow.record_id).where(ReadableRow.audience == INSIDE_AUDIENCE)
    without = select(RecordRow).where(RecordRow.id.not_in(seen)).order_by(RecordRow.id).limit(_AT_ONCE)
    while rows := session.scalars(without).all():
        refresh_views(session, rows)
        session.flush()
        session.expunge_all()


def _there(session: Session, ids: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(ids), _AT_ONCE):
        query = select(ReadableRow.record_id, ReadableRow.n).where(
            ReadableRow.audience == INSIDE_AUDIENCE, ReadableRow.record_id.in_(ids[start : start + _AT_ONCE])
        )
        found |= dict(session.execute(query).all())
    return found


def _view(
    row: Record, evidence: Sequence[EvidenceRow], review: dict[str, Any], merged: dict[str, Any]
) -> dict[str, Any]:
    type_ = TYPES[row.type]
    document = content_of(row)
    state: dict[str, Any] = {
        "revision": row.revision,
        "etag": f'"{etag_of(row)}"',
        "received": iso(row.received_us),
        "expires": iso(row.expires_us),
    }
    if type_.reviewed:
        state["stored"] = {
            piece.part: {"sha256": piece.sha256, "size": piece.size, "href": _href(row.id, piece.part)}
            for piece in evidence
        }
        state["review"] = review
        if "also_seen" in merged:  # what is stored here and was told at the source is one thing
            names = {(each["source"], each["source_id"]) for each in merged["also_seen"]}
            there = [each for each in document.get("also_seen", []) if (each["source"], each["source_id"]) not in names]
            merged = {"also_seen": [*there, *merged["also_seen"]]}
        state |= merged
    feature = feature_bytes(inside_feature(type_, row.id, document, state))
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


def _href(record_id: str, part: str) -> str:
    return f"/crossings/{record_id}/evidence/{part}"


def _review_state(row: Record, review: ReviewRow | None, standing: StandingRow | None) -> dict[str, Any]:
    """How its review stands: the verdict that counts, or what was said so far where two people have to agree."""
    state: dict[str, Any] = {"state": row.review_state}
    if review is not None and row.review_state in {"confirmed", "dismissed"}:
        state |= {"reason": review.reason, "reviewer": review.reviewer_name, "time": iso(review.time_us)}
    if standing is None or row.review_state == MERGED:
        return state
    if standing.category is not None and row.review_state == "dismissed":
        state["category"] = standing.category
    if standing.disputed:
        state["disputed"] = True
    if standing.first_us is not None:
        state["first"] = {
            "verdict": standing.first_verdict,
            "reviewer": standing.first_name,
            "time": iso(standing.first_us),
        }
    return state


def _also_seen(session: Session, rows: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """By survivor, the records that were merged into it, with what is stored of their evidence."""
    under = members(session, [row.id for row in rows])
    merged = [session.get_one(RecordRow, id_) for id_ in dict.fromkeys(id_ for ids in under.values() for id_ in ids)]
    evidence = _evidence_of(session, merged)
    told = {
        row.id: {
            "source": row.source,
            "source_id": row.source_id,
            "id": row.id,
            "href": f"/crossings/{row.id}",
            "evidence": {piece.part: _href(row.id, piece.part) for piece in evidence.get(row.id, [])},
        }
        for row in merged
    }
    return {root: {"also_seen": [told[id_] for id_ in ids]} for root, ids in under.items()}


def _evidence_of(session: Session, rows: Sequence[Record]) -> dict[str, list[EvidenceRow]]:
    revisions = {row.id: row.revision for row in rows}
    found: dict[str, list[EvidenceRow]] = defaultdict(list)
    if not revisions:
        return found
    for piece in session.scalars(select(EvidenceRow).where(EvidenceRow.record_id.in_(revisions))):
        if piece.revision == revisions[piece.record_id]:
            found[piece.record_id].append(piece)
    return found


def _standing_of(session: Session, rows: Sequence[Record]) -> dict[str, StandingRow]:
    revisions = {row.id: row.revision for row in rows if TYPES[row.type].reviewed}
    if not revisions:
        return {}
    found = session.scalars(select(StandingRow).where(StandingRow.record_id.in_(revisions)))
    return {row.record_id: row for row in found if row.revision == revisions[row.record_id]}


def _review_of(session: Session, row: Record) -> ReviewRow | None:
    """The newest verdict on its present revision."""
    query = select(ReviewRow).where(ReviewRow.record_id == row.id, ReviewRow.revision == row.revision)
    return session.scalars(query.order_by(ReviewRow.version.desc()).limit(1)).one_or_none()
