"""Live vehicles to TAK servers: the newest state of each, over a connection of its own, with no cursor and no backlog.

What was not sent while a server was away is not sent later: once it is back it is told of all that is live. One process
at a time serves a server, under a lease.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from random import SystemRandom

from api.background import Service, Task
from api.canonical import new_id
from api.errors import OutletError, StorageError
from api.feeds.lease import give_lease, take_lease
from api.identity.roles import Call
from api.live.account import Tally, close_down, count_down
from api.live.stream import changes
from api.live.view import LiveVehicle, live_vehicles
from api.markup import parsed
from api.outlets.settings import Pace
from api.tak.events import deletes_of, events_of
from api.tak.link import TakLink, linked
from api.tak.settings import TakTarget
from api.threads import in_thread

__all__ = ["telling_vehicles"]

_LOG = logging.getLogger("vedette.api")


def telling_vehicles(target: TakTarget, pace: Pace) -> Task:
    """A task that tells one server of live vehicles until it is cancelled."""

    async def tell(service: Service) -> None:
        teller, wait_s = _Teller(service, target, pace), pace.first_wait_s
        try:
            while True:
                try:
                    if not await in_thread(teller.leads):
                        await asyncio.sleep(pace.hold_s / 3)
                        continue
                    async with linked(target, service.store.clock) as link:
                        wait_s = pace.first_wait_s
                        await teller.tell(link)
                except (OutletError, StorageError) as error:
                    _LOG.warning("vehicles wait", extra={"fields": {"server": target.name, "problem": str(error)}})
                    await asyncio.sleep(wait_s * SystemRandom().uniform(0.75, 1.25))
                    wait_s = min(wait_s * 2, pace.longest_wait_s)
        finally:
            with contextlib.suppress(StorageError):
                await asyncio.shield(in_thread(teller.let_go))

    tell.__qualname__ = f"tell_vehicles {target.name}"
    return tell


class _Teller:
    """Tells one server what its audience may see of vehicles now."""

    def __init__(self, service: Service, target: TakTarget, pace: Pace) -> None:
        self._store, self._settings = service.store, service.settings.live
        self._target, self._hold_us, self._owner = target, round(pace.hold_s * 1e6), new_id()
        # The uids that clients may show of each vehicle: until what takes them away was sent, whatever breaks.
        self._shown: dict[str, frozenset[str]] = {}
        self._lease = f"tak-live:{target.name}"
        self._tally = Tally(Call(target.outlet.principal, new_id()), "outlet.tell_live", self._settings.account_s)

    def leads(self) -> bool:
        """Whether this process is the one that serves the server, for a while."""
        with self._store.write() as session:
            return take_lease(session, self._lease, self._owner, self._store.clock(), self._hold_us)

    def let_go(self) -> None:
        """Let another process serve the server, without waiting for the end of the lease."""
        with self._store.write() as session:
            give_lease(session, self._lease, self._owner)

    async def tell(self, link: TakLink) -> None:
        """Until the connection breaks, or another process serves the server."""
        told: dict[str, str] = {}
        led_us = self._store.clock()
        try:
            while True:
                if not 0 <= self._store.clock() - led_us < self._hold_us // 3:
                    if not await in_thread(self.leads):
                        return
                    led_us = self._store.clock()
                events, shown = await in_thread(self._events, told)
                await link.write(events)
                self._shown = shown
                await link.idle()
                await asyncio.sleep(self._settings.pace_s)
        finally:
            # What ends it goes on, the end of the service too, though the store is gone.
            with contextlib.suppress(StorageError):
                await asyncio.shield(in_thread(close_down, self._store, self._tally))

    def _events(self, told: dict[str, str]) -> tuple[list[bytes], dict[str, frozenset[str]]]:
        """The events of what has changed, once it stands in the audit, and what clients show when they have them."""
        now_us, rules = self._store.clock(), self._target.rules
        with self._store.read() as session:
            view: dict[str, LiveVehicle] = live_vehicles(session, self._target.outlet.principal, now_us, self._settings)
        fresh, gone = changes(view, told)
        count_down(self._store, self._tally, [one.feature["id"] for one in fresh])
        made: list[bytes] = []
        shown = dict(self._shown)
        for one in fresh:
            events, record_id = events_of(one.feature, "vehicle", now_us=now_us, rules=rules), one.feature["id"]
            made += events
            if not events:  # it is stale: clients see by themselves that what they show is old
                continue
            uids = frozenset(str(parsed(event).get("uid")) for event in events)
            before = self._shown.get(record_id, uids)
            if not before <= uids:
                made += deletes_of(record_id, "vehicle", now_us=now_us, rules=rules, but=uids)
            self._shown[record_id], shown[record_id] = before | uids, uids
        # Of an earlier connection too: what went while the server was away.
        for record_id in sorted({*gone, *(self._shown.keys() - view.keys())}):
            made += deletes_of(record_id, "vehicle", now_us=now_us, rules=rules)
            shown.pop(record_id, None)
        return made, shown
