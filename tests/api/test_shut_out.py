"""Whoever is shut out while the body of a write comes in writes nothing: it is decided again where it is written."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import update

from api.identity.tables import SessionRow
from tests.api.live import Live, live
from tests.api.people import PASSWORD, make_account
from tests.api.samples import CLIP, crossing_json, record_json
from tests.api.test_live_vehicles import state_json
from tests.api.test_pictures import jpeg

MINUTE_US = 60_000_000


@pytest.fixture
def served(tmp_path, databases) -> Iterator[Live]:
    with live(tmp_path, database=databases.new()) as made:
        yield made


@dataclass
class Half:
    """A request of which the service has the head and half of the body."""

    peer: socket.socket
    rest: bytes

    def finish(self) -> int:
        """Send the other half: the status of the answer."""
        self.peer.sendall(self.rest)
        return _status(self.peer)


@contextmanager
def half_sent(served: Live, method: str, path: str, headers: dict[str, str], body: bytes) -> Iterator[Half]:
    """The service asks for the body of who lets it choose (RFC 9110, 10.1.1): then it has let them in."""
    host, port = served.url.removeprefix("http://").split(":")
    whole = {"Host": f"{host}:{port}", "Content-Length": str(len(body)), "Expect": "100-continue"} | headers
    head = "".join(f"{name}: {value}\r\n" for name, value in whole.items())
    with closing(socket.create_connection((host, int(port)), timeout=60.0)) as peer:
        peer.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode())
        assert _status(peer) == 100
        peer.sendall(body[: len(body) // 2])
        yield Half(peer, body[len(body) // 2 :])


def _status(peer: socket.socket) -> int:
    """That of the head that comes next; what follows the last one is left."""
    came = b""
    while not came.endswith(b"\r\n\r\n"):
        piece = peer.recv(1)
        assert piece, came
        came += piece
    return int(came[9:12])


def as_json(value: Any) -> tuple[str, bytes]:
    return "application/json", json.dumps(value).encode()


def written(served: Live) -> tuple[int, list[str], int]:
    """What a write leaves: the last event, files that came whole, and how many pictures there are."""
    files = sorted(path.name for path in served.store.objects.folder.rglob("*") if path.is_file())
    files = [name for name in files if not name.endswith(".tmp")]
    pictures = served.must("supervisor", "GET", "/streams")["streams"]
    return served.store.stamp(), files, len(pictures)


def writes(served: Live) -> dict[str, tuple[str, str, str, bytes]]:
    """A write of each way in: method, path, media type and body."""
    announced = served.deliver("announced", evidence=crossing_json()["evidence"])
    served.must("pilot", "POST", "/vehicles", json=record_json("vehicles", "flier"))
    lines = b"\n".join(json.dumps(crossing_json(f"line {number}")).encode() for number in range(3))
    return {
        "one": ("POST", "/crossings", *as_json(crossing_json("slow"))),
        "another type": ("POST", "/plans", *as_json(record_json("plans", "slow"))),
        "bulk": ("POST", "/crossings/bulk", "application/x-ndjson", lines),
        "evidence": ("PUT", f"/crossings/{announced}/evidence/clip", "video/mp2t", CLIP),
        "states": ("PUT", "/vehicles/states", *as_json({"states": [state_json("flier")]})),
        "picture": ("PUT", "/streams/vehicle-1/picture", "image/jpeg", jpeg()),
    }


def test_of_a_key_that_is_revoked_while_a_body_comes_nothing_is_written(served: Live):
    for name, (method, path, media, body) in writes(served).items():
        for revoked in (True, False):  # what is refused is taken where nothing happened meanwhile
            served.key("slow", "pilot", sources=["*"])
            headers = {"Authorization": f"Bearer {served.keys['slow']}", "Content-Type": media}
            with half_sent(served, method, path, headers, body) as half:
                if revoked:
                    served.revoke("slow")
                before = written(served)
                status = half.finish()
            assert (status == 401) if revoked else (200 <= status < 300), (name, revoked, status)
            if revoked:
                assert written(served) == before, name
                done = [entry for entry in served.audited("request.refused") if entry["detail"]["path"] == path]
                assert (done[-1]["actor"], done[-1]["detail"]["status"]) == (served.key_ids["slow"], 401), name


def test_a_partner_that_ends_while_its_body_comes_names_no_target(served: Live):
    partner = served.partner("bravo")
    headers = {"Authorization": f"Bearer {served.keys['bravo']}", "Content-Type": "application/json"}
    body = json.dumps({"url": "http://127.0.0.1:9/hook"}).encode()
    with half_sent(served, "POST", "/webhooks", headers, body) as half:
        served.must("administrator", "DELETE", f"/partners/{partner}")
        before = written(served)
        assert half.finish() == 401
    assert written(served) == before


def _narrow(served: Live, account: str) -> None:
    served.must("administrator", "PATCH", f"/accounts/{account}", json={"role": "auditor"})


def _disable(served: Live, account: str) -> None:
    served.must("administrator", "PATCH", f"/accounts/{account}", json={"disabled": True})


def _end(served: Live, account: str) -> None:
    served.must("administrator", "DELETE", f"/accounts/{account}/sessions")


def _passes(served: Live, account: str, **times_us: int) -> None:
    """As time that goes by, told by the row: the service has the machine's clock."""
    with served.store.write() as session:
        session.execute(update(SessionRow).where(SessionRow.account_id == account).values(**times_us))


def _idles(served: Live, account: str) -> None:
    _passes(served, account, used_us=served.store.clock() - 30 * MINUTE_US)


def _grows_old(served: Live, account: str) -> None:
    _passes(served, account, created_us=served.store.clock() - 12 * 60 * MINUTE_US)


def _nearly_ends(served: Live, account: str) -> None:
    now_us = served.store.clock()
    _passes(served, account, used_us=now_us - 29 * MINUTE_US, created_us=now_us - (12 * 60 - 1) * MINUTE_US)


ENDS = (_narrow, _disable, _end, _idles, _grows_old)


@pytest.mark.parametrize("change", [*ENDS, _nearly_ends, None])
def test_a_person_gives_no_verdict_after_their_session_has_ended(served: Live, change: Callable[..., None] | None):
    crossing = served.deliver("slow")
    account, secret = make_account(served, "ada")
    answer = served.http.post(
        "/login", json={"login": "ada", "password": secret, "new_password": PASSWORD}, headers={"Origin": served.url}
    )
    cookie, csrf = served.http.cookies["vedette"], answer.json()["csrf"]
    served.http.cookies.clear()
    headers = {
        "Cookie": f"vedette={cookie}",
        "X-Vedette-Csrf": csrf,
        "Origin": served.url,
        "If-Match": served.ask("analyst", "GET", f"/crossings/{crossing}").headers["ETag"],
        "Content-Type": "application/json",
    }
    body = json.dumps({"verdict": "confirm", "reason": None}).encode()
    with half_sent(served, "POST", f"/crossings/{crossing}/reviews", headers, body) as half:
        if change is not None:
            change(served, account)
        assert half.finish() == (401 if change in ENDS else 201)
    state = served.must("analyst", "GET", f"/crossings/{crossing}")["properties"]["review"]["state"]
    assert state == ("pending" if change in ENDS else "confirmed")
