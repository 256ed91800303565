"""What is installed, what is missing, and what each missing thing would give."""

from __future__ import annotations

import importlib.util
import os
import platform
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
    ("dronekit2", "dronekit", False, "DroneKit vehicles: pip install vedette[dronekit]"),
)


_ONE_MODULE = ("onnxruntime", "onnxruntime-gpu")  # whichever was installed last has written over the other


def findings() -> list[Finding]:
    """Look at everything, in the order of the report."""
    first: tuple[Callable[[], Finding], ...] = (_python, _memory, _disk)
    last: tuple[Callable[[], Finding], ...] = (_codecs, _decoders, _engines, _model, _borders)
    packages = [_package(*row) for row in _PACKAGES]
    if all(_installed(name) for name in _ONE_MODULE):
        packages.append(Finding("one ONNX Runtime", None, True, f"uninstall {' and '.join(_ONE_MODULE)}, install one"))
    return [*(check() for check in first), *packages, *(check() for check in last)]


def examine(console: Console) -> bool:
    """Print the findings; return whether nothing that is needed is missing."""
    found = findings()
    table = Table(title="vedette doctor")
    for heading in ("", "what", "found", "gives"):
        table.add_column(heading)
    for one in found:
        mark = "[green]ok[/]" if one.found else "[red]missing[/]" if one.needed else "[yellow]absent[/]"
        table.add_row(mark, one.name, one.found or "", escape(one.gives))
    console.print(table)
    return all(one.found or not one.needed for one in found)


def _package(distribution: str, module: str, needed: bool, gives: str) -> Finding:
    try:
        version = metadata.version(distribution) if importlib.util.find_spec(module) else None
    except metadata.PackageNotFoundError:
        version = "present, of another distribution"
    return Finding(distribution, version, needed, gives)


def _installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def _python() -> Finding:
    version = platform.python_version() if sys.version_info >= (3, 11) else None
    return Finding("Python 3.11 or later", version, True, "everything")


def _memory() -> Finding:
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    text = f"{os.cpu_count()} processors, {gib:.0f} GiB"
    return Finding("machine", text if gib >= 2 else None, True, "2 GiB of memory carry the demonstration")


def _disk() -> Finding:
    gib = shutil.disk_usage(Path.cwd()).free / 2**30
    return Finding("free disk here", f"{gib:.0f} GiB" if gib >= 0.5 else None, True, "room for clips: 0.5 GiB at least")


def _codecs() -> Finding:
    import av.codec  # noqa: PLC0415 - a missing package must not stop the doctor

    names = [name for name in ("libx264", "h264", "hevc") if name in av.codec.codecs_available]
    return Finding("video codecs", ", ".join(names) or None, True, "H.264 and H.265")


def _decoders() -> Finding:
    from vision import decoding_devices  # noqa: PLC0415 - a missing package must not stop the doctor

    gives = "video decoded beside the processor"
    return Finding("decoding devices", ", ".join(decoding_devices()) or None, False, gives)


def _engines() -> Finding:
    names = []
    if importlib.util.find_spec("onnxruntime"):
        import onnxruntime  # noqa: PLC0415 - takes a second to load

        names += [f"onnxruntime {p.removesuffix('ExecutionProvider')}" for p in onnxruntime.get_available_providers()]
    if importlib.util.find_spec("openvino"):
        import openvino  # noqa: PLC0415 - takes a second to load

        names += [f"openvino {device}" for device in openvino.Core().available_devices]
    return Finding("inference devices", ", ".join(names) or None, True, "the faster is chosen at first use")


def _model() -> Finding:
    from vision import SHIPPED_MODELS, read_model_file  # noqa: PLC0415 - as above

    found = [f"{path.name} {read_model_file(path).sha256[:12]}" for path in SHIPPED_MODELS.values() if path.exists()]
    whole = ", ".join(found) if len(found) == len(SHIPPED_MODELS) else None
    return Finding("shipped detectors", whole, True, "persons and vehicles from the air")


def _borders() -> Finding:
    from missions import countries  # noqa: PLC0415 - as above

    return Finding("land borders", f"{len(countries())} countries", True, "Natural Earth 1:10m")
