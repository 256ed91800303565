"""What is open to all, and what describes the service."""

from __future__ import annotations

import logging

from fastapi import Request
from starlette.responses import Response

from api.described import answered, closed
from api.errors import StorageError
from api.http import Caller, Route, Stored, answer, read
from api.identity.roles import Permission

__all__ = ["ROUTES"]

_LOG = logging.getLogger("vedette.api")


async def get_health() -> Response:
    """The process answers."""
    return answer({"status": "alive"})


def get_ready(store: Stored) -> Response:
    """The store and the object folder take writes; else 503. `/ready/parts` says to whoever may know what fails."""
    try:
        store.check()
    except StorageError as error:
        _LOG.warning("not ready", extra={"fields": {"problem": str(error)}})
        raise
    return answer({"status": "ready"})


def get_openapi(request: Request, call: Caller, store: Stored) -> Response:
    """The OpenAPI document; it needs a key like everything else."""
    return answer(read(store, call, "openapi.read", lambda _session, _now: (request.app.openapi(), [])))


_DOCUMENT = answered({"type": "object", "required": ["openapi", "info", "paths"]})
ROUTES: tuple[Route, ...] = (
    Route("GET", "/health", get_health, None, answers=answered(closed(status={"const": "alive"}))),
    Route("GET", "/ready", get_ready, None, answers=answered(closed(status={"const": "ready"}))),
    Route("GET", "/openapi.json", get_openapi, Permission.SELF, answers=_DOCUMENT),
)
