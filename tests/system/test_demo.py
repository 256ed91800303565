"""The whole loop on a short stretch: what it finds, who sees it, and that the same seed gives the same result."""

import json
import re
import shutil
import time
from contextlib import ExitStack
from dataclasses import replace
from html.parser import HTMLParser

import httpx
import pytest

import api
import missions
import vision
from cli.demo import demonstrate
from cli.outcome import DemoSettings
from tests.api.people import Browser
from tests.demo_shown import shown_demo
from tests.seen_before import SeenBefore

SHORT = DemoSettings(length_m=6000, windows=3, crossings=2, speedup=250, seed=11)


@pytest.fixture(scope="module")
def seen():
    return SeenBefore()


@pytest.fixture(scope="module")
def outcome(tmp_path_factory, seen):
    with seen.noted(told=False):
        return demonstrate(replace(SHORT, out=tmp_path_factory.mktemp("runs") / "demo"))


@pytest.fixture(scope="module")
def folder(outcome):
    return outcome.settings.out


def test_summary_has_the_figures_of_the_table(outcome, folder):
    summary = json.loads((folder / "summary.json").read_text())
    assert summary == json.loads(json.dumps(outcome.summary()))
    assert summary["border_km"] == pytest.approx(6, abs=0.1)
    assert 0.95 <= summary["coverage"] <= 1
    assert summary["revisit_s"] >= summary["revisit_bound_s"] > 0
    assert summary["missions"]
    assert all(mission["verified"] and mission["flown"] for mission in summary["missions"])
    assert summary["nearest_border_m"] >= outcome.plan.border.stand_off_m
    # Measured on the tracks; corners are cut and rounded, so that it is near the plan and not the plan.
    planned_km = sum(sortie.distance_m for sortie in outcome.plan.sorties) / 1000
    assert summary["flown_km"] == pytest.approx(planned_km, rel=0.02)
    assert summary["flown_km"] != round(planned_km, 3)
    assert summary["crossings"]["truth"] == 2
    assert summary["crossings"]["found"] + summary["crossings"]["missed"] == 2
    assert 0 < summary["fps"] < 2 * summary["fps_bare"]


def test_crossings_are_found_and_none_is_false(outcome):
    assert outcome.watched.score.found == 2
    assert outcome.watched.score.false == 0


def test_released_to_one_partner_and_seen_by_that_one_alone(outcome):
    partner = outcome.summary()["partner"]
    assert len(partner["visible_to"]) == 1
    assert len(partner["hidden_from"]) == 1
    (seen,) = outcome.shared.partners[partner["visible_to"][0]]
    assert seen["properties"]["border"] == outcome.plan.border.name
    assert "source_id" not in seen["properties"]  # not among the fields of the agreement
    assert len(outcome.shared.seen["analyst"]) == len(outcome.watched.crossings)


def test_evidence_and_audit_hold(outcome, folder):
    for crossing in outcome.watched.crossings:
        assert vision.verify_evidence(folder / "evidence" / crossing.source_id) == []
    head = api.verify_audit(api.Store(folder / "store"))
    assert head.seq >= outcome.shared.audit_entries


def test_files_of_the_run(outcome, folder):
    names = {path.name for path in folder.iterdir()}
    sorties = {f"{sortie.name}.plan" for sortie in outcome.plan.sorties}
    assert {
        "plan.json",
        "plan.geojson",
        "plan.kml",
        "map.png",
        "report.html",
        "summary.json",
        "crossings.geojson",
    } <= names
    assert sorties <= names
    assert missions.load_plan(folder / "plan.json") == outcome.plan
    assert not list(folder.rglob("*.tmp*"))
    for sortie in sorties:
        assert missions.read_qgc_plan(folder / sortie).fence


def test_report_opens_without_a_network(outcome, folder):
    text = (folder / "report.html").read_text()
    links: list[str] = []

    class Links(HTMLParser):
        def handle_starttag(self, _tag, attrs):
            links.extend(value for name, value in attrs if name in {"src", "href", "srcset", "poster"} and value)

    Links().feed(text)
    assert links
    for link in links:
        assert link.startswith(("data:", "#")) or (folder / link).is_file(), link
    assert not re.search(r"url\((?!['\"]?data:)", text)
    assert outcome.shared.admin_key not in text


def test_no_secret_is_left_on_disk(outcome, folder):
    key = outcome.shared.admin_key.encode()
    assert key
    assert not [path for path in folder.rglob("*") if path.is_file() and key in path.read_bytes()]


def test_the_same_seed_gives_the_same_plan_and_the_same_crossings(run, folder, seen, tmp_path):
    again = tmp_path / "again"
    with seen.noted():
        ran = run("demo", "--length", 6, "--windows", 3, "--crossings", 2, "--seed", 11, "--out", again)
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[-2:] == [
        f"report:  {again}/report.html",
        f"console: vedette demo --out {again} --show",
    ]
    for name in ("plan.json", "border.geojson", "crossings.jsonl"):
        assert (again / name).read_bytes() == (folder / name).read_bytes(), name
    figures = [json.loads((each / "summary.json").read_text())["crossings"] for each in (again, folder)]
    assert figures[0] == figures[1]
    assert seen.told > 150  # nearly all pictures were the same, byte for byte


def test_serve_shows_the_run_that_was_made(run, outcome, folder, monkeypatch):
    shown = []
    monkeypatch.setattr("cli.demo.demonstrate", lambda _settings: outcome)
    monkeypatch.setattr("cli.demo_show.show_demo", lambda *each: shown.append(each))
    ran = run("demo", "--out", folder, "--serve", "--port", 0)
    assert (ran.code, ran.out.splitlines()[-1]) == (0, f"report:  {folder}/report.html"), ran.err
    assert shown == [(folder, 0)]


def test_a_run_that_is_spoilt_is_told_in_a_line(run, folder, tmp_path):
    shutil.copy(folder / "plan.json", tmp_path)
    lines = (folder / "crossings.jsonl").read_text().splitlines()
    (tmp_path / "crossings.jsonl").write_text("\n".join([*lines, lines[0][:40]]))
    ran = run("demo", "--out", tmp_path, "--show", "--port", 0)
    assert (ran.code, f"line {len(lines) + 1} is no crossing" in " ".join(ran.err.split())) == (1, True), ran.err
    assert "Traceback" not in ran.err


@pytest.fixture(scope="module")
def shown(folder):
    """The console of the run, with somebody of every role at it; the run is as it was when it has ended."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with shown_demo("--show", "--out", folder) as demo, ExitStack() as stack:
        people = {}
        for role in api.Role:
            if role is not api.Role.SENSOR:
                http = stack.enter_context(httpx.Client(base_url=demo.url, timeout=60, verify=False))
                people[role.value] = browser = Browser(http, origin=demo.url)
                answer = browser.login(role.value, demo.password)
                assert answer.status_code == 200, answer.text
        yield people
    assert demo.process.returncode == 0
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def told(browser, path):
    answer = browser.ask("GET", path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_console_says_on_every_page_that_all_is_simulated(shown):
    assert '<div id="console">' in shown["pilot"].ask("GET", "/").text
    assert "EXERCISE: all is simulated" in told(shown["pilot"], "/console/configuration")["marking"]


def test_the_console_shows_the_plan_that_was_flown(shown, outcome):
    (line,) = told(shown["pilot"], "/plannings")
    assert (line["state"], line["adopted"]) == ("done", True)
    result = told(shown["pilot"], f"/plannings/{line['id']}")["result"]
    assert result["summary"]["revisit_s"] == outcome.plan.revisit_s
    assert [each["properties"]["name"] for each in result["map"]["sorties"]] == [s.name for s in outcome.plan.sorties]
    counts = {name: len(told(shown["pilot"], f"/{name}")["features"]) for name in ("segments", "fleets", "plans")}
    assert counts == {"segments": 1, "fleets": 1, "plans": 1}
    flights = told(shown["pilot"], "/sorties?limit=1000")["features"]
    first = min(each["properties"]["take_off"] for each in flights)
    assert (len(flights), first) == (len(outcome.plan.flights), "2026-06-21T04:00:00.000000Z")


def test_the_console_shows_crossings_to_whom_they_are_for(shown, outcome):
    ours = told(shown["analyst"], "/crossings")["features"]
    assert len(ours) == len(outcome.watched.crossings)
    for each in ours:
        clip = shown["analyst"].ask("GET", f"/crossings/{each['id']}/evidence/clip")
        assert clip.content[4:8] == b"ftyp"
    assert sum(each["properties"]["review"]["state"] == "confirmed" for each in ours) == 1
    (release,) = told(shown["supervisor"], "/releases")
    (theirs,) = told(shown["partner"], "/crossings")["features"]
    assert theirs["id"] == release["record_id"]
    assert told(shown["auditor"], "/audit/verification")["intact"]


def test_vehicles_fly_the_plan_again_and_obey(shown):
    """Over MAVLink, as `vedette patrol` has it: a pilot's order reaches them."""
    pilot, end = shown["pilot"], time.monotonic() + 60
    order = {"client_id": "here", "kind": "return", "vehicle": {"source": "simulated ground station"}}
    while True:
        vehicles = told(pilot, "/vehicles")["features"]
        flying = [each["properties"] for each in vehicles if each["properties"]["state"] == "flying"]
        if flying:
            break
        assert time.monotonic() < end, vehicles
        time.sleep(0.5)
    order["vehicle"]["source_id"] = flying[0]["source_id"]
    given = pilot.ask("POST", "/orders", json=order)
    assert given.status_code == 201, given.text
    while (state := told(pilot, f"/orders/{given.json()['id']}")["state"]) not in {"accepted", "done"}:
        assert time.monotonic() < end, state
        time.sleep(0.2)
