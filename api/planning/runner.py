"""Planners at work: one process of the service takes plannings from the queue and runs each in a process of its own.

A planner is killed when its planning is cancelled, takes too long, or the service stops; one that dies says so. A store
that is out of reach for a moment ends none: its progress is told later, and its end until it is heard, for a while. Who
cannot renew the lease stops its planners when it has run out, since another process may have it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVarTuple

from api.background import Service, Task, commits_of, glance, within
from api.canonical import new_id
from api.errors import StorageError
from api.feeds.lease import give_lease, take_lease
from api.planning import plannings
from api.planning.folder import FILES, FOUND, SORTIES
from api.planning.plannings import PlanFile
from api.planning.settings import PlanningSettings
from api.store.engine import Store
from api.threads import in_thread

__all__ = ["TASKS", "run_plannings"]

_LOG = logging.getLogger("vedette.api")
_Ts = TypeVarTuple("_Ts")
_COMMAND = (sys.executable, "-m", "api.planning.worker")
_LEASE = "planning"
_LEASE_S = 30.0
_LOOK_S = 0.25
_POLL_S = 2.0
"""How often it looks for what other processes were asked for; what this one was asked for is seen at once."""
_DAY_US = 86_400_000_000
_LONGEST_LINE = 1 << 20
_LAST_WORDS = 20
_AGAIN_S = (0.5, 2.0, 8.0)
"""After how long it is tried again to write down how a planning ended, each time."""


class _DiedError(Exception):
    """A planner that ended without a plan, and without a word of ours."""


async def run_plannings(service: Service) -> None:
    """Run what waits, until cancelled; of several processes that share a store one does, as long as there is work."""
    owner, clock = new_id(), asyncio.get_running_loop().time
    with commits_of(service.store) as committed:
        while True:
            committed.clear()
            rest_s = _LOOK_S
            if await glance(service.store, lambda: _is_due(service)):
                since = clock()
                if await in_thread(_lead, service.store, owner):
                    try:
                        await in_thread(_tidy, service)
                        await _work(service, owner, since)
                    finally:
                        with suppress(StorageError):
                            await in_thread(_follow, service.store, owner)
                else:
                    rest_s = _LEASE_S / 3
            await asyncio.sleep(rest_s)  # however many commits there are
            await within(_POLL_S, committed)


TASKS: tuple[Task, ...] = (run_plannings,)


async def _work(service: Service, owner: str, since: float) -> None:
    """Run what waits, until nothing does, or another process has taken over.

    Parameters
    ----------
    since
        When the lease was taken, by the event loop's time.

    Raises
    ------
    StorageError
        When the lease has run out, and the store is still out of reach.
    """
    clock = asyncio.get_running_loop().time
    async with asyncio.TaskGroup() as group:
        crew = _Crew(service, group)
        while True:
            try:
                if not await crew.look():
                    break
                now = clock()
                if now >= since + _LEASE_S / 3:
                    if not await in_thread(_lead, service.store, owner):
                        break
                    since = now
            except StorageError:
                if clock() >= since + _LEASE_S:
                    raise
            await asyncio.sleep(_LOOK_S)
        crew.stop()


@dataclass
class _Crew:
    """The planners of this process."""

    service: Service
    group: asyncio.TaskGroup
    at_work: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def look(self) -> bool:
        """Begin what waits, as far as there is room; stop what nobody wants any more. False when all is done."""
        self.at_work = {id_: task for id_, task in self.at_work.items() if not task.done()}
        room = self.service.settings.planning.at_once - len(self.at_work)
        going, begun = await in_thread(_look, self.service.store, list(self.at_work), room)
        for id_, task in self.at_work.items():
            if id_ not in going:
                task.cancel()
        for id_, request in begun:
            self.at_work[id_] = self.group.create_task(_plan(self.service, id_, request), name=f"planning-{id_}")
        return bool(self.at_work)

    def stop(self) -> None:
        """Stop all of them."""
        for task in self.at_work.values():
            task.cancel()


def _is_due(service: Service) -> bool:
    return plannings.is_due(service.store.looks, _old_us(service))


def _old_us(service: Service) -> int:
    """What ended before this is forgotten; nothing is, by a clock that is not believed."""
    try:
        service.store.check_clock()
    except StorageError:
        return 0
    return service.store.clock() - round(service.settings.planning.keep_days * _DAY_US)


def _lead(store: Store, owner: str) -> bool:
    with store.write() as session:
        return take_lease(session, _LEASE, owner, store.clock(), round(_LEASE_S * 1e6))


def _follow(store: Store, owner: str) -> None:
    with store.write() as session:
        give_lease(session, _LEASE, owner)


def _tidy(service: Service) -> None:
    """At the beginning: what runs by the store, the process before this one began, and nobody runs it now."""
    old_us = _old_us(service)
    with service.store.write() as session:
        now = service.store.clock()
        plannings.fail_left(session, now)
        plannings.forget_old(session, now, old_us)


def _look(store: Store, at_work: list[str], room: int) -> tuple[set[str], list[tuple[str, str]]]:
    """Those at work that are still wanted, and those that were begun."""
    with store.read() as session:
        going = plannings.wanted(session, at_work)
        waits = plannings.waits(session)
    begun: list[tuple[str, str]] = []
    while waits and len(begun) < room:
        taken = None
        with suppress(StorageError):  # those that were begun need somebody who runs them
            with store.write() as session:
                found = plannings.take_next(session, store.clock())
            taken = found  # once that is written
        if taken is None:
            break
        begun.append(taken)
    return going, begun


async def _plan(service: Service, planning_id: str, request: str) -> None:
    """Run one planning to its end, whatever that is; others go on."""
    error = await _planned(service, planning_id, request)
    if error is None:
        return
    try:
        await _surely(_fail, service.store, planning_id, error)
    except Exception:  # noqa: BLE001 - it is among those that were left, and told so when the next begin
        _LOG.exception("end of a planning was not kept", extra={"fields": {"planning": planning_id}})


async def _planned(service: Service, planning_id: str, request: str) -> str | None:
    """Run one planning: what went wrong, or None when its end is kept."""
    settings, store = service.settings.planning, service.store
    try:
        with TemporaryDirectory(prefix="vedette-planning-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            async with asyncio.timeout(settings.limit_s):
                error = await _ran(store, planning_id, request, folder, settings)
            if error is None:
                await _surely(_end, store, planning_id, folder, settings.most_bytes)
            return error
    except TimeoutError:
        return f"it took longer than {settings.limit_s:g} s: plan a shorter border, or with fewer aircraft"
    except Exception as problem:  # noqa: BLE001 - logged whole; whoever asked must not wait for ever
        _LOG.exception("planning failed", extra={"fields": {"planning": planning_id}})
        how = str(problem) if isinstance(problem, _DiedError) else "its plan could not be kept"
        return f"the planner did not come to its end ({how}): plan a shorter border, or ask the administrator"


async def _surely(work: Callable[[*_Ts], None], *args: *_Ts) -> None:
    """Do `work`, again where the store is out of reach for a moment. Raises StorageError when it stays so."""
    for wait_s in _AGAIN_S:
        try:
            return await in_thread(work, *args)
        except StorageError:
            await asyncio.sleep(wait_s)
    return await in_thread(work, *args)


async def _ran(store: Store, planning_id: str, request: str, folder: Path, settings: PlanningSettings) -> str | None:
    """Run a planner: what it says went wrong, or None when the plan lies in the folder."""
    terrain = None if settings.terrain is None else str(settings.terrain)
    order = {"request": json.loads(request), "folder": str(folder), "terrain": terrain}
    error: str | None = None
    words: list[str] = []
    async with _process(json.dumps(order)) as process:
        assert process.stdout is not None  # it is a pipe
        async for line in process.stdout:
            said = _said(line)
            if "error" in said:
                error = str(said["error"])
            elif "progress" in said:
                await in_thread(_tell, store, planning_id, float(said["progress"]), str(said["stage"]))
            else:
                words = [*words, line.decode(errors="replace").strip()][-_LAST_WORDS:]
        code = await process.wait()
    if code != 0 and error is None:
        if words:
            _LOG.error("planner said", extra={"fields": {"planning": planning_id, "words": words}})
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        raise _DiedError(how)
    return error


@asynccontextmanager
async def _process(order: str) -> AsyncIterator[Process]:
    """A planner at work on an order; killed when the block ends before it."""
    process = await asyncio.create_subprocess_exec(
        *_COMMAND, stdin=PIPE, stdout=PIPE, stderr=STDOUT, limit=_LONGEST_LINE
    )
    try:
        assert process.stdin is not None  # it is a pipe; it stays open, and its end would be the planner's
        with suppress(ConnectionError):  # it is dead already: its exit code says how
            process.stdin.write(order.encode() + b"\n")
            await process.stdin.drain()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await asyncio.shield(process.wait())


def _said(line: bytes) -> dict[str, Any]:
    """What a line of a planner says; nothing where it is a word of somebody else's."""
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _tell(store: Store, planning_id: str, progress: float, stage: str) -> None:
    with suppress(StorageError):  # the next word comes soon
        store.write_together(lambda session: plannings.tell(session, planning_id, progress, stage))


def _fail(store: Store, planning_id: str, error: str) -> None:
    store.write_together(lambda session: plannings.end(session, store.clock(), planning_id, error=error))


def _end(store: Store, planning_id: str, folder: Path, most_bytes: int) -> None:
    """Keep what a planner left."""
    paths = sorted((folder / FILES).iterdir())
    size = sum(path.stat().st_size for path in paths)
    if size > most_bytes:
        _fail(store, planning_id, f"its files have {size:,} bytes, {most_bytes:,} are allowed: plan a shorter border")
        return
    whose = json.loads((folder / SORTIES).read_text(encoding="utf-8"))
    files = [PlanFile(path.name, whose.get(path.name), path.read_bytes()) for path in paths]
    found = (folder / FOUND).read_text(encoding="utf-8")
    with store.write() as session:
        plannings.end(session, store.clock(), planning_id, found=found, files=files)
