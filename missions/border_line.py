"""The vertices of a line in degrees: checked, cleaned, cut at the antimeridian, and where it crosses itself."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import CoordinateError, check_coordinates, geodesic_distance_m, unwrap_longitudes, wrap_longitudes
from missions.errors import BorderError

__all__ = [
    "checked_line",
    "join_lines",
    "metres_along",
    "points_of",
    "runs_anticlockwise",
    "self_crossings",
    "sides_change",
    "split_line",
    "unwrapped",
]

Floats = NDArray[np.float64]
Line = tuple[tuple[float, float], ...]

_SAME_DEG = 1e-7
"""How near to its own way in a line must come out of a vertex to count as running back, and how near to each other
all vertices may not be: about 1 cm."""
_ROUNDING_DEG = 1e-11
"""How far a point that was computed may lie from the vertex that it is."""


def checked_line(coordinates: Iterable[Iterable[float]], what: str) -> tuple[Line, str]:
    """The vertices of a line as numbers, cleaned.

    Parameters
    ----------
    coordinates
        Vertices (longitude, latitude), degrees WGS 84, in order.
    what
        The object they belong to; messages name it.

    Returns
    -------
    tuple
        The vertices without those that repeat the one before and without those in which the line runs back on itself
        (the B of A, B, A); and a note of how many were left out, empty for none.

    Raises
    ------
    BorderError
        For what is no number, no degree, longitude and latitude swapped, or fewer than two distinct vertices.
    """
    try:
        line = np.array([(x, y) for x, y in coordinates], dtype=float).reshape(-1, 2)
    except (TypeError, ValueError, OverflowError) as error:
        raise BorderError(f"{what}: coordinates: a vertex is not (longitude, latitude): {error}") from None
    _check_degrees(line, what)
    if len(line) < 2:
        raise BorderError(f"{what}: coordinates: {len(line)} distinct vertices: a line needs at least two")
    distinct = line[np.append(True, ~_same(line[1:], line[:-1]))]
    kept = _without_reversals(distinct)
    if len(kept) < 2:
        raise BorderError(f"{what}: coordinates: {len(kept)} distinct vertices: a line needs at least two")
    if float(np.ptp(kept, axis=0).max()) < _SAME_DEG:
        raise BorderError(
            f"{what}: coordinates: all vertices lie within 1 cm of {kept[0, 0]:.6f}, {kept[0, 1]:.6f}: a line needs at "
            "least two places"
        )
    wide = np.flatnonzero(np.abs(np.diff(unwrap_longitudes(kept[:, 0]))) >= 180)
    if wide.size:
        at = kept[wide[0]]
        raise BorderError(
            f"{what}: coordinates: the edge from {at[0]:g}, {at[1]:g} spans 180 degrees of longitude, so that neither "
            "way round is the short one: add a vertex between"
        )
    parts = [
        f"{count} {word}"
        for count, word in (
            (len(line) - len(distinct), "repeated"),
            (len(distinct) - len(kept), "in which the line ran back on itself"),
        )
        if count
    ]
    return points_of(kept), f"vertices left out: {', '.join(parts)}" if parts else ""


def unwrapped(coordinates: Iterable[Iterable[float]]) -> Floats:
    """Vertices (longitude, latitude), shape (n, 2), the longitudes without a jump at the antimeridian."""
    line = np.array(list(coordinates), dtype=float)
    return np.stack([unwrap_longitudes(line[:, 0]), line[:, 1]], axis=-1)


def metres_along(line: Floats) -> Floats:
    """Metres along a line at each of its vertices (longitude, latitude), degrees, shape (n, 2), by the geodesic."""
    steps = geodesic_distance_m(line[:-1, 1], line[:-1, 0], line[1:, 1], line[1:, 0])
    return np.concatenate([[0.0], np.cumsum(steps)])


def points_of(line: Floats) -> Line:
    """Vertices as pairs of Python numbers, the longitudes within ±180 degrees."""
    return tuple(zip(wrap_longitudes(line[:, 0]).tolist(), line[:, 1].tolist(), strict=True))


def runs_anticlockwise(coordinates: Iterable[Iterable[float]]) -> bool:
    """Whether a ring has its inside on the left of its direction."""
    x, y = unwrapped(coordinates).T
    # About the first vertex, so that the products do not swallow a small ring far from the origin.
    x, y = x - x[0], y - y[0]
    return bool(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) > 0)


def split_line(coordinates: Iterable[Iterable[float]]) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Cut a line at the antimeridian (RFC 7946, 3.1.9); one part where it does not cross it.

    Figures after longitude and latitude, heights, are those between the two ends at each cut. Vertices that repeat the
    one before are left out.
    """
    line = [tuple(float(v) for v in point) for point in coordinates]
    parts = [line[:1]]
    for a, b in pairwise(line):
        if abs(a[0] - b[0]) > 180:
            latitude, share = _latitude_at_antimeridian((a[0], a[1]), (b[0], b[1])), _share_at_antimeridian(a[0], b[0])
            rest = [u + (v - u) * share for u, v in zip(a[2:], b[2:], strict=True)]
            leave, enter = (math.copysign(180.0, a[0]), latitude, *rest), (math.copysign(180.0, b[0]), latitude, *rest)
            if leave != a:
                parts[-1].append(leave)
            parts.append([enter])
        if b != parts[-1][-1]:
            parts[-1].append(b)
    return tuple(tuple(part) for part in parts if len(part) > 1)


def join_lines(parts: Iterable[Iterable[Iterable[float]]]) -> list[list[tuple[float, float]]]:
    """Join lines that begin where the one before ends, at the antimeridian too.

    The two ends that `split_line` puts there vanish again where they lie straight between their neighbours.
    """
    lines: list[list[tuple[float, float]]] = []
    for part in parts:
        points = [(float(x), float(y)) for x, y in part]
        last = lines[-1][-1] if lines and lines[-1] else None
        if not points or last is None or not _same_point(last, points[0]):
            lines.append(points)
            continue
        line = lines[-1]
        over = last[0] != points[0][0] and len(line) > 1 and len(points) > 1
        if over and _latitude_at_antimeridian(line[-2], points[1]) == last[1]:
            line.pop()
        line.extend(points[1:])
    return lines


def self_crossings(coordinates: Iterable[Iterable[float]]) -> tuple[tuple[float, float], ...]:
    """Where a line passes through itself: latitude and longitude, degrees, along the line.

    A line that touches itself and stays on its side, or runs along itself for a stretch, does not cross.
    """
    line = unwrapped(coordinates)
    if shapely.is_simple(shapely.LineString(line)):
        return ()
    edges = np.asarray(shapely.linestrings(np.stack([line[:-1], line[1:]], axis=1)))
    first, second = shapely.STRtree(edges).query(edges, predicate="intersects")
    apart = second - first > 1
    if np.all(line[0] == line[-1]):
        apart &= ~((first == 0) & (second == len(edges) - 1))
    pairs = sorted(zip(first[apart].tolist(), second[apart].tolist(), strict=True))
    found: dict[tuple[float, float], None] = {}
    for i, j in pairs:
        met = shapely.intersection(edges[i], edges[j])
        if met.geom_type != "Point":
            continue
        at = shapely.get_coordinates(met)[0]
        if sides_change(_pass(line, i, at), _pass(line, j, at), at):
            lon, lat = points_of(at[None])[0]
            found[round(lat, 9), round(lon, 9)] = None
    return tuple(found)


def sides_change(one: tuple[Floats, Floats] | None, other: tuple[Floats, Floats] | None, at: Floats) -> bool:
    """Whether two passes through a point change sides: their four directions alternate round it.

    Parameters
    ----------
    one, other
        The points, shape (2,), that a pass comes from and goes to; None for one that ends there.
    at
        The point, shape (2,).
    """
    if one is None or other is None:
        return False
    away = np.array([*one, *other]) - at
    a, b, c, d = np.arctan2(away[:, 1], away[:, 0])
    turn = np.mod(np.array([b, c, d]) - a, 2 * np.pi)
    if len({0.0, *turn.tolist()}) < 4:
        return False
    return bool((turn[1] < turn[0]) != (turn[2] < turn[0]))


def _check_degrees(line: Floats, what: str) -> None:
    if np.isfinite(line).all() and (np.abs(line) > 360).any():
        at = int(np.flatnonzero((np.abs(line) > 360).any(axis=1))[0])
        raise BorderError(
            f"{what}: coordinates: vertex {at} is {line[at, 0]:.10g}, {line[at, 1]:.10g}, which is no degree: the line "
            "is in a projected system; convert it to longitude and latitude in WGS 84"
        )
    try:
        check_coordinates(line[:, 1], line[:, 0], f"{what}: coordinates")
    except CoordinateError as error:
        swapped = np.isfinite(line).all() and (np.abs(line[:, 0]) <= 90).all() and (np.abs(line[:, 1]) <= 180).all()
        hint = "; here latitude and longitude look swapped" if swapped else ""
        raise BorderError(f"{error}{hint}") from None
    if (np.abs(line[:, 0]) > 180).any():
        raise BorderError(f"{what}: coordinates: a longitude is beyond ±180 degrees: write it within that range")


def _same(a: Floats, b: Floats) -> NDArray[np.bool_]:
    """Whether vertices are the same place: 180 and -180 are."""
    return np.asarray((a[..., 1] == b[..., 1]) & (np.mod(a[..., 0] - b[..., 0], 360.0) == 0), dtype=np.bool_)


def _same_point(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return a[1] == b[1] and (a[0] - b[0]) % 360 == 0


def _without_reversals(line: Floats) -> Floats:
    """Leave out vertices in which the line turns right back, until there is none."""
    flat = np.stack([unwrap_longitudes(line[:, 0]), line[:, 1]], axis=-1)
    if len(flat) > 2 and _turns_back(flat[:-2], flat[1:-1], flat[2:]).any():
        stack: list[int] = []
        for i in range(len(flat)):
            while len(stack) > 1 and _turns_back(flat[stack[-2]], flat[stack[-1]], flat[i]):
                stack.pop()
            if not stack or not np.all(flat[stack[-1]] == flat[i]):
                stack.append(i)
        line, flat = line[stack], flat[stack]
    # The seam of a ring is a vertex like others.
    while len(line) > 3 and _same(line[:1], line[-1:])[0] and _turns_back(flat[-2], flat[0], flat[1]):
        line, flat = line[1:-1], flat[1:-1]
        if not _same(line[:1], line[-1:])[0]:
            line, flat = np.vstack([line, line[:1]]), np.vstack([flat, flat[:1]])
    return line


def _turns_back(before: Floats, at: Floats, after: Floats) -> NDArray[np.bool_]:
    """Whether a line comes out of a vertex the way it went in, as far as the shorter of both edges reaches."""
    u, w = before - at, after - at
    cross = np.abs(u[..., 0] * w[..., 1] - u[..., 1] * w[..., 0])
    reach = np.maximum(np.hypot(u[..., 0], u[..., 1]), np.hypot(w[..., 0], w[..., 1]))
    return np.asarray((np.sum(u * w, axis=-1) > 0) & (cross < _SAME_DEG * reach), dtype=np.bool_)


def _latitude_at_antimeridian(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Latitude at which the edge from a to b meets the antimeridian; the same bits whenever it is asked."""
    return a[1] + (b[1] - a[1]) * _share_at_antimeridian(a[0], b[0])


def _share_at_antimeridian(a_lon: float, b_lon: float) -> float:
    """How much of an edge lies before the antimeridian, 0 to 1."""
    x0, x1 = a_lon % 360 - 180, b_lon % 360 - 180
    return 0.0 if x0 == x1 else x0 / (x0 - x1)


def _pass(line: Floats, edge: int, at: Floats) -> tuple[Floats, Floats] | None:
    """The points that the line comes from and goes to where it passes a point of an edge; None at its open ends."""
    before, after, last = edge, edge + 1, len(line) - 1
    if np.allclose(line[before], at, rtol=0, atol=_ROUNDING_DEG):
        before -= 1
    elif np.allclose(line[after], at, rtol=0, atol=_ROUNDING_DEG):
        after += 1
    if before < 0 or after > last:
        if not np.all(line[0] == line[-1]):
            return None
        before, after = before % last, after % last
    return line[before], line[after]
