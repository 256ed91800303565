"""What the routes of the stream and the webhooks answer."""

from __future__ import annotations

from api.described import COUNT, ID, TEXT, TIME, answered, answered_page, closed, list_of, one_of, or_null

__all__ = ["ASYNCAPI", "DELIVERIES", "NAMED", "PAUSED", "RENEWED", "SET_GOING", "STREAM", "WEBHOOKS"]

_WEBHOOK = {
    "id": ID,
    "url": TEXT,
    "kinds": or_null(list_of(TEXT)),
    "created": TIME,
    "after": COUNT,
    "failures": COUNT,
    "failing_since": or_null(TIME),
    "next_attempt": or_null(TIME),
    "disabled": or_null(TIME),
    "disabled_reason": or_null(TEXT),
    "old_secret_until": or_null(TIME),
}
_DELIVERY = closed(
    id=ID,
    n=COUNT,
    kind=TEXT,
    attempt=COUNT,
    time=TIME,
    duration_ms={"type": "number", "minimum": 0},
    status=or_null({"type": "integer", "minimum": 100, "maximum": 999}),
    outcome=one_of("taken", "refused", "address", "connect", "timeout", "broken"),
)

ASYNCAPI = answered({"type": "object", "required": ["asyncapi", "info", "channels", "operations", "components"]})
DELIVERIES = answered(closed(deliveries=list_of(_DELIVERY), next=or_null(TEXT)))
NAMED = answered(closed(**_WEBHOOK, secret=TEXT), 201)
PAUSED = answered(closed(**_WEBHOOK))
RENEWED = answered(closed(**_WEBHOOK, secret=TEXT))
SET_GOING = answered(closed(**_WEBHOOK), 202)
STREAM = answered(TEXT, media_types=("text/event-stream; charset=utf-8",))
WEBHOOKS = answered_page(closed(**_WEBHOOK))
