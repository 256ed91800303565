"""A pilot at the service, a patrol in a process of its own, a simulated vehicle: what is ordered is flown, once."""

import itertools
import json
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace

import pytest

import api
import missions
import sim
import vedette
from cli.live import LiveOptions
from cli.piloting import taking_orders
from tests.api.live import Live
from tests.api.people import person_at
from tests.ports import free_port
from tests.programs import Program
from tests.system.test_patrol import links, made, vehicles
from tests.system.test_patrol_cues import spot

__all__ = ["made"]  # the fixture

PACE = 20.0
NAMES = itertools.count()


class Desk:
    """A service that can be stopped and started anew, and a pilot at it."""

    def __init__(self, folder):
        self._settings = api.Settings(folder / "service", port=free_port())
        self._running = ExitStack()
        self.service = None

    def start(self):
        running = self._running.enter_context(api.running(self._settings))
        keys = {} if self.service is None else self.service.keys
        if running.admin is not None:
            keys["administrator"] = running.admin.key
        self.service = self._running.enter_context(Live.at(running, keys))
        if "pilot" not in keys:
            self._people()

    def stop(self):
        self._running.close()

    def _people(self):
        service = self.service
        person_at(service, "pilot", "pilot", sources=["*"])
        service.key("station", "pilot", sources=["ground-station"])

    def give(self, vehicle, kind, **more):
        usual = {"client_id": f"order {next(NAMES)}", "vehicle": {"source": "ground-station", "source_id": vehicle}}
        usual |= {"kind": kind, "confirmed": kind in {"dispatch", "land"}}
        return self.service.must("pilot", "POST", "/orders", json=usual | more)

    def ended(self, order, *, within_s=40.0):
        """An order once nothing more comes of it."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            found = self.service.must("pilot", "GET", f"/orders/{order['id']}")
            if found["state"] in {"done", "failed", "refused", "expired", "withdrawn"}:
                return found
            time.sleep(0.05)
        raise AssertionError(f"nothing came of it: {found}")


class Patrol:
    """`vedette patrol` in its process, and what it says."""

    def __init__(self, process):
        self.process, self.lines = process, []
        self._came = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self._came:
                self.lines.append(line)
                self._came.notify_all()

    def wait(self, words, times=1, within_s=60.0):
        def there():
            return sum(words in line for line in self.lines) >= times or self.process.poll() is not None

        with self._came:
            assert self._came.wait_for(there, within_s), self.lines
        assert sum(words in line for line in self.lines) >= times, (self.lines, self.process.stderr.read())


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    made.start()
    yield made
    made.stop()


def record(name, base):
    """The vehicle's record, which an order needs before it ever flew."""
    times = dict.fromkeys(("time", "update_time"), "2026-01-01T00:00:00Z")
    custody = {"owner": "USA", "marking": None, "purpose": "border-surveillance", "retention_days": 3650}
    place = {"lat": base.lat_deg, "lon": base.lon_deg, "personal_data": False}
    own = {"source": "ground-station", "source_id": name, "name": name, "frame": "copter", "state": "known"}
    return times | custody | place | own


@contextmanager
def patrol_at(desk, made, folder):
    """A patrol of the first flight of its first vehicle, in a process of its own."""
    missions.save_plan(made, folder / "plan.json")
    with sim.start_fleet(vehicles(made, speedup=PACE)) as fleet:
        arguments = ["patrol", folder / "plan.json", "--speedup", PACE, "--hours", 0.05]
        arguments += [part for url in links(fleet) for part in ("--link", url)]
        arguments += ["--json", folder / "patrol.json", "--journal", folder / "journal.jsonl"]
        arguments += ["--service", desk.service.url, "--key", desk.service.keys["station"]]
        command = [sys.executable, vedette.__file__, *map(str, arguments)]
        with Program(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            yield Patrol(process)
            assert process.wait(60) == 0, process.stderr.read()


def test_a_pilot_flies_a_patrol_from_the_service(desk, made, tmp_path):
    first = made.fleet.vehicles[0]
    name, here = first.name, spot(made, 0.5)
    desk.service.must("station", "POST", "/vehicles", json=record(name, first.base))
    stale = desk.give(name, "return", expires_s=1)
    time.sleep(1.1)
    with patrol_at(desk, made, tmp_path) as patrol:
        patrol.wait("vehicle 1: on task")
        needless = desk.ended(desk.give(name, "resume"))
        assert (needless["state"], "nothing to go on with" in needless["words"]) == ("refused", True)

        pause = desk.give(name, "pause", client_id="hold", reason="a flock of birds")
        assert desk.give(name, "pause", client_id="hold", reason="a flock of birds")["id"] == pause["id"]
        assert desk.ended(pause)["state"] == "done"
        patrol.wait("vehicle 1: paused")
        assert desk.ended(desk.give(name, "resume"))["state"] == "done"
        patrol.wait("vehicle 1: on task", times=2)

        desk.stop()
        time.sleep(1.0)
        desk.start()
        inland = {"lat": 4 * first.base.lat_deg - 3 * here.lat_deg, "lon": 4 * first.base.lon_deg - 3 * here.lon_deg}
        far = desk.ended(desk.give(name, "dispatch", place=inland))
        assert (far["state"], "lies inside its fence" in far["words"]) == ("refused", True), far
        place = {"lat": here.lat_deg, "lon": here.lon_deg, "uncertainty_m": 5}
        look = desk.ended(desk.give(name, "dispatch", place=place, station_s=20))
        assert (look["state"], look["words"]) == ("done", "was there")
        home = desk.ended(desk.give(name, "return", reason="weather"))
        assert (home["state"], home["words"]) == ("done", "is down")
    assert desk.ended(stale)["state"] == "expired"
    lines = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    begun = [line["id"] for line in lines if line["kind"] == "order" and line["state"] == "taken"]
    assert stale["id"] not in begun
    assert len(begun) == len(set(begun)) == 6
    told = json.loads((tmp_path / "patrol.json").read_text())["vehicles"][0]
    states = [change["state"] for change in told["changes"]]
    assert (states.count("paused"), states.count("on cue")) == (1, 1)
    (flight,) = told["flights"]
    assert flight["early"] == "ordered by pilot: weather"
    assert flight["flown"]["nearest_border_m"] >= made.border.stand_off_m - 3


async def test_what_a_station_that_breaks_off_was_to_do_is_told_as_come_to_nothing(made, monkeypatch):
    """Whatever ends it, and from whichever thread: each order is told to its end once."""
    told, threads = [], []

    class Courier:
        def __init__(self, _client, _source, take, _said):
            self.take = take

        def __enter__(self):
            return self

        def __exit__(self, *_):
            # One more is taken while it ends, as a courier in its thread may do.
            thread = threading.Thread(target=self.take, args=[taken("late", made)])
            thread.start()
            thread.join()
            threads.append(thread)

        def serve(self, _vehicles):
            self.take(taken("begun", made))

        def tell(self, name, state, words):
            told.append((name, state, words))

    monkeypatch.setattr(api, "OrderCourier", Courier)
    patrol = SimpleNamespace(broken_off=["before"], order=lambda *_: None)

    def broken_off():
        with taking_orders(LiveOptions("http://vedette.test", "k"), made) as begun:
            begun(patrol)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    assert len(threads) == 1
    assert [(name, state) for name, state, _ in told] == [
        ("before", "failed"),
        ("begun", "failed"),
        ("late", "refused"),
    ]


def taken(name, made):
    order = {"kind": "return", "by": "Pat", "reason": None, "place": None, "station_s": None}
    return api.TakenOrder(name, made.fleet.vehicles[0].name, time.monotonic() + 30, order)
