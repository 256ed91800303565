"""What is wrong is said in one line with what to do; nothing half-written is left."""

import errno
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import missions
import sim
from geo import FlatTerrain

ROOT = Path(__file__).parents[2]
BASE = "31.345,-110.93"


@pytest.fixture
def border(tmp_path):
    path = tmp_path / "border.geojson"
    missions.write_border(missions.cut(missions.land_border("USA", "MEX"), 4000), path)
    return path


@pytest.fixture
def plan_file(tmp_path):
    segment = missions.cut(missions.land_border("USA", "MEX"), 4000)
    made = missions.plan(segment, missions.default_fleet(missions.base_beside(segment), 1), FlatTerrain(1180))
    path = tmp_path / "plan.json"
    missions.save_plan(made, path)
    return path


def feature(kind, coordinates, **properties):
    """A GeoJSON Feature as text."""
    geometry = {"type": kind, "coordinates": coordinates}
    return json.dumps({"type": "Feature", "properties": {"name": "b", **properties}, "geometry": geometry})


def one_clear_line(ran, *words):
    """The refusal of a command: not zero, one line, no traceback, and it names what is asked for."""
    assert ran.code not in {0, 130}
    assert "Traceback" not in ran.err
    lines = [line for line in re.sub(r"\x1b\[[0-9;]*m", "", ran.err).splitlines() if line.startswith("vedette: ")]
    assert len(lines) == 1, ran.err
    for word in words:
        assert word in lines[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["border", "USA", "CHE"], ["CHE", "neighbours"]),
        (["border", "Atlantis", "MEX"], ["Atlantis"]),
        (["border", "USA", "MEX", "--near", "31"], ["--near", "LAT,LON"]),
        (["border", "USA", "MEX", "--near", "95,10"], ["95"]),
        (["border", "USA", "MEX", "--length", "-3"], ["length"]),
        (["plan", "absent.geojson", "--base", BASE], ["absent.geojson"]),
        (["fly", "absent.json", "--link", "udp:127.0.0.1:9"], ["absent.json"]),
        (["watch", "absent.mp4", "--line", "0,1,2,3"], ["absent.mp4"]),
        (["sim", "--home", "31,-110"], ["--home", "LAT,LON,AMSL"]),
        (["sim", "--home", "95,10,0"], ["95"]),
        (["sim"], ["--home", "--plan"]),
        (["sim", "--plan", "absent.json"], ["absent.json"]),
        (["watch", "a.mp4", "--line", "0,1,2,3", "--url", "http://127.0.0.1:9"], ["--key"]),
        (["serve", "--host", "0.0.0.0"], ["TLS"]),
        (["export", "absent.pt", "out.onnx", "--data", "x"], ["vedette[train]"]),
        (["demo", "--own", "USA", "--neighbour", "FRA"], ["FRA"]),
        (["demo", "--show", "--out", "absent"], ["absent", "run it first"]),
    ],
)
def test_arguments(run, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    one_clear_line(run(*arguments), *words)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["not JSON"]),
        ("{", ["not JSON", "line 1"]),
        (b"\xff\xfe\x00", ["UTF-8"]),
        (feature("Point", [1, 2], own_side="left"), ["Point", "LineString"]),
        (feature("LineString", [[1, 2]], own_side="left"), ["two"]),
        (feature("LineString", [[1, 95], [2, 96]], own_side="left"), ["95"]),
        (feature("LineString", [[1, 2], [2, 2]]), ["own_side"]),
        (feature("LineString", [[1, 2], [2, 2]], own_side="up"), ["own_side", "up"]),
    ],
)
def test_border_that_is_none(run, tmp_path, content, words):
    path = tmp_path / "border.geojson"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    one_clear_line(run("plan", path, "--base", BASE, "--out", tmp_path / "out"), "border.geojson", *words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("base", "words"),
    [("31.25,-110.93", ["far side"]), ("33.5,-110.93", ["out of reach"]), ("31.3274,-110.93", ["stand-off"])],
)
def test_base_in_the_wrong_place(run, tmp_path, border, base, words):
    one_clear_line(run("plan", border, "--base", base, "--out", tmp_path / "out"), "base", *words)
    assert not (tmp_path / "out").exists()


def test_unreachable_link(run, tmp_path, plan_file):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        report = tmp_path / "flight.json"
        ran = run("fly", plan_file, "--link", f"udp:127.0.0.1:{port}", "--wait", 2, "--json", report)
    one_clear_line(ran, f"127.0.0.1:{port}", "vehicle 1")
    assert json.loads(report.read_text())["completed"] is False


def test_vehicle_that_rejects_the_mission(run, tmp_path, plan_file):
    report = tmp_path / "flight.json"
    config = sim.FleetConfig(home=(31.345, -110.93, 1180.0), speedup=100, faults=sim.Faults(reject_mission=1))
    with sim.start_fleet(config) as fleet:
        ran = run("fly", plan_file, "--link", fleet.endpoints[0].url, "--time-scale", 100, "--json", report)
    one_clear_line(ran, "vehicle 1")
    sortie = json.loads(report.read_text())["vehicles"][0]["sorties"][0]
    assert sortie["completed"] is False
    assert sortie["started_us"] is None  # it was never armed


def test_one_link_too_many(run, tmp_path, plan_file):
    links = ["--link", "udp:127.0.0.1:1", "--link", "udp:127.0.0.1:2"]
    one_clear_line(run("fly", plan_file, *links, "--json", tmp_path / "f.json"), "1 vehicles", "2 links")


def test_video_without_metadata(run, tmp_path, border, shared_data):
    video = shared_data("videos/1_60_70_0_00540-00639.mp4")
    one_clear_line(run("watch", video, "--border", border, "--out", tmp_path / "out"), "pose", "ST 0601")
    one_clear_line(run("watch", video, "--out", tmp_path / "out"), "border", "line")
    assert not list((tmp_path / "out").rglob("*.json*"))


@pytest.mark.parametrize(("name", "content"), [("empty.mp4", b""), ("text.mp4", b"this is no video" * 99)])
def test_video_that_is_none(run, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    one_clear_line(run("watch", path, "--line", "0,1,2,3", "--out", tmp_path / "out"), name)


def test_model_that_is_none(run, tmp_path, shared_data):
    model = tmp_path / "model.onnx"
    model.write_bytes(b"no model")
    video = shared_data("videos/1_60_70_0_00540-00639.mp4")
    one_clear_line(run("watch", video, "--line", "0,1,2,3", "--model", model), "model.onnx")


@pytest.mark.parametrize("option", [("--out", ""), ("--out=",)])
@pytest.mark.parametrize("command", ["border", "plan", "resume", "intents"])
def test_an_empty_name_is_not_the_folder_that_one_stands_in(
    run, tmp_path, monkeypatch, plan_file, border, command, option
):
    """As it comes of a variable of a shell that is not set; it took the place of the files there."""
    monkeypatch.chdir(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    arguments = {
        "border": ["USA", "MEX"],
        "plan": [border, "--base", BASE],
        "resume": [plan_file, "--sortie", "vehicle-1-sortie-1", "--item", 9, "--battery", 0.9],
        "intents": [plan_file, "--geoid=-28,2", "--start", "2027-03-01T06:00+00:00"],
    }
    one_clear_line(run(command, *arguments[command], *option), "--out is empty", "leave it out")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--json", "taken"), ["--json taken", "is a folder"]),
        (("--json", "pipe"), ["--json pipe", "is a device or a pipe"]),
        (("--json", "plan.json/report.json"), ["--json", "is a file, and no folder"]),
        (("--log", "plan.json"), ["--log plan.json", "is a file, and no folder"]),
    ],
)
@pytest.mark.parametrize("command", ["fly", "patrol"])
def test_a_report_that_cannot_be_written_is_refused_before_anything_flies(
    run, tmp_path, monkeypatch, plan_file, command, option, words
):
    def flown(*_, **__):
        raise AssertionError("it was flown")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("autopilot.fly", flown)
    monkeypatch.setattr("cli.patrol.fly_shift", flown)
    (tmp_path / "taken").mkdir()
    os.mkfifo(tmp_path / "pipe")
    one_clear_line(run(command, plan_file, "--link", "udp:127.0.0.1:9", *option), *words)


def test_full_disk(run, tmp_path, border, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    out = tmp_path / "out"
    one_clear_line(run("plan", border, "--base", BASE, "--out", out), "disk is full")
    one_clear_line(run("border", "USA", "MEX", "--out", tmp_path / "b.geojson"), "b.geojson", "disk is full")
    assert not [path for path in (*out.rglob("*"), tmp_path / "b.geojson") if path.is_file()]


def test_a_failed_demonstration_leaves_the_earlier_one(run, tmp_path):
    earlier = tmp_path / "demo"
    earlier.mkdir()
    (earlier / "summary.json").write_text("{}")
    one_clear_line(run("demo", "--out", earlier, "--near", "0,0", "--length", "-1"), "length")
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    assert (earlier / "summary.json").read_text() == "{}"


def test_a_port_that_is_taken(run, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        one_clear_line(run("serve", "--store", tmp_path / "store", "--port", port), str(port))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("faults:\n - {kind: packet_loss, probabilty: 0.2}", ("faults.yaml, fault 1", "'probabilty'", "probability")),
        ("faults:\n - {kind: reboot, vehicles: [9]}", ("vehicle 9", "not in the fleet")),
        ("faults: [", ("faults.yaml, line 1", "neither YAML nor JSON")),
    ],
)
def test_faults_that_cannot_be_simulated(run, tmp_path, text, words):
    path = tmp_path / "faults.yaml"
    path.write_text(text)
    one_clear_line(run("sim", "--home", "31.345,-110.93,1180", "--faults", path, "--port", 0), *words)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (["restore", "no-such-file"], "no-such-file"),
        (["evidence", "verify", "no-such-folder"], "no-such-folder"),
        (["plan", "--no-such-option"], "--no-such-option"),
        (["no-such-command"], "no-such-command"),
    ],
)
def test_a_wrong_call_is_told_in_words_by_the_program_itself(call, words, tmp_path):
    """Not by the runner of other tests, which catches what the program would let out as a traceback."""
    command = [sys.executable, "-m", "vedette", *call]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    told = done.stderr.decode()
    assert (done.returncode, "Traceback" in told, words in told) == (2, False, True), told


def test_a_terminal_without_a_letter_shows_it_otherwise(border, tmp_path):
    """The table of a plan has a sign that is in no ASCII, and a name of a file may be in no encoding at all."""
    for encoding, letter, call in (
        ("ascii", b"m\\xb2", ["plan", border, "--base", BASE, "--shift", "1", "--out", tmp_path / "plan"]),
        (
            "utf-8:strict",
            b"\\udcff",
            ["border", "USA", "MEX", "--out", os.fsdecode(bytes(tmp_path) + b"/\xff.geojson")],
        ),
    ):
        ran = subprocess.run(
            [sys.executable, "-m", "vedette", *call],
            cwd=ROOT,
            env={**os.environ, "PYTHONIOENCODING": encoding},
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert (ran.returncode, ran.stderr) == (0, b""), ran.stderr
        assert letter in ran.stdout
