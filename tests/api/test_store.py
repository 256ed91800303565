"""The store, its settings and its keys."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from api import ConflictError, Role, Settings, SettingsError, StorageError, Store, create_admin
from api.errors import STATUS, ApiError, status_of


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
        "csrf": None,
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


def test_appends_that_wait_share_a_commit(store):
    """All are kept, each in its turn; while one commit runs the others gather for the next."""
    commits, done = [], []
    real = store._transaction

    @contextmanager
    def counted():
        commits.append(len(done))
        if len(commits) == 1:
            gathered.wait(20)
        with real() as session:
            yield session

    def append(number):
        store.write_together(lambda _session: done.append(number))

    gathered = threading.Event()
    store._transaction = counted
    with ThreadPoolExecutor(9) as pool:
        waiting = [pool.submit(append, 0)]
        while not commits:
            time.sleep(0.001)
        waiting += [pool.submit(append, number) for number in range(1, 9)]
        while len(store._queue) < 8:
            time.sleep(0.001)
        gathered.set()
        for future in waiting:
            future.result()
    assert sorted(done) == list(range(9))
    assert commits == [0, 1]


def test_a_shared_commit_that_fails_is_told_to_each(store):
    def fails(_session):
        raise StorageError("full")

    for _ in range(2):
        with pytest.raises(StorageError, match="full"):
            store.write_together(fails)
    seen = []
    store.write_together(lambda session: seen.append(session.execute(text("SELECT 1")).scalar_one()))
    assert seen == [1]
