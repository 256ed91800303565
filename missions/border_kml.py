"""Lines in KML and KMZ, both ways. What comes in is not trusted: no entities, no network, no bombs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lxml import etree

from geo import write_bytes
from missions.errors import FormatError
from missions.line_feature import LineFeature
from missions.packed_xml import packed, parsed, read_limited, unpacked

__all__ = ["read_kml_lines", "write_kml_lines"]

_KML = "http://www.opengis.net/kml/2.2"

Points = list[tuple[float, float]]


def read_kml_lines(path: Path) -> list[LineFeature]:
    """The lines and polygons of all placemarks of a KML or KMZ file, in any folders; points are passed over.

    Name and ExtendedData (Data and SimpleData) are the properties, all of them text.

    Raises
    ------
    FormatError
        When it is no such file, is larger than 128 MiB, brings a document type, or has a coordinate that is none.
    """
    root = parsed(_bytes(path), path)
    features = []
    placemarks = list(root.iter("{*}Placemark"))
    if not placemarks:
        # A file of nothing but a geometry.
        lines, polygons = _lines(root, str(path))
        return [LineFeature.of(str(path), lines, polygons, {})] if lines or polygons else []
    for number, mark in enumerate(placemarks, 1):
        name = mark.findtext("{*}name")
        where = f"{path}, placemark {number}" + (f" ({name.strip()})" if name and name.strip() else "")
        lines, polygons = _lines(mark, where)
        if lines or polygons:
            features.append(LineFeature.of(where, lines, polygons, _properties(mark, name)))
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
    root = etree.Element(f"{{{_KML}}}kml", nsmap={None: _KML})
    document = etree.SubElement(root, f"{{{_KML}}}Document")
    for feature in features:
        mark = etree.SubElement(document, f"{{{_KML}}}Placemark")
        _text(mark, "name", feature.properties.get("name", ""), feature.where)
        data = etree.SubElement(mark, f"{{{_KML}}}ExtendedData")
        for name, value in feature.properties.items():
            if name != "name":
                entry = etree.SubElement(data, f"{{{_KML}}}Data", name=name)
                _text(entry, "value", value, f"{feature.where}: {name}")
        for part in feature.parts:
            line = etree.SubElement(mark, f"{{{_KML}}}LineString")
            _text(line, "tessellate", "1", feature.where)
            _text(line, "coordinates", " ".join(f"{x!r},{y!r}" for x, y in part.points), feature.where)
    text = etree.tostring(root, pretty_print=True, xml_declaration=True, encoding="UTF-8")
    write_bytes(path, packed({"doc.kml": text}) if path.suffix.lower() == ".kmz" else text)


def _bytes(path: Path) -> bytes:
    """The KML text of a file, unpacked."""
    data = read_limited(path)
    plain = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    if not plain and (data[:2] == b"PK" or path.suffix.lower() == ".kmz"):
        data = unpacked(data, path, lambda names: _document(names, path))
    return data


def _document(names: list[str], path: Path) -> str:
    """The first KML of an archive."""
    found = [name for name in names if name.lower().endswith(".kml")]
    if not found:
        raise FormatError(f"{path}: is a zip without a .kml in it: of a zipped Shapefile unpack all and give the .shp")
    return "doc.kml" if "doc.kml" in found else found[0]


def _lines(element: etree._Element, where: str) -> tuple[list[Points], list[list[Points]]]:
    """Lines, and the rings of polygons, of a placemark or any element."""
    lines, polygons = [], []
    for found in element.iter("{*}LineString", "{*}LinearRing", "{*}Polygon"):
        kind = etree.QName(found).localname
        if kind == "Polygon":
            rings = [
                *found.findall("{*}outerBoundaryIs/{*}LinearRing"),
                *found.findall("{*}innerBoundaryIs/{*}LinearRing"),
            ]
            if not found.findall("{*}outerBoundaryIs/{*}LinearRing"):
                raise FormatError(f"{where}: a Polygon has no outerBoundaryIs")
            polygons.append([_points(ring, where) for ring in rings])
        elif kind == "LineString":
            lines.append(_points(found, where))
        elif not any(True for _ in found.iterancestors("{*}Polygon")):
            points = _points(found, where)
            lines.append(points if points[0] == points[-1] else [*points, points[0]])
    return lines, polygons


def _points(line: etree._Element, where: str) -> Points:
    kind = etree.QName(line).localname
    points = []
    for number, text in enumerate((line.findtext("{*}coordinates") or "").split()):
        try:
            x, y = (float(v) for v in text.split(",")[:2])
        except ValueError:
            raise FormatError(
                f"{where}: {kind}: coordinates: vertex {number} is {text[:60]!r}: not longitude,latitude as numbers"
            ) from None
        points.append((x, y))
    if not points:
        raise FormatError(f"{where}: {kind}: coordinates is empty")
    return points


def _properties(mark: etree._Element, name: str | None) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for data in mark.iterfind("{*}ExtendedData//{*}Data"):
        properties[str(data.get("name"))] = data.findtext("{*}value") or ""
    for data in mark.iterfind("{*}ExtendedData//{*}SimpleData"):
        properties[str(data.get("name"))] = data.text or ""
    if name is not None:
        properties["name"] = name
    return properties


def _text(parent: etree._Element, tag: str, value: Any, where: str) -> None:
    element = etree.SubElement(parent, f"{{{_KML}}}{tag}")
    try:
        element.text = value if isinstance(value, str) else repr(value)
    except ValueError:
        raise FormatError(f"{where}: {value!r} has a character that XML cannot hold: remove it") from None
