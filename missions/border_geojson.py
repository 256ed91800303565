"""Lines out of GeoJSON (RFC 7946), and what every reader of it looks at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from missions.errors import FormatError
from missions.files import read_json
from missions.line_feature import LineFeature

__all__ = ["check_crs", "check_positions", "read_geojson_lines"]

_WGS84 = {
    "urn:ogc:def:crs:ogc:1.3:crs84",
    "urn:ogc:def:crs:ogc::crs84",
    "ogc:crs84",
    "http://www.opengis.net/def/crs/ogc/1.3/crs84",
    "urn:ogc:def:crs:epsg::4326",
    "epsg:4326",
    # With heights above the ellipsoid, which are passed over.
    "urn:ogc:def:crs:ogc::crs84h",
    "urn:ogc:def:crs:ogc:0:crs84h",
    "http://www.opengis.net/def/crs/ogc/0/crs84h",
    "urn:ogc:def:crs:epsg::4979",
    "epsg:4979",
}
_LINES = {"LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
"""How deep the lists of vertices are nested in each geometry that has lines."""


def read_geojson_lines(path: Path) -> list[LineFeature]:
    """The lines and polygons of a GeoJSON file; points and features without a geometry are passed over.

    Raises
    ------
    FormatError
        When it is no GeoJSON, has another coordinate reference system, or a geometry that is not as it should be.
    """
    value = read_json(path)
    if not isinstance(value, dict):
        raise FormatError(f"{path}: is JSON but not GeoJSON: a border is an object with a type")
    check_crs(value, str(path))
    match value.get("type"):
        case "FeatureCollection":
            features = value.get("features")
            if not isinstance(features, list):
                raise FormatError(f"{path}: features is not a list")
            found = [_feature(f, f"{path}, feature {n}") for n, f in enumerate(features, 1)]
        case "Feature":
            found = [_feature(value, str(path))]
        case other:
            if not isinstance(other, str) or other not in {*_LINES, "GeometryCollection"}:
                raise FormatError(
                    f"{path}: its GeoJSON type is {other!r}: a border is a LineString, a Feature or a FeatureCollection"
                )
            found = [_feature({"geometry": value}, str(path))]
    return [feature for feature in found if feature.parts]


def check_crs(value: dict[str, Any], where: str) -> None:
    """Refuse an object with a ``crs`` member, of GeoJSON before RFC 7946, that names another system than WGS 84.

    Raises
    ------
    FormatError
        `where` stands in the message.
    """
    crs = value.get("crs")
    if crs is None:
        return
    properties = crs.get("properties") if isinstance(crs, dict) else None
    named = properties.get("name", crs) if isinstance(properties, dict) else crs
    if not (isinstance(named, str) and named.casefold() in _WGS84):
        raise FormatError(
            f"{where}: crs: coordinate reference system {named}: convert to longitude and latitude in WGS 84"
        )


def _feature(value: Any, where: str) -> LineFeature:
    if not isinstance(value, dict):
        raise FormatError(f"{where}: is no GeoJSON object")
    check_crs(value, where)
    properties = value.get("properties") or {}
    if not isinstance(properties, dict):
        raise FormatError(f"{where}: properties is not an object of names and values")
    if isinstance(properties.get("name"), str) and properties["name"]:
        where = f"{where} ({properties['name']})"
    lines: list[Any] = []
    polygons: list[Any] = []
    for kind, coordinates in _geometries(value.get("geometry"), where):
        match kind:
            case "LineString":
                lines.append(coordinates)
            case "MultiLineString":
                lines.extend(coordinates)
            case "Polygon":
                polygons.append(coordinates)
            case _:
                polygons.extend(coordinates)
    return LineFeature.of(where, lines, polygons, properties)


def _geometries(geometry: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Type and coordinates of every geometry that has lines, those of collections too."""
    waiting = [geometry]
    while waiting:
        geometry = waiting.pop(0)
        if geometry is None:
            continue
        if not isinstance(geometry, dict):
            raise FormatError(f"{where}: geometry is no object with a type and coordinates")
        check_crs(geometry, where)
        kind = geometry.get("type")
        if not isinstance(kind, str):
            raise FormatError(f"{where}: geometry type {kind!r} is none of GeoJSON's")
        if kind == "GeometryCollection":
            members = geometry.get("geometries")
            if not isinstance(members, list):
                raise FormatError(f"{where}: geometries is not a list")
            waiting = [*members, *waiting]
        elif kind in _LINES:
            coordinates = geometry.get("coordinates")
            check_positions(coordinates, _LINES[kind], f"{where}: {kind}")
            yield kind, coordinates
        elif kind not in {"Point", "MultiPoint"}:
            raise FormatError(f"{where}: geometry type {kind!r} is none of GeoJSON's")


def check_positions(value: Any, depth: int, what: str) -> None:
    """Refuse what is not lists of [longitude, latitude] or [longitude, latitude, height], nested so deep.

    Figures after the latitude are taken out. Raises FormatError; `what` stands in the message.
    """
    if not isinstance(value, list) or not value:
        raise FormatError(f"{what}: coordinates is not a list of [longitude, latitude], or is empty")
    if depth > 1:
        for inner in value:
            check_positions(inner, depth - 1, what)
        return
    for number, point in enumerate(value):
        if not isinstance(point, list) or len(point) < 2:
            raise FormatError(f"{what}: coordinates[{number}] is not a list of [longitude, latitude]")
        x, y = point[0], point[1]
        if not _is_number(x) or not _is_number(y):
            raise FormatError(f"{what}: coordinates[{number}] is {point[:2]}: not a number")
        # RFC 7946 allows figures after the height but gives them no meaning.
        point[2:] = []


def _is_number(value: Any) -> bool:
    # A bool is an int to Python; an int of a thousand figures is no float.
    return isinstance(value, float) or (type(value) is int and value.bit_length() < 64)
