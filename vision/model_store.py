"""Models by name: those that ship, those in the user's folder, and those that a table says where to fetch.

A table (``models.json``) is an object of entries by name::

    {"NAME": {"sha256": HEX, "url": "https://...", "sensor": "thermal", "note": "...",
              "figures": [{"images": "...", "class": "person", "objects": 1004, "px": 640, "ap50": 0.872}]}}

Only the hash must be there. The shipped table tells of the shipped models; one of the same form in the user's folder
adds those of an organisation.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision.errors import ModelError
from vision.model_file import ModelFile, read_model_file
from vision.sensor import SHIPPED_MODELS

__all__ = [
    "MODEL_NAME",
    "ListedModel",
    "ModelEntry",
    "default_model_dir",
    "find_model",
    "list_models",
    "read_model_table",
]

MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")
"""What may name a model."""

SHA256 = re.compile(r"[0-9a-f]{64}")

_TABLE = "models.json"
_SHIPPED_TABLE = next(iter(SHIPPED_MODELS.values())).with_name(_TABLE)


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """What a table says of a model.

    Parameters
    ----------
    name, sha256
        File name without suffix, and the hash of the file in hexadecimal.
    url
        Where to fetch it; None for one that ships.
    sensor
        What it is for.
    note
        In words.
    figures
        Measured on images held out: members ``images``, ``class``, ``objects``, ``px`` (image size), ``ap50``.
    """

    name: str
    sha256: str
    url: str | None = None
    sensor: str | None = None
    note: str | None = None
    figures: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model that is there.

    Parameters
    ----------
    file
        What it says of itself; None where it cannot be read.
    path
        Where it lies.
    shipped
        Whether it came with the program.
    entry
        What a table says of it, by its name.
    problem
        Why it is not to be used: it cannot be read, or is not what the table says.
    """

    path: Path
    shipped: bool
    file: ModelFile | None
    entry: ModelEntry | None
    problem: str | None


def default_model_dir() -> Path:
    """``$VEDETTE_MODELS``, else ``vedette/models`` in the user's data folder."""
    given = os.environ.get("VEDETTE_MODELS")
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(given) if given else Path(base) / "vedette" / "models"


def read_model_table(folder: Path | None = None) -> dict[str, ModelEntry]:
    """Entries of the shipped table and of that in the user's folder, by name.

    Raises
    ------
    ModelError
        When a table is malformed, or the user's says something else of a shipped model.
    """
    entries = _read_table(_SHIPPED_TABLE)
    own = (folder or default_model_dir()) / _TABLE
    if own.exists():
        for name, entry in _read_table(own).items():
            if name in entries:
                raise ModelError(f"{own}: {name} is the name of a shipped model: give it another")
            entries[name] = entry
    return entries


def list_models(folder: Path | None = None) -> list[ListedModel]:
    """All models that are there, those that ship first.

    Raises
    ------
    ModelError
        As `read_model_table`.
    """
    folder = folder or default_model_dir()
    entries = read_model_table(folder)
    own = sorted(path for path in folder.glob("*.onnx") if not path.name.startswith(".")) if folder.is_dir() else []
    return [
        *(_listed(path, entries, shipped=True) for path in SHIPPED_MODELS.values()),
        *(_listed(path, entries, shipped=False) for path in own),
    ]


def find_model(name: str | Path, folder: Path | None = None) -> Path:
    """The file of a model by its path, or by its name where it ships or lies in the user's folder.

    Raises
    ------
    ModelError
        When there is none, or one of that name is not what a table says.
    """
    path = Path(name)
    if path.exists() or path.suffix or len(path.parts) > 1:
        return path  # whether it is a model is for its reader to say
    found = next((one for one in list_models(folder) if one.path.stem == str(name)), None)
    if found is None:
        raise ModelError(f"{name}: there is no such file, and no model of that name: vedette models list shows them")
    if found.problem is not None:
        raise ModelError(found.problem)
    return found.path


def _listed(path: Path, entries: Mapping[str, ModelEntry], *, shipped: bool) -> ListedModel:
    entry = entries.get(path.stem)
    try:
        file = read_model_file(path)
    except ModelError as error:
        return ListedModel(path, shipped, None, entry, str(error))
    problem = None
    if entry is not None and entry.sha256 != file.sha256:
        problem = f"{path}: its hash is {file.sha256}, not {entry.sha256} as the table says: do not use it"
    return ListedModel(path, shipped, file, entry, problem)


def _read_table(path: Path) -> dict[str, ModelEntry]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return {name: _entry(name, row) for name, row in told.items()}
    except OSError as error:
        raise ModelError(f"{path}: the table of models cannot be read ({error.strerror})") from error
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ModelError(f"{path}: is no table of models ({type(error).__name__}: {error}): mend it") from error


def _entry(name: str, row: Mapping[str, Any]) -> ModelEntry:
    strange = sorted(set(row) - set(ModelEntry.__dataclass_fields__))
    if strange or not MODEL_NAME.fullmatch(name):
        raise ValueError(f"entry {name!r} has members that are unknown {strange}" if strange else f"name {name!r}")
    url, sensor, note = texts = [row.get(member) for member in ("url", "sensor", "note")]
    if not SHA256.fullmatch(row["sha256"]) or not all(text is None or isinstance(text, str) for text in texts):
        raise ValueError(f"entry {name!r}: sha256 is 64 digits of 0 to f, all else text")
    figures = tuple(row.get("figures", ()))
    if not all({"images", "class", "objects", "px", "ap50"} == set(figure) for figure in figures):
        raise ValueError(f"entry {name!r}: figures have images, class, objects, px and ap50")
    return ModelEntry(name, row["sha256"], url, sensor, note, figures)
