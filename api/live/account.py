"""Accounting for what is live: a session of reading or writing is a few entries of the audit, not one for each state.

An entry is written before the first state of a vehicle is shown to, or taken from, a session; after that the session
counts, and an entry tells how much it came to every so often and at its end. So the audit says who saw which vehicle
from when until when, and grows by the minute and not by the position. The pictures of streams are accounted for alike.

Where a session has a connection, as a stream of events, it holds its own `Tally`. Where it is a row of requests, it is
the key that makes them one: see `tally_of`.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Collection
from weakref import WeakKeyDictionary

from api.background import Service
from api.errors import StorageError
from api.identity.roles import Call
from api.store.engine import Store
from api.threads import in_thread
from api.times import iso
from api.trail.audit import Deed, append_deeds

__all__ = ["Tally", "account_for_live", "count_down", "tally_of"]


class Tally:
    """What one session came to since its last entry. May be used from several threads.

    Parameters
    ----------
    call
        Who, and in which request the session began.
    action
        As the audit has it.
    every_s
        How often an entry is due, seconds.
    counted
        What the entries call that which they count.
    """

    def __init__(self, call: Call, action: str, every_s: float, *, counted: str = "states") -> None:
        self._call = Call(call.principal, call.request_id)
        self._action, self._counted = action, counted
        self._every_us = round(every_s * 1e6)
        self._lock = threading.Lock()
        self._named: set[str] = set()
        self._seen: set[str] = set()
        self._number = 0
        self._since_us: int | None = None
        self.last_us = 0

    def count(self, now_us: int, ids: Collection[str]) -> list[Deed]:
        """Count one of each of `ids`; the entry to write down before it counts, where one is due."""
        with self._lock:
            # The first look of a session is written down though it showed nothing: somebody asked.
            new = self._since_us is None or not self._named.issuperset(ids)
            self._named.update(ids)
            self._seen.update(ids)
            self._number += len(ids)
            self.last_us = now_us
            if self._since_us is None:
                self._since_us = now_us
            # A clock that was set back is no reason to be silent.
            due = self._number > 0 and not 0 <= now_us - self._since_us < self._every_us
            return [self._entry(now_us)] if new or due else []

    def undo(self) -> None:
        """The entry could not be written: what it named is as new."""
        with self._lock:
            self._named.clear()

    def close(self, now_us: int) -> list[Deed]:
        """The entry of what was counted since the last; none where nothing was."""
        with self._lock:
            return [self._entry(now_us)] if self._number else []

    def _entry(self, now_us: int) -> Deed:
        detail = {"from": iso(self._since_us or now_us), "until": iso(now_us), self._counted: self._number}
        deed = Deed(self._call, now_us, self._action, sorted(self._seen), detail)
        self._seen, self._number, self._since_us = set(), 0, now_us
        return deed


def count_down(store: Store, tally: Tally, ids: Collection[str]) -> None:
    """Count what is about to be shown or taken; what has to be written down first is.

    Raises
    ------
    StorageError
        When it cannot be: then nothing is to be shown or taken.
    """
    deeds = tally.count(store.clock(), ids)
    if not deeds:
        return
    try:
        store.write_together(lambda session: append_deeds(session, deeds))
    except BaseException:
        tally.undo()
        raise


class _Sessions:
    """The sessions of one store that are rows of requests: one that is idle for a while has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tallies: dict[tuple[str, str], Tally] = {}

    def of(self, call: Call, action: str, every_s: float, counted: str) -> Tally:
        with self._lock:
            key = call.principal.key_id, action
            if key not in self._tallies:
                self._tallies[key] = Tally(call, action, every_s, counted=counted)
            return self._tallies[key]

    def ended(self, before_us: int | None) -> list[Tally]:
        """Take out those that counted nothing since `before_us`; all, where it is None."""
        with self._lock:
            gone = [key for key, one in self._tallies.items() if before_us is None or one.last_us < before_us]
            return [self._tallies.pop(key) for key in gone]


_SESSIONS: WeakKeyDictionary[Store, _Sessions] = WeakKeyDictionary()
_MAKING = threading.Lock()


def tally_of(store: Store, call: Call, action: str, every_s: float, *, counted: str = "states") -> Tally:
    """That of the running session in which this key does this; parameters as in `Tally`."""
    return _sessions_of(store).of(call, action, every_s, counted)


def _sessions_of(store: Store) -> _Sessions:
    with _MAKING:
        return _SESSIONS.setdefault(store, _Sessions())


async def account_for_live(service: Service) -> None:
    """Close sessions that are idle; all of them at the end of the service."""
    store, every_s = service.store, service.settings.live.account_s
    try:
        while True:
            await asyncio.sleep(every_s / 2)
            before_us = store.clock() - round(every_s * 1e6)
            await in_thread(_close, store, before_us)
    finally:
        # A store that is gone does not keep the service from stopping: what it cannot be told of is lost, as by a kill.
        with contextlib.suppress(StorageError):
            await asyncio.shield(in_thread(_close, store, None))


def _close(store: Store, before_us: int | None) -> None:
    now_us = store.clock()
    deeds = [deed for tally in _sessions_of(store).ended(before_us) for deed in tally.close(now_us)]
    if deeds:
        store.write_together(lambda session: append_deeds(session, deeds))
