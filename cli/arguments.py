"""Arguments of the command line that several commands read."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from geo import VedetteError

if TYPE_CHECKING:
    import missions

__all__ = ["InputError", "dialect_of", "moment", "numbers"]


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
