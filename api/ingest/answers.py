"""What the routes that take records and evidence in answer."""

from __future__ import annotations

from api.described import COUNT, HASH, ID, PLACE, TEXT, answered, closed, list_of, one_of, or_null, shared
from api.ingest.records import Outcome

__all__ = ["DELIVERED", "IN_BULK", "KEPT"]

_OUTCOMES = tuple(outcome.value for outcome in Outcome if outcome is not Outcome.CONFLICT)  # alone, that is a 409
_DELIVERED = shared("Delivered", closed(id=ID, revision=COUNT, outcome=one_of(*_OUTCOMES), note=or_null(TEXT)))
_LINE = closed(
    "id",
    "revision",
    line=COUNT,
    id=ID,
    revision=COUNT,
    outcome=one_of(*_OUTCOMES, Outcome.CONFLICT.value, "refused"),
    note=or_null(TEXT),
)
_BULK = shared(
    "DeliveredInBulk", closed(counts={"type": "object", "additionalProperties": COUNT}, results=list_of(_LINE))
)

DELIVERED = answered(_DELIVERED, 200, 201, **PLACE)
IN_BULK = answered(_BULK)
KEPT = answered(closed(record_id=ID, part=TEXT, sha256=HASH, size=COUNT))
