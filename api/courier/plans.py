"""Plans of a service: asked for, waited for, fetched, and made the service's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

import httpx

from api.errors import ClientError

__all__ = ["Plans"]

_LOOK_S = 1.0  # each look is an entry of the audit
_GOING = frozenset({"queued", "running"})


class _Ask(Protocol):
    def __call__(self, method: str, path: str, **more: Any) -> httpx.Response: ...


class Plans:
    """What `Client.plans` is: the planner of a service, as a person uses it.

    Parameters
    ----------
    ask
        Sends a request; raises ClientError where it is refused.
    sleep
        Waits so many seconds.
    """

    def __init__(self, ask: _Ask, sleep: Callable[[float], None] = time.sleep) -> None:
        self._ask, self._sleep = ask, sleep

    def ask(self, wish: Mapping[str, Any]) -> str:
        """Ask for a plan, as `POST /plannings` takes it; the planning's id."""
        return str(self._ask("POST", "/plannings", json=dict(wish)).json()["id"])

    def wait(self, planning_id: str) -> dict[str, Any]:
        """The planning when it is done, as `GET /plannings/{id}` answers it.

        Raises
        ------
        ClientError
            When it comes to no plan, or the service cannot be reached.
        """
        while True:
            told: dict[str, Any] = self._ask("GET", f"/plannings/{planning_id}").json()
            if told["state"] == "done":
                return told
            if told["state"] not in _GOING:
                raise ClientError(f"planning {told['name']} {told['state']}: {told['error']}")
            self._sleep(_LOOK_S)

    def file(self, planning_id: str, name: str) -> bytes:
        """A file of a plan that is done."""
        return self._ask("GET", f"/plannings/{planning_id}/files/{quote(name)}").content

    def adopt(self, planning_id: str, terms: Mapping[str, Any]) -> dict[str, Any]:
        """Make a plan one of the service: as `POST /plannings/{id}/adoption` takes and answers it."""
        made: dict[str, Any] = self._ask("POST", f"/plannings/{planning_id}/adoption", json=dict(terms)).json()
        return made
