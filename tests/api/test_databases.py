"""What the store promises, on both databases: snapshots, one order of writers, errors that say what to do."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from api import Settings, SettingsError, StorageError, Store, verify_audit
from api.identity.logins import Logins
from api.identity.roles import SYSTEM, Call, Principal, Role
from api.ingest import records
from api.records.types import TYPES
from api.store import postgres as dialect
from api.store.postgres import libpq_url, postgres_url
from api.trail.audit import append_audit
from api.trail.log import append_event
from tests.api.conftest import DATABASES
from tests.api.people import PASSWORD, settled
from tests.api.samples import crossing_json
from tests.services import postgres_cluster


@pytest.fixture
def twice(tmp_path, databases):
    """Two services on one database, as two processes are."""
    url = databases.new()
    stores = [Store(tmp_path, database=url, busy_timeout_s=10) for _ in range(2)]
    yield stores
    for store in stores:
        store.close()


def append(store, number, kind="key.issued"):
    with store.write() as session:
        append_event(session, number, kind, number=number)
        append_audit(session, Call(SYSTEM, f"r{number}"), number, kind, [])


def interrupted(store, by):
    """Something happens between one statement of a write and the next."""
    with store.write() as session:
        append_event(session, 1, "key.issued")
        by()
        append_event(session, 1, "key.issued")


def counted(store):
    with store.read() as session:
        return session.execute(text("SELECT count(*) FROM event")).scalar_one()


def test_writers_of_two_services_keep_one_order_without_gaps(twice):
    def write(number):
        append(twice[number % 2], number)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(60)))
    with twice[0].read() as session:
        assert session.execute(text("SELECT seq FROM event ORDER BY seq")).scalars().all() == list(range(1, 61))
    assert verify_audit(twice[1]).seq == 60


def test_of_two_services_that_are_given_the_same_record_one_makes_it(twice, monkeypatch):
    """Whoever looked whether it is there has nobody between that and putting it in."""
    found, call = records.find_kept, Call(Principal("key", "key", Role.PILOT), "r")

    def slowly(*given):
        seen = found(*given)
        time.sleep(0.05)
        return seen

    monkeypatch.setattr(records, "find_kept", slowly)

    crossings = TYPES["crossing"]

    def deliver(number):
        given = records.prepare(crossings, crossings.model.model_validate(crossing_json(f"{number // 4}")), 1)
        return twice[number % 2].put_together(
            lambda connection: records.deliver_new(connection, call, 1, crossings, given)
        )

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(deliver, range(12)))
    assert [sum(each is not None for each in made[start : start + 4]) for start in (0, 4, 8)] == [1, 1, 1]
    assert verify_audit(twice[0]).seq == 3


def test_what_waits_together_is_kept_in_one_order_on_two_services(twice):
    def write(number):
        twice[number % 2].write_together(
            lambda session: append_audit(session, Call(SYSTEM, f"r{number}"), number, "key.issue", [])
        )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(80)))
    assert verify_audit(twice[0]).seq == 80


def test_a_reader_sees_one_moment_and_waits_for_no_writer(twice):
    reader, writer = twice
    append(writer, 1)
    with reader.read() as session:
        assert session.execute(text("SELECT count(*) FROM event")).scalar_one() == 1
        append(writer, 2)  # neither waits for the other
        assert session.execute(text("SELECT count(*) FROM event")).scalar_one() == 1
        assert session.execute(text("SELECT count(*) FROM audit")).scalar_one() == 1
    assert counted(reader) == 2
    with writer.write() as session:
        append_event(session, 3, "key.issued")
        assert counted(reader) == 2  # and what is not committed is seen by nobody


def test_a_writer_waits_its_time_and_says_so(tmp_path, databases):
    url = databases.new()
    first, second = Store(tmp_path, database=url), Store(tmp_path, database=url, busy_timeout_s=0.1)
    with first.write() as session:
        append_event(session, 1, "key.issued")
        with pytest.raises(StorageError, match=r"cannot serve: .*lock"), second.write():
            pass
        with pytest.raises(StorageError, match="lock"):
            second.check()
    second.check()
    append(second, 2)
    assert counted(first) == 2
    for store in (first, second):
        store.close()


def test_a_write_that_raises_leaves_nothing(store):
    before = counted(store)
    with pytest.raises(ZeroDivisionError):
        interrupted(store, lambda: 1 // 0)
    assert counted(store) == before


def test_a_broken_constraint_is_no_failure_of_the_store(store):
    twin = text("INSERT INTO audit_head (id, seq, hash) SELECT id, seq, hash FROM audit_head")
    with pytest.raises(IntegrityError), store.write() as session:
        session.execute(twin)


def test_every_connection_in_use_is_said(store, monkeypatch):
    monkeypatch.setattr(store._database.engine.pool, "_timeout", 0.05)
    done, all_in = threading.Event(), threading.Barrier(61 if not store.place.startswith("postgres") else 41)

    def hold():
        with store.read() as session:
            session.execute(text("SELECT 1"))
            all_in.wait(20)
            done.wait(20)

    holders = [threading.Thread(target=hold) for _ in range(all_in.parties - 1)]
    for holder in holders:
        holder.start()
    all_in.wait(20)
    with pytest.raises(StorageError, match="too busy"), store.read() as session:
        session.execute(text("SELECT 1"))
    done.set()
    for holder in holders:
        holder.join()
    assert counted(store) > 0


def test_readers_cannot_write_to_postgres(tmp_path, postgres):
    name = postgres.create()
    store = Store(tmp_path, database=postgres.url(name))
    with pytest.raises(StorageError, match="read-only"), store.read() as session:
        append_event(session, 1, "key.issued")
    with store.write() as session:  # the same connection, for a writer
        append_event(session, 1, "key.issued")
    store.close()
    postgres.drop(name)


def test_a_writer_that_hangs_is_let_go_of(tmp_path, postgres, monkeypatch):
    name = postgres.create()
    first, second = (Store(tmp_path, database=postgres.url(name), busy_timeout_s=20) for _ in range(2))
    assert "'60000'" in dialect._BEGIN_WRITE
    monkeypatch.setattr(dialect, "_BEGIN_WRITE", dialect._BEGIN_WRITE.replace("'60000'", "'500'"))

    def waits():
        monkeypatch.undo()
        append(second, 2)

    with pytest.raises(StorageError, match="cannot serve"):
        interrupted(first, waits)
    assert counted(first) == 1
    for store in (first, second):
        store.close()
    postgres.drop(name)


def test_a_database_that_crashed_is_found_again_with_all_that_was_committed(tmp_path):
    with postgres_cluster() as server:
        store = Store(tmp_path, database=server.url(server.create()))
        for number in range(5):
            append(store, number)
        with pytest.raises(StorageError, match="cannot serve"):
            interrupted(store, server.kill)
        with pytest.raises(StorageError, match="cannot serve"):
            store.check()
        with pytest.raises(StorageError, match="cannot serve"):
            counted(store)
        with pytest.raises(StorageError, match="cannot serve"):
            Store(tmp_path, database=server.url("test_1"))
        server.start()
        assert counted(store) == 5
        append(store, 7)
        assert verify_audit(store).seq == 6
        store.close()


def test_a_way_to_the_database_that_ended_without_a_sign_is_gone_round_once(tmp_path, postgres, monkeypatch):
    """As behind a firewall that forgets connections: the first to use one again hears of it, and nobody else."""
    name = postgres.create()
    store = Store(tmp_path, database=postgres.url(name))
    append(store, 0)
    monkeypatch.setattr(dialect, "poll", Deaf)
    uses = {
        "read": lambda: store.ask(lambda session: session.execute(text("SELECT count(*) FROM event")).scalar_one()),
        "write": lambda: append(store, 1),
        "note": lambda: store.note_together(lambda noted: append_audit(noted, Call(SYSTEM, "r"), 2, "note", [])),
        "look": store.stamp,
    }
    for use in uses.values():
        use()
        postgres.execute(END_ALL.format(name))
        use()
    with pytest.raises(StorageError, match="cannot serve"):  # what has begun is not begun again: it may have been done
        interrupted(store, lambda: postgres.execute(END_ALL.format(name)))
    assert counted(store) == 3
    store.close()
    postgres.drop(name)


@pytest.mark.parametrize("databases", [each for each in DATABASES if each == "postgres"], indirect=True)
@pytest.mark.parametrize("before", ["change_password", "_check"])
def test_a_password_is_changed_over_a_way_that_ended_without_a_sign(service, databases, monkeypatch, before):
    anna, change = settled(service, "anna"), getattr(Logins, before)

    def cut(*args):
        databases.postgres.execute(END_ALL.format(databases.made[-1]))
        return change(*args)

    monkeypatch.setattr(dialect, "poll", Deaf)
    monkeypatch.setattr(Logins, before, cut)
    wish = {"password": PASSWORD, "new_password": "nine loud cranes fly"}
    assert anna.ask("PUT", "/password", json=wish).status_code == 200


END_ALL = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{}'"


class Deaf:
    """Hears nothing of any connection."""

    def register(self, *_of):
        pass

    def poll(self, _timeout):
        return []


def test_a_database_that_takes_no_write_is_not_ready(tmp_path, postgres):
    name = postgres.create()
    store = Store(tmp_path, database=postgres.url(name))
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    store._database.engine.dispose()
    with pytest.raises(StorageError, match="read-only"):
        append(store, 1)
    with pytest.raises(StorageError, match="read-only"):
        store.check()
    store.close()
    postgres.drop(name)


def test_a_commit_waits_for_the_disk_whatever_the_server_was_told(tmp_path, postgres):
    name = postgres.create()
    for told, held in (("off", "on"), ("remote_write", "remote_write")):
        postgres.execute(f"ALTER DATABASE {name} SET synchronous_commit = {told}")
        store = Store(tmp_path, database=postgres.url(name))
        with store.write() as session:
            assert session.execute(text("SHOW synchronous_commit")).scalar_one() == held
        store.close()
    postgres.drop(name)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://user:hush@host/name", "database mysql is not served"),
        ("postgresql://user:hush@host", "names no database"),
        ("no url at all", "cannot be read"),
        ("postgresql+asyncpg://user:hush@host/name", "asyncpg is not served"),
    ],
)
def test_a_wrong_url_is_refused_without_its_password(tmp_path, url, told):
    with pytest.raises(SettingsError, match=told) as error:
        Store(tmp_path, database=url)
    assert "hush" not in str(error.value)


def test_passwords_are_not_shown(tmp_path):
    url = "postgresql://user:hush@127.0.0.1:1/name"
    assert "hush" not in repr(Settings(tmp_path, database=url))
    with pytest.raises(StorageError, match="cannot serve") as error:
        Store(tmp_path, database=url)
    assert "hush" not in str(error.value)
    assert "user:***@127.0.0.1" in str(error.value)
    assert libpq_url(url) == url
    assert postgres_url("postgres://user@host/name").drivername == "postgresql+psycopg"
