"""Words in which the routes say what they answer, for the OpenAPI document: status, media type, closed schemas.

Each package says what its own routes answer in its `answers.py` (beside the routes, where they are few), and names it
in the route's row. Every refusal is a problem (RFC 9457).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from api.conditions import KNOWN
from api.problems import MEDIA_TYPE as PROBLEM
from api.problems import OPENAPI_PROBLEM

__all__ = [
    "COUNT",
    "ETAG",
    "FLAG",
    "HASH",
    "HTML",
    "ID",
    "LINKS",
    "NOTHING",
    "OBJECT",
    "PLACE",
    "SHARED",
    "TEXT",
    "TIME",
    "Answers",
    "Schema",
    "answered",
    "answered_file",
    "answered_page",
    "closed",
    "list_of",
    "modelled",
    "one_of",
    "or_null",
    "shared",
    "taken",
]

Schema = Mapping[str, Any]
Answers = dict[str, Any]
"""The responses of an operation by status."""

TEXT: Schema = {"type": "string"}
TIME: Schema = {"type": "string", "format": "date-time"}
ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object"}
HTML = "text/html; charset=utf-8"
ETAG = {"ETag": "What a change names in If-Match."}
PLACE = {"Location": "Where it is."}

SHARED: dict[str, Schema] = {"Problem": OPENAPI_PROBLEM["default"]["content"][PROBLEM]["schema"]}
"""Schemas that many answers have in them, by the name that the document gives them."""


def shared(name: str, schema: Schema) -> Schema:
    """A schema that the document says once, under that name: how the others refer to it."""
    SHARED[name] = schema
    return {"$ref": f"#/components/schemas/{name}"}


def taken(model: type[BaseModel]) -> Schema:
    """The schema of a model that a body is described by already: what came in goes out."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def modelled(model: type[BaseModel], **members: Schema) -> Schema:
    """The schema of a model that goes out; the document says it once, and so each model that it is made of.

    Parameters
    ----------
    members
        Schemas to say in place of those of the model, by member.
    """
    schema = model.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    SHARED.update(schema.pop("$defs", {}))
    schema["properties"] |= {name: dict(member) for name, member in members.items()}
    return shared(model.__name__, schema)


def closed(*optional: str, **members: Schema) -> Schema:
    """An object of these members and no other, all there but the `optional` ones."""
    required = [name for name in members if name not in optional]
    return {"type": "object", "additionalProperties": False, "required": required, "properties": dict(members)}


def list_of(schema: Schema) -> Schema:
    """An array of such values."""
    return {"type": "array", "items": dict(schema)}


def one_of(*values: object) -> Schema:
    """One of these values."""
    return {"enum": list(values)}


def or_null(schema: Schema) -> Schema:
    """Such a value, or null."""
    return {"anyOf": [dict(schema), {"type": "null"}]}


LINKS = list_of(closed(rel=TEXT, type=TEXT, href=TEXT))

_REFUSAL = {
    "description": "A problem (RFC 9457)",
    "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def answered(
    schema: Schema | None, *statuses: int, media_types: Sequence[str] = ("application/json",), **headers: str
) -> Answers:
    """`schema` with each of the statuses (200 when none is given), else a problem.

    Where other statuses have another schema, join two of these with ``|``.

    Parameters
    ----------
    schema
        None where there is no body.
    headers
        Description of each header by its name, _ for -; each is always there.
    """
    success: dict[str, Any] = {"description": "As asked."}
    if schema is not None:
        success["content"] = {media_type: {"schema": dict(schema)} for media_type in media_types}
    if headers:
        success["headers"] = {
            name.replace("_", "-"): {"description": text, "schema": TEXT, "required": True}
            for name, text in headers.items()
        }
    return {**{str(status): success for status in statuses or (200,)}, "default": _REFUSAL}


def answered_page(schema: Schema) -> Answers:
    """A list of these, a page at a time."""
    found = answered(list_of(schema))
    found["200"]["headers"] = {
        "Link": {"description": "Where the list goes on, as rel=next (RFC 8288); absent at its end.", "schema": TEXT}
    }
    return found


NOTHING = answered(None, 204)
"""Done, and nothing to tell."""


def answered_file(schema: Schema, *, media_types: Sequence[str], **headers: str) -> Answers:
    """A file, whole or a range of it, or that the reader has it (`api.ranged`)."""
    whole = answered(schema, 200, 206, media_types=media_types, **headers)
    return whole | KNOWN
