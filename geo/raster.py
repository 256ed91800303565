"""Elevation files read in blocks, and the cache that holds the blocks in bounded memory."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geo.bilinear import SLACK, bilinear, by_key, in_pieces

__all__ = ["LAND_M", "BlockCache", "Raster"]

Floats = NDArray[np.float64]
Samples = NDArray[np.generic]


LAND_M = (-500.0, 9000.0)
"""Between which heights there is dry land, metres AMSL: from the shore of the Dead Sea to the summit of Everest. What
is beyond is a mark of "no data" that its file does not declare (-32768, -9999, 32767), or the floor of a sea."""


class BlockCache:
    """Blocks of samples, the least recently used of which make room for new ones.

    Parameters
    ----------
    max_bytes
        Most that all blocks take together, bytes; one block is always held, however large. A block mapped from a
        file counts in full, though only its pages that were touched lie in memory.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._blocks: OrderedDict[tuple[Path, int], Samples] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def held_bytes(self) -> int:
        """What the blocks take now, bytes."""
        return self._bytes

    def get(self, key: tuple[Path, int], load: Callable[[], Samples]) -> Samples:
        """The block of a key: path and number of block; loaded where it is not held."""
        with self._lock:
            block = self._blocks.get(key)
            if block is not None:
                self._blocks.move_to_end(key)
                return block
            block = load()
            self._bytes += block.nbytes
            while self._blocks and self._bytes > self._max_bytes:
                _, old = self._blocks.popitem(last=False)
                self._bytes -= old.nbytes
            self._blocks[key] = block
            return block


class Raster(ABC):
    """A file of elevations on a grid, metres AMSL, read in blocks.

    Neighbouring blocks share a row or column of samples, so that every point lies within one block.
    """

    path: Path
    rows: int
    columns: int
    block_rows: int
    """Rows from the begin of one block to the next; at least `rows` - 1 where there is one block."""
    block_columns: int
    void: float | None = None
    """The sample that means "no data", beside NaN and what is not within `LAND_M`."""
    round_the_world: bool = False
    """Whether the first column follows on the last."""
    margin: float = 0.0
    """How far past the outer samples the edge of the data lies, steps: half a one where a sample is an area."""
    resolution_m: float
    """Distance between samples, metres."""
    bounds: tuple[float, float, float, float]
    """South, west, north, east, degrees, at least as wide as the outer samples; east may be beyond 180."""

    @abstractmethod
    def indices(self, lat_deg: Floats, lon_deg: Floats) -> tuple[Floats, Floats]:
        """Row and column, in steps from the first sample, of points in degrees; NaN for those with none."""

    @abstractmethod
    def place(self, row: Floats, column: Floats) -> tuple[Floats, Floats]:
        """Latitude and longitude, degrees, of rows and columns."""

    @abstractmethod
    def load(self, block_row: int, block_column: int) -> Samples:
        """The samples of a block, with one row and column more than to the begin of the next; raises TerrainError."""

    def elevations(self, cache: BlockCache, row: Floats, column: Floats) -> Floats:
        """Bilinear elevations at rows and columns, shape (n,); NaN outside the samples and next to a void."""
        last_column = self.columns if self.round_the_world else self.columns - 1
        if self.round_the_world:
            column = np.mod(column, self.columns)
        inside = (row >= -SLACK) & (row <= self.rows - 1 + SLACK) & (column >= -SLACK) & (column <= last_column + SLACK)
        if not inside.all():
            out = np.full(row.size, np.nan)
            if inside.any():
                out[inside] = self._inside(cache, row[inside], column[inside])
            return out
        return self._inside(cache, row, column)

    def at_edge(self, cache: BlockCache, row: Floats, column: Floats) -> Floats:
        """Elevations within `margin` past the outer samples: the outermost sample holds there; NaN farther out."""
        near = (np.abs(row - (self.rows - 1) / 2) <= (self.rows - 1) / 2 + self.margin) & (
            self.round_the_world | (np.abs(column - (self.columns - 1) / 2) <= (self.columns - 1) / 2 + self.margin)
        )
        out = np.full(row.size, np.nan)
        if near.any():
            at = column[near] if self.round_the_world else np.clip(column[near], 0.0, self.columns - 1.0)
            out[near] = self.elevations(cache, np.clip(row[near], 0.0, self.rows - 1.0), at)
        return out

    def _inside(self, cache: BlockCache, row: Floats, column: Floats) -> Floats:
        across = -(-(self.columns if self.round_the_world else self.columns - 1) // self.block_columns)
        down = -(-(self.rows - 1) // self.block_rows)
        if across * down == 1:
            return self._in_block(cache, 0, 0, row, column)
        block_row = np.clip(row // self.block_rows, 0, down - 1).astype(np.int64)
        block_column = np.clip(column // self.block_columns, 0, across - 1).astype(np.int64)
        out = np.empty(row.size)
        for key, chosen in by_key(block_row * across + block_column):
            out[chosen] = self._in_block(cache, key // across, key % across, row[chosen], column[chosen])
        return out

    def _in_block(self, cache: BlockCache, i: int, j: int, row: Floats, column: Floats) -> Floats:
        across = -(-self.columns // self.block_columns)
        block = cache.get((self.path, i * across + j), lambda: self.load(i, j))
        first_row, first_column = i * self.block_rows, j * self.block_columns
        return in_pieces(lambda r, c: bilinear(block, r - first_row, c - first_column, self.void, LAND_M), row, column)
