"""Text and JSON files, with messages that say what is wrong with one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from geo import write_text
from missions.errors import FormatError

__all__ = ["read_json", "read_text", "write_json"]


def read_text(path: Path) -> str:
    """Text of a UTF-8 file; FormatError names the file and why it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FormatError(f"{path}: is not text in UTF-8: is it the right file?") from None


def read_json(path: Path) -> Any:
    """Value of a JSON file; FormatError names line and column of what is wrong."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise FormatError(f"{path}: is not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise FormatError(f"{path}: is not JSON that can be read: it is nested too deeply") from None


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
