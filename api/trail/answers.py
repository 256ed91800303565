"""What the routes of the event log and the audit chain answer."""

from __future__ import annotations

from api.described import COUNT, HASH, ID, OBJECT, TEXT, TIME, answered, closed, list_of, or_null

__all__ = ["ENTRIES", "EVENTS", "FOUND", "SIGNED_HEAD", "VERIFICATION"]

_EVENT = closed(
    n=COUNT,
    time=TIME,
    kind=TEXT,
    record_type=or_null(TEXT),
    record_id=or_null(ID),
    partner_id=or_null(ID),
    detail=OBJECT,
)
_HEAD = closed(seq=COUNT, hash=HASH)
_STATEMENT = closed(
    format={"const": "vedette.audit-head/1"},
    seq=COUNT,
    hash=HASH,
    time=TIME,
    number=or_null(COUNT),
    previous=or_null(HASH),
)
_SIGNATURE = closed(algorithm={"const": "Ed25519"}, public_key=TEXT, signature=TEXT)

ENTRIES = answered(closed(entries=list_of(closed(seq=COUNT, body=OBJECT, hash=HASH)), head=_HEAD))
EVENTS = answered(closed(events=list_of(_EVENT), next=COUNT))
FOUND = answered(closed(entries=list_of(closed(seq=COUNT, body=or_null(OBJECT), hash=TEXT)), next=or_null(COUNT)))
SIGNED_HEAD = answered(closed(statement=_STATEMENT, signature=or_null(_SIGNATURE)))
VERIFICATION = answered(
    {
        "oneOf": [
            closed(intact={"const": True}, head=_HEAD),
            closed(intact={"const": False}, seq=COUNT, problem=TEXT),
        ]
    }
)
