"""Features in the form that was asked for: GeoJSON, CSV, a Feature a line, KML.

Every form is made from the serialised Feature that its reader may see and from nothing else, so none can tell more than
another. A page comes out in blocks: what is held at a time is a block, whatever the page.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from api.accepted import quality_of, ranges_of
from api.canonical import canonical
from api.errors import BadRequestError, NotAcceptableError

__all__ = ["FORMATS", "Format", "Page", "chosen", "flat", "negotiated"]

_BLOCK = 100  # features


@dataclass(frozen=True, slots=True)
class Page:
    """Features to be written.

    Parameters
    ----------
    features
        Serialised GeoJSON Features.
    columns
        Of CSV: members of the properties, a dot between the steps to an inner one; `id`, `lon` and `lat` go before
        them. The same for every reader: what a reader may not see is empty.
    members
        Further members of the FeatureCollection: links, counts, when it was made. Formats that have no place for them
        leave them out.
    """

    features: Sequence[bytes]
    columns: tuple[str, ...]
    members: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Format:
    """A form of a page.

    Parameters
    ----------
    name
        As `f` names it.
    media_type
        As it is sent.
    also
        Media types without parameters by which it may be asked for as well.
    encode
        The page in blocks.
    """

    name: str
    media_type: str
    also: tuple[str, ...]
    encode: Callable[[Page], Iterator[bytes]]

    @property
    def essence(self) -> str:
        """The media type without parameters."""
        return self.media_type.partition(";")[0]


def negotiated(f: str | None, accept: str | None, offered: Mapping[str, Format]) -> Format:
    """The format that is asked for by name, else by `Accept`, else the first that is offered.

    Raises
    ------
    BadRequestError
        When the name is none of those offered.
    NotAcceptableError
        When `Accept` takes none of those offered.
    """
    if f is None:
        return chosen(accept, offered)
    if f not in offered:
        raise BadRequestError(f"f={f[:40]!r} is not served here: give {', '.join(offered)}")
    return offered[f]


def chosen(accept: str | None, offered: Mapping[str, Format]) -> Format:
    """The format of the highest quality in `Accept` (RFC 9110, 12.5.1); among equals the first that is offered.

    Raises
    ------
    NotAcceptableError
        When none has a quality above 0.
    """
    ranges = ranges_of(accept)
    best = max(offered.values(), key=lambda one: quality_of(ranges, one.essence, *one.also))  # the first of equals
    if quality_of(ranges, best.essence, *best.also) <= 0:
        raise NotAcceptableError(f"served here: {', '.join(one.media_type for one in offered.values())}")
    return best


def flat(properties: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Properties without nesting: inner members by their path, lists as JSON text, nothing for null.

    Examples
    --------
    >>> flat({"kind": "person", "ellipse": {"semi_major_m": 3.0}, "track": [1], "model": None})
    {'kind': 'person', 'ellipse.semi_major_m': 3.0, 'track': '[1]'}
    """
    found: dict[str, Any] = {}
    for name, value in properties.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}.")
        elif value is not None:
            found[prefix + name] = canonical(value) if isinstance(value, list) else value
    return found


def _blocks(features: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for begin in range(0, len(features), _BLOCK):
        yield features[begin : begin + _BLOCK]


def _geojson(page: Page) -> Iterator[bytes]:
    members = canonical(dict(page.members))[1:-1]
    yield b'{"type":"FeatureCollection",%s"features":[' % (members.encode() + b"," if members else b"")
    between = b""
    for block in _blocks(page.features):
        yield between + b",".join(block)
        between = b","
    yield b"]}"


def _lines(page: Page) -> Iterator[bytes]:
    for block in _blocks(page.features):
        yield b"\n".join(block) + b"\n"


def _sequence(page: Page) -> Iterator[bytes]:
    for block in _blocks(page.features):
        yield b"".join(b"\x1e" + feature + b"\n" for feature in block)


# A cell that begins so is a formula to a spreadsheet, which runs it. (OWASP, CSV injection; the wide forms too.)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def _csv(page: Page) -> Iterator[bytes]:
    """RFC 4180: comma, CRLF, quotes where needed. A text that a spreadsheet would run is led by an apostrophe."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["id", "lon", "lat", *page.columns])
    for block in _blocks(page.features):
        for feature in map(json.loads, block):
            values = flat(feature["properties"])
            lon, lat = _place(feature["geometry"])
            writer.writerow([_cell(value) for value in (feature["id"], lon, lat, *map(values.get, page.columns))])
        yield _taken(buffer)
    yield _taken(buffer)  # the header, where there was no feature


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _place(geometry: dict[str, Any] | None) -> tuple[float | None, float | None]:
    if geometry is None or geometry["type"] != "Point":
        return None, None
    lon, lat = geometry["coordinates"][:2]
    return lon, lat


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value if value.startswith(_FORMULA) else value
    return repr(value)


_KML = "http://www.opengis.net/kml/2.2"
_COLOURS = {"person": "ff3643f4", "vehicle": "ffb0279c", "bicycle": "ffd4bc00"}  # aabbggrr
_OTHER_COLOUR = "ff9e9e9e"
# Characters that XML 1.0 cannot hold, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _kml(page: Page) -> Iterator[bytes]:
    """OGC KML 2.2: a Placemark a feature, styled by kind, its properties as ExtendedData."""
    buffer = io.BytesIO()
    with etree.xmlfile(buffer, encoding="utf-8") as out:
        out.write_declaration()
        with out.element(_tag("kml"), nsmap={None: _KML}), out.element(_tag("Document")):
            out.write(_element("name", "Vedette"))
            for kind, colour in (*_COLOURS.items(), ("other", _OTHER_COLOUR)):
                out.write(_style(kind, colour))
            for block in _blocks(page.features):
                for feature in map(json.loads, block):
                    out.write(_placemark(feature))
                out.flush()
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
    yield buffer.getvalue()


def _tag(name: str) -> str:
    return f"{{{_KML}}}{name}"


def _element(tag: str, text: Any = None, /, *children: etree._Element, **attributes: str) -> etree._Element:
    element = etree.Element(
        _tag(tag), {key: _NOT_XML.sub("\ufffd", value) for key, value in attributes.items()}, {None: _KML}
    )
    if text is not None:
        element.text = _NOT_XML.sub("\ufffd", str(text))
    element.extend(children)
    return element


def _style(kind: str, colour: str) -> etree._Element:
    line = _element("LineStyle", None, _element("color", colour), _element("width", 2))
    fill = _element("PolyStyle", None, _element("color", "40" + colour[2:]))
    return _element("Style", None, _element("IconStyle", None, _element("color", colour)), line, fill, id=kind)


def _placemark(feature: dict[str, Any]) -> etree._Element:
    """In the order that the schema of KML demands."""
    properties = feature["properties"]
    kind, time = properties.get("kind"), properties.get("time")
    values = flat(properties)
    more = [_element("Data", None, _element("value", _kml_text(value)), name=name) for name, value in values.items()]
    geometry = feature["geometry"]
    return _element(
        "Placemark",
        None,
        _element("name", " ".join(str(part) for part in (kind, time) if part) or feature["id"]),
        *([] if time is None else [_element("TimeStamp", None, _element("when", time))]),
        _element("styleUrl", "#" + (kind if kind in _COLOURS else "other")),
        *([_element("ExtendedData", None, *more)] if more else []),
        *([] if geometry is None else [_kml_geometry(geometry)]),
        id="r" + str(feature["id"]),
    )


def _kml_text(value: Any) -> str:
    return canonical(value) if isinstance(value, bool) else str(value)


def _kml_geometry(geometry: dict[str, Any]) -> etree._Element:
    kind = geometry["type"]
    if kind == "GeometryCollection":
        return _element("MultiGeometry", None, *map(_kml_geometry, geometry["geometries"]))
    if kind.startswith("Multi"):
        parts = ({"type": kind.removeprefix("Multi"), "coordinates": part} for part in geometry["coordinates"])
        return _element("MultiGeometry", None, *map(_kml_geometry, parts))
    if kind == "Polygon":
        names = ["outerBoundaryIs", *["innerBoundaryIs"] * (len(geometry["coordinates"]) - 1)]
        rings = (
            _element(name, None, _element("LinearRing", None, _coordinates(ring)))
            for name, ring in zip(names, geometry["coordinates"], strict=True)
        )
        return _element("Polygon", None, *rings)
    positions = [geometry["coordinates"]] if kind == "Point" else geometry["coordinates"]
    return _element(kind, None, _coordinates(positions))


def _coordinates(positions: Sequence[Sequence[float]]) -> etree._Element:
    return _element("coordinates", " ".join(",".join(map(repr, position[:3])) for position in positions))


FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        Format("json", "application/geo+json", ("application/json", "application/vnd.geo+json"), _geojson),
        Format("csv", "text/csv; charset=utf-8; header=present", (), _csv),
        Format("ndjson", "application/x-ndjson", ("application/ndjson", "application/jsonl"), _lines),
        Format("seq", "application/geo+json-seq", ("application/json-seq",), _sequence),
        Format("kml", "application/vnd.google-earth.kml+xml", (), _kml),
    )
}
"""By name, the first is what is sent to whoever has no wish. `ndjson` is a Feature a line; `seq` is RFC 8142."""
