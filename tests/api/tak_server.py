"""A TAK-style server of our own: TLS with certificates of both sides, version 0 of the TAK protocol, faults at will.

It splits the stream as protocol.txt of ATAK-CIV says, and takes nothing that does not keep to it: each event after an
XML declaration and a newline, nothing between an event and the next declaration. It answers pings, and sends on to
every other client what one has sent, as TAK servers do.
"""

import asyncio
import contextlib
import ssl
import xml.etree.ElementTree as ET

HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'
END = b"</event>"
PONG = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<event version="2.0" uid="takPong" type="t-x-c-t-r" '
    b'how="h-g-i-g-o" time="2026-01-01T12:00:00Z" start="2026-01-01T12:00:00Z" stale="2026-01-01T12:00:20Z">'
    b'<point lat="0.0" lon="0.0" hae="0.0" ce="9999999" le="9999999"/><detail/></event>'
)
OFFER = PONG.replace(b"t-x-c-t-r", b"t-x-takp-v").replace(b"<detail/>", b"<detail><TakControl/></detail>")


class TakServer:
    """Events as they came, over all connections and restarts."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        self.events: list[ET.Element] = []
        self.raw: list[bytes] = []
        self.connections = 0
        self.faults: list[str] = []
        """What did not keep to the protocol."""
        self.mute = False
        """Pings are read and not answered."""
        self.cut_at: int | None = None
        """After so many bytes more the connection is cut, in the middle of whatever comes."""
        self.noise = b""
        """What every client is sent first."""
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """As a kill does: every connection ends at once."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        buffer = b""
        try:
            writer.write(OFFER + self.noise)
            while data := await reader.read(1000):
                if self.cut_at is not None:
                    if len(data) >= self.cut_at:
                        data, self.cut_at = data[: self.cut_at], None
                        buffer = self._split(buffer + data, writer)
                        writer.transport.abort()
                        return
                    self.cut_at -= len(data)
                buffer = self._split(buffer + data, writer)
        except (OSError, ssl.SSLError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _split(self, buffer: bytes, writer: asyncio.StreamWriter) -> bytes:
        *whole, rest = buffer.split(END)
        for each in whole:
            if not each.startswith(HEAD + b"<event "):
                self.faults.append(f"begins with {each[:80]!r}")
                continue
            event = ET.fromstring(each + END)
            if event.get("type") == "t-x-c-t":
                if not self.mute:
                    writer.write(PONG)
                continue
            self.events.append(event)
            self.raw.append(each + END)
            for other in self._writers - {writer}:
                other.write(each + END)
        return rest

    def uids(self) -> list[str]:
        return [event.get("uid", "") for event in self.events]
