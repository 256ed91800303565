"""How a store comes to the schema that the program needs, on either database."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, select, text
from sqlalchemy.exc import DatabaseError, IntegrityError

import api.app  # noqa: F401 - every table is known to Base once all rooms are loaded
from api import StorageError, Store, migrate_store, verify_audit
from api.feeds.tables import DeliveryRow, WebhookRow
from api.feeds.webhooks import signing_secrets
from api.identity.keys import list_keys
from api.pages import Window
from api.store import schema
from api.store.tables import Base
from tests.api.raw import raw

OLD = Path(__file__).parent / "data" / "store_v2.sql"
"""A store that a program of before there were migrations made: crossings, a cue, reviews, releases, a recall."""


@pytest.fixture
def old(tmp_path):
    connection = sqlite3.connect(tmp_path / "vedette.sqlite")
    connection.executescript(OLD.read_text())
    connection.close()
    return tmp_path


def of_ours(name, kind, _parents):
    """Whether a table in the database is one that `Base` has to know: not Alembic's, PostGIS's, or of the index."""
    return kind != "table" or not name.startswith(OTHERS)


OTHERS = ("alembic_version", "spatial_ref_sys", "readable_box")


def test_the_steps_lead_to_the_tables_that_the_program_has(tmp_path, databases):
    """When this fails, what it prints belongs into a new step."""
    store = Store(tmp_path, database=databases.new())
    with raw(store) as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_name": of_ours}
        context = MigrationContext.configure(connection, opts=options)
        missing = render_python_code(produce_migrations(context, Base.metadata).upgrade_ops)
    store.close()
    assert [line for line in missing.splitlines() if not line.lstrip().startswith("#")] == ["    pass"], missing


def test_the_steps_are_one_line():
    steps = ScriptDirectory(str(schema._STEPS))
    numbers = [step.revision for step in steps.walk_revisions()]
    assert numbers == [f"{number:04}" for number in range(len(numbers), 0, -1)]
    assert numbers[0] == schema.HEAD
    assert all(step.doc for step in steps.walk_revisions())


@pytest.mark.parametrize("found", ["9999", "a1b2c3d4e5f6"])
def test_a_store_of_a_later_program_is_left_alone(tmp_path, databases, found):
    url = databases.new()
    store = Store(tmp_path, database=url)
    with raw(store) as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{found}'"))
    store.close()
    with pytest.raises(StorageError, match=rf"schema {found}.*the program that made it"):
        Store(tmp_path, database=url)
    with pytest.raises(StorageError, match=f"schema {found}"):
        migrate_store(tmp_path, database=url)


def test_an_older_store_is_migrated_when_that_is_asked_for(tmp_path, databases, monkeypatch):
    url = databases.new()
    monkeypatch.setattr(schema, "HEAD", "0001")
    Store(tmp_path, database=url).close()
    monkeypatch.undo()
    if schema.HEAD != "0001":
        with pytest.raises(StorageError, match=r"schema 0001.*keep a copy.*vedette migrate"):
            Store(tmp_path, database=url)
    assert migrate_store(tmp_path, database=url) == ("0001", schema.HEAD)
    assert migrate_store(tmp_path, database=url) == (schema.HEAD, schema.HEAD)
    Store(tmp_path, database=url).close()


def test_a_step_that_fails_leaves_all_as_it_was(tmp_path, databases, monkeypatch):
    url = databases.new()
    with monkeypatch.context() as patched:
        patched.setattr("api.store.migrations.append_only.op.execute", failing)
        with pytest.raises(ZeroDivisionError):
            Store(tmp_path, database=url)
    store = Store(tmp_path, database=url)  # finds nothing in its way
    with store.read() as session:
        assert session.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [schema.HEAD]
    store.close()


def failing(_statement):
    raise ZeroDivisionError


def test_programs_that_start_together_make_one_schema(tmp_path, databases):
    url = databases.new()
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: Store(tmp_path, database=url, busy_timeout_s=60), range(4)))
    for store in stores:
        store.check()
        store.close()


def test_a_new_file_that_another_program_writes_is_waited_for_and_no_longer_than_is_said(tmp_path):
    other = sqlite3.connect(tmp_path / "vedette.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")  # the file has no write-ahead log yet
    with pytest.raises(StorageError, match="database is locked"):
        Store(tmp_path, busy_timeout_s=0.05)
    end = threading.Timer(0.3, other.execute, ["COMMIT"])
    end.start()
    Store(tmp_path, busy_timeout_s=60).close()
    end.join()
    other.close()


def test_a_store_from_before_there_were_steps_is_refused_and_then_migrated(old):
    with pytest.raises(StorageError, match=r"schema 2.*keep a copy.*vedette migrate"):
        Store(old)
    before = verify_old(old)
    assert migrate_store(old) == ("2", schema.HEAD)
    store = Store(old)
    head = verify_audit(store)
    assert (head.seq, head.hash) == before
    with store.read() as session:
        assert session.execute(text("SELECT count(*) FROM event")).scalar_one() >= 26
        assert session.execute(text("SELECT count(*) FROM release WHERE recalled_us IS NULL")).scalar_one() == 1
        assert session.execute(text("PRAGMA foreign_key_check")).all() == []
    store.close()
    connection = sqlite3.connect(old / "vedette.sqlite")
    assert connection.execute("PRAGMA user_version").fetchone() == (3,)  # what an older program looks at, and refuses
    connection.close()


def test_keys_from_before_they_were_bound_go_on_delivering_for_all(old):
    migrate_store(old)
    store = Store(old)
    with store.read() as session:
        bound = {(key["role"], tuple(key["sources"] or ())) for key in list_keys(session, Window(100)).items}
    store.close()
    assert ("pilot", ("*",)) in bound
    assert {sources for role, sources in bound if role not in {"pilot", "sensor"}} == {()}


def test_secrets_of_webhooks_of_before_count_on_until_their_time_is_over(tmp_path, databases, monkeypatch):
    url = databases.new()
    monkeypatch.setattr(schema, "HEAD", "0019")
    store = Store(tmp_path, database=url)
    with raw(store) as connection:
        for name, old, until_us in (("renewed", "old", 10), ("as made", None, None)):
            values = {"id": name, "old": old, "until": until_us}
            connection.execute(
                text(
                    "INSERT INTO webhook (id, audience, key_id, role, url, secret, old_secret, old_until_us, "
                    "created_us, after_n, failures, next_us, reoffer_us) "
                    "VALUES (:id, 'a', 'k', 'partner', 'https://there', 'new', :old, :until, 0, 0, 0, 0, 0)"
                ),
                values,
            )
            connection.execute(
                text(
                    "INSERT INTO webhook_delivery (id, webhook_id, n, kind, attempt, time_us, duration_us, outcome) "
                    "VALUES (:id, :id, 1, 'k', 1, 0, 0, 'taken')"
                ),
                values,
            )
    store.close()
    monkeypatch.undo()
    migrate_store(tmp_path, database=url)
    store = Store(tmp_path, database=url)
    with store.write() as session:
        rows = [session.get_one(WebhookRow, name) for name in ("renewed", "as made")]
        signed = [[signing_secrets(row, now_us) for now_us in (9, 10)] for row in rows]
        assert len(session.scalars(select(DeliveryRow)).all()) == 2
    store.close()
    assert signed == [[["new", "old"], ["new"]], [["new"], ["new"]]]


def test_logs_and_queue_that_are_laid_anew_say_what_they_said_and_refuse_what_they_refused(
    tmp_path, databases, monkeypatch
):
    url, tables = databases.new(), ("event", "audit", "review_queue")
    monkeypatch.setattr(schema, "HEAD", "0020")
    store = Store(tmp_path, database=url)
    with raw(store) as connection:
        for row in OF_A_RECORD:
            connection.execute(text(row))
        for seq in range(1, 4):
            event = "(:seq, 'inside', :seq, :seq, 'record.created', 'crossing', 'r1', NULL, '{}')"
            connection.execute(text(f"INSERT INTO event VALUES {event}"), {"seq": seq})
            connection.execute(text("INSERT INTO audit VALUES (:seq, '{}', :hash)"), {"seq": seq, "hash": "0" * 64})
    before = everything(store, tables)
    store.close()
    monkeypatch.undo()
    migrate_store(tmp_path, database=url)
    store = Store(tmp_path, database=url)
    assert everything(store, tables) == before
    for change in ("UPDATE {} SET seq = 9 WHERE seq = 1", "DELETE FROM {}"):
        for table in ("event", "audit"):
            with pytest.raises(DatabaseError, match="append-only"), raw(store) as connection:
                connection.execute(text(change.format(table)))
    with pytest.raises(IntegrityError), raw(store) as connection:  # a number is given once
        connection.execute(text("INSERT INTO event VALUES (9, 'inside', 3, 9, 'k', NULL, NULL, NULL, '{}')"))
    with pytest.raises(IntegrityError), raw(store) as connection:
        connection.execute(text("INSERT INTO review_queue VALUES ('r1', 'alert', 1, 5)"))
    store.close()


OF_A_RECORD = (
    """
    INSERT INTO record (id, type, source, source_id, revision, update_us, time_us, received_us, expires_us, owner,
        purpose, sensitivity, digest, document, review_state, review_version)
    VALUES ('r1', 'crossing', 's', '1', 1, 1, 5, 1, 9, 'o', 'p', 'amber', 'd', '{}', 'pending', 0)
    """,
    """
    INSERT INTO readable (audience, record_id, type, revision, time_us, review, visible_us, until_us, media, etag,
        feature)
    VALUES (0, 'r1', 'crossing', 1, 5, 'pending', 0, 9, 'original', 'e', '{}')
    """,
    "INSERT INTO review_queue VALUES ('r1', 'alert', 1, 5)",
)


def everything(store, tables):
    with raw(store) as connection:
        return {
            table: [dict(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1")).mappings()]
            for table in tables
        }


def verify_old(folder):
    connection = sqlite3.connect(folder / "vedette.sqlite")
    head = connection.execute("SELECT seq, hash FROM audit_head").fetchone()
    connection.close()
    return head


def test_where_there_is_no_store_none_is_made(tmp_path):
    with pytest.raises(StorageError, match="holds no store"):
        migrate_store(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_store_from_before_there_were_cues_is_migrated(old):
    connection = sqlite3.connect(old / "vedette.sqlite")
    connection.executescript("DROP TABLE cue; PRAGMA user_version = 1")
    connection.close()
    assert migrate_store(old) == ("1", schema.HEAD)
    Store(old).close()


def test_both_databases_have_the_same_tables(tmp_path, postgres):
    """Columns and their types, as both tell them; what a database adds for itself apart."""
    name = postgres.create()
    told = []
    for url in (None, postgres.url(name)):
        store = Store(tmp_path, database=url)
        metadata = MetaData()
        with raw(store) as connection:
            metadata.reflect(connection, only=lambda table, _: table in Base.metadata.tables)
        store.close()
        told.append(
            {
                (table.name, column.name): (column.nullable, column.primary_key)
                for table in metadata.tables.values()
                for column in table.columns
            }
        )
    postgres.drop(name)
    assert told[0].keys() == told[1].keys()
    assert told[0] == told[1]


def test_the_first_step_is_the_schema_that_was(tmp_path, old, monkeypatch):
    """Of a new store after 0001 and of one that a program of that time made: the same tables, columns and indexes."""
    monkeypatch.setattr(schema, "HEAD", "0001")
    Store(tmp_path / "new").close()
    told = []
    for file in (tmp_path / "new" / "vedette.sqlite", old / "vedette.sqlite"):
        connection = sqlite3.connect(file)
        named = (
            "SELECT type, name, tbl_name FROM sqlite_master WHERE name != 'alembic_version' AND name NOT LIKE 'sqlite%'"
        )
        things = set(connection.execute(named))
        columns = {
            (table, *column[1:])
            for _, _, table in things
            for column in connection.execute(f"PRAGMA table_info({table})").fetchall()
        }
        partial = set(
            connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '%WHERE%'")
        )
        connection.close()
        told.append((things, columns, partial))
    assert told[0] == told[1]
