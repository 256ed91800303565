"""Border files: GeoJSON, KML, KMZ, GeoPackage and Shapefile, both ways."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Any

from missions.border import BorderSegment, Side
from missions.border_geojson import read_geojson_lines
from missions.border_kml import read_kml_lines, write_kml_lines
from missions.border_line import runs_anticlockwise
from missions.border_vector import read_vector_lines, write_vector_lines
from missions.errors import BorderError, FormatError
from missions.files import write_json
from missions.geojson_geometry import line_geometry
from missions.line_feature import LineFeature, Part, kind_of, number_of, text_of, whole_of

__all__ = [
    "MapFormat",
    "border_feature",
    "border_properties",
    "map_format",
    "read_border",
    "read_borders",
    "read_features",
    "read_lines",
    "segments_of",
    "write_border",
    "write_borders",
    "write_lines",
]

_TEXTS = ("own", "neighbour", "authority", "note")
_MAGIC = {".gpkg": b"SQLite format 3", ".shp": b"\x00\x00\x27\x0a"}
"""What a file of that name begins with."""
_FIELDS = ("name", "own", "neighbour", "own_side", "authority", "priority", "stand_off_m", "band_own_m", "band_far_m")


class MapFormat(Enum):
    """What a map file is read by: GDAL for GeoPackage and Shapefile."""

    GEOJSON = "GeoJSON"
    KML = "KML or KMZ"
    VECTOR = "GeoPackage or Shapefile"


def read_borders(
    path: Path, own_side: Side | str | None = None, *, layer: str | None = None
) -> tuple[BorderSegment, ...]:
    """Read all borders of a file.

    Parameters
    ----------
    path
        GeoJSON, KML, KMZ, GeoPackage or Shapefile (these two need the extra ``gis``) in any coordinate reference
        system that says which it is. Lines are borders and so are the rings of polygons (enclaves); points are passed
        over, and so are features whose property ``kind`` is something else than "border". The properties are the
        fields of `BorderSegment`.
    own_side
        Which side of the line is the own country, 'left' or 'right' as seen along it; of a ring also 'inside' or
        'outside', and of a polygon only these, because programs turn its rings round. Needed where the file does not
        say, and stronger than the file.
    layer
        Which layer of a GeoPackage, where several have lines.

    Raises
    ------
    FormatError
        When the file is none of these, is broken, has no line or a coordinate reference system that is not known.
    BorderError
        When the own side is missing or a figure is impossible; the message names the feature and the field.
    """
    path = Path(path)
    lines = [(kind_of(feature), feature) for feature in read_lines(path, layer)]
    features = [feature for kind, feature in lines if kind in {"", "border"}]
    borders = tuple(segment for feature in features for segment in segments_of(feature, path.stem, own_side))
    if borders:
        return borders
    if lines:
        kinds = ", ".join(sorted({repr(kind) for kind, _ in lines})[:4])
        raise FormatError(f"{path}: its lines are of kind {kinds}, none a border: its kind is 'border', or absent")
    raise FormatError(f"{path}: has 0 lines: a border file has at least one LineString or Polygon, a Point is none")


def read_border(path: Path, own_side: Side | str | None = None, *, layer: str | None = None) -> BorderSegment:
    """Read the border of a file that has exactly one. Parameters and errors are those of `read_borders`."""
    borders = read_borders(path, own_side, layer=layer)
    if len(borders) > 1:
        names = ", ".join(border.name for border in borders[:4]) + (", ..." if len(borders) > 4 else "")
        raise FormatError(f"{path}: has {len(borders)} lines ({names}): one is wanted here: keep one of them")
    return borders[0]


def write_border(segment: BorderSegment, path: Path) -> None:
    """Write a border with all that `read_border` needs: a GeoJSON Feature, or what `write_borders` writes."""
    if _suffix(path) == ".geojson":
        write_json(path, border_feature(segment))
    else:
        write_borders((segment,), path)


def write_borders(segments: Iterable[BorderSegment], path: Path) -> None:
    """Write borders with all their fields.

    Parameters
    ----------
    segments
        What to write.
    path
        The format goes by its suffix: ``.geojson``, ``.json`` or none, ``.kml``, ``.kmz``, and with the extra ``gis``
        ``.gpkg`` and ``.shp``. GeoJSON, GeoPackage and Shapefile are cut at the antimeridian; reading joins them.

    Raises
    ------
    FormatError
        When the suffix is of another format, or a value does not fit the format.
    FileWriteError
        When the file cannot be written.
    """
    write_lines(
        [
            LineFeature(f"border {segment.name!r}", (Part(segment.coordinates),), border_properties(segment))
            for segment in segments
        ],
        path,
    )


def border_feature(segment: BorderSegment) -> dict[str, Any]:
    """The GeoJSON Feature of a border."""
    return {"type": "Feature", "properties": border_properties(segment), "geometry": line_geometry(segment.coordinates)}


def border_properties(segment: BorderSegment) -> dict[str, Any]:
    """The fields of a border as properties of a map file, all but the line."""
    properties = {field: getattr(segment, field) for field in _FIELDS}
    properties["own_side"] = str(segment.own_side)
    if segment.note:
        properties["note"] = segment.note
    return properties


def read_lines(path: Path, layer: str | None = None) -> list[LineFeature]:
    """The lines and polygons of a file of any format, in degrees of WGS 84. Raises FormatError."""
    return [feature for feature in read_features(path, layer) if feature.parts]


def read_features(path: Path, layer: str | None = None, *, zones: bool = False) -> list[LineFeature]:
    """As `read_lines`, and with the points of all formats but GeoJSON; with `zones` for a file of airspace.

    Raises
    ------
    FormatError
        As `read_borders` does, and with `zones` where something would be left out.
    """
    match map_format(path, layer):
        case MapFormat.VECTOR:
            return read_vector_lines(path, layer, zones=zones)
        case MapFormat.KML:
            return read_kml_lines(path, zones=zones)
        case _:
            return read_geojson_lines(path)


def map_format(path: Path, layer: str | None = None) -> MapFormat:
    """The format of a map file, of which a layer may be asked for, by what is in it before its name.

    Raises
    ------
    FormatError
        When it cannot be read, is not what its name says, or has no layers.
    """
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}") from None
    # What is in the file decides before its name: many a KMZ is called .kml.
    if head.startswith(b"SQLite format 3"):
        return MapFormat.VECTOR
    if head.startswith(b"PK") and layer is None:
        return MapFormat.KML
    if path.suffix.lower() in _MAGIC:
        # GDAL would open many other things under this name, some of which name further files and addresses.
        if not head.startswith(_MAGIC[path.suffix.lower()]):
            kind = {".shp": "Shapefile", ".gpkg": "GeoPackage"}[path.suffix.lower()]
            raise FormatError(f"{path}: is no {kind} inside, whatever its name says: name it by what it is")
        return MapFormat.VECTOR
    if path.suffix.lower() in {".shx", ".dbf", ".prj", ".cpg"}:
        raise FormatError(f"{path}: is one part of a Shapefile: give the .shp beside it")
    if layer is not None:
        raise FormatError(f"{path}: has no layers, so none is called {layer!r}: only a GeoPackage has")
    markup = head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    return MapFormat.KML if markup or path.suffix.lower() in {".kml", ".kmz"} else MapFormat.GEOJSON


def write_lines(features: Iterable[LineFeature], path: Path) -> None:
    """Write lines with their properties; the format goes by the suffix. Raises as `write_borders` does."""
    suffix = _suffix(path)
    if suffix == ".geojson":
        written = [
            {
                "type": "Feature",
                "properties": f.properties,
                "geometry": line_geometry((p[0], p[1]) for p in part.points),
            }
            for f in features
            for part in f.parts
        ]
        write_json(path, {"type": "FeatureCollection", "features": written})
    elif suffix in {".kml", ".kmz"}:
        write_kml_lines(features, path)
    else:
        write_vector_lines(features, path)


def segments_of(feature: LineFeature, stem: str, own_side: Side | str | None = None) -> list[BorderSegment]:
    """The borders of a feature; `stem` names one that has no name. Raises FormatError and BorderError."""
    values: dict[str, Any] = {name: text_of(feature, name) for name in _TEXTS}
    numbers = {name: number_of(feature, name) for name in ("stand_off_m", "band_own_m", "band_far_m")}
    numbers["priority"] = whole_of(feature, "priority")
    values |= {name: number for name, number in numbers.items() if number is not None}
    name = text_of(feature, "name") or stem
    segments = []
    for number, part in enumerate(feature.parts, 1):
        count = len(feature.parts)
        each = name if count == 1 else f"{name} {number} of {count}"
        side = _side(feature, part, own_side)
        try:
            segment = BorderSegment(
                name=each, coordinates=tuple((p[0], p[1]) for p in part.points), own_side=side, **values
            )
        except BorderError as error:
            raise BorderError(f"{feature.where}: {error}") from None
        segments.append(_told(segment))
    return segments


def _suffix(path: Path) -> str:
    """The format that a file is written in."""
    suffix = Path(path).suffix.lower()
    if suffix in {"", ".geojson", ".json"}:
        return ".geojson"
    if suffix not in {".kml", ".kmz", ".gpkg", ".shp"}:
        raise FormatError(f"{path}: no format of that name: write .geojson, .kml, .kmz, .gpkg or .shp")
    return suffix


def _side(feature: LineFeature, part: Part, given: Side | str | None) -> Side:
    """The own side of a line or ring from what the caller or the file says."""
    said = str(given if given is not None else text_of(feature, "own_side")).strip().casefold()
    polygon = part.area_within is not None
    words = (
        "'inside' or 'outside' (the own country is within or without the polygon)"
        if polygon
        else ("'left' or 'right', as seen along the line")
    )
    if not said:
        raise BorderError(
            f"{feature.where}: own_side is missing: say {words}, in the file or when reading it (--own-side)"
        )
    if said in {"inside", "outside"}:
        closed = len(part.points) > 3 and tuple(part.points[0]) == tuple(part.points[-1])
        if not closed:
            raise BorderError(
                f"{feature.where}: own_side is {said!r}, but the line is not closed: say 'left' or 'right'"
            )
        within = (said == "inside") == (part.area_within is not False)
        return Side.LEFT if runs_anticlockwise([p[:2] for p in part.points]) == within else Side.RIGHT
    if said not in {"left", "right"} or polygon:
        raise BorderError(f"{feature.where}: own_side is {said!r}: say {words}")
    return Side(said)


def _told(segment: BorderSegment) -> BorderSegment:
    """With a note where the line crosses itself: there left and right change places."""
    crossings = segment.self_crossings()
    if not crossings or "crosses itself" in segment.note:
        return segment
    lat, lon = crossings[0]
    more = f" and {len(crossings) - 1} more places" if len(crossings) > 1 else ""
    note = f"the line crosses itself at {lat:.5f}, {lon:.5f}{more}: check which side is own"
    return replace(segment, note=f"{segment.note}; {note}" if segment.note else note)
