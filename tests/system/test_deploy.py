"""The units and the compose file of docs/deploy: read by systemd, their commands ours, the service of one started."""

import configparser
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import typer
import yaml

import vedette
from api.app import ROUTES
from cli.commands import app
from tests.ports import free_port
from tests.services import absent

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy"
PROGRAM = "/opt/vedette/bin/vedette"
UNITS = ("vedette.service", "vedette-worker.service")


def unit(name):
    read = configparser.ConfigParser(interpolation=None, strict=True)
    read.optionxform = str
    read.read(DEPLOY / name)
    return read


def parsed(words, environment):
    """What our command line makes of words in an environment; refuses as it does."""
    root = typer.main.get_command(app)
    command = root.commands[words[0]]
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("VEDETTE_KEY", "VEDETTE_DATABASE"):
            patch.delenv(variable, raising=False)
        for variable, value in environment.items():
            patch.setenv(variable, value)
        return command.make_context(words[0], list(words[1:])).params


@pytest.mark.parametrize("name", UNITS)
def test_systemd_finds_nothing_to_complain_of(tmp_path, name):
    if shutil.which("systemd-analyze") is None:
        absent("systemd-analyze is absent: .ci/services installs it")
    program, folder = tmp_path / PROGRAM[1:], tmp_path / "etc" / "systemd" / "system"
    for path in (program.parent, folder):
        path.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    shutil.copy(DEPLOY / name, folder)
    # Units that it hangs on are of the machine, and none are in this folder.
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", f"--root={tmp_path}"]
    command.append(f"/etc/systemd/system/{name}")
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_writes_where_systemd_lets_it_and_its_command_is_ours(name):
    service = unit(name)["Service"]
    state = f"/var/lib/{service['StateDirectory']}"
    program, *words = shlex.split(service["ExecStart"])
    assert program == PROGRAM
    given = dict([service["Environment"].split("=", 1)]) if "Environment" in service else {}
    params = parsed(words, given | ({"VEDETTE_KEY": "key"} if "EnvironmentFile" in service else {}))
    written = params["store" if words[0] == "serve" else "out"]
    assert written.is_relative_to(state)  # all else is read-only under ProtectSystem=strict
    assert service["ProtectSystem"] == "strict"


def test_the_service_of_the_unit_answers_and_stops_when_told(tmp_path):
    """Its command as it stands, with the state folder and the port of a test."""
    service, port = unit("vedette.service")["Service"], free_port()
    _, *words = shlex.split(service["ExecStart"].replace(f"/var/lib/{service['StateDirectory']}", str(tmp_path / "s")))
    command = [sys.executable, vedette.__file__, *words, "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd="/", stdout=log, stderr=log, env=os.environ | {"HOME": "/nonexistent"})
    try:
        end, status = time.monotonic() + 120, None
        while status != 200:
            alive = process.poll() is None and time.monotonic() < end
            assert alive, (tmp_path / "log").read_text()
            with suppress(httpx.TransportError):
                status = httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False, verify=False).status_code
            time.sleep(0.1)
        process.terminate()
        assert process.wait(120) in {0, -signal.SIGTERM}  # both are a good end to systemd
    finally:
        process.kill()
        process.wait()
    assert list((tmp_path / "s").iterdir())


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_a_command_of_the_compose_file_is_ours_and_its_paths_are_mounted(compose):
    for name in ("service", "worker"):
        told = compose["services"][name]
        program, *words = shlex.split(told["command"])
        assert program == "vedette"
        params = parsed(words, told["environment"] | ({"VEDETTE_KEY": "key"} if "env_file" in told else {}))
        mounts = {Path(one.split(":")[1]): one.endswith(":ro") for one in told["volumes"]}
        mounts |= {Path("/run/secrets") / one: True for one in told["secrets"]}
        paths = {key: value for key, value in params.items() if isinstance(value, Path)}
        read = [path for key, path in paths.items() if key not in {"store", "out"}]
        read += [Path(value) for value in told["environment"].values() if value.startswith("/")]
        for path in read:
            assert any(path.is_relative_to(mount) for mount in mounts), path
        written = paths.get("store") or paths["out"]
        assert mounts[written] is False  # a volume, or a container that is made anew has lost it
        assert set(mounts) - {Path("/videos")} <= {m for m in mounts for p in [*read, written] if p.is_relative_to(m)}


def test_the_parts_of_the_compose_file_are_there_and_used(compose):
    services = compose["services"]
    volumes = {one.split(":")[0] for told in services.values() for one in told["volumes"]}
    assert {one for one in volumes if not one.startswith(".")} == set(compose["volumes"])
    assert {one for told in services.values() for one in told["secrets"]} == set(compose["secrets"])
    head = "".join(line for line in (DEPLOY / "compose.yaml").read_text().splitlines(True) if line.startswith("#"))
    brought = {one["file"] for one in compose["secrets"].values()} | {one for one in volumes if one.startswith(".")}
    brought |= {told["env_file"] for told in services.values() if "env_file" in told}
    for path in brought:
        place, _, name = path.removeprefix("./").partition("/")
        assert f"{place}/" in head or place in head, path
        assert name in head, path
    for told in services.values():
        for other, how in told.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert "healthcheck" in services[other]


def test_hosts_ports_and_routes_of_the_compose_file_are_those_of_the_service(compose):
    services = compose["services"]
    params = parsed(shlex.split(services["service"]["command"])[1:], {})
    port = params["port"] or 8470
    assert services["service"]["ports"] == [f"{port}:{port}"]
    (check,) = re.findall(r"https://(\w+):(\d+)(/\w+)", services["service"]["healthcheck"]["test"][-1])
    assert check[:2] == ("service", str(port))
    assert ("GET", check[2]) in {(route.method, route.path) for route in ROUTES}
    environment = services["worker"]["environment"] | {"VEDETTE_KEY": "key"}
    worker = parsed(shlex.split(services["worker"]["command"])[1:], environment)
    assert worker["url"] == f"https://service:{port}"
    for name in ("service", "worker"):
        assert services[name]["environment"]["VEDETTE_DATABASE"] == "postgresql://vedette@db/vedette"
    assert services["db"]["environment"]["POSTGRES_USER"] == services["db"]["environment"]["POSTGRES_DB"] == "vedette"
