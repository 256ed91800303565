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
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session

from api.background import Service
from api.errors import StorageError
from api.identity.roles import Call
from api.identity.stands import require_standing
from api.store.engine import Store
from api.threads import in_thread
from api.times import iso
from api.trail.audit import Deed, append_deeds

__all__ = [
    "Counted",
    "Counts",
    "Tally",
    "account_for_live",
    "close_down",
    "count_down",
    "show_counted",
    "tally_of",
    "write_counted",
]

_T = TypeVar("_T")

_MOST_NAMED = 10_000


@dataclass(frozen=True, slots=True)
class Counted:
    """What a count came to, with what is needed to take it back.

    Parameters
    ----------
    deeds
        The entry that is to be written down, where one is due.
    seen, number, since_us
        What that entry tells of besides this count: whom, how many, since when.
    own
        How many this count itself was of.
    """

    deeds: tuple[Deed, ...]
    seen: frozenset[str]
    number: int
    since_us: int | None
    own: int


class Counts(Protocol):
    """What counts for a session."""

    def count(self, now_us: int, ids: Collection[str]) -> Counted:
        """Count one of each of `ids`; the entry to write down before it counts, where one is due."""

    def undo(self, counted: Counted) -> None:
        """The entry could not be written, and what it was written for was not shown or taken: the rest is told again.

        Whom it named is as new.
        """

    def close(self, now_us: int) -> Counted:
        """The entry of what was counted since the last; none where nothing was."""


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

    def count(self, now_us: int, ids: Collection[str]) -> Counted:
        """As `Counts.count`."""
        with self._lock:
            before = frozenset(self._seen), self._number, self._since_us
            # The first look of a session is written down though it showed nothing: somebody asked.
            new = self._since_us is None or not self._named.issuperset(ids)
            if len(self._named) > _MOST_NAMED:
                self._named.clear()  # of those an entry is written anew
            self._named.update(ids)
            self._seen.update(ids)
            self._number += len(ids)
            self.last_us = now_us
            if self._since_us is None:
                self._since_us = now_us
            # A clock that was set back is no reason to be silent.
            due = self._number > 0 and not 0 <= now_us - self._since_us < self._every_us
            return Counted((self._entry(now_us),) if new or due else (), *before, len(ids))

    def undo(self, counted: Counted) -> None:
        """As `Counts.undo`; what was counted meanwhile stays."""
        with self._lock:
            self._named.clear()
            if not counted.deeds:
                self._number = max(0, self._number - counted.own)
                return
            self._seen |= counted.seen
            self._number += counted.number
            self._since_us = counted.since_us if counted.since_us is not None or not self._number else self._since_us

    def close(self, now_us: int) -> Counted:
        """As `Counts.close`."""
        with self._lock:
            before = frozenset(self._seen), self._number, self._since_us
            return Counted((self._entry(now_us),) if self._number else (), *before, 0)

    def _entry(self, now_us: int) -> Deed:
        detail = {"from": iso(self._since_us or now_us), "until": iso(now_us), self._counted: self._number}
        deed = Deed(self._call, now_us, self._action, sorted(self._seen), detail)
        self._seen, self._number, self._since_us = set(), 0, now_us
        return deed


def count_down(store: Store, tally: Counts, ids: Collection[str]) -> None:
    """Count what is about to be shown or taken; what has to be written down first is.

    Raises
    ------
    StorageError
        When it cannot be: then nothing is to be shown or taken.
    """
    _write_down(store, tally, tally.count(store.clock(), ids))


def close_down(store: Store, tally: Counts) -> None:
    """Write down what was counted and not told yet. Raises StorageError where it cannot be: it is still to be told."""
    _write_down(store, tally, tally.close(store.clock()))


def _write_down(store: Store, tally: Counts, counted: Counted) -> None:
    if not counted.deeds:
        return
    try:
        store.write_together(lambda session: append_deeds(session, counted.deeds))
    except BaseException:
        tally.undo(counted)
        raise


def write_counted(
    store: Store, call: Call, tally: Counts, work: Callable[[Session, int], tuple[_T, Collection[str]]]
) -> _T:
    """Do `work` in a write transaction, and count what it was done to: its value, and the ids that it returns.

    Raises AuthenticationError where the key or session of `call` has ended since it was let in.
    """
    counted = list[Counted]()

    def whole(session: Session) -> _T:
        now_us = store.clock()
        require_standing(session, call.principal, now_us)
        value, ids = work(session, now_us)
        counted.append(tally.count(now_us, ids))
        append_deeds(session, counted[-1].deeds)
        return value

    try:
        value = store.write_together(whole)
    except BaseException:
        for each in counted:
            tally.undo(each)
        raise
    call.audited = True  # by the entries of its session
    return value


def show_counted(
    store: Store, call: Call, tally: Counts, work: Callable[[Session, int], tuple[_T, Collection[str]]]
) -> _T:
    """Read from a snapshot, then count what is shown, then hand it over: the value of `work`, and the ids in it."""
    now_us = store.clock()
    value, ids = store.ask(lambda session: work(session, now_us))
    count_down(store, tally, ids)
    call.audited = True  # by the entries of its session
    return value


_Key = tuple[str, str]


class _Sessions:
    """The sessions of one store that are rows of requests: one that is idle for a while has ended.

    What is counted is counted in the session that runs at that moment: one that has ended counts nothing any more.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tallies: dict[_Key, Tally] = {}

    @contextlib.contextmanager
    def running(self, key: _Key, made: Callable[[], Tally]) -> Iterator[Tally]:
        """The tally of a session, which does not end meanwhile."""
        with self._lock:
            if key not in self._tallies:
                self._tallies[key] = made()
            yield self._tallies[key]

    def end(self, now_us: int, before_us: int | None) -> list[tuple[_Key, Tally, Counted]]:
        """End those that counted nothing since `before_us`; all, where it is None."""
        with self._lock:
            gone = [key for key, one in self._tallies.items() if before_us is None or one.last_us < before_us]
            ended = [(key, self._tallies.pop(key)) for key in gone]
            return [(key, one, one.close(now_us)) for key, one in ended]

    def go_on(self, ended: Iterable[tuple[_Key, Tally, Counted]]) -> None:
        """They have not ended: their entries could not be written."""
        with self._lock:
            for key, one, counted in ended:
                self._tallies.setdefault(key, one).undo(counted)


class _Session:
    """The session of one key that does one thing, whichever of its tallies runs."""

    def __init__(self, sessions: _Sessions, key: _Key, made: Callable[[], Tally]) -> None:
        self._sessions, self._key, self._made = sessions, key, made

    def count(self, now_us: int, ids: Collection[str]) -> Counted:
        with self._sessions.running(self._key, self._made) as tally:
            return tally.count(now_us, ids)

    def undo(self, counted: Counted) -> None:
        with self._sessions.running(self._key, self._made) as tally:
            tally.undo(counted)

    def close(self, now_us: int) -> Counted:
        with self._sessions.running(self._key, self._made) as tally:
            return tally.close(now_us)


_SESSIONS: WeakKeyDictionary[Store, _Sessions] = WeakKeyDictionary()
_MAKING = threading.Lock()


def tally_of(store: Store, call: Call, action: str, every_s: float, *, counted: str = "states") -> Counts:
    """That of the running session in which this key does this; parameters as in `Tally`."""
    key = call.principal.key_id, action
    return _Session(_sessions_of(store), key, lambda: Tally(call, action, every_s, counted=counted))


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
    sessions = _sessions_of(store)
    ended = sessions.end(store.clock(), before_us)
    deeds = [deed for _, _, counted in ended for deed in counted.deeds]
    if not deeds:
        return
    try:
        store.write_together(lambda session: append_deeds(session, deeds))
    except BaseException:
        sessions.go_on(ended)
        raise
