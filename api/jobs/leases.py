"""Whose a job is: a worker that gave no sign of life for a while has lost its jobs, and may come back.

It then must neither go on with them, for a stream would be watched twice, nor end them for those who have them now.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

__all__ = ["Leases"]

_LOG = logging.getLogger("vedette.jobs")


class Leases(JobManager):
    """The jobs of a database; ends a job for the worker that still has it, and for no other.

    A job's count of tries grows whenever it is put back, so that it tells one lease of it from the next.
    """

    async def holds(self, job: Job) -> bool:
        """Whether a job is still the one that was fetched; raises ConnectorException."""
        query = "SELECT id FROM procrastinate_jobs WHERE id = %(id)s AND status = 'doing' AND attempts = %(tries)s"
        return bool(await self.connector.execute_query_all_async(query, id=job.id, tries=job.attempts))

    async def until_lost(self, job: Job, every_s: float) -> None:
        """Return when a job is another's. A database that is away says nothing of it, and is asked again."""
        held = True
        while held:
            await asyncio.sleep(every_s)
            with suppress(ConnectorException):
                held = await self.holds(job)

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Set a job to its last state, where it is still ours."""
        if await self._still_ours(job):
            await super().finish_job(job, status, delete_job)

    async def retry_job(self, job: Job, *when: Any, **how: Any) -> None:
        """Put a job back for another try, where it is still ours."""
        if await self._still_ours(job):
            await super().retry_job(job, *when, **how)

    async def _still_ours(self, job: Job) -> bool:
        if await self.holds(job):
            return True
        _LOG.warning("job %s was taken up by another worker meanwhile: what became of it here is not told", job.id)
        return False
