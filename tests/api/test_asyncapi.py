"""The description of the feeds: whole, and true of every event that is appended anywhere."""

import ast
import json
import re
from pathlib import Path

import jsonschema
import pytest
from sqlalchemy import select

import api
from api.app import ROUTES
from api.feeds.asyncapi import document
from api.feeds.kinds import KINDS, schema_of
from api.feeds.told import Teller
from api.identity.roles import Principal, Role
from api.store.tables import EventRow
from api.trail.log import INSIDE, event_of

DOCUMENT = document("vedette.test", "https")


def appended_kinds() -> set[str]:
    """The kinds in every call of `append_event` and `append_events`; of a text with holes, what stands before them."""
    found: set[str] = set()
    for path in Path(api.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id not in {"append_event", "append_events", "_tell"}:
                continue
            for given in node.args:
                if isinstance(given, ast.Constant) and isinstance(given.value, str) and "." in given.value:
                    found.add(given.value)
                elif isinstance(given, ast.JoinedStr):
                    first = given.values[0]
                    assert isinstance(first, ast.Constant)
                    found.add(first.value + "*")
    return found


def test_every_kind_that_is_appended_anywhere_is_in_the_table():
    appended = appended_kinds()
    assert "release.created" in appended
    for kind in appended:
        if kind.endswith("*"):
            assert any(name.startswith(kind[:-1]) for name in KINDS), kind
        else:
            assert kind in KINDS, f"{kind} is appended: describe it in api/feeds/kinds.py"


def refs(value) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if "$ref" in value else set()
        return own.union(*(refs(member) for member in value.values()))
    return set().union(*(refs(member) for member in value)) if isinstance(value, list) else set()


def test_every_reference_leads_somewhere_and_every_message_is_sent():
    for ref in refs(DOCUMENT):
        place = DOCUMENT
        for step in ref.removeprefix("#/").split("/"):
            place = place[step]
    assert DOCUMENT["asyncapi"] == "3.0.0"
    for name in KINDS:
        key = name.replace(".", "_")
        assert DOCUMENT["channels"]["stream"]["messages"][key] == {"$ref": f"#/components/messages/{key}"}
        assert DOCUMENT["channels"]["webhook"]["messages"][key] == {"$ref": f"#/components/messages/{key}_call"}
    for operation in DOCUMENT["operations"].values():
        channel = operation["channel"]["$ref"]
        assert all(message["$ref"].startswith(f"{channel}/messages/") for message in operation["messages"])


MEMBERS = {
    "AsyncAPI": "asyncapi* id info* servers defaultContentType channels operations components",
    "info": "title* version* description termsOfService contact license tags externalDocs",
    "server": "host* protocol* protocolVersion pathname description title summary variables security tags "
    "externalDocs bindings",
    "channel": "address messages title summary description servers parameters tags externalDocs bindings",
    "operation": "action* channel* title summary description security tags externalDocs bindings traits messages reply",
    "message": "headers payload correlationId contentType name title summary description tags externalDocs bindings "
    "examples traits",
    "binding": "method query bindingVersion",  # of HTTP, 0.3.0
    "components": "schemas servers channels operations messages securitySchemes serverVariables parameters "
    "correlationIds replies replyAddresses externalDocs tags operationTraits messageTraits serverBindings "
    "channelBindings operationBindings messageBindings",
    "scheme": "type* scheme* bearerFormat description",  # of HTTP
}
"""Members of the objects of AsyncAPI 3.0.0; those with a star must be there."""


def has_members(kind, one):
    names = MEMBERS[kind].split()
    allowed = {name.removesuffix("*") for name in names}
    assert {name[:-1] for name in names if name.endswith("*")} <= one.keys() <= allowed, (kind, one)


def test_the_document_has_the_members_that_asyncapi_has_and_no_other():
    has_members("AsyncAPI", DOCUMENT)
    has_members("info", DOCUMENT["info"])
    has_members("components", DOCUMENT["components"])
    of_components = DOCUMENT["components"]
    for server in DOCUMENT["servers"].values():
        has_members("server", server)
    for channel in DOCUMENT["channels"].values():
        has_members("channel", channel)
        assert channel["address"] is None or channel["address"].startswith("/")
    for operation in DOCUMENT["operations"].values():
        has_members("operation", operation)
        assert operation["action"] in {"send", "receive"}
        has_members("binding", operation["bindings"]["http"])
        assert operation["bindings"]["http"]["method"] in {"GET", "POST"}
    for name, message in of_components["messages"].items():
        has_members("message", message)
        for part in (each for each in (message["payload"], message.get("headers")) if each is not None):
            jsonschema.Draft202012Validator.check_schema(part)
        assert re.fullmatch(r"[\w.-]+", name)  # as names of components are
    for scheme in of_components["securitySchemes"].values():
        has_members("scheme", scheme)
    served = {route.path for route in ROUTES if route.path.endswith("/stream")}
    assert {channel["address"] for channel in DOCUMENT["channels"].values()} == served | {None}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_schema_is_one(kind):
    jsonschema.Draft202012Validator.check_schema(schema_of(kind))


def test_the_document_is_served_to_any_key_and_to_nobody_without(service):
    answer = service.ask("sensor", "GET", "/asyncapi.json")
    assert answer.status_code == 200
    served = answer.json()
    assert served["servers"]["service"]["host"] == "vedette.test"
    assert served["channels"] == DOCUMENT["channels"]
    assert service.ask(None, "GET", "/asyncapi.json").status_code == 401


def test_every_event_of_the_whole_way_fits_its_schema_as_it_is_told(service, crossing, clip):
    """Deliver, replace, review, release, recall, receipt, ends: whatever was appended, told to its audience."""
    bravo = service.partner("bravo")
    agreement = service.agree(bravo, subscriptions=True).json()["id"]
    first, second = service.deliver(crossing("a"), clip=clip), service.deliver(crossing("b"))
    for each in (first, second):
        service.judge(each)
    released = [service.release(each, bravo).json()["id"] for each in (first, second)]
    service.ask("supervisor", "DELETE", f"/releases/{released[0]}")
    assert service.ask("bravo", "POST", f"/recalls/{released[0]}/receipt", json={"erased": True}).is_success
    service.deliver(crossing("b", update_time="2026-01-01T10:00:06.000000Z"))
    service.judge(second, "dismiss")
    url = {"url": "https://93.184.216.34/"}
    webhook = service.ask("bravo", "POST", "/webhooks", json=url).json()["id"]
    service.ask("bravo", "DELETE", f"/webhooks/{webhook}")
    wish = {"partner_id": bravo, "records": ["crossing"]}
    service.ask("bravo", "POST", "/subscriptions", json=wish)
    service.ask("administrator", "DELETE", f"/keys/{service.key('gone', 'analyst')}")
    service.ask("administrator", "DELETE", f"/agreements/{agreement}")
    service.ask("administrator", "DELETE", f"/partners/{bravo}")

    told: dict[str, int] = {}
    inside, partner = Principal("k", "k", Role.ANALYST), Principal("k", "k", Role.PARTNER, bravo)
    now_us = service.clock()
    with service.store.read() as session:
        for row in session.scalars(select(EventRow).order_by(EventRow.seq)):
            who = inside if row.audience == INSIDE else partner
            one = Teller(session, now_us).tell(who, event_of(row))
            jsonschema.Draft202012Validator(schema_of(row.kind)).validate(json.loads(one.body))
            assert row.audience == INSIDE or KINDS[row.kind].partner
            told[row.kind] = told.get(row.kind, 0) + 1
    assert set(told) >= {
        "record.created", "record.replaced", "evidence.stored", "crossing.reviewed", "release.created",
        "release.recalled", "recall.received", "partner.created", "partner.ended", "agreement.created",
        "agreement.ended", "key.issued", "key.revoked", "webhook.created", "webhook.deleted",
    }  # fmt: skip


def test_an_event_with_a_member_that_is_not_described_does_not_fit():
    detail = {"release_id": "a" * 32, "lat": 31.3}
    event = {"n": 1, "time": "t", "kind": "release.created", "record_id": "b" * 32, "record_type": "crossing"}
    event |= {"partner_id": None, "state": "recalled", "feature": None, "detail": detail}
    with pytest.raises(jsonschema.ValidationError, match="lat"):
        jsonschema.Draft202012Validator(schema_of("release.created")).validate(event)
