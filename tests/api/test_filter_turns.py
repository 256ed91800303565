"""Who asks by many slow filters at once waits for them alone: the threads of all others stay free."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from api import Settings
from api.app import create_app
from api.errors import RateLimitedError
from api.identity.settings import IdentitySettings
from api.ogc.turns import Turns
from api.records.lists import list_readable
from tests.api.conftest import ON_SQLITE
from tests.api.samples import crossing_json

ITEMS = "/ogc/collections/crossings/items"
SLOW, PLAIN = {"filter": "confidence > 0.1"}, {"bbox": "-111,31,-110,32"}


@pytest.fixture
def held(monkeypatch):
    """Every look by a filter waits until it is let go; how many do."""
    go, there = threading.Event(), threading.Semaphore(0)

    def wait(session, principal, now_us, which, **more):
        if which.where is not None and which.bbox is None:
            there.release()
            assert go.wait(20)
        return list_readable(session, principal, now_us, which, **more)

    monkeypatch.setattr("api.ogc.endpoints.list_readable", wait)
    monkeypatch.setattr("api.ogc.endpoints.MAX_SECONDS", 60.0)
    yield go, there
    go.set()


@ON_SQLITE
def test_more_slow_filters_than_may_be_are_refused_and_nobody_else_waits(service, held):
    go, there = held
    bravo = service.partner("bravo")
    service.key("bravo too", "partner", partner_id=bravo)
    service.deliver(crossing_json())
    with ThreadPoolExecutor(8) as threads:
        running = [threads.submit(service.ask, "bravo", "GET", ITEMS, params=SLOW) for _ in range(4)]
        for _ in running:
            assert there.acquire(timeout=20)
        for key in ("bravo", "bravo too"):
            refused = service.ask(key, "GET", ITEMS, params=SLOW)
            assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
            assert "filters of yours" in refused.json()["detail"]
            assert service.ask(key, "GET", ITEMS, params=PLAIN).status_code == 200
        other = threads.submit(service.ask, "analyst", "GET", ITEMS, params=SLOW)
        assert there.acquire(timeout=20)
        go.set()
        assert [each.result(20).status_code for each in [*running, other]] == [200] * 5
    assert service.ask("bravo", "GET", ITEMS, params=SLOW).status_code == 200


@ON_SQLITE
@pytest.mark.parametrize(("processes", "of_one", "of_all"), [(1, 4, 20), (2, 2, 10), (3, 1, 6), (50, 1, 1)])
def test_one_of_several_processes_lets_through_its_share(store, processes, of_one, of_all):
    settings = Settings(store.directory, identity=IdentitySettings(processes=processes))
    turns = create_app(settings, store).state.turns

    for names, most in ((["a"] * 99, of_one), ([str(number) for number in range(99)], of_all)):
        with ExitStack() as stack:
            for name in names[:most]:
                stack.enter_context(turns.taken(name))
            with pytest.raises(RateLimitedError), turns.taken(names[most]):
                pass


@ON_SQLITE
def test_a_property_that_is_asked_for_is_a_filter_too(service, held):
    """It may take as long as one in CQL2 does."""
    go, there = held
    with ThreadPoolExecutor(4) as threads:
        running = [threads.submit(service.ask, "analyst", "GET", ITEMS, params={"kind": "person"}) for _ in range(4)]
        for _ in running:
            assert there.acquire(timeout=20)
        assert service.ask("analyst", "GET", ITEMS, params={"kind": "person"}).status_code == 429
        go.set()
        assert [each.result(20).status_code for each in running] == [200] * 4


def test_all_together_have_no_more_than_so_many_and_each_turn_comes_back():
    turns = Turns(of_one=2, of_all=3)
    with turns.taken("a"), turns.taken("a"):
        with pytest.raises(RateLimitedError, match="of yours"), turns.taken("a"):
            pass
        with turns.taken("b"), pytest.raises(RateLimitedError, match="of all"), turns.taken("c"):
            pass
        with pytest.raises(ZeroDivisionError), turns.taken("c"):
            raise ZeroDivisionError
        with turns.taken("c"):
            pass
    assert turns._running == {}
