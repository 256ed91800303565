"""Somebody walks past a sensor of the simulated world, and the service holds the cue."""

import json
import threading
from datetime import datetime

import numpy as np
import pytest
import yaml

import api
import sim
from geo import geodesic_distance_m
from tests.sim.mqtt_broker import Broker, Listener, until

WORLD = {
    "origin": {"lat": 31.345, "lon": -110.93, "ground_amsl_m": 1180},
    "epoch": "2027-03-01T08:00:00Z",
    "actors": [
        {
            "id": 5,
            "kind": "person",
            "path": [{"time_s": 5, "east_m": 5, "north_m": -60}, {"time_s": 95, "east_m": 5, "north_m": 60}],
        }
    ],
}
SENSORS = {
    "custody": {"owner": "guard", "purpose": "border-surveillance", "marking": None, "retention_days": 30},
    "sensors": [
        {"id": "gate", "model": "pir", "lat": 31.345, "lon": -110.93, "field_deg": 360, "false_night_per_h": 0},
        {"id": "far", "model": "pir", "lat": 31.355, "lon": -110.93, "field_deg": 360, "false_night_per_h": 0},
    ],
}


@pytest.fixture
def service(tmp_path):
    with api.running(api.Settings(tmp_path / "store", port=0)) as up:
        assert up.admin is not None
        with api.Client(up.url, up.admin.key) as admin:
            keys = {
                "sensor": admin.create_key("s", "sensor", sources=["*"]),
                "analyst": admin.create_key("a", "analyst"),
            }
        yield up.url, keys


@pytest.fixture
def files(tmp_path):
    for name, document in (("world", WORLD), ("sensors", SENSORS)):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(document))
    return tmp_path


def simulate(run, files, cues, *more):
    return run(
        *("sim", "--world", files / "world.yaml", "--sensors", files / "sensors.yaml", "--cues", cues),
        *("--truth", files / "truth", "--port", 0, "--speedup", 40, "--seconds", 3.5, "--seed", 1, *more),
    )


def test_a_person_walks_past_a_sensor_and_the_service_holds_the_cue(run, service, files):
    url, keys = service
    ran = simulate(run, files, f"{url}/cues", "--key", keys["sensor"])
    assert ran.code == 0, ran.err
    assert "0 refused" in ran.out
    with api.Client(url, keys["analyst"]) as analyst:
        held = list(analyst.cues(limit="2"))
    assert held
    truth = [json.loads(line) for line in (files / "truth" / "cues.truth.jsonl").read_text().splitlines()]
    assert {cue["id"] for cue in held} == {true["id"] for true in truth}
    assert {true["actor"] for true in truth} == {5}
    assert {cue["sensor"] for cue in held} == {"gate"}
    assert {cue["custody"]["owner"] for cue in held} == {"guard"}
    # Where the person truly was at that time: nobody is noticed at twice the mean reach of 35 m.
    (track,) = json.loads((files / "truth" / "tracks.geojson").read_text())["features"]
    times = [datetime.fromisoformat(text).timestamp() for text in track["properties"]["coordTimes"]]
    lon, lat = zip(*track["geometry"]["coordinates"], strict=True)
    for cue in held:
        when = datetime.fromisoformat(cue["phenomenonTime"]).timestamp()
        there = np.interp(when, times, lat), np.interp(when, times, lon)
        assert geodesic_distance_m(31.345, -110.93, *there) < 70
        assert cue["resultTime"] > cue["phenomenonTime"]


def test_the_same_run_again_brings_nothing_new(run, service, files):
    url, keys = service
    for _ in range(2):
        assert simulate(run, files, f"{url}/cues", "--key", keys["sensor"]).code == 0
    with api.Client(url, keys["analyst"]) as analyst:
        held = [cue["id"] for cue in analyst.cues()]
    truth = (files / "truth" / "cues.truth.jsonl").read_text().splitlines()
    assert sorted(held) == sorted(json.loads(line)["id"] for line in truth)


def test_cues_and_heartbeats_go_to_a_broker(run, files):
    broker = Broker(files)
    listener = Listener(broker.port)
    try:
        ran = simulate(run, files, f"mqtt://127.0.0.1:{broker.port}/test")
        truth = [json.loads(line) for line in (files / "truth" / "cues.truth.jsonl").read_text().splitlines()]
        until(lambda: len([topic for topic, *_ in listener.heard if topic.endswith("/cue")]) == len(truth), "the cues")
    finally:
        listener.close()
        broker.kill()
    assert ran.code == 0
    heard = [message["id"] for topic, message, _, _ in listener.heard if topic == "test/gate/cue"]
    assert heard == [true["id"] for true in truth]
    assert heard


def test_cues_that_the_service_never_takes_are_counted(run, service, files):
    url, keys = service
    bare = {"sensors": SENSORS["sensors"]}
    (files / "sensors.yaml").write_text(yaml.safe_dump(bare))
    ran = simulate(run, files, f"{url}/cues", "--key", keys["sensor"])
    assert ran.code == 0
    told = " ".join(ran.out.split())
    assert "0 delivered" in told
    assert "422" in told
    assert "custody" in told
    assert " 0 refused" not in told


def test_a_service_that_starts_late_still_gets_every_cue(tmp_path):
    """Put before there is a service at that address; delivered in order once it is up."""
    world = sim.World(31.345, -110.93, 1180, 1_800_000_000_000_000)
    noisy = sim.ground_sensor("s", "pir", 31.345, -110.93, false_day_per_h=100.0, false_night_per_h=100.0)
    custody = sim.Custody("guard", "test")
    reports = sim.SensorField(world, [noisy], 3, custody=custody).advance(world.epoch_us + 3_600_000_000)
    messages = [report.message for report in reports if report.is_cue]
    assert len(messages) > 30
    settings = api.Settings(tmp_path / "store", port=0)
    with api.running(settings) as up, api.Client(up.url, up.admin.key) as admin:
        port, keys = (
            int(up.url.rpartition(":")[2]),
            {"sensor": admin.create_key("s", "sensor", sources=["*"]), "analyst": admin.create_key("a", "analyst")},
        )
    courier = sim.CueCourier(sim.HttpSink(f"http://127.0.0.1:{port}/cues", key=keys["sensor"]), end_s=30)
    for message in messages:
        courier.put(message)
    tried = threading.Event()
    while courier.count.tries == 0:
        tried.wait(0.02)
    with api.running(api.Settings(tmp_path / "store", port=port)) as up, api.Client(up.url, keys["analyst"]) as analyst:
        told = courier.close()
        held = list(analyst.cues())
        ids = {feature["id"]: feature["properties"]["id"] for feature in analyst.records("cues")}
        arrived = [ids[event["record_id"]] for event in analyst.events(limit=1000) if event["record_type"] == "cue"]
    assert (told.delivered, told.dropped, told.waiting) == (len(messages), 0, 0)
    assert arrived == [message["id"] for message in messages]
    assert len(held) == len(messages)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--sensors", "sensors.yaml"], ["--world"]),
        (["--truth", "truth"], ["--world"]),
        (["--world", "world.yaml", "--sensors", "sensors.yaml"], ["--cues"]),
        (["--world", "world.yaml", "--cues", "c.jsonl"], ["--sensors"]),
        (["--world", "absent.yaml"], ["absent.yaml", "cannot be read"]),
        (["--world", "world.yaml", "--sensors", "world.yaml", "--cues", "c.jsonl"], ["world.yaml", "sensors"]),
        (["--world", "world.yaml", "--sensors", "sensors.yaml", "--cues", "amqp://x"], ["amqp"]),
        (["--world", "world.yaml", "--sensors", "sensors.yaml", "--cues", "http://"], ["8470/cues"]),
        (["--world", "world.yaml", "--sensors", "sensors.yaml", "--cues", "mqtt://"], ["mqtt://127.0.0.1:1883"]),
    ],
)
def test_options_that_do_not_fit_are_one_clear_line(run, files, monkeypatch, arguments, words):
    monkeypatch.chdir(files)
    ran = run("sim", *arguments, "--port", 0, "--seconds", 0.1)
    lines = [line for line in ran.err.splitlines() if "vedette: " in line]
    assert ran.code == 1
    assert len(lines) == 1
    assert all(word in lines[0] for word in words)
