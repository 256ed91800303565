"""One attempt at a target of a webhook: what is sent, and what came of it."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpcore

from api.errors import UnprocessableError
from api.feeds.addresses import PinnedBackend, Resolver
from api.feeds.settings import FeedSettings
from api.feeds.told import Told
from api.feeds.webhooks import reach_of
from api.trail.log import INSIDE

__all__ = ["Job", "Outcome", "Poster"]


@dataclass(frozen=True, slots=True)
class Job:
    """One message to one target."""

    webhook_id: str
    audience: str
    was_n: int
    """Where the target's cursor stands: it is moved from there only."""
    url: str
    told: Told
    body: bytes
    headers: list[tuple[str, str]]
    again: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: the status of the answer, and in a word what there was (`DeliveryRow.outcome`)."""

    status: int | None
    word: str
    started_us: int
    duration_us: int
    retry_after_s: float = 0.0

    @property
    def taken(self) -> bool:
        """Whether the target has it now."""
        return self.word == "taken"


class Poster:
    """Sends to targets over connections that are kept open for a while.

    Parameters
    ----------
    settings
        How far targets may lie, and how long they may take.
    clock
        UTC microseconds since the Unix epoch.
    resolver
        Looks names up.
    tls
        How certificates of targets are verified; the machine's trust when None.
    """

    def __init__(
        self, settings: FeedSettings, clock: Callable[[], int], resolver: Resolver, tls: ssl.SSLContext | None
    ) -> None:
        self._settings, self._clock = settings, clock
        self._resolver, self._tls = resolver, tls
        self._opened: dict[bool, httpcore.AsyncConnectionPool] = {}

    def _pool(self, inside: bool) -> httpcore.AsyncConnectionPool:
        """Made for the first message: certificates take long to read, and most services start without a target."""
        if not self._opened:
            context = self._tls or httpcore.default_ssl_context()
            self._opened = {
                one: httpcore.AsyncConnectionPool(
                    ssl_context=context,
                    max_connections=self._settings.calls,
                    keepalive_expiry=5.0,
                    network_backend=PinnedBackend(reach_of(INSIDE if one else "", self._settings), self._resolver),
                )
                for one in (True, False)
            }
        return self._opened[inside]

    async def aclose(self) -> None:
        """Let go of every connection."""
        for pool in self._opened.values():
            await pool.aclose()

    async def send(self, job: Job) -> Outcome:
        """One attempt. Never raises for what a target, a name server or the network does."""
        started_us, started = self._clock(), time.perf_counter()
        status: int | None = None
        retry_after_s = 0.0
        try:
            async with asyncio.timeout(self._settings.answer_timeout_s):
                status, retry_after_s = await self._post(job)
            word = "taken" if 200 <= status < 300 else "refused"
        except UnprocessableError:
            word = "address"
        except (httpcore.ConnectError, httpcore.ConnectTimeout, ssl.SSLError):
            word = "connect"
        except (TimeoutError, httpcore.TimeoutException):
            word = "timeout"
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError, ValueError):
            word = "broken"
        duration_us = int((time.perf_counter() - started) * 1e6)
        return Outcome(status if word in {"taken", "refused"} else None, word, started_us, duration_us, retry_after_s)

    async def _post(self, job: Job) -> tuple[int, float]:
        """Status, and for how long the target asks to be left alone. Redirects are not followed: they are refusals."""
        pool = self._pool(job.audience == INSIDE)
        waits = {"connect": self._settings.connect_timeout_s}
        async with pool.stream(
            "POST", job.url, headers=[*job.headers], content=job.body, extensions={"timeout": waits}
        ) as response:
            left = self._settings.answer_bytes
            async for piece in response.aiter_stream():
                left -= len(piece)
                if left < 0:  # the rest is not read: the connection is closed with it
                    break
            asked = next((value for name, value in response.headers if name.lower() == b"retry-after"), b"")
            return response.status, float(asked) if asked.isdigit() and len(asked) < 8 else 0.0
