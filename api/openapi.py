"""The OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI

from api.described import SHARED, TEXT
from api.http import Route
from api.identity.cookies import CSRF_HEADER, SAFE, Cookies

__all__ = ["openapi_of"]

_NDJSON = {"content": {"application/x-ndjson": {"schema": TEXT}}, "required": True}
_BINARY = {"type": "string", "format": "binary"}
_BYTES = {"content": {"application/octet-stream": {"schema": _BINARY}}, "required": True}
_PICTURE = {"content": {"image/jpeg": {"schema": _BINARY}}, "required": True}
_CONDITION = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "ETags of what the caller has: 304 where what is there is one of them.",
    "schema": {**TEXT, "pattern": "^[ -~]*$"},
}
_BODIES = {"bulk": _NDJSON, "evidence": _BYTES, "map": _BYTES, "picture": _PICTURE}


def openapi_of(app: FastAPI, routes: Sequence[Route]) -> dict[str, Any]:
    """The OpenAPI 3.1 document: what FastAPI knows of parameters and bodies, and what the routes say they answer."""
    document = FastAPI.openapi(app)
    for route in routes:
        operation = document["paths"][route.template][route.method.lower()]
        operation["responses"] = route.answers
        operation["security"] = _security(route)
        if "304" in route.answers:
            operation.setdefault("parameters", []).append(_CONDITION)
        if route.body in _BODIES:
            operation["requestBody"] = _BODIES[route.body]
    components = document.setdefault("components", {})
    components["securitySchemes"] = _schemes(app.state.doorman.cookies)
    components.setdefault("schemas", {}).update(SHARED)
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, which no route sends
        components.get("schemas", {}).pop(name, None)
    return document


def _security(route: Route) -> list[dict[str, list[str]]]:
    """Who is let in: a key, or a session, whose unsafe requests say by a token that they were meant."""
    if route.permission is None:
        return []
    session: dict[str, list[str]] = {"session": []} if route.method in SAFE else {"session": [], "token": []}
    return [{"key": []}, session]


def _schemes(cookies: Cookies) -> dict[str, Any]:
    return {
        "key": {"type": "http", "scheme": "bearer", "description": "A key that the service issued."},
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookies.session,
            "description": "The cookie that `POST /login` sets.",
        },
        "token": {
            "type": "apiKey",
            "in": "header",
            "name": CSRF_HEADER,
            "description": "The session's token, `csrf` of `POST /login` and `GET /me`. Who is no browser sends "
            "`Origin` with it, the address of this service.",
        },
    }
