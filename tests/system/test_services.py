"""Servers that tests start end with the process that started them, however it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import services

ROOT = Path(__file__).parents[2]
HOLDS = """
import sys, time
from tests.services import postgres_cluster
with postgres_cluster() as server:
    print(server.folder, flush=True)
    time.sleep(600)
"""


def ends(pid: int) -> bool:
    for _ in range(500):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_a_cluster_ends_with_the_process_that_started_it_however_that_one_ends():
    if services.postgres_absent() is not None:
        services.absent(services.postgres_absent())
    holder = subprocess.Popen([sys.executable, "-c", HOLDS], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    folder = Path(holder.stdout.readline().strip())
    pid = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, 0)
    services.remove_left()
    assert folder.exists()  # its process lives
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    gone = ends(pid)
    services.remove_left()
    assert gone
    assert not folder.parent.exists()


def test_a_cluster_that_memory_has_no_room_for_lies_on_the_disk():
    with services.postgres_cluster(room_bytes=1 << 60) as server:
        assert not server.folder.is_relative_to("/dev/shm")
        server.execute("SELECT 7", "template1")
    assert not server.folder.exists()


def test_a_database_is_a_copy_with_places_in_it(postgres):
    import psycopg

    postgres.execute("CREATE DATABASE original")
    postgres.execute("CREATE TABLE kept (n int)", "original")
    names = [postgres.create("original") for _ in range(2)]
    assert len(set(names)) == 2
    for name in names:
        url = postgres.url(name).replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
            assert connection.execute("SELECT ST_X('SRID=4326;POINT(7 50)'::geometry)").fetchone() == (7.0,)
        connection.close()
        postgres.drop(name)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url)


def test_a_cluster_that_crashed_keeps_what_was_committed():
    with services.postgres_cluster() as server:
        server.execute("CREATE TABLE kept (n int)")
        server.execute("CHECKPOINT")
        server.kill()
        server.start()
        server.execute("INSERT INTO kept VALUES (1)")


def test_what_is_absent_is_said(monkeypatch, tmp_path):
    monkeypatch.delenv("VEDETTE_REQUIRE_ALL", raising=False)
    monkeypatch.setattr(services, "_PROGRAMS", tmp_path)
    with (
        pytest.raises(pytest.skip.Exception, match=r"PostgreSQL 15 is absent: \.ci/services"),
        services.postgres_cluster(),
    ):
        pass
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(services.shutil, "which", lambda *_, **__: None)
    monkeypatch.setenv("VEDETTE_REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="Mosquitto is absent"):
        services.Mosquitto(tmp_path)


def test_a_broker_keeps_its_port(mosquitto):
    port = mosquitto.port
    assert mosquitto._answers()
    mosquitto.stop(signal.SIGKILL)
    assert not mosquitto._answers()
    mosquitto.start()
    assert mosquitto.port == port
