"""The queue: the gravest first, each page once, and what each person has looked at."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from api.errors import NotFoundError
from api.identity.roles import GRANTS, Permission, Role
from api.records.lists import RecordFilter
from api.review.claims import claim
from api.review.seen import mark_seen
from api.store.tables import ReadableRow, RecordRow
from tests.api.conftest import ON_SQLITE
from tests.api.desk import ANA, BEN, CHIEF, PILOT, Desk, person
from tests.api.samples import NOON_US
from tests.api.work import work_of

PROBABLE = {"status": "probable"}


@pytest.fixture
def desk(store, clock):
    return Desk(store, clock)


def ids(page):
    return [item["id"] for item in page["items"]]


crossings = st.lists(
    st.fixed_dictionaries(
        {
            "status": st.sampled_from(["confirmed", "probable"]),
            "direction": st.sampled_from(["inbound", "outbound"]),
            "kind": st.sampled_from(["person", "vehicle", "bicycle"]),
            "time": st.integers(0, 3).map("2026-01-01T10:00:0{}Z".format),
        }
    ),
    max_size=8,
)
members = st.fixed_dictionaries(
    {},
    optional={
        "statuses": st.lists(st.sampled_from(["confirmed", "probable"]), max_size=2),
        "directions": st.lists(st.sampled_from(["inbound", "outbound"]), max_size=2),
        "kinds": st.lists(st.sampled_from(["person", "vehicle", "bicycle"]), max_size=3),
    },
)
rules = st.lists(st.tuples(members, st.sampled_from(["alert", "detection"])), max_size=3)


def expected_severity(table, told):
    for allowed, severity in table:
        if all(told[name] in allowed[plural] for name, plural in NAMES.items() if plural in allowed):
            return severity
    return "detection"


NAMES = {"status": "statuses", "direction": "directions", "kind": "kinds"}


@given(before=crossings, after=crossings, table=rules, limit=st.integers(1, 4))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_join_in_order_of_severity_and_time_under_any_rules(desk, before, after, table, limit):
    desk.judge_all()
    told = {desk.deliver(f"{desk.clock()}", **each): each for each in before}
    desk.rules(severity=[allowed | {"severity": severity} for allowed, severity in table])
    told |= {desk.deliver(f"{desk.clock()}", **each): each for each in after}
    severities = {id_: expected_severity(table, each) for id_, each in told.items()}
    found, place = [], None
    while True:
        page = desk.queue(limit=limit, after=place)
        assert {tier: number for tier, number in page["counts"].items() if number} == Counter(severities.values())
        assert all(item["severity"] == severities[item["id"]] for item in page["items"])
        found += ids(page)
        place = page["next"]
        if place is None:
            break
        assert len(page["items"]) == limit
    wanted = sorted(told, key=lambda id_: (told[id_]["time"], id_), reverse=True)
    assert found == sorted(wanted, key=lambda id_: severities[id_] != "alert")


def test_what_is_judged_leaves_and_what_is_replaced_comes_back(desk):
    crossing_id = desk.deliver("a")
    assert ids(desk.queue()) == [crossing_id]
    desk.judge(ANA, crossing_id, "dismiss")
    assert desk.queue()["items"] == []
    desk.deliver("a", 5, **PROBABLE)
    (item,) = desk.queue()["items"]
    assert (item["id"], item["severity"]) == (crossing_id, "detection")


def test_what_has_expired_waits_for_nobody(desk):
    desk.deliver("a", retention_days=1)
    desk.clock.now_us += 86_400_000_000
    page = desk.queue()
    assert (page["items"], page["counts"]) == ([], {"alert": 0, "detection": 0})


def test_no_more_are_counted_than_need_be_and_every_page_is_there(desk, monkeypatch):
    monkeypatch.setattr("api.review.queue.MOST_COUNTED", 2)
    waiting = [desk.deliver(name, **more) for name, more in (("a", {}), ("b", {}), ("c", {}), ("d", PROBABLE))]
    first = desk.queue(limit=2)
    rest = desk.queue(limit=2, after=first["next"])
    assert first["counts"] == rest["counts"] == {"alert": 2, "detection": 1}
    assert sorted(ids(first) + ids(rest)) == sorted(waiting)
    assert rest["next"] is None


def test_filters(desk):
    here, there = desk.deliver("here"), desk.deliver("there", kind="vehicle", lat=32.5, **PROBABLE)
    late = desk.deliver("late", time="2026-01-01T11:00:00Z")
    desk.do(ANA, claim, here)
    desk.do(BEN, claim, there)
    assert ids(desk.queue()) == [late, here, there]
    cases = [
        ({"severity": "detection"}, [there]),
        ({"claimed": "none"}, [late]),
        ({"claimed": "mine"}, [here]),
        ({"records": RecordFilter("crossing", kind="vehicle")}, [there]),
        ({"records": RecordFilter("crossing", bbox=(-111, 32, -110, 33))}, [there]),
        ({"records": RecordFilter("crossing", from_us=NOON_US - 3_600_000_000)}, [late]),
        ({"records": RecordFilter("crossing", to_us=NOON_US - 3_600_000_000), "severity": "alert"}, [here]),
    ]
    for which, wanted in cases:
        page = desk.queue(**which)
        assert ids(page) == wanted, which
        assert sum(page["counts"].values()) == len(wanted)
    claims = {item["id"]: item["claim"] for item in desk.queue(BEN)["items"]}
    assert (claims[here]["by"], claims[here]["mine"], claims[there]["mine"]) == ("ana", False, True)
    assert claims[late] is None
    desk.clock.now_us += 900_000_001
    assert ids(desk.queue(claimed="none")) == [late, here, there]


def test_what_one_person_has_seen_is_new_to_another(desk):
    first, second = desk.deliver("a"), desk.deliver("b")
    assert desk.do(ANA, mark_seen, [first, second, first]) == 2
    assert desk.do(ANA, mark_seen, [first]) == 0  # once is enough
    assert [item["seen"] for item in desk.queue(person("ana", key="another"))["items"]] == [True, True]
    assert [item["seen"] for item in desk.queue(BEN)["items"]] == [False, False]
    desk.deliver("a", 5)  # a newer revision has not been seen
    assert ids(desk.queue(seen=True)) == [second]
    assert ids(desk.queue(seen=False)) == [first]
    assert desk.do(ANA, mark_seen, [second], seen=False) == 1
    assert ids(desk.queue(seen=True)) == []
    assert desk.queue(BEN, seen=False)["counts"]["alert"] == 2


def test_marks_are_all_made_or_none(desk):
    crossing_id = desk.deliver("a")
    cue_like = "f" * 32
    with pytest.raises(NotFoundError):
        desk.do(ANA, mark_seen, [crossing_id, cue_like])
    assert ids(desk.queue(seen=True)) == []


def test_who_may_not_read_crossings_has_an_empty_queue(desk):
    desk.deliver("a")
    for role in Role:
        who = person(role.value, role)
        waiting = len(desk.queue(who)["items"])
        assert waiting == (role in {Role.ANALYST, Role.SUPERVISOR, Role.PILOT})
    assert len(desk.queue(PILOT)["items"]) == 1  # the route is what keeps pilots out
    assert {role for role in Role if Permission.REVIEW_READ in GRANTS[role]} == {Role.ANALYST, Role.SUPERVISOR}


def test_duties_of_review_are_separate():
    may = {permission: {role for role in Role if permission in GRANTS[role]} for permission in Permission}
    both = {Role.ANALYST, Role.SUPERVISOR}
    assert may[Permission.CLAIM_TAKE] == may[Permission.CASE_HOLD] == {Role.SUPERVISOR}
    for permission in (Permission.CLAIM, Permission.ANNOTATE, Permission.CASE_READ, Permission.CASE_WRITE):
        assert may[permission] == both
    assert not GRANTS[Role.SUPERVISOR] & {Permission.REVIEW, Permission.POLICY_WRITE}
    assert not GRANTS[Role.ADMINISTRATOR] & {Permission.REVIEW, Permission.CLAIM, Permission.REVIEW_READ}


def test_over_http(service, crossing):
    for number in range(5):
        service.deliver(crossing(f"n{number}", status=["confirmed", "probable"][number % 2]))
    found, path = [], "/reviews/queue?limit=2&kind=person&from=2026-01-01T00:00:00Z"
    while path:
        page = service.ask("analyst", "GET", path).json()
        assert page["counts"] == {"alert": 3, "detection": 2}
        found += [(item["severity"], item["feature"]["id"]) for item in page["items"]]
        path = next((link["href"] for link in page["links"]), None)
    assert [severity for severity, _ in found] == ["alert"] * 3 + ["detection"] * 2
    assert len({id_ for _, id_ in found}) == 5
    shown = [entry["body"] for entry in service.ask("auditor", "GET", "/audit?limit=1000").json()["entries"]]
    read = [entry["objects"] for entry in shown if entry["action"] == "queue.read"]
    assert [len(objects) for objects in read] == [2, 2, 1]
    assert {id_ for objects in read for id_ in objects} == {id_ for _, id_ in found}
    for cursor in ("alert.1", "warning.1." + "0" * 32, "alert.1." + "0" * 31, "'"):
        assert service.ask("analyst", "GET", "/reviews/queue", params={"cursor": cursor}).status_code == 422
    ids_ = [id_ for _, id_ in found]
    assert service.ask("analyst", "POST", "/crossings/seen", json={"ids": ids_}).json() == {"changed": 5}
    assert service.ask("supervisor", "POST", f"/crossings/{ids_[0]}/seen").json() == {"changed": 1}
    answer = service.ask("supervisor", "GET", "/reviews/queue", params={"seen": "true"})
    assert [item["id"] for item in answer.json()["items"]] == ids_[:1]


def test_the_rules_are_the_administrators_and_on_record(service, crossing):
    service.deliver(crossing())
    answer = service.ask("supervisor", "GET", "/reviews/policy")
    assert (answer.headers["ETag"], answer.json()["version"]) == ('"0"', 0)
    rules = answer.json()["policy"] | {"severity": []}
    for who in ("analyst", "supervisor"):
        assert service.ask(who, "PUT", "/reviews/policy", json=rules).status_code == 403
    assert service.ask("administrator", "PUT", "/reviews/policy", json=rules).status_code == 428
    put = {"json": rules, "headers": {"If-Match": '"0"'}}
    assert service.ask("administrator", "PUT", "/reviews/policy", **put).headers["ETag"] == '"1"'
    assert service.ask("administrator", "PUT", "/reviews/policy", **put).status_code == 412
    assert service.ask("analyst", "GET", "/reviews/queue").json()["counts"] == {"alert": 0, "detection": 1}
    shown = [entry["body"] for entry in service.ask("auditor", "GET", "/audit?limit=1000").json()["entries"]]
    (change,) = [entry for entry in shown if entry["action"] == "review_policy.change"]
    assert change["detail"]["policy"] == rules
    kinds = [event["kind"] for event in service.ask("analyst", "GET", "/events?limit=1000").json()["events"]]
    assert kinds.count("review_policy.changed") == 1
    wrong = [{"claim_s": 1}, {"severity": [{"severity": "panic"}]}, {"two_people": [{"kinds": ["dog"]}]}, {"sharp": 1}]
    for each in wrong:
        assert service.ask("administrator", "PUT", "/reviews/policy", json=each).status_code == 422


@ON_SQLITE  # which counts its steps
def test_a_judged_crossing_costs_the_queue_one_glance(desk):
    """Of thousands that wait no more each is passed over once, whatever the severity that is asked for."""
    many = 2_000
    crossing_id = desk.deliver("waits")
    judged = desk.deliver("judged")
    desk.judge(ANA, judged, "confirm")
    with work_of(desk.store) as before:
        assert ids(desk.queue(CHIEF)) == [crossing_id]
    with desk.store.write() as session:
        for table in (RecordRow, ReadableRow):
            column = RecordRow.id if table is RecordRow else ReadableRow.record_id
            row = session.execute(select(table.__table__).where(column == judged)).mappings().one()
            usual = {name: row[name] for name in row if name != "n"}
            copies = [usual | {column.key: f"{number:032x}", "time_us": NOON_US + number} for number in range(many)]
            if table is RecordRow:
                copies = [copy | {"source_id": copy["id"]} for copy in copies]
            session.execute(insert(table.__table__), copies)
    with work_of(desk.store) as after:
        assert ids(desk.queue(CHIEF)) == [crossing_id]
    assert (after.steps - before.steps) / many < 30
