"""Lines in GeoPackage and Shapefile, both ways: through GDAL, which the extra ``gis`` brings."""

from __future__ import annotations

import math
import shutil
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import FileWriteError, atomic_path
from missions.border_line import split_line
from missions.datum import ToWgs84
from missions.errors import FormatError
from missions.line_feature import LineFeature
from missions.vector_damage import check_without_geometry, index_of

__all__ = ["layers_of", "read_vector_lines", "write_vector_lines"]

_LINES = ("LineString", "MultiLineString", "LinearRing", "Polygon", "MultiPolygon", "GeometryCollection")
_POINTS = ("Point", "MultiPoint")
_STRAIGHT_DEG = 1e-7
"""How far, degrees, the middle of an edge may lie beside the line that is straight in degrees: about 1 cm."""
_HALVINGS = 12

# A DBF name has ten characters, a DBF text 254 bytes.
_NAME, _TEXT = 10, 254


def read_vector_lines(path: Path, layer: str | None = None, *, zones: bool = False) -> list[LineFeature]:
    """The lines, polygons and points of each row of a layer, in degrees of WGS 84; a row without geometry has none.

    An edge that is straight in a projected system is bent in degrees: vertices are added until it is followed within
    a centimetre.

    Parameters
    ----------
    path
        A ``.gpkg`` or ``.shp``.
    layer
        Which layer of a GeoPackage; not needed where only one has lines.
    zones
        Whether zones and landing sites are read: a layer of points is one to choose from as well.

    Raises
    ------
    FormatError
        When the extra is missing, a part of the file or a row of it is broken, the layer has no coordinate reference
        system or cannot be brought to WGS 84, or there are several layers to choose from.

    Notes
    -----
    Where the way from the datum of the layer to WGS 84 is not known to a metre, the property ``note`` of its lines says
    how well; what GDAL says of a file that it reads with a doubt stands there too.
    """
    gdal = _gdal(path)
    if not path.is_file():
        raise FormatError(f"{path}: cannot be read: No such file or directory")
    if path.suffix.lower() == ".shp":
        index_of(path)
    try:
        # What GDAL doubts it says as warnings.
        with warnings.catch_warnings(record=True) as doubts:
            warnings.simplefilter("always")
            layer = _layer(gdal, path, layer, zones=zones)
            meta, numbers, shapes, columns = gdal.raw.read(str(path.resolve()), layer=layer, return_fids=True)
    except (OSError, ValueError, RuntimeError) as error:  # pyogrio's own are RuntimeErrors
        said = " ".join(str(error).split())
        raise FormatError(f"{path}: cannot be read by GDAL: {said}") from None
    if shapes is None or not len(shapes):
        raise FormatError(f"{path}: the layer {layer or path.stem!r} is empty")
    if meta["crs"] is None:
        raise FormatError(
            f"{path}: has no coordinate reference system: "
            + ("put its .prj beside the .shp" if path.suffix.lower() == ".shp" else "set it in the layer")
        )
    bare = [int(number) for number, shape in zip(numbers, shapes, strict=True) if shape is None]
    check_without_geometry(path, layer or path.stem, bare)
    to_wgs84 = ToWgs84(meta["crs"], str(path))
    told = _told(doubts)
    names = [_ALIASES.get(name.casefold(), name) for name in meta["fields"].tolist()]
    features = []
    for row, data in enumerate(shapes):
        properties = {name: _value(column[row]) for name, column in zip(names, columns, strict=True)}
        # What tables number is called by its number.
        properties |= {k: _named(v) for k, v in properties.items() if k.casefold() == "name"}
        name = next((v for k, v in properties.items() if k.casefold() == "name" and v), None)
        where = f"{path}, feature {row + 1}" + (f" ({name})" if name else "")
        try:
            with np.errstate(invalid="ignore"):  # a vertex that is no number is refused with all others
                shape = shapely.from_wkb(data)
        except shapely.errors.GEOSException as error:
            raise FormatError(f"{where}: its geometry cannot be read: {error}: turn curves into lines") from None
        lines, polygons, points = _lines(shape, to_wgs84, where)
        # How well a way to WGS 84 is known shows once a place has gone it.
        note = "; ".join(filter(None, [to_wgs84.note, *told]))
        features.append(LineFeature.of(where, lines, polygons, _noted(properties, note), points=points))
    return features


def layers_of(path: Path) -> list[str]:
    """The layers of a ``.gpkg`` or ``.shp`` that hold shapes. Raises FormatError as `read_vector_lines` does."""
    try:
        return [str(name) for name, kind in _gdal(path).list_layers(str(path.resolve())) if kind]
    except (OSError, ValueError, RuntimeError) as error:  # pyogrio's own are RuntimeErrors
        raise FormatError(f"{path}: cannot be read by GDAL: {' '.join(str(error).split())}") from None


def write_vector_lines(features: Iterable[LineFeature], path: Path) -> None:
    """Write lines as GeoPackage or Shapefile, by the name of the file, in WGS 84, cut at the antimeridian.

    Raises
    ------
    FormatError
        When the extra is missing, there is nothing to write, or a text is too long for a Shapefile.
    FileWriteError
        When a file cannot be written.
    """
    gdal = _gdal(path)
    rows = list(features)
    if not rows:
        raise FormatError(f"{path}: there is no line to write")
    shapefile = path.suffix.lower() == ".shp"
    names = list(dict.fromkeys(name for row in rows for name in row.properties))
    columns = [_column([row.properties.get(name) for row in rows]) for name in names]
    _check_texts(rows, shapefile=shapefile)
    if shapefile:
        names = [name[:_NAME] for name in names]
    parts = [[line for part in row.parts for line in split_line((p[0], p[1]) for p in part.points)] for row in rows]
    several = any(len(lines) > 1 for lines in parts)
    shapes = [shapely.MultiLineString(lines) if several else shapely.LineString(lines[0]) for lines in parts]

    def write(target: Path) -> None:
        gdal.raw.write(
            str(target),
            shapely.to_wkb(np.array(shapes)),
            field_data=columns,
            fields=names,
            geometry_type="MultiLineString" if several else "LineString",
            crs="EPSG:4326",
            driver="ESRI Shapefile" if shapefile else "GPKG",
            layer=path.stem,
            encoding="UTF-8" if shapefile else None,
        )

    try:
        if shapefile:
            _write_all(write, path)
        else:
            with atomic_path(path) as temporary:
                write(temporary)
    except (OSError, RuntimeError) as error:  # pyogrio's own are RuntimeErrors
        said = error.strerror if isinstance(error, OSError) and error.strerror else " ".join(str(error).split())
        raise FileWriteError(f"cannot write {path}: {said}") from None


_ALIASES = {
    "stand_off_": "stand_off_m",
    "band_left_": "band_left_m",
    "band_right": "band_right_m",
    "floor_datu": "floor_datum",
    "ceiling_da": "ceiling_datum",
}
"""Names of ours that a Shapefile cuts off."""


def _gdal(path: Path) -> Any:
    try:
        import pyogrio  # noqa: PLC0415 - an extra
    except ImportError:
        raise FormatError(f"{path}: GeoPackage and Shapefile need vedette[gis]: pip install 'vedette[gis]'") from None
    return pyogrio


def _layer(gdal: Any, path: Path, wanted: str | None, *, zones: bool) -> str | None:
    """The layer to read: the one that is asked for, or the only one that has lines, or of zones polygons or points."""
    layers = [(str(name), kind) for name, kind in gdal.list_layers(str(path.resolve()))]
    names = [name for name, _ in layers]
    if wanted is not None:
        if wanted not in names:
            raise FormatError(f"{path}: has no layer {wanted!r}: give one of {', '.join(names)}")
        return wanted
    kinds = (*_LINES, *_POINTS) if zones else _LINES
    what = "polygons or points" if zones else "lines or polygons"
    # "Unknown" is any geometry, None a table without one.
    fit = [name for name, kind in layers if kind and ("Unknown" in kind or kind.split()[0].rstrip("ZM") in kinds)]
    if len(fit) == 1 or not names:
        return fit[0] if fit else None
    if not fit:
        raise FormatError(f"{path}: none of its layers ({', '.join(names)}) has {what}")
    how = "--airspace-layer, or put all of them into one" if zones else "--layer"
    raise FormatError(
        f"{path}: has several layers with {what if zones else 'lines'} ({', '.join(fit)}), and one is read: name it as "
        f"layer ({how})"
    )


def _told(doubts: Iterable[warnings.WarningMessage]) -> list[str]:
    """What GDAL said in warnings, each once; that a third and a fourth figure of a vertex are dropped is meant so."""
    said = (" ".join(str(doubt.message).split()) for doubt in doubts)
    return [f"GDAL: {text}" for text in dict.fromkeys(said) if not text.startswith("Measured")]


def _noted(properties: dict[str, Any], note: str) -> dict[str, Any]:
    """With a note beside one that is there already."""
    name, said = next(((k, v) for k, v in properties.items() if k.casefold() == "note"), ("note", None))
    return properties | {name: f"{said}; {note}" if said else note} if note else properties


def _lines(shape: Any, to_wgs84: ToWgs84, where: str) -> tuple[list[Any], list[list[Any]], list[tuple[float, float]]]:
    """Lines, the rings of polygons, and points, of a geometry, in degrees."""
    lines, polygons, points = [], [], []
    waiting = [] if shape is None else [shape]
    while waiting:
        shape = waiting.pop(0)
        kind = shape.geom_type
        if shape.is_empty:
            continue
        if kind in {"Point", "MultiPoint"}:
            points += _degrees(shape, to_wgs84, where, between=False)
        elif kind in {"LineString", "LinearRing"}:
            lines.append(_degrees(shape, to_wgs84, where))
        elif kind == "Polygon":
            polygons.append([_degrees(ring, to_wgs84, where) for ring in (shape.exterior, *shape.interiors)])
        else:
            waiting = [*shape.geoms, *waiting]
    return lines, polygons, points


def _degrees(shape: Any, to_wgs84: ToWgs84, where: str, *, between: bool = True) -> list[tuple[float, float]]:
    """Vertices in degrees, with so many between them that a line is the same one."""
    plane = shapely.get_coordinates(shape)
    if not np.isfinite(plane).all():
        raise FormatError(f"{where}: a coordinate is not a number")
    degrees = to_wgs84(plane, where)
    if between and not to_wgs84.is_geographic:
        for _ in range(_HALVINGS):
            middle = (plane[:-1] + plane[1:]) / 2
            bent = to_wgs84(middle, where)
            aside = np.abs(bent - (degrees[:-1] + degrees[1:]) / 2).max(axis=1)
            # An edge over the antimeridian is halved in vain, but not for ever.
            far = np.flatnonzero((aside > _STRAIGHT_DEG) & (aside < 90))
            if not far.size:
                break
            plane = np.insert(plane, far + 1, middle[far], axis=0)
            degrees = np.insert(degrees, far + 1, bent[far], axis=0)
    return [(float(x), float(y)) for x, y in degrees]


def _value(value: Any) -> Any:
    """A field as a Python value; a null of whatever kind is None."""
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and math.isnan(plain) else plain


def _named(value: Any) -> Any:
    """A number as the text that it is written as; anything else as it is."""
    return f"{value:.15g}" if isinstance(value, int | float) and not isinstance(value, bool) else value


def _column(values: list[Any]) -> NDArray[Any]:
    """Values of a field: numbers as they are, all else as text or null."""
    if all(isinstance(value, int | float) for value in values):
        return np.array(values)
    return np.array([None if value is None else str(value) for value in values], dtype=object)


def _check_texts(rows: list[LineFeature], *, shapefile: bool) -> None:
    for row in rows:
        for name, value in row.properties.items():
            if not isinstance(value, str):
                continue
            if "\0" in value:
                raise FormatError(f"{row.where}: {name} has a character 0, at which the text would end: remove it")
            if shapefile and len(value.encode()) > _TEXT:
                raise FormatError(
                    f"{row.where}: {name} has {len(value.encode())} bytes, and a Shapefile takes {_TEXT}: write a "
                    ".gpkg or .geojson"
                )


def _write_all(write: Any, path: Path) -> None:
    """Write a Shapefile beside its place and move all its files there, the .shp last: where it is, the others are."""
    with atomic_path(path) as temporary:
        folder = Path(tempfile.mkdtemp(prefix=".shp-", dir=path.parent))
        try:
            write(folder / path.name)
            for part in folder.iterdir():
                if part.suffix != path.suffix:
                    part.replace(path.with_suffix(part.suffix))
            (folder / path.name).replace(temporary)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
