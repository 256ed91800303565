"""Standing subscriptions: what a partner asks for once, and gets as it comes, within its agreement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import shapely
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from api.canonical import canonical, new_id
from api.errors import ConflictError, NotFoundError, UnprocessableError
from api.identity.roles import SYSTEM, Call, Role
from api.pages import Page, Window, page_of
from api.records.kept import Record, content_of
from api.release.policy import objections, wanted
from api.release.releases import Ground, share_all, standing_with
from api.release.schemas import AgreementTerms, SubscriptionIn
from api.release.withdrawn import taken_back
from api.store.tables import AgreementRow, PartnerRow, SubscriptionRow
from api.times import iso
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["add_subscription", "end_subscription", "list_subscriptions", "release_standing"]

_MOST = 100
"""Running subscriptions of one partner: whatever comes is held against each."""
_MOST_POINTS = 1000
"""Of the area of a subscription. All are read for every verdict, while nobody else can write: a hundred with as many
points as a body holds took six seconds each time."""


def add_subscription(session: Session, call: Call, now_us: int, wish: SubscriptionIn) -> dict[str, Any]:
    """Ask for what is to come, under an agreement of the caller's own.

    Raises
    ------
    NotFoundError
        When the agreement does not exist, has ended, or is another's.
    UnprocessableError
        When the agreement allows no subscriptions, or the wish is wider than it, or its area is too finely drawn.
    ConflictError
        When the partner has as many subscriptions as it may.
    """
    agreement = session.get(AgreementRow, wish.agreement_id)
    partner_id = call.principal.partner_id
    if agreement is None or partner_id is None or agreement.partner_id != partner_id or not _runs(agreement, now_us):
        raise NotFoundError(f"agreement {wish.agreement_id} does not exist")
    mine = (SubscriptionRow.partner_id == partner_id, SubscriptionRow.ended_us.is_(None))
    count = session.scalar(select(func.count()).select_from(SubscriptionRow).where(*mine)) or 0
    if count >= _MOST:
        raise ConflictError(f"there are {count} subscriptions, as many as there may be: end one")
    terms = AgreementTerms.model_validate_json(agreement.terms)
    points = 0 if wish.bounds is None else shapely.get_num_coordinates(wish.bounds)
    if points > _MOST_POINTS:
        raise UnprocessableError(f"the area has {points} points, at most {_MOST_POINTS} are held against: simplify it")
    for reason in _too_wide(wish, terms):
        raise UnprocessableError(reason)
    row = SubscriptionRow(
        id=new_id(),
        partner_id=partner_id,
        agreement_id=agreement.id,
        wish=canonical(wish.model_dump(mode="json")),
        created_us=now_us,
        ended_us=None,
    )
    session.add(row)
    append_event(session, now_us, "subscription.created", partner_id=partner_id, subscription_id=row.id)
    append_audit(session, call, now_us, "subscription.create", [row.id], wish=json.loads(row.wish))
    return _wire(row)


def end_subscription(session: Session, call: Call, now_us: int, subscription_id: str) -> None:
    """Ask no more; what was released stays released. Raises NotFoundError for another's or none."""
    row = session.get(SubscriptionRow, subscription_id)
    if row is None or row.partner_id != call.principal.partner_id or row.ended_us is not None:
        raise NotFoundError(f"subscription {subscription_id} does not exist")
    row.ended_us = now_us
    append_event(session, now_us, "subscription.ended", partner_id=row.partner_id, subscription_id=row.id)
    append_audit(session, call, now_us, "subscription.end", [row.id])


def list_subscriptions(session: Session, call: Call, window: Window) -> Page[dict[str, Any]]:
    """Subscriptions, oldest first, ended ones too: a partner's own, or all for those inside."""
    query = select(SubscriptionRow)
    if call.principal.role is Role.PARTNER:
        query = query.where(SubscriptionRow.partner_id == call.principal.partner_id)
    return page_of(session, query, window, SubscriptionRow.created_us, SubscriptionRow.id).map(_wire)


def release_standing(session: Session, call: Call, now_us: int, rows: Sequence[Record]) -> int:
    """Release records to every partner whose subscription asks for them and whose agreement allows it; how many.

    Called in the transaction that made them releasable, so that both stand or fall together. What a person took back
    from a partner stays back until a person releases it again: who judges or delivers does not undo a recall.
    """
    running = session.execute(
        select(SubscriptionRow, AgreementRow, PartnerRow)
        .join(AgreementRow, AgreementRow.id == SubscriptionRow.agreement_id)
        .join(PartnerRow, PartnerRow.id == SubscriptionRow.partner_id)
        .where(
            SubscriptionRow.ended_us.is_(None),
            AgreementRow.ended_us.is_(None),
            AgreementRow.partner_id == SubscriptionRow.partner_id,
            or_(AgreementRow.valid_until_us.is_(None), AgreementRow.valid_until_us > now_us),
            PartnerRow.ended_us.is_(None),
        )
        .order_by(SubscriptionRow.created_us, SubscriptionRow.id)
    ).all()
    service = Call(SYSTEM, call.request_id)
    documents = [(row, content_of(row)) for row in rows] if running else []
    ids = [row.id for row, _ in documents]
    has: dict[str, set[str]] = {}
    terms_of: dict[str, AgreementTerms] = {}
    shared: list[tuple[Record, Ground]] = []
    for subscription, agreement, partner in running:
        if agreement.id not in terms_of:
            terms_of[agreement.id] = AgreementTerms.model_validate_json(agreement.terms)
        terms = terms_of[agreement.id]
        wish = SubscriptionIn.model_validate_json(subscription.wish)
        if partner.id not in has:
            has[partner.id] = standing_with(session, partner.id, ids) | taken_back(session, partner.id, ids)
        for row, document in documents:
            if not terms.subscriptions or row.id in has[partner.id] or not wanted(row, document, wish):
                continue
            if objections(row, document, terms):
                continue
            has[partner.id].add(row.id)
            shared.append((row, Ground(partner, agreement, terms, subscription.id)))
    return len(share_all(session, service, now_us, shared))


def _runs(agreement: AgreementRow, now_us: int) -> bool:
    until_us = agreement.valid_until_us
    return agreement.ended_us is None and (until_us is None or until_us > now_us)


def _too_wide(wish: SubscriptionIn, terms: AgreementTerms) -> list[str]:
    area, bound = wish.bounds, terms.bounds
    problem, bound_problem = wish.area_problem, terms.area_problem
    rules = (
        (terms.subscriptions, "the agreement allows no subscriptions: ask for one that does"),
        (set(wish.records or ()) <= set(terms.records), "the agreement does not share all of these types of records"),
        (set(wish.kinds or ()) <= set(terms.kinds), "the agreement does not share all of these kinds"),
        (problem is None, problem or ""),
        (bound_problem is None, f"nothing can be held to the agreement's area: {bound_problem}"),
        (
            area is None or bound is None or (problem or bound_problem) is not None or bound.covers(area),
            "the area reaches beyond the agreement's",
        ),
        (wish.since is None or wish.until is None or wish.since < wish.until, "since is not before until"),
    )
    return [reason for holds, reason in rules if not holds]


def _wire(row: SubscriptionRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "partner_id": row.partner_id,
        "wish": json.loads(row.wish),
        "created": iso(row.created_us),
        "ended": None if row.ended_us is None else iso(row.ended_us),
    }
