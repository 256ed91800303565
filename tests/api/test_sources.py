"""A pilot's or sensor's key delivers for the sources that it is bound to, and for no other."""

import json

import pytest
from sqlalchemy import text

from api.identity.roles import Principal, Role
from tests.api.raw import raw
from tests.api.test_cues import cue_json
from tests.api.test_live_vehicles import state_json, vehicle_of

BOUND = [
    (None, "vehicle-1", False),  # its own name alone
    (None, "drone", True),
    (["vehicle-1"], "vehicle-1", True),
    (["vehicle-1"], "vehicle-11", False),
    (["vehicle-*"], "vehicle-11", True),
    (["vehicle-*"], "drone", False),
    (["*"], "vehicle-1", True),
]


@pytest.mark.parametrize(("sources", "source", "may"), BOUND)
def test_a_key_delivers_for_its_sources_one_by_one_in_bulk_and_their_evidence(
    service, crossing, clip, sources, source, may
):
    service.key("drone", "pilot", **({} if sources is None else {"sources": sources}))
    known = service.deliver(crossing(source=source))  # by a key that may deliver for all
    assert service.ask("drone", "POST", "/crossings", json=crossing("x", source=source)).status_code == (
        201 if may else 403
    )
    lines = "\n".join(json.dumps(crossing(name, source=source)) for name in "yz").encode()
    answer = service.ask("drone", "POST", "/crossings/bulk", content=lines).json()
    assert answer["counts"] == {"created" if may else "refused": 2}
    put = service.ask("drone", "PUT", f"/crossings/{known}/evidence/clip", content=clip)
    assert put.status_code == (200 if may else 403)
    assert len(service.seen_by("analyst")) == (4 if may else 1)


@pytest.mark.parametrize(("sources", "source", "may"), BOUND)
def test_a_key_says_where_its_own_vehicles_are(service, sources, source, may):
    """Whether there is such a vehicle or not, it is told no more."""
    service.key("drone", "pilot", **({} if sources is None else {"sources": sources}))
    vehicle_of(service, "known", source=source)
    states = [state_json(name, source=source) for name in ("known", "unknown")]
    answer = service.ask("drone", "PUT", "/vehicles/states", json={"states": states}).json()
    assert [each["outcome"] for each in answer["results"]] == (["taken", "unknown"] if may else ["forbidden"] * 2)


def test_a_name_is_no_pattern(service):
    body = {"name": "nort*", "role": "pilot"}
    refused = service.ask("administrator", "POST", "/keys", json=body)
    assert refused.status_code == 422
    assert "give sources" in refused.json()["detail"]
    assert service.ask("administrator", "POST", "/keys", json={**body, "sources": ["nort*"]}).status_code == 201


def test_lines_of_others_are_left_out_and_the_rest_is_stored(service, crossing):
    service.key("drone", "pilot", sources=["a"])
    lines = "\n".join(json.dumps(crossing(source=source)) for source in "bab").encode()
    results = service.ask("drone", "POST", "/crossings/bulk", content=lines).json()["results"]
    assert [one["outcome"] for one in results] == ["refused", "created", "refused"]
    assert "may not deliver for b" in results[0]["note"]


def test_a_sensor_without_sources_is_its_own_name(service):
    service.key("gate-3", "sensor")
    assert service.ask("gate-3", "POST", "/cues", json=cue_json(sensor="gate-3")).status_code == 201
    assert service.ask("gate-3", "POST", "/cues", json=cue_json(sensor="gate-4")).status_code == 403


def test_who_is_bound_to_what_is_listed_and_only_who_delivers_is_bound(service):
    service.key("drone", "pilot", sources=["b", "a*", "b"])
    service.key("gate-3", "sensor")
    listed = {key["name"]: key["sources"] for key in service.ask("administrator", "GET", "/keys").json()}
    assert (listed["drone"], listed["gate-3"], listed["analyst"]) == (["a*", "b"], ["gate-3"], None)
    for role, sources in (("analyst", ["a"]), ("pilot", []), ("pilot", ["a*b"]), ("pilot", [""]), ("pilot", ["**"])):
        wish = {"name": "x", "role": role, "sources": sources}
        assert service.ask("administrator", "POST", "/keys", json=wish).status_code == 422, wish


def test_a_key_without_terms_is_bound_to_its_name(service, crossing):
    key_id = service.key("drone", "pilot", sources=["*"])
    with raw(service.store) as connection:
        connection.execute(text("DELETE FROM api_key_terms WHERE key_id = :id"), {"id": key_id})
    assert service.ask("drone", "POST", "/crossings", json=crossing()).status_code == 403


def test_people_and_the_service_speak_for_any_source():
    assert Principal("a", "anna", Role.PILOT, account_id="a", session_id="s").may_speak_for("vehicle-1")
