"""Elements that events of Cursor-on-Target are made of: the event itself, its point, lines that clients draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import shapely.geometry
from lxml import etree

from api.markup import plain
from api.times import datetime_of

__all__ = ["UNKNOWN", "Place", "add_line", "add_point", "decimal", "inside_of", "new_event", "outline", "thinned"]

UNKNOWN = "9999999.0"
"""What stands for a height or an error that is not known."""
_MOST_VERTICES = 200


@dataclass(frozen=True, slots=True)
class Place:
    """A point in degrees, its height above the ellipsoid and the radius of the circle that holds 95 %, in metres.

    None where that is not known.
    """

    lat: float
    lon: float
    hae_m: float | None = None
    ce_m: float | None = None


def new_event(
    uid: str, cot_type: str, how: str, times_us: tuple[int, int, int], opex: str | None = None
) -> etree._Element:
    """An event with nothing in it; times are when it is made, when it begins to hold, and when it is stale."""
    now, start, stale = (_iso_ms(time_us) for time_us in times_us)
    event = etree.Element("event", version="2.0", uid=uid, type=cot_type, how=how, time=now, start=start, stale=stale)
    if opex is not None:
        event.set("opex", plain(opex))
    return event


def add_point(event: etree._Element, place: Place) -> None:
    """Where it is."""
    etree.SubElement(
        event,
        "point",
        lat=f"{place.lat:.7f}",
        lon=f"{place.lon:.7f}",
        hae=UNKNOWN if place.hae_m is None else f"{place.hae_m:.1f}",
        ce=UNKNOWN if place.ce_m is None else f"{place.ce_m:.1f}",
        le=UNKNOWN,
    )


def add_line(detail: etree._Element, line: list[tuple[float, float]], closed: bool) -> None:
    """A line, longitude and latitude of each vertex, as clients draw it."""
    for lon, lat in [*line, *([line[0]] if closed else [])]:
        etree.SubElement(detail, "link", point=f"{lat:.7f},{lon:.7f}")


def outline(geometry: Mapping[str, Any]) -> tuple[list[tuple[float, float]], bool]:
    """The longest line or the largest outer ring of a geometry, lon and lat, and whether it closes."""
    shape = shapely.geometry.shape(dict(geometry))
    part = max(getattr(shape, "geoms", [shape]), key=lambda each: (each.area, each.length))
    closed = part.geom_type == "Polygon"
    line = part.exterior if closed else part
    points = [(float(x), float(y)) for x, y, *_ in line.coords]
    return thinned(points[:-1] if closed else points), closed


def thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most so many vertices as clients draw at ease; the first and the last stay."""
    step = max(1, -(-len(points) // _MOST_VERTICES))
    return [*points[:-1:step], points[-1]]


def decimal(value: float) -> str:
    """A number as `xs:decimal` has it: without an exponent."""
    return f"{Decimal(str(value)):f}"


def inside_of(geometry: Mapping[str, Any]) -> Place:
    """A place in a geometry."""
    point = shapely.geometry.shape(dict(geometry)).representative_point()
    return Place(point.y, point.x)


def _iso_ms(time_us: int) -> str:
    """ISO 8601 with milliseconds: readers in the field take six digits for milliseconds."""
    moment = datetime_of(time_us)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.").zfill(20) + f"{moment.microsecond // 1000:03d}Z"
