"""What is installed, what is missing, and what each missing thing would give."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ["Finding", "examine", "findings"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    name
        What.
    found
        Version or figure; None when it is missing.
    needed
        Whether Vedette does not work without it.
    gives
        What it gives, or would.
    """

    name: str
    found: str | None
    needed: bool
    gives: str


_PACKAGES = (
    ("pymavlink", "pymavlink", True, "MAVLink messages"),
    ("av", "av", True, "video in and out"),
    ("opencv-python-headless", "cv2", True, "pictures"),
    ("openvino", "openvino", False, "inference, faster on most Intel processors"),
    ("onnxruntime", "onnxruntime", True, "inference"),
    ("shapely", "shapely", True, "geometry"),
    ("fastapi", "fastapi", True, "the service"),
    ("ultralytics-opencv-headless", "ultralytics", False, "training, export: pip install vedette[train]"),
    ("pyarrow", "pyarrow", False, "flight logs as tables: pip install vedette[logs]"),
    ("paho-mqtt", "paho", False, "cues of simulated sensors to a broker: pip install vedette[mqtt]"),
    ("aiomqtt", "aiomqtt", False, "the service at a broker: pip install vedette[mqtt]"),
    ("psycopg", "psycopg", False, "the store in PostgreSQL: pip install vedette[postgres]"),
    ("procrastinate", "procrastinate", False, "video on many machines: pip install vedette[postgres]"),
    ("s3fs", "s3fs", False, "evidence in an S3 store: pip install vedette[s3]"),
    ("opentelemetry-sdk", "opentelemetry.sdk", False, "requests told to a collector: pip install vedette[telemetry]"),
    ("rasterio", "rasterio", False, "GeoTIFF terrain: pip install vedette[gis]"),
    ("pyogrio", "pyogrio", False, "GeoPackage and Shapefile: pip install vedette[gis]"),
    ("dronekit2", "dronekit", False, "DroneKit vehicles: pip install vedette[dronekit]"),
)
"""Distribution, module, whether it is needed, what it gives."""

_PROGRAMS = (
    ("ffmpeg", "SRT streams: apt-get install ffmpeg"),
    ("pg_dump", "backups of a store in PostgreSQL: apt-get install postgresql-client"),
)

_ONE_MODULE = ("onnxruntime", "onnxruntime-gpu")  # whichever was installed last has written over the other


def findings() -> list[Finding]:
    """Look at everything, in the order of the report."""
    packages = [_package(*row) for row in _PACKAGES]
    if all(_installed(name) for name in _ONE_MODULE):
        packages.append(Finding("one ONNX Runtime", None, True, f"uninstall {' and '.join(_ONE_MODULE)}, install one"))
    programs = [Finding(name, shutil.which(name), False, gives) for name, gives in _PROGRAMS]
    return [*map(_look, _FIRST), *packages, *programs, *map(_look, _LAST)]


def examine(console: Console) -> bool:
    """Print the findings; return whether nothing that is needed is missing."""
    found = findings()
    table = Table(title="vedette doctor")
    for heading in ("", "what", "found", "gives"):
        table.add_column(heading, overflow="fold")
    for one in found:
        mark = "[green]ok[/]" if one.found else "[red]missing[/]" if one.needed else "[yellow]absent[/]"
        table.add_row(mark, one.name, escape(one.found or ""), escape(one.gives))
    console.print(table)
    return all(one.found or not one.needed for one in found)


@dataclass(frozen=True, slots=True)
class _Look:
    """Something that is looked at by a function of its own: what it finds, or None."""

    name: str
    find: Callable[[], str | None]
    needed: bool
    gives: str


def _look(one: _Look) -> Finding:
    """Look; what cannot be looked at for want of a package is not there, and that package is named."""
    try:
        return Finding(one.name, one.find(), one.needed, one.gives)
    except ImportError as error:
        return Finding(one.name, None, one.needed, f"{one.gives}; not without {error.name or error}")


def _package(distribution: str, module: str, needed: bool, gives: str) -> Finding:
    try:
        version = metadata.version(distribution) if importlib.util.find_spec(module) else None
    except metadata.PackageNotFoundError:
        version = "present, of another distribution"
    how = f"{gives}: pip install {distribution}" if needed and version is None else gives
    return Finding(distribution, version, needed, how)


def _others() -> str:
    """How many others there are that the installed Vedette says it needs; raises ModuleNotFoundError without one."""
    said = [text for text in metadata.requires("vedette") or () if "extra ==" not in text]
    names = {re.split(r"[^A-Za-z0-9._-]", text, maxsplit=1)[0] for text in said} - {name for name, *_ in _PACKAGES}
    missing = sorted(name for name in names if not _installed(name))
    if missing:
        raise ModuleNotFoundError(name=", ".join(missing))
    return str(len(names))


def _installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def _python() -> str | None:
    return platform.python_version() if sys.version_info >= (3, 11) else None


def _memory() -> str | None:
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} processors, {gib:.0f} GiB" if gib >= 2 else None


def _disk() -> str | None:
    gib = shutil.disk_usage(Path.cwd()).free / 2**30
    return f"{gib:.0f} GiB" if gib >= 0.5 else None


def _codecs() -> str | None:
    import av.codec  # noqa: PLC0415 - a missing package must not stop the doctor

    return ", ".join(name for name in ("libx264", "h264", "hevc") if name in av.codec.codecs_available) or None


def _decoders() -> str | None:
    from vision import decoding_devices  # noqa: PLC0415 - a missing package must not stop the doctor

    return ", ".join(decoding_devices()) or None


def _engines() -> str | None:
    names = []
    if importlib.util.find_spec("onnxruntime"):
        import onnxruntime  # noqa: PLC0415 - takes a second to load

        names += [f"onnxruntime {p.removesuffix('ExecutionProvider')}" for p in onnxruntime.get_available_providers()]
    if importlib.util.find_spec("openvino"):
        import openvino  # noqa: PLC0415 - takes a second to load

        names += [f"openvino {device}" for device in openvino.Core().available_devices]
    return ", ".join(names) or None


def _model() -> str | None:
    from vision import SHIPPED_MODELS, read_model_file  # noqa: PLC0415 - as above

    found = [f"{path.name} {read_model_file(path).sha256[:12]}" for path in SHIPPED_MODELS.values() if path.exists()]
    return ", ".join(found) if len(found) == len(SHIPPED_MODELS) else None


def _borders() -> str | None:
    from missions import countries  # noqa: PLC0415 - as above

    return f"{len(countries())} countries"


_FIRST = (
    _Look("vedette", lambda: metadata.version("vedette"), True, "what this is, for a report of a fault"),
    _Look("Python 3.11 or later", _python, True, "everything"),
    _Look("machine", _memory, True, "2 GiB of memory carry the demonstration"),
    _Look("free disk here", _disk, True, "room for clips: 0.5 GiB at least"),
)
_LAST = (
    _Look("other packages", _others, True, "all the rest"),
    _Look("video codecs", _codecs, True, "H.264 and H.265"),
    _Look("decoding devices", _decoders, False, "video decoded beside the processor"),
    _Look("inference devices", _engines, True, "the faster is chosen at first use"),
    _Look("shipped detectors", _model, True, "persons and vehicles from the air"),
    _Look("land borders", _borders, True, "Natural Earth 1:10m"),
)
