"""Orders: a pilot gives them, a ground station takes them and tells what came of each, others look on."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Query, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.described import ID, PLACE, TEXT, TIME, answered, answered_page, closed, one_of, or_null, shared, taken
from api.feeds.sse import EventStream, check_accepts
from api.feeds.streams import Open, streams_of
from api.feeds.wake import wake_of
from api.http import Caller, Given, Route, Stored, answer, answer_page, read, write
from api.identity.roles import Permission
from api.orders import given
from api.orders.schemas import KINDS, OrderIn, OutcomeIn, PlaceIn
from api.orders.states import STATES
from api.orders.stream import order_stream
from api.orders.view import find_order, list_orders, order_wire
from api.pages import Asked
from api.trail.log import audience_of
from api.wire import Id

__all__ = ["ROUTES"]

_SECONDS = {"type": "number", "minimum": 0}
_ORDER = shared(
    "Order",
    closed(
        id=ID,
        client_id=TEXT,
        vehicle=closed(id=ID, source=TEXT, source_id=TEXT),
        kind=one_of(*KINDS),
        state=one_of(*STATES),
        words=or_null(TEXT),
        cue_id=or_null(ID),
        place=or_null(taken(PlaceIn)),
        station_s=or_null(_SECONDS),
        reason=or_null(TEXT),
        by=TEXT,
        given=TIME,
        expires=TIME,
        changed=TIME,
        left_s=_SECONDS,
    ),
)
_GIVEN = answered(_ORDER, 200, 201, **PLACE)
_ONE = answered(_ORDER)
_STREAM = answered(TEXT, media_types=("text/event-stream; charset=utf-8",))


def post_order(wish: OrderIn, call: Caller, store: Stored) -> Response:
    """Tell one vehicle what to do: pause, resume, return, land, or dispatch to a cue or a place. People alone do.

    It waits (`given`) until the vehicle's ground station takes it, for `expires_s` at most; then it is `taken`, and
    `accepted`, `refused` (with the vehicle's, the fence's or the patrol's reason in `words`), `done` or `failed`. A
    return and a landing take the place of what waits for that vehicle. The same order under the same `client_id` is
    given once: 200 then.
    """
    body, new = write(store, call, lambda session, now: given.give(session, call, now, wish))
    return answer(body, 201 if new else 200, Location=f"/orders/{body['id']}")


def get_orders(
    request: Request,
    call: Caller,
    store: Stored,
    asked: Asked,
    vehicle: Annotated[Id | None, Query(description="of the vehicle's record; all vehicles without")] = None,
) -> Response:
    """Orders, newest first."""

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        page = list_orders(session, call.principal, now, vehicle, asked)
        return page, [order["id"] for order in page.items]

    return answer_page(request, read(store, call, "order.list", work))


def get_order(order_id: str, call: Caller, store: Stored) -> Response:
    """One order as it stands."""

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        return order_wire(find_order(session, call.principal, now, order_id), now), [order_id]

    return answer(read(store, call, "order.read", work))


def delete_order(order_id: str, call: Caller, store: Stored) -> Response:
    """Withdraw an order that waits; 409 once a ground station has taken it, or it has ended."""
    return answer(write(store, call, lambda session, now: given.withdraw(session, call, now, order_id)))


def put_order_outcome(order_id: str, told: OutcomeIn, call: Caller, store: Stored) -> Response:
    """Of a ground station: take an order, then tell what came of it. May be repeated.

    409 to `taken` means that it is not to be carried out: it has expired, was withdrawn, or another has it. After 200
    it is the caller's for `left_s` seconds: what it has not begun by then it lets be.
    """
    return answer(write(store, call, lambda session, now: given.tell_outcome(session, call, now, order_id, told)))


async def get_order_stream(
    call: Caller, store: Stored, settings: Given, *, accept: Annotated[str, Header(max_length=1000)] = "*/*"
) -> Response:
    """Orders (Server-Sent Events): those of the last two hours as they stand, then each that changes, as `order`.

    A key that is bound to sources is told of the orders to their vehicles. There is no cursor: whoever comes back is
    told how all of them stand.
    """
    check_accepts(accept)
    streams = streams_of(store, settings)
    streams.check_room(call)
    await run_in_threadpool(read, store, call, "order.subscribe", lambda _session, _now: (None, []))
    opened = Open(call, audience_of(call.principal))
    wake = wake_of(store, settings.feeds.poll_s)
    wire = order_stream(streams, wake, opened, store, settings.identity)
    return EventStream(wire, settings.feeds)


ROUTES: tuple[Route, ...] = (
    Route("POST", "/orders", post_order, Permission.ORDER_WRITE, answers=_GIVEN),
    Route("GET", "/orders", get_orders, Permission.ORDER_READ, answers=answered_page(_ORDER)),
    Route("GET", "/orders/stream", get_order_stream, Permission.ORDER_READ, answers=_STREAM),
    Route("GET", "/orders/{order_id}", get_order, Permission.ORDER_READ, answers=_ONE),
    Route("DELETE", "/orders/{order_id}", delete_order, Permission.ORDER_WRITE, answers=_ONE),
    Route("PUT", "/orders/{order_id}/outcome", put_order_outcome, Permission.ASSET_WRITE, answers=_ONE),
)
