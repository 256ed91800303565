"""Between a ground station and a vehicle: relays that lose what a test wants lost, and cables that it cuts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

__all__ = ["PtyCable", "TcpCable", "cabled", "relayed"]


class _Side(asyncio.DatagramProtocol):
    def __init__(self, passed: Callable[[bytes, Any], None]) -> None:
        self._passed = passed
        self.transport: Any = None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self._passed(data, addr)

    def error_received(self, exc):
        """The other end is gone: as on any network, nobody is told."""


@asynccontextmanager
async def relayed(host: str, port: int, lost: Callable[[Any], bool]) -> AsyncIterator[str]:
    """URL of a relay to a vehicle at an address. Each datagram of one message, either way, is lost as `lost` says."""
    loop = asyncio.get_running_loop()
    codec = mav.MAVLink(None)
    codec.robust_parsing = True
    station = []

    def passes(data):
        return not any(lost(message) for message in codec.parse_buffer(data) or ())

    def down(data, addr):
        station[:] = [addr]
        if passes(data):
            far.transport.sendto(data)

    def up(data, _):
        if station and passes(data):
            near.transport.sendto(data, station[0])

    _, near = await loop.create_datagram_endpoint(lambda: _Side(down), local_addr=("127.0.0.1", 0))
    _, far = await loop.create_datagram_endpoint(lambda: _Side(up), remote_addr=(host, port))
    try:
        yield f"udp:127.0.0.1:{near.transport.get_extra_info('sockname')[1]}"
    finally:
        near.transport.close()
        far.transport.close()
        await asyncio.sleep(0)


@asynccontextmanager
async def cabled(cable) -> AsyncIterator[Any]:
    """A cable, whole to begin with."""
    await cable.mend()
    try:
        yield cable
    finally:
        await cable.cut()


class TcpCable:
    """A TCP relay to a vehicle. Cut, its connections end and nobody answers at its port; mended, it is as before."""

    def __init__(self, host: str, port: int) -> None:
        self._far = host, port
        self._port = 0
        self._server: Any = None
        self._writers: list[Any] = []
        self._tasks: set[Any] = set()
        self.connections = 0

    @property
    def url(self) -> str:
        return f"tcp:127.0.0.1:{self._port}"

    async def mend(self):
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._port, reuse_address=True)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self):
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, reader, writer):
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection(*self._far)
        self._writers += [writer, far_writer]
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.get_running_loop().create_task(self._pump(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source, sink):
        with suppress(OSError):
            while data := await source.read(4096):
                sink.write(data)
        sink.transport.abort()


class PtyCable:
    """A pseudo terminal that stands for a USB serial port, at a path that stays, with a vehicle's UDP port behind it.

    Cut, the device is gone as one that is unplugged; mended, another device is at its path. What the vehicle says comes
    in pieces.
    """

    def __init__(self, path: Path, host: str, port: int, *, piece: int = 7) -> None:
        self.path = path
        self._far = host, port
        self._piece = piece
        self._master: int | None = None
        self._udp: Any = None

    async def mend(self):
        loop = asyncio.get_running_loop()
        self._master, slave = os.openpty()
        os.set_blocking(self._master, False)
        self.path.symlink_to(os.ttyname(slave))
        self._slave = slave
        _, self._udp = await loop.create_datagram_endpoint(lambda: _Side(self._up), remote_addr=self._far)
        loop.add_reader(self._master, self._down)

    async def cut(self):
        if self._master is None:
            return
        master, self._master = self._master, None
        asyncio.get_running_loop().remove_reader(master)
        self.path.unlink()
        self._udp.transport.close()
        os.close(self._slave)
        os.close(master)
        await asyncio.sleep(0)

    def _down(self):
        with suppress(BlockingIOError):
            self._udp.transport.sendto(os.read(self._master, 4096))

    def _up(self, data, _):
        if self._master is None:
            return
        for begin in range(0, len(data), self._piece):
            with suppress(BlockingIOError):  # nobody reads: as on a real port, what is too much is lost
                os.write(self._master, data[begin : begin + self._piece])
