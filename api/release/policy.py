"""The policy: whether a record may be shared under an agreement, why not, and what of it. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import shapely.geometry

from api.records.features import partner_feature
from api.records.kept import Record
from api.records.types import TYPES, RecordType
from api.release.areas import Bounded
from api.release.schemas import AgreementTerms, ReleaseField, SubscriptionIn
from api.times import microseconds

__all__ = ["covers", "media_of", "objections", "shared_feature", "shared_state", "wanted"]

_VEHICLE = TYPES["vehicle"]


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
    problem = terms.area_problem
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
        (problem is None, f"nothing can be held to the agreement's area: {problem}"),
        (problem is not None or covers(terms, type_, document), "its place is not in the agreement's area"),
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
        and covers(wish, TYPES[row.type], document)
    )


def covers(bound: Bounded, type_: RecordType, document: Mapping[str, Any]) -> bool:
    """Whether the whole of a record lies in an area; without a place it is only in an area that is everywhere.

    Nothing lies in an area that nothing can be held to: such were stored before they were refused.
    """
    if bound.bounds is None:
        return True
    geometry = None if bound.area_problem is not None else type_.geometry(document)
    return geometry is not None and bool(bound.bounds.covers(shapely.geometry.shape(geometry)))


def shared_feature(
    row: Record, document: Mapping[str, Any], terms: AgreementTerms, state: Mapping[str, Any]
) -> dict[str, Any]:
    """The Feature that a partner gets under an agreement, with `state` of the service among its properties.

    A video link shows what a camera sees now. Under a delay it goes to nobody, and under an agreement with an area a
    vehicle's goes along with a live state alone, which says where that is (`shared_state`).
    """
    fields = frozenset(str(name) for name in terms.fields)
    if terms.delay_s or (row.type == _VEHICLE.name and terms.bounds is not None):
        fields -= {ReleaseField.VIDEO}
    feature = partner_feature(TYPES[row.type], row.id, document, state, fields=fields, area=terms.bounds)
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
    if not allowed or not covers(terms, _VEHICLE, state):
        return None
    fields = frozenset(str(name) for name in terms.fields)
    seen = {**state, "video": record.get("video")}
    return partner_feature(_VEHICLE, "", seen, {}, fields=fields, area=terms.bounds)


def media_of(terms: AgreementTerms) -> str:
    """Which evidence goes along: "none", "blurred", "redacted" or "original"."""
    return terms.media if ReleaseField.CLIP in terms.fields else "none"
