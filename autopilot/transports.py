"""Sockets and serial ports: bytes in and out, and how they fail."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Protocol

from autopilot.serial_port import SerialPort

__all__ = ["OPENERS", "Carrier"]

_RECEIVE_BUFFER = 4 << 20  # a fleet simulated at 100 times real time sends bursts
_MOST_WAITING = 256 << 10  # bytes that a connection has not taken: what is older than these is worth nothing
_DEAD_S = 8  # wall seconds after which a connection whose other end does not acknowledge is given up
_MOST_AT_ONCE = 64  # datagrams read before others have their turn
_DATAGRAM = 1 << 16  # bytes, the most that UDP carries


class Carrier(Protocol):
    """What a socket or a port tells the channel above it."""

    def started(self, write: Callable[[bytes, Any], None], shut: Callable[[], None], route: Any) -> None:
        """It is open: how to write to a route, how to close it, and the route where there is only one."""

    def received(self, data: bytes, route: Any, *, datagram: bool) -> None:
        """Bytes came from a route."""

    def gone(self, route: Any) -> None:
        """A route has ended; the others go on."""

    def troubled(self, what: str) -> None:
        """A datagram socket met an error: the other end may yet come up."""

    def lost(self, what: str) -> None:
        """It has ended, and not because we closed it."""


class _Datagrams:
    """A datagram socket: whatever waits in it is taken at once, where asyncio would go round its loop for each.

    What the system does not take at once is lost, as it is on any radio.
    """

    def __init__(self, carrier: Carrier, udp: socket.socket, *, listening: bool) -> None:
        self._carrier = carrier
        self._udp = udp
        self._listening = listening
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(udp, self._take)

    def _take(self) -> None:
        received, listening = self._carrier.received, self._listening
        for _ in range(_MOST_AT_ONCE):
            try:
                data, address = self._udp.recvfrom(_DATAGRAM)
            except BlockingIOError:
                return
            except OSError as error:
                self._troubled(error)
                return
            received(data, address if listening else None, datagram=True)

    def send(self, packet: bytes, route: Any) -> None:
        """Send a packet to an address, or to the only other end."""
        try:
            if self._listening:
                self._udp.sendto(packet, route)
            else:
                self._udp.send(packet)
        except BlockingIOError:
            pass
        except OSError as error:
            self._troubled(error)

    def _troubled(self, error: OSError) -> None:
        if self._udp.fileno() >= 0:  # else we closed it
            refused = isinstance(error, ConnectionRefusedError)
            self._carrier.troubled("nobody listens there" if refused else str(error))

    def close(self) -> None:
        """Close it."""
        if self._udp.fileno() >= 0:
            self._loop.remove_reader(self._udp)
            self._udp.close()


class _Stream(asyncio.Protocol):
    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    def data_received(self, data: bytes) -> None:
        self._carrier.received(data, None, datagram=False)

    def connection_lost(self, exc: Exception | None) -> None:
        self._carrier.lost(f"connection lost: {exc or 'the other end closed it'}")


class _Guest(asyncio.Protocol):
    """One of those who connect to us."""

    def __init__(self, carrier: Carrier, guests: dict[Any, asyncio.WriteTransport]) -> None:
        self._carrier = carrier
        self._guests = guests
        self._route: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        _keep_alive(transport)
        self._route = transport.get_extra_info("peername")
        self._guests[self._route] = transport

    def data_received(self, data: bytes) -> None:
        self._carrier.received(data, self._route, datagram=False)

    def connection_lost(self, _: Exception | None) -> None:
        del self._guests[self._route]
        self._carrier.gone(self._route)


async def _open_udp(carrier: Carrier, host: str, port: int, _timeout_s: float, *, listening: bool) -> None:
    host = host or ("0.0.0.0" if listening else "127.0.0.1")  # noqa: S104  asked for
    failed: OSError | None = None
    for family, *_, address in await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM):
        udp = socket.socket(family, socket.SOCK_DGRAM)
        try:
            udp.setblocking(False)
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            (udp.bind if listening else udp.connect)(address)
        except OSError as error:
            udp.close()
            failed = failed or error
            continue
        datagrams = _Datagrams(carrier, udp, listening=listening)
        carrier.started(datagrams.send, datagrams.close, None if listening else "peer")
        return
    raise failed or OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))


async def _open_udp_in(carrier: Carrier, host: str, port: int, timeout_s: float) -> None:
    await _open_udp(carrier, host, port, timeout_s, listening=True)


async def _open_udp_out(carrier: Carrier, host: str, port: int, timeout_s: float) -> None:
    await _open_udp(carrier, host, port, timeout_s, listening=False)


async def _open_tcp(carrier: Carrier, host: str, port: int, timeout_s: float) -> None:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(timeout_s):
        transport, _ = await loop.create_connection(lambda: _Stream(carrier), host or "127.0.0.1", port)
    _keep_alive(transport)
    if transport.is_closing():
        raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
    carrier.started(lambda packet, _: _send(transport, packet), transport.close, "peer")


async def _open_tcp_in(carrier: Carrier, host: str, port: int, _timeout_s: float) -> None:
    guests: dict[Any, asyncio.WriteTransport] = {}
    server = await asyncio.get_running_loop().create_server(
        lambda: _Guest(carrier, guests),
        host or "0.0.0.0",  # noqa: S104  asked for
        port,
    )

    def write(packet: bytes, route: Any) -> None:
        if route in guests:
            _send(guests[route], packet)

    def shut() -> None:
        server.close()
        for guest in tuple(guests.values()):
            guest.abort()

    carrier.started(write, shut, None)


async def _open_serial(carrier: Carrier, path: str, baud: int, _timeout_s: float) -> None:
    port = SerialPort(carrier, path, baud)
    carrier.started(port.write, port.close, "peer")


def _send(transport: asyncio.WriteTransport, packet: bytes) -> None:
    if transport.get_write_buffer_size() + len(packet) <= _MOST_WAITING:
        transport.write(packet)


def _keep_alive(transport: asyncio.BaseTransport) -> None:
    """No delay, and an end that is noticed: a modem that lost its network closes no connection."""
    connection = transport.get_extra_info("socket")
    options = {
        "TCP_NODELAY": 1,
        "TCP_USER_TIMEOUT": _DEAD_S * 1000,
        "TCP_KEEPIDLE": _DEAD_S // 2,
        "TCP_KEEPINTVL": 1,
        "TCP_KEEPCNT": _DEAD_S // 2,
    }
    with suppress(OSError):  # it is closed already
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in options.items():
            if hasattr(socket, name):  # not every system has each
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


OPENERS: Mapping[str, Callable[[Carrier, str, int, float], Awaitable[None]]] = MappingProxyType(
    {
        "udpin": _open_udp_in,
        "udp": _open_udp_out,
        "udpout": _open_udp_out,
        "tcp": _open_tcp,
        "tcpin": _open_tcp_in,
        "serial": _open_serial,
    }
)
"""Kind of URL to what opens it: carrier, host or device, port or baud rate, wall seconds to connect in."""
