"""The service beside what one would write without it: reading, delivering, the release rule, the audit chain."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import insert

from api import Role, Settings, Store, create_app, verify_audit
from api.identity.keys import issue_key
from api.identity.roles import SYSTEM, Call, Principal
from api.ingest.records import deliver
from api.records.readable import RecordFilter, list_readable
from api.records.schemas import CrossingIn
from api.records.types import TYPES
from bench.rows import Row, timed, wanted

REQUESTS, AT_ONCE, DELIVERIES, CROSSINGS = 25, 16, 100, 20_000
PARTNER, AGREEMENT = "a" * 32, "b" * 32


def rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Yield the figures of ``api``; `data` is not needed."""
    del data
    for name, measure in _MEASURES.items():
        if wanted(name, only):
            with TemporaryDirectory() as folder:
                store = Store(Path(folder) / "store")
                try:
                    yield measure(name, store)
                finally:
                    store.close()


def _list(name: str, store: Store) -> Row:
    """100 features a request, 16 requests at once, with key, rule and durable audit.

    The peer, a bare route that validates dicts, does none of these: the ratio is the price of the duties less the gain
    of features that are serialised once. No goal is set.
    """
    with store.write() as session:
        key = issue_key(session, Call(SYSTEM, "bench"), store.clock(), name="a", role=Role.ANALYST).key
    _fill(store, 100)
    app = create_app(Settings(store.directory), store)
    _, body = asyncio.run(_ask(app, "/crossings", key))
    features = json.loads(body)["features"]
    ours = _rate(app, "/crossings", key)
    theirs = _rate(_bare(features), "/crossings", key)
    return Row(name, ours, "requests/s", "FastAPI response_model", theirs, ours / theirs)


def _bare(features: list[dict[str, Any]]) -> FastAPI:
    class Feature(BaseModel):
        type: str
        id: str
        geometry: dict[str, Any] | None
        properties: dict[str, Any]

    class Collection(BaseModel):
        type: str
        features: list[Feature]

    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})

    @app.get("/crossings", response_model=Collection)
    def crossings() -> dict[str, Any]:
        return {"type": "FeatureCollection", "features": features}

    return app


def _deliver(name: str, store: Store) -> Row:
    """Deliveries with event and audit, each durable, beside bare durable commits of one row."""
    crossings = [CrossingIn.model_validate(_wire(number)) for number in range(DELIVERIES)]
    pilot = Call(Principal("pilot", "pilot", Role.PILOT), "bench")

    def work() -> None:
        for crossing in crossings:
            with store.write() as session:
                deliver(session, pilot, store.clock(), crossing)

    bare = sqlite3.connect(store.directory / "bare.sqlite", isolation_level=None)
    bare.execute("PRAGMA journal_mode = WAL")
    bare.execute("PRAGMA synchronous = FULL")
    bare.execute("CREATE TABLE crossing (document TEXT)")
    text = json.dumps(_wire(0))

    def peer() -> None:
        for _ in crossings:
            bare.execute("INSERT INTO crossing VALUES (?)", (text,))

    _, seconds = timed(work)
    _, peer_seconds = timed(peer)
    bare.close()
    ours, theirs = DELIVERIES / seconds, DELIVERIES / peer_seconds
    return Row(name, ours, "crossings/s", "bare SQLite commits", theirs, ours / theirs)


def _release_rule(name: str, store: Store) -> Row:
    """A partner that may read 1 % of the crossings: the rule in WHERE beside reading all and filtering after."""
    _fill(store, CROSSINGS)
    released = _release_every(store, 100)
    partner = Principal("k", "bravo", Role.PARTNER, PARTNER)
    inside = Principal("k", "analyst", Role.ANALYST)

    def read(principal: Principal, limit: int) -> list[tuple[int, str, bytes]]:
        with store.read() as session:
            return list_readable(session, principal, store.clock(), CrossingFilter(), limit=limit)

    def after() -> list[tuple[int, str, bytes]]:
        return [row for row in read(inside, CROSSINGS) if row[1] in released][:100]

    read(partner, 1)
    page, seconds = timed(lambda: [read(partner, 100) for _ in range(10)][-1])
    filtered, peer_seconds = timed(after)
    assert [row[1] for row in page] == [row[1] for row in filtered]
    ours, theirs = 1000 * seconds / 10, 1000 * peer_seconds
    return Row(name, ours, "ms", "filter after reading", theirs, ours / theirs, "ratio <= 0.5", ours <= theirs / 2)


def _audit(name: str, store: Store) -> Row:
    """Verification of the chain beside the hashing alone."""
    _fill(store, 500, each_audited=True)
    head, seconds = timed(lambda: verify_audit(store))
    body = b"x" * 300

    def hashing() -> None:
        link = bytes(32)
        for _ in range(head.seq):
            link = hashlib.sha256(link + body).digest()

    _, peer_seconds = timed(hashing)
    ours, theirs = head.seq / seconds, head.seq / peer_seconds
    return Row(name, ours, "entries/s", "SHA-256 alone", theirs, ours / theirs)


_MEASURES: dict[str, Callable[[str, Store], Row]] = {
    "service-list/100": _list,
    "service-deliver/durable": _deliver,
    "service-release/20k": _release_rule,
    "service-audit/verify": _audit,
}


def _wire(number: int) -> dict[str, Any]:
    second = f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
    return {
        "source": "bench",
        "source_id": str(number),
        "time": f"2026-01-01T{second}Z",
        "update_time": "2026-01-02T00:00:00Z",
        "kind": "person",
        "direction": "inbound",
        "status": "confirmed",
        "method": "ground",
        "lat": 31.3 + number * 1e-6,
        "lon": -110.9,
        "ellipse": {"semi_major_m": 3.0, "semi_minor_m": 2.0, "orientation_deg": 40.0},
        "border": "bench",
        "confidence": 0.9,
        "track": [],
        "evidence": None,
        "model": {"name": "none", "sha256": "0" * 64},
        "purpose": "border-surveillance",
        "owner": "USA",
        "marking": "REL BRAVO",
        "retention_days": 3650,
    }


def _fill(store: Store, count: int, *, each_audited: bool = False) -> None:
    """`count` confirmed crossings: 100 by delivery, the rest as copies of those, unless each is to be audited."""
    pilot = Call(Principal("pilot", "pilot", Role.PILOT), "bench")
    delivered = count if each_audited else min(count, 100)
    with store.write() as session:
        for number in range(delivered):
            deliver(session, pilot, store.clock(), CrossingIn.model_validate(_wire(number)))
    with store.write() as session:
        columns = [column.name for column in CrossingRow.__table__.columns]
        patterns = [{name: getattr(row, name) for name in columns} for row in session.query(CrossingRow).limit(100)]
        copies = [
            patterns[number % 100]
            | {"id": f"{number:032x}", "source_id": str(number), "time_us": patterns[0]["time_us"] + number * 1_000_000}
            for number in range(delivered, count)
        ]
        if copies:
            session.execute(insert(CrossingRow), copies)


def _release_every(store: Store, step: int) -> set[str]:
    """Every `step`-th crossing confirmed and released to `PARTNER`; the ids."""
    now = store.clock()
    with store.write() as session:
        key = issue_key(session, Call(SYSTEM, "bench"), now, name="s", role=Role.SUPERVISOR)
        session.add(PartnerRow(id=PARTNER, name="bravo", created_us=now))
        session.flush()
        session.add(AgreementRow(id=AGREEMENT, partner_id=PARTNER, terms="{}", created_us=now))
        session.flush()
        chosen = session.query(CrossingRow).order_by(CrossingRow.time_us, CrossingRow.id).all()[::step]
        for row in chosen:
            row.review_state = "confirmed"
            session.add(
                ReleaseRow(
                    id=row.id, crossing_id=row.id, revision=row.revision, partner_id=PARTNER, agreement_id=AGREEMENT,
                    released_us=now, visible_us=now, released_by=key.id, marking=row.marking, time_us=row.time_us,
                    kind=row.kind, lat=row.lat, lon=row.lon, media=False, feature=row.feature,
                )
            )  # fmt: skip
        return {row.id for row in chosen}


def _rate(app: FastAPI, path: str, key: str) -> float:
    async def asking() -> None:
        for _ in range(REQUESTS):
            status, _ = await _ask(app, path, key)
            assert status == 200

    async def work() -> None:
        await asyncio.gather(*(asking() for _ in range(AT_ONCE)))

    asyncio.run(_ask(app, path, key))
    _, seconds = timed(lambda: asyncio.run(work()))
    return REQUESTS * AT_ONCE / seconds


async def _ask(app: FastAPI, path: str, key: str) -> tuple[int, bytes]:
    """One GET straight through ASGI: no client and no socket in the figure."""
    status, body = 0, b""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status, body
        status = message.get("status", status)
        body += message.get("body", b"")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"bench"), (b"authorization", f"Bearer {key}".encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    await app(scope, receive, send)
    return status, body
