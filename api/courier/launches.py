"""Launches from a service to a ground station that stands by, and what becomes of them back.

One thread tells the service every two seconds how the station and its vehicles stand, and is told which launches wait.
It takes one at the service before it hands it over, and only while the station stands by. What came of a launch is told
until the service has it.

When a launch runs out is counted by passing time, from before the service was asked for it: no clock of the day is
compared with another.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from api.canonical import new_id
from api.courier.client import Client
from api.courier.wire import is_for_good
from api.errors import ClientError, RefusedError

__all__ = ["LaunchCourier", "TakenLaunch"]

_PERIOD_S = 2.0
_LONGEST_WAIT_S = 10.0
_CLOSING_S = 5.0
_ENDED = "its ground station has ended"


@dataclass(frozen=True, slots=True)
class TakenLaunch:
    """A launch that is ours to fly.

    Parameters
    ----------
    id
        Its name.
    until_s
        When it has run out if it was not begun, seconds of `time.monotonic`.
    launch
        As `GET /launches/{launch_id}` answers it.
    """

    id: str
    until_s: float
    launch: dict[str, Any]


class LaunchCourier:
    """Tells how a ground station stands, and takes its launches. Use as a context manager.

    Parameters
    ----------
    client
        Of the service, with a key that speaks for the station.
    source
        The station.
    state
        What is told of it, `busy` and `vehicles` of `PUT /stations/{source}`; called in the courier's thread.
    said
        Called with a sentence when the service does not hear the station, and when it does again; and when what came of
        a launch is not taken.
    told
        Called with the id and state of a launch once its service has it, or will never take it.
    period_s, clock
        How often; and, for tests, monotonic seconds.

    Attributes
    ----------
    run
        The random id of this run of the station: what another took is not taken again.
    """

    def __init__(
        self,
        client: Client,
        source: str,
        state: Callable[[], Mapping[str, Any]],
        said: Callable[[str], None],
        *,
        told: Callable[[str, str], None] = lambda _id, _state: None,
        period_s: float = _PERIOD_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._source, self._state, self._said, self._told = client, source, state, said, told
        self._period_s, self._clock = period_s, clock
        self.run = new_id()
        self._free, self._ended, self._wake = threading.Event(), threading.Event(), threading.Event()
        self._given_up = False
        self._asking: str | None = None
        """The launch that was asked for without an answer: it may be ours all the same."""
        self._seen: set[str] = set()
        self._taken: queue.SimpleQueue[TakenLaunch] = queue.SimpleQueue()
        self._outcomes: deque[tuple[str, str, str, str | None]] = deque()
        self._trouble = False
        self._thread = threading.Thread(target=self._work, name="vedette-launches", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._free.clear()
        self._ended.set()
        self._wake.set()
        self._thread.join(_CLOSING_S)  # what is not told by then, the service hears of this run no more
        self._given_up = True

    def stand_by(self) -> None:
        """From now on one launch may be taken."""
        self._free.set()

    def taken(self) -> TakenLaunch | None:
        """The launch that was taken since, once; None for none. No further one is taken before `stand_by`."""
        try:
            return self._taken.get_nowait()
        except queue.Empty:
            return None

    def tell(self, launch_id: str, state: str, words: str | None = None, *, run: str | None = None) -> None:
        """Tell what came of a launch: "accepted", "refused", "done" or "failed". Returns at once.

        `run` is that of the run that took it, where another did.
        """
        self._outcomes.append((launch_id, run or self.run, state, words))
        self._wake.set()

    # In the thread.

    def _work(self) -> None:
        wait_s = 0.0
        while not self._given_up:
            self._wake.wait(wait_s)
            self._wake.clear()
            ending = self._ended.is_set()
            try:
                self._turn(ending)
            except ClientError as error:
                wait_s = min(max(wait_s, self._period_s) * 2, _LONGEST_WAIT_S)
                self._say(str(error))
            except Exception as error:  # noqa: BLE001 - the station goes on, and the next turn may do
                wait_s = self._period_s
                self._say(f"{error!r}")
            else:
                wait_s = self._period_s
                self._say(None)
                if ending:
                    return
            if ending:
                wait_s = self._period_s / 4

    def _turn(self, ending: bool) -> None:
        if self._asking is not None:
            self._take(self._asking)
        if ending:
            while (left := self.taken()) is not None:
                self.tell(left.id, "refused", _ENDED)
        while self._outcomes:
            self._tell(*self._outcomes[0])
            self._outcomes.popleft()
        if not ending:
            for launch in self._client.tell_station(self._source, {"run": self.run, **self._state()}):
                # What came of the last is told first.
                if self._free.is_set() and not self._outcomes and launch["id"] not in self._seen:
                    self._take(launch["id"])

    def _take(self, launch_id: str) -> None:
        asked_s, self._asking = self._clock(), launch_id
        try:
            taken = self._client.tell_launch(launch_id, self.run, "taken")
        except RefusedError as refusal:
            if refusal.status >= 500 or refusal.status == 429:
                raise
            if refusal.status != 409:  # else it ran out, was withdrawn, or is another's
                self._said(f"launch {launch_id} cannot be taken: {refusal.detail}")
        else:
            self._free.clear()
            self._taken.put(TakenLaunch(launch_id, asked_s + float(taken["left_s"]), taken))
        self._seen.add(launch_id)
        self._asking = None

    def _tell(self, launch_id: str, run: str, state: str, words: str | None) -> None:
        try:
            self._client.tell_launch(launch_id, run, state, words)
        except RefusedError as refusal:
            # One that is not there any more holds up no other.
            if not (is_for_good(refusal) or refusal.status == 404):
                raise
            self._said(f"that launch {launch_id} is {state} is not taken: {refusal.detail}")
        self._told(launch_id, state)

    def _say(self, trouble: str | None) -> None:
        """Say once that the service does not hear the station, and that it does again."""
        if trouble is not None and not self._trouble:
            self._said(f"the service does not hear this station now: {trouble}")
        elif trouble is None and self._trouble:
            self._said("the service hears this station again")
        self._trouble = trouble is not None
