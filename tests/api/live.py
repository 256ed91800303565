"""A service on a real socket, a key for each role, and a reader of event streams that shares no code with ours."""

import json
import secrets
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from api import Role, RunningService, Settings, Store, running
from api.feeds.settings import FeedSettings
from api.identity.keys import issue_key
from api.identity.roles import SPEAKERS, SYSTEM, Call
from api.live.settings import LiveSettings
from api.store.tables import AuditRow
from api.trail.log import INSIDE, last_n
from tests.api.authority import Authority
from tests.api.samples import agreement_json, crossing_json

LASTING = 3650  # days: the service has the machine's clock


@dataclass
class Event:
    """One event of a stream, as the standard's own rules read it."""

    kind: str
    cursor: str | None
    data: Any


class Stream:
    """Reads `text/event-stream` by the rules of the HTML standard, 9.2.6."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.last_id = ""
        self.comments = 0
        self._kept: list[str] = []
        self._lines = self._split(response.iter_text())

    @staticmethod
    def _split(pieces: Iterator[str]) -> Iterator[str]:
        """Lines end with LF here: `splitlines` knows more ends than the standard does."""
        rest = ""
        for piece in pieces:
            *lines, rest = (rest + piece).split("\n")
            yield from lines

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        kind, data, cursor = "", [], None
        for line in self._lines:
            self._kept.append(line + "\n")
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line:
                if cursor is not None:
                    self.last_id = cursor
                if data:
                    return Event(kind or "message", cursor, json.loads("\n".join(data)))
                kind, cursor = "", None
            elif not name:
                self.comments += 1
            elif name == "event":
                kind = value
            elif name == "data":
                data.append(value)
            elif name == "id":
                cursor = value
        raise StopIteration

    @property
    def raw(self) -> str:
        return "".join(self._kept)

    def take(self, count: int) -> list[Event]:
        return [next(self) for _ in range(count)]


@dataclass
class Live:
    """A running service."""

    url: str
    store: Store
    http: httpx.Client
    keys: dict[str, str] = field(default_factory=dict)
    key_ids: dict[str, str] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def at(cls, service: RunningService, keys: dict[str, str]) -> Iterator["Live"]:
        """A service that already runs, spoken to with keys that there are."""
        with httpx.Client(base_url=service.url, timeout=60.0, verify=False) as http:
            yield cls(service.url, service.store, http, dict(keys))

    def ask(self, who: str, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.keys[who]}"} | more.pop("headers", {})
        return self.http.request(method, path, headers=headers, **more)

    def must(self, who: str, method: str, path: str, **more: Any) -> Any:
        answer = self.ask(who, method, path, **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    @contextmanager
    def stream(
        self, who: str, *, after: int | None = None, last: str | None = None, path: str = "/events/stream"
    ) -> Iterator[Stream]:
        headers = {"Authorization": f"Bearer {self.keys[who]}", "Accept": "text/event-stream"}
        headers |= {} if last is None else {"Last-Event-ID": last}
        query = {} if after is None else {"after": after}
        with self.http.stream("GET", path, params=query, headers=headers) as response:
            assert response.status_code == 200, response.read()
            assert response.headers["Content-Type"].startswith("text/event-stream")
            yield Stream(response)

    def mark(self) -> int:
        """The number of the last event that those inside were told of."""
        with self.store.read() as session:
            return last_n(session, INSIDE)

    def partner(self, name: str, **terms: Any) -> str:
        """A partner with an agreement; who was called by that name before is another."""
        made = self.must("administrator", "POST", "/partners", json={"name": f"{name} {secrets.token_hex(4)}"})
        partner_id: str = made["id"]
        self.key(name, "partner", partner_id=partner_id)
        self.must("administrator", "POST", "/agreements", json=agreement_json(partner_id, **terms))
        return partner_id

    def key(self, name: str, role: str, **more: Any) -> None:
        made = self.must("administrator", "POST", "/keys", json={"name": name, "role": role, **more})
        self.keys[name], self.key_ids[name] = made["key"], made["id"]

    def revoke(self, name: str) -> None:
        self.must("administrator", "DELETE", f"/keys/{self.key_ids[name]}")

    def deliver(self, name: str, **changes: Any) -> str:
        body = crossing_json(
            f"{name} {secrets.token_hex(4)}", **({"retention_days": LASTING, "evidence": None} | changes)
        )
        return self.must("pilot", "POST", "/crossings", json=body)["id"]

    def released(self, partner_id: str, name: str, **changes: Any) -> tuple[str, str]:
        """A confirmed crossing that is released to a partner: its id and the release's."""
        crossing_id = self.deliver(name, **changes)
        etag = self.ask("analyst", "GET", f"/crossings/{crossing_id}").headers["ETag"]
        verdict = {"verdict": "confirm", "reason": None}
        path = f"/crossings/{crossing_id}/reviews"
        self.must("analyst", "POST", path, json=verdict, headers={"If-Match": etag})
        body = {"record_id": crossing_id, "partner_id": partner_id}
        return crossing_id, self.must("supervisor", "POST", "/releases", json=body)["id"]

    def recall(self, release_id: str) -> None:
        self.must("supervisor", "DELETE", f"/releases/{release_id}")

    def audited(self, action: str) -> list[dict[str, Any]]:
        with self.store.read() as session:
            bodies = [json.loads(row.body) for row in session.query(AuditRow).order_by(AuditRow.seq)]
        return [body for body in bodies if body["action"] == action]


@cache
def _empty() -> dict[Path, tuple[bytes, int]]:
    """The files of an empty store, and their modes: the steps of its schema take longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        Store(root := Path(folder) / "store").close()
        files = [path for path in root.rglob("*") if path.is_file()]
        return {path.relative_to(root): (path.read_bytes(), path.stat().st_mode) for path in files}


def _lay_empty(folder: Path) -> None:
    """Lay an empty store there, where nothing is yet."""
    if folder.exists():
        return
    for name, (content, mode) in _empty().items():
        path = folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)


@contextmanager
def live(folder: Path, *, tls: Authority | None = None, database: str | None = None, **feeds: Any) -> Iterator[Live]:
    """A running service with fast feeds, over TLS where there is an authority, and keys named as their roles."""
    quick = {"poll_s": 0.05, "recheck_s": 0.1, "loopback_targets": True, "first_wait_s": 0.1, "longest_wait_s": 0.2}
    paces = {"feeds": FeedSettings(**(quick | feeds)), "live": LiveSettings(pace_s=0.05)}
    own = None if tls is None else tls.issue("live", server=True)
    proof = {} if own is None else {"tls_certificate": own.certificate, "tls_key": own.key}
    settings = Settings(folder / "live", port=0, database=database, **paces, **proof)
    trust = False if tls is None else ssl.create_default_context(cafile=tls.certificate)
    if database is None:
        _lay_empty(settings.directory)
    with running(settings) as service, httpx.Client(base_url=service.url, timeout=60.0, verify=trust) as http:
        assert service.admin is not None
        made = Live(service.url, service.store, http, {"administrator": service.admin.key})
        with service.store.write() as session:
            for role in ("pilot", "sensor", "analyst", "supervisor"):
                by, bound = Call(SYSTEM, "live"), ["*"] if role in SPEAKERS else None
                issued = issue_key(session, by, service.store.clock(), name=role, role=Role(role), sources=bound)
                made.keys[role], made.key_ids[role] = issued.key, issued.id
        yield made


class Target:
    """Something that webhooks are sent to: answers as its script says, and keeps what came."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.script: list[bytes | float | Callable[[], bytes] | None] = []
        """What each call in turn gets: bytes, what makes them, seconds of silence, or None to hang up; then success."""
        self.came = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(peer,), daemon=True).start()

    def _answer(self, peer: socket.socket) -> None:
        with peer, peer.makefile("rb") as file:
            if not file.readline():
                return
            headers = {}
            while (line := file.readline().strip()) != b"":
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            body = file.read(int(headers["content-length"]))
            with self.came:
                self.calls.append((headers, body))
                step = self.script.pop(0) if self.script else b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
                self.came.notify_all()
            if callable(step):
                step = step()
            if isinstance(step, float):
                peer.settimeout(step)
                try:
                    peer.recv(1)
                except OSError:
                    return
            elif step is not None:
                try:
                    peer.sendall(step)
                except OSError:
                    return

    def wait(self, count: int, timeout_s: float = 40.0) -> list[tuple[dict[str, str], bytes]]:
        with self.came:
            assert self.came.wait_for(lambda: len(self.calls) >= count, timeout_s), f"{len(self.calls)} of {count} came"
            return list(self.calls)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


def status(code: int, *headers: str, body: bytes = b"") -> bytes:
    """An answer of HTTP."""
    lines = [f"HTTP/1.1 {code} Some", "Connection: close", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
