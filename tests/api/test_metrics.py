"""Figures, readiness and the end of a running service."""

import hashlib
import shutil
import sqlite3
import threading
import time

import httpx
import pytest
from opentelemetry import trace
from prometheus_client.parser import text_string_to_metric_families

from api import Client, Settings, Store, create_admin, create_app, running
from api.store.objects import ObjectFolder
from tests.api.conftest import ON_SQLITE, InProcess
from tests.api.samples import crossing_json, packets


def samples(service, who="administrator"):
    answer = service.ask(who, "GET", "/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.text)
    return {(item.name, *sorted(item.labels.values())): item.value for family in families for item in family.samples}


@ON_SQLITE
def test_requests_are_counted_by_route(service, crossing):
    record_id = service.deliver(crossing())
    service.ask("analyst", "GET", f"/crossings/{record_id}")
    service.ask("analyst", "GET", f"/crossings/{'f' * 32}")
    assert service.seen_by("analyst") == service.seen_by("analyst") == [record_id]  # the second is ready
    service.http.get(f"/nowhere/{record_id}")
    service.http.request("BREW", "/coffee")
    found = samples(service)
    assert found["vedette_requests_total", "/crossings/{record_id}", "200", "GET"] == 1
    assert found["vedette_requests_total", "/crossings/{record_id}", "404", "GET"] == 1
    assert found["vedette_requests_total", "/crossings", "200", "GET"] == 2
    assert found["vedette_requests_total", "401", "GET", "none"] == 1
    assert found["vedette_requests_total", "401", "OTHER", "none"] == 1
    assert found["vedette_request_seconds_count", "/crossings", "POST"] == 1
    assert found[("vedette_requests_running",)] == 1  # the scrape itself
    assert found[("vedette_store_readable",)] == 1
    assert found[("vedette_audit_entries",)] > 5
    assert found[("vedette_disk_free_bytes",)] > 0


@ON_SQLITE
def test_no_label_tells_of_anybody(service, crossing):
    bravo = service.partner("bravo-agency")
    service.agree(bravo, fields=["kind", "position"])
    record_id = service.deliver(crossing("track-77", owner="Zanzibar"))
    service.judge(record_id)
    service.release(record_id, bravo)
    service.seen_by("bravo-agency", bbox="-111,31,-110,32")
    service.http.get("/zanzibar-in-the-path")
    text = service.ask("administrator", "GET", "/metrics").text
    for word in (bravo, record_id, "bravo-agency", "Zanzibar", "zanzibar", "track-77", "vehicle-1", "-111", "analyst"):
        assert word not in text
    before = text.count("\n")
    for number in range(50):  # whoever asks for many paths makes no more series
        service.http.get(f"/{number}")
        service.ask("analyst", "GET", f"/crossings/{number:032x}")
    assert service.ask("administrator", "GET", "/metrics").text.count("\n") - before < 25


@ON_SQLITE
def test_a_key_of_the_scraper_may_nothing_else(service):
    service.key("prometheus", "administrator", scopes=["metrics.read"])
    assert samples(service, "prometheus")
    assert service.ask("prometheus", "GET", "/keys").status_code == 403
    for role in ("analyst", "auditor", "pilot", "supervisor"):
        assert service.ask(role, "GET", "/metrics").status_code == 403
    assert service.http.get("/metrics").status_code == 401


def test_readiness_names_what_fails_to_whoever_may_know(service, monkeypatch):
    def parts():
        return service.ask("administrator", "GET", "/ready/parts").json()

    assert parts() == {"ready": True, "parts": dict.fromkeys(("database", "objects", "audit", "clock"), "ready")}
    folder = service.store.objects.folder
    shutil.rmtree(folder)
    assert "object folder" in parts()["parts"]["objects"]
    assert parts()["ready"] is False
    answer = service.http.get("/ready")
    assert answer.status_code == 503
    assert str(folder) not in answer.text
    assert "detail" not in answer.json()
    folder.mkdir()
    assert service.http.get("/ready").status_code == 200
    assert service.ask("auditor", "GET", "/ready/parts").status_code == 403


def test_a_store_that_takes_no_writes_is_not_ready(tmp_path, caplog):
    store = Store(tmp_path / "store", busy_timeout_s=0.05)
    headers = {"Authorization": f"Bearer {create_admin(store).key}"}
    app = create_app(Settings(store.directory), store)
    other = sqlite3.connect(store.directory / "vedette.sqlite", isolation_level=None)
    with httpx.Client(transport=InProcess(app), base_url="http://vedette.test") as http:
        assert http.get("/ready/parts", headers=headers).json()["ready"]
        other.execute("BEGIN IMMEDIATE")
        body = http.get("/ready/parts", headers=headers).json()
        assert (body["ready"], "locked" in body["parts"]["database"], body["parts"]["audit"]) == (False, True, "ready")
        assert http.get("/ready").status_code == 503
        # And the log says it, where nobody can be let in to ask.
        assert "locked" in str([vars(record).get("fields") for record in caplog.records])
        assert http.get("/health").status_code == 200
        other.execute("ROLLBACK")
        assert http.get("/ready").status_code == 200
    other.close()
    store.close()


def test_a_request_in_progress_ends_well_when_the_service_is_stopped(tmp_path):
    """An upload is under way when the stop comes: it is taken whole; nobody new gets in."""
    content = packets(b"slow clip" * 1000)
    evidence = {**crossing_json()["evidence"], "sha256": hashlib.sha256(content).hexdigest()}
    begun, go_on, answers = threading.Event(), threading.Event(), []

    def slowly():
        yield content[:4000]
        begun.set()
        go_on.wait(20)
        yield content[4000:]

    with running(Settings(tmp_path / "store", port=0)) as service:
        with Client(service.url, service.admin.key) as admin:
            pilot = admin.create_key("pilot", "pilot", sources=["*"])
        headers = {"Authorization": f"Bearer {pilot}"}
        made = httpx.post(f"{service.url}/crossings", json=crossing_json(evidence=evidence), headers=headers).json()
        url = f"{service.url}/crossings/{made['id']}/evidence/clip"
        upload = threading.Thread(
            target=lambda: answers.append(httpx.put(url, content=slowly(), headers=headers, timeout=30))
        )
        upload.start()
        begun.wait(20)
        time.sleep(0.1)

        def later():
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:  # until nobody new gets in: the stop has begun
                try:
                    httpx.get(f"{service.url}/health", timeout=20, verify=False)
                except httpx.TransportError:
                    break
                time.sleep(0.02)
            go_on.set()

        watcher = threading.Thread(target=later)
        watcher.start()
    upload.join(20)
    watcher.join(20)
    assert [answer.status_code for answer in answers] == [200]
    store = ObjectFolder(tmp_path / "store" / "objects")
    assert [item.size for item in store.kept()] == [len(content)]
    store.local(evidence["sha256"])


class _Recorder(trace.TracerProvider, trace.Tracer):
    """Writes down the names and attributes of spans."""

    def __init__(self):
        self.spans = []

    def get_tracer(self, *_args, **_more):
        return self

    def start_span(self, name, *_args, attributes=None, **_more):
        self.spans.append((name, dict(attributes or {})))
        return trace.INVALID_SPAN

    start_as_current_span = start_span


@ON_SQLITE
@pytest.mark.parametrize("asked", [False, True])
def test_opentelemetry_is_told_only_when_asked_for(service, monkeypatch, asked):
    recorder = _Recorder()
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", recorder)
    app = create_app(Settings(service.store.directory, opentelemetry=asked), service.store)
    with httpx.Client(transport=InProcess(app), base_url="http://vedette.test") as http:
        assert http.get("/health", headers={"Authorization": f"Bearer {service.keys['pilot']}"}).status_code == 200
    assert bool(recorder.spans) is asked
    assert service.keys["pilot"] not in str(recorder.spans)
