"""Delivery once each, reading by page and filter, review by If-Match."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vision


def post(service, body):
    return service.ask("pilot", "POST", "/crossings", json=body)


def test_the_same_again_changes_nothing(service, crossing):
    first = post(service, crossing())
    assert (first.status_code, first.json()["outcome"]) == (201, "created")
    # The same moment written in another zone is the same content.
    again = post(service, crossing(time="2026-01-01T03:00:00.000001-07:00"))
    assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
    assert again.json()["id"] == first.json()["id"]
    events = service.ask("analyst", "GET", "/events").json()["events"]
    assert [event["kind"] for event in events if event["record_type"] == "crossing"] == ["record.created"]


def test_an_older_update_is_dropped_and_says_so(service, crossing):
    post(service, crossing())
    answer = post(service, crossing(update_time="2026-01-01T10:00:04Z", kind="vehicle"))
    assert answer.status_code == 200
    assert answer.json()["outcome"] == "dropped"
    assert "2026-01-01T10:00:05.000000Z" in answer.json()["note"]
    assert service.ask("analyst", "GET", "/crossings").json()["features"][0]["properties"]["kind"] == "person"


def test_a_newer_update_replaces_and_must_be_judged_again(service, crossing):
    crossing_id = service.deliver(crossing())
    assert service.judge(crossing_id).status_code == 201
    answer = post(service, crossing(update_time="2026-01-01T10:00:06Z", kind="vehicle"))
    assert answer.json() == {"id": crossing_id, "revision": 2, "outcome": "replaced", "note": None}
    properties = service.ask("analyst", "GET", f"/crossings/{crossing_id}").json()["properties"]
    assert properties["kind"] == "vehicle"
    assert properties["review"] == {"state": "pending"}
    assert len(service.ask("analyst", "GET", f"/crossings/{crossing_id}/reviews").json()) == 1


def test_other_content_under_the_same_update_time_is_a_conflict(service, crossing):
    post(service, crossing())
    answer = post(service, crossing(kind="vehicle"))
    assert answer.status_code == 409
    assert "update_time" in answer.json()["detail"]


def test_many_couriers_at_once_make_one_record(service, crossing):
    start = threading.Barrier(8)
    updates = [crossing(update_time=f"2026-01-01T10:00:{second:02}Z", confidence=second / 100) for second in range(8)]

    def courier(index):
        start.wait()
        return [post(service, updates[(index * 3 + step) % 8]).status_code for step in range(8)]

    with ThreadPoolExecutor(8) as pool:
        codes = [code for done in pool.map(courier, range(8)) for code in done]
    assert set(codes) <= {200, 201}
    assert codes.count(201) == 1
    (feature,) = service.ask("analyst", "GET", "/crossings").json()["features"]
    assert feature["properties"]["confidence"] == 0.07  # the newest won whatever the order
    events = service.ask("analyst", "GET", "/events", params={"limit": 1000}).json()["events"]
    assert [event["n"] for event in events] == list(range(1, len(events) + 1))
    told = [event for event in events if event["record_type"] == "crossing"]
    assert [event["kind"] for event in told] == ["record.created"] + ["record.replaced"] * (len(told) - 1)
    assert [event["detail"]["revision"] for event in told] == list(range(1, len(told) + 1))
    assert feature["properties"]["revision"] == len(told)


@given(order=st.lists(st.integers(0, 5), min_size=1, max_size=12))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_order_the_newest_stays(service, crossing, order):
    source_id = f"order-{service.clock()}"
    for second in order:
        update = f"2026-01-01T11:00:{second:02}Z"
        service.deliver(crossing(source_id, update_time=update, confidence=second / 10))
    found = service.ask("analyst", "GET", "/crossings", params={"limit": "1000"}).json()["features"]
    (mine,) = [f["properties"] for f in found if f["properties"]["source_id"] == source_id]
    assert mine["confidence"] == max(order) / 10


def test_pages_join_without_gap_or_double(service, crossing):
    for number in range(23):  # many share a time: the id decides among them
        service.deliver(crossing(f"n{number}", time=f"2026-01-01T10:00:{number // 5:02}Z"))
    found, path, pages = [], "/crossings?limit=4&kind=person", 0
    while path:
        page = service.ask("analyst", "GET", path).json()
        assert page["type"] == "FeatureCollection"
        assert page["numberReturned"] == len(page["features"]) <= 4
        found += [(f["properties"]["time"], f["id"]) for f in page["features"]]
        path = next((link["href"] for link in page["links"]), None)
        pages += 1
        if pages == 2:  # what arrives meanwhile and is newer does not shift the pages
            service.deliver(crossing("late", time="2026-01-01T11:00:00Z"))
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == 23
    assert pages == 6


def test_filters(service, crossing):
    cases = {
        "early": {"time": "2026-01-01T09:00:00Z"},
        "late": {"time": "2026-01-01T11:00:00Z"},
        "north": {"lat": 32.0},
        "fiji": {"lat": -17.0, "lon": 179.9},
        "samoa": {"lat": -17.0, "lon": -179.9},
        "nowhere": {"lat": None, "lon": None, "ellipse": None, "method": "pixel", "model": None},
        "probable": {"status": "probable", "kind": "vehicle"},
    }
    ids = {service.deliver(crossing(name, **changes)): name for name, changes in cases.items()}

    def seen(**query):
        return {ids[crossing_id] for crossing_id in service.seen_by("analyst", **query)}

    assert seen(**{"from": "2026-01-01T11:00:00Z"}) == {"late"}
    assert seen(to="2026-01-01T09:00:00.000001+00:00") == {"early"}
    assert seen(to="2026-01-01T09:00:00Z") == set()  # half open
    assert seen(bbox="-111,31.9,-110,32.1") == {"north"}
    assert seen(bbox="179,-18,-179,-16") == {"fiji", "samoa"}
    assert "nowhere" not in seen(bbox="-180,-90,180,90")
    assert seen(status="probable") == seen(kind="vehicle") == {"probable"}
    assert seen(review="confirmed") == set()
    service.judge(next(crossing_id for crossing_id, name in ids.items() if name == "early"))
    assert seen(review="confirmed") == {"early"}


def test_a_review_names_the_state_that_it_judges(service, crossing):
    crossing_id = service.deliver(crossing())
    path = f"/crossings/{crossing_id}/reviews"
    body = {"verdict": "confirm"}
    assert service.ask("analyst", "POST", path, json=body).status_code == 428
    etag = service.ask("analyst", "GET", f"/crossings/{crossing_id}").headers["ETag"]
    first = service.ask("analyst", "POST", path, json=body, headers={"If-Match": etag})
    assert first.status_code == 201
    assert first.json()["reviewer"] == "analyst"
    stale = service.ask("analyst", "POST", path, json=body, headers={"If-Match": etag})
    assert stale.status_code == 412
    dismissal = {"verdict": "dismiss"}
    fresh = {"If-Match": first.headers["ETag"]}
    assert service.ask("analyst", "POST", path, json=dismissal, headers=fresh).status_code == 422  # no reason
    dismissal["reason"] = "a deer"
    assert service.ask("analyst", "POST", path, json=dismissal, headers=fresh).status_code == 201
    verdicts = service.ask("supervisor", "GET", path).json()
    assert [(v["verdict"], v["reason"]) for v in verdicts] == [("confirm", None), ("dismiss", "a deer")]


def test_of_two_reviewers_at_once_one_is_told_to_look_again(service, crossing):
    crossing_id = service.deliver(crossing())
    etag = service.ask("analyst", "GET", f"/crossings/{crossing_id}").headers["ETag"]
    start = threading.Barrier(4)

    def judge(_):
        start.wait()
        path = f"/crossings/{crossing_id}/reviews"
        return service.ask("analyst", "POST", path, json={"verdict": "confirm"}, headers={"If-Match": etag}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(judge, range(4))) == [201, 412, 412, 412]


def test_evidence_is_what_the_crossing_declares(service, crossing, clip, monkeypatch):
    crossing_id = service.deliver(crossing())
    path = f"/crossings/{crossing_id}/evidence"
    wrong = service.ask("pilot", "PUT", f"{path}/clip", content=clip + b"!")
    assert wrong.status_code == 422
    assert list(service.store.objects.folder.rglob("*")) == []  # nothing unwanted stays
    assert service.ask("analyst", "GET", f"{path}/clip").status_code == 404
    for _ in range(2):
        assert service.ask("pilot", "PUT", f"{path}/clip", content=clip).status_code == 200
    assert service.ask("pilot", "PUT", f"{path}/manifest", content=b"{}").status_code == 200
    assert service.ask("pilot", "PUT", f"{path}/manifest", content=b"[]").status_code == 409  # never overwritten
    assert service.ask("pilot", "PUT", f"{path}/thumbnail", content=b"x").status_code == 404  # not announced
    assert service.ask("pilot", "PUT", f"{path}/..%2f..%2fx", content=b"x").status_code == 404
    got = service.ask("analyst", "GET", f"{path}/clip")
    assert got.content == clip
    assert got.headers["content-type"] == "video/mp2t"
    part = service.ask("analyst", "GET", f"{path}/clip", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, clip[10:20])
    size = len(clip)
    for none in ("bytes=5-2", "lines=1-2", "bytes=", "bytes=a-b", "bytes 0-1", "bytes=--1", "bytes=1-2,4-5", "5-2"):
        whole = service.ask("analyst", "GET", f"{path}/clip", headers={"Range": none})
        assert (whole.status_code, whole.content) == (200, clip), none
    for beyond in (f"bytes={size}-", f"bytes={size + 5}-{size + 9}", "bytes=-0"):
        refused = service.ask("analyst", "GET", f"{path}/clip", headers={"Range": beyond})
        assert (refused.status_code, refused.headers["Content-Range"]) == (416, f"bytes */{size}"), beyond
    for wanted, there in ((f"bytes=-{size + 7}", clip), ("BYTES=-3", clip[-3:]), (f"bytes=7-{size + 70}", clip[7:])):
        part = service.ask("analyst", "GET", f"{path}/clip", headers={"Range": wanted})
        assert (part.status_code, part.content) == (206, there), wanted
    service.partner("outsider")
    for known in (got.headers["ETag"], "*"):  # nobody learns by it that there is what they may not read
        answers = [
            service.ask(who, "GET", f"{path}/clip", headers={"If-None-Match": known}) for who in ("analyst", "outsider")
        ]
        assert [(each.status_code, clip in each.content) for each in answers] == [(304, False), (404, False)]
    monkeypatch.setattr("anyio.open_file", None)  # none of it is read for nobody
    head = service.ask("analyst", "HEAD", f"{path}/clip", headers={"Range": "bytes=10-19"})
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, str(size), b"")
    stored = service.ask("analyst", "GET", f"/crossings/{crossing_id}").json()["properties"]["stored"]
    assert stored["clip"]["size"] == len(clip)
    assert set(stored) == {"clip", "manifest"}


def test_retention_ends_all_reading(service, crossing, clip):
    crossing_id = service.deliver(crossing(retention_days=1), clip=clip)
    assert service.seen_by("analyst") == [crossing_id]
    service.clock.now_us += 86_400_000_000
    assert service.seen_by("analyst") == []
    assert service.ask("analyst", "GET", f"/crossings/{crossing_id}").status_code == 404
    assert service.ask("analyst", "GET", f"/crossings/{crossing_id}/evidence/clip").status_code == 404


@pytest.mark.parametrize("failing", ["api.store.objects.os.replace", "api.store.objects.os.fsync"])
def test_a_full_disk_is_said_and_leaves_nothing(service, crossing, clip, monkeypatch, failing):
    crossing_id = service.deliver(crossing())

    def full(*_args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(failing, full)
        answer = service.ask("pilot", "PUT", f"/crossings/{crossing_id}/evidence/clip", content=clip)
    assert answer.status_code == 503
    assert str(service.store.directory) not in answer.text
    assert [path for path in service.store.objects.folder.rglob("*") if path.is_file()] == []
    assert service.ask("pilot", "PUT", f"/crossings/{crossing_id}/evidence/clip", content=clip).status_code == 200


def test_what_vision_reports_is_what_the_service_takes(service):
    """The two rooms share no code: this holds them to one wire format."""
    reported = vision.Crossing(
        source="vehicle-1",
        source_id="1",
        time_us=1_767_268_800_000_000,
        update_time_us=1_767_268_801_000_000,
        kind="person",
        direction=vision.Direction.INBOUND,
        status=vision.Status.PROBABLE,
        method=vision.Method.GROUND,
        border="Nogales",
        confidence=0.5,
        lat_deg=31.3,
        lon_deg=-110.9,
        ellipse=vision.Ellipse(3.0, 2.0, 10.0),
        evidence=vision.EvidenceRef("m.json", "c.ts", "0" * 64),
    )
    assert post(service, reported.to_json()).status_code == 201
