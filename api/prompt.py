"""HTTP/1.1 for those who send: a connection may not be held by a request head or a body that never comes.

uvicorn ends connections that are quiet between requests and no others.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.joined import Joined
from api.outgoing import STATE, Wire

__all__ = ["BODY_S", "HEAD_S", "PromptProtocol", "prompt"]

HEAD_S = 20.0
"""Longest time from the connection, or from the first byte of a later request, to the end of the request's head."""
BODY_S = 30.0
"""Longest silence in the middle of a body."""


class PromptProtocol(H11Protocol):
    """Closes a connection whose request head is not whole in `HEAD_S`."""

    _overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        joined: Any = Joined(transport, self.loop)
        self._wire = Wire(joined)
        self.app_state = {**self.app_state, STATE: self._wire}  # requests get a copy of this dict as their state
        super().connection_made(joined)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of a head that has begun, and no longer when it is whole."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._wait()
        else:
            self._done()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for."""
        self._done()
        self._wire.lose()
        super().connection_lost(exc)

    def rests(self) -> bool:
        """Whether nothing is asked, and no answer waits to leave."""
        return (self.cycle is None or self.cycle.response_complete) and not self._wire.waits()

    def _wait(self) -> None:
        if self._overdue is None:
            self._overdue = self.loop.call_later(HEAD_S, self.transport.close)

    def _done(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None


def prompt(receive: Receive) -> Receive:
    """`receive`, which answers 408 when the body pauses for `BODY_S`; after the body it waits as ever."""
    whole = False

    async def received() -> Message:
        nonlocal whole
        if whole:
            return await receive()
        try:
            async with asyncio.timeout(BODY_S):
                message = await receive()
        except TimeoutError:
            why = f"the body paused for {BODY_S:.0f} s: send it again"
            raise HTTPException(408, why, {"Connection": "close"}) from None
        whole = not message.get("more_body", False)
        return message

    return received
