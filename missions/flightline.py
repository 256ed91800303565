"""The flight line beside a border.

All in one local frame, metres east and north. The stand-off is kept by construction: the flight line is the own side
of the outline of everything closer than the offset, so no bend, bay or spit of the border comes nearer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely import Geometry
from shapely.geometry import LineString, MultiPolygon, Point, Polygon
from shapely.ops import substring

from geo import locate
from missions.beyond import beyond, direction
from missions.border import Side
from missions.errors import PlanError
from missions.widened import is_dense, widened

__all__ = ["FlightLine", "extended", "flight_line"]

Floats = NDArray[np.float64]

_BORDER_TOLERANCE_M = 0.5
_PATH_TOLERANCE_M = 1.0
_CORNER_RAD = 0.3
"""By how much a bend that wings fly turns at one vertex, most."""
_DENSE_OFF = 20
"""Where a border whose vertices stand close ends is told by one simplified by this part of the distance beside it."""
_END_OFFS = 5
"""How many times that the last piece of it is long at least, which says what is straight across the end."""
_OWN_SHARE = 0.9
_SAMPLE_M = 10.0


@dataclass(frozen=True, slots=True)
class FlightLine:
    """Where to patrol.

    Parameters
    ----------
    points
        Vertices, east and north, metres, shape (n, 2), in the border's direction.
    along_m
        Distance of each from the first, metres.
    """

    points: Floats
    along_m: Floats

    @property
    def length_m(self) -> float:
        """Length, metres."""
        return float(self.along_m[-1])

    def at(self, along_m: ArrayLike) -> Floats:
        """Points at distances along the line, shape (..., 2)."""
        s = np.asarray(along_m, dtype=float)
        return np.stack([np.interp(s, self.along_m, self.points[:, k]) for k in (0, 1)], axis=-1)

    def between(self, from_m: float, to_m: float) -> Floats:
        """Vertices of the stretch between two distances, ends included."""
        inner = (self.along_m > from_m + 0.5) & (self.along_m < to_m - 0.5)
        return np.concatenate([self.at([from_m]), self.points[inner], self.at([to_m])])


def extended(line: Floats, by_m: float, chord_m: float = 1000.0) -> Floats:
    """A line with a straight piece added at both ends, in the direction of the last `chord_m` of it."""
    if np.array_equal(line[0], line[-1]):
        return line
    head, tail = (way[0] + direction(way, chord_m) * by_m for way in (line, line[::-1]))
    return np.concatenate([[head], line, [tail]])


def flight_line(
    border_xy: Floats, side: Side, offset_m: float, turn_radius_m: float = 0.0, chord_m: float = 1000.0
) -> FlightLine:
    """The line on one side of a border that keeps its distance from all of it.

    Parameters
    ----------
    border_xy
        The border, metres, shape (n, 2).
    side
        Own side.
    offset_m
        Distance from the border, metres. The result nowhere comes closer than this less
        `_PATH_TOLERANCE_M` + 2 * `_BORDER_TOLERANCE_M`.
    turn_radius_m
        Least radius of its bends, metres. Bends round the border have the radius `offset_m` by themselves; those into
        a bay are rounded, which moves the line away from the border there.
    chord_m
        The border is taken to go on past its ends in the direction of this much of it, metres.

    Raises
    ------
    PlanError
        When no room is left on the own side.
    """
    # The buffer of a simplified line is far cheaper than that of a surveyed one.
    border = shapely.simplify(LineString(border_xy), _BORDER_TOLERANCE_M)
    if border.is_ring:
        parts = _parts(_grown(border, offset_m, turn_radius_m, "round"))
        rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
        return _ring_line(rings, border, side, _tolerance_m(turn_radius_m))
    # Beside the straight continuation too, so that the ends do not lean over it; then cut back to the border itself.
    points = np.array(border.coords)
    # As far as a hook leaves room for it.
    ends_xy = [beyond(way, (), _BORDER_TOLERANCE_M, 3 * offset_m, chord_m) for way in (points, points[::-1])]
    whole = np.array([ends_xy[0], *points, ends_xy[1]])
    line = LineString(whole[np.append(True, np.any(np.diff(whole, axis=0) != 0, axis=1))])
    around = max(_parts(_grown(line, offset_m, turn_radius_m, "flat")), key=lambda part: float(part.area))
    outline = around.exterior
    ends = []
    for a, b, corner in ((0, 1, 0), (-2, -1, -1)):
        d = np.subtract(line.coords[b], line.coords[a])
        d /= np.hypot(*d)
        ends.append(Point(line.coords[corner] + side.sign * offset_m * np.array([-d[1], d[0]])))
    s0, s1 = (outline.project(p) for p in ends)
    candidates = [_arc(outline, s0, s1), _arc(outline, s1, s0)[::-1]]
    best: Floats | None = max(candidates, key=lambda path: _own_share(line, path, side))
    if best is None or _own_share(line, best, side) < _OWN_SHARE:
        # A hook that shuts itself leaves no place beside its end: what is left is beside the rest of the border.
        # Where a line crosses itself its sides change places, and what is beside it says nothing.
        inner = substring(border, _PATH_TOLERANCE_M, border.length - _PATH_TOLERANCE_M)
        best = _longest_own(around, border, side) if inner.is_simple else None
    if best is None:
        raise PlanError(
            f"no room for a flight line {offset_m:.0f} m beside the border on its {side} side: check own_side"
        )
    path = LineString(_on_own_side(best, border, side))
    beside = _opposite(border, offset_m + 1.0)
    met = shapely.get_parts(path.intersection(beside))
    # What is empty has one part, which is empty.
    if shapely.is_empty(met).all():
        raise PlanError(f"no room for a flight line {offset_m:.0f} m beside the border: it is shorter than its bends")
    # Vertices are at places that are known: only where it comes in and goes out has to be found.
    tips = np.concatenate([shapely.get_coordinates(part)[[0, -1]] for part in met])
    shapely.prepare(beside)
    inside = shapely.intersects_xy(beside, *np.array(path.coords).T)
    at = np.append(shapely.line_locate_point(path, shapely.points(tips)), _along(np.array(path.coords))[inside])
    kept = shapely.simplify(substring(path, float(at.min()), float(at.max())), _tolerance_m(turn_radius_m))
    if kept.length < 1.0:
        raise PlanError(f"no room for a flight line {offset_m:.0f} m beside the border: it is shorter than its bends")
    return _line(np.array(kept.coords))


def _grown(
    line: LineString, offset_m: float, turn_radius_m: float, cap_style: Literal["round", "flat"]
) -> Polygon | MultiPolygon:
    """Everything nearer to a line than the offset; closed by a disc of the turn radius, so that no bay is narrower."""
    by_m = offset_m + turn_radius_m
    if is_dense(line, by_m):
        # Its ends lie beyond those of the border, round or flat.
        around = widened(line, by_m, quad_segs=24)
    else:
        around = shapely.buffer(line, by_m, quad_segs=24, cap_style=cap_style)
    if turn_radius_m > 0:
        around = shapely.buffer(around, -turn_radius_m, quad_segs=24)
    assert isinstance(around, Polygon | MultiPolygon)  # what grows out of a line is an area
    return around


def _opposite(border: LineString, by_m: float) -> Geometry:
    """What is within a distance of a border and not beyond its ends; a little more where its vertices stand close."""
    if not is_dense(border, by_m):
        return shapely.buffer(border, by_m, quad_segs=16, cap_style="flat")
    off_m = by_m / _DENSE_OFF
    points = shapely.get_coordinates(shapely.simplify(border, off_m))
    # The last step of a track is noise: straight across it is anywhere.
    ends_m = np.hypot(*(points[:, None] - points[[0, -1]]).transpose(2, 0, 1)).min(axis=1)
    inner = points[1:-1][ends_m[1:-1] > _END_OFFS * off_m]
    line = LineString([points[0], *inner, points[-1]])
    return shapely.buffer(line, by_m + off_m, quad_segs=16, cap_style="flat")


def _parts(area: Polygon | MultiPolygon) -> list[Polygon]:
    return [area] if isinstance(area, Polygon) else list(area.geoms)


def _tolerance_m(turn_radius_m: float) -> float:
    """By how much the line may be straightened, metres: bends that wings can fly stay bends, not a few corners."""
    if turn_radius_m <= 0:
        return _PATH_TOLERANCE_M
    return min(_PATH_TOLERANCE_M, turn_radius_m * (1 - math.cos(_CORNER_RAD / 2)))


def _ring_line(rings: list[shapely.LinearRing], border: LineString, side: Side, tolerance_m: float) -> FlightLine:
    """Flight line within or around the border of an enclave."""
    inside_is_left = Polygon(border.coords).exterior.is_ccw
    inside = (side is Side.LEFT) == inside_is_left
    enclave = Polygon(border.coords)
    fitting = [r for r in rings if enclave.contains(Point(r.coords[0])) == inside]
    if not fitting:
        raise PlanError(
            "no room for a flight line inside the border ring: the country is narrower than twice the offset"
        )
    ring = max(fitting, key=lambda r: r.length)
    points = np.array(shapely.simplify(LineString(ring.coords), tolerance_m).coords)
    if ring.is_ccw != inside_is_left:
        points = points[::-1]
    start = int(np.argmin(np.hypot(*(points[:-1] - border.coords[0]).T)))
    return _line(np.concatenate([points[start:-1], points[: start + 1]]))


def _line(points: Floats) -> FlightLine:
    return FlightLine(points, _along(points))


def _arc(ring: shapely.LinearRing, start: float, stop: float) -> Floats:
    """Points of a ring from one distance on to another, past its seam where need be."""
    coords = np.array(ring.coords)
    along = _along(coords)
    if stop <= start:
        coords, along = np.concatenate([coords, coords[1:]]), np.concatenate([along, along[1:] + along[-1]])
        stop += ring.length
    inner = (along > start + 1e-6) & (along < stop - 1e-6)
    return _places(coords, np.concatenate([[start], along[inner], [stop]]))


def _along(xy: Floats) -> Floats:
    """Distance of each vertex of a line from the first."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])


def _places(xy: Floats, at: Floats) -> Floats:
    """Points of a line at distances along it: for many of them Shapely takes the square of the time."""
    along = _along(xy)
    return np.stack([np.interp(at, along, xy[:, k]) for k in (0, 1)], axis=-1)


def _on_own_side(path: Floats, border: LineString, side: Side) -> Floats:
    """A path less what of its ends comes to the far side of a border, as in the mouth of a hook, or on its edge."""
    longer = LineString(extended(path, _SAMPLE_M, _SAMPLE_M))
    vertices, line = np.array(longer.coords), np.array(border.coords)

    def is_own(points: Floats) -> NDArray[np.bool_]:
        position = locate(line, points)
        return np.asarray((position.offset_m * side.sign > 0) | position.beyond)

    if is_own(vertices[[0, -1]]).all():  # as nearly always: all between is not asked
        return path
    at = np.linspace(0.0, longer.length, 2 + int(longer.length / _SAMPLE_M * 2))
    own = np.flatnonzero(is_own(_places(vertices, at)))
    if not len(own):
        return path
    kept = substring(longer, float(at[own[0]]) + _SAMPLE_M, float(at[own[-1]]) - _SAMPLE_M)
    return np.array(kept.coords) if kept.length > _SAMPLE_M else path


def _longest_own(around: Polygon, border: LineString, side: Side) -> Floats | None:
    """The longest stretch of the outlines of an area that lies on the own side of the border; None for none."""
    found: Floats | None = None
    longest = 0.0
    for ring in (around.exterior, *around.interiors):
        count = max(8, int(ring.length / _SAMPLE_M))
        at = np.arange(count) / count * ring.length
        position = locate(np.array(border.coords), _places(np.array(ring.coords), at))
        own = np.asarray((position.offset_m * side.sign > 0) & ~position.beyond)
        if own.all() or not own.any():
            continue
        # Begun where it is not own, no stretch passes the seam.
        first = int(np.argmin(own))
        edges = np.flatnonzero(np.diff(np.concatenate([[False], np.roll(own, -first), [False]]).astype(int)))
        for a, b in zip(edges[::2], edges[1::2], strict=True):
            start, stop = at[(a + first) % len(at)], at[(b - 1 + first) % len(at)]
            path = _arc(ring, float(start), float(stop)) if b - a > 1 else np.zeros((0, 2))
            length = float(np.hypot(*np.diff(path, axis=0).T).sum()) if len(path) > 1 else 0.0
            if length > longest:
                found, longest = path, length
    if found is None:
        return None
    begin, end = (border.project(Point(point)) for point in (found[0], found[-1]))
    return found if begin <= end else found[::-1]


def _own_share(border: LineString, path: Floats, side: Side) -> float:
    """Share of sample points of a path that lie on the own side."""
    line = LineString(path)
    samples = shapely.get_coordinates(
        shapely.line_interpolate_point(line, np.linspace(0.01, 0.99, 60), normalized=True)
    )
    position = locate(np.array(border.coords), samples)
    return float(np.mean(position.offset_m * side.sign > 0))
