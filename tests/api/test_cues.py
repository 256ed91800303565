"""Cues of ground sensors at the service."""

import json

import pytest

from api.times import iso
from tests.api.samples import NOON_US
from tests.api.test_routes import assert_problem

DAY_US = 86_400_000_000


def cue_json(number=1, **changes):
    usual = {
        "type": "cue",
        "id": f"{number:032x}",
        "sensor": "gate-3",
        "kind": "motion",
        "phenomenonTime": iso(NOON_US + number),
        "resultTime": iso(NOON_US + number + 1_500_000),
        "location": {"type": "Point", "coordinates": [-110.94, 31.333]},
        "uncertainty_m": 20.4,
        "confidence": 0.87,
        "parameters": {"model": "pir"},
        "custody": {"owner": "guard", "purpose": "border-surveillance", "marking": None, "retention_days": 2},
    }
    return usual | changes


def listed(service, who="analyst", **parameters):
    answer = service.ask(who, "GET", "/cues", params=parameters)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    following = [link["href"].rpartition("cursor=")[2] for link in page["links"] if link["rel"] == "next"]
    return {"cues": [feature["properties"] for feature in page["features"]], "next": [*following, None][0]}


def test_a_cue_is_held_as_it_came_and_once(service):
    for status, outcome in ((201, "created"), (200, "unchanged"), (200, "unchanged")):
        answer = service.ask("sensor", "POST", "/cues", json=cue_json())
        assert (answer.status_code, answer.json()["outcome"]) == (status, outcome)
    (held,) = listed(service)["cues"]
    received, expires = held.pop("received"), held.pop("expires")
    assert (held.pop("revision"), held.pop("etag")) == (1, '"1-0"')
    assert held == cue_json()
    assert received < expires
    events = service.ask("analyst", "GET", "/events").json()["events"]
    told = [(event["kind"], event["detail"]["revision"]) for event in events if event["record_type"] == "cue"]
    assert told == [("record.created", 1)]


def test_another_cue_under_the_same_id_is_refused(service):
    service.ask("sensor", "POST", "/cues", json=cue_json())
    assert_problem(service.ask("sensor", "POST", "/cues", json=cue_json(confidence=0.5)), 409)
    assert [cue["confidence"] for cue in listed(service)["cues"]] == [0.87]


def test_times_of_any_zone_are_held_in_utc(service):
    service.ask("sensor", "POST", "/cues", json=cue_json(phenomenonTime="2026-01-01T05:00:00-07:00"))
    assert listed(service)["cues"][0]["phenomenonTime"] == "2026-01-01T12:00:00.000000Z"


def test_cues_are_found_by_time_sensor_and_kind_page_by_page(service):
    for number in range(1, 8):
        kind = "acoustic" if number % 2 else "motion"
        answer = service.ask("sensor", "POST", "/cues", json=cue_json(number, sensor=f"s{number % 3}", kind=kind))
        assert answer.status_code == 201
    numbers, page = [], listed(service, limit=3)
    while True:
        numbers += [int(cue["id"], 16) for cue in page["cues"]]
        if page["next"] is None:
            break
        page = listed(service, limit=3, cursor=page["next"])
    assert numbers == [7, 6, 5, 4, 3, 2, 1]
    found = {
        name: [int(cue["id"], 16) for cue in listed(service, **{name: value})["cues"]]
        for name, value in (
            ("kind", "motion"),
            ("source", "s1"),
            ("from", iso(NOON_US + 6)),
            ("to", iso(NOON_US + 2)),
        )
    }
    assert found == {"kind": [6, 4, 2], "source": [7, 4, 1], "from": [7, 6], "to": [1]}


def test_a_cue_is_gone_when_its_retention_ends(service, clock):
    service.ask("sensor", "POST", "/cues", json=cue_json())
    clock.now_us += 2 * DAY_US - 60_000_000
    assert len(listed(service)["cues"]) == 1
    clock.now_us += 60_000_000
    assert listed(service)["cues"] == []


def test_a_cue_comes_in_by_one_transaction(service, monkeypatch):
    """It may be shared at once, which takes more than to put it in: nothing is begun that could not end."""
    monkeypatch.setattr(service.store, "put_together", None)
    assert service.ask("sensor", "POST", "/cues", json=cue_json()).status_code == 201


def test_reading_and_writing_cues_is_audited(service):
    record_id = service.ask("sensor", "POST", "/cues", json=cue_json()).json()["id"]
    listed(service)
    answer = service.ask("auditor", "GET", "/audit", params={"limit": 1000}).json()
    entries = [entry["body"] for entry in answer["entries"]]
    told = [(entry["action"], entry["objects"]) for entry in entries if entry["action"].startswith("cue.")]
    assert told == [("cue.deliver", [record_id]), ("cue.list", [record_id])]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"custody": None}, "#/body/custody"),
        ({"custody": {"owner": "guard", "purpose": "x", "marking": "unmarked", "retention_days": 2}}, "#/body/custody"),
        ({"phenomenonTime": "2026-01-01T10:00:00"}, "#/body/phenomenonTime"),
        ({"location": {"type": "Point", "coordinates": [-110.94, 91.0]}}, "#/body/location/coordinates/1"),
        ({"location": {"type": "Point", "coordinates": [-110.94, 31.0, 5.0]}}, "#/body/location/coordinates"),
        ({"kind": "smell"}, "#/body/kind"),
        ({"id": "1"}, "#/body/id"),
        ({"sensor": "a/b"}, "#/body/sensor"),
        ({"confidence": 2}, "#/body/confidence"),
        ({"uncertainty_m": -1}, "#/body/uncertainty_m"),
        ({"actor": 3}, "#/body/actor"),
        ({"type": "heartbeat"}, "#/body/type"),
        ({"parameters": {"azimuth_deg": 360}}, "#/body/parameters/azimuth_deg"),
    ],
)
def test_a_wrong_cue_is_refused_and_the_place_named(service, changes, pointer):
    answer = service.ask("sensor", "POST", "/cues", json=cue_json(**changes))
    body = assert_problem(answer, 422)
    assert pointer in [error["pointer"] for error in body["errors"]], json.dumps(body)
    assert listed(service)["cues"] == []
