"""Border files: GeoJSON (RFC 7946) both ways, and a KML line as input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lxml import etree

from missions.border import BorderSegment, Side
from missions.errors import BorderError, FormatError
from missions.files import read_json, read_text, write_json

__all__ = ["border_feature", "border_from_feature", "read_border", "write_border"]

_FIELDS = ("name", "own", "neighbour", "own_side", "authority", "priority", "stand_off_m", "band_own_m", "band_far_m")
_WGS84 = {"urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:OGC::CRS84", "urn:ogc:def:crs:EPSG::4326", "EPSG:4326"}


def read_border(path: Path, own_side: Side | str | None = None) -> BorderSegment:
    """Read a border from a file.

    Parameters
    ----------
    path
        GeoJSON (a LineString, a Feature of one, or a FeatureCollection with exactly one) or KML with one LineString.
    own_side
        Which side of the line is the own country; needed where the file does not say, and stronger than the file.

    Raises
    ------
    FormatError
        When the file is neither, has no line or several, or another coordinate reference system.
    BorderError
        When the own side is missing or a figure is impossible.
    """
    path = Path(path)
    if path.suffix.lower() == ".kml" or read_text(path).lstrip().startswith("<"):
        feature = _kml_feature(path)
    else:
        feature = _one_feature(read_json(path), path)
    if own_side is not None:
        feature = {**feature, "properties": {**feature["properties"], "own_side": own_side}}
    return border_from_feature(feature, str(path))


def write_border(segment: BorderSegment, path: Path) -> None:
    """Write a border as one GeoJSON Feature, with all that `read_border` needs."""
    write_json(path, border_feature(segment))


def border_feature(segment: BorderSegment) -> dict[str, Any]:
    """The GeoJSON Feature of a border."""
    properties = {field: getattr(segment, field) for field in _FIELDS}
    if segment.note:
        properties["note"] = segment.note
    geometry = {"type": "LineString", "coordinates": [list(point) for point in segment.coordinates]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def border_from_feature(feature: dict[str, Any], where: str) -> BorderSegment:
    """The border of a GeoJSON Feature; `where` names its file in messages."""
    geometry = feature.get("geometry")
    if not isinstance(geometry, dict) or geometry.get("type") != "LineString":
        found = geometry.get("type") if isinstance(geometry, dict) else geometry
        raise FormatError(f"{where}: its geometry is {found}: a border is one LineString")
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise FormatError(f"{where}: properties is not an object of names and values")
    if properties.get("own_side") is None:
        raise BorderError(
            f"{where}: the property own_side is missing: say 'left' or 'right', as seen along the line, in the file or "
            "when reading it"
        )
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, list) or not all(isinstance(p, list) and len(p) in {2, 3} for p in coordinates):
        raise FormatError(f"{where}: coordinates is not a list of [longitude, latitude]")
    line = [tuple(point[:2]) for point in coordinates]
    numbers = [value for point in line for value in point]
    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in numbers):
        raise FormatError(f"{where}: a coordinate is not a number")
    if any(abs(v) > 360 for v in numbers):
        raise FormatError(
            f"{where}: coordinate {next(v for v in numbers if abs(v) > 360):g} is no degree: the file is in a "
            "projected system; convert it to longitude and latitude in WGS 84"
        )
    values = {field: properties[field] for field in (*_FIELDS, "note") if properties.get(field) is not None}
    for field in ("name", "own", "neighbour", "authority", "note"):
        values[field] = str(values.get(field, ""))
    values["name"] = values["name"] or Path(where).stem
    try:
        return BorderSegment(coordinates=tuple(line), **values)
    except BorderError as error:
        raise BorderError(f"{where}: {error}") from None


def _one_feature(value: Any, path: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FormatError(f"{path}: is JSON but not GeoJSON: a border is an object with a type")
    crs = value.get("crs")
    named = crs.get("properties", {}).get("name") if isinstance(crs, dict) else None
    if crs is not None and named not in _WGS84:
        raise FormatError(f"{path}: coordinate reference system {named}: convert to longitude and latitude in WGS 84")
    match value.get("type"):
        case "LineString":
            return {"type": "Feature", "properties": {}, "geometry": value}
        case "Feature":
            return {**value, "properties": value.get("properties") or {}}
        case "FeatureCollection":
            features = value.get("features")
            lines = [
                f
                for f in (features if isinstance(features, list) else [])
                if isinstance(f, dict)
                and isinstance(f.get("geometry"), dict)
                and f["geometry"].get("type") == "LineString"
            ]
            if len(lines) != 1:
                raise FormatError(f"{path}: the collection has {len(lines)} lines: a border file has exactly one")
            return {**lines[0], "properties": lines[0].get("properties") or {}}
        case other:
            raise FormatError(f"{path}: its GeoJSON type is {other!r}: a border is a LineString or a Feature of one")


def _kml_feature(path: Path) -> dict[str, Any]:
    # Entities and the network stay off: the file comes from outside.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(read_text(path).encode(), parser)
    except etree.XMLSyntaxError as error:
        raise FormatError(f"{path}: is not XML: {error.msg}") from None
    lines = root.findall(".//{*}LineString")
    if len(lines) != 1:
        raise FormatError(f"{path}: has {len(lines)} LineStrings: a border file has exactly one")
    text = lines[0].findtext("{*}coordinates") or ""
    try:
        points = [[float(v) for v in triple.split(",")] for triple in text.split()]
    except ValueError as error:
        raise FormatError(f"{path}: a coordinate is not a number: {error}") from None
    parent = lines[0].getparent()
    while parent is not None and etree.QName(parent).localname != "Placemark":
        parent = parent.getparent()
    placemark = root if parent is None else parent
    properties: dict[str, Any] = {
        str(d.get("name")): (d.findtext("{*}value") or "").strip() for d in placemark.findall(".//{*}Data")
    }
    for field, kind in (("priority", int), ("stand_off_m", float), ("band_own_m", float), ("band_far_m", float)):
        if field in properties:
            try:
                properties[field] = kind(properties[field])
            except ValueError:
                raise FormatError(f"{path}: {field} is {properties[field]!r}: give a number") from None
    properties.setdefault("name", placemark.findtext("{*}name") or path.stem)
    return {"type": "Feature", "properties": properties, "geometry": {"type": "LineString", "coordinates": points}}
