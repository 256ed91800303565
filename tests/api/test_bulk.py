"""Many records at once are what they are one by one; a line that cannot be taken keeps no other out."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from tests.api.conftest import ON_SQLITE
from tests.api.samples import crossing_json
from tests.api.test_sensor_mqtt import CUSTODY, cue_json

MOVES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=12)
AREA = {"type": "Polygon", "coordinates": [[[-112, 31], [-110, 31], [-110, 32], [-112, 32], [-112, 31]]]}
MARKED = {"marking": "REL BRAVO"}


def line(name, update=0, kind=0, **changes):
    usual = {"update_time": f"2026-01-01T11:00:0{update}Z", "kind": ("person", "vehicle")[kind], "evidence": None}
    return json.dumps(crossing_json(name, **(usual | changes)))


def send(service, lines):
    answer = service.ask("pilot", "POST", "/crossings/bulk", content="\n".join(lines))
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


@ON_SQLITE
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MOVES, st.integers(0, 12))
def test_a_batch_beside_a_table(service, moves, cut):
    """In any order, with any repetition, in one batch or two: the newest update stands, the first of equals counts."""
    mark = f"{id(moves)}-{service.clock.now_us}-"
    known, expected = {}, []
    for name, update, kind in moves:
        at = known.get(name)
        if at is None:
            outcome, known[name] = "created", (update, kind, 1)
        elif update > at[0]:
            outcome, known[name] = "replaced", (update, kind, at[2] + 1)
        elif update < at[0]:
            outcome = "dropped"
        else:
            outcome = "unchanged" if kind == at[1] else "conflict"
        expected.append(outcome)
    lines = [line(mark + name, update, kind) for name, update, kind in moves]
    results = [result for part in (lines[:cut], lines[cut:]) if part for result in send(service, part)]
    assert [result["outcome"] for result in results] == expected
    for name, (_, kind, revision) in known.items():
        (id_,) = {result["id"] for (each, *_), result in zip(moves, results, strict=True) if each == name}
        found = service.ask("analyst", "GET", f"/crossings/{id_}").json()["properties"]
        assert (found["revision"], found["kind"]) == (revision, ("person", "vehicle")[kind])
    told = [event["record_id"] for event in service.ask("analyst", "GET", "/events?limit=1000").json()["events"]]
    assert len(service.ask("analyst", "GET", "/crossings?limit=1000").json()["features"]) == len(set(told) - {None})


POISON = {
    "nul": line("x", source="a\0b"),
    "half a pair": line("x", border="X").replace('"X"', '"\\ud83d"'),
    "before the calendar": line("x", time="0001-01-01T00:00:00+23:59"),
    "after the calendar": line("x", update_time="9999-12-31T23:59:59-23:59"),
    "kept for ever": line("x", retention_days=10**30),
    "no number": line("x").replace("31.333", "NaN"),
    "a large number": line("x").replace("31.333", "1e999"),
    "deep": "[" * 15_000,
    "no object": "7",
    "no JSON": "}{",
}


@pytest.mark.parametrize("name", POISON)
def test_a_poisoned_line_is_left_out_alone(service, name):
    results = send(service, [line("before"), POISON[name], line("after")])
    assert [result["outcome"] for result in results] == ["created", "refused", "created"]
    answer = service.ask("pilot", "POST", "/crossings", content=POISON[name].encode())
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize(
    "path", ["/crossings?from=0001-01-01T00:00:00%2B23:59", "/crossings?to=9999-12-31T23:00:00-23:00"]
)
def test_a_time_that_is_none_is_refused(service, path):
    assert service.ask("analyst", "GET", path).status_code == 422


def test_what_a_batch_supersedes_is_taken_back_in_few_questions(service):
    """Each release once, with its reason; the number of statements does not grow with the records."""
    bravo = service.partner("bravo")
    service.agree(bravo)
    names = [f"n{number}" for number in range(60)]
    ids = [result["id"] for result in send(service, [line(name) for name in names])]
    for id_ in ids[::20]:
        service.judge(id_)
        assert service.release(id_, bravo).status_code == 201
    statements = []

    def count(_connection, _cursor, statement, *_more):
        statements.append(statement)

    event.listen(service.store._database.engine, "before_cursor_execute", count)
    results = send(service, [line(name, 1) for name in names])
    event.remove(service.store._database.engine, "before_cursor_execute", count)
    assert {result["outcome"] for result in results} == {"replaced"}
    assert len(statements) < 90
    assert service.seen_by("bravo") == []
    events = service.ask("bravo", "GET", "/events").json()["events"]
    assert [each["record_id"] for each in events if each["kind"] == "release.recalled"] == ids[::20]
    reasons = {each["recall_reason"] for each in service.ask("supervisor", "GET", "/releases").json()}
    assert reasons == {"superseded by revision 2"}


def test_standing_subscriptions_share_a_batch_in_few_questions(service):
    """Each partner gets each cue once, in the order in which they came, whatever the number of its subscriptions."""
    names = ("bravo", "charlie")
    for name in names:
        partner = service.partner(name)
        agreed = service.agree(partner, records=["cue"], subscriptions=True, area=AREA, purposes=[CUSTODY.purpose])
        for _ in range(2):
            wish = {"agreement_id": agreed.json()["id"]}
            assert service.ask(name, "POST", "/subscriptions", json=wish).status_code == 201
    cues = [json.dumps(cue_json(number) | {"custody": CUSTODY.to_json() | MARKED}) for number in range(120)]
    statements = []

    def count(_connection, _cursor, statement, *_more):
        statements.append(statement)

    event.listen(service.store._database.engine, "before_cursor_execute", count)
    results = service.ask("sensor", "POST", "/cues/bulk", content="\n".join(cues)).json()["results"]
    event.remove(service.store._database.engine, "before_cursor_execute", count)
    assert len(statements) < 60
    ids = [result["id"] for result in results]
    for name in names:
        events = service.ask(name, "GET", "/events?limit=500").json()["events"]
        assert [each["record_id"] for each in events] == ids
        features = service.ask(name, "GET", "/cues?limit=500").json()["features"]
        assert sorted(feature["id"] for feature in features) == sorted(ids)
    releases = service.ask("supervisor", "GET", "/releases?limit=1000").json()
    assert len(releases) == 240
    assert service.ask("auditor", "GET", "/audit/verification").json()["intact"] is True
