"""Targets of webhooks: who has them, what is kept of them, and where each stands in the log."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from api.canonical import canonical, new_id
from api.errors import ConflictError, NotFoundError, PermissionDeniedError, UnprocessableError
from api.feeds.addresses import Reach
from api.feeds.schemas import RedeliveryIn, WebhookIn
from api.feeds.settings import FeedSettings
from api.feeds.signing import new_secret
from api.feeds.tables import DeliveryRow, WebhookRow
from api.identity.roles import SYSTEM, Call, Permission, Principal, Role
from api.identity.tables import AccountRow, KeyTermsRow
from api.pages import Page, Window, page_of
from api.times import iso
from api.trail.audit import append_audit
from api.trail.log import INSIDE, append_event, audience_of, last_n

__all__ = [
    "add_webhook",
    "disable",
    "list_deliveries",
    "list_webhooks",
    "pause",
    "reach_of",
    "redeliver",
    "remove_webhook",
    "renew_secret",
    "signing_secrets",
    "speaks_for",
]

_OLD_SECRETS = 4
PAUSED = "paused by its owner"
"""Why nothing is sent to a target whose owner wants that."""


def reach_of(audience: str, settings: FeedSettings) -> Reach:
    """How far targets of an audience may lie: those of partners never within the networks of the house."""
    house = tuple(ipaddress.ip_network(text) for text in settings.inside_networks)
    return Reach(
        frozenset(settings.target_ports),
        networks=house if audience == INSIDE else (),
        loopback=settings.loopback_targets,
    )


def speaks_for(session: Session, row: WebhookRow) -> Principal:
    """Whom a target is spoken to as: the key, or the account, that last set it going, narrowed as that is."""
    partner_id = None if row.audience == INSIDE else row.audience
    terms = session.get(KeyTermsRow, row.key_id)
    account = session.get(AccountRow, row.key_id)
    return Principal(
        row.key_id,
        f"webhook {row.id}",
        Role(row.role),
        partner_id,
        account_id=row.key_id if account is not None else None if terms is None else terms.account_id,
        scopes=None if terms is None or terms.scopes is None else frozenset(map(Permission, terms.scopes.split())),
    )


def add_webhook(
    session: Session, call: Call, now_us: int, wish: WebhookIn, settings: FeedSettings
) -> tuple[dict[str, Any], str]:
    """Name a target. It gets what happens after `wish.after`, else from now on.

    Returns
    -------
    webhook, secret
        As JSON values, and the secret, which is told once.

    Raises
    ------
    ConflictError
        When its audience has as many targets as it may.
    UnprocessableError
        When `wish.after` is beyond the log.
    PermissionDeniedError
        When its key is narrowed to less than the events.
    """
    who = call.principal
    _may_be_told(who)
    audience = audience_of(who)
    count = session.scalar(select(func.count()).select_from(WebhookRow).where(WebhookRow.audience == audience)) or 0
    if count >= settings.targets:
        raise ConflictError(f"there are {count} targets, as many as there may be: delete one")
    assert who.role is not None
    row = WebhookRow(
        id=new_id(),
        audience=audience,
        key_id=who.key_id,
        role=who.role.value,
        url=wish.url,
        kinds=None if wish.kinds is None else canonical(sorted(set(wish.kinds))),
        secret=new_secret(),
        old_secrets="[]",
        created_us=now_us,
        after_n=0,
        failures=0,
        failing_us=None,
        next_us=now_us,
        reoffer_us=now_us + int(settings.reoffer_s * 1e6),
        disabled_us=None,
        disabled_reason=None,
    )
    session.add(row)
    session.flush()
    append_event(session, now_us, "webhook.created", partner_id=who.partner_id, webhook_id=row.id)
    row.after_n = _within(session, audience, wish.after)  # now begins after that
    append_audit(session, call, now_us, "webhook.create", [row.id], url=row.url)
    return _wire(row), row.secret


def list_webhooks(session: Session, call: Call, window: Window) -> Page[dict[str, Any]]:
    """The targets of the caller's audience without their secrets, oldest first, as JSON values."""
    mine = WebhookRow.audience == audience_of(call.principal)
    return page_of(session, select(WebhookRow).where(mine), window, WebhookRow.created_us, WebhookRow.id).map(_wire)


def remove_webhook(session: Session, call: Call, now_us: int, webhook_id: str) -> None:
    """Forget a target and what was delivered to it. Raises NotFoundError."""
    row = _mine(session, call, webhook_id)
    session.execute(delete(DeliveryRow).where(DeliveryRow.webhook_id == row.id))
    session.delete(row)
    append_event(session, now_us, "webhook.deleted", partner_id=call.principal.partner_id, webhook_id=row.id)
    append_audit(session, call, now_us, "webhook.delete", [row.id])


def redeliver(session: Session, call: Call, now_us: int, webhook_id: str, wish: RedeliveryIn) -> dict[str, Any]:
    """Set a target going again at once, for the caller: after `wish.after`, else where it stands; as JSON values.

    This is how a target that was disabled, or whose key stands no longer, comes back.

    Raises
    ------
    NotFoundError
        When the caller has no such target.
    PermissionDeniedError, UnprocessableError
        As in `add_webhook`.
    """
    row = _mine(session, call, webhook_id)
    _may_be_told(call.principal)
    assert call.principal.role is not None
    if wish.after is not None:
        row.after_n = _within(session, row.audience, wish.after)
    row.key_id, row.role = call.principal.key_id, call.principal.role.value
    row.failures, row.failing_us, row.next_us = 0, None, now_us
    row.disabled_us, row.disabled_reason = None, None
    append_audit(session, call, now_us, "webhook.redeliver", [row.id], after=row.after_n)
    return _wire(row)


def pause(session: Session, call: Call, now_us: int, webhook_id: str) -> dict[str, Any]:
    """Send a target of the caller's nothing until `redeliver` sets it going, from where it stands; as JSON values.

    Raises
    ------
    NotFoundError
        When the caller has no such target.
    ConflictError
        When nothing is sent to it as it is.
    """
    row = _mine(session, call, webhook_id)
    if row.disabled_us is not None:
        raise ConflictError(f"nothing is sent to webhook {webhook_id}: {row.disabled_reason}")
    row.disabled_us, row.disabled_reason = now_us, PAUSED
    told = {"webhook_id": row.id, "reason": PAUSED}
    append_event(session, now_us, "webhook.disabled", partner_id=call.principal.partner_id, **told)
    append_audit(session, call, now_us, "webhook.pause", [row.id])
    return _wire(row)


def renew_secret(
    session: Session, call: Call, now_us: int, webhook_id: str, settings: FeedSettings
) -> tuple[dict[str, Any], str]:
    """Sign calls to a target of the caller's with another secret from the next on: the target, and that, told once.

    For `settings.old_secret_s` they are signed with each one before too, so that whoever receives may change over; of
    those before, the newest four count. Raises NotFoundError.
    """
    row = _mine(session, call, webhook_id)
    before = [[row.secret, now_us + int(settings.old_secret_s * 1e6)], *_old_secrets(row, now_us)]
    row.old_secrets = canonical(before[:_OLD_SECRETS])
    row.secret = new_secret()
    append_audit(session, call, now_us, "webhook.renew_secret", [row.id])
    return _wire(row), row.secret


def signing_secrets(row: WebhookRow, now_us: int) -> list[str]:
    """What a call to a target is signed with now, the newest secret first; an old one whose time is over goes."""
    before = _old_secrets(row, now_us)
    row.old_secrets = canonical(before)
    return [row.secret, *(secret for secret, _ in before)]


def list_deliveries(session: Session, call: Call, webhook_id: str, window: Window) -> Page[dict[str, Any]]:
    """Attempts at a target, newest first, as JSON values. Raises NotFoundError."""
    row = _mine(session, call, webhook_id)
    query = select(DeliveryRow).where(DeliveryRow.webhook_id == row.id)
    page = page_of(session, query, window, DeliveryRow.time_us, DeliveryRow.id, newest_first=True)
    return page.map(_delivery_wire)


def disable(session: Session, now_us: int, row: WebhookRow, reason: str) -> None:
    """Stop sending to a target until someone sets it going again: the service's own doing."""
    row.disabled_us, row.disabled_reason = now_us, reason
    partner_id = None if row.audience == INSIDE else row.audience
    append_event(session, now_us, "webhook.disabled", partner_id=partner_id, webhook_id=row.id, reason=reason)
    append_audit(session, Call(SYSTEM, new_id()), now_us, "webhook.disable", [row.id], reason=reason)


def _may_be_told(who: Principal) -> None:
    if not who.may(Permission.EVENT_READ):
        raise PermissionDeniedError("a target is told what its key may read: this one is narrowed to less than events")


def _mine(session: Session, call: Call, webhook_id: str) -> WebhookRow:
    row = session.get(WebhookRow, webhook_id)
    if row is None or row.audience != audience_of(call.principal):
        raise NotFoundError(f"webhook {webhook_id} does not exist")
    return row


def _within(session: Session, audience: str, after: int | None) -> int:
    last = last_n(session, audience)
    if after is not None and after > last:
        raise UnprocessableError(f"after {after} is beyond the log, which ends at {last}")
    return last if after is None else after


def _old_secrets(row: WebhookRow, now_us: int) -> list[list[Any]]:
    """Secrets of before whose time is not over, the newest first, each with the end of it."""
    return [each for each in json.loads(row.old_secrets) if each[1] > now_us]


def _wire(row: WebhookRow) -> dict[str, Any]:
    before = json.loads(row.old_secrets)
    return {
        "id": row.id,
        "url": row.url,
        "kinds": None if row.kinds is None else json.loads(row.kinds),
        "created": iso(row.created_us),
        "after": row.after_n,
        "failures": row.failures,
        "failing_since": None if row.failing_us is None else iso(row.failing_us),
        "next_attempt": iso(row.next_us) if row.failures else None,
        "disabled": None if row.disabled_us is None else iso(row.disabled_us),
        "disabled_reason": row.disabled_reason,
        "old_secret_until": iso(before[0][1]) if before else None,
    }


def _delivery_wire(row: DeliveryRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "n": row.n,
        "kind": row.kind,
        "attempt": row.attempt,
        "time": iso(row.time_us),
        "duration_ms": round(row.duration_us / 1000, 3),
        "status": row.status,
        "outcome": row.outcome,
    }
