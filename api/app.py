"""The application: a table of routes behind the gate."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from api import console, routes
from api.errors import PermissionDeniedError
from api.gate import Gate
from api.problems import OPENAPI_PROBLEM, add_handlers
from api.roles import Permission
from api.settings import Settings
from api.store import Store

__all__ = ["ROUTES", "Route", "create_app"]

_PERMISSION = "x-vedette-permission"


@dataclass(frozen=True, slots=True)
class Route:
    """One route.

    Parameters
    ----------
    method, path
        As in HTTP.
    endpoint
        The function that serves it.
    permission
        What the key's role must grant; None is open to all, without a key.
    body
        "json" is bounded by `Settings.max_body_bytes`, "evidence" by `Settings.max_evidence_bytes`.
    """

    method: str
    path: str
    endpoint: Callable[..., Any]
    permission: Permission | None
    body: str = "json"


ROUTES: tuple[Route, ...] = (
    Route("GET", "/", console.get_page, None),
    Route("GET", "/health", routes.get_health, None),
    Route("GET", "/ready", routes.get_ready, None),
    Route("GET", "/openapi.json", routes.get_openapi, Permission.SELF),
    Route("GET", "/me", routes.get_me, Permission.SELF),
    Route("POST", "/crossings", routes.post_crossing, Permission.CROSSING_WRITE),
    Route("GET", "/crossings", routes.get_crossings, Permission.CROSSING_READ),
    Route("GET", "/crossings/{crossing_id}", routes.get_crossing, Permission.CROSSING_READ),
    Route(
        "PUT", "/crossings/{crossing_id}/evidence/{part}", routes.put_evidence, Permission.CROSSING_WRITE, "evidence"
    ),
    Route("GET", "/crossings/{crossing_id}/evidence/{part}", routes.get_evidence, Permission.CROSSING_READ),
    Route("POST", "/crossings/{crossing_id}/reviews", routes.post_review, Permission.REVIEW),
    Route("GET", "/crossings/{crossing_id}/reviews", routes.get_reviews, Permission.REVIEW_READ),
    Route("POST", "/cues", routes.post_cue, Permission.CUE_WRITE),
    Route("GET", "/cues", routes.get_cues, Permission.CUE_READ),
    Route("POST", "/partners", routes.post_partner, Permission.POLICY_WRITE),
    Route("GET", "/partners", routes.get_partners, Permission.POLICY_READ),
    Route("DELETE", "/partners/{partner_id}", routes.delete_partner, Permission.POLICY_WRITE),
    Route("POST", "/agreements", routes.post_agreement, Permission.POLICY_WRITE),
    Route("GET", "/agreements", routes.get_agreements, Permission.POLICY_READ),
    Route("DELETE", "/agreements/{agreement_id}", routes.delete_agreement, Permission.POLICY_WRITE),
    Route("POST", "/releases", routes.post_release, Permission.RELEASE),
    Route("GET", "/releases", routes.get_releases, Permission.POLICY_READ),
    Route("DELETE", "/releases/{release_id}", routes.delete_release, Permission.RELEASE),
    Route("POST", "/keys", routes.post_key, Permission.KEY_WRITE),
    Route("GET", "/keys", routes.get_keys, Permission.KEY_WRITE),
    Route("DELETE", "/keys/{key_id}", routes.delete_key, Permission.KEY_WRITE),
    Route("GET", "/events", routes.get_events, Permission.EVENT_READ),
    Route("GET", "/audit", routes.get_audit, Permission.AUDIT_READ),
    Route("GET", "/audit/verification", routes.get_audit_verification, Permission.AUDIT_READ),
)
"""Every route there is. What is not in this table is not served; what names no permission is open on purpose."""


class _GuardedRoute(APIRoute):
    """A route that asks for its permission before it reads the body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()
        wanted = (self.openapi_extra or {})[_PERMISSION]  # a route outside the table fails here, at the start
        if wanted is None:
            return inner
        permission = Permission(wanted)

        async def guarded(request: Request) -> Response:
            call = request.scope["state"]["call"]
            if call is None or not call.principal.may(permission):
                raise PermissionDeniedError(f"this needs a key whose role grants {permission}")
            return await inner(request)

        return guarded


def create_app(settings: Settings, store: Store | None = None) -> FastAPI:
    """The service as an ASGI application.

    Parameters
    ----------
    settings
        Where the store lies, and limits.
    store
        An open store to serve instead of opening the one of `settings`; the caller closes it.

    Raises
    ------
    StorageError
        When the store cannot be opened.
    """
    opened = Store(settings.directory, busy_timeout_s=settings.busy_timeout_s) if store is None else store

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        if store is None:
            opened.close()

    app = FastAPI(
        title="Vedette",
        summary="Cues and crossings, their review, and their release to partners.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.store, app.state.settings = opened, settings
    limits = {"json": settings.max_body_bytes, "evidence": settings.max_evidence_bytes}
    for route in ROUTES:
        app.router.add_api_route(
            route.path,
            route.endpoint,
            methods=[route.method],
            response_model=None,
            responses=OPENAPI_PROBLEM,
            max_body_size=limits[route.body],  # on the route, so that the refusal passes the gate
            openapi_extra={_PERMISSION: route.permission},
            route_class_override=_GuardedRoute,
        )
    add_handlers(app)
    app.add_middleware(Gate, store=opened, public=frozenset(route.path for route in ROUTES if route.permission is None))
    return app
