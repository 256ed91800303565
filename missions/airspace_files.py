"""Airspace and risk files: zones and landing sites as GeoJSON (RFC 7946), risk tables as CSV.

A zone is a Polygon or MultiPolygon with the properties ``name``, ``kind`` (``no_fly`` by default, or ``limits``), and
where it does not reach from the ground upwards without end ``floor_m``, ``ceiling_m`` with ``floor_datum`` and
``ceiling_datum`` (``AGL`` or ``AMSL``). A landing site is a Point with ``name``, ``kind`` ``landing_site`` and
``radius_m``. What is not understood is refused: a zone that is left out is one that is flown into.
"""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

from geo import Altitude, Datum, VedetteError, write_text
from missions.airspace import Airspace, LandingSite, Zone
from missions.border_geojson import check_crs, check_positions
from missions.errors import AirspaceError, FormatError
from missions.files import read_json, read_text, write_json
from missions.risk import Risk, RiskTable

__all__ = ["read_airspace", "read_risk", "write_airspace", "write_risk"]

_KNOWN = {"name", "kind", "floor_m", "floor_datum", "ceiling_m", "ceiling_datum", "radius_m"}
_RISK = ("from_m", "to_m", "weight", "from_hour", "to_hour", "line")


def read_airspace(path: Path) -> Airspace:
    """Read zones and landing sites.

    Raises
    ------
    FormatError
        When the file is no GeoJSON FeatureCollection in WGS 84, or a geometry or property is not understood.
    AirspaceError
        When a zone is not one; the message names it.
    """
    value = read_json(path)
    if not isinstance(value, dict) or value.get("type") != "FeatureCollection":
        raise FormatError(f"{path}: is not a GeoJSON FeatureCollection: an airspace file is one")
    check_crs(value, str(path))
    features = value.get("features")
    if not isinstance(features, list):
        raise FormatError(f"{path}: features is not a list")
    zones: list[Zone] = []
    sites: list[LandingSite] = []
    for number, feature in enumerate(features, 1):
        where = f"{path}: feature {number}"
        try:
            _take(feature, number, zones, sites)
        except VedetteError as error:
            raise type(error)(f"{where}: {error}") from None
        except (TypeError, ValueError) as error:
            raise FormatError(f"{where}: is not understood: {error!r}") from None
    try:
        return Airspace(tuple(zones), tuple(sites))
    except AirspaceError as error:
        raise AirspaceError(f"{path}: {error}") from None


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
    name = str(properties.get("name") or f"zone {number}")
    kind = properties.get("kind", "no_fly")
    shape = geometry.get("type")
    coordinates: Any = geometry.get("coordinates")
    if kind == "landing_site":
        if shape != "Point":
            raise FormatError(f"landing site {name!r} is a {shape}: give a Point")
        check_positions([coordinates], 1, f"landing site {name!r}")
        lon, lat = coordinates
        sites.append(LandingSite(name, float(lat), float(lon), _number(properties, "radius_m", 10.0)))
        return
    if shape not in {"Polygon", "MultiPolygon"}:
        raise FormatError(f"zone {name!r} is a {shape}: give a Polygon or MultiPolygon")
    check_positions(coordinates, 2 if shape == "Polygon" else 3, f"zone {name!r}")
    parts = [coordinates] if shape == "Polygon" else coordinates
    for k, rings in enumerate(parts, 1):
        zones.append(
            Zone(
                name if len(parts) == 1 else f"{name} ({k})",
                tuple(tuple((point[0], point[1]) for point in ring) for ring in rings),
                kind,
                _height(properties, "floor"),
                _height(properties, "ceiling"),
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


def read_risk(path: Path) -> RiskTable:
    """Read a risk table: CSV with the columns from_m, to_m, weight, and where they matter from_hour, to_hour and line.

    Raises
    ------
    FormatError
        When a column is missing or unknown, or a figure is no number; the message names line and column.
    PlanError
        When a figure is out of range.
    """
    reader = csv.DictReader(io.StringIO(read_text(path)), strict=True)
    try:
        columns, lines = list(reader.fieldnames or []), [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise FormatError(f"{path}: line {reader.line_num}: is not CSV: {error}") from None
    wrong = [c for c in columns if c not in _RISK] or [c for c in _RISK[:3] if c not in columns]
    if wrong:
        raise FormatError(
            f"{path}: column {wrong[0]!r} is unknown or missing: the columns are {', '.join(_RISK)}, "
            "with commas between"
        )
    twice = next((c for c in columns if columns.count(c) > 1), None)
    if twice is not None:
        raise FormatError(f"{path}: column {twice} is there twice: keep one of them")
    rows = []
    for number, row in lines:
        where = f"{path}: line {number}"
        if None in row:
            raise FormatError(f"{where}: has more cells than the first line: a figure with a comma, or one too many?")
        values: dict[str, Any] = {}
        for name in columns:
            if name == "line":
                values[name] = (row[name] or "").strip()
                continue
            try:
                values[name] = float(row[name])
            except (TypeError, ValueError):
                raise FormatError(f"{where}: {name} is {row[name]!r}: give a number") from None
        try:
            rows.append(Risk(**values))
        except VedetteError as error:
            raise type(error)(f"{where}: {error}") from None
    return RiskTable(tuple(rows))


def write_risk(table: RiskTable, path: Path) -> None:
    """Write a risk table as CSV that `read_risk` reads."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_RISK)
    writer.writerows([[getattr(row, name) for name in _RISK] for row in table.rows])
    write_text(path, out.getvalue())
