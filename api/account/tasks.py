"""What the account does beside the routes."""

from __future__ import annotations

import asyncio
import logging
import time

from api.account.erasure import remove_orphans, sweep
from api.account.ledger import LedgerKeeper
from api.account.transparency import publish
from api.background import Service, Task, glance
from api.errors import StorageError
from api.store.days import drop_empty_days
from api.threads import in_thread

__all__ = ["TASKS", "keep_ledger", "overwrite_erased", "publish_months", "sweep_store"]

_LOG = logging.getLogger("vedette.api")
_HOUR_S = 3600.0
_LEDGER_S = 1.0
_AGAIN_S = 60.0
"""Between two looks for what could not be overwritten as it was erased."""


async def sweep_store(service: Service) -> None:
    """Erase what has run out, and remove objects that no record names; nothing by a clock that is not believed."""
    settings, store = service.settings.account, service.store
    orphans_at = 0.0
    while True:
        try:
            store.check_clock()
        except StorageError as error:
            _LOG.warning("not swept", extra={"fields": {"problem": str(error)}})
            await asyncio.sleep(settings.sweep_s)
            continue
        erased = await in_thread(sweep, store)
        removed = 0
        if time.monotonic() >= orphans_at:
            removed = await in_thread(remove_orphans, store)
            orphans_at = time.monotonic() + settings.orphans_s
        if erased or removed:
            await in_thread(store.forget)
            days = await in_thread(drop_empty_days, store)
            _LOG.info("swept", extra={"fields": {"erased": erased, "orphans": removed, "days": days}})
        await asyncio.sleep(settings.sweep_s)


async def overwrite_erased(service: Service) -> None:
    """Overwrite what a reader kept in the log of the database's file when it was erased, soon after that reader ended.

    By any clock: what was erased on request does not wait until the time is believed again.
    """
    while True:
        if not service.store.has_forgotten:
            await in_thread(service.store.forget)
        await asyncio.sleep(_AGAIN_S)


async def publish_months(service: Service) -> None:
    """Publish each month when its time has come."""
    settings, store = service.settings.account, service.store
    while settings.publish:
        for month in await in_thread(publish, store, settings):
            _LOG.info("published", extra={"fields": {"month": month}})
        await asyncio.sleep(_HOUR_S)


async def keep_ledger(service: Service) -> None:
    """Write down outside the store what is taken back."""
    where = service.settings.account.ledger or str(service.store.directory / "ledger.jsonl")
    keeper = await in_thread(LedgerKeeper, service.store, where)
    while True:
        if await glance(service.store, keeper.is_behind):
            await in_thread(keeper.keep)
        await asyncio.sleep(_LEDGER_S)


TASKS: tuple[Task, ...] = (keep_ledger, sweep_store, overwrite_erased, publish_months)
