"""Vehicles as their readers may see them now: the record, and over it the live state where that may be told.

Who may read a record is said by `api.records.readable`; what of a state an agreement lets through, by
`api.release.policy`. Both are asked here, and nowhere else is a state read to be told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.identity.roles import Principal, Role
from api.live.schemas import MEMBERS
from api.live.settings import LiveSettings
from api.live.tables import VehicleStateRow
from api.records.features import inside_feature
from api.records.readable import readable_records
from api.records.types import TYPES
from api.release.policy import shared_state
from api.release.schemas import AgreementTerms
from api.store.tables import AgreementRow, RecordRow, ReleaseRow
from api.times import iso

__all__ = ["LiveVehicle", "live_vehicles"]

_VEHICLE = TYPES["vehicle"]


@dataclass(frozen=True, slots=True)
class LiveVehicle:
    """A vehicle with its live state, for one reader.

    Parameters
    ----------
    feature
        GeoJSON Feature: the record's, with what is live in place of what it said of that. Its member `live` says of
        when the state is (`time`), until when it counts (`until`), and whether that has passed (`stale`).
    etag
        Differs whenever the feature does.
    """

    feature: dict[str, Any]
    etag: str

    @property
    def id(self) -> str:
        """Of the record."""
        return str(self.feature["id"])

    @property
    def body(self) -> dict[str, Any]:
        """What a stream tells of it."""
        return self.feature

    @property
    def stale(self) -> bool:
        """Whether it is the last that was heard, and old."""
        return bool(self.feature["properties"]["live"]["stale"])


def live_vehicles(
    session: Session, principal: Principal, now_us: int, settings: LiveSettings, ids: Iterable[str] | None = None
) -> dict[str, LiveVehicle]:
    """The vehicles whose live state `principal` may read now, by record.

    Parameters
    ----------
    session
        A snapshot.
    principal, now_us
        As in `readable_records`.
    settings
        How long a state counts.
    ids
        Only of these; None is all.

    Notes
    -----
    A partner reads a state while it may read the record, under an agreement that shares what is live without delay, the
    vehicle is in the agreement's area, and the state is not stale. Whatever of that ends, the state is gone for it.
    """
    readable = readable_records(principal, now_us)
    row, state = readable.rows.c, VehicleStateRow
    query = (
        select(row.id, row.feature, row.etag, state.update_us, state.received_us, state.document)
        .add_columns(RecordRow.document.label("record"), AgreementRow.terms)
        .join(state, state.record_id == row.id)
        .join(RecordRow, RecordRow.id == row.id)
        .outerjoin(ReleaseRow, ReleaseRow.id == row.release_id)
        .outerjoin(AgreementRow, AgreementRow.id == ReleaseRow.agreement_id)
        .where(row.type == _VEHICLE.name)
        .order_by(row.id)
    )
    if ids is not None:
        query = query.where(row.id.in_(list(ids)))
    found: dict[str, LiveVehicle] = {}
    for each in session.execute(query, readable.parameters):
        # A sender whose clock is ahead keeps nothing fresh for longer than it was heard.
        until_us = min(each.update_us, each.received_us) + round(settings.stale_s * 1e6)
        live = {"time": iso(each.update_us), "until": iso(until_us), "stale": until_us <= now_us}
        feature = json.loads(each.feature)
        document = json.loads(each.document)
        if principal.role is Role.PARTNER:
            shown = _for_partner(feature, document, live, json.loads(each.record), each.terms)
        else:
            shown = _over(feature, inside_feature(_VEHICLE, "", document, {}), live)
        if shown is not None:
            etag = f"{each.etag}-{each.update_us}" + ("-stale" if live["stale"] else "")
            found[each.id] = LiveVehicle(shown, etag)
    return found


def _for_partner(
    feature: dict[str, Any], document: dict[str, Any], live: dict[str, Any], record: dict[str, Any], terms: str | None
) -> dict[str, Any] | None:
    """None where the state is not told. `terms` are those of the agreement that the record was released under."""
    if terms is None or live["stale"]:
        return None
    state = shared_state(document, record, _terms(terms))
    return None if state is None else _over(feature, state, live)


def _over(feature: dict[str, Any], state: Mapping[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    """The Feature of a record with that of a state over it."""
    properties = {name: value for name, value in feature["properties"].items() if name not in MEMBERS}
    return feature | {
        "geometry": state["geometry"],
        "properties": properties | state["properties"] | {"live": live},
    }


@lru_cache(maxsize=256)
def _terms(text: str) -> AgreementTerms:
    """Terms of an agreement, which never change."""
    return AgreementTerms.model_validate_json(text)
