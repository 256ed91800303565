"""The answer that is a stream of what is live, whatever it is."""

from __future__ import annotations

from dataclasses import replace

from starlette.concurrency import run_in_threadpool

from api.feeds.sse import EventStream, check_accepts
from api.feeds.streams import Open, streams_of
from api.http import read
from api.identity.roles import Call
from api.live.stream import Look, Looked, live_stream, watch_of
from api.settings import Settings
from api.store.engine import Store
from api.trail.log import audience_of

__all__ = ["open_live"]


async def open_live(
    call: Call, store: Store, settings: Settings, accept: str, *, looked: Looked, look: Look | None = None
) -> EventStream:
    """Open a stream for `call`, which is written down as `vehicle.subscribe` is.

    Parameters
    ----------
    accept
        The value of the header Accept.
    looked, look
        What it tells of, and where that is seen (`api.live.stream.watch_of`).

    Raises
    ------
    NotAcceptableError, RateLimitedError
        When `accept` leaves no room for a stream, or there are as many as there may be.
    """
    check_accepts(accept)
    streams = streams_of(store, settings)
    streams.check_room(call)
    await run_in_threadpool(read, store, call, f"{looked.kind}.subscribe", lambda _session, _now: (None, []))
    feeds, live = settings.feeds, settings.live
    beat_s = min(looked.heartbeat_s or feeds.heartbeat_s, feeds.heartbeat_s)
    looked = replace(looked, heartbeat_s=beat_s)
    watch = watch_of(store, live, settings.identity, looked, look)
    opened = Open(call, audience_of(call.principal))
    wire = live_stream(streams, watch, opened, store, looked, account_s=live.account_s)
    return EventStream(wire, replace(feeds, heartbeat_s=beat_s))
