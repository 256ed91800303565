"""What the trail does beside the routes."""

from __future__ import annotations

import asyncio
import logging

from api.background import Service, Task
from api.errors import ApiError
from api.threads import in_thread
from api.trail.heads import HeadKeeper

__all__ = ["TASKS", "keep_heads"]

_LOG = logging.getLogger("vedette.api")


async def keep_heads(service: Service) -> None:
    """Sign heads of the audit as `HeadSettings` say; returns at once where they name no place to keep them.

    The last one is signed as the service stops: until the next start nothing else vouches for what was done since.
    """
    settings = service.settings.heads
    if settings.target is None:
        return
    keeper = await in_thread(HeadKeeper, service.store, settings)
    try:
        while True:
            await in_thread(keeper.sign_if_due)
            await asyncio.sleep(settings.check_s)
    except asyncio.CancelledError:
        try:
            await in_thread(keeper.sign_if_new)
        except ApiError:  # told, and found again by the next start: nothing stops a service from stopping
            _LOG.exception("last head not signed")
        raise


TASKS: tuple[Task, ...] = (keep_heads,)
