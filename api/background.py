"""What the service does beside answering: each task runs as long as the service, and comes back when it falls."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from api.settings import Settings
from api.store.engine import Store

__all__ = ["Service", "Task", "beside"]

_LOG = logging.getLogger("vedette.api")
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0
_AGAIN_S = 5.0
"""After which a task that was told to end is told again."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a task works with."""

    store: Store
    settings: Settings


Task = Callable[[Service], Coroutine[Any, Any, None]]
"""Runs until it is cancelled, or returns when it has nothing to do; work on the store goes through `in_thread`."""


@asynccontextmanager
async def beside(service: Service, tasks: Sequence[Task]) -> AsyncIterator[None]:
    """Run `tasks` while the block runs; on its end they are cancelled and waited for.

    Cancelled again and again until they have ended: a library can answer in place of a cancellation. `asyncio.wait_for`
    of Python 3.11 gives a result that came in the same moment, and a goodbye that fails is raised over it.

    A task that raises is logged and begun again after a wait that doubles up to a minute, and begins anew after a
    minute that went well: one that fails does not take the service with it.
    """
    running = [asyncio.create_task(_kept(service, task), name=task.__qualname__) for task in tasks]
    try:
        yield
    finally:
        left = set(running)
        while left:
            for each in left:
                each.cancel()
            _, left = await asyncio.wait(left, timeout=_AGAIN_S)


async def _kept(service: Service, task: Task) -> None:
    wait_s = _FIRST_WAIT_S
    while True:
        began = time.monotonic()
        try:
            await task(service)
        except Exception:  # noqa: BLE001 - logged whole; the next round may find what was missing
            if time.monotonic() - began > _LONGEST_WAIT_S:
                wait_s = _FIRST_WAIT_S
            _LOG.exception("task failed", extra={"fields": {"task": task.__qualname__, "again_in_s": wait_s}})
        else:
            return
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
