"""Orders from a service to a ground station: taken before they run out, carried out once, their outcome told.

Two threads. One hears the service's stream of orders, which begins with how all stand now: what a cut swallowed comes
again. It takes an order at the service before it hands it over; what the service does not let it take is nobody's to
carry out. The other tells outcomes, each until the service has it.

When an order runs out is counted by passing time, from before the service was asked for it: no clock of the day is
compared with another.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from api.canonical import new_id
from api.courier.client import Client
from api.courier.wire import is_for_good
from api.errors import ClientError, RefusedError

__all__ = ["OrderCourier", "TakenOrder"]

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 4.0
_CLOSING_S = 5.0


@dataclass(frozen=True, slots=True)
class TakenOrder:
    """An order that is ours to carry out.

    Parameters
    ----------
    id
        Its name.
    vehicle
        The source_id of its vehicle.
    until_s
        When it has run out if it was not begun, seconds of `time.monotonic`.
    order
        As `GET /orders/{order_id}` answers it.
    """

    id: str
    vehicle: str
    until_s: float
    order: dict[str, Any]


class OrderCourier:
    """Takes the orders to the vehicles of one ground station, and tells what came of them. Use as a context manager.

    Parameters
    ----------
    client
        Of the service, with a key that speaks for the station.
    source
        The station: the source of its vehicles' records.
    take
        Called with each order that was taken, in the courier's thread.
    said
        Called with a sentence when orders cannot be heard, and when they can again; and when what came of one is not
        to be told.
    clock
        For tests: monotonic seconds.
    """

    def __init__(
        self,
        client: Client,
        source: str,
        take: Callable[[TakenOrder], None],
        said: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._source, self._take, self._said, self._clock = client, source, take, said, clock
        # Of this run alone: what another run took is not taken again.
        self._station = new_id()
        self._vehicles: frozenset[str] = frozenset()
        self._seen: set[str] = set()
        self._asked: dict[str, None] = {}
        """Orders that we asked for without an answer: they may be ours all the same."""
        self._outcomes: queue.Queue[tuple[str, str, str | None]] = queue.Queue()
        self._begun, self._ended, self._given_up = threading.Event(), threading.Event(), threading.Event()
        self._taking, self._all_taken = threading.Lock(), threading.Event()
        self._trouble = False
        self._hearing = threading.Thread(target=self._hear, name="vedette-orders", daemon=True)
        self._telling = threading.Thread(target=self._tell_all, name="vedette-outcomes", daemon=True)

    def __enter__(self) -> Self:
        self._telling.start()
        self._hearing.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._begun.set()
        # An order that is taken at this moment is told of too.
        if self._taking.acquire(timeout=_CLOSING_S):
            self._taking.release()
        for order_id in tuple(self._asked):
            self.tell(order_id, "refused", "its ground station has ended")
        self._all_taken.set()
        self._telling.join(_CLOSING_S)  # what is not told by then, the service never hears
        self._given_up.set()

    def serve(self, vehicles: Collection[str]) -> None:
        """From now on take orders to these vehicles, by the source_id of their records; before, none are taken."""
        self._vehicles = frozenset(vehicles)
        self._begun.set()

    def tell(self, order_id: str, state: str, words: str | None = None) -> None:
        """Tell what came of an order: "accepted", "refused", "done" or "failed". Returns at once."""
        self._outcomes.put((order_id, state, words))

    # What is heard.

    def _hear(self) -> None:
        self._begun.wait()
        wait_s = _FIRST_WAIT_S
        while not self._ended.is_set():
            try:
                for order in self._client.orders_live():
                    if self._ended.is_set():
                        return
                    wait_s = _FIRST_WAIT_S
                    if order is not None:
                        with self._taking:
                            if not self._ended.is_set():
                                self._look_at(order)
                    self._say(None)
            except ClientError as error:
                self._say(str(error))
            except Exception as error:  # noqa: BLE001 - the flight goes on, and the next order may be heard
                self._say(f"{error!r}")
            self._ended.wait(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    def _look_at(self, order: dict[str, Any]) -> None:
        vehicle, order_id = order["vehicle"], order["id"]
        # What stands taken may be what we asked for and were not answered: asked again, the service tells.
        takeable = order["state"] == "given" or (order["state"] == "taken" and order_id in self._asked)
        if not takeable or order_id in self._seen:
            self._asked.pop(order_id, None)
            return
        if vehicle["source"] != self._source or vehicle["source_id"] not in self._vehicles:
            return
        asked_s = self._clock()
        self._asked[order_id] = None
        try:
            taken = self._client.tell_outcome(order_id, self._station, "taken")
        except RefusedError as refusal:
            if refusal.status >= 500 or refusal.status == 429:
                raise
            self._see(order_id)
            if refusal.status != 409:  # else it ran out, was withdrawn, or is another's
                self._said(f"an order to {vehicle['source_id']} cannot be taken: {refusal.detail}")
            return
        until_s = asked_s + float(taken["left_s"])
        self._see(order_id)
        self._take(TakenOrder(order_id, vehicle["source_id"], until_s, taken))

    def _see(self, order_id: str) -> None:
        """It was decided whether it is ours."""
        self._seen.add(order_id)
        self._asked.pop(order_id, None)

    def _say(self, trouble: str | None) -> None:
        """Say once that orders are not heard, and that they are again."""
        if self._ended.is_set():  # the end breaks off the stream, which is no trouble
            return
        if trouble is not None and not self._trouble:
            self._said(f"orders are not heard now: {trouble}")
        elif trouble is None and self._trouble:
            self._said("orders are heard again")
        self._trouble = trouble is not None

    # What is told.

    def _tell_all(self) -> None:
        while True:
            try:
                order_id, state, words = self._outcomes.get(timeout=_FIRST_WAIT_S)
            except queue.Empty:
                if self._all_taken.is_set():
                    return
                continue
            self._tell(order_id, state, words)

    def _tell(self, order_id: str, state: str, words: str | None) -> None:
        wait_s, told = _FIRST_WAIT_S, False
        while True:
            try:
                self._client.tell_outcome(order_id, self._station, state, words)
            except RefusedError as refusal:
                if is_for_good(refusal) or refusal.status == 404:
                    self._said(f"what came of an order, {state}, is not taken: {refusal.detail}")
                    return
            except ClientError:
                pass  # the service is away, which the other thread says
            except Exception as error:  # noqa: BLE001 - what comes after has to be told as well
                if not told:
                    told = True
                    self._said(f"what came of an order, {state}, is not told yet: {error!r}")
            else:
                return
            if self._given_up.wait(wait_s):
                return
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
