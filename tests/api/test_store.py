"""The store, its settings and its keys."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from api import ConflictError, Role, Settings, SettingsError, StorageError, Store, create_admin, verify_audit
from api.errors import STATUS, ApiError, status_of
from api.identity.roles import SYSTEM, Call
from api.store.tables import PartnerRow
from api.trail.audit import Deed, append_deeds, read_audit
from api.trail.log import append_event, last_seq, read_log
from tests.api.conftest import ON_SQLITE
from tests.api.test_matrix import RULES


def test_pragmas(tmp_path, durable):
    store = Store(tmp_path / "s")
    with store.write() as session:
        values = [
            session.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "secure_delete")
        ]
    assert values == ["wal", 2, 1, 10_000, 1]
    store.close()


def test_a_store_of_another_version_is_refused(tmp_path):
    connection = sqlite3.connect(tmp_path / "vedette.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StorageError, match="schema 99"):
        Store(tmp_path)


def test_what_is_no_store_is_refused(tmp_path):
    (tmp_path / "vedette.sqlite").write_bytes(b"not a database, but long enough to be looked at" * 50)
    with pytest.raises(StorageError, match="cannot serve"):
        Store(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot be made"):
        Store(tmp_path / "file" / "below")


def test_a_locked_store_says_so(tmp_path):
    store = Store(tmp_path, busy_timeout_s=0.05)
    other = sqlite3.connect(tmp_path / "vedette.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with store.read() as session:  # readers do not wait
        session.execute(text("SELECT count(*) FROM record"))
    with pytest.raises(StorageError, match="locked"), store.write():
        pass
    other.close()
    store.check()
    store.close()


def test_the_first_key_is_made_once(tmp_path):
    store = Store(tmp_path)

    def first(_):
        try:
            return create_admin(store)
        except ConflictError:
            return None

    with ThreadPoolExecutor(4) as pool:
        made = [key for key in pool.map(first, range(4)) if key is not None]
    assert len(made) == 1
    assert len(made[0].key) == 47
    assert made[0].key not in repr(made[0])
    store.close()


def test_keys_end(service):
    key_id = service.key("second", "analyst")
    assert service.ask("second", "GET", "/me").json() == {
        "key_id": key_id,
        "name": "second",
        "role": "analyst",
        "partner_id": None,
        "account_id": None,
        "scopes": None,
        "permissions": sorted(permission for permission, roles in RULES.items() if "analyst" in roles),
        "csrf": None,
        "idle_s": None,
        "has_password": False,
    }
    assert service.ask("administrator", "DELETE", f"/keys/{key_id}").status_code == 204
    assert service.ask("second", "GET", "/me").status_code == 401
    assert service.ask("administrator", "DELETE", f"/keys/{key_id}").status_code == 404
    service.key("brief", "pilot", expires="2026-01-01T12:01:00Z")
    assert service.ask("brief", "GET", "/me").status_code == 200
    service.clock.now_us += 61_000_000
    assert service.ask("brief", "GET", "/me").status_code == 401
    listed = service.ask("administrator", "GET", "/keys").json()
    assert {"second", "brief", "pilot"} <= {key["name"] for key in listed}
    assert all("key" not in key and "digest" not in key for key in listed)


def test_the_last_administrator_stays(service):
    mine = service.ask("administrator", "GET", "/me").json()["key_id"]
    assert service.ask("administrator", "DELETE", f"/keys/{mine}").status_code == 409
    service.key("next", "administrator")
    assert service.ask("administrator", "DELETE", f"/keys/{mine}").status_code == 204


@ON_SQLITE
@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "role": "partner"},
        {"name": "x", "role": "pilot", "partner_id": "0" * 32},
        {"name": "x", "role": "king"},
        {"name": "", "role": "pilot"},
        {"name": "x", "role": "pilot", "expires": "2025-01-01T00:00:00Z"},
        {"name": "x", "role": "pilot", "expires": "2027-01-01T00:00:00"},
    ],
)
def test_a_wrong_key_is_not_issued(service, body):
    assert service.ask("administrator", "POST", "/keys", json=body).status_code == 422
    assert service.ask("administrator", "POST", "/partners", json={"name": "bravo"}).status_code == 201
    assert service.ask("administrator", "POST", "/partners", json={"name": "bravo"}).status_code == 409


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": 65536},
        {"max_body_bytes": 0},
        {"host": "0.0.0.0"},
        {"host": "example.org"},
        {"tls_key": "key.pem"},
    ],
)
def test_settings_that_cannot_work(tmp_path, wrong):
    with pytest.raises(SettingsError):
        Settings(tmp_path, **wrong)


def test_loopback_needs_no_tls(tmp_path):
    for host in ("127.0.0.1", "::1", "localhost"):
        assert Settings(tmp_path, host=host).host == host
    assert Settings(tmp_path, host="0.0.0.0", plain_http_beyond_loopback=True)


def test_every_error_has_a_status():
    def below(kind):
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    assert all(400 <= status <= 503 for status, _, _ in STATUS.values())
    assert len({slug for _, slug, _ in STATUS.values()}) == len(STATUS)
    assert status_of(ApiError("x"))[0] == 500
    assert Role.PARTNER == "partner"
    assert all(kind.__doc__ for kind in below(ApiError))


@dataclass
class Notes:
    """Work that writes entries of the audit for what was shown and nothing else, and may fail after that."""

    objects: list[list[str]]
    fails: bool = False

    def __call__(self, connection):
        append_deeds(connection, [Deed(Call(SYSTEM, "r"), 0, "crossing.list", each) for each in self.objects])
        if self.fails:
            raise ConflictError("after its entries")


def at_once(store, works):
    """Do all `works` in one shared commit: they gather while another write is held up. What each gave or raised."""
    held, go_on = threading.Event(), threading.Event()

    def hold(_session):
        held.set()
        assert go_on.wait(20)

    with ThreadPoolExecutor(1 + len(works)) as pool:
        first = pool.submit(store.write_together, hold)
        assert held.wait(20)
        waiting = []
        for number, work in enumerate(works, 1):
            together = store.note_together if isinstance(work, Notes) else store.write_together
            waiting.append(pool.submit(together, work))
            while len(store._together) < number:
                time.sleep(0.0005)
        go_on.set()
        first.result()
        return [future.exception() or future.result() for future in waiting]


def test_writes_that_wait_share_a_commit(store):
    """All are kept, each in its turn; while one commit runs the others gather for the next."""
    commits, done = [], []
    store.listen(lambda: commits.append(list(done)))
    assert at_once(store, [lambda _session, n=n: done.append(n) or n * 10 for n in range(1, 9)]) == [
        n * 10 for n in range(1, 9)
    ]
    assert commits == [[], list(range(1, 9))]
    assert store.write_together(lambda _session: "alone") == "alone"


def number_of_partners(store):
    with store.read() as session:
        return session.scalars(text("SELECT name FROM partner ORDER BY number")).all()


def put(session, number, name):
    session.execute(
        text("INSERT INTO partner (id, number, name, created_us) VALUES (:id, :number, :name, 0)"),
        {"id": f"{number:032x}", "number": number, "name": name},
    )
    append_event(session, number, "partner.created", partner_id=f"{number:032x}")


def test_one_that_fails_undoes_itself_alone(store):
    """Whatever it did before, and whatever the database said of it; the numbers of events have no gap."""

    def good(number):
        return lambda session: put(session, number, f"p{number}")

    def raises(session):
        put(session, 50, "p50")
        raise ConflictError("taken")

    def taken(session):
        put(session, 51, "p51")
        put(session, 52, "p1")

    def wrong(session):
        put(session, 53, "p53")
        session.execute(text("SELECT nothing FROM nowhere"))

    with store.read() as session:
        before = last_seq(session)
    told = at_once(store, [good(1), raises, good(2), taken, good(3), wrong, good(4)])
    assert [type(each).__name__ for each in told[::2]] == ["NoneType"] * 4
    assert isinstance(told[1], ConflictError)
    assert isinstance(told[3], IntegrityError)
    assert isinstance(told[5], (StorageError, ProgrammingError))
    assert number_of_partners(store) == ["p1", "p2", "p3", "p4"]
    with store.read() as session:
        events = [event["partner_id"] for _, _, event in read_log(session, after=before, limit=100)]
        assert events == [f"{number:032x}" for number in (1, 2, 3, 4)]
        assert last_seq(session) == before + 4


def test_what_one_changes_the_next_sees(store):
    """Members have a session each: none works on what another has loaded and a third has changed since."""

    def add(session):
        session.add(PartnerRow(id="a" * 32, number=1, name="first", created_us=0, ended_us=None))

    def rename(session):
        session.execute(text("UPDATE partner SET name = 'second'"))

    def look(session):
        return session.get(PartnerRow, "a" * 32).name

    assert at_once(store, [add, look, rename, look]) == [None, "first", None, "second"]


def test_notes_share_the_commit_of_writes_and_their_chain_has_no_gap(store):
    """One entry or many in one statement, with what was shown, or undone alone."""
    before = verify_audit(store).seq
    notes = [Notes([["a"]]), Notes([["b"], ["c"]], fails=True), Notes([[str(n), '"é'] for n in range(70)]), Notes([[]])]
    told = at_once(store, [notes[0], lambda session: put(session, 1, "p1"), *notes[1:]])
    assert [type(each).__name__ for each in told] == ["NoneType", "NoneType", "ConflictError", "NoneType", "NoneType"]
    store.note_together(Notes([["d"], ["e"], ["f"]]))
    assert number_of_partners(store) == ["p1"]
    with store.read() as session:
        entries = read_audit(session, after=before, limit=1000)
    assert [entry.body["objects"] for entry in entries] == [["a"], *notes[2].objects, [], ["d"], ["e"], ["f"]]
    assert verify_audit(store).seq == before + len(entries)


def test_of_notes_alone_in_one_commit_one_that_fails_undoes_itself_alone(store):
    before = verify_audit(store).seq
    told = at_once(store, [Notes([["a"]]), Notes([["b"], ["c"]], fails=True), Notes([["d"]])])
    assert [type(each).__name__ for each in told] == ["NoneType", "ConflictError", "NoneType"]
    with store.read() as session:
        assert [entry.body["objects"] for entry in read_audit(session, after=before, limit=9)] == [["a"], ["d"]]
    assert verify_audit(store).seq == before + 2


@ON_SQLITE
def test_where_the_file_breaks_off_the_whole_each_note_hears_of_it(store):
    before = verify_audit(store).seq

    @dataclass
    class Broken(Notes):
        def __call__(self, connection):
            super().__call__(connection)
            connection.exec_driver_sql("ROLLBACK")
            raise StorageError("full")

    told = at_once(store, [Notes([["a"]]), Broken([["b"]]), Notes([["c"]])])
    assert all(isinstance(each, StorageError) for each in told), told
    assert verify_audit(store).seq == before
    store.note_together(Notes([["d"]]))
    assert verify_audit(store).seq == before + 1


def test_a_note_that_fails_alone_leaves_nothing_and_the_next_is_kept(tmp_path):
    """Whether it raises itself, the file is locked, or the store is closed under it."""
    store = Store(tmp_path, busy_timeout_s=0.05)
    store.note_together(Notes([["a"]]))
    before = verify_audit(store).seq
    with pytest.raises(ConflictError):
        store.note_together(Notes([["b"]], fails=True))
    other = sqlite3.connect(tmp_path / "vedette.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="cannot serve: database is locked"):
        store.note_together(Notes([["c"]]))
    other.close()
    store.note_together(Notes([["d"]]))
    assert verify_audit(store).seq == before + 1
    store.close()
    with pytest.raises(StorageError, match="closed"):
        store.note_together(Notes([["e"]]))


def test_a_note_calls_nobody_who_waits_for_changes(store):
    called = []
    store.listen(lambda: called.append(True))
    store.note_together(Notes([["a"]]))
    assert not called
    store.write_together(lambda session: put(session, 1, "p1"))
    assert len(called) == 1
    store.put_together(Notes([["b"]]))
    assert len(called) == 2


@pytest.mark.parametrize("place", [0, 1, 2])
def test_where_the_database_breaks_off_the_whole_each_hears_of_it(store, place):
    """As SQLite does where the disk is full, and PostgreSQL where the connection is lost; nobody's work is kept."""

    def broken(session):
        session.connection().connection.driver_connection.rollback()
        raise StorageError("full")

    works = [lambda session, n=n: put(session, n, f"p{n}") for n in (1, 2)]
    told = at_once(store, [*works[:place], broken, *works[place:]])
    assert all(isinstance(each, StorageError) for each in told), told
    assert number_of_partners(store) == []
    assert store.write_together(lambda session: put(session, 3, "p3")) is None
    assert number_of_partners(store) == ["p3"]


def test_many_writers_at_once_lose_nothing(store):
    def one(number):
        def work(session):
            append_event(session, number, "partner.created", detail=number)
            if number % 7 == 0:
                raise ConflictError(str(number))
            return number

        try:
            return store.write_together(work)
        except ConflictError:
            return None

    with store.read() as session:
        before = last_seq(session)
    with ThreadPoolExecutor(16) as pool:
        told = list(pool.map(one, range(200)))
    assert told == [number if number % 7 else None for number in range(200)]
    with store.read() as session:
        log = read_log(session, after=before, limit=1000)
    assert [seq for seq, _, _ in log] == list(range(before + 1, before + 1 + len(log)))
    assert sorted(event["detail"]["detail"] for _, _, event in log) == [n for n in range(200) if n % 7]
    assert not store._together._led


def test_a_shared_commit_that_fails_is_told_to_each(store):
    def fails(_session):
        raise StorageError("full")

    for _ in range(2):
        with pytest.raises(StorageError, match="full"):
            store.write_together(fails)
    seen = []
    store.write_together(lambda session: seen.append(session.execute(text("SELECT 1")).scalar_one()))
    assert seen == [1]
