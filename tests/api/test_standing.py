"""Standing subscriptions share what is confirmed, never more, and never against a recall."""

import pytest


@pytest.fixture
def bravo(service):
    partner_id = service.partner("bravo")
    agreement = service.agree(partner_id, subscriptions=True, records=["crossing", "vehicle"]).json()["id"]
    assert service.ask("bravo", "POST", "/subscriptions", json={"agreement_id": agreement}).status_code == 201
    return partner_id


def standing(service, crossing_id):
    found = service.ask("supervisor", "GET", "/releases", params={"record_id": crossing_id}).json()
    return next(each["id"] for each in found if each["recalled"] is None)


def test_what_a_person_took_back_no_verdict_and_no_delivery_shares_again(service, crossing, bravo):
    crossing_id = service.deliver(crossing())
    assert service.judge(crossing_id).status_code == 201
    assert service.seen_by("bravo") == [crossing_id]
    taken = service.ask("supervisor", "DELETE", f"/releases/{standing(service, crossing_id)}")
    assert taken.status_code == 204
    for deed in ("confirm", "dismiss", "confirm", "deliver", "confirm"):
        if deed == "deliver":
            service.deliver(crossing(update_time="2026-01-01T10:30:00Z"))
        else:
            assert service.judge(crossing_id, deed).status_code == 201
        assert service.seen_by("bravo") == [], deed
    # A person who may release it does; from then on the subscription goes on as before.
    assert service.release(crossing_id, bravo).status_code == 201
    service.deliver(crossing(update_time="2026-01-01T10:40:00Z"))
    assert service.seen_by("bravo") == []
    service.judge(crossing_id)
    assert service.seen_by("bravo") == [crossing_id]


@pytest.mark.parametrize("between", ["dismiss", "deliver"])
def test_what_a_verdict_or_a_revision_took_back_is_shared_when_it_is_confirmed_again(service, crossing, bravo, between):
    crossing_id = service.deliver(crossing())
    service.judge(crossing_id)
    if between == "deliver":
        service.deliver(crossing(update_time="2026-01-01T10:30:00Z"))
    else:
        service.judge(crossing_id, "dismiss")
    assert service.seen_by("bravo") == []
    service.judge(crossing_id)
    assert service.seen_by("bravo") == [crossing_id]


def test_a_partner_has_so_many_subscriptions_and_no_more_until_it_ends_one(service, crossing, bravo, monkeypatch):
    monkeypatch.setattr("api.release.standing._MOST", 3)
    (first,) = service.ask("bravo", "GET", "/subscriptions").json()
    wish = {"agreement_id": first["wish"]["agreement_id"]}
    codes = [service.ask("bravo", "POST", "/subscriptions", json=wish).status_code for _ in range(4)]
    assert codes == [201, 201, 409, 409]
    assert service.ask("bravo", "DELETE", f"/subscriptions/{first['id']}").status_code == 204
    assert service.ask("bravo", "POST", "/subscriptions", json=wish).status_code == 201


def test_an_agreement_that_has_run_out_takes_no_subscription(service, clock):
    partner_id = service.partner("bravo")
    terms = {"subscriptions": True, "valid_until": "2026-01-01T13:00:00Z"}
    wish = {"agreement_id": service.agree(partner_id, **terms).json()["id"]}
    clock.now_us += 3_600_000_000
    assert service.ask("bravo", "POST", "/subscriptions", json=wish).status_code == 404
