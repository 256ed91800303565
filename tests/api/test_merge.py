"""One event told twice becomes one: no circle, nothing lost, nothing shared; and parted again as it was."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from api.errors import ConflictError, NotFoundError, PermissionDeniedError, UnprocessableError
from api.pages import Window
from api.records.merges import members, survivors
from api.release.agreements import add_agreement, add_partner
from api.release.releases import list_releases, release
from api.release.schemas import AgreementTerms, PartnerIn, ReleaseIn
from api.review.cases import case_history, get_case, open_case
from api.review.erasure import forget
from api.review.merging import merge, split
from api.review.notes import annotate, list_annotations
from api.review.schemas import AnnotationIn, AttachIn, CaseIn, MergeIn
from api.store.engine import Store
from tests.api.conftest import Clock
from tests.api.desk import ADMIN, ANA, BEN, CHIEF, CLEO, Desk, person
from tests.api.samples import agreement_json

WHY = "the same three people"


@pytest.fixture
def desk(store, clock):
    return Desk(store, clock)


def into(desk, child, parent, who=ANA):
    return desk.do(who, merge, child, MergeIn(into=parent, reason=WHY))


def test_the_merged_one_points_to_the_survivor_which_names_it_with_its_evidence(service, crossing, clip):
    kept = service.deliver(crossing("a", also_seen=[{"source": "vehicle-1", "source_id": "b"}]))
    double = service.deliver(crossing("b"), clip=clip)
    etag = service.ask("analyst", "GET", f"/crossings/{kept}").headers["ETag"]
    answer = service.ask("analyst", "POST", f"/crossings/{kept}/merge", json={"others": [double], "reason": WHY})
    assert answer.status_code == 200, answer.text
    assert answer.json()["merged"] == [double]
    shown = service.ask("analyst", "GET", f"/crossings/{kept}")
    href = f"/crossings/{double}/evidence/clip"
    assert shown.json()["properties"]["also_seen"] == [
        {
            "source": "vehicle-1",
            "source_id": "b",
            "id": double,
            "href": f"/crossings/{double}",
            "evidence": {"clip": href},
        }
    ]
    assert service.ask("analyst", "GET", href).content == clip
    assert shown.headers["ETag"] == answer.json()["etag"] != etag  # who looked at it before has to look again
    merged = service.ask("analyst", "GET", f"/crossings/{double}").json()["properties"]
    assert (merged["merged_into"], merged["review"]) == (kept, {"state": "merged"})
    assert service.seen_by("analyst", review="merged") == [double]
    assert [item["id"] for item in service.ask("analyst", "GET", "/reviews/queue").json()["items"]] == [kept]
    assert service.judge(double).status_code == 409
    # Evidence that comes later is told of as well.
    late = service.deliver(crossing("c"))
    assert service.ask("analyst", "POST", f"/crossings/{late}/merge", json={"into": kept, "reason": WHY}).is_success
    service.ask("pilot", "PUT", f"/crossings/{late}/evidence/clip", content=clip)
    also = service.ask("analyst", "GET", f"/crossings/{kept}").json()["properties"]["also_seen"]
    assert [list(each["evidence"]) for each in also] == [["clip"], ["clip"]]


def test_what_is_merged_is_taken_back_from_partners_and_not_shared_again(service, crossing):
    bravo = service.partner("bravo")
    service.agree(bravo)
    kept, double = service.deliver(crossing("a")), service.deliver(crossing("b"))
    for each in (kept, double):
        assert service.judge(each).json()["state"] == "confirmed"
        assert service.release(each, bravo).status_code == 201
    assert set(service.seen_by("bravo")) == {kept, double}
    service.ask("analyst", "POST", f"/crossings/{double}/merge", json={"into": kept, "reason": WHY})
    assert service.seen_by("bravo") == [kept]
    assert [each["record_id"] for each in service.ask("bravo", "GET", "/recalls").json()] == [double]
    answer = service.release(double, bravo)
    assert answer.status_code == 409
    assert "merged" in answer.json()["detail"]
    service.deliver(crossing("b", update_time="2026-01-01T10:00:09Z"))  # a newer word does not free it
    assert service.ask("analyst", "GET", f"/crossings/{double}").json()["properties"]["merged_into"] == kept
    assert service.release(double, bravo).status_code == 409
    assert "also_seen" not in service.ask("bravo", "GET", f"/crossings/{kept}").json()["properties"]


def test_parted_it_stands_as_its_own_verdicts_say(desk):
    kept, confirmed, dismissed, replaced = (desk.deliver(name) for name in "abcd")
    desk.judge(ANA, confirmed, "confirm")
    desk.judge(ANA, dismissed, "dismiss", category="animal")
    desk.judge(ANA, replaced, "confirm")
    for each in (confirmed, dismissed, replaced):
        into(desk, each, kept)
    desk.deliver("d", 5)
    states = [desk.do(BEN, split, each, "two events")["state"] for each in (confirmed, dismissed, replaced)]
    assert states == ["confirmed", "dismissed", "pending"]
    assert desk.feature(dismissed)["review"]["category"] == "animal"
    assert "merged_into" not in desk.feature(confirmed)
    assert "also_seen" not in desk.feature(kept)
    assert {item["id"] for item in desk.queue()["items"]} == {kept, replaced}
    desk.rules(
        two_people=[{}]
    )  # what one person confirmed before is not confirmed by stricter rules when it comes back
    into(desk, confirmed, kept)
    assert desk.do(BEN, split, confirmed, "two events")["state"] == "pending"


def test_a_standing_subscription_shares_again_what_is_parted(service, crossing):
    bravo = service.partner("bravo")
    agreement = service.agree(bravo, subscriptions=True).json()["id"]
    assert service.ask("bravo", "POST", "/subscriptions", json={"agreement_id": agreement}).status_code == 201
    kept, double = service.deliver(crossing("a")), service.deliver(crossing("b"))
    service.judge(double)
    assert service.seen_by("bravo") == [double]
    service.ask("analyst", "POST", f"/crossings/{double}/merge", json={"into": kept, "reason": WHY})
    assert service.seen_by("bravo") == []
    service.ask("analyst", "POST", f"/crossings/{double}/split", json={"reason": "two events"})
    assert service.seen_by("bravo") == [double]


def test_what_cannot_be_merged(desk):
    a, b, c = (desk.deliver(name) for name in "abc")
    with pytest.raises(UnprocessableError):
        into(desk, a, a)
    with pytest.raises(UnprocessableError):
        desk.do(ANA, merge, a, MergeIn(others=[b, b], reason=WHY))
    with pytest.raises(NotFoundError):
        desk.do(ANA, merge, a, MergeIn(others=[b, "f" * 32], reason=WHY))
    assert "also_seen" not in desk.feature(a)  # all or nothing
    into(desk, a, b)
    for child, parent in ((b, a), (a, c), (c, a)):
        with pytest.raises(ConflictError, match=b):
            into(desk, child, parent)
    with pytest.raises(ConflictError, match="not merged"):
        desk.do(ANA, split, b, "two events")
    desk.rules(two_people=[{}])
    with pytest.raises(PermissionDeniedError):  # merging hides: a key that is nobody does not
        into(desk, c, b, person("robot", account=False))


def test_merging_is_on_record(desk):
    a, b = desk.deliver("a"), desk.deliver("b")
    into(desk, a, b)
    desk.do(BEN, split, a, "two events")
    merged, parted = desk.store_events("crossing.merged"), desk.store_events("crossing.split")
    assert [(event["record_id"], event["detail"]["into"]) for event in merged] == [(a, b)]
    assert [(event["record_id"], event["detail"]["survivor"]) for event in parted] == [(a, b)]
    (entry,) = desk.store_audit("crossing.merge")
    assert (entry["objects"], entry["name"], entry["detail"]) == ([b, a], "ana", {"into": b, "reason": WHY})
    assert desk.store_audit("crossing.split")[0]["detail"] == {"reason": "two events"}


def test_what_goes_with_a_record(desk):
    """Erasing takes along what people added, and frees what it stood for."""
    top, middle, low = (desk.deliver(name) for name in "abc")
    into(desk, low, middle)
    into(desk, middle, top)
    for each in (middle, low):
        desk.do(CLEO, annotate, each, AnnotationIn(text="two with backpacks"))
    attach = [AttachIn(record_id=each, reason="one of the three") for each in (middle, low)]
    case_id = desk.do(ANA, open_case, CaseIn(title="night", attach=attach))["id"]
    with desk.store.write() as session:
        forget(session, [middle])
    assert "also_seen" not in desk.feature(top)
    assert desk.feature(low)["review"] == {"state": "pending"}
    assert desk.see(ANA, list_annotations, middle, Window(10)).items == []
    assert len(desk.see(ANA, list_annotations, low, Window(10)).items) == 1
    case = desk.see(ANA, get_case, case_id)
    assert [each["id"] for each in case["records"]] == [low]
    texts = {each["record_id"]: each["text"] for each in desk.see(ANA, case_history, case_id, Window(10)).items}
    assert (texts[middle], texts[low]) == (None, "one of the three")


# -- against a model ---------------------------------------------------------------------------------------------------

_MADE: dict[str, Any] = {}


class Merging(RuleBasedStateMachine):
    """Deliveries, verdicts, merges, partings and erasures in any order, beside a table of who lies below whom."""

    ids = Bundle("ids")

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copytree(_MADE["template"].folder, self.folder / "store")
        database = _MADE["databases"].new(*_MADE["template"].names)
        self.store = Store(self.folder / "store", database=database, clock=Clock())
        self.desk = Desk(self.store, self.store.clock)
        self.above, self.said, self.source, self.revision = {}, {}, {}, {}
        self.released, self.number = set(), 0
        self.bravo = self.desk.do(ADMIN, add_partner, PartnerIn(name="bravo"))["id"]
        self.desk.do(ADMIN, add_agreement, AgreementTerms.model_validate(agreement_json(self.bravo)))

    def teardown(self):
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(target=ids)
    def deliver(self):
        self.number += 1
        id_ = self.desk.deliver(f"s{self.number}")
        self.source[id_], self.said[id_], self.revision[id_] = f"s{self.number}", [], 1
        return id_

    @rule(id_=ids)
    def replace(self, id_):
        self.revision[id_] += 1
        assert self.desk.deliver(self.source[id_], 5 + self.revision[id_]) == id_
        self.said[id_] = []
        self.released.discard(id_)

    @rule(id_=ids, verdict=st.sampled_from(["confirm", "dismiss"]))
    def judge(self, id_, verdict):
        if id_ in self.above:
            with pytest.raises(ConflictError):
                self.desk.judge(ANA, id_, verdict)
            return
        self.desk.judge(ANA, id_, verdict)
        self.said[id_].append(verdict)
        if verdict == "dismiss":
            self.released.discard(id_)

    @rule(id_=ids)
    def share(self, id_):
        if self.state(id_) == "confirmed":
            self.desk.do(CHIEF, release, ReleaseIn(record_id=id_, partner_id=self.bravo))
            self.released.add(id_)
        else:
            with pytest.raises(ConflictError):
                self.desk.do(CHIEF, release, ReleaseIn(record_id=id_, partner_id=self.bravo))

    @rule(target_=ids, others=st.lists(ids, min_size=1, max_size=3))
    def merge(self, target_, others):
        wish = MergeIn(others=others, reason=WHY)
        if target_ in others or len(set(others)) < len(others) or {target_, *others} & self.above.keys():
            with pytest.raises((UnprocessableError, ConflictError)):
                self.desk.do(ANA, merge, target_, wish)
            return
        self.desk.do(ANA, merge, target_, wish)
        self.above |= dict.fromkeys(others, target_)
        self.released -= set(others)

    @rule(id_=ids)
    def part(self, id_):
        if id_ in self.above:
            self.desk.do(BEN, split, id_, "two events")
            del self.above[id_]
        else:
            with pytest.raises(ConflictError):
                self.desk.do(BEN, split, id_, "two events")

    @rule(id_=consumes(ids))
    def erase(self, id_):
        with self.store.write() as session:
            forget(session, [id_])
        self.above = {child: parent for child, parent in self.above.items() if id_ not in {child, parent}}
        del self.source[id_], self.said[id_]
        self.released.discard(id_)

    def state(self, id_):
        if id_ in self.above:
            return "merged"
        said = self.said[id_]
        return {"confirm": "confirmed", "dismiss": "dismissed"}[said[-1]] if said else "pending"

    def root(self, id_):
        return self.root(self.above[id_]) if id_ in self.above else id_

    @invariant()
    def nothing_is_lost_and_all_is_told(self):
        below = {id_: set() for id_ in self.source}
        for id_ in self.above:
            here = id_
            for _ in self.source:  # a circle would go on
                if here not in self.above:
                    break
                here = self.above[here]
                below[here].add(id_)
            assert here not in self.above
        with self.store.read() as session:
            assert survivors(session, self.source) == {id_: self.root(id_) for id_ in self.above}
            found = members(session, self.source)
            standing = list_releases(session, Window(1000), record_id=None, partner_id=self.bravo).items
        assert {id_: set(ids) for id_, ids in found.items()} == {id_: ids for id_, ids in below.items() if ids}
        assert all(len(ids) == len(set(ids)) for ids in found.values())
        live = {each["record_id"] for each in standing if each["recalled"] is None}
        assert live & self.source.keys() == self.released
        for id_ in self.source:
            seen = self.desk.feature(id_)
            assert seen["review"]["state"] == self.state(id_)
            assert seen.get("merged_into") == (self.root(id_) if id_ in self.above else None)
            assert {each["id"] for each in seen.get("also_seen", [])} == (
                below[id_] if id_ not in self.above else set()
            )
        queued = {item["id"] for item in self.desk.queue()["items"]}
        assert queued & self.source.keys() == {id_ for id_ in self.source if self.state(id_) == "pending"}


def test_merges_beside_a_model(databases, template):
    _MADE.update(databases=databases, template=template(databases))
    run_state_machine_as_test(
        Merging,
        settings=settings(
            max_examples=6,
            stateful_step_count=16,
            deadline=None,
            phases=[Phase.generate],  # a store a step: what fails is short enough as it is
            suppress_health_check=list(HealthCheck),
        ),
    )
