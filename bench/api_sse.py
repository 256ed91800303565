"""A thousand streams with a thousand agreements, two events a second each: how late they come, and what they cost.

The service and what appends events run in this process, those who listen in another, which knows nothing but HTTP.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from sqlalchemy import insert

from api import Role, Settings, Store, running
from api.feeds.settings import FeedSettings
from api.identity.keys import issue_key
from api.identity.roles import SYSTEM, Call, Principal
from api.ingest.records import deliver_all
from api.records.types import TYPES
from api.release.agreements import add_agreement, add_partner
from api.release.releases import Ground, share
from api.release.schemas import AgreementTerms, PartnerIn, ReleaseField
from api.store.tables import AgreementRow, Base, PartnerRow, RecordRow, ReleaseRow
from api.trail.log import last_n, last_seq
from bench.api_records import crossing_json
from bench.rows import BenchError, Row

__all__ = ["stream_rows"]

STREAMS, EACH_S, SECONDS, RECORDS = 1000, 2.0, 15.0, 4
_WARM_S, _LOST_S = 2.0, 60.0
_TICK_S = 0.02
_TIME = re.compile(rb'"time":"([^"]+)"')
_FIELDS = [field for field in ReleaseField if field not in {ReleaseField.CLIP, ReleaseField.POSITION}]


def stream_rows(name: str, store: Store) -> Iterator[Row]:
    """Figures of the streams; `store` names the folder that the service's own store goes beside."""
    folder = store.directory.parent / "streams"
    settings = Settings(folder, port=0, feeds=FeedSettings(streams=STREAMS + 10))
    with running(settings) as service:
        audiences, keys = _partners(service.store)
        listeners = _listen(service.url, keys, folder)
        try:
            idle_mb = _resident_mb()
            stop = threading.Event()
            appended: list[int] = []
            sampled: list[float] = []
            writer = threading.Thread(target=_append, args=(service.store, audiences, stop, appended, sampled))
            writer.start()
            time.sleep(SECONDS)
            stop.set()
            writer.join()
            waited_s = _all_came(listeners, sum(appended))
            found = _told(listeners)
        finally:
            listeners.kill()
    if found["events"] != sum(appended):
        cut = f"{found['ended']} of {STREAMS} streams were cut off"
        raise BenchError(f"{name}: {sum(appended)} events were appended, {found['events']} came, and {cut}")
    late = np.array(found["late_ms"])
    p50, p99 = (float(np.percentile(late, part)) for part in (50, 99))
    rate = sum(appended) / SECONDS
    yield Row(
        f"{name}-end", waited_s, "s to the last event", f"all {sum(appended)} came", None, None, "none is lost", True
    )
    grown_mb = sampled[-1] - sampled[len(sampled) // 3]
    yield Row(f"{name}-p50", p50, "ms", f"{STREAMS} streams, {rate:.0f} events/s in all")
    yield Row(f"{name}-p99", p99, "ms", "goal", 500.0, p99 / 500.0, "p99 < 500 ms", p99 < 500)
    yield Row(f"{name}-memory", grown_mb, "MB grown", "idle", idle_mb, grown_mb / idle_mb, "<= 16 MB", grown_mb <= 16)


def _partners(store: Store) -> tuple[list[tuple[str, list[tuple[str, str]]]], list[str]]:
    """A thousand partners with an agreement each, and a key each: audience with (record, release), and keys."""
    call, now = Call(SYSTEM, "bench"), store.clock()
    type_ = TYPES["crossing"]
    pilot = Call(Principal("pilot", "pilot", Role.PILOT), "bench")
    audiences, keys = [], []
    with store.write() as session:
        given = [type_.model.model_validate(crossing_json(number)) for number in range(RECORDS)]
        ids = [each.id for each in deliver_all(session, pilot, now, type_, given)]
        records = [session.get_one(RecordRow, each) for each in ids]
        for record in records:
            record.review_state = "confirmed"
    for start in range(0, STREAMS, 100):
        with store.write() as session:
            for number in range(start, start + 100):
                partner_id = add_partner(session, call, now, PartnerIn(name=f"partner {number}"))["id"]
                terms = AgreementTerms(
                    partner_id=partner_id, kinds=["person"], purposes=["border-surveillance"], markings=["REL BRAVO"],
                    fields=[ReleaseField.POSITION, *(one for bit, one in enumerate(_FIELDS) if number >> bit & 1)],
                )  # fmt: skip
                agreement_id = add_agreement(session, call, now, terms)["id"]
                partner = session.get_one(PartnerRow, partner_id)
                agreement = session.get_one(AgreementRow, agreement_id)
                releases = []
                for record in records:
                    row = session.get_one(RecordRow, record.id)
                    made: ReleaseRow = share(session, call, now, row, Ground(partner, agreement, terms))
                    releases.append((record.id, made.id))
                audiences.append((partner_id, releases))
                key = issue_key(session, call, now, name=f"key {number}", role=Role.PARTNER, partner_id=partner_id)
                keys.append(key.key)
    return audiences, keys


def _append(
    store: Store,
    audiences: list[tuple[str, list[tuple[str, str]]]],
    stop: threading.Event,
    appended: list[int],
    sampled: list[float],
) -> None:
    """Two events a second for each partner, spread evenly: a commit every 20 ms."""
    with store.read() as session:
        numbers = [last_n(session, audience) for audience, _ in audiences]
    table = Base.metadata.tables["event"]
    begun, done = time.monotonic(), 0
    while not stop.wait(_TICK_S):
        due = int((time.monotonic() - begun) * EACH_S * len(audiences))
        with store.write() as session:
            seq, now = last_seq(session), store.clock()
            rows = []
            for place in range(done, due):
                which = place % len(audiences)
                audience, releases = audiences[which]
                numbers[which] += 1
                record_id, release_id = releases[numbers[which] % len(releases)]
                rows.append(
                    {
                        "seq": seq + 1 + place - done,
                        "audience": audience,
                        "n": numbers[which],
                        "time_us": now,
                        "kind": "release.created",
                        "record_type": "crossing",
                        "record_id": record_id,
                        "partner_id": None,
                        "detail": json.dumps({"release_id": release_id}),
                    }
                )
            if rows:
                session.execute(insert(table), rows)
        appended.append(len(rows))
        sampled.append(_resident_mb())
        done = due


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def _listen(url: str, keys: list[str], folder: Path) -> subprocess.Popen[str]:
    """Another process with a stream for each key, all of them open."""
    file = folder / "keys.json"
    file.write_text(json.dumps(keys))
    command = [sys.executable, "-m", "bench.api_sse", url, str(file)]
    listeners = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
    assert listeners.stdout is not None
    if (said := listeners.stdout.readline()) != "open\n":
        listeners.kill()
        raise BenchError(f"the streams could not be opened: {said.strip()}")
    return listeners


def _all_came(listeners: subprocess.Popen[str], many: int) -> float:
    """Seconds until `many` events have come, about: what is late is not lost. `_LOST_S` where they never do."""
    assert listeners.stdin is not None
    assert listeners.stdout is not None
    begun = time.monotonic()
    while (waited_s := time.monotonic() - begun) < _LOST_S:
        listeners.stdin.write("count\n")
        listeners.stdin.flush()
        if int(listeners.stdout.readline()) == many:
            return waited_s
        time.sleep(0.5)
    return _LOST_S


def _told(listeners: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = listeners.communicate("stop\n", timeout=60)
    found: dict[str, Any] = json.loads(out)
    return found


class _Listener(asyncio.Protocol):
    """One stream: keeps when its bytes came, and reads them after."""

    def __init__(self, request: bytes) -> None:
        self.came: list[tuple[float, bytes]] = []
        self.begun = asyncio.Event()
        self.ended = False
        self._request = request

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self.came.append((time.time(), data))
        self.begun.set()

    def connection_lost(self, _error: Exception | None) -> None:
        self.ended = True

    def late(self) -> list[tuple[float, float]]:
        """When each event was appended, and how many seconds later it was here."""
        found, rest = [], b""
        for at, data in self.came:
            *events, rest = (rest + data).split(b"\n\n")
            for event in events:
                if (match := _TIME.search(event)) and b"\ndata: " in event:
                    made = datetime.fromisoformat(match[1].decode()).timestamp()
                    found.append((made, at - made))
        return found


async def _listeners(url: str, keys: list[str]) -> None:
    address = urlsplit(url)
    loop = asyncio.get_running_loop()
    everyone = []
    for key in keys:
        request = (
            f"GET /events/stream HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
            "Accept: text/event-stream\r\n\r\n"
        ).encode()
        _, listener = await loop.create_connection(
            partial(_Listener, request), address.hostname or "", address.port or 0
        )
        everyone.append(listener)
        await asyncio.wait_for(listener.begun.wait(), 30)
        if not listener.came[0][1].startswith(b"HTTP/1.1 200 "):  # refused, it would be taken for one that lost all
            print(listener.came[0][1][:12].decode(), flush=True)
            return
    await asyncio.sleep(0.5)
    print("open", flush=True)
    begun = time.time()
    while await asyncio.to_thread(sys.stdin.readline) == "count\n":
        print(sum(len(listener.late()) for listener in everyone), flush=True)
    late = [each for listener in everyone for each in listener.late()]
    ended = sum(listener.ended for listener in everyone)
    after = [round(1000 * seconds, 2) for made, seconds in late if made > begun + _WARM_S]
    print(json.dumps({"events": len(late), "late_ms": after, "ended": ended}), flush=True)


if __name__ == "__main__":
    asyncio.run(_listeners(sys.argv[1], json.loads(Path(sys.argv[2]).read_text())))
