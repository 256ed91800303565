"""Every route that there is, for everybody who may ask: made from the table of routes, so that none is forgotten.

A new route fails here until its permission has a row in `RULES`, its path parameters have an object in `World`, and,
where it is open to all, it stands in `PUBLIC`. Whoever adds the row says in it who may.
"""

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from api.app import ROUTES
from api.canonical import new_id
from api.identity.roles import Permission, Role
from api.launches.tables import LaunchRow
from api.records.types import TYPE_OF_COLLECTION
from api.trail.audit import audit_head, read_audit
from tests.api import described
from tests.api.conftest import ON_SQLITE
from tests.api.people import ORIGIN, Browser, make_account, settled
from tests.api.samples import CLIP, crossing_json, planning_json, record_json
from tests.api.test_routes import FORGED

PUBLIC = {
    "GET /",
    "GET /console/configuration",  # the marking stands over the page of the login too
    "GET /console/{name}",  # scripts, styles and the base map: the same for everybody
    "GET /health",
    "GET /ready",
    "GET /transparency",  # figures of whole months, made for everybody
    "GET /transparency.json",
    "POST /login",
    "GET /oidc/login",
    "GET /oidc/callback",
}
"""What nobody has to be anybody for. A route more needs a reason."""

INSIDE = {"pilot", "analyst", "supervisor"}
RULES = {
    "crossing.write": {"pilot"},
    "crossing.read": INSIDE | {"partner"},
    "cue.write": {"sensor"},
    "cue.read": INSIDE | {"partner"},
    "asset.read": INSIDE | {"partner"},
    "asset.write": {"pilot"},
    "order.write": {"pilot"},
    "order.read": {"pilot", "supervisor"},
    "subscribe": {"partner"},
    "subscription.read": {"supervisor", "partner"},
    "receipt": {"partner"},
    "review": {"analyst"},
    "review.read": {"analyst", "supervisor"},
    "claim": {"analyst", "supervisor"},
    "claim.take": {"supervisor"},
    "annotate": {"analyst", "supervisor"},
    "case.read": {"analyst", "supervisor"},
    "case.write": {"analyst", "supervisor"},
    "case.hold": {"supervisor"},
    "release": {"supervisor"},
    "policy.read": {"supervisor", "auditor", "administrator"},
    "policy.write": {"administrator"},
    "webhook": {"partner", "supervisor"},
    "key.write": {"administrator"},
    "account.write": {"administrator"},
    "audit.read": {"auditor"},
    "hold": {"supervisor"},
    "erase": {"supervisor"},
    "erasure.read": {"supervisor", "auditor"},
    "metrics.read": {"administrator"},
    "event.read": {"analyst", "supervisor", "partner"},
    "refusal.read": INSIDE,
    "picture.read": INSIDE,
    "self": {"pilot", "sensor", "analyst", "supervisor", "partner", "auditor", "administrator"},
}
"""Who may, written down a second time and by hand: a grant that slips into the code shows here."""

OF_ANYBODY = {
    "GET /me",
    "POST /logout",
    "PUT /password",
    "GET /sessions",
    "DELETE /sessions",
    "DELETE /sessions/{session_id}",
    "GET /openapi.json",
    "GET /asyncapi.json",
    "GET /maps",
    "GET /maps/{name}",
    "GET /ogc",
    "GET /ogc/",
    "GET /ogc/api",
    "GET /ogc/conformance",
    "GET /ogc/collections",  # of each those that they may read
}
"""What every role may: nothing of a record, and of a person nothing but themselves. A route more needs a reason."""

OF_COLLECTION = """
accounts | account.write | account.write
agreements | policy.read | policy.write
alerts | crossing.read |
audit | audit.read |
cases | case.read | case.write
cot | crossing.read |
crossings | crossing.read review.read | crossing.write review review.read claim claim.take annotate
cues | cue.read | cue.write
erasures | | erase
events | event.read |
fleets | asset.read | asset.write
ground | asset.read |
holds | erasure.read | hold
keys | key.write | key.write
launches | asset.read order.read | order.write asset.write
metrics | metrics.read |
ogc | crossing.read cue.read asset.read |
orders | order.read | order.write asset.write
outlets | policy.read |
partners | policy.read | policy.write
plannings | asset.read | asset.write
plans | asset.read | asset.write
preview | policy.read |
ready | metrics.read |
recalls | receipt | receipt
records | crossing.read |
refused-messages | refusal.read |
releases | policy.read | release
retention | policy.read | policy.write
reviews | review.read policy.read | policy.write
segments | asset.read | asset.write
sensors | asset.read | asset.write
sensorthings | | cue.write
sorties | asset.read | asset.write
stations | asset.read | asset.write
streams | picture.read | crossing.write
subscriptions | subscription.read | subscribe
tombstones | erasure.read |
vehicles | asset.read | asset.write
webhooks | webhook | webhook
"""
"""What is asked of who reads there, and of who changes something: whatever is served below that name."""

NOTHING = "f" * 32
STREAM = "text/event-stream"
GUARDED = [route for route in ROUTES if route.permission is not None]


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes

    def alike(self, ids: list[str]) -> tuple[int, str]:
        """What can be told from it, but for the ids that were asked for."""
        text = self.body.decode()
        for each in ids:
            text = text.replace(each, "*")
        return self.status, text


@dataclass
class World:
    """A service in which there is one of each, and `bravo` may see it while `charlie` may not."""

    service: Any
    objects: dict[str, str]

    def path(self, route: Any, *, of: str | None = None) -> tuple[str, list[str]]:
        """The route's path with real objects in it, or with `of`; and the ids in it."""
        collection = route.path.split("/")[1]
        ids = []

        def one(match: re.Match[str]) -> str:
            name = match[1].partition(":")[0]
            where = f"{collection}/{name}" if f"{collection}/{name}" in self.objects else name
            assert where in self.objects, f"{route.path}: World has no object for {{{name}}}; add one"
            found = self.objects[where] if of is None or name == "part" else of
            ids.append(found)
            return found

        return re.sub(r"\{(.*?)\}", one, route.path), ids

    def ask(self, method: str, path: str, headers: dict[str, str]) -> Answer:
        """Ask over ASGI; of a stream take the head alone."""
        loop = self.service.http._transport.loop
        return asyncio.run_coroutine_threadsafe(_asked(self.service.app, method, path, headers), loop).result(20)


async def _asked(app: Any, method: str, path: str, headers: dict[str, str]) -> Answer:
    status, media_type, body, begun, ended, sent = 0, None, b"", asyncio.Event(), asyncio.Event(), []

    async def receive() -> dict[str, Any]:
        if not sent:
            sent.append(1)
            return {"type": "http.request", "body": b"{}", "more_body": False}
        if not begun.is_set():
            await ended.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status, media_type, body
        if message["type"] == "http.response.start":
            status = message["status"]
            media_type = httpx.Headers(message["headers"]).get("content-type")
            if STREAM in (media_type or "") and method != "HEAD":
                begun.set()
        else:
            body += message.get("body", b"")
            if not message.get("more_body", False):
                ended.set()

    usual = {"host": "vedette.test", "content-type": "application/json", **headers}
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
        "headers": [(name.lower().encode(), value.encode()) for name, value in usual.items()],
        "client": ("127.0.0.1", 1),
        "server": ("vedette.test", 80),
    }
    task = asyncio.ensure_future(app(scope, receive, send))
    stream = asyncio.ensure_future(begun.wait())
    await asyncio.wait({task, stream}, return_when=asyncio.FIRST_COMPLETED)
    for each in (task, stream):
        if not each.done():
            each.cancel()
    await asyncio.gather(task, stream, return_exceptions=True)
    described.check(app, method, path, status, media_type, None if begun.is_set() else body)
    return Answer(status, body)


@pytest.fixture
def world(service):
    bravo, charlie = service.partner("bravo"), service.partner("charlie")
    agreement = service.agree(bravo, fields=["kind", "position", "clip"], subscriptions=True).json()["id"]
    shared = service.deliver(crossing_json("shared"), clip=CLIP)
    service.judge(shared)
    release = service.release(shared, bravo).json()["id"]
    subscription = service.ask("bravo", "POST", "/subscriptions", json={"agreement_id": agreement})
    assert subscription.status_code == 201, subscription.text
    webhook = service.ask("bravo", "POST", "/webhooks", json={"url": "https://1.1.1.1/hook"})  # never sent to
    assert webhook.status_code == 201, webhook.text
    case = service.ask("analyst", "POST", "/cases", json={"title": "night"})
    assert case.status_code == 201, case.text
    account, _ = make_account(service, "somebody")
    owner = settled(service, "owner")
    (session,) = [entry["id"] for entry in owner.ask("GET", "/sessions").json()]
    held = {"record_id": shared, "reason": "court order"}
    records = {f"{collection}/record_id": delivered(service, collection) for collection in TYPE_OF_COLLECTION}
    objects = {
        "feature_id": shared,
        **records,
        "record_id": shared,
        "crossings/record_id": shared,
        "part": "clip",
        "datastream": "7",
        "source": "rtsp://gate.example/1",
        "partner_id": bravo,
        "agreement_id": agreement,
        "release_id": release,
        "subscription_id": subscription.json()["id"],
        "webhook_id": webhook.json()["id"],
        "case_id": case.json()["id"],
        "account_id": account,
        "hold_id": service.ask("supervisor", "POST", "/holds", json=held).json()["id"],
        "purpose": "border-surveillance",
        "session_id": session,
        "planning_id": asked_planning(service),
        "plannings/name": "plan.json",
        "key_id": service.key("some key", "analyst"),
        "name": "roads",
        "order_id": ordered(service),
        "launch_id": launched(service, records["plans/record_id"]),
    }
    service.keys["partner"] = service.keys["charlie"]
    assert charlie
    return World(service, objects)


def delivered(service, collection: str) -> str:
    """The id of a record that nobody outside was given."""
    who = "sensor" if collection == "cues" else "pilot"
    answer = service.ask(who, "POST", f"/{collection}", json=record_json(collection, "of the world"))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def ordered(service) -> str:
    """The id of an order that a person gave to the vehicle of the world."""
    vehicle = {name: record_json("vehicles", "of the world")[name] for name in ("source", "source_id")}
    order = {"client_id": "1", "vehicle": vehicle, "kind": "pause"}
    answer = settled(service, "pat", "pilot").ask("POST", "/orders", json=order)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def launched(service, plan_id: str, client_id: str = "1") -> str:
    """The id of a launch of the plan of the world; what it takes to give one, `test_launches.py` shows."""
    wish = {"client_id": client_id, "station": "station", "hours": None, "checklist": [], "reason": None}
    now_us = service.store.clock()
    row = LaunchRow(
        id=new_id(),
        record_id=plan_id,
        source="station",
        planning_id=NOTHING,
        plan_name="night",
        plan_sha256="0" * 64,
        sysids="[1]",
        person="somebody",
        name="Pat",
        client_id=client_id,
        wish=json.dumps(wish),
        given_us=now_us,
        expires_us=now_us + 60_000_000,
        state="given",
        changed_us=now_us,
    )
    with service.store.write() as session:
        session.add(row)
    return row.id


def asked_planning(service) -> str:
    """The id of a planning that waits: no planner runs here."""
    answer = service.ask("pilot", "POST", "/plannings", json=planning_json())
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_every_permission_has_a_rule_and_every_open_route_a_reason():
    assert set(RULES) == {permission.value for permission in Permission}, "say in RULES who may"
    of = {
        permission: {f"{each.method} {each.path}" for each in ROUTES if each.permission is permission}
        for permission in (None, Permission.SELF)
    }
    assert of == {None: PUBLIC, Permission.SELF: OF_ANYBODY}
    assert {role for roles in RULES.values() for role in roles} == {role.value for role in Role}


def test_every_route_asks_what_its_collection_asks():
    rows = [[cell.split() for cell in row.split("|")] for row in OF_COLLECTION.strip().splitlines()]
    asked = {name: {"GET": set(reading), "else": set(writing)} for (name,), reading, writing in rows}
    found = {name: {"GET": set(), "else": set()} for name in asked}
    for route in GUARDED:
        if route.permission is not Permission.SELF:
            name, how = route.path.split("/")[1], "GET" if route.method == "GET" else "else"
            assert name in asked, f"{route.path}: say in OF_COLLECTION what is asked there"
            found[name][how].add(route.permission.value)
    assert found == asked


@ON_SQLITE
def test_nobody_gets_in(world):
    browser = settled(world.service, "gone")
    stale = {"Cookie": f"vedette={browser.cookie}", "Origin": ORIGIN, "X-Vedette-Csrf": browser.csrf}
    browser.ask("POST", "/logout")
    for route in GUARDED:
        path, _ = world.path(route)
        for headers in ({}, bearer(FORGED), stale):
            assert world.ask(route.method, path, headers).status == 401, (route, headers)


def test_every_route_answers_every_role_as_the_rules_say(world, databases):
    """Who may not gets 403 whatever is asked for; who may, no 403 and no failure."""
    for role in (role.value for role in Role):
        headers = bearer(world.service.keys[role])
        for route in GUARDED:
            may = role in RULES[route.permission]
            if not may and databases.postgres is not None:
                continue  # refused by the same lines as on the other database
            # Whoever may delete gets nothing to delete: the world stays for the next route.
            path, _ = world.path(route, of=NOTHING if may and route.method == "DELETE" else None)
            answer = world.ask(route.method, path, headers)
            if may:
                assert answer.status not in {401, 403}, (role, route, answer)
                assert 200 <= answer.status < 500, (role, route, answer)
            else:
                assert answer.status == 403, (role, route, answer)


def test_a_partner_cannot_tell_what_is_not_theirs_from_what_is_not(world):
    """Each object there is, asked for by the partner it is not shared with: as if there were none."""
    headers = bearer(world.service.keys["charlie"])
    asked = 0
    for route in GUARDED:
        if "{" not in route.path or "partner" not in RULES[route.permission]:
            continue
        answers = []
        for of in (None, NOTHING):
            path, ids = world.path(route, of=of)
            assert of is not None or NOTHING not in ids, f"{route.path}: World has no object of this kind"
            answers.append(world.ask(route.method, path, headers).alike(ids))
        assert answers[0] == answers[1], route
        assert answers[0][0] in {404, 422}, (route, answers)
        asked += 1
    assert asked >= 10
    mine = bearer(world.service.keys["bravo"])  # and it is not so that nobody sees them
    shared = world.objects["crossings/record_id"]
    assert json.loads(world.ask("GET", f"/crossings/{shared}", mine).body)["id"] == shared
    assert world.ask("GET", f"/crossings/{shared}/evidence/clip", mine).status == 200


@ON_SQLITE
def test_head_is_a_get_whose_body_stays_here(world):
    """To everybody the same status, on every route, and the same entry of the audit; a stream is over at once."""
    for role in (role.value for role in Role):
        headers = bearer(world.service.keys[role])
        for route in (route for route in ROUTES if route.method == "GET"):
            path, _ = world.path(route)
            seen, entries = [], []
            for method in ("GET", "HEAD"):
                before = head_of(world)
                seen.append(world.ask(method, path, headers))
                entries.append(actions(world, before))
            got, headed = seen
            assert (headed.status, headed.body) == (got.status, b""), (role, route, got, headed)
            if "stream" not in route.path:  # what a stream tells is written down as it is told
                assert entries[1] == [each for each in entries[0] if each not in COUNTED], (role, route, entries)
    for role, path in (("analyst", "/crossings"), ("analyst", "/nowhere"), ("pilot", "/audit")):
        got, headed = (world.service.ask(role, method, path) for method in ("GET", "HEAD"))
        assert headed.content == b""
        own = {"x-request-id", "ratelimit"}
        assert {name for name, value in headed.headers.items() if got.headers[name] != value} <= own
    assert world.service.ask("pilot", "HEAD", "/crossings/bulk").status_code == 404
    assert world.service.ask("pilot", "HEAD", "/logout").headers["Allow"] == "POST"


COUNTED = {"station.list", "launch.list", "launch.read"}
"""What is asked every few seconds: one entry in a while tells how often."""


def head_of(world) -> int:
    with world.service.store.read() as session:
        return audit_head(session).seq


def actions(world, after: int) -> list[str]:
    with world.service.store.read() as session:
        return [entry.body["action"] for entry in read_audit(session, after=after, limit=100)]


@ON_SQLITE
def test_a_session_may_what_a_key_may(world):
    """By cookie and token; without the token nothing that changes anything, whatever the route."""
    service = world.service
    people = {"analyst": settled(service, "ann"), "auditor": settled(service, "aud", "auditor")}
    for role, browser in people.items():
        cookie = {"Cookie": f"vedette={browser.cookie}"}
        for route in GUARDED:
            if route.path in {"/logout", "/sessions", "/password"}:  # of the session itself: test_accounts
                continue
            path, _ = world.path(route, of=NOTHING)
            safe = route.method == "GET"
            status = world.ask(route.method, path, cookie).status
            if not safe:
                assert status == 403, route
                status = world.ask(
                    route.method, path, cookie | {"Origin": ORIGIN, "X-Vedette-Csrf": browser.csrf}
                ).status
            assert (status == 403) is (role not in RULES[route.permission]), (role, route, status)
            assert status < 500


@ON_SQLITE
def test_a_key_without_scopes_may_nothing_but_say_what_it_is(world):
    service = world.service
    for role in ("analyst", "supervisor", "administrator", "pilot"):
        service.key(f"empty {role}", role, scopes=[])
        for route in GUARDED:
            path, _ = world.path(route, of=NOTHING)
            status = world.ask(route.method, path, bearer(service.keys[f"empty {role}"])).status
            assert (status == 403) is (route.permission is not Permission.SELF), (role, route, status)


@ON_SQLITE
def test_a_stranger_ends_nobodys_session(world):
    eve = settled(world.service, "eve")
    before = Browser.at(world.service)
    answers = [eve.ask("DELETE", f"/sessions/{each}") for each in (world.objects["session_id"], NOTHING)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert before.login("owner").status_code == 200
