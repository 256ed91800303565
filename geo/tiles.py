"""Terrain from files: a folder of tiles, or one file, of which only what a look-up touches is read."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.bilinear import by_key
from geo.errors import TerrainError
from geo.geotiff import GeoTiff
from geo.hgt import HgtTile, tile_name
from geo.raster import BlockCache, Raster

__all__ = ["TileTerrain", "open_terrain"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_READERS: dict[str, Callable[[Path], Raster]] = {
    ".hgt": HgtTile,
    ".hgt.zip": HgtTile,
    ".tif": GeoTiff,
    ".tiff": GeoTiff,
}
_SEAMS = 2
"""How many seams may meet at a point: two, at the corner of four tiles."""


class TileTerrain:
    """Elevation from a folder of tiles, or from one file: bilinear, metres above mean sea level.

    Where files overlap the finest counts, and another fills its voids. Between the outer samples of two neighbours the
    elevation is interpolated across the seam.

    Parameters
    ----------
    path
        A folder, with its sub-folders, of ``.hgt``, ``.hgt.zip`` and ``.tif`` files in any mixture; or one of them.
    cache_bytes
        Most memory that the samples take, bytes, 256 MiB by default; the least recently used blocks make room. One
        block is always held: at most 26 MB of an SRTM tile, about 8 MB of a GeoTIFF.

    Raises
    ------
    TerrainError
        When there is no such file or folder, no tile in it, or one that is not what its name says.
    """

    def __init__(self, path: Path | str, *, cache_bytes: int = 256 << 20) -> None:
        self.path = Path(path)
        self._cache = BlockCache(cache_bytes)
        self._rasters = [reader(file) for file, reader in _tiles(self.path)]
        self._rasters.sort(key=lambda r: (round(r.resolution_m, 2), str(r.path)))
        self._in_cell = self._cells()

    @property
    def resolution_m(self) -> float:
        """Distance between samples of the finest file, metres."""
        return self._rasters[0].resolution_m

    @property
    def held_bytes(self) -> int:
        """Memory that the samples take now, bytes, mapped files in full."""
        return self._cache.held_bytes

    def elevation_m(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> Floats:
        """Bilinear elevation, metres AMSL, at points in degrees, broadcast.

        Raises
        ------
        TerrainError
            For a point that is not a place, that no file covers (the message names the tile to add and where) or next
            to a void (the message names the file).
        """
        out = self.known_elevation_m(lat_deg, lon_deg)
        bad = np.isnan(out)
        if bad.any():
            lat, lon = np.broadcast_arrays(np.asarray(lat_deg, dtype=float), np.asarray(lon_deg, dtype=float))
            first = int(np.argmax(bad))
            raise TerrainError(self._why_not(float(lat.ravel()[first]), float(lon.ravel()[first])))
        return out

    def known_elevation_m(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> Floats:
        """As `elevation_m`, but NaN where no file has one; raises TerrainError for a point that is not a place."""
        lat, lon = np.broadcast_arrays(np.asarray(lat_deg, dtype=float), np.asarray(lon_deg, dtype=float))
        shape = lat.shape
        lat, lon = lat.ravel(), lon.ravel()
        _refuse_what_is_no_place(lat, lon)
        out = self._look_up(lat, lon, _SEAMS)
        bad = np.isnan(out)
        if bad.any():
            at = np.flatnonzero(bad)
            out[at] = self._at_edges(lat[at], lon[at])
        return out.reshape(shape)

    def _look_up(self, lat: Floats, lon: Floats, seams: int) -> Floats:
        """Elevations, shape (n,); NaN where there is none."""
        if len(self._rasters) == 1:
            return self._within(self._rasters[0], lat, lon)
        out = np.full(lat.size, np.nan)
        for key, chosen in by_key(_cell(lat, lon)):
            rasters = self._in_cell.get(key)
            if rasters:
                out[chosen] = self._in_one_cell(rasters, lat[chosen], lon[chosen], seams)
        return out

    def _in_one_cell(self, rasters: list[Raster], lat: Floats, lon: Floats, seams: int) -> Floats:
        out = self._within(rasters[0], lat, lon)
        ways = [partial(self._within, raster) for raster in rasters[1:]]
        if seams:
            ways += [partial(self._across, raster, seams=seams) for raster in rasters]
        for way in ways:
            missing = np.flatnonzero(np.isnan(out))
            if not missing.size:
                break
            out[missing] = way(lat[missing], lon[missing])
        return out

    def _within(self, raster: Raster, lat: Floats, lon: Floats) -> Floats:
        return raster.elevations(self._cache, *raster.indices(lat, lon))

    def _across(self, raster: Raster, lat: Floats, lon: Floats, *, seams: int) -> Floats:
        """Between the outer samples of a file and those of its neighbours: its grid goes on over the seam."""
        row, column = raster.indices(lat, lon)
        near = (row > -1) & (row < raster.rows) & (column > -1) & (column < raster.columns)
        out = np.full(lat.size, np.nan)
        if near.any():
            row, column = row[near], column[near]
            r0, c0 = np.floor(row), np.floor(column)
            corners = product((0.0, 1.0), repeat=2)
            around = [self._look_up(*raster.place(r0 + i, c0 + j), seams - 1) for i, j in corners]
            fr, fc = row - r0, column - c0
            top, bottom = (a + fc * (b - a) for a, b in (around[:2], around[2:]))
            out[near] = top + fr * (bottom - top)
        return out

    def _at_edges(self, lat: Floats, lon: Floats) -> Floats:
        """In the outer half cells of files whose samples are areas."""
        out = np.full(lat.size, np.nan)
        for raster in self._rasters:
            missing = np.flatnonzero(np.isnan(out))
            if raster.margin > 0 and missing.size:
                out[missing] = raster.at_edge(self._cache, *raster.indices(lat[missing], lon[missing]))
        return out

    def _cells(self) -> dict[int, list[Raster]]:
        """The files near each degree cell, the finest first, and the cell's own before its neighbours."""
        cells: dict[int, list[tuple[float, bool, Raster]]] = {}
        for raster in self._rasters:
            south, west, north, east = raster.bounds
            # A step more on each side: what lies there may be interpolated between this file and the next.
            lat_spare = (north - south) / (raster.rows - 1)
            lon_spare = (east - west) / (raster.columns - 1)
            lats = range(math.floor(max(south - lat_spare, -90)), math.floor(min(north + lat_spare, 90)) + 1)
            lons = range(math.floor(west - lon_spare), math.floor(east + lon_spare) + 1)[:360]
            for i, j in product(lats, lons):
                own = south <= i + 0.5 <= north and west <= j + 0.5 <= east
                key = (i + 90) * 360 + j % 360
                cells.setdefault(key, []).append((round(raster.resolution_m, 2), not own, raster))
        return {key: [r for *_, r in sorted(near, key=lambda n: n[:2])] for key, near in cells.items()}

    def lack(self, lat_deg: float, lon_deg: float) -> str:
        """Of a place without elevation: the file that has a void there, or the tile to add."""
        raster = self._over(lat_deg, lon_deg)
        if raster is not None:
            return f"{raster.path.name} has a void there: fill it, or add another file that covers it"
        tile = f"add {tile_name(lat_deg, lon_deg)}.hgt, or a GeoTIFF that covers it"
        return tile if len(self._rasters) > 1 else f"{self._covers()}: is it the right one? else {tile}"

    def _covers(self) -> str:
        """What the only file covers, in words."""
        south, west, north, east = self._rasters[0].bounds
        name = self._rasters[0].path.name
        return f"{name} covers latitude {south:.5f} to {north:.5f}, longitude {west:.5f} to {east:.5f}"

    def _over(self, lat: float, lon: float) -> Raster | None:
        """The first file that a place lies within."""
        for raster in self._rasters:
            row, column = (float(v[0]) for v in raster.indices(np.array([lat]), np.array([lon])))
            if -raster.margin <= row <= raster.rows - 1 + raster.margin and (
                raster.round_the_world or -raster.margin <= column <= raster.columns - 1 + raster.margin
            ):
                return raster
        return None

    def _why_not(self, lat: float, lon: float) -> str:
        where = f"no elevation at {lat:.5f}, {lon:.5f}"
        raster = self._over(lat, lon)
        if raster is not None:
            row, column = (float(v[0]) for v in raster.indices(np.array([lat]), np.array([lon])))
            return (
                f"{where}: {raster.path} has a void there (row {row:.0f}, column {column:.0f}): fill it, or add "
                "another file that covers it"
            )
        name = tile_name(lat, lon)
        if self.path.is_dir():
            return f"{where}: add {name}.hgt, or a GeoTIFF that covers it, to {self.path}"
        south, west, north, east = self._rasters[0].bounds
        return (
            f"{where}: {self.path} covers {south:.5f} to {north:.5f}, {west:.5f} to {east:.5f}: put it into a folder "
            f"together with {name}.hgt, or a GeoTIFF that covers it, and give the folder"
        )


def open_terrain(path: Path | str, *, cache_bytes: int = 256 << 20) -> TileTerrain:
    """Open elevation data, whatever it is: a GeoTIFF, an SRTM tile (``.hgt``, ``.hgt.zip``), or a folder of them.

    Parameters
    ----------
    path
        The file or folder.
    cache_bytes
        As in `TileTerrain`.

    Raises
    ------
    TerrainError
        As `TileTerrain`.
    """
    return TileTerrain(path, cache_bytes=cache_bytes)


def _tiles(path: Path) -> list[tuple[Path, Callable[[Path], Raster]]]:
    try:
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if _reader(file) is not None and file.is_file())
            if not files:
                raise TerrainError(f"{path}: holds no elevation: put .hgt, .hgt.zip or .tif files into it")
        elif path.exists():
            files = [path]
        else:
            raise TerrainError(f"{path}: there is no such file or folder of elevation: correct the path")
    except OSError as error:
        raise TerrainError(f"{path}: cannot be read ({error}): correct its permissions") from None
    found = []
    for file in files:
        reader = _reader(file)
        if reader is None:
            raise TerrainError(f"{file}: elevation is read from .hgt, .hgt.zip and .tif: convert it to one of them")
        found.append((file, reader))
    return found


def _reader(path: Path) -> Callable[[Path], Raster] | None:
    name = path.name.lower()
    if name.startswith("."):
        return None
    return next((reader for suffix, reader in _READERS.items() if name.endswith(suffix)), None)


def _cell(lat: Floats, lon: Floats) -> NDArray[np.int64]:
    """Number of the degree cell of points."""
    east = np.floor(lon).astype(np.int64) % 360
    return (np.floor(lat).astype(np.int64) + 90) * 360 + east


def _refuse_what_is_no_place(lat: Floats, lon: Floats) -> None:
    good = (np.abs(lat) <= 90.0) & np.isfinite(lon)
    if not good.all():
        first = int(np.argmin(good))
        raise TerrainError(f"no elevation at {lat[first]}, {lon[first]}: give degrees, latitude within ±90")
