"""What everybody may know: how many, where roughly, how judged and how fast, a month at a time.

A month is published once, some time after its end, and never changed: what comes, is judged or is erased later is not
to be seen by comparing two pages.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.account.protection import protected
from api.account.settings import AccountSettings
from api.account.tables import PublicationRow, TallyRow
from api.account.tally import CELL_DEG, COUNTED, DELAYS, Fact, facts_of, month_of
from api.canonical import canonical
from api.ingest.records import GONE
from api.store.engine import Store
from api.store.tables import AgreementRow, PartnerRow, RecordRow
from api.times import datetime_of, microseconds

__all__ = ["publications", "publish"]

_MOST_MONTHS = 24
_BATCH = 500
_SHARE_STEP = 5


def publications(session: Session) -> list[dict[str, Any]]:
    """What was published, the newest month first."""
    rows = session.scalars(select(PublicationRow).order_by(PublicationRow.month.desc()))
    return [json.loads(row.document) for row in rows]


def publish(store: Store, settings: AccountSettings) -> list[str]:
    """Publish every closed month whose time has come; which ones. Raises StorageError."""
    now = store.clock()
    with store.read() as session:
        months = _due(session, now, settings)
    for month in months:
        with store.write() as session:
            if session.get(PublicationRow, month) is not None:  # another process was sooner
                continue
            document = canonical(_document(session, month, settings.threshold))
            session.add(PublicationRow(month=month, document=document, made_us=now))
            for row in session.scalars(select(TallyRow).where(TallyRow.month <= month)).all():
                session.delete(row)
    return months


def _due(session: Session, now_us: int, settings: AccountSettings) -> list[str]:
    last = datetime_of(now_us) - timedelta(days=settings.publish_after_days)
    months = list(_months_before(last))
    first_us = session.scalar(
        select(func.min(RecordRow.time_us)).where(RecordRow.type.in_(COUNTED), RecordRow.review_state.not_in(GONE))
    )
    first = min(
        month_of(now_us) if first_us is None else month_of(first_us),
        session.scalar(select(func.min(TallyRow.month))) or month_of(now_us),
        # Between two published months none is left out, though it was empty.
        session.scalar(select(func.max(PublicationRow.month))) or month_of(now_us),
    )
    done = set(session.scalars(select(PublicationRow.month)))
    return [month for month in months if month >= first and month not in done and month > max(done, default="")]


def _months_before(last: datetime) -> Iterator[str]:
    """The months that had ended by `last`, oldest first."""
    number = last.year * 12 + last.month - 1
    for each in range(number - _MOST_MONTHS, number):
        yield f"{each // 12:04d}-{each % 12 + 1:02d}"


def _bounds(month: str) -> tuple[int, int]:
    start = datetime.fromisoformat(f"{month}-01T00:00:00+00:00")
    end = (start + timedelta(days=32)).replace(day=1)
    return microseconds(start), microseconds(end)


def _facts(session: Session, month: str) -> Counter[Fact]:
    """Of what is still there, and of what was erased."""
    start_us, end_us = _bounds(month)
    facts: Counter[Fact] = Counter()
    for row in session.scalars(select(TallyRow).where(TallyRow.month == month)):
        facts[row.month, row.measure, row.cell] += row.n
    after = ""
    while True:
        rows = session.scalars(
            select(RecordRow)
            .where(
                RecordRow.type.in_(COUNTED),
                RecordRow.review_state.not_in(GONE),
                RecordRow.time_us >= start_us,
                RecordRow.time_us < end_us,
                RecordRow.id > after,
            )
            .order_by(RecordRow.id)
            .limit(_BATCH)
        ).all()
        if not rows:
            return facts
        facts += facts_of(session, rows)
        after = rows[-1].id
        session.expunge_all()


def _document(session: Session, month: str, threshold: int) -> dict[str, Any]:
    by_measure: dict[str, dict[str, int]] = defaultdict(dict)
    for (_, measure, cell), count in _facts(session, month).items():
        by_measure[measure][cell] = count
    return figures(by_measure, month, threshold) | {"sharing": _sharing(session, _bounds(month)[1])}


def figures(by_measure: Mapping[str, Mapping[str, int]], month: str, threshold: int) -> dict[str, Any]:
    """The public figures of a month.

    Parameters
    ----------
    by_measure
        Exact counts by measure and cell, as `facts_of` names them.
    month
        As 2026-01.
    threshold
        Smaller counts are not shown.
    """
    crossings = protected(by_measure.get("crossing", {}), threshold)
    cues = protected(by_measure.get("cue", {}), threshold)
    return {
        "month": month,
        "threshold": threshold,
        "crossings": {
            "cells": [
                {"area": _corners(cell.split()[0]), "kind": cell.split()[1], "count": count}
                for cell, count in sorted(crossings.cells.items())
            ],
            "elsewhere_at_least": crossings.elsewhere,
            "total_at_least": crossings.total,
        },
        "review": _shares(by_measure.get("verdict", {}), threshold),
        "median_delay": {measure: _median(by_measure.get(measure, {}), threshold) for measure in ("review", "release")},
        "cues": {
            "kinds": dict(sorted(cues.cells.items())),
            "elsewhere_at_least": cues.elsewhere,
            "total_at_least": cues.total,
        },
    }


def _corners(cell: str) -> list[float] | None:
    """West, south, east, north in degrees of the cell that is named by its south-west corner."""
    if cell == "-":
        return None
    south, west = (float(part) for part in cell.split(","))
    return [west, south, west + CELL_DEG, south + CELL_DEG]


def _shares(verdicts: Mapping[str, int], threshold: int) -> dict[str, int | None]:
    """Per cent of all, in coarse steps; None where either a part or the rest is small."""
    total = sum(verdicts.values())
    found: dict[str, int | None] = {}
    for name in ("confirmed", "dismissed", "pending"):
        part = verdicts.get(name, 0)
        small = part < threshold or (0 < total - part < threshold)
        found[name] = None if small else round(part / total * 100 / _SHARE_STEP) * _SHARE_STEP
    return found


def _median(spans: Mapping[str, int], threshold: int) -> str | None:
    """The span in which the median lies; None where there are few."""
    total = sum(spans.values())
    if total < threshold:
        return None
    passed = 0
    for name, _ in DELAYS:
        passed += spans.get(name, 0)
        if passed * 2 >= total:
            return name
    return None


def _sharing(session: Session, end_us: int) -> dict[str, Any]:
    """With how many partners, and what the agreements in force share between them: not which shares what."""
    partners = session.scalar(
        select(func.count()).where(
            PartnerRow.created_us < end_us, PartnerRow.ended_us.is_(None) | (PartnerRow.ended_us >= end_us)
        )
    )
    terms = [
        json.loads(text)
        for text in session.scalars(
            select(AgreementRow.terms).where(
                AgreementRow.created_us < end_us,
                AgreementRow.ended_us.is_(None) | (AgreementRow.ended_us >= end_us),
                AgreementRow.valid_until_us.is_(None) | (AgreementRow.valid_until_us >= end_us),
            )
        )
    ]
    found: dict[str, Any] = {"partners": partners, "agreements": len(terms), "records": None, "fields": None}
    if len(terms) >= 3:  # of one or two, what is shared would be the agreement itself
        found["records"] = sorted({name for each in terms for name in each.get("records", ())})
        found["fields"] = sorted({name for each in terms for name in each["fields"]})
    return found
