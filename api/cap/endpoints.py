"""Alerts: one, and as a feed."""

from __future__ import annotations

import json
from typing import Any

from lxml import etree
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.cap.alerts import Message, Reader, alert_of
from api.cap.messages import messages_of
from api.cap.settings import CapSettings
from api.described import TEXT, answered
from api.errors import NotFoundError
from api.http import After, Caller, Given, Route, Stored, read
from api.identity.roles import Permission, Principal, Role
from api.markup import XML_HEAD, serialised
from api.pages import Limit
from api.records.readable import find_readable, may_read
from api.store.tables import EventRow, PartnerRow
from api.times import iso
from api.trail.log import audience_of

__all__ = ["ROUTES"]

_CAP = "application/cap+xml"
_ATOM = "http://www.w3.org/2005/Atom"
_TYPES = {"crossing", "cue"}


def get_crossing_alert(record_id: str, call: Caller, store: Stored, settings: Given) -> Response:
    """The newest alert about a crossing, in the Common Alerting Protocol 1.2.

    What was released and recalled, or confirmed and dismissed, is cancelled. A crossing that nobody has judged is a
    draft.
    """
    return _one(record_id, "crossing", call, store, settings.cap)


def get_cue_alert(record_id: str, call: Caller, store: Stored, settings: Given) -> Response:
    """The newest alert about a cue, in the Common Alerting Protocol 1.2."""
    return _one(record_id, "cue", call, store, settings.cap)


def get_alerts(call: Caller, store: Stored, settings: Given, after: After = 0, limit: Limit = 100) -> Response:
    """Alerts as an Atom feed, in the order of the events that they tell of; the link named next leads on.

    A record of several events is told of once, with its newest message.
    """
    who, cap = call.principal, settings.cap

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        audience = audience_of(who)
        reader = _reader(session, who)
        query = select(EventRow).where(
            EventRow.audience == audience, EventRow.n > after, EventRow.record_type.in_(_TYPES)
        )
        events = session.scalars(query.order_by(EventRow.n).limit(limit)).all()
        last = {str(event.record_id): event.n for event in events if may_read(who, str(event.record_type))}
        entries = []
        for record_id, n in sorted(last.items(), key=lambda item: item[1]):
            told = [message for message in messages_of(session, audience, record_id) if message.n <= n]
            if told and told[-1].n > after and (alert := _alert(session, who, now, told[-1], reader, cap)) is not None:
                entries.append((told[-1], alert))
        until = events[-1].n if events else after
        return (entries, until), [message.record_id for message, _ in entries]

    entries, until = read(store, call, "alert.list", work)
    feed = _feed(entries, until, f"/alerts?after={until}&limit={limit}", cap)
    return Response(XML_HEAD + serialised(feed), media_type="application/atom+xml")


def _one(record_id: str, type_: str, call: Caller, store: Stored, settings: CapSettings) -> Response:
    who = call.principal

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        told = [each for each in messages_of(session, audience_of(who), record_id) if each.record_type == type_]
        found = _alert(session, who, now, told[-1], _reader(session, who), settings) if told else None
        if found is None and who.role is not Role.PARTNER:
            found = _draft(session, who, now, record_id, type_, settings)
        if found is None:
            raise NotFoundError(f"{type_} {record_id} does not exist")
        return found, [record_id]

    return Response(read(store, call, "alert.read", work), media_type=_CAP)


def _alert(  # noqa: PLR0917 - of two callers
    session: Session, who: Principal, now_us: int, message: Message, reader: Reader, settings: CapSettings
) -> bytes | None:
    """The message, where the reader may read what it tells of; a cancellation tells of nothing."""
    if message.cancels:
        return alert_of(message, None, reader, settings)
    try:
        row = find_readable(session, who, now_us, message.record_id, type_=message.record_type)
    except NotFoundError:
        return None
    if row.review == "pending":
        return None
    return alert_of(message, json.loads(row.feature), reader, settings)


def _draft(  # noqa: PLR0917 - of one caller
    session: Session, who: Principal, now_us: int, record_id: str, type_: str, settings: CapSettings
) -> bytes | None:
    row = find_readable(session, who, now_us, record_id, type_=type_)
    if row.review != "pending":
        return None
    message = Message(record_id, type_, 0, row.time_us)
    return alert_of(message, json.loads(row.feature), Reader(None), settings, draft=True)


def _reader(session: Session, who: Principal) -> Reader:
    partner = None if who.partner_id is None else session.get(PartnerRow, who.partner_id)
    return Reader(None if partner is None else partner.name)


def _feed(entries: list[tuple[Message, bytes]], until: int, following: str, settings: CapSettings) -> etree._Element:
    feed = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})

    def add(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
        child = etree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
        child.text = text
        return child

    newest = max((message.time_us for message, _ in entries), default=0)
    add(feed, "id", f"urn:vedette:alerts:{until}")
    add(feed, "title", "Alerts")
    add(feed, "updated", iso(newest))
    add(add(feed, "author"), "name", settings.sender)
    add(feed, "link", rel="next", href=following)
    for message, alert in entries:
        entry = add(feed, "entry")
        add(entry, "id", f"urn:vedette:alert:{message.record_id}:{message.n}")
        add(entry, "title", f"{'Cancelled: ' if message.cancels else ''}{message.record_type}")
        add(entry, "updated", iso(message.time_us))
        add(entry, "link", href=f"/{message.record_type}s/{message.record_id}/alert.xml", type=_CAP)
        add(entry, "content", type=_CAP).append(etree.fromstring(alert))
    return feed


_ALERT = answered(TEXT, media_types=(_CAP,))
_ALERTS = answered(TEXT, media_types=("application/atom+xml",))
ROUTES: tuple[Route, ...] = (
    Route("GET", "/crossings/{record_id}/alert.xml", get_crossing_alert, Permission.CROSSING_READ, answers=_ALERT),
    Route("GET", "/cues/{record_id}/alert.xml", get_cue_alert, Permission.CUE_READ, answers=_ALERT),
    Route("GET", "/alerts", get_alerts, Permission.CROSSING_READ, answers=_ALERTS),
)
