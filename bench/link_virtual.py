"""Time that passes only while nobody works: a link and its vehicle in one thread, an hour of waiting in no time.

A conversation that loses packets spends its time in waiting. On this loop a wait costs nothing, and the same seed gives
the same run on every machine, however busy: limits can be measured to the second.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from random import Random
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import Link
from autopilot.channel import Channel
from autopilot.wire import Codec
from bench.rows import BenchError

__all__ = ["VirtualLoop", "Weather", "virtual_link"]

_STATION = (255, int(mav.MAV_COMP_ID_MISSIONPLANNER))


class _Skipping(selectors.SelectSelector):
    """Hears nothing; what would be waited for has passed."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Let `timeout` seconds pass."""
        if timeout is None:
            raise BenchError("nothing is due any more and somebody waits: whatever was to wake him is lost")
        self.now_s += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer when nothing is left to do. Sockets are not heard.

    Examples
    --------
    >>> with asyncio.Runner(loop_factory=VirtualLoop) as runner:
    ...     runner.run(asyncio.sleep(86_400))
    """

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._skipping.now_s


def virtual_link(send: Callable[[bytes], None], url: str = "virtual:") -> Link:
    """An open link whose packets go to `send`; what comes back goes to `received` of its channel."""
    link = Link(url, *_STATION, None)
    channel = Channel(url, Codec(*_STATION), link)
    link.channels.append(channel)
    channel.started(lambda packet, _: send(packet), lambda: None, "peer")
    return link


class Weather:
    """One way of a bad link: each datagram is lost, doubled and delayed for itself, so that they overtake each other.

    Parameters
    ----------
    random
        Where its moods come from.
    deliver
        Takes what arrives.
    loss, twice
        Chance of each datagram to be lost, and of one that is not to come a second time.
    least_s, mean_s
        Least delay, and what it is longer by in the mean (exponential), seconds.

    Attributes
    ----------
    calm
        While True everything arrives, and at once.
    blocked
        Numbers of messages that never pass.
    sent, lost
        Datagrams given to it, and lost.
    """

    def __init__(
        self,
        random: Random,
        deliver: Callable[[bytes], Any],
        *,
        loss: float = 0.2,
        twice: float = 0.05,
        least_s: float = 0.02,
        mean_s: float = 0.06,
    ) -> None:
        self._random = random
        self._deliver = deliver
        self._loss, self._twice = loss, twice
        self._least_s, self._mean_s = least_s, mean_s
        self.calm = False
        self.blocked: frozenset[int] = frozenset()
        self.sent = self.lost = 0

    def send(self, datagram: bytes) -> None:
        """Carry a datagram of one MAVLink 2 packet."""
        if int.from_bytes(datagram[7:10], "little") in self.blocked:
            return
        loop = asyncio.get_running_loop()
        if self.calm:
            loop.call_soon(self._deliver, datagram)  # not within the sender's call
            return
        self.sent += 1
        if self._random.random() < self._loss:
            self.lost += 1
            return
        for _ in range(2 if self._random.random() < self._twice else 1):
            delay_s = self._least_s + self._random.expovariate(1.0 / self._mean_s)
            loop.call_later(delay_s, self._deliver, datagram)
