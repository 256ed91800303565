"""The types of records: what each is made of, where it lies, and what an agreement may share of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import shapely.geometry

from api.identity.roles import Permission
from api.records.schemas import (
    CrossingIn,
    CueIn,
    FleetIn,
    PlanIn,
    RecordIn,
    SegmentIn,
    SensorIn,
    SortieIn,
    VehicleIn,
)
from api.times import microseconds

__all__ = ["TYPES", "TYPE_OF_COLLECTION", "RecordType", "Stamp", "stamp_of"]

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecordType:
    """One type of record.

    Parameters
    ----------
    name
        As it stands in the store and in events.
    collection
        As it stands in paths.
    model
        What comes in.
    read, write
        What a role needs.
    geometry
        From a document to a GeoJSON geometry, None where it has no place.
    hidden
        Members that the geometry says already: they are no properties of the Feature.
    shared
        What each field of an agreement shares of it, beyond what always goes along; a field that is not named here
        shares nothing. None: this type is never shared.
    state
        The member that is its status.
    reviewed
        Whether a person judges it before it may be shared.
    title
        For people.
    """

    name: str
    collection: str
    model: type[RecordIn | CueIn]
    read: Permission
    write: Permission
    geometry: Callable[[Document], dict[str, Any] | None]
    hidden: frozenset[str]
    shared: Mapping[str, tuple[str, ...]] | None
    title: str
    state: str = "state"
    reviewed: bool = False


def _point(document: Document) -> dict[str, Any] | None:
    if document["lat"] is None:
        return None
    return {"type": "Point", "coordinates": [document["lon"], document["lat"]]}


def _line(member: str) -> Callable[[Document], dict[str, Any] | None]:
    return lambda document: {"type": "LineString", "coordinates": document[member]}


def _lines(document: Document) -> dict[str, Any] | None:
    return {"type": "MultiLineString", "coordinates": document["ways"]} if document["ways"] else None


_LAT_LON = frozenset({"lat", "lon"})
_FILE = (
    RecordType(
        "crossing",
        "crossings",
        CrossingIn,
        Permission.CROSSING_READ,
        Permission.CROSSING_WRITE,
        _point,
        _LAT_LON,
        {
            "kind": ("kind",),
            "direction": ("direction",),
            "status": ("status",),
            "method": ("method",),
            "ellipse": ("ellipse",),
            "track": ("track",),
            "border": ("border",),
            "confidence": ("confidence",),
            "model": ("model",),
            "source": ("source", "source_id"),
            "clip": ("evidence",),
        },
        "Crossings of the border",
        state="status",
        reviewed=True,
    ),
    RecordType(
        "cue",
        "cues",
        CueIn,
        Permission.CUE_READ,
        Permission.CUE_WRITE,
        lambda document: document["location"],
        frozenset(),
        {"kind": ("kind",), "confidence": ("confidence",), "source": ("sensor", "id")},
        "Cues of ground sensors",
    ),
    RecordType(
        "segment",
        "segments",
        SegmentIn,
        Permission.ASSET_READ,
        Permission.ASSET_WRITE,
        _line("line"),
        frozenset({"line"}),
        {"border": ("name", "authority"), "source": ("source", "source_id")},
        "Stretches of the border",
    ),
    RecordType(
        "fleet",
        "fleets",
        FleetIn,
        Permission.ASSET_READ,
        Permission.ASSET_WRITE,
        lambda _document: None,
        frozenset(),
        None,
        "Aircraft and their bases",
    ),
    RecordType(
        "plan",
        "plans",
        PlanIn,
        Permission.ASSET_READ,
        Permission.ASSET_WRITE,
        _lines,
        frozenset({"ways"}),
        {
            "border": ("segments",),
            "status": ("objective", "revisit_s", "seen_share", "sorties"),
            "source": ("source", "source_id", "name"),
        },
        "Patrol plans",
        state="objective",
    ),
    RecordType(
        "sortie",
        "sorties",
        SortieIn,
        Permission.ASSET_READ,
        Permission.ASSET_WRITE,
        _line("way"),
        frozenset({"way"}),
        {
            "status": ("state", "take_off", "landing"),
            "source": ("source", "source_id", "vehicle", "plan"),
            "camera": ("camera", "footprint"),
            "video": ("video",),
        },
        "Flights, planned and flown",
    ),
    RecordType(
        "vehicle",
        "vehicles",
        VehicleIn,
        Permission.ASSET_READ,
        Permission.ASSET_WRITE,
        _point,
        _LAT_LON,
        {
            "kind": ("frame",),
            "status": ("state",),
            "track": ("heading_deg", "course_deg", "speed_m_s", "altitude_amsl_m"),
            "source": ("source", "source_id", "name", "sortie"),
            "camera": ("camera", "footprint"),
            "video": ("video",),
        },
        "Vehicles as they were last heard of",
    ),
    RecordType(
        "sensor",
        "sensors",
        SensorIn,
        Permission.ASSET_READ,
        Permission.ASSET_WRITE,
        _point,
        _LAT_LON,
        {"kind": ("kind",), "status": ("state",), "source": ("source", "source_id", "name")},
        "Ground sensors",
    ),
)
TYPES: dict[str, RecordType] = {each.name: each for each in _FILE}
TYPE_OF_COLLECTION: dict[str, RecordType] = {each.collection: each for each in _FILE}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the store keeps of a record beside its document.

    Parameters
    ----------
    source, source_id
        Name one record of its type.
    time_us, update_us
        When it happened, and when it was last changed at its source; UTC microseconds since the Unix epoch.
    kind, status
        For filters; None where its type has none.
    owner, purpose, marking, sensitivity, retention_days
        Its custody.
    bounds
        West, south, east, north in degrees; None where it has no place.
    """

    source: str
    source_id: str
    time_us: int
    update_us: int
    kind: str | None
    status: str | None
    owner: str
    purpose: str
    marking: str | None
    sensitivity: str
    retention_days: int
    bounds: tuple[float, float, float, float] | None


def stamp_of(type_: RecordType, given: RecordIn | CueIn, document: Document) -> Stamp:
    """The stamp of a record of `type_` that came in as `given` and is kept as `document`."""
    custody = given.custody if isinstance(given, CueIn) else given
    if isinstance(given, CueIn):
        source, source_id = given.sensor, given.id
        time_us, update_us = microseconds(given.phenomenon_time), microseconds(given.result_time)
    else:
        source, source_id = given.source, given.source_id
        time_us, update_us = microseconds(given.time), microseconds(given.update_time)
    return Stamp(
        source=source,
        source_id=source_id,
        time_us=time_us,
        update_us=update_us,
        kind=document.get("kind", document.get("frame")),
        status=document.get(type_.state),
        owner=custody.owner,
        purpose=custody.purpose,
        marking=custody.marking,
        sensitivity=custody.sensitivity,
        retention_days=custody.retention_days,
        bounds=_bounds(type_.geometry(document)),
    )


def _bounds(geometry: dict[str, Any] | None) -> tuple[float, float, float, float] | None:
    if geometry is None:
        return None
    if geometry["type"] == "Point":  # by far the most
        lon, lat = geometry["coordinates"]
        return lon, lat, lon, lat
    west, south, east, north = shapely.geometry.shape(geometry).bounds
    return west, south, east, north
