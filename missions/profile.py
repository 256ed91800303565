"""The ground below a way: sampled as finely as it bends, and straightened to the places that a height needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import Terrain
from missions.errors import UnknownGroundError
from missions.headroom import SLOPED_M
from missions.plane import Plane

__all__ = ["Between", "GroundBelow", "filled", "linked", "needed", "sampled", "straightened"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PER_CELL = 2
"""Samples to a cell of the model of the ground: columns of degrees are narrower than rows."""

_BETWEEN_M = 1.0
"""What the ground between two samples may differ from the straight line between them, metres."""

_FINEST_M = 0.5
"""Samples as near to each other as this are not divided further, metres: a wall is a slope of this width."""

_ROUNDS = 12
_COARSE_M = 20.0
"""Ways that are only weighed against each other are not sampled closer than this, metres."""

_LOOK = 256
"""Over how many samples a straight piece is sought at first; where that is not enough, over twice as many."""

_ROUNDED_M = 0.02
"""What heights of waypoints differ from what was reckoned with, metres."""

_SAME_M = 1e-6
_NARROW_M = 1e-9

_UPRIGHT = 1000.0
"""How much ways are stretched to be straightened: distances from a line are then measured upright, on walls as well."""


@dataclass(frozen=True, slots=True)
class GroundBelow:
    """Samples of the ground below a way.

    Parameters
    ----------
    points
        Vertices of the way, metres in a plane, shape (v, 2).
    along_m
        Distance of each sample along the way, metres, shape (n,), rising.
    ground_m
        Elevation of the ground there, metres AMSL, shape (n,).
    vertex
        Which of the samples is each vertex, shape (v,).
    """

    points: Floats
    along_m: Floats
    ground_m: Floats
    vertex: Ints

    @classmethod
    def along(cls, points: Floats, plane: Plane, terrain: Terrain) -> GroundBelow:
        """The ground below a way of at least two vertices.

        There are samples at each vertex and in each cell of the model of the ground, and more where the slope changes:
        a bend between two samples, with the slopes a before and b after it, lies off the line between them by at most
        |b - a| / 4 of the distance between them.

        Raises
        ------
        UnknownGroundError
            Where there is no elevation, below a sample or between two.
        """
        vertices = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])

        def place(at: Floats) -> tuple[Floats, Floats]:
            return plane.lat_lon(_between(points, vertices, at))

        counts = np.maximum(1, np.ceil(np.diff(vertices) * _PER_CELL / terrain.resolution_m)).astype(int)
        at = np.concatenate(
            [np.linspace(a, b, n, endpoint=False) for (a, b), n in zip(pairwise(vertices), counts, strict=True)]
        )
        at = np.append(at, vertices[-1])
        where = place(at)
        heights = _known(terrain, *where)
        _heed_corners(at, where, place, terrain)
        for _ in range(_ROUNDS):
            width = np.diff(at)
            slope = np.diff(heights) / np.maximum(width, 1e-9)
            before, after = np.concatenate([slope[:1], slope[:-1]]), np.concatenate([slope[1:], slope[-1:]])
            bent = (np.abs(after - before) * width > 4 * _BETWEEN_M) & (width > _FINEST_M)
            if not bent.any():
                break
            middle = (at[:-1] + at[1:])[bent] / 2
            behind = np.flatnonzero(bent) + 1
            at, heights = np.insert(at, behind, middle), np.insert(heights, behind, _known(terrain, *place(middle)))
        # A vertex that lies on the one before it has its sample too.
        vertex = np.searchsorted(at, vertices, side="left")
        return cls(points, at, heights, vertex)

    def at(self, samples: Ints) -> Floats:
        """Places of samples, metres in the plane, shape (k, 2)."""
        vertices = self.along_m[self.vertex]
        return _between(self.points, vertices, self.along_m[samples])


class Between(NamedTuple):
    """Between which heights straight legs lie, metres, each of shape (n,) or one for all.

    Parameters
    ----------
    least_m, most_m
        What no leg is below, and none above, where the heights are not.
    floor_m, ceiling_m
        What no aircraft is to be below, and none above: one that is asked for the height of the end of a leg at its
        beginning.
    """

    least_m: Floats | float
    most_m: Floats | float
    floor_m: Floats | float = -np.inf
    ceiling_m: Floats | float = np.inf


def straightened(way: GroundBelow, heights_m: Floats, bounds: Between, *, tolerance_m: float) -> Ints:
    """The samples between which straight pieces stay within a tolerance of heights, vertices among them, shape (k,).

    Parameters
    ----------
    way
        The way.
    heights_m, bounds
        Heights at its samples, metres, shape (n,), and bounds of the pieces as `linked` has them.
    tolerance_m
        How far the pieces may leave the heights, upright, metres.
    """
    kept = [way.vertex[:1]]
    every = [np.broadcast_to(bound, heights_m.shape) for bound in bounds]
    for a, b in pairwise(way.vertex.tolist()):
        own = slice(a, b + 1)
        between = Between(*(bound[own] for bound in every))
        kept.append(a + linked(way.along_m[own], heights_m[own], between, tolerance_m)[1:])
    return np.concatenate(kept).astype(np.int64)


def linked(along_m: Floats, height_m: Floats, bounds: Between, tolerance_m: float) -> Ints:
    """Which samples of a line of heights straight legs need, shape (k,), the first and the last among them.

    Each leg stays within a tolerance of the heights, nowhere below the least ones nor above the greatest. One that
    descends by less than `SLOPED_M` ends above the floor of all of it, one that climbs by less below the ceiling.

    Parameters
    ----------
    along_m
        Distance of samples along a straight way, metres, shape (n,), not falling.
    height_m, bounds
        Heights, metres, shape (n,), and what bounds the legs.
    tolerance_m
        How far a leg may leave the heights, upright, metres.
    """
    low = np.maximum(np.minimum(bounds.least_m, height_m), height_m - tolerance_m)
    high = np.minimum(np.maximum(bounds.most_m, height_m), height_m + tolerance_m)
    held = (np.broadcast_to(bound, height_m.shape) for bound in (bounds.floor_m, bounds.ceiling_m))
    lines = np.stack([along_m, height_m, low, high, *held])
    kept, last, look = [0], len(along_m) - 1, _LOOK
    while kept[-1] < last:
        on = _farthest(lines[:, kept[-1] : kept[-1] + look + 1])
        if on == look and kept[-1] + on < last:
            look *= 2
            continue
        kept.append(kept[-1] + on)
        look = _LOOK
    return np.array(kept, dtype=np.int64)


def _farthest(lines: Floats) -> int:
    """How many samples on from the first of some a leg goes; their lines are those of `linked`, shape (6, n)."""
    (at, *_), (begin, *_) = lines[:2]
    along, height, low, high, *_ = lines[:, 1:]
    run, rise = np.maximum(along - at, _NARROW_M), height - begin
    steepest = np.minimum.accumulate((high - begin) / run)
    flattest = np.maximum.accumulate((low - begin) / run)
    fits = (rise <= steepest * run + _SAME_M) & (rise >= flattest * run - _SAME_M)
    above = height >= np.maximum.accumulate(lines[4])[1:] - _SAME_M
    below = height <= np.minimum.accumulate(lines[5])[1:] + _SAME_M
    fits &= above | (rise >= 0) | (rise <= -SLOPED_M - _ROUNDED_M)
    fits &= below | (rise <= 0) | (rise >= SLOPED_M + _ROUNDED_M)
    return int(np.flatnonzero(fits)[-1]) + 1 if fits.any() else 1


def needed(along_m: Floats, heights_m: Floats, tolerance_m: float) -> Ints:
    """Which of the samples of a line of heights straight pieces need, to stay within a tolerance of it upright."""
    line = np.stack([along_m * _UPRIGHT, heights_m], axis=-1)
    found = shapely.get_coordinates(shapely.simplify(shapely.linestrings(line), tolerance_m))[:, 0]
    return np.searchsorted(line[:, 0], found).astype(np.int64)


def filled(along: Floats, ground_m: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Elevations along a line, those that are not known even between those that are; and which are not."""
    unknown = np.isnan(ground_m)
    if unknown.all():
        return np.zeros(len(ground_m)), unknown
    if not unknown.any():
        return ground_m, unknown
    return np.interp(along, along[~unknown], ground_m[~unknown]), unknown


def sampled(points: Floats, step_m: float) -> Floats:
    """Points of a way, metres, shape (n, 2), with more between them, no farther apart than a step."""
    length = np.hypot(*np.diff(points, axis=0).T)
    counts = np.maximum(1, np.ceil(length / max(step_m, _COARSE_M))).astype(int)
    vertices = np.arange(len(points), dtype=float)
    parts = [k + np.arange(n) / n for k, n in enumerate(counts)]
    return _between(points, vertices, np.concatenate([*parts, vertices[-1:]]))


def _between(points: Floats, vertices: Floats, at: Floats) -> Floats:
    """Places at distances along a way."""
    return np.stack([np.interp(at, vertices, points[:, k]) for k in (0, 1)], axis=-1)


def _known(terrain: Terrain, lat: Floats, lon: Floats) -> Floats:
    """Elevations at places, degrees, metres AMSL; raises UnknownGroundError where there is none."""
    found = np.asarray(terrain.known_elevation_m(lat, lon), dtype=float)
    if np.isnan(found).any():
        first = int(np.argmax(np.isnan(found)))
        place = float(lat.flat[first]), float(lon.flat[first])
        raise UnknownGroundError(f"no elevation at {place[0]:.5f}, {place[1]:.5f}: {terrain.lack(*place)}", *place)
    return found


def _heed_corners(
    at: Floats, where: tuple[Floats, Floats], place: Callable[[Floats], tuple[Floats, Floats]], terrain: Terrain
) -> None:
    """Refuse a way that leads over ground without elevation between two of its samples, all of which have one.

    A cell of the model of the ground has an elevation everywhere or nowhere. Two samples that are less than a cell
    apart lie in one cell, in two side by side, or in two that meet at a corner. What is between them is then in one of
    the two other cells there besides: one has the latitude of the first and the longitude of the second, one those of
    the second and the first. Where either has no elevation the piece is halved until that decides.

    Parameters
    ----------
    at, where
        Distances of the samples along the way, metres, and their places, degrees, each of shape (n,).
    place
        Places at distances along the way.
    terrain
        The ground.
    """
    pieces = np.stack([at[:-1], at[1:]])
    lat, lon = (np.stack([v[:-1], v[1:]]) for v in where)
    while True:
        beside = np.isnan(terrain.known_elevation_m(lat, lon[::-1])).any(axis=0)
        if not beside.any():
            return
        short = beside & (pieces[1] - pieces[0] <= _FINEST_M)
        if short.any():
            _known(terrain, lat[:, short], lon[::-1, short])
        pieces = pieces[:, beside]
        middle = pieces.mean(axis=0)
        _known(terrain, *place(middle))
        pieces = np.concatenate([np.stack([pieces[0], middle]), np.stack([middle, pieces[1]])], axis=1)
        lat, lon = place(pieces)
