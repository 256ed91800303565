"""A package's public face is exactly its ``__all__``, and imports run downwards only."""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAY_IMPORT = {
    "geo": set(),
    "missions": {"geo"},
    "autopilot": {"missions", "geo"},
    "vision": {"geo"},
    "sim": {"geo"},
    "api": {"missions", "vision", "autopilot", "geo"},
}


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_face_is_all(room):
    face = importlib.import_module(room)
    assert sorted(face.__all__) == sorted(set(face.__all__))
    for name in face.__all__:
        assert getattr(face, name) is not None
    assert face.__doc__


@pytest.mark.parametrize("room", ["api", "geo", "missions", "sim"])
def test_no_name_of_a_face_that_loads_late_is_a_module(room):
    """Whoever imports that module puts it in the place of the name: such a name is there from the first."""
    code = f"import {room}; print(*vars({room}))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    there, face = set(ran.stdout.split()), importlib.import_module(room)
    late = set(face.__all__) - there
    assert len(late) > len(face.__all__) / 2
    assert not late & {path.stem for path in (ROOT / room).iterdir()}
    assert not [name for name in set(face.__all__) & there if inspect.ismodule(getattr(face, name))]


@pytest.mark.parametrize("room", ["api", "geo", "sim"])
def test_a_face_that_loads_late_lists_its_names_before(room):
    """For whoever completes a name by the Tab key, and for `help`."""
    listed = f"import {room}, sys; print(*dir({room})); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True, cwd=ROOT)
    names, loaded = (set(line.split()) for line in ran.stdout.splitlines())
    assert set(importlib.import_module(room).__all__) <= names
    assert not loaded & {"numpy", "sqlalchemy"}


@pytest.mark.parametrize(
    ("code", "needless"),
    [
        ("import api; api.Client, api.Spool", {"sqlalchemy", "fastapi", "uvicorn", "missions"}),
        ("import api.planning.worker", {"sqlalchemy", "fastapi", "uvicorn"}),
        ("import sim; sim.start_fleet", {"cv2", "pydantic", "httpx", "pyproj", "shapely", "yaml"}),
        ("import cli.commands", {"numpy", "pyproj", "shapely"}),
        ("import autopilot; autopilot.fly_patrol", {"highspy", "lxml", "matplotlib", "uas_standards"}),
    ],
)
def test_whoever_asks_for_a_part_loads_no_other(code, needless):
    seen = f"{code}\nimport sys\nprint(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not needless & set(ran.stdout.split())


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_imports_run_downwards_and_through_the_face(room):
    wrong = []
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                modules = [node.module]
            elif isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            else:
                continue
            for module in modules:
                top = module.split(".")[0]
                ours = top in MAY_IMPORT or top in {"bench", "tests", "vedette"}
                if ours and top != room and (top not in MAY_IMPORT[room] or "." in module):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} imports {module}")
    assert wrong == []


SERVICE = (
    "store", "trail", "records", "release", "review", "ingest", "feeds", "live", "orders", "pictures", "planning",
    "launches", "outlets", "tak", "sensors", "cap", "ogc", "account", "jobs",
)  # fmt: skip
"""Packages of `api`, each of which may import those before it. `identity.roles` is below all, `identity` beside."""


def test_imports_of_the_service_run_downwards():
    wrong = []
    for path in (ROOT / "api").rglob("*.py"):
        place = path.relative_to(ROOT / "api").parts[0]
        if place not in SERVICE:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("api."):
                continue
            other = node.module.split(".")[1]
            above = other in SERVICE and SERVICE.index(other) > SERVICE.index(place)
            if above or other in {"app", "gate", "server"}:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} imports {node.module}")
    assert wrong == []
