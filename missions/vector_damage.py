"""Rows of a GeoPackage or Shapefile whose geometry is damaged: GDAL hands them over as rows that have none."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from missions.errors import FormatError

__all__ = ["check_without_geometry"]

# Of a Shapefile, in bytes: heads of both files, an entry of the .shx, the head of a record, and the type "null".
_HEAD, _ENTRY, _RECORD_HEAD, _NULL = 100, 8, 8, 0


def check_without_geometry(path: Path, layer: str, rows: Sequence[int]) -> None:
    """Refuse rows that GDAL gave no geometry although the file has bytes of one.

    A border or a zone would else lack a part, and nobody be told.

    Parameters
    ----------
    path
        A ``.gpkg`` or ``.shp``.
    layer
        The layer of the rows.
    rows
        Numbers (FID) of the rows without a geometry.

    Raises
    ------
    FormatError
        When one of them is damaged or lies beyond the end of the file.
    """
    if not rows:
        return
    damaged = _of_shapefile(path, rows) if path.suffix.lower() == ".shp" else _of_geopackage(path, layer, rows)
    if damaged:
        named = ", ".join(map(str, damaged[:4])) + (" ..." if len(damaged) > 4 else "")
        raise FormatError(
            f"{path}: the geometry of {len(damaged)} of its rows (FID {named}) is damaged or cut off: copy all its "
            "files again, or repair it"
        )


def _of_shapefile(path: Path, rows: Sequence[int]) -> list[int]:
    """Those whose record is there and not of the type "null" (ESRI Shapefile Technical Description, 1998)."""
    index = next(p for p in path.parent.iterdir() if p.stem == path.stem and p.suffix.lower() == ".shx").read_bytes()
    damaged = []
    with path.open("rb") as shapes:
        for row in rows:
            entry = index[_HEAD + row * _ENTRY :][:_ENTRY]
            if len(entry) < _ENTRY:
                continue  # a row of the .dbf alone
            words, _ = struct.unpack(">ii", entry)
            shapes.seek(2 * words + _RECORD_HEAD)
            kind = shapes.read(4)
            if len(kind) < 4 or struct.unpack("<i", kind)[0] != _NULL:
                damaged.append(row)
    return damaged


def _of_geopackage(path: Path, layer: str, rows: Sequence[int]) -> list[int]:
    """Those whose column is not null."""
    name = layer.replace('"', '""')
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as file:
            ask = "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?"
            (column,) = file.execute(ask, (layer,)).fetchone()
            column = column.replace('"', '""')
            there = file.execute(f'SELECT rowid FROM "{name}" WHERE "{column}" IS NOT NULL')  # noqa: S608 - both quoted
            return sorted({number for (number,) in there} & set(rows))
    except sqlite3.Error as error:
        raise FormatError(f"{path}: cannot be read by SQLite: {error}") from None
