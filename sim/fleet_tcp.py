"""Sockets of simulated vehicles that listen for connections, as ArduPilot's own simulator does at port 5760."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from sim.errors import FleetError

__all__ = ["TcpLinks"]

_CHUNK = 16384
_MOST_WAITING = 1 << 20  # bytes that a client has not taken: whole packets are lost beyond

Address = tuple[str, int]
Told = Callable[[int, Address], None]


@dataclass(slots=True)
class _Client:
    index: int
    address: Address
    connection: socket.socket
    waiting: bytearray = field(default_factory=bytearray)
    gone: bool = False


class TcpLinks:
    """TCP servers of a fleet, one a vehicle, each for any number of clients; polled from one thread.

    Parameters
    ----------
    host
        Address to bind.
    ports
        One for each vehicle; 0 takes a free one.

    Raises
    ------
    FleetError
        When a port cannot be bound.
    """

    def __init__(self, host: str, ports: list[int]) -> None:
        self._selector = selectors.DefaultSelector()
        self._servers: list[socket.socket] = []
        self._clients: dict[tuple[int, Address], _Client] = {}
        self._ended: list[_Client] = []
        self._opened: Told = lambda _index, _address: None
        self._closed: Told = lambda _index, _address: None
        for index, port in enumerate(ports):
            server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                server.bind((host, port))
                server.listen()
            except OSError as error:
                server.close()
                self.close()
                raise FleetError(
                    f"simulated fleet: TCP {host}:{port} cannot be bound ({error.strerror}): give another base port"
                ) from error
            server.setblocking(False)
            self._servers.append(server)
            self._selector.register(server, selectors.EVENT_READ, index)

    def tell(self, opened: Told, closed: Told) -> None:
        """Whom to tell of clients that come and go, with the number of the vehicle; before the first poll."""
        self._opened, self._closed = opened, closed

    @property
    def ports(self) -> list[int]:
        """Ports in fact bound."""
        return [int(server.getsockname()[1]) for server in self._servers]

    def send(self, index: int, address: Address, data: bytes) -> None:
        """Send a packet from a vehicle to a client; one that does not read loses whole packets."""
        client = self._clients.get((index, address))
        if client is None or len(client.waiting) + len(data) > _MOST_WAITING:
            return
        client.waiting += data
        self._flush(client)

    def poll(self, timeout_s: float) -> list[tuple[int, Address, bytes]]:
        """Bytes that have come: (vehicle, client, bytes). Waits at most `timeout_s` for the first."""
        received = []
        ended, self._ended = self._ended, []
        for client in ended:
            self._end(client)
        for key, events in self._selector.select(timeout_s):
            if isinstance(key.data, int):
                self._accept(key.data)
                continue
            client = key.data
            if events & selectors.EVENT_WRITE:
                self._flush(client)
            if events & selectors.EVENT_READ:
                data = self._read(client)
                if data:
                    received.append((client.index, client.address, data))
        return received

    def _accept(self, index: int) -> None:
        try:
            connection, address = self._servers[index].accept()
        except OSError:  # it has gone again
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = self._clients[index, address] = _Client(index, address, connection)
        self._selector.register(connection, selectors.EVENT_READ, client)
        self._opened(index, address)

    def _read(self, client: _Client) -> bytes:
        if client.gone:
            return b""
        try:
            data = client.connection.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError:
            data = b""
        if not data:
            client.gone = True
            self._end(client)
        return data

    def _flush(self, client: _Client) -> None:
        """Send what the client takes now, and wait for it with the rest."""
        if client.gone:
            return
        try:
            sent = client.connection.send(client.waiting)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            # Told at the next poll: whoever sends may be in the middle of its clients.
            client.gone = True
            self._ended.append(client)
            return
        del client.waiting[:sent]
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.waiting else 0)
        if self._selector.get_key(client.connection).events != wanted:
            self._selector.modify(client.connection, wanted, client)

    def _end(self, client: _Client) -> None:
        del self._clients[client.index, client.address]
        self._selector.unregister(client.connection)
        client.connection.close()
        self._closed(client.index, client.address)

    def close(self) -> None:
        """Close all sockets."""
        for client in self._clients.values():
            client.connection.close()
        for server in self._servers:
            server.close()
        self._selector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
