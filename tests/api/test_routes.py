"""Who gets in, and what comes back when something is wrong."""

import json
import re

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.routing import Mount

from api import Settings
from api.app import ROUTES, create_app, public_paths
from api.described import NOTHING
from api.http import Route
from api.identity.roles import GRANTS, Permission, Role
from api.problems import MEDIA_TYPE
from tests.api.conftest import ON_SQLITE, InProcess

OPEN = {
    ("GET", "/"): 200,
    ("GET", "/console/configuration"): 200,
    ("GET", "/console/{name}"): 404,  # none of this name
    ("GET", "/health"): 200,
    ("GET", "/ready"): 200,
    ("GET", "/transparency"): 200,
    ("GET", "/transparency.json"): 200,
    ("POST", "/login"): 422,  # b"{broken" is no login
    ("GET", "/oidc/login"): 404,  # there is no provider
    ("GET", "/oidc/callback"): 401,
}
FORGED = "vdt_" + "A" * 43


def concrete(path):
    return re.sub(r"\{.*?\}", "0" * 32, path)


def assert_problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    body = answer.json()
    assert body["status"] == status
    assert body["type"].startswith("urn:vedette:problem:")
    assert body["title"]
    return body


@ON_SQLITE
def test_it_serves_the_same_under_another_application(store, service, identity):
    """Those who put it there say so in `root_path`; what is open to all is not open there."""
    key = {"Authorization": f"Bearer {service.keys['analyst']}"}
    app = create_app(Settings(store.directory, identity=identity), store)
    with httpx.Client(transport=InProcess(Starlette(routes=[Mount("/v", app)])), base_url="http://a") as http:
        assert http.get("/v/me", headers=key).json()["role"] == "analyst"
        assert http.get("/v/crossings/" + "f" * 32, headers=key).status_code == 404
        assert http.patch("/v/crossings", headers=key).headers["Allow"] == "GET, HEAD, POST"
        assert http.get("/v/health").status_code == 401


@ON_SQLITE
def test_every_served_route_is_in_the_table(service):
    served = {(method, route.path) for route in service.app.routes for method in route.methods}
    assert served == {(route.method, route.path) for route in ROUTES}
    assert all(isinstance(route, APIRoute) for route in service.app.routes)


@pytest.mark.parametrize(
    ("open_path", "path"),
    [
        ("/maps/{name}", "/maps/secret"),
        ("/maps/{name}", "/maps/{name}/tiles"),
        ("/maps/{name}", "/{folder}/{name}"),
        ("/maps/{name}", "/{path:path}"),
        ("/login", "/login"),
        ("/login", "/{name}"),
    ],
)
def test_a_route_that_needs_a_permission_is_not_put_where_everybody_may_go(open_path, path):
    opened = Route("GET", open_path, concrete, None, answers=NOTHING)
    guarded = Route("POST", path, concrete, Permission.SELF, answers=NOTHING)
    assert public_paths([opened, Route("GET", "/map", concrete, Permission.SELF, answers=NOTHING)])
    with pytest.raises(ValueError, match="is open to all"):
        public_paths([opened, guarded])


@ON_SQLITE
@pytest.mark.parametrize(
    "key", [None, "", "Bearer", "Basic dXNlcjpwYXNz", f"Bearer {FORGED}", "Bearer \x7f", "Bearer é"]
)
def test_every_route_but_the_open_ones_needs_a_key(service, key):
    for route in ROUTES:
        headers = {} if key is None else {"Authorization": key.encode()}
        answer = service.http.request(route.method, concrete(route.path), headers=headers, content=b"{broken")
        if (route.method, route.path) in OPEN:
            assert answer.status_code == OPEN[route.method, route.path], route
        else:
            assert_problem(answer, 401)
            assert answer.headers["WWW-Authenticate"] == "Bearer"


@ON_SQLITE
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_what_does_not_exist_needs_a_key_too(service, method):
    for path in ("/docs", "/redoc", "/admin", "/crossings/", "/Health", "/health/"):
        assert_problem(service.http.request(method, path), 401)


def test_duties_are_separate():
    may = {permission: {role for role in Role if permission in GRANTS[role]} for permission in Permission}
    assert may[Permission.REVIEW] == {Role.ANALYST}
    assert may[Permission.RELEASE] == {Role.SUPERVISOR}
    assert may[Permission.AUDIT_READ] == {Role.AUDITOR}
    assert may[Permission.KEY_WRITE] == may[Permission.POLICY_WRITE] == {Role.ADMINISTRATOR}
    assert may[Permission.CROSSING_WRITE] == {Role.PILOT}
    assert may[Permission.CUE_WRITE] == {Role.SENSOR}
    assert may[Permission.CUE_READ] == {Role.PILOT, Role.ANALYST, Role.SUPERVISOR, Role.PARTNER}
    assert may[Permission.ASSET_WRITE] == {Role.PILOT}
    assert may[Permission.RECEIPT] == may[Permission.SUBSCRIBE] == {Role.PARTNER}
    assert GRANTS[Role.SENSOR] == {Permission.CUE_WRITE, Permission.SELF}
    assert Role.ADMINISTRATOR not in may[Permission.CROSSING_READ]
    assert {Permission.POLICY_READ, Permission.REVIEW_READ, Permission.AUDIT_READ}.isdisjoint(GRANTS[Role.PARTNER])


def test_unknown_and_forbidden_look_the_same(service, crossing):
    service.partner("bravo")
    hidden = service.deliver(crossing())
    answers = [
        service.ask("bravo", "GET", f"/crossings/{crossing_id}").json() for crossing_id in (hidden, "f" * 32, "x")
    ]
    details = {answer["detail"].replace(hidden, "*").replace("f" * 32, "*").replace(" x ", " * ") for answer in answers}
    assert len(details) == 1
    assert all(answer["status"] == 404 for answer in answers)


@ON_SQLITE
def test_other_errors_are_problems_too(service):
    assert_problem(service.ask("pilot", "GET", "/nowhere"), 404)
    assert_problem(service.ask("pilot", "PATCH", "/crossings"), 405)
    assert_problem(service.ask("auditor", "GET", "/audit", params={"after": "-1"}), 422)
    assert_problem(service.ask("auditor", "GET", "/audit", params={"after": str(2**63)}), 422)
    assert_problem(service.ask("analyst", "GET", "/crossings", params={"limit": "1001"}), 422)
    assert_problem(service.ask("analyst", "GET", "/crossings", params={"cursor": "1;DROP TABLE"}), 422)
    for bbox in ("1,2,3", "a,b,c,d", "0,10,1,-10", "-181,0,0,1", "nan,0,1,1"):
        assert_problem(service.ask("analyst", "GET", "/crossings", params={"bbox": bbox}), 422)


def test_a_nul_in_an_address_is_nobodys_name_on_either_database(service):
    for route in ROUTES:
        if route.permission is None:
            continue
        if "{" in route.path:
            assert_problem(service.ask("supervisor", route.method, re.sub(r"\{.*?\}", "a%00b", route.path)), 404)
        if route.method == "GET":
            assert_problem(service.ask("supervisor", "GET", f"{concrete(route.path)}?source=b%00&kind=%00"), 422)
    refused = service.ask("auditor", "GET", "/audit", params={"limit": 1000}).json()["entries"]
    assert {entry["body"]["detail"].get("status") for entry in refused} >= {404, 422}


@ON_SQLITE
@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"time": "2026-01-01T10:00:00"}, "#/body/time"),  # no zone
        ({"update_time": "yesterday"}, "#/body/update_time"),
        ({"lat": 91.0}, "#/body/lat"),
        ({"lat": float("nan")}, "#/body/lat"),
        ({"lat": None}, "#/body"),  # without its lon
        ({"confidence": 1.1}, "#/body/confidence"),
        ({"kind": "dog"}, "#/body/kind"),
        ({"marking": "unmarked"}, "#/body"),
        ({"marking": ""}, "#/body/marking"),
        ({"purpose": ""}, "#/body/purpose"),
        ({"retention_days": 0}, "#/body/retention_days"),
        ({"source_id": "a\u0000b"}, "#/body/source_id"),
        ({"source_id": "\ud800"}, "#/body/source_id"),
        ({"surname": "Doe"}, "#/body/surname"),
        ({"evidence": {"manifest": "../x", "clip": "a.ts", "sha256": "0" * 64}}, "#/body/evidence/manifest"),
        ({"evidence": {"manifest": "x", "clip": "/a.ts", "sha256": "0" * 64}}, "#/body/evidence/clip"),
    ],
)
def test_a_wrong_crossing_is_refused_and_the_place_named(service, crossing, changes, pointer):
    content = json.dumps(crossing(**changes))
    answer = service.ask("pilot", "POST", "/crossings", content=content, headers={"Content-Type": "application/json"})
    body = assert_problem(answer, 422)
    assert pointer in [error["pointer"] for error in body["errors"]]
    assert service.seen_by("analyst") == []


@ON_SQLITE
def test_a_body_over_the_limit_is_refused(service, crossing, clip):
    big = crossing(owner="x" * 30_000)
    assert_problem(service.ask("pilot", "POST", "/crossings", json=big), 413)
    chunks = (b"x" * 1000 for _ in range(200))  # no Content-Length
    headers = {"Content-Type": "application/json"}
    assert_problem(service.ask("pilot", "POST", "/crossings", content=chunks, headers=headers), 413)
    crossing_id = service.deliver(crossing())
    path = f"/crossings/{crossing_id}/evidence/clip"
    assert_problem(service.ask("pilot", "PUT", path, content=b"x" * 100_001), 413)
    assert_problem(service.ask("pilot", "PUT", path, content=(b"x" * 1000 for _ in range(101))), 413)
    assert list(service.store.objects.folder.rglob("*.tmp")) == []
    assert service.ask("pilot", "PUT", path, content=clip).status_code == 200


@ON_SQLITE
def test_a_body_must_say_that_it_is_json(service, crossing):
    answer = service.ask("pilot", "POST", "/crossings", content=json.dumps(crossing()))
    assert_problem(answer, 422)


@ON_SQLITE
def test_answers_are_not_cached_or_sniffed(service):
    answer = service.ask("pilot", "GET", "/crossings")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


@ON_SQLITE
def test_an_error_inside_says_nothing_of_the_inside(service, monkeypatch, caplog):
    def broken(*_args, **_more):
        raise RuntimeError("secret detail at /home/somebody")

    monkeypatch.setattr("api.records.endpoints.list_readable", broken)
    body = assert_problem(service.ask("analyst", "GET", "/crossings"), 500)
    assert "detail" not in body
    assert "secret detail" in caplog.text  # but the log has it


def test_a_success_that_nobody_wrote_down_does_not_leave(service, crossing, monkeypatch):
    service.deliver(crossing())
    monkeypatch.setattr("api.http.append_audit", lambda *_args, **_more: None)
    answer = service.ask("analyst", "GET", "/crossings")
    assert_problem(answer, 500)
    assert "31.333" not in answer.text


@ON_SQLITE
def test_openapi_names_the_permission_of_every_route(service):
    document = service.ask("pilot", "GET", "/openapi.json").json()
    for route in ROUTES:
        operation = document["paths"][route.template][route.method.lower()]
        assert operation.get("x-vedette-permission") == route.permission
        assert MEDIA_TYPE in operation["responses"]["default"]["content"]


@ON_SQLITE
def test_page_runs_nothing_from_outside(service):
    answer = service.http.get("/")
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", answer.text)


GUARDED = [route for route in ROUTES if route.permission is not None]


def one_who_may(service, permission):
    """By the key of somebody who may: `service` has none of a partner, and its administrator may make one."""
    return next(role for role in GRANTS if permission in GRANTS[role] and role in service.keys)


@pytest.fixture
def everybody(service):
    service.partner("partner")
    return service


@ON_SQLITE
def test_no_route_passes_over_a_parameter_that_it_does_not_know_or_that_comes_twice(everybody):
    """`?wating=true` answered everything, as if nothing had been asked."""
    assert len(GUARDED) > 100
    for route in GUARDED:
        path, role = concrete(route.path), one_who_may(everybody, route.permission)
        problem = assert_problem(everybody.ask(role, route.method, f"{path}?wating=true"), 400)
        assert "'wating' is not known here" in problem["detail"], route
    problem = assert_problem(everybody.ask("supervisor", "GET", "/releases?limit=1&limit=2"), 400)
    assert "'limit' is given twice" in problem["detail"]


@ON_SQLITE
def test_who_may_not_ask_learns_nothing_of_parameters(everybody):
    assert_problem(everybody.ask("partner", "GET", "/accounts?wating=true"), 403)


@ON_SQLITE
def test_a_body_that_would_be_lost_is_refused(everybody):
    """A recall took `{"reason": ...}`, answered 204 and wrote no reason down."""
    for route in GUARDED:
        if route.method == "DELETE":
            asked = everybody.ask(
                one_who_may(everybody, route.permission), "DELETE", concrete(route.path), json={"reason": "why"}
            )
            assert asked.status_code in {400, 422}, route
    wrong = assert_problem(everybody.ask("supervisor", "DELETE", "/releases/" + "f" * 32, json={"reason": "why"}), 400)
    assert wrong["detail"] == "a DELETE of this takes no body: give reason in the address, after ?"
