"""What somebody draws with, out of a map file of another program: its lines, areas and points as GeoJSON (RFC 7946)."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from geo import Altitude
from missions.border_files import MapFormat, map_format
from missions.border_kml import read_kml_lines
from missions.border_vector import layers_of, read_vector_lines
from missions.errors import FormatError
from missions.geojson_geometry import feature, line_geometry, point_geometry, polygon_geometry
from missions.line_feature import LineFeature, Part, kind_of
from missions.packed_xml import LARGEST, read_limited

__all__ = ["read_map_shapes"]

_OF_AREAS = ("name", "kind", "floor_m", "floor_datum", "ceiling_m", "ceiling_datum")
_OF_POINTS = ("name", "kind", "radius_m")
_OF_LINES = (
    *("name", "kind", "own", "neighbour", "own_side", "authority"),
    *("priority", "stand_off_m", "band_own_m", "band_far_m"),
)
"""What is read of a shape; programs fill these formats with fields of their own."""
_NEEDED = (".shp", ".shx", ".dbf", ".prj", ".cpg")
"""The files of a Shapefile that are read."""


def read_map_shapes(path: Path) -> dict[str, Any]:
    """The lines, areas and points of a map file, for somebody who goes on drawing.

    Parameters
    ----------
    path
        KML, KMZ, GeoPackage (all its layers), or a Shapefile: the ``.shp`` beside its other files, or all of them in a
        zip. The last two need the extra ``gis``.

    Returns
    -------
    dict
        A FeatureCollection in degrees of WGS 84, cut at the antimeridian: a feature for each line, area and point, with
        those properties that `read_borders` and `read_airspace` read. Heights to which KML extrudes an area are its
        ``ceiling_m``, as `read_airspace` takes them. ``notes`` are texts: how well places are known, and what else the
        file or its reader notes of them.

    Raises
    ------
    FormatError
        When the file is none of these, is broken, holds no shape, or more than 128 MiB unpacked; when something of it
        would be left out: it may be a zone, and then it is flown into.
    """
    found = list(_features(Path(path)))
    for each in found:
        if not each.parts and not each.points:
            raise FormatError(f"{each.where}: has no geometry that is understood: draw it, or delete it")
    if not found:
        raise FormatError(f"{path}: has no line, polygon or point")
    notes = dict.fromkeys(note for each in found if isinstance(note := each.get("note"), str))
    shapes = [shape for each in found for shape in _shapes(each)]
    return {"type": "FeatureCollection", "features": shapes, "notes": list(notes)}


def _features(path: Path) -> Iterator[LineFeature]:
    """All of a file, whatever its format."""
    match map_format(path):
        case MapFormat.VECTOR:
            for layer in layers_of(path):
                yield from read_vector_lines(path, layer, zones=True)
        case MapFormat.KML:
            members = _shapefile(path)
            if members is None:
                yield from read_kml_lines(path, zones=True)
                return
            with TemporaryDirectory(prefix="vedette-shapefile-") as folder:
                for name, data in members.items():
                    (Path(folder) / name).write_bytes(data)
                try:
                    yield from read_vector_lines(Path(folder) / next(iter(members)), zones=True)
                except FormatError as error:
                    # Of the folder nobody but this function knows.
                    raise FormatError(str(error).replace(f"{folder}/", "")) from None
        case _:
            raise FormatError(f"{path}: is no KML, KMZ, GeoPackage or zipped Shapefile; GeoJSON needs no conversion")


def _shapefile(path: Path) -> dict[str, bytes] | None:
    """The files of the Shapefile in a zip by plain names, the .shp first; None where there is none, as in a KMZ.

    No more is unpacked than is read at all: a small zip may unpack to terabytes.
    """
    data = read_limited(path)
    if not data.startswith(b"PK"):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [name for name in archive.namelist() if not name.startswith("__MACOSX/")]
            shapes = [name for name in names if name.lower().endswith(".shp")]
            if not shapes:
                return None
            if len(shapes) > 1:
                raise FormatError(f"{path}: holds {len(shapes)} Shapefiles ({', '.join(shapes[:4])}): zip one of them")
            own = PurePosixPath(shapes[0]).with_suffix("")
            members: dict[str, bytes] = {}
            left = LARGEST
            for suffix in _NEEDED:
                for name in names:
                    part = PurePosixPath(name)
                    if part.with_suffix("") == own and part.suffix.lower() == suffix:
                        with archive.open(name) as member:
                            members[f"shapes{suffix}"] = member.read(left + 1)
                        left -= len(members[f"shapes{suffix}"])
                        if left < 0:
                            raise FormatError(f"{path}: unpacks to more than {LARGEST >> 20} MiB: cut it into several")
            return members
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise FormatError(f"{path}: is not a whole zip file: {error}: fetch it again") from None
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or an unknown packing
        raise FormatError(f"{path}: cannot be unpacked: {error}: zip it again without a password") from None


def _shapes(of: LineFeature) -> Iterator[dict[str, Any]]:
    """The features that a feature is; each outer ring with the holes that follow it."""
    areas: list[list[Part]] = []
    for part in of.parts:
        if part.area_within is None:
            yield feature(line_geometry(part.points), **_said(of, _OF_LINES))
        elif part.area_within:
            areas.append([part])
        else:
            areas[-1].append(part)
    for rings in areas:
        geometry = polygon_geometry([ring.points for ring in rings])
        yield feature(geometry, **_said(of, _OF_AREAS) | _ceiling(of, rings[0].heights))
    for lon, lat in of.points:
        yield feature(point_geometry(lon, lat), **_said(of, _OF_POINTS))


def _said(of: LineFeature, names: tuple[str, ...]) -> dict[str, Any]:
    """What a feature says, by the names of ours."""
    return {name: value for name in names if (value := of.get(name)) is not None}


def _ceiling(of: LineFeature, heights: tuple[Altitude, Altitude] | None) -> dict[str, Any]:
    """The ceiling of an area that says none in words: of limits the lowest of its corners, else the highest."""
    if heights is None or of.get("ceiling_m") is not None:
        return {}
    top = heights[0 if kind_of(of) == "limits" else 1]
    return {"ceiling_m": top.metres, "ceiling_datum": top.datum.value}
