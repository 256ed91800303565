"""The policy: whether a record may be shared under an agreement, why not, and what of it. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
import shapely.geometry
from shapely.geometry.base import BaseGeometry

from api.records.features import partner_feature
from api.records.kept import Record
from api.records.types import TYPES, RecordType
from api.release.schemas import AgreementTerms, ReleaseField, SubscriptionIn
from api.times import microseconds

__all__ = ["area_of", "area_problem", "covers", "media_of", "objections", "shared_feature", "shared_state", "wanted"]

_VEHICLE = TYPES["vehicle"]
_HALF_WAY_DEG = 180.0


def objections(row: Record, document: Mapping[str, Any], terms: AgreementTerms) -> tuple[str, ...]:
    """Every rule of the policy that forbids sharing a record under an agreement; empty when it may be shared.

    Parameters
    ----------
    row, document
        The record, and what was delivered as JSON values.
    terms
        The agreement.
    """
    type_ = TYPES[row.type]
    judged = not type_.reviewed or row.review_state == "confirmed"
    rules = (
        (
            type_.shared is not None and row.type in terms.records,
            f"records of type {row.type} are not in the agreement",
        ),
        (row.marking is not None, "it has no marking, so nobody outside may see it"),
        (judged, f"its review is {row.review_state}, not confirmed"),
        (row.marking is None or row.marking in terms.markings, f"marking {row.marking} is not in the agreement"),
        (row.sensitivity in terms.sensitivities, f"sensitivity {row.sensitivity} is not in the agreement"),
        (row.type != "crossing" or row.kind in terms.kinds, f"kind {row.kind} is not in the agreement"),
        (row.purpose in terms.purposes, f"purpose {row.purpose} is not in the agreement"),
        (covers(area_of(terms), type_, document), "its place is not in the agreement's area"),
        (_ever_shown(row, terms), "its delay would pass only after its retention or the agreement ends"),
    )
    return tuple(reason for holds, reason in rules if not holds)


def _ever_shown(row: Record, terms: AgreementTerms) -> bool:
    until_us = None if terms.valid_until is None else microseconds(terms.valid_until)
    return row.time_us + terms.delay_s * 1_000_000 < min(row.expires_us, until_us or row.expires_us)


def wanted(row: Record, document: Mapping[str, Any], wish: SubscriptionIn) -> bool:
    """Whether a subscription asks for a record; what its agreement allows is another question."""
    return (
        (wish.records is None or row.type in wish.records)
        and (wish.kinds is None or row.type != "crossing" or row.kind in wish.kinds)
        and (wish.since is None or row.time_us >= microseconds(wish.since))
        and (wish.until is None or row.time_us < microseconds(wish.until))
        and covers(area_of(wish), TYPES[row.type], document)
    )


def area_of(bound: AgreementTerms | SubscriptionIn) -> BaseGeometry | None:
    """The area of an agreement or subscription in degrees (x = lon, y = lat); None where it is everywhere."""
    return bound.bounds


def area_problem(area: BaseGeometry | None) -> str | None:
    """Why nothing can be held to an area, for people; None where it can be.

    An edge that goes more than half way round the world is taken for one across the antimeridian that was not cut
    there: read as it stands, its ring would hold the other side of the world.
    """
    if area is None:
        return None
    if not area.is_valid or area.area == 0:
        return "the area crosses itself or has no surface: give simple closed rings"
    lons = [shapely.get_coordinates(ring)[:, 0] for ring in shapely.get_rings(shapely.get_parts(area))]
    spans_deg = np.concatenate([np.abs(np.diff(each)) for each in lons])
    if ((spans_deg > _HALF_WAY_DEG) & (spans_deg < 2 * _HALF_WAY_DEG)).any():
        return (
            "an edge of the area goes more than half way round the world: cut the area at the antimeridian into a "
            "MultiPolygon (RFC 7946, 3.1.9), or give the edge a point between"
        )
    return None


def covers(area: BaseGeometry | None, type_: RecordType, document: Mapping[str, Any]) -> bool:
    """Whether the whole of a record lies in an area; without a place it is only in an area that is everywhere."""
    if area is None:
        return True
    geometry = type_.geometry(document)
    return geometry is not None and bool(area.covers(shapely.geometry.shape(geometry)))


def shared_feature(
    row: Record, document: Mapping[str, Any], terms: AgreementTerms, state: Mapping[str, Any]
) -> dict[str, Any]:
    """The Feature that a partner gets under an agreement, with `state` of the service among its properties.

    A video link shows what a camera sees now. Under a delay it goes to nobody, and under an agreement with an area a
    vehicle's goes along with a live state alone, which says where that is (`shared_state`).
    """
    fields = frozenset(str(name) for name in terms.fields)
    if terms.delay_s or (row.type == _VEHICLE.name and area_of(terms) is not None):
        fields -= {ReleaseField.VIDEO}
    feature = partner_feature(TYPES[row.type], row.id, document, state, fields=fields, area=area_of(terms))
    if media_of(terms) != "original" and feature["properties"].get("evidence") is not None:
        # The original's hash and files are none of a partner's who gets a copy.
        feature["properties"]["evidence"] = {"manifest": "manifest.json", "clip": "clip.mp4", "media": terms.media}
    return feature


def shared_state(state: Mapping[str, Any], record: Mapping[str, Any], terms: AgreementTerms) -> dict[str, Any] | None:
    """What of a vehicle's live state goes to a partner who reads the vehicle's record under an agreement.

    Parameters
    ----------
    state
        The state as JSON values: members of a vehicle's record, and `time`.
    record
        The vehicle's record as JSON values: its video link goes along where what the camera sees now may be told.
    terms
        The agreement.

    Returns
    -------
    dict or None
        A Feature without an id. None where the agreement does not share what is live, holds things back, or has an
        area that the vehicle is not in: then nothing of it is told, that it flies neither.
    """
    needed = {ReleaseField.LIVE, ReleaseField.POSITION}
    allowed = "vehicle" in terms.records and needed <= set(terms.fields) and terms.delay_s == 0
    if not allowed or not covers(area_of(terms), _VEHICLE, state):
        return None
    fields = frozenset(str(name) for name in terms.fields)
    seen = {**state, "video": record.get("video")}
    return partner_feature(_VEHICLE, "", seen, {}, fields=fields, area=area_of(terms))


def media_of(terms: AgreementTerms) -> str:
    """Which evidence goes along: "none", "blurred", "redacted" or "original"."""
    return terms.media if ReleaseField.CLIP in terms.fields else "none"
