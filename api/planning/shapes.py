"""GeoJSON of maps as it comes in and goes out (RFC 7946): longitude, latitude, and where it matters metres AMSL.

What comes in may have members of other programs: the readers of `missions` look at it, and say what is wrong.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from api.wire import Wire

__all__ = [
    "Drawn",
    "LineShape",
    "ManyLinesShape",
    "ManyPolygonsShape",
    "MapFeature",
    "MapFeatures",
    "Place",
    "PointShape",
    "PolygonShape",
]

Place = Annotated[list[float], Field(min_length=2, max_length=4)]
_Way = Annotated[list[Place], Field(max_length=50_000)]
_Ways = Annotated[list[_Way], Field(max_length=10_000)]


class Shape(Wire):
    """What is common to GeoJSON objects."""

    model_config = ConfigDict(extra="allow")


class PointShape(Shape):
    """GeoJSON Point."""

    type: Literal["Point"]
    coordinates: Place


class LineShape(Shape):
    """GeoJSON LineString."""

    type: Literal["LineString"]
    coordinates: _Way


class ManyLinesShape(Shape):
    """GeoJSON MultiLineString."""

    type: Literal["MultiLineString"]
    coordinates: _Ways


class PolygonShape(Shape):
    """GeoJSON Polygon."""

    type: Literal["Polygon"]
    coordinates: _Ways


class ManyPolygonsShape(Shape):
    """GeoJSON MultiPolygon."""

    type: Literal["MultiPolygon"]
    coordinates: Annotated[list[_Ways], Field(max_length=10_000)]


_Geometry = Annotated[
    PointShape | LineShape | ManyLinesShape | PolygonShape | ManyPolygonsShape, Field(discriminator="type")
]


class MapFeature(Shape):
    """GeoJSON Feature."""

    type: Literal["Feature"]
    geometry: _Geometry | None
    properties: dict[str, JsonValue] | None = None


class MapFeatures(Shape):
    """GeoJSON FeatureCollection."""

    type: Literal["FeatureCollection"]
    features: Annotated[list[MapFeature], Field(max_length=10_000)]


Drawn = Annotated[
    MapFeatures | MapFeature | LineShape | ManyLinesShape | PolygonShape | ManyPolygonsShape,
    Field(discriminator="type"),
]
"""What a border is drawn as."""
