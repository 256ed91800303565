"""Asking one service with one key: connections, answers, and what is raised where there is none."""

from __future__ import annotations

from typing import Any, Self

import httpx

from api.courier.wire import away, refusal, trusted
from api.errors import ClientError

__all__ = ["Asking"]


class Asking:
    """What asks a service. Use as a context manager, or close it.

    Parameters
    ----------
    url
        Where the service is, as `http://127.0.0.1:8470`.
    key
        An API key.
    timeout_s
        Longest wait for a connection or the next bytes.
    transport
        For tests.

    Raises
    ------
    ClientError
        When the URL is not one.
    """

    def __init__(
        self, url: str, key: str, *, timeout_s: float = 10.0, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.url = url.rstrip("/")
        if httpx.URL(self.url).scheme not in {"http", "https"} or not httpx.URL(self.url).host:
            raise ClientError(f"{url} is not a service URL: give it as http://127.0.0.1:8470")
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=timeout_s,
            transport=transport,
            verify=trusted(self.url),
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the spool stays."""
        self._http.close()

    def _object(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        answer = self._json(method, path, **more)
        if not isinstance(answer, dict):
            raise ClientError(f"{self.url}{path} did not answer as this service does: check the URL")
        return answer

    def _json(self, method: str, path: str, **more: Any) -> Any:
        response = self._ask(method, path, **more)
        try:
            return response.json()
        except ValueError as error:
            raise ClientError(f"{self.url}{path} did not answer with JSON: check the URL") from error

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **more)
        except httpx.HTTPError as error:
            raise away(self.url, error) from error
        if response.is_success:
            return response
        raise refusal(f"{method} {self.url}{path}", response)
