"""The band beside a border: as a polygon, and as points that each stand for a part of its area."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry
from shapely.ops import split

from geo import densify, geodesic_distance_m, locate, unwrap_longitudes
from missions.border import BorderSegment, Side
from missions.flightline import extended
from missions.plane import Plane

__all__ = ["BandSamples", "band_polygon", "sample_band"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_FINEST_M, _MOST_POINTS = 5.0, 150_000
_ROWS_A_SIDE = 3
"""Least number of rows of points on each side of the line, however coarse they are along it."""
_CHUNK_M, _EDGE_M = 50_000.0, 500.0
_SAME_M = 1e-3
_GOLDEN = (math.sqrt(5) - 1) / 2
_EARTH_M = 6_371_009.0


@dataclass(frozen=True, slots=True)
class BandSamples:
    """Points of the band, each standing for the area around it.

    Parameters
    ----------
    lat_deg, lon_deg
        Where, degrees, shape (n,); longitudes run on across the antimeridian.
    along_m
        Distance along the border of its point nearest to each, metres.
    across_m
        Distance from the border, metres: positive on its left.
    area_m2
        What each stands for, square metres.
    chunk
        Number of the stretch of the border that each belongs to, not falling.
    centres
        Latitude and longitude, degrees, of the middle of each stretch, shape (m, 2): it is at most 50 km long, so that
        a plane there is exact for it.
    step_m
        Distance between points along the border, metres.
    """

    lat_deg: Floats
    lon_deg: Floats
    along_m: Floats
    across_m: Floats
    area_m2: Floats
    chunk: Integers
    centres: Floats
    step_m: float

    def __len__(self) -> int:
        return len(self.area_m2)


def sample_band(border: BorderSegment, *, step_m: float | None = None, most: int = _MOST_POINTS) -> BandSamples:
    """Points of the band of a border.

    The rows run beside the line at equal distances from each other, round the outer side of its bends; points that are
    nearer to another part of the line belong to that part and are left out. So each point of the band counts once.

    Parameters
    ----------
    border
        The border with its band.
    step_m
        Distance between points along the border, metres; 5 by default, and more for borders so long that there would
        be more than `most` points.
    most
        About how many points there may be, in all.
    """
    lon, lat = border.unwrapped().T
    lat, lon = densify(lat, lon, _EDGE_M)
    lon = unwrap_longitudes(lon)
    along = np.concatenate([[0.0], np.cumsum(geodesic_distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:]))])
    step = _FINEST_M if step_m is None else step_m
    while step_m is None and along[-1] / step * len(_rows(border, step)[0]) > most:
        step *= 1.05
    count = max(1, math.ceil(along[-1] / _CHUNK_M))
    cuts = np.unique(np.searchsorted(along, np.linspace(0, along[-1], count + 1)))
    parts, centres = [], []
    for number, (a, b) in enumerate(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)):
        middle = (a + b) // 2
        plane = Plane.at(float(lat[middle]), float(lon[middle]))
        centres.append((float(lat[middle]), float(lon[middle])))
        points, place, across, area = _beside(border, plane, (lat, lon, along), (a, b), step)
        point_lat, point_lon = _lat_lon(plane, points, float(lon[middle]))
        parts.append((point_lat, point_lon, place, across, area, np.full(len(area), number)))
    lats, lons, places, across, areas, chunks = (np.concatenate(p) for p in zip(*parts, strict=True))
    return BandSamples(lats, lons, places, across, areas, chunks, np.array(centres), step)


def _rows(border: BorderSegment, step_m: float) -> tuple[Floats, Floats]:
    """Signed distances of the rows from the line, left positive, and the depth that each stands for."""
    offsets, depths = [], []
    sign = border.own_side.sign
    for depth, side in ((border.band_own_m, sign), (border.band_far_m, -sign)):
        if depth > 0:
            count = max(_ROWS_A_SIDE, math.ceil(depth / step_m))
            offsets.append(side * depth * (np.arange(count) + 0.5) / count)
            depths.append(np.full(count, depth / count))
    return np.concatenate(offsets), np.concatenate(depths)


def _beside(
    border: BorderSegment, plane: Plane, line: tuple[Floats, Floats, Floats], own: tuple[int, int], step_m: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Points in the plane, metres along, metres across and areas, beside the vertices from one to another."""
    lat, lon, along = line
    a, b = own
    xy = plane.xy(lat[a : b + 1], lon[a : b + 1])
    edges = np.diff(xy, axis=0)
    lengths = np.hypot(*edges.T)
    heading = np.arctan2(edges[:, 1], edges[:, 0])
    # The bend at the first vertex, between the edge before it and the first.
    before = a - 1 if a > 0 else len(lat) - 2
    first = xy[0] - plane.xy(lat[before], lon[before]) if a > 0 or border.is_ring else edges[0]
    came = np.concatenate([[np.arctan2(first[1], first[0])], heading[:-1]])
    bend = np.mod(heading - came + np.pi, 2 * np.pi) - np.pi
    out = []
    for number, (offset, depth) in enumerate(zip(*_rows(border, step_m), strict=True)):
        # An arc round each bend that turns away from this row, then the edge.
        arcs = np.where(bend * offset < 0, np.abs(bend * offset), 0.0)
        ends = np.cumsum(np.stack([arcs, lengths], axis=1).ravel())
        count = max(1, round(ends[-1] / step_m))
        # Rows out of step with each other: together they see more of what changes along the line.
        at = (np.arange(count) + (0.5 + number * _GOLDEN) % 1.0) * (ends[-1] / count)
        piece = np.minimum(np.searchsorted(ends, at, side="right"), len(ends) - 1)
        into = at - np.concatenate([[0.0], ends])[piece]
        k, on_edge = piece // 2, piece % 2 == 1
        angle = np.where(on_edge, heading[k], came[k] + np.sign(bend[k]) * into / abs(offset))
        run = np.where(on_edge, into, 0.0)
        foot = xy[k] + run[:, None] * np.stack([np.cos(heading[k]), np.sin(heading[k])], axis=-1)
        points = foot + offset * np.stack([-np.sin(angle), np.cos(angle)], axis=-1)
        place = along[a + k] + run
        out.append((points, place, np.full(count, offset), np.full(count, ends[-1] / count * depth)))
    points, place, across, area = (np.concatenate(p) for p in zip(*out, strict=True))
    kept = ~_nearer_elsewhere(plane, lat, lon, points, np.abs(across))
    return points[kept], place[kept], across[kept], area[kept]


def _nearer_elsewhere(plane: Plane, lat: Floats, lon: Floats, points: Floats, away_m: Floats) -> NDArray[np.bool_]:
    """Whether some part of the whole line is nearer to a point than the part that it was placed beside."""
    low, high = points.min(axis=0) - away_m.max() - _EDGE_M, points.max(axis=0) + away_m.max() + _EDGE_M
    centre = plane.frame.lat_deg, plane.frame.lon_deg
    reach = float(np.hypot(*np.maximum(np.abs(low), np.abs(high)))) + 2 * _EDGE_M
    east = (np.mod(lon - centre[1] + 180.0, 360.0) - 180.0) * math.cos(math.radians(centre[0]))
    # Rough: as wide as the latitude of the centre has it, and half as much again.
    near = np.hypot(lat - centre[0], east) * 111_000.0 < 1.5 * reach
    edge = np.flatnonzero(near[:-1] | near[1:])
    ends = plane.xy(lat[edge], lon[edge]), plane.xy(lat[edge + 1], lon[edge + 1])
    tree = shapely.STRtree(shapely.linestrings(np.stack(ends, axis=1)))
    found = tree.query(shapely.points(points), predicate="dwithin", distance=away_m - _SAME_M)
    nearer = np.zeros(len(points), dtype=bool)
    nearer[found[0]] = True
    return nearer


def _lat_lon(plane: Plane, points: Floats, lon_deg: float) -> tuple[Floats, Floats]:
    """Degrees of points within some tens of kilometres of the middle of a plane, to a millimetre."""
    up = -np.sum(points**2, axis=-1) / (2 * _EARTH_M)
    lat, lon, _ = plane.frame.to_geodetic(points[:, 0], points[:, 1], up)
    return lat, lon_deg + np.mod(lon - lon_deg + 180.0, 360.0) - 180.0


def band_polygon(line_xy: Floats, side: Side, own_m: float, far_m: float) -> BaseGeometry:
    """The ground within `own_m` of a line on its own side and within `far_m` on the other, metres.

    Each half is the part of a flat-capped buffer that lies on its side of the line.
    """
    line = LineString(line_xy)
    halves = []
    for depth, sign in ((own_m, side.sign), (far_m, -side.sign)):
        if depth <= 0:
            continue
        around = line.buffer(depth, cap_style="flat")
        if line.is_ring:
            enclave = Polygon(line.coords)
            inside = (sign > 0) == enclave.exterior.is_ccw
            halves.append(around.intersection(enclave) if inside else around.difference(enclave))
            continue
        pieces = split(around, LineString(extended(line_xy, 2.0, 50.0))).geoms
        inner = np.array([piece.representative_point().coords[0] for piece in pieces])
        on_side = locate(line_xy, inner).offset_m * sign > 0
        halves.append(shapely.union_all([piece for piece, good in zip(pieces, on_side, strict=True) if good]))
    return shapely.union_all(halves)
