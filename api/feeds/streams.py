"""Many open streams over one log: what each is sent is looked up and written down for all that wait, at once.

A stream that has room for more asks for its next events. All that ask at the same time share one snapshot, in which
their keys are looked up again and their records are read, and one commit, in which it is written down what each was
shown. Only then it leaves. So a thousand streams cost a few queries, and nothing that was looked up lies about: what
is sent is what may be read at that moment.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from anyio import CapacityLimiter
from fastapi.sse import format_sse_event
from sqlalchemy.orm import Session

from api.errors import RateLimitedError
from api.feeds.receipts import outstanding_recalls
from api.feeds.standing import standing
from api.feeds.told import Teller, Told, Voice, tell_event
from api.identity.roles import Call, Principal
from api.settings import Settings
from api.store.engine import Store
from api.threads import in_thread
from api.trail.audit import Deed, append_deeds
from api.trail.log import narrowed_since, read_events

__all__ = ["Open", "Page", "Streams", "end_streams", "streams_of"]

_LOG = logging.getLogger("vedette.api")

_BUSY_S = 5.0  # after which it is worth asking for a stream again
_ROUND = 256  # wishes that share a snapshot and a commit


@dataclass(eq=False, slots=True)
class Open:
    """One open stream.

    Parameters
    ----------
    call
        The request that opened it: who reads.
    audience
        Whose events it is told.
    voice
        What it is told of each.
    action
        Under which the audit has what it was told.
    ended
        Why it has to end: "revoked" or "stopping"; None while it may go on.
    stirred
        Set when `ended` was.
    """

    call: Call
    audience: str
    voice: Voice = tell_event
    action: str = "event.stream"
    ended: str | None = None
    stirred: asyncio.Event | None = None

    def end(self, reason: str) -> None:
        """Tell it to end."""
        self.ended = self.ended or reason
        if self.stirred is not None:
            self.stirred.set()


@dataclass(frozen=True, slots=True)
class Page:
    """What a stream is sent next: bytes of the wire, the number of the last event in it, whether the log has more."""

    wire: bytes
    last: int
    more: bool


@dataclass(eq=False, slots=True)
class _Wish:
    open: Open
    after: int
    events: list[dict[str, Any]] | None
    """What the log told since; None reads the log itself."""
    again: bool
    """Asks for what waits for a receipt, among what it was told."""
    answer: asyncio.Future[Page | None]
    following: list[dict[str, Any]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)


class Streams:
    """The open streams of one store in one event loop.

    Parameters
    ----------
    store
        Whose log.
    settings
        Limits.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self.settings = settings.feeds
        self._identity = settings.identity
        self.stopping = False
        self._store = store
        self._open: dict[Open, None] = {}
        self._of_key: Counter[str] = Counter()
        self._wishes: deque[_Wish] = deque()
        self._working: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[None] | None = None
        self._thread = CapacityLimiter(1)

    def check_room(self, call: Call) -> None:
        """Raise RateLimitedError where that key may not open one more."""
        mine = self._of_key[call.principal.key_id]
        if len(self._open) >= self.settings.streams or mine >= self.settings.streams_per_key:
            raise RateLimitedError("there are as many open streams as there may be: close one, or wait", _BUSY_S)

    def enter(self, stream: Open) -> None:
        """Count a stream as open, and look after its key."""
        self._open[stream] = None
        self._of_key[stream.call.principal.key_id] += 1
        if self.stopping:
            stream.end("stopping")
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check(), name="vedette-streams-check")

    def leave(self, stream: Open) -> None:
        """Count a stream as closed."""
        del self._open[stream]
        key_id = stream.call.principal.key_id
        self._of_key[key_id] -= 1
        if not self._of_key[key_id]:
            del self._of_key[key_id]
        if not self._open and self._checking is not None:
            self._checking.cancel()

    def stop(self) -> None:
        """End every stream, and those that come: the service is about to stop."""
        self.stopping = True
        for stream in self._open:
            stream.end("stopping")

    async def next(
        self, stream: Open, after: int, events: list[dict[str, Any]] | None = None, *, again: bool = False
    ) -> Page | None:
        """What that stream is sent next; None where its key does not stand any more.

        Parameters
        ----------
        stream
            Who asks.
        after
            The last event that it was sent.
        events
            Those that follow, where they are known; else the log is read.
        again
            True asks instead for those up to `after` that wait for a receipt.

        Raises
        ------
        StorageError
            When the store cannot serve.
        """
        wish = _Wish(stream, after, events, again, asyncio.get_running_loop().create_future())
        self._wishes.append(wish)
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work(), name="vedette-streams")
        return await wish.answer

    async def _work(self) -> None:
        while self._wishes:
            wishes = [self._wishes.popleft() for _ in range(min(_ROUND, len(self._wishes)))]
            wishes = [wish for wish in wishes if not wish.answer.done()]  # whose stream has gone
            try:
                pages: list[Page | None] = await in_thread(self._serve, wishes, limiter=self._thread)
            except Exception as error:  # noqa: BLE001 - handed to each stream, which raises it
                for wish in wishes:
                    if not wish.answer.done():
                        wish.answer.set_exception(error)
            else:
                for wish, page in zip(wishes, pages, strict=True):
                    if not wish.answer.done():
                        wish.answer.set_result(page)

    def _serve(self, wishes: list[_Wish]) -> list[Page | None]:
        stamp, now_us = self._store.stamp(), self._store.clock()
        with self._store.read() as session:
            pages = self._pages(session, wishes, now_us)
        if any(wish.told for wish in wishes) and not self._store.write_together(
            lambda session: _noted(session, wishes, now_us, stamp)
        ):
            return self._store.write_together(lambda session: self._serve_alone(session, wishes))
        return pages

    def _serve_alone(self, session: Session, wishes: list[_Wish]) -> list[Page | None]:
        """Look up and write down in one transaction: nothing is taken back from anybody in between."""
        now_us = self._store.clock()
        pages = self._pages(session, wishes, now_us)
        append_deeds(session, [_deed(wish, now_us) for wish in wishes if wish.told])
        return pages

    def _pages(self, session: Session, wishes: list[_Wish], now_us: int) -> list[Page | None]:
        stands = standing(session, {wish.open.call.principal for wish in wishes}, now_us, self._identity)
        teller = Teller(session, now_us)
        sought = []
        for wish in wishes:
            wish.told = []
            if wish.open.call.principal in stands:
                wish.following = self._following(session, wish)
                sought += teller.prepare(wish.open.call.principal, wish.following)
        teller.look(sought)
        return [self._page(teller, wish) if wish.open.call.principal in stands else None for wish in wishes]

    def _following(self, session: Session, wish: _Wish) -> list[dict[str, Any]]:
        if wish.again:
            return outstanding_recalls(session, wish.open.audience, wish.after)
        if wish.events is not None:
            return wish.events
        return read_events(session, after=wish.after, limit=self.settings.page_events, audience=wish.open.audience)

    def _page(self, teller: Teller, wish: _Wish) -> Page:
        pieces: list[bytes] = []
        room, last, looked = self.settings.page_bytes, wish.after, 0
        for event in wish.following:
            looked += 1
            last = event["n"]
            told = wish.open.voice(teller, wish.open.call.principal, event, wish.again)
            for place, one in enumerate(told, 1):
                # What is told again leaves the receiver's cursor where it is, and so does a part of what is told.
                name = None if wish.again or place < len(told) else str(one.n)
                pieces.append(format_sse_event(data_str=one.body, event=one.kind, id=name))
                room -= len(pieces[-1])
            wish.told += told
            if room <= 0:
                break
        if not wish.again and last != (wish.told[-1].n if wish.told else wish.after):
            pieces.append(format_sse_event(id=str(last)))  # what was left out is not to be looked at again
        whole = wish.events is not None or wish.again or len(wish.following) < self.settings.page_events
        more = looked < len(wish.following) or not whole
        return Page(b"".join(pieces), last, more)

    async def _check(self) -> None:
        """Streams to which nothing happens hear of it too when their key is taken away."""
        while self._open:
            await asyncio.sleep(self.settings.recheck_s)
            streams = list(self._open)
            try:
                stands = await in_thread(self._stands, streams, limiter=self._thread)
            except Exception:  # noqa: BLE001 - asked again; what is sent is checked anyway
                _LOG.exception("streams were not checked")
                continue
            for stream in streams:
                if stream.call.principal not in stands:
                    stream.end("revoked")

    def _stands(self, streams: list[Open]) -> set[Principal]:
        with self._store.read() as session:
            who = {stream.call.principal for stream in streams}
            return standing(session, who, self._store.clock(), self._identity)


def _noted(session: Session, wishes: list[_Wish], now_us: int, stamp: int) -> bool:
    """Write down what they are told; False, and nothing, where a partner may be told less since event `stamp`."""
    told = [wish for wish in wishes if wish.told]
    if any(wish.open.call.principal.partner_id is not None for wish in told) and narrowed_since(session, stamp):
        return False
    append_deeds(session, [_deed(wish, now_us) for wish in told])
    return True


def _deed(wish: _Wish, now_us: int) -> Deed:
    shown = [told.shown for told in wish.told if told.shown is not None]
    span = {"first": wish.told[0].n, "last": wish.told[-1].n}
    return Deed(wish.open.call, now_us, wish.open.action, shown, span)


_STREAMS: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakKeyDictionary[Store, Streams]] = WeakKeyDictionary()


def streams_of(store: Store, settings: Settings) -> Streams:
    """The open streams of `store` in the running event loop."""
    those = _STREAMS.setdefault(asyncio.get_running_loop(), WeakKeyDictionary())
    if store not in those:
        those[store] = Streams(store, settings)
    return those[store]


def end_streams(store: Store) -> None:
    """End the open streams of `store` in the running event loop: its service is about to stop."""
    those = _STREAMS.get(asyncio.get_running_loop())
    if those is not None and store in those:
        those[store].stop()
