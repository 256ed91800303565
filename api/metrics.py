"""Figures of the running service for Prometheus. No label names a person, a record, or a path that was asked for."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator

from fastapi import Request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.described import FLAG, TEXT, answered, closed
from api.errors import ApiError
from api.http import Caller, Route, Stored, answer, read
from api.identity.roles import Permission
from api.store.engine import Store
from api.store.tables import EventRow, ReleaseRow
from api.trail.audit import audit_head

__all__ = ["ROUTES", "Measured", "Metrics"]

_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ELSEWHERE = "none"
"""Stands for every path that is no route: whoever asks for many paths makes no more series."""
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class Metrics:
    """What is counted; each application has its own.

    Parameters
    ----------
    store
        Asked for its state when the figures are.
    """

    def __init__(self, store: Store) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route")
        self.requests = Counter("vedette_requests", "Requests answered.", (*labels, "status"), registry=self.registry)
        self.seconds = Histogram(
            "vedette_request_seconds", "Time to the whole answer.", labels, buckets=_BOUNDS_S, registry=self.registry
        )
        self.running = 0
        running = Gauge("vedette_requests_running", "Requests in progress.", registry=self.registry)
        running.set_function(lambda: self.running)
        self._series: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.registry.register(_State(store))

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request, and the seconds to its whole answer."""
        key = method, route, status
        series = self._series.get(key)
        if series is None:  # looking a series up by its labels takes as long as ten countings
            series = self.requests.labels(method, route, str(status)), self.seconds.labels(method, route)
            self._series[key] = series
        series[0].inc()
        series[1].observe(seconds)

    def text(self) -> bytes:
        """Everything, as Prometheus reads it (version 0.0.4)."""
        return generate_latest(self.registry)


class _State(Collector):
    """What the store says of itself, asked at each scrape; cheap whatever it holds."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def describe(self) -> list[Metric]:
        """Nothing is asked of the store when it is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The figures; of a store that cannot serve, that it cannot."""
        try:
            with self._store.read() as session:
                found = _figures(session)
        except ApiError:
            found = None
        yield _gauge("vedette_store_readable", "Whether the store can be read.", float(found is not None))
        for name, (said, value) in (found or {}).items():
            yield _gauge(name, said, value)
        free = shutil.disk_usage(self._store.directory).free
        yield _gauge("vedette_disk_free_bytes", "Free on the disk of the store's folder.", free)


def _figures(session: Session) -> dict[str, tuple[str, float]]:
    waiting = select(func.count()).where(
        ReleaseRow.recalled_us.is_not(None), ReleaseRow.announced, ReleaseRow.receipt_us.is_(None)
    )
    return {
        "vedette_audit_entries": ("Number of the newest entry of the audit.", audit_head(session).seq),
        "vedette_events": ("Number of the newest event.", session.scalar(select(func.max(EventRow.seq))) or 0),
        "vedette_recalls_waiting": ("Recalls without a receipt.", session.scalar(waiting) or 0),
    }


def _gauge(name: str, said: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, said, value=value)


class Measured:
    """ASGI middleware around all others: counts and times every request under the route that took it."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = 499, time.perf_counter()  # gone before it was answered

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._metrics.running += 1  # in one event loop
        try:
            await self._app(scope, receive, noted)
        finally:
            self._metrics.running -= 1
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            route = getattr(scope.get("route"), "path", _ELSEWHERE)
            self._metrics.note(method, route, status, time.perf_counter() - started)


def get_metrics(request: Request, call: Caller, store: Stored) -> Response:
    """Figures for Prometheus. Give its scraper an administrator's key with the scope `metrics.read` alone."""
    read(store, call, "metrics.read", lambda _session, _now: (None, []))
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(), media_type=_PROMETHEUS)


def get_ready_parts(call: Caller, store: Stored) -> Response:
    """Which part of the service is not ready, and why: `/ready` tells everybody only whether all are."""
    parts = {name: _problem(part, store) for name, part in _PARTS.items()}
    body = {"ready": not any(parts.values()), "parts": {name: said or "ready" for name, said in parts.items()}}
    if parts["database"] is not None:  # then it cannot be written down either
        call.audited = True
        return answer(body)
    return answer(read(store, call, "ready.read", lambda _session, _now: (body, [])))


def _audit(store: Store) -> None:
    with store.read() as session:
        audit_head(session)


def _objects(store: Store) -> None:
    store.objects.check()


_PARTS: dict[str, Callable[[Store], None]] = {
    "database": Store.check_database,
    "objects": _objects,
    "audit": _audit,
    "clock": Store.check_clock,
}


def _problem(part: Callable[[Store], None], store: Store) -> str | None:
    try:
        part(store)
    except ApiError as error:
        return str(error)
    return None


_METRICS = answered(TEXT, media_types=(_PROMETHEUS,))
_PARTS_READY = answered(closed(ready=FLAG, parts=closed(**dict.fromkeys(_PARTS, TEXT))))
ROUTES: tuple[Route, ...] = (
    Route("GET", "/metrics", get_metrics, Permission.METRICS_READ, answers=_METRICS),
    Route("GET", "/ready/parts", get_ready_parts, Permission.METRICS_READ, answers=_PARTS_READY),
)
