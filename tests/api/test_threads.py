"""Work in threads ends before the task that asked for it, and so before the store that it works on is closed."""

import asyncio
import threading

import pytest
from anyio import CapacityLimiter

from api import Settings
from api.account.tasks import keep_ledger, sweep_store
from api.background import Service, beside, commits_of
from api.live.settings import LiveSettings
from api.live.stream import Watch
from api.release.due import announce_when_due
from api.threads import in_thread
from tests.api.conftest import ON_SQLITE


class Slow:
    """Work that has to be let go on."""

    def __init__(self):
        self.begun, self.go_on, self.ended = threading.Event(), threading.Event(), threading.Event()

    def __call__(self, *_args):
        self.begun.set()
        assert self.go_on.wait(20)
        self.ended.set()
        return 0

    async def has_begun(self):
        assert await asyncio.to_thread(self.begun.wait, 20)


@pytest.mark.parametrize("times", [1, 3])
def test_a_task_that_is_cancelled_ends_with_its_work(times):
    async def run():
        slow = Slow()
        task = asyncio.create_task(in_thread(slow))
        await slow.has_begun()
        for _ in range(times):
            task.cancel()
            await asyncio.wait([task], timeout=0.01)
            assert not task.done()
        slow.go_on.set()
        await asyncio.wait([task])
        assert task.cancelled()
        assert slow.ended.is_set()

    asyncio.run(run())


def test_work_that_has_not_begun_never_does():
    async def run():
        first, second, one = Slow(), Slow(), CapacityLimiter(1)
        tasks = [asyncio.create_task(in_thread(slow, limiter=one)) for slow in (first, second)]
        await first.has_begun()
        tasks[1].cancel()
        await asyncio.wait([tasks[1]])
        first.go_on.set()
        assert await tasks[0] == 0
        assert await in_thread(int, "7", limiter=one) == 7
        assert not second.begun.is_set()

    asyncio.run(run())


def test_what_work_raises_is_raised():
    with pytest.raises(ValueError, match="invalid literal"):
        asyncio.run(in_thread(int, "x"))


@ON_SQLITE
@pytest.mark.parametrize(
    ("task", "place"),
    [
        (sweep_store, "api.account.tasks.sweep"),
        (keep_ledger, "api.account.ledger.LedgerKeeper.keep"),
        (announce_when_due, "api.release.due._announce"),
    ],
)
def test_what_runs_beside_the_service_ends_its_work_before_the_store_closes(store, monkeypatch, task, place):
    slow = Slow()
    monkeypatch.setattr(place, slow)
    monkeypatch.setattr("api.release.due.may_be_due", lambda _: True)

    async def run():
        async with beside(Service(store, Settings(store.directory)), [task]):
            await slow.has_begun()
            threading.Timer(0.02, slow.go_on.set).start()
        assert slow.ended.is_set()

    asyncio.run(run())


@ON_SQLITE
def test_nor_does_what_nobody_waits_for_outlive_the_loop(store, monkeypatch):
    """As the look for those who watch, once the last of them has left."""
    slow = Slow()
    monkeypatch.setattr(Watch, "_views", slow)

    async def run():
        watch = Watch(store, LiveSettings(), Settings(store.directory).identity)
        watch._looking = asyncio.create_task(watch._look())
        await slow.has_begun()
        watch._looking.cancel()
        threading.Timer(0.02, slow.go_on.set).start()

    asyncio.run(run())
    assert slow.ended.is_set()


def test_a_task_that_answered_in_place_of_a_cancellation_is_cancelled_again(monkeypatch):
    """A goodbye that fails is raised over the cancellation, and whoever connects goes on after a failure."""
    monkeypatch.setattr("api.background._AGAIN_S", 0.01)
    cancelled = []

    async def connects(_service):
        while True:
            try:
                await asyncio.sleep(20)
            except asyncio.CancelledError:
                cancelled.append(1)
                if len(cancelled) == 3:
                    raise

    async def run():
        async with asyncio.timeout(10), beside(None, [connects]):
            await asyncio.sleep(0)

    asyncio.run(run())
    assert len(cancelled) == 3


@ON_SQLITE
def test_whoever_looks_after_commits_is_woken_once_until_they_look(store, monkeypatch):
    """A commit is answered after those who wait were told of it: of each they would be told before every answer."""

    async def run():
        told = []
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "call_soon_threadsafe", lambda heard, *_: (told.append(1), loop.call_soon(heard)))
        with commits_of(store) as committed:
            for times in (1, 2):  # nobody misses what comes after they began to look
                for _ in range(3):
                    with store.write():
                        pass
                    await asyncio.wait_for(committed.wait(), 20)
                assert len(told) == times
                committed.clear()

    asyncio.run(run())
