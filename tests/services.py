"""Databases and brokers of our own for tests: programs of Debian, started beside the tests and ended with them.

`.ci/services` installs the programs. What is absent skips the tests that need it and says so; with
VEDETTE_REQUIRE_ALL=1 it fails them. A server ends when the process that started it does, however that one ends.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.ports import free_port

__all__ = [
    "Mosquitto",
    "Postgres",
    "absent",
    "mosquitto",
    "postgres",
    "postgres_absent",
    "postgres_cluster",
    "remove_left",
]

_PROGRAMS = Path("/usr/lib/postgresql/15/bin")
_POSTGIS = Path("/usr/share/postgresql/15/extension/postgis.control")
_ACCOUNT = "postgres"
"""Whom a cluster belongs to when the tests run as root: its server refuses to."""
_SETTINGS = {
    "listen_addresses": "",  # a socket in a folder of its own serves
    "fsync": "off",  # no test can cut the power
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "64MB",
    "max_connections": "120",
    "max_wal_size": "64MB",  # it lies in memory
    "autovacuum": "off",
    "jit": "off",
    "timezone": "UTC",
}
_MEMORY, _DISK, _ROOM_BYTES = Path("/dev/shm"), Path("/tmp"), 4 << 30
"""A test's database is six hundred files: made and removed in memory they take a fifth of the processor time."""
_PREFIX = "vedette-pg-"
_WITHIN_S = 60.0


def absent(message: str) -> NoReturn:
    """Skip the test that asks, or fail it with VEDETTE_REQUIRE_ALL=1."""
    if os.environ.get("VEDETTE_REQUIRE_ALL") == "1":
        pytest.fail(message)
    pytest.skip(message)


def postgres_absent() -> str | None:
    """What is missing for a PostgreSQL of our own, and what to do; None where all is there."""
    if not (_PROGRAMS / "initdb").exists():
        return "PostgreSQL 15 is absent: .ci/services installs it"
    if not _POSTGIS.exists():
        return "PostGIS is absent: .ci/services installs it"
    if shutil.which("setpriv") is None:
        return "setpriv is absent: apt-get install util-linux"
    return None


class Postgres:
    """A cluster of one process of tests, spoken to over a socket in its folder.

    Parameters
    ----------
    folder
        A folder that is not there yet, with a short path: names of sockets end at 107 bytes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)
        folder.mkdir(mode=0o755)
        root = os.geteuid() == 0
        if root:
            account = pwd.getpwnam(_ACCOUNT)
            os.chown(folder, account.pw_uid, account.pw_gid)
        self._as = ["setpriv", *([f"--reuid={_ACCOUNT}", f"--regid={_ACCOUNT}", "--init-groups"] if root else [])]
        data, log = str(folder / "data"), folder / "log"
        made = [*self._as, str(_PROGRAMS / "initdb"), "-D", data, "-U", _ACCOUNT, "-A", "trust", "-E", "UTF8"]
        made += ["--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd="/")
        settings = _SETTINGS | {"unix_socket_directories": str(folder)}
        self._command = [*self._as, "--pdeathsig", "INT", str(_PROGRAMS / "postgres"), "-D", data]
        self._command += [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        self._log = log.open("ab")
        self._server: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._server = subprocess.Popen(self._command, stdout=self._log, stderr=self._log, cwd="/")
        end = time.monotonic() + _WITHIN_S
        while not self._answers():
            said = (self.folder / "log").read_text()[-2000:]
            assert self._server.poll() is None, f"PostgreSQL did not start: {said}"
            assert time.monotonic() < end, f"PostgreSQL did not answer within {_WITHIN_S} s: {said}"
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT breaks off what is open, SIGQUIT leaves all to recovery."""
        assert self._server is not None
        self._server.send_signal(how)
        self._server.wait(_WITHIN_S)

    def wait(self) -> None:
        """Until the server has ended."""
        assert self._server is not None
        self._server.wait(_WITHIN_S)

    def kill(self) -> None:
        """End the server as a crash does: nothing is said to anybody, recovery follows at the next start."""
        self.stop(signal.SIGQUIT)

    @contextmanager
    def full_after(self, size: int) -> Iterator[None]:
        """No file of the server may be written beyond `size` bytes.

        Those of its log of changes are of 16 MiB: where that is more, the server falls, and is to be started again.
        """
        self._limit(str(size))
        try:
            yield
        finally:
            self._limit("unlimited")

    def _limit(self, size: str) -> None:
        """For the server, from which new ones have it, and then for those that serve connections by now."""
        assert self._server is not None
        server = self._server.pid
        set_ = [*self._as, "prlimit", f"--fsize={size}:"]  # its own account may, and root of a container may not
        subprocess.run([*set_, "--pid", str(server)], check=self._server.poll() is None)
        if self._server.poll() is not None:
            return
        for pid in Path(f"/proc/{server}/task/{server}/children").read_text().split():
            subprocess.run([*set_, "--pid", pid], check=False, stderr=subprocess.DEVNULL)  # some end meanwhile

    def close(self) -> None:
        """End the server, and its folder with it."""
        self.stop(signal.SIGQUIT)
        self._log.close()
        shutil.rmtree(self.folder)

    def url(self, name: str) -> str:
        """Where a database is, as SQLAlchemy takes it."""
        return f"postgresql+psycopg://{_ACCOUNT}@/{name}?host={self.folder}"

    def execute(self, statement: str, name: str = "postgres") -> None:
        """Execute one statement outside a transaction in a database."""
        with closing(self._connect(name)) as connection:
            connection.execute(statement)

    def create(self, template: str = "template1") -> str:
        """A new database, a copy of another; its name. Nobody may be connected to the template."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _connect(self, name: str) -> Any:
        import psycopg

        return psycopg.connect(f"host={self.folder} user={_ACCOUNT} dbname={name}", autocommit=True)

    def _answers(self) -> bool:
        import psycopg

        try:
            self._connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True


def remove_left() -> None:
    """Remove what processes of tests left that were killed: it would lie in memory for ever."""
    for left in (*_MEMORY.glob(f"{_PREFIX}*-*"), *_DISK.glob(f"{_PREFIX}*-*")):
        made_by = left.name.removeprefix(_PREFIX).split("-")[0]
        if made_by.isdigit() and not Path("/proc", made_by).exists():
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def postgres_cluster(room_bytes: int = _ROOM_BYTES) -> Iterator[Postgres]:
    """A new cluster, in memory where more than `room_bytes` are free there; its databases have PostGIS."""
    missing = postgres_absent()
    if missing is not None:
        absent(missing)
    remove_left()
    roomy = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > room_bytes
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_MEMORY if roomy else _DISK))
    folder.chmod(0o755)  # the server's account passes
    server = Postgres(folder / "c")
    try:
        server.execute("CREATE EXTENSION postgis", "template1")
        # Copied for every test: eight thousand reference systems that no test asks for.
        server.execute("DELETE FROM spatial_ref_sys WHERE srid <> 4326", "template1")
        server.execute("VACUUM FULL spatial_ref_sys", "template1")
        yield server
    finally:
        server.close()
        folder.rmdir()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL with PostGIS, one cluster for each process of tests; make a database of your own in it."""
    with postgres_cluster() as server:
        yield server


class Mosquitto:
    """A broker at a port of its own, which it keeps when it is started again.

    Parameters
    ----------
    folder
        Where its configuration lies.
    lines
        More lines of mosquitto.conf, for the listener.
    """

    def __init__(self, folder: Path, *lines: str) -> None:
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            absent("Mosquitto is absent: .ci/services installs it")
        self.port = free_port()
        configuration = folder / "mosquitto.conf"
        given = lines or ("allow_anonymous true",)
        head = ("user root", "persistence false", f"listener {self.port} 127.0.0.1")
        configuration.write_text("\n".join((*head, *given, "")))
        self._command = ["setpriv", "--pdeathsig", "TERM", program, "-c", str(configuration)]
        self._server: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start the broker and wait until it answers."""
        self._server = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + _WITHIN_S
        while not self._answers():
            assert self._server.poll() is None, "Mosquitto did not start"
            assert time.monotonic() < end, f"Mosquitto did not answer within {_WITHIN_S} s"
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the broker."""
        assert self._server is not None
        self._server.send_signal(how)
        self._server.wait(_WITHIN_S)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A broker that takes everybody; topics are shared, so use a prefix of your own."""
    broker = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    yield broker
    broker.stop()
