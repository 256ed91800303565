"""The loop of an outlet: connect, tell, move the cursor; when the other side is gone, wait and begin again.

At least once: the cursor moves only when the other side has confirmed a batch. In order for each record: one process
serves an outlet at a time, over one connection, and a batch that failed is told again from its beginning.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from random import SystemRandom
from typing import Protocol

from api.background import Service
from api.canonical import new_id
from api.errors import OutletError, StorageError
from api.outlets.cursors import Told, hold, let_go, move, next_batch, note_problem
from api.outlets.settings import Outlet, Pace
from api.threads import in_thread

__all__ = ["Sink", "follow"]

_LOG = logging.getLogger("vedette.api")


class Sink(Protocol):
    """A connection to the other side. Both raise OutletError when it is of no use any more."""

    async def send(self, told: Sequence[Told]) -> None:
        """Tell; returns when the other side has it all."""

    async def idle(self) -> None:
        """Look after the connection while there is nothing to tell."""


async def follow(
    service: Service,
    outlet: Outlet,
    connect: Callable[[], AbstractAsyncContextManager[Sink]],
    pace: Pace = Pace(),  # noqa: B008 - frozen
) -> None:
    """Serve an outlet until cancelled.

    Parameters
    ----------
    service
        Whose store it reads.
    outlet
        Which.
    connect
        Opens a connection for the length of a block; raises OutletError when it cannot.
    pace
        How fast.
    """
    holder, wait_s = new_id(), pace.first_wait_s
    try:
        while True:
            try:
                if not await in_thread(hold, service.store, outlet, holder, pace.hold_s):
                    await asyncio.sleep(pace.hold_s / 3)
                    continue
                async with connect() as sink:
                    async for _ in _pump(service, outlet, holder, sink, pace):
                        wait_s = pace.first_wait_s  # something was taken: it is well again
            except (OutletError, StorageError) as error:
                _LOG.warning("outlet waits", extra={"fields": {"outlet": outlet.name, "problem": str(error)}})
                with contextlib.suppress(StorageError):
                    await in_thread(note_problem, service.store, outlet, str(error))
                # Not all at once after a server that many wait for comes back.
                await asyncio.sleep(wait_s * SystemRandom().uniform(0.75, 1.25))
                wait_s = min(wait_s * 2, pace.longest_wait_s)
    finally:
        with contextlib.suppress(StorageError):
            await in_thread(let_go, service.store, outlet, holder)


async def _pump(service: Service, outlet: Outlet, holder: str, sink: Sink, pace: Pace) -> AsyncIterator[int]:
    """Tell batch after batch and give the cursor after each; ends when another process has taken the outlet."""
    store, held = service.store, time.monotonic()
    while True:
        if time.monotonic() - held > pace.hold_s / 3:
            if not await in_thread(hold, store, outlet, holder, pace.hold_s):
                return
            held = time.monotonic()
        batch = await in_thread(next_batch, store, outlet)
        if batch is None:
            await sink.idle()
            await asyncio.sleep(pace.poll_s)
            continue
        if batch.told:
            await sink.send(batch.told)
        if not await in_thread(move, store, outlet, holder, batch.until):
            return
        yield batch.until
