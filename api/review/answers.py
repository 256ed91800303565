"""What the routes of review answer."""

from __future__ import annotations

from api.conditions import KNOWN
from api.described import (
    COUNT,
    ETAG,
    FLAG,
    ID,
    LINKS,
    TEXT,
    TIME,
    answered,
    answered_page,
    closed,
    list_of,
    one_of,
    or_null,
    taken,
)
from api.records.answers import FEATURE
from api.review.schemas import CATEGORIES, SEVERITIES, PolicyIn

__all__ = [
    "ANNOTATED",
    "ANNOTATIONS",
    "CASE",
    "CASES",
    "CHANGED",
    "CLAIM",
    "CLAIMED",
    "HISTORY",
    "MERGED",
    "OPENED",
    "POLICY",
    "QUEUE",
    "REVIEWED",
    "REVIEWS",
    "SEEN",
    "SPLIT",
]

_STATE = one_of("pending", "confirmed", "dismissed", "merged")
_REVIEW = {
    "id": ID,
    "record_id": ID,
    "revision": COUNT,
    "verdict": one_of("confirm", "dismiss"),
    "reason": or_null(TEXT),
    "category": one_of(*CATEGORIES, None),
    "reviewer": TEXT,
    "reviewer_key": TEXT,
    "time": TIME,
}
_CLAIM = closed(record_id=ID, by=TEXT, mine=FLAG, claimed=TIME, until=TIME)
_WAITING = closed(
    id=ID,
    severity=one_of(*SEVERITIES),
    people={"type": "integer", "minimum": 1, "maximum": 2},
    claim=or_null(_CLAIM),
    seen=FLAG,
    feature=FEATURE,
)
_ANNOTATION = closed(id=ID, record_id=ID, revision=COUNT, text=TEXT, author=TEXT, time=TIME)
_CASE = {
    "id": ID,
    "title": TEXT,
    "state": one_of("open", "closed"),
    "owner": TEXT,
    "hold": FLAG,
    "opened": TIME,
    "closed": or_null(TIME),
    "etag": TEXT,
}
_ATTACHED = closed(id=ID, type=TEXT, attached=TIME, by=TEXT, reason=TEXT, feature=FEATURE)
_DEEDS = ("opened", "note", "attached", "detached", "taken", "renamed", "held", "let-go", "closed")
_ENTRY = closed(time=TIME, by=TEXT, kind=one_of(*_DEEDS), record_id=or_null(ID), text=or_null(TEXT))

ANNOTATED = answered(_ANNOTATION, 201)
ANNOTATIONS = answered_page(_ANNOTATION)
CASE = answered(closed(**_CASE, records=list_of(_ATTACHED)), **ETAG) | KNOWN
CASES = answered(closed(cases=list_of(closed(**_CASE)), links=LINKS))
CHANGED = answered(closed(**_CASE), **ETAG)
CLAIM = answered(_CLAIM, 200, 201)
CLAIMED = answered(_CLAIM)
HISTORY = answered_page(_ENTRY)
MERGED = answered(closed(survivor=ID, etag=TEXT, merged=list_of(ID)))
OPENED = answered(closed(**_CASE), 201, **ETAG)
POLICY = answered(
    closed(version=COUNT, policy=taken(PolicyIn), written=or_null(TIME), author=or_null(TEXT), etag=TEXT), **ETAG
)
QUEUE = answered(
    closed(
        counts=closed(*SEVERITIES, **dict.fromkeys(SEVERITIES, COUNT)),
        items=list_of(_WAITING),
        links=LINKS,
    )
)
REVIEWED = answered(closed(**_REVIEW, state=_STATE, etag=TEXT), 201, **ETAG)
REVIEWS = answered(list_of(closed(**_REVIEW)))
SEEN = answered(closed(changed=COUNT))
SPLIT = answered(closed(id=ID, state=_STATE, etag=TEXT))
