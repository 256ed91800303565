"""A service that stops: whoever is connected, nothing stays open, nobody holds it up, and no answer is cut short."""

import gc
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

import api.server
from api import RunningService, Settings, running
from api.console import built
from tests.api.authority import Authority

SIZE = 1 << 20
"""Bytes of an answer that no buffers of a connection hold."""
BUFFER = 1 << 13
"""What the systems of both ends hold of it, about."""
PROMPT_S = 15
"""Far more than a stop takes that waits for nobody, and less than any limit of a connection that is waited for."""
ASKED = b"GET /console/map-1.pmtiles HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(params=["plain", "tls"])
def trust(request, tmp_path) -> tuple[ssl.SSLContext | None, dict]:
    """How to connect, and settings of the service for it."""
    if request.param == "plain":
        return None, {}
    (tmp_path / "authority").mkdir()
    authority = Authority(tmp_path / "authority")
    own = authority.issue("server", server=True)
    proof = {"tls_certificate": own.certificate, "tls_key": own.key}
    return ssl.create_default_context(cafile=authority.certificate), proof


@pytest.fixture
def large(tmp_path, monkeypatch) -> None:
    """A file of the console that takes its time to be read: most of it waits in the service."""
    real = api.server._listen

    def narrow(settings):
        listener = real(settings)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        return listener

    monkeypatch.setattr("api.server._listen", narrow)
    folder = tmp_path / "built"
    folder.mkdir()
    (folder / "map-1.pmtiles").write_bytes(bytes(SIZE))
    found = built.built_files.__wrapped__(folder)
    monkeypatch.setattr("api.console.endpoints.built_files", lambda: found)


@contextmanager
def stopping(tmp_path, more: dict, *, within_s: int) -> Iterator[RunningService]:
    """A service that stops as the block ends; what was left open then is an error."""
    with warnings.catch_warnings(record=True) as left:
        warnings.simplefilter("always")
        with running(Settings(tmp_path / "store", port=0, stop_timeout_s=within_s, **more)) as service:
            yield service
        gc.collect()
    told = [str(each.message) for each in left if issubclass(each.category, ResourceWarning)]
    assert [each for each in told if "unclosed transport" in each] == []


def dial(service: RunningService, context: ssl.SSLContext | None = None) -> socket.socket:
    url = httpx.URL(service.url)
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    plain.settimeout(60)
    try:
        plain.connect((url.host, url.port))
    except OSError:
        plain.close()
        raise
    return plain if context is None else context.wrap_socket(plain, server_hostname=url.host)


def test_who_takes_nothing_is_not_left_connected(tmp_path, trust, large):
    context, more = trust
    with stopping(tmp_path, more, within_s=1) as service:
        peer = dial(service, context)
        peer.sendall(ASKED)
        assert peer.recv(12) == b"HTTP/1.1 200"
    with peer:
        pass


def test_who_asks_nothing_does_not_hold_it_up(tmp_path, trust):
    """Neither who has an answer and keeps the connection, nor who has not begun."""
    context, more = trust
    with stopping(tmp_path, more, within_s=200) as service:
        peers = [dial(service, context) for _ in range(3)]
        peers[0].sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        assert peers[0].recv(12) == b"HTTP/1.1 200"
        since = time.monotonic()
    assert time.monotonic() - since < PROMPT_S
    for peer in peers:
        peer.close()


def test_who_comes_in_the_last_moment_is_not_left_connected(tmp_path):
    peers: list[socket.socket] = []
    with stopping(tmp_path, {}, within_s=200) as service:

        def come() -> None:
            while len(peers) < 5000:
                try:
                    peers.append(dial(service))
                except OSError:  # it listens no more
                    return

        coming = threading.Thread(target=come)
        coming.start()
        while len(peers) < 20:
            time.sleep(0.001)
        since = time.monotonic()
    assert time.monotonic() - since < PROMPT_S
    coming.join()
    for peer in peers:
        peer.close()


def test_an_answer_that_is_on_its_way_to_a_slow_reader_comes_whole(tmp_path, trust, large):
    context, more = trust
    came = [0]
    with stopping(tmp_path, more, within_s=60) as service:
        peer = dial(service, context)
        peer.sendall(ASKED)
        head = b""
        while b"\r\n\r\n" not in head:
            head += peer.recv(1)

        def take() -> None:
            for upto in (1, SIZE - 40_000, 2 * SIZE):
                time.sleep(1.0)  # the service stops meanwhile: in the middle, and when the last of it is written
                while came[0] < upto and (piece := peer.recv(1 << 14)):
                    came[0] += len(piece)

        reading = threading.Thread(target=take)
        reading.start()
    reading.join()
    peer.close()
    assert came == [SIZE]
