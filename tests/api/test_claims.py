"""Claims: one at a time, for a while, whatever the clock does."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.errors import ConflictError, NotFoundError
from api.identity.roles import Role
from api.review.claims import claim, take_over, unclaim
from api.review.merging import merge
from api.review.schemas import MergeIn
from tests.api.desk import ANA, BEN, CHIEF, CLEO, Desk, person

LEASE_US = 900_000_000


@pytest.fixture
def desk(store, clock):
    return Desk(store, clock)


@pytest.fixture
def crossing_id(desk):
    return desk.deliver("a")


def free(desk, who, crossing_id):
    """Whether `who` could claim it now; tried and taken back."""
    try:
        desk.do(who, claim, crossing_id)
    except ConflictError:
        return False
    desk.do(who, unclaim, crossing_id)
    return True


def test_only_the_holder_judges_while_it_holds(desk, crossing_id):
    mine, new = desk.do(ANA, claim, crossing_id)
    assert (mine["by"], mine["mine"], new) == ("ana", True, True)
    with pytest.raises(ConflictError, match=r"claimed by ana until 2026-01-01T12:15:00.*ask them or a supervisor"):
        desk.judge(BEN, crossing_id, "confirm")
    with pytest.raises(ConflictError):
        desk.do(BEN, claim, crossing_id)
    with pytest.raises(NotFoundError):
        desk.do(BEN, unclaim, crossing_id)
    # The same person by another key holds it as well, and the work done ends the claim.
    assert desk.judge(person("ana", key="another"), crossing_id, "confirm")["state"] == "confirmed"
    assert free(desk, BEN, crossing_id)
    assert desk.judge(BEN, crossing_id, "dismiss")["state"] == "dismissed"


def test_a_claim_is_renewed_by_its_holder_and_ends_by_itself(desk, crossing_id):
    first, _ = desk.do(ANA, claim, crossing_id)
    desk.clock.now_us += LEASE_US - 100
    again, new = desk.do(ANA, claim, crossing_id)
    assert not new
    assert (again["claimed"], again["until"] > first["until"]) == (first["claimed"], True)
    desk.clock.now_us += LEASE_US - 100
    assert not free(desk, BEN, crossing_id)
    desk.clock.now_us += 100
    assert free(desk, BEN, crossing_id)
    assert desk.judge(CLEO, crossing_id, "confirm")
    assert [event["detail"]["by"] for event in desk.store_events("crossing.claimed")] == ["ana", "ben"]


def test_the_policy_says_for_how_long(desk, crossing_id):
    desk.rules(claim_s=30)
    desk.do(ANA, claim, crossing_id)
    desk.clock.now_us += 29_000_000
    assert not free(desk, BEN, crossing_id)
    desk.clock.now_us += 1_000_001
    assert free(desk, BEN, crossing_id)


def test_a_supervisor_takes_it_over_with_a_reason_and_judges_nothing(desk, crossing_id):
    desk.do(ANA, claim, crossing_id)
    taken = desk.do(CHIEF, take_over, crossing_id, "she went home")
    assert (taken["by"], taken["mine"]) == ("chief", True)
    with pytest.raises(ConflictError):
        desk.judge(ANA, crossing_id, "confirm")
    (entry,) = desk.store_audit("crossing.take_over")
    assert entry["detail"] == {"reason": "she went home", "from_person": "account-of-ana", "from_name": "ana"}
    assert desk.store_events("crossing.claimed")[-1]["detail"]["taken_from"] == "ana"
    desk.do(CHIEF, unclaim, crossing_id)
    assert desk.judge(ANA, crossing_id, "confirm")["state"] == "confirmed"


def test_over_http_the_supervisor_alone_takes_over(service, crossing):
    crossing_id = service.deliver(crossing())
    assert service.ask("analyst", "POST", f"/crossings/{crossing_id}/claim").status_code == 201
    assert service.ask("analyst", "POST", f"/crossings/{crossing_id}/claim").status_code == 200
    path = f"/crossings/{crossing_id}/claim/take-over"
    assert service.ask("analyst", "POST", path, json={"reason": "mine"}).status_code == 403
    assert service.ask("supervisor", "POST", path, json={}).status_code == 422
    assert service.ask("supervisor", "POST", f"/crossings/{crossing_id}/claim").status_code == 409
    assert service.ask("supervisor", "POST", path, json={"reason": "night"}).status_code == 200
    assert service.judge(crossing_id).status_code == 409
    assert service.ask("analyst", "DELETE", f"/crossings/{crossing_id}/claim").status_code == 404
    assert service.ask("supervisor", "DELETE", f"/crossings/{crossing_id}/claim").status_code == 204
    assert service.judge(crossing_id).status_code == 201
    assert service.ask("analyst", "POST", f"/crossings/{'f' * 32}/claim").status_code == 404


def test_of_many_at_once_one_gets_it(service, crossing):
    crossing_id = service.deliver(crossing())
    names = [f"analyst-{number}" for number in range(8)]
    for name in names:
        service.key(name, "analyst")
    start = threading.Barrier(len(names))

    def reach(name):
        start.wait()
        return service.ask(name, "POST", f"/crossings/{crossing_id}/claim").status_code

    with ThreadPoolExecutor(len(names)) as pool:
        codes = dict(zip(names, pool.map(reach, names), strict=True))
    assert sorted(codes.values()) == [201] + [409] * 7
    (winner,) = (name for name, code in codes.items() if code == 201)
    (item,) = service.ask(winner, "GET", "/reviews/queue").json()["items"]
    assert (item["claim"]["by"], item["claim"]["mine"]) == (winner, True)


def test_what_was_merged_is_not_claimed(desk, crossing_id):
    other = desk.deliver("b")
    desk.do(ANA, claim, crossing_id)
    with pytest.raises(ConflictError, match="claimed by ana"):
        desk.do(BEN, merge, crossing_id, MergeIn(into=other, reason="same"))
    desk.do(ANA, merge, crossing_id, MergeIn(into=other, reason="same"))
    with pytest.raises(ConflictError, match="merged"):
        desk.do(ANA, claim, crossing_id)


PEOPLE = (ANA, BEN, person("chief", Role.SUPERVISOR))
steps = st.lists(
    st.tuples(
        st.sampled_from(["claim", "unclaim", "wait", "back"]),
        st.integers(0, 2),
        st.sampled_from([1, LEASE_US // 2, LEASE_US - 50, LEASE_US, 3 * LEASE_US]),
    ),
    max_size=15,
)


class Holding:
    """Who holds it by a clock that is never wrong, as far as the service's own may be trusted."""

    def __init__(self, desk, crossing_id):
        self.desk, self.crossing_id = desk, crossing_id
        self.holder, self.now_us, self.since_us, self.steady = None, 0, 0, True

    def wait(self, _who, amount_us):
        self.desk.clock.now_us += amount_us
        self.now_us += amount_us

    def back(self, _who, amount_us):
        self.desk.clock.now_us -= amount_us
        self.steady, self.since_us = False, self.now_us

    def claim(self, who, _amount_us):
        held_us = self.now_us - self.since_us
        try:
            self.desk.do(who, claim, self.crossing_id)
        except ConflictError:
            assert self.holder not in {None, who}
            assert held_us < (LEASE_US if self.steady else 2 * LEASE_US)  # nobody is kept out by what is long past
        else:
            assert self.holder in {None, who} or not self.steady or held_us > LEASE_US - 1000
            self.holder, self.since_us, self.steady = who, self.now_us, True

    def unclaim(self, who, _amount_us):
        try:
            self.desk.do(who, unclaim, self.crossing_id)
        except NotFoundError:
            assert self.holder is not who or not self.steady or self.now_us - self.since_us > LEASE_US - 1000
        else:
            assert self.holder is who
            self.holder = None


@given(steps)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_clock_does_one_holds_it_and_nobody_is_kept_out_for_long(desk, steps):
    holding = Holding(desk, desk.deliver(f"{desk.clock()}"))
    for what, number, amount_us in steps:
        getattr(holding, what)(PEOPLE[number], amount_us)
