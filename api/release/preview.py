"""What would this partner see of it, and why not: asked before anything is shared."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.identity.roles import Call
from api.records.readable import find_readable
from api.release.policy import media_of, objections, shared_feature
from api.release.releases import active_partner, standing_release
from api.release.schemas import AgreementTerms
from api.store.tables import AgreementRow, RecordRow
from api.times import iso

__all__ = ["preview"]


def preview(session: Session, call: Call, now_us: int, record_id: str, partner_id: str) -> dict[str, Any]:
    """What a partner would see of a record under each of its agreements in force.

    Returns
    -------
    dict
        `released`: the release that stands, or None. `agreements`: for each, `agreement_id`, `reasons` against it
        (empty: it may be shared), and what would be shared: `feature`, `media`, `visible_from`, `withheld` (members of
        the record that would not go along).

    Raises
    ------
    NotFoundError
        When the record may not be known of, or the partner does not exist.
    """
    seen = find_readable(session, call.principal, now_us, record_id)
    row = session.get_one(RecordRow, record_id)
    active_partner(session, partner_id)
    document = json.loads(row.document)
    standing = standing_release(session, record_id, partner_id)
    agreements = session.scalars(
        select(AgreementRow)
        .where(
            AgreementRow.partner_id == partner_id,
            AgreementRow.ended_us.is_(None),
            AgreementRow.valid_until_us.is_(None) | (AgreementRow.valid_until_us > now_us),
        )
        .order_by(AgreementRow.created_us, AgreementRow.id)
    )
    whole = set(json.loads(seen.feature)["properties"])
    return {
        "record_id": record_id,
        "partner_id": partner_id,
        "released": None if standing is None else standing.id,
        "agreements": [_under(agreement, row, document, whole, now_us) for agreement in agreements],
    }


def _under(
    agreement: AgreementRow, row: RecordRow, document: dict[str, Any], whole: set[str], now_us: int
) -> dict[str, Any]:
    terms = AgreementTerms.model_validate_json(agreement.terms)
    reasons = objections(row, document, terms)
    found: dict[str, Any] = {"agreement_id": agreement.id, "reasons": list(reasons)}
    if reasons:
        return found
    feature = shared_feature(row, document, terms, {})
    withheld = whole - set(feature["properties"])
    return found | {
        "feature": feature,
        "media": media_of(terms),
        "visible_from": iso(max(now_us, row.time_us + terms.delay_s * 1_000_000)),
        "withheld": sorted(withheld | ({"geometry"} if feature["geometry"] is None else set())),
    }
