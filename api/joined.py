"""What is written in one go of the loop leaves together: uvicorn writes head, body and end of an answer one by one."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["Joined"]

_TOGETHER = 1 << 16
"""Bytes beyond which nothing waits for what may follow."""


class Joined:
    """A transport that sends together what is written while the loop does one thing."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._held: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send this, now or with what follows it at once."""
        if not data:
            return
        if not self._held:
            self._loop.call_soon(self._send)
        self._held.append(data)
        self._size += len(data)
        if self._size >= _TOGETHER:
            self._send()

    def get_write_buffer_size(self) -> int:
        """Bytes that were written and are still in this process."""
        return self._size + self._transport.get_write_buffer_size()

    def abort(self) -> None:
        """Close the connection now; what was written and not sent is forgotten."""
        self._held, self._size = [], 0
        self._transport.abort()

    def close(self) -> None:
        """Close the connection, once what was written is sent."""
        self._send()
        if not self._transport.is_closing():  # one of asyncio over TLS, closed twice, answers no more questions
            self._transport.close()

    def _send(self) -> None:
        held, self._held, self._size = self._held, [], 0
        if held:
            self._transport.write(b"".join(held))
