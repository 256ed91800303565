"""KML and KMZ as XML trees, both ways. What comes in is not trusted: no entities, no network, no bombs."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any

from lxml import etree

from geo import write_bytes
from missions.errors import FormatError
from missions.packed_xml import packed, parsed, read_limited, unpacked

__all__ = ["KML", "points_of", "read_kml", "sub", "text_sub", "track_points", "write_kml"]

KML = "http://www.opengis.net/kml/2.2"

_COMMA = re.compile(r"\s*,\s*")


def read_kml(path: Path, *, whole: bool = False) -> etree._Element:
    """Root of a KML file, or of the main KML in a KMZ: its doc.kml, or else the first that lies in no folder.

    Raises
    ------
    FormatError
        When it is no such file, is larger than 128 MiB, brings a document type, or is wanted `whole` and has several.
    """
    return parsed(_bytes(path, whole=whole), path)


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
    texts = geometry.findall("{*}coordinates")
    if len(texts) > 1:
        raise FormatError(f"{where}: {kind}: has {len(texts)} coordinates: it has one, put each line into its own")
    # Some programs write a blank after each comma.
    vertices = _COMMA.sub(",", (texts[0].text or "") if texts else "").split()
    points = [_point(text, figures, f"{where}: {kind}: coordinates: vertex {n}") for n, text in enumerate(vertices)]
    if not points:
        raise FormatError(f"{where}: {kind}: coordinates is empty")
    return points


def track_points(track: etree._Element, where: str) -> list[tuple[float, ...]]:
    """Vertices (longitude, latitude) of a Track, as Google Earth records and KML 2.3 has them.

    Raises
    ------
    FormatError
        When it has none, or one that is no number; the message names the vertex.
    """
    texts = [",".join((element.text or "").split()) for element in track.findall("{*}coord")]
    # Where nothing was received an element stands empty beside its time.
    points = [_point(text, 2, f"{where}: Track: coord {n}") for n, text in enumerate(texts) if text]
    if not points:
        raise FormatError(f"{where}: Track: has no coord")
    return points


def _point(text: str, figures: int, where: str) -> tuple[float, ...]:
    try:
        values = tuple(float(v) for v in text.split(","))
    except ValueError:
        values = ()
    if not 2 <= len(values) <= 3:
        raise FormatError(f"{where} is {text[:60]!r}: not longitude,latitude as numbers, and a height at most")
    return values[:figures]


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


def _bytes(path: Path, *, whole: bool) -> bytes:
    """The KML text of a file, unpacked."""
    data = read_limited(path)
    plain = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    if not plain and (data[:2] == b"PK" or path.suffix.lower() == ".kmz"):
        data = unpacked(data, path, lambda names: _document(names, path, whole=whole))
    return data


def _document(names: list[str], path: Path, *, whole: bool) -> str:
    """The main KML of an archive."""
    found = [
        name
        for name in names
        # Macs put a shadow of each file beside it.
        if name.lower().endswith(".kml") and not PurePosixPath(name).name.startswith("._")
    ]
    if not found:
        raise FormatError(f"{path}: is a zip without a .kml in it: of a zipped Shapefile unpack all and give the .shp")
    if whole and len(found) > 1:
        raise FormatError(
            f"{path}: has {len(found)} KML documents ({', '.join(sorted(found)[:4])}), and one is read: save all of "
            "them as one"
        )
    return min(found, key=lambda name: (name.lower() != "doc.kml", "/" in name))
