"""What OGC API - Features says of itself: its conformance, its collections, and its definition in OpenAPI 3.0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.ogc.collections import CRS84, properties_of
from api.ogc.query import DEFAULT_LIMIT, MAX_LIMIT
from api.problems import OPENAPI_PROBLEM
from api.records.filters import LANGUAGES
from api.records.formats import FORMATS
from api.records.operands import ValueType
from api.records.types import RecordType

__all__ = [
    "COLLECTIONS_SCHEMA",
    "COLLECTION_SCHEMA",
    "CONFORMANCE",
    "CONFORMANCE_SCHEMA",
    "FEATURES_SCHEMA",
    "FEATURE_SCHEMA",
    "JSON_F",
    "LANDING_SCHEMA",
    "OPENAPI_30",
    "QUERYABLES",
    "F",
    "collection",
    "definition",
    "item_parameters",
    "items_answers",
    "json_answers",
    "link",
]

OPENAPI_30 = "application/vnd.oai.openapi+json;version=3.0"
QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
_FEATURES, _FILTER, _CQL2 = (
    f"http://www.opengis.net/spec/{name}/1.0/conf/" for name in ("ogcapi-features-1", "ogcapi-features-3", "cql2")
)
CONFORMANCE = (
    *(_FEATURES + name for name in ("core", "geojson", "oas30")),
    *(_FILTER + name for name in ("queryables", "queryables-query-parameters", "filter", "features-filter")),
    *(
        _CQL2 + name
        for name in (
            "cql2-text",
            "cql2-json",
            "basic-cql2",
            "advanced-comparison-operators",
            "case-insensitive-comparison",
            "basic-spatial-functions",
            "basic-spatial-functions-plus",
            "spatial-functions",
            "temporal-functions",
            "property-property",
        )
    ),
)
"""What is tested in `tests/api/test_ogc.py`, and no more."""

_STRING = {"type": "string"}
_LINK_SCHEMA = {
    "type": "object",
    "required": ["href", "rel"],
    "properties": dict.fromkeys(("href", "rel", "type", "title"), _STRING),
}
_LINKS = {"type": "array", "items": _LINK_SCHEMA}


def _object(required: Sequence[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


CONFORMANCE_SCHEMA = _object(["conformsTo"], conformsTo={"type": "array", "items": _STRING})
LANDING_SCHEMA = _object(["title", "links"], title=_STRING, description=_STRING, links=_LINKS)
COLLECTION_SCHEMA = _object(
    ["id", "links", "crs"],
    id=_STRING,
    title=_STRING,
    itemType={"type": "string", "enum": ["feature"]},
    crs={"type": "array", "items": _STRING},
    extent={"type": "object"},
    links=_LINKS,
)
COLLECTIONS_SCHEMA = _object(
    ["links", "collections"], links=_LINKS, collections={"type": "array", "items": COLLECTION_SCHEMA}
)
FEATURE_SCHEMA = {
    "type": "object",
    "required": ["type", "id", "geometry", "properties"],
    "properties": {
        "type": {"type": "string", "enum": ["Feature"]},
        "id": _STRING,
        "geometry": {},
        "properties": {"type": "object"},
        "links": _LINKS,
    },
}
FEATURES_SCHEMA = _object(
    ["type", "features", "links", "numberReturned", "timeStamp"],
    type={"type": "string", "enum": ["FeatureCollection"]},
    features={"type": "array", "items": FEATURE_SCHEMA},
    links=_LINKS,
    numberReturned={"type": "integer", "minimum": 0},
    numberMatched={"type": "integer", "minimum": 0},
    timeStamp={"type": "string", "format": "date-time"},
)


def link(rel: str, href: str, media_type: str, title: str | None = None) -> dict[str, str]:
    """A link as JSON values."""
    return {"rel": rel, "href": href, "type": media_type} | ({} if title is None else {"title": title})


def collection(type_: RecordType, base: str) -> dict[str, Any]:
    """A collection as JSON values; its extent is the world, for where it really lies is for those who may read it."""
    here = f"{base}/ogc/collections/{type_.collection}"
    return {
        "id": type_.collection,
        "title": type_.title,
        "itemType": "feature",
        "crs": [CRS84],
        "extent": {
            "spatial": {"bbox": [[-180, -90, 180, 90]], "crs": CRS84},
            "temporal": {"interval": [[None, None]], "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"},
        },
        "links": [
            link("self", here, "application/json"),
            *(link("items", f"{here}/items?f={one.name}", one.media_type, one.name) for one in FORMATS.values()),
            link(QUERYABLES, f"{here}/queryables", "application/schema+json"),
        ],
    }


def _parameter(name: str, description: str, schema: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": dict(schema), **more}


_JSON_F = _parameter("f", "json, the one form of this.", {"type": "string", "enum": ["json"]})
JSON_F: Mapping[str, Any] = {"parameters": [_JSON_F]}
_FORM = {"style": "form", "explode": False}
_PARAMETER_SCHEMAS: Mapping[ValueType, dict[str, Any]] = {
    ValueType.TEXT: {"type": "string"},
    ValueType.NUMBER: {"type": "number"},
    ValueType.MOMENT: {"type": "string", "format": "date-time"},
}


F = _parameter("f", "The form; goes before Accept.", {"type": "string", "enum": list(FORMATS)})


def item_parameters(type_: RecordType) -> list[dict[str, Any]]:
    """The parameters of a collection's items."""
    numbers = {"type": "array", "items": {"type": "number"}}
    # The standard tells of the two sizes by oneOf; OGC's executable suite reads the bounds beside the type alone.
    sizes = {"minItems": 4, "maxItems": 6, "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}]}
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    return [
        F,
        _parameter("limit", "How many at most.", limit, **_FORM),
        _parameter("bbox", "west,south,east,north in degrees; west > east crosses 180.", numbers | sizes, **_FORM),
        _parameter("datetime", "A moment, or begin/end with .. for an open end.", _STRING, **_FORM),
        _parameter("filter", "A filter over the queryables, in CQL2.", _STRING),
        _parameter(
            "filter-lang", "Of the filter.", {"type": "string", "enum": list(LANGUAGES), "default": LANGUAGES[0]}
        ),
        _parameter("filter-crs", "Of places in the filter.", {"type": "string", "enum": [CRS84], "default": CRS84}),
        _parameter("cursor", "As the link named next has it.", _STRING),
        *(
            _parameter(one.name, f"{one.title}: exactly so.", _PARAMETER_SCHEMAS[one.type], **_FORM)
            for one in properties_of(type_)
        ),
    ]


def json_answers(schema: Mapping[str, Any], media_type: str = "application/json") -> dict[str, Any]:
    """The responses of an operation that answers 200 with JSON, or a problem."""
    success = {"description": "As asked.", "content": {media_type: {"schema": dict(schema)}}}
    return {"200": success, "default": OPENAPI_PROBLEM["default"]}


def items_answers(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The responses of an operation that answers 200 in any of the formats, or a problem."""
    content = {one.media_type: {"schema": {"type": "string"}} for one in FORMATS.values()}
    content[FORMATS["json"].media_type] = {"schema": dict(schema)}
    return {"200": {"description": "As asked.", "content": content}, "default": OPENAPI_PROBLEM["default"]}


def definition(types: Sequence[RecordType], base: str) -> dict[str, Any]:
    """OGC API - Features as this reader finds it, in OpenAPI 3.0.3.

    Its server is the landing page's address, for clients look for `/conformance` and `/collections` right below it.
    """
    paths: dict[str, Any] = {
        "/": _get("landing", "Where everything is", json_answers(LANDING_SCHEMA), [_JSON_F]),
        "/conformance": _get("conformance", "What is kept to", json_answers(CONFORMANCE_SCHEMA), [_JSON_F]),
        "/collections": _get("collections", "What there is", json_answers(COLLECTIONS_SCHEMA), [_JSON_F]),
        "/api": _get("definition", "This document", json_answers({"type": "object"}, OPENAPI_30), [_JSON_F]),
    }
    for type_ in types:
        here, name = f"/collections/{type_.collection}", type_.collection
        queryables = json_answers({"type": "object"}, "application/schema+json")
        one_id = {"name": "featureId", "in": "path", "required": True, "schema": _STRING}
        paths |= {
            here: _get(name, type_.title, json_answers(COLLECTION_SCHEMA), [_JSON_F]),
            f"{here}/queryables": _get(f"{name}.queryables", "What may be asked", queryables, [_JSON_F]),
            f"{here}/items": _get(
                f"{name}.items", f"{type_.title}, newest first", items_answers(FEATURES_SCHEMA), item_parameters(type_)
            ),
            f"{here}/items/{{featureId}}": _get(
                f"{name}.item", f"One of: {type_.title}", items_answers(FEATURE_SCHEMA), [one_id, F]
            ),
        }
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Vedette: OGC API - Features",
            "version": "1.0",
            "license": {"name": "see the owner's terms"},
        },
        "servers": [{"url": f"{base}/ogc"}],
        "security": [{"key": []}],
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "paths": paths,
    }


def _get(name: str, summary: str, responses: dict[str, Any], parameters: list[dict[str, Any]]) -> dict[str, Any]:
    operation = {"operationId": f"ogc.{name}", "summary": summary, "parameters": parameters, "responses": responses}
    return {"get": operation}
