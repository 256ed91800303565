"""What the routes of retention, holds, erasure and the page for everybody answer."""

from __future__ import annotations

from api.account.tally import DELAYS
from api.described import (
    COUNT,
    HASH,
    HTML,
    ID,
    TEXT,
    TIME,
    answered,
    answered_page,
    closed,
    list_of,
    one_of,
    or_null,
)

__all__ = ["ERASED", "HOLDS", "LIFTED", "PAGE", "PLACED", "PUBLISHED", "RULE", "RULES", "TOMBSTONES"]

_RULE = closed(purpose=TEXT, days=COUNT, set=TIME, set_by=TEXT)
_HOLD = closed(
    id=ID,
    record_id=ID,
    reason=TEXT,
    placed=TIME,
    placed_by=TEXT,
    lifted=or_null(TIME),
    lifted_by=or_null(TEXT),
    lift_reason=or_null(TEXT),
)
_WAITS = answered(closed(state={"const": "waits for a second person"}), 202)
_TOMBSTONE = closed(
    record_id=ID,
    type=TEXT,
    revision=COUNT,
    digest=HASH,
    erased=TIME,
    erased_by=TEXT,
    why=one_of("retention", "request"),
    rule=TEXT,
    cursor=TEXT,
)
_AREA = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
_SHARE = or_null({"type": "integer", "minimum": 0, "maximum": 100})
_SPAN = one_of(*(name for name, _ in DELAYS), None)
_NAMES = or_null(list_of(TEXT))
_MONTH = closed(
    month={"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"},
    threshold=COUNT,
    crossings=closed(
        cells=list_of(closed(area=or_null(_AREA), kind=TEXT, count=COUNT)),
        elsewhere_at_least=COUNT,
        total_at_least=COUNT,
    ),
    review=closed(confirmed=_SHARE, dismissed=_SHARE, pending=_SHARE),
    median_delay=closed(review=_SPAN, release=_SPAN),
    cues=closed(
        kinds={"type": "object", "additionalProperties": COUNT}, elsewhere_at_least=COUNT, total_at_least=COUNT
    ),
    sharing=closed(partners=COUNT, agreements=COUNT, records=_NAMES, fields=_NAMES),
)

ERASED = answered(closed(state={"const": "erased"})) | answered(
    closed(state=one_of("waits for a second person", "erased when what is being read ends")), 202
)
HOLDS = answered_page(_HOLD)
LIFTED = answered(_HOLD) | _WAITS
PAGE = answered(TEXT, media_types=(HTML,))
PLACED = answered(_HOLD, 201)
PUBLISHED = answered(closed(months=list_of(_MONTH)))
RULE = answered(_RULE)
RULES = answered(list_of(_RULE))
TOMBSTONES = answered(closed(tombstones=list_of(_TOMBSTONE), next=or_null(TEXT)))
