"""Risk tables as CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from geo import VedetteError, write_text
from missions.errors import FormatError
from missions.files import read_text
from missions.risk import Risk, RiskTable

__all__ = ["read_risk", "write_risk"]

_RISK = ("from_m", "to_m", "weight", "from_hour", "to_hour", "line")


def read_risk(path: Path, zone: str = "") -> RiskTable:
    """Read a risk table: CSV with the columns from_m, to_m, weight, and where they matter from_hour, to_hour and line.

    Parameters
    ----------
    path
        The file.
    zone
        Time zone of its hours, as `RiskTable` has it.

    Raises
    ------
    FormatError
        When a column is missing or unknown, or a figure is no number; the message names line and column.
    PlanError
        When a figure is out of range.
    """
    reader = csv.DictReader(io.StringIO(read_text(path)), strict=True)
    try:
        columns, lines = list(reader.fieldnames or []), [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise FormatError(f"{path}: line {reader.line_num}: is not CSV: {error}") from None
    wrong = [c for c in columns if c not in _RISK] or [c for c in _RISK[:3] if c not in columns]
    if wrong:
        raise FormatError(
            f"{path}: column {wrong[0]!r} is unknown or missing: the columns are {', '.join(_RISK)}, "
            "with commas between"
        )
    twice = next((c for c in columns if columns.count(c) > 1), None)
    if twice is not None:
        raise FormatError(f"{path}: column {twice} is there twice: keep one of them")
    rows = []
    for number, row in lines:
        where = f"{path}: line {number}"
        if None in row:
            raise FormatError(f"{where}: has more cells than the first line: a figure with a comma, or one too many?")
        values: dict[str, Any] = {}
        for name in columns:
            if name == "line":
                values[name] = (row[name] or "").strip()
                continue
            try:
                values[name] = float(row[name])
            except (TypeError, ValueError):
                raise FormatError(f"{where}: {name} is {row[name]!r}: give a number") from None
        try:
            rows.append(Risk(**values))
        except VedetteError as error:
            raise type(error)(f"{where}: {error}") from None
    return RiskTable(tuple(rows), zone)


def write_risk(table: RiskTable, path: Path) -> None:
    """Write a risk table as CSV that `read_risk` reads."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_RISK)
    writer.writerows([[getattr(row, name) for name in _RISK] for row in table.rows])
    write_text(path, out.getvalue())
