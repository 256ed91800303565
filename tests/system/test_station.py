"""A ground station in its process, a service, simulated vehicles: what a pilot sends is flown once, or not at all."""

import asyncio
import hashlib
import json
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

import api
import autopilot
import missions
import sim
import vedette
from api.launches.schemas import StationIn
from cli.arguments import InputError
from cli.launch_folder import Launch, LaunchFolder
from cli.live import LiveOptions
from cli.patrol import GroundStation
from cli.station import _Station, keep_station
from cli.station_board import Board
from cli.stopping import run_until_told
from geo import FileWriteError
from tests.api.samples import planning_json
from tests.api.test_planning import ADOPTION
from tests.programs import Program
from tests.system.test_patrol import vehicles
from tests.system.test_patrol_orders import Desk, Patrol

PACE = 100.0
FIRST_FLIGHT_H = 0.05
ENDS = {"done", "failed", "refused", "expired", "withdrawn"}


def until(look, within_s=60.0):
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it never came")


class Post(Desk):
    """A service with a plan that is adopted, and a pilot who sends it."""

    def plan(self):
        must = self.service.must
        self.planning = must("pilot", "POST", "/plannings", json=planning_json())["id"]
        until(lambda: must("pilot", "GET", f"/plannings/{self.planning}")["state"] == "done")
        must("pilot", "POST", f"/plannings/{self.planning}/adoption", json=ADOPTION)
        self.checklist = [item["key"] for item in must("pilot", "GET", "/launches/checklist")["items"]]
        return self.service.ask("pilot", "GET", f"/plannings/{self.planning}/files/plan.json").content

    def stations(self):
        return self.service.must("pilot", "GET", "/stations")

    def stands_by(self):
        """The station once both vehicles are ready and it flies nothing."""

        def look():
            return [
                one
                for one in self.stations()
                if one["live"] and one["busy"] is None and [v["ready"] for v in one["vehicles"]] == [True, True]
            ]

        return until(look)[0]

    def send(self, name, **more):
        body = {"client_id": name, "station": "ground-station", "planning_id": self.planning, "confirmed": True}
        body |= {"checklist": self.checklist, "hours": FIRST_FLIGHT_H} | more
        return self.service.ask("pilot", "POST", "/launches", json=body)

    def sent(self, name):
        answer = self.send(name)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def state(self, launch_id):
        return self.service.must("pilot", "GET", f"/launches/{launch_id}")

    def end(self, launch_id, within_s=60.0):
        return until(lambda: (found := self.state(launch_id))["state"] in ENDS and found, within_s)


@pytest.fixture(scope="module")
def post(tmp_path_factory):
    made = Post(tmp_path_factory.mktemp("post"))
    made.start()
    made.content = made.plan()
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    path.write_bytes(made.content)
    made.made = missions.load_plan(path)
    yield made
    made.stop()


@contextmanager
def station_at(post, fleet, folder, *ends, code=0, pace=PACE):
    """`vedette station` in its process; one that is alive at the end is told to stop."""
    command = [sys.executable, vedette.__file__, "station", "--out", folder, "--speedup", pace]
    command += ["--service", post.service.url, "--key", post.service.keys["station"]]
    command += [part for end in fleet.endpoints for part in ("--link", end.url)]
    with Program([str(each) for each in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        station = Patrol(process)
        yield station
        process.send_signal(signal.SIGINT)
        ended = process.wait(60)
        station.errors = process.stderr.read()
        assert ended == code, station.errors


def flights_of(folder):
    return len(list(folder.glob("vehicle-*-sortie-*.csv")))


def test_a_pilot_sends_a_plan_and_it_is_flown_and_the_next_is_stopped_at_the_station(post, tmp_path):
    with (
        # Slow enough that what is told every two seconds is told in the air, on a machine that stops now and then too.
        sim.start_fleet(vehicles(post.made, speedup=PACE / 2, record_dir=tmp_path)) as fleet,
        station_at(post, fleet, tmp_path / "station", code=0, pace=PACE / 2) as station,
    ):
        told = post.stands_by()
        assert [(one["sysid"], one["autopilot"], one["why_not"]) for one in told["vehicles"]] == [
            (1, "ardupilot", []),
            (2, "ardupilot", []),
        ]
        # It stands on the map before it ever flew, as it will be called in the air.
        until(lambda: len(post.service.must("pilot", "GET", "/vehicles")["features"]) == 2)
        first = post.sent("first")
        station.wait("vehicle 1: on task")
        flying = until(lambda: [one for one in post.stations() if "is armed" in one["vehicles"][0]["why_not"]])[0]
        assert "ordered by" in flying["busy"]
        assert (flying["run"], post.state(first)["state"]) == (told["run"], "accepted")
        assert post.send("meanwhile").status_code == 409
        ended = post.end(first)
        assert (ended["state"], ended["run"]) == ("done", told["run"]), ended
        assert "vehicle 1: 1 flights, 1 flown to the end" in ended["words"]

        post.stands_by()
        second = post.sent("second")
        station.wait("vehicle 1: on task", times=2)
        station.process.send_signal(signal.SIGINT)
        ended = post.end(second)
        assert (ended["state"], "told to stop" in ended["words"]) == ("failed", True), ended
        assert station.process.wait(30) == 0
    assert len(post.service.must("pilot", "GET", "/vehicles")["features"]) == 2
    assert flights_of(tmp_path) == 2
    report = json.loads((tmp_path / "station" / second / "patrol.json").read_text())
    assert report["stopped"]
    assert report["vehicles"][0]["flights"][0]["landed_s"] is not None


def test_a_station_that_is_killed_goes_on_with_what_flies_though_the_service_is_away(post, tmp_path):
    out = tmp_path / "station"
    # Service and station take seconds to stop and start, on a busy machine half a minute: what flies must fly then.
    pace = PACE / 10
    with sim.start_fleet(vehicles(post.made, speedup=pace, record_dir=tmp_path)) as fleet:
        with station_at(post, fleet, out, code=-signal.SIGKILL, pace=pace) as station:
            post.stands_by()
            launch = post.sent("killed")
            station.wait("vehicle 1: outbound")
            post.stop()
            station.process.kill()
            station.process.wait(30)
        with station_at(post, fleet, out, pace=pace) as station:
            station.wait("vehicle 1: ")
            post.start()
            ended = post.end(launch, within_s=180.0)
            assert ended["state"] == "done", ended
            until(lambda: post.stations()[0]["run"] != ended["run"])
    said = station.errors
    assert "goes on with Nogales, ordered by pilot" in said
    assert said.count("the service does not hear this station now") == 1
    assert flights_of(tmp_path) == 1


def test_a_plan_is_not_sent_while_a_vehicle_is_not_ready_and_a_station_that_stands_by_ends_at_once(post, tmp_path):
    never = sim.Boot(0, 0, 1e5)
    with (
        sim.start_fleet(vehicles(post.made, speedup=PACE, boot=never)) as fleet,
        station_at(post, fleet, tmp_path) as station,
    ):
        station.wait("vehicle 2: not ready: ")
        refused = until(lambda: (answer := post.send("unready")).status_code == 409 and "GPS" in answer.text and answer)
        assert "vehicle 1 is not ready" in refused.json()["detail"]
        with pytest.raises(InputError, match="is in use"):
            in_this_process(post, tmp_path)


def ground_of(live):
    limits = autopilot.FlightLimits()
    return GroundStation("ardupilot", PACE, limits, 255, None, None, live)


def in_this_process(post, folder, links=("udp:127.0.0.1:9",)):
    live = LiveOptions(post.service.url, post.service.keys["station"])
    keep_station(list(links), ground_of(live), live, folder, logs=False, known=None)


# What the station looks at by itself, whatever the service let through.


ID = "c" * 32


def checked(post, folder, *, there=(1, 2), not_ready=(), content=None, stop=False, until_s=None, **order):
    """What becomes of a launch that was taken."""
    readings = tuple(
        autopilot.Readiness(each, f"udp:127.0.0.1:{each}", "ardupilot", True, ("is armed",) * (each in not_ready))
        for each in there
    )
    content = post.content if content is None else content
    live = LiveOptions("http://vedette.test", "k")
    ground = ground_of(live)
    folder = LaunchFolder(folder)
    client = SimpleNamespace(launch_plan=lambda _id: content)
    courier = SimpleNamespace(run="r" * 32)
    board = Board("ardupilot", ground.limits)
    station = _Station([one.url for one in readings], ground, live, folder, board, client, courier, False, None)
    digest = hashlib.sha256(post.content).hexdigest()
    usual = {"plan_name": "Nogales", "plan_sha256": digest, "sysids": [1, 2], "hours": 1.0, "by": "Pat", "reason": None}
    taken = api.TakenLaunch(ID, time.monotonic() + 30 if until_s is None else until_s, usual | order)
    told = asyncio.Event()
    if stop:
        told.set()
    return asyncio.run(station._checked(taken, SimpleNamespace(readiness=lambda: readings), told))


def test_a_launch_that_may_be_flown_is_on_the_disk_before_it_is(post, tmp_path):
    launch = checked(post, tmp_path, there=(1, 2, 7), not_ready=(7,))
    assert launch == Launch(
        ID, "r" * 32, "Nogales, ordered by Pat", 1.0, ("udp:127.0.0.1:1", "udp:127.0.0.1:2")
    )  # fmt: skip
    assert LaunchFolder(tmp_path).read() == launch
    assert LaunchFolder(tmp_path).plan(ID).read_bytes() == post.content


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"content": b"{}"}, "SHA-256 differs"),
        ({"content": b"{}", "plan_sha256": hashlib.sha256(b"{}").hexdigest()}, "plan.json"),
        ({"sysids": [1]}, "ordered for"),
        ({"there": (1,)}, "vehicle 2 is not heard"),
        ({"not_ready": (2,)}, "vehicle 2: is armed"),
        ({"until_s": 0.0}, "ran out"),
        ({"stop": True}, "told to stop"),
    ],
)
def test_a_launch_in_whose_way_something_is_is_not_flown(post, tmp_path, wrong, words):
    with pytest.raises(missions.MissionsError if words == "plan.json" else Exception, match=words):
        checked(post, tmp_path, **wrong)
    assert LaunchFolder(tmp_path).read() is None


def left_in(folder, **more):
    launch = Launch(ID, "r" * 32, "Nogales, ordered by Pat", 1.0, ("udp:127.0.0.1:9",), **more)
    LaunchFolder(folder).write(launch)
    return launch


def test_a_launch_that_was_in_the_air_over_other_links_is_not_forgotten(post, tmp_path):
    left_in(tmp_path)
    LaunchFolder(tmp_path).keep_plan(ID, post.content)
    LaunchFolder(tmp_path).journal(ID).write_text("begun\n")
    with pytest.raises(InputError, match="give these links, and it goes on"):
        in_this_process(post, tmp_path, links=["udp:127.0.0.1:10"])
    (tmp_path / "launch.json").write_text('{"format": "vedette-launch", "version": 1, "id": "../x"}')
    with pytest.raises(InputError, match="look whether its vehicles are on the ground"):
        in_this_process(post, tmp_path)


@pytest.mark.parametrize(
    ("left", "journal", "told"),
    [
        ({}, None, ("failed", "before anything took off")),
        ({}, "", ("failed", "before anything took off")),  # it was killed before it wrote the first line
        ({}, "spoilt\n", ("failed", "look what its vehicles do")),
        ({"state": "done", "outcome": "both are down"}, None, ("done", "both are down")),
        ({"state": "done", "outcome": "both are down", "told": True}, None, None),
    ],
)
def test_what_the_service_was_not_told_is_told_by_the_next_run_and_what_never_took_off_does_not(
    post, tmp_path, left, journal, told
):
    said = []
    launch, folder = left_in(tmp_path, **left), LaunchFolder(tmp_path)
    folder.keep_plan(ID, post.content)
    if journal is not None:
        folder.journal(ID).write_text(journal)
    courier = SimpleNamespace(tell=lambda *each, run: said.append((*each, run)))
    live = LiveOptions("http://vedette.test", "k")
    ground = ground_of(live)
    board = Board("ardupilot", ground.limits)
    _Station(launch.links, ground, live, folder, board, None, courier, False, None)._go_on(launch, threading.Event())
    if told is None:
        assert said == []
    else:
        ((name, state, words, run),) = said
        assert (name, state, run) == (ID, told[0], "r" * 32)
        assert told[1] in words
        folder.mark_told(ID, state)
    assert (folder.read().flying, folder.read().told) == (False, True)


@pytest.mark.parametrize("pressed", [False, True])
def test_a_station_that_was_told_to_stop_flies_nothing_more_though_its_report_cannot_be_written(
    post, tmp_path, monkeypatch, pressed
):
    launch, folder, said = left_in(tmp_path), LaunchFolder(tmp_path), []
    folder.keep_plan(ID, post.content)
    folder.journal(ID).write_text("flies")

    def flown(*_, begun, noted, **__):
        async def fly(_stop):
            begun(None)
            if pressed:
                signal.raise_signal(signal.SIGINT)
                await asyncio.sleep(0)

        run_until_told(fly, lambda: None, noted)
        raise FileWriteError("patrol.json: no space left on the disk")

    class Left(_Station):
        def _stand_by(self, _told):
            stood_by.append(launch)

    monkeypatch.setattr("cli.station.fly_shift", flown)
    stood_by = []
    courier = SimpleNamespace(tell=lambda *each, **_run: said.append(each))
    live = LiveOptions("http://vedette.test", "k")
    ground = ground_of(live)
    board = Board("ardupilot", ground.limits)
    Left(launch.links, ground, live, folder, board, None, courier, False, None).run(launch)
    assert [each[1] for each in said] == ["accepted", "failed"]
    assert len(stood_by) == (0 if pressed else 1)


def test_a_station_that_is_told_to_stop_before_its_loop_listens_ends(post, tmp_path, monkeypatch):
    """Between a flight and the loop that stands by Ctrl-C came to nothing: the station stood by for ever."""

    @contextmanager
    def pressed(*_, **__):
        signal.raise_signal(signal.SIGINT)
        yield None

    monkeypatch.setattr("cli.station.telling_positions", pressed)
    in_this_process(post, tmp_path)


def test_what_the_board_tells_is_taken_whatever_a_vehicle_says(post):
    ready = autopilot.Readiness(1, "udp:127.0.0.1:1", "ardupilot", True, (), battery_percent=127.0)
    other = autopilot.Readiness(2, "udp:127.0.0.1:2", "ardupilot", True, ("it says: Pre\x1bArm",), 50.0)
    board = Board("ardupilot", autopilot.FlightLimits())
    board.stand_by([ready, other])
    state = StationIn.model_validate({"run": "0" * 32, **board.state()})
    assert [(each.battery_left, each.heard) for each in state.vehicles] == [(None, True), (0.5, True)]
    # With its links closed nothing is known of how they stand now.
    board.fly("flies Nogales", post.made)
    assert [(one["heard"], one["ready"]) for one in board.state()["vehicles"]] == [(False, False)] * 2
