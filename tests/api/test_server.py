"""The service over a real socket, and its client."""

import json
import logging
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from api import Client, ClientError, RefusedError, Settings, SettingsError, running, verify_audit
from api.server import JsonLines, _Server, serve
from tests.api.samples import CLIP, agreement_json, crossing_json
from tests.certificates import certificate

ROOT = Path(__file__).parents[2]


def test_who_comes_as_soon_as_the_address_is_told_is_not_refused(tmp_path, monkeypatch):
    """Though the server does not run yet."""
    monkeypatch.setattr(_Server, "run", lambda *_args, **_more: None)
    monkeypatch.setattr("api.server._log_to_stderr", lambda: None)
    came = []

    def announce(line):
        if line.startswith("serving "):
            host, port = line.rpartition("http://")[2].split(":")
            with socket.create_connection((host, int(port)), 10) as peer:
                came.append(peer.getpeername())

    serve(Settings(tmp_path / "store", port=0), announce=announce)
    assert len(came) == 1


def test_the_way_through(tmp_path):
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    (evidence / "a.ts").write_bytes(CLIP)
    (evidence / "a.json").write_bytes(b"{}")
    with running(Settings(tmp_path / "store", port=0)) as service:
        with Client(service.url, service.admin.key) as admin:
            keys = {role: admin.create_key(role, role) for role in ("analyst", "supervisor", "auditor")}
            keys["pilot"] = admin.create_key("pilot", "pilot", sources=["*"])
            bravo = admin.create_partner("bravo")["id"]
            keys["bravo"] = admin.create_key("bravo", "partner", partner_id=bravo)
            admin.create_agreement(**agreement_json(bravo, fields=["kind", "position", "clip"]))
        with Client(service.url, keys["pilot"], spool=tmp_path / "spool") as pilot:
            report = pilot.deliver(crossing_json(), evidence)
            (crossing_id,) = [answer["id"] for answer in report.delivered]
            assert report.waiting == 0
        with Client(service.url, keys["supervisor"]) as supervisor, Client(service.url, keys["bravo"]) as partner:
            with pytest.raises(RefusedError, match="not confirmed") as refused:
                supervisor.release(crossing_id, bravo)
            assert refused.value.status == 409
            with Client(service.url, keys["analyst"]) as analyst:
                assert analyst.review(crossing_id, "confirm")["verdict"] == "confirm"
                assert analyst.evidence(crossing_id) == CLIP
                assert [event["kind"] for event in analyst.events(after=8)][-1] == "crossing.reviewed"
            release_id = supervisor.release(crossing_id, bravo, reason="joint patrol")["id"]
            assert [feature["id"] for feature in partner.crossings(from_="2026-01-01T00:00:00Z")] == [crossing_id]
            assert partner.evidence(crossing_id) == CLIP
            supervisor.recall(release_id, reason="sent in error")
            assert list(partner.crossings()) == []
            with pytest.raises(RefusedError, match="404"):
                partner.evidence(crossing_id)
        with Client(service.url, keys["auditor"]) as auditor:
            assert auditor.verify_audit()["intact"] is True
            assert auditor.audit(limit=1)["entries"][0]["body"]["action"] == "key.issue"
        assert verify_audit(service.store).seq > 10
        url = service.url
    with Client(url, keys["pilot"]) as pilot, pytest.raises(ClientError, match=url):  # it has stopped
        pilot.me()
    with running(Settings(tmp_path / "store", port=0)) as service:  # and what it knew is still there
        assert service.admin is None
        with Client(service.url, keys["analyst"]) as analyst:
            assert [feature["id"] for feature in analyst.crossings()] == [crossing_id]


def test_a_spooled_crossing_waits_for_the_service(tmp_path):
    with running(Settings(tmp_path / "store", port=0)) as service:
        port = int(service.url.rsplit(":", 1)[1])
        with Client(service.url, service.admin.key) as admin:
            key = admin.create_key("pilot", "pilot", sources=["*"])
    with Client(f"http://127.0.0.1:{port}", key, spool=tmp_path / "spool") as pilot:
        report = pilot.deliver(crossing_json(evidence=None))
        assert report.waiting == 1
        assert str(port) in report.error
        with running(Settings(tmp_path / "store", port=port)):
            report = pilot.flush(wait_s=20)
        assert [answer["outcome"] for answer in report.delivered] == ["created"]


def test_a_taken_port_is_said(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port}"), running(Settings(tmp_path, port=port)):
            pass


SERVE = """
import sys
from pathlib import Path
from api import Settings, serve
serve(Settings(Path(sys.argv[1]), port=0), announce=lambda line: print(line, flush=True))
"""


def test_serving_shows_the_first_key_once_and_stops_when_told(tmp_path):
    command = [sys.executable, "-c", SERVE, str(tmp_path / "store")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    key, url = (process.stdout.readline().split()[-1] for _ in range(2))
    for _ in range(200):
        try:
            assert httpx.get(f"{url}/ready", verify=False).status_code == 200
            break
        except httpx.ConnectError:
            time.sleep(0.05)
    assert httpx.get(f"{url}/me", headers={"Authorization": f"Bearer {key}"}).json()["role"] == "administrator"
    process.send_signal(signal.SIGTERM)
    out, log = process.communicate(timeout=60)
    assert out == ""
    assert key.startswith("vdt_")
    assert key not in log
    logged = {line["path"]: line for line in map(json.loads, log.splitlines()) if line["event"] == "request"}
    assert logged["/ready"]["status"] == 200
    assert {"time", "level", "request", "ms", "key"} <= logged["/me"].keys()


def test_a_log_line_is_json_whatever_is_in_it():
    record = logging.LogRecord("vedette.api", logging.INFO, "f", 1, 'a "quoted"\nline', (), None)
    record.fields = {"path": "/\n\u2028é"}
    line = JsonLines().format(record)
    assert "\n" not in line
    assert json.loads(line)["path"] == "/\n\u2028é"


def test_a_client_trusts_the_authority_that_its_machine_trusts(tmp_path, monkeypatch):
    own, key, _ = certificate(tmp_path, "service")
    with running(Settings(tmp_path / "store", port=0, tls_certificate=own, tls_key=key)) as service:
        secret = service.admin.key
        with Client(service.url, secret) as stranger, pytest.raises(ClientError, match="certificate"):
            stranger.me()
        monkeypatch.setenv("SSL_CERT_FILE", str(own))
        for url in (service.url, service.url.replace("https", "HTTPS")):
            with Client(url, secret) as ours:
                assert ours.me()["role"] == "administrator"


def test_without_tls_neither_a_service_nor_its_client_reads_certificates(tmp_path, monkeypatch):
    """They take longer to read than all the rest of a request: a program of few requests is mostly that."""
    read = []
    for name in ("load_verify_locations", "load_default_certs"):
        monkeypatch.setattr(ssl.SSLContext, name, lambda *given, **more: read.append((given, more)))
    with running(Settings(tmp_path / "store", port=0)) as service, Client(service.url, service.admin.key) as client:
        assert client.me()["role"] == "administrator"
    assert read == []
