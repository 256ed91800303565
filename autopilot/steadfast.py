"""Work that is given up in good order: what must end does, what may be left is left."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["to_the_end", "unless"]

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Result of `work`, which runs to its end however often the caller is cancelled meanwhile.

    Raises
    ------
    CancelledError
        After the end of `work`, when the caller was cancelled meanwhile.
    """
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return task.result()
    if not task.cancelled():
        task.exception()  # seen: the cancellation is what the caller gets
    raise cancelled


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
