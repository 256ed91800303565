"""What is written together leaves together, whole and in order, however a connection ends."""

import asyncio
import socket

import pytest
from fastapi import FastAPI
from starlette.responses import Response, StreamingResponse
from uvicorn import Config, Server

from api.prompt import PromptProtocol

LARGE = bytes(range(256)) * 4096


@pytest.fixture
def written(monkeypatch):
    """How many bytes each transport was given at a time."""
    sizes = []
    write = asyncio.selector_events._SelectorSocketTransport.write

    def noting(transport, data):
        sizes.append(len(data))
        write(transport, data)

    monkeypatch.setattr(asyncio.selector_events._SelectorSocketTransport, "write", noting)
    return sizes


def application():
    app = FastAPI(openapi_url=None)

    @app.get("/small")
    async def small():
        return Response(b"small")

    @app.get("/large")
    async def large():
        return Response(LARGE)

    @app.get("/parts")
    async def parts():
        async def each():
            for start in range(0, len(LARGE), 1000):
                yield LARGE[start : start + 1000]

        return StreamingResponse(each())

    return app


async def answers(requests):
    """All that a server sends back on one connection, until it closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(Config(application(), http=PromptProtocol, log_config=None, access_log=False, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.transport.pause_reading()  # nobody reads while it is made
        writer.write(requests)
        await asyncio.sleep(0.1)
        writer.transport.resume_reading()
        found = await reader.read()
        writer.close()
        server.should_exit = True
        await serving
    return found


def asked(path, *, last=False):
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n{'Connection: close' if last else 'X: y'}\r\n\r\n".encode()


async def test_head_and_body_leave_together(written):
    found = await answers(asked("/small", last=True))
    assert found.startswith(b"HTTP/1.1 200 OK\r\n")
    assert found.endswith(b"\r\n\r\nsmall")
    assert written == [len(asked("/small", last=True)), len(found)]


async def test_answers_to_requests_that_came_at_once_are_in_their_order():
    found = await answers(asked("/small") + asked("/large") + asked("/small") + asked("/small", last=True))
    bodies = [part.partition(b"\r\n\r\n")[2] for part in found.split(b"HTTP/1.1 200 OK\r\n")[1:]]
    assert bodies == [b"small", LARGE, b"small", b"small"]


async def test_what_never_pauses_is_not_gathered(written):
    """A megabyte in parts, in one go of the loop: handed on as it is made, so that who takes nothing is noticed."""
    found = await answers(asked("/parts", last=True))
    _, _, body = found.partition(b"\r\n\r\n")
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        whole, body = whole + body[: int(size, 16)], body[int(size, 16) + 2 :]
    assert whole == LARGE
    assert max(written[1:]) < 70_000
