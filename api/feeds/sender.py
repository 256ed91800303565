"""What sends to the targets of webhooks: in order for each, at least once, by one process of all.

An event is written down as shown, sent, and the target's cursor moved past it: in this order. A process that falls in
between has sent what its cursor does not tell, and it is sent again under the same message id; nothing is left out.
A target that does not take an event keeps the ones after it waiting, and no other target.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from random import SystemRandom
from typing import Any, TypeVar

from anyio import CapacityLimiter
from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from api.background import Service, glance
from api.canonical import new_id
from api.errors import ApiError
from api.feeds.addresses import Resolver, lookup
from api.feeds.lease import give_lease, holds_lease, take_lease
from api.feeds.posting import Job, Outcome, Poster
from api.feeds.receipts import outstanding_recalls
from api.feeds.signing import signed_headers
from api.feeds.standing import standing
from api.feeds.tables import DeliveryRow, WebhookRow
from api.feeds.told import Teller, Told
from api.feeds.wake import Place, wake_of
from api.feeds.webhooks import disable, signing_secrets, speaks_for
from api.identity.roles import Call, Principal
from api.store.tables import EventRow
from api.threads import in_thread
from api.trail.audit import append_audit
from api.trail.log import INSIDE, narrowed_since, read_events

__all__ = ["Sender", "send_webhooks"]

_LOG = logging.getLogger("vedette.api")
_T = TypeVar("_T")
_LEASE = "webhooks"
_LOOK = 100  # events that are looked over for the next one that a target wants
_PRUNE_S = 3600.0
_AFTER_FAILURE_S = 1.0
_TARGET = select(WebhookRow.id).where(WebhookRow.disabled_us.is_(None)).limit(1)
_GONE = 410  # the target says that it wants no more


@dataclass(frozen=True, slots=True)
class _Look:
    """What a target is to be told, and what that rests on: who hears it, the event, the last event of the log then."""

    row: WebhookRow
    who: Principal
    event: dict[str, Any]
    told: Told
    stamp: int
    again: bool = False


async def send_webhooks(service: Service) -> None:
    """The task: send what there is to send as long as the service runs and this process holds the lease."""
    await Sender(service).run()


class Sender:
    """Sends to the targets of one store.

    Parameters
    ----------
    service
        Store and settings.
    resolver
        Looks names up; for tests.
    tls
        How certificates of targets are verified; the machine's trust when None.
    """

    def __init__(self, service: Service, *, resolver: Resolver = lookup, tls: ssl.SSLContext | None = None) -> None:
        self._store = service.store
        self._settings, self._identity = service.settings.feeds, service.settings.identity
        self._poster = Poster(self._settings, self._store.clock, resolver, tls)
        self._owner = new_id()
        self._threads = CapacityLimiter(4)
        self._calls = asyncio.Semaphore(self._settings.calls)
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._held_until = self._pruned = float("-inf")  # of the machine's own clock that only goes on
        self._place: Place | None = None

    async def run(self) -> None:
        """Send until cancelled; then let go of the lease."""
        wake = wake_of(self._store, self._settings.poll_s)
        place = self._place = await wake.join(None)
        try:
            while True:
                place.stirred.clear()
                wait_s = await self._round()
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await place.stirred.wait()
        finally:
            await wake.leave(place)
            await self._stop()

    async def _stop(self) -> None:
        for task in self._busy.values():
            task.cancel()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)
        await self._poster.aclose()
        with suppress(ApiError):
            await self._writing(lambda session, _now: give_lease(session, _LEASE, self._owner))

    async def _round(self) -> float:
        """Set going whatever is due; how long until there may be more."""
        if not await self._holds():
            for task in self._busy.values():
                task.cancel()
            return self._settings.lease_s / 3
        if time.monotonic() - self._pruned > _PRUNE_S:
            self._pruned = time.monotonic()
            await self._writing(self._prune)
        for webhook_id in await self._reading(self._due) if await glance(self._store, self._has_targets) else ():
            if webhook_id not in self._busy:
                task = asyncio.create_task(self._drain(webhook_id), name=f"vedette-webhook-{webhook_id}")
                self._busy[webhook_id] = task
                task.add_done_callback(partial(self._done, webhook_id))
        return min(self._settings.lease_s / 3, max(self._settings.poll_s, self._settings.first_wait_s / 4))

    async def _holds(self) -> bool:
        """Whether this process is the one that sends: the lease is renewed before two thirds of it are over."""
        lease_s, now_s = self._settings.lease_s, time.monotonic()
        if now_s < self._held_until - lease_s * 2 / 3:
            return True
        lasts_us = int(lease_s * 1e6)
        if not await self._writing(lambda session, now: take_lease(session, _LEASE, self._owner, now, lasts_us)):
            return False
        self._held_until = now_s + lease_s
        return True

    def _may_send(self) -> bool:
        """Whether the lease surely runs yet: who slept past its end begins no call."""
        return time.monotonic() < self._held_until

    def _done(self, webhook_id: str, _task: asyncio.Task[None]) -> None:
        del self._busy[webhook_id]
        if self._place is not None:
            self._place.stirred.set()  # there may have come more after its last look

    def _has_targets(self) -> bool:
        return self._store.looks.first(_TARGET) is not None

    def _due(self, session: Session, now_us: int) -> list[str]:
        more = exists().where(EventRow.audience == WebhookRow.audience, EventRow.n > WebhookRow.after_n)
        reoffer = (WebhookRow.audience != INSIDE) & _has_come(WebhookRow.reoffer_us, now_us, self._settings.reoffer_s)
        next_ = _has_come(WebhookRow.next_us, now_us, self._settings.longest_wait_s)
        due = (WebhookRow.disabled_us.is_(None), next_, more | reoffer)
        return list(session.scalars(select(WebhookRow.id).where(*due)))

    def _prune(self, session: Session, now_us: int) -> None:
        until_us = now_us - int(self._settings.deliveries_days * 86400e6)
        session.execute(delete(DeliveryRow).where(DeliveryRow.time_us < until_us))

    async def _drain(self, webhook_id: str) -> None:
        """Send to one target until there is no more, or it does not take one."""
        try:
            async with self._calls:
                while True:
                    job = await self._in_thread(self._next, webhook_id)
                    if job is None:
                        break
                    if not self._may_send():
                        return  # another process may send by now
                    outcome = await self._send(job)
                    if not await self._writing(partial(self._settle, job=job, outcome=outcome)):
                        return
                await self._reoffer(webhook_id)
        except Exception:  # noqa: BLE001 - logged whole; the next round tries again
            _LOG.exception("webhook failed", extra={"fields": {"webhook": webhook_id}})
            await asyncio.sleep(_AFTER_FAILURE_S)

    def _next(self, webhook_id: str) -> Job | None:
        """The next message to a target, written down as shown; None where there is none."""
        now_us = self._store.clock()
        while True:
            stamp = self._store.stamp()
            with self._store.read() as session:
                row = session.get(WebhookRow, webhook_id)
                if row is None or row.disabled_us is not None:
                    return None
                if not _has_come(row.next_us, now_us, self._settings.longest_wait_s):
                    return None
                who = speaks_for(session, row)
                stands = bool(standing(session, {who}, now_us, self._identity))
                events = read_events(session, after=row.after_n, limit=_LOOK, audience=row.audience)
                kinds = None if row.kinds is None else set(json.loads(row.kinds))
                wanted = next((event for event in events if kinds is None or event["kind"] in kinds), None)
                told = None if wanted is None else Teller(session, now_us).tell(who, wanted)
            if not events:
                return None
            if not stands:
                self._end(webhook_id, now_us)
                return None
            if told is not None and wanted is not None:
                return self._job(_Look(row, who, wanted, told, stamp), now_us)
            with self._store.write() as session:  # nothing among them that it wants
                self._move(session, webhook_id, row.after_n, events[-1]["n"])

    def _end(self, webhook_id: str, now_us: int) -> None:
        with self._store.write() as session:
            row = session.get(WebhookRow, webhook_id)
            if row is not None and row.disabled_us is None:
                disable(session, now_us, row, "the key that set it going does not stand any more")

    def _job(self, look: _Look, now_us: int) -> Job | None:
        """A message, written down as shown; None where its target was paused or forgotten since it was looked at.

        Where something was taken back since then, it tells what may be told now.
        """
        row, message_id = look.row, f"{look.row.id}.{look.told.n}"

        def write_down(session: Session) -> tuple[Told, list[str]] | None:
            current = session.get(WebhookRow, row.id)
            if current is None or current.disabled_us is not None:
                return None
            told = look.told
            if look.who.partner_id is not None and narrowed_since(session, look.stamp):
                if not standing(session, {look.who}, now_us, self._identity):
                    return None
                told = Teller(session, now_us).tell(look.who, look.event, again=look.again)
            shown = [] if told.shown is None else [told.shown]
            append_audit(session, Call(look.who, message_id), now_us, "event.send", shown, webhook=row.id, n=told.n)
            return told, signing_secrets(current, now_us)

        found = self._store.write_together(write_down)
        if found is None or not found[1]:
            return None
        told, secrets = found
        data = f'{{"data":{told.body},"timestamp":"{told.time}","type":"{told.kind}"}}'.encode()
        headers = [
            ("content-type", "application/json"),
            ("user-agent", "Vedette"),
            *signed_headers(secrets, message_id, now_us, data).items(),
        ]
        return Job(row.id, row.audience, row.after_n, row.url, told, data, headers, look.again)

    async def _send(self, job: Job) -> Outcome:
        return await self._poster.send(job)

    def _settle(self, session: Session, now_us: int, job: Job, outcome: Outcome) -> bool:
        """Write an attempt down and move the cursor; whether to go on with this target."""
        row = session.get(WebhookRow, job.webhook_id, with_for_update=True)
        if row is None:
            return False  # deleted meanwhile
        if not holds_lease(session, _LEASE, self._owner, now_us):
            self._held_until = float("-inf")
            return False  # another process has taken over, and sends it again
        session.add(
            DeliveryRow(
                id=new_id(),
                webhook_id=row.id,
                n=job.told.n,
                kind=job.told.kind,
                attempt=row.failures + 1,
                time_us=outcome.started_us,
                duration_us=outcome.duration_us,
                status=outcome.status,
                outcome=outcome.word,
            )
        )
        rests = row.disabled_us is not None  # paused while this one was on its way
        if outcome.taken:
            row.failures, row.failing_us, row.next_us = 0, None, now_us
            if not job.again:
                session.flush()
                self._move(session, row.id, job.was_n, job.told.n)
            return not rests
        row.failures += 1
        row.failing_us = row.failing_us or outcome.started_us
        row.next_us = now_us + int(self._wait_s(row.failures, outcome.retry_after_s) * 1e6)
        if rests:
            return False
        if outcome.status == _GONE:
            disable(session, now_us, row, "the target answered 410 Gone")
        elif now_us - row.failing_us >= self._settings.give_up_days * 86400e6:
            disable(session, now_us, row, f"it took nothing for {self._settings.give_up_days:g} days")
        return False

    def _wait_s(self, failures: int, asked_s: float) -> float:
        """Back-off: doubles to the longest, between half and all of it by chance, so that targets do not keep step."""
        longest_s = self._settings.longest_wait_s
        wait_s = min(self._settings.first_wait_s * 2.0 ** min(failures - 1, 60), longest_s)
        return max(wait_s * SystemRandom().uniform(0.5, 1.0), min(asked_s, longest_s))

    @staticmethod
    def _move(session: Session, webhook_id: str, was_n: int, to_n: int) -> None:
        """Move a cursor from where it was seen; one that was set meanwhile stays as it was set."""
        here = (WebhookRow.id == webhook_id, WebhookRow.after_n == was_n)
        session.execute(update(WebhookRow).where(*here).values(after_n=to_n))

    async def _reoffer(self, webhook_id: str) -> None:
        """Offer again what was recalled and not confirmed, when it is time."""
        for job in await self._in_thread(self._again, webhook_id):
            if not self._may_send():
                return
            outcome = await self._send(job)
            if not await self._writing(partial(self._settle, job=job, outcome=outcome)):
                return

    def _again(self, webhook_id: str) -> list[Job]:
        stamp, now_us = self._store.stamp(), self._store.clock()
        with self._store.write() as session:
            row = session.get(WebhookRow, webhook_id)
            if row is None or row.disabled_us is not None or row.audience == INSIDE:
                return []
            if not _has_come(row.reoffer_us, now_us, self._settings.reoffer_s):
                return []
            row.reoffer_us = now_us + int(self._settings.reoffer_s * 1e6)
            who = speaks_for(session, row)
            if not standing(session, {who}, now_us, self._identity):
                return []
            kinds = None if row.kinds is None else set(json.loads(row.kinds))
            events = outstanding_recalls(session, row.audience, row.after_n)
            events = [event for event in events if kinds is None or event["kind"] in kinds]
            teller = Teller(session, now_us)
            looks = [_Look(row, who, event, teller.tell(who, event, again=True), stamp, again=True) for event in events]
        jobs = (self._job(look, now_us) for look in looks)
        return [job for job in jobs if job is not None]

    async def _in_thread(self, work: Callable[..., _T], *args: Any) -> _T:
        return await in_thread(work, *args, limiter=self._threads)

    async def _reading(self, work: Callable[[Session, int], _T]) -> _T:
        def inner() -> _T:
            with self._store.read() as session:
                return work(session, self._store.clock())

        return await self._in_thread(inner)

    async def _writing(self, work: Callable[[Session, int], _T]) -> _T:
        def inner() -> _T:
            with self._store.write() as session:
                return work(session, self._store.clock())

        return await self._in_thread(inner)


def _has_come(next_us: Any, now_us: int, longest_s: float) -> Any:
    """Whether a time has come that was set at most `longest_s` ahead; of a number or a column.

    One that is further ahead was set by a clock that has been set back since: it is not waited for.
    """
    return (next_us <= now_us) | (next_us > now_us + int(longest_s * 1e6))
