"""`vedette watch` on a live stream shows a real service what the camera sees, and waits for none that is gone."""

import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from urllib.parse import quote

import cv2
import httpx
import numpy as np
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import api
import vedette
from api.times import iso
from tests.ports import free_port
from tests.programs import Program
from tests.vision.recordings import HEIGHT, T0_US, WIDTH, klv, write_video
from tests.vision.tiny_models import bright_model

FPS, COUNT, BITS = 10, 1000, 10  # for so long that a busy machine can begin to watch meanwhile
US = 1_000_000


def picture(number):
    """Grey, with the number's bits as white and black squares along the top."""
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for bit in range(BITS):
        image[0:32, bit * 32 : bit * 32 + 32] = 255 if number >> bit & 1 else 0
    return image


def number_of(image):
    return sum(1 << bit for bit in range(BITS) if image[16, bit * 32 + 16].mean() > 128)


def until(true, told, within_s=90.0):
    """Wait for something; how long is a matter of the machine."""
    end = time.monotonic() + within_s
    while not (found := true()):
        assert time.monotonic() < end, told()
        time.sleep(0.1)
    return found


def test_pictures_are_those_of_the_moment_they_tell_and_a_dead_service_delays_no_watch(ffmpeg, tmp_path):
    """Each picture has its number in it, and so the time at which it was exposed. The service goes away in between."""
    video = write_video(
        tmp_path / "gate.ts", COUNT, telemetry=lambda n: klv(T0_US + n * US // FPS), fps=FPS, gop=5, form="mpegts",
        pictures=picture,
    )  # fmt: skip
    port, out, log = free_port(), tmp_path / "out", tmp_path / "watch.log"
    source = f"udp://127.0.0.1:{port}"
    path = f"/streams/{quote(source, safe='')}/picture"
    send = [ffmpeg, "-nostdin", "-loglevel", "error", "-re", "-i", str(video), "-map", "0", "-c", "copy"]
    send += ["-f", "mpegts", f"{source}?pkt_size=1316"]
    model = bright_model(tmp_path / "bright.onnx")
    with log.open("w") as said, ExitStack() as stack:
        serving = stack.enter_context(ExitStack())
        service = serving.enter_context(api.running(api.Settings(tmp_path / "store", port=0)))
        with api.Client(service.url, service.admin.key) as admin:
            pilot, analyst = admin.create_key("gate", "pilot", sources=["udp://*"]), admin.create_key("a", "analyst")
        look = ["watch", source, "--line", "0,200,320,200", "--model", model, "--engine", "cpu", "--out", out]
        look += ["--url", service.url, "--key", pilot]
        command = [str(part) for part in [sys.executable, vedette.__file__, *look]]
        watch = stack.enter_context(Program(command, stdout=said, stderr=subprocess.STDOUT))
        sending = stack.enter_context(Program(send))
        stack.callback(sending.kill)  # it would send for a minute more
        seen = {}
        with httpx.Client(base_url=service.url, headers={"Authorization": f"Bearer {analyst}"}) as http:

            def some_seen():
                answer = http.get(path)
                if answer.status_code == 200:
                    seen[answer.headers["ETag"]] = answer
                return len(seen) >= 3

            until(some_seen, log.read_text)
            (stream,) = http.get("/streams").json()["streams"]
        serving.close()
        # In its place there is now one that takes connections, and never answers.
        hole = stack.enter_context(socket.create_server(("127.0.0.1", httpx.URL(service.url).port)))
        hole.settimeout(30)
        stack.enter_context(hole.accept()[0])
        # The first picture for it was waited out: all that while the watch has watched.
        until(lambda: "live pictures are not sent now" in log.read_text(), log.read_text)
        watch.send_signal(signal.SIGINT)
        assert watch.wait(60) == 0, log.read_text()
    assert (stream["source"], stream["state"]) == (source, "live")
    for answer in seen.values():
        image = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
        number = number_of(image)
        assert answer.headers["X-Vedette-Time"] == iso(T0_US + number * US // FPS)
        assert np.median(np.abs(image.astype(int) - picture(number))) < 6
    sent, dropped = map(int, re.search(r"(\d+) live pictures sent, (\d+) dropped", log.read_text()).groups())
    assert sent >= len(seen)
    assert dropped >= 2  # a watch that waited for the hole would have come to one in that time


def test_a_worker_hands_on_what_it_is_told_and_a_watch_knows_the_words(run, tmp_path, monkeypatch):
    orders = []

    async def work(order):
        orders.append(order)

    monkeypatch.setattr("api.jobs.work.work", work)
    worker = ["worker", "--database", "postgresql://db/vedette", "--url", "http://127.0.0.1:9", "--key", "k"]
    assert run(*worker).code == 0
    assert run(*worker, "--no-picture", "--picture-blur").code == 0
    assert [list(order.flags) for order in orders] == [[], ["--no-picture", "--picture-blur"]]
    pem = tmp_path / "key.pem"
    assert run(*worker, "--evidence-key", pem).code == 1  # told of at once, not by every watch
    key = Ed25519PrivateKey.generate()
    pem.write_bytes(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
    assert run(*worker, "--evidence-key", pem).code == 0
    assert list(orders[2].flags) == ["--evidence-key", str(pem)]
    watch = run("watch", *orders[2].flags, *orders[1].flags, "--line", "0,1,2,1", "--", "nowhere.ts")
    assert (watch.code, "nowhere.ts" in watch.err) == (1, True), watch.err
    two = run("watch", "--picture-of", "a" * 32, "udp://127.0.0.1:1", "udp://127.0.0.1:2")
    assert (two.code, "--picture-of" in two.err) == (1, True), two.err
