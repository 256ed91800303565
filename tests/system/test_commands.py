"""Each command does its piece alone, and the example in its help works."""

import hashlib
import json
import math
import re
import shlex
import socket
import sqlite3
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
import typer

import api
import missions
import sim
import vedette
from cli.commands import app
from geo import FlatTerrain
from missions.fence import sortie_fence
from tests.full_disk import full_after
from tests.programs import Program
from tests.sim.mav_client import Client, small_mission

COMMANDS = sorted(typer.main.get_command(app).commands)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_of_itself(run, command):
    ran = run(command, "--help")
    assert ran.code == 0
    assert re.search(rf"Example: .*vedette {command}", " ".join(ran.out.split()))


def test_pasted_examples_of_border_and_plan(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example = "vedette border USA MEX && vedette plan border.geojson --base 31.345,-110.93 --ground 1180"
    assert example in " ".join(run("plan", "--help").out.split())
    for line in example.split(" && "):
        ran = run(*shlex.split(line)[1:])
        assert ran.code == 0, ran.err
    names = {path.suffix for path in Path("runs/plan").iterdir()}
    assert names == {".plan", ".waypoints", ".json", ".geojson", ".kml", ".png", ".txt"}
    # The default aircraft is faster in transit than the apps of pilots take, and the plan says so.
    assert "flies at 18.0 m/s, Litchi takes 15 m/s at most" in Path("runs/plan/apps.txt").read_text()
    assert missions.check(missions.load_plan(Path("runs/plan/plan.json"))) == []
    assert json.loads(Path("runs/plan/validation.json").read_text())["kept"]


def test_of_a_border_in_pieces_each_is_found_by_what_is_told_of_it(run, tmp_path):
    """Ceuta and Melilla: who asked for one and was given the other would hear that the base is on the far side."""
    file = tmp_path / "border.geojson"
    told = " ".join(run("border", "ESP", "MAR", "--out", file).out.split())
    assert "note: asked for 40.0 km, this piece of the border has" in told
    assert "of 2 pieces --near takes the nearest" in told
    places = re.findall(r"(-?[\d.]+,-?[\d.]+) \([\d.]+ km\)", told)
    towns = set()
    for place in places:
        assert run("border", "ESP", "MAR", "--near", place, "--out", file).code == 0
        lon, lat = missions.read_border(file).coordinates[0]
        towns |= {
            name
            for name, at in (("Ceuta", (35.89, -5.32)), ("Melilla", (35.29, -2.94)))
            if math.dist(at, (lat, lon)) < 0.2
        }
    assert towns == {"Ceuta", "Melilla"}
    assert "--near takes" not in run("border", "USA", "MEX", "--out", file).out


def test_a_line_drawn_in_google_earth_is_planned(run, tmp_path, monkeypatch):
    """It has no place for the own side there: the command line says it."""
    monkeypatch.chdir(tmp_path)
    Path("line.kml").write_text(
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>line</name><LineString><coordinates>'
        "-110.97,31.333,0 -110.93,31.333,0</coordinates></LineString></Placemark></Document></kml>"
    )
    plan = ("plan", "line.kml", "--base", "31.345,-110.95", "--shift", "1")
    refused = run(*plan)
    assert refused.code != 0
    assert "--own-side" in refused.err
    ran = run(*plan, "--own-side", "left")
    assert ran.code == 0, ran.err
    (border,) = missions.load_plan(Path("runs/plan/plan.json")).borders
    assert (border.name, border.own_side) == ("line", missions.Side.LEFT)
    # The other side is that of the base no more.
    assert "far side" in run(*plan, "--own-side", "right").err


def test_a_layer_is_chosen(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, lat in (("fence", 31.30), ("line", 31.333)):
        pyogrio.raw.write(
            "lines.gpkg",
            np.array([shapely.to_wkb(shapely.LineString([(-110.97, lat), (-110.93, lat)]))], dtype=object),
            [np.array(["left"], dtype=object)],
            ["own_side"],
            geometry_type="LineString",
            crs="EPSG:4326",
            driver="GPKG",
            layer=name,
            append=Path("lines.gpkg").exists(),
        )
    plan = ("plan", "lines.gpkg", "--base", "31.345,-110.95", "--shift", "1")
    assert "--layer" in run(*plan).err
    ran = run(*plan, "--layer", "line")
    assert ran.code == 0, ran.err
    assert missions.load_plan(Path("runs/plan/plan.json")).border.coordinates[0] == (-110.97, 31.333)


def test_pasted_example_of_resume(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("border", "USA", "MEX").code == 0
    assert run("plan", "border.geojson", "--base", "31.345,-110.93", "--ground", "1180").code == 0
    told = " ".join(run("resume", "--help").out.split())
    pasted = re.search(r"Example: vedette (resume .*?) \(in the air", told)
    assert pasted is not None
    ran = run(*shlex.split(pasted.group(1)))
    assert ran.code == 0, ran.err
    assert missions.check(missions.load_plan(Path("runs/resume/plan.json"))) == []
    assert json.loads(Path("runs/resume/validation.json").read_text())["kept"]


def test_pasted_example_of_intents(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("border", "USA", "MEX").code == 0
    assert run("plan", "border.geojson", "--base", "31.345,-110.93", "--ground", "1180", "--shift", "1").code == 0
    pasted = re.search(r"Example: vedette (intents .*?) \(after", " ".join(run("intents", "--help").out.split()))
    assert pasted is not None
    ran = run(*shlex.split(pasted.group(1)))
    assert ran.code == 0, ran.err
    flights = missions.load_plan(Path("runs/plan/plan.json")).flights
    assert len(missions.read_operational_intents(Path("intents.json"))) == len(flights)
    for options, words in (("2027-03-01T06:00", "zone"), ("tomorrow", "give date and time with the zone")):
        refused = run("intents", "runs/plan/plan.json", "--start", options, "--geoid=-28.3,2", "--out", "other.json")
        assert refused.code != 0
        assert words in refused.err
    refused = run("intents", "runs/plan/plan.json", "--geoid=-28.3,2", "--out", "other.json")
    assert refused.code != 0
    assert "does not say when its shift begins: give --start" in refused.err
    assert not Path("other.json").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--ground", "1e9"), "--ground 1e+09: give metres from -500 to 9000"),
        (("--shift", "0"), "--shift 0: give hours"),
        (("--shift", "nan"), "--shift nan: give hours"),
        (("--hour", "25"), "--hour 25: give an hour of the day"),
        (("--start", "9999-12-31T00:00Z"), "--start is '9999-12-31T00:00Z': give a year"),
        (("--start", "2027-01-01T00:00Z", "--hour", "3"), "leave --hour out"),
        (("--objective", "x"), "--objective 'x': give one of revisit, once, risk"),
        (("--wind", "5,400"), "--wind 5,400: wind from_deg"),
        (("--base", "91,0"), "--base 91,0: base 'base': lat_deg"),
        (("--terrain", "."), "leave --ground out"),
        (("--fleet", "fleet.json"), "leave --base and --drones out"),
        (("--airspace-layer", "x"), "give --airspace with it"),
        (("--set", "gsd_m=1", "--set", "gsd_m=2"), "set it once"),
        (("--out", "border.geojson/x"), "is a file, and no folder"),
    ],
)
def test_an_option_that_is_wrong_is_named_as_the_pilot_wrote_it(run, tmp_path, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    assert run("border", "USA", "MEX", "--length", "5").code == 0
    before = sorted(tmp_path.rglob("*"))
    refused = run("plan", "border.geojson", "--base", "31.345,-110.93", "--ground", "1180", *options)
    assert refused.code == 1
    assert words in " ".join(refused.err.split())
    assert refused.err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_margins_of_intents_are_set_as_the_error_says(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("border", "USA", "MEX", "--length", "5").code == 0
    assert run("plan", "border.geojson", "--base", "31.345,-110.93", "--ground", "1180", "--shift", "1").code == 0
    intents = ("intents", "runs/plan/plan.json", "--geoid=-28.3,2", "--start", "2027-03-01T13:00Z")
    refused = " ".join(run(*intents, "--set", "across_m=90").err.split())
    said = re.search(r"larger stand_off_m of the border than 60, or give a margin below (--set across_m=)90", refused)
    assert said is not None, refused
    ran = run(*intents, *f"{said[1]}20".split())
    assert ran.code == 0, ran.err
    for wrong, words in (("across=5", "the name one of across_m"), ("across_m=0", "across_m"), ("up_m=x", "no number")):
        refused = run(*intents, "--set", wrong, "--out", "other.json")
        assert refused.code == 1
        assert words in " ".join(refused.err.split())
    assert not Path("other.json").exists()


def test_intents_begin_when_the_plan_says(run, tmp_path, monkeypatch):
    """Whoever planned by the hours of one day may not file the flights of another."""
    monkeypatch.chdir(tmp_path)
    assert run("border", "USA", "MEX", "--length", "10").code == 0
    common = ("plan", "border.geojson", "--base", "31.345,-110.93", "--ground", "1180", "--shift", "1")
    assert run(*common, "--start", "2027-03-01T06:00-07:00").code == 0
    intents = ("intents", "runs/plan/plan.json", "--geoid=-28.3,2", "--out")
    refused = run(*intents, "a.json", "--start", "2027-03-01T06:00+00:00")
    assert refused.code != 0
    assert "is not when the shift of the plan begins, 2027-03-01T06:00-07:00" in " ".join(refused.err.split())
    assert not Path("a.json").exists()
    # The same moment in the words of another zone is no other one.
    for name, start in (("b.json", ()), ("c.json", ("--start", "2027-03-01T13:00Z"))):
        ran = run(*intents, name, *start)
        assert ran.code == 0, ran.err
    assert Path("b.json").read_bytes() == Path("c.json").read_bytes()
    first = missions.read_operational_intents(Path("b.json"))[0].details.volumes[0].time_start.value.datetime
    assert abs((first - datetime(2027, 3, 1, 13, tzinfo=UTC)).total_seconds()) < 3600
    refused = run(*common, "--risk-zone", "Europe/Zurich")
    assert refused.code != 0
    assert "give --risk or --risk-from" in " ".join(refused.err.split())


def test_a_plan_with_a_sortie_that_is_not_written_fails_and_names_it(run, tmp_path, monkeypatch):
    """A script that goes by the exit code must not take the folder for the whole patrol."""
    monkeypatch.chdir(tmp_path)
    assert run("border", "USA", "MEX").code == 0
    held = []

    def fence(made, sortie):
        held.append(sortie.name)
        if sortie.name == held[0]:
            raise missions.MissionError(f"{sortie.name}: no lawful fence")
        return sortie_fence(made, sortie)

    monkeypatch.setattr("missions.plan_folder.sortie_fence", fence)
    ran = run("plan", "border.geojson", "--base", "31.345,-110.93", "--ground", "1180", "--shift", "1")
    assert len(set(held)) > 1
    assert ran.code == 1
    assert f"not written: {held[0]}: no lawful fence holds it" in " ".join(ran.err.split())
    assert "not-written.txt" in ran.err
    assert Path("runs/plan/not-written.txt").read_text() == f"{held[0]}: no lawful fence\n"
    assert Path("runs/plan/plan.json").exists()
    assert not Path(f"runs/plan/{held[0]}.plan").exists()
    held.clear()
    first = missions.load_plan(Path("runs/plan/plan.json")).sorties[0].name
    ran = run("resume", "runs/plan/plan.json", "--sortie", first, "--item", "5", "--landed")
    assert (ran.code, len(set(held)) > 1) == (1, True), ran.err
    assert f"not written: {held[0]}" in ran.err


def test_a_plan_says_what_limits_it_and_what_one_more_of_each_would_give(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("border", "USA", "MEX", "--length", "10").code == 0
    plan = ("plan", "border.geojson", "--base", "31.345,-110.93", "--shift", "1")
    without, ran = run(*plan), run(*plan, "--explain")
    assert without.code == ran.code == 0, ran.err
    assert "why:" not in without.out
    why = missions.explain(missions.load_plan(Path("runs/plan/plan.json")), None)
    # Whole, wherever a terminal of this width breaks the lines.
    told = " ".join(ran.out.split())
    for sentence in why.limits:
        assert f"why: {sentence}" in told
    assert why.changes
    for change in why.changes:
        assert change.what.split()[0] in told
        assert change.revisit_s is None or f"{change.revisit_s / 60:.1f}" in told


def test_settings_of_a_plan(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("border", "USA", "MEX", "--length", "10").code == 0
    base = ("plan", "border.geojson", "--base", "31.345,-110.93", "--shift", "1")
    ran = run(*base, "--set", "gsd_m=0.1", "--set", "ceiling_agl_m=100")
    assert ran.code == 0, ran.err
    made = missions.load_plan(Path("runs/plan/plan.json"))
    assert (made.options.gsd_m, made.options.ceiling_agl_m) == (0.1, 100.0)
    assert made.coverage.by_gsd[-1] == missions.GsdShare(0.1, made.coverage.share)
    for setting, words in (("gsd=0.1", "one of dwell_s, gsd_m"), ("gsd_m=fine", "no number"), ("gsd_m=99", "between")):
        refused = run(*base, "--set", setting, "--out", "other")
        assert refused.code != 0
        assert words in refused.err
    assert not Path("other").exists()


def test_borders_of_a_box(run, tmp_path):
    ran = run("border", "CHE", "--box", "45.8,8.5,46.3,9.2", "--out", tmp_path / "box.kml")
    assert ran.code == 0, ran.err
    found = missions.read_borders(tmp_path / "box.kml")
    assert {(border.own, border.neighbour) for border in found} == {("CHE", "ITA")}
    for border in found:
        assert all(8.4 < lon < 9.3 and 45.7 < lat < 46.4 for lon, lat in border.coordinates)
    refused = run("border", "CHE", "--box", "0,0,1,1", "--out", tmp_path / "none.kml")
    assert "no land border within" in refused.err
    assert not (tmp_path / "none.kml").exists()


SORTIE = "--sortie", "vehicle-1-sortie-1"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "either --sortie NAME with --item or --at, or --report FILE"),
        (["--sortie", "a", "--report", "flight.json"], "either --sortie NAME"),
        (["--report", "flight.json", "--battery", "0.5"], "leave --item, --at, --battery and --landed out"),
        (["--sortie", "a", "--at", "here"], "give LAT,LON as numbers"),
        (["--sortie", "a", "--item", "3"], "--sortie 'a': the plan has none of that name: give one of vehicle-1-s"),
        ([*SORTIE, "--item", "3"], "vehicle-1-sortie-1 is in the air: give --battery"),
        ([*SORTIE, "--item", "3", "--battery", "43"], "battery is 43.0"),
    ],
)
def test_resume_says_what_it_must_be_told(run, tmp_path, options, words):
    border = missions.cut(missions.land_border("ITA", "CHE"), 3000)
    made = missions.plan(border, missions.default_fleet(missions.base_beside(border), 1))
    missions.save_plan(made, tmp_path / "plan.json")
    ran = run("resume", tmp_path / "plan.json", *options)
    assert ran.code == 1
    assert words in " ".join(ran.err.split())


def test_resume_of_a_network(run, tmp_path):
    border = missions.cut(missions.land_border("ITA", "CHE"), 3000)
    base = missions.base_beside(border)
    (lon, lat), road = border.coordinates[len(border.coordinates) // 2], (base.lon_deg, base.lat_deg)
    branch = missions.Branch("road", "road", ((lon, lat), road))
    made = missions.plan_network(missions.build_network("net", [border], [branch]), missions.default_fleet(base, 1))
    missions.save_plan(made, tmp_path / "plan.json")
    sortie = made.sorties[0]
    patrol = next(k for k, leg in enumerate(sortie.legs) if leg.kind is missions.LegKind.PATROL)
    ran = run(
        *("resume", tmp_path / "plan.json", "--sortie", sortie.name, "--item", patrol + 4, "--battery", "0.8"),
        *("--out", tmp_path / "rest"),
    )
    assert ran.code == 0, ran.err
    after = missions.load_plan(tmp_path / "rest" / "plan.json")
    assert after.network == made.network
    assert missions.check(after) == []
    assert (tmp_path / "rest" / f"{sortie.name}-rest-1.plan").exists()


def test_fly_a_qgroundcontrol_plan_against_sim(run, tmp_path):
    segment = missions.cut(missions.land_border("ITA", "CHE"), 3000)
    base = missions.base_beside(segment)
    made = missions.plan(segment, missions.default_fleet(base, 1), FlatTerrain(900))
    missions.write_plan_folder(made, tmp_path)
    report = tmp_path / "flight.json"
    config = sim.FleetConfig(home=(base.lat_deg, base.lon_deg, 900.0), speedup=100)
    with sim.start_fleet(config) as fleet:
        link = fleet.endpoints[0].url
        plan_file = tmp_path / f"{made.sorties[0].name}.plan"
        ran = run("fly", plan_file, "--link", link, "--time-scale", 100, "--ceiling", 130, "--json", report)
    assert ran.code == 0, ran.err
    flown = json.loads(report.read_text())
    assert flown["completed"]
    assert len(flown["vehicles"][0]["sorties"][0]["uploads"]) == 3
    assert "vehicle 1: when it hears nobody it goes on with its mission (FS_GCS_ENABLE 0)" in " ".join(ran.err.split())


def free_ports_apart(by):
    """The first of two UDP ports that nobody has, so far apart."""
    while True:
        with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as other:
            one.bind(("127.0.0.1", 0))
            first = one.getsockname()[1]
            with suppress(OSError, OverflowError):
                other.bind(("127.0.0.1", first + by))
                return first


def test_pasted_example_of_sim_and_fly(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("border", "USA", "MEX", "--length", "3").code == 0
    assert run("plan", "border.geojson", "--base", "31.345,-110.93", "--ground", "1180").code == 0
    pasted = re.search(r"Example: (vedette sim .*) & (vedette fly .*?) \(", " ".join(run("fly", "--help").out.split()))
    assert pasted is not None
    # On ports of its own: those of the example may be somebody else's on this machine.
    first = free_ports_apart(10)
    simulate, fly = (shlex.split(text)[1:] for text in pasted.groups())
    fly = [word.replace(":14560", f":{first}").replace(":14570", f":{first + 10}") for word in fly]
    with Program([sys.executable, vedette.__file__, *simulate, "--port", str(first)]) as fleet:
        try:
            ran = run(*fly, "--wait", 60)  # a busy machine takes longer to start the other
        finally:
            fleet.terminate()
    assert ran.code == 0, ran.err
    assert json.loads(Path("flight.json").read_text())["completed"]


def test_a_plan_says_what_its_fences_keep_and_where_to_come_down(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("border", "USA", "MEX", "--length", "3").code == 0
    told = run("plan", "border.geojson", "--base", "31.345,-110.93", "--ground", "1180", "--sites")
    assert told.code == 0, told.err
    assert "fence holds every leg" in told.out
    assert " NO " not in told.out
    assert "no landing site is proposed: level ground" in told.out
    assert "emergency landing site" in told.out


@pytest.mark.usefixtures("seen_before")
def test_watch_keeps_what_a_service_does_not_take_and_delivers_it_when_it_does(run, tmp_path, shared_data, walker):
    out = tmp_path / "out"
    watch = ["watch", walker, "--line", "384,432,384,0", "--fps", "3", "--out", out]
    watch += ["--model", shared_data("weights/coco-yolo11n.onnx")]
    ran = run(*watch, "--url", "http://127.0.0.1:9", "--key", "x")
    found = (out / "crossings.jsonl").read_text().splitlines()
    assert ran.code == 1
    assert f"{len(found)} crossings wait" in ran.err
    with (
        api.running(api.Settings(tmp_path / "store", port=0)) as service,
        api.Client(service.url, service.admin.key) as admin,
    ):
        # What waited is delivered, and what is found anew is the same and changes nothing.
        pilot = admin.create_key("drone", api.Role.PILOT, sources=["*"])
        ran = run(*watch, "--url", service.url, "--key", pilot)
        assert ran.code == 0, ran.err
        found = (out / "crossings.jsonl").read_text().splitlines()
        with api.Client(service.url, admin.create_key("analyst", api.Role.ANALYST)) as analyst:
            stored = list(analyst.crossings())
            assert len(stored) == len(found) > 0
            clip = analyst.evidence(stored[0]["id"])
    assert hashlib.sha256(clip).hexdigest() in {json.loads(line)["evidence"]["sha256"] for line in found}


def test_watch_says_which_detector_it_took_and_why(run, tmp_path, shared_data):
    video = shared_data("videos/1_60_70_0_00540-00639.mp4")
    told = ["watch", video, "--line", "320,512,320,0", "--fps", "0.5", "--out", tmp_path]
    ran = run(*told)
    assert ran.code == 0, ran.err
    assert "detector vedette-thermal-yolo11n (thermal, its pictures have no colour)" in " ".join(ran.out.split())
    ran = run(*told, "--sensor", "daylight")
    assert "detector vedette-daylight-yolo11n (daylight, as asked for)" in " ".join(ran.out.split())
    ran = run(*told, "--sensor", "radar")
    assert ran.code != 0
    assert "--sensor radar is unknown: give one of auto, thermal, daylight" in " ".join(ran.err.split())


def test_training_is_for_a_sensor_that_has_a_recipe(run, tmp_path):
    ran = run("train", tmp_path, "--weights", tmp_path / "w.pt", "--sensor", "radar", "--out", tmp_path / "out")
    assert ran.code != 0
    assert "--sensor radar has no recipe: give one of thermal, daylight" in " ".join(ran.err.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("seen_before")
def test_watch_on_a_full_disk_still_tells_who_crossed(run, tmp_path, shared_data, walker):
    """Nothing can be written: the records go to the output, each says that it has no evidence, and no file is left."""
    model = shared_data("weights/coco-yolo11n.onnx")
    with full_after(100):
        ran = run("watch", walker, "--line", "384,432,384,0", "--fps", "3", "--model", model, "--out", tmp_path)
    assert ran.code == 1
    records = [json.loads(line) for line in ran.out.splitlines() if line.startswith("{")]
    told = " ".join(ran.err.split())
    assert len(records) > 0
    for record in records:
        assert record["evidence"] is None
        assert f"crossing {record['source_id']} is reported without evidence" in told
    assert "crossings.jsonl: the file grows larger than is allowed" in told
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_sim_ends_when_told(run):
    ran = run("sim", "--home", "31.345,-110.93,1180", "--vehicles", 2, "--port", 0, "--seconds", 0.2)
    assert ran.code == 0
    assert len(re.findall(r"vehicle \d listens on udp:127\.0\.0\.1:\d+", ran.out)) == 2


def test_sim_plays_the_faults_of_a_file(tmp_path):
    path = tmp_path / "faults.yaml"
    path.write_text("faults:\n  - {kind: mission_rejected, result: 4}\n")
    command = [sys.executable, "-m", "vedette", "sim", "--home", "31.34,-110.94,1180", "--port", "0"]
    with Program([*command, "--speedup", "50", "--faults", path], stdout=subprocess.PIPE, text=True) as process:
        try:
            told = process.stdout.readline()
            port = int(told.rsplit(":", 1)[1])
            with Client(sim.Endpoint(1, "127.0.0.1", port)) as client:
                assert client.upload(small_mission()) == 4
        finally:
            process.terminate()


def test_a_store_of_an_older_program_is_served_after_it_is_migrated(run, tmp_path):
    old = sqlite3.connect(tmp_path / "vedette.sqlite")
    old.executescript((Path(__file__).parents[1] / "api" / "data" / "store_v2.sql").read_text())
    old.close()
    refused = run("serve", "--store", tmp_path, "--port", 0)
    assert refused.code == 1
    assert "vedette migrate" in refused.err
    assert "schema 2 -> 0" in run("migrate", "--store", tmp_path).out
    assert "already" in run("migrate", "--store", tmp_path).out
    api.Store(tmp_path).close()
