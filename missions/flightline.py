"""The flight line beside a border.

All in one local frame, metres east and north. The stand-off is kept by construction: the flight line is the own side
of the outline of everything closer than the offset, so no bend, bay or spit of the border comes nearer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry import LineString, MultiPolygon, Point, Polygon
from shapely.ops import substring

from geo import locate
from missions.border import Side
from missions.errors import PlanError

__all__ = ["FlightLine", "extended", "flight_line"]

Floats = NDArray[np.float64]

_BORDER_TOLERANCE_M = 0.5
_PATH_TOLERANCE_M = 1.0
WALL_M = 5000.0
"""How far the border is taken to run straight on beyond the ends of the segment, metres: nobody flies round its end."""


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
    shape = LineString(line)
    reach = min(chord_m, shape.length / 2)

    def beyond(end: Floats, inner: Point) -> Floats:
        direction = end - np.array([inner.x, inner.y])
        norm = float(np.hypot(*direction))
        return np.asarray(end + direction / norm * by_m if norm > 0 else end)

    head = beyond(line[0], shape.interpolate(reach))
    tail = beyond(line[-1], shape.interpolate(shape.length - reach))
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
        return _ring_line([ring for part in parts for ring in (part.exterior, *part.interiors)], border, side)
    # Beside the straight continuation too, so that the ends do not lean over it; then cut back to the border itself.
    line = LineString(extended(np.array(border.coords), 3 * offset_m, chord_m))
    around = max(_parts(_grown(line, offset_m, turn_radius_m, "flat")), key=lambda part: float(part.area))
    outline = around.exterior
    ends = []
    for a, b, corner in ((0, 1, 0), (-2, -1, -1)):
        d = np.subtract(line.coords[b], line.coords[a])
        d /= np.hypot(*d)
        ends.append(Point(line.coords[corner] + side.sign * offset_m * np.array([-d[1], d[0]])))
    s0, s1 = (outline.project(p) for p in ends)
    candidates = [_arc(outline, s0, s1), _arc(outline, s1, s0)[::-1]]
    best = max(candidates, key=lambda path: _own_share(line, path, side))
    if _own_share(line, best, side) < 0.9:
        raise PlanError(
            f"no room for a flight line {offset_m:.0f} m beside the border on its {side} side: check own_side"
        )
    path = LineString(best)
    beside = shapely.get_coordinates(path.intersection(border.buffer(offset_m + 1.0, cap_style="flat")))
    if not len(beside):
        raise PlanError(f"no room for a flight line {offset_m:.0f} m beside the border: it is shorter than its bends")
    at = shapely.line_locate_point(path, shapely.points(beside))
    kept = shapely.simplify(substring(path, float(at.min()), float(at.max())), _PATH_TOLERANCE_M)
    if kept.length < 1.0:
        raise PlanError(f"no room for a flight line {offset_m:.0f} m beside the border: it is shorter than its bends")
    return _line(np.array(kept.coords))


def _grown(
    line: LineString, offset_m: float, turn_radius_m: float, cap_style: Literal["round", "flat"]
) -> Polygon | MultiPolygon:
    """Everything nearer to a line than the offset; closed by a disc of the turn radius, so that no bay is narrower."""
    around = line.buffer(offset_m + turn_radius_m, cap_style=cap_style, quad_segs=24)
    if turn_radius_m > 0:
        around = around.buffer(-turn_radius_m, quad_segs=24)
    assert isinstance(around, Polygon | MultiPolygon)  # what grows out of a line is an area
    return around


def _parts(area: Polygon | MultiPolygon) -> list[Polygon]:
    return [area] if isinstance(area, Polygon) else list(area.geoms)


def _ring_line(rings: list[shapely.LinearRing], border: LineString, side: Side) -> FlightLine:
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
    points = np.array(shapely.simplify(LineString(ring.coords), _PATH_TOLERANCE_M).coords)
    if ring.is_ccw != inside_is_left:
        points = points[::-1]
    start = int(np.argmin(np.hypot(*(points[:-1] - border.coords[0]).T)))
    return _line(np.concatenate([points[start:-1], points[: start + 1]]))


def _line(points: Floats) -> FlightLine:
    return FlightLine(points, np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))]))


def _arc(ring: shapely.LinearRing, start: float, stop: float) -> Floats:
    """Points of a ring from one distance on to another, past its seam where need be."""
    coords = np.array(ring.coords)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(coords, axis=0).T))])
    if stop <= start:
        coords, along = np.concatenate([coords, coords[1:]]), np.concatenate([along, along[1:] + along[-1]])
        stop += ring.length
    inner = (along > start + 1e-6) & (along < stop - 1e-6)
    at = np.concatenate([[start], along[inner], [stop]])
    return np.stack([np.interp(at, along, coords[:, k]) for k in (0, 1)], axis=-1)


def _own_share(border: LineString, path: Floats, side: Side) -> float:
    """Share of sample points of a path that lie on the own side."""
    line = LineString(path)
    samples = shapely.get_coordinates(
        shapely.line_interpolate_point(line, np.linspace(0.01, 0.99, 60), normalized=True)
    )
    position = locate(np.array(border.coords), samples)
    return float(np.mean(position.offset_m * side.sign > 0))
