"""Notes and case files: what was done stays on record, and nobody reads in a case what it could not read outside."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from api.errors import ConflictError, NotFoundError, PermissionDeniedError, PreconditionError, StaleError
from api.identity.roles import Role
from api.pages import Window
from api.review.cases import case_history, change_case, get_case, held_records, list_cases, open_case
from api.review.notes import annotate, list_annotations
from api.review.schemas import AnnotationIn, AttachIn, CaseIn, CasePatch
from api.review.tables import CaseRecordRow
from tests.api.desk import ANA, BEN, CHIEF, Desk, person

DAY_US = 86_400_000_000


@pytest.fixture
def desk(store, clock):
    return Desk(store, clock)


def put(*ids):
    return [AttachIn(record_id=id_, reason="same night") for id_ in ids]


def change(desk, who, case_id, *, if_match=None, **wish):
    etag = desk.see(ANA, get_case, case_id)["etag"] if if_match is None else if_match
    return desk.do(who, change_case, case_id, CasePatch(**wish), if_match=etag)


def history(desk, case_id, who=CHIEF):
    return desk.see(who, case_history, case_id, Window(1000)).items


def held(desk):
    with desk.store.read() as session:
        return set(session.scalars(select(CaseRecordRow.record_id).where(held_records())))


def test_notes_are_added_and_kept_with_whom_and_when(desk):
    crossing_id = desk.deliver("a")
    first = desk.do(ANA, annotate, crossing_id, AnnotationIn(text="two,\none limps"))
    desk.deliver("a", 5)
    desk.do(CHIEF, annotate, crossing_id, AnnotationIn(text="seen by the patrol too"))
    notes = desk.see(BEN, list_annotations, crossing_id, Window(10)).items
    assert notes[0] == first
    assert [(note["author"], note["revision"]) for note in notes] == [("ana", 1), ("chief", 2)]
    with pytest.raises(NotFoundError):
        desk.do(person("bravo", Role.PARTNER), annotate, crossing_id, AnnotationIn(text="x"))
    # What is written in a note is in the note alone, for that can be erased.
    for told in (desk.store_audit("crossing.annotate"), desk.store_events("crossing.annotated")):
        assert len(told) == 2
        assert "limps" not in str(told)


def test_notes_are_never_shared(service, crossing):
    bravo = service.partner("bravo")
    service.agree(bravo, fields=["kind", "direction", "status", "position", "track", "border", "source", "clip"])
    crossing_id = service.deliver(crossing())
    path = f"/crossings/{crossing_id}/annotations"
    assert service.ask("analyst", "POST", path, json={"text": "sensitive"}).status_code == 201
    service.judge(crossing_id)
    assert service.release(crossing_id, bravo).status_code == 201
    assert "sensitive" not in service.ask("bravo", "GET", f"/crossings/{crossing_id}").text
    assert service.ask("bravo", "GET", path).status_code == 403
    assert service.ask("pilot", "POST", path, json={"text": "mine"}).status_code == 403
    for wrong in ({"text": ""}, {"text": "x" * 4001}, {"text": "\x1b[2J"}, {}):
        assert service.ask("analyst", "POST", path, json=wrong).status_code == 422


def test_the_history_of_a_case(desk):
    a, b = desk.deliver("a"), desk.deliver("b")
    case_id = desk.do(ANA, open_case, CaseIn(title="night of the first", note="three in all", attach=put(a)))["id"]
    change(desk, BEN, case_id, attach=put(b), note="the third one")
    change(desk, ANA, case_id, detach=put(a), title="night of the second")
    change(desk, ANA, case_id, state="closed", reason="handed over")
    case = desk.see(CHIEF, get_case, case_id)
    assert (case["title"], case["state"], case["owner"]) == ("night of the second", "closed", "ana")
    assert [(each["id"], each["reason"]) for each in case["records"]] == [(b, "same night")]
    assert case["records"][0]["feature"]["id"] == b
    assert [(line["kind"], line["by"], line["record_id"]) for line in history(desk, case_id)] == [
        ("opened", "ana", None),
        ("note", "ana", None),
        ("attached", "ana", a),
        ("note", "ben", None),
        ("attached", "ben", b),
        ("renamed", "ana", None),
        ("detached", "ana", a),
        ("closed", "ana", None),
    ]
    with pytest.raises(ConflictError, match="open it again"):
        change(desk, ANA, case_id, attach=put(a))
    change(desk, ANA, case_id, state="open", reason="there was a fourth", attach=put(a))
    assert desk.see(CHIEF, get_case, case_id)["closed"] is None
    assert len(desk.store_events("case.opened") + desk.store_events("case.changed")) == 5
    entries = desk.store_audit("case.open") + desk.store_audit("case.change")
    assert [entry["objects"] for entry in entries] == [
        [case_id, a],
        [case_id, b],
        [case_id, a],
        [case_id],
        [case_id, a],
    ]


def test_a_change_names_the_state_that_was_seen_and_is_whole_or_not_at_all(desk):
    a = desk.deliver("a")
    case = desk.do(ANA, open_case, CaseIn(title="night"))
    with pytest.raises(PreconditionError):
        desk.do(ANA, change_case, case["id"], CasePatch(title="x"), if_match=None)
    changed = change(desk, ANA, case["id"], attach=put(a))
    with pytest.raises(StaleError):
        change(desk, BEN, case["id"], if_match=case["etag"], note="too late")
    with pytest.raises(NotFoundError):
        change(desk, ANA, case["id"], title="other", detach=put(a), attach=put("f" * 32))
    seen = desk.see(ANA, get_case, case["id"])
    assert (seen["title"], seen["etag"], [each["id"] for each in seen["records"]]) == ("night", changed["etag"], [a])
    with pytest.raises(ConflictError, match="already"):
        change(desk, ANA, case["id"], attach=put(a))


def test_what_an_analyst_may_do_with_a_case_of_another(desk):
    case_id = desk.do(ANA, open_case, CaseIn(title="night"))["id"]
    change(desk, BEN, case_id, note="I saw it too")
    for wish in ({"title": "mine"}, {"take": True}, {"state": "closed", "reason": "done"}):
        with pytest.raises(PermissionDeniedError, match="ana"):
            change(desk, BEN, case_id, **wish)
    with pytest.raises(PermissionDeniedError, match="supervisor"):
        change(desk, ANA, case_id, hold=True, reason="court")
    change(desk, CHIEF, case_id, take=True, reason="ana has left")
    assert desk.see(ANA, get_case, case_id)["owner"] == "chief"
    with pytest.raises(PermissionDeniedError):
        change(desk, ANA, case_id, title="mine")


def test_a_hold_keeps_records_until_it_is_lifted(desk):
    a, b = desk.deliver("a"), desk.deliver("b")
    case_id = desk.do(ANA, open_case, CaseIn(title="court", attach=put(a)))["id"]
    other = desk.do(ANA, open_case, CaseIn(title="no court", attach=put(b)))["id"]
    assert held(desk) == set()
    change(desk, CHIEF, case_id, hold=True, reason="case 12 of the court")
    assert held(desk) == {a}
    with pytest.raises(ConflictError, match="hold"):
        change(desk, ANA, case_id, state="closed", reason="done")
    change(desk, ANA, case_id, attach=put(b))
    assert held(desk) == {a, b}
    change(desk, ANA, case_id, detach=put(a))
    change(desk, CHIEF, case_id, hold=False, reason="judged")
    assert held(desk) == set()
    assert [line["kind"] for line in history(desk, case_id)][-1] == "let-go"
    assert desk.see(ANA, get_case, other)["hold"] is False


def test_nobody_reads_in_a_case_what_it_may_not_read_outside(desk):
    brief, lasting = desk.deliver("brief", retention_days=1), desk.deliver("lasting")
    case_id = desk.do(ANA, open_case, CaseIn(title="night", attach=put(brief, lasting)))["id"]
    assert len(desk.see(ANA, get_case, case_id)["records"]) == 2
    desk.clock.now_us += DAY_US
    case = desk.see(ANA, get_case, case_id)
    assert [each["id"] for each in case["records"]] == [lasting]
    assert brief not in str(case)
    with pytest.raises(NotFoundError):
        change(desk, ANA, case_id, detach=put(brief))
    stranger = desk.see(person("admin", Role.ADMINISTRATOR), get_case, case_id)
    assert stranger["records"] == []


def test_over_http(service, crossing):
    crossing_id = service.deliver(crossing())
    attach = [{"record_id": crossing_id, "reason": "seen"}]
    answer = service.ask("analyst", "POST", "/cases", json={"title": "night", "attach": attach})
    assert (answer.status_code, answer.headers["ETag"]) == (201, '"1"')
    case_id = answer.json()["id"]
    for number in range(3):
        service.ask("analyst", "POST", "/cases", json={"title": f"more {number}"})
    path, found = "/cases?limit=3&state=open", []
    while path:
        page = service.ask("supervisor", "GET", path).json()
        found += [each["title"] for each in page["cases"]]
        assert all("cursor" not in each for each in page["cases"])
        path = next((link["href"] for link in page["links"]), None)
    assert found == ["more 2", "more 1", "more 0", "night"]
    (with_it,) = service.ask("analyst", "GET", "/cases", params={"record_id": crossing_id}).json()["cases"]
    assert with_it["id"] == case_id
    patch = {"json": {"note": "also"}, "headers": {"If-Match": '"1"'}}
    assert service.ask("supervisor", "PATCH", f"/cases/{case_id}", **patch).headers["ETag"] == '"2"'
    assert service.ask("supervisor", "PATCH", f"/cases/{case_id}", **patch).status_code == 412
    assert service.ask("supervisor", "PATCH", f"/cases/{case_id}", json={"note": "also"}).status_code == 428
    assert service.ask("analyst", "PATCH", f"/cases/{case_id}", json={"hold": True}).status_code == 422  # no reason
    assert service.ask("analyst", "GET", f"/cases/{'f' * 32}").status_code == 404
    for who in ("pilot", "auditor", "administrator", "sensor"):
        assert service.ask(who, "GET", f"/cases/{case_id}").status_code == 403
    entries = [entry["body"] for entry in service.ask("auditor", "GET", "/audit?limit=1000").json()["entries"]]
    assert not any("night" in str(entry) for entry in entries)  # words of a case are in the case alone
    service.ask("analyst", "GET", f"/cases/{case_id}")
    newest = service.ask("auditor", "GET", "/audit", params={"after": len(entries), "limit": 10}).json()["entries"]
    read = [entry["body"]["objects"] for entry in newest if entry["body"]["action"] == "case.read"]
    assert read == [[case_id, crossing_id]]


moves = st.lists(
    st.tuples(st.sampled_from(["attach", "detach", "close", "open", "hold", "let-go"]), st.integers(0, 2)), max_size=14
)


@given(moves)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_case_beside_a_set(desk, moves):
    ids = [desk.deliver(f"{desk.clock()}") for _ in range(3)]
    case_id = desk.do(CHIEF, open_case, CaseIn(title="night"))["id"]
    inside, closed, hold, lines = set(), False, False, 1
    for what, number in moves:
        id_ = ids[number]
        wish, allowed = {
            "attach": ({"attach": put(id_)}, not closed and id_ not in inside),
            "detach": ({"detach": put(id_)}, not closed and id_ in inside),
            "close": ({"state": "closed", "reason": "x"}, closed or not hold),
            "open": ({"state": "open", "reason": "x"}, True),
            "hold": ({"hold": True, "reason": "x"}, True),
            "let-go": ({"hold": False, "reason": "x"}, True),
        }[what]
        if not allowed:
            with pytest.raises((ConflictError, NotFoundError)):
                change(desk, CHIEF, case_id, **wish)
            continue
        change(desk, CHIEF, case_id, **wish)
        before = (set(inside), closed, hold)
        inside = inside | {id_} if what == "attach" else inside - {id_} if what == "detach" else inside
        closed = {"close": True, "open": False}.get(what, closed)
        hold = {"hold": True, "let-go": False}.get(what, hold)
        lines += before != (inside, closed, hold)
    case = desk.see(CHIEF, get_case, case_id)
    assert {each["id"] for each in case["records"]} == inside
    assert (case["state"], case["hold"]) == ("closed" if closed else "open", hold)
    assert len(history(desk, case_id)) == lines  # what changes nothing leaves no line
    assert held(desk) & set(ids) == (inside if hold else set())
    with desk.store.read() as session:
        assert case_id in {each["id"] for each in list_cases(session, Window(100), state=None, record_id=None).items}
