"""Lines in KML and KMZ, both ways."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lxml import etree

from geo import Altitude, Datum
from missions.errors import FormatError
from missions.kml_file import KML, points_of, read_kml, sub, text_sub, track_points, write_kml
from missions.line_feature import LineFeature

__all__ = ["read_kml_lines", "write_kml_lines"]

Points = list[tuple[float, float]]
Heights = tuple[Altitude, Altitude]

_MODES = {"relativeToGround": Datum.AGL, "absolute": Datum.AMSL}
"""Datum of heights by the altitudeMode of KML; clampToGround, its default, has none."""


def read_kml_lines(path: Path, *, zones: bool = False) -> list[LineFeature]:
    """The lines, tracks, polygons and points of all placemarks of a KML or KMZ file, in any folders.

    With `zones` nothing may be left out: a link to another file is refused even beside placemarks, so is a second
    document in a KMZ, and a placemark without such a geometry is a feature too.

    Name and ExtendedData (Data and SimpleData) are the properties, all of them text. A polygon that is extruded to
    heights above ground or sea level has them.

    Raises
    ------
    FormatError
        When it is no such file, is larger than 128 MiB, brings a document type, has a coordinate that is none, or has
        nothing but links to other files, or is XML of another kind.
    """
    root = read_kml(path, whole=zones)
    features = []
    placemarks = list(root.iter("{*}Placemark"))
    if not placemarks:
        # A file of nothing but a geometry.
        features = _features(root, str(path), {})
    for number, mark in enumerate(placemarks, 1):
        name = mark.findtext("{*}name")
        where = f"{path}, placemark {number}" + (f" ({name.strip()})" if name and name.strip() else "")
        properties = _properties(mark, name)
        found = _features(mark, where, properties)
        features += [LineFeature(where, (), properties)] if zones and not found else found
    own = any(feature.parts for feature in features)
    link = None if own and not zones else root.find(".//{*}NetworkLink")
    if link is not None:
        raise FormatError(
            f"{path}: has {'more than its own' if own else 'nothing of its own'}, it links to "
            f"{(link.findtext('.//{*}href') or '').strip()!r}: "
            f"{'save it with the contents of that' if own else 'give that file, or save it with its contents'}"
        )
    if not features and etree.QName(root).localname != "kml":
        raise FormatError(f"{path}: is XML but not KML, its root is {etree.QName(root).localname!r}: convert it to KML")
    return features


def write_kml_lines(features: Iterable[LineFeature], path: Path) -> None:
    """Write lines as KML, or as KMZ where the name of the file ends so, with all properties as ExtendedData.

    Raises
    ------
    FormatError
        When a text has a character that XML cannot hold; the message names feature and property.
    FileWriteError
        When the file cannot be written.
    """
    root = etree.Element(f"{{{KML}}}kml", nsmap={None: KML})
    document = sub(root, "Document")
    for feature in features:
        mark = sub(document, "Placemark")
        text_sub(mark, "name", feature.properties.get("name", ""), feature.where)
        data = sub(mark, "ExtendedData")
        for name, value in feature.properties.items():
            if name != "name":
                entry = sub(data, "Data", name=name)
                text_sub(entry, "value", value, f"{feature.where}: {name}")
        for part in feature.parts:
            line = sub(mark, "LineString")
            sub(line, "tessellate", "1")
            sub(line, "coordinates", " ".join(f"{x!r},{y!r}" for x, y in part.points))
    write_kml(root, path)


def _features(element: etree._Element, where: str, properties: dict[str, Any]) -> list[LineFeature]:
    """What a placemark or any element has, as one feature; none where it has nothing."""
    lines, polygons, heights = _lines(element, where)
    points = [place for point in element.iter("{*}Point") for place in _points(point, where)]
    if not (lines or polygons or points):
        return []
    return [LineFeature.of(where, lines, polygons, properties, points=points, heights=heights)]


def _lines(element: etree._Element, where: str) -> tuple[list[Points], list[list[Points]], dict[int, Heights]]:
    """Lines, the rings of polygons, and the heights of those by number, of a placemark or any element."""
    lines: list[Points] = []
    polygons: list[list[Points]] = []
    heights: dict[int, Heights] = {}
    for found in element.iter("{*}LineString", "{*}LinearRing", "{*}Polygon", "{*}Track"):
        kind = etree.QName(found).localname
        if kind == "Polygon":
            rings = [
                *found.findall("{*}outerBoundaryIs/{*}LinearRing"),
                *found.findall("{*}innerBoundaryIs/{*}LinearRing"),
            ]
            if not found.findall("{*}outerBoundaryIs/{*}LinearRing"):
                raise FormatError(f"{where}: a Polygon has no outerBoundaryIs")
            if (own := _heights(found, rings[0], where)) is not None:
                heights[len(polygons)] = own
            polygons.append([_points(ring, where) for ring in rings])
        elif kind == "LineString":
            lines.append(_points(found, where))
        elif kind == "Track":
            lines.append([(lon, lat) for lon, lat in track_points(found, where)])
        elif not any(True for _ in found.iterancestors("{*}Polygon")):
            points = _points(found, where)
            lines.append(points if points[0] == points[-1] else [*points, points[0]])
    return lines, polygons, heights


def _heights(polygon: etree._Element, outer: etree._Element, where: str) -> Heights | None:
    """Lowest and highest height of a polygon that is drawn from the ground up to its vertices; None for others.

    One that is not extruded is a sheet in the air, of which nobody can say what is below it and what above.
    """
    datum = _MODES.get((polygon.findtext("{*}altitudeMode") or "").strip())
    extruded = (polygon.findtext("{*}extrude") or "").strip() in {"1", "true"}
    figures = [point[2] for point in points_of(outer, where, 3) if len(point) > 2]
    if datum is None or not extruded or not figures or not all(map(math.isfinite, figures)):
        return None
    return Altitude(min(figures), datum), Altitude(max(figures), datum)


def _points(line: etree._Element, where: str) -> Points:
    return [(lon, lat) for lon, lat, *_ in points_of(line, where)]


def _properties(mark: etree._Element, name: str | None) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for data in mark.iterfind("{*}ExtendedData//{*}Data"):
        properties[str(data.get("name"))] = data.findtext("{*}value") or ""
    for data in mark.iterfind("{*}ExtendedData//{*}SimpleData"):
        properties[str(data.get("name"))] = data.text or ""
    if name is not None:
        properties["name"] = name
    return properties
