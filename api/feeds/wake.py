"""One reader of the event log for each process: whoever waits for events waits here, and asks the store nothing.

The reader asks for all audiences at once, every so often for what other processes wrote, and at once after a commit of
this one. What it finds goes into the buffers of those who joined for that audience; a buffer is bounded, and one that
is full is marked and takes no more: its owner goes back to the log, by its cursor.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from typing import Any
from weakref import WeakKeyDictionary

from anyio import CapacityLimiter

from api.background import commits_of, glance, within
from api.errors import ApiError
from api.store.engine import Store
from api.threads import in_thread
from api.trail.log import last_seq, read_log

__all__ = ["Place", "Wake", "wake_of"]

_LOG = logging.getLogger("vedette.api")
_MOST = 2000  # events of one query
_REST_S = 0.02  # between two queries, however many commits there are
_AFTER_FAILURE_S = 1.0


class Place:
    """What one who joined has not taken yet.

    Parameters
    ----------
    audience
        Whose events; None keeps none and is only stirred, by events of any audience.
    capacity
        Most events that wait.

    Attributes
    ----------
    stirred
        Set when there is something to look at: events, `full`, or whatever its owner agreed with others.
    full
        Events were left out: read the log from the last one that was taken.
    """

    __slots__ = ("audience", "capacity", "events", "full", "stirred")

    def __init__(self, audience: str | None, capacity: int) -> None:
        self.audience = audience
        self.capacity = capacity
        self.events: deque[dict[str, Any]] = deque()
        self.full = False
        self.stirred = asyncio.Event()

    def put(self, event: dict[str, Any]) -> None:
        """Add an event, or mark that there was no room for it."""
        if self.full or len(self.events) >= self.capacity:
            self.full = True
        else:
            self.events.append(event)
        self.stirred.set()

    def empty(self) -> None:
        """Forget what waits, and that there was more: its owner reads the log next."""
        self.events.clear()
        self.full = False

    def take(self, most: int) -> list[dict[str, Any]]:
        """The oldest `most` events, which then wait no more."""
        return [self.events.popleft() for _ in range(min(most, len(self.events)))]


class Wake:
    """The reader of one store's log in one event loop. It runs as long as someone has joined.

    Parameters
    ----------
    store
        Whose log.
    poll_s
        How often it looks for what other processes wrote.
    """

    def __init__(self, store: Store, poll_s: float) -> None:
        self._store = store
        self._poll_s = poll_s
        self._thread = CapacityLimiter(1)  # a thread of its own: requests that fill the others do not stop the feeds
        self._places: dict[str | None, dict[Place, None]] = defaultdict(dict)
        self._seq = 0
        self._reader: asyncio.Task[None] | None = None
        self._joining = asyncio.Lock()

    async def join(self, audience: str | None, capacity: int = 1) -> Place:
        """A place that every event goes to which is committed after this call returns; some before it may go there too.

        Raises
        ------
        StorageError
            When the log cannot be read.
        """
        async with self._joining:
            if self._reader is None:
                self._seq = await in_thread(self._last, limiter=self._thread)
                self._reader = asyncio.create_task(self._read(), name="vedette-log")
            place = Place(audience, capacity)
            self._places[audience][place] = None
            return place

    async def leave(self, place: Place) -> None:
        """Give a place back."""
        places = self._places[place.audience]
        del places[place]
        if places:
            return
        del self._places[place.audience]
        if not self._places and self._reader is not None:
            reader, self._reader = self._reader, None
            reader.cancel()
            await asyncio.wait([reader])

    def _last(self) -> int:
        with self._store.read() as session:
            return last_seq(session)

    async def _look(self) -> list[tuple[int, str, dict[str, Any]]]:
        if await glance(self._store, self._store.stamp, limiter=self._thread) <= self._seq:  # most often
            return []
        return await in_thread(self._found, limiter=self._thread)

    def _found(self) -> list[tuple[int, str, dict[str, Any]]]:
        with self._store.read() as session:
            return read_log(session, after=self._seq, limit=_MOST)

    async def _read(self) -> None:
        with commits_of(self._store) as committed:
            while True:
                hurried = committed.is_set()
                committed.clear()
                try:
                    found = await self._look()
                except ApiError:
                    _LOG.exception("the event log cannot be read", extra={"fields": {"again_in_s": _AFTER_FAILURE_S}})
                    await asyncio.sleep(_AFTER_FAILURE_S)
                    continue
                for seq, audience, event in found:
                    self._seq = seq
                    for place in self._places.get(audience, ()):
                        place.put(event)
                if found:
                    for place in self._places.get(None, ()):
                        place.stirred.set()
                if found or hurried:
                    await asyncio.sleep(_REST_S)
                if len(found) < _MOST:
                    await within(self._poll_s, committed)


_WAKES: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakKeyDictionary[Store, Wake]] = WeakKeyDictionary()


def wake_of(store: Store, poll_s: float) -> Wake:
    """The one reader of `store` in the running event loop."""
    wakes = _WAKES.setdefault(asyncio.get_running_loop(), WeakKeyDictionary())
    if store not in wakes:
        wakes[store] = Wake(store, poll_s)
    return wakes[store]
