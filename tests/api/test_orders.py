"""Orders to vehicles: who gives them, what becomes of each, who hears of it; and that none is carried out twice."""

import json
import threading
import time
from types import SimpleNamespace

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import api
from api.orders.tables import OrderRow
from api.store.tables import AuditRow, EventRow
from tests.api.conftest import ON_SQLITE
from tests.api.live import Stream, live
from tests.api.people import Browser, make_account, person_at, settled
from tests.api.samples import record_json

MINE, OTHER = "a" * 32, "b" * 32
PLACE = {"lat": 31.33, "lon": -110.94, "uncertainty_m": 5.0}


def vehicle_of(service, source_id="v", who="pilot"):
    answer = service.ask(who, "POST", "/vehicles", json=record_json("vehicles", source_id))
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()["id"]


def order_json(client_id="1", kind="pause", source_id="v", **more):
    confirmed = kind in {"dispatch", "land"}
    usual = {"client_id": client_id, "vehicle": {"source": "station", "source_id": source_id}, "kind": kind}
    return usual | {"confirmed": confirmed} | ({"place": PLACE} if kind == "dispatch" else {}) | more


def tell(service, order_id, state, station=MINE, words=None, who="pilot"):
    body = {"station": station, "state": state, "words": words}
    return service.ask(who, "PUT", f"/orders/{order_id}/outcome", json=body)


def given(pat, *args, **more):
    answer = pat.ask("POST", "/orders", json=order_json(*args, **more))
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_an_order_is_given_taken_and_told_of(service):
    vehicle_id, pat = vehicle_of(service), settled(service, "pat", "pilot")
    order = given(pat, kind="dispatch", reason="a light at the ford", station_s=60)
    assert (order["state"], order["vehicle"]["id"], order["by"]) == ("given", vehicle_id, "Pat")
    assert (order["place"], order["left_s"]) == (PLACE, 30.0)
    for state, words in (("taken", None), ("accepted", "sees it in 40 s"), ("done", "was there")):
        answer = tell(service, order["id"], state, words=words)
        assert (answer.status_code, answer.json()["state"], answer.json()["words"]) == (200, state, words)
    (listed,) = service.ask("supervisor", "GET", "/orders", params={"vehicle": vehicle_id}).json()
    assert listed == pat.ask("GET", f"/orders/{order['id']}").json()
    with service.store.read() as session:
        events = [row for row in session.query(EventRow).order_by(EventRow.seq) if row.kind.startswith("order.")]
        bodies = [json.loads(row.body) for row in session.query(AuditRow).order_by(AuditRow.seq)]
    assert [json.loads(row.detail).get("state") for row in events] == [None, "taken", "accepted", "done"]
    deeds = [body for body in bodies if body["action"] in {"order.give", "order.tell"}]
    assert [deed["objects"] for deed in deeds] == [[order["id"]]] * 4
    # Both outlive the record of the vehicle.
    assert "ford" not in repr([row.detail for row in events]) + repr(bodies)


def test_the_same_order_is_given_once_and_another_needs_its_own_name(service):
    vehicle_of(service)
    pat, kim = settled(service, "pat", "pilot"), settled(service, "kim", "pilot")
    first = given(pat, "one")
    again = pat.ask("POST", "/orders", json=order_json("one"))
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    assert pat.ask("POST", "/orders", json=order_json("one", "resume")).status_code == 409
    assert given(kim, "one")["id"] != first["id"]
    assert len(pat.ask("GET", "/orders").json()) == 2


@ON_SQLITE
def test_people_give_orders_and_nobody_else(service):
    vehicle_of(service)
    pat = settled(service, "pat", "pilot")
    refused = service.ask("pilot", "POST", "/orders", json=order_json())
    assert (refused.status_code, "people" in refused.json()["detail"]) == (403, True)
    order = given(pat)
    assert service.ask("pilot", "DELETE", f"/orders/{order['id']}").status_code == 403
    for role in ("supervisor", "analyst", "auditor", "administrator"):
        person = settled(service, f"some-{role}", role)
        assert person.ask("POST", "/orders", json=order_json()).status_code == 403
        assert person.ask("DELETE", f"/orders/{order['id']}").status_code == 403
    assert pat.ask("POST", "/orders", json=order_json(source_id="nobody's")).status_code == 404
    unknown = order_json("2", "dispatch", place=None, cue_id="0" * 32)
    assert pat.ask("POST", "/orders", json=unknown).status_code == 404
    assert [one["id"] for one in pat.ask("GET", "/orders").json()] == [order["id"]]


@ON_SQLITE
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "dispatch", "confirmed": False}, "confirmed: true"),
        ({"kind": "land", "confirmed": False, "place": None}, "confirmed: true"),
        ({"kind": "dispatch", "place": None}, "one of cue_id and place"),
        ({"kind": "dispatch", "cue_id": "0" * 32}, "one of cue_id and place"),
        ({"kind": "pause", "place": PLACE}, "of a dispatch"),
        ({"kind": "return", "station_s": 5}, "of a dispatch"),
        ({"expires_s": 301}, "300"),
        ({"kind": "loop"}, "kind"),
    ],
)
def test_an_order_that_is_none_says_what_to_do(service, change, says):
    vehicle_of(service)
    pat = settled(service, "pat", "pilot")
    answer = pat.ask("POST", "/orders", json=order_json(**({"kind": "pause"} | change)) | change)
    assert (answer.status_code, says in answer.text) == (422, True), answer.text


def test_a_dispatch_to_a_cue_goes_to_where_the_cue_was(service):
    vehicle_of(service)
    cue = service.ask("sensor", "POST", "/cues", json=record_json("cues")).json()["id"]
    order = given(settled(service, "pat", "pilot"), kind="dispatch", place=None, cue_id=cue)
    assert order["cue_id"] == cue
    assert order["place"] == {"lat": 31.333, "lon": -110.94, "uncertainty_m": 20.0}


def test_who_comes_home_or_lands_does_nothing_else_that_still_waits(service):
    vehicle_of(service), vehicle_of(service, "w")
    pat = settled(service, "pat", "pilot")
    begun, waits, elsewhere = given(pat, "1"), given(pat, "2", "resume"), given(pat, "3", source_id="w")
    tell(service, begun["id"], "taken")
    given(pat, "4", "return")
    states = {one["client_id"]: one["state"] for one in pat.ask("GET", "/orders").json()}
    assert states == {"1": "taken", "2": "withdrawn", "3": "given", "4": "given"}
    assert "return" in pat.ask("GET", f"/orders/{waits['id']}").json()["words"]
    assert pat.ask("DELETE", f"/orders/{begun['id']}").status_code == 409
    assert pat.ask("DELETE", f"/orders/{elsewhere['id']}").json()["state"] == "withdrawn"
    assert tell(service, elsewhere["id"], "taken").status_code == 409


@ON_SQLITE
def test_a_station_takes_and_tells_of_its_own_vehicles_alone(service):
    vehicle_of(service)
    service.key("elsewhere", "pilot", sources=["elsewhere"])
    order = given(settled(service, "pat", "pilot"))
    assert tell(service, order["id"], "taken", who="elsewhere").status_code == 404
    assert tell(service, order["id"], "taken").status_code == 200
    assert tell(service, order["id"], "refused").status_code == 422  # without a reason
    # A later run of the station may say that it broke off, and nothing else.
    assert tell(service, order["id"], "done", station=OTHER).status_code == 409
    assert tell(service, order["id"], "failed", station=OTHER, words="started anew").status_code == 200


@ON_SQLITE
def test_a_key_of_a_person_withdraws_orders_to_the_vehicles_it_speaks_for_alone(service):
    vehicle_of(service)
    order = given(settled(service, "pat", "pilot"))
    kim, _ = make_account(service, "kim", "pilot")
    for name, sources in (("elsewhere", ["elsewhere"]), ("here", ["station"])):
        service.key(name, "pilot", account_id=kim, sources=sources)
    refused = service.ask("elsewhere", "DELETE", f"/orders/{order['id']}")
    assert (refused.status_code, "does not speak for station" in refused.json()["detail"]) == (403, True)
    assert service.ask("here", "DELETE", f"/orders/{order['id']}").json()["state"] == "withdrawn"


@ON_SQLITE
def test_an_order_of_which_nobody_tells_ends_by_itself_and_what_is_told_later_is_believed(service, clock):
    vehicle_of(service)
    pat = settled(service, "pat", "pilot")
    silent, accepted = given(pat, "1", expires_s=30), given(pat, "2", expires_s=30)
    for order in (silent, accepted):
        assert tell(service, order["id"], "taken").status_code == 200
    assert tell(service, accepted["id"], "accepted").status_code == 200

    def found(order):
        body = pat.ask("GET", f"/orders/{order['id']}").json()
        return body["state"], body["words"]

    clock.now_us += 629_000_000
    assert found(silent) == ("taken", None)
    clock.now_us += 1_000_000
    state, words = found(silent)
    assert (state, "look what the vehicle does" in words) == ("failed", True)
    assert found(accepted) == ("accepted", None)  # a flight may take long
    assert tell(service, silent["id"], "done", station=OTHER, words="so").status_code == 409
    assert tell(service, silent["id"], "done", words="is down").status_code == 200
    assert found(silent) == ("done", "is down")


def test_orders_go_with_the_record_of_their_vehicle(service):
    vehicle_id, pat = vehicle_of(service), settled(service, "pat", "pilot")
    order = given(pat, reason="a light at the ford")
    wish = {"record_id": vehicle_id, "reason": "asked for"}
    erased = service.ask("supervisor", "POST", "/erasures", json=wish)
    assert erased.is_success, erased.text
    assert pat.ask("GET", f"/orders/{order['id']}").status_code == 404
    assert tell(service, order["id"], "taken").status_code == 404
    with service.store.read() as session:
        assert session.query(OrderRow).count() == 0


class Orders(RuleBasedStateMachine):
    """Two runs of a station, a pilot and the time, in any order, against what the table of states means in words."""

    service = None

    @initialize()
    def begin(self):
        self.pat = Browser.at(self.service)
        assert self.pat.login("pat").status_code == 200
        self.known, self.takers = {}, {}
        self.before = {one["id"] for one in self.pat.ask("GET", "/orders").json()}

    def now(self):
        return self.service.clock.now_us

    def settle(self):
        for one in self.known.values():
            if one["state"] == "given" and self.now() >= one["until_us"]:
                one["state"] = "expired"

    @rule(kind=st.sampled_from(["pause", "resume", "return"]), source_id=st.sampled_from(["v", "w"]))
    def give(self, kind, source_id):
        self.settle()
        if kind == "return":
            for one in self.known.values():
                if (one["state"], one["of"]) == ("given", source_id):
                    one["state"] = "withdrawn"
        order = given(self.pat, f"{self.now()}", kind, source_id, expires_s=30)
        self.known[order["id"]] = {"state": "given", "of": source_id, "until_us": self.now() + 30_000_000}

    @rule(seconds=st.sampled_from([1, 10, 40]))
    def time_passes(self, seconds):
        self.service.clock.now_us += seconds * 1_000_000

    @precondition(lambda self: self.known)
    @rule(data=st.data(), station=st.sampled_from([MINE, OTHER]))
    def take(self, data, station):
        order_id = data.draw(st.sampled_from(sorted(self.known)))
        self.settle()
        one = self.known[order_id]
        free = one["state"] == "given"
        mine = one["state"] == "taken" and self.takers[order_id] == station
        assert (tell(self.service, order_id, "taken", station).status_code == 200) is (free or mine)
        if free:
            one["state"] = "taken"
            self.takers[order_id] = station

    @precondition(lambda self: self.known)
    @rule(
        data=st.data(), station=st.sampled_from([MINE, OTHER]), state=st.sampled_from(["accepted", "done", "refused"])
    )
    def tell(self, data, station, state):
        order_id = data.draw(st.sampled_from(sorted(self.known)))
        self.settle()
        one = self.known[order_id]
        begun = {"accepted": {"taken"}, "refused": {"taken"}, "done": {"taken", "accepted"}}[state]
        mine = self.takers.get(order_id) == station
        may = mine and (one["state"] in begun or one["state"] == state)
        assert (tell(self.service, order_id, state, station, "so").status_code == 200) is may
        one["state"] = state if may else one["state"]

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def withdraw(self, data):
        order_id = data.draw(st.sampled_from(sorted(self.known)))
        self.settle()
        one = self.known[order_id]
        may = one["state"] in {"given", "withdrawn"}
        assert (self.pat.ask("DELETE", f"/orders/{order_id}").status_code == 200) is may
        one["state"] = "withdrawn" if may else one["state"]

    @invariant()
    def all_are_as_they_should(self):
        if not hasattr(self, "known"):
            return
        self.settle()
        found = {one["id"]: one["state"] for one in self.pat.ask("GET", "/orders", params={"limit": 1000}).json()}
        assert {name: state for name, state in found.items() if name not in self.before} == {
            name: one["state"] for name, one in self.known.items()
        }


def test_whatever_happens_an_order_is_taken_once_and_never_late(service):
    vehicle_of(service), vehicle_of(service, "w")
    settled(service, "pat", "pilot")
    machine = type("OrdersHere", (Orders,), {"service": service})
    run_state_machine_as_test(machine, settings=settings(max_examples=8, stateful_step_count=15, deadline=None))


def test_the_stream_tells_how_orders_stand_and_each_change_to_whom_it_concerns(tmp_path):
    with live(tmp_path) as service:
        for name in ("v", "w"):
            body = record_json("vehicles", name) | {"source": f"station-{name}", "retention_days": 3650}
            service.must("pilot", "POST", "/vehicles", json=body)
        person_at(service, "pat", "pilot", sources=["*"])
        service.key("bound", "pilot", sources=["station-v"])

        def order(client_id, name, **more):
            body = order_json(client_id, source_id=name) | {"vehicle": {"source": f"station-{name}", "source_id": name}}
            return service.must("pat", "POST", "/orders", json=body | more)

        order("1", "w")
        first = order("2", "v", expires_s=1)
        headers = {"Authorization": f"Bearer {service.keys['bound']}"}
        with service.http.stream("GET", "/orders/stream", headers=headers) as response:
            heard = Stream(response)
            (one,) = heard.take(1)
            assert (one.kind, one.data["id"], one.data["state"]) == ("order", first["id"], "given")
            second = order("3", "v")
            assert next(heard).data["id"] == second["id"]
            service.must("bound", "PUT", f"/orders/{second['id']}/outcome", json={"station": MINE, "state": "taken"})
            later = [(each.data["id"], each.data["state"]) for each in heard.take(2)]
            # One ran out by time alone, which is no event.
            assert sorted(later) == sorted([(second["id"], "taken"), (first["id"], "expired")])
            service.revoke("bound")
            assert [(each.kind, each.data["reason"]) for each in heard] == [("bye", "revoked")]
        shown = [name for deed in service.audited("order.stream") for name in deed["objects"]]
    assert sorted(shown) == sorted([first["id"], second["id"]] * 2)


CUT = httpx.ReadError("cut")
HALF = httpx.Response(502, text="<html>", headers={"content-type": "application/problem+json"})


class Away:
    """A service that has one order for `v`, and fails as its script says: before it has heard, or when it answers."""

    def __init__(self, *, refuses=False, faults=(), lost=0):
        self.refuses, self.faults, self.lost, self.puts, self.gets = refuses, list(faults), lost, [], 0
        self.order = {"id": "c" * 32, "state": "given", "vehicle": {"source": "station", "source_id": "v"}}

    def __call__(self, request):
        if request.method == "GET":
            self.gets += 1
            again = f"event: order\ndata: {json.dumps(self.order)}\n\n"
            return httpx.Response(200, text=": hello\n\n" + again * 2 + 'event: bye\ndata: {"reason": "stopping"}\n\n')
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        self.puts.append(json.loads(request.read()))
        if self.refuses:
            problem = {"detail": "it has expired", "title": "no", "status": 409}
            return httpx.Response(409, json=problem, headers={"content-type": "application/problem+json"})
        self.order["state"] = self.puts[-1]["state"]
        if self.lost and self.order["state"] == "taken":
            self.lost -= 1
            raise CUT
        return httpx.Response(200, json=self.order | {"state": self.puts[-1]["state"], "left_s": 7.0})


def heard_by(away, until):
    """What a courier hands over until something holds; what it told the service lies in `away`."""
    taken, said = [], []
    with (
        api.Client("http://vedette.test", "k", transport=httpx.MockTransport(away)) as client,
        api.OrderCourier(client, "station", taken.append, said.append, clock=lambda: 100.0) as courier,
    ):
        courier.serve(["v"])
        end = time.monotonic() + 30
        while not until(taken, said) and time.monotonic() < end:
            time.sleep(0.01)
        for one in taken[:1]:
            away.faults = [CUT, RuntimeError("odd"), HALF]
            courier.tell(one.id, "accepted", "two\nlines")
            courier.tell(one.id, "done", "there")
    return taken, said


def test_an_order_is_handed_over_once_however_often_it_is_heard_and_whatever_is_cut():
    away = Away(faults=[CUT, HALF])
    taken, said = heard_by(away, lambda taken, said: taken and "orders are heard again" in said)
    assert [(one.vehicle, one.until_s) for one in taken] == [("v", 107.0)]
    assert said[0].startswith("orders are not heard now")
    assert [put["state"] for put in away.puts] == ["taken", "accepted", "done"]
    assert len({put["station"] for put in away.puts}) == 1
    assert away.puts[1]["words"] == "two lines"


def test_what_the_service_does_not_let_be_taken_is_not_carried_out():
    away = Away(refuses=True)
    taken, _ = heard_by(away, lambda *_: away.gets > 1)  # it is heard again, and let be
    assert taken == []
    assert [put["state"] for put in away.puts] == ["taken"]


def test_an_order_is_carried_out_though_the_answer_that_made_it_ours_was_lost():
    """The service has it as taken, by us; who else would carry it out?"""
    away = Away(lost=1)
    taken, _ = heard_by(away, lambda taken, _: taken)
    assert [one.id for one in taken] == [away.order["id"]]
    assert [put["state"] for put in away.puts] == ["taken", "taken", "accepted", "done"]
    assert len({put["station"] for put in away.puts}) == 1


def test_what_another_station_took_is_not_asked_for():
    away = Away()
    away.order["state"] = "taken"
    taken, _ = heard_by(away, lambda *_: away.gets > 2)
    assert (taken, away.puts) == ([], [])


def test_an_order_that_is_taken_while_the_station_ends_is_told_of_and_so_is_one_of_which_it_does_not_know():
    away, asked, let = Away(), threading.Event(), threading.Event()

    def slow(request):
        if request.method == "PUT" and not let.is_set():
            asked.set()
            assert let.wait(30)
        return away(request)

    with api.Client("http://vedette.test", "k", transport=httpx.MockTransport(slow)) as client:

        def refuse(one):
            courier.tell(one.id, "refused", "the patrol is over")

        with api.OrderCourier(client, "station", refuse, lambda _: None) as courier:
            courier.serve(["v"])
            assert asked.wait(30)
            threading.Timer(0.5, let.set).start()  # it has ended by then
        assert [put["state"] for put in away.puts] == ["taken", "refused"]
    away = Away(lost=1000)
    with (
        api.Client("http://vedette.test", "k", transport=httpx.MockTransport(away)) as client,
        api.OrderCourier(client, "station", lambda _: None, lambda _: None) as courier,
    ):
        courier.serve(["v"])
        end = time.monotonic() + 30
        while not away.puts and time.monotonic() < end:
            time.sleep(0.01)
    assert [put["state"] for put in away.puts if put["state"] != "taken"] == ["refused"]


def test_the_end_which_breaks_off_a_stream_is_no_trouble():
    listening, ended, said = threading.Event(), threading.Event(), []

    def orders_live():
        listening.set()
        assert ended.wait(30)
        raise api.ClientError("bad file descriptor")
        yield  # it is a stream

    with api.OrderCourier(SimpleNamespace(orders_live=orders_live), "station", lambda _: None, said.append) as courier:
        courier.serve(["v"])
        assert listening.wait(30)
    ended.set()
    for thread in threading.enumerate():
        if thread.name == "vedette-orders":
            thread.join(30)
    assert said == []
