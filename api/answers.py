"""What each route answers, for the OpenAPI document: status, media type, and a closed schema of what is in it.

A route that says nothing here, nor in its own row, is described as answering anything; `tests/api/test_schema.py` names
those that may. Every refusal is a problem (RFC 9457).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from api.http import GEOJSON, Route
from api.problems import MEDIA_TYPE as PROBLEM
from api.problems import OPENAPI_PROBLEM
from api.records.media import media_types
from api.records.types import TYPES
from api.release.schemas import AgreementTerms, SubscriptionIn

__all__ = ["ANSWERS", "answers", "closed", "openapi_of"]

Schema = Mapping[str, Any]

_TEXT: Schema = {"type": "string"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_ANY: Schema = {"type": "object"}


_SHARED: dict[str, Schema] = {
    "Problem": OPENAPI_PROBLEM["default"]["content"][PROBLEM]["schema"],
}
"""Schemas that many answers have in them, by the name that the document gives them."""


def _shared(name: str, schema: Schema) -> Schema:
    _SHARED[name] = schema
    return {"$ref": f"#/components/schemas/{name}"}


_REFUSAL = {
    "description": "A problem (RFC 9457)",
    "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def _component(model: type[BaseModel]) -> Schema:
    """A model that a body is described by already: what came in goes out."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [dict(schema), {"type": "null"}]}


def _list(schema: Schema) -> Schema:
    return {"type": "array", "items": dict(schema)}


def closed(*optional: str, **members: Schema) -> Schema:
    """An object of these members and no other, all there but the `optional` ones."""
    required = [name for name in members if name not in optional]
    return {"type": "object", "additionalProperties": False, "required": required, "properties": dict(members)}


def answers(
    schema: Schema | None, *statuses: int, media_types: Sequence[str] = ("application/json",), **headers: str
) -> dict[str, Any]:
    """The responses of an operation: `schema` with each of the statuses (200 when none is given), else a problem.

    Parameters
    ----------
    schema
        None where there is no body.
    headers
        Description of each header by its name, _ for -.
    """
    success: dict[str, Any] = {"description": "As asked."}
    if schema is not None:
        success["content"] = {media_type: {"schema": dict(schema)} for media_type in media_types}
    if headers:
        success["headers"] = {
            name.replace("_", "-"): {"description": text, "schema": _TEXT} for name, text in headers.items()
        }
    return {**{str(status): success for status in statuses or (200,)}, "default": _REFUSAL}


_FEATURE = _shared(
    "Feature",
    closed(
        type={"const": "Feature"}, id=_ID, geometry=_or_null({"type": "object", "required": ["type"]}), properties=_ANY
    ),
)
_LINK = closed(rel=_TEXT, type=_TEXT, href=_TEXT)
_FEATURES = _shared(
    "FeatureCollection",
    closed(type={"const": "FeatureCollection"}, numberReturned=_COUNT, links=_list(_LINK), features=_list(_FEATURE)),
)
_OUTCOME = {"enum": ["created", "unchanged", "replaced", "dropped"]}
_DELIVERED = _shared("Delivered", closed(id=_ID, revision=_COUNT, outcome=_OUTCOME, note=_or_null(_TEXT)))
_LINE = closed(
    "id",
    "revision",
    line=_COUNT,
    id=_ID,
    revision=_COUNT,
    outcome={"enum": [*_OUTCOME["enum"], "refused"]},
    note=_or_null(_TEXT),
)
_BULK = _shared(
    "DeliveredInBulk", closed(counts={"type": "object", "additionalProperties": _COUNT}, results=_list(_LINE))
)
_KEY = closed(
    id=_ID,
    name=_TEXT,
    role=_TEXT,
    partner_id=_or_null(_ID),
    created=_TIME,
    expires=_or_null(_TIME),
    revoked=_or_null(_TIME),
    scopes=_or_null(_list(_TEXT)),
    certificate=_or_null(_TEXT),
    account_id=_or_null(_ID),
    sources=_or_null(_list(_TEXT)),
    used=_or_null(_TIME),
)
_ACCOUNT = closed(
    id=_ID,
    login=_TEXT,
    name=_TEXT,
    role=_TEXT,
    partner_id=_or_null(_ID),
    issuer=_or_null(_TEXT),
    created=_TIME,
    disabled=_or_null(_TIME),
    password_set={"type": "boolean"},
)
_SECRET = closed(id=_ID, login=_TEXT, secret=_TEXT, expires=_or_null(_TIME))
_LOGGED_IN = closed(session_id=_ID, csrf=_TEXT, expires=_TIME)
_SESSION = closed(
    id=_ID,
    created=_TIME,
    used=_TIME,
    expires=_TIME,
    address=_or_null(_TEXT),
    agent=_or_null(_TEXT),
    current={"type": "boolean"},
)
_PARTNER = closed(id=_ID, name=_TEXT, created=_TIME, ended=_or_null(_TIME))
_AGREEMENT = closed(id=_ID, terms=_component(AgreementTerms), created=_TIME, ended=_or_null(_TIME))
_SUBSCRIPTION = closed(id=_ID, partner_id=_ID, wish=_component(SubscriptionIn), created=_TIME, ended=_or_null(_TIME))
_RELEASE = _shared(
    "Release",
    closed(
        id=_ID,
        record_id=_ID,
        revision=_COUNT,
        partner_id=_ID,
        agreement_id=_ID,
        subscription_id=_or_null(_ID),
        released=_TIME,
        visible_from=_TIME,
        released_by=_TEXT,
        reason=_or_null(_TEXT),
        recalled=_or_null(_TIME),
        recall_reason=_or_null(_TEXT),
        receipt=_or_null(_TIME),
    ),
)
_RECALL = closed(release_id=_ID, record_id=_ID, recalled=_or_null(_TIME), receipt=_or_null(_TIME))
_UNDER = closed(
    "feature",
    "media",
    "visible_from",
    "withheld",
    agreement_id=_ID,
    reasons=_list(_TEXT),
    feature=_FEATURE,
    media={"enum": ["none", "blurred", "redacted", "original"]},
    visible_from=_TIME,
    withheld=_list(_TEXT),
)
_REVIEW_MEMBERS: dict[str, Schema] = {
    "id": _ID,
    "record_id": _ID,
    "revision": _COUNT,
    "verdict": {"enum": ["confirm", "dismiss"]},
    "reason": _or_null(_TEXT),
    "category": _or_null(_TEXT),
    "reviewer": _TEXT,
    "reviewer_key": _TEXT,
    "time": _TIME,
}
_EVENT = closed(
    n=_COUNT,
    time=_TIME,
    kind=_TEXT,
    record_type=_or_null(_TEXT),
    record_id=_or_null(_ID),
    partner_id=_or_null(_ID),
    detail=_ANY,
)
_REFUSED = closed(
    id={"type": ["string", "integer"]},
    topic=_TEXT,
    reason=_TEXT,
    payload=_TEXT,
    size=_COUNT,
    first=_TIME,
    last=_TIME,
    times=_COUNT,
)
_OUTLET = closed(name=_TEXT, audience=_TEXT, n=_COUNT, behind=_COUNT, moved=_TIME, problem=_or_null(_TEXT))
_SELF = {"@iot.id": _ID, "@iot.selfLink": _TEXT}
_OBSERVED = answers(closed(**_SELF), 200, 201, Location="Where it is.") | {"204": {"description": "Nothing was there."}}
_HEAD = closed(seq=_COUNT, hash=_HASH)
_EVIDENCE_TYPES = media_types()
_LOCATION = {"Location": "Where it is."}
_ETAG = {"ETag": "What a change names in If-Match."}

ANSWERS: dict[tuple[str, str], dict[str, Any]] = {
    ("GET", "/"): answers(_TEXT, media_types=("text/html; charset=utf-8",)),
    ("GET", "/health"): answers(closed(status={"const": "alive"})),
    ("GET", "/ready"): answers(closed(status={"const": "ready"})),
    ("GET", "/openapi.json"): answers({"type": "object", "required": ["openapi", "info", "paths"]}),
    ("POST", "/keys"): answers(closed(id=_ID, key=_TEXT), 201),
    ("GET", "/keys"): answers(_list(_KEY)),
    ("DELETE", "/keys/{key_id}"): answers(None, 204),
    ("GET", "/me"): answers(
        closed(
            key_id=_TEXT,
            name=_TEXT,
            role=_TEXT,
            partner_id=_or_null(_ID),
            account_id=_or_null(_ID),
            scopes=_or_null(_list(_TEXT)),
            csrf=_or_null(_TEXT),
        )
    ),
    ("POST", "/login"): answers(_LOGGED_IN),
    ("GET", "/oidc/login"): answers(None, 303, Location="The identity provider."),
    ("GET", "/oidc/callback"): answers(None, 303, Location="The page."),
    ("POST", "/logout"): answers(None, 204),
    ("PUT", "/password"): answers(_LOGGED_IN),
    ("GET", "/sessions"): answers(_list(_SESSION)),
    ("DELETE", "/sessions"): answers(None, 204),
    ("DELETE", "/sessions/{session_id}"): answers(None, 204),
    ("POST", "/accounts"): answers(_SECRET, 201),
    ("GET", "/accounts"): answers(_list(_ACCOUNT)),
    ("PATCH", "/accounts/{account_id}"): answers(_ACCOUNT),
    ("POST", "/accounts/{account_id}/secret"): answers(_SECRET, 201),
    ("DELETE", "/accounts/{account_id}/sessions"): answers(None, 204),
    ("GET", "/crossings/{record_id}/evidence/{part}"): answers({}, 200, 206, media_types=_EVIDENCE_TYPES, **_ETAG),
    ("PUT", "/crossings/{record_id}/evidence/{part}"): answers(
        closed(record_id=_ID, part=_TEXT, sha256=_HASH, size=_COUNT)
    ),
    ("POST", "/crossings/{record_id}/reviews"): answers(
        closed(**_REVIEW_MEMBERS, state=_TEXT, etag=_TEXT), 201, **_ETAG
    ),
    ("GET", "/crossings/{record_id}/reviews"): answers(_list(closed(**_REVIEW_MEMBERS))),
    ("POST", "/partners"): answers(_PARTNER, 201),
    ("GET", "/partners"): answers(_list(_PARTNER)),
    ("DELETE", "/partners/{partner_id}"): answers(None, 204),
    ("POST", "/agreements"): answers(_AGREEMENT, 201),
    ("GET", "/agreements"): answers(_list(_AGREEMENT)),
    ("DELETE", "/agreements/{agreement_id}"): answers(None, 204),
    ("POST", "/releases"): answers(_RELEASE, 200, 201),
    ("GET", "/releases"): answers(_list(_RELEASE)),
    ("DELETE", "/releases/{release_id}"): answers(None, 204),
    ("GET", "/preview"): answers(
        closed(record_id=_ID, partner_id=_ID, released=_or_null(_ID), agreements=_list(_UNDER))
    ),
    ("POST", "/subscriptions"): answers(_SUBSCRIPTION, 201),
    ("GET", "/subscriptions"): answers(_list(_SUBSCRIPTION)),
    ("DELETE", "/subscriptions/{subscription_id}"): answers(None, 204),
    ("GET", "/recalls"): answers(_list(_RECALL)),
    ("POST", "/recalls/{release_id}/receipt"): answers(_RECALL),
    ("GET", "/events"): answers(closed(events=_list(_EVENT), next=_COUNT)),
    ("GET", "/audit"): answers(closed(entries=_list(closed(seq=_COUNT, body=_ANY, hash=_HASH)), head=_HEAD)),
    ("GET", "/audit/verification"): answers(
        {
            "oneOf": [
                closed(intact={"const": True}, head=_HEAD),
                closed(intact={"const": False}, seq=_COUNT, problem=_TEXT),
            ]
        }
    ),
    ("GET", "/crossings/{record_id}/alert.xml"): answers(_TEXT, media_types=("application/cap+xml",)),
    ("GET", "/cues/{record_id}/alert.xml"): answers(_TEXT, media_types=("application/cap+xml",)),
    ("GET", "/alerts"): answers(_TEXT, media_types=("application/atom+xml",)),
    ("GET", "/cot"): answers(_TEXT, media_types=("application/xml",)),
    ("POST", "/sensorthings/v1.1/Observations"): _OBSERVED,
    ("POST", "/sensorthings/v1.1/Datastreams({datastream})/Observations"): _OBSERVED,
    ("GET", "/refused-messages"): answers(closed(messages=_list(_REFUSED))),
    ("GET", "/outlets"): answers(closed(outlets=_list(_OUTLET))),
}
"""(method, path) -> responses."""
for _type in TYPES.values():
    ANSWERS |= {
        ("POST", f"/{_type.collection}"): answers(_DELIVERED, 200, 201, **_LOCATION),
        ("POST", f"/{_type.collection}/bulk"): answers(_BULK),
        ("GET", f"/{_type.collection}"): answers(_FEATURES, media_types=(GEOJSON,)),
        ("GET", f"/{_type.collection}/{{record_id}}"): answers(_FEATURE, media_types=(GEOJSON,), **_ETAG),
    }

_ANYTHING = {"2XX": {"description": "As asked."}, "default": _REFUSAL}
_NDJSON = {"content": {"application/x-ndjson": {"schema": _TEXT}}, "required": True}
_BYTES = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}, "required": True}
_BODIES = {"bulk": _NDJSON, "evidence": _BYTES}


def openapi_of(app: FastAPI, routes: Sequence[Route]) -> dict[str, Any]:
    """The OpenAPI 3.1 document: what FastAPI knows of parameters and bodies, and what is said here of answers."""
    document = FastAPI.openapi(app)
    for route in routes:
        operation = document["paths"][route.path][route.method.lower()]
        operation["responses"] = route.describes.get("responses") or ANSWERS.get((route.method, route.path), _ANYTHING)
        operation["security"] = [] if route.permission is None else [{"key": []}]
        if route.body in _BODIES:
            operation["requestBody"] = _BODIES[route.body]
    components = document.setdefault("components", {})
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    components.setdefault("schemas", {}).update(_SHARED)
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, which no route sends
        components.get("schemas", {}).pop(name, None)
    return document
