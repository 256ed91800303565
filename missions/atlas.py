"""Land borders of the world, shipped with the package.

Natural Earth 1:10 million (public domain): good enough to plan, train and show with, off by hundreds of metres from
the surveyed line. Fly by the border file of the authority that is responsible for the line.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import CoordinateError, check_coordinates, densify, geodesic_distance_m, unwrap_longitudes, wrap_longitudes
from missions.border import BorderSegment, Side
from missions.border_line import metres_along, points_of
from missions.country_names import CountryNames
from missions.errors import BorderError

__all__ = ["borders_in", "countries", "cut", "land_border", "neighbours"]

Floats = NDArray[np.float64]

_STEP_M = 1000.0
"""Longest edge that `cut` leaves, metres: whoever draws a straight line between two vertices stays within 0.2 m."""

_SHORTEST_M = 1.0
"""Shortest piece that `borders_in` gives: a line that only touches the box has no more in it."""

_DEFAULT_NEAR = {frozenset({"USA", "MEX"}): (31.333, -110.94)}
"""Where `cut` looks when it is not told: latitude, longitude. Nogales, a divided town with fence, hills and roads."""


def countries() -> dict[str, str]:
    """Name by ISO 3166 alpha-3 code of every country that the data has, with or without a land border."""
    return {code: entry["name"] for code, entry in _data()["countries"].items()}


def neighbours(country: str) -> tuple[str, ...]:
    """Alpha-3 codes of the countries that share a land border with one: alpha-2, alpha-3 or any usual name."""
    code = _code(country)
    pairs = [pair.split("-") for pair in _data()["borders"]]
    return tuple(sorted({b if a == code else a for a, b in pairs if code in {a, b}}))


def land_border(own: str, neighbour: str) -> tuple[BorderSegment, ...]:
    """The land border between two countries, longest piece first.

    Parameters
    ----------
    own, neighbour
        Alpha-2, alpha-3 or name; the first is the own side.

    Raises
    ------
    BorderError
        For an unknown country, with names close to it or whose part it is, or two that share no border, with the ones
        that do.
    """
    ours, theirs = _code(own), _code(neighbour)
    first, second = sorted((ours, theirs))
    lines = _lines().get((first, second))
    if lines is None:
        raise BorderError(f"{ours} and {theirs} share no land border: {_instead(ours, theirs)}")
    return _segments(ours, theirs, list(lines))


def borders_in(
    west_deg: float, south_deg: float, east_deg: float, north_deg: float, own: str | None = None
) -> tuple[BorderSegment, ...]:
    """The land borders within a box, cut at its edges.

    Parameters
    ----------
    west_deg, south_deg, east_deg, north_deg
        The box, degrees; where the west edge is east of the east edge it lies across the antimeridian.
    own
        Alpha-2, alpha-3 or name: only the borders of this country, which is then the own side. Without it each border
        has the country first in the alphabet of codes as its own side.

    Returns
    -------
    tuple of BorderSegment
        Empty where there is none; pair by pair, the longest piece of each first.

    Raises
    ------
    BorderError
        When the edges make no box, or the country is unknown.
    """
    box = _checked_box(west_deg, south_deg, east_deg, north_deg)
    ours = None if own is None else _code(own)
    found: list[BorderSegment] = []
    for (first, second), lines in _lines().items():
        if ours is None or ours in {first, second}:
            pieces = [
                piece for line in lines for piece in _clipped(line, box) if metres_along(piece)[-1] >= _SHORTEST_M
            ]
            found += _segments(ours or first, second if ours in {None, first} else first, pieces)
    return tuple(found)


def cut(
    border: BorderSegment | tuple[BorderSegment, ...],
    length_m: float,
    near: tuple[float, float] | None = None,
) -> BorderSegment:
    """A contiguous stretch of a border about a point.

    Parameters
    ----------
    border
        One piece, or all pieces of a border: the piece nearest to the point is cut.
    length_m
        Length of the stretch, metres, along the line.
    near
        Latitude and longitude, degrees, of the middle; by default a place that suits the pair of countries, else the
        middle of the longest piece.

    Returns
    -------
    BorderSegment
        With vertices at most about 1 km apart. Where the piece is shorter than asked all of it, and `note` says so.

    Raises
    ------
    BorderError
        When the length is not positive, there is no piece, or the point is not a coordinate.
    """
    pieces = (border,) if isinstance(border, BorderSegment) else tuple(border)
    if not pieces:
        raise BorderError("there is no piece of border to cut: give at least one")
    if not (math.isfinite(length_m) and length_m > 0):
        raise BorderError(f"length to cut is {length_m} m: give a positive number of metres")
    if near is None:
        near = _DEFAULT_NEAR.get(frozenset({pieces[0].own, pieces[0].neighbour}))
    if near is not None:
        try:
            check_coordinates(*near, "point to cut near")
        except CoordinateError as error:
            raise BorderError(str(error)) from None
    if near is None:
        piece = max(pieces, key=BorderSegment.length_m)
        line = _dense(piece)
        along = metres_along(line)
        centre = along[-1] / 2
    else:
        lines = [_dense(piece) for piece in pieces]
        nearest = [_nearest(line, near) for line in lines]
        chosen = min(range(len(pieces)), key=lambda i: nearest[i][0])
        piece, line, centre = pieces[chosen], lines[chosen], nearest[chosen][1]
        along = metres_along(line)
    total = float(along[-1])
    if total <= length_m:
        note = f"asked for {length_m / 1000:.1f} km, this piece of the border has {total / 1000:.1f} km: all of it"
        return replace(piece, coordinates=_points(line), note=note if total < length_m else piece.note)
    if piece.is_ring:
        again = line[1:] + (line[-1] - line[0])
        line, along = np.concatenate([line, again]), np.concatenate([along, along[1:] + total])
        centre += total if centre < length_m / 2 else 0.0
        start = centre - length_m / 2
    else:
        start = min(max(0.0, centre - length_m / 2), total - length_m)
    ends = np.array([start, start + length_m])
    inner = (along > ends[0] + 1.0) & (along < ends[1] - 1.0)
    at = np.concatenate([ends[:1], along[inner], ends[1:]])
    stretch = np.stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)], axis=-1)
    middle = stretch[len(stretch) // 2]
    where = f"{length_m / 1000:.0f} km near {middle[1]:.3f}, {float(wrap_longitudes(middle[0])):.3f}"
    return replace(piece, name=f"{piece.own}-{piece.neighbour}, {where}", coordinates=_points(stretch), note="")


@cache
def _data() -> dict[str, Any]:
    path = Path(__file__).parent / "data" / "land_borders.json"
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


@cache
def _lines() -> dict[tuple[str, str], tuple[Floats, ...]]:
    """Vertices (longitude, latitude) by pair of codes; the first in the alphabet is on the left of the lines."""
    data = _data()
    scale, shift = np.array(data["transform"]["scale"]), np.array(data["transform"]["translate"])
    lines = {}
    for pair, parts in data["borders"].items():
        first, second = pair.split("-")
        lines[first, second] = tuple(
            np.round(np.cumsum(np.reshape(flat, (-1, 2)), axis=0) * scale + shift, 6) for flat in parts
        )
    return lines


def _segments(ours: str, theirs: str, lines: list[Floats]) -> tuple[BorderSegment, ...]:
    """Borders of a pair, the longest first, numbered where there are several."""
    side = Side.LEFT if ours < theirs else Side.RIGHT
    name, authority = f"{ours}-{theirs}", _country(ours)["name"]
    whole = [BorderSegment(name, ours, theirs, points_of(line), side, authority) for line in lines]
    whole.sort(key=lambda segment: -segment.length_m())
    if len(whole) < 2:
        return tuple(whole)
    return tuple(replace(s, name=f"{name} {n} of {len(whole)}") for n, s in enumerate(whole, 1))


def _instead(ours: str, theirs: str) -> str:
    """What there is in place of a border between two countries; that a country has none at all may be the data's."""
    bare = next((code for code in (theirs, ours) if not neighbours(code)), None)
    other = ours if bare == theirs else theirs
    near = ", ".join(neighbours(other if bare else ours)) or "none in this data"
    if bare is None:
        return f"the neighbours of {ours} are {near}"
    return (
        f"this data has none of {_country(bare)['name']} ({bare}) at all, and Natural Earth 1:10m leaves out those of "
        f"the smallest states and of enclaves: where there is one give it as a file; the neighbours of {other} are "
        f"{near}"
    )


def _checked_box(west: float, south: float, east: float, north: float) -> tuple[float, float, float, float]:
    """The box with its east edge east of its west edge, beyond 180 degrees if it must be."""
    for name, value, limit in (("west", west, 180), ("south", south, 90), ("east", east, 180), ("north", north, 90)):
        if not (isinstance(value, int | float) and abs(value) <= limit):
            raise BorderError(f"box: {name} is {value}: give degrees within ±{limit}")
    if south >= north:
        raise BorderError(f"box: south is {south}, north is {north}: south must be less than north")
    if west == east:
        raise BorderError(f"box: west and east are both {west}: the box has no width")
    return float(west), float(south), float(east) + (360.0 if east < west else 0.0), float(north)


def _clipped(line: Floats, box: tuple[float, float, float, float]) -> list[Floats]:
    """The parts of a line that are within a box, in order; a ring is not cut at its seam."""
    west, south, east, north = box
    flat = np.stack([unwrap_longitudes(line[:, 0]), line[:, 1]], axis=-1)
    pieces: list[Floats] = []
    for turn in (-360.0, 0.0, 360.0):
        moved = flat + np.array([turn, 0.0])
        low, high = moved.min(axis=0), moved.max(axis=0)
        if low[0] <= east and high[0] >= west and low[1] <= north and high[1] >= south:
            pieces += _clipped_once(moved, np.array([west, south]), np.array([east, north]))
    return pieces


def _clipped_once(line: Floats, low: Floats, high: Floats) -> list[Floats]:
    """Liang and Barsky's clipping of each edge, and the parts of edges that touch joined again."""
    start, step = line[:-1], np.diff(line, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        walls = np.sort([(low - start) / step, (high - start) / step], axis=0)
    # An edge along a wall: within for ever, or never.
    inside = (start >= low) & (start <= high)
    enter = np.where(step == 0, np.where(inside, -np.inf, np.inf), walls[0]).max(axis=1).clip(min=0.0)
    leave = np.where(step == 0, np.where(inside, np.inf, -np.inf), walls[1]).min(axis=1).clip(max=1.0)
    pieces: list[list[Floats]] = []
    open_end, last = False, -1
    for i in np.flatnonzero(enter < leave).tolist():
        if not (open_end and enter[i] == 0.0 and last == i - 1):
            pieces.append([start[i] + enter[i] * step[i] if enter[i] > 0 else start[i]])
        open_end, last = bool(leave[i] == 1.0), i
        pieces[-1].append(line[i + 1] if open_end else start[i] + leave[i] * step[i])
    if len(pieces) > 1 and np.all(line[0] == line[-1]) and np.all(pieces[0][0] == pieces[-1][-1]):
        pieces[0] = [*pieces.pop(), *pieces[0][1:]]
    return [np.array(piece) for piece in pieces]


def _country(code: str) -> dict[str, Any]:
    entry: dict[str, Any] = _data()["countries"][code]
    return entry


@cache
def _names() -> CountryNames:
    return CountryNames(_data()["countries"])


def _code(country: str) -> str:
    """Alpha-3 code of a country given by either code or by a name."""
    return _names().code(country)


def _dense(segment: BorderSegment) -> Floats:
    """Vertices (lon, lat) with no edge longer than `_STEP_M`, the longitudes unwrapped."""
    lon, lat = segment.unwrapped().T
    lat, lon = densify(lat, lon, _STEP_M)
    return np.stack([lon, lat], axis=-1)


def _nearest(line: Floats, near: tuple[float, float]) -> tuple[float, float]:
    """Distance of a point from a dense line and where along it, metres; to the vertex, good to the step."""
    distance = geodesic_distance_m(line[:, 1], line[:, 0], near[0], near[1])
    index = int(np.argmin(distance))
    return float(distance[index]), float(metres_along(line)[index])


def _points(line: Floats) -> tuple[tuple[float, float], ...]:
    return points_of(np.stack([np.round(wrap_longitudes(line[:, 0]), 7), np.round(line[:, 1], 7)], axis=-1))
