"""A connection to a TAK server: TLS with a certificate on each side.

The stream is that of TAK protocol version 0: XML documents one after another, each with its declaration, nothing
between them (protocol.txt of ATAK-CIV's commoncommo). It has no acknowledgement, but a server answers a ping
(`t-x-c-t`) with a pong (`t-x-c-t-r`), and reads in order: with the pong it has read all that came before the ping.

Plain asyncio and ssl, not pytak: its workers drain a queue that drops the oldest when full and forgets what it has
written, so that nothing could be sent at least once over it. Tests read our stream with pytak.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from api.errors import OutletError, UnprocessableError
from api.markup import XML_HEAD, parsed
from api.outlets.cursors import Told
from api.tak.events import OF_NO_EVENT, deletes_of, events_of, ping_of
from api.tak.settings import TakTarget

__all__ = ["TakLink", "linked"]

_END = b"</event>"
_PONG = b"t-x-c-t-r"
_MOST_UNREAD = 1 << 20
_PING_EVERY_S = 15.0


class TakLink:
    """A connection to a TAK server.

    Parameters
    ----------
    target
        Which.
    clock
        UTC microseconds since the Unix epoch.
    reader, writer
        Its stream.
    """

    def __init__(
        self,
        target: TakTarget,
        clock: Callable[[], int],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._target, self._clock = target, clock
        self._reader, self._writer = reader, writer
        self._pings = self._pongs = 0
        self._heard = asyncio.Event()
        self._ended: str | None = None
        self._last_ping = time.monotonic()

    async def send(self, told: Sequence[Told]) -> None:
        """Write the events of a batch, then a ping; returns with its answer."""
        await self.write(event for each in told for event in self._events(each))
        if self._target.confirm:
            await self.ping()

    async def write(self, events: Iterable[bytes]) -> None:
        """Write events; returns when the network has taken them."""
        for event in events:
            await self._write(event)

    async def idle(self) -> None:
        """Ping now and then, so that neither side takes the other for dead."""
        if self._ended is not None:
            raise self._broken(self._ended)
        if time.monotonic() - self._last_ping > _PING_EVERY_S:
            await (self.ping() if self._target.confirm else self._write(ping_of(now_us=self._clock())))

    async def ping(self) -> None:
        """Ask for an answer and wait for it. Raises OutletError when none comes."""
        await self._write(ping_of(now_us=self._clock()))
        self._pings += 1
        self._last_ping = time.monotonic()
        try:
            async with asyncio.timeout(self._target.answer_s):
                while self._pongs < self._pings and self._ended is None:
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            raise self._broken("it does not answer a ping") from None
        if self._pongs < self._pings:
            raise self._broken(self._ended or "the connection ended")

    async def listen(self) -> None:
        """Read what the server sends until it ends: pongs are counted, what others tell of is none of ours."""
        unread = b""
        try:
            while data := await self._reader.read(65536):
                unread += data
                *events, unread = unread.split(_END)
                self._pongs += sum(_is_pong(event + _END) for event in events if _PONG in event)
                self._heard.set()
                if len(unread) > _MOST_UNREAD:
                    self._ended = "it sends an event without an end"
                    break
        except (OSError, ssl.SSLError) as error:
            self._ended = str(error) or type(error).__name__
        self._ended = self._ended or "it closed the connection"
        self._heard.set()

    def _events(self, told: Told) -> tuple[bytes, ...]:
        now, rules = self._clock(), self._target.rules
        if told.feature is None or told.review in OF_NO_EVENT:
            return deletes_of(told.record_id, told.record_type, now_us=now, rules=rules)
        return events_of(told.feature, told.record_type, now_us=now, rules=rules, media=told.media)

    async def _write(self, event: bytes) -> None:
        if self._ended is not None:
            raise self._broken(self._ended)
        try:
            self._writer.write(XML_HEAD + event)
            async with asyncio.timeout(self._target.answer_s):
                await self._writer.drain()
        except TimeoutError:
            raise self._broken("it does not take what is sent") from None
        except (OSError, ssl.SSLError) as error:
            raise self._broken(str(error) or type(error).__name__) from error

    def _broken(self, why: str) -> OutletError:
        return OutletError(f"TAK server {self._target.name} at {self._target.host}:{self._target.port}: {why}")


def _is_pong(event: bytes) -> bool:
    """Whether an event is a pong, and does not only speak of one: others write what the server sends on."""
    try:
        return parsed(event.strip()).get("type") == _PONG.decode()
    except UnprocessableError:
        return False


def linked(target: TakTarget, clock: Callable[[], int]) -> AbstractAsyncContextManager[TakLink]:
    """A connection for the length of a block; the server has proved who it is, and answered a ping, before it begins.

    Raises
    ------
    OutletError
        When it cannot be reached, is not who it should be, or does not take our certificate.
    """
    return _linked(target, clock)


@asynccontextmanager
async def _linked(target: TakTarget, clock: Callable[[], int]) -> AsyncIterator[TakLink]:
    where = f"TAK server {target.name} at {target.host}:{target.port}"
    name = target.server_name or target.host
    try:
        async with asyncio.timeout(target.answer_s):
            reader, writer = await asyncio.open_connection(
                target.host, target.port, ssl=target.context(), server_hostname=name
            )
    except TimeoutError:
        raise OutletError(f"{where}: it does not answer") from None
    except (OSError, ssl.SSLError) as error:
        raise OutletError(f"{where}: {error}") from error
    link = TakLink(target, clock, reader, writer)
    listening = asyncio.create_task(link.listen())
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(True)
        if target.fingerprint not in {None, hashlib.sha256(shown).hexdigest()}:
            raise OutletError(f"{where}: its certificate is not the one of the settings (fingerprint)")
        if target.confirm:
            # A server that does not take our certificate says so only now (TLS 1.3).
            await link.ping()
        yield link
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError, TimeoutError):
            async with asyncio.timeout(2.0):
                await writer.wait_closed()
