"""The event loop that tests have: a pause is no time, everything else is."""

import asyncio
import threading
import time

import pytest

from tests.steady import SteadyLoop


class Clock:
    paused_s = 0.0

    def __call__(self):
        return time.monotonic() + self.paused_s

    def pause(self):
        self.paused_s += 3600.0


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def steadily(clock):
    with asyncio.Runner(loop_factory=lambda: SteadyLoop(clock)) as runner:
        yield runner.run


def test_a_pause_in_a_step_is_no_time(clock, steadily):
    async def run():
        begun_s = asyncio.get_running_loop().time()
        async with asyncio.timeout(5.0):
            clock.pause()
            await asyncio.sleep(0.01)
        return asyncio.get_running_loop().time() - begun_s

    assert 0.01 <= steadily(run()) < 5.0


def test_a_pause_in_a_wait_is_no_time(clock, steadily):
    async def run():
        begun_s = asyncio.get_running_loop().time()
        threading.Timer(0.05, clock.pause).start()
        async with asyncio.timeout(30.0):
            await asyncio.sleep(0.2)
            await asyncio.sleep(0.2)
        return asyncio.get_running_loop().time() - begun_s

    assert 0.4 <= steadily(run()) < 30.0


def test_what_is_waited_for_without_an_end_takes_its_time(clock, steadily):
    async def run():
        loop = asyncio.get_running_loop()
        begun_s, came = loop.time(), asyncio.Event()

        def come():
            clock.pause()
            loop.call_soon_threadsafe(came.set)

        threading.Timer(0.05, come).start()
        await came.wait()
        return loop.time() - begun_s

    assert steadily(run()) >= 3600.0


async def test_every_test_has_it():
    assert isinstance(asyncio.get_running_loop(), SteadyLoop)
