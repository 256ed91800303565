"""What a service sends, as its client reads it: refusals, streams of events, whom to trust."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import httpx

from api.errors import ClientError, RefusedError

__all__ = ["away", "events_in", "is_for_good", "plain", "refusal", "trusted"]

# What no later try can mend. Everything else that goes wrong waits: a wrong key or URL is put right by a person, and
# what was to be told must still be there then.
_FOR_GOOD = frozenset({400, 409, 413, 415, 422})
_MOST_WORDS = 500


def is_for_good(refused: RefusedError) -> bool:
    """Whether no later try can mend what was refused."""
    return refused.status in _FOR_GOOD


def plain(words: str) -> str:
    """Words as a text of the service may be, 500 characters at most: what a vehicle says may have anything in it."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())[:_MOST_WORDS].strip()


def trusted(url: str) -> ssl.SSLContext:
    """Whom the machine trusts (an agency's own authority too: SSL_CERT_FILE), and the authorities of the web.

    Where a service has no TLS it is nobody: certificates take longer to read than all the rest of a program's request.
    """
    if httpx.URL(url).scheme != "https":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context


def away(url: str, error: httpx.HTTPError) -> ClientError:
    """What it means that a service gave no answer."""
    what = str(error) or type(error).__name__
    return ClientError(f"{url} cannot be reached: {what}; check that the service runs there")


def refusal(what: str, response: httpx.Response) -> ClientError:
    """What an answer that is no success means; `what` is what was asked."""
    problem: Any = None
    if response.headers.get("content-type", "").startswith("application/problem+json"):
        with suppress(ValueError):
            problem = response.json()
    if not isinstance(problem, dict):
        return ClientError(f"{what} answered {response.status_code} and is not this service: check the URL")
    detail = str(problem.get("detail") or problem.get("title"))
    return RefusedError(
        f"{what} refused ({response.status_code}): {detail}", status=response.status_code, detail=detail
    )


def events_in(lines: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Name and data (JSON) of each event of a stream (Server-Sent Events); of a sign of life, an empty name and None.

    Raises
    ------
    ClientError
        When the data of an event is no JSON.
    """
    name, data = "", list[str]()
    for line in lines:
        field, _, value = line.partition(":")
        if line and field == "event":
            name = value.strip()
        elif line and field == "data":
            data.append(value)
        elif not line or not field:
            if data and not line:
                try:
                    yield name, json.loads("\n".join(data))
                except ValueError as error:
                    raise ClientError("the stream's events are not this service's: check the URL") from error
                name, data = "", []
            else:
                yield "", None
