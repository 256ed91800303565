"""Tables in CSV: rows that name file and line in what they refuse."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from geo import Altitude, Datum, VedetteError, check_coordinates
from vision.errors import MetadataError

__all__ = ["HEIGHTS", "TIMES", "Row", "read_table"]

TIMES: Mapping[str, str] = {
    "time_us": "UTC microseconds since the Unix epoch",
    "time": "ISO 8601 with its zone",
    "t_s": "seconds since the first frame of the video",
}
"""Columns of time, and what each holds."""

HEIGHTS: Mapping[str, Datum] = {"amsl_m": Datum.AMSL, "hae_m": Datum.HAE, "agl_m": Datum.AGL}
"""Columns of height, and the datum of each."""

_EARLIEST_US, _LATEST_US = 631_152_000_000_000, 4_102_444_800_000_000
_UNITS_US = {"seconds": 1_000_000, "milliseconds": 1_000, "nanoseconds": 1e-3}
"""Units in which others count since the epoch, and how many microseconds each has."""

_SEPARATORS = {";": "semicolons", "\t": "tabs"}
"""What spreadsheets write between cells in place of commas."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it stands, for messages, and its cells by column."""

    where: str
    cells: Mapping[str, str | None]

    def number(self, column: str) -> float:
        """A finite number. Raises `MetadataError`."""
        try:
            value = float(self.cells[column] or "")
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise MetadataError(f"{self.where}: {column} is {self.cells[column]!r}, not a number")
        return value

    def optional(self, column: str) -> float | None:
        """A finite number, or None for an empty cell or none. Raises `MetadataError`."""
        return self.number(column) if self.cells.get(column) else None

    def place(self) -> tuple[float, float]:
        """Latitude and longitude, columns ``lat_deg`` and ``lon_deg``. Raises `MetadataError`."""
        lat, lon = self.number("lat_deg"), self.number("lon_deg")
        try:
            check_coordinates(lat, lon, self.where)
        except VedetteError as error:
            raise MetadataError(str(error)) from error
        return lat, lon

    def altitude(self, column: str) -> Altitude:
        """The height in a column of `HEIGHTS`. Raises `MetadataError`."""
        return Altitude(self.number(column), HEIGHTS[column])

    def time_us(self, column: str) -> int:
        """Microseconds of a column of `TIMES`. Raises `MetadataError`."""
        text = self.cells[column]
        try:
            if column == "time_us":
                return self._since_epoch(int(text or ""))
            if column == "t_s":
                return round(float(text or "") * 1e6)
            moment = datetime.fromisoformat(text or "")
        except (ValueError, OverflowError):
            raise MetadataError(f"{self.where}: {column} is {text!r}: give {TIMES[column]}") from None
        if moment.tzinfo is None:
            raise MetadataError(f"{self.where}: {column} {text!r} has no zone: end it with Z or an offset")
        return round(moment.timestamp() * 1e6)

    def _since_epoch(self, time_us: int) -> int:
        """The same; refused where it is no time of today in microseconds, but may be one in another unit."""
        if _EARLIEST_US <= time_us <= _LATEST_US:
            return time_us
        units = (unit for unit, factor in _UNITS_US.items() if _EARLIEST_US <= time_us * factor <= _LATEST_US)
        unit = next(units, None)
        advice = "for times that count from the first frame name the column t_s, in seconds"
        if unit is not None:
            advice = f"it looks like {unit}: write microseconds, or the column time in ISO 8601"
        raise MetadataError(
            f"{self.where}: time_us {time_us} is no time between 1990 and 2100 in microseconds: {advice}"
        )


def read_table(path: str | Path, what: str) -> tuple[tuple[str, ...], list[Row]]:
    """Header and rows of a CSV file.

    Parameters
    ----------
    path
        The file, UTF-8, header line first, cells parted by commas.
    what
        What it should be, for messages: ``"a CSV pose file"``.

    Raises
    ------
    MetadataError
        When it cannot be read, is not such text, or a row has not as many cells as the header: one that a comma within
        a number cut in two would move all that follow.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            header = tuple(reader.fieldnames or ())
            _check_parted(path, header)
            rows = [Row(where := f"{path}: line {reader.line_num}", _whole(row, len(header), where)) for row in reader]
    except OSError as error:
        raise MetadataError(f"{path}: cannot be read ({error.strerror}): give {what}") from error
    except UnicodeDecodeError as error:
        raise MetadataError(f"{path}: is not text in UTF-8 ({error.reason}): save {what} as CSV in UTF-8") from error
    except csv.Error as error:
        raise MetadataError(f"{path}: is not a CSV text file ({error}): give {what}") from error
    return header, rows


def _check_parted(path: str | Path, header: tuple[str, ...]) -> None:
    other = next((name for sign, name in _SEPARATORS.items() if len(header) == 1 and sign in header[0]), None)
    if other is not None:
        raise MetadataError(f"{path}: line 1: cells are parted by {other}: save it with commas, and 41.3 with a point")


def _whole(cells: dict[str | Any, str | Any], columns: int, where: str) -> dict[str, str | None]:
    count = columns + len(cells.get(None) or ()) - sum(cell is None for cell in cells.values())
    if count != columns:
        raise MetadataError(
            f"{where}: has {count} cells where the header has {columns}: write 41.3 with a point, and texts that "
            "have a comma in quotes"
        )
    return cells
