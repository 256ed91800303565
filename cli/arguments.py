"""Arguments of the command line that several commands read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from geo import VedetteError

if TYPE_CHECKING:
    import missions

__all__ = [
    "InputError",
    "check_file",
    "check_folder",
    "dialect_of",
    "moment",
    "numbers",
    "of_option",
    "refuse_empty",
    "within",
]


class InputError(VedetteError):
    """An argument of the command line that does not fit."""


def numbers(text: str, names: str, option: str) -> list[float]:
    """Comma-separated numbers of an option, as many as `names` has; raises InputError."""
    parts = text.split(",")
    try:
        values = [float(part) for part in parts]
    except ValueError:
        values = []
    if len(values) != len(names.split(",")):
        raise InputError(f"{option} {text!r}: give {names} as numbers with commas between them and no spaces")
    return values


@contextmanager
def of_option(option: str, text: object) -> Iterator[None]:
    """What is refused within is refused as the value of an option, as the user wrote it."""
    try:
        yield
    except VedetteError as error:
        raise InputError(f"{option} {text}: {error}") from None


def within(value: float, low: float, high: float, option: str, unit: str) -> float:
    """A number between two others, both allowed; raises InputError."""
    if not low <= value <= high:
        raise InputError(f"{option} {value:g}: give {unit} from {low:g} to {high:g}")
    return value


def check_folder(folder: Path, option: str) -> None:
    """Refuse a folder that nothing can be written to, before any work is done for it; it is not made yet."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise InputError(f"{option} {folder}: {there} is a file, and no folder: choose another place")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{option} {folder}: no permission to write to {there}: choose another place")


def check_file(file: Path | None, option: str) -> None:
    """Refuse a file that cannot be written, before any work is done for it: a folder, a device, a place shut to us."""
    if file is None:
        return
    if file.is_dir():
        raise InputError(f"{option} {file}: is a folder: name a file in it")
    if file.exists() and not file.is_file():
        raise InputError(f"{option} {file}: is a device or a pipe, and no file: choose another name")
    check_folder(file.parent, option)


def refuse_empty(arguments: Sequence[str]) -> None:
    """Refuse an option whose value is empty: an empty path is the folder that one stands in."""
    for name, value in pairwise([*arguments, "-"]):
        if name == "--":
            return
        if name.startswith("--") and (value == "" or (name.endswith("=") and name.count("=") == 1)):
            raise InputError(f"{name.removesuffix('=')} is empty: give it a value, or leave it out")


def dialect_of(name: str) -> missions.Dialect:
    """The dialect that --dialect names; raises InputError."""
    if name not in {"ardupilot", "px4"}:
        raise InputError(f"--dialect {name!r}: give ardupilot or px4")
    return "px4" if name == "px4" else "ardupilot"


def moment(text: str | None, option: str) -> datetime | None:
    """The time that an option gives, or None without it; raises InputError."""
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{option} {text!r}: give ISO 8601 with its zone, 2026-05-01T06:30:00Z") from error
