"""The feed /cot: what the key may read as events, no more, page after page."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.samples import crossing_json

FIELDS = ["kind", "direction", "status", "method", "position", "ellipse", "border", "confidence", "model", "source"]


def events(service, who, **query):
    answer = service.ask(who, "GET", "/cot", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/xml"
    root = ET.fromstring(answer.content)
    assert root.tag == "events"
    return list(root)


def ids_of(found):
    return [event.find("detail/__vedette").get("id") for event in found if event.find("detail/__vedette") is not None]


def test_those_inside_see_every_crossing_with_a_place_that_was_not_dismissed(service, crossing):
    seen = [service.deliver(crossing(str(n))) for n in range(3)]
    service.deliver(crossing("nowhere", lat=None, lon=None, ellipse=None))
    gone = service.deliver(crossing("gone"))
    service.judge(gone, "dismiss")
    for who in ("pilot", "analyst", "supervisor"):
        assert set(ids_of(events(service, who))) == set(seen)
    for who in ("sensor", "auditor", "administrator"):
        assert service.ask(who, "GET", "/cot").status_code == 403
    assert service.ask(None, "GET", "/cot").status_code == 401


def test_of_two_that_are_one_the_survivor_alone_is_an_event(service, crossing):
    kept, double = service.deliver(crossing("a")), service.deliver(crossing("b"))
    wish = {"into": kept, "reason": "the same person"}
    assert service.ask("analyst", "POST", f"/crossings/{double}/merge", json=wish).status_code == 200
    assert ids_of(events(service, "analyst")) == [kept]


def test_the_link_leads_over_every_page_once(service, crossing):
    ids = {service.deliver(crossing(str(n), time=f"2026-01-01T10:00:0{n}.000000Z")) for n in range(7)}
    seen, path = [], "/cot?limit=2&kind=person"
    while path:
        answer = service.ask("analyst", "GET", path)
        seen += ids_of(ET.fromstring(answer.content))
        link = re.fullmatch(r'<([^>]+)>; rel="next"; type="application/xml"', answer.headers.get("Link", ""))
        path = link and link[1]
    assert len(seen) == 7
    assert set(seen) == ids


def test_filters_are_those_of_the_collection(service, crossing):
    here, there = service.deliver(crossing("a")), service.deliver(crossing("b", lat=40.0, lon=10.0, kind="vehicle"))
    assert ids_of(events(service, "analyst", bbox="-111,31,-110,32")) == [here]
    assert ids_of(events(service, "analyst", kind="vehicle")) == [there]
    assert events(service, "analyst", to="2026-01-01T09:00:00Z") == []
    for wrong in ("x", "1_0,0,11,1", "\u0663,0,4,1"):
        assert service.ask("analyst", "GET", "/cot", params={"bbox": wrong}).status_code == 422
    assert service.ask("analyst", "GET", "/cot", params={"type": "fleet"}).status_code == 422


def test_every_type_with_a_place_has_events(service):
    cue = {
        "type": "cue",
        "id": "1" * 32,
        "sensor": "gate-3",
        "kind": "motion",
        "phenomenonTime": "2026-01-01T11:00:00Z",
        "resultTime": "2026-01-01T11:00:01Z",
        "location": {"type": "Point", "coordinates": [-110.94, 31.333]},
        "uncertainty_m": 5.0,
        "confidence": 0.9,
        "custody": {"owner": "USA", "purpose": "p", "marking": None, "retention_days": 3},
    }
    common = {"source": "a", "source_id": "1", "time": "2026-01-01T11:00:00Z", "update_time": "2026-01-01T11:00:00Z"}
    common |= {"owner": "USA", "purpose": "p", "marking": None, "retention_days": 3}
    place, line = {"lat": 31.3, "lon": -110.9}, [[-110.9, 31.3], [-110.8, 31.3]]
    given_ = {
        "vehicles": common
        | place
        | {"name": "n1", "frame": "copter", "state": "flying", "heading_deg": 10.0, "speed_m_s": 5},
        "sensors": common | place | {"name": "s1", "kind": "radar", "azimuth_deg": 20.0, "range_m": 300.0},
        "segments": common | {"name": "b", "line": line, "own_side": "left", "stand_off_m": 1, "band_depth_m": 1},
        "sorties": common | {"vehicle": "n1", "state": "planned", "take_off": "2026-01-01T11:00:00Z", "way": line},
    }
    assert service.ask("sensor", "POST", "/cues", json=cue).status_code == 201
    for collection, body in given_.items():
        answer = service.ask("pilot", "POST", f"/{collection}", json=body)
        assert answer.status_code == 201, answer.text
    types = {type_: events(service, "analyst", type=type_)[0].get("type") for type_ in (
        "cue", "vehicle", "sensor", "segment", "sortie",
    )}  # fmt: skip
    assert types == {
        "cue": "b-d-m",
        "vehicle": "a-f-A-M-H-Q",
        "sensor": "a-f-G-E-S-R",
        "segment": "u-d-f",
        "sortie": "u-d-f",
    }
    sensor = events(service, "analyst", type="sensor")[0].find("detail/sensor")
    assert (sensor.get("azimuth"), sensor.get("range")) == ("20.0", "300.0")


def test_what_is_shown_is_audited(service, crossing):
    record_id = service.deliver(crossing())
    events(service, "analyst")
    entries = service.ask("auditor", "GET", "/audit", params={"limit": 1000}).json()["entries"]
    assert [entry["body"]["objects"] for entry in entries if entry["body"]["action"] == "cot.list"] == [[record_id]]


def test_a_recalled_or_expired_release_leaves_the_feed(service, crossing, clock):
    bravo = service.partner("bravo")
    service.agree(bravo, valid_until="2026-01-01T12:10:00Z")
    ids = [service.deliver(crossing(str(n))) for n in range(2)]
    for record_id in ids:
        service.judge(record_id)
    releases = [service.release(record_id, bravo).json() for record_id in ids]
    assert set(ids_of(events(service, "bravo"))) == set(ids)
    service.ask("supervisor", "DELETE", f"/releases/{releases[0]['id']}")
    assert ids_of(events(service, "bravo")) == [ids[1]]
    clock.now_us += 700_000_000
    assert events(service, "bravo") == []


@pytest.fixture
def many(service):
    service.bravo = service.partner("bravo")
    service.partner("charlie")
    service.count = 0
    return service


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    fields=st.sets(st.sampled_from(FIELDS)),
    shared=st.booleans(),
    secret=st.text("SECRET<&\"'", min_size=6, max_size=12).map(lambda text: f"Z{text.strip()}Z"),
)
def test_a_partner_never_sees_what_its_agreement_does_not_name(many, fields, shared, secret):
    fields = fields | {"position"} if "ellipse" in fields else fields
    many.count += 1
    agreement = many.agree(many.bravo, fields=sorted(fields)).json()
    body = crossing_json(f"{many.count}", border=secret, confidence=0.123454, source=f"{secret}s")
    record_id = many.deliver(body)
    many.judge(record_id)
    if shared:
        assert many.release(record_id, many.bravo, agreement_id=agreement["id"]).status_code == 201
    text = many.ask("bravo", "GET", "/cot").text
    assert (record_id in text) is (shared and "position" in fields)
    if record_id in text:
        (own,) = [each for each in events(many, "bravo") if each.get("uid") == f"vedette-{record_id}"]
        ours = own.find("detail/__vedette").attrib
        assert {name for name in ("kind", "direction", "status", "method", "border", "confidence") if name in ours} == (
            fields & {"kind", "direction", "status", "method", "border", "confidence"}
        )
    else:
        assert secret not in text
    assert many.ask("charlie", "GET", "/cot").text.endswith("<events></events>")
    many.ask("administrator", "DELETE", f"/agreements/{agreement['id']}")
    assert record_id not in many.ask("bravo", "GET", "/cot").text
