"""What the public page counts: coarse facts of records, taken down before their content is erased.

A fact is (month, measure, cell): nothing in it is finer than a month, half a degree, a kind, or a span of hours.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.account.tables import PublicationRow, TallyRow
from api.store.tables import RecordRow, ReleaseRow, ReviewRow
from api.times import iso

__all__ = ["CELL_DEG", "COUNTED", "DELAYS", "Fact", "facts_of", "month_of", "tally"]

CELL_DEG = 0.5
COUNTED = ("crossing", "cue")
DELAYS: tuple[tuple[str, float], ...] = (
    ("within 1 hour", 1),
    ("within 4 hours", 4),
    ("within 12 hours", 12),
    ("within 1 day", 24),
    ("within 3 days", 72),
    ("within 7 days", 168),
    ("later", math.inf),
)
"""Spans that a delay falls into: name, and upper bound in hours."""
_HOUR_US = 3_600_000_000
Fact = tuple[str, str, str]


def month_of(time_us: int) -> str:
    """The month in UTC, as 2026-01."""
    return iso(time_us)[:7]


def facts_of(session: Session, rows: Sequence[RecordRow]) -> Counter[Fact]:
    """The facts of crossings and cues that still have their content."""
    crossings = {row.id: row for row in rows if row.type == "crossing"}
    facts: Counter[Fact] = Counter()
    for row in crossings.values():
        facts[month_of(row.time_us), "crossing", f"{_area(row)} {row.kind}"] += 1
        facts[month_of(row.time_us), "verdict", row.review_state] += 1
    facts.update((month_of(row.time_us), "cue", str(row.kind)) for row in rows if row.type == "cue")
    ids = list(crossings)
    judged = select(ReviewRow.record_id, func.min(ReviewRow.time_us)).where(ReviewRow.record_id.in_(ids))
    shared = select(ReleaseRow.record_id, func.min(ReleaseRow.visible_us)).where(ReleaseRow.record_id.in_(ids))
    for measure, query in (
        ("review", judged.group_by(ReviewRow.record_id)),
        ("release", shared.group_by(ReleaseRow.record_id)),
    ):
        for record_id, first_us in session.execute(query):
            row = crossings[record_id]
            hours = (first_us - (row.received_us if measure == "review" else row.time_us)) / _HOUR_US
            span = next(name for name, bound in DELAYS if hours <= bound)
            facts[month_of(row.time_us), measure, span] += 1
    return facts


def tally(session: Session, rows: Sequence[RecordRow]) -> None:
    """Take down the facts of records that are about to be erased, of months that are not published yet."""
    counted = [row for row in rows if row.type in COUNTED]
    facts = facts_of(session, counted)
    published = set(_published(session, {month for month, _, _ in facts}))
    for (month, measure, cell), count in sorted(facts.items()):
        if month not in published:
            row = session.get(TallyRow, (month, measure, cell))
            if row is None:
                session.add(TallyRow(month=month, measure=measure, cell=cell, n=count))
            else:
                row.n += count
    session.flush()


def _published(session: Session, months: Iterable[str]) -> Iterable[str]:
    return session.scalars(select(PublicationRow.month).where(PublicationRow.month.in_(sorted(months))))


def _area(row: RecordRow) -> str:
    """South-west corner of its half-degree cell, or - where it has no place."""
    if row.west is None or row.south is None or row.east is None or row.north is None:
        return "-"
    lat, lon = (row.south + row.north) / 2, (row.west + row.east) / 2
    return f"{math.floor(lat / CELL_DEG) * CELL_DEG:+.1f},{math.floor(lon / CELL_DEG) * CELL_DEG:+.1f}"
