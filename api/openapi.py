"""The OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI

from api.described import SHARED, TEXT
from api.http import Route

__all__ = ["openapi_of"]

_NDJSON = {"content": {"application/x-ndjson": {"schema": TEXT}}, "required": True}
_BINARY = {"type": "string", "format": "binary"}
_BYTES = {"content": {"application/octet-stream": {"schema": _BINARY}}, "required": True}
_PICTURE = {"content": {"image/jpeg": {"schema": _BINARY}}, "required": True}
_BODIES = {"bulk": _NDJSON, "evidence": _BYTES, "picture": _PICTURE}


def openapi_of(app: FastAPI, routes: Sequence[Route]) -> dict[str, Any]:
    """The OpenAPI 3.1 document: what FastAPI knows of parameters and bodies, and what the routes say they answer."""
    document = FastAPI.openapi(app)
    for route in routes:
        operation = document["paths"][route.template][route.method.lower()]
        operation["responses"] = route.answers
        operation["security"] = [] if route.permission is None else [{"key": []}]
        if route.body in _BODIES:
            operation["requestBody"] = _BODIES[route.body]
    components = document.setdefault("components", {})
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    components.setdefault("schemas", {}).update(SHARED)
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, which no route sends
        components.get("schemas", {}).pop(name, None)
    return document
