"""Records as GeoJSON Features: whole for those inside, the agreed fields alone for a partner. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import shapely
import shapely.geometry
from shapely.geometry.base import BaseGeometry

from api.canonical import canonical_bytes
from api.records.cameras import without_withheld_views
from api.records.types import RecordType

__all__ = ["always_of", "feature_bytes", "inside_feature", "partner_feature"]

_ALWAYS = ("time", "purpose", "owner", "marking", "retention_days")
_ALWAYS_OF_CUES = ("type", "phenomenonTime", "custody")


def always_of(type_: RecordType) -> tuple[str, ...]:
    """The members that always go along: when it was, and what may be done with it."""
    return _ALWAYS_OF_CUES if type_.name == "cue" else _ALWAYS


def inside_feature(
    type_: RecordType, record_id: str, document: Mapping[str, Any], state: Mapping[str, Any]
) -> dict[str, Any]:
    """The Feature for those inside.

    Parameters
    ----------
    type_, record_id
        The record's type, and the service's id.
    document
        What was delivered, as JSON values.
    state
        What the service adds: revision, review, stored evidence, times.
    """
    properties = {name: value for name, value in document.items() if name not in type_.hidden}
    return _feature(record_id, type_.geometry(document), properties | dict(state))


def partner_feature(
    type_: RecordType,
    record_id: str,
    document: Mapping[str, Any],
    state: Mapping[str, Any],
    *,
    fields: frozenset[str],
    area: BaseGeometry | None,
) -> dict[str, Any]:
    """The Feature for a partner: what `fields` name, and the handling members that always go along.

    Track points outside `area` (degrees, x = lon, y = lat; None is everywhere) are left out, and so is what a camera
    sees beyond it.

    Raises
    ------
    ValueError
        When the type is never shared.
    """
    if type_.shared is None:
        raise ValueError(f"records of type {type_.name} are never shared")
    members = [*always_of(type_), *(member for name in sorted(fields) for member in type_.shared.get(name, ()))]
    properties = {member: document[member] for member in members if member in document}
    if type_.name == "crossing" and "track" in properties and area is not None:
        properties["track"] = [
            point for point in document["track"] if area.covers(shapely.geometry.Point(point["lon"], point["lat"]))
        ]
    properties = without_withheld_views(properties, document, area)
    located = type_.geometry(document) if "position" in fields else None
    return _feature(record_id, located, properties | dict(state))


def feature_bytes(feature: dict[str, Any]) -> bytes:
    """The Feature serialised once, for every answer that will hold it."""
    return canonical_bytes(feature)


def _feature(record_id: str, geometry: dict[str, Any] | None, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "id": record_id, "geometry": geometry, "properties": properties}
