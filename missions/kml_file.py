"""KML and KMZ as XML trees, both ways. What comes in is not trusted: no entities, no network, no bombs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lxml import etree

from geo import write_bytes
from missions.errors import FormatError
from missions.packed_xml import packed, parsed, read_limited, unpacked

__all__ = ["KML", "points_of", "read_kml", "sub", "text_sub", "write_kml"]

KML = "http://www.opengis.net/kml/2.2"


def read_kml(path: Path) -> etree._Element:
    """Root of a KML file, or of the first KML in a KMZ.

    Raises
    ------
    FormatError
        When it is no such file, is larger than 128 MiB, or brings a document type.
    """
    return parsed(_bytes(path), path)


def write_kml(root: etree._Element, path: Path) -> None:
    """Write a tree as KML, or as KMZ where the name of the file ends so. Raises FileWriteError."""
    text = etree.tostring(root, pretty_print=True, xml_declaration=True, encoding="UTF-8")
    write_bytes(path, packed({"doc.kml": text}) if path.suffix.lower() == ".kmz" else text)


def points_of(geometry: etree._Element, where: str, figures: int = 2) -> list[tuple[float, ...]]:
    """Vertices (longitude, latitude, and of 3 figures the height where there is one) of a geometry.

    Raises
    ------
    FormatError
        When it has none, or one that is no number; the message names geometry and vertex.
    """
    kind = etree.QName(geometry).localname
    points: list[tuple[float, ...]] = []
    for number, text in enumerate((geometry.findtext("{*}coordinates") or "").split()):
        try:
            lon, lat, *height = (float(v) for v in text.split(",")[:figures])
        except ValueError:
            raise FormatError(
                f"{where}: {kind}: coordinates: vertex {number} is {text[:60]!r}: not longitude,latitude as numbers"
            ) from None
        points.append((lon, lat, *height))
    if not points:
        raise FormatError(f"{where}: {kind}: coordinates is empty")
    return points


def sub(parent: etree._Element, tag: str, text: str | None = None, **attributes: str) -> etree._Element:
    """Put an element of KML under another. Raises FormatError where XML cannot hold its text."""
    try:
        element = etree.SubElement(parent, f"{{{KML}}}{tag}", attributes)
        element.text = text
    except ValueError:
        said = ", ".join(repr(v) for v in (*attributes.values(), text) if v is not None)
        raise FormatError(f"{said} has a character that XML cannot hold: remove it") from None
    return element


def text_sub(parent: etree._Element, tag: str, value: Any, where: str) -> None:
    """Put a text or any value of JSON under an element; `where` stands in the message of a FormatError."""
    try:
        sub(parent, tag, value if isinstance(value, str) else repr(value))
    except FormatError as error:
        raise FormatError(f"{where}: {error}") from None


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
