"""Who may do what: roles, permissions, and the principal that a key stands for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from api.canonical import canonical

__all__ = ["GRANTS", "SPEAKERS", "SYSTEM", "Call", "Permission", "Principal", "Role", "Shown"]


class Role(StrEnum):
    """What a key is for."""

    PILOT = "pilot"
    SENSOR = "sensor"
    ANALYST = "analyst"
    SUPERVISOR = "supervisor"
    PARTNER = "partner"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """What a route needs."""

    CROSSING_WRITE = "crossing.write"
    CROSSING_READ = "crossing.read"
    CUE_WRITE = "cue.write"
    CUE_READ = "cue.read"
    ASSET_READ = "asset.read"
    """Segments, fleets, plans, sorties, vehicles, sensors."""
    ASSET_WRITE = "asset.write"
    ORDER_WRITE = "order.write"
    """To tell a vehicle that flies what to do, and to take that back."""
    ORDER_READ = "order.read"
    SUBSCRIBE = "subscribe"
    SUBSCRIPTION_READ = "subscription.read"
    RECEIPT = "receipt"
    REVIEW = "review"
    REVIEW_READ = "review.read"
    CLAIM = "claim"
    CLAIM_TAKE = "claim.take"
    """To take over what another person holds."""
    ANNOTATE = "annotate"
    CASE_READ = "case.read"
    CASE_WRITE = "case.write"
    CASE_HOLD = "case.hold"
    """To keep the records of a case beyond their retention, and to let go of them."""
    RELEASE = "release"
    POLICY_READ = "policy.read"
    POLICY_WRITE = "policy.write"
    WEBHOOK = "webhook"
    """Targets that events are sent to: a partner's own, a supervisor's for systems of the inside."""
    KEY_WRITE = "key.write"
    HOLD = "hold"
    ERASE = "erase"
    ERASURE_READ = "erasure.read"
    """Holds and tombstones."""
    METRICS_READ = "metrics.read"
    """Metrics, and which part of the service is not ready."""
    ACCOUNT_WRITE = "account.write"
    AUDIT_READ = "audit.read"
    EVENT_READ = "event.read"
    REFUSAL_READ = "refusal.read"
    """Messages of sensors that were refused, whatever they say."""
    PICTURE_READ = "picture.read"
    """What each stream shows now."""
    SELF = "self"
    """Anybody: what they are, their own sessions and password, and the OpenAPI document."""


GRANTS: dict[Role, frozenset[Permission]] = {
    Role.PILOT: frozenset(
        {
            Permission.CROSSING_WRITE,
            Permission.CROSSING_READ,
            Permission.CUE_READ,
            Permission.ASSET_READ,
            Permission.ASSET_WRITE,
            Permission.ORDER_WRITE,
            Permission.ORDER_READ,
            Permission.REFUSAL_READ,
            Permission.PICTURE_READ,
            Permission.SELF,
        }
    ),
    Role.SENSOR: frozenset({Permission.CUE_WRITE, Permission.SELF}),
    Role.ANALYST: frozenset(
        {
            Permission.CROSSING_READ,
            Permission.CUE_READ,
            Permission.ASSET_READ,
            Permission.REVIEW,
            Permission.REVIEW_READ,
            Permission.CLAIM,
            Permission.ANNOTATE,
            Permission.CASE_READ,
            Permission.CASE_WRITE,
            Permission.EVENT_READ,
            Permission.REFUSAL_READ,
            Permission.PICTURE_READ,
            Permission.SELF,
        }
    ),
    Role.SUPERVISOR: frozenset(
        {
            Permission.CROSSING_READ,
            Permission.CUE_READ,
            Permission.ASSET_READ,
            Permission.ORDER_READ,
            Permission.REVIEW_READ,
            Permission.CLAIM,
            Permission.CLAIM_TAKE,
            Permission.ANNOTATE,
            Permission.CASE_READ,
            Permission.CASE_WRITE,
            Permission.CASE_HOLD,
            Permission.RELEASE,
            Permission.HOLD,
            Permission.ERASE,
            Permission.ERASURE_READ,
            Permission.SUBSCRIPTION_READ,
            Permission.POLICY_READ,
            Permission.EVENT_READ,
            Permission.WEBHOOK,
            Permission.REFUSAL_READ,
            Permission.PICTURE_READ,
            Permission.SELF,
        }
    ),
    Role.PARTNER: frozenset(
        {
            Permission.CROSSING_READ,
            Permission.CUE_READ,
            Permission.ASSET_READ,
            Permission.EVENT_READ,
            Permission.WEBHOOK,
            Permission.SUBSCRIBE,
            Permission.SUBSCRIPTION_READ,
            Permission.RECEIPT,
            Permission.SELF,
        }
    ),
    Role.AUDITOR: frozenset({Permission.AUDIT_READ, Permission.ERASURE_READ, Permission.POLICY_READ, Permission.SELF}),
    Role.ADMINISTRATOR: frozenset(
        {
            Permission.KEY_WRITE,
            Permission.METRICS_READ,
            Permission.ACCOUNT_WRITE,
            Permission.POLICY_READ,
            Permission.POLICY_WRITE,
            Permission.SELF,
        }
    ),
}
"""Duties are separate: a sensor tells its cues and reads nothing, who judges does not release, who releases does not
write the rules, who administers keys reads no crossing. Who writes the rules of review never judges by them; a
supervisor takes work over, and judges nothing. Who flies gives orders; others look on."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever a request speaks for.

    Parameters
    ----------
    key_id
        What it proved itself with, by its public id: the API key's, or the account's behind a session; "system" for
        the service itself.
    name
        What the key was issued as, or the account's name.
    role
        None for the service itself.
    partner_id
        The partner that a partner's key or account is bound to; None for every other role.
    account_id
        The account of a session, or the one that the key belongs to; None for a machine's key.
    scopes
        Permissions that the key is narrowed to; None is all that its role grants.
    session_id
        The session; None for a key.
    sources
        For which sources it may deliver: names, or beginnings of names followed by `*`; None for any, which a person
        has, whom the audit names.
    idle_us, absolute_us
        How long the session lasts that is not used, and at all; 0 for a key.
    """

    key_id: str
    name: str
    role: Role | None
    partner_id: str | None = None
    account_id: str | None = None
    scopes: frozenset[Permission] | None = None
    session_id: str | None = None
    sources: frozenset[str] | None = None
    idle_us: int = 0
    absolute_us: int = 0

    @property
    def person(self) -> str:
        """Who answers for it: one id for an account, however it came in. Two-person rules compare this."""
        return self.key_id if self.account_id is None else self.account_id

    def may(self, permission: Permission) -> bool:
        """Whether the role grants `permission`, and the key was not narrowed to less."""
        if self.role is None or permission not in GRANTS[self.role]:
            return False
        return self.scopes is None or permission in self.scopes or permission is Permission.SELF

    def may_speak_for(self, source: str) -> bool:
        """Whether it may deliver records of `source`."""
        if self.sources is None or source in self.sources:
            return True
        return any(each.endswith("*") and source.startswith(each[:-1]) for each in self.sources)


SPEAKERS = frozenset({Role.PILOT, Role.SENSOR})
"""Roles whose keys deliver records: each key for the sources that it is bound to."""
SYSTEM = Principal("system", "service", None)


@dataclass(frozen=True)
class Shown:
    """What an answer showed, and how long the same question has the same answer.

    Parameters
    ----------
    stamp
        `Store.stamp` before it was read.
    action, objects
        As the audit has them.
    until_us
        When time alone would change it; UTC microseconds since the Unix epoch.
    """

    stamp: int
    action: str
    objects: list[str]
    until_us: int

    @cached_property
    def listed(self) -> str:
        """`objects` as canonical JSON, made once for all who are shown the same."""
        return canonical(self.objects)


@dataclass(slots=True)
class Call:
    """One request by one principal; remembers whether it has been audited, and what it showed if that may be kept."""

    principal: Principal
    request_id: str
    audited: bool = field(default=False)
    shown: Shown | None = None
    seen: int | None = None
    """Of a partner's: the number of the last event when it was written down what it is shown."""
