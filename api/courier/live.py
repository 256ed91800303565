"""Live states to a service, in a thread of their own: the newest of each vehicle, whatever the network does.

Who hands a state waits for nothing. What is not sent when a newer one comes is not sent at all: after a time without
the service there is no backlog, but the states of that moment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from api.courier.client import Client
from api.errors import ClientError

__all__ = ["LiveCourier"]

State = Mapping[str, Any]
_TROUBLES = {
    "ahead": "this machine's clock is ahead of the service's: set it",
    "conflict": "another state of the same time is there: two tell of one vehicle",
    "forbidden": "the key does not speak for this station: bind it to it (`sources`)",
    "unknown": "its record is not there, though it was delivered: it may have been erased",
}
"""Outcomes under which a vehicle is not told, and what they mean."""
_LONGEST_WAIT_S = 10.0
_CLOSING_S = 5.0


class LiveCourier:
    """Sends live states.

    Parameters
    ----------
    client
        Of the service.
    vehicle
        From a state's source_id to the vehicle's record, as `POST /vehicles` takes it: delivered once where the
        service does not know the vehicle, and never again where it still does not then. A record that it knows is left
        as it is, with what was released of it.
    told
        Called with a sentence when the service is not reached or does not take a vehicle's state, and when it does
        again.
    period_s
        How often.
    """

    def __init__(
        self,
        client: Client,
        vehicle: Callable[[str], dict[str, Any]],
        told: Callable[[str], None],
        *,
        period_s: float = 1.0,
    ) -> None:
        self._client, self._vehicle, self._told, self._period_s = client, vehicle, told, period_s
        self._lock = threading.Lock()
        self._newest: dict[str, Callable[[], State]] = {}
        self._ended = threading.Event()
        self._trouble: str | None = None
        self._given_up: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="vedette-live", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(_CLOSING_S)  # no longer: the flight is over, and a state is worth no waiting

    def hand(self, source_id: str, state: Callable[[], State]) -> None:
        """Take what will make a state, in place of what was handed for that vehicle before; it is made in the thread.

        Returns at once.
        """
        with self._lock:
            self._newest[source_id] = state

    def _run(self) -> None:
        wait_s = self._period_s
        while True:
            last = self._ended.wait(wait_s)
            with self._lock:
                newest, self._newest = self._newest, {}
            try:
                if newest:
                    self._say(self._send([dict(make()) for make in newest.values()]))
            except ClientError as error:
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
                self._say(f"positions are not told now: {error}")
            except Exception as error:  # noqa: BLE001 - the flight goes on, and the next state may do
                self._say(f"a position could not be told: {error!r}")
            else:
                wait_s = self._period_s
            if last:
                return

    def _send(self, states: list[dict[str, Any]]) -> str | None:
        """What is wrong with those that the service did not take; None where nothing is."""
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

    def _say(self, trouble: str | None) -> None:
        """Say what is wrong once, and that it is well again."""
        if trouble == self._trouble:
            return
        if trouble is None:
            self._told("positions are told again")
        else:
            self._told(trouble)
        self._trouble = trouble
