"""A worker: takes jobs under a lease, runs each as a process of its own, and takes up what a dead worker left."""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from procrastinate import App, JobContext, RetryStrategy
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status

from api.errors import ApiError, StorageError
from api.jobs.kinds import KINDS, Kind, arguments_of
from api.jobs.leases import Leases
from api.jobs.left import deliver_left
from api.jobs.queue import job_app, prepare_jobs

__all__ = ["JobError", "WorkOrder", "work"]

_LOG = logging.getLogger("vedette.jobs")
_AGAIN_S = 2.0
_LAST_WORDS = 2000
_WATCH = (sys.executable, "-m", "vedette", "watch")


class JobError(ApiError):
    """The process of a job did not end well."""


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """What a worker is started with.

    Parameters
    ----------
    database
        URL of the store, where the jobs are.
    url, key
        The service that crossings are delivered to, and a pilot's key.
    out
        Folder on this machine for evidence and what waits to be delivered.
    concurrency
        Jobs at once.
    lease_s
        Seconds without a sign of life after which another takes up what a worker had.
    name
        Of the worker, in logs.
    command
        What watches one video.
    flags
        What every watch is given besides, as `--no-picture`.
    grace_s
        How long a job may take to end when the worker is told to stop.
    told
        Takes lines for a person.
    """

    database: str
    url: str
    key: str = field(repr=False)
    out: Path
    concurrency: int = 1
    lease_s: float = 30.0
    name: str = field(default_factory=lambda: f"{os.uname().nodename}-{os.getpid()}")
    command: Sequence[str] = _WATCH
    flags: Sequence[str] = ()
    grace_s: float = 30.0
    told: Callable[[str], None] = _LOG.info


async def work(order: WorkOrder) -> None:
    """Take jobs until told to stop (SIGINT, SIGTERM); what is not done by then goes back.

    A database that goes away is waited for: the jobs in hand are begun again, here or by another worker, and what was
    delivered of them is known to the service.

    Raises
    ------
    StorageError
        When the database cannot be reached at the start.
    """
    prepare_jobs(order.database)
    while True:
        app = job_app(order.database)
        for kind in KINDS.values():
            _add_task(app, kind, order)
        try:
            async with app.open_async():
                await _run(app, order)
        except (ConnectorException, StorageError, OSError) as error:
            order.told(f"the database is away, looked for again in {_AGAIN_S} s: {error}")
            await asyncio.sleep(_AGAIN_S)
        else:
            return


async def _run(app: App, order: WorkOrder) -> None:
    looking = asyncio.create_task(_look_after(app, order))
    try:
        await app.run_worker_async(
            queues=list(KINDS),
            name=order.name,
            concurrency=order.concurrency,
            fetch_job_polling_interval=max(0.2, min(5.0, order.lease_s / 3)),
            update_heartbeat_interval=order.lease_s / 3,
            stalled_worker_timeout=order.lease_s,
            shutdown_graceful_timeout=order.grace_s,
        )
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking


def _add_task(app: App, kind: Kind, order: WorkOrder) -> None:
    retry = RetryStrategy(max_attempts=kind.tries, wait=5, linear_wait=5)

    @app.task(name=kind.name, queue=kind.name, pass_context=True, retry=retry)
    async def run(context: JobContext, place: str, options: Mapping[str, str]) -> None:
        folder = order.out / hashlib.sha256(f"{kind.name} {place}".encode()).hexdigest()[:16]
        arguments = arguments_of(kind, place, options, out=folder, url=order.url)
        import vision  # noqa: PLC0415 - inference engines take a second to load

        name = vision.location_name(place)
        order.told(f"job {context.job.id}: {kind.name} {name}, try {context.job.attempts + 1}")
        try:
            await _while_held(app, context.job, _process([*order.command, *order.flags, *arguments], order), order)
        except JobError as error:
            order.told(f"job {context.job.id}: {error}")
            raise
        order.told(f"job {context.job.id}: done")


async def _while_held(app: App, job: Job, working: Coroutine[Any, Any, None], order: WorkOrder) -> None:
    """Do a job as long as it is known to be ours; raises JobError where it is not any more, or its process fails."""
    leases = app.job_manager
    assert isinstance(leases, Leases)  # of `job_app`
    doing, losing = asyncio.create_task(working), asyncio.create_task(leases.until_lost(job, order.lease_s / 3))
    try:
        await asyncio.wait({doing, losing}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            if (error := losing.exception()) is not None:
                why = f"{type(error).__name__}: {error}"
                raise JobError(f"whose it is cannot be asked, so what is done here ends: {why}") from error
            raise JobError("another worker took it up while this one gave no sign of life: what is done here ends")
        doing.result()
    finally:
        doing.cancel()
        losing.cancel()
        await asyncio.gather(doing, losing, return_exceptions=True)


async def _process(command: Sequence[str], order: WorkOrder) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        env=os.environ | {"VEDETTE_KEY": order.key},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=_end_with_parent,
    )
    assert process.stderr is not None  # it is a pipe
    told = b""
    try:
        while piece := await process.stderr.read(4096):
            told = (told + piece)[-_LAST_WORDS:]
        code = await process.wait()
    except asyncio.CancelledError:  # the worker is told to stop
        process.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(order.grace_s):
                await process.wait()
        raise
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code != 0:
        raise JobError(f"{command[0]} ended with {code}: {' '.join(told.decode(errors='replace').split())}")


def _end_with_parent() -> None:
    """A worker that is killed takes its processes along: nobody else is at the same video after the lease."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


async def _look_after(app: App, order: WorkOrder) -> None:
    """Again and again: put back what workers without a sign of life had, deliver what a watch here left behind.

    Nothing that goes wrong ends it: a worker that looks no more would leave the work of others lying, unseen.
    """
    while True:
        await asyncio.sleep(order.lease_s / 3)
        try:
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=order.lease_s):
                if job.task_name in KINDS:  # what only newer workers know is theirs to take up
                    await _put_back(app, order, job)
        except Exception as error:  # noqa: BLE001 - told
            _LOG.exception("what others left could not be looked for")
            order.told(f"what others left could not be looked for: {type(error).__name__}: {error}")
        try:
            await asyncio.to_thread(deliver_left, order.out, order.url, order.key, order.told)
        except Exception as error:  # noqa: BLE001 - told
            _LOG.exception("what waits here could not be delivered")
            order.told(f"what waits here could not be delivered: {type(error).__name__}: {error}")


async def _put_back(app: App, order: WorkOrder, job: Job) -> None:
    tries = KINDS[job.task_name].tries
    # In one statement with what was looked at: of two workers that put the same job back, one does.
    row = await app.connector.execute_query_all_async(
        "UPDATE procrastinate_jobs SET status = (%(state)s)::procrastinate_job_status, "
        "attempts = attempts + 1, worker_id = NULL "
        "WHERE id = %(id)s AND status = 'doing' AND worker_id IS NOT DISTINCT FROM %(worker)s AND attempts = %(tries)s "
        "RETURNING id",
        id=job.id,
        worker=job.worker_id,
        tries=job.attempts,
        state=(Status.FAILED if tries is not None and job.attempts + 1 >= tries else Status.TODO).value,
    )
    if row:
        order.told(f"job {job.id}: {job.task_name} was left by a worker that is gone, taken up again")
