"""From sensors over a broker into the service and out to a TAK server, while the service is killed in the middle."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise

import pytest
from sqlalchemy import select

from api import Store, verify_audit
from api.store.tables import RecordRow
from api.trail.log import read_events
from sim import CueCourier, MqttSink
from tests.api.tak_server import TakServer
from tests.api.test_sensor_mqtt import AS_ROOT, KEEPING, cue_json
from tests.certificates import certificate, server_context
from tests.sim.mqtt_broker import Broker, mosquitto

SERVE = """
import sys
from pathlib import Path
from api import serve
from api.settings_file import read_settings
serve(read_settings(Path(sys.argv[1])), announce=lambda line: print(line, flush=True))
"""
SETTINGS = """
directory = "{store}"
{database}
port = 0

[sensors]
pace = {{ first_wait_s = 0.1, longest_wait_s = 0.5 }}

[sensors.broker]
host = "127.0.0.1"
port = {broker}

[tak]
pace = {{ poll_s = 0.05, first_wait_s = 0.1, longest_wait_s = 0.5, hold_s = 1.0 }}

[[tak.targets]]
name = "north"
host = "127.0.0.1"
port = {tak}
ca = "{ca}"
certificate = "{certificate}"
key = "{key}"
types = ["cue"]
"""


@pytest.fixture
def keeping(tmp_path):
    if mosquitto() is None:
        assert not os.environ.get("VEDETTE_REQUIRE_ALL"), "Mosquitto is not here: apt-get install mosquitto"
        pytest.skip("Mosquitto is not here: apt-get install mosquitto")
    made = Broker(tmp_path, AS_ROOT + KEEPING.format(tmp_path))
    yield made
    made.kill()


def begin(file):
    return subprocess.Popen([sys.executable, "-c", SERVE, str(file)], stdout=subprocess.DEVNULL)


async def until(true, what, within_s=40.0):
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, f"{what} did not come"
        await asyncio.sleep(0.02)


async def test_every_cue_is_stored_once_and_told_in_order_at_least_once(keeping, databases, tmp_path):
    ca, _, issuer = certificate(tmp_path, "authority")
    server, us = certificate(tmp_path, "takserver", issuer)[:2], certificate(tmp_path, "us", issuer)[:2]
    tak = TakServer(server_context(*server, ca))
    await tak.start()
    file, store = tmp_path / "vedette.toml", tmp_path / "store"
    where = {"store": store, "broker": keeping.port, "tak": tak.port, "ca": ca, "certificate": us[0], "key": us[1]}
    database = databases.new()
    where["database"] = "" if database is None else f'database = "{database}"'
    file.write_text(SETTINGS.format(**where))
    process = begin(file)
    courier = CueCourier(MqttSink(f"mqtt://127.0.0.1:{keeping.port}"), end_s=20)
    try:
        # The broker keeps cues for us from our first coming on.
        await until(lambda: tak.connections, "the service")
        for n in range(240):
            courier.put(cue_json(n))
            await asyncio.sleep(0.002)
            if n == 120:
                await until(lambda before=n: len(set(tak.uids())) > before / 2, "some cues")
                process.send_signal(signal.SIGKILL)
                process.wait()
                process = begin(file)
        told = await asyncio.to_thread(courier.close)
        assert (told.delivered, told.dropped) == (240, 0)
        await until(lambda: len(set(tak.uids())) == 240, "all cues")
        await asyncio.sleep(0.3)
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)
        await tak.stop()
    assert tak.faults == []
    kept = Store(store, database=database)
    with kept.read() as session:
        rows = session.execute(select(RecordRow.id, RecordRow.source_id)).all()
    assert sorted(int(source_id, 16) for _, source_id in rows) == list(range(240))
    # In the order of the log, of which each connection is told what follows a place that the one before had come to.
    with kept.read() as session:
        log = read_events(session, after=0, limit=10_000)
    places = {f"vedette-{each['record_id']}": each["n"] for each in log if each["kind"] == "record.created"}
    told_at = [places[uid] for uid in tak.uids()]
    assert set(tak.uids()) == {f"vedette-{record_id}" for record_id, _ in rows}
    assert list(dict.fromkeys(told_at)) == sorted(places.values())
    assert sum(later <= before for before, later in pairwise(told_at)) < tak.connections
    assert verify_audit(kept).seq > 240
    kept.close()
