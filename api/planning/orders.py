"""From what was asked for to what the planner takes: the files of `vedette plan`, read by the readers of `missions`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import missions
from api.errors import UnprocessableError
from api.planning.schemas import BaseIn, DrawnBorderIn, PlanningIn, ShippedBorderIn
from api.wire import Wire
from geo import FlatTerrain, Terrain, VedetteError, open_terrain

__all__ = ["WORDS", "Order", "check_terrain", "ground_of", "order_of", "write_inputs"]

_OBJECTIVES = {
    "revisit": missions.Objective.REVISIT,
    "coverage": missions.Objective.ONCE,
    "risk": missions.Objective.RISK,
}
"""What a plan makes small, by what this service calls it."""
WORDS = {objective: word for word, objective in _OBJECTIVES.items()}
_READY = "multirotor"
"""The model that need not be described: that of `missions.default_fleet`."""
_BORDER, _FLEET, _AIRSPACE = "border.geojson", "fleet.json", "airspace.geojson"
_WIDTHS = ("stand_off_m", "band_own_m", "band_far_m")


@dataclass(frozen=True, slots=True)
class Order:
    """What the planner takes, but for the ground."""

    what: missions.BorderSegment | missions.BorderNetwork
    fleet: missions.Fleet
    options: missions.PlanOptions
    airspace: missions.Airspace | None
    risk: missions.RiskTable | None


def order_of(wish: PlanningIn) -> Order:
    """What the planner takes for a wish.

    Raises
    ------
    UnprocessableError
        When something in it cannot be: what, where, and what to do.
    """
    with TemporaryDirectory(prefix="vedette-planning-") as name:
        folder = Path(name)
        try:
            write_inputs(wish, folder)
            zones = folder / _AIRSPACE
            return Order(
                missions.read_patrolled(folder / _BORDER),
                missions.read_fleet(folder / _FLEET),
                _options(wish),
                missions.read_airspace(zones) if zones.exists() else None,
                _risk(wish),
            )
        except VedetteError as error:
            # Of the folder nobody but this function knows.
            raise UnprocessableError(str(error).replace(f"{folder}/", "")) from None


def write_inputs(wish: PlanningIn, folder: Path) -> None:
    """Write the border, fleet and airspace of a wish as the files that `vedette plan` reads.

    Raises
    ------
    BorderError
        When no such border ships with this program.
    """
    if isinstance(wish.border, DrawnBorderIn):
        _write(folder / _BORDER, _drawn(wish, wish.border))
    else:
        missions.write_border(_shipped(wish, wish.border), folder / _BORDER)
    _write(folder / _FLEET, _fleet(wish, folder / _FLEET))
    if wish.airspace is not None:
        _write(folder / _AIRSPACE, wish.airspace.model_dump(mode="json"))


def check_terrain(wish: PlanningIn, terrain: Path | None) -> None:
    """Refuse a wish for the terrain of a service that has none; raises UnprocessableError."""
    if wish.terrain and terrain is None:
        raise UnprocessableError("terrain: this service has none: give ground_m, or ask its administrator for one")


def ground_of(wish: PlanningIn, terrain: Path | None) -> Terrain | None:
    """The ground to plan on; None where none is named: level, and zones above sea level block.

    Parameters
    ----------
    terrain
        That of the service.

    Raises
    ------
    UnprocessableError
        When the service has none, and the wish asks for it.
    TerrainError
        When it cannot be read.
    """
    check_terrain(wish, terrain)
    if wish.terrain and terrain is not None:
        return open_terrain(terrain)
    return None if wish.ground_m is None else FlatTerrain(wish.ground_m)


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def _said(form: Wire, *left_out: str) -> dict[str, Any]:
    """What a form says: its members that are not null."""
    return form.model_dump(mode="json", exclude_none=True, exclude=set(left_out))


def _shipped(wish: PlanningIn, asked: ShippedBorderIn) -> missions.BorderSegment:
    whole = missions.land_border(*asked.countries)
    return replace(missions.cut(whole, asked.length_km * 1000, asked.near), **_widths(wish))


def _widths(wish: PlanningIn) -> dict[str, Any]:
    return {name: value for name in _WIDTHS if (value := getattr(wish, name)) is not None}


def _drawn(wish: PlanningIn, asked: DrawnBorderIn) -> dict[str, Any]:
    """The border as a FeatureCollection in which each line says what it did not say itself."""
    drawn = asked.geojson.model_dump(mode="json")
    if drawn["type"] == "FeatureCollection":
        whole = drawn
    else:
        feature = drawn if drawn["type"] == "Feature" else {"type": "Feature", "properties": None, "geometry": drawn}
        whole = {"type": "FeatureCollection", "features": [feature]}
    usual = _widths(wish)
    if asked.own_side is not None:
        usual["own_side"] = asked.own_side
    if len(whole["features"]) == 1:
        usual["name"] = wish.name
    for feature in whole["features"]:
        own = feature["properties"] or {}
        feature["properties"] = own | {name: value for name, value in usual.items() if not _says(own, name)}
    return whole


def _says(properties: Mapping[str, Any], name: str) -> bool:
    """Whether a reader would find that property, in whatever case."""
    return any(key.casefold() == name and value not in (None, "") for key, value in properties.items())


def _fleet(wish: PlanningIn, path: Path) -> dict[str, Any]:
    """The tables of a fleet file; aircraft are numbered in the order of the bases."""
    missions.write_fleet(missions.default_fleet(missions.Base("any", 0.0, 0.0), 1), path)
    ready = json.loads(path.read_text(encoding="utf-8"))
    (usual,) = ready["aircraft"].values()
    standing = [(base, each.model) for base in wish.bases for each in base.aircraft for _ in range(each.count)]
    return {
        "camera": ready["camera"] if wish.camera is None else _said(wish.camera),
        "aircraft": {_READY: usual} | {name: _said(each) for name, each in wish.aircraft.items()},
        "bases": {base.name: _base(base) for base in wish.bases},
        "vehicles": [
            {"sysid": number, "aircraft": model, "base": base.name} for number, (base, model) in enumerate(standing, 1)
        ],
    }


def _base(base: BaseIn) -> dict[str, Any]:
    return {"lat_deg": base.lat, "lon_deg": base.lon, **_said(base, "name", "lat", "lon", "aircraft")}


def _options(wish: PlanningIn) -> missions.PlanOptions:
    return missions.PlanOptions(
        wind=missions.Wind(wish.wind.speed_m_s, wish.wind.from_deg, wish.wind.gust_m_s),
        objective=_OBJECTIVES[wish.objective],
        shift_s=wish.shift_h * 3600,
        shift_hour=wish.hour,
        shift_start="" if wish.start is None else wish.start.isoformat(),
        **_said(wish.options),
    )


def _risk(wish: PlanningIn) -> missions.RiskTable | None:
    if wish.risk is None:
        return None
    return missions.RiskTable(tuple(missions.Risk(**row.model_dump()) for row in wish.risk.rows), wish.risk.zone)
