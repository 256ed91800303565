"""A simulated flight as others see it: where it is, where its camera looks, and what of the ground that shows."""

import asyncio
import json
import time
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace

import httpx
import pytest
from lxml import etree
from pyproj import Geod

import api
import autopilot
import missions
import sim
from cli.live import LiveOptions, _Teller, telling_positions
from cli.simulated import simulated_fleet
from geo import FlatTerrain
from tests.api.live import live

SPEEDUP = 60.0
GEOD = Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def made():
    segment = missions.cut(missions.land_border("ITA", "CHE"), 2000)
    fleet = missions.default_fleet(missions.base_beside(segment), 1)
    return missions.plan(segment, fleet, FlatTerrain(900.0), missions.PlanOptions(shift_s=3600.0))


async def seen(service):
    """The vehicle once it flies and its camera sees the ground."""
    end = time.monotonic() + 60.0
    while time.monotonic() < end:
        for one in (await asyncio.to_thread(service.must, "analyst", "GET", "/vehicles"))["features"]:
            if one["properties"]["state"] == "flying" and one["properties"].get("footprint"):
                return one
        await asyncio.sleep(0.2)
    raise AssertionError("no vehicle was seen")


async def test_a_flight_is_seen_live_with_its_field_of_view_and_footprint(made, tmp_path):
    stop = asyncio.Event()
    fleet_of = replace(simulated_fleet(made, speedup=SPEEDUP, seed=1), boot=sim.Boot(0, 0, 0))
    with live(tmp_path) as service, sim.start_fleet(fleet_of) as fleet:
        options = LiveOptions(service.url, service.keys["pilot"], owner="USA", marking="REL BRAVO")
        with telling_positions(options, made, None) as met:
            tasks = autopilot.tasks_of(made, [end.url for end in fleet.endpoints])
            flight = asyncio.create_task(autopilot.fly(tasks, time_scale=SPEEDUP, met=met, stop=stop))
            one = await seen(service)
            feed = await asyncio.to_thread(service.ask, "analyst", "GET", "/cot?type=vehicle")
            stop.set()
            await flight
        assert len(service.must("analyst", "GET", "/vehicles")["features"]) == 1
        # At first the service did not know the vehicle.
        assert [deed["objects"] for deed in service.audited("vehicle.write_live")] == [[], [one["id"]]]
    told = one["properties"]
    camera = made.fleet.camera
    assert told["camera"]["fov_deg"] == pytest.approx(camera.model.horizontal_fov_deg, abs=0.01)
    assert told["camera"]["model"] == camera.name
    assert (told["marking"], told["link"], told["name"]) == ("REL BRAVO", "good", made.fleet.vehicles[0].name)
    lon, lat = one["geometry"]["coordinates"]
    ring = told["footprint"]["coordinates"][0]
    middle = [sum(axis) / 4 for axis in zip(*ring[:4], strict=True)]
    azimuth, _, away_m = GEOD.inv(lon, lat, *middle)
    assert away_m < 2000
    # The picture lies where the camera looks.
    assert abs((azimuth - told["camera"]["azimuth_deg"] + 180) % 360 - 180) < 10
    own, footprint = etree.fromstring(feed.content)
    assert own.find("detail/sensor").get("fov") == str(told["camera"]["fov_deg"])
    assert len([link for link in footprint.findall("detail/link") if link.get("point")]) == 5


class Day(datetime):
    """A clock of the day that somebody sets."""

    ahead = timedelta()

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + cls.ahead


class Looked:
    """A vehicle that counts how often somebody looks at what it says."""

    sysid, silent_s, position_age_s, dialect = 1, 0.0, 0.0, SimpleNamespace(pause_mode="BRAKE")

    def __init__(self):
        self.says, self.looks = None, 0

    @property
    def telemetry(self):
        self.looks += 1
        return self.says

    async def say(self, telemetry):
        """Until somebody has looked."""
        self.says, before = telemetry, self.looks
        async with asyncio.timeout(30):
            while self.looks == before:  # noqa: ASYNC110
                await asyncio.sleep(0.005)


async def test_a_vehicle_is_told_while_it_is_known_where_it_is_though_the_clock_is_set_back(monkeypatch):
    monkeypatch.setattr("cli.live.datetime", Day)
    monkeypatch.setattr("cli.live._PERIOD_S", 0.02)
    monkeypatch.setattr(Day, "ahead", timedelta())
    handed = []
    courier = SimpleNamespace(hand=lambda _name, make: handed.append(make()))
    found = autopilot.Telemetry(lat_deg=46.5, lon_deg=9.0, gps_fix=3, estimator_flags=0x10)
    lost = [{"gps_fix": None}, {"gps_fix": 1}, {"estimator_flags": None}, {"estimator_flags": 0}]
    lost += [{"estimator_flags": 0x90}, {"lat_deg": None, "lon_deg": None}]
    vehicle = Looked()
    vehicle.says = replace(found, lat_deg=0.0, lon_deg=0.0, gps_fix=1)  # as one reports that was just switched on
    following = asyncio.create_task(_Teller(LiveOptions("", ""), None, {}, None).follow(vehicle, courier))
    for each in lost:
        await vehicle.say(replace(found, **{"lat_deg": 0.0, "lon_deg": 0.0} | each))
    assert handed == []

    async def told(count):
        async with asyncio.timeout(30):
            while len(handed) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    vehicle.says = replace(found, velocity_ned_m_s=(0.0, -5.0, 1.0), yaw_deg=200.0, landed=False, mode="AUTO")
    await told(1)
    assert (handed[0]["course_deg"], handed[0]["heading_deg"], handed[0]["speed_m_s"]) == (270.0, 200.0, 5.0)
    vehicle.says = replace(found, velocity_ned_m_s=(0.1, 0.1, 0.0), landed=False, mode="BRAKE")
    Day.ahead = timedelta(hours=-1)
    await told(len(handed) + 2)
    following.cancel()
    assert handed[-1]["course_deg"] is None
    assert (handed[0]["state"], handed[-1]["state"]) == ("flying", "paused")
    assert {state["lat"] for state in handed} == {46.5}
    assert handed[-1]["update_time"] < handed[0]["update_time"]


def outcomes_of(request, outcome):
    """As the service answers, with one outcome for all."""
    states = json.loads(request.read())["states"]
    results = [{"source": "s", "source_id": state["source_id"], "outcome": outcome} for state in states]
    return httpx.Response(200, json={"counts": {outcome: len(states)}, "results": results})


def test_states_that_were_not_sent_in_time_are_not_sent_later():
    """A service that is away for some turns gets what is newest then; who hands waits for nothing."""
    sent, away, period_s = [], [True], 0.02

    def handle(request):
        if away[0]:
            raise httpx.ConnectError("away")
        sent.append(request.read())
        return outcomes_of(request, "taken")

    said = []
    with (
        api.Client("http://vedette.test", "k", transport=httpx.MockTransport(handle)) as client,
        api.LiveCourier(client, lambda _name: {}, said.append, period_s=period_s) as courier,
    ):
        for n in range(50):
            courier.hand("a", lambda n=n: {"source_id": "a", "n": n})
            time.sleep(0.002)
        away[0] = False
        courier.hand("a", lambda: {"source_id": "a", "n": 50})
        end = time.monotonic() + 30
        while len(said) < 2 and time.monotonic() < end:
            time.sleep(0.01)
    assert [json.loads(body) for body in sent] == [{"states": [{"source_id": "a", "n": 50}]}]
    assert [("not told" in words, "again" in words) for words in said] == [(True, False), (False, True)]


@pytest.mark.parametrize(
    ("outcome", "word", "delivered"),
    [("ahead", "clock", 0), ("conflict", "same time", 0), ("forbidden", "sources", 0), ("unknown", "erased", 1)],
)
def test_a_vehicle_whose_states_are_not_taken_is_said_once_with_the_reason(outcome, word, delivered):
    """And a record that stays unknown is delivered once: each delivery is an entry of the audit."""
    puts, posts, said = [], [], []

    def handle(request):
        if request.method == "POST":
            posts.append(request.read())
            return httpx.Response(200, json={})
        puts.append(request.read())
        return outcomes_of(request, outcome if len(puts) < 6 else "taken")

    with (
        api.Client("http://vedette.test", "k", transport=httpx.MockTransport(handle)) as client,
        api.LiveCourier(client, lambda name: {"name": name}, said.append, period_s=0.002) as courier,
    ):
        end = time.monotonic() + 30
        while len(said) < 2 and time.monotonic() < end:
            courier.hand("north-1", lambda: {"source_id": "north-1"})
            time.sleep(0.005)
    first, second = said
    assert first.startswith("north-1 is not told: ")
    assert word in first
    assert "again" in second
    assert len(posts) == delivered
