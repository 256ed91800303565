"""The service beside what one would write without it: asking, taking in, the release rule, the audit chain."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from fastapi import FastAPI

from api import Role, Settings, Store, create_app, verify_audit
from api.identity.keys import issue_key
from api.identity.roles import SYSTEM, Call, Principal
from api.ingest.records import deliver_all
from api.records.lists import RecordFilter, list_readable
from api.records.types import TYPES
from api.server import settle
from bench.api_databases import Raw, RawPostgres, RawSqlite, postgis_url
from bench.api_records import crossing_json
from bench.api_served import rates, served
from bench.api_sse import stream_rows
from bench.api_store import SHARED, ask, fill, questions
from bench.rows import Row, timed, wanted

AT_ONCE, DELIVERIES, BULK, CROSSINGS = 16, 200, 20_000, 20_000
CROSSINGS_OF_QUERY = int(os.environ.get("VEDETTE_BENCH_CROSSINGS", "5000000"))
"""Of the store of the query: some minutes and 24 GB to fill, 35 GB in PostgreSQL. With fewer than five million no goal
is judged."""


def rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Yield the figures of ``api``; `data` is not needed."""
    del data
    for name, measure in _MEASURES.items():
        if wanted(name, only):
            with TemporaryDirectory() as folder:
                store = Store(Path(folder) / "store")
                try:
                    yield from measure(name, store)
                finally:
                    store.close()


def _query(name: str, store: Store) -> Iterator[Row]:
    """A box of 0.1 degree and a day for a partner, the release rule applied, beside SQL by hand for the same rows."""
    yield from _asked(name, store, RawSqlite(store.directory / "vedette.sqlite"), goal_ms=25.0)


def _query_postgis(name: str, store: Store) -> Iterator[Row]:
    """The same of PostgreSQL with PostGIS."""
    with postgis_url(CROSSINGS_OF_QUERY) as url:
        other = Store(store.directory / "postgis", database=url)
        try:
            yield from _asked(name, other, RawPostgres(url), goal_ms=10.0)
        finally:
            other.close()


def _asked(name: str, store: Store, raw: Raw, *, goal_ms: float) -> Iterator[Row]:
    partner = fill(store, raw, CROSSINGS_OF_QUERY)
    name = f"{name}-{CROSSINGS_OF_QUERY}"  # the goal is of five million
    whole = CROSSINGS_OF_QUERY >= 5_000_000
    now_us = store.clock()
    ours: list[float] = []
    theirs: list[float] = []
    for place, question in enumerate(questions(300)):
        both: list[tuple[Callable[[], list[Any]], list[float]]] = [
            (partial(ask, store, partner, question), ours),
            (partial(raw.ask, now_us, question), theirs),
        ]
        found = []
        # Who asks second finds in memory what the first had read from the disk: each is first every other time.
        for work, taken in both if place % 2 else both[::-1]:
            rows, seconds = timed(work)
            taken.append(1000 * seconds)
            found.append([row[1] for row in rows])
        assert found[0] == found[1]
    raw.close()
    p95, peer = float(np.percentile(ours, 95)), float(np.percentile(theirs, 95))
    goal, met = f"p95 <= {goal_ms:g} ms", p95 <= goal_ms
    yield Row(f"{name}-p95", p95, "ms", "goal", goal_ms, p95 / goal_ms, goal, met if whole else None)
    near = p95 <= 1.3 * peer
    yield Row(f"{name}-by-hand", p95, "ms", "SQL by hand", peer, p95 / peer, "ratio <= 1.3", near if whole else None)


def _ready(name: str, store: Store) -> Iterator[Row]:
    """100 features a request with key, rule and durable audit, beside a route that returns the same bytes.

    Both on real sockets, in processes of their own, asked in turns: the ratio is the median of those of each turn.
    """
    key = _key(store, Role.ANALYST)
    _deliver(store, 100)
    app = create_app(Settings(store.directory), store)
    _, body = asyncio.run(_ask(app, "/crossings", key))
    ready = store.directory / "ready.json"
    ready.write_bytes(body)
    with served(store.directory) as ours, served(ready) as theirs:
        found = rates((ours, theirs), key, at_once=AT_ONCE)
    mine, peer = np.median(found, axis=0)
    ratio = float(np.median(found[:, 0] / found[:, 1]))
    yield Row(name, float(mine), "requests/s", "ready bytes", float(peer), ratio, "ratio >= 0.8", ratio >= 0.8)


def _bulk(name: str, store: Store) -> Iterator[Row]:
    """Crossings by the thousand over HTTP, each with event, view and index; one entry of the audit a request."""
    key = _key(store, Role.PILOT)
    app = create_app(Settings(store.directory), store)
    size = 2000
    bodies = [
        b"\n".join(json.dumps(crossing_json(number)).encode() for number in range(start, start + size))
        for start in range(0, BULK, size)
    ]

    async def work() -> None:
        for body in bodies:
            status, _ = await _ask(app, "/crossings/bulk", key, method="POST", body=body)
            assert status == 200

    settle()  # as the service does before it serves
    _, seconds = timed(lambda: asyncio.run(work()))
    rate = BULK / seconds
    yield Row(name, rate, "crossings/s", "goal", 5000.0, rate / 5000, ">= 5000 a second", rate >= 5000)


def _durable(name: str, store: Store) -> Iterator[Row]:
    """Crossings one by one over HTTP, each on the disk before it is answered, beside bare durable commits.

    Then by several at once, whose crossings share commits.
    """
    key = _key(store, Role.PILOT)
    app = create_app(Settings(store.directory), store)
    first, *bodies = [json.dumps(crossing_json(number)).encode() for number in range(DELIVERIES + 1)]
    more = [json.dumps(crossing_json(number)).encode() for number in range(DELIVERIES + 1, 3 * DELIVERIES + 1)]

    async def work(bodies: list[bytes]) -> None:
        for body in bodies:
            status, _ = await _ask(app, "/crossings", key, method="POST", body=body)
            assert status == 201

    async def at_once() -> None:
        await asyncio.gather(*(work(more[place::AT_ONCE]) for place in range(AT_ONCE)))

    asyncio.run(work([first]))  # a service makes its statements ready once
    bare = sqlite3.connect(store.directory / "bare.sqlite", isolation_level=None)
    bare.execute("PRAGMA journal_mode = WAL")
    bare.execute("PRAGMA synchronous = FULL")
    bare.execute("CREATE TABLE crossing (document TEXT)")

    def peer() -> None:
        for body in bodies:
            bare.execute("INSERT INTO crossing VALUES (?)", (body.decode(),))

    _, seconds = timed(lambda: asyncio.run(work(bodies)))
    _, peer_seconds = timed(peer)
    bare.close()
    _, shared_seconds = timed(lambda: asyncio.run(at_once()))
    ours, theirs, shared = DELIVERIES / seconds, DELIVERIES / peer_seconds, len(more) / shared_seconds
    yield Row(name, ours, "crossings/s", "bare SQLite commits", theirs, ours / theirs, ">= 400 a second", ours >= 400)
    yield Row(f"{name}-{AT_ONCE}", shared, "crossings/s", "one after another", ours, shared / ours)


def _release_rule(name: str, store: Store) -> Iterator[Row]:
    """A partner that may read a part of the crossings: the rule in WHERE beside reading all and filtering after."""
    raw = RawSqlite(store.directory / "vedette.sqlite")
    partner = fill(store, raw, CROSSINGS)
    raw.close()
    inside = Principal("k", "analyst", Role.ANALYST)

    def read(principal: Principal, limit: int) -> list[Any]:
        with store.read() as session:
            return list_readable(session, principal, store.clock(), RecordFilter("crossing"), limit=limit)

    def after() -> list[Any]:
        return [row for row in read(inside, CROSSINGS) if int(row.id, 16) % SHARED == 0][:100]

    read(partner, 1)
    page, seconds = timed(lambda: [read(partner, 100) for _ in range(10)][-1])
    filtered, peer_seconds = timed(after)
    assert [row.id for row in page] == [row.id for row in filtered]
    ours, theirs = 1000 * seconds / 10, 1000 * peer_seconds
    yield Row(name, ours, "ms", "filter after reading", theirs, ours / theirs, "ratio <= 0.5", ours <= theirs / 2)


def _audit(name: str, store: Store) -> Iterator[Row]:
    """Verification of the chain beside the hashing alone."""
    for _ in range(20):
        _deliver(store, 25)
    head, seconds = timed(lambda: verify_audit(store))
    body = b"x" * 300

    def hashing() -> None:
        link = bytes(32)
        for _ in range(head.seq):
            link = hashlib.sha256(link + body).digest()

    _, peer_seconds = timed(hashing)
    ours, theirs = head.seq / seconds, head.seq / peer_seconds
    yield Row(name, ours, "entries/s", "SHA-256 alone", theirs, ours / theirs)


_MEASURES: dict[str, Callable[[str, Store], Iterator[Row]]] = {
    "api-list/ready": _ready,
    "api-ingest/bulk": _bulk,
    "api-ingest/durable": _durable,
    "api-release/20k": _release_rule,
    "api-audit/verify": _audit,
    "api-sse/1000": stream_rows,
    "api-query/box": _query,
    "api-query/postgis": _query_postgis,
}


_NUMBERS = count()
"""Of crossings, so that none is delivered twice."""


def _key(store: Store, role: Role) -> str:
    with store.write() as session:
        return issue_key(
            session,
            Call(SYSTEM, "bench"),
            store.clock(),
            name=role,
            role=role,
            sources=["*"] if role is Role.PILOT else None,
        ).key


def _deliver(store: Store, many: int) -> None:
    type_ = TYPES["crossing"]
    pilot = Call(Principal("pilot", "pilot", Role.PILOT), "bench")
    given = [type_.model.model_validate(crossing_json(next(_NUMBERS))) for _ in range(many)]
    for each in given:
        with store.write() as session:
            deliver_all(session, pilot, store.clock(), type_, [each])


async def _ask(app: FastAPI, path: str, key: str, *, method: str = "GET", body: bytes = b"") -> tuple[int, bytes]:
    """One request straight through ASGI: no client and no socket in the figure."""
    status, answer = 0, b""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status, answer
        status = message.get("status", status)
        answer += message.get("body", b"")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"bench"),
            (b"authorization", f"Bearer {key}".encode()),
            (b"content-type", b"application/json"),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    await app(scope, receive, send)
    return status, answer
