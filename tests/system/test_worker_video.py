"""`vedette worker` with real video: killed in the middle of its work, which another brings to its end."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import api
import vision
from api.jobs.queue import add_job, list_jobs
from tests.vision.recordings import write_video
from tests.vision.scenery import scenery
from tests.vision.tiny_models import bright_model

ROOT = Path(__file__).parents[2]
WIDTH, HEIGHT, PASSAGES, PICTURES = 320, 256, 3, 35


class Cut:
    """A way to a service that goes dead, without a word, when so many files of evidence have passed."""

    def __init__(self, url, files):
        self.far = ("127.0.0.1", int(url.rpartition(":")[2]))
        self.left, self.dead = files, threading.Event()
        self.listener, self.ends = socket.create_server(("127.0.0.1", 0)), []
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for end in (self.listener, *self.ends):
            end.close()

    def _listen(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(self.far)
            self.ends += [near, far]
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, given, taken):
        with suppress(OSError):
            while (piece := given.recv(1 << 16)) and not self.dead.is_set():
                self.left -= piece.startswith(b"PUT ")
                if self.left < 0:
                    self.dead.set()
                    return
                taken.sendall(piece)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """A fixed camera that three people walk past, one after the other, and a detector that finds them."""
    folder = tmp_path_factory.mktemp("archive")
    ground = scenery(1, WIDTH, HEIGHT, 0) // 2

    def picture(number):
        image, step = ground.copy(), number % PICTURES
        if step < 18:
            image[100:160, 4 + 16 * step : 40 + 16 * step] = 255
        return image

    video = write_video(folder / "gate.ts", PASSAGES * PICTURES, pictures=picture, form="mpegts")
    options = {"line": f"160,{HEIGHT},160,0", "model": str(bright_model(folder / "bright.onnx"))}
    return video, options | {"start": "2026-11-01T00:00:00Z", "engine": "cpu", "owner": "USA"}


def until(true, told, within_s=120.0):
    """Wait for something; how long is a matter of the machine."""
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, told()
        time.sleep(0.05)


def brought(analyst, feature, folder):
    """A folder with the evidence of a crossing as the service has it."""
    folder.mkdir(parents=True)
    names = feature["properties"]["evidence"]
    parts = {"manifest": names["manifest"], "clip": names["clip"]} | {name: name for name in names["others"]}
    for part, name in parts.items():
        (folder / name).write_bytes(analyst.evidence(feature["id"], part))
    return folder


def test_a_recording_of_a_killed_worker_is_brought_to_its_end_by_another(postgres, tmp_path, recording):
    """Killed when the service has one crossing with part of its evidence, not signed yet, and not yet the others."""
    video, options = recording
    key, pem = Ed25519PrivateKey.generate(), tmp_path / "key.pem"
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    database, workers = postgres.url(postgres.create()), []
    with api.running(api.Settings(tmp_path / "store", database=database, port=0)) as service:
        with api.Client(service.url, service.admin.key) as admin:
            pilot, judge = admin.create_key("p", "pilot", sources=["*"]), admin.create_key("a", "analyst")

        def worker(name, url):
            command = [sys.executable, "-m", "vedette", "worker", "--url", url, "--lease", "1.5"]
            environment = os.environ | {"VEDETTE_DATABASE": database, "VEDETTE_KEY": pilot}
            with (tmp_path / f"{name}.log").open("wb") as log:
                out = ["--out", str(tmp_path / name), "--evidence-key", str(pem)]
                process = subprocess.Popen([*command, *out], cwd=ROOT, stdout=log, stderr=log, env=environment)
            workers.append(process)
            return process

        def told():
            return "\n".join(path.read_text() for path in tmp_path.glob("*.log")) + str(list_jobs(database))

        try:
            assert add_job(database, "watch.archive", str(video), options) is not None
            with Cut(service.url, files=2) as way, api.Client(service.url, judge) as analyst:
                first = worker("first", way.url)
                until(way.dead.is_set, told)
                assert len(list(analyst.crossings())) == 1
                first.send_signal(signal.SIGKILL)
                first.wait()
                worker("second", service.url)
                until(lambda: [job.state for job in list_jobs(database)] == ["succeeded"], told)
                stored = list(analyst.crossings())
                for one in stored:
                    folder = brought(analyst, one, tmp_path / "whole" / one["id"])
                    assert vision.verify_evidence(folder, public_key=key.public_key()) == []
        finally:
            for process in workers:
                process.kill()
                process.wait()
    (record,) = (tmp_path / "second").glob("*/crossings.jsonl")
    expected = [json.loads(line) for line in record.read_text().splitlines()]
    assert len(expected) == PASSAGES
    assert sorted((one["properties"]["source_id"], one["properties"]["revision"]) for one in stored) == sorted(
        (one["source_id"], 1) for one in expected
    )
