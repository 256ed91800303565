"""What was built of the console: the files there are, and what a browser is told about each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["FOLDER", "INDEX", "MEDIA_TYPES", "BuiltFile", "built_files"]

FOLDER = Path(__file__).parent / "built"
INDEX = "index.html"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".pmtiles": "application/vnd.pmtiles",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
MEDIA_TYPES = tuple(sorted(set(_TYPES.values())))
"""What a file of the console may be."""


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """One file of the console.

    Parameters
    ----------
    path
        Where it is.
    media_type
        What it is.
    packed
        The same under gzip, where the build made that.
    lasting
        Whether its name changes with its content, so that a browser need never ask again: all but the page's.
    """

    path: Path
    media_type: str
    packed: Path | None
    lasting: bool


@cache
def built_files(folder: Path = FOLDER) -> dict[str, BuiltFile]:
    """The files by the name that they are asked for; nothing else is served. Empty when nothing was built."""
    if not folder.is_dir():
        return {}
    found = {path.name: path for path in sorted(folder.iterdir())}
    return {
        name: BuiltFile(path, _TYPES[path.suffix], found.get(f"{name}.gz"), name != INDEX)
        for name, path in found.items()
        if path.suffix in _TYPES
    }
