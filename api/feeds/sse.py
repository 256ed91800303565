"""The stream of events (Server-Sent Events): history first, then what happens, each event by its number.

A receiver resumes with the number of the last event that it has (`Last-Event-ID`, or `?after=`). The log is the buffer:
the service keeps no more for a stream than its settings say, goes back to the log where that was not enough, and cuts
off who takes nothing, or does not catch up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from starlette.types import Send

from api.accepted import quality_of, ranges_of
from api.canonical import canonical
from api.errors import NotAcceptableError
from api.feeds.settings import FeedSettings
from api.feeds.streams import Open, Page, Streams
from api.feeds.wake import Place, Wake

__all__ = ["EventStream", "check_accepts", "stream"]

_LOG = logging.getLogger("vedette.api")
_RETRY_MS = 2000


def check_accepts(accept: str) -> None:
    """Raise NotAcceptableError where the value of an Accept header leaves no room for a stream of events."""
    if quality_of(ranges_of(accept), "text/event-stream") <= 0:
        raise NotAcceptableError("this is a stream of events: Accept: text/event-stream")


class EventStream(EventSourceResponse):
    """A response that gives up on a receiver that takes nothing for too long.

    Parameters
    ----------
    content
        The wire, in pieces.
    settings
        How long one piece may wait for room, and how long `content` is silent at most, which the reader is told in the
        header `X-Vedette-Heartbeat`, in seconds: a connection on which nothing comes for longer is none.
    """

    def __init__(self, content: AsyncIterator[bytes], settings: FeedSettings) -> None:
        # Proxies that gather an answer before they pass it on are asked not to.
        headers = {"X-Accel-Buffering": "no", "X-Vedette-Heartbeat": f"{settings.heartbeat_s:g}"}
        super().__init__(content, headers=headers)
        self._timeout_s = settings.send_timeout_s

    async def stream_response(self, send: Send) -> None:
        """Send what comes; leave the answer unfinished, which closes the connection, where it is not taken."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async for piece in self.body_iterator:
                async with asyncio.timeout(self._timeout_s):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError:
            _LOG.warning("stream cut off", extra={"fields": {"reason": "slow", "waited_s": self._timeout_s}})
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def stream(streams: Streams, wake: Wake, opened: Open, after: int) -> AsyncIterator[bytes]:
    """The wire of one stream: the log after `after` up to now, then what happens, until the stream has to end.

    A partner is offered again what was recalled and has no receipt: when it comes back, and every so often.
    The last piece names the reason: `event: bye` with "slow", "revoked" or "stopping".
    """
    streams.enter(opened)
    try:
        # An id without data moves the receiver's cursor and tells it nothing.
        yield format_sse_event(retry=_RETRY_MS, id=str(after))
        last = after
        async for page in _history(streams, opened, last):
            last = page.last
            yield page.wire
        if opened.ended is None and opened.call.principal.partner_id is not None:
            unconfirmed = await streams.next(opened, after, again=True)
            if unconfirmed is not None and unconfirmed.wire:
                yield unconfirmed.wire
        if opened.ended is None:
            place = await wake.join(opened.audience, streams.settings.buffer_events)
            opened.stirred = place.stirred
            try:
                async for piece in _live(streams, opened, place, last):
                    yield piece
            finally:
                await wake.leave(place)
        yield format_sse_event(event="bye", data_str=canonical({"reason": opened.ended}))
    finally:
        streams.leave(opened)


async def _history(streams: Streams, opened: Open, last: int) -> AsyncIterator[Page]:
    """Pages of the log until one is the last; ends the stream where its key does not stand."""
    more = True
    while more and opened.ended is None:
        page = await streams.next(opened, last)
        if page is None:
            opened.end("revoked")
            return
        last, more = page.last, page.more
        if page.wire:
            yield page


async def _catch_up(streams: Streams, opened: Open, last: int, until_s: float) -> AsyncIterator[Page]:
    """As `_history`; ends the stream where that is not done by `until_s` of the loop's clock."""
    async for page in _history(streams, opened, last):
        yield page
        if asyncio.get_running_loop().time() > until_s:
            _LOG.warning("stream cut off", extra={"fields": {"reason": "slow", "key": opened.call.principal.key_id}})
            opened.end("slow")


async def _live(streams: Streams, opened: Open, place: Place, last: int) -> AsyncIterator[bytes]:
    async for page in _history(streams, opened, last):  # what was committed before the place was taken
        last = page.last
        yield page.wire
    settings, loop = streams.settings, asyncio.get_running_loop()
    partner = opened.call.principal.partner_id is not None
    reoffer_s = loop.time() + settings.reoffer_s if partner else float("inf")
    behind_s: float | None = None
    events: list[dict[str, Any]] = []
    while opened.ended is None:
        if place.full:
            behind_s = behind_s or loop.time()
            place.empty()
            async for page in _catch_up(streams, opened, last, behind_s + settings.behind_s):
                last = page.last
                yield page.wire
            continue
        behind_s = None
        events = [event for event in (*events, *place.take(settings.page_events)) if event["n"] > last]
        if events:
            following = await streams.next(opened, last, events)
        elif loop.time() >= reoffer_s:
            following = await streams.next(opened, last, again=True)
            reoffer_s = loop.time() + settings.reoffer_s
        else:
            place.stirred.clear()
            try:
                async with asyncio.timeout(min(settings.heartbeat_s, reoffer_s - loop.time())):
                    await place.stirred.wait()
            except TimeoutError:
                yield KEEPALIVE_COMMENT
            continue
        if following is None:
            opened.end("revoked")
            return
        last = max(last, following.last)
        if following.wire:
            yield following.wire
