"""Where two people have to agree: neither one person with two keys, nor a supervisor, nor time makes a second one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import NotReleasableError, PermissionDeniedError
from api.release.agreements import add_agreement, add_partner
from api.release.releases import release
from api.release.schemas import AgreementTerms, PartnerIn, ReleaseIn
from api.review.outcome import Outcome, Said, outcome_of
from api.review.verdicts import list_reviews
from tests.api.desk import ADMIN, ANA, BEN, CHIEF, CLEO, Desk, person
from tests.api.people import PASSWORD, Browser, make_account, settled
from tests.api.samples import agreement_json

VEHICLES = {"two_people": [{"kinds": ["vehicle"]}]}
verdicts = st.sampled_from(["confirm", "dismiss"])
histories = st.lists(st.builds(Said, st.sampled_from("abc"), verdicts), max_size=10)


def rounds(said):
    """Written apart from `outcome_of`: the verdicts cut behind each contradiction."""
    found, now = [], []
    for each in said:
        now.append(each)
        if any(other.verdict != each.verdict for other in latest(now)):
            found.append(now)
            now = []
    return found, now


def latest(said):
    return [each for place, each in enumerate(said) if all(later.person != each.person for later in said[place + 1 :])]


@given(histories)
def test_two_people_who_agree_after_the_last_contradiction_and_nobody_else(said):
    done = outcome_of(said, 2)
    contradicted, now = rounds(said)
    voices = latest(now)
    confirms = {each.person for each in voices if each.verdict == "confirm"}
    assert (done.state == "confirmed") is (len(confirms) >= 2)
    if done.state == "confirmed":  # whatever the cut, two different people said so last
        assert len({each.person for each in latest(said) if each.verdict == "confirm"}) >= 2
    if not contradicted:
        assert not done.disputed
        assert (done.state == "dismissed") is (bool(voices) and not confirms)
    elif not voices:
        assert done == Outcome("pending", disputed=True)
    assert done.waits is (done.state == "pending" and bool(voices))


@given(histories, verdicts)
def test_one_person_alone_confirms_nothing(said, verdict):
    alone = [Said("a", each.verdict) for each in said] + [Said("a", verdict)]
    assert outcome_of(alone, 2) == (Outcome("dismissed") if verdict == "dismiss" else Outcome("pending", waits=True))


@given(histories)
def test_where_one_is_enough_the_newest_counts(said):
    state = {"confirm": "confirmed", "dismiss": "dismissed"}[said[-1].verdict] if said else "pending"
    assert outcome_of(said, 1) == Outcome(state)


@given(histories, st.sampled_from("xy"))
def test_whatever_is_confirmed_falls_with_the_first_contradiction(said, stranger):
    if outcome_of(said, 2).state == "confirmed":
        assert outcome_of([*said, Said(stranger, "dismiss")], 2) == Outcome("pending", disputed=True)


@pytest.fixture
def desk(store, clock):
    return Desk(store, clock)


def share(desk, crossing_id, partner_id):
    return desk.do(CHIEF, release, ReleaseIn(record_id=crossing_id, partner_id=partner_id))


@pytest.fixture
def bravo(desk):
    partner_id = desk.do(ADMIN, add_partner, PartnerIn(name="bravo"))["id"]
    desk.do(ADMIN, add_agreement, AgreementTerms.model_validate(agreement_json(partner_id), strict=False))
    return partner_id


def test_it_is_released_after_the_second_person_alone(desk, bravo):
    desk.rules(**VEHICLES)
    crossing_id = desk.deliver("a", kind="vehicle")
    assert desk.judge(ANA, crossing_id, "confirm")["state"] == "pending"
    seen = desk.feature(crossing_id)["review"]
    assert seen["state"] == "pending"
    assert (seen["first"]["verdict"], seen["first"]["reviewer"]) == ("confirm", "ana")
    with pytest.raises(NotReleasableError):
        share(desk, crossing_id, bravo)
    # The same person by another key is the same person; a supervisor's wish to release is no review.
    assert desk.judge(person("ana", key="another"), crossing_id, "confirm")["state"] == "pending"
    with pytest.raises(NotReleasableError):
        share(desk, crossing_id, bravo)
    assert [item["people"] for item in desk.queue()["items"]] == [2]
    assert desk.judge(BEN, crossing_id, "confirm")["state"] == "confirmed"
    assert "first" not in desk.feature(crossing_id)["review"]
    assert desk.queue()["items"] == []
    assert share(desk, crossing_id, bravo)[1]
    assert [each["reviewer"] for each in desk.see(ANA, list_reviews, crossing_id)] == ["ana", "ana", "ben"]


def test_a_contradiction_takes_it_back_into_the_queue(desk, bravo):
    desk.rules(**VEHICLES)
    crossing_id = desk.deliver("a", kind="vehicle")
    for who in (ANA, BEN):
        desk.judge(who, crossing_id, "confirm")
    release_id = share(desk, crossing_id, bravo)[0]["id"]
    assert desk.judge(CLEO, crossing_id, "dismiss")["state"] == "pending"
    assert desk.feature(crossing_id)["review"] == {"state": "pending", "disputed": True}
    assert [item["id"] for item in desk.queue()["items"]] == [crossing_id]
    events = desk.store_events("release.recalled")
    assert [event["detail"]["release_id"] for event in events] == [release_id]
    # It takes two to end a dispute, either way.
    assert desk.judge(CLEO, crossing_id, "dismiss")["state"] == "pending"
    assert desk.feature(crossing_id)["review"]["first"]["verdict"] == "dismiss"
    assert desk.judge(ANA, crossing_id, "dismiss", category="vegetation", reason=None)["state"] == "dismissed"
    review = desk.feature(crossing_id)["review"]
    assert (review["state"], review["category"], review["reason"]) == ("dismissed", "vegetation", None)
    assert desk.queue()["items"] == []


def test_a_key_that_belongs_to_nobody_is_no_person(desk):
    desk.rules(**VEHICLES)
    crossing_id, easy = desk.deliver("a", kind="vehicle"), desk.deliver("b")
    for key in ("one", "two"):
        with pytest.raises(PermissionDeniedError, match="account"):
            desk.judge(person(key, account=False), crossing_id, "confirm")
    assert desk.feature(crossing_id)["review"] == {"state": "pending"}
    assert desk.judge(person("one", account=False), easy, "confirm")["state"] == "confirmed"
    desk.rules(**VEHICLES, keys_are_people=True)
    states = [desk.judge(person(key, account=False), crossing_id, "confirm")["state"] for key in ("one", "one", "two")]
    assert states == ["pending", "pending", "confirmed"]


@pytest.mark.parametrize(
    ("rule", "people"),
    [
        ({}, 2),
        ({"kinds": ["vehicle"]}, 2),
        ({"kinds": ["person", "bicycle"]}, 1),
        ({"markings": ["REL BRAVO"]}, 2),
        ({"markings": ["REL CHARLIE"]}, 1),
        ({"purposes": ["border-surveillance"], "directions": ["outbound"]}, 1),
        ({"severities": ["alert"]}, 2),
        ({"severities": ["detection"]}, 1),
        ({"min_confidence": 0.91}, 2),
        ({"min_confidence": 0.92}, 1),
    ],
)
def test_the_policy_says_which(desk, rule, people):
    desk.rules(two_people=[rule])
    desk.deliver("a", kind="vehicle")
    assert [item["people"] for item in desk.queue()["items"]] == [people]


def test_new_rules_are_for_the_next_verdict(desk):
    crossing_id = desk.deliver("a", kind="vehicle")
    desk.judge(ANA, crossing_id, "confirm")
    desk.rules(**VEHICLES)
    assert desk.feature(crossing_id)["review"]["state"] == "confirmed"
    assert desk.judge(BEN, crossing_id, "dismiss")["state"] == "pending"  # not his alone any more
    assert desk.feature(crossing_id)["review"]["disputed"]


def test_a_newer_revision_begins_anew(desk):
    desk.rules(**VEHICLES)
    crossing_id = desk.deliver("a", kind="vehicle")
    desk.judge(ANA, crossing_id, "confirm")
    assert desk.deliver("a", 5, kind="vehicle") == crossing_id
    assert desk.feature(crossing_id)["review"] == {"state": "pending"}
    assert desk.judge(BEN, crossing_id, "confirm")["state"] == "pending"


def test_over_http_with_keys_that_the_policy_takes_for_people(service, crossing):
    rules = {"two_people": [{}], "keys_are_people": True}
    answer = service.ask("administrator", "PUT", "/reviews/policy", json=rules, headers={"If-Match": '"0"'})
    assert answer.status_code == 200, answer.text
    crossing_id = service.deliver(crossing())
    answer = service.judge(crossing_id)
    assert (answer.status_code, answer.json()["state"]) == (201, "pending")
    service.key("second", "analyst")
    service.keys["analyst"] = service.keys["second"]
    answer = service.judge(crossing_id)
    assert (answer.status_code, answer.json()["state"]) == (201, "confirmed")


def test_over_http_a_session_and_a_key_of_one_account_are_one_person(service, crossing):
    put = {"json": {"two_people": [{}]}, "headers": {"If-Match": '"0"'}}
    assert service.ask("administrator", "PUT", "/reviews/policy", **put).status_code == 200
    crossing_id = service.deliver(crossing())
    assert service.judge(crossing_id).status_code == 403  # the analyst's key belongs to no account
    account_id, secret = make_account(service, "ana")
    ana, ben = Browser.at(service), settled(service, "ben")
    assert ana.login("ana", secret, PASSWORD).status_code == 200
    service.key("analyst", "analyst", account_id=account_id)
    assert service.judge(crossing_id).json()["state"] == "pending"

    def confirm(browser):
        etag = browser.ask("GET", f"/crossings/{crossing_id}").headers["ETag"]
        path = f"/crossings/{crossing_id}/reviews"
        return browser.ask("POST", path, json={"verdict": "confirm"}, headers={"If-Match": etag}).json()["state"]

    assert confirm(ana) == "pending"
    assert confirm(ben) == "confirmed"


def test_what_a_key_said_while_one_was_enough_is_no_second_voice(service, crossing):
    """The key may well be the same person's: rules that are put in force later do not make it another."""
    crossing_id, other = service.deliver(crossing("a")), service.deliver(crossing("b"))
    assert service.judge(crossing_id).json()["state"] == "confirmed"
    put = {"json": {"two_people": [{}]}, "headers": {"If-Match": '"0"'}}
    assert service.ask("administrator", "PUT", "/reviews/policy", **put).status_code == 200
    ana, ben = settled(service, "ana"), settled(service, "ben")
    path = f"/crossings/{crossing_id}"
    assert ana.ask("POST", f"{path}/merge", json={"into": other, "reason": "one"}).status_code == 200
    assert ana.ask("POST", f"{path}/split", json={"reason": "two"}).json()["state"] == "pending"

    def confirm(browser):
        etag = browser.ask("GET", path).headers["ETag"]
        return browser.ask("POST", f"{path}/reviews", json={"verdict": "confirm"}, headers={"If-Match": etag}).json()

    assert confirm(ana)["state"] == "pending"
    assert service.ask("analyst", "GET", path).json()["properties"]["review"]["first"]["reviewer"] == "Ana"
    assert confirm(ben)["state"] == "confirmed"
