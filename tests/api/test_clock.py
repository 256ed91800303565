"""Clocks that leap: nothing is shared early, nothing lives on, nothing is erased by what a wrong clock says."""

import asyncio
import json
from contextlib import closing
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import Settings, SettingsError, StorageError, Store, create_admin, running, verify_audit
from api.account.erasure import sweep
from api.account.settings import AccountSettings
from api.account.tasks import sweep_store
from api.background import Service as Beside
from api.release.announcing import announce_due
from api.store.clock import ServiceClock
from api.store.tables import AuditRow
from api.times import iso
from tests.api.conftest import ON_SQLITE
from tests.api.samples import NOON_US

S, HOUR, DAY, YEAR = 1_000_000, 3_600_000_000, 86_400_000_000, 365 * 86_400_000_000


@dataclass
class Hands:
    """A machine: what time it truly is, and by how much its clock is wrong."""

    true_us: int = NOON_US
    wrong_us: int = 0

    def wall(self) -> int:
        return self.true_us + self.wrong_us

    def passed(self) -> int:
        return self.true_us


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def clock(hands) -> ServiceClock:
    return ServiceClock(hands.wall, hands.passed)


@given(st.lists(st.tuples(st.integers(0, HOUR), st.integers(-50 * S, 50 * S)), max_size=40))
def test_many_small_steps_lead_it_no_further_astray_than_one(steps):
    hands = Hands()
    clock = ServiceClock(hands.wall, hands.passed)
    for passed_us, step_us in steps:
        hands.true_us += passed_us
        hands.wrong_us += step_us
        gone_us = hands.true_us - NOON_US
        # A clock that is put right by 500 millionths of the time that passes is followed for ever.
        assert abs(clock() - hands.true_us) <= 60 * S + gone_us * 500e-6 + len(steps) + 1


def test_a_clock_that_is_slowly_put_right_is_followed(hands, clock):
    for _ in range(30 * 24):
        hands.true_us += HOUR
        hands.wrong_us += HOUR * 400 // 1_000_000
        clock()
    assert abs(clock() - hands.wall()) < S
    clock.check()


@dataclass
class Slow(Hands):
    """Each look at a clock takes time, as where a thread waits for its turn between two."""

    def wall(self) -> int:
        self.true_us += 20_000
        return super().wall()

    def passed(self) -> int:
        self.true_us += 20_000
        return super().passed()


def test_however_often_it_is_asked_the_time_that_asking_takes_is_no_leap():
    hands = Slow()
    clock = ServiceClock(hands.wall, hands.passed)
    for _ in range(5_000):
        clock()
    clock.check()
    assert abs(clock() - hands.true_us) <= 20_000


LEAPS = pytest.mark.parametrize("leap_us", [HOUR, YEAR, -HOUR, -YEAR])


@given(st.lists(st.tuples(st.integers(0, DAY), st.sampled_from([0, 0, HOUR, -HOUR, YEAR, -YEAR])), max_size=20))
def test_it_is_the_time_that_has_passed_whatever_the_machine_says(steps):
    hands = Hands()
    clock = ServiceClock(hands.wall, hands.passed)
    said = [clock()]
    for passed_us, hands.wrong_us in steps:
        hands.true_us += passed_us
        said.append(clock())
        assert 0 <= said[-1] - hands.true_us <= len(said)  # a microsecond a question, where no time has passed
    assert said == sorted(set(said))


@given(st.lists(st.integers(-5 * S, 5 * S), max_size=20))
def test_a_clock_that_is_put_right_little_by_little_is_followed(drifts):
    hands = Hands()
    clock = ServiceClock(hands.wall, hands.passed)
    last = 0
    for drift_us in drifts:
        hands.true_us += HOUR
        hands.wrong_us += drift_us
        assert clock() == hands.wall() > last
        last = hands.wall()


@LEAPS
def test_a_leap_shares_nothing_early_and_erases_nothing(service, hands, crossing, leap_us):
    service.store.start_clock()
    began = verify_audit(service.store).seq
    bravo = service.partner("bravo")
    service.agree(bravo, delay_s=2 * 3600 + 1800)  # of what happened two hours ago
    crossing_id = service.deliver(crossing(retention_days=30))
    service.judge(crossing_id)
    assert service.release(crossing_id, bravo).status_code == 201
    assert service.seen_by("bravo") == []  # and that page is ready from now on
    hands.wrong_us = leap_us
    assert service.seen_by("bravo") == []
    with service.store.write() as session:
        assert announce_due(session, service.store.clock()) == 0
    assert sweep(service.store) == 0
    assert service.seen_by("analyst") == [crossing_id]
    assert service.ask(None, "GET", "/ready").status_code == 503
    hands.true_us += 1801 * S  # half an hour is half an hour by a wrong clock too
    assert service.seen_by("bravo") == [crossing_id]
    hands.wrong_us = 0
    assert service.seen_by("bravo") == [crossing_id]
    assert service.ask(None, "GET", "/ready").status_code == 200
    hands.true_us += 30 * DAY
    assert service.seen_by("bravo") == []
    assert sweep(service.store) == 1
    verify_audit(service.store)
    with service.store.read() as session:
        times = [json.loads(row.body)["time"] for row in session.query(AuditRow).order_by(AuditRow.seq)]
    assert times[began:] == sorted(times[began:])


@LEAPS
def test_a_leap_keeps_no_key_alive_and_ends_none(service, hands, leap_us):
    service.key("brief", "analyst", expires=iso(NOON_US + HOUR))
    assert service.ask("brief", "GET", "/me").status_code == 200
    hands.wrong_us = leap_us
    assert service.ask("brief", "GET", "/me").status_code == 200
    hands.true_us += HOUR + S
    assert service.ask("brief", "GET", "/me").status_code == 401
    hands.wrong_us = -leap_us
    assert service.ask("brief", "GET", "/me").status_code == 401


@ON_SQLITE
def test_what_beside_the_routes_erases_waits_while_the_clock_is_wrong(service, hands, crossing, monkeypatch):
    crossing_id = service.deliver(crossing(retention_days=30))
    swept, looked, check = [], [], service.store.check_clock
    monkeypatch.setattr("api.account.tasks.sweep", swept.append)
    monkeypatch.setattr(service.store, "check_clock", lambda: looked.append(True) or check())

    async def a_while():
        quick = Settings(service.store.directory, account=AccountSettings(sweep_s=0.01))
        task = asyncio.create_task(sweep_store(Beside(service.store, quick)))
        async with asyncio.timeout(30):
            while len(looked) < 2:  # noqa: ASYNC110 - what the first one let through has been done by the second
                await asyncio.sleep(0.005)
        task.cancel()

    hands.wrong_us = YEAR
    asyncio.run(a_while())
    assert swept == []
    parts = service.ask("administrator", "GET", "/ready/parts").json()["parts"]
    assert "set forward" in parts.pop("clock")
    assert set(parts.values()) == {"ready"}
    assert service.seen_by("analyst") == [crossing_id]


@ON_SQLITE
@pytest.mark.parametrize(("off_us", "refused"), [
    (0, None), (-30 * S, None), (89 * DAY, None), (-HOUR, "set the clock right"), (YEAR, "erased by it"),
])  # fmt: skip
def test_a_start_holds_the_clock_against_what_is_written(service, hands, off_us, refused):
    last = service.store.clock()
    service.key("late", "analyst")
    hands.true_us += off_us
    with closing(Store(service.store.directory, clock=ServiceClock(hands.wall, hands.passed))) as store:
        if refused is None:
            store.start_clock()
            assert store.clock() > last
        else:
            with pytest.raises(SettingsError, match=refused):
                store.start_clock()


@ON_SQLITE
def test_the_service_starts_by_a_clock_that_contradicts_its_store_when_it_is_told_to(tmp_path, databases):
    with closing(Store(tmp_path / "store", clock=lambda: NOON_US + 10 * YEAR)) as store:
        create_admin(store)
    with pytest.raises(SettingsError, match="--clock-is-right"), running(Settings(tmp_path / "store", port=0)):
        pass
    with running(Settings(tmp_path / "store", port=0, clock_is_right=True)) as service:
        with service.store.read() as session:
            newest = session.query(AuditRow).order_by(AuditRow.seq.desc()).first()
        assert json.loads(newest.body)["action"] == "clock.trust"
        verify_audit(service.store)


def test_a_leap_is_told_of_until_it_is_undone(hands, clock):
    for leap_us in (61 * S, -61 * S):
        hands.wrong_us = leap_us
        with pytest.raises(StorageError, match="by 61 s"):
            clock.check()
        hands.wrong_us = 0
        clock.check()
