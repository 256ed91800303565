"""Accounting for what is live: a session of reading or writing is a few entries of the audit, not one for each state.

An entry is written before the first state of a vehicle is shown to, or taken from, a session; after that the session
counts, and an entry tells how much it came to every so often and at its end. So the audit says who saw which vehicle
from when until when, and grows by the minute and not by the position.
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

__all__ = ["Tally", "account_for_live", "writing"]


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
    """

    def __init__(self, call: Call, action: str, every_s: float) -> None:
        self._call = Call(call.principal, call.request_id)
        self._action = action
        self._every_us = round(every_s * 1e6)
        self._lock = threading.Lock()
        self._named: set[str] = set()
        self._seen: set[str] = set()
        self._states = 0
        self._since_us: int | None = None
        self.last_us = 0

    def count(self, now_us: int, ids: Collection[str]) -> list[Deed]:
        """Count a state of each vehicle of `ids`; the entry to write down before it counts, where one is due."""
        with self._lock:
            new = not self._named.issuperset(ids)
            self._named.update(ids)
            self._seen.update(ids)
            self._states += len(ids)
            self.last_us = now_us
            if self._since_us is None:
                self._since_us = now_us
            # A clock that was set back is no reason to be silent.
            due = self._states > 0 and not 0 <= now_us - self._since_us < self._every_us
            return [self._entry(now_us)] if new or due else []

    def undo(self) -> None:
        """The entry could not be written: what it named is as new."""
        with self._lock:
            self._named.clear()

    def close(self, now_us: int) -> list[Deed]:
        """The entry of what was counted since the last; none where nothing was."""
        with self._lock:
            return [self._entry(now_us)] if self._states else []

    def _entry(self, now_us: int) -> Deed:
        detail = {"from": iso(self._since_us or now_us), "until": iso(now_us), "states": self._states}
        deed = Deed(self._call, now_us, self._action, sorted(self._seen), detail)
        self._seen, self._states, self._since_us = set(), 0, now_us
        return deed


class _Writing:
    """The sessions of writing of one store, by key: one that is idle for a while has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tallies: dict[str, Tally] = {}

    def of(self, call: Call, every_s: float) -> Tally:
        with self._lock:
            key = call.principal.key_id
            if key not in self._tallies:
                self._tallies[key] = Tally(call, "vehicle.write_live", every_s)
            return self._tallies[key]

    def ended(self, before_us: int | None) -> list[Tally]:
        """Take out those that wrote nothing since `before_us`; all, where it is None."""
        with self._lock:
            gone = [key for key, one in self._tallies.items() if before_us is None or one.last_us < before_us]
            return [self._tallies.pop(key) for key in gone]


_WRITING: WeakKeyDictionary[Store, _Writing] = WeakKeyDictionary()
_MAKING = threading.Lock()


def writing(store: Store, call: Call, every_s: float) -> Tally:
    """The running session of writing of that key."""
    return _writing_to(store).of(call, every_s)


def _writing_to(store: Store) -> _Writing:
    with _MAKING:
        return _WRITING.setdefault(store, _Writing())


async def account_for_live(service: Service) -> None:
    """Close sessions of writing that are idle; all of them at the end of the service."""
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
    deeds = [deed for tally in _writing_to(store).ended(before_us) for deed in tally.close(now_us)]
    if deeds:
        store.write_together(lambda session: append_deeds(session, deeds))
