"""A store in a folder is served by one process at a time, however the one before ended."""

import errno
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from api import Settings, StorageError, Store, migrate_store, running
from api.identity.keys import list_keys
from api.pages import Window
from api.store.alone import alone
from tests.programs import Program

ROOT = Path(__file__).parents[2]
SERVE = [sys.executable, "-m", "vedette", "serve", "--port", "0", "--store"]


def begun(folder):
    return Program([*SERVE, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until_it_serves(process):
    """What it said up to then; of one that ended, all."""
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("serving "):
            break
    return "".join(said)


def test_of_two_that_begin_at_once_one_serves_and_the_other_says_why_not(tmp_path):
    folder = tmp_path / "store"
    with begun(folder) as one, begun(folder) as other:
        said = [until_it_serves(one), until_it_serves(other)]
        assert sorted("serving " in each for each in said) == [False, True]
        serves, refused = (one, other) if "serving " in said[0] else (other, one)
        assert refused.wait(60) == 1
        told = refused.stderr.read()
        assert re.search(rf"store \S+ is in use by the service on 127.0.0.1 port \d+, process {serves.pid}: stop", told)
        assert "PostgreSQL" in told
        store = Store(folder)  # who looks on beside it is not refused
        with store.read() as session:
            assert len(list_keys(session, Window(limit=10)).items) == 1
        store.close()
        with pytest.raises(StorageError, match="in use"):
            migrate_store(folder)
        serves.send_signal(signal.SIGKILL)
        assert serves.wait(60) == -signal.SIGKILL
    with running(Settings(folder, port=0)) as service:  # nothing is left behind of one that was killed
        assert service.admin is None
    migrate_store(folder)


def test_a_service_that_ended_lets_the_next_begin(tmp_path):
    for _ in range(2):
        second = running(Settings(tmp_path, port=0))
        with running(Settings(tmp_path, port=0)), pytest.raises(StorageError, match="in use"), second:
            pass


def test_services_share_a_postgresql(tmp_path, postgres):
    database = postgres.create()
    try:
        settings = Settings(tmp_path, port=0, database=postgres.url(database))
        with running(settings) as one, running(settings) as other:
            assert one.url != other.url
            assert other.admin is None
    finally:
        postgres.drop(database)


def test_a_folder_that_takes_no_file_is_said(tmp_path):
    (tmp_path / "serving.lock").mkdir()
    why = r"serving\.lock cannot be made: .*choose another folder"
    with pytest.raises(StorageError, match=why), running(Settings(tmp_path, port=0)):
        pass


def test_a_full_disk_is_said_and_nothing_is_held(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StorageError, match="No space left on device; choose"), alone(tmp_path, "one"):
        pass
    monkeypatch.setattr(os, "pwrite", real)
    with alone(tmp_path, "another"):
        pass


def test_a_link_in_the_place_of_the_file_leads_nowhere(tmp_path):
    other = tmp_path / "other"
    other.write_text("of somebody else")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "serving.lock").symlink_to(other)
    with pytest.raises(StorageError, match="cannot be made"), alone(tmp_path / "store", "one"):
        pass
    assert other.read_text() == "of somebody else"


def test_what_root_makes_in_a_folder_of_another_is_that_ones(tmp_path, monkeypatch):
    """Else the service could not begin after `sudo vedette migrate`."""
    owner = 65534 if os.geteuid() == 0 else os.getuid()  # who is not root can give to nobody else
    os.chown(tmp_path, owner, -1)
    given = []
    real = os.fchown
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda file, user, group: (given.append(user), real(file, user, group)))
    with alone(tmp_path, "one"):
        assert (tmp_path / "serving.lock").stat().st_uid == owner
    assert given == [owner]
