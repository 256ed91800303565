"""A store with a clock that tests move, and a service with a key for each role."""

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from api import Role, Settings, Store, create_admin, create_app
from api.identity.keys import issue_key
from api.identity.roles import SPEAKERS, SYSTEM, Call
from api.identity.settings import Argon2, IdentitySettings, Policy
from api.store import sqlite
from tests.api import described
from tests.api.samples import CLIP, NOON_US, agreement_json, crossing_json
from tests.services import Postgres


@dataclass
class Clock:
    now_us: int = NOON_US

    def __call__(self) -> int:
        self.now_us += 1
        return self.now_us


class InProcess(httpx.BaseTransport):
    """Speaks to an application over ASGI, from any thread; the application runs in one event loop, as when served.

    Every answer is held to what the application says that it answers.
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self.asgi = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run_coroutine_threadsafe(self.answer(request), self.loop).result()

    async def answer(self, request: httpx.Request) -> httpx.Response:
        whole = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        response = await self.asgi.handle_async_request(whole)
        body = await response.aread()
        media_type = response.headers.get("content-type")
        described.check(self.app, request.method, request.url.path, response.status_code, media_type, body)
        headers = [pair for pair in response.headers.raw if pair[0].lower() != b"content-encoding"]  # it is unpacked
        return httpx.Response(response.status_code, headers=headers, content=body)

    async def end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.end(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@dataclass
class Service:
    """The application in this process, spoken to over ASGI."""

    store: Store
    clock: Clock
    app: Any
    http: httpx.Client
    keys: dict[str, str] = field(default_factory=dict)

    def ask(self, who: str | None, method: str, path: str, **more: Any) -> Any:
        headers = {} if who is None else {"Authorization": f"Bearer {self.keys[who]}"}
        return self.http.request(method, path, headers=headers | more.pop("headers", {}), **more)

    def partner(self, name: str) -> str:
        partner_id = self.ask("administrator", "POST", "/partners", json={"name": name}).json()["id"]
        self.key(name, "partner", partner_id=partner_id)
        return partner_id

    def key(self, name: str, role: str, **more: Any) -> str:
        answer = self.ask("administrator", "POST", "/keys", json={"name": name, "role": role, **more})
        assert answer.status_code == 201, answer.text
        self.keys[name] = answer.json()["key"]
        return answer.json()["id"]

    def deliver(self, crossing: dict[str, Any], *, clip: bytes | None = None) -> str:
        answer = self.ask("pilot", "POST", "/crossings", json=crossing)
        assert answer.status_code in {200, 201}, answer.text
        crossing_id = answer.json()["id"]
        if clip is not None:
            assert self.ask("pilot", "PUT", f"/crossings/{crossing_id}/evidence/clip", content=clip).status_code == 200
        return crossing_id

    def judge(self, crossing_id: str, verdict: str = "confirm") -> Any:
        etag = self.ask("analyst", "GET", f"/crossings/{crossing_id}").headers["ETag"]
        return self.ask(
            "analyst",
            "POST",
            f"/crossings/{crossing_id}/reviews",
            json={"verdict": verdict, "reason": "a deer"},
            headers={"If-Match": etag},
        )

    def agree(self, partner_id: str, **terms: Any) -> Any:
        return self.ask("administrator", "POST", "/agreements", json=agreement_json(partner_id, **terms))

    def release(self, crossing_id: str, partner_id: str, **more: Any) -> Any:
        body = {"record_id": crossing_id, "partner_id": partner_id, **more}
        return self.ask("supervisor", "POST", "/releases", json=body)

    def seen_by(self, who: str, **query: str) -> list[str]:
        answer = self.ask(who, "GET", "/crossings", params=query)
        assert answer.status_code == 200, answer.text
        return [feature["id"] for feature in answer.json()["features"]]


@pytest.fixture
def clip() -> bytes:
    return CLIP


@pytest.fixture
def crossing() -> Callable[..., dict[str, Any]]:
    return crossing_json


@pytest.fixture
def clock() -> Clock:
    return Clock()


ROLES = ("pilot", "sensor", "analyst", "supervisor", "auditor")


DATABASES = os.environ.get("VEDETTE_TEST_DATABASES", "sqlite,postgres").split(",")


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(request, monkeypatch):
    """No test can cut the power, so none has to wait for fsync; `durable` asks for the real thing."""
    if "durable" in request.fixturenames:
        return
    real = sqlite._on_connect

    def connect(connection: Any, record: Any) -> None:
        real(connection, record)
        connection.execute("PRAGMA synchronous = OFF")

    monkeypatch.setattr(sqlite, "_on_connect", connect)


@pytest.fixture
def durable() -> None:
    """Asks for fsync."""


@dataclass
class Databases:
    """Where stores of one kind of database are made; ended with the test."""

    postgres: Postgres | None
    made: list[str] = field(default_factory=list)

    def new(self, template: str = "template1") -> str | None:
        """URL of a database of its own, a copy of a template; None for SQLite, which has a file in its folder."""
        if self.postgres is None:
            return None
        self.made.append(self.postgres.create(template))
        return self.postgres.url(self.made[-1])

    def drop(self) -> None:
        for name in self.made:
            self.postgres.drop(name)


@pytest.fixture(params=DATABASES)
def databases(request) -> Iterator[Databases]:
    """SQLite, then PostgreSQL: the same tests on both."""
    databases = Databases(request.getfixturevalue("postgres") if request.param == "postgres" else None)
    yield databases
    databases.drop()


ON_SQLITE = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
"""For a test in which no database has a say."""


@dataclass
class Template:
    """A store with a key for each role, made once: each test gets a copy."""

    folder: Path
    keys: dict[str, str]
    names: list[str]


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> Callable[[Databases], Template]:
    made: dict[bool, Template] = {}

    def make(databases: Databases) -> Template:
        kind = databases.postgres is None
        if kind not in made:
            folder = tmp_path_factory.mktemp("template") / "store"
            lasting = Databases(databases.postgres)
            store = Store(folder, database=lasting.new(), clock=Clock())
            keys = {"administrator": create_admin(store).key}
            with store.write() as session:
                for role in ROLES:
                    call = Call(SYSTEM, "template")
                    bound = ["*"] if role in SPEAKERS else None
                    keys[role] = issue_key(session, call, store.clock(), name=role, role=Role(role), sources=bound).key
            store.close()
            made[kind] = Template(folder, keys, lasting.made)
        return made[kind]

    return make


@pytest.fixture
def store(tmp_path: Path, clock: Clock, databases: Databases, template) -> Iterator[Store]:
    made = template(databases)
    shutil.copytree(made.folder, tmp_path / "store")
    store = Store(tmp_path / "store", database=databases.new(*made.names), clock=clock)
    yield store
    store.close()


@pytest.fixture(autouse=True)
def _no_waiting_for_the_hash(request, monkeypatch):
    """Tests log in often, and settings take no cheap hash; `costly` asks for the real thing."""
    if "costly" not in request.fixturenames:
        monkeypatch.setattr("api.identity.passwords.PasswordHasher", lambda *_cost: PasswordHasher(1, 8, 1))


@pytest.fixture
def costly() -> None:
    """Asks for hashes of the cost that the settings say."""


@pytest.fixture
def identity() -> IdentitySettings:
    """How people prove who they are; a test may have its own."""
    cheap = Argon2(time_cost=2, memory_kib=19 << 10, parallelism=1)
    plenty = Policy(1_000_000, 10_000.0)  # the matrix asks every route as everybody
    return IdentitySettings(argon2=cheap, principal_limit=plenty, address_limit=plenty)


@pytest.fixture
def service(
    store: Store, clock: Clock, databases: Databases, template, identity: IdentitySettings
) -> Iterator[Service]:
    settings = Settings(store.directory, max_body_bytes=20_000, max_evidence_bytes=100_000, identity=identity)
    app = create_app(settings, store)
    with httpx.Client(transport=InProcess(app), base_url="http://vedette.test") as http:
        yield Service(store, clock, app, http, dict(template(databases).keys))
