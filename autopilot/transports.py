"""Sockets: bytes in and out, and how they fail."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

__all__ = ["OPENERS", "Carrier"]

_RECEIVE_BUFFER = 4 << 20  # a fleet simulated at 100 times real time sends bursts


_MOST_AT_ONCE = 64
_DATAGRAM = 1 << 16  # bytes, the most that UDP carries


class Carrier(Protocol):
    """What a socket tells the link above it."""

    def started(self, write: Callable[[bytes, Any], None], shut: Callable[[], None], route: Any) -> None:
        """The socket is open: how to write to a route, how to close it, and the route where there is only one."""

    def received(self, data: bytes, route: Any, *, datagram: bool) -> None:
        """Bytes came from a route."""

    def troubled(self, what: str) -> None:
        """A datagram socket met an error: the other end may yet come up."""

    def lost(self, what: str) -> None:
        """The connection is gone for good."""


class _Datagrams(asyncio.DatagramProtocol):
    """Takes whatever waits in the socket at once: asyncio would go round its loop for each datagram."""

    def __init__(self, link: Carrier, *, route_replies: bool) -> None:
        self._link = link
        self._route_replies = route_replies
        self._waiting: socket.socket | None = None

    def connection_made(self, transport: Any) -> None:
        self._waiting = transport.get_extra_info("socket").dup()
        self._waiting.setblocking(False)
        # Asyncio makes room for 256 KiB before each datagram, which costs ten times what reading it does.
        transport.max_size = _DATAGRAM

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if self._waiting is not None:
            self._waiting.close()
            self._waiting = None

    def datagram_received(self, data: bytes, addr: Any) -> None:
        received, routed = self._link.received, self._route_replies
        received(data, addr if routed else None, datagram=True)
        for _ in range(_MOST_AT_ONCE):
            if self._waiting is None:
                return
            try:
                data, addr = self._waiting.recvfrom(_DATAGRAM)
            except BlockingIOError:
                return
            except OSError as error:
                self.error_received(error)
                return
            received(data, addr if routed else None, datagram=True)

    def error_received(self, exc: Exception) -> None:
        what = "nobody listens there" if isinstance(exc, ConnectionRefusedError) else str(exc)
        self._link.troubled(what)


class _Stream(asyncio.Protocol):
    def __init__(self, link: Carrier) -> None:
        self._link = link

    def data_received(self, data: bytes) -> None:
        self._link.received(data, None, datagram=False)

    def connection_lost(self, exc: Exception | None) -> None:
        self._link.lost(f"connection lost: {exc or 'the other end closed it'}")


async def _open_udp(link: Carrier, host: str, port: int, _timeout_s: float, *, listening: bool) -> None:
    loop = asyncio.get_running_loop()
    if listening:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(link, route_replies=True),
            local_addr=(host or "0.0.0.0", port),  # noqa: S104  asked for
        )
    else:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(link, route_replies=False), remote_addr=(host or "127.0.0.1", port)
        )
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)

    def write(packet: bytes, route: Any) -> None:
        transport.sendto(packet, route if listening else None)

    link.started(write, transport.close, None if listening else "peer")


async def _open_udp_in(link: Carrier, host: str, port: int, timeout_s: float) -> None:
    await _open_udp(link, host, port, timeout_s, listening=True)


async def _open_udp_out(link: Carrier, host: str, port: int, timeout_s: float) -> None:
    await _open_udp(link, host, port, timeout_s, listening=False)


async def _open_tcp(link: Carrier, host: str, port: int, timeout_s: float) -> None:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(timeout_s):
        transport, _ = await loop.create_connection(lambda: _Stream(link), host or "127.0.0.1", port)
    transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    link.started(lambda packet, _: transport.write(packet), transport.close, "peer")


OPENERS: Mapping[str, Callable[[Carrier, str, int, float], Awaitable[None]]] = MappingProxyType(
    {"udpin": _open_udp_in, "udp": _open_udp_out, "udpout": _open_udp_out, "tcp": _open_tcp}
)
"""Kind of URL to what opens it: carrier, host, port, wall seconds to connect in."""
