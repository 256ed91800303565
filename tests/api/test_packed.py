"""Lists are packed for keys that take them so, and for nobody whose browser could be made to ask."""

import asyncio
import gzip
import json

import httpx
import pytest
from starlette.datastructures import Headers

from api.packed import takes_packed
from tests.api.conftest import ON_SQLITE
from tests.api.people import settled

LISTS = ("/crossings", "/ogc/collections/crossings/items")


@pytest.mark.parametrize(
    ("said", "takes"),
    [
        ("gzip", True),
        ("GZIP , br", True),
        ("br;q=1, gzip;q=0.2", True),
        ("*", True),
        ("*;q=0.5", True),
        ("", False),
        ("identity", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; Q=0.000", False),
        ("*, gzip;q=0", False),
        ("notgzip", False),
    ],
)
def test_gzip_is_what_the_standard_says_that_somebody_takes(said, takes):
    assert takes_packed(Headers({"accept-encoding": said})) is takes


def raw(service, path: str, headers: dict[str, str]) -> tuple[httpx.Headers, bytes]:
    """As it is on the wire: nothing is unpacked."""
    heard: list[dict] = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        heard.append(message)

    path, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1), "server": ("vedette.test", 80),
    }  # fmt: skip
    asyncio.run_coroutine_threadsafe(service.app(scope, receive, send), service.http._transport.loop).result(20)
    assert heard[0]["status"] == 200
    return httpx.Headers(heard[0]["headers"]), b"".join(each.get("body", b"") for each in heard[1:])


@ON_SQLITE
def test_lists_are_packed_for_keys_and_say_the_same(service, crossing):
    for number in range(10):
        service.deliver(crossing(str(number)))
    key = {"Authorization": f"Bearer {service.keys['analyst']}"}
    for path in LISTS:
        for _ in range(2):  # the second time it is ready
            headers, packed = raw(service, path, key | {"Accept-Encoding": "gzip"})
            plain_headers, plain = raw(service, path, key)
            assert headers["content-encoding"] == "gzip"
            assert "content-encoding" not in plain_headers
            assert headers["vary"] == plain_headers["vary"] == "Accept-Encoding"
            assert int(headers["content-length"]) == len(packed) < len(plain) / 3
            unpacked = gzip.decompress(packed)
            assert [each["id"] for each in json.loads(unpacked)["features"]] == [
                each["id"] for each in json.loads(plain)["features"]
            ]


@ON_SQLITE
def test_no_session_and_nothing_small_or_secret_is_packed(service, crossing):
    """A page of another site can have a browser ask, and whoever listens tells from the length what is in it."""
    key = {"Authorization": f"Bearer {service.keys['analyst']}", "Accept-Encoding": "gzip"}
    assert "content-encoding" not in raw(service, "/crossings", key)[0]  # nothing is in it yet
    for number in range(10):
        service.deliver(crossing(str(number)))
    browser = settled(service, "anna")
    cookie = {"Cookie": f"vedette={browser.cookie}", "Accept-Encoding": "gzip"}
    for path in (*LISTS, "/me"):
        assert "content-encoding" not in raw(service, path, cookie)[0], path
    for path in ("/me", "/openapi.json"):
        assert "content-encoding" not in raw(service, path, key)[0], path
