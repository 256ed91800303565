"""Operational intents as JSON: what a USS is given for each flight, as ASTM F3548-21 has it, and how it was made."""

from __future__ import annotations

import math
import re
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import shapely
from uas_standards.astm.f3548.v21 import constants
from uas_standards.astm.f3548.v21.api import OperationalIntentDetails, Volume4D

from missions.errors import FormatError
from missions.files import read_json, write_json
from missions.operational_intent import CONFORMANCE, FlightIntent, Geoid, Margins, operational_intents
from missions.patrol import PatrolPlan
from missions.plane import Plane

__all__ = ["read_operational_intents", "write_operational_intents"]

_FORMAT, _VERSION = "vedette-operational-intents", 1
_ZULU = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_HEIGHTS_M = (-8000.0, 100_000.0)
"""Bounds of the standard's own interface for an altitude."""


def write_operational_intents(
    plan: PatrolPlan,
    path: Path,
    start: datetime,
    geoid: Geoid,
    margins: Margins | None = None,
    *,
    priority: int = 0,
    filed: datetime | None = None,
) -> tuple[FlightIntent, ...]:
    """Write the operational intents of all flights of a plan, and return them.

    The parameters, and what is refused, are those of `operational_intents`; nothing is written then. The ``details`` of
    each entry are an ``OperationalIntentDetails`` of the standard's interface; beside them stand the geoid and the
    margins that they were made with, and what the standard asks of conformance.

    Raises
    ------
    PlanError
        As `operational_intents` does.
    FileWriteError
        When the file cannot be written.
    """
    margins = margins or Margins()
    intents = operational_intents(plan, start, geoid, margins, priority=priority, filed=filed)
    value = {
        "format": _FORMAT,
        "version": _VERSION,
        "standard": "ASTM F3548-21",
        "border": plan.border.name,
        "start": start.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "geoid": asdict(geoid),
        "margins": asdict(margins),
        "conformance": CONFORMANCE,
        "intents": [{"sortie": i.sortie, "sysid": i.sysid, "round": i.round, "details": i.details} for i in intents],
    }
    write_json(path, value)
    return intents


def read_operational_intents(path: Path) -> tuple[FlightIntent, ...]:
    """Read operational intents; every volume is held against the rules of the standard.

    Raises
    ------
    FormatError
        When it is no such file, or a volume is none: its outline, its heights, its times, their reference or unit; the
        message names it.
    """
    value = read_json(path)
    if not isinstance(value, dict) or value.get("format") != _FORMAT:
        raise FormatError(f"{path}: is not a file of operational intents: its format is not {_FORMAT!r}")
    if value.get("version") != _VERSION:
        raise FormatError(f"{path}: version {value.get('version')!r}, this program reads version {_VERSION}")
    entries = value.get("intents")
    if not isinstance(entries, list):
        raise FormatError(f"{path}: intents is not a list")
    return tuple(_intent(entry, f"{path}: intents[{n}]") for n, entry in enumerate(entries))


def _intent(entry: Any, where: str) -> FlightIntent:
    try:
        details = OperationalIntentDetails.parse(entry["details"], OperationalIntentDetails)
        intent = FlightIntent(str(entry["sortie"]), int(entry["sysid"]), int(entry["round"]), details)
        volumes = list(details.volumes or [])
        if not volumes or details.off_nominal_volumes:
            raise FormatError(f"{where}: has no volumes, or some off nominal: an accepted intent has the first alone")
        for n, volume in enumerate(volumes):
            _check(volume, f"{where}.details.volumes[{n}]")
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise FormatError(f"{where}: a field is missing or is not what it should be: {error!r}") from None
    count = sum(len(volume.volume.outline_polygon.vertices) for volume in volumes)
    if count > constants.OiMaxVertices:
        raise FormatError(f"{where}: has {count} vertices, an operational intent may have {constants.OiMaxVertices}")
    return intent


def _check(volume: Volume4D, where: str) -> None:
    """Refuse a volume that the standard would. Raises FormatError."""
    low, high = volume.volume.altitude_lower, volume.volume.altitude_upper
    for height in (low, high):
        if not _HEIGHTS_M[0] <= height.value <= _HEIGHTS_M[1]:
            raise FormatError(f"{where}: altitude {height.value} is not within {_HEIGHTS_M} m")
    if not low.value < high.value:
        raise FormatError(f"{where}: altitude_lower {low.value} is not below altitude_upper {high.value}")
    for moment in (volume.time_start, volume.time_end):
        if not _ZULU.fullmatch(moment.value):
            raise FormatError(f"{where}: time {str(moment.value)!r} is not RFC 3339 in UTC: it ends in Z")
    if not volume.time_start.value.datetime < volume.time_end.value.datetime:
        raise FormatError(f"{where}: time_start {volume.time_start.value} is not before {volume.time_end.value}")
    if volume.volume.outline_circle is not None:
        raise FormatError(f"{where}: has a circle, and exactly one outline is lawful: keep the polygon")
    points = [(v.lat, v.lng) for v in volume.volume.outline_polygon.vertices]
    lawful = all(math.isfinite(a) and abs(a) <= 90 and math.isfinite(o) and abs(o) <= 180 for a, o in points)
    if len(points) < 3 or len(set(points)) < len(points) or not lawful:
        raise FormatError(f"{where}: its polygon has fewer than 3 vertices, one twice, or one that is no place")
    ring = Plane.at(*points[0]).xy([a for a, _ in points], [o for _, o in points])
    if not shapely.Polygon(ring).is_valid:
        raise FormatError(f"{where}: edges of its polygon cross: put its vertices in order")
