"""What the routes of partners, agreements, releases and recalls answer."""

from __future__ import annotations

from api.described import (
    COUNT,
    ID,
    TEXT,
    TIME,
    answered,
    answered_page,
    closed,
    list_of,
    one_of,
    or_null,
    shared,
    taken,
)
from api.records.answers import FEATURE
from api.release.schemas import AgreementTerms, SubscriptionIn

__all__ = [
    "AGREED",
    "AGREEMENTS",
    "PARTNER",
    "PARTNERS",
    "PREVIEW",
    "RECALL",
    "RECALLS",
    "RELEASED",
    "RELEASES",
    "SUBSCRIBED",
    "SUBSCRIPTIONS",
]

_PARTNER = closed(id=ID, name=TEXT, created=TIME, ended=or_null(TIME))
_AGREEMENT = closed(id=ID, terms=taken(AgreementTerms), created=TIME, ended=or_null(TIME))
_SUBSCRIPTION = closed(id=ID, partner_id=ID, wish=taken(SubscriptionIn), created=TIME, ended=or_null(TIME))
_RELEASE = shared(
    "Release",
    closed(
        id=ID,
        record_id=ID,
        revision=COUNT,
        partner_id=ID,
        agreement_id=ID,
        subscription_id=or_null(ID),
        released=TIME,
        visible_from=TIME,
        released_by=TEXT,
        released_by_name=or_null(TEXT),
        reason=or_null(TEXT),
        recalled=or_null(TIME),
        recall_reason=or_null(TEXT),
        receipt=or_null(TIME),
        receipt_by=or_null(TEXT),
        receipt_by_name=or_null(TEXT),
    ),
)
_RECALL = closed(release_id=ID, record_id=ID, recalled=or_null(TIME), receipt=or_null(TIME))
_UNDER = closed(
    "feature",
    "media",
    "visible_from",
    "withheld",
    agreement_id=ID,
    reasons=list_of(TEXT),
    feature=FEATURE,
    media=one_of("none", "blurred", "redacted", "original"),
    visible_from=TIME,
    withheld=list_of(TEXT),
)

AGREED = answered(_AGREEMENT, 201)
AGREEMENTS = answered_page(_AGREEMENT)
PARTNER = answered(_PARTNER, 201)
PARTNERS = answered_page(_PARTNER)
PREVIEW = answered(closed(record_id=ID, partner_id=ID, released=or_null(ID), agreements=list_of(_UNDER)))
RECALL = answered(_RECALL)
RECALLS = answered_page(_RECALL)
RELEASED = answered(_RELEASE, 200, 201)
RELEASES = answered_page(_RELEASE)
SUBSCRIBED = answered(_SUBSCRIPTION, 201)
SUBSCRIPTIONS = answered_page(_SUBSCRIPTION)
