"""The application: a table of routes behind the gate."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from functools import cache, cached_property, partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import Match, compile_path
from starlette.types import Scope

from api import metrics
from api import open as opened
from api.account import endpoints as account
from api.account import tasks as account_tasks
from api.asked import only
from api.background import Service, Task, beside
from api.cap import endpoints as cap
from api.console import endpoints as console
from api.errors import BadRequestError, MalformedError, PermissionDeniedError
from api.feeds import endpoints as feeds
from api.feeds.sender import send_webhooks
from api.gate import Gate
from api.http import Route
from api.identity import endpoints as identity
from api.identity.doorman import Doorman
from api.identity.logins import Logins
from api.identity.roles import Permission
from api.ingest import endpoints as ingest
from api.launches import endpoints as launches
from api.live import endpoints as live
from api.live.account import account_for_live
from api.loading import load_json
from api.ogc import endpoints as ogc
from api.ogc.turns import Turns
from api.openapi import openapi_of
from api.orders import endpoints as orders
from api.outlets import endpoints as outlets
from api.pictures import endpoints as pictures
from api.pictures.newest import forget_pictures
from api.planning import endpoints as planning
from api.planning import runner as planning_runner
from api.problems import OPENAPI_PROBLEM, Refusal, add_handlers
from api.records import endpoints as records
from api.release import endpoints as release
from api.release.due import announce_when_due
from api.release.redaction import redact_when_wanted
from api.review import endpoints as review
from api.sensors import endpoints as sensors
from api.sensors.mqtt import serve_outlets, serve_sensors
from api.settings import Settings
from api.store.engine import Store
from api.tak import endpoints as tak
from api.tak.sender import serve_tak
from api.telemetry import Discreet, WithQuery, telemetry_of
from api.trail import endpoints as trail
from api.trail import tasks as trail_tasks

__all__ = ["ROUTES", "TASKS", "create_app", "public_paths"]

_PERMISSION = "x-vedette-permission"


ROUTES: tuple[Route, ...] = (
    *opened.ROUTES,
    *console.ROUTES,
    *identity.ROUTES,
    *ingest.ROUTES,
    *records.ROUTES,
    *live.ROUTES,
    *orders.ROUTES,
    *pictures.ROUTES,
    *planning.ROUTES,
    *launches.ROUTES,
    *review.ROUTES,
    *release.ROUTES,
    *trail.ROUTES,
    *ogc.ROUTES,
    *account.ROUTES,
    *metrics.ROUTES,
    *feeds.ROUTES,
    *cap.ROUTES,
    *tak.ROUTES,
    *sensors.ROUTES,
    *outlets.ROUTES,
)
"""Every route there is. What is not in these tables is not served; what names no permission is open on purpose."""

TASKS: tuple[Task, ...] = (
    announce_when_due,
    redact_when_wanted,
    send_webhooks,
    account_for_live,
    forget_pictures,
    serve_tak,
    serve_sensors,
    serve_outlets,
    *trail_tasks.TASKS,
    *account_tasks.TASKS,
    *planning_runner.TASKS,
)
"""What runs beside the routes."""


class _Asked(Request):
    """A request whose JSON is read as `load_json` reads it."""

    async def json(self) -> Any:
        """Its body."""
        _refuse_packed(self)
        body = await self.body()
        try:
            return load_json(body)
        except MalformedError as error:
            raise Refusal(MalformedError(error.what, ("body", *error.steps))) from None


def _refuse_packed(request: Request) -> None:
    """Nothing that comes in is unpacked: neither is it kept as if it were what it says."""
    packed = request.headers.get("content-encoding", "identity").strip().lower()
    if packed != "identity":
        raise Refusal(MalformedError(f"packed, Content-Encoding is {packed[:20]!r}: send it as it is", ("body",)))


class _GuardedRoute(APIRoute):
    """A route that asks for its permission before it reads the body."""

    @cached_property
    def _start(self) -> str:
        return self.path.partition("{")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether it serves what is asked for; of a hundred most are told apart by how their paths begin."""
        # Under another application paths begin with where it has put this one.
        may = scope["path"].startswith(self._start) or scope.get("root_path")
        return super().matches(scope) if may else (Match.NONE, {})

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        serve = super().get_route_handler()
        wanted = (self.openapi_extra or {})[_PERMISSION]  # a route outside the table fails here, at the start

        async def read(request: Request) -> Response:
            return await serve(_Asked(request.scope, request.receive))

        inner = serve if self.body_field is None else read
        if wanted is None:
            return inner
        permission, look = Permission(wanted), self._look()

        async def guarded(request: Request) -> Response:
            call = request.scope["state"]["call"]
            if call is None or not call.principal.may(permission):
                raise PermissionDeniedError(f"this needs somebody whose role grants {permission}")
            look(request)
            return await inner(request)

        return guarded

    def _look(self) -> Callable[[Request], None]:
        """What refuses parameters and bodies that nobody would read."""
        reads_itself = "parameters" in (self.openapi_extra or {})
        known = frozenset(one.alias for one in get_flat_params(self.dependant) if isinstance(one.field_info, Query))
        bare = self.body_field is None and self.methods == {"DELETE"}
        streams = self.body_field is None and self.methods in ({"POST"}, {"PUT"})
        instead = f"give {', '.join(sorted(known))} in the address, after ?" if known else "send none"

        def look(request: Request) -> None:
            if request.query_params and not reads_itself:
                only(request.query_params, known)
            if bare and (request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers):
                raise BadRequestError(f"a DELETE of this takes no body: {instead}")
            if streams:
                _refuse_packed(request)

        return look


@cache
def _routes(json: int, bulk: int, evidence: int, picture: int) -> tuple[_GuardedRoute, ...]:
    """The table as routes, made once: they hold nothing of a store, and there are many to take apart.

    Parameters are the most bytes of each kind of body (`Route.body`).
    """
    limits = {"json": json, "bulk": bulk, "evidence": evidence, "map": bulk, "picture": picture}
    return tuple(
        _GuardedRoute(
            route.path,
            route.endpoint,
            methods=[route.method],
            response_model=None,
            responses=OPENAPI_PROBLEM,
            operation_id=route.name,
            max_body_size=limits[route.body],  # on the route, so that the refusal passes the gate
            openapi_extra={**route.describes, _PERMISSION: route.permission},
        )
        for route in sorted(ROUTES, key=_is_of_few)
    )


def _is_of_few(route: Route) -> bool:
    """Of routes, which are tried in turn: deliveries come by the thousand, and are found first."""
    return route not in ingest.ROUTES


def public_paths(routes: Iterable[Route]) -> frozenset[str]:
    """What `Gate` lets everybody to: the paths of open routes, up to their first parameter.

    Raises
    ------
    ValueError
        When a route that needs a permission may be reached by one of them.
    """
    table = tuple(routes)
    public = frozenset(route.path.partition("{")[0] for route in table if route.permission is None)
    for route in table:
        pattern = compile_path(route.path)[0]
        for path in public if route.permission is not None else ():
            below = path.endswith("/") and path != "/"
            if pattern.match(f"{path}any" if below else path) or (below and route.path.startswith(path)):
                raise ValueError(f"{route.method} {route.path} needs {route.permission}, but {path} is open to all")
    return public


@cache
def _public() -> frozenset[str]:
    """As `public_paths` of the table, which is looked through once."""
    return public_paths(ROUTES)


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
    kept = (
        Store(
            settings.directory,
            database=settings.database,
            busy_timeout_s=settings.busy_timeout_s,
            objects=settings.objects,
        )
        if store is None
        else store
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        service = Service(kept, settings)
        try:
            try:
                async with beside(service, TASKS):
                    yield
            finally:
                await trail_tasks.sign_last_head(service)
        finally:
            if store is None:
                kept.close()

    app = Discreet(
        title="Vedette",
        summary="Cues and crossings, their review, and their release to partners.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
        telemetry=telemetry_of(asked=settings.opentelemetry),
    )
    app.state.store, app.state.settings = kept, settings
    app.state.doorman, app.state.logins = Doorman(kept, settings), Logins(kept, settings.identity)
    limits = settings.max_body_bytes, settings.max_bulk_bytes, settings.max_evidence_bytes, settings.pictures.max_bytes
    app.router.routes.extend(_routes(*limits))
    app.openapi = partial(openapi_of, app, ROUTES)  # type: ignore[method-assign]
    app.state.metrics, app.state.turns = metrics.Metrics(kept), Turns(processes=settings.identity.processes)
    add_handlers(app)
    app.add_middleware(Gate, store=kept, doorman=app.state.doorman, public=_public())
    app.add_middleware(metrics.Measured, metrics=app.state.metrics)
    app.add_middleware(WithQuery)  # the last one is outermost
    return app
