"""The stream of records: pilots hear of what they may read, not of what was done to it, and go on where they were."""

import json
from datetime import UTC, datetime

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.feeds.asyncapi import RECORDS
from api.feeds.changes import tell_change
from api.feeds.kinds import KINDS
from api.identity.roles import GRANTS, Permission, Principal, Role
from tests.api.live import LASTING, Live, live
from tests.api.samples import CLIP, crossing_json, record_json

PATH = "/records/stream"
TYPES = ("crossing", "cue", "segment", "fleet", "plan", "sortie", "vehicle", "sensor")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with live(tmp_path_factory.mktemp("records")) as made:
        yield made


def cue(service: Live, name: str) -> str:
    now = datetime.now(UTC).isoformat()
    body = record_json("cues", name) | {"phenomenonTime": now, "resultTime": now}
    return service.must("sensor", "POST", "/cues", json=body)["id"]


def judge(service: Live, crossing_id: str, verdict: str) -> None:
    etag = service.ask("analyst", "GET", f"/crossings/{crossing_id}").headers["ETag"]
    body = {"verdict": verdict, "reason": "a doe" if verdict == "dismiss" else None}
    headers = {"If-Match": etag}
    service.must("analyst", "POST", f"/crossings/{crossing_id}/reviews", json=body, headers=headers)


def test_a_pilot_hears_of_crossings_and_cues_as_they_may_be_read_and_not_what_people_did(service: Live):
    mark = service.mark()
    first = service.deliver("a")
    with service.stream("pilot", after=mark, path=PATH) as stream:
        (one,) = stream.take(1)
        heard = cue(service, "heard")
        service.key("unheard", "analyst")  # of the log, and nobody's here
        judge(service, first, "dismiss")
        two, three = stream.take(2)
        for word in ("reviewed", "review_id", "unheard", "issued"):
            assert word not in stream.raw
    assert [(event.kind, event.data["record_id"], event.data["new"]) for event in (one, two, three)] == [
        ("record", first, True),
        ("record", heard, True),
        ("record", first, False),
    ]
    assert three.data["feature"] == service.must("pilot", "GET", f"/crossings/{first}")
    assert three.data["feature"]["properties"]["review"]["state"] == "dismissed"
    for event in (one, two, three):
        jsonschema.Draft202012Validator(RECORDS[event.kind]["payload"]).validate(event.data)
    assert len(service.audited("record.stream")) >= 3


def test_a_crossing_is_told_again_when_its_evidence_has_come(service: Live):
    mark = service.mark()
    crossing_id = service.deliver("filmed", evidence=crossing_json()["evidence"])
    with service.stream("pilot", after=mark, path=PATH) as stream:
        before = next(stream)
        service.must("pilot", "PUT", f"/crossings/{crossing_id}/evidence/clip", content=CLIP)
        after = next(stream)
    assert (before.data["new"], before.data["feature"]["properties"]["stored"]) == (True, {})
    assert after.data["new"] is False
    assert "clip" in after.data["feature"]["properties"]["stored"]
    assert after.data["feature"] == service.must("pilot", "GET", f"/crossings/{crossing_id}")


def test_of_crossings_that_are_merged_and_parted_both_are_told_as_they_are_now(service: Live):
    one, other = service.deliver("one"), service.deliver("other")
    mark = service.mark()
    with service.stream("pilot", after=mark, path=PATH) as stream:
        for deed, more in (("merge", {"into": other}), ("split", {})):
            service.must("analyst", "POST", f"/crossings/{one}/{deed}", json={"reason": "one man", **more})
            told = stream.take(2)
            assert [event.data["record_id"] for event in told] == [other, one]
            assert [event.cursor for event in told] == [None, str(service.mark())]
            for event in told:
                assert event.data["feature"] == service.must("pilot", "GET", f"/crossings/{event.data['record_id']}")
        assert "one man" not in stream.raw


def test_what_comes_to_a_merged_crossing_is_told_of_its_survivor_too(service: Live):
    survivor = service.deliver("stands")
    report = crossing_json("filmed twice", evidence=crossing_json()["evidence"], retention_days=LASTING)
    filmed = service.must("pilot", "POST", "/crossings", json=report)["id"]
    service.must("analyst", "POST", f"/crossings/{filmed}/merge", json={"reason": "one man", "into": survivor})
    mark = service.mark()
    with service.stream("pilot", after=mark, path=PATH) as stream:
        service.must("pilot", "PUT", f"/crossings/{filmed}/evidence/clip", content=CLIP)
        stored = stream.take(2)
        service.must("pilot", "POST", "/crossings", json=report | {"update_time": "2027-01-01T00:00:00Z"})
        replaced = stream.take(2)
    for told, parts in ((stored, {"clip"}), (replaced, set())):
        assert [event.data["record_id"] for event in told] == [survivor, filmed]
        (seen,) = told[0].data["feature"]["properties"]["also_seen"]
        assert set(seen["evidence"]) == parts


def test_a_key_that_is_narrowed_hears_of_no_more_than_it_may_read(service: Live):
    service.key("narrow", "pilot", scopes=["crossing.read"], sources=["*"])
    mark = service.mark()
    with service.stream("narrow", after=mark, path=PATH) as stream:
        hidden = cue(service, "hidden")
        seen = service.deliver("seen")
        assert next(stream).data["record_id"] == seen
        assert hidden not in stream.raw
    service.key("blind", "pilot", scopes=["asset.read"], sources=["*"])
    for who in ("blind", "sensor", "administrator"):
        assert service.ask(who, "GET", PATH).status_code == 403
    assert service.http.get(PATH).status_code == 401


def test_what_was_left_out_is_not_looked_at_again(service: Live):
    """The cursor goes on over what is told to nobody here, and a receiver that resumes with it misses nothing."""
    with service.stream("pilot", path=PATH) as stream:
        service.key("somebody", "analyst")
        while stream.last_id != str(service.mark()):
            one = service.deliver("one")  # whatever comes next: the number before it has come too
            assert next(stream).data["record_id"] == one
        last = stream.last_id
    two = service.deliver("two")
    with service.stream("pilot", last=last, path=PATH) as stream:
        assert next(stream).data["record_id"] == two


def test_an_erased_record_is_gone_and_its_content_with_it(service: Live):
    mark = service.mark()
    crossing_id = service.deliver("erased", lat=31.777123)
    service.must("supervisor", "POST", "/erasures", json={"record_id": crossing_id, "reason": "court order"})
    with service.stream("pilot", after=mark, path=PATH) as stream:
        events = stream.take(2)
        assert "31.777" not in stream.raw
    assert [(event.kind, event.data["record_id"]) for event in events] == [("gone", crossing_id)] * 2


def test_a_partner_hears_of_its_own_releases_by_its_own_numbers(service: Live):
    bravo, charlie = service.partner("bravo"), service.partner("charlie")
    service.released(charlie, "theirs")
    mine, release = service.released(bravo, "mine")
    with service.stream("bravo", after=0, path=PATH) as stream:
        (one,) = stream.take(1)
        service.recall(release)
        (two,) = stream.take(1)
    assert (one.kind, one.cursor, one.data["record_id"], one.data["new"]) == ("record", "1", mine, True)
    assert one.data["feature"]["id"] == mine
    assert "track" not in one.data["feature"]["properties"]  # not in the agreement
    assert (two.kind, two.cursor, two.data["record_id"]) == ("gone", "2", mine)


def test_who_may_not_read_any_more_is_cut_off(service: Live):
    service.key("leaver", "pilot", sources=["*"])
    with service.stream("leaver", path=PATH) as stream:
        service.revoke("leaver")
        assert [(event.kind, event.data) for event in stream if event.kind == "bye"] == [("bye", {"reason": "revoked"})]


class Known:
    """A snapshot in which everything is there, or nothing."""

    def __init__(self, there: bool) -> None:
        self.row = type("Row", (), {"feature": b'{"id":"x"}'}) if there else None

    def readable(self, _principal, _event):
        return self.row


scopes = st.none() | st.frozensets(st.sampled_from(sorted(GRANTS[Role.PILOT])))
whoever = st.builds(
    Principal,
    key_id=st.just("k"),
    name=st.just("k"),
    role=st.sampled_from(list(Role)),
    partner_id=st.none() | st.just("b" * 32),
    scopes=scopes,
)
whatever = st.fixed_dictionaries(
    {
        "n": st.integers(1, 9),
        "time": st.just("2026-01-01T00:00:00Z"),
        "kind": st.sampled_from(sorted(KINDS)),
        "record_type": st.none() | st.sampled_from(TYPES),
        "record_id": st.just("a" * 32),
        "partner_id": st.none() | st.just("b" * 32),
        "detail": st.just(
            {"launch_id": "c" * 32, "into": "d" * 32, "survivor": "d" * 32}
            | dict.fromkeys(("reason", "by", "station"), "SECRET")
        ),
    }
)
READ = {"crossing": Permission.CROSSING_READ, "cue": Permission.CUE_READ}


@given(whoever, whatever, st.booleans(), st.booleans())
def test_nothing_is_told_but_what_may_be_read_and_no_word_of_what_was_done(principal, event, there, again):
    for told in tell_change(Known(there), principal, event, again):  # type: ignore[arg-type]
        assert not again
        assert "SECRET" not in told.body
        assert principal.may(READ.get(event["record_type"], Permission.ASSET_READ))
        body = json.loads(told.body)
        jsonschema.Draft202012Validator(RECORDS[told.kind]["payload"]).validate(body)
        assert ("feature" in body) == (told.shown is not None)
        if told.kind == "launch":
            assert principal.may(Permission.ORDER_READ)
            assert there
        if told.kind == "record":
            assert there
