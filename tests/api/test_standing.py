"""Standing subscriptions share what is confirmed and asked for, never more, and never against a recall."""

import json
import math

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from api.store.tables import SubscriptionRow
from tests.api.conftest import ON_SQLITE
from tests.api.samples import crossing_json, record_json
from tests.api.test_release import rectangle


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


@ON_SQLITE
def test_an_area_is_no_finer_than_can_be_held_against_every_record(service, monkeypatch):
    """All of a partner's areas are read for each verdict, while nobody else can write."""
    monkeypatch.setattr("api.release.standing._MOST_POINTS", 100)

    def ring(points):
        turns = [2 * math.pi * step / (points - 1) for step in range(points - 1)]
        places = [[round(-100 + math.cos(turn), 5), round(10 + math.sin(turn), 5)] for turn in turns]
        return {"type": "Polygon", "coordinates": [[*places, places[0]]]}

    wish = {"agreement_id": service.agree(service.partner("bravo"), subscriptions=True).json()["id"]}
    for points, code in ((101, 422), (100, 201)):
        answer = service.ask("bravo", "POST", "/subscriptions", json=wish | {"area": ring(points)})
        assert answer.status_code == code, answer.text
        assert code == 201 or f"{points} points" in answer.json()["detail"]
    two = {"type": "MultiPolygon", "coordinates": [ring(51)["coordinates"], ring(50)["coordinates"]]}
    assert service.ask("bravo", "POST", "/subscriptions", json=wish | {"area": two}).status_code == 422


def test_an_agreement_that_has_run_out_takes_no_subscription(service, clock):
    partner_id = service.partner("bravo")
    terms = {"subscriptions": True, "valid_until": "2026-01-01T13:00:00Z"}
    wish = {"agreement_id": service.agree(partner_id, **terms).json()["id"]}
    clock.now_us += 3_600_000_000
    assert service.ask("bravo", "POST", "/subscriptions", json=wish).status_code == 404


# -- by area, kind and time ------------------------------------------------------------------------------------------

KINDS = ["person", "vehicle", "bicycle"]
HOURS = [f"2026-01-01T{hour:02}:00:00Z" for hour in (7, 8, 9, 10)]
LONS = [-111.0, -110.9, -110.8, -110.7]
AREAS = st.tuples(st.sampled_from(LONS), st.sampled_from(LONS)).filter(lambda pair: pair[0] < pair[1])
WISHES = st.fixed_dictionaries(
    {},
    optional={
        "records": st.sets(st.sampled_from(["crossing", "sensor"]), min_size=1).map(sorted),
        "kinds": st.sets(st.sampled_from(KINDS), min_size=1).map(sorted),
        "area": AREAS,
        "since": st.sampled_from(HOURS),
        "until": st.sampled_from(HOURS),
    },
).filter(lambda wish: wish.get("since", "") < wish.get("until", "x"))
TOLD = st.tuples(
    st.sampled_from(["crossing", "sensor"]),
    st.sampled_from(KINDS),
    st.sampled_from(HOURS),
    st.sampled_from([None, *LONS]),
)


def asked_for(wish, told):
    """The wish in words: from `since` on, before `until`, in the area with its edge; sensors are of no kind here."""
    type_, kind, time, lon = told
    west, east = wish.get("area", (None, None))
    return (
        type_ in wish.get("records", [type_])
        and (type_ == "sensor" or kind in wish.get("kinds", [kind]))
        and wish.get("since", time) <= time
        and (time < wish["until"] if "until" in wish else True)
        and (west is None or (lon is not None and west <= lon <= east))
    )


def told_of(service, name, told):
    """Deliver it, and judge it where it is to be judged: its id."""
    type_, kind, time, lon = told
    place = {"lat": None, "lon": None} if lon is None else {"lat": 31.5, "lon": lon}
    if type_ == "crossing":
        found = service.deliver(crossing_json(name, kind=kind, time=time, ellipse=None, **place))
        assert service.judge(found).status_code == 201
        return found
    place = {"lat": 31.5, "lon": -100.0 if lon is None else lon}  # a sensor is somewhere
    body = record_json("sensors", name) | {"time": time, "update_time": time} | place
    answer = service.ask("pilot", "POST", "/sensors", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


EACH = [("crossing", kind, HOURS[1], LONS[1]) for kind in KINDS] + [("sensor", "person", HOURS[1], LONS[1])]


@ON_SQLITE
@example(wish={"kinds": ["person"]}, all_told=EACH)
@example(wish={"records": ["crossing"]}, all_told=EACH)
@example(wish={"area": (LONS[1], LONS[2])}, all_told=[("crossing", "person", HOURS[0], lon) for lon in (None, *LONS)])
@example(wish={"since": HOURS[1], "until": HOURS[3]}, all_told=[("crossing", "person", at, None) for at in HOURS])
@given(wish=WISHES, all_told=st.lists(TOLD, min_size=1, max_size=5))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_subscription_gets_what_it_asks_for_and_nothing_else(service, wish, all_told):
    name = f"p {service.clock()}"
    agreement = service.agree(service.partner(name), subscriptions=True, records=["crossing", "sensor"])
    body = {"agreement_id": agreement.json()["id"]} | wish
    if "area" in wish:
        body["area"] = rectangle(wish["area"][0], 31, wish["area"][1], 32)
    made = service.ask(name, "POST", "/subscriptions", json=body)
    assert made.status_code == 201, made.text
    ids = [told_of(service, f"{name} {number}", told) for number, told in enumerate(all_told)]
    wanted = {each for each, told in zip(ids, all_told, strict=True) if asked_for(wish, told)}
    seen = [
        feature["id"]
        for path in ("/crossings", "/sensors")
        for feature in service.ask(name, "GET", path, params={"limit": "1000"}).json()["features"]
    ]
    assert (len(seen), set(seen)) == (len(wanted), wanted)
    assert service.ask(name, "DELETE", f"/subscriptions/{made.json()['id']}").status_code == 204
    after = told_of(service, f"{name} after", ("sensor", "person", HOURS[0], LONS[0]))
    assert service.ask(name, "GET", f"/sensors/{after}").status_code == 404


@ON_SQLITE
def test_a_wish_whose_area_was_stored_uncut_asks_for_nothing(service, crossing):
    agreement = service.agree(service.partner("bravo"), subscriptions=True).json()["id"]
    wish = {"agreement_id": agreement, "area": rectangle(-111, 31, -110, 32)}
    subscription = service.ask("bravo", "POST", "/subscriptions", json=wish).json()["id"]
    first, second = crossing("a"), crossing("b")
    first_id = service.deliver(first)
    service.judge(first_id)
    with service.store.write() as session:  # as it could be before such were refused
        row = session.get_one(SubscriptionRow, subscription)
        row.wish = json.dumps(wish | {"area": rectangle(-170, 31, 170, 32)})
    assert service.judge(service.deliver(second)).status_code == 201
    assert service.seen_by("bravo") == [first_id]


@ON_SQLITE
@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"records": ["crossing", "vehicle"]}, "types of records"),
        ({"kinds": ["person", "bicycle"]}, "kinds"),
        ({"area": rectangle(-111, 31, -109, 32)}, "beyond"),
        (
            {
                "area": {
                    "type": "Polygon",
                    "coordinates": [[[-111, 31], [-110, 32], [-110, 31], [-111, 32], [-111, 31]]],
                }
            },
            "",
        ),
        ({"area": rectangle(-170, 31, 170, 32)}, "half way round the world"),
        ({"since": HOURS[1], "until": HOURS[1]}, "since"),
        ({"kinds": []}, ""),
    ],
)
def test_a_wish_that_is_wider_than_its_agreement_is_refused(service, wish, reason):
    partner = service.partner("bravo")
    terms = {"kinds": ["person", "vehicle"], "records": ["crossing"], "area": rectangle(-111, 31, -110, 32)}
    agreement = service.agree(partner, subscriptions=True, **terms).json()["id"]
    answer = service.ask("bravo", "POST", "/subscriptions", json={"agreement_id": agreement} | wish)
    assert answer.status_code == 422
    assert reason in answer.text
    assert service.ask("bravo", "GET", "/subscriptions").json() == []
    without = service.agree(partner, **terms).json()["id"]
    assert service.ask("bravo", "POST", "/subscriptions", json={"agreement_id": without}).status_code == 422
    service.partner("charlie")
    assert service.ask("charlie", "POST", "/subscriptions", json={"agreement_id": agreement}).status_code == 404
