"""Sockets of the simulated vehicles: one UDP server each, polled from one thread."""

from __future__ import annotations

import selectors
import socket
from types import TracebackType
from typing import Self

from sim.errors import FleetError

__all__ = ["Links"]

_MOST_A_POLL = 64
_DATAGRAM = 2048


class Links:
    """UDP sockets of a fleet.

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
        self._sockets: list[socket.socket] = []
        for index, port in enumerate(ports):
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                udp.bind((host, port))
            except OSError as error:
                udp.close()
                self.close()
                raise FleetError(
                    f"simulated fleet: UDP {host}:{port} cannot be bound ({error.strerror}): give another base port"
                ) from error
            udp.setblocking(False)
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self._sockets.append(udp)
            self._selector.register(udp, selectors.EVENT_READ, index)

    @property
    def ports(self) -> list[int]:
        """Ports in fact bound."""
        return [int(s.getsockname()[1]) for s in self._sockets]

    def send(self, index: int, address: tuple[str, int], data: bytes) -> None:
        """Send a datagram from a vehicle; a full buffer or an absent listener loses it, as a radio would."""
        try:
            self._sockets[index].sendto(data, address)
        except (BlockingIOError, ConnectionRefusedError, InterruptedError):
            return

    def poll(self, timeout_s: float) -> list[tuple[int, tuple[str, int], bytes]]:
        """Datagrams that have come: (vehicle, address, bytes). Waits at most `timeout_s` for the first."""
        received = []
        for key, _ in self._selector.select(timeout_s):
            udp = key.fileobj
            assert isinstance(udp, socket.socket)
            for _ in range(_MOST_A_POLL):
                try:
                    data, address = udp.recvfrom(_DATAGRAM)
                except BlockingIOError:
                    break
                except ConnectionResetError:
                    continue
                received.append((key.data, address, data))
        return received

    def wait(self, timeout_s: float) -> bool:
        """Wait for a datagram and leave it where it is; whether there is one."""
        return bool(self._selector.select(timeout_s))

    def close(self) -> None:
        """Close all sockets."""
        for udp in self._sockets:
            udp.close()
        self._selector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
