"""What the service does beside answering: each task runs as long as the service, and comes back when it falls."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from anyio import CapacityLimiter

from api.settings import Settings
from api.store.engine import Store
from api.threads import in_thread

__all__ = ["Service", "Task", "beside", "commits_of", "glance", "within"]

_LOG = logging.getLogger("vedette.api")
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0
_AGAIN_S = 5.0
"""After which a task that was told to end is told again."""


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Service:
    """What a task works with."""

    store: Store
    settings: Settings


Task = Callable[[Service], Coroutine[Any, Any, None]]
"""Runs until it is cancelled, or returns when it has nothing to do; work on the store goes through `in_thread`."""


async def glance(store: Store, look: Callable[[], _T], *, limiter: CapacityLimiter | None = None) -> _T:
    """What `look` returns or raises, which asks one small question by `Store.looks`.

    Tasks look many times a second whether there is something to do, and there hardly ever is. Of a file of this machine
    that is asked here, which takes a tenth of the way to a thread and back; another database could hang, and is asked
    in a thread (of `limiter`, as in `in_thread`).
    """
    return look() if store.is_embedded else await in_thread(look, limiter=limiter)


@contextmanager
def commits_of(store: Store) -> Iterator[asyncio.Event]:
    """An event that is set after each commit of this process, until the block ends; whoever waits for it clears it."""
    loop, committed = asyncio.get_running_loop(), asyncio.Event()

    def heard() -> None:  # in whatever thread made it, before whoever made it is answered
        if committed.is_set():  # whoever waits clears it before they look: they will see this commit too
            return
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(committed.set)

    store.listen(heard)
    try:
        yield committed
    finally:
        store.unlisten(heard)


async def within(longest_s: float, event: asyncio.Event) -> None:
    """Wait until an event is set, and no longer than that."""
    # Not `wait_for`: where it is set as it is cancelled, that one goes on, and who cancelled it waits for ever.
    with suppress(TimeoutError):
        async with asyncio.timeout(longest_s):
            await event.wait()


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
