"""The band beside a line, cut into cells: where something is to be seen, and how much ground each place stands for.

Every cell is a point at a given distance from the line on one side of it, with the area of the ground that is nearer to
it than to other cells: strips beside the straight pieces, sectors round the outside of bends. What lies nearer to
another part of the line belongs to the cells there. The areas add up to that of the band with flat ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import scipy
import shapely
from numpy.typing import ArrayLike, NDArray

from geo import geodesic_distance_m
from missions.plane import Plane

__all__ = ["BandCells", "BandLine", "band_cells"]

Floats = NDArray[np.float64]

_CHUNK_M = 20_000.0
_TOLERANCE_M = 0.25
_LEAST_TURN_RAD = 0.01
_SECTOR_RAD = 0.35
_GOLDEN = 0.6180339887498949
_EDGE_M = 0.75
"""No cell stands for its strip from nearer to the edge of the band: lines and courses are simplified, waypoints are
rounded, and what is planned to be seen up to the edge is by no more than that."""

_NEARER_M = 0.3
"""A cell that is nearer than this to another part of the line than to its own belongs there."""


@dataclass(frozen=True, slots=True)
class BandLine:
    """A line to be watched.

    Parameters
    ----------
    lat_deg, lon_deg
        Vertices, degrees, shape (n,), no more than about 500 m apart; longitudes run on across the antimeridian.
    left_m, right_m
        Depth of the band left and right of its direction, metres.
    name
        What people call it.
    """

    lat_deg: Floats
    lon_deg: Floats
    left_m: float
    right_m: float
    name: str = ""

    def along_m(self) -> Floats:
        """Distance of each vertex from the first, metres."""
        lat, lon = self.lat_deg, self.lon_deg
        steps = geodesic_distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:])
        return np.concatenate([[0.0], np.cumsum(steps)])


@dataclass(frozen=True, slots=True)
class BandCells:
    """Cells of the band beside one stretch of a line, in a plane of that stretch.

    Parameters
    ----------
    plane
        Where `xy` counts from.
    xy
        East and north, metres, shape (n, 2).
    along_m
        Distance along the line, metres from its first vertex, shape (n,).
    column
        Number of the place along the line, rising, shape (n,): cells side by side have the same.
    area_m2
        Ground that each stands for, square metres, shape (n,).
    """

    plane: Plane
    xy: Floats
    along_m: Floats
    column: NDArray[np.int64]
    area_m2: Floats


def band_cells(line: BandLine, step_m: float, row_m: float) -> Iterator[BandCells]:
    """Cells of a band, stretch by stretch, each stretch of some kilometres in a plane of its own.

    Parameters
    ----------
    line
        The line and the depth of its band.
    step_m, row_m
        About how far cells lie apart along and across the line, metres.
    """
    at = line.along_m()
    count = max(1, round(float(at[-1]) / _CHUNK_M))
    cuts = np.unique(np.searchsorted(at, np.linspace(0, at[-1], count + 1)))
    cuts[-1] = len(at) - 1
    ring = bool(np.hypot(line.lat_deg[0] - line.lat_deg[-1], line.lon_deg[0] - line.lon_deg[-1]) < 1e-9)
    depth = max(line.left_m, line.right_m)
    column = 0
    for a, b in pairwise(cuts):
        # The line beside the stretch may come nearer to its cells than the stretch itself.
        lo = int(np.searchsorted(at, at[a] - 4 * depth - 500.0))
        hi = min(int(np.searchsorted(at, at[b] + 4 * depth + 500.0)), len(at) - 1)
        middle = (a + b) // 2
        plane = Plane.at(float(line.lat_deg[middle]), float(line.lon_deg[middle]))
        xy = plane.xy(line.lat_deg[lo : hi + 1], line.lon_deg[lo : hi + 1])
        stretch = _Stretch(xy[a - lo : b - lo + 1], xy, at[a], at[b], ring=ring and len(cuts) == 2)
        # The bend where two stretches meet is one of neither's inner ones.
        after = xy[b - lo + 1] if b < len(at) - 1 else None
        cells = stretch.cells(plane, (line.left_m, line.right_m), step_m, row_m, after)
        column += int(cells.column.max(initial=0)) + 1
        yield replace(cells, column=cells.column + column)


class _Stretch:
    """One stretch of a line in its plane."""

    def __init__(self, own: Floats, context: Floats, from_m: float, to_m: float, *, ring: bool) -> None:
        line = shapely.get_coordinates(shapely.simplify(shapely.linestrings(own), _TOLERANCE_M))
        self._line = line[np.append(True, np.any(np.diff(line, axis=0) != 0, axis=1))]
        self._ring = ring
        steps = np.diff(self._line, axis=0)
        self._length = np.hypot(*steps.T)
        self._unit = steps / self._length[:, None]
        self._at = np.concatenate([[0.0], np.cumsum(self._length)])
        self._from, self._scale = from_m, (to_m - from_m) / float(self._at[-1])
        self._context = context

    def cells(
        self, plane: Plane, depths: tuple[float, float], step_m: float, row_m: float, after: Floats | None
    ) -> BandCells:
        """Strips beside the pieces, and sectors outside the bends between them and before the line goes `after`."""
        columns = max(1, round(float(self._at[-1]) / step_m))
        step = float(self._at[-1]) / columns
        s = (np.arange(columns) + 0.5) * step
        piece = np.clip(np.searchsorted(self._at, s, side="right") - 1, 0, len(self._length) - 1)
        foot = self._line[piece] + (s - self._at[piece])[:, None] * self._unit[piece]
        made = []
        for sign, depth in zip((1.0, -1.0), depths, strict=True):
            for middle, width in _rows(depth, row_m):
                # Each column has its rows a little nearer or farther: a row that is seen is no step of the whole share.
                offset = middle + width * (np.arange(columns) * _GOLDEN % 1.0 - 0.5)
                offset = np.minimum(offset, max(depth - _EDGE_M, middle))
                place = foot + sign * offset[:, None] * _left(self._unit[piece])
                made.append(_table(place, s, step * width, offset))
        made += _sectors(*self._bends(after), depths=depths, row_m=row_m)
        table = np.concatenate(made)
        xy, along, area, far = table[:, :2], table[:, 2], table[:, 3], table[:, 4]
        own = self._distance(xy, max(depths)) >= far - _NEARER_M
        column = np.minimum((along[own] / step).astype(np.int64), columns - 1)
        return BandCells(plane, xy[own], self._from + along[own] * self._scale, column, area[own])

    def _bends(self, after: Floats | None) -> tuple[Floats, Floats, Floats, Floats]:
        """Where the line turns: the places, the directions before and after them, and metres along the stretch."""
        bends = self._line[1:-1], self._unit[:-1], self._unit[1:], self._at[1:-1]
        if self._ring:
            last = self._line[:1], self._unit[-1:], self._unit[:1], self._at[:1]
        elif after is not None and (step := float(np.hypot(*(after - self._line[-1])))) > 0:
            last = self._line[-1:], self._unit[-1:], (after - self._line[-1:]) / step, self._at[-1:]
        else:
            return bends
        corners, before, onward, at = (np.concatenate(both) for both in zip(bends, last, strict=True))
        return corners, before, onward, at

    def _distance(self, points: Floats, most_m: float) -> Floats:
        """Distance from the line, metres, never less than the true one and hardly more; infinite beyond `most_m`."""
        dense = shapely.segmentize(shapely.linestrings(self._context), min(4.0, max(0.5, most_m / 4)))
        tree = scipy.spatial.cKDTree(shapely.get_coordinates(dense))
        return np.asarray(tree.query(points, distance_upper_bound=most_m + 1.0)[0])


def _left(unit: Floats) -> Floats:
    return np.stack([-unit[..., 1], unit[..., 0]], axis=-1)


def _rows(depth_m: float, row_m: float) -> Iterator[tuple[float, float]]:
    """Distances of the rows of cells within a depth, and the width of each."""
    count = max(1, round(depth_m / row_m)) if depth_m > 0 else 0
    for k in range(count):
        yield (k + 0.5) * depth_m / count, depth_m / count


def _sectors(
    corner: Floats, before: Floats, after: Floats, along_m: Floats, *, depths: tuple[float, float], row_m: float
) -> Iterator[Floats]:
    """Cells outside bends: of left turns they lie right of the line."""
    turn = np.arctan2(_cross(before, after), np.sum(before * after, axis=-1))
    for sign, depth in ((-1.0, depths[1]), (1.0, depths[0])):
        bends = np.flatnonzero((sign * turn < 0) & (np.abs(turn) >= _LEAST_TURN_RAD))
        count = np.maximum(np.ceil(np.abs(turn[bends]) / _SECTOR_RAD).astype(int), 1)
        which, counts = np.repeat(bends, count), np.repeat(count, count)
        place = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        first = sign * _left(before[which])
        angle = np.arctan2(first[:, 1], first[:, 0]) + turn[which] * (place + 0.5) / counts
        for offset, width in _rows(depth, row_m):
            xy = corner[which] + offset * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
            yield _table(xy, along_m[which], offset * width * np.abs(turn[which]) / counts, offset)


def _cross(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def _table(xy: NDArray[np.floating], along_m: NDArray[np.floating], area_m2: ArrayLike, offset_m: ArrayLike) -> Floats:
    """Cells as rows: east, north, along the stretch, area, distance from the line."""
    return np.column_stack([xy, along_m, *(np.broadcast_to(one, len(xy)) for one in (area_m2, offset_m))])
