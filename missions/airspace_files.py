"""Airspace files: zones and landing sites as GeoJSON (RFC 7946), KML, KMZ, GeoPackage and Shapefile.

A zone is a Polygon or MultiPolygon with the properties ``name``, ``kind`` (``no_fly`` by default, or ``limits``), and
where it does not reach from the ground upwards without end ``floor_m``, ``ceiling_m`` with ``floor_datum`` and
``ceiling_datum`` (``AGL`` or ``AMSL``). A landing site is a Point with ``name``, ``kind`` ``landing_site`` and
``radius_m``. What is not understood is refused, and so is what points to zones elsewhere and what has none where one
should be: a zone that is left out is one that is flown into.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from geo import Altitude, Datum, VedetteError
from missions.airspace import Airspace, LandingSite, Zone, ZoneKind
from missions.border_files import MapFormat, map_format, read_features
from missions.border_geojson import check_crs, check_positions
from missions.errors import AirspaceError, FormatError
from missions.files import read_json, write_json
from missions.line_feature import LineFeature, Part, check_text, kind_of, number_of, text_of

__all__ = ["read_airspace", "write_airspace"]

_KNOWN = {"name", "kind", "floor_m", "floor_datum", "ceiling_m", "ceiling_datum", "radius_m"}


def read_airspace(path: Path, *, layer: str | None = None) -> Airspace:
    """Read zones and landing sites.

    Parameters
    ----------
    path
        GeoJSON, KML, KMZ, GeoPackage or Shapefile (these two need the extra ``gis``). Of the last four, which programs
        fill with fields of their own, the properties named above are read and others passed over; the heights of a KML
        polygon that is extruded above ground or sea level are its ceiling where it has no ``ceiling_m``: of a no-fly
        zone the highest of its vertices, of one of limits the lowest.
    layer
        Which layer of a GeoPackage, where several have polygons or points.

    Raises
    ------
    FormatError
        When the file is none of these, is not in a known system, links to another, or a geometry or property is
        missing or not understood; the message names the feature and the field.
    AirspaceError
        When a zone is not one; the message names it.
    """
    path = Path(path)
    zones: list[Zone] = []
    sites: list[LandingSite] = []
    if map_format(path, layer) is MapFormat.GEOJSON:
        _read_geojson(path, zones, sites)
    else:
        for number, feature in enumerate(read_features(path, layer, zones=True), 1):
            if not feature.parts and not feature.points:
                raise FormatError(f"{feature.where}: has no geometry that is understood: draw the zone, or delete it")
            try:
                _take_feature(feature, number, zones, sites)
            except AirspaceError as error:
                raise AirspaceError(f"{feature.where}: {error}") from None
        if not zones and not sites:
            raise FormatError(f"{path}: has no polygon and no landing site: an airspace file has at least one")
    try:
        return Airspace(tuple(zones), tuple(sites))
    except AirspaceError as error:
        raise AirspaceError(f"{path}: {error}") from None


def _read_geojson(path: Path, zones: list[Zone], sites: list[LandingSite]) -> None:
    value = read_json(path)
    if not isinstance(value, dict) or value.get("type") != "FeatureCollection":
        raise FormatError(f"{path}: is not a GeoJSON FeatureCollection: an airspace file is one")
    check_crs(value, str(path))
    features = value.get("features")
    if not isinstance(features, list):
        raise FormatError(f"{path}: features is not a list")
    for number, feature in enumerate(features, 1):
        where = f"{path}: feature {number}"
        try:
            _take(feature, number, zones, sites)
        except VedetteError as error:
            raise type(error)(f"{where}: {error}") from None
        except (TypeError, ValueError) as error:
            raise FormatError(f"{where}: is not understood: {error!r}") from None


def _take_feature(feature: LineFeature, number: int, zones: list[Zone], sites: list[LandingSite]) -> None:
    """The zone or landing site that a feature of a map file is."""
    name = text_of(feature, "name") or f"zone {number}"
    kind = kind_of(feature) or "no_fly"
    if kind == "landing_site":
        if feature.parts or len(feature.points) != 1:
            raise FormatError(f"{feature.where}: kind is landing_site: give one point")
        radius = number_of(feature, "radius_m")
        lon, lat = feature.points[0]
        sites.append(LandingSite(name, lat, lon, 10.0 if radius is None else radius))
        return
    if feature.points:
        raise FormatError(f"{feature.where}: is a point of kind {kind!r}: a zone is a polygon, a landing_site a point")
    if any(part.area_within is None for part in feature.parts):
        raise FormatError(f"{feature.where}: is a line: a zone is a polygon; draw it as one")
    areas: list[list[Part]] = []
    for part in feature.parts:
        if part.area_within:
            areas.append([])
        areas[-1].append(part)
    floor, ceiling = _height_of(feature, "floor"), _height_of(feature, "ceiling")
    for k, parts in enumerate(areas, 1):
        top = ceiling
        if top is None and parts[0].heights is not None:
            top = parts[0].heights[0 if kind == ZoneKind.LIMITS else 1]
        if kind == ZoneKind.LIMITS and floor is None and top is None:
            raise FormatError(f"{feature.where}: kind is limits: give floor_m or ceiling_m, or it limits nothing")
        rings = tuple(tuple((float(p[0]), float(p[1])) for p in part.points) for part in parts)
        # A kind that is none is told by the zone.
        zones.append(Zone(name if len(areas) == 1 else f"{name} ({k})", rings, kind, floor, top))  # type: ignore[arg-type]


def _height_of(feature: LineFeature, which: str) -> Altitude | None:
    """A height of a feature whose values may be texts."""
    values = {f"{which}_m": number_of(feature, f"{which}_m"), f"{which}_datum": feature.get(f"{which}_datum")}
    with _of(feature.where):
        return _height(values, which)


@contextmanager
def _of(what: str) -> Iterator[None]:
    """What a property that is wrong is one of."""
    try:
        yield
    except FormatError as error:
        raise FormatError(f"{what}: {error}") from None


def _take(feature: Any, number: int, zones: list[Zone], sites: list[LandingSite]) -> None:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise FormatError("is no Feature")
    geometry, properties = feature.get("geometry"), feature.get("properties") or {}
    if not isinstance(geometry, dict) or not isinstance(properties, dict):
        raise FormatError("has no geometry, or properties that are no object")
    unknown = next((name for name in properties if name not in _KNOWN), None)
    if unknown is not None:
        raise FormatError(f"property {unknown} is not known: the properties are {', '.join(sorted(_KNOWN))}")
    check_crs(feature, "the feature")
    check_crs(geometry, "its geometry")
    name = check_text(properties.get("name"), f"zone {number}: name") or f"zone {number}"
    kind = properties.get("kind", "no_fly")
    shape = geometry.get("type")
    coordinates: Any = geometry.get("coordinates")
    if kind == "landing_site":
        if shape != "Point":
            raise FormatError(f"landing site {name!r} is a {shape}: give a Point")
        check_positions([coordinates], 1, f"landing site {name!r}")
        lon, lat = coordinates
        with _of(f"landing site {name!r}"):
            radius_m = _number(properties, "radius_m", 10.0)
        sites.append(LandingSite(name, float(lat), float(lon), radius_m))
        return
    if shape not in {"Polygon", "MultiPolygon"}:
        raise FormatError(f"zone {name!r} is a {shape}: give a Polygon or MultiPolygon")
    check_positions(coordinates, 2 if shape == "Polygon" else 3, f"zone {name!r}")
    with _of(f"zone {name!r}"):
        floor, ceiling = (_height(properties, which) for which in ("floor", "ceiling"))
    parts = [coordinates] if shape == "Polygon" else coordinates
    for k, rings in enumerate(parts, 1):
        zones.append(
            Zone(
                name if len(parts) == 1 else f"{name} ({k})",
                tuple(tuple((point[0], point[1]) for point in ring) for ring in rings),
                kind,
                floor,
                ceiling,
            )
        )


def _height(properties: dict[str, Any], which: str) -> Altitude | None:
    if properties.get(f"{which}_m") is None:
        if properties.get(f"{which}_datum") is not None:
            raise FormatError(f"{which}_datum is given without {which}_m")
        return None
    datum = properties.get(f"{which}_datum")
    names = {str(d.value).upper(): d for d in (Datum.AGL, Datum.AMSL)}
    if str(datum).upper() not in names:
        raise FormatError(f"{which}_datum is {datum!r}: give AGL or AMSL")
    return Altitude(_number(properties, f"{which}_m"), names[str(datum).upper()])


def _number(row: dict[str, Any], name: str, default: float | None = None) -> float:
    value = row.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise FormatError(f"{name} is {value!r}: give a number")
    return float(value)


def write_airspace(airspace: Airspace, path: Path) -> None:
    """Write zones and landing sites as GeoJSON that `read_airspace` reads."""
    features: list[dict[str, Any]] = []
    for zone in airspace.zones:
        properties: dict[str, Any] = {"name": zone.name, "kind": zone.kind.value}
        for which, height in (("floor", zone.floor), ("ceiling", zone.ceiling)):
            if height is not None:
                properties |= {f"{which}_m": height.metres, f"{which}_datum": str(height.datum.value).upper()}
        rings = [[list(point) for point in ring] for ring in zone.rings]
        features.append(
            {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": rings}}
        )
    for site in airspace.landing_sites:
        properties = {"name": site.name, "kind": "landing_site", "radius_m": site.radius_m}
        point = {"type": "Point", "coordinates": [site.lon_deg, site.lat_deg]}
        features.append({"type": "Feature", "properties": properties, "geometry": point})
    write_json(path, {"type": "FeatureCollection", "features": features})
