"""Work that is given up in good order."""

import asyncio

import pytest

from autopilot.steadfast import to_the_end, unless


async def slow(done, error=None):
    await asyncio.sleep(0.05)
    done.append(1)
    if error is not None:
        raise error
    return 7


async def test_work_ends_however_often_its_caller_is_cancelled():
    done = []
    task = asyncio.create_task(to_the_end(slow(done)))
    for _ in range(4):
        await asyncio.sleep(0.005)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [1]
    assert await to_the_end(slow(done)) == 7
    with pytest.raises(ValueError, match="of its own"):
        await to_the_end(slow(done, ValueError("of its own")))


async def test_a_timeout_about_it_is_still_a_timeout():
    done = []
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await to_the_end(slow(done, ValueError("unseen")))
    assert done == [1]
    await asyncio.sleep(0)  # nothing of the timeout is left to strike here


async def test_work_is_left_when_the_flight_stops_and_its_clearing_up_awaited():
    stop = asyncio.Event()
    cleared = []

    async def work():
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(0.02)
            cleared.append(1)

    asyncio.get_running_loop().call_later(0.01, stop.set)
    assert await unless(stop, work()) is None
    assert cleared == [1]
    assert await unless(asyncio.Event(), slow([])) == 7
    task = asyncio.create_task(unless(asyncio.Event(), work()))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleared == [1, 1]
