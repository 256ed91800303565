"""Fleet files: JSON or TOML with the tables camera, aircraft, bases and vehicles."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

from geo import CameraModel, Distortion, GeoError
from missions.errors import FleetError, FormatError
from missions.figures import number_within
from missions.files import read_json, read_text, write_json
from missions.fleet import Aircraft, Base, Camera, Fleet, Vehicle

__all__ = ["read_fleet", "write_fleet"]

_LENS = ("k1", "k2", "p1", "p2")


def read_fleet(path: Path) -> Fleet:
    """Read a fleet.

    Parameters
    ----------
    path
        ``.toml`` or JSON. ``camera`` has name, width_px, height_px and one of focal_px, focal_mm with pixel_pitch_um,
        or horizontal_fov_deg, and where it is known a table ``distortion`` of k1, k2, p1, p2;
        ``aircraft`` has one table for each type by name, with the fields of `Aircraft`;
        ``bases`` one for each base by name with lat_deg and lon_deg; ``vehicles`` lists sysid, name, aircraft and base,
        and may name one of ``cameras``, tables by name as ``camera``, where a vehicle has its own.

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
        except (ValueError, RecursionError) as error:  # a TOMLDecodeError, a number of too many figures
            raise FormatError(f"{path}: is not TOML: {error}") from None
    else:
        value = read_json(path)
    tables = _table(value, f"{path}: the file")
    for name in ("camera", "aircraft", "bases", "vehicles"):
        if name not in tables:
            raise FleetError(f"{path}: the table {name} is missing")
    camera = _camera(_table(tables["camera"], f"{path}: camera"), path, "camera")
    aircraft = {
        kind: _build(
            Aircraft, {"kind": kind, **_table(entry, f"{path}: aircraft {kind!r}")}, path, f"aircraft {kind!r}"
        )
        for kind, entry in _table(tables["aircraft"], f"{path}: aircraft").items()
    }
    bases = {
        name: _build(Base, {"name": name, **_table(entry, f"{path}: base {name!r}")}, path, f"base {name!r}")
        for name, entry in _table(tables["bases"], f"{path}: bases").items()
    }
    cameras = {
        name: _camera({"name": name, **_table(entry, f"{path}: camera {name!r}")}, path, f"camera {name!r}")
        for name, entry in _table(tables.get("cameras", {}), f"{path}: cameras").items()
    }
    vehicles = _vehicles(tables["vehicles"], {"aircraft": aircraft, "base": bases, "camera": cameras}, path)
    try:
        return Fleet(camera, vehicles)
    except FleetError as error:
        raise FleetError(f"{path}: {error}") from None


def _vehicles(rows: Any, known: dict[str, dict[str, Any]], path: Path) -> tuple[Vehicle, ...]:
    """Vehicles whose aircraft, base and camera are named; they may do without a camera of their own."""
    if not isinstance(rows, list):
        raise FleetError(f"{path}: vehicles is not a list")
    made: list[Vehicle] = []
    for number, entry in enumerate(rows, 1):
        where = f"{path}: vehicle {number}"
        row = dict(_table(entry, where))
        row.setdefault("name", f"vehicle-{row.get('sysid')}")
        if row.get("camera") is None:
            row.pop("camera", None)
        for field, table in known.items():
            if field == "camera" and field not in row:
                continue
            name = row.get(field)
            if not isinstance(name, str) or name not in table:
                raise FleetError(f"{where}: {field} is {name!r}: give one of {', '.join(table) or 'none'}")
            row[field] = table[name]
        made.append(_build(Vehicle, row, path, f"vehicle {number}"))
    return tuple(made)


def write_fleet(fleet: Fleet, path: Path) -> None:
    """Write a fleet as JSON that `read_fleet` reads.

    Raises
    ------
    FleetError
        When two different types of aircraft, or cameras of vehicles, have one name: a file knows them by it.
    """

    def rest(item: Any, *left_out: str) -> dict[str, Any]:
        return {f.name: getattr(item, f.name) for f in fields(item) if f.init and f.name not in left_out}

    def lens(camera: Camera, *left_out: str) -> dict[str, Any]:
        bent = {"distortion": rest(camera.model.distortion)} if camera.model.distortion else {}
        return rest(camera, "model", *left_out) | rest(camera.model, "distortion") | bent

    own = list(dict.fromkeys(v.camera for v in fleet.vehicles if v.camera is not None))
    craft = list(dict.fromkeys(v.aircraft for v in fleet.vehicles))
    for what, names in (("cameras of vehicles", [c.name for c in own]), ("types of aircraft", [a.kind for a in craft])):
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise FleetError(f"two different {what} have the name {twice!r}: each needs its own")
    write_json(
        path,
        {
            "camera": lens(fleet.camera),
            "cameras": {camera.name: lens(camera, "name") for camera in own},
            "aircraft": {a.kind: rest(a, "kind") for a in craft},
            "bases": {v.base.name: rest(v.base, "name") for v in fleet.vehicles},
            "vehicles": [
                {
                    "sysid": v.sysid,
                    "name": v.name,
                    "aircraft": v.aircraft.kind,
                    "base": v.base.name,
                    "camera": v.camera.name if v.camera else None,
                }
                for v in fleet.vehicles
            ],
        },
    )


def _camera(row: dict[str, Any], path: Path, what: str) -> Camera:
    row, where = dict(row), f"{path}: {what}"
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
        number_within(f"{where}: {name}", number, 0.0, 1e6, FleetError)
        figures.append(number)
    bent = _table(row.pop("distortion", {}), f"{where}: distortion")
    unknown = next((name for name in bent if name not in _LENS), None)
    if unknown is not None:
        raise FleetError(f"{where}: distortion: {unknown} is not a field: the fields are {', '.join(_LENS)}")
    wrong = next((name for name, v in bent.items() if isinstance(v, bool) or not isinstance(v, int | float)), None)
    if wrong is not None:
        raise FleetError(f"{where}: distortion: {wrong} is {bent[wrong]!r}: give a number")
    try:
        model = replace(lenses[lens](*figures), distortion=Distortion(**bent))
    except GeoError as error:
        # A model calls itself a camera, which this one is already.
        raise FleetError(f"{where}: {str(error).removeprefix('camera ')}") from None
    camera: Camera = _build(Camera, {"name": "camera", **row, "model": model}, path, what)
    return camera


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FleetError(f"{where} is {type(value).__name__}, not a table of names and values")
    return value


def _build(kind: Any, row: dict[str, Any], path: Path, what: str) -> Any:
    where = f"{path}: {what}"
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
        # It names the object itself.
        raise FleetError(f"{path}: {error}") from None
