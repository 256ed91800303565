"""Every kind of event there is, and what it tells: one table, from which the description of the feeds is made.

A kind that is appended somewhere and is not in this table fails a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["KINDS", "Kind", "schema_of"]

_ID = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_SHA256: dict[str, Any] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_TEXT = {"type": "string"}
_REVISION: dict[str, Any] = {"type": "integer", "minimum": 1}
_OF_REVISION: dict[str, dict[str, Any]] = {"revision": _REVISION, "digest": _SHA256}
_NUMBER = {"type": "integer", "minimum": 1}
_TAKEN_OR_WITHDRAWN = {"enum": ["taken", "accepted", "refused", "done", "failed", "withdrawn"]}
_TIME = {"type": "string", "format": "date-time"}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event.

    Parameters
    ----------
    summary
        What happened.
    detail
        Members of `detail` and their JSON schemas; each is always there.
    record
        Whether it is of a record: then it carries the record as its receiver may read it.
    partner
        Whether partners are told: of releases to them alone.
    optional
        Members of `detail` that may be absent.
    more
        Whether `detail` has members beyond these: what was changed, and to what.
    """

    summary: str
    detail: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    record: bool = False
    partner: bool = False
    optional: frozenset[str] = frozenset()
    more: bool = False


KINDS: dict[str, Kind] = {
    "record.created": Kind("A record came for the first time.", _OF_REVISION, record=True),
    "record.replaced": Kind(
        "A newer update took a record's place; also told by the one that stands for it.",
        {**_OF_REVISION, "survivor": _ID},
        record=True,
        optional=frozenset({"survivor"}),
    ),
    "record.erased": Kind(
        "A record was erased; what is left says that it was.",
        {"why": {"enum": ["retention", "request"]}, "digest": _SHA256},
        record=True,
    ),
    "evidence.stored": Kind(
        "A piece of evidence came; also told by the record that stands for this one.",
        {"part": _TEXT, "sha256": _SHA256, "survivor": _ID},
        record=True,
        optional=frozenset({"survivor"}),
    ),
    "evidence.redacted": Kind("Copies that show nobody but those concerned are there.", {"media": _TEXT}, record=True),
    "evidence.failed": Kind("Such copies could not be made.", {"media": _TEXT, "error": _TEXT}, record=True),
    "crossing.reviewed": Kind(
        "A person judged a crossing.",
        {
            "revision": _REVISION,
            "verdict": {"enum": ["confirm", "dismiss"]},
            "state": _TEXT,
            "disputed": {"type": "boolean"},
            "review_id": _ID,
        },
        record=True,
    ),
    "crossing.claimed": Kind(
        "A person judges a crossing; others wait.",
        {"by": _TEXT, "taken_from": {"type": ["string", "null"]}, "reason": _TEXT},
        record=True,
        optional=frozenset({"taken_from", "reason"}),
    ),
    "crossing.unclaimed": Kind("A crossing was let go of.", {"by": _TEXT}, record=True),
    "crossing.annotated": Kind("A person wrote a note on a crossing.", {"annotation": _ID}, record=True),
    "crossing.merged": Kind(
        "A crossing is the same as another, which stands for both.", {"into": _ID, "reason": _TEXT}, record=True
    ),
    "crossing.split": Kind(
        "A merged crossing stands for itself again.",
        {"survivor": _ID, "state": _TEXT, "reason": _TEXT},
        record=True,
    ),
    "review_policy.changed": Kind("The rules of review were changed.", {"version": {"type": "integer"}}),
    "case.opened": Kind("A case file was opened.", {"case_id": _ID}),
    "case.changed": Kind(
        "A case file was changed.",
        {
            "case_id": _ID,
            "attached": {"type": "array", "items": _ID},
            "detached": {"type": "array", "items": _ID},
            "version": {"type": "integer"},
        },
        more=True,
    ),
    "order.given": Kind("A pilot told a vehicle what to do.", {"order_id": _ID, "order": _TEXT}, record=True),
    "order.changed": Kind(
        "A ground station took an order or told what came of it, or it was withdrawn. None tells that one has expired.",
        {"order_id": _ID, "order": _TEXT, "state": _TAKEN_OR_WITHDRAWN},
        record=True,
    ),
    "launch.given": Kind(
        "A pilot sent a plan to the vehicles of a ground station.", {"launch_id": _ID, "station": _TEXT}, record=True
    ),
    "launch.changed": Kind(
        "A ground station took a launch or told what came of it, or it was withdrawn. None tells that one has expired.",
        {"launch_id": _ID, "station": _TEXT, "state": _TAKEN_OR_WITHDRAWN},
        record=True,
    ),
    "release.created": Kind("A record was shared with a partner.", {"release_id": _ID}, record=True, partner=True),
    "release.recalled": Kind(
        "What was shared is taken back: erase it, and say so with POST /recalls/{release_id}/receipt. It is offered "
        "again until then.",
        {"release_id": _ID},
        record=True,
        partner=True,
    ),
    "recall.received": Kind("A partner confirmed a recall.", {"release_id": _ID}, record=True),
    "partner.created": Kind("A partner was named."),
    "partner.ended": Kind("A partner has ended."),
    "agreement.created": Kind("An agreement is in force.", {"agreement_id": _ID}),
    "agreement.ended": Kind("An agreement has ended.", {"agreement_id": _ID}),
    "subscription.created": Kind("A partner has a standing wish.", {"subscription_id": _ID}),
    "subscription.ended": Kind("A standing wish has ended.", {"subscription_id": _ID}),
    "retention.set": Kind("Records of a purpose are kept for so many days.", {"purpose": _TEXT, "days": _NUMBER}),
    "retention.ended": Kind("Records of a purpose are kept as long as they say themselves.", {"purpose": _TEXT}),
    "hold.placed": Kind("A record is not to be erased.", {"hold_id": _ID}, record=True),
    "hold.lifted": Kind("A record may be erased again.", {"hold_id": _ID}, record=True),
    "key.issued": Kind("A key was issued.", {"key_id": _ID, "role": _TEXT}),
    "key.revoked": Kind("A key was revoked.", {"key_id": _ID}),
    "account.created": Kind("A person may log in.", {"account_id": _ID, "role": _TEXT}),
    "account.changed": Kind(
        "An account was changed, or its password.",
        {"account_id": _ID, "role": _TEXT, "disabled": {"type": "boolean"}, "password": {"type": "boolean"}},
        optional=frozenset({"role", "disabled", "password"}),  # older events are without
    ),
    "webhook.created": Kind("A target of webhooks was named.", {"webhook_id": _ID}),
    "webhook.deleted": Kind("A target of webhooks was forgotten.", {"webhook_id": _ID}),
    "webhook.disabled": Kind("Nothing is sent to a target any more.", {"webhook_id": _ID, "reason": _TEXT}),
}
"""Kind -> what it tells."""


def schema_of(name: str) -> dict[str, Any]:
    """JSON schema (2020-12) of one kind of event as it is delivered: `data` of a stream, `data` of a webhook's call."""
    kind = KINDS[name]
    of_record: dict[str, Any] = {
        "record_id": _ID,
        "record_type": {"type": ["string", "null"]},
        "state": {
            "enum": ["current", "recalled", "gone"],
            "description": "current: `feature` is the record as you may read it at this moment. recalled: the release "
            "stands no more. gone: the record may not be read.",
        },
        "feature": {
            "type": ["object", "null"],
            "description": "GeoJSON Feature, with what you may read of the record and nothing else.",
        },
    }
    of_none = {"record_id": {"type": "null"}, "record_type": {"type": "null"}}
    properties = {
        "n": {**_NUMBER, "description": "Its number in your log, without gaps: your cursor."},
        "time": _TIME,
        "kind": {"const": name},
        "partner_id": {"type": ["string", "null"], "description": "The partner that it concerns, for those inside."},
        "detail": {
            "type": "object",
            "properties": {member: dict(schema) for member, schema in kind.detail.items()},
            "required": sorted(set(kind.detail) - kind.optional),
            "additionalProperties": kind.more,
        },
        **(of_record if kind.record else of_none),
    }
    required = sorted(properties)
    properties["again"] = {"const": True, "description": "Told before; no receipt has come."}
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
