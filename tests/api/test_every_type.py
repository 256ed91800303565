"""Whatever a record is of: it says whose it is, what for and for how long, and the newest word of it counts once."""

import pytest

from api.records.types import TYPE_OF_COLLECTION
from tests.api.samples import record_json

COLLECTIONS = sorted(TYPE_OF_COLLECTION)
CUSTODY = ("owner", "purpose", "marking", "retention_days")


def sent(service, collection, body):
    return service.ask("sensor" if collection == "cues" else "pilot", "POST", f"/{collection}", json=body)


def with_custody(body, **changes):
    """The record with other custody; None leaves a member out. Those of cues have a place of their own."""
    own = body.get("custody", body)
    changed = {name: value for name, value in (own | changes).items() if value is not None}
    return body | {"custody": changed} if "custody" in body else changed


def test_there_are_eight_types():
    assert COLLECTIONS == ["crossings", "cues", "fleets", "plans", "segments", "sensors", "sorties", "vehicles"]


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_no_record_comes_without_owner_purpose_marking_and_retention(service, collection):
    body = record_json(collection)
    for name in CUSTODY:
        answer = sent(service, collection, with_custody(body, **{name: None}))
        assert answer.status_code == 422, (name, answer.text)
        assert any(error["pointer"].endswith(f"/{name}") for error in answer.json()["errors"]), (name, answer.text)
    for wrong in ({"purpose": ""}, {"retention_days": 0}, {"sensitivity": "white"}, {"owner": ""}):
        assert sent(service, collection, with_custody(body, **wrong)).status_code == 422, wrong
    assert service.ask("analyst", "GET", f"/{collection}").json()["features"] == []


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_each_record_says_them_to_whoever_reads_it(service, collection):
    said = {"owner": "USA", "purpose": "rescue", "marking": "REL CHARLIE", "retention_days": 7, "sensitivity": "red"}
    made = sent(service, collection, with_custody(record_json(collection), **said))
    assert made.status_code == 201, made.text
    told = service.ask("analyst", "GET", f"/{collection}/{made.json()['id']}").json()["properties"]
    assert (told.get("custody") or told).items() >= said.items()
    service.clock.now_us += 7 * 86_400_000_000
    assert service.ask("analyst", "GET", f"/{collection}/{made.json()['id']}").status_code == 404


@pytest.mark.parametrize("collection", [each for each in COLLECTIONS if each != "cues"])
def test_the_newest_word_of_it_counts_once(service, collection):
    """In whatever order and however often it comes; a cue is told once and for all: test_cues.py."""
    first, later = "2026-01-01T10:00:00Z", "2026-01-01T10:00:01Z"
    body = record_json(collection) | {"update_time": first, "evidence": None}
    body = body if collection == "crossings" else {name: value for name, value in body.items() if name != "evidence"}
    newer = body | {"update_time": later, "owner": "MEX"}
    other = body | {"update_time": later, "owner": "CAN"}
    steps = (
        (body, 201, "created"),
        (body, 200, "unchanged"),
        (newer, 200, "replaced"),
        (newer, 200, "unchanged"),
        (body, 200, "dropped"),
        (other, 409, None),
        (newer | {"source_id": "b"}, 201, "created"),
    )
    answers = [sent(service, collection, step[0]) for step in steps]
    assert [(answer.status_code, answer.json().get("outcome")) for answer in answers] == [step[1:] for step in steps]
    assert len({answer.json()["id"] for answer in answers[:5]}) == 1
    found = service.ask("analyst", "GET", f"/{collection}").json()["features"]
    told = {each["properties"]["source_id"]: each["properties"] for each in found}
    assert {name: (one["owner"], one["revision"]) for name, one in told.items()} == {"a": ("MEX", 2), "b": ("MEX", 1)}
    events = service.ask("supervisor", "GET", "/events?limit=1000").json()["events"]
    kinds = [event["kind"] for event in events if event["record_id"] == answers[0].json()["id"]]
    assert kinds == ["record.created", "record.replaced"]
