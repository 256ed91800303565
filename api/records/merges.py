"""Which record stands for which: merges form trees, and the root of each is the survivor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.records.tables import MergeRow

__all__ = ["MERGED", "members", "survivors", "told_by"]

MERGED = "merged"
"""The review state of a record that another one stands for: it is neither judged nor shared."""
_AT_ONCE = 400


def survivors(session: Session, ids: Iterable[str]) -> dict[str, str]:
    """By id, the record that stands for it at last; a record that stands for itself is left out."""
    at = {id_: id_ for id_ in ids}
    found: dict[str, str] = {}
    while at:
        up = dict(_links(session, set(at.values()), down=False))
        found |= {start: here for start, here in at.items() if here not in up and here != start}
        at = {start: up[here] for start, here in at.items() if here in up}
    return found


def told_by(into: Mapping[str, str], id_: str) -> dict[str, str]:
    """What an event that changed a record adds to its `detail`: the one of `survivors` that tells of it, if any."""
    return {"survivor": into[id_]} if id_ in into else {}


def members(session: Session, ids: Iterable[str]) -> dict[str, list[str]]:
    """By id, all that it stands for, those merged into it at once first; a record that stands for none is left out."""
    at = {id_: id_ for id_ in ids}  # by record, below which of `ids` it lies: of each distance above it there is one
    found: dict[str, list[str]] = {}
    while at:
        links = _links(session, set(at), down=True)
        for child, parent in links:
            found.setdefault(at[parent], []).append(child)
        at = {child: at[parent] for child, parent in links}
    return found


def _links(session: Session, ids: set[str], *, down: bool) -> list[tuple[str, str]]:
    """(child, parent) of the merges above or below records, oldest first."""
    column = MergeRow.parent_id if down else MergeRow.child_id
    found: list[tuple[int, str, str]] = []
    ordered = sorted(ids)
    for start in range(0, len(ordered), _AT_ONCE):
        query = select(MergeRow.merged_us, MergeRow.child_id, MergeRow.parent_id)
        rows = session.execute(query.where(column.in_(ordered[start : start + _AT_ONCE])))
        found += [(row.merged_us, row.child_id, row.parent_id) for row in rows]
    return [(child, parent) for _, child, parent in sorted(found)]
