"""Lines that a network is made of, and where they are to be cut: where they cross and where one ends near another."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import geodesic_length_m
from missions.border import BorderSegment
from missions.network import Branch

__all__ = ["DEGREE_M", "NetworkLine", "Wall", "cut_at_crossings", "cut_at_ends", "length_m", "walls_of"]

Floats = NDArray[np.float64]

DEGREE_M = 111_195.0
"""Metres in a degree of the sphere: good to half a percent, which is all that a tolerance asks for."""


@dataclass(slots=True)
class NetworkLine:
    """A line while the network is made of it.

    `xy` are its vertices, (longitude, latitude) in degrees, all lines in one copy of the world. `cuts` are places
    along it, edge and share of the edge, at which it is to have a node.
    """

    source: BorderSegment | Branch
    xy: Floats
    cuts: set[float] = field(default_factory=set)

    @property
    def is_border(self) -> bool:
        """Whether it is a border, which stays where it is."""
        return isinstance(self.source, BorderSegment)

    @property
    def closed(self) -> bool:
        """Whether it is a ring."""
        return len(self.xy) > 3 and bool(np.all(self.xy[0] == self.xy[-1]))

    def at(self, place: float) -> Floats:
        """The point at a place."""
        edge = min(int(place), len(self.xy) - 2)
        share = place - edge
        # Written so that whole shares give the vertices themselves, bit by bit.
        return self.xy[edge] if share == 0 else self.xy[edge + 1] if share == 1 else self._between(edge, share)

    def _between(self, edge: int, share: float) -> Floats:
        return np.asarray(self.xy[edge] + share * (self.xy[edge + 1] - self.xy[edge]), dtype=np.float64)

    def piece(self, a: float, b: float) -> Floats:
        """Vertices from one place to a later one."""
        inner = self.xy[math.floor(a) + 1 : math.ceil(b)]
        return np.vstack([self.at(a), inner, self.at(b)])

    def along_m(self, a: float, b: float) -> float:
        """Length between two places, metres."""
        return length_m(self.piece(min(a, b), max(a, b)))

    def ends(self) -> tuple[float, ...]:
        """Its first and last place; a ring has none."""
        return () if self.closed else (0.0, float(len(self.xy) - 1))


@dataclass(frozen=True, slots=True)
class Wall:
    """A border as it is, and with its open ends drawn out straight past all branches."""

    border: BorderSegment
    xy: Floats
    drawn: Floats


def _metres(offset: Floats, lat: float | Floats) -> Floats:
    """Length in metres of offsets (longitude, latitude) in degrees at a latitude."""
    return np.asarray(np.hypot(offset[..., 0] * np.cos(np.radians(lat)), offset[..., 1]) * DEGREE_M, dtype=np.float64)


def length_m(points: Floats) -> float:
    """Geodesic length of vertices (longitude, latitude), metres."""
    return geodesic_length_m(points[:, 1], points[:, 0])


def walls_of(lines: Sequence[NetworkLine], tolerance_m: float) -> list[Wall]:
    """The borders among the lines; an end is open where no other border's end is within the tolerance."""
    borders = [line for line in lines if line.is_border]
    ends = np.array([line.at(place) for line in borders for place in line.ends()]).reshape(-1, 2)
    far = float(np.hypot(*np.ptp(np.vstack([line.xy for line in lines]), axis=0))) + 1.0
    walls = []
    for line in borders:
        drawn = line.xy
        for place in line.ends():
            tip, inner = (line.xy[0], line.xy[1]) if place == 0 else (line.xy[-1], line.xy[-2])
            # It meets itself here, and goes on where another meets it too.
            if np.sum(_metres(ends - tip, tip[1]) <= tolerance_m) > 1:
                continue
            out = tip + (tip - inner) * far / np.hypot(*(tip - inner))
            drawn = np.vstack([out, drawn]) if place == 0 else np.vstack([drawn, out])
        assert isinstance(line.source, BorderSegment)
        walls.append(Wall(line.source, line.xy, drawn))
    return walls


def _segments(xys: Iterable[Floats]) -> tuple[NDArray[np.object_], NDArray[np.int64], NDArray[np.int64]]:
    """Edges of several lines as geometries, with the line and the edge that each is."""
    pairs, owner, edge = [], [], []
    for number, xy in enumerate(xys):
        pairs.append(np.stack([xy[:-1], xy[1:]], axis=1))
        owner.append(np.full(len(xy) - 1, number))
        edge.append(np.arange(len(xy) - 1))
    return np.asarray(shapely.linestrings(np.concatenate(pairs))), np.concatenate(owner), np.concatenate(edge)


def _share(xy: Floats, edge: int, point: Floats) -> float:
    """Place along a line of a point that lies on an edge of it, whole where that is a vertex."""
    a, b = xy[edge], xy[edge + 1]
    share = float(np.clip(np.dot(point - a, b - a) / np.dot(b - a, b - a), 0.0, 1.0))
    return edge + (0.0 if share < 1e-9 else 1.0 if share > 1 - 1e-9 else share)


def cut_at_crossings(lines: Sequence[NetworkLine], walls: Sequence[Wall]) -> None:
    """Cut branches, and what they meet, wherever they touch."""
    branches = [number for number, line in enumerate(lines) if not line.is_border]
    if not branches:
        return
    shapes, owner, edge = _segments(line.xy for line in lines)
    tree = shapely.STRtree(shapes)
    mine = np.flatnonzero(np.isin(owner, branches))
    first, second = tree.query(shapes[mine], predicate="intersects")
    first = mine[first]
    # Of two branches each pair is found twice.
    once = ~np.isin(owner[second], branches) | (first < second)
    for a, b in zip(first[once].tolist(), second[once].tolist(), strict=True):
        one, other = lines[owner[a]], lines[owner[b]]
        if one is other and _adjacent(one, int(edge[a]), int(edge[b])):
            continue
        for point in shapely.get_coordinates(shapely.intersection(shapes[a], shapes[b])):
            one.cuts.add(_share(one.xy, int(edge[a]), point))
            other.cuts.add(_share(other.xy, int(edge[b]), point))
    # What a border drawn out meets is cut there as well; a border itself is not.
    for wall in walls:
        drawn = np.asarray(shapely.linestrings(np.stack([wall.drawn[[0, -2]], wall.drawn[[1, -1]]], axis=1)))
        for b, a in zip(*tree.query(drawn, predicate="intersects").tolist(), strict=True):
            line = lines[owner[a]]
            if not line.is_border:
                for point in shapely.get_coordinates(shapely.intersection(drawn[b], shapes[a])):
                    line.cuts.add(_share(line.xy, int(edge[a]), point))


def _adjacent(line: NetworkLine, a: int, b: int) -> bool:
    last = len(line.xy) - 2
    return abs(a - b) <= 1 or (line.closed and {a, b} == {0, last})


def cut_at_ends(lines: Sequence[NetworkLine], tolerance_m: float) -> None:
    """Cut lines where the end of another, or their own, comes within the tolerance."""
    shapes, owner, edge = _segments(line.xy for line in lines)
    tree = shapely.STRtree(shapes)
    for number, line in enumerate(lines):
        for place in line.ends():
            tip = line.at(place)
            reach = 1.02 * tolerance_m / DEGREE_M / max(math.cos(math.radians(tip[1])), 1e-3)
            best: dict[int, tuple[float, float]] = {}
            for index in tree.query(shapely.Point(tip), predicate="dwithin", distance=reach).tolist():
                other = lines[owner[index]]
                at = _nearest(other.xy, int(edge[index]), tip)
                # Its own beginning is near to an end, but no junction.
                if owner[index] == number and line.along_m(at, place) < 4 * tolerance_m:
                    continue
                distance = float(_metres(other.at(at) - tip, tip[1]))
                if distance <= tolerance_m and distance < best.get(int(owner[index]), (math.inf, 0.0))[0]:
                    best[int(owner[index])] = (distance, at)
            for index, (_, at) in best.items():
                lines[index].cuts.add(at)


def _nearest(xy: Floats, edge: int, point: Floats) -> float:
    """Place on an edge that is nearest to a point in metres."""
    scale = np.array([math.cos(math.radians(point[1])), 1.0])
    a, b = xy[edge] * scale, xy[edge + 1] * scale
    share = float(np.clip(np.dot(point * scale - a, b - a) / np.dot(b - a, b - a), 0.0, 1.0))
    return edge + share
