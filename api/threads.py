"""Work in threads that is waited for to its end, whatever happens to the task that asked for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar, TypeVarTuple

from anyio import CancelScope, CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

__all__ = ["in_thread"]

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")
# Beside those of the requests: who fills those does not stop what renews a lease.
_MOST = 16
_THREADS: RunVar[CapacityLimiter] = RunVar("vedette_threads")


async def in_thread(work: Callable[[*_Ts], _T], *args: *_Ts, limiter: CapacityLimiter | None = None) -> _T:
    """What `work` returns or raises, done in a thread.

    A task that is cancelled meanwhile goes on to wait: it ends when the work has ended, and work that has not begun
    never does. A thread cannot be broken off, and what is closed after the task would be closed under its hands.

    Parameters
    ----------
    work, args
        What is called with what.
    limiter
        Whose threads it takes; None takes those of all that runs beside the requests.
    """
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    claim = threading.Lock()  # taken once: by the thread that begins, or by the task that no longer wants it

    def claimed() -> _T:
        if not claim.acquire(blocking=False):
            raise asyncio.CancelledError  # nobody hears it
        try:
            return work(*args)
        finally:
            with suppress(RuntimeError):  # the loop was closed without waiting
                loop.call_soon_threadsafe(ended.set_result, None)

    try:
        return await to_thread.run_sync(claimed, limiter=limiter or _threads())
    except asyncio.CancelledError:
        with CancelScope(shield=True):
            while not claim.acquire(blocking=False) and not ended.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([ended])
        raise


def _threads() -> CapacityLimiter:
    """Those of the running event loop."""
    try:
        return _THREADS.get()
    except LookupError:
        _THREADS.set(CapacityLimiter(_MOST))
        return _THREADS.get()
