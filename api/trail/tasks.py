"""What the trail does beside the routes."""

from __future__ import annotations

import asyncio

from starlette.concurrency import run_in_threadpool

from api.background import Service, Task
from api.trail.heads import HeadKeeper

__all__ = ["TASKS", "keep_heads"]


async def keep_heads(service: Service) -> None:
    """Sign heads of the audit as `HeadSettings` say; returns at once where they name no place to keep them."""
    settings = service.settings.heads
    if settings.target is None:
        return
    keeper = await run_in_threadpool(HeadKeeper, service.store, settings)
    while True:
        await run_in_threadpool(keeper.sign_if_due)
        await asyncio.sleep(settings.check_s)


TASKS: tuple[Task, ...] = (keep_heads,)
