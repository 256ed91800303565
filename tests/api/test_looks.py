"""Statements that go past the layers say what they say through them, and a look sees the moment when it is asked."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import bindparam, column, event, func, insert, select, table
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError

from api.errors import StorageError
from api.identity.roles import Principal, Role
from api.records.lists import RecordFilter, list_readable
from api.store.direct import direct, said
from api.store.looks import Looks
from api.store.tables import Base, EventRow
from api.trail.log import append_event
from tests.api.conftest import ON_SQLITE

ON_POSTGRES = pytest.mark.parametrize("databases", ["postgres"], indirect=True)
EVENTS = Base.metadata.tables["event"]
COUNT = select(func.count()).select_from(EVENTS)
ONE = select(EVENTS.c.kind, EVENTS.c.detail).where(EVENTS.c.n == bindparam("number"), EVENTS.c.audience == "100% 'in'")
ROW = {"audience": "100% 'in'", "time_us": 2**62, "kind": "a%s:x?", "record_id": None, "detail": "é\n"}


def numbered(seq, n):
    return ROW | {"seq": seq, "n": n}


@pytest.fixture
def opened(store):
    """How many connections to the database were opened."""
    found = []
    event.listen(store._database.engine, "connect", lambda *_: found.append(1))
    return lambda: len(found)


def append(store, kind="key.issued"):
    with store.write() as session:
        append_event(session, 1, kind)


def test_a_look_sees_each_commit_over_one_connection(store, opened):
    looks = Looks(store._database)
    store._database.engine.dispose()
    (before,) = looks.first(COUNT)
    for number in range(1, 5):
        append(store)
        assert looks.first(COUNT) == (before + number,)
    assert opened() <= 2  # its own, and the writer's
    looks.close()


def test_a_look_over_a_connection_that_broke_asks_again(store):
    before = store.looks.first(COUNT)
    store.looks._connection.dbapi_connection.close()
    assert [store.looks.first(COUNT) for _ in range(2)] == [before] * 2


def test_a_look_that_hangs_holds_up_no_other(store):
    """As over a connection whose other end is gone: it waits for the network, not for us."""
    before = store.looks.first(COUNT)
    with ThreadPoolExecutor(1) as pool, store.looks._lock:
        assert pool.submit(store.looks.first, COUNT).result(10) == before


@ON_POSTGRES
def test_we_find_out_ourselves_that_a_server_is_gone(store):
    with store.read() as session:
        told = session.connection().connection.driver_connection.info.get_parameters()
    assert (told["tcp_user_timeout"], told["keepalives_idle"], told["keepalives_count"]) == ("10000", "10", "3")


@ON_POSTGRES
def test_a_connection_that_its_server_ended_is_opened_again(store):
    own = select(func.pg_backend_pid())
    with store.write() as session:
        with store.read() as other:
            ended = other.scalar(own)
        assert session.scalar(select(func.pg_terminate_backend(ended, 10_000)))  # and waits until it has
        with store.read() as other:
            assert other.scalar(own) != ended


@ON_POSTGRES
def test_what_is_asked_again_and_again_is_prepared_and_stays_so_when_a_read_ends(store):
    """A driver that forgets at the end of each read has every question planned anew. What a read adds is not kept."""
    analyst, prepared = Principal("a", "a", Role.ANALYST), select(column("statement"))
    for _ in range(8):
        with store.read() as session:
            assert list_readable(session, analyst, 1, RecordFilter("crossing"), limit=1) == []
            session.add(EventRow(**numbered(1000, 1)))
    with store.read() as session:
        told = session.scalars(prepared.select_from(table("pg_prepared_statements")))
        assert [statement for statement in told if "readable" in statement]
        assert session.get(EventRow, 1000) is None


@ON_SQLITE
def test_the_statement_for_a_box_is_kept_ready(store):
    """Whoever asks for a box, the next one asks with the same statement."""
    analyst = Principal("a", "a", Role.ANALYST)
    built = []
    for number in range(3):
        box = RecordFilter("crossing", bbox=(float(number), 1.0, 2.0 + number, 3.0))
        with store.read() as session:
            assert list_readable(session, analyst, 1, box, limit=1) == []
        built.append(said.cache_info().misses)
    assert built[1:] == built[:-1]


def refused(store):
    """A closed store answers nothing, however it is asked."""
    for ask in (store.stamp, store.forget, store.check_database, lambda: store.write_together(append_event)):
        with pytest.raises(StorageError, match="closed"):
            ask()
    with pytest.raises(StorageError, match="closed"), store.read():
        pass


@pytest.mark.parametrize("work", ["read", "write", "write_together"])
def test_a_closed_store_leaves_no_connection_behind(store, opened, work):
    """Nor does what went on in a thread while it was closed: it ends well, and its connection with it."""
    store._database.engine.dispose()
    ended = []
    event.listen(store._database.engine, "close", lambda *_: ended.append(1))

    def at_work(session):
        append_event(session, 1, "key.issued") if work != "read" else session.execute(COUNT)
        store.stamp()
        store.close()

    if work == "write_together":
        store.write_together(at_work)
    else:
        with getattr(store, work)() as session:
            at_work(session)
    refused(store)
    assert opened() == len(ended) + 1  # the pool does not count the one of the looks, which is closed by the looks


def test_direct_statements_mean_what_they_mean_through_the_layers(store):
    with store.write() as session:
        direct(session, insert(EVENTS), [numbered(1000 + number, number) for number in (1, 2)])
        direct(session, insert(EVENTS), numbered(1003, 3))
        for number in (1, 2, 3, 4):
            through = session.execute(ONE, {"number": number}).one_or_none()
            assert direct(session, ONE, {"number": number}).one_or_none() == through
        rows = session.scalars(select(EventRow).where(EventRow.seq > 1000).order_by(EventRow.seq))
        told = [(row.time_us, row.kind, row.detail, row.record_type) for row in rows]
    assert told == [(ROW["time_us"], ROW["kind"], ROW["detail"], None)] * 3


@pytest.mark.parametrize("count", [2, 64, 65, 700])
def test_any_number_of_rows_goes_in_once_each_in_order(store, count):
    """By one statement for some hundreds of them, or row by row."""
    with store.write() as session:
        direct(session, insert(EVENTS), [numbered(1000 + number, number) for number in range(count)])
        rows = session.execute(select(EVENTS.c.seq, EVENTS.c.n).where(EVENTS.c.seq >= 1000).order_by(EVENTS.c.seq))
        assert [tuple(row) for row in rows] == [(1000 + number, number) for number in range(count)]


def test_several_rows_at_once_keep_what_follows_their_values():
    told = said(
        sqlite_insert(EVENTS).on_conflict_do_nothing(index_elements=["seq"]), sqlite.dialect(), ("seq", "n", "kind")
    )
    text, values = told.at_once([(1, 2, "a"), (3, 4, "b")])
    assert text == "INSERT INTO event (seq, n, kind) VALUES (?, ?, ?), (?, ?, ?) ON CONFLICT (seq) DO NOTHING"
    assert values == (1, 2, "a", 3, 4, "b")


def test_a_direct_statement_that_fails_undoes_its_member_of_a_shared_commit_alone(store):
    def member(number):
        return store.write_together(lambda session: direct(session, insert(EVENTS), numbered(1000, 1000 + number)))

    (before,) = store.looks.first(COUNT)
    with ThreadPoolExecutor(3) as pool, store.write():  # who comes meanwhile shares the next commit
        members = [pool.submit(member, number) for number in range(3)]
        while len(store._together) < 2:  # the third waits for the lock as their leader, or in the queue
            time.sleep(0.001)
    failed = [member.exception() for member in members]
    assert [type(each) for each in failed if each is not None] == [IntegrityError] * 2
    assert store.looks.first(COUNT) == (before + 1,)
