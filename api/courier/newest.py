"""The newest of each kind to a service, in a thread of its own, whatever the network does.

Who hands something over waits for nothing. What is not sent when a newer one comes is not sent at all: after a time
without the service there is no backlog, but what is the case at that moment.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import ClassVar, Generic, Self, TypeVar

from api.errors import ClientError

__all__ = ["NewestCourier"]

T = TypeVar("T")
_LONGEST_WAIT_S = 10.0
_CLOSING_S = 5.0


class NewestCourier(ABC, Generic[T]):
    """Sends the newest of each; `_send` says how.

    Parameters
    ----------
    told
        Called with a sentence when the service is not reached or does not take something, and when it does again.
    period_s
        How often.
    """

    _AWAY: ClassVar[str]
    """What is said when the service cannot be reached; why follows."""
    _BROKEN: ClassVar[str]
    """What is said when one could not be made; why follows."""
    _AGAIN: ClassVar[str]
    """What is said when all is well again."""

    def __init__(self, told: Callable[[str], None], *, period_s: float = 1.0) -> None:
        self._told, self._period_s = told, period_s
        self._lock = threading.Lock()
        self._newest: dict[str, Callable[[], T]] = {}
        self._ended = threading.Event()
        self._trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name="vedette-newest", daemon=True)
        self.handed = 0
        """How many were handed over so far."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(_CLOSING_S)  # no longer: the work is over, and what is live is worth no waiting

    def hand(self, name: str, make: Callable[[], T]) -> None:
        """Take what will make one, in place of what was handed under that name before; it is made in the thread.

        Returns at once.
        """
        with self._lock:
            self._newest[name] = make
            self.handed += 1

    @abstractmethod
    def _send(self, newest: Mapping[str, Callable[[], T]]) -> str | None:
        """Make them and send them: what is wrong with those that the service did not take; None where nothing is.

        Raises
        ------
        ClientError
            When the service cannot be reached.
        """

    def _run(self) -> None:
        wait_s = self._period_s
        while True:
            last = self._ended.wait(wait_s)
            with self._lock:
                newest, self._newest = self._newest, {}
            try:
                if newest:
                    self._say(self._send(newest))
            except ClientError as error:
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
                self._say(f"{self._AWAY}: {error}")
            except Exception as error:  # noqa: BLE001 - the work goes on, and the next one may do
                self._say(f"{self._BROKEN}: {error!r}")
            else:
                wait_s = self._period_s
            if last:
                return

    def _say(self, trouble: str | None) -> None:
        """Say what is wrong once, and that it is well again."""
        if trouble == self._trouble:
            return
        self._told(self._AGAIN if trouble is None else trouble)
        self._trouble = trouble
