"""What OpenTelemetry is told of requests: how each went and which route took it, and nothing of what it asked for.

Spans leave for a collector that is none of ours. FastAPI puts the whole query into them: the code of a login that a
provider of identities sends back, reasons that people give, places and filters that they ask by.
"""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Discreet", "WithQuery", "telemetry_of"]

_KEPT = "vedette.query_string"


class Discreet(FastAPI):
    """An application that tells OpenTelemetry no query; it needs `WithQuery` around all other middleware."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if "query_string" in scope:
            scope[_KEPT], scope["query_string"] = scope["query_string"], b""
        await super().__call__(scope, receive, send)


class WithQuery:
    """ASGI middleware that gives a request its query back, once OpenTelemetry has seen it without."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if _KEPT in scope:
            scope["query_string"] = scope.pop(_KEPT)
        await self._app(scope, receive, send)


def telemetry_of(*, asked: bool) -> TelemetryConfig:
    """Spans and figures for whoever installs an SDK of OpenTelemetry; never the texts of exceptions."""
    return {
        "tracing": asked,
        "metrics": asked,
        "auto_configure": asked,
        "operation_spans": False,
        "logs": False,
    }
