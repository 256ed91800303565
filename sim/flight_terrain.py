"""What an autopilot knows of the terrain: grids of heights that it asks its ground station for, as ArduPilot does.

A grid has 28 by 32 heights (north by east), TERRAIN_SPACING metres apart, and comes in 56 blocks of 4 by 4. Grids begin
at whole degrees and overlap by a row of blocks; places between four heights are interpolated (AP_Terrain.cpp,
TerrainUtil.cpp). What counts in flight is the difference to the height at home, so that a shift between its data and
those of home makes none. All that ever came is kept, as on the card of a real one.

Frames: latitude and longitude, degrees; a grid is known by those of its south-west corner, 1e-7 degrees.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import cos, floor, radians

from geo import Terrain, TerrainError

__all__ = ["BLOCKS", "TERRAIN_FRAMES", "Grid", "TerrainMap"]

TERRAIN_FRAMES = frozenset({10, 11})
"""MAV_FRAME_GLOBAL_TERRAIN_ALT and its INT."""

BLOCKS = 56
_ROWS, _COLUMNS, _BLOCK = 7, 8, 4
# Grids overlap by one row and one column of blocks.
_STRIDE_N, _STRIDE_E = (_ROWS - 1) * _BLOCK, (_COLUMNS - 1) * _BLOCK
_METRES_A_1E7 = 0.011131884502145034  # the flat earth of ArduPilot's Location, radius 6378.1 km
_FULL = (1 << BLOCKS) - 1
_AGAIN_S = 2.0
_AROUND = 0.7  # of a grid's size

Corner = tuple[int, int]


@dataclass(slots=True)
class Grid:
    """Heights of one grid as they come in, and when it was last asked for, seconds."""

    bitmap: int = 0
    heights: dict[tuple[int, int], float] = field(default_factory=dict)
    asked_s: float = -_AGAIN_S

    @property
    def missing(self) -> int:
        """Bits of the blocks that have not come."""
        return _FULL & ~self.bitmap


class TerrainMap:
    """The terrain as the autopilot of one vehicle knows it.

    Parameters
    ----------
    home
        Latitude and longitude, degrees.
    params
        Read live: TERRAIN_ENABLE, TERRAIN_SPACING.
    card
        Terrain that is known without asking; None to know what was asked for alone.
    """

    def __init__(self, home: tuple[float, float], params: Mapping[str, float], card: Terrain | None) -> None:
        self._home = home
        self._params = params
        self._card = card
        self._grids: dict[Corner, Grid] = {}
        self._spacing_m = 0

    @property
    def enabled(self) -> bool:
        """Whether TERRAIN_ENABLE is on."""
        return bool(self._params.get("TERRAIN_ENABLE", 0.0))

    @property
    def spacing_m(self) -> int:
        """Distance of heights, metres; grids of another one are forgotten."""
        spacing = max(1, int(self._params.get("TERRAIN_SPACING", 100.0)))
        if spacing != self._spacing_m:
            self._spacing_m = spacing
            self._grids.clear()
        return spacing

    @property
    def counts(self) -> tuple[int, int]:
        """Blocks that are waited for, and blocks that are here."""
        if self._card is not None:
            return 0, BLOCKS
        here = sum(grid.bitmap.bit_count() for grid in self._grids.values())
        return BLOCKS * len(self._grids) - here, here

    def height_m(self, lat_deg: float, lon_deg: float) -> float | None:
        """Height AMSL at a place, or None where it is not known."""
        if not self.enabled:
            return None
        if self._card is not None:
            try:
                return float(self._card.elevation_m(lat_deg, lon_deg))
            except TerrainError:
                return None
        corner, north, east = self._locate(lat_deg, lon_deg)
        grid = self._grids.get(corner)
        if grid is None:
            return None
        row, column = int(north), int(east)
        four = [grid.heights.get((row + i, column + j)) for i in (0, 1) for j in (0, 1)]
        if any(height is None for height in four):
            return None
        south_west, south_east, north_west, north_east = (float(height or 0.0) for height in four)
        fn, fe = north - row, east - column
        west = south_west + fn * (north_west - south_west)
        return west + fe * (south_east + fn * (north_east - south_east) - west)

    def above_home_m(self, lat_deg: float, lon_deg: float) -> float | None:
        """How much higher the ground is at a place than at home, metres; None where either is not known."""
        there = self.height_m(lat_deg, lon_deg)
        home = None if there is None else self.height_m(*self._home)
        return None if there is None or home is None else there - home

    # --- grids -----------------------------------------------------------------------------------------------------

    def look_for(self, places: Iterable[tuple[float, float]]) -> None:
        """Have the grids of places in mind, so that they are asked for."""
        if self._card is None and self.enabled:
            for place in places:
                self._grids.setdefault(self._locate(*place)[0], Grid())

    def around(self, lat_deg: float, lon_deg: float) -> Iterator[tuple[float, float]]:
        """A place and eight around it, one of each neighbouring grid."""
        spacing = self.spacing_m
        yield lat_deg, lon_deg
        for north in (-1, 0, 1):
            for east in (-1, 0, 1):
                lat = lat_deg + north * _AROUND * _ROWS * _BLOCK * spacing / _METRES_A_1E7 / 1e7
                scale = _METRES_A_1E7 * 1e7 * cos(radians(lat_deg))
                yield lat, lon_deg + east * _AROUND * _COLUMNS * _BLOCK * spacing / scale

    def wanted(self, now_s: float) -> tuple[Corner, int] | None:
        """The grid to ask for now, and the bits of its blocks that are missing; no grid twice within two seconds."""
        for corner, grid in self._grids.items():
            if grid.missing and now_s - grid.asked_s >= _AGAIN_S:
                grid.asked_s = now_s
                return corner, grid.missing
        return None

    def take(self, corner: Corner, spacing_m: int, bit: int, heights: Sequence[int]) -> bool:
        """Take 16 heights of a block, row after row from the south-west; False for what was not asked for."""
        grid = self._grids.get(corner)
        if grid is None or spacing_m != self.spacing_m or not 0 <= bit < BLOCKS or len(heights) != _BLOCK * _BLOCK:
            return False
        row, column = bit // _COLUMNS * _BLOCK, bit % _COLUMNS * _BLOCK
        for number, height in enumerate(heights):
            grid.heights[row + number // _BLOCK, column + number % _BLOCK] = float(height)
        grid.bitmap |= 1 << bit
        return True

    def _locate(self, lat_deg: float, lon_deg: float) -> tuple[Corner, float, float]:
        """South-west corner of the grid of a place, and the place in steps north and east of it."""
        spacing = self.spacing_m
        south, west = floor(lat_deg), floor(lon_deg)
        scale = cos(radians(south))
        north_m = (lat_deg - south) * 1e7 * _METRES_A_1E7
        east_m = (lon_deg - west) * 1e7 * _METRES_A_1E7 * scale
        row, column = int(north_m / spacing) // _STRIDE_N * _STRIDE_N, int(east_m / spacing) // _STRIDE_E * _STRIDE_E
        corner = (
            round(south * 1e7 + row * spacing / _METRES_A_1E7),
            round(west * 1e7 + column * spacing / _METRES_A_1E7 / scale),
        )
        return corner, north_m / spacing - row, east_m / spacing - column
