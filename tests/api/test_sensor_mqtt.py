"""Sensors over a real broker, and records out over one: nothing lost, nothing doubled, nothing said for another."""

import asyncio
import contextlib
import dataclasses
import json
import os
import threading
import time
from unittest import mock

import aiomqtt
import pytest

from api.background import Service as Running
from api.background import beside
from api.outlets.settings import Pace
from api.sensors.messages import Taken, take_message, topics_of
from api.sensors.mqtt import serve_outlets, serve_sensors
from api.sensors.settings import Broker as Address
from api.sensors.settings import Custody, Datastream, MqttOutlet, SensorSettings
from api.settings import Settings
from sim import CueCourier, MqttSink
from tests.api.conftest import DATABASES
from tests.api.samples import crossing_json
from tests.certificates import certificate, server_context
from tests.sim.mqtt_broker import Broker, Listener, Wire, mosquitto

# For tests of the wire, in which the database has no part.
on_one_database = pytest.mark.parametrize("databases", DATABASES[:1], indirect=True)


PACE = Pace(poll_s=0.02, first_wait_s=0.05, longest_wait_s=0.2, hold_s=1.0)
CUSTODY = Custody("USA", "border-surveillance", "REL BRAVO", 30)
STREAM = Datastream("7", "gate-3", "motion", CUSTODY, location=(-110.94, 31.333))
AS_ROOT = "user root\n" if os.geteuid() == 0 else ""
# Every change is written down as soon as it has been answered.
KEEPING = (
    "allow_anonymous true\npersistence true\npersistence_location {}/\nautosave_on_changes true\nautosave_interval 1\n"
)


@pytest.fixture
def broker(tmp_path):
    made = Broker(tmp_path)
    yield made
    made.kill()


@pytest.fixture
def keeping(tmp_path):
    if mosquitto() is None:
        assert not os.environ.get("VEDETTE_REQUIRE_ALL"), "Mosquitto is not here: apt-get install mosquitto"
        pytest.skip("Mosquitto is not here: apt-get install mosquitto")
    made = Broker(tmp_path, AS_ROOT + KEEPING.format(tmp_path))
    yield made
    made.kill()


def cue_json(n, sensor="gate-3", **changes):
    usual = {
        "type": "cue",
        "id": f"{n:032x}",
        "sensor": sensor,
        "kind": "motion",
        "phenomenonTime": "2026-01-01T11:00:00.000000Z",
        "resultTime": "2026-01-01T11:00:01.000000Z",
        "location": {"type": "Point", "coordinates": [-110.94, 31.333]},
        "uncertainty_m": 20.0,
        "confidence": 0.9,
        "parameters": {"model": "pir"},
        "custody": CUSTODY.to_json(),
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def address(port, **more):
    return Address("127.0.0.1", port, **{"identifier": "vedette-test"} | more)


@contextlib.asynccontextmanager
async def running(service, task, sensors):
    settings = dataclasses.replace(Settings(service.store.directory), sensors=dataclasses.replace(sensors, pace=PACE))
    async with beside(Running(service.store, settings), [task]):
        yield


@contextlib.asynccontextmanager
async def taking_by(service, sensors):
    """Take messages in. The broker has heard which are wanted by then: what comes before that it throws away."""
    wanted, really = set(topics_of(sensors)), aiomqtt.Client.subscribe

    async def subscribe(client, topic, **how):
        await really(client, topic, **how)
        wanted.discard(topic)

    with mock.patch.object(aiomqtt.Client, "subscribe", subscribe):
        async with running(service, serve_sensors, sensors):
            await until(lambda: not wanted, "what the broker says to a subscription")
            yield


def taking(service, port, **more):
    return taking_by(service, SensorSettings(broker=address(port), datastreams=(STREAM,), **more))


async def until(true, what, within_s=60.0):
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, f"{what} did not come"
        await asyncio.sleep(0.02)


async def seen(service, count, what="cues"):
    """The cues there are, oldest first, once there are so many."""
    end = time.monotonic() + 60.0
    while True:
        answer = await asyncio.to_thread(service.ask, "analyst", "GET", "/cues", params={"limit": "1000"})
        found = [int(feature["properties"]["id"], 16) for feature in answer.json()["features"]]
        if len(found) >= count:
            return sorted(found)
        assert time.monotonic() < end, f"{count} {what} did not come, {len(found)} did"
        await asyncio.sleep(0.05)


def sending(port, **more):
    return CueCourier(MqttSink(f"mqtt://127.0.0.1:{port}", **more), end_s=60)


def publish(port, topic, *payloads):
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for payload in payloads:
        client.publish(topic, payload, qos=1).wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


async def test_cues_and_observations_come_in_over_their_topics(service, broker):
    async with taking(service, broker.port):
        with sending(broker.port) as courier:
            for n in range(3):
                courier.put(cue_json(n))
        observed = {"@iot.id": 1, "phenomenonTime": "2026-01-01T11:00:00Z", "result": True}
        await asyncio.to_thread(publish, broker.port, "v1.1/Datastreams(7)/Observations", json.dumps(observed))
        own = json.dumps(observed | {"@iot.id": 2, "Datastream": {"@iot.id": 7}})
        await asyncio.to_thread(publish, broker.port, "vedette/sensors/gate-3/observation", own, own)
        found = await seen(service, 5)
    assert found[:3] == [0, 1, 2]
    assert len(found) == 5
    answer = await asyncio.to_thread(service.ask, "analyst", "GET", "/refused-messages")
    assert answer.json() == {"messages": [], "links": []}


@on_one_database
async def test_what_comes_while_the_service_is_away_waits_at_the_broker(service, keeping):
    async with taking(service, keeping.port):
        pass
    with sending(keeping.port) as courier:
        for n in range(50):
            courier.put(cue_json(n))
    async with taking(service, keeping.port):
        assert await seen(service, 50) == list(range(50))


@on_one_database
async def test_what_was_read_but_not_stored_comes_again(service, keeping, monkeypatch):
    """A kill between reading and storing: the message was not acknowledged, so the broker still has it."""
    taken = []

    def falls(*arguments):
        taken.append(arguments)
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr("api.sensors.mqtt.take_message", falls)
        async with taking(service, keeping.port):
            with sending(keeping.port) as courier:
                courier.put(cue_json(1))
            await until(lambda: taken, "the message")
            await asyncio.sleep(0.2)
    assert len(taken) == 1
    async with taking(service, keeping.port):
        assert await seen(service, 1) == [1]


@on_one_database
async def test_a_store_that_cannot_write_for_a_while_loses_nothing(service, keeping, monkeypatch):
    from api.errors import StorageError

    full, real = [True], take_message

    def take(*arguments):
        if full[0]:
            raise StorageError("disk full")
        return real(*arguments)

    monkeypatch.setattr("api.sensors.mqtt.take_message", take)
    async with taking(service, keeping.port):
        with sending(keeping.port) as courier:
            for n in range(5):
                courier.put(cue_json(n))
        await asyncio.sleep(0.3)
        full[0] = False
        assert await seen(service, 5) == list(range(5))


@on_one_database
async def test_a_broker_killed_in_the_middle_loses_and_doubles_nothing(service, keeping, tmp_path, monkeypatch):
    """Of what it has written down. It dies while cues wait in it, one is being stored, and of one nobody was told.

    Mosquitto acknowledges before it writes: killed between the two, it has lost what its sender no longer holds.
    """
    free = threading.Event()

    def take(*arguments):
        assert free.wait(60)
        return take_message(*arguments)

    monkeypatch.setattr("api.sensors.mqtt.take_message", take)
    wire = Wire(keeping.port)  # of the sensors
    async with taking(service, keeping.port):
        courier = sending(wire.port, acknowledged_s=1.0)
        for first in (0, 50):
            free.set()
            for n in range(first, first + 10):
                courier.put(cue_json(n))
            await seen(service, first + 10)
            free.clear()
            for n in range(first + 10, first + 49):
                courier.put(cue_json(n))
            await until(lambda: not courier.count.waiting, "what the broker says to each")
            wire.mute, last = True, cue_json(first + 49)
            courier.put(last)
            await until(lambda last=last: last["id"].encode() in written(tmp_path), "the last in the broker's file")
            await asyncio.to_thread(keeping.kill)
            assert courier.count.delivered == first + 49
            assert len(await seen(service, first + 10)) == first + 10
            await asyncio.to_thread(keeping.start)
            wire.mute = False
        free.set()
        found = await seen(service, 100)
        told = await asyncio.to_thread(courier.close)
    wire.close()
    assert (told.delivered, told.dropped) == (100, 0)
    assert found == list(range(100))
    answer = await asyncio.to_thread(service.ask, "analyst", "GET", "/refused-messages")
    assert answer.json() == {"messages": [], "links": []}


def written(folder):
    """What the broker would have if it died now: it puts a new file in the place of the old one."""
    file = folder / "mosquitto.db"
    return file.read_bytes() if file.exists() else b""


@on_one_database
async def test_a_wire_that_is_cut_is_mended(service, keeping):
    wire = Wire(keeping.port)
    try:
        async with taking(service, wire.port):
            for n in range(0, 30, 10):
                with sending(keeping.port) as courier:
                    for m in range(n, n + 10):
                        courier.put(cue_json(m))
                wire.cut()
                await asyncio.sleep(0.05)
                wire.mend()
            assert await seen(service, 30) == list(range(30))
        assert wire.connections > 1
    finally:
        wire.close()


@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
@on_one_database
async def test_tls_with_a_certificate_of_ours_and_the_right_authority_alone(service, broker, tmp_path):
    ca, _, issuer = certificate(tmp_path, "authority")
    other, _, _ = certificate(tmp_path, "stranger")
    pem, key, _ = certificate(tmp_path, "broker", issuer)
    ours, our_key, _ = certificate(tmp_path, "us", issuer)
    wire = Wire(broker.port, server_context(pem, key, ca))
    try:
        wrong = SensorSettings(broker=address(wire.port, ca=other, certificate=ours, key=our_key))
        right = SensorSettings(broker=address(wire.port, ca=ca, certificate=ours, key=our_key))
        async with running(service, serve_sensors, wrong):
            await asyncio.sleep(0.4)
        assert wire.connections == 0
        async with taking_by(service, right):
            with sending(broker.port) as courier:
                courier.put(cue_json(1))
            assert await seen(service, 1) == [1]
    finally:
        wire.close()


# -- what is refused --------------------------------------------------------------------------------------------------

SETTINGS = SensorSettings(datastreams=(STREAM, Datastream("8", "road", "radar", CUSTODY, location=(0.0, 0.0))))
OWN = "vedette/sensors/gate-3/cue"
OBSERVED = {"@iot.id": 1, "phenomenonTime": "2026-01-01T11:00:00Z", "result": True, "Datastream": {"@iot.id": 7}}


def refused(service):
    return service.ask("analyst", "GET", "/refused-messages").json()["messages"]


REFUSED = [
    (OWN, b"{broken", "no JSON"),
    (OWN, b"\xff\xfe", "no JSON"),
    (OWN, b"", "no JSON"),
    (OWN, b"[" * 60_000, "no JSON"),
    (OWN, b"7", "no JSON object"),
    (OWN, b"x" * 70_000, "70000 bytes"),
    (OWN, json.dumps(cue_json(1, confidence=float("nan"))), "#/confidence: this is no number of JSON"),
    (OWN, json.dumps(cue_json(1, confidence=1.5)), "confidence"),
    (OWN, json.dumps(cue_json(1, id="x")), "id"),
    (OWN, json.dumps(cue_json(1, surname="Doe")), "surname"),
    (OWN, json.dumps(cue_json(1, custody=None)), "custody"),
    (OWN, json.dumps(cue_json(1, sensor="road")), "may not speak for road"),
    ("vedette/sensors//cue", json.dumps(cue_json(1)), "may not speak for gate-3"),
    ("vedette/sensors/road/observation", json.dumps(OBSERVED), "may not speak for Datastream 7"),
    ("vedette/sensors/gate-3/observation", json.dumps(OBSERVED | {"Datastream": None}), "Datastream None"),
    ("v1.1/Datastreams(8)/Observations", json.dumps(OBSERVED), "of Datastream 8, the observation of 7"),
    ("v1.1/Datastreams(9)/Observations", json.dumps(OBSERVED), "not in the settings"),
    ("v1.1/Datastreams(7)/Observations", json.dumps(OBSERVED | {"result": "x"}), "neither true nor false"),
    ("somewhere/else", json.dumps(cue_json(1)), "nothing is expected"),
    ("vedette/sensors/gate-3/status", b"{}", "nothing is expected"),
]  # fmt: skip


def test_a_refused_message_is_kept_with_its_reason_and_its_beginning(service):
    for number, (topic, payload, reason) in enumerate(REFUSED, 1):
        data = payload if isinstance(payload, bytes) else payload.encode()
        assert take_message(service.store, SETTINGS, topic, data) is Taken.REFUSED, reason
        assert take_message(service.store, SETTINGS, topic, data) is Taken.REFUSED
        kept = refused(service)[0]
        assert reason in kept["reason"]
        assert (kept["topic"], kept["size"], kept["times"]) == (topic, len(data), 2)
        assert kept["payload"] == data.decode(errors="replace").replace("\x00", "\ufffd")[:4000]
        assert len(refused(service)) == number
    assert service.ask("analyst", "GET", "/cues").json()["features"] == []


def test_the_same_id_with_another_content_is_refused_and_the_first_stays(service):
    assert take_message(service.store, SETTINGS, OWN, json.dumps(cue_json(1)).encode()) is Taken.STORED
    assert take_message(service.store, SETTINGS, OWN, json.dumps(cue_json(1)).encode()) is Taken.KNOWN
    assert take_message(service.store, SETTINGS, OWN, json.dumps(cue_json(1, kind="radar")).encode()) is Taken.REFUSED
    assert "differs" in refused(service)[0]["reason"]
    (found,) = service.ask("analyst", "GET", "/cues").json()["features"]
    assert found["properties"]["kind"] == "motion"


@on_one_database
def test_custody_of_the_settings_serves_sensors_that_have_none(service):
    settings = dataclasses.replace(SETTINGS, custody=CUSTODY)
    message = json.dumps(cue_json(1, custody=None)).encode()
    assert take_message(service.store, settings, OWN, message) is Taken.STORED
    (found,) = service.ask("analyst", "GET", "/cues").json()["features"]
    assert found["properties"]["custody"] == CUSTODY.to_json()


def test_no_more_refusals_are_kept_than_the_settings_say_and_the_oldest_go(service):
    settings = dataclasses.replace(SETTINGS, most_refused=5)
    for n in range(12):
        take_message(service.store, settings, OWN, b"%d" % n)
    take_message(service.store, settings, OWN, b"7")  # again: now the newest
    assert [each["payload"] for each in refused(service)] == ["7", "11", "10", "9", "8"]
    assert service.ask("pilot", "GET", "/refused-messages").status_code == 200
    service.partner("bravo")
    for who in ("sensor", "bravo", "auditor"):
        assert service.ask(who, "GET", "/refused-messages").status_code == 403


# -- out --------------------------------------------------------------------------------------------------------------


def told_to(listener, audience):
    prefix = f"vedette/records/{audience}/"
    return [(topic.removeprefix(prefix), body) for topic, body, *_ in listener.heard if topic.startswith(prefix)]


async def test_records_go_out_under_the_topic_of_their_audience(service, broker):
    listener = Listener(broker.port)
    bravo = service.partner("bravo")
    service.agree(bravo)
    released, kept = service.deliver(crossing_json("a")), service.deliver(crossing_json("b"))
    service.judge(released)
    release = service.release(released, bravo).json()
    outlets = (
        MqttOutlet("inside", address(broker.port, identifier="inside")),
        MqttOutlet("bravo", address(broker.port, identifier="bravo"), partner_id=bravo),
    )
    async with running(service, serve_outlets, SensorSettings(outlets=outlets)):
        await until(lambda: len(told_to(listener, "inside")) == 2, "both crossings")
        await until(lambda: told_to(listener, bravo), "the release")
        await asyncio.to_thread(service.ask, "supervisor", "DELETE", f"/releases/{release['id']}")
        await until(lambda: len(told_to(listener, bravo)) == 2, "the recall")
    listener.close()
    assert {topic for topic, _ in told_to(listener, "inside")} == {f"crossing/{released}", f"crossing/{kept}"}
    (topic, shown), (_, gone) = told_to(listener, bravo)
    assert topic == f"crossing/{released}"
    assert shown["feature"]["properties"]["kind"] == "person"
    assert "direction" not in shown["feature"]["properties"]
    assert (shown["n"], gone["n"], gone["feature"]) == (1, 2, None)


@on_one_database
async def test_a_broker_that_dies_and_comes_back_is_told_everything_in_order(service, keeping):
    wire = Wire(keeping.port)
    outlet = MqttOutlet("inside", address(wire.port, identifier="out"))
    ids = [service.deliver(crossing_json(str(n))) for n in range(5)]
    before = Listener(keeping.port)
    async with running(service, serve_outlets, SensorSettings(outlets=(outlet,))):
        await until(lambda: len(told_to(before, "inside")) == 5, "the first")
        before.close()
        wire.cut()  # so that nobody is told before somebody listens
        await asyncio.to_thread(keeping.kill)
        ids += [await asyncio.to_thread(service.deliver, crossing_json(str(n))) for n in range(5, 10)]
        await asyncio.sleep(0.3)
        await asyncio.to_thread(keeping.start)
        after = await asyncio.to_thread(Listener, keeping.port)
        wire.mend()
        ids += [await asyncio.to_thread(service.deliver, crossing_json(str(n))) for n in range(10, 12)]
        await until(lambda: ids[-1] in {body["id"] for _, body in told_to(after, "inside")}, "the rest")
    after.close()
    wire.close()
    first, later = ([body["id"] for _, body in told_to(listener, "inside")] for listener in (before, after))
    assert first == ids[:5]
    assert list(dict.fromkeys(later)) in (ids[5:], ids[4:])  # the last before the cut may come again
