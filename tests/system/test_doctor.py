"""`vedette doctor`: what is installed and what is missing, also where what it looks with is missing; the version."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cli.doctor import findings

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_it_finds_what_the_demonstration_needs(run):
    ran = run("doctor")
    assert ran.code == 0
    assert "missing" not in ran.out
    assert "shipped detector" in ran.out


def test_every_package_and_every_extra_is_looked_at():
    """Who misses one is told here and nowhere else."""
    rows = findings()
    for extra in PROJECT["optional-dependencies"].keys() - {"dev"}:
        assert any(f"pip install vedette[{extra}]" in row.gives for row in rows), extra
    named = {row.name for row in rows}
    others = [text for text in PROJECT["dependencies"] if re.match(r"[\w-]+", text)[0] not in named]
    assert [row.found for row in rows if row.name == "other packages"] == [str(len(others))]


@pytest.mark.parametrize(
    ("package", "module"), [("av", "av"), ("opencv-python-headless", "cv2"), ("shapely", "shapely"), ("scipy", "scipy")]
)
def test_it_comes_to_its_end_without_a_package(package, module):
    """It is asked when an installation is not whole, and looks with the packages that it looks for."""
    without = f"import sys; sys.modules[{module!r}] = None; import vedette; vedette.main()"
    ran = subprocess.run(
        [sys.executable, "-c", without, "doctor"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr == ""
    assert re.search(rf"missing .*(pip install {package}|not without {module})", ran.stdout)
    assert "land borders" in ran.stdout


def test_the_version_is_told(run):
    ran = run("--version")
    assert (ran.code, ran.out, ran.err) == (0, f"vedette {PROJECT['version']}\n", "")
