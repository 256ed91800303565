"""What may not be shared any more does not leave: whatever is taken back while an answer is on its way is not in it."""

import json

import pytest

from api.feeds.told import Teller
from api.outlets.cursors import next_batch
from api.outlets.settings import Outlet
from tests.api.live import Live, Target, live
from tests.api.test_audit import entries
from tests.api.test_webhooks import name_target

PLACE = "31.777123"


def just_before(monkeypatch, store, method, change):
    """Let something happen after the next answer was read, and before it is written down that it is shown."""
    real, left = getattr(store, method), [change]

    def later(work):
        if left:
            left.pop()()
        return real(work)

    monkeypatch.setattr(store, method, later)


CHANGES = {
    "release.recall": ("supervisor", "/releases/{release}"),
    "agreement.end": ("administrator", "/agreements/{agreement}"),
    "partner.end": ("administrator", "/partners/{partner}"),
}
"""Who deletes what, by what the audit calls it."""
PATHS = {
    "list": "/crossings",
    "one": "/crossings/{id}",
    "clip": "/crossings/{id}/evidence/clip",
    "csv": "/ogc/collections/crossings/items?f=csv",
    "ogc": "/ogc/collections/crossings/items/{id}",
    "cot": "/cot",
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("action", CHANGES)
def test_an_answer_that_was_read_before_a_change_does_not_leave_after_it(
    service, crossing, clip, monkeypatch, path, action
):
    bravo = service.partner("bravo")
    agreement = service.agree(bravo, fields=["position", "clip"]).json()["id"]
    crossing_id = service.deliver(crossing(lat=float(PLACE)), clip=clip)
    service.judge(crossing_id)
    release = service.release(crossing_id, bravo).json()["id"]
    who, what = CHANGES[action]

    def take_back():
        answer = service.ask(who, "DELETE", what.format(release=release, agreement=agreement, partner=bravo))
        assert answer.is_success, answer.text

    def tells(answer):
        return PLACE.encode() in answer.content or clip == answer.content

    assert tells(service.ask("bravo", "GET", path.format(id=crossing_id)))
    service.deliver(crossing("another"))  # so that no answer lies ready
    just_before(monkeypatch, service.store, "note_together", take_back)
    assert not tells(service.ask("bravo", "GET", path.format(id=crossing_id)))
    done = entries(service)
    (at,) = [place for place, entry in enumerate(done) if entry["action"] == action]
    assert [entry for entry in done[at:] if entry["name"] == "bravo" and crossing_id in entry["objects"]] == []


def test_an_outlet_is_given_nothing_that_was_recalled_while_it_was_looked_up(service, crossing, monkeypatch):
    """What CoT and MQTT are told by."""
    bravo = service.partner("bravo")
    service.agree(bravo, fields=["position"])
    crossing_id = service.deliver(crossing(lat=float(PLACE)))
    service.judge(crossing_id)
    release = service.release(crossing_id, bravo).json()["id"]
    outlet = Outlet("north", bravo)
    (before,) = next_batch(service.store, outlet).told
    assert PLACE in json.dumps(before.feature)

    def take_back():
        assert service.ask("supervisor", "DELETE", f"/releases/{release}").is_success

    just_before(monkeypatch, service.store, "write_together", take_back)
    (told,) = next_batch(service.store, outlet).told
    assert (told.record_id, told.feature) == (crossing_id, None)


@pytest.fixture
def served(tmp_path):
    with live(tmp_path) as made:
        yield made


def just_after_it_was_told(monkeypatch, change):
    """Let something happen once it was looked up what somebody is told of an event."""
    real, left = Teller.tell, [change]

    def tell(teller, *of, **more):
        told = real(teller, *of, **more)
        if left:
            left.pop()()
        return told

    monkeypatch.setattr(Teller, "tell", tell)


def test_a_stream_tells_nothing_that_was_recalled_while_it_was_looked_up(served: Live, monkeypatch):
    bravo = served.partner("bravo")
    _, release = served.released(bravo, "a", lat=float(PLACE))
    just_after_it_was_told(monkeypatch, lambda: served.recall(release))
    with served.stream("bravo", after=0) as stream:
        told = stream.take(2)
    assert [(one.kind, one.data["state"]) for one in told] == [
        ("release.created", "recalled"),
        ("release.recalled", "recalled"),
    ]
    assert PLACE not in stream.raw


def test_a_webhook_tells_nothing_that_was_recalled_while_it_was_looked_up(served: Live, monkeypatch):
    target = Target()
    bravo = served.partner("bravo")
    _, release = served.released(bravo, "a", lat=float(PLACE))
    just_after_it_was_told(monkeypatch, lambda: served.recall(release))
    name_target(served, "bravo", target.url, after=0)
    calls = target.wait(2)
    assert [json.loads(body)["data"]["state"] for _, body in calls] == ["recalled", "recalled"]
    assert not any(PLACE.encode() in body for _, body in calls)
    target.close()
