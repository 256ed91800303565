"""Killed in the middle of taking in, releasing and recalling: what was answered stands, and nothing is there twice."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from api import Role, Store, create_admin, verify_audit
from api.identity.keys import issue_key
from api.identity.roles import SYSTEM, Call
from api.release.agreements import add_agreement, add_partner
from api.release.schemas import AgreementTerms, PartnerIn
from api.review.tables import QueueRow
from api.store.tables import AuditRow, EventRow, EvidenceRow, ReadableRow, RecordRow, ReleaseRow, ReviewRow
from tests.api.samples import agreement_json, crossing_json, packets
from tests.ports import free_port
from tests.services import postgres_cluster

ROOT = Path(__file__).parents[2]
SERVE = """
import sys
from pathlib import Path
from api import Settings, serve
serve(Settings(Path(sys.argv[1]), database=sys.argv[3] or None, port=int(sys.argv[2])), announce=lambda line: None)
"""
ROLES = ("pilot", "analyst", "supervisor")
_NO_TLS = False  # certificates that nobody asks for take longer to read than all the rest of a request


@dataclass
class Told:
    """What the service answered, by what was asked; and what was sent and not answered."""

    requests: list[str] = field(default_factory=list)
    delivered: dict[str, str] = field(default_factory=dict)
    doubtful: list[list[str]] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    filmed: set[str] = field(default_factory=set)
    released: set[str] = field(default_factory=set)
    recalled: set[str] = field(default_factory=set)


def clip_of(name):
    return packets(name.encode() * 400)


def body_of(name):
    """The same each time; a name that begins with f has a film to it."""
    if not name.startswith("f"):
        return crossing_json(name, evidence=None)
    files = {"manifest": "a.json", "clip": "a.ts", "sha256": sha256(clip_of(name)).hexdigest(), "thumbnail": None}
    return crossing_json(name, evidence=files)


class World:
    """A store that a process of its own serves, and those who speak to it."""

    def __init__(self, folder, database):
        self.folder, self.database, self.port = folder, database, free_port()
        store = self.open()
        create_admin(store)
        with store.write() as session:
            call, now = Call(SYSTEM, "made"), store.clock()
            self.keys = {}
            for role in ROLES:
                bound = ["*"] if role == "pilot" else None
                self.keys[role] = issue_key(session, call, now, name=role, role=Role(role), sources=bound).key
            self.partner = add_partner(session, call, now, PartnerIn(name="bravo"))["id"]
            add_agreement(session, call, now, AgreementTerms.model_validate(agreement_json(self.partner)))
        store.close()
        self.told, self.names, self.process = Told(), count(), None

    def open(self):
        return Store(self.folder, database=self.database)

    def begin(self):
        command = [sys.executable, "-c", SERVE, str(self.folder), str(self.port), self.database or ""]
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        self.until_ready()

    def until_ready(self):
        end = time.monotonic() + 120  # a busy machine takes long to load a program
        while True:
            with suppress(httpx.HTTPError):
                if httpx.get(f"http://127.0.0.1:{self.port}/ready", verify=_NO_TLS).status_code == 200:
                    return
            assert time.monotonic() < end
            time.sleep(0.02)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(20)

    def as_(self, role):
        headers = {"Authorization": f"Bearer {self.keys[role]}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=60, verify=_NO_TLS)

    def ask(self, http, method, path, **more):
        """An answer that says that it is done; raises where there is none."""
        answer = http.request(method, path, **more)
        if answer.status_code >= 500:  # the database is away: nothing was promised
            raise httpx.ReadError(answer.text)
        assert answer.is_success, answer.text
        self.told.requests.append(answer.headers["X-Request-Id"])
        return answer

    def deliver(self, http, names, *, again=False):
        crossings = [body_of(name) for name in names]
        try:
            if len(crossings) == 1:
                results = [self.ask(http, "POST", "/crossings", json=crossings[0]).json()]
            else:
                lines = "\n".join(map(json.dumps, crossings))
                results = self.ask(http, "POST", "/crossings/bulk", content=lines).json()["results"]
        except httpx.HTTPError:
            self.told.doubtful.append(names)
            raise
        assert {each["outcome"] for each in results} <= ({"created", "unchanged"} if again else {"created"})
        assert len({each["outcome"] for each in results}) == 1  # a batch stands or falls together
        self.told.delivered |= {name: each["id"] for name, each in zip(names, results, strict=True)}
        return results

    def take(self, http, at_once):
        while True:
            self.deliver(http, [f"c{next(self.names)}" for _ in range(at_once)])
            time.sleep(0.02)  # what is shared comes in between: a kill waits for some of it

    def film(self, http):
        while True:
            name = f"f{next(self.names)}"
            (record,) = self.deliver(http, [name])
            self.ask(http, "PUT", f"/crossings/{record['id']}/evidence/clip", content=clip_of(name))
            self.told.filmed.add(name)
            time.sleep(0.02)  # the others are who is busy

    def share(self, pilot, analyst, supervisor):
        """Deliver, confirm, release, and take every other back."""
        for number in count():
            (record,) = self.deliver(pilot, [f"c{next(self.names)}"])
            etag = analyst.get(f"/crossings/{record['id']}").headers["ETag"]
            verdict = {"verdict": "confirm"}
            path = f"/crossings/{record['id']}/reviews"
            answer = self.ask(analyst, "POST", path, json=verdict, headers={"If-Match": etag})
            self.told.verdicts.append(answer.json()["id"])
            wish = {"record_id": record["id"], "partner_id": self.partner}
            release = self.ask(supervisor, "POST", "/releases", json=wish).json()["id"]
            self.told.released.add(release)
            if number % 2:
                self.ask(supervisor, "DELETE", f"/releases/{release}")
                self.told.recalled.add(release)

    def until_shared(self, chance):
        """Until something was released and taken back, and a little longer."""
        released, recalled = len(self.told.released), len(self.told.recalled)
        end = time.monotonic() + 20
        while len(self.told.released) < released + 2 or len(self.told.recalled) == recalled:
            assert time.monotonic() < end
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.3))

    @contextmanager
    def busy(self):
        """All at work at once, each until it hears nothing."""
        clients = [self.as_("pilot") for _ in range(6)] + [
            self.as_(role) for role in ("analyst", "supervisor", "pilot")
        ]
        works = [(self.take, (clients[0], 60))]
        works += [(self.take, (http, 1)) for http in clients[1:4]]
        works += [(self.share, (http, *clients[6:8])) for http in clients[4:6]]
        works += [(self.film, (clients[8],))]
        failed = []

        def run(work, given):
            try:
                work(*given)
            except (httpx.HTTPError, KeyError):  # KeyError: a refusal has no ETag
                pass
            except BaseException as error:  # noqa: BLE001 - told below
                failed.append(error)

        threads = [threading.Thread(target=run, args=work) for work in works]
        for thread in threads:
            thread.start()
        yield
        for thread in threads:
            thread.join(60)
        for http in clients:
            http.close()
        assert failed == []

    def deliver_again(self):
        """As a courier does with what nobody confirmed."""
        doubtful, self.told.doubtful = self.told.doubtful, []
        with self.as_("pilot") as http:
            for names in doubtful:
                self.deliver(http, names, again=True)

    def check(self):
        store, told = self.open(), self.told
        verify_audit(store)
        with store.read() as session:
            records = {row.source_id: row for row in session.scalars(select(RecordRow))}
            events = session.scalars(select(EventRow).order_by(EventRow.seq)).all()
            deeds = Counter(json.loads(body)["request"] for body in session.scalars(select(AuditRow.body)))
            verdicts = set(session.scalars(select(ReviewRow.id)))
            releases = session.scalars(select(ReleaseRow)).all()
            waiting = set(session.scalars(select(QueueRow.record_id)))
            films = {row.record_id: row.sha256 for row in session.scalars(select(EvidenceRow))}
            views = session.execute(
                select(ReadableRow.audience, ReadableRow.record_id, ReadableRow.revision, ReadableRow.review)
            ).all()
        whole = {record_id: store.objects.local(digest).read_bytes() for record_id, digest in films.items()}
        store.close()
        assert {name: row.id for name, row in records.items()} == told.delivered
        assert told.filmed
        assert whole.keys() >= {told.delivered[name] for name in told.filmed}
        names = {row.id: name for name, row in records.items()}
        assert whole == {record_id: clip_of(names[record_id]) for record_id in whole}
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        for audience in ("inside", self.partner):
            numbers = [event.n for event in events if event.audience == audience]
            assert numbers == list(range(1, len(numbers) + 1))
        ids = sorted(row.id for row in records.values())
        assert sorted(event.record_id for event in events if event.kind == "record.created") == ids
        states = sorted((row.id, row.revision, row.review_state) for row in records.values())
        assert sorted(tuple(view[1:]) for view in views if view.audience == 0) == states
        assert waiting == {row.id for row in records.values() if row.review_state == "pending"}
        assert all(deeds[request] == 1 for request in told.requests)
        assert verdicts >= set(told.verdicts)
        assert {row.id for row in releases} >= told.released
        assert {row.id for row in releases if row.recalled_us is not None} >= told.recalled
        for kind, those in (
            ("release.created", [row.id for row in releases]),
            ("release.recalled", [row.id for row in releases if row.recalled_us is not None]),
        ):
            for audience in ("inside", self.partner):
                found = [event for event in events if event.kind == kind and event.audience == audience]
                assert sorted(json.loads(event.detail)["release_id"] for event in found) == sorted(those)
        shared = sorted(row.record_id for row in releases if row.recalled_us is None)
        assert sorted(view.record_id for view in views if view.audience) == shared
        return len(records), len(releases)


@pytest.fixture
def world(tmp_path, databases):
    world = World(tmp_path / "store", databases.new())
    yield world
    world.process.kill()
    world.process.wait()


def test_the_service_is_killed(world):
    chance = random.Random(7)
    for _ in range(2):
        world.begin()
        world.deliver_again()
        with world.busy():
            world.until_shared(chance)
            world.end(signal.SIGKILL)
    world.begin()
    world.deliver_again()
    world.end()
    records, releases = world.check()
    assert records > releases > 3


def test_the_database_is_killed_under_the_service(tmp_path):
    chance = random.Random(11)
    with postgres_cluster() as cluster:
        world = World(tmp_path / "store", cluster.url(cluster.create()))
        world.begin()
        try:
            for _ in range(2):
                with world.busy():
                    world.until_shared(chance)
                    cluster.kill()
                cluster.start()
                world.until_ready()
                world.deliver_again()
            world.end()
        finally:
            world.process.kill()
            world.process.wait()
        records, releases = world.check()
        assert records > releases > 3
