"""Telling partners of releases when their delay has passed."""

from __future__ import annotations

import asyncio

from api.background import Service, glance
from api.release.announcing import announce_due, may_be_due, next_due
from api.store.engine import Store
from api.threads import in_thread

__all__ = ["announce_when_due"]

_LOOK_S = 1.0
_AT_ONCE = 500


async def announce_when_due(service: Service) -> None:
    """Look once a second; write only where something is due."""
    store = service.store
    while True:
        while await glance(store, lambda: may_be_due(store)) and await in_thread(_announce, store) == _AT_ONCE:
            pass
        await asyncio.sleep(_LOOK_S)


def _announce(store: Store) -> int:
    now = store.clock()
    with store.read() as session:
        due = next_due(session, now)
    if due is None or due > now:
        return 0
    with store.write() as session:
        return announce_due(session, now, limit=_AT_ONCE)
