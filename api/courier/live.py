"""Live states to a service: the newest of each vehicle, whatever the network does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from api.courier.client import Client
from api.courier.newest import NewestCourier

__all__ = ["LiveCourier"]

State = Mapping[str, Any]
_TROUBLES = {
    "ahead": "this machine's clock is ahead of the service's: set it",
    "conflict": "another state of the same time is there: two tell of one vehicle",
    "forbidden": "the key does not speak for this station: bind it to it (`sources`)",
    "unknown": "its record is not there, though it was delivered: it may have been erased",
}
"""Outcomes under which a vehicle is not told, and what they mean."""


class LiveCourier(NewestCourier[State]):
    """Sends live states; they are handed over by the `source_id` of their vehicles.

    Parameters
    ----------
    client
        Of the service.
    vehicle
        From a state's source_id to the vehicle's record, as `POST /vehicles` takes it: delivered once where the
        service does not know the vehicle, and never again where it still does not then. A record that it knows is left
        as it is, with what was released of it.
    told, period_s
        As in `NewestCourier`.
    """

    _AWAY = "positions are not told now"
    _BROKEN = "a position could not be told"
    _AGAIN = "positions are told again"

    def __init__(
        self,
        client: Client,
        vehicle: Callable[[str], dict[str, Any]],
        told: Callable[[str], None],
        *,
        period_s: float = 1.0,
    ) -> None:
        super().__init__(told, period_s=period_s)
        self._client, self._vehicle = client, vehicle
        self._given_up: set[str] = set()

    def _send(self, newest: Mapping[str, Callable[[], State]]) -> str | None:
        states = [dict(make()) for make in newest.values()]
        outcomes = self._put(states)
        unknown = {name for name, outcome in outcomes.items() if outcome == "unknown"} - self._given_up
        if unknown:
            for source_id in sorted(unknown):
                self._client.deliver_vehicle(self._vehicle(source_id))
            again = self._put([state for state in states if state["source_id"] in unknown])
            # Each delivery is an entry of the audit: one that did not help is not made every second.
            self._given_up |= {name for name, outcome in again.items() if outcome == "unknown"}
            outcomes |= again
        troubles = [
            f"{name} is not told: {_TROUBLES[outcome]}"
            for name, outcome in sorted(outcomes.items())
            if outcome in _TROUBLES
        ]
        return "; ".join(troubles) or None

    def _put(self, states: list[dict[str, Any]]) -> dict[str, str]:
        answer = self._client.put_states(states)
        return {each["source_id"]: each["outcome"] for each in answer["results"]}
