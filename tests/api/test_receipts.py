"""A recall waits for its receipt, and gets one from a partner whose keys work no more as well."""

from functools import partial

import pytest

from tests.api.people import settled
from tests.api.samples import crossing_json

LETTER = {"erased": True, "given_by": "Major Brand, liaison", "way": "letter of 3 January"}


def released(service, partner_id, name="a", **terms):
    """A confirmed crossing under an agreement of its own: the id of its release."""
    assert service.agree(partner_id, **terms).status_code == 201
    crossing_id = service.deliver(crossing_json(name))
    service.judge(crossing_id)
    return service.release(crossing_id, partner_id).json()["id"]


def test_who_released_is_told_by_name(service):
    """A person by the account, a machine by its key; what a subscription shares nobody has released."""
    bravo = service.partner("bravo")
    agreement = service.agree(bravo, subscriptions=True).json()["id"]
    sue, names = settled(service, "sue", "supervisor"), []
    for name, ask in (("a", sue.ask), ("b", partial(service.ask, "supervisor"))):
        crossing_id = service.deliver(crossing_json(name))
        service.judge(crossing_id)
        wish = {"record_id": crossing_id, "partner_id": bravo}
        names.append(ask("POST", "/releases", json=wish).json()["released_by_name"])
    assert service.ask("bravo", "POST", "/subscriptions", json={"agreement_id": agreement}).status_code == 201
    service.judge(service.deliver(crossing_json("c")))
    key = service.ask("supervisor", "GET", "/me").json()["name"]
    assert names == ["Sue", key]
    told = service.ask("supervisor", "GET", "/releases").json()
    assert [each["released_by_name"] for each in told] == [*names, None]


def waiting(service):
    return [each["id"] for each in service.ask("supervisor", "GET", "/releases?waiting=true").json()]


def relayed(service, release_id, body=LETTER):
    return service.ask("supervisor", "POST", f"/releases/{release_id}/receipt", json=body)


def test_the_word_of_an_ended_partner_is_written_down(service):
    bravo = service.partner("bravo")
    release_id = released(service, bravo)
    assert service.ask("administrator", "DELETE", f"/partners/{bravo}").status_code == 204
    # Its key opens nothing, not even its own recalls.
    for method, path in (("GET", "/recalls"), ("POST", f"/recalls/{release_id}/receipt"), ("GET", "/crossings")):
        assert service.ask("bravo", method, path, json={"erased": True}).status_code == 401
    assert waiting(service) == [release_id]
    first = relayed(service, release_id)
    assert (first.status_code, waiting(service)) == (200, [])
    again = relayed(service, release_id, LETTER | {"given_by": "somebody else"})
    assert again.json() == first.json()  # the first one counts
    me = service.ask("supervisor", "GET", "/me").json()["key_id"]
    (release,) = service.ask("supervisor", "GET", "/releases").json()
    assert (release["receipt"], release["receipt_by"]) == (first.json()["receipt"], me)
    assert release["receipt_by_name"] == service.ask("supervisor", "GET", "/me").json()["name"]
    entries = [entry["body"] for entry in service.ask("auditor", "GET", "/audit?limit=1000").json()["entries"]]
    told = [entry for entry in entries if entry["action"] == "recall.relay"]
    assert [(entry["actor"], entry["detail"]["first"]) for entry in told] == [(me, True), (me, False)]
    assert told[0]["detail"].items() >= {"given_by": LETTER["given_by"], "way": LETTER["way"], "partner": bravo}.items()
    kinds = [event["kind"] for event in service.ask("supervisor", "GET", "/events?limit=1000").json()["events"]]
    assert kinds.count("recall.received") == 1


def test_what_a_partner_said_itself_is_not_written_over(service):
    bravo = service.partner("bravo")
    release_id = released(service, bravo)
    service.ask("supervisor", "DELETE", f"/releases/{release_id}")
    mine = service.ask("bravo", "POST", f"/recalls/{release_id}/receipt", json={"erased": True})
    assert relayed(service, release_id).json() == mine.json()
    (release,) = service.ask("supervisor", "GET", "/releases").json()
    assert release["receipt_by"] == service.ask("bravo", "GET", "/me").json()["key_id"]


def test_there_is_no_receipt_for_what_was_not_taken_back_from_anybody(service):
    bravo = service.partner("bravo")
    standing = released(service, bravo)
    untold = released(service, service.partner("charlie"), "b", delay_s=86_400)
    service.ask("supervisor", "DELETE", f"/releases/{untold}")
    for release_id in (standing, untold, "f" * 32):
        assert relayed(service, release_id).status_code == 404
    assert [each["receipt"] for each in service.ask("supervisor", "GET", "/releases").json()] == [None, None]


def test_what_was_read_before_the_partner_was_told_of_it_is_recalled_too(service, clock, monkeypatch):
    """Between the end of a delay and the word of it lies a moment, or as long as nobody could write it down."""
    monkeypatch.setattr("api.release.due.announce_due", lambda *_given, **_more: 0)
    bravo = service.partner("bravo")
    release_id = released(service, bravo, delay_s=3 * 3600)
    clock.now_us += 3_600_000_000
    (record_id,) = service.seen_by("bravo")
    assert service.ask("bravo", "GET", "/events").json()["events"] == []
    assert service.ask("supervisor", "DELETE", f"/releases/{release_id}").status_code == 204
    told = [(event["kind"], event["record_id"]) for event in service.ask("bravo", "GET", "/events").json()["events"]]
    assert told == [("release.created", record_id), ("release.recalled", record_id)]
    assert [each["release_id"] for each in service.ask("bravo", "GET", "/recalls").json()] == [release_id]
    assert service.ask("bravo", "POST", f"/recalls/{release_id}/receipt", json={"erased": True}).is_success


@pytest.mark.parametrize("wrong", [{"erased": False}, {"given_by": ""}, {"given_by": None}, {"way": None}])
def test_a_receipt_says_that_it_is_erased_and_who_told_it_and_how(service, wrong):
    release_id = released(service, service.partner("bravo"))
    service.ask("supervisor", "DELETE", f"/releases/{release_id}")
    assert relayed(service, release_id, LETTER | wrong).status_code == 422
    assert waiting(service) == [release_id]


NAMES = ("bravo", "charlie", "delta")


@pytest.mark.parametrize("how", ["dismissed", "replaced", "erased", "merged"])
def test_a_recall_reaches_each_partner_that_received_it_and_waits_for_each(service, clock, how):
    """And nobody else: one has its delay to wait for, one was given another record, one has nothing."""
    service.partner("golf")
    partners = {name: service.partner(name) for name in (*NAMES, "echo", "foxtrot")}
    for name, partner_id in partners.items():
        service.agree(partner_id, delay_s=86_400 if name == "echo" else 0)
    record_id, other = service.deliver(crossing_json("a")), service.deliver(crossing_json("b"))
    for each in (record_id, other):
        service.judge(each)
    shared = {name: service.release(record_id, partners[name]).json()["id"] for name in (*NAMES, "echo")}
    kept = service.release(other, partners["foxtrot"]).json()["id"]
    if how == "dismissed":
        assert service.judge(record_id, "dismiss").status_code == 201
    elif how == "replaced":
        service.deliver(crossing_json("a", update_time="2026-01-01T11:00:00Z"))
    elif how == "erased":
        body = {"record_id": record_id, "reason": "asked for"}
        assert service.ask("supervisor", "POST", "/erasures", json=body).is_success
    else:
        body = {"into": other, "reason": "one group"}
        assert service.ask("analyst", "POST", f"/crossings/{record_id}/merge", json=body).is_success
    for name in NAMES:
        told = service.ask(name, "GET", "/events").json()["events"]
        assert [(event["kind"], event["detail"]["release_id"]) for event in told] == [
            ("release.created", shared[name]),
            ("release.recalled", shared[name]),
        ]
        assert service.ask(name, "GET", f"/crossings/{record_id}").status_code == 404
        assert [each["release_id"] for each in service.ask(name, "GET", "/recalls").json()] == [shared[name]]
    for name in ("echo", "foxtrot", "golf"):
        assert service.ask(name, "GET", "/recalls").json() == []
    assert service.seen_by("foxtrot") == [other]
    clock.now_us += 2 * 86_400_000_000
    assert service.ask("echo", "GET", "/events").json()["events"] == []
    left = [shared[name] for name in NAMES]
    assert sorted(waiting(service)) == sorted(left)
    for name in NAMES:
        assert service.ask("foxtrot", "POST", f"/recalls/{left[0]}/receipt", json={"erased": True}).status_code == 404
        answer = service.ask(name, "POST", f"/recalls/{left.pop(0)}/receipt", json={"erased": True})
        assert answer.status_code == 200, answer.text
        assert sorted(waiting(service)) == sorted(left)
    assert kept not in waiting(service)
