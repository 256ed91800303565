"""Pages that are ready: never an older one than would be read now, never another's, always written down."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from starlette.routing import BaseRoute

from api.canonical import sha256_hex
from api.identity.keys import Proof, authenticate, issue_key
from api.identity.roles import SYSTEM, Call, Principal, Role, Shown
from api.ready import Answer, Notes, ReadyAnswers
from api.records.endpoints import list_readable
from api.trail.audit import audit_head, read_audit

HOUR_US = 3_600_000_000
ROUTE = BaseRoute()
SYSTEM_CALL = Call(SYSTEM, "r")


@pytest.fixture
def asked(monkeypatch):
    """How often pages were read from the store."""
    times = count()

    def counting(*args, **more):
        next(times)
        return list_readable(*args, **more)

    monkeypatch.setattr("api.records.endpoints.list_readable", counting)
    return lambda: int(repr(times)[6:-1])


def entries(service):
    answer = service.ask("auditor", "GET", "/audit", params={"limit": 1000}).json()
    return [(entry["body"]["name"], entry["body"]["action"], entry["body"]["objects"]) for entry in answer["entries"]]


def test_the_same_page_is_read_once_and_written_down_each_time(service, crossing, asked):
    crossing_id = service.deliver(crossing())
    before = asked()
    answers = [service.ask("analyst", "GET", "/crossings") for _ in range(3)]
    assert asked() - before == 1
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == 3
    assert entries(service).count(("analyst", "crossing.list", [crossing_id])) == 3


def test_every_question_and_everybody_has_a_page_of_their_own(service, crossing, asked):
    service.partner("bravo")
    service.deliver(crossing())
    for _ in range(2):
        assert len(service.seen_by("analyst")) == 1
        assert service.seen_by("analyst", kind="vehicle") == []
        assert service.seen_by("bravo") == []
        assert len(service.seen_by("supervisor")) == 1
    assert asked() == 4


def test_a_recalled_record_is_gone_from_the_page_that_was_ready(service, crossing):
    bravo = service.partner("bravo")
    service.agree(bravo)
    crossing_id = service.deliver(crossing())
    service.judge(crossing_id)
    release_id = service.release(crossing_id, bravo).json()["id"]
    assert service.seen_by("bravo") == service.seen_by("bravo") == [crossing_id]
    service.ask("supervisor", "DELETE", f"/releases/{release_id}")
    assert service.seen_by("bravo") == []


def test_a_delay_that_passes_and_a_retention_that_ends_change_the_page(service, crossing, clock):
    bravo = service.partner("bravo")
    service.agree(bravo, delay_s=3 * 3600)  # from its time, two hours ago
    crossing_id = service.deliver(crossing(retention_days=1))
    service.judge(crossing_id)
    assert service.release(crossing_id, bravo).status_code == 201
    assert service.seen_by("bravo") == service.seen_by("bravo") == []
    clock.now_us += HOUR_US
    assert service.seen_by("bravo") == service.seen_by("bravo") == [crossing_id]
    clock.now_us += 24 * HOUR_US
    assert service.seen_by("bravo") == service.seen_by("analyst") == []


def test_a_revoked_key_gets_no_page_that_was_ready(service, crossing):
    service.deliver(crossing())
    key_id = service.key("second", "analyst")
    assert len(service.seen_by("second")) == len(service.seen_by("second")) == 1
    service.ask("administrator", "DELETE", f"/keys/{key_id}")
    assert service.ask("second", "GET", "/crossings").status_code == 401


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("UPDATE api_key_terms SET scopes = 'cue.read' WHERE key_id = :key", 403),
        ("UPDATE api_key_terms SET certificate = 'another' WHERE key_id = :key", 401),
        ("UPDATE api_key SET expires_us = 1 WHERE id = :key", 401),
        ("UPDATE api_key SET digest = 'another' WHERE id = :key", 401),
    ],
)
def test_a_key_that_is_worth_less_when_it_is_written_down_is_shown_nothing(
    service, crossing, monkeypatch, change, status
):
    """Whatever changed it, and though no event tells of it; as if it had been so when the request came."""
    service.deliver(crossing())
    key_id = service.key("second", "analyst")
    assert len(service.seen_by("second")) == len(service.seen_by("second")) == 1
    real = service.store.note_together

    def meanwhile(work):
        monkeypatch.setattr(service.store, "note_together", real)
        with service.store.write() as session:
            session.execute(text(change), {"key": key_id})
        return real(work)

    monkeypatch.setattr(service.store, "note_together", meanwhile)
    answer = service.ask("second", "GET", "/crossings")
    assert answer.status_code == status
    assert b"features" not in answer.content
    assert [name for name, action, _ in entries(service) if action == "crossing.list"] == ["second"] * 2


def test_a_page_that_cannot_be_written_down_does_not_leave(service, crossing, monkeypatch):
    service.deliver(crossing())
    assert len(service.seen_by("analyst")) == 1

    def full(*_args):
        raise OSError("disk full")

    monkeypatch.setattr("api.ready.append_deeds", full)
    answer = service.ask("analyst", "GET", "/crossings")
    assert answer.status_code == 500
    assert b"features" not in answer.content


deeds = st.lists(
    st.sampled_from(["deliver", "replace", "confirm", "dismiss", "release", "recall", "end", "wait", "read"]),
    min_size=3,
    max_size=14,
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(order=deeds)
def test_a_ready_page_is_what_would_be_read_now(service, crossing, clock, order):  # noqa: C901 - one deed a branch
    """Whatever happens between: the answer is the one that a service without memory gives."""
    numbers = count()
    name = f"partner-{next(_NAMES)}"
    partner = service.partner(name)
    agreement = service.agree(partner, delay_s=60).json()["id"]
    ids, releases, revision = [], [], count(6)

    def fresh(who):
        from api.records.lists import RecordFilter

        with service.store.read() as session:
            principal = Principal("x", "x", Role.PARTNER, partner) if who == name else Principal("x", "x", Role.ANALYST)
            rows = list_readable(session, principal, clock.now_us, RecordFilter("crossing"), limit=1000)
        return [(row.id, json.loads(row.feature)) for row in rows]

    for deed in order:
        if deed == "deliver":
            ids.append(service.deliver(crossing(f"{name}-{next(numbers)}")))
        elif deed == "replace" and ids:
            update = f"2026-01-01T10:00:{next(revision):02}Z"
            service.deliver(crossing(f"{name}-{len(ids) - 1}", update_time=update, confidence=0.5))
        elif deed in {"confirm", "dismiss"} and ids:
            service.judge(ids[-1], deed)
        elif deed == "release" and ids:
            answer = service.release(ids[-1], partner)
            releases += [answer.json()["id"]] if answer.status_code == 201 else []
        elif deed == "recall" and releases:
            service.ask("supervisor", "DELETE", f"/releases/{releases.pop()}")
        elif deed == "end":
            service.ask("administrator", "DELETE", f"/agreements/{agreement}")
        elif deed == "wait":
            clock.now_us += HOUR_US
        for who in ("analyst", name):
            answer = service.ask(who, "GET", "/crossings", params={"limit": "1000"})
            assert [(feature["id"], feature) for feature in answer.json()["features"]] == fresh(who)


_NAMES = count()


long = st.integers(0, 8_000)


@given(sizes=st.lists(st.tuples(long, long, long, st.integers(0, 50)), max_size=30))
def test_memory_is_bounded_whatever_is_long_the_answer_or_the_question(sizes):
    ready = ReadyAnswers(capacity_bytes=40_000)
    who = Principal("k", "k", Role.ANALYST)

    def key_of(number):
        return who, b"/", b"%d&" % number + b"q" * sizes[number][1], "a" * sizes[number][2], False

    def taken(number):
        body, query, accept, objects = sizes[number]
        return body + query + accept + (60 + 2 * 32) * objects  # in the list for the audit as well

    for number, (size, *_, objects) in enumerate(sizes):
        ready.keep(key_of(number), Answer([], b"x" * size, Shown(7, "a.b", ["f" * 32] * objects, 200), ROUTE))
    kept = [number for number in range(len(sizes)) if ready.find(key_of(number), 100) is not None]
    assert sum(1000 + taken(number) for number in kept) <= 40_000
    assert all(taken(number) < 9_000 for number in kept)
    if sizes and taken(len(sizes) - 1) < 8_900:
        assert kept[-1] == len(sizes) - 1  # the newest is there


@pytest.mark.parametrize(("until_us", "there"), [(101, True), (100, False)])
def test_what_time_has_changed_is_forgotten(until_us, there):
    ready = ReadyAnswers()
    key = (Principal("k", "k", Role.ANALYST), b"/", b"", "", False)
    ready.keep(key, Answer([], b"x", Shown(7, "a.b", [], until_us), ROUTE))
    assert (ready.find(key, 100) is not None) == there


async def test_only_what_is_still_true_is_written_down_as_shown(store):
    """Of many who wait together too: each hears of its own."""
    notes, call = Notes(store), Call(Principal("k", "k", Role.ANALYST), "r")
    now = store.stamp()
    shown = [Shown(stamp, "a.b", [str(stamp)], 2**60) for stamp in (now, now - 1, now)]
    with store.read() as session:
        before = audit_head(session).seq
    assert await asyncio.gather(*(notes.note(call, 1, each) for each in shown)) == [True, False, True]
    with store.read() as session:
        entries = read_audit(session, after=before, limit=10)
    assert [entry.body["objects"] for entry in entries] == [[str(now)]] * 2


async def test_a_key_that_ends_while_notes_are_gathered_is_worth_nothing_to_whoever_came_after_that(store, clock):
    """Each is looked up once for all that are written down together."""
    ends = clock() + 1000
    with store.write() as session:
        issued = issue_key(session, SYSTEM_CALL, clock(), name="k", role=Role.ANALYST, expires_us=ends)
    proof = Proof(sha256_hex(issued.key))
    who, _ = authenticate(lambda asked, values: store.looks.first(asked, **values), proof, clock())
    notes, shown = Notes(store), Shown(store.stamp(), "a.b", [], 2**60)
    noted = [notes.note(Call(who, "r"), time_us, shown, proof) for time_us in (ends - 1, ends)]
    _, late = await asyncio.gather(*noted)
    assert late is False


async def test_a_database_that_does_not_answer_keeps_the_loop_free(store, monkeypatch):
    going = threading.Event()
    monkeypatch.setattr(store, "note_together", lambda _work: going.wait(20) and [False])
    noted = asyncio.create_task(
        Notes(store).note(Call(Principal("k", "k", Role.ANALYST), "r"), 1, Shown(store.stamp(), "a.b", [], 2**60))
    )
    await asyncio.sleep(0.05)  # the loop goes on
    assert not noted.done()
    going.set()
    assert await noted is False


async def test_what_is_no_longer_true_locks_nothing(store, monkeypatch):
    """Whoever may not know of a change does not wait for its being written down."""
    monkeypatch.setattr(store, "note_together", lambda _work: pytest.fail("the store was to be written to"))
    old = Shown(store.stamp() - 1, "a.b", [], 2**60)
    assert await Notes(store).note(Call(Principal("k", "k", Role.ANALYST), "r"), 1, old) is False


async def test_who_is_gone_before_the_note_is_written_keeps_nobody_waiting(store, monkeypatch):
    going, real = threading.Event(), store.note_together
    monkeypatch.setattr(store, "note_together", lambda work: going.wait(20) and real(work))
    stamp = store.stamp()
    notes, call, shown = Notes(store), Call(Principal("k", "k", Role.ANALYST), "r"), Shown(stamp, "a.b", [], 2**60)
    gone, there = (asyncio.create_task(notes.note(call, 1, shown)) for _ in range(2))
    await asyncio.sleep(0.05)
    gone.cancel()
    going.set()
    assert await there is True
    assert await notes.note(call, 1, shown) is True


def test_whoever_knocks_while_a_far_database_hangs_keeps_nobody_else_waiting(service, monkeypatch):
    """A key that is known already is asked for in a thread, unless the database is a file of this machine."""
    came, going, first = threading.Event(), threading.Event(), service.store.looks.first
    monkeypatch.setattr(type(service.store), "is_embedded", property(lambda _store: False))
    assert service.ask("analyst", "GET", "/me").status_code == 200

    def hangs(*asked, **given):
        came.set()
        assert going.wait(20)
        return first(*asked, **given)

    monkeypatch.setattr(service.store.looks, "first", hangs)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(service.ask, "analyst", "GET", "/me")
        try:
            assert came.wait(20)
            assert service.ask(None, "GET", "/health").status_code == 200
            assert not waiting.done()
        finally:
            going.set()
        assert waiting.result(20).status_code == 200
