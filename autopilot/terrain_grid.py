"""The grids in which ArduPilot asks for heights of the ground, and what they hold by a terrain of ours.

A grid has 28 by 32 heights (north by east) and travels in 56 blocks of 4 by 4, each row by row from its south-west
corner; bit n of the mask is the block in row n / 8 and column n % 8 (ArduPilot AP_Terrain.h, TerrainUtil.cpp;
TERRAIN_REQUEST and TERRAIN_DATA of MAVLink's common set).

Frames: degrees, metres AMSL; a grid is known by its south-west corner, 1e-7 degrees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from geo import Terrain, TerrainError, shorter_turn

__all__ = ["BLOCKS", "Grid", "Heights", "heights_of"]

BLOCKS = 56
_COLUMNS, _SIDE = 8, 4
_METRES_A_1E7 = 0.011131884502145034  # the flat earth of ArduPilot's Location: a sphere of 6378.1 km
_LOWEST, _HIGHEST = -(1 << 15), (1 << 15) - 1  # heights travel as int16


@dataclass(frozen=True, slots=True)
class Grid:
    """One grid: its south-west corner, 1e-7 degrees, and the distance of its heights, metres."""

    lat_e7: int
    lon_e7: int
    spacing_m: int

    @property
    def is_a_place(self) -> bool:
        """Whether it lies on the globe and has a size."""
        return abs(self.lat_e7) <= 900_000_000 and abs(self.lon_e7) <= 1_800_000_000 and self.spacing_m > 0

    def places(self, bit: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Latitudes and longitudes of a block, degrees, each of shape (16,), in the order in which they travel.

        East is measured where the row lies half-way, as ArduPilot's `Location::offset` does. It places the heights by
        the corner of the whole degree that the grid lies in, and of which version it is decides at what latitude: the
        two are less than 40 m apart in a grid of 100 m.
        """
        row, column = divmod(bit, _COLUMNS)
        north, east = np.divmod(np.arange(_SIDE * _SIDE), _SIDE)
        step = self.spacing_m / _METRES_A_1E7
        lat = self.lat_e7 + (row * _SIDE + north) * step
        scale = np.cos(np.radians((self.lat_e7 + lat) / 2e7))
        lon = self.lon_e7 + (column * _SIDE + east) * step / np.maximum(scale, 0.01)
        return lat / 1e7, shorter_turn(lon / 1e7)


@dataclass(frozen=True, slots=True)
class Heights:
    """What is known of a grid.

    Parameters
    ----------
    blocks
        Bit of a block to its 16 heights, metres AMSL.
    missing
        Why others are not among them, in the words of the terrain; None where none is missing.
    """

    blocks: Mapping[int, tuple[int, ...]]
    missing: str | None

    @property
    def mask(self) -> int:
        """Bits of the blocks that are known."""
        return sum(1 << bit for bit in self.blocks)


def heights_of(grid: Grid, terrain: Terrain) -> Heights:
    """The heights of a grid. A block of which one height is not known is left out whole: none is made up."""
    blocks: dict[int, tuple[int, ...]] = {}
    missing: str | None = None
    for bit in range(BLOCKS):
        try:
            found = np.rint(terrain.elevation_m(*grid.places(bit)))
        except (TerrainError, OSError) as error:
            missing = missing or str(error)
            continue
        if not (found.min() >= _LOWEST and found.max() <= _HIGHEST):  # NaN is neither
            missing = missing or f"heights of {found.min():.0f} to {found.max():.0f} m do not fit the message"
            continue
        blocks[bit] = tuple(map(int, found))
    return Heights(MappingProxyType(blocks), missing)
