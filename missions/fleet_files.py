"""Fleet files: JSON or TOML with the tables camera, aircraft, bases and vehicles."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from geo import CameraModel, GeoError
from missions.errors import FleetError, FormatError
from missions.files import read_json, read_text, write_json
from missions.fleet import Aircraft, Base, Camera, Fleet, Vehicle

__all__ = ["read_fleet", "write_fleet"]


def read_fleet(path: Path) -> Fleet:
    """Read a fleet.

    Parameters
    ----------
    path
        ``.toml`` or JSON. ``camera`` has name, width_px, height_px and one of focal_px, focal_mm with pixel_pitch_um,
        or horizontal_fov_deg; ``aircraft`` has one table for each type by name, with the fields of `Aircraft`;
        ``bases`` one for each base by name with lat_deg and lon_deg; ``vehicles`` lists sysid, name, aircraft and base.

    Raises
    ------
    FormatError
        When the file is neither.
    FleetError
        When a figure is missing, unknown or impossible; the message names object and field.
    """
    path = Path(path)
    if path.suffix.lower() == ".toml":
        try:
            value: Any = tomllib.loads(read_text(path))
        except tomllib.TOMLDecodeError as error:
            raise FormatError(f"{path}: is not TOML: {error}") from None
    else:
        value = read_json(path)
    tables = _table(value, f"{path}: the file")
    for name in ("camera", "aircraft", "bases", "vehicles"):
        if name not in tables:
            raise FleetError(f"{path}: the table {name} is missing")
    camera = _camera(_table(tables["camera"], f"{path}: camera"), f"{path}: camera")
    aircraft = {
        kind: _build(
            Aircraft, {"kind": kind, **_table(entry, f"{path}: aircraft {kind!r}")}, f"{path}: aircraft {kind!r}"
        )
        for kind, entry in _table(tables["aircraft"], f"{path}: aircraft").items()
    }
    bases = {
        name: _build(Base, {"name": name, **_table(entry, f"{path}: base {name!r}")}, f"{path}: base {name!r}")
        for name, entry in _table(tables["bases"], f"{path}: bases").items()
    }
    if not isinstance(tables["vehicles"], list):
        raise FleetError(f"{path}: vehicles is not a list")
    vehicles = []
    for number, entry in enumerate(tables["vehicles"], 1):
        where = f"{path}: vehicle {number}"
        row = dict(_table(entry, where))
        row.setdefault("name", f"vehicle-{row.get('sysid')}")
        for field, known in (("aircraft", aircraft), ("base", bases)):
            if row.get(field) not in known:
                raise FleetError(f"{where}: {field} is {row.get(field)!r}: give one of {', '.join(known) or 'none'}")
            row[field] = known[row[field]]
        vehicles.append(_build(Vehicle, row, where))
    try:
        return Fleet(camera, tuple(vehicles))
    except FleetError as error:
        raise FleetError(f"{path}: {error}") from None


def write_fleet(fleet: Fleet, path: Path) -> None:
    """Write a fleet as JSON that `read_fleet` reads."""
    model, camera = fleet.camera.model, fleet.camera

    def rest(item: Any, *left_out: str) -> dict[str, Any]:
        return {f.name: getattr(item, f.name) for f in fields(item) if f.name not in left_out}

    write_json(
        path,
        {
            "camera": rest(camera, "model") | rest(model),
            "aircraft": {v.aircraft.kind: rest(v.aircraft, "kind") for v in fleet.vehicles},
            "bases": {v.base.name: rest(v.base, "name") for v in fleet.vehicles},
            "vehicles": [
                {"sysid": v.sysid, "name": v.name, "aircraft": v.aircraft.kind, "base": v.base.name}
                for v in fleet.vehicles
            ],
        },
    )


def _camera(row: dict[str, Any], where: str) -> Camera:
    row = dict(row)
    lenses: dict[tuple[str, ...], Callable[..., CameraModel]] = {
        ("focal_px",): CameraModel,
        ("focal_mm", "pixel_pitch_um"): CameraModel.from_sensor,
        ("horizontal_fov_deg",): CameraModel.from_fov,
    }
    lens = next((names for names in lenses if all(name in row for name in names)), None)
    if lens is None:
        raise FleetError(
            f"{where}: the lens is missing: give focal_px, focal_mm and pixel_pitch_um, or horizontal_fov_deg"
        )
    figures = []
    for name in ("width_px", "height_px", *lens):
        number = row.pop(name, None)
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise FleetError(f"{where}: {name} is {number!r}: give a number")
        figures.append(number)
    try:
        model = lenses[lens](*figures)
    except GeoError as error:
        raise FleetError(f"{where}: {error}") from None
    camera: Camera = _build(Camera, {"name": "camera", **row, "model": model}, where)
    return camera


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FleetError(f"{where} is {type(value).__name__}, not a table of names and values")
    return value


def _build(kind: Any, row: dict[str, Any], where: str) -> Any:
    known = {f.name: f for f in fields(kind)}
    unknown = next((name for name in row if name not in known), None)
    if unknown is not None:
        raise FleetError(f"{where}: {unknown} is not a field: the fields are {', '.join(known)}")
    lost = next(
        (n for n, f in known.items() if n not in row and f.default is MISSING and f.default_factory is MISSING), None
    )
    if lost is not None:
        raise FleetError(f"{where}: {lost} is missing")
    try:
        return kind(**row)
    except FleetError as error:
        raise FleetError(f"{where}: {error}") from None
