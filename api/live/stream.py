"""Streams of what is live: each thing as it is now, then whatever changes of it; what nobody took in time is left out.

Nothing waits for a reader. All who watch share one look at the store for each turn, and one view for each audience;
a reader takes the view that is there when it has room, and is sent what differs from what it was sent before. So a slow
one gets the newest state and never those in between, and costs no more memory than a quick one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

from anyio import CapacityLimiter
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from sqlalchemy.orm import Session

from api.canonical import canonical
from api.feeds.standing import standing
from api.feeds.streams import Open, Streams
from api.feeds.told import one_line
from api.identity.roles import Principal
from api.identity.settings import IdentitySettings
from api.live.account import Tally, close_down, count_down
from api.live.settings import LiveSettings
from api.live.view import live_vehicles
from api.store.engine import Store
from api.threads import in_thread

__all__ = [
    "LOOKED",
    "VEHICLES",
    "Live",
    "Look",
    "Looked",
    "View",
    "Watch",
    "changes",
    "live_stream",
    "watch_of",
]

_LOG = logging.getLogger("vedette.api")
_RETRY_MS = 2000
LOOKED = "vehicle.stream"
"""The action under which the audit has what was streamed."""


class Live(Protocol):
    """Something live, as one reader may see it now."""

    @property
    def id(self) -> str:
        """What it is known by."""
        ...

    @property
    def etag(self) -> str:
        """Differs whenever the body does."""
        ...

    @property
    def body(self) -> dict[str, Any]:
        """What is told of it, as JSON values."""
        ...


View = Mapping[str, Live]
"""What one reader may see now, by id."""
Look = Callable[[Session, Principal, int], View]
"""What a reader may see in a snapshot, at a time (microseconds)."""
_Live = TypeVar("_Live", bound=Live)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a stream tells of.

    Parameters
    ----------
    kind
        The event that carries one.
    action
        Under which the audit has what was streamed.
    heartbeat_s
        How long the stream is silent at most; None is that of the settings.
    """

    kind: str
    action: str
    heartbeat_s: float | None = None


VEHICLES = Looked("vehicle", LOOKED)


@dataclass(eq=False, slots=True)
class Seat:
    """Where one reader finds the newest view; `view` is None once its key does not stand any more."""

    principal: Principal
    turned: asyncio.Event
    view: View | None = field(default_factory=dict)


class Watch:
    """Looks at what is live for all who watch in one event loop; runs while somebody does.

    Parameters
    ----------
    store
        Whose.
    settings, identity
        How often it looks; until when keys stand.
    look
        At what; None is live vehicles.
    """

    def __init__(
        self, store: Store, settings: LiveSettings, identity: IdentitySettings, look: Look | None = None
    ) -> None:
        self._store, self._settings, self._identity = store, settings, identity
        self._see = look or (lambda session, principal, now_us: live_vehicles(session, principal, now_us, settings))
        self._thread = CapacityLimiter(1)
        self._seats: dict[Seat, None] = {}
        self._looking: asyncio.Task[None] | None = None

    def join(self, opened: Open) -> Seat:
        """A seat, which has its first view after the next turn. `Open.end` turns it too."""
        seat = Seat(opened.call.principal, asyncio.Event())
        opened.stirred = seat.turned
        self._seats[seat] = None
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(), name="vedette-live")
        return seat

    def leave(self, seat: Seat) -> None:
        """Give a seat back."""
        del self._seats[seat]
        if not self._seats and self._looking is not None:
            looking, self._looking = self._looking, None  # whoever joins before it has ended begins another
            looking.cancel()

    async def _look(self) -> None:
        while True:
            seats = list(self._seats)
            try:
                views = await in_thread(self._views, {seat.principal for seat in seats}, limiter=self._thread)
            except Exception:  # noqa: BLE001 - looked again; until then nobody is shown anything new
                _LOG.exception("what is live cannot be read", extra={"fields": {"again_in_s": self._settings.pace_s}})
            else:
                for seat in seats:
                    seat.view = views.get(seat.principal)
                    seat.turned.set()
            await asyncio.sleep(self._settings.pace_s)

    def _views(self, principals: set[Principal]) -> dict[Principal, View]:
        """The view of each who may still look; those of one audience, whose keys may do the same, share theirs."""
        now_us = self._store.clock()
        shared: dict[object, View] = {}
        found: dict[Principal, View] = {}
        with self._store.read() as session:
            for principal in standing(session, principals, now_us, self._identity):
                alike = (principal.role, principal.partner_id, principal.scopes)
                if alike not in shared:
                    shared[alike] = self._see(session, principal, now_us)
                found[principal] = shared[alike]
        return found


_Watches = WeakKeyDictionary[asyncio.AbstractEventLoop, WeakKeyDictionary[Store, dict[str, Watch]]]
_WATCHES: _Watches = WeakKeyDictionary()


def watch_of(
    store: Store,
    settings: LiveSettings,
    identity: IdentitySettings,
    looked: Looked = VEHICLES,
    look: Look | None = None,
) -> Watch:
    """The one that looks at such things of `store` in the running event loop; `look` as in `Watch`."""
    stores = _WATCHES.setdefault(asyncio.get_running_loop(), WeakKeyDictionary())
    watches = stores.setdefault(store, {})
    if looked.kind not in watches:
        watches[looked.kind] = Watch(store, settings, identity, look)
    return watches[looked.kind]


def changes(view: Mapping[str, _Live], told: dict[str, str]) -> tuple[list[_Live], list[str]]:
    """What differs from what was told: what to tell of, and ids of those that are gone. `told` is brought up to it.

    Parameters
    ----------
    view
        What may be told now.
    told
        ETag of what was told last, by id.
    """
    fresh = [(id_, one) for id_, one in view.items() if told.get(id_) != one.etag]
    gone = [id_ for id_ in told if id_ not in view]
    told.update((id_, one.etag) for id_, one in fresh)
    for id_ in gone:
        del told[id_]
    return [one for _, one in fresh], gone


async def live_stream(
    streams: Streams, watch: Watch, opened: Open, store: Store, looked: Looked, *, account_s: float
) -> AsyncIterator[bytes]:
    """The wire of one stream: an event of its kind with each thing, `gone` with the id of one not to be seen any more.

    The last piece names the reason: `event: bye` with "revoked" or "stopping". There is no cursor: who comes back is
    sent all that is live.
    """
    streams.enter(opened)
    tally = Tally(opened.call, looked.action, account_s)
    try:
        yield format_sse_event(retry=_RETRY_MS)
        seat = watch.join(opened)
        try:
            async for piece in _turns(streams, seat, opened, store, tally, looked=looked):
                yield piece
        finally:
            watch.leave(seat)
            await asyncio.shield(in_thread(close_down, store, tally))
        yield format_sse_event(event="bye", data_str=canonical({"reason": opened.ended}))
    finally:
        streams.leave(opened)


async def _turns(
    streams: Streams, seat: Seat, opened: Open, store: Store, tally: Tally, *, looked: Looked
) -> AsyncIterator[bytes]:
    told: dict[str, str] = {}
    clock, heartbeat_s = asyncio.get_running_loop().time, looked.heartbeat_s or streams.settings.heartbeat_s
    due_s = clock() + heartbeat_s  # of the wire: turns in which nothing changes are no sign of life
    while opened.ended is None:
        try:
            async with asyncio.timeout_at(due_s):
                await seat.turned.wait()
        except TimeoutError:
            yield KEEPALIVE_COMMENT
            due_s = clock() + heartbeat_s
            continue
        seat.turned.clear()
        if seat.view is None:
            opened.end("revoked")
        if seat.view is None or opened.ended is not None:
            return
        fresh, gone = changes(seat.view, told)
        if not fresh and not gone:
            continue
        await in_thread(count_down, store, tally, [one.id for one in fresh])
        yield b"".join(
            [
                *(format_sse_event(event=looked.kind, data_str=one_line(canonical(one.body))) for one in fresh),
                *(format_sse_event(event="gone", data_str=canonical({"id": id_})) for id_ in gone),
            ]
        )
        due_s = clock() + heartbeat_s
