"""Between a ground station and a vehicle: a relay of datagrams that loses what a test wants lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

__all__ = ["relayed"]


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
