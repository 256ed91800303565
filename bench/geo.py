"""Terrain look-ups and frame conversions beside general libraries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pymap3d
from scipy.interpolate import RegularGridInterpolator

from bench.rows import Row, timed, wanted
from geo import GridTerrain, LocalFrame

POINTS = 1_000_000


def rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Yield the figures of ``geo``; `data` may hold an SRTM ``.hgt`` tile that replaces the synthetic one."""
    rng = np.random.default_rng(1)
    if wanted("elevation", only):
        yield _elevation(_tile(data, rng), rng)
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


def _enu(rng: np.random.Generator) -> Row:
    lat, lon = rng.uniform(31, 32, POINTS), rng.uniform(-111, -110, POINTS)
    frame = LocalFrame(31.5, -110.5, 1000.0)
    _, seconds = timed(lambda: frame.to_enu(lat, lon, 1000.0))
    _, peer_seconds = timed(lambda: pymap3d.geodetic2enu(lat, lon, 1000.0, 31.5, -110.5, 1000.0))
    return Row("enu/1M", seconds, "s", "pymap3d", peer_seconds, seconds / peer_seconds)
