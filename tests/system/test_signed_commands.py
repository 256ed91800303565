"""Signed flights over TCP, as a person commands them."""

import json
import os
import subprocess
import sys

import pytest

import missions
import vedette
from tests.programs import Program
from tests.system.test_safety import HOME, row


@pytest.fixture
def flying(tmp_path, monkeypatch):
    """`vedette sim` over TCP with a key, until the test ends; its link."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "key").write_bytes(bytes(range(200, 232)))
    arguments = ["sim", "--home", ",".join(map(str, HOME)), "--speedup", "50", "--port", "0", "--tcp"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, vedette.__file__, *arguments, "--signing-key", str(tmp_path / "key"), "--seconds", "300"]
    with Program(command, stdout=subprocess.PIPE, text=True, env=environment) as it:
        try:
            words = it.stdout.readline().split()
            assert words[:4] == ["vehicle", "1", "listens", "on"]
            yield words[4]
        finally:
            it.terminate()


def test_a_signed_vehicle_is_flown_by_command(flying, run, tmp_path):
    assert flying.startswith("tcp:127.0.0.1:")
    plan, report = tmp_path / "line.plan", tmp_path / "flight.json"
    missions.write_qgc_plan(row(30.0, places=3, step=5000), plan)
    asked = ["fly", plan, "--link", flying, "--time-scale", 50, "--json", report, "--wait", 60]
    (tmp_path / "other").write_text("another passphrase\n")
    wrong = run(*asked[:-1], 2, "--signing-key", tmp_path / "other")
    assert wrong.code == 1
    assert "give the vehicle's key" in " ".join(wrong.err.split())
    ran = run(*asked, "--signing-key", tmp_path / "key")
    assert ran.code == 0, ran.err
    assert json.loads(report.read_text())["completed"]
    clock = tmp_path / "state" / "vedette" / "signing-clock"
    assert int(clock.read_text()) > 0


def test_a_key_that_is_none_is_one_line(run, tmp_path):
    (tmp_path / "key").write_bytes(b"\xff" * 31)
    for command in (["fly", "x.plan", "--link", "udp:127.0.0.1:1"], ["sim", "--home", "31,-110,0"]):
        ran = run(*command, "--signing-key", tmp_path / "key")
        assert ran.code == 1
        assert "holds no signing key" in " ".join(ran.err.split())
