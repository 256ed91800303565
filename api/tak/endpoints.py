"""The feed of events."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Query
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.errors import NotFoundError
from api.http import Caller, Given, Limit, Route, Stored, bbox_of, cursor_of, read, text_of
from api.identity.roles import Permission
from api.live.view import live_vehicles
from api.markup import XML_HEAD
from api.records.readable import Readable, RecordFilter, list_readable, may_read, readable_records
from api.tak.events import OF_NO_EVENT, events_of
from api.times import microseconds
from api.wire import Moment

__all__ = ["ROUTES"]

_XML = "application/xml"


def get_cot(  # noqa: PLR0917 - FastAPI passes by name
    call: Caller,
    store: Stored,
    settings: Given,
    type_: Annotated[Literal["crossing", "cue", "vehicle", "sensor", "sortie", "segment"], Query(alias="type")] = (
        "crossing"
    ),
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to")] = None,
    bbox: Annotated[str | None, Query(max_length=200, description="west,south,east,north in degrees")] = None,
    kind: Annotated[str | None, Query(max_length=200)] = None,
    limit: Limit = 100,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """Records that the key may read as Cursor-on-Target events, newest first.

    What was dismissed, or merged into another record, is none; nor is a record whose place is not known or not shared.
    A vehicle is where it is now, until its live state is stale.
    The header Link names the next page.
    """
    if not may_read(call.principal, type_):
        raise NotFoundError(f"there are no events of type {type_}")
    now = store.clock()
    readable = readable_records(call.principal, now)
    which = RecordFilter(
        type_,
        where=readable.rows.c.review.not_in(OF_NO_EVENT),
        from_us=None if since is None else microseconds(since),
        to_us=None if until is None else microseconds(until),
        bbox=None if bbox is None else bbox_of(bbox),
        kind=kind,
    )
    after = None if cursor is None else cursor_of(cursor)

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        rows = list_readable(session, call.principal, now, which, limit=limit + 1, after=after)
        ids = [row.id for row in rows[:limit]]
        live = live_vehicles(session, call.principal, now, settings.live, ids) if type_ == "vehicle" else {}
        features = [live[row.id].feature if row.id in live else json.loads(row.feature) for row in rows[:limit]]
        return (rows, features, _media_of(session, readable, ids)), ids

    rows, features, media = read(store, call, "cot.list", work)
    events = (
        event
        for feature in features
        for event in events_of(feature, type_, now_us=now, rules=settings.tak.rules, media=media[feature["id"]])
    )
    headers = {}
    if len(rows) > limit:
        last = rows[limit - 1]
        same = {"type": type_, "from": since, "to": until, "bbox": bbox, "kind": kind}
        query = {name: text_of(value) for name, value in same.items() if value is not None}
        href = "/cot?" + urlencode(query | {"limit": str(limit), "cursor": f"{last.time_us}.{last.id}"})
        headers["Link"] = f'<{href}>; rel="next"; type="{_XML}"'
    return Response(XML_HEAD + b"<events>" + b"".join(events) + b"</events>", 200, headers, _XML)


def _media_of(session: Session, readable: Readable, ids: list[str]) -> dict[str, str]:
    """Which clip of each record may be fetched."""
    column = readable.rows.c
    found = session.execute(select(column.id, column.media).where(column.id.in_(ids)), readable.parameters)
    return {row.id: row.media for row in found}


ROUTES: tuple[Route, ...] = (Route("GET", "/cot", get_cot, Permission.CROSSING_READ),)
