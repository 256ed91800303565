"""The rules of review: what is grave, and what two people have to confirm. Written by administrators, never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.canonical import canonical
from api.errors import PermissionDeniedError, PreconditionError, StaleError
from api.identity.roles import Call, Principal
from api.review.schemas import PolicyIn, Selector, Severity
from api.review.tables import ReviewPolicyRow
from api.store.direct import Writing, direct
from api.store.tables import Base
from api.times import iso
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["get_policy", "people_needed", "policy_now", "put_policy", "require_person", "severity_of"]

_USUAL = PolicyIn()
_TABLE = Base.metadata.tables["review_policy"]
# Built once: every delivery asks.
_NEWEST = select(_TABLE).order_by(_TABLE.c.version.desc()).limit(1)
_IN_FORCE = _NEWEST.with_only_columns(_TABLE.c.document)


def policy_now(session: Writing) -> PolicyIn:
    """The rules in force: the usual ones until an administrator writes others."""
    row: Any = direct(session, _IN_FORCE, {}).one_or_none()
    return _USUAL if row is None else _policy_of(row[0])


def severity_of(policy: PolicyIn, document: Mapping[str, Any]) -> Severity:
    """What a crossing is worth, by what was delivered of it."""
    return next((rule.severity for rule in policy.severity if _is_for(rule, document)), "detection")


def people_needed(policy: PolicyIn, document: Mapping[str, Any]) -> int:
    """How many different people have to confirm a crossing."""
    severity = severity_of(policy, document)
    two = any(
        (rule.severities is None or severity in rule.severities) and _is_for(rule, document)
        for rule in policy.two_people
    )
    return 2 if two else 1


def require_person(policy: PolicyIn, document: Mapping[str, Any], principal: Principal) -> int:
    """How many people a crossing needs; raises PermissionDeniedError where they have to be people and a key is none."""
    people = people_needed(policy, document)
    if people > 1 and principal.account_id is None and not policy.keys_are_people:
        raise PermissionDeniedError("two people have to agree on this crossing: use an account, a key alone is nobody")
    return people


def get_policy(session: Session) -> dict[str, Any]:
    """The rules in force as JSON values, with their version (0: the usual ones), author and etag."""
    return _wire(_newest(session))


def put_policy(session: Session, call: Call, now_us: int, policy: PolicyIn, *, if_match: str | None) -> dict[str, Any]:
    """Put other rules in force. Verdicts that stand keep standing; the next one is judged by the new rules.

    Raises
    ------
    PreconditionError
        When `if_match` is None.
    StaleError
        When `if_match` is not the etag of the rules in force.
    """
    newest = _newest(session)
    version = 0 if newest is None else newest.version
    if if_match is None:
        raise PreconditionError("a change of the rules needs If-Match with the ETag of those in force")
    if if_match.strip() != f'"{version}"':
        raise StaleError(f'the rules in force are version "{version}", not {if_match}: read them again')
    row = ReviewPolicyRow(
        version=version + 1,
        document=canonical(policy.model_dump(mode="json")),
        time_us=now_us,
        person=call.principal.person,
        name=call.principal.name,
    )
    session.add(row)
    session.flush()
    append_event(session, now_us, "review_policy.changed", version=row.version)
    append_audit(
        session, call, now_us, "review_policy.change", [], version=row.version, policy=policy.model_dump(mode="json")
    )
    return _wire(row)


def _newest(session: Session) -> Any:
    return direct(session, _NEWEST, {}).one_or_none()


@lru_cache(maxsize=8)
def _policy_of(text: str) -> PolicyIn:
    return PolicyIn.model_validate_json(text)


def _is_for(rule: Selector, document: Mapping[str, Any]) -> bool:
    members = (
        (rule.kinds, "kind"),
        (rule.directions, "direction"),
        (rule.statuses, "status"),
        (rule.purposes, "purpose"),
        (rule.markings, "marking"),
    )
    return all(allowed is None or document.get(member) in allowed for allowed, member in members) and (
        rule.min_confidence is None or document.get("confidence", 0.0) >= rule.min_confidence
    )


def _wire(row: Any) -> dict[str, Any]:
    policy = _USUAL if row is None else _policy_of(row.document)
    found = {
        "version": 0 if row is None else row.version,
        "policy": json.loads(policy.model_dump_json()),
        "written": None if row is None else iso(row.time_us),
        "author": None if row is None else row.name,
    }
    return found | {"etag": f'"{found["version"]}"'}
