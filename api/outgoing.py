"""What is on its way to a partner when something is taken back from it.

An answer is written down before it leaves (`api.http`). After that its bytes wait: for their turn, for the reader, in
the memory of this process and in that of the system. Whoever takes something back is answered when none of that is left
in this process: what has not begun does not begin, and a connection on which such bytes wait is cut together with them.
A stream on which nothing waits goes on: what it is told next is looked up next.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import socket
import struct
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, bindparam, or_, select
from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from api.store.engine import Store
from api.store.tables import EventRow

__all__ = ["STATE", "Outgoing", "Way", "Wire"]

STATE = "wire"
_LOG = logging.getLogger("vedette.api")
_TAKES = ("release.recalled", "agreement.ended", "partner.ended", "key.revoked", "account.changed")
"""Kinds of events, told inside, that take something from the partner that they name."""
_TAKEN = (
    select(EventRow.seq, EventRow.partner_id)
    .where(
        EventRow.seq > bindparam("after", type_=BigInteger),
        EventRow.partner_id.is_not(None),
        or_(*(EventRow.kind == kind for kind in _TAKES)),
    )
    .order_by(EventRow.seq)
    .limit(1)
)
_UNSENT = 0x894B  # SIOCOUTQNSD of Linux: bytes that the system has taken and not sent yet


class Wire:
    """The connection that a request came over, in `scope["state"]["wire"]`."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._is_lost = False
        self._lost: list[Callable[[], None]] = []

    def waits(self) -> bool:
        """Whether bytes wait here that have not left this machine; True where that cannot be found out."""
        if self._is_lost:
            return False
        try:
            if self._transport.get_write_buffer_size() or self._beneath_tls():
                return True
            found = fcntl.ioctl(self._transport.get_extra_info("socket").fileno(), _UNSENT, bytes(4))
        except (OSError, ValueError, AttributeError):
            return not self._transport.is_closing()  # one that is closed holds nothing
        (unsent,) = struct.unpack("i", found)
        return bool(unsent)

    def _beneath_tls(self) -> int:
        """Bytes that are encrypted and still in this process: asyncio counts none that its TLS has passed on.

        A loop that is not asyncio's tells of none; there AttributeError is raised, as for a connection that has ended.
        """
        if self._transport.get_extra_info("ssl_object") is None:
            return 0
        return int(self._transport._ssl_protocol._transport.get_write_buffer_size())  # noqa: SLF001 - nobody else knows

    def cut(self) -> None:
        """End the connection together with what waits."""
        with suppress(OSError, AttributeError):  # it is closed already
            # Closed at once: the system too forgets what it has not sent.
            at_once = struct.pack("ii", 1, 0)
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self._transport.abort()

    def when_lost(self, heard: Callable[[], None]) -> None:
        """Call `heard` once the connection has ended."""
        self._lost.append(heard)

    def lose(self) -> None:
        """It has ended."""
        self._is_lost = True
        lost, self._lost = self._lost, []
        for heard in lost:
            heard()


@dataclass(eq=False, slots=True)
class Way:
    """The way out of one request of a partner.

    Parameters
    ----------
    partner_id
        Whose.
    wire
        The connection; None where whoever serves the application tells of none.
    lasts
        It is a stream.
    """

    partner_id: str
    wire: Wire | None
    lasts: bool = False
    begun: bool = field(default=False)
    ended: bool = field(default=False)

    def holds(self) -> bool:
        """Whether something of it may still be on its way."""
        if self.wire is None:
            return False
        return (self.begun and not self.ended and not self.lasts) or self.wire.waits()


class Outgoing:
    """The ways out to partners of one application. Used from one event loop, and told of commits in any thread.

    Parameters
    ----------
    store
        Whose log tells what is taken back.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ways: dict[str, set[Way]] = defaultdict(set)
        self._taken: dict[str, int] = {}
        self._seq: int | None = None  # up to where the log was looked through, while there are ways
        self._loop: asyncio.AbstractEventLoop | None = None
        store.listen(self._heard)

    async def begin(self, partner_id: str, scope: Scope) -> Way:
        """The way out of a request, before anything is read for it; `end` it. Raises StorageError."""
        wire = scope.get("state", {}).get(STATE)
        way = Way(partner_id, wire if isinstance(wire, Wire) else None)
        self._forget_drained(partner_id)
        self._ways[partner_id].add(way)
        self._loop = asyncio.get_running_loop()
        if self._seq is None:
            try:
                embedded = self._store.is_embedded  # a database far away is asked in a thread
                seq = self._store.stamp() if embedded else await run_in_threadpool(self._store.stamp)
            except BaseException:
                self._drop(way)
                raise
            self._seq = seq if self._seq is None else self._seq
        return way

    def end(self, way: Way) -> None:
        """Its request is over; what of it waits on the connection is looked after until that is gone."""
        way.ended = True
        if way.wire is not None and way.wire.waits():
            way.wire.when_lost(lambda: self._drop(way))
        else:
            self._drop(way)

    def is_taken_back(self, way: Way, seen: int | None) -> bool:
        """Whether something was taken from the partner after event `seen`, the last one that an answer knows of."""
        return seen is not None and self._taken.get(way.partner_id, 0) > seen

    def _forget_drained(self, partner_id: str) -> None:
        for way in [way for way in self._ways[partner_id] if way.ended and not way.holds()]:
            self._drop(way)

    def _drop(self, way: Way) -> None:
        ways = self._ways[way.partner_id]
        ways.discard(way)
        if not ways:
            del self._ways[way.partner_id]
        if not self._ways:
            self._seq = None

    def _heard(self) -> None:
        """After a commit, in its thread and before whoever made it is answered."""
        after, loop = self._seq, self._loop
        if after is None or loop is None:
            return
        named: set[str] = set()
        partners: set[str] | None = named
        try:
            upto = self._store.stamp()
            while found := self._store.looks.first(_TAKEN, after=after):
                after, partner_id = found
                self._taken[partner_id] = max(after, self._taken.get(partner_id, 0))
                named.add(partner_id)
            self._seq = max(upto, after)
        except Exception:  # noqa: BLE001 - what cannot be looked up may be anything: nothing of it leaves
            _LOG.exception("what was taken back cannot be read: connections of partners are cut")
            partners = None
        if partners is None or partners:
            with suppress(RuntimeError):  # the loop has ended, and every connection with it
                loop.call_soon_threadsafe(self._cut, partners)

    def _cut(self, partners: set[str] | None) -> None:
        for partner_id in list(self._ways) if partners is None else partners:
            for way in [way for way in self._ways.get(partner_id, ()) if way.holds()]:
                _LOG.warning("cut off", extra={"fields": {"reason": "taken back", "partner": partner_id}})
                if way.wire is not None:
                    way.wire.cut()
