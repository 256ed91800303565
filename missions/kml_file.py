"""KML and KMZ as XML trees, both ways. What comes in is not trusted: no entities, no network, no bombs."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

from lxml import etree

from geo import write_bytes
from missions.errors import FormatError

__all__ = ["KML", "points_of", "read_kml", "sub", "text_sub", "write_kml"]

KML = "http://www.opengis.net/kml/2.2"
_LARGEST = 128 * 2**20
"""Bytes of KML that are read, unpacked: a line of a million vertices has about 30."""


def read_kml(path: Path) -> etree._Element:
    """Root of a KML file, or of the first KML in a KMZ.

    Raises
    ------
    FormatError
        When it is no such file, is larger than 128 MiB, or brings a document type.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(_bytes(path).lstrip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        said = error.msg if isinstance(error, etree.XMLSyntaxError) else str(error)
        raise FormatError(f"{path}: is not XML: {said}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise FormatError(f"{path}: has a document type (DOCTYPE), which no KML needs: remove it")
    return root


def write_kml(root: etree._Element, path: Path) -> None:
    """Write a tree as KML, or as KMZ where the name of the file ends so. Raises FileWriteError."""
    text = etree.tostring(root, pretty_print=True, xml_declaration=True, encoding="UTF-8")
    write_bytes(path, _zipped(text) if path.suffix.lower() == ".kmz" else text)


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
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}") from None
    plain = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    if not plain and (data[:2] == b"PK" or path.suffix.lower() == ".kmz"):
        data = _unzipped(data, path)
    if len(data) > _LARGEST:
        raise FormatError(f"{path}: is larger than {_LARGEST >> 20} MiB of KML: cut it into several files")
    return data


def _unzipped(data: bytes, path: Path) -> bytes:
    """The first KML of an archive, and no more of it than is read at all: a small zip may unpack to terabytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [n for n in archive.namelist() if n.lower().endswith(".kml")]
            if not names:
                raise FormatError(
                    f"{path}: is a zip without a .kml in it: of a zipped Shapefile unpack all and give the .shp"
                )
            name = "doc.kml" if "doc.kml" in names else names[0]
            with archive.open(name) as member:
                return member.read(_LARGEST + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise FormatError(f"{path}: is not a whole KMZ (zip) file: {error}: fetch it again") from None
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or an unknown packing
        raise FormatError(f"{path}: its KML cannot be unpacked: {error}: pack it again without a password") from None


def _zipped(text: bytes) -> bytes:
    """A KMZ of one document, with no clock in it: the same lines give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("doc.kml"), text, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
