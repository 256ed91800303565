"""An application on a real socket in a process of its own, and how many requests a second it answers.

``python -m bench.api_served PORT STORE`` serves the store there as ``vedette serve`` does; with a file in place of a
folder, its bytes alone, by a route that is a function as those of the service are, over the same server.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import uvicorn
from fastapi import FastAPI
from starlette.responses import Response

from api import Settings, create_app
from api.identity.settings import IdentitySettings
from api.prompt import PromptProtocol
from api.server import settle
from bench.rows import BenchError

__all__ = ["rates", "served"]

_PATH = "/crossings"


@contextmanager
def served(what: Path) -> Iterator[int]:
    """The port on which `what` (the folder of a store, or a file) is served while the block runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = subprocess.Popen([sys.executable, "-m", "bench.api_served", str(port), str(what)])  # noqa: S603 - ours
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def rates(ports: tuple[int, int], key: str, *, at_once: int, turns: int = 10, seconds: float = 1.0) -> np.ndarray:
    """Answers a second of two servers, asked in turns: whatever else the machine does meets both.

    Parameters
    ----------
    at_once
        Connections that are kept open.
    turns, seconds
        How often each is asked, and how long each time, after a turn of warming up. Who goes first changes.

    Returns
    -------
    numpy.ndarray
        A row for each turn, a column for each server.
    """
    found = np.empty((turns + 1, 2))
    for turn in range(turns + 1):
        for which in (0, 1) if turn % 2 else (1, 0):
            count, took = asyncio.run(_ask(ports[which], key, at_once, seconds))
            found[turn, which] = count / took
    return found[1:]


async def _ask(port: int, key: str, at_once: int, seconds: float) -> tuple[int, float]:
    request = f"GET {_PATH} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
    start = time.perf_counter()

    async def one() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        count = 0
        while time.perf_counter() - start < seconds:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise BenchError(f"the service answered {head[:40]!r}")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            await reader.readexactly(length)
            count += 1
        writer.close()
        return count

    counts = await asyncio.gather(*(one() for _ in range(at_once)))
    return sum(counts), time.perf_counter() - start


def _wait_for(port: int) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def _application(what: Path) -> FastAPI:
    if what.is_dir():
        unlimited = IdentitySettings(principal_limit=None, address_limit=None)
        return create_app(Settings(what, identity=unlimited))
    body = what.read_bytes()
    bare = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})

    @bare.get(_PATH)
    def ready() -> Response:
        return Response(body, media_type="application/geo+json")

    return bare


if __name__ == "__main__":
    what = Path(sys.argv[2])
    application = _application(what)
    settle()
    uvicorn.run(
        application,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        http=PromptProtocol,
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
