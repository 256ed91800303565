"""What is on its way to a partner when something is taken back from it, on real sockets."""

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from api.joined import Joined
from api.outgoing import Wire
from tests.api.authority import Authority
from tests.api.live import Live, live
from tests.api.samples import packets
from tests.api.test_taken_back import PLACE, just_before

LARGE = packets(b"large" * (1_600_000))
"""Evidence that no buffer of a connection holds: 8 MB."""
READ = 64 << 10
"""What a reader that is slow takes at a time, and its system for it."""
TAKES_BACK = {
    "recall": ("supervisor", "/releases/{release}"),
    "agreement": ("administrator", "/agreements/{agreement}"),
    "partner": ("administrator", "/partners/{partner}"),
    "key": ("administrator", "/keys/{key}"),
}


@pytest.fixture
def served(tmp_path):
    with live(tmp_path) as made:
        yield made


@contextmanager
def asked(served: Live, who: str, path: str, *, trust: ssl.SSLContext | None = None) -> Iterator[socket.socket]:
    """A request whose answer has begun to come, and is not read yet."""
    url = httpx.URL(served.url)
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, READ)
    plain.settimeout(120)
    plain.connect((url.host, url.port))
    with plain if trust is None else trust.wrap_socket(plain, server_hostname=url.host) as connection:
        head = f"GET {path} HTTP/1.1\r\nHost: there\r\nAuthorization: Bearer {served.keys[who]}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(12) == b"HTTP/1.1 200"
        yield connection


def rest_of(connection: socket.socket, *, whole: int) -> int:
    """How many bytes still come, up to the `whole` or to the end of the connection."""
    came = 0
    while came < whole:
        try:
            found = connection.recv(READ)
        except (ConnectionResetError, ssl.SSLError):
            break
        if not found:
            break
        came += len(found)
    return came


def shared_clip(served: Live, partner_id: str) -> tuple[str, str]:
    """A crossing with a large clip that a partner may read: the path of the clip, and the release."""
    evidence = {"manifest": "a.json", "clip": "a.ts", "sha256": hashlib.sha256(LARGE).hexdigest(), "thumbnail": None}
    crossing_id = served.deliver("large", evidence=evidence)
    path = f"/crossings/{crossing_id}/evidence/clip"
    served.must("pilot", "PUT", path, content=LARGE)
    etag = served.ask("analyst", "GET", f"/crossings/{crossing_id}").headers["ETag"]
    verdict = {"verdict": "confirm", "reason": None}
    served.must("analyst", "POST", f"/crossings/{crossing_id}/reviews", json=verdict, headers={"If-Match": etag})
    wish = {"record_id": crossing_id, "partner_id": partner_id}
    return path, served.must("supervisor", "POST", "/releases", json=wish)["id"]


@pytest.mark.parametrize("by", TAKES_BACK)
def test_of_what_is_taken_back_a_slow_reader_gets_no_more_than_what_had_left(served: Live, by):
    bravo = served.partner("bravo", fields=["position", "clip"])
    path, release = shared_clip(served, bravo)
    (agreement,) = served.must("administrator", "GET", "/agreements")
    who, what = TAKES_BACK[by]
    what = what.format(release=release, agreement=agreement["id"], partner=bravo, key=served.key_ids["bravo"])
    with asked(served, "bravo", path) as connection:
        served.must(who, "DELETE", what)
        # What lies with the reader's own system had left; a megabyte is many times of that, and little of the whole.
        assert rest_of(connection, whole=len(LARGE)) < 1 << 20


def test_what_is_taken_back_does_not_leave_over_tls_either(tmp_path):
    (tmp_path / "authority").mkdir()
    authority = Authority(tmp_path / "authority")
    trust = ssl.create_default_context(cafile=authority.certificate)
    with live(tmp_path, tls=authority) as served:
        path, release = shared_clip(served, served.partner("bravo", fields=["position", "clip"]))
        with asked(served, "bravo", path, trust=trust) as connection:
            served.recall(release)
            assert rest_of(connection, whole=len(LARGE)) < 1 << 20
        assert served.ask("bravo", "GET", path).status_code == 404


def test_what_is_taken_from_one_is_not_cut_off_from_another(served: Live):
    alpha = served.partner("alpha", fields=["position", "clip"])
    bravo = served.partner("bravo", fields=["position", "clip"])
    path, _ = shared_clip(served, alpha)
    _, release = served.released(bravo, "another")
    with asked(served, "alpha", path) as connection:
        served.recall(release)
        assert rest_of(connection, whole=len(LARGE)) >= len(LARGE)


def test_an_answer_that_was_written_down_and_had_not_begun_does_not_leave(served: Live, monkeypatch):
    bravo = served.partner("bravo")
    crossing_id, release = served.released(bravo, "a", lat=float(PLACE))
    real, left = served.store.note_together, [lambda: served.recall(release)]

    def then(work):
        value = real(work)
        if left:
            left.pop()()
        return value

    monkeypatch.setattr(served.store, "note_together", then)
    answer = served.ask("bravo", "GET", "/crossings")
    assert left == []
    assert answer.status_code == 503
    assert PLACE not in answer.text
    assert answer.headers["Retry-After"] == "1"
    assert served.must("bravo", "GET", "/crossings")["features"] == []
    assert crossing_id


def test_a_stream_on_which_nothing_waits_goes_on(served: Live):
    bravo = served.partner("bravo")
    _, release = served.released(bravo, "a")
    with served.stream("bravo", after=0) as stream:
        assert [one.kind for one in stream.take(1)] == ["release.created"]
        served.recall(release)
        assert [one.kind for one in stream.take(1)] == ["release.recalled"]


@pytest.mark.parametrize("who", ["bravo", "analyst"])
@pytest.mark.parametrize("path", ["/crossings", "/crossings/{id}", "/crossings/{id}/evidence/clip"])
def test_a_key_that_is_revoked_while_its_answer_is_read_gets_none(service, crossing, clip, monkeypatch, who, path):
    bravo = service.partner("bravo")
    service.agree(bravo, fields=["position", "clip"])
    crossing_id = service.deliver(crossing(lat=float(PLACE)), clip=clip)
    service.judge(crossing_id)
    service.release(crossing_id, bravo)
    listed = service.ask("administrator", "GET", "/keys").json()
    (key_id,) = [each["id"] for each in listed if each["name"] == who]

    def revoke():
        assert service.ask("administrator", "DELETE", f"/keys/{key_id}").status_code == 204

    just_before(monkeypatch, service.store, "note_together", revoke)
    answer = service.ask(who, "GET", path.format(id=crossing_id))
    assert answer.status_code == 401
    assert PLACE.encode() not in answer.content
    assert clip not in answer.content


@pytest.mark.parametrize("how", ["cut", "closed"])
async def test_a_connection_over_tls_that_has_ended_holds_nothing_and_ends_again(tmp_path, how):
    """Asyncio's own forgets itself when it is closed twice: whoever asked of it got 500 ever after."""
    authority = Authority(tmp_path)
    own = authority.issue("server", server=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own.certificate, own.key)
    made: list[tuple[Joined, Wire]] = []
    began, lost = asyncio.Event(), asyncio.Event()

    class Ours(asyncio.Protocol):
        def connection_made(self, transport):
            joined = Joined(transport, asyncio.get_running_loop())
            made.append((joined, Wire(joined)))
            began.set()

        def connection_lost(self, _exc):
            made[0][1].lose()
            made[0][0].close()  # as uvicorn does
            lost.set()

    trust = ssl.create_default_context(cafile=authority.certificate)
    listener = await asyncio.get_running_loop().create_server(Ours, "127.0.0.1", ssl=context)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust, server_hostname="127.0.0.1")
        await began.wait()
        ((joined, wire),) = made
        joined.write(bytes(8 << 20))
        assert wire.waits()
        if how == "closed":
            joined.close()
            joined.close()
            assert wire.waits()  # it is not sent yet
        wire.cut()
        await lost.wait()
        assert not wire.waits()
        wire.cut()
        writer.transport.abort()


def test_what_waits_beneath_tls_waits(tmp_path, monkeypatch):
    """The system has sent all, asyncio's TLS passed on the rest: one holds it beneath."""
    (tmp_path / "authority").mkdir()
    authority = Authority(tmp_path / "authority")
    own = authority.issue("server", server=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    monkeypatch.setattr("api.outgoing.fcntl.ioctl", lambda *_: bytes(4))

    async def talk() -> list[bool]:
        served: asyncio.Future = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(
            lambda _, writer: served.set_result(writer.transport), "127.0.0.1", 0, ssl=context
        )
        async with server:
            address = server.sockets[0].getsockname()
            _, writer = await asyncio.open_connection(
                *address, ssl=ssl.create_default_context(cafile=authority.certificate), limit=1 << 10
            )
            transport = await served
            wire = Wire(transport)
            told = [wire.waits()]
            transport.write(bytes(1 << 24))
            told += [bool(transport.get_write_buffer_size()), wire.waits()]
            writer.transport.abort()
        return told

    assert asyncio.run(talk()) == [False, False, True]
