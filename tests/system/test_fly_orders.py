"""`vedette fly` takes the orders of pilots, as a patrol does, and says in its report what they ended."""

import asyncio
import json
import threading
import time
from dataclasses import replace

import pytest

import api
import autopilot
import missions
import sim
from autopilot.flight_piloted import PilotedFlight
from autopilot.patrol_states import Happening, State
from autopilot.sortie import Flight
from autopilot.timing import Timing
from tests.autopilot.test_patrol_orders import Ordered, order
from tests.system.test_patrol import SPEEDUP, links, made, vehicles
from tests.system.test_patrol_cues import spot

__all__ = ["made"]  # the fixture

NOBODY = "http://127.0.0.1:9"


class Pilot:
    """In place of the courier: gives one order after another as each is carried out, again where it is refused."""

    def __init__(self, kinds):
        self._left, self.told, self._take, self._names = list(kinds), [], None, []

    def __call__(self, _client, _source, take, _said):
        self._take = take
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._left.clear()

    def serve(self, vehicles):
        self._names = list(vehicles)
        self._give()

    def _give(self):
        if self._left:
            kind = self._left[0]
            values = {"kind": kind, "by": "Pat", "reason": "weather", "place": None, "station_s": None}
            self._take(api.TakenOrder(f"{kind} {time.monotonic_ns()}", self._names[0], time.monotonic() + 30, values))

    def tell(self, name, state, words):
        if state == "accepted":
            return
        if state == "done":
            self.told.append((name.split()[0], words))
            del self._left[:1]
        # It stands on the ground still, or has just left it.
        threading.Timer(0.0 if state == "done" else 0.05, self._give).start()


def test_a_pilot_orders_what_flies_by_vedette_fly(made, run, tmp_path, monkeypatch):
    pilot = Pilot(["pause", "resume", "land"])
    monkeypatch.setattr(api, "OrderCourier", pilot)
    missions.save_plan(made, tmp_path / "plan.json")
    with sim.start_fleet(vehicles(made)) as fleet:
        flown = run(
            "fly", tmp_path / "plan.json", "--time-scale", SPEEDUP, "--json", tmp_path / "flight.json",
            *(part for url in links(fleet) for part in ("--link", url)), "--service", NOBODY, "--key", "k",
        )  # fmt: skip
    assert [kind for kind, _ in pilot.told] == ["pause", "resume", "land"], flown
    assert (flown.code, "vehicle 1: ordered by Pat: weather; " in flown.err.replace("\n", " ")) == (1, True), flown
    (vehicle,) = json.loads((tmp_path / "flight.json").read_text())["vehicles"]
    (sortie,) = vehicle["sorties"]
    noted = [event["text"] for event in sortie["events"] if event["kind"] == "note"]
    assert [text for text in noted if "ordered by" in text] == [
        "paused: ordered by Pat: weather",
        "returning: ordered by Pat: weather",
    ]
    assert sortie["landing"] is not None
    assert sortie["nearest_border_m"] >= made.border.stand_off_m - 3


def taking(made, tasks):
    """What takes orders of a flight in which nothing was heard yet."""
    flight = Flight(Timing(), autopilot.FlightLimits(), None, lambda _: None, asyncio.Event())
    return PilotedFlight(made, tasks, {task.url: autopilot.LinkError("nobody listens") for task in tasks}, flight, None)


async def test_what_stands_on_the_ground_takes_off_for_no_cue(made):
    tasks, came = autopilot.tasks_of(made, ["udp:127.0.0.1:9"]), Ordered()
    flying = taking(made, tasks)
    crew = flying.crews[tasks[0].sysid]
    telemetry = replace(autopilot.Telemetry(), armed=False, battery_percent=90.0)
    crew.vehicle = type("Heard", (), {"telemetry": telemetry})()
    cue = autopilot.Cue(spot(made, 0.5), 0)
    flying.order(crew.sysid, replace(order("look", "dispatch"), cue=cue), came.of("look"))
    assert await came.end("look") == ("refused", "vehicle-1: is on the ground, and takes off for its own sorties alone")
    crew.leave(None)
    flying.order(crew.sysid, replace(order("later", "dispatch"), cue=cue), came.of("later"))
    assert await came.end("later") == ("refused", "the shift is over")
    await flying.settle()


async def test_orders_need_the_plan_and_its_sorties(made):
    tasks = autopilot.tasks_of(made, ["udp:127.0.0.1:9"])
    with pytest.raises(autopilot.FlightError, match="give it, or take none"):
        await autopilot.fly(tasks, begun=lambda _: None)
    for others in ({"sorties": ()}, {"sysid": 99}):
        with pytest.raises(autopilot.FlightError, match="make the tasks with tasks_of"):
            taking(made, [replace(task, **others) for task in tasks])


class Heard:
    """A vehicle on the ground."""

    sysid = 1

    def __str__(self):
        return "vehicle 1"


def sortie_that(flies):
    """In place of a sortie: `flies` is awaited with its conduct, then all its places lie behind it."""

    class Flown:
        def __init__(self, *_what, conduct):
            self._conduct = conduct

        async def fly(self):
            await flies(self._conduct)
            return autopilot.SortieReport(1, True, None, uploads=(), events=(), reached=(), places=3)

    return Flown


async def first_sortie(made, monkeypatch, flies):
    """The crew of a first vehicle, whose sortie `flies`, and what comes of that."""
    monkeypatch.setattr("autopilot.flight_piloted.Sortie", sortie_that(flies))
    task, *others = autopilot.tasks_of(made, ["udp:127.0.0.1:9"])
    crew = taking(made, [task, *others]).crews[task.sysid]
    return crew, lambda: crew.fly(task, Heard(), task.missions[0], 1)


async def test_one_that_was_told_to_land_takes_off_no_more_though_all_its_places_lie_behind_it(made, monkeypatch):
    async def told_to_land(conduct):
        conduct.early = "ordered by Pat: land"

    _, fly = await first_sortie(made, monkeypatch, told_to_land)
    report = await fly()
    assert (report.completed, report.failure) == (False, "ordered by Pat: land")


async def test_one_whose_flight_breaks_off_in_the_program_is_waited_for_by_nobody(made, monkeypatch):
    async def breaks_off(conduct):
        for happening in (Happening.CHECKED, Happening.LAUNCHED):
            conduct._tell(happening)
        raise RuntimeError

    crew, fly = await first_sortie(made, monkeypatch, breaks_off)
    with pytest.raises(RuntimeError):
        await fly()
    crew.leave("given up for a fault in this program")
    assert (crew.state, crew.failure) == (State.FAULT, "given up for a fault in this program")
