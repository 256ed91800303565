"""SRTM tiles: one degree by one degree, named by the south-west corner."""

from __future__ import annotations

import math
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geo.angles import shorter_turn
from geo.errors import TerrainError
from geo.raster import Raster, Samples

__all__ = ["HgtTile", "tile_name"]

Floats = NDArray[np.float64]

_NAME = re.compile(r"([NS])(\d\d)([EW])(\d\d\d)", re.IGNORECASE)
_VOID = -32768
_HALF_WIDTHS = {3601 * 1801: (3601, 1801), 1201 * 601: (1201, 601)}
"""Tiles poleward of 50 degrees may have half the columns: number of samples to rows and columns."""
_M_PER_DEG = 111_132.0


def tile_name(lat_deg: float, lon_deg: float) -> str:
    """The name of the tile that covers a point, without a suffix, such as ``N46E008``."""
    south, west = math.floor(lat_deg), math.floor(shorter_turn(lon_deg))
    return f"{'NS'[south < 0]}{abs(south):02d}{'EW'[west < 0]}{abs(west):03d}"


class HgtTile(Raster):
    """A ``.hgt`` or ``.hgt.zip`` tile: big-endian 16-bit metres AMSL (EGM96), samples on the edges of the degree.

    A plain file is mapped into memory, not read; nothing but its size is looked at before a point needs it.

    Raises
    ------
    TerrainError
        When the name has no corner in it, or the size is not that of a tile.
    """

    void = float(_VOID)

    def __init__(self, path: Path) -> None:
        self.path = path
        found = _NAME.match(path.name)
        if found is None:
            raise TerrainError(f"{path}: an SRTM tile is named by its south-west corner, as N46E008.hgt")
        south = int(found[2]) * (-1 if found[1] in "Ss" else 1)
        west = int(found[4]) * (-1 if found[3] in "Ww" else 1)
        if not (-90 <= south < 90 and -180 <= west < 180):
            raise TerrainError(f"{path}: there is no tile of that name: its south-west corner is not on the Earth")
        self._north, self._west = south + 1.0, float(west)
        self.bounds = (float(south), float(west), south + 1.0, west + 1.0)
        self._zipped = path.suffix.lower() == ".zip"
        self.rows, self.columns = self._shape(self._bytes_in_file())
        self.block_rows, self.block_columns = self.rows - 1, self.columns - 1
        self.resolution_m = _M_PER_DEG / (self.rows - 1)

    def indices(self, lat_deg: Floats, lon_deg: Floats) -> tuple[Floats, Floats]:
        """Row and column of points."""
        east = lon_deg - self._west
        # Any whole turn more or less is the same place; a step more belongs to the seam.
        low = -1.0 / self.block_columns
        if east.size and (east.min() < low or east.max() >= 360.0 + low):
            east = east - 360.0 * np.floor((east - low) / 360.0)
        return (self._north - lat_deg) * self.block_rows, east * self.block_columns

    def place(self, row: Floats, column: Floats) -> tuple[Floats, Floats]:
        """Latitude and longitude of rows and columns."""
        return self._north - row / self.block_rows, self._west + column / self.block_columns

    def load(self, block_row: int, block_column: int) -> Samples:  # noqa: ARG002  # there is one block
        """All samples."""
        shape = self.rows, self.columns
        try:
            if not self._zipped:
                return np.asarray(np.memmap(self.path, dtype=">i2", mode="r", shape=shape))
            with zipfile.ZipFile(self.path) as archive:
                return np.frombuffer(archive.read(self._member(archive)), dtype=">i2").reshape(shape)
        except (OSError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise TerrainError(f"{self.path}: cannot be read ({error}): fetch it again") from None

    def _bytes_in_file(self) -> int:
        try:
            if not self._zipped:
                return self.path.stat().st_size
            with zipfile.ZipFile(self.path) as archive:
                return self._member(archive).file_size
        except (OSError, zipfile.BadZipFile) as error:
            raise TerrainError(f"{self.path}: cannot be read ({error}): fetch it again") from None

    def _member(self, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
        inside = [info for info in archive.infolist() if info.filename.lower().endswith(".hgt")]
        if len(inside) != 1:
            raise TerrainError(f"{self.path}: holds {len(inside)} .hgt files: give an archive of one tile")
        return inside[0]

    def _shape(self, size: int) -> tuple[int, int]:
        count, odd = divmod(size, 2)
        side = math.isqrt(count)
        if not odd and side >= 2 and side * side == count:
            return side, side
        if not odd and count in _HALF_WIDTHS:
            return _HALF_WIDTHS[count]
        raise TerrainError(f"{self.path}: {count} samples are not a square: the tile is cut off; fetch it again")
