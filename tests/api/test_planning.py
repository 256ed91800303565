"""Planning over HTTP: the plan is the planner's own, and no planner outlives whoever wants its plan."""

import asyncio
import json
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

import missions
from api.background import Service as Background
from api.errors import StorageError, UnprocessableError
from api.planning import plannings, runner, worker
from api.planning.orders import order_of
from api.planning.schemas import PlanningIn
from api.planning.settings import PlanningSettings
from api.planning.tables import PlanningFileRow
from api.settings import Settings
from geo import FlatTerrain
from tests.api.conftest import ON_SQLITE
from tests.api.samples import planning_json

CUSTODY = {"owner": "Border Watch", "purpose": "border-surveillance", "marking": None, "retention_days": 30}
ADOPTION = {**CUSTODY, "source": "console", "start": "2026-01-01T06:00:00Z"}
STAND_IN = (
    "import os, json; print(json.dumps({'progress': 0.5, 'stage': str(os.getpid())}), flush=True); input(); input()"
)
"""A planner that says who it is, and goes on for ever."""
TALKER = """
import os, json, time
while True:
    print(json.dumps({'progress': 0.5, 'stage': str(os.getpid())}), flush=True)
    time.sleep(0.02)
"""


class Planner:
    """The task that runs plannings, in the event loop of the service."""

    def __init__(self, service, store=None, **settings):
        self.loop = service.http._transport.loop
        given = Settings(service.store.directory, planning=PlanningSettings(**settings))
        self.task = self._do(self._begin(Background(store or service.store, given)))

    @staticmethod
    async def _begin(background):
        return asyncio.create_task(runner.run_plannings(background))

    async def _end(self):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def _ended(self):
        await asyncio.wait([self.task])

    def _do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def stop(self):
        self._do(self._end())

    def wait(self):
        """Until it has ended by itself."""
        self._do(self._ended())


@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.setattr(runner, "_COMMAND", (sys.executable, "-S", "-c", STAND_IN))
    monkeypatch.setattr(runner, "_LOOK_S", 0.02)


@pytest.fixture(scope="module")
def planned(tmp_path_factory) -> Path:
    """A folder as a planner leaves it, made in this process."""
    folder = tmp_path_factory.mktemp("planned")
    worker.plan_into(PlanningIn.model_validate(planning_json(explain=True)), folder, None)
    return folder


def ask(service, **more) -> str:
    answer = service.ask("pilot", "POST", "/plannings", json=planning_json(**more))
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"/plannings/{answer.json()['id']}"
    return answer.json()["id"]


def told(service, planning_id) -> dict:
    return service.ask("pilot", "GET", f"/plannings/{planning_id}").json()


def ended(service, planning_id, *states, most_s=60.0) -> dict:
    """What is told of a planning when it has come to one of some states."""
    until = time.monotonic() + most_s
    while (found := told(service, planning_id))["state"] not in states:
        assert time.monotonic() < until, found
        time.sleep(0.05)
    return found


def at_work(service, planning_id) -> int:
    """The process of a stand-in that runs."""
    until = time.monotonic() + 60
    while not (stage := told(service, planning_id)["stage"]).isdigit():
        assert time.monotonic() < until
        time.sleep(0.02)
    return int(stage)


def gone(pid: int) -> bool:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def done(service, planned) -> str:
    """A planning that is done: as if a planner had left that folder."""
    planning_id = ask(service)
    with service.store.write() as session:
        assert plannings.take_next(session, service.store.clock())[0] == planning_id
    runner._end(service.store, planning_id, planned, 1 << 30)
    return planning_id


def by_hand() -> missions.PatrolPlan:
    """What `planning_json` asks for, said to the planner itself."""
    wish = planning_json()
    border = missions.BorderSegment("Nogales", "", "", ((-110.95, 31.333), (-110.93, 31.333)), missions.Side.LEFT)
    aircraft = missions.Aircraft(kind="light", **wish["aircraft"]["light"])
    base = missions.Base("north", 31.345, -110.94)
    usual = missions.default_fleet(base, 2)
    fleet = replace(usual, vehicles=tuple(replace(v, aircraft=aircraft) for v in usual.vehicles))
    return missions.plan(border, fleet, FlatTerrain(1180.0), missions.PlanOptions(shift_s=7200.0))


@ON_SQLITE
def test_a_plan_over_http_is_the_planners_own_and_its_files_read_back(service, tmp_path):
    planner = Planner(service)
    planning_id = ask(service)
    found = ended(service, planning_id, "done", "failed")
    planner.stop()
    assert (found["state"], found["error"], found["progress"]) == ("done", None, 1.0)
    assert found["request"] == planning_json()
    expected = by_hand()
    files = {file["name"]: file for file in found["result"]["files"]}
    for file in files.values():
        answer = service.ask("supervisor", "GET", file["href"])
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == file["media_type"]
        assert file["name"] in answer.headers["Content-Disposition"]
        assert len(answer.content) == file["size"]
        (tmp_path / file["name"]).write_bytes(answer.content)
    assert missions.load_plan(tmp_path / "plan.json") == expected
    summary = found["result"]["summary"]
    assert summary["revisit_s"] == expected.revisit_s
    assert summary["coverage"] == expected.coverage.share
    assert summary["bound_s"] == expected.revisit_bound_s
    assert found["result"]["validation"]["kept"]
    for sortie in expected.sorties:
        mission = missions.compile_mission(expected, sortie)
        assert missions.read_qgc_plan(tmp_path / f"{sortie.name}.plan") == mission
        assert missions.read_mission_kml(tmp_path / f"{sortie.name}.kml").items == mission.items
        assert len(missions.read_waypoints(tmp_path / f"{sortie.name}.waypoints")) == len(mission.items)
        assert missions.read_wpml(tmp_path / f"{sortie.name}.kmz").waypoints
        assert missions.read_litchi(tmp_path / f"{sortie.name}.csv")
        assert {name for name, file in files.items() if file["sortie"] == sortie.name} == {
            f"{sortie.name}{ending}" for ending in (".plan", ".kml", ".waypoints", ".kmz", ".csv", ".geojson")
        }


def test_what_is_told_of_a_plan_is_what_the_plan_says(service, planned):
    planning_id, plan = done(service, planned), by_hand()
    result = told(service, planning_id)["result"]
    heights = [result["summary"][f"{which}_agl_m"] for which in ("floor", "height", "ceiling")]
    assert heights == [plan.options.floor_agl_m, plan.observation.height_agl_m, plan.options.ceiling_agl_m]
    ways = {each["properties"]["name"]: each["geometry"]["coordinates"] for each in result["map"]["sorties"]}
    for sortie, profile in zip(plan.sorties, result["profiles"], strict=True):
        legs = [sortie.legs[0].start, *(leg.end for leg in sortie.legs)]
        assert ways[sortie.name] == [[w.lon_deg, w.lat_deg, round(w.amsl_m, 2)] for w in legs]
        assert profile["distance_m"][-1] == pytest.approx(sortie.distance_m, abs=0.1)
        assert max(profile["amsl_m"]) == pytest.approx(max(w.amsl_m for w in legs), abs=0.01)
        assert set(profile["ground_m"]) == {1180.0}
    why = missions.explain(plan, FlatTerrain(1180.0))
    assert result["explanation"]["limits"] == list(why.limits)
    assert [change["figure_s"] for change in result["explanation"]["changes"]] == [c.revisit_s for c in why.changes]
    flights = result["shift"]["flights"]
    assert [flight["start_s"] for flight in flights] == [flight.start_s for flight in plan.flights]
    assert {flight["base"] for flight in flights} == {"north"}
    (line,) = service.ask("supervisor", "GET", "/plannings").json()
    assert line["id"] == planning_id
    assert line["state"] == "done"
    assert "result" not in line


def test_a_fence_on_the_ground_is_a_line_and_none_of_those_that_keep_aircraft_in(tmp_path):
    ways = {"border": line_of((-110.95, 31.333), (-110.93, 31.333))}
    for number, kind in enumerate(("fence", "road", "river")):
        ways[kind] = line_of((-110.945 + 0.004 * number, 31.3333), (-110.945 + 0.004 * number, 31.338))
    network = [
        {"type": "Feature", "properties": {"name": f"the {kind}", "kind": kind}, "geometry": way}
        for kind, way in ways.items()
    ]
    border = {"geojson": {"type": "FeatureCollection", "features": network}, "own_side": "left"}
    worker.plan_into(PlanningIn.model_validate(planning_json(border=border)), tmp_path, None)
    plan = missions.load_plan(tmp_path / "files" / "plan.json")
    shown = json.loads((tmp_path / "found.json").read_text())["map"]
    assert [(each["properties"]["name"], each["geometry"]) for each in shown["borders"]] == [
        (f"the {kind}", way) for kind, way in ways.items()
    ]
    assert {each["properties"]["sortie"] for each in shown["fences"]} == {sortie.name for sortie in plan.sorties}
    assert {each["geometry"]["type"] for each in shown["fences"]} == {"Polygon"}
    assert [(each["properties"]["line"], *each["geometry"]["coordinates"]) for each in shown["gaps"]] == [
        (gap.line, gap.lon_deg, gap.lat_deg) for gap in plan.coverage.uncovered
    ]


def test_plannings_are_listed_newest_first_a_page_at_a_time(service, planned):
    asked = [done(service, planned) for _ in range(3)]
    first = service.ask("pilot", "GET", "/plannings?limit=2")
    rest = service.ask("pilot", "GET", first.links["next"]["url"])
    assert [line["id"] for line in first.json() + rest.json()] == asked[::-1]
    assert "next" not in rest.links


@ON_SQLITE
def test_what_the_planner_refuses_is_told_in_its_words(service):
    planner = Planner(service)
    beyond = [{**planning_json()["bases"][0], "lat": 31.32}]
    found = ended(service, ask(service, bases=beyond), "done", "failed")
    planner.stop()
    assert found["state"] == "failed"
    assert "base 'north' lies on the far side of the border" in found["error"]
    assert found["result"] is None


@ON_SQLITE
def test_a_planning_that_is_cancelled_ends_its_process_and_is_forgotten_when_told_again(service, stand_in):
    planner = Planner(service)
    planning_id = ask(service)
    pid = at_work(service, planning_id)
    assert service.ask("pilot", "DELETE", f"/plannings/{planning_id}").status_code == 204
    assert gone(pid)
    found = told(service, planning_id)
    assert (found["state"], found["error"]) == ("cancelled", "pilot cancelled it")
    assert service.ask("pilot", "DELETE", f"/plannings/{planning_id}").status_code == 204
    assert service.ask("pilot", "GET", f"/plannings/{planning_id}").status_code == 404
    planner.stop()


@ON_SQLITE
def test_a_planner_that_is_killed_says_so(service, stand_in):
    planner = Planner(service)
    planning_id = ask(service)
    os.kill(at_work(service, planning_id), signal.SIGKILL)
    found = ended(service, planning_id, "failed")
    assert "SIGKILL" in found["error"]
    planner.stop()


class OutOfReach:
    """A store that does not serve while it is `away`, and counts who was sent off."""

    def __init__(self, store):
        self._store, self.away, self.refused = store, False, 0

    def __getattr__(self, name):
        if self.away and name in {"read", "write", "write_together"}:
            self.refused += 1
            raise StorageError("the store is out of reach")
        return getattr(self._store, name)

    def leave(self, refused):
        """Go away until so many were sent off."""
        self.away, enough, until = True, self.refused + refused, time.monotonic() + 60
        while self.refused < enough:
            assert time.monotonic() < until
            time.sleep(0.02)


@pytest.fixture
def talker(monkeypatch, stand_in):
    """A stand-in that says without end how far it is."""
    monkeypatch.setattr(runner, "_COMMAND", (sys.executable, "-S", "-c", TALKER))


@ON_SQLITE
def test_a_store_that_is_out_of_reach_for_a_moment_ends_no_planner(service, talker, monkeypatch):
    monkeypatch.setattr(runner, "_AGAIN_S", (0.05,) * 1000)
    monkeypatch.setattr(runner, "_LEASE_S", 20.0)
    store = OutOfReach(service.store)
    planner = Planner(service, store, at_once=2)
    first, second = ask(service), ask(service)
    pids = [at_work(service, planning_id) for planning_id in (first, second)]
    store.leave(20)
    os.kill(pids[0], signal.SIGKILL)
    store.leave(20)
    store.away = False
    assert "SIGKILL" in ended(service, first, "failed")["error"]  # its end was kept until somebody heard of it
    assert told(service, second)["state"] == "running"
    os.kill(pids[1], 0)
    planner.stop()


@ON_SQLITE
def test_a_planner_ends_when_its_lease_cannot_be_renewed_and_that_is_told(service, talker, monkeypatch):
    monkeypatch.setattr(runner, "_LEASE_S", 1.5)
    store = OutOfReach(service.store)
    planner = Planner(service, store)
    planning_id = ask(service)
    pid = at_work(service, planning_id)
    store.away = True
    assert gone(pid)
    planner.wait()
    assert isinstance(planner.task.exception(), ExceptionGroup)
    service.clock.now_us += 5_000_000
    again = Planner(service)
    assert "its store was out of reach" in ended(service, planning_id, "failed")["error"]
    again.stop()


@ON_SQLITE
def test_a_planner_that_takes_too_long_is_ended(service, stand_in):
    planner = Planner(service, limit_s=0.5)
    planning_id = ask(service)
    pid = at_work(service, planning_id)
    found = ended(service, planning_id, "failed")
    assert "longer than 0.5 s" in found["error"]
    assert gone(pid)
    planner.stop()


def test_a_service_that_stops_takes_its_planner_along_and_says_so_when_it_is_back(service, stand_in):
    planner = Planner(service)
    running, waiting = ask(service), ask(service)
    pid = at_work(service, running)
    planner.stop()
    assert gone(pid)
    again = Planner(service)
    found = ended(service, running, "failed")
    assert "the service was restarted" in found["error"]
    at_work(service, waiting)  # its turn has come
    again.stop()


def test_a_planner_whose_service_is_killed_ends_by_itself(tmp_path):
    """Its standard input is a pipe of the service, which ends with it."""
    command = [sys.executable, "-c", "import sys; from api.planning import worker; sys.exit(worker.main())"]
    order = {"request": planning_json(shift_h=24.0, explain=True), "folder": str(tmp_path), "terrain": None}

    async def run():
        process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE)
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.close()
        return await asyncio.wait_for(process.wait(), 60)

    assert asyncio.run(run()) == worker._ORPHANED
    assert not (tmp_path / "found.json").exists()


@ON_SQLITE
def test_no_more_run_at_once_than_the_settings_say_and_no_more_wait_for_one_person(service, stand_in):
    planner = Planner(service, at_once=2)
    asked = [ask(service) for _ in range(4)]
    for planning_id in asked[:2]:
        at_work(service, planning_id)
    ask(service)
    answer = service.ask("pilot", "POST", "/plannings", json=planning_json())
    assert answer.status_code == 429
    assert "5 plannings of yours" in answer.json()["detail"]
    assert {told(service, planning_id)["state"] for planning_id in asked[2:]} == {"queued"}
    service.ask("pilot", "DELETE", f"/plannings/{asked[0]}")
    at_work(service, asked[2])
    planner.stop()


def test_a_planning_is_forgotten_when_its_days_are_over(service, planned, monkeypatch):
    monkeypatch.setattr(runner, "_LOOK_S", 0.02)
    old = done(service, planned)
    service.clock.now_us += 31 * 86_400_000_000
    young = done(service, planned)
    planner = Planner(service)
    until = time.monotonic() + 30
    while service.ask("pilot", "GET", f"/plannings/{old}").status_code != 404:
        assert time.monotonic() < until
        time.sleep(0.02)
    planner.stop()
    assert [line["id"] for line in service.ask("pilot", "GET", "/plannings").json()] == [young]
    assert service.ask("pilot", "GET", f"/plannings/{young}/files/plan.json").status_code == 200


def test_of_one_person_so_many_are_kept_and_those_that_were_adopted_longest(service, planned):
    state = service.app.state
    state.settings = replace(state.settings, planning=PlanningSettings(kept_per_person=3))
    adopted, oldest, young = (done(service, planned) for _ in range(3))
    assert service.ask("pilot", "POST", f"/plannings/{adopted}/adoption", json=ADOPTION).status_code == 200
    service.key("other", "pilot")
    assert service.ask("other", "POST", "/plannings", json=planning_json()).status_code == 202
    assert told(service, oldest)["state"] == "done"  # somebody else's are no matter
    waiting = ask(service)
    assert service.ask("pilot", "GET", f"/plannings/{oldest}").status_code == 404
    assert [told(service, each)["state"] for each in (adopted, young, waiting)] == ["done", "done", "queued"]
    with service.store.read() as session:
        left = set(session.scalars(select(PlanningFileRow.planning_id)))
    assert left == {adopted, young}


@ON_SQLITE
def test_a_plan_of_too_many_bytes_is_not_kept(service, planned):
    planning_id = ask(service)
    with service.store.write() as session:
        plannings.take_next(session, service.store.clock())
    runner._end(service.store, planning_id, planned, 1000)
    found = told(service, planning_id)
    assert found["state"] == "failed"
    assert "1,000 are allowed" in found["error"]


def line_of(*places):
    return {"type": "LineString", "coordinates": [list(place) for place in places]}


NAMED = {"type": "Feature", "properties": {"name": "x"}, "geometry": line_of((-110.95, 31.333), (-110.93, 31.333))}


@ON_SQLITE
@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"border": {"geojson": NAMED}}, "own_side is missing"),
        ({"border": {"geojson": line_of((-110.95, 31.333)), "own_side": "left"}}, "border.geojson"),
        ({"border": {"geojson": line_of((-110.95, 91.0), (-110.93, 31.0)), "own_side": "left"}}, "latitude"),
        ({"border": {"countries": ["USA", "FRA"]}}, "share no land border"),
        ({"border": {"geojson": {"type": "Point", "coordinates": [0, 0]}}}, "border"),
        ({"bases": [{"name": "n", "lat": 31.3, "lon": -110.9, "aircraft": [{"model": "jet", "count": 1}]}]}, "'jet'"),
        ({"bases": [planning_json()["bases"][0]] * 2}, "two bases have one name"),
        ({"aircraft": {"light": {**planning_json()["aircraft"]["light"], "battery_wh": -1.0}}}, "battery_wh"),
        ({"aircraft": {"light": {**planning_json()["aircraft"]["light"], "fence_vertices": 256}}}, "fence_vertices"),
        ({"camera": {"width_px": 640, "height_px": 512}}, "give one lens"),
        ({"options": {"gsd_m": -1.0}}, "gsd_m"),
        ({"airspace": {"type": "FeatureCollection", "features": [NAMED]}}, "feature 1"),
        ({"terrain": True, "ground_m": None}, "this service has none"),
        ({"shift_h": 25.0}, "shift_h"),
        ({"risk": {"rows": [{"from_m": 5.0, "to_m": 1.0, "weight": 2.0}]}}, "to_m"),
    ],
)
def test_what_cannot_be_planned_is_refused_at_once_with_the_place(service, more, says):
    answer = service.ask("pilot", "POST", "/plannings", json=planning_json(**more))
    assert answer.status_code == 422, answer.text
    assert says in answer.json()["detail"]
    assert "/tmp" not in answer.text
    assert service.ask("pilot", "GET", "/plannings").json() == []


WIDTHS = st.fixed_dictionaries(
    {}, optional={name: st.floats(1, 500) for name in ("stand_off_m", "band_own_m", "band_far_m")}
)


@given(of_line=WIDTHS, of_planning=WIDTHS)
def test_what_a_line_says_itself_counts_before_what_is_said_for_all(of_line, of_planning):
    feature = {**NAMED, "properties": {"own_side": "left", **of_line}}
    wish = PlanningIn.model_validate(planning_json(border={"geojson": feature, "own_side": "right"}, **of_planning))
    what = order_of(wish).what
    assert isinstance(what, missions.BorderSegment)
    assert (what.own_side, what.name) == ("left", "Nogales")
    usual = missions.BorderSegment("usual", "", "", what.coordinates, missions.Side.LEFT)
    for name in ("stand_off_m", "band_own_m", "band_far_m"):
        assert getattr(what, name) == of_line.get(name, of_planning.get(name, getattr(usual, name)))


def test_a_border_that_ships_and_a_ready_made_aircraft_need_no_file():
    wish = planning_json(border={"countries": ["USA", "MEX"], "near": [31.333, -110.94], "length_km": 5.0}, aircraft={})
    wish["bases"][0]["aircraft"] = [{"count": 3}]
    order = order_of(PlanningIn.model_validate(wish | {"stand_off_m": 200.0}))
    assert isinstance(order.what, missions.BorderSegment)
    assert order.what.length_m() == pytest.approx(5000, rel=0.01)
    assert order.what.stand_off_m == 200.0
    usual = missions.default_fleet(missions.Base("any", 0, 0), 1)
    assert order.fleet.camera == usual.camera
    assert {replace(v.aircraft, kind="") for v in order.fleet.vehicles} == {
        replace(usual.vehicles[0].aircraft, kind="")
    }


def test_an_error_names_the_file_and_no_folder_of_the_machine():
    wish = PlanningIn.model_validate(planning_json(border={"geojson": NAMED}))
    with pytest.raises(UnprocessableError) as caught:
        order_of(wish)
    assert str(caught.value).startswith("border.geojson, feature 1 (x): own_side is missing")


def test_partners_and_analysts_know_of_no_planning(service, planned):
    planning_id = done(service, planned)
    service.partner("bravo")
    for who in ("bravo", "analyst"):
        assert service.ask(who, "GET", "/plannings").json() == []
        for path in (f"/plannings/{planning_id}", f"/plannings/{planning_id}/files/plan.json"):
            assert service.ask(who, "GET", path).status_code == 404
    assert service.ask("supervisor", "GET", f"/plannings/{planning_id}").status_code == 200
    assert service.ask("supervisor", "DELETE", f"/plannings/{planning_id}").status_code == 403
    assert service.ask("pilot", "GET", f"/plannings/{planning_id}/files/..%2Fplan.json").status_code == 404


def test_a_plan_that_is_adopted_twice_is_there_once(service, planned):
    planning_id, plan = done(service, planned), by_hand()
    path = f"/plannings/{planning_id}/adoption"
    first, second = (service.ask("pilot", "POST", path, json=ADOPTION).json() for _ in range(2))
    assert {record["outcome"] for record in first["records"]} == {"created"}
    assert {record["outcome"] for record in second["records"]} == {"unchanged"}
    assert [record["id"] for record in first["records"]] == [record["id"] for record in second["records"]]
    (adopted,) = service.ask("analyst", "GET", "/plans").json()["features"]
    assert adopted["id"] == first["plan_id"]
    assert adopted["properties"]["revisit_s"] == plan.revisit_s
    flights = service.ask("analyst", "GET", "/sorties?limit=1000").json()["features"]
    assert len(flights) == len(plan.flights)
    assert {flight["properties"]["state"] for flight in flights} == {"planned"}
    earliest = min(flight["properties"]["take_off"] for flight in flights)
    assert earliest == "2026-01-01T06:00:00.000000Z"
    (segment,) = service.ask("analyst", "GET", "/segments").json()["features"]
    assert segment["geometry"]["coordinates"] == [[-110.95, 31.333], [-110.93, 31.333]]
    assert len(service.ask("analyst", "GET", "/fleets").json()["features"]) == 1
    assert told(service, planning_id)["adopted"]
    changed = service.ask("pilot", "POST", path, json={**ADOPTION, "owner": "Somebody"})
    assert changed.status_code == 409
    assert "adopted before" in changed.json()["detail"]
    elsewhere = service.ask("pilot", "POST", path, json={**ADOPTION, "source": "desk"})
    assert elsewhere.status_code == 409
    assert "adopted as one of 'console'" in elsewhere.json()["detail"]
    assert len(service.ask("analyst", "GET", "/fleets").json()["features"]) == 1
    assert service.ask("pilot", "DELETE", f"/plannings/{planning_id}").status_code == 204
    assert len(service.ask("analyst", "GET", "/plans").json()["features"]) == 1


@ON_SQLITE
def test_the_bound_of_a_plan_by_risk_is_no_revisit_interval(service, tmp_path):
    rows = [{"from_m": 0.0, "to_m": 1800.0, "weight": 3.0}]
    worker.plan_into(PlanningIn.model_validate(planning_json(objective="risk", risk={"rows": rows})), tmp_path, None)
    summary = json.loads((tmp_path / "found.json").read_text())["summary"]
    assert summary["bound_s"] > summary["revisit_s"]  # seconds times a weight: no record has room for these
    path = f"/plannings/{done(service, tmp_path)}/adoption"
    assert service.ask("pilot", "POST", path, json=ADOPTION).status_code == 200
    (adopted,) = service.ask("analyst", "GET", "/plans").json()["features"]
    told = adopted["properties"]
    assert (told["objective"], told["revisit_s"]) == ("risk", summary["revisit_s"])
    assert told.get("lower_bound_s") is None


@ON_SQLITE
def test_what_cannot_be_adopted_is_refused_whole(service, planned):
    waiting = ask(service)
    answer = service.ask("pilot", "POST", f"/plannings/{waiting}/adoption", json=ADOPTION)
    assert answer.status_code == 409
    service.ask("pilot", "DELETE", f"/plannings/{waiting}")
    path = f"/plannings/{done(service, planned)}/adoption"
    timeless = service.ask("pilot", "POST", path, json={**ADOPTION, "start": None})
    assert timeless.status_code == 422
    assert "say when its shift begins" in timeless.json()["detail"]
    service.key("narrow", "pilot", sources=["gate"])
    assert service.ask("narrow", "POST", path, json=ADOPTION).status_code == 403
    assert service.ask("analyst", "GET", "/segments").json()["features"] == []
