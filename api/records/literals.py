"""Values as queries write them: moments, spans of time, geometries. Whoever wrote a wrong one is told which and why."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import shapely
import shapely.geometry

from api.errors import BadRequestError
from api.times import microseconds

__all__ = [
    "EVER_US",
    "MAX_POSITIONS",
    "Span",
    "box_geometry",
    "day_of",
    "geometry_of",
    "moment_of",
    "span_of",
    "span_of_query",
]

MAX_POSITIONS = 2000
EVER_US = 2**62
"""Later than any moment, microseconds; -EVER_US is earlier than any."""
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)")
_DAY_US = 86_400_000_000
_KINDS = frozenset({"Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"})


@dataclass(frozen=True, slots=True)
class Span:
    """A closed span of time, UTC microseconds since the Unix epoch; a moment begins and ends in itself.

    Parameters
    ----------
    first_us, last_us
        `-EVER_US` and `EVER_US` where it is open.
    """

    first_us: int
    last_us: int


def moment_of(text: Any) -> int:
    """UTC microseconds since the Unix epoch of an RFC 3339 date-time; raises BadRequestError."""
    if isinstance(text, str) and _MOMENT.fullmatch(text):
        try:
            return microseconds(datetime.fromisoformat(text.upper()))
        except ValueError:
            pass
    raise BadRequestError(f"{_shown(text)} is not a moment: write it as 2026-01-31T12:00:00Z")


def day_of(text: Any) -> Span:
    """The whole UTC day of a date; raises BadRequestError."""
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        raise BadRequestError(f"{_shown(text)} is not a date: write it as 2026-01-31")
    first_us = moment_of(text + "T00:00:00Z")
    return Span(first_us, first_us + _DAY_US - 1)


def span_of(text: Any) -> Span:
    """A moment, or the whole UTC day of a date; raises BadRequestError."""
    if isinstance(text, str) and _DATE.fullmatch(text):
        return day_of(text)
    moment_us = moment_of(text)
    return Span(moment_us, moment_us)


def span_of_query(text: str) -> Span:
    """A moment, a day, or `begin/end` of them with `..` or nothing for an open end, as OGC API - Features writes it.

    Raises
    ------
    BadRequestError
        When it is none of them, both ends are open, or it ends before it begins.
    """
    begin, slash, end = text.partition("/")
    if not slash:
        return span_of(text)
    open_begin, open_end = begin in {"", ".."}, end in {"", ".."}
    if open_begin and open_end:
        raise BadRequestError("the interval is open at both ends: leave the parameter out")
    first_us = -EVER_US if open_begin else span_of(begin).first_us
    last_us = EVER_US if open_end else span_of(end).last_us
    if first_us > last_us:
        raise BadRequestError(f"the interval {_shown(text)} ends before it begins")
    return Span(first_us, last_us)


def geometry_of(value: Any) -> shapely.Geometry:
    """A geometry of GeoJSON, or `{"bbox": [...]}`, in degrees of CRS84; heights are left out.

    Raises
    ------
    BadRequestError
        When it is no geometry, lies outside the world, has more than `MAX_POSITIONS` positions, or is not valid.
    """
    if isinstance(value, dict) and set(value) == {"bbox"}:
        return box_geometry(value["bbox"])
    parts = list(_parts(value, 0))
    if not parts:
        raise BadRequestError("an empty GEOMETRYCOLLECTION is no place")
    if sum(shapely.get_num_coordinates(part) for part in parts) > MAX_POSITIONS:
        raise BadRequestError(f"a geometry has more than {MAX_POSITIONS} positions: simplify it")
    geometry = parts[0] if len(parts) == 1 else shapely.GeometryCollection(parts)
    west, south, east, north = shapely.bounds(geometry)
    _in_world(west, south, east, north)
    if not shapely.is_valid(geometry):
        raise BadRequestError(f"a geometry is not valid: {shapely.is_valid_reason(geometry)[:100]}")
    return geometry


def box_geometry(values: Any) -> shapely.Geometry:
    """The box west,south,east,north in degrees, heights left out; west > east crosses the antimeridian.

    A box without width or height is the line or point that it is. Raises BadRequestError.
    """
    if not isinstance(values, list | tuple) or len(values) not in {4, 6} or not all(map(_is_number, values)):
        raise BadRequestError("a bbox is west,south,east,north in degrees, or with heights as the third and sixth")
    west, south, east, north = values if len(values) == 4 else (*values[:2], *values[3:5])
    _in_world(west, south, east, north)
    if south > north:
        raise BadRequestError(f"the bbox ends at {north:g}, south of its begin at {south:g}: west,south,east,north")
    if west <= east:
        return _box(west, south, east, north)
    return shapely.union_all([_box(west, south, 180.0, north), _box(-180.0, south, east, north)])


def _box(west: float, south: float, east: float, north: float) -> shapely.Geometry:
    if west == east and south == north:
        return shapely.Point(west, south)
    if west == east or south == north:
        return shapely.LineString([(west, south), (east, north)])
    return shapely.box(west, south, east, north)


def _parts(value: Any, depth: int) -> Iterator[shapely.Geometry]:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "GeometryCollection" and depth == 0:
        members = value.get("geometries")
        for member in members if isinstance(members, list) else []:
            yield from _parts(member, depth + 1)
        return
    if not isinstance(kind, str) or kind not in _KINDS:
        raise BadRequestError("a geometry is a GeoJSON geometry, its WKT, or a bbox")
    coordinates = _checked(value.get("coordinates"))
    try:
        _all_closed({"Polygon": [coordinates], "MultiPolygon": coordinates}.get(kind, []))
        yield shapely.force_2d(shapely.geometry.shape({"type": kind, "coordinates": coordinates}))
    except (shapely.errors.ShapelyError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise BadRequestError(f"the coordinates of a {kind} are not those of one: {str(error)[:80]}") from None


def _all_closed(polygons: list[Any]) -> None:
    if any(ring[0] != ring[-1] for polygon in polygons for ring in polygon):
        raise ValueError("a ring ends where it began")  # the engine would close it without a word


def _checked(value: Any, depth: int = 0) -> Any:
    """Nested lists of finite numbers, nothing else: what is handed to the geometry engine."""
    if isinstance(value, list) and depth < 4 and value:
        return [_checked(item, depth + 1) for item in value]
    if _is_number(value) and depth > 0:
        return float(value)
    raise BadRequestError("coordinates are nested lists of numbers")


def _in_world(west: float, south: float, east: float, north: float) -> None:
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= 90 and -90 <= north <= 90):
        raise BadRequestError("a place lies outside the world: longitude -180 to 180, then latitude -90 to 90")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12 and math.isfinite(value)


def _shown(value: Any) -> str:
    return repr(value)[:60]
