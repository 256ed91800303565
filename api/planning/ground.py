"""How high the ground lies, by the terrain that the service plans with."""

from __future__ import annotations

import logging
import threading
from functools import lru_cache
from pathlib import Path

from geo import Terrain, TerrainError, open_terrain

__all__ = ["ground_at"]

_LOG = logging.getLogger("vedette.api")
_CACHE_BYTES = 64 << 20
_LOCK = threading.Lock()  # tiles are read one at a time


def ground_at(terrain: Path | None, lat: float, lon: float) -> dict[str, float | None]:
    """Ground at a place: metres above mean sea level and between samples; both None where nothing is known of it.

    Parameters
    ----------
    terrain
        As `PlanningSettings.terrain`.
    lat, lon
        Degrees, WGS 84.
    """
    unknown: dict[str, float | None] = {"ground_amsl_m": None, "resolution_m": None}
    if terrain is None:
        return unknown
    with _LOCK:
        try:
            opened = _opened(terrain)
        except TerrainError as error:  # whoever runs the service put it there: who asks can do nothing about it
            _LOG.warning("terrain cannot be read", extra={"fields": {"problem": str(error)}})
            return unknown
        try:
            height = float(opened.elevation_m(lat, lon))
        except TerrainError:  # a hole in it, or beyond its edge
            return unknown
    return {"ground_amsl_m": round(height, 1), "resolution_m": round(opened.resolution_m, 1)}


@lru_cache(maxsize=2)
def _opened(terrain: Path) -> Terrain:
    return open_terrain(terrain, cache_bytes=_CACHE_BYTES)
