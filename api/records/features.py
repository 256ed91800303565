"""Crossings as GeoJSON Features: whole for those inside, the agreed fields alone for a partner. Pure functions."""

from __future__ import annotations

from typing import Any

import shapely
import shapely.geometry

from api.canonical import canonical
from api.ingest.schemas import CrossingIn
from api.release.schemas import AgreementTerms, ReleaseField
from api.times import iso, microseconds

__all__ = ["area_of", "covers", "document_of", "feature_bytes", "inside_feature", "partner_feature"]

_ALWAYS = ("time", "purpose", "owner", "marking", "retention_days")
_MEMBERS: dict[ReleaseField, tuple[str, ...]] = {
    ReleaseField.KIND: ("kind",),
    ReleaseField.DIRECTION: ("direction",),
    ReleaseField.STATUS: ("status",),
    ReleaseField.METHOD: ("method",),
    ReleaseField.POSITION: (),  # becomes the geometry
    ReleaseField.ELLIPSE: ("ellipse",),
    ReleaseField.TRACK: ("track",),
    ReleaseField.BORDER: ("border",),
    ReleaseField.CONFIDENCE: ("confidence",),
    ReleaseField.MODEL: ("model",),
    ReleaseField.SOURCE: ("source", "source_id"),
    ReleaseField.CLIP: ("evidence",),
}


def document_of(crossing: CrossingIn) -> dict[str, Any]:
    """The delivered crossing as JSON values, its times normalised to UTC microseconds with Z."""
    document = crossing.model_dump(mode="json")
    if not document["also_seen"]:
        # What was stored before there was such a thing has the same digest as ever.
        del document["also_seen"]
    document["time"] = iso(microseconds(crossing.time))
    document["update_time"] = iso(microseconds(crossing.update_time))
    for point, given in zip(document["track"], crossing.track, strict=True):
        point["time"] = iso(microseconds(given.time))
    return document


def inside_feature(crossing_id: str, document: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    """The Feature for those inside.

    Parameters
    ----------
    crossing_id
        The service's id.
    document
        As `document_of` gives it.
    state
        What the service adds: revision, review, stored evidence, times.
    """
    properties = {name: value for name, value in document.items() if name not in {"lat", "lon"}}
    return _feature(crossing_id, document["lat"], document["lon"], properties | state)


def partner_feature(
    crossing_id: str, document: dict[str, Any], terms: AgreementTerms, state: dict[str, Any]
) -> dict[str, Any]:
    """The Feature for a partner: the members that `terms` name, and the handling members that always go along.

    Track points outside the agreement's area are left out.
    """
    members = [*_ALWAYS, *(member for name in terms.fields for member in _MEMBERS[name])]
    properties = {member: document[member] for member in members}
    area = area_of(terms)
    if "track" in properties and area is not None:
        properties["track"] = [
            point for point in document["track"] if area.covers(shapely.geometry.Point(point["lon"], point["lat"]))
        ]
    located = ReleaseField.POSITION in terms.fields
    return _feature(
        crossing_id,
        document["lat"] if located else None,
        document["lon"] if located else None,
        properties | state,
    )


def area_of(terms: AgreementTerms) -> shapely.geometry.base.BaseGeometry | None:
    """The area of an agreement in degrees (x = lon, y = lat); None where it is everywhere."""
    return None if terms.area is None else shapely.geometry.shape(terms.area.model_dump())


def covers(terms: AgreementTerms, lat: float | None, lon: float | None) -> bool:
    """Whether a place is in the agreement's area; a crossing without a place is only in an area that is everywhere."""
    area = area_of(terms)
    if area is None:
        return True
    return lat is not None and lon is not None and bool(area.covers(shapely.geometry.Point(lon, lat)))


def feature_bytes(feature: dict[str, Any]) -> bytes:
    """The Feature serialised once, for every answer that will hold it."""
    return canonical(feature).encode()


def _feature(crossing_id: str, lat: float | None, lon: float | None, properties: dict[str, Any]) -> dict[str, Any]:
    geometry = None if lat is None or lon is None else {"type": "Point", "coordinates": [lon, lat]}
    return {"type": "Feature", "id": crossing_id, "geometry": geometry, "properties": properties}
