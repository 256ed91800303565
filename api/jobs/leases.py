"""Whose a job is: a worker that gave no sign of life for a while has lost its jobs, and may come back.

It then must neither go on with them, for a stream would be watched twice, nor end them for those who have them now.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.sql import queries

__all__ = ["Leases"]

_LOG = logging.getLogger("vedette.jobs")
_OURS = "SELECT id FROM procrastinate_jobs WHERE id = %(id)s AND status = 'doing' AND attempts = %(tries)s"


class Leases(JobManager):
    """The jobs of a database; ends a job for the worker that still has it, and for no other.

    A job's count of tries grows whenever it is put back, so that it tells one lease of it from the next.
    """

    async def holds(self, job: Job) -> bool:
        """Whether a job is still the one that was fetched; raises ConnectorException."""
        return bool(await self.connector.execute_query_all_async(_OURS, id=job.id, tries=job.attempts))

    async def until_lost(self, job: Job, every_s: float) -> None:
        """Return when a job is another's. A database that is away says nothing of it, and is asked again."""
        held = True
        while held:
            await asyncio.sleep(every_s)
            with suppress(ConnectorException):
                held = await self.holds(job)

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Set a job to its last state, where it is still ours."""
        await self._where_ours(job, "finish_job", status=status.value, delete_job=delete_job)

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Put a job back for another try, where it is still ours."""
        at = retry_at or datetime.now(UTC)
        await self._where_ours(
            job, "retry_job", retry_at=at, new_priority=priority, new_queue_name=queue, new_lock=lock
        )

    async def _where_ours(self, job: Job, name: str, **arguments: Any) -> None:
        """Call one of Procrastinate's functions, in one statement with the look whether the job is still ours.

        The row is locked before the function is called: whoever takes the job up comes wholly before it or after it.
        """
        call = queries[name].rstrip(";")
        rows = await self.connector.execute_query_all_async(
            f"WITH ours AS MATERIALIZED ({_OURS} FOR UPDATE) {call} FROM ours",
            id=job.id,
            job_id=job.id,
            tries=job.attempts,
            **arguments,
        )
        if not rows:
            _LOG.warning("job %s was taken up by another worker meanwhile: what became of it here is not told", job.id)
