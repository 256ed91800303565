"""The feed of events."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.described import TEXT, answered
from api.errors import NotFoundError
from api.http import Caller, Given, Route, Stored, bbox_of, read
from api.identity.roles import Permission
from api.live.view import live_vehicles
from api.markup import XML_HEAD
from api.pages import Asked, Page, link_header, links_of
from api.records.lists import RecordFilter, list_readable
from api.records.readable import Readable, may_read, readable_records
from api.tak.events import OF_NO_EVENT, events_of
from api.times import microseconds
from api.wire import Moment

__all__ = ["ROUTES"]

_XML = "application/xml"


def get_cot(  # noqa: PLR0917 - FastAPI passes by name
    request: Request,
    call: Caller,
    store: Stored,
    settings: Given,
    asked: Asked,
    type_: Annotated[Literal["crossing", "cue", "vehicle", "sensor", "sortie", "segment"], Query(alias="type")] = (
        "crossing"
    ),
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to")] = None,
    bbox: Annotated[str | None, Query(max_length=200, description="west,south,east,north in degrees")] = None,
    kind: Annotated[str | None, Query(max_length=200)] = None,
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

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        rows = list_readable(session, call.principal, now, which, limit=asked.limit + 1, after=asked.after)
        page = Page.of(rows, asked.limit, lambda row: (row.time_us, row.id))
        ids = [row.id for row in page.items]
        live = live_vehicles(session, call.principal, now, settings.live, ids) if type_ == "vehicle" else {}
        features = [live[row.id].feature if row.id in live else json.loads(row.feature) for row in page.items]
        return (page, features, _media_of(session, readable, ids)), ids

    page, features, media = read(store, call, "cot.list", work)
    events = (
        event
        for feature in features
        for event in events_of(feature, type_, now_us=now, rules=settings.tak.rules, media=media[feature["id"]])
    )
    links = links_of(request, page.next, _XML)
    headers = {"Link": link_header(links)} if links else {}
    return Response(XML_HEAD + b"<events>" + b"".join(events) + b"</events>", 200, headers, _XML)


def _media_of(session: Session, readable: Readable, ids: list[str]) -> dict[str, str]:
    """Which clip of each record may be fetched."""
    column = readable.rows.c
    found = session.execute(select(column.id, column.media).where(column.id.in_(ids)), readable.parameters)
    return {row.id: row.media for row in found}


_EVENTS = answered(TEXT, media_types=(_XML,))
ROUTES: tuple[Route, ...] = (Route("GET", "/cot", get_cot, Permission.CROSSING_READ, answers=_EVENTS),)
