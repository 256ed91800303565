"""Shapes as RFC 7946 wants them: cut at the antimeridian, the outer ring of a polygon anticlockwise.

Places are longitude, latitude, degrees.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import shapely
from shapely import affinity

from geo import unwrap_longitudes
from missions.border_line import split_line
from missions.plane import Plane

__all__ = ["area_geometry", "feature", "line_geometry", "point_geometry", "polygon_geometry"]

_DIGITS = 7
"""Of degrees: about a centimetre."""


def feature(geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """A Feature."""
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def point_geometry(lon_deg: float, lat_deg: float) -> dict[str, Any]:
    """The geometry of a place."""
    return {"type": "Point", "coordinates": [lon_deg, lat_deg]}


def line_geometry(coordinates: Iterable[Iterable[float]]) -> dict[str, Any]:
    """The geometry of a line of (longitude, latitude) or (longitude, latitude, height), degrees and metres.

    A LineString, or a MultiLineString cut at the antimeridian.
    """
    points = [tuple(point) for point in coordinates]
    parts = [[list(point) for point in part] for part in split_line(points)]
    if len(parts) > 1:
        return {"type": "MultiLineString", "coordinates": parts}
    # A line of one place is what it is.
    return {"type": "LineString", "coordinates": parts[0] if parts else [list(point) for point in points]}


def area_geometry(plane: Plane, area: shapely.Polygon) -> dict[str, Any]:
    """The `polygon_geometry` of an area in a plane, metres."""
    rings = []
    for ring in (area.exterior, *area.interiors):
        lat, lon = plane.lat_lon(shapely.get_coordinates(ring))
        rings.append(np.stack([lon, lat], axis=-1).tolist())
    return polygon_geometry(rings)


def polygon_geometry(rings: Sequence[Sequence[Sequence[float]]]) -> dict[str, Any]:
    """The geometry of an area.

    Parameters
    ----------
    rings
        Vertices (longitude, latitude), degrees, the first repeated at the end: the outer ring, then those of its holes,
        whichever way they run. An edge goes the short way round.

    Returns
    -------
    dict
        A Polygon, or a MultiPolygon cut at the antimeridian.
    """
    flat = [np.array(ring, dtype=float) for ring in rings]
    for ring in flat:
        ring[:, 0] = unwrap_longitudes(ring[:, 0])
    for ring in flat[1:]:
        ring[:, 0] += 360.0 * np.round((flat[0][:, 0].mean() - ring[:, 0].mean()) / 360.0)
    area = shapely.Polygon(flat[0], flat[1:])
    west, _, east, _ = area.bounds
    parts = [area] if west >= -180 and east <= 180 else _cut(area)
    outlines = [_outline(part) for part in parts]
    if len(outlines) == 1:
        return {"type": "Polygon", "coordinates": outlines[0]}
    return {"type": "MultiPolygon", "coordinates": outlines}


def _cut(area: shapely.Polygon) -> list[shapely.Polygon]:
    """An area whose longitudes run on, cut at the antimeridian; each part within ±180 degrees."""
    whole = shapely.make_valid(area)
    west, _, east, _ = area.bounds
    parts: list[shapely.Polygon] = []
    for turn in range(int(np.floor((west + 180) / 360)), int(np.ceil((east + 180) / 360))):
        within = shapely.intersection(whole, shapely.box(360 * turn - 180, -90, 360 * turn + 180, 90))
        moved = affinity.translate(within, -360.0 * turn)
        parts += [part for part in shapely.get_parts(moved) if isinstance(part, shapely.Polygon)]
    return parts


def _outline(area: shapely.Polygon) -> list[list[list[float]]]:
    turned = shapely.geometry.polygon.orient(area)
    return [
        [[round(x, _DIGITS), round(y, _DIGITS)] for x, y in shapely.get_coordinates(ring).tolist()]
        for ring in (turned.exterior, *turned.interiors)
    ]
