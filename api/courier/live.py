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
        service does not know the vehicle. A record that it knows is left as it is, with what was released of it.
    told
        Called with a sentence when the service is not reached, does not take what is sent, and when it does again.
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
                    self._send([dict(make()) for make in newest.values()])
            except ClientError as error:
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
                self._say(f"positions are not told now: {error}")
            except Exception as error:  # noqa: BLE001 - the flight goes on, and the next state may do
                self._say(f"a position could not be told: {error!r}")
            else:
                wait_s = self._period_s
                if newest:
                    self._say(None)
            if last:
                return

    def _send(self, states: list[dict[str, Any]]) -> None:
        answer = self._client.put_states(states)
        unknown = {each["source_id"] for each in answer["results"] if each["outcome"] == "unknown"}
        if unknown:
            for source_id in sorted(unknown):
                self._client.deliver_vehicle(self._vehicle(source_id))
            self._client.put_states([state for state in states if state["source_id"] in unknown])

    def _say(self, trouble: str | None) -> None:
        """Say what is wrong once, and that it is well again."""
        if trouble == self._trouble:
            return
        if trouble is None:
            self._told("positions are told again")
        else:
            self._told(trouble)
        self._trouble = trouble
