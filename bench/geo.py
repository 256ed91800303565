"""Terrain look-ups and frame conversions beside general libraries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pymap3d
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine
from scipy.interpolate import RegularGridInterpolator

from bench.rows import Row, timed, wanted
from geo import GridTerrain, LocalFrame, Terrain, TileTerrain, open_terrain

POINTS = 1_000_000


def rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Yield the figures of ``geo``; `data` may hold an SRTM ``.hgt`` tile that replaces the synthetic one."""
    rng = np.random.default_rng(1)
    if wanted("elevation", only):
        yield _elevation(_tile(data, rng), rng)
    for name in ("elevation-tiles", "elevation-geotiff"):
        if wanted(name, only):
            with TemporaryDirectory() as folder:
                yield _from_files(name, Path(folder), rng)
    if wanted("enu", only):
        yield _enu(rng)


def _tile(data: Path | None, rng: np.random.Generator) -> GridTerrain:
    tiles = sorted(data.rglob("*.hgt")) if data else []
    if tiles:
        return GridTerrain.from_hgt(tiles[0])
    return GridTerrain(rng.uniform(0, 3000, (1201, 1201)), 47.0, 8.0, 1 / 1200)


def _elevation(tile: GridTerrain, rng: np.random.Generator) -> Row:
    count = tile.heights_m.shape[0]
    span = (count - 1) * tile.step_deg
    lat = tile.north_deg - rng.uniform(0, span, POINTS)
    lon = tile.west_deg + rng.uniform(0, span, POINTS)
    steps = np.arange(count) * tile.step_deg
    peer = RegularGridInterpolator((tile.north_deg - steps[::-1], tile.west_deg + steps), tile.heights_m[::-1])
    _, seconds = timed(lambda: tile.elevation_m(lat, lon))
    _, peer_seconds = timed(lambda: peer((lat, lon)))
    return Row(
        "elevation/1M", seconds, "s", "scipy RegularGridInterpolator", peer_seconds, seconds / peer_seconds,
        "under 1 s", met=seconds < 1,
    )  # fmt: skip


def _from_files(name: str, folder: Path, rng: np.random.Generator) -> Row:
    """Two degrees by two from files: four tiles of 3 arc seconds, or one GeoTIFF in blocks, opened and read anew."""
    heights = rng.integers(0, 3000, (2401, 2401)).astype(np.int16)
    lat, lon = rng.uniform(45, 47, POINTS), rng.uniform(8, 10, POINTS)
    file = folder / "whole.tif"
    step = 1 / 1200
    _write_geotiff(file, heights, Affine(step, 0.0, 8.0 - step / 2, 0.0, -step, 47.0 + step / 2))
    terrain: Terrain
    if name == "elevation-tiles":
        tiles = folder / "tiles"
        tiles.mkdir()
        for i, j in np.ndindex(2, 2):
            own = heights[i * 1200 : i * 1200 + 1201, j * 1200 : j * 1200 + 1201]
            own.astype(">i2").tofile(tiles / f"N{46 - i:02d}E{8 + j:03d}.hgt")
        axis = np.arange(2401) / 1200
        interpolator = RegularGridInterpolator((45 + axis, 8 + axis), heights[::-1].astype(float))
        peer, what = timed(lambda: interpolator((lat, lon)))[1], "scipy RegularGridInterpolator, in memory"
        terrain, seconds = timed(lambda: TileTerrain(tiles))
    else:
        count = POINTS // 20
        # One at a time and without interpolation is all that it offers; a twentieth of the points, scaled.
        with rasterio.open(file) as dataset:
            peer = 20 * timed(lambda: list(dataset.sample(zip(lon[:count], lat[:count], strict=True))))[1]
        what = "rasterio sample, nearest"
        terrain, seconds = timed(lambda: open_terrain(file))
    seconds += timed(lambda: terrain.elevation_m(lat, lon))[1]
    return Row(f"{name}/1M", seconds, "s", what, peer, seconds / peer, "under 1 s", met=seconds < 1)


def _write_geotiff(path: Path, heights: NDArray[np.int16], transform: Affine) -> None:
    rows, columns = heights.shape
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
    with rasterio.open(
        path, "w", "GTiff", columns, rows, 1, "EPSG:4326", transform, "int16", **layout
    ) as out:  # fmt: skip
        out.write(heights, 1)


def _enu(rng: np.random.Generator) -> Row:
    lat, lon = rng.uniform(31, 32, POINTS), rng.uniform(-111, -110, POINTS)
    frame = LocalFrame(31.5, -110.5, 1000.0)
    _, seconds = timed(lambda: frame.to_enu(lat, lon, 1000.0))
    _, peer_seconds = timed(lambda: pymap3d.geodetic2enu(lat, lon, 1000.0, 31.5, -110.5, 1000.0))
    return Row("enu/1M", seconds, "s", "pymap3d", peer_seconds, seconds / peer_seconds)
