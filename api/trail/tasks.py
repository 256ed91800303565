"""What the trail does beside the routes."""

from __future__ import annotations

import asyncio
import logging

from api.background import Service, Task
from api.errors import ApiError
from api.threads import in_thread
from api.trail.heads import HeadKeeper

__all__ = ["TASKS", "keep_heads", "sign_last_head"]

_LOG = logging.getLogger("vedette.api")


async def keep_heads(service: Service) -> None:
    """Sign heads of the audit as `HeadSettings` say; returns at once where they name no place to keep them."""
    settings = service.settings.heads
    if settings.target is None:
        return
    keeper = await in_thread(HeadKeeper, service.store, settings)
    while True:
        await in_thread(keeper.sign_if_due)
        await asyncio.sleep(settings.check_s)


async def sign_last_head(service: Service) -> None:
    """Sign what was done since the last head, when all that writes has ended.

    Until the next start nothing else vouches for it; tasks write their last entries as they end. What stands at the
    target is read anew: the task may have failed, or be waiting to begin again.
    """
    settings = service.settings.heads
    if settings.target is None:
        return
    try:
        keeper = await in_thread(HeadKeeper, service.store, settings)
        await in_thread(keeper.sign_if_new)
    except ApiError:  # told, and found again by the next start: nothing stops a service from stopping
        _LOG.exception("last head not signed")


TASKS: tuple[Task, ...] = (keep_heads,)
