"""Text and JSON files, with messages that say what is wrong with one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from geo import write_text
from missions.errors import FormatError

__all__ = ["is_file_name", "read_json", "read_text", "write_json"]

_FIGURES = 300
"""A float holds whole numbers of up to 308 figures."""
_NO_NAME = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""Half of a character beyond 16 bits; fine beside its other half."""


def is_file_name(name: object, most: int = 200) -> bool:
    """Whether files can be named after a text of up to so many bytes, on any disk: it leads nowhere else."""
    return (
        isinstance(name, str)
        and 0 < len(name.encode(errors="replace")) <= most
        and not _NO_NAME.search(name)
        and name == name.strip(" .")
    )


def read_text(path: Path) -> str:
    """Text of a UTF-8 file; FormatError names the file and why it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FormatError(f"{path}: is not text in UTF-8: is it the right file?") from None


def read_json(path: Path) -> Any:
    """Value of a JSON file.

    Raises
    ------
    FormatError
        When it is none, with line and column; when an object has a name twice, of which other programs take the first
        or the last; when a whole number has more figures than a float holds, or a text is none.
    """
    try:
        text = read_text(path)
        value = json.loads(text, object_pairs_hook=_object, parse_int=_whole)
        if _HALF.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise FormatError(f"{path}: a text has half a character (\\ud800 to \\udfff): write it again") from None
    except _RefusedError as error:
        raise FormatError(f"{path}: {error}") from None
    except json.JSONDecodeError as error:
        more = ": a file has one object: put several into one, Features into a FeatureCollection"
        raise FormatError(
            f"{path}: is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
            f"{more if error.msg == 'Extra data' else ''}"
        ) from None
    except RecursionError:
        raise FormatError(f"{path}: is not JSON that can be read: it is nested too deeply") from None
    return value


class _RefusedError(ValueError):
    """What JSON has and no file of ours may have."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in value if names.count(name) > 1)
        raise _RefusedError(f"an object has the name {twice!r} twice: keep one of them")
    return value


def _whole(text: str) -> int:
    if len(text) > _FIGURES:
        raise _RefusedError(f"{text[:12]}... of {len(text)} figures is not a number that a map or a plan has")
    return int(text)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON.

    Raises
    ------
    FormatError
        When a figure is infinite or NaN: JSON has neither.
    FileWriteError
        When the file cannot be written.
    """
    try:
        text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise FormatError(f"{path}: a figure is infinite or NaN, and JSON has neither: correct it") from None
    write_text(path, text + "\n")
