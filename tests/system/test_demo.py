"""The whole loop on a short stretch: what it finds, who sees it, and that the same seed gives the same result."""

import json
import re
import signal
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import httpx
import pytest

import api
import cli
import missions
import vedette
import vision
from tests.programs import Program

SHORT = cli.DemoSettings(length_m=6000, windows=4, crossings=3, speedup=250, seed=11)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    return cli.demonstrate(replace(SHORT, out=tmp_path_factory.mktemp("runs") / "demo"))


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
    assert summary["crossings"]["truth"] == 3
    assert summary["crossings"]["found"] + summary["crossings"]["missed"] == 3
    assert 0 < summary["fps"] < 2 * summary["fps_bare"]


def test_crossings_are_found_and_none_is_false(outcome):
    assert outcome.watched.score.found >= 2
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


def test_the_same_seed_gives_the_same_plan_and_the_same_crossings(outcome, folder, tmp_path):
    again = cli.demonstrate(replace(SHORT, out=tmp_path / "again", speedup=180))
    for name in ("plan.json", "border.geojson", "crossings.jsonl"):
        assert (again.settings.out / name).read_bytes() == (folder / name).read_bytes(), name
    assert again.watched.score == outcome.watched.score


def test_serve_leaves_the_service_up_until_told(tmp_path):
    short = ["--length", "6", "--windows", "2", "--crossings", "1", "--seed", "11"]
    command = [
        sys.executable,
        vedette.__file__,
        "demo",
        *short,
        "--out",
        str(tmp_path / "demo"),
        "--serve",
        "--port",
        "0",
    ]
    with Program(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        key = url = None
        secrets = {}
        for line in process.stdout:
            if match := re.match(r"\W*(analyst|partner)\W+([\w-]+)", line):
                secrets[match[1]] = match[2]
            key = line.split(": ")[1].strip() if line.startswith("administrator key") else key
            if line.startswith("serving "):
                url = line.split(" at ")[1].strip()
                break
        assert key
        assert url
        with api.Client(url, key, timeout_s=60.0) as client:
            assert client.me()["role"] == "administrator"
        assert secrets.keys() == {"analyst", "partner"}
        for login, secret in secrets.items():
            given = {"login": login, "password": secret, "new_password": "nine patient herons wait"}
            answer = httpx.post(f"{url}/login", json=given, headers={"Origin": url})
            assert answer.status_code == 200, answer.text
        assert '<div id="console">' in httpx.get(url).text
        process.send_signal(signal.SIGINT)
        assert process.wait(30) in {0, 130}
