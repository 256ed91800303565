"""Serving the application: uvicorn on loopback by default, structured log lines, a graceful stop."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import uvicorn

from api.app import create_app
from api.canonical import new_id
from api.errors import SettingsError, StorageError
from api.feeds.streams import end_streams
from api.identity.certificates import CertifiedProtocol
from api.identity.first import FIRST_LOGIN, create_admin
from api.identity.keys import IssuedKey, has_keys
from api.identity.roles import SYSTEM, Call
from api.prompt import PromptProtocol
from api.settings import Settings
from api.store.alone import alone
from api.store.engine import Store
from api.times import iso
from api.trail.audit import append_audit

__all__ = ["JsonLines", "RunningService", "running", "serve", "settle"]

_START_TIMEOUT_S = 30.0
_UNTAKEN_MS = 30_000
_LOOK_S = 0.2
"""How often a service that stops looks for connections that rest: long enough to have said to TLS that it ends."""


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, event, and the fields of the record."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line: dict[str, Any] = {
            "time": iso(int(record.created * 1e6)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that runs in a thread.

    Parameters
    ----------
    url
        Where it listens, without a slash at the end.
    admin
        The first administrator key, when this start made it; else None.
    store
        Its store.
    """

    url: str
    admin: IssuedKey | None
    store: Store


def serve(settings: Settings, *, announce: Callable[[str], None]) -> None:
    """Serve until the process is told to stop (SIGINT, SIGTERM), then finish the requests in progress.

    Parameters
    ----------
    settings
        Where the store lies and where to listen.
    announce
        Takes lines for a person: the address, and on the first start the administrator key, which is shown once and
        never logged.

    Raises
    ------
    StorageError
        When the store cannot be opened.
    SettingsError
        When the address cannot be listened on.
    """
    _log_to_stderr()
    with _prepared(settings) as (server, listener, service):
        if service.admin is not None:
            announce(
                f"administrator key, and one-time secret of the login {FIRST_LOGIN} (shown once): {service.admin.key}"
            )
        announce(f"serving {service.store.place} at {service.url}")
        settle()
        server.run(sockets=[listener])


def settle() -> None:
    """Take what there is by now for what will stay: to be called once, by the process that serves and nothing else.

    Each full collection would walk all of it, most of which is code: for 0.2 s nobody would be answered, every few
    thousand records that come in.
    """
    gc.collect()
    gc.freeze()


@contextmanager
def running(settings: Settings) -> Iterator[RunningService]:
    """Serve in a thread while the block runs: for a demonstration, a test, or a console on one machine.

    Raises
    ------
    StorageError, SettingsError
        As in `serve`.
    """
    with _prepared(settings) as (server, listener, service):
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="vedette-api", daemon=True)
        thread.start()
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise StorageError(f"the service at {service.url} did not start: see its log")
            time.sleep(0.005)
        try:
            yield service
        finally:
            server.should_exit = True
            thread.join(settings.stop_timeout_s + 5)


@contextmanager
def _prepared(settings: Settings) -> Iterator[tuple[uvicorn.Server, socket.socket, RunningService]]:
    _check_tls(settings)
    listener = _listen(settings)
    with listener, _alone(settings, listener.getsockname()[1]):
        store = Store(
            settings.directory,
            database=settings.database,
            busy_timeout_s=settings.busy_timeout_s,
            objects=settings.objects,
        )
        try:
            _start_clock(store, is_right=settings.clock_is_right)
            with store.read() as session:
                first = not has_keys(session)
            scheme = "http" if settings.tls_certificate is None else "https"
            host = f"[{settings.host}]" if ":" in settings.host else settings.host
            service = RunningService(
                url=f"{scheme}://{host}:{listener.getsockname()[1]}",
                admin=create_admin(store) if first else None,
                store=store,
            )
            yield _server(settings, store), listener, service
        finally:
            store.close()


def _alone(settings: Settings, port: int) -> AbstractContextManager[None]:
    """Several services share a PostgreSQL; a store in a folder has one."""
    if settings.database is not None:
        return nullcontext()
    return alone(settings.directory, f"the service on {settings.host} port {port}")


def _start_clock(store: Store, *, is_right: bool) -> None:
    """Refuse a clock that contradicts what the store has written, unless a person says that it is right."""
    try:
        store.start_clock()
    except SettingsError as error:
        if not is_right:
            raise
        with store.write() as session:
            append_audit(session, Call(SYSTEM, new_id()), store.clock(), "clock.trust", [], against=str(error))


class _Server(uvicorn.Server):
    """Ends the open streams as it begins to stop: they would hold it up until its limit; and leaves no connection."""

    def __init__(self, store: Store, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._store = store

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop."""
        end_streams(self._store)
        letting_go = asyncio.create_task(self._let_go())
        try:
            await super().shutdown(sockets)
        finally:
            letting_go.cancel()
        # Who takes nothing would be left with a connection that nobody serves.
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # it is closed when the loop comes round

    async def _let_go(self) -> None:
        """End connections that came in the last moment, or wait over TLS for a word of the other end, which owes none.

        They would hold up the stop until its limit.
        """
        while True:
            await asyncio.sleep(_LOOK_S)
            for connection in list(self.server_state.connections):
                if isinstance(connection, PromptProtocol) and connection.rests():
                    connection.transport.abort()


def _server(settings: Settings, store: Store) -> uvicorn.Server:
    return _Server(
        store,
        uvicorn.Config(
            create_app(settings, store),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=settings.stop_timeout_s,
            ssl_certfile=settings.tls_certificate,
            ssl_keyfile=settings.tls_key,
            **_client_certificates(settings),
        ),
    )


def _check_tls(settings: Settings) -> None:
    """Try the TLS files before anything is made or opened; raises SettingsError."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        names = f"{settings.tls_certificate} and {settings.tls_key}"
        raise SettingsError(f"{names} are no certificate and its key: {error}; give PEM files") from error
    try:
        if settings.tls_client_ca is not None:
            context.load_verify_locations(settings.tls_client_ca)
    except (OSError, ValueError) as error:
        name = settings.tls_client_ca
        raise SettingsError(f"{name} holds no authority for client certificates: {error}; give a PEM file") from error


def _client_certificates(settings: Settings) -> dict[str, Any]:
    if settings.tls_client_ca is None:
        return {"http": PromptProtocol}
    # Optional: people log in without one. Who shows one proves it, or there is no connection.
    return {"http": CertifiedProtocol, "ssl_ca_certs": settings.tls_client_ca, "ssl_cert_reqs": ssl.CERT_OPTIONAL}


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # who takes no bytes does not keep them here for ever
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNTAKEN_MS)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen()  # who comes as soon as the address is told waits, and is not refused
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror}; choose another port"
        ) from error
    return listener


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    # What libraries warn of is a line as all others are; below that they write what they send, secrets too.
    for name, level in (("vedette.api", logging.INFO), ("uvicorn", logging.WARNING), ("", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False
