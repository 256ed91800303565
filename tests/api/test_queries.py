"""What a query and its conditions say: numbers and truths as everybody writes them, and nothing sent to who has it."""

from urllib.parse import quote

import pytest

from api.app import ROUTES
from api.identity.roles import GRANTS, Role
from tests.api.conftest import ON_SQLITE
from tests.api.samples import crossing_json

NO_INTEGERS = ("1_0", "+1", "1.0", " 1", "1 ", "0x1", "1e1", "\u0661", "\u00b2", "true", "", "9" * 5000)
"""Python takes most of these for an integer."""
NO_TRUTHS = (
    "yes",
    "on",
    "1",
    "t",
    "True",
    "TRUE",
    "no",
    "off",
    "0",
    "n",
    "f",
    "False",
    " true",
    "true ",
    "null",
    "",
    "2",
)
"""Pydantic takes most of these for true or false."""
NO_NUMBERS = ("1_0", "\u0661", "nan", "inf", "1e", "")


def holder_of(permission):
    """A role that may ask."""
    return next(role.value for role in Role if permission is None or permission in GRANTS[role])


def numbers_of(service, kind):
    """Operations and parameters that are numbers of that kind, or truths, by the document."""
    paths = service.ask("pilot", "GET", "/openapi.json").json()["paths"]
    for route in ROUTES:
        if route.method != "GET":
            continue
        parameters = paths[route.template]["get"].get("parameters", [])
        for one in parameters:
            kinds = [one["schema"].get("type"), *(each.get("type") for each in one["schema"].get("anyOf", ()))]
            if one["in"] == "query" and kind in kinds:
                others = {each["name"]: "1" for each in parameters if each.get("required") and each["in"] == "query"}
                yield route, one["name"], others


@ON_SQLITE
@pytest.mark.parametrize(("kind", "texts"), [("integer", NO_INTEGERS), ("number", NO_NUMBERS), ("boolean", NO_TRUTHS)])
def test_a_number_or_a_truth_that_only_python_knows_is_refused_wherever_one_is_asked_for(service, kind, texts):
    service.partner("bravo")
    service.keys["partner"] = service.keys["bravo"]
    asked = 0
    for route, name, others in numbers_of(service, kind):
        who = holder_of(route.permission)
        path = route.template.replace("{", "").replace("}", "")
        for text in texts:
            query = "&".join(f"{key}={quote(value)}" for key, value in (others | {name: text}).items())
            # A stream is refused for this, too: it would not end.
            answer = service.ask(who, "GET", f"{path}?{query}", headers={"Accept": "*/*"})
            assert answer.status_code == (400 if path.startswith("/ogc/") else 422), (path, name, text)
        asked += 1
    assert asked >= {"integer": 30, "number": 2, "boolean": 3}[kind]


@ON_SQLITE
def test_a_plain_number_is_taken_with_zeros_before_it_and_one_beyond_its_bounds_refused(service):
    for _ in range(3):
        service.deliver(crossing_json(f"n{_}"))
    assert len(service.ask("analyst", "GET", "/crossings?limit=002").json()["features"]) == 2
    items = "/ogc/collections/crossings/items"
    assert (
        service.ask("analyst", "GET", f"{items}?limit={10**8}").json()["numberReturned"] == 3
    )  # as many as there may be
    for path in ("/crossings?limit=0", "/crossings?limit=1001", "/crossings?limit=-1", f"/events?after={2**63}"):
        assert service.ask("analyst", "GET", path).status_code == 422, path


def etags_of(service):
    """Paths that have an ETag, and who reads them."""
    crossing_id = service.deliver(crossing_json())
    case = service.ask("analyst", "POST", "/cases", json={"title": "a night"}).json()["id"]
    return {
        f"/crossings/{crossing_id}": "analyst",
        f"/ogc/collections/crossings/items/{crossing_id}": "analyst",
        f"/cases/{case}": "analyst",
        "/reviews/policy": "supervisor",
    }


def test_who_has_what_there_is_gets_its_tag_alone_and_the_audit_says_that_it_was_read(service):
    for path, who in etags_of(service).items():
        whole = service.ask(who, "GET", path)
        etag = whole.headers["ETag"]
        for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            for method in ("GET", "HEAD"):
                answer = service.ask(who, method, path, headers={"If-None-Match": known})
                assert (answer.status_code, answer.content) == (304, b""), (path, known)
                assert answer.headers["ETag"] == etag
                assert answer.headers["Cache-Control"] == "no-store"
        for other in ('"other"', etag.strip('"'), "W/*", "none"):
            answer = service.ask(who, "GET", path, headers={"If-None-Match": other})
            assert (answer.status_code, answer.content) == (200, whole.content), (path, other)
    entries = service.ask("auditor", "GET", "/audit?limit=1000").json()["entries"]
    deeds = [entry["body"]["action"] for entry in entries]
    assert deeds.count("crossing.read") == 2 * (1 + 8 + 4)


def test_a_tag_tells_nobody_of_what_they_may_not_read_and_an_old_one_is_answered_whole(service):
    service.partner("outsider")
    crossing_id = service.deliver(crossing_json())
    path = f"/crossings/{crossing_id}"
    etag = service.ask("analyst", "GET", path).headers["ETag"]
    for known in (etag, "*"):
        assert service.ask("outsider", "GET", path, headers={"If-None-Match": known}).status_code == 404
    service.judge(crossing_id)
    answer = service.ask("analyst", "GET", path, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.headers["ETag"] != etag) == (200, True)


@ON_SQLITE
def test_the_document_names_the_condition_wherever_it_counts(service):
    document = service.ask("pilot", "GET", "/openapi.json").json()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            names = [each["name"] for each in operation.get("parameters", ())]
            tagged = method == "get" and "ETag" in operation["responses"].get("200", {}).get("headers", {})
            assert ("If-None-Match" in names) == ("304" in operation["responses"]), path
            assert not tagged or "304" in operation["responses"], path


@ON_SQLITE
@pytest.mark.parametrize(
    "accept", ["text/html", "text/event-stream;q=0", "text/event-stream; q=0.000, */*", "text/*;q=0"]
)
def test_who_takes_no_stream_of_events_gets_none(service, accept):
    for path in ("/events/stream", "/records/stream", "/vehicles/stream"):
        assert (
            service.ask(
                "pilot" if "event" not in path else "analyst", "GET", path, headers={"Accept": accept}
            ).status_code
            == 406
        )


@ON_SQLITE
def test_a_range_counts_for_the_very_file_that_it_was_begun_of(service, clip):
    """If-Range (RFC 9110, 13.1.5): else the file is sent whole, as it is where ranges lie over each other."""
    crossing_id = service.deliver(crossing_json(), clip=clip)
    path = f"/crossings/{crossing_id}/evidence/clip"
    etag = service.ask("analyst", "GET", path).headers["ETag"]
    part, whole = (206, clip[10:20]), (200, clip)
    for named, expected in ((etag, part), ('"other"', whole), (f"W/{etag}", whole), ("*", whole), ("", whole)):
        answer = service.ask("analyst", "GET", path, headers={"Range": "bytes=10-19", "If-Range": named})
        assert (answer.status_code, answer.content) == expected, named
    for several in ("bytes=0-9,5-14", "bytes=0-,0-,0-", f"bytes=0-{'9' * 40}", f"bytes=-{'9' * 40}"):
        answer = service.ask("analyst", "GET", path, headers={"Range": several})
        assert answer.content == clip, several
    assert service.ask("analyst", "GET", path, headers={"Range": f"bytes={'9' * 18}-"}).status_code == 416


def test_no_file_says_when_it_came_in(service, clip):
    """Last-Modified of evidence would be that: "received" is for those inside, and so is when a copy was made.

    What is not sent is no condition either (RFC 9110, 13.1.3, 13.1.5): the file is sent whole.
    """
    bravo = service.partner("bravo")
    assert service.agree(bravo, fields=["kind", "position", "clip"]).status_code == 201
    crossing_id = service.deliver(crossing_json(), clip=clip)
    service.judge(crossing_id)
    released = service.release(crossing_id, bravo)
    assert released.status_code == 201, released.text
    path = f"/crossings/{crossing_id}/evidence/clip"
    etag = service.ask("bravo", "GET", path).headers["ETag"]
    late = "Fri, 31 Dec 2199 23:59:59 GMT"
    for who in ("bravo", "analyst"):
        for asked in ({}, {"If-Modified-Since": late}, {"Range": "bytes=0-9", "If-Range": late}):
            answer = service.ask(who, "GET", path, headers=asked)
            assert (answer.status_code, answer.content) == (200, clip), asked
            assert "Last-Modified" not in answer.headers
        for asked in ({"Range": "bytes=0-9"}, {"If-None-Match": etag}, {"If-Match": '"other"'}):
            assert "Last-Modified" not in service.ask(who, "GET", path, headers=asked).headers
    page = service.http.get("/")
    assert (page.status_code, "Last-Modified" in page.headers) == (200, False)
