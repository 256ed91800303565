"""Cues over HTTP: each is POSTed as JSON. Heartbeats stay away: a service of cues would refuse them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sim.errors import CueError
from sim.sensors_delivery import MessageRefusedError, UnreachableError

if TYPE_CHECKING:
    import httpx

__all__ = ["HttpSink"]

# What no later try can mend. Everything else waits: a wrong key or URL is put right by a person.
_FOR_GOOD = frozenset({400, 409, 413, 415, 422})


class HttpSink:
    """A URL that takes cues.

    Parameters
    ----------
    url
        Whole, with its path.
    key
        Bearer token, or None.
    timeout_s
        Longest wait for a connection or an answer.
    transport
        For tests.

    Raises
    ------
    CueError
        When it is no URL.
    """

    def __init__(
        self, url: str, *, key: str | None = None, timeout_s: float = 5.0, transport: httpx.BaseTransport | None = None
    ) -> None:
        import httpx  # noqa: PLC0415 - takes a while to load, and most simulations have no service

        try:
            self._url = httpx.URL(url)
        except httpx.InvalidURL:
            self._url = httpx.URL()
        if self._url.scheme not in {"http", "https"} or not self._url.host:
            raise CueError(f"{url} is no address of a service: give it as http://127.0.0.1:8470/cues")
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(headers=headers, timeout=timeout_s, transport=transport, trust_env=False)

    def deliver(self, message: Mapping[str, Any], giving_up: threading.Event) -> bool:  # noqa: ARG002 - as every sink
        """POST a cue; 400, 409, 413, 415 and 422 are refusals for good."""
        if message["type"] != "cue":
            return False
        import httpx  # noqa: PLC0415 - as above

        try:
            answer = self._http.post(self._url, json=dict(message))
        except httpx.HTTPError as error:
            where = self._url.copy_with(userinfo=b"")
            raise UnreachableError(f"{where} cannot be reached: {error or type(error).__name__}") from error
        if answer.status_code in _FOR_GOOD:
            raise MessageRefusedError(f"{self._url.path} refused ({answer.status_code}): {answer.text[:300]}")
        if not answer.is_success:
            raise UnreachableError(f"{self._url.path} answered {answer.status_code}: {answer.text[:300]}")
        return True

    def idle(self) -> None:
        """Nothing to look after."""

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
