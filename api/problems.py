"""Errors on the wire: RFC 9457 problems, for whatever went wrong and wherever."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from api.errors import (
    ApiError,
    MalformedError,
    NotReleasableError,
    ProviderError,
    RateLimitedError,
    StorageError,
    status_of,
)

__all__ = ["MEDIA_TYPE", "OPENAPI_PROBLEM", "Refusal", "add_handlers", "of_error", "of_status", "problem"]

MEDIA_TYPE = "application/problem+json"
_TITLES = {
    400: ("bad-request", "The request cannot be understood"),
    404: ("not-found", "Not found"),
    405: ("method", "This method is not served here"),
    408: ("timeout", "The request came too slowly"),
    413: ("too-large", "Body over the limit"),
    415: ("media-type", "This media type is not taken here"),
    416: ("range", "No such range"),
    422: ("invalid", "The content is wrong"),
    500: ("internal", "Internal error"),
}
_OF_STARLETTE = {
    "Not Found": "nothing is served at this address: /openapi.json has those that are",
    "Method Not Allowed": "the header Allow names those that are",
}
"""What it says of its own, and what to do."""
OPENAPI_PROBLEM: dict[int | str, Any] = {
    "default": {
        "description": "A problem (RFC 9457)",
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["type", "title", "status"],
                    "properties": {
                        "type": {"type": "string", "format": "uri-reference"},
                        "title": {"type": "string"},
                        "status": {"type": "integer", "minimum": 400, "maximum": 599},
                        "detail": {"type": "string"},
                        "reasons": {"type": "array", "items": {"type": "string"}},
                        "errors": {"type": "array", "items": {"type": "object"}},
                    },
                }
            }
        },
    }
}


def problem(status: int, slug: str, title: str, detail: str | None, **more: Any) -> Response:
    """A problem response; `more` are extension members."""
    body = {"type": f"urn:vedette:problem:{slug}", "title": title, "status": status, "detail": detail, **more}
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}.get(status, {})
    content = json.dumps({name: value for name, value in body.items() if value is not None}).encode()
    return Response(content, status, headers, MEDIA_TYPE)


def of_status(status: int, detail: str | None = None) -> Response:
    """The problem of a bare HTTP status."""
    slug, title = _TITLES.get(status, ("http", "The request cannot be served"))
    return problem(status, slug, title, detail)


def of_error(error: ApiError) -> Response:
    """The problem of an error of ours. What a server-side failure says of machine and paths stays in the log."""
    status, slug, title = status_of(error)
    more: dict[str, Any] = {"reasons": list(error.reasons)} if isinstance(error, NotReleasableError) else {}
    if isinstance(error, MalformedError):
        more = {"errors": [_error_at(error.steps, error.what)]}
    hidden = status == 500 or isinstance(error, (StorageError, ProviderError))
    response = problem(status, slug, title, None if hidden else str(error), **more)
    if isinstance(error, RateLimitedError):
        response.headers["Retry-After"] = str(max(1, math.ceil(error.retry_in_s)))
    return response


class Refusal(HTTPException):
    """An error of ours while FastAPI reads a body: any other exception there it would answer in words of its own."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(status_of(error)[0], str(error))
        self.error = error


def of_validation(error: RequestValidationError) -> Response:
    """The problem of a request that does not fit its schema: each place and what was wrong there, not what was sent."""
    slug, title = _TITLES[422]
    if isinstance(error.body, bytes):  # FastAPI reads no other as JSON
        told = "this is sent as JSON: say so, Content-Type: application/json"
        return problem(422, slug, title, f"#/body: {told}", errors=[_error_at(("body",), told)])
    errors = [_error_at(item["loc"], item["msg"]) for item in error.errors()[:50]] or [_error_at((), "unknown")]
    return problem(422, slug, title, "{pointer}: {detail}".format_map(errors[0]), errors=errors)


def _error_at(steps: Iterable[object], detail: str) -> dict[str, str]:
    return {"pointer": "/".join(("#", *map(str, steps))), "detail": detail}


def _methods_of(app: FastAPI, scope: Scope) -> str:
    """What is served at an address: each method is a route of its own, and HEAD goes with GET (`api.gate`)."""
    routes = (route for route in app.routes if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE)
    methods = {method for route in routes for method in route.methods or ()}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def add_handlers(app: FastAPI) -> None:
    """Answer every kind of exception of `app` with its problem."""

    async def api_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)
        return of_error(error)

    async def validation_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return of_validation(error)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if isinstance(error, Refusal):
            return of_error(error.error)
        response = of_status(error.status_code, _OF_STARLETTE.get(str(error.detail), str(error.detail)))
        for name, value in (error.headers or {}).items():
            response.headers[name] = value
        if error.status_code == 405:
            response.headers["Allow"] = _methods_of(app, request.scope)
        return response

    app.add_exception_handler(ApiError, api_error)
    app.add_exception_handler(RequestValidationError, validation_error)
    app.add_exception_handler(HTTPException, http_error)
