"""An index of what was said about a record: one look finds it among millions of events."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, TextClause, text

from api.store.tables import EventRow

__all__ = ["SAID", "SAYING_INDEX"]

SAID: Final[TextClause] = text(
    "(kind IN ('crossing.reviewed', 'crossing.merged', 'crossing.split', 'release.created', 'release.recalled', "
    "'record.erased') OR record_type = 'cue')"
)
"""Events that an alert may come of. A query that uses the index says exactly this."""

SAYING_INDEX = Index(
    "ix_event_said",
    EventRow.record_id,
    EventRow.audience,
    EventRow.n,
    sqlite_where=SAID,
    postgresql_where=SAID,
)
