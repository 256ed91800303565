"""The OpenAPI document is true: whatever is sent, each role gets what it says, and never a failure of the server.

A short run of made-up requests by default; VEDETTE_SCHEMA_EXAMPLES=50 makes a long one over every type of record.
"""

import os
import re
import warnings

import openapi_spec_validator
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import ROUTES
from api.identity.roles import GRANTS, Permission, Role
from tests.api.conftest import ON_SQLITE
from tests.api.people import PASSWORD, make_account
from tests.api.samples import crossing_json

EXAMPLES = int(os.environ.get("VEDETTE_SCHEMA_EXAMPLES", "0"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Alike but for the type: the short run takes two of the eight.
LEFT_OUT = ("fleets", "plans", "sorties", "vehicles", "sensors", "segments")
MUTED = list(HealthCheck)
ROLE_NAMES = [role.value for role in Role]


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    """A body of lines is made up as a text."""
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


OPEN = {
    "/openapi.json",
    "/asyncapi.json",  # test_asyncapi.py holds it to what AsyncAPI says
    *(route.path for route in ROUTES if route.path.startswith("/ogc")),  # which others may extend: test_ogc.py
}
"""Whose answers may have members that are not described."""


def test_what_is_answered_is_described_to_its_last_member():
    for route in ROUTES:
        assert "default" in route.answers, f"{route.method} {route.path} does not say how it refuses"
        successes = [response for status, response in route.answers.items() if status != "default"]
        assert successes, f"{route.method} {route.path} does not say what it answers"
        schemas = [each["schema"] for response in successes for each in response.get("content", {}).values()]
        loose = [schema for schema in schemas if schema.get("type") == "object" and "properties" not in schema]
        assert not loose or route.path in OPEN, f"{route.method} {route.path} may answer any object"


ONE_DATABASE = pytest.mark.parametrize("databases", ["sqlite", "postgres"] if EXAMPLES else ["sqlite"], indirect=True)


@ONE_DATABASE
def test_the_document_is_valid(service):
    document = service.ask("pilot", "GET", "/openapi.json").json()
    openapi_spec_validator.validate(document)
    assert document["openapi"].startswith("3.1")
    for route in ROUTES:
        operation = document["paths"][route.template][route.method.lower()]
        assert ({"key": []} in operation["security"]) == (route.permission is not None)
        assert "422" not in operation["responses"]


@ON_SQLITE
def test_an_operation_has_a_name_that_a_client_can_call_it_by(service):
    """Short, its own, a word of Python and of TypeScript; and what others have built upon keeps its name."""
    paths = service.ask("pilot", "GET", "/openapi.json").json()["paths"]
    named = {one["operationId"]: (method, path) for path, item in paths.items() for method, one in item.items()}
    assert len(named) == sum(len(item) for item in paths.values())
    for name, (method, path) in named.items():
        assert re.fullmatch(rf"{method}(_[a-z]+)+", name), (name, path)
        assert len(name) <= 36, name
    known = {
        "get_crossings": "/crossings",
        "post_crossing": "/crossings",
        "post_crossings": "/crossings/bulk",
        "get_crossing": "/crossings/{record_id}",
        "post_review": "/crossings/{record_id}/reviews",
        "get_launch_plan": "/launches/{launch_id}/plan",
        "get_planning_file": "/plannings/{planning_id}/files/{name}",
        "post_release": "/releases",
        "delete_release": "/releases/{release_id}",
        "get_ogc_crossings_items": "/ogc/collections/crossings/items",
    }
    assert {name: named[name][1] for name in known} == known


@ON_SQLITE
def test_a_session_is_used_by_what_the_document_says_of_it(service):
    """A program that knows the document alone: cookie and token by their names there, and none of both is too much."""
    document = service.ask("pilot", "GET", "/openapi.json").json()
    schemes = document["components"]["securitySchemes"]
    _, secret = make_account(service, "pat", "supervisor")
    given = {"login": "pat", "password": secret, "new_password": PASSWORD}
    entered = service.http.post("/login", json=given)
    cookie = f"{schemes['session']['name']}={entered.cookies[schemes['session']['name']]}"
    sent = {"session": ("Cookie", cookie), "token": (schemes["token"]["name"], entered.json()["csrf"])}
    for method, path, known in (("GET", "/me", 200), ("DELETE", f"/releases/{'0' * 32}", 404)):
        template = path.replace("0" * 32, "{release_id}")
        (wanted,) = [one for one in document["paths"][template][method.lower()]["security"] if "session" in one]
        for names in (wanted, *({name for name in wanted if name != left_out} for left_out in wanted)):
            service.http.cookies.clear()
            headers = {"Origin": "http://vedette.test"} | dict(sent[name] for name in names)
            answer = service.http.request(method, path, headers=headers)
            assert (answer.status_code == known) == (names == wanted), answer.text


@pytest.fixture
def lived_in(service):
    """A service with something of everything, and the ids by which paths name it."""
    partner_id = service.partner("bravo")
    service.keys["partner"] = service.keys["bravo"]
    agreement = service.agree(partner_id, subscriptions=True).json()
    crossing_id = service.deliver(crossing_json(), clip=None)
    waiting = service.deliver(crossing_json("b", lat=None, lon=None, ellipse=None))
    erased = service.deliver(crossing_json("c"))
    service.judge(crossing_id)
    release = service.release(crossing_id, partner_id).json()
    wish = {"agreement_id": agreement["id"], "kinds": ["person"]}

    def made(who, path, **body):
        answer = service.ask(who, "POST", path, json=body)
        assert answer.is_success, answer.text
        return answer.json().get("id")

    made("partner", "/subscriptions", **wish)
    made("supervisor", "/erasures", record_id=erased, reason="asked for")
    made("analyst", f"/crossings/{waiting}/claim")
    made("analyst", f"/crossings/{crossing_id}/annotations", text="a note")
    attach = [{"record_id": crossing_id, "reason": "the same night"}]
    ids = {
        "record_id": crossing_id,
        "feature_id": crossing_id,
        "part": "clip",
        "release_id": release["id"],
        "hold_id": made("supervisor", "/holds", record_id=crossing_id, reason="court order"),
        "webhook_id": made("supervisor", "/webhooks", url="https://1.1.1.1/hook"),  # never sent to
        "case_id": made("analyst", "/cases", title="night", note="begun", attach=attach),
    }
    return service, ids


def send(service, who, case):
    """One made-up request, through the same client as every test."""
    made = requests.Request(**case.as_transport_kwargs(base_url="http://vedette.test")).prepare()
    headers = {name: value for name, value in made.headers.items() if name.lower() != "authorization"}
    headers["Authorization"] = f"Bearer {service.keys[who]}"
    answer = service.http.request(made.method, made.url, headers=headers, content=made.body)
    given_headers = {name: [value] for name, value in answer.headers.items()}
    return schemathesis.Response(answer.status_code, given_headers, answer.content, made, 0.1, verify=False)


def tried(service, may, operation, ids):
    """Make up requests of an operation and send each as every role; those that are not in `may` are refused."""
    known = {one.name: ids[one.name] for one in operation.path_parameters if one.name in ids}
    strategy = operation.as_strategy() | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    if known and operation.method.upper() != "DELETE":
        strategy |= operation.as_strategy(path_parameters=known)

    @given(strategy)
    @settings(
        max_examples=EXAMPLES or 3,
        database=None,
        deadline=None,
        derandomize=not EXAMPLES,
        phases=[Phase.generate],
        suppress_health_check=MUTED,
    )
    def all_is_as_described(case):
        for role in ROLE_NAMES:
            try:
                answer = send(service, role, case)
                case.validate_response(answer, checks=CHECKS)
                # 404: a made-up parameter may lead past every route. 413: a body that is too long is read by nobody.
                assert role in may or answer.status_code in {403, 404, 405, 413, 422}
                assert role in may or answer.headers["content-type"] == ["application/problem+json"]
            except BaseException as error:
                error.add_note(f"asked as {role}")
                raise

    all_is_as_described()


@ONE_DATABASE
def test_every_role_gets_what_is_described(lived_in):
    service, ids = lived_in
    document = service.ask("pilot", "GET", "/openapi.json").json()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schema = schemathesis.openapi.from_dict(document)
        tries = 0
        for result in schema.get_all_operations():
            operation = result.ok()
            if operation.path in {
                "/events/stream",
                "/vehicles/stream",
                "/records/stream",
                "/orders/stream",
                "/stations/stream",
            }:  # `test_matrix.py` takes their heads
                continue
            if not EXAMPLES and any(f"/{name}" in operation.path for name in LEFT_OUT):
                continue
            wanted = document["paths"][operation.path][operation.method].get("x-vedette-permission")
            may = {role.value for role in Role if wanted is None or Permission(wanted) in GRANTS[role]}
            tried(service, may, operation, ids)
            tries += 1
    assert tries > 40
