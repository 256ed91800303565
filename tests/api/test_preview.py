"""What a partner would see of a record, and why not: true to the last reason, and to the release that follows."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.samples import crossing_json
from tests.api.test_release import rectangle

AREA, DAY_S = rectangle(-111, 31, -110, 32), 86_400
# What stands in the way -> words that say so, how the record comes to it, and how it comes out of it.
OBSTACLES = {
    "type": ("records of type crossing", {}, {"records": ["cue"]}),
    "marking": ("marking REL CHARLIE", {"marking": "REL CHARLIE"}, {}),
    "no marking": ("no marking", {"marking": None}, {}),
    "sensitivity": ("sensitivity red", {"sensitivity": "red"}, {}),
    "kind": ("kind bicycle", {"kind": "bicycle"}, {"kinds": ["person"]}),
    "purpose": ("purpose rescue", {"purpose": "rescue"}, {}),
    "place": ("place is not in", {"lat": 33.0}, {}),
    "delay": ("delay would pass only after", {}, {"delay_s": 31 * DAY_S}),
    "review": ("review is", {}, {}),
}
"""Name -> what is said of it, changes of the record, terms of the agreement."""
USUAL = {"records": ["crossing"], "area": AREA, "fields": ["kind", "position", "confidence"]}


@pytest.fixture
def ask(service):
    """Preview a crossing beset by obstacles: what is said, the ids, and what stands in its stead."""
    count = 0

    def asked(obstacles):
        nonlocal count
        count += 1
        changes, terms = {}, dict(USUAL)
        for name in obstacles:
            changes |= OBSTACLES[name][1]
            terms |= OBSTACLES[name][2]
        partner_id = service.partner(f"partner {count}")
        assert service.agree(partner_id, **terms).status_code == 201
        crossing_id = service.deliver(crossing_json(f"crossing {count}", **changes))
        if "review" not in obstacles:
            assert service.judge(crossing_id).status_code == 201
        query = {"record_id": crossing_id, "partner_id": partner_id}
        answer = service.ask("supervisor", "GET", "/preview", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json(), f"partner {count}", query

    return asked


@given(
    st.sets(st.sampled_from(sorted(OBSTACLES)), max_size=4).filter(lambda some: not {"marking", "no marking"} <= some)
)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_each_reason_is_true_and_without_them_it_would_be_seen(service, ask, obstacles):
    told, name, query = ask(obstacles)
    (under,) = told["agreements"]
    said = {each: [reason for reason in under["reasons"] if OBSTACLES[each][0] in reason] for each in OBSTACLES}
    assert {each for each, reasons in said.items() if reasons} == obstacles
    assert len(under["reasons"]) == len(obstacles)
    released = service.release(query["record_id"], query["partner_id"])
    if obstacles:
        assert released.status_code == 409
        assert released.json()["reasons"] == under["reasons"]
        assert not {"feature", "media", "visible_from", "withheld"} & set(under)
        gone = min(obstacles)  # one thing less in the way: one reason less
        (less,) = ask(obstacles - {gone})[0]["agreements"]
        assert set(less["reasons"]) == {reason for reason in under["reasons"] if OBSTACLES[gone][0] not in reason}
        assert ("feature" in less) is (len(obstacles) == 1)
        return
    assert released.status_code == 201
    (seen,) = service.ask(name, "GET", "/crossings").json()["features"]
    for each in ("release_id", "released", "agreement_id"):
        del seen["properties"][each]  # what the release itself adds
    assert seen == under["feature"]
    inside = service.ask("analyst", "GET", f"/crossings/{query['record_id']}").json()
    assert set(under["withheld"]) == set(inside["properties"]) - set(seen["properties"])


def test_it_tells_of_each_agreement_in_force_and_of_the_release_that_stands(service, crossing):
    bravo = service.partner("bravo")
    ended = service.agree(bravo, **USUAL).json()["id"]
    service.ask("administrator", "DELETE", f"/agreements/{ended}")
    runs = [service.agree(bravo, **USUAL | more).json()["id"] for more in ({"fields": []}, {"delay_s": 3 * 3600})]
    crossing_id = service.deliver(crossing())
    service.judge(crossing_id)

    def told():
        query = {"record_id": crossing_id, "partner_id": bravo}
        return service.ask("supervisor", "GET", "/preview", params=query).json()

    first, second = told()["agreements"]
    assert [first["agreement_id"], second["agreement_id"]] == runs
    assert (first["feature"]["geometry"], "geometry" in first["withheld"]) == (None, True)
    assert second["visible_from"] == "2026-01-01T13:00:00.000001Z"  # three hours after it happened
    assert told()["released"] is None
    release_id = service.release(crossing_id, bravo).json()["id"]
    assert told()["released"] == release_id
    service.ask("supervisor", "DELETE", f"/releases/{release_id}")
    assert told()["released"] is None
    for query in ({"record_id": "f" * 32, "partner_id": bravo}, {"record_id": crossing_id, "partner_id": "f" * 32}):
        assert service.ask("supervisor", "GET", "/preview", params=query).status_code == 404
