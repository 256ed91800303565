"""The stream of orders: those of the last hours as they stand, then each that changes, at once.

A cursor would say less than the orders themselves do: whoever comes back is told how each of them stands now, and
nothing that a cut swallowed is missed. The event log wakes the stream; what ends by time alone is looked at in time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from api.canonical import canonical
from api.feeds.standing import standing
from api.feeds.streams import Open, Streams
from api.feeds.told import one_line
from api.feeds.wake import Place, Wake
from api.identity.settings import IdentitySettings
from api.orders.view import recent_orders
from api.store.engine import Store
from api.threads import in_thread
from api.trail.audit import Deed, append_deeds

__all__ = ["order_stream"]

_RETRY_MS = 2000
_ROOM = 200
_REST_S = 0.05  # between two looks, however many orders are given

Told = dict[str, tuple[str, str]]
"""State of each order, and since when, as it was told last."""


async def order_stream(
    streams: Streams, wake: Wake, opened: Open, store: Store, identity: IdentitySettings
) -> AsyncIterator[bytes]:
    """The wire of one stream: `order` with an order as `GET /orders/{order_id}` answers it.

    The last piece names the reason: `event: bye` with "revoked" or "stopping".
    """
    streams.enter(opened)
    try:
        yield format_sse_event(retry=_RETRY_MS)
        place = await wake.join(opened.audience, _ROOM)
        opened.stirred = place.stirred
        try:
            async for piece in _turns(streams, place, opened, store, identity):
                yield piece
        finally:
            await wake.leave(place)
        yield format_sse_event(event="bye", data_str=canonical({"reason": opened.ended}))
    finally:
        streams.leave(opened)


async def _turns(
    streams: Streams, place: Place, opened: Open, store: Store, identity: IdentitySettings
) -> AsyncIterator[bytes]:
    told: Told = {}
    clock, heartbeat_s = asyncio.get_running_loop().time, streams.settings.heartbeat_s
    due_s = clock() + heartbeat_s
    while opened.ended is None:
        orders = await in_thread(_look, store, opened, identity, told)
        if orders is None:
            opened.end("revoked")
            return
        fresh = [order for order in orders if told.get(order["id"]) != _stand(order)]
        if fresh:
            told.update((order["id"], _stand(order)) for order in fresh)
            yield b"".join(format_sse_event(event="order", data_str=one_line(canonical(order))) for order in fresh)
            due_s = clock() + heartbeat_s
        waiting_s = min((order["left_s"] for order in orders if order["state"] == "given"), default=heartbeat_s)
        look_s = clock() + _REST_S + waiting_s
        await asyncio.sleep(_REST_S)
        while opened.ended is None and not _stirs(place) and clock() < look_s:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(look_s, due_s)):
                    await place.stirred.wait()
            if clock() >= due_s:
                yield KEEPALIVE_COMMENT
                due_s = clock() + heartbeat_s


def _stand(order: dict[str, Any]) -> tuple[str, str]:
    return order["state"], order["changed"]


def _stirs(place: Place) -> bool:
    """Whether anything happened to orders since this was asked."""
    place.stirred.clear()
    full, events = place.full, place.take(_ROOM)
    place.empty()
    return full or any(event["kind"].startswith("order.") for event in events)


def _look(store: Store, opened: Open, identity: IdentitySettings, told: Told) -> list[dict[str, Any]] | None:
    """Orders as they stand; those that are to be told are written down first. None where the key does not stand."""
    now_us, principal = store.clock(), opened.call.principal
    with store.read() as session:
        if not standing(session, {principal}, now_us, identity):
            return None
        orders = recent_orders(session, principal, now_us)
    shown = [order["id"] for order in orders if told.get(order["id"]) != _stand(order)]
    if shown:
        deed = Deed(opened.call, now_us, "order.stream", shown)
        store.write_together(lambda session: append_deeds(session, [deed]))
    return orders
