"""Plans are sent to vehicles: only where all holds, to one run of a station, once; and who hears of it."""

import hashlib
import itertools
import json
import threading
from collections import defaultdict
from contextlib import suppress

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
from sqlalchemy import select, update

import api
import missions
from api.errors import SettingsError
from api.identity.roles import Principal, Role
from api.launches import given as changing
from api.launches.settings import ChecklistItem, LaunchSettings
from api.launches.stations import live_stations
from api.live.stream import changes
from api.planning import worker
from api.planning.schemas import PlanningIn
from api.planning.tables import PlanningFileRow, PlanningRow
from api.settings_file import read_settings
from api.store.tables import AuditRow, EventRow
from tests.api.conftest import ON_SQLITE
from tests.api.live import live
from tests.api.people import Browser, everything, make_account, settled
from tests.api.samples import planning_json
from tests.api.test_planning import ADOPTION, ask, done

MINE, OTHER = "a" * 32, "b" * 32
TICKED = [item.key for item in LaunchSettings().checklist]
SECOND_US = 1_000_000


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """A folder as a planner leaves it: a plan for vehicles 1 and 2."""
    folder = tmp_path_factory.mktemp("planned")
    worker.plan_into(PlanningIn.model_validate(planning_json()), folder, None)
    return folder


def vehicle_json(sysid, **more):
    return {
        "sysid": sysid,
        "name": f"north-{sysid}",
        "heard": True,
        "ready": True,
        "lat": 31.345,
        "lon": -110.94,
    } | more


def tell(service, run=MINE, busy=None, *, who="pilot", source="north", vehicles=None):
    """What a station tells of itself; the ids of the launches that it hears of."""
    state = {"run": run, "busy": busy, "vehicles": [vehicle_json(1), vehicle_json(2)] if vehicles is None else vehicles}
    answer = service.ask(who, "PUT", f"/stations/{source}", json=state)
    assert answer.status_code == 200, answer.text
    return [launch["id"] for launch in answer.json()["launches"]]


def adopted(service, planned) -> str:
    planning_id = done(service, planned)
    answer = service.ask("pilot", "POST", f"/plannings/{planning_id}/adoption", json=ADOPTION)
    assert answer.status_code == 200, answer.text
    return planning_id


def launch_json(planning_id, client_id="1", **more):
    usual = {"client_id": client_id, "station": "north", "planning_id": planning_id, "checklist": TICKED}
    return usual | {"confirmed": True} | more


def given(pat, planning_id, client_id="1", **more):
    answer = pat.ask("POST", "/launches", json=launch_json(planning_id, client_id, **more))
    assert answer.status_code == 201, answer.text
    return answer.json()


def outcome(service, launch_id, state, run=MINE, words=None, who="pilot"):
    return service.ask(who, "POST", f"/launches/{launch_id}/outcome", json={"run": run, "state": state, "words": words})


def audited(service, *actions):
    with service.store.read() as session:
        bodies = [json.loads(row.body) for row in session.query(AuditRow).order_by(AuditRow.seq)]
    return [body for body in bodies if body["action"] in actions]


def test_a_launch_is_given_taken_flown_and_told_of(service, planned):
    planning_id, pat = adopted(service, planned), settled(service, "pat", "pilot")
    assert tell(service) == []
    launch = given(pat, planning_id, hours=1.5, reason="a light at the ford")
    content = service.ask("pilot", "GET", f"/plannings/{planning_id}/files/plan.json").content
    assert (launch["state"], launch["station"], launch["by"], launch["run"]) == ("given", "north", "Pat", None)
    assert (launch["plan_name"], launch["sysids"], launch["hours"]) == ("Nogales", [1, 2], 1.5)
    assert (launch["checklist"], launch["left_s"]) == (TICKED, 60.0)
    assert tell(service) == [launch["id"]]
    for state, words in (("taken", None), ("accepted", "two vehicles are up"), ("done", "all are down")):
        answer = outcome(service, launch["id"], state, words=words)
        assert (answer.status_code, answer.json()["state"], answer.json()["words"]) == (200, state, words)
        assert tell(service) == []  # it waits for nobody any more
    assert answer.json()["run"] == MINE
    plan = service.ask("pilot", "GET", f"/launches/{launch['id']}/plan")
    assert plan.content == content
    assert hashlib.sha256(plan.content).hexdigest() == launch["plan_sha256"]
    assert service.ask("supervisor", "GET", "/launches", params={"station": "north"}).json() == [answer.json()]
    assert service.ask("supervisor", "GET", "/launches", params={"station": "south"}).json() == []
    with service.store.read() as session:
        events = [row for row in session.query(EventRow).order_by(EventRow.seq) if row.kind.startswith("launch.")]
    assert [json.loads(row.detail).get("state") for row in events] == [None, "taken", "accepted", "done"]
    assert {row.record_id for row in events} == {launch["plan_id"]}
    deeds = audited(service, "launch.give", "launch.tell", "launch.plan")
    assert [deed["objects"] for deed in deeds] == [[launch["id"]]] * 5
    assert deeds[0]["detail"]["checklist"] == TICKED
    # Both outlive the records of the plan.
    assert "ford" not in repr([row.detail for row in events]) + repr(deeds)


def test_the_same_launch_is_given_once_and_another_needs_its_own_name(service, planned):
    planning_id, pat = adopted(service, planned), settled(service, "pat", "pilot")
    tell(service)
    launch = given(pat, planning_id)
    tell(service, busy="Nogales")  # whatever has changed meanwhile
    again = pat.ask("POST", "/launches", json=launch_json(planning_id))
    assert (again.status_code, again.json()["id"]) == (200, launch["id"])
    other = pat.ask("POST", "/launches", json=launch_json(planning_id, hours=1.0))
    assert (other.status_code, "give this one its own" in other.json()["detail"]) == (409, True)
    assert len(pat.ask("GET", "/launches").json()) == 1


def unlike(service, planning_id, **values):
    with service.store.write() as session:
        session.execute(update(PlanningRow).where(PlanningRow.id == planning_id).values(**values))


@ON_SQLITE
def test_whatever_does_not_hold_is_named_and_no_vehicle_is_sent(service, planned):
    """Each by itself: with it the launch is refused, without it the launch is given."""
    good, other, pat = adopted(service, planned), adopted(service, planned), settled(service, "pat", "pilot")
    breaks = adopted(service, planned)
    report = {"kept": False, "rules": [{"broken": ["north 1 is 40 m from the border, 60 m is its stand-off"]}]}
    unlike(service, breaks, found=json.dumps({"validation": report}))
    unknown = adopted(service, planned)
    unlike(service, unknown, found=None)
    wrong_file = adopted(service, planned)
    of_file = PlanningFileRow.planning_id == wrong_file, PlanningFileRow.name == "plan.json"
    with service.store.write() as session:
        (content,) = session.scalars(select(PlanningFileRow.content).where(*of_file))
        session.execute(update(PlanningFileRow).where(*of_file).values(content=content + b" "))

    weather = LaunchSettings().checklist[2]
    not_ready = vehicle_json(1, ready=False, why_not=["no fix", "fence"])

    def wish(**more):
        return {}, launch_json(good, "w") | more

    def fleet(*vehicles):
        return {"vehicles": list(vehicles)}, launch_json(good, "w")

    wrong = [
        (422, "confirmed: true", wish(confirmed=False)),
        (422, f"not ticked: 'weather' ({weather.words})", wish(checklist=[key for key in TICKED if key != "weather"])),
        (422, "not ticked: 'site'", wish(checklist=[])),
        (422, "'coffee' is no item", wish(checklist=[*TICKED, "coffee"])),
        (404, "does not exist", wish(planning_id="0" * 32)),
        (409, "was not adopted", wish(planning_id=done(service, planned))),
        (409, "is queued", wish(planning_id=ask(service))),
        (409, "40 m from the border", wish(planning_id=breaks)),
        (409, "its report is missing", wish(planning_id=unknown)),
        (409, "not the one that was adopted", wish(planning_id=wrong_file)),
        (404, "ground station south does not exist", wish(station="south")),
        (409, "busy: Nogales, two up", ({"busy": "Nogales, two up"}, launch_json(good, "w"))),
        (409, "vehicle 2 is none of its vehicles", fleet(vehicle_json(1), vehicle_json(3))),
        (409, "vehicle 2 is not heard", fleet(vehicle_json(1), vehicle_json(2, heard=False))),
        (409, "vehicle 1 is not ready: no fix, fence", fleet(not_ready, vehicle_json(2))),
        (409, "vehicle 1 is not ready: it does not say why", fleet(vehicle_json(1, ready=False), vehicle_json(2))),
    ]  # fmt: skip
    for status, words, (state, body) in wrong:
        tell(service, **state)
        answer = pat.ask("POST", "/launches", json=body)
        assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
    tell(service)
    service.clock.now_us += 10 * SECOND_US
    gone = pat.ask("POST", "/launches", json=launch_json(good))
    assert (gone.status_code, "was heard last at 2026-01-01T12" in gone.json()["detail"]) == (409, True)
    assert pat.ask("GET", "/launches").json() == []
    tell(service, vehicles=[vehicle_json(1), vehicle_json(2), vehicle_json(9, heard=False, ready=False)])
    launch = given(pat, good)
    tell(service, OTHER, source="south")
    for body, words in (
        (launch_json(other, "2"), f"ground station north has launch {launch['id']}"),
        (launch_json(good, "3"), f"launch {launch['id']} of the same plan"),
        (launch_json(good, "4", station="south"), f"launch {launch['id']} of the same plan"),  # two fleets, one way
    ):
        waits = pat.ask("POST", "/launches", json=body)
        assert (waits.status_code, words in waits.json()["detail"]) == (409, True), waits.text
    assert pat.ask("POST", "/launches", json=launch_json(other, "5", station="south")).status_code == 201


@ON_SQLITE
def test_people_who_fly_launch_and_nobody_else(service, planned):
    planning_id, pat = adopted(service, planned), settled(service, "pat", "pilot")
    tell(service)
    kim, _ = make_account(service, "kim", "pilot")
    for name, sources in (("elsewhere", ["south"]), ("here", ["north", "console"])):
        service.key(name, "pilot", account_id=kim, sources=sources)
    for who, says in (("pilot", "people"), ("elsewhere", "does not speak for north")):
        refused = service.ask(who, "POST", "/launches", json=launch_json(planning_id))
        assert (refused.status_code, says in refused.json()["detail"]) == (403, True)
    launch = given(pat, planning_id)
    for role in ("supervisor", "analyst", "auditor", "administrator"):
        person = settled(service, f"some-{role}", role)
        assert person.ask("POST", "/launches", json=launch_json(planning_id, "2")).status_code == 403
        assert person.ask("DELETE", f"/launches/{launch['id']}").status_code == 403
    assert service.ask("elsewhere", "DELETE", f"/launches/{launch['id']}").status_code == 403
    assert service.ask("here", "DELETE", f"/launches/{launch['id']}").json()["state"] == "withdrawn"


@ON_SQLITE
def test_a_key_tells_and_takes_for_its_own_station_alone(service, planned):
    planning_id, pat = adopted(service, planned), settled(service, "pat", "pilot")
    tell(service)
    service.key("elsewhere", "pilot", sources=["south"])
    launch = given(pat, planning_id)
    refused = service.ask("elsewhere", "PUT", "/stations/north", json={"run": OTHER, "vehicles": []})
    assert (refused.status_code, "north" in refused.json()["detail"]) == (403, True)
    assert tell(service, OTHER, who="elsewhere", source="south") == []
    assert outcome(service, launch["id"], "taken", OTHER, who="elsewhere").status_code == 404
    assert service.ask("elsewhere", "GET", f"/launches/{launch['id']}/plan").status_code == 404
    service.key("blind", "pilot", sources=["north"], scopes=["asset.read", "asset.write"])
    assert tell(service, who="blind") == []  # who may not read launches learns of none here
    scopes = ["asset.read", "asset.write", "order.read"]
    service.key("narrow", "pilot", sources=["north"], scopes=scopes)
    assert tell(service, who="narrow") == [launch["id"]]
    assert service.ask("narrow", "GET", f"/launches/{launch['id']}/plan").status_code == 200
    assert outcome(service, launch["id"], "taken", who="narrow").status_code == 200
    twice = service.ask("pilot", "PUT", "/stations/north", json={"run": MINE, "vehicles": [vehicle_json(7)] * 2})
    assert (twice.status_code, "vehicle 7 is there twice" in twice.text) == (422, True)


@ON_SQLITE
def test_a_station_that_is_killed_is_not_live_and_its_launch_is_nobody_elses(service, planned):
    planning_id, pat = adopted(service, planned), settled(service, "pat", "pilot")

    def live():
        return {each["source"]: each["live"] for each in service.ask("supervisor", "GET", "/stations").json()}

    tell(service), tell(service, source="south", run=OTHER)
    launch = given(pat, planning_id)
    outcome(service, launch["id"], "taken")
    service.clock.now_us += 9 * SECOND_US
    tell(service, source="south", run=OTHER)
    assert live() == {"north": True, "south": True}
    service.clock.now_us += SECOND_US
    assert live() == {"north": False, "south": True}
    # The next run stands by, is sent another, and may say of the first that it broke off: nothing else.
    assert tell(service, OTHER) == []
    assert outcome(service, launch["id"], "taken", OTHER).status_code == 409
    assert outcome(service, launch["id"], "done", OTHER).status_code == 409
    assert given(pat, planning_id, "2")["state"] == "given"
    broken = outcome(service, launch["id"], "failed", OTHER, words="its station was lost")
    assert (broken.status_code, broken.json()["state"], broken.json()["run"]) == (200, "failed", MINE)
    service.clock.now_us += 86_400 * SECOND_US
    assert live() == {}


@ON_SQLITE
def test_a_launch_of_which_nobody_tells_ends_by_itself(service, planned):
    planning_id, pat = adopted(service, planned), settled(service, "pat", "pilot")
    tell(service)
    late = given(pat, planning_id, expires_s=5)
    service.clock.now_us += 5 * SECOND_US
    assert tell(service) == []
    assert outcome(service, late["id"], "taken").status_code == 409
    assert pat.ask("DELETE", f"/launches/{late['id']}").status_code == 409
    silent = given(pat, planning_id, "2", expires_s=5)
    outcome(service, silent["id"], "taken")
    service.clock.now_us += 604 * SECOND_US
    tell(service)
    assert pat.ask("POST", "/launches", json=launch_json(planning_id, "3")).status_code == 409
    service.clock.now_us += SECOND_US
    tell(service)
    given(pat, planning_id, "3")
    found = {one["client_id"]: one for one in pat.ask("GET", "/launches").json()}
    assert {name: one["state"] for name, one in found.items()} == {"1": "expired", "2": "failed", "3": "given"}
    assert "did not tell" in found["2"]["words"]


def test_of_two_runs_that_take_a_launch_at_once_one_has_it(service, planned, monkeypatch):
    """Whoever has seen that it may be taken waits until another has seen that too, or cannot."""
    planning_id, pat = adopted(service, planned), settled(service, "pat", "pilot")
    tell(service)
    launch = given(pat, planning_id)
    looks, really, answers = threading.Barrier(2), changing.can_become, {}

    def can_become(*row, **to):
        may = really(*row, **to)
        with suppress(threading.BrokenBarrierError):
            looks.wait(0.5)
        return may

    monkeypatch.setattr(changing, "can_become", can_become)

    def take(run):
        answers[run] = outcome(service, launch["id"], "taken", run).status_code

    threads = [threading.Thread(target=take, args=(run,)) for run in (MINE, OTHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers.values()) == [200, 409]
    has_it = pat.ask("GET", f"/launches/{launch['id']}").json()["run"]
    assert answers[has_it] == 200


def test_launches_go_with_the_record_of_their_plan(service, planned):
    planning_id, pat = adopted(service, planned), settled(service, "pat", "pilot")
    tell(service)
    launch = given(pat, planning_id, reason="a light at the ford")
    wish = {"record_id": launch["plan_id"], "reason": "asked for"}
    assert service.ask("supervisor", "POST", "/erasures", json=wish).is_success
    assert tell(service) == []
    for answer in (pat.ask("GET", f"/launches/{launch['id']}"), outcome(service, launch["id"], "taken")):
        assert answer.status_code == 404
    assert "ford" not in everything(service.store)
    again = pat.ask("POST", "/launches", json=launch_json(planning_id, "2"))
    assert (again.status_code, "records of its plan are gone" in again.json()["detail"]) == (409, True)


@ON_SQLITE
def test_a_plan_that_is_not_the_one_that_was_given_is_not_handed_out(service, planned):
    planning_id, pat = adopted(service, planned), settled(service, "pat", "pilot")
    tell(service)
    path = f"/launches/{given(pat, planning_id)['id']}/plan"
    assert service.ask("pilot", "GET", path).status_code == 200
    with service.store.write() as session:
        session.execute(update(PlanningFileRow).where(PlanningFileRow.name == "plan.json").values(content=b"{}"))
    other = service.ask("pilot", "GET", path)
    assert (other.status_code, "let it be" in other.json()["detail"]) == (409, True)
    assert service.ask("pilot", "DELETE", f"/plannings/{planning_id}").status_code == 204
    assert service.ask("pilot", "GET", path).status_code == 404


def test_who_has_no_business_with_stations_learns_nothing_of_them(service, planned):
    planning_id, pat = adopted(service, planned), settled(service, "pat", "pilot")
    tell(service, source="secret-place")
    launch = given(pat, planning_id, station="secret-place", reason="secret reason")
    outcome(service, launch["id"], "taken", words="secret words")
    partner_id = service.partner("bravo")
    service.agree(partner_id, types=["plan", "vehicle"], purposes=["border-surveillance"])
    paths = ["/stations", "/launches/checklist", "/launches", f"/launches/{launch['id']}"]
    paths += [f"/launches/{launch['id']}/plan", "/events", "/vehicles"]
    for who in ("bravo", "analyst", "auditor", "administrator", "sensor"):
        for path in paths:
            answer = service.ask(who, "GET", path)
            text = answer.text if who != "analyst" or path != "/events" else ""  # those inside are told of all events
            assert "secret" not in text, (who, path)
            assert LaunchSettings().checklist[0].words not in text, (who, path)
            if path.startswith("/launches") and path != "/launches/checklist":
                assert answer.status_code == 403, (who, path)
    assert [each["source"] for each in service.ask("supervisor", "GET", "/stations").json()] == ["secret-place"]
    items = service.ask("supervisor", "GET", "/launches/checklist").json()["items"]
    assert [item["key"] for item in items] == TICKED


@ON_SQLITE
def test_a_stream_tells_of_stations_as_they_change_and_that_one_is_not_heard_any_more(service):
    told = defaultdict(dict)

    def news(role="pilot"):
        reader = Principal("key", "key", Role(role))
        with service.store.read() as session:
            view = live_stations(session, reader, service.clock.now_us, LaunchSettings())
        fresh, gone = changes(view, told[role])
        return [(one.id, one.body["live"], one.body["busy"]) for one in fresh], gone

    assert news() == ([], [])
    tell(service)
    assert news() == ([("north", True, None)], [])
    assert news("supervisor") == ([("north", True, None)], [])
    assert news("analyst") == ([], [])
    service.clock.now_us += 2 * SECOND_US
    tell(service)
    assert news() == ([], [])  # the same again
    tell(service, busy="a flight to a cue")
    assert news() == ([("north", True, "a flight to a cue")], [])
    service.clock.now_us += 11 * SECOND_US
    assert news() == ([("north", False, "a flight to a cue")], [])
    tell(service)
    assert news() == ([("north", True, None)], [])
    service.clock.now_us += 25 * 3600 * SECOND_US
    tell(service, source="south")
    assert news() == ([("south", True, None)], ["north"])


def test_a_stream_over_sockets_tells_of_stations_only_those_whose_business_they_are(tmp_path):
    path = "/stations/stream"
    with live(tmp_path) as service:
        service.partner("bravo")

        def tell_of(busy):
            state = {"run": MINE, "busy": busy, "vehicles": [vehicle_json(1)]}
            service.must("pilot", "PUT", "/stations/north", json=state)

        tell_of(None)
        with (
            service.stream("analyst", path=path) as analyst,
            service.stream("bravo", path=path) as bravo,
            service.stream("supervisor", path=path) as supervisor,
        ):
            first = next(supervisor)
            tell_of("Nogales")
            then = next(supervisor)
            for who, stream in (("analyst", analyst), ("bravo", bravo)):
                service.revoke(who)
                assert [(each.kind, each.data) for each in stream] == [("bye", {"reason": "revoked"})]
                assert "north" not in stream.raw
        assert [(each.kind, each.data["busy"]) for each in (first, then)] == [("station", None), ("station", "Nogales")]
        assert [then.data] == service.must("supervisor", "GET", "/stations")
        shown = {(each["actor"], *each["objects"]) for each in service.audited("station.stream")}
        assert shown == {(service.key_ids["supervisor"], "north")}


@ON_SQLITE
def test_what_stations_tell_all_day_is_a_few_entries_of_the_audit(service, planned):
    planning_id, pat = adopted(service, planned), settled(service, "pat", "pilot")
    for _ in range(5):
        tell(service)
        pat.ask("GET", "/stations")
    launch = given(pat, planning_id)
    for _ in range(5):
        tell(service)
        pat.ask("GET", f"/launches/{launch['id']}")
    tells = audited(service, "station.tell")
    # A station that is new, and each launch that it hears of, are named at once.
    assert [deed["objects"] for deed in tells] == [["north"], sorted([launch["id"], "north"])]
    assert [len(audited(service, action)) for action in ("station.list", "launch.read")] == [1, 1]


def test_the_client_of_a_station_speaks_for_it(service, planned):
    planning_id, pat = adopted(service, planned), settled(service, "pat", "pilot")
    state = {"run": MINE, "busy": None, "vehicles": [vehicle_json(1), vehicle_json(2)]}
    client = api.Client("http://vedette.test", service.keys["pilot"], transport=service.http._transport)
    assert client.tell_station("north/1 a", state) == []
    launch = given(pat, planning_id, station="north/1 a")
    assert client.tell_station("north/1 a", state) == [launch]
    assert hashlib.sha256(client.launch_plan(launch["id"])).hexdigest() == launch["plan_sha256"]
    assert client.tell_launch(launch["id"], MINE, "taken")["state"] == "taken"
    failed = client.tell_launch(launch["id"], MINE, "failed", "two\nlines")
    assert (failed["state"], failed["words"]) == ("failed", "two lines")
    with pytest.raises(api.RefusedError, match="cannot become done"):
        client.tell_launch(launch["id"], MINE, "done")


def test_a_checklist_of_ones_own(tmp_path):
    file = tmp_path / "vedette.toml"
    file.write_text('[launches]\nstale_s = 5.0\nchecklist = [{ key = "dog", words = "The dog is in" }]\n')
    read = read_settings(file, directory=tmp_path).launches
    assert read == LaunchSettings((ChecklistItem("dog", "The dog is in"),), 5.0)
    one = ChecklistItem("dog", "in")
    for wrong, says in (((), "0 items"), ((one, one), "two items"), ((ChecklistItem(" ", "x"),), "needs a key")):
        with pytest.raises(SettingsError, match=says):
            LaunchSettings(wrong)
    with pytest.raises(SettingsError, match="positive"):
        LaunchSettings(stale_s=0.0)


TOLD = ["taken", "accepted", "refused", "done", "failed"]
FOLLOWS = {
    None: {"given"},
    "given": {"taken", "withdrawn", "expired"},
    "taken": {"accepted", "refused", "done", "failed"},
    "accepted": {"done", "failed"},
}
"""What may come after what, in words of its own: whatever is not named is an end."""


class Launches(RuleBasedStateMachine):
    """Two runs of a station, a pilot and the time, in any order; each example has a station and a plan of its own."""

    service, planned, stations = None, None, itertools.count()

    @initialize(taken=st.booleans())
    def begin(self, taken):
        self.pat = Browser.at(self.service)
        assert self.pat.login("pat").status_code == 200
        self.station, self.ways, self.takers = f"north-{next(self.stations)}", {}, {}
        self.planning_id = adopted(self.service, self.planned)
        self.station_tells(MINE, None)
        self.give()
        if taken:
            self.say(next(iter(self.ways)), MINE, "taken")

    @rule(run=st.sampled_from([MINE, OTHER]), busy=st.sampled_from([None, None, "a patrol"]))
    def station_tells(self, run, busy):
        self.run, self.busy, self.told_us = run, busy, self.service.clock.now_us
        assert tell(self.service, run, busy, source=self.station) == self.standing("given")

    @rule()
    def give(self):
        live = self.service.clock.now_us - self.told_us < 10 * SECOND_US
        mine = [each for each in self.standing("taken", "accepted") if self.takers[each] == {self.run}]
        may = live and self.busy is None and not self.standing("given") and not mine
        wish = launch_json(self.planning_id, f"{self.station} {len(self.ways)}", station=self.station, expires_s=30)
        answer = self.pat.ask("POST", "/launches", json=wish)
        assert (answer.status_code == 201) is may, answer.text
        if may:
            self.ways[answer.json()["id"]] = [answer.json()["state"]]

    @rule(seconds=st.sampled_from([1, 1, 9, 40]))
    def time_passes(self, seconds):
        self.service.clock.now_us += seconds * SECOND_US

    @precondition(lambda self: self.ways)
    @rule(data=st.data(), run=st.sampled_from([MINE, OTHER]), state=st.sampled_from(["taken"] * 5 + TOLD))
    def tells(self, data, run, state):
        self.say(data.draw(st.sampled_from(list(self.ways))), run, state)

    def say(self, launch_id, run, state):
        if outcome(self.service, launch_id, state, run, "so").status_code == 200:
            if state == "taken":
                self.takers.setdefault(launch_id, set()).add(run)
            # Who did not take it says nothing of it but that it broke off.
            assert state == "failed" or self.takers[launch_id] == {run}

    @precondition(lambda self: self.ways)
    @rule(data=st.data())
    def withdraw(self, data):
        launch_id = data.draw(st.sampled_from(list(self.ways)))
        waits = launch_id in self.standing("given", "withdrawn")
        assert (self.pat.ask("DELETE", f"/launches/{launch_id}").status_code == 200) is waits

    def standing(self, *states):
        """Launches that stand so now; the way of each is written down."""
        found = self.pat.ask("GET", "/launches", params={"station": self.station}).json()
        for one in found:
            way = self.ways[one["id"]]
            if way[-1:] != [one["state"]]:
                way.append(one["state"])
        return [one["id"] for one in found if one["state"] in states]

    @invariant()
    def none_goes_back_or_to_two(self):
        if not hasattr(self, "ways"):
            return
        self.standing()
        for launch_id, way in self.ways.items():
            for last, state in zip([None, *way], way, strict=False):
                assert state in FOLLOWS.get(last, set()), way
            assert len(self.takers.get(launch_id, ())) <= 1


@ON_SQLITE
def test_whatever_happens_a_launch_goes_to_one_run_and_never_back(service, planned):
    settled(service, "pat", "pilot")
    here = {"service": service, "planned": planned}
    machine = type("LaunchesHere", (Launches,), here)
    run_state_machine_as_test(machine, settings=settings(max_examples=8, stateful_step_count=15, deadline=None))


def test_the_fleet_of_the_plan_is_what_these_tests_say(planned):
    plan = missions.load_plan(planned / "files" / "plan.json")
    assert [vehicle.sysid for vehicle in plan.fleet.vehicles] == [1, 2]
