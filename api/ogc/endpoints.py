"""OGC API - Features, Part 1 (17-069r4) and Part 3 (19-079r2), over `api.records.readable` and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from sqlalchemy import and_
from sqlalchemy.orm import Session
from starlette.responses import Response, StreamingResponse

from api.asked import only
from api.canonical import canonical
from api.conditions import KNOWN, unless_known
from api.described import OBJECT
from api.errors import BadRequestError
from api.http import Caller, Route, Stored, answer, base_of, read
from api.identity.roles import Permission
from api.ogc import description
from api.ogc.collections import csv_columns, queryables_of, schema_of
from api.ogc.description import link
from api.ogc.query import Items, items_of
from api.ogc.turns import Turns
from api.packed import packed
from api.pages import link_header
from api.records.dialect import dialect_of, within
from api.records.filters import box_of, in_span, near, where
from api.records.formats import FORMATS, Format, Page, negotiated
from api.records.lists import RecordFilter, list_readable
from api.records.literals import box_geometry
from api.records.readable import find_readable, may_read, readable_records
from api.records.types import TYPES, RecordType
from api.times import iso

__all__ = ["MAX_SECONDS", "ROUTES"]

MAX_SECONDS = 5.0
"""How long the store may look for one page of features."""
_JSON = "application/json"


def _json_only(request: Request) -> None:
    if only(request.query_params, ("f",)).get("f", "json") != "json":
        raise BadRequestError("this is served as f=json alone")


def _types(call: Caller) -> list[RecordType]:
    return [type_ for type_ in TYPES.values() if may_read(call.principal, type_.name)]


def get_ogc(request: Request, call: Caller, store: Stored) -> Response:
    """Where everything is."""
    _json_only(request)
    base = base_of(request)
    body = {
        "title": "Vedette",
        "description": "What your key may read, as features. Every reading is written down.",
        "links": [
            link("self", f"{base}/ogc", _JSON),
            link("service-desc", f"{base}/ogc/api", description.OPENAPI_30, "The definition of this API"),
            link("conformance", f"{base}/ogc/conformance", _JSON, "What is kept to"),
            link("data", f"{base}/ogc/collections", _JSON, "What there is"),
        ],
    }
    return answer(read(store, call, "ogc.read", lambda _session, _now: (body, [])))


def get_ogc_root(request: Request, call: Caller, store: Stored) -> Response:
    """Where everything is, for those who write the address with a slash at its end: OGC's own suite does."""
    return get_ogc(request, call, store)


def get_ogc_conformance(request: Request, call: Caller, store: Stored) -> Response:
    """The classes of conformance that are kept to."""
    _json_only(request)
    body = {"conformsTo": list(description.CONFORMANCE)}
    return answer(read(store, call, "ogc.read", lambda _session, _now: (body, [])))


def get_ogc_api(request: Request, call: Caller, store: Stored) -> Response:
    """The definition of OGC API - Features for this key, in OpenAPI 3.0."""
    _json_only(request)
    body = description.definition(_types(call), base_of(request))
    found = answer(read(store, call, "ogc.read", lambda _session, _now: (body, [])))
    found.headers["Content-Type"] = description.OPENAPI_30
    return found


def get_ogc_collections(request: Request, call: Caller, store: Stored) -> Response:
    """The collections that the key may read."""
    _json_only(request)
    base = base_of(request)
    body = {
        "links": [link("self", f"{base}/ogc/collections", _JSON)],
        "collections": [description.collection(type_, base) for type_ in _types(call)],
    }
    return answer(read(store, call, "ogc.read", lambda _session, _now: (body, [])))


def _collection(type_: RecordType) -> Callable[..., Response]:
    def get(request: Request, call: Caller, store: Stored) -> Response:
        _json_only(request)
        body = description.collection(type_, base_of(request))
        return answer(read(store, call, "ogc.read", lambda _session, _now: (body, [])))

    return _named(get, f"get_ogc_{type_.collection}", f"The collection: {type_.title}.")


def _queryables(type_: RecordType) -> Callable[..., Response]:
    def get(request: Request, call: Caller, store: Stored) -> Response:
        _json_only(request)
        body = schema_of(type_, f"{base_of(request)}{request.url.path}")
        found = answer(read(store, call, "ogc.read", lambda _session, _now: (body, [])))
        found.headers["Content-Type"] = "application/schema+json"
        return found

    return _named(get, f"get_ogc_{type_.collection}_queryables", f"What may be asked of them: {type_.title}.")


def _items(type_: RecordType) -> Callable[..., Response]:
    def get(request: Request, call: Caller, store: Stored) -> Response:
        items = items_of(type_, request.query_params)
        form = negotiated(items.f, request.headers.get("accept"), FORMATS)

        def work(session: Session, now: int) -> tuple[Any, list[str]]:
            which = _which(type_, items, session, readable_records(call.principal, now).rows.c)
            with within(session, MAX_SECONDS):
                rows = list_readable(session, call.principal, now, which, limit=items.limit + 1, after=items.after)
            return (rows, now), [row.id for row in rows[: items.limit]]

        turns: Turns = request.app.state.turns
        who = call.principal.partner_id or call.principal.person  # a partner may have many keys
        with turns.taken(who) if items.trees else nullcontext():
            rows, now = read(store, call, f"{type_.name}.list", work)
        page = rows[: items.limit]
        links = _links_of_page(request, form, page[-1] if len(rows) > items.limit else None)
        queryables = f"{base_of(request)}/ogc/collections/{type_.collection}/queryables"
        links.append(link(description.QUERYABLES, queryables, "application/schema+json"))
        members: dict[str, Any] = {"links": links, "numberReturned": len(page), "timeStamp": iso(now)}
        if items.after is None and len(rows) <= items.limit:
            members["numberMatched"] = len(page)  # known without counting what was not read
        found = Page([row.feature for row in page], csv_columns(type_), members)
        if form is FORMATS["json"]:
            told = {"Link": link_header(links)}
            return packed(b"".join(form.encode(found)), request.headers, call.principal, told, form.media_type)
        return _answered(form, found, links)

    return _named(get, f"get_ogc_{type_.collection}_items", f"{type_.title} that the key may read, newest first.")


def _item(type_: RecordType) -> Callable[..., Response]:
    def get(request: Request, feature_id: str, call: Caller, store: Stored) -> Response:
        form = negotiated(only(request.query_params, ("f",)).get("f"), request.headers.get("accept"), FORMATS)

        def work(session: Session, now: int) -> tuple[Any, list[str]]:
            return find_readable(session, call.principal, now, feature_id, type_=type_.name), [feature_id]

        row = read(store, call, f"{type_.name}.read", work)
        here = f"{base_of(request)}/ogc/collections/{type_.collection}"
        links = [*_links(request, form), link("collection", here, _JSON)]
        if form is FORMATS["json"]:
            linked = b"%s,%s" % (row.feature[:-1], canonical({"links": links})[1:].encode())
            told = {"Link": link_header(links), "ETag": f'"{row.etag}"'}
            return unless_known(request, Response(linked, 200, told, form.media_type))
        return _answered(form, Page([row.feature], csv_columns(type_)), links)

    return _named(get, f"get_ogc_{type_.collection}_item", f"One feature of: {type_.title}.")


def _which(type_: RecordType, items: Items, session: Session, columns: Any) -> RecordFilter:
    """The query as `list_readable` takes it. A box that the filter tells of serves the index where none is given."""
    dialect = dialect_of(session)
    queryables = queryables_of(type_, columns, dialect)
    rules = [where(tree, queryables, dialect) for tree in items.trees]
    if items.span is not None:
        rules.append(in_span(queryables["time"], items.span))
    if items.bbox is not None and not type_.hidden & {"lat", "lon"}:  # bounds say where a point is, not where a line is
        rules.append(near(dialect, "intersects", queryables["geometry"].columns, box_geometry(items.bbox)))
    boxes = (box_of(tree) for tree in items.trees)
    bbox = items.bbox or next((box for box in boxes if box is not None), None)
    return RecordFilter(type=type_.name, bbox=bbox, where=and_(*rules) if rules else None)


def _links(request: Request, form: Format) -> list[dict[str, str]]:
    """The answer itself, and the same in every other form."""
    here = f"{base_of(request)}{request.url.path}"
    given = [(name, value) for name, value in request.query_params.multi_items() if name != "f"]
    return [
        link("self" if one is form else "alternate", f"{here}?{urlencode([*given, ('f', one.name)])}", one.media_type)
        for one in (form, *(other for other in FORMATS.values() if other is not form))
    ]


def _links_of_page(request: Request, form: Format, last: Any) -> list[dict[str, str]]:
    """`last` is the last row of this page where there are more, else None."""
    links = _links(request, form)
    if last is not None:
        given = [(name, value) for name, value in request.query_params.multi_items() if name not in {"f", "cursor"}]
        query = urlencode([*given, ("f", form.name), ("cursor", f"{last.time_us}.{last.id}")])
        links.append(link("next", f"{base_of(request)}{request.url.path}?{query}", form.media_type))
    return links


def _answered(form: Format, page: Page, links: list[dict[str, str]]) -> Response:
    return StreamingResponse(form.encode(page), 200, {"Link": link_header(links)}, form.media_type)


def _named(endpoint: Callable[..., Response], name: str, text: str) -> Callable[..., Response]:
    endpoint.__name__, endpoint.__doc__ = name, text
    return endpoint


def _routes_of(type_: RecordType) -> tuple[Route, ...]:
    here = f"/ogc/collections/{type_.collection}"
    return (
        _json(here, _collection(type_), type_.read, description.COLLECTION_SCHEMA),
        _json(f"{here}/queryables", _queryables(type_), type_.read, OBJECT, "application/schema+json"),
        Route(
            "GET",
            f"{here}/items",
            _items(type_),
            type_.read,
            answers=description.items_answers(description.FEATURES_SCHEMA),
            describes={"parameters": description.item_parameters(type_)},
        ),
        Route(
            "GET",
            f"{here}/items/{{feature_id}}",
            _item(type_),
            type_.read,
            answers=description.items_answers(description.FEATURE_SCHEMA) | KNOWN,
            describes={"parameters": [description.F]},
        ),
    )


def _json(
    path: str,
    endpoint: Callable[..., Response],
    permission: Permission,
    schema: Mapping[str, Any],
    media_type: str = _JSON,
) -> Route:
    answers = description.json_answers(schema, media_type)
    return Route("GET", path, endpoint, permission, answers=answers, describes=description.JSON_F)


ROUTES: tuple[Route, ...] = (
    _json("/ogc", get_ogc, Permission.SELF, description.LANDING_SCHEMA),
    _json("/ogc/", get_ogc_root, Permission.SELF, description.LANDING_SCHEMA),
    _json("/ogc/conformance", get_ogc_conformance, Permission.SELF, description.CONFORMANCE_SCHEMA),
    _json("/ogc/api", get_ogc_api, Permission.SELF, OBJECT, description.OPENAPI_30),
    _json("/ogc/collections", get_ogc_collections, Permission.SELF, description.COLLECTIONS_SCHEMA),
    *(route for type_ in TYPES.values() for route in _routes_of(type_)),
)
