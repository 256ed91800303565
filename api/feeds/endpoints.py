"""The streams of events and of records, targets of webhooks, and the description of all."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Header, Query, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.asked import Whole
from api.described import NOTHING
from api.errors import UnprocessableError
from api.feeds import answers, webhooks
from api.feeds.addresses import check_url, reachable
from api.feeds.asyncapi import document
from api.feeds.changes import SHOWN, tell_change
from api.feeds.schemas import RedeliveryIn, WebhookIn
from api.feeds.sse import EventStream, check_accepts, stream
from api.feeds.streams import Open, streams_of
from api.feeds.wake import wake_of
from api.http import Caller, Given, Route, Stored, answer, answer_page, base_of, read, write
from api.identity.roles import Permission
from api.pages import Asked
from api.settings import Settings
from api.store.engine import Store
from api.trail.log import audience_of, last_n

__all__ = ["ROUTES"]


async def _cursor(
    *,
    after: Annotated[Whole | None, Query(ge=0, le=2**63 - 1)] = None,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
    accept: Annotated[str, Header(max_length=1000)] = "*/*",
) -> int | None:
    """After which event of its audience a stream goes on; None for now. Refuses whoever takes no stream."""
    check_accepts(accept)
    if last_event_id is None:
        return after
    if not (last_event_id.isascii() and last_event_id.isdigit()):
        raise UnprocessableError("Last-Event-ID is the id of the last event that came: a number")
    return int(last_event_id)


_Resumed = Annotated[int | None, Depends(_cursor)]


async def get_event_stream(call: Caller, store: Stored, given: Given, cursor: _Resumed) -> Response:
    """Events as they happen (Server-Sent Events), after those since a cursor: `Last-Event-ID` or `after`, else now.

    Each carries the record that it is of, as the caller may read it when the event leaves. The number of an event is
    its `id`; the last one that came is the cursor to resume with.
    """
    return await _streamed(Open(call, audience_of(call.principal)), store, given, cursor, "event.subscribe")


async def get_record_stream(call: Caller, store: Stored, given: Given, cursor: _Resumed) -> Response:
    """Records as they come and change (Server-Sent Events), after a cursor: `Last-Event-ID` or `after`, else now.

    For those who read records and not the log. `record` carries a GeoJSON Feature as the caller may read it when it
    leaves, of the types that the caller may read; `gone` names one that may not be read any more; `launch` one that was
    given or has changed, to those who read launches. An `id` is a number of the log, in which there are gaps; the last
    one that came, with an event or without, is the cursor to resume with.
    """
    opened = Open(call, audience_of(call.principal), tell_change, SHOWN)
    return await _streamed(opened, store, given, cursor, "record.subscribe")


async def _streamed(opened: Open, store: Store, given: Settings, after: int | None, action: str) -> Response:
    streams = streams_of(store, given)
    streams.check_room(opened.call)

    def start(session: Session, _now: int) -> tuple[int, list[str]]:
        last = last_n(session, opened.audience)
        if after is not None and after > last:
            raise UnprocessableError(f"event {after} is beyond the log, which ends at {last}: read it again from 0")
        return last if after is None else after, []

    cursor = await run_in_threadpool(read, store, opened.call, action, start)
    wake = wake_of(store, given.feeds.poll_s)
    return EventStream(stream(streams, wake, opened, cursor), given.feeds)


async def post_webhook(wish: WebhookIn, call: Caller, store: Stored, given: Given) -> Response:
    """Name a target that events are sent to; the secret that calls are signed with is in this answer alone."""
    reach = webhooks.reach_of(audience_of(call.principal), given.feeds)
    host, port = check_url(wish.url, reach)
    try:
        async with asyncio.timeout(given.feeds.connect_timeout_s):
            await reachable(host, port, reach)
    except TimeoutError:
        raise UnprocessableError(f"host {host} cannot be used: nothing resolves its name in time") from None
    made, secret = await run_in_threadpool(
        write, store, call, lambda session, now: webhooks.add_webhook(session, call, now, wish, given.feeds)
    )
    return answer(made | {"secret": secret}, 201)


def get_webhooks(request: Request, call: Caller, store: Stored, asked: Asked) -> Response:
    """The caller's targets, oldest first: where each stands, whether it fails, without their secrets."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        found = webhooks.list_webhooks(session, call, asked)
        return found, [one["id"] for one in found.items]

    return answer_page(request, read(store, call, "webhook.list", work))


def delete_webhook(webhook_id: str, call: Caller, store: Stored) -> Response:
    """Forget a target."""
    write(store, call, lambda session, now: webhooks.remove_webhook(session, call, now, webhook_id))
    return Response(status_code=204)


def post_webhook_redelivery(webhook_id: str, wish: RedeliveryIn, call: Caller, store: Stored) -> Response:
    """Send again, from an event on or from where the target stands; also sets one going that was disabled."""
    return answer(
        write(store, call, lambda session, now: webhooks.redeliver(session, call, now, webhook_id, wish)), 202
    )


def post_webhook_pause(webhook_id: str, call: Caller, store: Stored) -> Response:
    """Send nothing more to a target for now; a redelivery sets it going again from where it stands.

    409 where nothing is sent to it as it is.
    """
    return answer(write(store, call, lambda session, now: webhooks.pause(session, call, now, webhook_id)))


def post_webhook_secret(webhook_id: str, call: Caller, store: Stored, given: Given) -> Response:
    """Sign calls with a new secret from the next on; it is in this answer alone.

    Until `old_secret_until` each call carries a second signature, with the one before; where others were renewed before
    it, one with each of them too until its time is over.
    """
    told, secret = write(
        store, call, lambda session, now: webhooks.renew_secret(session, call, now, webhook_id, given.feeds)
    )
    return answer(told | {"secret": secret})


def get_webhook_deliveries(webhook_id: str, call: Caller, store: Stored, asked: Asked) -> Response:
    """Attempts at a target, newest first: when, which event, how it went, how long it took."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        found = webhooks.list_deliveries(session, call, webhook_id, asked)
        return {"deliveries": found.items, "next": found.next}, [webhook_id]

    return answer(read(store, call, "webhook.deliveries", work))


def get_asyncapi(request: Request, call: Caller, store: Stored) -> Response:
    """The AsyncAPI document: every kind of event, and how it is delivered."""
    base = urlsplit(base_of(request))
    described = document(base.netloc, base.scheme)
    return answer(read(store, call, "asyncapi.read", lambda _session, _now: (described, [])))


ROUTES: tuple[Route, ...] = (
    Route("GET", "/events/stream", get_event_stream, Permission.EVENT_READ, answers=answers.STREAM),
    Route("GET", "/records/stream", get_record_stream, Permission.CROSSING_READ, answers=answers.STREAM),
    Route("GET", "/asyncapi.json", get_asyncapi, Permission.SELF, answers=answers.ASYNCAPI),
    Route("POST", "/webhooks", post_webhook, Permission.WEBHOOK, answers=answers.NAMED),
    Route("GET", "/webhooks", get_webhooks, Permission.WEBHOOK, answers=answers.WEBHOOKS),
    Route("DELETE", "/webhooks/{webhook_id}", delete_webhook, Permission.WEBHOOK, answers=NOTHING),
    Route(
        "GET",
        "/webhooks/{webhook_id}/deliveries",
        get_webhook_deliveries,
        Permission.WEBHOOK,
        answers=answers.DELIVERIES,
    ),
    Route("POST", "/webhooks/{webhook_id}/pause", post_webhook_pause, Permission.WEBHOOK, answers=answers.PAUSED),
    Route("POST", "/webhooks/{webhook_id}/secret", post_webhook_secret, Permission.WEBHOOK, answers=answers.RENEWED),
    Route(
        "POST",
        "/webhooks/{webhook_id}/redelivery",
        post_webhook_redelivery,
        Permission.WEBHOOK,
        answers=answers.SET_GOING,
    ),
)
