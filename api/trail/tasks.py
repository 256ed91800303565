"""What the trail does beside the routes."""

from __future__ import annotations

import asyncio

from api.background import Service, Task
from api.threads import in_thread
from api.trail.heads import HeadKeeper

__all__ = ["TASKS", "keep_heads"]


async def keep_heads(service: Service) -> None:
    """Sign heads of the audit as `HeadSettings` say; returns at once where they name no place to keep them."""
    settings = service.settings.heads
    if settings.target is None:
        return
    keeper = await in_thread(HeadKeeper, service.store, settings)
    while True:
        await in_thread(keeper.sign_if_due)
        await asyncio.sleep(settings.check_s)


TASKS: tuple[Task, ...] = (keep_heads,)
