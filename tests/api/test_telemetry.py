"""OpenTelemetry: the real SDK in a real service, and a collector of the test that it speaks to over a socket."""

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from api import Settings, create_app
from tests.api.conftest import ON_SQLITE, InProcess
from tests.ports import free_port
from tests.services import absent

ROOT = Path(__file__).parents[2]
SERVE = """
import sys
from pathlib import Path
from api import Settings, serve
serve(Settings(Path(sys.argv[1]), port=0, opentelemetry=True), announce=lambda line: print(line, flush=True))
"""
SAID = "c4f1-said-in-a-query"


class Collector(ThreadingHTTPServer):
    """Takes what is exported over OTLP, and keeps it."""

    def __init__(self):
        self.taken = []
        super().__init__(("127.0.0.1", 0), Intake)


class Intake(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, gzip.decompress(body) if "Content-Encoding" in self.headers else body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_about):
        """Nothing."""


@pytest.fixture
def collector():
    if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter") is None:
        absent("the SDK of OpenTelemetry is absent: install the extra `telemetry`")
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        yield collector
        collector.shutdown()
        thread.join()


@contextmanager
def served(folder, port, logged):
    """A service in a process of its own, with its address and first key; its log comes at the end.

    By then it has told the collector at `port` all, or has given up.
    """
    environment = os.environ | {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "2",  # seconds
    }
    command = [sys.executable, "-c", SERVE, str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            key, url = (process.stdout.readline().split()[-1] for _ in range(2))
            yield url, key
        finally:
            process.send_signal(signal.SIGTERM)
            logged += map(json.loads, process.communicate(timeout=60)[1].splitlines())


def attributes_of(item):
    return {each.key: each.value.string_value or each.value.int_value for each in item.attributes}


def test_a_collector_hears_how_requests_went_and_nothing_that_was_said_in_them(tmp_path, collector):
    logged = []
    with served(tmp_path / "store", collector.server_port, logged) as (url, key):
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as http:
            assert http.get("/partners", params={"limit": "7"}).status_code == 200
            assert http.get("/me", params={SAID: SAID}).status_code == 400
            assert http.delete("/releases/" + "0" * 32, params={"reason": SAID}).status_code == 403
        answer = httpx.get(f"{url}/oidc/callback", params={"state": SAID, "code": SAID})
        assert answer.status_code == 401  # no login was begun
        body = {"login": SAID, "password": SAID}
        assert httpx.post(f"{url}/login", json=body, headers={"Origin": url}).status_code == 401
    assert {line["event"] for line in logged if line["level"] != "info"} == {"login refused"}
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    traces = [ExportTraceServiceRequest.FromString(body) for path, body in collector.taken if path == "/v1/traces"]
    spans = [s for each in traces for one in each.resource_spans for scope in one.scope_spans for s in scope.spans]
    told = {(found.get("http.route"), found["http.response.status_code"]) for found in map(attributes_of, spans)}
    assert told >= {("/partners", 200), ("/me", 400), ("/login", 401)}
    assert not [one for one in spans if "url.query" in attributes_of(one)]
    figures = [ExportMetricsServiceRequest.FromString(body) for path, body in collector.taken if path == "/v1/metrics"]
    metrics = [
        m for each in figures for one in each.resource_metrics for scope in one.scope_metrics for m in scope.metrics
    ]
    (lasted,) = [one for one in metrics if one.name == "http.server.request.duration"]
    assert sum(point.count for point in lasted.histogram.data_points) == len(spans) == 5
    for secret in (key, SAID):
        assert not [path for path, body in collector.taken if secret.encode() in body]


def test_who_serves_waits_for_no_collector_and_says_that_it_does_not_answer(tmp_path, collector):
    logged = []
    with served(tmp_path / "store", free_port(), logged) as (url, key):
        assert httpx.get(f"{url}/me", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert [line for line in logged if line["event"] == "request" and line["status"] == 200]
    assert [line for line in logged if line["level"] in {"warning", "error"} and "opentelemetry" in line["logger"]]


@ON_SQLITE
@pytest.mark.parametrize("asked", [False, True])
def test_a_request_has_its_query_whether_telemetry_is_asked_for_or_not(service, asked):
    app = create_app(Settings(service.store.directory, opentelemetry=asked), service.store)
    with httpx.Client(transport=InProcess(app), base_url="http://vedette.test") as http:
        headers = {"Authorization": f"Bearer {service.keys['analyst']}"}
        assert http.get("/crossings", params={"limit": "0"}, headers=headers).status_code == 422
        assert http.get("/crossings", params={"limit": "1"}, headers=headers).status_code == 200
