"""Cues over MQTT, against a real broker: topics, TLS, and what happens when the wire or the broker is gone."""

import socket
import threading

import pytest

from sim import CueCourier, MqttSink, UnreachableError
from sim.errors import CueError
from tests.certificates import certificate, server_context
from tests.ports import free_port
from tests.sim.mqtt_broker import Broker, Listener, Wire, until


@pytest.fixture
def broker(tmp_path):
    made = Broker(tmp_path)
    yield made
    made.kill()


@pytest.fixture
def listener(broker):
    made = Listener(broker.port)
    yield made
    made.close()


@pytest.fixture
def wire(broker):
    made = Wire(broker.port)
    yield made
    made.close()


def a_cue(number, sensor="gate-3"):
    return {"type": "cue", "id": f"{number:032x}", "sensor": sensor, "kind": "motion"}


def numbers(heard):
    """Numbers of the cues as they came, without what came again."""
    seen = [int(message["id"], 16) for _, message, _, _ in heard if message["type"] == "cue"]
    return list(dict.fromkeys(seen)), len(seen)


def test_cues_and_heartbeats_come_on_their_topics(broker, listener):
    beat = {"type": "heartbeat", "sensor": "gate-3", "battery_pct": 80.0}
    with CueCourier(MqttSink(f"mqtt://127.0.0.1:{broker.port}/north/sensors")) as courier:
        courier.put(a_cue(1))
        courier.put(beat)
        courier.put(beat | {"battery_pct": 79.0})
        courier.put(a_cue(2, "road"))
    until(lambda: len(listener.heard) == 4, "four messages")
    assert [(topic, qos, retained) for topic, _, qos, retained in listener.heard] == [
        ("north/sensors/gate-3/cue", 1, False),
        ("north/sensors/gate-3/status", 1, False),
        ("north/sensors/gate-3/status", 1, False),
        ("north/sensors/road/cue", 1, False),
    ]
    assert listener.heard[0][1] == a_cue(1)
    assert courier.count.delivered == 4
    late = Listener(broker.port)
    until(lambda: late.heard, "the last heartbeat")
    late.close()
    assert {(topic, message["battery_pct"]) for topic, message, _, _ in late.heard} == {
        ("north/sensors/gate-3/status", 79.0)
    }


def test_without_a_path_the_prefix_is_the_documented_one(broker, listener):
    with CueCourier(MqttSink(f"mqtt://127.0.0.1:{broker.port}")) as courier:
        courier.put(a_cue(1))
    until(lambda: listener.heard, "the cue")
    assert listener.heard[0][0] == "vedette/sensors/gate-3/cue"


def test_a_wire_that_is_cut_again_and_again_loses_nothing_and_keeps_the_order(listener, wire):
    with CueCourier(MqttSink(f"mqtt://127.0.0.1:{wire.port}"), end_s=30) as courier:
        for number in range(60):
            courier.put(a_cue(number))
            if number % 20 == 10:
                until(lambda n=number: courier.count.delivered >= n - 5, "some cues")
                wire.cut()
            if number % 20 == 15:
                until(lambda: courier.count.tries > 0, "a try in vain")
                wire.mend()
    told = courier.count
    assert (told.delivered, told.waiting, told.dropped, told.refused) == (60, 0, 0, 0)
    until(lambda: len(numbers(listener.heard)[0]) == 60, "all cues")
    assert numbers(listener.heard)[0] == list(range(60))
    assert wire.connections >= 2


def test_a_broker_that_dies_and_comes_back_gets_everything(broker, wire):
    courier = CueCourier(MqttSink(f"mqtt://127.0.0.1:{wire.port}"), end_s=30)
    before = Listener(broker.port)
    for number in range(5):
        courier.put(a_cue(number))
    until(lambda: len(before.heard) == 5, "the first cues")
    wire.cut()  # so that nobody publishes before somebody listens
    broker.kill()
    before.close()
    for number in range(5, 20):
        courier.put(a_cue(number))
    until(lambda: courier.count.tries >= 2, "tries in vain")
    assert courier.count.waiting == 15
    assert "127.0.0.1" in courier.count.problem
    broker.start()
    after = Listener(broker.port)
    wire.mend()
    until(lambda: len(numbers(after.heard)[0]) == 15, "the rest")
    courier.close()
    after.close()
    assert numbers(before.heard)[0] + numbers(after.heard)[0] == list(range(20))
    assert courier.count.dropped == courier.count.waiting == 0


def test_a_lost_acknowledgement_brings_the_message_again_in_order(listener, wire):
    sink = MqttSink(f"mqtt://127.0.0.1:{wire.port}", acknowledged_s=0.5)
    with CueCourier(sink, end_s=30) as courier:
        courier.put(a_cue(0))
        until(lambda: courier.count.delivered == 1, "the first")
        wire.mute = True
        for number in range(1, 5):
            courier.put(a_cue(number))
        until(lambda: courier.count.tries >= 1, "a message without acknowledgement")
        assert "acknowledge" in courier.count.problem or "answer" in courier.count.problem
        wire.mute = False
    until(lambda: len(numbers(listener.heard)[0]) == 5, "all cues")
    once, times = numbers(listener.heard)
    assert once == list(range(5))
    assert times > 5
    assert courier.count.delivered == 5


def test_beyond_the_bound_the_oldest_are_dropped_and_counted(listener, wire):
    wire.cut()
    with CueCourier(MqttSink(f"mqtt://127.0.0.1:{wire.port}"), most_waiting=10, end_s=30) as courier:
        courier.put(a_cue(0))
        until(lambda: courier.count.tries > 0, "a try in vain")
        for number in range(1, 31):
            courier.put(a_cue(number))
        assert courier.count.waiting == 10
        wire.mend()
    assert (courier.count.delivered, courier.count.dropped) == (10, 21)
    until(lambda: len(numbers(listener.heard)[0]) == 10, "what was kept")
    # The first was on its way all the time.
    assert numbers(listener.heard)[0] == [0, *range(22, 31)]


def test_a_connection_stays_alive_while_nothing_happens(listener, wire, monkeypatch):
    monkeypatch.setattr("sim.sensors_mqtt._KEEPALIVE_S", 2)
    with CueCourier(MqttSink(f"mqtt://127.0.0.1:{wire.port}")) as courier:
        courier.put(a_cue(0))
        until(lambda: listener.heard, "the first")
        threading.Event().wait(5.0)  # a broker gives up after one and a half times the time agreed
        courier.put(a_cue(1))
    until(lambda: len(listener.heard) == 2, "the second")
    assert numbers(listener.heard)[0] == [0, 1]
    assert wire.connections == 1
    assert courier.count.tries == 0


def test_a_broker_that_refuses_says_so():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse():
            with server.accept()[0] as peer:
                peer.recv(1000)
                peer.sendall(b"\x20\x02\x00\x05")  # CONNACK: not authorised
                peer.recv(1000)

        thread = threading.Thread(target=refuse)
        thread.start()
        sink = MqttSink(f"mqtt://guard:secret@127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(UnreachableError, match=r"refused the connection.*[Nn]ot authorized") as refusal:
            sink.deliver(a_cue(1), threading.Event())
        sink.close()
        thread.join()
    assert "secret" not in str(refusal.value)


def test_a_run_that_ends_while_the_broker_is_away_says_what_is_left():
    courier = CueCourier(MqttSink(f"mqtt://127.0.0.1:{free_port()}"), end_s=0.3)
    for number in range(3):
        courier.put(a_cue(number))
    told = courier.close()
    assert (told.delivered, told.waiting) == (0, 3)
    assert "broker mqtt://127.0.0.1" in told.problem


# -- TLS --------------------------------------------------------------------------------------------------------------


# The client library leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
def test_tls_with_certificates_on_both_sides(broker, listener, tmp_path):
    ca, _, issuer = certificate(tmp_path, "authority")
    other, _, _ = certificate(tmp_path, "stranger")
    pem, key, _ = certificate(tmp_path, "broker", issuer)
    ours, our_key, _ = certificate(tmp_path, "sensors", issuer)
    wire = Wire(broker.port, server_context(pem, key, ca))
    address = f"mqtts://127.0.0.1:{wire.port}"
    try:
        for wrong in (f"?ca={other}&certificate={ours}&key={our_key}", f"?ca={ca}"):
            sink = MqttSink(address + wrong)
            with pytest.raises(UnreachableError, match="broker mqtts://"):
                sink.deliver(a_cue(1), threading.Event())
            sink.close()
        with CueCourier(MqttSink(f"{address}/tls?ca={ca}&certificate={ours}&key={our_key}")) as courier:
            courier.put(a_cue(2))
        assert courier.count.delivered == 1
        until(lambda: listener.heard, "the cue")
        assert [topic for topic, *_ in listener.heard] == ["tls/gate-3/cue"]
    finally:
        wire.close()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("mqtt://", "mqtt://127.0.0.1:1883"),
        ("tcp://127.0.0.1", "mqtt://"),
        ("mqtt://127.0.0.1:99999", "mqtt://"),
        ("mqtt://127.0.0.1/a/+/b", "wildcard"),
        ("mqtt://127.0.0.1?ca=x.pem", "mqtts:// only"),
        ("mqtts://127.0.0.1?cafile=x.pem", "ca, certificate and key"),
        ("mqtts://127.0.0.1?ca=absent.pem", "absent.pem"),
        ("mqtts://127.0.0.1?key=absent.pem", "absent.pem has no certificate"),
    ],
)
def test_addresses_that_cannot_be(address, words):
    with pytest.raises(CueError, match=words):
        MqttSink(address)


def test_without_the_client_it_says_what_to_install(monkeypatch):
    for name in ("paho.mqtt.client", "paho.mqtt", "paho"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(CueError, match=r"vedette\[mqtt\]"):
        MqttSink("mqtt://127.0.0.1")
