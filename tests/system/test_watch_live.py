"""``vedette watch`` on a live stream: what was found is told while the watch goes on."""

import hashlib
import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import api
import vedette
import vision
from cli.arguments import InputError
from cli.telling import Courier, LiveReport
from tests.full_disk import full_after
from tests.ports import free_port
from vision import Crossing, Direction, Ellipse, Method, OpenPassage, Status, TrackPoint

LAT, LON, M_LAT = 47.0, 8.0, 111_132.0
M_LON = M_LAT * np.cos(np.radians(LAT))


def until(true, within_s=240.0):
    """Wait for something; how long is a matter of the machine."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.2)


def test_a_live_crossing_is_told_kept_and_delivered_while_the_watch_goes_on(ffmpeg, tmp_path, shared_data, walker):
    """The service is away at first, and the watch is ended by a person."""
    settings = api.Settings(tmp_path / "store", port=free_port())
    with api.running(settings) as service, api.Client(service.url, service.admin.key) as admin:
        keys = {api.Role.ANALYST: admin.create_key("analyst", api.Role.ANALYST)}
        keys[api.Role.PILOT] = admin.create_key("pilot", api.Role.PILOT, sources=["*"])
        url = service.url
    port, out = free_port(), tmp_path / "out"
    model = shared_data("weights/coco-yolo11n.onnx")
    send = [ffmpeg, "-nostdin", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", str(walker), "-c", "copy"]
    look = ["watch", f"udp://127.0.0.1:{port}", "--line", "384,432,384,0", "--fps", "3", "--model", model, "--out", out]
    look += ["--url", url, "--key", keys[api.Role.PILOT]]
    command = [str(part) for part in [sys.executable, vedette.__file__, *look]]
    record, log = out / "crossings.jsonl", tmp_path / "watch.log"

    def told():
        return " ".join(log.read_text().split())

    with (
        log.open("w") as said,
        subprocess.Popen([*send, "-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316"]) as sender,
        subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT) as watch,
    ):
        try:
            until(lambda: record.exists() and record.read_text().count("\n") >= 1)
            until(lambda: "crossings wait for the service" in told())
            with (
                api.running(settings) as service,
                api.Client(service.url, keys[api.Role.ANALYST]) as analyst,
            ):
                until(lambda: list(analyst.crossings()))
                watch.send_signal(signal.SIGINT)
                watch.wait(120)
                stored = list(analyst.crossings())
                clip = analyst.evidence(stored[0]["id"])
        finally:
            sender.kill()
            watch.kill()
    assert watch.returncode == 0, told()
    found = [json.loads(line) for line in record.read_text().splitlines()]
    assert {one["properties"]["source_id"] for one in stored} == {one["source_id"] for one in found}
    assert hashlib.sha256(clip).hexdigest() in {one["evidence"]["sha256"] for one in found}
    assert "person" in told()
    for one in found:
        folder = out / "evidence" / one["source_id"]
        assert vision.verify_evidence(folder) == []
        clip_s = json.loads((folder / "manifest.json").read_text())["clip"]
        assert clip_s["start_us"] <= vision_time_us(one["time"]) <= clip_s["end_us"]
    chart = json.loads((out / "crossings.geojson").read_text())["features"]
    assert [one["id"] for one in chart] == [one["source_id"] for one in found]
    assert [path for path in out.iterdir() if path.name.startswith(".")] == []


def vision_time_us(text):
    from datetime import datetime

    return round(datetime.fromisoformat(text).timestamp() * 1e6)


def report(source, number, start_s=0.0, *, east=0.0, sigma=2.0):
    """A person who walks north over the line at 1.5 m/s."""
    points = tuple(
        TrackPoint(round((start_s + t) * 1e6), LAT + 1.5 * (t - 10.0) / M_LAT, LON + east / M_LON, sigma)
        for t in np.arange(0.0, 20.5, 0.5)
    )
    return Crossing(
        source=source,
        source_id=f"{source}-{number}",
        time_us=round((start_s + 10.0) * 1e6),
        update_time_us=points[-1].time_us,
        kind="person",
        direction=Direction.INBOUND,
        status=Status.PROBABLE,
        method=Method.GROUND,
        border="line",
        confidence=0.8,
        lat_deg=LAT,
        lon_deg=points[0].lon_deg,
        ellipse=Ellipse(2.45 * sigma, 2.45 * sigma, 0.0),
        track=points,
        track_number=number,
    )


def told(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_what_two_streams_saw_is_one_record_told_again(tmp_path):
    handed = []
    live = LiveReport(tmp_path / "new" / "crossings.jsonl", lambda record, folder: handed.append((record, folder)))
    live.take(report("a", 1), Path("folder-a"))
    live.take(report("b", 1, east=1.0, sigma=1.0), Path("folder-b"))
    live.take(report("c", 1, east=-1.0), None)
    live.take(report("b", 2, 60.0), Path("other"))
    first, again, third, other = handed
    assert first == (report("a", 1), Path("folder-a"))
    # Nobody is told twice of one event: the first report stays what it was, and names the others.
    for record, folder in (again, third):
        assert folder == Path("folder-a")
        assert replace(record, also_seen=(), update_time_us=first[0].update_time_us) == first[0]
    assert again[0].also_seen == (("b", "b-1"),)
    assert third[0].also_seen == (("b", "b-1"), ("c", "c-1"))
    assert first[0].update_time_us < again[0].update_time_us < third[0].update_time_us
    assert other[0] == report("b", 2, 60.0)
    assert told(tmp_path / "new" / "crossings.jsonl") == [record.to_json() for record, _ in handed]
    assert live.finish() == 2
    chart = json.loads((tmp_path / "new" / "crossings.geojson").read_text())["features"]
    assert [one["id"] for one in chart] == ["a-1", "b-2"]
    assert chart[0]["properties"]["also_seen"] == third[0].to_json()["also_seen"]


def test_the_surer_of_two_is_believed_under_the_name_that_is_known(tmp_path):
    handed = []
    live = LiveReport(tmp_path / "crossings.jsonl", lambda record, folder: handed.append((record, folder)))
    sure = replace(report("b", 1, east=1.0, sigma=1.0), status=Status.CONFIRMED)
    live.take(report("a", 1), Path("folder-a"))
    live.take(sure, Path("folder-b"))
    (_, folder_a), (record, folder_b) = handed
    assert (folder_a, folder_b) == (Path("folder-a"), Path("folder-b"))
    assert (record.source, record.source_id, record.status) == ("a", "a-1", Status.CONFIRMED)
    assert (record.ellipse, record.also_seen) == (sure.ellipse, (("b", "b-1"),))


class Service:
    """Stands in for the client of a service: each delivery fails as it is told, then is taken."""

    def __init__(self, fails, spool=None):
        self.fails, self.spool, self.taken = list(fails), spool or self, []
        self.done = threading.Event()

    def put(self, *_):
        error = api.SpoolError("no room")
        error.__cause__ = OSError(28, "no space")
        raise error

    def flush(self):
        if self.fails:
            raise self.fails.pop(0)
        return api.SpoolReport((), (), 0, None, 0.0)

    def deliver(self, record, _):
        self.taken.append(record["source_id"])
        self.done.set()
        return self.flush()


def test_a_courier_outlives_what_fails_and_goes_past_a_full_disk():
    service = Service([OSError(24, "too many files"), KeyError("outcome"), api.SpoolError("locked")])
    with Courier(service) as courier:
        courier.hand(report("a", 1), None)
        assert service.done.wait(60.0)
    assert service.taken == ["a-1"]


def test_what_a_courier_is_handed_last_is_tried_and_shown_where_nobody_takes_it(capsys):
    service = Service([])
    with Courier(service) as courier:
        courier.hand(report("a", 1), None)
    assert service.taken == ["a-1"]
    away = Service([OSError(111, "refused")] * 100)
    with Courier(away) as courier:
        courier.hand(report("a", 2), None)
    assert away.taken == []
    shown = next(line for line in capsys.readouterr().err.splitlines() if line.startswith("{"))
    assert json.loads(shown) == report("a", 2).to_json()


def test_a_watch_that_was_killed_while_it_wrote_goes_on_with_its_record(tmp_path):
    file = tmp_path / "crossings.jsonl"
    LiveReport(file, None).take(report("a", 1), None)
    whole = file.read_bytes()
    for torn in (b'{"source": "a", "sou', b"{"):
        file.write_bytes(whole + torn)
        LiveReport(file, None).take(report("a", 2, 60.0), None)
        assert [one["source_id"] for one in told(file)] == ["a-1", "a-2"]
    file.write_bytes(whole.rstrip(b"\n"))  # mended by hand, by an editor that ends no line
    LiveReport(file, None).take(report("a", 2, 60.0), None)
    assert [one["source_id"] for one in told(file)] == ["a-1", "a-2"]
    file.write_bytes(b"torn")
    live = LiveReport(file, None)
    live.take(report("a", 3), None)
    assert [one["source_id"] for one in told(file)] == ["a-3"]
    assert live.finish() == 1
    file.write_bytes(b"no record\n")
    with pytest.raises(InputError, match="line 1 is no crossing"):
        live.finish()


def test_a_record_that_cannot_be_written_is_delivered_and_shown_whole(tmp_path, capsys):
    file, handed = tmp_path / "crossings.jsonl", []
    live = LiveReport(file, lambda record, _: handed.append(record.source_id))
    live.take(report("a", 1), None)
    size = file.stat().st_size
    with full_after(size + 100):
        live.take(report("a", 2, 60.0), None)
    assert file.stat().st_size == size
    assert handed == ["a-1", "a-2"]
    shown = next(line for line in capsys.readouterr().err.splitlines() if line.startswith("{"))
    assert json.loads(shown) == report("a", 2, 60.0).to_json()

    def refuses(record, folder):
        raise api.SpoolError("no room")

    LiveReport(file, refuses).take(report("a", 3, 120.0), None)
    assert [one["source_id"] for one in told(file)] == ["a-1", "a-3"]
    assert "no room" in capsys.readouterr().err


def test_what_may_be_a_crossing_is_told_apart_from_crossings_and_taken_back(tmp_path, capsys):
    file, handed = tmp_path / "out" / "crossings.jsonl", []
    live = LiveReport(file, lambda record, _: handed.append(record.source_id))
    may_be = OpenPassage(
        "a", "a-1", 10_000_000, 12_000_000, 1_000_000, 12_000_000, "person", Method.GROUND, "line", LAT, LON,
        Ellipse(5.0, 4.0, 0.0),
    )  # fmt: skip
    live.take_open(may_be)
    live.take(report("a", 1), None)
    live.take_open(replace(may_be, became="crossed", update_time_us=20_000_000))
    assert [(one["source_id"], one["status"], one["became"]) for one in told(file.with_name("open.jsonl"))] == [
        ("a-1", "open", None),
        ("a-1", "taken back", "crossed"),
    ]
    assert (live.finish(), handed) == (1, ["a-1"])
    said = " ".join(capsys.readouterr().out.split())
    assert said.index("person may have passed the line or not") < said.index("person is open no more (crossed)")
    size = file.with_name("open.jsonl").stat().st_size
    with full_after(size + 50):
        live.take_open(may_be)
    assert file.with_name("open.jsonl").stat().st_size == size
    shown = next(line for line in capsys.readouterr().err.splitlines() if line.startswith("{"))
    assert json.loads(shown) == may_be.to_json()
