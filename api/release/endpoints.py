"""Partners, agreements, releases."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.asked import Flag
from api.described import NOTHING
from api.http import Caller, Route, Stored, answer, answer_page, read, write
from api.identity.roles import Permission
from api.pages import Asked
from api.release import agreements, answers, receipts, releases, standing
from api.release.preview import preview
from api.release.schemas import AgreementTerms, PartnerIn, ReceiptIn, RelayedReceiptIn, ReleaseIn, SubscriptionIn

__all__ = ["ROUTES"]


def post_partner(partner: PartnerIn, call: Caller, store: Stored) -> Response:
    """Name a partner."""
    return answer(write(store, call, lambda session, now: agreements.add_partner(session, call, now, partner)), 201)


def get_partners(request: Request, call: Caller, store: Stored, asked: Asked) -> Response:
    """Partners, oldest first, ended ones too."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        return agreements.list_partners(session, asked), []

    return answer_page(request, read(store, call, "partner.list", work))


def delete_partner(partner_id: str, call: Caller, store: Stored) -> Response:
    """End a partner: its keys stop working and its releases are recalled."""
    write(store, call, lambda session, now: agreements.end_partner(session, call, now, partner_id))
    return Response(status_code=204)


def post_agreement(terms: AgreementTerms, call: Caller, store: Stored) -> Response:
    """Put an agreement in force. It is never changed: end it and make another."""
    return answer(write(store, call, lambda session, now: agreements.add_agreement(session, call, now, terms)), 201)


def get_agreements(request: Request, call: Caller, store: Stored, asked: Asked) -> Response:
    """Agreements, oldest first, ended ones too."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        return agreements.list_agreements(session, asked), []

    return answer_page(request, read(store, call, "agreement.list", work))


def delete_agreement(agreement_id: str, call: Caller, store: Stored) -> Response:
    """End an agreement and recall every release made under it."""
    write(store, call, lambda session, now: agreements.end_agreement(session, call, now, agreement_id))
    return Response(status_code=204)


def post_release(wish: ReleaseIn, call: Caller, store: Stored) -> Response:
    """Release one record to one partner: 409 with every reason when the policy forbids it."""
    body, created = write(store, call, lambda session, now: releases.release(session, call, now, wish))
    return answer(body, 201 if created else 200)


def get_releases(  # noqa: PLR0917 - FastAPI passes by name
    request: Request,
    call: Caller,
    store: Stored,
    asked: Asked,
    record_id: str | None = None,
    partner_id: str | None = None,
    waiting: Flag = False,
    newest: Flag = False,
) -> Response:
    """Releases, oldest first (`newest`: newest first), recalled ones too."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        found = releases.list_releases(
            session, asked, record_id=record_id, partner_id=partner_id, waiting=waiting, newest_first=newest
        )
        return found, [item["id"] for item in found.items]

    return answer_page(request, read(store, call, "release.list", work))


def delete_release(
    release_id: str, call: Caller, store: Stored, reason: Annotated[str | None, Query(max_length=500)] = None
) -> Response:
    """Recall a release: its partner reads nothing of it any more."""
    write(store, call, lambda session, now: releases.recall(session, call, now, release_id, reason))
    return Response(status_code=204)


def get_preview(record_id: str, partner_id: str, call: Caller, store: Stored) -> Response:
    """What a partner would see of a record, and why not."""

    def work(session: Session, now: int) -> tuple[Any, list[str]]:
        return preview(session, call, now, record_id, partner_id), [record_id]

    return answer(read(store, call, "release.preview", work))


def post_subscription(wish: SubscriptionIn, call: Caller, store: Stored) -> Response:
    """Ask for all that is to come, under an agreement of the caller's own."""
    return answer(write(store, call, lambda session, now: standing.add_subscription(session, call, now, wish)), 201)


def get_subscriptions(request: Request, call: Caller, store: Stored, asked: Asked) -> Response:
    """Subscriptions, oldest first, ended ones too: a partner's own, or all for those inside."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        found = standing.list_subscriptions(session, call, asked)
        return found, [item["id"] for item in found.items]

    return answer_page(request, read(store, call, "subscription.list", work))


def delete_subscription(subscription_id: str, call: Caller, store: Stored) -> Response:
    """Ask no more."""
    write(store, call, lambda session, now: standing.end_subscription(session, call, now, subscription_id))
    return Response(status_code=204)


def get_recalls(request: Request, call: Caller, store: Stored, asked: Asked) -> Response:
    """The recalls that wait for the calling partner's receipt, oldest first."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        found = receipts.list_recalls(session, call, asked)
        return found, [item["record_id"] for item in found.items]

    return answer_page(request, read(store, call, "recall.list", work))


def post_recall_receipt(release_id: str, receipt: ReceiptIn, call: Caller, store: Stored) -> Response:
    """Say that what was sent under a recalled release is erased."""
    body = write(store, call, lambda session, now: receipts.give_receipt(session, call, now, release_id, receipt))
    return answer(body)


def post_release_receipt(release_id: str, receipt: RelayedReceiptIn, call: Caller, store: Stored) -> Response:
    """Write down a partner's receipt for a recall that came by another way: of an ended partner no key works."""
    body = write(store, call, lambda session, now: receipts.relay_receipt(session, call, now, release_id, receipt))
    return answer(body)


ROUTES: tuple[Route, ...] = (
    Route("POST", "/partners", post_partner, Permission.POLICY_WRITE, answers=answers.PARTNER),
    Route("GET", "/partners", get_partners, Permission.POLICY_READ, answers=answers.PARTNERS),
    Route("DELETE", "/partners/{partner_id}", delete_partner, Permission.POLICY_WRITE, answers=NOTHING),
    Route("POST", "/agreements", post_agreement, Permission.POLICY_WRITE, answers=answers.AGREED),
    Route("GET", "/agreements", get_agreements, Permission.POLICY_READ, answers=answers.AGREEMENTS),
    Route("DELETE", "/agreements/{agreement_id}", delete_agreement, Permission.POLICY_WRITE, answers=NOTHING),
    Route("POST", "/releases", post_release, Permission.RELEASE, answers=answers.RELEASED),
    Route("GET", "/releases", get_releases, Permission.POLICY_READ, answers=answers.RELEASES),
    Route("DELETE", "/releases/{release_id}", delete_release, Permission.RELEASE, answers=NOTHING),
    Route(
        "POST",
        "/releases/{release_id}/receipt",
        post_release_receipt,
        Permission.RELEASE,
        answers=answers.RECALL,
    ),
    Route("GET", "/preview", get_preview, Permission.POLICY_READ, answers=answers.PREVIEW),
    Route("POST", "/subscriptions", post_subscription, Permission.SUBSCRIBE, answers=answers.SUBSCRIBED),
    Route("GET", "/subscriptions", get_subscriptions, Permission.SUBSCRIPTION_READ, answers=answers.SUBSCRIPTIONS),
    Route("DELETE", "/subscriptions/{subscription_id}", delete_subscription, Permission.SUBSCRIBE, answers=NOTHING),
    Route("GET", "/recalls", get_recalls, Permission.RECEIPT, answers=answers.RECALLS),
    Route("POST", "/recalls/{release_id}/receipt", post_recall_receipt, Permission.RECEIPT, answers=answers.RECALL),
)
