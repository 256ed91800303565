"""`vedette watch` on a live stream shows a real service what the camera sees, and waits for none that is gone."""

import json
import signal
import subprocess
import sys
import time
from urllib.parse import quote

import cv2
import httpx
import numpy as np

import api
import vedette
from api.times import iso
from tests.ports import free_port
from tests.vision.recordings import T0_US, klv, number_of, picture, write_video
from tests.vision.tiny_models import bright_model

FPS, COUNT = 10, 130
US = 1_000_000


def until(true, told, within_s=60.0):
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
    with (
        api.running(api.Settings(tmp_path / "store", port=0)) as service,
        api.Client(service.url, service.admin.key) as admin,
    ):
        pilot, analyst = admin.create_key("gate", "pilot", sources=["udp://*"]), admin.create_key("a", "analyst")
        command = [sys.executable, vedette.__file__, "watch", source, "--line", "160,256,160,0", "--model", model]
        command += ["--out", out, "--url", service.url, "--key", pilot, "--json", out / "figures.json"]
        command += ["--engine", "cpu", "--reconnect", "2"]
        with log.open("w") as said:
            watch = subprocess.Popen([str(part) for part in command], stdout=said, stderr=subprocess.STDOUT)
        headers = {"Authorization": f"Bearer {analyst}"}
        try:
            with httpx.Client(base_url=service.url, headers=headers) as http:
                until(lambda: "udp" in log.read_text() or watch.poll() is None, log.read_text)
                sender = subprocess.Popen(send)
                seen = {}

                def look():
                    answer = http.get(path)
                    if answer.status_code == 200:
                        seen[answer.headers["ETag"]] = answer
                    return len(seen) >= 3

                until(look, log.read_text)
                (stream,) = http.get("/streams").json()["streams"]
        except BaseException:
            watch.kill()
            raise
    try:
        assert sender.wait(60) == 0  # the rest comes while there is no service
        begun = time.process_time()
        del begun
        watch.send_signal(signal.SIGINT)
        assert watch.wait(60) == 0, log.read_text()
    finally:
        sender.kill()
        watch.kill()
    assert (stream["source"], stream["state"]) == (source, "live")
    for answer in seen.values():
        image = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
        number = number_of(image)
        assert answer.headers["X-Vedette-Time"] == iso(T0_US + number * US // FPS)
        assert np.abs(image.astype(int) - picture(number))[:, 170:, :][:230].mean() < 3
    (figures,) = json.loads((out / "figures.json").read_text())["streams"]
    assert figures["counts"]["dropped"] == 0
    told = log.read_text()
    assert "live pictures are not sent now" in told
