"""A connection that falls silent and is not closed: the page says so, and goes on when the service is heard again."""

import asyncio
import threading
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from api.feeds.settings import FeedSettings
from tests.console.test_fly import fly, have, open_fly, row


class Swallower:
    """A way to a service that takes what is sent and, while it swallows, lets nothing through and closes nothing."""

    def __init__(self, url):
        self._host, self._port = urlsplit(url).hostname, urlsplit(url).port
        self.swallows = False
        self.url = ""
        self._open, self._serving = [], []
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(30)

    def _run(self):
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._main())

    async def _main(self):
        self._ended = asyncio.Event()
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self._ready.set()
            await self._ended.wait()
            for each in self._open:
                each.transport.abort()
            await asyncio.gather(*self._serving, return_exceptions=True)
            # What is left to the collector fails a test that has no part in it.
            await asyncio.gather(*(each.wait_closed() for each in self._open), return_exceptions=True)

    async def _serve(self, reader, writer):
        self._serving.append(asyncio.current_task())
        self._open.append(writer)
        there, back = await asyncio.open_connection(self._host, self._port)
        self._open.append(back)
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer), return_exceptions=True)

    async def _pass(self, reader, writer):
        while piece := await reader.read(1 << 16):
            if not self.swallows:
                writer.write(piece)
                await writer.drain()
        writer.close()


@pytest.fixture
def hidden(tmp_path, peopled, served):
    """A service that gives a sign of life each half second, and a way to it that may swallow that."""
    often = FeedSettings(heartbeat_s=0.5)
    with served(peopled, tmp_path / "service", feeds=often) as live, Swallower(live.url) as way:
        yield live, way


def test_a_silent_connection_is_said_to_be_so_and_gone_on_with(hidden, desk):
    live, way = hidden
    have(live, "vehicles", "heron", name="heron")
    fly(live, "heron")
    at = open_fly(desk, replace(live, url=way.url), "supervisor")
    page = at.page
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    at.forgiven.append("ERR_CONTENT_LENGTH_MISMATCH")  # a piece of the map that was on its way comes short
    way.swallows = True
    expect(page.get_by_text("Connection silent since")).to_contain_text(":")
    assert at.axe() == []
    at.picture("connection-silent")
    fly(live, "heron", battery_left=0.6)
    way.swallows = False
    expect(row(page, "heron")).to_contain_text("60%")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
