"""Land borders of the world, shipped with the package.

Natural Earth 1:10 million (public domain): good enough to plan, train and show with, off by hundreds of metres from
the surveyed line. Fly by the border file of the authority that is responsible for the line.
"""

from __future__ import annotations

import difflib
import json
import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from geo import CoordinateError, check_coordinates, densify, geodesic_distance_m
from missions.border import BorderSegment, Side
from missions.errors import BorderError

__all__ = ["countries", "cut", "land_border", "neighbours"]

_STEP_M = 1000.0
"""Longest edge that `cut` leaves, metres: whoever draws a straight line between two vertices stays within 0.2 m."""

_DEFAULT_NEAR = {frozenset({"USA", "MEX"}): (31.333, -110.94)}
"""Where `cut` looks when it is not told: latitude, longitude. Nogales, a divided town with fence, hills and roads."""


def countries() -> dict[str, str]:
    """Name by ISO 3166 alpha-3 code of every country that the data has, with or without a land border."""
    return {code: entry["name"] for code, entry in _data()["countries"].items()}


def neighbours(country: str) -> tuple[str, ...]:
    """Alpha-3 codes of the countries that share a land border with one (alpha-2, alpha-3 or name)."""
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
        For an unknown country, with the nearest names, or two that share no border, with the ones that do.
    """
    ours, theirs = _code(own), _code(neighbour)
    data = _data()
    first, second = sorted((ours, theirs))
    parts = data["borders"].get(f"{first}-{second}")
    if parts is None:
        near = ", ".join(neighbours(ours)) or "none in this data"
        raise BorderError(f"{ours} and {theirs} share no land border: the neighbours of {ours} are {near}")
    scale, shift = np.array(data["transform"]["scale"]), np.array(data["transform"]["translate"])
    lines = []
    for flat in parts:
        degrees = np.cumsum(np.reshape(flat, (-1, 2)), axis=0) * scale + shift
        lines.append(tuple((round(float(lon), 6), round(float(lat), 6)) for lon, lat in degrees))
    side = Side.LEFT if ours == first else Side.RIGHT
    whole = [BorderSegment(f"{ours}-{theirs}", ours, theirs, line, side, _country(ours)["name"]) for line in lines]
    whole.sort(key=lambda segment: -segment.length_m())
    if len(whole) == 1:
        return (whole[0],)
    return tuple(replace(s, name=f"{s.name} {n} of {len(whole)}") for n, s in enumerate(whole, 1))


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
        along = _along(line)
        centre = along[-1] / 2
    else:
        lines = [_dense(piece) for piece in pieces]
        nearest = [_nearest(line, near) for line in lines]
        chosen = min(range(len(pieces)), key=lambda i: nearest[i][0])
        piece, line, centre = pieces[chosen], lines[chosen], nearest[chosen][1]
        along = _along(line)
    total = float(along[-1])
    if total <= length_m:
        note = f"asked for {length_m / 1000:.1f} km, this piece of the border has {total / 1000:.1f} km: all of it"
        return replace(piece, coordinates=_points(line), note=note if total < length_m else piece.note)
    if piece.is_ring:
        line, along = np.concatenate([line, line[1:]]), np.concatenate([along, along[1:] + total])
        centre += total if centre < length_m / 2 else 0.0
        start = centre - length_m / 2
    else:
        start = min(max(0.0, centre - length_m / 2), total - length_m)
    ends = np.array([start, start + length_m])
    inner = (along > ends[0] + 1.0) & (along < ends[1] - 1.0)
    at = np.concatenate([ends[:1], along[inner], ends[1:]])
    stretch = np.stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)], axis=-1)
    middle = stretch[len(stretch) // 2]
    where = f"{length_m / 1000:.0f} km near {middle[1]:.3f}, {middle[0]:.3f}"
    return replace(piece, name=f"{piece.own}-{piece.neighbour}, {where}", coordinates=_points(stretch), note="")


@cache
def _data() -> dict[str, Any]:
    path = Path(__file__).parent / "data" / "land_borders.json"
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def _country(code: str) -> dict[str, Any]:
    entry: dict[str, Any] = _data()["countries"][code]
    return entry


def _code(country: str) -> str:
    """Alpha-3 code of a country given by either code or by name, whatever the case."""
    known: dict[str, str] = {}
    for code, entry in _data()["countries"].items():
        for key in (code, entry["alpha2"], entry["name"]):
            if key:
                known.setdefault(str(key).casefold(), code)
    wanted = str(country).strip().casefold()
    if wanted in known:
        return known[wanted]
    close = (
        difflib.get_close_matches(wanted, known, n=4, cutoff=0.55) or [k for k in known if wanted and wanted in k][:4]
    )
    names = ", ".join(dict.fromkeys(f"{_country(known[key])['name']} ({known[key]})" for key in close))
    raise BorderError(f"no country {country!r}: " + (f"did you mean {names}?" if names else "give an ISO 3166 code"))


def _dense(segment: BorderSegment) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Vertices (lon, lat) with no edge longer than `_STEP_M`, points added straight in degrees."""
    lon, lat = np.array(segment.coordinates).T
    lat, lon = densify(lat, lon, _STEP_M)
    return np.stack([lon, lat], axis=-1)


def _along(line: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    steps = geodesic_distance_m(line[:-1, 1], line[:-1, 0], line[1:, 1], line[1:, 0])
    return np.concatenate([[0.0], np.cumsum(steps)])


def _nearest(line: np.ndarray[Any, np.dtype[np.float64]], near: tuple[float, float]) -> tuple[float, float]:
    """Distance of a point from a dense line and where along it, metres; to the vertex, good to the step."""
    distance = geodesic_distance_m(line[:, 1], line[:, 0], near[0], near[1])
    index = int(np.argmin(distance))
    return float(distance[index]), float(_along(line)[index])


def _points(line: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[tuple[float, float], ...]:
    return tuple((round(float(lon), 7), round(float(lat), 7)) for lon, lat in line)
