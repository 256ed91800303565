"""Work that is given up in good order: what must end does, what may be left is left."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["to_the_end", "unless"]

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Result of `work`, which runs to its end however often the caller is cancelled meanwhile.

    A cancellation that came meanwhile is not lost: it strikes the caller at its next wait.
    """
    task = asyncio.create_task(work)
    held = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            held = True
    caller = asyncio.current_task()
    if held and caller is not None:
        caller.uncancel()
        caller.cancel()
    return task.result()


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Result of `work`, or None where `stop` is set first: `work` is then cancelled, and its clearing up awaited."""
    task = asyncio.create_task(work)
    waiter = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiter.cancel()
        if not task.done():
            task.cancel()
            await to_the_end(_settled(task))
    return None if task.cancelled() else task.result()


async def _settled(task: asyncio.Task[T]) -> None:
    await asyncio.wait({task})
