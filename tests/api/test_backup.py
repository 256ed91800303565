"""A store in one file, and a store from it: whole, or not at all."""

import hashlib
import io
import json
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, inspect
from typer.testing import CliRunner

from api import (
    AuditTamperedError,
    ConflictError,
    StorageError,
    Store,
    backup,
    create_admin,
    create_app,
    restore,
    verify_audit,
)
from api.account.databases import PostgresDatabase, open_database
from api.identity.roles import SYSTEM, Call
from api.settings import Settings
from api.trail.audit import append_audit
from cli.commands import app
from tests.api.conftest import InProcess, Service
from tests.api.raw import is_postgres, place_of
from tests.api.test_audit import tamper
from tests.programs import Program

ROOT = Path(__file__).parents[2]


@pytest.fixture
def full(service, crossing, clip):
    """A store with three crossings, two of them with the same clip."""
    for name in ("a", "b"):
        service.deliver(crossing(name), clip=clip)
    service.deliver(crossing("c", evidence=None))
    return service


def rows(place):
    """Every row of every table, in some order that both have."""
    engine = create_engine(f"sqlite:///{place / 'vedette.sqlite'}" if isinstance(place, Path) else place)
    with engine.connect() as connection:
        names = sorted(set(inspect(connection).get_table_names()) - {"spatial_ref_sys"})
        found = {name: sorted(map(repr, connection.exec_driver_sql(f"SELECT * FROM {name}").all())) for name in names}
    engine.dispose()
    return found


def written(place):
    """As `rows`, without what a restore itself writes down, and the one-time secrets that it ends."""
    found = rows(place)
    found["account"] = [re.sub("'[0-9a-f]{64}'", "None", row) for row in found["account"]]
    own = [row for row in found["audit"] if '"store.restore"' in row]
    assert len(own) <= 1
    return found | {"audit": [row for row in found["audit"] if row not in own], "audit_head": None}


def save(service, file, **more):
    """Back a store up, wherever its database is."""
    return backup(place_of(service.store), file, directory=service.store.directory, **more)


def back(service, databases, file, folder):
    """Restore into a new store of the same kind; what it says, and where the database is."""
    where = databases.new() if is_postgres(service.store) else folder
    return restore(file, where, ledger=None, directory=folder), where


def test_a_backup_of_one_kind_of_database_is_refused_by_the_other_which_stays_empty(tmp_path, postgres):
    name, objects = postgres.create(), tmp_path / "objects of it"
    url, other = postgres.url(name), postgres.url(postgres.create())
    Store(tmp_path / "folder").close()
    Store(objects, database=url).close()
    backup(tmp_path / "folder", tmp_path / "folder.tar")
    backup(url, tmp_path / "database.tar", directory=objects)
    into = tmp_path / "new"
    with pytest.raises(StorageError, match=r"of a sqlite store, which postgresql cannot take: .* a new folder"):
        restore(tmp_path / "folder.tar", other, ledger=None, directory=into)
    with pytest.raises(StorageError, match=r"of a postgresql store, which sqlite cannot take: .*empty PostgreSQL"):
        restore(tmp_path / "database.tar", into, ledger=None)
    assert left_beside(tmp_path) == ["database.tar", "folder", "folder.tar", "objects of it"]
    restore(tmp_path / "database.tar", other, ledger=None, directory=into)  # there is nothing in it
    for each in (url, other):
        postgres.drop(each.rpartition("/")[2].partition("?")[0])


def left_beside(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_restored_is_what_was_there(full, databases, tmp_path, crossing, clip, clock):
    file = tmp_path / "backups" / "monday.tar"
    done = save(full, file)
    assert (done.objects, done.object_bytes) == (1, len(clip))  # the clip once
    assert done.audit == verify_audit(full.store)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert left_beside(file.parent) == ["monday.tar"]
    again, where = back(full, databases, file, tmp_path / "new")
    assert (again.objects, again.object_bytes, again.again.counts) == (1, len(clip), {})
    assert written(where) == written(place_of(full.store))
    assert "restoring" not in " ".join(left_beside(tmp_path))
    store = Store(tmp_path / "new", clock=clock, database=None if isinstance(where, Path) else where)
    with_http = Service(store, clock, create_app(Settings(store.directory), store), None, full.keys)
    with httpx.Client(transport=InProcess(with_http.app), base_url="http://vedette.test") as with_http.http:
        assert with_http.seen_by("analyst") == full.seen_by("analyst")
        crossing_id = with_http.deliver(crossing("new"), clip=clip)
        assert with_http.ask("analyst", "GET", f"/crossings/{crossing_id}/evidence/clip").content == clip
    store.close()


def test_a_store_in_use_is_copied_at_one_moment(full, databases, tmp_path):
    stop, wrote = threading.Event(), []

    def go_on_writing():
        while not stop.is_set():
            with full.store.write() as session:
                append_audit(session, Call(SYSTEM, "test"), 1, "crossing.read", [])
            wrote.append(1)

    writer = threading.Thread(target=go_on_writing)
    writer.start()
    try:
        done = []
        for number in range(3):
            before = len(wrote)
            done.append(save(full, tmp_path / f"{number}.tar").audit.seq)
            assert len(wrote) > before  # the writer did not wait for the copy
    finally:
        stop.set()
        writer.join()
    assert done == sorted(set(done))
    for number, seq in enumerate(done):
        found, _ = back(full, databases, tmp_path / f"{number}.tar", tmp_path / f"new{number}")
        # The chain of PostgreSQL is looked at just before its copy is begun: the copy may hold more.
        assert found.audit.seq > seq if is_postgres(full.store) else found.audit.seq == seq + 1  # its own entry


def test_nothing_is_written_over(full, databases, tmp_path):
    save(full, tmp_path / "a.tar")
    with pytest.raises(ConflictError, match="exists"):
        save(full, tmp_path / "a.tar")
    if is_postgres(full.store):
        with pytest.raises(ConflictError, match="holds tables"):
            restore(tmp_path / "a.tar", place_of(full.store), ledger=None, directory=tmp_path / "new")
        assert not (tmp_path / "new").exists()
    with pytest.raises(ConflictError, match="not empty"):
        restore(tmp_path / "a.tar", full.store.directory, ledger=None)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "note").write_text("mine")
    with pytest.raises(ConflictError, match="not empty"):
        restore(tmp_path / "a.tar", tmp_path / "other", ledger=None)
    (tmp_path / "empty").mkdir()
    back(full, databases, tmp_path / "a.tar", tmp_path / "empty")


def test_what_cannot_be_backed_up(full, tmp_path):
    def refused(match, kind=StorageError, **more):
        with pytest.raises(kind, match=match):
            save(full, tmp_path / "x.tar", **more)
        assert not [name for name in left_beside(tmp_path) if "x.tar" in name]

    with pytest.raises(StorageError, match="is no store"):
        backup(tmp_path / "nowhere", tmp_path / "x.tar")
    with pytest.raises(StorageError, match="mysql"):
        backup("mysql://me:secret@host/db", tmp_path / "x.tar", directory=tmp_path)
    (path,) = (item for item in full.store.objects.folder.rglob("*") if item.is_file())
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    refused("is not what it was")
    path.unlink()
    refused("is gone")
    path.write_bytes(content)
    tamper(full.store, "UPDATE audit SET body = body || ' ' WHERE seq = 3")
    refused("audit entry 3", AuditTamperedError)


def test_an_object_that_is_erased_meanwhile_makes_it_begin_again(full, databases, tmp_path, monkeypatch):
    from api.store.objects import ObjectFolder

    real, calls = ObjectFolder.local, []

    def erased_first(self, sha256):
        if not calls:  # between the copy of the database and that of its objects
            calls.append(sha256)
            tamper(full.store, "DELETE FROM evidence")
            self.remove(sha256)
        return real(self, sha256)

    monkeypatch.setattr(ObjectFolder, "local", erased_first)
    assert save(full, tmp_path / "x.tar").objects == 0
    assert back(full, databases, tmp_path / "x.tar", tmp_path / "new")[0].objects == 0


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The bytes of a backup with one object."""
    folder = tmp_path_factory.mktemp("small")
    store = Store(folder / "store")
    create_admin(store)
    content = b"an object"
    sha256 = hashlib.sha256(content).hexdigest()
    store.close()
    connection = sqlite3.connect(folder / "store" / "vedette.sqlite")
    with connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        names = [row[1] for row in connection.execute("PRAGMA table_info(evidence)")]
        values = {"sha256": sha256, "size": len(content), "revision": 1, "received_us": 1}
        connection.execute(
            f"INSERT INTO evidence VALUES ({','.join('?' * len(names))})",
            [values.get(name, "a" * 32) for name in names],
        )
    connection.close()
    path = folder / "store" / "objects" / sha256[:2] / sha256
    path.parent.mkdir()
    path.write_bytes(content)
    backup(folder / "store", folder / "whole.tar")
    return folder, (folder / "whole.tar").read_bytes()


def attempt(folder, content):
    (folder / "changed.tar").write_bytes(content)
    try:
        return restore(folder / "changed.tar", folder / "new", ledger=None)
    finally:
        assert not (folder / "new").exists() or written(folder / "new") == written(folder / "store")
        shutil.rmtree(folder / "new", ignore_errors=True)
        assert not [name for name in left_beside(folder) if "restoring" in name]


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 7))
def test_any_byte_that_changes_is_found_or_means_nothing(small, place, bit):
    """Headers of a tar hold a few bytes that say nothing of the content; what is restored is whole or is not there."""
    folder, content = small
    changed = bytearray(content)
    changed[int(place * len(content))] ^= 1 << bit
    with suppress(StorageError, AuditTamperedError):
        attempt(folder, bytes(changed))


@given(st.floats(0, 1, exclude_max=True))
def test_a_file_that_was_cut_is_refused(small, place):
    folder, content = small
    end = max(i for i in range(0, len(content), 512) if any(content[i : i + 512])) + 1  # after it are zeroes
    with pytest.raises(StorageError):
        attempt(folder, content[: int(place * end)])


def repacked(content, change):
    """The backup with its members as `change` leaves them: a list of (TarInfo, bytes)."""
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        members = [(member, tar.extractfile(member).read()) for member in tar]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for member, data in change(members):
            member.size = len(data) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(data) if member.isreg() else None)
    return out.getvalue()


def planted(name, kind=tarfile.REGTYPE, link="/etc/passwd"):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link if kind != tarfile.REGTYPE else ""
    return member, b"planted"


@pytest.mark.parametrize(
    "change",
    [
        lambda found: [*found, planted("../../planted")],
        lambda found: [*found, planted("/tmp/planted")],
        lambda found: [found[0], planted("database", tarfile.SYMTYPE), *found[1:]],
        lambda found: [*found[:-1], planted(found[-1][0].name, tarfile.LNKTYPE)],
        lambda found: [*found, found[-1]],
        lambda found: found[:-1],
        lambda found: found[1:],
        lambda found: [*found[:-1], (found[-1][0], b"another!!")],
        lambda found: [(found[0][0], found[0][1].replace(b"vedette.backup/1", b"vedette.backup/9")), *found[1:]],
        lambda found: [(found[0][0], b"[" * 100_000), *found[1:]],
        lambda _found: [],
    ],
)
def test_a_file_that_somebody_made_is_refused(small, change):
    folder, content = small
    with pytest.raises(StorageError):
        attempt(folder, repacked(content, change))
    assert not Path("/tmp/planted").exists()


def test_a_chain_that_was_cut_in_the_file_is_found(small, tmp_path):
    """Whoever repacks the database with its hash still has the head of the manifest against them, or the chain."""
    folder, content = small

    def cut(members):
        (first, manifest), (second, data), *rest = members
        (tmp_path / "db").write_bytes(data)
        connection = sqlite3.connect(tmp_path / "db")
        with connection:
            connection.execute("DROP TRIGGER audit_no_delete")
            connection.execute("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)")
        connection.close()
        data = (tmp_path / "db").read_bytes()
        said = json.loads(manifest)
        said["database"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        return [(first, json.dumps(said).encode()), (second, data), *rest]

    with pytest.raises(AuditTamperedError, match="tail was cut"):
        attempt(folder, repacked(content, cut))


SLOW = """
import sys, time
from pathlib import Path
import api, api.account.backup as under
real = under._copy
def slow(content, out):
    print("begun", flush=True)
    time.sleep(0.2)
    return real(content, out)
under._copy = slow
api.restore(Path(sys.argv[1]), Path(sys.argv[2]), ledger=None)
"""


def test_a_killed_restore_leaves_no_store(small, tmp_path):
    folder, _ = small
    command = [sys.executable, "-c", SLOW, str(folder / "whole.tar"), str(tmp_path / "new")]
    with Program(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"begun\n"
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "new").exists()
    restore(folder / "whole.tar", tmp_path / "new", ledger=None)
    assert written(tmp_path / "new") == written(folder / "store")


def test_commands(full, databases, tmp_path):
    def run(*arguments):
        outcome = CliRunner().invoke(app, list(map(str, arguments)))
        return outcome.exit_code, " ".join(outcome.output.split())

    def where(folder, url):
        return ["--store", folder, *([] if url is None else ["--database", url])]

    file = tmp_path / "b.tar"
    code, said = run(
        "backup", *where(full.store.directory, place_of(full.store) if is_postgres(full.store) else None), file
    )
    assert (code, "1 objects" in said) == (0, True), said
    new = where(tmp_path / "new", databases.new())
    code, said = run("restore", file, "--without-ledger", *new)
    assert (code, "audit whole to entry" in said) == (0, True), said
    assert run("restore", file, "--without-ledger", *new)[0] == 1


def test_postgresql_is_called_without_its_password_in_sight(tmp_path, monkeypatch):
    """The programs themselves are tried where a server is; here, how they are called."""
    said = tmp_path / "said"
    for name in ("pg_dump", "pg_restore"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho "$0 $@ PW=$PGPASSWORD" >> {said}\necho "no such server" >&2\nexit 1\n')
        program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    database = open_database("postgresql+psycopg://me:s3cr3t@host:5432/vedette")
    assert isinstance(database, PostgresDatabase)
    with pytest.raises(StorageError, match="no such server") as error:
        database.dump(tmp_path / "out")
    assert "s3cr3t" not in str(error.value)
    (line,) = said.read_text().splitlines()
    assert line.endswith("postgresql://me@host:5432/vedette PW=s3cr3t")
    assert "s3cr3t" not in line.removesuffix("PW=s3cr3t")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(StorageError, match="pg_dump is not installed"):
        database.dump(tmp_path / "out")
